//! What a component is made of, as one digest. Needs no compiler: a test asks it, too.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Names of the plugins in `plugins/`, sorted.
pub fn bundled(root: &Path) -> Result<Vec<String>> {
    let crates = sorted(&root.join("plugins"))?;
    let crates = crates.iter().filter(|path| path.join("Cargo.toml").exists());
    Ok(crates.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
}

/// Digest of all that shapes the bytes of a bundled plugin, except for the compiler: its sources
/// and the SDK's, `wit/`, the profile, and the one crate that is linked in.
pub fn digest(root: &Path, plugin: &str) -> Result<String> {
    let mut files = Vec::new();
    let mut hash = Sha256::new();
    for directory in [format!("plugins/{plugin}"), "crates/plugin-sdk".to_owned()] {
        // what else a manifest says, such as what tests need, shapes no component
        let manifest = text(&root.join(&directory).join("Cargo.toml"))?;
        for name in ["package", "features", "dependencies"] {
            add(
                &mut hash,
                &format!("{directory} {name}"),
                section(&manifest, name).join("\n").as_bytes(),
            );
        }
        gather(&root.join(&directory).join("src"), &mut files)?;
    }
    gather(&root.join("wit"), &mut files)?;
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
        add(&mut hash, &name, &read(&file)?);
    }
    let manifest = text(&root.join("Cargo.toml"))?;
    for name in ["workspace.package", "profile.release", "profile.plugin"] {
        add(&mut hash, name, section(&manifest, name).join("\n").as_bytes());
    }
    let lock = text(&root.join("Cargo.lock"))?;
    let locked =
        lock.split("[[package]]").find(|entry| entry.contains("\nname = \"wit-bindgen\"\n"));
    add(&mut hash, "wit-bindgen", locked.context("`Cargo.lock` has no wit-bindgen")?.as_bytes());
    Ok(hex(&hash.finalize()))
}

/// Where the SDK's bindings are, and the file there that says what they were made of.
pub const BINDINGS: &str = "crates/plugin-sdk/src/bindings";
/// In [`BINDINGS`].
pub const BINDINGS_DIGEST: &str = "sha256";

/// Digest of the SDK's bindings with what they are generated from.
pub fn bindings(root: &Path) -> Result<String> {
    const GENERATOR: &str = "crates/plugin-sdk/generator";
    let mut files = Vec::new();
    gather(&root.join("wit"), &mut files)?;
    gather(&root.join(GENERATOR).join("src"), &mut files)?;
    files.extend(["Cargo.toml", "worlds.wit"].map(|name| root.join(GENERATOR).join(name)));
    gather(&root.join(BINDINGS), &mut files)?;
    let mut hash = Sha256::new();
    for file in files.iter().filter(|file| !file.ends_with(BINDINGS_DIGEST)) {
        let name = file.strip_prefix(root).unwrap_or(file).to_string_lossy();
        add(&mut hash, &name, &read(file)?);
    }
    Ok(hex(&hash.finalize()))
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The lines `key = value` of a section of a manifest.
pub fn section<'a>(manifest: &'a str, name: &str) -> Vec<&'a str> {
    let header = format!("[{name}]");
    let lines = manifest.lines().skip_while(|line| *line != header).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// The name of the crate in a directory.
pub fn crate_name(directory: &Path) -> Result<String> {
    let path = directory.join("Cargo.toml");
    let manifest = text(&path)?;
    let lines = section(&manifest, "package");
    let name = lines.iter().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    Ok(name.with_context(|| format!("`{}` has no `name`", path.display()))?.to_owned())
}

/// The name of a directory.
pub fn short_name(directory: &Path) -> Result<String> {
    let name = directory.file_name().and_then(|name| name.to_str());
    Ok(name.with_context(|| format!("`{}` has no name", directory.display()))?.to_owned())
}

/// All files below a directory, in the order of their names.
fn gather(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for path in sorted(directory)? {
        if path.is_dir() {
            gather(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Paths in the order of their names, of what is in a directory.
pub fn sorted(directory: &Path) -> Result<Vec<PathBuf>> {
    let listing = std::fs::read_dir(directory)
        .with_context(|| format!("cannot list `{}`", directory.display()))?;
    let mut paths = listing.map(|item| Ok(item?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn add(hash: &mut Sha256, name: &str, content: &[u8]) {
    for part in [name.as_bytes(), content] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
}

/// A text file.
pub fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
