//! Puts the files into the tree in installation order, as rpm's file state machine does.

use super::{MergeError, MergeTask, Merged, Places, Warning, decide::Action, lossy};
use crate::{
    Content, Fate, Kind, LinkSet, Node, Origin, Owners, PackageIndex, Tree, TreePath, fate::State,
};
use std::collections::{BTreeMap, BTreeSet};
use strata_rpm::{FileEntry, Package};

/// Builds tree and fates from what was decided.
pub(super) fn install(
    task: &MergeTask<'_>,
    actions: &[Vec<Action>],
    places: Places,
) -> Result<Merged, MergeError> {
    let mut tree = Tree::default();
    let mut warnings = BTreeSet::new();
    for (index, (package, (actions, places))) in
        task.packages.iter().zip(actions.iter().zip(&places)).enumerate()
    {
        let index = package_index(index);
        let sets = link_sets(package);
        for (f, (action, place)) in actions.iter().zip(places).enumerate() {
            let (Some(file), Some(place)) = (package.files.get(f), place) else { continue };
            if *action != Action::Create || file.is_ghost() {
                continue;
            }
            warn(&mut warnings, package, file, task.owners);
            let set = sets.get(&file_index(f));
            let node = set_node(package, index, f, set, actions, task.owners)
                .ok_or_else(|| refused(package, file))?;
            put(&mut tree, task, package, file, place.clone(), node)?;
        }
    }
    single_links(&mut tree);
    let fates = fates(&tree, task, actions, places);
    Ok(Merged { tree, fates, warnings: warnings.into_iter().collect() })
}

/// The node that one file of a package would be if it were alone in the image: numeric owner as
/// rpm sets it, directories without time. `None` for a type that no image can hold.
pub fn file_node(
    package: &Package,
    index: PackageIndex,
    file: u32,
    owners: &Owners,
) -> Option<Node> {
    let entry = package.files.get(file as usize)?;
    let kind = match entry.mode & 0o170_000 {
        0o040_000 => Kind::Directory,
        0o100_000 => Kind::File {
            size: entry.size,
            content: Content::Package { package: index, file },
            capabilities: entry.capabilities,
            links: None,
        },
        0o120_000 => Kind::Symlink { target: entry.link_target.clone() },
        0o010_000 => Kind::Fifo,
        kind @ (0o020_000 | 0o060_000) => Kind::Device {
            block: kind == 0o060_000,
            major: u32::from(entry.rdev >> 8),
            minor: u32::from(entry.rdev & 0xff),
        },
        _ => return None,
    };
    let uid = owners.uid(&entry.user);
    let gid = owners.gid(&entry.group);
    let mut mode = entry.mode & 0o7777;
    if uid.is_none() {
        mode &= !0o4000;
    }
    if gid.is_none() {
        mode &= !0o2000;
    }
    if entry.is_symlink() {
        mode = 0o777;
    }
    let mtime = if entry.is_dir() { 0 } else { u64::from(entry.mtime) };
    Some(Node {
        kind,
        mode,
        uid: uid.unwrap_or(0),
        gid: gid.unwrap_or(0),
        mtime,
        origin: Origin::Package(index),
    })
}

/// As [`file_node`], for a member of a hard link set: one inode has one set of attributes. rpm
/// writes the content with the set's last file and sets owner and mode from that one, or from the
/// first installed one when the last is left out; time and capabilities are always the last one's.
fn set_node(
    package: &Package,
    index: PackageIndex,
    file: usize,
    set: Option<&Vec<u32>>,
    actions: &[Action],
    owners: &Owners,
) -> Option<Node> {
    let Some(set) = set else {
        return file_node(package, index, file_index(file), owners);
    };
    let installed = |f: &&u32| actions.get(**f as usize) == Some(&Action::Create);
    let carrier = set.last()?;
    let lead = if installed(&carrier) { carrier } else { set.iter().find(installed)? };
    let mut node = file_node(package, index, *lead, owners)?;
    let last = package.files.get(*carrier as usize)?;
    node.mtime = u64::from(last.mtime);
    if let Kind::File { content, capabilities, links, .. } = &mut node.kind {
        *content = Content::Package { package: index, file: *carrier };
        *capabilities = last.capabilities;
        *links = set.first().map(|leader| LinkSet { package: index, leader: *leader });
    }
    Some(node)
}

/// For each member of a hard link set all members, ascending.
fn link_sets(package: &Package) -> BTreeMap<u32, Vec<u32>> {
    let mut sets = BTreeMap::new();
    for members in package.hard_links() {
        for member in &members {
            sets.insert(*member, members.clone());
        }
    }
    sets
}

/// A set that ended with one name in the tree is an ordinary file.
fn single_links(tree: &mut Tree) {
    let mut count: BTreeMap<LinkSet, u32> = BTreeMap::new();
    for (_, node) in tree.iter() {
        if let Kind::File { links: Some(set), .. } = &node.kind {
            *count.entry(*set).or_default() += 1;
        }
    }
    if count.is_empty() {
        return;
    }
    for node in tree.nodes_mut() {
        if let Kind::File { links, .. } = &mut node.kind
            && links.is_some_and(|set| count.get(&set) == Some(&1))
        {
            *links = None;
        }
    }
}

