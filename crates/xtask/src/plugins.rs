//! `cargo xtask plugins`: from plugin crates to finished WebAssembly components.
//!
//! The bundled ones are committed, with what made them; the same sources and the same compiler
//! give the same bytes, on any machine and in any directory.

mod build;
mod provenance;
mod sources;
mod toolchain;

use crate::run::{cargo, run};
use crate::workspace;
use anyhow::{Context, Result, bail};
use provenance::{Component, Provenance};
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
    /// Run the crates' tests; STRATA_PLUGIN tells them where the component is
    #[arg(long, requires = "crates")]
    test: bool,
}

/// Builds or checks what the command line asks for.
pub fn plugins(arguments: &Arguments) -> Result<()> {
    if arguments.check {
        return check(Install::No);
    }
    let toolchain = Toolchain::require()?;
    let bundled = sources::bundled(&workspace::root())?;
    let (names, others): (Vec<_>, Vec<_>) = arguments
        .crates
        .iter()
        .partition(|path| bundled.iter().any(|name| path.as_os_str() == name.as_str()));
    let names = names.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    match arguments.crates.is_empty() {
        true => bundle(&toolchain, bundled, Provenance::default())?,
        false if others.len() < arguments.crates.len() => {
            bundle(&toolchain, names, Provenance::read(&workspace::root())?)?;
        }
        false => {}
    }
    for directory in others {
        let directory = std::path::absolute(directory)?;
        let bytes = build::component(&toolchain, &directory)?;
        let path = build::target().join(sources::short_name(&directory)?).with_extension("wasm");
        std::fs::write(&path, &bytes)?;
        println!("{} ({} bytes)", path.display(), bytes.len());
        if arguments.test {
            let mut command = cargo(&["test"]);
            // what the crate shares with the workspace need not be compiled again
            command.env("CARGO_TARGET_DIR", workspace::target());
            run(command.env("STRATA_PLUGIN", &path).current_dir(&directory))?;
        }
    }
    Ok(())
}

/// Whether a check may install the compiler.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Install {
    /// It may.
    Yes,
    /// It may not: without the compiler, only sources are compared.
    No,
}

/// Builds plugins of `plugins/`, keeps them in `plugins/bundled/`, and notes what made them.
fn bundle(toolchain: &Toolchain, names: Vec<String>, mut provenance: Provenance) -> Result<()> {
    let root = workspace::root();
    for name in names {
        let bytes = build::component(toolchain, &root.join("plugins").join(&name))?;
        let path = provenance::path(&root, &name);
        std::fs::create_dir_all(path.parent().context("a file is in a directory")?)?;
        std::fs::write(&path, &bytes)?;
        println!("{} ({} bytes)", path.display(), bytes.len());
        let component = Component {
            bytes: bytes.len() as u64,
            sha256: sources::sha256(&bytes),
            sources: sources::digest(&root, &name)?,
            compiler: toolchain.compiler().to_owned(),
            linker: toolchain.linker().to_owned(),
            library: toolchain.library().to_owned(),
        };
        provenance.components.insert(name, component);
    }
    provenance.write(&root)
}

/// Compares the components with their sources; where the compiler is that made them, builds them
/// once more and compares their bytes.
pub fn check(install: Install) -> Result<()> {
    let root = workspace::root();
    let provenance = Provenance::read(&root)?;
    let stale = provenance.stale(&root)?;
    if !stale.is_empty() {
        bail!("{}\nhint: run `cargo xtask plugins`", stale.join("\n"));
    }
    let toolchain = match install {
        Install::Yes => Toolchain::require()?,
        Install::No => match Toolchain::find()? {
            Some(toolchain) => toolchain,
            None => {
                println!("not built again: no compiler for WebAssembly is here");
                return Ok(());
            }
        },
    };
    for (name, recorded) in &provenance.components {
        if let Some(difference) = recorded.made_otherwise(&toolchain) {
            println!("{name}: not built again: {difference}");
            continue;
        }
        let bytes = build::component(&toolchain, &root.join("plugins").join(name))?;
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
    }
    Ok(())
}

/// `cargo xtask bindings`: writes the SDK's bindings from `wit/`.
pub fn bindings() -> Result<()> {
    let sdk = workspace::root().join("crates/plugin-sdk");
    let manifest = sdk.join("generator/Cargo.toml");
    let mut command = cargo(&["run", "--quiet", "--locked", "--manifest-path"]);
    command.env("CARGO_TARGET_DIR", workspace::target().join("bindings"));
    command.arg(manifest).arg("--").arg(workspace::root().join("wit"));
    run(command.arg(sdk.join("src/bindings")))
}

/// Paths in the order of their names, of what is in a directory.
fn sorted(directory: &Path) -> Result<Vec<PathBuf>> {
    let listing = std::fs::read_dir(directory)
        .with_context(|| format!("cannot list `{}`", directory.display()))?;
    let mut paths = listing.map(|item| Ok(item?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
