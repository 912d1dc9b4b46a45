//! `/etc/ld.so.conf` and what it includes: the list of configured directories.

use super::{
    CONF, Sources,
    glob::{self, is_pattern},
    scan::{Listing, resolve},
    text_of,
};
use crate::{Kind, Tree, TreePath};

/// Files read in all, and depth of inclusion. The program has no limit and dies of a file that
/// includes itself.
const MOST_FILES: usize = 4096;
const DEEPEST: usize = 16;
/// Bytes read in all, and names compared with patterns: a file that includes itself twice would be
/// read thousands of times.
const MOST_BYTES: usize = 1 << 20;
const MOST_NAMES: usize = 1 << 20;

/// A line that names a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Configured {
    /// As written; without white space and slashes at its end.
    pub path: Vec<u8>,
    /// Whether it ends in `=libc6`: what cannot be told is taken for a library of glibc.
    pub libc6: bool,
}

/// The configured directories in order, whether they exist or not.
pub(super) fn directories(
    tree: &Tree,
    listing: &Listing<'_>,
    sources: &dyn Sources,
) -> Vec<Configured> {
    let mut reader =
        ConfReader { tree, listing, sources, files: 0, bytes: 0, names: 0, found: Vec::new() };
    reader.read(CONF.as_bytes(), 0);
    reader.found
}

struct ConfReader<'a> {
    tree: &'a Tree,
    listing: &'a Listing<'a>,
    sources: &'a dyn Sources,
    files: usize,
    bytes: usize,
    names: usize,
    found: Vec<Configured>,
}

impl ConfReader<'_> {
    fn read(&mut self, path: &[u8], depth: usize) {
        if self.files >= MOST_FILES || depth >= DEEPEST {
            return;
        }
        self.files += 1;
        let (tree, sources) = (self.tree, self.sources);
        let Some(node) = resolve(tree, path).and_then(|at| tree.get(&at)) else {
            return;
        };
        let Kind::File { content, .. } = &node.kind else {
            return;
        };
        let text = text_of(sources, content).unwrap_or_default();
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > MOST_BYTES {
            return;
        }
        for line in text.split(|b| *b == b'\n') {
            let end = line.iter().position(|b| matches!(b, b'#' | 0));
            let line = line.get(..end.unwrap_or(line.len())).unwrap_or_default();
            self.line(trim_start(line), path, depth);
        }
    }

    fn line(&mut self, line: &[u8], file: &[u8], depth: usize) {
        let directive = |word: &str| {
            let (start, rest) = line.split_at_checked(word.len())?;
            let named = start.eq_ignore_ascii_case(word.as_bytes());
            let blank = matches!(rest.first(), Some(b' ' | b'\t'));
            (named && blank).then_some(rest)
        };
        if let Some(patterns) = directive("include").filter(|_| line.starts_with(b"include")) {
            let words = patterns.split(|b| matches!(b, b' ' | b'\t'));
            for pattern in words.filter(|word| !word.is_empty()) {
                for path in self.matches(pattern, file) {
                    self.read(&path, depth + 1);
                }
            }
        } else if directive("hwcap").is_none() {
            self.found.extend(parse_directory(line));
        }
    }

    /// The existing files that a pattern names, sorted; a relative one starts at the directory of
    /// the file it stands in.
    fn matches(&mut self, pattern: &[u8], file: &[u8]) -> Vec<Vec<u8>> {
        let pattern = match (pattern.first(), file.iter().rposition(|b| *b == b'/')) {
            (Some(b'/'), _) | (_, None) => pattern.to_vec(),
            (_, Some(slash)) => [file.get(..slash).unwrap_or_default(), b"/", pattern].concat(),
        };
        let mut found = vec![(Vec::new(), TreePath::root())];
        for part in pattern.split(|b| *b == b'/').filter(|part| !part.is_empty()) {
            if is_pattern(part) {
                let names = found.iter().map(|(_, at)| self.listing.names(at).len());
                self.names = self.names.saturating_add(names.sum());
            }
            self.names = self.names.saturating_add(found.len());
            if self.names > MOST_NAMES {
                return Vec::new();
            }
            let next = found.iter().flat_map(|(text, at)| self.step(text, at, part));
            found = next.take(MOST_FILES).collect();
        }
        let mut paths: Vec<Vec<u8>> = found.into_iter().map(|(text, _)| text).collect();
        paths.sort();
        paths
    }

    fn step(&self, text: &[u8], at: &TreePath, part: &[u8]) -> Vec<(Vec<u8>, TreePath)> {
        let names = match is_pattern(part) {
            true => {
                let names = self.listing.names(at).iter();
                names.copied().filter(|name| glob::matches(part, name)).collect()
            }
            false => vec![part],
        };
        let enter = |name: &[u8]| {
            let text = [text, b"/", name].concat();
            resolve(self.tree, &text).map(|at| (text, at))
        };
        names.into_iter().filter_map(enter).collect()
    }
}

/// A directory line, with an optional `=TYPE`.
fn parse_directory(line: &[u8]) -> Option<Configured> {
    let (path, kind) = match line.iter().position(|b| *b == b'=') {
        Some(at) => (line.get(..at)?, line.get(at + 1..)?),
        None => (line, [].as_slice()),
    };
    let end = path.iter().rposition(|b| !is_space(*b))? + 1;
    let end = path.get(..end)?.iter().rposition(|b| *b != b'/')? + 1;
    Some(Configured {
        path: path.get(..end)?.to_vec(),
        libc6: matches!(kind, b"libc6" | b"glibc2"),
    })
}

fn trim_start(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|b| !is_space(*b)).unwrap_or(line.len());
    line.get(start..).unwrap_or_default()
}

/// `isspace` of the C locale, which takes the vertical tab too.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}
