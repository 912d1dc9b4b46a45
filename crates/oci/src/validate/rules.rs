//! What clients were seen to refuse, or to unpack differently, in a layer's tar.

use crate::{
    merged::WHITEOUT,
    unpack::{EntryType, LayerEntry, clean},
};
use std::collections::BTreeSet;

/// Findings of one rule beyond this many add nothing.
const MOST_FINDINGS: usize = 20;

/// A broken rule, with the path that breaks it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// podman and docker refuse a path that occurs twice in a layer.
    #[error("`{0}` occurs more than once in the layer")]
    Duplicate(String),
    /// Clients make up attributes for parents that are missing.
    #[error("`{0}` comes before its parent directory, or without it")]
    Parent(String),
    /// A path through a file or a link is unpacked differently by different clients.
    #[error("`{0}` lies below something that is no directory")]
    BelowFile(String),
    /// A hard link must lead to an earlier entry of the layer.
    #[error("`{path}` is a hard link to `{target}`, which is no earlier file of the layer")]
    HardLink {
        /// The link.
        path: String,
        /// Where it leads.
        target: String,
    },
    /// A hard link with content breaks clients.
    #[error("`{0}` is a link and has content")]
    LinkSize(String),
    /// A path outside of the root.
    #[error("`{0}` is not a relative path without `..`")]
    Outside(String),
    /// A type that no layer should have.
    #[error("`{path}` has the type `{kind}`")]
    Type {
        /// The path.
        path: String,
        /// The tar's type flag.
        kind: char,
    },
    /// A whiteout and a file of one name.
    #[error("`{0}` is both there and hidden in the layer")]
    Whiteout(String),
}

/// Checks the entries of one layer one after the other.
#[derive(Debug, Default)]
pub struct TarRules {
    seen: BTreeSet<Vec<u8>>,
    directories: BTreeSet<Vec<u8>>,
    files: BTreeSet<Vec<u8>>,
    broken: Vec<Rule>,
}

impl TarRules {
    /// The next entry.
    pub fn entry(&mut self, entry: &LayerEntry) {
        let shown = || String::from_utf8_lossy(&entry.raw_path).into_owned();
        let path = &entry.path;
        let mut broken = Vec::new();
        let climbs = path.split(|b| *b == b'/').any(|part| part == b"..");
        if entry.raw_path.first() == Some(&b'/') || climbs {
            broken.push(Rule::Outside(shown()));
        }
        if !self.seen.insert(path.clone()) {
            broken.push(Rule::Duplicate(shown()));
        }
        if !path.is_empty() {
            let parent = parent(path);
            if !self.directories.contains(parent) {
                broken.push(if self.seen.contains(parent) {
                    Rule::BelowFile(shown())
                } else {
                    Rule::Parent(shown())
                });
            }
        }
        match &entry.kind {
            EntryType::Directory => {
                self.directories.insert(path.clone());
            }
            EntryType::File => {
                self.files.insert(path.clone());
            }
            EntryType::HardLink { target } => {
                if !self.files.contains(target) {
                    broken.push(Rule::HardLink {
                        path: shown(),
                        target: String::from_utf8_lossy(target).into_owned(),
                    });
                }
                self.files.insert(path.clone());
            }
            EntryType::Other(kind) => {
                broken.push(Rule::Type { path: shown(), kind: char::from(*kind) });
            }
            EntryType::Symlink { .. } | EntryType::Device { .. } | EntryType::Fifo => {}
        }
        if !matches!(entry.kind, EntryType::File) && entry.size != 0 {
            broken.push(Rule::LinkSize(shown()));
        }
        for rule in broken {
            if self.broken.len() < MOST_FINDINGS {
                self.broken.push(rule);
            }
        }
    }

    /// What is broken, at most a handful.
    pub fn finish(mut self) -> Vec<Rule> {
        for path in &self.seen {
            let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
            let Some(hidden) = name.strip_prefix(WHITEOUT) else { continue };
            let target = clean(&[parent(path), hidden].join(&b'/'));
            if self.seen.contains(&target) && self.broken.len() < MOST_FINDINGS {
                self.broken.push(Rule::Whiteout(String::from_utf8_lossy(&target).into_owned()));
            }
        }
        self.broken
    }
}

fn parent(path: &[u8]) -> &[u8] {
    path.iter().rposition(|b| *b == b'/').map_or(b"".as_slice(), |slash| &path[..slash])
}
