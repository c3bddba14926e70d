//! Policies replayed, against a count by hand.

use std::ops::ControlFlow;

use tenon_model::{Automatable, Exploitation, TechnicalImpact};
use tenon_predict::backtest::{
    Acts, Counts, Ended, Fleet, Material, Policy, PolicyFile, Replay, Replayed, chart, page,
};
use tenon_predict::{
    Dated, Day, Fact, History, HistoryBuilder, ModelFile, Outcomes, Points, Snapshot, Universe,
};

use crate::world::{Planted, cve, day, ppm, world};

fn replay(
    history: &History,
    outcomes: &Outcomes,
    models: &ModelFile,
    policies: &[Policy],
    universe: Universe,
    span: (Day, Day),
) -> Vec<Replayed> {
    Replay { policies, universe, span, fleet: None }
        .over(history, outcomes, models, &mut |_| ControlFlow::Continue(()))
        .unwrap()
}

fn policy(text: &str) -> Policy {
    text.parse().unwrap()
}

#[test]
fn a_threshold_on_scores_is_counted_as_by_hand() {
    let history = world(1_500, 8, Planted::Nothing);
    let outcomes = Outcomes::of(&history);
    let models = ModelFile::shipped().unwrap();
    let span = (day("2024-05-01"), day("2025-03-31"));
    let policies = [policy("epss>=0.001"), policy("epss-top=1%"), policy("kev"), policy("model-top=1%")];
    let replayed = replay(&history, &outcomes, &models, &policies, Universe::Scored, span);
    assert!(replayed[0].days.len() > 40);
    for (one, top) in replayed[0].days.iter().zip(&replayed[1].days) {
        let known = history.on(one.day);
        let eligible: Vec<_> =
            known.cves().filter(|(_, known)| known.score().is_some() && !known.is_listed()).collect();
        let flagged: Vec<_> =
            eligible.iter().filter(|(_, known)| known.score().unwrap().ppm() >= 1_000).collect();
        // Listed in the thirty days after: not on the day, but at the latest on the thirtieth.
        let listed = |cve| {
            (1..=30)
                .any(|days| history.on(one.day.plus(days)).get(cve).is_some_and(|known| known.is_listed()))
        };
        assert_eq!(one.counts.eligible, eligible.len() as u64);
        assert_eq!(one.counts.flagged, flagged.len() as u64);
        assert_eq!(one.counts.true_positives, flagged.iter().filter(|(cve, _)| listed(*cve)).count() as u64);
        assert_eq!(one.counts.positives, eligible.iter().filter(|(cve, _)| listed(*cve)).count() as u64);
        assert_eq!(one.counts.listed, one.counts.positives + one.counts.unscored_positives);
        assert_eq!(top.counts.flagged, (eligible.len() as u64).div_ceil(100));
    }
    assert_eq!(replayed[2].total().flagged, 0, "what is eligible is not listed");
    // No model could be used before its first day.
    let models_from = models.models[0].usable_from;
    for one in &replayed[3].days {
        assert_eq!(one.counts.flagged > 0, one.day >= models_from, "{}", one.day);
    }
}

