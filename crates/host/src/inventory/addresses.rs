//! The addresses of this host, from the kernel's own tables: they tell which networks reach what listens on every
//! interface.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most bytes read of one table. The routing trie holds routes, too: a full table of the Internet has about a million.
const MAX_TABLE: u64 = 256 * 1024 * 1024;
/// Most addresses kept of one table; container hosts have hundreds.
const MAX_ADDRESSES: usize = 4_096;

/// Reads a table.
type Reader = fn(&mut dyn BufRead) -> Vec<IpAddr>;

/// Every address that is not loopback or link-local, sorted. A table that cannot be read is told in `gaps`.
pub(super) fn addresses(gaps: &mut Vec<String>) -> Vec<IpAddr> {
    let mut found = Vec::new();
    let tables: [(&str, Reader); 2] =
        [("/proc/net/fib_trie", local_of_trie), ("/proc/net/if_inet6", of_inet6)];
    for (path, read) in tables {
        match File::open(path) {
            Ok(file) => found.extend(read(&mut BufReader::new(file.take(MAX_TABLE)))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => gaps.push(format!("the addresses in {path} are not known: {error}")),
        }
    }
    found.retain(|address| match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified(),
    });
    found.sort_unstable();
    found.dedup();
    found
}

/// A leaf of the trie is an address; the line below says what it is:
///
/// ```text
///            |-- 192.0.2.2
///               /32 host LOCAL
/// ```
pub(super) fn local_of_trie(table: &mut dyn BufRead) -> Vec<IpAddr> {
    let mut found = Vec::new();
    let mut leaf: Option<Ipv4Addr> = None;
    for line in table.split(b'\n').map_while(Result::ok) {
        if found.len() == MAX_ADDRESSES {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if let Some(address) = text.strip_prefix("|-- ") {
            leaf = address.parse().ok();
        } else if text == "/32 host LOCAL" {
            found.extend(leaf.map(IpAddr::from));
        }
    }
    found
}

/// ```text
/// 20010db8000000000000000000000002 04 40 00 80     eth0
/// ```
pub(super) fn of_inet6(table: &mut dyn BufRead) -> Vec<IpAddr> {
    let lines = table.split(b'\n').map_while(Result::ok);
    let address = |line: Vec<u8>| {
        let line = String::from_utf8(line).ok()?;
        let digits = line.split_ascii_whitespace().next().filter(|digits| digits.len() == 32)?;
        u128::from_str_radix(digits, 16).ok().map(|bits| IpAddr::from(Ipv6Addr::from(bits)))
    };
    lines.filter_map(address).take(MAX_ADDRESSES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trie_tells_the_addresses_of_this_host_and_no_other() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- 127.0.0.1\n        \
                    /32 host LOCAL\n     |-- 192.0.2.0\n        /24 link UNICAST\n     |-- 192.0.2.2\n        /32 host LOCAL\n     \
                    |-- 192.0.2.255\n        /32 link BROADCAST\n";
        let found = local_of_trie(&mut trie.as_bytes());
        assert_eq!(found, ["127.0.0.1", "192.0.2.2"].map(|text| text.parse::<IpAddr>().unwrap()));
    }

    #[test]
    fn ipv6_addresses_are_read_and_lines_of_another_shape_are_not() {
        let table = "20010db8000000000000000000000002 04 40 00 80     eth0\nnothing\n0 1 2\n";
        assert_eq!(of_inet6(&mut table.as_bytes()), ["2001:db8::2".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn this_machine_has_no_loopback_among_its_addresses() {
        let mut gaps = Vec::new();
        let found = addresses(&mut gaps);
        assert!(gaps.is_empty(), "{gaps:?}");
        assert!(found.iter().all(|address| !address.is_loopback()), "{found:?}");
        assert!(found.is_sorted());
    }
}
