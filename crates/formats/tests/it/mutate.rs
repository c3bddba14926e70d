//! Valid documents, damaged.

use proptest::prelude::*;
use serde_json::Value;

/// A JSON document in which up to four bytes are replaced, cut out or doubled, or up to four values are replaced by
/// values of another type.
pub(crate) fn mutated(document: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let bytes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..4)
        .prop_map(move |changes| {
            let mut bytes = document.as_bytes().to_vec();
            for (index, byte, how) in changes {
                let at = index.index(bytes.len());
                match how {
                    0 => bytes[at] = byte,
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, bytes[at]),
                }
            }
            bytes
        });
    let values = proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..9), 1..4).prop_map(
        move |changes| {
            let mut value: Value = serde_json::from_str(document).unwrap();
            for (index, which) in changes {
                let places = count(&value);
                let mut at = index.index(places);
                let replacement = replacements().swap_remove(which);
                replace(&mut value, &mut at, &replacement);
            }
            serde_json::to_vec(&value).unwrap()
        },
    );
    prop_oneof![bytes, values]
}

fn replacements() -> Vec<Value> {
    use serde_json::json;
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("\u{0}\u{1b}[2J"),
        json!("x".repeat(10_000)),
        json!([]),
        json!({"": [{}]}),
    ]
}

fn children(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Array(list) => list.iter_mut().collect(),
        Value::Object(map) => map.values_mut().collect(),
        _ => Vec::new(),
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

/// Replaces the value that stands `at` places after this one; `true` when done.
fn replace(value: &mut Value, at: &mut usize, replacement: &Value) -> bool {
    if *at == 0 {
        *value = replacement.clone();
        return true;
    }
    *at -= 1;
    children(value).into_iter().any(|child| replace(child, at, replacement))
}
