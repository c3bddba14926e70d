//! `tenon feeds` as its users and their scripts meet it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::feeds::{Told, write_mirror};

fn feeds(data: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tenon"))
        .env_remove("TENON_FEEDS")
        .env_remove("TENON_DATA")
        .arg("--data")
        .arg(data)
        .arg("feeds")
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn mirror(folder: &Path) -> String {
    let told =
        Told { id: "DSA-1-1", cve: "CVE-2026-1001", source: "openssl", fixed: "3.0.20-1", exploited: true };
    write_mirror(folder, &[told]);
    folder.display().to_string()
}

#[test]
fn a_store_is_filled_shown_and_carried() {
    let folder = tempfile::tempdir().unwrap();
    let mirror = mirror(&folder.path().join("mirror"));
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));

    let empty = feeds(&here, &["status"]);
    assert_eq!(empty.status.code(), Some(1));
    assert!(text(&empty.stderr).contains("tenon feeds sync"), "{empty:?}");

    let synced = feeds(&here, &["sync", "--mirror", &mirror, "--strict"]);
    assert_eq!(synced.status.code(), Some(0), "{synced:?}");
    let lines = text(&synced.stdout);
    assert!(lines.contains("epss                   replaced; 1 records (v2026.06.15)"), "{lines}");
    assert!(lines.contains("cve                    not offered by this source"), "{lines}");
    let told = text(&synced.stderr);
    assert!(told.lines().any(|line| line == "osv:Debian: reading") && !told.contains('\u{1b}'), "{told}");
    assert!(here.join("feeds/feeds.sqlite").exists());

    let status = json(&feeds(&here, &["status", "--format", "json"]));
    let names: Vec<&str> =
        status.as_array().unwrap().iter().filter_map(|feed| feed["feed"].as_str()).collect();
    assert_eq!(names, ["kev", "epss", "osv:Debian"]);
    assert!(status[0]["digest"].as_str().is_some_and(|digest| digest.len() == 64), "{status}");

    let bundle = folder.path().join("feeds.zip").display().to_string();
    assert_eq!(feeds(&here, &["export", &bundle]).status.code(), Some(0));
    let imported = feeds(&there, &["import", &bundle]);
    assert_eq!(imported.status.code(), Some(0), "{imported:?}");
    assert_eq!(text(&imported.stdout).matches(" taken; ").count(), 3, "{imported:?}");
    assert_eq!(json(&feeds(&there, &["status", "--format", "json"])), status);
    let mut bytes = std::fs::read(&bundle).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 0x55;
    std::fs::write(&bundle, bytes).unwrap();
    let refused = feeds(&there, &["import", &bundle]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("nothing was changed: feeds/"), "{refused:?}");
}

#[test]
fn what_cannot_be_read_and_what_cannot_be_had_have_codes_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mirror = mirror(&folder.path().join("mirror"));
    let data = folder.path().join("data");
    let catalogue = folder.path().join("mirror/kev/known_exploited_vulnerabilities.json");
    let good = std::fs::read_to_string(&catalogue).unwrap();
    std::fs::write(&catalogue, good.replace("2026-12-05", "soon")).unwrap();
    let lax = feeds(&data, &["sync", "--mirror", &mirror, "--only", "kev"]);
    assert_eq!(lax.status.code(), Some(0), "{lax:?}");
    let strict = feeds(&data, &["sync", "--mirror", &mirror, "--only", "kev,osv", "--strict"]);
    assert_eq!(strict.status.code(), Some(2), "{strict:?}");
    let problems = json(&feeds(&data, &["problems", "--format", "json"]));
    let told = &problems[0];
    assert_eq!((told["feed"].as_str(), told["field"].as_str()), (Some("kev"), Some("dueDate")), "{problems}");
    assert_eq!(told["record"], "CVE-2026-1001 (entry 1)");
    assert_eq!(told["file"], "known_exploited_vulnerabilities.json");

    std::fs::write(&catalogue, "{").unwrap();
    let failed = feeds(&data, &["sync", "--mirror", &mirror, "--format", "json"]);
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    let kev = &json(&failed)["feeds"][0];
    assert_eq!(kev["outcome"], "failed");
    assert_eq!(kev["state"]["records"], 1, "the last good copy stands: {kev}");
    let wrong = feeds(&data, &["sync", "--mirror", &mirror, "--only", "osv:Debian:12"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("osv:ECOSYSTEM without release"), "{wrong:?}");
}
