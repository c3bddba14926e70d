//! From weights to bounds: the likeliest path by a search, the union of all ways by bounded unrolling.

use std::collections::{BTreeMap, BinaryHeap};

use crate::network::{Best, Weight};
use crate::{ClassId, Finding, Network, Part, Vector, ZoneId};

/// Between these lies the exact probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Bounds {
    /// Of the likeliest single way, rounded down: not less likely than this.
    pub best: Part,
    /// Of all ways together, rounded up: not more likely than this.
    pub union: Part,
}

/// One step of a path: a host of a class is taken from another zone by one of its vulnerabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Where the attacker is.
    pub from: ZoneId,
    /// The class of which a host is taken.
    pub class: ClassId,
    /// The place of the vulnerability among those of the class.
    pub finding: u32,
}

/// What a network comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Whether an attacker is in a zone.
    zones: Vec<Bounds>,
    /// The last step of the likeliest path into each zone; none where attacks begin.
    last: Vec<Option<Step>>,
    /// By zone and the zone of a flow into it: whether the attacker is in the latter without having come through the former.
    without: BTreeMap<(ZoneId, ZoneId), Part>,
}

/// The flows of weight into each zone, and where attacks begin.
struct Graph {
    into: Vec<Vec<(usize, Weight)>>,
    entries: Vec<(usize, Part)>,
}

impl Network {
    /// Solves for all places where attacks begin.
    pub fn solve(&self) -> Reach {
        self.solve_from(self.entries().map(|(zone, entry)| (zone.0 as usize, entry)).collect())
    }

    /// Solves as if an attacker were in one zone for certain, and nowhere else: what becomes reachable from there.
    pub fn solve_within(&self, zone: ZoneId) -> Reach {
        self.solve_from(vec![(zone.0 as usize, Part::ONE)])
    }

    fn solve_from(&self, entries: Vec<(usize, Part)>) -> Reach {
        let mut graph = Graph { into: vec![Vec::new(); self.zone_count()], entries };
        for ((from, to), weight) in self.weights() {
            graph.into[to.0 as usize].push((from.0 as usize, *weight));
        }
        graph.entries.retain(|(zone, _)| *zone < graph.into.len());
        let (best, last) = graph.best();
        let (union, without) = graph.union();
        let zones = best.into_iter().zip(union).map(|(best, union)| Bounds { best, union }).collect();
        let mut named = BTreeMap::new();
        for (to, into) in graph.into.iter().enumerate() {
            for (at, (from, _)) in into.iter().enumerate() {
                named.insert((id(to), id(*from)), without[to][at]);
            }
        }
        Reach { zones, last, without: named }
    }
}

fn id(zone: usize) -> ZoneId {
    ZoneId(u32::try_from(zone).unwrap_or(u32::MAX))
}

impl Graph {
    /// The likeliest path into each zone (Dijkstra: no step makes a path likelier), with its last step.
    fn best(&self) -> (Vec<Part>, Vec<Option<Step>>) {
        let mut out: Vec<Vec<(usize, Best)>> = vec![Vec::new(); self.into.len()];
        for (to, into) in self.into.iter().enumerate() {
            for (from, weight) in into {
                out[*from].push((to, weight.best));
            }
        }
        let mut best = vec![Part::ZERO; self.into.len()];
        let mut last = vec![None; self.into.len()];
        let mut open: BinaryHeap<(Part, std::cmp::Reverse<usize>)> = BinaryHeap::new();
        for (zone, entry) in &self.entries {
            best[*zone] = best[*zone].max(*entry);
            open.push((*entry, std::cmp::Reverse(*zone)));
        }
        while let Some((known, std::cmp::Reverse(from))) = open.pop() {
            if known < best[from] {
                continue;
            }
            for (to, exploit) in &out[from] {
                let then = known.and_down(exploit.threat);
                if then > best[*to] {
                    best[*to] = then;
                    let class = ClassId { zone: id(*to), place: exploit.class };
                    last[*to] = Some(Step { from: id(from), class, finding: exploit.finding });
                    open.push((then, std::cmp::Reverse(*to)));
                }
            }
        }
        (best, last)
    }

