//! What runs, and which files that has mapped.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;

use tenon_model::{EvidenceMaps, EvidencePart, EvidenceProcess};

use super::budget::{Gaps, escaped, fitting};
use crate::inventory::processes::process_ids;

/// Bytes of the list of processes, as it is encoded. A plain one takes about 300.
const PROCESSES: usize = 1 << 20;
/// Bytes of the lists of mapped files.
const MAPS: usize = 640 << 10;
/// Most bytes of the arguments of one process that are kept.
const MAX_ARGUMENTS: u64 = 4_096;
/// Most bytes read of the maps of one process: 65,530 mappings, the kernel's default limit, are about 8 MB.
const MAX_MAPS: u64 = 8 << 20;
const MAX_SMALL: u64 = 16 << 10;
/// Most names of mapped files that are kept of one process.
const MAX_FILES: usize = 500;
const DELETED: &[u8] = b" (deleted)";

/// At most so many bytes of a file of the kernel's; `None` where the process has gone, or nobody may look.
fn start_of(pid: u32, name: &str, most: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(format!("/proc/{pid}/{name}")).ok()?.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// What runs. Of processes that are alike the first comes first, so that many of one kind push nothing else out.
pub(super) fn processes(gaps: &mut Gaps) -> Vec<EvidenceProcess> {
    let part = EvidencePart::Processes;
    let (mut found, mut cut, mut hidden, mut unread) = (Vec::new(), 0, 0, 0);
    for pid in process_ids() {
        if gaps.is_late() {
            unread += 1;
            continue;
        }
        let Some(stat) = start_of(pid, "stat", MAX_SMALL) else { continue };
        let Some((ppid, started)) = parse_stat(&stat) else {
            hidden += 1;
            continue;
        };
        let status = start_of(pid, "status", MAX_SMALL).unwrap_or_default();
        let arguments = start_of(pid, "cmdline", MAX_ARGUMENTS + 1).unwrap_or_default();
        cut += usize::from(arguments.len() as u64 > MAX_ARGUMENTS);
        let kept = usize::try_from(MAX_ARGUMENTS).unwrap_or(usize::MAX).min(arguments.len());
        found.push(EvidenceProcess {
            pid,
            ppid,
            uid: uid(&status).unwrap_or(u32::MAX),
            started,
            exe: fs::read_link(format!("/proc/{pid}/exe"))
                .ok()
                .map(|exe| escaped(exe.as_os_str().as_bytes())),
            cmdline: words(&arguments[..kept]),
            cgroup: escaped(group(&start_of(pid, "cgroup", MAX_SMALL).unwrap_or_default())),
        });
    }
    let mut alike: HashMap<(Option<String>, Vec<String>, u32), usize> = HashMap::new();
    let mut placed: Vec<(usize, EvidenceProcess)> = found
        .into_iter()
        .map(|process| {
            let key = (process.exe.clone(), process.cmdline.clone(), process.uid);
            let count = alike.entry(key).or_default();
            *count += 1;
            (*count, process)
        })
        .collect();
    placed.sort_by_key(|(count, process)| (*count, process.pid));
    let (mut kept, out) = fitting(placed.into_iter().map(|(_, process)| process), PROCESSES);
    kept.sort_by_key(|process| process.pid);
    gaps.count(
        part,
        cut,
        &format!("processes have more than {MAX_ARGUMENTS} bytes of arguments: the rest is cut"),
    );
    gaps.count(part, hidden, "processes do not read as the kernel writes them");
    gaps.count(part, out, "processes are left out: there are more than fit");
    gaps.count(part, unread, "processes were not read before time was over");
    if kept.is_empty() {
        gaps.add(part, "no process could be read");
    }
    kept
}

/// What processes have mapped, those first that have mapped what is gone from the disk.
pub(super) fn maps(gaps: &mut Gaps) -> Vec<EvidenceMaps> {
    let part = EvidencePart::Maps;
    let (mut found, mut cut, mut hidden, mut unread) = (Vec::new(), 0, 0, 0);
    for pid in process_ids() {
        if gaps.is_late() {
            unread += 1;
            continue;
        }
        let Some(text) = start_of(pid, "maps", MAX_MAPS) else {
            // Gone since, or nobody may look: only the latter is still there.
            hidden += usize::from(fs::metadata(format!("/proc/{pid}")).is_ok());
            continue;
        };
        let names: BTreeSet<&[u8]> = text.split(|byte| *byte == b'\n').filter_map(mapped_file).collect();
        let (deleted, files): (Vec<&[u8]>, Vec<&[u8]>) =
            names.into_iter().partition(|name| name.ends_with(DELETED));
        let more = deleted.len().saturating_sub(MAX_FILES) + files.len().saturating_sub(MAX_FILES);
        cut += usize::from(more > 0 || text.len() as u64 == MAX_MAPS);
        let told = |names: Vec<&[u8]>| names.into_iter().take(MAX_FILES).map(escaped).collect::<Vec<_>>();
        if !deleted.is_empty() || !files.is_empty() {
            found.push(EvidenceMaps { pid, deleted: told(deleted), files: told(files) });
        }
    }
    found.sort_by_key(|maps| (maps.deleted.is_empty(), maps.pid));
    let (mut kept, out) = fitting(found, MAPS);
    kept.sort_by_key(|maps| maps.pid);
    gaps.count(part, cut, &format!("processes have mapped more than {MAX_FILES} files: the rest is cut"));
    gaps.count(part, hidden, "processes may not be looked at");
    gaps.count(part, out, "processes are left out: they have mapped more than fits");
    gaps.count(part, unread, "processes were not read before time was over");
    kept
}

/// Parent and start of `/proc/PID/stat`: `42 (a name) S 1 42 ...`. The name may hold anything, a bracket too.
fn parse_stat(stat: &[u8]) -> Option<(u32, u64)> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Fields 4 and 22 of proc_pid_stat(5).
    Some((fields.get(1)?.parse().ok()?, fields.get(19)?.parse().ok()?))
}

