//! A small made-up history in which exploits make listings likelier.

use tenon_model::Probability;
use tenon_predict::{CveId, Day, Fact, History, HistoryBuilder, Sighting, Snapshot};

pub(crate) fn day(text: &str) -> Day {
    text.parse().unwrap()
}

pub(crate) fn cve(number: u32) -> CveId {
    format!("CVE-2024-{number}").parse().unwrap()
}

pub(crate) fn ppm(ppm: u32) -> Probability {
    Probability::from_ppm(ppm).unwrap()
}

/// Numbers from a seed.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) ^ (self.0 >> 11 & 0xffff)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

pub(crate) const BEGIN: &str = "2024-04-06";
const WEEKS: i32 = 60;

/// What the made-up world adds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    Nothing,
    /// A list that was made from the catalogue but is dated to the first day.
    LeakyList,
}

/// `size` CVEs over sixty weeks, scored weekly, known the day after.
pub(crate) fn world(size: u32, seed: u64, planted: Planted) -> History {
    let mut draw = Draw(seed);
    let mut builder = HistoryBuilder::default();
    let begin = day(BEGIN);
    for week in 0..WEEKS {
        let scored = begin.plus(7 * week);
        builder.snapshot(Snapshot { scored, known: scored.plus(1), model: "v1".to_owned() });
    }
    let end = begin.plus(7 * WEEKS);
    builder.listings_until(end);
    for number in 0..size {
        let id = cve(10_000 + number);
        // Half of them are there from the beginning.
        let week = i32::try_from(draw.below(2 * WEEKS as u64)).unwrap().max(WEEKS) - WEEKS;
        let named = begin.plus(7 * week + 1);
        let mut score = 10 + u32::try_from(draw.below(2_000)).unwrap();
        if draw.below(10) == 0 {
            score *= 100;
        }
        builder.add(id, named, Fact::Scored(ppm(score)));
        if draw.below(3) == 0 {
            builder.add(id, named.plus(28), Fact::Scored(ppm(score / 2 + 10)));
        }
        let exploited = draw.below(20) == 0;
        let exploit = named.plus(i32::try_from(draw.below(200)).unwrap());
        if exploited {
            builder.add(id, exploit, Fact::Seen(Sighting::PublicExploit));
        }
        let odds = if exploited { 3 } else { 150 };
        if draw.below(odds) == 0 {
            let listed =
                if exploited { exploit } else { named }.plus(3 + i32::try_from(draw.below(50)).unwrap());
            if listed < end {
                builder.add(id, listed, Fact::Listed);
                if planted == Planted::LeakyList {
                    builder.add(id, begin, Fact::SeenBefore(Sighting::Framework));
                }
            }
        }
    }
    builder.build()
}
