//! `sort` and `uniq`.

use super::{
    parse,
    text::{all, lines},
    unsupported,
};
use crate::scriptlets::shell::{Shell, Status};

pub(super) fn sort(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("unique", 'u'), ("reverse", 'r'), ("numeric-sort", 'n'), ("output", 'o')];
    let parsed = parse("sort", words, "urno:k:t:", &names)?;
    if parsed.has('o') || parsed.has('k') || parsed.has('t') {
        return unsupported("sort -o, -k or -t");
    }
    let (bytes, status) = all(shell, "sort", &parsed.operands)?;
    let mut lines: Vec<&[u8]> =
        lines(&bytes).map(|line| line.strip_suffix(b"\n").unwrap_or(line)).collect();
    shell.budget.steps(lines.len() as u64)?;
    if parsed.has('n') {
        lines.sort_by(|a, b| number(a).cmp(&number(b)).then_with(|| a.cmp(b)));
        if parsed.has('u') {
            lines.dedup_by_key(|line| number(line));
        }
    } else {
        lines.sort_unstable();
        if parsed.has('u') {
            lines.dedup();
        }
    }
    if parsed.has('r') {
        lines.reverse();
    }
    let out: Vec<u8> = lines.into_iter().flat_map(|line| [line, b"\n"].concat()).collect();
    shell.out(out)?;
    Ok(status)
}

fn number(line: &[u8]) -> i64 {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_start();
    let end = text
        .char_indices()
        .find(|(at, c)| !(c.is_ascii_digit() || *at == 0 && *c == '-'))
        .map_or(text.len(), |(at, _)| at);
    text[..end].parse().unwrap_or(0)
}

pub(super) fn uniq(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let parsed = parse("uniq", words, "du", &[("repeated", 'd'), ("unique", 'u')])?;
    if parsed.operands.len() > 1 {
        return unsupported("uniq into a file");
    }
    let (bytes, status) = all(shell, "uniq", &parsed.operands)?;
    let mut groups: Vec<(&[u8], usize)> = Vec::new();
    for line in lines(&bytes) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        match groups.last_mut() {
            Some((last, count)) if *last == line => *count += 1,
            _ => groups.push((line, 1)),
        }
    }
    let kept = groups
        .into_iter()
        .filter(|(_, count)| !(parsed.has('d') && *count == 1 || parsed.has('u') && *count > 1));
    let out: Vec<u8> = kept.flat_map(|(line, _)| [line, b"\n"].concat()).collect();
    shell.out(out)?;
    Ok(status)
}
