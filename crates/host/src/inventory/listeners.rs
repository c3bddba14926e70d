//! Sockets that take traffic from others, and whose they are: the kernel's socket tables, and the open files of processes.
//!
//! Only the network namespace of this program is seen: what listens inside a container is on that container's network.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tenon_model::{Listener, Protocol, Unit};

use super::processes;

/// Most bytes read of one table. A line takes 150 to 180 bytes; connections are in it, too.
const MAX_TABLE: u64 = 512 * 1024 * 1024;
/// Most listening sockets kept of one table.
const MAX_SOCKETS: usize = 20_000;
/// Most open files looked at in one process: the kernel's default for `fs.nr_open`.
const MAX_FILES: usize = 1_048_576;
/// The kernel's tables (proc_net(5)).
const TABLES: [(&str, Protocol); 4] = [
    ("/proc/net/tcp", Protocol::Tcp),
    ("/proc/net/tcp6", Protocol::Tcp),
    ("/proc/net/udp", Protocol::Udp),
    ("/proc/net/udp6", Protocol::Udp),
];
/// `TCP_LISTEN` (net/tcp_states.h).
const LISTEN: &str = "0A";
/// `TCP_CLOSE`, the state of a UDP socket that is not connected to a peer.
const UNCONNECTED: &str = "07";

/// The process that holds a socket.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    pid: u32,
    /// Its executable, when it is a file of this system.
    pub(super) executable: Option<String>,
}

/// A listening socket.
#[derive(Debug, Clone)]
pub(super) struct Socket {
    protocol: Protocol,
    address: IpAddr,
    port: u16,
    inode: u64,
    /// Who holds it; `None` when that may not be looked at or the kernel itself does.
    pub(super) holder: Option<Holder>,
}

/// All listening sockets.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    pub(super) found: Vec<Socket>,
    /// Processes whose open files may not be looked at.
    pub(super) hidden: usize,
}

/// Reads the kernel's tables and looks for the holders. A table that cannot be read is told in `gaps`; without IPv6 there
/// are two less.
pub(super) fn listening(gaps: &mut Vec<String>) -> Sockets {
    let mut sockets = Sockets::default();
    for (path, protocol) in TABLES {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                gaps.push(format!("listening sockets of {path} are not known: {error}"));
                continue;
            }
        };
        let (found, whole) = read_table(BufReader::new(file.take(MAX_TABLE)), protocol, MAX_TABLE);
        sockets.found.extend(found);
        if !whole {
            gaps.push(format!("{path} was not read to its end: some listening sockets are not known"));
        }
    }
    hold(&mut sockets);
    sockets
}

/// The listening sockets of one table, and whether it was read to its end.
pub(super) fn read_table(table: impl BufRead, protocol: Protocol, limit: u64) -> (Vec<Socket>, bool) {
    let mut found = Vec::new();
    let mut read = 0;
    for line in table.split(b'\n') {
        let Ok(line) = line else { return (found, false) };
        read += line.len() as u64 + 1;
        if let Some(socket) = std::str::from_utf8(&line).ok().and_then(|line| parse(line, protocol)) {
            if found.len() == MAX_SOCKETS {
                return (found, false);
            }
            found.push(socket);
        }
    }
    (found, read < limit)
}

/// ```text
///   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
///    0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   113        0 23124 1 ...
/// ```
fn parse(line: &str, protocol: Protocol) -> Option<Socket> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (local, _remote, state) = (fields.next()?, fields.next()?, fields.next()?);
    let listens = match protocol {
        Protocol::Tcp => state == LISTEN,
        Protocol::Udp => state == UNCONNECTED,
    };
    if !listens {
        return None;
    }
    let inode = fields.nth(5)?.parse().ok()?;
    let (address, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(Socket { protocol, address: parse_address(address)?, port, inode, holder: None })
}

/// Words of 32 bits, each printed as the number that the bytes are on this machine.
pub(crate) fn parse_address(hex: &str) -> Option<IpAddr> {
    if !hex.is_ascii() {
        return None;
    }
    let word = |at: usize| {
        let digits = hex.get(at * 8..at * 8 + 8)?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
    };
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (at, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(at)?);
            }
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

