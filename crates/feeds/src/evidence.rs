//! Lists of public exploit evidence: CSV with a header line, one row a CVE.
//!
//! The lists are derived from public repositories by whoever keeps a mirror; there is no published format. Columns are
//! found by their names, so that further ones do no harm.

use std::io::{self, BufRead};

use tenon_formats::FormatError;
use tenon_model::{Timestamp, VulnerabilityId};

use crate::error::FeedError;
use crate::lines::Lines;
use crate::name::EvidenceKind;
use crate::problem::Ledger;
use crate::store::{Evidence, cve_key};

/// Longest line, in bytes; the longest seen is below 1 KiB.
const MAX_LINE: usize = 64 << 10;
/// Most rows; the longest list has 24,273.
const MAX_ROWS: u64 = 2_000_000;

impl EvidenceKind {
    /// Its file in a mirror's folder `exploits`.
    pub(crate) fn file(self) -> &'static str {
        match self {
            Self::GithubPoc => "github_poc.csv",
            Self::Metasploit => "metasploit_cve_modules.csv",
            Self::ExploitDb => "exploitdb_cve_map.csv",
            Self::InTheWild => "inthewild_reports.csv",
        }
    }

    /// The columns read: of the date, of its being only a bound, and of what is counted.
    fn columns(self) -> (Option<&'static str>, Option<&'static str>, &'static [&'static str]) {
        match self {
            Self::GithubPoc => {
                (Some("first_seen"), Some("first_seen_is_baseline"), &["repos_listed_a", "repos_named_b"])
            }
            Self::Metasploit => (Some("first_seen"), Some("first_seen_is_baseline"), &["modules"]),
            Self::ExploitDb => (None, None, &["edb_ids"]),
            Self::InTheWild => (Some("first_reported"), None, &[]),
        }
    }
}

/// A list as it was read.
#[derive(Debug)]
pub(crate) struct EvidenceList {
    /// Sorted by id, one for each; of doubled rows the first counts.
    pub(crate) entries: Vec<(VulnerabilityId, Evidence)>,
    /// Rows, read or not.
    pub(crate) rows: u64,
    /// The newest date.
    pub(crate) newest: Option<Timestamp>,
}

