//! A regulation is checked, adopted, explained where it counts, and withdrawn.

use tenon_server::{DirectiveView, LogPage, RegulationView, VulnerabilityView};

use crate::played::Played;

const ABOUT: &str = "DEMO-2026-4471";
const TEXT: &str = "# id: harbour\n# version: 1\n# title: Harbour\n# source: the port authority\n\
    # effective: 2026-01-01\n# from: raised\nrow,Exploitation,due\n0,none,2 hours\n1,public poc,2 hours\n2,active,1 hour\n";

#[test]
fn a_regulation_is_adopted_from_one_file_and_explained_where_it_counts() {
    let folder = tempfile::tempdir().unwrap();
    let played = Played::begin(&folder.path().join("demo"));
    // The story waits for its visitor.
    played.part(6);
    let file = folder.path().join("harbour.csv");
    let path = file.to_str().unwrap();
    let fails = |words: &[&str]| {
        let output = played.run(words);
        assert!(!output.status.success(), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    // What is wrong is said with the file, before any server is asked.
    std::fs::write(&file, TEXT.replace("1 hour\n", "soon\n")).unwrap();
    for word in ["check", "adopt"] {
        let said = fails(&["regulation", word, path]);
        assert!(said.contains("harbour.csv") && said.contains("the outcome \"soon\" is none of"), "{said}");
    }
    std::fs::write(&file, TEXT).unwrap();
    let line = "harbour 1 (Harbour): 3 rows over Exploitation; counts from when it was raised, for what is raised from 2026-01-01 on";
    assert_eq!(played.ok(&["regulation", "check", path]).trim(), line);
    assert_eq!(played.ok(&["regulation", "list"]).trim(), "no regulation was adopted");

    let view = played.get::<VulnerabilityView>(&format!("vulnerabilities/{ABOUT}"));
    let directive = view.directives.first().unwrap().clone();
    let shown = || played.get::<DirectiveView>(&format!("directives/{directive}"));
    let before = shown();
    assert_eq!(played.ok(&["regulation", "adopt", path]).trim(), format!("adopted: {line}"));
    let after = shown();
    assert_eq!(after.clocks.len(), before.clocks.len() + 1);
    assert_eq!(after.clocks[0].rule, "harbour 1");
    assert_eq!(after.due.as_deref(), Some(after.clocks[0].due.as_str()));
    let told = played.ok(&["why", &directive]);
    assert!(told.contains(&format!("by row {} of harbour 1 (", after.clocks[0].row)), "{told}");

    // It is kept as it was written, and stays where other published rules are chosen.
    played.ok(&["rules", "--table", "bod-26-04", "--clock", "bod-26-04,pci-dss-4.0.1"]);
    assert_eq!(played.ok(&["regulation", "show", "harbour", "1"]), TEXT);
    let listed: Vec<RegulationView> =
        serde_json::from_str(&played.ok(&["--format", "json", "regulation", "list"])).unwrap();
    assert_eq!((listed.len(), listed[0].text.as_str(), listed[0].rows), (1, TEXT, 3));
    assert!(fails(&["regulation", "adopt", path]).contains("harbour is there twice"));

    let log = played.get::<LogPage>("log?kind=rules-set&limit=500");
    let said = &log.items.first().unwrap().said;
    assert!(said.ends_with("and regulations: harbour 1") && !said.contains("port authority"), "{said}");

    let said = played.ok(&["regulation", "withdraw", "harbour", "1"]);
    assert!(said.starts_with("harbour 1 is withdrawn"), "{said}");
    assert!(shown().clocks.iter().all(|clock| clock.rule != "harbour 1"));
    assert!(fails(&["regulation", "withdraw", "harbour", "1"]).contains("was adopted"));
    assert!(fails(&["regulation", "show", "harbour", "1"]).contains("`tenon regulation list` names"));
}
