//! What runs on a host: [`inventory`] looks, [`rehearse`] tries the real upgrade on a throw-away copy,
//! [`apply`] carries it out, verifies it and rolls it back when verification fails.
//!
//! The host's own tools do the work (apt and dpkg, or dnf and rpm; systemd); this crate decides, bounds and checks. Everything
//! they print is outside data: bounded, parsed, never trusted to be complete. What cannot be found out is
//! named as a gap or makes the outcome "not rehearsed"; it never reads as "fine".

// This crate is the shell: it reads the host's clock and waits for programs.
#![allow(clippy::disallowed_methods)]

mod apt;
mod believed;
mod change;
mod conffiles;
mod deb822;
mod dnf;
mod error;
mod evidence;
mod files;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod hooks;
mod index;
mod inventory;
pub mod limits;
mod manager;
mod owners;
mod packages;
mod rehearsal;
mod repack;
mod rules;
mod run;
mod source;
mod status;
mod system;
mod transaction;
mod units;

pub use change::{Ordered, apply, recover};
pub use error::HostError;
pub use evidence::{AskedFor, preserve};
pub use inventory::{inventory, inventory_of_files, machine, runs_replaced_files};
pub use owners::units_touched;
pub use packages::{PackageFile, RPM_QUERY_FORMAT};
pub use rehearsal::{child_main, rehearse};
pub use rules::Rules;
pub use run::now;
pub use system::System;
