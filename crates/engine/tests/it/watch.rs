//! What must hold after every command, told from the events and not from the World alone.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use tenon_approval::{HostChange, Statement, climb, root};
use tenon_checker::{Begins, check_begins};
use tenon_engine::{ActionWanted, Asker, GroupMode, Ruling, World};
use tenon_model::{
    Action, ApplyOutcome, AssetId, Capability, DetectionEnd, Digest, Directive, DirectiveId, Event,
    EvidenceDocument, Generation, KeyApproval, KeyFingerprint, NoteKind, OfferState, Order, OrderAction,
    OrderId, Outcome, PackageTarget, Person, Plan, RehearsalOutcome, RehearsalReport, Stage, Timestamp, Undo,
};
use tenon_policy::Approval;
use tenon_versions::dpkg;

use crate::lab::{Lab, ids, members, stages, told};

/// Every kind of event with every outcome, as they are written. What is to hold for all of them must meet all of them.
pub(crate) const KINDS: [&str; 67] = [
    "term-began",
    "advisories-changed",
    "intel-changed",
    "reach-assessed",
    "token-issued",
    "asset-enrolled",
    "asset-renamed",
    "asset-retired by-person",
    "asset-retired superseded",
    "asset-retired silent",
    "asset-returned",
    "agent-started",
    "clone-seen",
    "clone-gone",
    "inventory-reported",
    "inventory-changed",
    "group-promoted",
    "group-demoted",
    "context-set",
    "context-taken-over",
    "rules-set",
    "vex-stated",
    "exception-granted",
    "exception-ended expired",
    "exception-ended revoked",
    "control-recorded",
    "control-ended expired",
    "control-ended withdrawn",
    "detection-reported",
    "detection-faded",
    "detection-ended expired",
    "detection-ended dismissed",
    "directive-raised",
    "directive-changed",
    "directive-closed fixed",
    "directive-closed superseded",
    "directive-closed withdrawn",
    "directive-closed refused",
    "directive-noted comment",
    "directive-noted dispute",
    "directive-noted answer",
    "directive-assigned",
    "order-issued",
    "rehearsal-recorded passed",
    "rehearsal-recorded failed",
    "rehearsal-recorded not-rehearsed",
    "policy-set",
    "approval-given",
    "approved-by-policy",
    "directive-approved",
    "changes-signed",
    "tempo-set",
    "rollout-planned",
    "wave-began",
    "wave-ended",
    "rollout-halted",
    "rollout-resumed",
    "retry-requested",
    "evidence-sealed",
    "evidence-missed",
    "evidence-waived",
    "apply-recorded verified",
    "apply-recorded rolled-back",
    "apply-recorded failed",
    "apply-recorded refused",
    "asset-verified",
    "order-expired",
];

/// A rollout, told from events.
#[derive(Default)]
struct Seen {
    plan: Option<Plan>,
    /// The wave that is under way, from 0.
    running: Option<u32>,
    /// The wave that ended last, when, and whether it had anything to do.
    ended: Option<(u32, Timestamp)>,
    ordered: usize,
    halted: bool,
    /// Whether a person has let it go on.
    resumed: bool,
}

/// Who signed a statement, and the leaf of each asset.
#[derive(Default)]
struct SignedThere {
    by: BTreeSet<KeyFingerprint>,
    leaves: BTreeMap<AssetId, Digest>,
}

/// Everything the invariants need to remember.
#[derive(Default)]
pub(crate) struct Watch {
    /// Orders that are out.
    out: BTreeMap<AssetId, OrderId>,
    orders: BTreeMap<OrderId, Order>,
    answered: BTreeSet<OrderId>,
    last_generation: Option<Generation>,
    /// Passed rehearsals: what was rehearsed, where, and the report.
    passed: BTreeMap<Digest, (DirectiveId, AssetId, Vec<PackageTarget>)>,
    /// Approvals that no order has used yet, or none that reached its host in time.
    approved: BTreeMap<(DirectiveId, AssetId), Digest>,
    /// The approval that each order has used.
    used: BTreeMap<OrderId, Digest>,
    /// Who approved a report of which the policy asks several people.
    given: BTreeMap<(DirectiveId, AssetId, Digest), BTreeSet<Person>>,
    /// Where what a directive asks to preserve is sealed, or waived by a person.
    preserved: BTreeSet<(DirectiveId, AssetId)>,
    /// What is disputed and not answered.
    disputed: BTreeSet<DirectiveId>,
    /// Who does what.
    assigned: BTreeMap<DirectiveId, Person>,
    /// What was signed, by the statement.
    signed: BTreeMap<(DirectiveId, String), SignedThere>,
    verified: BTreeSet<(DirectiveId, AssetId)>,
    rollouts: BTreeMap<DirectiveId, Seen>,
    directives: BTreeMap<DirectiveId, Directive>,
    closed: BTreeSet<DirectiveId>,
    /// The directives that were open before the command that is looked at.
    open_before: BTreeMap<DirectiveId, Directive>,
    /// Whether this command chose other rules.
    rules_set: bool,
    /// Whether it dismissed what had been taken for an attack.
    dismissed: bool,
    /// How often each kind of event was seen.
    pub(crate) seen: BTreeMap<String, usize>,
}

