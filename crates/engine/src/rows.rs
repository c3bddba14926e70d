//! What the queue needs of each open directive, side by side, so that a question about all of them does not visit all of
//! them. Derived from the directives.

use std::hash::{Hash, Hasher};

use tenon_model::{RiskPoints, Timestamp, VulnerabilityId};

use crate::directives::DirectiveState;

/// An open directive as the queue counts and orders it. Texts are told apart by their hashes: two directives of one hash say
/// the same, so that what one of them says is looked at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) due: Option<Timestamp>,
    pub(crate) removes: RiskPoints,
    /// What of that a change of one asset removes.
    pub(crate) per_change: RiskPoints,
    pub(crate) raised: Timestamp,
    pub(crate) assets: u64,
    /// Work has begun or is done on one of its assets: how far it is stands with the directive. Of the others it is known.
    pub(crate) begun: bool,
    pub(crate) group: u64,
    pub(crate) outcome: u64,
    pub(crate) package: u64,
    /// 0 where nobody does it.
    pub(crate) assignee: u64,
    /// Of all by which people know it besides its group and its id.
    pub(crate) says: u64,
}

/// FNV-1a, 64 bits: the same on every machine.
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    value.hash(&mut hasher);
    hasher.finish()
}

/// A hash as the key of a map: it is spread already.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AsIs(u64);

impl Hasher for AsIs {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Row {
    pub(crate) fn of(state: &DirectiveState) -> Self {
        let (directive, source) = (&state.directive, state.source());
        let ids = |ids: &[VulnerabilityId]| ids.iter().map(VulnerabilityId::as_str).map(hash).fold(0, mixed);
        let said = [
            hash(source.version.as_str()),
            ids(&directive.closes),
            ids(&directive.claims),
            ids(&directive.advisories),
        ];
        let package = hash(source.name.as_str());
        Self {
            due: directive.priority.due,
            removes: directive.priority.removes,
            per_change: state.per_change(),
            raised: state.raised,
            assets: state.members.len(),
            begun: state.is_begun(),
            group: hash(directive.group.as_str()),
            outcome: hash(directive.priority.decision.outcome.as_str()),
            package,
            assignee: state.assigned.as_ref().map_or(0, |known| hash(known.to.as_str())),
            says: said.into_iter().fold(package, mixed),
        }
    }

    /// The row of the directive after a change that left its grounds alone, which are long to read.
    pub(crate) fn follow(&self, state: &DirectiveState) -> Self {
        let priority = &state.directive.priority;
        Self {
            due: priority.due,
            removes: priority.removes,
            per_change: state.per_change(),
            assets: state.members.len(),
            begun: state.is_begun(),
            outcome: hash(priority.decision.outcome.as_str()),
            ..*self
        }
    }
}

/// A hash of two, in this order.
fn mixed(one: u64, other: u64) -> u64 {
    (one.rotate_left(5) ^ other).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
