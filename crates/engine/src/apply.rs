//! `apply`: events change the World. It records and decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tenon_approval::Statement;
use tenon_model::{
    ApplyOutcome, ApplyReport, AssetId, AssetOrdinal, AssetSet, Blob, Digest, DirectiveId, Event, Halt,
    Manifest, Note, Order, OrderAction, OrderId, Record, RehearsalOutcome, RehearsalReport, Stage, Step,
    TOO_LATE, Timestamp, VexStatement,
};

use crate::ahead::Report;
use crate::assets::AssetState;
use crate::change::Restated;
use crate::controls::ControlState;
use crate::detections::DetectionState;
use crate::directives::DirectiveState;
use crate::evidence::EvidenceState;
use crate::exceptions::ExceptionState;
use crate::life::Runs;
use crate::policy::KnownPolicy;
use crate::signatures::SignedChanges;
use crate::world::{FeedState, GroupMode, OrderState, TokenState, World};

/// The blobs that a batch of events names, by content. The shell loads them; `apply` only looks them up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachments {
    blobs: BTreeMap<Digest, Blob>,
    /// A report that is at hand already, so that its blobs need not be read.
    report: Option<Arc<Report>>,
    /// What was worked out of a delta: of which asset, and its place among the reports of that.
    restated: Option<(AssetId, u64, Arc<Restated>)>,
}

impl Attachments {
    /// Adds a blob.
    pub fn insert(&mut self, blob: Blob) {
        self.blobs.insert(blob.digest(), blob);
    }

    /// Adds a report with its blobs.
    pub(crate) fn insert_report(&mut self, report: Report) {
        self.report = Some(Arc::new(report));
    }

    /// Adds what was worked out of a delta.
    pub(crate) fn insert_restated(&mut self, asset: AssetId, sequence: u64, restated: Restated) {
        self.restated = Some((asset, sequence, Arc::new(restated)));
    }

    /// What was worked out of a delta of an asset.
    pub(crate) fn restated(&self, (asset, sequence): (AssetId, u64)) -> Option<Arc<Restated>> {
        let restated = self.restated.as_ref();
        restated
            .filter(|(of, at, _)| (*of, *at) == (asset, sequence))
            .map(|(_, _, restated)| restated.clone())
    }

    /// The report that these blobs tell.
    fn report(&self, manifest: &Digest, facts: &Digest) -> Result<Arc<Report>, ApplyError> {
        let is = |report: &&Arc<Report>| report.blobs().each_ref().map(Blob::digest) == [*manifest, *facts];
        if let Some(known) = self.report.as_ref().filter(is) {
            return Ok(known.clone());
        }
        let blobs = [self.get(manifest)?.clone(), self.get(facts)?.clone()];
        let contents = Manifest::from_blob(blobs[0].bytes())
            .map_err(|source| ApplyError::BadManifest { digest: *manifest, source })?;
        Ok(Arc::new(Report::read(contents, self.json(facts)?, blobs)))
    }

    fn get(&self, digest: &Digest) -> Result<&Blob, ApplyError> {
        self.blobs.get(digest).ok_or(ApplyError::MissingBlob(*digest))
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, digest: &Digest) -> Result<T, ApplyError> {
        serde_json::from_slice(self.get(digest)?.bytes())
            .map_err(|source| ApplyError::BadBlob { digest: *digest, source })
    }
}

/// Why an event cannot be applied: the record and this program do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The journal names a blob that is not there.
    #[error("blob {0} is named by the journal and missing: restore the data folder from a backup")]
    MissingBlob(Digest),
    /// A blob does not hold what its event says.
    #[error("blob {digest} does not decode: {source}")]
    BadBlob {
        /// Which blob.
        digest: Digest,
        /// What the decoder says.
        source: serde_json::Error,
    },
    /// A blob is no text.
    #[error("blob {digest} is no text: {source}")]
    BadText {
        /// Which blob.
        digest: Digest,
        /// Where it is not.
        source: std::str::Utf8Error,
    },
    /// A manifest in the journal breaks a bound.
    #[error("manifest blob {digest}: {source}")]
    BadManifest {
        /// Which blob.
        digest: Digest,
        /// What is wrong.
        source: tenon_model::ManifestError,
    },
    /// An event speaks of something no earlier event made.
    #[error("event {seq} names {what}, which no earlier event made")]
    Dangling {
        /// Position of the event.
        seq: u64,
        /// What it names.
        what: String,
    },
    /// Events arrived out of order.
    #[error("event {found} follows {last}: the journal has a gap")]
    Gap {
        /// Last applied.
        last: u64,
        /// What came.
        found: u64,
    },
}