impl Watch {
    /// Looks at the events of one command; `lab` has applied them.
    pub(crate) fn check(&mut self, lab: &Lab, events: &[Event]) {
        (self.rules_set, self.dismissed) = (false, false);
        self.open_before = self.directives.clone();
        self.open_before.retain(|id, _| !self.closed.contains(id));
        for event in events {
            *self.seen.entry(kind(event)).or_default() += 1;
            self.event(lab, event);
        }
        self.world(&lab.world);
        for action in &lab.actions {
            if let ActionWanted::AskApproval { directive } = action {
                assert!(
                    lab.world.directive(directive).unwrap().stages().any(|(_, stage)| awaits(stage)),
                    "a person is asked to approve {directive}, where nothing waits for it"
                );
                assert!(
                    !self.closed.contains(directive),
                    "a person is asked to approve the closed {directive}"
                );
            }
        }
    }

    fn event(&mut self, lab: &Lab, event: &Event) {
        if let Event::ApprovalGiven { id, .. }
        | Event::ApprovedByPolicy { id, .. }
        | Event::DirectiveApproved { id, .. } = event
        {
            assert!(!self.disputed.contains(id), "{id} is disputed and approved");
        }
        match event {
            Event::DirectiveNoted { id, kind, .. } => match kind {
                NoteKind::Comment => {}
                NoteKind::Dispute => assert!(self.disputed.insert(*id), "{id} is disputed twice"),
                NoteKind::Answer => {
                    assert!(self.disputed.remove(id), "{id} is answered and was not disputed");
                }
            },
            Event::DirectiveAssigned { id, to, by } => self.assigned_to(*id, to.as_ref(), by.as_ref()),
            Event::OrderIssued { order } => self.issued(lab, order),
            Event::RehearsalRecorded { order, report, outcome } => {
                let order = self.settled(*order, true);
                if let (RehearsalOutcome::Passed, OrderAction::Rehearse { targets }) =
                    (outcome, &order.action)
                {
                    self.passed.insert(*report, (order.directive, order.asset, targets.clone()));
                }
            }
            Event::EvidenceSealed { order, document, bytes, .. } => {
                let order = self.settled(*order, true);
                let OrderAction::PreserveEvidence { .. } = order.action else { panic!("{order:?}") };
                let blob = &lab.blobs[document];
                assert_eq!(blob.len() as u64, *bytes);
                EvidenceDocument::read(blob, *document).unwrap();
                self.preserved.insert((order.directive, order.asset));
            }
            Event::EvidenceMissed { order, .. } => drop(self.settled(*order, true)),
            Event::EvidenceWaived { id, assets, why, .. } => {
                assert!(!why.trim().is_empty(), "{id}: evidence is waived without a reason");
                self.preserved.extend(assets.iter().map(|asset| (*id, *asset)));
            }
            // Nobody waits for what a host was to do that is gone.
            Event::AssetRetired { asset, .. } => drop(self.out.remove(asset)),
            Event::ApplyRecorded { order, outcome, .. } => {
                let order = self.settled(*order, true);
                // It came after its end, which a minute may hide from one of two clocks: nothing was begun.
                let late = matches!(outcome, ApplyOutcome::Refused { code, .. } if code == "expired")
                    && order.expires < lab.now.plus_seconds(60);
                if let (true, Some(report)) = (late, self.used.get(&order.id)) {
                    self.approved.insert((order.directive, order.asset), *report);
                }
            }
            Event::OrderExpired { order } => drop(self.settled(*order, false)),
            Event::ApprovalGiven { id, by, rehearsals, evidence_waived } => {
                for (asset, report) in rehearsals {
                    self.is_preserved(*id, *asset, evidence_waived.as_deref());
                    assert!(
                        self.given.entry((*id, *asset, *report)).or_default().insert(by.clone()),
                        "{id}: {by} approves twice on {asset}"
                    );
                    assert!(awaits(lab.stage(*id, *asset)), "{id} goes on with too few approvals");
                }
            }
            Event::ApprovedByPolicy { id, rule, rehearsals, .. } => {
                for (asset, report) in rehearsals {
                    let (directive, of, _) = &self.passed[report];
                    assert_eq!((directive, of), (id, asset), "approved is a rehearsal of something else");
                    let ruling = ruling(lab, *id, *asset);
                    assert_eq!((ruling.approval, ruling.rule()), (Approval::Automatic, rule.as_str()));
                    self.is_preserved(*id, *asset, None);
                    let report_of: RehearsalReport = serde_json::from_slice(&lab.blobs[report]).unwrap();
                    assert!(!matches!(report_of.undo, Undo::NotPossible { .. }), "{id} cannot be taken back");
                    self.approved.insert((*id, *asset), *report);
                }
            }
            Event::DirectiveApproved { id, by, rehearsals, evidence_waived } => {
                for (asset, report) in rehearsals {
                    self.is_preserved(*id, *asset, evidence_waived.as_deref());
                    let mut people = self.given.remove(&(*id, *asset, *report)).unwrap_or_default();
                    people.insert(by.clone());
                    match ruling(lab, *id, *asset).approval {
                        Approval::People { people: needed, .. } => {
                            assert!(people.len() >= usize::from(needed), "{id}: only {people:?} approve");
                        }
                        Approval::Automatic => {}
                        Approval::Forbidden => panic!("{id} is approved and forbidden"),
                    }
                    let (directive, of, _) = &self.passed[report];
                    assert_eq!((directive, of), (id, asset), "approved is a rehearsal of something else");
                    self.approved.insert((*id, *asset), *report);
                }
            }
            Event::ChangesSigned { id, statement, key, leaves, .. } => {
                let said: Statement = statement.parse().unwrap();
                assert!(said.directive == *id && said.expires > lab.now, "{id}: {statement}");
                let all: Vec<Digest> = leaves.iter().map(|(_, leaf)| *leaf).collect();
                assert_eq!((said.root, said.changes), (root(&all), leaves.len() as u64), "{id}: {statement}");
                let signed = self.signed.entry((*id, statement.clone())).or_default();
                signed.by.insert(key.clone());
                signed.leaves.extend(leaves.iter().copied());
            }
            Event::RulesSet { .. } => self.rules_set = true,
            Event::DetectionEnded { end: DetectionEnd::Dismissed { .. }, .. } => self.dismissed = true,
            Event::RolloutPlanned { .. }
            | Event::WaveBegan { .. }
            | Event::WaveEnded { .. }
            | Event::RolloutHalted { .. }
            | Event::RolloutResumed { .. } => self.rolls(lab, event),
            Event::AssetVerified { id, asset, .. } => drop(self.verified.insert((*id, *asset))),
            Event::DirectiveRaised { id, directive, wants } => {
                let directive = Directive { assets: told(&lab.world, wants), ..directive.clone() };
                assert!(!self.directives.contains_key(id), "{id} is raised twice");
                self.due_of_predecessors(*id, &directive, &directive.assets.keys().copied().collect());
                self.directives.insert(*id, directive);
            }
            Event::DirectiveChanged { id, change } => {
                assert!(!self.closed.contains(id), "{id} is closed and changed");
                assert!(!change.is_empty(), "{id} is said to change");
                // A host that wants again what it was verified for has gone back behind it.
                let joined = told(&lab.world, &change.joined);
                for asset in joined.keys() {
                    let anew = self.verified.remove(&(*id, *asset));
                    if anew || !self.directives[id].assets.contains_key(asset) {
                        self.preserved.remove(&(*id, *asset));
                    }
                }
                let mut directive = self.directives[id].clone();
                let left = members(&lab.world, &change.left);
                directive.assets.retain(|asset, _| !left.contains(asset));
                directive.assets.extend(joined);
                if let Some(grounds) = &change.grounds {
                    directive.closes.clone_from(&grounds.closes);
                    directive.claims.clone_from(&grounds.claims);
                    directive.advisories.clone_from(&grounds.advisories);
                }
                if let Some(priority) = &change.priority {
                    directive.priority = priority.clone();
                }
                self.due(*id, &self.directives[id], &directive);
                let before = &self.directives[id].assets;
                let joined = directive.assets.keys().filter(|asset| !before.contains_key(asset));
                self.due_of_predecessors(*id, &directive, &joined.copied().collect());
                self.directives.insert(*id, directive);
            }
            Event::DirectiveRevised { id, .. } => panic!("{id}: only older journals tell a directive whole"),
            Event::DirectiveClosed { id, outcome } => {
                assert!(self.closed.insert(*id), "{id} is closed twice");
                let assets: Vec<_> = self.directives[id].assets.keys().collect();
                if *outcome == Outcome::Fixed {
                    assert!(!assets.is_empty(), "{id} is fixed on no asset");
                    for asset in assets {
                        assert!(
                            self.verified.contains(&(*id, *asset)),
                            "{id} is fixed, unverified on {asset}"
                        );
                    }
                } else {
                    let applying = |order: &&OrderId| {
                        let order = &self.orders[*order];
                        order.directive == *id && matches!(order.action, OrderAction::Apply { .. })
                    };
                    assert_eq!(self.out.values().find(applying), None, "{id} is closed while it is applied");
                }
            }
            _ => {}
        }
    }

