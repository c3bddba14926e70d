//! The room a rehearsal happens in: a copy of the host's file system in private namespaces. Built by process 1 of a new
//! process namespace, which keeps its rights to itself: what runs in the room cannot look into it (ptrace(2), "Ptrace
//! access mode checking"), and has no right to mount, load, boot, set clocks or make devices.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change, mount_remount, unmount,
};
use rustix::process::{chdir, pivot_root};

use super::mounts::{Kind, Mount, plan};
use crate::HostError;

/// Devices that hold nothing and reach nothing.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
/// Parts of `/proc` that act on the whole machine.
const READ_ONLY_PROC: [&str; 6] = ["sys", "sysrq-trigger", "irq", "bus", "fs", "acpi"];
/// Parts of `/proc` that show the machine's memory or keys.
const HIDDEN_PROC: [&str; 7] =
    ["kcore", "kmsg", "keys", "key-users", "timer_list", "sched_debug", "kallsyms"];
/// Why a rehearsal asks for no service to be started: the answer of policy-rc.d (invoke-rc.d(8)) that forbids it.
const NO_SERVICES: &str = "#!/bin/sh\nexit 101\n";

fn io(what: &str, path: &Path) -> impl FnOnce(rustix::io::Errno) -> HostError {
    HostError::system(format!("{what} {}", path.display()))
}

/// Builds the room over the empty directory `stage` and moves into it. Returns the paths that can be read and not
/// written there.
///
/// # Errors
/// When any part cannot be built: then nothing may run.
pub(super) fn enter(stage: &Path, bytes: u64) -> Result<Vec<String>, HostError> {
    let root = Path::new("/");
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change(root, private).map_err(io("make private", root))?;
    let info = crate::files::read_text(Path::new("/proc/self/mountinfo"), 16 * 1024 * 1024)?;
    let mounts = plan(&info).map_err(|detail| HostError::Malformed { what: "mounts".to_owned(), detail })?;
    let size = option(&format!("mode=0700,size={bytes}"))?;
    mount("tmpfs", stage, "tmpfs", MountFlags::NODEV | MountFlags::NOSUID, Some(size.as_c_str()))
        .map_err(io("mount", stage))?;
    let copy = stage.join("root");
    make_dir(&copy)?;
    let mut read_only = Vec::new();
    for (number, mount) in mounts.iter().enumerate() {
        // The stage is inside one of the host's own mounts and is not looked at again.
        if mount.path.starts_with(stage) {
            continue;
        }
        if !bring(mount, &copy, &stage.join(format!("layer{number}")))? {
            read_only.push(mount.path.display().to_string());
        }
    }
    own_trees(&copy)?;
    forbid_services(&copy)?;
    chdir(&copy).map_err(io("enter", &copy))?;
    pivot_root(".", ".").map_err(io("pivot into", &copy))?;
    unmount(".", UnmountFlags::DETACH).map_err(io("leave the host's root of", &copy))?;
    chdir("/").map_err(io("enter", Path::new("/")))?;
    Ok(read_only)
}

/// Brings one mount of the host into the copy; `false` when it can only be read there.
fn bring(host: &Mount, copy: &Path, layer: &Path) -> Result<bool, HostError> {
    let target = within(copy, &host.path);
    let is_dir = fs::metadata(&host.path).map(|metadata| metadata.is_dir()).unwrap_or(true);
    if host.path != Path::new("/") && fs::symlink_metadata(&target).is_err() {
        // Its mount point lies in a mount that the copy does not have.
        return Ok(false);
    }
    if host.kind == Kind::Fresh {
        return tmpfs(&target, "mode=1777").map(|()| true);
    }
    if host.kind == Kind::Overlay && is_dir && overlay(&host.path, &target, layer)? {
        return Ok(true);
    }
    if host.path == Path::new("/") {
        return Err(HostError::Malformed {
            what: "the root file system".to_owned(),
            detail: "cannot lie under an overlay".to_owned(),
        });
    }
    mount_bind(&host.path, &target).map_err(io("bind", &host.path))?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NODEV | MountFlags::NOSUID;
    mount_remount(&target, flags, "").map_err(io("make read-only", &target))?;
    Ok(false)
}

