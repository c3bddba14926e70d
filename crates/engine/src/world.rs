//! All state of Tenon, in memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use tenon_model::{
    Advisory, Affected, AssetContext, AssetId, Digest, Directive, DirectiveId, GroupName, HostFacts, Intel,
    Manifest, Order, OrderId, Outcome, RehearsalReport, RiskPoints, Rules, SourcePackage, Stage, Timestamp,
    TokenId, VexStatement, VulnerabilityId, Want,
};

use crate::index::Index;
use crate::shards::{ShardKey, Shards, fnv1a};

impl ShardKey for AssetId {
    fn shard(&self) -> usize {
        fnv1a(self.to_string().as_bytes())
    }
}

impl ShardKey for VulnerabilityId {
    fn shard(&self) -> usize {
        fnv1a(self.as_str().as_bytes())
    }
}

impl ShardKey for DirectiveId {
    fn shard(&self) -> usize {
        fnv1a(&self.ordinal().to_le_bytes())
    }
}

impl ShardKey for OrderId {
    fn shard(&self) -> usize {
        fnv1a(&self.ordinal().to_le_bytes())
    }
}

impl ShardKey for Digest {
    fn shard(&self) -> usize {
        usize::from(self.as_bytes()[0])
    }
}

/// What the advisories name: an OSV ecosystem with release, and a package in its match form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct PackageKey {
    pub(crate) ecosystem: String,
    pub(crate) package: String,
}

impl From<&Affected> for PackageKey {
    fn from(affected: &Affected) -> Self {
        Self { ecosystem: affected.ecosystem.clone(), package: affected.package.clone() }
    }
}

impl ShardKey for PackageKey {
    fn shard(&self) -> usize {
        fnv1a(self.package.as_bytes())
    }
}

/// Maps whose keys are not text, as a list of pairs.
fn pairs<K: Serialize, V: Serialize, S: serde::Serializer>(
    map: &BTreeMap<K, V>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(map)
}

/// Whether the agents of a group may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupMode {
    /// They look and report; nothing on the hosts changes.
    Observe,
    /// A person promoted the group: they rehearse, and apply what is approved.
    Act,
}

/// One asset as last reported.
#[derive(Debug, Clone, Serialize)]
pub struct AssetState {
    /// The name it gave, for people.
    pub hostname: String,
    /// Its group.
    pub group: GroupName,
    /// When it enrolled.
    pub enrolled: Timestamp,
    /// Sequence and time of its last report; `None` before the first.
    pub reported: Option<(u64, Timestamp)>,
    /// Its packages; `None` before the first report.
    pub manifest: Option<Digest>,
    /// Everything else it last said.
    pub facts: Option<Arc<HostFacts>>,
    /// When it first reported: since then, as far as anybody knows, it has what it had then.
    pub first_reported: Option<Timestamp>,
    /// Since when it has what it did not have then. A finding opens when component and advisory first coexist.
    #[serde(serialize_with = "pairs")]
    pub(crate) since: BTreeMap<SourcePackage, Timestamp>,
    /// The one order that is out.
    pub outstanding: Option<OrderId>,
    /// What people state about it.
    #[serde(skip_serializing_if = "AssetContext::is_empty")]
    pub context: AssetContext,
    /// The open directives that it is part of; derived from them.
    #[serde(skip)]
    pub(crate) directives: BTreeSet<DirectiveId>,
}

impl AssetState {
    /// Since when it has this source version, as far as reports tell.
    pub(crate) fn installed_since(&self, source: &SourcePackage) -> Timestamp {
        self.since.get(source).copied().or(self.first_reported).unwrap_or(self.enrolled)
    }
}

