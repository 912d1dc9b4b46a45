//! `build`: resolve, compare, make what is stale, put it in place in one step.

use crate::{
    BuildReport, ComposeError, Destination, Event, ImageReport, LockMode, Options, Reporter,
    Status,
    assemble_stage::Wanted,
    cache::Cache,
    current::Present,
    documents::Documents,
    layer_stage::Planned,
    layers::{KnownLayer, LayerStore},
    lock::Lock,
    packages::PackageSet,
    publish::{Made, Publication},
    resolve_stage::{self, Resolved},
    root_stage::{Root, add_overlay_files, roots},
    target::Target,
};
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use strata_assemble::LayerRef;
use strata_layer::Compression;
use strata_oci::{Descriptor, Digest};
use strata_rootfs::accounts::Ids;
use strata_spec::Scriptlets;

/// Builds the images whose inputs changed, and leaves the others alone.
pub fn build(
    options: &Options,
    destination: &Destination,
    reporter: &Arc<dyn Reporter + Send>,
) -> Result<BuildReport, ComposeError> {
    let documents = Documents::read(options)?;
    let cache = Cache::open(&options.cache_dir)?;
    let resolved = resolve_stage::resolve(&documents, options, &cache, reporter)?;
    let compression = Compression::default();
    let wanted: Vec<Wanted<'_>> = resolved
        .targets
        .iter()
        .map(|target| Wanted::new(&documents, options, target, &compression))
        .collect::<Result<_, _>>()?;
    let present = Present::read(&destination.dir, &resolved.targets)?;
    let mut selected = BTreeSet::new();
    let mut stale = BTreeSet::new();
    for (at, (target, wanted)) in resolved.targets.iter().zip(&wanted).enumerate() {
        if !options.selects(target.image.name.as_str(), target.arch) {
            continue;
        }
        selected.insert(at);
        if options.force || !present.is_current(at, &wanted.inputs.digest()) {
            stale.insert(at);
        }
    }
    let (made, lock) = if stale.is_empty() {
        (BTreeMap::new(), resolved.lock(None)?)
    } else {
        let packages = PackageSet::open(&cache, resolved.fetch()?)?;
        let run = Run { resolved: &resolved, wanted: &wanted, compression, stale };
        run.make(options, &cache, &packages, &present, reporter.as_ref())?
    };
    let publication = Publication {
        documents: &documents,
        targets: &resolved.targets,
        wanted: &wanted,
        present: &present,
        selected: &selected,
        made: &made,
    };
    let changed = resolved.before.as_ref() != Some(&lock);
    // `--locked` leaves the lock alone: it may lie where nothing can be written
    let pending = (changed && options.lock != LockMode::Locked)
        .then(|| lock.prepare(&documents.lock_path))
        .transpose()?;
    let report = publication.publish(destination)?;
    if let Some(pending) = pending {
        pending.commit()?;
    }
    for image in &report.images {
        let name = format!("{} ({})", image.name, image.arch);
        reporter.event(&match image.status {
            Status::Current => Event::ImageCurrent { image: name },
            Status::Built => Event::ImageBuilt {
                image: name,
                digest: image.digest.to_string(),
                layers: image.layers,
                bytes: image.bytes,
            },
        });
    }
    Ok(report)
}

/// One build after everything is resolved.
struct Run<'a> {
    resolved: &'a Resolved,
    /// For each target.
    wanted: &'a [Wanted<'a>],
    compression: Compression,
    /// Targets that have to be made.
    stale: BTreeSet<usize>,
}

