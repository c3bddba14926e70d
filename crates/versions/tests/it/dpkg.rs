use std::cmp::Ordering;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use tenon_versions::dpkg::{Version, compare};

fn soak() -> bool {
    std::env::var_os("TENON_SOAK").is_some()
}

fn shared() -> Option<PathBuf> {
    let root = std::env::var_os("TENON_SHARED")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    root.join("vectors").is_dir().then_some(root)
}

#[test]
fn dpkg_order_equals_the_public_vectors() {
    let Some(root) = shared() else {
        eprintln!(
            "skipped: dpkg_order_equals_the_public_vectors: no vectors (name their folder's parent in TENON_SHARED)"
        );
        return;
    };
    let mut compared = 0;
    for file in ["debian-versions.txt", "debian-versions-generated.txt"] {
        let text = std::fs::read_to_string(root.join("vectors/versions/osv-semantic").join(file)).unwrap();
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let [a, sign, b] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("{file}: {line}")
            };
            let expected = match sign {
                "<" => Ordering::Less,
                "=" => Ordering::Equal,
                ">" => Ordering::Greater,
                _ => panic!("{file}: {line}"),
            };
            assert_eq!(compare(a, b), Ok(expected), "{file}: {line}");
            compared += 1;
        }
    }
    println!("measured: dpkg public vectors: {compared} pairs compared, 0 differing");
    assert!(compared > 14_000, "only {compared} pairs");
}

/// A small generator of its own, so that a failing pair is named by its seed.
struct Generator(u64);

impl Generator {
    fn next(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    fn part(&mut self, first_digit: bool, hyphens: bool) -> String {
        const PIECES: [&str; 24] = [
            "0",
            "1",
            "00",
            "01",
            "9",
            "10",
            "099",
            "18446744073709551616",
            "~",
            "~~",
            "+",
            ".",
            "..",
            "a",
            "A",
            "z",
            "rc",
            "deb",
            "c",
            "~rc",
            "+b",
            "b",
            "1.",
            "0~",
        ];
        let mut part = String::new();
        if first_digit {
            part.push_str(["0", "1", "2", "10", "007"][self.next(5)]);
        }
        for _ in 0..self.next(6) {
            part.push_str(PIECES[self.next(PIECES.len())]);
            if hyphens && self.next(12) == 0 {
                part.push('-');
            }
        }
        part
    }

    fn version(&mut self) -> String {
        let mut version = String::new();
        if self.next(4) == 0 {
            version.push_str(["0:", "1:", "2:", "01:"][self.next(4)]);
        }
        let revision = self.next(2) == 0;
        version.push_str(&self.part(true, revision));
        if revision {
            let part = self.part(false, false);
            version.push('-');
            version.push_str(if part.is_empty() { "0" } else { &part });
        }
        version.trim_end_matches('-').to_owned()
    }

    /// A pair that differs in little, half of the time.
    fn pair(&mut self) -> (String, String) {
        let a = self.version();
        if self.next(2) == 0 {
            return (a, self.version());
        }
        let mut b = a.clone();
        match self.next(4) {
            0 => b.push_str(["0", "~", "+", ".", ".0", "a", "-0", "-1"][self.next(8)]),
            1 => b = b.replacen('1', "01", 1),
            2 => b = b.replacen('.', ".0", 1),
            _ => {
                b.pop();
            }
        }
        (a, b)
    }
}

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
    let wanted = if soak() { 100_000 } else { 3_000 };
    let mut generator = Generator(0x9e37_79b9_7f4a_7c15);
    let (mut questions, mut compared, mut refused) = (Vec::new(), 0, 0);
    while compared < wanted {
        let (a, b) = generator.pair();
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
        let (a, b) = generator.pair();
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
    if soak() { 100_000 } else { 2_000 }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn order_is_antisymmetric(seed in 1u64..) {
        let (a, b) = Generator(seed).pair();
        if let (Ok(a), Ok(b)) = (Version::parse(&a), Version::parse(&b)) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        }
    }

    #[test]
    fn order_is_transitive(seed in 1u64..) {
        let mut generator = Generator(seed);
        let texts: Vec<String> = (0..3).map(|_| generator.version()).collect();
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
