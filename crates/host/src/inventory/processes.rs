//! Processes that still run files which have been replaced on the disk, and which files processes run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tenon_model::{StaleProcess, Unit};

use crate::files;

/// Largest memory map read. A process with 65,530 mappings, the kernel's default limit, writes about 8 MB.
const MAX_MAPS: u64 = 32 * 1024 * 1024;
const MAX_CGROUP: u64 = 64 * 1024;
/// Most processes looked at: the kernel's own limit.
const MAX_PROCESSES: usize = 4_194_304;
const DELETED: &str = " (deleted)";

/// What a look at all processes found.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Processes with at least one replaced executable file.
    pub(crate) stale: Vec<StaleProcess>,
    /// Processes that may not be looked at.
    pub(crate) hidden: usize,
}

/// A process and the executable files it maps.
pub(crate) struct Process {
    /// Its id.
    pub(crate) pid: u32,
    /// Executable mappings as the kernel prints them: replaced ones end in ` (deleted)`.
    pub(crate) mapped: BTreeSet<String>,
}

/// Looks for processes that run replaced files, among those with the same root directory as this one: a
/// container's files are its own affair. Whose files they are is left to the caller.
pub(crate) fn stale() -> Look {
    let mut look = Look::default();
    for pid in process_ids() {
        match mapped(pid) {
            Mapped::Gone => {}
            Mapped::Hidden => look.hidden += 1,
            Mapped::Files(files) => {
                if let Some(file) = files.iter().find_map(|file| replaced(file)) {
                    look.stale.push(StaleProcess {
                        pid,
                        command: command_name(pid),
                        unit: unit(pid),
                        file: file.to_owned(),
                        package: None,
                    });
                }
            }
        }
    }
    look
}

/// Whether this process runs a file that was replaced since it was started: its own program, or a library.
pub fn runs_replaced_files() -> bool {
    matches!(mapped(std::process::id()), Mapped::Files(files) if files.iter().any(|file| replaced(file).is_some()))
}

/// Notes the packages that own the replaced files now.
pub(crate) fn name_packages(stale: &mut [StaleProcess], owners: &BTreeMap<String, String>) {
    for process in stale.iter_mut() {
        process.package = owners.get(&process.file).cloned();
    }
    stale.sort_unstable();
}

/// Every process that can be looked at, with what it maps.
pub(crate) fn running() -> Vec<Process> {
    process_ids()
        .filter_map(|pid| match mapped(pid) {
            Mapped::Files(mapped) => Some(Process { pid, mapped }),
            Mapped::Gone | Mapped::Hidden => None,
        })
        .collect()
}

/// The path of a replaced file, without the kernel's mark.
pub(crate) fn replaced(mapping: &str) -> Option<&str> {
    mapping.strip_suffix(DELETED)
}

pub(crate) fn process_ids() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .take(MAX_PROCESSES)
}

enum Mapped {
    /// It has ended, or is a kernel thread or of another root.
    Gone,
    Hidden,
    Files(BTreeSet<String>),
}

fn mapped(pid: u32) -> Mapped {
    let dir = format!("/proc/{pid}");
    let text = match files::read_text(Path::new(&format!("{dir}/maps")), MAX_MAPS) {
        Ok(text) => text,
        Err(crate::HostError::File { source, .. })
            if source.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            return Mapped::Hidden;
        }
        Err(_) => return Mapped::Gone,
    };
    if !shares_root(pid) {
        return Mapped::Gone;
    }
    let mut files: BTreeSet<String> = text.lines().filter_map(executable_mapping).collect();
    if let Ok(executable) = fs::read_link(format!("{dir}/exe")) {
        let executable = executable.to_string_lossy().into_owned();
        if is_disk_file(&executable) {
            files.insert(executable);
        }
    }
    Mapped::Files(files)
}

/// Whether a process has the same root directory as this one; taken for granted where it may not be looked at.
pub(crate) fn shares_root(pid: u32) -> bool {
    let root = |path: &str| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).ok();
    match (root("/proc/self/root/"), root(&format!("/proc/{pid}/root/"))) {
        (Some(own), Some(other)) => own == other,
        _ => true,
    }
}

