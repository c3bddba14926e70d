//! The time of a demonstration.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tenon_model::Timestamp;

/// How fast the time of a demonstration passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// So many seconds of it in one.
    Times(u32),
    /// From one thing that is due to the next, as fast as they are done: for tests.
    Steps,
}

impl Pace {
    /// A minute in a second: a canary is watched for half a minute, and a day is over in 24.
    pub const USUAL: Self = Self::Times(60);

    fn factor(self) -> u32 {
        match self {
            Self::Times(factor) => factor,
            Self::Steps => 0,
        }
    }
}

/// A clock that runs at a pace of its own, and can be put forward.
#[derive(Debug)]
pub struct Clock {
    pace: Pace,
    set: Mutex<(Timestamp, Instant)>,
}

impl Clock {
    /// A clock that shows this time now.
    pub fn new(time: Timestamp, pace: Pace) -> Self {
        Self { pace, set: Mutex::new((time, instant())) }
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        let (time, since) = *self.set.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let passed = since.elapsed().as_millis().saturating_mul(u128::from(self.pace.factor()));
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        Timestamp::from_millis(time.as_millis().saturating_add(passed))
    }

    /// Puts it forward to this time; it never goes back.
    pub fn forward_to(&self, time: Timestamp) {
        if time > self.now() {
            *self.set.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = (time, instant());
        }
    }

    /// How many of its seconds pass in one; 0 in steps.
    pub fn factor(&self) -> u32 {
        self.pace.factor()
    }

    /// Until it shows this time. In steps it is put forward to it.
    pub async fn until(&self, time: Timestamp) {
        match self.pace {
            Pace::Steps => self.forward_to(time),
            Pace::Times(factor) => {
                let left = time.as_millis().saturating_sub(self.now().as_millis()).max(0);
                let left = u64::try_from(left).unwrap_or_default() / u64::from(factor.max(1));
                // A little more, so that it is not asked again for a fraction of a millisecond.
                tokio::time::sleep(Duration::from_millis(left + 1)).await;
            }
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a demonstration's time follows the machine's")]
fn instant() -> Instant {
    Instant::now()
}
