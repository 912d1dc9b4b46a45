//! The files that a file trigger is told of.

use super::Member;
use crate::PackageIndex;
use strata_rpm::{Condition, Package};

/// The paths that a file trigger gets on its standard input, found while they are read: a hostile
/// package can ask for every file of the image again and again.
#[derive(Debug, Clone)]
pub struct Paths<'a> {
    members: &'a [Member<'a>],
    conditions: &'a [Condition],
    scope: Scope,
}

/// Whose files are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope {
    /// Those of one package.
    One(PackageIndex),
    /// Those of all packages before this place.
    Before(u32),
}

impl<'a> Paths<'a> {
    pub(super) fn none() -> Self {
        Self { members: &[], conditions: &[], scope: Scope::Before(0) }
    }

    pub(super) fn new(
        members: &'a [Member<'a>],
        conditions: &'a [Condition],
        scope: Scope,
    ) -> Self {
        Self { members, conditions, scope }
    }

    /// The paths in rpm's order: by prefix as the trigger lists them, by package, by place in the
    /// header. One that several prefixes begin comes several times.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let Self { members, conditions, scope } = *self;
        let (packages, exact) = match scope {
            Scope::One(at) => (at.0..at.0.saturating_add(1), true),
            Scope::Before(end) => (0..end, false),
        };
        conditions.iter().flat_map(move |condition| {
            let prefix = condition.name.as_bytes();
            let members = packages.clone().filter_map(move |at| members.get(at as usize));
            members.flat_map(move |member| member.matching(prefix, exact))
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl<'a> Member<'a> {
    /// The installed files whose path begins with `prefix`. From the database (not `exact`) rpm
    /// only takes a package that has a file in a directory whose name, slash included, begins so.
    fn matching(&self, prefix: &'a [u8], exact: bool) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let span = span(self.package, prefix);
        let files = self.package.files.get(span.clone()).unwrap_or_default();
        let within = |path: &[u8]| {
            let end = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
            path.get(..end).is_some_and(|directory| directory.starts_with(prefix))
        };
        let found = exact || files.iter().any(|file| within(&file.path));
        let states = self.states;
        // a network share counts as installed
        let installed = move |at: &usize| matches!(states.get(*at), Some(0 | 3));
        let files = (span.start..).zip(files).filter(move |(at, _)| found && installed(at));
        files.map(|(_, file)| file.path.as_slice())
    }
}

/// The files that begin with `prefix`, by bisection as rpm does it: packages list their files in
/// the order of their paths.
fn span(package: &Package, prefix: &[u8]) -> std::ops::Range<usize> {
    let files = &package.files;
    let compare = |at: usize| {
        let path = files.get(at).map_or([].as_slice(), |file| file.path.as_slice());
        prefix.cmp(path.get(..prefix.len()).unwrap_or(path))
    };
    let (mut low, mut high) = (0, files.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        match compare(middle) {
            std::cmp::Ordering::Less => high = middle,
            std::cmp::Ordering::Greater => low = middle + 1,
            std::cmp::Ordering::Equal => {
                let (mut first, mut end) = (middle, middle + 1);
                while first > 0 && compare(first - 1).is_eq() {
                    first -= 1;
                }
                while end < files.len() && compare(end).is_eq() {
                    end += 1;
                }
                return first..end;
            }
        }
    }
    0..0
}
