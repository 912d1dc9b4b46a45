//! Commands on variables and positional parameters.

use super::super::{Flow, Shell, Status, Variable, simple::is_name};
use crate::scriptlets::ScriptletError;

fn declare(shell: &mut Shell<'_>, words: &[String], change: impl Fn(&mut Variable)) -> Status {
    let mut status = 0;
    for word in words.iter().filter(|word| *word != "--") {
        if word.starts_with('-') {
            return Err(ScriptletError::unsupported(format!("export {word}")).into());
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.as_str(), None),
        };
        if !is_name(name) {
            status = shell.complain(format!("/bin/sh: `{word}': not a valid identifier"))?;
            continue;
        }
        if let Some(value) = value {
            shell.set(name, value)?;
        }
        change(shell.env.variables.entry(name.to_owned()).or_default());
    }
    Ok(status)
}

pub(super) fn export(shell: &mut Shell<'_>, words: &[String]) -> Status {
    match words.first().map(String::as_str) {
        Some("-p") => Err(ScriptletError::unsupported("export -p").into()),
        Some("-n") => declare(shell, &words[1..], |variable| variable.exported = false),
        _ => declare(shell, words, |variable| variable.exported = true),
    }
}

pub(super) fn readonly(shell: &mut Shell<'_>, words: &[String]) -> Status {
    declare(shell, words, |variable| variable.readonly = true)
}

pub(super) fn local(shell: &mut Shell<'_>, words: &[String]) -> Status {
    for word in words {
        let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
        let old = shell.env.variables.get(name).cloned();
        let Some(hidden) = shell.locals.last_mut() else {
            return shell.complain("/bin/sh: local: can only be used in a function");
        };
        hidden.entry(name.to_owned()).or_insert(old);
        if !word.contains('=') {
            shell.env.variables.remove(name);
        }
    }
    declare(shell, words, |_| {})
}

/// `declare` and `typeset`: of a function's own variables inside of one.
pub(super) fn declared(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let mut rest = words;
    let (mut exported, mut readonly, mut global) = (false, false, false);
    while let Some((first, more)) = rest.split_first()
        && let Some(letters) = first.strip_prefix('-')
    {
        for letter in letters.chars() {
            match letter {
                'x' => exported = true,
                'r' => readonly = true,
                'g' => global = true,
                _ => return Err(ScriptletError::unsupported(format!("declare {first}")).into()),
            }
        }
        rest = more;
    }
    if rest.is_empty() {
        return Err(ScriptletError::unsupported("declare without names").into());
    }
    let status = if global || shell.locals.is_empty() {
        declare(shell, rest, |_| {})?
    } else {
        local(shell, rest)?
    };
    let names: Vec<String> =
        rest.iter().map(|word| word.split('=').next().unwrap_or_default().to_owned()).collect();
    declare(shell, &names, |variable| {
        variable.exported |= exported;
        variable.readonly |= readonly;
    })?;
    Ok(status)
}

pub(super) fn unset(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let mut functions = false;
    for word in words {
        match word.as_str() {
            "-f" => functions = true,
            "-v" => functions = false,
            name if functions => {
                shell.env.functions.remove(name);
            }
            name => {
                let there = shell.env.variables.get(name);
                if there.is_some_and(|variable| variable.readonly) {
                    return shell.complain(format!("/bin/sh: unset: {name}: cannot unset"));
                }
                if shell.env.variables.remove(name).is_none() {
                    shell.env.functions.remove(name);
                }
            }
        }
    }
    Ok(0)
}

pub(super) fn shift(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let count: usize = match words.first() {
        None => 1,
        Some(word) => {
            word.parse().map_err(|_| ScriptletError::unsupported(format!("shift {word}")))?
        }
    };
    if count > shell.env.positional.len() {
        return Ok(1);
    }
    shell.env.positional.drain(..count);
    Ok(0)
}

