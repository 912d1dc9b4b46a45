//! Images of a layout, by name.

use super::{DEEPEST_INDEX, Layout, LayoutError};
use crate::{
    Descriptor, DiffId, ImageConfig, Index, Manifest, Platform, media,
    merged::{MergedView, Place},
    unpack::{self, EntryType, LayerEntry},
};
use std::{
    collections::BTreeSet,
    io::{BufReader, Read},
};

/// An image with its documents read and checked.
#[derive(Debug, Clone)]
pub struct Image {
    /// The name it was asked for by.
    pub name: String,
    /// Of the manifest.
    pub descriptor: Descriptor,
    /// The manifest.
    pub manifest: Manifest,
    /// The configuration.
    pub config: ImageConfig,
}

/// One layer of an image, by both its names.
#[derive(Debug, Clone)]
pub struct LayerRef {
    /// The blob.
    pub descriptor: Descriptor,
    /// The tar inside.
    pub diff_id: DiffId,
}

impl Image {
    /// Its layers, the lowest first.
    pub fn layers(&self) -> Vec<LayerRef> {
        self.manifest
            .layers
            .iter()
            .zip(&self.config.rootfs.diff_ids)
            .map(|(descriptor, diff_id)| LayerRef {
                descriptor: descriptor.clone(),
                diff_id: *diff_id,
            })
            .collect()
    }
}

impl Layout {
    /// The image of this name. An image for several platforms needs one to be chosen, unless there
    /// is only one.
    pub fn image(&self, name: &str, platform: Option<&Platform>) -> Result<Image, LayoutError> {
        let index = self.index()?;
        let entry = index.find(name).ok_or_else(|| LayoutError::UnknownImage {
            name: name.to_owned(),
            path: self.root.clone(),
            known: index
                .manifests
                .iter()
                .filter_map(Descriptor::ref_name)
                .map(str::to_owned)
                .collect(),
        })?;
        let descriptor = self.choose(name, entry.clone(), platform)?;
        self.read_image(name, descriptor)
    }

    /// All images under a name: one, or one for each platform.
    pub fn images(&self, entry: &Descriptor) -> Result<Vec<Image>, LayoutError> {
        let name = entry.ref_name().unwrap_or_default().to_owned();
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let mut todo = vec![(entry.clone(), 0)];
        while let Some((entry, depth)) = todo.pop() {
            if is_index(&entry) && depth < DEEPEST_INDEX {
                // one that lists the next many times would otherwise be followed as often
                if !seen.insert(entry.digest) {
                    continue;
                }
                let index: Index = self.read_json(&entry)?;
                todo.extend(index.manifests.into_iter().rev().map(|entry| (entry, depth + 1)));
            } else {
                found.push(self.read_image(&name, entry)?);
            }
        }
        Ok(found)
    }

    fn choose(
        &self,
        name: &str,
        mut entry: Descriptor,
        platform: Option<&Platform>,
    ) -> Result<Descriptor, LayoutError> {
        for _ in 0..DEEPEST_INDEX {
            if !is_index(&entry) {
                return Ok(entry);
            }
            let index: Index = self.read_json(&entry)?;
            let matching: Vec<&Descriptor> = index
                .manifests
                .iter()
                .filter(|entry| platform.is_none() || entry.platform.as_ref() == platform)
                .collect();
            let [only] = matching.as_slice() else {
                let known = index.manifests.iter().filter_map(|e| e.platform.clone()).collect();
                return Err(LayoutError::ChoosePlatform { name: name.to_owned(), known });
            };
            entry = (*only).clone();
        }
        Err(LayoutError::MediaType { digest: entry.digest, media_type: entry.media_type })
    }

    /// The image whose manifest this is.
    pub fn read_image(&self, name: &str, descriptor: Descriptor) -> Result<Image, LayoutError> {
        if !matches!(descriptor.media_type.as_str(), media::MANIFEST | media::DOCKER_MANIFEST) {
            return Err(LayoutError::MediaType {
                digest: descriptor.digest,
                media_type: descriptor.media_type,
            });
        }
        let manifest: Manifest = self.read_json(&descriptor)?;
        let config: ImageConfig = self.read_json(&manifest.config)?;
        let (layers, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
        if layers != diff_ids {
            return Err(LayoutError::LayerCount { name: name.to_owned(), layers, diff_ids });
        }
        Ok(Image { name: name.to_owned(), descriptor, manifest, config })
    }

    /// A layer's tar, unpacked on the fly.
    pub fn open_layer(&self, layer: &Descriptor) -> Result<Box<dyn Read>, LayoutError> {
        let packing = media::layer_packing(&layer.media_type).ok_or_else(|| {
            LayoutError::MediaType { digest: layer.digest, media_type: layer.media_type.clone() }
        })?;
        let blob = BufReader::with_capacity(1 << 17, self.open_blob(&layer.digest)?);
        unpack::decompress(packing, blob)
            .map_err(|source| LayoutError::Layer { digest: layer.digest, source })
    }

    /// Calls `each` for every entry of a layer in order, with the file's content to read.
    pub fn for_each_entry(
        &self,
        layer: &Descriptor,
        each: &mut dyn FnMut(&LayerEntry, &mut dyn Read) -> std::io::Result<()>,
    ) -> Result<(), LayoutError> {
        unpack::for_each_entry(self.open_layer(layer)?, each)
            .map_err(|source| LayoutError::Layer { digest: layer.digest, source })
    }

    /// The file system that a container of the image sees, whiteouts applied.
    pub fn merged(&self, image: &Image) -> Result<MergedView, LayoutError> {
        let mut view = MergedView::default();
        for layer in &image.manifest.layers {
            view.begin_layer();
            self.for_each_entry(layer, &mut |entry, _| {
                view.add(entry);
                Ok(())
            })?;
        }
        Ok(view)
    }

    /// The content of one regular file, symbolic links followed. `out` gets the bytes; its errors
    /// come back as those of the layer.
    pub fn read_file(
        &self,
        image: &Image,
        path: &[u8],
        out: &mut dyn std::io::Write,
    ) -> Result<(), LayoutError> {
        let Place { layer, mut path } = self.merged(image)?.find_file(path)?;
        // A hard link may lead to another one, or (in images of others) into a layer below.
        for descriptor in image.manifest.layers.iter().take(layer + 1).rev() {
            let mut written = None;
            self.for_each_entry(descriptor, &mut |entry, content| {
                if written.is_none() && entry.path == path {
                    match &entry.kind {
                        EntryType::HardLink { target } => path = target.clone(),
                        EntryType::File => written = Some(std::io::copy(content, out)),
                        _ => {}
                    }
                }
                Ok(())
            })?;
            if let Some(result) = written {
                let failed = |source| LayoutError::Layer { digest: descriptor.digest, source };
                return result.map(|_| ()).map_err(failed);
            }
        }
        Err(LayoutError::NotFile(String::from_utf8_lossy(&path).into_owned()))
    }
}

fn is_index(entry: &Descriptor) -> bool {
    matches!(entry.media_type.as_str(), media::INDEX | media::DOCKER_LIST)
}
