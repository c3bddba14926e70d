//! What fits: bytes of each part, time of the whole, and what is said of the rest.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;
use tenon_model::{EvidenceGap, EvidencePart};

/// Most gaps that are told of one part; of more their number is.
const MAX_GAPS: usize = 20;
/// Longest text of a gap, in characters.
const MAX_GAP: usize = 400;

/// What is missing, and until when more is read.
pub(super) struct Gaps {
    until: Instant,
    told: BTreeMap<EvidencePart, Vec<String>>,
}

impl Gaps {
    pub(super) fn until(until: Instant) -> Self {
        Self { until, told: BTreeMap::new() }
    }

    /// Something is missing.
    pub(super) fn add(&mut self, part: EvidencePart, what: impl Into<String>) {
        self.told.entry(part).or_default().push(what.into());
    }

    /// Something is missing of so many, if of any.
    pub(super) fn count(&mut self, part: EvidencePart, count: usize, what: &str) {
        match count {
            0 => {}
            1 => self.add(part, format!("1 {what}")),
            count => self.add(part, format!("{count} {what}")),
        }
    }

    /// Whether time is over.
    pub(super) fn is_late(&self) -> bool {
        Instant::now() >= self.until
    }

    pub(super) fn told(self) -> Vec<EvidenceGap> {
        let mut gaps = Vec::new();
        for (part, told) in self.told {
            let more = told.len().saturating_sub(MAX_GAPS);
            let more = (more > 0).then(|| format!("and {more} more gaps"));
            for what in told.into_iter().take(MAX_GAPS).chain(more) {
                gaps.push(EvidenceGap {
                    part,
                    what: escaped(what.as_bytes()).chars().take(MAX_GAP).collect(),
                });
            }
        }
        gaps
    }
}

/// Keeps what fits into so many bytes as it is encoded, in order, and says how many are left out: with the first that does not fit
/// all that come after it, so that nothing gets in by being small.
pub(super) fn fitting<T: Serialize>(items: impl IntoIterator<Item = T>, bytes: usize) -> (Vec<T>, usize) {
    let (mut kept, mut left, mut out) = (Vec::new(), bytes, 0);
    for item in items {
        // What does not encode would fail the whole document.
        let size = serde_json::to_string(&item).map_or(usize::MAX, |text| text.len().saturating_add(1));
        match left.checked_sub(size).filter(|_| out == 0) {
            Some(rest) => {
                left = rest;
                kept.push(item);
            }
            None => out += 1,
        }
    }
    (kept, out)
}

/// Bytes as text from which they can be had again: what is no UTF-8, no plain character, or turns the direction of writing is
/// `\xNN`, a backslash is `\\`.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let hex = |text: &mut String, bytes: &[u8]| {
        for byte in bytes {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    };
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                character if is_plain(character) => text.push(character),
                character => hex(&mut text, character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        hex(&mut text, chunk.invalid());
    }
    text
}

/// Whether a terminal or a page shows it as what it is.
fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// The bytes of an escaped text.
    fn unescaped(text: &str) -> Vec<u8> {
        let (mut bytes, mut rest) = (Vec::new(), text);
        while let Some(character) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("\\\\") {
                bytes.push(b'\\');
                rest = after;
            } else if let Some(after) = rest.strip_prefix("\\x") {
                bytes.push(u8::from_str_radix(&after[..2], 16).unwrap());
                rest = &after[2..];
            } else {
                bytes.extend(character.to_string().bytes());
                rest = &rest[character.len_utf8()..];
            }
        }
        bytes
    }

    proptest! {
        #[test]
        fn nothing_is_lost_by_being_escaped(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let text = escaped(&bytes);
            prop_assert!(text.chars().all(is_plain));
            prop_assert_eq!(unescaped(&text), bytes);
        }
    }

    #[test]
    fn what_reads_otherwise_than_it_is_is_escaped() {
        assert_eq!(escaped(b"a\x1b[2J\\ \xff\xc3\xa9"), "a\\x1b[2J\\\\ \\xff\u{e9}");
        assert_eq!(escaped("rm\u{202e}txt".as_bytes()), "rm\\xe2\\x80\\xaetxt");
    }

    #[test]
    fn what_does_not_fit_is_counted_and_nothing_later_gets_in() {
        let long = "x".repeat(40);
        let (kept, out) = fitting(["a", "b", &long, "c"], 12);
        assert_eq!((kept, out), (vec!["a", "b"], 2));
        // Two quotes and a comma each.
        assert_eq!(fitting(["abc", "abc"], 12), (vec!["abc", "abc"], 0));
        assert_eq!(fitting(["abc", "abc"], 11), (vec!["abc"], 1));
    }

    #[test]
    fn many_gaps_are_told_by_their_number() {
        let mut gaps = Gaps::until(Instant::now() + Duration::from_secs(60));
        assert!(!gaps.is_late());
        for n in 0..50 {
            gaps.add(EvidencePart::Logs, format!("log {n} {}", "x".repeat(1_000)));
        }
        let told = gaps.told();
        assert_eq!((told.len(), told[20].what.as_str()), (21, "and 30 more gaps"));
        assert!(told.iter().all(|gap| gap.what.chars().count() <= 400));
        assert!(Gaps::until(Instant::now()).is_late());
    }
}
