//! The program as its users meet it.
#![allow(clippy::unwrap_used, clippy::panic)]

mod context;
mod explain;
mod feeds;
mod feeds_command;
mod foresight;
mod machine;
mod people;
mod scan;
mod store;
mod story;
mod waves;
