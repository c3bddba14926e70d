//! How decisions and due dates follow from what is stated, and that what would flip a decision does.

use std::collections::BTreeSet;

use tenon_engine::{findings, why, why_here};
use tenon_model::{
    AssetContext, AssetId, Automatable, ClockRule, Command, Cvss, DecisionTable, Exploitation, HumanImpact,
    IntelDelta, Kev, MissionAndWellBeing, Priority, Profile, RefusalCode, Rules, Ssvc, SystemExposure,
    TechnicalImpact, Vdr, VdrClass, VdrPain, VexStatement, VexSubject, VulnerabilityId,
};

use crate::lab::{Lab, advisory, component, inventory, person, security_offer};

pub(crate) const OLD: &str = "3.0.17-1~deb12u1";
pub(crate) const NEW: &str = "3.0.17-1~deb12u2";

/// One host that is offered a fix for these vulnerabilities.
pub(crate) fn exposed(cves: &[&str]) -> (Lab, AssetId) {
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    lab.publish(vec![advisory("DSA-1-1", cves, "openssl", Some(NEW))]);
    let openssl = component("libssl3", "openssl", OLD);
    lab.report(asset, inventory(vec![openssl.clone()], vec![security_offer(&openssl, NEW)]));
    (lab, asset)
}

pub(crate) fn priority(lab: &Lab) -> &Priority {
    &lab.open_directive().1.directive.priority
}

pub(crate) fn id(text: &str) -> VulnerabilityId {
    text.parse().unwrap()
}

pub(crate) fn points(
    exploitation: Exploitation,
    automatable: Automatable,
    technical_impact: TechnicalImpact,
) -> Profile {
    let ssvc = Ssvc {
        exploitation: Some(exploitation),
        automatable: Some(automatable),
        technical_impact: Some(technical_impact),
        decided: None,
    };
    Profile { ssvc: Some(ssvc), ..Profile::default() }
}

pub(crate) fn state(lab: &mut Lab, cve: &str, profile: Profile) {
    let delta = IntelDelta::Profile { stated: vec![(id(cve), profile)], dropped: Vec::new() };
    // What was stated already changes nothing.
    let _repeated = lab.run(Command::ChangeIntel { delta, as_of: None });
}

pub(crate) fn list(lab: &mut Lab, cve: &str, listed: bool) {
    let entry = Kev { added: lab.now, due: Some(lab.now.plus_days(21)), ransomware: false };
    let delta = if listed {
        IntelDelta::Kev { listed: vec![(id(cve), entry)], retracted: Vec::new() }
    } else {
        IntelDelta::Kev { listed: Vec::new(), retracted: vec![id(cve)] }
    };
    lab.must(Command::ChangeIntel { delta, as_of: None });
}

pub(crate) fn set(lab: &mut Lab, asset: AssetId, context: AssetContext) {
    let _repeated = lab.run(Command::SetContext { asset, context, by: person() });
}

pub(crate) fn choose(lab: &mut Lab, table: DecisionTable, clocks: &[ClockRule]) {
    let rules = Rules { table, clocks: clocks.iter().copied().collect(), ..Rules::default() };
    let _repeated = lab.run(Command::SetRules { rules, by: person() });
}

#[test]
fn what_cisa_states_takes_the_place_of_what_was_assumed() {
    let (mut lab, _) = exposed(&["CVE-2026-1"]);
    let raised = lab.now;
    assert_eq!(priority(&lab).decision.row, 10);
    assert_eq!(priority(&lab).due, Some(raised.plus_days(60)));
    assert_eq!(priority(&lab).decision.assumed.len(), 3);
    lab.pass(3_600);
    // Neither automatable nor of total impact: BOD 26-04 sets no date, and the assumption's date does not bind.
    state(&mut lab, "CVE-2026-1", points(Exploitation::None, Automatable::No, TechnicalImpact::Partial));
    let now = priority(&lab);
    assert_eq!((now.decision.row, now.due), (0, None));
    assert_eq!(now.decision.vulnerability, Some(id("CVE-2026-1")));
    assert_eq!(now.decision.assumed, ["not publicly exposed: no owner confirmed exposure"]);
    // From then on facts change, and a date that facts set is not moved later.
    list(&mut lab, "CVE-2026-1", true);
    let due = priority(&lab).due;
    assert_eq!(due, Some(lab.now.plus_days(14)));
    list(&mut lab, "CVE-2026-1", false);
    assert_eq!(priority(&lab).due, due);
    assert_eq!(lab.replayed().digest().unwrap(), lab.world.digest().unwrap());
}

