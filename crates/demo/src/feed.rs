//! The advisories of the demonstration. Every id begins with `DEMO`, and no package of them exists.

use tenon_model::{
    Advisory, Affected, AffectedRange, Automatable, Exploitation, IdError, IntelDelta, Kev, Probability,
    Profile, Ssvc, TechnicalImpact, Timestamp, VulnerabilityId,
};

use crate::packages::{Package, invented};

/// One advisory.
#[derive(Debug)]
pub(crate) struct Bulletin {
    pub(crate) id: &'static str,
    pub(crate) source: &'static str,
    pub(crate) says: &'static str,
    pub(crate) vulnerabilities: &'static [&'static str],
    /// EPSS, in parts per million.
    pub(crate) epss: u32,
    /// What CISA would state of its vulnerabilities.
    pub(crate) stated: Stated,
    /// How many days before the visitor comes it is published; 0 is the story's own.
    pub(crate) days_before: u32,
}

/// Whether an attack can be automated, and whether it gains everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stated {
    ByHandForLittle,
    ByHandForAll,
    AloneForAll,
}

/// The one that the story is about.
pub(crate) const HERO: &str = "DEMO-SA-2026-0113";
/// The vulnerability of it that is found to be exploited.
pub(crate) const HERO_VULNERABILITY: &str = "DEMO-2026-4471";
/// The source package of it.
pub(crate) const HERO_SOURCE: &str = "lanternd";
/// The source package whose rollout is under way when the visitor comes.
pub(crate) const DATA_SOURCE: &str = "quillsql-15";

const fn bulletin(
    id: &'static str,
    source: &'static str,
    says: &'static str,
    vulnerabilities: &'static [&'static str],
    epss: u32,
    stated: Stated,
    days_before: u32,
) -> Bulletin {
    Bulletin { id, source, says, vulnerabilities, epss, stated, days_before }
}

/// All, in the order in which they are published.
pub(crate) const BULLETINS: &[Bulletin] = &[
    bulletin(
        "DEMO-SA-2026-0101",
        "vellum",
        "crafted documents run code",
        &["DEMO-2026-3902", "DEMO-2026-3905"],
        31_000,
        Stated::ByHandForLittle,
        9,
    ),
    bulletin(
        "DEMO-SA-2026-0102",
        "cinderlog",
        "a long line stops the daemon",
        &["DEMO-2026-3911"],
        4_200,
        Stated::ByHandForLittle,
        8,
    ),
    bulletin(
        "DEMO-SA-2026-0103",
        "kestrel-runtime",
        "several weaknesses of the sandbox",
        &["DEMO-2026-3920", "DEMO-2026-3921", "DEMO-2026-3924"],
        9_800,
        Stated::ByHandForLittle,
        7,
    ),
    bulletin(
        "DEMO-SA-2026-0105",
        "osprey-vpn",
        "a handshake is accepted without a certificate",
        &["DEMO-2026-4012"],
        88_000,
        Stated::AloneForAll,
        6,
    ),
    bulletin(
        "DEMO-SA-2026-0106",
        "pebble-image",
        "images write past the end of a buffer",
        &["DEMO-2026-4033"],
        15_500,
        Stated::ByHandForLittle,
        5,
    ),
    bulletin(
        "DEMO-SA-2026-0108",
        "tallyq",
        "messages of others can be read",
        &["DEMO-2026-4090"],
        2_900,
        Stated::ByHandForLittle,
        4,
    ),
    bulletin(
        "DEMO-SA-2026-0109",
        "brassmail",
        "headers end up in a shell",
        &["DEMO-2026-4101", "DEMO-2026-4102"],
        120_000,
        Stated::ByHandForAll,
        3,
    ),
    bulletin(
        "DEMO-SA-2026-0111",
        "harrow-runtime",
        "a container writes outside its root",
        &["DEMO-2026-4207"],
        21_000,
        Stated::ByHandForLittle,
        2,
    ),
    bulletin(
        "DEMO-SA-2026-0112",
        DATA_SOURCE,
        "an ordinary user becomes its superuser",
        &["DEMO-2026-4330"],
        17_000,
        Stated::ByHandForLittle,
        1,
    ),
    bulletin(
        HERO,
        HERO_SOURCE,
        "requests are smuggled past its access rules",
        &[HERO_VULNERABILITY, "DEMO-2026-4472"],
        6_300,
        Stated::ByHandForAll,
        0,
    ),
];

