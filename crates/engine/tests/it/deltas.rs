//! Reports told as differences: whatever a host is and becomes, they lead to the state of the whole report.

use std::sync::Arc;

use tenon_engine::World;
use tenon_model::{
    AssetId, Command, Component, Inventory, InventoryDelta, MAX_DELTA_NAMED, Manifest, OfferState, Refusal,
    RefusalCode, Reported, Service, StaleProcess, Sum, Unit, Virtualization,
};

use crate::generator::Draw;
use crate::lab::{Lab, advisory, component, inventory, security_offer, source};

const SOURCES: [&str; 5] = ["openssl", "linux", "kernel", "kernel-rt", "nginx"];
const BINARIES: [&str; 6] =
    ["libssl3", "kernel-core", "kernel", "kernel-rt-core", "nginx", "linux-image-6.1.0-44-amd64"];
const VERSIONS: [&str; 3] = ["1.0-1", "1.0-2", "2:1.0-3"];
const SYSTEMS: [(&str, &str); 4] =
    [("debian", "12"), ("debian", "13"), ("almalinux", "9.3"), ("gentoo", "2")];

/// Any host: of any system, with binaries of any source, some of a language's packages, some in a module stream.
fn host(draw: &mut Draw, before: &Inventory) -> Inventory {
    let mut host = before.clone();
    let components = &mut host.components;
    for _ in 0..draw.below(4) {
        if !components.is_empty() && draw.one_in(2) {
            components.remove(draw.below(components.len()));
        }
        let mut one = component(
            BINARIES[draw.below(BINARIES.len())],
            SOURCES[draw.below(SOURCES.len())],
            VERSIONS[draw.below(VERSIONS.len())],
        );
        if draw.one_in(5) {
            one.module = Some("nodejs:18".to_owned());
        }
        if draw.one_in(6) {
            one.ecosystem = Some("crates.io".to_owned());
        }
        components.push(one);
    }
    let facts = &mut host.facts;
    if draw.one_in(6) {
        (facts.os.id, facts.os.version_id) = {
            let (id, version) = SYSTEMS[draw.below(SYSTEMS.len())];
            (id.to_owned(), version.to_owned())
        };
    }
    if draw.one_in(8) {
        facts.offers_known = !facts.offers_known;
    }
    if draw.one_in(5) {
        facts.kernel.running = ["6.1.0-44-amd64", "5.14.0-427.el9.x86_64"][draw.below(2)].to_owned();
    }
    if draw.one_in(8) {
        facts.kernel.owner = [Virtualization::Machine, Virtualization::Container][draw.below(2)];
    }
    if draw.one_in(4) {
        facts.offers = (0..draw.below(4))
            .map(|_| {
                let installed = component(BINARIES[draw.below(3)], SOURCES[draw.below(5)], "1.0-1");
                let mut offer = security_offer(&installed, VERSIONS[draw.below(3)]);
                offer.state = [OfferState::Offered, OfferState::Held][draw.below(2)];
                offer
            })
            .collect();
    }
    if draw.one_in(4) {
        facts.stale = (0..draw.below(3))
            .map(|pid| StaleProcess {
                pid: u32::try_from(pid).unwrap(),
                command: "sshd".to_owned(),
                unit: None,
                file: "/usr/lib/libssl.so.3".to_owned(),
                package: Some(BINARIES[draw.below(BINARIES.len())].to_owned()),
            })
            .collect();
    }
    if draw.one_in(5) {
        let unit = Unit(format!("s{}.service", draw.below(3)));
        facts.services = vec![Service { unit, active_state: "active".to_owned(), package: None }];
    }
    if draw.one_in(6) {
        facts.addresses = vec![format!("10.0.0.{}", draw.below(9)).parse().unwrap()];
        facts.hostname = format!("host{}", draw.below(3));
        facts.gaps = vec!["nobody looked".to_owned()];
    }
    facts.index.oldest_age_seconds = Some(draw.below(90_000) as u64);
    host
}

