//! What is known of one vulnerability on assets of one bearing, each with its source, and what is assumed instead.

use tenon_model::context::{Criticality, Sensitivity};
use tenon_model::{
    AttackVector, Automatable, Basis, Detection, DetectionKind, Exploitation, HumanImpact, Intel,
    MissionAndWellBeing, Probability, SystemExposure, TechnicalImpact, Timestamp, VulnerabilityId,
};
use tenon_risk::cvss::{self, Cvss};
use tenon_risk::sla::Severity;

use super::loss::{Danger, Stake};
use crate::context::{Bearing, Source, Sourced};
use crate::detections::Attack;

/// Threat of a vulnerability of which nothing is foreseen and that nobody scores: about what the model foresees of a CVE that is a
/// week old, and has neither a score yet nor an exploit.
pub const ASSUMED_THREAT: Probability = match Probability::from_ppm(500) {
    Some(assumed) => assumed,
    None => Probability::ONE,
};
/// How far the attacker of a vulnerability must be of which no vector is stated.
pub(super) const UNSTATED_VECTOR: AttackVector = AttackVector::Network;
/// What it means for people if an asset fails of which nobody states it.
const UNSTATED_IMPACT: HumanImpact = HumanImpact::Medium;

/// A value with its reason.
#[derive(Debug, Clone)]
pub(crate) struct Known<T> {
    pub(crate) value: T,
    pub(crate) basis: Basis,
    pub(crate) certainty: Certainty,
}

/// How well a value is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// Somebody states it.
    Stated,
    /// It is derived, or a default that somebody chose.
    Supposed,
    /// Nothing is known.
    Unknown,
}

impl<T> Known<T> {
    fn stated(value: T, fact: String, source: &str, as_of: Option<Timestamp>) -> Self {
        Self { value, basis: Basis { fact, source: source.to_owned(), as_of }, certainty: Certainty::Stated }
    }

    fn unknown(value: T, fact: &str) -> Self {
        let basis = Basis { fact: fact.to_owned(), source: "assumed".to_owned(), as_of: None };
        Self { value, basis, certainty: Certainty::Unknown }
    }

    fn of(known: &Sourced<T>, fact: String) -> Self
    where
        T: Copy,
    {
        Self::sourced(known.value, fact, &known.source)
    }

    fn sourced(value: T, fact: String, source: &Source) -> Self {
        let certainty = if source.is_stated() { Certainty::Stated } else { Certainty::Supposed };
        Self { value, basis: Basis { fact, source: source.to_string(), as_of: None }, certainty }
    }

    /// Whether it is an assumption, which what somebody states takes back.
    pub(crate) fn assumed(&self) -> bool {
        self.certainty != Certainty::Stated
    }
}

/// One vulnerability on assets of one bearing.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) vulnerability: VulnerabilityId,
    pub(crate) in_kev: Known<bool>,
    pub(crate) exploitation: Known<Exploitation>,
    pub(crate) automatable: Known<Automatable>,
    pub(crate) technical_impact: Known<TechnicalImpact>,
    pub(crate) severity: Known<Severity>,
    pub(crate) distance: Known<AttackVector>,
    pub(crate) exposure: Known<SystemExposure>,
    pub(crate) human_impact: Known<HumanImpact>,
    pub(crate) mission: Known<MissionAndWellBeing>,
    /// Of its data; `None` where nobody says anything.
    pub(crate) sensitivity: Option<Known<Sensitivity>>,
    /// Probability of exploitation in 30 days.
    pub(crate) threat: Known<Probability>,
    /// When it was listed in KEV, and the date that the catalogue sets.
    pub(crate) kev: Option<(Timestamp, Option<Timestamp>)>,
    /// Since when attacks by it are known on these assets; `None` where none was seen.
    pub(crate) attacked: Option<Timestamp>,
}

