//! Configuration and manifest of one image for one architecture.

use crate::{annotation, time::rfc3339};
use std::collections::BTreeMap;
use strata_oci::{
    Annotations, Descriptor, DiffId, Digest, History, ImageConfig, Manifest, Platform, RootFs,
    RuntimeConfig, canonical_json, media,
};

/// Everything an image consists of.
#[derive(Debug, Clone)]
pub struct ImageTask<'a> {
    /// Where it runs.
    pub platform: Platform,
    /// Seconds since 1970 that date it.
    pub epoch: u64,
    /// Its layers, the lowest first.
    pub layers: &'a [LayerRef],
    /// How its process starts.
    pub config: &'a RuntimeConfig,
    /// Annotations of the manifest from the documents.
    pub annotations: &'a Annotations,
    /// [`crate::Inputs::digest`]
    pub inputs: Digest,
    /// Digest of what is told of its packages' scripts, where there is anything.
    pub scriptlets: Option<Digest>,
}

/// A layer that has been written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerRef {
    /// Media type, digest and size of its blob.
    pub descriptor: Descriptor,
    /// Digest of its uncompressed tar.
    pub diff_id: DiffId,
    /// Its key.
    pub key: Digest,
    /// A few words for people.
    pub title: String,
}

/// The documents of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembled {
    /// The configuration's bytes.
    pub config: Vec<u8>,
    /// The configuration's descriptor.
    pub config_descriptor: Descriptor,
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// The manifest's descriptor, with its platform.
    pub manifest_descriptor: Descriptor,
}

/// Digest of the ordered layer keys: the value of [`annotation::PLAN`].
pub fn plan_digest<'a>(keys: impl IntoIterator<Item = &'a Digest>) -> Digest {
    let keys: Vec<String> = keys.into_iter().map(ToString::to_string).collect();
    Digest::of(&canonical_json(&keys))
}

/// Makes the documents of an image. The same values give the same bytes.
pub fn assemble(task: &ImageTask<'_>) -> Assembled {
    let created = rfc3339(task.epoch);
    let config = canonical_json(&image_config(task, &created));
    let config_descriptor = Descriptor::of(media::CONFIG, &config);
    let manifest = canonical_json(&manifest(task, created, config_descriptor.clone()));
    let mut manifest_descriptor = Descriptor::of(media::MANIFEST, &manifest);
    manifest_descriptor.platform = Some(task.platform.clone());
    Assembled { config, config_descriptor, manifest, manifest_descriptor }
}

/// One history entry a layer: clients count them.
fn image_config(task: &ImageTask<'_>, created: &str) -> ImageConfig {
    let history = |layer: &LayerRef| History {
        created: Some(created.to_owned()),
        created_by: Some(format!("strata: {}", layer.title)),
        ..History::default()
    };
    ImageConfig {
        created: Some(created.to_owned()),
        author: None,
        platform: task.platform.clone(),
        config: Some(task.config.clone()),
        rootfs: RootFs {
            diff_ids: task.layers.iter().map(|layer| layer.diff_id).collect(),
            ..RootFs::default()
        },
        history: task.layers.iter().map(history).collect(),
        other: BTreeMap::new(),
    }
}

fn manifest(task: &ImageTask<'_>, created: String, config: Descriptor) -> Manifest {
    let layer = |layer: &LayerRef| {
        layer.descriptor.clone().annotated(annotation::LAYER_KEY, layer.key.to_string())
    };
    let mut manifest = Manifest::new(config, task.layers.iter().map(layer).collect());
    let plan = plan_digest(task.layers.iter().map(|layer| &layer.key));
    manifest.annotations.insert(annotation::CREATED.to_owned(), created);
    manifest.annotations.extend(task.annotations.clone());
    manifest.annotations.insert(annotation::INPUTS.to_owned(), task.inputs.to_string());
    manifest.annotations.insert(annotation::PLAN.to_owned(), plan.to_string());
    if let Some(scriptlets) = &task.scriptlets {
        manifest.annotations.insert(annotation::SCRIPTLETS.to_owned(), scriptlets.to_string());
    }
    manifest
}
