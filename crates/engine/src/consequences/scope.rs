//! Which assets, in which stances, are looked at again for each package.

use std::collections::{BTreeMap, BTreeSet};

use tenon_model::{AssetOrdinal, AssetSet};

use super::dirty::Dirty;
use crate::index::StanceId;
use crate::lists::only_in;
use crate::world::World;

/// What is looked at again of one package.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) assets: AssetSet,
    /// Which of them are in which stance, of those from which something follows.
    pub(super) stances: BTreeMap<StanceId, AssetSet>,
}

/// The scopes by package.
pub(super) struct Scopes(pub(super) BTreeMap<String, Scope>);

impl Scopes {
    /// What is to be looked at, but for assets that are `verified` first.
    pub(super) fn of(world: &World, dirty: &Dirty, changed: &ChangedPackages, verified: &AssetSet) -> Self {
        let mut scopes: BTreeMap<String, Scope> = BTreeMap::new();
        for (ordinal, packages) in changed.iter().filter(|(ordinal, _)| !verified.contains(**ordinal)) {
            let Some(asset) = world.asset_at(*ordinal) else { continue };
            // Where nobody could ask what is offered, nothing is known to be wanted or not.
            if asset.profile().is_none_or(|profile| !profile.offers_known) {
                continue;
            }
            for package in packages {
                scopes.entry(package.clone()).or_default().assets.insert(*ordinal);
            }
            // Of what changed, and of what a verified directive may now be settled about.
            for id in asset.stances().iter().filter(|id| world.index.follows(**id)) {
                if let Some(entry) = world.index.entry(*id)
                    && let Some(scope) = scopes.get_mut(&entry.stance.package)
                {
                    scope.stances.entry(*id).or_default().insert(*ordinal);
                }
            }
        }
        if !dirty.retired.is_empty() {
            for (_, state) in world.open_directives() {
                let gone = state.members.intersect(&dirty.retired);
                if !gone.is_empty() {
                    scopes.entry(state.source().name.clone()).or_default().assets.extend(&gone);
                }
            }
        }
        if dirty.audit {
            let deaf = world
                .assets()
                .zip(0..)
                .filter(|((_, asset), _)| asset.profile().is_none_or(|profile| !profile.offers_known));
            let deaf: AssetSet = deaf.map(|(_, ordinal)| AssetOrdinal(ordinal)).collect();
            for (_, state) in world.open_directives() {
                let scope = scopes.entry(state.source().name.clone()).or_default();
                scope.assets.extend(&state.members.without(&deaf));
            }
        }
        for package in &dirty.packages {
            for id in world.index.about(package) {
                let Some(entry) = world.index.entry(id) else { continue };
                let here = world.index.assets_of(id).without(verified);
                if entry.stance.offers_known && !here.is_empty() {
                    let scope = scopes.entry(entry.stance.package.clone()).or_default();
                    scope.assets.extend(&here);
                    scope.stances.insert(id, here);
                }
            }
        }
        Self(scopes)
    }
}

/// Of every asset that reported the packages about which it now says something else than before, and those of its directives
/// that have begun: a report that confirms a fix may settle them.
pub(super) type ChangedPackages = BTreeMap<AssetOrdinal, BTreeSet<String>>;

pub(super) fn changed_packages(world: &World, dirty: &Dirty) -> ChangedPackages {
    dirty.assets.iter().map(|ordinal| (ordinal, changed_of(world, dirty, ordinal))).collect()
}

fn changed_of(world: &World, dirty: &Dirty, ordinal: AssetOrdinal) -> BTreeSet<String> {
    let Some(asset) = world.asset_at(ordinal) else { return BTreeSet::new() };
    let now = asset.stances();
    let before = dirty.before.get(&ordinal).and_then(Option::as_deref).unwrap_or_default();
    let changed = only_in(now, before).chain(only_in(before, now));
    // Of what nothing follows nothing followed before, unless a directive is about it: of the first report none is.
    let stood = |package: &str| world.standing.get_by(package).is_some();
    let packages = changed.filter_map(|id| {
        let follows = world.index.follows(id);
        if before.is_empty() && !follows {
            return None;
        }
        let package = &world.index.entry(id)?.stance.package;
        (follows || stood(package)).then(|| package.clone())
    });
    let mut packages: BTreeSet<String> = packages.collect();
    let begun = asset.begun.iter().filter_map(|id| world.directive(id));
    packages.extend(begun.map(|state| state.source().name.clone()));
    packages
}
