//! Directives as state, and how events change them.
//!
//! A directive may stand for a million assets, most of them alike: what an asset adds is kept once for all that add the
//! same, and a stage of its own only for assets on which work has begun.

mod change;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenon_model::{
    Action, AssetOrdinal, AssetSet, Assignment, Digest, Directive, DirectiveId, Note, NoteKind, OrderId,
    Outcome, PackageTarget, Person, RehearsalReport, RiskPoints, SourcePackage, Stage, Timestamp,
    VulnerabilityId, Want, WantClass,
};

use crate::assets::Assets;
use crate::context::Bearings;
use crate::evidence::EvidenceState;
use crate::rollout::Rollout;
use crate::signatures::SignedChanges;

/// A directive and how far it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DirectiveState {
    /// What and why.
    pub directive: Directive,
    /// When it was raised.
    pub raised: Timestamp,
    /// Every asset of it.
    pub members: AssetSet,
    /// What the assets add that still want it, by what they have in common; no asset is in two of these. Others stay because
    /// work on them has begun or is done.
    pub(crate) wants: Vec<WantClass>,
    /// All of them together.
    #[serde(skip)]
    wanting: AssetSet,
    /// What of the context of those bears on its priority, and how many there are of each. Like `wanting` it follows from the
    /// rest: with a million assets it is not counted again for each that joins.
    #[serde(skip)]
    bearings: Bearings,
    /// The packages of those others.
    settled: Vec<(Arc<Vec<PackageTarget>>, AssetSet)>,
    /// Assets that show the fix after Tenon applied it.
    verified: AssetSet,
    /// Assets that show the fix and had it from elsewhere.
    fixed_otherwise: AssetSet,
    /// Every stage between proposed and done.
    begun: BTreeMap<AssetOrdinal, Stage>,
    /// What some of the people whom the policy asks for have approved, where more are needed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    given: BTreeMap<AssetOrdinal, Given>,
    /// The rule of the policy that approved, by asset, for what waits or is under way.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    by_rule: BTreeMap<AssetOrdinal, ByRule>,
    /// The last passed rehearsal of each asset, which an apply order pins.
    pub rehearsals: BTreeMap<AssetOrdinal, Arc<RehearsalReport>>,
    /// Every order that was made for it, in order.
    pub orders: Vec<OrderId>,
    /// Of the begun those that are approved and wait for their wave. Follows from the stages.
    #[serde(skip)]
    approved: AssetSet,
    /// In which waves what is approved is applied; `None` before anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// What people signed with keys that the server does not have, in the order in which it came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signed: Vec<SignedChanges>,
    /// When and how it ended.
    pub closed: Option<(Timestamp, Outcome)>,
    /// What people said of it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thread: Vec<Note>,
    /// Who does it; `None` for nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<Assignment>,
    /// What was sealed, waived or missed of what a change would destroy, where its row asks for that.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) evidence: BTreeMap<AssetOrdinal, EvidenceState>,
    /// Since when its row asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) forensics_since: Option<Timestamp>,
    /// Its id, under which it is kept.
    #[serde(skip, default = "no_id")]
    pub(crate) id: DirectiveId,
}

fn no_id() -> DirectiveId {
    DirectiveId::new(0)
}

/// Who has approved a rehearsal report of which the policy asks several people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// The report that was looked at.
    pub report: Digest,
    /// The people.
    pub by: BTreeSet<Person>,
}

/// The rule by which the policy approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByRule {
    /// The version of the policy.
    pub version: u32,
    /// The rule.
    pub rule: Arc<str>,
}

impl DirectiveState {
    /// Its place in the queue: earlier due dates first, then the larger loss removed, then age.
    pub fn rank(&self, id: DirectiveId) -> (bool, Option<Timestamp>, Reverse<RiskPoints>, DirectiveId) {
        let priority = &self.directive.priority;
        (priority.due.is_none(), priority.due, Reverse(priority.removes), id)
    }

    /// What it removes by a change of one of the assets that still want it. Whoever works changes off in falling order of this loses the
    /// least while the rest waits, as far as each takes as long (Smith's rule).
    pub fn per_change(&self) -> RiskPoints {
        RiskPoints(self.directive.priority.removes.0 / self.wanting.len().max(1))
    }

    /// Its place among those that one asset wants: as in the queue, but by what it removes there and not on how many others.
    pub(crate) fn rank_on_asset(
        &self,
        id: DirectiveId,
    ) -> (bool, Option<Timestamp>, Reverse<RiskPoints>, DirectiveId) {
        let (undated, due, _, id) = self.rank(id);
        (undated, due, Reverse(self.per_change()), id)
    }

