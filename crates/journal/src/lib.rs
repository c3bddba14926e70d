//! The journal: an append-only, durable, totally ordered, hash-chained store of opaque event payloads, with a
//! content-addressed blob store beside it.
//!
//! The journal does not know event types: a payload is bytes. What it promises is in the contract of [`Journal`];
//! every implementation passes the one suite in [`contract`] (feature `testing`).
//!
//! - [`SqliteJournal`]: the default; one file, durable when an append returns.
//! - [`PostgresJournal`](postgres::PostgresJournal): for several nodes with one leader (feature `postgres`).
//! - [`MemoryJournal`]: for tests and simulations, with seeded faults.
//! - [`verify`]: re-computes the chain and every blob's address; [`export`](fn@export) and [`verify_export`] do the
//!   same with a text file and no database.

mod entry;
mod export;
mod journal;
mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
mod snapshot;
mod sqlite;
mod store;
mod verify;

#[cfg(feature = "testing")]
pub mod contract;

pub use entry::{Entry, Head, NewEntry, entry_hash, genesis_hash};
pub use export::{ExportError, Exported, MAX_EXPORT_LINE, export, verify_export};
pub use journal::{
    Acknowledged, Batch, ClientKey, ClientKeyError, Durability, Journal, JournalError, MAX_BLOB,
    MAX_GROUP_ENTRIES, MAX_PAGE_BYTES, MAX_PAGE_ENTRIES, MAX_PAYLOAD, Removal,
};
pub use memory::{Fault, MemoryJournal};
pub use snapshot::{Restored, Snapshot, restore};
pub use sqlite::SqliteJournal;
pub use store::{Store, StoreError};
pub use verify::{ChainError, EntryFault, VerifyReport, verify, verify_each};
