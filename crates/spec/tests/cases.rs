//! Documents and what is said of them: `cases/NAME/` holds `compose.json` (or `.yaml`), or
//! `overlay.json`, beside `expected.txt`. `STRATA_BLESS=1` rewrites the expectations.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "a test may read its cases")]

use std::{env, fs, path::Path};
use strata_spec::{parse_compose, parse_overlay};

const DOCUMENTS: [&str; 3] = ["compose.json", "compose.yaml", "overlay.json"];

#[test]
fn every_case_is_explained_as_expected() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut names: Vec<_> = fs::read_dir(&cases).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    assert!(names.len() >= 15);
    let mut wrong = Vec::new();
    for case in names {
        let document = DOCUMENTS.into_iter().find(|name| case.join(name).exists()).unwrap();
        let text = fs::read_to_string(case.join(document)).unwrap();
        let result = match document {
            "overlay.json" => parse_overlay(document, &text)
                .and_then(|overlay| overlay.check_supported().map(|()| overlay))
                .map(|_| ()),
            _ => parse_compose(document, &text).map(|_| ()),
        };
        let found = match result {
            Ok(()) => "accepted\n".to_owned(),
            Err(error) => error.report(),
        };
        let expected = case.join("expected.txt");
        if env::var_os("STRATA_BLESS").is_some() {
            fs::write(&expected, &found).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != found {
            wrong.push(format!("{}:\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "STRATA_BLESS=1 accepts these:\n{}", wrong.join("\n"));
}
