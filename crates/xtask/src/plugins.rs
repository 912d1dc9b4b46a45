//! `cargo xtask plugins`: from plugin crates to finished WebAssembly components.
//!
//! The bundled ones are committed, with what made them; the same sources and the same compiler
//! give the same bytes, on any machine and in any directory.

mod build;
mod provenance;
mod sources;
mod toolchain;

use crate::run::{cargo, run};
use crate::{packages, workspace};
use anyhow::{Context, Result, bail};
use provenance::{Component, Provenance, Tools};
use std::path::{Path, PathBuf};
use toolchain::Toolchain;

/// `cargo xtask plugins`
#[derive(clap::Args)]
pub struct Arguments {
    /// Look whether the committed components are what their sources give; changes nothing
    #[arg(long, conflicts_with = "crates")]
    check: bool,
    /// Names of bundled plugins, or directories of other plugins' crates; without one, all
    /// bundled ones
    #[arg(value_name = "NAME|CRATE")]
    crates: Vec<PathBuf>,
    /// Run the crates' tests afterwards; STRATA_PLUGIN tells them where the component is
    #[arg(long, requires = "crates")]
    test: bool,
}

/// Builds or checks what the command line asks for.
pub fn plugins(arguments: &Arguments) -> Result<()> {
    if arguments.check {
        return check(Install::No)?.require();
    }
    let recorded = Provenance::read(&workspace::root())?;
    let toolchain =
        Toolchain::require(|tools| recorded.components.values().any(|one| one.tools == *tools))?;
    let bundled = sources::bundled(&workspace::root())?;
    let (names, others): (Vec<_>, Vec<_>) = arguments
        .crates
        .iter()
        .partition(|path| bundled.iter().any(|name| path.as_os_str() == name.as_str()));
    let names: Vec<_> = names.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    match arguments.crates.is_empty() {
        true => bundle(&toolchain, &bundled, Provenance::default())?,
        false if !names.is_empty() => {
            bundle(&toolchain, &names, recorded)?;
        }
        false => {}
    }
    if arguments.test {
        for name in &names {
            let directory = workspace::root().join("plugins").join(name);
            test(&directory, &provenance::path(&workspace::root(), name))?;
        }
    }
    for directory in others {
        let directory = std::path::absolute(directory)?;
        let bytes = build::component(&toolchain, &directory)?;
        let path = build::target().join(sources::short_name(&directory)?).with_extension("wasm");
        std::fs::write(&path, &bytes)?;
        println!("{} ({} bytes)", path.display(), bytes.len());
        if arguments.test {
            test(&directory, &path)?;
        }
    }
    Ok(())
}

/// Runs the tests of the crate in a directory, which find its component by a variable.
fn test(directory: &Path, component: &Path) -> Result<()> {
    let mut command = cargo(&["test"]);
    // what the crate shares with the workspace need not be compiled again
    command.env("CARGO_TARGET_DIR", workspace::target());
    run(command.env("STRATA_PLUGIN", component).current_dir(directory))
}

/// Whether a check may install the compiler.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Install {
    /// It may.
    Yes,
    /// It may not: without the compiler, only sources are compared.
    No,
}

/// What a check did.
pub struct Checked {
    /// Components that were built again, to the same bytes.
    same: Vec<String>,
    /// Those that were not, in words.
    left: Vec<String>,
}

impl Checked {
    /// An error unless something was built again.
    pub fn require(&self) -> Result<()> {
        match self.same.is_empty() {
            true => bail!("no component was built again\n{}", self.left.join("\n")),
            false => Ok(()),
        }
    }

    /// What was not built again, in words.
    pub fn left(&self) -> &[String] {
        &self.left
    }
}

/// Builds plugins of `plugins/`, keeps them in `plugins/bundled/`, and notes what made them.
fn bundle(toolchain: &Toolchain, names: &[String], mut provenance: Provenance) -> Result<()> {
    let root = workspace::root();
    for name in names {
        let bytes = build::component(toolchain, &root.join("plugins").join(name))?;
        let path = provenance::path(&root, name);
        std::fs::create_dir_all(path.parent().context("a file is in a directory")?)?;
        std::fs::write(&path, &bytes)?;
        println!("{} ({} bytes)", path.display(), bytes.len());
        let component = Component {
            bytes: bytes.len() as u64,
            tools: toolchain.tools().clone(),
            sha256: sources::sha256(&bytes),
            sources: sources::digest(&root, name)?,
        };
        provenance.components.insert(name.clone(), component);
    }
    provenance.write(&root)
}

/// Compares the components with their sources; where the tools are that made them, builds them once
/// more and compares their bytes.
pub fn check(install: Install) -> Result<Checked> {
    let root = workspace::root();
    let provenance = Provenance::read(&root)?;
    let stale = provenance.stale(&root)?;
    if !stale.is_empty() {
        bail!("{}\nhint: run `cargo xtask plugins`", stale.join("\n"));
    }
    let mut toolchains = Toolchain::all()?;
    let made_here = |toolchains: &[Toolchain], tools: &Tools| {
        toolchains.iter().position(|one| tools.difference(one.tools()).is_none())
    };
    let mut components = provenance.components.values();
    if install == Install::Yes
        && components.any(|one| made_here(&toolchains, &one.tools).is_none())
        && !packages::met(packages::WASM)
    {
        toolchains.push(Toolchain::install()?);
    }
    let mut checked = Checked { same: Vec::new(), left: Vec::new() };
    for (name, recorded) in &provenance.components {
        let Some(at) = made_here(&toolchains, &recorded.tools) else {
            let others = toolchains.iter().filter_map(|one| recorded.tools.difference(one.tools()));
            let why = match others.collect::<Vec<_>>().as_slice() {
                [] => "no compiler for WebAssembly is here".to_owned(),
                others => others.join("; "),
            };
            println!("{name}: not built again: {why}");
            checked.left.push(format!("{name}: {why}"));
            continue;
        };
        let bytes = build::component(&toolchains[at], &root.join("plugins").join(name))?;
        if sources::sha256(&bytes) != recorded.sha256 {
            let kept = build::target().join(name).with_extension("wasm");
            std::fs::write(&kept, &bytes)?;
            bail!(
                "`{}` and what its sources give now, `{}`, differ",
                provenance::path(&root, name).display(),
                kept.display()
            );
        }
        println!("{name}: the same {} bytes", bytes.len());
        checked.same.push(name.clone());
    }
    Ok(checked)
}

/// `cargo xtask bindings`: writes the SDK's bindings from `wit/`, and what they were made of.
pub fn bindings() -> Result<()> {
    let root = workspace::root();
    let bindings = root.join(sources::BINDINGS);
    let mut command = cargo(&["run", "--quiet", "--locked", "--manifest-path"]);
    command.env("CARGO_TARGET_DIR", workspace::target().join("bindings"));
    command.arg(root.join("crates/plugin-sdk/generator/Cargo.toml"));
    command.arg("--").arg(root.join("wit")).arg(&bindings);
    run(&mut command)?;
    let digest = sources::bindings(&root)? + "\n";
    Ok(std::fs::write(bindings.join(sources::BINDINGS_DIGEST), digest)?)
}
