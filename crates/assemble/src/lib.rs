//! Image configuration with provenance, manifests, index.
//!
//! [`configure`] layers the sources of a configuration and remembers who set what; [`assemble`]
//! makes the bytes of configuration and manifest; [`Inputs`] is what decides whether an image is
//! current. Everything is a value: nothing here reads or writes.

mod accounts;
mod configure;
mod defaults;
mod edits;
mod error;
mod image;
mod index;
mod inputs;
mod merge;
mod time;

pub use accounts::Accounts;
pub use configure::{ConfigTask, Configured, configure, owner};
pub use defaults::{PATH, defaults};
pub use edits::{Author, ConfigEdits, Edit};
pub use error::AssembleError;
pub use image::{Assembled, ImageTask, LayerRef, assemble, plan_digest};
pub use index::{AssembledIndex, image_index, references};
pub use inputs::{FORMAT, InputFile, InputPackage, InputPlugin, Inputs};
pub use merge::{Provenance, Setting, Shadowed};
pub use time::rfc3339;

/// Annotations that strata writes.
pub mod annotation {
    /// Digest of what the image was made from; it alone decides whether an image is current.
    pub const INPUTS: &str = "io.strata.inputs";
    /// Digest of the ordered layer keys.
    pub const PLAN: &str = "io.strata.plan";
    /// Digest of the report on the packages' scripts.
    pub const SCRIPTLETS: &str = "io.strata.scriptlets";
    /// `User` as it was given, where that was a name.
    pub const USER: &str = "io.strata.user";
    /// On a layer's descriptor: its key.
    pub const LAYER_KEY: &str = "io.strata.layer.key";
    /// When the image was made.
    pub const CREATED: &str = "org.opencontainers.image.created";
}
