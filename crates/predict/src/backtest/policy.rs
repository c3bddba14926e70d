//! Built-in policies, and those in files.

use std::fmt;
use std::str::FromStr;

use tenon_model::{Automatable, Exploitation, HumanImpact, Probability, SystemExposure, TechnicalImpact};
use tenon_risk::bod_26_04;
use tenon_risk::ssvc::{Deployer, DeployerPriority};

use super::file::{Asking, PolicyFile, Said, reads_records};
use crate::model::least_log_odds;
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
    /// A policy file, as it decides live.
    File(Box<PolicyFile>),
}

/// Not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no policy; there are cvss>=7, epss>=0.1, epss-top=1%, kev, ssvc, bod-26-04, model>=0.001 and model-top=1%"
)]
pub struct PolicyError(pub String);

impl Policy {
    /// Those that are compared where nobody names others.
    pub const USUAL: [&str; 6] = ["cvss>=7", "epss>=0.1", "kev", "ssvc", "bod-26-04", "model-top=1%"];

    /// What it flags, in words.
    pub fn flags(&self) -> String {
        match self {
            Self::Cvss(tenths) => {
                format!(
                    "A CVSS base score of at least {} in a record known by the day.",
                    f64::from(*tenths) / 10.0
                )
            }
            Self::Epss(least) => format!("An EPSS score of at least {}.", f64::from(least.ppm()) / 1e6),
            Self::EpssTop(share) => format!("The first {}% by EPSS score.", f64::from(*share) / 100.0),
            Self::Kev => {
                "What is listed: nothing that is eligible, which is what waiting for the list means."
                    .to_owned()
            }
            Self::Ssvc => {
                "Out-of-cycle or immediate by SSVC's deployer table, for an open system of high human impact."
                    .to_owned()
            }
            Self::Bod2604 => {
                "14 days or less by BOD 26-04's table, for a publicly exposed system.".to_owned()
            }
            Self::Model(least) => {
                format!(
                    "Tenon's forecast of at least {}, by the newest model of the day.",
                    f64::from(least.ppm()) / 1e6
                )
            }
            Self::ModelTop(share) => {
                format!(
                    "The first {}% by Tenon's forecast, by the newest model of the day.",
                    f64::from(*share) / 100.0
                )
            }
            Self::File(file) => format!("A policy file; flagged is {}.", file.acts.told()),
        }
    }

    /// Whether it reads fields of records.
    pub fn reads_records(&self) -> bool {
        match self {
            Self::Cvss(_) | Self::Ssvc | Self::Bod2604 => true,
            Self::File(file) => reads_records(&file.policy),
            Self::Epss(_) | Self::EpssTop(_) | Self::Kev | Self::Model(_) | Self::ModelTop(_) => false,
        }
    }

    /// The CVEs that it flags. A file flags by [`Asking`], which keeps what it answered.
    fn flag(&self, day: Day, eligible: &[(Cve, Known)], models: &ModelFile) -> Vec<Cve> {
        let score = |known: &Known| known.score().map(|score| i64::from(score.ppm()));
        let those = |flags: &dyn Fn(&Known) -> bool| {
            eligible.iter().filter(|(_, known)| flags(known)).map(|(cve, _)| *cve).collect()
        };
        match self {
            Self::Cvss(least) => those(&|known| known.cvss().is_some_and(|tenths| tenths >= *least)),
            Self::Epss(least) => those(&|known| known.score().is_some_and(|score| score >= *least)),
            Self::EpssTop(share) => top(*share, eligible, score),
            Self::Kev => those(&|known| known.is_listed()),
            Self::Ssvc => those(&ssvc),
            Self::Bod2604 => those(&bod_26_04),
            Self::Model(least) => match (models.on(day), least_log_odds(*least)) {
                (Some(model), Some(least)) => those(&|known| model.log_odds(known) >= least),
                _ => Vec::new(),
            },
            Self::ModelTop(share) => models
                .on(day)
                .map_or_else(Vec::new, |model| top(*share, eligible, |known| Some(model.log_odds(known)))),
            Self::File(file) => Asking::new(file).flag(day, eligible, models),
        }
    }
}

/// A policy that is asked day by day.
pub(super) enum Asked<'p> {
    /// One that answers each day anew.
    BuiltIn(&'p Policy),
    /// One whose answers are kept.
    File(Asking<'p>),
}

impl<'p> Asked<'p> {
    pub(super) fn new(policy: &'p Policy) -> Self {
        match policy {
            Policy::File(file) => Self::File(Asking::new(file)),
            policy => Self::BuiltIn(policy),
        }
    }

    /// The CVEs that it flags on a day.
    pub(super) fn flag(&mut self, day: Day, eligible: &[(Cve, Known)], models: &ModelFile) -> Vec<Cve> {
        match self {
            Self::BuiltIn(policy) => policy.flag(day, eligible, models),
            Self::File(asking) => asking.flag(day, eligible, models),
        }
    }

    /// What a file said in all.
    pub(super) fn said(self) -> Option<Said> {
        match self {
            Self::BuiltIn(_) => None,
            Self::File(asking) => Some(asking.said()),
        }
    }
}

/// The first `share` in ten thousand by a number, highest first; of equals the earlier id. What has no number is never
/// among them.
fn top(share: u32, eligible: &[(Cve, Known)], number: impl Fn(&Known) -> Option<i64>) -> Vec<Cve> {
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
fn ssvc(known: &Known) -> bool {
    let Some(points) = known.points() else { return false };
    let Some(automatable) = points.automatable else { return false };
    let deployer = Deployer {
        exploitation: exploitation(known),
        exposure: SystemExposure::Open,
        automatable,
        human_impact: HumanImpact::High,
    };
    deployer.decide().0 >= DeployerPriority::OutOfCycle
}

fn bod_26_04(known: &Known) -> bool {
    let Some(points) = known.points() else { return false };
    let (Some(automatable), Some(technical_impact)) = (points.automatable, points.technical_impact) else {
        return false;
    };
    let decided = bod_26_04_inputs(known.is_listed(), automatable, technical_impact).table_inputs().decide();
    decided
        .outcome
        .split_once(" days")
        .and_then(|(days, _)| days.parse::<u32>().ok())
        .is_some_and(|days| days <= 14)
}

/// Inputs of BOD 26-04's table for a publicly exposed system.
pub(super) fn bod_26_04_inputs(
    in_kev: bool,
    automatable: Automatable,
    technical_impact: TechnicalImpact,
) -> bod_26_04::Inputs {
    bod_26_04::Inputs {
        in_kev,
        publicly_exposed: true,
        automatable: automatable == Automatable::Yes,
        technical_impact: match technical_impact {
            TechnicalImpact::Total => bod_26_04::TechnicalImpact::Total,
            TechnicalImpact::Partial => bod_26_04::TechnicalImpact::Partial,
        },
    }
}

/// The strongest state of exploitation that lists of exploits and CISA's decision points state. That no list has an exploit is
/// a statement, too.
pub(super) fn exploitation(known: &Known) -> Exploitation {
    let exploit =
        [Sighting::PublicExploit, Sighting::Framework].iter().any(|list| known.seen(*list).is_some());
    let by_list = if exploit { Exploitation::PublicPoc } else { Exploitation::None };
    let listed = if known.is_listed() { Exploitation::Active } else { Exploitation::None };
    known.points().map_or(by_list, |points| points.exploitation).max(by_list).max(listed)
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
            Self::File(file) => file.name.clone(),
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
