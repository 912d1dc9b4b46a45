//! Small packages and repositories, made on the spot.

use crate::tool::run;
use std::path::{Path, PathBuf};
use std::process::Command;
use strata_rpm::pack::{PackFile, PackFileKind, PackManifest, build};

/// A package from a `package.json` and regular files, executable below a `bin` directory.
///
/// # Panics
/// When it cannot be made.
pub fn pack(manifest: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let manifest = PackManifest::from_json(manifest)
        .unwrap_or_else(|error| panic!("the manifest is not valid: {error}"));
    let files = files.iter().map(|(path, content)| PackFile {
        path: path.as_bytes().to_vec(),
        kind: PackFileKind::Regular {
            content: content.as_bytes().to_vec(),
            executable: path.contains("bin/"),
        },
    });
    build(&manifest, files.collect())
        .unwrap_or_else(|error| panic!("cannot make the package: {error}"))
}

/// A directory of packages.
#[derive(Debug, Clone)]
pub struct Repository {
    directory: PathBuf,
}

impl Repository {
    /// An empty one.
    ///
    /// # Panics
    /// When the directory cannot be made.
    pub fn new(directory: &Path) -> Self {
        std::fs::create_dir_all(directory)
            .unwrap_or_else(|error| panic!("cannot make `{}`: {error}", directory.display()));
        Self { directory: directory.to_path_buf() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Adds `FILE.rpm`.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn add(&self, file: &str, package: &[u8]) -> &Self {
        let path = self.directory.join(format!("{file}.rpm"));
        std::fs::write(&path, package)
            .unwrap_or_else(|error| panic!("cannot write `{}`: {error}", path.display()));
        self
    }

    /// Has `createrepo_c` write the metadata.
    ///
    /// # Panics
    /// When that fails.
    pub fn index(&self) -> &Self {
        let mut command = Command::new("createrepo_c");
        command.args(["--quiet", "--no-database", "--revision", "1"]);
        run(command.arg("--set-timestamp-to-revision").arg(&self.directory));
        self
    }
}

/// The binary packages that rpmbuild makes of a spec, at a fixed time and place.
///
/// # Panics
/// When rpmbuild fails.
pub fn rpmbuild(spec: &str, scratch: &Path) -> Vec<PathBuf> {
    let out = scratch.join("rpms");
    let file = scratch.join("fixture.spec");
    std::fs::create_dir_all(&out)
        .and_then(|()| std::fs::write(&file, spec))
        .unwrap_or_else(|error| panic!("cannot write `{}`: {error}", file.display()));
    let mut command = Command::new("rpmbuild");
    command.args(["-bb", "--quiet", "--nodeps"]);
    for (name, value) in [
        ("_topdir", scratch.display().to_string()),
        ("_rpmdir", out.display().to_string()),
        ("_rpmfilename", "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm".to_owned()),
        ("_buildhost", "testkit.invalid".to_owned()),
        ("use_source_date_epoch_as_buildtime", "1".to_owned()),
        ("debug_package", "%{nil}".to_owned()),
        ("__os_install_post", "%{nil}".to_owned()),
    ] {
        command.arg("-D").arg(format!("{name} {value}"));
    }
    run(command.arg(&file).envs([("SOURCE_DATE_EPOCH", "1000000000"), ("LC_ALL", "C.UTF-8")]));
    let listing = std::fs::read_dir(&out)
        .unwrap_or_else(|error| panic!("cannot list `{}`: {error}", out.display()));
    let mut packages: Vec<_> = listing.flatten().map(|item| item.path()).collect();
    packages.sort();
    packages
}
