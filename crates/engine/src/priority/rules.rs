//! The published rules applied to facts: which row decides, and which clocks run.

use tenon_model::{
    AttackVector, Automatable, Clock, ClockRule, DecisionInput, DecisionTable, Exploitation, SystemExposure,
    Timestamp, VdrClass, VdrPain,
};
use tenon_risk::cisa_coordinator::Coordinator;
use tenon_risk::fedramp_vdr::Likelihood;
use tenon_risk::regulation::{Asked, Regulation, Start};
use tenon_risk::ssvc::Deployer;
use tenon_risk::tables::{Decided, Inputs};
use tenon_risk::{bod_26_04, fedramp_vdr, sla};

use super::facts::{Certainty, Facts, Known};

/// The inputs of a table, and for each column why it has its value.
pub(crate) struct Filled<'f> {
    pub(crate) inputs: Inputs<'static>,
    bases: Vec<(&'f tenon_model::Basis, bool)>,
}

impl Filled<'_> {
    /// The inputs as they are recorded.
    pub(crate) fn recorded(&self) -> Vec<DecisionInput> {
        let columns = self.inputs.pairs().zip(&self.bases);
        columns
            .map(|((column, value), (basis, assumed))| DecisionInput {
                column: column.to_owned(),
                value: value.to_owned(),
                assumed: *assumed,
                basis: (*basis).clone(),
            })
            .collect()
    }
}

fn basis<T>(known: &Known<T>) -> (&tenon_model::Basis, bool) {
    (&known.basis, known.assumed())
}

/// The facts as inputs of a table.
pub(crate) fn fill(table: DecisionTable, facts: &Facts) -> Filled<'_> {
    match table {
        DecisionTable::Bod2604 => Filled {
            inputs: bod(facts).table_inputs(),
            bases: vec![
                basis(&facts.in_kev),
                basis(&facts.exposure),
                basis(&facts.automatable),
                basis(&facts.technical_impact),
            ],
        },
        DecisionTable::SsvcDeployer => Filled {
            inputs: Deployer {
                exploitation: facts.exploitation.value,
                exposure: facts.exposure.value,
                automatable: facts.automatable.value,
                human_impact: facts.human_impact.value,
            }
            .inputs(),
            bases: vec![
                basis(&facts.exploitation),
                basis(&facts.exposure),
                basis(&facts.automatable),
                basis(&facts.human_impact),
            ],
        },
        DecisionTable::CisaCoordinator => Filled {
            inputs: Coordinator {
                exploitation: facts.exploitation.value,
                automatable: facts.automatable.value,
                technical_impact: facts.technical_impact.value,
                mission_and_well_being: facts.mission.value,
            }
            .inputs(),
            bases: vec![
                basis(&facts.exploitation),
                basis(&facts.automatable),
                basis(&facts.technical_impact),
                basis(&facts.mission),
            ],
        },
    }
}

/// The facts as what a regulation may ask.
pub(super) fn asked(facts: &Facts) -> Asked {
    Asked {
        in_kev: facts.in_kev.value.into(),
        attacked: facts.attacked.is_some().into(),
        exploitation: facts.exploitation.value,
        severity: facts.severity.value,
        automatable: facts.automatable.value,
        technical_impact: facts.technical_impact.value,
        exposure: facts.exposure.value,
        human_impact: facts.human_impact.value,
        mission: facts.mission.value,
    }
}

pub(super) fn bod(facts: &Facts) -> bod_26_04::Inputs {
    bod_26_04::Inputs {
        in_kev: facts.in_kev.value,
        publicly_exposed: facts.exposure.value == SystemExposure::Open,
        automatable: facts.automatable.value == Automatable::Yes,
        technical_impact: facts.technical_impact.value,
    }
}

/// How urgent an outcome is among those of its table; more is more urgent. Of BOD 26-04 fewer days, and of as many days
/// those with forensic investigation; of the others the published order of outcomes.
pub(crate) fn urgency(table: DecisionTable, outcome: &str) -> u32 {
    match table {
        DecisionTable::Bod2604 => {
            let forensics = u32::from(bod_26_04::asks_for_forensics(outcome));
            match sla::Due::parse(outcome) {
                Some(sla::Due::Days(days)) => 20_000_u32.saturating_sub(days.saturating_mul(2)) + forensics,
                _ => forensics,
            }
        }
        DecisionTable::SsvcDeployer => {
            tenon_risk::ssvc::DeployerPriority::parse(outcome).map_or(0, |priority| priority as u32)
        }
        DecisionTable::CisaCoordinator => {
            tenon_risk::cisa_coordinator::Level::parse(outcome).map_or(0, |level| level as u32)
        }
    }
}

/// The rule of Tenon's own that an attack is answered by, and how many days it gives.
const ATTACK_RULE: &str = "attack seen on a host (a rule of Tenon's own)";
const ATTACK_DAYS: u32 = 1;

