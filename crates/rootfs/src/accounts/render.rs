//! The account databases of an image: what the packages carry, and lines for whom they lack, as
//! systemd-sysusers writes them.

use super::{Definitions, Ids, Owners, Primary, owners};
use std::collections::{BTreeMap, BTreeSet};

/// What the image's tree has now.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sources<'a> {
    /// `/etc/passwd`
    pub passwd: Option<&'a [u8]>,
    /// `/etc/group`
    pub group: Option<&'a [u8]>,
    /// `/etc/shadow`
    pub shadow: Option<&'a [u8]>,
    /// `/etc/gshadow`
    pub gshadow: Option<&'a [u8]>,
}

/// New contents; none where nothing changes. `/etc/shadow` and `/etc/gshadow` are only kept up
/// where a package carries them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// `/etc/passwd`
    pub passwd: Option<Vec<u8>>,
    /// `/etc/group`
    pub group: Option<Vec<u8>>,
    /// `/etc/shadow`
    pub shadow: Option<Vec<u8>>,
    /// `/etc/gshadow`
    pub gshadow: Option<Vec<u8>>,
}

/// Adds the accounts that the packaged files lack. `epoch` (seconds since 1970) dates passwords.
pub fn render(definitions: &Definitions, ids: &Ids, sources: &Sources<'_>, epoch: u64) -> Rendered {
    let owners = owners(definitions, ids);
    let known_users: BTreeSet<&str> = definitions.passwd.iter().map(|e| e.name.as_str()).collect();
    let known_groups: BTreeSet<&str> = definitions.group.iter().map(|e| e.name.as_str()).collect();
    let mut members: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (user, group) in &definitions.members {
        members.entry(group).or_default().insert(user);
    }

    let mut users = Lines::default();
    let mut shadow = Lines::default();
    for user in definitions.users.iter().filter(|user| !known_users.contains(user.name.as_str())) {
        let name = &user.name;
        let gid = match &user.primary {
            Primary::Own => owners.gid(name),
            Primary::Number(gid) => Some(*gid),
            Primary::Named(group) => owners.gid(group),
        };
        let (Some(uid), Some(gid)) = (owners.uid(name), gid) else { continue };
        let root = uid == 0;
        let home = user.home.as_deref().unwrap_or(if root { "/root" } else { "/" });
        let shell = if root { "/bin/sh" } else { "/usr/sbin/nologin" };
        let shell = user.shell.as_deref().unwrap_or(shell);
        let description = &user.description;
        users.push(name, format!("{name}:x:{uid}:{gid}:{description}:{home}:{shell}"));
        let expires = if user.locked { "1" } else { "" };
        shadow.push(name, format!("{name}:!*:{}:::::{expires}:", epoch / 86_400));
    }

    let mut groups = Lines::default();
    let mut gshadow = Lines::default();
    for name in new_groups(definitions, &owners, &known_groups) {
        let Some(gid) = owners.gid(name) else { continue };
        let members = joined(members.get(name));
        groups.push(name, format!("{name}:x:{gid}:{members}"));
        gshadow.push(name, format!("{name}:!*::{members}"));
    }

    let member_field = |line: &str, field: usize| add_members(line, field, &members);
    Rendered {
        passwd: rewrite(sources.passwd.unwrap_or_default(), &users, |_| None),
        group: rewrite(sources.group.unwrap_or_default(), &groups, |line| member_field(line, 3)),
        shadow: sources.shadow.and_then(|text| rewrite(text, &shadow, |_| None)),
        gshadow: sources
            .gshadow
            .and_then(|text| rewrite(text, &gshadow, |line| member_field(line, 3))),
    }
}

/// The groups to make, in systemd's order: those with lines of their own, then the users' ones.
fn new_groups<'a>(
    definitions: &'a Definitions,
    owners: &Owners,
    known: &BTreeSet<&str>,
) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    let own = definitions.users.iter().filter(|user| user.primary == Primary::Own);
    definitions
        .groups
        .iter()
        .map(|group| group.name.as_str())
        .chain(own.map(|user| user.name.as_str()))
        .filter(|name| !known.contains(name) && owners.gid(name).is_some() && seen.insert(*name))
        .collect()
}

/// Lines to add, by the account they are for.
#[derive(Default)]
struct Lines {
    names: BTreeSet<String>,
    lines: Vec<String>,
}

impl Lines {
    fn push(&mut self, name: &str, line: String) {
        self.names.insert(name.to_owned());
        self.lines.push(line);
    }
}

/// The old text with new lines before the first NIS line, or at the end; none if nothing changes.
fn rewrite(old: &[u8], new: &Lines, change: impl Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::with_capacity(old.len());
    let mut changed = false;
    let mut added = false;
    let names: BTreeSet<&[u8]> =
        old.split(|b| *b == b'\n').filter_map(|line| line.split(|b| *b == b':').next()).collect();
    let mut add = |out: &mut Vec<u8>| {
        for line in &new.lines {
            let name = line.split(':').next().unwrap_or_default();
            if !names.contains(name.as_bytes()) {
                out.extend_from_slice(line.as_bytes());
                out.push(b'\n');
                changed = true;
            }
        }
    };
    let mut edited = false;
    for line in old.split_inclusive(|b| *b == b'\n') {
        if !added && matches!(line.first(), Some(b'+' | b'-')) {
            add(&mut out);
            added = true;
        }
        let whole = line.strip_suffix(b"\n").unwrap_or(line);
        match str::from_utf8(whole).ok().and_then(&change) {
            Some(line) => {
                out.extend_from_slice(line.as_bytes());
                edited = true;
            }
            None => out.extend_from_slice(whole),
        }
        out.push(b'\n');
    }
    if !added {
        add(&mut out);
    }
    (changed || edited).then_some(out)
}

/// A `group` or `gshadow` line with its new members; none if it gets none.
fn add_members(
    line: &str,
    field: usize,
    members: &BTreeMap<&str, BTreeSet<&str>>,
) -> Option<String> {
    let mut fields: Vec<&str> = line.split(':').collect();
    let new = members.get(fields.first()?)?;
    let old: BTreeSet<&str> = fields.get(field)?.split(',').filter(|m| !m.is_empty()).collect();
    if new.is_subset(&old) {
        return None;
    }
    let all = joined(Some(&old.union(new).copied().collect()));
    *fields.get_mut(field)? = &all;
    Some(fields.join(":"))
}

fn joined(members: Option<&BTreeSet<&str>>) -> String {
    members.map(|all| all.iter().copied().collect::<Vec<_>>().join(",")).unwrap_or_default()
}
