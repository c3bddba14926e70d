//! Open sockets of this host's own network, and who holds them.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::Read as _;

use tenon_model::{EvidencePart, EvidenceSocket};

use super::budget::{Gaps, escaped, fitting};
use crate::inventory::processes::process_ids;
use crate::inventory::{parse_address, socket_inode};

/// Bytes of the list, as it is encoded. A plain one takes about 120.
const SOCKETS: usize = 512 << 10;
/// Most bytes read of one of the kernel's tables.
const MAX_TABLE: u64 = 16 << 20;
/// Most open files looked at, over all processes.
const MAX_OPEN: usize = 1_000_000;
/// Most processes told of one socket.
const MAX_PIDS: usize = 64;
/// The kernel's tables, those of the network first: a flood of local sockets pushes none of them out.
const TABLES: [&str; 8] = ["tcp", "tcp6", "udp", "udp6", "raw", "raw6", "packet", "unix"];

pub(super) fn sockets(gaps: &mut Gaps) -> Vec<EvidenceSocket> {
    let part = EvidencePart::Sockets;
    let mut found = Vec::new();
    for kind in TABLES {
        let path = format!("/proc/net/{kind}");
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(MAX_TABLE).read_to_end(&mut bytes));
        match read {
            Ok(_) => {}
            // Without IPv6, or the module, there are no such sockets.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => gaps.add(part, format!("{path} cannot be read: {error}")),
        }
        if bytes.len() as u64 == MAX_TABLE {
            gaps.add(part, format!("{path} was not read to its end"));
        }
        found.extend(bytes.split(|byte| *byte == b'\n').skip(1).filter_map(|line| parse(kind, line)));
    }
    hold(&mut found, gaps);
    let (kept, out) = fitting(found, SOCKETS);
    gaps.count(part, out, "sockets are left out: there are more than fit");
    kept
}

/// Notes who holds them, and how much of other networks is not seen.
fn hold(sockets: &mut [EvidenceSocket], gaps: &mut Gaps) {
    let part = EvidencePart::Sockets;
    let mut holders: HashMap<u64, Vec<u32>> =
        sockets.iter().map(|socket| (socket.inode, Vec::new())).collect();
    let network = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
    let (own, mut others) = (network("self"), BTreeSet::new());
    let (mut open, mut hidden, mut unread) = (0, 0, 0);
    for pid in process_ids() {
        if gaps.is_late() || open >= MAX_OPEN {
            unread += 1;
            continue;
        }
        others.extend(network(&pid.to_string()).filter(|other| Some(other) != own.as_ref()));
        let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else {
            hidden += usize::from(fs::metadata(format!("/proc/{pid}")).is_ok());
            continue;
        };
        for file in files.filter_map(Result::ok) {
            open += 1;
            let target = fs::read_link(file.path()).ok();
            let inode = target.as_ref().and_then(|target| socket_inode(target.to_str()?));
            if let Some(pids) = inode.and_then(|inode| holders.get_mut(&inode))
                && pids.len() < MAX_PIDS
                && pids.last() != Some(&pid)
            {
                pids.push(pid);
            }
        }
    }
    for socket in sockets {
        if socket.inode != 0 {
            socket.pids = holders.get(&socket.inode).cloned().unwrap_or_default();
        }
    }
    gaps.count(part, others.len(), "networks of containers or units are not read: their sockets are missing");
    gaps.count(part, hidden, "processes may not be asked which sockets they hold");
    gaps.count(
        part,
        unread,
        "processes were not asked which sockets they hold before time, or room, was over",
    );
}

fn parse(kind: &str, line: &[u8]) -> Option<EvidenceSocket> {
    match kind {
        "unix" => parse_unix(line),
        "packet" => parse_packet(line),
        _ => parse_inet(kind, line),
    }
}

/// `0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000 113 0 23124 ...`
fn parse_inet(kind: &str, line: &[u8]) -> Option<EvidenceSocket> {
    let line = std::str::from_utf8(line).ok()?;
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (local, remote, state) = (fields.next()?, fields.next()?, fields.next()?);
    let inode = fields.nth(5)?.parse().ok()?;
    Some(EvidenceSocket {
        kind: kind.to_owned(),
        local: end(local)?,
        remote: end(remote)?,
        state: escaped(state.as_bytes()),
        inode,
        pids: Vec::new(),
    })
}

/// `0100007F:1538` as `127.0.0.1:5432`.
fn end(text: &str) -> Option<String> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(std::net::SocketAddr::new(parse_address(address)?, port).to_string())
}

/// `0000000000000000: 00000002 00000000 00010000 0001 01 20135 /run/systemd/notify`
fn parse_unix(line: &[u8]) -> Option<EvidenceSocket> {
    let mut rest = line;
    let mut fields = Vec::with_capacity(7);
    for _ in 0..7 {
        rest = rest.trim_ascii_start();
        let end = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
        let (field, after) = rest.split_at(end);
        fields.push(std::str::from_utf8(field).ok()?);
        rest = after;
    }
    Some(EvidenceSocket {
        kind: "unix".to_owned(),
        local: escaped(rest.trim_ascii_start()),
        remote: String::new(),
        state: fields[5].to_owned(),
        inode: fields[6].parse().ok()?,
        pids: Vec::new(),
    })
}

/// `sk RefCnt Type Proto Iface R Rmem User Inode`: what hears whole frames.
fn parse_packet(line: &[u8]) -> Option<EvidenceSocket> {
    let line = std::str::from_utf8(line).ok()?;
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    Some(EvidenceSocket {
        kind: "packet".to_owned(),
        local: format!("interface {}, protocol {}", fields.get(4)?, fields.get(3)?),
        remote: String::new(),
        state: (*fields.get(5)?).to_owned(),
        inode: fields.get(8)?.parse().ok()?,
        pids: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn both_ends_are_read_of_every_kind() {
        let inet =
            b"2: 0200A8C0:0016 0100A8C0:D431 01 00000000:00000000 02:0000A0E0 00000000 0 0 29000 2 00 20";
        let socket = parse("tcp", inet).unwrap();
        assert_eq!(
            (socket.local.as_str(), socket.remote.as_str(), socket.state.as_str(), socket.inode),
            ("192.168.0.2:22", "192.168.0.1:54321", "01", 29_000)
        );
        let unix = b"0000000000000000: 00000002 00000000 00010000 0001 01 20135 /run/a b\xff";
        let socket = parse("unix", unix).unwrap();
        assert_eq!((socket.local.as_str(), socket.inode), ("/run/a b\\xff", 20_135));
        let unnamed = b"0000000000000000: 00000003 00000000 00000000 0001 03 17";
        assert_eq!(parse("unix", unnamed).unwrap().local, "");
        let packet = b"0000000000000000 3      3    0003   2     1 0      0      4711";
        assert_eq!(parse("packet", packet).unwrap().local, "interface 2, protocol 0003");
        assert_eq!(parse("tcp", b""), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_line(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for kind in TABLES {
                parse(kind, &bytes);
            }
        }
    }
}
