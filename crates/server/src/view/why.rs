//! A priority explained, for people and programs.

use serde::{Deserialize, Serialize};
use tenon_engine::{Flip, Weighed, World, why, why_here};
use tenon_model::{AssetId, DirectiveId, RiskPoints, VulnerabilityId};
use utoipa::ToSchema;

use super::{BasisView, ClockView, DecisionView, FindingView, TableView, text};

/// Why a directive has its priority: the factors that multiply to what it removes, and what would flip its decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhyView {
    /// The table that decided, whole; absent where it was of a version that this program does not have.
    pub table: Option<TableView>,
    /// One for each vulnerability and kind of asset, the largest losses first.
    pub factors: Vec<FactorView>,
    /// The smallest change to a more urgent outcome and to a less urgent one, as far as there are any.
    pub flips: Vec<FlipView>,
}

/// Why one vulnerability on one asset has the priority that it has there, as if nothing else were to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingWhyView {
    /// The asset.
    pub asset: String,
    /// Its name.
    pub hostname: String,
    /// Where it stands there.
    pub finding: FindingView,
    /// The exception by which its risk is accepted there; absent where it is not.
    pub accepted: Option<String>,
    /// The open directive that closes it there; absent where none does.
    pub directive: Option<String>,
    /// When that is due, RFC 3339: it may be sooner, by what else it closes and where.
    pub directive_due: Option<String>,
    /// The decision.
    pub decision: DecisionView,
    /// The table that decided, whole; absent where it was of a version that this program does not have.
    pub table: Option<TableView>,
    /// When it would be due by itself, RFC 3339.
    pub due: Option<String>,
    /// Every rule that sets a date, the earliest first.
    pub clocks: Vec<ClockView>,
    /// Risk points that closing it there removes.
    pub removes: String,
    /// The factors that multiply to them.
    pub factor: FactorView,
    /// The smallest change to a more urgent outcome and to a less urgent one, as far as there are any.
    pub flips: Vec<FlipView>,
}

/// Threat x reach x impact x controls of one vulnerability on alike assets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FactorView {
    /// The vulnerability.
    pub vulnerability: String,
    /// On so many assets.
    pub assets: u64,
    /// Probability of exploitation in 30 days, in parts per million.
    pub threat_ppm: u64,
    /// Whether an attacker can deliver it there, in parts per million.
    pub reach_ppm: u64,
    /// What is lost if so, in parts per million.
    pub impact_ppm: u64,
    /// What compensating controls leave over, in parts per million: 1,000,000 where none stands there.
    pub controls_ppm: u64,
    /// Which control that is, of several the strongest; absent where none stands there.
    pub control: Option<BasisView>,
    /// Their product on all of these assets, in risk points.
    pub points: String,
    /// Why each has its value: the first of these threat, the last impact, those between reach.
    pub because: Vec<BasisView>,
}

/// A smallest change that leads to another outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlipView {
    /// What changes, all of it: what is stated about the assets first.
    pub set: Vec<SetView>,
    /// Whether the new outcome is more urgent.
    pub sooner: bool,
    /// The outcome then.
    pub outcome: String,
}

/// A column of the table set to another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SetView {
    /// The vulnerability whose column it is, on all assets; absent where it is what is stated about the assets, for all of them.
    pub vulnerability: Option<String>,
    /// Column, as published.
    pub column: String,
    /// Values that it has, in published order; several where assets differ.
    pub from: Vec<String>,
    /// Value that it must have.
    pub to: String,
}

impl WhyView {
    /// Explains a directive; `None` where there is none of this id.
    pub fn of(world: &World, id: &DirectiveId) -> Option<Self> {
        let why = why(world, id)?;
        Some(Self {
            table: TableView::of(&world.directive(id)?.directive.priority.decision.table),
            factors: why.factors.iter().map(FactorView::of).collect(),
            flips: why.flips.into_iter().map(FlipView::of).collect(),
        })
    }
}

impl FindingWhyView {
    /// Explains a vulnerability on an asset; `None` where it is not open there.
    pub fn of(world: &World, asset: &AssetId, about: &VulnerabilityId) -> Option<Self> {
        let here = why_here(world, asset, about)?;
        let priority = &here.priority;
        let due_of = |id: &DirectiveId| world.directive(id)?.directive.priority.due;
        Some(Self {
            asset: asset.to_string(),
            hostname: world.asset(asset)?.hostname.clone(),
            accepted: here.accepted.map(|id| id.to_string()),
            directive: here.directive.map(|id| id.to_string()),
            directive_due: text(here.directive.as_ref().and_then(due_of)),
            decision: DecisionView::of(&priority.decision),
            table: TableView::of(&priority.decision.table),
            due: text(priority.due),
            clocks: priority.clocks.iter().map(ClockView::of).collect(),
            removes: priority.removes.to_string(),
            factor: FactorView::of(here.why.factors.first()?),
            flips: here.why.flips.into_iter().map(FlipView::of).collect(),
            finding: FindingView::of(here.finding),
        })
    }
}

impl FactorView {
    fn of(weighed: &Weighed) -> Self {
        let because = [&weighed.threat].into_iter().chain(&weighed.reach).chain([&weighed.impact]);
        Self {
            vulnerability: weighed.vulnerability.to_string(),
            assets: weighed.assets,
            threat_ppm: weighed.factors.threat,
            reach_ppm: weighed.factors.reach,
            impact_ppm: weighed.factors.impact,
            controls_ppm: weighed.factors.controls,
            control: weighed.control.as_ref().map(BasisView::of),
            points: RiskPoints(weighed.factors.loss().saturating_mul(weighed.assets)).to_string(),
            because: because.map(BasisView::of).collect(),
        }
    }
}

impl FlipView {
    fn of(flip: Flip) -> Self {
        let set = flip.set.into_iter().map(|one| SetView {
            vulnerability: one.vulnerability.map(|id| id.to_string()),
            column: one.column,
            from: one.from,
            to: one.to,
        });
        Self { set: set.collect(), sooner: flip.sooner, outcome: flip.outcome }
    }
}
