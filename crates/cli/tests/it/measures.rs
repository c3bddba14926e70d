//! Measures against the record: counted again from an export by a program that shares no code with this one.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tenon_engine::Day;
use tenon_model::Timestamp;
use tenon_server::{DEFINITIONS, DirectivesPage};

use crate::played::Played;

/// Everything that was counted again is in what is told, with the same value; it may tell more.
fn told_alike(told: &Value, again: &Value, at: &str) {
    match (told, again) {
        (Value::Object(told), Value::Object(again)) => {
            for (name, value) in again {
                told_alike(&told[name], value, &format!("{at}/{name}"));
            }
        }
        (Value::Array(told), Value::Array(again)) => {
            assert_eq!(told.len(), again.len(), "{at}");
            for (place, (told, again)) in told.iter().zip(again).enumerate() {
                told_alike(told, again, &format!("{at}/{place}"));
            }
        }
        _ => assert_eq!(told, again, "{at}"),
    }
}

#[test]
fn measures_are_those_of_another_program_over_the_exported_record() {
    let test = "measures_are_those_of_another_program_over_the_exported_record";
    if Command::new("node").arg("--version").output().is_err() {
        println!("skipped: {test}: node is missing");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let played = Played::begin(&folder.path().join("demo"));
    let id = played.at_rest();
    played.ok(&["approve", &id, "--waive-evidence", "its memory was saved"]);
    played.part(8);
    played.ok(&["resume", &id]);
    played.part(9);
    let other = played.get::<DirectivesPage>("directives?group=edge").items.remove(0).id;
    played.ok(&["refuse", &other, "--why", "the vendor withdrew it"]);

    let export = folder.path().join("export.jsonl");
    std::fs::write(&export, played.ok(&["log", "export"])).unwrap();
    let text = std::fs::read_to_string(&export).unwrap();
    let head: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let entry = head["head"]["seq"].as_u64().unwrap().to_string();
    let time = Timestamp::from_millis(head["head"]["time_ms"].as_i64().unwrap());
    let last = Day::of(time).0;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/measures/recompute.mjs");
    let mut verified = 0;
    for days in [1, 2, 30] {
        let mut node = Command::new("node");
        node.arg(&script).arg(&export).args([(last - days + 1).to_string(), last.to_string()]);
        let output = node.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let again: Value = serde_json::from_slice(&output.stdout).unwrap();
        let days = days.to_string();
        let told = played.ok(&["--format", "json", "measures", "--days", &days, "--as-of", &entry]);
        let told: Value = serde_json::from_str(&told).unwrap();
        told_alike(&told, &again, &format!("{days} days"));
        verified = told["whole"]["cases"]["verified"].as_u64().unwrap();
        let one = played
            .ok(&["--format", "json", "measures", "--days", &days, "--group", "data", "--as-of", &entry]);
        let one: Value = serde_json::from_str(&one).unwrap();
        let of_data = again["groups"].as_array().unwrap().iter().find(|of| of["group"] == "data").unwrap();
        let mut of_data = of_data.clone();
        of_data.as_object_mut().unwrap().remove("group");
        told_alike(&one["whole"], &of_data, "data");
    }
    let whole = played.ok(&["measures", "--as-of", &entry]);
    println!(
        "measured: {verified} verified cases of a played estate, all figures equal to those of another program:\n{whole}"
    );
    assert!(verified > 50, "{whole}");
    assert!(whole.lines().all(|line| line.chars().count() <= 80), "{whole}");
    played.end();
}

#[test]
fn the_reference_tells_every_definition_as_the_program_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/measures.md");
    let text = std::fs::read_to_string(path).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    for (name, title, unit, says) in DEFINITIONS {
        assert!(text.contains(&format!("| `{name}` | {title} | {unit} | {says} |")), "{name}: {says}");
    }
}
