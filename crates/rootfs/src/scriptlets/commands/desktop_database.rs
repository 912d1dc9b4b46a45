//! `update-desktop-database`: which programs open files of which MIME type, from their desktop
//! files.
//! <https://specifications.freedesktop.org/desktop-entry-spec/latest/>

use super::glib::key_file::KeyFile;
use crate::scriptlets::{
    ScriptletError,
    fs::FsError,
    shell::{Flow, Shell, Status},
};
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "update-desktop-database";
const GROUP: &str = "Desktop Entry";
/// How deeply directories may nest.
const DEPTH: usize = 40;

/// Types of media that are registered, and those that are tolerated beside.
const MEDIA: [&str; 11] = [
    "application",
    "audio",
    "chemical",
    "font",
    "image",
    "inode",
    "message",
    "model",
    "multipart",
    "text",
    "video",
];

/// Desktop files by MIME type.
type Handlers = BTreeMap<String, BTreeSet<String>>;

pub(super) fn update(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let parsed = super::parse(NAME, words, "qv", &[("quiet", 'q'), ("verbose", 'v')])?;
    let mut directories = parsed.operands;
    if directories.is_empty() {
        let data = shell.get("XDG_DATA_DIRS").filter(|value| !value.is_empty());
        let data = data.unwrap_or("/usr/local/share/:/usr/share/");
        let named = data.split(':').filter(|name| !name.is_empty());
        directories
            .extend(named.map(|name| format!("{}/applications", name.trim_end_matches('/'))));
    }
    let mut any = false;
    for directory in &directories {
        let mut handlers = Handlers::new();
        match scan(shell, directory, "", DEPTH, &mut handlers) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(flow) => return Err(flow),
        }
        let mut text = "[MIME Cache]\n".to_owned();
        for (kind, files) in &handlers {
            text += &format!("{kind}=");
            for file in files {
                text += &format!("{file};");
            }
            text.push('\n');
        }
        any |= super::listing::replace(
            shell,
            &format!("{}/mimeinfo.cache", directory.trim_end_matches('/')),
            text.as_bytes(),
        )? == 0;
    }
    if any {
        return Ok(0);
    }
    shell.complain(format!("The databases in [{}] could not be updated.", directories.join(", ")))
}

/// Reads a directory and those below it; false when it cannot be listed.
fn scan(
    shell: &mut Shell<'_>,
    directory: &str,
    prefix: &str,
    depth: usize,
    handlers: &mut Handlers,
) -> Result<bool, Flow> {
    if depth == 0 {
        return Err(ScriptletError::Limit { what: "nested directories" }.into());
    }
    let names = match super::listing::files(shell, directory) {
        Ok(names) => names,
        Err(FsError::Fatal(error)) => return Err(error.into()),
        Err(FsError::Errno(_)) => return Ok(false),
    };
    for name in names {
        let path = format!("{directory}/{name}");
        let Ok(place) = shell.fs.lookup(path.as_bytes(), true) else { continue };
        if shell.fs.is_dir(&place) {
            scan(shell, &path, &format!("{prefix}{name}-"), depth - 1, handlers)?;
            continue;
        }
        if !name.ends_with(".desktop") {
            continue;
        }
        let Some(bytes) = super::operand(shell, NAME, &path)? else { continue };
        match kinds(&bytes) {
            Ok(kinds) => {
                for kind in kinds {
                    handlers.entry(kind).or_default().insert(format!("{prefix}{name}"));
                }
            }
            Err(error) => {
                shell.complain(format!("Could not parse file \"{path}\": {error}"))?;
            }
        }
    }
    Ok(true)
}

/// The MIME types that a desktop file names.
fn kinds(bytes: &[u8]) -> Result<Vec<String>, String> {
    let file = KeyFile::parse(bytes)?;
    let hidden = file.get(GROUP, "Hidden").map(|value| value.trim_end().to_owned());
    if matches!(hidden.as_deref(), Some("true" | "1")) || !file.has(GROUP, "MimeType") {
        return Ok(Vec::new());
    }
    let list = file.list(GROUP, "MimeType").ok_or("Key “MimeType” cannot be interpreted")?;
    let ends = [' ', '\t', '\n', '\r', '\x0b', '\x0c'];
    let all = list.into_iter().map(|kind| kind.trim_end_matches(ends).to_owned());
    Ok(all.filter(|kind| is_kind(kind)).collect())
}

/// Whether it is a MIME type that may be used.
fn is_kind(kind: &str) -> bool {
    let Some((media, rest)) = kind.split_once('/') else { return false };
    let special = |b: u8| b <= b' ' || b == 0x7f || b"()<>@,;:\\\"/[]?=".contains(&b);
    // one name is tolerated that is of no known media
    if kind == "misc/ultravox" {
        return true;
    }
    let known = MEDIA.contains(&media) || media.starts_with("x-") || media.starts_with("X-");
    known && !rest.is_empty() && !rest.bytes().any(special)
}
