//! The estate as an attacker meets it: zones, what takes hosts in them, and the ways that lead there.

use std::collections::{BTreeMap, BTreeSet};

use tenon_engine::{ASSUMED_THREAT, Terrain, World, ZoneOrigin};
use tenon_model::{AssetId, Command, Cvss, IntelDelta, Kev, Listener, Profile, Protocol, VulnerabilityId};
use tenon_reach::{Part, Vector};

use crate::lab::{Lab, advisory, component, ids, inventory, person, security_offer};

/// What the whole estate tells of zones is what each asset says by itself.
pub(crate) fn is_that_of_every_asset(world: &World) {
    let terrain = world.terrain();
    let placed: u64 = terrain.zones.iter().map(|zone| zone.assets.len()).sum();
    assert_eq!(
        placed + terrain.unplaced.len(),
        world.asset_count() as u64,
        "an asset stands twice or nowhere"
    );
    let stated = terrain.zones.iter().all(|zone| zone.origin == ZoneOrigin::Stated);
    for (id, asset) in world.live_assets().filter(|_| stated) {
        let zone = terrain.zone_of(world.ordinal(id).unwrap());
        let told = zone.map(|zone| terrain.zones[zone.0 as usize].name.clone());
        assert_eq!(told, world.effective(asset).zone.map(|known| known.value.to_string()), "{id}");
    }
    for (zone, id) in terrain.zones.iter().zip((0..).map(tenon_reach::ZoneId)) {
        let mut met: BTreeMap<String, BTreeSet<AssetId>> = BTreeMap::new();
        for asset in ids(world, &zone.assets) {
            let state = world.asset(&asset).unwrap();
            assert_eq!(terrain.zone_of(world.ordinal(&asset).unwrap()), Some(id));
            for on in world.terrain_of(state).into_iter().filter(|on| !on.finding.needs_foothold()) {
                let key = format!("{} {} {:?}", on.vulnerability, on.package, on.finding);
                met.entry(key).or_default().insert(asset);
            }
        }
        let told = zone.exploits.iter().zip(terrain.network.classes(id)).map(|(exploit, class)| {
            let [finding] = class.findings.as_slice() else { panic!("{class:?}") };
            let first = world.asset_at(exploit.first).unwrap().id;
            let key = format!("{} {} {finding:?}", exploit.vulnerability, exploit.package);
            assert!(met.get(&key).is_some_and(|assets| assets.contains(&first)), "{key}: {first}");
            (key, exploit.hosts)
        });
        let told: BTreeMap<String, u64> = told.collect();
        assert_eq!(zone.exploits.len(), told.len(), "a class is told twice");
        let counted: BTreeMap<String, u64> =
            met.into_iter().map(|(key, assets)| (key, assets.len() as u64)).collect();
        assert_eq!(told, counted, "{}", zone.name);
    }
}

pub(crate) const ZONES: &str = "\
zones:
  internet: { entry: 1 }
  dmz: { networks: [203.0.113.0/24] }
  inside: { networks: [10.0.0.0/8] }
flows:
  - { from: internet, to: dmz, protocol: tcp, ports: [443] }
  - { from: dmz, to: inside, protocol: tcp, ports: 5432 }
";

pub(crate) fn take_over(lab: &mut Lab, text: &str) {
    let document = tenon_formats::context::parse(text.as_bytes()).unwrap_or_else(|p| panic!("{p:?}"));
    let compared = lab.world.context().map_or(0, |known| known.version);
    lab.must(Command::TakeOverContext { document, compared, by: person() });
}

pub(crate) fn listener(address: &str, port: u16, package: &str) -> Listener {
    let (address, package) = (address.parse().unwrap(), Some(package.to_owned()));
    Listener { protocol: Protocol::Tcp, address, port, process: None, unit: None, package }
}

/// A host with one package that is vulnerable, listening there.
fn host(lab: &mut Lab, name: &str, package: &str, at: &str, listens: &[(&str, u16)]) -> AssetId {
    let asset = lab.enrol(name, "all");
    let mut inventory = inventory(vec![component(package, package, "1.0-1")], Vec::new());
    inventory.facts.listeners = listens.iter().map(|(at, port)| listener(at, *port, package)).collect();
    inventory.facts.addresses = vec![at.parse().unwrap()];
    lab.report(asset, inventory);
    asset
}

pub(crate) fn state(lab: &mut Lab, id: &str, vector: &str) {
    let cvss = Some(Cvss { vector: vector.to_owned(), source: "a test".to_owned() });
    let stated = vec![(id.parse().unwrap(), Profile { cvss, ..Profile::default() })];
    lab.must(Command::ChangeIntel {
        delta: IntelDelta::Profile { stated, dropped: Vec::new() },
        as_of: None,
    });
}

