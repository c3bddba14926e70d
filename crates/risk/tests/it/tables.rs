//! Decision tables against the published files, and their typed fronts against the tables.

use std::collections::BTreeSet;

use tenon_risk::cisa_coordinator::{Coordinator, Level};
use tenon_risk::fedramp_vdr::{self, Class, Likelihood, Pain};
use tenon_risk::points::{
    Automatable, Exploitation, HumanImpact, MissionAndWellBeing, MissionImpact, SafetyImpact, SystemExposure,
    TechnicalImpact, ValueDensity,
};
use tenon_risk::sla::{self, Due, Severity};
use tenon_risk::ssvc::{self, Deployer, DeployerPriority};
use tenon_risk::tables::{self, Table};

use crate::vectors;

/// The published outcome of each row, by columns given by header and by name.
fn check(test: &str, id: &str, file: &str, rows: usize) -> Option<()> {
    let text = vectors(test, file)?;
    let table = tables::by_id(id).unwrap();
    let mut lines = text.lines();
    let header: Vec<_> = lines.next().unwrap().splitn(table.columns().len() + 2, ',').collect();
    let mut count = 0;
    for line in lines {
        let cells: Vec<_> = line.split(',').collect();
        assert_eq!(cells.len(), header.len());
        let last = cells.len() - 1;
        let mut pairs: Vec<_> = header.iter().copied().zip(cells.iter().copied()).take(last).collect();
        let decided = table.decide(&pairs).unwrap();
        assert_eq!((decided.row.to_string().as_str(), decided.outcome), (cells[0], cells[last]), "{line}");
        assert_eq!(table.rows().nth(count).unwrap().decide(), decided, "published order");
        for ((name, _), column) in pairs.iter_mut().skip(1).zip(table.columns()) {
            *name = column.name();
        }
        pairs.reverse();
        assert_eq!(table.decide(&pairs), Ok(decided));
        count += 1;
    }
    assert_eq!(header.last().map(|last| last.trim_matches('"')), Some(table.outcome()));
    assert_eq!((count, table.rows().count()), (rows, rows), "{id}");
    Some(())
}

#[test]
fn every_published_row_is_reproduced() {
    let name = "every_published_row_is_reproduced";
    for (id, file, rows) in [
        ("ssvc-deployer", "scoring/ssvc/deployer_patch_application_priority_1_0_0.csv", 72),
        ("ssvc-human-impact", "scoring/ssvc/human_impact_1_0_0.csv", 16),
        ("ssvc-utility", "scoring/ssvc/utility_1_0_0.csv", 4),
        ("cisa-coordinator", "scoring/ssvc/cisa_coordinator_2_0_3.csv", 36),
        ("cisa-bod-26-04", "scoring/ssvc/cisa_bod_26_04_1_0_0.csv", 16),
        ("ssvc-public-safety-impact", "ssvc/ssvc_public_safety_impact_1_0_0.csv", 4),
    ] {
        if check(name, id, file, rows).is_none() {
            return;
        }
    }
}

/// The same table in CERT/CC's other form, which has a mapping of value keys.
#[test]
fn the_deployer_table_equals_the_published_json() {
    let name = "the_deployer_table_equals_the_published_json";
    let Some(text) = vectors(name, "ssvc/deployer_patch_application_priority_1_0_0.json") else { return };
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let points = json["decision_points"].as_object().unwrap();
    let value = |point: &str, key: &str| {
        let values = points[point]["values"].as_array().unwrap();
        values.iter().find(|value| value["key"] == key).unwrap()["name"].as_str().unwrap().to_lowercase()
    };
    let outcome = json["outcome"].as_str().unwrap();
    let table = tables::by_id("ssvc-deployer").unwrap();
    let mapping = json["mapping"].as_array().unwrap();
    for row in mapping {
        let named: Vec<_> = row
            .as_object()
            .unwrap()
            .iter()
            .filter(|(point, _)| point.as_str() != outcome)
            .map(|(point, key)| {
                (points[point]["name"].as_str().unwrap(), value(point, key.as_str().unwrap()))
            })
            .collect();
        let pairs: Vec<_> = named.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let expected = value(outcome, row[outcome].as_str().unwrap());
        assert_eq!(table.decide(&pairs).unwrap().outcome, expected, "{row}");
    }
    assert_eq!(mapping.len(), 72);
}

