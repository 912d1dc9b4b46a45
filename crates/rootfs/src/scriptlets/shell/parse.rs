//! From text to the syntax tree of `brush-parser`.

use crate::scriptlets::ScriptletError;
use brush_parser::{ParseError, Parser, ParserOptions, ast::Program};

/// How deeply constructs may nest: the parser recurses.
const MAX_NESTING: usize = 30;
/// Longest text.
const MAX_LENGTH: usize = 1 << 20;

/// A text that is not of the grammar.
#[derive(Debug)]
pub(super) struct BadText {
    line: usize,
    message: String,
}

impl BadText {
    /// With the line of the whole script.
    pub(super) fn at_base(self, base: usize) -> ScriptletError {
        let line = if self.line == 0 { 0 } else { self.line + base };
        ScriptletError::Syntax { line, message: self.message }
    }
}

/// Parses a script.
pub(super) fn parse(text: &str) -> Result<Program, BadText> {
    let bad = |line, message: &str| BadText { line, message: message.to_owned() };
    if text.len() > MAX_LENGTH {
        return Err(bad(0, "the script is too long"));
    }
    if text.contains('\0') {
        return Err(bad(0, "the script has a NUL"));
    }
    if nesting(text) > MAX_NESTING {
        return Err(bad(0, "the script nests too deeply"));
    }
    let options = ParserOptions {
        enable_extended_globbing: false,
        tilde_expansion_at_word_start: false,
        ..ParserOptions::default()
    };
    // a parser of others, on a text of others: its panics end here
    let parsed =
        std::panic::catch_unwind(|| Parser::new(text.as_bytes(), &options).parse_program());
    match parsed {
        Ok(Ok(program)) => Ok(program),
        Ok(Err(error)) => {
            let line = match &error {
                ParseError::ParsingNear(at) => at.line,
                ParseError::Tokenizing { position: Some(at), .. } => at.line,
                _ => 0,
            };
            Err(bad(line, &error.to_string()))
        }
        Err(_) => Err(bad(0, "the parser failed")),
    }
}

/// An upper bound of how deeply constructs nest, found without understanding them.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let mut open = |delta: bool| {
        depth = if delta { depth + 1 } else { depth.saturating_sub(1) };
        deepest = deepest.max(depth);
    };
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/') {
            word.push(c);
            continue;
        }
        match word.as_str() {
            "if" | "while" | "until" | "for" | "case" => open(true),
            "fi" | "done" | "esac" => open(false),
            _ => {}
        }
        word.clear();
        match c {
            '(' | '{' => open(true),
            ')' | '}' => open(false),
            _ => {}
        }
    }
    deepest
}
