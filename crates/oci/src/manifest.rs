//! Descriptors, image manifests and image indexes.

use crate::{Digest, Platform, media};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Annotations: free-form texts under reverse-domain keys.
pub type Annotations = BTreeMap<String, String>;

/// The annotation by which an index names an image.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// A typed, checked pointer to a blob.
/// <https://github.com/opencontainers/image-spec/blob/main/descriptor.md>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the blob is.
    pub media_type: String,
    /// Which blob.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Of an image in an index: where it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
    /// Keys that this crate gives no meaning.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl Descriptor {
    /// A bare one.
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            platform: None,
            annotations: Annotations::new(),
            other: BTreeMap::new(),
        }
    }

    /// Of these bytes.
    pub fn of(media_type: impl Into<String>, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }

    /// With one more annotation.
    #[must_use]
    pub fn annotated(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }

    /// The name under which an index lists it.
    pub fn ref_name(&self) -> Option<&str> {
        self.annotations.get(REF_NAME).map(String::as_str)
    }
}

fn schema_version() -> u32 {
    2
}

/// An image manifest.
/// <https://github.com/opencontainers/image-spec/blob/main/manifest.md>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// [`media::MANIFEST`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The image configuration.
    pub config: Descriptor,
    /// Layers, the lowest first.
    pub layers: Vec<Descriptor>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
    /// Keys that this crate gives no meaning.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl Manifest {
    /// Of a configuration and its layers.
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: schema_version(),
            media_type: Some(media::MANIFEST.to_owned()),
            config,
            layers,
            annotations: Annotations::new(),
            other: BTreeMap::new(),
        }
    }
}

/// An image index, and what `index.json` holds.
/// <https://github.com/opencontainers/image-spec/blob/main/image-index.md>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// [`media::INDEX`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Images, or indexes of one image for several platforms.
    pub manifests: Vec<Descriptor>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
    /// Keys that this crate gives no meaning.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl Index {
    /// Of these entries, in this order.
    pub fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: schema_version(),
            media_type: Some(media::INDEX.to_owned()),
            manifests,
            annotations: Annotations::new(),
            other: BTreeMap::new(),
        }
    }

    /// The entry with this name.
    pub fn find(&self, name: &str) -> Option<&Descriptor> {
        self.manifests.iter().find(|entry| entry.ref_name() == Some(name))
    }

    /// Puts entries in the place of those with the same names, keeps every other one, and sorts by
    /// name and digest, so that equal contents are equal bytes.
    pub fn put(&mut self, entries: impl IntoIterator<Item = Descriptor>) {
        for entry in entries {
            if let Some(name) = entry.ref_name() {
                self.remove(name);
            }
            self.manifests.push(entry);
        }
        self.manifests.sort_by(|a, b| {
            (a.ref_name(), a.digest, &a.media_type).cmp(&(b.ref_name(), b.digest, &b.media_type))
        });
        self.manifests.dedup();
    }

    /// Takes out all entries with this name.
    pub fn remove(&mut self, name: &str) {
        self.manifests.retain(|entry| entry.ref_name() != Some(name));
    }
}

impl Default for Index {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::canonical_json;

    #[test]
    fn unknown_keys_survive() {
        let text = br#"{"layers":[],"config":{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","mediaType":"x","size":0,"urls":["u"]},"schemaVersion":2,"subject":{"a":1}}"#;
        let manifest: Manifest = serde_json::from_slice(text).unwrap();
        let again: Manifest = serde_json::from_slice(&canonical_json(&manifest)).unwrap();
        assert_eq!(manifest, again);
        assert_eq!(manifest.config.other["urls"][0], "u");
        assert_eq!(manifest.other["subject"]["a"], 1);
    }

    #[test]
    fn put_replaces_by_name_and_sorts() {
        let named = |name: &str, bytes: &[u8]| {
            Descriptor::of(media::MANIFEST, bytes).annotated(REF_NAME, name)
        };
        let mut index = Index::new(vec![named("z", b"1"), Descriptor::of(media::MANIFEST, b"2")]);
        index.put([named("z", b"3"), named("a", b"4")]);
        let names: Vec<_> = index.manifests.iter().map(Descriptor::ref_name).collect();
        assert_eq!(names, [None, Some("a"), Some("z")]);
        assert_eq!(index.find("z").unwrap().digest, Digest::of(b"3"));
    }
}
