//! Exposure over time: what moved it is told apart.

use tenon_engine::{Day, Moves, TrendDay, World};
use tenon_model::{Command, IntelDelta, Inventory, Kev};

use crate::lab::{Lab, advisory, component, inventory, person, security_offer};

const OLD: &str = "3.0.17-1~deb12u2";
const NEW: &str = "3.0.17-1~deb12u3";

/// A host with openssl in this version, offered that one.
fn offered(installed: &str, candidate: &str) -> Inventory {
    let libssl = component("libssl3", "openssl", installed);
    let offers = vec![security_offer(&libssl, candidate)];
    inventory(vec![libssl], offers)
}

fn upgraded(version: &str) -> Inventory {
    inventory(vec![component("libssl3", "openssl", version)], Vec::new())
}

fn today(lab: &Lab) -> TrendDay {
    let day = Day::of(lab.now);
    *lab.world.trend(day, day).last().unwrap()
}

/// What the open queue removes, from the queue itself.
fn removed(lab: &Lab) -> i64 {
    let removes = lab.world.queue().iter().map(|(_, state)| state.directive.priority.removes.0).sum::<u64>();
    i64::try_from(removes).unwrap()
}

fn next_day(lab: &mut Lab) {
    lab.pass(86_400);
}

fn listed(id: &str, lab: &Lab) -> Command {
    let kev = Kev { added: lab.now, due: None, ransomware: false };
    let delta = IntelDelta::Kev { listed: vec![(id.parse().unwrap(), kev)], retracted: Vec::new() };
    Command::ChangeIntel { delta, as_of: None }
}

#[test]
fn five_hundred_hosts_enrol_and_the_like_for_like_line_does_not_move() {
    let mut lab = Lab::new();
    lab.publish(vec![advisory("DSA-1-1", &["CVE-2026-1"], "openssl", Some(NEW))]);
    let known: Vec<_> = (0..10).map(|n| lab.enrol(&format!("old-{n}"), "web")).collect();
    for asset in &known {
        lab.report(*asset, offered(OLD, NEW));
    }
    let first = Day::of(lab.now);
    let before = today(&lab);
    assert_eq!((before.exposure, before.moves.newly_seen), (removed(&lab), removed(&lab)));
    assert!(before.exposure > 0);

    next_day(&mut lab);
    for n in 0..500 {
        let asset = lab.enrol(&format!("new-{n}"), if n % 2 == 0 { "web" } else { "data" });
        lab.report(asset, offered(OLD, NEW));
    }
    let enrolled = today(&lab);
    assert_eq!(enrolled.exposure, 51 * before.exposure, "each of them adds what each of the others does");
    assert_eq!(enrolled.moves, Moves { newly_seen: 50 * before.exposure, ..Moves::default() });

    // The day after, what is there gets worse: on all of them.
    next_day(&mut lab);
    lab.must(listed("CVE-2026-1", &lab));
    let worse = today(&lab);
    assert_eq!(worse.moves, Moves { got_worse: removed(&lab) - enrolled.exposure, ..Moves::default() });
    assert!(worse.moves.got_worse > 0);
    assert_eq!(worse.exposure, removed(&lab));

    // And what a host shows as fixed is done.
    next_day(&mut lab);
    let standing = removed(&lab);
    lab.report(known[0], upgraded(NEW));
    let done = today(&lab);
    assert_eq!(done.moves, Moves { done: standing - removed(&lab), ..Moves::default() });
    assert!(done.moves.done > 0);

    // Refused, it leaves the queue, and that is told apart from being done.
    let id = lab.world.queue()[0].0;
    let standing = removed(&lab);
    lab.must(Command::Refuse { directive: id, by: person(), why: "not now".to_owned() });
    assert_eq!(today(&lab).moves.refused, standing - removed(&lab));

    // The whole span: the line moves with what got worse, was done or refused, and with no host that enrolled.
    let span = lab.world.trend(first, Day::of(lab.now));
    assert_eq!(span.len(), 4);
    let all = |part: fn(&Moves) -> i64| span.iter().map(|day| part(&day.moves)).sum::<i64>();
    assert_eq!(span[3].exposure, removed(&lab));
    assert_eq!(span[3].exposure, span[3].like_for_like + all(|moves| moves.newly_seen));
    // From the day before they enrolled to the day on which they did, the line does not move at all.
    let across = lab.world.trend(Day(first.0 + 1), Day(first.0 + 1));
    assert_eq!((across[0].like_for_like, across[0].exposure), (before.exposure, enrolled.exposure));
    assert_eq!(lab.replayed().trend(first, Day::of(lab.now)), span, "the record alone gives the same");
    let restarted = World::from_snapshot(lab.world.to_snapshot().unwrap()).unwrap();
    assert_eq!(restarted.trend(first, Day::of(lab.now)), span);
}

