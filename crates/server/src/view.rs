//! What people and programs see of the World: plain data, computed on request, never stored.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tenon_engine::{AssetState, DirectiveState, FindingState, GroupMode, OrderState, World, findings};
use tenon_model::{
    Action, AssetId, Capability, DirectiveId, OfferState, OrderAction, Outcome, PackageTarget, Stage,
    Timestamp, Undo,
};
use utoipa::ToSchema;

use crate::feeding::Attempt;

/// Most closed directives an overview shows.
const MAX_CLOSED: usize = 50;

/// The page in one answer: assets, queue, feeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    /// Position of the journal that this shows.
    pub seq: u64,
    /// Time of the last event, RFC 3339.
    pub time: Option<String>,
    /// Every asset.
    pub assets: Vec<AssetView>,
    /// Open directives, most urgent first.
    pub queue: Vec<DirectiveView>,
    /// The last closed directives, newest first; refused ones among them stand.
    pub closed: Vec<DirectiveView>,
    /// How many directives are closed in all.
    pub closed_total: u64,
    /// Feeds: what they last brought.
    pub feeds: Vec<FeedView>,
}

/// A feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeedView {
    /// Its name.
    pub name: String,
    /// When it last changed here; absent before it was first read.
    pub changed: Option<String>,
    /// The feed's own date.
    pub as_of: Option<String>,
    /// When it was last asked.
    pub asked: Option<String>,
    /// What is wrong with it, if anything is.
    pub problem: Option<String>,
}

/// An asset in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssetView {
    /// Its id.
    pub id: String,
    /// The name it goes by.
    pub hostname: String,
    /// Its group.
    pub group: String,
    /// `observe` or `act`.
    pub mode: String,
    /// The operating system's own name.
    pub os: Option<String>,
    /// Installed packages.
    pub packages: u64,
    /// Open findings.
    pub findings: u64,
    /// Packages for which its own repositories offer a security update.
    pub security_updates: u64,
    /// Running kernel release.
    pub kernel: Option<String>,
    /// Why the agent cannot act, where it cannot.
    pub observe_only: Option<String>,
    /// Other updaters at work on this host.
    pub updaters: Vec<String>,
    /// Packages that ask for a reboot.
    pub reboot_required_by: Vec<String>,
    /// Why it is not, or not wholly, assessed. Never read it as "not vulnerable".
    pub not_assessed: Vec<String>,
    /// What its agent could not find out.
    pub gaps: Vec<String>,
    /// When it last reported, RFC 3339.
    pub reported: Option<String>,
    /// The order that is out.
    pub order: Option<String>,
}

/// An asset with its findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssetDetail {
    /// The line.
    #[serde(flatten)]
    pub asset: AssetView,
    /// Security updates that its own repositories offer.
    pub offers: Vec<PackageView>,
    /// Open findings.
    pub open: Vec<FindingView>,
}

/// One vulnerability on one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingView {
    /// The vulnerability.
    pub vulnerability: String,
    /// The advisory that says so.
    pub advisory: String,
    /// Source package.
    pub source: String,
    /// Installed source version.
    pub installed: String,
    /// The version that fixes it, when one is published.
    pub fixed: Option<String>,
    /// Where it stands, for people.
    pub state: String,
    /// Since when it is open, as far as Tenon knows.
    pub opened: String,
}

/// A package and its two versions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct PackageView {
    /// Binary package.
    pub package: String,
    /// Architecture.
    pub architecture: String,
    /// Installed.
    pub from: String,
    /// To reach.
    pub to: String,
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
}

/// A directive on one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DirectiveAssetView {
    /// The asset.
    pub id: String,
    /// Its name.
    pub hostname: String,
    /// What changes there.
    pub packages: Vec<PackageView>,
    /// How far it is.
    pub stage: StageView,
    /// What the rehearsal proved about taking it back: `proven`, `possible` or `not-possible`, with the reason.
    pub undo: Option<String>,
    /// Units that the rehearsal says are touched.
    pub units: Vec<String>,
    /// How long the rehearsal took, in milliseconds.
    pub rehearsed_ms: Option<u64>,
    /// Every order that was made for this asset, oldest first.
    pub orders: Vec<OrderView>,
}

/// An order and what the host answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderView {
    /// Its id.
    pub id: String,
    /// `rehearse` or `apply`.
    pub action: String,
    /// When it was issued, RFC 3339.
    pub issued: String,
    /// When the host answered, RFC 3339; absent while it has not.
    pub answered: Option<String>,
    /// Digest of the answer: fetch it under `/api/v1/reports/`.
    pub report: Option<String>,
}