/// Puts one node in, with the directories above it.
fn put(
    tree: &mut Tree,
    task: &MergeTask<'_>,
    package: &Package,
    file: &FileEntry,
    place: TreePath,
    node: Node,
) -> Result<(), MergeError> {
    if place.components().any(|part| part.starts_with(b".wh.")) {
        return Err(MergeError::Whiteout {
            package: Box::new(package.nevra.clone()),
            path: lossy(&file.path),
        });
    }
    if place.is_root() && !node.is_dir() {
        return Err(MergeError::Path {
            package: Box::new(package.nevra.clone()),
            path: lossy(&file.path),
        });
    }
    let blocked = |at: &TreePath, there: &Node| MergeError::Blocked {
        package: Box::new(package.nevra.clone()),
        path: lossy(&file.path),
        at: at.to_string(),
        is: word(&there.kind),
        owner: owner(task, there.origin),
    };
    make_parents(tree, &place).map_err(|at| match tree.get(&at) {
        Some(there) => blocked(&at, there),
        None => refused(package, file),
    })?;
    if let Some(there) = tree.get(&place) {
        let link = matches!(there.kind, Kind::Symlink { .. });
        if there.is_dir() != node.is_dir() && (there.is_dir() || link) {
            return Err(blocked(&place, there));
        }
    }
    tree.insert(place, node);
    Ok(())
}

/// Makes the directories above a path as `mkdir` does for rpm: 0755 root:root, except that a
/// directory with the setgid bit hands on its group and the bit. Gives back the component that is
/// no directory.
fn make_parents(tree: &mut Tree, place: &TreePath) -> Result<(), TreePath> {
    let mut missing = Vec::new();
    let mut above = place.parent();
    let mut inherited = None;
    while let Some(directory) = above {
        above = directory.parent();
        match tree.get(&directory) {
            Some(there) if there.is_dir() => {
                inherited = (there.mode & 0o2000 != 0).then_some(there.gid);
                break;
            }
            Some(_) => return Err(directory),
            None => missing.push(directory),
        }
    }
    for directory in missing.into_iter().rev() {
        let mut node = Node::implied_directory();
        if let Some(gid) = inherited {
            node.gid = gid;
            node.mode |= 0o2000;
        }
        tree.insert(directory, node);
    }
    Ok(())
}

/// What became of each file, now that the tree is final.
fn fates(
    tree: &Tree,
    task: &MergeTask<'_>,
    actions: &[Vec<Action>],
    places: Places,
) -> Vec<Vec<Fate>> {
    let mut claimed: BTreeMap<TreePath, (usize, usize)> = BTreeMap::new();
    for (p, (actions, places)) in actions.iter().zip(&places).enumerate() {
        for (f, (action, place)) in actions.iter().zip(places).enumerate() {
            if let (Action::Create, Some(place)) = (action, place)
                && !is_ghost(task, p, f)
            {
                // The last one to write a path has it.
                claimed.insert(place.clone(), (p, f));
            }
        }
    }
    debug_assert!(claimed.keys().all(|path| tree.get(path).is_some()));
    let mut all = Vec::with_capacity(places.len());
    for (p, (actions, places)) in actions.iter().zip(places).enumerate() {
        let fate =
            |(f, (action, place)): (usize, (&Action, Option<TreePath>))| match (action, place) {
                (Action::Exclude(state), _) => Fate::NotInstalled(*state),
                (_, None) => Fate::NotInstalled(State::Excluded),
                (_, Some(_)) if is_ghost(task, p, f) => Fate::NotInstalled(State::Ghost),
                (_, Some(place)) if claimed.get(&place) == Some(&(p, f)) => Fate::Installed(place),
                (_, Some(place)) => Fate::Shared(place),
            };
        all.push(actions.iter().zip(places).enumerate().map(fate).collect());
    }
    all
}

fn is_ghost(task: &MergeTask<'_>, package: usize, file: usize) -> bool {
    let package = task.packages.get(package);
    package.and_then(|package| package.files.get(file)).is_some_and(FileEntry::is_ghost)
}

fn warn(warnings: &mut BTreeSet<Warning>, package: &Package, file: &FileEntry, owners: &Owners) {
    let name = || package.nevra.name.clone();
    if owners.uid(&file.user).is_none() {
        warnings.insert(Warning::UnknownUser { package: name(), user: file.user.clone() });
    }
    if owners.gid(&file.group).is_none() {
        warnings.insert(Warning::UnknownGroup { package: name(), group: file.group.clone() });
    }
}

fn refused(package: &Package, file: &FileEntry) -> MergeError {
    MergeError::Type {
        package: Box::new(package.nevra.clone()),
        path: lossy(&file.path),
        mode: file.mode,
    }
}

fn word(kind: &Kind) -> &'static str {
    match kind {
        Kind::Directory => "a directory",
        Kind::File { .. } => "a file",
        Kind::Symlink { .. } => "a symbolic link",
        Kind::Device { .. } => "a device node",
        Kind::Fifo => "a named pipe",
    }
}

fn owner(task: &MergeTask<'_>, origin: Origin) -> String {
    match origin {
        Origin::Package(index) => match task.packages.get(index.0 as usize) {
            Some(package) => format!("`{}`", package.nevra),
            None => "a package".to_owned(),
        },
        Origin::Implied => "another package's files".to_owned(),
        Origin::Generated | Origin::Overlay => "the image".to_owned(),
    }
}

fn package_index(index: usize) -> PackageIndex {
    PackageIndex(u32::try_from(index).unwrap_or(u32::MAX))
}

fn file_index(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
