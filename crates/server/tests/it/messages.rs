//! What needs a person is told where people look anyhow: once, in order, signed, whatever happens in between.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::num::NonZeroU32;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tenon_model::{
    AssetId, Command, Digest, EvidenceOutcome, Order, OrderAction, OrderId, RehearsalOutcome,
    RehearsalReport, Stage, Transaction, Undo,
};
use tenon_server::{Addressees, ServeError, Settings, serve};
use tenon_wire::{EvidenceAnswer, Secret, path};

use crate::evidence::{exploited, order};
use crate::gateway::{report_with, reported_with};
use crate::running::{Server, code, settings};
use crate::sink::{DEADLINE, Sink, Taken, mail_server};

const EAGER: NonZeroU32 = NonZeroU32::new(1_000_000).unwrap();
const KEY: &str = "0123456789abcdef0123456789abcdef";

fn write(path: &Path, content: &str, mode: u32) {
    let mut file =
        std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(mode).open(path).unwrap();
    file.write_all(content.as_bytes()).unwrap();
}

/// A server that tells this sink, as the rest of the file says.
fn telling(sink: &Sink, rest: &str) -> Server {
    telling_with(sink, rest, |_| {})
}

/// The same, with other settings changed as well.
pub(crate) fn telling_with(sink: &Sink, rest: &str, change: impl FnOnce(&mut Settings)) -> Server {
    let text = format!(
        "version: 1\nlink: https://tenon.example.org/\nto:\n  chat:\n    url: http://{}/secret-path\n{rest}",
        sink.address
    );
    Server::with(|settings| {
        let folder = settings.data.parent().unwrap();
        let path: PathBuf = folder.join("told.yaml");
        write(&path, &text, 0o600);
        write(&folder.join("hook.key"), &format!("{KEY}\n"), 0o600);
        settings.messages = Some(path);
        // Who waits here asks again at once.
        settings.requests_per_second = EAGER;
        change(settings);
    })
}

fn standing(server: &Server) -> Value {
    let mut view: Value = server.get("/api/v1/messages").call().unwrap().body_mut().read_json().unwrap();
    view["items"][0].take()
}

/// How it stands, once it stands so.
pub(crate) fn standing_as(server: &Server, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let standing = standing(server);
        if wanted(&standing) {
            return standing;
        }
        assert!(Instant::now() < deadline, "{standing}");
        std::thread::yield_now();
    }
}

/// The rehearsals that were ordered of this package's directive and not answered.
fn rehearsing(server: &Server, package: &str) -> Vec<(AssetId, OrderId)> {
    let world = server.running().writer.world();
    let of = world.directives().filter(|(_, state)| state.source().name == package);
    of.flat_map(|(_, state)| {
        state.begun().filter_map(|(asset, stage)| match stage {
            Stage::Rehearsing { order } => Some((world.asset_at(asset)?.id, *order)),
            _ => None,
        })
    })
    .collect()
}

fn report(server: &Server, (asset, order): (AssetId, OrderId), outcome: RehearsalOutcome) {
    let report = RehearsalReport {
        outcome,
        transaction: Transaction::default(),
        files: Vec::new(),
        class: Digest::of(b"class"),
        conffile_conflicts: Vec::new(),
        units: Vec::new(),
        reboot: false,
        bytes_written: 1,
        duration_ms: 1,
        undo: Undo::Proven,
        output: String::new(),
    };
    let command = Command::ReportRehearsal { asset, order, report };
    server.runtime().block_on(server.running().writer.submit(command, None)).unwrap();
}

