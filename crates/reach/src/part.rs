//! Probabilities in parts per billion, with both directions of rounding.

use tenon_model::Probability;

/// Certainty.
const ONE: u64 = 1_000_000_000;

/// A probability in parts per billion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Part(u64);

impl Part {
    /// Impossible.
    pub const ZERO: Self = Self(0);
    /// Certain.
    pub const ONE: Self = Self(ONE);

    /// Of a probability of the model.
    pub fn of(probability: Probability) -> Self {
        Self(u64::from(probability.ppm()) * 1_000)
    }

    /// Parts per billion.
    pub fn ppb(self) -> u64 {
        self.0
    }

    /// Parts per million, rounded down.
    pub fn ppm_down(self) -> u32 {
        u32::try_from(self.0 / 1_000).unwrap_or(1_000_000)
    }

    /// Parts per million, rounded up.
    pub fn ppm_up(self) -> u32 {
        u32::try_from(self.0.div_ceil(1_000)).unwrap_or(1_000_000)
    }

    /// Both, rounded down.
    pub(crate) fn and_down(self, other: Self) -> Self {
        Self(self.0 * other.0 / ONE)
    }

    /// Both, rounded up.
    pub(crate) fn and_up(self, other: Self) -> Self {
        Self((self.0 * other.0).div_ceil(ONE))
    }

    /// Either, as if independent, rounded up.
    pub fn or_up(self, other: Self) -> Self {
        Self(ONE - (ONE - self.0) * (ONE - other.0) / ONE)
    }
}
