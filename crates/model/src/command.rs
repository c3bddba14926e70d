//! Commands: what somebody asks for, before it is decided.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    AdvisoryDelta, AgentRun, ApplyReport, AssetContext, AssetId, ContextDocument, ControlId, ControlRequest,
    Detection, DetectionId, Digest, DirectiveId, EvidenceOutcome, ExceptionId, ExceptionRequest, GroupName,
    HistoryBase, IntelDelta, Inventory, InventoryDelta, KeyFingerprint, MachineId, MayAssign, NoteKind,
    OrderId, Person, ReachDelta, RehearsalReport, Role, Rules, Tempo, Timestamp, TokenId, VexStatement,
};

/// Something asked of Tenon. `decide` turns it into events or refuses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A leader starts.
    BeginTerm,
    /// The record is to begin later; the shell has proven the base against the entries.
    CutHistory {
        /// Where it is to begin.
        base: HistoryBase,
    },
    /// A feed brought advisories.
    ChangeAdvisories {
        /// The feed (`osv/Debian`).
        feed: String,
        /// What changed.
        delta: AdvisoryDelta,
        /// The feed's own newest modification.
        as_of: Option<Timestamp>,
    },
    /// A feed brought intel.
    ChangeIntel {
        /// What changed.
        delta: IntelDelta,
        /// The feed's own date.
        as_of: Option<Timestamp>,
    },
    /// How far attackers get was worked out anew.
    AssessReach {
        /// What moved.
        delta: ReachDelta,
    },
    /// A person makes an enrolment token.
    IssueToken {
        /// Its public name.
        token: TokenId,
        /// SHA-256 of its secret half.
        secret: Digest,
        /// The group to join.
        group: GroupName,
        /// Not accepted after this.
        expires: Timestamp,
        /// Who.
        by: Person,
    },
    /// A host presents a token and its own new key.
    Enrol {
        /// The asset named by the key.
        asset: AssetId,
        /// The name it gives.
        hostname: String,
        /// The token's public name.
        token: TokenId,
        /// SHA-256 of the secret half it presented.
        secret: Digest,
        /// The machine it says it stands on.
        machine: Option<MachineId>,
    },
    /// A host speaks by a run of its agent; before its reports, where that is another run than the last.
    HearRun {
        /// The asset, as authenticated.
        asset: AssetId,
        /// The run.
        run: AgentRun,
    },
    /// A person says that a host is gone for good.
    Retire {
        /// The asset.
        asset: AssetId,
        /// Who.
        by: Person,
        /// Why.
        why: String,
    },
    /// It is looked which hosts have been silent for longer than the policy gives them.
    RetireSilent,
    /// A host reports.
    ReportInventory {
        /// The asset, as authenticated.
        asset: AssetId,
        /// The host's report sequence.
        sequence: u64,
        /// What it reports.
        inventory: Inventory,
    },
    /// A host reports what changed since its last report.
    ReportDelta {
        /// The asset, as authenticated.
        asset: AssetId,
        /// The host's report sequence.
        sequence: u64,
        /// What changed.
        delta: Box<InventoryDelta>,
    },
    /// A person states what an asset is for. It replaces what was stated before.
    SetContext {
        /// The asset.
        asset: AssetId,
        /// What is stated.
        context: AssetContext,
        /// Who.
        by: Person,
    },
    /// A person takes over a context document. It replaces the one before.
    TakeOverContext {
        /// The document.
        document: ContextDocument,
        /// The version that it was compared with; 0 where there was none.
        compared: u32,
        /// Who.
        by: Person,
    },
    /// A person takes over what a supplier states about exploitability. It replaces what the same document said before.
    StateVex {
        /// The document's own id.
        document: String,
        /// What it takes off the list.
        statements: Vec<VexStatement>,
        /// Who.
        by: Person,
    },
    /// A person accepts a risk for a time.
    GrantException {
        /// What is asked for.
        request: Box<ExceptionRequest>,
        /// Who.
        by: Person,
    },
    /// A person takes an exception back before its time.
    EndException {
        /// The exception.
        exception: ExceptionId,
        /// Who.
        by: Person,
        /// Why.
        why: String,
    },
    /// A person records a compensating control.
    RecordControl {
        /// What is to be recorded.
        request: Box<ControlRequest>,
        /// Who.
        by: Person,
    },
    /// A person says that a control does not stand any more.
    EndControl {
        /// The control.
        control: ControlId,
        /// Who.
        by: Person,
        /// Why.
        why: String,
    },
    /// A sensor reports an attack that it saw.
    ReportDetection {
        /// What was seen where, and who says so, as authenticated.
        detection: Box<Detection>,
    },
    /// A person finds that a detection was none.
    DismissDetection {
        /// The detection.
        detection: DetectionId,
        /// Who.
        by: Person,
        /// Why.
        why: String,
    },
    /// A person chooses the published rules that count.
    SetRules {
        /// The rules.
        rules: Rules,
        /// Who.
        by: Person,
    },
    /// A person promotes a group.
    Promote {
        /// The group.
        group: GroupName,
        /// Who.
        by: Person,
    },
    /// A person demotes a group.
    Demote {
        /// The group.
        group: GroupName,
        /// Who.
        by: Person,
    },
    /// A host answers a rehearsal order.
    ReportRehearsal {
        /// The asset, as authenticated.
        asset: AssetId,
        /// The order.
        order: OrderId,
        /// What it found.
        report: RehearsalReport,
    },
    /// A person sets a policy. It replaces the one before.
    SetPolicy {
        /// The file, as it was written.
        text: String,
        /// The version that it was compared with; 0 where there was none.
        compared: u32,
        /// Who.
        by: Person,
    },
    /// A person approves a directive wherever its rehearsal passed.
    Approve {
        /// The directive.
        directive: DirectiveId,
        /// Who.
        by: Person,
        /// Their roles; a policy may ask for one.
        roles: BTreeSet<Role>,
        /// The rehearsal reports that were looked at. When others wait by now, nothing is approved.
        reports: Option<BTreeSet<Digest>>,
        /// Why evidence need not be preserved first; needed where the decision row asks for it.
        waive_evidence: Option<String>,
    },
    /// A person refuses a directive.
    Refuse {
        /// The directive.
        directive: DirectiveId,
        /// Who.
        by: Person,
        /// Why.
        why: String,
    },
    /// A person says something in the thread of a directive.
    Note {
        /// The directive.
        directive: DirectiveId,
        /// What the note does.
        kind: NoteKind,
        /// What it says.
        text: String,
        /// Who.
        by: Person,
    },
    /// A person says who does a directive.
    Assign {
        /// The directive.
        directive: DirectiveId,
        /// Who does it; `None` for nobody.
        to: Option<Person>,
        /// Who says so.
        by: Person,
        /// Of whom they may say so.
        may: MayAssign,
    },
    /// A person chooses how fast rollouts go, from the next plan on.
    SetTempo {
        /// The tempo.
        tempo: Tempo,
        /// Who.
        by: Person,
    },
    /// A person stops a rollout.
    Halt {
        /// The directive.
        directive: DirectiveId,
        /// Who.
        by: Person,
        /// Why.
        why: String,
    },
    /// A person lets a halted rollout go on.
    Resume {
        /// The directive.
        directive: DirectiveId,
        /// Who.
        by: Person,
    },
    /// A person sends a signature over changes; that it is right was checked before.
    SignChanges {
        /// The directive.
        directive: DirectiveId,
        /// The statement, exactly as signed.
        statement: String,
        /// The signature.
        signature: String,
        /// The key that made it.
        key: KeyFingerprint,
        /// The assets whose changes it covers, in the order of the statement's tree.
        assets: Vec<AssetId>,
        /// Who.
        by: Person,
    },
    /// A person asks for another attempt on an asset that stands still.
    Retry {
        /// The directive.
        directive: DirectiveId,
        /// The asset.
        asset: AssetId,
        /// Who.
        by: Person,
    },
    /// A host answers an order to preserve evidence.
    ReportEvidence {
        /// The asset, as authenticated.
        asset: AssetId,
        /// The order.
        order: OrderId,
        /// What it preserved, or why not.
        outcome: EvidenceOutcome,
    },
    /// A person lets assets be changed without evidence.
    WaiveEvidence {
        /// The directive.
        directive: DirectiveId,
        /// The assets; all that lack it where none is named.
        assets: Option<BTreeSet<AssetId>>,
        /// Why.
        why: String,
        /// Who.
        by: Person,
    },
    /// A host answers an apply order.
    ReportApply {
        /// The asset, as authenticated.
        asset: AssetId,
        /// The order.
        order: OrderId,
        /// What it did and saw.
        report: ApplyReport,
    },
    /// Time passed; yields events only when something fell due.
    Tick,
}

