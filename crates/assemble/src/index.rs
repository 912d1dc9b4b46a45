//! An image for several architectures, and the names an index lists it under.

use strata_oci::{Descriptor, Index, REF_NAME, canonical_json, media};
use strata_spec::{ImageName, Tag};

/// A nested index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssembledIndex {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its descriptor.
    pub descriptor: Descriptor,
}

/// The index of one image for several architectures, in the order of the platforms' names: the
/// same set gives the same bytes.
pub fn image_index(manifests: &[Descriptor]) -> AssembledIndex {
    let mut manifests = manifests.to_vec();
    manifests.sort_by(|a, b| (&a.platform, &a.digest).cmp(&(&b.platform, &b.digest)));
    let bytes = canonical_json(&Index::new(manifests));
    let descriptor = Descriptor::of(media::INDEX, &bytes);
    AssembledIndex { bytes, descriptor }
}

/// The entries of `index.json` that name an image: `NAME`, and `NAME:TAG` for each tag.
pub fn references(image: &ImageName, tags: &[Tag], descriptor: &Descriptor) -> Vec<Descriptor> {
    let tagged = tags.iter().map(|tag| format!("{image}:{tag}"));
    let names = std::iter::once(image.to_string()).chain(tagged);
    names.map(|name| descriptor.clone().annotated(REF_NAME, name)).collect()
}
