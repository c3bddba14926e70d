//! Policies at work: what runs by itself, what waits for whom, and when it begins.

use std::collections::BTreeSet;

use tenon_engine::{ActionWanted, Rollout};
use tenon_model::{
    ApplyOutcome, AssetId, AssetOrdinal, Command, DirectiveId, Event, IntelDelta, Kev, NoteKind, OrderAction,
    Probability, RefusalCode, RehearsalOutcome, Role, Stage, Step, Tempo, Timestamp, Undo,
};

use crate::lab::{Lab, advisory, component, inventory, person, rehearsal_report, security_offer};

const OLD: &str = "1.22.1-9";
const NEW: &str = "1.22.1-9+deb12u1";
/// From 22:00 to 04:00 in Berlin, which is 20:00 to 02:00 UTC in June.
const NIGHT: &str = "windows: {night: {zone: Europe/Berlin, from: '22:00', to: '04:00'}}";

/// Hosts of one group that are offered an update of nginx and have an order to rehearse it.
fn offered(names: &[&str]) -> (Lab, Vec<AssetId>) {
    let mut lab = Lab::new();
    let assets: Vec<AssetId> = names.iter().map(|name| lab.enrol(name, "web")).collect();
    lab.promote("web");
    for asset in &assets {
        lab.report(*asset, offers());
    }
    (lab, assets)
}

fn offers() -> tenon_model::Inventory {
    let nginx = component("nginx", "nginx", OLD);
    let offer = security_offer(&nginx, NEW);
    inventory(vec![nginx], vec![offer])
}

fn set(lab: &mut Lab, policy: &str) -> Vec<Event> {
    let compared = lab.world.policy().map_or(0, |known| known.version);
    lab.must(Command::SetPolicy { text: format!("version: 1\n{policy}\n"), compared, by: person() })
}

fn pass(lab: &mut Lab, assets: &[AssetId]) -> Vec<Event> {
    assets.iter().flat_map(|asset| lab.rehearsed(*asset, RehearsalOutcome::Passed)).collect()
}

fn rollout(lab: &Lab, id: DirectiveId) -> &Rollout {
    lab.world.directive(&id).unwrap().rollout.as_ref().unwrap()
}

fn first_of(lab: &Lab, id: DirectiveId, wave: u32) -> AssetOrdinal {
    rollout(lab, id).wave(wave).unwrap().assets.iter().next().unwrap()
}

/// The hosts that have an order to apply.
fn applying(lab: &Lab, assets: &[AssetId]) -> Vec<usize> {
    let applies = |asset: &AssetId| {
        let order = lab.world.asset(asset).unwrap().outstanding;
        let action = order.map(|order| lab.world.order(&order).unwrap().order.action.clone());
        matches!(action, Some(OrderAction::Apply { .. }))
    };
    (0..assets.len()).filter(|place| applies(&assets[*place])).collect()
}

/// The host applies and its next report shows the fix.
fn done(lab: &mut Lab, asset: AssetId) {
    lab.applied(asset, ApplyOutcome::Verified);
    lab.report(asset, inventory(vec![component("nginx", "nginx", NEW)], Vec::new()));
}

fn until(lab: &mut Lab, time: &str) {
    lab.now = Timestamp::parse(time).unwrap();
}

fn tick(lab: &mut Lab) -> bool {
    lab.run(Command::Tick).is_ok()
}

fn approve(lab: &mut Lab, id: DirectiveId, by: &str, roles: &[Role]) -> Result<Vec<Event>, RefusalCode> {
    let roles: BTreeSet<Role> = roles.iter().copied().collect();
    let by = by.parse().unwrap();
    let approve = Command::Approve { directive: id, by, roles, reports: None, waive_evidence: None };
    lab.run(approve).map_err(|refusal| refusal.code)
}

