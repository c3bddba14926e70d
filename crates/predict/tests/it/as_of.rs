//! Nothing dated after a day is visible on it.

use proptest::prelude::*;
use tenon_predict::{
    Bound, CveId, Dated, Day, Fact, HistoryBuilder, Known, Outcomes, Sighting, Snapshot, Term, Walk,
    foresight,
};

use crate::world::{BEGIN, Planted, cve, day, ppm, world};

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        (0_u32..1_000_000).prop_map(|score| Fact::Scored(ppm(score))),
        Just(Fact::Unscored),
        Just(Fact::Listed),
        Just(Fact::Delisted),
        Just(Fact::Seen(Sighting::PublicExploit)),
        Just(Fact::SeenBefore(Sighting::Framework)),
        Just(Fact::Seen(Sighting::Record)),
        (0_u8..100).prop_map(Fact::Cvss),
        (18_000_i32..20_000).prop_map(|number| Fact::Published(Day::from_number(number))),
    ]
}

/// Answers to every question about a CVE, from all of its facts each time.
fn from_facts(id: CveId, facts: &[Dated], on: Day, begins: Day) -> String {
    fn newest<T>(facts: &[Dated], pick: impl Fn(Fact) -> Option<T>) -> Option<T> {
        facts.iter().rev().find_map(|dated| pick(dated.fact))
    }
    let score = newest(facts, |fact| match fact {
        Fact::Scored(score) => Some(Some(score)),
        Fact::Unscored => Some(None),
        _ => None,
    });
    let listed = newest(facts, |fact| match fact {
        Fact::Listed => Some(true),
        Fact::Delisted => Some(false),
        _ => None,
    });
    let seen = |sighting| {
        facts.iter().find_map(|dated| match dated.fact {
            Fact::Seen(seen) if seen == sighting => Some((dated.known, Bound::OnThatDay)),
            Fact::SeenBefore(seen) if seen == sighting => Some((dated.known, Bound::OnOrBefore)),
            _ => None,
        })
    };
    let cvss = newest(facts, |fact| if let Fact::Cvss(tenths) = fact { Some(tenths) } else { None });
    let published = newest(facts, |fact| if let Fact::Published(day) = fact { Some(day) } else { None });
    let named = facts.iter().filter_map(|dated| match dated.fact {
        Fact::Scored(_) if dated.known == begins => Some(id.likely_named(dated.known)),
        Fact::SeenBefore(_) => Some(id.likely_named(dated.known)),
        Fact::Scored(_) | Fact::Seen(Sighting::PublicExploit | Sighting::Framework) => Some(dated.known),
        _ => None,
    });
    let recorded = seen(Sighting::Record).map(|(day, _)| day);
    let named = named.min().or(recorded).unwrap_or(on);
    let lists = [Sighting::PublicExploit, Sighting::Framework, Sighting::Record].map(seen);
    format!("{:?}", (id, on, score.flatten(), listed.unwrap_or(false), lists, cvss, published, named))
}

fn answers(known: &Known) -> String {
    let lists = [Sighting::PublicExploit, Sighting::Framework, Sighting::Record].map(|list| known.seen(list));
    let (id, on, score, listed) = (known.id(), known.day(), known.score(), known.is_listed());
    format!("{:?}", (id, on, score, listed, lists, known.cvss(), known.published(), known.first_named()))
}

