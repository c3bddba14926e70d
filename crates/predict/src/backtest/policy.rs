//! Built-in policies.

use std::fmt;
use std::str::FromStr;

use tenon_model::{Automatable, Exploitation, HumanImpact, Probability, SystemExposure, TechnicalImpact};
use tenon_risk::bod_26_04;
use tenon_risk::ssvc::{Deployer, DeployerPriority};

use crate::{Cve, Day, Known, ModelFile, Sighting};

/// What asks for a CVE to be fixed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// CVSS base score of at least so many tenths, as a record known by the day states it.
    Cvss(u8),
    /// EPSS score of at least this.
    Epss(Probability),
    /// The first so many in ten thousand by EPSS.
    EpssTop(u32),
    /// Listed in KEV. What is eligible is not, so it flags nothing: that is what waiting for the list means.
    Kev,
    /// SSVC's deployer table says out-of-cycle or immediate, for an open system of high human impact.
    Ssvc,
    /// BOD 26-04's table sets 14 days or less, for a publicly exposed system.
    Bod2604,
    /// Forecast of at least this by Tenon's model, on each day the newest that could be used.
    Model(Probability),
    /// The first so many in ten thousand by that forecast.
    ModelTop(u32),
}

/// Not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no policy; there are cvss>=7, epss>=0.1, epss-top=1%, kev, ssvc, bod-26-04, model>=0.001 and model-top=1%"
)]
pub struct PolicyError(pub String);

impl Policy {
    /// Whether it reads fields of records.
    pub fn reads_records(&self) -> bool {
        matches!(self, Self::Cvss(_) | Self::Ssvc | Self::Bod2604)
    }

    /// The CVEs that it flags.
    pub(super) fn flag(&self, day: Day, eligible: &[(Cve, Known<'_>)], models: &ModelFile) -> Vec<Cve> {
        let score = |known: &Known<'_>| known.score().map(|score| i64::from(score.ppm()));
        let those = |flags: &dyn Fn(&Known<'_>) -> bool| {
            eligible.iter().filter(|(_, known)| flags(known)).map(|(cve, _)| *cve).collect()
        };
        match self {
            Self::Cvss(least) => those(&|known| known.cvss().is_some_and(|tenths| tenths >= *least)),
            Self::Epss(least) => those(&|known| known.score().is_some_and(|score| score >= *least)),
            Self::EpssTop(share) => top(*share, eligible, score),
            Self::Kev => those(&|known| known.is_listed()),
            Self::Ssvc => those(&ssvc),
            Self::Bod2604 => those(&bod_26_04),
            Self::Model(least) => models
                .on(day)
                .map_or_else(Vec::new, |model| those(&|known| model.forecast_only(known) >= *least)),
            Self::ModelTop(share) => models
                .on(day)
                .map_or_else(Vec::new, |model| top(*share, eligible, |known| Some(model.log_odds(known)))),
        }
    }
}

/// The first `share` in ten thousand by a number, highest first; of equals the earlier id. What has no number is never
/// among them.
fn top(share: u32, eligible: &[(Cve, Known<'_>)], number: impl Fn(&Known<'_>) -> Option<i64>) -> Vec<Cve> {
    let mut order: Vec<(std::cmp::Reverse<i64>, Cve)> =
        eligible.iter().filter_map(|(cve, known)| Some((std::cmp::Reverse(number(known)?), *cve))).collect();
    let size = (eligible.len() as u64 * u64::from(share)).div_ceil(10_000);
    let size = usize::try_from(size).unwrap_or(usize::MAX).min(order.len());
    if size > 0 && size < order.len() {
        order.select_nth_unstable(size - 1);
    }
    order.truncate(size);
    order.into_iter().map(|(_, cve)| cve).collect()
}

/// Only stated facts decide. Where CISA states no decision point nothing is flagged: assuming the worst would flag every
/// CVE without a record.
fn ssvc(known: &Known<'_>) -> bool {
    let Some(points) = known.points() else { return false };
    let Some(automatable) = points.automatable else { return false };
    let listed_exploit =
        known.seen(Sighting::PublicExploit).is_some() || known.seen(Sighting::Framework).is_some();
    let exploitation = if listed_exploit { Exploitation::PublicPoc } else { points.exploitation };
    let deployer = Deployer {
        exploitation,
        exposure: SystemExposure::Open,
        automatable,
        human_impact: HumanImpact::High,
    };
    deployer.decide().0 >= DeployerPriority::OutOfCycle
}

fn bod_26_04(known: &Known<'_>) -> bool {
    let Some(points) = known.points() else { return false };
    let (Some(automatable), Some(technical_impact)) = (points.automatable, points.technical_impact) else {
        return false;
    };
    let inputs = bod_26_04::Inputs {
        in_kev: known.is_listed(),
        publicly_exposed: true,
        automatable: automatable == Automatable::Yes,
        technical_impact: match technical_impact {
            TechnicalImpact::Total => bod_26_04::TechnicalImpact::Total,
            TechnicalImpact::Partial => bod_26_04::TechnicalImpact::Partial,
        },
    };
    let decided = inputs.table_inputs().decide();
    decided
        .outcome
        .split_once(" days")
        .and_then(|(days, _)| days.parse::<u32>().ok())
        .is_some_and(|days| days <= 14)
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Cvss(tenths) => format!("cvss>={}", f64::from(*tenths) / 10.0),
            Self::Epss(least) => format!("epss>={}", f64::from(least.ppm()) / 1e6),
            Self::EpssTop(share) => format!("epss-top={}%", f64::from(*share) / 100.0),
            Self::Kev => "kev".to_owned(),
            Self::Ssvc => "ssvc".to_owned(),
            Self::Bod2604 => "bod-26-04".to_owned(),
            Self::Model(least) => format!("model>={}", f64::from(least.ppm()) / 1e6),
            Self::ModelTop(share) => format!("model-top={}%", f64::from(*share) / 100.0),
        };
        f.pad(&text)
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let read = || {
            let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
            let probability = |text: &str| {
                let ppm = number(text).filter(|number| (0.0..=1.0).contains(number))? * 1e6;
                Probability::from_ppm(ppm.round() as u32)
            };
            let percent = |text: &str| {
                let percent = number(text.strip_suffix('%')?)?;
                (percent > 0.0 && percent <= 100.0).then_some((percent * 100.0).round() as u32)
            };
            match text {
                "kev" => return Some(Self::Kev),
                "ssvc" => return Some(Self::Ssvc),
                "bod-26-04" => return Some(Self::Bod2604),
                _ => {}
            }
            if let Some((what, least)) = text.split_once(">=") {
                return match what {
                    "cvss" => {
                        let score = number(least).filter(|score| (0.0..=10.0).contains(score))?;
                        Some(Self::Cvss((score * 10.0).round() as u8))
                    }
                    "epss" => probability(least).map(Self::Epss),
                    "model" => probability(least).map(Self::Model),
                    _ => None,
                };
            }
            match text.split_once('=')? {
                ("epss-top", share) => percent(share).map(Self::EpssTop),
                ("model-top", share) => percent(share).map(Self::ModelTop),
                _ => None,
            }
        };
        read().ok_or_else(|| PolicyError(text.chars().take(40).collect()))
    }
}
