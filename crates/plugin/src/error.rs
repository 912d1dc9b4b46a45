//! Why a plugin cannot be loaded, or why a call gave no result.

use crate::{Role, limits};
use std::fmt;
use strata_oci::FileOrigin;

/// What went wrong with one plugin. Shown without the plugin's name, which the caller knows.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct PluginError {
    plugin: String,
    kind: Box<PluginErrorKind>,
    details: Vec<String>,
}

impl PluginError {
    pub(crate) fn new(plugin: &str, kind: PluginErrorKind) -> Self {
        Self { plugin: plugin.to_owned(), kind: Box::new(kind), details: Vec::new() }
    }

    pub(crate) fn with_details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    /// How the user refers to the plugin; empty where no plugin is to blame.
    pub fn plugin(&self) -> &str {
        &self.plugin
    }

    /// What went wrong.
    pub fn kind(&self) -> &PluginErrorKind {
        &self.kind
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        self.kind.hint()
    }

    /// For the plugin's author: the last lines that it logged, then its back trace.
    pub fn details(&self) -> Vec<String> {
        self.details.clone()
    }
}

/// The causes of [`PluginError`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PluginErrorKind {
    /// The engine does not work on this machine.
    #[error("the WebAssembly engine cannot be started: {0}")]
    Engine(String),
    /// Something else than WebAssembly.
    #[error("this is not a WebAssembly component: {0}")]
    NotWasm(&'static str),
    /// A module without interfaces.
    #[error("this is a core WebAssembly module; a plugin is a component")]
    CoreModule,
    /// More bytes than a component may have.
    #[error("the component has {0} bytes; {max} is the most", max = limits::COMPONENT)]
    TooLarge(usize),
    /// More of something than can be compiled in reasonable time.
    #[error("it has {count} {what}; {most} is the most")]
    TooMuch {
        /// What is counted.
        what: &'static str,
        /// The limit.
        most: usize,
        /// What it has, or has at least.
        count: u64,
    },
    /// It instantiates what it imports, or gets from an instance.
    #[error("it instantiates a component that is not one of its own parts")]
    ForeignComponent,
    /// Bytes that are missing or wrong.
    #[error("the component is damaged or cut short: {0}")]
    Damaged(String),
    /// Built for another plugin API.
    #[error("it needs plugin API {needs}, this strata has {has}")]
    ApiVersion {
        /// What the component was built for.
        needs: String,
        /// What there is.
        has: &'static str,
    },
    /// It wants the operating system.
    #[error("it imports WASI ({}), which plugins do not get", list(.0))]
    Wasi(Vec<String>),
    /// It wants what nobody offers.
    #[error("it imports {}, which strata does not offer", list(.0))]
    UnknownImport(Vec<String>),
    /// It exports no world's function.
    #[error("it exports no role of a plugin")]
    NoRole,
    /// It exports no description.
    #[error("it exports a role, but not `about`")]
    NoAbout,
    /// Its functions are not those of the API.
    #[error("its functions do not fit plugin API {api}: {reason}")]
    Interface {
        /// The version that it says.
        api: &'static str,
        /// The first that does not fit.
        reason: String,
    },
    /// A call of a role that it has not.
    #[error("it is no {0}")]
    NotThisRole(Role),
    /// It used up its fuel.
    #[error("{call} did not finish within its limit of work")]
    Work {
        /// The function.
        call: &'static str,
    },
    /// It was refused memory and ended.
    #[error("{call} needs more memory than the limit of {} MiB", limits::MEMORY >> 20)]
    Memory {
        /// The function.
        call: &'static str,
    },
    /// Too deep a recursion.
    #[error("{call} overflowed its stack of {} KiB", limits::STACK >> 10)]
    Stack {
        /// The function.
        call: &'static str,
    },
    /// It panicked or aborted.
    #[error("{call} {}", panicked(.message))]
    Panic {
        /// The function.
        call: &'static str,
        /// What it logged before, when that is a panic message.
        message: Option<String>,
    },
    /// It accessed what is not its own.
    #[error("{call} accessed memory out of bounds")]
    OutOfBounds {
        /// The function.
        call: &'static str,
    },
    /// A result that is too large.
    #[error("{call} gave more than {most} {what}")]
    Output {
        /// The function.
        call: &'static str,
        /// The limit.
        most: usize,
        /// What is counted.
        what: &'static str,
    },
    /// Any other end.
    #[error("{call} was stopped: {reason}")]
    Stopped {
        /// The function.
        call: &'static str,
        /// The engine's words.
        reason: String,
    },
    /// A function of the image in a call without an image.
    #[error("{call} asked for the image, which there is none of in this call")]
    NoImage {
        /// The function.
        call: &'static str,
    },
    /// A file of the image cannot be read: not the plugin's fault.
    #[error("cannot read `{path}` of the image for the plugin: {reason}")]
    Read {
        /// The file.
        path: String,
        /// The system's reason.
        reason: String,
    },
    /// A result that is not what it has to be.
    #[error("the plugin gave {0}")]
    Gave(String),
    /// A setting that it does not know.
    #[error("it has no setting `{name}`")]
    UnknownSetting {
        /// The setting.
        name: String,
        /// The known one that looks like it.
        nearest: Option<String>,
        /// All.
        known: Vec<String>,
    },
    /// A setting that the plugin calls wrong.
    #[error("setting `{name}`: {message}")]
    Setting {
        /// Its name.
        name: String,
        /// The plugin's words.
        message: String,
        /// The plugin's words.
        hint: Option<String>,
    },
    /// An image that the plugin does not serve.
    #[error("{}{message}", at(.origin))]
    Refused {
        /// The plugin's words.
        message: String,
        /// Where it was found.
        origin: Option<FileOrigin>,
        /// The plugin's words.
        hint: Option<String>,
    },
    /// The plugin found a fault of its own.
    #[error("the plugin met something that its author has to look at: {0}")]
    Internal(String),
}

