//! The exact value, by trying every combination of exploits and beginnings, lies between the bounds.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tenon_reach::{ClassId, Finding, Network, Part, Vector, ZoneId};

use crate::lab::{Draw, network, quarters, remote, rule};

/// What an attacker has when these exploits work and attacks begin in these zones: the definition of the graph, once more
/// and the slow way.
struct Case<'n> {
    network: &'n Network,
    /// Which findings work, by class and place.
    works: BTreeSet<(ClassId, usize)>,
    zones: BTreeSet<ZoneId>,
}

impl Case<'_> {
    fn grow(&mut self) {
        loop {
            let known = self.zones.len();
            let flows: Vec<_> =
                self.network.flows().map(|(from, to, rules)| (from, to, rules.clone())).collect();
            for (from, to, rules) in flows {
                let taken = self.findings(to).any(|(_, finding, works)| {
                    let allowed = finding.listens.iter().any(|service| {
                        rules.iter().any(|rule| {
                            rule.protocol.allows(service.protocol)
                                && rule.ports.iter().any(|ports| ports.contains(service.port))
                        })
                    });
                    works && remote_alone(finding) && allowed
                });
                if self.zones.contains(&from) && taken {
                    self.zones.insert(to);
                }
            }
            if self.zones.len() == known {
                return;
            }
        }
    }

    fn findings(&self, zone: ZoneId) -> impl Iterator<Item = (ClassId, &Finding, bool)> {
        let classes = (0..).zip(self.network.classes(zone));
        classes.flat_map(move |(place, class)| {
            let id = ClassId { zone, place };
            class
                .findings
                .iter()
                .enumerate()
                .map(move |(at, finding)| (id, finding, self.works.contains(&(id, at))))
        })
    }

    fn foothold(&self, class: ClassId) -> bool {
        self.findings(class.zone).any(|(id, finding, works)| {
            let first = finding.vector != Vector::Local && !finding.privileges;
            id == class && works && first && self.delivered(class, finding)
        })
    }

    fn delivered(&self, class: ClassId, finding: &Finding) -> bool {
        if finding.vector == Vector::Local || finding.privileges {
            return self.foothold(class);
        }
        let over = self.network.flows().any(|(from, to, rules)| {
            to == class.zone
                && self.zones.contains(&from)
                && finding.listens.iter().any(|service| {
                    rules.iter().any(|rule| {
                        rule.protocol.allows(service.protocol)
                            && rule.ports.iter().any(|ports| ports.contains(service.port))
                    })
                })
        });
        self.zones.contains(&class.zone) || (remote_alone(finding) && over)
    }
}

fn remote_alone(finding: &Finding) -> bool {
    finding.vector == Vector::Network && !finding.privileges && !finding.interaction
}

/// An exploit that works, or a beginning of attacks in a zone, with its quarters.
type Chance = (Option<(ClassId, usize)>, ZoneId, u64);

/// Everything that happens by chance.
fn events(network: &Network, entries: &[u64]) -> Vec<Chance> {
    let mut events = Vec::new();
    for zone in (0..).map(ZoneId).take(network.zone_count()) {
        if entries[zone.0 as usize] > 0 {
            events.push((None, zone, entries[zone.0 as usize]));
        }
        for (place, class) in (0..).zip(network.classes(zone)) {
            for (at, finding) in class.findings.iter().enumerate() {
                let id = ClassId { zone, place };
                events.push((Some((id, at)), zone, u64::from(finding.threat.ppm()) / 250_000));
            }
        }
    }
    events
}

/// Parts per billion of the exact probability, for every zone, foothold and delivery, in the order of [`bounds`].
fn exact(network: &Network, entries: &[u64]) -> Vec<u128> {
    let events = events(network, entries);
    let mut sums: Vec<u128> = Vec::new();
    for mask in 0_u32..1 << events.len() {
        let mut weight = 1_u128;
        let mut case = Case { network, works: BTreeSet::new(), zones: BTreeSet::new() };
        for (at, (exploit, zone, quarters)) in events.iter().enumerate() {
            let on = mask >> at & 1 == 1;
            weight *= u128::from(if on { *quarters } else { 4 - quarters });
            match exploit {
                Some(exploit) if on => drop(case.works.insert(*exploit)),
                None if on => drop(case.zones.insert(*zone)),
                _ => {}
            }
        }
        if weight == 0 {
            continue;
        }
        case.grow();
        let mut holds: Vec<bool> = Vec::new();
        for zone in (0..).map(ZoneId).take(network.zone_count()) {
            holds.push(case.zones.contains(&zone));
            for (place, class) in (0..).zip(network.classes(zone)) {
                let id = ClassId { zone, place };
                holds.push(case.foothold(id));
                holds.extend(class.findings.iter().map(|finding| case.delivered(id, finding)));
            }
        }
        sums.resize(holds.len(), 0);
        for (sum, holds) in sums.iter_mut().zip(holds) {
            *sum += if holds { weight } else { 0 };
        }
    }
    let all = 4_u128.pow(u32::try_from(events.len()).unwrap());
    sums.into_iter().map(|sum| sum * 1_000_000_000 / all).collect()
}

