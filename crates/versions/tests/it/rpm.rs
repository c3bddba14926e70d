use std::cmp::Ordering;
use std::process::Command;

use tenon_versions::Scheme;
use tenon_versions::rpm::{Version, compare};

use crate::support::{Generator, amount, answer, ask, runs};

/// Answers each pair with rpm's own comparison, or `no` where rpm refuses one of the two.
const REFERENCE: &str = r#"%{lua:
for line in io.lines() do
    local a, b = line:match("^(.-)\t(.*)$")
    local ok, order = pcall(rpm.vercmp, a, b)
    io.write(ok and string.format("%d", order) or "no", "\n")
end}"#;

fn rpm() -> Command {
    let mut rpm = Command::new("rpm");
    rpm.args(["--eval", REFERENCE]);
    rpm
}

/// What Tenon refuses and rpm does not: nothing that a package can be called.
fn without_version(text: &str) -> bool {
    let rest = text.trim_start_matches(|character: char| character.is_ascii_digit());
    let rest = rest.strip_prefix(':').unwrap_or(text);
    rest.rsplit_once('-').map_or(rest, |(version, _)| version).is_empty()
}

#[test]
fn rpm_order_equals_rpm_on_generated_pairs() {
    let name = "rpm_order_equals_rpm_on_generated_pairs";
    if !runs(name, "rpm", Command::new("rpm").arg("--version")) {
        return;
    }
    let wanted = amount(20_000, 100_000);
    let mut generator = Generator(0x9e37_79b9_7f4a_7c15);
    let (mut pairs, mut refused) = (Vec::new(), 0);
    while pairs.len() < wanted {
        let (a, b) = generator.pair(Scheme::Rpm);
        if compare(&a, &b).is_ok() {
            pairs.push((a, b));
        } else {
            assert!(without_version(&a) || without_version(&b), "{a} {b}");
            refused += 1;
        }
    }
    let answers = ask(rpm(), &pairs);
    let differing: Vec<_> =
        pairs.iter().zip(&answers).filter(|((a, b), theirs)| answer(Scheme::Rpm, a, b) != *theirs).collect();
    println!(
        "measured: rpm differential: {} generated pairs compared, {refused} refused for an empty version, {} differing",
        pairs.len(),
        differing.len()
    );
    assert!(differing.is_empty(), "pair and rpm's answer: {differing:?}");
}

/// The reference must be able to contradict, or the test above proves nothing.
#[test]
fn rpm_gives_all_answers() {
    if !runs("rpm_gives_all_answers", "rpm", Command::new("rpm").arg("--version")) {
        return;
    }
    let pairs = [("1.0~rc1", "1.0"), ("1.0", "1_00"), ("1.0^a", "1.0"), ("", "1")];
    let pairs = pairs.map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(ask(rpm(), &pairs), ["-1", "0", "1", "no"]);
}

#[test]
fn the_order_of_the_manual_holds() {
    let ascending = [
        "1.0~rc1",
        "1.0~rc1-1",
        "1.0",
        "1.0-0~1",
        "1.0-0",
        "1.0-1",
        "1.0-1.el9",
        "1.0-1.1",
        "1.0^git1",
        "1.0a",
        "1.0.1",
        "1.1",
        "1:0.1",
    ];
    for pair in ascending.windows(2) {
        assert_eq!(compare(pair[0], pair[1]), Ok(Ordering::Less), "{pair:?}");
    }
}

#[test]
fn what_is_no_version_is_refused() {
    for text in ["", "1:", "-1", "1:-1", "1 2", "1\t", "1\n", "1\0", "\u{a0}1", "1\u{85}"] {
        assert!(Version::parse(text).is_err(), "{text:?}");
    }
    assert!(Version::parse(&"1".repeat(1024)).is_ok());
    assert!(Version::parse(&"1".repeat(1025)).is_err());
}
