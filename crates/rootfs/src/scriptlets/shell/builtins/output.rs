//! `echo` and `printf`.

use super::super::{Shell, Status};
use crate::scriptlets::ScriptletError;

/// As bash does: `-n`, `-e`, `-E`; no escapes unless asked for.
pub(super) fn echo(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let mut newline = true;
    let mut escapes = false;
    let mut rest = words;
    while let Some((first, more)) = rest.split_first() {
        let letters = first.strip_prefix('-').unwrap_or_default();
        if letters.is_empty() || !letters.chars().all(|c| "neE".contains(c)) {
            break;
        }
        for letter in letters.chars() {
            match letter {
                'n' => newline = false,
                'e' => escapes = true,
                _ => escapes = false,
            }
        }
        rest = more;
    }
    let text = rest.join(" ");
    let mut bytes = if escapes {
        let (bytes, stopped) = unescape(&text, true);
        newline &= !stopped;
        bytes
    } else {
        text.into_bytes()
    };
    if newline {
        bytes.push(b'\n');
    }
    shell.out(bytes)?;
    Ok(0)
}

/// Escapes of `echo -e`, `printf` and `%b`; whether a `\c` stopped it.
fn unescape(text: &str, zero: bool) -> (Vec<u8>, bool) {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        at += 1;
        if b != b'\\' {
            out.push(b);
            continue;
        }
        let Some(&c) = bytes.get(at) else {
            out.push(b'\\');
            break;
        };
        at += 1;
        let digits = |from: usize, most: usize, radix: u32| {
            let valid = |b: &&u8| (**b as char).is_digit(radix);
            let count = bytes[from..].iter().take(most).take_while(valid).count();
            let text = str::from_utf8(&bytes[from..from + count]).unwrap_or_default();
            (u32::from_str_radix(text, radix).unwrap_or(0), count)
        };
        match c {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'v' => out.push(11),
            b'e' => out.push(27),
            b'\\' => out.push(b'\\'),
            b'"' if !zero => out.push(b'"'),
            b'c' => return (out, true),
            b'x' => {
                let (value, count) = digits(at, 2, 16);
                at += count;
                out.push(value.to_le_bytes()[0]);
            }
            b'0' if zero => {
                let (value, count) = digits(at, 3, 8);
                at += count;
                out.push(value.to_le_bytes()[0]);
            }
            b'0'..=b'7' if !zero => {
                let (value, count) = digits(at - 1, 3, 8);
                at += count - 1;
                out.push(value.to_le_bytes()[0]);
            }
            _ => out.extend([b'\\', c]),
        }
    }
    (out, false)
}

pub(super) fn printf(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let words = match words {
        [first, rest @ ..] if first == "--" => rest,
        words => words,
    };
    let Some((format, arguments)) = words.split_first() else {
        return shell.complain("printf: usage: printf format [arguments]");
    };
    if format.starts_with('-') {
        return Err(ScriptletError::unsupported(format!("printf {format}")).into());
    }
    let mut arguments = arguments.iter();
    let mut out = Vec::new();
    let mut status = 0;
    loop {
        let before = arguments.len();
        shell.budget.steps(1)?;
        let mut rest = format.as_str();
        while let Some(at) = rest.find('%') {
            out.extend(unescape(&rest[..at], false).0);
            rest = &rest[at + 1..];
            if let Some(more) = rest.strip_prefix('%') {
                out.push(b'%');
                rest = more;
                continue;
            }
            let end = rest
                .find(|c: char| c.is_ascii_alphabetic())
                .ok_or_else(|| ScriptletError::unsupported(format!("printf {format}")))?;
            let spec = &rest[..end];
            let letter = rest[end..].chars().next().unwrap_or('s');
            rest = &rest[end + 1..];
            let argument = arguments.next();
            let unsupported = || ScriptletError::unsupported(format!("printf %{spec}{letter}"));
            let value = match letter {
                's' => argument.map(String::as_str).unwrap_or_default().as_bytes().to_vec(),
                'b' => {
                    let (bytes, stop) =
                        unescape(argument.map(String::as_str).unwrap_or_default(), true);
                    if stop {
                        return Err(unsupported().into());
                    }
                    bytes
                }
                'c' => argument.and_then(|text| text.bytes().next()).into_iter().collect(),
                'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
                    let text = argument.map(|text| text.trim()).unwrap_or("0");
                    let number = if text.is_empty() { Ok(0) } else { text.parse::<i64>() };
                    let number = match number {
                        Ok(number) if !text.starts_with('0') || text == "0" => number,
                        Ok(_) => return Err(unsupported().into()),
                        Err(_) => {
                            status = shell.complain(format!("printf: {text}: invalid number"))?;
                            0
                        }
                    };
                    match letter {
                        'x' => format!("{number:x}"),
                        'X' => format!("{number:X}"),
                        'o' => format!("{number:o}"),
                        _ => number.to_string(),
                    }
                    .into_bytes()
                }
                _ => return Err(unsupported().into()),
            };
            out.extend(padded(value, spec, letter).ok_or_else(unsupported)?);
            shell.budget.bytes(out.len().min(1 << 16))?;
        }
        out.extend(unescape(rest, false).0);
        if arguments.len() == 0 || arguments.len() == before {
            break;
        }
    }
    shell.out(out)?;
    Ok(status)
}

/// Flags `-` and `0`, a width and, of texts, a precision.
fn padded(mut value: Vec<u8>, spec: &str, letter: char) -> Option<Vec<u8>> {
    let left = spec.starts_with('-');
    let spec = spec.trim_start_matches('-');
    let zero = spec.starts_with('0');
    let (width, precision) = match spec.split_once('.') {
        Some((width, precision)) => (width, Some(precision)),
        None => (spec, None),
    };
    if let Some(precision) = precision {
        if letter != 's' {
            return None;
        }
        value.truncate(if precision.is_empty() { 0 } else { precision.parse().ok()? });
    }
    let width: usize = if width.is_empty() { 0 } else { width.parse().ok()? };
    if width > 4096 {
        return None;
    }
    let missing = width.saturating_sub(value.len());
    if left {
        value.resize(value.len() + missing, b' ');
        return Some(value);
    }
    if zero && value.first() == Some(&b'-') {
        return None;
    }
    let fill = if zero && letter != 's' { b'0' } else { b' ' };
    Some([vec![fill; missing], value].concat())
}
