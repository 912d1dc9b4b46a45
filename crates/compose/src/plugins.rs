//! GATHER, for plugins: which ones each image has, each loaded once.
//!
//! A plugin that cannot be loaded is the trouble of the images that use it, and of no other.

use crate::{
    ComposeError, LockMode, Options, Plugin, PluginFailure, PluginHost, Role, Settings,
    documents::Documents, lock::Lock, target::Target,
};
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};
use strata_assemble::InputPlugin;
use strata_oci::{Digest, canonical_json};
use strata_spec::PluginUse;

/// One plugin as an image uses it.
#[derive(Clone)]
pub(crate) struct Use {
    /// As the documents have it.
    pub reference: String,
    /// As the lock has it.
    pub locked_name: String,
    /// Its settings there.
    pub settings: Settings,
    /// The plugin itself.
    pub plugin: Arc<dyn Plugin>,
}

/// Equal keys are equal functions.
pub(crate) type UseKey = (Digest, Vec<u8>);

impl Use {
    /// What decides its results, beside what it is given.
    pub fn key(&self) -> UseKey {
        (self.plugin.digest(), canonical_json(&self.settings))
    }

    /// Whether it has a role.
    pub fn has(&self, role: Role) -> bool {
        self.plugin.roles().contains(&role)
    }

    /// As part of an image's inputs.
    pub fn input(&self) -> InputPlugin {
        InputPlugin { digest: self.plugin.digest(), config: serde_json::json!(self.settings) }
    }
}

/// The plugins of all images.
pub(crate) struct Plugins {
    /// For each target: its plugins in the order they run, or why it cannot have them.
    uses: Vec<Result<Vec<Use>, PluginFailure>>,
    /// Every plugin of the documents by its name in the lock, with its digest where it could be
    /// loaded.
    digests: BTreeMap<String, Option<Digest>>,
}

impl Plugins {
    /// For commands that run none: the references alone.
    pub fn named(documents: &Documents, targets: &[Target]) -> Self {
        let named = targets.iter().flat_map(|target| documents.plugins(target));
        let digests = named.map(|(used, base)| (documents.locked_name(used, base), None)).collect();
        Self { uses: targets.iter().map(|_| Ok(Vec::new())).collect(), digests }
    }

    /// Loads what the images use.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn load(documents: &Documents, targets: &[Target], host: &dyn PluginHost) -> Self {
        let named: Vec<_> = targets.iter().map(|target| documents.plugins(target)).collect();
        let key = |used: &PluginUse, base: &Path| (used.reference.value.clone(), base.to_owned());
        let distinct: BTreeSet<(String, PathBuf)> =
            named.iter().flatten().map(|(used, base)| key(used, base)).collect();
        let loaded: BTreeMap<(String, PathBuf), Result<Arc<dyn Plugin>, PluginFailure>> = distinct
            .into_par_iter()
            .map(|(reference, base)| {
                let plugin = host.load(&reference, &base);
                ((reference, base), plugin)
            })
            .collect();
        let find = |used: &PluginUse, base: &Path| match loaded.get(&key(used, base)) {
            Some(found) => found.clone(),
            None => host.load(&used.reference.value, base),
        };
        let digests = named.iter().flatten().map(|(used, base)| {
            let digest = find(used, base).ok().map(|plugin| plugin.digest());
            (documents.locked_name(used, base), digest)
        });
        let digests = digests.collect();
        let one = |(used, base): &(&PluginUse, &Path)| {
            let reference = used.reference.value.clone();
            let plugin = find(used, base).map_err(|failure| {
                let (place, mut failure) = (&used.reference.place, failure.named(&reference));
                if !place.is_command_line() {
                    failure.message = format!("{place}: {}", failure.message);
                }
                failure
            })?;
            let settings = match &used.config {
                serde_json::Value::Object(map) => {
                    map.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
                }
                _ => Settings::new(),
            };
            let locked_name = documents.locked_name(used, base);
            Ok(Use { reference, locked_name, settings, plugin })
        };
        let uses = named.iter().map(|named| named.iter().map(one).collect()).collect();
        Self { uses, digests }
    }

    /// The plugins of a target.
    pub fn of(&self, at: usize) -> Result<&[Use], &PluginFailure> {
        self.uses.get(at).map_or(Ok(&[]), |uses| uses.as_ref().map(Vec::as_slice))
    }

    /// Has every plugin of these targets look at its settings; the failures by target, those of
    /// plugins that could not be loaded among them.
    pub fn check(
        &self,
        targets: impl IntoIterator<Item = usize>,
    ) -> BTreeMap<usize, PluginFailure> {
        let mut known: BTreeMap<UseKey, Option<PluginFailure>> = BTreeMap::new();
        let mut failed = BTreeMap::new();
        for at in targets {
            let uses = match self.of(at) {
                Ok(uses) => uses,
                Err(failure) => {
                    failed.insert(at, failure.clone());
                    continue;
                }
            };
            for used in uses {
                let found = known
                    .entry(used.key())
                    .or_insert_with(|| used.plugin.check_settings(&used.settings).err());
                if let Some(failure) = found {
                    failed.insert(at, failure.named(&used.reference));
                    break;
                }
            }
        }
        failed
    }

    /// What the lock is to say of plugins: the digests of now, and of what could not be loaded
    /// those of before.
    pub fn locked(&self, before: Option<&Lock>) -> BTreeMap<String, String> {
        let all = self.digests.iter().filter_map(|(reference, digest)| {
            let known = before.and_then(|lock| lock.plugin(reference));
            let digest = digest.map(|digest| digest.to_string());
            Some((reference.clone(), digest.or_else(|| known.map(str::to_owned))?))
        });
        all.collect()
    }

    /// With `--locked`, refuses plugins that are not those of the lock.
    pub fn refuse_drift(
        &self,
        options: &Options,
        documents: &Documents,
        before: Option<&Lock>,
    ) -> Result<(), ComposeError> {
        let Some(lock) = before.filter(|_| options.lock == LockMode::Locked) else { return Ok(()) };
        for (reference, digest) in &self.digests {
            let Some(digest) = digest.map(|digest| digest.to_string()) else { continue };
            let problem = match lock.plugin(reference) {
                Some(known) if *known == digest => continue,
                Some(known) => format!(
                    "names another component for the plugin `{reference}`: {known}, and here it is {digest}"
                ),
                None => format!("does not name the plugin `{reference}`"),
            };
            return Err(ComposeError::Locked { path: documents.lock_path.clone(), problem });
        }
        Ok(())
    }
}
