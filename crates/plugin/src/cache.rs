//! Compiled components on the disk.
//!
//! A file is used only when this very host wrote it: its name has the component's digest, the
//! engine's settings and the host's version; its content a checksum. Anything else is compiled
//! again.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};
use strata_oci::Digest;
use strata_store::Store;
use wasmtime::{Engine, Result, component::Component};

/// How a file begins; a digest of the rest follows.
const MAGIC: &[u8] = b"strata compiled component 1\n";

pub(crate) struct Cache {
    store: Option<Store>,
    engine: u64,
}

impl Cache {
    pub fn open(directory: Option<&Path>, engine: &Engine) -> Self {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let store = directory.and_then(|directory| match Store::open(directory) {
            Ok(store) => Some(store),
            Err(error) => {
                tracing::debug!(target: "strata_plugin", "no cache of compiled plugins: {error}");
                None
            }
        });
        Self { store, engine: hasher.finish() }
    }

    /// The component, compiled now or before.
    pub fn component(&self, engine: &Engine, digest: &Digest, bytes: &[u8]) -> Result<Component> {
        let Some(store) = &self.store else { return Component::new(engine, bytes) };
        let version = env!("CARGO_PKG_VERSION");
        let key = format!("{}-{:016x}-{version}", digest.hex(), self.engine);
        if let Some(component) = read(store, &key, engine) {
            return Ok(component);
        }
        // One of several processes would do; that each compiles is rare, and costs less than a lock
        // that a killed process might hold.
        let compiled = engine.precompile_component(bytes)?;
        tracing::debug!(target: "strata_plugin", "compiled {digest}");
        let checksum = Digest::of(&compiled);
        let content = [MAGIC, checksum.as_bytes(), &compiled].concat();
        if let Err(error) = store.put_lazily(&key, &content) {
            tracing::debug!(target: "strata_plugin", "a compiled plugin is not kept: {error}");
        }
        deserialize(engine, &compiled)
    }
}

fn read(store: &Store, key: &str, engine: &Engine) -> Option<Component> {
    let content = store.read(key).ok()??;
    let (checksum, compiled) = content.strip_prefix(MAGIC)?.split_at_checked(32)?;
    if Digest::of(compiled).as_bytes() != checksum {
        return None;
    }
    deserialize(engine, compiled).ok()
}

#[allow(unsafe_code, reason = "compiled code is trusted; see below")]
fn deserialize(engine: &Engine, compiled: &[u8]) -> Result<Component> {
    // SAFETY: the bytes are what `precompile_component` gave, just now or before: then they carry a
    // checksum, under a name with the engine's settings, in a directory of the user's own. The
    // engine compares its version and settings with those in the bytes, too.
    unsafe { Component::deserialize(engine, compiled) }
}
