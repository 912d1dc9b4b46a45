//! From files and rules to the list of what the package contains.

use super::{
    ConfigRule, FileRule, PackError, PackFile, PackFileKind, PackManifest,
    glob::{is_pattern, matches},
};
use crate::{FileCapabilities, FileEntry, ParseCapabilitiesError, package::check_path};
use std::collections::BTreeMap;

/// Why a rule is an error.
pub(super) const NO_MATCH: &str = "it matches no file";

/// `%config(noreplace)`
pub(super) const NOREPLACE: u32 = 1 << 4;

/// Directories that a package does not own by merely having files in them.
const USUAL: [&str; 44] = [
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/games",
    "/usr/include",
    "/usr/lib",
    "/usr/lib/sysusers.d",
    "/usr/lib/systemd",
    "/usr/lib/systemd/system",
    "/usr/lib/tmpfiles.d",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local",
    "/usr/sbin",
    "/usr/share",
    "/usr/share/doc",
    "/usr/share/info",
    "/usr/share/licenses",
    "/usr/share/locale",
    "/usr/share/man",
    "/usr/share/man/man1",
    "/usr/share/man/man5",
    "/usr/share/man/man8",
    "/usr/src",
    "/var",
    "/var/lib",
    "/var/log",
];

/// One entry of the header, and its content.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub path: Vec<u8>,
    pub kind: EntryKind,
    /// With the file type.
    pub mode: u16,
    pub user: String,
    pub group: String,
    pub flags: u32,
    pub caps: String,
}

#[derive(Debug, Clone)]
pub(super) enum EntryKind {
    Regular {
        content: Vec<u8>,
    },
    Directory,
    Symlink {
        target: Vec<u8>,
    },
    /// To the entry at that path.
    HardLink {
        target: Vec<u8>,
    },
}

impl Entry {
    pub fn is_ghost(&self) -> bool {
        self.flags & FileEntry::GHOST != 0
    }
}

/// The entries, sorted by path.
pub(super) fn entries(
    manifest: &PackManifest,
    files: Vec<PackFile>,
) -> Result<Vec<Entry>, PackError> {
    let mut found = BTreeMap::new();
    for file in files {
        check_path(&file.path).map_err(|reason| PackError::file(&file.path, reason))?;
        if found.insert(file.path.clone(), file.kind).is_some() {
            return Err(PackError::file(&file.path, "it occurs twice"));
        }
    }
    let mut links = BTreeMap::new();
    for (pattern, rule) in &manifest.files.0 {
        make(pattern, rule, &mut found, &mut links)?;
    }
    check_parents(&found)?;

    let mut entries = Vec::with_capacity(found.len());
    for (path, kind) in &found {
        let rule = merged(&manifest.files.0, path);
        let holds_files = || {
            let inside = [path.strip_suffix(b"/").unwrap_or(path), b"/"].concat();
            found
                .range(inside.clone()..)
                .find(|(other, _)| *other != path)
                .is_some_and(|(other, _)| other.starts_with(&inside))
        };
        let usual = std::str::from_utf8(path).is_ok_and(|path| USUAL.contains(&path));
        if *kind == PackFileKind::Directory
            && (rule.dir == Some(false) || (rule.dir.is_none() && usual && holds_files()))
        {
            continue;
        }
        entries.push(entry(path, kind, &rule, links.get(path))?);
    }
    share_attributes(&mut entries)?;
    Ok(entries)
}

/// All names of a file have the attributes of the one that the others link to.
fn share_attributes(entries: &mut [Entry]) -> Result<(), PackError> {
    let wrong = "a hard link needs a regular file of this package as its target";
    for at in 0..entries.len() {
        let Some(entry) = entries.get(at) else { continue };
        let EntryKind::HardLink { target } = &entry.kind else { continue };
        let found = entries.binary_search_by(|other| other.path.cmp(target)).ok();
        let shared = found
            .and_then(|at| entries.get(at))
            .filter(|other| matches!(other.kind, EntryKind::Regular { .. }) && !other.is_ghost())
            .filter(|_| !entry.is_ghost())
            .ok_or_else(|| PackError::file(&entry.path, wrong))?
            .clone();
        if let Some(entry) = entries.get_mut(at) {
            entry.mode = shared.mode;
            entry.user = shared.user;
            entry.group = shared.group;
            entry.caps = shared.caps;
        }
    }
    Ok(())
}

