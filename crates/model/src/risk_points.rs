//! Risk points: expected loss as people see it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Millionths in one point.
const ONE: u64 = 1_000_000;
/// What the unit of earlier records, a thousandth of a point, is in millionths.
const THOUSANDTH: u64 = 1_000;

/// Risk points in millionths: 100 points are the certain loss of one fully critical asset.
///
/// The unit is this fine because forecasts are small: of most vulnerabilities some millionths come true within a month, and what
/// is on many hosts must still be told from what is on few.
///
/// In a record they are a text, as in `"6.600000"`. Records of before 2026-11-30 hold a number of thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct RiskPoints(pub u64);

impl RiskPoints {
    /// To the last millionth, as a record has them.
    fn exact(self) -> String {
        format!("{}.{:06}", self.0 / ONE, self.0 % ONE)
    }

    fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if part.len() != 6 || !digits(whole) || !digits(part) {
            return None;
        }
        let whole = whole.parse::<u64>().ok()?.checked_mul(ONE)?;
        whole.checked_add(part.parse().ok()?).map(Self)
    }
}

/// For people: one decimal, and below one tenth the first two digits that count, rounded down.
impl fmt::Display for RiskPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 || self.0 >= ONE / 10 {
            return f.pad(&format!("{}.{}", self.0 / ONE, self.0 % ONE * 10 / ONE));
        }
        // Six decimals of a number below a tenth: the zeros in front, then two digits.
        let decimals = format!("{:06}", self.0);
        let zeros = decimals.bytes().take_while(|digit| *digit == b'0').count();
        let shown = decimals.get(..(zeros + 2).min(decimals.len())).unwrap_or(&decimals);
        f.pad(&format!("0.{}", shown.trim_end_matches('0')))
    }
}

impl Serialize for RiskPoints {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.exact())
    }
}

impl<'de> Deserialize<'de> for RiskPoints {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        signed::read(deserializer).and_then(|points| {
            u64::try_from(points).map(Self).map_err(|_| de::Error::custom("it is negative"))
        })
    }
}

/// Movements of risk points, in millionths, up or down: written and read as [`RiskPoints`] are, with a sign.
pub mod signed {
    use super::{Deserialize, Deserializer, RiskPoints, Serializer, THOUSANDTH, de};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Thousandths(i64),
        Points(String),
    }

    /// As a text with a sign where it is negative.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(points: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        let sign = if *points < 0 { "-" } else { "" };
        serializer.serialize_str(&format!("{sign}{}", RiskPoints(points.unsigned_abs()).exact()))
    }

    /// From a text, or from the number of thousandths of an earlier record.
    ///
    /// # Errors
    /// When it is neither, or more than fits.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let points = read(deserializer)?;
        i64::try_from(points)
            .map_err(|_| de::Error::custom(format!("{points} millionths of a risk point are too many")))
    }

    pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Thousandths(number) => Ok(i128::from(number) * i128::from(THOUSANDTH)),
            Written::Points(text) => {
                let (sign, digits) = match text.strip_prefix('-') {
                    Some(digits) => (-1, digits),
                    None => (1, text.as_str()),
                };
                let points = RiskPoints::parse(digits).ok_or_else(|| {
                    de::Error::custom(format!(
                        "{text:?} are no risk points; they are written as in \"6.600000\""
                    ))
                })?;
                Ok(sign * i128::from(points.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_the_digits_that_count() {
        let shown = [
            (0, "0.0"),
            (1, "0.000001"),
            (45, "0.000045"),
            (456, "0.00045"),
            (50_000, "0.05"),
            (99_999, "0.099"),
            (100_000, "0.1"),
            (6_699_999, "6.6"),
            (100_000_000, "100.0"),
        ];
        for (millionths, text) in shown {
            assert_eq!(RiskPoints(millionths).to_string(), text);
        }
        assert_eq!(format!("{:>6}", RiskPoints(100_000)), "   0.1");
    }

    #[test]
    fn a_record_holds_them_exactly_and_an_earlier_one_in_thousandths() {
        for millionths in [0, 1, 6_600_000, u64::MAX] {
            let text = serde_json::to_string(&RiskPoints(millionths)).unwrap();
            assert_eq!(serde_json::from_str::<RiskPoints>(&text).unwrap(), RiskPoints(millionths), "{text}");
        }
        assert_eq!(serde_json::to_string(&RiskPoints(6_600_000)).unwrap(), "\"6.600000\"");
        assert_eq!(serde_json::from_str::<RiskPoints>("6600").unwrap(), RiskPoints(6_600_000));
        for wrong in ["-1", "\"-1.000000\"", "\"6.6\"", "\"6\"", "\"x.000000\"", "\"+6.000000\"", "6.6"] {
            assert!(serde_json::from_str::<RiskPoints>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn movements_have_a_sign() {
        #[derive(serde::Serialize, Deserialize, PartialEq, Debug)]
        struct Moved(#[serde(with = "signed")] i64);
        for millionths in [0, -1, 6_600_000, i64::MIN, i64::MAX] {
            let text = serde_json::to_string(&Moved(millionths)).unwrap();
            assert_eq!(serde_json::from_str::<Moved>(&text).unwrap(), Moved(millionths), "{text}");
        }
        assert_eq!(serde_json::from_str::<Moved>("-6600").unwrap(), Moved(-6_600_000));
        assert!(serde_json::from_str::<Moved>("\"18446744073709.551615\"").is_err());
    }
}
