//! A priority explained: the factors that multiply to the expected loss, and the smallest changes that flip the decision.

use std::collections::BTreeMap;

use serde::Serialize;
use tenon_model::{
    AssetId, AssetSet, Basis, DecisionTable, DirectiveId, ExceptionId, Priority, VulnerabilityId,
};
use tenon_risk::tables::{Direction, Inputs, Joint};

use super::facts::Facts;
use super::facts::{danger, stake};
use super::{Factors, Reasons, Subject, arrival, loss, prioritise, rules};
use crate::approach;
use crate::context::Bearings;
use crate::controls;
use crate::findings::{Finding, findings};
use crate::world::World;

/// The factors of one vulnerability on assets of one context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Weighed {
    /// The vulnerability.
    pub vulnerability: VulnerabilityId,
    /// How many assets.
    pub assets: u64,
    /// The factors on one of them.
    pub factors: Factors,
    /// Why threat has its value.
    pub threat: Basis,
    /// Why reach has its value: the attack vector, and how attackers get there over zones and flows, or where that does not tell,
    /// the exposure; the attack alone where one was seen.
    pub reach: Vec<Basis>,
    /// Why impact has its value.
    pub impact: Basis,
    /// Which control stands there, of several the strongest; `None` where none does.
    pub control: Option<Basis>,
}

/// A column set to another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlipSet {
    /// The vulnerability whose column it is, on all assets; `None` where it is what is stated about the assets, for all of them.
    pub vulnerability: Option<VulnerabilityId>,
    /// Column, as published.
    pub column: String,
    /// Values that it has, in published order, without `to`; several where assets differ.
    pub from: Vec<String>,
    /// Value that it must have.
    pub to: String,
}

/// A smallest change that leads to another outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flip {
    /// What changes, all of it: what is stated about the assets first.
    pub set: Vec<FlipSet>,
    /// Whether the new outcome is more urgent.
    pub sooner: bool,
    /// The outcome then.
    pub outcome: String,
}

/// A directive's priority, explained from the World as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    /// The largest losses first.
    pub factors: Vec<Weighed>,
    /// The smallest change to a more urgent outcome and the smallest to a less urgent one, as far as there are any.
    pub flips: Vec<Flip>,
}

/// Explains a directive; `None` where there is none of this id. Assets that do not want it any more do not count.
pub fn why(world: &World, id: &DirectiveId) -> Option<Why> {
    let state = world.directive(id)?;
    let directive = &state.directive;
    let reasons = Reasons::from(directive);
    let attacks = world.attacks(reasons.counted(), |id| state.wanting_for(id));
    let (package, bearings) = (state.source().name.as_str(), state.bearings());
    let group = &directive.group;
    Some(explain(world, &Subject { package, group, reasons, bearings, attacks, raised: state.raised }))
}

/// One vulnerability on one asset, as if nothing else were to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyHere {
    /// Where it stands there.
    pub finding: Finding,
    /// The exception by which its risk is accepted there.
    pub accepted: Option<ExceptionId>,
    /// The open directive that closes it there.
    pub directive: Option<DirectiveId>,
    /// What the rules make of it alone. That of the directive may be more urgent, by what else it closes and where.
    pub priority: Priority,
    /// The same explained.
    pub why: Why,
}

/// Explains a vulnerability on an asset; `None` where it is not open there. Its clocks run from when the directive that closes it
/// was raised, or where there is none from when it opened.
pub fn why_here(world: &World, asset: &AssetId, about: &VulnerabilityId) -> Option<WhyHere> {
    let (ordinal, state) = (world.ordinal(asset)?, world.asset(asset)?);
    let found = findings(world, state);
    let open = found.findings.into_iter().map(|finding| (finding, None));
    let accepted = found.accepted.into_iter().map(|(finding, exception)| (finding, Some(exception)));
    let (finding, accepted) = open.chain(accepted).find(|(finding, _)| finding.vulnerability == *about)?;
    let answering = world.open_directives().find(|(_, state)| state.is_wanted_for(about, ordinal));
    let mut bearings = Bearings::default();
    bearings.add(state.bearing(), 1);
    let advisories = [finding.advisory.clone()];
    let reasons = Reasons { advisories: &advisories, ..Reasons::of_one(about) };
    let attacks = world.attacks(reasons.counted(), |_| AssetSet::in_order(&[ordinal]));
    let raised = answering.map_or(finding.opened, |(_, state)| state.raised);
    let package = finding.source.name.as_str();
    let subject = Subject { package, group: &state.group, reasons, bearings: &bearings, attacks, raised };
    let (priority, why) = (prioritise(world, &subject), explain(world, &subject));
    Some(WhyHere { finding, accepted, directive: answering.map(|(id, _)| id), priority, why })
}

fn explain(world: &World, subject: &Subject<'_>) -> Why {
    let facts = subject.facts(world);
    let mut factors = weighed(world, subject);
    factors.sort_by_key(|one| {
        (std::cmp::Reverse(one.factors.loss().saturating_mul(one.assets)), one.vulnerability.clone())
    });
    Why { factors, flips: flips(world.rules().table, &facts) }
}

