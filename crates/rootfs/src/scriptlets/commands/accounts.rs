//! Users and groups: `/etc/passwd`, `/etc/group` and their shadows as texts of the tree.
//!
//! A number that is not asked for is the one that the task knows for the name, so that it is the
//! same in every image; else the one that the program itself would choose.

use super::{make_directories, parse, text_of, unsupported};
use crate::accounts::{Directive, Primary, SysGroup, SysUser};
use crate::scriptlets::{
    Action,
    accounts_of::UNKNOWN,
    fs::{FsError, Meta},
    shell::{Flow, Shell, Status},
};
use std::collections::BTreeSet;

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

/// Numbers of system accounts.
const SYSTEM: std::ops::Range<u32> = 101..1000;
/// Numbers of people.
const PEOPLE: std::ops::Range<u32> = 1000..60001;

fn field(line: &str, index: usize) -> &str {
    line.split(':').nth(index).unwrap_or_default()
}

fn entry(text: &str, name: &str) -> Option<String> {
    text.lines().find(|line| field(line, 0) == name).map(str::to_owned)
}

fn by_number(text: &str, number: &str) -> Option<String> {
    text.lines().find(|line| field(line, 2) == number).map(str::to_owned)
}

/// Home directory of a user.
pub(in crate::scriptlets) fn home(shell: &Shell<'_>, user: &str) -> Result<Option<String>, Flow> {
    let text = text_of(shell, PASSWD)?.unwrap_or_default();
    Ok(entry(&text, user).map(|line| field(&line, 5).to_owned()))
}

fn write(shell: &mut Shell<'_>, path: &str, text: &str, mode: u16) -> Result<(), Flow> {
    shell.budget.bytes(text.len())?;
    let mut inner = || -> Result<(), FsError> {
        make_directories(shell, "/etc")?;
        let place = shell.fs.resolve(path.as_bytes(), true)?;
        let new = !shell.fs.exists(&place);
        shell.fs.write_file(&place, text.as_bytes())?;
        if new {
            shell.fs.set_meta(&place, Meta { mode: Some(mode), ..Meta::default() })?;
        }
        Ok(())
    };
    match inner() {
        Ok(()) => Ok(()),
        Err(FsError::Fatal(error)) => Err(error.into()),
        Err(FsError::Errno(error)) => unsupported(format!("{path}: {error}")),
    }
}

/// Adds a line where the file is there, or always for the files that must be.
fn append(shell: &mut Shell<'_>, path: &str, line: &str, needed: bool) -> Result<(), Flow> {
    let mut text = match text_of(shell, path)? {
        Some(text) => text,
        None if needed => String::new(),
        None => return Ok(()),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
    write(shell, path, &text, if needed { 0o644 } else { 0 })
}

/// A number that no line of the database has. Below all those of its range that are taken, or for
/// people above them; only where no room is left, the first free one.
fn free(shell: &Shell<'_>, text: &str, system: bool, known: Option<u32>) -> u32 {
    let numbers = text.lines().map(|line| field(line, 2));
    let numbers: BTreeSet<u32> = numbers.filter_map(|number| number.parse().ok()).collect();
    let is_free = |id: &u32| !numbers.contains(id);
    let found = if shell.rehearsal {
        (UNKNOWN..u32::MAX).find(is_free)
    } else if system {
        let lowest = numbers.range(SYSTEM).next().map_or(SYSTEM.end, |id| *id);
        let below = lowest.checked_sub(1).filter(|id| SYSTEM.contains(id));
        below.or_else(|| SYSTEM.rev().find(is_free))
    } else {
        let next = numbers.range(PEOPLE).next_back().map_or(PEOPLE.start, |id| *id + 1);
        Some(next).filter(|id| PEOPLE.contains(id)).or_else(|| PEOPLE.into_iter().find(is_free))
    };
    known.filter(is_free).or(found).unwrap_or(65534)
}

fn add_group(shell: &mut Shell<'_>, name: &str, gid: u32) -> Result<(), Flow> {
    append(shell, GROUP, &format!("{name}:x:{gid}:"), true)?;
    append(shell, "/etc/gshadow", &format!("{name}:!::"), false)?;
    shell.actions.push(Action::Group { name: name.to_owned(), gid });
    Ok(())
}

fn valid(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 32
        && !name.starts_with(['-', '+'])
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.$".contains(c))
}

pub(super) fn groupadd(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("force", 'f'), ("gid", 'g'), ("non-unique", 'o'), ("system", 'r')];
    let parsed = parse("groupadd", words, "fg:or", &names)?;
    let [name] = parsed.operands.as_slice() else { return unsupported("groupadd of this form") };
    if !valid(name) {
        shell.complain(format!("groupadd: '{name}' is not a valid group name"))?;
        return Ok(3);
    }
    let group = text_of(shell, GROUP)?.unwrap_or_default();
    if entry(&group, name).is_some() {
        if parsed.has('f') {
            return Ok(0);
        }
        shell.complain(format!("groupadd: group '{name}' already exists"))?;
        return Ok(9);
    }
    let known = shell.task.owners.gid(name);
    let gid = match parsed.value('g') {
        Some(text) => {
            let Ok(gid) = text.parse() else { return Ok(3) };
            if by_number(&group, text).is_some() && !parsed.has('o') {
                if !parsed.has('f') {
                    shell.complain(format!("groupadd: GID '{text}' already exists"))?;
                    return Ok(4);
                }
                free(shell, &group, parsed.has('r'), known)
            } else {
                gid
            }
        }
        None => free(shell, &group, parsed.has('r'), known),
    };
    add_group(shell, name, gid)?;
    let asked = parsed.value('g').map(|_| gid);
    shell.accounts.push(Directive::Group(SysGroup { name: name.clone(), gid: asked }));
    Ok(0)
}

