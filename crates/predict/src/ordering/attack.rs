//! An attacker who asks no forecast.

use std::collections::BTreeMap;

use super::Software;
use crate::draw::hash;
use crate::{Cve, Day, History, Sighting, Walk};

/// How likely a vulnerability of middling appeal is taken up on a day, in billionths.
const USUAL: u64 = 20_000;
/// How many times likelier with code that anybody can have, and with a module of a framework.
const WITH_CODE: u64 = 12;
const WITH_MODULE: u64 = 40;
/// The appeal of a vulnerability is hidden and has a long tail: so many doublings around the middle.
const DOUBLINGS: u64 = 11;

/// What attackers take up, and on which day each: by an appeal that is drawn for each attacker and stays hidden, and by whether there is
/// code for it. They know neither scores nor forecasts nor what was listed. Attacker for attacker always the same.
pub fn attacks(
    attackers: u64,
    history: &History,
    software: &[Software],
    (from, to): (Day, Day),
) -> Vec<BTreeMap<Cve, Day>> {
    let mut offered: BTreeMap<Cve, Day> = BTreeMap::new();
    for update in software.iter().flat_map(|one| &one.updates) {
        for cve in &update.closes {
            let first = offered.entry(*cve).or_insert(update.offered);
            *first = update.offered.min(*first);
        }
    }
    let mut taken = vec![BTreeMap::new(); usize::try_from(attackers).unwrap_or(0)];
    let mut walk = Walk::new(history);
    for day in (from.number()..=to.number()).map(Day::from_number) {
        let today = walk.on(day);
        for (cve, _) in offered.iter().filter(|(_, since)| **since <= day) {
            let seen = |list| today.get(*cve).is_some_and(|known| known.seen(list).is_some());
            let code = if seen(Sighting::Framework) {
                WITH_MODULE
            } else if seen(Sighting::PublicExploit) {
                WITH_CODE
            } else {
                1
            };
            let key = history.id(*cve).key();
            for (seed, taken) in (0..).zip(&mut taken) {
                let appeal = 1 << (hash(seed, key) % DOUBLINGS);
                let chance = USUAL * code * appeal / (1 << (DOUBLINGS / 2));
                let drawn = hash(seed ^ key.rotate_left(17), u64::from(day.number().unsigned_abs()));
                if drawn % 1_000_000_000 < chance {
                    taken.entry(*cve).or_insert(day);
                }
            }
        }
    }
    taken
}
