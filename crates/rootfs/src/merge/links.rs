//! Where each path really lies once the directory links of all packages are followed.

use super::{MergeError, Places, lossy, paths::Paths};
use crate::{TreePath, fate::State, policy::split};
use std::collections::BTreeMap;
use strata_rpm::{FileEntry, Package};

/// Links whose own place changes with every round are given up on after so many.
const ROUNDS: usize = 8;
/// As the kernel has it.
const MAX_LINKS: usize = 40;

/// `PATH_MAX` without the final NUL.
pub(super) const MAX_LEN: usize = 4095;
/// All directories above a path are kept with their own paths, so that depth must be bounded.
pub(super) const MAX_DEPTH: usize = 128;

/// Target by the link's own real path.
type Links<'a> = BTreeMap<TreePath, &'a [u8]>;

/// Resolves every wanted path of every package.
pub(super) fn places(
    packages: &[&Package],
    excluded: &[Vec<Option<State>>],
) -> Result<(Paths, Places), MergeError> {
    let links = links(packages, excluded);
    let mut paths = Paths::new();
    let mut known = BTreeMap::new();
    let mut all = Places::with_capacity(packages.len());
    for (package, excluded) in packages.iter().zip(excluded) {
        let mut places = Vec::with_capacity(package.files.len());
        // Headers list a directory's files together.
        let mut last = None;
        for (file, excluded) in package.files.iter().zip(excluded) {
            if excluded.is_some() {
                places.push(None);
                continue;
            }
            let nevra = || Box::new(package.nevra.clone());
            let wrong = || MergeError::Path { package: nevra(), path: lossy(&file.path) };
            if file.path == b"/" {
                places.push(Some(Paths::ROOT));
                continue;
            }
            let (directory, name) = split(&file.path);
            let canonical = file.path.first() == Some(&b'/') && !directory.ends_with(b"/");
            if !canonical || matches!(name, b"" | b"." | b"..") || name.contains(&0) {
                return Err(wrong());
            }
            let parent = match last {
                Some((before, parent)) if before == directory => parent,
                _ => match known.get(directory) {
                    Some(parent) => *parent,
                    None => {
                        let parent = TreePath::new(directory).map_err(|_| wrong())?;
                        fits(package, &parent)?;
                        let real = follow(&links, &parent).ok_or_else(|| MergeError::Loop {
                            package: nevra(),
                            path: lossy(&file.path),
                        })?;
                        fits(package, &real)?;
                        *known.entry(directory).or_insert(paths.number(&real))
                    }
                },
            };
            last = Some((directory, parent));
            places.push(Some(paths.child(parent, name)));
        }
        all.push(places);
    }
    Ok((paths, all))
}

fn fits(package: &Package, directory: &TreePath) -> Result<(), MergeError> {
    let len = directory.as_bytes().len();
    let depth = directory.components().count();
    if len <= MAX_LEN && depth <= MAX_DEPTH {
        return Ok(());
    }
    let start = directory.as_bytes().get(..100).unwrap_or(directory.as_bytes());
    Err(MergeError::Long {
        package: Box::new(package.nevra.clone()),
        path: format!("/{}", lossy(start)),
        len,
        depth,
    })
}

/// All links that get installed. Where a link lies may depend on other links, so the places are
/// computed again until nothing moves.
fn links<'a>(packages: &[&'a Package], excluded: &[Vec<Option<State>>]) -> Links<'a> {
    let mut found: Vec<(TreePath, &FileEntry)> = Vec::new();
    for (package, excluded) in packages.iter().zip(excluded) {
        for (file, excluded) in package.files.iter().zip(excluded) {
            let wanted = excluded.is_none() && file.is_symlink() && !file.is_ghost();
            let short = file.path.len() <= MAX_LEN && file.link_target.len() <= MAX_LEN;
            if wanted
                && short
                && let Ok(path) = TreePath::new(&file.path)
            {
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