/// An overlay of `lower` at `target` whose writes go to `layer`; `false` where that file system does not allow it.
fn overlay(lower: &Path, target: &Path, layer: &Path) -> Result<bool, HostError> {
    let (upper, work) = (layer.join("up"), layer.join("wk"));
    for folder in [layer, &upper, &work] {
        make_dir(folder)?;
    }
    // The copy's top directory must have the rights of the host's.
    if let Ok(metadata) = fs::metadata(lower) {
        fs::set_permissions(&upper, metadata.permissions()).map_err(HostError::file("chmod", &upper))?;
    }
    let lower_text = lower.to_string_lossy();
    if lower_text.contains([':', ',', '\\']) {
        return Ok(false);
    }
    let data =
        option(&format!("lowerdir={lower_text},upperdir={},workdir={}", upper.display(), work.display()))?;
    // No devices: a device node left somewhere on the host opens nothing here.
    Ok(mount("overlay", target, "overlay", MountFlags::NODEV, Some(data.as_c_str())).is_ok())
}

/// `/proc`, `/sys`, `/dev`, `/run`: the copy's own.
fn own_trees(copy: &Path) -> Result<(), HostError> {
    let proc = copy.join("proc");
    let quiet = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", &proc, "proc", quiet, None).map_err(io("mount", &proc))?;
    for name in READ_ONLY_PROC {
        let path = proc.join(name);
        if path.exists() {
            mount_bind(&path, &path).map_err(io("bind", &path))?;
            mount_remount(&path, MountFlags::BIND | MountFlags::RDONLY | quiet, "")
                .map_err(io("make read-only", &path))?;
        }
    }
    let sys = copy.join("sys");
    mount("sysfs", &sys, "sysfs", quiet | MountFlags::RDONLY, None).map_err(io("mount", &sys))?;
    let dev = copy.join("dev");
    // Devices are bound one by one and keep working under `nodev` of the folder around them.
    mount(
        "tmpfs",
        &dev,
        "tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC,
        Some(c"mode=0755,size=1m"),
    )
    .map_err(io("mount", &dev))?;
    for name in DEVICES {
        let (host, own) = (Path::new("/dev").join(name), dev.join(name));
        fs::write(&own, "").map_err(HostError::file("create", &own))?;
        mount_bind(&host, &own).map_err(io("bind", &host))?;
    }
    for name in HIDDEN_PROC {
        let path = proc.join(name);
        if path.exists() {
            mount_bind(dev.join("null"), &path).map_err(io("hide", &path))?;
        }
    }
    for (link, to) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("ptmx", "pts/ptmx"),
    ] {
        let path = dev.join(link);
        symlink(to, &path).map_err(HostError::file("link", &path))?;
    }
    let pts = dev.join("pts");
    make_dir(&pts)?;
    let options = c"newinstance,ptmxmode=0666,mode=0620";
    mount("devpts", &pts, "devpts", MountFlags::NOSUID | MountFlags::NOEXEC, Some(options))
        .map_err(io("mount", &pts))?;
    let shm = dev.join("shm");
    make_dir(&shm)?;
    tmpfs(&shm, "mode=1777,size=64m")?;
    let run = copy.join("run");
    tmpfs(&run, "mode=0755,size=64m")?;
    make_dir(&run.join("lock"))
}

/// No service is started in the copy, whatever the host's own policy says.
fn forbid_services(copy: &Path) -> Result<(), HostError> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = copy.join("usr/sbin/policy-rc.d");
    // A link would lead out of the copy, as it is not the root yet.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(HostError::file("replace", &path)(error));
        }
        _ => {}
    }
    fs::write(&path, NO_SERVICES).map_err(HostError::file("write", &path))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(HostError::file("chmod", &path))
}

fn tmpfs(path: &Path, options: &str) -> Result<(), HostError> {
    let data = option(options)?;
    mount("tmpfs", path, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(data.as_c_str()))
        .map_err(io("mount", path))
}

fn within(copy: &Path, path: &Path) -> PathBuf {
    copy.join(path.strip_prefix("/").unwrap_or(path))
}

fn make_dir(path: &Path) -> Result<(), HostError> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(HostError::file("create", path)(error))
        }
        _ => Ok(()),
    }
}

fn option(text: &str) -> Result<CString, HostError> {
    CString::new(text).map_err(|_| HostError::Malformed {
        what: "a mount option".to_owned(),
        detail: "holds a zero byte".to_owned(),
    })
}
