//! A tree, and what a scriptlet does to it.

use crate::image::Image;
use std::{
    sync::{Mutex, OnceLock},
    time::Duration,
};
use strata_rootfs::{
    Content, Kind, Node, Owners, Tree, TreePath,
    scriptlets::{Effects, ScriptletTask},
};
use strata_rpm::ScriptletKind;
use strata_sandbox::{Limits, Sandbox, SandboxError};
use strata_testkit::{OrdinaryUser, Set};

/// Names a test of this binary that is to run here, as whoever runs it.
pub const HERE: &str = "STRATA_SANDBOX_HERE";

pub const MTIME: u64 = 1_000_000_000;

pub fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

/// Small packages, with a few files of other owners.
pub fn image() -> Option<&'static Image> {
    static IMAGE: OnceLock<Option<Image>> = OnceLock::new();
    IMAGE
        .get_or_init(|| {
            let mut image = Image::new(Set::Small)?;
            furnish(&mut image.tree);
            Some(image)
        })
        .as_ref()
}

fn furnish(tree: &mut Tree) {
    let account = "root:x:0:0:root:/root:/bin/bash\nwww:x:33:33::/var/www:/bin/false\n";
    let accounts = [
        ("etc/passwd", account),
        ("etc/group", "root:x:0:\nwww:x:33:\nshadow:x:42:\n"),
        ("etc/shadow", "root:*:18000:0:99999:7:::\nwww:*:18000:0:99999:7:::\n"),
    ];
    for (at, text) in accounts {
        tree.insert(path(at), Node::generated(text.as_bytes(), 0o644, 5));
    }
    let owned = Node { uid: 33, gid: 33, ..Node::generated(*b"theirs\n", 0o640, 7) };
    tree.insert(path("srv/theirs"), owned);
    let directory = Node { uid: 33, gid: 33, mode: 0o750, ..Node::implied_directory() };
    tree.insert(path("srv/data"), directory);
    tree.insert(path("srv/data/old"), Node::generated(*b"old\n", 0o644, 7));
    for at in ["root", "tmp", "var/tmp", "run", "dev", "proc", "sys", "home"] {
        if tree.get(&path(at)).is_none() {
            tree.insert(path(at), Node::implied_directory());
        }
    }
}

/// One run, as `program` with `body` on `tree`.
pub fn task<'a>(
    image: &'a Image,
    tree: &'a Tree,
    program: &'a [String],
    body: &'a str,
) -> ScriptletTask<'a> {
    static OWNERS: OnceLock<Owners> = OnceLock::new();
    ScriptletTask {
        tree,
        installed: None,
        contents: image,
        owners: OWNERS.get_or_init(Owners::default),
        kind: ScriptletKind::Post,
        program,
        body,
        arguments: &[],
        stdin: b"first\nsecond\n",
        mtime: MTIME,
        limits: strata_rootfs::scriptlets::Limits::default(),
    }
}

/// Where trees are laid out.
pub fn scratch() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("strata-sandbox").tempdir().unwrap()
}

/// A sandbox that is kept over several scriptlets.
pub struct Lab {
    pub image: &'static Image,
    kept: Option<Kept>,
}

type Kept = (Sandbox, tempfile::TempDir);

/// Sandboxes that tests have left, with the tree on disk.
static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

/// Takes them away.
pub fn clear() {
    KEPT.lock().unwrap().clear();
}

impl Drop for Lab {
    fn drop(&mut self) {
        KEPT.lock().unwrap().extend(self.kept.take());
    }
}

impl Lab {
    pub fn new(limits: Limits) -> Option<Self> {
        let image = image()?;
        let kept = KEPT.lock().unwrap().pop();
        let mut kept = kept.unwrap_or_else(|| {
            let scratch = scratch();
            (Sandbox::new(scratch.path(), limits).unwrap(), scratch)
        });
        kept.0.set_limits(limits);
        kept.0.copy_trees(false);
        Some(Self { image, kept: Some(kept) })
    }

    pub fn copying(limits: Limits) -> Option<Self> {
        let mut lab = Self::new(limits)?;
        lab.sandbox().copy_trees(true);
        Some(lab)
    }

    fn sandbox(&mut self) -> &mut Sandbox {
        &mut self.kept.as_mut().unwrap().0
    }

    pub fn has_ids(&self) -> bool {
        self.kept.as_ref().unwrap().0.has_ids()
    }

    pub fn run(&mut self, program: &str, body: &str) -> Result<Effects, SandboxError> {
        self.run_on(&self.image.tree, program, body)
    }

    pub fn run_on(
        &mut self,
        tree: &Tree,
        program: &str,
        body: &str,
    ) -> Result<Effects, SandboxError> {
        let program = [program.to_owned()];
        let image = self.image;
        self.sandbox().run(&task(image, tree, &program, body))
    }

    /// A run that goes well, as lines of what it changed.
    #[track_caller]
    pub fn lines(&mut self, program: &str, body: &str) -> Vec<String> {
        match self.run(program, body) {
            Ok(effects) => {
                let text = String::from_utf8_lossy(&effects.output);
                assert_eq!(effects.status, 0, "{text}\n{body}");
                lines(&effects)
            }
            Err(error) => panic!("{error}\n{body}"),
        }
    }
}

pub fn short() -> Limits {
    Limits { time: Duration::from_secs(90), memory: 1 << 30, ..Limits::default() }
}

/// One line a change.
pub fn lines(effects: &Effects) -> Vec<String> {
    let all = effects.changes.iter();
    // what python leaves beside what it reads
    let all = all.filter(|(path, _)| !path.to_string().contains("/__pycache__"));
    all.map(|(path, change)| line(path, change.as_ref())).collect()
}

fn line(path: &TreePath, node: Option<&Node>) -> String {
    let Some(node) = node else { return format!("{path} gone") };
    let Node { mode, uid, gid, .. } = node;
    let what = match &node.kind {
        Kind::Directory => "directory".to_owned(),
        Kind::File { content: Content::Inline(bytes), .. } => {
            let text: String = String::from_utf8_lossy(bytes).chars().take(99).collect();
            format!("{text:?}")
        }
        Kind::File { .. } => "package's".to_owned(),
        Kind::Symlink { target } => format!("-> {}", String::from_utf8_lossy(target)),
        Kind::Device { .. } => "device".to_owned(),
        Kind::Fifo => "fifo".to_owned(),
    };
    format!("{path} {mode:o} {uid}:{gid} {what}")
}

/// Runs a test of this binary as an ordinary user.
pub fn as_user(name: &str) {
    let user = OrdinaryUser::new();
    let mut command = user.command(&std::env::current_exe().unwrap());
    command.args(["--exact", name]).env(HERE, "1").env("TMPDIR", user.home());
    if let Some(corpus) = std::env::var_os("STRATA_CORPUS") {
        command.env("STRATA_CORPUS", user.share(std::path::Path::new(&corpus)));
    }
    let ran = strata_testkit::output(&mut command);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains(&format!("test {name} ... ok")), "{}", ran.stdout);
}
