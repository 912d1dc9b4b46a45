//! The commands that are part of the shell.

mod output;
mod variables;

use super::{Flow, Shell, Status};
use crate::scriptlets::{Action, ScriptletError, fs::FsError};

/// A built-in command.
pub(in crate::scriptlets) type Builtin = fn(&mut Shell<'_>, &[String]) -> Status;

/// Commands whose failure ends the shell, and before which assignments stay.
pub(super) fn is_special(name: &str) -> bool {
    matches!(
        name,
        "break"
            | ":"
            | "continue"
            | "."
            | "eval"
            | "exec"
            | "exit"
            | "export"
            | "readonly"
            | "return"
            | "set"
            | "shift"
            | "times"
            | "trap"
            | "unset"
            | "source"
    )
}

/// The built-in command of a name.
pub(in crate::scriptlets) fn find(name: &str) -> Option<Builtin> {
    Some(match name {
        ":" | "true" => |_, _| Ok(0),
        "false" => |_, _| Ok(1),
        "echo" => output::echo,
        "printf" => output::printf,
        "test" => |shell, words| shell.test(words),
        "[" => |shell, words| match words.split_last() {
            Some((last, words)) if last == "]" => shell.test(words),
            _ => {
                shell.complain("[: missing `]'")?;
                Ok(2)
            }
        },
        "cd" => cd,
        "pwd" => pwd,
        "export" => variables::export,
        "readonly" => variables::readonly,
        "local" => variables::local,
        "declare" | "typeset" => variables::declared,
        "let" => |shell, words| {
            let mut value = 0;
            for word in words {
                value = shell.arithmetic(word)?;
            }
            Ok(i32::from(value == 0))
        },
        "unset" => variables::unset,
        "shift" => variables::shift,
        "read" => variables::read,
        "set" => variables::set,
        "exit" => |shell, words| Err(Flow::Exit(status(shell, words)?)),
        "return" => |shell, words| Err(Flow::Return(status(shell, words)?)),
        "break" => |shell, words| match loops(shell, words)? {
            0 => Ok(0),
            count => Err(Flow::Break(count)),
        },
        "continue" => |shell, words| match loops(shell, words)? {
            0 => Ok(0),
            count => Err(Flow::Continue(count)),
        },
        "eval" => |shell, words| {
            let line = shell.line.saturating_sub(1);
            shell.script(&words.join(" "), line)
        },
        "." | "source" => source,
        "trap" => trap,
        "command" => command,
        "type" => kind,
        "hash" | "wait" => |_, _| Ok(0),
        "umask" => umask,
        _ => return None,
    })
}

/// Built-in commands of bash that are not interpreted: no program of the tree stands for them.
pub(super) fn is_unsupported(name: &str) -> bool {
    const NAMES: [&str; 26] = [
        "alias",
        "unalias",
        "shopt",
        "getopts",
        "times",
        "ulimit",
        "kill",
        "jobs",
        "bg",
        "fg",
        "builtin",
        "enable",
        "mapfile",
        "readarray",
        "pushd",
        "popd",
        "dirs",
        "caller",
        "compgen",
        "complete",
        "history",
        "fc",
        "logout",
        "suspend",
        "disown",
        "bind",
    ];
    NAMES.contains(&name)
}

fn status(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Flow> {
    match words.first() {
        None => Ok(shell.env.status),
        Some(word) => match word.parse::<i64>() {
            Ok(number) => Ok(i32::try_from(number & 255).unwrap_or(255)),
            Err(_) => {
                shell.complain(format!("{word}: numeric argument required"))?;
                Err(Flow::Exit(2))
            }
        },
    }
}

fn loops(shell: &Shell<'_>, words: &[String]) -> Result<u32, Flow> {
    let count = match words.first() {
        None => 1,
        Some(word) => word
            .parse()
            .ok()
            .filter(|count| *count > 0)
            .ok_or_else(|| ScriptletError::unsupported(format!("break {word}")))?,
    };
    Ok(std::cmp::min(count, shell.loops))
}

fn cd(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !matches!(*word, "-P" | "-L" | "--"))
        .collect();
    let (target, tell) = match words.as_slice() {
        [] => (shell.get("HOME").unwrap_or_default().to_owned(), false),
        ["-"] => (shell.get("OLDPWD").unwrap_or_default().to_owned(), true),
        [target] => ((*target).to_owned(), false),
        _ => return shell.complain("cd: too many arguments"),
    };
    if target.is_empty() {
        return Ok(0);
    }
    let old = shell.get("PWD").unwrap_or("/").to_owned();
    let full = if target.starts_with('/') { target.clone() } else { format!("{old}/{target}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in full.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let logical = format!("/{}", parts.join("/"));
    let found = shell.fs.lookup(logical.as_bytes(), true);
    match found {
        Ok(path) if shell.fs.is_dir(&path) => shell.fs.cwd = path,
        Ok(_) => return shell.complain(format!("/bin/sh: cd: {target}: Not a directory")),
        Err(error) => return shell.complain(format!("/bin/sh: cd: {target}: {error}")),
    }
    shell.set("OLDPWD", old)?;
    shell.set("PWD", logical.clone())?;
    if tell {
        shell.out(format!("{logical}\n"))?;
    }
    Ok(0)
}

fn pwd(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let text = match words.first().map(String::as_str) {
        Some("-P") => shell.fs.cwd.to_string(),
        _ => shell.get("PWD").unwrap_or("/").to_owned(),
    };
    shell.out(format!("{text}\n"))?;
    Ok(0)
}

fn source(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let Some((name, arguments)) = words.split_first() else {
        return Err(Flow::Exit(2));
    };
    if !arguments.is_empty() {
        return Err(ScriptletError::unsupported("arguments of `.`").into());
    }
    let path = if name.contains('/') {
        shell.fs.lookup(name.as_bytes(), true).ok()
    } else {
        let directories = shell.get("PATH").unwrap_or_default();
        let found = directories.split(':').find_map(|directory| {
            shell.fs.lookup(format!("{directory}/{name}").as_bytes(), true).ok()
        });
        found.or_else(|| shell.fs.lookup(name.as_bytes(), true).ok())
    };
    let bytes = match path.map(|path| shell.fs.read(&path)) {
        Some(Ok(bytes)) => bytes,
        Some(Err(FsError::Fatal(error))) => return Err(error.into()),
        _ => {
            shell.actions.push(Action::NotFound { program: name.clone() });
            shell.complain(format!("/bin/sh: {name}: No such file or directory"))?;
            // in POSIX mode this ends the shell
            return Err(Flow::Exit(1));
        }
    };
    let text = str::from_utf8(&bytes)
        .map_err(|_| ScriptletError::unsupported(format!(". {name} (not UTF-8)")))?
        .to_owned();
    let line = shell.line;
    let inner = |error: ScriptletError| match error {
        // its lines are not those of the scriptlet
        ScriptletError::Unsupported { construct, .. } => {
            ScriptletError::Unsupported { construct: format!(". {name}: {construct}"), line }
        }
        other => other,
    };
    let result = match shell.script(&text, 0) {
        Err(Flow::Return(status)) => Ok(status),
        Err(Flow::Fatal(error)) => Err(Flow::Fatal(inner(error))),
        other => other,
    };
    shell.line = line;
    result
}

/// Signals never come; the end of the shell does.
fn trap(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "--").collect();
    let Some((action, conditions)) = words.split_first() else { return Ok(0) };
    let exit = |condition: &&str| matches!(*condition, "0" | "EXIT");
    if conditions.is_empty() || *action == "-" {
        if conditions.iter().any(exit) || exit(action) {
            shell.env.at_exit = None;
        }
        return Ok(0);
    }
    if conditions.iter().any(|condition| matches!(*condition, "ERR" | "DEBUG" | "RETURN")) {
        return Err(ScriptletError::unsupported("trap … ERR").into());
    }
    if conditions.iter().any(exit) {
        shell.env.at_exit = (!action.is_empty()).then(|| (*action).to_owned());
    }
    Ok(0)
}

fn command(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let mut words = words;
    while let Some((first, rest)) = words.split_first() {
        match first.as_str() {
            "-p" | "--" => words = rest,
            "-v" | "-V" => {
                let mut status = 0;
                for name in rest {
                    match place(shell, name) {
                        Some(place) => shell.out(format!("{place}\n"))?,
                        None => status = 1,
                    }
                }
                return Ok(status);
            }
            name => {
                return match find(name) {
                    Some(builtin) => builtin(shell, rest),
                    None => shell.program(words),
                };
            }
        }
    }
    Ok(0)
}

/// What `command -v` prints.
fn place(shell: &Shell<'_>, name: &str) -> Option<String> {
    if shell.env.functions.contains_key(name) || find(name).is_some() || name == "exec" {
        return Some(name.to_owned());
    }
    if name.contains('/') {
        return shell.find_program(name).map(|_| name.to_owned());
    }
    let path = shell.get("PATH").unwrap_or_default();
    path.split(':')
        .map(|directory| format!("{directory}/{name}"))
        .find(|path| shell.find_program(path).is_some())
}

/// `type`: only its status is of use.
fn kind(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let mut status = 0;
    let quiet = |word: &&String| word.starts_with('-');
    for name in words.iter().skip_while(quiet) {
        match place(shell, name) {
            Some(place) => shell.out(format!("{name} is {place}\n"))?,
            None => status = shell.complain(format!("/bin/sh: type: {name}: not found"))?,
        }
    }
    Ok(status)
}

fn umask(shell: &mut Shell<'_>, words: &[String]) -> Status {
    match words.first() {
        None => {
            let text = format!("{:04o}\n", shell.fs.umask);
            shell.out(text)?;
        }
        Some(word) => {
            let mask = u16::from_str_radix(word, 8).ok().filter(|mask| *mask <= 0o777);
            shell.fs.umask =
                mask.ok_or_else(|| ScriptletError::unsupported(format!("umask {word}")))?;
        }
    }
    Ok(0)
}
