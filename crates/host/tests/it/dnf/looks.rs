//! What is seen of a host of RPM packages.

use tenon_fleet::{Advisory, Boot, Daemon, ToyPackage};
use tenon_model::{Capability, OfferState};

use crate::rpm_site::rpm_site;

#[test]
fn offers_of_dnf_are_told_with_what_advisories_say() {
    let test = "offers_of_dnf_are_told_with_what_advisories_say";
    let Some(site) = rpm_site(test, Boot::Full) else { return };
    let toy = |name: &str, version: &str| ToyPackage::new(name, version).daemon(Daemon::None);
    for name in ["fixed", "plain", "locked", "current"] {
        site.publish(&toy(name, "1.0"), &[]);
    }
    let install = "dnf -y -q install fixed plain locked current && dnf -q versionlock add locked";
    site.host.shell(install).unwrap().ok().unwrap();
    for (name, version) in [("fixed", "2.0"), ("fixed", "3.0"), ("plain", "2.0"), ("locked", "2.0")] {
        site.repository.add(&toy(name, version).build_rpm(site.lab.dir()).unwrap()).unwrap();
    }
    let advisory = |id: &str, security: bool, names: &[&str], package: &str| Advisory {
        id: id.to_owned(),
        security,
        vulnerabilities: names.iter().map(|name| (*name).to_owned()).collect(),
        package: package.to_owned(),
        version: "2.0".to_owned(),
    };
    let advisories = [
        advisory("TOYSA-2026:1", true, &["CVE-2099-0001", "CVE-2099-0002"], "fixed"),
        advisory("TOYBA-2026:2", false, &[], "plain"),
        advisory("TOYSA-2026:3", true, &[], "locked"),
    ];
    site.repository.publish(&advisories).unwrap();

    let inventory = site.inventory();
    assert!(inventory.facts.offers_known, "{:?}", inventory.facts.gaps);
    let offers: Vec<_> = inventory
        .facts
        .offers
        .iter()
        .map(|offer| {
            let claims: Vec<String> = offer.claims.iter().map(ToString::to_string).collect();
            (offer.package.as_str(), offer.candidate.as_str(), offer.security, offer.state, claims.join(" "))
        })
        .collect();
    let none = String::new;
    assert_eq!(
        offers,
        [
            ("fixed", "3.0-1", true, OfferState::Offered, "CVE-2099-0001 CVE-2099-0002".to_owned()),
            ("locked", "2.0-1", true, OfferState::Held, none()),
            ("plain", "2.0-1", false, OfferState::Offered, none()),
        ]
    );
    assert_eq!(inventory.facts.offers[0].source.name, "fixed");
    assert_eq!(inventory.facts.capability, Capability::Act);
    assert!(inventory.facts.index.oldest_age_seconds.is_some_and(|age| age < 600));

    // Another updater, which dnf has of its own.
    assert_eq!(inventory.facts.updaters, []);
    let enable = "mkdir -p /etc/systemd/system/timers.target.wants && printf '[commands]\\napply_updates = yes\\n' >/etc/dnf/automatic.conf \
                  && touch /etc/systemd/system/timers.target.wants/dnf-automatic.timer";
    site.host.shell(enable).unwrap().ok().unwrap();
    assert_eq!(site.inventory().facts.updaters[0].name, "dnf-automatic");

    // What takes effect only with a reboot.
    assert_eq!(inventory.facts.reboot_required_by, Vec::<String>::new());
    site.install(&toy("linux-firmware", "1.0"), "linux-firmware");
    assert_eq!(site.inventory().facts.reboot_required_by, ["linux-firmware"]);
    site.repository.publish(&advisories).unwrap();
    site.inventory();

    // A repository that does not answer is a gap, and what is known of it stays.
    site.host.cut().unwrap();
    site.host
        .shell("touch -d '1 day ago' /var/lib/tenon-agent/work/dnf/cache/*/repodata/repomd.xml")
        .unwrap()
        .ok()
        .unwrap();
    let cut: tenon_model::Inventory =
        crate::site::probe_on(&site.host, &["inventory", crate::site::WORK], "");
    assert_eq!(cut.facts.offers.len(), 3, "{:?}", cut.facts.gaps);
    assert!(cut.facts.gaps.iter().any(|gap| gap.contains("could not be refreshed")), "{:?}", cut.facts.gaps);

    // Another dnf is not spoken to, and the host is only looked at.
    site.host.shell("cp /usr/bin/dnf-3 /usr/bin/dnf5 && ln -sf dnf5 /usr/bin/dnf").unwrap().ok().unwrap();
    let fifth = site.inventory().facts;
    assert!(
        matches!(&fifth.capability, Capability::ObserveOnly { reason } if reason.contains("dnf 5")),
        "{:?}",
        fifth.capability
    );
    assert!(!fifth.offers_known);
}
