//! Old journals: what a release once wrote, every later one reads, writes alike and replays. The fixtures are never
//! written again; a new version of the encoding gets fixtures of its own beside them.
//!
//! `events-v1.jsonl` holds the payloads of a journal of version 1, one line each, every kind of event and outcome among
//! them; `blobs-v1.jsonl` the blobs that they name.

use std::collections::{BTreeMap, BTreeSet};

use tenon_engine::World;
use tenon_model::{Digest, OrderAction, Stage, Timestamp, Versioned};

use crate::lab::{Entry, replay};
use crate::watch::{KINDS, kind};

/// Kinds of events that came later.
const LATER: [&str; 42] = [
    "context-set",
    "context-taken-over",
    "rules-set",
    "vex-stated",
    "directive-changed",
    "inventory-changed",
    "policy-set",
    "approval-given",
    "approved-by-policy",
    "tempo-set",
    "rollout-planned",
    "wave-began",
    "wave-ended",
    "rollout-halted",
    "rollout-resumed",
    "asset-renamed",
    "asset-retired by-person",
    "asset-retired superseded",
    "asset-retired silent",
    "asset-returned",
    "agent-started",
    "clone-seen",
    "clone-gone",
    "exception-granted",
    "exception-ended expired",
    "exception-ended revoked",
    "control-recorded",
    "control-ended expired",
    "control-ended withdrawn",
    "detection-reported",
    "detection-faded",
    "detection-ended expired",
    "detection-ended dismissed",
    "directive-noted comment",
    "directive-noted dispute",
    "directive-noted answer",
    "directive-assigned",
    "changes-signed",
    "reach-assessed",
    "evidence-sealed",
    "evidence-missed",
    "evidence-waived",
];
/// Kinds of events that nothing writes any more.
const GONE: [&str; 1] = ["directive-revised"];

const EVENTS: &str = include_str!("../fixtures/events-v1.jsonl");
const BLOBS: &str = include_str!("../fixtures/blobs-v1.jsonl");
/// The kinds that came later: directives by difference, context, rules, VEX.
const EVENTS_CHANGES: &str = include_str!("../fixtures/events-v1-changes.jsonl");
const BLOBS_CHANGES: &str = include_str!("../fixtures/blobs-v1-changes.jsonl");
/// A context document is taken over.
const EVENTS_CONTEXT: &str = include_str!("../fixtures/events-v1-context.jsonl");
const BLOBS_CONTEXT: &str = include_str!("../fixtures/blobs-v1-context.jsonl");
/// A host reports what changed.
const EVENTS_DELTAS: &str = include_str!("../fixtures/events-v1-deltas.jsonl");
const BLOBS_DELTAS: &str = include_str!("../fixtures/blobs-v1-deltas.jsonl");
/// A directive goes out in waves, is halted and resumed.
const EVENTS_ROLLOUTS: &str = include_str!("../fixtures/events-v1-rollouts.jsonl");
const BLOBS_ROLLOUTS: &str = include_str!("../fixtures/blobs-v1-rollouts.jsonl");

