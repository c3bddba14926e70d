//! Which field a JSON reader stumbled over, from the line and column it names.

/// Deepest nesting followed, as deep as the JSON reader goes.
const MAX_DEPTH: usize = 128;
/// Longest key shown, in bytes.
const MAX_KEY: usize = 64;

enum Frame {
    Object { key: Option<(usize, usize)>, value: bool },
    Array { index: usize },
}

/// The field that a serde_json error speaks of: named in its words (`missing field`), or at its line and column. Empty
/// where it cannot be told.
pub(crate) fn of_error(bytes: &[u8], reason: &str) -> String {
    if let Some(rest) = reason.split("missing field `").nth(1) {
        return rest.split('`').next().unwrap_or_default().chars().take(MAX_KEY).collect();
    }
    let place = || {
        let (before, column) = reason.rsplit_once(" column ")?;
        let (_, line) = before.rsplit_once("line ")?;
        Some((line.parse().ok()?, column.trim().parse().ok()?))
    };
    place().map(|(line, column)| at(bytes, line, column)).unwrap_or_default()
}

/// The path of the value that ends or stands at this line (from 1) and column (bytes of the line already read).
fn at(bytes: &[u8], line: usize, column: usize) -> String {
    let mut start = 0;
    for _ in 1..line {
        match bytes.get(start..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
            Some(newline) => start += newline + 1,
            None => return String::new(),
        }
    }
    let end = start.saturating_add(column).min(bytes.len());
    let Some(read) = bytes.get(..end) else { return String::new() };
    let mut frames: Vec<Frame> = Vec::new();
    let mut place = 0;
    while let Some(byte) = read.get(place) {
        place += 1;
        match byte {
            b'"' => {
                let from = place;
                while let Some(byte) = read.get(place) {
                    match byte {
                        b'\\' => place += 2,
                        b'"' => break,
                        _ => place += 1,
                    }
                }
                if let Some(Frame::Object { key, value: false }) = frames.last_mut() {
                    *key = Some((from, place.min(read.len())));
                }
                place += 1;
            }
            b'{' => frames.push(Frame::Object { key: None, value: false }),
            b'[' => frames.push(Frame::Array { index: 0 }),
            b'}' | b']' => drop(frames.pop()),
            b':' => {
                if let Some(Frame::Object { value, .. }) = frames.last_mut() {
                    *value = true;
                }
            }
            b',' => match frames.last_mut() {
                Some(Frame::Object { key, value }) => (*key, *value) = (None, false),
                Some(Frame::Array { index }) => *index += 1,
                None => {}
            },
            _ => {}
        }
        if frames.len() > MAX_DEPTH {
            return String::new();
        }
    }
    let mut path = String::new();
    for frame in frames {
        match frame {
            Frame::Object { key: Some((from, to)), .. } => {
                if !path.is_empty() {
                    path.push('.');
                }
                let key = read.get(from..to.min(from + MAX_KEY)).unwrap_or_default();
                path.extend(String::from_utf8_lossy(key).chars().filter(|c| !c.is_control()));
            }
            Frame::Array { index } => path.push_str(&format!("[{index}]")),
            Frame::Object { key: None, .. } => {}
        }
    }
    path
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::{at, of_error};

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Outer {
        id: String,
        affected: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Inner {
        name: String,
        versions: Vec<String>,
    }

    fn field(text: &str) -> String {
        of_error(text.as_bytes(), &serde_json::from_str::<Outer>(text).unwrap_err().to_string())
    }

    #[test]
    fn the_field_of_a_wrong_type_is_named() {
        assert_eq!(field(r#"{"id":5,"affected":[]}"#), "id");
        assert_eq!(field("{\"id\":\"a,\\\"b\",\n \"affected\": {\"x\":1}}"), "affected");
        assert_eq!(
            field(r#"{"id":"a","affected":[{"name":"n","versions":[]},{"name":null}]}"#),
            "affected[1].name"
        );
        assert_eq!(
            field("{\"id\":\"a\",\n\"affected\":[{\"name\":\"n\",\"versions\":[\"1\",\n2]}]}"),
            "affected[0].versions[1]"
        );
        assert_eq!(field(r#"{"affected":[]}"#), "id");
    }

    proptest! {
        #[test]
        fn any_bytes_give_some_path(bytes in prop::collection::vec(any::<u8>(), 0..200), line in 0_usize..5, column in 0_usize..300) {
            prop_assert!(at(&bytes, line, column).len() <= 128 * (super::MAX_KEY * 3 + 24));
        }

        #[test]
        fn any_json_text_gives_some_path(text in r#"[\[\]{},:"a\\ 1\n]{0,60}"#, line in 1_usize..4, column in 0_usize..60) {
            at(text.as_bytes(), line, column);
        }
    }
}
