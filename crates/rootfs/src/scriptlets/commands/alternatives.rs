//! `update-alternatives` of dpkg and `alternatives` of chkconfig: links, and a text that says
//! which choices there are.

use super::{super::fs::FsError, make_directories, text_of, unsupported};
use crate::{
    Kind,
    scriptlets::shell::{Flow, Shell, Status},
};

/// All that is known of one name.
#[derive(Debug, Default)]
struct Group {
    manual: bool,
    link: String,
    /// Name and link of what follows the choice.
    followers: Vec<(String, String)>,
    choices: Vec<Choice>,
}

#[derive(Debug, Default)]
struct Choice {
    path: String,
    priority: i64,
    /// Of chkconfig: choices that belong together.
    family: String,
    /// By follower.
    followers: Vec<String>,
    initscript: String,
}

/// Which of the two programs the tree has: they keep their texts in different places.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Chkconfig,
    Dpkg,
}

impl Style {
    fn admin(self) -> &'static str {
        match self {
            Self::Chkconfig => "/var/lib/alternatives",
            Self::Dpkg => "/var/lib/dpkg/alternatives",
        }
    }
}

pub(super) fn alternatives(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let dpkg =
        shell.fs.lookup(b"/var/lib/dpkg", true).is_ok() || shell.find_program("dpkg").is_some();
    let style = if dpkg { Style::Dpkg } else { Style::Chkconfig };
    let mut rest: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !matches!(*word, "--quiet" | "--verbose" | "--force" | "--keep-missing"))
        .collect();
    if rest.is_empty() {
        return unsupported("alternatives without a verb");
    }
    match rest.remove(0) {
        "--install" => install(shell, style, &rest),
        "--set" => match rest.as_slice() {
            [name, path] => choose(shell, style, name, Some(path)),
            _ => unsupported("alternatives --set"),
        },
        "--auto" => match rest.as_slice() {
            [name] => choose(shell, style, name, None),
            _ => unsupported("alternatives --auto"),
        },
        "--remove" => match rest.as_slice() {
            [name, path] => remove(shell, style, name, path),
            _ => unsupported("alternatives --remove"),
        },
        "--display" | "--list" => match rest.as_slice() {
            [name] => display(shell, style, name),
            _ => unsupported("alternatives --display"),
        },
        other => unsupported(format!("alternatives {other}")),
    }
}

/// What chkconfig's program tells of a name, and dpkg's only when there is nothing to tell.
fn display(shell: &mut Shell<'_>, style: Style, name: &str) -> Status {
    let Some(group) = read(shell, style, name)? else {
        if style == Style::Dpkg {
            let text = format!("update-alternatives: error: no alternatives for {name}");
            return shell.complain(text).map(|_| 2);
        }
        return Ok(2);
    };
    if style == Style::Dpkg {
        return unsupported("update-alternatives --display");
    }
    let link = format!("/etc/alternatives/{name}");
    let place = shell.fs.lookup(link.as_bytes(), false).ok();
    let target = place.as_ref().and_then(|place| shell.fs.node(place)).and_then(|node| {
        let Kind::Symlink { target } = &node.kind else { return None };
        Some(String::from_utf8_lossy(target).into_owned())
    });
    let mode = if group.manual { "manual" } else { "auto" };
    let mut text = format!("{name} - status is {mode}.\n");
    match target {
        Some(target) => text.push_str(&format!(" link currently points to {target}\n")),
        None => text.push_str(" link unreadable\n"),
    }
    for choice in &group.choices {
        text.push_str(&choice.path);
        if !choice.family.is_empty() {
            text.push_str(&format!(" - family {}", choice.family));
        }
        text.push_str(&format!(" - priority {}\n", choice.priority));
        for ((name, _), path) in group.followers.iter().zip(&choice.followers) {
            let path = if path.is_empty() { "(null)" } else { path };
            text.push_str(&format!(" slave {name}: {path}\n"));
        }
    }
    if let Some(best) = best(&group) {
        text.push_str(&format!("Current `best' version is {}.\n", best.path));
    }
    shell.out(text)?;
    Ok(0)
}