/// A policy approves on one host, two people on another, which waits for its window.
const EVENTS_POLICY: &str = include_str!("../fixtures/events-v1-policy.jsonl");
const BLOBS_POLICY: &str = include_str!("../fixtures/blobs-v1-policy.jsonl");
/// Hosts retire, return, are installed anew, renamed and copied.
const EVENTS_LIFE: &str = include_str!("../fixtures/events-v1-life.jsonl");
const BLOBS_LIFE: &str = include_str!("../fixtures/blobs-v1-life.jsonl");
/// Risks are accepted, attacks are seen; both end by themselves and by people.
const EVENTS_RISKS: &str = include_str!("../fixtures/events-v1-risks.jsonl");
const BLOBS_RISKS: &str = include_str!("../fixtures/blobs-v1-risks.jsonl");
/// People talk about a directive, dispute it, answer, and dispute it anew. The blobs are those of `BLOBS_RISKS`.
const EVENTS_NOTES: &str = include_str!("../fixtures/events-v1-notes.jsonl");
/// A directive is given to somebody, given on, given back, and taken. The blobs are those of `BLOBS_RISKS`.
const EVENTS_ASSIGNED: &str = include_str!("../fixtures/events-v1-assigned.jsonl");
/// A host asks for a signature, which comes, and has its order.
const EVENTS_SIGNATURES: &str = include_str!("../fixtures/events-v1-signatures.jsonl");
const BLOBS_SIGNATURES: &str = include_str!("../fixtures/blobs-v1-signatures.jsonl");
/// How far attackers get is told, a host is fixed, and it is told anew.
const EVENTS_REACH: &str = include_str!("../fixtures/events-v1-reach.jsonl");
const BLOBS_REACH: &str = include_str!("../fixtures/blobs-v1-reach.jsonl");
/// Evidence of a host is sealed, of another missed and waived.
const EVENTS_EVIDENCE: &str = include_str!("../fixtures/events-v1-evidence.jsonl");
const BLOBS_EVIDENCE: &str = include_str!("../fixtures/blobs-v1-evidence.jsonl");
/// Controls are recorded; one is taken away, the time of one is up, one stands.
const EVENTS_CONTROLS: &str = include_str!("../fixtures/events-v1-controls.jsonl");
const BLOBS_CONTROLS: &str = include_str!("../fixtures/blobs-v1-controls.jsonl");
/// A host is attacked, one taken over, two honeypots are met; a week passes.
const EVENTS_NEARBY: &str = include_str!("../fixtures/events-v1-nearby.jsonl");
const BLOBS_NEARBY: &str = include_str!("../fixtures/blobs-v1-nearby.jsonl");
/// The record begins later; the shell writes it, so that no story of the lab holds it.
const EVENTS_HISTORY: &str = include_str!("../fixtures/events-v1-history.jsonl");

/// One entry a minute, from 2026-06-15 on.
fn entries(events: &str) -> Vec<Entry> {
    let start = Timestamp::parse("2026-06-15").unwrap();
    let lines = events.lines().zip(0..);
    lines.map(|(line, n)| Entry { time: start.plus_seconds(60 * n), payload: line.into() }).collect()
}

fn blobs(blobs: &str) -> BTreeMap<Digest, Vec<u8>> {
    blobs.lines().map(|line| (Digest::of(line.as_bytes()), line.into())).collect()
}

/// An event with its risk points as they are written since 2026-11-30; before they were numbers of thousandths.
fn in_millionths(line: &str) -> String {
    let mut parts = line.split("\"removes\":");
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.find(|character: char| !character.is_ascii_digit()).unwrap_or(part.len());
        let (number, rest) = part.split_at(digits);
        let points = number
            .parse::<u64>()
            .ok()
            .map(|thousandths| format!("\"{}.{:03}000\"", thousandths / 1_000, thousandths % 1_000));
        written.push_str(&format!("\"removes\":{}{rest}", points.unwrap_or_else(|| number.to_owned())));
    }
    written
}

