//! A policy file replayed: the rules that decide live, asked about CVEs of which only history is known.
//!
//! ```text
//! Known --inputs of the fields that the file asks about--> Inputs --once for each--> verdict --> flagged or not
//! ```
//!
//! Rules ask about directives, hosts and rehearsals, and history has none. One host is supposed ([`SUPPOSED`]), the same as
//! the built-in policies on published tables have in mind; what no supposition replaces stays unknown ([`UNKNOWN`]), and a
//! verdict that depends on it is undecided, which is counted. Windows and freezes are not replayed: they are hours and days of
//! a calendar, and the outcome is what comes within 30 days.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use tenon_model::{Automatable, Exploitation, TechnicalImpact};
use tenon_policy::{Approval, AssetFacts, DirectiveFacts, Facts, Policy, RehearsalFacts};
use tenon_risk::bod_26_04;

use super::policy::{bod_26_04_inputs, exploitation};
use crate::{Cve, CveId, Day, Known, Model, ModelFile};

/// Fields that history answers. The decision is that of BOD 26-04's table, and is unknown where no record known by the day
/// states whether the CVE can be automated and its technical impact.
pub const FROM_HISTORY: &[&str] = &[
    "vulnerability.kev",
    "vulnerability.ransomware",
    "vulnerability.exploitation",
    "vulnerability.epss_percent",
    "vulnerability.foreseen_ppm",
    "vulnerability.ids",
    "decision.table",
    "decision.row",
    "decision.outcome",
    "decision.forensics",
];

/// Fields that are supposed, and their values: one open production host of high criticality of which nothing else is said, and
/// a rehearsal that upgraded one package, showed nothing unusual and proved the way back.
pub const SUPPOSED: &[(&str, &str)] = &[
    ("directive.assets", "1"),
    ("asset.environment", "production"),
    ("asset.criticality", "high"),
    ("asset.exposure", "open"),
    ("asset.team", "(empty)"),
    ("asset.zone", "(empty)"),
    ("asset.redundancy", "(empty)"),
    ("asset.services", "(none)"),
    ("asset.tags", "(none)"),
    ("asset.attacked", "false"),
    ("asset.reach_ppm", "1000000"),
    ("rehearsal.removed", "0"),
    ("rehearsal.installed", "0"),
    ("rehearsal.upgraded", "1"),
    ("rehearsal.restarts", "0"),
    ("rehearsal.reboot", "false"),
    ("rehearsal.undo", "proven"),
    ("rehearsal.conflicts", "0"),
];

/// Fields that nobody can know of a CVE alone.
pub const UNKNOWN: &[&str] = &[
    "directive.package",
    "directive.version",
    "directive.group",
    "directive.advisory",
    "asset.name",
    "rehearsal.seconds",
];

/// Fields that the row of the decision table answers.
const DECIDED: [&str; 3] = ["decision.row", "decision.outcome", "decision.forensics"];

/// Which verdicts of a file flag a CVE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acts {
    /// What the policy lets go out by itself: automatic, and no evidence is asked for first.
    #[default]
    Automatic,
    /// What is an emergency, and not forbidden.
    Emergency,
    /// Whatever is not forbidden: by itself or by people.
    Allowed,
}

/// A policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// Its name.
    pub name: String,
    /// What it says.
    pub policy: Policy,
    /// Which of its verdicts flag.
    pub acts: Acts,
}

/// What a file said of eligible CVEs, summed over days.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Said {
    /// It goes out by itself.
    pub automatic: u64,
    /// People approve, or evidence is asked for first.
    pub people: u64,
    /// It does not go out.
    pub forbidden: u64,
    /// The first rule that could match depends on a field that is not known.
    pub undecided: u64,
    /// It is an emergency; counted beside what was said of it.
    pub emergency: u64,
    /// The fields on which the undecided depend, and of how many.
    pub missing: BTreeMap<&'static str, u64>,
}

/// A verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    approval: Option<Approval>,
    emergency: bool,
    missing: Vec<&'static str>,
}

/// What of a CVE a verdict depends on. Parts about which the file does not ask are left at their defaults, so that CVEs share
/// a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Inputs {
    listed: bool,
    exploitation: Exploitation,
    epss_percent: u32,
    foreseen_ppm: Option<u32>,
    table: Option<(Automatable, TechnicalImpact)>,
    id: Option<CveId>,
}

/// A file that is asked, and what it answered so far.
#[derive(Debug)]
pub(super) struct Asking<'f> {
    file: &'f PolicyFile,
    /// The place of each verdict in `answers`.
    places: HashMap<Inputs, usize>,
    answers: Vec<Answer>,
    said: Said,
}

impl<'f> Asking<'f> {
    pub(super) fn new(file: &'f PolicyFile) -> Self {
        Self { file, places: HashMap::new(), answers: Vec::new(), said: Said::default() }
    }

    /// The CVEs that the file flags on a day.
    pub(super) fn flag(&mut self, day: Day, eligible: &[(Cve, Known)], models: &ModelFile) -> Vec<Cve> {
        let asked = Asked::by(&self.file.policy, models.on(day));
        let mut cves = vec![0_u64; self.answers.len()];
        let mut flagged = Vec::new();
        for (cve, known) in eligible {
            let place = *self.places.entry(asked.inputs(known)).or_insert_with_key(|inputs| {
                self.answers.push(answer(&self.file.policy, inputs));
                cves.push(0);
                self.answers.len() - 1
            });
            cves[place] += 1;
            if self.file.acts.flags(&self.answers[place]) {
                flagged.push(*cve);
            }
        }
        for (answer, cves) in self.answers.iter().zip(cves) {
            self.said.add(answer, cves);
        }
        flagged
    }