/// Where the columns of a list are.
struct Columns {
    kind: EvidenceKind,
    cve: usize,
    date: Option<(usize, &'static str)>,
    bound: Option<usize>,
    counts: Vec<(usize, &'static str)>,
}

/// Reads a list. A row that cannot be read is a problem and the rest is kept.
///
/// # Errors
/// When the list lacks a column, is longer than accepted, or a line is too long or not UTF-8.
pub(crate) fn read(
    kind: EvidenceKind,
    list: impl BufRead,
    ledger: &mut Ledger,
) -> Result<EvidenceList, FeedError> {
    let feed = ledger.feed().to_string();
    let broken = |error: io::Error| FeedError::Archive {
        feed: feed.clone(),
        reason: format!("{}: {error}", kind.file()),
    };
    let mut lines = Lines::new(list, MAX_LINE);
    let header = lines.next().map_err(broken)?.unwrap_or_default();
    let columns =
        Columns::find(kind, header).map_err(|source| FeedError::Format { feed: feed.clone(), source })?;
    let mut read = EvidenceList { entries: Vec::new(), rows: 0, newest: None };
    loop {
        let number = lines.number() + 1;
        let Some(line) = lines.next().map_err(broken)? else { break };
        if line.is_empty() {
            continue;
        }
        read.rows += 1;
        if read.rows > MAX_ROWS {
            return Err(FeedError::TooLarge { feed, what: "rows", limit: MAX_ROWS });
        }
        let (id, outcome) = columns.read(line);
        match (id, outcome) {
            (Some(id), Ok(evidence)) => {
                read.newest = read.newest.max(evidence.first_seen);
                read.entries.push((id, evidence));
            }
            (id, Err((field, reason))) => {
                let record = match &id {
                    Some(id) => format!("{id} (line {number})"),
                    None => format!("line {number}"),
                };
                ledger.add(kind.file(), id.as_ref(), &record, field.to_owned(), reason);
            }
            (None, Ok(_)) => {}
        }
    }
    read.entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    read.entries.dedup_by(|(later, _), (kept, _)| {
        let double = later == kept;
        if double {
            let reason = "listed more than once; the first row is kept".to_owned();
            ledger.note(kind.file(), later.as_str(), "cve".to_owned(), reason);
        }
        double
    });
    Ok(read)
}

type Row = (Option<VulnerabilityId>, Result<Evidence, (&'static str, String)>);

impl Columns {
    fn find(kind: EvidenceKind, header: &str) -> Result<Self, FormatError> {
        let place = |name: &'static str| {
            let found = header.split(',').position(|column| column.trim() == name);
            found.ok_or_else(|| FormatError::Field {
                field: name,
                value: header.chars().take(80).collect(),
                expected: "a column of this name on the first line",
            })
        };
        let (date, bound, counts) = kind.columns();
        Ok(Self {
            kind,
            cve: place("cve")?,
            date: date.map(|name| Ok((place(name)?, name))).transpose()?,
            bound: bound.map(place).transpose()?,
            counts: counts.iter().map(|name| Ok((place(name)?, *name))).collect::<Result<_, _>>()?,
        })
    }

    /// The row, with its id as far as that can be read.
    fn read(&self, line: &str) -> Row {
        let column = |place: usize| line.split(',').nth(place).map_or("", str::trim);
        let wrong = |field, value: &str, expected: &str| {
            let value: String = value.chars().take(80).collect();
            (field, format!("field {field} is {value:?}; expected {expected}"))
        };
        let text = column(self.cve);
        let Some(id) = text.parse::<VulnerabilityId>().ok().filter(|id| cve_key(id.as_str()).is_some())
        else {
            return (None, Err(wrong("cve", text, "a CVE id")));
        };
        let mut evidence = Evidence { kind: self.kind, first_seen: None, on_or_before: false, count: 0 };
        if let Some((place, name)) = self.date {
            let text = column(place);
            evidence.first_seen = Timestamp::parse(text);
            if evidence.first_seen.is_none() {
                return (Some(id), Err(wrong(name, text, "a date or an RFC 3339 time")));
            }
        }
        if let Some(place) = self.bound {
            evidence.on_or_before = match column(place) {
                "0" => false,
                "1" => true,
                other => return (Some(id), Err(wrong("first_seen_is_baseline", other, "0 or 1"))),
            };
        }
        for (place, name) in &self.counts {
            let text = column(*place);
            let count = match name.starts_with("repos_") {
                // Empty where only the other list has it.
                true if text.is_empty() => Some(0),
                true => text.parse().ok(),
                false => u32::try_from(text.split_ascii_whitespace().count()).ok(),
            };
            match count {
                Some(count) => evidence.count = evidence.count.saturating_add(count),
                None => return (Some(id), Err(wrong(name, text, "a whole number"))),
            }
        }
        if self.counts.is_empty() {
            evidence.count = 1;
        }
        (Some(id), Ok(evidence))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::name::FeedName;

    fn read_text(kind: EvidenceKind, text: &[u8]) -> (Result<EvidenceList, FeedError>, Ledger) {
        let mut ledger = Ledger::new(FeedName::Exploits(kind));
        let list = read(kind, text, &mut ledger);
        (list, ledger)
    }

    #[test]
    fn a_bad_row_is_named_and_the_rest_is_kept() {
        let text = "cve,first_seen,source,first_seen_is_baseline,repos_listed_a,repos_named_b\n\
            CVE-2024-0001,2024-02-01,A,1,2,3\nCVE-2024-0002,yesterday,A,0,1,1\nnonsense,2024-02-01,A,0,1,1\n\
            CVE-2024-0003,2024-02-02,B,0,,4\r\n";
        let (list, ledger) = read_text(EvidenceKind::GithubPoc, text.as_bytes());
        let list = list.unwrap();
        assert_eq!((list.entries.len(), list.rows), (2, 4));
        assert_eq!(list.entries[0].1.count, 5);
        assert!(list.entries[0].1.on_or_before);
        assert_eq!(list.newest, Timestamp::parse("2024-02-02"));
        let told: Vec<_> = ledger.listed().iter().map(|p| (p.record.as_str(), p.field.as_str())).collect();
        assert_eq!(told, [("CVE-2024-0002 (line 3)", "first_seen"), ("line 4", "cve")]);
        // A row without a readable id could be about anything.
        assert!(!ledger.proves_absence_of("CVE-2020-0001"));
    }

    #[test]
    fn whole_lists_are_refused_for_what_no_row_can_be_blamed_for() {
        let (list, _) = read_text(EvidenceKind::InTheWild, b"cve,when\nCVE-2024-0001,2024-01-01\n");
        assert!(list.unwrap_err().to_string().contains("first_reported"));
        let mut long = b"cve,edb_ids\nCVE-2024-0001,".to_vec();
        long.resize(MAX_LINE + 100, b'1');
        let (list, _) = read_text(EvidenceKind::ExploitDb, &long);
        assert!(
            list.unwrap_err().to_string().contains("exploitdb_cve_map.csv: line 2: it is longer than 65536")
        );
        let (list, _) = read_text(EvidenceKind::ExploitDb, b"cve,edb_ids\nCVE-2024-0001,1\nCVE-\xff,2\n");
        assert!(list.unwrap_err().to_string().contains("line 3: it is not UTF-8 from byte 5"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), headed in any::<bool>()) {
            for kind in EvidenceKind::ALL {
                let (date, bound, counts) = kind.columns();
                let names = std::iter::once("cve").chain(date).chain(bound).chain(counts.iter().copied());
                let mut text = if headed { names.collect::<Vec<_>>().join(",").into_bytes() } else { Vec::new() };
                text.push(b'\n');
                text.extend_from_slice(&bytes);
                let (list, ledger) = read_text(kind, &text);
                if let Ok(list) = list {
                    prop_assert!(list.entries.len() as u64 + ledger.total() >= list.rows);
                }
            }
        }

        #[test]
        fn any_rows_are_read_or_named(rows in prop::collection::vec("(CVE-20[0-9]{2}-[0-9]{3,6}|x)?,(2024-0[0-9]-[0-9]{2})?,[01a]?,[0-9a]{0,2},[0-9]{0,2}", 0..20)) {
            let text = format!("cve,first_seen,first_seen_is_baseline,repos_listed_a,repos_named_b\n{}\n", rows.join("\n"));
            let (list, ledger) = read_text(EvidenceKind::GithubPoc, text.as_bytes());
            prop_assert_eq!(list.unwrap().entries.len() as u64 + ledger.total(), rows.len() as u64);
        }
    }
}
