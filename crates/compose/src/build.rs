//! `build`: resolve, compare, make what is stale, put it in place in one step.

use crate::{
    BuildReport, ComposeError, Destination, ImageReport, LockMode, Options, PluginFailure,
    PluginHost, Reporter, Status,
    assemble_stage::Wanted,
    current::Present,
    found::Found,
    layer_stage::Planned,
    layers::{KnownLayer, LayerStore},
    lock::Lock,
    packages::PackageSet,
    publish::{Made, Publication},
    root_stage::Root,
    run::Run,
    target::Target,
};
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use strata_assemble::{Configured, LayerRef};
use strata_oci::{Descriptor, Digest};
use strata_rootfs::Origin;

/// Builds the images whose inputs changed, and leaves the others alone. An image that fails because
/// of a plugin stays as it is; the others are built all the same.
pub fn build(
    options: &Options,
    destination: &Destination,
    host: &dyn PluginHost,
    reporter: &Arc<dyn Reporter + Send>,
) -> Result<BuildReport, ComposeError> {
    let run = Run::begin(options, Some(host), reporter)?;
    let (wanted, resolved) = (run.wanted()?, &run.resolved);
    let present = Present::read(&destination.dir, &resolved.targets)?;
    let mut selected = BTreeSet::new();
    let mut stale = BTreeSet::new();
    let mut failed = BTreeMap::new();
    for (at, _) in run.selected() {
        if let Err(failure) = run.plugins.of(at) {
            failed.insert(at, failure.clone());
            continue;
        }
        selected.insert(at);
        let inputs = wanted.get(at).map(|wanted| wanted.inputs);
        if options.force || present.inputs(at) != inputs {
            stale.insert(at);
        }
    }
    let (made, lock) = if stale.is_empty() {
        (BTreeMap::new(), resolved.lock(&run.plugins, None)?)
    } else {
        let packages = run.packages()?;
        let mut making = Making { run: &run, wanted: &wanted, stale, failed: BTreeMap::new() };
        let done = making.make(&packages, &present, reporter.as_ref())?;
        failed.extend(making.failed);
        done
    };
    selected.retain(|at| !failed.contains_key(at));
    let publication = Publication {
        documents: &run.documents,
        targets: &resolved.targets,
        wanted: &wanted,
        present: &present,
        selected: &selected,
        made: &made,
    };
    let changed = resolved.before.as_ref() != Some(&lock);
    // `--locked` leaves the lock alone: it may lie where nothing can be written
    let pending = (changed && options.lock != LockMode::Locked)
        .then(|| lock.prepare(&run.documents.lock_path))
        .transpose()?;
    let mut report = publication.publish(destination, options.force)?;
    report.failed = run.failed(&failed);
    if let Some(pending) = pending {
        pending.commit()?;
    }
    Ok(report)
}

/// A build that has something to make.
struct Making<'a> {
    run: &'a Run<'a>,
    /// For each target.
    wanted: &'a [Wanted<'a>],
    /// Targets that have to be made.
    stale: BTreeSet<usize>,
    /// Stale ones that turned out to be impossible.
    failed: BTreeMap<usize, PluginFailure>,
}

