//! What file descriptors point to: buffers of the interpreter or files of the tree.

use super::{ScriptletError, fs::Fs, limits::Budget};
use crate::TreePath;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// An open file description.
#[derive(Debug, Clone)]
pub(super) enum Stream {
    /// `/dev/null`
    Null,
    /// Bytes to be read, shared by all who read them.
    Input(Rc<RefCell<Cursor>>),
    /// Bytes collected.
    Buffer(Rc<RefCell<Vec<u8>>>),
    /// A file of the tree, opened for writing.
    File(Rc<RefCell<OpenFile>>),
}

/// A position in bytes.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    pub bytes: Vec<u8>,
    pub at: usize,
}

/// A file opened for writing.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub path: TreePath,
    pub at: usize,
    pub append: bool,
}

/// The table of file descriptors.
#[derive(Debug, Clone)]
pub(super) struct Streams(pub BTreeMap<i32, Stream>);

impl Stream {
    pub(super) fn input(bytes: Vec<u8>) -> Self {
        Self::Input(Rc::new(RefCell::new(Cursor { bytes, at: 0 })))
    }

    pub(super) fn buffer() -> (Self, Rc<RefCell<Vec<u8>>>) {
        let buffer = Rc::new(RefCell::new(Vec::new()));
        (Self::Buffer(Rc::clone(&buffer)), buffer)
    }
}

impl Streams {
    /// Writes; false when the descriptor is closed or cannot be written to.
    pub(super) fn write(
        &self,
        fs: &mut Fs<'_>,
        budget: &mut Budget,
        fd: i32,
        bytes: &[u8],
    ) -> Result<bool, ScriptletError> {
        match self.0.get(&fd) {
            Some(Stream::Null) => {}
            Some(Stream::Buffer(buffer)) => {
                budget.bytes(bytes.len())?;
                buffer.borrow_mut().extend_from_slice(bytes);
            }
            Some(Stream::File(file)) => {
                let mut file = file.borrow_mut();
                let size = fs.size(&file.path);
                budget.bytes(size + bytes.len())?;
                let at = if file.append { size } else { file.at };
                fs.write_at(&file.path, at, bytes)?;
                file.at = at + bytes.len();
            }
            Some(Stream::Input(_)) | None => return Ok(false),
        }
        Ok(true)
    }

    /// All that is left of the input.
    pub(super) fn read_all(&self, fd: i32) -> Option<Vec<u8>> {
        match self.0.get(&fd) {
            Some(Stream::Null) => Some(Vec::new()),
            Some(Stream::Input(cursor)) => {
                let mut cursor = cursor.borrow_mut();
                let rest = cursor.bytes.get(cursor.at..).unwrap_or_default().to_vec();
                cursor.at = cursor.bytes.len();
                Some(rest)
            }
            _ => None,
        }
    }

    /// The next line without its end, and whether it had one. None at the end of the input.
    pub(super) fn read_line(&self, fd: i32) -> Option<(Vec<u8>, bool)> {
        let Some(Stream::Input(cursor)) = self.0.get(&fd) else { return None };
        let mut cursor = cursor.borrow_mut();
        let rest = cursor.bytes.get(cursor.at..).unwrap_or_default();
        if rest.is_empty() {
            return None;
        }
        let end = rest.iter().position(|b| *b == b'\n');
        let line = rest[..end.unwrap_or(rest.len())].to_vec();
        cursor.at += line.len() + usize::from(end.is_some());
        Some((line, end.is_some()))
    }
}
