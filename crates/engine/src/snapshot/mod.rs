//! A World as bytes, so that a start need not replay the whole journal.
//!
//! A snapshot holds what events said and, beside it, what is slow to work out again: who is in which stance. What follows from
//! that is worked out anew when it is read. It is a copy of what the journal tells and never a source of its own: one that
//! cannot be read is passed over, and one of another version likewise.

mod frame;
mod reader;
mod saved;
mod writer;

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};

use tenon_model::{AssetOrdinal, AssetSet, HostFacts, Outcome, Parts, VulnerabilityId};

use crate::directives::DirectiveState;
use crate::index::{Index, Stances};
use crate::rows::Row;
use crate::stance::Stance;
use crate::world::{OrderState, PackageKey, Standing, World, count_one};
use frame::Section;
use reader::{Lists, Reader};
use saved::{SavedAdvisory, SavedAsset, SavedContext, SavedHead, SavedIntel, SavedPolicy};
use writer::Writer;

/// The version of the encoding. Another one is not read; whoever raises this keeps reading from 5 on, because a record that was
/// cut rests on one (decision 27).
pub const SNAPSHOT_VERSION: u16 = 13;
/// The oldest version that is read: it lacks the measures, which then begin with it. Before 7 there were no exceptions, before 8 no
/// detections, before 9 no forecasts, signatures and notes of people, before 10 no evidence, before 11 no controls, before 12 no
/// detections but of attacks on hosts and nobody to whom directives are given, which a program of then would leave out; before 9 risk
/// points were whole thousandths. Before 13 what is built from one RPM source was kept apart: of such a host the next report counts.
const OLDEST_VERSION: u16 = 5;
/// Lists that are handed over at once while a snapshot is read, and how often that many may wait.
const LISTS_AT_ONCE: usize = 512;
const LISTS_AHEAD: usize = 8;
/// How a snapshot begins.
const MAGIC: &[u8; 8] = b"TENONSNP";

/// Why bytes are no snapshot that this program reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Not a snapshot.
    #[error("these bytes are no snapshot")]
    Foreign,
    /// Written by another version.
    #[error("the snapshot is of version {found}, this program reads {OLDEST_VERSION} to {SNAPSHOT_VERSION}")]
    Version {
        /// Its version.
        found: u16,
    },
    /// A section is cut off, out of place, or holds what it cannot.
    #[error("section {section} of the snapshot is damaged")]
    Damaged {
        /// Which section.
        section: u8,
    },
    /// A value does not decode.
    #[error("a value of the snapshot does not decode: {0}")]
    Value(String),
}

impl From<serde_json::Error> for SnapshotError {
    fn from(error: serde_json::Error) -> Self {
        Self::Value(error.to_string())
    }
}

fn damaged(section: Section) -> SnapshotError {
    SnapshotError::Damaged { section: section as u8 }
}

