//! Both teams talk about a directive of a played estate, dispute it, and approve it once that is answered.

use serde_json::Value;
use tenon_server::{DirectiveView, LogPage};

use crate::played::Played;

#[test]
fn what_is_disputed_waits_for_an_answer_and_all_of_it_is_on_record() {
    let folder = tempfile::tempdir().unwrap();
    let played = Played::begin(&folder.path().join("demo"));
    // The story waits for its visitor: a directive that nobody has approved.
    played.part(6);
    let page = played.get::<Value>("directives?limit=500");
    let waits = |line: &&Value| line["stages"]["awaiting-approval"].as_u64() > Some(0);
    let id = page["items"].as_array().unwrap().iter().find(waits).unwrap()["id"].as_str().unwrap().to_owned();
    let fails = |words: &[&str]| {
        let output = played.run(words);
        assert!(!output.status.success(), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    };

    assert!(fails(&["answer", &id, "--why", "it is"]).contains("nothing is disputed on"));
    assert!(fails(&["comment", &id, "  "]).contains("plain text of 1 to 2000 bytes"));
    assert!(fails(&["dispute", &id]).contains("--why"));
    played.ok(&["comment", &id, "the vendor mends this\nwith the next image"]);
    let said = played.ok(&["dispute", &id, "--why", "the module is not loaded"]);
    assert!(
        said.starts_with(&format!("{id} disputed: nothing of it is approved until somebody answers")),
        "{said}"
    );
    let refused = fails(&["approve", &id]);
    assert!(
        refused.contains("is disputed since ") && refused.contains("the module is not loaded"),
        "{refused}"
    );
    let shown = played.ok(&["show", &id]);
    assert!(shown.contains("  DISPUTED: "), "{shown}");
    assert!(shown.contains(" (dispute)\n      the module is not loaded\n"), "{shown}");
    assert!(shown.contains("\n      the vendor mends this\n      with the next image\n"), "{shown}");
    assert!(played.ok(&["queue", "--limit", "500"]).contains("DISPUTED"), "the queue tells");

    played.ok(&["answer", &id, "--why", "it is, on two of them"]);
    let view = played.get::<DirectiveView>(&format!("directives/{id}"));
    assert!(!view.disputed);
    let thread: Vec<(&str, &str)> =
        view.thread.iter().map(|note| (note.kind.as_str(), note.by.as_str())).collect();
    let by = thread[0].1;
    assert!(!by.starts_with("usr_"), "people have names: {by}");
    assert_eq!(thread, [("comment", by), ("dispute", by), ("answer", by)]);
    assert!(!played.ok(&["show", &id]).contains("DISPUTED"));
    played.ok(&["approve", &id, "--waive-evidence", "nothing to preserve in a demonstration"]);
    let log = played.get::<LogPage>("log?kind=directive-noted&limit=10");
    assert_eq!(log.items.len(), 3);
    assert!(log.items.iter().all(|entry| entry.directive.as_deref() == Some(id.as_str())), "{:?}", log.items);
}
