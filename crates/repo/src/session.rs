//! What one run shares: cache, connections, and what it has asked for already.

use crate::{
    Base, Cache, Event, HttpSettings, PackageStore, Progress, RepoDefinition, RepoError,
    RepoSnapshot, http::Http, metadata, metadata::Origin, verified::Verified,
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// The repositories of one run. However many images use a repository, and from however many
/// threads, it is asked once: all see the same state of it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Repositories {
    session: Arc<Session>,
}

/// One repository's state in this run, once it is known.
type Slot = Arc<Mutex<Option<Arc<Origin>>>>;

pub(crate) struct Session {
    pub(crate) cache: Cache,
    pub(crate) http: Http,
    pub(crate) verified: Verified,
    progress: Arc<dyn Progress>,
    origins: Mutex<BTreeMap<Vec<Base>, Slot>>,
}

impl Repositories {
    /// Begins a run.
    pub fn new(
        cache: Cache,
        settings: HttpSettings,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, RepoError> {
        let verified = Verified::open(&cache.repos)?;
        let http = Http::new(settings);
        let origins = Mutex::default();
        Ok(Self { session: Arc::new(Session { cache, http, verified, progress, origins }) })
    }

    /// The repository's packages as they are now. The definition's variables must have been
    /// replaced (see [`RepoDefinition::substitute`]); whether it is enabled is not looked at.
    pub fn open(&self, definition: &RepoDefinition) -> Result<RepoSnapshot, RepoError> {
        let bases = definition.bases()?;
        let origin = self.session.origin(&definition.id, &bases)?;
        metadata::snapshot(&self.session, definition, &bases, &origin)
    }

    /// Where the packages' files come from.
    pub fn package_store(&self) -> PackageStore {
        PackageStore::new(Arc::clone(&self.session))
    }
}

impl Session {
    pub(crate) fn event(&self, event: &Event<'_>) {
        self.progress.event(event);
    }

    /// Asks a repository for its state, unless this run knows it.
    fn origin(&self, repo: &str, bases: &[Base]) -> Result<Arc<Origin>, RepoError> {
        let slot = {
            // a panic elsewhere leaves the map whole
            let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(origins.entry(bases.to_vec()).or_default())
        };
        // held while asking, so that others wait for the answer instead of asking too
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(origin) = &*slot {
            return Ok(Arc::clone(origin));
        }
        let origin = Arc::new(metadata::ask(self, repo, bases)?);
        *slot = Some(Arc::clone(&origin));
        Ok(origin)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("cache", &self.cache).finish_non_exhaustive()
    }
}