proptest! {
    /// What is carried on from day to day, forwards and anew, says what all of the facts say.
    #[test]
    fn days_in_order_say_what_each_day_says(
        facts in prop::collection::vec((0_u32..6, 19_800_i32..19_830, fact()), 0..80),
        days in prop::collection::vec(19_795_i32..19_835, 1..12),
    ) {
        let mut builder = HistoryBuilder::default();
        let begins = Day::from_number(19_805);
        builder.snapshot(Snapshot { scored: begins.plus(-1), known: begins, model: "v1".to_owned() });
        for (number, known, fact) in &facts {
            builder.add(cve(10_000 + number), Day::from_number(*known), *fact);
        }
        let history = builder.build();
        let mut walk = Walk::new(&history);
        for on in days.into_iter().map(Day::from_number) {
            let by_facts: Vec<String> = history
                .cves()
                .map(|cve| (history.id(cve), history.on(on).facts(cve)))
                .filter(|(_, facts)| !facts.is_empty())
                .map(|(id, facts)| from_facts(id, facts, on, begins))
                .collect();
            let alone: Vec<String> = history.on(on).cves().map(|(_, known)| answers(&known)).collect();
            let walked: Vec<String> = walk.on(on).cves().map(|(_, known)| answers(&known)).collect();
            prop_assert_eq!(&alone, &by_facts);
            prop_assert_eq!(&walked, &by_facts);
        }
    }

    /// Whatever is gathered: a day shows what was known by its end, all of it, in order, and nothing else; and it is the
    /// same on another future.
    #[test]
    fn a_day_shows_what_was_known_by_its_end(
        facts in prop::collection::vec((0_u32..6, 19_800_i32..20_000, fact()), 0..60),
        on in 19_790_i32..20_010,
        seed in any::<u64>(),
    ) {
        let mut builder = HistoryBuilder::default();
        for (number, known, fact) in &facts {
            builder.add(cve(10_000 + number), Day::from_number(*known), *fact);
        }
        let history = builder.build();
        let on = Day::from_number(on);
        for number in 0..6 {
            let mut expected: Vec<Dated> = facts
                .iter()
                .filter(|(other, known, _)| *other == number && Day::from_number(*known) <= on)
                .map(|(_, known, fact)| Dated { known: Day::from_number(*known), fact: *fact })
                .collect();
            expected.sort_by_key(|dated| dated.known);
            let shown = history.find(cve(10_000 + number)).map(|cve| history.on(on).facts(cve).to_vec());
            prop_assert_eq!(shown.unwrap_or_default(), expected);
        }
        let look = |history: &tenon_predict::History, cve| history.on(on).facts(cve).to_vec();
        prop_assert!(foresight(&history, on, seed, look).is_ok());
        // Merging later gives the same as gathering at once.
        let (some, rest) = facts.split_at(facts.len() / 2);
        let mut first = HistoryBuilder::default();
        for (number, known, fact) in some {
            first.add(cve(10_000 + number), Day::from_number(*known), *fact);
        }
        let rest = rest.iter().map(|(number, known, fact)| {
            (cve(10_000 + number), Dated { known: Day::from_number(*known), fact: *fact })
        });
        prop_assert_eq!(first.build().with(rest.collect()), history);
    }
}

#[test]
fn no_term_of_a_model_looks_ahead() {
    let history = world(2_000, 3, Planted::Nothing);
    for term in Term::WITH_RECORDS.iter().chain(Term::FIVE) {
        for week in [0, 20, 40] {
            let on = day(BEGIN).plus(7 * week + 1);
            let look = |history: &tenon_predict::History, cve| {
                history.on(on).get(cve).and_then(|known| term.of(&known))
            };
            assert!(foresight(&history, on, 7, look).is_ok(), "{term} on {on}");
        }
    }
}

#[test]
fn planted_leaks_are_caught() {
    let history = world(2_000, 3, Planted::Nothing);
    let on = day(BEGIN).plus(141);
    // A score of the next week, an exploit seen within the horizon, the answer itself.
    let next_week = |history: &tenon_predict::History, cve| {
        history.on(on.plus(7)).get(cve).and_then(|known| known.score())
    };
    assert!(foresight(&history, on, 7, next_week).is_err());
    let exploit = |history: &tenon_predict::History, cve| {
        history.on(on.plus(30)).get(cve).and_then(|known| known.seen(Sighting::PublicExploit))
    };
    assert!(foresight(&history, on, 7, exploit).is_err());
    let answer =
        |history: &tenon_predict::History, cve| Outcomes::of(history).after(on).unwrap().contains(&cve);
    let small = world(60, 3, Planted::Nothing);
    assert!(foresight(&small, on, 7, answer).is_err());
}

