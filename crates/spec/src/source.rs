//! The text a document came from, and places in it.

use std::{fmt, ops::Range, sync::Arc};

/// A document's text under the name that errors show.
#[derive(PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
    command_line: bool,
    /// Byte offset of each line's first byte.
    lines: Vec<usize>,
}

impl Source {
    /// Takes a text and the name under which errors speak of it, usually a file name.
    pub fn new(name: &str, text: &str) -> Arc<Self> {
        Self::from(name, text, false)
    }

    /// An expression that stands behind this option of the command line.
    pub(crate) fn expression(option: &str, text: &str) -> Arc<Self> {
        Self::from(option, text, true)
    }

    fn from(name: &str, text: &str, command_line: bool) -> Arc<Self> {
        let starts = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(starts).collect();
        Arc::new(Self { name: name.to_owned(), text: text.to_owned(), command_line, lines })
    }

    /// The name given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line (from 0) that holds a byte offset.
    fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Byte offset of a line and column, both from 1; the nearest there is.
    pub(crate) fn offset(&self, line: usize, column: usize) -> usize {
        let (start, text) = self.line(line.saturating_sub(1));
        let inside = text.char_indices().nth(column.saturating_sub(1));
        start + inside.map_or(text.len(), |(at, _)| at)
    }

    /// White space at the start of the line that holds `at` (never more than [`WIDEST`]), and
    /// whether nothing else precedes `at` there.
    pub(crate) fn indent(&self, at: usize) -> (usize, bool) {
        let (start, line) = self.line(self.line_of(at));
        let blank = |b: &u8| matches!(b, b' ' | b'\t');
        let indent = line.bytes().take(WIDEST).take_while(blank).count();
        (indent, start + indent == at)
    }

    /// A line's text (from 0) and the offset of its first byte, without the line end.
    fn line(&self, line: usize) -> (usize, &str) {
        let start = self.lines.get(line).copied().unwrap_or(self.text.len());
        let end = self.lines.get(line + 1).copied().unwrap_or(self.text.len());
        let text = self.text.get(start..end).unwrap_or("");
        (start, text.trim_end_matches(['\n', '\r']))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A place in a document: where it stands in the text, and its path in the value.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    source: Arc<Source>,
    span: Range<usize>,
    path: String,
}

impl Place {
    /// A place from a byte range of a source and a path such as `images.web.packages[0]`.
    pub fn new(source: &Arc<Source>, span: Range<usize>, path: impl Into<String>) -> Self {
        Self { source: Arc::clone(source), span, path: path.into() }
    }

    /// The document.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Whether it is in an expression of the command line, and not in a file.
    pub fn is_command_line(&self) -> bool {
        self.source.command_line
    }

    /// Path in the value; empty for the document itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Line, from 1.
    pub fn line(&self) -> usize {
        self.source.line_of(self.span.start) + 1
    }

    /// Column, from 1, counted in characters.
    pub fn column(&self) -> usize {
        let (start, text) = self.source.line(self.line() - 1);
        let before = self.span.start.saturating_sub(start).min(text.len());
        text.get(..before).unwrap_or(text).chars().count() + 1
    }

    /// The line of the document with carets under the place; `label` is written behind them.
    pub(crate) fn snippet(&self, label: &str) -> String {
        let number = self.line().to_string();
        let (start, text) = self.source.line(self.line() - 1);
        let column = self.column() - 1;
        let until = self.span.end.saturating_sub(start).min(text.len());
        let width = text.get(..until).unwrap_or(text).chars().count().saturating_sub(column).max(1);
        let (shown, column, width) = window(text, column, width);
        let margin = " ".repeat(number.len());
        let mut out = format!("{margin} |\n{number} | {shown}\n{margin} | ");
        out.push_str(&" ".repeat(column));
        out.push_str(&"^".repeat(width));
        if !label.is_empty() {
            out.push(' ');
            out.push_str(label);
        }
        out
    }
}

/// Most characters of one line that an error shows.
const WIDEST: usize = 110;

/// Cuts a long line to what surrounds the carets, and replaces what would upset a terminal.
fn window(text: &str, column: usize, width: usize) -> (String, usize, usize) {
    let total = text.chars().count();
    let from = if total > WIDEST { column.saturating_sub(WIDEST / 2) } else { 0 };
    let plain = |c: char| if c.is_control() { if c == '\t' { ' ' } else { '\u{fffd}' } } else { c };
    let cut: String = text.chars().skip(from).take(WIDEST).map(plain).collect();
    let mut shown = String::new();
    let mut column = column - from;
    if from > 0 {
        shown.push_str("… ");
        column += 2;
    }
    let cut = if total > from + WIDEST { cut + " …" } else { cut };
    shown.push_str(cut.trim_end());
    let room = (WIDEST + 4).saturating_sub(column).max(1);
    (shown, column, width.min(room))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source.name, self.line(), self.column())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} {}", self.path)
    }
}

/// A value with the place it was written at.
#[derive(Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl<T> Located<T> {
    /// Puts value and place together.
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }

    /// The same place with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Located<U> {
        Located { value: change(self.value), place: self.place }
    }
}

impl<T: fmt::Debug> fmt::Debug for Located<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} @{}", self.value, self.place)
    }
}