/// A directive and how far it is.
#[derive(Debug, Clone, Serialize)]
pub struct DirectiveState {
    /// What and why.
    pub directive: Directive,
    /// When it was raised.
    pub raised: Timestamp,
    /// How far each asset is. Holds every asset of the directive.
    pub stages: BTreeMap<AssetId, Stage>,
    /// What each asset adds that still wants it. Others stay because work on them has begun or is done.
    pub wants: BTreeMap<AssetId, Arc<Want>>,
    /// The last passed rehearsal of each asset, which an apply order pins.
    pub rehearsals: BTreeMap<AssetId, Arc<RehearsalReport>>,
    /// Every order that was made for it, in order.
    pub orders: Vec<OrderId>,
    /// When and how it ended.
    pub closed: Option<(Timestamp, Outcome)>,
}

impl DirectiveState {
    /// Its place in the queue: earlier due dates first, then the larger loss removed, then age.
    pub(crate) fn rank(
        &self,
        id: DirectiveId,
    ) -> (bool, Option<Timestamp>, Reverse<RiskPoints>, DirectiveId) {
        let priority = &self.directive.priority;
        (priority.due.is_none(), priority.due, Reverse(priority.removes), id)
    }
}

/// An order and whether it was answered.
#[derive(Debug, Clone, Serialize)]
pub struct OrderState {
    /// The order.
    pub order: Order,
    /// Whether a report came, or it was given up.
    pub settled: bool,
    /// The report that answered it, with the time it came.
    pub report: Option<(Timestamp, Digest)>,
}

/// An enrolment token that was made and is not used up.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TokenState {
    pub(crate) secret: Digest,
    pub(crate) group: GroupName,
    pub(crate) expires: Timestamp,
}

/// An advisory and since when Tenon knows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct KnownAdvisory {
    pub(crate) advisory: Arc<Advisory>,
    pub(crate) known: Timestamp,
}

/// What a feed last brought.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FeedState {
    pub(crate) changed: Timestamp,
    pub(crate) as_of: Option<Timestamp>,
}

/// All state. Cloning is the fork: cheap, and diverging writes copy only the shards they touch.
#[derive(Debug, Clone, Default, Serialize)]
pub struct World {
    pub(crate) seq: u64,
    pub(crate) time: Option<Timestamp>,
    pub(crate) term: u64,
    pub(crate) next_directive: u64,
    pub(crate) next_order: u64,
    pub(crate) assets: Shards<AssetId, AssetState>,
    pub(crate) manifests: Shards<Digest, Arc<Manifest>>,
    pub(crate) advisories: Shards<VulnerabilityId, KnownAdvisory>,
    /// Package -> advisories that name it.
    pub(crate) advisories_of: Shards<PackageKey, BTreeSet<VulnerabilityId>>,
    pub(crate) intel: Shards<VulnerabilityId, Arc<Intel>>,
    pub(crate) groups: BTreeMap<GroupName, GroupMode>,
    pub(crate) tokens: BTreeMap<TokenId, TokenState>,
    pub(crate) directives: Shards<DirectiveId, DirectiveState>,
    /// Directives that are not closed, plus refused ones, which must not be raised again.
    #[serde(serialize_with = "pairs")]
    pub(crate) standing: BTreeMap<(GroupName, SourcePackage), DirectiveId>,
    pub(crate) orders: Shards<OrderId, OrderState>,
    pub(crate) open_orders: BTreeSet<OrderId>,
    pub(crate) feeds: BTreeMap<String, FeedState>,
    #[serde(skip_serializing_if = "Rules::is_default")]
    pub(crate) rules: Rules,
    /// What suppliers state, by document.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) vex: BTreeMap<String, Arc<Vec<VexStatement>>>,
    #[serde(skip)]
    pub(crate) index: Index,
}

impl World {
    /// Position of the last event applied; also the generation that views name.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Time of the last event applied.
    pub fn time(&self) -> Option<Timestamp> {
        self.time
    }

    /// The current leader's term.
    pub fn term(&self) -> u64 {
        self.term
    }

    /// One asset.
    pub fn asset(&self, id: &AssetId) -> Option<&AssetState> {
        self.assets.get(id)
    }

