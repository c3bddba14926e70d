//! Logarithm and logistic function in whole numbers: the same forecast on every machine, and in a core without floats.

use std::sync::LazyLock;

/// One, in the unit of this module: millionths.
pub(crate) const ONE: i64 = 1_000_000;
/// ln 2 in units of 10^-12.
const LN2_E12: i128 = 693_147_180_560;
const E12: i128 = 1_000_000_000_000;

/// Logarithms of the middles of 256 parts of the interval from one to two, in units of 10^-12.
static MIDDLES: LazyLock<[i64; 256]> = LazyLock::new(|| {
    let mut middles = [0; 256];
    for (part, middle) in (0_u128..).zip(&mut middles) {
        // Squaring a number of the interval yields one more binary digit of its logarithm a time.
        let mut mantissa = (512 + 2 * part + 1) << (62 - 9);
        let mut binary: i128 = 0;
        for _ in 0..48 {
            mantissa = (mantissa * mantissa) >> 62;
            binary <<= 1;
            if mantissa >= 1 << 63 {
                mantissa >>= 1;
                binary |= 1;
            }
        }
        *middle = i64::try_from((binary * LN2_E12) >> 48).unwrap_or(0);
    }
    middles
});

/// Natural logarithm of `number` (zero counts as one) in millionths, exact to one of them.
pub(crate) fn ln(number: u32) -> i64 {
    let number = number.max(1);
    let whole = number.ilog2();
    // The number as 1.31 binary digits, the middle of its part, and how far it is from it: at most a 512th.
    let mantissa = i64::from(number << (31 - whole));
    let part = (mantissa >> 23) & 0xff;
    let middle = ((256 + part) << 23) + (1 << 22);
    let away = (mantissa - middle) * 1_000_000_000 / middle;
    let square = away * away / 1_000_000_000;
    let cube = square * away / 1_000_000_000;
    let near = away - square / 2 + cube / 3;
    let at = usize::try_from(part).unwrap_or(0);
    let picos = i64::from(whole) * LN2_E12 as i64 + MIDDLES[at] + near * 1_000;
    (picos + 500_000) / 1_000_000
}

/// `1 / (1 + e^-z)` in millionths, for `z` in millionths.
pub(crate) fn logistic(z: i64) -> u32 {
    let size = i128::from(z.unsigned_abs()).min(60 * i128::from(ONE)) * 1_000_000;
    let (halvings, rest) = (size / LN2_E12, size % LN2_E12);
    // e^-rest by its series; rest is below 0.7, so twenty terms reach 10^-12.
    let mut term = E12;
    let mut power = E12;
    for place in 1..=20 {
        term = -term * rest / E12 / place;
        power += term;
    }
    let power = power >> u32::try_from(halvings).unwrap_or(127).min(127);
    let (above, below) = if z >= 0 { (E12, E12 + power) } else { (power, E12 + power) };
    u32::try_from((above * i128::from(ONE) + below / 2) / below).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_floating_point() {
        for number in (1..200_000).chain([9_999, 10_000, 123_456, 999_999, 1_000_000, u32::MAX]) {
            let expected = f64::from(number).ln() * 1e6;
            assert!((ln(number) as f64 - expected).abs() <= 1.0, "ln {number}");
        }
        for z in (-30_000..30_000).map(|step| step * 1_000) {
            let expected = 1e6 / (1.0 + (-(z as f64) / 1e6).exp());
            assert!((f64::from(logistic(z)) - expected).abs() <= 0.51, "logistic {z}");
        }
        assert_eq!((logistic(i64::MIN), logistic(i64::MAX)), (0, 1_000_000));
        assert_eq!(ln(0), 0);
    }
}
