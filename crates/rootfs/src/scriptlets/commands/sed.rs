//! `sed`: `s`, `d`, `p`, `q`, `a`, `i`, `c`, `y`, `=` of no use here; addresses; `-i`, `-e`, `-n`, `-E`.

mod script;

use self::script::{Address, Command, Edit};
use super::{failed, operand, parse, text::inputs, unsupported};
use crate::scriptlets::{
    fs::{FsError, Meta},
    shell::{Flow, Shell, Status},
};

pub(super) fn sed(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("quiet", 'n'),
        ("silent", 'n'),
        ("expression", 'e'),
        ("regexp-extended", 'E'),
        ("in-place", 'i'),
        ("file", 'f'),
        ("follow-symlinks", 'L'),
        ("null-data", 'z'),
    ];
    // `-i` may have a suffix in the same word, and only there
    let mut suffix = None;
    let mut rest = Vec::new();
    for word in words {
        match word.strip_prefix("-i").or_else(|| word.strip_prefix("--in-place")) {
            Some(text) if suffix.is_none() && !text.starts_with("--") => {
                suffix = Some(text.trim_start_matches('=').to_owned());
            }
            _ => rest.push(word.clone()),
        }
    }
    let mut parsed = parse("sed", &rest, "ne:Erf:sizL", &names)?;
    if parsed.has('f') || parsed.has('z') || parsed.has('L') {
        return unsupported("sed -f, -z or --follow-symlinks");
    }
    if parsed.has('i') && suffix.is_none() {
        suffix = Some(String::new());
    }
    let scripts = parsed.options.iter().filter(|(letter, _)| *letter == 'e');
    let mut script: Vec<String> = scripts.map(|(_, value)| value.clone()).collect();
    if script.is_empty() {
        if parsed.operands.is_empty() {
            return shell.complain("sed: no script");
        }
        script.push(parsed.operands.remove(0));
    }
    let extended = parsed.has('E') || parsed.has('r');
    let edits = script::parse(&script.join("\n"), extended)?;
    let quiet = parsed.has('n');
    let mut status = 0;
    let Some(suffix) = suffix else {
        let mut bytes = Vec::new();
        for name in inputs(&parsed.operands) {
            match operand(shell, "sed", &name)? {
                Some(more) => {
                    // a last line without an end gets one when more follows
                    if !bytes.is_empty() && bytes.last() != Some(&b'\n') {
                        bytes.push(b'\n');
                    }
                    bytes.extend(more);
                }
                None => status = 2,
            }
        }
        let out = edit(shell, &edits, &bytes, quiet)?;
        shell.out(out)?;
        return Ok(status);
    };
    for name in &parsed.operands {
        let found = shell.fs.lookup(name.as_bytes(), false).map_err(FsError::from);
        let path = match found {
            Ok(path) => path,
            Err(error) => {
                failed(shell, format!("sed: can't read {name}"), error)?;
                status = 2;
                continue;
            }
        };
        // `sed -i` puts a new file in place of a link
        let real = shell.fs.lookup(name.as_bytes(), true).unwrap_or_else(|_| path.clone());
        let old = match shell.fs.read(&real) {
            Ok(old) => old,
            Err(FsError::Fatal(error)) => return Err(error.into()),
            Err(FsError::Errno(_)) => {
                shell.complain(format!("sed: couldn't edit {name}: not a regular file"))?;
                status = 4;
                continue;
            }
        };
        shell.budget.bytes(old.len())?;
        let new = edit(shell, &edits, &old, quiet)?;
        let node = shell.fs.node(&real).cloned();
        let inner = || -> Result<(), FsError> {
            if suffix.is_empty() {
                shell.fs.unlink(&path)?;
            } else {
                let backup = if suffix.contains('*') {
                    suffix.replace('*', super::base(name))
                } else {
                    format!("{}{suffix}", super::base(name))
                };
                let directory = path.parent().unwrap_or_default();
                let backup = shell.fs.resolve_from(&directory, backup.as_bytes(), false)?;
                if shell.fs.exists(&backup) {
                    shell.fs.unlink(&backup)?;
                }
                shell.fs.rename(&path, &backup)?;
            }
            shell.fs.write_file(&path, &new)?;
            let (mode, uid, gid) = node.map_or((0o644, 0, 0), |n| (n.mode, n.uid, n.gid));
            let meta = Meta { uid: Some(uid), gid: Some(gid), ..Meta::default() };
            shell.fs.set_meta(&path, meta)?;
            shell.fs.set_meta(&path, Meta { mode: Some(mode), ..Meta::default() })
        };
        if let Err(error) = inner() {
            failed(shell, format!("sed: {name}"), error)?;
            status = 4;
        }
    }
    Ok(status)
}

