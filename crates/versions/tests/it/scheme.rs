use tenon_versions::Scheme;

use crate::support::vector;

const NAMES: [(Scheme, &[&str]); 5] = [
    (Scheme::Dpkg, &["Debian", "Ubuntu"]),
    (
        Scheme::Rpm,
        &[
            "AlmaLinux",
            "Azure Linux",
            "Mageia",
            "Photon OS",
            "Red Hat",
            "Rocky Linux",
            "SUSE",
            "openEuler",
            "openSUSE",
        ],
    ),
    (Scheme::Apk, &["Alpaquita", "Alpine", "BellSoft Hardened Containers", "Chainguard", "MinimOS", "Wolfi"]),
    (Scheme::Semver, &["Go", "crates.io", "npm"]),
    (Scheme::Pep440, &["PyPI"]),
];

#[test]
fn ecosystems_are_spelt_as_the_schema_spells_them() {
    let test = "ecosystems_are_spelt_as_the_schema_spells_them";
    let Some(text) = vector(test, "osv/ecosystems.json") else { return };
    // The file is one object of strings; a name is what stands in quotes before the first colon of a line.
    let listed: Vec<&str> =
        text.lines().filter_map(|line| line.trim().strip_prefix('"')?.split('"').next()).collect();
    assert!(listed.len() >= 48, "only {} ecosystems read", listed.len());
    let known: Vec<&str> = NAMES.iter().flat_map(|(_, names)| *names).copied().collect();
    for name in &known {
        assert!(listed.contains(name), "{name} is not an ecosystem of the schema");
    }
    for name in &listed {
        assert_eq!(Scheme::of_osv_ecosystem(name).is_some(), known.contains(name), "{name}");
    }
    println!("measured: OSV ecosystems: {} of {} have an exact order", known.len(), listed.len());
}

#[test]
fn an_ecosystem_has_its_scheme_with_and_without_a_release() {
    for (scheme, names) in NAMES {
        for name in names {
            assert_eq!(Scheme::of_osv_ecosystem(name), Some(scheme));
            assert_eq!(Scheme::of_osv_ecosystem(&format!("{name}:Pro:18.04:LTS")), Some(scheme));
            assert_eq!(
                Scheme::of_osv_ecosystem(&name.to_uppercase()),
                Some(scheme).filter(|_| *name == "SUSE")
            );
        }
    }
}

#[test]
fn what_has_no_exact_order_is_not_assessed() {
    for name in [
        "",
        ":",
        "Maven",
        "RubyGems",
        "NuGet",
        "Packagist",
        "Hex",
        "Pub",
        "CRAN",
        "Hackage",
        "Linux",
        "Root:Debian:12",
    ] {
        assert_eq!(Scheme::of_osv_ecosystem(name), None, "{name}");
    }
}