#[test]
fn days_that_are_not_over_are_left_out_and_models_of_epss_stay_apart() {
    let mut builder = HistoryBuilder::default();
    for (place, scored) in ["2025-03-15", "2025-03-22", "2025-06-01", "2025-12-20"].iter().enumerate() {
        let scored = day(scored);
        let model = if place == 0 { "v3" } else { "v4" }.to_owned();
        builder.snapshot(Snapshot { scored, known: scored.plus(1), model });
        builder.add(cve(10_001), scored.plus(1), Fact::Scored(ppm(if place == 0 { 2_800 } else { 836_700 })));
    }
    builder.add(cve(10_001), day("2025-06-20"), Fact::Listed);
    builder.add(cve(10_002), day("2025-06-21"), Fact::Listed);
    builder.listings_until(day("2025-12-31"));
    let history = builder.build();
    let replayed = replay(
        &history,
        &Outcomes::of(&history),
        &ModelFile::shipped().unwrap(),
        &[policy("epss>=0.1")],
        Universe::Scored,
        (day("2025-01-01"), day("2025-12-31")),
    );
    let days: Vec<Day> = replayed[0].days.iter().map(|one| one.day).collect();
    assert_eq!(days, [day("2025-03-16"), day("2025-03-23"), day("2025-06-02")]);
    let pools = replayed[0].by_epss_model();
    let flagged: Vec<_> = pools
        .iter()
        .map(|pool| (pool.of.as_str(), pool.counts.flagged, pool.counts.true_positives))
        .collect();
    assert_eq!(flagged, [("v3", 0, 0), ("v4", 2, 1)]);
    let total = replayed[0].total();
    assert_eq!((total.positives, total.unscored_positives, total.listed), (1, 1, 2));
    assert_eq!((total.coverage(), total.coverage_of_all()), (Some(1.0), Some(0.5)));
}

/// Stated facts decide from the day they are known; what nobody states flags nothing.
#[test]
fn policies_that_read_records_wait_for_them() {
    let facts = |automatable, technical_impact| {
        Fact::Ssvc(Points { exploitation: Exploitation::None, automatable, technical_impact })
    };
    let (yes, no) = (Some(Automatable::Yes), Some(Automatable::No));
    let (total, partial) = (Some(TechnicalImpact::Total), Some(TechnicalImpact::Partial));
    let flagged = |fact: Fact, policy_text: &str| -> Vec<u64> {
        let mut builder = HistoryBuilder::default();
        for scored in ["2025-02-01", "2025-02-08"] {
            let scored = day(scored);
            builder.snapshot(Snapshot { scored, known: scored.plus(1), model: "v3".to_owned() });
        }
        builder.add(cve(10_001), day("2025-02-02"), Fact::Scored(ppm(100)));
        builder.add(cve(10_001), day("2025-02-05"), fact);
        builder.listings_until(day("2025-12-31"));
        let history: History = builder.build();
        let outcomes = Outcomes::of(&history);
        let span = (day("2025-01-01"), day("2025-12-31"));
        let models = ModelFile::shipped().unwrap();
        let replayed = replay(&history, &outcomes, &models, &[policy(policy_text)], Universe::Scored, span);
        replayed[0].days.iter().map(|one| one.counts.flagged).collect()
    };
    assert_eq!(flagged(Fact::Cvss(70), "cvss>=7"), [0, 1]);
    assert_eq!(flagged(Fact::Cvss(69), "cvss>=7"), [0, 0]);
    assert_eq!(flagged(facts(yes, total), "bod-26-04"), [0, 1], "row 14: 3 days");
    assert_eq!(flagged(facts(yes, partial), "bod-26-04"), [0, 1], "row 7: 14 days");
    assert_eq!(flagged(facts(no, total), "bod-26-04"), [0, 1], "row 9: 14 days");
    assert_eq!(flagged(facts(no, partial), "bod-26-04"), [0, 0], "row 2: 60 days");
    assert_eq!(flagged(facts(yes, None), "bod-26-04"), [0, 0], "not stated");
    let with_exploit = |automatable| {
        Fact::Ssvc(Points { exploitation: Exploitation::PublicPoc, automatable, technical_impact: partial })
    };
    assert_eq!(flagged(with_exploit(yes), "ssvc"), [0, 1], "row 46: out-of-cycle");
    assert_eq!(flagged(with_exploit(no), "ssvc"), [0, 0], "row 42: scheduled");
    assert_eq!(flagged(facts(yes, partial), "ssvc"), [0, 0], "row 22: scheduled");
    assert_eq!(flagged(with_exploit(None), "ssvc"), [0, 0], "not stated");
}

