//! The planner, held against the checker and against what people expect of single cases.
#![allow(clippy::unwrap_used)]

mod begins;

use std::collections::BTreeSet;

use proptest::prelude::*;
use tenon_checker::{Violation, check};
use tenon_model::{AssetOrdinal, AssetSet, Digest, HeldBack, Phase, Plan, Tempo, Wave};
use tenon_planner::{Candidate, Needs, Question, Redundancy, plan};

fn class(number: u8) -> Digest {
    Digest::of(&[number])
}

fn candidate(asset: u32) -> Candidate {
    Candidate {
        asset: AssetOrdinal(asset),
        class: class(0),
        environment: 3,
        harm: 500_000,
        redundancy: None,
        carries: BTreeSet::new(),
        calendar: 0,
    }
}

fn waves(plan: &Plan) -> Vec<(Phase, Vec<u32>)> {
    let assets = |assets: &AssetSet| assets.iter().map(|asset| asset.0).collect();
    plan.waves.iter().map(|wave| (wave.phase, assets(&wave.assets))).collect()
}

fn questions() -> impl Strategy<Value = Question> {
    let redundancy = prop::collection::vec((1_u64..20, 0_u64..6), 0..4).prop_map(|groups| {
        let group = |(place, (members, minimum)): (usize, (u64, u64))| Redundancy {
            name: format!("group {place}"),
            members,
            minimum,
        };
        groups.into_iter().enumerate().map(group).collect::<Vec<_>>()
    });
    let services = prop::collection::vec(prop::collection::btree_set(0_usize..6, 0..3), 0..6);
    let candidates = prop::collection::vec(
        (
            0_u8..4,
            0_u8..4,
            0_u64..5,
            prop::option::of(0_usize..4),
            prop::collection::btree_set(0_usize..6, 0..3),
            0_usize..3,
        ),
        0..80,
    );
    let tempo = prop::sample::select(Tempo::ALL);
    let proven = prop::collection::btree_set(0_u8..4, 0..3);
    let closed = prop::collection::btree_set(0_usize..3, 0..4);
    (redundancy, services, candidates, tempo, proven, closed).prop_map(
        |(redundancy, services, drawn, tempo, proven, closed)| {
            let mut used = vec![0; redundancy.len()];
            let mut candidates = Vec::new();
            for (asset, (kind, environment, harm, of, carries, calendar)) in (0..).zip(drawn) {
                // A group has no more candidates than members.
                let of = of.filter(|place: &usize| {
                    redundancy.get(*place).is_some_and(|group: &Redundancy| used[*place] < group.members)
                });
                if let Some(place) = of {
                    used[place] += 1;
                }
                let carries = carries.into_iter().filter(|service| *service < services.len()).collect();
                candidates.push(Candidate {
                    asset: AssetOrdinal(asset),
                    class: class(kind),
                    environment,
                    harm,
                    redundancy: of,
                    carries,
                    calendar,
                });
            }
            let services = services.into_iter().map(Needs).collect();
            let proven = proven.into_iter().map(class).collect();
            Question { candidates, proven, redundancy, services, closed, tempo }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn every_plan_keeps_what_plans_must_keep(question in questions()) {
        let plan = plan(&question, 1);
        prop_assert_eq!(check(&question, &plan), vec![]);
    }

    /// Of one environment and without services, what may begin is done before what waits for its window.
    #[test]
    fn what_waits_for_its_window_holds_nobody_else_back(mut question in questions()) {
        for candidate in &mut question.candidates {
            (candidate.environment, candidate.carries) = (3, BTreeSet::new());
        }
        let waits: BTreeSet<AssetOrdinal> = question.candidates.iter()
            .filter(|candidate| question.closed.contains(&candidate.calendar))
            .map(|candidate| candidate.asset)
            .collect();
        let plan = plan(&question, 1);
        prop_assert_eq!(check(&question, &plan), vec![]);
        let open = |wave: &Wave| wave.assets.iter().any(|asset| !waits.contains(&asset));
        let last_open = plan.waves.iter().rposition(open);
        let first_waiting = plan.waves.iter().position(|wave| !open(wave));
        prop_assert!(last_open.is_none() || first_waiting.is_none() || last_open < first_waiting);
    }

    /// The order in which assets are named is no reason.
    #[test]
    fn the_order_of_the_question_makes_no_difference(question in questions()) {
        let mut turned = question.clone();
        turned.candidates.reverse();
        prop_assert_eq!(plan(&question, 1), plan(&turned, 1));
    }

    /// Broken on purpose, it is seen: two waves made one, an asset dropped, an asset done twice.
    #[test]
    fn the_checker_sees_what_is_broken(question in questions(), at in any::<prop::sample::Index>()) {
        let whole = plan(&question, 1);
        prop_assume!(!whole.waves.is_empty());
        let wave = at.index(whole.waves.len());
        let mut dropped = whole.clone();
        let first = dropped.waves[wave].assets.iter().next().unwrap();
        dropped.waves[wave].assets.remove(first);
        prop_assert!(check(&question, &dropped).contains(&Violation::LeftOut(first.0)));
        let mut twice = whole.clone();
        twice.waves.push(whole.waves[wave].clone());
        prop_assert!(check(&question, &twice).contains(&Violation::NotOnce(first.0)));
    }
}

#[test]
fn one_host_is_one_wave() {
    let question = Question { candidates: vec![candidate(7)], ..Question::default() };
    assert_eq!(waves(&plan(&question, 1)), [(Phase::Canary, vec![7])]);
}

#[test]
fn canaries_stand_for_every_class_and_widening_grows() {
    let mut candidates: Vec<Candidate> = (0..100).map(candidate).collect();
    candidates[40].harm = 1;
    candidates[60].class = class(1);
    let plan = plan(&Question { candidates, ..Question::default() }, 1);
    let waves = waves(&plan);
    // The least harmful first; the only one of the other class next, alone, as nobody says that they do different things.
    assert_eq!(waves[0], (Phase::Canary, vec![40]));
    assert_eq!(waves[1], (Phase::Canary, vec![60]));
    let sizes: Vec<usize> = waves[2..].iter().map(|(_, assets)| assets.len()).collect();
    assert_eq!(sizes, [5, 15, 33, 33, 12]);
    assert!(plan.waves.iter().all(|wave| wave.phase == Phase::Widening || wave.may_fail == 0));
}

#[test]
fn a_pair_is_changed_one_at_a_time_and_a_group_without_spare_not_at_all() {
    let pair = Redundancy { name: "web".to_owned(), members: 2, minimum: 1 };
    let full = Redundancy { name: "db".to_owned(), members: 3, minimum: 3 };
    let of = |asset, group| Candidate { redundancy: Some(group), ..candidate(asset) };
    let candidates = vec![of(0, 0), of(1, 0), of(2, 1), of(3, 1)];
    let question = Question {
        candidates,
        proven: BTreeSet::from([class(0)]),
        redundancy: vec![pair, full],
        tempo: Tempo::Fast,
        ..Question::default()
    };
    let plan = plan(&question, 1);
    assert_eq!(waves(&plan), [(Phase::Widening, vec![0]), (Phase::Widening, vec![1])]);
    let [HeldBack { assets, why }] = plan.held_back.as_slice() else { panic!("{:?}", plan.held_back) };
    assert_eq!(assets.len(), 2);
    assert!(why.contains("redundancy group db has 3 assets of which 3 must be healthy"), "{why}");
}

#[test]
fn providers_go_before_what_needs_them_and_production_last() {
    let carrying = |asset, service| Candidate { carries: BTreeSet::from([service]), ..candidate(asset) };
    let early = Candidate { environment: 0, ..carrying(9, 2) };
    // 2 needs 1 needs 0.
    let needs = |of: &[usize]| Needs(of.iter().copied().collect());
    let question = Question {
        candidates: vec![carrying(0, 2), carrying(1, 1), carrying(2, 0), early],
        proven: BTreeSet::from([class(0)]),
        services: vec![needs(&[]), needs(&[0]), needs(&[1])],
        tempo: Tempo::Fast,
        ..Question::default()
    };
    let order: Vec<u32> = waves(&plan(&question, 1)).into_iter().flat_map(|(_, assets)| assets).collect();
    assert_eq!(order, [9, 2, 1, 0]);
}

#[test]
fn a_window_that_is_closed_holds_back_later_environments_and_nobody_else() {
    let of = |asset, environment, calendar| Candidate { environment, calendar, ..candidate(asset) };
    let question = Question {
        // The least harmful of staging waits for its window, so does one of production.
        candidates: vec![
            Candidate { harm: 1, ..of(0, 2, 1) },
            of(1, 2, 0),
            of(2, 3, 0),
            of(3, 3, 1),
            Candidate { class: class(1), ..of(4, 2, 1) },
        ],
        closed: BTreeSet::from([1]),
        tempo: Tempo::Fast,
        ..Question::default()
    };
    let made = plan(&question, 1);
    assert_eq!(check(&question, &made), []);
    assert_eq!(
        waves(&made),
        [
            (Phase::Canary, vec![1]),
            (Phase::Canary, vec![4]),
            (Phase::Widening, vec![0]),
            (Phase::Widening, vec![2]),
            (Phase::Widening, vec![3]),
        ]
    );
    // A canary that may begin does not come behind others.
    let open = Question { closed: BTreeSet::new(), ..question };
    assert!(check(&open, &plan(&open, 1)).is_empty());
    let mut late = plan(&open, 1);
    let canary = late.waves.iter().rposition(|wave| wave.phase == Phase::Canary).unwrap();
    let wave = late.waves.remove(canary);
    late.waves.push(wave);
    assert!(check(&open, &late).contains(&Violation::LateCanary(late.waves.len() - 1)));
}
