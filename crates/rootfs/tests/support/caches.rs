//! A directory as a tree, a program on both, and what each left.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};
use strata_rootfs::{
    Kind, Node, Origin, Owners, PackageIndex, Tree, TreePath,
    scriptlets::{Contents, Limits, ScriptletError, ScriptletTask, run},
};
use strata_rpm::ScriptletKind;

pub struct Nothing;

impl Contents for Nothing {
    fn read(&self, _: PackageIndex, _: u32) -> Option<Arc<[u8]>> {
        None
    }
}

/// What is at a path: mode and bytes, or a link's target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    Directory,
    Link(Vec<u8>),
    File(u16, Vec<u8>),
}

pub type Entries = BTreeMap<String, Left>;

/// Everything below a directory.
pub fn entries(root: &Path) -> Entries {
    let mut all = Entries::new();
    let mut todo: Vec<PathBuf> = vec![root.to_path_buf()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let Some(name) = path.strip_prefix(root).unwrap().to_str().map(str::to_owned) else {
                continue;
            };
            let meta = fs::symlink_metadata(&path).unwrap();
            let left = if meta.is_dir() {
                todo.push(path);
                Left::Directory
            } else if meta.is_symlink() {
                Left::Link(fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes())
            } else {
                let mode = (meta.permissions().mode() & 0o7777) as u16;
                Left::File(mode, fs::read(&path).unwrap())
            };
            all.insert(name, left);
        }
    }
    all
}

/// The tree of these entries, with programs.
pub fn tree(entries: &Entries, programs: &[&str]) -> Tree {
    let mut tree = Tree::default();
    for (path, left) in entries {
        let node = match left {
            Left::Directory => Node::implied_directory(),
            Left::Link(target) => Node {
                kind: Kind::Symlink { target: target.clone() },
                origin: Origin::Generated,
                ..Node::implied_directory()
            },
            Left::File(mode, bytes) => Node::generated(bytes.clone(), *mode, 1_000),
        };
        tree.insert(TreePath::new(path).unwrap(), node);
    }
    for program in programs {
        let path = TreePath::new(format!("usr/bin/{program}")).unwrap();
        tree.insert(path, Node::generated(*b"", 0o755, 0));
    }
    tree
}

/// What our command leaves; beside it its status and output.
pub fn ours(tree: &Tree, words: &[&str]) -> Result<(Entries, i32, String), ScriptletError> {
    let program = [format!("/usr/bin/{}", words[0])];
    let arguments: Vec<String> = words[1..].iter().map(|word| (*word).to_owned()).collect();
    let owners = Owners::default();
    let task = ScriptletTask {
        tree,
        installed: None,
        contents: &Nothing,
        owners: &owners,
        kind: ScriptletKind::Post,
        program: &program,
        body: "",
        arguments: &arguments,
        stdin: b"",
        mtime: 1_000,
        limits: Limits::default(),
    };
    let effects = run(&task)?;
    let mut after = tree.clone();
    effects.apply(&mut after);
    let mut left = Entries::new();
    for (path, node) in after.iter() {
        let name = String::from_utf8(path.as_bytes().to_vec()).unwrap();
        if name == "usr/bin" || name == format!("usr/bin/{}", words[0]) || path.is_root() {
            continue;
        }
        let entry = match &node.kind {
            Kind::Directory => Left::Directory,
            Kind::Symlink { target } => Left::Link(target.clone()),
            Kind::File { content: strata_rootfs::Content::Inline(bytes), .. } => {
                Left::File(node.mode, bytes.to_vec())
            }
            other => panic!("{name}: {other:?}"),
        };
        left.insert(name, entry);
    }
    Ok((left, effects.status, String::from_utf8_lossy(&effects.output).into_owned()))
}

/// What the real program leaves of a copy of these entries. Paths in `words` that begin with `/`
/// are taken below it.
pub fn theirs(entries: &Entries, words: &[&str]) -> (Entries, i32, String) {
    let lab = tempfile::tempdir().unwrap();
    write(lab.path(), entries);
    let mut command = Command::new(words[0]);
    for word in &words[1..] {
        match word.strip_prefix('/') {
            Some(inside) => command.arg(lab.path().join(inside)),
            None => command.arg(word),
        };
    }
    let output = command.env("LC_ALL", "C.UTF-8").output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).replace(lab.path().to_str().unwrap(), "");
    (self::entries(lab.path()), output.status.code().unwrap_or(-1), text)
}

/// Puts entries on disk.
pub fn write(root: &Path, entries: &Entries) {
    for (name, left) in entries {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match left {
            Left::Directory => fs::create_dir_all(&path).unwrap(),
            Left::Link(target) => {
                let target = String::from_utf8(target.clone()).unwrap();
                std::os::unix::fs::symlink(target, &path).unwrap();
            }
            Left::File(mode, bytes) => {
                fs::write(&path, bytes).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode((*mode).into())).unwrap();
            }
        }
    }
}

/// Numbers that look random, the same in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}
