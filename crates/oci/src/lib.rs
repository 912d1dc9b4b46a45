//! OCI vocabulary and the media it is kept on.
//!
//! The nouns are those of the [image specification](https://github.com/opencontainers/image-spec).
//! The structs are our own: every byte written goes through [`canonical_json`], maps are ordered,
//! and keys that this crate does not know survive a round trip.
//!
//! What reads or writes lies in [`layout`] and [`validate`]; the rest is pure.

mod config;
mod diagnostic;
mod digest;
mod edits;
mod json;
pub mod layout;
mod manifest;
pub mod media;
pub mod merged;
mod platform;
mod plugin;
mod port;
pub mod unpack;
pub mod validate;

pub use config::{History, ImageConfig, RootFs, RuntimeConfig};
pub use diagnostic::{Diagnostic, FileOrigin, Severity};
pub use digest::{DiffId, Digest, DigestError, HashingWriter};
pub use edits::{Change, ConfigField, Slot, SlotValue};
pub use json::canonical_json;
pub use manifest::{Annotations, Descriptor, Index, Manifest, REF_NAME};
pub use platform::{Platform, PlatformError};
pub use plugin::{Mapping, Outcome, Role};
pub use port::{ParsePortError, Port, Protocol};