    fn issued(&mut self, lab: &Lab, order: &Order) {
        let Order { id, asset, directive, .. } = order;
        let state = lab.world.asset(asset).unwrap();
        assert_eq!(lab.world.mode(&state.group), GroupMode::Act, "{id} goes to a group that only observes");
        let (profile, offers) = (state.profile().unwrap(), lab.world.offers_of(state).unwrap());
        assert_eq!(profile.capability, Capability::Act, "{id} goes to a host that cannot act");
        assert!(!self.closed.contains(directive), "{id} serves the closed {directive}");
        assert!(self.last_generation < Some(order.generation), "{id} does not grow the generation");
        self.last_generation = Some(order.generation);
        let preserves = matches!(order.action, OrderAction::PreserveEvidence { .. });
        if preserves {
            assert!(self.directives[directive].priority.decision.forensics, "{id} preserves unasked");
            assert!(!self.preserved.contains(&(*directive, *asset)), "{id} preserves what is preserved");
        }
        let targets = order.action.targets();
        assert!(!targets.is_empty(), "{id} orders nothing");
        // What is read of a host does not depend on what it is offered.
        for target in targets.iter().filter(|_| !preserves) {
            let offered = offers.iter().any(|offer| {
                offer.state == OfferState::Offered
                    && (&offer.package, &offer.installed, &offer.candidate)
                        == (&target.package, &target.from, &target.to)
            });
            assert!(offered, "{id} orders {target:?}, which the host is not offered: {offers:?}");
        }
        if let OrderAction::Rehearse { .. } = &order.action {
            let (_, heard) = lab.world.asset(asset).unwrap().reported.unwrap();
            assert!(heard.plus_seconds(3_600) >= order.issued, "{id} rehearses on {asset}, which is away");
        }
        if let OrderAction::Apply { targets, transaction, files, approvals } = &order.action {
            self.is_signed(lab, order, approvals);
            // Whichever directive it serves: every one that is open there and asks for evidence has it.
            let open = self.directives.iter().filter(|(other, told)| {
                told.assets.contains_key(asset)
                    && !self.closed.contains(other)
                    && !self.verified.contains(&(**other, *asset))
            });
            for other in open.map(|(other, _)| *other).collect::<Vec<_>>() {
                self.is_preserved(other, *asset, None);
            }
            let rollout =
                self.rollouts.get_mut(directive).unwrap_or_else(|| panic!("{id} applies without a plan"));
            assert!(!rollout.halted, "{id} applies in a rollout that is halted");
            let (plan, wave) = (rollout.plan.as_ref().unwrap(), rollout.running);
            let wave = wave.unwrap_or_else(|| panic!("{id} applies between waves"));
            let of_wave = ids(&lab.world, &plan.waves[usize::try_from(wave).unwrap()].assets);
            assert!(of_wave.contains(asset), "{id} applies on an asset that is not in wave {wave}");
            rollout.ordered += 1;
            let ruling = ruling(lab, *directive, *asset);
            let begins = Begins {
                approval: ruling.approval,
                windows: &ruling.windows,
                freezes: &ruling.freezes,
                evidence: &[],
                from: order.issued,
                until: order.expires,
            };
            assert_eq!(check_begins(&begins), Ok(()), "{id} begins outside of what the policy says");
            self.services_stay_up(lab, *asset);
            let report = self.approved.remove(&(*directive, *asset));
            let report = report.unwrap_or_else(|| panic!("{id} applies what nobody approved"));
            self.used.insert(*id, report);
            let (_, _, rehearsed) = &self.passed[&report];
            assert_eq!(targets, rehearsed, "{id} applies other packages than were rehearsed");
            let report: RehearsalReport = serde_json::from_slice(&lab.blobs[&report]).unwrap();
            assert_eq!(report.outcome, RehearsalOutcome::Passed);
            assert_eq!((transaction, files), (&report.transaction, &report.files), "{id} is not as approved");
        }
        let before = self.out.insert(*asset, *id);
        assert_eq!(before, None, "{asset} has two orders");
        self.orders.insert(*id, order.clone());
    }

