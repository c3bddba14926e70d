//! Networks drawn from numbers.

use std::collections::BTreeSet;

use tenon_model::context::{FlowProtocol, PortRange};
use tenon_model::{Probability, Protocol};
use tenon_reach::{Class, Finding, Network, Rule, Service, Vector, ZoneId};

/// Ports that are drawn.
const PORTS: [u16; 3] = [22, 80, 443];

/// A stream of numbers (splitmix64).
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// Quarters, so that exact values are whole numbers of powers of four.
pub(crate) fn quarters(quarters: u64) -> Probability {
    Probability::from_ppm(u32::try_from(quarters).unwrap() * 250_000).unwrap()
}

pub(crate) fn service(port: u16) -> Service {
    Service { protocol: Protocol::Tcp, port }
}

pub(crate) fn rule(ports: &[u16]) -> Rule {
    let ports = ports.iter().map(|port| PortRange::new(*port, *port).unwrap()).collect();
    Rule { protocol: FlowProtocol::Tcp, ports }
}

pub(crate) fn remote(port: u16, threat: u64) -> Finding {
    Finding {
        vector: Vector::Network,
        privileges: false,
        interaction: false,
        listens: BTreeSet::from([service(port)]),
        threat: quarters(threat),
    }
}

pub(crate) fn finding(draw: &mut Draw) -> Finding {
    let vector = match draw.below(6) {
        0 => Vector::Adjacent,
        1 => Vector::Local,
        _ => Vector::Network,
    };
    let mut listens = BTreeSet::new();
    for _ in 0..draw.below(3) {
        listens.insert(service(PORTS[draw.below(3) as usize]));
    }
    let threat = quarters(1 + draw.below(4));
    Finding { vector, privileges: draw.one_in(5), interaction: draw.one_in(5), listens, threat }
}

pub(crate) fn rules(draw: &mut Draw) -> BTreeSet<Rule> {
    let ports: BTreeSet<u16> = (0..draw.below(3)).map(|_| PORTS[draw.below(3) as usize]).collect();
    if ports.is_empty() {
        BTreeSet::new()
    } else {
        BTreeSet::from([rule(&ports.into_iter().collect::<Vec<_>>())])
    }
}

/// A network of so many zones, with a class or two in each and so many findings in all.
pub(crate) fn network(draw: &mut Draw, zones: u32, findings: u64) -> Network {
    let mut classes: Vec<Vec<Class>> = (0..zones)
        .map(|_| {
            let class = |_| Class { hosts: 3, value: 10, findings: Vec::new() };
            (0..=draw.below(2)).map(class).collect()
        })
        .collect();
    for _ in 0..findings {
        let zone = draw.below(u64::from(zones)) as usize;
        let place = draw.below(classes[zone].len() as u64) as usize;
        let finding = finding(draw);
        classes[zone][place].findings.push(finding);
    }
    let mut network = Network::default();
    for (at, classes) in classes.into_iter().enumerate() {
        // One beginning for certain, another perhaps.
        let entry = match at {
            0 => quarters(1 + draw.below(4)),
            _ => quarters(if draw.one_in(4) { draw.below(4) } else { 0 }),
        };
        network.add_zone(entry, classes);
    }
    for from in 0..zones {
        for to in (0..zones).filter(|to| *to != from) {
            if draw.one_in(2) {
                let rules = rules(draw);
                network.set_flow(ZoneId(from), ZoneId(to), rules).unwrap();
            }
        }
    }
    network
}