pub(super) fn useradd(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("base-dir", 'b'),
        ("comment", 'c'),
        ("home-dir", 'd'),
        ("home", 'd'),
        ("gid", 'g'),
        ("groups", 'G'),
        ("create-home", 'm'),
        ("no-create-home", 'M'),
        ("no-user-group", 'N'),
        ("no-log-init", 'l'),
        ("non-unique", 'o'),
        ("password", 'p'),
        ("system", 'r'),
        ("shell", 's'),
        ("uid", 'u'),
        ("user-group", 'U'),
    ];
    let parsed = parse("useradd", words, "b:c:d:g:G:mMNlop:rs:u:U", &names)?;
    let [name] = parsed.operands.as_slice() else { return unsupported("useradd of this form") };
    if parsed.has('p') || parsed.has('b') {
        return unsupported("useradd -p or -b");
    }
    if !valid(name) {
        shell.complain(format!("useradd: invalid user name '{name}'"))?;
        return Ok(3);
    }
    let passwd = text_of(shell, PASSWD)?.unwrap_or_default();
    if entry(&passwd, name).is_some() {
        shell.complain(format!("useradd: user '{name}' already exists"))?;
        return Ok(9);
    }
    let system = parsed.has('r');
    let group = text_of(shell, GROUP)?.unwrap_or_default();
    let find = |wanted: &str| entry(&group, wanted).or_else(|| by_number(&group, wanted));
    let others: Vec<&str> =
        parsed.value('G').map(|list| list.split(',').collect()).unwrap_or_default();
    if let Some(missing) = others.iter().chain(&parsed.value('g')).find(|one| find(one).is_none()) {
        shell.complain(format!("useradd: group '{missing}' does not exist"))?;
        return Ok(6);
    }
    let uid = match parsed.value('u') {
        Some(text) => {
            if by_number(&passwd, text).is_some() && !parsed.has('o') {
                shell.complain(format!("useradd: UID {text} is not unique"))?;
                return Ok(4);
            }
            let Ok(uid) = text.parse() else { return Ok(3) };
            uid
        }
        None => free(shell, &passwd, system, shell.task.owners.uid(name)),
    };
    let own_group = parsed.has('U') || !parsed.has('N') && has_own_group(shell)?;
    let gid = match parsed.value('g').and_then(find) {
        Some(line) => field(&line, 2).parse().unwrap_or(0),
        None if !own_group => 100,
        None => {
            if entry(&group, name).is_some() {
                shell.complain(format!("useradd: group {name} exists, add the user with -g"))?;
                return Ok(9);
            }
            // the same number where it is free
            let same = by_number(&group, &uid.to_string()).is_none();
            let known = shell.task.owners.gid(name);
            let gid = match known {
                None if same => uid,
                known => free(shell, &group, system, known),
            };
            add_group(shell, name, gid)?;
            gid
        }
    };
    let home = parsed.value('d').map_or_else(|| format!("/home/{name}"), str::to_owned);
    let comment = parsed.value('c').unwrap_or_default();
    let login = parsed.value('s').unwrap_or("/bin/bash");
    append(shell, PASSWD, &format!("{name}:x:{uid}:{gid}:{comment}:{home}:{login}"), true)?;
    let day = shell.fs.mtime / 86400;
    let shadow = if system {
        format!("{name}:!:{day}::::::")
    } else {
        format!("{name}:!:{day}:0:99999:7:::")
    };
    append(shell, "/etc/shadow", &shadow, false)?;
    for other in others {
        join(shell, other, name)?;
    }
    shell.actions.push(Action::User { name: name.clone(), uid });
    let primary = match parsed.value('g') {
        Some(group) => group.parse().map_or(Primary::Named(group.to_owned()), Primary::Number),
        None if !own_group => Primary::Number(100),
        None => Primary::Own,
    };
    shell.accounts.push(Directive::User(SysUser {
        name: name.clone(),
        uid: parsed.value('u').map(|_| uid),
        primary,
        description: comment.to_owned(),
        home: Some(home),
        shell: Some(login.to_owned()),
        locked: false,
    }));
    if parsed.has('m') || !system && !parsed.has('M') {
        return unsupported("useradd that makes a home directory");
    }
    Ok(0)
}

