//! Due-date rules that are read from a file: a new regulation, a contract, a rule of one's own.
//!
//! ```text
//! # id: nis2-acme            the table, as crate::tables reads it: these four lines,
//! # version: 1
//! # title: ...
//! # source: ...
//! # effective: 2027-01-01    counts for what is raised from that day on (UTC)
//! # from: raised             the clock starts: raised, listed or released
//! # replaces: bod-26-04      published clocks that do not count besides it; optional
//! row,Exploitation,Severity,due
//! 0,active,critical,24 hours
//! ...
//! ```

use std::collections::BTreeSet;

use tenon_model::{ClockRule, Timestamp};

use crate::points::{
    Automatable, Exploitation, HumanImpact, MissionAndWellBeing, SystemExposure, TechnicalImpact,
    decision_point,
};
use crate::sla::{Due, Severity};
use crate::tables::{self, Decided, Table, TableError};

/// Largest file, in bytes.
pub const MAX_BYTES: usize = 32 << 10;
/// Most regulations that count at once, all versions.
pub const MAX_REGULATIONS: usize = 32;
/// Longest id or version, in bytes.
const MAX_NAME: usize = 64;

decision_point! {
    /// What starts the clock of a regulation.
    Start {
        /// When the directive was raised: from then on it is known that something is to be done.
        Raised = "raised",
        /// The listing in KEV; of what is not listed, when it was raised. A listing of before that does not count earlier.
        Listed = "listed",
        /// The release of the fix: when the advisory was published; where none says when, when it was raised.
        Released = "released",
    }
}

decision_point! {
    /// Whether it is so.
    Answer {
        /// It is not.
        No = "no",
        /// It is.
        Yes = "yes",
    }
}

impl From<bool> for Answer {
    fn from(is: bool) -> Self {
        if is { Self::Yes } else { Self::No }
    }
}

/// What a regulation may ask of one vulnerability on assets of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Listed in the KEV catalogue.
    pub in_kev: Answer,
    /// An attack by it was seen on these assets.
    pub attacked: Answer,
    /// SSVC Exploitation.
    pub exploitation: Exploitation,
    /// Severity by CVSS.
    pub severity: Severity,
    /// SSVC Automatable.
    pub automatable: Automatable,
    /// SSVC Technical Impact.
    pub technical_impact: TechnicalImpact,
    /// SSVC System Exposure.
    pub exposure: SystemExposure,
    /// SSVC Human Impact.
    pub human_impact: HumanImpact,
    /// SSVC Mission and Well-Being Impact.
    pub mission: MissionAndWellBeing,
}

/// A column that a regulation may have: its name, its values in published order, and the value of what is asked.
struct Column {
    name: &'static str,
    values: fn() -> Vec<&'static str>,
    of: fn(&Asked) -> &'static str,
}

macro_rules! column {
    ($name:literal, $point:ident, $of:expr) => {
        Column {
            name: $name,
            values: || $point::ALL.iter().map(|value| value.as_str()).collect(),
            of: |asked| {
                let value: fn(&Asked) -> $point = $of;
                value(asked).as_str()
            },
        }
    };
}

static COLUMNS: [Column; 10] = [
    column!("In KEV", Answer, |asked| asked.in_kev),
    column!("Attack Seen", Answer, |asked| asked.attacked),
    column!("Exploitation", Exploitation, |asked| asked.exploitation),
    column!("Severity", Severity, |asked| asked.severity),
    column!("Automatable", Automatable, |asked| asked.automatable),
    column!("Technical Impact", TechnicalImpact, |asked| asked.technical_impact),
    column!("Publicly Exposed", Answer, |asked| Answer::from(asked.exposure == SystemExposure::Open)),
    column!("System Exposure", SystemExposure, |asked| asked.exposure),
    column!("Human Impact", HumanImpact, |asked| asked.human_impact),
    column!("Mission and Well-Being Impact", MissionAndWellBeing, |asked| asked.mission),
];

