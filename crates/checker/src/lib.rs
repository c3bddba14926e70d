//! Whether a plan keeps what plans must keep. It shares the planner's types and none of its code, so that a mistake there is
//! not made here as well.

mod begins;

use std::collections::{BTreeMap, BTreeSet};

use tenon_model::{AssetOrdinal, Digest, Phase, Plan, Wave};
use tenon_planner::{Candidate, Question, Service};

pub use begins::{Begins, Early, EvidenceAsked, check_begins};

/// What a plan breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// An asset that was asked about is in no wave and not held back either.
    #[error("asset {0} is left out")]
    LeftOut(u32),
    /// An asset is in the plan twice, or was never asked about.
    #[error("asset {0} is in the plan twice, or without being asked about")]
    NotOnce(u32),
    /// A wave holds no asset.
    #[error("wave {0} is empty")]
    Empty(usize),
    /// Canaries that may begin come behind other waves.
    #[error("wave {0} is a canary behind the canary phase, though it may begin")]
    LateCanary(usize),
    /// The first asset of a class that nobody has seen changed is no canary.
    #[error("rehearsal class {0} is widened before one of it was a canary")]
    NoCanary(Digest),
    /// The first wave of a change that nobody has seen holds more than one asset.
    #[error("the first canary wave holds {0} assets")]
    CrowdedCanary(u64),
    /// More of a redundancy group are changed at once than may be missing.
    #[error("wave {wave} changes {changed} of redundancy group {name}, of which {spare} may be missing")]
    BelowMinimum {
        /// Which wave.
        wave: usize,
        /// The group.
        name: String,
        /// How many it changes.
        changed: u64,
        /// How many may be missing.
        spare: u64,
    },
    /// More of one undeclared role are changed at once than its default allows.
    #[error("wave {wave} changes {changed} of {of} assets that do the same")]
    CrowdedRole {
        /// Which wave.
        wave: usize,
        /// How many it changes.
        changed: usize,
        /// How many there are.
        of: usize,
    },
    /// A service and what it needs are changed together.
    #[error("wave {0} changes a service together with what it needs")]
    ProviderWithDependent(usize),
    /// A later environment is changed before an earlier one is done, or together with it.
    #[error("wave {0} changes an environment out of its order")]
    Environment(usize),
    /// A wave holds assets that may not begin at the same times.
    #[error("wave {0} holds assets of several calendars")]
    Calendars(usize),
    /// A wave is larger than the tempo allows.
    #[error("wave {wave} holds {assets} of {of} assets")]
    TooLarge {
        /// Which wave.
        wave: usize,
        /// How many it holds.
        assets: u64,
        /// How many there are.
        of: usize,
    },
}

/// Everything that a plan breaks; empty where it keeps all.
pub fn check(question: &Question, plan: &Plan) -> Vec<Violation> {
    let known: BTreeMap<AssetOrdinal, &Candidate> =
        question.candidates.iter().map(|candidate| (candidate.asset, candidate)).collect();
    let kinds = Kinds::of(question);
    let mut found = Vec::new();
    once(&known, plan, &mut found);
    let changed: usize =
        plan.waves.iter().map(|wave| usize::try_from(wave.assets.len()).unwrap_or(usize::MAX)).sum();
    let mut seen: BTreeSet<Digest> = question.proven.clone();
    let mut widened = false;
    let mut environment = 0;
    for (number, wave) in plan.waves.iter().enumerate() {
        let of_wave: Vec<&Candidate> =
            wave.assets.iter().filter_map(|asset| known.get(&asset).copied()).collect();
        if wave.assets.is_empty() {
            found.push(Violation::Empty(number));
        }
        match wave.phase {
            Phase::Canary => {
                // What waits for its window, or behind one that does, holds nobody else back.
                if widened && !may_come_late(question, &of_wave) {
                    found.push(Violation::LateCanary(number));
                }
                if number == 0 && wave.assets.len() > 1 {
                    found.push(Violation::CrowdedCanary(wave.assets.len()));
                }
                seen.extend(of_wave.iter().map(|candidate| candidate.class));
            }
            Phase::Widening => {
                widened = true;
                let unseen = of_wave.iter().find(|candidate| !seen.contains(&candidate.class));
                found.extend(unseen.map(|candidate| Violation::NoCanary(candidate.class)));
                let most = (changed * 33 / 100).max(1) as u64;
                let most = if plan.tempo == tenon_model::Tempo::Cautious {
                    (changed as u64 / 5).max(1)
                } else {
                    most
                };
                if wave.assets.len() > most {
                    found.push(Violation::TooLarge { wave: number, assets: wave.assets.len(), of: changed });
                }
            }
        }
        redundant(question, number, &of_wave, &mut found);
        let of_kind = kinds.count(of_wave.iter().copied());
        kinds.crowded(&of_kind, (number, wave), &mut found);
        if kinds.has_dependents(&of_kind) {
            found.push(Violation::ProviderWithDependent(number));
        }
        if of_wave
            .iter()
            .any(|candidate| Some(candidate.calendar) != of_wave.first().map(|first| first.calendar))
        {
            found.push(Violation::Calendars(number));
        }
        // Within a phase: canaries of production may go before the rest of what is tested.
        let ranks: BTreeSet<u8> = of_wave.iter().map(|candidate| candidate.environment).collect();
        let begins = number == 0 || plan.waves[number - 1].phase != wave.phase;
        if ranks.len() > 1 || (!begins && ranks.first().is_some_and(|rank| *rank < environment)) {
            found.push(Violation::Environment(number));
        }
        environment = ranks.last().copied().unwrap_or(environment);
    }
    found
}

