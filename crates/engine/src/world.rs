//! All state of Tenon, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenon_model::{
    Advisory, Affected, AssetId, AssetOrdinal, AssetSet, Component, Digest, DirectiveId, GroupName, Intel,
    MachineId, Members, Offer, Order, OrderId, Rules, Tempo, Timestamp, TokenId, VexStatement,
    VulnerabilityId,
};
use tenon_risk::regulation::Regulations;

use crate::approach::Approach;
use crate::assets::{AssetState, Assets};
use crate::context::KnownContext;
use crate::controls::Controls;
use crate::detections::Detections;
use crate::directives::DirectiveState;
use crate::exceptions::Exceptions;
use crate::index::Index;
use crate::measures::Measures;
use crate::policy::KnownPolicy;
use crate::queue::holds;
use crate::rows::Row;
use crate::shards::{ShardKey, Shards, fnv1a};
use crate::trend::Trend;

impl ShardKey for AssetId {
    fn shard(&self) -> usize {
        fnv1a(self.as_bytes())
    }
}

impl ShardKey for MachineId {
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
pub(crate) fn pairs<K: Serialize, V: Serialize, S: serde::Serializer>(
    map: &BTreeMap<K, V>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(map)
}

/// Whether the agents of a group may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupMode {
    /// They look and report; nothing on the hosts changes.
    Observe,
    /// A person promoted the group: they rehearse, and apply what is approved.
    Act,
}

/// An order and whether it was answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderState {
    /// The order.
    pub order: Order,
    /// Whether a report came, or it was given up.
    pub settled: bool,
    /// The report that answered it, with the time it came.
    pub report: Option<(Timestamp, Digest)>,
    /// Whether the host answered that it could not do it, without a report: of evidence.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missed: bool,
}

/// An enrolment token that was made and is not used up.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FeedState {
    pub(crate) changed: Timestamp,
    pub(crate) as_of: Option<Timestamp>,
}

/// A directive that stands for a version of a package in a group.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Standing {
    pub(crate) group: GroupName,
    pub(crate) version: String,
    pub(crate) id: DirectiveId,
}

/// All state. Cloning is the fork: cheap, and diverging writes copy only the shards they touch.
#[derive(Debug, Clone, Default, Serialize)]
pub struct World {
    pub(crate) seq: u64,
    pub(crate) time: Option<Timestamp>,
    pub(crate) term: u64,
    /// When the term began: before, nobody could report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) term_began: Option<Timestamp>,
    pub(crate) next_directive: u64,
    pub(crate) next_order: u64,
    /// Every asset, by its ordinal.
    pub(crate) assets: Assets,
    pub(crate) advisories: Shards<VulnerabilityId, KnownAdvisory>,
    /// Package -> advisories that name it.
    pub(crate) advisories_of: Shards<PackageKey, BTreeSet<VulnerabilityId>>,
    /// OSV ecosystem with release -> how many packages of it are named.
    #[serde(skip)]
    pub(crate) ecosystems: BTreeMap<String, u64>,
    pub(crate) intel: Shards<VulnerabilityId, Arc<Intel>>,
    pub(crate) groups: BTreeMap<GroupName, GroupMode>,
    pub(crate) tokens: BTreeMap<TokenId, TokenState>,
    pub(crate) directives: Shards<DirectiveId, Arc<DirectiveState>>,
    /// Package -> directives that are not closed, plus refused ones, which must not be raised again.
    pub(crate) standing: Shards<String, Vec<Standing>>,
    /// Directives that are not closed, as the queue needs them.
    #[serde(skip)]
    pub(crate) open: Shards<DirectiveId, Row>,
    pub(crate) orders: Shards<OrderId, Arc<OrderState>>,
    pub(crate) open_orders: Shards<OrderId, ()>,
    pub(crate) feeds: BTreeMap<String, FeedState>,
    #[serde(skip_serializing_if = "Rules::is_default")]
    pub(crate) rules: Rules,
    /// Those of the rules that are files, as read.
    #[serde(skip)]
    pub(crate) regulations: Regulations,
    /// What people decided beforehand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<KnownPolicy>,
    /// How fast rollouts go.
    #[serde(skip_serializing_if = "is_standard")]
    pub(crate) tempo: Tempo,
    /// Directives with a plan that is not carried out yet.
    #[serde(skip)]
    pub(crate) rolling: BTreeSet<DirectiveId>,
    /// Open directives whose rows ask for evidence before anything of their hosts is changed.
    #[serde(skip)]
    pub(crate) forensic: BTreeSet<DirectiveId>,
    /// What people state about the estate as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) context: Option<KnownContext>,
    /// How far attackers get, as last told.
    #[serde(skip_serializing_if = "Approach::is_empty")]
    pub(crate) approach: Approach,
    /// What suppliers state, by document.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) vex: BTreeMap<String, Arc<Vec<VexStatement>>>,
    /// Which risks people accept.
    #[serde(skip_serializing_if = "Exceptions::is_empty")]
    pub(crate) exceptions: Exceptions,
    /// What stands against attacks.
    #[serde(skip_serializing_if = "Controls::is_empty")]
    pub(crate) controls: Controls,
    /// Which attacks were seen.
    #[serde(skip_serializing_if = "Detections::is_empty")]
    pub(crate) detections: Detections,
    pub(crate) trend: Trend,
    /// How long things take and how they end. Nothing is decided by it, so that it is no part of the digest.
    #[serde(skip)]
    pub(crate) measures: Measures,
    #[serde(skip)]
    pub(crate) index: Index,
    /// OSV ecosystem with release -> how many hosts run it.
    #[serde(skip)]
    pub(crate) systems: BTreeMap<String, u64>,
}