#[test]
fn cloud_events_are_signed_and_tell_what_to_do_and_what_went_wrong() {
    let sink = Sink::answering(204);
    let server = telling(
        &sink,
        "    form: cloudevents\n    key-file: hook.key\n    about: [approval, urgent, trouble, raised]\n",
    );
    reported_with(&server, &["openssl"]);
    let raised = sink.answered(204, 1).remove(0);
    let event = raised.json();
    println!("{event:#}");
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["source"], "https://tenon.example.org");
    assert_eq!(event["subject"], "dir_1");
    assert_eq!(event["data"]["kind"], "directive-raised");
    assert_eq!(event["data"]["link"], "https://tenon.example.org/#dir_1");
    assert_eq!(event["data"]["directive"]["title"], "upgrade openssl to 2.0");
    assert!(
        event["data"]["said"]
            .as_str()
            .unwrap()
            .starts_with("dir_1: upgrade openssl to 2.0 on 1 host of group default")
    );
    // Signed as Standard Webhooks says, over what was sent.
    let signed =
        format!("{}.{}.{}", raised.header("webhook-id"), raised.header("webhook-timestamp"), raised.body);
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, KEY.as_bytes());
    let signature = STANDARD.decode(raised.header("webhook-signature").strip_prefix("v1,").unwrap()).unwrap();
    ring::hmac::verify(&key, signed.as_bytes(), &signature).unwrap();
    assert_eq!(raised.header("webhook-id"), event["id"].as_str().unwrap());
    assert_eq!(raised.header("content-type"), "application/cloudevents+json");

    // A second host wants it too. People are asked once, when both have rehearsed.
    reported_with(&server, &["openssl"]);
    assert_eq!(server.post("/api/v1/groups/default/promote").send_json(json!({})).unwrap().status(), 200);
    let orders = rehearsing(&server, "openssl");
    assert_eq!(orders.len(), 2, "both rehearse");
    report(&server, orders[0], RehearsalOutcome::Passed);
    report(&server, orders[1], RehearsalOutcome::Passed);
    let asked: Vec<Value> = sink.answered(204, 2)[1..].iter().map(Taken::json).collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0]["type"], "tenon.approval");
    let said = asked[0]["data"]["said"].as_str().unwrap();
    assert!(
        said.starts_with("dir_1 waits for approval on 2 hosts: upgrade openssl to 2.0 on 2 hosts"),
        "{said}"
    );

    assert!(!said.contains("does it"), "nobody does: {said}");

    // A rehearsal that fails is trouble, on a host that has a name; of somebody who does it.
    reported_with(&server, &["zlib"]);
    let taken = server.post("/api/v1/directives/dir_2/assign").send_json(json!({ "to": "me" }));
    assert_eq!(taken.unwrap().status(), 200);
    let zlib = rehearsing(&server, "zlib");
    report(&server, zlib[0], RehearsalOutcome::Failed { reason: "no\u{7} room".to_owned() });
    let told: Vec<Value> = sink.answered(204, 4)[2..].iter().map(Taken::json).collect();
    assert_eq!(told[0]["data"]["directive"]["title"], "upgrade zlib to 2.0");
    assert_eq!(told[1]["type"], "tenon.trouble");
    let said = told[1]["data"]["said"].as_str().unwrap();
    assert!(
        said.contains("upgrade zlib to 2.0") && said.contains("h1") && said.contains("no  room"),
        "{said}"
    );
    assert!(said.ends_with("; tester does it"), "{said}");
    assert_eq!(told[1]["data"]["directive"]["assignee"]["person"], "tester");
    assert_eq!(told[1]["data"]["asset"], zlib[0].0.to_string());

    let standing = standing_as(&server, |standing| standing["behind"] == 0 && standing["posts"] == 4);
    assert_eq!((&standing["host"], &standing["signed"]), (&json!("127.0.0.1"), &json!(true)));
    assert!(!standing.to_string().contains("secret-path"), "{standing}");
}

#[test]
fn what_could_not_be_delivered_is_delivered_once_and_in_order_over_restarts() {
    let sink = Sink::answering(503);
    let mut server = telling(&sink, "    form: cloudevents\n    about: [urgent, raised]\n");
    reported_with(&server, &["openssl", "zlib", "bash"]);
    sink.answered(503, 2);
    let refused = standing_as(&server, |standing| standing["problem"].is_string());
    assert_eq!(refused["waiting"], 3);
    assert_eq!(refused["problem"], "127.0.0.1 answers 503 Service Unavailable: no thing");
    // Neither the outage nor a restart loses any; the one that waits first is tried, and none overtakes it.
    server.restart();
    let seen = sink.answered(503, 4);
    let first = seen[0].json()["id"].clone();
    assert!(seen.iter().all(|taken| taken.json()["id"] == first), "{seen:?}");
    sink.answer_from_now(200);
    let told = sink.answered(200, 3);
    let titles: Vec<Value> =
        told.iter().map(|taken| taken.json()["data"]["directive"]["title"].clone()).collect();
    assert_eq!(titles, ["upgrade bash to 2.0", "upgrade openssl to 2.0", "upgrade zlib to 2.0"]);
    standing_as(&server, |standing| standing["waiting"] == 0 && standing["problem"].is_null());
    // What was taken is not told again: the next one that comes is new.
    server.restart();
    reported_with(&server, &["curl"]);
    let told = sink.answered(200, 4);
    let ids: BTreeSet<String> = told.iter().map(|taken| taken.json()["id"].to_string()).collect();
    assert_eq!(ids.len(), 4, "{told:?}");
    assert_eq!(told[3].json()["data"]["directive"]["title"], "upgrade curl to 2.0");
}

