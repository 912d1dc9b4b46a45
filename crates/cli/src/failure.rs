//! Errors as people read them, and their exit codes.

use std::{
    io::{self, Write},
    process::ExitCode,
};
use strata_compose::{ComposeError, ErrorKind, FailedImage, PluginFailure};

/// Why a command ends without success.
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    /// For the author of what failed.
    details: Vec<String>,
    kind: ErrorKind,
}

impl Failure {
    /// The command line asks for something that cannot be.
    pub fn usage(message: impl Into<String>, hint: Option<String>) -> Self {
        Self { message: message.into(), hint, details: Vec::new(), kind: ErrorKind::Usage }
    }

    /// A plugin cannot be used.
    pub fn plugin(reference: &str, failure: PluginFailure) -> Self {
        let PluginFailure { message, hint, details, kind } = failure;
        let message = format!("plugin `{reference}`: {message}");
        Self { message, hint, details, kind }
    }

    /// An image cannot be made, while others can.
    pub fn image(image: &FailedImage) -> Self {
        let FailedImage { name, arch, failure } = image;
        let PluginFailure { message, hint, details, kind } = failure.clone();
        let message = format!("image `{name}` ({arch}): {message}");
        Self { message, hint, details, kind }
    }

    /// Standard output is gone: a closed pipe is how `head` says that it has seen enough.
    pub fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        Self {
            message: format!("cannot write to standard output: {error}"),
            hint: None,
            details: Vec::new(),
            kind: ErrorKind::Outside,
        }
    }

    /// Prints it and gives the exit code.
    pub fn report(self) -> ExitCode {
        ExitCode::from(self.print())
    }

    /// Prints it and gives the number of its exit code.
    pub fn print(self) -> u8 {
        let mut err = io::stderr().lock();
        // there is nobody left to tell if this fails
        let _ = writeln!(err, "error: {}", self.message);
        for line in &self.details {
            let _ = writeln!(err, "  {line}");
        }
        if let Some(hint) = self.hint {
            let _ = writeln!(err, "hint: {hint}");
        }
        match self.kind {
            ErrorKind::Inputs => 1,
            ErrorKind::Usage => 2,
            ErrorKind::Outside => 3,
            ErrorKind::Internal => 4,
        }
    }
}

impl<E: Into<ComposeError>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error: ComposeError = error.into();
        Self {
            message: error.to_string(),
            hint: error.hint(),
            details: Vec::new(),
            kind: error.kind(),
        }
    }
}