/// `set`: options and positional parameters.
pub(super) fn set(shell: &mut Shell<'_>, words: &[String]) -> Status {
    if words.is_empty() {
        return Err(ScriptletError::unsupported("set").into());
    }
    let mut rest = words;
    while let Some((first, more)) = rest.split_first() {
        let on = match first.chars().next() {
            Some('-') => true,
            Some('+') => false,
            _ => break,
        };
        rest = more;
        if first == "--" {
            shell.env.positional = rest.to_vec();
            return Ok(0);
        }
        for letter in first[1..].chars() {
            if letter == 'o' {
                let Some((name, more)) = rest.split_first() else {
                    return Err(ScriptletError::unsupported("set -o").into());
                };
                rest = more;
                long_option(shell, name, on)?;
            } else if !shell.set_letter(letter, on) {
                return Err(ScriptletError::unsupported(format!("set {first}")).into());
            }
        }
        if first == "-" {
            break;
        }
    }
    if !rest.is_empty() {
        shell.env.positional = rest.to_vec();
    }
    Ok(0)
}

fn long_option(shell: &mut Shell<'_>, name: &str, on: bool) -> Result<(), Flow> {
    let letter = match name {
        "errexit" => 'e',
        "nounset" => 'u',
        "noglob" => 'f',
        "noclobber" => 'C',
        "xtrace" => 'x',
        "verbose" => 'v',
        "posix" => 'h',
        "pipefail" => {
            shell.env.options.pipefail = on;
            return Ok(());
        }
        _ => return Err(ScriptletError::unsupported(format!("set -o {name}")).into()),
    };
    shell.set_letter(letter, on);
    Ok(())
}

pub(super) fn read(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let mut raw = false;
    let mut names: &[String] = words;
    while let Some((first, rest)) = names.split_first() {
        match first.as_str() {
            "-r" => raw = true,
            option if option.starts_with('-') => {
                return Err(ScriptletError::unsupported(format!("read {option}")).into());
            }
            _ => break,
        }
        names = rest;
    }
    shell.budget.steps(1)?;
    let mut text: Vec<(u8, bool)> = Vec::new();
    let mut ended = false;
    while let Some((line, complete)) = shell.env.streams.read_line(0) {
        let mut bytes = line.into_iter();
        let mut goes_on = false;
        while let Some(b) = bytes.next() {
            if raw || b != b'\\' {
                text.push((b, false));
                continue;
            }
            match bytes.next() {
                Some(b) => text.push((b, true)),
                None => goes_on = complete,
            }
        }
        ended = complete;
        if !goes_on {
            break;
        }
    }
    let separators = shell.get("IFS").unwrap_or(" \t\n").as_bytes().to_vec();
    let default = ["REPLY".to_owned()];
    let whole = names.is_empty();
    let names = if whole { &default } else { names };
    let separates = |(b, quoted): (u8, bool)| !whole && !quoted && separators.contains(&b);
    let space = |unit: (u8, bool)| separates(unit) && matches!(unit.0, b' ' | b'\t' | b'\n');
    let mut at = 0;
    for (index, name) in names.iter().enumerate() {
        while text.get(at).is_some_and(|unit| space(*unit)) {
            at += 1;
        }
        let last = index + 1 == names.len();
        let mut end = at;
        while end < text.len() && (last || !separates(text[end])) {
            end += 1;
        }
        let mut field = &text[at.min(end)..end];
        if last {
            while let Some((unit, rest)) = field.split_last()
                && space(*unit)
            {
                field = rest;
            }
            // one separator at the very end belongs to the last field alone
            let inner = field.iter().filter(|unit| separates(**unit) && !space(**unit)).count();
            if inner == 1
                && let Some((unit, rest)) = field.split_last()
                && separates(*unit)
            {
                field = rest;
            }
        }
        at = end;
        while text.get(at).is_some_and(|unit| space(*unit)) {
            at += 1;
        }
        if text.get(at).is_some_and(|unit| separates(*unit)) {
            at += 1;
        }
        let value: Vec<u8> = field.iter().map(|(b, _)| *b).collect();
        let value = String::from_utf8(value)
            .map_err(|_| ScriptletError::unsupported("input that is not UTF-8"))?;
        if !is_name(name) {
            return shell.complain(format!("/bin/sh: read: `{name}': not a valid identifier"));
        }
        shell.set(name, value)?;
    }
    Ok(i32::from(!ended))
}