/// Runs the script over a text.
fn edit(shell: &mut Shell<'_>, edits: &[Edit], text: &[u8], quiet: bool) -> Result<Vec<u8>, Flow> {
    let lines: Vec<&[u8]> = super::text::lines(text).collect();
    let mut inside = vec![false; edits.len()];
    let mut out = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let (mut space, end) = match line.strip_suffix(b"\n") {
            Some(line) => (line.to_vec(), &b"\n"[..]),
            None => (line.to_vec(), &b""[..]),
        };
        let number = index + 1;
        let last = number == lines.len();
        let mut deleted = false;
        let mut after: Vec<u8> = Vec::new();
        let mut quit = false;
        for (edit, inside) in edits.iter().zip(&mut inside) {
            shell.budget.steps(1)?;
            if !selects(edit, inside, &space, number, last) {
                continue;
            }
            match &edit.command {
                Command::Delete => deleted = true,
                Command::Print => out.extend([&space[..], b"\n"].concat()),
                Command::Quit => quit = true,
                Command::End => break,
                Command::Append(text) => after.extend([text.as_bytes(), b"\n"].concat()),
                Command::Insert(text) => out.extend([text.as_bytes(), b"\n"].concat()),
                Command::Change(text) => {
                    deleted = true;
                    // of a range only the end is replaced
                    if !matches!(edit.addresses.as_slice(), [_, _]) || !*inside {
                        out.extend([text.as_bytes(), b"\n"].concat());
                    }
                }
                Command::Translate(from, to) => {
                    for b in &mut space {
                        if let Some(at) = from.iter().position(|own| own == b) {
                            *b = to[at];
                        }
                    }
                }
                Command::Substitute(substitution) => {
                    if let Some(new) = substitution.apply(&space) {
                        space = new;
                        shell.budget.bytes(space.len())?;
                        if substitution.print {
                            out.extend([&space[..], b"\n"].concat());
                        }
                    }
                }
            }
            if deleted || quit {
                break;
            }
        }
        if !deleted && !quiet {
            out.extend_from_slice(&space);
            out.extend_from_slice(end);
        }
        if !after.is_empty() && out.last().is_some_and(|b| *b != b'\n') {
            out.push(b'\n');
        }
        out.extend(after);
        shell.budget.bytes(space.len())?;
        if quit {
            break;
        }
    }
    Ok(out)
}

fn selects(edit: &Edit, inside: &mut bool, line: &[u8], number: usize, last: bool) -> bool {
    let hits = |address: &Address| match address {
        Address::Line(own) => *own == number,
        Address::Last => last,
        Address::Match(regex) => regex.is_match(line),
    };
    let selected = match edit.addresses.as_slice() {
        [] => true,
        [only] => hits(only),
        [first, second, ..] => {
            if *inside {
                *inside = match second {
                    Address::Line(own) => number < *own,
                    other => !hits(other),
                };
                // past its end already: the range was one line
                !matches!(second, Address::Line(own) if number > *own)
            } else if hits(first) {
                *inside = match second {
                    Address::Line(own) => number < *own,
                    Address::Last => !last,
                    Address::Match(_) => true,
                };
                true
            } else {
                false
            }
        }
    };
    selected != edit.negated
}
