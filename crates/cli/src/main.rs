//! The `strata` command: arguments in, results on standard output, what happens on standard error,
//! and the exit code of the kind of failure.

mod args;
mod explain;
mod failure;
mod image;
mod manual;
mod plugins;
mod progress;
mod spec;

use args::{Cli, Command};
use clap::Parser;
use failure::Failure;
use std::process::ExitCode;

/// `check` found something out of date.
const OUT_OF_DATE: u8 = 10;

fn main() -> ExitCode {
    // this may be a process of a sandbox that another strata has started
    strata_sandbox::init();
    let cli = Cli::parse();
    init_logs();
    match run(&cli) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

fn run(cli: &Cli) -> Result<ExitCode, Failure> {
    match &cli.command {
        Command::Build(args) => spec::build(cli, args),
        Command::Check(args) => spec::check(cli, args),
        Command::Resolve(args) => spec::resolve(cli, args),
        Command::Plan(args) => spec::plan(cli, args),
        Command::Explain(args) => explain::explain(cli, args),
        Command::Inspect(args) => image::inspect(cli, args),
        Command::Ls(args) => image::ls(cli, args),
        Command::Cat(args) => image::cat(args),
        Command::Validate(args) => image::validate(cli, args),
        Command::Pack(args) => spec::pack(cli, args),
        Command::Plugin { command } => plugins::commands::plugin(cli, command),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { dir } => manual::man(dir),
    }
}

/// Logs go to standard error, as `RUST_LOG` asks; `RUST_LOG=strata=debug` tells how long each step
/// took.
fn init_logs() {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing_subscriber::filter::LevelFilter::OFF.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
        .with_writer(std::io::stderr)
        .init();
}
