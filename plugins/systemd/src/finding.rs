//! What the logic tells: findings, and why it cannot go on.

use crate::syntax::Place;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// No command line; counts unless somebody gives one.
    Refusal,
    /// Told to the user.
    Warning,
    /// For whoever looks closely.
    Note,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// One sentence, lower case, no full stop.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// What to do.
    pub hint: Option<String>,
}

impl Finding {
    /// One place for the code that every finding shares.
    #[inline(never)]
    fn new(severity: Severity, message: String, place: Option<Place>) -> Self {
        Self { severity, message, place, hint: None }
    }

    /// A refusal.
    pub fn refusal(message: impl Into<String>, place: Option<Place>) -> Self {
        Self::new(Severity::Refusal, message.into(), place)
    }

    /// A warning.
    pub fn warning(message: impl Into<String>, place: Option<Place>) -> Self {
        Self::new(Severity::Warning, message.into(), place)
    }

    /// A note.
    pub fn note(message: impl Into<String>, place: Option<Place>) -> Self {
        Self::new(Severity::Note, message.into(), place)
    }

    /// With what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Why there is nothing to return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A setting is wrong.
    Setting {
        /// Its name.
        name: String,
        /// What is wrong.
        message: String,
        /// What it may be.
        hint: Option<String>,
    },
    /// The image cannot be served.
    Refused {
        /// What was found.
        message: String,
        /// Where.
        place: Option<Place>,
        /// What to set.
        hint: Option<String>,
    },
}

impl Problem {
    /// The image cannot be served.
    pub fn refused(
        message: impl Into<String>,
        place: Option<Place>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Refused { message: message.into(), place, hint: Some(hint.into()) }
    }
}