impl Run<'_> {
    /// Makes the stale images' layers. All images are numbered and planned.
    fn make(
        &self,
        options: &Options,
        cache: &Cache,
        packages: &PackageSet,
        present: &Present,
        reporter: &dyn Reporter,
    ) -> Result<(BTreeMap<usize, Made>, Lock), ComposeError> {
        let (mut roots, ids) = self.roots(options, packages)?;
        // what can be refused is refused before anything is unpacked
        let mut configured = BTreeMap::new();
        for (at, root) in roots.iter().enumerate().filter(|(at, _)| self.stale.contains(at)) {
            refuse_scriptlets(root)?;
            let Some(wanted) = self.wanted.get(at) else { continue };
            configured.insert(at, wanted.configure(root, &root.accounts())?);
        }
        let planned = Planned::new(
            &roots,
            &self.compression,
            self.resolved.before.as_ref().and_then(Lock::plan),
        )?;
        let store = LayerStore::new(cache, self.compression, present.layers().clone());
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
        let planned = planned.complete(&roots, &self.compression)?;
        // nothing new as a rule: only where generated links take the place of packaged ones
        let shared = planned.make_shared(&stale, &store, packages, &crate::Silent)?;
        let mut made = BTreeMap::new();
        for (at, configured) in configured {
            let (Some(root), Some(wanted)) = (roots.get(at), self.wanted.get(at)) else { continue };
            let inputs = wanted.inputs.digest();
            let (layers, report) =
                self.make_image(root, inputs, &planned, &shared, &store, packages)?;
            made.insert(at, Made { layers, configured, epoch: root.epoch, report });
        }
        let lock = self.resolved.lock(Some((&ids, &planned.plan.record())))?;
        Ok((made, lock))
    }

    fn stale_targets(&self) -> impl Iterator<Item = &Target> {
        self.stale.iter().filter_map(|at| self.resolved.targets.get(*at))
    }

    /// The roots up to what differs in every image.
    fn roots<'b>(
        &'b self,
        options: &Options,
        packages: &'b PackageSet,
    ) -> Result<(Vec<Root<'b>>, Ids), ComposeError> {
        let previous = self.resolved.before.as_ref().map(Lock::ids).unwrap_or_default();
        prepare(&self.resolved.targets, self.wanted, packages, &previous, options.source_date_epoch)
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
        let overlay = image.overlay.iter().map(|manifest| (manifest, "files of the overlay"));
        for (manifest, title) in overlay.chain([(&image.state, "state")]) {
            let key = manifest.key(&self.compression);
            let layer = match store.find(&key) {
                Some(layer) => layer,
                None => store.make(title, &key, manifest, &contents)?,
            };
            layers.push((self.layer_ref(&layer, key, title.to_owned()), layer));
        }
        let mut warnings = root.warnings.clone();
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
            scriptlets_not_run: root.scriptlets.clone(),
            warnings,
        };
        Ok((layers, report))
    }

    fn layer_ref(&self, layer: &KnownLayer, key: Digest, title: String) -> LayerRef {
        let descriptor = Descriptor::new(self.compression.media_type(), layer.digest, layer.size);
        LayerRef { descriptor, diff_id: layer.diff_id, key, title }
    }
}

/// Roots of all targets with accounts and the overlay's files: all that shapes shared layers.
pub(crate) fn prepare<'a>(
    targets: &'a [Target],
    wanted: &[Wanted<'_>],
    packages: &'a PackageSet,
    previous: &Ids,
    epoch: Option<u64>,
) -> Result<(Vec<Root<'a>>, Ids), ComposeError> {
    let (mut roots, ids) = roots(targets, packages, previous, epoch)?;
    for (root, wanted) in roots.iter_mut().zip(wanted) {
        root.add_accounts(&ids);
        let files = wanted.files(&root.accounts())?;
        add_overlay_files(root, &files)?;
    }
    Ok((roots, ids))
}

fn refuse_scriptlets(root: &Root<'_>) -> Result<(), ComposeError> {
    const SHOWN: usize = 5;
    if root.target.image.scriptlets != Scriptlets::Fail || root.scriptlets.is_empty() {
        return Ok(());
    }
    let count = root.scriptlets.len();
    let mut list: Vec<String> = root
        .scriptlets
        .iter()
        .take(SHOWN)
        .map(|one| format!("`{}` %{}", one.package, one.when))
        .collect();
    if count > SHOWN {
        list.push(format!("and {} more", count - SHOWN));
    }
    let image = root.target.to_string();
    Err(ComposeError::Scriptlets { image, count, list: list.join(", ") })
}
