//! The values of a snapshot as they are written.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenon_model::{
    Advisory, AssetContext, AssetId, ContextDocument, ControlId, DetectionId, Digest, ExceptionId, GroupName,
    HostFacts, Intel, InventorySum, MachineId, OrderId, Rules, SourcePackage, Tempo, Timestamp, TokenId,
    VexStatement, VulnerabilityId, ZoneName,
};

use crate::approach::{Approach, ToldZone};
use crate::assets::AssetState;
use crate::context::{KnownContext, Written};
use crate::controls::ControlState;
use crate::detections::DetectionState;
use crate::exceptions::ExceptionState;
use crate::index::Stances;
use crate::life::{Retired, Runs};
use crate::movements::{Movement, Movements};
use crate::policy::KnownPolicy;
use crate::trend::Trend;
use crate::world::{FeedState, GroupMode, KnownAdvisory, TokenState, World};

/// Whatever there is once or little of.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedHead {
    pub(super) seq: u64,
    pub(super) time: Option<Timestamp>,
    pub(super) term: u64,
    #[serde(default)]
    pub(super) term_began: Option<Timestamp>,
    pub(super) next_directive: u64,
    pub(super) next_order: u64,
    pub(super) groups: BTreeMap<GroupName, GroupMode>,
    pub(super) tokens: BTreeMap<TokenId, TokenState>,
    pub(super) feeds: BTreeMap<String, FeedState>,
    pub(super) rules: Rules,
    pub(super) policy: Option<SavedPolicy>,
    #[serde(default)]
    pub(super) tempo: Tempo,
    pub(super) context: Option<SavedContext>,
    #[serde(default)]
    pub(super) approach: BTreeMap<ZoneName, ToldZone>,
    pub(super) vex: BTreeMap<String, Vec<VexStatement>>,
    #[serde(default)]
    pub(super) exceptions: Vec<(ExceptionId, ExceptionState)>,
    #[serde(default)]
    pub(super) controls: Vec<(ControlId, ControlState)>,
    #[serde(default)]
    pub(super) detections: Vec<(DetectionId, DetectionState)>,
    pub(super) trend: Trend,
    /// The entry whose consequences the trend counts, and the largest movements.
    #[serde(default)]
    pub(super) moved: (u64, Vec<Movement>),
}

impl SavedHead {
    pub(super) fn restore(self, world: &mut World) {
        world.seq = self.seq;
        world.time = self.time;
        world.term = self.term;
        world.term_began = self.term_began;
        world.next_directive = self.next_directive;
        world.next_order = self.next_order;
        world.groups = self.groups;
        world.tokens = self.tokens;
        world.feeds = self.feeds;
        world.keep_rules(self.rules);
        world.policy = self.policy.map(SavedPolicy::restore);
        world.tempo = self.tempo;
        world.context = self.context.map(SavedContext::restore);
        world.approach = Approach::restore(self.approach);
        world.trend = self.trend;
        let (seq, movements) = self.moved;
        (world.trend.seq, world.trend.movements) = (seq, Movements::restore(movements));
        for (id, state) in self.exceptions {
            world.exceptions.keep(id, state);
        }
        for (id, state) in self.controls {
            world.controls.keep(id, state);
        }
        for (id, state) in self.detections {
            world.detections.keep(id, state);
        }
        world.vex = self.vex.into_iter().map(|(document, stated)| (document, Arc::new(stated))).collect();
    }
}

/// The policy that counts.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedPolicy {
    version: u32,
    blob: Digest,
    text: String,
}

impl SavedPolicy {
    pub(super) fn of(known: &KnownPolicy) -> Self {
        Self { version: known.version, blob: known.blob, text: known.text.to_string() }
    }

    fn restore(self) -> KnownPolicy {
        KnownPolicy::of(self.version, self.blob, &self.text)
    }
}

/// The context document that counts.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedContext {
    version: u32,
    blob: Digest,
    document: Arc<ContextDocument>,
    written: Written,
}

impl SavedContext {
    pub(super) fn of(known: KnownContext) -> Self {
        let KnownContext { version, blob, document, written } = known;
        Self { version, blob, document, written }
    }

    fn restore(self) -> KnownContext {
        let Self { version, blob, document, written } = self;
        KnownContext { version, blob, document, written }
    }
}

/// An advisory and since when it is known.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedAdvisory {
    advisory: Arc<Advisory>,
    known: Timestamp,
}

impl SavedAdvisory {
    pub(super) fn of(known: &KnownAdvisory) -> Self {
        Self { advisory: known.advisory.clone(), known: known.known }
    }

    pub(super) fn restore(self) -> KnownAdvisory {
        KnownAdvisory { advisory: self.advisory, known: self.known }
    }
}

/// What is known of a vulnerability.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedIntel {
    pub(super) id: VulnerabilityId,
    pub(super) intel: Intel,
}

impl SavedIntel {
    pub(super) fn of(id: &VulnerabilityId, intel: &Intel) -> Self {
        Self { id: id.clone(), intel: intel.clone() }
    }
}

/// An asset; profile and stances by their places in the sections before.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedAsset {
    id: AssetId,
    hostname: String,
    group: GroupName,
    enrolled: Timestamp,
    reported: Option<(u64, Timestamp)>,
    said: Option<InventorySum>,
    first_reported: Option<Timestamp>,
    since: Vec<(SourcePackage, Timestamp)>,
    outstanding: Option<OrderId>,
    context: AssetContext,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    machine: Option<MachineId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<AssetId>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    shares_machine: bool,
    #[serde(default, skip_serializing_if = "Runs::is_empty")]
    runs: Runs,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retired: Option<Retired>,
    addresses: Arc<[IpAddr]>,
    index_age: Option<u64>,
    pub(super) profile: Option<u32>,
    pub(super) stances: Option<u32>,
}

impl SavedAsset {
    pub(super) fn of(asset: &AssetState, profile: Option<u32>, stances: Option<u32>) -> Self {
        Self {
            id: asset.id,
            hostname: asset.hostname.clone(),
            group: asset.group.clone(),
            enrolled: asset.enrolled,
            reported: asset.reported,
            said: asset.said,
            first_reported: asset.first_reported,
            since: asset.since.iter().map(|(source, since)| (source.clone(), *since)).collect(),
            outstanding: asset.outstanding,
            context: asset.context,
            machine: asset.machine,
            replaces: asset.replaces,
            shares_machine: asset.shares_machine,
            runs: asset.runs.clone(),
            retired: asset.retired.as_deref().cloned(),
            addresses: asset.addresses.clone(),
            index_age: asset.index_age,
            profile,
            stances,
        }
    }

    pub(super) fn restore(self, profile: Option<Arc<HostFacts>>, stances: Option<Stances>) -> AssetState {
        AssetState {
            id: self.id,
            hostname: self.hostname,
            group: self.group,
            enrolled: self.enrolled,
            reported: self.reported,
            said: self.said,
            first_reported: self.first_reported,
            since: self.since.into_iter().collect(),
            outstanding: self.outstanding,
            context: self.context,
            machine: self.machine,
            replaces: self.replaces,
            shares_machine: self.shares_machine,
            runs: self.runs,
            retired: self.retired.map(Arc::new),
            // Weighed once all that bears on it is there.
            bearing: None,
            addresses: self.addresses,
            stances,
            profile,
            index_age: self.index_age,
            begun: BTreeSet::new(),
            redundancy: None,
            zone: None,
        }
    }
}
