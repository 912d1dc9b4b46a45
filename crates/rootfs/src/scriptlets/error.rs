//! Why a scriptlet cannot be interpreted.

/// A scriptlet that was not run to its end. Nothing of it counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptletError {
    /// Not a text that the shell's grammar knows.
    #[error("line {line}: {message}")]
    Syntax {
        /// Line of the script, from 1; 0 when it is not known.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// Something that is understood by a real system, and not here.
    #[error("line {line}: `{construct}` is not interpreted")]
    Unsupported {
        /// A command, an option or a construct of the shell.
        construct: String,
        /// Line of the script, from 1; 0 when it is not known.
        line: usize,
    },
    /// A program of the image whose output only the program itself can make.
    #[error("line {line}: the real `{program}` is needed")]
    NeedsProgram {
        /// Its name.
        program: String,
        /// Line of the script, from 1; 0 when it is not known.
        line: usize,
    },
    /// An interpreter that is none of the shells.
    #[error("the interpreter `{0}` is not known")]
    Interpreter(String),
    /// The bytes of a package's file were needed, and are not at hand.
    #[error("the content of `{path}` is not at hand")]
    Content {
        /// Which file.
        path: String,
    },
    /// It did more than it may.
    #[error("more {what} than are allowed")]
    Limit {
        /// What there was too much of.
        what: &'static str,
    },
}

impl ScriptletError {
    /// The same with a line, where it has none yet.
    pub(super) fn at(mut self, at: usize) -> Self {
        if let Self::Unsupported { line, .. }
        | Self::NeedsProgram { line, .. }
        | Self::Syntax { line, .. } = &mut self
            && *line == 0
        {
            *line = at;
        }
        self
    }

    pub(crate) fn unsupported(construct: impl Into<String>) -> Self {
        Self::Unsupported { construct: construct.into(), line: 0 }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Limit { .. } => Some("it may never end, or loop over too much".to_owned()),
            _ => None,
        }
    }
}
