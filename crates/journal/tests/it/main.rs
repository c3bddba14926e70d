//! Integration tests of the journal.
#![allow(clippy::unwrap_used, clippy::panic)]

mod durability;
mod memory;
mod postgres;
mod random;
mod sqlite;
mod vfs;
mod workload;
