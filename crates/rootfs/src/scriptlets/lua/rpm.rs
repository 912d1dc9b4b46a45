//! rpm's `rpm` table.

use super::{
    arguments::{Args, Out},
    host::{Answer, Failure, Function, Host, until_nul},
    posix, process,
};
use crate::scriptlets::{
    fs::FsError,
    glob,
    streams::{OpenFile, Stream},
};
use std::{cell::RefCell, cmp::Ordering, rc::Rc};
use strata_rpm::ScriptletKind;

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("b64decode", b64decode),
    ("b64encode", b64encode),
    ("define", define),
    ("execute", execute),
    ("expand", expand),
    ("glob", glob),
    ("isdefined", isdefined),
    ("macro", macro_value),
    ("next_file", next_file),
    ("redirect2null", posix::redirect2null),
    ("spawn", spawn),
    ("splitargs", splitargs),
    ("undefine", undefine),
    ("unsplitargs", unsplitargs),
    ("ver_compare", ver_compare),
    ("ver_parse", ver_parse),
    ("vercmp", vercmp),
];

/// Functions of the real table that have no answer here.
pub(super) const UNSUPPORTED: &[&str] = &["call", "interactive", "load", "register", "unregister"];

/// Whether `rpm.next_file` is there.
pub(super) fn has_files(kind: ScriptletKind) -> bool {
    matches!(kind, ScriptletKind::FileTrigger | ScriptletKind::TransFileTrigger)
}

/// The next path that triggered, nil after the last. After that rpm begins anew with one of the
/// prefixes of the trigger, which nobody can mean.
fn next_file(host: &mut Host<'_>, _: &Args) -> Answer {
    let all = host.shell.task.stdin;
    let at = host.process.next_file;
    if at > all.len() {
        return Err(Failure::unsupported("rpm.next_file after its end"));
    }
    let rest = &all[at..];
    let Some(line) = rest.split(|b| *b == b'\n').next().filter(|_| !rest.is_empty()) else {
        host.process.next_file = all.len() + 1;
        return Ok(vec![Out::Nil]);
    };
    host.process.next_file = (at + line.len() + 1).min(all.len());
    Ok(vec![Out::text(line)])
}

type Version = (Option<Vec<u8>>, Vec<u8>, Option<Vec<u8>>);

/// `[epoch:]version[-release]`, as texts.
fn parse(text: &[u8]) -> Option<Version> {
    if text.is_empty() {
        return None;
    }
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (epoch, rest) = match text.get(digits) {
        Some(b':') if digits == 0 => (Some(b"0".to_vec()), &text[1..]),
        Some(b':') => (Some(text[..digits].to_vec()), &text[digits + 1..]),
        _ => (None, text),
    };
    Some(match rest.iter().rposition(|b| *b == b'-') {
        Some(dash) => (epoch, rest[..dash].to_vec(), Some(rest[dash + 1..].to_vec())),
        None => (epoch, rest.to_vec(), None),
    })
}