/// A directive: what must be done, why, by when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DirectiveView {
    /// Its id.
    pub id: String,
    /// The action in words.
    pub title: String,
    /// Whose work it is.
    pub group: String,
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
    /// Risk points that doing it removes.
    pub removes: String,
    /// The reasons.
    pub because: Vec<BasisView>,
    /// Where, and how far.
    pub assets: Vec<DirectiveAssetView>,
    /// When it was raised, RFC 3339.
    pub raised: String,
    /// How and when it ended.
    pub closed: Option<String>,
}

/// The end of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeadView {
    /// Position of the last event.
    pub seq: u64,
    /// The current leader's term.
    pub term: u64,
    /// Digest of all state at that position.
    pub world: String,
}

fn text(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}

impl Overview {
    /// The World as one answer.
    pub(crate) fn of(world: &World, attempts: &BTreeMap<String, Attempt>) -> Self {
        let mut closed: Vec<_> = world.directives().filter(|(_, state)| state.closed.is_some()).collect();
        closed.sort_by_key(|(id, state)| {
            std::cmp::Reverse((state.closed.as_ref().map(|(time, _)| *time), **id))
        });
        let closed_total = closed.len() as u64;
        Self {
            seq: world.seq(),
            time: text(world.time()),
            assets: world.assets().map(|(id, asset)| AssetView::of(world, id, asset)).collect(),
            queue: world.queue().into_iter().map(|(id, state)| DirectiveView::of(world, id, state)).collect(),
            closed: closed
                .into_iter()
                .take(MAX_CLOSED)
                .map(|(id, state)| DirectiveView::of(world, *id, state))
                .collect(),
            closed_total,
            feeds: feeds(world, attempts),
        }
    }
}

/// What feeds last said, and how asking them last went.
fn feeds(world: &World, attempts: &BTreeMap<String, Attempt>) -> Vec<FeedView> {
    let known: BTreeMap<&str, _> =
        world.feeds().map(|(name, changed, as_of)| (name, (changed, as_of))).collect();
    let names: BTreeSet<&str> = known.keys().copied().chain(attempts.keys().map(String::as_str)).collect();
    let view = |name: &str| FeedView {
        name: name.to_owned(),
        changed: text(known.get(name).map(|(changed, _)| *changed)),
        as_of: text(known.get(name).and_then(|(_, as_of)| *as_of)),
        asked: text(attempts.get(name).map(|attempt| attempt.at)),
        problem: attempts.get(name).and_then(|attempt| attempt.problem.clone()),
    };
    names.into_iter().map(view).collect()
}

impl AssetView {
    fn of(world: &World, id: &AssetId, asset: &AssetState) -> Self {
        let facts = asset.facts.as_deref();
        let assessment = findings(world, asset);
        let manifest = asset.manifest.and_then(|digest| world.manifest(&digest));
        let offered =
            |facts: &tenon_model::HostFacts| facts.offers.iter().filter(|offer| offer.security).count();
        Self {
            id: id.to_string(),
            hostname: asset.hostname.clone(),
            group: asset.group.to_string(),
            mode: match world.mode(&asset.group) {
                GroupMode::Observe => "observe",
                GroupMode::Act => "act",
            }
            .to_owned(),
            os: facts.map(|facts| facts.os.pretty_name.clone()),
            packages: manifest.map_or(0, |manifest| manifest.components().len() as u64),
            findings: assessment.findings.len() as u64,
            security_updates: facts.map_or(0, |facts| offered(facts) as u64),
            kernel: facts.map(|facts| facts.kernel.running.clone()),
            observe_only: facts.and_then(|facts| match &facts.capability {
                Capability::Act => None,
                Capability::ObserveOnly { reason } => Some(reason.clone()),
            }),
            updaters: facts
                .map_or(Vec::new(), |facts| facts.updaters.iter().map(|u| u.name.clone()).collect()),
            reboot_required_by: facts.map_or(Vec::new(), |facts| facts.reboot_required_by.clone()),
            not_assessed: assessment.not_assessed,
            gaps: facts.map_or(Vec::new(), |facts| facts.gaps.clone()),
            reported: text(asset.reported.map(|(_, time)| time)),
            order: asset.outstanding.map(|order| order.to_string()),
        }
    }
}

