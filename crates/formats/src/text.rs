//! Outside text made fit for a terminal, a log and a bounded state.

/// The first `limit` characters of `text`.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

/// One line of at most `limit` characters: runs of white space and control characters (terminal escapes among them)
/// become one space.
pub(crate) fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if length >= limit {
            break;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        for c in word.chars().take(limit - length.min(limit)) {
            line.push(c);
            length += 1;
        }
    }
    line
}

/// Whether `text` can be a package name, version or ecosystem: 1 to 256 bytes, nothing blank or invisible at the ends
/// or as control character.
pub(crate) fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= 256 && text.trim() == text && !text.chars().any(char::is_control)
}

/// An RFC 3339 time (section 5.6): full date, time and offset. A bare date, or a time without an offset, is none.
pub(crate) fn rfc3339(text: &str) -> Option<tenon_model::Timestamp> {
    let shape = |range: std::ops::Range<usize>, pattern: &str| {
        text.get(range).is_some_and(|part| {
            part.len() == pattern.len()
                && part.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
                    b'0' => byte.is_ascii_digit(),
                    _ => byte.eq_ignore_ascii_case(&wanted),
                })
        })
    };
    if text.len() > 40 || !shape(0..19, "0000-00-00T00:00:00") {
        return None;
    }
    let rest = text.get(19..)?;
    let fraction =
        rest.strip_prefix('.').map_or(0, |digits| 1 + digits.bytes().take_while(u8::is_ascii_digit).count());
    let offset = 19 + fraction;
    if fraction == 1
        || !(shape(offset..text.len(), "Z")
            || shape(offset..text.len(), "+00:00")
            || shape(offset..text.len(), "-00:00"))
    {
        return None;
    }
    // A time may have more digits below the second than are kept.
    let kept = 19 + fraction.min(10);
    tenon_model::Timestamp::parse(&format!("{}{}", text.get(..kept)?, text.get(offset..)?))
}
