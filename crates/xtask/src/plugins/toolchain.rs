//! A compiler for WebAssembly: rustup's, or Debian's with a library that is built once.

use super::build;
use super::provenance::Tools;
use super::sources;
use crate::packages;
use crate::run::{output, run};
use crate::workspace;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What plugins are compiled for. No WASI: a plugin asks the host for nothing but its own imports.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Debian's compiler; `PATH` usually has rustup's.
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// Where a compiler looks for the source of its library, below its own directory.
const LIBRARY: &str = "lib/rustlib/src/rust";

/// What is needed to build components.
pub struct Toolchain {
    cargo: OsString,
    rustc: OsString,
    /// A directory with the library for [`TARGET`]; none when the compiler has its own.
    sysroot: Option<PathBuf>,
    /// Makes a component of what the linker below makes.
    component_linker: PathBuf,
    wasm_linker: PathBuf,
    tools: Tools,
}

impl Toolchain {
    /// The toolchain that made something already, else any; Debian's is installed where there is
    /// none and that can be done without help.
    pub fn require(made: impl Fn(&Tools) -> bool) -> Result<Self> {
        let mut all = Self::all()?;
        match all.iter().position(|one| made(one.tools())) {
            Some(at) => Ok(all.swap_remove(at)),
            None => all.into_iter().next().map_or_else(Self::install, Ok),
        }
    }

    /// Debian's toolchain, which is installed where that can be done without help.
    pub fn install() -> Result<Self> {
        packages::require("building plugins without rustup's target", &[packages::WASM]).context(
            format!("no compiler for WebAssembly; `rustup target add {TARGET}` is the other way"),
        )?;
        Self::debian()?.context("Debian's compiler cannot be used")
    }

    /// The toolchains that are on this machine: rustup's before Debian's.
    pub fn all() -> Result<Vec<Self>> {
        Ok([Self::rustup()?, Self::debian()?].into_iter().flatten().collect())
    }