/// Whether a user gets a group of its own without being asked: `/etc/login.defs` says so in all
/// distributions; the program itself would not.
fn has_own_group(shell: &Shell<'_>) -> Result<bool, Flow> {
    if shell.rehearsal {
        return Ok(true);
    }
    let text = text_of(shell, "/etc/login.defs")?.unwrap_or_default();
    let mut lines = text.lines().map(str::split_whitespace);
    Ok(lines
        .any(|mut words| words.next() == Some("USERGROUPS_ENAB") && words.next() == Some("yes")))
}

/// Puts a user into a group.
fn join(shell: &mut Shell<'_>, group: &str, user: &str) -> Result<(), Flow> {
    for (path, last) in [(GROUP, 3), ("/etc/gshadow", 3)] {
        let Some(text) = text_of(shell, path)? else { continue };
        let mut out = String::new();
        for line in text.lines() {
            let mut fields: Vec<String> = line.split(':').map(str::to_owned).collect();
            let named = fields[0] == group || fields.get(2).is_some_and(|id| id == group);
            if named && fields.len() > last && !fields[last].split(',').any(|one| one == user) {
                let list = &mut fields[last];
                if !list.is_empty() {
                    list.push(',');
                }
                list.push_str(user);
            }
            out.push_str(&fields.join(":"));
            out.push('\n');
        }
        if out != text {
            write(shell, path, &out, 0)?;
        }
    }
    let (user, group) = (user.to_owned(), group.to_owned());
    shell.accounts.push(Directive::Member { user, group });
    Ok(())
}

pub(super) fn usermod(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("append", 'a'),
        ("groups", 'G'),
        ("comment", 'c'),
        ("home", 'd'),
        ("gid", 'g'),
        ("shell", 's'),
        ("lock", 'L'),
    ];
    let parsed = parse("usermod", words, "aG:c:d:g:s:L", &names)?;
    let [name] = parsed.operands.as_slice() else { return unsupported("usermod of this form") };
    let passwd = text_of(shell, PASSWD)?.unwrap_or_default();
    if entry(&passwd, name).is_none() {
        shell.complain(format!("usermod: user '{name}' does not exist"))?;
        return Ok(6);
    }
    if let Some(groups) = parsed.value('G') {
        if !parsed.has('a') {
            return unsupported("usermod -G without -a");
        }
        let text = text_of(shell, GROUP)?.unwrap_or_default();
        for group in groups.split(',') {
            if entry(&text, group).or_else(|| by_number(&text, group)).is_none() {
                shell.complain(format!("usermod: group '{group}' does not exist"))?;
                return Ok(6);
            }
            join(shell, group, name)?;
        }
    }
    let mut gid = None;
    if let Some(group) = parsed.value('g') {
        let text = text_of(shell, GROUP)?.unwrap_or_default();
        let Some(line) = entry(&text, group).or_else(|| by_number(&text, group)) else {
            shell.complain(format!("usermod: group '{group}' does not exist"))?;
            return Ok(6);
        };
        gid = Some(field(&line, 2).to_owned());
    }
    let changes = [
        (3, gid.as_deref()),
        (4, parsed.value('c')),
        (5, parsed.value('d')),
        (6, parsed.value('s')),
    ];
    let mut out = String::new();
    for line in passwd.lines() {
        let mut fields: Vec<&str> = line.split(':').collect();
        if fields[0] == name {
            for (index, value) in changes {
                if let (Some(value), Some(field)) = (value, fields.get_mut(index)) {
                    *field = value;
                }
            }
        }
        out.push_str(&fields.join(":"));
        out.push('\n');
    }
    if out != passwd {
        write(shell, PASSWD, &out, 0o644)?;
    }
    if parsed.has('L') { passwd_lock(shell, name) } else { Ok(0) }
}

