//! What expressions can ask about: one table of names, types and meanings.

use std::fmt;

use tenon_model::context::{Criticality, Environment};
use tenon_model::{Exploitation, SystemExposure};

/// What a field or an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A text.
    Text,
    /// One of a few words. It compares with texts; one that is none of the words is a mistake of whoever wrote it.
    Word(&'static [&'static str]),
    /// A list of texts.
    Texts,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Text => f.write_str("string"),
            Self::Texts => f.write_str("list of strings"),
            Self::Word(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
                write!(f, "one of {}", words.join(", "))
            }
        }
    }
}

/// What a directive is about, for all its assets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DirectiveFacts {
    /// Whether any of the vulnerabilities is listed in KEV.
    pub kev: bool,
    /// Whether KEV says of any that ransomware uses it.
    pub ransomware: bool,
    /// The strongest state of exploitation of any.
    pub exploitation: &'static str,
    /// The highest EPSS score of any, in percent, rounded down; 0 where none is scored.
    pub epss_percent: i64,
    /// The highest probability that is foreseen of any, in parts per million; a million where KEV lists one.
    pub foreseen_ppm: i64,
    /// What it closes, or what changelogs claim.
    pub vulnerabilities: Vec<String>,
    /// The decision table.
    pub table: String,
    /// Its row.
    pub row: i64,
    /// The row's outcome.
    pub outcome: String,
    /// Whether the row wants evidence preserved first.
    pub forensics: bool,
    /// The source package.
    pub package: String,
    /// The version to reach.
    pub version: String,
    /// Whose work it is.
    pub group: String,
    /// On how many assets.
    pub assets: i64,
    /// Whether a published advisory explains it.
    pub advisory: bool,
}

/// What is said of one asset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AssetFacts {
    /// Host name.
    pub name: String,
    /// What it is used for.
    pub environment: &'static str,
    /// How much depends on it.
    pub criticality: &'static str,
    /// Who can reach it.
    pub exposure: &'static str,
    /// Owner; empty where nobody says.
    pub team: String,
    /// Zone; empty where nobody says.
    pub zone: String,
    /// Redundancy group; empty where nobody says.
    pub redundancy: String,
    /// What it carries.
    pub services: Vec<String>,
    /// Words of people.
    pub tags: Vec<String>,
    /// Whether an attack by what the directive closes there was seen on it.
    pub attacked: bool,
    /// Whether an attacker gets to where the package listens on it within 30 days, at most, in millionths; a million where nobody
    /// can tell.
    pub reach_ppm: i64,
}

/// What a passed rehearsal showed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RehearsalFacts {
    /// Packages removed.
    pub removed: i64,
    /// Packages newly installed.
    pub installed: i64,
    /// Packages upgraded.
    pub upgraded: i64,
    /// Units whose files change: those are restarted.
    pub restarts: i64,
    /// Whether a reboot is asked for.
    pub reboot: bool,
    /// The way back.
    pub undo: &'static str,
    /// Configuration files that a person changed and the packages change too.
    pub conflicts: i64,
    /// How long the transaction took.
    pub seconds: i64,
}

/// Everything that is known when a rule is asked.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'f> {
    /// Of the directive.
    pub directive: &'f DirectiveFacts,
    /// Of the asset.
    pub asset: &'f AssetFacts,
    /// Of its rehearsal; `None` before one passed.
    pub rehearsal: Option<&'f RehearsalFacts>,
    /// Names of fields that are not known, whatever stands in their places above: live facts lack none, history does.
    pub unknown: &'f [&'static str],
}

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'f> {
    Bool(bool),
    Int(i64),
    Text(&'f str),
    Texts(&'f [String]),
}

/// How a value is taken from the facts; `None` where it is not known yet.
type Take = for<'f> fn(&Facts<'f>) -> Option<Value<'f>>;