    /// The note that disputes it and was not answered: nothing of it is approved meanwhile.
    pub fn disputed(&self) -> Option<&Note> {
        let last = self.thread.iter().rev().find(|note| note.kind != NoteKind::Comment)?;
        (last.kind == NoteKind::Dispute).then_some(last)
    }

    /// What must be upgraded, and to which version.
    pub fn source(&self) -> &SourcePackage {
        let Action::Upgrade { source } = &self.directive.action;
        source
    }

    /// How far it is on an asset; `None` where the asset is no part of it.
    pub fn stage(&self, asset: AssetOrdinal) -> Option<&Stage> {
        if !self.members.contains(asset) {
            return None;
        }
        Some(match self.begun.get(&asset) {
            Some(stage) => stage,
            None if self.verified.contains(asset) => &Stage::Verified,
            None if self.fixed_otherwise.contains(asset) => &Stage::FixedOtherwise,
            None => &Stage::Proposed,
        })
    }

    /// Every asset and how far it is there, in the order of enrolment.
    pub fn stages(&self) -> impl Iterator<Item = (AssetOrdinal, &Stage)> {
        self.members.iter().filter_map(|asset| Some((asset, self.stage(asset)?)))
    }

    /// The assets that are further than proposed and not done.
    pub fn begun(&self) -> impl Iterator<Item = (AssetOrdinal, &Stage)> {
        self.begun.iter().map(|(asset, stage)| (*asset, stage))
    }

    /// The packages to bring to other versions on an asset.
    pub fn targets(&self, asset: AssetOrdinal) -> Option<&Arc<Vec<PackageTarget>>> {
        let wanted =
            self.wants.iter().find(|class| class.assets.contains(asset)).map(|class| &class.want.targets);
        wanted.or_else(|| {
            self.settled.iter().find(|(_, assets)| assets.contains(asset)).map(|(targets, _)| targets)
        })
    }

    /// The assets that still want it.
    pub(crate) fn wanting(&self) -> &AssetSet {
        &self.wanting
    }

    /// What of the context of those bears on its priority, and how many there are of each.
    pub(crate) fn bearings(&self) -> &Bearings {
        &self.bearings
    }

    /// Finds anew who wants it and who is approved, and counts whose context bears how.
    pub(crate) fn recount(&mut self, assets: &Assets) {
        self.wanting = AssetSet::union(self.wants.iter().map(|class| &class.assets));
        let approved = self.begun.iter().filter(|(_, stage)| matches!(stage, Stage::Approved { .. }));
        self.approved = approved.map(|(asset, _)| *asset).collect();
        self.bearings = assets.bearings(&self.wanting);
    }

    /// What an asset wants of it; `None` where it does not want it any more.
    pub(crate) fn want_of(&self, asset: AssetOrdinal) -> Option<&Want> {
        if !self.wanting.contains(asset) {
            return None;
        }
        self.wants.iter().find(|class| class.assets.contains(asset)).map(|class| class.want.as_ref())
    }

    /// Whether an asset wants it for this vulnerability.
    pub fn is_wanted_for(&self, about: &VulnerabilityId, asset: AssetOrdinal) -> bool {
        self.want_of(asset).is_some_and(|want| want.is_for(about))
    }

    /// The assets that want it for this vulnerability.
    pub fn wanting_for(&self, about: &VulnerabilityId) -> AssetSet {
        let classes = self.wants.iter().filter(|class| class.want.is_for(about));
        AssetSet::union(classes.map(|class| &class.assets))
    }

    /// The assets that want exactly this.
    pub(crate) fn wanting_just(&self, want: &Want) -> Option<&AssetSet> {
        let place = self.wants.binary_search_by(|class| class.want.as_ref().cmp(want)).ok()?;
        self.wants.get(place).map(|class| &class.assets)
    }

    /// The assets on which nothing is left to do.
    pub fn done(&self) -> AssetSet {
        AssetSet::union([&self.verified, &self.fixed_otherwise])
    }

    /// The assets that show the fix after Tenon applied it.
    pub(crate) fn verified(&self) -> &AssetSet {
        &self.verified
    }

    /// How many assets show the fix after Tenon applied it, and how many had it from elsewhere.
    pub fn done_by(&self) -> (u64, u64) {
        (self.verified.len(), self.fixed_otherwise.len())
    }

