//! Reports that were made ready on another World than the one that decides.

use tenon_engine::{Prepared, World, advance, findings, recompute};
use tenon_model::{AssetId, Command, Inventory, Refusal, RefusalCode, Reported};

use crate::lab::{Lab, advisory, component, inventory, security_offer};

const OLD: &str = "1.0-1";
const NEW: &str = "1.0-2";

/// A host with these packages, the first of which is offered a newer version.
fn host(packages: &[&str]) -> Inventory {
    let components: Vec<_> =
        packages.iter().map(|name| component(&format!("lib{name}"), name, OLD)).collect();
    let offers = vec![security_offer(&components[0], NEW)];
    inventory(components, offers)
}

fn report(asset: AssetId, sequence: u64, inventory: Inventory) -> Command {
    Command::ReportInventory { asset, sequence, inventory }
}

/// The World after a command, and how much is found on the asset then.
fn after(world: &World, command: impl Into<Prepared>, lab: &Lab, asset: AssetId) -> (World, usize) {
    let mut after = world.clone();
    advance(&mut after, command, lab.now).unwrap();
    let found = findings(&after, after.asset(&asset).unwrap()).findings.len();
    (after, found)
}

#[test]
fn what_was_made_ready_on_another_world_is_decided_on_this_one() {
    let mut lab = Lab::new();
    let [a, b] = ["alpha", "beta"].map(|name| lab.enrol(name, "web"));
    lab.publish(vec![advisory("DSA-1-1", &["CVE-2026-1"], "curl", Some(NEW))]);
    let bare = lab.world.clone();
    let reported = host(&["openssl", "curl", "zlib"]);
    // The stances of the one fork are numbered otherwise than those of the other, and there are as many.
    let (left, _) = after(&bare, report(b, 1, host(&["zlib", "curl", "openssl"])), &lab, b);
    let (right, _) = after(&bare, report(b, 1, host(&["nginx", "bash", "dash"])), &lab, b);
    for decides in [&bare, &left, &right] {
        let (plain, found) = after(decides, report(a, 1, reported.clone()), &lab, a);
        assert_eq!(found, 1);
        for ready in [&World::default(), &bare, &left, &right] {
            let prepared = Prepared::on(ready, report(a, 1, reported.clone())).unwrap();
            let (world, found) = after(decides, prepared, &lab, a);
            assert_eq!(world.digest().unwrap(), plain.digest().unwrap());
            assert_eq!(found, 1);
            let said = |world: &World| {
                let asset = world.asset(&a).unwrap();
                (world.components_of(asset), world.offers_of(asset))
            };
            assert_eq!(said(&world), said(&plain));
        }
    }
}

#[test]
fn deltas_that_were_made_ready_on_another_world_are_decided_on_this_one() {
    let mut lab = Lab::new();
    let [a, b] = ["alpha", "beta"].map(|name| lab.enrol(name, "web"));
    lab.publish(vec![advisory("DSA-1-1", &["CVE-2026-1"], "curl", Some(NEW))]);
    lab.report(a, host(&["openssl", "curl", "zlib"]));
    let bare = lab.world.clone();
    let delta = |sequence, before: &[&str], now: &[&str]| {
        let [before, now] = [before, now].map(|packages| Reported::new(host(packages)).unwrap());
        let delta = Box::new(now.since(&before).unwrap());
        Command::ReportDelta { asset: a, sequence, delta }
    };
    let reported: &[&str] = &["openssl", "curl", "zlib"];
    // Of what the delta names the one fork knows all, the other nothing, and as many stances as that.
    let (left, _) = after(&bare, report(b, 1, host(&["openssl", "bash"])), &lab, b);
    let (right, _) = after(&bare, report(b, 1, host(&["nginx", "dash"])), &lab, b);
    // Here the host has gone on, and come back to what it said.
    let (on, _) = after(&bare, delta(2, reported, &["openssl", "curl", "zlib", "dash"]), &lab, a);
    let back = delta(3, &["openssl", "curl", "zlib", "dash"], reported);
    let (back, _) = after(&on, back, &lab, a);
    let said = |world: &World| {
        let asset = world.asset(&a).unwrap();
        (world.components_of(asset), world.offers_of(asset))
    };
    for now in [&["openssl", "curl", "bash"][..], &["openssl", "zlib"], &["curl"], reported] {
        for decides in [&bare, &left, &right, &back] {
            let command = delta(4, reported, now);
            let (plain, found) = after(decides, command.clone(), &lab, a);
            let written =
                tenon_engine::decide(decides, command.clone(), lab.now).unwrap().payloads().unwrap();
            for ready in [&World::default(), &bare, &left, &right, &on] {
                let prepared = || Prepared::on(ready, command.clone()).unwrap();
                let (world, found_too) = after(decides, prepared(), &lab, a);
                assert_eq!(world.digest().unwrap(), plain.digest().unwrap());
                assert_eq!((said(&world), found_too), (said(&plain), found));
                assert_eq!(recompute(&world, lab.now), []);
                let payloads =
                    tenon_engine::decide(decides, prepared(), lab.now).unwrap().payloads().unwrap();
                assert_eq!(payloads, written);
            }
        }
        // What was made ready before the host went on is not its word any more.
        let prepared = Prepared::on(&bare, delta(9, reported, now)).unwrap();
        let refused = tenon_engine::decide(&on, prepared, lab.now).unwrap_err();
        assert_eq!(refused.code, RefusalCode::StaleBase, "{refused}");
    }
}

#[test]
fn what_no_later_world_would_take_is_refused_before_it_is_decided_on() {
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    lab.report(asset, host(&["curl"]));
    let code = |refused: Result<Prepared, Refusal>| refused.unwrap_err().code;
    assert_eq!(code(Prepared::on(&lab.world, report(asset, 1, host(&["curl"])))), RefusalCode::StaleReport);
    let nameless = inventory(vec![component("", "curl", OLD)], Vec::new());
    assert_eq!(code(Prepared::on(&lab.world, report(asset, 2, nameless))), RefusalCode::BadInventory);
    // An asset that is not known yet may be by then.
    let unknown = AssetId::of_public_key(b"gamma");
    let prepared = Prepared::on(&lab.world, report(unknown, 1, host(&["curl"]))).unwrap();
    let refused = tenon_engine::decide(&lab.world, prepared, lab.now);
    assert_eq!(refused.unwrap_err().code, RefusalCode::UnknownAsset);
}
