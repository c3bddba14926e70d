use std::cmp::Ordering;
use std::process::Command;

use tenon_versions::Scheme;
use tenon_versions::pep440::{Version, compare};

use crate::support::{Generator, amount, answer, ask, runs};

/// Answers each pair by the comparison of the `packaging` library (pip brings a copy), or `no` where it refuses one.
const REFERENCE: &str = r"
import sys
try:
    from packaging.version import InvalidVersion, Version
except ImportError:
    from pip._vendor.packaging.version import InvalidVersion, Version
for line in sys.stdin:
    try:
        a, b = (Version(text) for text in line.rstrip('\n').split('\t'))
        print((a > b) - (a < b))
    except InvalidVersion:
        print('no')
";

fn python() -> Command {
    let mut python = Command::new("python3");
    python.args(["-c", REFERENCE]);
    python
}

#[test]
fn pep440_order_equals_packaging_on_generated_pairs() {
    let name = "pep440_order_equals_packaging_on_generated_pairs";
    if !runs(name, "python3 with packaging or pip", &mut python()) {
        return;
    }
    let mut generator = Generator(0x9e37_79b9_7f4a_7c15);
    let pairs: Vec<_> =
        std::iter::repeat_with(|| generator.pair(Scheme::Pep440)).take(amount(20_000, 170_000)).collect();
    let answers = ask(python(), &pairs);
    let refused = answers.iter().filter(|theirs| *theirs == "no").count();
    let differing: Vec<_> = pairs
        .iter()
        .zip(&answers)
        .filter(|((a, b), theirs)| answer(Scheme::Pep440, a, b) != *theirs)
        .collect();
    println!(
        "measured: PEP 440 differential with packaging: {} generated pairs compared, {refused} refused by both, {} \
         differing",
        pairs.len() - refused,
        differing.len()
    );
    assert!(differing.is_empty(), "pair and packaging's answer: {differing:?}");
    assert!(pairs.len() - refused >= amount(11_000, 100_000), "{refused} pairs refused");
}

#[test]
fn the_order_of_the_standard_holds() {
    let ascending = [
        "1.dev0",
        "1.0.dev456",
        "1.0a1.dev1",
        "1.0a1",
        "1.0a2.dev456",
        "1.0a12.dev456",
        "1.0a12",
        "1.0b1.dev456",
        "1.0b2",
        "1.0b2.post345.dev456",
        "1.0b2.post345",
        "1.0rc1.dev456",
        "1.0rc1",
        "1.0",
        "1.0+abc.5",
        "1.0+abc.7",
        "1.0+5",
        "1.0+5.a",
        "1.0.post456.dev34",
        "1.0.post456",
        "1.0.15",
        "1.1.dev1",
        "1!0.1",
    ];
    for pair in ascending.windows(2) {
        assert_eq!(compare(pair[0], pair[1]), Ok(Ordering::Less), "{pair:?}");
    }
}

#[test]
fn spellings_of_one_version_are_equal() {
    let groups: [&[&str]; 5] = [
        &["1.0", "1", "1.0.0", "v1.0", "V01", " 1.0\n", "0!1"],
        &["1.0a0", "1.0-alpha", "1.0.A", "1.0_a_0", "1.0alpha.0", "1.0a."],
        &["1.0rc1", "1.0c1", "1.0-pre1", "1.0.preview.1", "1.0RC1"],
        &["1.0.post1", "1.0-1", "1.0rev1", "1.0-r-1", "1.0_POST_1"],
        &["1.0+ubuntu.1", "1.0+Ubuntu-1", "1.0+ubuntu_01"],
    ];
    for group in groups {
        for text in group {
            assert_eq!(compare(group[0], text), Ok(Ordering::Equal), "{text:?}");
        }
    }
}

#[test]
fn what_is_no_version_is_refused() {
    let texts = [
        "",
        " ",
        "v",
        "a",
        "1.",
        "1..2",
        ".1",
        "1!",
        "!1",
        "1!!1",
        "1.0+",
        "1.0+a+b",
        "1.0+a..b",
        "1.0+_a",
        "1.0-",
        "1.0a1b1",
        "1.0.post1a1",
        "1.0.dev1.post1",
        "1.0-1-2",
        "1.0foo",
        "0.1-bulbasaur",
        "1 0",
        "1.0é",
        "vv1",
        "1.0\0",
        "1.0.poſt1",
    ];
    for text in texts {
        assert!(Version::parse(text).is_err(), "{text:?}");
    }
    assert!(Version::parse(&"1".repeat(1024)).is_ok());
    assert!(Version::parse(&"1".repeat(1025)).is_err());
}
