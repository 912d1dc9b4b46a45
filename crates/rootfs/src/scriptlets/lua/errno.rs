//! The numbers of errors.

use crate::scriptlets::fs::Errno;

/// An error as scripts see it: its number and the words of the C library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub number: i32,
    pub text: String,
}

impl Problem {
    fn new(number: i32, text: impl Into<String>) -> Self {
        Self { number, text: text.into() }
    }

    pub(super) fn denied() -> Self {
        Self::new(13, "Permission denied")
    }

    pub(super) fn bad_descriptor() -> Self {
        Self::new(9, "Bad file descriptor")
    }

    pub(super) fn no_child() -> Self {
        Self::new(10, "No child processes")
    }

    pub(super) fn success() -> Self {
        Self::new(0, "Success")
    }
}

impl From<Errno> for Problem {
    fn from(errno: Errno) -> Self {
        let number = match errno {
            Errno::NotPermitted => 1,
            Errno::NoEntry => 2,
            Errno::Busy => 16,
            Errno::Exists => 17,
            Errno::NotDirectory => 20,
            Errno::IsDirectory => 21,
            Errno::Invalid => 22,
            Errno::TooLong => 36,
            Errno::NotEmpty => 39,
            Errno::Loop => 40,
        };
        Self::new(number, errno.to_string())
    }
}
