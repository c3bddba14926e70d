//! The program as its users meet it.
#![allow(clippy::unwrap_used, clippy::panic)]

#[cfg(feature = "demo")]
mod as_of;
mod asking;
mod assigning;
mod context;
mod controls;
#[cfg(feature = "demo")]
mod demo;
mod detections;
mod estate;
mod evidence;
mod exceptions;
mod explain;
mod feeds;
mod feeds_command;
mod foresight;
mod hooks;
mod interrupted;
mod late;
mod limits;
mod lost;
mod machine;
#[cfg(feature = "demo")]
mod measures;
mod member;
mod messages;
mod observing;
mod packages;
mod people;
#[cfg(feature = "demo")]
mod played;
mod policy;
#[cfg(feature = "demo")]
mod reach;
mod real;
mod redis;
#[cfg(feature = "demo")]
mod regulation;
mod replicated;
mod retire;
#[cfg(feature = "demo")]
mod risk;
mod scan;
mod store;
mod story;
mod strace;
#[cfg(feature = "demo")]
mod terminal;
mod thread;
mod tiers;
mod unattended;
#[cfg(feature = "demo")]
mod watch;
mod waves;
