//! A regulation as it is told.

use serde::{Deserialize, Serialize};
use tenon_risk::regulation::Regulation;
use utoipa::ToSchema;

/// A due-date rule that was adopted as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegulationView {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its title.
    pub title: String,
    /// Where it is from.
    pub source: String,
    /// It counts for what is raised from then on, RFC 3339.
    pub effective: String,
    /// What starts its clock: `raised`, `listed` or `released`.
    pub from: String,
    /// Published clocks that do not count besides it.
    pub replaces: Vec<String>,
    /// What it asks.
    pub columns: Vec<String>,
    /// How many rows it has.
    pub rows: u64,
    /// The file, as it was written.
    pub text: String,
}

impl RegulationView {
    /// A regulation and its file.
    pub fn of(regulation: &Regulation, text: &str) -> Self {
        let table = regulation.table();
        Self {
            id: table.id().to_owned(),
            version: table.version().to_owned(),
            title: table.title().to_owned(),
            source: table.source().to_owned(),
            effective: regulation.effective().to_string(),
            from: regulation.start().to_string(),
            replaces: regulation.replaces().map(|clock| clock.to_string()).collect(),
            columns: table.columns().iter().map(|column| column.header().to_owned()).collect(),
            rows: u64::try_from(table.rows().count()).unwrap_or(u64::MAX),
            text: text.to_owned(),
        }
    }
}
