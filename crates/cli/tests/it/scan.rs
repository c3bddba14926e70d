//! `tenon scan` against an independent computation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::feeds::{Told, write_mirror};

/// The published schema of a report.
const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/scan.schema.json");

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

/// Source packages and their versions.
type Installed = BTreeMap<String, BTreeSet<String>>;

/// What dpkg says is installed here.
fn installed_here() -> Installed {
    let format = "${db:Status-Status} ${source:Package} ${source:Version}\n";
    let listed = Command::new("dpkg-query").args(["-W", "-f", format]).output().unwrap();
    let mut versions = Installed::new();
    for line in String::from_utf8(listed.stdout).unwrap().lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        if let ["installed", source, version] = fields[..] {
            versions.entry(source.to_owned()).or_default().insert(version.to_owned());
        }
    }
    versions
}

/// What dpkg itself says: every advisory of the release about a source package that is installed, its ranges compared by
/// `dpkg --compare-versions`. Shares no code with Tenon.
fn by_dpkg(archive: File, release: &str, versions: &Installed) -> Open {
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

/// The findings of a report, but for the kernel's.
fn open(report: &Value) -> Open {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = report["host"]["open"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            (text(&finding["vulnerability"]), text(&finding["source"]), text(&finding["installed"]))
        })
        .filter(|(_, source, _)| source != "linux")
        .collect()
}

/// Runs `tenon scan` for JSON that keeps the published schema.
fn scanned(data: &Path, arguments: &[&str]) -> (Value, Output) {
    let mut scan = Command::new(env!("CARGO_BIN_EXE_tenon"));
    scan.args(["--format", "json", "scan"]).args(arguments).env("TENON_DATA", data).env_remove("TENON_FEEDS");
    let output = scan.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(SCHEMA).unwrap()).unwrap();
    let checked = jsonschema::draft202012::new(&schema).unwrap();
    let wrong: Vec<String> =
        checked.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    (report, output)
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
    let (report, output) = scanned(folder.path(), &["--feeds", feeds.to_str().unwrap()]);
    let found = open(&report);
    assert_eq!(report["feeds"][0]["name"], "osv:Debian");
    let os = std::fs::read_to_string("/etc/os-release").unwrap();
    let version = os.lines().find_map(|line| line.strip_prefix("VERSION_ID=")).unwrap().trim_matches('"');
    let release = format!("Debian:{version}");
    let expected =
        by_dpkg(File::open(feeds.join("osv/Debian/all.zip")).unwrap(), &release, &installed_here());
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

/// The public hosts of a scanner, by name.
fn hosts(test: &str, folder: &Path) -> Option<BTreeMap<String, Value>> {
    let feeds = feeds(test)?;
    let archive = feeds.parent().unwrap().join("vectors/inventories/vuls-results-a.tar.gz");
    if !archive.is_file() {
        println!("skipped: {test}: no public inventories beside the feeds");
        return None;
    }
    let unpacked = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(folder).status().unwrap();
    assert!(unpacked.success());
    let files = std::fs::read_dir(folder.join("vuls-results")).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let host = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), host)
    };
    Some(files.map(read).collect())
}

/// Writes a dpkg status file and an os-release of a public host, and says what is installed.
fn write_host(folder: &Path, host: &Value, release: &str) -> Installed {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let (mut status, mut installed) = (String::new(), Installed::new());
    for source in host["SrcPackages"].as_object().unwrap().values() {
        let (name, version) = (text(source, "name"), text(source, "version"));
        for binary in source["binaryNames"].as_array().unwrap() {
            let binary = binary.as_str().unwrap();
            let Some(package) = host["packages"].get(binary) else { continue };
            let at = text(package, "version");
            writeln!(status, "Package: {binary}\nStatus: install ok installed\nArchitecture: amd64").unwrap();
            writeln!(status, "Source: {name} ({version})\nVersion: {at}\n").unwrap();
            installed.entry(name.clone()).or_default().insert(version.clone());
        }
    }
    std::fs::write(folder.join("status"), status).unwrap();
    std::fs::write(folder.join("os-release"), release).unwrap();
    installed
}

