//! What cannot be seen, and how the feeds are, as people see it.

use serde::{Deserialize, Serialize};
use tenon_engine::{GapKind, World};
use tenon_model::AssetSet;
use utoipa::ToSchema;

use super::first_names;

/// A gap, and which assets have it. Never read it as "not vulnerable".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GapView {
    /// `never-reported`, `not-assessed`, `silent`, `index-stale`, `cloned`, `not-known` or `observe-only`.
    pub kind: String,
    /// The gap in words.
    pub said: String,
    /// How many assets have it.
    pub assets: u64,
    /// The first of them by name, in the order in which they enrolled, at most 20.
    pub named: Vec<String>,
}

fn kind(kind: GapKind) -> &'static str {
    match kind {
        GapKind::NeverReported => "never-reported",
        GapKind::NotAssessed => "not-assessed",
        GapKind::Silent => "silent",
        GapKind::IndexStale => "index-stale",
        GapKind::Cloned => "cloned",
        GapKind::NotKnown => "not-known",
        GapKind::ObserveOnly => "observe-only",
    }
}

impl GapView {
    pub(crate) fn of(world: &World, of: GapKind, said: String, assets: &AssetSet) -> Self {
        Self { kind: kind(of).to_owned(), said, assets: assets.len(), named: first_names(world, assets) }
    }
}