impl World {
    /// This World as bytes for [`World::from_snapshot`].
    ///
    /// # Errors
    /// When a part of the state does not encode: a defect of this crate.
    pub fn to_snapshot(&self) -> Result<Parts, SnapshotError> {
        let mut merged = self.clone();
        merged.index.merge();
        // Named one by one, so that whoever adds a part decides here whether it is saved.
        let World {
            seq,
            time,
            term,
            term_began,
            next_directive,
            next_order,
            assets,
            advisories,
            advisories_of: _,
            ecosystems: _,
            intel,
            groups,
            tokens,
            directives,
            standing: _,
            open: _,
            orders,
            open_orders: _,
            feeds,
            rules,
            policy,
            tempo,
            rolling: _,
            forensic: _,
            context,
            approach,
            vex,
            exceptions,
            controls,
            detections,
            trend,
            measures,
            index,
            systems: _,
            // Read from the rules again.
            regulations: _,
        } = &merged;
        let mut out = Writer::default();
        out.bytes(MAGIC);
        out.bytes(&SNAPSHOT_VERSION.to_le_bytes());
        let head = SavedHead {
            seq: *seq,
            time: *time,
            term: *term,
            term_began: *term_began,
            next_directive: *next_directive,
            next_order: *next_order,
            groups: groups.clone(),
            tokens: tokens.clone(),
            feeds: feeds.clone(),
            rules: rules.clone(),
            policy: policy.as_ref().map(SavedPolicy::of),
            tempo: *tempo,
            context: context.clone().map(SavedContext::of),
            approach: approach.zones().clone(),
            vex: vex.iter().map(|(document, stated)| (document.clone(), stated.to_vec())).collect(),
            exceptions: exceptions.iter().map(|(id, state)| (id, state.clone())).collect(),
            controls: controls.iter().map(|(id, state)| (id, state.clone())).collect(),
            detections: detections.iter().map(|(id, state)| (id, state.clone())).collect(),
            trend: trend.clone(),
            moved: (trend.seq, trend.movements.iter().copied().collect()),
        };
        out.lines(Section::Head, std::iter::once(head))?;
        out.lines(Section::Advisories, advisories.iter().map(|(_, known)| SavedAdvisory::of(known)))?;
        out.lines(Section::Intel, intel.iter().map(|(id, intel)| SavedIntel::of(id, intel)))?;
        out.lines(Section::Stances, index.all().map(|(_, entry)| entry.stance.as_ref()))?;
        out.strings(Section::Held, index.all().map(|(id, _)| index.assets_of(id).to_bytes()));

        // What many hosts share is written once, in the order in which hosts first have it.
        let mut profiles: Vec<&Arc<HostFacts>> = Vec::new();
        let mut lists: Vec<&Stances> = Vec::new();
        let mut places: BTreeMap<usize, u32> = BTreeMap::new();
        let mut rows = Vec::with_capacity(assets.by_ordinal.len());
        for asset in assets.by_ordinal.iter() {
            let profile = asset.profile.as_ref().map(|profile| {
                *places.entry(Arc::as_ptr(profile).addr()).or_insert_with(|| {
                    profiles.push(profile);
                    u32::try_from(profiles.len() - 1).unwrap_or(u32::MAX)
                })
            });
            let stances = asset.stances.as_ref().map(|stances| {
                *places.entry(stances.as_ptr().addr()).or_insert_with(|| {
                    lists.push(stances);
                    u32::try_from(lists.len() - 1).unwrap_or(u32::MAX)
                })
            });
            rows.push(SavedAsset::of(asset, profile, stances));
        }
        out.lines(Section::Profiles, profiles.into_iter())?;
        out.lists(Section::Lists, lists.into_iter().map(AsRef::as_ref));
        out.lines(Section::Assets, rows.into_iter())?;
        let mut by_id: Vec<_> = directives.iter().collect();
        by_id.sort_unstable_by_key(|(id, _)| **id);
        out.lines(Section::Directives, by_id.into_iter())?;
        out.lines(Section::Orders, orders.iter())?;
        out.lines(Section::Measures, std::iter::once(measures))?;
        out.lines(Section::Groups, measures.groups())?;
        out.lines(Section::Cases, measures.open_cases())?;
        Ok(out.end())
    }

    /// The World of a snapshot, which goes as it is read.
    ///
    /// # Errors
    /// [`SnapshotError`]: take an older one, or replay the journal.
    pub fn from_snapshot(content: Parts) -> Result<Self, SnapshotError> {
        let mut from = Reader::from(content);
        let found = from.version(MAGIC).ok_or(SnapshotError::Foreign)?;
        if !(OLDEST_VERSION..=SNAPSHOT_VERSION).contains(&found) {
            return Err(SnapshotError::Version { found });
        }
        let mut world = Self::default();
        let head: SavedHead = from.lines(Section::Head)?.next().ok_or(damaged(Section::Head))??;
        head.restore(&mut world);
        for saved in from.lines::<SavedAdvisory>(Section::Advisories)? {
            world.restore_advisory(saved?);
        }
        for saved in from.lines::<SavedIntel>(Section::Intel)? {
            let SavedIntel { id, intel } = saved?;
            world.intel.insert(id, Arc::new(intel));
        }
        for stance in from.lines::<Stance>(Section::Stances)? {
            world.index.restore(&stance?);
        }
        world.restore_assets(&mut from)?;
        for saved in from.lines::<(tenon_model::DirectiveId, DirectiveState)>(Section::Directives)? {
            let (id, state) = saved?;
            world.restore_directive(id, state);
        }
        for saved in from.lines::<(tenon_model::OrderId, OrderState)>(Section::Orders)? {
            let (id, state) = saved?;
            if !state.settled {
                world.open_orders.insert(id, ());
            }
            world.orders.insert(id, Arc::new(state));
        }
        match found {
            OLDEST_VERSION => world.begin_measures(),
            _ => world.restore_measures(&mut from)?,
        }
        let all: Vec<_> = world.index.all().map(|(id, _)| id).collect();
        world.conclude(&all);
        Ok(world)
    }

    fn restore_advisory(&mut self, saved: SavedAdvisory) {
        let known = saved.restore();
        let id: VulnerabilityId = known.advisory.id.clone();
        for affected in &known.advisory.affected {
            self.name_advisory(PackageKey::from(affected), &id);
        }
        self.advisories.insert(id, known);
    }