#[test]
fn the_most_urgent_vulnerability_decides_and_any_may_ask_for_evidence() {
    let (mut lab, asset) = exposed(&["CVE-2026-1", "CVE-2026-2"]);
    state(&mut lab, "CVE-2026-1", points(Exploitation::None, Automatable::No, TechnicalImpact::Partial));
    state(&mut lab, "CVE-2026-2", points(Exploitation::None, Automatable::Yes, TechnicalImpact::Total));
    assert_eq!(priority(&lab).decision.vulnerability, Some(id("CVE-2026-2")));
    let open = AssetContext { exposure: Some(SystemExposure::Open), ..AssetContext::default() };
    set(&mut lab, asset, open);
    let now = priority(&lab);
    assert_eq!((now.decision.row, now.decision.forensics), (14, false));
    assert!(now.decision.assumed.is_empty());
    list(&mut lab, "CVE-2026-2", true);
    let now = priority(&lab);
    assert_eq!((now.decision.row, now.decision.forensics), (15, true));
}

#[test]
fn what_a_supplier_states_comes_off_the_list_and_stays_visible() {
    let (mut lab, asset) = exposed(&["CVE-2026-1", "CVE-2026-2"]);
    let statement = |package: &str, version: Option<&str>| VexStatement {
        vulnerability: id("CVE-2026-1"),
        ecosystem: "Debian".to_owned(),
        package: package.to_owned(),
        subject: if package == "libssl3" { VexSubject::Binary } else { VexSubject::Source },
        release: None,
        architecture: None,
        version: version.map(str::to_owned),
        reason: "not affected: the vulnerable code never runs".to_owned(),
        author: "a supplier".to_owned(),
        made: lab_start(),
    };
    let state = |lab: &mut Lab, statements: Vec<VexStatement>| {
        lab.must(Command::StateVex {
            document: "https://example.org/vex/1".to_owned(),
            statements,
            by: person(),
        });
        let assessment = findings(&lab.world, lab.world.asset(&asset).unwrap());
        let ids = |list: Vec<&tenon_engine::Finding>| -> Vec<String> {
            list.iter().map(|finding| finding.vulnerability.to_string()).collect()
        };
        let open = ids(assessment.findings.iter().collect());
        (open, ids(assessment.suppressed.iter().map(|(finding, _)| finding).collect()))
    };
    let both = (vec!["CVE-2026-1".to_owned(), "CVE-2026-2".to_owned()], Vec::new());
    let one = (vec!["CVE-2026-2".to_owned()], vec!["CVE-2026-1".to_owned()]);
    // Of the source, of the only binary, of this version; not of another version, package or ecosystem.
    assert_eq!(state(&mut lab, vec![statement("openssl", None)]), one);
    assert_eq!(
        lab.open_directive().1.directive.closes,
        [id("CVE-2026-2")],
        "the directive no longer counts it"
    );
    assert_eq!(state(&mut lab, vec![statement("libssl3", Some(OLD))]), one);
    assert_eq!(state(&mut lab, vec![statement("openssl", Some(NEW))]), both);
    assert_eq!(state(&mut lab, vec![statement("nginx", None)]), both);
    // Of a binary package of the source's name, which is not what is installed; of another release or architecture.
    for narrower in [
        VexStatement { subject: VexSubject::Binary, ..statement("openssl", None) },
        VexStatement { release: Some("Debian:13".to_owned()), ..statement("openssl", None) },
        VexStatement { architecture: Some("arm64".to_owned()), ..statement("libssl3", None) },
    ] {
        assert_eq!(state(&mut lab, vec![narrower]), both);
    }
    let elsewhere = VexStatement { ecosystem: "Alpine".to_owned(), ..statement("openssl", None) };
    assert_eq!(state(&mut lab, vec![elsewhere]), both);
    // Said again it changes nothing; taken back the finding is open again.
    state(&mut lab, vec![statement("openssl", None)]);
    let again = Command::StateVex {
        document: "https://example.org/vex/1".to_owned(),
        statements: vec![statement("openssl", None)],
        by: person(),
    };
    assert_eq!(lab.run(again).unwrap_err().code, RefusalCode::NothingToDo);
    assert_eq!(state(&mut lab, Vec::new()), both);
    assert_eq!(lab.replayed().digest().unwrap(), lab.world.digest().unwrap());
}

