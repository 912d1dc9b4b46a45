//! Commands on the lines of texts.

use super::{failed, operand, parse, unsupported};
use crate::scriptlets::{
    fs::FsError,
    shell::{Flow, Shell, Status},
};

/// Files, or standard input where none is named.
pub(super) fn inputs(operands: &[String]) -> Vec<String> {
    if operands.is_empty() { vec!["-".to_owned()] } else { operands.to_vec() }
}

/// All inputs in one; and 1 where one was missing.
pub(super) fn all(
    shell: &mut Shell<'_>,
    command: &str,
    operands: &[String],
) -> Result<(Vec<u8>, i32), Flow> {
    let mut bytes = Vec::new();
    let mut status = 0;
    for name in inputs(operands) {
        match operand(shell, command, &name)? {
            Some(more) => bytes.extend(more),
            None => status = 1,
        }
    }
    Ok((bytes, status))
}

/// Lines with their ends.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|b| *b == b'\n')
}

pub(super) fn cat(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let parsed = parse("cat", words, "u", &[])?;
    let (bytes, status) = all(shell, "cat", &parsed.operands)?;
    shell.out(bytes)?;
    Ok(status)
}

pub(super) fn head(shell: &mut Shell<'_>, words: &[String]) -> Status {
    ends(shell, "head", words)
}

pub(super) fn tail(shell: &mut Shell<'_>, words: &[String]) -> Status {
    ends(shell, "tail", words)
}

fn ends(shell: &mut Shell<'_>, command: &str, words: &[String]) -> Status {
    // `-5` is `-n 5`
    let mut words = words.to_vec();
    if let Some(first) = words.first_mut()
        && first.len() > 1
        && first.starts_with('-')
        && first[1..].bytes().all(|b| b.is_ascii_digit())
    {
        *first = format!("-n{}", &first[1..]);
    }
    let parsed =
        parse(command, &words, "n:c:q", &[("lines", 'n'), ("bytes", 'c'), ("quiet", 'q')])?;
    if parsed.operands.len() > 1 {
        return unsupported(format!("{command} of several files"));
    }
    let by_bytes = parsed.has('c');
    let text = parsed.value('c').or(parsed.value('n')).unwrap_or("10").to_owned();
    let (sign, digits) = match text.chars().next() {
        Some(sign @ ('+' | '-')) => (sign, &text[1..]),
        _ => (' ', text.as_str()),
    };
    let Ok(count) = digits.parse::<usize>() else {
        return unsupported(format!("{command} -n {text}"));
    };
    let (bytes, status) = all(shell, command, &parsed.operands)?;
    let pieces: Vec<&[u8]> =
        if by_bytes { bytes.chunks(1).collect() } else { lines(&bytes).collect() };
    let total = pieces.len();
    let range = match (command, sign) {
        ("head", '-') => 0..total.saturating_sub(count),
        ("head", _) => 0..count.min(total),
        (_, '+') => count.saturating_sub(1).min(total)..total,
        _ => total.saturating_sub(count)..total,
    };
    let out = pieces[range].concat();
    shell.out(out)?;
    Ok(status)
}

pub(super) fn cut(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("delimiter", 'd'),
        ("fields", 'f'),
        ("characters", 'c'),
        ("bytes", 'b'),
        ("only-delimited", 's'),
        ("output-delimiter", 'o'),
    ];
    let parsed = parse("cut", words, "d:f:c:b:sno:", &names)?;
    let list = parsed.value('f').or(parsed.value('c')).or(parsed.value('b')).unwrap_or_default();
    let mut ranges = Vec::new();
    for one in list.split(',') {
        let number = |text: &str, default: usize| match text {
            "" => Some(default),
            text => text.parse().ok().filter(|n| *n > 0),
        };
        let range = match one.split_once('-') {
            Some((low, high)) => number(low, 1).zip(number(high, usize::MAX)),
            None => number(one, 0).filter(|n| *n > 0).map(|n| (n, n)),
        };
        match range {
            Some(range) => ranges.push(range),
            None => return unsupported(format!("cut -f {list}")),
        }
    }
    let wanted =
        |index: usize| ranges.iter().any(|(low, high)| (*low..=*high).contains(&(index + 1)));
    let delimiter = match parsed.value('d').unwrap_or("\t").as_bytes() {
        [one] => *one,
        _ => return unsupported("cut -d of this kind"),
    };
    let (bytes, status) = all(shell, "cut", &parsed.operands)?;
    let mut out = Vec::new();
    for line in lines(&bytes) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if parsed.has('f') {
            if !line.contains(&delimiter) {
                if !parsed.has('s') {
                    out.extend_from_slice(line);
                    out.push(b'\n');
                }
                continue;
            }
            let fields: Vec<&[u8]> = line
                .split(|b| *b == delimiter)
                .enumerate()
                .filter(|(index, _)| wanted(*index))
                .map(|(_, field)| field)
                .collect();
            match parsed.value('o') {
                Some(text) => out.extend(fields.join(text.as_bytes())),
                None => out.extend(fields.join(&delimiter)),
            }
        } else {
            out.extend(
                line.iter().enumerate().filter(|(index, _)| wanted(*index)).map(|(_, b)| *b),
            );
        }
        out.push(b'\n');
    }
    shell.out(out)?;
    Ok(status)
}