fn install(shell: &mut Shell<'_>, style: Style, words: &[&str]) -> Status {
    let [link, name, path, priority, rest @ ..] = words else {
        return unsupported("alternatives --install of this form");
    };
    let Ok(priority) = priority.parse() else {
        return shell.complain("alternatives: priority must be an integer").map(|_| 2);
    };
    let mut followers: Vec<(String, String, String)> = Vec::new();
    let mut choice = Choice { path: (*path).to_owned(), priority, ..Choice::default() };
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        match *word {
            "--slave" | "--follower" => {
                let (Some(link), Some(name), Some(path)) =
                    (words.next(), words.next(), words.next())
                else {
                    return unsupported("alternatives --slave of this form");
                };
                followers.push(((*name).into(), (*link).into(), (*path).into()));
            }
            "--family" => choice.family = words.next().copied().unwrap_or_default().to_owned(),
            "--initscript" => {
                choice.initscript = words.next().copied().unwrap_or_default().to_owned();
            }
            other => return unsupported(format!("alternatives {other}")),
        }
    }
    if style == Style::Dpkg && shell.fs.lookup(path.as_bytes(), true).is_err() {
        shell.complain(format!("update-alternatives: error: {path} doesn't exist"))?;
        return Ok(2);
    }
    let mut group = read(shell, style, name)?.unwrap_or_default();
    group.link = (*link).to_owned();
    for (name, link, _) in &followers {
        match group.followers.iter_mut().find(|(own, _)| own == name) {
            Some((_, own)) => own.clone_from(link),
            None => group.followers.push((name.clone(), link.clone())),
        }
    }
    if style == Style::Dpkg {
        group.followers.sort();
        // the texts of other choices are by position
        if !group.choices.is_empty()
            && group.choices.iter().any(|c| c.followers.len() != group.followers.len())
        {
            return unsupported("update-alternatives with other followers than before");
        }
    }
    for other in &mut group.choices {
        other.followers.resize(group.followers.len(), String::new());
    }
    choice.followers = group
        .followers
        .iter()
        .map(|(own, _)| {
            let found = followers.iter().find(|(name, ..)| name == own);
            found.map(|(.., path)| path.clone()).unwrap_or_default()
        })
        .collect();
    match group.choices.iter_mut().find(|other| other.path == *path) {
        Some(other) => *other = choice,
        None => group.choices.push(choice),
    }
    finish(shell, style, name, &group)
}

/// The best choice: the first of those with the highest priority.
fn best(group: &Group) -> Option<&Choice> {
    let top = group.choices.iter().map(|choice| choice.priority).max()?;
    group.choices.iter().find(|choice| choice.priority == top)
}

fn choose(shell: &mut Shell<'_>, style: Style, name: &str, path: Option<&str>) -> Status {
    let Some(mut group) = read(shell, style, name)? else {
        shell.complain(format!("alternatives: no alternatives for {name}"))?;
        return Ok(2);
    };
    group.manual = path.is_some();
    if let Some(path) = path {
        if !group.choices.iter().any(|choice| choice.path == path) {
            shell.complain(format!("alternatives: {path} not registered for {name}"))?;
            return Ok(2);
        }
        write(shell, style, name, &group)?;
        let choice = group.choices.iter().find(|choice| choice.path == path);
        return match choice {
            Some(choice) => links(shell, name, &group, choice).map(|()| 0),
            None => Ok(2),
        };
    }
    finish(shell, style, name, &group)
}

fn remove(shell: &mut Shell<'_>, style: Style, name: &str, path: &str) -> Status {
    let Some(group) = read(shell, style, name)? else {
        return Ok(if style == Style::Chkconfig { 2 } else { 0 });
    };
    if !group.choices.iter().any(|choice| choice.path == path) {
        return Ok(if style == Style::Chkconfig { 2 } else { 0 });
    }
    unsupported("alternatives --remove")
}

fn finish(shell: &mut Shell<'_>, style: Style, name: &str, group: &Group) -> Status {
    write(shell, style, name, group)?;
    if !group.manual
        && let Some(choice) = best(group)
    {
        links(shell, name, group, choice)?;
    }
    Ok(0)
}

