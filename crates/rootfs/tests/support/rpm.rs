//! The real rpm as oracle: builds packages, installs them into a directory, and says what is there.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
    process::{Command, Output},
};
use strata_rootfs::{Kind, Tree};
use strata_rpm::{Package, RpmFile};
use tempfile::TempDir;

/// Outside every place that packages use.
pub const DBPATH: &str = "/.rpmdb";

/// Whether the oracle can run: as root (for owners), with `rpm` and `rpmbuild` at hand.
/// `STRATA_REQUIRE_CORPUS=1` makes it an error when it cannot.
#[allow(clippy::print_stderr, reason = "a note for who runs the tests")]
pub fn available() -> bool {
    let runs = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let root = fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0);
    let fine = root && runs("rpm") && runs("rpmbuild");
    if !fine {
        let required = std::env::var("STRATA_REQUIRE_CORPUS").is_ok_and(|value| value == "1");
        assert!(!required, "`rpm` and `rpmbuild` are needed, and root to install packages");
        eprintln!("skipped: needs root, `rpm` and `rpmbuild`");
    }
    fine
}

/// A place to build and install in.
pub struct Lab {
    pub dir: TempDir,
}

impl Lab {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// Builds one package. `install` is a shell script that fills `$R`; all of it gets the time
    /// `mtime`. `files` is the `%files` section.
    pub fn build(&self, name: &str, mtime: u32, install: &str, files: &str) -> PathBuf {
        let dir = self.dir.path();
        let spec = dir.join(format!("{name}.spec"));
        let text = format!(
            "Name: {name}\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\nAutoReqProv: no\n\
             %global __os_install_post %{{nil}}\n%global debug_package %{{nil}}\n\
             %description\nx\n%install\nexport R=%{{buildroot}}\nmkdir -p $R\n{install}\n\
             find $R -depth -exec touch -h -d @{mtime} {{}} +\n%files\n{files}\n"
        );
        fs::write(&spec, text).unwrap();
        let define = |key: &str, value: &str| format!("{key} {value}");
        let top = dir.display().to_string();
        let output = Command::new("rpmbuild")
            .args(["-bb", "--quiet", "--define", &define("_topdir", &format!("{top}/top"))])
            .args(["--define", &define("_rpmdir", &top)])
            .args(["--define", &define("_rpmfilename", "%{NAME}.rpm")])
            .args(["--define", &define("_unpackaged_files_terminate_build", "0")])
            .arg(&spec)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        dir.join(format!("{name}.rpm"))
    }

    /// Installs in this order into a fresh directory.
    pub fn install(&self, root: &str, rpms: &[PathBuf], options: &[&str]) -> (PathBuf, Output) {
        let root = self.dir.path().join(root);
        fs::create_dir(&root).unwrap();
        let output = Command::new("rpm")
            .arg("--root")
            .arg(&root)
            .args(["--dbpath", DBPATH, "-i", "--nodeps", "--noscripts", "--noorder"])
            .args(["--nosignature", "--ignorearch"])
            .args(options)
            .args(rpms)
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        (root, output)
    }
}

pub fn packages(rpms: &[PathBuf]) -> Vec<Package> {
    rpms.iter()
        .map(|path| {
            let bytes = fs::read(path).unwrap();
            RpmFile::parse(&bytes).unwrap().package().unwrap()
        })
        .collect()
}

/// `FILESTATES` as rpm wrote them.
pub fn file_states(root: &Path, package: &Package) -> Vec<u8> {
    let nevra = &package.nevra;
    let evr = &nevra.evr;
    let name = format!("{}-{}-{}.{}", nevra.name, evr.version, evr.release, nevra.arch);
    let output = Command::new("rpm")
        .arg("--root")
        .arg(root)
        .args(["--dbpath", DBPATH, "-q", "--qf", "[%{FILESTATES} ]", &name])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let word = |word: &str| match word {
        "(none)" => None,
        word => Some(word.parse().unwrap()),
    };
    text.split_ascii_whitespace().filter_map(word).collect()
}

/// Our tree in the words of [`disk`].
pub fn lines(tree: &Tree) -> BTreeMap<String, String> {
    let mut first = BTreeMap::new();
    tree.iter()
        .map(|(path, node)| {
            let name = format!("/{}", path.as_bytes().escape_ascii());
            let (mode, mtime) = (node.mode, node.mtime);
            let owner = format!("{} {}", node.uid, node.gid);
            let line = match &node.kind {
                Kind::Directory => format!("d {mode:04o} {owner}"),
                Kind::Symlink { target } => {
                    format!("l {mode:04o} {owner} {mtime} -> {}", target.escape_ascii())
                }
                Kind::Fifo => format!("p {mode:04o} {owner} {mtime}"),
                Kind::Device { block, major, minor } => {
                    let letter = if *block { 'b' } else { 'c' };
                    format!("{letter} {mode:04o} {owner} {mtime} {major}:{minor}")
                }
                Kind::File { size, capabilities, links, .. } => {
                    let capabilities = capabilities
                        .map(|caps| format!(" caps={}", hex::encode(caps.to_xattr())))
                        .unwrap_or_default();
                    let same = links
                        .map(|set| {
                            let first = first.entry(set).or_insert_with(|| name.clone());
                            format!(" same={first}")
                        })
                        .unwrap_or_default();
                    format!("f {mode:04o} {owner} {mtime} {size}{capabilities}{same}")
                }
            };
            (name, line)
        })
        .collect()
}

/// What is on disk: a line by path, in the words of `lines`.
pub fn disk(root: &Path) -> BTreeMap<String, String> {
    let mut found = Vec::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(path) = todo.pop() {
        if path == root.join(DBPATH.trim_start_matches('/')) {
            continue;
        }
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let inside = path.strip_prefix(root).unwrap().as_os_str().as_encoded_bytes();
        found.push((format!("/{}", inside.escape_ascii()), path.clone(), meta));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let mut first = BTreeMap::new();
    let line = |(name, path, meta): (String, PathBuf, fs::Metadata)| {
        let kind = meta.file_type();
        let mode = meta.mode() & 0o7777;
        let owner = format!("{} {}", meta.uid(), meta.gid());
        let mtime = meta.mtime();
        let line = if kind.is_dir() {
            format!("d {mode:04o} {owner}")
        } else if kind.is_symlink() {
            let target = fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes();
            format!("l {mode:04o} {owner} {mtime} -> {}", target.escape_ascii())
        } else if kind.is_fifo() {
            format!("p {mode:04o} {owner} {mtime}")
        } else if kind.is_block_device() || kind.is_char_device() {
            let letter = if kind.is_block_device() { 'b' } else { 'c' };
            let (major, minor) = (meta.rdev() >> 8 & 0xfff, meta.rdev() & 0xff);
            format!("{letter} {mode:04o} {owner} {mtime} {major}:{minor}")
        } else {
            let same = if meta.nlink() > 1 {
                let first = first.entry(meta.ino()).or_insert_with(|| name.clone());
                format!(" same={first}")
            } else {
                String::new()
            };
            let capabilities = capabilities(&path);
            format!("f {mode:04o} {owner} {mtime} {}{capabilities}{same}", meta.len())
        };
        (name, line)
    };
    found.into_iter().map(line).collect()
}

fn capabilities(path: &Path) -> String {
    let mut value = [0; 64];
    match rustix::fs::lgetxattr(path, "security.capability", &mut value[..]) {
        Ok(len) => format!(" caps={}", hex::encode(&value[..len])),
        Err(_) => String::new(),
    }
}
