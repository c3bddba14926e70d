//! Windows on ordinary days, and where clocks are put forward and back.

use tenon_model::Timestamp;
use tenon_policy::{Facts, Policy, Turn, read};

use crate::expressions::{asset, directive, rehearsal};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|| panic!("{text}"))
}

fn policy(zone: &str, window: &str, freezes: &str) -> Policy {
    let text = format!(
        "version: 1\nwindows:\n  w: {{zone: {zone}, {window}}}\n{freezes}\nrules:\n  - {{name: all, approval: automatic, windows: w}}\n"
    );
    read(&text).unwrap_or_else(|problems| panic!("{:?}", problems.listed()))
}

fn turn(policy: &Policy, now: &str) -> Turn {
    let (mut directive, asset, rehearsal) = (directive(), asset(), rehearsal());
    directive.kev = false;
    let facts = Facts { directive: &directive, asset: &asset, rehearsal: Some(&rehearsal), unknown: &[] };
    policy.turn(&policy.verdict(&facts).unwrap(), &facts, at(now))
}

/// Whether it is open, and when that ends, or when it opens.
fn told(policy: &Policy, now: &str) -> String {
    match turn(policy, now) {
        Turn::Open { until: Some(until) } => format!("open until {until}"),
        Turn::Open { until: None } => "open".to_owned(),
        Turn::Closed { opens: Some(opens), .. } => format!("opens {opens}"),
        Turn::Closed { opens: None, .. } => "never".to_owned(),
    }
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_begins() {
    // 2026-11-27 is a Friday; Berlin is at +01:00.
    let nights = policy("Europe/Berlin", "days: [friday], from: '22:00', to: '04:00'", "");
    assert_eq!(told(&nights, "2026-11-27T20:59:59Z"), "opens 2026-11-27T21:00:00Z");
    assert_eq!(told(&nights, "2026-11-27T21:00:00Z"), "open until 2026-11-28T03:00:00Z");
    assert_eq!(told(&nights, "2026-11-28T02:49:59Z"), "open until 2026-11-28T03:00:00Z");
    assert_eq!(told(&nights, "2026-11-28T02:50:00Z"), "open until 2026-11-28T03:00:00Z");
    // In the last ten minutes nothing begins.
    assert_eq!(told(&nights, "2026-11-28T02:50:01Z"), "opens 2026-12-04T21:00:00Z");
    assert_eq!(told(&nights, "2026-11-28T21:00:00Z"), "opens 2026-12-04T21:00:00Z");
}

#[test]
fn where_clocks_are_put_forward_what_is_never_shown_is_left_out() {
    // Berlin: 2026-03-29 at 02:00 to 03:00, which is 01:00 UTC.
    let early = policy("Europe/Berlin", "from: '01:00', to: '05:00'", "");
    assert_eq!(told(&early, "2026-03-29T00:00:00Z"), "open until 2026-03-29T03:00:00Z");
    let into = policy("Europe/Berlin", "from: '01:00', to: '02:30'", "");
    assert_eq!(told(&into, "2026-03-29T00:00:00Z"), "open until 2026-03-29T01:00:00Z");
    let from = policy("Europe/Berlin", "from: '02:30', to: '05:00'", "");
    assert_eq!(told(&from, "2026-03-29T00:59:59Z"), "opens 2026-03-29T01:00:00Z");
    assert_eq!(told(&from, "2026-03-29T01:00:00Z"), "open until 2026-03-29T03:00:00Z");
    let within = policy("Europe/Berlin", "from: '02:00', to: '02:30'", "");
    assert_eq!(told(&within, "2026-03-28T01:00:00Z"), "open until 2026-03-28T01:30:00Z");
    assert_eq!(told(&within, "2026-03-28T01:30:00Z"), "opens 2026-03-30T00:00:00Z");
    // New York: 2026-03-08 at 02:00 to 03:00, which is 07:00 UTC.
    let york = policy("America/New_York", "days: [sunday], from: '01:00', to: '04:00'", "");
    assert_eq!(told(&york, "2026-03-08T06:00:00Z"), "open until 2026-03-08T08:00:00Z");
    assert_eq!(told(&york, "2026-03-08T05:59:59Z"), "opens 2026-03-08T06:00:00Z");
}

#[test]
fn where_clocks_are_put_back_no_time_outside_the_window_is_open() {
    // Berlin: 2026-10-25 at 03:00 back to 02:00, which is 01:00 UTC.
    let over = policy("Europe/Berlin", "from: '01:00', to: '05:00'", "");
    assert_eq!(told(&over, "2026-10-24T23:00:00Z"), "open until 2026-10-25T04:00:00Z");
    let into = policy("Europe/Berlin", "from: '01:00', to: '02:30'", "");
    assert_eq!(told(&into, "2026-10-24T23:00:00Z"), "open until 2026-10-25T00:30:00Z");
    assert_eq!(told(&into, "2026-10-25T01:10:00Z"), "opens 2026-10-26T00:00:00Z");
    let from = policy("Europe/Berlin", "from: '02:30', to: '05:00'", "");
    assert_eq!(told(&from, "2026-10-25T00:30:00Z"), "opens 2026-10-25T01:30:00Z");
    assert_eq!(told(&from, "2026-10-25T01:30:00Z"), "open until 2026-10-25T04:00:00Z");
    let within = policy("Europe/Berlin", "from: '02:00', to: '02:30'", "");
    assert_eq!(told(&within, "2026-10-25T00:00:00Z"), "opens 2026-10-25T01:00:00Z");
    assert_eq!(told(&within, "2026-10-25T01:00:00Z"), "open until 2026-10-25T01:30:00Z");
    // New York: 2026-11-01 at 02:00 back to 01:00, which is 06:00 UTC.
    let york = policy("America/New_York", "days: [sunday], from: '00:30', to: '04:00'", "");
    assert_eq!(told(&york, "2026-11-01T04:30:00Z"), "open until 2026-11-01T09:00:00Z");
}

#[test]
fn a_freeze_closes_what_is_open_and_nothing_begins_shortly_before_it() {
    let freeze = "freezes:\n  feast: {zone: Europe/Berlin, from: 2026-12-24, until: 2026-12-27}";
    let nights = policy("Europe/Berlin", "from: '22:00', to: '04:00'", freeze);
    assert_eq!(told(&nights, "2026-12-23T21:00:00Z"), "open until 2026-12-23T23:00:00Z");
    assert_eq!(told(&nights, "2026-12-23T22:50:01Z"), "opens 2026-12-26T23:00:00Z");
    assert_eq!(told(&nights, "2026-12-26T23:00:00Z"), "open until 2026-12-27T03:00:00Z");
    let Turn::Closed { why, .. } = turn(&nights, "2026-12-25T12:00:00Z") else { panic!("open") };
    assert_eq!(why, "freeze feast until 2026-12-26T23:00:00Z");
    let Turn::Closed { why, .. } = turn(&nights, "2026-12-23T12:00:00Z") else { panic!("open") };
    assert_eq!(why, "window w");
}

#[test]
fn an_emergency_crosses_what_the_policy_lets_it_cross() {
    let text = "version: 1\nwindows:\n  w: {zone: UTC, days: [sunday], from: '01:00', to: '05:00'}\nfreezes:\n  \
                f: {zone: UTC, from: 2026-12-24, until: 2026-12-27}\nemergency: {crosses: [windows]}\nrules:\n  \
                - {name: all, approval: automatic, windows: w, tempo: cautious}\n";
    let policy = read(text).unwrap_or_else(|problems| panic!("{:?}", problems.listed()));
    let (directive, asset) = (directive(), asset());
    let facts = Facts { directive: &directive, asset: &asset, rehearsal: None, unknown: &[] };
    let verdict = policy.verdict(&facts).unwrap();
    assert!(verdict.emergency, "what is in KEV is one, where the policy does not say");
    assert_eq!(
        verdict.tempo(tenon_model::Tempo::Fast),
        tenon_model::Tempo::Standard,
        "one step faster than the rule"
    );
    assert_eq!(
        policy.turn(&verdict, &facts, at("2026-12-21T12:00:00Z")),
        Turn::Open { until: Some(at("2026-12-24")) }
    );
    let Turn::Closed { opens, .. } = policy.turn(&verdict, &facts, at("2026-12-25")) else {
        panic!("a freeze is not crossed")
    };
    assert_eq!(opens, Some(at("2026-12-27")));
}
