//! How well an order foresaw what came: every measure is a mean over what came true, so that intervals can be drawn by
//! drawing from it.

use std::collections::BTreeMap;

use crate::draw::hash;
use crate::{Cve, Day};

/// Sizes of the head of an order that are measured.
pub const HEADS: [Head; 4] = [Head::First(100), Head::First(1_000), Head::Share(10), Head::Share(50)];

/// The head of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// The first so many.
    First(u32),
    /// The first so many in a thousand of all.
    Share(u32),
}

impl Head {
    fn size(self, all: usize) -> f64 {
        match self {
            Self::First(size) => f64::from(size),
            Self::Share(share) => (all as f64 * f64::from(share) / 1_000.0).ceil(),
        }
    }
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::First(size) => f.pad(&format!("first {size}")),
            Self::Share(share) => f.pad(&format!("{}%", f64::from(*share) / 10.0)),
        }
    }
}

/// How one order placed one CVE that was listed in the 30 days after.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// The CVE.
    pub cve: Cve,
    /// The day of the order.
    pub day: Day,
    /// Share of what was not listed that stands below it; ties count half. Its mean is the area under the ROC curve.
    pub below: f64,
    /// Share of the listed among all that stand at or above it. Its mean is the average precision.
    pub precision: f64,
    /// Whether it is in each of [`HEADS`]; between zero and one where ties leave that open.
    pub heads: [f64; HEADS.len()],
}

/// Places those that came true in the order of `scores`, highest first. `positive` are places in `scores`, with their
/// CVEs.
pub fn place(scores: &[i64], positive: &[(usize, Cve)], day: Day) -> Vec<Placed> {
    let mut steps: Vec<i64> = positive.iter().map(|(place, _)| scores[*place]).collect();
    steps.sort_unstable_by(|a, b| b.cmp(a));
    steps.dedup();
    let mut between = vec![0_u32; steps.len() + 1];
    let mut equal = vec![0_u32; steps.len()];
    for score in scores {
        let step = steps.partition_point(|step| step > score);
        if steps.get(step) == Some(score) { equal[step] += 1 } else { between[step] += 1 }
    }
    let listed = positive.len() as f64;
    let others = scores.len() as f64 - listed;
    let mut placed = Vec::new();
    let (mut above, mut hits) = (0.0, 0.0);
    for (step, value) in steps.iter().enumerate() {
        above += f64::from(between[step]);
        let level = f64::from(equal[step]);
        let here: Vec<Cve> =
            positive.iter().filter(|(place, _)| scores[*place] == *value).map(|(_, cve)| *cve).collect();
        let level_others = level - here.len() as f64;
        let below = (others - (above - hits) - level_others / 2.0) / others.max(1.0);
        let heads = HEADS.map(|head| ((head.size(scores.len()) - above) / level).clamp(0.0, 1.0));
        hits += here.len() as f64;
        above += level;
        let precision = hits / above;
        placed.extend(here.into_iter().map(|cve| Placed { cve, day, below, precision, heads }));
    }
    placed
}

/// Means over what came true.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Means {
    /// Rows that came true.
    pub rows: usize,
    /// Area under the ROC curve.
    pub roc_auc: f64,
    /// Average precision.
    pub average_precision: f64,
    /// Coverage of each of [`HEADS`].
    pub coverage: [f64; HEADS.len()],
}

impl Means {
    /// Over these rows.
    pub fn of<'p>(rows: impl Iterator<Item = &'p Placed>) -> Self {
        let mut means = Self::default();
        for row in rows {
            means.rows += 1;
            means.roc_auc += row.below;
            means.average_precision += row.precision;
            for (sum, head) in means.coverage.iter_mut().zip(row.heads) {
                *sum += head;
            }
        }
        let rows = means.rows.max(1) as f64;
        means.roc_auc /= rows;
        means.average_precision /= rows;
        means.coverage = means.coverage.map(|sum| sum / rows);
        means
    }
}