/// The real user id of `/proc/PID/status`.
fn uid(status: &[u8]) -> Option<u32> {
    let line = status.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"Uid:"))?;
    std::str::from_utf8(line).ok()?.split_ascii_whitespace().next()?.parse().ok()
}

/// The arguments of a process, each ended by a zero byte.
fn words(arguments: &[u8]) -> Vec<String> {
    let arguments = arguments.strip_suffix(b"\0").unwrap_or(arguments);
    if arguments.is_empty() {
        return Vec::new();
    }
    arguments.split(|byte| *byte == 0).map(escaped).collect()
}

/// The control group of the service manager among those that a process is in.
fn group(text: &[u8]) -> &[u8] {
    let mut lines = text.split(|byte| *byte == b'\n');
    let unified = lines.clone().find_map(|line| line.strip_prefix(b"0::"));
    unified.or_else(|| lines.next()).unwrap_or_default()
}

/// The file of a line of `/proc/PID/maps`; `None` where it is none.
fn mapped_file(line: &[u8]) -> Option<&[u8]> {
    let mut rest = line;
    let mut inode: &[u8] = b"";
    // Range, permissions, offset, device, inode: then the name, which may hold blanks.
    for _ in 0..5 {
        rest = rest.trim_ascii_start();
        let end = rest.iter().position(|byte| *byte == b' ')?;
        (inode, rest) = rest.split_at(end);
    }
    let name = rest.trim_ascii_start();
    (inode != b"0" && name.starts_with(b"/")).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_kernels_lines_are_read_whatever_a_process_is_called() {
        let rest = "S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 1 2";
        assert_eq!(parse_stat(format!("42 (nginx) {rest}").as_bytes()), Some((1, 12_345)));
        assert_eq!(parse_stat(format!("42 (a) R 7 (\n) {rest}").as_bytes()), Some((1, 12_345)));
        assert_eq!(parse_stat(b"42 (nginx) S 1"), None);
        assert_eq!(parse_stat(b""), None);
        assert_eq!(uid(b"Name:\tx\nUid:\t33\t0\t33\t33\n"), Some(33));
        assert_eq!(words(b"/usr/bin/x\0-\xff\0\0"), ["/usr/bin/x", "-\\xff", ""]);
        assert_eq!(words(b""), [] as [&str; 0]);
        assert_eq!(group(b"1:name=systemd:/a\n0::/system.slice/x.service\n"), b"/system.slice/x.service");
        let line = b"7f00-7f01 r-xp 00002000 fe:00 1234      /tmp/a b (deleted)";
        assert_eq!(mapped_file(line), Some(&b"/tmp/a b (deleted)"[..]));
        assert_eq!(mapped_file(b"7f00-7f01 rw-p 00000000 00:00 0      [heap]"), None);
        assert_eq!(mapped_file(b"7f00-7f01 rw-p 00000000 00:00 0 "), None);
        assert_eq!(
            mapped_file(b"7f00-7f01 rw-s 0 00:01 7 /memfd:x (deleted)"),
            Some(&b"/memfd:x (deleted)"[..])
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            parse_stat(&bytes);
            uid(&bytes);
            words(&bytes);
            group(&bytes);
            mapped_file(&bytes);
        }
    }
}