#[test]
fn every_fedramp_time_frame_is_reproduced() {
    let name = "every_fedramp_time_frame_is_reproduced";
    let Some(text) = vectors(name, "scoring/policy/fedramp_vdr_timeframes.csv") else { return };
    let mut count = 0;
    for line in text.lines().skip(1) {
        let cells: Vec<_> = line.split(',').collect();
        let (class, pain) = (Class::parse(cells[0]).unwrap(), Pain::parse(cells[1]).unwrap());
        for (likelihood, hours) in Likelihood::ALL.iter().zip(&cells[2..]) {
            let (found, decided) = fedramp_vdr::decide(class, pain, *likelihood).unwrap();
            assert_eq!(found, hours.parse::<u32>().unwrap(), "{line}");
            let pairs = [("likelihood", likelihood.as_str()), ("class", cells[0]), ("pain", cells[1])];
            assert_eq!(decided.table.decide(&pairs), Ok(decided));
            count += 1;
        }
    }
    assert_eq!(count, 48);
    assert_eq!(fedramp_vdr::decide(Class::D, Pain::One, Likelihood::LevIrv), None);
}

#[test]
fn every_sla_preset_is_reproduced() {
    let name = "every_sla_preset_is_reproduced";
    let Some(text) = vectors(name, "scoring/policy/sla_presets.csv") else { return };
    let mut stated = BTreeSet::new();
    for line in text.lines().skip(1) {
        let cells: Vec<_> = line.split(',').collect();
        let preset = sla::PRESETS.iter().find(|preset| preset.name == cells[0]).unwrap();
        assert_eq!(preset.revoked.is_some(), cells[4].contains("revoked"), "{line}");
        if preset.name == "bod_26_04" {
            assert_eq!(preset.table().id(), "cisa-bod-26-04");
            continue;
        }
        let severities = match cells[1].split_once("severity") {
            None => vec![None],
            Some((_, "=critical" | "=critical by 6.3.1 ranking")) => vec![Some(Severity::Critical)],
            Some((_, " in (critical|high) by 6.3.1 ranking")) => {
                vec![Some(Severity::Critical), Some(Severity::High)]
            }
            Some((_, other)) => vec![Severity::parse(&other[1..])],
        };
        let due = match (cells[2], cells[2].parse()) {
            (_, Ok(days)) => Due::Days(days),
            ("1 month", _) => Due::Months(1),
            ("kev.dueDate", _) => Due::KevDueDate,
            _ => panic!("{line}"),
        };
        for severity in severities {
            let mut pairs: Vec<_> = severity.iter().map(|severity| ("severity", severity.as_str())).collect();
            for (condition, column) in [("kev=yes", "kev"), ("internet_facing=yes", "internet_facing")] {
                if cells[1].contains(condition) {
                    pairs.push((column, "yes"));
                }
            }
            let decided = preset.table().decide(&pairs).unwrap();
            assert_eq!(Due::parse(decided.outcome), Some(due), "{line}");
            stated.insert((cells[0], decided.row));
        }
    }
    for preset in sla::PRESETS.iter().filter(|preset| preset.name != "bod_26_04") {
        for decided in preset.table().rows().map(|row| row.decide()) {
            let due = Due::parse(decided.outcome).unwrap();
            assert_eq!(due != Due::NoDate, stated.contains(&(preset.name, decided.row)), "{decided:?}");
        }
    }
}

#[test]
fn every_table_is_read_total_and_names_its_source() {
    let mut ids = BTreeSet::new();
    for table in tables::all() {
        assert!(ids.insert(table.id()), "{table}");
        assert!(!table.version().is_empty() && !table.title().is_empty() && !table.source().is_empty());
        let product: usize = table.columns().iter().map(|column| column.values().count()).product();
        let combinations: BTreeSet<Vec<_>> = table.rows().map(|row| row.pairs().collect()).collect();
        assert_eq!((combinations.len(), table.rows().count()), (product, product), "{table}");
        for (number, row) in (0..).zip(table.rows()) {
            assert_eq!(row.decide().row, number, "{table}");
        }
    }
}

/// Variants in the order of the column's values.
fn same(table: &Table, column: usize, variants: impl Iterator<Item = &'static str>) {
    let column = &table.columns()[column];
    assert!(column.values().eq(variants), "{table}: {}", column.header());
}

