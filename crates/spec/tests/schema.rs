//! The JSON Schemas: committed, current, and in agreement with what the parser accepts.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "a test may read its cases")]

use serde_json::Value;
use std::{env, fs, path::Path};
use strata_spec::{compose_schema, overlay_schema, parse_compose, parse_overlay, parse_set};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn committed_schemas_are_current() {
    for (file, schema) in
        [("compose.schema.json", compose_schema()), ("overlay.schema.json", overlay_schema())]
    {
        let path = root().join("docs/schema").join(file);
        // Sorted even where serde_json keeps the order of insertion.
        let sorted: Value = serde_json::from_slice(&strata_oci::canonical_json(&schema)).unwrap();
        let text = format!("{}\n", serde_json::to_string_pretty(&sorted).unwrap());
        if env::var_os("STRATA_BLESS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == text, "{} is not current: run with STRATA_BLESS=1", path.display());
    }
}

/// As much of JSON Schema as ours uses; patterns are left to the parser.
fn valid(schema: &Value, value: &Value) -> bool {
    let kind = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => panic!("{name}"),
    };
    let all = schema.as_object().unwrap().iter().all(|(key, rule)| match key.as_str() {
        "type" => match rule {
            Value::Array(kinds) => kinds.iter().any(|k| kind(k.as_str().unwrap())),
            rule => kind(rule.as_str().unwrap()),
        },
        "enum" => rule.as_array().unwrap().contains(value),
        "anyOf" => rule.as_array().unwrap().iter().any(|schema| valid(schema, value)),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| valid(rule, item))),
        "minimum" => value.as_u64().is_none_or(|number| number >= rule.as_u64().unwrap()),
        "maximum" => value.as_u64().is_none_or(|number| number <= rule.as_u64().unwrap()),
        "required" => rule.as_array().unwrap().iter().all(|key| {
            value.as_object().is_none_or(|object| object.contains_key(key.as_str().unwrap()))
        }),
        "properties"
        | "additionalProperties"
        | "propertyNames"
        | "pattern"
        | "description"
        | "examples"
        | "title"
        | "$schema" => true,
        other => panic!("{other}"),
    });
    all && value.as_object().is_none_or(|object| {
        object.iter().all(|(key, value)| match schema["properties"].get(key) {
            Some(schema) => valid(schema, value),
            None => match &schema["additionalProperties"] {
                Value::Bool(allowed) => *allowed,
                Value::Null => true,
                schema => valid(schema, value),
            },
        })
    })
}

#[test]
fn accepted_documents_are_valid_and_documents_of_the_wrong_shape_are_not() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let (mut good, mut bad) = (0, 0);
    for case in fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()) {
        for (document, schema) in
            [("compose.json", compose_schema()), ("overlay.json", overlay_schema())]
        {
            let Ok(text) = fs::read_to_string(case.join(document)) else { continue };
            let Ok(value) = serde_json::from_str::<Value>(&text) else { continue };
            let report = fs::read_to_string(case.join("expected.txt")).unwrap();
            if report == "accepted\n" {
                assert!(valid(&schema, &value), "{}", case.display());
                good += 1;
            } else if report.contains("unknown key") {
                assert!(!valid(&schema, &value), "{}", case.display());
                bad += 1;
            }
        }
    }
    assert!(good > 0 && bad > 3);
}

/// Every key of the schema, in a document of its own, changes what the parser returns: no key is
/// known to the tables and forgotten by the reader.
#[test]
fn every_key_has_an_effect() {
    let idle = ["description", "$schema"];
    let base = r#"{"repos":["r"],"images":{"base":{"packages":["p"]},"x":{"packages":["q"]}}}"#;
    let plain = parse_compose("c", base).unwrap();
    let schema = compose_schema();
    let image = &schema["properties"]["images"]["additionalProperties"];
    for (at, table) in [("", &schema), ("/images/x", image)] {
        for (key, field) in table["properties"].as_object().unwrap() {
            let mut document: Value = serde_json::from_str(base).unwrap();
            document.pointer_mut(at).unwrap()[key] = field["examples"][0].clone();
            let text = document.to_string();
            match parse_compose("c", &text) {
                Ok(spec) => {
                    let same = format!("{:?}", strip(&spec)) == format!("{:?}", strip(&plain));
                    assert_eq!(same, idle.contains(&key.as_str()), "{at} {key}: {spec:?}");
                }
                Err(error) => {
                    assert!(error.report().contains("not supported in this release"), "{error}");
                }
            }
        }
    }
}

/// What a spec says, without its places.
fn strip(spec: &strata_spec::ComposeSpec) -> Vec<String> {
    let mut out = vec![format!("{:?}", spec.repos.iter().map(|r| r.as_str()).collect::<Vec<_>>())];
    for (name, own) in &spec.images {
        let image = spec.effective(name).unwrap();
        let texts = |list: &[strata_spec::Located<String>]| {
            list.iter().map(|text| text.value.clone()).collect::<Vec<_>>()
        };
        out.push(format!(
            "{name} {:?} {:?} {:?} {:?} {:?} {} {} {} {:?} {:?} {} {:?} {:?} {:?} {:?}",
            image.archs,
            image.distro.map(|text| text.value),
            image.releasever.map(|text| text.value),
            image.vars,
            texts(&image.exclude),
            image.best,
            image.weak_deps,
            image.docs,
            image.langs,
            image.scriptlets,
            image.weight,
            texts(&image.packages),
            image.entrypoint.map(|words| words.value),
            image.expose.iter().map(|port| port.value).collect::<Vec<_>>(),
            own.settings.include.as_ref().map(Vec::len),
        ));
    }
    out
}

#[test]
fn every_key_of_an_overlay_has_an_effect() {
    let schema = overlay_schema();
    let image = &schema["properties"]["images"]["additionalProperties"];
    let config = &image["properties"]["config"];
    for (field, rules) in config["properties"].as_object().unwrap() {
        let expression = format!("x.config.{field}={}", rules["examples"][0]);
        let overlay = parse_set(&expression).unwrap();
        let changes = overlay.images.values().next().unwrap().changes.len();
        assert!(changes > 0, "{expression}");
        let expression = format!("*.config.{field}=null");
        assert_eq!(parse_set(&expression).unwrap().images.len(), 1);
    }
    for key in image["properties"].as_object().unwrap().keys() {
        let value = &image["properties"][key]["examples"][0];
        let text = format!(r#"{{"images":{{"x":{{{key:?}:{value}}}}}}}"#);
        let overlay = parse_overlay("o", &text).unwrap();
        let part = overlay.images.values().next().unwrap();
        let said = part.changes.len() + part.tags.len() + part.files.len() + part.scriptlets.len();
        assert!(said > 0, "{text}");
    }
    let file = &image["properties"]["files"]["items"]["properties"];
    let plain = r#"{"path":"/a","content":"x"}"#;
    for (key, rules) in file.as_object().unwrap() {
        let mut value: Value = serde_json::from_str(plain).unwrap();
        value[key] = rules["examples"][0].clone();
        if key == "source" {
            value.as_object_mut().unwrap().remove("content");
        }
        let read = |value: &str| {
            let text = format!(r#"{{"images":{{"x":{{"files":[{value}]}}}}}}"#);
            let overlay = parse_overlay("o", &text).unwrap();
            let file = overlay.images.values().next().unwrap().files[0].clone();
            format!(
                "{} {:?} {:o} {:?} {:?}",
                file.path.value,
                file.content,
                file.mode,
                file.user.map(|user| user.value),
                file.group.map(|group| group.value)
            )
        };
        assert_ne!(read(&value.to_string()), read(plain), "{key}");
    }
}
