//! How sets of assets are written, and read again.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use roaring::{MultiOps as _, RoaringBitmap};
use serde::{Deserialize, Serialize};

use super::{AssetOrdinal, AssetSet, MAX_ASSETS, PART_BITS, empty, part_of};

/// Runs up to which a set is written for people; beyond that as a bitmap.
const MAX_RUNS: usize = 512;
/// How a set begins that is written as a bitmap, in hexadecimal digits of the portable format of Roaring bitmaps.
pub(super) const BITMAP: &str = "roaring:";

/// Every part with all ordinals that it can hold: what a set has in common with one is found container by container, where
/// ordinals one by one were half of what restoring a snapshot took.
static WHOLE_PARTS: LazyLock<Vec<RoaringBitmap>> = LazyLock::new(|| {
    let whole = |part: u32| {
        let (first, mut all) = (part << PART_BITS, RoaringBitmap::new());
        all.insert_range(first..=first | ((1 << PART_BITS) - 1));
        all
    };
    (0..MAX_ASSETS >> PART_BITS).map(whole).collect()
});

impl AssetSet {
    /// The portable format of Roaring bitmaps.
    pub fn to_bytes(&self) -> Vec<u8> {
        let whole = self.parts.iter().map(Arc::as_ref).union();
        let mut bytes = Vec::with_capacity(whole.serialized_size());
        // A vector takes all that is written to it.
        let _written = whole.serialize_into(&mut bytes);
        bytes
    }

    /// A set from the portable format of Roaring bitmaps.
    ///
    /// # Errors
    /// When the bytes are none, or name an ordinal from [`MAX_ASSETS`] on.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AssetSetError> {
        let bad = || AssetSetError { text: hex::encode(bytes.iter().take(20).copied().collect::<Vec<u8>>()) };
        let whole = RoaringBitmap::deserialize_from(bytes).map_err(|_| bad())?;
        if whole.max().is_some_and(|last| last >= MAX_ASSETS) {
            return Err(bad());
        }
        let parts = whole.max().map_or(0, |last| (last >> PART_BITS) + 1);
        if parts < 2 {
            return Ok(Self { parts: (0..parts).map(|_| Arc::new(whole.clone())).collect() });
        }
        let part = |whole_part| Arc::new(&whole & whole_part);
        let parts = usize::try_from(parts).unwrap_or(usize::MAX);
        Ok(Self { parts: WHOLE_PARTS.iter().take(parts).map(part).collect() })
    }

    /// The first and last ordinal of every run.
    fn runs(&self, most: usize) -> Option<Vec<(u32, u32)>> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for AssetOrdinal(asset) in self.iter() {
            let full = runs.len() == most;
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == asset => *last = asset,
                _ if full => return None,
                _ => runs.push((asset, asset)),
            }
        }
        Some(runs)
    }
}

impl fmt::Display for AssetSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(runs) = self.runs(MAX_RUNS) else {
            let bytes = self.to_bytes();
            let mut digits = vec![0; 2 * bytes.len()];
            hex::encode_to_slice(&bytes, &mut digits).map_err(|_| fmt::Error)?;
            f.write_str(BITMAP)?;
            return f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?);
        };
        for (place, (first, last)) in runs.into_iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

/// A text that names no set of assets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no set of assets: runs as in 0-4,9 below {MAX_ASSETS}, or a bitmap, are")]
pub struct AssetSetError {
    /// Its beginning.
    text: String,
}

impl FromStr for AssetSet {
    type Err = AssetSetError;

    fn from_str(text: &str) -> Result<Self, AssetSetError> {
        let bad = || AssetSetError { text: text.chars().take(40).collect() };
        let mut parts: Vec<Arc<RoaringBitmap>> = Vec::new();
        let mut add = |first: u32, last: u32| {
            if last >= MAX_ASSETS || first > last {
                return Err(bad());
            }
            let mut from = first;
            while from <= last {
                let part = part_of(AssetOrdinal(from));
                let until = (from | ((1 << PART_BITS) - 1)).min(last);
                if parts.len() <= part {
                    parts.resize_with(part + 1, empty);
                }
                Arc::make_mut(&mut parts[part]).insert_range(from..=until);
                from = until + 1;
            }
            Ok(())
        };
        if let Some(digits) = text.strip_prefix(BITMAP) {
            let bytes = hex::decode(digits).map_err(|_| bad())?;
            return Self::from_bytes(&bytes).map_err(|_| bad());
        }
        for run in text.split(',').filter(|_| !text.is_empty()) {
            let (first, last) = run.split_once('-').unwrap_or((run, run));
            add(first.parse().map_err(|_| bad())?, last.parse().map_err(|_| bad())?)?;
        }
        Ok(Self { parts })
    }
}

crate::ids::serde_as_text!(AssetSet);
