//! `tenon predict` and `tenon backtest` over a small made-up history.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tenon_predict::Day;

use crate::feeds::{Told, write_mirror};

fn tenon(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tenon"))
        .env_remove("TENON_FEEDS")
        .env_remove("TENON_DATA")
        .env_remove("TENON_HISTORY")
        .args(arguments)
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&told(output)).unwrap()
}

fn xz(text: &str) -> Vec<u8> {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

/// Sixty weeks from 2024-04-06. Every seventh CVE gets an exploit, every fourteenth is listed twenty days after it.
fn write_history(folder: &Path) {
    for part in ["epss", "kev", "exploits", "timeline", "cve"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    let begin: Day = "2024-04-06".parse().unwrap();
    let mut snapshots =
        "score_date,model_version,cves_in_snapshot,new_cves,changed_scores,native_file\n".to_owned();
    let mut changes = "score_date,cve,epss\n".to_owned();
    let mut exploits =
        "cve,first_seen,source,first_seen_is_baseline,repos_listed_a,repos_named_b\n".to_owned();
    let mut entries = Vec::new();
    for week in 0..60 {
        let scored = begin.plus(7 * week);
        let model = if week < 40 { "v1" } else { "v2" };
        writeln!(snapshots, "{scored},{model},0,0,0,no").unwrap();
        for number in 0..14 {
            let id = format!("CVE-2024-{}", 10_000 + 14 * week + number);
            writeln!(changes, "{scored},{id},0.00{}", 100 + 7 * number).unwrap();
            if number % 7 == 0 {
                writeln!(exploits, "{id},{},A,0,1,1", scored.plus(10)).unwrap();
            }
            if number == 0 {
                let added = scored.plus(30);
                entries.push(serde_json::json!({ "cveID": id, "dateAdded": added.to_string(), "dueDate": added.plus(21).to_string() }));
            }
        }
    }
    let until = begin.plus(7 * 60 + 30);
    let catalogue = serde_json::json!({
        "catalogVersion": "1", "dateReleased": format!("{until}T10:00:00Z"),
        "count": entries.len(), "vulnerabilities": entries,
    });
    let put = |file: &str, bytes: &[u8]| fs::write(folder.join(file), bytes).unwrap();
    put("epss/epss_snapshots.csv", snapshots.as_bytes());
    put("epss/epss_changes.csv.xz", &xz(&changes));
    put("epss/epss_withdrawn.csv", b"last_seen_score_date,cve\n");
    put("kev/known_exploited_vulnerabilities.json", catalogue.to_string().as_bytes());
    let none = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    put("kev/kev_changes.jsonl.gz", &none.finish().unwrap());
    put("exploits/github_poc.csv", exploits.as_bytes());
    put("exploits/metasploit_cve_modules.csv", b"cve,first_seen,first_seen_is_baseline,modules\n");
    put(
        "timeline/cve_timeline.csv.xz",
        &xz("cve,published,published_source\nCVE-2024-99999,2025-01-02,nvd\n"),
    );
    put("cve/cve_records.jsonl.xz", &xz(""));
    put("cve/nvd_records.jsonl.xz", &xz(""));
}

#[test]
fn training_twice_gives_the_same_bytes_and_the_model_is_used() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).display().to_string();
    let history = path("history");
    write_history(Path::new(&history));
    let train = |model: &str, report: &str| {
        let (out, report) = (path(model), path(report));
        let arguments = [
            "predict",
            "train",
            "--history",
            &history,
            "--out",
            &out,
            "--report",
            &report,
            "--first",
            "2024-10-01",
        ];
        tenon(&arguments)
    };
    let first = told(&train("a.json", "a.md"));
    told(&train("b.json", "b.md"));
    assert_eq!(fs::read(path("a.json")).unwrap(), fs::read(path("b.json")).unwrap());
    assert_eq!(fs::read(path("a.md")).unwrap(), fs::read(path("b.md")).unwrap());
    assert!(first.contains("ROC-AUC and average precision above EPSS"), "{first}");
    let report = fs::read_to_string(path("a.md")).unwrap();
    for heading in
        ["## Figures beside their bars", "## Split", "## CVEs with an EPSS score", "## Where it fails"]
    {
        assert!(report.contains(heading), "{heading}");
    }

    // An exploit eleven days old, against a CVE of the same week without one.
    let model = path("a.json");
    let of = |id: &str, on: &str| {
        json(&tenon(&[
            "--format",
            "json",
            "predict",
            id,
            "--history",
            &history,
            "--on",
            on,
            "--model",
            &model,
        ]))
    };
    let (with, without) = (of("CVE-2024-10567", "2025-01-26"), of("CVE-2024-10568", "2025-01-26"));
    assert!(with["probability_ppm"].as_u64() > without["probability_ppm"].as_u64(), "{with} {without}");
    assert_eq!(with["as_of"], "2025-01-26");
    assert_eq!(with["learned_until"], "2025-01-11", "the model of the new scores, not a later one");
    let drivers = with["drivers"].as_array().unwrap();
    assert!(
        drivers.iter().any(|driver| driver["term"] == "recent-exploit" && driver["value_micro"] == 1_000_000)
    );
    let text = told(&tenon(&[
        "predict",
        "CVE-2024-10567",
        "--history",
        &history,
        "--on",
        "2025-01-26",
        "--model",
        &model,
    ]));
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    for part in ["within 30 days", "public exploit within 90 days", "calibration", "five-restated-2025-01-11"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }

    // Neither a CVE that nobody could name yet, nor a day before the first model.
    let early =
        tenon(&["predict", "CVE-2024-10567", "--history", &history, "--on", "2024-12-01", "--model", &model]);
    assert!(
        String::from_utf8_lossy(&early.stderr)
            .contains("nothing was known of CVE-2024-10567 by the end of 2024-12-01")
    );
    let early =
        tenon(&["predict", "CVE-2024-10000", "--history", &history, "--on", "2024-04-20", "--model", &model]);
    assert!(String::from_utf8_lossy(&early.stderr).contains("the first one can from 2024-10-01"));
}