    /// The union over all ways, each beginning of attacks solved alone: for each zone, and for each flow of the zone before
    /// it, without ways through the zone it leads to.
    fn union(&self) -> (Vec<Part>, Vec<Vec<Part>>) {
        let mut union = vec![Part::ZERO; self.into.len()];
        let mut without: Vec<Vec<Part>> = self.into.iter().map(|into| vec![Part::ZERO; into.len()]).collect();
        // Where a flow goes back, the place of that other flow among those into its zone.
        let back: Vec<Vec<Option<usize>>> = self
            .into
            .iter()
            .enumerate()
            .map(|(to, into)| {
                let place = |(from, _): &(usize, Weight)| {
                    self.into[*from].iter().position(|(source, _)| *source == to)
                };
                into.iter().map(place).collect()
            })
            .collect();
        for (entry, prior) in &self.entries {
            let (zones, flows) = self.unroll(*entry, &back);
            for (all, one) in union.iter_mut().zip(zones) {
                *all = all.or_up(prior.and_up(one));
            }
            for (all, one) in without.iter_mut().flatten().zip(flows.into_iter().flatten()) {
                *all = all.or_up(prior.and_up(one));
            }
        }
        (union, without)
    }

    /// Whether an attacker who begins in `entry` is in each zone within as many steps as there are zones.
    fn unroll(&self, entry: usize, back: &[Vec<Option<usize>>]) -> (Vec<Part>, Vec<Vec<Part>>) {
        // Of each flow: whether the attacker is in the zone it comes from, not through the zone it leads to.
        let mut flows: Vec<Vec<Part>> = self.into.iter().map(|into| vec![Part::ZERO; into.len()]).collect();
        let start = |zone: usize| if zone == entry { Part::ONE } else { Part::ZERO };
        for (to, into) in self.into.iter().enumerate() {
            for (at, (from, _)) in into.iter().enumerate() {
                flows[to][at] = start(*from);
            }
        }
        // Zones into which something new may come.
        let mut moved: Vec<bool> = (0..self.into.len()).map(|_| true).collect();
        let mut outs: Vec<Vec<(usize, usize)>> = vec![Vec::new(); self.into.len()];
        for (to, into) in self.into.iter().enumerate() {
            for (at, (from, _)) in into.iter().enumerate() {
                outs[*from].push((to, at));
            }
        }
        for _ in 0..self.into.len() {
            let mut next: Vec<(usize, usize, Part)> = Vec::new();
            for zone in (0..self.into.len()).filter(|zone| moved[*zone] && *zone != entry) {
                let ways: Vec<Part> =
                    self.into[zone].iter().zip(&flows[zone]).map(|((_, w), p)| p.and_up(w.union)).collect();
                let but = all_but_one(&ways);
                let all = ways.iter().fold(Part::ZERO, |all, way| all.or_up(*way));
                for (to, at) in &outs[zone] {
                    let through = back[*to][*at].map_or(all, |place| but[place]);
                    if through > flows[*to][*at] {
                        next.push((*to, *at, through));
                    }
                }
            }
            if next.is_empty() {
                break;
            }
            moved.fill(false);
            for (to, at, value) in next {
                flows[to][at] = value;
                moved[to] = true;
            }
        }
        let zones = (0..self.into.len()).map(|zone| {
            let ways = self.into[zone].iter().zip(&flows[zone]);
            ways.fold(start(zone), |all, ((_, weight), p)| all.or_up(p.and_up(weight.union)))
        });
        (zones.collect(), flows)
    }
}

/// For each of these, either of all others.
fn all_but_one(ways: &[Part]) -> Vec<Part> {
    let mut after = vec![Part::ZERO; ways.len() + 1];
    for at in (0..ways.len()).rev() {
        after[at] = after[at + 1].or_up(ways[at]);
    }
    let mut before = Part::ZERO;
    let mut but = Vec::with_capacity(ways.len());
    for (at, way) in ways.iter().enumerate() {
        but.push(before.or_up(after[at + 1]));
        before = before.or_up(*way);
    }
    but
}

impl Reach {
    /// Whether an attacker is in a zone.
    pub fn zone(&self, zone: ZoneId) -> Bounds {
        self.zones.get(zone.0 as usize).copied().unwrap_or_default()
    }

    /// The likeliest path into a zone, from where attacks begin; empty where they begin there, or none leads there.
    pub fn path(&self, zone: ZoneId) -> Vec<Step> {
        let mut path = Vec::new();
        let mut at = zone;
        // Paths have no circles, since no step makes one likelier.
        while let Some(step) = self.last.get(at.0 as usize).copied().flatten() {
            path.push(step);
            at = step.from;
            if path.len() > self.zones.len() {
                break;
            }
        }
        path.reverse();
        path
    }

