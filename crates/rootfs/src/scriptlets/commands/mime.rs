//! `update-mime-database`: the MIME types that packages describe, as lists and as a cache.
//! <https://specifications.freedesktop.org/shared-mime-info-spec/latest/>
//!
//! The cache is always written: what would make it current are the times of directories, which
//! are all 0 here.

mod cache;
mod element;
mod load;
mod magic;

use super::listing;
use crate::scriptlets::{
    ScriptletError,
    fs::FsError,
    shell::{Flow, Shell, Status},
};
use element::Element;
use load::{Database, Glob, Problem};
use std::collections::BTreeSet;

const NAME: &str = "update-mime-database";

/// Directories in which files of types that are gone are looked for.
const MEDIA: [&str; 16] = [
    "all",
    "uri",
    "print",
    "text",
    "application",
    "image",
    "audio",
    "inode",
    "video",
    "message",
    "model",
    "multipart",
    "x-content",
    "x-epoc",
    "x-scheme-handler",
    "font",
];

pub(super) fn update(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let parsed = super::parse(NAME, words, "Vn", &[])?;
    let [directory] = parsed.operands.as_slice() else {
        return shell.complain(format!("Usage: {NAME} [-hvVn] MIME-DIR"));
    };
    let directory = directory.trim_end_matches('/');
    let packages = format!("{directory}/packages");
    let names = match listing::files(shell, &packages) {
        Ok(names) => names,
        Err(FsError::Fatal(error)) => return Err(error.into()),
        Err(FsError::Errno(_)) => {
            return shell.complain(format!("Directory '{packages}' does not exist!"));
        }
    };
    let version = version(shell)?;
    let mut names: Vec<String> = names.into_iter().filter(|name| name.ends_with(".xml")).collect();
    // what a person has changed comes last
    names.sort_by_key(|name| name == "Override.xml");
    let mut database = Database::default();
    for name in names {
        let path = format!("{packages}/{name}");
        let Some(bytes) = super::operand(shell, NAME, &path)? else { continue };
        let root = match element::read(&bytes) {
            Ok(root) => root,
            Err(error) => {
                shell.complain(format!("Failed to parse '{path}': {error}"))?;
                continue;
            }
        };
        for problem in database.load(&root) {
            match problem {
                Problem::Warning(text) => shell.complain(format!("Error in {path}: {text}."))?,
                Problem::Unknown(what) => return super::unsupported(what),
            };
        }
    }
    database.magic.sort_by(|a, b| {
        let order = b.none.cmp(&a.none);
        let both = a.none || b.none;
        if both { order } else { b.priority.cmp(&a.priority).then(halves(&a.kind, &b.kind)) }
    });
    database.tree_magic.sort_by(|a, b| b.priority.cmp(&a.priority).then(halves(&a.kind, &b.kind)));
    forget(shell, directory, &database)?;
    for (name, written) in database.kinds.iter() {
        kind(shell, directory, name, written)?;
    }
    for (name, bytes) in lists(&database) {
        listing::replace(shell, &format!("{directory}/{name}"), &bytes)?;
    }
    let bytes = cache::write(&database)?;
    listing::replace(shell, &format!("{directory}/mime.cache"), &bytes)?;
    listing::replace(shell, &format!("{directory}/version"), version.as_bytes())
}

/// Types are in order by their media first.
fn halves(a: &str, b: &str) -> std::cmp::Ordering {
    a.split('/').cmp(b.split('/'))
}

/// The version of the program, which it leaves in a file.
fn version(shell: &mut Shell<'_>) -> Result<String, Flow> {
    for place in ["/usr/share/pkgconfig", "/usr/lib64/pkgconfig", "/usr/lib/pkgconfig"] {
        let text = super::text_of(shell, &format!("{place}/shared-mime-info.pc"))?;
        let mut lines = text.iter().flat_map(|text| text.lines());
        if let Some(version) = lines.find_map(|line| line.strip_prefix("Version:")) {
            return Ok(format!("{}\n", version.trim()));
        }
    }
    Err(ScriptletError::NeedsProgram { program: NAME.to_owned(), line: 0 }.into())
}