pub(crate) fn list(lab: &mut Lab, id: &str) {
    let listed = vec![(id.parse().unwrap(), Kev { added: lab.now, due: None, ransomware: false })];
    lab.must(Command::ChangeIntel { delta: IntelDelta::Kev { listed, retracted: Vec::new() }, as_of: None });
}

/// A web server that the Internet reaches, a database behind it, and a desk that nobody reaches.
fn estate() -> (Lab, [AssetId; 3]) {
    let mut lab = Lab::new();
    lab.publish(vec![
        advisory("DSA-1-1", &["CVE-2026-1"], "nginx", Some("1.0-2")),
        advisory("DSA-2-1", &["CVE-2026-2"], "postgresql", Some("1.0-2")),
        advisory("DSA-3-1", &["CVE-2026-3"], "sudo", Some("1.0-2")),
    ]);
    let web = host(&mut lab, "web1", "nginx", "203.0.113.5", &[("0.0.0.0", 443), ("127.0.0.1", 8080)]);
    let db = host(&mut lab, "db1", "postgresql", "10.0.0.5", &[("10.0.0.5", 5432)]);
    let desk = host(&mut lab, "desk1", "sudo", "10.0.0.9", &[]);
    state(&mut lab, "CVE-2026-3", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H");
    list(&mut lab, "CVE-2026-1");
    take_over(&mut lab, ZONES);
    (lab, [web, db, desk])
}

fn exploits(terrain: &Terrain, zone: &str) -> Vec<String> {
    let zone = terrain.zones.iter().find(|told| told.name == zone).unwrap();
    zone.exploits.iter().map(|exploit| format!("{} in {}", exploit.vulnerability, exploit.package)).collect()
}

#[test]
fn an_attacker_goes_where_flows_lead_and_something_listens() {
    let (lab, [web, db, desk]) = estate();
    let terrain = lab.world.terrain();
    is_that_of_every_asset(&lab.world);
    let zone = |name: &str| terrain.zone_called(name).unwrap();
    assert_eq!(
        terrain.zones.iter().map(|zone| zone.name.as_str()).collect::<Vec<_>>(),
        ["dmz", "inside", "internet"]
    );
    assert!(terrain.zones.iter().all(|zone| zone.origin == ZoneOrigin::Stated));
    assert_eq!(exploits(&terrain, "dmz"), ["CVE-2026-1 in nginx"]);
    // What is local takes no host.
    assert_eq!(exploits(&terrain, "inside"), ["CVE-2026-2 in postgresql"]);

    let reach = terrain.network.solve();
    let (into_dmz, inside) = (reach.zone(zone("dmz")), reach.zone(zone("inside")));
    assert_eq!((into_dmz.best, into_dmz.union), (Part::ONE, Part::ONE), "it is listed in KEV, and reached");
    let assumed = Part::of(ASSUMED_THREAT);
    assert_eq!((inside.best, inside.union), (assumed, assumed), "nobody scores the second");
    let path = reach.path(zone("inside"));
    assert_eq!(
        path.iter().map(|step| (step.from, step.class.zone)).collect::<Vec<_>>(),
        [(zone("internet"), zone("dmz")), (zone("dmz"), zone("inside")),]
    );

    let on = |asset: AssetId| lab.world.terrain_of(lab.world.asset(&asset).unwrap());
    let listens = |asset| on(asset)[0].finding.listens.iter().map(|at| at.port).collect::<Vec<_>>();
    assert_eq!((listens(web), listens(db)), (vec![443], vec![5432]), "loopback is nobody else's");
    assert_eq!((on(desk)[0].finding.vector, on(desk)[0].finding.privileges), (Vector::Local, true));

    // A flow that no longer lets the port pass ends the way.
    let mut shut = terrain.network.clone();
    shut.set_flow(zone("dmz"), zone("inside"), BTreeSet::new()).unwrap();
    assert_eq!(shut.solve().zone(zone("inside")).union, Part::ZERO);
    assert!(shut.solve().lost(&shut) < reach.lost(&terrain.network));
}

#[test]
fn a_service_on_another_port_is_not_taken_over_the_flow() {
    let (mut lab, [_, db, _]) = estate();
    let mut moved = inventory(vec![component("postgresql", "postgresql", "1.0-1")], Vec::new());
    moved.facts.listeners = vec![listener("10.0.0.5", 6432, "postgresql")];
    moved.facts.addresses = vec!["10.0.0.5".parse().unwrap()];
    lab.report(db, moved);
    let terrain = lab.world.terrain();
    let inside = terrain.zone_called("inside").unwrap();
    assert_eq!(exploits(&terrain, "inside"), ["CVE-2026-2 in postgresql"], "from inside it is taken still");
    assert_eq!(terrain.network.solve().zone(inside).union, Part::ZERO);
    is_that_of_every_asset(&lab.world);
}

#[test]
fn without_zones_they_are_told_from_addresses_and_who_stands_in_none_is_counted() {
    let (mut lab, _) = estate();
    // An attacker begins nowhere: what is stated tells nothing of attacks.
    take_over(&mut lab, "services: { shop: {} }\n");
    let terrain = lab.world.terrain();
    let names: Vec<_> = terrain.zones.iter().map(|zone| (zone.name.as_str(), zone.assets.len())).collect();
    assert_eq!(names, [("internet", 0), ("internet-facing", 1), ("inside", 2)]);
    assert!(terrain.zones.iter().all(|zone| zone.origin == ZoneOrigin::Derived));
    let inside = terrain.zone_called("inside").unwrap();
    assert!(terrain.network.solve().zone(inside).union > Part::ZERO);
    is_that_of_every_asset(&lab.world);

    take_over(&mut lab, "zones: { internet: { entry: 1 }, dmz: { networks: [203.0.113.0/24] } }\n");
    let terrain = lab.world.terrain();
    assert_eq!(ids(&lab.world, &terrain.unplaced).len(), 2);
    is_that_of_every_asset(&lab.world);
}

#[test]
fn what_is_fixed_is_no_way_any_more() {
    let (mut lab, [web, ..]) = estate();
    let mut fixed = inventory(vec![component("nginx", "nginx", "1.0-2")], Vec::new());
    fixed.facts.listeners = vec![listener("0.0.0.0", 443, "nginx")];
    fixed.facts.addresses = vec!["203.0.113.5".parse().unwrap()];
    lab.report(web, fixed);
    let terrain = lab.world.terrain();
    let reach = terrain.network.solve();
    for name in ["dmz", "inside"] {
        assert_eq!(reach.zone(terrain.zone_called(name).unwrap()).union, Part::ZERO, "{name}");
    }
    let id: VulnerabilityId = "CVE-2026-1".parse().unwrap();
    assert!(lab.world.exposure(&id).open.is_empty());
}

#[test]
fn what_doing_a_directive_takes_is_told_before_it_is_done() {
    let (mut lab, [web, ..]) = estate();
    // Another host of the zone is vulnerable alike, and of another group.
    let other = lab.enrol("web2", "others");
    for asset in [web, other] {
        let nginx = component("nginx", "nginx", "1.0-1");
        let mut offered = inventory(vec![nginx.clone()], vec![security_offer(&nginx, "1.0-2")]);
        offered.facts.listeners = vec![listener("0.0.0.0", 443, "nginx")];
        offered.facts.addresses = vec!["203.0.113.5".parse().unwrap()];
        lab.report(asset, offered);
    }
    let of_group = |lab: &Lab, group: &str| {
        let queue = lab.world.queue();
        let (_, state) = queue.iter().find(|(_, state)| state.directive.group.as_str() == group).unwrap();
        lab.world.terrain_after(state)
    };
    let hosts = |terrain: &Terrain| -> u64 {
        let zone = terrain.zones.iter().find(|zone| zone.name == "dmz").unwrap();
        zone.exploits.iter().map(|exploit| exploit.hosts).sum()
    };
    let (now, then) = (lab.world.terrain(), of_group(&lab, "all"));
    assert_eq!((hosts(&now), hosts(&then)), (2, 1));
    assert_eq!(exploits(&then, "inside"), exploits(&now, "inside"));
    let dmz = now.zone_called("dmz").unwrap();
    assert_eq!(then.network.solve().zone(dmz).best, Part::ONE, "the other host is a way in still");
    assert!(then.network.solve().lost(&then.network) < now.network.solve().lost(&now.network));

    // With the other fixed, doing it closes the way in, and that to what lies behind.
    let mut fixed = inventory(vec![component("nginx", "nginx", "1.0-2")], Vec::new());
    fixed.facts.addresses = vec!["203.0.113.5".parse().unwrap()];
    lab.report(other, fixed);
    let then = of_group(&lab, "all");
    for zone in ["dmz", "inside"] {
        let zone = then.zone_called(zone).unwrap();
        assert_eq!(then.network.solve().zone(zone).union, Part::ZERO);
    }
    // Once it is done it is as was told.
    let mut fixed = inventory(vec![component("nginx", "nginx", "1.0-2")], Vec::new());
    fixed.facts.listeners = vec![listener("0.0.0.0", 443, "nginx")];
    fixed.facts.addresses = vec!["203.0.113.5".parse().unwrap()];
    lab.report(web, fixed);
    let done = lab.world.terrain();
    assert_eq!(done.zones, then.zones);
}
