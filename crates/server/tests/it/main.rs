//! The server from outside: who may do what, on both doors.
#![allow(clippy::unwrap_used, clippy::panic)]

mod access;
mod api;
mod context;
mod detections;
mod evidence;
mod feeding;
mod gateway;
mod guarded;
mod history;
mod hostile;
mod lists;
mod lived;
mod log;
mod messages;
mod operating;
mod past;
mod policy;
mod reach;
mod running;
mod sink;
mod snapshots;
mod store;
mod sweep;
mod vulnerabilities;
mod writer;
