//! BOD 26-04, the front that decides due dates.

use tenon_risk::bod_26_04::{Inputs, TechnicalImpact, asks_for_forensics};
use tenon_risk::sla::Due;

use crate::vectors;

#[test]
fn bod_26_04_equals_the_published_table_row_by_row() {
    let name = "bod_26_04_equals_the_published_table_row_by_row";
    let Some(table) = vectors(name, "scoring/ssvc/cisa_bod_26_04_1_0_0.csv") else { return };
    let mut rows = 0;
    let mut forensics = Vec::new();
    for line in table.lines().skip(1) {
        let cells: Vec<_> = line.split(',').collect();
        let inputs = Inputs {
            in_kev: cells[1] == "yes",
            publicly_exposed: cells[2] == "yes",
            automatable: cells[3] == "yes",
            technical_impact: TechnicalImpact::parse(cells[4]).unwrap(),
        };
        let decided = inputs.table_inputs().decide();
        assert_eq!((decided.row.to_string().as_str(), decided.outcome), (cells[0], cells[5]), "{line}");
        let due = match cells[5] {
            "fix on system upgrade" => Due::NoDate,
            text => Due::Days(text.split(' ').next().unwrap().parse().unwrap()),
        };
        assert_eq!(Due::parse(decided.outcome), Some(due), "{line}");
        if asks_for_forensics(decided.outcome) {
            forensics.push(decided.row);
        }
        rows += 1;
    }
    assert_eq!(rows, 16);
    assert_eq!(forensics, [12, 13, 15]);
}
