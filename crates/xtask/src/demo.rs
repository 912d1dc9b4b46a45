//! `cargo xtask demo`: from an empty machine to images that run, without any repository.

use crate::run::{cargo, output, run};
use crate::{packages, workspace};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The architecture that the manifests of `examples/quickstart` name.
const WRITTEN_FOR: &str = "x86_64";

/// `cargo xtask demo`
#[derive(clap::Args)]
pub struct Arguments {
    /// Where to [default: target/demo]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

/// Builds strata, makes the packages of `examples/quickstart`, and composes its images.
pub fn demo(arguments: &Arguments) -> Result<()> {
    packages::require("building strata", &[packages::BUILD])?;
    run(&mut cargo(&["build", "--package", "strata-cli"]))?;
    let strata = workspace::target().join("debug/strata");
    let directory = match &arguments.directory {
        Some(directory) => std::path::absolute(directory)?,
        None => workspace::target().join("demo"),
    };
    copy(&workspace::root().join("examples/quickstart"), &directory)?;
    compile_programs(&directory)?;
    pack(&strata, &directory)?;
    let report = build(&strata, &directory)?;
    describe(&strata, &directory, &report)
}

/// A fresh copy of the example, keeping images of an earlier run.
fn copy(example: &Path, directory: &Path) -> Result<()> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot make `{}`", directory.display()))?;
    for stale in ["packages", "programs", "repo"] {
        let path = directory.join(stale);
        if path.exists() {
            std::fs::remove_dir_all(&path)
                .with_context(|| format!("cannot remove `{}`", path.display()))?;
        }
    }
    run(Command::new("cp").arg("-R").arg(example.join(".")).arg(directory))
}

/// Static programs for this machine, each in the package of its name.
fn compile_programs(directory: &Path) -> Result<()> {
    for source in sorted(&directory.join("programs"))? {
        let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let target = directory.join("packages").join(&name).join("root/usr/bin");
        std::fs::create_dir_all(&target)?;
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.args([
            "--edition",
            "2024",
            "-C",
            "target-feature=+crt-static",
            "-C",
            "strip=symbols",
        ]);
        rustc.args(["-C", "opt-level=s", "-C", "panic=abort", "-o"]).arg(target.join(&name));
        run(rustc.arg(&source))?;
    }
    Ok(())
}

/// `strata pack` for every directory of packages.
fn pack(strata: &Path, directory: &Path) -> Result<()> {
    let repository = directory.join("repo");
    std::fs::create_dir_all(&repository)?;
    for package in sorted(&directory.join("packages"))? {
        let manifest = package.join("package.json");
        let text = std::fs::read_to_string(&manifest)
            .with_context(|| format!("cannot read `{}`", manifest.display()))?;
        let here = format!("\"arch\": \"{}\"", std::env::consts::ARCH);
        std::fs::write(&manifest, text.replace(&format!("\"arch\": \"{WRITTEN_FOR}\""), &here))?;
        let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut command = Command::new(strata);
        command.arg("pack").arg(&package).arg("-o").arg(repository.join(format!("{name}.rpm")));
        run(&mut command)?;
    }
    Ok(())
}

fn build(strata: &Path, directory: &Path) -> Result<Value> {
    let mut command = Command::new(strata);
    command.arg("build").arg("compose.json").args(["-o", "oci:images", "--update"]);
    command.args(["--arch", std::env::consts::ARCH, "--format", "json"]).current_dir(directory);
    eprintln!("+ strata build compose.json -o oci:images --update");
    let report = output(&mut command)?;
    serde_json::from_str(&report).context("cannot read what `strata build --format json` printed")
}

/// Says what was made and how to run it.
fn describe(strata: &Path, directory: &Path, report: &Value) -> Result<()> {
    let images = directory.join("images");
    println!("\nThree images from five packages, in {}:\n", images.display());
    println!(
        "  {:<8}{:<9}{:>9}{:>8}{:>12}{:>12}",
        "", "", "packages", "layers", "bytes", "new bytes"
    );
    for image in report["images"].as_array().into_iter().flatten() {
        let text = |key: &str| image[key].as_str().unwrap_or("?").to_owned();
        let number = |key: &str| image[key].as_u64().unwrap_or_default();
        println!(
            "  {:<8}{:<9}{:>9}{:>8}{:>12}{:>12}",
            text("name"),
            text("status"),
            number("packages"),
            number("layers"),
            number("bytes"),
            number("new_bytes")
        );
    }
    println!("\nTheir layers, and which images share them:\n");
    let plan =
        Command::new(strata).args(["plan", "compose.json"]).current_dir(directory).output()?;
    for line in String::from_utf8_lossy(&plan.stdout).lines() {
        println!("  {line}");
    }
    let (strata, images) = (strata.display(), images.display());
    println!(
        "
Look into them:

  {strata} inspect oci:{images}:web
  {strata} ls -l oci:{images}:web
  {strata} cat oci:{images}:web /etc/passwd

Run them (podman wants the path in lower case):

  podman run --rm oci:{images}:hello
  podman run --rm oci:{images}:base /usr/bin/cat /etc/os-release
  podman run --rm -p 8080:8080 oci:{images}:web      # then: curl http://127.0.0.1:8080/

Hand them on:

  skopeo copy oci:{images}:web docker-daemon:web:latest
  skopeo copy oci:{images}:web containers-storage:localhost/web

Change something below {directory}/packages, raise its `release`, and run there:

  {strata} pack packages/website -o repo/website.rpm
  {strata} build compose.json -o oci:images --update",
        directory = directory.display()
    );
    Ok(())
}

fn sorted(directory: &Path) -> Result<Vec<PathBuf>> {
    let listing = std::fs::read_dir(directory)
        .with_context(|| format!("cannot list `{}`", directory.display()))?;
    let mut paths = listing.map(|item| Ok(item?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
