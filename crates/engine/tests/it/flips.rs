//! What would flip a decision does, and nothing smaller would.

use proptest::prelude::*;
use tenon_engine::{Flip, why};
use tenon_model::{
    AssetContext, AssetId, Automatable, ClockRule, DecisionTable, Exploitation, HumanImpact,
    MissionAndWellBeing, Profile, SystemExposure, TechnicalImpact,
};
use tenon_risk::tables::{Table, by_id};

use crate::lab::{Lab, component, inventory, security_offer};
use crate::priority::{NEW, OLD, choose, exposed, list, points, priority, set, state};

const CVES: [&str; 3] = ["CVE-2026-1", "CVE-2026-2", "CVE-2026-3"];
const HOSTS: [&str; 3] = ["alpha", "beta", "gamma"];

/// What is stated of a vulnerability, and whether it is listed in KEV.
#[derive(Debug, Clone, Copy)]
struct Stated {
    exploitation: Exploitation,
    automatable: Automatable,
    technical_impact: TechnicalImpact,
    listed: bool,
}

/// A directive about vulnerabilities on hosts, all that its decision depends on.
#[derive(Debug, Clone)]
struct Case {
    table: DecisionTable,
    vulnerabilities: Vec<Stated>,
    hosts: Vec<AssetContext>,
}

impl Case {
    fn build(&self) -> (Lab, Vec<AssetId>) {
        let cves = &CVES[..self.vulnerabilities.len()];
        let (mut lab, first) = exposed(cves);
        let mut hosts = vec![first];
        for name in &HOSTS[1..self.hosts.len()] {
            let host = lab.enrol(name, "web");
            let openssl = component("libssl3", "openssl", OLD);
            lab.report(host, inventory(vec![openssl.clone()], vec![security_offer(&openssl, NEW)]));
            hosts.push(host);
        }
        choose(&mut lab, self.table, &[ClockRule::Bod2604]);
        for (cve, one) in cves.iter().zip(&self.vulnerabilities) {
            state(&mut lab, cve, points(one.exploitation, one.automatable, one.technical_impact));
            if one.listed {
                list(&mut lab, cve, true);
            }
        }
        for (host, context) in hosts.iter().zip(&self.hosts) {
            set(&mut lab, *host, *context);
        }
        (lab, hosts)
    }

    fn published(&self) -> &'static Table {
        let id = match self.table {
            DecisionTable::Bod2604 => "cisa-bod-26-04",
            DecisionTable::SsvcDeployer => "ssvc-deployer",
            DecisionTable::CisaCoordinator => "cisa-coordinator",
        };
        by_id(id).unwrap()
    }

    /// The value of a column for one of the vulnerabilities on one of the hosts, as the rules say that it follows from what is stated.
    fn value(&self, column: &str, vulnerability: usize, host: usize) -> String {
        let (stated, context) = (self.vulnerabilities[vulnerability], self.hosts[host]);
        let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
        match column {
            "In KEV" => yes(stated.listed),
            "Exploitation" if stated.listed => Exploitation::Active.to_string(),
            "Exploitation" => stated.exploitation.to_string(),
            "Automatable" => stated.automatable.to_string(),
            "Technical Impact" => stated.technical_impact.to_string(),
            "Publicly Exposed" => yes(context.exposure == Some(SystemExposure::Open)),
            "System Exposure" => context.exposure.unwrap_or(SystemExposure::Controlled).to_string(),
            "Human Impact" => context.human_impact.unwrap_or(HumanImpact::Medium).to_string(),
            "Mission and Well-Being Impact" => {
                context.mission.unwrap_or(MissionAndWellBeing::Medium).to_string()
            }
            other => panic!("no such column: {other}"),
        }
    }

    /// Where the columns of the table that are about assets are.
    fn is_of_assets(column: &str) -> bool {
        ["Publicly Exposed", "System Exposure", "Human Impact", "Mission and Well-Being Impact"]
            .contains(&column)
    }

    /// The most urgent outcome if these columns were set. Outcomes in the order of their urgency are given.
    fn outcome(&self, order: &[&str], set: &[Set]) -> usize {
        let table = self.published();
        let mut most = 0;
        for vulnerability in 0..self.vulnerabilities.len() {
            for host in 0..self.hosts.len() {
                let value = |column: &&str| {
                    let concerns =
                        |one: &&Set| one.1 == *column && one.0.is_none_or(|of| of == vulnerability);
                    let to = set.iter().find(concerns).map(|one| one.2.to_owned());
                    to.unwrap_or_else(|| self.value(column, vulnerability, host))
                };
                let names: Vec<&str> = table.columns().iter().map(|column| column.name()).collect();
                let values: Vec<String> = names.iter().map(value).collect();
                let pairs: Vec<_> = names.iter().copied().zip(values.iter().map(String::as_str)).collect();
                let outcome = table.decide(&pairs).unwrap().outcome;
                most = most.max(order.iter().position(|one| *one == outcome).unwrap());
            }
        }
        most
    }

    /// All that can be set: each column of each vulnerability, each column about assets, to each value.
    fn settable(&self) -> Vec<Set> {
        let mut all = Vec::new();
        for column in self.published().columns() {
            let name = column.name();
            let whose: Vec<Option<usize>> = if Self::is_of_assets(name) {
                vec![None]
            } else {
                (0..self.vulnerabilities.len()).map(Some).collect()
            };
            for of in whose {
                all.extend(column.values().map(|value| (of, name, value)));
            }
        }
        all
    }
}

/// A column of one of the vulnerabilities, or of the assets, set to a value.
type Set = (Option<usize>, &'static str, &'static str);

