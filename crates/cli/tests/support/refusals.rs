//! What the tests of failures share: an image that is there before, and what no failure may change.

#![allow(dead_code, reason = "no test file needs all of it")]
#![allow(clippy::unwrap_used, reason = "tests")]

use crate::support::{Bench, contents};
use std::{collections::BTreeMap, fs, path::PathBuf};
use strata_testkit::{Ran, noise};

/// Exit codes of `docs/architecture.md`.
pub const INPUTS: i32 = 1;
pub const USAGE: i32 = 2;
pub const OUTSIDE: i32 = 3;

/// One image that is built, of one package; `big` is for its successor.
pub fn built() -> Bench {
    let bench = Bench::with_spec(&spec(r#""filesystem""#));
    bench.filesystem();
    bench.package("big", "1", "", &[("/usr/share/big", &noise(3_000_000))]);
    bench.package("big-two", "1", "", &[("/usr/share/two", "two\n")]);
    bench.build(&[]);
    bench
}

/// One image `one` of these packages.
pub fn spec(packages: &str) -> String {
    format!(
        "{{ \"repos\": [\"./repo\"],\n  \"images\": {{ \"one\": {{\"packages\": [{packages}]}} }} }}\n"
    )
}

/// The output's and the lock's bytes: what no failure may change.
pub fn state(bench: &Bench) -> (BTreeMap<PathBuf, Vec<u8>>, Option<String>) {
    (contents(&bench.out()), fs::read_to_string(bench.path("strata.lock")).ok())
}

/// A failure says all of this; every part of `says` is in the message.
#[track_caller]
pub fn assert_refused(ran: &Ran, code: i32, says: &[&str], hint: &str) {
    let Ran { stderr, stdout, .. } = ran;
    assert_eq!(ran.code, Some(code), "{stdout}\n{stderr}");
    let (message, hints) = stderr.split_once("\nhint: ").unwrap_or((stderr, ""));
    assert!(message.contains("error: "), "{stderr}");
    for part in says {
        assert!(message.contains(part), "`{part}` is not in:\n{stderr}");
    }
    assert!(!hints.is_empty() && hints.contains(hint), "hint `{hint}` is not in:\n{stderr}");
    assert!(!stderr.contains("panicked") && !stderr.contains("internal error"), "{stderr}");
    assert!(stdout.is_empty(), "{stdout}");
}
