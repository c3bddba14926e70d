//! Foresight that does not look ahead, and measures that say what they claim.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail as tests do")]

mod as_of;
mod backtest;
mod measures;
mod model;
mod ordering;
mod training;
mod world;