impl Facts {
    pub(crate) fn of(id: &VulnerabilityId, intel: &Intel, bearing: &Bearing) -> Self {
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
                None => Known::unknown(Automatable::Yes, "automatable: no record says otherwise"),
            },
            technical_impact: match ssvc.and_then(|ssvc| ssvc.technical_impact) {
                Some(value) => {
                    Known::stated(value, format!("{id}: technical impact {value}"), by_cisa, decided)
                }
                None => {
                    Known::unknown(TechnicalImpact::Total, "technical impact total: no record says otherwise")
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
                None => Known::unknown(Severity::High, "severity high: no CVSS vector is stated"),
            },
            distance: match parsed.and_then(|parsed| distance(&parsed)) {
                Some(value) => {
                    let (fact, source) = by_vector(format!("{id}: attack vector {value:?}").to_lowercase());
                    Known::stated(value, fact, &source, None)
                }
                None => Known::unknown(UNSTATED_VECTOR, "attack vector network: no CVSS vector is stated"),
            },
            exposure: exposure(bearing),
            human_impact: human_impact(bearing),
            mission: mission(bearing),
            sensitivity: sensitivity(bearing),
            threat: threat(id, intel),
            kev: intel.kev.as_ref().map(|kev| (kev.added, kev.due)),
            attacked: None,
        }
    }

    /// The same on assets on which attacks by it were seen: it is exploited, and nobody need ask how likely that is.
    pub(crate) fn under(self, attack: &Attack<'_>) -> Self {
        let Detection { vulnerability: id, kind, seen, what, sensor, .. } = attack.last;
        let assets = attack.bearings.assets();
        let hosts = match assets {
            0 | 1 => attack.host.to_owned(),
            _ => format!("{assets} hosts, last on {}", attack.host),
        };
        let by = format!("reported by {sensor}");
        let happened = match kind {
            DetectionKind::Attack | DetectionKind::Honeypot => "attack seen",
            DetectionKind::Incident => "used to take over a host, seen",
        };
        let fact = format!("{id}: {happened} on {hosts}: {what}");
        Self {
            exploitation: Known::stated(Exploitation::Active, fact.clone(), &by, Some(*seen)),
            threat: Known::stated(Probability::ONE, fact, &by, Some(*seen)),
            attacked: Some(attack.since),
            ..self
        }
    }
}

/// What somebody states of assets of this bearing that goes into their loss.
pub(super) fn stated(bearing: &Bearing) -> Vec<Basis> {
    let (exposure, human_impact) = (exposure(bearing), human_impact(bearing));
    let known = [
        (!exposure.assumed()).then_some(exposure.basis),
        (!human_impact.assumed()).then_some(human_impact.basis),
        sensitivity(bearing).filter(|known| !known.assumed()).map(|known| known.basis),
    ];
    known.into_iter().flatten().collect()
}

fn exposure(bearing: &Bearing) -> Known<SystemExposure> {
    match &bearing.exposure {
        Some(known) => Known::of(known, format!("exposure {}", known.value)),
        None => {
            Known::unknown(SystemExposure::Controlled, "not publicly exposed: no owner confirmed exposure")
        }
    }
}

fn sensitivity(bearing: &Bearing) -> Option<Known<Sensitivity>> {
    let known = bearing.sensitivity.as_ref()?;
    Some(Known::of(known, format!("sensitivity {}", known.value)))
}

/// How likely exploitation is, as it counts: assumed where nothing tells.
pub(crate) fn threat_of(intel: &Intel) -> Probability {
    likelihood(intel).unwrap_or(ASSUMED_THREAT)
}

/// What of the vulnerability goes into its loss.
pub(crate) fn danger(intel: &Intel) -> Danger {
    let vector = intel.profile.cvss.as_ref();
    let parsed: Option<Cvss> = vector.and_then(|cvss| cvss.vector.parse().ok());
    Danger {
        threat: threat_of(intel),
        vector: parsed.and_then(|parsed| distance(&parsed)),
        takes_part: parsed.is_some_and(|parsed| parsed.metric("UI").is_some_and(|value| value != "N")),
    }
}

/// What of assets of this bearing goes into it.
pub(super) fn stake(bearing: &Bearing) -> Stake {
    Stake {
        exposure: bearing.exposure.as_ref().map(|known| known.value),
        human_impact: impact_on_people(bearing).map_or(UNSTATED_IMPACT, |(value, ..)| value),
        sensitivity: bearing.sensitivity.as_ref().map(|known| known.value),
    }
}

