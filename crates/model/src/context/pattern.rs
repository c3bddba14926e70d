//! Patterns by which rules and zones name assets: globs, ports, networks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::serde_as_text;
use crate::{Listener, Protocol};

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not {kind}: {reason}")]
pub struct PatternError {
    /// What was expected, as a noun phrase.
    pub kind: &'static str,
    /// The offending text, cut to 80 characters.
    pub value: String,
    /// What the shape demands.
    pub reason: &'static str,
}

fn refuse<T>(kind: &'static str, value: &str, reason: &'static str) -> Result<T, PatternError> {
    Err(PatternError { kind, value: value.chars().take(80).collect(), reason })
}

/// A name with `*` for any text and `?` for any one character. Letters match in either case: host names have none
/// (RFC 4343), and packages of one name in two cases are not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob(String);

impl Glob {
    /// Most bytes of a glob; names of hosts have at most 253.
    pub const MAX: usize = 256;

    /// The text as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `name` matches. Takes at most the product of both lengths in steps.
    pub fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.0.as_bytes(), name.as_bytes());
        let (mut at, mut seen) = (0, 0);
        // Where the last star was, and how much of the name it stands for so far.
        let mut star: Option<(usize, usize)> = None;
        while seen < name.len() {
            match pattern.get(at) {
                Some(b'*') => {
                    star = Some((at, seen));
                    at += 1;
                }
                Some(b'?') => (at, seen) = (at + 1, seen + 1),
                Some(byte) if byte.eq_ignore_ascii_case(&name[seen]) => (at, seen) = (at + 1, seen + 1),
                _ => match &mut star {
                    Some((star, taken)) => {
                        *taken += 1;
                        (at, seen) = (*star + 1, *taken);
                    }
                    None => return false,
                },
            }
        }
        pattern[at..].iter().all(|byte| *byte == b'*')
    }
}

impl FromStr for Glob {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > Self::MAX || !plain {
            return refuse("a pattern", text, "1 to 256 printable ASCII characters without blanks");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(Glob);

/// Ports from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// Every port.
    pub const ALL: Self = Self { first: 0, last: u16::MAX };

    /// From `first` to `last`; `None` where there is nothing between them.
    pub fn new(first: u16, last: u16) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// The first one.
    pub fn first(self) -> u16 {
        self.first
    }

    /// The last one.
    pub fn last(self) -> u16 {
        self.last
    }

    /// Whether `port` is one of them.
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

impl FromStr for PortRange {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let range = first.trim().parse().ok().zip(last.trim().parse().ok());
        match range.and_then(|(first, last)| Self::new(first, last)) {
            Some(range) => Ok(range),
            None => refuse("a port or a range of ports", text, "write 443 or 8000-8100, up to 65535"),
        }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

serde_as_text!(PortRange);

/// An IPv4 or IPv6 network in CIDR notation (RFC 4632, RFC 4291 2.3). Bits below the prefix are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

impl Network {
    /// Length of the prefix in bits.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether the address lies in it. An IPv4 address that is mapped into IPv6 counts as IPv4.
    pub fn contains(self, address: IpAddr) -> bool {
        masked(address.to_canonical(), self.prefix).is_some_and(|base| base == self.base)
    }
}

/// The address with its bits below the prefix cleared; `None` where it has fewer bits than the prefix.
fn masked(address: IpAddr, prefix: u8) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => {
            let free = 32_u32.checked_sub(u32::from(prefix))?;
            Some(Ipv4Addr::from(v4.to_bits() & u32::MAX.checked_shl(free).unwrap_or(0)).into())
        }
        IpAddr::V6(v6) => {
            let free = 128_u32.checked_sub(u32::from(prefix))?;
            Some(Ipv6Addr::from(v6.to_bits() & u128::MAX.checked_shl(free).unwrap_or(0)).into())
        }
    }
}

impl FromStr for Network {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let (base, prefix) = text.split_once('/').map_or((text, None), |(base, prefix)| (base, Some(prefix)));
        let shape = "write 10.1.0.0/16 or 2001:db8::/32";
        let Ok(base) = base.parse::<IpAddr>() else { return refuse("a network", text, shape) };
        let whole = if base.is_ipv4() { 32 } else { 128 };
        let Ok(prefix) = prefix.map_or(Ok(whole), str::parse::<u8>) else {
            return refuse("a network", text, shape);
        };
        match masked(base, prefix) {
            Some(clear) if clear == base => Ok(Self { base, prefix }),
            Some(_) => refuse(
                "a network",
                text,
                "bits below the prefix are set: clear them, or write a longer prefix",
            ),
            None => refuse("a network", text, "the prefix is longer than the address"),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

serde_as_text!(Network);

/// A port that an asset listens on for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listening {
    /// Transport protocol; absent is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// One of these ports.
    pub ports: PortRange,
}

impl Listening {
    /// Whether a listener is one of them. What only the host itself can reach is not.
    pub fn matches(self, listener: &Listener) -> bool {
        !listener.is_loopback()
            && self.protocol.is_none_or(|protocol| protocol == listener.protocol)
            && self.ports.contains(listener.port)
    }
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.protocol {
            Some(Protocol::Tcp) => write!(f, "tcp {}", self.ports),
            Some(Protocol::Udp) => write!(f, "udp {}", self.ports),
            None => write!(f, "{}", self.ports),
        }
    }
}

/// Which assets a rule speaks of: all that fulfil every part that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The host's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Glob>,
    /// Its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Glob>,
    /// A binary package that is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Glob>,
    /// A port that it listens on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listens: Option<Listening>,
}

impl Condition {
    /// Whether it has no part, and would speak of every asset: that is what the defaults are for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.host.as_ref().map(|glob| format!("host {glob}")),
            self.group.as_ref().map(|glob| format!("group {glob}")),
            self.package.as_ref().map(|glob| format!("package {glob}")),
            self.listens.map(|listens| format!("listens on {listens}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(&parts.join(" and "))
    }
}
