//! A package's file list in a few lines.

use crate::image::nevra;
use strata_rpm::FileEntry;

/// A package as a filter sees it.
#[derive(Debug, Clone)]
pub struct Package {
    header: strata_rpm::Package,
}

/// A package without files, named as in [`crate::Image::package`].
///
/// # Panics
/// When the name has `.` and `-` and still is no full name.
pub fn package(name: &str) -> Package {
    Package { header: strata_rpm::Package::new(nevra(name, "x86_64")) }
}

impl Package {
    /// A regular file of that many bytes, mode 0644.
    pub fn file(self, path: &str, size: u64) -> Self {
        self.put(path, 0o100_644, size, 0)
    }

    /// A regular file that is `%doc`.
    pub fn doc(self, path: &str, size: u64) -> Self {
        self.put(path, 0o100_644, size, FileEntry::DOC)
    }

    /// A regular file that is `%license`.
    pub fn license(self, path: &str, size: u64) -> Self {
        self.put(path, 0o100_644, size, FileEntry::LICENSE)
    }

    /// A regular file that is `%config`.
    pub fn config(self, path: &str, size: u64) -> Self {
        self.put(path, 0o100_644, size, FileEntry::CONFIG)
    }

    /// A directory, mode 0755.
    pub fn dir(self, path: &str) -> Self {
        self.put(path, 0o040_755, 0, 0)
    }

    /// A symbolic link.
    pub fn symlink(mut self, path: &str, target: &str) -> Self {
        self = self.put(path, 0o120_777, target.len() as u64, 0);
        if let Some(file) = self.header.files.last_mut() {
            file.link_target = target.as_bytes().to_vec();
        }
        self
    }

    /// The languages (`%lang`) of the file before: `de`, or several as `de|de_AT`.
    pub fn lang(mut self, lang: &str) -> Self {
        if let Some(file) = self.header.files.last_mut() {
            lang.clone_into(&mut file.lang);
        }
        self
    }

    /// Other permission bits for the path before.
    pub fn mode(mut self, mode: u16) -> Self {
        if let Some(file) = self.header.files.last_mut() {
            file.mode = file.mode & 0o170_000 | mode & 0o7777;
        }
        self
    }

    pub(crate) fn header(&self) -> &strata_rpm::Package {
        &self.header
    }

    pub(crate) fn path(&self, at: u32) -> String {
        match self.header.files.get(at as usize) {
            Some(file) => String::from_utf8_lossy(&file.path).into_owned(),
            None => format!("no file {at}"),
        }
    }

    /// # Panics
    /// When the path is not absolute.
    fn put(mut self, path: &str, mode: u16, size: u64, flags: u32) -> Self {
        assert!(path.starts_with('/'), "`{path}` is not absolute");
        self.header.files.push(FileEntry {
            path: path.as_bytes().to_vec(),
            mode,
            size,
            mtime: 0,
            user: "root".to_owned(),
            group: "root".to_owned(),
            flags,
            digest: Vec::new(),
            link_target: Vec::new(),
            rdev: 0,
            inode: self.header.files.len() as u32 + 1,
            device: 1,
            lang: String::new(),
            color: 0,
            capabilities: None,
        });
        self
    }
}
