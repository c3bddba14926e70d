//! In which waves a change reaches its assets.
//!
//! ```text
//! candidates, in the order of environment, providers, harm
//!    --> those that may begin now and are not behind one that may not, then the others, each as
//!        --> canaries: of each class that is not proven one, the least harmful first
//!        --> widening waves, each larger than the one before
//! each wave: no service below its minimum, no provider with what depends on it, one environment, one calendar
//! ```
//!
//! Pure: the same question gives the same plan. Whether a plan keeps what it must is found by another crate.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tenon_model::{AssetOrdinal, AssetSet, Digest, HeldBack, Phase, Plan, Tempo, Wave};

/// Assets that stand in for each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redundancy {
    /// Its name, for people.
    pub name: String,
    /// How many assets are in it, of whatever directive.
    pub members: u64,
    /// How many of them must be healthy at any time.
    pub minimum: u64,
}

impl Redundancy {
    /// How many may be changed at once.
    pub fn spare(&self) -> u64 {
        self.members.saturating_sub(self.minimum)
    }
}

/// A service by its place in [`Question::services`].
pub type Service = usize;

/// One service and what it cannot work without, directly.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs(pub BTreeSet<Service>);

/// An asset that is to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub asset: AssetOrdinal,
    /// Its rehearsal class: assets of one class behave alike.
    pub class: Digest,
    /// The rank of its environment: lower ones are done first. Where nothing is known it ranks as production.
    pub environment: u8,
    /// What its failure would cost, in parts per million.
    pub harm: u64,
    /// What stands in for it, by its place in [`Question::redundancy`]; `None` where nobody says.
    pub redundancy: Option<usize>,
    /// The services that it carries.
    pub carries: BTreeSet<Service>,
    /// When it may begin, as a number: assets of one calendar may begin at the same times.
    pub calendar: usize,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// What is to be changed, each asset once.
    pub candidates: Vec<Candidate>,
    /// Classes of which an asset was changed and verified already: they need no canary.
    pub proven: BTreeSet<Digest>,
    /// Which assets stand in for each other.
    pub redundancy: Vec<Redundancy>,
    /// What services need.
    pub services: Vec<Needs>,
    /// The calendars by which nothing may begin now. What waits for its window holds nobody back but those that come behind it
    /// in any case: of a later environment, or of services that need more.
    pub closed: BTreeSet<usize>,
    /// How fast it may go.
    pub tempo: Tempo,
}

/// Assets that do the same, as far as anybody says: those that stand in for each other, else those that carry the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Role<'q> {
    Redundant(usize),
    Carries(&'q BTreeSet<Service>),
}

/// A candidate with what the waves ask of it.
#[derive(Clone, Copy)]
struct Placed<'q> {
    candidate: &'q Candidate,
    role: usize,
    /// How many steps of services it stands above what needs nothing: providers are changed first.
    depth: usize,
}

/// The waves.
pub fn plan(question: &Question, version: u32) -> Plan {
    let reach = needs_of_needs(&question.services);
    let (mut placed, sizes, mut held_back) = place(question, &reach);
    placed.sort_by_key(|one| {
        let candidate = one.candidate;
        (candidate.environment, one.depth, candidate.harm, candidate.asset)
    });
    let packer = Packer { question, reach: &reach, sizes: &sizes };
    let (first, most) = question.tempo.shares();
    let total = placed.len();
    let mut size = share(total, first);
    // The first canary goes alone: it is the first time that anybody sees what the change does.
    let mut room = 1;
    let mut covered = question.proven.clone();
    let mut waves = Vec::new();
    for part in parts(placed, &question.closed) {
        let (mut canaries, mut rest) = chosen(part, &mut covered);
        while !canaries.is_empty() {
            let wave = packer.fill(&mut canaries, Phase::Canary, room);
            waves.push(packer.wave(&wave, Phase::Canary));
            room = usize::MAX;
        }
        while !rest.is_empty() {
            let wave = packer.fill(&mut rest, Phase::Widening, size);
            waves.push(packer.wave(&wave, Phase::Widening));
            size = size.saturating_mul(3).min(share(total, most));
        }
    }
    held_back.retain(|held: &HeldBack| !held.assets.is_empty());
    Plan { version, tempo: question.tempo, waves, held_back }
}

/// Those that may begin now, and those that wait for a window or come behind one that does; each in the order that they had.
fn parts<'q>(placed: Vec<Placed<'q>>, closed: &BTreeSet<usize>) -> [Vec<Placed<'q>>; 2] {
    let rank = |one: &Placed<'_>| (one.candidate.environment, one.depth);
    let waits = |one: &Placed<'_>| closed.contains(&one.candidate.calendar);
    let waiting = placed.iter().filter(|one| waits(one)).map(rank).min();
    let behind = |one: &Placed<'_>| waiting.is_some_and(|waiting| rank(one) > waiting);
    let (later, now) = placed.into_iter().partition(|one| waits(one) || behind(one));
    [now, later]
}

/// Of each class that is not covered yet one as its canary, where a failure costs least; and the others.
fn chosen<'q>(part: Vec<Placed<'q>>, covered: &mut BTreeSet<Digest>) -> (Vec<Placed<'q>>, Vec<Placed<'q>>) {
    let mut by_harm: Vec<&Placed<'_>> = part.iter().collect();
    by_harm.sort_by_key(|one| (one.candidate.environment, one.candidate.harm, one.candidate.asset));
    let chosen: BTreeSet<AssetOrdinal> = by_harm
        .into_iter()
        .filter(|one| covered.insert(one.candidate.class))
        .map(|one| one.candidate.asset)
        .collect();
    part.into_iter().partition(|one| chosen.contains(&one.candidate.asset))
}