    /// An order carries what its host asks for, told from what was signed: a host of its own would accept it.
    fn is_signed(&self, lab: &Lab, order: &Order, approvals: &[KeyApproval]) {
        let Order { id, asset, directive, action, .. } = order;
        let known = lab.world.asset(asset).unwrap();
        let asked = &known.profile().unwrap().approval;
        let OrderAction::Apply { targets, transaction, files, .. } = action else { panic!() };
        let hostname = &known.hostname;
        let change =
            HostChange { asset: *asset, hostname, directive: *directive, targets, transaction, files };
        let mut keys = BTreeSet::new();
        for approval in approvals {
            let said: Statement = approval.statement.parse().unwrap();
            let reached = climb(change.leaf(), approval.place, said.changes, &approval.path);
            assert_eq!(reached, Some(said.root), "{id} carries a signature over another change");
            assert!(said.expires >= order.expires, "{id} may be begun when what was signed has expired");
            let signed = self.signed.get(&(*directive, approval.statement.clone()));
            let SignedThere { by, leaves } =
                signed.unwrap_or_else(|| panic!("{id} carries what nobody signed"));
            assert_eq!(leaves[asset], change.leaf());
            // Two people may have signed the same statement: each counts once.
            let key = by.iter().find(|key| asked.keys.contains(*key) && !keys.contains(*key));
            let key =
                key.unwrap_or_else(|| panic!("{id} carries a signature that its host does not ask for"));
            keys.insert(key);
        }
        assert_eq!(keys.len() as u64, u64::from(asked.needed), "{id} goes to a host that would refuse it");
    }