/// What the shell should do because of an event. Replays drop these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionWanted {
    /// An order waits for this asset.
    SendOrder {
        /// The asset.
        asset: AssetId,
        /// The order.
        order: OrderId,
    },
    /// A person must approve.
    AskApproval {
        /// The directive.
        directive: DirectiveId,
    },
}

impl World {
    /// Applies one event of the journal.
    ///
    /// # Errors
    /// When the record does not fit: a gap, a missing or undecodable blob, an event about something unknown. The World
    /// is then unusable and must be dropped.
    pub fn apply(
        &mut self,
        record: &Record,
        blobs: &Attachments,
        actions: &mut Vec<ActionWanted>,
    ) -> Result<(), ApplyError> {
        if record.seq != self.seq + 1 {
            return Err(ApplyError::Gap { last: self.seq, found: record.seq });
        }
        self.seq = record.seq;
        self.time = Some(record.time);
        let now = record.time;
        self.begin_movement(&record.event, now);
        match &record.event {
            Event::TermBegan { term } => (self.term, self.term_began) = (*term, Some(now)),
            Event::AdvisoriesChanged { feed, delta, as_of, .. } => {
                self.feeds.insert(feed.clone(), FeedState { changed: now, as_of: *as_of });
                self.change_advisories(blobs.json(delta)?, now);
            }
            Event::IntelChanged { source, delta, as_of, .. } => {
                let name = match source {
                    tenon_model::IntelSource::Kev => "kev",
                    tenon_model::IntelSource::Epss => "epss",
                    tenon_model::IntelSource::Profile => "cve",
                    tenon_model::IntelSource::Forecast => "forecast",
                };
                self.feeds.insert(name.to_owned(), FeedState { changed: now, as_of: *as_of });
                self.change_intel(blobs.json(delta)?);
            }
            Event::TokenIssued { token, secret, group, expires, .. } => {
                let state = TokenState { secret: *secret, group: group.clone(), expires: *expires };
                self.tokens.insert(token.clone(), state);
            }
            Event::AssetEnrolled { asset, hostname, group, token, machine, replaces } => {
                self.tokens.remove(token);
                let context = replaces.and_then(|before| self.asset(&before)).map(|before| before.context);
                self.assets.add(AssetState {
                    id: *asset,
                    hostname: hostname.clone(),
                    group: group.clone(),
                    enrolled: now,
                    reported: None,
                    said: None,
                    first_reported: None,
                    since: BTreeMap::new(),
                    outstanding: None,
                    context: context.unwrap_or_default(),
                    machine: *machine,
                    replaces: *replaces,
                    shares_machine: false,
                    runs: Runs::default(),
                    retired: None,
                    bearing: None,
                    addresses: Arc::default(),
                    stances: None,
                    profile: None,
                    index_age: None,
                    begun: BTreeSet::new(),
                    redundancy: None,
                    zone: None,
                });
                // The context may know it by its name or group. It wants nothing yet, so that nothing moves with it.
                let ordinal = self.known(record.seq, asset)?;
                self.weigh(ordinal);
            }
            Event::AssetRetired { asset, why } => self.retire(record.seq, asset, why, now)?,
            Event::AssetReturned { asset } => self.take_back(record.seq, asset)?,
            Event::AssetRenamed { asset, hostname } => self.rename(record.seq, asset, hostname)?,
            Event::AgentStarted { asset, run } => self.start_agent(record.seq, asset, *run)?,
            Event::CloneSeen { asset, .. } => self.hear_again(record.seq, asset, Some(now))?,
            Event::CloneGone { asset } => self.hear_again(record.seq, asset, None)?,
            Event::InventoryReported { asset, sequence, manifest, facts } => {
                let report = blobs.report(manifest, facts)?;
                self.replace_inventory(record, (*asset, *sequence), &report)?;
            }
            Event::InventoryChanged { asset, sequence, delta } => {
                self.change_inventory(record, (*asset, *sequence), delta, blobs)?;
            }
            Event::ReachAssessed { delta, .. } => self.approach.take(blobs.json(delta)?, now),
            Event::ContextSet { asset, context, .. } => {
                let ordinal = self.known(record.seq, asset)?;
                if let Some(asset) = self.assets.get_mut(ordinal) {
                    asset.context = *context;
                }
                self.weigh_anew(ordinal);
            }
            Event::ContextTakenOver { version, document, .. } => {
                self.take_over(blobs.json(document)?, *document, *version);
            }
            Event::VexStated { document, statements, count, .. } => {
                let mut statements: Vec<VexStatement> = blobs.json(statements)?;
                statements.sort();
                let before = self.vex.get(document).cloned().unwrap_or_default();
                let about: BTreeSet<_> =
                    statements.iter().chain(before.iter()).map(|vex| &vex.vulnerability).collect();
                let packages = self.packages_about(&about);
                match count {
                    0 => drop(self.vex.remove(document)),
                    _ => drop(self.vex.insert(document.clone(), Arc::new(statements))),
                }
                self.conclude_about(&packages);
            }
            Event::ExceptionGranted { id, exception } => {
                let exception = exception.as_ref().clone();
                self.exceptions.keep(*id, ExceptionState { exception, granted: now, ended: None });
            }
            Event::ExceptionEnded { id, end } => {
                let dangling = || ApplyError::Dangling { seq: record.seq, what: id.to_string() };
                self.exceptions.end(*id, end, now).ok_or_else(dangling)?;
            }
            Event::ControlRecorded { id, control } => {
                let control = control.as_ref().clone();
                let assets = control.assets.clone();
                self.controls.keep(*id, ControlState { control, recorded: now, ended: None });
                self.guard(&assets);
            }
            Event::ControlEnded { id, end } => {
                let dangling = || ApplyError::Dangling { seq: record.seq, what: id.to_string() };
                self.controls.end(*id, end, now).ok_or_else(dangling)?;
                let assets = self.control(*id).map(|state| state.control.assets.clone());
                self.guard(&assets.unwrap_or_default());
            }
            Event::DetectionReported { id, detection } => {
                let detection = detection.as_ref().clone();
                let asset = match &detection.asset {
                    Some(asset) => {
                        let dangling = || ApplyError::Dangling { seq: record.seq, what: asset.to_string() };
                        Some(self.ordinal(asset).ok_or_else(dangling)?)
                    }
                    None => None,
                };
                self.detections.keep(*id, DetectionState::reported(detection, asset, now));
            }
            Event::DetectionFaded { id, halved } => {
                let dangling = || ApplyError::Dangling { seq: record.seq, what: id.to_string() };
                self.detections.fade(*id, *halved).ok_or_else(dangling)?;
            }
            Event::DetectionEnded { id, end } => {
                let dangling = || ApplyError::Dangling { seq: record.seq, what: id.to_string() };
                self.detections.end(*id, end, now).ok_or_else(dangling)?;
            }
            Event::RulesSet { rules, .. } => self.keep_rules(rules.clone()),
            Event::GroupPromoted { group, .. } => {
                self.groups.insert(group.clone(), GroupMode::Act);
                self.note_mode(group, GroupMode::Act);
            }
            Event::GroupDemoted { group, .. } => {
                self.groups.insert(group.clone(), GroupMode::Observe);
                self.note_mode(group, GroupMode::Observe);
            }
            Event::DirectiveRaised { id, directive, wants } => self.raise(*id, directive, wants, now),
            Event::DirectiveChanged { id, change } => self.change(record.seq, *id, change)?,
            Event::DirectiveRevised { id, directive } => {
                self.revise(record.seq, *id, directive)?;
            }
            Event::DirectiveClosed { id, outcome } => self.close(record.seq, *id, outcome, now)?,
            Event::OrderIssued { order } => {
                self.issue(record.seq, order)?;
                actions.push(ActionWanted::SendOrder { asset: order.asset, order: order.id });
            }
            Event::RehearsalRecorded { order, report, outcome } => {
                let order = self.answer(record, *order, *report)?;
                self.count_rehearsal(&order, outcome);
                self.rehearsed(record.seq, &order, *report, outcome, blobs, actions)?;
            }
            Event::DirectiveApproved { id, by, rehearsals, evidence_waived } => {
                self.waive_with_approval(record, *id, rehearsals, (by, evidence_waived.as_deref()))?;
                for (asset, report) in rehearsals {
                    let asset = self.known(record.seq, asset)?;
                    self.set_stage(*id, asset, Stage::Approved { report: *report });
                }
                self.approved_more(*id);
            }
            Event::DirectiveNoted { id, kind, text, by } => {
                let note = Note { at: now, by: by.clone(), kind: *kind, text: text.clone() };
                self.directive_mut(record.seq, *id)?.thread.push(note);
            }
            Event::DirectiveAssigned { id, to, by } => self.assign(record, *id, to.as_ref(), by.as_ref())?,
            Event::PolicySet { version, policy, .. } => {
                let text = std::str::from_utf8(blobs.get(policy)?.bytes());
                let text = text.map_err(|source| ApplyError::BadText { digest: *policy, source })?;
                self.policy = Some(KnownPolicy::of(*version, *policy, text));
                self.plan_held_back_anew();
            }
            Event::ApprovalGiven { id, by, rehearsals, evidence_waived } => {
                self.waive_with_approval(record, *id, rehearsals, (by, evidence_waived.as_deref()))?;
                for (asset, report) in rehearsals {
                    let asset = self.known(record.seq, asset)?;
                    self.directive_mut(record.seq, *id)?.give(asset, *report, by);
                }
            }
            Event::ApprovedByPolicy { id, version, rule, rehearsals, .. } => {
                let rule: Arc<str> = rule.as_str().into();
                for (asset, report) in rehearsals {
                    let asset = self.known(record.seq, asset)?;
                    self.set_stage(*id, asset, Stage::Approved { report: *report });
                    self.directive_mut(record.seq, *id)?.approve_by(asset, *version, &rule);
                }
                self.approved_more(*id);
            }
            Event::ChangesSigned { id, statement, signature, key, leaves, by } => {
                // It was read when it was taken. One that does not read any more counts for nothing.
                let expires =
                    statement.parse::<Statement>().map_or(Timestamp::from_millis(0), |said| said.expires);
                self.directive_mut(record.seq, *id)?.keep_signature(SignedChanges {
                    statement: statement.as_str().into(),
                    signature: signature.as_str().into(),
                    key: key.clone(),
                    expires,
                    leaves: Arc::new(leaves.clone()),
                    by: by.clone(),
                    at: now,
                });
            }
            // What the record keeps is no part of what it says.
            Event::HistoryCut { .. } => {}
            Event::TempoSet { tempo, .. } => self.tempo = *tempo,
            Event::RolloutPlanned { id, plan } => self.plan_rollout(record.seq, *id, plan, now)?,
            Event::WaveBegan { id, wave } => self.on_rollout(record.seq, *id, |rollout, approved| {
                let assets = rollout.wave(*wave).map(|wave| wave.assets.intersect(approved));
                rollout.open = assets.unwrap_or_default();
                rollout.set_out = rollout.open.len();
                rollout.failed = AssetSet::default();
                (rollout.step, rollout.since) = (Step::Running { wave: *wave }, now);
            })?,
            Event::WaveEnded { id, wave, .. } => self.on_rollout(record.seq, *id, |rollout, _| {
                (rollout.step, rollout.since) = (Step::Soaking { wave: *wave }, now);
            })?,
            Event::RolloutHalted { id, why, by } => self.on_rollout(record.seq, *id, |rollout, _| {
                rollout.halted = Some(Halt { at: now, why: why.clone(), by: by.clone() });
            })?,
            Event::RolloutResumed { id, .. } => self.on_rollout(record.seq, *id, |rollout, _| {
                (rollout.halted, rollout.stale) = (None, true);
                rollout.failed = AssetSet::default();
            })?,
            Event::RetryRequested { id, asset, .. } => {
                let asset = self.known(record.seq, asset)?;
                self.directive_mut(record.seq, *id)?.retry_evidence(asset);
                if self.directive(id).and_then(|state| state.stage(asset)).is_some_and(stands_still) {
                    self.set_stage(*id, asset, Stage::Proposed);
                }
            }
            Event::EvidenceSealed { order, document, bytes, gaps } => {
                let order = self.answer(record, *order, *document)?;
                // The bytes were read when they came; here they only have to be there.
                blobs.get(document)?;
                let (document, bytes, gaps) = (*document, *bytes, gaps.clone());
                let sealed = EvidenceState::Sealed { order: order.id, document, bytes, gaps, at: now };
                self.seal(record.seq, &order, sealed)?;
            }
            Event::EvidenceMissed { order: id, reason } => {
                let order = self.settle(record.seq, *id)?;
                if let Some(state) = self.orders.get_mut(id) {
                    Arc::make_mut(state).missed = true;
                }
                self.miss_evidence(record.seq, &order, reason.clone(), now)?;
            }
            Event::EvidenceWaived { id, assets, why, by } => {
                self.waive_evidence(record.seq, *id, assets.iter(), (by, why), now)?;
            }
            Event::ApplyRecorded { order, report, outcome } => {
                let order = self.answer(record, *order, *report)?;
                let asset = self.known(record.seq, &order.asset)?;
                let sequence =
                    self.assets.get(asset).and_then(|asset| asset.reported).map_or(0, |(seq, _)| seq);
                // The evidence in the report is kept; only its form is checked here.
                let _: ApplyReport = blobs.json(report)?;
                self.count_change(&order, outcome);
                let stage = self
                    .approved_again(&order, asset, outcome, now)
                    .unwrap_or_else(|| stage_after_apply(outcome, *report, sequence));
                self.set_stage(order.directive, asset, stage);
            }
            Event::AssetVerified { id, asset, .. } => {
                let asset = self.known(record.seq, asset)?;
                let directive = self.directive(id);
                let stage = match directive.and_then(|state| state.stage(asset)) {
                    Some(Stage::Applied { .. }) => Stage::Verified,
                    _ => Stage::FixedOtherwise,
                };
                self.set_stage(*id, asset, stage);
            }
            Event::OrderExpired { order } => {
                let order = self.settle(record.seq, *order)?;
                self.count_silence(&order);
                if matches!(order.action, OrderAction::PreserveEvidence { .. }) {
                    let reason = format!(
                        "{} was not answered by {}; an agent older than this server does not know it",
                        order.id, order.expires
                    );
                    return self.miss_evidence(record.seq, &order, reason, now);
                }
                let reason = format!(
                    "{} was not answered by {}; a silent host counts as failed: look at the host, then retry",
                    order.id, order.expires
                );
                let asset = self.known(record.seq, &order.asset)?;
                self.set_stage(order.directive, asset, Stage::Failed { reason, report: None });
            }
        }
        Ok(())
    }