fn file(acts: Acts, text: &str) -> Policy {
    let policy = tenon_policy::read(text).unwrap_or_else(|problems| panic!("{problems:?}"));
    Policy::File(Box::new(PolicyFile { name: "policy.yaml".to_owned(), policy, acts }))
}

/// Replays over a made-up world, in which every third CVE has decision points from its first month on.
fn over_the_world(policies: &[Policy]) -> Vec<Replayed> {
    let history = world(1_500, 8, Planted::Nothing);
    let mut draw = crate::world::Draw(5);
    let stated = history.cves().filter_map(|cve| {
        let first = history.on(day("2025-12-31")).facts(cve).first()?.known;
        let (automatable, technical_impact) = match draw.below(9) {
            0 => (Some(Automatable::Yes), Some(TechnicalImpact::Total)),
            1 => (Some(Automatable::No), Some(TechnicalImpact::Total)),
            2 => (Some(Automatable::No), Some(TechnicalImpact::Partial)),
            3 => (Some(Automatable::Yes), None),
            _ => return None,
        };
        let points = Points { exploitation: Exploitation::None, automatable, technical_impact };
        Some((history.id(cve), Dated { known: first.plus(30), fact: Fact::Ssvc(points) }))
    });
    let history = history.with(stated.collect());
    let span = (day("2024-05-01"), day("2025-03-31"));
    let models = ModelFile::shipped().unwrap();
    replay(&history, &Outcomes::of(&history), &models, policies, Universe::Scored, span)
}

/// Rules that say what a built-in policy says flag what it flags, on every day.
#[test]
fn policy_files_decide_as_the_built_in_policies_that_say_the_same() {
    let automatic = |when: &str| {
        let rule = format!("version: 1\nrules:\n  - name: now\n    when: {when}\n    approval: automatic\n");
        file(Acts::Automatic, &format!("{rule}  - name: rest\n    approval: forbidden\n"))
    };
    let preset = tenon_policy::PRESETS.iter().find(|preset| preset.name == "bod-26-04").unwrap();
    let pairs = [
        (automatic("vulnerability.epss_percent >= 10"), policy("epss>=0.1")),
        (automatic("vulnerability.foreseen_ppm >= 1000"), policy("model>=0.001")),
        (automatic("vulnerability.kev"), policy("kev")),
        (file(Acts::Automatic, preset.text), policy("bod-26-04")),
    ];
    let policies: Vec<Policy> =
        pairs.iter().flat_map(|(file, built_in)| [file.clone(), built_in.clone()]).collect();
    let replayed = over_the_world(&policies);
    for (place, two) in replayed.chunks(2).enumerate() {
        assert_eq!(two[0].days, two[1].days, "{}", two[1].policy);
        assert_eq!(two[0].total().flagged > 0, place != 2, "{}", two[1].policy);
        let (total, said) = (two[0].total(), two[0].said.clone().unwrap());
        assert_eq!(said.automatic, total.flagged);
        assert_eq!(said.automatic + said.people + said.forbidden + said.undecided, total.eligible);
        assert_eq!(two[1].said, None);
    }
    // Before the first model nothing is foreseen, which is not the same as nothing likely.
    let undecided = replayed[2].said.clone().unwrap();
    let before: u64 = replayed[2]
        .days
        .iter()
        .filter(|one| one.day < ModelFile::shipped().unwrap().models[0].usable_from)
        .map(|one| one.counts.eligible)
        .sum();
    assert!(before > 0);
    assert_eq!(undecided.undecided, before);
    assert_eq!(undecided.missing.into_iter().collect::<Vec<_>>(), [("vulnerability.foreseen_ppm", before)]);
    // Where no record states the inputs, the row is not known and nothing is flagged.
    let unstated = replayed[6].said.clone().unwrap();
    assert_eq!(unstated.missing.into_iter().collect::<Vec<_>>(), [("decision.outcome", unstated.undecided)]);
    assert!(unstated.undecided > 0 && unstated.people > 0);
}

