//! Programs that compute a value: `expr`, checksums, names of temporary files.

use super::{failed, operand, parse, text::inputs, unsupported};
use crate::scriptlets::{
    fs::{FsError, Meta},
    regex,
    shell::{Shell, Status},
};
use sha2::{Digest, Sha256, Sha512};

/// One operation, as scripts ask for it.
pub(super) fn expr(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let value = match words.as_slice() {
        [only] => (*only).to_owned(),
        ["length", text] => text.chars().count().to_string(),
        [text, ":", pattern] | ["match", text, pattern] => {
            let found = regex::compile(&format!("^\\({pattern}\\)"), false, false)?;
            // with a group of its own the expression tells what that matched
            let groups = found.captures_len() > 2;
            match found.captures(text.as_bytes()) {
                Some(parts) if groups => {
                    let part = parts.get(2).map_or(&b""[..], |part| part.as_bytes());
                    String::from_utf8_lossy(part).into_owned()
                }
                Some(parts) => {
                    let whole = parts.get(0).map_or(&b""[..], |part| part.as_bytes());
                    String::from_utf8_lossy(whole).chars().count().to_string()
                }
                None if groups => String::new(),
                None => "0".to_owned(),
            }
        }
        [left, operator, right] => match binary(left, operator, right) {
            Some(Ok(value)) => value,
            Some(Err(message)) => {
                shell.complain(format!("expr: {message}"))?;
                return Ok(2);
            }
            None => return unsupported(format!("expr {operator}")),
        },
        _ => return unsupported("expr of this form"),
    };
    shell.out(format!("{value}\n"))?;
    Ok(i32::from(value.is_empty() || value.parse() == Ok(0)))
}

/// None: no such operation.
fn binary(left: &str, operator: &str, right: &str) -> Option<Result<String, &'static str>> {
    let numbers = left.parse::<i64>().ok().zip(right.parse::<i64>().ok());
    let order = numbers.map_or_else(|| left.cmp(right), |(left, right)| left.cmp(&right));
    let truth = |yes: bool| Some(Ok(i32::from(yes).to_string()));
    match operator {
        "=" | "==" => return truth(order.is_eq()),
        "!=" => return truth(order.is_ne()),
        "<" => return truth(order.is_lt()),
        "<=" => return truth(order.is_le()),
        ">" => return truth(order.is_gt()),
        ">=" => return truth(order.is_ge()),
        "+" | "-" | "*" | "/" | "%" => {}
        _ => return None,
    }
    let Some((left, right)) = numbers else { return Some(Err("non-integer argument")) };
    let value = match operator {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        _ if right == 0 => return Some(Err("division by zero")),
        "/" => left.checked_div(right),
        _ => left.checked_rem(right),
    };
    value.map(|value| Ok(value.to_string()))
}

pub(super) fn sha256sum(shell: &mut Shell<'_>, words: &[String]) -> Status {
    sums(shell, "sha256sum", words, |bytes| hex::encode(Sha256::digest(bytes)))
}

pub(super) fn sha512sum(shell: &mut Shell<'_>, words: &[String]) -> Status {
    sums(shell, "sha512sum", words, |bytes| hex::encode(Sha512::digest(bytes)))
}

fn sums(
    shell: &mut Shell<'_>,
    command: &str,
    words: &[String],
    digest: impl Fn(&[u8]) -> String,
) -> Status {
    let parsed = parse(command, words, "bt", &[("binary", 'b'), ("text", 't')])?;
    let mut status = 0;
    for name in inputs(&parsed.operands) {
        match operand(shell, command, &name)? {
            Some(bytes) => shell.out(format!("{}  {name}\n", digest(&bytes)))?,
            None => status = 1,
        }
    }
    Ok(status)
}

/// `mktemp`: the first name that is free, so that it is the same in every run.
pub(super) fn mktemp(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("directory", 'd'), ("tmpdir", 'p'), ("quiet", 'q')];
    let parsed = parse("mktemp", words, "dp:qt", &names)?;
    let template = parsed.operands.first().map_or("tmp.XXXXXXXXXX", String::as_str);
    let stem = template.trim_end_matches('X');
    let width = template.len() - stem.len();
    if width < 3 {
        return shell.complain(format!("mktemp: too few X's in template '{template}'"));
    }
    let directory = match parsed.value('p') {
        Some(directory) if !directory.is_empty() => Some(directory.to_owned()),
        Some(_) => Some("/tmp".to_owned()),
        None if parsed.operands.is_empty() || parsed.has('t') => {
            Some(shell.get("TMPDIR").unwrap_or("/tmp").to_owned())
        }
        None => None,
    };
    let stem = directory.map_or_else(|| stem.to_owned(), |directory| format!("{directory}/{stem}"));
    for number in 0..1000 {
        shell.budget.steps(1)?;
        let path = format!("{stem}{number:0width$}");
        if shell.fs.lookup(path.as_bytes(), false).is_ok() {
            continue;
        }
        let made = shell.fs.resolve(path.as_bytes(), false).map_err(FsError::from);
        let made = made.and_then(|place| {
            if parsed.has('d') {
                shell.fs.mkdir(&place, 0o700)?;
                return Ok(());
            }
            shell.fs.create(&place, 0o600)?;
            shell.fs.set_meta(&place, Meta { mode: Some(0o600), ..Meta::default() })
        });
        if let Err(error) = made {
            return failed(shell, format!("mktemp: {path}"), error);
        }
        shell.out(format!("{path}\n"))?;
        return Ok(0);
    }
    unsupported("so many temporary files")
}
