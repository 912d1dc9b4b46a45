//! `docs/documents.md`: its tables come from the schemas, and are current.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "a test may read its cases")]

use serde_json::Value;
use std::{env, fmt::Write, fs, path::Path};
use strata_spec::{compose_schema, overlay_schema};

/// Rows for the keys of an object, in the order of their names.
fn table(schema: &Value) -> String {
    let mut out = String::from("| key | what it says | for example |\n|---|---|---|\n");
    for (key, value) in schema["properties"].as_object().unwrap() {
        let text = value["description"].as_str().unwrap_or_default().replace('|', "\\|");
        let example = &value["examples"][0];
        let example = if example.is_null() {
            String::new()
        } else {
            format!("`{example}`").replace('|', "\\|")
        };
        writeln!(out, "| `{key}` | {text} | {example} |").unwrap();
    }
    out
}

/// The first object below a schema that has these properties.
fn find<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    if schema["properties"].get(key).is_some() {
        return Some(schema);
    }
    match schema {
        Value::Object(map) => map.values().find_map(|value| find(value, key)),
        Value::Array(list) => list.iter().find_map(|value| find(value, key)),
        _ => None,
    }
}

#[test]
fn the_reference_is_current() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/documents.md"));
    let found = fs::read_to_string(path).unwrap();
    let (compose, overlay) = (compose_schema(), overlay_schema());
    let sections = [
        ("compose", table(&compose)),
        ("image", table(find(&compose["properties"]["images"], "packages").unwrap())),
        ("repository", table(find(&compose["properties"]["repos"], "baseurl").unwrap())),
        ("overlay", table(&overlay)),
        ("overlay image", table(find(&overlay["properties"]["images"], "tags").unwrap())),
        ("config", table(find(&overlay, "Entrypoint").unwrap())),
        ("file", table(find(&overlay, "mode").unwrap())),
    ];
    let mut wanted = found.clone();
    for (name, rows) in sections {
        let (begin, end) = (format!("<!-- keys: {name} -->\n"), "<!-- end -->");
        let (before, rest) = wanted.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
        let (_, after) = rest.split_once(end).unwrap();
        wanted = format!("{before}{begin}{rows}{end}{after}");
    }
    if env::var_os("STRATA_BLESS").is_some() {
        fs::write(path, &wanted).unwrap();
        return;
    }
    assert!(found == wanted, "docs/documents.md is not current: run with STRATA_BLESS=1");
}
