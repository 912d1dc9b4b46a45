//! The file system that stacked layers make, whiteouts applied.
//! <https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts>

use crate::{
    layout::LayoutError,
    unpack::{EntryType, LayerEntry},
};
use std::{collections::BTreeMap, ops::Bound};

/// How a whiteout's name begins.
pub const WHITEOUT: &[u8] = b".wh.";
/// The name of the entry that hides all that lower layers have in a directory.
pub const OPAQUE: &[u8] = b".wh..wh..opq";

/// Symbolic links followed before a path counts as a loop, as Linux does.
const MOST_LINKS: usize = 40;

/// Where the content of a file lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Number of the layer, 0 the lowest.
    pub layer: usize,
    /// The path of the entry that carries it.
    pub path: Vec<u8>,
}

/// All paths that are visible, with the entry that makes each.
#[derive(Debug, Clone, Default)]
pub struct MergedView {
    entries: BTreeMap<Vec<u8>, (usize, LayerEntry)>,
    layers: usize,
}

impl MergedView {
    /// What is added from now on lies on top of everything so far.
    pub fn begin_layer(&mut self) {
        self.layers += 1;
    }

    /// One entry of the current layer. Types that make no file (a global pax header) are ignored.
    pub fn add(&mut self, entry: &LayerEntry) {
        if matches!(entry.kind, EntryType::Other(_)) {
            return;
        }
        let layer = self.layers.saturating_sub(1);
        let (parent, name) = split(&entry.path);
        if name == OPAQUE {
            self.hide_below(parent, layer);
        } else if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            let hidden = join(parent, hidden);
            self.hide_below(&hidden, layer);
            if self.entries.get(&hidden).is_some_and(|(from, _)| *from < layer) {
                self.entries.remove(&hidden);
            }
        } else {
            if entry.kind != EntryType::Directory {
                self.hide_below(&entry.path, layer + 1);
            }
            self.entries.insert(entry.path.clone(), (layer, entry.clone()));
        }
    }

    /// Removes what layers below `layer` have under a directory.
    fn hide_below(&mut self, directory: &[u8], layer: usize) {
        let doomed: Vec<Vec<u8>> = self
            .below(directory)
            .filter(|(_, (from, _))| *from < layer)
            .map(|(path, _)| path.clone())
            .collect();
        for path in doomed {
            self.entries.remove(&path);
        }
    }

    fn below<'a>(
        &'a self,
        directory: &[u8],
    ) -> impl Iterator<Item = (&'a Vec<u8>, &'a (usize, LayerEntry))> + use<'a> {
        let mut prefix = directory.to_vec();
        if !prefix.is_empty() {
            prefix.push(b'/');
        }
        let from = if prefix.is_empty() {
            Bound::Excluded(Vec::new())
        } else {
            Bound::Included(prefix.clone())
        };
        self.entries
            .range((from, Bound::Unbounded))
            .take_while(move |(path, _)| path.starts_with(&prefix))
    }

    /// The entry at a path, and the number of its layer.
    pub fn get(&self, path: &[u8]) -> Option<(usize, &LayerEntry)> {
        self.entries.get(path).map(|(layer, entry)| (*layer, entry))
    }

    /// Every visible path in byte order, with the number of its layer.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &LayerEntry)> {
        self.entries.values().map(|(layer, entry)| (*layer, entry))
    }

    /// The real path that a path leads to, all symbolic links followed, the last one too.
    pub fn resolve(&self, path: &[u8]) -> Result<Vec<u8>, LayoutError> {
        let shown = || String::from_utf8_lossy(path).into_owned();
        let mut todo: Vec<Vec<u8>> = components(path).map(<[u8]>::to_vec).rev().collect();
        let mut at = Vec::new();
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == b".." {
                at = split(&at).0.to_vec();
                continue;
            }
            let next = join(&at, &part);
            match self.entries.get(&next).map(|(_, entry)| &entry.kind) {
                Some(EntryType::Symlink { target }) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(LayoutError::Loop(shown()));
                    }
                    if target.first() == Some(&b'/') {
                        at = Vec::new();
                    }
                    todo.extend(components(target).map(<[u8]>::to_vec).rev());
                }
                Some(_) => at = next,
                None => return Err(LayoutError::NoSuchPath(shown())),
            }
        }
        Ok(at)
    }

    /// Where the content of a regular file lies, symbolic and hard links followed.
    pub fn find_file(&self, path: &[u8]) -> Result<Place, LayoutError> {
        let shown = || String::from_utf8_lossy(path).into_owned();
        let real = self.resolve(path)?;
        match self.entries.get(&real) {
            Some((layer, entry)) => match &entry.kind {
                EntryType::File => Ok(Place { layer: *layer, path: real }),
                // The target was an earlier entry of the same layer; whether an upper layer hides
                // its name by now does not matter.
                EntryType::HardLink { target } => Ok(Place { layer: *layer, path: target.clone() }),
                _ => Err(LayoutError::NotFile(shown())),
            },
            None => Err(LayoutError::NotFile(shown())),
        }
    }
}

