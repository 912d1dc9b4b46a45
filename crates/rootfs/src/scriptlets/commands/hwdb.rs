//! `systemd-hwdb update`: what is known about hardware, as a trie of its names.
//! <https://github.com/systemd/systemd/blob/main/src/libsystemd/sd-hwdb/hwdb-internal.h>

mod read;
mod strings;
mod trie;

use super::listing;
use crate::scriptlets::{
    fs::{FsError, Meta},
    shell::{Flow, Shell, Status},
};
use std::collections::BTreeMap;
use trie::Trie;

const NAME: &str = "systemd-hwdb";
/// Where sources are, the strongest first.
const PLACES: [&str; 2] = ["/etc/udev/hwdb.d", "/usr/lib/udev/hwdb.d"];

/// Whether entries say where they come from: `systemd-hwdb` writes that, and `udevadm` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Full,
    Short,
}

pub(super) fn hwdb(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let parsed =
        super::parse(NAME, words, "r:us", &[("root", 'r'), ("usr", 'u'), ("strict", 's')])?;
    if parsed.operands != ["update"] || parsed.has('r') || parsed.has('s') {
        return super::unsupported(format!("{NAME} {}", words.join(" ")));
    }
    update(shell, parsed.has('u'), Form::Full)
}

/// `udevadm`: all it does but `hwdb` talks to a kernel.
pub(super) fn udevadm(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let Some((first, rest)) = words.split_first().filter(|(first, _)| *first == "hwdb") else {
        return super::nothing::ignored(shell, "udevadm", words);
    };
    let names = [("update", 'u'), ("usr", 'U')];
    let parsed = super::parse(&format!("udevadm {first}"), rest, "uU", &names)?;
    if !parsed.has('u') || !parsed.operands.is_empty() {
        return super::unsupported(format!("udevadm {}", words.join(" ")));
    }
    update(shell, parsed.has('U'), Form::Short)
}

fn update(shell: &mut Shell<'_>, usr: bool, form: Form) -> Status {
    let target = if usr { "/usr/lib/udev/hwdb.bin" } else { "/etc/udev/hwdb.bin" };
    let sources = sources(shell)?;
    if sources.is_empty() {
        if let Ok(place) = shell.fs.lookup(target.as_bytes(), false)
            && let Err(FsError::Fatal(error)) = shell.fs.unlink(&place)
        {
            return Err(error.into());
        }
        return Ok(0);
    }
    let mut trie = Trie::default();
    for (priority, path) in (1u16..).zip(sources) {
        let Some(bytes) = super::operand(shell, NAME, &path)? else { continue };
        let budget = &mut shell.budget;
        for problem in read::read(&mut trie, budget, &bytes, &path, priority, form)? {
            shell.complain(format!("{path}:{problem}"))?;
        }
    }
    let version = version(shell)?;
    let bytes = trie.write(version, form);
    let Some((directory, _)) = target.rsplit_once('/') else { return Ok(1) };
    if let Err(error) = super::make_directories(shell, directory) {
        return super::failed(shell, directory, error);
    }
    let status = listing::replace(shell, target, &bytes)?;
    let place = shell.fs.resolve(target.as_bytes(), false).map_err(FsError::from);
    let read_only = Meta { mode: Some(0o444), ..Meta::default() };
    match place.and_then(|place| shell.fs.set_meta(&place, read_only)) {
        Ok(()) => Ok(status),
        Err(error) => super::failed(shell, target, error),
    }
}

/// The source files by their names; one of a name hides those of weaker places.
fn sources(shell: &mut Shell<'_>) -> Result<Vec<String>, Flow> {
    let mut sources = BTreeMap::new();
    for place in PLACES {
        let names = match listing::files(shell, place) {
            Ok(names) => names,
            Err(FsError::Fatal(error)) => return Err(error.into()),
            Err(FsError::Errno(_)) => continue,
        };
        for name in names.into_iter().filter(|name| name.ends_with(".hwdb")) {
            let path = format!("{place}/{name}");
            let found = shell.fs.lookup(path.as_bytes(), true);
            if found.is_ok_and(|found| shell.fs.is_file(&found)) {
                sources.entry(name).or_insert(path);
            }
        }
    }
    Ok(sources.into_values().collect())
}

/// The version of systemd in the tree, which the file names and nobody reads; 0 where it is not
/// known.
fn version(shell: &mut Shell<'_>) -> Result<u64, Flow> {
    for place in ["/usr/lib/systemd", "/usr/lib64/systemd"] {
        let names = match listing::files(shell, place) {
            Ok(names) => names,
            Err(FsError::Fatal(error)) => return Err(error.into()),
            Err(FsError::Errno(_)) => continue,
        };
        let versions = names.iter().filter_map(|name| {
            let rest = name.strip_prefix("libsystemd-shared-")?;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        });
        if let Some(version) = versions.max() {
            return Ok(version);
        }
    }
    Ok(0)
}