/// When a vulnerability is due because an attack by it was seen; `None` where none was. No published table asks for that: they know
/// of catalogues, not of one's own hosts. It counts from when the attack was reported, not from when it was seen, of which nobody
/// could know.
pub(super) fn answer(facts: &Facts) -> Option<Clock> {
    let since = facts.attacked?;
    Some(Clock {
        rule: ATTACK_RULE.to_owned(),
        row: 1,
        outcome: "1 day".to_owned(),
        vulnerability: facts.vulnerability.clone(),
        since,
        due: since.plus_days(ATTACK_DAYS),
    })
}

/// Whether a clock runs because attacks were seen.
pub(super) fn is_of_attack(clock: &Clock) -> bool {
    clock.rule == ATTACK_RULE
}

/// A date that a rule sets.
pub(crate) struct Date<'t> {
    pub(crate) decided: Decided<'t>,
    /// What it decides, in words.
    pub(crate) outcome: String,
    pub(crate) since: Timestamp,
    pub(crate) due: Timestamp,
}

/// When a vulnerability is due by a rule; `None` where the rule sets no date. `raised` is when the directive was raised,
/// `released` when the advisory was published.
///
/// BOD 26-04 counts from when the directive was raised; where a listing in KEV decides the row, from the listing, if that
/// came later: a deadline that has passed before anybody could know of it directs nobody.
///
/// FedRAMP VDR counts hours from the evaluation of a finding, which is when the directive was raised.
pub(crate) fn date(
    rule: ClockRule,
    facts: &Facts,
    (raised, released): (Timestamp, Option<Timestamp>),
    vdr: Option<(VdrClass, VdrPain)>,
) -> Option<Date<'static>> {
    let severity = facts.severity.value;
    let listed = facts.kev.map_or(raised, |(added, _)| added.max(raised));
    let open = facts.exposure.value == SystemExposure::Open;
    let (since, (due, decided)) = match rule {
        ClockRule::FedrampVdr => {
            let (class, pain) = vdr?;
            let (hours, decided) = fedramp_vdr::decide(class, pain, likelihood(facts))?;
            let due = raised.plus_seconds(hours.saturating_mul(3_600));
            return Some(Date { decided, outcome: format!("{hours} hours"), since: raised, due });
        }
        ClockRule::Bod2604 => {
            let decided = bod(facts).table_inputs().decide();
            (listed, (sla::Due::parse(decided.outcome)?, decided))
        }
        ClockRule::Bod2201 => {
            (facts.kev.map_or(raised, |(added, _)| added), sla::bod_22_01(facts.in_kev.value))
        }
        ClockRule::Bod1902 => (raised, sla::bod_19_02(open, severity)),
        ClockRule::FedrampRev5 => (raised, sla::fedramp_rev5(severity)),
        ClockRule::PciDss40 => (released.unwrap_or(raised), sla::pci_dss_4_0(severity)),
        ClockRule::PciDss401 => (released.unwrap_or(raised), sla::pci_dss_4_0_1(severity)),
    };
    let due = after(since, due, facts)?;
    Some(Date { decided, outcome: decided.outcome.to_owned(), since, due })
}

/// When a vulnerability is due by a regulation; `None` where it sets no date. A listing in KEV that came before the directive was
/// raised starts no clock earlier.
pub(super) fn date_by<'r>(
    regulation: &'r Regulation,
    facts: &Facts,
    (raised, released): (Timestamp, Option<Timestamp>),
) -> Option<Date<'r>> {
    let (due, decided) = regulation.decide(&asked(facts));
    let since = match regulation.start() {
        Start::Raised => raised,
        Start::Listed => facts.kev.map_or(raised, |(added, _)| added.max(raised)),
        Start::Released => released.unwrap_or(raised),
    };
    let due = after(since, due, facts)?;
    Some(Date { decided, outcome: decided.outcome.to_owned(), since, due })
}

fn after(since: Timestamp, due: sla::Due, facts: &Facts) -> Option<Timestamp> {
    match due {
        sla::Due::Hours(hours) => Some(since.plus_seconds(hours.saturating_mul(3_600))),
        sla::Due::Days(days) => Some(since.plus_days(days)),
        sla::Due::Months(months) => Some(since.plus_months(months)),
        sla::Due::KevDueDate => facts.kev.and_then(|(_, due)| due),
        sla::Due::NoDate => None,
    }
}

/// How likely it is exploitable, as FedRAMP VDR asks (VDR-EVA-ELX, VER-EVA-EIR). That is for the provider to judge, and Tenon's rule for
/// it: likely, but where nothing tells of an exploit or an attack, and whoever attacks must be on the host already. From the internet it
/// is reachable where the network is its way and the asset is exposed, or nobody knows whether it is.
pub(crate) fn likelihood(facts: &Facts) -> Likelihood {
    let told =
        facts.in_kev.value || facts.exploitation.value != Exploitation::None || facts.attacked.is_some();
    let (vector, open) = (facts.distance.value, facts.exposure.value == SystemExposure::Open);
    match vector {
        AttackVector::Local | AttackVector::Physical if !told => Likelihood::Nlev,
        AttackVector::Network if facts.exposure.certainty == Certainty::Unknown || open => Likelihood::LevIrv,
        _ => Likelihood::LevNirv,
    }
}
