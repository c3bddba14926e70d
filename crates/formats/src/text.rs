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
