//! Media types.
//! <https://github.com/opencontainers/image-spec/blob/main/media-types.md>

/// An image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// An image configuration.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// A layer, tar as it is.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// A layer, gzip.
pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// A layer, zstd.
pub const LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

/// Docker's image manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's image index.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// How a layer's bytes are packed, by its media type. Docker's own names count too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As it is.
    Plain,
    /// One or more gzip members.
    Gzip,
    /// One or more zstd frames.
    Zstd,
}

/// The packing that a media type names; none for what is no layer.
pub fn layer_packing(media_type: &str) -> Option<Packing> {
    match media_type {
        LAYER | "application/vnd.docker.image.rootfs.diff.tar" => Some(Packing::Plain),
        LAYER_GZIP | "application/vnd.docker.image.rootfs.diff.tar.gzip" => Some(Packing::Gzip),
        LAYER_ZSTD => Some(Packing::Zstd),
        _ => None,
    }
}