#[test]
fn a_listing_that_was_taken_back_counts_while_it_stood() {
    let mut builder = HistoryBuilder::default();
    let (id, start) = (cve(10_001), day("2024-09-10"));
    builder.add(id, day("2024-09-01"), Fact::Scored(ppm(500)));
    builder.add(id, start, Fact::Listed);
    builder.add(id, day("2024-09-25"), Fact::Delisted);
    builder.listings_until(day("2024-12-31"));
    let history = builder.build();
    let outcomes = Outcomes::of(&history);
    let place = history.find(id).unwrap();
    let listed = |on: &str| history.on(day(on)).get(place).unwrap().is_listed();
    assert_eq!(
        (listed("2024-09-09"), listed("2024-09-10"), listed("2024-09-24"), listed("2024-09-25")),
        (false, true, true, false)
    );
    let after = |on: Day| outcomes.after(on).unwrap().contains(&place);
    // Within (S, S + 30]: the day itself is no foresight, the thirtieth day after is.
    assert_eq!(
        (after(start), after(start.plus(-1)), after(start.plus(-30)), after(start.plus(-31))),
        (false, true, true, false)
    );
    assert_eq!(outcomes.after(day("2024-12-02")), None, "its thirty days are not over");
    assert!(outcomes.after(day("2024-12-01")).is_some());
}

#[test]
fn ages_begin_when_a_cve_could_be_named() {
    let history = world(10, 1, Planted::Nothing);
    let first = history.snapshots()[0].known;
    let mut builder = HistoryBuilder::default();
    builder.snapshot(history.snapshots()[0].clone());
    // In the first scores of the history: in the middle of the time in which it can have been published.
    builder.add(cve(10_001), first, Fact::Scored(ppm(500)));
    builder.add("CVE-2019-1234".parse().unwrap(), first, Fact::Scored(ppm(500)));
    // An exploit, then a score; a record alone; a record before its score does not count.
    builder.add(cve(10_002), first.plus(20), Fact::Seen(Sighting::PublicExploit));
    builder.add(cve(10_002), first.plus(30), Fact::Scored(ppm(500)));
    builder.add(cve(10_003), first.plus(25), Fact::Seen(Sighting::Record));
    builder.add(cve(10_004), first.plus(25), Fact::Seen(Sighting::Record));
    builder.add(cve(10_004), first.plus(28), Fact::Scored(ppm(500)));
    let history = builder.build();
    let on = first.plus(40);
    let named = |id| history.on(on).get(history.find(id).unwrap()).unwrap().first_named();
    assert_eq!(named(cve(10_001)), day("2024-02-18"));
    assert_eq!(named("CVE-2019-1234".parse().unwrap()), day("2019-07-02"));
    assert_eq!(named(cve(10_002)), first.plus(20));
    assert_eq!(named(cve(10_003)), first.plus(25));
    assert_eq!(named(cve(10_004)), first.plus(28), "records choose what they hold, scores do not");
    let facts = [Dated { known: on.plus(1), fact: Fact::Listed }];
    let known = Known::from_facts(cve(10_001), &facts, on, on.plus(3));
    assert_eq!((known.is_listed(), known.first_named()), (false, on));
}

#[test]
fn days_are_read_exactly() {
    for text in ["1970-01-01", "2024-02-29", "2024-12-31", "9999-12-30"] {
        assert_eq!(day(text).to_string(), text);
    }
    assert_eq!(day("2024-03-01").since(day("2024-02-28")), 2);
    assert_eq!(day("2023-06-19T23:16:27.550Z"), day("2023-06-19"));
    for text in
        ["2023-02-29", "2024-13-01", "1969-12-31", "2024-1-01", "", "20240-1-01", "2024-04-31", "9999-12-31"]
    {
        assert!(text.parse::<Day>().is_err(), "{text}");
    }
}
