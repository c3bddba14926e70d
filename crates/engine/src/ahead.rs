//! What of a command is made ready beside the one thread that decides.
//!
//! A whole report is large: it is checked, sorted, written, digested and read by whoever brings it. What it is decided on may
//! have gone on meanwhile, and the outcome is the same as if nothing had been made ready.

use tenon_model::{
    AssetId, Blob, Command, Digest, HostFacts, Inventory, InventorySum, Manifest, Refusal, RefusalCode,
    WrittenManifest,
};

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
        let Command::ReportInventory { asset, sequence, inventory } = command else {
            return Ok(command.into());
        };
        if world.asset(&asset).is_some() {
            reports::reporting(world, asset, sequence)?;
        }
        let report = Report::new(&world.index, inventory)?;
        Ok(Self(Kind::Report(asset, sequence, Box::new(report))))
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
