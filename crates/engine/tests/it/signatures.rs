//! Hosts that ask for signatures of people whose keys the server does not have.

use tenon_approval::{HostChange, Statement, root};
use tenon_engine::World;
use tenon_model::{
    ApprovalAsked, AssetId, Capability, Command, Digest, DirectiveId, Event, KeyFingerprint, OrderAction,
    Refusal, RefusalCode, RehearsalOutcome, Stage, Timestamp,
};

use crate::generator::Draw;
use crate::lab::{Lab, component, inventory, orders, person, security_offer};

const KEYS: [&str; 3] = ["SHA256:alice", "SHA256:bob", "SHA256:carol"];

fn key(number: usize) -> KeyFingerprint {
    KEYS[number].parse().unwrap()
}

fn asks(needed: u32, keys: &[usize]) -> ApprovalAsked {
    ApprovalAsked { needed, keys: keys.iter().map(|number| key(*number)).collect() }
}

/// What a host of random histories asks for: mostly the same as before, so that signatures are of use.
pub(crate) fn asked(draw: &mut Draw, asset: AssetId) -> ApprovalAsked {
    if draw.one_in(12) {
        return draw.of(&[asks(1, &[0]), asks(2, &[0, 1]), ApprovalAsked::default()]);
    }
    match asset.to_string().bytes().last() {
        Some(b'0'..=b'4') => asks(1, &[0, 1]),
        Some(b'5'..=b'6') => asks(2, &[0, 1]),
        _ => ApprovalAsked::default(),
    }
}