#[test]
fn findings_of_a_public_host_are_those_of_an_independent_computation() {
    let test = "findings_of_a_public_host_are_those_of_an_independent_computation";
    let folder = tempfile::tempdir().unwrap();
    let (Some(feeds), Some(hosts)) = (feeds(test), hosts(test, folder.path())) else { return };
    if Command::new("dpkg").arg("--version").output().is_err() {
        println!("skipped: {test}: dpkg is missing");
        return;
    }
    let release = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
    let installed = write_host(folder.path(), &hosts["debian_12"], release);
    let at = |name: &str| folder.path().join(name).display().to_string();
    let source = feeds.display().to_string();
    let files = ["--dpkg-status", &at("status"), "--os-release", &at("os-release"), "--feeds", &source];
    let (report, _) = scanned(folder.path(), &files);
    let expected = by_dpkg(File::open(feeds.join("osv/Debian/all.zip")).unwrap(), "Debian:12", &installed);
    let found = open(&report);
    println!("measured: {} findings on a public Debian 12 host, {} by dpkg", found.len(), expected.len());
    assert_eq!(found, expected);
    assert!(found.len() > 50);
    assert_eq!(report["host"]["not_assessed"], json!([]), "every package of a supported release is assessed");

    // The mirror holds no advisory of this release, which is said and never reads as clean.
    let release = "ID=ubuntu\nVERSION_ID=\"22.04\"\nPRETTY_NAME=\"Ubuntu 22.04.2 LTS\"\n";
    write_host(folder.path(), &hosts["ubuntu_2204"], release);
    let (report, output) = scanned(folder.path(), &files);
    let reason = "no advisories for Ubuntu:22.04:LTS have been loaded";
    assert_eq!(report["host"]["not_assessed"], json!([reason]));
    assert_eq!(output.status.code(), Some(3));

    // An unsupported release is not assessed, with the reason, and never clean.
    std::fs::write(at("os-release"), "ID=debian\nVERSION_ID=\"\"\nPRETTY_NAME=\"Debian sid\"\n").unwrap();
    let (report, output) = scanned(folder.path(), &files);
    assert_eq!(report["host"]["not_assessed"], json!(["no advisories are read for debian"]));
    assert_eq!(output.status.code(), Some(3));
}

/// A mirror with one vulnerability of openssl in Debian 12, exploited somewhere.
fn invented(folder: &Path) -> String {
    let told =
        Told { id: "DSA-1-1", cve: "CVE-2026-1001", source: "openssl", fixed: "3.0.20-1", exploited: true };
    write_mirror(&folder.join("mirror"), &[told]);
    folder.join("mirror").display().to_string()
}

/// Findings without since when each is open, which is the time of its scan.
fn timeless(findings: &Value) -> Value {
    let mut findings = findings.clone();
    for finding in findings.as_array_mut().unwrap() {
        assert!(finding.as_object_mut().unwrap().remove("opened").is_some(), "{finding}");
    }
    findings
}

