//! What distinguishes two scans, in words.

use crate::scan::{Entry, EntryKind, Scan};
use std::collections::BTreeSet;
use std::fmt;

/// What may differ of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// It is there at all.
    Presence,
    /// Its type.
    Type,
    /// Permissions.
    Mode,
    /// Owner or group.
    Owner,
    /// Time of the last change.
    Mtime,
    /// Size or content of a regular file.
    Content,
    /// Target of a symbolic link.
    Target,
    /// Device numbers.
    Device,
    /// The set of hard links that it belongs to.
    Links,
    /// File capabilities.
    Capabilities,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Relative to the scanned directory.
    pub path: Vec<u8>,
    /// What differs.
    pub field: Field,
    /// Here.
    pub left: String,
    /// There.
    pub right: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, field, left, right } = self;
        write!(f, "{}: {field:?}: {left} ≠ {right}", path.escape_ascii())
    }
}

/// Every difference, in the order of the paths.
pub fn diff(left: &Scan, right: &Scan) -> Vec<Difference> {
    let paths: BTreeSet<_> = left.keys().chain(right.keys()).collect();
    let mut found = Vec::new();
    for path in paths {
        let mut add = |field, left: String, right: String| {
            if left != right {
                found.push(Difference { path: path.clone(), field, left, right });
            }
        };
        match (left.get(path), right.get(path)) {
            (Some(left), Some(right)) => compare(left, right, &mut add),
            (Some(left), None) => add(Field::Presence, left.kind.name().into(), "missing".into()),
            (None, Some(right)) => add(Field::Presence, "missing".into(), right.kind.name().into()),
            (None, None) => {}
        }
    }
    found
}

fn compare(left: &Entry, right: &Entry, add: &mut dyn FnMut(Field, String, String)) {
    use EntryKind::{BlockDevice, CharDevice, File, Symlink};
    add(Field::Type, left.kind.name().into(), right.kind.name().into());
    match (&left.kind, &right.kind) {
        (File { .. }, File { .. }) => {
            add(Field::Content, content(&left.kind), content(&right.kind));
        }
        (Symlink { target: left }, Symlink { target: right }) => {
            add(Field::Target, left.escape_ascii().to_string(), right.escape_ascii().to_string());
        }
        (CharDevice { device: left }, CharDevice { device: right })
        | (BlockDevice { device: left }, BlockDevice { device: right }) => {
            add(Field::Device, format!("{left:?}"), format!("{right:?}"));
        }
        _ => {}
    }
    // The mode of a symbolic link means nothing on Linux.
    if !matches!(left.kind, Symlink { .. }) {
        add(Field::Mode, format!("{:04o}", left.mode), format!("{:04o}", right.mode));
    }
    add(Field::Owner, owner(left), owner(right));
    add(Field::Mtime, left.mtime.to_string(), right.mtime.to_string());
    add(Field::Links, links(left), links(right));
    add(Field::Capabilities, capabilities(left), capabilities(right));
}

fn content(kind: &EntryKind) -> String {
    match kind {
        EntryKind::File { size, digest } => format!("{size} bytes, sha256 {digest}"),
        _ => String::new(),
    }
}

fn owner(entry: &Entry) -> String {
    format!("{}:{}", entry.uid, entry.gid)
}

fn links(entry: &Entry) -> String {
    let names: Vec<_> = entry.links.iter().map(|name| name.escape_ascii().to_string()).collect();
    names.join(" = ")
}

fn capabilities(entry: &Entry) -> String {
    entry.capabilities.as_ref().map_or_else(|| "none".into(), hex::encode)
}
