//! What a file system may cost: without a bound here, a command that looks at a whole tree would
//! count as one step of a script.

use super::{Limits, ScriptletError};
use std::cell::Cell;

/// Components of paths and entries of directories for each step of a script.
const ENTRIES: u64 = 8;

/// Counts what was looked at and read.
#[derive(Debug)]
pub(super) struct Meter {
    entries: Cell<u64>,
    bytes: Cell<u64>,
}

impl Meter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            entries: Cell::new(limits.steps.saturating_mul(ENTRIES)),
            bytes: Cell::new(limits.bytes),
        }
    }

    /// So many components or entries were looked at. The next [`check`](Self::check) says when they are too many.
    pub(super) fn looked(&self, entries: usize) {
        self.entries.set(self.entries.get().saturating_sub(entries as u64));
    }

    /// Whether anything is left.
    pub(super) fn check(&self) -> Result<(), ScriptletError> {
        match self.entries.get() {
            0 => Err(ScriptletError::Limit { what: "looks at paths" }),
            _ => Ok(()),
        }
    }

    /// So many bytes are read.
    pub(super) fn read(&self, bytes: usize) -> Result<(), ScriptletError> {
        let left = self.bytes.get().checked_sub(bytes as u64);
        self.bytes.set(left.ok_or(ScriptletError::Limit { what: "bytes read" })?);
        Ok(())
    }
}
