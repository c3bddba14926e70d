//! Which packages take effect only with a reboot. On hosts of RPM packages none asks for it: the list is that of dnf's own
//! `needs-restarting --reboothint` (dnf-plugins-core 4.3), with the package that holds the kernel itself.

use std::path::Path;
use std::time::Duration;

use tenon_model::Transaction;

use super::fetch::installed_by;
use crate::files;
use crate::run::{command, run};

const QUICK: Duration = Duration::from_secs(20);
const WANTED_BY: [&str; 9] = [
    "kernel",
    "kernel-core",
    "kernel-rt",
    "glibc",
    "linux-firmware",
    "systemd",
    "dbus",
    "dbus-broker",
    "dbus-daemon",
];

/// Whether one of them comes with the transaction.
pub(crate) fn asks_for_reboot(transaction: &Transaction) -> bool {
    installed_by(transaction).any(|step| WANTED_BY.contains(&step.package))
}

/// Those that were installed since this host started.
pub(crate) fn reboot_required_by() -> Vec<String> {
    let stat = files::read_text(Path::new("/proc/stat"), 16 * 1024 * 1024).unwrap_or_default();
    let started = stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<u64>().ok());
    let Some(started) = started else { return Vec::new() };
    let mut query = command("rpm", ["--query", "--queryformat", r"%{INSTALLTIME}\t%{NAME}\n"]);
    // Names that are not installed make rpm fail, and the others are still told.
    let Ok(ran) = run(query.args(WANTED_BY), QUICK) else { return Vec::new() };
    let since = |line: &str| {
        let (installed, name) = line.split_once('\t')?;
        (installed.parse::<u64>().ok()? > started).then(|| name.to_owned())
    };
    let mut names: Vec<String> = ran.stdout.lines().filter_map(since).collect();
    names.sort_unstable();
    names.dedup();
    names
}
