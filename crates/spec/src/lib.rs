//! The compose file and its metadata overlay: schema, located errors, validation.
//!
//! A document is read into a value that knows the place of each of its parts (`json`,
//! `yaml`), checked against a table of keys (`shape`), and turned into its type. Everything
//! that a later stage may have to complain about keeps its [`Place`]. No IO happens here.

mod arch;
mod compose;
mod error;
mod image_name;
mod json;
mod overlay;
mod parse;
mod schema;
mod shape;
mod source;
mod unsupported;
mod value;
mod yaml;

pub use arch::Arch;
pub use compose::{
    ComposeSpec, EffectiveImage, ImageSpec, RepoKeys, RepoRef, Scriptlets, Settings,
};
pub use error::{Problem, SpecError, nearest};
pub use image_name::{ImageName, ImageNameError, Tag, TagError};
pub use overlay::{
    Account, FileContent, ImageOverlay, Overlay, OverlayFile, PluginUse, Selector, parse_plugin,
    parse_set, stack_plugins,
};
pub use parse::{parse_compose, parse_overlay};
pub use schema::{compose_schema, overlay_schema};
pub use source::{Located, Place, Source};
pub use strata_oci::{Change, ConfigField, ParsePortError, Port, Protocol, Slot, SlotValue};
