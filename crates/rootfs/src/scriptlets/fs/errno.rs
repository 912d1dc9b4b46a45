//! The errors of system calls, with the words of the C library.

use crate::scriptlets::ScriptletError;

/// What a system call says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Errno {
    #[error("No such file or directory")]
    NoEntry,
    #[error("File exists")]
    Exists,
    #[error("Not a directory")]
    NotDirectory,
    #[error("Is a directory")]
    IsDirectory,
    #[error("Directory not empty")]
    NotEmpty,
    #[error("Too many levels of symbolic links")]
    Loop,
    #[error("Invalid argument")]
    Invalid,
    #[error("File name too long")]
    TooLong,
    #[error("Operation not permitted")]
    NotPermitted,
    #[error("Device or resource busy")]
    Busy,
}

/// What a system call says, or why the whole run ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FsError {
    #[error(transparent)]
    Errno(#[from] Errno),
    #[error(transparent)]
    Fatal(#[from] ScriptletError),
}
