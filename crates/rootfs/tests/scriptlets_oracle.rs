//! Scriptlets as our interpreter and as a real shell leave the tree, entry by entry.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr, reason = "tests")]

#[path = "support/scriptlets.rs"]
mod bodies;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/chroot.rs"]
mod chroot;

use chroot::{BASH, Real, base, changed, differences, listed, possible, real, task, with_programs};
use strata_rootfs::{Owners, scriptlets::run};

#[test]
fn every_body_leaves_what_a_real_shell_leaves() {
    if !possible() {
        return;
    }
    let (tree, seen) = (base(), with_programs());
    let owners = Owners::default();
    let arguments = ["1".to_owned()];
    let mut failures = Vec::new();
    let mut compared = 0;
    let only = std::env::var("STRATA_BODY").ok();
    for (number, body) in bodies::BODIES.iter().enumerate() {
        if only.as_ref().is_some_and(|only| *only != number.to_string()) {
            continue;
        }
        let theirs = real(&tree, BASH, body, &["1"]).unwrap();
        let Real { tree: theirs, usr, status, output } = theirs;
        let effects = match run(&task(&seen, body, &owners, &arguments)) {
            Ok(effects) => effects,
            Err(error) => {
                failures.push(format!("{number}: {error}\n{body}"));
                continue;
            }
        };
        let mut after = seen.clone();
        effects.apply(&mut after);
        let mut lines = differences(&listed(&after), &theirs);
        lines.extend(differences(&changed(&effects), &usr));
        if effects.status != status {
            lines.push(format!("  status ours {} theirs {status}", effects.status));
        }
        if !lines.is_empty() {
            let ours = String::from_utf8_lossy(&effects.output);
            failures.push(format!(
                "{number}: {body}\n{}\n  output: {ours}\n  theirs: {output}",
                lines.join("\n")
            ));
        }
        compared += 1;
    }
    assert!(
        failures.is_empty(),
        "{} of {} differ\n{}",
        failures.len(),
        bodies::BODIES.len(),
        failures.join("\n\n")
    );
    eprintln!("{compared} bodies compared");
}
