//! The assets, and which of them have what in common.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;
use tenon_model::{
    AssetContext, AssetId, AssetOrdinal, AssetSet, DirectiveId, GroupName, HostFacts, InventorySum,
    MachineId, OrderId, RedundancyName, SourcePackage, Timestamp, ZoneName,
};

use crate::column::Column;
use crate::context::{Bearing, Bearings};
use crate::index::{StanceId, Stances};
use crate::life::{Retired, Runs};
use crate::shards::Shards;
use crate::table::Table;
use crate::world::pairs;

/// One asset as last reported.
#[derive(Debug, Clone, Serialize)]
pub struct AssetState {
    /// Its id.
    pub id: AssetId,
    /// The name it gave, for people.
    pub hostname: String,
    /// Its group.
    pub group: GroupName,
    /// When it enrolled.
    pub enrolled: Timestamp,
    /// Sequence and time of its last report; `None` before the first.
    pub reported: Option<(u64, Timestamp)>,
    /// The sums of all that it last said; `None` before the first report.
    pub said: Option<InventorySum>,
    /// When it first reported: since then, as far as anybody knows, it has what it had then.
    pub first_reported: Option<Timestamp>,
    /// Since when it has what it did not have then. A finding opens when component and advisory first coexist.
    #[serde(serialize_with = "pairs")]
    pub(crate) since: BTreeMap<SourcePackage, Timestamp>,
    /// The one order that is out.
    pub outstanding: Option<OrderId>,
    /// What people state about it by hand.
    #[serde(skip_serializing_if = "AssetContext::is_empty")]
    pub context: AssetContext,
    /// The machine it said at enrolment that it stands on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineId>,
    /// The asset that stood on its machine before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<AssetId>,
    /// Its machine turned out to be no machine of its own: the firmware of another says the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) shares_machine: bool,
    /// The runs of its agent.
    #[serde(skip_serializing_if = "Runs::is_empty")]
    pub runs: Runs,
    /// Since when and why it counts nowhere; `None` while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired: Option<Arc<Retired>>,
    /// What of its context bears on priorities; `None` where nothing is known. Derived from all that is said of it.
    #[serde(skip)]
    pub(crate) bearing: Option<Arc<Bearing>>,
    /// What stands in for it. Derived likewise.
    #[serde(skip)]
    pub(crate) redundancy: Option<RedundancyName>,
    /// The zone that it stands in. Derived likewise.
    #[serde(skip)]
    pub(crate) zone: Option<Arc<ZoneName>>,
    /// Its addresses at its last report.
    #[serde(skip)]
    pub(crate) addresses: Arc<[IpAddr]>,
    /// The stances of its last report, ascending.
    #[serde(skip)]
    pub(crate) stances: Option<Stances>,
    /// What it last said, without what stances tell and without what differs from host to host: its name, and the age of
    /// its index.
    #[serde(skip)]
    pub(crate) profile: Option<Arc<HostFacts>>,
    /// Age in seconds of its package index at its last report.
    #[serde(skip)]
    pub(crate) index_age: Option<u64>,
    /// The open directives on which it is further than proposed and not done; derived from them.
    #[serde(skip)]
    pub(crate) begun: BTreeSet<DirectiveId>,
}

/// Agents report four times an hour or oftener: one that has not for this long is away, in seconds.
const AWAY_SECONDS: u32 = 3_600;

impl AssetState {
    /// Since when nothing was heard of it, where that is for long enough that it must be away: switched off, or cut off.
    pub fn quiet_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.reported.map(|(_, at)| at).filter(|at| at.plus_seconds(AWAY_SECONDS) < now)
    }

    /// Since when it has this source version, as far as reports tell.
    pub(crate) fn installed_since(&self, source: &SourcePackage) -> Timestamp {
        self.since.get(source).copied().or(self.first_reported).unwrap_or(self.enrolled)
    }

    /// Its stances; none before its first report.
    pub(crate) fn stances(&self) -> &[StanceId] {
        self.stances.as_deref().unwrap_or_default()
    }

    /// What of its context bears on priorities.
    pub(crate) fn bearing(&self) -> Arc<Bearing> {
        self.bearing.clone().unwrap_or_else(Bearing::nothing)
    }

    /// What it last said besides packages, offers, its name and the age of its index; `None` before its first report.
    pub fn profile(&self) -> Option<&HostFacts> {
        self.profile.as_deref()
    }
}

/// The assets, and which of them have what in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Assets {
    pub(crate) by_ordinal: Table<AssetState>,
    ordinals: Shards<AssetId, AssetOrdinal>,
    /// The last asset that enrolled from each machine.
    of_machine: Shards<MachineId, AssetOrdinal>,
    /// Those that are retired. They are in no group.
    retired: AssetSet,
    /// Those that ask for signatures of people before a change.
    asking: AssetSet,
    /// The assets of each group, and its number in `groups`.
    of_group: BTreeMap<GroupName, (u32, AssetSet)>,
    /// The group of each asset.
    groups: Column,
    /// The assets of which something is known that bears on priorities, by what.
    of_bearing: BTreeMap<Arc<Bearing>, AssetSet>,
    /// The assets that stand in for each other.
    of_redundancy: BTreeMap<RedundancyName, AssetSet>,
    /// The assets that stand in each zone, also those that are retired.
    of_zone: BTreeMap<Arc<ZoneName>, AssetSet>,
}

