//! Layers: what is in them ([`views`], [`plan`]), what names them ([`LayerManifest::key`]), and the
//! bytes they become ([`write_layer`]).
//!
//! Everything up to a layer's key is computed from headers; a payload is read only for a layer
//! whose key nobody has seen. Nothing here does IO: readers, writers and the cache are handed in.

mod compress;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod fixture;
mod manifest;
pub mod plan;
mod tar;
pub mod views;
mod write;

pub use compress::{Compression, ParseCompressionError};
pub use manifest::{
    ContentId, Entry, EntryKind, FORMAT_VERSION, LayerManifest, ManifestError, Member,
};
pub use write::{
    Contents, ContentsError, LayerError, MemberCache, NoMembers, Span, WrittenLayer, write_layer,
};
