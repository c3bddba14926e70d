//! The queue: filtered, ordered, counted, a window at a time.

use std::collections::{BTreeMap, BTreeSet};

use tenon_engine::{
    AssignedTo, By, ClosedFilter, Common, Day, DirectiveState, DueIn, Ending, Filter, Order, Sort, Start,
    Sum, Window, World,
};
use tenon_model::{
    Command, DirectiveId, IntelDelta, Inventory, OrderAction, Probability, RiskPoints, Timestamp,
};

use crate::lab::{Lab, advisory, component, inventory, offered, security_offer};

const OLD: &str = "3.0.17-1~deb12u2";
const NEW: &str = "3.0.17-1~deb12u3";

/// The same host once openssl has this version, offered nothing.
fn upgraded(version: &str) -> Inventory {
    inventory(vec![component("libssl3", "openssl", version)], Vec::new())
}

const ALL_PARTS: [By; 6] = [By::Group, By::Outcome, By::Package, By::Assignee, By::Due, By::Stage];

/// In parts the queue holds the same directives: each part together, in the order of its sort, and counted one by one.
fn stands_in_parts(world: &World, by: By, now: Timestamp) {
    let order = Order { by: Some(by), sort: Sort::Urgency };
    let queue = world.queue_of(&Filter::default(), order, Window::ALL, now).unwrap();
    let whole = world.queue_of(&Filter::default(), Sort::Urgency, Window::ALL, now).unwrap();
    assert!(whole.parts.is_empty());
    let mut rest = queue.directives.as_slice();
    let mut seen = BTreeSet::new();
    for (common, sum) in &queue.parts {
        assert!(seen.insert(common), "{by:?}: {common:?} comes twice");
        let (own, others) = rest.split_at(usize::try_from(sum.directives).unwrap());
        rest = others;
        for (id, state) in own {
            let said = match common {
                Common::Named(name) => match by {
                    By::Group => state.directive.group.as_str() == *name,
                    By::Outcome => state.directive.priority.decision.outcome == *name,
                    _ => state.source().name == *name,
                },
                Common::DoneBy(who) => state.assigned.as_ref().map(|known| &known.to) == *who,
                Common::Due(due) => {
                    let date = state.directive.priority.due;
                    (date.is_none() == (*due == DueIn::NoDate))
                        && (date.is_some_and(|date| date < now) == (*due == DueIn::Overdue))
                }
                Common::Stage(stage) => state.foremost() == *stage,
            };
            assert!(said, "{by:?}: {id} stands under {common:?}");
        }
        let expected: Vec<_> = whole
            .directives
            .iter()
            .filter(|(id, _)| own.iter().any(|(one, _)| one == id))
            .map(|(id, _)| *id)
            .collect();
        assert_eq!(
            own.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
            expected,
            "{by:?}: {common:?} in order"
        );
        let removes = own.iter().map(|(_, state)| state.directive.priority.removes.0).sum::<u64>();
        let due = own.iter().filter_map(|(_, state)| state.directive.priority.due).min();
        assert_eq!((sum.removes.0, sum.due), (removes, due), "{by:?}: {common:?}");
    }
    assert!(rest.is_empty(), "{by:?}: {} stand in no part", rest.len());
    match by {
        By::Due | By::Stage => assert!(queue.parts.is_sorted_by_key(|(common, _)| *common)),
        _ => assert!(queue.parts.is_sorted_by_key(|(_, sum)| std::cmp::Reverse(sum.removes))),
    }
}

