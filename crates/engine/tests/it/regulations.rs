//! A regulation is adopted as one file: it counts for what is raised from its day on, and old due dates stand.

use std::collections::BTreeSet;

use tenon_model::{AssetId, ClockRule, Command, DirectiveId, RefusalCode, Rules, Timestamp};

use crate::lab::{Lab, component, inventory, person, security_offer};
use crate::priority::list;

const DAY: u32 = 86_400;

fn text(version: u32, effective: Timestamp, kev: &str, other: &str) -> String {
    format!(
        "# id: acme\n# version: {version}\n# title: Acme\n# source: the contract\n# effective: {}\n# from: raised\n\
         # replaces: bod-26-04, bod-22-01\nrow,In KEV,due\n0,no,{other}\n1,yes,{kev}\n",
        &effective.to_string()[..10]
    )
}

fn adopted(lab: &mut Lab, texts: &[String]) -> Result<(), RefusalCode> {
    let rules = Rules { regulations: texts.to_vec(), ..Rules::default() };
    lab.run(Command::SetRules { rules, by: person() }).map(drop).map_err(|refusal| refusal.code)
}

/// A directive about one more package.
fn raised(lab: &mut Lab, asset: AssetId, packages: &[&str]) -> DirectiveId {
    let known: BTreeSet<DirectiveId> = lab.world.directives().map(|(id, _)| *id).collect();
    let components: Vec<_> = packages.iter().map(|name| component(name, name, "1.0")).collect();
    let offers = components.iter().map(|one| security_offer(one, "2.0")).collect();
    lab.report(asset, inventory(components, offers));
    let new: Vec<DirectiveId> =
        lab.world.directives().map(|(id, _)| *id).filter(|id| !known.contains(id)).collect();
    let [id] = new.as_slice() else { panic!("{new:?}") };
    *id
}

/// When it is due, and by which rules.
fn due(lab: &Lab, id: DirectiveId) -> (Timestamp, Vec<String>) {
    let priority = &lab.world.directive(&id).unwrap().directive.priority;
    (priority.due.unwrap(), priority.clocks.iter().map(|clock| clock.rule.clone()).collect())
}

#[test]
fn a_regulation_counts_for_what_is_raised_from_its_day_on_and_old_dates_stand() {
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    let first = raised(&mut lab, asset, &["openssl"]);
    let before = due(&lab, first);
    assert_eq!(before.1, ["cisa-bod-26-04 1.0.0"]);

    // It takes effect in ten days. What is open keeps its date and its clock, and so does what is raised until then.
    let effective = lab.now.plus_days(10);
    adopted(&mut lab, &[text(1, effective, "24 hours", "5 days")]).unwrap();
    assert_eq!(due(&lab, first), before);
    lab.pass(DAY);
    let second = raised(&mut lab, asset, &["openssl", "nginx"]);
    assert_eq!(due(&lab, second).1, ["cisa-bod-26-04 1.0.0"]);

    lab.pass(11 * DAY);
    let third = raised(&mut lab, asset, &["openssl", "nginx", "zlib"]);
    let by_acme = (lab.now.plus_days(5), vec!["acme 1".to_owned()]);
    assert_eq!(due(&lab, third), by_acme);
    assert_eq!(due(&lab, first), before);

    // A later version is easier. What the one before set stands, what is raised from now on goes by the new one.
    let (old, new) =
        (text(1, effective, "24 hours", "5 days"), text(2, lab.now.plus_days(1), "3 days", "2 months"));
    adopted(&mut lab, &[old, new]).unwrap();
    assert_eq!(due(&lab, third), by_acme);
    lab.pass(2 * DAY);
    let fourth = raised(&mut lab, asset, &["openssl", "nginx", "zlib", "curl"]);
    assert_eq!(due(&lab, fourth), (lab.now.plus_months(2), vec!["acme 2".to_owned()]));

    // Withdrawn, it binds nobody any more.
    adopted(&mut lab, &[]).unwrap();
    assert_eq!(due(&lab, third).1, ["cisa-bod-26-04 1.0.0"]);
    assert!(due(&lab, third).0 > by_acme.0);
    assert_eq!(lab.replayed().digest().unwrap(), lab.world.digest().unwrap());
}

#[test]
fn a_regulation_asks_what_is_known_and_the_earliest_clock_counts() {
    let mut lab = Lab::new();
    let asset = lab.enrol("alpha", "web");
    let effective = lab.now;
    // A clock that nothing replaces counts besides.
    let beside = text(1, effective, "24 hours", "no date").replace("# replaces: bod-26-04, bod-22-01\n", "");
    adopted(&mut lab, &[beside]).unwrap();
    lab.pass(DAY);
    let id = raised(&mut lab, asset, &["openssl"]);
    assert_eq!(due(&lab, id).1, ["cisa-bod-26-04 1.0.0"]);
    let at = lab.now;
    let closes = lab.world.directive(&id).unwrap().directive.closes.clone();
    list(&mut lab, closes[0].as_str(), true);
    let clocks = due(&lab, id).1;
    assert_eq!((due(&lab, id).0, clocks.first().map(String::as_str)), (at.plus_seconds(DAY), Some("acme 1")));
    assert_eq!(clocks.len(), 2);
}

#[test]
fn what_is_no_regulation_is_refused_with_its_reason() {
    let mut lab = Lab::new();
    let fine = text(1, lab.now, "24 hours", "5 days");
    let refused = |lab: &mut Lab, texts: &[String]| {
        let regulations = texts.to_vec();
        let rules = Rules { regulations, clocks: BTreeSet::from([ClockRule::Bod2604]), ..Rules::default() };
        let refusal = lab.run(Command::SetRules { rules, by: person() }).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::BadContent);
        refusal.to_string()
    };
    let twice = refused(&mut lab, &[fine.clone(), fine.clone()]);
    assert!(twice.contains("acme is there twice"), "{twice}");
    let soon = refused(&mut lab, &[fine.clone(), fine.replace("24 hours", "soon")]);
    assert!(soon.contains("regulation 2: the outcome \"soon\""), "{soon}");
    assert_eq!(lab.world.regulations().all().len(), 0);
}