impl Making<'_> {
    /// Makes the stale images' layers. All images are numbered and planned.
    fn make(
        &mut self,
        packages: &PackageSet,
        present: &Present,
        reporter: &dyn Reporter,
    ) -> Result<(BTreeMap<usize, Made>, Lock), ComposeError> {
        let Run { cache, compression, resolved, .. } = self.run;
        let (mut roots, ids) = self.run.roots(self.wanted, packages)?;
        self.run.post_process(&mut roots, packages, |_| true);
        // what can be refused is refused before anything is unpacked
        for root in self.stale.iter().filter_map(|at| roots.get(*at)) {
            refuse_scriptlets(root)?;
            if self.run.options.strict_owners {
                refuse_owners(root)?;
            }
        }
        let configured = self.configure(&mut roots, packages)?;
        let planned = self.run.plan(&roots)?;
        // whoever forces a build may have found the bytes that are there damaged
        let store = match self.run.options.force {
            true => LayerStore::thorough(cache, *compression),
            false => LayerStore::new(cache, *compression, present.layers().clone()),
        };
        let stale: BTreeSet<String> = self.stale_targets().map(Target::id).collect();
        planned.make_shared(&stale, &store, packages, reporter)?;
        let libraries = self.stale_targets().flat_map(|target| &target.packages);
        packages.read_libraries(&libraries.map(|package| package.checksum.clone()).collect())?;
        roots
            .par_iter_mut()
            .filter(|root| stale.contains(&root.target.id()))
            .map(|root| root.complete(packages))
            .collect::<Vec<_>>()
            .into_iter()
            .collect::<Result<(), _>>()?;
        let planned = planned.complete(&roots, compression)?;
        // nothing new as a rule: only where generated links take the place of packaged ones
        let shared = planned.make_shared(&stale, &store, packages, &crate::Silent)?;
        let mut made = BTreeMap::new();
        for (at, configured) in configured {
            let (Some(root), Some(wanted)) = (roots.get(at), self.wanted.get(at)) else { continue };
            let inputs = wanted.inputs;
            let (layers, report) =
                self.make_image(root, inputs, &planned, &shared, &store, packages)?;
            made.insert(at, Made { layers, configured, epoch: root.epoch, report });
        }
        let lock = resolved.lock(&self.run.plugins, Some((&ids, &planned.plan.record())))?;
        Ok((made, lock))
    }

    /// How the stale images are started. Those that a plugin fails are stale no more.
    fn configure(
        &mut self,
        roots: &mut [Root<'_>],
        packages: &PackageSet,
    ) -> Result<BTreeMap<usize, Configured>, ComposeError> {
        let Run { plugins, .. } = self.run;
        let stale: Vec<usize> = self.stale.iter().copied().collect();
        let answers: Vec<_> = stale
            .into_par_iter()
            .filter_map(|at| {
                let (root, wanted) = (roots.get(at)?, self.wanted.get(at)?);
                let uses = plugins.of(at).unwrap_or_default();
                let asked = match &root.found.failure {
                    Some(_) => Ok((None, Found::default())),
                    None => wanted.configure(root, uses, packages),
                };
                Some((at, asked))
            })
            .collect();
        let mut all = BTreeMap::new();
        for (at, answer) in answers {
            let (configured, found) = answer?;
            let Some(root) = roots.get_mut(at) else { continue };
            root.found.append(found);
            match (&root.found.failure, configured) {
                (None, Some(configured)) => drop(all.insert(at, configured)),
                (failure, _) => {
                    self.stale.remove(&at);
                    self.failed.extend(failure.clone().map(|failure| (at, failure)));
                }
            }
        }
        Ok(all)
    }

    fn stale_targets(&self) -> impl Iterator<Item = &Target> {
        self.stale.iter().filter_map(|at| self.run.resolved.targets.get(*at))
    }

    fn make_image(
        &self,
        root: &Root<'_>,
        inputs: Digest,
        planned: &Planned,
        shared: &BTreeMap<usize, KnownLayer>,
        store: &LayerStore<'_>,
        packages: &PackageSet,
    ) -> Result<(Vec<(LayerRef, KnownLayer)>, ImageReport), ComposeError> {
        let target = root.target;
        let image = planned.image(&target.id())?;
        let mut layers = Vec::new();
        for at in &image.shared {
            let (Some(layer), Some(key)) = (shared.get(at), planned.keys.get(*at)) else {
                return Err(ComposeError::Internal(format!("a layer of `{target}` was not made")));
            };
            layers.push((self.layer_ref(layer, *key, planned.title(*at)), layer.clone()));
        }
        let contents = planned.contents(packages);
        let overlay = image.overlay.iter().map(|manifest| (manifest, own_title(root)));
        for (manifest, title) in overlay.chain([(&image.state, "state")]) {
            let key = manifest.key(&self.run.compression);
            let layer = match store.find(&key) {
                Some(layer) => layer,
                None => store.make(title, &key, manifest, &contents)?,
            };
            layers.push((self.layer_ref(&layer, key, title.to_owned()), layer));
        }
        let mut warnings = root.warnings.clone();
        warnings.extend(root.found.warnings());
        if !image.left_out.is_empty() {
            warnings.push(format!("{} device nodes are left out", image.left_out.len()));
        }
        let report = ImageReport {
            name: target.image.name.to_string(),
            arch: target.arch.to_string(),
            status: Status::Built,
            // known once it is assembled
            digest: inputs,
            inputs,
            packages: target.packages.len(),
            layers: layers.len(),
            bytes: layers.iter().map(|(_, layer)| layer.size).sum(),
            new_bytes: 0,
            scriptlets: root.scriptlets.clone(),
            warnings,
        };
        Ok((layers, report))
    }

    fn layer_ref(&self, layer: &KnownLayer, key: Digest, title: String) -> LayerRef {
        let descriptor =
            Descriptor::new(self.run.compression.media_type(), layer.digest, layer.size);
        LayerRef { descriptor, diff_id: layer.diff_id, key, title }
    }
}

/// What the layer between the shared ones and the state holds.
fn own_title(root: &Root<'_>) -> &'static str {
    let has = |origin| root.merged.tree.iter().any(|(_, node)| node.origin == origin);
    match (has(Origin::Overlay), has(Origin::Plugin)) {
        (true, true) => "files of the overlay and of plugins",
        (false, true) => "files of plugins",
        _ => "files of the overlay",
    }
}

/// Refuses an image that has files of unknown owners.
fn refuse_owners(root: &Root<'_>) -> Result<(), ComposeError> {
    let list: Vec<String> = root.merged.warnings.iter().map(ToString::to_string).collect();
    match list.is_empty() {
        true => Ok(()),
        false => Err(ComposeError::Owners { image: root.target.to_string(), list }),
    }
}

/// Refuses an image that scripts keep from being made.
fn refuse_scriptlets(root: &Root<'_>) -> Result<(), ComposeError> {
    const SHOWN: usize = 5;
    if root.refused.is_empty() {
        return Ok(());
    }
    let count = root.refused.len();
    let mut list: Vec<String> = root.refused.iter().take(SHOWN).cloned().collect();
    if count > SHOWN {
        list.push(format!("and {} more", count - SHOWN));
    }
    let image = root.target.to_string();
    Err(ComposeError::Scriptlets { image, count, list: list.join("; ") })
}
