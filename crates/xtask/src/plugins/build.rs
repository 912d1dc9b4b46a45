//! One crate to one component.

use super::sources;
use super::toolchain::{TARGET, Toolchain};
use crate::run::run;
use crate::workspace;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The profile that plugins are built with; the root manifest has it.
const PROFILE: &str = "plugin";

/// A target directory apart: the compiler may be another than the workspace's.
pub fn target() -> PathBuf {
    workspace::target().join("plugins")
}

/// Builds the crate in a directory.
pub fn component(toolchain: &Toolchain, directory: &Path) -> Result<Vec<u8>> {
    let name = sources::crate_name(directory)?;
    let mut command = toolchain.cargo()?;
    // this type of crate alone: with another beside it, cargo leaves out what `lto` does
    command.args(["rustc", "--quiet", "--lib", "--crate-type", "cdylib", "--target", TARGET]);
    command.args(["--profile", PROFILE, "--package", &name]);
    // a crate outside the workspace has the profile, too
    let manifest = sources::text(&workspace::root().join("Cargo.toml"))?;
    for line in sources::section(&manifest, &format!("profile.{PROFILE}")) {
        command.args(["--config", &format!("profile.{PROFILE}.{line}")]);
    }
    if inside_workspace(directory) {
        command.arg("--locked");
    }
    command.env("CARGO_TARGET_DIR", target()).current_dir(directory);
    run(&mut command)?;
    let file = target().join(TARGET).join(PROFILE).join(name.replace('-', "_") + ".wasm");
    std::fs::read(&file).with_context(|| format!("cannot read `{}`", file.display()))
}

fn inside_workspace(directory: &Path) -> bool {
    directory.parent() == Some(&workspace::root().join("plugins"))
}

/// Flags that keep paths of this machine out of panic messages.
pub fn remaps() -> Result<Vec<String>> {
    let cargo_home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => std::env::home_dir().unwrap_or_default().join(".cargo"),
    };
    let mut names = vec![(workspace::root(), "/strata".to_owned())];
    // below it is a directory for each registry, whose name depends on how cargo reaches it
    let registry = cargo_home.join("registry/src");
    if registry.exists() {
        let registries = sources::sorted(&registry)?;
        names.extend(registries.into_iter().map(|path| (path, "/registry".to_owned())));
    }
    let flag =
        |(path, name): (PathBuf, String)| format!("--remap-path-prefix={}={name}", path.display());
    Ok(names.into_iter().map(flag).collect())
}
