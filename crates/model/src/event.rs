//! Events: facts and consequences, as the journal keeps them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    AgentRun, ApplyOutcome, AssetContext, AssetId, Control, ControlEnd, ControlId, Detection, DetectionEnd,
    DetectionId, Digest, Directive, DirectiveChange, DirectiveId, EvidencePart, Exception, ExceptionEnd,
    ExceptionId, GroupName, HistoryBase, IntelSource, InventoryDelta, KeyFingerprint, MachineId, NoteKind,
    Order, OrderId, Outcome, Person, Plan, ReachMove, RehearsalOutcome, Retirement, Rules, Tempo, Timestamp,
    TokenId, Wants,
};

/// The version of the event encoding that this code writes. Older ones are upcast when read.
pub const EVENT_VERSION: u16 = 1;

/// Something that happened. Events record consequences: what people act on is an event that names the rule that
/// produced it, and `apply` only records. New code never rewrites history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A leader started; its orders carry this term.
    TermBegan {
        /// Grows with every start.
        term: u64,
    },
    /// An advisory feed changed; the blob is an [`crate::AdvisoryDelta`].
    AdvisoriesChanged {
        /// The feed (`osv/Debian`).
        feed: String,
        /// The delta.
        delta: Digest,
        /// How many advisories are new or changed.
        published: u32,
        /// How many were withdrawn.
        withdrawn: u32,
        /// The newest modification the feed states, if it states one.
        as_of: Option<Timestamp>,
    },
    /// An intel feed changed; the blob is an [`crate::IntelDelta`].
    IntelChanged {
        /// The feed.
        source: IntelSource,
        /// The delta.
        delta: Digest,
        /// How many vulnerabilities it touches.
        changed: u32,
        /// The feed's own date, if it states one.
        as_of: Option<Timestamp>,
    },
    /// How far attackers get moved; the blob is a [`crate::ReachDelta`].
    ReachAssessed {
        /// The delta.
        delta: Digest,
        /// How many zones moved.
        zones: u32,
        /// That which moved most; `None` where nothing is said of any of them any more.
        most: Option<ReachMove>,
    },
    /// A one-time enrolment token was made. Only its digest is kept.
    TokenIssued {
        /// Its public name.
        token: TokenId,
        /// SHA-256 of the secret half.
        secret: Digest,
        /// Hosts that use it join this group.
        group: GroupName,
        /// Not accepted after this.
        expires: Timestamp,
        /// Who made it.
        by: Person,
    },
    /// A host enrolled with a key of its own.
    AssetEnrolled {
        /// The asset, named by its key.
        asset: AssetId,
        /// The host name it gave.
        hostname: String,
        /// Its group.
        group: GroupName,
        /// The token it used up.
        token: TokenId,
        /// The machine it says it stands on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        machine: Option<MachineId>,
        /// The asset that stood there before and whose place it takes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<AssetId>,
    },
    /// A host goes by another name.
    AssetRenamed {
        /// The asset.
        asset: AssetId,
        /// Its name now.
        hostname: String,
    },
    /// An asset counts nowhere any more, until it reports again.
    AssetRetired {
        /// The asset.
        asset: AssetId,
        /// Why.
        #[serde(flatten)]
        why: Retirement,
    },
    /// A retired asset reports again.
    AssetReturned {
        /// The asset.
        asset: AssetId,
    },
    /// The agent of an asset was started: its reports count from here.
    AgentStarted {
        /// The asset.
        asset: AssetId,
        /// The run.
        run: AgentRun,
    },
    /// A run that another has replaced speaks again: twice within an hour, and two hosts use one key.
    CloneSeen {
        /// The asset.
        asset: AssetId,
        /// The run.
        run: AgentRun,
    },
    /// For long enough only one run has spoken for the asset.
    CloneGone {
        /// The asset.
        asset: AssetId,
    },
    /// A person stated what an asset is for.
    ContextSet {
        /// The asset.
        asset: AssetId,
        /// What is stated now.
        context: AssetContext,
        /// Who.
        by: Person,
    },
    /// A person took over a context document; the blob is a [`crate::ContextDocument`].
    ContextTakenOver {
        /// Counts the documents, from 1.
        version: u32,
        /// The document.
        document: Digest,
        /// Who.
        by: Person,
    },
    /// A person took over what a supplier states; the blob is a list of [`crate::VexStatement`].
    VexStated {
        /// The document's own id.
        document: String,
        /// What it takes off the list now.
        statements: Digest,
        /// How many statements that are.
        count: u32,
        /// Who.
        by: Person,
    },
    /// A person accepted a risk for a time.
    ExceptionGranted {
        /// Its id.
        id: ExceptionId,
        /// What is accepted where, and why.
        #[serde(flatten)]
        exception: Box<Exception>,
    },
    /// A risk is not accepted any more.
    ExceptionEnded {
        /// The exception.
        id: ExceptionId,
        /// How.
        #[serde(flatten)]
        end: ExceptionEnd,
    },
    /// A person says what stands against attacks.
    ControlRecorded {
        /// Its id.
        id: ControlId,
        /// What stands against what, where.
        #[serde(flatten)]
        control: Box<Control>,
    },
    /// A control does not count any more.
    ControlEnded {
        /// The control.
        id: ControlId,
        /// How.
        #[serde(flatten)]
        end: ControlEnd,
    },
    /// A sensor saw an attack.
    DetectionReported {
        /// Its id.
        id: DetectionId,
        /// What was seen where.
        #[serde(flatten)]
        detection: Box<Detection>,
    },
    /// What a detection says of others than the host on which it was seen counts half as much as before.
    DetectionFaded {
        /// The detection.
        id: DetectionId,
        /// How often it was halved by now.
        halved: u8,
    },
    /// A detection does not count any more.
    DetectionEnded {
        /// The detection.
        id: DetectionId,
        /// How.
        #[serde(flatten)]
        end: DetectionEnd,
    },
    /// A person chose the published rules that count.
    RulesSet {
        /// The rules.
        rules: Rules,
        /// Who.
        by: Person,
    },
    /// A host reported what it is. The blobs are a [`crate::Manifest`] and a [`crate::HostFacts`].
    InventoryReported {
        /// The asset.
        asset: AssetId,
        /// The host's report sequence; orders evidence, host clocks do not.
        sequence: u64,
        /// Its packages.
        manifest: Digest,
        /// Everything else.
        facts: Digest,
    },
    /// A host reported what changed since its last report. It names no blob: what it differs from is the state.
    InventoryChanged {
        /// The asset.
        asset: AssetId,
        /// The host's report sequence.
        sequence: u64,
        /// What changed.
        delta: Arc<InventoryDelta>,
    },
    /// A person lets the agents of a group act.
    GroupPromoted {
        /// The group.
        group: GroupName,
        /// Who.
        by: Person,
    },
    /// A person takes that back: the agents only observe.
    GroupDemoted {
        /// The group.
        group: GroupName,
        /// Who.
        by: Person,
    },
    /// Something must be done.
    DirectiveRaised {
        /// Its id.
        id: DirectiveId,
        /// What and why.
        directive: Directive,
        /// What each asset adds; the oldest journals do not say, and mean the whole for each.
        #[serde(default, skip_serializing_if = "Wants::is_empty")]
        wants: Wants,
    },
    /// The same action, for other assets or reasons than before.
    DirectiveChanged {
        /// Its id.
        id: DirectiveId,
        /// What changed.
        #[serde(flatten)]
        change: Box<DirectiveChange>,
    },
    /// The same, told whole. Older journals hold it; nothing writes it any more.
    DirectiveRevised {
        /// Its id.
        id: DirectiveId,
        /// What and why, now.
        directive: Directive,
    },
    /// Nothing is left to do for it.
    DirectiveClosed {
        /// Its id.
        id: DirectiveId,
        /// How it ended.
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// A person said something in its thread.
    DirectiveNoted {
        /// The directive.
        id: DirectiveId,
        /// What the note does.
        kind: NoteKind,
        /// What it says.
        text: String,
        /// Who.
        by: Person,
    },
    /// Somebody does it from now on, or nobody does any more.
    DirectiveAssigned {
        /// The directive.
        id: DirectiveId,
        /// Who does it; `None` for nobody.
        to: Option<Person>,
        /// Who said so; `None` where it took over the work of another directive, which this person did.
        by: Option<Person>,
    },
    /// An order was made for a host.
    OrderIssued {
        /// The order, whole.
        order: Order,
    },
    /// A host rehearsed. The blob is a [`crate::RehearsalReport`].
    RehearsalRecorded {
        /// The order it answers.
        order: OrderId,
        /// The report.
        report: Digest,
        /// How it ended.
        #[serde(flatten)]
        outcome: RehearsalOutcome,
    },
    /// A person set a policy; the blob is its text.
    PolicySet {
        /// Counts the policies, from 1.
        version: u32,
        /// The file, as it was written.
        policy: Digest,
        /// Who.
        by: Person,
    },
    /// One of several people whom the policy asks for approved what the rehearsals showed.
    ApprovalGiven {
        /// The directive.
        id: DirectiveId,
        /// Who.
        by: Person,
        /// The assets, each with the rehearsal report that was looked at.
        rehearsals: Vec<(AssetId, Digest)>,
        /// Why evidence is not preserved first, where the decision row asks for it.
        evidence_waived: Option<String>,
    },
    /// The policy approved what the rehearsals showed, by a rule that lets it.
    ApprovedByPolicy {
        /// The directive.
        id: DirectiveId,
        /// The version of the policy.
        version: u32,
        /// The file.
        policy: Digest,
        /// The rule that matched.
        rule: String,
        /// The assets, each with the report of its rehearsal.
        rehearsals: Vec<(AssetId, Digest)>,
    },
    /// A person approved what the rehearsals showed; of several whom the policy asks for, the last.
    DirectiveApproved {
        /// The directive.
        id: DirectiveId,
        /// Who.
        by: Person,
        /// The assets, each with the rehearsal report that was looked at.
        rehearsals: Vec<(AssetId, Digest)>,
        /// Why evidence is not preserved first, where the decision row asks for it.
        evidence_waived: Option<String>,
    },
    /// A person signed changes with a key that the server does not have, for hosts that ask for that.
    ChangesSigned {
        /// The directive.
        id: DirectiveId,
        /// The statement, exactly as signed.
        statement: String,
        /// The signature, as `ssh-keygen -Y sign` writes it.
        signature: String,
        /// The key that made it.
        key: KeyFingerprint,
        /// The assets in the order of the statement's tree, each with the leaf of its change.
        leaves: Vec<(AssetId, Digest)>,
        /// Who sent it.
        by: Person,
    },
    /// A person chose how fast rollouts go.
    TempoSet {
        /// The tempo.
        tempo: Tempo,
        /// Who.
        by: Person,
    },
    /// What is approved is parted into waves.
    RolloutPlanned {
        /// The directive.
        id: DirectiveId,
        /// The plan.
        plan: Plan,
    },
    /// A wave begins: its assets are ordered to apply.
    WaveBegan {
        /// The directive.
        id: DirectiveId,
        /// Which wave of its plan, from 0.
        wave: u32,
    },
    /// Nothing of a wave is under way any more, and it did not fail.
    WaveEnded {
        /// The directive.
        id: DirectiveId,
        /// Which wave of its plan, from 0.
        wave: u32,
        /// How many of its assets failed, within what the plan allows.
        failed: u64,
    },
    /// A rollout stops: nothing more is applied until a person lets it go on.
    RolloutHalted {
        /// The directive.
        id: DirectiveId,
        /// What happened, and what to do.
        why: String,
        /// The person who stopped it; `None` where it stopped by itself.
        by: Option<Person>,
    },
    /// A person lets it go on.
    RolloutResumed {
        /// The directive.
        id: DirectiveId,
        /// Who.
        by: Person,
    },
    /// A person asked for another attempt on one asset.
    RetryRequested {
        /// The directive.
        id: DirectiveId,
        /// The asset.
        asset: AssetId,
        /// Who.
        by: Person,
    },
    /// What was recorded before an entry is let go; the record begins with that entry and the state after it.
    HistoryCut {
        /// Where it begins.
        base: HistoryBase,
    },
    /// A host preserved what a change would destroy. The blob is a [`crate::EvidenceDocument`].
    EvidenceSealed {
        /// The order it answers.
        order: OrderId,
        /// The document.
        document: Digest,
        /// Its size, in bytes.
        bytes: u64,
        /// The parts of which something is missing in it.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        gaps: BTreeSet<EvidencePart>,
    },
    /// A host could not preserve it.
    EvidenceMissed {
        /// The order it answers.
        order: OrderId,
        /// Why.
        reason: String,
    },
    /// A person lets assets be changed without.
    EvidenceWaived {
        /// The directive.
        id: DirectiveId,
        /// The assets.
        assets: Vec<AssetId>,
        /// Why.
        why: String,
        /// Who.
        by: Person,
    },
    /// A host applied, or tried to. The blob is an [`crate::ApplyReport`].
    ApplyRecorded {
        /// The order it answers.
        order: OrderId,
        /// The report.
        report: Digest,
        /// How it ended.
        #[serde(flatten)]
        outcome: ApplyOutcome,
    },
    /// A later inventory shows that nothing is left to do for this directive on this asset.
    AssetVerified {
        /// The directive.
        id: DirectiveId,
        /// The asset.
        asset: AssetId,
        /// The report that shows it.
        sequence: u64,
    },
    /// No answer came in time: a silent host counts as failed.
    OrderExpired {
        /// The order.
        order: OrderId,
    },
}