#[test]
fn what_of_a_policy_file_flags_is_said_and_what_nobody_knows_is_counted() {
    let text = "version: 1\n\
        emergency:\n  when: vulnerability.exploitation == 'public poc'\n\
        rules:\n\
        \x20 - name: web\n    when: vulnerability.epss_percent >= 10 && asset.exposure == 'open'\n    approval: automatic\n\
        \x20 - name: never\n    when: vulnerability.epss_percent == 0\n    approval: forbidden\n\
        \x20 - name: curl\n    when: directive.package == 'curl'\n    approval: forbidden\n";
    let flagging = [Acts::Automatic, Acts::Emergency, Acts::Allowed];
    let replayed = over_the_world(&flagging.map(|acts| file(acts, text)));
    let said = replayed[0].said.clone().unwrap();
    assert!(said.automatic > 0 && said.forbidden > 0 && said.undecided > 0 && said.emergency > 0);
    assert_eq!(said.people, 0, "what no rule decides for sure is decided by none");
    assert_eq!(said.missing.iter().collect::<Vec<_>>(), [(&"directive.package", &said.undecided)]);
    let flagged: Vec<u64> = replayed.iter().map(|one| one.total().flagged).collect();
    assert_eq!(flagged[0], said.automatic);
    assert!(
        flagged[1] > 0 && flagged[1] < said.emergency,
        "emergencies that are forbidden or undecided do not flag"
    );
    assert_eq!(flagged[2], said.automatic + said.people);
    assert!(replayed.iter().all(|one| one.said.as_ref() == Some(&said)));
}

#[test]
fn a_page_needs_nothing_else_and_says_what_was_supposed() {
    let hostile = "<script>alert('\"')</script>.yaml";
    let Policy::File(named) =
        file(Acts::Automatic, "version: 1\nrules:\n  - name: all\n    approval: automatic\n")
    else {
        unreachable!("a file is a file")
    };
    let policies =
        [policy("epss>=0.1"), Policy::File(Box::new(PolicyFile { name: hostile.to_owned(), ..*named }))];
    let replayed = over_the_world(&policies);
    let text = page(&Material {
        span: (day("2024-05-01"), day("2025-03-31")),
        left_out: 3,
        universe: Universe::Scored,
        digest: "0123abcd",
        model: "five-2026-08-07",
        policies: &replayed,
        fleet: None,
    });
    assert!(text.starts_with("<!doctype html>") && text.trim_end().ends_with("</html>"));
    for absent in ["<script", "http://", "https://", "<link", "<img", "src=", "url(", "@import"] {
        // The name of SVG's own language is no address that anything is fetched from.
        assert!(!text.replace("http://www.w3.org/2000/svg", "").contains(absent), "{absent}");
    }
    for present in
        ["epss&gt;=0.1", "&lt;script&gt;", "0123abcd", "3 left out", "asset.exposure", "directive.package"]
    {
        assert!(text.contains(present), "{present}");
    }
    let total = replayed[0].total();
    assert!(text.contains(&format!(">{:.1}%</td>", total.coverage().unwrap() * 100.0)));
    assert_eq!(text.matches("<svg ").count(), 2, "a wide chart and a narrow one");
}

#[test]
fn policies_are_spelt_as_they_are_printed() {
    for text in [
        "cvss>=7",
        "cvss>=9.8",
        "epss>=0.1",
        "epss-top=1%",
        "kev",
        "ssvc",
        "bod-26-04",
        "model>=0.001",
        "model-top=0.5%",
    ] {
        assert_eq!(policy(text).to_string(), text);
    }
    for text in
        ["", "cvss>=11", "epss>=2", "epss>=NaN", "epss-top=0%", "epss-top=1", "model>=", "KEV", "cvss>7"]
    {
        assert!(text.parse::<Policy>().is_err(), "{text}");
    }
}

