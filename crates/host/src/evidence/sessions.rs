//! Who is logged in: what the login manager and `utmp` say.

use std::fs;
use std::path::Path;

use tenon_model::{EvidencePart, EvidenceSession, Timestamp};

use super::budget::{Gaps, escaped, fitting};
use crate::files;

/// The login manager's own files, one a session.
const SESSIONS: &str = "/run/systemd/sessions";
/// utmp(5).
const UTMP: &str = "/run/utmp";
/// Bytes of the list, as it is encoded.
const BYTES: usize = 64 << 10;
const MAX_FILE: u64 = 16 << 10;
const MAX_UTMP: u64 = 1 << 20;
const MAX_SESSIONS: usize = 1_000;
/// Size of a record of `utmp`, and the type of one of somebody who is logged in, where longs are of 64 bits and times of 32.
const RECORD: usize = 384;
const USER_PROCESS: u16 = 7;

pub(super) fn sessions(gaps: &mut Gaps) -> Vec<EvidenceSession> {
    let part = EvidencePart::Sessions;
    let mut found = Vec::new();
    let listed = fs::read_dir(SESSIONS);
    let utmp = files::read_if_any(Path::new(UTMP), MAX_UTMP);
    if listed.is_err() && matches!(utmp, Ok(None)) {
        gaps.add(part, format!("neither {SESSIONS} nor {UTMP} is there"));
    }
    for entry in listed.into_iter().flatten().filter_map(Result::ok).take(MAX_SESSIONS) {
        // Pipes by which the login manager knows that a session lasts lie beside them.
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            match files::read_text(&entry.path(), MAX_FILE) {
                Ok(text) => found.extend(of_login_manager(&text)),
                Err(error) => gaps.add(part, error.to_string()),
            }
        }
    }
    match utmp {
        Ok(Some(bytes)) if cfg!(target_arch = "x86_64") && bytes.len().is_multiple_of(RECORD) => {
            found.extend(bytes.chunks_exact(RECORD).filter_map(of_utmp));
        }
        Ok(Some(_)) => gaps.add(part, format!("{UTMP} is of another form than is read")),
        Ok(None) => {}
        Err(error) => gaps.add(part, error.to_string()),
    }
    found.sort_unstable();
    found.dedup();
    let (kept, out) = fitting(found, BYTES);
    gaps.count(part, out, "sessions are left out: there are more than fit");
    kept
}

/// `USER=mira` and so on. The file says of itself that it is private to the login manager: what is not there is left empty.
fn of_login_manager(text: &str) -> Option<EvidenceSession> {
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches('"')
    };
    let since = value("REALTIME").parse::<i64>().ok().map(|micros| Timestamp::from_millis(micros / 1_000));
    let line = [value("TTY"), value("SEAT"), value("SERVICE")].into_iter().find(|line| !line.is_empty());
    (!value("USER").is_empty()).then(|| EvidenceSession {
        user: escaped(value("USER").as_bytes()),
        line: escaped(line.unwrap_or_default().as_bytes()),
        from: escaped(value("REMOTE_HOST").as_bytes()),
        since,
        pid: value("LEADER").parse().unwrap_or(0),
    })
}

/// A record of `utmp`, where somebody is logged in.
fn of_utmp(record: &[u8]) -> Option<EvidenceSession> {
    let word = |at: usize| Some(u32::from_ne_bytes(record.get(at..at + 4)?.try_into().ok()?));
    let text = |from: usize, len: usize| {
        let bytes = record.get(from..from + len).unwrap_or_default();
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        escaped(&bytes[..end])
    };
    let kind = u16::from_ne_bytes(record.get(..2)?.try_into().ok()?);
    (kind == USER_PROCESS).then(|| EvidenceSession {
        pid: word(4).unwrap_or(0),
        line: text(8, 32),
        user: text(44, 32),
        from: text(76, 256),
        since: word(340).map(|seconds| Timestamp::from_millis(i64::from(seconds) * 1_000)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_records_of_a_login_are_read() {
        let text = "# This is private data. Do not parse.\nUID=1000\nUSER=mira\nREMOTE=1\nREMOTE_HOST=192.0.2.7\nSERVICE=sshd\n\
                    LEADER=812\nREALTIME=1781524800000000\n";
        let session = of_login_manager(text).unwrap();
        assert_eq!(
            (session.user.as_str(), session.line.as_str(), session.from.as_str()),
            ("mira", "sshd", "192.0.2.7")
        );
        assert_eq!((session.pid, session.since), (812, Some(Timestamp::from_millis(1_781_524_800_000))));
        assert_eq!(of_login_manager("garbage"), None);

        let mut record = [0; RECORD];
        record[..2].copy_from_slice(&USER_PROCESS.to_ne_bytes());
        record[4..8].copy_from_slice(&812_u32.to_ne_bytes());
        record[8..13].copy_from_slice(b"pts/0");
        record[44..50].copy_from_slice(b"mi\xffra\0");
        record[76..85].copy_from_slice(b"192.0.2.7");
        record[340..344].copy_from_slice(&1_781_524_800_u32.to_ne_bytes());
        let session = of_utmp(&record).unwrap();
        assert_eq!(
            (session.user.as_str(), session.line.as_str(), session.from.as_str()),
            ("mi\\xffra", "pts/0", "192.0.2.7")
        );
        assert_eq!((session.pid, session.since), (812, Some(Timestamp::from_millis(1_781_524_800_000))));
        record[0] = 1;
        assert_eq!(of_utmp(&record), None);
        assert_eq!(of_utmp(b"short"), None);
    }
}