fn lab_start() -> tenon_model::Timestamp {
    tenon_model::Timestamp::from_millis(crate::lab::START_MS)
}

#[test]
fn several_clocks_run_and_the_earliest_counts() {
    let (mut lab, _) = exposed(&["CVE-2026-1"]);
    let raised = lab.now;
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned();
    let cvss = Some(Cvss { vector, source: "redhat".to_owned() });
    state(&mut lab, "CVE-2026-1", Profile { cvss, ..Profile::default() });
    choose(
        &mut lab,
        DecisionTable::SsvcDeployer,
        &[ClockRule::Bod2604, ClockRule::FedrampRev5, ClockRule::PciDss401, ClockRule::Bod2201],
    );
    let now = priority(&lab);
    // PCI DSS counts a month from the release of the patch, 2026-06-14; FedRAMP 30 days and BOD 26-04 60 from detection.
    let dues: Vec<_> = now.clocks.iter().map(|clock| (clock.rule.as_str(), clock.due)).collect();
    let release = tenon_model::Timestamp::parse("2026-07-14").unwrap();
    assert_eq!(
        dues,
        [
            ("pci-dss-4.0.1 4.0.1", release),
            ("fedramp-rev5 rev5", raised.plus_days(30)),
            ("cisa-bod-26-04 1.0.0", raised.plus_days(60)),
        ]
    );
    assert_eq!(now.due, Some(release));
    assert_eq!(now.decision.table, "ssvc-deployer 1.0.0");
    // No entry in the catalogue, no date by BOD 22-01; with one it has the catalogue's own date.
    list(&mut lab, "CVE-2026-1", true);
    assert!(priority(&lab).clocks.iter().any(|clock| clock.outcome == "kev.dueDate"));
}

#[test]
fn fedramp_vdr_counts_hours_by_class_pain_of_the_group_and_likelihood() {
    let (mut lab, asset) = exposed(&["CVE-2026-1"]);
    let raised = lab.now;
    let rules = |pain, of_web: Option<VdrPain>| Rules {
        table: DecisionTable::Bod2604,
        clocks: BTreeSet::from([ClockRule::FedrampVdr]),
        vdr: Some(Vdr {
            class: VdrClass::C,
            pain,
            groups: of_web.map(|pain| ("web".parse().unwrap(), pain)).into_iter().collect(),
        }),
        regulations: Vec::new(),
    };
    let hours = |lab: &mut Lab, rules: Rules| {
        let _repeated = lab.run(Command::SetRules { rules, by: person() });
        lab.sound();
        let clocks = priority(lab).clocks.clone();
        clocks.first().map(|clock| {
            assert_eq!((clock.rule.as_str(), clock.since), ("fedramp-vdr-tfr-pvr 2026-08-13", raised));
            (clock.row, clock.outcome.clone(), (clock.due.as_millis() - raised.as_millis()) / 3_600_000)
        })
    };
    let row = |row, hours: i64| Some((row, format!("{hours} hours"), hours));
    // Nobody knows how it is attacked, nor who reaches the host: the worst of both.
    assert_eq!(hours(&mut lab, rules(VdrPain::Five, None)), row(24, 48));
    assert_eq!(hours(&mut lab, rules(VdrPain::Five, Some(VdrPain::Three))), row(30, 384));
    assert_eq!(hours(&mut lab, rules(VdrPain::Five, Some(VdrPain::One))), None, "PAIN 1 has no time frame");
    let small = AssetContext { exposure: Some(SystemExposure::Small), ..AssetContext::default() };
    set(&mut lab, asset, small);
    assert_eq!(hours(&mut lab, rules(VdrPain::Five, None)), row(25, 96), "not from the internet");
    let vector = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H".to_owned();
    let cvss = Some(Cvss { vector, source: "debian".to_owned() });
    state(&mut lab, "CVE-2026-1", Profile { cvss, ..Profile::default() });
    assert_eq!(hours(&mut lab, rules(VdrPain::Four, None)), row(29, 1_536), "not likely exploitable");
    list(&mut lab, "CVE-2026-1", true);
    assert_eq!(hours(&mut lab, rules(VdrPain::Four, Some(VdrPain::Five))), row(25, 96), "exploited");
    for wrong in [
        Rules { vdr: None, ..rules(VdrPain::Two, None) },
        Rules { clocks: BTreeSet::from([ClockRule::Bod2604]), ..rules(VdrPain::Two, None) },
    ] {
        let refused = lab.run(Command::SetRules { rules: wrong, by: person() }).unwrap_err();
        assert_eq!(refused.code, tenon_model::RefusalCode::BadContent);
    }
}

