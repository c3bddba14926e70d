//! CVSS v3.1 (FIRST, 2019), section 7 and appendix A: where it differs from v3.0.

use super::v3::{ONE_E20, Rules, power_e18};

pub(super) static RULES: Rules = Rules { round_up, modified_power };

/// Appendix A, `Roundup`: to the nearest 0.00001 first, then up to the next tenth.
fn round_up(value_e20: i128) -> i128 {
    const UNIT: i128 = ONE_E20 / 100_000;
    let rounded_e5 = (2 * value_e20 + UNIT) / (2 * UNIT);
    (rounded_e5 + 9_999) / 10_000
}

/// `(MISS x 0.9731 - 0.02)^13` (section 7.3), in 10^-18, from 10^-6.
fn modified_power(miss_e6: i128) -> i128 {
    power_e18((miss_e6 * 9_731 - 200_000_000) * 10_i128.pow(8), 13)
}
