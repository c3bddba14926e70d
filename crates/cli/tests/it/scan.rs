//! `tenon scan` against an independent computation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

fn feeds(test: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TENON_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let found = Some(root.join("feeds")).filter(|path| path.join("osv/Debian/all.zip").is_file());
    if found.is_none() {
        println!("skipped: {test}: no feeds (name their folder's parent in TENON_SHARED)");
    }
    found
}

/// (vulnerability, source package, source version) of everything open.
type Open = BTreeSet<(String, String, String)>;

/// What dpkg itself says: every advisory of the release about a source package that is installed, its ranges compared by
/// `dpkg --compare-versions`. Shares no code with Tenon.
fn by_dpkg(archive: File, release: &str) -> Open {
    let format = "${db:Status-Status} ${source:Package} ${source:Version}\n";
    let installed = Command::new("dpkg-query").args(["-W", "-f", format]).output().unwrap();
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(installed.stdout).unwrap().lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        if let ["installed", source, version] = fields[..] {
            versions.entry(source.to_owned()).or_default().insert(version.to_owned());
        }
    }
    let less = |a: &str, b: &str| {
        Command::new("dpkg").args(["--compare-versions", a, "lt", b]).status().unwrap().success()
    };
    let mut open = Open::new();
    let mut zip = zip::ZipArchive::new(archive).unwrap();
    for index in 0..zip.len() {
        let mut text = String::new();
        zip.by_index(index).unwrap().read_to_string(&mut text).unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        if !record["withdrawn"].is_null() {
            continue;
        }
        let ids: Vec<String> = ["upstream", "aliases"]
            .iter()
            .flat_map(|field| record[field].as_array().cloned().unwrap_or_default())
            .filter_map(|id| id.as_str().filter(|id| id.starts_with("CVE-")).map(str::to_owned))
            .collect();
        let ids = if ids.is_empty() { vec![record["id"].as_str().unwrap().to_owned()] } else { ids };
        for affected in record["affected"].as_array().into_iter().flatten() {
            let package = affected["package"]["name"].as_str().unwrap();
            if affected["package"]["ecosystem"] != release || package == "linux" {
                // A container's kernel is not its own.
                continue;
            }
            for version in versions.get(package).into_iter().flatten() {
                let hit = affected["ranges"].as_array().into_iter().flatten().any(|range| {
                    let events = range["events"].as_array().unwrap();
                    let value = |name: &str| events.iter().find_map(|event| event[name].as_str());
                    let begun = value("introduced").is_none_or(|at| at == "0" || !less(version, at));
                    begun && value("fixed").is_none_or(|at| less(version, at))
                });
                if hit {
                    open.extend(ids.iter().map(|id| (id.clone(), package.to_owned(), version.clone())));
                }
            }
        }
    }
    open
}

#[test]
fn findings_of_this_machine_are_those_of_an_independent_computation() {
    let test = "findings_of_this_machine_are_those_of_an_independent_computation";
    let Some(feeds) = feeds(test) else { return };
    if !std::path::Path::new("/var/lib/dpkg/status").exists() {
        println!("skipped: {test}: this is no Debian machine");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut scan = Command::new(env!("CARGO_BIN_EXE_tenon"));
    scan.args(["--format", "json", "scan", "--feeds"]).arg(&feeds).env("TENON_DATA", folder.path());
    let output = scan.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found: Open = report["host"]["open"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            (text(&finding["vulnerability"]), text(&finding["source"]), text(&finding["installed"]))
        })
        .filter(|(_, source, _)| source != "linux")
        .collect();
    assert_eq!(report["feeds"][0]["name"], "osv:Debian");
    let os = std::fs::read_to_string("/etc/os-release").unwrap();
    let version = os.lines().find_map(|line| line.strip_prefix("VERSION_ID=")).unwrap().trim_matches('"');
    let release = format!("Debian:{version}");
    let expected = by_dpkg(File::open(feeds.join("osv/Debian/all.zip")).unwrap(), &release);
    println!("measured: {} findings on this machine ({release}), {} by dpkg", found.len(), expected.len());
    assert_eq!(found, expected);
    assert!(output.status.success() || output.status.code() == Some(3));
    // Every directive closes what is open, and says by when and why.
    for directive in report["directives"].as_array().unwrap() {
        for id in directive["closes"].as_array().unwrap() {
            assert!(found.iter().any(|(open, _, _)| open == id), "{id} is closed and not open");
        }
        assert!(!directive["because"].as_array().unwrap().is_empty());
    }
}