#[test]
fn a_chat_gets_what_has_gathered_in_one_post_that_calls_nobody() {
    for form in ["slack", "teams"] {
        let sink = Sink::answering(200);
        let server =
            telling(&sink, &format!("    form: {form}\n    about: [urgent, raised]\n    gather: 2s\n"));
        reported_with(&server, &["openssl", "<!channel>", "a&b"]);
        let post = sink.answered(200, 1).remove(0);
        println!("{}", post.body);
        let body = post.json();
        if form == "slack" {
            let lines: Vec<&str> = body["text"].as_str().unwrap().lines().collect();
            assert_eq!(lines.len(), 3, "{lines:?}");
            assert!(lines.iter().any(|line| line.contains("upgrade &lt;!channel&gt; to 2.0")), "{lines:?}");
            assert!(lines.iter().any(|line| line.contains("upgrade a&amp;b to 2.0")), "{lines:?}");
            assert!(lines.iter().all(|line| line.ends_with("|Open>")), "{lines:?}");
        } else {
            let card = &body["attachments"][0]["content"];
            assert_eq!((&card["type"], &card["version"]), (&json!("AdaptiveCard"), &json!("1.4")));
            let lines = card["body"].as_array().unwrap();
            assert_eq!(lines.len(), 3, "{lines:?}");
            // Runs of text are not read as Markdown.
            assert!(lines.iter().all(|line| line["type"] == "RichTextBlock"), "{lines:?}");
        }
        standing_as(&server, |standing| standing["behind"] == 0 && standing["posts"] == 1);
    }
}

#[test]
fn a_trial_says_what_came_of_it_and_no_redirect_is_followed() {
    let sink = Sink::answering(302);
    let server = telling(&sink, "    form: slack\n");
    let mut tried = server.post("/api/v1/messages/chat/try").send_json(json!({})).unwrap();
    let tried: Value = tried.body_mut().read_json().unwrap();
    assert_eq!(tried, json!({ "taken": false, "problem": "127.0.0.1 answers 302 Found: no thing" }));
    assert_eq!(sink.answered(302, 1).len(), 1);
    sink.answer_from_now(200);
    let mut tried = server.post("/api/v1/messages/chat/try").send_json(json!({})).unwrap();
    let tried: Value = tried.body_mut().read_json().unwrap();
    assert_eq!(tried, json!({ "taken": true, "problem": null }));
    assert!(sink.answered(200, 1)[0].body.contains("A trial"));
    assert_eq!(code(server.post("/api/v1/messages/nobody/try").send_json(json!({})).unwrap()).0, 404);
}

#[test]
fn approval_is_asked_for_once_also_where_the_last_rehearsal_fails() {
    let sink = Sink::answering(200);
    let mut server = telling(&sink, "    form: cloudevents\n    about: [approval, trouble]\n");
    reported_with(&server, &["openssl"]);
    reported_with(&server, &["openssl"]);
    assert_eq!(server.post("/api/v1/groups/default/promote").send_json(json!({})).unwrap().status(), 200);
    let orders = rehearsing(&server, "openssl");
    report(&server, orders[0], RehearsalOutcome::Passed);
    standing_as(&server, |standing| standing["behind"] == 0);
    report(&server, orders[1], RehearsalOutcome::Failed { reason: "no room".to_owned() });
    let told: Vec<Value> = sink.answered(200, 2).iter().map(Taken::json).collect();
    let kinds: BTreeSet<&str> = told.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, BTreeSet::from(["tenon.approval", "tenon.trouble"]), "{told:#?}");
    let asked = told.iter().find(|event| event["type"] == "tenon.approval").unwrap();
    let said = asked["data"]["said"].as_str().unwrap();
    assert!(
        said.starts_with("dir_1 waits for approval on 1 host: upgrade openssl to 2.0 on 2 hosts"),
        "{said}"
    );
    // A restart asks nothing again, whatever else happens to the directive.
    standing_as(&server, |standing| standing["posts"] == 2 && standing["behind"] == 0);
    server.restart();
    let again =
        json!({ "vulnerability": "VENDOR:openssl:2.0", "asset": orders[0].0.to_string(), "what": "seen" });
    assert_eq!(server.post("/api/v1/detections").send_json(&again).unwrap().status(), 200);
    standing_as(&server, |standing| standing["behind"] == 0);
    assert_eq!(sink.answered(200, 2).len(), 2);
}