    /// Whether any of its assets is further than proposed.
    pub(crate) fn is_begun(&self) -> bool {
        !(self.begun.is_empty() && self.verified.is_empty() && self.fixed_otherwise.is_empty())
    }

    /// A directive of which no asset is a part yet.
    fn raised(id: DirectiveId, directive: Directive, raised: Timestamp) -> Self {
        Self {
            id,
            directive,
            raised,
            members: AssetSet::default(),
            wants: Vec::new(),
            wanting: AssetSet::default(),
            bearings: Bearings::default(),
            settled: Vec::new(),
            verified: AssetSet::default(),
            fixed_otherwise: AssetSet::default(),
            begun: BTreeMap::new(),
            given: BTreeMap::new(),
            by_rule: BTreeMap::new(),
            rehearsals: BTreeMap::new(),
            orders: Vec::new(),
            approved: AssetSet::default(),
            rollout: None,
            signed: Vec::new(),
            closed: None,
            thread: Vec::new(),
            assigned: None,
            evidence: BTreeMap::new(),
            forensics_since: None,
        }
    }

    /// The assets that wait for their turn.
    pub fn proposed(&self) -> AssetSet {
        let mut proposed = self.members.without(&self.done());
        for asset in self.begun.keys() {
            proposed.remove(*asset);
        }
        proposed
    }

    /// The assets whose work is not forgotten when they no longer want it: it is done, or an order is out, or it was applied
    /// and is to be confirmed.
    pub(crate) fn busy(&self) -> AssetSet {
        let mut busy = self.done();
        for (asset, stage) in &self.begun {
            if stage.outstanding_order().is_some() || matches!(stage, Stage::Applied { .. }) {
                busy.insert(*asset);
            }
        }
        busy
    }

    /// Whether something is left to do on an asset of it.
    pub(crate) fn is_left(&self, asset: AssetOrdinal) -> bool {
        self.members.contains(asset)
            && !self.verified.contains(asset)
            && !self.fixed_otherwise.contains(asset)
    }

    /// Those of some assets on which something is left to do.
    pub(crate) fn open_among(&self, assets: &AssetSet) -> AssetSet {
        let mut open = self.members.intersect(assets);
        open.subtract(&self.verified);
        open.subtract(&self.fixed_otherwise);
        open
    }

    /// Those of some assets that are further than proposed and not done.
    pub(crate) fn begun_among(&self, assets: &AssetSet) -> Vec<AssetOrdinal> {
        let begun = |asset: &AssetOrdinal| self.begun.contains_key(asset);
        if assets.len() < self.begun.len() as u64 {
            return assets.iter().filter(begun).collect();
        }
        self.begun.keys().copied().filter(|asset| assets.contains(*asset)).collect()
    }

    /// The assets that are approved and wait for their wave.
    pub(crate) fn approved(&self) -> &AssetSet {
        &self.approved
    }

    /// Who has approved what waits on an asset, where more people are needed.
    pub fn given(&self, asset: AssetOrdinal) -> Option<&Given> {
        self.given.get(&asset)
    }

    /// One of several people has approved the report of a rehearsal.
    pub(crate) fn give(&mut self, asset: AssetOrdinal, report: Digest, by: &Person) {
        let given = self.given.entry(asset).or_insert_with(|| Given { report, by: BTreeSet::new() });
        // Approvals of another report say nothing of this one.
        if given.report != report {
            *given = Given { report, by: BTreeSet::new() };
        }
        given.by.insert(by.clone());
    }

    /// The rule by which the policy approved the change of an asset; `None` where a person did, or it is not approved.
    pub fn by_rule(&self, asset: AssetOrdinal) -> Option<&ByRule> {
        self.by_rule.get(&asset)
    }

    /// The policy approved the change of an asset.
    pub(crate) fn approve_by(&mut self, asset: AssetOrdinal, version: u32, rule: &Arc<str>) {
        if self.begun.contains_key(&asset) {
            self.by_rule.insert(asset, ByRule { version, rule: rule.clone() });
        }
    }

    /// What has begun on an asset is forgotten.
    fn forget(&mut self, asset: AssetOrdinal) {
        self.given.remove(&asset);
        self.by_rule.remove(&asset);
        self.begun.remove(&asset);
        self.approved.remove(asset);
    }

