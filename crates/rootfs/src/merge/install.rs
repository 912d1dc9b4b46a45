//! Puts the files into the tree in installation order, as rpm's file state machine does.

use super::{
    MergeError, MergeTask, Merged, Places, Warning,
    decide::Action,
    lossy,
    paths::{PathId, Paths},
};
use crate::{
    Content, Fate, Kind, LinkSet, Node, Origin, Owners, PackageIndex, Tree, fate::State,
    hard_links::single_links,
};
use std::collections::{BTreeMap, BTreeSet};
use strata_rpm::{FileEntry, Package};

/// Builds tree and fates from what was decided.
pub(super) fn install(
    task: &MergeTask<'_>,
    actions: &[Vec<Action>],
    paths: Paths,
    places: &Places,
) -> Result<Merged, MergeError> {
    let mut disk = Disk { nodes: vec![None; paths.len()], paths };
    // The last one to write a path has it.
    let mut writers: Vec<Option<(usize, usize)>> = vec![None; disk.paths.len()];
    let mut warnings = BTreeSet::new();
    for (p, (package, (actions, places))) in
        task.packages.iter().zip(actions.iter().zip(places)).enumerate()
    {
        let index = package_index(p);
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
            disk.put(task, package, file, *place, node)?;
            writers[place.index()] = Some((p, f));
        }
    }
    single_links(disk.nodes.iter_mut().flatten());
    let fates = fates(&disk.paths, task, actions, places, &writers);
    Ok(Merged { tree: disk.into_tree(), fates, warnings: warnings.into_iter().collect() })
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

/// What is on disk so far, by number of the path.
struct Disk {
    paths: Paths,
    nodes: Vec<Option<Node>>,
}

impl Disk {
    fn get(&self, id: PathId) -> Option<&Node> {
        self.nodes.get(id.index())?.as_ref()
    }

    /// Puts one node in, with the directories above it.
    fn put(
        &mut self,
        task: &MergeTask<'_>,
        package: &Package,
        file: &FileEntry,
        place: PathId,
        node: Node,
    ) -> Result<(), MergeError> {
        let nevra = || Box::new(package.nevra.clone());
        if place == Paths::ROOT && !node.is_dir() {
            return Err(MergeError::Path { package: nevra(), path: lossy(&file.path) });
        }
        if whiteout(self.paths.path(place).file_name()) {
            return Err(MergeError::Whiteout { package: nevra(), path: lossy(&file.path) });
        }
        let blocked = |disk: &Self, at: PathId, there: &Node| MergeError::Blocked {
            package: nevra(),
            path: lossy(&file.path),
            at: disk.paths.path(at).to_string(),
            is: word(&there.kind),
            owner: owner(task, there.origin),
        };
        if let Err(at) = self.make_parents(place) {
            return Err(match self.get(at) {
                Some(there) => blocked(self, at, there),
                None => MergeError::Whiteout { package: nevra(), path: lossy(&file.path) },
            });
        }
        if let Some(there) = self.get(place) {
            let link = matches!(there.kind, Kind::Symlink { .. });
            if there.is_dir() != node.is_dir() && (there.is_dir() || link) {
                return Err(blocked(self, place, there));
            }
        }
        self.nodes[place.index()] = Some(node);
        Ok(())
    }

    /// Makes the directories above a path as `mkdir` does for rpm: 0755 root:root, except that a
    /// directory with the setgid bit hands on its group and the bit. Gives back what stands in the
    /// way: something there that is no directory, or a name that no layer can hold.
    fn make_parents(&mut self, place: PathId) -> Result<(), PathId> {
        let mut missing = Vec::new();
        let mut above = self.paths.parent(place);
        let mut inherited = None;
        while let Some(directory) = above {
            above = self.paths.parent(directory);
            match self.get(directory) {
                Some(there) if there.is_dir() => {
                    inherited = (there.mode & 0o2000 != 0).then_some(there.gid);
                    break;
                }
                Some(_) => return Err(directory),
                None if whiteout(self.paths.path(directory).file_name()) => return Err(directory),
                None => missing.push(directory),
            }
        }
        for directory in missing.into_iter().rev() {
            let mut node = Node::implied_directory();
            if let Some(gid) = inherited {
                node.gid = gid;
                node.mode |= 0o2000;
            }
            self.nodes[directory.index()] = Some(node);
        }
        Ok(())
    }

    fn into_tree(self) -> Tree {
        let paths = self.paths.into_paths();
        Tree::from_nodes(paths.zip(self.nodes).filter_map(|(path, node)| Some((path, node?))))
    }
}

fn whiteout(name: &[u8]) -> bool {
    name.starts_with(b".wh.")
}

/// What became of each file, now that all are written.
fn fates(
    paths: &Paths,
    task: &MergeTask<'_>,
    actions: &[Vec<Action>],
    places: &Places,
    writers: &[Option<(usize, usize)>],
) -> Vec<Vec<Fate>> {
    let fate = |p: usize, f: usize, action: Action, place: Option<PathId>| match (action, place) {
        (Action::Exclude(state), _) => Fate::NotInstalled(state),
        (_, None) => Fate::NotInstalled(State::Excluded),
        (_, Some(_)) if is_ghost(task, p, f) => Fate::NotInstalled(State::Ghost),
        (_, Some(place)) if writers[place.index()] == Some((p, f)) => {
            Fate::Installed(paths.path(place).clone())
        }
        (_, Some(place)) => Fate::Shared(paths.path(place).clone()),
    };
    let package = |(p, (actions, places)): (usize, (&Vec<Action>, &Vec<Option<PathId>>))| {
        let files = actions.iter().zip(places).enumerate();
        files.map(|(f, (action, place))| fate(p, f, *action, *place)).collect()
    };
    actions.iter().zip(places).enumerate().map(package).collect()
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
        Origin::Generated | Origin::Overlay | Origin::Plugin => "the image".to_owned(),
    }
}

fn package_index(index: usize) -> PackageIndex {
    PackageIndex(u32::try_from(index).unwrap_or(u32::MAX))
}

fn file_index(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
