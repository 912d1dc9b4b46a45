//! `cargo xtask corpus`: real packages to compose from. The work is done by the Python scripts
//! beside this crate's sources, which run where Debian's own tools are.

use crate::{packages, run, workspace};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `cargo xtask corpus`
#[derive(clap::Args)]
pub struct Arguments {
    /// Which packages: `small` (105, for quick tests), `large` (175) or `full` (400);
    /// `units`: only the unit files of some hundred services; `rpmdbs`: databases of real
    /// installations; `rpms`: packages that other projects test with
    #[arg(long, value_enum, default_values_t = [Set::Small, Set::Large, Set::Units])]
    set: Vec<Set>,
    /// Where to; one repository a set, and one more with updates  [default: target/corpus]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Ask apt for newer packages
    #[arg(long)]
    refresh: bool,
}

/// The sets that the scripts know.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Set {
    /// nginx, redis, bash, coreutils, python3
    Small,
    /// the images that peers are measured with
    Large,
    /// what people put into images
    Full,
    /// unit files alone
    Units,
    /// headers of real installations
    Rpmdbs,
    /// packages that other projects test with
    Rpms,
}

impl Set {
    fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Large => "large",
            Self::Full => "full",
            Self::Units => "units",
            Self::Rpmdbs => "rpmdbs",
            Self::Rpms => "rpms",
        }
    }
}

/// Makes what the command line asks for.
pub fn corpus(arguments: &Arguments) -> Result<()> {
    let out = arguments.out.clone().unwrap_or_else(default_directory);
    make(&arguments.set, &out, arguments.refresh)
}

/// Where corpora are kept unless told otherwise.
pub fn default_directory() -> PathBuf {
    workspace::target().join("corpus")
}

/// Makes the sets that are not there yet; instant when all are.
pub fn make(sets: &[Set], out: &Path, refresh: bool) -> Result<()> {
    packages::require("making a corpus", &[packages::CORPUS])?;
    let script = workspace::root().join("crates/xtask/corpus/make_corpus.py");
    let mut command = Command::new("python3");
    command.arg(script).arg("--out").arg(out);
    for set in sets {
        command.args(["--set", set.name()]);
    }
    if refresh {
        command.arg("--refresh");
    }
    run::run(&mut command)
}
