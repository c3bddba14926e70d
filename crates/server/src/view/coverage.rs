//! What cannot be seen, and how the feeds are, as people see it.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use tenon_engine::{GapKind, World};
use tenon_model::{AssetSet, Timestamp};
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
    /// Every gap, the gravest kinds first and of each what most assets have; and of how many assets something is not known.
    pub(crate) fn all(world: &World, now: Timestamp) -> (Vec<(GapKind, String, AssetSet)>, u64) {
        let gaps = world.gaps(now);
        let mut all: Vec<_> =
            gaps.gaps.into_iter().map(|((kind, said), assets)| (kind, said, assets)).collect();
        all.sort_by(|(a, said, few), (b, other, many)| {
            (a, Reverse(few.len()), said).cmp(&(b, Reverse(many.len()), other))
        });
        (all, gaps.not_whole.len())
    }

    pub(crate) fn of(world: &World, of: GapKind, said: String, assets: &AssetSet) -> Self {
        Self { kind: kind(of).to_owned(), said, assets: assets.len(), named: first_names(world, assets) }
    }
}
