//! Plans and checks every open directive of a large estate, twice, and says how long that took.
//!
//! ```text
//! cargo run --release -p tenon-planner --example plans               1,000,000 assets, 50,000 directives
//! cargo run --release -p tenon-planner --example plans 20000 1000    fewer
//! ```
//!
//! The estate: teams of 4,000 assets with 40 services that need each other in chains, a third of the assets in redundancy groups
//! of 2 to 21, a tenth in a closed window. A directive is about a share of one team, 5 directives for each asset on average;
//! the last one is about every asset. Single-threaded.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "it measures")]

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use tenon_checker::check;
use tenon_model::{AssetOrdinal, Digest, Tempo};
use tenon_planner::{Candidate, Needs, Question, Redundancy, plan};

const TEAM: u64 = 4_000;
const SERVICES: u64 = 40;
/// Directives that an asset is in, on average.
const DEPTH: u64 = 5;

/// Steele, Lea and Flood's SplitMix64: the same numbers for the same seed.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// What is the same of an asset in every directive.
struct Asset {
    environment: u8,
    harm: u64,
    /// Which redundancy group, of the whole estate.
    group: Option<u64>,
    carries: BTreeSet<usize>,
    calendar: usize,
}

struct Estate {
    assets: Vec<Asset>,
    /// Members of each redundancy group.
    groups: HashMap<u64, u64>,
    services: Vec<Needs>,
}

impl Estate {
    fn new(count: u64, draw: &mut Draw) -> Self {
        let mut groups: HashMap<u64, u64> = HashMap::new();
        let asset = |number: u64| {
            let team = number / TEAM;
            let group = (draw.below(3) == 0).then(|| team * TEAM + draw.below(TEAM / 33));
            if let Some(group) = group {
                *groups.entry(group).or_default() += 1;
            }
            Asset {
                environment: u8::try_from(draw.below(4)).unwrap(),
                harm: draw.below(1_000_000),
                group,
                carries: BTreeSet::from([usize::try_from(draw.below(SERVICES)).unwrap()]),
                calendar: usize::from(draw.below(10) == 0),
            }
        };
        let assets = (0..count).map(asset).collect();
        // Chains of four: the second needs the first, and so on.
        let needs =
            |service: usize| Needs((!service.is_multiple_of(4)).then(|| service - 1).into_iter().collect());
        let services = (0..usize::try_from(SERVICES).unwrap()).map(needs).collect();
        Self { assets, groups, services }
    }

    /// The question of a directive about these assets.
    fn question(&self, about: impl Iterator<Item = u64>, directive: u64) -> Question {
        let mut places: HashMap<u64, usize> = HashMap::new();
        let mut redundancy = Vec::new();
        let candidate = |number: u64| {
            let asset = &self.assets[usize::try_from(number).unwrap()];
            let place = asset.group.map(|group| {
                *places.entry(group).or_insert_with(|| {
                    let members = self.groups[&group];
                    let name = format!("group {group}");
                    redundancy.push(Redundancy { name, members, minimum: members - members.div_ceil(3) });
                    redundancy.len() - 1
                })
            });
            Candidate {
                asset: AssetOrdinal(u32::try_from(number).unwrap()),
                class: Digest::of(format!("{directive} {}", number % 3).as_bytes()),
                environment: asset.environment,
                harm: asset.harm,
                redundancy: place,
                carries: asset.carries.clone(),
                calendar: asset.calendar,
            }
        };
        let candidates = about.map(candidate).collect();
        Question {
            candidates,
            proven: BTreeSet::new(),
            redundancy,
            services: self.services.clone(),
            closed: BTreeSet::from([1]),
            tempo: Tempo::Standard,
        }
    }
}

/// What planning everything took, and the digest of all plans.
#[derive(Default)]
struct Round {
    planning: Duration,
    checking: Duration,
    slowest: Duration,
    candidates: u64,
    waves: u64,
    digests: Vec<u8>,
}

impl Round {
    fn plan(&mut self, question: &Question) {
        let start = Instant::now();
        let made = plan(question, 1);
        let took = start.elapsed();
        let start = Instant::now();
        let broken = check(question, &made);
        self.checking += start.elapsed();
        assert!(broken.is_empty(), "{broken:?}");
        self.planning += took;
        self.slowest = self.slowest.max(took);
        self.candidates += question.candidates.len() as u64;
        self.waves += made.waves.len() as u64;
        self.digests.extend_from_slice(Digest::of(&serde_json::to_vec(&made).unwrap()).as_bytes());
    }
}

fn round(assets: u64, directives: u64) -> Round {
    let mut draw = Draw(1);
    let estate = Estate::new(assets, &mut draw);
    let teams = assets.div_ceil(TEAM);
    let share = (assets * DEPTH / directives.max(1)).max(1);
    let mut round = Round::default();
    for directive in 0..directives {
        let first = draw.below(teams) * TEAM;
        let team = TEAM.min(assets - first);
        // From one asset to twice the average.
        let wanted = 1 + draw.below(2 * share);
        let about: BTreeSet<u64> = (0..wanted).map(|_| first + draw.below(team)).collect();
        round.plan(&estate.question(about.into_iter(), directive));
    }
    let before = round.planning;
    round.plan(&estate.question(0..assets, directives));
    println!("one directive about all {assets} assets: planned in {:.2?}", round.planning - before);
    round
}

fn main() {
    let mut words = std::env::args().skip(1).map(|word| word.parse::<u64>().expect("a number"));
    let (assets, directives) = (words.next().unwrap_or(1_000_000), words.next().unwrap_or(50_000));
    let (first, second) = (round(assets, directives), round(assets, directives));
    let Round { planning, checking, slowest, candidates, waves, digests } = &first;
    println!(
        "{assets} assets, {directives} directives and one about all, {candidates} places, {waves} waves: planned in \
         {planning:.2?}, the slowest {slowest:.2?}, checked in {checking:.2?}"
    );
    assert_eq!(digests, &second.digests, "the same question gave another plan");
    println!("again: planned in {:.2?}, every plan the same to the byte", second.planning);
}