#[test]
fn policies_are_replayed_in_a_table_json_and_a_chart() {
    let place = tempfile::tempdir().unwrap();
    let history = place.path().join("history");
    write_history(&history);
    let (history, svg) =
        (history.display().to_string(), place.path().join("chart.svg").display().to_string());
    let run = ["backtest", "run", "--history", &history, "--from", "2024-05", "--to", "2025-05"];
    let table = told(&tenon(&[&run[..], &["--svg", &svg]].concat()));
    for policy in ["cvss>=7", "epss>=0.1", "kev", "ssvc", "bod-26-04", "model-top=1%"] {
        assert!(
            table.lines().any(|line| line.starts_with(policy) && line.contains(" all ")),
            "{policy}: {table}"
        );
    }
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    assert!(fs::read_to_string(&svg).unwrap().starts_with("<svg "));

    // A policy file beside the built-in policy that says the same, and the page.
    let (file, html) = (
        place.path().join("p.yaml").display().to_string(),
        place.path().join("report.html").display().to_string(),
    );
    let rules = "version: 1\nrules:\n  - name: likely\n    when: vulnerability.epss_percent >= 10\n    approval: automatic\n  \
                 - name: rest\n    approval: {people: 1}\n";
    fs::write(&file, rules).unwrap();
    let both = ["--policy", &file, "--policy", "epss>=0.1", "--html", &html];
    let two = json(&tenon(&[&["--format", "json"], &run[..], &both].concat()));
    assert_eq!(two["policies"][0]["days"], two["policies"][1]["days"]);
    assert_eq!(two["policies"][0]["said"]["automatic"], two["policies"][0]["total"]["flagged"]);
    assert_eq!(two["policies"][1]["said"], Value::Null);
    assert_eq!(two["supposed_for_files"]["asset.exposure"], "open");
    let page = fs::read_to_string(&html).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("epss&gt;=0.1"));

    let one = json(&tenon(&[&["--format", "json"], &run[..], &["--policy", "epss>=0.00001"]].concat()));
    let policy = &one["policies"][0];
    let days = policy["days"].as_array().unwrap();
    let sum = |field: &str| days.iter().map(|day| day[field].as_u64().unwrap()).sum::<u64>();
    for field in ["eligible", "flagged", "true_positives", "positives", "unscored_positives", "listed"] {
        assert_eq!(policy["total"][field].as_u64(), Some(sum(field)), "{field}");
    }
    // Every score is above the threshold: all that is eligible is flagged, and all that could be was foreseen.
    assert_eq!(policy["total"]["effort"], 1.0);
    assert_eq!(policy["total"]["coverage"], 1.0);
    assert!(sum("positives") > 100);
    let pools: Vec<&str> = policy["by_epss_model"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pool| pool["epss_model"].as_str().unwrap())
        .collect();
    assert_eq!(pools, ["v1", "v2"]);
}