impl PluginErrorKind {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NotWasm("it is text") => {
                "a component in text form has to be translated to its binary form first"
            }
            Self::NotWasm(_) => "a plugin is a `.wasm` file: a component of a world in `wit/`",
            Self::CoreModule => {
                "link it with `wasm-component-ld`, or make a component of it with \
                 `wasm-tools component new`"
            }
            Self::ForeignComponent => "compose it so that each component has its parts in itself",
            Self::Damaged(_) => "get or build the file again",
            Self::ApiVersion { needs, has } => return Some(version_hint(needs, has)),
            Self::Wasi(_) => {
                "build it for `wasm32-unknown-unknown`; in Rust without standard input and \
                 output, files, clocks and random numbers, in JavaScript and Python with \
                 `--stub-wasi`"
            }
            Self::UnknownImport(_) => "plugins get the interfaces of `wit/` and nothing else",
            Self::NoRole => {
                "a plugin exports `mapper`, `processor`, `filter` or `checker` of `strata:plugin`"
            }
            Self::NoAbout => "each world of `strata:plugin` has `about`; build it with the SDK",
            Self::Interface { .. } => "build it with the SDK of this strata",
            Self::UnknownSetting { nearest: Some(name), .. } => {
                return Some(format!("did you mean `{name}`?"));
            }
            Self::UnknownSetting { known, .. } if known.is_empty() => "it has no settings",
            Self::UnknownSetting { known, .. } => {
                return Some(format!("it has {}", list(known)));
            }
            Self::Setting { hint, .. } | Self::Refused { hint, .. } => return hint.clone(),
            Self::Work { .. } => "an endless loop is likely; its author has to look at it",
            Self::Panic { .. }
            | Self::OutOfBounds { .. }
            | Self::Stack { .. }
            | Self::Memory { .. }
            | Self::Output { .. }
            | Self::Stopped { .. }
            | Self::NoImage { .. }
            | Self::Gave(_) => {
                "this is a fault of the plugin: tell its author, with the lines that it logged"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }
}

fn version_hint(needs: &str, has: &str) -> String {
    let parts = |text: &str| -> Vec<u64> {
        text.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
    };
    match parts(needs) > parts(has) {
        true => format!("take a newer strata, or a build of the plugin for plugin API {has}"),
        false => format!("build the plugin for plugin API {has}"),
    }
}

fn list(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(5).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(shown.len());
    let shown = shown.join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

fn panicked(message: &Option<String>) -> String {
    match message {
        Some(message) => message.clone(),
        None => "stopped itself (`unreachable`: a panic or an abort)".to_owned(),
    }
}

fn at(origin: &Option<FileOrigin>) -> impl fmt::Display {
    origin.as_ref().map(|origin| format!("{origin}: ")).unwrap_or_default()
}
