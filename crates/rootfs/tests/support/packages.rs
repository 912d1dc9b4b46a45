//! One real package, by rpm and by us.

use crate::rpm;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use strata_rootfs::{Content, Kind, MergeTask, Merged, Owners, PackageIndex, Tree, Warning, merge};
use strata_rpm::{FileEntry, Package, RpmFile, payload};

/// One package file.
pub struct Case {
    pub name: String,
    pub path: PathBuf,
}

/// How it is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Every file; all owners are known.
    Whole,
    /// Without documentation, with two languages; nobody but root is known.
    Filtered,
}

/// What came of it.
pub struct Outcome {
    pub name: String,
    pub mode: Mode,
    /// Or why we refuse it.
    pub ours: Result<(), String>,
    /// Or what rpm says.
    pub theirs: Result<(), String>,
    /// Whether rpm's database has the package that we refuse.
    pub recorded: bool,
    /// In words; empty when the trees are the same.
    pub differences: Vec<String>,
    /// How many paths were compared.
    pub paths: usize,
}

/// `%_install_langs`.
const LANGS: [&str; 2] = ["de", "en"];
/// rpm hangs on some packages.
const PATIENCE: Duration = Duration::from_secs(60);

/// Installs one package twice and compares; none where the mode makes no difference.
pub fn compare(case: &Case, mode: Mode) -> Option<Outcome> {
    let bytes = fs::read(&case.path).unwrap();
    let ours = ours(&bytes, mode);
    let filtered = |ours: &Ours| ours.package.files.iter().any(filterable);
    if mode == Mode::Filtered && !ours.as_ref().is_ok_and(filtered) {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    let seeded = match &ours {
        Ok(ours) => seed(&root, ours, mode),
        Err(_) => false,
    };
    let theirs = install(&root, &case.path, mode);
    let mut outcome = Outcome {
        name: case.name.clone(),
        mode,
        ours: ours.as_ref().map(|_| ()).map_err(Clone::clone),
        theirs: theirs.as_ref().map(|_| ()).map_err(Clone::clone),
        recorded: theirs.is_ok() && ours.is_err() && !query(&root, "%{NAME}").is_empty(),
        differences: Vec::new(),
        paths: 0,
    };
    if let (Ok(ours), Ok(stderr)) = (ours, theirs) {
        outcome.paths = ours.merged.tree.len();
        outcome.differences = ours.differences(&root, seeded, &stderr);
    }
    Some(outcome)
}

/// Whether [`Mode::Filtered`] treats the file in another way.
fn filterable(file: &FileEntry) -> bool {
    let root = file.user == "root" && file.group == "root";
    file.flags & FileEntry::DOC != 0 || !file.lang.is_empty() || !root
}

/// Our side.
struct Ours {
    package: Package,
    owners: Owners,
    merged: Merged,
    /// SHA-256 of each content in the payload, by file index.
    contents: BTreeMap<u32, String>,
}

/// Reads, verifies, merges, unpacks.
fn ours(bytes: &[u8], mode: Mode) -> Result<Ours, String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let rpm = RpmFile::parse(bytes).map_err(|error| text(&error))?;
    rpm.verify().map_err(|error| text(&error))?;
    let package = rpm.package().map_err(|error| text(&error))?;
    let owners = match mode {
        Mode::Whole => numbered(&package),
        Mode::Filtered => Owners::default(),
    };
    let langs = LANGS.map(str::to_owned);
    let merged = merge(&MergeTask {
        packages: &[&package],
        docs: mode == Mode::Whole,
        filters: &[],
        langs: (mode == Mode::Filtered).then_some(&langs[..]),
        owners: &owners,
        color: 2,
    })
    .map_err(|error| text(&error))?;
    let mut contents = BTreeMap::new();
    payload::read(&rpm, &package, &mut |file, _, content| {
        let mut hasher = Sha256::new();
        let mut buffer = [0; 1 << 16];
        loop {
            match content.read(&mut buffer)? {
                0 => break,
                length => hasher.update(&buffer[..length]),
            }
        }
        contents.insert(file, hex::encode(hasher.finalize()));
        Ok(())
    })
    .map_err(|error| text(&error))?;
    Ok(Ours { package, owners, merged, contents })
}

/// A number for everybody whom a package names.
fn numbered(package: &Package) -> Owners {
    let mut owners = Owners::default();
    for file in &package.files {
        for (names, name) in [(&mut owners.users, &file.user), (&mut owners.groups, &file.group)] {
            if name != "root" {
                let number = 1000 + names.len() as u32;
                names.entry(name.clone()).or_insert(number);
            }
        }
    }
    owners
}

const SEED: [&str; 2] = ["etc/passwd", "etc/group"];

/// Makes the owners known to rpm, unless the package has the files where they would be.
fn seed(root: &Path, ours: &Ours, mode: Mode) -> bool {
    let has = |path: &str| ours.package.files.iter().any(|file| file.path == path.as_bytes());
    if mode == Mode::Filtered || has("/etc/passwd") || has("/etc/group") {
        return false;
    }
    let lines = |all: &BTreeMap<String, u32>, rest: &str| -> String {
        all.iter().map(|(name, number)| format!("{name}:x:{number}:{rest}\n")).collect()
    };
    fs::create_dir(root.join("etc")).unwrap();
    let users = lines(&ours.owners.users, "0::/:/bin/false");
    fs::write(root.join(SEED[0]), format!("root:x:0:0::/:/bin/sh\n{users}")).unwrap();
    let groups = lines(&ours.owners.groups, "");
    fs::write(root.join(SEED[1]), format!("root:x:0:\n{groups}")).unwrap();
    true
}

