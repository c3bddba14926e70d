//! Integration tests of the journal.
#![allow(clippy::unwrap_used, clippy::panic)]

mod durability;
mod memory;
mod sqlite;
mod vfs;