/// A share in percent, and at least one.
fn share(of: usize, percent: u32) -> usize {
    (of * usize::try_from(percent).unwrap_or(100) / 100).max(1)
}

/// Of each service everything that it needs, directly and not.
fn needs_of_needs(services: &[Needs]) -> Vec<BTreeSet<Service>> {
    let mut all = Vec::with_capacity(services.len());
    for service in 0..services.len() {
        let (mut found, mut look) = (BTreeSet::new(), vec![service]);
        while let Some(next) = look.pop() {
            for needed in services.get(next).into_iter().flat_map(|needs| &needs.0) {
                if found.insert(*needed) {
                    look.push(*needed);
                }
            }
        }
        all.push(found);
    }
    all
}

/// The candidates with their roles, how many there are of each role, and those that cannot be changed at all.
fn place<'q>(
    question: &'q Question,
    reach: &[BTreeSet<Service>],
) -> (Vec<Placed<'q>>, Vec<usize>, Vec<HeldBack>) {
    let mut roles: HashMap<Role<'_>, usize> = HashMap::new();
    let (mut placed, mut sizes) = (Vec::new(), Vec::new());
    let mut stuck: BTreeMap<usize, AssetSet> = BTreeMap::new();
    for candidate in &question.candidates {
        let redundancy = candidate.redundancy.filter(|place| *place < question.redundancy.len());
        if let Some(place) = redundancy
            && question.redundancy[place].spare() == 0
        {
            stuck.entry(place).or_default().insert(candidate.asset);
            continue;
        }
        let role = redundancy.map_or(Role::Carries(&candidate.carries), Role::Redundant);
        let next = roles.len();
        let role = *roles.entry(role).or_insert(next);
        if role == sizes.len() {
            sizes.push(0);
        }
        sizes[role] += 1;
        let needed = candidate.carries.iter().filter_map(|service| reach.get(*service));
        let depth = needed.map(BTreeSet::len).max().unwrap_or_default();
        placed.push(Placed { candidate, role, depth });
    }
    let held = stuck.into_iter().map(|(place, assets)| {
        let Redundancy { name, members, minimum } = &question.redundancy[place];
        HeldBack {
            assets,
            why: format!(
                "redundancy group {name} has {members} assets of which {minimum} must be healthy at any time: none can be \
                 changed; add one, or lower its minimum"
            ),
        }
    });
    (placed, sizes, held.collect())
}

struct Packer<'q> {
    question: &'q Question,
    reach: &'q [BTreeSet<Service>],
    /// How many candidates there are of each role.
    sizes: &'q [usize],
}

impl Packer<'_> {
    /// How many of a role may be changed at once. What is declared counts; else one until the canaries have passed, then a
    /// third.
    fn cap(&self, one: &Placed<'_>, phase: Phase) -> usize {
        let declared = one.candidate.redundancy.and_then(|place| self.question.redundancy.get(place));
        match (declared, phase) {
            (Some(redundancy), _) => usize::try_from(redundancy.spare()).unwrap_or(usize::MAX),
            (None, Phase::Canary) => 1,
            (None, Phase::Widening) => (self.sizes[one.role] / 3).max(1),
        }
    }

    /// Takes what one wave can hold; the rest stays in its order. The queue is sorted by environment first.
    fn fill<'q>(&self, queue: &mut Vec<Placed<'q>>, phase: Phase, room: usize) -> Vec<Placed<'q>> {
        let mut wave: Vec<Placed<'q>> = Vec::new();
        let mut of_role = vec![0; self.sizes.len()];
        // What the wave carries, and what that needs.
        let (mut carried, mut needed): (BTreeSet<Service>, BTreeSet<Service>) = Default::default();
        let alike = |candidate: &Candidate| (candidate.environment, candidate.calendar);
        let first = queue.first().map(|one| alike(one.candidate));
        queue.retain(|one| {
            let candidate = one.candidate;
            let count = &mut of_role[one.role];
            if wave.len() >= room || Some(alike(candidate)) != first || *count >= self.cap(one, phase) {
                return true;
            }
            let needs = || candidate.carries.iter().filter_map(|service| self.reach.get(*service)).flatten();
            let apart = needs().any(|service| carried.contains(service))
                || candidate.carries.iter().any(|service| needed.contains(service));
            if !apart {
                *count += 1;
                // A role carries the same, and one that is redundant mostly does.
                if !candidate.carries.is_subset(&carried) {
                    needed.extend(needs());
                    carried.extend(&candidate.carries);
                }
                wave.push(*one);
            }
            apart
        });
        wave
    }

    fn wave(&self, placed: &[Placed<'_>], phase: Phase) -> Wave {
        let tempo = self.question.tempo;
        let assets: AssetSet = placed.iter().map(|one| one.candidate.asset).collect();
        let classes: BTreeSet<&Digest> = placed.iter().map(|one| &one.candidate.class).collect();
        let because = match (phase, classes.len()) {
            (Phase::Canary, 1) => {
                "the first of its rehearsal class, where a failure would cost least".to_owned()
            }
            (Phase::Canary, classes) => {
                format!("the first of {classes} rehearsal classes, where a failure would cost least")
            }
            (Phase::Widening, _) => {
                format!("at most {}% at once, and no more of one role than may be missing", tempo.shares().1)
            }
        };
        let (may_fail, soak_seconds) = match phase {
            Phase::Canary => (0, tempo.canary_soak()),
            Phase::Widening => (assets.len() * u64::from(tempo.may_fail()) / 100, tempo.soak()),
        };
        Wave { phase, assets, because, may_fail: u32::try_from(may_fail).unwrap_or(u32::MAX), soak_seconds }
    }
}
