//! The tree of an image on disk, in the hands of a keeper process that owns it.

use crate::{
    Limits, SandboxError, Unavailable, difference,
    ids::Ids,
    inside::{self, PUT, REMOVE, RUN, SYNC},
    message::{Order, Ran, decode_result},
    wire::{self, Writer},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufWriter, Write},
    os::unix::fs::chown,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};
use strata_rootfs::{
    Content, Kind, LinkSet, Node, Origin, TreePath,
    scriptlets::{Effects, ScriptletTask},
};

/// Longest answer of the keeper beyond the bytes that a run may leave.
const ANSWER: u64 = 64 << 20;

/// A tree on disk and the namespace that it belongs to. All of it goes with this value, and also
/// when this process is killed.
#[derive(Debug)]
pub struct Sandbox {
    keeper: Child,
    input: Option<BufWriter<ChildStdin>>,
    output: ChildStdout,
    /// What is on disk.
    there: BTreeMap<TreePath, Node>,
    limits: Limits,
    many: bool,
    copy: bool,
    /// Last, so that it goes after the keeper.
    directory: tempfile::TempDir,
}

impl Sandbox {
    /// An empty tree in a new directory below `scratch`.
    pub fn new(scratch: &Path, limits: Limits) -> Result<Self, SandboxError> {
        Self::with(scratch, limits, &Ids::choose())
    }

    /// As [`Self::new`], with one id alone, as for a user to whom no others are lent.
    pub fn with_one_id(scratch: &Path, limits: Limits) -> Result<Self, SandboxError> {
        Self::with(scratch, limits, &Ids::One)
    }

