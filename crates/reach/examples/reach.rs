//! Measures a network of 100,000 hosts in 500 zones: a full solution, one flow edited, one vulnerability published.
//!
//!     cargo run --release -p tenon-reach --example reach

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Instant;

use tenon_model::context::{FlowProtocol, PortRange};
use tenon_model::{Probability, Protocol};
use tenon_reach::{Class, ClassId, Finding, Network, Rule, Service, Vector, ZoneId};

const ZONES: u32 = 500;
const CLASSES: u32 = 40;
const HOSTS_OF_A_CLASS: u32 = 5;
const FINDINGS: u32 = 10;
const FLOWS_OF_A_ZONE: u32 = 20;
const PORTS: [u16; 8] = [22, 25, 53, 80, 443, 3306, 5432, 8080];

/// A stream of numbers (splitmix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) % u64::from(bound)).unwrap_or(0)
    }
}

fn finding(draw: &mut Draw) -> Finding {
    let vector = match draw.below(10) {
        0..=4 => Vector::Network,
        5 => Vector::Adjacent,
        _ => Vector::Local,
    };
    let port = PORTS[draw.below(8) as usize];
    let listens = (draw.below(2) == 0).then_some(Service { protocol: Protocol::Tcp, port });
    // Most exploits are unlikely, as EPSS has it.
    let threat = if draw.below(50) == 0 { 100_000 + draw.below(800_000) } else { draw.below(3_000) };
    Finding {
        vector,
        privileges: draw.below(3) == 0,
        interaction: draw.below(4) == 0,
        listens: listens.into_iter().collect(),
        threat: Probability::from_ppm(threat).unwrap_or(Probability::ONE),
    }
}

fn rules(draw: &mut Draw) -> BTreeSet<Rule> {
    let ports = (0..=draw.below(3)).filter_map(|_| {
        let port = PORTS[draw.below(8) as usize];
        PortRange::new(port, port)
    });
    BTreeSet::from([Rule { protocol: FlowProtocol::Tcp, ports: ports.collect() }])
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut draw = Draw(1);
    let mut network = Network::default();
    for zone in 0..ZONES {
        let classes = (0..CLASSES).map(|_| Class {
            hosts: HOSTS_OF_A_CLASS,
            value: u64::from(draw.below(100)),
            findings: (0..FINDINGS).map(|_| finding(&mut draw)).collect(),
        });
        let classes = classes.collect();
        let entry = match zone {
            0 => 1_000_000,
            1..=4 => 20_000,
            _ => 0,
        };
        network.add_zone(Probability::from_ppm(entry).unwrap_or(Probability::ONE), classes);
    }
    for from in 0..ZONES {
        for _ in 0..FLOWS_OF_A_ZONE {
            let to = draw.below(ZONES);
            if to != from {
                let rules = rules(&mut draw);
                network.set_flow(ZoneId(from), ZoneId(to), rules)?;
            }
        }
    }
    let hosts = ZONES * CLASSES * HOSTS_OF_A_CLASS;
    println!("measured: reach: {hosts} hosts, {ZONES} zones, {} edges between hosts", network.host_edges());

    let start = Instant::now();
    network.weigh_all();
    let reach = network.solve();
    let lost = reach.lost(&network);
    println!("measured: reach: full {} ms, lost {lost}", start.elapsed().as_millis());

    let start = Instant::now();
    let closed = rules(&mut draw);
    network.set_flow(ZoneId(0), ZoneId(7), closed)?;
    let edited = network.solve();
    println!("measured: reach: one flow {} ms", start.elapsed().as_millis());
    let start = Instant::now();
    let lost = edited.lost(&network);
    println!("measured: reach: what is lost, of every class {} ms, {lost}", start.elapsed().as_millis());

    let new = finding(&mut draw);
    let start = Instant::now();
    network.edit(ClassId { zone: ZoneId(9), place: 3 }, |class| class.findings.push(new))?;
    let reach = network.solve();
    println!("measured: reach: one vulnerability {} ms", start.elapsed().as_millis());

    let start = Instant::now();
    let points = network.choke_points(&reach, 10);
    println!("measured: reach: {} choke points {} ms", points.len(), start.elapsed().as_millis());
    let reached = (0..ZONES).filter(|zone| reach.zone(ZoneId(*zone)).union.ppb() > 0).count();
    println!("measured: reach: {reached} zones reached");
    Ok(())
}
