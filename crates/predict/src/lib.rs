//! Exploitation foreseen, and judged by what came.
//!
//! - [`History`] holds what became known, and [`KnownBy`] is the only way to read it: as of a day;
//! - [`Model`] makes a forecast of what was known, in whole numbers; [`train`] fits models, each to what had come out
//!   before its first day;
//! - [`evaluate`] and [`report`] judge orders against each other by [`Outcomes`]; [`backtest`] does so for policies.
//!
//! No I/O and no clock. Floating point stays in training and in measures; a forecast has none.

pub mod backtest;
mod cve;
mod day;
mod draw;
mod evaluate;
mod fit;
mod fixed;
mod history;
mod known;
mod measure;
mod model;
pub mod ordering;
mod outcomes;
pub mod report;
mod restate;
mod rule;
mod terms;
mod train;
mod walk;

pub use cve::{CveId, CveIdError};
pub use day::{Day, DayError, SpanError};
pub use evaluate::{Contender, Evaluation, Standing, Universe, evaluate, half_year};
pub use history::{Cve, Dated, Fact, History, HistoryBuilder, KnownBy, Points, Sighting, Snapshot};
pub use known::{Bound, Known};
pub use measure::{Bin, Calibration, Difference, HEADS, Head, Means, Placed, paired, place};
pub use model::{Driver, Forecast, MAX_MODEL, Model, ModelError, ModelFile, Seen};
pub use outcomes::{HORIZON, Outcomes};
pub use rule::larger_rank;
pub use terms::Term;
pub use train::{Correction, TrainError, Training, days, foresight, train};
pub use walk::{Today, Walk};
