//! BOD 26-04, the front that decides due dates.

use tenon_risk::bod_26_04::{Inputs, TABLE, TechnicalImpact, decide};
use tenon_risk::tables::by_id;

use crate::vectors;

#[test]
fn bod_26_04_equals_the_published_table_row_by_row() {
    let name = "bod_26_04_equals_the_published_table_row_by_row";
    let Some(table) = vectors(name, "scoring/ssvc/cisa_bod_26_04_1_0_0.csv") else { return };
    let mut rows = 0;
    let mut forensics = Vec::new();
    for line in table.lines().skip(1) {
        let cells: Vec<_> = line.split(',').collect();
        let row = decide(Inputs {
            in_kev: cells[1] == "yes",
            publicly_exposed: cells[2] == "yes",
            automatable: cells[3] == "yes",
            technical_impact: TechnicalImpact::parse(cells[4]).unwrap(),
        });
        assert_eq!((row.number.to_string().as_str(), row.outcome), (cells[0], cells[5]), "{line}");
        let days = match cells[5] {
            "fix on system upgrade" => None,
            text => Some(text.split(' ').next().unwrap().parse().unwrap()),
        };
        assert_eq!(row.days, days, "{line}");
        if row.forensics {
            forensics.push(row.number);
        }
        rows += 1;
    }
    assert_eq!(rows, 16);
    assert_eq!(forensics, [12, 13, 15]);
}

#[test]
fn the_name_shown_with_decisions_is_that_of_the_table() {
    assert_eq!(by_id("cisa-bod-26-04").unwrap().to_string(), TABLE);
}