/// Whether every asset of a wave waits for its window, or may come behind one that does.
fn may_come_late(question: &Question, of_wave: &[&Candidate]) -> bool {
    let waits = |candidate: &&Candidate| question.closed.contains(&candidate.calendar);
    let first = question.candidates.iter().filter(waits).map(|candidate| candidate.environment).min();
    of_wave
        .iter()
        .all(|candidate| waits(candidate) || first.is_some_and(|waiting| waiting <= candidate.environment))
}

fn once(known: &BTreeMap<AssetOrdinal, &Candidate>, plan: &Plan, found: &mut Vec<Violation>) {
    let mut met = BTreeSet::new();
    let waves = plan.waves.iter().map(|wave| &wave.assets);
    for asset in waves.chain(plan.held_back.iter().map(|held| &held.assets)).flat_map(|assets| assets.iter())
    {
        if !known.contains_key(&asset) || !met.insert(asset) {
            found.push(Violation::NotOnce(asset.0));
        }
    }
    found.extend(known.keys().filter(|asset| !met.contains(asset)).map(|asset| Violation::LeftOut(asset.0)));
}

fn redundant(question: &Question, wave: usize, of_wave: &[&Candidate], found: &mut Vec<Violation>) {
    let mut redundant: BTreeMap<usize, u64> = BTreeMap::new();
    for place in of_wave.iter().filter_map(|candidate| candidate.redundancy) {
        *redundant.entry(place).or_default() += 1;
    }
    for (place, changed) in redundant {
        let Some(redundancy) = question.redundancy.get(place) else { continue };
        let spare = redundancy.members.saturating_sub(redundancy.minimum);
        if changed > spare {
            let name = redundancy.name.clone();
            found.push(Violation::BelowMinimum { wave, name, changed, spare });
        }
    }
}

/// What candidates carry: those that carry the same need the same.
struct Kinds<'q> {
    place: BTreeMap<&'q BTreeSet<Service>, usize>,
    kinds: Vec<Kind<'q>>,
    /// How many groups there are of which somebody says that their members stand in for each other.
    declared: usize,
}

struct Kind<'q> {
    carries: &'q BTreeSet<Service>,
    /// Everything that these services need, directly or not.
    needs: BTreeSet<Service>,
    /// Candidates of this kind of which nobody says what stands in for them.
    undeclared: usize,
}

/// How many candidates there are of a kind, and of how many of them nobody says what stands in for them.
type Count = (usize, usize);

impl<'q> Kinds<'q> {
    fn of(question: &'q Question) -> Self {
        let declared = question.redundancy.len();
        let mut all = Self { place: BTreeMap::new(), kinds: Vec::new(), declared };
        for candidate in &question.candidates {
            let next = all.kinds.len();
            let place = *all.place.entry(&candidate.carries).or_insert(next);
            if place == next {
                let (carries, needs) = (&candidate.carries, needs_of(question, &candidate.carries));
                all.kinds.push(Kind { carries, needs, undeclared: 0 });
            }
            all.kinds[place].undeclared += usize::from(all.is_undeclared(candidate));
        }
        all
    }

    fn is_undeclared(&self, candidate: &Candidate) -> bool {
        candidate.redundancy.is_none_or(|place| place >= self.declared)
    }

    fn count<'c>(&self, of: impl Iterator<Item = &'c Candidate>) -> BTreeMap<usize, Count> {
        let mut counts: BTreeMap<usize, Count> = BTreeMap::new();
        for candidate in of {
            let Some(kind) = self.place.get(&candidate.carries) else { continue };
            let (all, undeclared) = counts.entry(*kind).or_default();
            *all += 1;
            *undeclared += usize::from(self.is_undeclared(candidate));
        }
        counts
    }

    fn crowded(
        &self,
        of_wave: &BTreeMap<usize, Count>,
        (number, wave): (usize, &Wave),
        found: &mut Vec<Violation>,
    ) {
        for (kind, (_, changed)) in of_wave {
            let (changed, of) = (*changed, self.kinds[*kind].undeclared);
            let most = if wave.phase == Phase::Canary { 1 } else { (of / 3).max(1) };
            if changed > most {
                found.push(Violation::CrowdedRole { wave: number, changed, of });
            }
        }
    }

    /// Whether one of these carries what a service of another one needs, directly or not.
    fn has_dependents(&self, of_wave: &BTreeMap<usize, Count>) -> bool {
        let mut carriers: BTreeMap<Service, usize> = BTreeMap::new();
        for (kind, (count, _)) in of_wave {
            for service in self.kinds[*kind].carries {
                *carriers.entry(*service).or_default() += count;
            }
        }
        of_wave.keys().any(|kind| {
            let Kind { carries, needs, .. } = &self.kinds[*kind];
            // A host may well carry both: it is one change.
            let by_others = |service: &Service| {
                let own = usize::from(carries.contains(service));
                carriers.get(service).is_some_and(|carriers| *carriers > own)
            };
            needs.iter().any(by_others)
        })
    }
}

/// Everything that these services need, a step at a time.
fn needs_of(question: &Question, carries: &BTreeSet<Service>) -> BTreeSet<Service> {
    let needs =
        |service: &Service| question.services.get(*service).map(|needs| needs.0.clone()).unwrap_or_default();
    let mut all = BTreeSet::new();
    let mut step: BTreeSet<Service> = carries.iter().flat_map(needs).collect();
    while !step.is_subset(&all) {
        all.extend(step.iter().copied());
        step = step.iter().flat_map(needs).collect();
    }
    all
}