/// What the queue tells is what the directives themselves tell, one by one.
pub(crate) fn tells_every_directive(world: &World, now: Timestamp) {
    let told = |filter: &Filter| -> Vec<DirectiveId> {
        let queue = world.queue_of(filter, Sort::Urgency, Window::ALL, now).unwrap();
        assert_eq!(queue.all.directives, queue.directives.len() as u64);
        assert_eq!(
            queue.all.assets,
            queue.directives.iter().map(|(_, state)| state.members.len()).sum::<u64>()
        );
        let removes =
            queue.directives.iter().map(|(_, state)| state.directive.priority.removes.0).sum::<u64>();
        assert_eq!(queue.all.removes.0, removes);
        for sums in [&queue.groups, &queue.outcomes] {
            assert_eq!(sums.values().map(|sum| sum.removes.0).sum::<u64>(), removes);
        }
        assert_eq!(queue.assignees.values().map(|sum| sum.removes.0).sum::<u64>(), removes);
        queue.directives.iter().map(|(id, _)| *id).collect()
    };
    let whole = world.queue();
    let removes = whole.iter().map(|(_, state)| state.directive.priority.removes.0).sum::<u64>();
    let today = Day::of(now);
    let exposure = world.trend(today, today)[0].exposure;
    assert_eq!(u64::try_from(exposure), Ok(removes), "exposure is what the queue removes");
    ALL_PARTS.into_iter().for_each(|by| stands_in_parts(world, by, now));
    let by_change = world.queue_of(&Filter::default(), Sort::PerChange, Window::ALL, now).unwrap();
    assert!(by_change.directives.is_sorted_by_key(|(_, state)| std::cmp::Reverse(state.per_change())));
    let having = |test: &dyn Fn(&DirectiveState) -> bool| -> Vec<DirectiveId> {
        whole.iter().filter(|(_, state)| test(state)).map(|(id, _)| *id).collect()
    };
    assert_eq!(told(&Filter::default()), having(&|_| true));
    for (_, one) in &whole {
        let of = |text: &str| told(&Filter { text: Some(text.to_owned()), ..Filter::default() });
        for closed in &one.directive.closes {
            let with = having(&|state| {
                let directive = &state.directive;
                let said = [&directive.closes, &directive.claims, &directive.advisories];
                said.into_iter().flatten().any(|id| id == closed)
            });
            let found: BTreeSet<_> = of(closed.as_str()).into_iter().collect();
            assert!(with.iter().all(|id| found.contains(id)), "{closed}: {with:?}, found {found:?}");
        }
        let group = Filter { group: Some(one.directive.group.clone()), ..Filter::default() };
        assert_eq!(told(&group), having(&|state| state.directive.group == one.directive.group));
        let outcome = &one.directive.priority.decision.outcome;
        let decided = Filter { outcome: Some(outcome.clone()), ..Filter::default() };
        assert_eq!(told(&decided), having(&|state| state.directive.priority.decision.outcome == *outcome));
        let to = |state: &DirectiveState| state.assigned.as_ref().map(|assigned| assigned.to.clone());
        let wanted = match to(one) {
            Some(person) => AssignedTo::OneOf(BTreeSet::from([person])),
            None => AssignedTo::Nobody,
        };
        let alike = Filter { assigned: Some(wanted), ..Filter::default() };
        assert_eq!(told(&alike), having(&|state| to(state) == to(one)));
    }
}

