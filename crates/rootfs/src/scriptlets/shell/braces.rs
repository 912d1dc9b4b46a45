//! Brace expansion of bash: `a{b,c}`, `{1..3}`.

/// The words that a word stands for, at most so many.
const MAX_WORDS: usize = 1000;

/// Expands the raw text of a word. None when there are too many words.
pub(super) fn expand(word: &str) -> Option<Vec<String>> {
    if !word.contains('{') {
        return Some(vec![word.to_owned()]);
    }
    let mut done = Vec::new();
    let mut todo = vec![(word.to_owned(), 0)];
    while let Some((text, from)) = todo.pop() {
        if done.len() + todo.len() > MAX_WORDS {
            return None;
        }
        match find(&text, from) {
            Found::None => done.push(text),
            Found::Literal(next) => todo.push((text, next)),
            Found::Choices(start, end, choices) => {
                for choice in choices.iter().rev() {
                    let next = format!("{}{choice}{}", &text[..start], &text[end..]);
                    todo.push((next, start));
                }
            }
        }
    }
    Some(done)
}

enum Found {
    None,
    Literal(usize),
    Choices(usize, usize, Vec<String>),
}

fn find(text: &str, from: usize) -> Found {
    let bytes = text.as_bytes();
    let mut at = from;
    let Some(start) = next_plain(bytes, &mut at, b'{') else { return Found::None };
    let mut inner = start + 1;
    let mut commas = vec![start];
    let mut depth = 0;
    loop {
        match bytes.get(inner) {
            None => return Found::Literal(start + 1),
            Some(b',') if depth == 0 => commas.push(inner),
            Some(b'{') => depth += 1,
            Some(b'}') if depth == 0 => break,
            Some(b'}') => depth -= 1,
            Some(_) => {
                let before = inner;
                skip_quoted(bytes, &mut inner);
                if inner > before {
                    continue;
                }
            }
        }
        inner += 1;
    }
    let end = inner + 1;
    if commas.len() == 1 {
        return match range(&text[start + 1..inner]) {
            Some(choices) => Found::Choices(start, end, choices),
            None => Found::Literal(start + 1),
        };
    }
    commas.push(inner);
    let choices = commas.windows(2).map(|pair| text[pair[0] + 1..pair[1]].to_owned()).collect();
    Found::Choices(start, end, choices)
}

/// The next unquoted place of a byte, which is not that of `${`.
fn next_plain(bytes: &[u8], at: &mut usize, wanted: u8) -> Option<usize> {
    while *at < bytes.len() {
        let before = *at;
        skip_quoted(bytes, at);
        if *at > before {
            continue;
        }
        if bytes[*at] == wanted {
            return Some(*at);
        }
        *at += 1;
    }
    None
}

/// Passes over quotes, escapes, parameters and substitutions.
fn skip_quoted(bytes: &[u8], at: &mut usize) {
    let Some(first) = bytes.get(*at) else { return };
    let close = match (first, bytes.get(*at + 1)) {
        (b'\\', _) => {
            *at = (*at + 2).min(bytes.len());
            return;
        }
        (b'\'', _) => b'\'',
        (b'"', _) => b'"',
        (b'`', _) => b'`',
        (b'$', Some(b'{')) => b'}',
        (b'$', Some(b'(')) => b')',
        _ => return,
    };
    let open = if *first == b'$' { bytes[*at + 1] } else { 0 };
    *at += if *first == b'$' { 2 } else { 1 };
    let mut depth = 1;
    while let Some(b) = bytes.get(*at) {
        *at += 1;
        match *b {
            b'\\' if close != b'\'' => *at += 1,
            b if b == close => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            b if b == open => depth += 1,
            _ => {}
        }
    }
    *at = (*at).min(bytes.len());
}

fn range(text: &str) -> Option<Vec<String>> {
    let (low, high) = text.split_once("..")?;
    let plain = |text: &str| text.len() == 1 || !text.starts_with('0');
    let (low, high): (i32, i32) = match (low.parse(), high.parse()) {
        (Ok(a), Ok(b)) if plain(low) && plain(high) => (a, b),
        _ => return None,
    };
    if low.abs_diff(high) as usize > MAX_WORDS {
        return None;
    }
    let up = (low.min(high)..=low.max(high)).map(|n| n.to_string());
    Some(if low <= high { up.collect() } else { up.rev().collect() })
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn expands_as_bash_does() {
        let words = |text: &str| expand(text).map(|words| words.join(" "));
        for (text, expected) in [
            ("a{b,c}d", "abd acd"),
            ("{a,b{1,2}}", "a b1 b2"),
            ("{1..3}", "1 2 3"),
            ("${x}{a,}", "${x}a ${x}"),
            ("'{a,b}'", "'{a,b}'"),
            ("{a}", "{a}"),
            ("{a,b", "{a,b"),
            ("$(x {a,b})", "$(x {a,b})"),
            ("{}", "{}"),
        ] {
            assert_eq!(words(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(words(&"{a,b}".repeat(20)), None);
    }
}
