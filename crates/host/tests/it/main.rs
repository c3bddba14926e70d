//! Against real Debian hosts: what is looked at, rehearsed, changed and taken back.
#![allow(clippy::unwrap_used, clippy::panic)]

mod change;
mod inventory;
mod rehearsal;
mod repack;
mod site;
