//! Words that a mutation puts in.
//!
//! One `"word"` a line in `dictionaries/TARGET.dict`, in the form that libFuzzer reads: `\\`, `\"`
//! and `\xAB` are escapes, `#` begins a comment.

use std::path::Path;

/// The words for a target; none where there is no dictionary.
///
/// # Panics
/// On a line that libFuzzer would not read either.
pub fn words(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("dictionaries");
    let path = directory.join(format!("{target}.dict"));
    let Ok(text) = std::fs::read_to_string(path) else { return Vec::new() };
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    lines.map(|line| word(line).unwrap_or_else(|| panic!("{target}.dict: {line}"))).collect()
}

fn word(line: &str) -> Option<Vec<u8>> {
    let inner = line.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = Vec::new();
    let mut bytes = inner.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next()? {
                b'x' => {
                    let digits = [bytes.next()?, bytes.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                quoted @ (b'\\' | b'"') => quoted,
                _ => return None,
            },
            b'"' => return None,
            other => other,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn escapes() {
        assert_eq!(word(r#""a\x0a\"\\""#).as_deref(), Some(&b"a\n\"\\"[..]));
        assert_eq!(word(r#""a"b""#), None);
        assert_eq!(word("a"), None);
    }
}
