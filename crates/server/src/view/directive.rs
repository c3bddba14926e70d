//! A directive as people see it: what, why, where, how far.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenon_engine::{Asker, AssetState, DirectiveState, OrderState, World};
use tenon_model::{
    AssetOrdinal, Basis, Clock, Decision, DecisionInput, DirectiveId, OrderAction, Outcome, Stage, Undo,
};
use utoipa::ToSchema;

use super::asset::observe_only;
use super::evidence::{EvidenceCountsView, EvidenceView};
use super::rollout::{RolloutView, away, unsealed, unsigned, why_not_yet};
use super::signatures::SignaturesView;
use super::{AssigneeView, DetectionView, NoteView, PackageView, mode, text};

/// Most assets of a directive that one answer shows besides those on which work has begun.
const MAX_OTHERS: usize = 200;

/// A directive: what must be done, why, by when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DirectiveView {
    /// Its id.
    pub id: String,
    /// The action in words.
    pub title: String,
    /// Whose work it is.
    pub group: String,
    /// Whether the agents of that group may act: `observe` or `act`.
    pub mode: String,
    /// Source package.
    pub source: String,
    /// Source version to reach.
    pub version: String,
    /// Vulnerabilities that a published advisory says this closes; none for a security update that only the host's own
    /// repository tells of.
    pub closes: Vec<String>,
    /// CVE ids that only the vendor's changelog claims.
    pub claims: Vec<String>,
    /// The advisories.
    pub advisories: Vec<String>,
    /// The table row.
    pub decision: DecisionView,
    /// When it is due, RFC 3339.
    pub due: Option<String>,
    /// Every rule that sets a date, the earliest first.
    pub clocks: Vec<ClockView>,
    /// Risk points that doing it removes.
    pub removes: String,
    /// The reasons.
    pub because: Vec<BasisView>,
    /// Attacks that were seen on its assets by what it closes there, and count, the last first.
    pub attacks: Vec<DetectionView>,
    /// On how many assets.
    pub asset_count: u64,
    /// How many of them are in which stage, by its name.
    pub stages: BTreeMap<String, u64>,
    /// Where, and how far: every asset on which work has begun, and at most 200 of the others.
    pub assets: Vec<DirectiveAssetView>,
    /// In which waves what is approved is applied; absent before anything was.
    pub rollout: Option<RolloutView>,
    /// How many assets have the evidence that its row asks for; absent where it asks for none.
    pub evidence: Option<EvidenceCountsView>,
    /// When it was raised, RFC 3339.
    pub raised: String,
    /// Who does it; absent where nobody does.
    pub assignee: Option<AssigneeView>,
    /// Whether it is disputed and nobody has answered: nothing of it is approved meanwhile.
    pub disputed: bool,
    /// What people said of it, in order.
    pub thread: Vec<NoteView>,
    /// How and when it ended.
    pub closed: Option<String>,
    /// How it ended, in a word: `fixed`, `superseded`, `withdrawn` or `refused`; absent while it is open.
    pub ended: Option<String>,
}

/// The row of the table that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecisionView {
    /// Table and version.
    pub table: String,
    /// Row as published.
    pub row: u32,
    /// Outcome as published.
    pub outcome: String,
    /// Whether evidence is asked for before anything changes.
    pub forensics: bool,
    /// What is not known and was assumed.
    pub assumed: Vec<String>,
    /// The vulnerability whose row this is: of several the most urgent.
    pub vulnerability: Option<String>,
    /// What was put into the table, by column.
    pub inputs: Vec<InputView>,
}

/// The value of one column of a decision table, and why it has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InputView {
    /// Column, as published.
    pub column: String,
    /// Value, as published.
    pub value: String,
    /// Whether nothing is known and this was assumed.
    pub assumed: bool,
    /// Why it has this value.
    #[serde(flatten)]
    pub basis: BasisView,
}

/// A due-date rule at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClockView {
    /// Table and version.
    pub rule: String,
    /// Row as published.
    pub row: u32,
    /// Outcome as published.
    pub outcome: String,
    /// The vulnerability that is due first by this rule.
    pub vulnerability: String,
    /// When its clock started, RFC 3339.
    pub since: String,
    /// When it is due, RFC 3339.
    pub due: String,
}

/// One input of a priority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BasisView {
    /// What is claimed.
    pub fact: String,
    /// Who says so.
    pub source: String,
    /// As of when.
    pub as_of: Option<String>,
}