/// Stable codes of refusals, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalCode {
    /// No such asset.
    UnknownAsset,
    /// No such directive, or it is closed.
    UnknownDirective,
    /// No such order, or it is not this asset's, or it was answered.
    UnknownOrder,
    /// No such exception, or it has ended.
    UnknownException,
    /// No such control, or it has ended.
    UnknownControl,
    /// No such detection, or it has ended.
    UnknownDetection,
    /// No such token, wrong secret, used up or expired.
    BadToken,
    /// The key is enrolled already.
    AlreadyEnrolled,
    /// The inventory breaks a bound.
    BadInventory,
    /// The report's sequence is not above the last one.
    StaleReport,
    /// A delta differs from another report than the last one, or does not lead to what it says.
    StaleBase,
    /// Nothing is waiting for approval.
    NothingToApprove,
    /// What waits for approval, or would be replaced, is not what was looked at.
    EvidenceChanged,
    /// The decision row wants evidence preserved first, or a named waiver.
    EvidenceRequired,
    /// The policy forbids it.
    ForbiddenByPolicy,
    /// The policy asks for an approval by somebody with another role.
    RoleNeeded,
    /// The policy asks for several people, and this one has approved already.
    AnotherPersonNeeded,
    /// No host that waits asks for a signature of that key.
    UnknownKey,
    /// The asset's stage does not allow it.
    WrongStage,
    /// The command changes nothing.
    NothingToDo,
    /// The content does not encode or exceeds a bound.
    BadContent,
}

impl RefusalCode {
    /// Every code; a test holds the list against the documentation.
    pub const ALL: [Self; 21] = [
        Self::UnknownAsset,
        Self::UnknownDirective,
        Self::UnknownOrder,
        Self::UnknownException,
        Self::UnknownControl,
        Self::UnknownDetection,
        Self::BadToken,
        Self::AlreadyEnrolled,
        Self::BadInventory,
        Self::StaleReport,
        Self::StaleBase,
        Self::NothingToApprove,
        Self::EvidenceChanged,
        Self::EvidenceRequired,
        Self::ForbiddenByPolicy,
        Self::RoleNeeded,
        Self::AnotherPersonNeeded,
        Self::UnknownKey,
        Self::WrongStage,
        Self::NothingToDo,
        Self::BadContent,
    ];
}

/// Why a command was refused: nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct Refusal {
    /// For programs.
    pub code: RefusalCode,
    /// For people: what, with which value, and what to do.
    pub message: String,
}

impl Refusal {
    /// A refusal with its message.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
