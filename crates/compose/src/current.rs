//! What the destination has already: which images are current, and which layers need no making.

use crate::{ComposeError, layers::KnownLayer, target::Target};
use std::{collections::BTreeMap, path::Path};
use strata_assemble::annotation;
use strata_oci::{
    Descriptor, Digest, Index,
    layout::{Image, Layout, LayoutError},
};

/// The destination as it is found.
#[derive(Debug, Default)]
pub(crate) struct Present {
    index: Index,
    /// For each target that is there: its image.
    images: BTreeMap<usize, Image>,
    layers: BTreeMap<Digest, KnownLayer>,
}

impl Present {
    /// Looks for the targets' images. A destination that does not exist has none; an image that
    /// cannot be read, or that lacks a blob, counts as absent, so that it is made again.
    pub fn read(dir: &Path, targets: &[Target]) -> Result<Self, ComposeError> {
        let layout = match Layout::open(dir) {
            Ok(layout) => layout,
            Err(LayoutError::NotLayout { .. }) => return Ok(Self::default()),
            Err(error) => return Err(error.into()),
        };
        let mut present = Self { index: layout.index()?, ..Self::default() };
        for (at, target) in targets.iter().enumerate() {
            let Some(entry) = present.index.find(target.image.name.as_str()) else { continue };
            let platform = target.arch.platform();
            let found = layout
                .images(entry)
                .unwrap_or_default()
                .into_iter()
                .find(|image| image.config.platform == platform && is_whole(&layout, image));
            let Some(image) = found else { continue };
            for layer in image.layers() {
                let key = layer.descriptor.annotations.get(annotation::LAYER_KEY);
                if let Some(key) = key.and_then(|key| key.parse().ok()) {
                    let digest = layer.descriptor.digest;
                    let (diff_id, size) = (layer.diff_id, layer.descriptor.size);
                    present.layers.insert(key, KnownLayer { digest, diff_id, size, path: None });
                }
            }
            present.images.insert(at, image);
        }
        Ok(present)
    }

    /// The inputs that the target's image was built from.
    pub fn inputs(&self, at: usize) -> Option<Digest> {
        self.images.get(&at)?.manifest.annotations.get(annotation::INPUTS)?.parse().ok()
    }

    /// The target's image.
    pub fn image(&self, at: usize) -> Option<&Image> {
        self.images.get(&at)
    }

    /// The descriptor of the target's manifest, as an index lists it.
    pub fn manifest(&self, at: usize) -> Option<&Descriptor> {
        self.images.get(&at).map(|image| &image.descriptor)
    }

    /// Layers by key.
    pub fn layers(&self) -> &BTreeMap<Digest, KnownLayer> {
        &self.layers
    }

    /// The index as it was found.
    pub fn index(&self) -> &Index {
        &self.index
    }
}

/// Whether every blob is there, by its length: bytes are `validate`'s affair.
fn is_whole(layout: &Layout, image: &Image) -> bool {
    let blobs = image.manifest.layers.iter().chain([&image.manifest.config]);
    blobs.into_iter().all(|blob| layout.has_blob(&blob.digest, blob.size))
}
