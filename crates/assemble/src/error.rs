//! Why an image cannot be assembled.

use crate::edits::Author;
use strata_spec::SpecError;

/// An image that cannot be assembled as its documents demand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssembleError {
    /// A document names something that the image does not have.
    #[error(transparent)]
    Document(#[from] SpecError),
    /// A plugin, or strata itself, named an account that the image does not have.
    #[error("{by} names the {kind} `{name}`, which the image does not have")]
    Account {
        /// `user` or `group`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Who named it.
        by: String,
        /// What would help.
        hint: String,
    },
}

impl AssembleError {
    /// What would mend it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Document(error) => error.hint(),
            Self::Account { hint, .. } => Some(hint.clone()),
        }
    }

    pub(crate) fn account(kind: &'static str, name: &str, by: &Author, hint: String) -> Self {
        match by {
            Author::Document(place) => {
                let why = format!("the image has no {kind} `{name}`");
                Self::Document(place.refuse(why, Some(hint)))
            }
            by => Self::Account { kind, name: name.to_owned(), by: by.to_string(), hint },
        }
    }
}