/// What is stated of it; else what its criticality means for people.
fn impact_on_people(bearing: &Bearing) -> Candidate<'_, HumanImpact> {
    let own = bearing.human_impact.as_ref().map(|known| (known.value, &known.source, None));
    let by_criticality = bearing.criticality.as_ref().map(|known| {
        let value = match known.value {
            Criticality::Low => HumanImpact::Low,
            Criticality::Medium => HumanImpact::Medium,
            Criticality::High => HumanImpact::High,
            Criticality::Critical => HumanImpact::VeryHigh,
        };
        (value, &known.source, Some(known.value))
    });
    first_stated(own, by_criticality)
}

fn human_impact(bearing: &Bearing) -> Known<HumanImpact> {
    match impact_on_people(bearing) {
        Some((value, source, why)) => {
            Known::sourced(value, format!("human impact {value}{}", from(why)), source)
        }
        None => Known::unknown(UNSTATED_IMPACT, "human impact medium: no owner stated any"),
    }
}

fn from(criticality: Option<Criticality>) -> String {
    criticality.map(|value| format!(", from criticality {value}")).unwrap_or_default()
}

/// The same for the mission.
fn mission(bearing: &Bearing) -> Known<MissionAndWellBeing> {
    let own = bearing.mission.as_ref().map(|known| (known.value, &known.source, None));
    let by_criticality = bearing.criticality.as_ref().map(|known| {
        let value = match known.value {
            Criticality::Low => MissionAndWellBeing::Low,
            Criticality::Medium => MissionAndWellBeing::Medium,
            Criticality::High | Criticality::Critical => MissionAndWellBeing::High,
        };
        (value, &known.source, Some(known.value))
    });
    match first_stated(own, by_criticality) {
        Some((value, source, why)) => {
            let fact = format!("mission and well-being impact {value}{}", from(why));
            Known::sourced(value, fact, source)
        }
        None => Known::unknown(
            MissionAndWellBeing::Medium,
            "mission and well-being impact medium: no owner stated any",
        ),
    }
}

/// A value, who says so, and from which criticality it follows, if it does.
type Candidate<'b, T> = Option<(T, &'b Source, Option<Criticality>)>;

/// A default counts only where nothing is stated.
fn first_stated<'b, T>(own: Candidate<'b, T>, other: Candidate<'b, T>) -> Candidate<'b, T> {
    let is_stated =
        |candidate: &Candidate<'_, T>| candidate.as_ref().is_some_and(|(_, source, _)| source.is_stated());
    if is_stated(&other) && !is_stated(&own) { other } else { own.or(other) }
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
    match (&intel.kev, &intel.foreseen, &intel.epss) {
        (Some(kev), _, _) => {
            let fact = format!("{id} is exploited somewhere: listed in KEV");
            Known::stated(Probability::ONE, fact, "kev", Some(kev.added))
        }
        (None, Some(foreseen), epss) => {
            let from = match epss {
                Some(epss) => format!("EPSS {}", epss.score),
                None => "no EPSS score yet".to_owned(),
            };
            let exploit = intel.profile.exploit.as_ref().map_or("", |_| ", an exploit is public");
            let fact =
                format!("{id}: {} that CISA lists it within 30 days ({from}{exploit})", foreseen.probability);
            let source = format!("forecast {}", foreseen.model);
            Known::stated(foreseen.probability, fact, &source, Some(foreseen.day))
        }
        (None, None, Some(epss)) => {
            let fact = format!("{id} has EPSS {}", epss.score);
            Known::stated(epss.score, fact, &format!("epss {}", epss.model), Some(epss.scored))
        }
        (None, None, None) => Known::unknown(
            ASSUMED_THREAT,
            "threat: nothing is foreseen of it, as much is taken as of a new one without exploit",
        ),
    }
}

/// How likely exploitation is as far as somebody tells. What is foreseen has EPSS in it; the score alone counts where nothing is
/// foreseen.
fn likelihood(intel: &Intel) -> Option<Probability> {
    if intel.kev.is_some() {
        return Some(Probability::ONE);
    }
    let foreseen = intel.foreseen.as_ref().map(|foreseen| foreseen.probability);
    foreseen.or_else(|| intel.epss.as_ref().map(|epss| epss.score))
}

fn distance(cvss: &Cvss) -> Option<AttackVector> {
    match cvss.metric("AV")? {
        "N" => Some(AttackVector::Network),
        "A" => Some(AttackVector::Adjacent),
        "L" => Some(AttackVector::Local),
        _ => Some(AttackVector::Physical),
    }
}
