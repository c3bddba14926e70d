//! The core as a whole: commands in, events out, the same World again from the record.
#![allow(clippy::unwrap_used, clippy::panic)]

mod ahead;
mod approach;
mod context;
mod controls;
mod deltas;
mod detections;
mod evidence;
mod exceptions;
mod generator;
mod kernel;
mod lab;
mod life;
mod measures;
mod nearby;
mod old_journals;
mod policies;
mod priority;
mod properties;
mod queue;
mod rollouts;
mod signatures;
mod stories;
mod terrain;
mod trend;
mod watch;
