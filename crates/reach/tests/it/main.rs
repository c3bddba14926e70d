//! Bounds against trying every combination, edits against starting over.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail as tests do")]

mod bounds;
mod edits;
mod lab;