/// One thing that expressions can ask about.
#[derive(Clone, Copy)]
pub struct Field {
    /// As it is written.
    pub name: &'static str,
    /// What it is.
    pub of: Type,
    /// What it means.
    pub meaning: &'static str,
    take: Take,
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

const EXPLOITATION: Type = Type::Word(&[
    Exploitation::None.as_str(),
    Exploitation::PublicPoc.as_str(),
    Exploitation::Active.as_str(),
]);
const ENVIRONMENT: Type = Type::Word(&[
    Environment::Development.as_str(),
    Environment::Test.as_str(),
    Environment::Staging.as_str(),
    Environment::Production.as_str(),
]);
const CRITICALITY: Type = Type::Word(&[
    Criticality::Low.as_str(),
    Criticality::Medium.as_str(),
    Criticality::High.as_str(),
    Criticality::Critical.as_str(),
    "unstated",
]);
const EXPOSURE: Type = Type::Word(&[
    SystemExposure::Small.as_str(),
    SystemExposure::Controlled.as_str(),
    SystemExposure::Open.as_str(),
    "unstated",
]);
const UNDO: Type = Type::Word(&["proven", "possible", "not possible"]);

const fn field(name: &'static str, of: Type, meaning: &'static str, take: Take) -> Field {
    Field { name, of, meaning, take }
}

impl Field {
    /// Every field, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        field(
            "vulnerability.kev",
            Type::Bool,
            "any of its vulnerabilities is listed in KEV: exploited somewhere",
            |facts| Some(Value::Bool(facts.directive.kev)),
        ),
        field(
            "vulnerability.ransomware",
            Type::Bool,
            "KEV says of any of them that ransomware uses it",
            |facts| Some(Value::Bool(facts.directive.ransomware)),
        ),
        field(
            "vulnerability.exploitation",
            EXPLOITATION,
            "the strongest state of exploitation that is known of any of them",
            |facts| Some(Value::Text(facts.directive.exploitation)),
        ),
        field(
            "vulnerability.epss_percent",
            Type::Int,
            "the highest EPSS score of any of them, in percent, rounded down; 0 where none is scored",
            |facts| Some(Value::Int(facts.directive.epss_percent)),
        ),
        field(
            "vulnerability.foreseen_ppm",
            Type::Int,
            "the highest probability that is foreseen of any of them, in millionths (1000 is 0.1 %); a million where KEV lists one, 0 where nothing is foreseen",
            |facts| Some(Value::Int(facts.directive.foreseen_ppm)),
        ),
        field(
            "vulnerability.ids",
            Type::Texts,
            "the vulnerabilities that it closes or that changelogs claim",
            |facts| Some(Value::Texts(&facts.directive.vulnerabilities)),
        ),
        field("decision.table", Type::Text, "the decision table that decided, with its version", |facts| {
            Some(Value::Text(&facts.directive.table))
        }),
        field("decision.row", Type::Int, "the row of that table, as published", |facts| {
            Some(Value::Int(facts.directive.row))
        }),
        field("decision.outcome", Type::Text, "the outcome of that row, as published", |facts| {
            Some(Value::Text(&facts.directive.outcome))
        }),
        field(
            "decision.forensics",
            Type::Bool,
            "the row wants evidence preserved before anything changes, be it sealed by now or not",
            |facts| Some(Value::Bool(facts.directive.forensics)),
        ),
        field("directive.package", Type::Text, "the source package", |facts| {
            Some(Value::Text(&facts.directive.package))
        }),
        field("directive.version", Type::Text, "the source version to reach", |facts| {
            Some(Value::Text(&facts.directive.version))
        }),
        field("directive.group", Type::Text, "the group of hosts whose work it is", |facts| {
            Some(Value::Text(&facts.directive.group))
        }),
        field("directive.assets", Type::Int, "on how many assets", |facts| {
            Some(Value::Int(facts.directive.assets))
        }),
        field(
            "directive.advisory",
            Type::Bool,
            "a published advisory explains it; without one it is a vendor's update",
            |facts| Some(Value::Bool(facts.directive.advisory)),
        ),
        field("asset.name", Type::Text, "the host name", |facts| Some(Value::Text(&facts.asset.name))),
        field(
            "asset.environment",
            ENVIRONMENT,
            "what it is used for; `production` where nobody says",
            |facts| Some(Value::Text(facts.asset.environment)),
        ),
        field("asset.criticality", CRITICALITY, "how much depends on it", |facts| {
            Some(Value::Text(facts.asset.criticality))
        }),
        field("asset.exposure", EXPOSURE, "who can reach it", |facts| {
            Some(Value::Text(facts.asset.exposure))
        }),
        field("asset.team", Type::Text, "its owner; empty where nobody says", |facts| {
            Some(Value::Text(&facts.asset.team))
        }),
        field("asset.zone", Type::Text, "the zone it stands in; empty where nobody says", |facts| {
            Some(Value::Text(&facts.asset.zone))
        }),
        field("asset.redundancy", Type::Text, "what stands in for it; empty where nobody says", |facts| {
            Some(Value::Text(&facts.asset.redundancy))
        }),
        field("asset.services", Type::Texts, "the services that it carries", |facts| {
            Some(Value::Texts(&facts.asset.services))
        }),
        field("asset.tags", Type::Texts, "words that people gave it", |facts| {
            Some(Value::Texts(&facts.asset.tags))
        }),
        field(
            "asset.attacked",
            Type::Bool,
            "a sensor reported an attack on it, by a vulnerability that this closes there",
            |facts| Some(Value::Bool(facts.asset.attacked)),
        ),
        field(
            "asset.reach_ppm",
            Type::Int,
            "how likely an attacker gets to where the package listens on it within 30 days, at most, over zones and flows, in \
             millionths; a million where nobody can tell",
            |facts| Some(Value::Int(facts.asset.reach_ppm)),
        ),
        field("rehearsal.removed", Type::Int, "packages that the change removes", |facts| {
            Some(Value::Int(facts.rehearsal?.removed))
        }),
        field("rehearsal.installed", Type::Int, "packages that the change installs anew", |facts| {
            Some(Value::Int(facts.rehearsal?.installed))
        }),
        field("rehearsal.upgraded", Type::Int, "packages that the change upgrades", |facts| {
            Some(Value::Int(facts.rehearsal?.upgraded))
        }),
        field("rehearsal.restarts", Type::Int, "units whose files change, which are restarted", |facts| {
            Some(Value::Int(facts.rehearsal?.restarts))
        }),
        field("rehearsal.reboot", Type::Bool, "the new packages ask for a reboot", |facts| {
            Some(Value::Bool(facts.rehearsal?.reboot))
        }),
        field(
            "rehearsal.undo",
            UNDO,
            "the way back; without one nothing is automatic, whatever rules say",
            |facts| Some(Value::Text(facts.rehearsal?.undo)),
        ),
        field(
            "rehearsal.conflicts",
            Type::Int,
            "configuration files that a person changed and the packages change too",
            |facts| Some(Value::Int(facts.rehearsal?.conflicts)),
        ),
        field("rehearsal.seconds", Type::Int, "how long it took", |facts| {
            Some(Value::Int(facts.rehearsal?.seconds))
        }),
    ];

    /// The field of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|field| field.name == name).copied()
    }

    /// The field whose name is nearest, where one is near.
    pub(crate) fn near(name: &str) -> Option<&'static str> {
        nearest(name, Self::ALL.iter().map(|field| field.name))
    }

    pub(crate) fn value<'f>(&self, facts: &Facts<'f>) -> Option<Value<'f>> {
        if facts.unknown.contains(&self.name) {
            return None;
        }
        (self.take)(facts)
    }
}

/// Longest text to which a word is looked for, in bytes: twice as long as any word it could be near to.
const MAX_WRONG: usize = 120;

/// Of some words the one that fewest changes of a letter lead to; none where that would be half of it.
pub fn nearest<'w>(wrong: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    if wrong.len() > MAX_WRONG {
        return None;
    }
    let near = words.map(|word| (distance(wrong, word), word)).min_by_key(|(far, _)| *far)?;
    (near.0 * 2 <= near.1.chars().count()).then_some(near.1)
}

/// How many letters to change, add or leave out (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut corner = line;
        row[0] = line + 1;
        for (column, other) in to.iter().enumerate() {
            let changed = corner + usize::from(letter != *other);
            corner = row[column + 1];
            row[column + 1] = changed.min(corner + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
