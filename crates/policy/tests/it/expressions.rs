//! Every field decides, every mistake has its place.

use tenon_policy::{AssetFacts, DirectiveFacts, Expression, Facts, Field, RehearsalFacts, Type};

pub(crate) fn directive() -> DirectiveFacts {
    DirectiveFacts {
        kev: true,
        ransomware: false,
        exploitation: "active",
        epss_percent: 42,
        foreseen_ppm: 1_000_000,
        vulnerabilities: vec!["CVE-2026-0001".to_owned(), "CVE-2026-0002".to_owned()],
        table: "cisa-bod-26-04 1.0.0".to_owned(),
        row: 3,
        outcome: "3 days".to_owned(),
        forensics: false,
        package: "openssl".to_owned(),
        version: "3.0.17-1~deb12u3".to_owned(),
        group: "web".to_owned(),
        assets: 12,
        advisory: true,
    }
}

pub(crate) fn asset() -> AssetFacts {
    AssetFacts {
        name: "web-1".to_owned(),
        environment: "staging",
        criticality: "high",
        exposure: "open",
        team: "shop".to_owned(),
        zone: "dmz".to_owned(),
        redundancy: "web".to_owned(),
        services: vec!["frontend".to_owned(), "cache".to_owned()],
        tags: vec!["pci".to_owned()],
        attacked: true,
        reach_ppm: 250_000,
    }
}

pub(crate) fn rehearsal() -> RehearsalFacts {
    RehearsalFacts {
        removed: 0,
        installed: 1,
        upgraded: 4,
        restarts: 2,
        reboot: false,
        undo: "proven",
        conflicts: 0,
        seconds: 17,
    }
}

