//! Which mounts of the host a copy needs, from `/proc/self/mountinfo` (proc_pid_mountinfo(5)). Pure.

use std::path::{Path, PathBuf};

/// How one mount of the host appears in the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Readable, writes go to the copy.
    Overlay,
    /// Readable, writes are refused: a single file, or a file system that cannot lie under an overlay.
    ReadOnly,
    /// Empty and the copy's own.
    Fresh,
}

/// One mount of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Where it is on the host.
    pub(crate) path: PathBuf,
    /// How it appears in the copy.
    pub(crate) kind: Kind,
}

/// File systems that show the kernel or hardware, or other hosts' files. None of them is part of a copy, except those
/// made anew (`/proc`, `/sys`, `/dev`).
const KERNEL: [&str; 24] = [
    "proc",
    "sysfs",
    "devtmpfs",
    "devpts",
    "cgroup",
    "cgroup2",
    "securityfs",
    "debugfs",
    "tracefs",
    "pstore",
    "bpf",
    "configfs",
    "hugetlbfs",
    "mqueue",
    "efivarfs",
    "autofs",
    "binfmt_misc",
    "fusectl",
    "nsfs",
    "rpc_pipefs",
    "ramfs",
    "selinuxfs",
    "smackfs",
    "nfsd",
];

/// Trees that the copy has of its own: nothing of the host's is seen there.
pub(crate) const OWN: [&str; 4] = ["/proc", "/sys", "/dev", "/run"];

/// File systems on other machines, or behind other programs: reading them may hang, so they are shown as they are and
/// never written.
fn is_remote(kind: &str) -> bool {
    matches!(kind, "nfs" | "nfs4" | "cifs" | "smb3" | "9p" | "ceph" | "glusterfs" | "afs")
        || kind.starts_with("fuse")
}

/// Reads the mounts, the root first and parents before children. Where several lie on one path the last one counts: it
/// hides the others.
///
/// # Errors
/// For people: a line that cannot be read. A mount that is not seen would not be protected.
pub(crate) fn plan(mountinfo: &str) -> Result<Vec<Mount>, String> {
    let mut mounts: Vec<Mount> = Vec::new();
    for line in mountinfo.lines() {
        let unread = || format!("cannot read the mount {:?}", line.chars().take(200).collect::<String>());
        let (fields, rest) = line.split_once(" - ").ok_or_else(unread)?;
        let path = unescape(fields.split(' ').nth(4).ok_or_else(unread)?).ok_or_else(unread)?;
        let kind = rest.split(' ').next().ok_or_else(unread)?;
        if KERNEL.contains(&kind) || OWN.iter().any(|own| path.starts_with(own)) {
            continue;
        }
        let kind = match kind {
            "tmpfs" if path == Path::new("/tmp") || path == Path::new("/var/tmp") => Kind::Fresh,
            kind if is_remote(kind) => Kind::ReadOnly,
            _ => Kind::Overlay,
        };
        mounts.retain(|mount| mount.path != path);
        mounts.push(Mount { path, kind });
    }
    mounts.sort_by(|a, b| {
        a.path.components().count().cmp(&b.path.components().count()).then(a.path.cmp(&b.path))
    });
    if mounts.first().map(|mount| mount.path.as_path()) != Some(Path::new("/")) {
        return Err("the root file system is not among the mounts".to_owned());
    }
    Ok(mounts)
}

/// Blank, tab, newline and backslash are written as three octal digits.
fn unescape(text: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'\\' {
            let digits = std::str::from_utf8(after.get(..3)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 8).ok()?);
            rest = after.get(3..)?;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    let path = PathBuf::from(std::ffi::OsString::from_vec(bytes));
    path.is_absolute().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mount_of_files_is_covered_and_none_of_the_kernel() {
        let info = "\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:20 / /proc rw - proc proc rw
24 22 0:21 / /sys rw - sysfs sysfs rw
25 24 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw
26 22 0:23 / /dev rw - devtmpfs dev rw
27 22 0:24 / /run rw - tmpfs tmpfs rw
28 22 8:1 / /var/lib rw - xfs /dev/sdb rw
29 28 8:2 / /var/lib/my\\040data rw - ext4 /dev/sdc rw
30 22 0:30 / /srv/share rw - nfs4 server:/x rw
31 22 0:31 / /tmp rw - tmpfs tmpfs rw
32 22 8:3 / /boot rw - ext4 /dev/sdd rw
33 22 8:4 / /boot ro - vfat /dev/sde rw
34 22 0:40 / /mnt rw shared:1 master:2 - fuse.sshfs me@host rw
";
        let mounts = plan(info).unwrap();
        let seen: Vec<(&str, Kind)> =
            mounts.iter().map(|mount| (mount.path.to_str().unwrap(), mount.kind)).collect();
        assert_eq!(
            seen,
            [
                ("/", Kind::Overlay),
                ("/boot", Kind::Overlay),
                ("/mnt", Kind::ReadOnly),
                ("/tmp", Kind::Fresh),
                ("/srv/share", Kind::ReadOnly),
                ("/var/lib", Kind::Overlay),
                ("/var/lib/my data", Kind::Overlay),
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for info in [
            "",
            "garbage",
            "1 2 3:4 / /x rw - ext4 a rw",
            "1 2 3:4 / / rw ext4",
            "1 2 3:4 / /\\9 rw - ext4 a rw",
        ] {
            assert!(plan(info).is_err(), "{info:?}");
        }
    }
}