    fn set(&mut self, asset: AssetOrdinal, stage: Stage) {
        // Who approved is remembered until it is done or begins anew.
        let goes_on = match &stage {
            // Its order came too late: the approval stands.
            Stage::Approved { .. } => matches!(self.begun.get(&asset), Some(Stage::Applying { .. })),
            Stage::Applying { .. }
            | Stage::Applied { .. }
            | Stage::Failed { .. }
            | Stage::RolledBack { .. } => true,
            _ => false,
        };
        let by_rule = self.by_rule.remove(&asset).filter(|_| goes_on);
        self.forget(asset);
        self.by_rule.extend(by_rule.map(|by_rule| (asset, by_rule)));
        if let Some(rollout) = &mut self.rollout {
            rollout.note(asset, &stage);
        }
        if matches!(stage, Stage::Approved { .. }) {
            self.approved.insert(asset);
        }
        self.verified.remove(asset);
        self.fixed_otherwise.remove(asset);
        match stage {
            Stage::Proposed => {}
            Stage::Verified => drop(self.verified.insert(asset)),
            Stage::FixedOtherwise => drop(self.fixed_otherwise.insert(asset)),
            stage => drop(self.begun.insert(asset, stage)),
        }
    }

    fn leave(&mut self, left: &AssetSet) {
        self.members.subtract(left);
        self.verified.subtract(left);
        self.fixed_otherwise.subtract(left);
        for asset in self.begun_among(left) {
            self.forget(asset);
        }
        if let Some(rollout) = &mut self.rollout {
            rollout.leave(left);
        }
        self.unwant(left);
        self.unsettle(left);
    }

    /// These do not want it any more, and keep the packages that they have.
    fn settle(&mut self, assets: &AssetSet) {
        for class in &self.wants {
            let settled = class.assets.intersect(assets);
            if settled.is_empty() {
                continue;
            }
            let targets = &class.want.targets;
            match self.settled.iter_mut().find(|(of, _)| of == targets) {
                Some((_, known)) => known.extend(&settled),
                None => self.settled.push((targets.clone(), settled)),
            }
        }
        self.unwant(assets);
    }

    fn unwant(&mut self, assets: &AssetSet) {
        if self.wanting.is_disjoint(assets) {
            return;
        }
        self.declass(assets);
        self.wanting.subtract(assets);
    }

    /// The reports of an asset are counted from the beginning: what was applied there waits for any of them.
    pub(crate) fn count_reports_anew(&mut self, asset: AssetOrdinal) {
        if let Some(Stage::Applied { after_sequence, .. }) = self.begun.get_mut(&asset) {
            *after_sequence = 0;
        }
    }

    /// These are in no class. Called while they still count as wanting it.
    fn declass(&mut self, assets: &AssetSet) {
        // An advisory moves every asset from one class to another: then none of the classes is looked at.
        if self.wanting == *assets {
            return self.wants.clear();
        }
        for class in &mut self.wants {
            class.assets.subtract(assets);
        }
        self.wants.retain(|class| !class.assets.is_empty());
    }

    fn unsettle(&mut self, assets: &AssetSet) {
        for (_, settled) in &mut self.settled {
            settled.subtract(assets);
        }
        self.settled.retain(|(_, settled)| !settled.is_empty());
    }

    /// These want it now, or want it differently. No asset is in two of the classes; `coming` are all of them.
    fn join(&mut self, classes: &[WantClass], coming: &AssetSet) {
        for class in classes {
            self.begin_anew(class);
        }
        self.forget_evidence(coming);
        // Done once, and wanted again: the host went back behind it.
        self.verified.subtract(coming);
        self.fixed_otherwise.subtract(coming);
        self.declass(coming);
        self.unsettle(coming);
        self.members.extend(coming);
        self.wanting.extend(coming);
        for WantClass { want, assets } in classes {
            match self.wants.binary_search_by(|class| class.want.cmp(want)) {
                Ok(place) => self.wants[place].assets.extend(assets),
                Err(place) => {
                    self.wants.insert(place, WantClass { want: want.clone(), assets: assets.clone() });
                }
            }
        }
    }

    /// What was rehearsed or approved spoke of other packages.
    fn begin_anew(&mut self, WantClass { want, assets }: &WantClass) {
        for asset in self.begun_among(assets) {
            let free = self.begun.get(&asset).is_some_and(|stage| stage.outstanding_order().is_none());
            if free && self.targets(asset) != Some(&want.targets) {
                self.forget(asset);
                if let Some(rollout) = &mut self.rollout {
                    rollout.leave(&std::iter::once(asset).collect());
                }
            }
        }
    }
}
