//! `cargo xtask test`: everything that must hold before a change lands.
//!
//! The order makes cargo build each thing once, and ends with the test runner's summary.

use crate::corpus::{self, Set};
use crate::plugins::{self, Install};
use crate::run::{cargo, run, succeeds};
use crate::{packages, workspace};
use anyhow::Result;
use std::path::PathBuf;

/// `cargo xtask test`
#[derive(clap::Args)]
pub struct Arguments {
    /// Leave out what needs a corpus or another tool to compare with
    #[arg(long)]
    fast: bool,
    /// Passed on to the test runner: names of tests, for example
    #[arg(trailing_var_arg = true)]
    filter: Vec<String>,
}

/// Runs all checks and tests.
pub fn test(arguments: &Arguments) -> Result<()> {
    packages::require("building", &[packages::BUILD])?;
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    if !arguments.fast {
        components()?;
    }
    let environment = if arguments.fast { Vec::new() } else { corpora()? };
    run(cargo(&["test", "--workspace", "--quiet", "--doc"]).envs(environment.clone()))?;
    let nextest = succeeds(&mut cargo(&["nextest", "--version"]));
    let mut runner = if nextest {
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast"])
    } else {
        cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"])
    };
    run(runner.args(&arguments.filter).envs(environment))
}

/// Builds the bundled components once more. Where the compiler can be installed, that has to come
/// about; elsewhere what is left out is told aloud.
fn components() -> Result<()> {
    if packages::can_install() {
        return plugins::check(Install::Yes)?.require();
    }
    for left in plugins::check(Install::No)?.left() {
        eprintln!("warning: not built again: {left}");
    }
    Ok(())
}

/// Installs what the tests compare with and makes the corpora; the environment that tells the
/// tests of them.
///
/// Where that cannot be done without help, the tests that need it are left out, aloud. Where it
/// can, as in CI, a failure is a failure.
fn corpora() -> Result<Vec<(&'static str, PathBuf)>> {
    match prepare() {
        // some oracles need root: without it what is missing is told, and no failure
        Ok(directory) if packages::can_install() => {
            Ok(vec![("STRATA_CORPUS", directory), ("STRATA_REQUIRE_CORPUS", "1".into())])
        }
        Ok(directory) => Ok(vec![("STRATA_CORPUS", directory)]),
        Err(error) if packages::can_install() => Err(error),
        Err(error) => {
            eprintln!("warning: {error:#}\nwarning: going on without the tests that need it");
            Ok(Vec::new())
        }
    }
}

fn prepare() -> Result<PathBuf> {
    packages::require("comparing with other tools", &[packages::ORACLES])?;
    if let Some(directory) = std::env::var_os("STRATA_CORPUS") {
        return Ok(workspace::root().join(directory));
    }
    let directory = corpus::default_directory();
    let sets = [Set::Small, Set::Large, Set::Units, Set::Rpmdbs, Set::Rpms];
    corpus::make(&sets, &directory, false)?;
    Ok(directory)
}
