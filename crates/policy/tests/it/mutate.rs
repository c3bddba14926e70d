//! Files with parts cut out, doubled and exchanged: each is refused with places, or means something at every time.

use proptest::prelude::*;
use tenon_model::Timestamp;
use tenon_policy::{Facts, PRESETS, Turn, read};

use crate::expressions::{asset, directive, rehearsal};

/// What may stand where something else stood.
const PARTS: &[&str] = &[
    "",
    " ",
    "\n",
    "  ",
    ":",
    "- ",
    "\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "&&",
    "||",
    "!",
    "==",
    "in",
    "?",
    ",",
    ".",
    "-1",
    "0.5",
    "99999999999999999999",
    "true",
    "asset",
    "vulnerability.kev",
    "rehearsal.removed",
    "\"production\"",
    "automatic",
    "forbidden",
    "Europe/Berlin",
    "America/New_York",
    "02:00",
    "02:30",
    "24:00",
    "2026-03-29",
    "2026-10-25T02:30",
    "windows",
    "freezes",
    "until",
    "when",
    "&a",
    "*a",
    "|",
    ">",
    "#",
    "\u{fc}",
    "\u{0}",
];

fn mutated() -> impl Strategy<Value = String> {
    let change = (0_usize..10_000, 0_usize..12, prop::sample::select(PARTS.to_vec()));
    (0..PRESETS.len(), prop::collection::vec(change, 1..6)).prop_map(|(preset, changes)| {
        let mut text: Vec<char> = PRESETS[preset]
            .text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .flat_map(|line| line.chars().chain(std::iter::once('\n')))
            .collect();
        for (at, long, part) in changes {
            let at = at % text.len().max(1);
            let end = (at + long).min(text.len());
            text.splice(at..end, part.chars());
        }
        text.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn a_file_is_refused_or_means_something(text in mutated(), minutes in 0_i64..600_000) {
        match read(&text) {
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                for problem in problems.listed() {
                    prop_assert!(problem.place.starts_with("line "), "{problem}");
                    prop_assert!(!problem.reason.is_empty() && !problem.reason.contains('\n'), "{problem}");
                }
            }
            Ok(policy) => {
                let (directive, asset, rehearsal) = (directive(), asset(), rehearsal());
                let facts = Facts { directive: &directive, asset: &asset, rehearsal: Some(&rehearsal), unknown: &[] };
                let verdict = policy.verdict(&facts);
                prop_assert!(verdict.is_some(), "everything is known after a rehearsal");
                let verdict = verdict.unwrap();
                let now = Timestamp::from_millis(1_772_000_000_000 + minutes * 60_000);
                match policy.turn(&verdict, &facts, now) {
                    Turn::Open { until } => prop_assert!(until.is_none_or(|until| until > now)),
                    Turn::Closed { opens, .. } => {
                        let opens = opens.filter(|opens| *opens > now);
                        prop_assert!(opens.is_some(), "what a preset closes opens again");
                        let then = policy.turn(&verdict, &facts, opens.unwrap());
                        prop_assert!(matches!(then, Turn::Open { .. }), "it opens when it says: {then:?}");
                    }
                }
            }
        }
    }
}