#[test]
fn that_evidence_cannot_be_preserved_is_told_once_nothing_more_is_tried() {
    let sink = Sink::answering(200);
    let server = telling(&sink, "    form: cloudevents\n    about: [trouble]\n");
    let (asset, known) = exploited(&server);
    let mut missed = 0;
    for sequence in 2.. {
        let Order { id, action, .. } = order(&server, &known);
        if !matches!(action, OrderAction::PreserveEvidence { .. }) {
            // What changes nothing goes on meanwhile.
            report(&server, (asset, id), RehearsalOutcome::Passed);
            report_with(&server, &known, sequence, &["toyd"]);
            continue;
        }
        let outcome = EvidenceOutcome::NotPreserved { reason: "/proc cannot be read".to_owned() };
        let answer = EvidenceAnswer { order: id, outcome };
        let sent = known.post(server.gateway(path::EVIDENCE)).send_json(&answer).unwrap();
        assert_eq!(sent.status().as_u16(), 200);
        missed += 1;
        if missed == 3 {
            break;
        }
        let standing = standing_as(&server, |standing| standing["behind"] == 0);
        assert_eq!(standing["posts"], 0, "it is tried again");
        report_with(&server, &known, sequence, &["toyd"]);
    }
    standing_as(&server, |standing| standing["behind"] == 0 && standing["posts"] == 1);
    let told = sink.answered(200, 1).remove(0).json();
    assert_eq!((&told["type"], &told["data"]["kind"]), (&json!("tenon.trouble"), &json!("evidence-missed")));
    let said = told["data"]["said"].as_str().unwrap();
    assert!(said.contains("h1") && said.contains("/proc cannot be read"), "{said}");
}

#[test]
fn that_a_directive_is_urgent_is_told_once_over_restarts_too() {
    let sink = Sink::answering(200);
    let mut server = telling(&sink, "    form: cloudevents\n    about: [urgent]\n");
    reported_with(&server, &["openssl"]);
    let attack = |server: &Server, sensor: &str| {
        let body =
            json!({ "vulnerability": "VENDOR:openssl:2.0", "asset": "h1", "what": "seen", "sensor": sensor });
        let mut taken = server.post("/api/v1/detections").send_json(&body).unwrap();
        taken.body_mut().read_json::<Value>().unwrap()["detection"].as_str().unwrap().to_owned()
    };
    // Each attack makes it due within a day, and each dismissal takes that back.
    for (round, sensor) in ["waf", "edr", "ids"].into_iter().enumerate() {
        let detection = attack(&server, sensor);
        let dismissed = server
            .post(&format!("/api/v1/detections/{detection}/dismiss"))
            .send_json(json!({ "why": "our scanner" }))
            .unwrap();
        assert_eq!(dismissed.status(), 200, "{sensor}");
        standing_as(&server, |standing| standing["behind"] == 0);
        if round == 1 {
            server.restart();
        }
    }
    standing_as(&server, |standing| standing["behind"] == 0);
    let told: Vec<Value> = sink.answered(200, 4).iter().map(Taken::json).collect();
    let of = |kind: &str| {
        told.iter().filter(|event| event["data"]["kind"].as_str().unwrap().starts_with(kind)).count()
    };
    assert_eq!((of("directive-"), of("detection-reported")), (1, 3), "{told:#?}");
}

#[test]
fn what_fails_alike_on_many_hosts_is_told_once_over_restarts_too() {
    let sink = Sink::answering(200);
    let mut server = telling(&sink, "    form: cloudevents\n    about: [trouble]\n");
    for _ in 0..4 {
        reported_with(&server, &["openssl"]);
    }
    assert_eq!(server.post("/api/v1/groups/default/promote").send_json(json!({})).unwrap().status(), 200);
    let orders = rehearsing(&server, "openssl");
    assert_eq!(orders.len(), 4);
    let failed = |reason: &str| RehearsalOutcome::NotRehearsed { reason: reason.to_owned() };
    report(&server, orders[0], failed("it changes how the machine boots"));
    report(&server, orders[1], failed("it changes how the machine boots"));
    standing_as(&server, |standing| standing["behind"] == 0);
    server.restart();
    report(&server, orders[2], failed("it changes how the machine boots"));
    report(&server, orders[3], failed("a critical question"));
    standing_as(&server, |standing| standing["behind"] == 0);
    let told = sink.answered(200, 2);
    let said: Vec<String> =
        told.iter().map(|taken| taken.json()["data"]["said"].as_str().unwrap().to_owned()).collect();
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said[0].contains("boots") && said[1].contains("a critical question"), "{said:#?}");
}