/// What rpm prints, or says when it fails.
fn install(root: &Path, package: &Path, mode: Mode) -> Result<String, String> {
    let mut command = Command::new("rpm");
    command.arg("--root").arg(root).args(["--dbpath", rpm::DBPATH, "-i", "--nodeps"]);
    command.args(["--noscripts", "--nosignature", "--ignorearch", "--ignoreos"]);
    if mode == Mode::Filtered {
        command.arg("--excludedocs");
        command.arg(format!("--define=_install_langs {}", LANGS.join(":")));
    }
    let log = root.with_extension("log");
    let mut child = command
        .arg(package)
        .env("LC_ALL", "C")
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    let mut pipes = Vec::new();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begin.elapsed() > Duration::from_millis(500) {
            hold_pipes(root, &mut pipes);
        }
        if begin.elapsed() > PATIENCE {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let text = String::from_utf8_lossy(&fs::read(log).unwrap()).into_owned();
    if status.success() { Ok(text) } else { Err(text) }
}

/// rpm 4.18.0 opens what it has made to set owner and mode, and a named pipe opens only when there
/// is somebody at the other end.
fn hold_pipes(directory: &Path, held: &mut Vec<fs::File>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            hold_pipes(&entry.path(), held);
        } else if kind.is_fifo() {
            let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
            let mut options = fs::OpenOptions::new();
            held.extend(options.read(true).write(true).custom_flags(flags).open(entry.path()));
        }
    }
}

/// `FILESTATES` of the only package.
fn file_states(root: &Path) -> Vec<u8> {
    let text = query(root, "[%{FILESTATES} ]");
    let words = text.split_ascii_whitespace().filter(|word| *word != "(none)");
    words.map(|word| word.parse().unwrap()).collect()
}

fn query(root: &Path, format: &str) -> String {
    let mut command = Command::new("rpm");
    command.arg("--root").arg(root).args(["--dbpath", rpm::DBPATH, "-qa", "--nosignature"]);
    let output = command.args(["--qf", format]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

impl Ours {
    fn differences(&self, root: &Path, seeded: bool, stderr: &str) -> Vec<String> {
        let mut theirs = rpm::disk(root);
        let ours = rpm::lines(&self.merged.tree);
        if ours.is_empty() {
            theirs.remove("/");
        }
        if seeded {
            for path in ["/etc/group", "/etc/passwd", "/etc", "/"] {
                if !ours.contains_key(path) {
                    theirs.remove(path);
                }
            }
        }
        let mut found: Vec<String> = ours
            .keys()
            .chain(theirs.keys())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .filter(|path| ours.get(*path) != theirs.get(*path))
            .map(|path| {
                format!("{path}\n  ours {:?}\n  rpm  {:?}", ours.get(path), theirs.get(path))
            })
            .collect();
        self.compare_contents(root, &self.merged.tree, &mut found);
        let states = self.merged.file_states(PackageIndex(0));
        let theirs = file_states(root);
        if states != theirs {
            found.push(format!("file states\n  ours {states:?}\n  rpm  {theirs:?}"));
        }
        self.compare_warnings(stderr, &mut found);
        found
    }

    /// The bytes on disk are those of the payload.
    fn compare_contents(&self, root: &Path, tree: &Tree, found: &mut Vec<String>) {
        // The content of a set may come with any of its members.
        let mut carried = self.contents.clone();
        for set in self.package.hard_links() {
            if let Some(digest) = set.iter().find_map(|member| self.contents.get(member)) {
                carried.extend(set.iter().map(|member| (*member, digest.clone())));
            }
        }
        for (path, node) in tree.iter() {
            let Kind::File { content, size, .. } = &node.kind else { continue };
            let ours = match content {
                Content::Package { file, .. } if *size > 0 => carried.get(file).cloned(),
                Content::Package { .. } => Some(hex::encode(Sha256::digest([]))),
                Content::Inline(_) => None,
            };
            let at = root.join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(
                path.as_bytes(),
            ));
            let theirs = fs::read(at).map(|bytes| hex::encode(Sha256::digest(bytes))).ok();
            if ours != theirs {
                found.push(format!("content of {path}\n  ours {ours:?}\n  rpm  {theirs:?}"));
            }
        }
    }

    fn compare_warnings(&self, stderr: &str, found: &mut Vec<String>) {
        let warned: BTreeSet<String> = stderr
            .lines()
            .filter_map(|line| line.strip_prefix("warning: "))
            .filter_map(|line| line.split_once(" does not exist").map(|(who, _)| who.to_owned()))
            .collect();
        let ours: BTreeSet<String> = self
            .merged
            .warnings
            .iter()
            .map(|warning| match warning {
                Warning::UnknownUser { user, .. } => format!("user {user}"),
                Warning::UnknownGroup { group, .. } => format!("group {group}"),
            })
            .collect();
        // rpm also warns about files that it does not install.
        if !ours.is_subset(&warned) {
            found.push(format!("warnings\n  ours {ours:?}\n  rpm  {warned:?}"));
        }
    }
}
