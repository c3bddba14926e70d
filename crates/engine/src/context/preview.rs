//! What another document would change for the assets, and what nobody states: for people, before it counts.

use std::collections::BTreeMap;

use serde::Serialize;
use tenon_model::context::{ContextDiff, Labels};
use tenon_model::{AssetId, ContextDocument, Digest};

use super::KnownContext;
use crate::world::World;

/// Most assets of one effect that are named; all are counted.
const MAX_NAMED: usize = 10;

/// One change of a field, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// The field.
    pub field: &'static str,
    /// What it was, with its source; `None` where nothing was said.
    pub from: Option<String>,
    /// What it would be, with its source.
    pub to: Option<String>,
    /// For how many assets.
    pub assets: u64,
    /// The first of them, by id, with the names they gave.
    pub named: Vec<(AssetId, String)>,
}

/// What a document would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// The version that counts now; 0 where there is none.
    pub version: u32,
    /// The difference of the documents, a line for each entry.
    pub lines: Vec<String>,
    /// What changes for assets, the most assets first.
    pub effects: Vec<Effect>,
    /// For how many assets anything changes.
    pub assets: u64,
}

/// What taking over a document would change. A value whose source alone changes is no change.
pub fn preview(world: &World, document: &ContextDocument) -> Preview {
    let none = ContextDocument::default();
    let before = world.context().map_or(&none, |known| &known.document);
    let version = world.context().map_or(0, |known| known.version);
    let lines = ContextDiff::between(before, document).lines();
    let blob = Digest::of(&[]);
    let after = KnownContext::after(world.context(), document.clone(), blob, version.saturating_add(1));
    let mut effects: BTreeMap<What, Whom> = BTreeMap::new();
    let mut changed = 0;
    for (id, asset) in world.live_assets() {
        let old = told(&world.effective(asset).fields());
        let new = told(&world.resolved(asset, Some(&after)).fields());
        let mut any = false;
        for field in Labels::FIELDS {
            let (from, to) = (old.get(field), new.get(field));
            if from.map(|(value, _)| value) == to.map(|(value, _)| value) {
                continue;
            }
            any = true;
            let words =
                |known: Option<&(String, String)>| known.map(|(value, source)| format!("{value}{source}"));
            let (count, named) = effects.entry((field, words(from), words(to))).or_default();
            *count += 1;
            if named.len() < MAX_NAMED {
                named.push((*id, asset.hostname.clone()));
            }
        }
        changed += u64::from(any);
    }
    let mut effects: Vec<Effect> = effects
        .into_iter()
        .map(|((field, from, to), (assets, named))| Effect { field, from, to, assets, named })
        .collect();
    effects.sort_by_key(|effect| std::cmp::Reverse(effect.assets));
    Preview { version, lines, effects, assets: changed }
}

/// A field, and what it was and would be.
type What = (&'static str, Option<String>, Option<String>);
/// How many assets, and the first of them.
type Whom = (u64, Vec<(AssetId, String)>);
type Fields = [(&'static str, String, Option<super::Source>)];

fn told(fields: &Fields) -> BTreeMap<&'static str, (String, String)> {
    let words = |source: &Option<super::Source>| {
        source.as_ref().map_or(String::new(), |source| format!(" ({source})"))
    };
    fields.iter().map(|(field, value, source)| (*field, (value.clone(), words(source)))).collect()
}

/// Of how many assets nobody states a field: what counts for them is derived, a default or an assumption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unstated {
    /// The field.
    pub field: &'static str,
    /// Of how many it is not stated.
    pub assets: u64,
    /// Of how many of these it is derived from the inventory.
    pub derived: u64,
    /// For how many of these a default of the document counts.
    pub by_default: u64,
    /// How many assets there are.
    pub of: u64,
}

/// What nobody states, for each field that ranks or names an owner.
pub fn unstated(world: &World) -> Vec<Unstated> {
    let fields = ["zone", "team", "environment", "sensitivity", "criticality", "exposure"];
    let of = world.asset_count() as u64;
    let mut counts: Vec<Unstated> =
        fields.map(|field| Unstated { field, assets: 0, derived: 0, by_default: 0, of }).into();
    for (_, asset) in world.live_assets() {
        let said = world.effective(asset).fields();
        for count in &mut counts {
            let source = said
                .iter()
                .find(|(field, ..)| *field == count.field)
                .and_then(|(_, _, source)| source.as_ref());
            match source {
                Some(source) if source.is_stated() => {}
                Some(super::Source::Default { .. }) => {
                    count.assets += 1;
                    count.by_default += 1;
                }
                Some(_) => {
                    count.assets += 1;
                    count.derived += 1;
                }
                None => count.assets += 1,
            }
        }
    }
    counts
}
