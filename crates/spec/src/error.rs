//! What can be wrong with a document, where, and what would mend it.

use crate::Place;

/// A document that is refused: the place, the reason, and the line with a caret under the place.
/// [`SpecError::hint`] says what would mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}{}\n{}", at(.place), .place.snippet(.problem.label()))]
pub struct SpecError {
    /// Where.
    pub place: Box<Place>,
    /// Why.
    pub problem: Box<Problem>,
}

fn at(place: &Place) -> String {
    match place.path() {
        "" => String::new(),
        path => format!(" (at `{path}`)"),
    }
}

/// Why a document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing but white space.
    #[error("the document is empty")]
    Empty,
    /// More bytes than any honest document has.
    #[error("the document is larger than {limit} bytes")]
    TooLarge {
        /// Most bytes.
        limit: usize,
    },
    /// Lists and objects inside one another beyond reason.
    #[error("values are nested more than {limit} deep")]
    TooDeep {
        /// Deepest nesting.
        limit: usize,
    },
    /// Two values stand side by side.
    #[error("missing `,` {}", between(.before.as_deref(), .after.as_deref()))]
    MissingComma {
        /// Key of the value before, in an object.
        before: Option<String>,
        /// Key after, in an object.
        after: Option<String>,
    },
    /// A comma before a closing bracket.
    #[error("a `,` stands before `{close}`")]
    TrailingComma {
        /// The closing bracket.
        close: char,
    },
    /// A comma where a value or key should be.
    #[error("a `,` stands where a value should be")]
    RepeatedComma,
    /// A key that no colon follows.
    #[error("missing `:` after the key {key:?}")]
    MissingColon {
        /// The key.
        key: String,
    },
    /// A colon that no value follows.
    #[error("the key {key:?} has no value")]
    MissingValue {
        /// The key.
        key: String,
    },
    /// A string in other quotes than JSON's.
    #[error("a string begins with {quote}")]
    WrongQuotes {
        /// The character found.
        quote: char,
    },
    /// A key without quotes.
    #[error("the key `{word}` is not in quotes")]
    UnquotedKey {
        /// The key.
        word: String,
    },
    /// A word that is no value of JSON.
    #[error("`{word}` is not a JSON value")]
    UnquotedValue {
        /// The word.
        word: String,
    },
    /// A comment.
    #[error("JSON has no comments")]
    Comment,
    /// A string that runs past the end of its line.
    #[error("this string is not closed on its line")]
    UnclosedString,
    /// A raw control character inside a string.
    #[error("a string contains the control character U+{code:04X}")]
    ControlCharacter {
        /// Its code.
        code: u32,
    },
    /// A backslash sequence that JSON does not have.
    #[error("`{escape}` is not an escape of JSON")]
    BadEscape {
        /// What was found.
        escape: String,
    },
    /// A number in a form that JSON does not have.
    #[error("`{text}` is not a JSON number")]
    BadNumber {
        /// What was found.
        text: String,
    },
    /// The text ends inside an object or list.
    #[error("this `{open}` is never closed")]
    Unclosed {
        /// The opening bracket.
        open: char,
        /// The closing brackets that the end of the text lacks.
        missing: String,
        /// Whether the place is a guess from the indentation.
        guessed: bool,
    },
    /// A closing bracket of the other kind.
    #[error("`{found}` closes the `{open}` of line {line}")]
    Mismatched {
        /// The closing bracket found.
        found: char,
        /// What is open.
        open: char,
        /// Line of the opening bracket.
        line: usize,
    },
    /// More text after the value.
    #[error("text follows after the end of the document")]
    TrailingText,
    /// A character that begins nothing.
    #[error("unexpected {found:?}")]
    Unexpected {
        /// The character.
        found: char,
    },
    /// What the YAML reader says.
    #[error("not valid YAML: {message}")]
    Yaml {
        /// Its words.
        message: String,
    },
    /// One key twice in an object.
    #[error("the key {key:?} is given twice; the first is on line {line}")]
    DuplicateKey {
        /// The key.
        key: String,
        /// Line of the first.
        line: usize,
    },
    /// A key that means nothing here.
    #[error("unknown key {key:?}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The known key that looks most like it.
        nearest: Option<String>,
        /// All known keys.
        known: Vec<&'static str>,
    },
    /// A value of the wrong kind.
    #[error("this is {found}; {expected} is needed")]
    WrongKind {
        /// What the document has.
        found: &'static str,
        /// What it should have.
        expected: String,
        /// How to write it.
        hint: Option<String>,
    },
    /// A word that is none of a fixed set.
    #[error("unknown {what} {word:?}")]
    UnknownWord {
        /// What the word should be.
        what: &'static str,
        /// The word.
        word: String,
        /// The known word that looks most like it.
        nearest: Option<String>,
        /// All known words.
        known: Vec<String>,
    },
    /// A key that must be there.
    #[error("the key `{key}` is missing")]
    MissingKey {
        /// The key.
        key: &'static str,
        /// How to write it.
        hint: &'static str,
    },
    /// A value that breaks its grammar.
    #[error("{why}")]
    Invalid {
        /// Why.
        why: String,
        /// What would be right.
        hint: Option<String>,
    },
    /// Images that take each other in.
    #[error("images include one another: {}", .chain.join(" → "))]
    IncludeCycle {
        /// The names, the first repeated at the end.
        chain: Vec<String>,
    },
    /// Understood, but not in this release.
    #[error("{what} not supported in this release")]
    Unsupported {
        /// The thing and its verb: "plugins are".
        what: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// A later stage could not do what stands here.
    #[error("{why}")]
    Refused {
        /// Why.
        why: String,
        /// What would help.
        hint: Option<String>,
    },
}

