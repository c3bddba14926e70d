//! The program as its users meet it.
#![allow(clippy::unwrap_used, clippy::panic)]

mod context;
#[cfg(feature = "demo")]
mod demo;
mod explain;
mod feeds;
mod feeds_command;
mod foresight;
mod machine;
mod people;
mod policy;
mod scan;
mod store;
mod story;
mod unattended;
mod waves;
