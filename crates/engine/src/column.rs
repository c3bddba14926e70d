//! Numbers of assets side by side, so that reading many of them in order is quick.

use std::sync::Arc;

use tenon_model::AssetOrdinal;

/// Numbers of one leaf: a write under a live fork copies one.
const LEAF: usize = 4_096;

/// A number for each asset, in the order of enrolment; its clone is one reference count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Column(Arc<Vec<Arc<Vec<u32>>>>);

impl Column {
    /// The number of the next asset.
    pub(crate) fn push(&mut self, number: u32) {
        let leaves = Arc::make_mut(&mut self.0);
        match leaves.last_mut() {
            Some(last) if last.len() < LEAF => Arc::make_mut(last).push(number),
            Some(_) | None => leaves.push(Arc::new(vec![number])),
        }
    }

    pub(crate) fn get(&self, asset: AssetOrdinal) -> Option<u32> {
        let place = usize::try_from(asset.0).ok()?;
        self.0.get(place / LEAF)?.get(place % LEAF).copied()
    }
}