#[test]
fn routine_work_runs_by_itself_and_the_event_names_the_rule() {
    let (mut lab, assets) = offered(&["a", "b", "c"]);
    set(&mut lab, "rules: [{name: routine, when: rehearsal.undo == 'proven', approval: automatic}]");
    let events = lab.rehearsed(assets[0], RehearsalOutcome::Passed);
    let known = lab.world.policy().unwrap();
    let (id, state) = lab.open_directive();
    let by_rule = events.iter().find_map(|event| match event {
        Event::ApprovedByPolicy { id, version, policy, rule, .. } => {
            Some((*id, *version, *policy, rule.clone()))
        }
        _ => None,
    });
    assert_eq!(by_rule, Some((id, 1, known.blob, "routine".to_owned())));
    let first = lab.world.ordinal(&assets[0]).unwrap();
    assert_eq!(state.by_rule(first).map(|by| (by.version, by.rule.as_ref())), Some((1, "routine")));
    assert!(!lab.actions.contains(&ActionWanted::AskApproval { directive: id }), "nobody is asked");
    assert_eq!(applying(&lab, &assets), [0], "a canary goes at once");
    // The others are approved while it is under way, and wait until it was watched.
    pass(&mut lab, &assets[1..]);
    assert_eq!(applying(&lab, &assets), [0]);
    done(&mut lab, assets[0]);
    assert_eq!(rollout(&lab, id).step, Step::Soaking { wave: 0 });
    lab.pass(Tempo::Standard.canary_soak() - 1);
    assert!(!tick(&mut lab), "what others are approved in the meantime does not cut short the watching");
    lab.pass(1);
    assert!(tick(&mut lab));
    assert_eq!((applying(&lab, &assets), rollout(&lab, id).plan.version), (vec![1], 2));
    done(&mut lab, assets[1]);
    lab.pass(Tempo::Standard.soak());
    assert!(tick(&mut lab));
    done(&mut lab, assets[2]);
    assert!(lab.world.directive(&id).unwrap().closed.is_some(), "no person was needed");
}

#[test]
fn a_policy_approves_what_waited_for_people_before_it() {
    let (mut lab, assets) = offered(&["a"]);
    pass(&mut lab, &assets);
    assert_eq!(applying(&lab, &assets), [] as [usize; 0]);
    let events = set(&mut lab, "rules: [{name: routine, approval: automatic}]");
    assert!(events.iter().any(|event| matches!(event, Event::ApprovedByPolicy { .. })), "{events:?}");
    assert_eq!(applying(&lab, &assets), [0]);
}

#[test]
fn two_people_are_two_people_and_have_the_role() {
    let (mut lab, assets) = offered(&["a"]);
    set(&mut lab, "rules: [{name: four-eyes, approval: {people: 2, role: approver}}]");
    pass(&mut lab, &assets);
    let (id, _) = lab.open_directive();
    assert_eq!(approve(&mut lab, id, "ann", &[Role::Operator]), Err(RefusalCode::RoleNeeded));
    let events = approve(&mut lab, id, "ann", &[Role::Operator, Role::Approver]).unwrap();
    assert!(matches!(events.as_slice(), [Event::ApprovalGiven { .. }]), "{events:?}");
    assert_eq!(approve(&mut lab, id, "ann", &[Role::Approver]), Err(RefusalCode::AnotherPersonNeeded));
    assert_eq!(applying(&lab, &assets), [] as [usize; 0]);
    // Another rehearsal is another thing to approve: what was given spoke of the one before.
    let given = |lab: &Lab| {
        let state = lab.world.directive(&id).unwrap();
        state.given(lab.world.ordinal(&assets[0]).unwrap()).map_or(0, |given| given.by.len())
    };
    assert_eq!(given(&lab), 1);
    approve(&mut lab, id, "root", &[Role::Admin]).unwrap();
    assert_eq!((applying(&lab, &assets), given(&lab)), (vec![0], 0));
}

#[test]
fn what_is_forbidden_is_rehearsed_and_never_applied() {
    let (mut lab, assets) = offered(&["a", "b"]);
    set(
        &mut lab,
        "rules: [{name: frozen, when: directive.package == 'nginx', approval: forbidden, why: certified}]",
    );
    pass(&mut lab, &assets);
    let (id, _) = lab.open_directive();
    assert_eq!(approve(&mut lab, id, "root", &[Role::Admin]), Err(RefusalCode::ForbiddenByPolicy));
    // Approved while it was allowed, forbidden before it began.
    set(&mut lab, "");
    approve(&mut lab, id, "root", &[]).unwrap();
    assert_eq!(applying(&lab, &assets), [0]);
    set(&mut lab, "rules: [{name: frozen, approval: forbidden, why: certified}]");
    done(&mut lab, assets[0]);
    lab.pass(3 * 86_400);
    assert!(tick(&mut lab), "the next wave would begin, and is planned anew instead");
    assert_eq!(applying(&lab, &assets), [] as [usize; 0]);
    let held = &rollout(&lab, id).plan.held_back;
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].why, "policy rule frozen forbids it: certified");
    // It goes out when a policy lets it.
    set(&mut lab, "rules: [{name: open, approval: automatic}]");
    assert_eq!(applying(&lab, &assets), [1]);
}

