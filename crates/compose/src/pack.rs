//! `strata pack`: a directory with a manifest and a tree → a binary package.
//!
//! Only what survives a checkout counts: names, contents, link targets and whether a file is
//! executable. Owners, other permissions and times come from the manifest.

use std::{
    fs, io,
    os::unix::{ffi::OsStrExt, ffi::OsStringExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};
use strata_rpm::{
    Checksum, ChecksumAlgorithm, Nevra, RpmFile,
    pack::{PackFile, PackFileKind, PackManifest, build},
};
use strata_store::{StoreError, write_atomic};

/// The manifest's name.
const MANIFEST: &str = "package.json";
/// The tree's name.
const ROOT: &str = "root";

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PackReport {
    /// The package's full name.
    #[serde(serialize_with = "as_text")]
    pub nevra: Nevra,
    /// Its file.
    pub path: PathBuf,
    /// Bytes of the file.
    pub size: u64,
    /// Checksum of the file.
    #[serde(serialize_with = "as_text")]
    pub checksum: Checksum,
    /// Number of packaged files.
    pub files: usize,
}

fn as_text<T: ToString, S: serde::Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&value.to_string())
}

/// Why no package was made. What stood at the output's path stands there still.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Something of the directory cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The tree has something other than files, directories and symbolic links.
    #[error("`{}` is neither a file nor a directory nor a symbolic link", path.display())]
    Kind {
        /// Where.
        path: PathBuf,
    },
    /// The manifest does not describe a package of this tree.
    #[error("{}{}{source}", path.display(), separator(source))]
    Package {
        /// The manifest's file.
        path: PathBuf,
        /// What is wrong.
        source: strata_rpm::pack::PackError,
    },
    /// The package that was made cannot be read back.
    #[error("the package made of `{}` is not sound: {reason}", path.display())]
    Unsound {
        /// The directory.
        path: PathBuf,
        /// What the reader says.
        reason: String,
    },
    /// The package cannot be written.
    #[error(transparent)]
    Write(#[from] StoreError),
}

/// A place in the manifest follows its name at once.
fn separator(source: &strata_rpm::pack::PackError) -> &'static str {
    match source {
        strata_rpm::pack::PackError::Manifest { .. } => ":",
        _ => ": ",
    }
}

impl PackError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read { path, source } => {
                let manifest = path.file_name().is_some_and(|name| name == MANIFEST);
                (manifest && source.kind() == io::ErrorKind::NotFound).then(|| {
                    format!("a directory to pack has a `{MANIFEST}` and a tree in `{ROOT}/`")
                })
            }
            Self::Kind { .. } => Some("device nodes, sockets and pipes cannot be packed".into()),
            Self::Package { source, .. } => source.hint(),
            Self::Unsound { .. } => Some("this is a fault of strata; please report it".into()),
            Self::Write(error) => error.hint(),
        }
    }
}

/// Packs `dir/root` by `dir/package.json` into the file `out`. The same directory gives the same
/// bytes, whatever umask, owner and file times its checkout has.
pub fn pack(dir: &Path, out: &Path) -> Result<PackReport, PackError> {
    let path = dir.join(MANIFEST);
    let text = fs::read_to_string(&path)
        .map_err(|source| PackError::Read { path: path.clone(), source })?;
    let wrong = |source| PackError::Package { path: path.clone(), source };
    let manifest = PackManifest::from_json(&text).map_err(wrong)?;
    let mut files = Vec::new();
    let root = dir.join(ROOT);
    match fs::symlink_metadata(&root) {
        Ok(_) => collect(&root, b"", &mut files)?,
        // a package without files only has dependencies
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(PackError::Read { path: root, source }),
    }
    let bytes = build(&manifest, files).map_err(wrong)?;

    let unsound = |reason: String| PackError::Unsound { path: dir.to_owned(), reason };
    let rpm = RpmFile::parse(&bytes).map_err(|error| unsound(error.to_string()))?;
    rpm.verify().map_err(|error| unsound(error.to_string()))?;
    let package = rpm.package().map_err(|error| unsound(error.to_string()))?;
    let checksum = Checksum::new(ChecksumAlgorithm::Sha256, &sha256(&bytes))
        .map_err(|error| unsound(error.to_string()))?;
    write_atomic(out, &bytes)?;
    Ok(PackReport {
        files: package.files.len(),
        nevra: package.nevra,
        path: out.to_owned(),
        size: bytes.len() as u64,
        checksum,
    })
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    hex::encode(Sha256::digest(bytes))
}

