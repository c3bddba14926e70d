//! Decision, due date and expected loss of a directive, each explainable to the last input.
//!
//! ```text
//! intel, context of the assets --> facts of each vulnerability --> row of the table, the most urgent decides
//!                                                              --> clocks, the earliest due date counts
//!                                                              --> factors, whose products add up to the expected loss
//! ```

mod facts;
mod loss;
mod rules;
mod why;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tenon_model::{
    Basis, Clock, ClockRule, ControlId, Decision, Directive, Grounds, GroupName, Intel, Priority, RiskPoints,
    SystemExposure, Timestamp, VulnerabilityId, Want, ZoneName,
};
use tenon_risk::bod_26_04;

use crate::approach::Arrival;
use crate::context::{Bearing, Bearings, Source, Sourced};
use crate::detections::Attack;
use crate::world::World;
pub use facts::ASSUMED_THREAT;
pub(crate) use facts::danger;
pub(crate) use facts::threat_of;
use facts::{Facts, stake, stated};
pub use loss::Factors;
use loss::{Danger, Stake, attacked, factors};
use rules::Date;
pub use why::{Flip, FlipSet, Weighed, Why, WhyHere, why, why_here};

/// Most reasons that are written out; the rest is counted.
const MAX_REASONS: usize = 12;

/// What a directive closes, and who says so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reasons<'a> {
    closes: &'a [VulnerabilityId],
    claims: &'a [VulnerabilityId],
    advisories: &'a [VulnerabilityId],
}

impl<'a> From<&'a Grounds> for Reasons<'a> {
    fn from(Grounds { closes, claims, advisories }: &'a Grounds) -> Self {
        Self { closes, claims, advisories }
    }
}

impl<'a> From<&'a Directive> for Reasons<'a> {
    fn from(Directive { closes, claims, advisories, .. }: &'a Directive) -> Self {
        Self { closes, claims, advisories }
    }
}

impl<'a> Reasons<'a> {
    /// One vulnerability alone.
    pub(crate) fn of_one(id: &'a VulnerabilityId) -> Self {
        Self { closes: std::slice::from_ref(id), claims: &[], advisories: &[] }
    }

    /// The vulnerabilities that count. Where a changelog tells what a vendor's update closes, the update is no vulnerability
    /// besides.
    pub(crate) fn counted(self) -> impl Iterator<Item = &'a VulnerabilityId> {
        let Self { closes, claims, .. } = self;
        closes.iter().filter(|id| claims.is_empty() || !id.is_vendor_update()).chain(claims)
    }

    /// Whether all that an asset adds is among them.
    pub(crate) fn closes(self) -> &'a [VulnerabilityId] {
        self.closes
    }

    pub(crate) fn include(self, want: &Want) -> bool {
        let all = |these: &[VulnerabilityId], of: &[VulnerabilityId]| {
            these.iter().all(|id| of.binary_search(id).is_ok())
        };
        all(&want.closes, self.closes)
            && all(&want.claims, self.claims)
            && all(&want.advisories, self.advisories)
    }
}

/// What is prioritised.
pub(crate) struct Subject<'a> {
    /// The package, as advisories name it, that holds all of it.
    pub(crate) package: &'a str,
    /// The group of its assets.
    pub(crate) group: &'a GroupName,
    /// What it closes, and who says so. A vendor update without any advisory is its own vulnerability.
    pub(crate) reasons: Reasons<'a>,
    /// What of the context of its assets bears on it, and how many there are of each.
    pub(crate) bearings: &'a Bearings,
    /// Attacks that were seen on assets on which it closes what they use.
    pub(crate) attacks: Vec<Attack<'a>>,
    /// When the directive was raised.
    pub(crate) raised: Timestamp,
}

