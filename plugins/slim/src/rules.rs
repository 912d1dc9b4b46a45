//! Which file stays.

use crate::locale::{Kept, is_locale};
use strata_plugin_sdk::{File, Kind};

/// What is wanted.
#[derive(Debug, Default)]
pub struct Keep {
    /// Documentation.
    pub docs: bool,
    /// Manual pages.
    pub man: bool,
    /// Info pages.
    pub info: bool,
    /// Translations.
    pub locales: Kept,
}

/// What people read and programs do not.
const DOCS: &[&str] =
    &["/usr/share/doc/", "/usr/share/gtk-doc/", "/usr/share/doc-base/", "/usr/doc/"];
const MAN: &[&str] = &["/usr/share/man/", "/usr/local/share/man/", "/usr/man/"];
const INFO: &[&str] = &["/usr/share/info/", "/usr/local/share/info/"];
/// A directory for each language.
const HELP: &str = "/usr/share/help/";
const TRANSLATIONS: &[&str] = &["/usr/share/locale/", "/usr/local/share/locale/"];
/// How programs sort, compare and encode: no translation, and who installs it wants it.
const FUNCTIONAL: &str = "/usr/lib/locale/";

/// What licenses are called among the documentation of packages that mark nothing.
const LICENSES: &[&str] = &[
    "copyright",
    "copyrights",
    "copying",
    "license",
    "licenses",
    "licence",
    "licences",
    "unlicense",
    "notice",
    "notices",
    "patents",
];
/// A package of Debian has a link to another one's directory here, with the copyright of both.
const OF_PACKAGES: &str = "/usr/share/doc/";

/// Whether a file stays. Directories do; strata drops those that are left empty.
pub fn stays(file: &File, keep: &Keep) -> bool {
    if file.kind == Kind::Directory || file.license || file.path.starts_with(FUNCTIONAL) {
        return true;
    }
    // rpm marks manuals and info pages as documentation, too: their place says more
    if let Some(below) = below(&file.path, MAN) {
        let language = first(below).filter(|name| !name.starts_with("man"));
        return keep.man && language.is_none_or(|name| keep.locales.has(name));
    }
    if below(&file.path, INFO).is_some() {
        return keep.info;
    }
    if let Some(below) = file.path.strip_prefix(HELP) {
        return keep.docs && first(below).is_none_or(|name| keep.locales.has(name));
    }
    let is_doc = file.doc || below(&file.path, DOCS).is_some();
    if is_doc && (is_license(&file.path) || is_link_to_docs(file)) {
        return true;
    }
    if is_doc && !keep.docs {
        return false;
    }
    let of_place = below(&file.path, TRANSLATIONS).and_then(first).filter(|name| is_locale(name));
    match of_place {
        Some(language) => keep.locales.has(language),
        None => file.langs.is_empty() || file.langs.iter().any(|name| keep.locales.has(name)),
    }
}

fn below<'a>(path: &'a str, directories: &[&str]) -> Option<&'a str> {
    directories.iter().find_map(|directory| path.strip_prefix(directory))
}

/// The first directory of a path.
fn first(path: &str) -> Option<&str> {
    path.split_once('/').map(|(name, _)| name)
}

/// Whether a file or a directory above it is called after licenses: one of the words that make up
/// its name, `OPEN-SANS-LICENSE.txt`, `licenses/MIT`, `COPYING3`.
fn is_license(path: &str) -> bool {
    path.split(['/', '-', '_', '.', ' ']).any(|word| {
        let name = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
        LICENSES.iter().any(|license| name.eq_ignore_ascii_case(license))
    })
}

