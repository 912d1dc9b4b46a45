//! `trust extract` of p11-kit: the certificates that a distribution trusts, in the forms that
//! libraries read. `update-ca-trust` is a script that calls it.
//! <https://p11-glue.github.io/p11-glue/p11-kit/manual/trust-module.html>
//!
//! Sources are the files in p11-kit's own form that `ca-certificates` brings. What a person puts
//! beside them, and forms that are seldom asked for, need the program itself.

mod certificate;
mod der;
mod formats;
mod objects;

use super::listing;
use crate::scriptlets::{
    ScriptletError,
    fs::{FsError, Meta},
    shell::{Flow, Shell, Status},
};
use certificate::{Certificate, Store};

/// Where sources are, in the order in which they are read.
const PLACES: [&str; 2] = ["/etc/pki/ca-trust/source", "/usr/share/pki/ca-trust-source"];
/// What a person trusts or does not trust, beside the sources.
const BESIDE: [&str; 3] = ["anchors", "blacklist", "blocklist"];

/// What certificates are for, as options and as object identifiers.
const PURPOSES: [(&str, &[u8]); 4] = [
    ("server-auth", &[0x2b, 6, 1, 5, 5, 7, 3, 1]),
    ("client-auth", &[0x2b, 6, 1, 5, 5, 7, 3, 2]),
    ("code-signing", &[0x2b, 6, 1, 5, 5, 7, 3, 3]),
    ("email", &[0x2b, 6, 1, 5, 5, 7, 3, 4]),
];

fn needed<T>(what: &str) -> Result<T, Flow> {
    Err(ScriptletError::NeedsProgram { program: what.to_owned(), line: 0 }.into())
}

pub(super) fn trust(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let Some((_, rest)) = words.split_first().filter(|(verb, _)| *verb == "extract") else {
        return needed("trust");
    };
    let names =
        [("format", 'f'), ("filter", 'F'), ("overwrite", 'o'), ("comment", 'c'), ("purpose", 'p')];
    let parsed = super::parse("trust extract", rest, "f:F:ocp:", &names)?;
    let [target] = parsed.operands.as_slice() else { return needed("trust") };
    let mut purposes: Vec<&[u8]> = Vec::new();
    for (_, name) in parsed.options.iter().filter(|(letter, _)| *letter == 'p') {
        match PURPOSES.iter().find(|(own, _)| own == name) {
            Some((_, oid)) => purposes.push(oid),
            None => return needed("trust"),
        }
    }
    let anchors = match parsed.value('F') {
        Some("ca-anchors") => true,
        Some("certificates") => false,
        _ => return needed("trust"),
    };
    let store = store(shell)?;
    let chosen: Vec<&Certificate> = store.choose(anchors, &purposes);
    let comments = parsed.has('c');
    let bytes = match parsed.value('f') {
        Some("pem-bundle") => formats::pem(&chosen, comments),
        Some("openssl-bundle") => formats::openssl(&store, &chosen, comments),
        Some("java-cacerts") => formats::java(&chosen, shell.fs.mtime),
        Some("edk2-cacerts") => formats::edk2(&chosen),
        _ => return needed("trust"),
    };
    if !parsed.has('o') && shell.fs.lookup(target.as_bytes(), false).is_ok() {
        return shell.complain(format!("p11-kit: couldn't create file: {target}: File exists"));
    }
    let status = listing::replace(shell, target, &bytes)?;
    if status != 0 {
        return Ok(status);
    }
    let read_only = Meta { mode: Some(0o444), ..Meta::default() };
    let place = shell.fs.resolve(target.as_bytes(), false).map_err(FsError::from);
    match place.and_then(|place| shell.fs.set_meta(&place, read_only)) {
        Ok(()) => Ok(0),
        Err(error) => super::failed(shell, target, error),
    }
}

/// All that the sources hold.
fn store(shell: &mut Shell<'_>) -> Result<Store, Flow> {
    let mut store = Store::default();
    for place in PLACES {
        for beside in BESIDE {
            match listing::files(shell, &format!("{place}/{beside}")) {
                Ok(names) if names.iter().any(|name| name != "README") => return needed("trust"),
                Err(FsError::Fatal(error)) => return Err(error.into()),
                _ => {}
            }
        }
        let names = match listing::files(shell, place) {
            Ok(names) => names,
            Err(FsError::Fatal(error)) => return Err(error.into()),
            Err(FsError::Errno(_)) => continue,
        };
        for name in names {
            let path = format!("{place}/{name}");
            let found = shell.fs.lookup(path.as_bytes(), true);
            if name == "README" || !found.is_ok_and(|found| shell.fs.is_file(&found)) {
                continue;
            }
            let Some(bytes) = super::operand(shell, "trust", &path)? else { continue };
            let text = String::from_utf8_lossy(&bytes);
            if text.contains("[p11-kit-object-v1]") {
                match objects::parse(&text) {
                    Some(objects) => {
                        for object in &objects {
                            if !store.add(object) {
                                return needed("trust");
                            }
                        }
                    }
                    None => return needed("trust"),
                }
            } else if text.contains("-----BEGIN") || bytes.starts_with(&[0x30]) {
                return needed("trust");
            }
        }
    }
    Ok(store)
}