impl Subject<'_> {
    /// The facts of every vulnerability, for each context of assets; apart for assets on which attacks were seen.
    fn facts(&self, world: &World) -> Vec<(Facts, u64)> {
        let contexts = self.bearings.by_context().into_iter();
        let all = |alike: Vec<(_, u64)>| alike.into_iter().map(|(_, assets)| assets).sum();
        let parts = contexts.map(|(first, alike)| (first, all(alike)));
        let facts = self.facts_of(world, parts, |attack, bearing| attack.bearings.in_context(bearing));
        facts.into_iter().map(|(facts, _, assets)| (facts, assets)).collect()
    }

    /// The same for assets of each of these bearings; `attacked` says of how many of one attacks were seen.
    fn facts_of<'b>(
        &self,
        world: &World,
        parts: impl Iterator<Item = (&'b Arc<Bearing>, u64)>,
        attacked: impl Fn(&Attack<'_>, &Arc<Bearing>) -> u64,
    ) -> Vec<(Facts, &'b Arc<Bearing>, u64)> {
        let known: Vec<(&VulnerabilityId, Intel, Option<&Attack<'_>>)> = self
            .reasons
            .counted()
            .map(|id| (id, world.intel(id), self.attacks.iter().find(|attack| attack.vulnerability == id)))
            .collect();
        let mut all = Vec::new();
        for (bearing, assets) in parts {
            for (id, intel, attack) in &known {
                let facts = Facts::of(id, intel, bearing);
                let attacked = attack.map_or(0, |attack| attacked(attack, bearing)).min(assets);
                if let Some(attack) = attack.filter(|_| attacked > 0) {
                    all.push((facts.clone().under(attack), bearing, attacked));
                }
                if assets > attacked {
                    all.push((facts, bearing, assets - attacked));
                }
            }
        }
        all
    }
}

/// What the failure of an asset of this bearing would cost, in parts per million.
pub(crate) fn harm(bearing: &Bearing) -> u64 {
    loss::impact(stake(bearing))
}

/// How attackers get to a package on assets of this bearing; `None` where nobody can tell, or somebody confirms that all can.
pub(crate) fn arrival(world: &World, bearing: &Bearing, package: Option<&str>) -> Option<Arrival> {
    let confirmed = |known: &Sourced<SystemExposure>| {
        known.value == SystemExposure::Open
            && matches!(known.source, Source::ByHand | Source::Entry { .. } | Source::Rule { .. })
    };
    let footing = bearing.footing.as_ref().filter(|_| !bearing.exposure.as_ref().is_some_and(confirmed))?;
    world.approach.arrival(footing, package)
}

/// How attackers get to assets, which controls stand before them, and in which zone they are, where attacks were seen: what of a
/// bearing differs within a context.
type Way<'b> = (Option<Arrival>, &'b [ControlId], Option<&'b ZoneName>);

/// Of assets that share a context, how many are reached alike.
fn ways<'b>(
    world: &World,
    alike: impl IntoIterator<Item = (&'b Arc<Bearing>, u64)>,
    package: Option<&str>,
) -> BTreeMap<Way<'b>, u64> {
    let mut ways = BTreeMap::new();
    for (bearing, assets) in alike {
        let zone = bearing.zone.as_ref().filter(|_| world.detections.any_stands());
        let way = (arrival(world, bearing, package), bearing.controls.as_slice(), zone);
        *ways.entry(way).or_default() += assets;
    }
    ways
}

/// What is lost if nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AtStake<'b> {
    /// In all.
    pub(crate) removes: RiskPoints,
    /// A bearing of the context whose assets lose most by one vulnerability.
    pub(crate) most: Option<&'b Arc<Bearing>>,
}

/// What such assets lose by what these reasons name; in a package where it is one.
pub(crate) fn at_stake<'b>(
    world: &World,
    package: Option<&str>,
    reasons: Reasons<'_>,
    bearings: &'b Bearings,
    attacks: &'b [Attack<'_>],
) -> AtStake<'b> {
    let nothing = Intel::default();
    let intel = |id: &VulnerabilityId| world.intel.get(id).map_or(&nothing, Arc::as_ref);
    let dangers: Vec<(&VulnerabilityId, Danger)> =
        reasons.counted().map(|id| (id, danger(intel(id)))).collect();
    let (mut removes, mut most) = (0_u64, None);
    for (bearing, alike) in bearings.by_context() {
        let stake = stake(bearing);
        let ways = ways(world, alike, package);
        for danger in &dangers {
            let loss = loss_of(world, *danger, stake, &ways);
            removes = removes.saturating_add(loss);
            if most.is_none_or(|(other, _)| loss >= other) {
                most = Some((loss, bearing));
            }
        }
    }
    // What attacks add to what is counted already.
    for attack in attacks {
        let usual = (attack.vulnerability, danger(intel(attack.vulnerability)));
        for (bearing, alike) in attack.bearings.by_context() {
            let stake = stake(bearing);
            let assets = alike.iter().map(|(_, assets)| assets).sum();
            let certain = attacked(stake).loss().saturating_mul(assets);
            let usual = loss_of(world, usual, stake, &ways(world, alike, package));
            removes = removes.saturating_add(certain.saturating_sub(usual));
            if most.is_none_or(|(other, _)| certain >= other) {
                most = Some((certain, bearing));
            }
        }
    }
    AtStake { removes: RiskPoints(removes), most: most.map(|(_, bearing)| bearing) }
}