fn compare(one: &Version, other: &Version) -> i64 {
    let epoch = |version: &Version| version.0.clone().unwrap_or_else(|| b"0".to_vec());
    let order = strata_rpm::vercmp(&epoch(one), &epoch(other))
        .then_with(|| strata_rpm::vercmp(&one.1, &other.1))
        .then_with(|| match (&one.2, &other.2) {
            (Some(one), Some(other)) => strata_rpm::vercmp(one, other),
            (one, other) => one.is_some().cmp(&other.is_some()),
        });
    match order {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

fn vercmp(_: &mut Host<'_>, args: &Args) -> Answer {
    let (one, other) = (until_nul(args.text(1)?), until_nul(args.text(2)?));
    let one = parse(one).ok_or_else(|| args.wrong(1, "invalid version "))?;
    let other = parse(other).ok_or_else(|| args.wrong(2, "invalid version "))?;
    Ok(vec![Out::Integer(compare(&one, &other))])
}

/// Behind `rpm.ver`: epoch, version and release of a text.
fn ver_parse(_: &mut Host<'_>, args: &Args) -> Answer {
    let Some((epoch, version, release)) = parse(until_nul(args.text(1)?)) else {
        return Ok(Vec::new());
    };
    let optional = |text: Option<Vec<u8>>| text.map_or(Out::Nil, Out::Text);
    Ok(vec![optional(epoch), Out::Text(version), optional(release)])
}

/// Behind comparisons of `rpm.ver`: two times epoch, version and release.
fn ver_compare(_: &mut Host<'_>, args: &Args) -> Answer {
    let optional = |index: usize| -> Result<Option<Vec<u8>>, Failure> {
        if args.is_nothing(index) { Ok(None) } else { Ok(Some(args.text(index)?.to_vec())) }
    };
    let version = |first: usize| -> Result<Version, Failure> {
        Ok((optional(first)?, args.text(first + 1)?.to_vec(), optional(first + 2)?))
    };
    Ok(vec![Out::Integer(compare(&version(1)?, &version(4)?))])
}

fn expand(host: &mut Host<'_>, args: &Args) -> Answer {
    let text = args.string(1)?;
    host.shell.budget.bytes(1 << 10)?;
    Ok(vec![Out::Text(host.process.macros.expand(&text)?.into_bytes())])
}

/// `macros.name`
fn macro_value(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = args.string(1)?;
    let body = host.process.macros.body(&name)?.to_owned();
    Ok(vec![Out::Text(host.process.macros.expand(&body)?.into_bytes())])
}

fn define(host: &mut Host<'_>, args: &Args) -> Answer {
    host.process.macros.define(&args.string(1)?)?;
    Ok(Vec::new())
}

fn undefine(host: &mut Host<'_>, args: &Args) -> Answer {
    host.process.macros.undefine(&args.string(1)?)?;
    Ok(Vec::new())
}

fn isdefined(host: &mut Host<'_>, args: &Args) -> Answer {
    host.process.macros.body(&args.string(1)?)?;
    Ok(vec![Out::Boolean(true), Out::Boolean(false)])
}

/// A number of success, or nil with what it ended with. (rpm 4.18 gives the raw status and the
/// words of the error of that number.)
fn ended(status: i32) -> Vec<Out> {
    match status {
        0 => vec![Out::Number(0.0)],
        status => vec![Out::Nil, Out::text("exit code"), Out::Number(status.into())],
    }
}

/// `rpm.execute(program, …)`
fn execute(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = args.string(1)?;
    let words = args.strings(1)?;
    if let Some(problem) = process::cannot_run(host, &name) {
        return Ok(host.failed(problem, None));
    }
    Ok(ended(process::program(host, &words)?))
}

/// `rpm.spawn({program, …}, {stdin = …, stdout = …, stderr = …})`: the prelude gives the three
/// files first, then the words.
fn spawn(host: &mut Host<'_>, args: &Args) -> Answer {
    let words = args.strings(4)?;
    let Some(name) = words.first().cloned() else {
        return Err(Failure::raise("command not supplied"));
    };
    let outer = host.shell.env.streams.clone();
    for fd in 0..3 {
        let index = fd as usize + 1;
        if args.is_nothing(index) {
            continue;
        }
        let file = until_nul(args.text(index)?).to_vec();
        let stream = if fd == 0 { input(host, &file) } else { output(host, &file) };
        match host.problem(stream) {
            Ok(Ok(stream)) => {
                host.shell.env.streams.0.insert(fd, stream);
            }
            Ok(Err(problem)) => {
                host.shell.env.streams = outer;
                return Ok(host.failed(problem, None));
            }
            Err(failure) => return Err(failure),
        }
    }
    let problem = process::cannot_run(host, &name);
    let status = if problem.is_none() { process::program(host, &words) } else { Ok(0) };
    host.shell.env.streams = outer;
    match problem {
        Some(problem) => Ok(host.failed(problem, None)),
        None => Ok(ended(status?)),
    }
}

fn input(host: &Host<'_>, name: &[u8]) -> Result<Stream, FsError> {
    if name == b"/dev/null" {
        return Ok(Stream::Null);
    }
    let path = host.shell.fs.lookup(name, true)?;
    Ok(Stream::input(host.shell.fs.read(&path)?.to_vec()))
}

fn output(host: &mut Host<'_>, name: &[u8]) -> Result<Stream, FsError> {
    if name == b"/dev/null" {
        return Ok(Stream::Null);
    }
    let fs = &mut host.shell.fs;
    let path = fs.resolve(name, true)?;
    if !fs.exists(&path) {
        fs.create(&path, 0o644)?;
    } else if fs.is_dir(&path) {
        return Err(crate::scriptlets::fs::Errno::IsDirectory.into());
    }
    Ok(Stream::File(Rc::new(RefCell::new(OpenFile { path, at: 0, append: true }))))
}

/// `rpm.glob(pattern)`: a pattern without a match is its own.
fn glob(host: &mut Host<'_>, args: &Args) -> Answer {
    let pattern = args.string(1)?;
    if pattern.contains(['{', '}', '~']) || pattern.contains("://") {
        return Err(Failure::unsupported("rpm.glob of such a pattern"));
    }
    let mut quotable = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => quotable.push((letters.next().unwrap_or('\\'), true)),
            _ => quotable.push((letter, false)),
        }
    }
    let mut found = glob::expand(&host.shell.fs, &mut host.shell.budget, &quotable)?;
    if found.is_empty() {
        found.push(pattern);
    }
    Ok(vec![Out::List(found.iter().map(Out::text).collect())])
}

