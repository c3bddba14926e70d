//! What a policy would have meant to a fleet, had its hosts been all along what they are now.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{Cve, CveId, Day, History, Outcomes};

/// Hours of a day.
const DAY_HOURS: u64 = 24;

/// Hosts and what is vulnerable on them. They stand still: whatever a host has now it is taken to have had from the first day, and
/// each fix to have been there when it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// How many days it takes from asking for a fix until a host has it.
    fix_days: u16,
    hosts: BTreeSet<String>,
    /// By host and package.
    held: BTreeMap<(String, String), BTreeSet<CveId>>,
}

/// How large a fleet is, and what of it was exploited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Hosts.
    pub hosts: u64,
    /// Packages on hosts that are vulnerable.
    pub packages: u64,
    /// CVEs on hosts.
    pub findings: u64,
    /// Different CVEs.
    pub cves: u64,
    /// Days from asking for a fix until a host has it.
    pub fix_days: u16,
}

/// What a policy would have meant to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Spared {
    /// Updates of one package on one host. Each closes all of its CVEs that were public when it was asked for.
    pub changes: u64,
    /// CVEs on hosts that were listed on a day of the replay, or between two.
    pub exploited: u64,
    /// Of those the ones that were fixed by the day of their listing.
    pub ahead: u64,
    /// Hours from the listing until the fix, of all that were exploited.
    pub exposed_hours: u64,
}

/// CVEs of one package as some hosts have them.
type Alike = BTreeMap<Vec<Cve>, u64>;

/// A fleet in a history, while days pass.
#[derive(Debug)]
pub(super) struct Watched<'f> {
    fleet: &'f Fleet,
    alike: Alike,
    cves: BTreeSet<Cve>,
    /// Since when each of them is public.
    named: BTreeMap<Cve, Day>,
    /// What was listed before the first day: of no interest any more.
    old: BTreeSet<Cve>,
    days: Option<(Day, Day)>,
}

impl Fleet {
    /// One without hosts, in which a fix takes so many days.
    pub fn new(fix_days: u16) -> Self {
        Self { fix_days, hosts: BTreeSet::new(), held: BTreeMap::new() }
    }

    /// A host, whether or not anything is vulnerable on it. `false` if it is there already.
    pub fn add(&mut self, host: &str) -> bool {
        self.hosts.insert(host.to_owned())
    }

    /// A CVE of a package of a host.
    pub fn find(&mut self, host: &str, package: &str, cve: CveId) {
        self.held.entry((host.to_owned(), package.to_owned())).or_default().insert(cve);
    }

    /// How large it is.
    pub fn size(&self) -> Size {
        let cves: BTreeSet<&CveId> = self.held.values().flatten().collect();
        Size {
            hosts: self.hosts.len() as u64,
            packages: self.held.len() as u64,
            findings: self.held.values().map(|cves| cves.len() as u64).sum(),
            cves: cves.len() as u64,
            fix_days: self.fix_days,
        }
    }
}

impl<'f> Watched<'f> {
    /// CVEs that history does not know were never listed, and nothing is asked of them.
    pub(super) fn new(fleet: &'f Fleet, history: &History) -> Self {
        let mut alike = Alike::new();
        for cves in fleet.held.values() {
            let known: Vec<Cve> = cves.iter().filter_map(|id| history.find(*id)).collect();
            *alike.entry(known).or_default() += 1;
        }
        let cves = alike.keys().flatten().copied().collect();
        Self { fleet, alike, cves, named: BTreeMap::new(), old: BTreeSet::new(), days: None }
    }

    /// What is known of its CVEs when a day ended.
    pub(super) fn on(&mut self, day: Day, known: impl Fn(Cve) -> Option<crate::Known>) {
        let is_first = self.days.is_none();
        self.days = Some((self.days.map_or(day, |(first, _)| first), day));
        for cve in &self.cves {
            let Some(known) = known(*cve) else { continue };
            self.named.entry(*cve).or_insert_with(|| known.first_named());
            if is_first && known.is_listed() {
                self.old.insert(*cve);
            }
        }
    }

    /// Of what a policy flags on a day that which is new in this fleet.
    pub(super) fn ask(&self, asked: &mut BTreeMap<Cve, Day>, day: Day, flagged: &[Cve]) {
        for cve in flagged.iter().filter(|cve| self.cves.contains(*cve)) {
            asked.entry(*cve).or_insert(day);
        }
    }

    /// What came of it. Whatever the policy, nobody lets lie what is listed: its fix is asked for on that day at the latest.
    pub(super) fn spared(&self, asked: &BTreeMap<Cve, Day>, outcomes: &Outcomes) -> Spared {
        let Some((first, last)) = self.days else { return Spared::default() };
        let mut listed: BTreeMap<Cve, Day> = BTreeMap::new();
        for (cve, day) in outcomes.between(first, last).filter(|(cve, _)| !self.old.contains(cve)) {
            listed.entry(cve).or_insert(day);
        }
        let mut spared = Spared::default();
        for (cves, hosts) in &self.alike {
            let mut orders: Vec<(Day, Cve)> = cves
                .iter()
                .filter(|cve| !self.old.contains(*cve))
                .filter_map(|cve| {
                    let days = [asked.get(cve), listed.get(cve)].into_iter().flatten();
                    Some((*days.min()?, *cve))
                })
                .collect();
            orders.sort_unstable();
            let mut done: BTreeMap<Cve, Day> = BTreeMap::new();
            for (ordered, cve) in orders {
                if done.contains_key(&cve) {
                    continue;
                }
                spared.changes += hosts;
                let public = |other: &&Cve| {
                    **other == cve || self.named.get(*other).is_some_and(|named| *named <= ordered)
                };
                for closed in cves.iter().filter(public) {
                    done.entry(*closed).or_insert_with(|| ordered.plus(i32::from(self.fleet.fix_days)));
                }
            }
            for (cve, exploited) in cves.iter().filter_map(|cve| Some((cve, listed.get(cve)?))) {
                let days = done.get(cve).map_or(0, |done| done.since(*exploited));
                let days = u64::try_from(days).unwrap_or(0);
                spared.exploited += hosts;
                spared.ahead += if days == 0 { *hosts } else { 0 };
                spared.exposed_hours += days * DAY_HOURS * hosts;
            }
        }
        spared
    }
}
