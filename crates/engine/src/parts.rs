//! What a part of the estate loses if nothing is done: a service, a team, a zone.

use tenon_model::{AssetSet, RiskPoints, ServiceName, TeamName, ZoneName};

use crate::context::{Effective, Sourced};
use crate::priority::{Reasons, at_stake};
use crate::queue::Sum;
use crate::world::World;

/// A part of the estate, as people state it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// What carries a service.
    Service(ServiceName),
    /// What a team owns.
    Team(TeamName),
    /// What stands in a zone.
    Zone(ZoneName),
}

impl Part {
    fn holds(&self, said: &Effective) -> bool {
        fn is<T: PartialEq>(known: Option<&Sourced<T>>, wanted: &T) -> bool {
            known.is_some_and(|known| known.value == *wanted)
        }
        match self {
            Self::Service(service) => said.services.contains(service),
            Self::Team(team) => is(said.team.as_ref(), team),
            Self::Zone(zone) => is(said.zone.as_ref(), zone),
        }
    }
}

impl World {
    /// The assets of a part that are not retired. Of a million it takes seconds to ask what is said of each.
    pub fn assets_of_part(&self, part: &Part) -> AssetSet {
        let of = self.live_assets().filter(|(_, asset)| part.holds(&self.effective(asset)));
        of.filter_map(|(id, _)| self.ordinal(id)).collect()
    }

    /// What the open directives remove on these assets together. What they remove on all assets is the sum of what they remove on
    /// each, so that parts which share no asset add up.
    pub fn expected_loss(&self, assets: &AssetSet) -> Sum {
        let mut sum = Sum::default();
        for (_, state) in self.open_directives() {
            let here = state.wanting().intersect(assets);
            if here.is_empty() {
                continue;
            }
            let reasons = Reasons::from(&state.directive);
            let attacks = self.attacks(reasons.counted(), |id| state.wanting_for(id).intersect(&here));
            let bearings = self.assets.bearings(&here);
            let package = Some(state.source().name.as_str());
            let loss = at_stake(self, package, reasons, &bearings, &attacks).removes;
            sum.directives += 1;
            sum.assets = sum.assets.saturating_add(here.len());
            sum.removes = RiskPoints(sum.removes.0.saturating_add(loss.0));
        }
        sum
    }
}