const QUOTE: u8 = 0x1f;

fn splitargs(_: &mut Host<'_>, args: &Args) -> Answer {
    let (mut out, mut word, mut quoted, mut some) = (Vec::new(), Vec::new(), false, false);
    for byte in until_nul(args.text(1)?) {
        match byte {
            b' ' | b'\t' if !quoted => {
                if some {
                    out.push(Out::Text(std::mem::take(&mut word)));
                }
                some = false;
            }
            _ => {
                some = true;
                if *byte == QUOTE {
                    quoted = !quoted;
                } else {
                    word.push(*byte);
                }
            }
        }
    }
    // what is quoted to the end is lost
    if some && !quoted {
        out.push(Out::Text(word));
    }
    Ok(vec![Out::List(out)])
}

fn unsplitargs(_: &mut Host<'_>, args: &Args) -> Answer {
    let mut out = Vec::new();
    for index in 1..=args.len() {
        if index > 1 {
            out.push(b' ');
        }
        out.push(QUOTE);
        out.extend(until_nul(args.text(index)?));
        out.push(QUOTE);
    }
    Ok(vec![Out::Text(out)])
}

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Lines of 64 letters unless told otherwise; 0: one line without an end.
fn b64encode(_: &mut Host<'_>, args: &Args) -> Answer {
    let text = args.text(1)?;
    let line = if args.len() == 2 { args.integer(2)? } else { -1 };
    let line = usize::try_from(line).unwrap_or(64) / 4;
    if text.is_empty() {
        return Ok(vec![args.get(args.len()).map_or(Out::Nil, |_| Out::text(text))]);
    }
    let mut out = Vec::new();
    for chunk in text.chunks(if line == 0 { text.len() } else { line.saturating_mul(3) }) {
        for block in chunk.chunks(3) {
            let byte = |at: usize| u32::from(block.get(at).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for at in 0..4 {
                let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
                out.push(if at > block.len() { b'=' } else { letter });
            }
        }
        if line > 0 {
            out.push(b'\n');
        }
    }
    Ok(vec![Out::Text(out)])
}

/// Nil for what is no such text. White space does not count.
fn b64decode(_: &mut Host<'_>, args: &Args) -> Answer {
    let text = until_nul(args.text(1)?);
    let letters: Vec<u8> = text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    let body = letters.strip_suffix(b"==").or(letters.strip_suffix(b"=")).unwrap_or(&letters);
    let values: Option<Vec<u32>> = body
        .iter()
        .map(|b| LETTERS.iter().position(|letter| letter == b).map(|at| at as u32))
        .collect();
    let Some(values) = values.filter(|_| letters.len().is_multiple_of(4)) else {
        return Ok(vec![Out::Nil]);
    };
    let mut out = Vec::new();
    for block in values.chunks(4) {
        let value = |at: usize| block.get(at).copied().unwrap_or(0);
        let bits = value(0) << 18 | value(1) << 12 | value(2) << 6 | value(3);
        out.extend(&bits.to_be_bytes()[1..block.len()]);
    }
    Ok(vec![Out::Text(out)])
}
