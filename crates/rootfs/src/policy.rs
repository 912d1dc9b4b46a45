//! Which files of a package are not wanted at all: documentation, languages, foreign ELF classes.
//!
//! The rules are those of rpm's `skipInstallFiles`: `%license` files are always kept, and a
//! directory that the package lists goes too when everything the package had directly in it went.

use crate::{FilePolicy, fate::State};
use std::collections::BTreeMap;
use strata_rpm::{FileEntry, Package};

/// What to leave out of every package.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy<'a> {
    /// Keep documentation.
    pub docs: bool,
    /// Languages to keep; none: all.
    pub langs: Option<&'a [String]>,
    /// The ELF classes that rpm installs at all (`%_transaction_color`); 0: no colours.
    pub colors: u32,
}

/// For each file why it is left out, in header order; `None` for what is wanted. `filter` is what
/// plugins leave out of this package.
pub(crate) fn excluded(
    package: &Package,
    policy: &Policy<'_>,
    filter: Option<&FilePolicy>,
) -> Vec<Option<State>> {
    let filtered = |index: u32| filter.is_some_and(|filter| filter.excluded.contains(&index));
    let mut out: Vec<Option<State>> = (0u32..)
        .zip(&package.files)
        .map(|(index, file)| {
            reason(file, policy).or_else(|| filtered(index).then_some(State::Excluded))
        })
        .collect();
    if out.iter().any(Option::is_some) {
        empty_directories(package, &mut out);
    }
    out
}

fn reason(file: &FileEntry, policy: &Policy<'_>) -> Option<State> {
    if policy.colors != 0 && file.color != 0 && policy.colors & file.color == 0 {
        return Some(State::WrongColor);
    }
    if file.flags & FileEntry::LICENSE != 0 {
        return None;
    }
    let foreign = policy.langs.is_some_and(|wanted| !speaks(&file.lang, wanted));
    let documentation = !policy.docs && file.flags & FileEntry::DOC != 0;
    (foreign || documentation).then_some(State::Excluded)
}

/// Whether a file of these languages is wanted: rpm compares each language as a prefix of the
/// wanted ones (`de` is kept for `de_CH`), and knows no `all` but by an unset list.
fn speaks(lang: &str, wanted: &[String]) -> bool {
    lang.is_empty()
        || lang
            .split('|')
            .any(|one| !one.is_empty() && wanted.iter().any(|want| want.starts_with(one)))
}

/// What one directory name of the package holds.
#[derive(Default)]
struct Holds {
    wanted: i64,
    lost: bool,
}

/// Leaves out the listed directories that lost all their files. Innermost names first, so that
/// whole subtrees go.
fn empty_directories(package: &Package, out: &mut [Option<State>]) {
    let mut order: Vec<&[u8]> = Vec::new();
    let mut holds: BTreeMap<&[u8], Holds> = BTreeMap::new();
    let mut listed: BTreeMap<&[u8], usize> = BTreeMap::new();
    for (index, (file, state)) in package.files.iter().zip(out.iter()).enumerate() {
        let (directory, _) = split(&file.path);
        let held = holds.entry(directory).or_insert_with(|| {
            order.push(directory);
            Holds::default()
        });
        match state {
            Some(_) => held.lost = true,
            None => held.wanted += 1,
        }
        if file.is_dir() && state.is_none() {
            listed.entry(&file.path).or_insert(index);
        }
    }
    for directory in order.into_iter().rev() {
        if !holds.get(directory).is_some_and(|held| held.wanted == 0 && held.lost) {
            continue;
        }
        let Some(index) = listed.remove(directory) else { continue };
        if let Some(slot) = out.get_mut(index) {
            *slot = Some(State::Excluded);
        }
        if let Some(above) = holds.get_mut(split(directory).0) {
            above.wanted -= 1;
            above.lost = true;
        }
    }
}

/// Directory and name of an absolute path; the directory without its trailing slash.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|b| *b == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::fixture::{dir, file, package};

    fn states(files: Vec<FileEntry>, docs: bool, langs: Option<&[String]>) -> Vec<Option<State>> {
        excluded(&package("p", files), &Policy { docs, langs, colors: 3 }, None)
    }

    #[test]
    fn documentation_goes_with_its_emptied_directories() {
        let doc = |path| FileEntry { flags: FileEntry::DOC, ..file(path) };
        let files = vec![
            dir("/usr/share/doc/p"),
            doc("/usr/share/doc/p/NEWS"),
            dir("/usr/share/doc/p/sub"),
            doc("/usr/share/doc/p/sub/x"),
            dir("/usr/share/doc/q"),
            doc("/usr/share/doc/q/a"),
            file("/usr/share/doc/q/b"),
        ];
        let gone = Some(State::Excluded);
        assert_eq!(states(files.clone(), false, None), [gone, gone, gone, gone, None, gone, None]);
        assert_eq!(states(files, true, None), [None; 7]);
    }

    #[test]
    fn what_plugins_leave_out_empties_directories_too() {
        let files = vec![
            dir("/usr/share/man"),
            file("/usr/share/man/a"),
            file("/usr/bin/a"),
            FileEntry { color: 4, ..file("/usr/share/man/b") },
        ];
        let filter = FilePolicy { excluded: [1, 3, 9].into() };
        let policy = Policy { docs: true, langs: None, colors: 3 };
        let found = excluded(&package("p", files), &policy, Some(&filter));
        let gone = Some(State::Excluded);
        assert_eq!(found, [gone, gone, None, Some(State::WrongColor)]);
    }

    #[test]
    fn an_empty_directory_stays() {
        let files = vec![dir("/var/lib/p"), FileEntry { flags: FileEntry::DOC, ..file("/usr/d") }];
        assert_eq!(states(files, false, None), [None, Some(State::Excluded)]);
    }

    #[test]
    fn a_licence_stays_even_as_documentation() {
        let both = FileEntry::DOC | FileEntry::LICENSE;
        let files = vec![FileEntry { flags: both, ..file("/usr/share/licenses/p/COPYING") }];
        assert_eq!(states(files, false, None), [None]);
    }

    #[test]
    fn languages_match_as_prefixes() {
        let lang = |lang: &str| FileEntry { lang: lang.to_owned(), ..file("/usr/share/l") };
        let files = vec![lang(""), lang("de"), lang("fr"), lang("fr|de"), lang("de_AT")];
        let gone = Some(State::Excluded);
        let wanted = ["de_CH".to_owned()];
        assert_eq!(states(files.clone(), true, Some(&wanted)), [None, None, gone, None, gone]);
        assert_eq!(states(files, true, Some(&[])), [None, gone, gone, gone, gone]);
    }
}
