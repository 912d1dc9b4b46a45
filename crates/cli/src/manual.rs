//! Completions and manual pages, made from the command line's own definition.

use crate::{args::Cli, failure::Failure};
use clap::CommandFactory;
use std::{fs, io, path::Path, process::ExitCode};
use strata_compose::ComposeError;

/// Prints a shell's completion script.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "strata", &mut script);
    io::Write::write_all(&mut io::stdout().lock(), &script).map_err(|e| Failure::output(&e))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes `strata.1` and a page for each command.
pub(crate) fn man(dir: &Path) -> Result<ExitCode, Failure> {
    fs::create_dir_all(dir)
        .map_err(strata_compose::StoreError::io("create the directory", dir))
        .map_err(ComposeError::from)?;
    let mut command = Cli::command();
    command.build();
    pages(&command, "strata", dir)?;
    Ok(ExitCode::SUCCESS)
}

/// The page of a command and those of its own commands: `strata-plugin-list.1`.
fn pages(command: &clap::Command, name: &str, dir: &Path) -> Result<(), Failure> {
    page(command, name, dir)?;
    let mut commands = command.get_subcommands();
    commands.try_for_each(|sub| pages(sub, &format!("{name}-{}", sub.get_name()), dir))
}

fn page(command: &clap::Command, name: &str, dir: &Path) -> Result<(), Failure> {
    let name = name.to_owned();
    let command = command.clone().display_name(name.clone());
    let mut text = Vec::new();
    clap_mangen::Man::new(command)
        .title(name.to_uppercase())
        .section("1")
        .source(concat!("strata ", env!("CARGO_PKG_VERSION")))
        // clap_mangen's default is today
        .date("")
        .render(&mut text)
        .map_err(|e| Failure::output(&e))?;
    strata_compose::write_atomic(dir.join(format!("{name}.1")), &text)
        .map_err(ComposeError::from)?;
    Ok(())
}
