//! systemd units become entry point, user, ports, directories.
//!
//! As a metadata mapper the plugin finds the image's service and turns its unit file, drop-ins and
//! sockets into `Entrypoint` (the program), `Cmd` (its arguments, so that others may take their
//! place), `User`, `WorkingDir`, `Env`, `StopSignal`, `ExposedPorts` and two labels. As a
//! post-processor it makes the directories of `StateDirectory=` and its kin.
//!
//! What an image cannot say is named: what changes the service in a warning each, the rest in one
//! note. A service that an image cannot run as written (`Type=forking`, `Type=dbus`, several
//! commands) gives everything but the command line, and a refusal that counts unless the spec or
//! the overlay has a command line of its own.

pub mod accounts;
pub mod directives;
pub mod environment;
pub mod files;
pub mod find;
pub mod finding;
pub mod load;
pub mod map;
pub mod name;
mod plugin;
pub mod process;
pub mod service;
pub mod socket;
pub mod specifier;
pub mod syntax;
pub mod words;

use plugin::Systemd;

strata_plugin_sdk::export!(Systemd: MetadataMapper, PostProcessor);