impl Event {
    /// The blobs this event names; they are durable before it and needed to apply it.
    pub fn blobs(&self) -> Vec<Digest> {
        match self {
            Self::AdvisoriesChanged { delta, .. }
            | Self::IntelChanged { delta, .. }
            | Self::ReachAssessed { delta, .. } => vec![*delta],
            Self::ContextTakenOver { document, .. } => vec![*document],
            Self::PolicySet { policy, .. } => vec![*policy],
            Self::VexStated { statements, .. } => vec![*statements],
            Self::InventoryReported { manifest, facts, .. } => vec![*manifest, *facts],
            Self::EvidenceSealed { document, .. } => vec![*document],
            Self::RehearsalRecorded { report, .. } | Self::ApplyRecorded { report, .. } => vec![*report],
            _ => Vec::new(),
        }
    }
}

/// An event with its place in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Position, from 1.
    pub seq: u64,
    /// The leader's stamp; never decreases.
    pub time: Timestamp,
    /// What happened.
    pub event: Event,
}

/// An event as it is written: with the version of its encoding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versioned {
    /// Version of the encoding.
    pub v: u16,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

/// Why the payload of a journal entry is not an event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not the JSON of an event.
    #[error("journal entry {seq} does not hold an event: {source}")]
    Encoding {
        /// Which entry.
        seq: u64,
        /// What the decoder says.
        source: serde_json::Error,
    },
    /// Written by a newer Tenon.
    #[error(
        "journal entry {seq} has event version {found}, this program reads up to {EVENT_VERSION}: upgrade Tenon"
    )]
    Newer {
        /// Which entry.
        seq: u64,
        /// Its version.
        found: u16,
    },
}

impl Versioned {
    /// The bytes that go into the journal.
    ///
    /// # Errors
    /// When the event cannot be encoded, which no event of this crate causes.
    pub fn encode(event: &Event) -> Result<Vec<u8>, serde_json::Error> {
        /// As [`Versioned`], of an event that others have.
        #[derive(Serialize)]
        struct Written<'e> {
            v: u16,
            #[serde(flatten)]
            event: &'e Event,
        }
        serde_json::to_vec(&Written { v: EVENT_VERSION, event })
    }

    /// Reads the payload of entry `seq`.
    ///
    /// # Errors
    /// When the payload is no event, or one of a newer version.
    pub fn decode(seq: u64, payload: &[u8]) -> Result<Event, EventError> {
        #[derive(Deserialize)]
        struct Version {
            v: u16,
        }
        let version: Version =
            serde_json::from_slice(payload).map_err(|source| EventError::Encoding { seq, source })?;
        if version.v > EVENT_VERSION {
            return Err(EventError::Newer { seq, found: version.v });
        }
        let versioned: Self =
            serde_json::from_slice(payload).map_err(|source| EventError::Encoding { seq, source })?;
        Ok(versioned.event)
    }
}