#[test]
fn events_of_version_1_decode_and_encode_alike() {
    let kinds = |events: &str| {
        let mut kinds = BTreeSet::new();
        for (line, seq) in events.lines().zip(1..) {
            let event = Versioned::decode(seq, line.as_bytes()).unwrap();
            let encoded = String::from_utf8(Versioned::encode(&event).unwrap()).unwrap();
            assert_eq!(encoded, in_millionths(line), "event {seq}");
            kinds.insert(kind(&event));
        }
        kinds
    };
    assert_eq!(kinds(EVENTS_HISTORY), ["history-cut".to_owned()].into());
    let (then, mut later) = (kinds(EVENTS), kinds(EVENTS_CHANGES));
    later.extend(kinds(EVENTS_CONTEXT));
    later.extend(kinds(EVENTS_DELTAS));
    later.extend(kinds(EVENTS_ROLLOUTS));
    later.extend(kinds(EVENTS_CONTROLS));
    later.extend(kinds(EVENTS_NEARBY));
    later.extend(kinds(EVENTS_POLICY));
    later.extend(kinds(EVENTS_LIFE));
    later.extend(kinds(EVENTS_RISKS));
    later.extend(kinds(EVENTS_NOTES));
    later.extend(kinds(EVENTS_ASSIGNED));
    later.extend(kinds(EVENTS_SIGNATURES));
    later.extend(kinds(EVENTS_REACH));
    later.extend(kinds(EVENTS_EVIDENCE));
    for kind in LATER {
        assert!(later.contains(kind), "the later fixture holds no {kind}");
    }
    let wanted = KINDS.into_iter().filter(|kind| !LATER.contains(kind)).chain(GONE);
    let wanted: BTreeSet<String> = wanted.map(str::to_owned).collect();
    assert_eq!(then, wanted, "the fixture does not hold every kind of event");
}

#[test]
fn a_journal_of_version_1_replays() {
    let (entries, blobs) = (entries(EVENTS), blobs(BLOBS));
    let world = replay(&entries, &blobs);
    assert_eq!(world.digest().unwrap(), replay(&entries, &blobs).digest().unwrap());
    assert_eq!(world.seq(), entries.len() as u64);

    // What people saw then, they see now.
    let ends: Vec<String> = world
        .directives()
        .map(|(id, state)| {
            let end = state.closed.as_ref().map_or("open".to_owned(), |(_, outcome)| {
                serde_json::to_value(outcome).unwrap()["outcome"].as_str().unwrap().to_owned()
            });
            format!("{id} {end}")
        })
        .collect();
    let wanted = ["dir_1 fixed", "dir_2 superseded", "dir_3 refused", "dir_4 withdrawn", "dir_5 open"];
    assert_eq!(ends.into_iter().collect::<BTreeSet<_>>(), wanted.map(str::to_owned).into());
    assert_eq!(world.asset_count(), 2);
    let applied = world.directives().filter(|(_, state)| state.stages().any(|(_, s)| *s == Stage::Verified));
    assert_eq!(applied.count(), 1);
    let orders = (1..).map_while(|n| world.order(&tenon_model::OrderId::new(n)));
    let (apply, rehearse): (Vec<_>, Vec<_>) =
        orders.partition(|state| matches!(state.order.action, OrderAction::Apply { .. }));
    assert_eq!((apply.len(), rehearse.len()), (4, 7));
}

#[test]
fn directives_told_by_difference_replay() {
    let (entries, blobs) = (entries(EVENTS_CHANGES), blobs(BLOBS_CHANGES));
    let world = replay(&entries, &blobs);
    assert_eq!(world.digest().unwrap(), replay(&entries, &blobs).digest().unwrap());
    let (_, state) = world.directives().next().unwrap();
    // One host was verified, the other is not offered it any more; a supplier took one vulnerability off the list.
    assert_eq!(state.stages().map(|(_, s)| s).collect::<Vec<_>>(), [&Stage::FixedOtherwise]);
    assert_eq!(state.directive.closes, ["CVE-2026-1".parse().unwrap()]);
    assert_eq!(state.directive.priority.decision.table, "ssvc-deployer 1.0.0");
    assert!(state.closed.is_some());
}

#[test]
fn a_context_document_replays() {
    let (entries, blobs) = (entries(EVENTS_CONTEXT), blobs(BLOBS_CONTEXT));
    let world = replay(&entries, &blobs);
    let known = world.context().unwrap();
    assert_eq!((known.version, known.document.rules.len(), known.document.check()), (1, 1, Ok(())));
}