fn send(lab: &mut Lab, asset: AssetId, sequence: u64, delta: InventoryDelta) -> Result<(), Refusal> {
    lab.run(Command::ReportDelta { asset, sequence, delta: Box::new(delta) }).map(drop)
}

/// What two worlds know of an asset.
fn assert_alike(told: &World, whole: &World, asset: AssetId, now: &Reported) {
    assert_eq!(told.digest().unwrap(), whole.digest().unwrap());
    let [one, other] = [told, whole].map(|world| world.asset(&asset).unwrap());
    assert_eq!(one.said, Some(now.sum()));
    assert_eq!(one.profile(), other.profile());
    assert_eq!(told.offers_of(one), whole.offers_of(other));
    let components = told.components_of(one).unwrap();
    let components: Vec<Component> = components.iter().map(Arc::as_ref).cloned().collect();
    assert_eq!(components, now.manifest.components());
    let rebuilt = Manifest::new(components).unwrap();
    assert_eq!(rebuilt.digest(), now.manifest.digest());
    let found =
        |world, asset| (tenon_engine::findings(world, asset).findings, tenon_engine::tally(world, asset));
    assert_eq!(found(told, one), found(whole, other));
}

#[test]
fn any_sequence_of_deltas_is_the_whole_reports() {
    let (mut changed, mut unchanged) = (0, 0);
    for seed in 0..40 {
        let mut draw = Draw(seed);
        let mut labs = [Lab::new(), Lab::new()];
        let mut asset = AssetId::of_public_key(b"alpha");
        let first = inventory(vec![component("libssl3", "openssl", "1.0-1")], Vec::new());
        for lab in &mut labs {
            asset = lab.enrol("alpha", "web");
            lab.promote("web");
            lab.publish(vec![
                advisory("DSA-1-1", &["CVE-2026-1"], "openssl", Some("1.0-2")),
                advisory("DSA-2-1", &["CVE-2026-2"], "linux", Some("1.0-2")),
            ]);
            lab.report(asset, first.clone());
        }
        let [told, whole] = &mut labs;
        let mut before = first;
        for sequence in 2..30 {
            // At times nothing happened.
            let now = if draw.one_in(6) { before.clone() } else { host(&mut draw, &before) };
            let [was, is] = [&before, &now].map(|one| Reported::new(one.clone()).unwrap());
            let delta = is.since(&was).unwrap();
            *if delta.is_empty() { &mut unchanged } else { &mut changed } += 1;
            for lab in [&mut *told, &mut *whole] {
                lab.pass(60);
            }
            send(told, asset, sequence, delta).unwrap();
            whole.must(Command::ReportInventory { asset, sequence, inventory: now.clone() });
            assert_alike(&told.world, &whole.world, asset, &is);
            if draw.one_in(10) {
                told.world = World::from_snapshot(told.world.to_snapshot().unwrap()).unwrap();
            }
            before = now;
        }
        assert_eq!(told.replayed().digest().unwrap(), whole.replayed().digest().unwrap());
    }
    assert!(changed > 700 && unchanged > 100, "{changed} deltas changed something, {unchanged} nothing");
}

/// A host with openssl and nginx, its last report, and a delta to another version of openssl.
fn reported() -> (Lab, AssetId, InventoryDelta) {
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    let of = |version| {
        let (ssl, nginx) = (component("libssl3", "openssl", version), component("nginx", "nginx", "1.0-1"));
        let offers = vec![security_offer(&nginx, version)];
        inventory(vec![ssl, nginx], offers)
    };
    lab.report(asset, of("1.0-1"));
    let [was, is] = ["1.0-1", "1.0-2"].map(|version| Reported::new(of(version)).unwrap());
    (lab, asset, is.since(&was).unwrap())
}