    /// All assets, in a fixed order.
    pub fn assets(&self) -> impl Iterator<Item = (&AssetId, &AssetState)> {
        self.assets.iter()
    }

    /// How many assets there are.
    pub fn asset_count(&self) -> usize {
        self.assets.len()
    }

    /// What an asset carries; `None` before its first inventory.
    pub fn manifest_of(&self, asset: &AssetState) -> Option<&Manifest> {
        self.manifests.get(asset.manifest.as_ref()?).map(Arc::as_ref)
    }

    /// Whether a group may act. Groups nobody promoted only observe.
    pub fn mode(&self, group: &GroupName) -> GroupMode {
        self.groups.get(group).copied().unwrap_or(GroupMode::Observe)
    }

    /// What a person decided for a group; `None` where nobody has.
    pub fn mode_decided(&self, group: &GroupName) -> Option<GroupMode> {
        self.groups.get(group).copied()
    }

    /// One directive.
    pub fn directive(&self, id: &DirectiveId) -> Option<&DirectiveState> {
        self.directives.get(id)
    }

    /// All directives, open and closed, in a fixed order.
    pub fn directives(&self) -> impl Iterator<Item = (&DirectiveId, &DirectiveState)> {
        self.directives.iter()
    }

    /// The queue: open directives, most urgent first.
    pub fn queue(&self) -> Vec<(DirectiveId, &DirectiveState)> {
        let mut open: Vec<_> = self.open_directives().collect();
        open.sort_by_key(|(id, state)| state.rank(*id));
        open
    }

    /// Open directives in a fixed order.
    pub(crate) fn open_directives(&self) -> impl Iterator<Item = (DirectiveId, &DirectiveState)> {
        self.directives.iter().filter(|(_, state)| state.closed.is_none()).map(|(id, state)| (*id, state))
    }

    /// One order.
    pub fn order(&self, id: &OrderId) -> Option<&OrderState> {
        self.orders.get(id)
    }

    /// The published rules that count.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What suppliers state of a vulnerability.
    pub(crate) fn vex_of<'w>(
        &'w self,
        id: &'w VulnerabilityId,
    ) -> impl Iterator<Item = &'w VexStatement> + use<'w> {
        // Each document's statements are sorted by vulnerability.
        self.vex.values().flat_map(move |statements| {
            let from = statements.partition_point(|statement| statement.vulnerability < *id);
            statements.iter().skip(from).take_while(move |statement| statement.vulnerability == *id)
        })
    }

    /// Intel on one vulnerability; empty where nothing is known.
    pub fn intel(&self, id: &VulnerabilityId) -> Intel {
        self.intel.get(id).map(|intel| intel.as_ref().clone()).unwrap_or_default()
    }

    /// All intel entries, for feeds to compute their differences against.
    pub fn all_intel(&self) -> impl Iterator<Item = (&VulnerabilityId, &Intel)> {
        self.intel.iter().map(|(id, intel)| (id, intel.as_ref()))
    }

    /// One advisory.
    pub fn advisory(&self, id: &VulnerabilityId) -> Option<&Advisory> {
        self.advisories.get(id).map(|known| known.advisory.as_ref())
    }

    /// All advisories, in a fixed order.
    pub fn advisories(&self) -> impl Iterator<Item = &Advisory> {
        self.advisories.iter().map(|(_, known)| known.advisory.as_ref())
    }

    /// Feeds: name, when it last changed here, the feed's own date.
    pub fn feeds(&self) -> impl Iterator<Item = (&str, Timestamp, Option<Timestamp>)> {
        self.feeds.iter().map(|(name, feed)| (name.as_str(), feed.changed, feed.as_of))
    }

    /// The digest of all state: equal on every machine that applied the same journal.
    ///
    /// # Errors
    /// When a part of the state does not encode: a defect of this crate, reported rather than digested as nothing.
    pub fn digest(&self) -> Result<Digest, serde_json::Error> {
        Ok(Digest::of(&serde_json::to_vec(self)?))
    }
}