    /// The ordinal of an asset that an earlier event enrolled.
    pub(crate) fn known(&self, seq: u64, asset: &AssetId) -> Result<AssetOrdinal, ApplyError> {
        self.assets.ordinal(asset).ok_or_else(|| ApplyError::Dangling { seq, what: asset.to_string() })
    }

    pub(crate) fn directive_mut(
        &mut self,
        seq: u64,
        id: DirectiveId,
    ) -> Result<&mut DirectiveState, ApplyError> {
        let state = self.directives.get_mut(&id).map(Arc::make_mut);
        state.ok_or_else(|| ApplyError::Dangling { seq, what: id.to_string() })
    }

    fn issue(&mut self, seq: u64, order: &Order) -> Result<(), ApplyError> {
        self.next_order = self.next_order.max(order.id.ordinal());
        self.open_orders.insert(order.id, ());
        let state = OrderState { order: order.clone(), settled: false, report: None, missed: false };
        self.orders.insert(order.id, Arc::new(state));
        let asset = self.known(seq, &order.asset)?;
        if let Some(asset) = self.assets.get_mut(asset) {
            asset.outstanding = Some(order.id);
        }
        let approved = match self.directive(&order.directive).and_then(|state| state.stage(asset)) {
            Some(Stage::Approved { report }) => Some(*report),
            _ => None,
        };
        let stage = match (&order.action, approved) {
            (OrderAction::Apply { .. }, Some(report)) => Some(Stage::Applying { order: order.id, report }),
            // Nothing of the directive itself is begun.
            (OrderAction::PreserveEvidence { .. }, _) => None,
            _ => Some(Stage::Rehearsing { order: order.id }),
        };
        if let Some(stage) = stage {
            self.set_stage(order.directive, asset, stage);
        }
        if let Some(directive) = self.directives.get_mut(&order.directive) {
            Arc::make_mut(directive).orders.push(order.id);
        }
        Ok(())
    }