/// The version that mends a package: an update of the same upstream version.
pub(crate) fn mended(package: &Package) -> String {
    format!("{}+demo1", package.version)
}

impl Bulletin {
    /// As a feed would tell it.
    pub(crate) fn advisory(&self, published: Timestamp) -> Result<Advisory, IdError> {
        let fixed = invented(self.source).map(mended);
        let affected = |ecosystem: &str| Affected {
            ecosystem: ecosystem.to_owned(),
            package: self.source.to_owned(),
            module: None,
            ranges: vec![AffectedRange { introduced: None, fixed: fixed.clone(), last_affected: None }],
            versions: Vec::new(),
        };
        Ok(Advisory {
            id: self.id.parse()?,
            summary: format!("{}: {} (invented, for the demonstration)", self.source, self.says),
            published: Some(published),
            addresses: self.ids()?,
            affected: vec![affected("Debian:12"), affected("Ubuntu:24.04:LTS")],
        })
    }

    fn ids(&self) -> Result<Vec<VulnerabilityId>, IdError> {
        self.vulnerabilities.iter().map(|id| id.parse()).collect()
    }

    /// Its scores.
    pub(crate) fn scores(&self, scored: Timestamp) -> Result<IntelDelta, IdError> {
        let score = Probability::from_ppm(self.epss).unwrap_or(Probability::ONE);
        let scores = self.ids()?.into_iter().map(|id| (id, score)).collect();
        Ok(IntelDelta::Epss { model: "demo".to_owned(), scored, scores, dropped: Vec::new() })
    }

    /// What is stated of its vulnerabilities.
    pub(crate) fn profiles(&self, decided: Timestamp) -> Result<IntelDelta, IdError> {
        let (automatable, technical_impact) = match self.stated {
            Stated::ByHandForLittle => (Automatable::No, TechnicalImpact::Partial),
            Stated::ByHandForAll => (Automatable::No, TechnicalImpact::Total),
            Stated::AloneForAll => (Automatable::Yes, TechnicalImpact::Total),
        };
        let ssvc = Ssvc {
            exploitation: Some(Exploitation::None),
            automatable: Some(automatable),
            technical_impact: Some(technical_impact),
            decided: Some(decided),
        };
        let profile = Profile { ssvc: Some(ssvc), ..Profile::default() };
        let stated = self.ids()?.into_iter().map(|id| (id, profile.clone())).collect();
        Ok(IntelDelta::Profile { stated, dropped: Vec::new() })
    }
}

/// That the story's vulnerability is exploited somewhere.
pub(crate) fn exploited(added: Timestamp) -> Result<IntelDelta, IdError> {
    let kev = Kev { added, due: None, ransomware: false };
    Ok(IntelDelta::Kev { listed: vec![(HERO_VULNERABILITY.parse()?, kev)], retracted: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_says_that_it_is_invented_and_every_package_is() {
        for bulletin in BULLETINS {
            let advisory = bulletin.advisory(Timestamp::from_millis(0)).unwrap();
            let ids = advisory.addresses.iter().chain([&advisory.id]);
            assert!(ids.map(ToString::to_string).all(|id| id.starts_with("DEMO-")), "{advisory:?}");
            assert!(invented(bulletin.source).is_some(), "{bulletin:?}");
        }
        assert!(BULLETINS.is_sorted_by_key(|bulletin| std::cmp::Reverse(bulletin.days_before)));
    }
}