/// Removes the files of types that are gone.
fn forget(shell: &mut Shell<'_>, directory: &str, database: &Database) -> Result<(), Flow> {
    for media in MEDIA {
        let Ok(names) = listing::files(shell, &format!("{directory}/{media}")) else { continue };
        for name in names {
            let Some(rest) = name.strip_suffix(".xml") else { continue };
            if database.kinds.get(&format!("{media}/{rest}")).is_some() {
                continue;
            }
            let path = format!("{directory}/{media}/{name}");
            if let Ok(place) = shell.fs.lookup(path.as_bytes(), false)
                && let Err(FsError::Fatal(error)) = shell.fs.unlink(&place)
            {
                return Err(error.into());
            }
        }
    }
    Ok(())
}

/// Writes what there is to say of a type.
fn kind(shell: &mut Shell<'_>, directory: &str, name: &str, written: &Element) -> Status {
    let lower = name.to_ascii_lowercase();
    let path = format!("{directory}/{lower}.xml");
    let Some((media, _)) = path.rsplit_once('/') else { return Ok(1) };
    let place = shell.fs.resolve(media.as_bytes(), true).map_err(FsError::from);
    let made = place.and_then(|place| match shell.fs.exists(&place) {
        true => Ok(()),
        false => shell.fs.mkdir(&place, 0o755),
    });
    if let Err(error) = made {
        return super::failed(shell, media, error);
    }
    let mut text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_owned();
    written.write(&mut text, 0, true);
    text.push('\n');
    listing::replace(shell, &path, text.as_bytes())
}

/// The files of lists.
fn lists(database: &Database) -> Vec<(&'static str, Vec<u8>)> {
    let note = "# This file was automatically generated by the\n\
                # update-mime-database command. DO NOT EDIT!\n";
    let (mut globs, mut globs2) = (note.to_owned(), note.to_owned());
    let mut all: Vec<&Glob> = database.globs.iter().flat_map(|(_, globs)| globs).collect();
    all.sort_by(|a, b| {
        let order = b.none.cmp(&a.none);
        if a.none || b.none { order } else { b.weight.cmp(&a.weight) }
    });
    for glob in all.into_iter().filter(|glob| !glob.pattern.contains('\n')) {
        let Glob { weight, pattern, kind, .. } = glob;
        globs += &format!("{kind}:{pattern}\n");
        if glob.case_sensitive {
            globs2 += &format!("{weight}:{kind}:{pattern}:cs\n");
        }
        globs2 += &format!("{weight}:{kind}:{pattern}\n");
    }
    let mut magic = b"MIME-Magic\0\n".to_vec();
    for rules in &database.magic {
        magic.extend(format!("[{}:{}]\n", rules.priority, rules.kind).bytes());
        rules.matches.iter().for_each(|one| one.write(&mut magic, 0));
    }
    let mut tree_magic = b"MIME-TreeMagic\0\n".to_vec();
    for rules in &database.tree_magic {
        tree_magic.extend(format!("[{}:{}]\n", rules.priority, rules.kind).bytes());
        rules.matches.iter().for_each(|one| one.write(&mut tree_magic, 0));
    }
    let sorted = |lines: BTreeSet<String>| lines.into_iter().collect::<String>().into_bytes();
    let namespaces = database.namespaces.iter();
    let namespaces = namespaces.map(|(name, kind)| format!("{name} {kind}\n")).collect();
    let aliases = database.aliases.iter().map(|(alias, kind)| format!("{alias} {kind}\n"));
    let types = database.kinds.iter().map(|(name, _)| format!("{name}\n"));
    let parents = database.parents.iter();
    let parents: String = parents
        .flat_map(|(kind, parents)| parents.iter().map(move |parent| format!("{kind} {parent}\n")))
        .collect();
    let icon = |(kind, icon): (&str, &String)| format!("{kind}:{icon}\n");
    vec![
        ("globs", globs.into_bytes()),
        ("globs2", globs2.into_bytes()),
        ("magic", magic),
        ("XMLnamespaces", sorted(namespaces)),
        ("subclasses", parents.into_bytes()),
        ("aliases", sorted(aliases.collect())),
        ("types", sorted(types.collect())),
        ("generic-icons", database.generic_icons.iter().map(icon).collect::<String>().into_bytes()),
        ("icons", database.icons.iter().map(icon).collect::<String>().into_bytes()),
        ("treemagic", tree_magic),
    ]
}
