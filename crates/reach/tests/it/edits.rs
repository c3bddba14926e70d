//! Edits: what they touch is weighed anew, and nothing else differs from starting over.

use std::collections::BTreeSet;

use tenon_reach::{Class, ClassId, Finding, Network, Service, Vector, ZoneId};

use crate::lab::{Draw, finding, network, quarters, remote, rule, rules, service};

/// One random edit: a flow, an entry, a vulnerability that comes or goes, a service that stops.
fn edit(draw: &mut Draw, network: &mut Network, entries: &mut [u64]) {
    let zones = network.zone_count() as u64;
    let zone = ZoneId(u32::try_from(draw.below(zones)).unwrap());
    let place = u32::try_from(draw.below(network.classes(zone).len() as u64)).unwrap();
    let class = ClassId { zone, place };
    match draw.below(5) {
        0 | 1 => {
            let to = ZoneId(u32::try_from(draw.below(zones)).unwrap());
            if to != zone {
                let rules = rules(draw);
                network.set_flow(zone, to, rules).unwrap();
            }
        }
        2 => {
            let new = finding(draw);
            let full = network.classes(zone)[place as usize].findings.len() >= 4;
            let gone = draw.below(4) as usize;
            let change = |class: &mut Class| {
                if full {
                    class.findings.remove(gone);
                } else {
                    class.findings.push(new);
                }
            };
            network.edit(class, change).unwrap();
        }
        3 => {
            let port = [22, 80, 443][draw.below(3) as usize];
            network.close_service(class, service(port)).unwrap();
        }
        _ => {
            let entry = draw.below(5);
            entries[zone.0 as usize] = entry;
            network.set_entry(zone, quarters(entry)).unwrap();
        }
    }
}

/// The same network, built from nothing.
fn anew(network: &Network, entries: &[u64]) -> Network {
    let mut new = Network::default();
    for (zone, entry) in (0..).map(ZoneId).zip(entries) {
        new.add_zone(quarters(*entry), network.classes(zone).to_vec());
    }
    for (from, to, rules) in network.flows() {
        new.set_flow(from, to, rules.clone()).unwrap();
    }
    new
}

#[test]
fn ten_thousand_edits_lead_where_starting_over_leads() {
    let mut draw = Draw(7);
    let mut network = network(&mut draw, 8, 20);
    // What is drawn for the entries is not told: they are set to what is known here.
    let mut entries = vec![0; network.zone_count()];
    entries[0] = 4;
    for (zone, entry) in (0..).map(ZoneId).zip(&entries) {
        network.set_entry(zone, quarters(*entry)).unwrap();
    }
    let mut changed = 0;
    let mut before = network.solve();
    for at in 0..10_000 {
        edit(&mut draw, &mut network, &mut entries);
        let reach = network.solve();
        let new = anew(&network, &entries);
        assert_eq!(reach, new.solve(), "edit {at}");
        assert_eq!(reach.lost(&network), new.solve().lost(&new), "edit {at}");
        changed += u32::from(reach != before);
        before = reach;
    }
    assert!(changed > 2_000, "only {changed} edits changed anything");
    println!("measured: reach: 10000 edits equal to starting over, {changed} of them changed something");
}

/// internet -> web -> data, and a way around over admin.
fn shop() -> (Network, [ZoneId; 4]) {
    let class = |finding: Finding| vec![Class { hosts: 10, value: 5, findings: vec![finding] }];
    let mut network = Network::default();
    let internet = network.add_zone(quarters(4), Vec::new());
    let web = network.add_zone(quarters(0), class(remote(443, 2)));
    let admin = network.add_zone(quarters(0), class(remote(22, 1)));
    let data = network.add_zone(quarters(0), class(remote(80, 4)));
    for (from, to, port) in [(internet, web, 443), (internet, admin, 22), (web, data, 80), (admin, data, 80)]
    {
        network.set_flow(from, to, BTreeSet::from([rule(&[port])])).unwrap();
    }
    (network, [internet, web, admin, data])
}

#[test]
fn the_likeliest_path_and_what_closing_its_flows_saves() {
    let (network, [internet, web, admin, data]) = shop();
    let reach = network.solve();
    let found = reach.zone(data);
    assert_eq!((found.best.ppm_down(), found.union.ppm_up()), (500_000, 625_000));
    let path: Vec<_> = reach.path(data).iter().map(|step| (step.from, step.class.zone)).collect();
    assert_eq!(path, [(internet, web), (web, data)]);

    let points = network.choke_points(&reach, 10);
    let first = &points[0];
    assert_eq!((first.from, first.to, first.paths), (internet, web, 2));
    assert!(first.lost.after < first.lost.before);
    let closed = network.what_if(|then| then.set_flow(internet, web, BTreeSet::new())).unwrap();
    assert_eq!(closed, first.lost);
    // Nothing was changed by asking.
    assert_eq!(network.solve(), reach);
    assert_eq!(network.set_flow_error(web), "zone 1: inside a zone everything is allowed");
    // From inside, an attacker in the web zone reaches the data for certain; the admin zone is not on the way.
    let blast = network.solve_within(web);
    assert_eq!(blast.zone(data).union.ppm_up(), 1_000_000);
    assert_eq!(blast.zone(admin).union.ppm_up(), 0);
    assert!(network.blast(web) > network.blast(data));
}

trait Refused {
    fn set_flow_error(&self, zone: ZoneId) -> String;
}

impl Refused for Network {
    fn set_flow_error(&self, zone: ZoneId) -> String {
        self.clone().set_flow(zone, zone, BTreeSet::new()).unwrap_err().to_string()
    }
}

#[test]
fn local_vectors_privileges_and_people_need_a_foothold_first() {
    let (mut network, [_, web, _, data]) = shop();
    let class = ClassId { zone: data, place: 0 };
    let local = Finding { vector: Vector::Local, ..remote(80, 4) };
    let mail = Finding { interaction: true, listens: BTreeSet::new(), ..remote(80, 4) };
    network.edit(class, |class| class.findings = vec![local.clone(), mail.clone()]).unwrap();
    // Nothing there listens any more, so that nobody comes.
    let reach = network.solve();
    assert_eq!(reach.delivered(&network, class, &local).union.ppb(), 0);
    assert_eq!(reach.zone(data).union.ppb(), 0);
    // Something that listens gives a foothold; then the local one can be delivered, as likely as that.
    network.edit(class, |class| class.findings.push(remote(80, 1))).unwrap();
    let reach = network.solve();
    let foothold = reach.foothold(&network, class);
    assert_eq!(reach.delivered(&network, class, &local), foothold);
    assert!(foothold.union.ppb() > 0);
    assert_eq!(reach.delivered(&network, class, &mail), reach.zone(data));
    // The service stops: it is over again.
    network.close_service(class, Service { protocol: tenon_model::Protocol::Tcp, port: 80 }).unwrap();
    assert_eq!(network.solve().foothold(&network, class).union.ppb(), 0);
    assert!(network.solve().zone(web).union.ppb() > 0);
}
