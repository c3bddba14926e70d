use std::cmp::Ordering;
use std::path::Path;
use std::process::Command;

use tenon_versions::Scheme;
use tenon_versions::semver::{Version, compare};

use crate::support::{Generator, amount, answer, ask, runs};

/// Answers each pair by the comparison of npm's own library, or `no` where it refuses one of the two.
const REFERENCE: &str = r#"
const semver = require(process.argv[1]);
const lines = require('fs').readFileSync(0, 'utf8').split('\n').slice(0, -1);
const answers = lines.map(line => {
    const [a, b] = line.split('\t').map(text => semver.parse(text));
    return a && b ? String(semver.compare(a, b)) : 'no';
});
process.stdout.write(answers.map(answer => answer + '\n').join(''));
"#;

/// node with the semver library that npm brings.
fn node(test: &str) -> Option<Command> {
    let root = Command::new("npm").args(["root", "--global"]).output().ok();
    let root = root.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    let library = Path::new(root.trim()).join("npm/node_modules/semver");
    let command = || {
        let mut command = Command::new("node");
        command.args(["--eval", REFERENCE, "--"]).arg(&library);
        command
    };
    runs(test, "node with npm", &mut command()).then(command)
}

/// What npm's strict parser refuses and this crate takes, or the other way round: named in the module.
fn beyond_npm(text: &str) -> bool {
    let numbers: Vec<_> = text.trim_start_matches('v').split(['.', '-', '+']).collect();
    let long =
        numbers.iter().any(|number| number.parse::<u64>().is_ok_and(|value| value > 9_007_199_254_740_991));
    let core = text.trim_start_matches('v').split(['-', '+']).next().unwrap_or_default();
    let loose =
        core.split('.').count() < 3 || core.contains(|character: char| character.is_ascii_alphabetic());
    long || loose
}

#[test]
fn semver_order_equals_npm_on_generated_pairs() {
    let Some(node) = node("semver_order_equals_npm_on_generated_pairs") else { return };
    let mut generator = Generator(0x9e37_79b9_7f4a_7c15);
    let pairs: Vec<_> = std::iter::repeat_with(|| generator.pair(Scheme::Semver))
        .filter(|(a, b)| !beyond_npm(a) && !beyond_npm(b))
        .take(amount(20_000, 120_000))
        .collect();
    let answers = ask(node, &pairs);
    let refused = answers.iter().filter(|theirs| *theirs == "no").count();
    let differing: Vec<_> = pairs
        .iter()
        .zip(&answers)
        .filter(|((a, b), theirs)| answer(Scheme::Semver, a, b) != *theirs)
        .collect();
    println!(
        "measured: semver differential with npm: {} generated pairs compared, {refused} refused by both, {} differing",
        pairs.len() - refused,
        differing.len()
    );
    assert!(differing.is_empty(), "pair and npm's answer: {differing:?}");
    assert!(pairs.len() - refused >= amount(15_000, 100_000), "{refused} pairs refused");
}

#[test]
fn semver_order_equals_cargo_on_generated_pairs() {
    let (mut compared, mut refused) = (0, 0);
    let mut generator = Generator(0x2545_f491_4f6c_dd1d);
    let wanted = amount(20_000, 100_000);
    while compared < wanted {
        let (a, b) = generator.pair(Scheme::Semver);
        // Cargo knows neither the leading v nor short versions nor a pre-release without its hyphen.
        let [Ok(x), Ok(y)] = [&a, &b].map(|text| semver::Version::parse(text)) else {
            for text in [&a, &b] {
                if Version::parse(text).is_err() {
                    assert!(semver::Version::parse(text).is_err(), "{text}");
                }
            }
            refused += 1;
            continue;
        };
        assert_eq!(compare(&a, &b), Ok(x.cmp_precedence(&y)), "{a} {b}");
        compared += 1;
    }
    println!(
        "measured: semver differential with Cargo's library: {compared} generated pairs compared, {refused} refused by it, \
         0 differing"
    );
}

#[test]
fn the_order_of_the_standard_holds() {
    let ascending = [
        "0.0.0-0",
        "0.0.0-20191109021931-daa7c04131f5",
        "0",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "v1",
        "1.0.1",
        "1.2",
        "v1.2.1-0.20191109021931-daa7c04131f5",
        "1.2.1+incompatible",
        "2.0.0",
        "2.0.1rc1",
        "2.0.1",
        "18446744073709551616.0.0",
    ];
    for pair in ascending.windows(2) {
        assert_eq!(compare(pair[0], pair[1]), Ok(Ordering::Less), "{pair:?}");
    }
    for (a, b) in [("1.0.0+a", "v1.0.0+b"), ("1", "1.0.0"), ("2.0.1rc1", "2.0.1-rc1")] {
        assert_eq!(compare(a, b), Ok(Ordering::Equal), "{a} {b}");
    }
}

#[test]
fn what_is_no_version_is_refused() {
    let texts = [
        "",
        "v",
        "V1.0.0",
        "vv1",
        "a",
        "1.",
        "1..2",
        ".1",
        "01.0.0",
        "1.00.0",
        "1.2-rc1",
        "1.2+a",
        "1.2rc1",
        "1.0.0-",
        "1.0.0-a.",
        "1.0.0-a..b",
        "1.0.0-01",
        "1.0.0+",
        "1.0.0+a+b",
        "1.0.0_1",
        "1.0.0.0",
        "1.0.0 ",
        " 1.0.0",
        "1.0.0-é",
        "=1.0.0",
        "(devel)",
        "go1.21",
        "1.0.0\0",
    ];
    for text in texts {
        assert!(Version::parse(text).is_err(), "{text:?}");
    }
    assert!(Version::parse(&"1".repeat(1024)).is_ok());
    assert!(Version::parse(&"1".repeat(1025)).is_err());
}
