//! The tables against the published ones.

use std::path::PathBuf;

use tenon_risk::bod_26_04::{Inputs, TechnicalImpact, decide};

fn shared() -> Option<PathBuf> {
    let root = std::env::var_os("TENON_SHARED")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    root.join("vectors").is_dir().then_some(root)
}

#[test]
fn bod_26_04_equals_the_published_table_row_by_row() {
    let Some(root) = shared() else {
        eprintln!("skipped: bod_26_04_equals_the_published_table_row_by_row: no shared data");
        return;
    };
    let table = std::fs::read_to_string(root.join("vectors/scoring/ssvc/cisa_bod_26_04_1_0_0.csv")).unwrap();
    let mut rows = 0;
    for line in table.lines().skip(1) {
        let cells: Vec<_> = line.split(',').collect();
        let row = decide(Inputs {
            in_kev: cells[1] == "yes",
            publicly_exposed: cells[2] == "yes",
            automatable: cells[3] == "yes",
            technical_impact: if cells[4] == "total" { TechnicalImpact::Total } else { TechnicalImpact::Partial },
        });
        assert_eq!((row.number.to_string().as_str(), row.outcome), (cells[0], cells[5]), "{line}");
        assert_eq!(row.days.map(|days| cells[5].starts_with(&days.to_string())), row.days.map(|_| true), "{line}");
        rows += 1;
    }
    assert_eq!(rows, 16);
}
