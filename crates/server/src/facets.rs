//! What a change is about, so that clients fetch again only what changed.

use tenon_model::Event;

/// A part of what clients show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Facet {
    /// Assets: what they carry, their findings, their groups.
    Assets,
    /// Directives, open and closed.
    Queue,
    /// Feeds.
    Feeds,
    /// What people state: context, rules.
    Context,
}

impl Facet {
    pub(crate) const ALL: [Self; 4] = [Self::Assets, Self::Queue, Self::Feeds, Self::Context];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Assets => "assets",
            Self::Queue => "queue",
            Self::Feeds => "feeds",
            Self::Context => "context",
        }
    }

    /// What an event may have changed. Too much costs a fetch, too little shows what is no more: an event that is not
    /// named here is about everything.
    pub(crate) fn of(event: &Event) -> &'static [Self] {
        match event {
            // Nobody is shown either.
            Event::TermBegan { .. } | Event::TokenIssued { .. } | Event::AgentStarted { .. } => &[],
            Event::AdvisoriesChanged { .. } | Event::IntelChanged { .. } => {
                &[Self::Assets, Self::Queue, Self::Feeds]
            }
            Event::ReachAssessed { .. } => &[Self::Assets, Self::Queue],
            Event::ContextSet { .. } | Event::RulesSet { .. } => &[Self::Assets, Self::Queue, Self::Context],
            Event::AssetEnrolled { .. } | Event::CloneSeen { .. } | Event::CloneGone { .. } => {
                &[Self::Assets]
            }
            Event::DirectiveRaised { .. }
            | Event::DirectiveRevised { .. }
            | Event::DirectiveClosed { .. }
            | Event::DirectiveNoted { .. }
            | Event::DirectiveAssigned { .. }
            | Event::DirectiveApproved { .. }
            | Event::ApprovalGiven { .. }
            | Event::ApprovedByPolicy { .. }
            | Event::ChangesSigned { .. }
            | Event::EvidenceSealed { .. }
            | Event::EvidenceMissed { .. }
            | Event::EvidenceWaived { .. }
            | Event::RolloutPlanned { .. }
            | Event::WaveBegan { .. }
            | Event::WaveEnded { .. }
            | Event::RolloutHalted { .. }
            | Event::RolloutResumed { .. }
            | Event::RetryRequested { .. } => &[Self::Queue],
            Event::PolicySet { .. } => &[Self::Queue, Self::Context],
            Event::TempoSet { .. } => &[Self::Context],
            Event::HistoryCut { .. } => &[],
            _ => &Self::ALL,
        }
    }
}

/// How far the record reaches, and where each facet last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Generation {
    /// Position of the last event.
    pub(crate) seq: u64,
    changed: [u64; Facet::ALL.len()],
}

impl Generation {
    /// That of a record which was replayed: everything is as new as the record.
    pub(crate) fn replayed(seq: u64) -> Self {
        Self { seq, changed: [seq; Facet::ALL.len()] }
    }

    /// An event was added.
    pub(crate) fn add(&mut self, seq: u64, event: &Event) {
        self.seq = seq;
        for facet in Facet::of(event) {
            self.changed[*facet as usize] = seq;
        }
    }

    /// The facets that changed after a position.
    pub(crate) fn since(&self, seq: u64) -> Vec<&'static str> {
        let changed = |facet: &Facet| self.changed[*facet as usize] > seq;
        Facet::ALL.into_iter().filter(changed).map(Facet::name).collect()
    }
}
