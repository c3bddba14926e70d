//! What is known of one vulnerability on assets of one context, each with its source, and what is assumed instead.

use tenon_model::{
    AssetContext, Automatable, Basis, Exploitation, HumanImpact, Intel, MissionAndWellBeing, Probability,
    SystemExposure, TechnicalImpact, Timestamp, VulnerabilityId,
};
use tenon_risk::cvss::{self, Cvss};
use tenon_risk::sla::Severity;

/// Threat of a vulnerability that no feed scores, in parts per million: about the median EPSS score.
const UNSCORED_THREAT_PPM: u32 = 1_000;

/// A value with its reason.
#[derive(Debug, Clone)]
pub(crate) struct Known<T> {
    pub(crate) value: T,
    pub(crate) basis: Basis,
    /// Nothing is known: this was assumed.
    pub(crate) assumed: bool,
}

impl<T> Known<T> {
    fn stated(value: T, fact: String, source: &str, as_of: Option<Timestamp>) -> Self {
        Self { value, basis: Basis { fact, source: source.to_owned(), as_of }, assumed: false }
    }

    fn assumed(value: T, fact: &str) -> Self {
        let basis = Basis { fact: fact.to_owned(), source: "assumed".to_owned(), as_of: None };
        Self { value, basis, assumed: true }
    }
}

/// How far an attacker must be, from the CVSS metric attack vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Distance {
    Network,
    Adjacent,
    Local,
    Physical,
}

/// One vulnerability on assets of one context.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) vulnerability: VulnerabilityId,
    pub(crate) in_kev: Known<bool>,
    pub(crate) exploitation: Known<Exploitation>,
    pub(crate) automatable: Known<Automatable>,
    pub(crate) technical_impact: Known<TechnicalImpact>,
    pub(crate) severity: Known<Severity>,
    pub(crate) distance: Known<Distance>,
    pub(crate) exposure: Known<SystemExposure>,
    pub(crate) human_impact: Known<HumanImpact>,
    pub(crate) mission: Known<MissionAndWellBeing>,
    /// Probability of exploitation in 30 days.
    pub(crate) threat: Known<Probability>,
    /// When it was listed in KEV, and the date that the catalogue sets.
    pub(crate) kev: Option<(Timestamp, Option<Timestamp>)>,
}

impl Facts {
    pub(crate) fn of(id: &VulnerabilityId, intel: &Intel, context: AssetContext) -> Self {
        let ssvc = intel.profile.ssvc.as_ref();
        let decided = ssvc.and_then(|ssvc| ssvc.decided);
        let by_cisa = "CISA, in the CVE record";
        let vector = intel.profile.cvss.as_ref();
        let parsed: Option<Cvss> = vector.and_then(|cvss| cvss.vector.parse().ok());
        let by_vector = |text: String| {
            let source = vector.map(|cvss| cvss.source.as_str()).unwrap_or_default();
            (format!("{text} by {}", vector.map_or("", |cvss| cvss.vector.as_str())), source.to_owned())
        };
        Self {
            vulnerability: id.clone(),
            in_kev: match &intel.kev {
                Some(kev) => Known::stated(
                    true,
                    format!("{id} is exploited somewhere: listed in KEV"),
                    "kev",
                    Some(kev.added),
                ),
                None => Known::stated(false, format!("{id} is not listed in KEV"), "kev", None),
            },
            exploitation: exploitation(id, intel),
            automatable: match ssvc.and_then(|ssvc| ssvc.automatable) {
                Some(value) => Known::stated(value, format!("{id}: automatable {value}"), by_cisa, decided),
                None => Known::assumed(Automatable::Yes, "automatable: no record says otherwise"),
            },
            technical_impact: match ssvc.and_then(|ssvc| ssvc.technical_impact) {
                Some(value) => {
                    Known::stated(value, format!("{id}: technical impact {value}"), by_cisa, decided)
                }
                None => {
                    Known::assumed(TechnicalImpact::Total, "technical impact total: no record says otherwise")
                }
            },
            severity: match parsed {
                Some(parsed) => {
                    let scores = parsed.scores();
                    let value = match scores.severity {
                        cvss::Severity::Critical => Severity::Critical,
                        cvss::Severity::High => Severity::High,
                        cvss::Severity::Medium => Severity::Moderate,
                        cvss::Severity::Low | cvss::Severity::None => Severity::Low,
                    };
                    let (fact, source) = by_vector(format!("{id}: CVSS {}", scores.score));
                    Known::stated(value, fact, &source, None)
                }
                None => Known::assumed(Severity::High, "severity high: no CVSS vector is stated"),
            },
            distance: match parsed.and_then(|parsed| distance(&parsed)) {
                Some(value) => {
                    let (fact, source) = by_vector(format!("{id}: attack vector {value:?}").to_lowercase());
                    Known::stated(value, fact, &source, None)
                }
                None => Known::assumed(Distance::Network, "attack vector network: no CVSS vector is stated"),
            },
            exposure: match context.exposure {
                Some(value) => by_owner(value, format!("exposure {value}")),
                None => Known::assumed(
                    SystemExposure::Controlled,
                    "not publicly exposed: no owner confirmed exposure",
                ),
            },
            human_impact: match context.human_impact {
                Some(value) => by_owner(value, format!("human impact {value}")),
                None => Known::assumed(HumanImpact::Medium, "human impact medium: no owner stated any"),
            },
            mission: match context.mission {
                Some(value) => by_owner(value, format!("mission and well-being impact {value}")),
                None => Known::assumed(
                    MissionAndWellBeing::Medium,
                    "mission and well-being impact medium: no owner stated any",
                ),
            },
            threat: threat(id, intel),
            kev: intel.kev.as_ref().map(|kev| (kev.added, kev.due)),
        }
    }
}