#[test]
fn files_of_a_host_are_scanned_against_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let mirror = invented(folder.path());
    let at = |name: &str| folder.path().join(name).display().to_string();
    let status = "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\nVersion: 3.0.19-1\n";
    std::fs::write(at("status"), status).unwrap();
    std::fs::write(at("os-release"), "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n").unwrap();
    let files = ["--dpkg-status", &at("status"), "--os-release", &at("os-release")];
    let (report, _) = scanned(folder.path(), &[&files[..], &["--feeds", &mirror]].concat());
    let finding = &report["host"]["open"][0];
    assert_eq!(
        (&finding["vulnerability"], &finding["state"]),
        (&json!("CVE-2026-1001"), &json!("fix-published"))
    );
    assert_eq!(report["published"][0]["version"], "3.0.20-1");
    // The store is used again, without any source.
    std::fs::remove_dir_all(folder.path().join("mirror")).unwrap();
    let (again, _) = scanned(folder.path(), &files);
    assert_eq!(timeless(&again["host"]["open"]), timeless(&report["host"]["open"]));

    // What cannot be read says so, and nothing reads as clean.
    let refused = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_tenon"))
            .arg("scan")
            .args(arguments)
            .env("TENON_DATA", folder.path())
            .env_remove("TENON_FEEDS")
            .output()
            .unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let mut mixed = status.as_bytes().to_vec();
    mixed.extend(b"\nPackage: curl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 7.\xff\n");
    std::fs::write(at("mixed"), mixed).unwrap();
    let (partly, _) =
        scanned(folder.path(), &["--dpkg-status", &at("mixed"), "--os-release", &at("os-release")]);
    let open = timeless(&partly["host"]["open"]);
    assert_eq!(open, timeless(&report["host"]["open"]), "what can be read is assessed");
    let gaps = partly["host"]["gaps"].to_string();
    assert!(gaps.contains("curl") && gaps.contains("version"), "{gaps}");
    std::fs::write(at("bad"), b"Package: caf\xe9\nVersion: \xff\n").unwrap();
    let told = refused(&["--dpkg-status", &at("bad"), "--os-release", &at("os-release")]);
    assert!(told.contains("bad"), "{told}");
    let told = refused(&["--dpkg-status", &at("absent"), "--os-release", &at("os-release")]);
    assert!(told.contains("absent") && told.contains("No such file"), "{told}");
    assert!(refused(&["--dpkg-status", &at("status")]).contains("--os-release"));
    assert!(refused(&["--sbom", &at("status"), "--root", "/"]).contains("cannot be used with"));
    assert!(refused(&["--exposure", "wide"]).contains("small, controlled, open"));
    let told = refused(&[
        "--dpkg-status",
        &at("status"),
        "--os-release",
        &at("os-release"),
        "--store",
        &at("none"),
        "--feeds",
        &at("no-mirror"),
    ]);
    assert!(told.contains("no feed could be read"), "{told}");
}

#[test]
fn a_bill_of_materials_is_scanned() {
    let folder = tempfile::tempdir().unwrap();
    let mirror = invented(folder.path());
    let component = |name: &str, version: &str, purl: &str| json!({ "type": "library", "name": name, "version": version, "purl": purl });
    let bom = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": { "component": { "type": "container", "name": "registry.example/app" } },
        "components": [
            { "type": "operating-system", "name": "debian", "version": "12.5" },
            component("libssl3", "3.0.19-1", "pkg:deb/debian/libssl3@3.0.19-1?arch=amd64&distro=debian-12&upstream=openssl"),
            component("log4j-core", "2.14.0", "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.0"),
            component("handmade", "1", "pkg:generic/handmade@1"),
        ],
    });
    let path = folder.path().join("bom.json").display().to_string();
    std::fs::write(&path, bom.to_string()).unwrap();
    let (report, output) = scanned(folder.path(), &["--sbom", &path, "--feeds", &mirror]);
    assert_eq!(report["host"]["hostname"], "registry.example/app");
    assert_eq!(report["host"]["open"][0]["vulnerability"], "CVE-2026-1001");
    let said = report["host"].to_string();
    for wanted in ["1 packages of Maven", "1 components are left out: of the purl type generic"] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert_eq!(output.status.code(), Some(3), "Maven is not assessed");
}

