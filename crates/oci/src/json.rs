//! Canonical JSON: the one form in which this project writes JSON that is hashed or compared.

use serde::Serialize;
use serde_json::Value;

/// Sorted keys (by code point), no white space, UTF-8 unescaped where JSON allows it.
///
/// Equal values give equal bytes whatever the order of their fields, and whether or not
/// `serde_json` was built with insertion-ordered maps. Values that are written should hold no
/// floats: they have more than one sensible spelling.
///
/// # Panics
/// When `T`'s own `Serialize` fails, for example for a map whose keys are not strings: a mistake
/// in the program, never in its input.
pub fn canonical_json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let value = serde_json::to_value(value).expect("a serialisable value");
    let mut out = Vec::new();
    write(&value, &mut out);
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_unstable_by_key(|(key, _)| *key);
            out.push(b'{');
            for (at, (key, item)) in fields.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_scalar(key, out);
                out.push(b':');
                write(item, out);
            }
            out.push(b'}');
        }
        scalar => write_scalar(scalar, out),
    }
}

fn write_scalar<T: Serialize + ?Sized>(scalar: &T, out: &mut Vec<u8>) {
    serde_json::to_writer(out, scalar).expect("a vector takes every scalar");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Serialize)]
    struct Backwards {
        z: u64,
        a: Option<&'static str>,
    }

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let value = json!({"b": [1, {"y": true, "x": null}], "a": "ä\n\"", "B": {}});
        assert_eq!(
            String::from_utf8_lossy(&canonical_json(&value)),
            r#"{"B":{},"a":"ä\n\"","b":[1,{"x":null,"y":true}]}"#
        );
        assert_eq!(canonical_json(&Backwards { z: 1, a: None }), br#"{"a":null,"z":1}"#);
    }
}
