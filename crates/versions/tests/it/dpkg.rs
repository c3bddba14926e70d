use std::cmp::Ordering;
use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use tenon_versions::Scheme;
use tenon_versions::dpkg::{Version, compare};

use crate::support::{Generator, amount};

/// Reads `<operator> <a> <b>` per line. Prints `ok` where dpkg confirms the relation, else what dpkg says of all three:
/// one process per pair as long as both agree. Operator `no` asks whether dpkg refuses one of the two texts.
const REFERENCE: &str = r#"
while read -r op a b; do
    if [ "$op" = no ]; then
        if dpkg --validate-version "$a" 2>/dev/null && dpkg --validate-version "$b" 2>/dev/null
        then echo "dpkg takes both"; else echo ok; fi
    elif dpkg --compare-versions "$a" "$op" "$b"; then echo ok
    else
        for other in lt eq gt; do
            if dpkg --compare-versions "$a" "$other" "$b"; then printf '%s ' "$other"; fi
        done
        echo
    fi
done"#;

/// What dpkg answers to each question, in order.
fn ask_dpkg(questions: &[String]) -> Vec<String> {
    let mut shell = Command::new("sh")
        .args(["-c", REFERENCE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    let input: String = questions.iter().map(|question| format!("{question}\n")).collect();
    let feeder = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = shell.wait_with_output().unwrap();
    feeder.join().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn operator(order: Ordering) -> &'static str {
    match order {
        Ordering::Less => "lt",
        Ordering::Equal => "eq",
        Ordering::Greater => "gt",
    }
}

#[test]
fn dpkg_order_equals_dpkg_on_generated_pairs() {
    if Command::new("dpkg").arg("--version").output().is_err() {
        eprintln!("skipped: dpkg_order_equals_dpkg_on_generated_pairs: no dpkg on this machine");
        return;
    }
    let wanted = amount(3_000, 100_000);
    let mut generator = Generator(0x9e37_79b9_7f4a_7c15);
    let (mut questions, mut compared, mut refused) = (Vec::new(), 0, 0);
    while compared < wanted {
        let (a, b) = generator.pair(Scheme::Dpkg);
        // A pair that is no comparison is not dropped: dpkg must refuse it as well.
        match compare(&a, &b) {
            Ok(order) => {
                questions.push(format!("{} {a} {b}", operator(order)));
                compared += 1;
            }
            Err(_) => {
                questions.push(format!("no {a} {b}"));
                refused += 1;
            }
        }
    }
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let answers: Vec<String> = std::thread::scope(|scope| {
        let parts = questions.chunks(questions.len().div_ceil(workers));
        let shells: Vec<_> = parts.map(|part| scope.spawn(|| ask_dpkg(part))).collect();
        shells.into_iter().flat_map(|shell| shell.join().unwrap()).collect()
    });
    assert_eq!(answers.len(), questions.len(), "dpkg left questions unanswered");
    let differing: Vec<_> = questions.iter().zip(&answers).filter(|(_, answer)| *answer != "ok").collect();
    println!(
        "measured: dpkg differential: {compared} generated pairs compared, {refused} refused by both, {} differing",
        differing.len()
    );
    assert!(differing.is_empty(), "Tenon's answer and versions, then dpkg's answer: {differing:?}");
}

/// The reference must be able to say no, or the test above proves nothing.
#[test]
fn dpkg_contradicts_a_wrong_answer() {
    if Command::new("dpkg").arg("--version").output().is_err() {
        eprintln!("skipped: dpkg_contradicts_a_wrong_answer: no dpkg on this machine");
        return;
    }
    let mut generator = Generator(0x2545_f491_4f6c_dd1d);
    let (mut questions, mut expected) = (Vec::new(), Vec::new());
    while questions.len() < 200 {
        let (a, b) = generator.pair(Scheme::Dpkg);
        let Ok(order) = compare(&a, &b) else { continue };
        for wrong in ["lt", "eq", "gt"].into_iter().filter(|wrong| *wrong != operator(order)) {
            questions.push(format!("{wrong} {a} {b}"));
            expected.push(format!("{} ", operator(order)));
        }
    }
    questions.push("no 1.0 2.0".to_owned());
    expected.push("dpkg takes both".to_owned());
    assert_eq!(ask_dpkg(&questions), expected);
}

#[test]
fn dpkg_validity_equals_dpkg() {
    if Command::new("dpkg").arg("--version").output().is_err() {
        eprintln!("skipped: dpkg_validity_equals_dpkg: no dpkg on this machine");
        return;
    }
    let texts = [
        "1.0",
        "",
        " ",
        "1:",
        ":1",
        "1:1",
        "-1",
        "1-",
        "1--",
        "1-1-1",
        "a1",
        "1_2",
        "1 2",
        "1:2:3",
        "a:1",
        "-1:1",
        "2147483648:1",
        "2147483647:1",
        "1é",
        "1/2",
        "1~",
        "~1",
        "+1",
        "1-~",
        "1-+",
        "1-1_1",
        "1.0\t",
        "0:0-0",
        "1:a",
        ".1",
        "1:.1",
        "1-a:b",
        "+1:1",
    ];
    for text in texts {
        let status =
            Command::new("dpkg").args(["--validate-version", text]).stderr(Stdio::null()).status().unwrap();
        assert_eq!(Version::parse(text).is_ok(), status.success(), "{text:?}");
    }
    println!("measured: dpkg validity: {} texts, 0 differing", texts.len());
}

fn cases() -> u32 {
    u32::try_from(amount(2_000, 100_000)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn order_is_antisymmetric(seed in 1u64..) {
        let (a, b) = Generator(seed).pair(Scheme::Dpkg);
        if let (Ok(a), Ok(b)) = (Version::parse(&a), Version::parse(&b)) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        }
    }

    #[test]
    fn order_is_transitive(seed in 1u64..) {
        let mut generator = Generator(seed);
        let texts: Vec<String> = (0..3).map(|_| generator.version(Scheme::Dpkg)).collect();
        let mut versions: Vec<_> = texts.iter().filter_map(|text| Version::parse(text).ok()).collect();
        versions.sort();
        for pair in versions.windows(2) {
            prop_assert!(pair[0] <= pair[1]);
        }
        if let [first, _, last] = &versions[..] {
            prop_assert!(first <= last, "{first:?} {last:?}");
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        let _ = Version::parse(&text);
    }
}