/// Moves an asset from one of these sets to another; a set of none is none.
fn move_between<K: Ord>(
    sets: &mut BTreeMap<K, AssetSet>,
    asset: AssetOrdinal,
    before: Option<K>,
    now: Option<K>,
) {
    if let Some(before) = before
        && let Some(others) = sets.get_mut(&before)
    {
        others.remove(asset);
        if others.is_empty() {
            sets.remove(&before);
        }
    }
    if let Some(now) = now {
        sets.entry(now).or_default().insert(asset);
    }
}

impl Serialize for Assets {
    /// As the list of assets; the rest follows from it.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.by_ordinal.iter())
    }
}

impl Assets {
    pub(crate) fn add(&mut self, asset: AssetState) {
        let (id, group) = (asset.id, asset.group.clone());
        let (machine, retired) = (asset.machine, asset.retired.is_some());
        let Some(ordinal) = self.by_ordinal.push(asset).map(AssetOrdinal) else { return };
        self.ordinals.insert(id, ordinal);
        if let Some(machine) = machine {
            self.of_machine.insert(machine, ordinal);
        }
        let next = u32::try_from(self.of_group.len()).unwrap_or(u32::MAX);
        let (number, of_group) = self.of_group.entry(group).or_insert_with(|| (next, AssetSet::default()));
        of_group.insert(ordinal);
        self.groups.push(*number);
        if retired {
            self.retire(ordinal);
        }
        self.ask(ordinal);
    }

    /// Notes whether an asset asks for signatures, as its last report says.
    pub(crate) fn ask(&mut self, ordinal: AssetOrdinal) {
        let asks = self
            .get(ordinal)
            .and_then(AssetState::profile)
            .is_some_and(|profile| !profile.approval.is_none());
        if asks {
            self.asking.insert(ordinal);
        } else {
            self.asking.remove(ordinal);
        }
    }

    /// The assets that ask for signatures.
    pub(crate) fn asking(&self) -> &AssetSet {
        &self.asking
    }

    /// An asset counts in no group any more.
    pub(crate) fn retire(&mut self, ordinal: AssetOrdinal) {
        self.stand_in(ordinal, None);
        self.retired.insert(ordinal);
        if let Some(of_group) = self.group_of(ordinal) {
            of_group.remove(ordinal);
        }
    }

    /// A retired asset counts in its group again.
    pub(crate) fn take_back(&mut self, ordinal: AssetOrdinal) {
        self.retired.remove(ordinal);
        if let Some(of_group) = self.group_of(ordinal) {
            of_group.insert(ordinal);
        }
    }

    /// The assets of an asset's group.
    fn group_of(&mut self, ordinal: AssetOrdinal) -> Option<&mut AssetSet> {
        let group = &self.by_ordinal.get(ordinal.0)?.group;
        self.of_group.get_mut(group).map(|(_, of_group)| of_group)
    }

    /// The assets that are retired.
    pub(crate) fn retired(&self) -> &AssetSet {
        &self.retired
    }

    /// The last asset that enrolled from a machine.
    pub(crate) fn of_machine(&self, machine: &MachineId) -> Option<&AssetState> {
        self.get(*self.of_machine.get(machine)?)
    }

    pub(crate) fn ordinal(&self, id: &AssetId) -> Option<AssetOrdinal> {
        self.ordinals.get(id).copied()
    }

    pub(crate) fn get(&self, ordinal: AssetOrdinal) -> Option<&AssetState> {
        self.by_ordinal.get(ordinal.0)
    }

    pub(crate) fn get_mut(&mut self, ordinal: AssetOrdinal) -> Option<&mut AssetState> {
        self.by_ordinal.get_mut(ordinal.0)
    }

    /// Moves an asset to the class of another bearing; whether it was in another.
    pub(crate) fn bear(&mut self, ordinal: AssetOrdinal, bearing: Bearing) -> bool {
        let differs = |asset: &AssetState| asset.bearing.as_deref().unwrap_or(&Bearing::NOTHING) != &bearing;
        if !self.get(ordinal).is_some_and(differs) {
            return false;
        }
        let bearing = (bearing != Bearing::NOTHING).then(|| {
            // Equal ones are kept once.
            let kept = self.of_bearing.get_key_value(&bearing).map(|(kept, _)| kept.clone());
            kept.unwrap_or_else(|| Arc::new(bearing))
        });
        let Some(asset) = self.get_mut(ordinal) else { return false };
        let before = std::mem::replace(&mut asset.bearing, bearing.clone());
        move_between(&mut self.of_bearing, ordinal, before, bearing);
        true
    }