#[test]
fn nothing_begins_outside_its_window_and_a_tick_opens_it() {
    let (mut lab, assets) = offered(&["a", "b", "c"]);
    set(
        &mut lab,
        &format!("{NIGHT}\nrules: [{{name: night, approval: automatic, windows: night, tempo: fast}}]"),
    );
    pass(&mut lab, &assets);
    let (id, _) = lab.open_directive();
    assert!(matches!(rollout(&lab, id).step, Step::Planned));
    assert_eq!(rollout(&lab, id).plan.version, 1, "it is not planned anew for each host that is approved");
    until(&mut lab, "2026-06-15T19:59:59Z");
    assert!(!tick(&mut lab));
    until(&mut lab, "2026-06-15T20:00:00Z");
    assert!(tick(&mut lab), "the window opens");
    assert_eq!((applying(&lab, &assets), rollout(&lab, id).plan.version), (vec![0], 2));
    // An order that is made near the end expires with the window.
    until(&mut lab, "2026-06-16T01:45:00Z");
    done(&mut lab, assets[0]);
    assert_eq!(applying(&lab, &assets), [1]);
    assert_eq!(lab.order(assets[1]).expires.to_string(), "2026-06-16T02:00:00Z");
    done(&mut lab, assets[1]);
    assert_eq!(applying(&lab, &assets), [2]);
    // The host does not take it in time: a person looks, and nothing more begins before the next night.
    until(&mut lab, "2026-06-16T02:30:00Z");
    assert!(tick(&mut lab));
    assert!(rollout(&lab, id).halted.is_some());
    until(&mut lab, "2026-06-16T20:00:00Z");
    assert!(!tick(&mut lab), "a window does not end a halt");
}

#[test]
fn what_a_wave_has_not_begun_when_its_window_ends_waits_for_the_next() {
    let (mut lab, assets) = offered(&["a", "b"]);
    set(
        &mut lab,
        "windows: {noon: {zone: UTC, from: '12:00', to: '13:00'}}\nrules: [{name: noon, when: directive.package == \
                   'nginx', approval: {people: 1}, windows: noon}]",
    );
    let text = "redundancy: { pair: { minimum: 1 } }\ndefaults: { redundancy: pair }";
    let document = tenon_formats::context::parse(text.as_bytes()).unwrap();
    lab.must(Command::TakeOverContext { document, compared: 0, by: person() });
    pass(&mut lab, &assets[..1]);
    let (id, _) = lab.open_directive();
    // What stands in for the first host is broken by another change: its wave is under way and orders nothing.
    let zlib = component("zlib1g", "zlib", "1");
    let nginx = component("nginx", "nginx", OLD);
    let both = vec![security_offer(&zlib, "2"), security_offer(&nginx, NEW)];
    lab.report(assets[1], inventory(vec![nginx, zlib], both));
    lab.rehearsed(assets[1], RehearsalOutcome::Passed);
    lab.rehearsed(assets[1], RehearsalOutcome::Passed);
    let other = lab.world.queue().into_iter().map(|(other, _)| other).find(|other| *other != id).unwrap();
    approve(&mut lab, other, "root", &[]).unwrap();
    let broken = ApplyOutcome::Failed { reason: "disk full".to_owned(), remedy: "free some".to_owned() };
    lab.applied(assets[1], broken);
    approve(&mut lab, id, "root", &[]).unwrap();
    assert_eq!((applying(&lab, &assets), rollout(&lab, id).step), (vec![], Step::Running { wave: 0 }));
    until(&mut lab, "2026-06-15T12:50:00Z");
    assert!(!tick(&mut lab), "the window is open yet");
    until(&mut lab, "2026-06-15T12:50:01Z");
    assert!(tick(&mut lab), "in its last ten minutes nothing begins");
    assert_eq!((rollout(&lab, id).step, rollout(&lab, id).plan.version), (Step::Planned, 2));
    lab.must(Command::Retry { directive: other, asset: assets[1], by: person() });
    lab.rehearsed(assets[1], RehearsalOutcome::Passed);
    assert_eq!(applying(&lab, &assets), [] as [usize; 0], "it could be spared, and its window is over");
    until(&mut lab, "2026-06-16T12:00:00Z");
    assert!(tick(&mut lab));
    assert_eq!(applying(&lab, &assets), [0]);
}

