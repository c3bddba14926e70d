//! Plans: in which waves an approved directive reaches its assets, and when it stops.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AssetSet, Person, Timestamp};

/// How fast rollouts go: how large waves grow, how long each is watched before the next, and how much may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tempo {
    /// Small steps, hours apart, and none may fail.
    Cautious,
    /// Half an hour after each canary; at most a third at once.
    #[default]
    Standard,
    /// Each wave as soon as the one before is verified.
    Fast,
}

impl Tempo {
    /// Every one, the slowest first.
    pub const ALL: &'static [Self] = &[Self::Cautious, Self::Standard, Self::Fast];

    /// How long canaries are watched after they are verified, in seconds.
    pub fn canary_soak(self) -> u32 {
        match self {
            Self::Cautious => 4 * 3_600,
            Self::Standard => 1_800,
            Self::Fast => 0,
        }
    }

    /// How long the waves behind them are.
    pub fn soak(self) -> u32 {
        self.canary_soak() / 4
    }

    /// Share of the assets in the first wave behind the canaries, and in any, in percent.
    pub fn shares(self) -> (u32, u32) {
        match self {
            Self::Cautious => (2, 20),
            Self::Standard => (5, 33),
            Self::Fast => (33, 33),
        }
    }

    /// How many of a wave behind the canaries may fail before the rollout stops, in percent. Of canaries none may.
    pub fn may_fail(self) -> u32 {
        match self {
            Self::Cautious => 0,
            Self::Standard => 2,
            Self::Fast => 5,
        }
    }

    /// The tempo where a threat is exploited now: waiting costs more than it does else.
    #[must_use]
    pub fn hurried(self) -> Self {
        match self {
            Self::Cautious => Self::Standard,
            Self::Standard | Self::Fast => Self::Fast,
        }
    }
}

impl fmt::Display for Tempo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cautious => "cautious",
            Self::Standard => "standard",
            Self::Fast => "fast",
        })
    }
}

/// Which part of a rollout a wave belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Few assets, which stand for all that behave alike.
    Canary,
    /// The rest.
    Widening,
}

/// Assets that are changed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    /// Which part of the rollout it belongs to.
    pub phase: Phase,
    /// The assets.
    pub assets: AssetSet,
    /// Why these, and why now.
    pub because: String,
    /// How many of them may fail; more stop the rollout.
    pub may_fail: u32,
    /// How long it is watched before the next wave, in seconds.
    pub soak_seconds: u32,
}

/// Assets that no wave holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBack {
    /// The assets.
    pub assets: AssetSet,
    /// Why, and what would let them go.
    pub why: String,
}

/// The waves in which approved work reaches its assets. It is never changed: a change of mind is another plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Counts the plans of a directive, from 1; each replaces the one before.
    pub version: u32,
    /// How fast it goes.
    pub tempo: Tempo,
    /// The waves in their order.
    pub waves: Vec<Wave>,
    /// What stays out of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_back: Vec<HeldBack>,
}

/// How far a rollout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// The plan stands; its first wave begins when what an earlier plan set out on has ended.
    Planned,
    /// A wave is under way.
    Running {
        /// Which, from 0.
        wave: u32,
    },
    /// A wave has ended well and is watched; behind the last one nothing is left to do.
    Soaking {
        /// Which, from 0.
        wave: u32,
    },
}

/// Why a rollout stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// Since when.
    pub at: Timestamp,
    /// What happened, and what to do.
    pub why: String,
    /// The person who stopped it; `None` where it stopped by itself.
    pub by: Option<Person>,
}
