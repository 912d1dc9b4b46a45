//! From a header to a [`Package`].

use super::{FileEntry, Package, Scriptlet};
use crate::{
    Capability, ChecksumAlgorithm, Dependency, Evr, FileCapabilities, Header, Nevra, Requirement,
    Tag, dependency::Sense,
};

mod files;
mod scriptlets;

/// Why a header does not describe a package that can be installed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// It is a source package.
    #[error("`{package}` is a source package")]
    Source {
        /// Its name.
        package: String,
    },
    /// It is a delta package.
    #[error("`{package}` is a delta package")]
    Delta {
        /// Its name.
        package: String,
    },
    /// A tag that every package has is missing.
    #[error("`{package}` has no {tag}")]
    Missing {
        /// Its name.
        package: String,
        /// The tag, by rpm's name.
        tag: &'static str,
    },
    /// A tag's value makes no sense.
    #[error("`{package}`: {tag} is bad: {reason}")]
    Bad {
        /// Its name.
        package: String,
        /// The tag, by rpm's name.
        tag: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A file has an impossible path.
    #[error("`{package}` has a file `{path}`: {reason}")]
    Path {
        /// Its name.
        package: String,
        /// The path, made printable.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl PackageError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Source { .. } => "name the binary package that is built from it",
                Self::Delta { .. } => "use the full package instead",
                _ => "the package is damaged or was made by a broken tool",
            }
            .to_owned(),
        )
    }
}

/// Gives errors the package's name.
struct Reader<'a> {
    header: &'a Header,
    name: String,
}

impl Reader<'_> {
    fn missing(&self, tag: &'static str) -> PackageError {
        PackageError::Missing { package: self.name.clone(), tag }
    }

    fn bad(&self, tag: &'static str, reason: impl Into<String>) -> PackageError {
        PackageError::Bad { package: self.name.clone(), tag, reason: reason.into() }
    }

    /// A string that every package has; it becomes part of names, so it is checked.
    fn name_part(&self, tag: Tag, name: &'static str) -> Result<String, PackageError> {
        let bytes = self.header.string(tag).ok_or_else(|| self.missing(name))?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.bad(name, "it is not UTF-8"))?;
        if text.is_empty() {
            return Err(self.bad(name, "it is empty"));
        }
        if text.bytes().any(|b| b == b'/' || b.is_ascii_whitespace() || b.is_ascii_control()) {
            return Err(self.bad(name, format!("`{}` has a slash or space", text.escape_debug())));
        }
        Ok(text.to_owned())
    }

    fn text(&self, tag: Tag) -> String {
        self.header.text(tag).unwrap_or_default().into_owned()
    }

    /// The dependencies of one kind with their flags.
    fn dependencies(
        &self,
        label: &'static str,
        [name, version, flags]: [Tag; 3],
    ) -> Result<Vec<(Dependency, u32)>, PackageError> {
        let Some(names) = self.header.strings(name) else { return Ok(Vec::new()) };
        let count = names.len();
        let mut versions = self.header.strings(version);
        let mut flags = self.header.ints(flags);
        let fits = |have: Option<usize>| have.is_none_or(|have| have == count);
        if !fits(versions.as_ref().map(|v| v.len())) || !fits(flags.as_ref().map(|f| f.len())) {
            return Err(self.bad(label, "names, versions and flags differ in number"));
        }
        let mut all = Vec::with_capacity(count);
        for name in names {
            let version = versions.as_mut().and_then(Iterator::next).unwrap_or_default();
            let flags = flags.as_mut().and_then(Iterator::next).unwrap_or_default() as u32;
            let name = String::from_utf8_lossy(name);
            let version = String::from_utf8_lossy(version);
            let dependency = dependency(&name, &version, flags).map_err(|reason| {
                self.bad(label, format!("`{}`: {reason}", name.escape_debug()))
            })?;
            all.push((dependency, flags));
        }
        Ok(all)
    }

    fn plain(&self, label: &'static str, tags: [Tag; 3]) -> Result<Vec<Dependency>, PackageError> {
        Ok(self.dependencies(label, tags)?.into_iter().map(|(dependency, _)| dependency).collect())
    }
}

fn dependency(name: &str, version: &str, flags: u32) -> Result<Dependency, String> {
    if name.starts_with('(') {
        return name.parse().map_err(|error: crate::ParseDependencyError| error.reason);
    }
    if name.is_empty() {
        return Err("the name is empty".to_owned());
    }
    // rpm lets a dependency without a version match any, whatever its flags say
    let version = match Sense(flags).comparison() {
        Some(comparison) if !version.is_empty() => match version.parse::<Evr>() {
            Ok(evr) => Some((comparison, evr)),
            Err(never) => match never {},
        },
        _ => None,
    };
    Ok(Dependency::Simple(Capability { name: name.to_owned(), version }))
}

