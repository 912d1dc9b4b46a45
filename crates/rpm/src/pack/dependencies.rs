//! The dependencies of a new package: what the manifest states, and what rpm expects beside it.

use super::{PackError, PackManifest, PackScriptlet, entries::Entry};
use crate::{
    Dependency, FileEntry, Sense, Tag,
    header::{Data, HeaderBuilder},
};
use std::collections::BTreeSet;

/// Name, version, flags; sorted like rpm does.
type Row = (String, String, u32);

/// rpm's name for what an architecture can run: `NAME(x86-64)`.
fn isa(arch: &str) -> Option<&'static str> {
    Some(match arch {
        "x86_64" | "x86_64_v2" | "x86_64_v3" | "x86_64_v4" => "x86-64",
        "i386" | "i486" | "i586" | "i686" => "x86-32",
        "aarch64" => "aarch-64",
        "armv7hl" => "armv7hl-32",
        "ppc64le" => "ppc-64",
        "s390x" => "s390-64",
        "riscv64" => "riscv-64",
        _ => return None,
    })
}

fn stated(key: &str, texts: &[String]) -> Result<BTreeSet<Row>, PackError> {
    let mut rows = BTreeSet::new();
    for (index, text) in texts.iter().enumerate() {
        let dependency: Dependency = text
            .parse()
            .map_err(|error| PackError::key(format!("{key}[{index}]"), format!("{error}")))?;
        rows.insert(row(&dependency));
    }
    Ok(rows)
}

fn row(dependency: &Dependency) -> Row {
    match dependency {
        Dependency::Rich(_) => (dependency.to_string(), String::new(), 0),
        Dependency::Simple(capability) => match &capability.version {
            Some((comparison, evr)) => {
                (capability.name.clone(), evr.to_string(), Sense::of(*comparison))
            }
            None => (capability.name.clone(), String::new(), 0),
        },
    }
}

/// Scriptlets with the flag of the dependency on their interpreter.
pub(super) fn scriptlets(manifest: &PackManifest) -> [(&Option<PackScriptlet>, u32, [Tag; 2]); 6] {
    let all = &manifest.scriptlets;
    [
        (&all.pre, Sense::SCRIPT_PRE, [Tag::PREIN, Tag::PREINPROG]),
        (&all.post, Sense::SCRIPT_POST, [Tag::POSTIN, Tag::POSTINPROG]),
        (&all.preun, Sense::SCRIPT_PREUN, [Tag::PREUN, Tag::PREUNPROG]),
        (&all.postun, Sense::SCRIPT_POSTUN, [Tag::POSTUN, Tag::POSTUNPROG]),
        (&all.pretrans, Sense::PRETRANS, [Tag::PRETRANS, Tag::PRETRANSPROG]),
        (&all.posttrans, Sense::POSTTRANS, [Tag::POSTTRANS, Tag::POSTTRANSPROG]),
    ]
}

