//! Feeds into a store: from a folder, from a web server that misbehaves, from a bundle.
#![allow(clippy::unwrap_used, clippy::panic)]

mod bundle;
mod foresight;
mod history;
mod history_public;
mod hostile;
mod increments;
mod mirror;
mod order;
mod public;
mod resume;
mod server;
mod sync;
