//! Regulations from files: what they say, and what is wrong with them.

use proptest::prelude::*;
use tenon_model::{
    Automatable, Exploitation, HumanImpact, MissionAndWellBeing, SystemExposure, TechnicalImpact, Timestamp,
};
use tenon_risk::regulation::{Answer, Asked, Regulation, Regulations, Start};
use tenon_risk::sla::{Due, Severity};

const EXAMPLE: &str = include_str!("../../../../docs/examples/regulation-acme.csv");
const HEAD: &str =
    "# id: ours\n# version: 1\n# title: T\n# source: S\n# effective: 2027-01-01\n# from: raised\n";

fn asked() -> Asked {
    Asked {
        in_kev: Answer::No,
        attacked: Answer::No,
        exploitation: Exploitation::None,
        severity: Severity::Low,
        automatable: Automatable::No,
        technical_impact: TechnicalImpact::Partial,
        exposure: SystemExposure::Small,
        human_impact: HumanImpact::Low,
        mission: MissionAndWellBeing::Low,
    }
}

#[test]
fn the_documented_file_says_what_it_says() {
    let manual = include_str!("../../../../docs/regulations.md");
    assert!(manual.contains(EXAMPLE), "the manual shows the example");
    let acme = Regulation::read(EXAMPLE).unwrap();
    assert_eq!(acme.effective(), Timestamp::parse("2027-01-01").unwrap());
    assert_eq!((acme.start(), acme.replaces().count()), (Start::Raised, 0));
    let due = |exploitation, exposure| {
        let (due, decided) = acme.decide(&Asked { exploitation, exposure, ..asked() });
        (due, decided.row)
    };
    assert_eq!(due(Exploitation::Active, SystemExposure::Open), (Due::Hours(24), 0));
    assert_eq!(due(Exploitation::Active, SystemExposure::Controlled), (Due::Days(3), 1));
    assert_eq!(due(Exploitation::PublicPoc, SystemExposure::Open), (Due::Days(7), 2));
    assert_eq!(due(Exploitation::None, SystemExposure::Open), (Due::Months(1), 4));
    assert_eq!(due(Exploitation::None, SystemExposure::Small), (Due::Months(3), 5));
}

#[test]
fn every_documented_column_is_known_with_all_its_values() {
    let manual = include_str!("../../../../docs/regulations.md");
    let columns = manual.split("| column | values |").nth(1).unwrap().lines().skip(2);
    let mut seen = 0;
    for line in columns.take_while(|line| line.starts_with('|')) {
        let mut quoted = line.split('`').skip(1).step_by(2);
        let (name, values) = (quoted.next().unwrap(), quoted.collect::<Vec<_>>());
        let rows: String = values
            .iter()
            .enumerate()
            .map(|(row, value)| format!("{row},{value},{} days\n", row + 1))
            .collect();
        let text = format!("{HEAD}row,{name} v1.0.0,due\n{rows}");
        let regulation = Regulation::read(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(matches!(regulation.decide(&asked()).0, Due::Days(1..)), "{name}");
        let few: String = rows.lines().skip(1).map(|row| format!("{row}\n")).collect();
        let why = Regulation::read(&format!("{HEAD}row,{name},due\n{few}")).unwrap_err().to_string();
        assert!(values.len() == 1 || why.contains(values[0]), "{name}: {why}");
        seen += 1;
    }
    assert_eq!(seen, 10);
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let table = "row,In KEV,due\n0,no,30 days\n1,yes,3 days\n";
    let fine = format!("{HEAD}{table}");
    assert!(Regulation::read(&fine).is_ok());
    for (from, to, said) in [
        ("# id: ours", "# id: Ours", "its id \"Ours\" is not 1 to 64 lower-case letters"),
        ("# id: ours", "# id: cisa-bod-26-04", "that of a published table"),
        ("# version: 1", "# version: one two", "its version \"one two\""),
        ("# effective: 2027-01-01\n", "", "no line \"# effective: "),
        ("2027-01-01", "1 January", "a day as in 2027-01-01"),
        ("2027-01-01", "2027-02-30", "a day as in 2027-01-01"),
        ("2027-01-01", "2027-01-01T10:00:00Z", "a day as in 2027-01-01"),
        ("# from: raised", "# from: birth", "one of raised, listed, released"),
        ("# from: raised", "# from: raised\n# replaces: bod-99", "one of bod-26-04, bod-22-01"),
        ("In KEV", "Weather", "nothing is known for the column \"Weather\"; there are In KEV"),
        ("1,yes,3 days\n", "", "the column In KEV has the values no, yes"),
        ("1,yes,3 days", "1,maybe,3 days", "the column In KEV has the values no, yes"),
        ("1,yes,3 days", "1,yes,soon", "the outcome \"soon\""),
        ("1,yes,3 days", "1,yes,kev.dueDate", "the outcome \"kev.dueDate\""),
        ("1,yes,3 days", "1,no,3 days", "repeats a combination"),
    ] {
        let text = fine.replacen(from, to, 1);
        assert_ne!(text, fine, "{from}");
        let why = Regulation::read(&text).unwrap_err().to_string();
        assert!(why.contains(said), "{to}: {why}");
    }
    let long = Regulation::read(&format!("{HEAD}{}{table}", "# more: words\n".repeat(4_000))).unwrap_err();
    assert!(long.to_string().contains("at most 32768"), "{long}");
}

#[test]
fn of_several_versions_the_one_that_was_in_effect_counts() {
    let day = |text: &str| Timestamp::parse(text).unwrap();
    let version = |version: u32, effective: &str, replaces: &str| {
        HEAD.replace("version: 1", &format!("version: {version}")).replace("2027-01-01", effective)
            + replaces
            + "row,In KEV,due\n0,no,30 days\n1,yes,3 days\n"
    };
    let (one, two) = (version(1, "2027-01-01", "# replaces: bod-26-04\n"), version(2, "2027-06-01", ""));
    let both = Regulations::read([two.as_str(), one.as_str()]).unwrap();
    let counting =
        |at: &str| both.counting(day(at)).map(|one| one.table().version().to_owned()).collect::<Vec<_>>();
    assert_eq!(counting("2026-12-31"), Vec::<String>::new());
    assert_eq!(counting("2027-01-01"), ["1"]);
    assert_eq!(counting("2027-05-31"), ["1"]);
    assert_eq!(counting("2027-06-01"), ["2"]);
    let replaces = |at: &str| both.replace(tenon_model::ClockRule::Bod2604, day(at));
    assert_eq!(
        (replaces("2026-12-31"), replaces("2027-01-01"), replaces("2027-06-01")),
        (false, true, false)
    );
    let same_day = version(3, "2027-06-01", "");
    assert!(Regulations::read([two.as_str(), same_day.as_str()]).is_err());
    let many: Vec<String> = (1..=33).map(|at| version(at, &format!("{}-01-01", 2000 + at), "")).collect();
    let why = Regulations::read(many.iter().map(String::as_str)).unwrap_err().to_string();
    assert!(why.starts_with("33 regulations"), "{why}");
}

proptest! {
    #[test]
    fn no_text_makes_reading_a_regulation_panic(text in "(# (id|version|title|source|effective|from|replaces): [a-z0-9-]{0,12}\n){0,7}[row,0-9a-zA-Z \"\n]*") {
        if let Ok(regulation) = Regulation::read(&text) {
            let _ = regulation.decide(&asked());
        }
    }
}
