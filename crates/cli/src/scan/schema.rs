//! The JSON Schema (draft 2020-12) of a report, generated from its types.

use serde_json::{Value, json};
use utoipa::OpenApi;

use super::Report;

/// Where the definitions of an OpenAPI document stand, which a schema of its own keeps in `$defs`.
const COMPONENTS: &str = "#/components/schemas/";

#[derive(OpenApi)]
#[openapi(components(schemas(Report)))]
struct Types;

/// The schema. OpenAPI 3.1 writes types in the same draft, so only references move.
pub(super) fn of_report() -> Value {
    let mut document = serde_json::to_value(Types::openapi()).unwrap_or_default();
    let mut definitions = document["components"]["schemas"].take();
    relocate(&mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The result of tenon scan --format json",
        "$ref": "#/$defs/Report",
        "$defs": definitions,
    })
}

fn relocate(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get_mut("$ref")
                && let Some(name) = reference.strip_prefix(COMPONENTS)
            {
                *reference = format!("#/$defs/{name}");
            }
            map.values_mut().for_each(relocate);
        }
        Value::Array(items) => items.iter_mut().for_each(relocate),
        _ => {}
    }
}
