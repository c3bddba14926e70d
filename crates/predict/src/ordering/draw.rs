//! Estates drawn from a seed.

use super::{Estate, Held, Software};
use crate::draw::hash;

/// Least hosts of an estate, and how often they are doubled at most.
const HOSTS: u32 = 20;
const DOUBLINGS: u32 = 4;
/// Least and most packages that are not everywhere, of each release.
const PACKAGES: (u32, u32) = (40, 160);
/// Least and most minutes that an update takes on a host.
const MINUTES: (u32, u32) = (5, 60);
/// Least and most of the work that comes in that can be done, in percent: there is always more than can be done.
const DONE: (u32, u32) = (15, 80);

/// Numbers drawn from a seed, one after the other.
struct Draw {
    seed: u64,
    place: u64,
}

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.place += 1;
        hash(self.seed, self.place) % end.max(1)
    }

    fn between(&mut self, (least, most): (u32, u32)) -> u32 {
        least + u32::try_from(self.below(u64::from(most - least) + 1)).unwrap_or(0)
    }
}

impl Estate {
    /// One of these packages, of two releases at most, that works for so many days. The same seed, the same estate.
    pub fn drawn(seed: u64, software: &[Software], days: u32) -> Self {
        let mut draw = Draw { seed, place: 0 };
        // As many small ones as large ones.
        let least = HOSTS << draw.between((0, DOUBLINGS));
        let hosts = draw.between((least, 2 * least));
        let releases = 1 + software.iter().map(|one| one.release).max().unwrap_or(0);
        let first = draw.below(releases as u64) as usize;
        let second = draw.below(releases as u64) as usize;
        let share = draw.between((30, 100));
        let mut held = Vec::new();
        for (release, hosts) in [(first, hosts * share / 100), (second, hosts - hosts * share / 100)] {
            let here = || software.iter().enumerate().filter(move |(_, one)| one.release == release);
            let everywhere = here().filter(|(_, one)| one.everywhere).map(|(place, _)| place);
            let mut chosen: Vec<usize> = everywhere.collect();
            let others: Vec<usize> =
                here().filter(|(_, one)| !one.everywhere).map(|(place, _)| place).collect();
            let count = draw.between(PACKAGES);
            for _ in 0..count.min(u32::try_from(others.len()).unwrap_or(u32::MAX)) {
                let one = others[draw.below(others.len() as u64) as usize];
                if !chosen.contains(&one) {
                    chosen.push(one);
                }
            }
            for place in chosen {
                // Most packages are on few hosts.
                let part = draw.between((1, 1_000));
                let some = (u64::from(hosts) * u64::from(part) * u64::from(part)).div_ceil(1_000_000);
                let some =
                    if software[place].everywhere { hosts } else { u32::try_from(some).unwrap_or(hosts) };
                let minutes = draw.between(MINUTES);
                if some > 0 {
                    held.push(Held { software: place, hosts: some, minutes });
                }
            }
        }
        let comes = |held: &Held| {
            u64::from(held.hosts) * u64::from(held.minutes) * software[held.software].updates.len() as u64
        };
        let all: u64 = held.iter().map(comes).sum();
        let done = all * u64::from(draw.between(DONE)) / 100 / u64::from(days.max(1));
        Self { hosts, held, minutes_a_day: u32::try_from(done.max(1)).unwrap_or(u32::MAX) }
    }
}
