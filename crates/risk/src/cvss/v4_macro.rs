//! MacroVectors of CVSS v4.0: equivalence sets (specification section 8, tables 24 to 29), their highest severity
//! vectors and depths, and the published score of each.
//!
//! Data: reference calculator of FIRST (FIRSTdotorg/cvss-v4-calculator, BSD-2-Clause; licence beside the data).

use std::sync::LazyLock;

/// Severity levels, grouped as the equivalence sets need them. 0 is the most severe.
pub(super) struct Levels {
    /// AV, PR, UI.
    pub(super) eq1: [i32; 3],
    /// AC, AT.
    pub(super) eq2: [i32; 2],
    /// VC, VI, VA, CR, IR, AR.
    pub(super) eq3eq6: [i32; 6],
    /// SC, SI, SA: 0 is safety, 1 high.
    pub(super) eq4: [i32; 3],
    /// E.
    pub(super) eq5: i32,
}

impl Levels {
    /// Neither the vulnerable nor a subsequent system is affected: the score is zero.
    pub(super) fn no_impact(&self) -> bool {
        self.eq3eq6[..3].iter().all(|level| *level == 2) && self.eq4.iter().all(|level| *level == 3)
    }
}

/// Levels of the six equivalence sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MacroVector([usize; 6]);

/// Levels of each set.
const SIZES: [usize; 6] = [3, 2, 3, 3, 3, 2];
const COUNT: usize = 324;
const ABSENT: u8 = u8::MAX;

const EQ1_HIGHEST: [&[[i32; 3]]; 3] =
    [&[[0, 0, 0]], &[[1, 0, 0], [0, 1, 0], [0, 0, 1]], &[[3, 0, 0], [1, 1, 1]]];
const EQ1_DEPTH: [i32; 3] = [1, 4, 5];
const EQ2_HIGHEST: [&[[i32; 2]]; 2] = [&[[0, 0]], &[[1, 0], [0, 1]]];
const EQ2_DEPTH: [i32; 2] = [1, 2];
/// By EQ3, then EQ6; EQ3 = 2 with EQ6 = 0 cannot be.
const EQ3EQ6_HIGHEST: [[&[[i32; 6]]; 2]; 3] = [
    [&[[0, 0, 0, 0, 0, 0]], &[[0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1]]],
    [
        &[[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]],
        &[[1, 0, 1, 0, 1, 0], [1, 0, 0, 0, 1, 1], [0, 1, 0, 1, 0, 1], [0, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0, 1]],
    ],
    [&[], &[[1, 1, 1, 0, 0, 0]]],
];
const EQ3EQ6_DEPTH: [[i32; 2]; 3] = [[7, 6], [8, 8], [10, 10]];
const EQ4_HIGHEST: [&[[i32; 3]]; 3] = [&[[1, 0, 0]], &[[1, 1, 1]], &[[2, 2, 2]]];
const EQ4_DEPTH: [i32; 3] = [6, 5, 4];

/// Steps from the first highest vector of the set that is at least as severe in every metric.
fn distance<const N: usize>(levels: &[i32; N], highest: &[[i32; N]]) -> i32 {
    let dominates = |top: &&[i32; N]| top.iter().zip(levels).all(|(top, level)| level >= top);
    highest.iter().find(dominates).map_or(0, |top| levels.iter().sum::<i32>() - top.iter().sum::<i32>())
}

impl MacroVector {
    /// Tables 24 to 29.
    pub(super) fn of(levels: &Levels) -> Self {
        let [av, pr, ui] = levels.eq1;
        let eq1 = match (av == 0, pr == 0, ui == 0) {
            (true, true, true) => 0,
            (false, false, false) => 2,
            _ if av == 3 => 2,
            _ => 1,
        };
        let eq2 = usize::from(levels.eq2 != [0, 0]);
        let [vc, vi, va, cr, ir, ar] = levels.eq3eq6;
        let eq3 = match (vc == 0, vi == 0, va == 0) {
            (true, true, _) => 0,
            (false, false, false) => 2,
            _ => 1,
        };
        let [sc, si, sa] = levels.eq4;
        let eq4 = if si == 0 || sa == 0 {
            0
        } else if sc == 1 || si == 1 || sa == 1 {
            1
        } else {
            2
        };
        let eq5 = usize::try_from(levels.eq5).unwrap_or(0).min(2);
        let needed_most = [(vc, cr), (vi, ir), (va, ar)].contains(&(0, 0));
        Self([eq1, eq2, eq3, eq4, eq5, usize::from(!needed_most)])
    }

    /// The same with one set one level lower.
    fn lower(self, set: usize) -> Self {
        let mut digits = self.0;
        digits[set] += 1;
        Self(digits)
    }

    /// For each equivalence set: score of the next lower MacroVector if there is one, in tenths; severity distance of
    /// the vector from the highest of its set; depth of the set.
    pub(super) fn steps_down(self, levels: &Levels) -> [(Option<i32>, i32, i32); 5] {
        let [eq1, eq2, eq3, eq4, _, eq6] = self.0;
        // EQ3 and EQ6 depend on each other and go down together: the way that leads to the higher score counts.
        let lower_eq3eq6 = match (eq3, eq6) {
            (0, 0) => lookup(self.lower(2)).max(lookup(self.lower(5))),
            (1, 0) => lookup(self.lower(5)),
            _ => lookup(self.lower(2)),
        };
        [
            (lookup(self.lower(0)), distance(&levels.eq1, EQ1_HIGHEST[eq1]), EQ1_DEPTH[eq1]),
            (lookup(self.lower(1)), distance(&levels.eq2, EQ2_HIGHEST[eq2]), EQ2_DEPTH[eq2]),
            (lower_eq3eq6, distance(&levels.eq3eq6, EQ3EQ6_HIGHEST[eq3][eq6]), EQ3EQ6_DEPTH[eq3][eq6]),
            (lookup(self.lower(3)), distance(&levels.eq4, EQ4_HIGHEST[eq4]), EQ4_DEPTH[eq4]),
            // A level of EQ5 has one vector, which is its highest.
            (lookup(self.lower(4)), 0, 1),
        ]
    }