/// A statement over changes of a directive, for so many seconds from now on.
fn statement(changes: &[HostChange<'_>], directive: DirectiveId, now: Timestamp, seconds: u32) -> Statement {
    let leaves: Vec<Digest> = changes.iter().map(HostChange::leaf).collect();
    let whole = |at: Timestamp| Timestamp::from_millis(at.as_millis() / 1_000 * 1_000);
    let (issued, expires) = (whole(now), whole(now.plus_seconds(seconds)));
    Statement { directive, changes: leaves.len() as u64, root: root(&leaves), issued, expires }
}

/// A signature over what waits for one, at times over less, over something else or by a key that nobody asks for.
pub(crate) fn drawn(draw: &mut Draw, world: &World, now: Timestamp) -> Command {
    let open: Vec<DirectiveId> = world.directives().map(|(id, _)| *id).collect();
    let fits: Vec<DirectiveId> =
        open.iter().copied().filter(|id| !world.signable(world.directive(id).unwrap()).is_empty()).collect();
    let choices = if fits.is_empty() || draw.one_in(10) { &open } else { &fits };
    if choices.is_empty() {
        return Command::Tick;
    }
    let directive = draw.of(choices);
    let mut changes: Vec<HostChange<'_>> =
        world.signable(world.directive(&directive).unwrap()).into_iter().map(|(_, change)| change).collect();
    if changes.len() > 1 && draw.one_in(4) {
        changes.remove(draw.below(changes.len()));
    }
    let assets: Vec<AssetId> = changes.iter().map(|change| change.asset).collect();
    if draw.one_in(12)
        && let Some(change) = changes.first_mut()
    {
        change.hostname = "another";
    }
    let seconds = draw.of(&[600, 86_400, 20 * 86_400, 20 * 86_400]);
    let statement = statement(&changes, directive, now, seconds).to_string();
    let key = if draw.one_in(8) { key(2) } else { key(draw.below(2)) };
    Command::SignChanges { directive, statement, signature: "signed".to_owned(), key, assets, by: person() }
}

/// Two hosts of which the first asks for signatures, each with a passed rehearsal of the same update.
fn rehearsed(asked: &ApprovalAsked) -> (Lab, [AssetId; 2], DirectiveId) {
    let mut lab = Lab::new();
    let assets = ["web1", "web2"].map(|name| lab.enrol(name, "web"));
    for (asset, asked) in assets.into_iter().zip([asked.clone(), ApprovalAsked::default()]) {
        reports(&mut lab, asset, asked);
    }
    lab.promote("web");
    for asset in assets {
        lab.rehearsed(asset, RehearsalOutcome::Passed);
    }
    let id = lab.open_directive().0;
    (lab, assets, id)
}

fn reports(lab: &mut Lab, asset: AssetId, asked: ApprovalAsked) -> Vec<Event> {
    let old = component("nginx", "nginx", "1.22.1-9");
    let mut said = inventory(vec![old.clone()], vec![security_offer(&old, "1.22.1-9+deb12u1")]);
    said.facts.hostname = lab.world.asset(&asset).unwrap().hostname.clone();
    said.facts.approval = asked;
    lab.report(asset, said)
}

/// Signs what waits, and nothing else.
fn sign(lab: &mut Lab, id: DirectiveId, by: usize, seconds: u32) -> Result<Vec<Event>, Refusal> {
    sign_where(lab, id, by, seconds, |_| true)
}

/// The same on some hosts alone.
fn sign_where(
    lab: &mut Lab,
    id: DirectiveId,
    by: usize,
    seconds: u32,
    on: impl Fn(AssetId) -> bool,
) -> Result<Vec<Event>, Refusal> {
    let signable = lab.world.signable(lab.world.directive(&id).unwrap()).into_iter();
    let changes: Vec<HostChange<'_>> =
        signable.map(|(_, change)| change).filter(|change| on(change.asset)).collect();
    let statement = statement(&changes, id, lab.now, seconds).to_string();
    let assets = changes.iter().map(|change| change.asset).collect();
    let signature = "signed".to_owned();
    lab.run(Command::SignChanges { directive: id, statement, signature, key: key(by), assets, by: person() })
}

fn waits(lab: &Lab, id: DirectiveId, asset: AssetId) -> Option<String> {
    let asset = lab.world.ordinal(&asset).unwrap();
    tenon_engine::Asker::new(&lab.world, lab.world.directive(&id).unwrap()).ruling(asset, lab.now).waits()
}

/// Lets every host do as it is ordered until nothing is ordered any more, with time to watch each wave; who was ordered to apply.
fn go_on(lab: &mut Lab, assets: &[AssetId]) -> Vec<AssetId> {
    let mut done = Vec::new();
    for _ in 0..12 {
        for asset in assets {
            if lab.world.asset(asset).unwrap().outstanding.is_none() {
                continue;
            }
            assert!(matches!(lab.order(*asset).action, OrderAction::Apply { .. }));
            done.push(*asset);
            lab.applied(*asset, tenon_model::ApplyOutcome::Verified);
            let new = component("nginx", "nginx", "1.22.1-9+deb12u1");
            let mut said = inventory(vec![new], Vec::new());
            said.facts.hostname = lab.world.asset(asset).unwrap().hostname.clone();
            said.facts.approval = lab.world.asset(asset).unwrap().profile().unwrap().approval.clone();
            lab.report(*asset, said);
        }
        lab.sound();
        lab.pass(2 * 3_600);
        let _due = lab.run(Command::Tick);
    }
    done
}

#[test]
fn a_host_that_asks_for_a_signature_waits_for_it_and_the_others_go_on() {
    let (mut lab, [web1, web2], id) = rehearsed(&asks(1, &[0]));
    let waiting =
        format!("it waits for 1 signature of a key that web1 asks for: `tenon approve {id} --key FILE`");
    assert_eq!(waits(&lab, id, web1).as_ref(), Some(&waiting));
    assert_eq!(waits(&lab, id, web2), None);
    lab.approve(id);
    assert_eq!(go_on(&mut lab, &[web1, web2]), [web2], "what is not signed is not ordered");
    assert_eq!(waits(&lab, id, web1), Some(waiting));
    assert!(matches!(lab.stage(id, web1), Stage::Approved { .. }));

    let refused = sign(&mut lab, id, 2, 86_400).unwrap_err();
    assert_eq!(refused.code, RefusalCode::UnknownKey);
    let events = sign(&mut lab, id, 0, 86_400).unwrap();
    let Event::ChangesSigned { leaves, key: by, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!((leaves.len(), leaves[0].0, by), (1, web1, &key(0)));
    lab.sound();
    assert_eq!(orders(&events).len(), 1, "what was signed is ordered at once: {events:?}");
    let OrderAction::Apply { approvals, .. } = lab.order(web1).action else { panic!() };
    assert_eq!(approvals.len(), 1);
    assert_eq!(go_on(&mut lab, &[web1, web2]), [web1]);
    assert!(lab.world.directive(&id).unwrap().closed.is_some());
}

#[test]
fn of_hosts_that_wait_those_that_are_signed_go_first_and_what_expires_holds_up_no_other() {
    let (mut lab, [web1, web2], id) = rehearsed(&asks(1, &[0]));
    reports(&mut lab, web2, asks(1, &[0, 1]));
    lab.approve(id);
    assert_eq!(go_on(&mut lab, &[web1, web2]), []);
    // One statement for each of them; that of the first host ends before a wave is watched.
    sign_where(&mut lab, id, 0, 300, |asset| asset == web1).unwrap();
    lab.pass(600);
    let _due = lab.run(Command::Tick);
    let order = lab.world.asset(&web1).unwrap().outstanding;
    assert!(order.is_some(), "it was ordered while the signature counted");
    let expires = lab.order(web1).expires;
    assert!(expires <= lab.now, "and is not begun after that");
    sign_where(&mut lab, id, 1, 86_400, |asset| asset == web2).unwrap();
    lab.pass(3_600);
    // The host stayed silent: it failed, and a person lets the rest go on.
    let _due = lab.run(Command::Tick);
    lab.sound();
    if lab.world.directive(&id).unwrap().rollout.as_ref().unwrap().halted.is_some() {
        lab.must(Command::Resume { directive: id, by: person() });
    }
    assert_eq!(go_on(&mut lab, &[web1, web2]), [web2]);
    assert!(matches!(lab.stage(id, web1), Stage::Failed { .. }));
}

#[test]
fn two_keys_that_are_needed_are_two_keys_and_a_policy_is_none() {
    let mut lab = Lab::new();
    let asset = lab.enrol("web1", "web");
    let text = "version: 1\nrules:\n  - {name: all, approval: automatic}\n".to_owned();
    lab.must(Command::SetPolicy { text, compared: 0, by: person() });
    reports(&mut lab, asset, asks(2, &[0, 1]));
    lab.promote("web");
    lab.rehearsed(asset, RehearsalOutcome::Passed);
    let id = lab.open_directive().0;
    assert!(matches!(lab.stage(id, asset), Stage::Approved { .. }), "the policy has approved");
    assert!(
        waits(&lab, id, asset).unwrap().starts_with("it waits for 2 signatures of keys that web1 asks for")
    );
    assert_eq!(orders(&sign(&mut lab, id, 0, 86_400).unwrap()), []);
    assert!(waits(&lab, id, asset).unwrap().starts_with("it waits for 1 more signature of a key that web1"));
    // The same person once more, with another statement.
    lab.pass(60);
    assert_eq!(orders(&sign(&mut lab, id, 0, 90_000).unwrap()), []);
    assert_eq!(orders(&sign(&mut lab, id, 1, 3_600).unwrap()).len(), 1);
    let order = lab.order(asset);
    let OrderAction::Apply { approvals, .. } = &order.action else { panic!() };
    assert_eq!(approvals.len(), 2);
    lab.sound();
}

#[test]
fn what_was_signed_covers_no_other_change_and_no_other_time() {
    let (mut lab, [web1, web2], id) = rehearsed(&asks(1, &[0]));
    sign(&mut lab, id, 0, 7_200).unwrap();
    assert_eq!(waits(&lab, id, web1), None);
    assert_eq!(sign(&mut lab, id, 0, 7_200).unwrap_err().code, RefusalCode::NothingToDo);
    // Renamed: what was signed is for a host of the old name.
    let renamed = |lab: &mut Lab, name: &str| {
        let old = component("nginx", "nginx", "1.22.1-9");
        let mut said = inventory(vec![old.clone()], vec![security_offer(&old, "1.22.1-9+deb12u1")]);
        (said.facts.hostname, said.facts.approval) = (name.to_owned(), asks(1, &[0]));
        lab.report(web1, said);
    };
    renamed(&mut lab, "db1");
    let told = waits(&lab, id, web1).unwrap();
    assert!(
        told.contains("that db1 asks for")
            && told.ends_with("what was signed before was another change there, or has expired"),
        "{told}"
    );
    renamed(&mut lab, "web1");
    assert_eq!(waits(&lab, id, web1), None);
    // Other keys count now, then none is asked for.
    reports(&mut lab, web1, asks(1, &[1]));
    assert!(waits(&lab, id, web1).is_some());
    reports(&mut lab, web1, ApprovalAsked::default());
    assert_eq!(waits(&lab, id, web1), None);
    reports(&mut lab, web1, asks(1, &[0]));
    // Expired before anybody approved.
    lab.pass(7_300);
    assert!(waits(&lab, id, web1).unwrap().contains("has expired"));
    lab.approve(id);
    assert_eq!(go_on(&mut lab, &[web1, web2]), [web2]);
    sign(&mut lab, id, 0, 3_600).unwrap();
    // Begun late it is begun while the signature counts, or not at all.
    let order = lab.order(web1);
    assert!(order.expires <= lab.now.plus_seconds(1_800));
    // It fails, is rehearsed anew, and what was signed was another change.
    lab.applied(web1, tenon_model::ApplyOutcome::RolledBack { reason: "nginx did not start".to_owned() });
    reports(&mut lab, web1, asks(1, &[0]));
    lab.must(Command::Retry { directive: id, asset: web1, by: person() });
    lab.rehearsed(web1, RehearsalOutcome::Passed);
    assert!(waits(&lab, id, web1).unwrap().contains("what was signed before was another change there"));
    lab.sound();
}

#[test]
fn only_a_signature_over_what_is_there_is_taken() {
    let (mut lab, [web1, web2], id) = rehearsed(&asks(1, &[0]));
    let state = lab.world.directive(&id).unwrap();
    let change = lab.world.signable(state)[0].1;
    assert_eq!(change.asset, web1);
    let good = statement(&[change], id, lab.now, 3_600);
    let renamed = statement(&[HostChange { hostname: "db1", ..change }], id, lab.now, 3_600).to_string();
    let of = |directive| Statement { directive, ..good }.to_string();
    let send = |statement: String, assets: Vec<AssetId>| Command::SignChanges {
        directive: id,
        statement,
        signature: "signed".to_owned(),
        key: key(0),
        assets,
        by: person(),
    };
    let two = statement(&[change, change], id, lab.now, 3_600).to_string();
    let past =
        Statement { issued: Timestamp::from_millis(0), expires: Timestamp::from_millis(1_000), ..good };
    let cases = [
        (send("sign this".to_owned(), vec![web1]), RefusalCode::BadContent),
        (send(of(DirectiveId::new(99)), vec![web1]), RefusalCode::BadContent),
        (send(past.to_string(), vec![web1]), RefusalCode::BadContent),
        (send(good.to_string(), vec![]), RefusalCode::BadContent),
        (send(two, vec![web1, web1]), RefusalCode::BadContent),
        (send(good.to_string(), vec![web2]), RefusalCode::EvidenceChanged),
        (send(renamed, vec![web1]), RefusalCode::EvidenceChanged),
    ];
    for (command, code) in cases {
        let shown = format!("{command:?}");
        assert_eq!(lab.run(command).unwrap_err().code, code, "{shown}");
    }
    lab.must(send(good.to_string(), vec![web1]));
    // A host that only observes is asked for nothing.
    let old = component("nginx", "nginx", "1.22.1-9");
    let mut said = inventory(vec![old.clone()], vec![security_offer(&old, "1.22.1-9+deb12u1")]);
    said.facts.capability = Capability::ObserveOnly { reason: "not root".to_owned() };
    said.facts.hostname = "web1".to_owned();
    lab.report(web1, said);
    assert!(lab.world.asking().is_empty());
}