#[test]
fn a_chart_names_its_policies_and_has_no_script() {
    let history = world(500, 8, Planted::Nothing);
    let span = (day("2024-05-01"), day("2025-03-31"));
    let replayed = replay(
        &history,
        &Outcomes::of(&history),
        &ModelFile::shipped().unwrap(),
        &[policy("epss>=0.001"), policy("epss-top=1%")],
        Universe::Scored,
        span,
    );
    let svg = chart(&replayed);
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    assert_eq!(svg.matches("<polyline").count(), 4);
    assert!(svg.contains("epss&gt;=0.001") && svg.contains("epss-top=1%") && !svg.contains("<script"));
    assert!(chart(&[]).contains("No day to show."));
}

/// Weekly days; 10,001 is likely from the second week and listed in the fourth, 10,002 never likely and listed in the third, 10,003
/// public from the third and never listed, 10,004 listed before the first, 10,005 likely from the fifth.
fn small_history() -> History {
    let mut builder = HistoryBuilder::default();
    let week = |week: i32| day("2025-03-15").plus(7 * week);
    for place in 0..6 {
        let known = week(place).plus(1);
        builder.snapshot(Snapshot { scored: week(place), known, model: "v4".to_owned() });
        let scores = [
            (10_001, if place >= 1 { 500_000 } else { 100 }),
            (10_002, 200),
            (10_003, if place >= 2 { 300 } else { 0 }),
            (10_004, 900_000),
            (10_005, if place >= 4 { 400_000 } else { 100 }),
        ];
        for (number, score) in scores.into_iter().filter(|(_, score)| *score > 0) {
            builder.add(cve(number), known, Fact::Scored(ppm(score)));
        }
    }
    builder.add(cve(10_001), week(3).plus(3), Fact::Listed);
    builder.add(cve(10_002), week(2).plus(3), Fact::Listed);
    builder.add(cve(10_004), week(0).plus(-20), Fact::Listed);
    builder.listings_until(day("2025-12-31"));
    builder.build()
}

