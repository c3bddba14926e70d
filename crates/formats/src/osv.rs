//! OSV records (OSV schema 1.7, <https://ossf.github.io/osv-schema/>), one at a time.

mod advisory;
mod order;
mod range;
mod record;

pub use advisory::{in_release, to_advisory};
pub use range::RangeEvent;
pub use record::{MAX_RECORD, OsvAffected, OsvRange, OsvRangeKind, OsvRecord, parse, subject_of_file};