fn bounds(network: &Network) -> Vec<(Part, Part)> {
    let reach = network.solve();
    let mut bounds = Vec::new();
    for zone in (0..).map(ZoneId).take(network.zone_count()) {
        bounds.push(reach.zone(zone));
        for (place, class) in (0..).zip(network.classes(zone)) {
            let id = ClassId { zone, place };
            bounds.push(reach.foothold(network, id));
            bounds.extend(class.findings.iter().map(|finding| reach.delivered(network, id, finding)));
        }
    }
    bounds.into_iter().map(|bounds| (bounds.best, bounds.union)).collect()
}

/// Where attacks begin in a drawn network.
fn entries(network: &mut Network, draw: &mut Draw) -> Vec<u64> {
    let count = network.zone_count();
    let entries: Vec<u64> = (0..count)
        .map(|at| {
            if at == 0 {
                1 + draw.below(4)
            } else if draw.one_in(4) {
                draw.below(4)
            } else {
                0
            }
        })
        .collect();
    for (zone, entry) in (0..).map(ZoneId).zip(&entries) {
        network.set_entry(zone, quarters(*entry)).unwrap();
    }
    entries
}

/// The bounds are no empty words: most often they meet the exact value or come near it.
#[test]
fn the_bounds_are_near() {
    let (mut possible, mut met, mut apart) = (0_u32, 0_u32, 0_u128);
    for seed in 0..300 {
        let mut draw = Draw(seed);
        let mut network = network(&mut draw, 5, 7);
        let entries = entries(&mut network, &mut draw);
        for (exact, (best, union)) in exact(&network, &entries).into_iter().zip(bounds(&network)) {
            let (best, union) = (u128::from(best.ppb()), u128::from(union.ppb()));
            possible += u32::from(exact > 0);
            met += u32::from(exact > 0 && (union - best) <= 10);
            apart = apart.max(union - exact);
            assert_eq!(exact > 0, best > 0, "what is possible has a path");
        }
    }
    println!(
        "measured: reach: {possible} possible values, on {met} of them both bounds meet; the union is at most {} points of a hundred above",
        apart / 10_000_000
    );
    assert!(possible > 1_000 && met * 2 > possible, "{met} of {possible}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Zones and classes are at most eight nodes together with their exploits.
    #[test]
    fn the_exact_value_lies_between_the_bounds(seed in any::<u64>(), zones in 1_u32..=5, findings in 0_u64..=6) {
        let mut draw = Draw(seed);
        let mut network = network(&mut draw, zones, findings);
        let entries = entries(&mut network, &mut draw);
        let exact = exact(&network, &entries);
        let bounds = bounds(&network);
        prop_assert_eq!(exact.len(), bounds.len());
        for (exact, (best, union)) in exact.into_iter().zip(bounds) {
            prop_assert!(u128::from(best.ppb()) <= exact, "best {} exact {exact}", best.ppb());
            // The exact value is rounded down.
            prop_assert!(exact <= u128::from(union.ppb()), "exact {exact} union {}", union.ppb());
        }
    }

    /// Where there is one way only, the bounds meet.
    #[test]
    fn on_a_chain_the_bounds_are_exact(threats in prop::collection::vec(1_u64..=4, 1..7), entry in 1_u64..=4) {
        let mut network = Network::default();
        let first = network.add_zone(quarters(entry), Vec::new());
        let mut before = first;
        for threat in &threats {
            let class = tenon_reach::Class { hosts: 1, value: 1, findings: vec![remote(22, *threat)] };
            let zone = network.add_zone(quarters(0), vec![class]);
            network.set_flow(before, zone, BTreeSet::from([rule(&[22])])).unwrap();
            // The way back gains nothing.
            network.set_flow(zone, before, BTreeSet::from([rule(&[22])])).unwrap();
            before = zone;
        }
        let product: u64 = threats.iter().product::<u64>() * entry;
        let all = 4_u64.pow(u32::try_from(threats.len()).unwrap() + 1);
        let exact = 1_000_000_000 * u128::from(product) / u128::from(all);
        let reach = network.solve();
        let found = reach.zone(before);
        let near = |part: Part| u128::from(part.ppb()).abs_diff(exact) <= 10;
        prop_assert!(near(found.best) && near(found.union), "{found:?} {exact}");
        prop_assert_eq!(reach.path(before).len(), threats.len());
    }
}