fn between(before: Option<&str>, after: Option<&str>) -> String {
    match (before, after) {
        (Some(before), Some(after)) => format!("between {before:?} and {after:?}"),
        (Some(before), None) => format!("after the value of {before:?}"),
        _ => "between two elements of a list".to_owned(),
    }
}

impl Problem {
    /// A value that breaks its grammar, without a hint.
    pub(crate) fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid { why: why.into(), hint: None }
    }

    /// A value that breaks its grammar.
    pub(crate) fn invalid_hint(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Invalid { why: why.into(), hint: Some(hint.into()) }
    }

    /// What is written behind the carets.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::MissingComma { .. } => "add `,` here",
            Self::TrailingComma { .. } | Self::RepeatedComma => "remove this `,`",
            Self::MissingColon { .. } => "add `:` here",
            Self::MissingValue { .. } => "add a value here",
            Self::UnquotedKey { .. } => "put it in double quotes",
            Self::Unclosed { .. } => "opened here",
            Self::DuplicateKey { .. } => "second time here",
            _ => "",
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Empty => {
                r#"write {"repos": ["fedora"], "images": {"web": {"packages": ["nginx"]}}}"#.to_owned()
            }
            Self::TooLarge { .. } => "is this the right file?".to_owned(),
            Self::TooDeep { .. } => "no key needs this; check the brackets".to_owned(),
            Self::MissingComma { before: Some(before), .. } => {
                format!("add `,` after the value of {before:?}")
            }
            Self::MissingComma { .. } => "elements of a list are separated by `,`".to_owned(),
            Self::TrailingComma { close } => {
                format!("JSON allows no `,` after the last element: remove it before `{close}`")
            }
            Self::RepeatedComma => "remove the `,`, or write the value that it lacks".to_owned(),
            Self::MissingColon { key } if key.contains([':', ',', '[', '{']) => {
                format!("a `\"` is probably missing inside {key:?}: keys are written `\"key\": value`")
            }
            Self::MissingColon { .. } => "keys are written `\"key\": value`".to_owned(),
            Self::MissingValue { .. } => "write a value, or remove the key".to_owned(),
            Self::WrongQuotes { .. } => "JSON strings stand in double quotes: `\"text\"`".to_owned(),
            Self::UnquotedKey { word } => format!("write `\"{word}\":`"),
            Self::UnquotedValue { word } => match word.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => "write `true`".to_owned(),
                "false" | "no" | "off" => "write `false`".to_owned(),
                "null" | "none" | "nil" => "write `null`, or leave the key out".to_owned(),
                _ => format!("text stands in double quotes: `\"{word}\"`"),
            },
            Self::Comment => {
                "remove the comment, or write the document as YAML (`.yaml`), where `#` begins one"
                    .to_owned()
            }
            Self::UnclosedString => "add the closing `\"`; a line break is written `\\n`".to_owned(),
            Self::ControlCharacter { code: 9 } => "write `\\t`".to_owned(),
            Self::ControlCharacter { code } => format!("write `\\u{code:04x}`"),
            Self::BadEscape { .. } => {
                "a backslash itself is written `\\\\`; others are \\\" \\/ \\b \\f \\n \\r \\t \\uXXXX"
                    .to_owned()
            }
            Self::BadNumber { text } => format!("as text, write `\"{text}\"`"),
            Self::Unclosed { open, guessed: true, .. } => {
                format!(
                    "the indentation says that this `{open}` lacks its `{}`",
                    closing(*open).unwrap_or(' ')
                )
            }
            Self::Unclosed { missing, .. } => format!("add `{missing}` at the end"),
            Self::Mismatched { open, .. } => {
                format!("`{open}` is closed by `{}`", closing(*open).unwrap_or(' '))
            }
            Self::TrailingText => {
                "a document is one object: is there a closing bracket too many before this?"
                    .to_owned()
            }
            Self::DuplicateKey { .. } => "remove one, or merge the two".to_owned(),
            Self::UnknownKey { nearest, known, .. } => match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("known keys: {}", list(known)),
            },
            Self::UnknownWord { nearest, known, .. } => match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None if known.is_empty() => return None,
                None => format!("known: {}", list(known)),
            },
            Self::MissingKey { hint, .. } => (*hint).to_owned(),
            Self::WrongKind { hint, .. }
            | Self::Invalid { hint, .. }
            | Self::Unsupported { hint, .. }
            | Self::Refused { hint, .. } => return hint.clone(),
            Self::IncludeCycle { .. } => {
                "move the shared packages into an image that includes none of these".to_owned()
            }
            Self::Unexpected { found: ';' } => "JSON separates by `,`".to_owned(),
            Self::Unexpected { found: '=' } => "JSON writes `\"key\": value`".to_owned(),
            Self::Unexpected { .. } | Self::Yaml { .. } => return None,
        };
        Some(text)
    }
}

