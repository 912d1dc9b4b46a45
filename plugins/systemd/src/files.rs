//! What the logic needs of the image: a tree to read, packages to choose from.

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link and its target.
    Link(String),
    /// A device or pipe.
    Other,
}

/// A package of the image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package {
    /// `nginx-common`
    pub name: String,
    /// Name of the source package, `nginx`.
    pub source: String,
    /// Whether the spec asked for it.
    pub requested: bool,
}

/// Why a file's content is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// There is no such file.
    Missing,
    /// It has more bytes than the host gives.
    TooLarge,
}

/// The image. Absolute paths; links are followed inside the image.
pub trait Files {
    /// What a path is, a link in the last component not followed; none for nothing.
    fn kind(&self, path: &str) -> Option<Kind>;
    /// The path without links; none when it leads nowhere.
    fn real_path(&self, path: &str) -> Option<String>;
    /// Names in a directory, in order; empty for what is no directory.
    fn names(&self, path: &str) -> Vec<String>;
    /// A file's content.
    fn read(&self, path: &str) -> Result<Vec<u8>, Unread>;
    /// The package that a path comes from, a link in the last component not followed.
    fn owner(&self, path: &str) -> Option<String>;
    /// All packages.
    fn packages(&self) -> Vec<Package>;
    /// rpm's name of the architecture.
    fn arch(&self) -> String;

    /// Whether links and all lead to something.
    fn exists(&self, path: &str) -> bool {
        self.real_path(path).is_some()
    }

    /// Whether a path leads to a directory.
    fn is_directory(&self, path: &str) -> bool {
        self.real_path(path).is_some_and(|path| self.kind(&path) == Some(Kind::Directory))
    }
}

/// The part of a path before the last `/`.
pub fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

/// The part of a path after the last `/`.
pub fn base(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, base)| base)
}

/// A path without double `/`, `.` components and a `/` at the end; none when it has `..` or is
/// not absolute.
pub fn simplify(path: &str) -> Option<String> {
    if !path.starts_with('/') {
        return None;
    }
    let mut out = String::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part => {
                out.push('/');
                out.push_str(part);
            }
        }
    }
    Some(if out.is_empty() { "/".to_owned() } else { out })
}

/// `target`, a link in `directory`, as an absolute path; `..` is taken by name.
pub fn join(directory: &str, target: &str) -> String {
    let joined =
        if target.starts_with('/') { target.to_owned() } else { format!("{directory}/{target}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// An image of a few files, for tests.
#[cfg(not(target_family = "wasm"))]
pub mod memory {
    use super::{Files, Kind, Package, Unread, join, parent};
    use std::collections::{BTreeMap, BTreeSet};

    /// The image.
    #[derive(Debug, Clone, Default)]
    pub struct Memory {
        entries: BTreeMap<String, (Entry, Option<String>)>,
        packages: Vec<Package>,
    }

    #[derive(Debug, Clone)]
    enum Entry {
        File(Vec<u8>),
        Large,
        Link(String),
        Directory,
    }

    impl Memory {
        /// An empty image with the directories and links of a merged `/usr`.
        pub fn new() -> Self {
            Self::default().link("/lib", "usr/lib")
        }

        /// Adds a file that no package owns.
        pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
            self.add(path, Entry::File(content.as_ref().to_vec()), None)
        }

        /// Adds a file of a package.
        pub fn packaged(self, package: &str, path: &str, content: impl AsRef<[u8]>) -> Self {
            self.add(path, Entry::File(content.as_ref().to_vec()), Some(package.to_owned()))
        }

        /// Adds a file with more bytes than the host gives.
        pub fn large(self, path: &str) -> Self {
            self.add(path, Entry::Large, None)
        }

        /// Adds a link.
        pub fn link(self, path: &str, target: &str) -> Self {
            self.add(path, Entry::Link(target.to_owned()), None)
        }

        /// Adds a directory.
        pub fn directory(self, path: &str) -> Self {
            self.add(path, Entry::Directory, None)
        }

        /// Adds a package.
        pub fn package(mut self, name: &str, source: &str, requested: bool) -> Self {
            self.packages.push(Package { name: name.into(), source: source.into(), requested });
            self
        }

        fn add(mut self, path: &str, entry: Entry, owner: Option<String>) -> Self {
            let mut above = parent(path);
            while above != "/" {
                self.entries.entry(above.to_owned()).or_insert((Entry::Directory, None));
                above = parent(above);
            }
            self.entries.insert(path.to_owned(), (entry, owner));
            self
        }

        fn resolve(&self, path: &str, follow: bool) -> Option<String> {
            let mut rest: Vec<String> =
                path.split('/').filter(|part| !part.is_empty()).rev().map(str::to_owned).collect();
            let mut at = String::new();
            let mut links = 0;
            while let Some(part) = rest.pop() {
                let next = format!("{at}/{part}");
                match &self.entries.get(&next)?.0 {
                    Entry::Link(target) if follow || !rest.is_empty() => {
                        links += 1;
                        if links > 40 {
                            return None;
                        }
                        let target = join(if at.is_empty() { "/" } else { &at }, target);
                        let parts = target.split('/').filter(|part| !part.is_empty());
                        rest.extend(parts.rev().map(str::to_owned));
                        at = String::new();
                    }
                    _ => at = next,
                }
            }
            Some(if at.is_empty() { "/".to_owned() } else { at })
        }
    }

    impl Files for Memory {
        fn kind(&self, path: &str) -> Option<Kind> {
            if path == "/" {
                return Some(Kind::Directory);
            }
            match &self.entries.get(&self.resolve(path, false)?)?.0 {
                Entry::File(_) | Entry::Large => Some(Kind::File),
                Entry::Link(target) => Some(Kind::Link(target.clone())),
                Entry::Directory => Some(Kind::Directory),
            }
        }

        fn real_path(&self, path: &str) -> Option<String> {
            self.resolve(path, true)
        }

        fn names(&self, path: &str) -> Vec<String> {
            let Some(path) = self.real_path(path) else { return Vec::new() };
            let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
            let below = self.entries.keys().filter_map(|key| key.strip_prefix(&prefix));
            let names: BTreeSet<_> = below.filter(|name| !name.contains('/')).collect();
            names.into_iter().map(str::to_owned).collect()
        }

        fn read(&self, path: &str) -> Result<Vec<u8>, Unread> {
            let path = self.real_path(path).ok_or(Unread::Missing)?;
            match self.entries.get(&path) {
                Some((Entry::File(content), _)) => Ok(content.clone()),
                Some((Entry::Large, _)) => Err(Unread::TooLarge),
                _ => Err(Unread::Missing),
            }
        }

        fn owner(&self, path: &str) -> Option<String> {
            self.entries.get(&self.resolve(path, false)?)?.1.clone()
        }

        fn packages(&self) -> Vec<Package> {
            self.packages.clone()
        }

        fn arch(&self) -> String {
            "x86_64".to_owned()
        }
    }
}
