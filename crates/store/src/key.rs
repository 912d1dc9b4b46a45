//! Which keys may become file names.

use crate::StoreError;

/// The longest key: file systems stop at 255 bytes, and a lock's file name is longer than its key.
const MAX_LENGTH: usize = 200;

/// Checks that `key` is one visible, portable path component.
pub(crate) fn check(key: &str) -> Result<(), StoreError> {
    let wrong = |reason| Err(StoreError::Key { key: key.to_owned(), reason });
    if key.is_empty() {
        return wrong("it is empty");
    }
    if key.len() > MAX_LENGTH {
        return wrong("it is longer than 200 bytes");
    }
    if key.starts_with('.') {
        return wrong("it starts with a dot, which is kept for temporary files and locks");
    }
    let portable = |b: u8| b.is_ascii_alphanumeric() || b"-_.+:=".contains(&b);
    if !key.bytes().all(portable) {
        return wrong("it has characters other than letters, digits and `-_.+:=`");
    }
    Ok(())
}