fn loss_of(
    world: &World,
    (about, danger): (&VulnerabilityId, Danger),
    stake: Stake,
    ways: &BTreeMap<Way<'_>, u64>,
) -> u64 {
    let each = ways.iter().map(|((arrival, controls, zone), assets)| {
        let strongest = world.controls.strongest(controls, about, danger.vector);
        let leaves = strongest.map(|(_, state)| state.control.leaves);
        let danger = danger.near(world.detections.nearby(about, *zone));
        factors(danger, stake, *arrival, leaves).loss().saturating_mul(*assets)
    });
    each.fold(0, u64::saturating_add)
}

/// The priority of doing it.
pub(crate) fn prioritise(world: &World, subject: &Subject<'_>) -> Priority {
    let facts = subject.facts(world);
    let clocks = clocks(world, subject, &facts);
    let package = Some(subject.package);
    let stake = at_stake(world, package, subject.reasons, subject.bearings, &subject.attacks);
    Priority {
        decision: decision(world, &facts),
        due: clocks.first().map(|clock| clock.due),
        removes: stake.removes,
        because: because(world, subject, &facts, stake.most),
        clocks,
    }
}

/// Whether the due date of an earlier priority still binds: not where an input that had to be assumed is known now.
pub(crate) fn is_bound(before: &Priority, now: &Priority) -> bool {
    let assumed = |priority: &Priority, column: &str| {
        priority.decision.inputs.iter().any(|input| input.assumed && input.column == column)
    };
    before.decision.inputs.iter().all(|input| !input.assumed || assumed(now, &input.column))
}

/// Whether it is due when it is because attacks by a vulnerability were seen.
pub(crate) fn is_due_by_attack(priority: &Priority, about: &VulnerabilityId) -> bool {
    let is = |clock: &Clock| rules::is_of_attack(clock) && clock.vulnerability == *about;
    priority.clocks.iter().any(|clock| is(clock) && Some(clock.due) == priority.due)
}

/// The most urgent row of all; of several the one of the most likely exploited vulnerability.
fn decision(world: &World, facts: &[(Facts, u64)]) -> Decision {
    let table = world.rules().table;
    let filled = facts.iter().map(|(facts, _)| (facts, rules::fill(table, facts)));
    let urgent = filled.max_by_key(|(facts, filled)| {
        let urgency = rules::urgency(table, filled.inputs.decide().outcome);
        // Of equals the one that is named first.
        (urgency, facts.threat.value, Reverse(&facts.vulnerability))
    });
    let Some((deciding, filled)) = urgent else {
        // A directive closes something on some asset; without either there is nothing to decide.
        return Decision {
            table: String::new(),
            row: 0,
            outcome: String::new(),
            forensics: false,
            assumed: Vec::new(),
            vulnerability: None,
            inputs: Vec::new(),
        };
    };
    let decided = filled.inputs.decide();
    let inputs = filled.recorded();
    let assumed = inputs.iter().filter(|input| input.assumed);
    let by_directive = world.rules().clocks.contains(&ClockRule::Bod2604);
    let forensics =
        |facts: &Facts| bod_26_04::asks_for_forensics(rules::bod(facts).table_inputs().decide().outcome);
    Decision {
        table: decided.table.to_string(),
        row: decided.row,
        outcome: decided.outcome.to_owned(),
        forensics: bod_26_04::asks_for_forensics(decided.outcome)
            || (by_directive && facts.iter().any(|(facts, _)| forensics(facts))),
        assumed: assumed.map(|input| input.basis.fact.clone()).collect(),
        vulnerability: Some(deciding.vulnerability.clone()),
        inputs,
    }
}

