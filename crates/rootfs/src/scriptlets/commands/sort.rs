//! `sort` and `uniq`.

use super::{
    parse,
    text::{all, lines},
    unsupported,
};
use crate::scriptlets::shell::{Shell, Status};

/// `-k FIRST[,LAST][nr]`
struct Key {
    first: usize,
    last: usize,
    numeric: bool,
    reverse: bool,
}

impl Key {
    fn parse(text: &str) -> Option<Self> {
        let fields = text.trim_end_matches(['n', 'r', 'b']);
        let letters = &text[fields.len()..];
        let (first, last) = match fields.split_once(',') {
            Some((first, last)) => (first.trim_end_matches(['n', 'r', 'b']), last.parse().ok()?),
            None => (fields, usize::MAX),
        };
        let letters = format!("{letters}{}", &fields[first.len().min(fields.len())..]);
        let first = first.parse().ok().filter(|first| *first > 0)?;
        let (numeric, reverse) = (letters.contains('n'), letters.contains('r'));
        Some(Self { first, last, numeric, reverse })
    }

    fn of<'l>(&self, line: &'l [u8], separator: Option<u8>) -> &'l [u8] {
        let mut fields: Vec<(usize, usize)> = Vec::new();
        let mut start = 0;
        match separator {
            Some(separator) => {
                for (at, _) in line.iter().enumerate().filter(|(_, b)| **b == separator) {
                    fields.push((start, at));
                    start = at + 1;
                }
            }
            // blanks belong to the field that they precede
            None => {
                for at in 1..line.len() {
                    if matches!(line[at], b' ' | b'\t') && !matches!(line[at - 1], b' ' | b'\t') {
                        fields.push((start, at));
                        start = at;
                    }
                }
            }
        }
        fields.push((start, line.len()));
        let Some((from, _)) = fields.get(self.first - 1) else { return b"" };
        let to = fields.get(self.last.saturating_sub(1)).map_or(line.len(), |(_, to)| *to);
        line.get(*from..to).unwrap_or_default()
    }
}

pub(super) fn sort(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("unique", 'u'),
        ("reverse", 'r'),
        ("numeric-sort", 'n'),
        ("output", 'o'),
        ("key", 'k'),
        ("field-separator", 't'),
    ];
    let parsed = parse("sort", words, "urno:k:t:", &names)?;
    if parsed.has('o') {
        return unsupported("sort -o");
    }
    let (numeric, reverse) = (parsed.has('n'), parsed.has('r'));
    let mut keys = Vec::new();
    for (_, text) in parsed.options.iter().filter(|(letter, _)| *letter == 'k') {
        let Some(mut key) = Key::parse(text) else { return unsupported(format!("sort -k {text}")) };
        if !key.numeric && !key.reverse {
            (key.numeric, key.reverse) = (numeric, reverse);
        }
        keys.push(key);
    }
    let whole = keys.is_empty();
    if whole {
        keys.push(Key { first: 1, last: usize::MAX, numeric, reverse });
    }
    let separator = parsed.value('t').and_then(|text| text.bytes().next());
    let (bytes, status) = all(shell, "sort", &parsed.operands)?;
    let mut lines: Vec<&[u8]> =
        lines(&bytes).map(|line| line.strip_suffix(b"\n").unwrap_or(line)).collect();
    shell.budget.steps(lines.len() as u64)?;
    let by_keys = |a: &&[u8], b: &&[u8]| {
        let orders = keys.iter().map(|key| {
            let (a, b) = match whole {
                true => (*a, *b),
                false => (key.of(a, separator), key.of(b, separator)),
            };
            let order = if key.numeric { number(a).cmp(&number(b)) } else { a.cmp(b) };
            if key.reverse { order.reverse() } else { order }
        });
        orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    };
    if parsed.has('u') {
        lines.sort_by(by_keys);
        lines.dedup_by(|a, b| by_keys(a, b).is_eq());
    } else {
        // what is equal by its keys is sorted as a whole
        let rest = |a: &&[u8], b: &&[u8]| if reverse { b.cmp(a) } else { a.cmp(b) };
        lines.sort_by(|a, b| by_keys(a, b).then_with(|| rest(a, b)));
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
