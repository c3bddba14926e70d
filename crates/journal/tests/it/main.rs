//! Integration tests of the journal.

mod memory;
mod sqlite;
