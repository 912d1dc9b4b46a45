//! Names of images and their tags.

use std::{fmt, str::FromStr};

/// The name of an image: the repository part of a reference, lower case, as
/// [the distribution specification](https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests)
/// demands, without a tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName(Box<str>);

/// A text that no image can be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} cannot be the name of an image: {why}")]
pub struct ImageNameError {
    /// The text.
    pub name: String,
    /// Why not.
    pub why: &'static str,
    /// The nearest name that can be.
    pub fixed: Option<String>,
}

impl ImageNameError {
    /// What would be right.
    pub fn hint(&self) -> Option<String> {
        self.fixed.as_ref().map(|fixed| format!("write {fixed:?}"))
    }
}

/// The grammar as a regular expression, for the JSON Schema.
pub(crate) const IMAGE_NAME: &str =
    "^[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*$";

const LONGEST: usize = 200;

impl ImageName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ImageName {
    type Err = ImageNameError;

    fn from_str(name: &str) -> Result<Self, ImageNameError> {
        match problem(name) {
            None => Ok(Self(name.into())),
            Some(why) => Err(ImageNameError {
                name: name.chars().take(60).collect(),
                why,
                fixed: fixed(name),
            }),
        }
    }
}

fn problem(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("it is empty");
    }
    if name.len() > LONGEST {
        return Some("it is longer than 200 characters");
    }
    if name.chars().any(char::is_uppercase) {
        return Some("registries and podman accept lower case only");
    }
    if name.contains([':', '@']) {
        return Some("tags and digests are no part of it");
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
    if !name.chars().all(allowed) {
        return Some("only a-z, 0-9, `.`, `_`, `-` and `/` are allowed");
    }
    name.split('/').find_map(component_problem)
}

fn component_problem(part: &str) -> Option<&'static str> {
    let separator = |c: char| "._-".contains(c);
    if part.is_empty() {
        return Some("a `/` must stand between two parts");
    }
    if part.starts_with(separator) || part.ends_with(separator) {
        return Some("each part must begin and end with a letter or digit");
    }
    let runs = part.split(|c: char| !separator(c)).filter(|run| !run.is_empty());
    let fine = |run: &str| matches!(run, "." | "_" | "__") || run.chars().all(|c| c == '-');
    if runs.into_iter().all(fine) { None } else { Some("separators `.` and `_` must stand alone") }
}

fn fixed(name: &str) -> Option<String> {
    let name = name.split(['@', ':']).next().unwrap_or("");
    let keep = |c: char| if c.is_ascii_alphanumeric() || "._/".contains(c) { c } else { '-' };
    let lower: String = name.to_lowercase().chars().take(LONGEST).map(keep).collect();
    let parts: Vec<String> =
        lower.split('/').map(fixed_component).filter(|p| !p.is_empty()).collect();
    let joined = parts.join("/");
    problem(&joined).is_none().then_some(joined)
}

/// Keeps one separator of each run, and none at the ends.
fn fixed_component(part: &str) -> String {
    let mut out = String::new();
    for c in part.chars() {
        let separator = "._-".contains(c);
        if !separator || !(out.is_empty() || out.ends_with(['.', '_', '-'])) {
            out.push(c);
        }
    }
    out.trim_end_matches(['.', '_', '-']).to_owned()
}

/// A tag, as the distribution specification demands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Box<str>);

/// The grammar of a tag as a regular expression.
pub(crate) const TAG: &str = "^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$";

/// A text that is no tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a tag: at most 128 letters, digits, `_`, `.`, `-`, not beginning with `.` or `-`"
)]
pub struct TagError(pub String);

impl Tag {
    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(tag: &str) -> Result<Self, TagError> {
        let inside = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let fine = (1..=128).contains(&tag.len())
            && !tag.starts_with(['.', '-'])
            && tag.chars().all(inside);
        if fine { Ok(Self(tag.into())) } else { Err(TagError(tag.chars().take(140).collect())) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn names_of_the_specification_pass() {
        for name in ["a", "web", "freeipa", "a.b", "a__b", "a---b", "quay.io/org/app-1", "7zip"] {
            assert!(name.parse::<ImageName>().is_ok(), "{name}");
        }
    }

    #[test]
    fn other_names_come_back_mended() {
        for (name, fixed) in [
            ("FreeIPA", Some("freeipa")),
            ("web server", Some("web-server")),
            ("web:latest", Some("web")),
            ("a..b", Some("a.b")),
            ("-a-", Some("a")),
            ("a//b", Some("a/b")),
            ("c++", Some("c")),
            ("", None),
            ("*", None),
            ("Ünï", Some("n")),
        ] {
            let error = name.parse::<ImageName>().unwrap_err();
            assert_eq!(error.fixed.as_deref(), fixed, "{name}");
        }
    }

    #[test]
    fn tags() {
        for tag in ["latest", "1.2-3", "_x", "V1"] {
            assert!(tag.parse::<Tag>().is_ok(), "{tag}");
        }
        for tag in ["", ".a", "-a", "a b", "a:b", &"x".repeat(129)] {
            assert!(tag.parse::<Tag>().is_err(), "{tag}");
        }
    }
}
