//! `cargo xtask fuzz`: looks for inputs that do what they must not.
//!
//! The engine is libFuzzer, which the crate `libfuzzer-sys` brings; it is guided by which code an
//! input reaches. What counts that is a pass of LLVM that the stable compiler has too, so there is
//! no need for `cargo-fuzz`, a nightly compiler or a sanitizer: there is no `unsafe` to watch in
//! what is fuzzed, and memory is counted by the targets.

use crate::run::{cargo, run};
use crate::{packages, workspace};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// `cargo xtask fuzz`
#[derive(clap::Args)]
pub struct Arguments {
    /// What to fuzz, by the names of the directories in crates/fuzz/seeds; none: all in turn
    targets: Vec<String>,
    /// How long, for each
    #[arg(long, default_value_t = 30)]
    minutes: u32,
}

/// Edges, as one counter each, and what is compared with what.
const COVERAGE: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Seconds after which an input counts as one that never ends, and MiB of which it takes too much.
const LIMITS: [&str; 2] = ["-timeout=60", "-rss_limit_mb=2048"];

/// Builds the fuzzer and runs it on each target; a finding ends it.
pub fn fuzz(arguments: &Arguments) -> Result<()> {
    let known = known()?;
    if let Some(other) = arguments.targets.iter().find(|name| !known.contains(name)) {
        bail!("there is no target `{other}`; known are {}", known.join(", "));
    }
    packages::require("building", &[packages::BUILD])?;
    let program = build()?;
    let chosen = if arguments.targets.is_empty() { &known } else { &arguments.targets };
    chosen.iter().try_for_each(|target| search(&program, target, arguments.minutes))
}

fn directory() -> PathBuf {
    workspace::root().join("crates/fuzz")
}

fn known() -> Result<Vec<String>> {
    let seeds = directory().join("seeds");
    let listing =
        std::fs::read_dir(&seeds).with_context(|| format!("cannot list `{}`", seeds.display()))?;
    let mut names: Vec<_> =
        listing.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// The program lies beside what else cargo builds, in a directory of its own: flags of the compiler
/// would build all anew each time.
fn build() -> Result<PathBuf> {
    let target = workspace::target().join("fuzz");
    // with a target that is named, build scripts and macros are built without the flags
    let host = crate::run::output(Command::new("rustc").args(["--print", "host-tuple"]))?;
    let host = host.trim();
    let mut command = cargo(&["build", "--package", "strata-fuzz", "--bin", "strata-fuzz"]);
    command.args(["--features", "engine", "--profile", "fuzz", "--target", host]);
    run(command.env("RUSTFLAGS", COVERAGE.join(" ")).env("CARGO_TARGET_DIR", &target))?;
    Ok(target.join(host).join("fuzz/strata-fuzz"))
}

fn search(program: &Path, target: &str, minutes: u32) -> Result<()> {
    let work = workspace::target().join("fuzz");
    let (corpus, findings) = (work.join("corpus").join(target), work.join("findings").join(target));
    for path in [&corpus, &findings] {
        std::fs::create_dir_all(path)
            .with_context(|| format!("cannot make `{}`", path.display()))?;
    }
    let mut command = Command::new(program);
    command.env("STRATA_FUZZ_TARGET", target).args(LIMITS);
    command.arg(format!("-max_total_time={}", u64::from(minutes) * 60));
    command.arg(format!("-artifact_prefix={}/", findings.display()));
    command.arg("-print_final_stats=1");
    let dictionary = directory().join(format!("dictionaries/{target}.dict"));
    if dictionary.exists() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    command.arg(&corpus).arg(directory().join("seeds").join(target));
    run(&mut command).with_context(|| {
        format!(
            "what was found is in `{}`: keep it in crates/fuzz/seeds/{target}, named for what it \
             showed",
            findings.display()
        )
    })
}
