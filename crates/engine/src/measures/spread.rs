//! Durations counted in fixed buckets: bounded however many there are.
//!
//! Durations are whole seconds. Below 32 seconds a bucket is one second wide; above, each doubling is parted into 16 buckets of
//! one width, so that a bucket is at most a sixteenth of its durations wide. What is told of a bucket is its middle: off by at
//! most one part in 32. Sums are kept beside and are exact.

/// Buckets of each doubling.
const PARTS: u32 = 16;

/// The bucket of a duration in seconds.
pub(crate) fn bucket(seconds: u32) -> u16 {
    let shift = (seconds | PARTS).ilog2() - PARTS.ilog2();
    let bucket = shift * PARTS + (seconds >> shift);
    u16::try_from(bucket).unwrap_or(u16::MAX)
}

/// The middle of a bucket in seconds; of a bucket one second wide that second.
pub(crate) fn middle(bucket: u16) -> u32 {
    let bucket = u32::from(bucket);
    let shift = (bucket / PARTS).saturating_sub(1);
    let first = u64::from(bucket - shift * PARTS) << shift;
    u32::try_from(first + (1 << shift) / 2).unwrap_or(u32::MAX)
}

/// Durations of one kind, told together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spread {
    /// How many there are.
    pub count: u64,
    /// Their sum in seconds, exact.
    pub seconds: u64,
    /// Half of them are at most this long, in seconds, off by at most one part in 32; 0 where there is none.
    pub median: u32,
    /// Nine in ten are at most this long, likewise.
    pub p90: u32,
}

/// How many durations there are in each bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Counts(Vec<u64>);

impl Counts {
    pub(crate) fn add(&mut self, bucket: u16, count: u64) {
        let bucket = usize::from(bucket);
        if self.0.len() <= bucket {
            self.0.resize(bucket + 1, 0);
        }
        self.0[bucket] += count;
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    fn of(&self, bucket: usize) -> u64 {
        self.0.get(bucket).copied().unwrap_or_default()
    }

    /// The middle of the bucket that holds the last of this share of all, the shortest first.
    fn quantile(&self, numerator: u64, denominator: u64) -> u32 {
        let rank = self.total().saturating_mul(numerator).div_ceil(denominator);
        let mut seen = 0;
        let bucket = (0..).zip(&self.0).find(|(_, count)| {
            seen += **count;
            **count > 0 && seen >= rank
        });
        bucket.map_or(0, |(bucket, _)| middle(bucket))
    }

    pub(crate) fn spread(&self, seconds: u64) -> Spread {
        let (median, p90) = (self.quantile(1, 2), self.quantile(9, 10));
        Spread { count: self.total(), seconds, median, p90 }
    }
}

/// How long it takes until half is done, by the estimate of Kaplan and Meier (1958): what is not done yet, or ended in another
/// way, counts as not done for as long as it was looked at, and not as if it had not been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Survival {
    /// Cases that began in the span.
    pub cases: u64,
    /// Of them those of which the host shows the fix.
    pub done: u64,
    /// Of them those that ended in another way.
    pub ended: u64,
    /// Of them those that are open.
    pub open: u64,
    /// After this many seconds at most half of them were open, off by at most one part in 32; `None` while more are.
    pub half_life: Option<u32>,
    /// The share that the estimate leaves open after the longest time that was looked at, in millionths.
    pub left_ppm: u32,
}

/// One, in the arithmetic of shares.
const ONE: u128 = 1_000_000_000_000;

impl Survival {
    pub(crate) fn of(done: &Counts, ended: &Counts, open: &Counts) -> Self {
        let (all_done, all_ended, all_open) = (done.total(), ended.total(), open.total());
        let cases = all_done + all_ended + all_open;
        let (mut looked_at, mut left, mut half_life) = (cases, ONE, None);
        for bucket in 0..done.0.len() {
            // What ended or is open with others that are done in one bucket counts as there when they were.
            let now = done.of(bucket);
            if now > 0 {
                left = left * u128::from(looked_at.saturating_sub(now)) / u128::from(looked_at.max(1));
                if left * 2 <= ONE && half_life.is_none() {
                    half_life = u16::try_from(bucket).ok().map(middle);
                }
            }
            looked_at = looked_at.saturating_sub(now + ended.of(bucket) + open.of(bucket));
        }
        let left_ppm = u32::try_from(left / (ONE / 1_000_000)).unwrap_or(u32::MAX);
        Self { cases, done: all_done, ended: all_ended, open: all_open, half_life, left_ppm }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_bucket_is_off_by_one_part_in_32_at_most() {
        for seconds in (0..100_000).chain((0..32).map(|bit| 1 << bit)).chain([u32::MAX - 1, u32::MAX]) {
            let told = middle(bucket(seconds));
            assert!(told.abs_diff(seconds) <= seconds / 32, "{seconds} is told as {told}");
            assert!(seconds == 0 || bucket(seconds - 1) <= bucket(seconds), "{seconds}");
        }
        assert_eq!(bucket(u32::MAX), 463);
    }

    /// The example of Kaplan and Meier: 8 cases, of which some are looked at for a shorter time.
    #[test]
    fn cases_that_are_not_done_count_for_as_long_as_they_were_looked_at() {
        let counts = |of: &[u32]| {
            let mut counts = Counts::default();
            of.iter().for_each(|seconds| counts.add(bucket(*seconds), 1));
            counts
        };
        let (done, open) = (counts(&[8, 19, 20, 28]), counts(&[10, 12, 24, 30]));
        let survival = Survival::of(&done, &Counts::default(), &open);
        // 7/8, then 5 are looked at: 4/5 of it, 3/4 of that; then 2: half of that.
        assert_eq!((survival.left_ppm, survival.half_life), (262_500, Some(28)));
        let survival = Survival::of(&counts(&[8]), &Counts::default(), &open);
        assert_eq!((survival.cases, survival.left_ppm, survival.half_life), (5, 800_000, None));
        assert_eq!(Survival::of(&done, &open, &Counts::default()).half_life, Some(28));
        assert_eq!(Survival::of(&Counts::default(), &open, &open).left_ppm, 1_000_000);
    }
}