/// A difference and the interval in which 95 of 100 draws lie.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Difference {
    /// As measured.
    pub mean: f64,
    /// 2.5th of a hundred.
    pub low: f64,
    /// 97.5th of a hundred.
    pub high: f64,
}

/// Draws of CVEs for an interval.
const DRAWS: usize = 1_000;

/// Mean of `value(a) - value(b)` over pairs of the same CVE and day, with its interval. Whole CVEs are drawn, with all
/// their days: days of one CVE say nearly the same.
///
/// The two must be of the same CVEs and days, in the same order after sorting; rows without a partner are left out.
pub fn paired(a: &[Placed], b: &[Placed], seed: u64, value: impl Fn(&Placed) -> f64) -> Difference {
    let key = |row: &Placed| (row.cve, row.day);
    let other: BTreeMap<_, f64> = b.iter().map(|row| (key(row), value(row))).collect();
    let mut by_cve: BTreeMap<Cve, (f64, f64)> = BTreeMap::new();
    for row in a {
        if let Some(other) = other.get(&key(row)) {
            let sum = by_cve.entry(row.cve).or_default();
            sum.0 += value(row) - other;
            sum.1 += 1.0;
        }
    }
    let sums: Vec<(f64, f64)> = by_cve.into_values().collect();
    if sums.is_empty() {
        return Difference::default();
    }
    let mean = |sums: &mut dyn Iterator<Item = (f64, f64)>| {
        let (sum, rows) = sums.fold((0.0, 0.0), |(sum, rows), one| (sum + one.0, rows + one.1));
        sum / rows
    };
    let mut draws: Vec<f64> = (0..DRAWS as u64)
        .map(|draw| {
            let mut drawn = (0..sums.len() as u64).map(|place| {
                let at = hash(seed ^ (draw << 32), place) % sums.len() as u64;
                sums[usize::try_from(at).unwrap_or(0)]
            });
            mean(&mut drawn)
        })
        .collect();
    draws.sort_by(f64::total_cmp);
    let at = |share: usize| draws[(DRAWS * share / 1_000).min(DRAWS - 1)];
    Difference { mean: mean(&mut sums.iter().copied()), low: at(25), high: at(975) }
}

/// Forecast and outcome, in bins of half a power of ten of the forecast probability.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calibration {
    bins: BTreeMap<i32, Bin>,
    loss: f64,
    rows: f64,
    listed: f64,
}

/// Forecasts of similar probability.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bin {
    /// Forecasts.
    pub rows: f64,
    /// Sum of their probabilities.
    pub expected: f64,
    /// How many came true.
    pub observed: f64,
}

impl Calibration {
    /// Adds a forecast.
    pub fn add(&mut self, probability: f64, came_true: bool) {
        let probability = probability.clamp(1e-9, 1.0 - 1e-9);
        let bin = self.bins.entry((probability.log10() * 2.0).floor() as i32).or_default();
        let came = f64::from(u8::from(came_true));
        bin.rows += 1.0;
        bin.expected += probability;
        bin.observed += came;
        self.rows += 1.0;
        self.listed += came;
        self.loss -= if came_true { probability.ln() } else { (1.0 - probability).ln() };
    }

    /// Bins by rising probability: from 10^(k/2) to 10^((k+1)/2).
    pub fn bins(&self) -> impl Iterator<Item = (i32, Bin)> + '_ {
        self.bins.iter().map(|(k, bin)| (*k, *bin))
    }

    /// Expected and observed in all.
    pub fn totals(&self) -> (f64, f64) {
        (self.bins.values().map(|bin| bin.expected).sum(), self.listed)
    }

    /// One minus the log loss over that of the base rate, which is known only afterwards: positive is better than it.
    pub fn skill(&self) -> f64 {
        let rate = self.listed / self.rows.max(1.0);
        let base = -(self.listed * rate.max(1e-12).ln() + (self.rows - self.listed) * (1.0 - rate).ln());
        1.0 - self.loss / base.max(1e-12)
    }
}
