//! Public vulnerability formats read into the words of the model.
//!
//! Every function here takes bytes and gives values: no I/O, no clock. Bytes come from outside, so each reader bounds
//! what it accepts, keeps what it can read and says what it could not, with record, field and value. A reader never
//! guesses: what cannot be read exactly is a [`Problem`], not a smaller result.

pub mod context;
pub mod cve5;
pub mod cyclonedx;
pub mod epss;
mod error;
mod json;
pub mod kev;
pub mod openvex;
pub mod osv;
pub mod percent;
mod problem;
pub mod purl;
mod text;
pub mod vers;
pub mod yaml;

pub use error::FormatError;
pub use problem::{MAX_LISTED_PROBLEMS, Problem, Problems};