    /// Place in the table; `None` when a set has no such level.
    fn place(self) -> Option<usize> {
        self.0
            .iter()
            .zip(SIZES)
            .try_fold(0, |place, (digit, size)| (*digit < size).then_some(place * size + digit))
    }
}

/// Published score, in tenths; `None` for a MacroVector that no vector has.
pub(super) fn lookup(vector: MacroVector) -> Option<i32> {
    SCORES.get(vector.place()?).filter(|tenths| **tenths != ABSENT).map(|tenths| i32::from(*tenths))
}

static SCORES: LazyLock<[u8; COUNT]> = LazyLock::new(|| {
    let mut scores = [ABSENT; COUNT];
    for (vector, tenths) in include_str!("../../data/cvss4_macrovectors.csv").lines().filter_map(row) {
        if let Some(slot) = vector.place().and_then(|place| scores.get_mut(place)) {
            *slot = tenths;
        }
    }
    scores
});

/// A line `macrovector,score`; `None` for comments and the header.
fn row(line: &str) -> Option<(MacroVector, u8)> {
    let (vector, score) = line.split_once(',')?;
    let mut digits = [0; 6];
    if vector.len() != digits.len() {
        return None;
    }
    for (slot, digit) in digits.iter_mut().zip(vector.chars()) {
        *slot = usize::try_from(digit.to_digit(10)?).ok()?;
    }
    let (whole, tenth) = score.split_once('.').unwrap_or((score, "0"));
    let tenths = whole.parse::<u8>().ok()?.checked_mul(10)?.checked_add(tenth.parse().ok()?)?;
    Some((MacroVector(digits), tenths))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of levels that metrics can have.
    fn every_levels() -> impl Iterator<Item = Levels> {
        let of = |sizes: &'static [i32]| {
            let count: i32 = sizes.iter().product();
            (0..count).map(move |mut number| {
                sizes
                    .iter()
                    .map(|size| {
                        let level = number % size;
                        number /= size;
                        level
                    })
                    .collect::<Vec<_>>()
            })
        };
        let set = move |levels: &[i32], at: usize| levels.get(at).copied().unwrap_or(0);
        let eq1 =
            of(&[4, 3, 3]).map(move |l| ([set(&l, 0), set(&l, 1), set(&l, 2)], [0, 0], [0; 6], [1; 3], 0));
        let eq2 = of(&[2, 2]).map(move |l| ([0; 3], [set(&l, 0), set(&l, 1)], [0; 6], [1; 3], 0));
        let eq3 = of(&[3, 3, 3, 3, 3, 3])
            .map(move |l| ([0; 3], [0, 0], std::array::from_fn(|at| set(&l, at)), [1; 3], 0));
        let eq4 = of(&[3, 4, 4])
            .map(move |l| ([0; 3], [0, 0], [0; 6], [set(&l, 0) + 1, set(&l, 1), set(&l, 2)], 0));
        let eq5 = (0..3).map(|eq5| ([0; 3], [0, 0], [0; 6], [1; 3], eq5));
        eq1.chain(eq2).chain(eq3).chain(eq4).chain(eq5).map(|(eq1, eq2, eq3eq6, eq4, eq5)| Levels {
            eq1,
            eq2,
            eq3eq6,
            eq4,
            eq5,
        })
    }

    #[test]
    fn the_table_has_the_published_270_macrovectors() {
        assert_eq!(SCORES.iter().filter(|tenths| **tenths != ABSENT).count(), 270);
        assert_eq!(COUNT, SIZES.iter().product::<usize>());
        assert_eq!(lookup(MacroVector([0, 0, 0, 0, 0, 0])), Some(100));
        assert_eq!(lookup(MacroVector([2, 1, 2, 2, 2, 1])), Some(1));
        assert_eq!(lookup(MacroVector([0, 0, 2, 0, 0, 0])), None);
    }

    #[test]
    fn every_vector_has_a_highest_vector_within_the_depth_of_its_set() {
        for levels in every_levels() {
            let vector = MacroVector::of(&levels);
            assert!(lookup(vector).is_some(), "{vector:?}");
            let [eq1, eq2, eq3, eq4, _, eq6] = vector.0;
            let dominated = |tops: &[[i32; 3]], levels: &[i32; 3]| {
                tops.iter().any(|top| top.iter().zip(levels).all(|(top, level)| level >= top))
            };
            assert!(dominated(EQ1_HIGHEST[eq1], &levels.eq1) && dominated(EQ4_HIGHEST[eq4], &levels.eq4));
            assert!(EQ2_HIGHEST[eq2].iter().any(|top| levels.eq2[0] >= top[0] && levels.eq2[1] >= top[1]));
            assert!(
                EQ3EQ6_HIGHEST[eq3][eq6]
                    .iter()
                    .any(|top| top.iter().zip(levels.eq3eq6).all(|(top, level)| level >= *top))
            );
            for (_, distance, depth) in vector.steps_down(&levels) {
                assert!((0..=depth).contains(&distance), "{vector:?}: {distance} of {depth}");
            }
        }
    }
}