#[test]
fn what_a_fleet_is_spared_is_counted_as_by_hand() {
    let history = small_history();
    let (outcomes, models) = (Outcomes::of(&history), ModelFile::shipped().unwrap());
    let policies = [policy("epss>=0.1"), policy("kev")];
    let spared = |fleet: &Fleet| {
        let span = (day("2025-03-01"), day("2025-06-30"));
        let replay = Replay { policies: &policies, universe: Universe::Scored, span, fleet: Some(fleet) };
        let replayed = replay.over(&history, &outcomes, &models, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(replayed[0].days.len(), 6);
        [replayed[0].spared.unwrap(), replayed[1].spared.unwrap()]
    };
    let told =
        |one: &tenon_predict::backtest::Spared| (one.changes, one.exploited, one.ahead, one.exposed_hours);
    let fleet = |fix_days: u16| {
        let mut fleet = Fleet::new(fix_days);
        assert!(fleet.add("a") && fleet.add("b") && fleet.add("idle") && !fleet.add("a"));
        for host in ["a", "b"] {
            fleet.find(host, "web", cve(10_001));
        }
        for number in [10_002, 10_003, 10_005] {
            fleet.find("a", "db", cve(number));
        }
        fleet.find("b", "old", cve(10_004));
        fleet.find("b", "old", cve(99_999));
        fleet
    };
    let week = fleet(7);
    let size = week.size();
    assert_eq!((size.hosts, size.packages, size.findings, size.cves), (3, 4, 7, 6));
    // By score: the web servers in the second week, fixed two days before the listing in the fourth week and three days. The database
    // when 10,002 is listed, which is a week of exposure, and closes 10,003, public since two days, with it; again for 10,005? It was
    // public from the first week: closed already.
    let [by_score, by_list] = spared(&week);
    assert_eq!(told(&by_score), (3, 3, 2, 7 * 24));
    // Waiting for the list: a week of exposure for each.
    assert_eq!(told(&by_list), (3, 3, 0, 3 * 7 * 24));
    // Where a fix takes three weeks, that asked for by score comes five days after the listing.
    let [by_score, _] = spared(&fleet(21));
    assert_eq!(told(&by_score), (3, 3, 0, 2 * 5 * 24 + 21 * 24));
    // At once.
    let [by_score, by_list] = spared(&fleet(0));
    assert_eq!((told(&by_score), told(&by_list)), ((3, 3, 3, 0), (3, 3, 3, 0)));
    // What was listed before the first day is of no interest, and nothing is a fleet of nothing.
    let mut old = Fleet::new(7);
    old.find("b", "old", cve(10_004));
    assert_eq!(spared(&old).map(|one| told(&one)), [(0, 0, 0, 0); 2]);
}

#[test]
fn what_becomes_public_after_an_update_takes_another() {
    let history = small_history();
    let (outcomes, models) = (Outcomes::of(&history), ModelFile::shipped().unwrap());
    let mut fleet = Fleet::new(0);
    fleet.find("a", "web", cve(10_001));
    fleet.find("a", "web", cve(10_003));
    let policies = [policy("epss>=0.0002"), policy("epss>=0.1")];
    let span = (day("2025-03-01"), day("2025-06-30"));
    let replay = Replay { policies: &policies, universe: Universe::Scored, span, fleet: Some(&fleet) };
    let replayed = replay.over(&history, &outcomes, &models, &mut |_| ControlFlow::Continue(())).unwrap();
    let changes: Vec<u64> = replayed.iter().map(|one| one.spared.unwrap().changes).collect();
    assert_eq!(changes, [2, 1], "10,003 was not public yet when the update was asked for in the second week");
}

#[test]
fn months_mean_their_first_or_their_last_day() {
    let both = |text: &str| (Day::first_of(text).unwrap(), Day::last_of(text).unwrap());
    assert_eq!(both("2024-02"), (day("2024-02-01"), day("2024-02-29")));
    assert_eq!(both("2025-12"), (day("2025-12-01"), day("2025-12-31")));
    assert_eq!(both("2025-04-09"), (day("2025-04-09"), day("2025-04-09")));
    for text in ["", "2025", "2025-13", "2025-02-30", "2025-1"] {
        assert!(Day::first_of(text).is_err() && Day::last_of(text).is_err(), "{text}");
    }
}

#[test]
fn a_replay_ends_when_it_is_told_to_and_its_parts_add_up() {
    let history = small_history();
    let (outcomes, models) = (Outcomes::of(&history), ModelFile::shipped().unwrap());
    let policies = [policy("epss>=0.1")];
    let span = (day("2025-03-01"), day("2025-12-31"));
    let replay = Replay { policies: &policies, universe: Universe::Scored, span, fleet: None };
    let mut seen = 0;
    let ended = replay.over(&history, &outcomes, &models, &mut |_| {
        seen += 1;
        if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((ended, seen), (Err(Ended), 3));
    let whole = replay.over(&history, &outcomes, &models, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(replay.days(&history), whole[0].days.len());
    let all = over_the_world(&policies).remove(0);
    let halves = all.by_half_year();
    let by_half: Vec<Counts> = halves.iter().map(|pool| pool.counts.clone()).collect();
    let by_model = all.by_epss_model().into_iter().map(|pool| pool.counts).collect();
    for parts in [by_half, by_model] {
        let sum = |of: fn(&Counts) -> u64| parts.iter().map(of).sum::<u64>();
        let total = all.total();
        assert_eq!((sum(|one| one.eligible), sum(|one| one.flagged)), (total.eligible, total.flagged));
        assert_eq!((sum(|one| one.positives), sum(|one| one.listed)), (total.positives, total.listed));
    }
    assert_eq!(halves.iter().map(|pool| pool.days).sum::<u64>(), all.days.len() as u64);
    assert_eq!(halves.iter().map(|pool| pool.of).collect::<Vec<_>>(), [(2024, 1), (2024, 2), (2025, 1)]);
}
