//! What cannot be seen: the gaps of the whole estate, each with the assets that have it. Never read any of it as "not
//! vulnerable".

use std::collections::BTreeMap;

use tenon_model::{AssetOrdinal, AssetSet, Capability, HostFacts, Timestamp};
use tenon_versions::Scheme;

use crate::assets::AssetState;
use crate::findings::{MAX_INDEX_AGE_SECONDS, not_assessed};
use crate::world::World;

/// Kinds of gap, what keeps most from being seen first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapKind {
    /// The asset has enrolled and never reported.
    NeverReported,
    /// It, or some of its packages, is not assessed.
    NotAssessed,
    /// It has not reported for more than a day.
    Silent,
    /// Its package index is missing or too old to say what it is offered.
    IndexStale,
    /// Two hosts report under its key.
    Cloned,
    /// Something its agent could not find out.
    NotKnown,
    /// Its agent can only look.
    ObserveOnly,
}

/// The gaps of an estate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gaps {
    /// Every gap, by kind and in words, with the assets that have it.
    pub gaps: BTreeMap<(GapKind, String), AssetSet>,
    /// The assets of which not everything is known: those of all kinds but [`GapKind::ObserveOnly`].
    pub not_whole: AssetSet,
}

impl Gaps {
    fn add(&mut self, kind: GapKind, said: &str, assets: &AssetSet) {
        if assets.is_empty() {
            return;
        }
        self.gaps.entry((kind, said.to_owned())).or_default().extend(assets);
        if kind != GapKind::ObserveOnly {
            self.not_whole.extend(assets);
        }
    }

    /// What is said of hosts that report so, besides their packages.
    fn of_profile(&mut self, world: &World, profile: &HostFacts, alike: &AssetSet) {
        for gap in &profile.gaps {
            self.add(GapKind::NotKnown, gap, alike);
        }
        if let Capability::ObserveOnly { reason } = &profile.capability {
            self.add(GapKind::ObserveOnly, reason, alike);
        }
        // Without a system of which advisories speak, it depends on the packages of each.
        let each_for_itself = profile.os.osv_ecosystem().is_none();
        let ask = if each_for_itself { usize::MAX } else { 1 };
        let mut said: BTreeMap<String, AssetSet> = BTreeMap::new();
        for ordinal in alike.iter().take(ask) {
            if let Some(line) = world.asset_at(ordinal).and_then(|asset| not_assessed(world, asset)) {
                said.entry(line).or_default().insert(ordinal);
            }
        }
        for (line, assets) in said {
            self.add(GapKind::NotAssessed, &line, if each_for_itself { &assets } else { alike });
        }
    }
}

impl World {
    /// Every gap. `now` tells who is silent. Looks at every asset once.
    pub fn gaps(&self, now: Timestamp) -> Gaps {
        let mut gaps = Gaps::default();
        // Profiles of one content are kept once: by where each is.
        let mut profiles: BTreeMap<usize, (&HostFacts, AssetSet)> = BTreeMap::new();
        let (mut never, mut silent, mut stale) = <(AssetSet, AssetSet, AssetSet)>::default();
        let mut cloned = AssetSet::default();
        for (ordinal, asset) in (0..).map(AssetOrdinal).zip(self.assets.by_ordinal.iter()) {
            if asset.retired.is_some() {
                continue;
            }
            if asset.runs.is_cloned() {
                cloned.insert(ordinal);
            }
            let (Some((_, reported)), Some(profile)) = (asset.reported, asset.profile()) else {
                never.insert(ordinal);
                continue;
            };
            let place = std::ptr::from_ref(profile).addr();
            let (_, alike) = profiles.entry(place).or_insert_with(|| (profile, AssetSet::default()));
            alike.insert(ordinal);
            if reported.plus_days(1) < now {
                silent.insert(ordinal);
            }
            if has_stale_index(asset, profile) {
                stale.insert(ordinal);
            }
        }
        gaps.add(GapKind::NeverReported, "no inventory yet", &never);
        gaps.add(GapKind::Silent, "no report for more than a day", &silent);
        let of_clones =
            "two hosts report under one key: enrol one of them anew, nothing is ordered until then";
        gaps.add(GapKind::Cloned, of_clones, &cloned);
        gaps.add(GapKind::IndexStale, "the package index is missing or older than two days", &stale);
        for (profile, alike) in profiles.into_values() {
            gaps.of_profile(self, profile, &alike);
        }
        for (id, entry) in self.index.all() {
            let ecosystem = entry.stance.ecosystem.as_deref();
            let unknown = ecosystem.filter(|ecosystem| Scheme::of_osv_ecosystem(ecosystem).is_none());
            if entry.tally.not_assessed.is_empty() && unknown.is_none() {
                continue;
            }
            let assets = self.index.assets_of(id);
            if let Some(ecosystem) = unknown {
                let line = format!("packages of {ecosystem}: the order of its versions is not known here");
                gaps.add(GapKind::NotAssessed, &line, &assets);
            }
            for line in &entry.tally.not_assessed {
                gaps.add(GapKind::NotAssessed, line, &assets);
            }
        }
        gaps
    }
}

/// Whether what a host's repositories offer it should be known, and is not any more.
fn has_stale_index(asset: &AssetState, profile: &HostFacts) -> bool {
    profile.offers_known && asset.index_age.is_none_or(|age| age > MAX_INDEX_AGE_SECONDS)
}
