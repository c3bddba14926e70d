//! Scores in tenths and their ratings.

use std::fmt;

/// A CVSS score, 0.0 to 10.0, in tenths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u8);

impl Score {
    /// 0.0.
    pub const ZERO: Self = Self(0);
    /// 10.0.
    pub const MAX: Self = Self(100);

    /// From tenths; `None` above 100.
    pub fn from_tenths(tenths: u8) -> Option<Self> {
        (tenths <= Self::MAX.0).then_some(Self(tenths))
    }

    /// Tenths: 98 for 9.8.
    pub fn tenths(self) -> u8 {
        self.0
    }

    /// The nearest score that exists.
    pub(super) fn clamped(tenths: i128) -> Self {
        u8::try_from(tenths.clamp(0, i128::from(Self::MAX.0))).map_or(Self::ZERO, Self)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

/// Qualitative rating of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// 0.0 (v3 and v4 only).
    None,
    /// 0.1 to 3.9 (v2: from 0.0).
    Low,
    /// 4.0 to 6.9.
    Medium,
    /// 7.0 to 8.9 (v2: to 10.0).
    High,
    /// 9.0 to 10.0 (v3 and v4 only).
    Critical,
}

impl Severity {
    /// CVSS v3.0 and v3.1 section 5, CVSS v4.0 section 6: Qualitative Severity Rating Scale.
    pub(super) fn rate(score: Score) -> Self {
        match score.0 {
            0 => Self::None,
            1..40 => Self::Low,
            40..70 => Self::Medium,
            70..90 => Self::High,
            _ => Self::Critical,
        }
    }

    /// CVSS v2 defines no rating; this is the one that the NVD published for v2 scores.
    pub(super) fn rate_v2(score: Score) -> Self {
        match score.0 {
            0..40 => Self::Low,
            40..70 => Self::Medium,
            _ => Self::High,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
            Self::Critical => "Critical",
        })
    }
}

/// The scores of one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scores {
    /// From the base metrics alone.
    pub base: Score,
    /// Temporal score (v2, v3) or base with threat, CVSS-BT (v4); `None` when no metric of the group is defined.
    pub threat: Option<Score>,
    /// Environmental score, which includes the temporal or threat metrics; `None` when no environmental metric is
    /// defined.
    pub environmental: Option<Score>,
    /// The score to use: the environmental, else the temporal or threat, else the base score.
    pub score: Score,
    /// Rating of [`Scores::score`].
    pub severity: Severity,
}
