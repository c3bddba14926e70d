//! Orders of work: against the exact optimum where that can be found, and what they may see.

use std::collections::{BTreeMap, HashMap};

use tenon_predict::ordering::{
    Estate, Exposed, Held, Known, Order, Scores, Software, Update, Working, attacks, in_order,
};
use tenon_predict::{Cve, CveId, Day, History, ModelFile, Walk};

use crate::world::{BEGIN, Draw, Planted, day, world};

/// Days until everything of a small case is done, whatever the order.
const DAYS: i32 = 30;

/// A small case: packages with one update each, which closes as many vulnerabilities as it weighs.
struct Small {
    software: Vec<Software>,
    estate: Estate,
    exploited: BTreeMap<Cve, Day>,
    known: Known,
}

fn small(draw: &mut Draw, history: &History) -> Small {
    let mut cves = history.cves();
    let begin = day(BEGIN);
    let (mut software, mut held, mut scores) = (Vec::new(), Vec::new(), Vec::new());
    let mut exploited = BTreeMap::new();
    for place in 0..2 + draw.below(3) as usize {
        let closes: Vec<Cve> = cves.by_ref().take(1 + draw.below(9) as usize).collect();
        exploited.extend(closes.iter().map(|cve| (*cve, begin)));
        let threat = 1_000 * closes.len() as u64;
        scores.push(vec![Scores { threat, ..Scores::default() }]);
        let offered = begin.plus(i32::try_from(draw.below(4)).unwrap());
        software.push(Software { release: 0, everywhere: false, updates: vec![Update { offered, closes }] });
        let (hosts, minutes) = (1 + draw.below(4) as u32, 5 * (1 + draw.below(8) as u32));
        held.push(Held { software: place, hosts, minutes });
    }
    let minutes_a_day = 20 + 5 * draw.below(10) as u32;
    Small { software, estate: Estate { hosts: 4, held, minutes_a_day }, exploited, known: Known::new(scores) }
}

fn worked(small: &Small, order: Order) -> Exposed {
    let begin = day(BEGIN);
    let mut working = Working::new(order, &small.estate, &small.software, begin.plus(-1), &small.exploited);
    for passed in 0..DAYS {
        working.day(begin.plus(passed), &small.known);
    }
    working.exposed()
}

/// The least that any order of changes leaves exposed, found by trying them all.
fn least(small: &Small) -> u64 {
    type Seen = HashMap<(i32, Vec<u32>, u32), u64>;
    fn from(small: &Small, at: i32, hosts: &[u32], left: u32, seen: &mut Seen) -> u64 {
        if at == DAYS {
            assert!(hosts.iter().all(|hosts| *hosts == 0), "{DAYS} days are too few");
            return 0;
        }
        if let Some(known) = seen.get(&(at, hosts.to_vec(), left)) {
            return *known;
        }
        let today = day(BEGIN).plus(at);
        let offered = |place: usize| small.software[place].updates[0].offered;
        let open = |at: Day, hosts: &[u32]| -> u64 {
            let each = hosts.iter().enumerate().filter(|(place, _)| offered(*place) <= at);
            each.map(|(place, hosts)| {
                u64::from(*hosts) * small.software[place].updates[0].closes.len() as u64
            })
            .sum()
        };
        let next = |left: u32, hosts: &[u32], seen: &mut Seen| {
            let tomorrow = today.plus(1);
            let exposed = if at + 1 < DAYS { open(tomorrow, hosts) } else { 0 };
            exposed + from(small, at + 1, hosts, left + small.estate.minutes_a_day, seen)
        };
        let mut best = u64::MAX;
        let mut anything = false;
        for place in 0..hosts.len() {
            if hosts[place] == 0 || offered(place) > today {
                continue;
            }
            anything = true;
            let minutes = small.estate.held[place].minutes;
            best = best.min(if minutes <= left {
                let mut hosts = hosts.to_vec();
                hosts[place] -= 1;
                from(small, at, &hosts, left - minutes, seen)
            } else {
                // It is begun today and finished tomorrow.
                next(left, hosts, seen)
            });
        }
        if !anything {
            best = next(0, hosts, seen);
        }
        seen.insert((at, hosts.to_vec(), left), best);
        best
    }
    let hosts: Vec<u32> = small.estate.held.iter().map(|held| held.hosts).collect();
    let first: u64 = (0..hosts.len())
        .filter(|place| small.software[*place].updates[0].offered == day(BEGIN))
        .map(|place| u64::from(hosts[place]) * small.software[place].updates[0].closes.len() as u64)
        .sum();
    first + from(small, 0, &hosts, small.estate.minutes_a_day, &mut HashMap::new())
}

