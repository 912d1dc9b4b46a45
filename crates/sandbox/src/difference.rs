//! The difference on disk as changes of the tree.

use crate::{
    SandboxError,
    message::{Found, FoundKind, Ran},
    normal,
};
use std::collections::{BTreeMap, BTreeSet};
use strata_rootfs::{
    Content, Kind, LinkSet, Node, Origin, PackageIndex, Tree, TreePath,
    scriptlets::{Effects, ScriptletTask},
};
use strata_rpm::FileCapabilities;

/// The package of sets of hard links that no package made.
const MADE: PackageIndex = PackageIndex(u32::MAX);

/// How many differences of two runs are named.
const NAMED: usize = 5;

/// What a run changed in the task's tree.
pub(crate) fn effects(task: &ScriptletTask<'_>, ran: Ran) -> Result<Effects, SandboxError> {
    let Ran { status, output, found } = ran;
    let mut after = Changes { task, changes: BTreeMap::new(), inodes: BTreeMap::new() };
    for one in &found {
        after.take(one)?;
    }
    after.names();
    let mut changes = after.changes;
    normal::normalise(task, &mut changes);
    settle(task.tree, &mut changes);
    changes.retain(|path, change| task.tree.get(path) != change.as_ref());
    Ok(Effects { changes, actions: Vec::new(), output, status })
}

struct Changes<'a> {
    task: &'a ScriptletTask<'a>,
    changes: BTreeMap<TreePath, Option<Node>>,
    /// Names of files that have several, and the set that they were.
    inodes: BTreeMap<u64, (Vec<TreePath>, Option<LinkSet>)>,
}

impl Changes<'_> {
    fn take(&mut self, found: &Found) -> Result<(), SandboxError> {
        let path = TreePath::new(&found.path).map_err(|error| SandboxError::Left {
            path: error.0,
            what: "a name that cannot be in an image".to_owned(),
        })?;
        let old = self.task.tree.get(&path);
        match &found.kind {
            FoundKind::Gone => {
                self.gone(&path);
                return Ok(());
            }
            FoundKind::Directory { opaque } => {
                if *opaque || old.is_some_and(|old| !old.is_dir()) {
                    self.gone(&path);
                }
                // where this program mounts something of its own
                if old.is_none() && matches!(path.as_bytes(), b"dev" | b"proc") {
                    return Ok(());
                }
            }
            _ if old.is_some_and(Node::is_dir) => self.gone(&path),
            _ => {}
        }
        let node = self.node(&path, found, old)?;
        if let FoundKind::File { inode: Some(inode), origin, .. } = found.kind {
            let (names, set) = self.inodes.entry(inode).or_default();
            names.push(path.clone());
            // the file that was there, perhaps changed in place
            *set = set.or(old.filter(|_| origin).and_then(set_of));
        }
        self.changes.insert(path, Some(node));
        Ok(())
    }

    fn gone(&mut self, path: &TreePath) {
        let all: Vec<TreePath> = self.task.tree.below(path).cloned().collect();
        for path in all.into_iter().filter(|path| !path.is_root()) {
            self.changes.insert(path, None);
        }
    }

    fn node(
        &self,
        path: &TreePath,
        found: &Found,
        old: Option<&Node>,
    ) -> Result<Node, SandboxError> {
        let kind = match &found.kind {
            FoundKind::Gone | FoundKind::Directory { .. } => Kind::Directory,
            FoundKind::Symlink(target) => Kind::Symlink { target: target.clone() },
            FoundKind::Fifo => Kind::Fifo,
            FoundKind::File { content, capabilities, .. } => {
                let capabilities = match capabilities {
                    None => None,
                    Some(value) => {
                        Some(capabilities_of(value).ok_or_else(|| SandboxError::Left {
                            path: path.to_string(),
                            what: "capabilities of another namespace".to_owned(),
                        })?)
                    }
                };
                let (size, content) = match (content, old.map(|old| &old.kind)) {
                    (None, Some(Kind::File { size, content, .. })) => (*size, content.clone()),
                    (Some(bytes), _) => (bytes.len() as u64, Content::Inline(bytes[..].into())),
                    // it says "as it was" of what was not
                    (None, _) => return Err(SandboxError::Lost),
                };
                Kind::File { size, content, capabilities, links: None }
            }
        };
        let same_kind =
            old.filter(|old| std::mem::discriminant(&old.kind) == std::mem::discriminant(&kind));
        let mode = match kind {
            Kind::Symlink { .. } => 0o777,
            _ => u16::try_from(found.mode & 0o7777).unwrap_or(0),
        };
        let mut node = Node {
            mode,
            // where one id is all there is, who was not named is who it was
            uid: found.uid.or(same_kind.map(|old| old.uid)).unwrap_or(0),
            gid: found.gid.or(same_kind.map(|old| old.gid)).unwrap_or(0),
            mtime: if matches!(kind, Kind::Directory) { 0 } else { self.task.mtime },
            origin: Origin::Generated,
            kind,
        };
        if let Some(old) = same_kind {
            // nothing that an image would show of it has changed
            let mut same = with_links(old, None);
            (same.mtime, same.origin) = (node.mtime, node.origin);
            if same == node {
                node = with_links(old, None);
            }
            // a package's directory stays the package's
            if node.is_dir() {
                (node.mtime, node.origin) = (old.mtime, old.origin);
            }
        }
        Ok(node)
    }

    /// Files that share an inode now.
    fn names(&mut self) {
        let made = self.task.tree.iter().filter_map(|(_, node)| set_of(node));
        let made = made.filter(|set| set.package == MADE).map(|set| set.leader).max();
        let mut next = made.unwrap_or(0);
        for (names, old) in std::mem::take(&mut self.inodes).into_values() {
            let set = old.or_else(|| {
                let [_, _, ..] = names.as_slice() else { return None };
                next = next.checked_add(1)?;
                Some(LinkSet { package: MADE, leader: next })
            });
            // all are one file: what the tree knows of one, it knows of all
            let known = names.iter().find_map(|name| {
                let node = self.changes.get(name)?.as_ref()?;
                match &node.kind {
                    Kind::File { content: Content::Package { .. }, .. } => Some(node.clone()),
                    _ => None,
                }
            });
            for name in names {
                if let Some(Some(node)) = self.changes.get_mut(&name) {
                    let one = known.as_ref().unwrap_or(node);
                    *node = with_links(one, set);
                }
            }
        }
    }
}

