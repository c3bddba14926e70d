//! The core as a whole: commands in, events out, the same World again from the record.
#![allow(clippy::unwrap_used, clippy::panic)]

mod kernel;
mod lab;
mod stories;