#[test]
fn policies_are_replayed_for_the_hosts_that_scans_describe() {
    let place = tempfile::tempdir().unwrap();
    let history = place.path().join("history");
    write_history(&history);
    let history = history.display().to_string();
    let scans = place.path().join("scans");
    fs::create_dir(&scans).unwrap();
    // What a scan says of a host, and the same of others with other findings.
    let mirror = place.path().join("mirror");
    let advisory =
        Told { id: "DSA-1-1", cve: "CVE-2024-10000", source: "package-0", fixed: "2.0", exploited: false };
    write_mirror(&mirror, &[advisory]);
    let at = |name: &str| place.path().join(name).display().to_string();
    let status = "Package: package-0\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n\n";
    fs::write(at("status"), status).unwrap();
    fs::write(at("os-release"), "ID=debian\nVERSION_ID=\"12\"\n").unwrap();
    let files = ["--dpkg-status", &at("status"), "--os-release", &at("os-release"), "--feeds", &at("mirror")];
    let output = Command::new(env!("CARGO_BIN_EXE_tenon"))
        .args(["--format", "json", "scan"])
        .args(files)
        .env("TENON_DATA", at("data"))
        .output()
        .unwrap();
    let scanned: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(scanned["host"]["open"][0]["vulnerability"], "CVE-2024-10000", "{scanned}");
    let scan = |hostname: &str, ids: std::ops::Range<u32>| {
        let mut report = scanned.clone();
        let finding = &scanned["host"]["open"][0];
        let mut open: Vec<Value> = ids
            .map(|number| {
                let mut finding = finding.clone();
                finding["vulnerability"] = format!("CVE-2024-{number}").into();
                finding["source"] = format!("package-{}", number % 7).into();
                finding
            })
            .collect();
        // Without a CVE there is no history.
        open.push(finding.clone());
        open.last_mut().unwrap()["vulnerability"] = "VENDOR:a:1".into();
        report["host"]["hostname"] = hostname.into();
        report["host"]["open"] = open.into();
        fs::write(scans.join(format!("{hostname}.json")), report.to_string()).unwrap();
    };
    scan("web1", 10_000..10_400);
    scan("web2", 10_200..10_600);
    let run = ["backtest", "run", "--history", &history, "--from", "2024-05", "--to", "2025-05"];
    let fleet = scans.display().to_string();
    let policies = ["--policy", "epss>=0.00001", "--policy", "kev", "--fleet", &fleet];
    let replayed = json(&tenon(&[&["--format", "json"], &run[..], &policies].concat()));
    let told_of = &replayed["fleet"];
    assert_eq!(
        (told_of["size"]["hosts"].as_u64(), told_of["size"]["findings"].as_u64()),
        (Some(2), Some(800))
    );
    let of = |policy: usize, field: &str| told_of["policies"][policy]["spared"][field].as_u64().unwrap();
    // Both meet the same listings; whoever waits for them fixes none ahead, with a week of exposure each at most.
    assert_eq!(of(0, "exploited"), of(1, "exploited"));
    assert!(of(1, "exploited") > 0 && of(0, "ahead") > of(1, "ahead"), "{told_of}");
    assert!(of(0, "exposed_hours") < of(1, "exposed_hours"), "{told_of}");
    assert!(of(1, "exposed_hours") <= of(1, "exploited") * 7 * 24 && of(0, "changes") > of(1, "changes"));
    assert_eq!(told_of["policies"][1]["work_hours"].as_u64(), Some(of(1, "changes") / 2));
    let at_once = json(&tenon(&[&["--format", "json"], &run[..], &policies, &["--fix-days", "0"]].concat()));
    assert_eq!(at_once["fleet"]["policies"][1]["spared"]["exposed_hours"], 0);

    let html = place.path().join("report.html").display().to_string();
    let text = told(&tenon(&[&run[..], &policies, &["--html", &html]].concat()));
    assert!(
        text.contains("2 hosts with 800 findings of 600 CVEs in 14 packages on them; fixed 7 days after"),
        "{text}"
    );
    assert!(
        text.lines()
            .any(|line| line.starts_with("kev ") && line.ends_with(&of(1, "exposed_hours").to_string()))
    );
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    assert!(fs::read_to_string(&html).unwrap().contains("On these hosts"));

    let fails = |arguments: &[&str]| {
        let output = tenon(&[&run[..], arguments].concat());
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(fails(&["--fix-days", "3"]).contains("--fleet"));
    let twice = scans.join("web1.json").display().to_string();
    assert!(fails(&["--fleet", &fleet, "--fleet", &twice]).contains("web1 is there already"));
    fs::write(scans.join("broken.json"), "{}").unwrap();
    let broken = fails(&["--fleet", &fleet]);
    assert!(broken.contains("broken.json") && broken.contains("tenon scan --format json"), "{broken}");
    let empty = place.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(fails(&["--fleet", &empty.display().to_string()]).contains("holds no file *.json"));
}

#[test]
fn what_cannot_be_replayed_says_why() {
    let place = tempfile::tempdir().unwrap();
    let history = place.path().join("history");
    write_history(&history);
    let history = history.display().to_string();
    let fails = |arguments: &[&str]| {
        let output = tenon(&[&["backtest", "run", "--history", &history], arguments].concat());
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let unknown = fails(&["--policy", "epss>2"]);
    assert!(
        unknown.contains("there are cvss>=7") && unknown.contains("no policy file of this name"),
        "{unknown}"
    );
    let wrong = place.path().join("wrong.yaml");
    fs::write(
        &wrong,
        "version: 1\nrules:\n  - name: a\n    when: vulnerability.kevv\n    approval: automatic\n",
    )
    .unwrap();
    let wrong = fails(&["--policy", &wrong.display().to_string()]);
    assert!(wrong.contains("did you mean `vulnerability.kev`"), "{wrong}");
    assert!(fails(&["--from", "2025-05", "--to", "2024-05"]).contains("is before --from"));
    assert!(
        fails(&["--from", "2030-01", "--to", "2030-02"])
            .contains("no day of scores from 2030-01-01 to 2030-02-28")
    );
    assert!(fails(&["--from", "2024-5"]).contains("is no month YYYY-MM"));
    fs::remove_file(Path::new(&history).join("epss/epss_changes.csv.xz")).unwrap();
    assert!(fails(&[]).contains("epss_changes.csv.xz"));
}

#[test]
fn a_store_of_feeds_is_enough_for_a_forecast() {
    let place = tempfile::tempdir().unwrap();
    let mirror = place.path().join("mirror");
    let told_of = |id, cve, exploited| Told { id, cve, source: "openssl", fixed: "3.0.20-1", exploited };
    write_mirror(
        &mirror,
        &[told_of("DSA-1-1", "CVE-2026-1001", false), told_of("DSA-2-1", "CVE-2026-1002", true)],
    );
    let (mirror, data) = (mirror.display().to_string(), place.path().join("data").display().to_string());
    told(&tenon(&["--data", &data, "feeds", "sync", "--mirror", &mirror]));
    let open = json(&tenon(&["--data", &data, "--format", "json", "predict", "CVE-2026-1001"]));
    assert_eq!(open["listed"], false);
    assert!((1..1_000_000).contains(&open["probability_ppm"].as_u64().unwrap()), "{open}");
    let listed = told(&tenon(&["--data", &data, "predict", "CVE-2026-1002"]));
    assert!(listed.contains("CISA lists it"), "{listed}");
    let unknown = tenon(&["--data", &data, "predict", "CVE-2026-9999"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no feed at hand knows CVE-2026-9999"));
    assert!(!tenon(&["predict", "DSA-1-1"]).status.success());
}
