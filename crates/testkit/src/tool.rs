//! Other programs as oracles.

use std::path::PathBuf;
use std::process::{Command, Output};

/// What a program printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// The path of a program; none where it is not installed.
///
/// # Panics
/// When it is missing and `STRATA_REQUIRE_CORPUS=1`.
pub fn tool(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file());
    match found {
        Some(path) => Some(path),
        None => missing(&format!("`{program}` is not installed: `cargo xtask test` installs it")),
    }
}

/// Runs `command` and returns its standard output.
///
/// # Panics
/// With everything it printed, when it cannot be run or fails.
#[track_caller]
pub fn run(command: &mut Command) -> String {
    let ran = output(command);
    assert!(
        ran.code == Some(0),
        "`{}` ended with {:?}\n--- stdout\n{}\n--- stderr\n{}",
        show(command),
        ran.code,
        ran.stdout,
        ran.stderr
    );
    ran.stdout
}

/// Runs `command`, whatever it ends with.
///
/// # Panics
/// When it cannot be run.
#[track_caller]
pub fn output(command: &mut Command) -> Ran {
    match command.output() {
        Ok(Output { status, stdout, stderr }) => Ran {
            code: status.code(),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        },
        Err(error) => panic!("cannot run `{}`: {error}", show(command)),
    }
}

/// What a test must do without, said aloud.
///
/// # Panics
/// When `STRATA_REQUIRE_CORPUS=1`: everything ought to be there.
pub fn missing<T>(reason: &str) -> Option<T> {
    let required = std::env::var_os("STRATA_REQUIRE_CORPUS").is_some_and(|value| value == "1");
    assert!(!required, "{reason}");
    eprintln!("skipped: {reason}");
    None
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
