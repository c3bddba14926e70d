//! A directive of a played estate is taken, given to somebody, found in the queue by who does it, and given back.

use serde_json::{Value, json};
use tenon_server::{AssetDirectivesView, DirectiveView, LogPage};

use crate::played::Played;

#[test]
fn a_directive_is_taken_found_by_who_does_it_and_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let played = Played::begin(&folder.path().join("demo"));
    // The story waits for its visitor: a directive that nobody has approved.
    let id = played.at_rest();
    let fails = |words: &[&str]| {
        let output = played.run(words);
        assert!(!output.status.success(), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let day = |view: &DirectiveView| view.assignee.as_ref().unwrap().since[..10].to_owned();
    let view = || played.get::<DirectiveView>(&format!("directives/{id}"));

    assert!(fails(&["assign", &id]).contains("--to"), "it is said to whom");
    assert!(fails(&["assign", &id, "--to", "me", "--nobody"]).contains("cannot be used with"));
    assert!(fails(&["assign", &id, "--nobody"]).contains("is with nobody already"));
    assert!(played.ok(&["assign", "--help"]).contains("tenon queue --assignee me"));
    assert!(!played.ok(&["show", &id]).contains("does it since"));

    let said = played.ok(&["assign", &id, "--to", "me"]);
    assert!(said.starts_with(&format!("{id} is with visitor (entry ")), "{said}");
    let since = day(&view());
    let shown = played.ok(&["show", &id]);
    assert!(shown.contains(&format!("\n  visitor does it since {since}\n")), "{shown}");
    assert!(shown.contains(&format!(": awaiting-approval (with visitor since {since})\n")), "{shown}");
    let mine = played.ok(&["queue", "--assignee", "me"]);
    assert!(mine.contains(&format!("\n         visitor does it since {since}\n")), "{mine}");
    assert_eq!(mine.lines().filter(|line| line.starts_with("dir_")).count(), 1, "{mine}");
    let others = played.ok(&["queue", "--assignee", "nobody", "--limit", "500"]);
    assert!(others.contains("dir_") && !others.contains(&format!("{id} ")), "{others}");

    // Of one host, who is waited for comes from the same source.
    let host = view().assets.iter().find(|asset| asset.stage.name == "awaiting-approval").unwrap().id.clone();
    let here = played.get::<AssetDirectivesView>(&format!("assets/{host}/directives"));
    let owner = here.directives.iter().find(|one| one.id == id).unwrap().owner.clone();
    assert_eq!(owner, view().assignee);
    let explained = played.ok(&["plan", "explain", &host, "--directive", &id]);
    assert!(explained.contains(&format!("(with visitor since {since})")), "{explained}");

    // Somebody who does not sign in here, and what each of them does.
    let said = played.ok(&["assign", &id, "--to", "the night shift"]);
    assert!(said.starts_with(&format!("{id} is with the night shift (entry ")), "{said}");
    let shown = played.ok(&["show", &id]);
    assert!(
        shown.contains(&format!("\n  the night shift does it since {since}, given by visitor\n")),
        "{shown}"
    );
    let people = played.ok(&["queue", "--group-by", "assignee"]);
    assert!(people.contains("nobody") && people.contains("the night shift       1 to do"), "{people}");
    let json: Value =
        serde_json::from_str(&played.ok(&["--format", "json", "queue", "--assignee", "the night shift"]))
            .unwrap();
    assert_eq!((json[0]["id"].as_str(), &json[0]["assignee"]["by"]), (Some(id.as_str()), &json!("visitor")));
    assert_eq!(played.ok(&["queue", "--assignee", "me"]), "Nothing in the queue is like that.\n");

    let said = played.ok(&["assign", &id, "--nobody"]);
    assert!(said.starts_with(&format!("{id} is with nobody (entry ")), "{said}");
    let log = played.get::<LogPage>("log?kind=directive-assigned&limit=10");
    let title = view().title;
    let told: Vec<&str> = log.items.iter().map(|entry| entry.said.as_str()).collect();
    assert_eq!(
        told,
        [
            format!("{id} ({title}) given back: nobody does it"),
            format!("{id} ({title}) given to the night shift"),
            format!("{id} ({title}) taken by visitor"),
        ]
    );
    assert!(log.items.iter().all(|entry| entry.by.as_deref() == Some("visitor")), "{:?}", log.items);

    // The canary fails, and whoever does it is waited for: by the directive as a whole, and by each host.
    played.ok(&["assign", &id, "--to", "me"]);
    played.ok(&["approve", &id]);
    played.part(8);
    let waits = format!("(with visitor since {})", day(&view()));
    let plan = played.ok(&["plan", "show", &id]);
    let halted = plan.lines().find(|line| line.contains("a person to resume it")).unwrap_or_default();
    assert!(halted.ends_with(&waits), "{plan}");
    let rollout = view().rollout.unwrap();
    let hosts = rollout.waves.iter().flat_map(|wave| &wave.hosts);
    let mut waiting = hosts.filter(|host| host.why_not_yet.is_some()).peekable();
    assert!(waiting.peek().is_some());
    assert!(waiting.all(|host| host.owner.as_ref().is_some_and(|owner| owner.person == "visitor")));
    let watched = played.run(&["watch", &id]);
    assert_eq!(watched.status.code(), Some(3));
    let watched = String::from_utf8(watched.stdout).unwrap();
    assert!(watched.contains("halted: ") && watched.contains(&waits), "{watched}");
    played.ok(&["assign", &id, "--nobody"]);

    // Whose it was then.
    let then = log.items[2].seq.to_string();
    assert!(played.ok(&["show", &id, "--as-of", &then]).contains("visitor does it since"));
    assert!(played.ok(&["queue", "--assignee", "me", "--as-of", &then]).contains(&id));
    assert!(!played.ok(&["show", &id]).contains("does it since"));
}