#[test]
fn typed_fronts_have_the_values_of_their_tables() {
    let table = |id: &str| tables::by_id(id).unwrap();
    macro_rules! columns {
        ($id:literal: $($point:ty),+) => {
            let mut at = 0;
            $(same(table($id), at, <$point>::ALL.iter().map(|value| value.as_str())); at += 1;)+
            assert_eq!(table($id).columns().len(), at);
        };
    }
    columns!("ssvc-deployer": Exploitation, SystemExposure, Automatable, HumanImpact);
    columns!("ssvc-human-impact": SafetyImpact, MissionImpact);
    columns!("ssvc-public-safety-impact": SafetyImpact);
    columns!("ssvc-utility": Automatable, ValueDensity);
    columns!("cisa-coordinator": Exploitation, Automatable, TechnicalImpact, MissionAndWellBeing);
    let vdr = table("fedramp-vdr-tfr-pvr");
    same(vdr, 0, Class::ALL.iter().map(|value| value.as_str()));
    // PAIN 1 has no time frame, and no row.
    same(vdr, 1, Pain::ALL.iter().filter(|pain| **pain != Pain::One).map(|value| value.as_str()));
    same(vdr, 2, Likelihood::ALL.iter().map(|value| value.as_str()));
    assert_eq!(vdr.columns().len(), 3);
    columns!("fedramp-rev5": Severity);
    columns!("pci-dss-4.0": Severity);
    columns!("pci-dss-4.0.1": Severity);
    same(table("cisa-bod-19-02"), 0, ["no", "yes"].into_iter());
    same(table("cisa-bod-19-02"), 1, Severity::ALL.iter().map(|value| value.as_str()));
    same(table("cisa-bod-22-01"), 0, ["no", "yes"].into_iter());
    for column in 0..3 {
        same(table("cisa-bod-26-04"), column, ["no", "yes"].into_iter());
    }
    same(table("cisa-bod-26-04"), 3, TechnicalImpact::ALL.iter().map(|value| value.as_str()));
    let outcomes = |id: &str, known: fn(&str) -> bool| {
        assert!(table(id).rows().all(|row| known(row.decide().outcome)), "{id}");
    };
    outcomes("ssvc-deployer", |text| DeployerPriority::parse(text).is_some());
    outcomes("cisa-coordinator", |text| Level::parse(text).is_some());
    outcomes("ssvc-human-impact", |text| HumanImpact::parse(text).is_some());
    outcomes("ssvc-public-safety-impact", |text| {
        tenon_risk::points::PublicSafetyImpact::parse(text).is_some()
    });
    outcomes("ssvc-utility", |text| tenon_risk::points::Utility::parse(text).is_some());
    outcomes("fedramp-vdr-tfr-pvr", |text| text.parse::<u32>().is_ok());
}

#[test]
fn fronts_decide_as_their_tables_do() {
    let human = ssvc::human_impact(SafetyImpact::Marginal, MissionImpact::MefFailure);
    assert_eq!(human, HumanImpact::Medium, "the table, where the prose of Human Impact 2.0.2 says high");
    let deployer = Deployer {
        exploitation: Exploitation::Active,
        exposure: SystemExposure::Open,
        automatable: Automatable::Yes,
        human_impact: HumanImpact::High,
    };
    let (outcome, decided) = deployer.decide();
    assert_eq!((outcome, decided.row), (DeployerPriority::Immediate, 70));
    let coordinator = Coordinator {
        exploitation: Exploitation::PublicPoc,
        automatable: Automatable::No,
        technical_impact: TechnicalImpact::Total,
        mission_and_well_being: MissionAndWellBeing::Medium,
    };
    let (outcome, decided) = coordinator.decide();
    assert_eq!((outcome, decided.row), (Level::TrackStar, 16));
    assert_eq!(ssvc::utility(Automatable::Yes, ValueDensity::Concentrated).as_str(), "super effective");
    assert_eq!(ssvc::public_safety_impact(SafetyImpact::Marginal).as_str(), "significant");
    assert_eq!(sla::fedramp_rev5(Severity::Moderate).0, Due::Days(90));
    assert_eq!(sla::bod_22_01(true).0, Due::KevDueDate);
    assert_eq!(sla::bod_19_02(true, Severity::High).0, Due::Days(30));
    assert_eq!(sla::bod_19_02(false, Severity::Critical).0, Due::NoDate);
    assert_eq!(sla::pci_dss_4_0(Severity::High).0, Due::Months(1));
    assert_eq!(sla::pci_dss_4_0_1(Severity::High).0, Due::NoDate);
}

#[test]
fn inputs_that_select_no_row_say_why() {
    let table = tables::by_id("ssvc-utility").unwrap();
    let refuse = |pairs: &[(&str, &str)]| table.decide(pairs).unwrap_err().to_string();
    assert_eq!(refuse(&[("Automatable", "no")]), "column Value Density v1.0.0 is missing");
    assert_eq!(
        refuse(&[("Automatable", "maybe")]),
        "column Automatable v2.0.0 has no value \"maybe\"; it has no, yes"
    );
    assert_eq!(refuse(&[("Weather", "no")]), "table ssvc-utility 1.0.0 has no column \"Weather\"");
    assert_eq!(
        refuse(&[("Automatable", "no"), ("Automatable v2.0.0", "no")]),
        "column Automatable v2.0.0 is given twice"
    );
}
