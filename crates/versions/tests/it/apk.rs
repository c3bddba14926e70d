use std::cmp::Ordering;
use std::process::Command;

use tenon_versions::Scheme;
use tenon_versions::apk::{Version, compare};

use crate::support::{Generator, amount, answer, ask};

/// Answers each pair with the comparison of apk, or `no` where apk calls one of the two invalid.
const REFERENCE: &str = r#"
tab=$(printf '\t')
while IFS="$tab" read -r a b; do
    if ! apk version --check -- "$a" "$b" >/dev/null 2>&1; then echo no; continue; fi
    case $(apk version --test -- "$a" "$b") in '<') echo -1 ;; '=') echo 0 ;; '>') echo 1 ;; *) echo unclear ;; esac
done"#;

#[test]
fn apk_order_equals_apk_on_generated_pairs() {
    let name = "apk_order_equals_apk_on_generated_pairs";
    let version =
        Command::new("apk").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    if !String::from_utf8_lossy(&version).starts_with("apk-tools 3") {
        println!("skipped: {name}: no apk-tools 3 on this machine");
        return;
    }
    let mut generator = Generator(0x9e37_79b9_7f4a_7c15);
    let pairs: Vec<_> = std::iter::repeat_with(|| generator.pair(Scheme::Apk))
        .filter(|(a, b)| !a.is_empty() && !b.is_empty())
        .take(amount(3_000, 150_000))
        .collect();
    let mut shell = Command::new("sh");
    shell.args(["-c", REFERENCE]);
    let answers = ask(shell, &pairs);
    let refused = answers.iter().filter(|theirs| *theirs == "no").count();
    let differing: Vec<_> =
        pairs.iter().zip(&answers).filter(|((a, b), theirs)| answer(Scheme::Apk, a, b) != *theirs).collect();
    println!(
        "measured: apk differential: {} generated pairs compared, {refused} refused by both, {} differing",
        pairs.len() - refused,
        differing.len()
    );
    assert!(differing.is_empty(), "pair and apk's answer: {differing:?}");
    assert!(pairs.len() - refused >= amount(1_800, 95_000), "{refused} pairs refused");
}

#[test]
fn the_order_of_the_manual_holds() {
    let ascending = [
        "1_alpha", "1_alpha1", "1_beta", "1_pre", "1_rc", "1_rc1", "1", "1-r0", "1-r1", "1-r10", "1~0a",
        "1~0a-r1", "1~0b", "1_cvs", "1_svn", "1_git", "1_hg", "1_p_rc1", "1_p", "1_p-r1", "1_p1", "1_p1_p",
        "1_p10", "1a_rc1", "1a", "1b", "1.0", "1.00", "1.0015", "1.002", "1.1", "1.9", "1.10", "02",
    ];
    for (place, a) in ascending.iter().enumerate() {
        for b in &ascending[place + 1..] {
            assert_eq!(compare(a, b), Ok(Ordering::Less), "{a} {b}");
            assert_eq!(compare(b, a), Ok(Ordering::Greater), "{b} {a}");
        }
    }
}

#[test]
fn numbers_are_equal_by_value_where_they_are_numbers() {
    for (a, b) in [("01.2", "1.2"), ("1-r1", "1-r01"), ("1_p1", "1_p01"), ("1_p_p0", "1_p_p00")] {
        assert_eq!(compare(a, b), Ok(Ordering::Equal), "{a} {b}");
    }
    assert_eq!(compare("1_p", "1_p0"), Ok(Ordering::Less), "a suffix without a number ends earlier");
    assert_eq!(compare("18446744073709551616", "18446744073709551615"), Ok(Ordering::Greater));
}

#[test]
fn what_the_grammar_refuses_is_refused() {
    let texts = [
        "",
        " 1",
        "1 ",
        "v1",
        "a",
        ".1",
        "1.",
        "1..2",
        "1.a",
        "1ab",
        "1a1",
        "1a.1",
        "1A",
        "1_",
        "1_P1",
        "1_foo",
        "1_alphabeta",
        "1__p",
        "1_1",
        "1_p.1",
        "1~",
        "1~xyz",
        "1~AB",
        "1~ab_p1",
        "1-",
        "1-r",
        "1-r-1",
        "1-1",
        "1-r1-r2",
        "1-r1~ab",
        "1-r1_p",
        "1-r1.2",
        "1+1",
        "1:1",
        "1é",
        "1\0",
    ];
    for text in texts {
        assert!(Version::parse(text).is_err(), "{text:?}");
    }
    assert!(Version::parse(&"1".repeat(1024)).is_ok());
    assert!(Version::parse(&"1".repeat(1025)).is_err());
}
