//! Makes components ready.

use crate::{
    Plugin, PluginError, PluginErrorKind,
    cache::Cache,
    engine::engine,
    inspect::inspect,
    v0_1::{Component, Offered},
};
use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use strata_oci::Digest;
use wasmtime::Engine;

/// Loads plugins, each component once. Shared between threads.
pub struct Host {
    engine: Engine,
    offered: Offered,
    cache: Cache,
    loaded: Mutex<BTreeMap<Digest, Arc<Slot>>>,
}

/// A component that is loaded, or being loaded.
type Slot = Mutex<Option<Arc<Component>>>;

impl Host {
    /// `cache`: directory for compiled components, none: nothing is kept. A directory that cannot
    /// be written is as none.
    pub fn new(cache: Option<&Path>) -> Result<Self, PluginError> {
        let failed = |error: wasmtime::Error| {
            PluginError::new("", PluginErrorKind::Engine(format!("{error:#}")))
        };
        let engine = engine().map_err(failed)?;
        let offered = Offered::new(&engine).map_err(failed)?;
        let cache = Cache::open(cache, &engine);
        Ok(Self { engine, offered, cache, loaded: Mutex::default() })
    }

    /// Looks at a component, and compiles it unless that was done before. `name`: how the user
    /// refers to it, for messages.
    pub fn load(&self, name: &str, bytes: &[u8]) -> Result<Plugin, PluginError> {
        let digest = Digest::of(bytes);
        let slot = {
            let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            loaded.entry(digest).or_default().clone()
        };
        // others that want the same component wait; others that want another one do not
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(component) = &*slot {
            return Ok(Plugin::new(name, component.clone()));
        }
        let failed = |kind| PluginError::new(name, kind);
        let shape = inspect(bytes).map_err(failed)?;
        let compiled = self.cache.component(&self.engine, &digest, bytes).map_err(|error| {
            failed(PluginErrorKind::Damaged(crate::text::line(&format!("{error:#}"))))
        })?;
        let component = Component::new(&self.offered, &compiled, digest, shape).map_err(failed)?;
        let component = Arc::new(component);
        *slot = Some(component.clone());
        Ok(Plugin::new(name, component))
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}
