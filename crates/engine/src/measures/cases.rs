//! The open cases of a directive: since when each is open, and where its time has gone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenon_model::{AssetOrdinal, AssetSet, Stage};

use super::day::Step;
use super::{between, hour};

/// Where the time of one case has gone so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Path {
    /// Where it is; `None` while it is proposed.
    pub(crate) at: Option<Step>,
    /// Since which second.
    pub(crate) entered: i64,
    /// Seconds in each step before.
    pub(crate) spent: [u32; Step::ALL.len()],
}

impl Path {
    /// A case that was proposed and nothing else.
    pub(crate) fn new(since: i64) -> Self {
        Self { at: None, entered: since, spent: [0; Step::ALL.len()] }
    }

    /// It leaves where it is. `observing` of a proposed case's seconds its group could not act.
    pub(crate) fn leave(&mut self, now: i64, observing: u32) {
        let mut spend = |step: Step, seconds: u32| {
            let spent = &mut self.spent[step.place()];
            *spent = spent.saturating_add(seconds);
        };
        let all = between(self.entered, now);
        match self.at {
            Some(step) => spend(step, all),
            None => {
                spend(Step::Promotion, observing.min(all));
                spend(Step::Queue, all.saturating_sub(observing));
            }
        }
        self.entered = now;
    }
}

/// The step of a stage between proposed and done; `None` for those two.
pub(crate) fn step_of(stage: &Stage) -> Option<Step> {
    match stage {
        Stage::Proposed | Stage::Verified | Stage::FixedOtherwise => None,
        Stage::Rehearsing { .. } => Some(Step::Rehearsal),
        Stage::AwaitingApproval { .. } => Some(Step::Approval),
        Stage::Approved { .. } => Some(Step::Turn),
        Stage::Applying { .. } => Some(Step::Change),
        Stage::Applied { .. } => Some(Step::Confirmation),
        Stage::NeedsPerson { .. } | Stage::RolledBack { .. } | Stage::Failed { .. } => Some(Step::Stop),
    }
}

/// The open cases of a directive.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Cases {
    /// The assets by the second since when, ascending; no asset is in two of these. Those that join later than the directive was
    /// raised are open since the hour in which they did, so that there are few.
    since: Vec<(i64, AssetSet)>,
    /// All of these: every change asks for a few of them, and there may be thousands of hours. Follows from them.
    #[serde(skip)]
    all: AssetSet,
    /// Where they are further than proposed, or were.
    pub(crate) paths: BTreeMap<AssetOrdinal, Path>,
    /// When the first of its hosts was rehearsed, approved, changed.
    pub(crate) milestones: [Option<i64>; 3],
}

/// Since when an asset is counted that joins now a directive that was raised then.
pub(crate) fn counted_since(raised: i64, now: i64) -> i64 {
    hour(now).max(raised)
}

impl Cases {
    /// The assets of the open cases, by since when they are open.
    pub(crate) fn since(&self) -> impl Iterator<Item = (i64, &AssetSet)> {
        self.since.iter().map(|(since, assets)| (*since, assets))
    }

    /// The assets of all of them.
    pub(crate) fn assets(&self) -> &AssetSet {
        &self.all
    }

    /// How many are open.
    pub(crate) fn len(&self) -> u64 {
        self.all.len()
    }

    /// Works out anew what follows.
    pub(crate) fn recount(&mut self) {
        self.all = AssetSet::union(self.since().map(|(_, assets)| assets));
    }

    /// Since when a case is open.
    pub(crate) fn open_since(&self, asset: AssetOrdinal) -> Option<i64> {
        self.all.contains(asset).then_some(())?;
        self.since().find(|(_, assets)| assets.contains(asset)).map(|(since, _)| since)
    }

    /// Assets of which none is open are open since a second.
    pub(crate) fn open(&mut self, since: i64, assets: &AssetSet) {
        self.all.extend(assets);
        match self.since.binary_search_by_key(&since, |(since, _)| *since) {
            Ok(place) => self.since[place].1.extend(assets),
            Err(place) => self.since.insert(place, (since, assets.clone())),
        }
    }

    /// Takes assets out, and tells them by since when they were open.
    pub(crate) fn take(&mut self, assets: &AssetSet) -> Vec<(i64, AssetSet)> {
        let mut taken = Vec::new();
        let mut rest = self.all.intersect(assets);
        self.all.subtract(&rest);
        for (since, open) in &mut self.since {
            if rest.is_empty() {
                break;
            }
            let of_these = rest.intersect(open);
            if !of_these.is_empty() {
                open.subtract(&of_these);
                rest.subtract(&of_these);
                taken.push((*since, of_these));
            }
        }
        self.since.retain(|(_, open)| !open.is_empty());
        taken
    }
}