    /// Where a row asks for evidence nothing goes on before it is there, or is waived with a reason.
    fn is_preserved(&mut self, id: DirectiveId, asset: AssetId, waived: Option<&str>) {
        if waived.is_some_and(|why| !why.trim().is_empty()) {
            self.preserved.insert((id, asset));
        }
        let asked = self.directives[&id].priority.decision.forensics;
        assert!(!asked || self.preserved.contains(&(id, asset)), "{id} skips evidence of {asset}");
    }

    fn rolls(&mut self, lab: &Lab, event: &Event) {
        let (Event::RolloutPlanned { id, .. }
        | Event::WaveBegan { id, .. }
        | Event::WaveEnded { id, .. }
        | Event::RolloutHalted { id, .. }
        | Event::RolloutResumed { id, .. }) = event
        else {
            return;
        };
        assert!(!self.closed.contains(id), "{id} is closed and rolls on");
        let seen = self.rollouts.entry(*id).or_default();
        match event {
            Event::RolloutPlanned { plan, .. } => {
                let before = seen.plan.as_ref().map_or(0, |plan| plan.version);
                assert_eq!(plan.version, before + 1, "{id}: plans are counted");
                // A change of mind does not cut short what a wave is watched for; what a person resumes begins anew.
                if let (Some((last, at)), Some(plan), false) = (seen.ended, &seen.plan, seen.resumed) {
                    let soak = plan.waves[usize::try_from(last).unwrap()].soak_seconds;
                    let soaked =
                        seen.running.is_some() || seen.ordered == 0 || lab.now >= at.plus_seconds(soak);
                    assert!(soaked, "{id} is planned anew while wave {last} is watched");
                }
                *seen = Seen { plan: Some(plan.clone()), ..Seen::default() };
            }
            Event::WaveBegan { wave, .. } => {
                assert!(!seen.halted, "{id} is halted and begins wave {wave}");
                let plan = seen.plan.as_ref().unwrap();
                if let Some((last, at)) = seen.ended {
                    let soak = plan.waves[usize::try_from(last).unwrap()].soak_seconds;
                    let soaked = seen.ordered == 0 || lab.now >= at.plus_seconds(soak);
                    assert!(soaked, "{id} begins wave {wave} while wave {last} is watched");
                    assert_eq!(*wave, last + 1);
                } else {
                    assert_eq!(*wave, 0);
                }
                (seen.running, seen.ordered) = (Some(*wave), 0);
            }
            Event::WaveEnded { wave, failed, .. } => {
                assert_eq!(seen.running, Some(*wave));
                let plan = seen.plan.as_ref().unwrap();
                let may_fail = plan.waves[usize::try_from(*wave).unwrap()].may_fail;
                assert!(*failed <= u64::from(may_fail), "{id} goes on though {failed} failed");
                (seen.running, seen.ended) = (None, Some((*wave, lab.now)));
            }
            Event::RolloutHalted { .. } => seen.halted = true,
            _ => (seen.halted, seen.resumed) = (false, true),
        }
    }

