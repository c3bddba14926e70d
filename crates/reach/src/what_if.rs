//! What would change: a flow closed, a vulnerability gone; and which flows most depends on.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Network, NetworkError, Reach, ZoneId};

/// How an edit changes what is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Before.
    pub before: u128,
    /// After.
    pub after: u128,
}

/// A flow, and what closing it would save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChokePoint {
    /// Where it comes from.
    pub from: ZoneId,
    /// Where it leads.
    pub to: ZoneId,
    /// To how many zones the likeliest path uses it.
    pub paths: u32,
    /// What is lost with it and without it.
    pub lost: Difference,
}

impl Network {
    /// What is lost now and after an edit; this network stays as it is.
    ///
    /// # Errors
    /// Those of the edit.
    pub fn what_if(
        &self,
        edit: impl FnOnce(&mut Self) -> Result<(), NetworkError>,
    ) -> Result<Difference, NetworkError> {
        let before = self.solve().lost(self);
        let mut then = self.clone();
        edit(&mut then)?;
        Ok(Difference { before, after: then.solve().lost(&then) })
    }

    /// What becomes reachable, and so is lost, once an attacker is in a zone (blast radius).
    pub fn blast(&self, zone: ZoneId) -> u128 {
        self.solve_within(zone).lost(self)
    }

    /// The flows that most likeliest paths use, at most `most` of them, each with what closing it saves; the largest savings
    /// first. Others are not tried: a flow that no likeliest path uses may still matter to the union.
    pub fn choke_points(&self, reach: &Reach, most: usize) -> Vec<ChokePoint> {
        let mut used: BTreeMap<(ZoneId, ZoneId), u32> = BTreeMap::new();
        for zone in (0_u32..).map(ZoneId).take(self.zone_count()) {
            for step in reach.path(zone) {
                *used.entry((step.from, step.class.zone)).or_default() += 1;
            }
        }
        let mut used: Vec<_> = used.into_iter().collect();
        used.sort_by_key(|(flow, paths)| (std::cmp::Reverse(*paths), *flow));
        let before = reach.lost(self);
        let tried = used.into_iter().take(most).filter_map(|((from, to), paths)| {
            let mut then = self.clone();
            then.set_flow(from, to, BTreeSet::new()).ok()?;
            let lost = Difference { before, after: then.solve().lost(&then) };
            Some(ChokePoint { from, to, paths, lost })
        });
        let mut tried: Vec<ChokePoint> = tried.collect();
        tried.sort_by_key(|point| (point.lost.after, point.from, point.to));
        tried
    }
}