/// Writes all dependency tags.
pub(super) fn write(
    manifest: &PackManifest,
    evr: &str,
    entries: &[Entry],
    header: &mut HeaderBuilder,
) -> Result<(), PackError> {
    let mut provides = stated("provides", &manifest.provides)?;
    let mut requires = stated("requires", &manifest.requires)?;
    let others = [
        (
            stated("conflicts", &manifest.conflicts)?,
            [Tag::CONFLICTNAME, Tag::CONFLICTVERSION, Tag::CONFLICTFLAGS],
        ),
        (
            stated("obsoletes", &manifest.obsoletes)?,
            [Tag::OBSOLETENAME, Tag::OBSOLETEVERSION, Tag::OBSOLETEFLAGS],
        ),
        (
            stated("recommends", &manifest.recommends)?,
            [Tag::RECOMMENDNAME, Tag::RECOMMENDVERSION, Tag::RECOMMENDFLAGS],
        ),
        (
            stated("suggests", &manifest.suggests)?,
            [Tag::SUGGESTNAME, Tag::SUGGESTVERSION, Tag::SUGGESTFLAGS],
        ),
        (
            stated("supplements", &manifest.supplements)?,
            [Tag::SUPPLEMENTNAME, Tag::SUPPLEMENTVERSION, Tag::SUPPLEMENTFLAGS],
        ),
        (
            stated("enhances", &manifest.enhances)?,
            [Tag::ENHANCENAME, Tag::ENHANCEVERSION, Tag::ENHANCEFLAGS],
        ),
    ];
    for (key, rows) in [("provides", &provides), ("obsoletes", &others[1].0)] {
        if let Some((name, ..)) = rows.iter().find(|(name, ..)| name.starts_with('(')) {
            return Err(PackError::key(key, format!("`{name}` is boolean, which cannot be here")));
        }
    }

    let name = &manifest.name;
    provides.insert((name.clone(), evr.to_owned(), Sense::EQUAL));
    if let Some(isa) = isa(&manifest.arch) {
        provides.insert((format!("{name}({isa})"), evr.to_owned(), Sense::EQUAL));
    }
    if entries.iter().any(|entry| entry.flags & FileEntry::CONFIG != 0) {
        let row = (format!("config({name})"), evr.to_owned(), Sense::EQUAL | Sense::CONFIG);
        provides.insert(row.clone());
        requires.insert(row);
    }
    let mut features = vec![
        ("CompressedFileNames", "3.0.4-1"),
        ("FileDigests", "4.6.0-1"),
        ("PayloadFilesHavePrefix", "4.0-1"),
        ("PayloadIsZstd", "5.4.18-1"),
    ];
    for (scriptlet, flag, _) in scriptlets(manifest) {
        let Some(scriptlet) = scriptlet else { continue };
        match scriptlet.program.first().map(String::as_str) {
            Some("<lua>") => features.push(("BuiltinLuaScripts", "4.2.2-1")),
            Some(program) => {
                requires.insert((program.to_owned(), String::new(), Sense::INTERP | flag));
            }
            None => {}
        }
        if scriptlet.program.len() > 1 {
            features.push(("ScriptletInterpreterArgs", "4.0.3-1"));
        }
    }
    if entries.iter().any(|entry| !entry.caps.is_empty()) {
        features.push(("FileCaps", "4.6.1-1"));
    }
    let mut rows = requires.iter().chain(&provides);
    let others_rows = || others.iter().flat_map(|(rows, _)| rows);
    if rows.clone().chain(others_rows()).any(|(name, ..)| name.starts_with('(')) {
        features.push(("RichDependencies", "4.12.0-1"));
    }
    if rows.clone().chain(others_rows()).any(|(_, version, _)| version.contains('~')) {
        features.push(("TildeInVersions", "4.10.0-1"));
    }
    if rows.any(|(_, version, _)| version.contains('^'))
        || others_rows().any(|(_, version, _)| version.contains('^'))
    {
        features.push(("CaretInVersions", "4.15.0-1"));
    }
    for (feature, version) in features {
        let flags = Sense::LESS | Sense::EQUAL | Sense::RPMLIB;
        requires.insert((format!("rpmlib({feature})"), version.to_owned(), flags));
    }

    let fixed = [
        (provides, [Tag::PROVIDENAME, Tag::PROVIDEVERSION, Tag::PROVIDEFLAGS]),
        (requires, [Tag::REQUIRENAME, Tag::REQUIREVERSION, Tag::REQUIREFLAGS]),
    ];
    for (rows, [names, versions, flags]) in fixed.into_iter().chain(others) {
        let strings =
            |pick: fn(&Row) -> &str| rows.iter().map(|row| pick(row).as_bytes().to_vec()).collect();
        header
            .set(names, Data::StringArray(strings(|row| &row.0)))
            .set(versions, Data::StringArray(strings(|row| &row.1)))
            .set(flags, Data::Int32(rows.iter().map(|row| row.2).collect()));
    }
    Ok(())
}