fn holds(text: &str) -> Option<bool> {
    let expression = Expression::read(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let (directive, asset, rehearsal) = (directive(), asset(), rehearsal());
    let facts = Facts { directive: &directive, asset: &asset, rehearsal: Some(&rehearsal), unknown: &[] };
    expression.holds(&facts)
}

/// What holds of the facts above, one expression for each field at least, and its opposite does not.
pub(crate) const TRUE: &[&str] = &[
    "vulnerability.kev",
    "!vulnerability.ransomware",
    r#"vulnerability.exploitation == "active""#,
    "vulnerability.epss_percent >= 42 && vulnerability.epss_percent < 43",
    "vulnerability.foreseen_ppm >= 1000",
    r#""CVE-2026-0002" in vulnerability.ids"#,
    "vulnerability.ids.size() == 2",
    r#"decision.table.startsWith("cisa-bod-26-04")"#,
    "decision.row in [1, 2, 3]",
    r#"decision.outcome == "3 days""#,
    "decision.forensics == false",
    r#"directive.package in ["openssl", "curl"]"#,
    r#"directive.version.contains("deb12") && directive.version.endsWith('u3')"#,
    r#"directive.group != "db""#,
    "directive.assets <= 12",
    "directive.advisory ? directive.assets > 10 : false",
    r#"asset.name.startsWith("web-")"#,
    r#"asset.environment in ["staging", "test"]"#,
    r#"asset.criticality != "low""#,
    r#"asset.exposure == "open""#,
    r#"asset.team == "shop" && asset.zone == "dmz" && asset.redundancy == "web""#,
    r#"!("database" in asset.services)"#,
    r#""pci" in asset.tags || "none" in asset.tags"#,
    "asset.attacked && !vulnerability.ransomware",
    "asset.reach_ppm == 250000",
    "rehearsal.removed == 0 && rehearsal.installed == 1 && rehearsal.upgraded > 3",
    "rehearsal.restarts <= 2 && !rehearsal.reboot && rehearsal.conflicts < 1",
    r#"rehearsal.undo == "proven""#,
    "rehearsal.seconds < 60",
    "size(asset.services) > 1 && size(asset.team) == 4 && -1 < directive.assets",
    "true && !false && (false || true)",
    r#"(vulnerability.kev ? "a" : "b") == "a""#,
];

#[test]
fn every_field_decides() {
    for text in TRUE {
        assert_eq!(holds(text), Some(true), "{text}");
        assert_eq!(holds(&format!("!({text})")), Some(false), "not {text}");
    }
    let all = TRUE.join(" && ");
    for field in Field::ALL {
        assert!(all.contains(field.name), "{} stands in no example", field.name);
    }
}

#[test]
fn before_a_rehearsal_only_what_does_not_depend_on_it_is_known() {
    let (directive, asset) = (directive(), asset());
    let facts = Facts { directive: &directive, asset: &asset, rehearsal: None, unknown: &[] };
    for (text, known) in [
        ("rehearsal.removed == 0", None),
        ("!rehearsal.reboot", None),
        ("rehearsal.reboot || vulnerability.kev", Some(true)),
        ("rehearsal.reboot && vulnerability.ransomware", Some(false)),
        ("rehearsal.reboot && vulnerability.kev", None),
        ("vulnerability.kev ? true : rehearsal.reboot", Some(true)),
        (r#"rehearsal.undo in ["proven", "possible"]"#, None),
        ("directive.assets in [12, 13]", Some(true)),
    ] {
        assert_eq!(Expression::read(text).unwrap().holds(&facts), known, "{text}");
    }
}

/// A field that nobody knows decides nothing, whatever stands in its place.
#[test]
fn what_is_not_known_leaves_a_rule_open_and_is_named() {
    let (directive, asset, rehearsal) = (directive(), asset(), rehearsal());
    let known = Facts { directive: &directive, asset: &asset, rehearsal: Some(&rehearsal), unknown: &[] };
    for field in Field::ALL {
        let unknown = [field.name];
        let facts = Facts { unknown: &unknown, ..known };
        for text in TRUE {
            let expression = Expression::read(text).unwrap();
            if !expression.asks(field.name) {
                assert_eq!(expression.holds(&facts), Some(true), "{text} without {}", field.name);
            }
        }
        let alone = match field.of {
            Type::Bool => field.name.to_owned(),
            Type::Int => format!("{} > 0", field.name),
            Type::Text => format!("{} == 'x'", field.name),
            Type::Word(words) => format!("{} == {:?}", field.name, words[0]),
            Type::Texts => format!("size({}) > 0", field.name),
        };
        assert_eq!(Expression::read(&alone).unwrap().holds(&facts), None, "{alone}");
        assert!(Expression::read(&alone).unwrap().holds(&known).is_some(), "{alone}");
    }
    let policy = tenon_policy::read(
        "version: 1\nrules:\n  - name: small\n    when: directive.assets < 3\n    approval: automatic\n  \
         - name: one\n    when: directive.package == 'curl' && asset.team == 'shop' && vulnerability.kev\n    \
         approval: forbidden\n",
    )
    .unwrap();
    let unknown = ["directive.package", "decision.row"];
    let facts = Facts { unknown: &unknown, ..known };
    assert_eq!((policy.verdict(&facts), policy.missing(&facts)), (None, vec!["directive.package"]));
    assert_eq!(policy.missing(&known), [""; 0]);
    assert!(policy.verdict(&known).is_some());
}

#[test]
fn a_mistake_is_told_with_its_place() {
    for (text, at, reason) in [
        (
            "vulnerability.kevv",
            0,
            "there is no field `vulnerability.kevv`: did you mean `vulnerability.kev`?",
        ),
        ("directive.assets > 3 && asset.environmnt == 'test'", 24, "did you mean `asset.environment`?"),
        ("nonsense", 0, "there is no field `nonsense`; `docs/policy.md` lists them"),
        ("asset.environment == 'prodution'", 21, "\"prodution\" is never true here"),
        ("asset.environment == 'prodution'", 21, "did you mean \"production\"?"),
        ("asset.environment in ['test', 'produktion']", 21, "\"produktion\" is never true here"),
        ("vulnerability.epss_percent > 0.5", 29, "`0.5` is not a whole number"),
        ("directive.assets == 'many'", 20, "`==` compares one kind, not int and string"),
        ("directive.assets", 0, "a condition is true or false, and this is int"),
        ("asset.environment > 'test'", 20, "`>` does not compare one of"),
        ("asset.tags == 'pci'", 14, "`==` compares one kind, not list of strings and string"),
        ("asset.tags.contains('pci')", 0, "whether a list holds it is asked with `in`"),
        ("'pci' in asset.team", 9, "`in` asks whether a list holds something"),
        ("vulnerability.kev && directive.assets", 21, "what `&&` joins is true or false, and this is int"),
        ("!directive.assets", 1, "what `!` turns round is true or false, and this is int"),
        ("vulnerability.kev &", 18, "'&' means nothing here"),
        ("(vulnerability.kev", 18, "`)` is expected here, not the end"),
        ("vulnerability.kev vulnerability.kev", 18, "`vulnerability` does not continue the expression"),
        ("directive.assets + 1 > 2", 17, "'+' means nothing here"),
        ("vulnerability.ids.exists(id, id == 'x')", 18, "`exists` is not known of list of strings"),
        ("matches(asset.name, 'x')", 0, "there is no function `matches`"),
        ("asset.name.startWith('x')", 11, "did you mean `startsWith`?"),
        ("asset.name == 'web", 14, "does not end"),
        (r"asset.name == '\q'", 15, "of the escapes"),
        ("1 < directive.assets < 3", 21, "a second comparison"),
        ("decision.row in [1, 'two']", 20, "a list holds one kind, not int and string"),
        ("", 0, "the expression ends"),
        ("99999999999999999999 > decision.row", 0, "is not a whole number"),
    ] {
        let error = Expression::read(text).expect_err(text);
        assert_eq!(error.at, at, "{text}: {}", error.reason);
        assert!(error.reason.contains(reason), "{text}: {}", error.reason);
    }
}

#[test]
fn what_is_too_deep_or_too_long_is_refused() {
    let deep = format!("{}true{}", "(".repeat(100), ")".repeat(100));
    assert!(Expression::read(&deep).unwrap_err().reason.contains("nested deeper than 32"));
    let turned = format!("{}true", "!".repeat(1_500));
    assert!(Expression::read(&turned).unwrap_err().reason.contains("nested deeper than 32"));
    let long = vec!["vulnerability.kev"; 200].join(" && ");
    assert!(Expression::read(&long).unwrap_err().reason.contains("more than the 2000 accepted"));
    // A long chain is no deep one.
    assert_eq!(holds(&vec!["vulnerability.kev"; 90].join(" && ")), Some(true));
}

#[test]
fn the_documentation_lists_every_field() {
    let row = |field: &Field| {
        let of = match field.of {
            Type::Word(words) => {
                words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ")
            }
            of => of.to_string(),
        };
        format!("| `{}` | {of} | {} |\n", field.name, field.meaning)
    };
    let table: String = Field::ALL.iter().map(row).collect();
    let text = include_str!("../../../../docs/policy.md");
    assert!(text.contains(&table), "the table of fields in docs/policy.md should be:\n{table}");
}