#[test]
fn a_span_without_movement_stands_where_it_stood() {
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    lab.report(asset, offered(OLD, NEW));
    let day = Day::of(lab.now);
    assert!(lab.world.trend(Day(day.0 - 3), Day(day.0 - 1)).iter().all(|day| day.exposure == 0));
    let later = lab.world.trend(Day(day.0 + 1), Day(day.0 + 5));
    assert_eq!(later.len(), 5);
    let stands = |day: &TrendDay| {
        (day.exposure, day.like_for_like, day.moves) == (removed(&lab), removed(&lab), Moves::default())
    };
    assert!(later.iter().all(stands), "{later:?}");
    assert_eq!(lab.world.trend(Day(i64::MIN), Day(i64::MAX)).len(), 800, "bounded, whatever is asked");
    assert!(lab.world.trend(Day(5), Day(4)).is_empty());
}

#[test]
fn what_moved_exposure_is_told_by_entry() {
    let mut lab = Lab::new();
    lab.publish(vec![advisory("DSA-1-1", &["CVE-2026-1"], "openssl", Some(NEW))]);
    let host = lab.enrol("web1", "web");
    lab.report(host, offered(OLD, NEW));
    let reported = lab.world.seq();
    next_day(&mut lab);
    let before = removed(&lab);
    lab.must(listed("CVE-2026-1", &lab));
    let after = removed(&lab);
    let told = lab.world.moved_most(Day(0), Day::of(lab.now), 10);
    assert_eq!(told.iter().map(|one| one.net).sum::<i64>(), after);
    assert_eq!((told[0].net, told[0].day), (after - before, Day::of(lab.now)), "the listing moved most");
    assert_eq!(told[1].net, before);
    assert!(told[1].seq <= reported && told[0].seq > reported, "{told:?}");
    // A host that is there as long and has nothing to do moves nothing.
    let other = lab.enrol("web2", "web");
    lab.report(other, upgraded(NEW));
    assert_eq!(lab.world.moved_most(Day(0), Day::of(lab.now), 10), told);
    assert_eq!(lab.world.moved_most(Day(0), Day::of(lab.now), 1), told[..1]);
    let again = World::from_snapshot(lab.world.to_snapshot().unwrap()).unwrap();
    assert_eq!(again.moved_most(Day(0), Day::of(lab.now), 10), told);
    lab.report(host, upgraded(NEW));
    assert_eq!(lab.world.moved_most(Day(0), Day::of(lab.now), 1)[0].net, -after);
}

#[test]
fn of_each_day_the_largest_movements_are_kept() {
    let mut lab = Lab::new();
    for number in 1..=9 {
        let (id, package) = (format!("DSA-{number}-1"), format!("package{number}"));
        lab.publish(vec![advisory(&id, &[&format!("CVE-2026-{number}")], &package, Some(NEW))]);
    }
    for hosts in 1..=9 {
        let package = format!("package{hosts}");
        for number in 0..hosts {
            let host = lab.enrol(&format!("h{hosts}-{number}"), "web");
            let installed = component(&package, &package, OLD);
            let offers = vec![security_offer(&installed, NEW)];
            lab.report(host, inventory(vec![installed], offers));
        }
    }
    let day = Day::of(lab.now);
    let told = lab.world.moved_most(day, day, 100);
    assert_eq!(told.len(), 8, "{told:?}");
    assert_eq!(lab.world.moved_most(Day(day.0 + 1), Day(day.0 + 9), 100), []);
}