/// Host `a` has the hour of noon, everyone else the night.
fn noon_for_a() -> String {
    "windows: {night: {zone: Europe/Berlin, from: '22:00', to: '04:00'}, noon: {zone: UTC, from: '12:00', to: '13:00'}}\n\
     rules:\n\
     - {name: noon, when: asset.name == 'a', approval: automatic, windows: noon, tempo: fast}\n\
     - {name: night, approval: automatic, windows: night, tempo: fast}"
        .to_owned()
}

#[test]
fn what_waits_for_its_window_does_not_hold_back_whose_window_opens_first() {
    let (mut lab, assets) = offered(&["a", "b", "c"]);
    until(&mut lab, "2026-06-15T14:00:00Z");
    pass(&mut lab, &assets);
    set(&mut lab, &noon_for_a());
    let (id, _) = lab.open_directive();
    let first = |lab: &Lab| lab.world.ordinal(&assets[0]).unwrap() == first_of(lab, id, 0);
    assert!(first(&lab), "nothing may begin yet, and it was there first");
    assert_eq!(rollout(&lab, id).plan.waves.iter().map(|wave| wave.assets.len()).sum::<u64>(), 3);
    until(&mut lab, "2026-06-15T20:00:00Z");
    assert!(tick(&mut lab), "the night opens");
    assert_eq!(applying(&lab, &assets), [1]);
    let version = rollout(&lab, id).plan.version;
    done(&mut lab, assets[1]);
    assert_eq!(applying(&lab, &assets), [2]);
    done(&mut lab, assets[2]);
    assert!(!tick(&mut lab));
    assert_eq!((applying(&lab, &assets), rollout(&lab, id).plan.version), (vec![], version));
    until(&mut lab, "2026-06-16T12:00:00Z");
    assert!(tick(&mut lab), "noon opens");
    assert_eq!(applying(&lab, &assets), [0]);
}

#[test]
fn a_window_that_closes_during_a_rollout_lets_another_go_on() {
    let (mut lab, assets) = offered(&["b", "a", "c"]);
    // Two hours for `b` and `c`, of which `a` has the first.
    let policy = noon_for_a()
        .replace("zone: Europe/Berlin, from: '22:00', to: '04:00'", "zone: UTC, from: '12:00', to: '14:00'");
    pass(&mut lab, &assets);
    set(&mut lab, &policy);
    let (id, _) = lab.open_directive();
    assert_eq!(applying(&lab, &assets), [0]);
    until(&mut lab, "2026-06-15T13:30:00Z");
    done(&mut lab, assets[0]);
    assert_eq!(applying(&lab, &assets), [2], "{:?}", rollout(&lab, id));
}

#[test]
fn production_waits_for_staging_that_waits_for_its_window() {
    let (mut lab, assets) = offered(&["a", "b"]);
    let text = "rules: [{when: {host: a}, set: {environment: staging}}]";
    let document = tenon_formats::context::parse(text.as_bytes()).unwrap();
    lab.must(Command::TakeOverContext { document, compared: 0, by: person() });
    until(&mut lab, "2026-06-15T14:00:00Z");
    pass(&mut lab, &assets);
    set(&mut lab, &noon_for_a());
    let (id, _) = lab.open_directive();
    until(&mut lab, "2026-06-15T20:00:00Z");
    // It is looked at once more when the night opens, and not over and over.
    tick(&mut lab);
    let version = rollout(&lab, id).plan.version;
    until(&mut lab, "2026-06-15T20:01:00Z");
    assert!(!tick(&mut lab));
    assert_eq!((applying(&lab, &assets), rollout(&lab, id).plan.version), (vec![], version));
    until(&mut lab, "2026-06-16T12:00:00Z");
    assert!(tick(&mut lab));
    assert_eq!(applying(&lab, &assets), [0]);
}