#[test]
fn the_order_is_near_the_exact_optimum() {
    let history = world(60, 1, Planted::Nothing);
    let mut draw = Draw(11);
    let (mut own, mut best, mut worst, mut beyond) = (0, 0, 1.0_f64, 0);
    let cases = 1_000;
    for _ in 0..cases {
        let small = small(&mut draw, &history);
        let (left, least) = (worked(&small, Order::PerHour).host_days, least(&small));
        assert!(left >= least, "no order is better than the best: {left} of {least}");
        (own, best) = (own + left, best + least);
        let ratio = left as f64 / least.max(1) as f64;
        worst = worst.max(ratio);
        beyond += u32::from(ratio > 1.05);
    }
    let ratio = own as f64 / best as f64;
    println!(
        "measured: {cases} small cases, {:.2} % above the exact optimum in all, {beyond} by more than 5 %, at worst {:.0} %",
        100.0 * (ratio - 1.0),
        100.0 * (worst - 1.0)
    );
    assert!(ratio <= 1.05, "{ratio}");
}

/// A package by its place, and its updates.
type Named = (usize, Vec<(Day, Vec<CveId>)>);

/// Packages of made-up vulnerabilities that are known by a day, each with two updates some weeks apart.
fn packages(history: &History, by: Day) -> Vec<Named> {
    let cves: Vec<CveId> = history.on(by).cves().map(|(_, known)| known.id()).collect();
    let package = |(place, closes): (usize, &[CveId])| {
        let offered = |part: usize| day(BEGIN).plus(i32::try_from(20 + (place + 30 * part) % 40).unwrap());
        let updates = closes.chunks(6).enumerate().map(|(part, closes)| (offered(part), closes.to_vec()));
        (place, updates.collect())
    };
    cves.chunks(12).enumerate().map(package).collect()
}

/// The same by the places that vulnerabilities have in a history.
fn software_of(history: &History, packages: &[Named]) -> Vec<Software> {
    let package = |(place, updates): &Named| {
        let update = |(offered, closes): &(Day, Vec<CveId>)| Update {
            offered: *offered,
            closes: closes.iter().map(|id| history.find(*id).unwrap()).collect(),
        };
        let mut updates: Vec<Update> = updates.iter().map(update).collect();
        in_order(&mut updates);
        Software { release: 0, everywhere: *place == 0, updates }
    };
    packages.iter().map(package).collect()
}

#[test]
fn no_order_looks_ahead_but_the_one_that_says_so() {
    let history = world(2_000, 5, Planted::Nothing);
    let (begin, until) = (day(BEGIN), day(BEGIN).plus(60));
    let other = history.with_other_future(until, 3);
    let packages = packages(&history, until);
    let models = ModelFile::shipped().unwrap();
    for order in Order::ALL {
        let worked = |history: &History| {
            let software = software_of(history, &packages);
            let estate = Estate::drawn(4, &software, 60);
            // Whatever the orders do shows in what is open of anything.
            let all: BTreeMap<Cve, Day> = history.cves().map(|cve| (cve, begin)).collect();
            let mut working = Working::new(order, &estate, &software, begin, &all);
            let mut walk = Walk::new(history);
            for day in (begin.number()..=until.number()).map(Day::from_number) {
                let known = Known::on(&walk.on(day), day, &software, &models, &BTreeMap::new());
                working.day(day, &known);
            }
            working.exposed()
        };
        let own = worked(&history);
        assert!(own.changes > 0 && own.host_days > 0);
        assert_eq!(own, worked(&other), "{order:?}");
    }
    // And an attacker looks back alone.
    let taken = |history: &History| -> Vec<Vec<(CveId, Day)>> {
        let by_id =
            |taken: &BTreeMap<Cve, Day>| taken.iter().map(|(cve, day)| (history.id(*cve), *day)).collect();
        attacks(3, history, &software_of(history, &packages), (begin, until)).iter().map(by_id).collect()
    };
    assert!(taken(&history).iter().any(|taken| !taken.is_empty()));
    assert_eq!(taken(&history), taken(&other));
}

#[test]
fn more_work_leaves_less_and_none_leaves_all() {
    let history = world(2_000, 6, Planted::Nothing);
    let (begin, days) = (day(BEGIN), 80);
    let software = software_of(&history, &packages(&history, begin.plus(60)));
    let drawn = Estate::drawn(8, &software, 60);
    let all: BTreeMap<Cve, Day> = history.cves().map(|cve| (cve, begin)).collect();
    let known = Known::on(
        &Walk::new(&history).on(begin),
        begin,
        &software,
        &ModelFile::shipped().unwrap(),
        &BTreeMap::new(),
    );
    let left = |minutes_a_day| {
        let estate = Estate { minutes_a_day, ..drawn.clone() };
        let mut working = Working::new(Order::PerChange, &estate, &software, begin, &all);
        for passed in 0..days {
            working.day(begin.plus(passed), &known);
        }
        let exposed = working.exposed();
        assert!(exposed.minutes <= u64::from(minutes_a_day) * days as u64, "no more is done than can be");
        exposed.host_days
    };
    let whole: u64 = drawn
        .held
        .iter()
        .flat_map(|held| software[held.software].updates.iter().map(move |update| (held, update)))
        .map(|(held, update)| {
            let days = u64::try_from(days - update.offered.since(begin)).unwrap_or(0);
            u64::from(held.hosts) * update.closes.len() as u64 * days
        })
        .sum();
    assert_eq!(left(0), whole);
    let falling: Vec<u64> = [10, 100, 1_000, 10_000].into_iter().map(left).collect();
    assert!(falling.is_sorted_by(|more, less| more > less), "{falling:?}");
}
