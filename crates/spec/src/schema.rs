//! JSON Schema of the two documents, from the same tables as the checks.

use crate::{
    compose::keys::COMPOSE,
    overlay::keys::OVERLAY,
    shape::{Shape, Table},
};
use serde_json::{Map, Value, json};

/// The [JSON Schema](https://json-schema.org/draft/2020-12) of a compose file.
pub fn compose_schema() -> Value {
    document("strata compose file", &COMPOSE)
}

/// The JSON Schema of a metadata overlay.
pub fn overlay_schema() -> Value {
    document("strata metadata overlay", &OVERLAY)
}

fn document(title: &str, table: &'static Table) -> Value {
    let mut schema = object(table);
    if let Value::Object(keys) = &mut schema {
        keys.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        keys.insert("title".into(), title.into());
    }
    schema
}

fn object(table: &Table) -> Value {
    let mut properties = Map::new();
    for field in table.fields {
        let mut schema = shape(&field.shape);
        if let Value::Object(keys) = &mut schema {
            keys.insert("description".into(), field.about.into());
            if let Ok(example) = serde_json::from_str::<Value>(field.example) {
                keys.insert("examples".into(), json!([example]));
            }
        }
        properties.insert(field.key.to_owned(), schema);
    }
    let required: Vec<&str> =
        table.fields.iter().filter(|field| field.required.is_some()).map(|f| f.key).collect();
    let mut schema = json!({
        "type": "object",
        "description": table.about,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn shape(of: &Shape) -> Value {
    match of {
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Text { pattern: None } => json!({"type": "string"}),
        Shape::Text { pattern: Some(pattern) } => json!({"type": "string", "pattern": pattern}),
        Shape::Scalar => json!({"type": ["string", "number", "boolean"]}),
        Shape::Integer { least, most } => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Shape::Word { known, .. } => json!({"enum": known}),
        Shape::Null => json!({"type": "null"}),
        Shape::Any => json!({}),
        Shape::List(item) => json!({"type": "array", "items": shape(item)}),
        Shape::Either(shapes) => {
            json!({"anyOf": shapes.iter().map(shape).collect::<Vec<_>>()})
        }
        Shape::Object(table) => object(table),
        Shape::Map { pattern, value } => {
            let mut schema = json!({"type": "object", "additionalProperties": shape(value)});
            if let Some(pattern) = pattern {
                schema["propertyNames"] = json!({"pattern": pattern});
            }
            schema
        }
    }
}
