//! Who does a directive: who may say so, what the queue tells of it, and what becomes of it when the work goes over to another.

use std::collections::BTreeSet;

use tenon_engine::{AssignedTo, ClosedFilter, Filter, Sort, Window};
use tenon_model::{Command, DirectiveId, Event, MayAssign, Person, RefusalCode};

use crate::lab::{Lab, offered};

const OLD: &str = "3.0.17-1~deb12u2";
const NEW: &str = "3.0.17-1~deb12u3";
const NEWER: &str = "3.0.17-1~deb12u4";

fn named(name: &str) -> Person {
    name.parse().unwrap()
}

fn assign(
    lab: &mut Lab,
    directive: DirectiveId,
    to: Option<&str>,
    by: &str,
    may: MayAssign,
) -> Result<Vec<Event>, RefusalCode> {
    let command = Command::Assign { directive, to: to.map(named), by: named(by), may };
    lab.run(command).map_err(|refusal| refusal.code)
}

fn with(lab: &Lab, id: DirectiveId) -> Option<String> {
    lab.world.directive(&id).unwrap().assigned.as_ref().map(|assigned| assigned.to.to_string())
}

#[test]
fn anybody_takes_it_and_gives_back_what_is_theirs_and_who_may_give_gives_it_to_anybody() {
    let mut lab = Lab::new();
    let host = lab.enrol("alpha", "web");
    lab.report(host, offered(OLD, NEW));
    let (id, _) = lab.open_directive();
    let (own, any) = (MayAssign::Themselves, MayAssign::Anybody);

    assert_eq!(assign(&mut lab, id, None, "mira", own), Err(RefusalCode::NothingToDo));
    assert_eq!(assign(&mut lab, id, Some("otto"), "mira", own), Err(RefusalCode::RoleNeeded));
    let events = assign(&mut lab, id, Some("mira"), "mira", own).unwrap();
    assert_eq!(
        events,
        [Event::DirectiveAssigned { id, to: Some(named("mira")), by: Some(named("mira")) }],
        "nothing else follows"
    );
    assert_eq!(assign(&mut lab, id, Some("mira"), "mira", own), Err(RefusalCode::NothingToDo));
    assert_eq!(assign(&mut lab, id, None, "otto", own), Err(RefusalCode::RoleNeeded));
    lab.pass(60);
    assign(&mut lab, id, Some("otto"), "otto", own).unwrap();
    let assigned = lab.world.directive(&id).unwrap().assigned.clone().unwrap();
    assert_eq!((assigned.by, assigned.since), (Some(named("otto")), lab.now));
    assign(&mut lab, id, None, "otto", own).unwrap();
    assert_eq!(with(&lab, id), None);

    // Nobody need be known to be given something.
    assign(&mut lab, id, Some("the night shift"), "mira", any).unwrap();
    for name in [" ", " otto", "otto ", "ot\u{202e}to", "<b>otto</b>"] {
        assert_eq!(assign(&mut lab, id, Some(name), "mira", any), Err(RefusalCode::BadContent), "{name:?}");
    }
    assign(&mut lab, id, None, "mira", any).unwrap();
    assert_eq!(
        assign(&mut lab, DirectiveId::new(9), Some("mira"), "mira", any),
        Err(RefusalCode::UnknownDirective)
    );
    assign(&mut lab, id, Some("otto"), "mira", any).unwrap();
    lab.must(Command::Refuse { directive: id, by: named("mira"), why: "not here".to_owned() });
    assert_eq!(assign(&mut lab, id, Some("mira"), "mira", any), Err(RefusalCode::UnknownDirective));
    let closed = lab.sound();
    assert_eq!(closed.directive(&id).unwrap().assigned.as_ref().unwrap().to, named("otto"), "it stays told");
}

#[test]
fn the_queue_tells_who_does_what() {
    let mut lab = Lab::new();
    for (host, group) in [("alpha", "web"), ("beta", "data"), ("gamma", "mail")] {
        let host = lab.enrol(host, group);
        lab.report(host, offered(OLD, NEW));
    }
    let ids: Vec<DirectiveId> = lab.world.open_directives().map(|(id, _)| id).collect();
    assign(&mut lab, ids[0], Some("mira"), "otto", MayAssign::Anybody).unwrap();
    assign(&mut lab, ids[2], Some("usr_1"), "otto", MayAssign::Anybody).unwrap();
    let found = |lab: &Lab, assigned: Option<AssignedTo>| -> Vec<DirectiveId> {
        let filter = Filter { assigned, ..Filter::default() };
        let queue = lab.world.queue_of(&filter, Sort::Urgency, Window::ALL, lab.now).unwrap();
        queue.directives.iter().map(|(id, _)| *id).collect()
    };
    let of = |people: &[&str]| Some(AssignedTo::OneOf(people.iter().map(|name| named(name)).collect()));
    assert_eq!(found(&lab, Some(AssignedTo::Nobody)), [ids[1]]);
    assert_eq!(found(&lab, of(&["mira"])), [ids[0]]);
    assert_eq!(found(&lab, of(&["mira", "usr_1"])), [ids[0], ids[2]]);
    assert_eq!(found(&lab, of(&["otto"])), []);
    let queue = lab.world.queue_of(&Filter::default(), Sort::Urgency, Window::ALL, lab.now).unwrap();
    let counts: Vec<_> = queue.assignees.iter().map(|(who, sum)| (who.cloned(), sum.directives)).collect();
    assert_eq!(counts, [(None, 1), (Some(named("mira")), 1), (Some(named("usr_1")), 1)]);

    lab.must(Command::Refuse { directive: ids[0], by: named("mira"), why: "not here".to_owned() });
    assert_eq!(found(&lab, of(&["mira"])), []);
    let ended = |assigned| {
        let filter = ClosedFilter { assigned, ..ClosedFilter::default() };
        lab.world.closed_of(&filter, Window::ALL).unwrap().total
    };
    assert_eq!((ended(of(&["mira"])), ended(Some(AssignedTo::Nobody))), (1, 0));
    // A World of a snapshot counts alike.
    let restored = lab.sound();
    let queue = restored.queue_of(&Filter::default(), Sort::Urgency, Window::ALL, lab.now).unwrap();
    let people: BTreeSet<_> = queue.assignees.keys().map(|who| who.cloned()).collect();
    assert_eq!(people, BTreeSet::from([None, Some(named("usr_1"))]));
}

/// A newer version of the same package is the same work: whoever did the one does the other.
#[test]
fn what_a_newer_version_supersedes_stays_with_whoever_did_it() {
    let mut lab = Lab::new();
    let host = lab.enrol("alpha", "web");
    lab.report(host, offered(OLD, NEW));
    let (old, _) = lab.open_directive();
    assign(&mut lab, old, Some("mira"), "otto", MayAssign::Anybody).unwrap();
    lab.pass(60);
    let events = lab.report(host, offered(OLD, NEWER));
    let (new, state) = lab.open_directive();
    assert_ne!(old, new);
    assert!(events.contains(&Event::DirectiveAssigned { id: new, to: Some(named("mira")), by: None }));
    let assigned = state.assigned.as_ref().unwrap();
    assert_eq!((assigned.to.as_str(), assigned.by.as_ref(), assigned.since), ("mira", None, lab.now));
    lab.sound();
}