/// Checks a rule, and makes the file that it names where it may.
fn make(
    pattern: &str,
    rule: &FileRule,
    found: &mut BTreeMap<Vec<u8>, PackFileKind>,
    links: &mut BTreeMap<Vec<u8>, Vec<u8>>,
) -> Result<(), PackError> {
    let key = format!("files.{pattern}");
    let path = pattern.as_bytes();
    check_path(path).map_err(|reason| PackError::key(&key, reason))?;
    let makes = rule.dir == Some(true) || rule.ghost == Some(true) || rule.hard_link.is_some();
    if is_pattern(pattern) {
        if rule.hard_link.is_some() {
            return Err(PackError::key(key, "`hard_link` needs a path, not a pattern"));
        }
        if !found.keys().any(|path| matches(pattern.as_bytes(), path)) {
            return Err(PackError::key(key, NO_MATCH));
        }
        return Ok(());
    }
    if let Some(target) = &rule.hard_link {
        if rule.mode.is_some() || rule.user.is_some() || rule.group.is_some() || rule.caps.is_some()
        {
            let reason = "a hard link has the attributes of its target; state them there";
            return Err(PackError::key(key, reason));
        }
        if found.contains_key(path) {
            return Err(PackError::key(key, "`hard_link` names a file that is there already"));
        }
        links.insert(path.to_vec(), target.as_bytes().to_vec());
    }
    match found.get(path) {
        Some(PackFileKind::Directory) | None if rule.dir == Some(true) => {
            found.insert(path.to_vec(), PackFileKind::Directory);
        }
        Some(_) if rule.dir == Some(true) => {
            return Err(PackError::key(key, "`dir` names something that is not a directory"));
        }
        None if makes => {
            let kind = PackFileKind::Regular { content: Vec::new(), executable: false };
            found.insert(path.to_vec(), kind);
        }
        None => return Err(PackError::key(key, NO_MATCH)),
        Some(_) => {}
    }
    Ok(())
}

/// What stands above a file can only be a directory.
fn check_parents(found: &BTreeMap<Vec<u8>, PackFileKind>) -> Result<(), PackError> {
    for path in found.keys() {
        for (at, _) in path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/') {
            let parent = path.get(..at).unwrap_or_default();
            if found.get(parent).is_some_and(|kind| *kind != PackFileKind::Directory) {
                let parent = String::from_utf8_lossy(parent);
                let reason = format!("`{parent}` above it is not a directory");
                return Err(PackError::file(path, reason));
            }
        }
    }
    Ok(())
}

/// All that the rules say of a path.
fn merged(rules: &[(String, FileRule)], path: &[u8]) -> FileRule {
    let mut all = FileRule::default();
    for (pattern, rule) in rules {
        let fits = if is_pattern(pattern) {
            matches(pattern.as_bytes(), path)
        } else {
            pattern.as_bytes() == path
        };
        if fits {
            let rule = rule.clone();
            all = FileRule {
                mode: rule.mode.or(all.mode),
                user: rule.user.or(all.user),
                group: rule.group.or(all.group),
                config: rule.config.or(all.config),
                doc: rule.doc.or(all.doc),
                license: rule.license.or(all.license),
                ghost: rule.ghost.or(all.ghost),
                caps: rule.caps.or(all.caps),
                dir: rule.dir.or(all.dir),
                hard_link: rule.hard_link.or(all.hard_link),
            };
        }
    }
    all
}

fn entry(
    path: &[u8],
    kind: &PackFileKind,
    rule: &FileRule,
    link: Option<&Vec<u8>>,
) -> Result<Entry, PackError> {
    let (kind, file_type, default) = match (kind, link) {
        (_, Some(target)) => (EntryKind::HardLink { target: target.clone() }, 0o100_000, 0o644),
        (PackFileKind::Regular { content, executable }, None) => (
            EntryKind::Regular { content: content.clone() },
            0o100_000,
            if *executable { 0o755 } else { 0o644 },
        ),
        (PackFileKind::Directory, None) => (EntryKind::Directory, 0o040_000, 0o755),
        (PackFileKind::Symlink { target }, None) => {
            if target.is_empty() || target.contains(&0) {
                return Err(PackError::file(path, "a symbolic link without a proper target"));
            }
            (EntryKind::Symlink { target: target.clone() }, 0o120_000, 0o777)
        }
    };
    // patterns reach links and directories too; what has no meaning for them is left out
    let regular = file_type == 0o100_000;
    let permissions = match rule.mode {
        Some(mode) if file_type != 0o120_000 => mode.0,
        _ => default,
    };
    let mut flags = 0;
    let mut set = |on: Option<bool>, bit| {
        if on == Some(true) {
            flags |= bit;
        }
    };
    set(rule.ghost, FileEntry::GHOST);
    if file_type != 0o040_000 {
        set(rule.doc, FileEntry::DOC);
        set(rule.license, FileEntry::LICENSE);
        set(rule.config.map(|config| config != ConfigRule::No), FileEntry::CONFIG);
        set(rule.config.map(|config| config == ConfigRule::NoReplace), NOREPLACE);
    }
    let caps = rule.caps.clone().filter(|caps| regular && !caps.is_empty()).unwrap_or_default();
    if !caps.is_empty() {
        caps.parse::<FileCapabilities>()
            .map_err(|error: ParseCapabilitiesError| PackError::file(path, error.to_string()))?;
    }
    let owner = |name: &Option<String>| match name {
        Some(name) if name.is_empty() || name.contains([':', '\0', '/', ' ', '\n']) => {
            Err(PackError::file(path, format!("`{}` is not an owner", name.escape_debug())))
        }
        Some(name) => Ok(name.clone()),
        None => Ok("root".to_owned()),
    };
    Ok(Entry {
        path: path.to_vec(),
        kind,
        mode: file_type | permissions,
        user: owner(&rule.user)?,
        group: owner(&rule.group)?,
        flags,
        caps,
    })
}
