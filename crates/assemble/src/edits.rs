//! What one source says of a configuration.

use std::fmt;
use strata_oci::{FileOrigin, canonical_json};
use strata_spec::{
    Change, ConfigField, EffectiveImage, ImageName, ImageOverlay, Overlay, Place, Slot, SlotValue,
};

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// strata itself.
    Default,
    /// A plugin.
    Plugin {
        /// Its reference.
        reference: String,
        /// Where in the image it read that.
        origin: Option<FileOrigin>,
    },
    /// A document, or an expression of the command line.
    Document(Place),
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Plugin { reference, origin } => {
                write!(f, "plugin `{reference}`")?;
                origin.as_ref().map_or(Ok(()), |origin| write!(f, ", {origin}"))
            }
            Self::Document(place) if place.is_command_line() => {
                write!(f, "{} {}", place.source().name(), place.source().text())
            }
            Self::Document(place) => place.fmt(f),
        }
    }
}

/// A change and who made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The change.
    pub change: Change,
    /// Its author.
    pub by: Author,
}

/// The changes of one source, in its order. An entry point in one source takes away the `Cmd` of
/// weaker sources, which was meant for another program; so all of `--set` is one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigEdits {
    edits: Vec<Edit>,
}

impl ConfigEdits {
    /// No change.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a change.
    pub fn push(&mut self, change: Change, by: Author) {
        self.edits.push(Edit { change, by });
    }

    /// The changes.
    pub fn iter(&self) -> impl Iterator<Item = &Edit> {
        self.edits.iter()
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// `entrypoint` and `expose` of the compose file.
    pub fn inline(image: &EffectiveImage) -> Self {
        let mut edits = Self::new();
        if let Some(words) = &image.entrypoint {
            edits.set(
                Slot::field(ConfigField::Entrypoint),
                SlotValue::Words(words.value.clone()),
                Author::Document(words.place.clone()),
            );
        }
        for port in &image.expose {
            edits.set(
                Slot::key(ConfigField::ExposedPorts, port.value.to_string()),
                SlotValue::Present,
                Author::Document(port.place.clone()),
            );
        }
        edits
    }

    /// What an overlay says of an image: two sources, the weaker (`"*"`) first.
    pub fn overlay(overlay: &Overlay, image: &ImageName) -> Vec<Self> {
        overlay.of(image).map(Self::part).collect()
    }

    /// What the `--set` expressions say of an image, the last one winning: one source.
    pub fn sets<'a>(sets: impl IntoIterator<Item = &'a Overlay>, image: &ImageName) -> Self {
        let parts = sets.into_iter().flat_map(|set| set.of(image)).map(Self::part);
        Self { edits: parts.flat_map(|part| part.edits).collect() }
    }

    fn part(part: &ImageOverlay) -> Self {
        let edit = |located: &strata_spec::Located<Change>| Edit {
            change: located.value.clone(),
            by: Author::Document(located.place.clone()),
        };
        Self { edits: part.changes.iter().map(edit).collect() }
    }

    pub(crate) fn set(&mut self, slot: Slot, value: SlotValue, by: Author) {
        self.push(Change::Set(slot, value), by);
    }
}

/// A value as an error or report shows it.
pub(crate) fn show(value: &SlotValue) -> String {
    match value {
        SlotValue::Text(text) => text.clone(),
        SlotValue::Words(words) => String::from_utf8_lossy(&canonical_json(words)).into_owned(),
        SlotValue::Present => "yes".to_owned(),
    }
}
