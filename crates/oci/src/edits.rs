//! Changes to an image's configuration, one thing at a time, so that every thing can tell who set
//! it and what was shadowed.

use std::fmt;

/// A field of the [image configuration](https://github.com/opencontainers/image-spec/blob/main/config.md)'s
/// `config`, by the specification's own name, or the manifest's annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigField {
    /// `User`
    User,
    /// `ExposedPorts`
    ExposedPorts,
    /// `Env`
    Env,
    /// `Entrypoint`
    Entrypoint,
    /// `Cmd`
    Cmd,
    /// `Volumes`
    Volumes,
    /// `WorkingDir`
    WorkingDir,
    /// `Labels`
    Labels,
    /// `StopSignal`
    StopSignal,
    /// `annotations` of the manifest.
    Annotations,
}

impl ConfigField {
    /// The specification's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::ExposedPorts => "ExposedPorts",
            Self::Env => "Env",
            Self::Entrypoint => "Entrypoint",
            Self::Cmd => "Cmd",
            Self::Volumes => "Volumes",
            Self::WorkingDir => "WorkingDir",
            Self::Labels => "Labels",
            Self::StopSignal => "StopSignal",
            Self::Annotations => "annotations",
        }
    }

    /// The field of `config` with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        use ConfigField::*;
        [User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal]
            .into_iter()
            .find(|field| field.name() == name)
    }
}

/// One thing that can be set: a field, and the key in it where the field is a collection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// The field.
    pub field: ConfigField,
    /// The variable, port, directory, label or annotation; none for single fields.
    pub key: Option<String>,
}

impl Slot {
    /// A field that is one thing.
    pub fn field(field: ConfigField) -> Self {
        Self { field, key: None }
    }

    /// A key in a field that is a collection.
    pub fn key(field: ConfigField, key: impl Into<String>) -> Self {
        Self { field, key: Some(key.into()) }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field != ConfigField::Annotations {
            f.write_str("config.")?;
        }
        f.write_str(self.field.name())?;
        self.key.as_ref().map_or(Ok(()), |key| write!(f, ".{key}"))
    }
}

/// What a slot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotValue {
    /// `User`, `WorkingDir`, `StopSignal`, a variable, a label, an annotation.
    Text(String),
    /// `Entrypoint` and `Cmd`.
    Words(Vec<String>),
    /// A port or volume is there.
    Present,
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Sets one thing, whatever weaker sources say.
    Set(Slot, SlotValue),
    /// Takes one thing away.
    Unset(Slot),
    /// Takes away all that weaker sources put into a field.
    Clear(ConfigField),
}
