//! ASSEMBLE, last step: finished images to their destination, all or nothing.

use crate::{
    BuildReport, ComposeError, Destination, ImageReport, ScriptletReport, Status,
    assemble_stage::Wanted, current::Present, documents::Documents, layers::KnownLayer,
    target::Target,
};
use std::collections::{BTreeMap, BTreeSet};
use strata_assemble::{Configured, ImageTask, LayerRef, assemble, image_index, references};
use strata_oci::{
    Descriptor, Index,
    layout::{Layout, Update},
    media,
};
use strata_spec::{ImageName, Tag};

/// An image whose layers exist, before it is at its destination.
pub(crate) struct Made {
    /// The lowest first.
    pub layers: Vec<(LayerRef, KnownLayer)>,
    /// How its process starts.
    pub configured: Configured,
    /// Seconds since 1970 that date it.
    pub epoch: u64,
    /// What is known of it so far: everything but the manifest's digest and what is new.
    pub report: ImageReport,
}

/// What is to be at the destination afterwards.
pub(crate) struct Publication<'a> {
    /// The documents, for tags.
    pub documents: &'a Documents,
    /// All targets of the spec.
    pub targets: &'a [Target],
    /// What the documents want, for each target.
    pub wanted: &'a [Wanted<'a>],
    /// The destination as it was found.
    pub present: &'a Present,
    /// Targets that were asked for and did not fail.
    pub selected: &'a BTreeSet<usize>,
    /// Those that were made; the others are present.
    pub made: &'a BTreeMap<usize, Made>,
}

/// A manifest that is in place, and what is told of it.
type Placed = BTreeMap<usize, (Descriptor, ImageReport)>;

impl Publication<'_> {
    /// Puts blobs and the index in place. Nothing of the old state is touched before the new one is
    /// whole; when nothing changes, nothing is written. With `thorough`, damaged blobs are replaced.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn publish(
        &self,
        destination: &Destination,
        thorough: bool,
    ) -> Result<BuildReport, ComposeError> {
        if self.made.is_empty() && self.is_listed() {
            let images = self.reports(&Placed::new());
            return Ok(BuildReport { images, ..BuildReport::default() });
        }
        let layout = Layout::create(&destination.dir)?;
        let update = layout.update()?;
        let update = if thorough { update.thorough() } else { update };
        let mut placed = Placed::new();
        for (at, made) in self.made {
            let Some(target) = self.targets.get(*at) else { continue };
            placed.insert(*at, put_image(&update, target, made)?);
        }
        let Some((nested, entries)) = self.entries(&placed) else {
            return Err(ComposeError::Internal("an image has no manifest".to_owned()));
        };
        for bytes in nested {
            update.put_blob_bytes(media::INDEX, &bytes)?;
        }
        for entry in &entries {
            refuse_missing(&update, entry)?;
        }
        let index = self.replaced(update.before(), &entries);
        let pruned = update.commit(&index)?.pruned;
        Ok(BuildReport { images: self.reports(&placed), failed: Vec::new(), pruned })
    }

    /// Whether the index lists the selected images as they are present, with all their tags.
    pub fn is_listed(&self) -> bool {
        let index = self.present.index();
        self.entries(&Placed::new())
            .is_some_and(|(_, entries)| self.replaced(index, &entries) == *index)
    }

    fn names(&self) -> BTreeSet<&ImageName> {
        let targets = self.selected.iter().filter_map(|at| self.targets.get(*at));
        targets.map(|target| &target.image.name).collect()
    }

    /// The index with these entries in the place of all that the selected images had: a tag that
    /// the overlay no longer gives goes.
    fn replaced(&self, index: &Index, entries: &[Descriptor]) -> Index {
        let names = self.names();
        let mut index = index.clone();
        index.manifests.retain(|entry| {
            let reference = entry.ref_name().unwrap_or_default();
            let image = reference.split_once(':').map_or(reference, |(image, _)| image);
            !names.iter().any(|name| name.as_str() == image)
        });
        index.put(entries.iter().cloned());
        index
    }

    /// The entries of `index.json` for the selected images, and the nested indexes they need; none
    /// where a manifest is neither present nor made.
    fn entries(&self, placed: &Placed) -> Option<(Vec<Vec<u8>>, Vec<Descriptor>)> {
        let (mut nested, mut entries) = (Vec::new(), Vec::new());
        for name in self.names() {
            let all = self.targets.iter().enumerate();
            let same: Vec<usize> =
                all.filter(|(_, target)| target.image.name == *name).map(|(at, _)| at).collect();
            let mut manifests = Vec::new();
            for at in &same {
                let made = placed.get(at).map(|(descriptor, _)| descriptor);
                match made.or_else(|| self.present.manifest(*at)) {
                    Some(descriptor) => manifests.push(descriptor.clone()),
                    // an architecture that was not asked for, and that nobody built before
                    None if !self.selected.contains(at) => {}
                    None => return None,
                }
            }
            let descriptor = match (same.len(), manifests.as_slice()) {
                (1, [only]) => bare(only),
                _ => {
                    let manifests: Vec<Descriptor> = manifests.iter().map(bare).collect();
                    let index = image_index(&manifests);
                    nested.push(index.bytes);
                    index.descriptor
                }
            };
            let overlays = self.documents.overlay.iter().chain(&self.documents.sets);
            let tags: Vec<Tag> = overlays.flat_map(|overlay| overlay.tags(name)).collect();
            entries.extend(references(name, &tags, &descriptor));
        }
        Some((nested, entries))
    }

    fn reports(&self, placed: &Placed) -> Vec<ImageReport> {
        let report = |at: &usize| match placed.get(at) {
            Some((_, report)) => Some(report.clone()),
            None => self.current(*at),
        };
        self.selected.iter().filter_map(report).collect()
    }

    /// What is told of an image that was left alone.
    fn current(&self, at: usize) -> Option<ImageReport> {
        let (target, image) = (self.targets.get(at)?, self.present.image(at)?);
        Some(ImageReport {
            name: target.image.name.to_string(),
            arch: target.arch.to_string(),
            status: Status::Current,
            digest: image.descriptor.digest,
            inputs: self.wanted.get(at)?.inputs,
            packages: target.packages.len(),
            layers: image.manifest.layers.len(),
            bytes: image.manifest.layers.iter().map(|layer| layer.size).sum(),
            new_bytes: 0,
            scriptlets: Vec::new(),
            warnings: Vec::new(),
        })
    }
}

