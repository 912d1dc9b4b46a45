//! Whose file each path is: rpm's `handleOverlappedFiles` and `rpmfilesCompare`.
//!
//! Each file is compared with the file that the transaction last had at the same real path.
//! Identical ones are written once, but rpm looks only at that last one, so a third package writes
//! the file anew (and its time and capabilities count), a fourth skips it, and so on. A `%ghost` is
//! equal to anything.

use super::{Conflict, MergeError, MergeTask, Places, lossy, paths::Paths};
use crate::fate::State;
use strata_rpm::FileEntry;

/// What rpm does with one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Writes it (unless it is a ghost), replacing what an earlier package wrote.
    Create,
    /// Leaves the identical one that is there.
    Skip,
    /// Does not want it.
    Exclude(State),
}

/// Decides for every file of every package.
pub(super) fn decide(
    task: &MergeTask<'_>,
    colors: u32,
    excluded: Vec<Vec<Option<State>>>,
    paths: &Paths,
    places: &Places,
) -> Result<Vec<Vec<Action>>, MergeError> {
    let mut actions: Vec<Vec<Action>> = excluded
        .into_iter()
        .map(|all| {
            all.into_iter().map(|state| state.map_or(Action::Create, Action::Exclude)).collect()
        })
        .collect();
    let mut last: Vec<Option<(usize, usize)>> = vec![None; paths.len()];
    let mut conflicts = Vec::new();
    for (p, places) in places.iter().enumerate() {
        for (f, place) in places.iter().enumerate() {
            let Some(place) = place else { continue };
            let Some((op, of)) = last[place.index()].replace((p, f)) else { continue };
            let (package, other) = (task.packages[p], task.packages[op]);
            let (file, other_file) = (&package.files[f], &other.files[of]);
            let Some(difference) = difference(other_file, file) else {
                actions[p][f] = match actions[op][of] {
                    Action::Create if other_file.is_ghost() => Action::Create,
                    Action::Create => Action::Skip,
                    Action::Exclude(State::WrongColor) => Action::Exclude(State::WrongColor),
                    Action::Skip | Action::Exclude(_) => Action::Create,
                };
                continue;
            };
            let (color, other_color) = (file.color & colors, other_file.color & colors);
            if color != 0 && other_color != 0 && color != other_color {
                if color & task.color != 0 {
                    actions[op][of] = Action::Exclude(State::WrongColor);
                    continue;
                } else if other_color & task.color != 0 {
                    actions[p][f] = Action::Exclude(State::WrongColor);
                    continue;
                }
            }
            conflicts.push(Conflict {
                path: lossy(&file.path),
                first: other.nevra.clone(),
                second: package.nevra.clone(),
                difference,
            });
        }
    }
    if conflicts.is_empty() { Ok(actions) } else { Err(MergeError::Conflicts(conflicts)) }
}

/// What makes two files at one path different files for rpm, in words. Times, flags, capabilities
/// and hard links do not.
fn difference(a: &FileEntry, b: &FileEntry) -> Option<&'static str> {
    if a.is_ghost() || b.is_ghost() {
        return None;
    }
    let kind = |file: &FileEntry| file.mode & 0o170_000;
    if kind(a) != kind(b) {
        return Some("type");
    }
    if !a.is_symlink() && a.mode != b.mode {
        return Some("mode");
    }
    if (a.is_symlink() || a.is_regular()) && a.size != b.size {
        return Some(if a.is_symlink() { "target" } else { "content" });
    }
    if a.user != b.user {
        return Some("owner");
    }
    if a.group != b.group {
        return Some("group");
    }
    if a.is_symlink() && a.link_target != b.link_target {
        return Some("target");
    }
    if a.is_regular() && a.digest != b.digest {
        return Some("content");
    }
    let device = matches!(kind(a), 0o020_000 | 0o060_000);
    (device && a.rdev != b.rdev).then_some("device number")
}