fn set_of(node: &Node) -> Option<LinkSet> {
    match &node.kind {
        Kind::File { links, .. } => *links,
        _ => None,
    }
}

fn with_links(node: &Node, set: Option<LinkSet>) -> Node {
    let mut node = node.clone();
    if let Kind::File { links, .. } = &mut node.kind {
        *links = set;
    }
    node
}

/// Sets that are left with one name are none.
fn settle(tree: &Tree, changes: &mut BTreeMap<TreePath, Option<Node>>) {
    let touched: BTreeSet<LinkSet> = changes
        .iter()
        .flat_map(|(path, change)| {
            let old = tree.get(path).and_then(set_of);
            old.into_iter().chain(change.as_ref().and_then(set_of))
        })
        .collect();
    for set in touched {
        let unchanged = tree
            .iter()
            .filter(|(path, node)| set_of(node) == Some(set) && !changes.contains_key(path))
            .map(|(path, node)| (path.clone(), node.clone()));
        let changed = changes.iter().filter_map(|(path, change)| {
            let node = change.as_ref()?;
            (set_of(node) == Some(set)).then(|| (path.clone(), node.clone()))
        });
        let names: Vec<(TreePath, Node)> = unchanged.chain(changed).collect();
        if let [(path, node)] = names.as_slice() {
            changes.insert(path.clone(), Some(with_links(node, None)));
        }
    }
}

/// `security.capability` of the second version, which needs no namespace.
fn capabilities_of(value: &[u8]) -> Option<FileCapabilities> {
    let words: Vec<u32> = value
        .chunks_exact(4)
        .map(|c| c.try_into().map(u32::from_le_bytes))
        .collect::<Result<_, _>>()
        .ok()?;
    let [magic, low, low_inheritable, high, high_inheritable] = words.as_slice() else {
        return None;
    };
    let wide = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    (magic & !1 == 0x0200_0000).then(|| FileCapabilities {
        permitted: wide(*low, *high),
        inheritable: wide(*low_inheritable, *high_inheritable),
        effective: magic & 1 != 0,
    })
}

/// The same, or the first differences.
pub(crate) fn compare(first: &Effects, second: &Effects) -> Result<(), SandboxError> {
    let mut what = Vec::new();
    let paths: BTreeSet<&TreePath> = first.changes.keys().chain(second.changes.keys()).collect();
    for path in paths {
        let (one, two) = (first.changes.get(path), second.changes.get(path));
        if one != two {
            what.push(format!("`{path}`: {} and {}", words(one), words(two)));
        }
    }
    if first.status != second.status {
        what.push(format!("exit status {} and {}", first.status, second.status));
    }
    what.truncate(NAMED);
    if what.is_empty() { Ok(()) } else { Err(SandboxError::Differs { what }) }
}

fn words(change: Option<&Option<Node>>) -> String {
    let Some(change) = change else { return "unchanged".to_owned() };
    let Some(node) = change else { return "removed".to_owned() };
    let Node { mode, uid, gid, .. } = node;
    match &node.kind {
        Kind::File { content: Content::Inline(bytes), .. } => {
            use sha2::Digest;
            let digest = hex::encode(sha2::Sha256::digest(bytes));
            let digest = digest.get(..12).unwrap_or_default();
            format!("{} bytes {digest} {mode:04o} {uid}:{gid}", bytes.len())
        }
        Kind::File { size, .. } => format!("{size} bytes of a package {mode:04o} {uid}:{gid}"),
        Kind::Directory => format!("a directory {mode:04o} {uid}:{gid}"),
        Kind::Symlink { target } => format!("a link to `{}`", String::from_utf8_lossy(target)),
        _ => format!("a special file {mode:04o} {uid}:{gid}"),
    }
}