fn is_standard(tempo: &Tempo) -> bool {
    *tempo == Tempo::default()
}

/// One more of a kind.
pub(crate) fn count_one(counts: &mut BTreeMap<String, u64>, kind: &str) {
    *counts.entry(kind.to_owned()).or_default() += 1;
}

/// One less of a kind; kinds of which there is none are left out.
pub(crate) fn count_off(counts: &mut BTreeMap<String, u64>, kind: &str) {
    if let Some(count) = counts.get_mut(kind) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(kind);
        }
    }
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

    /// How fast rollouts go.
    pub fn tempo(&self) -> Tempo {
        self.tempo
    }

    /// One asset.
    pub fn asset(&self, id: &AssetId) -> Option<&AssetState> {
        self.assets.get(self.assets.ordinal(id)?)
    }

    /// The place of an asset in the order of enrolment.
    pub fn ordinal(&self, id: &AssetId) -> Option<AssetOrdinal> {
        self.assets.ordinal(id)
    }

    /// The asset at a place in the order of enrolment.
    pub fn asset_at(&self, ordinal: AssetOrdinal) -> Option<&AssetState> {
        self.assets.get(ordinal)
    }

    /// All assets, in the order of enrolment; also those that are retired.
    pub fn assets(&self) -> impl Iterator<Item = (&AssetId, &AssetState)> {
        self.assets.by_ordinal.iter().map(|asset| (&asset.id, asset))
    }

    /// The assets that are not retired, in the order of enrolment.
    pub fn live_assets(&self) -> impl Iterator<Item = (&AssetId, &AssetState)> {
        self.assets().filter(|(_, asset)| asset.retired.is_none())
    }

    /// How many assets there are that are not retired.
    pub fn asset_count(&self) -> usize {
        let retired = usize::try_from(self.assets.retired().len()).unwrap_or(usize::MAX);
        self.assets.by_ordinal.len().saturating_sub(retired)
    }

    /// The groups that have assets, each with how many.
    pub fn groups(&self) -> impl Iterator<Item = (&GroupName, u64)> {
        self.assets.groups().map(|(group, assets)| (group, assets.len()))
    }

    /// The assets of a group, and of those whose name holds a text, whatever its case; all where neither is said. A text is
    /// held against the name of each.
    pub fn assets_like(&self, group: Option<&GroupName>, text: Option<&str>) -> AssetSet {
        let assets = match group {
            Some(group) => self.assets.of_group(group).cloned().unwrap_or_default(),
            None => self.enrolled().without(self.assets.retired()),
        };
        self.named_like(assets, text)
    }

    /// The retired assets, of a group and whose name holds a text where these are said.
    pub fn retired_like(&self, group: Option<&GroupName>, text: Option<&str>) -> AssetSet {
        let is_of = |ordinal: &AssetOrdinal| {
            group.is_none_or(|group| self.asset_at(*ordinal).is_some_and(|asset| asset.group == *group))
        };
        self.named_like(self.assets.retired().iter().filter(is_of).collect(), text)
    }

    /// Every place in the order of enrolment.
    fn enrolled(&self) -> AssetSet {
        (0..).map(AssetOrdinal).take(self.assets.by_ordinal.len()).collect()
    }

    /// Those of some assets whose name holds a text; all where none is said.
    fn named_like(&self, assets: AssetSet, text: Option<&str>) -> AssetSet {
        let text = text.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty());
        let Some(text) = text else { return assets };
        let is = |ordinal: &AssetOrdinal| {
            self.asset_at(*ordinal).is_some_and(|asset| holds(&asset.hostname, &text))
        };
        assets.iter().filter(is).collect()
    }

    /// How many directives are open, and how many are closed.
    pub fn directive_counts(&self) -> (u64, u64) {
        let (open, all) = (self.open.iter().count() as u64, self.directives.iter().count() as u64);
        (open, all.saturating_sub(open))
    }

    /// What an asset carries, sorted; `None` before its first inventory.
    pub fn components_of(&self, asset: &AssetState) -> Option<Vec<Arc<Component>>> {
        let entries = self.index.entries_of(asset.stances.as_deref()?);
        let mut components: Vec<_> =
            entries.flat_map(|entry| entry.stance.components.iter().cloned()).collect();
        components.sort_unstable();
        Some(components)
    }

    /// How many packages an asset carries; 0 before its first inventory.
    pub fn component_count(&self, asset: &AssetState) -> u64 {
        self.index.entries_of(asset.stances()).map(|entry| entry.stance.components.len() as u64).sum()
    }

    /// What an asset's own repositories offer, sorted by package; `None` before its first inventory.
    pub fn offers_of(&self, asset: &AssetState) -> Option<Vec<Offer>> {
        let entries = self.index.entries_of(asset.stances.as_deref()?);
        let mut offers: Vec<_> = entries.flat_map(|entry| entry.stance.offers.iter().cloned()).collect();
        let order = |offer: &Offer| (offer.package.clone(), offer.architecture.clone(), offer.source.clone());
        offers.sort_by_cached_key(order);
        Some(offers)
    }

    /// The OSV ecosystems, with release, of the operating systems that hosts run.
    pub fn systems(&self) -> impl Iterator<Item = &str> {
        self.systems.keys().map(String::as_str)
    }

    /// The vulnerabilities that changelogs of what hosts are offered claim to fix.
    pub fn claims(&self) -> BTreeSet<&VulnerabilityId> {
        let claimed = self
            .index
            .all()
            .filter(|(_, entry)| entry.stance.offers.iter().any(|offer| !offer.claims.is_empty()));
        let held = claimed.filter(|(id, _)| !self.index.assets_of(*id).is_empty());
        held.flat_map(|(_, entry)| &entry.stance.offers).flat_map(|offer| &offer.claims).collect()
    }

    /// The open directives that an asset wants.
    pub(crate) fn wanted_by(&self, asset: AssetOrdinal) -> BTreeSet<DirectiveId> {
        let Some(state) = self.asset_at(asset) else { return BTreeSet::new() };
        let wants = self.index.entries_of(state.stances()).flat_map(|entry| entry.wants.iter());
        let standing = wants.filter_map(|(source, _)| {
            let mut of_package = self.standing(&state.group, &source.name);
            of_package.find(|standing| standing.version == source.version)
        });
        let open = |id: &DirectiveId| self.directive(id).is_some_and(|state| state.closed.is_none());
        standing.map(|standing| standing.id).filter(open).collect()
    }

    /// Assets as an event names them; those that no event enrolled are left out.
    pub(crate) fn set_of(&self, members: &Members) -> AssetSet {
        match members {
            Members::Set(set) => set.clone(),
            Members::Ids(ids) => ids.iter().filter_map(|id| self.assets.ordinal(id)).collect(),
        }
    }

    /// The directives of a group about any version of a package that stand.
    pub(crate) fn standing<'w>(
        &'w self,
        group: &'w GroupName,
        package: &str,
    ) -> impl Iterator<Item = &'w Standing> {
        let standing = self.standing.get_by(package).into_iter().flatten();
        standing.filter(move |standing| standing.group == *group)
    }

    /// The open directives about any version of a package, in groups that pass.
    pub(crate) fn open_where<'w>(
        &'w self,
        package: &str,
        is: impl Fn(&GroupName) -> bool + 'w,
    ) -> impl Iterator<Item = (DirectiveId, &'w DirectiveState)> {
        let standing = self.standing.get_by(package).into_iter().flatten();
        let standing = standing.filter(move |standing| is(&standing.group));
        let states = standing.filter_map(|standing| Some((standing.id, self.directive(&standing.id)?)));
        states.filter(|(_, state)| state.closed.is_none())
    }

    /// The open directives of a group about any version of a package.
    pub(crate) fn open_in<'w>(
        &'w self,
        group: &'w GroupName,
        package: &str,
    ) -> impl Iterator<Item = (DirectiveId, &'w DirectiveState)> {
        self.open_where(package, move |other| other == group)
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
        self.directives.get(id).map(Arc::as_ref)
    }

    /// All directives, open and closed, in a fixed order.
    pub fn directives(&self) -> impl Iterator<Item = (&DirectiveId, &DirectiveState)> {
        self.directives.iter().map(|(id, state)| (id, state.as_ref()))
    }

    /// The queue: open directives, most urgent first.
    pub fn queue(&self) -> Vec<(DirectiveId, &DirectiveState)> {
        let mut open: Vec<_> = self.open_directives().collect();
        open.sort_unstable_by_key(|(id, state)| state.rank(*id));
        open
    }

    /// Open directives in a fixed order.
    pub fn open_directives(&self) -> impl Iterator<Item = (DirectiveId, &DirectiveState)> {
        self.open.iter().filter_map(|(id, _)| Some((*id, self.directive(id)?)))
    }

    /// One order.
    pub fn order(&self, id: &OrderId) -> Option<&OrderState> {
        self.orders.get(id).map(Arc::as_ref)
    }

    /// The rules that count from now on. Their regulations were read before they were recorded.
    pub(crate) fn keep_rules(&mut self, rules: Rules) {
        self.regulations =
            Regulations::read(rules.regulations.iter().map(String::as_str)).unwrap_or_default();
        self.rules = rules;
    }

    /// The regulations among them, as read.
    pub fn regulations(&self) -> &Regulations {
        &self.regulations
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

    /// Whether a vulnerability is exploited somewhere: listed in KEV.
    pub fn is_exploited(&self, id: &VulnerabilityId) -> bool {
        self.intel.get(id).is_some_and(|intel| intel.kev.is_some())
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