#[test]
fn factors_multiply_to_what_the_directive_removes() {
    let (mut lab, asset) = exposed(&["CVE-2026-1", "CVE-2026-2"]);
    let vector = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H".to_owned();
    let cvss = Some(Cvss { vector, source: "debian".to_owned() });
    state(&mut lab, "CVE-2026-1", Profile { cvss, ..Profile::default() });
    list(&mut lab, "CVE-2026-1", true);
    let whole = priority(&lab).removes;
    set(
        &mut lab,
        asset,
        AssetContext {
            exposure: Some(SystemExposure::Small),
            human_impact: Some(HumanImpact::Low),
            mission: Some(MissionAndWellBeing::Low),
        },
    );
    let (directive, state) = lab.open_directive();
    let removes = state.directive.priority.removes;
    assert!(removes < whole);
    let why = why(&lab.world, &directive).unwrap();
    let sum: u64 = why.factors.iter().map(|one| one.factors.loss() * one.assets).sum();
    assert_eq!(sum, removes.0);
    let local = &why.factors[0];
    assert_eq!(local.vulnerability, id("CVE-2026-1"));
    assert_eq!(
        (local.factors.threat, local.factors.reach, local.factors.impact),
        (1_000_000, 200_000, 250_000)
    );
}

#[test]
fn one_vulnerability_on_one_asset_is_explained_by_itself_and_all_of_them_make_the_directive() {
    let cves = ["CVE-2026-1", "CVE-2026-2"];
    let (mut lab, asset) = exposed(&cves);
    let other = lab.enrol("beta", "web");
    let openssl = component("libssl3", "openssl", OLD);
    lab.report(other, inventory(vec![openssl.clone()], vec![security_offer(&openssl, NEW)]));
    choose(&mut lab, DecisionTable::Bod2604, &[ClockRule::Bod2604]);
    list(&mut lab, cves[0], true);
    let context = AssetContext { exposure: Some(SystemExposure::Small), ..AssetContext::default() };
    set(&mut lab, other, context);
    let (directive, open) = lab.open_directive();
    let whole = open.directive.priority.clone();
    let here = |asset: &AssetId, cve: &str| why_here(&lab.world, asset, &id(cve)).unwrap();
    let mut removes = 0;
    for (asset, cve) in [asset, other].iter().flat_map(|asset| cves.map(|cve| (asset, cve))) {
        let here = here(asset, cve);
        assert_eq!((here.directive, here.finding.vulnerability.as_str()), (Some(directive), cve));
        let [weighed] = here.why.factors.as_slice() else { panic!("{:?}", here.why.factors) };
        assert_eq!((weighed.factors.loss(), weighed.assets), (here.priority.removes.0, 1));
        assert!(
            here.priority.due >= whole.due
                && here.priority.clocks.iter().all(|clock| clock.vulnerability == id(cve))
        );
        removes += here.priority.removes.0;
    }
    assert_eq!(removes, whole.removes.0);
    let (listed, not) = (here(&asset, cves[0]), here(&asset, cves[1]));
    assert_eq!(listed.priority.decision.outcome, whole.decision.outcome);
    assert!(listed.priority.due < not.priority.due, "{:?} {:?}", listed.priority.due, not.priority.due);
    assert!(here(&other, cves[0]).priority.removes < listed.priority.removes, "it is reached less");
    assert_eq!(why_here(&lab.world, &asset, &id("CVE-2026-3")), None);
    // Once it is fixed there is nothing to explain.
    lab.report(asset, inventory(vec![component("libssl3", "openssl", NEW)], Vec::new()));
    assert_eq!(why_here(&lab.world, &asset, &id(cves[0])), None);
    assert!(why_here(&lab.world, &other, &id(cves[0])).is_some());
}
