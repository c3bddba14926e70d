//! The last step before a program runs in the room: rights are given up for good.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

/// What package scripts need on ordinary files: owners, modes, users, file capabilities (`ping`), killing their own.
/// Everything else is gone, above all SYS_ADMIN, SYS_MODULE, SYS_RAWIO, MKNOD, SYS_BOOT, SYS_TIME, and DAC_READ_SEARCH,
/// which would open host files by their handle (open_by_handle_at(2)).
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::AUDIT_WRITE)
    .union(CapabilitySet::SETFCAP);
/// Numbers of capabilities that may exist: 41 are named in Linux 6.x, the kernel refuses those it does not know.
const NUMBERS: u32 = 64;

/// Gives up every right but those of [`KEPT`] and becomes the program. Returns only when that fails.
pub(super) fn become_confined(words: &[String]) -> String {
    let Some((program, arguments)) = words.split_first() else { return "no program is named".to_owned() };
    if let Err(error) = give_up() {
        return format!("rights cannot be given up: {error}");
    }
    // Polite to the services that go on working meanwhile; being refused changes nothing about safety.
    let _priority = rustix::process::nice(10);
    format!("{program}: {}", Command::new(program).args(arguments).exec())
}

fn give_up() -> rustix::io::Result<()> {
    for number in 0..NUMBERS {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        if KEPT.contains(capability) {
            continue;
        }
        match remove_capability_from_bounding_set(capability) {
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            Err(error) => return Err(error),
        }
    }
    clear_ambient_capability_set()?;
    set_no_new_privs(true)?;
    let kept = capabilities(None)?.permitted & KEPT;
    set_capabilities(
        None,
        CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() },
    )
}