    /// Who is in which stance is decoded beside the assets: neither needs the other, and each is much.
    fn restore_assets(&mut self, from: &mut Reader) -> Result<(), SnapshotError> {
        let held = from.strings(Section::Held, |set| AssetSet::from_bytes(set).ok())?;
        let held = std::thread::scope(|scope| {
            let held = scope.spawn(|| held.collect::<Result<Vec<_>, _>>());
            self.restore_each(from)?;
            held.join().unwrap_or(Err(damaged(Section::Held)))
        })?;
        for (id, held) in (0..).zip(held) {
            self.index.restore_held(id, held).ok_or(damaged(Section::Held))?;
        }
        self.weigh_all();
        Ok(())
    }

    /// The lists are read while the assets are: each stands before the first asset that has it.
    fn restore_each(&mut self, from: &mut Reader) -> Result<(), SnapshotError> {
        let Self { index, assets, systems, .. } = self;
        let index = &*index;
        let profiles: Vec<HostFacts> = from.lines(Section::Profiles)?.collect::<Result<_, _>>()?;
        let profiles: Vec<_> = profiles.into_iter().map(|profile| index.profile(profile)).collect();
        let unread = from.lists(Section::Lists)?;
        let mut saved = from.lines::<SavedAsset>(Section::Assets)?;
        std::thread::scope(|scope| {
            let (send, coming) = mpsc::sync_channel(LISTS_AHEAD);
            let reading = scope.spawn(move || read_lists(index, unread, &send));
            let mut lists: Vec<Stances> = Vec::new();
            let mut add = |saved: SavedAsset| {
                let profile = saved.profile.map(|place| place_of(&profiles, place)).transpose()?;
                while saved.stances.is_some_and(|place| place as usize >= lists.len()) {
                    // Where none comes any more, there is none, or reading has failed.
                    let Ok(more) = coming.recv() else { break };
                    lists.extend::<Vec<_>>(more);
                }
                let stances = saved.stances.map(|place| place_of(&lists, place)).transpose()?;
                if let Some(os) = profile.as_ref().and_then(|profile| profile.os.osv_ecosystem()) {
                    count_one(systems, &os);
                }
                assets.add(saved.restore(profile, stances));
                Ok(())
            };
            let added = saved.try_for_each(|saved| saved.and_then(&mut add));
            // Lists that no asset has are read to their end too, which tells whether they are whole.
            coming.iter().for_each(drop);
            reading.join().unwrap_or(Err(damaged(Section::Lists))).and(added)
        })
    }

    fn restore_measures(&mut self, from: &mut Reader) -> Result<(), SnapshotError> {
        self.measures = from.lines(Section::Measures)?.next().ok_or(damaged(Section::Measures))??;
        for saved in from.lines(Section::Groups)? {
            let (group, counted) = saved?;
            self.measures.restore_group(group, counted);
        }
        for saved in from.lines(Section::Cases)? {
            let (id, cases) = saved?;
            self.measures.restore_cases(id, cases);
        }
        Ok(())
    }

    fn restore_directive(&mut self, id: tenon_model::DirectiveId, mut state: DirectiveState) {
        state.id = id;
        state.recount(&self.assets);
        let refused = matches!(state.closed, Some((_, Outcome::Refused { .. })));
        if state.closed.is_none() || refused {
            let source = state.source();
            let (group, version) = (state.directive.group.clone(), source.version.clone());
            self.standing.entry(source.name.clone(), Vec::new).push(Standing { group, version, id });
        }
        if state.closed.is_none() {
            self.open.insert(id, Row::of(&state));
            if state.asks_for_evidence() {
                self.forensic.insert(id);
            }
            if state.rolls() {
                self.rolling.insert(id);
            }
            let begun: Vec<AssetOrdinal> = state.begun().map(|(asset, _)| asset).collect();
            for asset in begun {
                if let Some(asset) = self.assets.get_mut(asset) {
                    asset.begun.insert(id);
                }
            }
        }
        self.directives.insert(id, Arc::new(state));
    }
}

/// Reads lists and hands them over, some at a time.
fn read_lists(
    index: &Index,
    mut unread: Lists,
    send: &mpsc::SyncSender<Vec<Stances>>,
) -> Result<(), SnapshotError> {
    let mut list = Vec::new();
    loop {
        let mut some = Vec::with_capacity(LISTS_AT_ONCE);
        while some.len() < LISTS_AT_ONCE && unread.read(&mut list)? {
            some.push(index.list(&list));
        }
        if some.is_empty() || send.send(some).is_err() {
            return Ok(());
        }
    }
}

fn place_of<T: Clone>(things: &[T], place: u32) -> Result<T, SnapshotError> {
    let place = usize::try_from(place).ok().and_then(|place| things.get(place));
    place.cloned().ok_or(damaged(Section::Assets))
}
