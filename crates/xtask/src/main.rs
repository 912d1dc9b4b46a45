//! `cargo xtask`: the developer's commands. Each installs what it needs, or says what to install.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that speaks to a person")]

mod bench;
mod corpus;
mod demo;
mod fuzz;
mod packages;
mod plugins;
mod run;
mod test;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer commands of strata")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build strata, compose examples/quickstart and say how to run the images
    Demo(demo::Arguments),
    /// Format, lint, and run every test
    Test(test::Arguments),
    /// Make RPM repositories of Debian 12 packages: real input for the tests
    Corpus(corpus::Arguments),
    /// Build plugins as WebAssembly components; the bundled ones are kept in plugins/bundled
    Plugins(plugins::Arguments),
    /// Write the plugin SDK's bindings from wit/
    Bindings,
    /// Look for inputs that make readers and interpreters do what they must not
    Fuzz(fuzz::Arguments),
    /// Measure strata beside dnf and umoci, and write docs/benchmarks.md
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo(arguments) => demo::demo(&arguments),
        Command::Test(arguments) => test::test(&arguments),
        Command::Corpus(arguments) => corpus::corpus(&arguments),
        Command::Plugins(arguments) => plugins::plugins(&arguments),
        Command::Bindings => plugins::bindings(),
        Command::Fuzz(arguments) => fuzz::fuzz(&arguments),
        Command::Bench(arguments) => bench::bench(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
