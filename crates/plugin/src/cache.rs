//! Compiled components on the disk.
//!
//! Compiled code is run as it is, so a file is used only when the user's own host wrote it. That it
//! did, file and directory say: both are the user's, and nobody else may write them. The file's
//! name says for what: the component's digest, the engine's settings, the host's version. A
//! checksum in it says that it is whole, which a power cut may prevent. Anything else is compiled
//! again.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};
use strata_oci::Digest;
use strata_store::PrivateStore;
use wasmtime::{Engine, Result, component::Component};

/// How a file begins; a digest of the rest follows.
const MAGIC: &[u8] = b"strata compiled component 1\n";

pub(crate) struct Cache {
    store: Option<PrivateStore>,
    engine: u64,
}

impl Cache {
    pub fn open(directory: Option<&Path>, engine: &Engine) -> Self {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let store = directory.and_then(|directory| match PrivateStore::open(directory) {
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

fn read(store: &PrivateStore, key: &str, engine: &Engine) -> Option<Component> {
    let content = store.read(key).ok()??;
    let (checksum, compiled) = content.strip_prefix(MAGIC)?.split_at_checked(32)?;
    if Digest::of(compiled).as_bytes() != checksum {
        return None;
    }
    deserialize(engine, compiled).ok()
}

#[allow(unsafe_code, reason = "compiled code is trusted; see below")]
fn deserialize(engine: &Engine, compiled: &[u8]) -> Result<Component> {
    // SAFETY: the bytes are what `precompile_component` gave, just now or before: then they come from
    // a file that the user owns and nobody else may write, in such a directory, under a name with
    // the engine's settings, and whole. The engine compares its version and settings with those in
    // the bytes, too.
    unsafe { Component::deserialize(engine, compiled) }
}
