//! The host of plugins: WebAssembly components that find image metadata, change trees, leave files
//! out, and judge images.
//!
//! A plugin is a component of one or more worlds of `wit/`. It sees what its imports hand it and
//! nothing else: no clock, no randomness, no files, no network, so that the same image gives the
//! same answer everywhere. Every call starts from nothing, and ends within [`limits`].
//!
//! What a plugin returns is checked here ([`Plugin`]): whoever calls gets paths, ports and names
//! that are what they claim to be, or an error in words.

mod bundled;
mod cache;
mod checked;
mod engine;
mod error;
mod extent;
mod host;
mod inspect;
pub mod limits;
mod plugin;
mod settings;
mod state;
mod text;
mod trap;
mod v0_1;

pub use bundled::{BUNDLED, bundled};
pub use error::{PluginError, PluginErrorKind};
pub use host::Host;
pub use plugin::{Description, Plugin, SettingInfo};
pub use settings::Settings;
pub use strata_oci::{Mapping, Outcome, Role};