fn is_link_to_docs(file: &File) -> bool {
    file.kind == Kind::Symlink
        && file.path.strip_prefix(OF_PACKAGES).is_some_and(|name| !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> File {
        File {
            path: path.to_owned(),
            kind: Kind::File,
            mode: 0o644,
            size: 1,
            doc: false,
            license: false,
            config: false,
            langs: Vec::new(),
        }
    }

    fn keep(locales: &str) -> Keep {
        Keep { locales: Kept::parse(&[locales.to_owned()]).unwrap(), ..Keep::default() }
    }

    #[track_caller]
    fn check(keep: &Keep, stay: &[&str], go: &[&str]) {
        for path in stay {
            assert!(stays(&file(path), keep), "{path} stays");
        }
        for path in go {
            assert!(!stays(&file(path), keep), "{path} goes");
        }
    }

    #[test]
    fn without_settings_what_people_read_goes_and_what_programs_need_stays() {
        check(
            &Keep::default(),
            &[
                "/usr/bin/ls",
                "/usr/share/doc/ls/copyright",
                "/usr/share/doc/ls/COPYING.LIB",
                "/usr/share/doc/ls/LICENSE-MIT",
                "/usr/share/doc/ls/OPEN-SANS-LICENSE.txt",
                "/usr/share/doc/ls/Third_Party_Notices.md",
                "/usr/share/doc/ls/licenses/MIT.txt",
                "/usr/share/doc/ls/COPYING3",
                "/usr/share/doc/ls/COPYING.v2",
                "/usr/share/licenses/ls/COPYING",
                "/usr/share/locale/locale.alias",
                "/usr/lib/locale/C.utf8/LC_CTYPE",
                "/usr/lib/locale/de_DE.utf8/LC_CTYPE",
                "/usr/share/manuals/x",
                "/usr/share/locale/C/LC_MESSAGES/a.mo",
            ],
            &[
                "/usr/share/doc/ls/README",
                "/usr/share/doc/ls/licensees.txt",
                "/usr/share/gtk-doc/html/a.html",
                "/usr/share/help/C/a/index.page",
                "/usr/share/man/man1/ls.1.gz",
                "/usr/share/man/de/man1/ls.1.gz",
                "/usr/share/info/ls.info.gz",
                "/usr/share/locale/de/LC_MESSAGES/ls.mo",
                "/usr/share/locale/en_GB/LC_MESSAGES/ls.mo",
            ],
        );
    }

    #[test]
    fn languages_of_the_list_stay_wherever_they_are() {
        let keep = Keep { man: true, docs: true, ..keep("de") };
        check(
            &keep,
            &[
                "/usr/share/man/man1/ls.1.gz",
                "/usr/share/man/de/man1/ls.1.gz",
                "/usr/share/locale/de_AT/LC_MESSAGES/ls.mo",
                "/usr/share/help/C/a/index.page",
                "/usr/share/help/de/a/index.page",
                "/usr/share/doc/ls/README",
            ],
            &[
                "/usr/share/man/fr/man1/ls.1.gz",
                "/usr/share/locale/fr/LC_MESSAGES/ls.mo",
                "/usr/share/help/fr/a/index.page",
                "/usr/share/info/ls.info.gz",
            ],
        );
    }

    #[test]
    fn marks_of_the_package_count_outside_the_usual_places() {
        let doc = File { doc: true, ..file("/usr/lib/p/README") };
        let license = File { doc: true, license: true, ..file("/usr/share/doc/p/AUTHORS") };
        let german = File { langs: vec!["de".to_owned()], ..file("/usr/lib/p/de.qm") };
        assert!(!stays(&doc, &Keep::default()) && stays(&license, &Keep::default()));
        assert!(!stays(&german, &keep("fr")) && stays(&german, &keep("de")));
        assert!(stays(&doc, &Keep { docs: true, ..Keep::default() }));
    }

    #[test]
    fn licenses_stay_where_a_package_calls_them_documentation() {
        for (path, stay) in
            [("COPYING", true), ("licenses/MIT.txt", true), ("README", false), ("copyist", false)]
        {
            let doc = File { doc: true, ..file(&format!("/usr/lib/p/{path}")) };
            assert_eq!(stays(&doc, &Keep::default()), stay, "{path}");
        }
    }

    #[test]
    fn links_from_package_to_package_lead_to_licenses() {
        let link = |path: &str| File { kind: Kind::Symlink, ..file(path) };
        assert!(stays(&link("/usr/share/doc/libls-dev"), &Keep::default()));
        assert!(!stays(&link("/usr/share/doc/ls/README"), &Keep::default()));
        assert!(!stays(&file("/usr/share/doc/README"), &Keep::default()));
    }

    #[test]
    fn a_manual_that_rpm_marks_as_documentation_is_a_manual() {
        let man = File { doc: true, ..file("/usr/share/man/man1/ls.1.gz") };
        assert!(stays(&man, &Keep { man: true, ..Keep::default() }));
        assert!(!stays(&man, &Keep { docs: true, ..Keep::default() }));
    }

    #[test]
    fn directories_are_left_to_strata() {
        let directory = File { kind: Kind::Directory, ..file("/usr/share/man/man1") };
        assert!(stays(&directory, &Keep::default()));
    }
}
