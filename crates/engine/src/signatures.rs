//! What people signed with keys that the server does not have, and what hosts that ask for that still wait for.
//!
//! The host itself decides (`tenon-host`): here it is only known what it will say, so that no order goes out which it would
//! refuse, and people see what is missing.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenon_approval::{HostChange, MAX_CHANGES, Statement, path, root};
use tenon_model::{
    ApprovalAsked, AssetId, AssetOrdinal, AssetSet, Digest, DirectiveId, Event, KeyApproval, KeyFingerprint,
    Person, Refusal, RefusalCode, Stage, Timestamp,
};

use crate::decide::{open_directive, refuse};
use crate::directives::DirectiveState;
use crate::world::World;

/// Most signatures that are kept of one directive. What is beyond it goes, the oldest first: its hosts ask again.
const MAX_SIGNATURES: usize = 256;

/// A signature over changes of a directive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedChanges {
    /// The statement, exactly as signed.
    pub statement: Arc<str>,
    /// The signature.
    pub signature: Arc<str>,
    /// The key that made it.
    pub key: KeyFingerprint,
    /// Until when it counts.
    pub expires: Timestamp,
    /// The assets in the order of the statement's tree, which is that of their ids, each with the leaf of its change.
    pub leaves: Arc<Vec<(AssetId, Digest)>>,
    /// Who sent it.
    pub by: Person,
    /// When.
    pub at: Timestamp,
}

impl SignedChanges {
    /// The place of an asset's leaf.
    fn place(&self, asset: &AssetId) -> Option<usize> {
        self.leaves.binary_search_by_key(asset, |(of, _)| *of).ok()
    }

    /// The leaf of an asset's change.
    fn leaf(&self, asset: &AssetId) -> Option<&Digest> {
        self.leaves.get(self.place(asset)?).map(|(_, leaf)| leaf)
    }

    /// What an order carries of it for the leaf at a place.
    fn approval(&self, place: usize) -> Option<KeyApproval> {
        let leaves: Vec<Digest> = self.leaves.iter().map(|(_, leaf)| *leaf).collect();
        Some(KeyApproval {
            statement: self.statement.to_string(),
            signature: self.signature.to_string(),
            place: place as u64,
            path: path(&leaves, place)?,
        })
    }
}

/// What a host that asks for signatures has of them, for one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signatures<'w> {
    /// What it asks for.
    pub asked: &'w ApprovalAsked,
    /// The signatures that count, of each key the one that counts longest, those that count longest first.
    pub given: Vec<&'w SignedChanges>,
    /// Whether signatures of its keys are there which are over another change, or count no more.
    pub outdated: bool,
}

impl Signatures<'_> {
    /// How many more it waits for.
    pub fn missing(&self) -> u32 {
        self.asked.needed.saturating_sub(u32::try_from(self.given.len()).unwrap_or(u32::MAX))
    }

    /// Until when those that it needs count; `None` where some are missing.
    pub(crate) fn until(&self) -> Option<Timestamp> {
        let last = usize::try_from(self.asked.needed).ok()?.checked_sub(1)?;
        self.given.get(last).map(|signed| signed.expires)
    }

    /// What it waits for, in words; `None` where enough have signed.
    pub(crate) fn waits(&self, id: DirectiveId, hostname: &str) -> Option<String> {
        let more = if self.given.is_empty() { "" } else { " more" };
        let missing = match self.missing() {
            0 => return None,
            1 => format!("1{more} signature of a key"),
            missing => format!("{missing}{more} signatures of keys"),
        };
        let outdated = match self.outdated {
            true => "; what was signed before was another change there, or has expired",
            false => "",
        };
        Some(format!(
            "it waits for {missing} that {hostname} asks for: `tenon approve {id} --key FILE`{outdated}"
        ))
    }
}

impl World {
    /// The assets whose last report asks for signatures.
    pub fn asking(&self) -> &AssetSet {
        self.assets.asking()
    }

