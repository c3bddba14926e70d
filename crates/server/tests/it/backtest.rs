//! Policies over a small made-up history: what there is, replayed beside the record, kept, and bounded.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenon_predict::Day;

use crate::running::{Server, code};

const DEADLINE: Duration = Duration::from_secs(60);

fn xz(text: &str) -> Vec<u8> {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

/// Forty weeks from 2025-01-04, ten new CVEs in each. The first of them scores 0.5 and is listed twenty days later, the second
/// scores 0.5 and never is, the others score 0.001; without records.
fn write_history(folder: &Path) {
    for part in ["epss", "kev", "exploits"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    let begin: Day = "2025-01-04".parse().unwrap();
    let mut snapshots = "score_date,model_version\n".to_owned();
    let mut changes = "score_date,cve,epss\n".to_owned();
    let mut entries = Vec::new();
    for week in 0..40 {
        let scored = begin.plus(7 * week);
        let model = if week < 20 { "v3" } else { "v4" };
        writeln!(snapshots, "{scored},{model}").unwrap();
        for number in 0..10 {
            let id = format!("CVE-2025-{}", 10_000 + 10 * week + number);
            writeln!(changes, "{scored},{id},{}", if number < 2 { "0.5" } else { "0.001" }).unwrap();
            if number == 0 {
                let added = scored.plus(20);
                entries.push(json!({ "cveID": id, "dateAdded": added.to_string(), "dueDate": added.plus(21).to_string() }));
            }
        }
    }
    let until = begin.plus(7 * 40);
    let catalogue = json!({
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
    put(
        "exploits/github_poc.csv",
        b"cve,first_seen,source,first_seen_is_baseline,repos_listed_a,repos_named_b\n",
    );
    put("exploits/metasploit_cve_modules.csv", b"cve,first_seen,first_seen_is_baseline,modules\n");
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Value {
    let status = response.status();
    let text = response.body_mut().read_to_string().unwrap();
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Asks until it is done; the states on the way, and the result.
fn replayed(server: &Server, asked: &Value) -> (Vec<String>, Value) {
    let (began, mut states) = (Instant::now(), Vec::new());
    loop {
        let answer = read(server.post("/api/v1/backtest").send_json(asked).unwrap());
        let state = answer["state"].as_str().unwrap().to_owned();
        if states.last() != Some(&state) {
            states.push(state.clone());
        }
        if state == "done" {
            return (states, answer["result"].clone());
        }
        assert!(began.elapsed() < DEADLINE, "{answer}");
        std::thread::yield_now();
    }
}

#[test]
fn policies_are_replayed_beside_the_record_and_kept() {
    let place = tempfile::tempdir().unwrap();
    write_history(place.path());
    let server = Server::with(|settings| settings.history = Some(place.path().to_owned()));
    let before = server.running().writer.world().digest().unwrap();
    let there = || read(server.get("/api/v1/backtest").call().unwrap());
    // Scores of 2025-01-04 are known the day after; listings until 2025-10-11 judge days until 30 before.
    let history = there()["history"].clone();
    assert_eq!((&history["first"], &history["last"]), (&json!("2025-01-05"), &json!("2025-09-07")));
    assert_eq!((&history["days"], &history["records"]), (&json!(36), &json!(false)));
    assert_eq!(history["model_from"], "2024-07-01");
    let offered = |view: &Value| -> Vec<String> {
        let policies = view["policies"].as_array().unwrap().iter();
        policies.map(|one| one["policy"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(offered(&there())[0], "cvss>=7", "no policy is in force yet");

    let asked = json!({ "policies": ["epss>=0.1", "kev"], "from": "2025-01", "to": "2025-09" });
    let (_, result) = replayed(&server, &asked);
    assert_eq!((&result["from"], &result["to"]), (&json!("2025-01-01"), &json!("2025-09-30")));
    assert_eq!((&result["days"], &result["left_out"]), (&json!(36), &json!(3)));
    let [by_score, by_list] = &result["policies"].as_array().unwrap()[..] else { panic!("{result}") };
    // Each listed CVE scores 0.5 from its first day to its listing twenty days later, so nothing that could be flagged is missed; of
    // what is listed within 30 days a part is not public yet.
    assert_eq!(by_score["total"]["coverage_percent"], "100.000");
    assert_eq!(by_list["total"]["flagged"], 0);
    assert_eq!(by_list["total"]["efficiency_percent"], Value::Null);
    let (positives, unscored) = (&by_score["total"]["positives"], &by_score["total"]["unscored_positives"]);
    assert!(positives.as_u64() > Some(0) && unscored.as_u64() > Some(0), "{result}");
    let names = |parts: &Value| -> Vec<String> {
        parts.as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&by_score["by_epss_model"]), ["v3", "v4"]);
    assert_eq!(names(&by_score["by_half_year"]), ["2025 H1", "2025 H2"]);
    // The halves add up to the whole.
    let halves = by_score["by_half_year"].as_array().unwrap();
    let sum: u64 = halves.iter().map(|part| part["counts"]["flagged"].as_u64().unwrap()).sum();
    assert_eq!(json!(sum), by_score["total"]["flagged"]);

    // Again it is there at once, ...
    assert_eq!(replayed(&server, &asked), (vec!["done".to_owned()], result.clone()));
    // ... until a file of the history is another.
    fs::write(
        place.path().join("epss/epss_withdrawn.csv"),
        "last_seen_score_date,cve\n2025-02-01,CVE-2025-10001\n",
    )
    .unwrap();
    let (states, other) = replayed(&server, &asked);
    assert_ne!(states, ["done"]);
    assert_ne!(other["digest"], result["digest"]);
    assert_eq!(server.running().writer.world().digest().unwrap(), before, "a replay changes nothing");
}

#[test]
fn a_policy_file_is_replayed_as_it_stands_in_the_record_and_as_a_draft() {
    let place = tempfile::tempdir().unwrap();
    write_history(place.path());
    let server = Server::with(|settings| settings.history = Some(place.path().to_owned()));
    let rule = |percent: u32| {
        format!(
            "version: 1\nrules:\n  - {{name: likely, when: vulnerability.epss_percent >= {percent}, approval: automatic}}\n  - {{name: rest, approval: forbidden}}\n"
        )
    };
    let set = |text: &str, compared: u32| {
        read(server.post("/api/v1/policy").send_json(json!({ "text": text, "compared": compared })).unwrap())
    };
    set(&rule(40), 0);
    let there = read(server.get("/api/v1/backtest").call().unwrap());
    assert_eq!(there["policies"][0]["policy"], "in-force");
    assert_eq!(there["policies"][0]["records"], false);
    let asked = json!({ "policies": ["in-force", "draft", "epss>=0.4"], "draft": rule(60) });
    let flagged = |result: &Value| -> Vec<u64> {
        let policies = result["policies"].as_array().unwrap().iter();
        policies.map(|one| one["total"]["flagged"].as_u64().unwrap()).collect()
    };
    let (_, result) = replayed(&server, &asked);
    let counts = flagged(&result);
    assert!(counts[0] > 0 && counts[0] == counts[2], "{counts:?}");
    assert_eq!(counts[1], 0, "no score is so high");
    assert_eq!(result["policies"][0]["policy"], "policy in force, version 1");
    assert_eq!(result["policies"][0]["said"]["automatic"], json!(counts[0]));
    assert_eq!(result["policies"][2]["said"], Value::Null);
    // Another policy in force is another question, although its name is the same.
    set(&rule(60), 1);
    let (states, result) = replayed(&server, &asked_without_draft(&asked));
    assert_ne!(states, ["done"]);
    assert_eq!(flagged(&result)[0], 0);
    // What people would let through counts where that is asked.
    let allowed = json!({ "policies": ["in-force"], "flagging": "allowed" });
    assert_eq!(flagged(&replayed(&server, &allowed).1), [0], "the rest is forbidden");
}

fn asked_without_draft(asked: &Value) -> Value {
    json!({ "policies": ["in-force", asked["policies"][2]] })
}

#[test]
fn what_cannot_be_replayed_says_why() {
    let place = tempfile::tempdir().unwrap();
    write_history(place.path());
    let server = Server::with(|settings| settings.history = Some(place.path().to_owned()));
    let ask = |body: Value| {
        let mut response = server.post("/api/v1/backtest").send_json(body).unwrap();
        let status = response.status().as_u16();
        let problem: Value = response.body_mut().read_json().unwrap();
        (status, problem["detail"].as_str().unwrap_or_default().to_owned())
    };
    let nine: Vec<String> = (1..10).map(|share| format!("epss-top={share}%")).collect();
    for (body, said) in [
        (json!({ "policies": [] }), "1 to 8 policies, not 0"),
        (json!({ "policies": nine }), "1 to 8 policies, not 9"),
        (json!({ "policies": ["kev", "kev"] }), "named twice"),
        (json!({ "policies": ["cvss>=11"] }), "\"cvss>=11\" is no policy; there are cvss>=7"),
        (json!({ "policies": ["in-force"] }), "no policy was ever set"),
        (json!({ "policies": ["draft"] }), "field `draft`, which is missing"),
        (json!({ "policies": ["cvss>=7"] }), "reads records, and the history has none"),
        (json!({ "policies": ["kev"], "from": "2025" }), "\"2025\" is no month"),
        (json!({ "policies": ["kev"], "from": "2025-06", "to": "2025-05" }), "is before the first"),
        (json!({ "policies": ["kev"], "from": "2025-10" }), "no day of scores from 2025-10-01"),
        (json!({ "policies": ["kev"], "flagging": "everything" }), "unknown variant"),
        (json!({ "policies": ["kev"], "more": 1 }), "unknown field"),
    ] {
        let (status, detail) = ask(body.clone());
        assert!(status == 400 || status == 422, "{body}: {status} {detail}");
        assert!(detail.contains(said), "{body}: {detail}");
    }
    let (status, detail) = ask(json!({ "policies": ["draft"], "draft": "rules: 7" }));
    assert_eq!(status, 422);
    assert!(detail.contains("problems in the draft, the first: line 1"), "{detail}");

    // A file that is gone is told, and the next question tries again.
    let file = place.path().join("epss/epss_changes.csv.xz");
    let kept = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let asked = json!({ "policies": ["kev"] });
    let began = Instant::now();
    loop {
        let (status, detail) = ask(asked.clone());
        if status == 500 {
            assert!(detail.contains("epss_changes.csv.xz is not there"), "{detail}");
            break;
        }
        assert!(began.elapsed() < DEADLINE, "{status} {detail}");
        std::thread::yield_now();
    }
    fs::write(&file, kept).unwrap();
    replayed(&server, &asked);
    fs::remove_file(place.path().join("epss/epss_snapshots.csv")).unwrap();
    let there = read(server.get("/api/v1/backtest").call().unwrap());
    assert_eq!(there["history"], Value::Null);
    assert!(there["problem"].as_str().unwrap().contains("epss_snapshots.csv"), "{there}");
}

#[test]
fn where_no_history_is_named_the_answer_says_what_to_do() {
    let server = Server::start();
    let there = read(server.get("/api/v1/backtest").call().unwrap());
    assert_eq!((&there["history"], &there["problem"]), (&Value::Null, &Value::Null));
    let answer = server.post("/api/v1/backtest").send_json(json!({ "policies": ["kev"] })).unwrap();
    assert_eq!(code(answer), (404, "not-found".to_owned()));
}
