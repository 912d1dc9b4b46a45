//! Where each path really lies once the directory links of all packages are followed.

use super::{MergeError, Places, lossy};
use crate::{TreePath, fate::State, policy::split};
use std::collections::BTreeMap;
use strata_rpm::{FileEntry, Package};

/// Links whose own place changes with every round are given up on after so many.
const ROUNDS: usize = 8;
/// As the kernel has it.
const MAX_LINKS: usize = 40;

/// Target by the link's own real path.
type Links<'a> = BTreeMap<TreePath, &'a [u8]>;

/// Resolves every wanted path of every package.
pub(super) fn places(
    packages: &[&Package],
    excluded: &[Vec<Option<State>>],
) -> Result<Places, MergeError> {
    let links = links(packages, excluded);
    let mut known: BTreeMap<&[u8], TreePath> = BTreeMap::new();
    let mut all = Places::with_capacity(packages.len());
    for (package, excluded) in packages.iter().zip(excluded) {
        let mut places = Vec::with_capacity(package.files.len());
        for (file, excluded) in package.files.iter().zip(excluded) {
            if excluded.is_some() {
                places.push(None);
                continue;
            }
            let nevra = || Box::new(package.nevra.clone());
            let wrong = || MergeError::Path { package: nevra(), path: lossy(&file.path) };
            if file.path.first() != Some(&b'/') {
                return Err(wrong());
            }
            let (directory, name) = split(&file.path);
            let path = TreePath::new(&file.path).map_err(|_| wrong())?;
            if !path.is_root() && name.is_empty() {
                return Err(wrong());
            }
            let parent = match known.get(directory) {
                Some(parent) => parent,
                None => {
                    let parent = path.parent().unwrap_or_default();
                    let real = follow(&links, &parent).ok_or_else(|| MergeError::Loop {
                        package: nevra(),
                        path: lossy(&file.path),
                    })?;
                    known.entry(directory).or_insert(real)
                }
            };
            places.push(Some(if path.is_root() { path } else { parent.join(name) }));
        }
        all.push(places);
    }
    Ok(all)
}

/// All links that get installed. Where a link lies may depend on other links, so the places are
/// computed again until nothing moves.
fn links<'a>(packages: &[&'a Package], excluded: &[Vec<Option<State>>]) -> Links<'a> {
    let mut found: Vec<(TreePath, &FileEntry)> = Vec::new();
    for (package, excluded) in packages.iter().zip(excluded) {
        for (file, excluded) in package.files.iter().zip(excluded) {
            let wanted = excluded.is_none() && file.is_symlink() && !file.is_ghost();
            if wanted && let Ok(path) = TreePath::new(&file.path) {
                found.push((path, file));
            }
        }
    }
    let mut links = Links::new();
    for _ in 0..ROUNDS {
        let mut next = Links::new();
        for (path, file) in &found {
            let real = path
                .parent()
                .and_then(|parent| follow(&links, &parent))
                .map(|parent| parent.join(path.file_name()));
            next.entry(real.unwrap_or_else(|| path.clone())).or_insert(&file.link_target);
        }
        if next == links {
            break;
        }
        links = next;
    }
    links
}

/// Follows the links of every component; none after too many.
fn follow(links: &Links<'_>, path: &TreePath) -> Option<TreePath> {
    let mut followed = 0;
    let mut todo: Vec<&[u8]> = path.components().collect();
    todo.reverse();
    let mut at = TreePath::root();
    while let Some(part) = todo.pop() {
        match part {
            b"" | b"." => continue,
            b".." => {
                at = at.parent().unwrap_or_default();
                continue;
            }
            _ => {}
        }
        let next = at.join(part);
        match links.get(&next) {
            Some(target) => {
                followed += 1;
                if followed > MAX_LINKS {
                    return None;
                }
                if target.first() == Some(&b'/') {
                    at = TreePath::root();
                }
                todo.extend(target.split(|b| *b == b'/').rev());
            }
            None => at = next,
        }
    }
    Some(at)
}
