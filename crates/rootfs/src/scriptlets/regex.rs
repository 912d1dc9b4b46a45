//! POSIX regular expressions, with the extensions of GNU, on top of the `regex` crate.
//!
//! A difference: where alternatives match at one place, the first one is taken, not the longest.

use super::{ScriptletError, glob};
use regex::bytes::{Regex, RegexBuilder};

/// Compiles a basic (`grep`, `sed`) or extended (`-E`) expression.
pub(super) fn compile(
    pattern: &str,
    extended: bool,
    ignore_case: bool,
) -> Result<Regex, ScriptletError> {
    let unsupported = || ScriptletError::unsupported(format!("regular expression {pattern}"));
    let text = translate(pattern, extended).ok_or_else(unsupported)?;
    RegexBuilder::new(&text)
        .unicode(false)
        .case_insensitive(ignore_case)
        .size_limit(1 << 20)
        .nest_limit(50)
        .build()
        .map_err(|_| unsupported())
}

/// Quotes a text so that it stands for itself.
pub(super) fn fixed(text: &str, ignore_case: bool) -> Result<Regex, ScriptletError> {
    RegexBuilder::new(&regex::escape(text))
        .unicode(false)
        .case_insensitive(ignore_case)
        .build()
        .map_err(|_| ScriptletError::unsupported(format!("text {text}")))
}

fn translate(pattern: &str, extended: bool) -> Option<String> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    // at the beginning of an expression or alternative: `*` and (basic) `^` mean something else
    let mut start = true;
    while let Some(&c) = chars.get(at) {
        at += 1;
        let escaped = c == '\\';
        let c = if escaped {
            at += 1;
            *chars.get(at - 1)?
        } else {
            c
        };
        let special = match c {
            '(' | ')' | '{' | '}' | '|' | '+' | '?' => escaped != extended,
            _ => false,
        };
        let mut begins = false;
        match c {
            '(' if special => {
                out.push('(');
                begins = true;
            }
            '|' if special => {
                out.push('|');
                begins = true;
            }
            ')' if special => out.push(')'),
            '{' if special => {
                if start {
                    return None;
                }
                let end = chars[at..].iter().position(|c| *c == '}')?;
                let inner: String = chars[at..at + end].iter().collect();
                let inner = inner.trim_end_matches('\\');
                let inner = inner.strip_prefix(',').map_or(inner.to_owned(), |n| format!("0,{n}"));
                if !inner.bytes().all(|b| b.is_ascii_digit() || b == b',') {
                    return None;
                }
                out.push_str(&format!("{{{inner}}}"));
                at += end + 1;
            }
            '+' | '?' if special && !start => out.push(c),
            '*' if !escaped => out.push_str(if start { "\\*" } else { "*" }),
            '.' if !escaped => out.push_str("[^\\n]"),
            '^' if !escaped && (extended || start) => {
                out.push('^');
                begins = true;
            }
            '$' if !escaped => {
                let rest = &chars[at..];
                let ends = rest.is_empty() || matches!(rest, ['\\', ')' | '|', ..]);
                out.push_str(if extended || ends { "$" } else { "\\$" });
            }
            '[' if !escaped => at = bracket(&chars, at, &mut out)?,
            '1'..='9' if escaped => return None,
            'w' | 'W' | 's' | 'S' | 'b' | 'B' if escaped => {
                out.push('\\');
                out.push(c);
            }
            '<' if escaped => out.push_str("\\b{start}"),
            '>' if escaped => out.push_str("\\b{end}"),
            'n' if escaped => out.push_str("\\n"),
            't' if escaped => out.push_str("\\t"),
            '\'' | '`' if escaped => return None,
            c if escaped && c.is_ascii_alphanumeric() => return None,
            _ => out.push_str(&regex::escape(&c.to_string())),
        }
        start = begins;
    }
    Some(out)
}

/// A bracket expression whose `[` has been read.
fn bracket(chars: &[char], mut at: usize, out: &mut String) -> Option<usize> {
    out.push('[');
    if chars.get(at) == Some(&'^') {
        out.push('^');
        at += 1;
    }
    let first = at;
    loop {
        let c = *chars.get(at)?;
        match c {
            ']' if at > first => {
                out.push(']');
                return Some(at + 1);
            }
            '[' if matches!(chars.get(at + 1), Some(':')) => {
                let rest: String = chars[at + 2..].iter().collect();
                let name = rest.split(":]").next()?;
                glob::class(name)?;
                out.push_str(&format!("[:{name}:]"));
                at += name.chars().count() + 4;
            }
            '[' if matches!(chars.get(at + 1), Some('.' | '=')) => return None,
            '-' if at > first && chars.get(at + 1) != Some(&']') => {
                out.push('-');
                at += 1;
            }
            _ if !c.is_ascii() => return None,
            _ => {
                if !c.is_ascii_alphanumeric() {
                    out.push('\\');
                }
                if c == '\n' {
                    out.push('n');
                } else {
                    out.push(c);
                }
                at += 1;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::compile;

    #[test]
    fn basic_and_extended() {
        for (pattern, extended, text, expected) in [
            ("a*b", false, "xaab", Some((1, 4))),
            ("*a", false, "b*a", Some((1, 3))),
            (r"\(a\|b\)\+", false, "xab", Some((1, 3))),
            ("a+", false, "a+", Some((0, 2))),
            ("(a|b)+$", true, "xab", Some((1, 3))),
            (r"\.so$", false, "x.so", Some((1, 4))),
            ("a^b$c", false, "a^b$c", Some((0, 5))),
            ("[]x]", false, "]", Some((0, 1))),
            ("[^[:space:]]*", false, "ab c", Some((0, 2))),
            (r"x\{2\}", false, "xxx", Some((0, 2))),
            (r"[\.]", false, "\\", Some((0, 1))),
            ("^a", false, "ba", None),
            (r"\<b", false, "a b", Some((2, 3))),
        ] {
            let found = compile(pattern, extended, false).unwrap();
            let found = found.find(text.as_bytes()).map(|m| (m.start(), m.end()));
            assert_eq!(found, expected, "{pattern} in {text}");
        }
        assert!(compile(r"\(a\)\1", false, false).is_err());
    }
}