/// Of every rule that sets a date the earliest one, the earliest first.
fn clocks(world: &World, subject: &Subject<'_>, facts: &[(Facts, u64)]) -> Vec<Clock> {
    let advisories = subject.reasons.advisories.iter().filter_map(|id| world.advisory(id));
    let mut released: BTreeMap<&VulnerabilityId, Timestamp> = BTreeMap::new();
    for advisory in advisories {
        let Some(published) = advisory.published else { continue };
        for id in advisory.vulnerabilities() {
            released.entry(id).and_modify(|at| *at = published.min(*at)).or_insert(published);
        }
    }
    let vdr = world.rules().vdr.as_ref().map(|vdr| (vdr.class, vdr.pain_of(subject.group)));
    let began = |facts: &Facts| (subject.raised, released.get(&facts.vulnerability).copied());
    let published =
        world.rules().clocks.iter().filter(|rule| !world.regulations.replace(**rule, subject.raised));
    let published =
        published.filter_map(|rule| first(facts, |facts| rules::date(*rule, facts, began(facts), vdr)));
    let adopted = world.regulations.counting(subject.raised);
    let adopted = adopted.filter_map(|one| first(facts, |facts| rules::date_by(one, facts, began(facts))));
    let attacked = facts.iter().filter_map(|(facts, _)| rules::answer(facts));
    let attacked = attacked.min_by_key(|clock| (clock.due, clock.vulnerability.clone()));
    let mut clocks: Vec<Clock> = published.chain(adopted).chain(attacked).collect();
    clocks.sort_by_key(|clock| clock.due);
    clocks
}

/// The earliest date of a rule; `None` where it sets none.
fn first<'t>(facts: &[(Facts, u64)], date: impl Fn(&Facts) -> Option<Date<'t>>) -> Option<Clock> {
    let dates = facts.iter().filter_map(|(facts, _)| date(facts).map(|date| (facts, date)));
    let (facts, date) = dates.min_by_key(|(facts, date)| (date.due, facts.vulnerability.clone()))?;
    Some(Clock {
        rule: date.decided.table.to_string(),
        row: date.decided.row,
        outcome: date.outcome,
        vulnerability: facts.vulnerability.clone(),
        since: date.since,
        due: date.due,
    })
}

/// Of each vulnerability what was seen of it that says most about any of these assets, unless it is as likely anyway.
fn seen_near<'a>(world: &'a World, subject: &'a Subject<'_>) -> impl Iterator<Item = Basis> + 'a {
    let zones: BTreeSet<Option<&ZoneName>> =
        subject.bearings.iter().map(|(bearing, _)| bearing.zone.as_ref()).collect();
    let strongest = move |id: &VulnerabilityId| {
        let near = zones.iter().filter_map(|zone| world.detections.nearby(id, *zone));
        near.max_by_key(|nearby| nearby.probability)
    };
    let listed = |id: &VulnerabilityId| world.intel.get(id).is_some_and(|intel| intel.kev.is_some());
    let ids = subject.reasons.counted().filter(move |id| !listed(id));
    ids.filter_map(strongest).map(|nearby| nearby.basis())
}

/// The reasons for people: what attacks were seen, what is exploited, what is likely to be, what is stated of the assets that lose most, and who says
/// so.
fn because(
    world: &World,
    subject: &Subject<'_>,
    facts: &[(Facts, u64)],
    most: Option<&Arc<Bearing>>,
) -> Vec<Basis> {
    let mut seen = BTreeSet::new();
    let mut known: Vec<&Facts> =
        facts.iter().map(|(facts, _)| facts).filter(|facts| !facts.threat.assumed()).collect();
    known.sort_by(|a, b| {
        let key = |facts: &Facts| (facts.attacked.is_some(), facts.in_kev.value, facts.threat.value);
        key(b).cmp(&key(a)).then_with(|| a.vulnerability.cmp(&b.vulnerability))
    });
    known.retain(|facts| seen.insert(&facts.vulnerability));
    let mut because: Vec<Basis> = known
        .into_iter()
        .map(|facts| {
            let mut basis = facts.threat.basis.clone();
            if subject.reasons.claims.contains(&facts.vulnerability) {
                basis.fact.push_str(" (claimed by the vendor's changelog, unconfirmed)");
            }
            basis
        })
        .collect();
    because.extend(seen_near(world, subject));
    because.extend(most.into_iter().flat_map(|bearing| stated(bearing)));
    for id in subject.reasons.advisories {
        let advisory = world.advisory(id);
        let summary = advisory.map_or("", |advisory| advisory.summary.as_str());
        because.push(Basis {
            fact: format!("{id}: {summary}"),
            source: id.to_string(),
            as_of: advisory.and_then(|advisory| advisory.published),
        });
    }
    if subject.reasons.advisories.is_empty() {
        because.push(Basis {
            fact: "the host's own repository offers this as a security update; no advisory that Tenon holds explains it"
                .to_owned(),
            source: "the host's package manager".to_owned(),
            as_of: None,
        });
    }
    if because.len() > MAX_REASONS {
        let rest = because.len() - MAX_REASONS;
        because.truncate(MAX_REASONS);
        because.push(Basis { fact: format!("and {rest} more"), source: "tenon".to_owned(), as_of: None });
    }
    because
}