pub(super) fn tr(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("delete", 'd'), ("squeeze-repeats", 's'), ("complement", 'c')];
    let parsed = parse("tr", words, "dscC", &names)?;
    let complement = parsed.has('c') || parsed.has('C');
    let sets: Option<Vec<Vec<u8>>> = parsed.operands.iter().map(|text| tr_set(text)).collect();
    let Some(sets) = sets else { return unsupported("tr of these sets") };
    let first = match sets.first() {
        Some(first) if complement => (0..=255).filter(|b| !first.contains(b)).collect(),
        Some(first) => first.clone(),
        None => return shell.complain("tr: missing operand"),
    };
    let second = sets.get(1).cloned().unwrap_or_default();
    let input = shell.env.streams.read_all(0).unwrap_or_default();
    let mut out: Vec<u8> = Vec::with_capacity(input.len());
    let deletes = parsed.has('d');
    let squeezed = match (parsed.has('s'), sets.len()) {
        (false, _) => Vec::new(),
        (true, 1) => first.clone(),
        (true, _) => second.clone(),
    };
    for b in input {
        let at = first.iter().rposition(|own| *own == b);
        let b = match at {
            Some(_) if deletes => continue,
            Some(at) if !second.is_empty() && !deletes => second[at.min(second.len() - 1)],
            _ => b,
        };
        if squeezed.contains(&b) && out.last() == Some(&b) {
            continue;
        }
        out.push(b);
    }
    shell.out(out)?;
    Ok(0)
}

fn tr_set(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text.get(at..)?;
        if let Some(class) = rest.strip_prefix("[:") {
            let name = class.split(":]").next()?;
            for (low, high) in crate::scriptlets::glob::class(name)? {
                out.extend(low as u8..=high as u8);
            }
            at += name.len() + 4;
            continue;
        }
        let (b, used) = match bytes[at] {
            b'\\' => match bytes.get(at + 1)? {
                b'n' => (b'\n', 2),
                b't' => (b'\t', 2),
                b'r' => (b'\r', 2),
                b'\\' => (b'\\', 2),
                b'0' => (0, 2),
                _ => return None,
            },
            b if b.is_ascii() => (b, 1),
            _ => return None,
        };
        at += used;
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b'-'), Some(high)) if *high != b'\\' => {
                out.extend(b..=*high);
                at += 2;
            }
            _ => out.push(b),
        }
    }
    Some(out)
}

pub(super) fn wc(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("lines", 'l'), ("words", 'w'), ("bytes", 'c'), ("chars", 'm')];
    let parsed = parse("wc", words, "lwcm", &names)?;
    let ([(letter, _)], [] | [_]) = (parsed.options.as_slice(), parsed.operands.as_slice()) else {
        return unsupported("wc of this form");
    };
    let (bytes, status) = all(shell, "wc", &parsed.operands)?;
    let count = match letter {
        'l' => bytes.iter().filter(|b| **b == b'\n').count(),
        'w' => bytes.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count(),
        'm' => String::from_utf8_lossy(&bytes).chars().count(),
        _ => bytes.len(),
    };
    match parsed.operands.first() {
        Some(name) => shell.out(format!("{count} {name}\n"))?,
        None => shell.out(format!("{count}\n"))?,
    }
    Ok(status)
}

pub(super) fn tee(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let parsed = parse("tee", words, "a", &[("append", 'a')])?;
    let bytes = shell.env.streams.read_all(0).unwrap_or_default();
    let mut status = 0;
    for name in parsed.operands.iter().filter(|name| *name != "/dev/null") {
        shell.budget.bytes(bytes.len())?;
        let result = shell.fs.resolve(name.as_bytes(), true).map_err(FsError::from);
        let result = result.and_then(|path| {
            let mut content = Vec::new();
            if parsed.has('a') && shell.fs.exists(&path) {
                content = shell.fs.read(&path)?.to_vec();
            }
            content.extend_from_slice(&bytes);
            shell.fs.write_file(&path, &content)
        });
        if let Err(error) = result {
            status = failed(shell, format!("tee: {name}"), error)?;
        }
    }
    shell.out(bytes)?;
    Ok(status)
}

pub(super) fn cmp(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("silent", 's'), ("quiet", 's')];
    compare(shell, "cmp", words, "s", &names, 's')
}

pub(super) fn diff(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("brief", 'q')];
    compare(shell, "diff", words, "qN", &names, 'q')
}

fn compare(
    shell: &mut Shell<'_>,
    command: &str,
    words: &[String],
    letters: &str,
    names: &[(&str, char)],
    quiet: char,
) -> Status {
    let parsed = parse(command, words, letters, names)?;
    let [a, b] = parsed.operands.as_slice() else { return unsupported(command) };
    let (Some(left), Some(right)) = (operand(shell, command, a)?, operand(shell, command, b)?)
    else {
        return Ok(2);
    };
    if left == right {
        return Ok(0);
    }
    if !parsed.has(quiet) {
        // what it says where differences are shown is not followed
        return unsupported(format!("the output of {command}"));
    }
    if command == "diff" {
        shell.out(format!("Files {a} and {b} differ\n"))?;
    }
    Ok(1)
}
