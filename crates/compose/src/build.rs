//! `build`: resolve, compare, make what is stale, put it in place in one step.

use crate::{
    BuildReport, ComposeError, Destination, Event, ImageReport, Options, Reporter, Status,
    assemble_stage::Wanted,
    cache::Cache,
    current::Present,
    documents::Documents,
    layer_stage::{Planned, own_contents},
    layers::{KnownLayer, LayerStore},
    lock::Lock,
    packages::PackageSet,
    resolve_stage::{self, Resolved},
    root_stage::{Root, add_overlay_files, roots},
    target::Target,
};
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use strata_assemble::{Configured, ImageTask, LayerRef, assemble, image_index, references};
use strata_layer::Compression;
use strata_oci::{
    Descriptor, Digest,
    layout::{Layout, Update},
};
use strata_rootfs::accounts::Ids;
use strata_spec::{ImageName, Scriptlets};

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
    let mut run = Run {
        resolved: &resolved,
        wanted: &wanted,
        compression,
        stale: BTreeSet::new(),
        selected: BTreeSet::new(),
    };
    for (at, (target, wanted)) in resolved.targets.iter().zip(&wanted).enumerate() {
        if !options.selects(target.image.name.as_str(), target.arch) {
            continue;
        }
        run.selected.insert(at);
        if options.force || !present.is_current(at, &wanted.inputs.digest()) {
            run.stale.insert(at);
        }
    }
    let (made, lock) = if run.stale.is_empty() {
        (BTreeMap::new(), resolved.lock(None)?)
    } else {
        let packages = PackageSet::open(&cache, resolved.fetch()?)?;
        run.make(options, &cache, &packages, &present, reporter.as_ref())?
    };
    let report = run.publish(&documents, destination, &present, &made)?;
    if resolved.before.as_ref() != Some(&lock) {
        lock.write(&documents.lock_path)?;
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
    /// Targets that were asked for.
    selected: BTreeSet<usize>,
}

/// An image whose layers exist, before it is at its destination.
struct Made {
    layers: Vec<(LayerRef, KnownLayer)>,
    configured: Configured,
    epoch: u64,
    report: ImageReport,
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
        for (at, root) in roots.iter().enumerate().filter(|(at, _)| self.stale.contains(at)) {
            let Some(wanted) = self.wanted.get(at) else { continue };
            made.insert(at, self.make_image(root, wanted, &planned, &shared, &store, packages)?);
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
        wanted: &Wanted<'_>,
        planned: &Planned,
        shared: &BTreeMap<usize, KnownLayer>,
        store: &LayerStore<'_>,
        packages: &PackageSet,
    ) -> Result<Made, ComposeError> {
        let target = root.target;
        refuse_scriptlets(root)?;
        let image = planned.image(&target.id())?;
        let mut layers = Vec::new();
        for at in &image.shared {
            let (Some(layer), Some(key)) = (shared.get(at), planned.keys.get(*at)) else {
                return Err(ComposeError::Internal(format!("a layer of `{target}` was not made")));
            };
            layers.push((self.layer_ref(layer, *key, planned.title(*at)), layer.clone()));
        }
        let contents = own_contents(packages, &planned.layering.inline);
        let overlay = image.overlay.iter().map(|manifest| (manifest, "files of the overlay"));
        for (manifest, title) in overlay.chain([(&image.state, "state")]) {
            let key = manifest.key(&self.compression);
            let layer = match store.find(&key) {
                Some(layer) => layer,
                None => store.make(title, &key, manifest, &contents)?,
            };
            layers.push((self.layer_ref(&layer, key, title.to_owned()), layer));
        }
        let configured = wanted.configure(root, &root.accounts())?;
        let mut warnings: Vec<String> =
            root.merged.warnings.iter().map(ToString::to_string).collect();
        if !image.left_out.is_empty() {
            warnings.push(format!("{} device nodes are left out", image.left_out.len()));
        }
        let report = ImageReport {
            name: target.image.name.to_string(),
            arch: target.arch.to_string(),
            status: Status::Built,
            // known once it is assembled
            digest: wanted.inputs.digest(),
            inputs: wanted.inputs.digest(),
            packages: target.packages.len(),
            layers: layers.len(),
            bytes: layers.iter().map(|(_, layer)| layer.size).sum(),
            new_bytes: 0,
            scriptlets_not_run: root.scriptlets.clone(),
            warnings,
        };
        Ok(Made { layers, configured, epoch: root.epoch, report })
    }

    fn layer_ref(&self, layer: &KnownLayer, key: Digest, title: String) -> LayerRef {
        let descriptor = Descriptor::new(self.compression.media_type(), layer.digest, layer.size);
        LayerRef { descriptor, diff_id: layer.diff_id, key, title }
    }

