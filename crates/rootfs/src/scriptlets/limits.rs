//! How much a scriptlet may do.

use super::ScriptletError;

/// Bounds of one run: whatever a script says, it ends, and takes little memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Commands, expansions and directory entries looked at, together.
    pub steps: u64,
    /// Bytes written to files, pipes and variables.
    pub bytes: u64,
    /// Paths that may be made or changed.
    pub files: usize,
    /// How deeply functions, substitutions and `eval` may nest.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 2_000_000, bytes: 256 << 20, files: 100_000, depth: 60 }
    }
}

/// What is left of the [`Limits`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub left: Limits,
}

impl Budget {
    pub(super) fn steps(&mut self, count: u64) -> Result<(), ScriptletError> {
        let left = self.left.steps.checked_sub(count);
        self.left.steps = left.ok_or(ScriptletError::Limit { what: "steps" })?;
        Ok(())
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<(), ScriptletError> {
        let left = self.left.bytes.checked_sub(count as u64);
        self.left.bytes = left.ok_or(ScriptletError::Limit { what: "bytes" })?;
        Ok(())
    }

    pub(super) fn deeper(&mut self) -> Result<(), ScriptletError> {
        let left = self.left.depth.checked_sub(1);
        self.left.depth = left.ok_or(ScriptletError::Limit { what: "nested calls" })?;
        Ok(())
    }

    pub(super) fn shallower(&mut self) {
        self.left.depth += 1;
    }
}