#[test]
fn a_delta_names_what_changed_and_no_blob() {
    let (mut lab, asset, delta) = reported();
    let blobs = lab.blobs.len();
    assert_eq!((delta.added.len(), delta.removed.len()), (1, 1));
    assert_eq!((delta.withdrawn.len(), delta.offered.len()), (1, 1));
    assert!(delta.facts.is_empty());
    let events = lab.must(Command::ReportDelta { asset, sequence: 2, delta: Box::new(delta) });
    assert_eq!(events[0].blobs(), []);
    assert_eq!(lab.blobs.len(), blobs);
    let size = lab.entries[lab.entries.len() - events.len()].payload.len();
    assert!(size < 1_500, "{size} bytes");
}

#[test]
fn what_does_not_follow_the_last_report_is_refused() {
    let code = |change: &dyn Fn(&mut InventoryDelta)| {
        let (mut lab, asset, mut delta) = reported();
        change(&mut delta);
        let digest = lab.world.digest().unwrap();
        let refused = send(&mut lab, asset, 2, delta).unwrap_err();
        assert_eq!(lab.world.digest().unwrap(), digest);
        refused.code
    };
    let (ssl, other) = (component("libssl3", "openssl", "1.0-1"), component("other", "other", "1"));
    use RefusalCode::{BadInventory, StaleBase};
    assert_eq!(code(&|delta| delta.base.packages = Sum::default()), StaleBase);
    assert_eq!(code(&|delta| delta.base.facts = Sum::default()), StaleBase);
    assert_eq!(code(&|delta| delta.result.packages = Sum::default()), StaleBase);
    assert_eq!(code(&|delta| delta.result.facts = Sum::default()), StaleBase);
    assert_eq!(code(&|delta| delta.added.clear()), StaleBase);
    assert_eq!(code(&|delta| delta.offered.clear()), StaleBase);
    assert_eq!(code(&|delta| delta.facts.offers_known = Some(false)), StaleBase);
    assert_eq!(code(&|delta| delta.removed = vec![other.clone()]), StaleBase);
    assert_eq!(code(&|delta| delta.added = vec![ssl.clone()]), StaleBase);
    assert_eq!(code(&|delta| delta.withdrawn[0].package = "nobody".to_owned()), StaleBase);
    // However well the sums add up.
    let twice = |delta: &mut InventoryDelta| {
        let one: Component = delta.added[0].clone();
        delta.result.packages = delta.result.packages.with(&one.digest());
        delta.added.push(one);
    };
    assert_eq!(code(&twice), BadInventory);
    assert_eq!(code(&|delta| delta.added.push(component("a\u{7}", "a", "1"))), BadInventory);
    let many = |delta: &mut InventoryDelta| {
        delta.added = (0..=MAX_DELTA_NAMED).map(|n| component(&format!("p{n:05}"), "p", "1")).collect();
    };
    assert_eq!(code(&many), BadInventory);
}

#[test]
fn a_delta_needs_a_report_before_it_and_is_taken_once() {
    let (mut lab, asset, delta) = reported();
    let refused =
        |lab: &mut Lab, asset, sequence| send(lab, asset, sequence, delta.clone()).unwrap_err().code;
    let fresh = lab.enrol("beta", "web");
    let stranger = AssetId::of_public_key(b"stranger");
    assert_eq!(refused(&mut lab, fresh, 1), RefusalCode::StaleBase);
    assert_eq!(refused(&mut lab, stranger, 1), RefusalCode::UnknownAsset);
    assert_eq!(refused(&mut lab, asset, 1), RefusalCode::StaleReport);
    send(&mut lab, asset, 2, delta.clone()).unwrap();
    assert_eq!(refused(&mut lab, asset, 2), RefusalCode::StaleReport);
    assert_eq!(refused(&mut lab, asset, 3), RefusalCode::StaleBase);
}

#[test]
fn a_host_that_became_another_sends_a_whole_report() {
    let many = |from: usize| {
        let components = (from..from + MAX_DELTA_NAMED)
            .map(|n| Component::os_package(format!("p{n}"), "all", "1", source("p", "1")));
        Reported::new(inventory(components.collect(), Vec::new())).unwrap()
    };
    assert!(many(0).since(&many(100)).is_some());
    assert!(many(0).since(&many(MAX_DELTA_NAMED)).is_none());
}
