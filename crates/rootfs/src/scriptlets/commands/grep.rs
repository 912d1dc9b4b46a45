//! `grep`

use super::{
    operand, parse,
    text::{inputs, lines},
    unsupported,
};
use crate::scriptlets::{
    regex,
    shell::{Shell, Status},
};

pub(super) fn grep(shell: &mut Shell<'_>, words: &[String], kind: char) -> Status {
    let names = [
        ("quiet", 'q'),
        ("silent", 'q'),
        ("invert-match", 'v'),
        ("ignore-case", 'i'),
        ("extended-regexp", 'E'),
        ("fixed-strings", 'F'),
        ("line-regexp", 'x'),
        ("word-regexp", 'w'),
        ("count", 'c'),
        ("files-with-matches", 'l'),
        ("no-messages", 's'),
        ("only-matching", 'o'),
        ("regexp", 'e'),
        ("max-count", 'm'),
        ("no-filename", 'h'),
        ("with-filename", 'H'),
        ("line-number", 'n'),
    ];
    let mut parsed = parse("grep", words, "qviEFGxwclsoe:m:hHnya", &names)?;
    if parsed.has('w') && parsed.has('o') {
        return unsupported("grep -wo");
    }
    let mut patterns: Vec<String> = parsed
        .options
        .iter()
        .filter(|(letter, _)| *letter == 'e')
        .map(|(_, value)| value.clone())
        .collect();
    if patterns.is_empty() {
        if parsed.operands.is_empty() {
            shell.complain("grep: missing pattern")?;
            return Ok(2);
        }
        patterns.push(parsed.operands.remove(0));
    }
    let kinds = parsed.options.iter().rev().map(|(letter, _)| *letter);
    let kind = kinds.into_iter().find(|letter| "EFG".contains(*letter)).unwrap_or(kind);
    let ignore_case = parsed.has('i') || parsed.has('y');
    let mut regexes = Vec::new();
    for pattern in patterns.iter().flat_map(|pattern| pattern.split('\n')) {
        regexes.push(match kind {
            'F' => regex::fixed(pattern, ignore_case)?,
            kind => regex::compile(pattern, kind == 'E', ignore_case)?,
        });
    }
    let limit = match parsed.value('m').map(str::parse::<usize>) {
        None => usize::MAX,
        Some(Ok(limit)) => limit,
        Some(Err(_)) => return unsupported("grep -m of this kind"),
    };
    let word_byte = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let matches = |line: &[u8]| {
        let one = regexes.iter().any(|regex| {
            regex.find_iter(line).any(|found| {
                let whole = found.start() == 0 && found.end() == line.len();
                let word = !word_byte(line[..found.start()].last())
                    && !word_byte(line[found.end()..].first());
                (!parsed.has('x') || whole) && (!parsed.has('w') || word)
            })
        });
        one != parsed.has('v')
    };
    let files = inputs(&parsed.operands);
    let prefixed = (files.len() > 1 || parsed.has('H')) && !parsed.has('h');
    let mut out = Vec::new();
    let (mut found_any, mut failed) = (false, false);
    for name in &files {
        let silent = parsed.has('s');
        if silent && name != "-" && shell.fs.lookup(name.as_bytes(), true).is_err() {
            failed = true;
            continue;
        }
        let Some(bytes) = operand(shell, "grep", name)? else {
            failed = true;
            continue;
        };
        if bytes.contains(&0) && !parsed.has('q') && !parsed.has('c') && !parsed.has('l') {
            return unsupported("grep of a binary file");
        }
        let mut count = 0;
        let prefix = if prefixed { format!("{name}:").into_bytes() } else { Vec::new() };
        for (number, line) in (1usize..).zip(lines(&bytes)) {
            shell.budget.steps(1)?;
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            if !matches(line) {
                continue;
            }
            count += 1;
            let number = if parsed.has('n') { format!("{number}:") } else { String::new() };
            let prefix = [&prefix[..], number.as_bytes()].concat();
            if parsed.has('o') {
                for found in regexes.iter().flat_map(|regex| regex.find_iter(line)) {
                    out.extend([&prefix[..], found.as_bytes(), b"\n"].concat());
                }
            } else if !parsed.has('c') && !parsed.has('l') && !parsed.has('q') {
                out.extend([&prefix[..], line, b"\n"].concat());
            }
            if count >= limit {
                break;
            }
        }
        found_any |= count > 0;
        if parsed.has('c') {
            out.extend([&prefix[..], count.to_string().as_bytes(), b"\n"].concat());
        } else if parsed.has('l') && count > 0 {
            out.extend([name.as_bytes(), b"\n"].concat());
        }
    }
    if !parsed.has('q') {
        shell.out(out)?;
    }
    Ok(match (found_any, failed) {
        (true, true) if !parsed.has('q') => 2,
        (true, _) => 0,
        (false, true) => 2,
        (false, false) => 1,
    })
}
