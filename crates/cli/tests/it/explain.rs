//! `tenon explain` line by line, as other programs would check it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn tenon(words: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tenon"))
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // Written beside the reading: neither pipe fills up while nobody reads the other.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    // A program may end without reading all its input; its output tells whether that is wrong.
    let _ended = writer.join().unwrap();
    output
}

fn lines(words: &[&str], input: &str) -> Vec<String> {
    let output = tenon(words, input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The public vectors, or the reason why there are none, printed under the test's name.
fn vectors(test: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TENON_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let found = Some(root.join("vectors")).filter(|path| path.is_dir());
    if found.is_none() {
        println!("skipped: {test}: no vectors (name their folder's parent in TENON_SHARED)");
    }
    found
}

#[test]
fn versions_of_the_public_vectors_are_ordered() {
    let Some(vectors) = vectors("versions_of_the_public_vectors_are_ordered") else { return };
    let families = [
        ("Debian", "debian-versions.txt"),
        ("Debian", "debian-versions-generated.txt"),
        ("AlmaLinux", "redhat-versions.txt"),
        ("Alpine", "alpine-versions.txt"),
        ("PyPI", "pypi-versions.txt"),
        ("npm", "semver-versions.txt"),
    ];
    for (ecosystem, file) in families {
        let text = std::fs::read_to_string(vectors.join("versions/osv-semantic").join(file)).unwrap();
        let cases: Vec<[&str; 3]> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .filter_map(|line| line.split_whitespace().collect::<Vec<_>>().try_into().ok())
            .collect();
        let input: String = cases.iter().map(|[a, _, b]| format!("{a}\t{b}\n")).collect();
        let said = lines(&["explain", "version", "--ecosystem", ecosystem, "--stdin"], &input);
        let differs = |([_, expected, _], said): &(&[&str; 3], &String)| *said != "!" && expected != said;
        let wrong = cases.iter().zip(&said).filter(differs).count();
        // Some lines hold what the ecosystem's own tool calls no version; the version crate's tests name each of them.
        let refused = said.iter().filter(|said| *said == "!").count();
        println!("measured: {file}: {} pairs, {refused} refused as no versions, {wrong} wrong", cases.len());
        assert_eq!((said.len(), wrong), (cases.len(), 0), "{file}");
        assert!(refused * 3 < cases.len(), "{file}: {refused} refused");
    }
}

#[test]
fn decision_tables_of_the_public_vectors_come_back() {
    let Some(vectors) = vectors("decision_tables_of_the_public_vectors_come_back") else { return };
    let tables = [
        ("bod-26-04", "cisa_bod_26_04_1_0_0.csv"),
        ("cisa-coordinator", "cisa_coordinator_2_0_3.csv"),
        ("ssvc-deployer", "deployer_patch_application_priority_1_0_0.csv"),
    ];
    for (table, file) in tables {
        let text = std::fs::read_to_string(vectors.join("scoring/ssvc").join(file)).unwrap();
        // The one quoted cell is the header of the outcome, which is the last column.
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').take(5).collect()).collect();
        let outcomes: Vec<&str> = text.lines().skip(1).map(|line| line.rsplit(',').next().unwrap()).collect();
        let width = rows[1].len().min(text.lines().nth(1).unwrap().split(',').count() - 1);
        let input: String = rows.iter().map(|row| format!("{}\n", row[..width].join("\t"))).collect();
        let said = lines(&["explain", "decision", "--table", table, "--stdin"], &input);
        let said: Vec<&str> = said.iter().skip(1).map(|line| line.rsplit('\t').next().unwrap()).collect();
        println!("measured: {table}: {} rows", said.len());
        assert_eq!(said, outcomes, "{table}");
    }
}

#[test]
fn cvss_and_ranges_and_what_is_not_valid() {
    let said =
        lines(&["explain", "cvss", "--stdin"], "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\nnonsense\n");
    let first: serde_json::Value = serde_json::from_str(&said[0]).unwrap();
    assert_eq!(
        (&first["base"], &first["score"], &first["severity"]),
        (&9.8.into(), &9.8.into(), &"Critical".into())
    );
    assert!(said[1].contains("error"), "{}", said[1]);
    assert_eq!(
        lines(&["explain", "vers", "--stdin"], "vers:deb/>=1.0|<1.2\t1.1-3\nvers:deb/<1\t1\nx\ty\n"),
        ["true", "false", "!"]
    );
    assert_eq!(
        lines(
            &["explain", "version", "--ecosystem", "Debian", "--stdin"],
            "1.0\t1.\nnot a version\t1\nno tab\n"
        ),
        ["=", "!", "!"]
    );
    let purl = lines(&["explain", "purl", "--stdin"], "pkg:DEB/Debian/curl@7\n");
    assert!(purl[0].contains("pkg:deb/debian/curl@7"), "{}", purl[0]);
    let refused = tenon(&["explain", "version", "--ecosystem", "Maven", "1", "2"], "");
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not assessed"));
}
