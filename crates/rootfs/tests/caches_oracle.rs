//! Caches that commands of scriptlets build, against the programs themselves: on what the machine
//! has installed, on parts of it, and on input that is damaged.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr, reason = "tests")]
#![allow(clippy::disallowed_types, reason = "tests")]

use std::path::{Path, PathBuf};
use strata_testkit::tool;

#[path = "support/caches.rs"]
mod caches;
use caches::*;

/// The directories of a kind on this machine, and below the root that `STRATA_CACHES_ROOT` names.
fn places(inside: &str) -> Vec<PathBuf> {
    let more = std::env::var_os("STRATA_CACHES_ROOT").map(PathBuf::from);
    let roots = [Some(PathBuf::from("/")), more];
    let all = roots.into_iter().flatten().map(|root| root.join(inside));
    all.filter(|place| place.is_dir()).collect()
}

/// The entries of a directory, at another place.
fn at(place: &Path, inside: &str) -> Entries {
    let found = entries(place).into_iter();
    let mut all: Entries = found.map(|(name, left)| (format!("{inside}/{name}"), left)).collect();
    let mut above = inside;
    loop {
        all.insert(above.to_owned(), Left::Directory);
        match above.rsplit_once('/') {
            Some((parent, _)) => above = parent,
            None => return all,
        }
    }
}

/// Runs both, and says how they differ.
fn same(input: &Entries, words: &[&str]) -> Result<(), String> {
    let (left, status, said) = theirs(input, words);
    let mut expected = left;
    expected.entry("usr".to_owned()).or_insert(Left::Directory);
    let (mut found, our_status, we_said) =
        ours(&tree(input, &[words[0]]), words).map_err(|error| error.to_string())?;
    found.entry("usr".to_owned()).or_insert(Left::Directory);
    if status != our_status {
        return Err(format!("status {our_status}, not {status}\n{we_said}\n---\n{said}"));
    }
    for (name, left) in &expected {
        match found.get(name) {
            Some(own) if own == left => {}
            Some(Left::File(mode, bytes)) => {
                let Left::File(their_mode, theirs) = left else { return Err(name.clone()) };
                let first = bytes.iter().zip(theirs).position(|(a, b)| a != b);
                if let Ok(place) = std::env::var("STRATA_CACHES_KEEP") {
                    let _ = std::fs::write(format!("{place}/ours"), bytes);
                    let _ = std::fs::write(format!("{place}/theirs"), theirs);
                }
                return Err(format!(
                    "{name}: mode {mode:o} {their_mode:o}, {} and {} bytes, first at {first:?}\n\
                     {we_said}\n---\n{said}",
                    bytes.len(),
                    theirs.len()
                ));
            }
            other => return Err(format!("{name}: {other:?} instead of {left:?}\n{we_said}")),
        }
    }
    match found.keys().find(|name| !expected.contains_key(*name)) {
        Some(name) => Err(format!("{name} is not there\n{we_said}\n---\n{said}")),
        None => Ok(()),
    }
}

/// A part of the files below a directory, some of them damaged.
fn part(all: &Entries, dice: &mut Dice, keep: u64, damage: bool) -> Entries {
    let mut some = Entries::new();
    for (name, left) in all {
        let mut left = left.clone();
        if let Left::File(_, bytes) = &mut left {
            if dice.roll(100) >= keep {
                continue;
            }
            if damage && dice.roll(4) == 0 && !bytes.is_empty() {
                let spot = dice.roll(bytes.len() as u64) as usize;
                match dice.roll(4) {
                    0 => bytes.truncate(spot),
                    1 => bytes[spot] = b"<>&\"'x0=[];"[dice.roll(11) as usize],
                    2 => drop(bytes.remove(spot)),
                    _ => bytes.insert(spot, b"\n \\/:-9"[dice.roll(7) as usize]),
                }
            }
        }
        some.insert(name.clone(), left);
    }
    some
}

const SCHEMAS: &str = "usr/share/glib-2.0/schemas";

#[test]
fn schemas_as_installed_and_in_parts() {
    if tool("glib-compile-schemas").is_none() {
        return;
    }
    let words = ["glib-compile-schemas", "/usr/share/glib-2.0/schemas"];
    let mut dice = Dice(7);
    let mut runs = 0;
    for place in places(SCHEMAS) {
        let mut all = at(&place, SCHEMAS);
        all.remove(&format!("{SCHEMAS}/gschemas.compiled"));
        same(&all, &words).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
        for (keep, damage) in
            [5, 20, 50, 80].into_iter().flat_map(|keep| [(keep, false), (keep, true)])
        {
            for _ in 0..5 {
                let some = part(&all, &mut dice, keep, damage);
                same(&some, &words).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
                runs += 1;
            }
        }
    }
    eprintln!("{runs} sets of schemas");
}

const APPLICATIONS: &str = "usr/share/applications";

#[test]
fn desktop_files_as_installed_and_in_parts() {
    if tool("update-desktop-database").is_none() {
        return;
    }
    let words = ["update-desktop-database", "-q", "/usr/share/applications"];
    let mut dice = Dice(11);
    let mut runs = 0;
    for place in places(APPLICATIONS) {
        let mut all = at(&place, APPLICATIONS);
        let odd = [
            "Hidden=1",
            "Hidden=TRUE",
            "Name[a b]=x",
            "MimeType=text/a;;foo/b;text/c d;x-e/f",
            "MimeType=text/a\\",
            " Foo bar=1",
            "[Other]",
            " # no",
            "=x",
            "MimeType=a\\;b;misc/ultravox",
            "[Desktop Entry]",
            "MimeType[de]=text/x",
            "ä=ö",
            "Key[xx]y=1",
            "MimeType=te/x t/é; text/y ",
        ];
        for number in 0..40 {
            let mut text = "[Desktop Entry]\nMimeType=text/plain;image/png\n".to_owned();
            for _ in 0..dice.roll(3) {
                text += &format!("{}\n", odd[dice.roll(odd.len() as u64) as usize]);
            }
            let name = format!("{APPLICATIONS}/sub{}/odd{number}.desktop", number % 3);
            all.insert(name, Left::File(0o644, text.into_bytes()));
        }
        same(&all, &words).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
        for round in 0..40 {
            let some = part(&all, &mut dice, 20 + round, round % 2 == 1);
            same(&some, &words).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
            runs += 1;
        }
    }
    eprintln!("{runs} sets of desktop files");
}