    pub(super) fn said(self) -> Said {
        self.said
    }
}

/// Whether a policy file asks about what only records state.
pub fn reads_records(policy: &Policy) -> bool {
    DECIDED.iter().chain(&["vulnerability.exploitation"]).any(|field| policy.asks(field))
}

impl Acts {
    fn flags(self, answer: &Answer) -> bool {
        match (self, answer.approval) {
            (_, None | Some(Approval::Forbidden)) => false,
            (Self::Automatic, Some(approval)) => approval == Approval::Automatic,
            (Self::Emergency, Some(_)) => answer.emergency,
            (Self::Allowed, Some(_)) => true,
        }
    }
}

impl Said {
    fn add(&mut self, answer: &Answer, cves: u64) {
        match answer.approval {
            Some(Approval::Automatic) => self.automatic += cves,
            Some(Approval::People { .. }) => self.people += cves,
            Some(Approval::Forbidden) => self.forbidden += cves,
            None => self.undecided += cves,
        }
        if answer.emergency {
            self.emergency += cves;
        }
        for field in answer.missing.iter().filter(|_| cves > 0) {
            *self.missing.entry(field).or_default() += cves;
        }
    }
}

/// What a file asks about, and the model that could be asked on the day.
struct Asked<'m> {
    exploitation: bool,
    epss: bool,
    foreseen: Option<&'m Model>,
    decision: bool,
    id: bool,
}

impl<'m> Asked<'m> {
    fn by(policy: &Policy, model: Option<&'m Model>) -> Self {
        Self {
            exploitation: policy.asks("vulnerability.exploitation"),
            epss: policy.asks("vulnerability.epss_percent"),
            foreseen: model.filter(|_| policy.asks("vulnerability.foreseen_ppm")),
            decision: DECIDED.iter().any(|field| policy.asks(field)),
            id: policy.asks("vulnerability.ids"),
        }
    }

    fn inputs(&self, known: &Known) -> Inputs {
        let score = known.score().filter(|_| self.epss);
        Inputs {
            listed: known.is_listed(),
            exploitation: if self.exploitation { exploitation(known) } else { Exploitation::None },
            epss_percent: score.map_or(0, |score| score.ppm() / 10_000),
            foreseen_ppm: self.foreseen.map(|model| model.forecast_only(known).ppm()),
            // A row that asks for evidence first is never automatic, whether or not a rule asks about it; only what is listed has
            // such a row.
            table: known
                .points()
                .filter(|_| self.decision || known.is_listed())
                .and_then(|points| Some((points.automatable?, points.technical_impact?))),
            id: self.id.then(|| known.id()),
        }
    }
}

fn answer(policy: &Policy, inputs: &Inputs) -> Answer {
    let mut unknown = UNKNOWN.to_vec();
    let mut directive = DirectiveFacts {
        kev: inputs.listed,
        exploitation: inputs.exploitation.as_str(),
        epss_percent: i64::from(inputs.epss_percent),
        vulnerabilities: inputs.id.iter().map(ToString::to_string).collect(),
        assets: 1,
        ..DirectiveFacts::default()
    };
    match inputs.foreseen_ppm {
        Some(_) if inputs.listed => directive.foreseen_ppm = 1_000_000,
        Some(ppm) => directive.foreseen_ppm = i64::from(ppm),
        None => unknown.push("vulnerability.foreseen_ppm"),
    }
    let (automatable, technical_impact) = inputs.table.unwrap_or((Automatable::Yes, TechnicalImpact::Total));
    let table = bod_26_04_inputs(inputs.listed, automatable, technical_impact).table_inputs();
    directive.table = table.table().to_string();
    if inputs.table.is_some() {
        let decided = table.decide();
        directive.row = i64::from(decided.row);
        decided.outcome.clone_into(&mut directive.outcome);
        directive.forensics = bod_26_04::asks_for_forensics(decided.outcome);
    } else {
        unknown.extend(DECIDED);
    }
    if inputs.listed {
        // The catalogue says whether ransomware uses it, and histories do not keep that.
        unknown.push("vulnerability.ransomware");
    }
    let asset = AssetFacts {
        environment: "production",
        criticality: "high",
        exposure: "open",
        reach_ppm: 1_000_000,
        ..AssetFacts::default()
    };
    let rehearsal = RehearsalFacts { upgraded: 1, undo: "proven", ..RehearsalFacts::default() };
    let facts =
        Facts { directive: &directive, asset: &asset, rehearsal: Some(&rehearsal), unknown: &unknown };
    let verdict = policy.verdict(&facts);
    let approval = verdict.map(|verdict| match verdict.approval() {
        Approval::Automatic if directive.forensics => Approval::ONE,
        approval => approval,
    });
    let emergency = verdict.is_some_and(|verdict| verdict.emergency);
    Answer { approval, emergency, missing: policy.missing(&facts) }
}

#[cfg(test)]
mod tests {
    use tenon_policy::Field;

    use super::*;

    #[test]
    fn every_field_is_known_supposed_or_unknown() {
        let supposed = SUPPOSED.iter().map(|(name, _)| *name);
        let mut all: Vec<&str> = FROM_HISTORY.iter().chain(UNKNOWN).copied().chain(supposed).collect();
        let mut fields: Vec<&str> = Field::ALL.iter().map(|field| field.name).collect();
        all.sort_unstable();
        fields.sort_unstable();
        assert_eq!(all, fields);
    }
}