pub(super) fn gpasswd(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let parsed = parse("gpasswd", words, "a:", &[("add", 'a')])?;
    let (Some(user), [group]) = (parsed.value('a'), parsed.operands.as_slice()) else {
        return unsupported("gpasswd of this form");
    };
    let text = text_of(shell, GROUP)?.unwrap_or_default();
    if entry(&text, group).is_none() {
        shell.complain(format!("gpasswd: group '{group}' does not exist"))?;
        return Ok(3);
    }
    join(shell, group, user)?;
    Ok(0)
}

pub(super) fn passwd(shell: &mut Shell<'_>, words: &[String]) -> Status {
    match words {
        [option, name] if matches!(option.as_str(), "-l" | "--lock") => passwd_lock(shell, name),
        _ => unsupported("passwd of this form"),
    }
}

/// A locked password has an exclamation mark before it.
fn passwd_lock(shell: &mut Shell<'_>, name: &str) -> Status {
    let Some(text) = text_of(shell, "/etc/shadow")? else { return Ok(0) };
    let mut out = String::new();
    for line in text.lines() {
        match line.split_once(':') {
            Some((own, rest)) if own == name && !rest.starts_with('!') => {
                out.push_str(&format!("{own}:!{rest}\n"));
            }
            _ => out.push_str(&format!("{line}\n")),
        }
    }
    if out != text {
        write(shell, "/etc/shadow", &out, 0)?;
    }
    Ok(0)
}

pub(super) fn getent(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let (path, keys) = match words {
        [kind, keys @ ..] if kind == "passwd" => (PASSWD, keys),
        [kind, keys @ ..] if kind == "group" => (GROUP, keys),
        [kind, keys @ ..] if kind == "shadow" => ("/etc/shadow", keys),
        _ => return unsupported(format!("getent {}", words.join(" "))),
    };
    let text = text_of(shell, path)?.unwrap_or_default();
    if keys.is_empty() {
        shell.out(text)?;
        return Ok(0);
    }
    let mut status = 0;
    for key in keys {
        let number = key.chars().all(|c| c.is_ascii_digit());
        let found = if number { by_number(&text, key) } else { entry(&text, key) };
        match found {
            Some(line) => shell.out(format!("{line}\n"))?,
            None => status = 2,
        }
    }
    Ok(status)
}

pub(super) fn id(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("user", 'u'), ("group", 'g'), ("groups", 'G'), ("name", 'n')];
    let parsed = parse("id", words, "ugGnr", &names)?;
    let name = parsed.operands.first().map_or("root", String::as_str).to_owned();
    let passwd = text_of(shell, PASSWD)?.unwrap_or_default();
    let group = text_of(shell, GROUP)?.unwrap_or_default();
    let line = match entry(&passwd, &name) {
        Some(line) => line,
        None if name == "root" => "root:x:0:0::/root:/bin/sh".to_owned(),
        None => return shell.complain(format!("id: '{name}': no such user")),
    };
    let gid = field(&line, 3).to_owned();
    let group_name = by_number(&group, &gid).map(|line| field(&line, 0).to_owned());
    let member = |line: &&str| field(line, 3).split(',').any(|one| one == name);
    let rest: Vec<&str> =
        group.lines().filter(member).filter(|line| field(line, 2) != gid).collect();
    let text = match (parsed.has('u'), parsed.has('g'), parsed.has('G'), parsed.has('n')) {
        (true, _, _, true) => name,
        (true, _, _, false) => field(&line, 2).to_owned(),
        (_, true, _, true) => group_name.unwrap_or(gid),
        (_, true, _, false) => gid,
        (_, _, true, names) => {
            let index = if names { 0 } else { 2 };
            let own = if names { group_name.unwrap_or(gid) } else { gid };
            let all =
                std::iter::once(own.as_str()).chain(rest.iter().map(|line| field(line, index)));
            all.collect::<Vec<_>>().join(" ")
        }
        _ => {
            let own = group_name.unwrap_or_else(|| gid.clone());
            let groups: String =
                rest.iter().map(|l| format!(",{}({})", field(l, 2), field(l, 0))).collect();
            format!("uid={}({name}) gid={gid}({own}) groups={gid}({own}){groups}", field(&line, 2))
        }
    };
    shell.out(format!("{text}\n"))?;
    Ok(0)
}