/// A directive on one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DirectiveAssetView {
    /// The asset.
    pub id: String,
    /// Its name.
    pub hostname: String,
    /// Why its agent cannot act, where it cannot.
    pub observe_only: Option<String>,
    /// What changes there.
    pub packages: Vec<PackageView>,
    /// How far it is.
    pub stage: StageView,
    /// What the policy says of it, in words: who approves, and by which rule it was approved; absent where no policy is set, or
    /// nothing waits for it.
    pub policy: Option<String>,
    /// Who has approved so far, where the policy asks for several people.
    pub approved_by: Vec<String>,
    /// The signatures that the host asks for, with keys that the server does not have; absent where it asks for none, and while
    /// nothing waits for them.
    pub signatures: Option<SignaturesView>,
    /// What is preserved before it is changed; absent where the row asks for none.
    pub evidence: Option<EvidenceView>,
    /// What the rehearsal proved about taking it back: `proven`, `possible` or `not-possible`, with the reason.
    pub undo: Option<String>,
    /// Units that the rehearsal says are touched.
    pub units: Vec<String>,
    /// How long the rehearsal took, in milliseconds.
    pub rehearsed_ms: Option<u64>,
    /// Every order that was made for this asset, oldest first.
    pub orders: Vec<OrderView>,
}

/// How far a directive is on an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StageView {
    /// `proposed`, `rehearsing`, `awaiting-approval`, `approved`, `applying`, `applied`, `verified`,
    /// `fixed-otherwise`, `needs-person`, `rolled-back` or `failed`.
    pub name: String,
    /// Why, where a reason was given.
    pub reason: Option<String>,
    /// The order that is out.
    pub order: Option<String>,
    /// Digest of the report that speaks of it: fetch it under `/api/v1/reports/`.
    pub report: Option<String>,
    /// Whether it stands still until a person asks for another attempt.
    pub retry: bool,
    /// Who is waited for: whoever does the directive, where it cannot go on here without a person. Absent where it can, and
    /// where nobody does it.
    pub owner: Option<AssigneeView>,
}

/// An order and what the host answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderView {
    /// Its id.
    pub id: String,
    /// `rehearse`, `preserve-evidence` or `apply`.
    pub action: String,
    /// When it was issued, RFC 3339.
    pub issued: String,
    /// When the host answered, RFC 3339; absent while it has not.
    pub answered: Option<String>,
    /// Digest of the answer: fetch it under `/api/v1/reports/`. Absent for evidence, which takes another right.
    pub report: Option<String>,
}

impl BasisView {
    pub(super) fn of(basis: &Basis) -> Self {
        Self { fact: basis.fact.clone(), source: basis.source.clone(), as_of: text(basis.as_of) }
    }
}

impl InputView {
    fn of(input: &DecisionInput) -> Self {
        Self {
            column: input.column.clone(),
            value: input.value.clone(),
            assumed: input.assumed,
            basis: BasisView::of(&input.basis),
        }
    }
}

impl DecisionView {
    pub(super) fn of(decision: &Decision) -> Self {
        Self {
            table: decision.table.clone(),
            row: decision.row,
            outcome: decision.outcome.clone(),
            forensics: decision.forensics,
            assumed: decision.assumed.clone(),
            vulnerability: decision.vulnerability.as_ref().map(ToString::to_string),
            inputs: decision.inputs.iter().map(InputView::of).collect(),
        }
    }
}

impl ClockView {
    pub(super) fn of(clock: &Clock) -> Self {
        Self {
            rule: clock.rule.clone(),
            row: clock.row,
            outcome: clock.outcome.clone(),
            vulnerability: clock.vulnerability.to_string(),
            since: clock.since.to_string(),
            due: clock.due.to_string(),
        }
    }
}

impl DirectiveView {
    pub(crate) fn of(world: &World, id: DirectiveId, state: &DirectiveState) -> Self {
        let directive = &state.directive;
        let source = state.source();
        let priority = &directive.priority;
        let ids = |ids: &[tenon_model::VulnerabilityId]| ids.iter().map(ToString::to_string).collect();
        Self {
            id: id.to_string(),
            title: directive.action.to_string(),
            group: directive.group.to_string(),
            mode: mode(world, &directive.group).to_owned(),
            source: source.name.clone(),
            version: source.version.clone(),
            closes: directive
                .closes
                .iter()
                .filter(|id| !id.is_vendor_update())
                .map(ToString::to_string)
                .collect(),
            claims: ids(&directive.claims),
            advisories: ids(&directive.advisories),
            decision: DecisionView::of(&priority.decision),
            due: text(priority.due),
            clocks: priority.clocks.iter().map(ClockView::of).collect(),
            removes: priority.removes.to_string(),
            because: priority.because.iter().map(BasisView::of).collect(),
            attacks: DetectionView::standing(world, |attack| {
                let about = &attack.detection.vulnerability;
                attack.asset.is_some_and(|asset| state.is_wanted_for(about, asset))
            }),
            asset_count: state.members.len(),
            stages: counts(state),
            assets: shown(state).map(|(asset, stage)| on_asset(world, state, asset, stage)).collect(),
            rollout: state.rollout.as_ref().map(|rollout| RolloutView::of(world, state, rollout)),
            evidence: EvidenceCountsView::of(state),
            raised: state.raised.to_string(),
            assignee: AssigneeView::on(state),
            disputed: state.disputed().is_some(),
            thread: state.thread.iter().map(NoteView::of).collect(),
            closed: state.closed.as_ref().map(|(time, outcome)| format!("{} at {time}", ending(outcome))),
            ended: state.closed.as_ref().map(|(_, outcome)| ending_in_a_word(outcome).to_owned()),
        }
    }
}

