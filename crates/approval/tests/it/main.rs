//! What people sign, and what counts as signed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod forged;
mod interop;
mod keys;
mod statements;
mod trees;
