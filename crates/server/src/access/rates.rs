//! How often somebody may ask.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most callers that are kept apart. Beyond it the oldest are forgotten, which errs to their favour.
const MAX_KEYS: usize = 10_000;

/// So many at once, and one more each time `every` has passed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) burst: u32,
    pub(crate) every: Duration,
}

/// Buckets of tokens, by key (the generic cell rate algorithm: a bucket is the time at which it is full again).
#[derive(Debug)]
pub(crate) struct Rates {
    rate: Rate,
    full_again: Mutex<HashMap<String, Instant>>,
}

impl Rates {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, full_again: Mutex::default() }
    }

    /// Takes one; when there is none left, the seconds until there is.
    pub(crate) fn take(&self, key: &str) -> Result<(), u64> {
        let now = Instant::now();
        let mut kept = self.full_again.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEYS && !kept.contains_key(key) {
            kept.retain(|_, full| *full > now);
            if kept.len() >= MAX_KEYS {
                kept.clear();
            }
        }
        let full = kept.get(key).copied().unwrap_or(now).max(now) + self.rate.every;
        let over = full.saturating_duration_since(now).saturating_sub(self.rate.every * self.rate.burst);
        if !over.is_zero() {
            return Err(over.as_secs() + 1);
        }
        kept.insert(key.to_owned(), full);
        Ok(())
    }

    /// Forgets what was taken.
    pub(crate) fn forgive(&self, key: &str) {
        self.full_again.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_no_more_until_time_has_passed() {
        let rates = Rates::new(Rate { burst: 3, every: Duration::from_secs(60) });
        for _ in 0..3 {
            assert_eq!(rates.take("a"), Ok(()));
        }
        let wait = rates.take("a").unwrap_err();
        assert!((59..=61).contains(&wait), "{wait}");
        assert_eq!(rates.take("b"), Ok(()), "another's bucket is another's");
        rates.forgive("a");
        assert_eq!(rates.take("a"), Ok(()));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let rates = Rates::new(Rate { burst: 1, every: Duration::from_secs(3_600) });
        for key in 0..3 * MAX_KEYS {
            assert_eq!(rates.take(&key.to_string()), Ok(()));
        }
        assert!(rates.full_again.lock().unwrap().len() <= MAX_KEYS);
    }
}