    /// Whether an attacker can deliver an exploit of a finding to a host of its class.
    pub fn delivered(&self, network: &Network, class: ClassId, finding: &Finding) -> Bounds {
        match finding.needs_foothold() {
            true => self.foothold(network, class),
            false => self.arrives(network, class.zone, finding),
        }
    }

    /// Whether an attacker can deliver an exploit of a vulnerability that needs no foothold first to a host of a zone.
    pub fn arrives(&self, network: &Network, zone: ZoneId, finding: &Finding) -> Bounds {
        let inside = self.zone(zone);
        if finding.vector == Vector::Adjacent || finding.interaction || finding.listens.is_empty() {
            return inside;
        }
        let mut bounds = inside;
        for (from, without) in self.into(zone) {
            if network.delivers(from, zone, finding) {
                bounds.best = bounds.best.max(self.zone(from).best);
                bounds.union = bounds.union.or_up(without);
            }
        }
        bounds
    }

    /// Whether an attacker gains a foothold on a host of a class.
    pub fn foothold(&self, network: &Network, class: ClassId) -> Bounds {
        let of = network.classes(class.zone).get(class.place as usize);
        of.map(|of| self.taken(network, class.zone, &of.findings)).unwrap_or_default()
    }

    /// Whether an attacker gains a foothold on a host of a zone that is vulnerable so.
    pub fn taken(&self, network: &Network, zone: ZoneId, findings: &[Finding]) -> Bounds {
        let mut bounds = Bounds::default();
        for finding in findings.iter().filter(|finding| !finding.needs_foothold()) {
            let delivered = self.arrives(network, zone, finding);
            let threat = Part::of(finding.threat);
            // One way into the zone and the same exploit once more would count it twice on the lower side: the way in
            // may have used this very exploit, and then nothing more is needed, so the product never says too much.
            bounds.best = bounds.best.max(delivered.best.and_down(threat));
            bounds.union = bounds.union.or_up(delivered.union.and_up(threat));
        }
        bounds
    }

    /// Whether an attacker is in a zone who has not come there through the one to which a flow leads from it. Where nothing is
    /// taken over that flow, nobody looked who came through it: then whether one is there at all, which is not less.
    pub fn without(&self, from: ZoneId, to: ZoneId) -> Part {
        self.without.get(&(to, from)).copied().unwrap_or_else(|| self.zone(from).union)
    }

    /// Zones with flows into this one, and whether an attacker is there without having come through it.
    fn into(&self, zone: ZoneId) -> impl Iterator<Item = (ZoneId, Part)> {
        let flows = self.without.range((zone, ZoneId(0))..=(zone, ZoneId(u32::MAX)));
        flows.map(|((_, from), without)| (*from, *without))
    }

    /// What is lost to an attacker, in the unit of the classes' values: of each class the upper bound of a foothold, times
    /// hosts, times value; rounded up.
    pub fn lost(&self, network: &Network) -> u128 {
        let zones = (0_u32..).map(ZoneId).take(network.zone_count());
        zones.map(|zone| self.lost_in(network, zone)).sum()
    }

    /// What of a zone is lost, likewise.
    pub fn lost_in(&self, network: &Network, zone: ZoneId) -> u128 {
        (0_u32..)
            .take(network.classes(zone).len())
            .map(|place| self.lost_of(network, ClassId { zone, place }))
            .sum()
    }

    /// What of a class is lost, likewise.
    pub fn lost_of(&self, network: &Network, id: ClassId) -> u128 {
        let class = network.classes(id.zone).get(id.place as usize);
        let Some(class) = class.filter(|class| class.value > 0) else { return 0 };
        let union = self.foothold(network, id).union.ppb();
        let value = u128::from(class.value) * u128::from(class.hosts);
        (value * u128::from(union)).div_ceil(u128::from(Part::ONE.ppb()))
    }

    /// Into how many zones the likeliest path uses the flow from one zone to another.
    pub fn uses(&self, from: ZoneId, to: ZoneId) -> u32 {
        let zones = (0_u32..).map(ZoneId).take(self.zones.len());
        let using = zones
            .filter(|zone| self.path(*zone).iter().any(|step| (step.from, step.class.zone) == (from, to)));
        u32::try_from(using.count()).unwrap_or(u32::MAX)
    }
}