fn components(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|b| *b == b'/').filter(|part| !matches!(*part, b"" | b"."))
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|b| *b == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.is_empty() { name.to_vec() } else { [directory, name].join(&b'/') }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn entry(path: &str, kind: EntryType) -> LayerEntry {
        LayerEntry {
            path: path.into(),
            raw_path: path.into(),
            kind,
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: 0,
            size: 0,
            xattrs: BTreeMap::new(),
        }
    }

    fn view(layers: &[&[(&str, EntryType)]]) -> MergedView {
        let mut view = MergedView::default();
        for layer in layers {
            view.begin_layer();
            for (path, kind) in *layer {
                view.add(&entry(path, kind.clone()));
            }
        }
        view
    }

    fn paths(view: &MergedView) -> Vec<String> {
        view.iter().map(|(_, e)| String::from_utf8_lossy(&e.path).into_owned()).collect()
    }

    #[test]
    fn whiteouts_hide_lower_layers_only() {
        use EntryType::{Directory, File};
        let merged = view(&[
            &[
                ("", Directory),
                ("a", Directory),
                ("a/x", File),
                ("a-b", File),
                ("b", Directory),
                ("b/y", File),
            ],
            &[
                ("", Directory),
                ("a", Directory),
                ("a/z", File),
                ("a/.wh..wh..opq", File),
                (".wh.b", File),
            ],
        ]);
        assert_eq!(paths(&merged), ["", "a", "a-b", "a/z"]);
    }

    #[test]
    fn a_file_takes_a_directory_s_place() {
        use EntryType::{Directory, File};
        let merged = view(&[&[("", Directory), ("a", Directory), ("a/x", File)], &[("a", File)]]);
        assert_eq!(paths(&merged), ["", "a"]);
    }

    #[test]
    fn links_are_followed_inside_the_root() {
        use EntryType::{Directory, File, Symlink};
        let to = |target: &str| Symlink { target: target.into() };
        let merged = view(&[&[
            ("", Directory),
            ("bin", to("usr/bin")),
            ("usr", Directory),
            ("usr/bin", Directory),
            ("usr/bin/sh", to("/../../bin/bash")),
            ("usr/bin/bash", File),
            ("loop", to("loop")),
        ]]);
        assert_eq!(merged.find_file(b"/bin/sh").unwrap().path, b"usr/bin/bash");
        assert!(matches!(merged.resolve(b"loop"), Err(LayoutError::Loop(_))));
        assert!(matches!(merged.resolve(b"nowhere/x"), Err(LayoutError::NoSuchPath(_))));
        assert!(matches!(merged.find_file(b"usr"), Err(LayoutError::NotFile(_))));
    }
}
