//! The corpus scripts' own tests, where there is a Python to run them.

use std::process::Command;

#[test]
fn the_scripts_decide_as_intended() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus_scripts.py");
    match Command::new("python3").arg(script).output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        Err(error) => {
            let required = std::env::var_os("STRATA_REQUIRE_CORPUS").is_some();
            assert!(!required, "cannot run python3: {error}");
        }
    }
}
