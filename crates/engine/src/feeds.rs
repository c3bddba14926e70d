//! What feeds bring, and how it changes the World.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenon_model::{
    Advisory, AdvisoryDelta, AssetOrdinal, Epss, Foreseen, IntelDelta, Profile, Timestamp, VulnerabilityId,
};

use crate::consequences::{assess, wants_of};
use crate::index::{StanceId, Tally};
use crate::world::{KnownAdvisory, PackageKey, World, count_off, count_one};

impl World {
    pub(crate) fn change_advisories(&mut self, delta: AdvisoryDelta, now: Timestamp) {
        let named = self.packages_of(&delta);
        for id in &delta.withdrawn {
            self.forget_advisory(id);
        }
        for advisory in delta.published {
            let known = self.advisories.get(&advisory.id).map_or(now, |known| known.known);
            self.forget_advisory(&advisory.id);
            for affected in &advisory.affected {
                self.name_advisory(PackageKey::from(affected), &advisory.id);
            }
            self.advisories
                .insert(advisory.id.clone(), KnownAdvisory { advisory: Arc::new(advisory), known });
        }
        self.conclude_about(&named);
    }

    /// The packages that advisories of a delta name, as they are known and as they are to be.
    pub(crate) fn packages_of(&self, delta: &AdvisoryDelta) -> BTreeSet<String> {
        let ids = delta.withdrawn.iter().chain(delta.published.iter().map(|advisory| &advisory.id));
        let before = ids.filter_map(|id| self.advisory(id));
        let affected = before.chain(&delta.published).flat_map(|advisory| &advisory.affected);
        affected.map(|affected| affected.package.clone()).collect()
    }

    /// The packages of advisories about any of these vulnerabilities.
    pub(crate) fn packages_about(&self, ids: &BTreeSet<&VulnerabilityId>) -> BTreeSet<String> {
        let about = |advisory: &&Advisory| advisory.vulnerabilities().iter().any(|id| ids.contains(id));
        let affected = self.advisories().filter(about).flat_map(|advisory| &advisory.affected);
        affected.map(|affected| affected.package.clone()).collect()
    }

    /// Works out again what follows from the stances to these packages.
    pub(crate) fn conclude_about(&mut self, packages: &BTreeSet<String>) {
        let about: BTreeSet<StanceId> =
            packages.iter().flat_map(|package| self.index.about(package)).collect();
        self.conclude(&about.into_iter().collect::<Vec<_>>());
    }

    /// Works out again who is in which stance, and what follows from each.
    pub(crate) fn conclude_all(&mut self) {
        let held =
            self.assets.by_ordinal.iter().zip(0..).map(|(asset, n)| (AssetOrdinal(n), asset.stances.clone()));
        let held: Vec<_> = held.collect();
        self.index
            .hold_anew(held.iter().flat_map(|(asset, stances)| stances.iter().map(|ids| (*asset, ids))));
        let all: Vec<StanceId> = self.index.all().map(|(id, _)| id).collect();
        self.conclude(&all);
    }

    /// Works out what follows from these stances.
    pub(crate) fn conclude(&mut self, stances: &[StanceId]) {
        for id in stances {
            if let Some(entry) = self.index.entry(*id) {
                let assessment = assess(self, &entry.stance);
                let tally = Tally {
                    open: assessment.findings.len() as u64,
                    not_assessed: assessment.not_assessed.clone(),
                };
                let wants = wants_of(&entry.stance, &assessment);
                self.index.conclude(*id, wants, Arc::new(tally));
            }
        }
    }

    /// Notes that an advisory names a package.
    pub(crate) fn name_advisory(&mut self, key: PackageKey, id: &VulnerabilityId) {
        if self.advisories_of.get(&key).is_none() {
            count_one(&mut self.ecosystems, &key.ecosystem);
        }
        self.advisories_of.entry(key, BTreeSet::new).insert(id.clone());
    }

    fn forget_advisory(&mut self, id: &VulnerabilityId) {
        let Some(known) = self.advisories.remove(id) else { return };
        for affected in &known.advisory.affected {
            let key = PackageKey::from(affected);
            if let Some(ids) = self.advisories_of.get_mut(&key) {
                ids.remove(id);
                if ids.is_empty() {
                    self.advisories_of.remove(&key);
                    count_off(&mut self.ecosystems, &key.ecosystem);
                }
            }
        }
    }

    pub(crate) fn change_intel(&mut self, delta: IntelDelta) {
        match delta {
            IntelDelta::Kev { listed, retracted } => {
                for (id, kev) in listed {
                    Arc::make_mut(self.intel.entry(id, Arc::default)).kev = Some(kev);
                }
                for id in retracted {
                    Arc::make_mut(self.intel.entry(id, Arc::default)).kev = None;
                }
            }
            IntelDelta::Epss { model, scored, scores, dropped } => {
                for (id, score) in scores {
                    let epss = Epss { score, model: model.clone(), scored };
                    Arc::make_mut(self.intel.entry(id, Arc::default)).epss = Some(epss);
                }
                for id in dropped {
                    Arc::make_mut(self.intel.entry(id, Arc::default)).epss = None;
                }
            }
            IntelDelta::Profile { stated, dropped } => {
                for (id, profile) in stated {
                    Arc::make_mut(self.intel.entry(id, Arc::default)).profile = profile;
                }
                for id in dropped {
                    Arc::make_mut(self.intel.entry(id, Arc::default)).profile = Profile::default();
                }
            }
            IntelDelta::Forecast { model, day, foreseen, dropped } => {
                for (id, probability) in foreseen {
                    let foreseen = Foreseen { probability, model: model.clone(), day };
                    Arc::make_mut(self.intel.entry(id, Arc::default)).foreseen = Some(foreseen);
                }
                for id in dropped {
                    Arc::make_mut(self.intel.entry(id, Arc::default)).foreseen = None;
                }
            }
        }
    }
}
