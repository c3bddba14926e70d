//! CVSS v3.0 (FIRST, 2015), section 8: where it differs from v3.1.

use super::v3::{ONE_E20, Rules, base_power};

pub(super) static RULES: Rules = Rules { round_up, modified_power: base_power };

/// "The smallest number, specified to one decimal place, that is equal to or higher than its input": of the exact
/// value, which binary floating point misses now and then.
fn round_up(value_e20: i128) -> i128 {
    const TENTH: i128 = ONE_E20 / 10;
    (value_e20 + TENTH - 1) / TENTH
}