/// Outcomes of the table, the least urgent first: published, but for BOD 26-04 which counts days.
fn order(table: DecisionTable) -> &'static [&'static str] {
    match table {
        DecisionTable::Bod2604 => {
            &["fix on system upgrade", "60 days", "14 days", "3 days", "3 days & forensic investigation"]
        }
        DecisionTable::SsvcDeployer => &["defer", "scheduled", "out-of-cycle", "immediate"],
        DecisionTable::CisaCoordinator => &["track", "track*", "attend", "act"],
    }
}

/// Every set of `size` columns, each set to one of its values.
fn sets(settable: &[Set], size: usize) -> Vec<Vec<Set>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, one) in settable.iter().enumerate() {
        for mut others in sets(&settable[at + 1..], size - 1) {
            if others.iter().all(|other| (other.0, other.1) != (one.0, one.1)) {
                others.push(*one);
                all.push(others);
            }
        }
    }
    all
}

/// Makes what a flip says true.
fn apply(lab: &mut Lab, hosts: &[AssetId], flip: &Flip) {
    for one in &flip.set {
        let column = one.column.split(" v").next().unwrap();
        let Some(cve) = &one.vulnerability else {
            for host in hosts {
                let mut context = lab.world.asset(host).unwrap().context;
                match (column, one.to.as_str()) {
                    ("Publicly Exposed", "yes") => context.exposure = Some(SystemExposure::Open),
                    ("Publicly Exposed", _) => context.exposure = Some(SystemExposure::Controlled),
                    ("System Exposure", to) => context.exposure = SystemExposure::parse(to),
                    ("Human Impact", to) => context.human_impact = HumanImpact::parse(to),
                    ("Mission and Well-Being Impact", to) => context.mission = MissionAndWellBeing::parse(to),
                    (other, _) => panic!("no such column about assets: {other}"),
                }
                set(lab, *host, context);
            }
            continue;
        };
        let intel = lab.world.intel(cve);
        let mut ssvc = intel.profile.ssvc.unwrap();
        match column {
            "In KEV" => list(lab, cve.as_str(), one.to == "yes"),
            "Exploitation" => {
                if intel.kev.is_some() {
                    list(lab, cve.as_str(), false);
                }
                ssvc.exploitation = Exploitation::parse(&one.to);
            }
            "Automatable" => ssvc.automatable = Automatable::parse(&one.to),
            "Technical Impact" => ssvc.technical_impact = TechnicalImpact::parse(&one.to),
            other => panic!("no such column of a vulnerability: {other}"),
        }
        state(lab, cve.as_str(), Profile { ssvc: Some(ssvc), ..intel.profile });
    }
}

fn any_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}

fn any_case() -> impl Strategy<Value = Case> {
    let stated =
        (any_of(Exploitation::ALL), any_of(Automatable::ALL), any_of(TechnicalImpact::ALL), any::<bool>());
    let stated = stated.prop_map(|(exploitation, automatable, technical_impact, listed)| Stated {
        exploitation,
        automatable,
        technical_impact,
        listed,
    });
    let context = (
        prop::option::of(any_of(SystemExposure::ALL)),
        prop::option::of(any_of(HumanImpact::ALL)),
        prop::option::of(any_of(MissionAndWellBeing::ALL)),
    );
    let context = context.prop_map(|(exposure, human_impact, mission)| AssetContext {
        exposure,
        human_impact,
        mission,
    });
    let tables = &[DecisionTable::Bod2604, DecisionTable::SsvcDeployer, DecisionTable::CisaCoordinator];
    (any_of(tables), prop::collection::vec(stated, 1..=3), prop::collection::vec(context, 1..=3))
        .prop_map(|(table, vulnerabilities, hosts)| Case { table, vulnerabilities, hosts })
}

fn check(case: &Case) -> Result<(), TestCaseError> {
    let (lab, _) = case.build();
    let (directive, open) = lab.open_directive();
    let before = open.directive.priority.decision.outcome.clone();
    let told = why(&lab.world, &directive).unwrap();
    // Read from the record again, it is explained alike.
    prop_assert_eq!(why(&lab.replayed(), &directive), Some(told.clone()));
    let flips = told.flips;
    let order = order(case.table);
    let now = case.outcome(order, &[]);
    prop_assert_eq!(order[now], &before);
    let settable = case.settable();
    for sooner in [true, false] {
        let leads = |set: &Vec<Set>| {
            let then = case.outcome(order, set);
            if sooner { then > now } else { then < now }
        };
        let of: Vec<&Flip> = flips.iter().filter(|flip| flip.sooner == sooner).collect();
        let Some(flip) = of.first() else {
            // Nothing leads there: not even two columns at once.
            prop_assert!(!(1..=2).flat_map(|size| sets(&settable, size)).any(|set| leads(&set)));
            continue;
        };
        prop_assert_eq!(of.len(), 1);
        for size in 1..flip.set.len() {
            let smaller = sets(&settable, size).into_iter().find(leads);
            prop_assert_eq!(smaller, None, "{:?}", flip);
        }
        // Made true in the record, it leads where it says.
        let (mut lab, hosts) = case.build();
        apply(&mut lab, &hosts, flip);
        let after = &priority(&lab).decision.outcome;
        prop_assert_eq!(after, &flip.outcome, "{:?}", flip);
        let then = order.iter().position(|outcome| outcome == after).unwrap();
        prop_assert!(if sooner { then > now } else { then < now }, "{:?}", flip);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        // All of them with `TENON_SOAK`, else a sample.
        cases: if std::env::var_os("TENON_SOAK").is_some() { 10_000 } else { 200 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_flip_leads_where_it_says_and_no_smaller_change_flips(case in any_case()) {
        check(&case)?;
    }
}
