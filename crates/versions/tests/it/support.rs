//! What the tests of all schemes share: public vectors, reference tools, and a generator of versions.

use std::cmp::Ordering;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tenon_versions::{Scheme, compare};

/// Whether the long measurements are asked for.
pub(crate) fn soak() -> bool {
    std::env::var_os("TENON_SOAK").is_some()
}

/// `long` when the long measurements are asked for, else `short`.
pub(crate) fn amount(short: usize, long: usize) -> usize {
    if soak() { long } else { short }
}

/// The text of a public vector file; says that the test is skipped when it is not there.
pub(crate) fn vector(test: &str, path: &str) -> Option<String> {
    let root = std::env::var_os("TENON_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let text = std::fs::read_to_string(root.join("vectors").join(path)).ok();
    if text.is_none() {
        println!("skipped: {test}: no vectors/{path} (name the folder that holds it in TENON_SHARED)");
    }
    text
}

/// The pairs of a vector file (`A < B` a line), with their line numbers.
pub(crate) fn vector_pairs(text: &str) -> Vec<(usize, &str, Ordering, &str)> {
    let lines = text.lines().zip(1..);
    let pairs = lines
        .filter(|(line, _)| !line.trim().is_empty() && !line.starts_with('#') && !line.starts_with("//"));
    pairs
        .map(|(line, number)| {
            let [a, sign, b] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
            let order = match sign {
                "<" => Ordering::Less,
                "=" => Ordering::Equal,
                ">" => Ordering::Greater,
                _ => panic!("{line}"),
            };
            (number, a, order, b)
        })
        .collect()
}

/// A small generator of its own, so that a failing pair is named by its seed.
pub(crate) struct Generator(pub(crate) u64);

impl Generator {
    pub(crate) fn next(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    pub(crate) fn pick<'a>(&mut self, pieces: &[&'a str]) -> &'a str {
        pieces[self.next(pieces.len())]
    }

    /// Up to `most` pieces, one after the other.
    pub(crate) fn pieces(&mut self, most: usize, pieces: &[&str]) -> String {
        (0..self.next(most + 1)).map(|_| self.pick(pieces)).collect()
    }

    /// `text` with one piece put in, or one character taken out or replaced by a piece.
    fn changed(&mut self, text: &str, pieces: &[&str]) -> String {
        let mut characters: Vec<String> = text.chars().map(String::from).collect();
        let place = self.next(characters.len() + 1);
        let piece = self.pick(pieces).to_owned();
        match self.next(3) {
            0 if place < characters.len() => drop(characters.remove(place)),
            1 if place < characters.len() => characters[place] = piece,
            _ => characters.insert(place, piece),
        }
        characters.concat()
    }

    /// A text that is mostly a version of the scheme.
    pub(crate) fn version(&mut self, scheme: Scheme) -> String {
        match scheme {
            Scheme::Dpkg => {
                let epoch = if self.next(4) == 0 { self.pick(&["0:", "1:", "2:", "01:"]) } else { "" };
                let start = self.pick(&["0", "1", "2", "10", "007"]);
                let revision = if self.next(2) == 0 {
                    format!("-{}{}", self.pick(&["0", "1", "", "~", "a"]), self.pieces(4, PIECES_DPKG))
                } else {
                    String::new()
                };
                format!("{epoch}{start}{}{revision}", self.pieces(5, PIECES_DPKG))
            }
            Scheme::Rpm => {
                let epoch = if self.next(4) == 0 { self.pick(&["0:", "1:", ":", "01:", "a:"]) } else { "" };
                let release = if self.next(2) == 0 {
                    format!("-{}", self.pieces(4, PIECES_RPM))
                } else {
                    String::new()
                };
                format!("{epoch}{}{}{release}", self.pick(PIECES_RPM), self.pieces(5, PIECES_RPM))
            }
            Scheme::Apk => {
                let numbers: String = (0..self.next(4))
                    .map(|_| format!(".{}", self.pick(&["0", "1", "00", "01", "2", "10", "002", "0015"])))
                    .collect();
                let first = self.pick(&["0", "1", "2", "10", "01"]);
                let letter = if self.next(4) == 0 { self.pick(&["a", "b", "z"]) } else { "" };
                let suffixes: String = (0..self.next(3))
                    .map(|_| {
                        let name = self.pick(&["alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"]);
                        format!("_{name}{}", self.pick(&["", "", "0", "1", "01", "2", "10", "20240101"]))
                    })
                    .collect();
                let hash = if self.next(8) == 0 { self.pick(&["~0a", "~ab", "~abc", "~1234"]) } else { "" };
                let revision =
                    if self.next(2) == 0 { self.pick(&["-r0", "-r1", "-r01", "-r10"]) } else { "" };
                format!("{first}{numbers}{letter}{suffixes}{hash}{revision}")
            }
            Scheme::Semver => {
                let v = if self.next(6) == 0 { "v" } else { "" };
                let core: Vec<_> =
                    (0..3).map(|_| self.pick(&["0", "1", "2", "10", "9007199254740991"])).collect();
                let pre = if self.next(2) == 0 { self.identifiers('-') } else { String::new() };
                let build = if self.next(4) == 0 { self.identifiers('+') } else { String::new() };
                format!("{v}{}{pre}{build}", core.join("."))
            }
            Scheme::Pep440 => {
                let epoch = if self.next(6) == 0 { self.pick(&["0!", "1!", "v", "V1!"]) } else { "" };
                let numbers: Vec<_> = (0..=self.next(4))
                    .map(|_| self.pick(&["0", "0", "1", "2", "10", "01", "18446744073709551616"]))
                    .collect();
                let mut text = format!("{epoch}{}", numbers.join("."));
                for labels in [PIECES_PRE, &["post", "rev", "r", "POST"], &["dev", "DEV"]] {
                    if self.next(3) == 0 {
                        text.push_str(self.pick(&["", ".", "-", "_"]));
                        text.push_str(self.pick(labels));
                        text.push_str(self.pick(&["", "", ".", "-", "_"]));
                        text.push_str(self.pick(&["", "0", "1", "2", "10", "01"]));
                    }
                    if self.next(12) == 0 {
                        text.push_str("-1");
                    }
                }
                if self.next(4) == 0 {
                    let segments: Vec<_> = (0..=self.next(3))
                        .map(|_| self.pick(&["0", "1", "01", "10", "a", "A", "ab", "1a", "ubuntu"]))
                        .collect();
                    text.push('+');
                    text.push_str(&segments.join(self.pick(&[".", "-", "_"])));
                }
                text
            }
        }
    }

    fn identifiers(&mut self, first: char) -> String {
        let identifiers: Vec<_> = (0..=self.next(4))
            .map(|_| {
                self.pick(&["0", "1", "2", "10", "alpha", "beta", "rc", "a", "A", "-", "a-", "1a", "0a"])
            })
            .collect();
        format!("{first}{}", identifiers.join("."))
    }

    /// A pair of texts that differ in little, half of the time.
    pub(crate) fn pair(&mut self, scheme: Scheme) -> (String, String) {
        let a = self.version(scheme);
        let b = if self.next(2) == 0 { self.version(scheme) } else { self.changed(&a, pieces(scheme)) };
        if self.next(2) == 0 { (a, b) } else { (b, a) }
    }
}