/// Why a text is no regulation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegulationError {
    /// Over the size limit.
    #[error("it has {bytes} bytes; a regulation has at most {MAX_BYTES}")]
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// It is no table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// An id or a version that cannot name it.
    #[error("its {key} {value:?} is not 1 to {MAX_NAME} lower-case letters, digits, \".\" and \"-\"")]
    Name {
        /// Which of both.
        key: &'static str,
        /// As written.
        value: String,
    },
    /// The id of a published table.
    #[error("its id {id} is that of a published table; choose another")]
    Published {
        /// The id.
        id: String,
    },
    /// A leading line with a value that it cannot have.
    #[error("\"# {key}: {value}\": it is {expected}")]
    Meta {
        /// The key.
        key: &'static str,
        /// As written.
        value: String,
        /// What it can be.
        expected: String,
    },
    /// A column that nothing is known for.
    #[error("nothing is known for the column {column:?}; there are {}", COLUMNS.each_ref().map(|one| one.name).join(", "))]
    Column {
        /// As written.
        column: String,
    },
    /// A column whose values are not the published ones.
    #[error("the column {column} has the values {}, each of which needs its rows", expected.join(", "))]
    Values {
        /// As written.
        column: String,
        /// The published values.
        expected: Vec<&'static str>,
    },
    /// An outcome that says no time.
    #[error("the outcome {outcome:?} is none of \"24 hours\", \"14 days\", \"3 months\" or \"no date\"")]
    Outcome {
        /// As written.
        outcome: String,
    },
}

/// A due-date rule as its file states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regulation {
    table: Table,
    effective: Timestamp,
    start: Start,
    replaces: BTreeSet<ClockRule>,
}

impl Regulation {
    /// Reads a regulation.
    ///
    /// # Errors
    /// [`RegulationError`], the first that there is.
    pub fn read(text: &str) -> Result<Self, RegulationError> {
        if text.len() > MAX_BYTES {
            return Err(RegulationError::TooLarge { bytes: text.len() });
        }
        let table = Table::read(text)?;
        for (key, value) in [("id", table.id()), ("version", table.version())] {
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
            if value.is_empty() || value.len() > MAX_NAME || !value.bytes().all(plain) {
                return Err(RegulationError::Name { key, value: value.to_owned() });
            }
        }
        if tables::by_id(table.id()).is_some() {
            return Err(RegulationError::Published { id: table.id().to_owned() });
        }
        let written = |key: &'static str| tables::meta(text, key).ok_or(TableError::NoMeta { key });
        let meta = |key, value: &str, expected: &str| RegulationError::Meta {
            key,
            value: value.to_owned(),
            expected: expected.to_owned(),
        };
        let day = written("effective")?;
        let effective = Timestamp::parse(&day).filter(|_| day.len() == "2027-01-01".len());
        let effective = effective.ok_or_else(|| meta("effective", &day, "a day as in 2027-01-01"))?;
        let from = written("from")?;
        let start = Start::parse(&from).ok_or_else(|| meta("from", &from, &known(Start::ALL)))?;
        let names = tables::meta(text, "replaces").unwrap_or_default();
        let named = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        let clock =
            |name| ClockRule::parse(name).ok_or_else(|| meta("replaces", name, &known(ClockRule::ALL)));
        let replaces = named.map(clock).collect::<Result<_, _>>()?;
        for column in table.columns() {
            let unknown = || RegulationError::Column { column: column.header().to_owned() };
            let expected = (column_of(column.name()).ok_or_else(unknown)?.values)();
            if column.values().collect::<BTreeSet<_>>() != expected.iter().copied().collect() {
                return Err(RegulationError::Values { column: column.header().to_owned(), expected });
            }
        }
        for inputs in table.rows() {
            let outcome = inputs.decide().outcome;
            if !matches!(Due::parse(outcome), Some(due) if due != Due::KevDueDate) {
                return Err(RegulationError::Outcome { outcome: outcome.to_owned() });
            }
        }
        Ok(Self { table, effective, start, replaces })
    }

