//! The shell around the core: HTTP API, live events, the gateway for agents, the page.
//!
//! ```text
//! people --HTTP/JSON--> api ----+                                  +--> views --> page, CLI
//!                               +--> writer: decide, append, apply --+
//! agents --mutual TLS--> gateway +        (one thread, one journal)  +--> signed orders --> agents
//! ```

mod access;
mod api;
mod assessing;
mod authority;
mod backtesting;
mod between;
mod clock;
mod demo;
mod doors;
mod facets;
mod feeding;
mod folder;
mod gateway;
mod health;
mod history;
mod log;
mod messages;
mod metrics;
mod pages;
mod past;
mod proof;
mod replay;
mod serve;
mod snapshots;
mod tls;
mod view;
mod writer;

pub use access::{PeopleError, Role, operations};
pub use api::{
    AddresseeView, AssetsPage, ControlsView, DetectionTaken, DetectionsView, DirectivesPage, ExceptionsView,
    FeedsPage, GapsPage, InvitationView, MessagesView, NewTokenView, PartView, QueueTotals, SessionView,
    TokenView, TrialView, UserView, VulnerabilitiesPage, VulnerabilityLine, openapi, refusals_reference,
};
pub use authority::{Authority, AuthorityError};
pub use demo::{Demo, DemoView, Guide};
pub use doors::{TlsFiles, TlsFilesError};
pub use folder::{DataFolder, FolderError};
pub use history::{HistoryError, LetGo, let_go};
pub use log::{LogEntryView, LogError, LogFilter, LogPage, MoveView, MovesView, ReadEntries, read_log};
pub use messages::{
    Addressee, Addressees, Form as MessageForm, MessagesError, OutboxError, Topic as MessageTopic,
};
pub use past::{Moment, Past, PastError};
pub use proof::{Beginning, ProofError, prove, prove_export};
pub use replay::{ReplayError, replay, replay_to, restore};
pub use serve::{Hosts, Running, ServeError, Settings, serve};
pub use view::{
    AcceptedView, AnswerView, AskedView, AssetDetail, AssetDirectivesView, AssetReachView, AssetView,
    AssigneeView, AttackStepView, BacktestCountsView, BacktestPartView, BacktestPolicyView,
    BacktestResultView, BacktestSaidView, BacktestView, BasisView, BlastView, BlastZoneView, BoundsView,
    CasesView, ChangesView, ClockView, ClosedFlowView, ClosingsView, ContextDocumentView, ContextView,
    ControlView, DEFINITIONS, DecisionView, DefinitionView, DetectionView, DirectiveAssetView, DirectiveLine,
    DirectiveReachView, DirectiveView, DurationsView, EffectView, EvidenceCountsView, EvidenceView,
    ExceptionView, ExploitView, ExposureView, FactorView, FeedView, FiguresView, FindingStateView,
    FindingView, FindingWhyView, FirstAssetView, FlipView, FreezeView, GapView, GivenSignatureView,
    GroupFiguresView, GroupRiskView, GroupView, HalfLifeView, HaltView, HeadView, HeldBackView, HistoryView,
    InputView, MeasuresView, MilestoneView, MovementView, NoteView, OnAssetView, OrderView, Overview,
    PackageView, PolicyCheckView, PolicyEffectView, PolicyPresetView, PolicyPreviewView, PolicyProblemView,
    PolicyView, PreviewView, ReachHostView, ReachServiceView, ReachView, ReachedFindingView, RegulationView,
    RehearsalsView, ReplayState, ReplayView, ReplayedPolicyView, RiskView, RolloutView, RuleView, RulingView,
    SaidView, ServiceZoneView, SetView, ShareView, SignableChangeView, SignableView, SignaturesView,
    StageView, StandingView, StepView, SuppressedView, TableRowView, TableView, TrendDayView, TrendView,
    UnstatedView, VulnerabilityView, WaitView, WaveHostView, WaveView, WhyView, WindowView, ZoneAfterView,
    ZoneFlowView, ZoneView, queue,
};
pub use writer::{Accepted, SubmitError, Writer};