/// Finds the processes that hold the sockets. Of several, as of a server and its workers, the oldest one counts; systemd,
/// which keeps the sockets that it hands on, counts last.
fn hold(sockets: &mut Sockets) {
    let mut holders: HashMap<u64, Option<u32>> =
        sockets.found.iter().map(|socket| (socket.inode, None)).collect();
    if holders.is_empty() {
        return;
    }
    for pid in processes::process_ids() {
        let files = match fs::read_dir(format!("/proc/{pid}/fd")) {
            Ok(files) => files,
            Err(error) => {
                sockets.hidden += usize::from(error.kind() == std::io::ErrorKind::PermissionDenied);
                continue;
            }
        };
        for file in files.filter_map(Result::ok).take(MAX_FILES) {
            let Ok(target) = fs::read_link(file.path()) else { continue };
            if let Some(inode) = target.to_str().and_then(socket_inode)
                && let Some(holder) = holders.get_mut(&inode)
            {
                *holder = Some(holder.map_or(pid, |other| rank(pid).min(rank(other)).1));
            }
        }
    }
    // A server of many addresses is asked once.
    let mut executables: HashMap<u32, Option<String>> = HashMap::new();
    for socket in &mut sockets.found {
        if let Some(Some(pid)) = holders.get(&socket.inode) {
            let executable = executables.entry(*pid).or_insert_with(|| executable(*pid)).clone();
            socket.holder = Some(Holder { pid: *pid, executable });
        }
    }
}

fn rank(pid: u32) -> (bool, u32) {
    (pid == 1, pid)
}

/// `socket:[23124]`.
pub(crate) fn socket_inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn executable(pid: u32) -> Option<String> {
    if !processes::shares_root(pid) {
        return None;
    }
    let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?.to_string_lossy().into_owned();
    Some(processes::replaced(&path).map(str::to_owned).unwrap_or(path))
}

/// The sockets with the packages that own the executables.
pub(super) fn owned(sockets: Vec<Socket>, owners: &BTreeMap<String, String>) -> Vec<Listener> {
    let mut names: HashMap<u32, (String, Option<Unit>)> = HashMap::new();
    let listener = |socket: Socket| {
        let named = socket.holder.as_ref().map(|holder| {
            let named = || (processes::command_name(holder.pid), processes::unit(holder.pid));
            names.entry(holder.pid).or_insert_with(named).clone()
        });
        let (process, unit) = named.map_or((None, None), |(process, unit)| (Some(process), unit));
        let executable = socket.holder.and_then(|holder| holder.executable);
        Listener {
            protocol: socket.protocol,
            address: socket.address,
            port: socket.port,
            // One that has ended since has no name any more.
            process: process.filter(|name| !name.is_empty()),
            unit,
            package: executable.and_then(|path| owners.get(&path).cloned()),
        }
    };
    let mut listeners: Vec<Listener> = sockets.into_iter().map(listener).collect();
    listeners.sort_unstable();
    // Several sockets of one server on one port share the load (SO_REUSEPORT).
    listeners.dedup();
    listeners
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As a little-endian machine prints it.
    #[cfg(target_endian = "little")]
    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   113        0 23124 1 0000000000000000 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 18000 1 0000000000000000 100 0 0 10 0
   2: 0200A8C0:0016 0100A8C0:D431 01 00000000:00000000 02:0000A0E0 00000000     0        0 29000 2 0000000000000000 20 4 1 10 -1
   3: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 7 1
";

    #[cfg(target_endian = "little")]
    #[test]
    fn only_listening_sockets_are_read() {
        let (found, whole) = read_table(TABLE.as_bytes(), Protocol::Tcp, MAX_TABLE);
        let found: Vec<_> = found.iter().map(|s| (s.address.to_string(), s.port, s.inode)).collect();
        let wanted = [("127.0.0.1", 5432, 23124), ("0.0.0.0", 22, 18000), ("::1", 80, 7)];
        assert_eq!(found, wanted.map(|(address, port, inode)| (address.to_owned(), port, inode)));
        assert!(whole);
        let cut = read_table(TABLE.as_bytes().take(200), Protocol::Tcp, 200);
        assert!(!cut.1);
    }

    #[test]
    fn a_worker_counts_before_systemd_and_after_its_server() {
        assert_eq!(rank(1).min(rank(700)).1, 700);
        assert_eq!(rank(900).min(rank(700)).1, 700);
        assert_eq!(socket_inode("socket:[23124]"), Some(23124));
        assert_eq!(socket_inode("anon_inode:[eventpoll]"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_table(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            read_table(bytes.as_slice(), Protocol::Tcp, MAX_TABLE);
        }

        #[test]
        fn any_fields_are_a_line(line in "[ 0-9A-F:é]{0,120}") {
            parse(&line, Protocol::Udp);
            parse(&format!("0: {line}:0016 0:0 07 0:0 0:0 0 0 0 5"), Protocol::Udp);
        }
    }
}