#[test]
fn a_delta_replays() {
    let (entries, blobs) = (entries(EVENTS_DELTAS), blobs(BLOBS_DELTAS));
    let world = replay(&entries, &blobs);
    let (_, asset) = world.assets().next().unwrap();
    assert_eq!(asset.reported.map(|(sequence, _)| sequence), Some(2));
    let versions: Vec<String> = world
        .components_of(asset)
        .unwrap()
        .iter()
        .map(|component| format!("{} {}", component.name, component.version))
        .collect();
    assert_eq!(versions, ["libssl3 1.0-2", "nginx 1.0-1"]);
    assert_eq!(world.offers_of(asset).unwrap()[0].candidate, "1.0-2");
    assert_eq!(asset.profile().unwrap().services.len(), 1);
    // As the host summed it up then.
    let sums = asset.said.map(|said| [said.packages, said.facts].map(|sum| sum.to_string()));
    assert_eq!(
        sums,
        Some([
            "e53923f97d585497fe286e75110f2fbec73f1a273793f050bf9d3e891bcc656f".to_owned(),
            "f1094b0b53e1acbed798d605ff3bbc75bb7dd2305ca019904c5321527dca13ee".to_owned()
        ])
    );
}

#[test]
fn a_journal_with_waves_replays() {
    let (entries, blobs) = (entries(EVENTS_ROLLOUTS), blobs(BLOBS_ROLLOUTS));
    let world = replay(&entries, &blobs);
    let (_, state) = world.directives().next().unwrap();
    let rollout = state.rollout.as_ref().unwrap();
    assert_eq!((rollout.plan.version, rollout.plan.waves.len(), rollout.failed.len()), (2, 2, 0));
    assert_eq!((state.done_by(), state.closed.is_some()), ((3, 0), true));
}

#[test]
fn a_journal_with_a_policy_replays() {
    let (entries, blobs) = (entries(EVENTS_POLICY), blobs(BLOBS_POLICY));
    let world = replay(&entries, &blobs);
    assert_eq!(world.digest().unwrap(), replay(&entries, &blobs).digest().unwrap());
    let known = world.policy().unwrap();
    let rules: Vec<&str> = known.policy.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!((known.version, rules), (1, vec!["first", "two"]));
    let (_, state) = world.directives().next().unwrap();
    assert_eq!((state.done_by(), state.closed.is_some()), ((2, 0), true));
}

#[test]
fn a_journal_of_hosts_that_come_and_go_replays() {
    let (entries, blobs) = (entries(EVENTS_LIFE), blobs(BLOBS_LIFE));
    let world = replay(&entries, &blobs);
    assert_eq!(world.digest().unwrap(), replay(&entries, &blobs).digest().unwrap());
    let said: Vec<String> = world
        .assets()
        .map(|(_, asset)| {
            let why = asset.retired.as_ref().map(|retired| serde_json::to_value(&retired.why).unwrap());
            let why = why.map_or("there".to_owned(), |why| why["reason"].as_str().unwrap().to_owned());
            format!("{} {why}", asset.hostname)
        })
        .collect();
    assert_eq!(said, ["a by-person", "beta silent", "c silent", "d there"]);
    let (_, state) = world.directives().next().unwrap();
    assert_eq!((state.members.len(), state.closed.is_some()), (1, false));
}

#[test]
fn accepted_risks_and_attacks_of_version_1_replay() {
    let (entries, blobs) = (entries(EVENTS_RISKS), blobs(BLOBS_RISKS));
    let world = replay(&entries, &blobs);
    assert_eq!(world.digest().unwrap(), replay(&entries, &blobs).digest().unwrap());
    let how = |end: Option<serde_json::Value>| match end {
        Some(end) => end["end"].as_str().unwrap().to_owned(),
        None => "stands".to_owned(),
    };
    let accepted = world.exceptions().map(|(id, state)| {
        let end = state.ended.as_ref().map(|(_, end)| serde_json::to_value(end).unwrap());
        format!("{id} {}", how(end))
    });
    assert_eq!(accepted.collect::<Vec<_>>(), ["exc_1 revoked", "exc_2 expired"]);
    let seen = world.detections().map(|(id, state)| {
        let end = state.ended.as_ref().map(|(_, end)| serde_json::to_value(end).unwrap());
        format!("{id} {}", how(end))
    });
    assert_eq!(seen.collect::<Vec<_>>(), ["det_1 dismissed", "det_2 expired", "det_3 stands"]);
    let (_, state) = world.directives().next().unwrap();
    assert!(state.directive.priority.clocks.iter().any(|clock| clock.rule.starts_with("attack seen")));
}