#[test]
fn an_emergency_crosses_the_window_and_goes_faster() {
    let (mut lab, assets) = offered(&["a", "b"]);
    let policy = format!(
        "{NIGHT}\nemergency: {{crosses: [windows]}}\nrules: [{{name: night, approval: automatic, windows: night, tempo: cautious}}]"
    );
    set(&mut lab, &policy);
    pass(&mut lab, &assets);
    let (id, _) = lab.open_directive();
    assert_eq!((applying(&lab, &assets), rollout(&lab, id).plan.tempo), (vec![], Tempo::Cautious));
    lab.publish(vec![advisory("DSA-1-1", &["CVE-2026-1"], "nginx", Some(NEW))]);
    let kev = Kev { added: lab.now, due: None, ransomware: false };
    let listed = vec![("CVE-2026-1".parse().unwrap(), kev)];
    lab.must(Command::ChangeIntel { delta: IntelDelta::Kev { listed, retracted: Vec::new() }, as_of: None });
    assert_eq!(applying(&lab, &assets), [] as [usize; 0], "an emergency skips evidence");
    assets.iter().for_each(|asset| drop(lab.preserved(*asset)));
    assert_eq!(applying(&lab, &assets), [0], "what is exploited does not wait for the night");
}

#[test]
fn what_is_likely_to_be_exploited_goes_by_itself_once_that_is_foreseen() {
    let (mut lab, assets) = offered(&["a"]);
    set(&mut lab, "rules: [{name: likely, when: vulnerability.foreseen_ppm >= 1000, approval: automatic}]");
    lab.publish(vec![advisory("DSA-1-1", &["CVE-2026-1"], "nginx", Some(NEW))]);
    pass(&mut lab, &assets);
    let mut foresee = |ppm| {
        let foreseen = vec![("CVE-2026-1".parse().unwrap(), Probability::from_ppm(ppm).unwrap())];
        let (model, day) = ("five".to_owned(), lab.now);
        let delta = IntelDelta::Forecast { model, day, foreseen, dropped: Vec::new() };
        lab.must(Command::ChangeIntel { delta, as_of: None });
        applying(&lab, &assets)
    };
    assert_eq!(foresee(999), [0_usize; 0]);
    assert_eq!(foresee(1_000), [0]);
}

#[test]
fn what_cannot_be_taken_back_is_never_automatic() {
    let (mut lab, assets) = offered(&["a"]);
    set(&mut lab, "rules: [{name: all, approval: automatic}]");
    let order = lab.order(assets[0]);
    let mut report = rehearsal_report(&order, RehearsalOutcome::Passed);
    report.undo = Undo::NotPossible { reason: "the old package is gone".to_owned() };
    lab.must(Command::ReportRehearsal { asset: assets[0], order: order.id, report });
    let (id, _) = lab.open_directive();
    assert!(matches!(lab.stage(id, assets[0]), Stage::AwaitingApproval { .. }));
    assert_eq!(lab.actions, [ActionWanted::AskApproval { directive: id }]);
    approve(&mut lab, id, "root", &[]).unwrap();
    assert_eq!(applying(&lab, &assets), [0]);
}

#[test]
fn hosts_that_only_observe_stay_untouched() {
    let mut lab = Lab::new();
    let asset = lab.enrol("a", "web");
    set(&mut lab, "rules: [{name: all, approval: automatic}]");
    lab.report(asset, offers());
    assert_eq!(lab.world.asset(&asset).unwrap().outstanding, None);
    // Demoted after its rehearsal was ordered: approved by the rule, and not sent.
    lab.promote("web");
    lab.must(Command::Demote { group: "web".parse().unwrap(), by: person() });
    pass(&mut lab, &[asset]);
    assert_eq!(applying(&lab, &[asset]), [] as [usize; 0]);
}

#[test]
fn a_policy_does_not_resume_what_failed() {
    let (mut lab, assets) = offered(&["a", "b"]);
    set(&mut lab, "rules: [{name: all, approval: automatic}]");
    pass(&mut lab, &assets);
    let (id, _) = lab.open_directive();
    lab.applied(assets[0], ApplyOutcome::RolledBack { reason: "nginx did not start".to_owned() });
    assert!(rollout(&lab, id).halted.is_some());
    set(&mut lab, "rules: [{name: all, approval: automatic, tempo: fast}]");
    lab.pass(10 * 86_400);
    assert!(!tick(&mut lab));
    assert_eq!(applying(&lab, &assets), [] as [usize; 0]);
}

#[test]
fn a_policy_that_does_not_read_is_refused_with_its_places() {
    let mut lab = Lab::new();
    let set = |lab: &mut Lab, text: &str, compared| {
        lab.run(Command::SetPolicy { text: text.to_owned(), compared, by: person() })
    };
    let refused =
        set(&mut lab, "version: 1\nrules: [{name: a, when: asset.nme == 'x', approval: automatic}]", 0);
    let refusal = refused.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::BadContent);
    assert!(refusal.message.contains("line 2, column 25: there is no field `asset.nme`"), "{refusal}");
    set(&mut lab, "version: 1\n", 0).unwrap();
    assert_eq!(set(&mut lab, "version: 1\n# again\n", 0).unwrap_err().code, RefusalCode::EvidenceChanged);
    assert_eq!(set(&mut lab, "version: 1\n", 1).unwrap_err().code, RefusalCode::NothingToDo);
}