    /// What a rehearsal report means for the asset's stage.
    fn rehearsed(
        &mut self,
        seq: u64,
        order: &Order,
        digest: Digest,
        outcome: &RehearsalOutcome,
        blobs: &Attachments,
        actions: &mut Vec<ActionWanted>,
    ) -> Result<(), ApplyError> {
        let report: RehearsalReport = blobs.json(&digest)?;
        let asset = self.known(seq, &order.asset)?;
        let state = self.directive_mut(seq, order.directive)?;
        let OrderAction::Rehearse { targets } = &order.action else {
            return Err(ApplyError::Dangling { seq, what: format!("a rehearsal of {}", order.id) });
        };
        let needs_person = |reason| Stage::NeedsPerson { reason, report: Some(digest) };
        let stage = match outcome {
            // The directive was revised in the meantime: the report speaks of other packages.
            _ if state.targets(asset).map(Arc::as_ref) != Some(targets) => Stage::Proposed,
            RehearsalOutcome::Passed => Stage::AwaitingApproval { report: digest },
            RehearsalOutcome::Failed { reason } => needs_person(format!("the rehearsal failed: {reason}")),
            RehearsalOutcome::NotRehearsed { reason } => needs_person(format!("not rehearsed: {reason}")),
        };
        if matches!(stage, Stage::AwaitingApproval { .. }) && state.closed.is_none() {
            state.rehearsals.insert(asset, Arc::new(report));
            actions.push(ActionWanted::AskApproval { directive: order.directive });
        }
        self.set_stage(order.directive, asset, stage);
        Ok(())
    }

