//! A disk that loses power at any chosen operation, as a virtual file system for SQLite.
//!
//! [`disk`] is the model, [`draw`] decides what a power cut leaves; both are safe code. [`ffi`] hands it to SQLite and holds the only unsafe code of the tests.

pub(crate) mod disk;
mod draw;
mod ffi;

pub(crate) use draw::Remains;
pub(crate) use ffi::Vfs;