    /// Notes what stands in for an asset.
    pub(crate) fn stand_in(&mut self, ordinal: AssetOrdinal, redundancy: Option<RedundancyName>) {
        if self.get(ordinal).is_none_or(|asset| asset.redundancy == redundancy) {
            return;
        }
        let Some(asset) = self.get_mut(ordinal) else { return };
        let before = std::mem::replace(&mut asset.redundancy, redundancy.clone());
        move_between(&mut self.of_redundancy, ordinal, before, redundancy);
    }

    /// Notes in which zone an asset stands.
    pub(crate) fn place(&mut self, ordinal: AssetOrdinal, zone: Option<ZoneName>) {
        if self.get(ordinal).is_none_or(|asset| asset.zone.as_deref() == zone.as_ref()) {
            return;
        }
        let zone = zone.map(|zone| {
            // Equal ones are kept once.
            let kept = self.of_zone.get_key_value(&zone).map(|(kept, _)| kept.clone());
            kept.unwrap_or_else(|| Arc::new(zone))
        });
        let Some(asset) = self.get_mut(ordinal) else { return };
        let before = std::mem::replace(&mut asset.zone, zone.clone());
        move_between(&mut self.of_zone, ordinal, before, zone);
    }

    /// The assets that stand in a zone and are not retired.
    pub(crate) fn in_zone(&self, name: &ZoneName) -> AssetSet {
        self.of_zone.get(name).map(|assets| assets.without(&self.retired)).unwrap_or_default()
    }

    /// The assets of such bearings that are not retired.
    pub(crate) fn bearing(&self, is: impl Fn(&Bearing) -> bool) -> AssetSet {
        let alike = self.of_bearing.iter().filter(|(bearing, _)| is(bearing)).map(|(_, assets)| assets);
        AssetSet::union(alike).without(&self.retired)
    }

    /// The assets that stand in for each other under this name.
    pub(crate) fn of_redundancy(&self, name: &RedundancyName) -> Option<&AssetSet> {
        self.of_redundancy.get(name)
    }

    /// How many there are: their ordinals are the numbers below.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.by_ordinal.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn of_group(&self, group: &GroupName) -> Option<&AssetSet> {
        self.of_group.get(group).map(|(_, of_group)| of_group)
    }

    /// The groups that have assets.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&GroupName, &AssetSet)> {
        let groups = self.of_group.iter().map(|(group, (_, of_group))| (group, of_group));
        groups.filter(|(_, of_group)| !of_group.is_empty())
    }

    /// The group of the only one of these assets; `None` where there are several.
    pub(crate) fn only_group(&self, assets: &AssetSet) -> Option<&GroupName> {
        let mut few = assets.iter();
        match (few.next(), few.next()) {
            (Some(only), None) => self.get(only).map(|asset| &asset.group),
            _ => None,
        }
    }

    /// These assets by their groups.
    pub(crate) fn by_group(&self, assets: &AssetSet) -> Vec<(&GroupName, AssetSet)> {
        // A report speaks of one asset.
        let mut few = assets.iter();
        if let (Some(only), None) = (few.next(), few.next()) {
            let asset = self.get(only).into_iter();
            return asset.map(|asset| (&asset.group, assets.clone())).collect();
        }
        // Of many assets it is found sooner which of a group's are among them than which group each is of.
        let (many, groups) = (assets.len() * 16, 4 * self.of_group.len() as u64);
        if many > u64::from(self.count()) + groups {
            let groups =
                self.of_group.iter().map(|(group, (_, of_group))| (group, of_group.intersect(assets)));
            return groups.filter(|(_, here)| !here.is_empty()).collect();
        }
        // Each asset is looked at once, however many groups there are.
        let mut parts: Vec<Vec<AssetOrdinal>> = vec![Vec::new(); self.of_group.len()];
        for asset in assets.iter() {
            let number = self.groups.get(asset).and_then(|number| usize::try_from(number).ok());
            if let Some(part) = number.and_then(|number| parts.get_mut(number)) {
                part.push(asset);
            }
        }
        let part = |number: u32| parts.get(usize::try_from(number).ok()?).filter(|part| !part.is_empty());
        let groups = self.of_group.iter();
        groups.filter_map(|(group, (number, _))| Some((group, AssetSet::in_order(part(*number)?)))).collect()
    }

    /// What of the context of these assets bears on priorities, and how many there are of each.
    pub(crate) fn bearings(&self, assets: &AssetSet) -> Bearings {
        let mut bearings = Bearings::default();
        // A report speaks of one asset.
        if assets.len() <= self.of_bearing.len() as u64 {
            for asset in assets.iter().filter_map(|asset| self.get(asset)) {
                bearings.add(asset.bearing(), 1);
            }
            return bearings;
        }
        for (bearing, alike) in &self.of_bearing {
            bearings.add(bearing.clone(), alike.common(assets));
        }
        bearings.add(Bearing::nothing(), assets.len().saturating_sub(bearings.assets()));
        bearings
    }
}
