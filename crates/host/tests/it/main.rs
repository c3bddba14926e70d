//! Against real Debian hosts: what is looked at, rehearsed, changed and taken back; against package databases of other
//! systems: what is read of them.
#![allow(clippy::unwrap_used, clippy::panic)]

mod balanced;
mod change;
mod databases;
mod hooks;
mod inventory;
mod limits;
mod network;
mod rehearsal;
mod repack;
mod shared_hosts;
mod site;