    /// Somebody does an open directive who did not, or nobody does any more.
    fn assigned_to(&mut self, id: DirectiveId, to: Option<&Person>, by: Option<&Person>) {
        assert!(!self.closed.contains(&id), "{id} is closed and given to {to:?}");
        let before = match to {
            Some(to) => self.assigned.insert(id, to.clone()),
            None => self.assigned.remove(&id),
        };
        assert_ne!(before.as_ref(), to, "{id} is given to whoever had it");
        if by.is_none() {
            let (Some(to), None) = (to, before) else { panic!("{id} is taken over by {to:?} from somebody") };
            let had = |(other, who): (&DirectiveId, &Person)| who == to && self.closed.contains(other);
            assert!(
                self.assigned.iter().any(had),
                "{id} is taken over by {to}, who did nothing that has ended"
            );
        }
    }

    /// No more of what stands in for each other is changed at once than may be missing.
    fn services_stay_up(&self, lab: &Lab, asset: AssetId) {
        let redundancy = |asset: &AssetId| {
            lab.world.effective(lab.world.asset(asset).unwrap()).redundancy.map(|known| known.value)
        };
        let Some(name) = redundancy(&asset) else { return };
        let members: Vec<AssetId> = lab
            .world
            .live_assets()
            .map(|(id, _)| *id)
            .filter(|id| redundancy(id).as_ref() == Some(&name))
            .collect();
        let minimum = lab.world.context().unwrap().document.redundancy[&name].minimum;
        let applying = |id: &&AssetId| {
            **id == asset
                || self
                    .out
                    .get(*id)
                    .is_some_and(|order| matches!(self.orders[order].action, OrderAction::Apply { .. }))
        };
        let changing = members.iter().filter(applying).count();
        assert!(
            changing + usize::try_from(minimum).unwrap() <= members.len(),
            "{changing} of {} in {name} are changed at once, {minimum} must be healthy",
            members.len()
        );
    }

    fn settled(&mut self, id: OrderId, answered: bool) -> Order {
        if answered {
            assert!(self.answered.insert(id), "{id} is answered twice");
        }
        let order = self.orders[&id].clone();
        if self.out.get(&order.asset) == Some(&id) {
            self.out.remove(&order.asset);
        }
        order
    }

    /// A due date is not moved later, unless other rules count, something that was assumed is known now, or an attack that set a
    /// date was none.
    fn due(&self, id: DirectiveId, before: &Directive, directive: &Directive) {
        let by_attack = before
            .priority
            .clocks
            .iter()
            .any(|clock| clock.rule.starts_with("attack seen") && Some(clock.due) == before.priority.due);
        let free = self.rules_set || (self.dismissed && by_attack);
        let Some(date) = before.priority.due.filter(|_| !free) else { return };
        let assumed = |directive: &Directive| -> BTreeSet<String> {
            let inputs = directive.priority.decision.inputs.iter().filter(|input| input.assumed);
            inputs.map(|input| input.column.clone()).collect()
        };
        if assumed(before).is_subset(&assumed(directive)) {
            let due = directive.priority.due;
            assert!(due.is_some_and(|due| due <= date), "{id} was due {date}, and now {due:?}");
        }
    }

