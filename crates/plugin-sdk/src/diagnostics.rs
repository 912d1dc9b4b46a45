//! Ways to write findings and errors in a line.

use crate::{Diagnostic, Error, Origin, Refusal, SettingError, Severity, TreeError};

impl Origin {
    /// A whole file.
    pub fn file(path: impl Into<String>) -> Self {
        Self { path: path.into(), line: None }
    }

    /// A line of a file, from 1.
    pub fn line(path: impl Into<String>, line: u32) -> Self {
        Self { path: path.into(), line: Some(line) }
    }
}

impl Diagnostic {
    /// A finding: one sentence, lower case, no full stop.
    pub fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self { severity, message: message.into(), origin: None, hint: None }
    }

    /// The image is not made.
    pub fn refusal(message: impl Into<String>) -> Self {
        Self::new(Severity::Refusal, message)
    }

    /// Told to the user; the image is made.
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message)
    }

    /// Of interest to whoever looks closely.
    pub fn note(message: impl Into<String>) -> Self {
        Self::new(Severity::Note, message)
    }

    /// Where it was found.
    #[must_use]
    pub fn at(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Error {
    /// The user has to change a setting of this plugin.
    pub fn setting(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Setting(SettingError { name: name.into(), message: message.into(), hint: None })
    }

    /// The image cannot be served as it is.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::Refused(Refusal { message: message.into(), origin: None, hint: None })
    }

    /// The plugin met something that its author has to look at.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal(message.into())
    }

    /// A path that could not be read, and should have been.
    pub fn unreadable(path: &str, error: TreeError) -> Self {
        let message = format!("cannot read `{path}`: {}", error.reason());
        Self::Refused(Refusal { message, origin: Some(Origin::file(path)), hint: None })
    }

    /// Where it was found; only a refusal has a place.
    #[must_use]
    pub fn at(mut self, origin: Origin) -> Self {
        if let Self::Refused(refusal) = &mut self {
            refusal.origin = Some(origin);
        }
        self
    }

    /// What to do about it; an internal error has no hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        match &mut self {
            Self::Setting(error) => error.hint = Some(hint.into()),
            Self::Refused(refusal) => refusal.hint = Some(hint.into()),
            Self::Internal(_) => {}
        }
        self
    }
}

impl TreeError {
    /// The reason in words.
    pub fn reason(self) -> String {
        match self {
            Self::NotFound => "there is no such file".to_owned(),
            Self::NotADirectory => "it is no directory".to_owned(),
            Self::NotAFile => "it is no regular file".to_owned(),
            Self::LinkLoop => "its links lead in a circle".to_owned(),
            Self::TooLarge(limit) => format!("it is larger than {limit} bytes"),
            Self::InvalidPath => "it is no absolute path without `.` and `..`".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_tells_what_where_and_what_to_do() {
        let found = Diagnostic::warning("two units").at(Origin::line("/a", 3)).hint("set `unit`");
        let origin = Some(Origin { path: "/a".to_owned(), line: Some(3) });
        let hint = Some("set `unit`".to_owned());
        let message = "two units".to_owned();
        assert_eq!(found, Diagnostic { severity: Severity::Warning, message, origin, hint });
    }

    #[test]
    fn place_and_hint_go_where_there_is_room_for_them() {
        let Error::Refused(refusal) = Error::refused("no").at(Origin::file("/a")).hint("do") else {
            panic!("a refusal")
        };
        assert_eq!(
            (refusal.origin, refusal.hint),
            (Some(Origin::file("/a")), Some("do".to_owned()))
        );
        let internal = Error::internal("no");
        assert_eq!(internal.clone().at(Origin::file("/a")).hint("do"), internal);
    }
}
