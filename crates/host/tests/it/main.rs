//! Against real Debian hosts, and hosts of RPM packages: what is looked at, rehearsed, changed and taken back; against package databases of other
//! systems: what is read of them.
#![allow(clippy::unwrap_used, clippy::panic)]

mod balanced;
mod change;
mod databases;
mod dnf;
mod hooks;
mod inventory;
mod limits;
mod network;
mod random;
mod rehearsal;
mod repack;
mod rpm_site;
mod shared_hosts;
mod site;