/// Everything below `directory`, whose path in the installed system is `inside`.
fn collect(directory: &Path, inside: &[u8], files: &mut Vec<PackFile>) -> Result<(), PackError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| PackError::Read { path, source }
    };
    for entry in fs::read_dir(directory).map_err(failed(directory))? {
        let entry = entry.map_err(failed(directory))?;
        let place = entry.path();
        let path = [inside, b"/", entry.file_name().as_bytes()].concat();
        let metadata = fs::symlink_metadata(&place).map_err(failed(&place))?;
        let kind = if metadata.is_dir() {
            collect(&place, &path, files)?;
            PackFileKind::Directory
        } else if metadata.is_symlink() {
            let target = fs::read_link(&place).map_err(failed(&place))?;
            PackFileKind::Symlink { target: target.into_os_string().into_vec() }
        } else if metadata.is_file() {
            let content = fs::read(&place).map_err(failed(&place))?;
            // the owner's bit is the one that version control keeps
            let executable = metadata.permissions().mode() & 0o100 != 0;
            PackFileKind::Regular { content, executable }
        } else {
            return Err(PackError::Kind { path: place });
        };
        files.push(PackFile { path, kind });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use std::{os::unix::fs::symlink, time::SystemTime};

    fn tree(dir: &Path, mode: u32, executable: u32) {
        let bin = dir.join("root/usr/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir_all(dir.join("root/opt/app/empty")).unwrap();
        fs::write(bin.join("app"), "#!/bin/sh\n").unwrap();
        fs::write(dir.join("root/opt/app/data"), "data").unwrap();
        symlink("app", bin.join("alias")).unwrap();
        let set = |path: PathBuf, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        set(bin.join("app"), executable);
        set(dir.join("root/opt/app/data"), mode);
        set(dir.join("root/opt/app"), executable);
        let manifest = r#"{"name": "app", "version": "1", "build_time": 5,
            "files": {"/opt/app/data": {"mode": "0600"}}}"#;
        fs::write(dir.join(MANIFEST), manifest).unwrap();
    }

    #[test]
    fn umask_and_times_do_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| dir.path().join(name));
        tree(&a, 0o644, 0o755);
        tree(&b, 0o600, 0o700);
        let app = fs::File::open(b.join("root/usr/bin/app")).unwrap();
        app.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let report = pack(&a, &dir.path().join("a.rpm")).unwrap();
        pack(&b, &dir.path().join("b.rpm")).unwrap();
        let bytes = fs::read(dir.path().join("a.rpm")).unwrap();
        assert!(bytes == fs::read(dir.path().join("b.rpm")).unwrap());
        assert_eq!(report.nevra.to_string(), "app-1-1.noarch");
        assert_eq!((report.size, report.files), (bytes.len() as u64, 5));

        let package = RpmFile::parse(&bytes).unwrap().package().unwrap();
        let listing: Vec<_> = package
            .files
            .iter()
            .map(|f| format!("{} {:o}", String::from_utf8_lossy(&f.path), f.mode))
            .collect();
        assert_eq!(
            listing,
            [
                "/opt/app 40755",
                "/opt/app/data 100600",
                "/opt/app/empty 40755",
                "/usr/bin/alias 120777",
                "/usr/bin/app 100755",
            ]
        );
    }

    #[test]
    fn failures_leave_the_output_alone() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out.rpm");
        fs::write(&out, "before").unwrap();
        let error = pack(dir.path(), &out).unwrap_err();
        assert!(error.hint().unwrap().contains("package.json"), "{error}");

        fs::write(dir.path().join(MANIFEST), "{\"name\": \"a\",\n\"verson\": \"1\"}").unwrap();
        let error = pack(dir.path(), &out).unwrap_err();
        assert!(error.to_string().contains("package.json:2:8: `verson`: unknown field"), "{error}");
        assert!(error.hint().is_some());

        let manifest = r#"{"name": "a", "version": "1", "files": {"/etc/x": {"mode": "0600"}}}"#;
        fs::write(dir.path().join(MANIFEST), manifest).unwrap();
        let error = pack(dir.path(), &out).unwrap_err();
        assert!(error.to_string().ends_with("`files./etc/x`: it matches no file"), "{error}");
        assert!(error.hint().unwrap().contains("absolute paths"));
        assert_eq!(fs::read(&out).unwrap(), b"before");

        let manifest = r#"{"name": "a", "version": "1"}"#;
        fs::write(dir.path().join(MANIFEST), manifest).unwrap();
        assert_eq!(pack(dir.path(), &out).unwrap().files, 0);
        let nowhere = dir.path().join("none/out.rpm");
        assert!(matches!(pack(dir.path(), &nowhere), Err(PackError::Write(_)) | Ok(_)));
    }

    #[test]
    fn sockets_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("root")).unwrap();
        fs::write(dir.path().join(MANIFEST), r#"{"name": "a", "version": "1"}"#).unwrap();
        let socket = dir.path().join("root/socket");
        let _listener = std::os::unix::net::UnixListener::bind(socket).unwrap();
        let error = pack(dir.path(), &dir.path().join("out.rpm")).unwrap_err();
        assert!(matches!(error, PackError::Kind { .. }), "{error}");
    }
}
