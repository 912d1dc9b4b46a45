//! Shell patterns: matching texts, and names in the tree.

use super::{ScriptletError, fs::Fs, limits::Budget};

/// A character of a pattern, and whether it was quoted.
pub(super) type Quotable = (char, bool);

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Vec<Element>);

#[derive(Debug, Clone)]
enum Element {
    Char(char),
    Any,
    Star,
    Set { negated: bool, ranges: Vec<(char, char)> },
}

impl Pattern {
    pub(super) fn new(text: &[Quotable]) -> Self {
        let mut out = Vec::new();
        let mut at = 0;
        while let Some(&(c, quoted)) = text.get(at) {
            at += 1;
            match c {
                _ if quoted => out.push(Element::Char(c)),
                '*' => {
                    if !matches!(out.last(), Some(Element::Star)) {
                        out.push(Element::Star);
                    }
                }
                '?' => out.push(Element::Any),
                '[' => match set(text, at) {
                    Some((element, next)) => {
                        out.push(element);
                        at = next;
                    }
                    None => out.push(Element::Char('[')),
                },
                _ => out.push(Element::Char(c)),
            }
        }
        Self(out)
    }

    /// From a text in which a backslash quotes.
    pub(super) fn parse(text: &str) -> Self {
        let mut chars = text.chars();
        let mut out = Vec::new();
        while let Some(c) = chars.next() {
            match c {
                '\\' => out.push((chars.next().unwrap_or('\\'), true)),
                _ => out.push((c, false)),
            }
        }
        Self::new(&out)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        self.matches_chars(&text)
    }

    pub(super) fn matches_chars(&self, text: &[char]) -> bool {
        let (mut p, mut t) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        loop {
            let step = match (self.0.get(p), text.get(t)) {
                (Some(Element::Star), _) => {
                    star = Some((p + 1, t));
                    p += 1;
                    continue;
                }
                (None, None) => return true,
                (Some(element), Some(c)) => element.takes(*c),
                _ => false,
            };
            if step {
                (p, t) = (p + 1, t + 1);
                continue;
            }
            match star {
                Some((after, from)) if from < text.len() => {
                    star = Some((after, from + 1));
                    (p, t) = (after, from + 1);
                }
                _ => return false,
            }
        }
    }
}

impl Element {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::Any => true,
            Self::Star => false,
            Self::Set { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

/// A bracket expression whose `[` has been read; none when it does not end.
fn set(text: &[Quotable], mut at: usize) -> Option<(Element, usize)> {
    let negated = matches!(text.get(at), Some(('!' | '^', false)));
    if negated {
        at += 1;
    }
    let mut ranges = Vec::new();
    let first = at;
    loop {
        let &(c, quoted) = text.get(at)?;
        match c {
            ']' if !quoted && at > first => {
                return Some((Element::Set { negated, ranges }, at + 1));
            }
            '[' if !quoted && text.get(at + 1) == Some(&(':', false)) => {
                let rest: String = text[at + 2..].iter().map(|(c, _)| *c).collect();
                let name = rest.split(":]").next()?;
                ranges.extend(class(name)?);
                at += name.chars().count() + 4;
            }
            _ => {
                let range = match (text.get(at + 1), text.get(at + 2)) {
                    (Some(('-', false)), Some(&(high, quoted))) if high != ']' || quoted => {
                        Some(high)
                    }
                    _ => None,
                };
                ranges.push((c, range.unwrap_or(c)));
                at += if range.is_some() { 3 } else { 1 };
            }
        }
    }
}

/// The characters of a POSIX class.
pub(super) fn class(name: &str) -> Option<Vec<(char, char)>> {
    Some(match name {
        "alpha" => vec![('a', 'z'), ('A', 'Z')],
        "digit" => vec![('0', '9')],
        "alnum" => vec![('a', 'z'), ('A', 'Z'), ('0', '9')],
        "upper" => vec![('A', 'Z')],
        "lower" => vec![('a', 'z')],
        "space" => vec![(' ', ' '), ('\t', '\r')],
        "blank" => vec![(' ', ' '), ('\t', '\t')],
        "punct" => vec![('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "xdigit" => vec![('0', '9'), ('a', 'f'), ('A', 'F')],
        "cntrl" => vec![('\0', '\x1f'), ('\x7f', '\x7f')],
        "print" => vec![(' ', '~')],
        "graph" => vec![('!', '~')],
        _ => return None,
    })
}

/// Whether a text has unquoted characters of patterns.
pub(super) fn is_pattern(text: &[Quotable]) -> bool {
    text.iter().any(|(c, quoted)| !quoted && matches!(c, '*' | '?' | '['))
}

/// The paths that a pattern stands for, sorted; empty when there are none.
pub(super) fn expand(
    fs: &Fs<'_>,
    budget: &mut Budget,
    text: &[Quotable],
) -> Result<Vec<String>, ScriptletError> {
    let absolute = text.first().is_some_and(|(c, _)| *c == '/');
    let mut found = vec![if absolute { "/".to_owned() } else { String::new() }];
    let parts: Vec<&[Quotable]> = text.split(|(c, _)| *c == '/').collect();
    for (index, part) in parts.iter().enumerate() {
        if part.is_empty() {
            // `a/` keeps directories alone
            if index + 1 == parts.len() && index > 0 {
                found.retain(|path| is_dir(fs, path));
                found
                    .iter_mut()
                    .filter(|path| !path.ends_with('/'))
                    .for_each(|path| path.push('/'));
            }
            continue;
        }
        let last = index + 1 == parts.len();
        let mut next = Vec::new();
        for path in &found {
            let join = |name: &str| match path.as_str() {
                "" => name.to_owned(),
                _ if path.ends_with('/') => format!("{path}{name}"),
                _ => format!("{path}/{name}"),
            };
            if !is_pattern(part) {
                let path = join(&part.iter().map(|(c, _)| *c).collect::<String>());
                if !last || fs.lookup(path.as_bytes(), false).is_ok() {
                    next.push(path);
                }
                continue;
            }
            let pattern = Pattern::new(part);
            let directory = if path.is_empty() { "." } else { path.as_str() };
            let Ok(directory) = fs.lookup(directory.as_bytes(), true) else { continue };
            let names = fs.children(&directory);
            budget.steps(names.len() as u64 + 1)?;
            for name in names {
                let Ok(name) = String::from_utf8(name) else {
                    return Err(ScriptletError::unsupported("a file name that is not UTF-8"));
                };
                if (!name.starts_with('.') || part[0].0 == '.') && pattern.matches(&name) {
                    let path = join(&name);
                    if last || is_dir(fs, &path) {
                        next.push(path);
                    }
                }
            }
        }
        found = next;
    }
    found.sort();
    Ok(found)
}

fn is_dir(fs: &Fs<'_>, path: &str) -> bool {
    fs.lookup(path.as_bytes(), true).is_ok_and(|path| fs.is_dir(&path))
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn matches_as_fnmatch_does() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*b*c", "abbd", false),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[", "[", true),
            ("[[:digit:]]*", "7a", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("[a-]", "-", true),
        ] {
            assert_eq!(Pattern::parse(pattern).matches(text), expected, "{pattern} {text}");
        }
    }
}
