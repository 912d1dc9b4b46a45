//! A service: the assignments of a unit as values.
//!
//! Source: systemd.service(5), systemd.exec(5), systemd.kill(5).

mod command;
mod read;
mod value;

pub use command::{Command, Privilege};
pub use read::read;
pub use value::truth;

use crate::finding::Finding;
use crate::syntax::Place;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where.
    pub place: Place,
}

/// `Type=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// It runs in the foreground.
    Simple,
    /// The same; systemd waits for the `exec`.
    Exec,
    /// It goes into the background.
    Forking,
    /// It ends.
    Oneshot,
    /// It is ready when it has a name on the bus.
    Dbus,
    /// It says when it is ready.
    Notify,
    /// The same, and when it reloads.
    NotifyReload,
    /// As `simple`, started last.
    Idle,
}

impl Type {
    /// Parses systemd's word.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "simple" => Self::Simple,
            "exec" => Self::Exec,
            "forking" => Self::Forking,
            "oneshot" => Self::Oneshot,
            "dbus" => Self::Dbus,
            "notify" => Self::Notify,
            "notify-reload" => Self::NotifyReload,
            "idle" => Self::Idle,
            _ => return None,
        })
    }

    /// systemd's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Exec => "exec",
            Self::Forking => "forking",
            Self::Oneshot => "oneshot",
            Self::Dbus => "dbus",
            Self::Notify => "notify",
            Self::NotifyReload => "notify-reload",
            Self::Idle => "idle",
        }
    }
}

/// `WorkingDirectory=`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingDirectory {
    /// None for `~`, the user's home.
    pub path: Option<String>,
    /// With `-`: no error when it is missing.
    pub optional: bool,
}

/// `EnvironmentFile=`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentFile {
    /// Path, perhaps a pattern.
    pub path: String,
    /// With `-`: no error when it is missing.
    pub optional: bool,
}

/// `StateDirectory=` and its kin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DirectoryKind {
    /// `RuntimeDirectory=`, below `/run`.
    Runtime,
    /// `StateDirectory=`, below `/var/lib`.
    State,
    /// `CacheDirectory=`, below `/var/cache`.
    Cache,
    /// `LogsDirectory=`, below `/var/log`.
    Logs,
    /// `ConfigurationDirectory=`, below `/etc`.
    Configuration,
}

impl DirectoryKind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Runtime, Self::State, Self::Cache, Self::Logs, Self::Configuration];

    /// The directive.
    pub fn key(self) -> &'static str {
        match self {
            Self::Runtime => "RuntimeDirectory",
            Self::State => "StateDirectory",
            Self::Cache => "CacheDirectory",
            Self::Logs => "LogsDirectory",
            Self::Configuration => "ConfigurationDirectory",
        }
    }

    /// Where such directories are.
    pub fn root(self) -> &'static str {
        match self {
            Self::Runtime => "/run",
            Self::State => "/var/lib",
            Self::Cache => "/var/cache",
            Self::Logs => "/var/log",
            Self::Configuration => "/etc",
        }
    }

    /// The variable that the service finds them in.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Runtime => "RUNTIME_DIRECTORY",
            Self::State => "STATE_DIRECTORY",
            Self::Cache => "CACHE_DIRECTORY",
            Self::Logs => "LOGS_DIRECTORY",
            Self::Configuration => "CONFIGURATION_DIRECTORY",
        }
    }
}

/// A directory of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Which.
    pub kind: DirectoryKind,
    /// Path below the kind's root.
    pub path: String,
    /// A link to it, below the same root.
    pub link: Option<String>,
}

/// A service.
#[derive(Debug, Clone, Default)]
pub struct Service {
    /// `Description=`
    pub description: Option<At<String>>,
    /// `Documentation=`
    pub documentation: Vec<At<String>>,
    /// `Type=` as it stands.
    pub declared_type: Option<At<Type>>,
    /// `BusName=`
    pub bus_name: Option<At<String>>,
    /// `ExecStart=`
    pub commands: Vec<At<Command>>,
    /// `User=`
    pub user: Option<At<String>>,
    /// `Group=`
    pub group: Option<At<String>>,
    /// `DynamicUser=`, when it is on.
    pub dynamic_user: Option<Place>,
    /// `WorkingDirectory=`
    pub working_directory: Option<At<WorkingDirectory>>,
    /// `Environment=`: name and value.
    pub environment: Vec<At<(String, String)>>,
    /// `EnvironmentFile=`
    pub environment_files: Vec<At<EnvironmentFile>>,
    /// `UnsetEnvironment=`: names, or names with values.
    pub unset_environment: Vec<String>,
    /// `KillSignal=`: `SIGTERM`, or a number for a real-time signal.
    pub kill_signal: Option<At<String>>,
    /// `StateDirectory=` and kin.
    pub directories: Vec<At<Directory>>,
    /// `StateDirectoryMode=` and kin.
    pub modes: [Option<u32>; DirectoryKind::ALL.len()],
    /// `Sockets=`
    pub sockets: Vec<String>,
    /// Directives that are lost: `key=` and where, each as it is in force.
    pub lost: Vec<(String, &'static str, Place)>,
    /// Directives without meaning in a container: `key=`, in order.
    pub harmless: Vec<String>,
    /// Why systemd would not start it.
    pub fatal: Vec<Finding>,
    /// What else there is to tell.
    pub findings: Vec<Finding>,
}

impl Service {
    /// `Type=`, or what holds without it.
    pub fn effective_type(&self) -> Type {
        match (&self.declared_type, &self.bus_name) {
            (Some(declared), _) => declared.value,
            (None, Some(_)) => Type::Dbus,
            (None, None) if self.commands.is_empty() => Type::Oneshot,
            (None, None) => Type::Simple,
        }
    }

    /// Permissions of the directories of a kind.
    pub fn mode(&self, kind: DirectoryKind) -> u32 {
        self.modes[kind as usize].unwrap_or(0o755)
    }

    /// Absolute paths of the directories of a kind.
    pub fn paths(&self, kind: DirectoryKind) -> Vec<String> {
        self.directories
            .iter()
            .filter(|directory| directory.value.kind == kind)
            .map(|directory| format!("{}/{}", kind.root(), directory.value.path))
            .collect()
    }
}