#[test]
fn who_is_new_is_told_from_now_on_and_of_the_groups_named() {
    let sink = Sink::answering(200);
    let server = telling(&sink, "    form: cloudevents\n    about: [urgent, raised]\n    groups: [web]\n");
    reported_with(&server, &["openssl"]);
    let standing = standing_as(&server, |standing| standing["behind"] == 0);
    assert_eq!((&standing["posts"], &standing["waiting"]), (&json!(0), &json!(0)));
}

#[test]
fn after_an_older_record_was_restored_what_happens_next_is_told() {
    let sink = Sink::answering(200);
    let mut server = telling(&sink, "    form: cloudevents\n    about: [urgent, raised]\n");
    reported_with(&server, &["openssl"]);
    standing_as(&server, |standing| standing["behind"] == 0 && standing["posts"] == 1);
    let file = server.running().folder.path("messages.sqlite");
    server.stop();
    // As if the record had been longer, and another directive had had the next id.
    let outbox = rusqlite::Connection::open(file).unwrap();
    outbox
        .execute_batch("UPDATE place SET next = 1000000; INSERT INTO told VALUES ('chat', 'dir_2', 1, NULL);")
        .unwrap();
    drop(outbox);
    server.restart();
    reported_with(&server, &["zlib"]);
    let told = sink.answered(200, 2);
    assert_eq!(told[1].json()["data"]["directive"]["title"], "upgrade zlib to 2.0");
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("told.yaml");
    write(&path, "version: 1\n", 0o644);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut settings = settings(folder.path());
    settings.messages = Some(path);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let refused = match runtime.block_on(serve(settings)) {
        Err(refused @ ServeError::Messages(_)) => refused.to_string(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it serves"),
    };
    assert!(refused.contains("can be read by others (mode 644): chmod 600 it"), "{refused}");
}

/// What is wrong with a file, in the order of the file.
fn problems(text: &str) -> Vec<String> {
    let key = |file: &str| match file {
        "good.key" => Ok(Secret::new(KEY.to_owned())),
        "short.key" => Ok(Secret::new("short".to_owned())),
        file => Err(format!("there is no file {file}")),
    };
    match Addressees::read(text, &key) {
        Ok(_) => Vec::new(),
        Err(problems) => {
            problems.listed().iter().map(|problem| format!("{}: {}", problem.place, problem.reason)).collect()
        }
    }
}

#[test]
fn every_problem_of_the_file_is_told_with_its_place_and_without_the_address() {
    let good = "version: 1\nlink: https://t.example\nto:\n  a:\n    url: https://hooks.example/x\n    form: teams\n    key-file: good.key\n";
    assert_eq!(problems(good), Vec::<String>::new());
    let of = |line: &str| problems(&good.replace("    form: teams\n", &format!("    form: teams\n{line}\n")));
    let cases = [
        ("    about: [approval, nonsense]", "line 7, column 23: \"nonsense\" is none of approval, urgent"),
        ("    about: []", "line 7, column 12: the list is empty: nothing would be told"),
        ("    groups: web", "line 7, column 13: a list"),
        ("    groups: ['not a group!']", "line 7, column 14: "),
        ("    gather: 25h", "line 7, column 13: \"25h\" is no time up to 24h"),
        ("    gather: soon", "line 7, column 13: \"soon\" is no time up to 24h"),
        ("    retries: 3", "line 7, column 5: \"retries\" is not known here: url, form"),
    ];
    for (line, wanted) in cases {
        let told = of(line);
        assert!(matches!(&told[..], [one] if one.starts_with(wanted)), "{line}: {told:?}");
    }
    let swapped = [
        ("https://hooks.example/x", "http://hooks.example/secret", "an https address"),
        ("https://hooks.example/x", "https://me:secret@hooks.example/", "an address without a user in it"),
        ("https://hooks.example/x", "secret", "no address of the form https://host/path"),
        ("form: teams", "form: pigeon", "\"pigeon\" is none of cloudevents, slack, teams, mail"),
        ("good.key", "short.key", "short.key holds no key of 24 bytes or more"),
        ("good.key", "gone.key", "there is no file gone.key"),
        ("version: 1", "version: 2", "this program reads version 1 of the file"),
        ("link: https://t.example\n", "", "it says where people open Tenon"),
    ];
    for (from, to, wanted) in swapped {
        let told = problems(&good.replace(from, to));
        assert!(told.iter().any(|one| one.contains(wanted)), "{to}: {told:?}");
        assert!(!told.iter().any(|one| one.contains("secret")), "{to}: {told:?}");
    }
    let gathers = good.replace("teams", "cloudevents").replace("    key", "    gather: 5m\n    key");
    assert_eq!(
        problems(&gathers),
        ["line 7, column 13: each CloudEvent is posted by itself: leave `gather` out"]
    );
}

#[test]
fn a_mail_tells_what_has_gathered_and_asks_for_no_answer() {
    let (address, mails) = mail_server();
    let text = format!(
        "version: 1\nlink: https://tenon.example.org\nto:\n  admins:\n    url: smtp://{address}\n    form: mail\n    \
         from: Tenon <tenon@example.org>\n    recipients: [ops@example.org, 'Ada <ada@example.org>']\n    \
         about: [urgent, raised]\n    gather: 2s\n"
    );
    let server = Server::with(|settings| {
        let path = settings.data.parent().unwrap().join("told.yaml");
        write(&path, &text, 0o600);
        settings.messages = Some(path);
        // Who waits here asks again at once.
        settings.requests_per_second = EAGER;
    });
    reported_with(&server, &["openssl", "zlib"]);
    let mail = mails.recv_timeout(DEADLINE).unwrap();
    println!("{mail}");
    for part in [
        "From: Tenon <tenon@example.org>",
        "To: ops@example.org, Ada <ada@example.org>",
        "Auto-Submitted: auto-generated",
        "upgrade openssl to 2.0 on 1 host of group default",
        "https://tenon.example.org/#dir_2",
    ] {
        assert!(mail.contains(part), "{part} in {mail}");
    }
    let subject = mail.lines().find(|line| line.starts_with("Subject: ")).unwrap();
    assert!(subject.starts_with("Subject: Tenon: "), "{subject}");
    standing_as(&server, |standing| standing["behind"] == 0 && standing["posts"] == 1);
}

#[test]
fn mail_without_tls_leaves_for_this_machine_alone() {
    let good = "version: 1\nlink: https://t.example\nto:\n  a:\n    form: mail\n    url: smtps://mail.example\n    from: t@t.example\n    recipients: [o@t.example]\n";
    assert_eq!(problems(good), Vec::<String>::new());
    let cases = [
        ("smtps://mail.example", "http://mail.example", "a mail server: smtps://"),
        ("smtps://mail.example", "smtp://me:pass@mail.example", "a mail server: smtps://"),
        ("from: t@t.example", "from: nobody", "\"nobody\" is no mail address"),
        ("recipients: [o@t.example]", "recipients: o@t.example", "a list of addresses"),
        ("    recipients: [o@t.example]\n", "", "a: who reads: `recipients: [ops@example.org]`"),
        ("    form: mail\n", "    form: mail\n    user: tenon\n", "`user` and `password-file` go together"),
        ("    form: mail\n", "    form: mail\n    key-file: good.key\n", "\"key-file\" is not known here"),
    ];
    for (from, to, wanted) in cases {
        let told = problems(&good.replace(from, to));
        assert!(told.iter().any(|one| one.contains(wanted)), "{to}: {told:?}");
    }
}

const OPERATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");

#[test]
fn the_documented_file_is_read() {
    let page = std::fs::read_to_string(OPERATIONS).unwrap();
    let (_, from) = page.split_once("## Messages").expect("the page has the section");
    let lines = from.lines().skip_while(|line| !line.starts_with("    version: 1"));
    let text: Vec<&str> = lines.take_while(|line| line.starts_with("    ")).map(|line| &line[4..]).collect();
    let read = Addressees::read(&text.join("\n"), &|_| Ok(Secret::new(KEY.to_owned()))).unwrap();
    let names: Vec<&str> = read.to.iter().map(|to| to.name.as_str()).collect();
    assert_eq!(names, ["on-call", "daily", "tickets", "admins"]);
    assert_eq!(read.to[1].gather, Duration::from_secs(24 * 3_600));
    assert!(read.to[2].is_signed());
    assert_eq!(read.to[3].host(), "mail.example.org");
}