/// `55d0c8a00000-55d0c8a1e000 r-xp 00002000 fe:00 1234   /usr/sbin/nginx (deleted)`.
fn executable_mapping(line: &str) -> Option<String> {
    let mut rest = line;
    let mut field = || {
        let trimmed = rest.trim_start();
        let (field, after) = trimmed.split_once(' ').unwrap_or((trimmed, ""));
        rest = after;
        field
    };
    let (_range, permissions, _offset, _device, inode) = (field(), field(), field(), field(), field());
    let path = rest.trim_start();
    (permissions.contains('x') && inode != "0" && is_disk_file(path)).then(|| path.to_owned())
}

/// Shared memory and anonymous files look like replaced files and are none.
fn is_disk_file(path: &str) -> bool {
    path.starts_with('/')
        && !["/memfd:", "/dev/", "/SYSV", "/[", "/anon_hugepage"]
            .iter()
            .any(|prefix| path.starts_with(prefix))
}

pub(crate) fn command_name(pid: u32) -> String {
    let name = files::read_text(Path::new(&format!("/proc/{pid}/comm")), MAX_CGROUP).unwrap_or_default();
    name.trim().chars().filter(|c| !c.is_control()).take(64).collect()
}

/// The unit a process belongs to, by its control group.
pub(crate) fn unit(pid: u32) -> Option<Unit> {
    let text = files::read_text(Path::new(&format!("/proc/{pid}/cgroup")), MAX_CGROUP).ok()?;
    unit_of_cgroup(&text)
}

/// The outermost service or scope: `user@1000.service` owns what runs below it, as far as the system manager goes.
fn unit_of_cgroup(text: &str) -> Option<Unit> {
    // Where both versions of control groups are mounted, the service manager uses one of them.
    let paths = text
        .lines()
        .filter_map(|line| line.strip_prefix("0::").or_else(|| line.split(":name=systemd:").nth(1)));
    paths
        .flat_map(|path| path.split('/'))
        .find(|part| part.ends_with(".service") || part.ends_with(".scope"))
        .map(|part| Unit(part.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_executable_disk_files_count() {
        let line = |permissions: &str, inode: &str, path: &str| {
            format!(
                "55d0c8a00000-55d0c8a1e000 {permissions} 00002000 fe:00 {inode}                    {path}"
            )
        };
        assert_eq!(
            executable_mapping(&line("r-xp", "12", "/usr/sbin/nginx (deleted)")).as_deref(),
            Some("/usr/sbin/nginx (deleted)")
        );
        assert_eq!(executable_mapping(&line("rw-p", "12", "/usr/sbin/nginx (deleted)")), None);
        assert_eq!(executable_mapping(&line("rwxs", "12", "/dev/zero (deleted)")), None);
        assert_eq!(executable_mapping(&line("r-xp", "0", "/x (deleted)")), None);
        assert_eq!(executable_mapping(&line("r-xp", "9", "/memfd:jit (deleted)")), None);
        assert_eq!(
            executable_mapping(&line("r-xp", "12", "/opt/with a blank")).as_deref(),
            Some("/opt/with a blank")
        );
        assert_eq!(executable_mapping(""), None);
        assert_eq!(replaced("/a"), None);
    }

    #[test]
    fn the_control_group_names_the_unit() {
        let unit = |text| unit_of_cgroup(text).map(|unit| unit.0);
        assert_eq!(unit("0::/system.slice/nginx.service\n").as_deref(), Some("nginx.service"));
        assert_eq!(
            unit("12:cpu:/\n1:name=systemd:/system.slice/system-postgresql.slice/postgresql@15-main.service\n0::/x\n")
                .as_deref(),
            Some("postgresql@15-main.service")
        );
        assert_eq!(
            unit("0::/user.slice/user-0.slice/user@0.service/app.slice/a.service").as_deref(),
            Some("user@0.service")
        );
        let both = "1:name=systemd:/\n0::/system.slice/nginx.service\n";
        assert_eq!(unit(both).as_deref(), Some("nginx.service"));
        assert_eq!(unit("0::/\n"), None);
    }
}
