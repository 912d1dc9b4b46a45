//! `plugins/bundled/provenance.json`: what made the committed components.

use super::sources;
use super::toolchain::Toolchain;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The first field of the file; another number is another meaning.
const VERSION: u64 = 1;

/// All components.
#[derive(Default)]
pub struct Provenance {
    /// By the plugin's name.
    pub components: BTreeMap<String, Component>,
}

/// One component.
pub struct Component {
    /// Its size.
    pub bytes: u64,
    /// Its digest.
    pub sha256: String,
    /// Digest of its sources.
    pub sources: String,
    /// The compiler, as it calls itself.
    pub compiler: String,
    /// The linkers, as they call themselves.
    pub linker: String,
    /// Where Rust's library comes from.
    pub library: String,
}

/// Where a component is kept.
pub fn path(root: &Path, name: &str) -> PathBuf {
    root.join("plugins/bundled").join(name).with_extension("wasm")
}

fn file(root: &Path) -> PathBuf {
    root.join("plugins/bundled/provenance.json")
}

impl Provenance {
    /// What is committed.
    pub fn read(root: &Path) -> Result<Self> {
        let path = file(root);
        if !path.exists() {
            return Ok(Self::default());
        }
        let value: Value = serde_json::from_str(&sources::text(&path)?)
            .with_context(|| format!("`{}` is no JSON", path.display()))?;
        if value["version"] != VERSION {
            bail!("`{}` is of another version", path.display());
        }
        let components = value["components"].as_object().into_iter().flatten();
        let components = components.map(|(name, value)| {
            let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
            let component = Component {
                bytes: value["bytes"].as_u64().unwrap_or_default(),
                sha256: text("sha256"),
                sources: text("sources"),
                compiler: text("compiler"),
                linker: text("linker"),
                library: text("library"),
            };
            (name.clone(), component)
        });
        Ok(Self { components: components.collect() })
    }

    /// Replaces what is there.
    pub fn write(&self, root: &Path) -> Result<()> {
        let components: serde_json::Map<_, _> = self
            .components
            .iter()
            .map(|(name, component)| {
                let value = json!({
                    "bytes": component.bytes,
                    "sha256": component.sha256,
                    "sources": component.sources,
                    "compiler": component.compiler,
                    "linker": component.linker,
                    "library": component.library,
                });
                (name.clone(), value)
            })
            .collect();
        let value = json!({ "version": VERSION, "components": components });
        let path = file(root);
        std::fs::write(&path, format!("{value:#}\n"))
            .with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// What is not as its sources are, in words.
    pub fn stale(&self, root: &Path) -> Result<Vec<String>> {
        let mut stale = Vec::new();
        let names = sources::bundled(root)?;
        for name in &names {
            let Some(recorded) = self.components.get(name) else {
                stale.push(format!("`{name}` has not been built"));
                continue;
            };
            if recorded.sources != sources::digest(root, name)? {
                stale.push(format!("sources of `{name}` have changed since it was built"));
            }
            let bytes = std::fs::read(path(root, name)).unwrap_or_default();
            if recorded.sha256 != sources::sha256(&bytes) || recorded.bytes != bytes.len() as u64 {
                stale.push(format!("`{name}` is not the component that was built"));
            }
        }
        let gone = self.components.keys().filter(|name| !names.contains(name));
        stale.extend(gone.map(|name| format!("`{name}` has no sources")));
        Ok(stale)
    }
}

impl Component {
    /// How this toolchain differs from the one that made the component, if it does.
    pub fn made_otherwise(&self, toolchain: &Toolchain) -> Option<String> {
        [
            ("compiler", &self.compiler, toolchain.compiler()),
            ("linker", &self.linker, toolchain.linker()),
            ("library", &self.library, toolchain.library()),
        ]
        .into_iter()
        .find(|(_, recorded, here)| recorded.as_str() != *here)
        .map(|(what, recorded, here)| format!("its {what} was `{recorded}`, here is `{here}`"))
    }
}