#[test]
fn the_queue_is_filtered_ordered_and_counted() {
    let mut lab = Lab::new();
    let (alpha, beta) = (lab.enrol("alpha", "web"), lab.enrol("beta", "data"));
    lab.report(alpha, offered(OLD, NEW));
    lab.report(beta, offered(OLD, NEW));
    let ids = |filter: &Filter, sort| -> Vec<String> {
        let queue = lab.world.queue_of(filter, sort, Window::ALL, lab.now).unwrap();
        queue.directives.iter().map(|(id, state)| format!("{id} {}", state.directive.group)).collect()
    };
    let all = Filter::default();
    assert_eq!(ids(&all, Sort::Group), ["dir_2 data", "dir_1 web"]);
    assert_eq!(ids(&all, Sort::Urgency).len(), 2);
    let of = |text: &str| Filter { text: Some(text.to_owned()), ..Filter::default() };
    assert_eq!(ids(&of("WEB"), Sort::Raised), ["dir_1 web"]);
    assert_eq!(ids(&of("dir_2"), Sort::Assets), ["dir_2 data"]);
    assert_eq!(ids(&of("no such thing"), Sort::Removes), [""; 0]);
    let data = Filter { group: Some("data".parse().unwrap()), ..Filter::default() };
    assert_eq!(ids(&data, Sort::Package), ["dir_2 data"]);
    let queue = lab.world.queue_of(&all, Sort::Urgency, Window::ALL, lab.now).unwrap();
    let counts = |sums: &BTreeMap<&str, Sum>| -> Vec<(String, u64)> {
        sums.iter().map(|(name, sum)| ((*name).to_owned(), sum.directives)).collect()
    };
    assert_eq!(counts(&queue.groups), [("data".to_owned(), 1), ("web".to_owned(), 1)]);
    let by_package = Order { by: Some(By::Package), sort: Sort::Urgency };
    let by_package = lab.world.queue_of(&all, by_package, Window::ALL, lab.now).unwrap();
    assert_eq!(by_package.parts, [(Common::Named("openssl"), by_package.all)]);
    assert_eq!(queue.outcomes.values().map(|sum| sum.directives).sum::<u64>(), 2);
    assert_eq!(queue.due.values().map(|sum| sum.directives).sum::<u64>(), 2);
    let one = queue.directives[0].1.directive.priority.removes.0;
    let due = queue.directives.iter().filter_map(|(_, state)| state.directive.priority.due).min();
    assert_eq!(queue.all, Sum { directives: 2, assets: 2, removes: RiskPoints(2 * one), due });
    let overdue = lab.world.queue_of(&all, Sort::Urgency, Window::ALL, lab.now.plus_days(4_000)).unwrap();
    assert_eq!(overdue.due.keys().collect::<Vec<_>>(), [&DueIn::Overdue]);
}

#[test]
fn windows_of_the_queue_are_the_parts_of_the_whole() {
    let mut lab = Lab::new();
    for group in ["a", "b", "c", "d", "e", "f", "g"] {
        let asset = lab.enrol(group, group);
        lab.report(asset, offered(OLD, NEW));
    }
    let all = Filter::default();
    let sorts = [Sort::Urgency, Sort::Removes, Sort::Assets, Sort::Raised, Sort::Package, Sort::Group];
    let parts = || [None].into_iter().chain(ALL_PARTS.map(Some));
    for order in sorts.into_iter().flat_map(|sort| parts().map(move |by| Order { by, sort })) {
        let ids = |start, limit| -> Vec<_> {
            let queue = lab.world.queue_of(&all, order, Window { start, limit }, lab.now).unwrap();
            assert_eq!(queue.all.directives, 7, "what all come to does not depend on the window");
            queue.directives.iter().map(|(id, _)| *id).collect()
        };
        let whole = ids(Start::Place(0), usize::MAX);
        assert_eq!(whole.len(), 7);
        for place in 0..=8 {
            for limit in 1..=8 {
                let expected: Vec<_> = whole.iter().copied().skip(place).take(limit).collect();
                assert_eq!(ids(Start::Place(place), limit), expected, "{order:?} from {place}, {limit}");
                let Some(last) = place.checked_sub(1).and_then(|last| whole.get(last)) else { continue };
                if order.by.is_some() {
                    let window = Window { start: Start::Behind(*last), limit };
                    assert!(lab.world.queue_of(&all, order, window, lab.now).is_none(), "{order:?}");
                    continue;
                }
                assert_eq!(ids(Start::Behind(*last), limit), expected, "{order:?} behind {last}, {limit}");
            }
        }
    }
    let nowhere = Window { start: Start::Behind("dir_99".parse().unwrap()), limit: 1 };
    assert!(lab.world.queue_of(&all, Sort::Urgency, nowhere, lab.now).is_none());
}

