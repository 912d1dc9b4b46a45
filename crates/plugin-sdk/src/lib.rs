//! What a plugin author depends on.
//!
//! A plugin is a WebAssembly component with one or more roles. Each role is a trait here, and one
//! macro exports those that a type has:
//!
//! ```
//! use strata_plugin_sdk::{self as sdk, Change, MetadataMapper, Origin};
//!
//! const SETTINGS: &[sdk::Setting] = &[sdk::Setting::new("prefix", "what names begin with")];
//!
//! struct Example;
//!
//! impl sdk::About for Example {
//!     fn describe() -> sdk::Description {
//!         sdk::describe!("example", SETTINGS)
//!     }
//! }
//!
//! impl MetadataMapper for Example {
//!     fn map(image: &sdk::Image, settings: &sdk::Settings) -> Result<sdk::Mapping, sdk::Error> {
//!         let prefix = settings.text("prefix")?.unwrap_or_default();
//!         let mut mapping = sdk::Mapping::new();
//!         if image.tree().exists("/etc/motd") {
//!             let change = Change::Label((format!("{prefix}motd"), "yes".to_owned()));
//!             mapping.set_from(change, Origin::file("/etc/motd"));
//!         }
//!         sdk::log::info!("done with {}", image.name());
//!         Ok(mapping)
//!     }
//! }
//!
//! sdk::export!(Example: MetadataMapper);
//! # fn main() {}
//! ```
//!
//! A plugin sees nothing but the image, its settings and its log: no clock, no files, no network.
//! Natively, calls into the host panic; keep what is to be tested natively apart from them.

pub mod bindings;
mod diagnostics;
mod edits;
mod export;
mod image;
pub mod log;
pub mod path;
mod roles;
mod settings;

pub use bindings::about::exports::strata::plugin::about::Description;
pub use bindings::checker::exports::strata::plugin::checker::Config;
pub use bindings::filter::exports::strata::plugin::filter::File;
pub use bindings::imports::strata::plugin::settings::Value;
pub use bindings::imports::strata::plugin::tree::{Attributes, Entry, Error as TreeError};
pub use bindings::imports::strata::plugin::types::{
    Diagnostic, Error, Kind, Origin, Package, Refusal, SettingError, Severity,
};
pub use bindings::mapper::exports::strata::plugin::mapper::{Change, Edit as ConfigEdit, Mapping};
pub use bindings::processor::exports::strata::plugin::processor::{
    Access, ChangeAccess, Directory, Edit as TreeEdit, File as NewFile, Outcome, Owner, Symlink,
};
pub use image::{Image, Tree, Unseen, Walk};
pub use roles::{About, MetadataMapper, PackageFilter, Policy, PostProcessor};
pub use settings::{Setting, Settings};

#[doc(hidden)]
pub use export::roles_are_implemented;

/// What the guide for authors shows is what compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/plugins.md")]
struct Guide;