impl Package {
    /// Reads everything that composing needs. Source and delta packages are refused.
    pub fn from_header(header: &Header) -> Result<Self, PackageError> {
        let reader = Reader { header, name: header.display_name() };
        if header.is_delta() {
            return Err(PackageError::Delta { package: reader.name });
        }
        if header.is_source() {
            return Err(PackageError::Source { package: reader.name });
        }
        let nevra = Nevra {
            name: reader.name_part(Tag::NAME, "NAME")?,
            evr: Evr {
                epoch: header.u32(Tag::EPOCH).unwrap_or(0),
                version: reader.name_part(Tag::VERSION, "VERSION")?,
                release: reader.name_part(Tag::RELEASE, "RELEASE")?,
            },
            arch: reader.name_part(Tag::ARCH, "ARCH")?,
        };
        let digest_algorithm = match header.u32(Tag::FILEDIGESTALGO) {
            None => ChecksumAlgorithm::Md5,
            Some(number) => ChecksumAlgorithm::from_rpm(number).ok_or_else(|| {
                reader.bad("FILEDIGESTALGO", format!("algorithm {number} is not supported"))
            })?,
        };
        let requires = reader
            .dependencies(
                "REQUIRENAME",
                [Tag::REQUIRENAME, Tag::REQUIREVERSION, Tag::REQUIREFLAGS],
            )?
            .into_iter()
            .map(|(dependency, flags)| Requirement { dependency, pre: Sense(flags).is_pre() })
            .collect();
        let source_rpm = match reader.text(Tag::SOURCERPM) {
            // what some builders write for "none"
            none if none == "(none)" => String::new(),
            name => name,
        };
        let package = Self {
            source_rpm,
            build_time: header.u64(Tag::BUILDTIME).unwrap_or(0),
            installed_size: header
                .u64(Tag::LONGSIZE)
                .or_else(|| header.u64(Tag::SIZE))
                .unwrap_or(0),
            vendor: reader.text(Tag::VENDOR),
            digest_algorithm,
            files: reader.files(digest_algorithm)?,
            provides: reader
                .plain("PROVIDENAME", [Tag::PROVIDENAME, Tag::PROVIDEVERSION, Tag::PROVIDEFLAGS])?,
            requires,
            conflicts: reader.plain(
                "CONFLICTNAME",
                [Tag::CONFLICTNAME, Tag::CONFLICTVERSION, Tag::CONFLICTFLAGS],
            )?,
            obsoletes: reader.plain(
                "OBSOLETENAME",
                [Tag::OBSOLETENAME, Tag::OBSOLETEVERSION, Tag::OBSOLETEFLAGS],
            )?,
            recommends: reader.plain(
                "RECOMMENDNAME",
                [Tag::RECOMMENDNAME, Tag::RECOMMENDVERSION, Tag::RECOMMENDFLAGS],
            )?,
            suggests: reader
                .plain("SUGGESTNAME", [Tag::SUGGESTNAME, Tag::SUGGESTVERSION, Tag::SUGGESTFLAGS])?,
            supplements: reader.plain(
                "SUPPLEMENTNAME",
                [Tag::SUPPLEMENTNAME, Tag::SUPPLEMENTVERSION, Tag::SUPPLEMENTFLAGS],
            )?,
            enhances: reader
                .plain("ENHANCENAME", [Tag::ENHANCENAME, Tag::ENHANCEVERSION, Tag::ENHANCEFLAGS])?,
            scriptlets: reader.scriptlets()?,
            nevra,
        };
        reader.check_hard_links(&package)?;
        Ok(package)
    }
}

/// Whether a path is absolute and names one place only.
pub(crate) fn check_path(path: &[u8]) -> Result<(), &'static str> {
    let Some(inner) = path.strip_prefix(b"/") else {
        return Err("it is relative");
    };
    if path.len() > 4096 {
        return Err("it is longer than 4096 bytes");
    }
    if inner.is_empty() {
        // the package `filesystem` owns the root
        return Ok(());
    }
    for part in inner.split(|byte| *byte == b'/') {
        match part {
            b"" => return Err("it has an empty component"),
            b"." | b".." => return Err("it has a `.` or `..` component"),
            part if part.contains(&0) => return Err("it has a NUL"),
            _ => {}
        }
    }
    Ok(())
}

/// Capabilities of a file, where the text is not empty.
fn capabilities(text: &[u8]) -> Result<Option<FileCapabilities>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(text).map_err(|_| "the capabilities are not UTF-8")?;
    text.parse().map(Some).map_err(|error: crate::ParseCapabilitiesError| error.to_string())
}

/// Numbers of one tag for every file, or the default when the tag is absent.
fn or_default<T: Default>(iterator: &mut Option<impl Iterator<Item = T>>) -> T {
    iterator.as_mut().and_then(Iterator::next).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::check_path;

    #[test]
    fn paths() {
        for good in ["/", "/etc/passwd", "/a..b/...", "/usr/share/a b"] {
            assert_eq!(check_path(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in ["", "etc", "./etc", "/etc/", "//etc", "/etc//x", "/../x", "/a/..", "/./a"] {
            assert!(check_path(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(check_path(b"/a\0b").is_err());
    }
}
