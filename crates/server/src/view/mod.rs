//! What people and programs see of the World: plain data, computed on request, never stored.

mod asset;
mod assignee;
mod backtest;
mod board;
mod context;
mod control;
mod coverage;
mod detection;
mod directive;
mod evidence;
mod exception;
mod line;
mod measures;
mod on_asset;
mod policy;
mod reach;
mod regulation;
mod risk;
mod rollout;
mod signatures;
mod table;
mod thread;
mod trend;
mod vulnerability;
mod why;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tenon_engine::{GroupMode, World};
use tenon_model::{AssetSet, GroupName, PackageTarget, Timestamp};
use utoipa::ToSchema;

pub use asset::{
    AcceptedView, AssetDetail, AssetView, ContextView, FindingStateView, FindingView, SuppressedView,
};
pub use assignee::AssigneeView;
pub use backtest::{
    BacktestCountsView, BacktestPartView, BacktestPolicyView, BacktestResultView, BacktestSaidView,
    BacktestView, HistoryView, ReplayState, ReplayView, ReplayedPolicyView,
};
pub(crate) use board::{BoardView, Change, DAYS, Moved, Needed, Unseen, Verdict};
pub use context::{ContextDocumentView, EffectView, PreviewView, SaidView, UnstatedView};
pub use control::ControlView;
pub use coverage::GapView;
pub use detection::DetectionView;
pub use directive::{
    BasisView, ClockView, DecisionView, DirectiveAssetView, DirectiveView, InputView, OrderView, StageView,
};
pub use evidence::{EvidenceCountsView, EvidenceView};
pub use exception::ExceptionView;
pub use line::{DirectiveLine, FirstAssetView};
pub use measures::{
    CasesView, ChangesView, ClosingsView, DEFINITIONS, DefinitionView, DurationsView, ExposureView,
    FiguresView, GroupFiguresView, HalfLifeView, MeasuresView, MilestoneView, RehearsalsView, ShareView,
    StepView, WaitView,
};
pub use on_asset::{AssetDirectivesView, OnAssetView};
pub use policy::{
    FreezeView, PolicyCheckView, PolicyEffectView, PolicyPresetView, PolicyPreviewView, PolicyProblemView,
    PolicyView, RuleView, RulingView, WindowView,
};
pub(crate) use reach::Solved;
pub use reach::{
    AssetReachView, AttackStepView, BlastView, BlastZoneView, BoundsView, ClosedFlowView, DirectiveReachView,
    ExploitView, ReachHostView, ReachServiceView, ReachView, ReachedFindingView, ServiceZoneView,
    ZoneAfterView, ZoneFlowView, ZoneView,
};
pub use regulation::RegulationView;
pub(crate) use risk::{Days, MOVED};
pub use risk::{GroupRiskView, MovementView, RiskView};
pub use rollout::{HaltView, HeldBackView, RolloutView, WaveHostView, WaveView};
pub use signatures::{AskedView, GivenSignatureView, SignableChangeView, SignableView, SignaturesView};
pub use table::{TableRowView, TableView};
pub use thread::NoteView;
pub(crate) use trend::day_of;
pub use trend::{TrendDayView, TrendView};
pub use vulnerability::{AnswerView, StandingView, VulnerabilityView};
pub use why::{FactorView, FindingWhyView, FlipView, SetView, WhyView};

use crate::demo::{Demo, DemoView};
use crate::health::Attempt;

/// Most groups that an overview names.
const MAX_GROUPS: usize = 1_000;
/// Most assets of a set that are named; the rest is counted.
const MAX_NAMED: usize = 20;

/// How many of everything there are: what the lists hold, they give a page at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    /// Position of the journal that this shows.
    pub seq: u64,
    /// Time of the last event, RFC 3339.
    pub time: Option<String>,
    /// How many assets there are.
    pub assets: u64,
    /// The groups that have assets, by name, at most 1,000.
    pub groups: Vec<GroupView>,
    /// How many directives are open.
    pub open: u64,
    /// How many directives are closed.
    pub closed: u64,
    /// Feeds: what they last brought.
    pub feeds: Vec<FeedView>,
    /// Only where everything is played, and of now: `tenon up --demo`.
    pub demo: Option<DemoView>,
}

/// A group of assets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupView {
    /// Its name.
    pub name: String,
    /// `observe` or `act`.
    pub mode: String,
    /// How many assets it has.
    pub assets: u64,
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

impl PackageView {
    fn of(target: &PackageTarget) -> Self {
        Self {
            package: target.package.clone(),
            architecture: target.architecture.clone(),
            from: target.from.clone(),
            to: target.to.clone(),
        }
    }
}

/// The open directives of a World, most urgent first.
pub fn queue(world: &World) -> Vec<DirectiveView> {
    world.queue().into_iter().map(|(id, state)| DirectiveView::of(world, id, state)).collect()
}

/// The names of the first assets of a set, in the order in which they enrolled.
fn first_names(world: &World, assets: &AssetSet) -> Vec<String> {
    let named = assets.iter().take(MAX_NAMED).filter_map(|asset| world.asset_at(asset));
    named.map(|asset| asset.hostname.clone()).collect()
}

pub(crate) fn text(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}

/// Whether the agents of a group may act, in a word.
fn mode(world: &World, group: &GroupName) -> &'static str {
    match world.mode(group) {
        GroupMode::Observe => "observe",
        GroupMode::Act => "act",
    }
}

impl Overview {
    /// The World as one answer.
    pub(crate) fn of(world: &World, attempts: &BTreeMap<String, Attempt>, demo: Option<&dyn Demo>) -> Self {
        let (open, closed) = world.directive_counts();
        let group = |(name, assets): (&GroupName, u64)| GroupView {
            name: name.to_string(),
            mode: mode(world, name).to_owned(),
            assets,
        };
        Self {
            seq: world.seq(),
            time: text(world.time()),
            assets: world.asset_count() as u64,
            groups: world.groups().take(MAX_GROUPS).map(group).collect(),
            open,
            closed,
            feeds: feeds(world, attempts),
            demo: demo.map(|demo| DemoView::of(demo, world)),
        }
    }
}

/// What feeds last said, and how asking them last went.
pub(crate) fn feeds(world: &World, attempts: &BTreeMap<String, Attempt>) -> Vec<FeedView> {
    let known: BTreeMap<&str, _> =
        world.feeds().map(|(name, changed, as_of)| (name, (changed, as_of))).collect();
    let names: BTreeSet<&str> = known.keys().copied().chain(attempts.keys().map(String::as_str)).collect();
    let view = |name: &str| FeedView {
        name: name.to_owned(),
        changed: text(known.get(name).map(|(changed, _)| *changed)),
        as_of: text(
            attempts
                .get(name)
                .and_then(|attempt| attempt.as_of)
                .or_else(|| known.get(name).and_then(|(_, as_of)| *as_of)),
        ),
        asked: text(attempts.get(name).map(|attempt| attempt.at)),
        problem: attempts.get(name).and_then(|attempt| attempt.problem.clone()),
    };
    names.into_iter().map(view).collect()
}