#[test]
fn closed_directives_come_a_window_at_a_time_too() {
    let mut lab = Lab::new();
    let ids: Vec<DirectiveId> = (1..=4)
        .map(|number| {
            let group = format!("g{number}");
            let asset = lab.enrol(&group, &group);
            lab.report(asset, offered(OLD, NEW));
            lab.report(asset, upgraded(NEW));
            format!("dir_{number}").parse().unwrap()
        })
        .collect();
    let window = |start, limit| {
        lab.world.closed_of(&ClosedFilter::default(), Window { start, limit }).map(|closed| {
            let shown: Vec<_> = closed.directives.iter().map(|(id, _)| *id).collect();
            (shown, closed.place, closed.total)
        })
    };
    assert_eq!(window(Start::Place(1), 2), Some((vec![ids[2], ids[1]], 1, 4)));
    assert_eq!(window(Start::Behind(ids[1]), 2), Some((vec![ids[0]], 3, 4)));
    assert_eq!(window(Start::Behind("dir_99".parse().unwrap()), 2), None);
    // Those that pass a filter are a list of their own.
    let like = |filter: ClosedFilter, start| {
        let closed = lab.world.closed_of(&filter, Window { start, limit: 9 }).unwrap();
        (closed.directives.iter().map(|(id, _)| *id).collect::<Vec<_>>(), closed.total)
    };
    let all = ClosedFilter::default;
    let first = Start::Place(0);
    assert_eq!(like(ClosedFilter { text: Some(" G3 ".to_owned()), ..all() }, first), (vec![ids[2]], 1));
    assert_eq!(like(ClosedFilter { text: Some("dir_2".to_owned()), ..all() }, first), (vec![ids[1]], 1));
    let group = Some("g1".parse().unwrap());
    assert_eq!(like(ClosedFilter { group, ..all() }, Start::Behind(ids[2])), (vec![ids[0]], 1));
    let ended = |ending| like(ClosedFilter { ending: Some(ending), ..all() }, first).1;
    assert_eq!((ended(Ending::Fixed), ended(Ending::Refused)), (4, 0));
}

/// Hosts that want an update of openssl, and one of them a likelier attacked curl besides: all together they lose more by openssl.
#[test]
fn what_removes_most_for_the_work_comes_first_where_that_is_asked_and_on_a_host() {
    let mut lab = Lab::new();
    let delta = IntelDelta::Epss {
        model: "v1".to_owned(),
        scored: lab.now,
        scores: [("CVE-2026-1", 200_000), ("CVE-2026-2", 300_000)]
            .map(|(id, score)| (id.parse().unwrap(), Probability::from_ppm(score).unwrap()))
            .into(),
        dropped: Vec::new(),
    };
    lab.must(Command::ChangeIntel { delta, as_of: None });
    let fixed = |id, cve, package| advisory(id, &[cve], package, Some(NEW));
    lab.publish(vec![fixed("DSA-1-1", "CVE-2026-1", "openssl"), fixed("DSA-2-1", "CVE-2026-2", "curl")]);
    let hosts = ["alpha", "beta", "gamma", "delta"].map(|name| lab.enrol(name, "web"));
    let both = [component("libssl3", "openssl", OLD), component("curl", "curl", OLD)];
    let offers = both.iter().map(|installed| security_offer(installed, NEW)).collect();
    lab.report(hosts[0], inventory(both.to_vec(), offers));
    for host in &hosts[1..] {
        lab.report(*host, offered(OLD, NEW));
    }
    let first = |sort| {
        let queue = lab.world.queue_of(&Filter::default(), sort, Window::ALL, lab.now).unwrap();
        queue.directives[0].1.source().name.clone()
    };
    let due: BTreeSet<_> = lab.world.queue().iter().map(|(_, state)| state.directive.priority.due).collect();
    assert_eq!(due.len(), 1, "no date parts them: {due:?}");
    assert_eq!((first(Sort::Removes).as_str(), first(Sort::PerChange).as_str()), ("openssl", "curl"));
    lab.promote("web");
    let OrderAction::Rehearse { targets } = lab.order(hosts[0]).action else { panic!("no rehearsal") };
    assert_eq!(targets[0].package, "curl", "on this host that removes more");
    let OrderAction::Rehearse { targets } = lab.order(hosts[1]).action else { panic!("no rehearsal") };
    assert_eq!(targets[0].package, "libssl3");
}