    /// What would be changed on an asset, where its rehearsal has passed and it is not done yet: what an order would say.
    pub(crate) fn change_of<'w>(
        &'w self,
        state: &'w DirectiveState,
        asset: AssetOrdinal,
    ) -> Option<HostChange<'w>> {
        let known = self.asset_at(asset)?;
        let report = state.rehearsals.get(&asset)?;
        Some(HostChange {
            asset: known.id,
            hostname: &known.hostname,
            directive: state.id,
            targets: state.targets(asset)?,
            transaction: &report.transaction,
            files: &report.files,
        })
    }

    /// The signatures that an asset asks for and has; `None` where it asks for none, or nothing of it can be signed yet.
    pub fn signatures<'w>(
        &'w self,
        state: &'w DirectiveState,
        asset: AssetOrdinal,
        now: Timestamp,
    ) -> Option<Signatures<'w>> {
        if !self.asking().contains(asset) {
            return None;
        }
        let asked = &self.asset_at(asset)?.profile()?.approval;
        let change = self.change_of(state, asset)?;
        let leaf = change.leaf();
        let mut by_key: BTreeMap<&KeyFingerprint, &SignedChanges> = BTreeMap::new();
        let mut outdated = false;
        for signed in &state.signed {
            let Some(over) = signed.leaf(&change.asset) else { continue };
            // Of an earlier time it is asked too: what had not come yet is not there.
            if !asked.keys.contains(&signed.key) || signed.at > now {
                continue;
            }
            if signed.expires < now || *over != leaf {
                outdated = true;
                continue;
            }
            let best = by_key.entry(&signed.key).or_insert(signed);
            if best.expires < signed.expires {
                *best = signed;
            }
        }
        let mut given: Vec<&SignedChanges> = by_key.into_values().collect();
        given.sort_by_key(|signed| std::cmp::Reverse(signed.expires));
        Some(Signatures { asked, given, outdated })
    }

    /// What an asset waits for, in words, where it asks for signatures that are missing.
    pub fn unsigned(&self, state: &DirectiveState, asset: AssetOrdinal, now: Timestamp) -> Option<String> {
        let hostname = self.asset_at(asset).map_or("it", |known| known.hostname.as_str());
        self.signatures(state, asset, now)?.waits(state.id, hostname)
    }

    /// What an order to an asset carries, and until when that counts; nothing where it asks for none.
    pub(crate) fn approvals(
        &self,
        state: &DirectiveState,
        asset: AssetOrdinal,
        now: Timestamp,
    ) -> (Vec<KeyApproval>, Option<Timestamp>) {
        let Some(signatures) = self.signatures(state, asset, now) else { return (Vec::new(), None) };
        let needed = usize::try_from(signatures.asked.needed).unwrap_or(usize::MAX);
        let id = self.asset_at(asset).map(|known| known.id);
        let carried = signatures.given.iter().take(needed);
        let carried = carried.filter_map(|signed| signed.approval(signed.place(&id?)?));
        (carried.collect(), signatures.until())
    }

    /// The changes of a directive that can be signed, in the order of their assets' ids: those of hosts that ask for signatures
    /// and whose rehearsal has passed.
    pub fn signable<'w>(&'w self, state: &'w DirectiveState) -> Vec<(AssetOrdinal, HostChange<'w>)> {
        let waits = |stage: &Stage| matches!(stage, Stage::AwaitingApproval { .. } | Stage::Approved { .. });
        let begun = state.begun().filter(|(asset, stage)| waits(stage) && self.asking().contains(*asset));
        let mut changes: Vec<(AssetOrdinal, HostChange<'w>)> =
            begun.filter_map(|(asset, _)| Some((asset, self.change_of(state, asset)?))).collect();
        changes.sort_by_key(|(_, change)| change.asset);
        changes
    }
}

/// What a person sends.
pub(crate) struct Sent {
    pub(crate) statement: String,
    pub(crate) signature: String,
    pub(crate) key: KeyFingerprint,
    pub(crate) assets: Vec<AssetId>,
    pub(crate) by: Person,
}

/// Takes a signature over changes that can be signed and are, now, what was signed.
pub(crate) fn sign(world: &World, id: DirectiveId, sent: Sent, now: Timestamp) -> Result<Event, Refusal> {
    let state = open_directive(world, id)?;
    let Sent { statement, signature, key, assets, by } = sent;
    let bad = |why: String| Refusal::new(RefusalCode::BadContent, why);
    let said: Statement = statement.parse().map_err(|error| bad(format!("the statement: {error}")))?;
    if said.directive != id {
        return Err(bad(format!("the statement is about {}, and was sent for {id}", said.directive)));
    }
    if said.expires <= now {
        return Err(bad(format!("the statement expired at {}: sign anew", said.expires)));
    }
    if assets.len() as u64 != said.changes || said.changes > MAX_CHANGES {
        return Err(bad(format!(
            "the statement is about {} changes, and {} assets are named",
            said.changes,
            assets.len()
        )));
    }
    if !assets.is_sorted_by(|a, b| a < b) {
        return Err(bad("the assets are not in the order of their ids, each once".to_owned()));
    }
    let signable: BTreeMap<AssetId, (AssetOrdinal, HostChange<'_>)> =
        world.signable(state).into_iter().map(|(asset, change)| (change.asset, (asset, change))).collect();
    let mut leaves = Vec::with_capacity(assets.len());
    let mut asked = false;
    for asset in &assets {
        let Some((ordinal, change)) = signable.get(asset) else {
            let why = format!("nothing waits for a signature on {asset} in {id}: look again, then sign");
            return refuse(RefusalCode::EvidenceChanged, why);
        };
        let profile = world.asset_at(*ordinal).and_then(|known| known.profile());
        asked |= profile.is_some_and(|profile| profile.approval.keys.contains(&key));
        leaves.push((*asset, change.leaf()));
    }
    let signed: Vec<Digest> = leaves.iter().map(|(_, leaf)| *leaf).collect();
    if root(&signed) != said.root {
        let why = format!("what would be changed by {id} is not what was signed: look again, then sign");
        return refuse(RefusalCode::EvidenceChanged, why);
    }
    if !asked {
        let why = format!(
            "no host that waits in {id} asks for a signature of {key}: `tenon show {id}` lists their keys"
        );
        return refuse(RefusalCode::UnknownKey, why);
    }
    if state.signed.iter().any(|known| *known.statement == *statement && known.key == key) {
        return refuse(RefusalCode::NothingToDo, "this signature is there already");
    }
    Ok(Event::ChangesSigned { id, statement, signature, key, leaves, by })
}

impl DirectiveState {
    /// Keeps a signature. One of the same key over no other changes takes the place of what it had signed.
    pub(crate) fn keep_signature(&mut self, signed: SignedChanges) {
        let now = signed.at;
        let covered = |old: &SignedChanges| {
            old.key == signed.key && old.leaves.iter().all(|(asset, leaf)| signed.leaf(asset) == Some(leaf))
        };
        self.signed.retain(|old| old.expires >= now && !covered(old));
        if self.signed.len() >= MAX_SIGNATURES {
            self.signed.remove(0);
        }
        self.signed.push(signed);
    }
}
