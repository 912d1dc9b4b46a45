//! The files of a package.

use super::{FileEntry, Package, PackageError, Reader, capabilities, check_path, or_default};
use crate::{ChecksumAlgorithm, Tag, header::Ints};

impl Reader<'_> {
    pub(super) fn files(
        &self,
        algorithm: ChecksumAlgorithm,
    ) -> Result<Vec<FileEntry>, PackageError> {
        let paths = self.paths()?;
        let header = self.header;
        let count = paths.len();
        let strings = |tag, label| {
            let strings = header.strings(tag);
            match &strings {
                Some(found) if found.len() != count => Err(self.count(label, found.len(), count)),
                _ => Ok(strings),
            }
        };
        let mut sizes = match self.numbers(Tag::LONGFILESIZES, "LONGFILESIZES", count)? {
            None => self.numbers(Tag::FILESIZES, "FILESIZES", count)?,
            long => long,
        };
        let mut modes = self.numbers(Tag::FILEMODES, "FILEMODES", count)?;
        if count > 0 && modes.is_none() {
            return Err(self.missing("FILEMODES"));
        }
        if count > 0 && sizes.is_none() {
            return Err(self.missing("FILESIZES"));
        }
        let mut times = self.numbers(Tag::FILEMTIMES, "FILEMTIMES", count)?;
        let mut flags = self.numbers(Tag::FILEFLAGS, "FILEFLAGS", count)?;
        let mut rdevs = self.numbers(Tag::FILERDEVS, "FILERDEVS", count)?;
        let mut inodes = self.numbers(Tag::FILEINODES, "FILEINODES", count)?;
        let mut devices = self.numbers(Tag::FILEDEVICES, "FILEDEVICES", count)?;
        let mut colors = self.numbers(Tag::FILECOLORS, "FILECOLORS", count)?;
        let mut users = strings(Tag::FILEUSERNAME, "FILEUSERNAME")?;
        let mut groups = strings(Tag::FILEGROUPNAME, "FILEGROUPNAME")?;
        let mut digests = strings(Tag::FILEDIGESTS, "FILEDIGESTS")?;
        let mut links = strings(Tag::FILELINKTOS, "FILELINKTOS")?;
        let mut langs = strings(Tag::FILELANGS, "FILELANGS")?;
        let mut caps = strings(Tag::FILECAPS, "FILECAPS")?;

        let mut files = Vec::with_capacity(count);
        for path in paths {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let owner = |bytes: &[u8]| match bytes {
                b"" => "root".to_owned(),
                name => text(name),
            };
            let at = |label, reason: &str| {
                self.bad(label, format!("`{}`: {reason}", String::from_utf8_lossy(&path)))
            };
            let digest = or_default(&mut digests);
            let digest = hex::decode(digest).map_err(|_| at("FILEDIGESTS", "not hexadecimal"))?;
            let capabilities =
                capabilities(or_default(&mut caps)).map_err(|reason| at("FILECAPS", &reason))?;
            let file = FileEntry {
                mode: or_default(&mut modes) as u16,
                size: or_default(&mut sizes),
                mtime: or_default(&mut times) as u32,
                user: owner(or_default(&mut users)),
                group: owner(or_default(&mut groups)),
                flags: or_default(&mut flags) as u32,
                digest,
                link_target: or_default(&mut links).to_vec(),
                rdev: or_default(&mut rdevs) as u16,
                inode: or_default(&mut inodes) as u32,
                device: or_default(&mut devices) as u32,
                lang: text(or_default(&mut langs)),
                color: or_default(&mut colors) as u32,
                capabilities,
                path: Vec::new(),
            };
            if !matches!(file.mode >> 12, 0o1 | 0o2 | 0o4 | 0o6 | 0o10 | 0o12 | 0o14) {
                return Err(at("FILEMODES", &format!("{:o} has no file type", file.mode)));
            }
            if file.is_symlink() && file.link_target.is_empty() && !file.is_ghost() {
                return Err(at("FILELINKTOS", "a symbolic link without a target"));
            }
            if file.is_regular() && !file.digest.is_empty() && file.digest.len() != algorithm.len()
            {
                return Err(at("FILEDIGESTS", &format!("not a digest of {}", algorithm.name())));
            }
            files.push(FileEntry { path, ..file });
        }
        Ok(files)
    }

    /// Links to one file cannot differ in what the file is.
    pub(super) fn check_hard_links(&self, package: &Package) -> Result<(), PackageError> {
        for set in package.hard_links() {
            let mut members = set.iter().filter_map(|index| package.files.get(*index as usize));
            let Some(first) = members.next() else { continue };
            if let Some(other) =
                members.find(|other| (other.size, &other.digest) != (first.size, &first.digest))
            {
                let show = |file: &FileEntry| String::from_utf8_lossy(&file.path).into_owned();
                return Err(self.bad(
                    "FILEINODES",
                    format!("`{}` and `{}` are one file and differ", show(first), show(other)),
                ));
            }
        }
        Ok(())
    }

    fn count(&self, label: &'static str, have: usize, want: usize) -> PackageError {
        self.bad(label, format!("{have} entries for {want} files"))
    }

    fn numbers(
        &self,
        tag: Tag,
        label: &'static str,
        count: usize,
    ) -> Result<Option<Ints<'_>>, PackageError> {
        match self.header.ints(tag) {
            Some(found) if found.len() != count => Err(self.count(label, found.len(), count)),
            found => Ok(found),
        }
    }

    fn paths(&self) -> Result<Vec<Vec<u8>>, PackageError> {
        let header = self.header;
        let mut paths = Vec::new();
        if let Some(names) = header.strings(Tag::BASENAMES) {
            let dirs: Vec<&[u8]> =
                header.strings(Tag::DIRNAMES).ok_or_else(|| self.missing("DIRNAMES"))?.collect();
            let indexes = header.ints(Tag::DIRINDEXES).ok_or_else(|| self.missing("DIRINDEXES"))?;
            if indexes.len() != names.len() {
                return Err(self.count("DIRINDEXES", indexes.len(), names.len()));
            }
            // long directories times many files could multiply what the header holds
            let mut budget = header.region().len().saturating_mul(64).max(1 << 24);
            paths.reserve(names.len());
            for (name, index) in names.zip(indexes) {
                let dir = usize::try_from(index).ok().and_then(|index| dirs.get(index));
                let dir = dir.ok_or_else(|| {
                    self.bad("DIRINDEXES", format!("{index} of {} directories", dirs.len()))
                })?;
                let path = [*dir, name].concat();
                budget = budget
                    .checked_sub(path.len())
                    .ok_or_else(|| self.bad("DIRNAMES", "the paths are out of proportion"))?;
                paths.push(path);
            }
        } else if let Some(names) = header.strings(Tag::OLDFILENAMES) {
            paths.extend(names.map(<[u8]>::to_vec));
        }
        for path in &paths {
            check_path(path).map_err(|reason| PackageError::Path {
                package: self.name.clone(),
                path: String::from_utf8_lossy(path).escape_debug().to_string(),
                reason,
            })?;
        }
        Ok(paths)
    }
}