fn note(lab: &mut Lab, id: DirectiveId, kind: NoteKind, text: &str) -> Result<Vec<Event>, RefusalCode> {
    let note = Command::Note { directive: id, kind, text: text.to_owned(), by: "mira".parse().unwrap() };
    lab.run(note).map_err(|refusal| refusal.code)
}

/// People disagree: neither a rule nor a person goes over that, and the answer lets both go on.
#[test]
fn what_is_disputed_is_not_approved_until_it_is_answered() {
    let (mut lab, assets) = offered(&["a", "b"]);
    let (id, _) = lab.open_directive();
    assert_eq!(
        note(&mut lab, id, NoteKind::Answer, "nothing was asked").unwrap_err(),
        RefusalCode::WrongStage
    );
    for text in [" ", "a\u{1b}[31m", &"x".repeat(2_001)] {
        assert_eq!(note(&mut lab, id, NoteKind::Comment, text).unwrap_err(), RefusalCode::BadContent);
    }
    note(&mut lab, id, NoteKind::Comment, "  the next image has it\n ").unwrap();
    note(&mut lab, id, NoteKind::Dispute, "the module is not loaded").unwrap();
    assert_eq!(note(&mut lab, id, NoteKind::Dispute, "again").unwrap_err(), RefusalCode::NothingToDo);
    set(&mut lab, "rules: [{name: routine, when: rehearsal.undo == 'proven', approval: automatic}]");
    pass(&mut lab, &assets);
    assert_eq!(applying(&lab, &assets), [0_usize; 0], "a rule would have approved");
    assert_eq!(approve(&mut lab, id, "otto", &[Role::Approver]).unwrap_err(), RefusalCode::WrongStage);

    let events = note(&mut lab, id, NoteKind::Answer, "it is, on a").unwrap();
    assert!(events.iter().any(|event| matches!(event, Event::ApprovedByPolicy { .. })), "{events:?}");
    assert_eq!(applying(&lab, &assets).len(), 1);
    let (_, state) = lab.open_directive();
    let said: Vec<(&str, &str)> =
        state.thread.iter().map(|note| (note.kind.as_str(), note.text.as_str())).collect();
    let wanted = [
        ("comment", "the next image has it"),
        ("dispute", "the module is not loaded"),
        ("answer", "it is, on a"),
    ];
    assert_eq!(said, wanted);
}

#[test]
fn production_does_not_go_ahead_of_what_is_rehearsed_before_it() {
    let both = "rules: [{when: {host: dev}, set: {environment: development}}, {when: {host: live}, set: {environment: \
                production}}]";
    for outcome in [
        RehearsalOutcome::Passed,
        RehearsalOutcome::NotRehearsed { reason: "a critical question".to_owned() },
    ] {
        let (mut lab, assets) = offered(&["dev", "live"]);
        let document = tenon_formats::context::parse(both.as_bytes()).unwrap();
        lab.must(Command::TakeOverContext { document, compared: 0, by: person() });
        set(&mut lab, "rules: [{name: all, approval: automatic, tempo: fast}]");
        let [dev, live] = [assets[0], assets[1]];
        // The one that is live is done first, and approved at once.
        lab.rehearsed(live, RehearsalOutcome::Passed);
        let (id, state) = lab.open_directive();
        assert!(matches!(lab.stage(id, live), Stage::Approved { .. }));
        let wave = &state.rollout.as_ref().unwrap().plan.waves[0].assets;
        let ahead = lab
            .world
            .rehearses_ahead(state, wave, lab.now)
            .map(|asset| lab.world.asset_at(asset).unwrap().id);
        assert_eq!((applying(&lab, &assets), ahead), (vec![], Some(dev)));
        lab.sound();
        let passed = outcome == RehearsalOutcome::Passed;
        lab.rehearsed(dev, outcome);
        // What passed goes first; what needs a person holds nobody back.
        assert_eq!(applying(&lab, &assets), [usize::from(!passed)]);
        lab.sound();
    }
}
