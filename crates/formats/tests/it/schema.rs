//! As much of JSON Schema (draft 2020-12) as the OSV schema uses; any other keyword fails the test that meets it.

use serde_json::Value;

/// Where and why a value does not keep its schema; `None` when it does.
pub(crate) fn violation(root: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let refused = |why: String| Some(format!("{at}: {why}"));
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        let found = match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" | "then" => None,
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                violation(root, root.pointer(pointer).expect(pointer), value, at)
            }
            "type" => {
                let allowed: Vec<&str> = match rule {
                    Value::String(kind) => vec![kind.as_str()],
                    kinds => kinds.as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect(),
                };
                (!allowed.contains(&kind_of(value))).then(|| format!("{at}: {value} is no {allowed:?}"))
            }
            "enum" => {
                (!rule.as_array().unwrap().contains(value)).then(|| format!("{at}: {value} is not listed"))
            }
            "const" => (rule != value).then(|| format!("{at}: {value} is not {rule}")),
            "required" => rule
                .as_array()
                .unwrap()
                .iter()
                .find(|name| value.is_object() && value.get(name.as_str().unwrap()).is_none())
                .map(|name| format!("{at}: {name} is missing")),
            "properties" => rule.as_object().unwrap().iter().find_map(|(name, schema)| {
                violation(root, schema, value.get(name)?, &format!("{at}.{name}"))
            }),
            "additionalProperties" => {
                assert_eq!(rule, &Value::Bool(false));
                let known = schema["properties"].as_object().unwrap();
                let keys = value.as_object().into_iter().flat_map(|map| map.keys());
                keys.into_iter()
                    .find(|key| !known.contains_key(*key))
                    .map(|key| format!("{at}: {key} is unknown"))
            }
            "items" => list(value)
                .iter()
                .enumerate()
                .find_map(|(index, item)| violation(root, rule, item, &format!("{at}[{index}]"))),
            "minItems" => (value.is_array() && (list(value).len() as u64) < rule.as_u64().unwrap())
                .then(|| format!("{at}: too few items")),
            "contains" => (value.is_array() && !list(value).iter().any(|item| keeps(root, rule, item)))
                .then(|| format!("{at}: no item is {rule}")),
            "pattern" => value.as_str().and_then(|text| {
                let pattern = regex_lite::Regex::new(rule.as_str().unwrap()).unwrap();
                (!pattern.is_match(text)).then(|| format!("{at}: {text:?} does not match {rule}"))
            }),
            "format" => value.as_str().and_then(|text| {
                let kept = match rule.as_str().unwrap() {
                    "date-time" => tenon_model::Timestamp::parse(text).is_some() && text.len() >= 20,
                    "uri" => text.split_once(':').is_some_and(|(scheme, _)| !scheme.is_empty()),
                    other => panic!("unknown format {other}"),
                };
                (!kept).then(|| format!("{at}: {text:?} is no {rule}"))
            }),
            "oneOf" => {
                let kept =
                    rule.as_array().unwrap().iter().filter(|schema| keeps(root, schema, value)).count();
                if kept == 1 { None } else { refused(format!("keeps {kept} alternatives of one")) }
            }
            "allOf" => rule.as_array().unwrap().iter().find_map(|schema| violation(root, schema, value, at)),
            "not" => keeps(root, rule, value).then(|| format!("{at}: keeps {rule}")),
            "if" => match keeps(root, rule, value) {
                true => violation(root, &schema["then"], value, at),
                false => None,
            },
            other => panic!("unknown keyword {other}"),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn keeps(root: &Value, schema: &Value, value: &Value) -> bool {
    violation(root, schema, value, "").is_none()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