/// Without the names that an index gave it.
fn bare(descriptor: &Descriptor) -> Descriptor {
    Descriptor { annotations: BTreeMap::new(), ..descriptor.clone() }
}

/// Puts an image's blobs; no index names them yet.
fn put_image(
    update: &Update<'_>,
    target: &Target,
    made: &Made,
) -> Result<(Descriptor, ImageReport), ComposeError> {
    let mut report = made.report.clone();
    for (layer, known) in &made.layers {
        match &known.path {
            Some(path) if update.put_blob_file(path, &known.digest, known.size)? => {
                report.new_bytes += known.size;
            }
            Some(_) => {}
            None => refuse_missing(update, &layer.descriptor)?,
        }
    }
    let layers: Vec<LayerRef> = made.layers.iter().map(|(layer, _)| layer.clone()).collect();
    let assembled = assemble(&ImageTask {
        platform: target.arch.platform(),
        epoch: made.epoch,
        layers: &layers,
        config: &made.configured.config,
        annotations: &made.configured.annotations,
        inputs: report.inputs,
        scriptlets: ScriptletReport::digest(&report.scriptlets),
    });
    update.put_blob_bytes(media::CONFIG, &assembled.config)?;
    update.put_blob_bytes(media::MANIFEST, &assembled.manifest)?;
    report.digest = assembled.manifest_descriptor.digest;
    Ok((assembled.manifest_descriptor, report))
}

/// What was present when the build began may be gone when it ends: another build prunes.
fn refuse_missing(update: &Update<'_>, blob: &Descriptor) -> Result<(), ComposeError> {
    if update.has_blob(&blob.digest, blob.size) {
        return Ok(());
    }
    Err(ComposeError::Changed { dir: update.root().to_owned(), blob: blob.digest })
}
