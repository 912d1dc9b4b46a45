//! Sequences the stages from documents to images: gather, decide, write.
//!
//! ```text
//! documents → resolve_stage → root_stage → layer_stage → assemble_stage → destination
//! ```
//!
//! This crate owns what the stages share: the cache, change detection, the lock file's place, and
//! the events that tell a person what happens. It prints nothing and reads no environment.

mod assemble_stage;
mod build;
mod cache;
mod commands;
mod contents;
mod current;
mod destination;
mod dnf_state;
mod documents;
mod error;
mod event;
mod explain;
mod found;
mod layer_stage;
mod layers;
mod local;
mod lock;
mod options;
mod overlay_files;
mod pack;
mod package_file;
mod packages;
mod plugin;
mod plugin_stage;
mod plugins;
mod publish;
mod report;
mod resolve_stage;
mod root_stage;
mod run;
mod scriptlet_stage;
mod scriptlets;
mod target;

pub use build::build;
pub use commands::{check, plan, resolve};
pub use destination::{Destination, DestinationError};
pub use error::{ComposeError, ErrorKind};
pub use event::{Bytes, Event, Reporter, Silent};
pub use explain::{
    ExplainReport, ExplainedField, ExplainedImage, ExplainedPlugin, ExplainedSource,
    ExplainedValue, explain,
};
pub use options::{LockMode, Options};
pub use pack::{PackError, PackReport, pack};
pub use plugin::{NoPlugins, Plugin, PluginFailure, PluginHost, Settings};
pub use report::{
    BuildReport, CheckReport, CheckedImage, FailedImage, ImageReport, LayerReport, PackageReport,
    PlanReport, PlannedImage, PluginDiagnostic, ResolvedReport, Status,
};
pub use scriptlets::{ScriptletOutcome, ScriptletReport};
/// The layouts and images that this crate reads and writes.
pub use strata_oci as oci;
/// What plugins are asked for and what they give.
pub use strata_oci::{Mapping, Outcome, Role};
pub use strata_store::{StoreError, write_atomic};