    fn rustup() -> Result<Option<Self>> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let directory = print(&rustc, "target-libdir", &["--target", TARGET])?;
        match has_std(Path::new(directory.trim())) {
            true => Self::new(cargo, rustc, true).map(Some),
            false => Ok(None),
        }
    }

    fn debian() -> Result<Option<Self>> {
        match packages::met(packages::WASM) && debian_is_recent()? {
            true => Self::new(DEBIAN_CARGO.into(), DEBIAN_RUSTC.into(), false).map(Some),
            false => Ok(None),
        }
    }

    fn new(cargo: OsString, rustc: OsString, own_library: bool) -> Result<Self> {
        let (component_linker, wasm_linker) = linkers()?;
        let linker = format!(
            "{}, {}",
            output(Command::new(&component_linker).arg("--version"))?.trim(),
            output(Command::new(&wasm_linker).arg("--version"))?.trim()
        );
        let compiler = output(Command::new(&rustc).arg("--version"))?.trim().to_owned();
        let sysroot = (!own_library).then(|| {
            let number = compiler.split_whitespace().nth(1).unwrap_or("unknown");
            build::target().join(format!("sysroot-{number}"))
        });
        // a library that is built here has other bytes than rustup's
        let library = match own_library {
            true => "as it comes with the compiler",
            false => "built from its source",
        };
        let tools = Tools { compiler, library: library.to_owned(), linker };
        Ok(Self { cargo, rustc, sysroot, component_linker, wasm_linker, tools })
    }

    /// What of it shapes a component's bytes.
    pub const fn tools(&self) -> &Tools {
        &self.tools
    }

    /// cargo, so that it compiles for [`TARGET`] and links finished components.
    pub fn cargo(&self) -> Result<Command> {
        let mut flags = vec![format!("-Clink-arg=--wasm-ld-path={}", self.wasm_linker.display())];
        if let Some(sysroot) = &self.sysroot {
            if !has_std(&library_directory(sysroot)) {
                self.build_library(sysroot)?;
            }
            flags.push(format!("--sysroot={}", sysroot.display()));
        }
        flags.extend(build::remaps()?);
        let mut command = self.plain_cargo(&flags);
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", &self.component_linker);
        Ok(command)
    }

    /// cargo with nothing of what cargo told us, or the user tells it: bytes depend on flags.
    fn plain_cargo(&self, flags: &[String]) -> Command {
        let mut command = Command::new(&self.cargo);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let ours = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_PROFILE_", "CARGO_BUILD_"];
            if ours.iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command.env_remove("LD_LIBRARY_PATH").env_remove("RUSTC_WRAPPER").env_remove("RUSTFLAGS");
        command.env("RUSTC", &self.rustc).env("CARGO", &self.cargo);
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
        command
    }

    /// Builds Rust's library for [`TARGET`] from its source, into a directory of its own.
    fn build_library(&self, sysroot: &Path) -> Result<()> {
        let own = PathBuf::from(print(&self.rustc, "sysroot", &[])?.trim());
        let source = own.join(LIBRARY);
        let work = sysroot.with_extension("build");
        remove(&work)?;
        std::fs::create_dir_all(work.join("src"))?;
        std::fs::write(work.join("src/lib.rs"), "#![no_std]\n")?;
        std::fs::write(
            work.join("Cargo.toml"),
            "[package]\nname = \"library\"\nedition = \"2024\"\n[workspace]\n",
        )?;
        let vendored = source.join("library/vendor");
        let mut flags = vec!["-Cembed-bitcode=yes".to_owned()];
        // a directory of Debian's package is a link to one with a version in its name
        for directory in [source.canonicalize().unwrap_or_else(|_| source.clone()), source] {
            flags.push(format!("--remap-path-prefix={}=/rustc/library", directory.display()));
        }
        let mut command = self.plain_cargo(&flags);
        command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", work.join("target"));
        command.args(["build", "--release", "-Z", "build-std=std,panic_abort", "--target", TARGET]);
        // what the library depends on comes with its source
        command.args(["--offline", "--config", "source.crates-io.replace-with='vendored'"]);
        command.arg("--config");
        command.arg(format!("source.vendored.directory='{}'", vendored.display()));
        run(command.current_dir(&work))?;
        let made = work.join("target").join(TARGET).join("release/deps");
        // under another name first: who is interrupted must not leave half a library
        let staged = sysroot.with_extension("new");
        remove(&staged)?;
        let directory = library_directory(&staged);
        std::fs::create_dir_all(&directory)?;
        for path in sources::sorted(&made)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.ends_with(".rlib") && !name.starts_with("liblibrary-") {
                std::fs::copy(&path, directory.join(name))?;
            }
        }
        if !has_std(&directory) {
            bail!("`{}` holds no library after it was built", made.display());
        }
        remove(sysroot)?;
        std::fs::rename(&staged, sysroot)?;
        remove(&work)
    }
}

/// The linkers of rustup's toolchain; it has them with and without the target.
fn linkers() -> Result<(PathBuf, PathBuf)> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = PathBuf::from(print(&rustc, "sysroot", &[])?.trim());
    let verbose = output(Command::new(&rustc).arg("-vV"))?;
    let host = verbose.lines().find_map(|line| line.strip_prefix("host: "));
    let tools = sysroot.join("lib/rustlib").join(host.unwrap_or_default()).join("bin");
    let both = (tools.join("wasm-component-ld"), tools.join("gcc-ld/wasm-ld"));
    for tool in [&both.0, &both.1] {
        if !tool.exists() {
            bail!(
                "no `{}`: linking components needs a toolchain of rustup\nhint: install Rust with \
                 https://rustup.rs",
                tool.display()
            );
        }
    }
    Ok(both)
}

fn print(rustc: &OsString, what: &str, more: &[&str]) -> Result<String> {
    output(Command::new(rustc).args(["--print", what]).args(more).current_dir(workspace::root()))
}

/// Whether Debian's compiler is the one of its browser packages; its older one knows neither our
/// edition nor our sources.
fn debian_is_recent() -> Result<bool> {
    let version = output(Command::new(DEBIAN_RUSTC).arg("--version"))?;
    let number = version.split_whitespace().nth(1).unwrap_or_default();
    let mut parts = number.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    Ok((parts.next(), parts.next()) >= (Some(1), Some(95)))
}

fn library_directory(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(TARGET).join("lib")
}

fn has_std(directory: &Path) -> bool {
    sources::sorted(directory).is_ok_and(|paths| {
        paths.iter().any(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    })
}

fn remove(directory: &Path) -> Result<()> {
    if directory.exists() {
        std::fs::remove_dir_all(directory)
            .with_context(|| format!("cannot remove `{}`", directory.display()))?;
    }
    Ok(())
}