fn links(shell: &mut Shell<'_>, name: &str, group: &Group, choice: &Choice) -> Result<(), Flow> {
    link(shell, &format!("/etc/alternatives/{name}"), &choice.path)?;
    link(shell, &group.link, &format!("/etc/alternatives/{name}"))?;
    for ((name, place), path) in group.followers.iter().zip(&choice.followers) {
        let there = !path.is_empty() && shell.fs.lookup(path.as_bytes(), true).is_ok();
        if there {
            link(shell, &format!("/etc/alternatives/{name}"), path)?;
            link(shell, place, &format!("/etc/alternatives/{name}"))?;
        }
    }
    Ok(())
}

/// A file in the way stays, as both programs leave it.
fn link(shell: &mut Shell<'_>, at: &str, target: &str) -> Result<(), Flow> {
    let inner = |shell: &mut Shell<'_>| -> Result<(), FsError> {
        let directory = at.rsplit_once('/').map_or("/", |(directory, _)| directory);
        make_directories(shell, directory)?;
        let place = shell.fs.resolve(at.as_bytes(), false)?;
        match shell.fs.node(&place).map(|node| &node.kind) {
            Some(Kind::Symlink { target: old }) if old == target.as_bytes() => return Ok(()),
            Some(Kind::Symlink { .. }) => shell.fs.unlink(&place)?,
            Some(_) => return Ok(()),
            None => {}
        }
        shell.fs.symlink(target.as_bytes(), &place)
    };
    match inner(shell) {
        Err(error) => super::failed(shell, at, error).map(|_| ()),
        Ok(()) => Ok(()),
    }
}

fn read(shell: &Shell<'_>, style: Style, name: &str) -> Result<Option<Group>, Flow> {
    let Some(text) = text_of(shell, &format!("{}/{name}", style.admin()))? else { return Ok(None) };
    let mut lines = text.lines();
    let mut group = Group {
        manual: lines.next() == Some("manual"),
        link: lines.next().unwrap_or_default().to_owned(),
        ..Group::default()
    };
    loop {
        match lines.next() {
            None | Some("") => break,
            Some(name) => {
                let link = lines.next().unwrap_or_default();
                group.followers.push((name.to_owned(), link.to_owned()));
            }
        }
    }
    while let Some(path) = lines.next().filter(|path| !path.is_empty()) {
        let mut choice = Choice { path: path.to_owned(), ..Choice::default() };
        let line = lines.next().unwrap_or_default();
        let mut line = line.to_owned();
        if let Some(rest) = line.strip_prefix('@') {
            let (family, rest) = rest.split_once('@').unwrap_or_default();
            choice.family = family.to_owned();
            line = rest.to_owned();
        }
        let (priority, initscript) = line.split_once(' ').unwrap_or((&line, ""));
        choice.priority = priority.parse().unwrap_or(0);
        choice.initscript = initscript.to_owned();
        for _ in 0..group.followers.len() {
            choice.followers.push(lines.next().unwrap_or_default().to_owned());
        }
        group.choices.push(choice);
    }
    Ok(Some(group))
}

fn write(shell: &mut Shell<'_>, style: Style, name: &str, group: &Group) -> Result<(), Flow> {
    let mut text = format!("{}\n{}\n", if group.manual { "manual" } else { "auto" }, group.link);
    for (name, link) in &group.followers {
        text.push_str(&format!("{name}\n{link}\n"));
    }
    text.push('\n');
    let mut choices: Vec<&Choice> = group.choices.iter().collect();
    if style == Style::Dpkg {
        choices.sort_by(|a, b| a.path.cmp(&b.path));
    }
    for choice in choices {
        text.push_str(&format!("{}\n", choice.path));
        if !choice.family.is_empty() {
            text.push_str(&format!("@{}@", choice.family));
        }
        text.push_str(&choice.priority.to_string());
        if !choice.initscript.is_empty() {
            text.push_str(&format!(" {}", choice.initscript));
        }
        text.push('\n');
        for path in &choice.followers {
            text.push_str(&format!("{path}\n"));
        }
    }
    if style == Style::Dpkg {
        text.push('\n');
    }
    let mut inner = || -> Result<(), FsError> {
        make_directories(shell, style.admin())?;
        let place = shell.fs.resolve(format!("{}/{name}", style.admin()).as_bytes(), true)?;
        shell.fs.write_file(&place, text.as_bytes())
    };
    match inner() {
        Err(error) => super::failed(shell, name, error).map(|_| ()),
        Ok(()) => Ok(()),
    }
}
