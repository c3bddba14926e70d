//! `modified_id.csv` of the public OSV bucket: which records changed when, newest first.

use std::io::{self, BufReader, Read};

use tenon_model::{Timestamp, VulnerabilityId};

use crate::lines::Lines;

/// Longest line, in bytes: a time, a comma and an id of at most 128 bytes.
const MAX_LINE: usize = 256;

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Changes {
    /// These records, newest first.
    Some(Vec<(Timestamp, VulnerabilityId)>),
    /// More than were asked for.
    TooMany,
}

/// Reads the records that changed at `since` or later, and stops at the first older one: what follows is known. A
/// record that changed in the very instant may be new, so it is among them.
///
/// # Errors
/// Those of the reader; `InvalidData` for a line that is not `TIME,ID`, or that is newer than the one before it: what
/// comes after such a line cannot be trusted to be older.
pub(crate) fn read(list: impl Read, since: Timestamp, most: usize) -> io::Result<Changes> {
    let mut lines = Lines::new(BufReader::new(list), MAX_LINE);
    let mut changes: Vec<(Timestamp, VulnerabilityId)> = Vec::new();
    loop {
        let number = lines.number() + 1;
        let Some(line) = lines.next()? else { return Ok(Changes::Some(changes)) };
        if line.is_empty() {
            continue;
        }
        let wrong = |what: &str| {
            let line: String = line.chars().take(80).collect();
            io::Error::new(io::ErrorKind::InvalidData, format!("line {number}: {line:?} {what}"))
        };
        let (time, id) = line.split_once(',').ok_or_else(|| wrong("is not TIME,ID"))?;
        let time = Timestamp::parse(time).ok_or_else(|| wrong("has no readable time"))?;
        let id = id.parse().map_err(|_| wrong("has no readable id"))?;
        if changes.last().is_some_and(|(newer, _)| time > *newer) {
            return Err(wrong("is newer than the line before it"));
        }
        if time < since {
            return Ok(Changes::Some(changes));
        }
        if changes.len() == most {
            return Ok(Changes::TooMany);
        }
        changes.push((time, id));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn time(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    #[test]
    fn reading_stops_at_what_is_known() {
        let text = "2026-08-08T18:32:11.5Z,DSA-3-1\n2026-08-08T10:00:00Z,DSA-2-1\n2026-08-07T10:00:00Z,DSA-1-1\nnot reached";
        let since = Timestamp::parse("2026-08-08T10:00:00Z").unwrap();
        let Changes::Some(changes) = read(text.as_bytes(), since, 10).unwrap() else { panic!("{text}") };
        assert_eq!(changes.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), ["DSA-3-1", "DSA-2-1"]);
        assert_eq!(read(text.as_bytes(), since, 1).unwrap(), Changes::TooMany);
        let swapped = "2026-08-07T10:00:00Z,DSA-1-1\n2026-08-08T10:00:00Z,DSA-2-1\n";
        let error = read(swapped.as_bytes(), time(0), 10).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("newer"), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(bytes.as_slice(), time(0), 10);
        }

        #[test]
        fn what_changed_since_is_all_there(mut times in prop::collection::vec(0_i64..50, 0..30), since in 0_i64..50) {
            times.sort_unstable_by(|a, b| b.cmp(a));
            let text: String = times.iter().enumerate().map(|(n, at)| format!("{},X-{n}\n", time(*at))).collect();
            let Changes::Some(changes) = read(text.as_bytes(), time(since), 100).unwrap() else { panic!() };
            prop_assert_eq!(changes.len(), times.iter().filter(|at| **at >= since).count());
        }
    }
}
