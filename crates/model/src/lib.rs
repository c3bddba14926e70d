//! The words of Tenon as types: ids, host facts, advisories, directives, orders, events, commands.
//!
//! This crate holds data and its invariants and nothing else: no clock, no I/O, no randomness. Values are
//! parsed once, at the edge (`FromStr`, `Deserialize` through it); inner code never checks again.

mod advisory;
mod assets;
mod assignment;
mod command;
mod component;
pub mod context;
mod control;
mod delta;
mod detection;
mod digest;
mod directive;
mod event;
mod evidence;
mod exception;
mod facts;
mod history;
mod hook;
mod ids;
mod intel;
mod kind;
mod life;
mod note;
mod order;
mod parts;
mod points;
mod reach;
mod risk_points;
mod role;
mod rollout;
mod sum;
mod time;
mod vex;

pub use advisory::{Advisory, AdvisoryDelta, Affected, AffectedRange};
pub use assets::{AssetOrdinal, AssetSet, AssetSetError, MAX_ASSETS, Members};
pub use assignment::{Assignment, MayAssign};
pub use command::{Command, Refusal, RefusalCode};
pub use component::{Component, Manifest, ManifestError, SourcePackage, WrittenManifest};
pub use context::{AssetContext, ClockRule, ContextDocument, DecisionTable, Rules, Vdr, VdrClass, VdrPain};
pub use control::{Control, ControlEnd, ControlKind, ControlRequest, ControlScope};
pub use delta::{DeltaError, FactsChange, InventoryDelta, InventorySum, MAX_DELTA_NAMED, OfferKey, Reported};
pub use detection::{Detection, DetectionEnd, DetectionKind};
pub use digest::{Blob, Digest, DigestError};
pub use directive::{
    Action, Basis, Clock, Decision, DecisionInput, Directive, DirectiveChange, Grounds, Outcome, Priority,
    Stage, Want, WantClass, Wants,
};
pub use event::{EVENT_VERSION, Event, EventError, Record, Versioned};
pub use evidence::{
    EVIDENCE_VERSION, EvidenceDocument, EvidenceError, EvidenceFile, EvidenceGap, EvidenceLog, EvidenceMaps,
    EvidenceOutcome, EvidencePackage, EvidencePart, EvidenceProcess, EvidenceSession, EvidenceSocket,
    MAX_EVIDENCE, is_evidence,
};
pub use exception::{Exception, ExceptionEnd, ExceptionRequest, ExceptionScope};
pub use facts::{
    ApprovalAsked, Architecture, Capability, HostFacts, IndexState, Inventory, Kernel, Listener, Offer,
    OfferState, OsRelease, Protocol, Service, StaleProcess, Unit, Updater, Virtualization,
};
pub use history::HistoryBase;
pub use hook::{HookEnd, HookMoment, HookRun};
pub use ids::{
    AssetId, ControlId, DetectionId, DirectiveId, ExceptionId, GroupName, IdError, KeyFingerprint, OrderId,
    Person, RedundancyName, ServiceName, Tag, TeamName, TokenId, VulnerabilityId, ZoneName,
};
pub use intel::{
    Cvss, Epss, Foreseen, Intel, IntelDelta, IntelSource, Kev, Probability, Profile, PublicExploit, Ssvc,
};
pub use kind::EVENT_KINDS;
pub use life::{AgentRun, MachineId, Retirement};
pub use note::{MAX_NOTE, Note, NoteKind};
pub use order::{
    ApplyOutcome, ApplyReport, Change, Evidence, Generation, KeyApproval, Order, OrderAction, PackageTarget,
    PinnedFile, RehearsalOutcome, RehearsalReport, TOO_LATE, Transaction, TransactionStep, Undo, UnitHealth,
};
pub use parts::{PART, Parts};
pub use points::{
    AttackVector, Automatable, Exploitation, HumanImpact, MissionAndWellBeing, SystemExposure,
    TechnicalImpact,
};
pub use reach::{ReachDelta, ReachMove, ReachStep, ZoneReach};
pub use risk_points::{RiskPoints, signed as signed_points};
pub use role::{NoRole, Role};
pub use rollout::{Halt, HeldBack, Phase, Plan, Step, Tempo, Wave};
pub use sum::Sum;
pub use time::Timestamp;
pub use vex::{VexStatement, VexSubject};
