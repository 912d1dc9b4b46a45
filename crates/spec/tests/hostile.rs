//! No text makes the readers panic, and what they accept they accept again.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use strata_spec::{parse_compose, parse_overlay, parse_set};

fn each(text: &str) {
    for name in ["a.json", "a.yaml"] {
        for error in [parse_compose(name, text).err(), parse_overlay(name, text).err()] {
            let Some(error) = error else { continue };
            assert!(error.place.line() >= 1 && error.place.column() >= 1);
            assert!(error.report().len() < 4000, "{}", error.report());
        }
    }
    if let Err(error) = parse_set(text) {
        assert!(!error.report().is_empty());
    }
}

const GOOD: &str = r#"{ "repos": ["fedora", {"id": "x", "baseurl": ["file:///r"]}], "arch": ["amd64"],
  "vars": {"a": 1}, "images": { "base": {"packages": ["yum", "(a or b)"], "weight": 3},
  "web": {"include": "base", "packages": [], "entrypoint": "/usr/bin/x", "expose": [80, "53/udp"]} } }"#;

const OVERLAY: &str = r#"{ "images": { "*": {"config": {"Env": {"A": "b"}, "User": 3}, "tags": ["x"]},
  "web": {"annotations": {"a.b": null}, "files": [{"path": "/a", "content": "", "mode": "0755"}]} } }"#;

#[test]
fn every_truncation_and_every_changed_byte() {
    for good in [GOOD, OVERLAY] {
        for at in 0..good.len() {
            each(&good[..at]);
            for other in ["", ",", "{", "]", "\"", "'", ":", "#", "\n", "\u{0}", "é", "9"] {
                each(&format!("{}{other}{}", &good[..at], &good[at + 1..]));
            }
        }
    }
}

#[test]
fn deep_and_wide_documents_end_quickly() {
    for open in ["[", "{\"a\":", "{\"images\":{\"a\":", "- ", "a: {b: "] {
        each(&open.repeat(100_000));
    }
    let many = (0..20_000).map(|at| format!("\"i{at}\":{{\"packages\":[[]]}}"));
    each(&format!("{{\"repos\":[],\"images\":{{{}}}}}", many.collect::<Vec<_>>().join(",")));
    each(&format!("{}{}", " ".repeat(1 << 20), "[],".repeat(100_000)));
    let anchors = (1..40).map(|at| format!("a{at}: &a{at} [*a{0}, *a{0}, *a{0}]\n", at - 1));
    each(&format!("a0: &a0 [x]\n{}", anchors.collect::<String>()));
}

proptest! {
    #[test]
    fn any_text(text in any::<String>()) {
        each(&text);
    }

    #[test]
    fn any_tokens(tokens in proptest::collection::vec(
        proptest::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"repos\"", "\"images\"", "\"packages\"", "\"web\"",
            "\"config\"", "\"Env\"", "null", "true", "80", "-", "\n", "  ", "web", "'", "\\", "=",
            ".", "*", "&a", "*a", "<<", "|", ">", "!", "#", "//", "\"é", "\t",
        ]), 0..40)) {
        each(&tokens.concat());
    }
}