/// How many assets are in which stage.
pub(super) fn counts(state: &DirectiveState) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let mut count = |name: &str, more: u64| {
        if more > 0 {
            *counts.entry(name.to_owned()).or_default() += more;
        }
    };
    let mut begun = 0;
    for (_, stage) in state.begun() {
        count(&StageView::of(stage).name, 1);
        begun += 1;
    }
    let (verified, otherwise) = state.done_by();
    count("verified", verified);
    count("fixed-otherwise", otherwise);
    count("proposed", state.members.len().saturating_sub(begun + verified + otherwise));
    counts
}

/// The assets that are shown: those on which work has begun, then those that wait, then those that are done.
fn shown(state: &DirectiveState) -> impl Iterator<Item = (AssetOrdinal, &Stage)> {
    let (waiting, done) = (state.proposed(), state.done());
    let others: Vec<AssetOrdinal> = waiting.iter().chain(done.iter()).take(MAX_OTHERS).collect();
    let others = others.into_iter().filter_map(|asset| Some((asset, state.stage(asset)?)));
    state.begun().chain(others)
}

fn on_asset(
    world: &World,
    state: &DirectiveState,
    ordinal: AssetOrdinal,
    stage: &Stage,
) -> DirectiveAssetView {
    let rehearsal = state.rehearsals.get(&ordinal);
    let asset = world.asset_at(ordinal);
    DirectiveAssetView {
        id: asset.map_or_else(String::new, |asset| asset.id.to_string()),
        hostname: asset.map_or_else(String::new, |asset| asset.hostname.clone()),
        observe_only: asset.and_then(observe_only),
        packages: state
            .targets(ordinal)
            .into_iter()
            .flat_map(|targets| targets.iter())
            .map(PackageView::of)
            .collect(),
        stage: stage_on(world, state, ordinal, stage),
        policy: by_policy(world, state, ordinal, stage),
        approved_by: state
            .given(ordinal)
            .map_or(Vec::new(), |given| given.by.iter().map(ToString::to_string).collect()),
        signatures: SignaturesView::on(world, state, ordinal, stage),
        evidence: EvidenceView::on(world, state, ordinal),
        undo: rehearsal.map(|report| match &report.undo {
            Undo::Proven => "proven".to_owned(),
            Undo::Possible { reason } => format!("possible: {reason}"),
            Undo::NotPossible { reason } => format!("not-possible: {reason}"),
        }),
        units: rehearsal
            .map_or(Vec::new(), |report| report.units.iter().map(|unit| unit.0.clone()).collect()),
        rehearsed_ms: rehearsal.map(|report| report.duration_ms),
        orders: state
            .orders
            .iter()
            .filter_map(|id| world.order(id))
            .filter(|order| asset.is_some_and(|asset| asset.id == order.order.asset))
            .map(OrderView::of)
            .collect(),
    }
}

/// What the policy says of a directive on an asset.
pub(super) fn by_policy(
    world: &World,
    state: &DirectiveState,
    ordinal: AssetOrdinal,
    stage: &Stage,
) -> Option<String> {
    if let Some(by) = state.by_rule(ordinal) {
        return Some(format!("approved by policy, rule {} of version {}", by.rule, by.version));
    }
    let (known, now) = (world.policy()?, world.time()?);
    let waits = matches!(stage, Stage::Proposed | Stage::Rehearsing { .. } | Stage::AwaitingApproval { .. });
    if !waits || state.closed.is_some() {
        return None;
    }
    let ruling = Asker::new(world, state).ruling(ordinal, now);
    if ruling.verdict.is_none() {
        return Some("which rule matches depends on its rehearsal".to_owned());
    }
    let not_automatic =
        ruling.not_automatic.map(|why| format!("; it is not automatic: {why}")).unwrap_or_default();
    Some(format!(
        "approval {}, rule {} of version {}{not_automatic}",
        ruling.approval,
        ruling.rule(),
        known.version
    ))
}

/// A stage on an asset, with what it waits for where it waits, and for whom.
pub(super) fn stage_on(
    world: &World,
    state: &DirectiveState,
    ordinal: AssetOrdinal,
    stage: &Stage,
) -> StageView {
    let view = waiting_on(world, state, ordinal, stage);
    StageView { owner: AssigneeView::waited_for(world, state, ordinal, stage, &view), ..view }
}

