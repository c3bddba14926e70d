//! One registry of id kinds, so that mixing up two of them does not compile.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not an id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text does not have the shape of this kind.
    #[error("{value:?} is not {kind}: {reason}")]
    Shape {
        /// What was expected, as a noun phrase.
        kind: &'static str,
        /// The offending text, cut to 80 characters.
        value: String,
        /// What the shape demands.
        reason: &'static str,
    },
}

pub(crate) fn shape(kind: &'static str, value: &str, reason: &'static str) -> IdError {
    IdError::Shape { kind, value: value.chars().take(80).collect(), reason }
}

/// Serde through the printed form: the journal shows ids as people see them.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;

/// Ids counted by the journal: `dir_7`. Short, because people type them.
macro_rules! counted_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The id with this ordinal; ordinals start at 1 and are given out by `decide`.
            pub fn new(ordinal: u64) -> Self {
                Self(ordinal)
            }

            /// The ordinal behind the prefix.
            pub fn ordinal(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix($prefix)
                    .and_then(|digits| digits.parse().ok())
                    .map(Self)
                    .ok_or_else(|| shape($kind, text, concat!("write it as ", $prefix, "7")))
            }
        }

        serde_as_text!($name);
    };
}

counted_id!(
    /// A directive: what a team must do.
    DirectiveId, "dir_", "a directive id"
);
counted_id!(
    /// An order: the signed message to one host.
    OrderId, "ord_", "an order id"
);
counted_id!(
    /// An exception: a risk that somebody accepts.
    ExceptionId, "exc_", "an exception id"
);
counted_id!(
    /// A compensating control.
    ControlId, "ctl_", "a control id"
);
counted_id!(
    /// A detection: an attack that was seen.
    DetectionId, "det_", "a detection id"
);

/// An asset, identified by the key it enrolled with: the first 16 bytes of the SHA-256 of the public key
/// (SubjectPublicKeyInfo, DER), printed as `ast_` and 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId([u8; 16]);

impl AssetId {
    /// The id of the asset that holds the key with this SubjectPublicKeyInfo.
    pub fn of_public_key(spki_der: &[u8]) -> Self {
        let digest = crate::Digest::of(spki_der);
        let mut id = [0; 16];
        id.copy_from_slice(&digest.as_bytes()[..16]);
        Self(id)
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ast_{}", hex::encode(self.0))
    }
}

impl FromStr for AssetId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut id = [0; 16];
        text.strip_prefix("ast_")
            .and_then(|digits| hex::decode_to_slice(digits, &mut id).ok())
            .map(|()| Self(id))
            .ok_or_else(|| shape("an asset id", text, "ast_ and 32 hexadecimal digits"))
    }
}

serde_as_text!(AssetId);

/// Text newtypes: a bounded alphabet and length, checked once.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $max:literal, $reason:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text as it is printed.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let valid: fn(char) -> bool = $valid;
                if text.is_empty() || text.len() > $max || !text.chars().all(valid) {
                    return Err(shape($kind, text, $reason));
                }
                Ok(Self(text.to_owned()))
            }
        }

        serde_as_text!($name);
    };
}

text_id!(
    /// A vulnerability or advisory id: `CVE-2024-6387`, `DSA-5724-1`, `GHSA-...`. Case is kept; ids are compared
    /// as they are written by their source.
    VulnerabilityId, "a vulnerability id", 128, "1 to 128 letters, digits or any of - _ . : + ~ /",
    |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '+' | '~' | '/')
);
text_id!(
    /// A group of assets that is promoted, planned and owned together: `default`, `web`.
    GroupName, "a group name", 64, "1 to 64 of a-z, 0-9, - or _",
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_')
);
text_id!(
    /// Who decided: the name a person signs in with.
    Person, "a person's name", 128, "1 to 128 printable characters",
    |c| !c.is_control()
);
text_id!(
    /// The public half of an enrolment token: names it in the record without giving it away.
    TokenId, "a token id", 64, "1 to 64 letters, digits, - or _",
    |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
);

text_id!(
    /// The fingerprint of a person's SSH key, as `ssh-keygen -l` prints it: `SHA256:` and 43 letters of base64.
    KeyFingerprint, "a key's fingerprint", 64, "SHA256: and letters of base64",
    |c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | ':')
);

/// What the names in a context document may hold.
const CONTEXT_NAME: fn(char) -> bool = |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');

text_id!(
    /// A part of the network whose traffic with others is controlled: `dmz`, `internet`.
    ZoneName, "a zone's name", 64, "1 to 64 letters, digits or any of - _ .", CONTEXT_NAME
);
text_id!(
    /// A service of the business, which assets carry: `shop`.
    ServiceName, "a service's name", 64, "1 to 64 letters, digits or any of - _ .", CONTEXT_NAME
);
text_id!(
    /// A team that owns assets.
    TeamName, "a team's name", 64, "1 to 64 letters, digits or any of - _ .", CONTEXT_NAME
);
text_id!(
    /// Assets that stand in for each other: `shop-web`.
    RedundancyName, "a redundancy group's name", 64, "1 to 64 letters, digits or any of - _ .", CONTEXT_NAME
);
text_id!(
    /// A word that people put on assets.
    Tag, "a tag", 64, "1 to 64 letters, digits or any of - _ .", CONTEXT_NAME
);

impl VulnerabilityId {
    /// The id of the synthetic advisory for a security update that the host's repository offers and no
    /// published advisory explains: `VENDOR:openssl:3.0.17-1~deb12u3`.
    ///
    /// # Errors
    /// When source or version hold characters that no id may hold.
    pub fn vendor_update(source: &str, version: &str) -> Result<Self, IdError> {
        format!("VENDOR:{source}:{version}").parse()
    }

    /// Whether this is a synthetic vendor-update id.
    pub fn is_vendor_update(&self) -> bool {
        self.0.starts_with("VENDOR:")
    }

    /// Whether this id is in the CVE name space.
    pub fn is_cve(&self) -> bool {
        self.0.starts_with("CVE-")
    }
}
