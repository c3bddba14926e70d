//! The public vectors of OSV's own comparators.
//!
//! Some of their lines hold texts that the ecosystem's own tool calls invalid; OSV's comparator gives them a place,
//! Tenon gives an error. These lines are named here, so that none is passed over unseen.

use tenon_versions::{Scheme, compare};

use crate::support::{vector, vector_pairs};

/// Compares all pairs of a file: those with a text of `invalid` must be refused, all others must be in order.
fn check(test: &str, scheme: Scheme, file: &str, least: usize, invalid: &[&str]) {
    let Some(text) = vector(test, &format!("versions/osv-semantic/{file}")) else { return };
    let (mut compared, mut refused, mut seen) = (0, 0, std::collections::BTreeSet::new());
    for (line, a, expected, b) in vector_pairs(&text) {
        match compare(scheme, a, b) {
            Ok(order) => {
                assert_eq!(order, expected, "{file}:{line}: {a} {b}");
                assert_eq!(compare(scheme, b, a), Ok(expected.reverse()), "{file}:{line}: {b} {a}");
                compared += 1;
            }
            Err(error) => {
                assert!(invalid.contains(&error.version.as_str()), "{file}:{line}: {error}");
                refused += 1;
            }
        }
        seen.extend([a, b]);
    }
    for text in invalid {
        assert!(seen.contains(text), "{text} is not in {file}");
        assert!(compare(scheme, text, text).is_err(), "{text} is a version");
    }
    println!(
        "measured: {} public vectors, {file}: {compared} pairs in order, {refused} refused for a text that is no \
         version, 0 differing",
        scheme.name()
    );
    assert!(compared >= least, "only {compared} pairs of {file}");
}

/// Not of the grammar of apk-package(5); `apk version --check` of apk-tools 3 refuses them. apk-tools 2 and 3 and OSV
/// place them differently.
const NO_APK: &[&str] = &[
    "1-r",
    "1-r-0",
    "1-r-1",
    "0.r1",
    "0r2",
    "0..1..0",
    "0..1..1",
    "0...1...0",
    "0...1...1",
    "0...1...0.r1",
    "0...1...0.r2",
    "0...1...0r1",
    "0...1...0r2",
    "0..8",
    "0...8",
    "0.8.21.r2",
    "0.8.21.r1",
    "10.2.24.r0",
    "10.2.22.r0",
    "0.8.21r2",
    "1.2.0A",
    "1.2.0D",
    "6.6.2p1",
    "6.6.2p2",
    "1-ruff",
    "1-r0-1",
    "1-r-2",
    "1-r0-2",
    "1-ruff2",
    "1-ruff1",
    "1--ruff1",
    "1-r0-ruff2",
    "1-r0-ruff1",
    "1.2_blah",
    "1.2_csv2",
    ".1",
    ".2",
    "a",
    "b",
    "c",
    "23_foo",
    "1.0bc",
];

/// From before PEP 440; `packaging` refuses them since version 22.
const NO_PEP440: &[&str] = &[
    "0.1-bulbasaur",
    "0.1-charmander",
    "0.9-doduo",
    "0.9-eevee",
    "0.9-fearow",
    "0.9-gyarados",
    "0.9-horsea",
    "0.9-ivysaur",
    "-class.-jw.util.version.version-pre",
    "-class.-jw.util.version.version-preview",
    "-class.-jw.util.version.version-dev",
];

#[test]
fn dpkg_vectors() {
    check("dpkg_vectors", Scheme::Dpkg, "debian-versions.txt", 30, &[]);
    check("dpkg_vectors", Scheme::Dpkg, "debian-versions-generated.txt", 14_442, &[]);
}

#[test]
fn rpm_vectors() {
    check("rpm_vectors", Scheme::Rpm, "redhat-versions.txt", 165, &[]);
}

#[test]
fn apk_vectors() {
    check("apk_vectors", Scheme::Apk, "alpine-versions.txt", 741, NO_APK);
}

#[test]
fn semver_vectors() {
    check("semver_vectors", Scheme::Semver, "semver-versions.txt", 85, &["1.1.3.4.5"]);
}

#[test]
fn pep440_vectors() {
    check("pep440_vectors", Scheme::Pep440, "pypi-versions.txt", 26, NO_PEP440);
}