#[test]
fn what_people_said_of_a_directive_replays() {
    let (entries, blobs) = (entries(EVENTS_NOTES), blobs(BLOBS_RISKS));
    let world = replay(&entries, &blobs);
    assert_eq!(world.digest().unwrap(), replay(&entries, &blobs).digest().unwrap());
    let (_, state) = world.directives().next().unwrap();
    let kinds: Vec<&str> = state.thread.iter().map(|note| note.kind.as_str()).collect();
    assert_eq!(kinds, ["comment", "dispute", "answer", "dispute"]);
    assert_eq!(state.disputed().map(|note| note.text.as_str()), Some("not on b"));
}

#[test]
fn to_whom_a_directive_was_given_replays() {
    let (entries, blobs) = (entries(EVENTS_ASSIGNED), blobs(BLOBS_RISKS));
    let world = replay(&entries, &blobs);
    assert_eq!(world.digest().unwrap(), replay(&entries, &blobs).digest().unwrap());
    let (_, state) = world.directives().next().unwrap();
    let assigned = state.assigned.as_ref().unwrap();
    assert_eq!((assigned.to.as_str(), assigned.by.as_ref().unwrap().as_str()), ("otto", "otto"));
    assert_eq!(Some(assigned.since), entries.last().map(|entry| entry.time));
}

#[test]
fn signatures_of_version_1_replay() {
    let (entries, blobs) = (entries(EVENTS_SIGNATURES), blobs(BLOBS_SIGNATURES));
    let world = replay(&entries, &blobs);
    assert_eq!(world.digest().unwrap(), replay(&entries, &blobs).digest().unwrap());
    let (_, state) = world.directives().next().unwrap();
    assert_eq!((state.signed.len(), state.signed[0].key.to_string().as_str()), (1, "SHA256:alice"));
    let carried = state.orders.iter().filter_map(|id| match &world.order(id)?.order.action {
        OrderAction::Apply { approvals, .. } => Some(approvals.len()),
        OrderAction::Rehearse { .. } | OrderAction::PreserveEvidence { .. } => None,
    });
    assert_eq!(carried.collect::<Vec<_>>(), [0, 1], "the host that asks for none, and the one that asks");
    let asking = world.asking().iter().map(|asset| world.asset_at(asset).unwrap().hostname.clone());
    assert_eq!(asking.collect::<Vec<_>>(), ["web1"]);
}

#[test]
fn how_far_attackers_got_in_version_1_replays() {
    let (entries, blobs) = (entries(EVENTS_REACH), blobs(BLOBS_REACH));
    let world = replay(&entries, &blobs);
    assert_eq!(world.digest().unwrap(), replay(&entries, &blobs).digest().unwrap());
    let (id, _) = world.directives().find(|(_, state)| state.source().name == "postgresql").unwrap();
    let weighed = tenon_engine::why(&world, id).unwrap().factors;
    assert_eq!(weighed[0].factors.reach, 1_000, "the host in front of it is fixed");
    let restored = World::from_snapshot(world.to_snapshot().unwrap()).unwrap();
    assert_eq!(tenon_engine::why(&restored, id).unwrap().factors, weighed);
}