    /// The stage of an asset that got its order too late, as by the clock of the record too: nothing was begun, so that it is where it was
    /// before the order. Where it is in time by this clock, the two differ, and no second order would fare better.
    fn approved_again(
        &self,
        order: &Order,
        asset: AssetOrdinal,
        outcome: &ApplyOutcome,
        now: Timestamp,
    ) -> Option<Stage> {
        let ApplyOutcome::Refused { code, .. } = outcome else { return None };
        match self.directive(&order.directive)?.stage(asset)? {
            Stage::Applying { order: out, report }
                if *out == order.id && code == TOO_LATE && order.is_late(now) =>
            {
                Some(Stage::Approved { report: *report })
            }
            _ => None,
        }
    }

    /// Settles an order by the host's own report.
    fn answer(&mut self, record: &Record, id: OrderId, report: Digest) -> Result<Order, ApplyError> {
        let order = self.settle(record.seq, id)?;
        if let Some(state) = self.orders.get_mut(&id) {
            Arc::make_mut(state).report = Some((record.time, report));
        }
        Ok(order)
    }

    pub(crate) fn settle(&mut self, seq: u64, id: OrderId) -> Result<Order, ApplyError> {
        let state = self.orders.get_mut(&id).map(Arc::make_mut);
        let state = state.ok_or_else(|| ApplyError::Dangling { seq, what: id.to_string() })?;
        state.settled = true;
        let order = state.order.clone();
        self.open_orders.remove(&id);
        let asset = self.known(seq, &order.asset)?;
        if let Some(asset) = self.assets.get_mut(asset)
            && asset.outstanding == Some(id)
        {
            asset.outstanding = None;
        }
        Ok(order)
    }
}

/// Whether nothing goes on at a stage before somebody asks for it.
fn stands_still(stage: &Stage) -> bool {
    matches!(
        stage,
        Stage::NeedsPerson { .. } | Stage::Failed { .. } | Stage::RolledBack { .. } | Stage::Applied { .. }
    )
}

fn stage_after_apply(outcome: &ApplyOutcome, report: Digest, sequence: u64) -> Stage {
    match outcome {
        ApplyOutcome::Verified => Stage::Applied { report, after_sequence: sequence },
        ApplyOutcome::RolledBack { reason } => Stage::RolledBack { reason: reason.clone(), report },
        ApplyOutcome::Failed { reason, remedy } => {
            Stage::Failed { reason: format!("{reason}; remedy: {remedy}"), report: Some(report) }
        }
        ApplyOutcome::Refused { code, detail } => Stage::NeedsPerson {
            reason: format!(
                "the host refused, nothing was changed ({code}): {detail}; retry rehearses again"
            ),
            report: Some(report),
        },
    }
}