impl AssetDetail {
    pub(crate) fn of(world: &World, id: &AssetId) -> Option<Self> {
        let asset = world.asset(id)?;
        let offers = asset.facts.as_deref().map_or(Vec::new(), |facts| {
            let security =
                facts.offers.iter().filter(|offer| offer.security && offer.state == OfferState::Offered);
            security
                .map(|offer| PackageView {
                    package: offer.package.clone(),
                    architecture: offer.architecture.clone(),
                    from: offer.installed.clone(),
                    to: offer.candidate.clone(),
                })
                .collect()
        });
        let open = findings(world, asset).findings.into_iter().map(|finding| FindingView {
            vulnerability: finding.vulnerability.to_string(),
            advisory: finding.advisory.to_string(),
            source: finding.source.name,
            installed: finding.source.version,
            fixed: finding.fixed,
            state: match finding.state {
                FindingState::FixOffered { candidate } => format!("fix offered: {candidate}"),
                FindingState::FixHeld { candidate } => format!("fix held back on this host: {candidate}"),
                FindingState::FixNotOffered => "fixed upstream, not offered to this host".to_owned(),
                FindingState::NoFix => "no fix published".to_owned(),
                FindingState::NotRunning => "installed kernel, not the running one".to_owned(),
                FindingState::RebootPending => "fixed kernel installed, reboot pending".to_owned(),
            },
            opened: finding.opened.to_string(),
        });
        Some(Self { asset: AssetView::of(world, id, asset), offers, open: open.collect() })
    }
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
        }
    }
}

impl DirectiveView {
    pub(crate) fn of(world: &World, id: DirectiveId, state: &DirectiveState) -> Self {
        let directive = &state.directive;
        let Action::Upgrade { source } = &directive.action;
        let priority = &directive.priority;
        let ids = |ids: &[tenon_model::VulnerabilityId]| ids.iter().map(ToString::to_string).collect();
        Self {
            id: id.to_string(),
            title: directive.action.to_string(),
            group: directive.group.to_string(),
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
            decision: DecisionView {
                table: priority.decision.table.clone(),
                row: priority.decision.row,
                outcome: priority.decision.outcome.clone(),
                forensics: priority.decision.forensics,
                assumed: priority.decision.assumed.clone(),
            },
            due: text(priority.due),
            removes: priority.removes.to_string(),
            because: priority
                .because
                .iter()
                .map(|basis| BasisView {
                    fact: basis.fact.clone(),
                    source: basis.source.clone(),
                    as_of: text(basis.as_of),
                })
                .collect(),
            assets: state.stages.iter().map(|(asset, stage)| on_asset(world, state, asset, stage)).collect(),
            raised: state.raised.to_string(),
            closed: state.closed.as_ref().map(|(time, outcome)| format!("{} at {time}", ending(outcome))),
        }
    }
}

fn on_asset(world: &World, state: &DirectiveState, asset: &AssetId, stage: &Stage) -> DirectiveAssetView {
    let rehearsal = state.rehearsals.get(asset);
    let package = |target: &PackageTarget| PackageView {
        package: target.package.clone(),
        architecture: target.architecture.clone(),
        from: target.from.clone(),
        to: target.to.clone(),
    };
    DirectiveAssetView {
        id: asset.to_string(),
        hostname: world.asset(asset).map_or_else(|| asset.to_string(), |asset| asset.hostname.clone()),
        packages: state.directive.assets.get(asset).into_iter().flatten().map(package).collect(),
        stage: unconfirmed(world, state, asset, stage),
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
            .filter(|order| order.order.asset == *asset)
            .map(OrderView::of)
            .collect(),
    }
}

/// A stage, and for a change that the host reports as done what its confirmation waits for.
fn unconfirmed(world: &World, state: &DirectiveState, id: &AssetId, stage: &Stage) -> StageView {
    let view = StageView::of(stage);
    let (Stage::Applied { after_sequence, .. }, Some(asset)) = (stage, world.asset(id)) else { return view };
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
    let Action::Upgrade { source } = &state.directive.action;
    let manifest = asset.manifest.and_then(|digest| world.manifest(&digest));
    let of_source = |package: &String| {
        let mut components = manifest.into_iter().flat_map(|manifest| manifest.components());
        components.any(|component| component.name == *package && component.source.name == source.name)
    };
    let stale = asset.facts.iter().flat_map(|facts| &facts.stale);
    let stale = stale.filter(|process| process.package.as_ref().is_some_and(of_source));
    stale.map(|process| format!("{} ({})", process.command, process.pid)).collect()
}

impl OrderView {
    fn of(state: &OrderState) -> Self {
        Self {
            id: state.order.id.to_string(),
            action: match state.order.action {
                OrderAction::Rehearse { .. } => "rehearse",
                OrderAction::Apply { .. } => "apply",
            }
            .to_owned(),
            issued: state.order.issued.to_string(),
            answered: text(state.report.map(|(time, _)| time)),
            report: state.report.map(|(_, report)| report.to_string()),
        }
    }
}

fn ending(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Fixed => "fixed".to_owned(),
        Outcome::Superseded { by } => format!("superseded by {by}"),
        Outcome::Withdrawn { reason } => format!("withdrawn: {reason}"),
        Outcome::Refused { by, why } => format!("refused by {by}: {why}"),
    }
}
