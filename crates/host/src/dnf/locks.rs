//! Who is at work on the packages now.

use std::path::Path;

use rustix::process::{Flock, FlockType, fcntl_getlk};

use crate::packages::rpm::database;
use crate::{HostError, System, files};

/// Where dnf writes the number of the process that changes packages.
const DNF: &str = "/var/lib/dnf/rpmdb_lock.pid";
/// Largest such file.
const SMALL: u64 = 4 * 1024;

/// The program that changes packages, for people; `None` when none does.
pub(crate) fn busy() -> Result<Option<String>, HostError> {
    let of_dnf = files::read_text_if_any(Path::new(DNF), SMALL)?;
    if let Some(name) = of_dnf.and_then(|text| text.trim().parse().ok()).and_then(name) {
        return Ok(Some(name));
    }
    let Some(folder) = database(&System::live()) else { return Ok(None) };
    let path = folder.join(".rpm.lock");
    // Where nobody has ever changed a package there is none.
    let Ok(file) = std::fs::File::open(&path) else { return Ok(None) };
    // Looked at and not taken. A lock of another process namespace names nobody.
    let held = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock))
        .map_err(HostError::system(format!("look at the lock {}", path.display())))?;
    Ok(held.map(|lock| {
        let pid = lock.pid.map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
        pid.and_then(name).unwrap_or_else(|| format!("it holds {}", path.display()))
    }))
}

/// `dnf (process 42)`; `None` when it is gone and only its file is left.
fn name(pid: u32) -> Option<String> {
    let command = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(format!("{} (process {pid})", command.trim()))
}
