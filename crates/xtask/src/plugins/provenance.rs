//! `plugins/bundled/provenance.json`: what made the committed components. Needs no compiler: a test
//! asks it, too.

use super::sources;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What `version` is in the file; another number is another meaning.
const VERSION: u64 = 1;

/// All components.
#[derive(Serialize, Deserialize)]
pub struct Provenance {
    /// By the plugin's name.
    pub components: BTreeMap<String, Component>,
    version: u64,
}

/// One component.
#[derive(Serialize, Deserialize)]
pub struct Component {
    /// Its size.
    pub bytes: u64,
    /// What made it.
    #[serde(flatten)]
    pub tools: Tools,
    /// Its digest.
    pub sha256: String,
    /// Digest of its sources.
    pub sources: String,
}

/// What shapes a component's bytes beside its sources.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    /// The compiler, as it calls itself.
    pub compiler: String,
    /// Where Rust's library comes from.
    pub library: String,
    /// The linkers, as they call themselves.
    pub linker: String,
}

/// Where a component is kept.
pub fn path(root: &Path, name: &str) -> PathBuf {
    root.join("plugins/bundled").join(name).with_extension("wasm")
}

fn file(root: &Path) -> PathBuf {
    root.join("plugins/bundled/provenance.json")
}

impl Default for Provenance {
    fn default() -> Self {
        Self { components: BTreeMap::new(), version: VERSION }
    }
}

impl Provenance {
    /// What is committed.
    pub fn read(root: &Path) -> Result<Self> {
        let path = file(root);
        if !path.exists() {
            return Ok(Self::default());
        }
        let wrong = || format!("`{}` is not what `cargo xtask plugins` writes", path.display());
        let value: Value = serde_json::from_str(&sources::text(&path)?).with_context(wrong)?;
        if value["version"] != VERSION {
            bail!("`{}` is of another version", path.display());
        }
        serde_json::from_value(value).with_context(wrong)
    }

    /// Replaces what is there.
    pub fn write(&self, root: &Path) -> Result<()> {
        let path = file(root);
        std::fs::write(&path, format!("{}\n", serde_json::to_string_pretty(self)?))
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

impl Tools {
    /// How others differ from these, which made a component; none when they do not.
    pub fn difference(&self, here: &Self) -> Option<String> {
        [
            ("compiler", &self.compiler, &here.compiler),
            ("linker", &self.linker, &here.linker),
            ("library", &self.library, &here.library),
        ]
        .into_iter()
        .find(|(_, recorded, here)| recorded != here)
        .map(|(what, recorded, here)| format!("its {what} was `{recorded}`, here is `{here}`"))
    }
}
