//! Reading reports: which stances a whole report tells.
//!
//! ```text
//! report --Index::read_ahead (any earlier World, any thread)--> Reading --Index::take (the World that decides)--> stances
//! ```
//!
//! Most of the work is to find what is known already, and an index only ever adds: what was found in an earlier one holds in
//! every index that came from it.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenon_model::Digest;

use crate::ahead::Report;
use crate::familiar::{Familiar, tell_apart};
use crate::index::{Index, StanceId, Stances};
use crate::shards::Shards;
use crate::stance::{Around, Draft, Stance, StanceKey, drafts, is_split_kernel};

/// How far an index has come: how many stances it has, and a hash of them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) stances: u32,
    pub(crate) history: u64,
}

/// What an index made of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    mark: Mark,
    key: Option<Digest>,
    found: Found,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    /// One that was read before said the same.
    Before(Stances),
    /// Its stances, each for itself.
    Apart(Told),
}

/// Stances that some index was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Told {
    /// Those that it knew, in the order in which they were asked for.
    pub(crate) known: Vec<StanceId>,
    /// The others, each with the digests of its components.
    fresh: Vec<(Stance, Vec<Digest>)>,
}

impl Told {
    /// Whether all of them were known.
    pub(crate) fn is_known(&self) -> bool {
        self.fresh.is_empty()
    }
}

/// Most reports that are remembered.
const MAX_READ: usize = 65_536;

/// What reports were read as: a shortcut, forgotten as a whole now and then.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadBefore {
    read: Shards<Digest, Stances>,
    count: usize,
}

impl ReadBefore {
    fn insert(&mut self, key: Digest, stances: Stances) {
        if self.count >= MAX_READ {
            *self = Self::default();
        }
        self.read.insert(key, stances);
        self.count += 1;
    }
}

/// Everything of a report that its stances are made of, as a digest: a host can choose what it reports, so that a hash which it
/// could make collide with another's does not do. `None` where it cannot be encoded.
fn key_of(report: &Report, os: Option<&str>) -> Option<Digest> {
    let facts = report.facts();
    let replaced: BTreeSet<&str> =
        facts.stale.iter().filter_map(|process| process.package.as_deref()).collect();
    let said = (report.manifest_digest(), os, &facts.offers, facts.offers_known, replaced, &facts.kernel);
    Some(Digest::of(&serde_json::to_vec(&said).ok()?))
}

#[cfg(test)]
impl Reading {
    /// What it tells, in whichever order it was found.
    pub(crate) fn told(&self) -> (Vec<StanceId>, &[(Stance, Vec<Digest>)]) {
        let (known, fresh): (&[StanceId], &[_]) = match &self.found {
            Found::Before(stances) => (stances, &[]),
            Found::Apart(told) => (&told.known, &told.fresh),
        };
        let mut known = known.to_vec();
        known.sort_unstable();
        (known, fresh)
    }
}

impl Index {
    /// What this index knows of a report, and of whose parts it has `seen` which. Changes nothing, so that it can be asked beside
    /// the thread that decides.
    pub(crate) fn read_ahead(&self, report: &Report, seen: &[Option<&Familiar>]) -> Reading {
        let (mark, facts) = (self.mark(), report.facts());
        let os = facts.os.osv_ecosystem();
        let os = os.as_deref();
        let key = key_of(report, os);
        if let Some(known) = key.and_then(|key| self.read.read.get(&key)) {
            return Reading { mark, key, found: Found::Before(known.clone()) };
        }
        let split = report.parts().any(|part| is_split_kernel(part.component));
        let (known, rest) = tell_apart(os, facts, report.parts(), seen);
        let drafts = drafts(Around { os, facts, split }, rest.into_iter(), facts.offers.iter());
        let mut told = self.tell(&drafts, os);
        told.known.extend(known);
        Reading { mark, key, found: Found::Apart(told) }
    }

    /// What this index knows of the stances that a host of this system says.
    pub(crate) fn tell(&self, drafts: &[Draft<'_>], os: Option<&str>) -> Told {
        let system = self.system(os.unwrap_or_default());
        let mut told = Told::default();
        for draft in drafts {
            // No stance is kept under the number 0, which stands for a system that has none yet.
            match self.known(&draft.key(|_| system.unwrap_or(0))) {
                Some(id) => told.known.push(id),
                None => {
                    let digests = draft.parts().map(|part| part.digest).collect();
                    told.fresh.push((draft.keep(|part| Arc::new(part.component.clone())), digests));
                }
            }
        }
        told
    }

    /// The stances that a report tells, and those of them that were not known before. Hosts made alike report alike: what was read
    /// once of a manifest with the same offers is not read again.
    pub(crate) fn read(&mut self, report: &Report) -> (Stances, Vec<StanceId>) {
        match report.reading() {
            Some(reading) if self.comes_from(reading.mark) => self.take(reading),
            _ => {
                let reading = self.read_ahead(report, &[]);
                self.take(&reading)
            }
        }
    }

    fn take(&mut self, reading: &Reading) -> (Stances, Vec<StanceId>) {
        let told = match &reading.found {
            Found::Before(stances) => return (self.list(stances), Vec::new()),
            Found::Apart(told) => told,
        };
        let (mut ids, fresh) = self.find(told);
        ids.sort_unstable();
        let stances = self.list(&ids);
        if let Some(key) = reading.key {
            self.read.insert(key, stances.clone());
        }
        (stances, fresh)
    }

    /// The stances that were told, and those of them that were not known before.
    pub(crate) fn find(&mut self, told: &Told) -> (Vec<StanceId>, Vec<StanceId>) {
        let mut ids = Vec::with_capacity(told.known.len() + told.fresh.len());
        ids.extend(&told.known);
        let mut fresh = Vec::new();
        for (stance, digests) in &told.fresh {
            let draft = Draft::of(stance, digests);
            let key: StanceKey = self.key_of(&draft);
            if let Some(id) = self.known(&key) {
                ids.push(id);
            } else if let Some(id) = self.keep(key, &draft) {
                ids.push(id);
                fresh.push(id);
            }
        }
        (ids, fresh)
    }
}