    /// Puts blobs and the index in place. Nothing of the old state is touched before the new one is
    /// whole; when nothing changes, nothing is written.
    fn publish(
        &self,
        documents: &Documents,
        destination: &Destination,
        present: &Present,
        made: &BTreeMap<usize, Made>,
    ) -> Result<BuildReport, ComposeError> {
        let mut report = BuildReport::default();
        let settled = made.is_empty()
            && self
                .references(documents, present, &BTreeMap::new())
                .is_some_and(|(_, entries)| present.lists(&entries));
        if settled {
            report.images = self.reports(present, &BTreeMap::new());
            return Ok(report);
        }
        let layout = Layout::create(&destination.dir)?;
        let update = layout.update()?;
        let mut built = BTreeMap::new();
        for (at, made) in made {
            built.insert(*at, put_image(&update, self.resolved.targets.get(*at), made)?);
        }
        let manifests =
            built.iter().map(|(at, (descriptor, _))| (*at, descriptor.clone())).collect();
        let Some((nested, entries)) = self.references(documents, present, &manifests) else {
            return Err(ComposeError::Internal("an image has no manifest".to_owned()));
        };
        for bytes in nested {
            update.put_blob_bytes(strata_oci::media::INDEX, &bytes)?;
        }
        let mut index = update.before().clone();
        for name in self.selected_names() {
            // tags that the overlay no longer gives
            let stale: Vec<String> = index
                .manifests
                .iter()
                .filter_map(|entry| entry.ref_name())
                .filter(|reference| {
                    reference.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with(':'))
                })
                .map(str::to_owned)
                .collect();
            stale.iter().for_each(|reference| index.remove(reference));
        }
        index.put(entries);
        report.pruned = update.commit(&index)?.pruned;
        report.images = self.reports(present, &built);
        Ok(report)
    }

    fn selected_names(&self) -> BTreeSet<ImageName> {
        let targets = self.selected.iter().filter_map(|at| self.resolved.targets.get(*at));
        targets.map(|target| target.image.name.clone()).collect()
    }

    /// The entries of `index.json` for the selected images, and the nested indexes they need; none
    /// where a manifest is neither present nor made.
    fn references(
        &self,
        documents: &Documents,
        present: &Present,
        made: &BTreeMap<usize, Descriptor>,
    ) -> Option<(Vec<Vec<u8>>, Vec<Descriptor>)> {
        let (mut nested, mut entries) = (Vec::new(), Vec::new());
        for name in self.selected_names() {
            let mut manifests = Vec::new();
            let all = self.resolved.targets.iter().enumerate();
            let same: Vec<usize> =
                all.filter(|(_, target)| target.image.name == name).map(|(at, _)| at).collect();
            for at in &same {
                match made.get(at).or_else(|| present.manifest(*at)) {
                    Some(descriptor) => manifests.push(descriptor.clone()),
                    // an architecture that was not asked for, and that nobody built before
                    None if !self.selected.contains(at) => {}
                    None => return None,
                }
            }
            let descriptor = match (same.len(), manifests.as_slice()) {
                (1, [only]) => only.clone(),
                _ => {
                    let index = image_index(&manifests);
                    nested.push(index.bytes);
                    index.descriptor
                }
            };
            let tags = documents.overlay.iter().chain(&documents.sets);
            let tags: Vec<strata_spec::Tag> =
                tags.flat_map(|overlay| overlay.tags(&name)).collect();
            entries.extend(references(&name, &tags, &descriptor));
        }
        Some((nested, entries))
    }

    fn reports(
        &self,
        present: &Present,
        built: &BTreeMap<usize, (Descriptor, ImageReport)>,
    ) -> Vec<ImageReport> {
        let report = |at: &usize| {
            if let Some((_, report)) = built.get(at) {
                return Some(report.clone());
            }
            let target = self.resolved.targets.get(*at)?;
            let image = present.image(*at)?;
            Some(ImageReport {
                name: target.image.name.to_string(),
                arch: target.arch.to_string(),
                status: Status::Current,
                digest: image.descriptor.digest,
                inputs: self.wanted.get(*at)?.inputs.digest(),
                packages: target.packages.len(),
                layers: image.manifest.layers.len(),
                bytes: image.manifest.layers.iter().map(|layer| layer.size).sum(),
                new_bytes: 0,
                scriptlets_not_run: Vec::new(),
                warnings: Vec::new(),
            })
        };
        self.selected.iter().filter_map(report).collect()
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

/// Puts an image's blobs; no index names them yet.
fn put_image(
    update: &Update<'_>,
    target: Option<&Target>,
    made: &Made,
) -> Result<(Descriptor, ImageReport), ComposeError> {
    let platform = target.map(|target| target.arch.platform()).unwrap_or_default();
    let mut report = made.report.clone();
    for (_, layer) in &made.layers {
        let Some(path) = &layer.path else { continue };
        if update.put_blob_file(path, &layer.digest, layer.size)? {
            report.new_bytes += layer.size;
        }
    }
    let layers: Vec<LayerRef> = made.layers.iter().map(|(layer, _)| layer.clone()).collect();
    let assembled = assemble(&ImageTask {
        platform,
        epoch: made.epoch,
        layers: &layers,
        config: &made.configured.config,
        annotations: &made.configured.annotations,
        inputs: report.inputs,
    });
    update.put_blob_bytes(strata_oci::media::CONFIG, &assembled.config)?;
    update.put_blob_bytes(strata_oci::media::MANIFEST, &assembled.manifest)?;
    report.digest = assembled.manifest_descriptor.digest;
    Ok((assembled.manifest_descriptor, report))
}
