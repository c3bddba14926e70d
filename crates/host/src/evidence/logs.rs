//! The last lines of logs.

use std::path::Path;
use std::time::Duration;

use tenon_model::{EvidenceLog, EvidencePart};

use super::budget::{Gaps, escaped};
use crate::files;
use crate::run::{command, on_path, run};

/// What is asked of the journal: the last two hours, and of these the last lines.
const JOURNAL: [&str; 8] = [
    "--no-pager",
    "--quiet",
    "--utc",
    "--output=short-iso-precise",
    "--since=-2h",
    "--lines=2000",
    "--all",
    "--merge",
];
/// How long that may take.
const JOURNAL_DEADLINE: Duration = Duration::from_secs(20);
/// Files that say who came in, on systems that write them.
const FILES: [&str; 2] = ["/var/log/auth.log", "/var/log/secure"];
/// Bytes of each log, as it is encoded.
const BYTES: usize = 192 << 10;
/// Longest line, in bytes.
const MAX_LINE: usize = 2_048;

pub(super) fn logs(gaps: &mut Gaps) -> Vec<EvidenceLog> {
    let part = EvidencePart::Logs;
    let mut logs = Vec::new();
    if on_path(Path::new("/"), "journalctl") && !gaps.is_late() {
        match run(&mut command("journalctl", JOURNAL), JOURNAL_DEADLINE).and_then(|ran| ran.ok()) {
            Ok(text) => logs.push(last_of("journalctl, two hours", &text, gaps)),
            Err(error) => gaps.add(part, format!("the journal cannot be read: {error}")),
        }
    }
    for path in FILES.iter().filter(|path| Path::new(path).exists()) {
        // What is cut at its beginning is the rest of a line.
        let text = files::tail(Path::new(path), BYTES);
        let whole = if text.len() < BYTES {
            text.as_str()
        } else {
            text.split_once('\n').map_or("", |(_, rest)| rest)
        };
        logs.push(last_of(path, whole, gaps));
    }
    if logs.is_empty() {
        gaps.add(
            part,
            "there is neither a journal that can be read nor one of the files that say who came in",
        );
    }
    logs
}

/// The last lines that fit, in their order.
fn last_of(source: &str, text: &str, gaps: &mut Gaps) -> EvidenceLog {
    let (mut lines, mut left, mut cut, mut out) = (Vec::new(), BYTES, 0, 0);
    for line in text.lines().rev() {
        let bytes = line.as_bytes();
        let kept = escaped(&bytes[..bytes.len().min(MAX_LINE)]);
        // As it is encoded: a backslash is two, and so is a quote.
        let size = kept.len() + kept.matches(['\\', '"']).count() + 3;
        match left.checked_sub(size).filter(|_| out == 0) {
            Some(rest) => {
                left = rest;
                cut += usize::from(bytes.len() > MAX_LINE);
                lines.push(kept);
            }
            None => out += 1,
        }
    }
    lines.reverse();
    let part = EvidencePart::Logs;
    gaps.count(part, cut, &format!("lines of {source} are cut at {MAX_LINE} bytes"));
    gaps.count(part, out, &format!("earlier lines of {source} are left out: there are more than fit"));
    EvidenceLog { source: source.to_owned(), lines }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn of_a_flood_the_last_lines_are_kept_within_bounds_and_the_rest_is_told() {
        let mut gaps = Gaps::until(Instant::now());
        let flood: String = (0..20_000).map(|n| format!("{n} \"quoted\" \\ \u{1b}[2J\n")).collect();
        let log = last_of("flood", &format!("{flood}{}\nlast", "x".repeat(1 << 20)), &mut gaps);
        assert_eq!(log.lines.last().map(String::as_str), Some("last"));
        let encoded = serde_json::to_string(&log.lines).unwrap().len();
        assert!(encoded <= BYTES + 2 && encoded > BYTES - 8_192, "{encoded}");
        assert!(log.lines.iter().all(|line| line.len() <= MAX_LINE));
        let told: Vec<String> = gaps.told().into_iter().map(|gap| gap.what).collect();
        assert_eq!(told[0], "1 lines of flood are cut at 2048 bytes");
        assert!(
            told[1].ends_with("earlier lines of flood are left out: there are more than fit"),
            "{told:?}"
        );
    }
}