    fn with(scratch: &Path, limits: Limits, ids: &Ids) -> Result<Self, SandboxError> {
        let step = "make the directory of a sandbox";
        let directory = tempfile::Builder::new().prefix("sandbox-").tempdir_in(scratch);
        let directory = directory.map_err(SandboxError::io(step))?;
        if let Some(root) = ids.root() {
            chown(directory.path(), Some(root), Some(root)).map_err(SandboxError::io(step))?;
        }
        let step = "start a process of the sandbox";
        let mut command = Command::new("/proc/self/exe");
        command.arg(inside::ARGUMENT).arg("keeper").env_clear().current_dir(directory.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut keeper = command.spawn().map_err(SandboxError::io(step))?;
        let (Some(input), Some(output)) = (keeper.stdin.take(), keeper.stdout.take()) else {
            return Err(SandboxError::Lost);
        };
        let mut sandbox = Self {
            keeper,
            input: Some(BufWriter::new(input)),
            output,
            there: BTreeMap::new(),
            limits,
            many: ids.many(),
            copy: false,
            directory,
        };
        sandbox.answer().map_err(unavailable)?;
        ids.map(sandbox.keeper.id()).map_err(|e| Unavailable::new("map user ids", &e))?;
        sandbox.send(&[u8::from(sandbox.many)])?;
        sandbox.answer().map_err(unavailable)?;
        Ok(sandbox)
    }

    /// Copies the tree for every run, although a layer over it may be possible: slower, and in
    /// memory.
    pub fn copy_trees(&mut self, copy: bool) {
        self.copy = copy;
    }

    /// Other bounds for the runs that follow.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Whether owners other than root can be given; else they are remembered.
    pub fn has_ids(&self) -> bool {
        self.many
    }

    /// Runs nothing in an empty tree: whatever a run needs from the machine is there.
    pub(crate) fn probe(mut self) -> Result<(), SandboxError> {
        let words = vec![Some("/".to_owned())];
        self.order(&words, b"", b"").map(drop)
    }

    /// Runs a scriptlet twice on the task's tree, and gives back what it did. Neither the tree nor
    /// what is on disk is changed by it.
    pub fn run(&mut self, task: &ScriptletTask<'_>) -> Result<Effects, SandboxError> {
        let words = words(task)?;
        self.lay_out(task)?;
        let begun = Instant::now();
        let first = self.once(task, &words)?;
        // what tells the time tells another one
        std::thread::sleep(Duration::from_secs(1).saturating_sub(begun.elapsed()));
        let second = self.once(task, &words)?;
        difference::compare(&first, &second)?;
        Ok(first)
    }

    /// Runs a scriptlet once: what differs from run to run is not found out.
    pub fn run_once(&mut self, task: &ScriptletTask<'_>) -> Result<Effects, SandboxError> {
        let words = words(task)?;
        self.lay_out(task)?;
        self.once(task, &words)
    }

    fn once(
        &mut self,
        task: &ScriptletTask<'_>,
        words: &[Option<String>],
    ) -> Result<Effects, SandboxError> {
        let ran = self.order(words, task.body.as_bytes(), task.stdin)?;
        difference::effects(task, ran)
    }

    fn order(
        &mut self,
        words: &[Option<String>],
        body: &[u8],
        stdin: &[u8],
    ) -> Result<Ran, SandboxError> {
        let mut links: BTreeMap<LinkSet, Vec<Vec<u8>>> = BTreeMap::new();
        for (path, node) in &self.there {
            if let Some(set) = set_of(node) {
                links.entry(set).or_default().push(path.as_bytes().to_vec());
            }
        }
        let links: Vec<_> = links.into_values().filter(|names| names.len() > 1).collect();
        loop {
            let order = Order {
                links: links.clone(),
                words: words.to_vec(),
                body: body.to_vec(),
                stdin: stdin.to_vec(),
                bounds: self.limits.bounds(),
                single: !self.many,
                copy: self.copy,
            };
            let mut message = vec![RUN];
            message.extend(order.encode());
            self.send(&message)?;
            match self.answer() {
                // an older kernel, or a file system that cannot be below a layer
                Err(SandboxError::Io { step, .. }) if step.starts_with("lay ") && !self.copy => {
                    self.copy = true;
                }
                other => return other,
            }
        }
    }

    fn send(&mut self, message: &[u8]) -> Result<(), SandboxError> {
        let input = self.input.as_mut().ok_or(SandboxError::Lost)?;
        wire::send(input, message).map_err(SandboxError::io("talk to the sandbox"))
    }

    fn answer(&mut self) -> Result<Ran, SandboxError> {
        let most = self.limits.bytes.saturating_mul(2).saturating_add(ANSWER);
        let message = wire::receive(&mut self.output, most);
        let message = message.map_err(SandboxError::io("hear the sandbox"))?;
        let message = message.ok_or(SandboxError::Lost)?;
        Ok(decode_result(&message).map_err(|_| SandboxError::Lost)??)
    }

    /// Brings what is on disk to the task's tree; a run does it too.
    pub fn lay_out(&mut self, task: &ScriptletTask<'_>) -> Result<(), SandboxError> {
        let visible = |node: &Node| match (task.installed, node.origin) {
            (Some(count), Origin::Package(package)) => package.0 < count,
            _ => true,
        };
        let mut wanted: BTreeMap<&TreePath, &Node> =
            task.tree.iter().filter(|(_, node)| visible(node)).collect();
        let implied = Node::implied_directory();
        let root = TreePath::root();
        let above: Vec<TreePath> = wanted
            .keys()
            .filter_map(|path| path.parent())
            .filter(|parent| !wanted.contains_key(parent))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .flat_map(|parent| std::iter::successors(Some(parent), TreePath::parent))
            .collect();
        wanted.entry(&root).or_insert(&implied);
        for path in &above {
            wanted.entry(path).or_insert(&implied);
        }
        let changed = |path: &TreePath, node: &Node| self.there.get(path) != Some(node);
        // the names of a file are made together
        let sets: BTreeSet<LinkSet> = wanted
            .iter()
            .filter(|(path, node)| changed(path, node))
            .filter_map(|(_, node)| set_of(node))
            .chain(
                self.there
                    .iter()
                    .filter(|(path, node)| wanted.get(path) != Some(node))
                    .filter_map(|(_, node)| set_of(node)),
            )
            .collect();
        let again = |node: &Node| set_of(node).is_some_and(|set| sets.contains(&set));
        let gone: Vec<TreePath> = self
            .there
            .iter()
            .filter(|(path, node)| match wanted.get(path) {
                None => true,
                Some(new) => node.is_dir() != new.is_dir() || again(node),
            })
            .map(|(path, _)| path.clone())
            .collect();
        let put: Vec<(TreePath, Node)> = wanted
            .iter()
            .filter(|(path, node)| changed(path, node) || again(node))
            .map(|(path, node)| ((*path).clone(), (*node).clone()))
            .collect();
        for path in gone.iter().rev() {
            let mut message = vec![REMOVE];
            message.extend(path.as_bytes());
            self.send(&message)?;
            self.there.remove(path);
        }
        let mut first: BTreeMap<LinkSet, TreePath> = BTreeMap::new();
        for (path, node) in put {
            let other = set_of(&node).and_then(|set| first.get(&set));
            self.put(task, &path, &node, other.cloned().as_ref())?;
            if let Some(set) = set_of(&node) {
                first.entry(set).or_insert_with(|| path.clone());
            }
            self.there.insert(path, node);
        }
        self.send(&[SYNC])?;
        self.answer().map(drop).inspect_err(|_| self.there.clear())
    }

    fn put(
        &mut self,
        task: &ScriptletTask<'_>,
        path: &TreePath,
        node: &Node,
        other: Option<&TreePath>,
    ) -> Result<(), SandboxError> {
        let mut content = None;
        let (mut target, mut capabilities) = (&[][..], Vec::new());
        let kind = match &node.kind {
            Kind::Directory => b'd',
            Kind::Symlink { target: own } => {
                target = own;
                b'l'
            }
            Kind::Fifo => b'p',
            // no namespace can make one, and the scriptlet sees another `/dev`
            Kind::Device { .. } => return Ok(()),
            Kind::File { .. } if other.is_some() => {
                target = other.map_or(&[], |other| other.as_bytes());
                b'h'
            }
            Kind::File { content: from, capabilities: own, .. } => {
                content = Some(match from {
                    Content::Inline(bytes) => bytes.clone(),
                    Content::Package { package, file } => task
                        .contents
                        .read(*package, *file)
                        .ok_or_else(|| SandboxError::Content { path: path.to_string() })?,
                });
                capabilities = own.map_or_else(Vec::new, |own| own.to_xattr().to_vec());
                b'f'
            }
        };
        let mut message = Writer(vec![PUT]);
        message.bytes(path.as_bytes()).u8(kind).u32(node.mode.into());
        if self.many {
            message.u8(1).u32(node.uid).u32(node.gid);
        } else {
            message.u8(0);
        }
        let mtime = if node.is_dir() { 0 } else { node.mtime };
        message.u64(mtime).bytes(target).bytes(&capabilities);
        message.u64(content.as_ref().map_or(0, |bytes| bytes.len() as u64));
        // no flush between the many small ones
        let input = self.input.as_mut().ok_or(SandboxError::Lost)?;
        let mut write = || -> io::Result<()> {
            input.write_all(&(message.0.len() as u64).to_le_bytes())?;
            input.write_all(&message.0)?;
            input.write_all(content.as_deref().unwrap_or_default())
        };
        write().map_err(SandboxError::io("talk to the sandbox"))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // at the end of its input the keeper takes everything away
        self.input = None;
        let _ = self.keeper.wait();
        let _ = self.directory.path();
    }
}

fn unavailable(error: SandboxError) -> SandboxError {
    match error {
        SandboxError::Io { step, source } => Unavailable::new(&step, &source).into(),
        other => other,
    }
}

fn set_of(node: &Node) -> Option<LinkSet> {
    match &node.kind {
        Kind::File { links, .. } => *links,
        _ => None,
    }
}

/// What rpm would start: the interpreter with the script and its arguments, or a program.
fn words(task: &ScriptletTask<'_>) -> Result<Vec<Option<String>>, SandboxError> {
    let program = match task.program {
        [] => &["/bin/sh".to_owned()][..],
        program => program,
    };
    if let Some(name) = program.first().filter(|name| name.starts_with('<')) {
        return Err(SandboxError::Interpreter(name.clone()));
    }
    let mut words: Vec<Option<String>> = program.iter().cloned().map(Some).collect();
    if !task.body.is_empty() {
        words.push(None);
    }
    words.extend(task.arguments.iter().cloned().map(Some));
    Ok(words)
}
