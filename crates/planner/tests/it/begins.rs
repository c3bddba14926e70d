//! What the policy lets begin, looked at by the checker, which looks at the clock on the wall.

use proptest::prelude::*;
use tenon_checker::{Begins, Early, EvidenceAsked, check_begins};
use tenon_model::{DirectiveId, Timestamp};
use tenon_policy::{Approval, AssetFacts, DirectiveFacts, Facts, Turn, read};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

#[test]
fn orders_before_the_evidence_that_is_asked_for_are_refused() {
    let asked = |directive, has| EvidenceAsked { directive: DirectiveId::new(directive), has };
    let begins = |evidence: &[EvidenceAsked]| {
        check_begins(&Begins {
            approval: Approval::Automatic,
            windows: &[],
            freezes: &[],
            evidence,
            from: at("2026-11-27T21:00:00Z"),
            until: at("2026-11-27T21:30:00Z"),
        })
    };
    assert_eq!(begins(&[]), Ok(()));
    assert_eq!(begins(&[asked(7, true), asked(9, true)]), Ok(()));
    // Whichever directive asks, and however urgent the order is.
    let lacking = begins(&[asked(7, true), asked(9, false)]);
    assert_eq!(lacking, Err(Early::Unsealed(DirectiveId::new(9))));
}

#[test]
fn orders_outside_of_what_the_policy_says_are_refused() {
    let text = "version: 1\nwindows: {night: {zone: Europe/Berlin, days: [friday], from: '22:00', to: '04:00'}}\n\
                freezes: {feast: {zone: Europe/Berlin, from: 2026-11-28, until: 2026-11-29}}\n";
    let policy = read(text).unwrap();
    let (windows, freezes) = ([&policy.windows[0]], [&policy.freezes[0]]);
    let begins = |approval, from, until, frozen: bool| {
        let freezes = if frozen { freezes.as_slice() } else { &[] };
        check_begins(&Begins {
            approval,
            windows: &windows,
            freezes,
            evidence: &[],
            from: at(from),
            until: at(until),
        })
    };
    let by = Approval::ONE;
    // 2026-11-27 is a Friday; Berlin is at +01:00.
    assert_eq!(begins(by, "2026-11-27T21:00:00Z", "2026-11-27T21:30:00Z", true), Ok(()));
    assert_eq!(begins(by, "2026-11-28T02:30:00Z", "2026-11-28T03:00:00Z", false), Ok(()));
    let forbidden = begins(Approval::Forbidden, "2026-11-27T21:00:00Z", "2026-11-27T21:30:00Z", false);
    assert_eq!(forbidden, Err(Early::Forbidden));
    let early = begins(by, "2026-11-27T20:59:59Z", "2026-11-27T21:30:00Z", false);
    assert_eq!(early, Err(Early::OutsideWindows(at("2026-11-27T20:59:59Z"))));
    let late = begins(by, "2026-11-28T02:45:00Z", "2026-11-28T03:15:00Z", false);
    assert!(matches!(late, Err(Early::OutsideWindows(_))), "{late:?}");
    let other_day = begins(by, "2026-11-28T21:00:00Z", "2026-11-28T21:30:00Z", false);
    assert!(matches!(other_day, Err(Early::OutsideWindows(_))), "{other_day:?}");
    let frozen = begins(by, "2026-11-27T22:45:00Z", "2026-11-27T23:15:00Z", true);
    assert_eq!(frozen, Err(Early::Frozen("feast".to_owned())));
    let over = begins(by, "2026-11-27T21:00:00Z", "2026-11-27T21:00:00Z", false);
    assert_eq!(over, Err(Early::Expired(at("2026-11-27T21:00:00Z"))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Around both changes of clocks in two zones: what is open is so on the wall as well, until it ends.
    #[test]
    fn what_is_open_is_open_on_the_wall(
        zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
        around in prop::sample::select(vec!["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04"]),
        minutes in -3_000_i64..3_000,
        from in 0_u32..96,
        long in 2_u32..97,
    ) {
        let time = |quarters: u32| format!("{:02}:{:02}", quarters / 4 % 24, quarters % 4 * 15);
        let text = format!(
            "version: 1\nwindows: {{w: {{zone: {zone}, from: '{}', to: '{}'}}}}\nrules: [{{name: a, approval: automatic, windows: w}}]",
            time(from),
            time(from + long)
        );
        let policy = read(&text).unwrap();
        let now = Timestamp::from_millis(at(around).as_millis() + minutes * 60_000);
        let (directive, asset) = (DirectiveFacts::default(), AssetFacts::default());
        let facts = Facts { directive: &directive, asset: &asset, rehearsal: None, unknown: &[] };
        let verdict = policy.verdict(&facts).unwrap();
        let windows = [&policy.windows[0]];
        let check = |from: Timestamp, until| {
            check_begins(&Begins { approval: Approval::Automatic, windows: &windows, freezes: &[], evidence: &[], from, until })
        };
        match policy.turn(&verdict, &facts, now) {
            Turn::Open { until } => {
                let until = until.unwrap();
                prop_assert_eq!(check(now, until), Ok(()), "{} open at {} until {}", text, now, until);
            }
            Turn::Closed { opens, .. } => {
                let opens = opens.unwrap();
                prop_assert!(opens > now);
                prop_assert_eq!(check(opens, opens.plus_seconds(600)), Ok(()), "{} opens at {}", text, opens);
            }
        }
    }
}