    /// A directive that takes over an asset from an older version's directive takes over its due date.
    fn due_of_predecessors(&self, id: DirectiveId, directive: &Directive, joined: &BTreeSet<AssetId>) {
        let Action::Upgrade { source } = &directive.action;
        for before in self.open_before.values() {
            let Action::Upgrade { source: old } = &before.action;
            let precedes = before.group == directive.group
                && old.name == source.name
                && dpkg::compare(&old.version, &source.version) == Ok(Ordering::Less);
            if precedes && before.assets.keys().any(|asset| joined.contains(asset)) {
                self.due(id, before, directive);
            }
        }
    }

    fn world(&self, world: &World) {
        let out: BTreeMap<_, _> =
            world.assets().filter_map(|(id, asset)| Some((*id, asset.outstanding?))).collect();
        assert_eq!(out, self.out, "the World and the record disagree on what is out");
        for (id, state) in world.directives() {
            let stages = stages(world, state);
            let told: BTreeSet<_> = self.directives[id].assets.keys().collect();
            assert_eq!(told, stages.keys().collect(), "{id}: its assets are not those that events told");
            for (asset, targets) in &self.directives[id].assets {
                let ordinal = world.ordinal(asset).unwrap();
                assert_eq!(
                    state.targets(ordinal),
                    Some(targets),
                    "{id}: other packages on {asset} than told"
                );
            }
            let closed = state.closed.is_some();
            assert_eq!(closed, self.closed.contains(id), "{id}");
            for (asset, stage) in &stages {
                if stage.is_done() {
                    assert!(
                        self.verified.contains(&(*id, *asset)),
                        "{id} is done on {asset} without evidence"
                    );
                }
                if !closed && let Some(order) = stage.outstanding_order() {
                    assert_eq!(
                        self.out.get(asset),
                        Some(&order),
                        "{id} waits on {asset} for an order that is not out"
                    );
                }
            }
        }
        for (id, state) in world.directives() {
            let known = state.assigned.as_ref().map(|assigned| &assigned.to);
            assert_eq!(
                known,
                self.assigned.get(id),
                "{id}: the World and the record disagree on who does it"
            );
        }
        for (id, state) in world.directives().filter(|(_, state)| state.closed.is_none()) {
            let left = state.stages().any(|(_, stage)| !stage.is_done());
            assert!(left, "{id} is open and nothing is left to do for it");
        }
        for (id, asset) in world.assets().filter(|(_, asset)| asset.retired.is_some()) {
            let ordinal = world.ordinal(id).unwrap();
            assert_eq!((asset.outstanding, world.component_count(asset)), (None, 0), "{id} is retired");
            let open = world.directives().filter(|(_, state)| state.closed.is_none());
            let waits = open.filter_map(|(_, state)| state.stage(ordinal)).find(|stage| !stage.is_done());
            assert_eq!(waits, None, "{id} is retired, and something waits for it");
            assert!(!world.assets_like(Some(&asset.group), None).contains(ordinal));
        }
        for (id, asset) in &self.verified {
            let stage = world.directive(id).unwrap().stage(world.ordinal(asset).unwrap());
            assert!(stage.is_some_and(Stage::is_done), "{id} was verified on {asset}, and is now {stage:?}");
        }
    }
}

/// What the policy says of a directive on an asset.
fn ruling(lab: &Lab, id: DirectiveId, asset: AssetId) -> Ruling<'_> {
    let state = lab.world.directive(&id).unwrap();
    Asker::new(&lab.world, state).ruling(lab.world.ordinal(&asset).unwrap(), lab.now)
}

fn awaits(stage: &Stage) -> bool {
    matches!(stage, Stage::AwaitingApproval { .. })
}

/// The name of an event and of its outcome, as they are written.
pub(crate) fn kind(event: &Event) -> String {
    let json = serde_json::to_value(event).unwrap();
    let how = match json["event"].as_str() {
        Some("asset-retired") => "reason",
        Some("directive-noted") => "kind",
        Some("exception-ended" | "control-ended" | "detection-ended") => "end",
        _ => "outcome",
    };
    ["event", how].iter().filter_map(|tag| json.get(tag)?.as_str()).collect::<Vec<_>>().join(" ")
}