fn waiting_on(world: &World, state: &DirectiveState, ordinal: AssetOrdinal, stage: &Stage) -> StageView {
    match stage {
        Stage::Approved { .. } => {
            StageView { reason: why_not_yet(world, state, ordinal), ..StageView::of(stage) }
        }
        Stage::AwaitingApproval { .. } => {
            let more = unsealed(world, state, ordinal).or_else(|| unsigned(world, state, ordinal));
            let reason = more.map(|more| format!("its rehearsal passed and waits for approval, and {more}"));
            StageView { reason, retry: state.missed_evidence(ordinal), ..StageView::of(stage) }
        }
        Stage::Proposed => StageView {
            reason: unsealed(world, state, ordinal).or_else(|| away(world, state, ordinal)),
            retry: state.missed_evidence(ordinal),
            ..StageView::of(stage)
        },
        _ => unconfirmed(world, state, world.asset_at(ordinal), stage),
    }
}

/// A stage, and for a change that the host reports as done what its confirmation waits for.
pub(super) fn unconfirmed(
    world: &World,
    state: &DirectiveState,
    asset: Option<&AssetState>,
    stage: &Stage,
) -> StageView {
    let view = StageView::of(stage);
    let (Stage::Applied { after_sequence, .. }, Some(asset)) = (stage, asset) else { return view };
    if asset.reported.is_none_or(|(sequence, _)| sequence <= *after_sequence) {
        return view;
    }
    let stale = stale_of(world, state, asset);
    let reason = if stale.is_empty() {
        "the host reported success, yet its later inventory shows an older version: look at the host, then retry".to_owned()
    } else {
        format!("waits until these no longer run the old code: {}", stale.join(", "))
    };
    StageView { retry: stale.is_empty(), reason: Some(reason), ..view }
}

/// Processes of an asset that run replaced code of the directive's source.
fn stale_of(world: &World, state: &DirectiveState, asset: &AssetState) -> Vec<String> {
    let source = state.source();
    let components = world.components_of(asset).unwrap_or_default();
    let of_source = |package: &String| {
        components.iter().any(|component| component.name == *package && component.source.name == source.name)
    };
    let stale = asset.profile().into_iter().flat_map(|profile| &profile.stale);
    let stale = stale.filter(|process| process.package.as_ref().is_some_and(of_source));
    stale.map(|process| format!("{} ({})", process.command, process.pid)).collect()
}

impl StageView {
    fn of(stage: &Stage) -> Self {
        let (name, reason, order, report) = match stage {
            Stage::Proposed => ("proposed", None, None, None),
            Stage::Rehearsing { order } => ("rehearsing", None, Some(*order), None),
            Stage::AwaitingApproval { report } => ("awaiting-approval", None, None, Some(*report)),
            Stage::Approved { report } => ("approved", None, None, Some(*report)),
            Stage::Applying { order, report } => ("applying", None, Some(*order), Some(*report)),
            Stage::Applied { report, .. } => ("applied", None, None, Some(*report)),
            Stage::Verified => ("verified", None, None, None),
            Stage::FixedOtherwise => ("fixed-otherwise", None, None, None),
            Stage::NeedsPerson { reason, report } => ("needs-person", Some(reason.clone()), None, *report),
            Stage::RolledBack { reason, report } => {
                ("rolled-back", Some(reason.clone()), None, Some(*report))
            }
            Stage::Failed { reason, report } => ("failed", Some(reason.clone()), None, *report),
        };
        Self {
            name: name.to_owned(),
            reason,
            order: order.map(|order| order.to_string()),
            report: report.map(|report| report.to_string()),
            retry: matches!(
                stage,
                Stage::NeedsPerson { .. } | Stage::RolledBack { .. } | Stage::Failed { .. }
            ),
            owner: None,
        }
    }
}

impl OrderView {
    fn of(state: &OrderState) -> Self {
        let preserves = matches!(state.order.action, OrderAction::PreserveEvidence { .. });
        let report = state.report.filter(|_| !preserves);
        Self {
            id: state.order.id.to_string(),
            action: state.order.action.name().to_owned(),
            issued: state.order.issued.to_string(),
            answered: text(state.report.map(|(time, _)| time)),
            report: report.map(|(_, report)| report.to_string()),
        }
    }
}

fn ending_in_a_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Fixed => "fixed",
        Outcome::Superseded { .. } => "superseded",
        Outcome::Withdrawn { .. } => "withdrawn",
        Outcome::Refused { .. } => "refused",
    }
}

pub(super) fn ending(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Fixed => "fixed".to_owned(),
        Outcome::Superseded { by } => format!("superseded by {by}"),
        Outcome::Withdrawn { reason } => format!("withdrawn: {reason}"),
        Outcome::Refused { by, why } => format!("refused by {by}: {why}"),
    }
}