/// The factors of every vulnerability, for each context and place of assets.
fn weighed(world: &World, subject: &Subject<'_>) -> Vec<Weighed> {
    let parts =
        subject.facts_of(world, subject.bearings.iter(), |attack, bearing| attack.bearings.count(bearing));
    let mut all: Vec<Weighed> = Vec::new();
    let mut known: BTreeMap<(VulnerabilityId, Factors), Vec<usize>> = BTreeMap::new();
    for (mut facts, bearing, assets) in parts {
        let stake = stake(bearing);
        let (factors, reach, control) = if facts.attacked.is_some() {
            (loss::attacked(stake), vec![facts.threat.basis.clone()], None)
        } else {
            let nearby = world.detections.nearby(&facts.vulnerability, bearing.zone.as_ref());
            let danger = danger(&world.intel(&facts.vulnerability)).near(nearby);
            if let Some(seen) = nearby.filter(|_| facts.kev.is_none()).map(|nearby| nearby.basis()) {
                let threat = &mut facts.threat.basis;
                threat.fact = format!("{}; {}", threat.fact, seen.fact);
                threat.source = format!("{}; {}", threat.source, seen.source);
                threat.as_of = threat.as_of.max(seen.as_of);
            }
            let arrival = arrival(world, bearing, Some(subject.package));
            let told = arrival.and_then(|arrival| {
                loss::reached(danger, arrival)?;
                approach::basis(world, bearing.footing.as_ref()?, arrival, subject.package)
            });
            let second = told.unwrap_or_else(|| facts.exposure.basis.clone());
            let control = world.controls.strongest(&bearing.controls, &facts.vulnerability, danger.vector);
            let leaves = control.map(|(_, state)| state.control.leaves);
            let control = control.map(|(id, state)| controls::basis(id, state));
            (
                loss::factors(danger, stake, arrival, leaves),
                vec![facts.distance.basis.clone(), second],
                control,
            )
        };
        let (threat, impact) = (facts.threat.basis.clone(), loss::impact_basis(&facts));
        let vulnerability = facts.vulnerability;
        let alike = known.entry((vulnerability.clone(), factors)).or_default();
        // What differs in nothing that is told is told once.
        let same = |at: &&usize| {
            let one = all.get(**at);
            one.is_some_and(|one| one.reach == reach && one.impact == impact && one.control == control)
        };
        match alike.iter().find(same).and_then(|at| all.get_mut(*at)) {
            Some(same) => same.assets += assets,
            None => {
                alike.push(all.len());
                all.push(Weighed { vulnerability, assets, factors, threat, reach, impact, control });
            }
        }
    }
    all
}

/// Columns that hold what is stated about assets, by their published names.
const OF_ASSETS: [&str; 4] =
    ["Publicly Exposed", "System Exposure", "Human Impact", "Mission and Well-Being Impact"];

fn is_of_assets(column: &str) -> bool {
    OF_ASSETS.iter().any(|name| column.starts_with(name))
}

/// The smallest change to a more urgent outcome and the smallest to a less urgent one. What is stated of a vulnerability changes for all
/// assets, what is stated about assets for all of them and all vulnerabilities.
fn flips(table: DecisionTable, facts: &[(Facts, u64)]) -> Vec<Flip> {
    let mut subjects: Vec<(&VulnerabilityId, Vec<Inputs<'static>>)> = Vec::new();
    let mut known: BTreeMap<&VulnerabilityId, usize> = BTreeMap::new();
    for (facts, _) in facts {
        let at = *known.entry(&facts.vulnerability).or_insert(subjects.len());
        let inputs = rules::fill(table, facts).inputs;
        match subjects.get_mut(at) {
            Some((_, all)) => all.push(inputs),
            None => subjects.push((&facts.vulnerability, vec![inputs])),
        }
    }
    let (ids, inputs): (Vec<&VulnerabilityId>, Vec<Vec<Inputs<'static>>>) = subjects.into_iter().unzip();
    let Some(published) = inputs.iter().flatten().next().map(Inputs::table) else { return Vec::new() };
    let joint = Joint::new(published, inputs, is_of_assets, |outcome| rules::urgency(table, outcome));
    let flip = |direction| {
        let change = joint.smallest_change(direction)?;
        let set = change.set.into_iter().map(|one| FlipSet {
            vulnerability: one.subject.and_then(|at| ids.get(at)).map(|id| (*id).clone()),
            column: one.column.to_owned(),
            from: one.from.into_iter().map(str::to_owned).collect(),
            to: one.to.to_owned(),
        });
        Some(Flip {
            set: set.collect(),
            sooner: direction == Direction::Sooner,
            outcome: change.decided.outcome.to_owned(),
        })
    };
    [Direction::Sooner, Direction::Later].into_iter().filter_map(flip).collect()
}