    /// Its table.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// It counts for what is raised from then on.
    pub fn effective(&self) -> Timestamp {
        self.effective
    }

    /// What starts its clock.
    pub fn start(&self) -> Start {
        self.start
    }

    /// Published clocks that do not count besides it.
    pub fn replaces(&self) -> impl Iterator<Item = ClockRule> + '_ {
        self.replaces.iter().copied()
    }

    /// When what is asked is due, and the row that says so.
    pub fn decide(&self, asked: &Asked) -> (Due, Decided<'_>) {
        let value = |column: &tables::Column| column_of(column.name()).map_or("", |known| (known.of)(asked));
        let columns = self.table.columns().iter();
        let pairs: Vec<(&str, &str)> = columns.map(|column| (column.header(), value(column))).collect();
        // Every column was held against what is known when it was read, so that there is a row.
        let decided =
            self.table.decide(&pairs).unwrap_or(Decided { table: &self.table, row: 0, outcome: "" });
        (Due::parse(decided.outcome).unwrap_or(Due::NoDate), decided)
    }
}

fn column_of(name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.name == name)
}

fn known<T: std::fmt::Display>(all: &[T]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    format!("one of {}", all.join(", "))
}

/// The regulations that were adopted, each version of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regulations(Vec<Regulation>);

/// Why regulations cannot count together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegulationsError {
    /// One that cannot be read.
    #[error("regulation {at}: {why}")]
    Unreadable {
        /// Which, from 1.
        at: usize,
        /// Why.
        why: RegulationError,
    },
    /// Two that cannot be told apart.
    #[error("{id} is there twice with version {version}, or from the same day on; withdraw one of them")]
    Twice {
        /// Its id.
        id: String,
        /// The version of the later one.
        version: String,
    },
    /// Over the limit.
    #[error(
        "{count} regulations; at most {MAX_REGULATIONS} count at once, withdraw what no directive is held to any more"
    )]
    TooMany {
        /// How many there are.
        count: usize,
    },
}

impl Regulations {
    /// Reads the files of all.
    ///
    /// # Errors
    /// [`RegulationsError`], the first that there is.
    pub fn read<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, RegulationsError> {
        let mut all: Vec<Regulation> = Vec::new();
        for (at, text) in texts.into_iter().enumerate() {
            let one =
                Regulation::read(text).map_err(|why| RegulationsError::Unreadable { at: at + 1, why })?;
            let (id, version) = (one.table.id(), one.table.version());
            let same = |other: &Regulation| {
                other.table.id() == id
                    && (other.table.version() == version || other.effective == one.effective)
            };
            if all.iter().any(same) {
                return Err(RegulationsError::Twice { id: id.to_owned(), version: version.to_owned() });
            }
            all.push(one);
        }
        if all.len() > MAX_REGULATIONS {
            return Err(RegulationsError::TooMany { count: all.len() });
        }
        Ok(Self(all))
    }

    /// All of them, in the order in which they were adopted.
    pub fn all(&self) -> &[Regulation] {
        &self.0
    }

    /// Those that count for what was raised then: of several versions the one that was in effect.
    pub fn counting(&self, raised: Timestamp) -> impl Iterator<Item = &Regulation> {
        let in_effect = move |one: &&Regulation| one.effective <= raised;
        let is_newest = move |one: &Regulation| {
            let others = self.0.iter().filter(in_effect).filter(|other| other.table.id() == one.table.id());
            others.map(|other| other.effective).max() == Some(one.effective)
        };
        self.0.iter().filter(in_effect).filter(move |one| is_newest(one))
    }

    /// Whether one of them takes the place of a published clock for what was raised then.
    pub fn replace(&self, clock: ClockRule, raised: Timestamp) -> bool {
        self.counting(raised).any(|one| one.replaces.contains(&clock))
    }
}