fn by_owner<T>(value: T, fact: String) -> Known<T> {
    Known::stated(value, fact, "the asset's context", None)
}

fn exploitation(id: &VulnerabilityId, intel: &Intel) -> Known<Exploitation> {
    let listed = intel.kev.as_ref().map(|kev| {
        let fact = format!("{id}: exploitation active, listed in KEV");
        Known::stated(Exploitation::Active, fact, "kev", Some(kev.added))
    });
    let by_cisa = intel.profile.ssvc.as_ref().and_then(|ssvc| {
        let value = ssvc.exploitation?;
        Some(Known::stated(
            value,
            format!("{id}: exploitation {value}"),
            "CISA, in the CVE record",
            ssvc.decided,
        ))
    });
    let public = intel.profile.exploit.as_ref().map(|exploit| {
        let fact = format!("{id}: exploitation {}", exploit.exploitation);
        Known::stated(exploit.exploitation, fact, &exploit.source, exploit.first_seen)
    });
    // Of equals `max_by_key` keeps the last: the catalogue before CISA's points before lists.
    let known = [public, by_cisa, listed].into_iter().flatten().max_by_key(|known| known.value);
    known.unwrap_or_else(|| {
        Known::stated(Exploitation::None, format!("{id}: no list knows an exploit"), "exploits", None)
    })
}

fn threat(id: &VulnerabilityId, intel: &Intel) -> Known<Probability> {
    match (&intel.kev, &intel.epss) {
        (Some(kev), _) => {
            let fact = format!("{id} is exploited somewhere: listed in KEV");
            Known::stated(Probability::ONE, fact, "kev", Some(kev.added))
        }
        (None, Some(epss)) => {
            let fact = format!("{id} has EPSS {}", epss.score);
            Known::stated(epss.score, fact, &format!("epss {}", epss.model), Some(epss.scored))
        }
        (None, None) => {
            let value = Probability::from_ppm(UNSCORED_THREAT_PPM).unwrap_or(Probability::ONE);
            Known::assumed(value, "threat: no feed scores it, about the median score is taken")
        }
    }
}

fn distance(cvss: &Cvss) -> Option<Distance> {
    match cvss.metric("AV")? {
        "N" => Some(Distance::Network),
        "A" => Some(Distance::Adjacent),
        "L" => Some(Distance::Local),
        _ => Some(Distance::Physical),
    }
}