#[test]
fn what_a_supplier_states_comes_off_the_list_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mirror = invented(folder.path());
    let at = |name: &str| folder.path().join(name).display().to_string();
    let purl = "pkg:deb/debian/libssl3@3.0.19-1";
    let bom = |analysis: Value| {
        json!({
            "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
            "components": [
                { "type": "operating-system", "name": "debian", "version": "12" },
                { "type": "library", "bom-ref": "ssl", "name": "libssl3", "version": "3.0.19-1",
                  "purl": format!("{purl}?distro=debian-12&upstream=openssl") },
            ],
            "vulnerabilities": [{ "id": "CVE-2026-1001", "analysis": analysis, "affects": [{ "ref": "ssl" }] }],
        })
    };
    std::fs::write(at("open.json"), bom(json!({ "state": "exploitable" })).to_string()).unwrap();
    let detail = json!({ "state": "not_affected", "detail": "built without it" });
    std::fs::write(at("stated.json"), bom(detail).to_string()).unwrap();
    let vex = json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1", "author": "Example",
        "timestamp": "2026-11-20T00:00:00Z", "version": 1,
        "statements": [{
            "vulnerability": { "name": "CVE-2026-1001" }, "products": [{ "@id": purl }],
            "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path",
        }],
    });
    std::fs::write(at("vex.json"), vex.to_string()).unwrap();
    let (open, _) = scanned(folder.path(), &["--sbom", &at("open.json"), "--feeds", &mirror]);
    assert_eq!(open["host"]["open"][0]["vulnerability"], "CVE-2026-1001");
    assert_eq!(open["host"]["suppressed"], json!([]));
    let (by_vex, _) = scanned(folder.path(), &["--sbom", &at("open.json"), "--vex", &at("vex.json")]);
    let (by_bom, _) = scanned(folder.path(), &["--sbom", &at("stated.json")]);
    for (report, reason, author) in [
        (by_vex, "not affected: the vulnerable code never runs", "Example".to_owned()),
        (by_bom, "not affected: built without it", at("stated.json")),
    ] {
        assert_eq!(report["host"]["open"], json!([]));
        assert_eq!(report["published"], json!([]));
        let suppressed = &report["host"]["suppressed"][0];
        assert_eq!(suppressed["vulnerability"], "CVE-2026-1001");
        assert_eq!((&suppressed["reason"], &suppressed["author"]), (&json!(reason), &json!(author)));
    }
}

#[test]
fn the_published_schema_is_that_of_the_program() {
    let printed = Command::new(env!("CARGO_BIN_EXE_tenon")).args(["scan", "--schema"]).output().unwrap();
    let current: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let published: Value = serde_json::from_str(&std::fs::read_to_string(SCHEMA).unwrap()).unwrap();
    assert_eq!(published, current, "run `tenon scan --schema > docs/reference/scan.schema.json`");
}

#[test]
fn what_the_store_knows_of_a_vulnerability_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let mirror = invented(folder.path());
    let tenon = |arguments: &[&str]| {
        let mut tenon = Command::new(env!("CARGO_BIN_EXE_tenon"));
        tenon.args(arguments).env("TENON_DATA", folder.path()).env_remove("TENON_FEEDS").output().unwrap()
    };
    assert!(
        String::from_utf8(tenon(&["explain", "CVE-2026-1001"]).stderr).unwrap().contains("tenon feeds sync")
    );
    assert!(tenon(&["feeds", "sync", "--mirror", &mirror]).status.success());
    let told = String::from_utf8(tenon(&["explain", "CVE-2026-1001"]).stdout).unwrap();
    for wanted in [
        "listed 2026-11-21",
        "25.00%",
        "(row 13; assumed: automatable",
        "DSA-1-1",
        "openssl: fixed in 3.0.20-1",
    ] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    let known: Value =
        serde_json::from_slice(&tenon(&["--format", "json", "explain", "DSA-1-1"]).stdout).unwrap();
    assert_eq!(known["advisories"][0]["addresses"], json!(["CVE-2026-1001"]));
    let unknown = tenon(&["explain", "CVE-1999-0001"]);
    assert!(
        !unknown.status.success()
            && String::from_utf8(unknown.stderr).unwrap().contains("no feed at hand knows")
    );
}
