//! Which brackets are open, and which of them the indentation says was forgotten.

use crate::Source;

/// The open brackets, outermost first.
pub(super) struct Brackets {
    open: Vec<(char, usize)>,
    suspect: Option<(char, usize)>,
}

impl Brackets {
    pub fn new() -> Self {
        Self { open: Vec::new(), suspect: None }
    }

    pub fn depth(&self) -> usize {
        self.open.len()
    }

    pub fn push(&mut self, open: char, at: usize) {
        self.open.push((open, at));
    }

    /// Closes the innermost bracket. One that begins a line further left than the line of the
    /// bracket it closes was probably meant for another.
    pub fn pop(&mut self, close_at: usize, source: &Source) {
        let Some((open, at)) = self.open.pop() else { return };
        let (close_indent, first) = source.indent(close_at);
        let (open_indent, _) = source.indent(at);
        if first && close_indent < open_indent && self.suspect.is_none() {
            self.suspect = Some((open, at));
        }
    }

    /// The innermost open bracket.
    pub fn last(&self) -> Option<(char, usize)> {
        self.open.last().copied()
    }

    /// The bracket that was closed by one that belongs to another.
    pub fn suspect(&self) -> Option<(char, usize)> {
        self.suspect
    }

    /// The open brackets, outermost first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = char> {
        self.open.iter().map(|(open, _)| *open)
    }
}