fn list(words: &[impl AsRef<str>]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    words.join(", ")
}

/// The bracket that closes an opening one.
pub(crate) fn closing(open: char) -> Option<char> {
    match open {
        '{' => Some('}'),
        '[' => Some(']'),
        _ => None,
    }
}

impl SpecError {
    /// What would mend it.
    pub fn hint(&self) -> Option<String> {
        self.problem.hint()
    }

    /// The error as the command line prints it: message, line with caret, hint.
    pub fn report(&self) -> String {
        match self.hint() {
            Some(hint) => format!("error: {self}\nhint: {hint}\n"),
            None => format!("error: {self}\n"),
        }
    }
}

impl Place {
    pub(crate) fn error(self, problem: Problem) -> SpecError {
        SpecError { place: Box::new(self), problem: Box::new(problem) }
    }

    /// An error of a later stage about what stands here, for example a package that no repository
    /// has.
    pub fn refuse(&self, why: impl Into<String>, hint: Option<String>) -> SpecError {
        self.clone().error(Problem::Refused { why: why.into(), hint })
    }
}

/// The known word that looks most like `word`, if any comes near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 100 {
        return None;
    }
    let lower = word.to_lowercase();
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
        let allowed = (candidate.chars().count().max(3) / 3).max(1);
        let longer = candidate.len() > 3 && lower.starts_with(&candidate.to_lowercase());
        if (distance <= allowed || longer) && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}