const PIECES_DPKG: &[&str] = &[
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
    "-",
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
const PIECES_RPM: &[&str] = &[
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
    "^",
    "^^",
    "~^",
    "^~",
    "+",
    ".",
    "..",
    "_",
    "-",
    ":",
    "a",
    "A",
    "z",
    "rc",
    "el9",
    "git",
    "ab",
    ".el7",
    "é",
    "1.",
    "0~",
    "0^",
];
const PIECES_PRE: &[&str] = &["a", "b", "c", "rc", "alpha", "beta", "pre", "preview", "A", "Rc"];

/// What turns one version into another that is close to it.
fn pieces(scheme: Scheme) -> &'static [&'static str] {
    match scheme {
        Scheme::Dpkg => PIECES_DPKG,
        Scheme::Rpm => PIECES_RPM,
        Scheme::Apk => {
            &["0", "1", "01", ".0", ".1", "a", "b", "_p", "_rc1", "_alpha", "~a", "-r1", "_", ".", "r", "A"]
        }
        Scheme::Semver => &["0", "1", ".0", ".1", "-", "-a", ".a", "+b", "a", "A", "v", "rc1", "9", "."],
        Scheme::Pep440 => &[
            "0", "1", ".0", ".1", "a1", "b", "rc", ".post1", ".dev1", "-1", "+a", "+1", ".", "-", "_", "!",
            "1!", " ", "r",
        ],
    }
}

/// How two texts compare, in the words of the reference scripts: `-1`, `0`, `1`, or `no` when one is no version.
pub(crate) fn answer(scheme: Scheme, a: &str, b: &str) -> &'static str {
    match compare(scheme, a, b) {
        Ok(Ordering::Less) => "-1",
        Ok(Ordering::Equal) => "0",
        Ok(Ordering::Greater) => "1",
        Err(_) => "no",
    }
}

/// Gives the pairs to a reference tool, one a line with a tab between, and reads one answer a line.
pub(crate) fn ask(mut command: Command, pairs: &[(String, String)]) -> Vec<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input: String = pairs.iter().map(|(a, b)| format!("{a}\t{b}\n")).collect();
    let feeder = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    assert!(output.status.success(), "the reference tool failed");
    // rpm closes what it prints with an empty line.
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    assert_eq!(answers.len(), pairs.len(), "the reference tool left pairs unanswered");
    answers
}

/// Whether the reference tool runs; says that the test is skipped when it does not.
pub(crate) fn runs(test: &str, what: &str, command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let runs = silent.status().is_ok_and(|status| status.success());
    if !runs {
        println!("skipped: {test}: no {what} on this machine");
    }
    runs
}
