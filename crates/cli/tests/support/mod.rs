//! What the tests of the binary share: a place to work in, small packages, and the state of files.

#![allow(dead_code, reason = "no test file needs all of it")]
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Command,
};
use strata_testkit::{Ran, Repository, output, pack};

/// The binary.
pub const STRATA: &str = env!("CARGO_BIN_EXE_strata");

/// A directory with a spec, a repository of packages and a cache: `compose.json`, `repo/`,
/// `cache/`, `out/`.
pub struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    /// Without packages and without a spec.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("strata-cli").tempdir().unwrap();
        fs::create_dir(dir.path().join("repo")).unwrap();
        Self { dir }
    }

    /// With a spec.
    pub fn with_spec(spec: &str) -> Self {
        let bench = Self::new();
        bench.write("compose.json", spec);
        bench
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A path in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// Where images are put.
    pub fn out(&self) -> PathBuf {
        self.path("out")
    }

    /// The repository, a plain directory of packages.
    pub fn repo(&self) -> Repository {
        Repository::new(&self.path("repo"))
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Adds a package with this version and these files to the repository, in the place of others
    /// of its name; `more` are further keys of its manifest, as `"requires": ["x"], `.
    pub fn package(&self, name: &str, version: &str, more: &str, files: &[(&str, &str)]) {
        self.repo().add(name, &package(name, version, more, files));
    }

    /// Adds `filesystem`, with os-release and without anything else.
    pub fn filesystem(&self) {
        self.package("filesystem", "1", "", &[("/etc/os-release", OS_RELEASE)]);
    }

    /// The binary in the directory, with a cache and a home of its own.
    pub fn command(&self) -> Command {
        let mut command = Command::new(STRATA);
        self.place(&mut command);
        command
    }

    /// Sets directory and environment of a command that runs the binary.
    pub fn place(&self, command: &mut Command) {
        command.current_dir(self.dir()).env("HOME", self.path("home"));
        command.env("XDG_CACHE_HOME", self.path("cache"));
        for name in ["SOURCE_DATE_EPOCH", "RUST_LOG", "RAYON_NUM_THREADS", "http_proxy"] {
            command.env_remove(name);
        }
    }

    /// Runs the binary, whatever it ends with.
    #[track_caller]
    pub fn strata(&self, arguments: &[&str]) -> Ran {
        output(self.command().args(arguments))
    }

    /// Runs the binary, which has to end with 0; its standard output.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.strata(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    /// `build compose.json -o oci:out` and more arguments, as JSON.
    #[track_caller]
    pub fn build(&self, more: &[&str]) -> Value {
        let fixed = ["build", "compose.json", "-o", "oci:out", "--format", "json"];
        serde_json::from_str(&self.ok(&[&fixed, more].concat())).unwrap()
    }

    /// The lock's text.
    pub fn lock(&self) -> String {
        fs::read_to_string(self.path("strata.lock")).unwrap()
    }

    /// `validate` finds nothing in `out/`.
    #[track_caller]
    pub fn assert_valid(&self) {
        self.ok(&["validate", "oci:out"]);
    }
}

/// What a distribution's packages would say of it.
pub const OS_RELEASE: &str = "ID=fedora\nVERSION_ID=42\n";

/// A package; `more` are further keys of its manifest, each with a comma after it.
pub fn package(name: &str, version: &str, more: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let time = 1_700_000_000;
    pack(
        &format!(r#"{{"name": "{name}", "version": "{version}", {more} "build_time": {time}}}"#),
        files,
    )
}

/// A file as it is on the disk: whoever writes it anew changes this, even with the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDisk {
    pub inode: u64,
    pub mtime: (i64, i64),
    pub mode: u32,
    pub content: Vec<u8>,
}

/// Every file and directory below a path, itself included; empty when there is nothing.
pub fn on_disk(path: &Path) -> BTreeMap<PathBuf, OnDisk> {
    let mut found = BTreeMap::new();
    let mut todo = vec![path.to_owned()];
    while let Some(path) = todo.pop() {
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let mut content = Vec::new();
        if metadata.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if metadata.is_file() {
            content = fs::read(&path).unwrap();
        }
        let mtime = (metadata.mtime(), metadata.mtime_nsec());
        let (inode, mode) = (metadata.ino(), metadata.mode());
        found.insert(path, OnDisk { inode, mtime, mode, content });
    }
    found
}

/// The content of every file below a path, by relative path.
pub fn contents(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let relative = |found: PathBuf| found.strip_prefix(path).unwrap().to_owned();
    let files = on_disk(path).into_iter().filter(|(_, file)| file.mode & 0o170_000 == 0o100_000);
    files.map(|(found, file)| (relative(found), file.content)).collect()
}

/// The digests of an image's layers in a layout, the lowest first.
pub fn layers(layout: &Path, image: &str) -> Vec<String> {
    let manifest = manifest(layout, image);
    let layers = manifest["layers"].as_array().unwrap();
    layers.iter().map(|layer| layer["digest"].as_str().unwrap().to_owned()).collect()
}

/// The manifest (or nested index) that `index.json` lists under a name.
#[track_caller]
pub fn manifest(layout: &Path, image: &str) -> Value {
    let index = json(&layout.join("index.json"));
    let entries = index["manifests"].as_array().unwrap();
    let entry = entries
        .iter()
        .find(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] == image);
    blob(layout, entry.unwrap()["digest"].as_str().unwrap())
}

/// A JSON blob.
pub fn blob(layout: &Path, digest: &str) -> Value {
    json(&layout.join("blobs").join(digest.replace(':', "/")))
}

/// A JSON file.
#[track_caller]
pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}
