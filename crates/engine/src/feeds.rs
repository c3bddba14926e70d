//! What feeds bring, and how it changes the World.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenon_model::{AdvisoryDelta, Epss, IntelDelta, Profile, Timestamp, VulnerabilityId};

use crate::world::{KnownAdvisory, PackageKey, World};

impl World {
    pub(crate) fn change_advisories(&mut self, delta: AdvisoryDelta, now: Timestamp) {
        for id in &delta.withdrawn {
            self.forget_advisory(id);
        }
        for advisory in delta.published {
            let known = self.advisories.get(&advisory.id).map_or(now, |known| known.known);
            self.forget_advisory(&advisory.id);
            for affected in &advisory.affected {
                self.advisories_of
                    .entry(PackageKey::from(affected), BTreeSet::new)
                    .insert(advisory.id.clone());
            }
            self.advisories
                .insert(advisory.id.clone(), KnownAdvisory { advisory: Arc::new(advisory), known });
        }
    }

    fn forget_advisory(&mut self, id: &VulnerabilityId) {
        let Some(known) = self.advisories.remove(id) else { return };
        for affected in &known.advisory.affected {
            let key = PackageKey::from(affected);
            if let Some(ids) = self.advisories_of.get_mut(&key) {
                ids.remove(id);
                if ids.is_empty() {
                    self.advisories_of.remove(&key);
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
        }
    }
}
