//! What of a command is made ready beside the one thread that decides.
//!
//! A whole report is large: it is checked, sorted, written, digested and read by whoever brings it. A delta is small, and there
//! are the most of them: what it leads to is worked out likewise. What they are decided on may have gone on meanwhile, and the
//! outcome is the same as if nothing had been made ready.

use std::sync::Arc;

use tenon_model::{
    AssetId, Blob, Command, Digest, HostFacts, Inventory, InventoryDelta, InventorySum, Manifest, Refusal,
    RefusalCode, WrittenManifest,
};

use crate::change::Change;
use crate::decide::encode;
use crate::index::Index;
use crate::reading::Reading;
use crate::reports;
use crate::stance::Part;
use crate::world::World;

/// A command, with what was made ready of it.
#[derive(Debug)]
pub struct Prepared(pub(crate) Kind);

#[derive(Debug)]
pub(crate) enum Kind {
    /// Nothing is.
    Plain(Box<Command>),
    /// A whole report of an asset, and its place in the order of its reports.
    Report(AssetId, u64, Box<Report>),
    /// A delta of an asset, and its place likewise.
    Delta(AssetId, u64, Box<Change>),
}

impl From<Command> for Prepared {
    fn from(command: Command) -> Self {
        Self(Kind::Plain(Box::new(command)))
    }
}

impl Prepared {
    /// Makes ready what can be made ready of a command. The `world` is one from which the World comes that will decide it;
    /// where it is not, nothing is gained.
    ///
    /// # Errors
    /// What later Worlds would refuse as well: a report that is not new, which it stays until another run of its agent is heard,
    /// and packages that break a bound.
    pub fn on(world: &World, command: Command) -> Result<Self, Refusal> {
        let is_new = |asset, sequence| match world.asset(&asset) {
            Some(_) => reports::reporting(world, asset, sequence).map(drop),
            // By then it may be known.
            None => Ok(()),
        };
        Ok(Self(match command {
            Command::ReportInventory { asset, sequence, inventory } => {
                is_new(asset, sequence)?;
                Kind::Report(asset, sequence, Box::new(Report::new(&world.index, inventory)?))
            }
            Command::ReportDelta { asset, sequence, delta } => {
                is_new(asset, sequence)?;
                Kind::Delta(asset, sequence, Box::new(Change::new(world, asset, sequence, *delta)?))
            }
            command => return Ok(command.into()),
        }))
    }

    /// The delta in it. Whoever made it ready had best let go of it last: what one thread made is dear to free in another.
    pub fn delta(&self) -> Option<Arc<InventoryDelta>> {
        match &self.0 {
            Kind::Delta(_, _, change) => Some(change.delta.clone()),
            Kind::Plain(_) | Kind::Report(..) => None,
        }
    }

    /// Whether this only lets time pass.
    pub fn is_tick(&self) -> bool {
        matches!(&self.0, Kind::Plain(command) if matches!(**command, Command::Tick))
    }
}

/// A whole report, checked and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    manifest: Manifest,
    /// The digest of each component.
    digests: Vec<Digest>,
    facts: HostFacts,
    sum: InventorySum,
    blobs: [Blob; 2],
    reading: Option<Reading>,
}

impl Report {
    /// Checks, writes and reads it.
    pub(crate) fn new(index: &Index, inventory: Inventory) -> Result<Self, Refusal> {
        let Inventory { components, facts } = inventory;
        let familiar = index.familiar_to(&facts);
        let mut seen = Vec::new();
        let WrittenManifest { manifest, blob, digests } =
            Manifest::new_written(components, |components, written| {
                seen = familiar.find(components, written);
                seen.iter().map(|known| Some(known.as_ref()?.digest)).collect()
            })
            .map_err(|error| Refusal::new(RefusalCode::BadInventory, error.to_string()))?;
        let blobs = [Blob::new(blob), encode(&facts)?];
        let mut report = Self::of(manifest, digests, facts, blobs);
        report.reading = Some(index.read_ahead(&report, &seen));
        Ok(report)
    }

    /// As it was written.
    pub(crate) fn read(manifest: Manifest, facts: HostFacts, blobs: [Blob; 2]) -> Self {
        let digests = manifest.components().iter().map(|component| component.digest()).collect();
        Self::of(manifest, digests, facts, blobs)
    }

    fn of(manifest: Manifest, digests: Vec<Digest>, facts: HostFacts, blobs: [Blob; 2]) -> Self {
        let sum = InventorySum { packages: digests.iter().collect(), facts: facts.sum() };
        Self { manifest, digests, facts, sum, blobs, reading: None }
    }

    pub(crate) fn facts(&self) -> &HostFacts {
        &self.facts
    }

    /// All of it, as sums.
    pub(crate) fn sum(&self) -> InventorySum {
        self.sum
    }

    /// The manifest and the facts as they are written.
    pub(crate) fn blobs(&self) -> &[Blob; 2] {
        &self.blobs
    }

    pub(crate) fn manifest_digest(&self) -> Digest {
        self.blobs[0].digest()
    }

    /// The components, sorted, each with its digest.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part<'_>> + Clone {
        let digests = self.digests.iter().copied();
        self.manifest.components().iter().zip(digests).map(|(component, digest)| Part { component, digest })
    }

    /// What some World made of it.
    pub(crate) fn reading(&self) -> Option<&Reading> {
        self.reading.as_ref()
    }
}
