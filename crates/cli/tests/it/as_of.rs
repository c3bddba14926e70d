//! `--as-of`: whatever a command showed at an entry of the record, it shows as of that entry for ever.

use tenon_server::{AssetsPage, DirectiveView, HeadView, LogPage};

use crate::played::Played;

const POLICY: &str = "version: 1\nrules:\n  - {name: databases, when: asset.environment == \"production\", approval: {people: 2, role: approver}}\n";
const CONTEXT: &str = "services: { shop: { criticality: high } }\n";

#[test]
fn what_every_reading_command_showed_it_shows_as_of_then() {
    let folder = tempfile::tempdir().unwrap();
    let played = Played::begin(&folder.path().join("demo"));
    // The story waits for its visitor; what else was under way has ended.
    let id = played.part(6);
    played.wait("the end of the other rollout", |played| {
        let found = played.get::<tenon_server::DirectivesPage>("directives?q=quillsql&group=data");
        let other = played.get::<DirectiveView>(&format!("directives/{}", found.items.first()?.id));
        (other.rollout?.state == "over").then_some(())
    });
    played.ok(&["approve", &id, "--waive-evidence", "its memory was saved"]);
    played.part(8);
    let halted = played.get::<DirectiveView>(&format!("directives/{id}"));
    let waiting = halted.rollout.unwrap().waves.last().unwrap().hosts[0].hostname.clone();
    let asset = played.get::<AssetsPage>("assets?limit=1").items.remove(0).id;
    let commands: [&[&str]; 14] = [
        &["queue"],
        &["assets"],
        &["gaps"],
        &["trend", "--days", "12"],
        &["vulnerability", "DEMO-2026-4471"],
        &["vulnerabilities", "--only", "exploited"],
        &["show", &id],
        &["show", &asset],
        &["why", &id],
        &["plan", "show", &id],
        &["plan", "explain", &waiting],
        &["context", "show"],
        &["policy", "show"],
        &["tempo"],
    ];
    let (entry, before) = played.wait("a record that stands still for as long as it is read", |played| {
        let head = || played.get::<HeadView>("head").seq;
        let (entry, before) = (head(), commands.map(|words| played.ok(words)));
        (head() == entry).then_some((entry, before))
    });

    let policy = folder.path().join("policy.yaml");
    std::fs::write(&policy, POLICY).unwrap();
    let context = folder.path().join("context.yaml");
    std::fs::write(&context, CONTEXT).unwrap();
    played.ok(&["tempo", "cautious"]);
    played.ok(&["policy", "apply", policy.to_str().unwrap(), "--yes"]);
    played.ok(&["context", "apply", context.to_str().unwrap(), "--yes"]);
    played.ok(&["promote", "edge"]);
    played.ok(&["demote", "shop"]);
    played.ok(&["refuse", &id, "--why", "the vendor withdrew it"]);

    let entry = entry.to_string();
    let mut others = 0;
    for (words, before) in commands.iter().zip(before) {
        let then = played.run(&[*words, &["--as-of", &entry]].concat());
        let said = String::from_utf8(then.stderr).unwrap();
        assert!(then.status.success(), "{words:?}: {said}");
        assert_eq!(String::from_utf8(then.stdout).unwrap(), before, "{words:?}");
        assert!(said.contains(&format!("as of entry {entry}, 2026-06-")), "{words:?}: {said}");
        others += usize::from(played.ok(words) != before);
    }
    assert!(others >= 10, "only {others} commands show anything else now");

    // What happened in a rollout is about its directive.
    let log = played.get::<LogPage>(&format!("log?limit=500&directive={id}"));
    for kind in ["rollout-planned", "wave-began", "order-issued", "rollout-halted"] {
        assert!(log.items.iter().any(|entry| entry.kind == kind), "{kind}: {:?}", log.items);
    }
    assert!(log.items.iter().all(|entry| entry.directive.as_ref() == Some(&id)), "{:?}", log.items);
    let rehearsed = log.items.iter().find(|entry| entry.kind == "rehearsal-recorded");
    assert!(rehearsed.is_some_and(|entry| entry.asset.is_some()), "{rehearsed:?}");

    let early = played.run(&["trend", "--as-of", "2026-06-15T11:00:00Z"]);
    let told = String::from_utf8(early.stderr).unwrap();
    assert!(!early.status.success() && told.contains("(no-such-time)"), "{told}");
    played.end();
}
