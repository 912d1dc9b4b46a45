//! Scriptlets in a sandbox, on the tree of real packages.
//!
//! The sandbox starts this binary again, so that it has a `main` of its own, which understands
//! what test runners ask for.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "tests"
)]

#[path = "support/bounds.rs"]
mod bounds;
#[path = "support/chroot.rs"]
mod chroot;
#[path = "support/escapes.rs"]
mod escapes;
#[path = "support/image.rs"]
mod image;
#[path = "support/kept.rs"]
mod kept;
#[path = "support/lab.rs"]
mod lab;
#[path = "support/scenarios.rs"]
mod scenarios;

fn main() {
    strata_sandbox::init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let filter: Vec<&String> = arguments.iter().filter(|word| !word.starts_with("--")).collect();
    let tests: Vec<_> = scenarios::ALL
        .iter()
        .filter(|(name, _)| match filter.as_slice() {
            [] => true,
            words if has("--exact") => words.iter().any(|word| word == name),
            words => words.iter().any(|word| name.contains(word.as_str())),
        })
        .collect();
    if has("--list") {
        if !has("--ignored") {
            tests.iter().for_each(|(name, _)| println!("{name}: test"));
        }
        return;
    }
    if has("--ignored") {
        return;
    }
    let mut failed = 0;
    for (name, test) in tests {
        let begun = std::time::Instant::now();
        let ended = std::panic::catch_unwind(test);
        let word = if ended.is_ok() { "ok" } else { "FAILED" };
        failed += usize::from(ended.is_err());
        println!("test {name} ... {word} ({:.1?})", begun.elapsed());
    }
    lab::clear();
    if failed > 0 {
        eprintln!("{failed} failed");
        std::process::exit(101);
    }
}
