//! Who an attacker can reach, as people see it.

mod services;
mod solved;

use serde::{Deserialize, Serialize};
use tenon_reach::Bounds;
use utoipa::ToSchema;

pub use services::{ReachHostView, ReachServiceView, ServiceZoneView};
pub(crate) use solved::Solved;

/// Bounds of a probability within 30 days, in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BoundsView {
    /// Of the likeliest single way: not less likely than this.
    pub least: u32,
    /// Of all ways together: not more likely than this.
    pub most: u32,
}

impl From<Bounds> for BoundsView {
    fn from(bounds: Bounds) -> Self {
        Self { least: bounds.best.ppm_down(), most: bounds.union.ppm_up() }
    }
}

/// A step of an attack: a host of one zone is taken from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttackStepView {
    /// The zone where the attacker is.
    pub from: String,
    /// The zone of the host.
    pub to: String,
    /// What is exploited.
    pub vulnerability: String,
    /// In this package.
    pub package: String,
    /// Where it listens: `tcp 443`.
    pub listens: Vec<String>,
    /// How many hosts are open to it there.
    pub hosts: u64,
    /// The first of them by enrolment, by name.
    pub host: String,
    /// Probability that the exploit works, in parts per million.
    pub threat: u32,
}

/// What a vulnerability opens in a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExploitView {
    /// The vulnerability.
    pub vulnerability: String,
    /// The package.
    pub package: String,
    /// Where it listens; empty where it does not, or nobody knows.
    pub listens: Vec<String>,
    /// How many hosts.
    pub hosts: u64,
    /// Whether an attacker can deliver it.
    pub delivered: BoundsView,
    /// Probability that the exploit works, in parts per million.
    pub threat: u32,
    /// Risk points at most.
    pub loses: String,
}

/// A zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneView {
    /// Its name.
    pub name: String,
    /// The probability that attacks begin there, in parts per million.
    pub entry: u32,
    /// How many assets stand in it.
    pub assets: u64,
    /// The first of them by enrolment, at most 20.
    pub hosts: Vec<ReachHostView>,
    /// Whether an attacker is there.
    pub reached: BoundsView,
    /// Risk points at most: of everything that takes a host of it without a foothold there.
    pub loses: String,
    /// The likeliest path into it; empty where attacks begin there, or none leads there.
    pub path: Vec<AttackStepView>,
    /// How many vulnerabilities take hosts of it, by package and by where that listens.
    pub exploits_in_all: u64,
    /// Those that lose most, at most 20.
    pub exploits: Vec<ExploitView>,
}

/// What is allowed between two zones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneFlowView {
    /// Where connections begin.
    pub from: String,
    /// Where they end.
    pub to: String,
    /// What passes: `tcp 80, 443`; `any` is everything.
    pub passes: Vec<String>,
    /// Whether an attacker in the one zone takes a host of the other over it; absent where nothing that is open listens there.
    pub takes: Option<BoundsView>,
}

/// What closing a flow comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClosedFlowView {
    /// Where connections begin.
    pub from: String,
    /// Where they end.
    pub to: String,
    /// Into how many zones the likeliest path uses it.
    pub paths: u32,
    /// Risk points that are left without it, at most.
    pub leaves: String,
    /// Risk points that it saves.
    pub saves: String,
}

/// Who an attacker can reach in the estate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReachView {
    /// The entry of the record after which it is so. Where this takes long, an answer about what is may be a little behind.
    pub generation: u64,
    /// Nobody states zones in which attacks begin: they are told from listeners and addresses alone.
    pub assumed: bool,
    /// The zone that an attacker is taken to be in for certain; absent where attacks begin as stated.
    pub within: Option<String>,
    /// Assets that stand in no zone. Nothing is said of them: never read it as "not reached".
    pub unplaced: u64,
    /// Risk points at most.
    pub loses: String,
    /// How many zones there are.
    pub zones_in_all: u64,
    /// The zones, at most 500, those that lose most first.
    pub zones: Vec<ZoneView>,
    /// How many services of the business there are.
    pub services_in_all: u64,
    /// The services, at most 100, those that an attacker gets to most likely first.
    pub services: Vec<ReachServiceView>,
    /// What is allowed between them, at most 2,000.
    pub flows: Vec<ZoneFlowView>,
    /// The flows that most likeliest paths use, at most 10, those that save most first.
    pub choke_points: Vec<ClosedFlowView>,
    /// What closing the flow that was asked about comes to.
    pub closed: Option<ClosedFlowView>,
}

/// A vulnerability on an asset, and whether an attacker gets there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReachedFindingView {
    /// The vulnerability.
    pub vulnerability: String,
    /// The package.
    pub package: String,
    /// Where it listens; empty where it does not, or nobody knows.
    pub listens: Vec<String>,
    /// Whether a foothold on the host comes first: it is local, or needs privileges.
    pub needs_foothold: bool,
    /// Whether an attacker can deliver it.
    pub delivered: BoundsView,
    /// Probability that the exploit works, in parts per million.
    pub threat: u32,
}

/// Whether an attacker reaches an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssetReachView {
    /// The entry of the record after which it is so.
    pub generation: u64,
    /// Nobody states zones in which attacks begin: they are told from listeners and addresses alone.
    pub assumed: bool,
    /// The zone that it stands in; absent where it stands in none, and nothing more is known.
    pub zone: Option<String>,
    /// Whether an attacker is in that zone.
    pub reached: Option<BoundsView>,
    /// Whether an attacker gains a foothold on the asset.
    pub taken: Option<BoundsView>,
    /// The likeliest path into the zone.
    pub path: Vec<AttackStepView>,
    /// How many vulnerabilities are open on it that an attacker could use.
    pub findings_in_all: u64,
    /// The likeliest of them, at most 20.
    pub findings: Vec<ReachedFindingView>,
    /// What an attacker gets to from there; absent where it stands in no zone.
    pub blast: Option<BlastView>,
}

/// What is lost once an attacker is on an asset, and so in its zone (blast radius).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlastView {
    /// Risk points at most, in all zones together.
    pub loses: String,
    /// The zones where most of it is, the largest first, at most 10; those of which nothing is lost are not told.
    pub zones: Vec<BlastZoneView>,
}

/// What is lost in a zone once an attacker is in another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlastZoneView {
    /// The zone.
    pub name: String,
    /// Whether the attacker gets there, within 30 days.
    pub reached: BoundsView,
    /// Risk points at most.
    pub loses: String,
}

/// What doing a directive takes from an attacker in a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneAfterView {
    /// The zone.
    pub name: String,
    /// Whether an attacker is there now, ...
    pub reached: BoundsView,
    /// ... and when it is done.
    pub reached_after: BoundsView,
    /// Risk points at most now, ...
    pub loses: String,
    /// ... and when it is done.
    pub loses_after: String,
    /// Whether hosts of the directive stand there.
    pub own: bool,
    /// The likeliest path into it now.
    pub path: Vec<AttackStepView>,
}

/// What doing a directive on all of its assets takes from an attacker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DirectiveReachView {
    /// The entry of the record after which it is so.
    pub generation: u64,
    /// Nobody states zones in which attacks begin: they are told from listeners and addresses alone.
    pub assumed: bool,
    /// Assets of the directive that stand in no zone. Nothing is said of them.
    pub unplaced: u64,
    /// Risk points at most now, ...
    pub loses: String,
    /// ... and when it is done.
    pub loses_after: String,
    /// The difference.
    pub saves: String,
    /// Zones in which its hosts stand or in which it makes a difference, those that save most first.
    pub zones: Vec<ZoneAfterView>,
}
