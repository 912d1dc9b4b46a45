//! How much a scriptlet may take.

use crate::message::Bounds;
use std::time::Duration;

/// Bounds of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From its start to its end. As much CPU time for each process.
    pub time: Duration,
    /// Address space of one process, and memory of all together that is not shared, in bytes.
    pub memory: u64,
    /// Bytes that are written to files; they are kept in memory.
    pub bytes: u64,
    /// Paths that are made or changed.
    pub files: u64,
    /// Processes and threads at a time.
    pub processes: u64,
    /// Bytes of output.
    pub output: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(120),
            memory: 4 << 30,
            bytes: 512 << 20,
            files: 100_000,
            processes: 512,
            output: 1 << 20,
        }
    }
}

impl Limits {
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds {
            milliseconds: u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX),
            memory: self.memory,
            bytes: self.bytes,
            files: self.files,
            processes: self.processes,
            output: self.output,
        }
    }
}
