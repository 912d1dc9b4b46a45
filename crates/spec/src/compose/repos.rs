//! What stands in `repos`.

use crate::{Located, Place, SpecError, error::Problem, shape::Cursor, value::short};
use std::collections::BTreeMap;

/// A repository as the document names it.
#[derive(Debug, Clone)]
pub enum RepoRef {
    /// To look up in `repos.d/`, in `--repo-dir`, and among the presets.
    Id(Located<String>),
    /// A directory, or a `file://`, `http://` or `https://` address.
    Location(Located<String>),
    /// Described in the document itself.
    Inline(RepoKeys),
}

/// A repository with the keys of a `.repo` file.
#[derive(Debug, Clone)]
pub struct RepoKeys {
    /// Its id.
    pub id: Located<String>,
    /// The object as it stands in the document, `id` included.
    pub object: serde_json::Map<String, serde_json::Value>,
    /// Where the value of each key stands.
    pub places: BTreeMap<String, Place>,
}

impl RepoRef {
    /// Where it stands.
    pub fn place(&self) -> &Place {
        match self {
            Self::Id(text) | Self::Location(text) => &text.place,
            Self::Inline(keys) => &keys.id.place,
        }
    }

    /// The id or address.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Id(text) | Self::Location(text) => &text.value,
            Self::Inline(keys) => &keys.id.value,
        }
    }

    pub(super) fn read(at: &Cursor<'_>) -> Result<Self, SpecError> {
        if at.is_object() {
            return Ok(Self::Inline(inline(at)?));
        }
        let text = super::text(at)?;
        if let Some((scheme, _)) = text.value.split_once("://") {
            return match scheme {
                "file" | "http" | "https" => Ok(Self::Location(text)),
                _ => Err(at.error(Problem::invalid_hint(
                    format!("`{}://` is not supported", short(scheme)),
                    "use a directory, `file://`, `http://` or `https://`",
                ))),
            };
        }
        if text.value.contains('/') || matches!(text.value.as_str(), "." | "..") {
            return Ok(Self::Location(text));
        }
        if is_id(&text.value) {
            return Ok(Self::Id(text));
        }
        Err(at.error(Problem::invalid_hint(
            format!("{:?} is neither the id nor the address of a repository", short(&text.value)),
            "an id has letters, digits, `-`, `_`, `.` and `:`; a directory is written with a `/`",
        )))
    }
}

/// What dnf accepts between brackets.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c))
}

fn inline(at: &Cursor<'_>) -> Result<RepoKeys, SpecError> {
    let Some(id_at) = at.get("id") else {
        return Err(at.error(Problem::MissingKey { key: "id", hint: "name the repository" }));
    };
    let id = super::text(&id_at)?;
    if !is_id(&id.value) {
        return Err(id_at.error(Problem::invalid_hint(
            format!("{:?} cannot be the id of a repository", short(&id.value)),
            "letters, digits, `-`, `_`, `.` and `:`",
        )));
    }
    let entries = || at.entries().map(|(key, value)| (key.text.to_owned(), value));
    let object = entries().map(|(key, value)| (key, value.node.to_json())).collect();
    let places = entries().map(|(key, value)| (key, value.place())).collect();
    Ok(RepoKeys { id, object, places })
}

/// The same repository twice is a slip of the pen.
pub(super) fn refuse_twins(repos: &[RepoRef]) -> Result<(), SpecError> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for repo in repos {
        if let Some(line) = seen.insert(repo.as_str(), repo.place().line()) {
            return Err(repo.place().clone().error(Problem::invalid_hint(
                format!(
                    "the repository {:?} is given twice; the first is on line {line}",
                    short(repo.as_str())
                ),
                "remove one",
            )));
        }
    }
    Ok(())
}
