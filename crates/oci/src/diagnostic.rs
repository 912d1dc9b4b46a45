//! Findings about an image, from whoever looks at it.

use std::fmt;

/// How much a finding weighs. The weightiest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The image must not be made.
    Refusal,
    /// Told to the user; the image is made.
    Warning,
    /// Of interest to whoever looks closely.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refusal => "refusal",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// A place in a file of the image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileOrigin {
    /// Absolute path.
    pub path: String,
    /// Line, from 1; none when the whole file is meant.
    pub line: Option<u32>,
}

impl fmt::Display for FileOrigin {
    /// `PATH:LINE`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it weighs.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
    /// Where, if it is about a file of the image.
    pub origin: Option<FileOrigin>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Diagnostic {
    /// `PATH:LINE: MESSAGE`; the hint is told apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        f.write_str(&self.message)
    }
}