#[test]
fn evidence_of_version_1_replays() {
    let (entries, blobs) = (entries(EVENTS_EVIDENCE), blobs(BLOBS_EVIDENCE));
    let world = replay(&entries, &blobs);
    assert_eq!(world.digest().unwrap(), replay(&entries, &blobs).digest().unwrap());
    let asking: Vec<_> = world.directives().filter(|(_, state)| state.asks_for_evidence()).collect();
    let [(_, state)] = asking.as_slice() else { panic!("{asking:?}") };
    let known: Vec<String> = state
        .evidence_known()
        .iter()
        .map(|(asset, state)| {
            let said = serde_json::to_value(state).unwrap();
            format!("{} {}", world.asset_at(*asset).unwrap().hostname, said["is"].as_str().unwrap())
        })
        .collect();
    assert_eq!(known, ["a sealed", "b waived"]);
}

#[test]
fn controls_of_version_1_replay() {
    let (entries, blobs) = (entries(EVENTS_CONTROLS), blobs(BLOBS_CONTROLS));
    let world = replay(&entries, &blobs);
    assert_eq!(world.digest().unwrap(), replay(&entries, &blobs).digest().unwrap());
    let known: Vec<_> = world.controls().map(|(id, state)| (id.to_string(), state.ended.is_some())).collect();
    assert_eq!(known, [("ctl_1".to_owned(), true), ("ctl_2".to_owned(), true), ("ctl_3".to_owned(), false)]);
    let (id, _) = world.directives().next().unwrap();
    let weighed = tenon_engine::why(&world, id).unwrap().factors;
    assert_eq!(weighed.iter().map(|one| one.factors.controls).collect::<Vec<_>>(), [1_000_000, 200_000]);
    let restored = World::from_snapshot(world.to_snapshot().unwrap()).unwrap();
    assert_eq!(tenon_engine::why(&restored, id).unwrap().factors, weighed);
}

#[test]
fn what_was_seen_nearby_in_version_1_replays() {
    let (entries, blobs) = (entries(EVENTS_NEARBY), blobs(BLOBS_NEARBY));
    let world = replay(&entries, &blobs);
    assert_eq!(world.digest().unwrap(), replay(&entries, &blobs).digest().unwrap());
    let known = world.detections().map(|(_, state)| {
        let zone = state.detection.zone.as_ref().map_or("-".to_owned(), ToString::to_string);
        format!("{} {zone} halved {}", state.detection.kind.name(), state.halved)
    });
    let wanted = ["attack dmz", "incident office", "honeypot dmz", "honeypot -"];
    assert_eq!(known.collect::<Vec<_>>(), wanted.map(|one| format!("{one} halved 1")));
    let (id, _) = world.directives().next().unwrap();
    let threats: BTreeSet<u64> =
        tenon_engine::why(&world, id).unwrap().factors.iter().map(|one| one.factors.threat).collect();
    // Certain where it was seen; 1 - 0.99 * 0.9 in the DMZ, where the honeypot says as much as anywhere else the host taken over says.
    assert!(threats.contains(&1_000_000) && threats.contains(&109_000), "{threats:?}");
}

/// A record whose oldest part was let go rests on a snapshot: a version that was ever written is read for good.
#[test]
fn snapshots_of_old_versions_are_read() {
    let snapshots: [(u8, &[u8]); 7] = [
        (5, include_bytes!("../fixtures/snapshot-v5.bin")),
        (6, include_bytes!("../fixtures/snapshot-v6.bin")),
        (7, include_bytes!("../fixtures/snapshot-v7.bin")),
        (8, include_bytes!("../fixtures/snapshot-v8.bin")),
        (9, include_bytes!("../fixtures/snapshot-v9.bin")),
        (10, include_bytes!("../fixtures/snapshot-v10.bin")),
        (11, include_bytes!("../fixtures/snapshot-v11.bin")),
    ];
    let wanted = replay(&entries(EVENTS_POLICY), &blobs(BLOBS_POLICY));
    for (version, snapshot) in snapshots {
        assert_eq!(snapshot[8..10], [version, 0]);
        let world = World::from_snapshot(snapshot.into()).unwrap();
        assert_eq!(world.digest().unwrap(), wanted.digest().unwrap());
        // Version 5 holds no measures.
        assert_eq!(world.measures_like(&wanted), version >= 6);
    }
}
