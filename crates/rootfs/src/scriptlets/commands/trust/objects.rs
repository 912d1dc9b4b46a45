//! p11-kit's own form of objects: sections with fields, and blocks of PEM.

use std::collections::BTreeMap;

/// A section.
#[derive(Debug, Default)]
pub(super) struct Object {
    /// Fields as they are written, text without its quotes.
    pub fields: BTreeMap<String, Vec<u8>>,
    /// A certificate or a public key, by its label.
    pub blocks: Vec<(String, Vec<u8>)>,
}

impl Object {
    /// Whether a field says `true`.
    pub(super) fn is(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| value == b"true")
    }

    pub(super) fn block(&self, label: &str) -> Option<&[u8]> {
        let block = self.blocks.iter().find(|(own, _)| own == label);
        block.map(|(_, bytes)| bytes.as_slice())
    }
}

/// All sections; none when something is not understood.
pub(super) fn parse(text: &str) -> Option<Vec<Object>> {
    let mut objects: Vec<Object> = Vec::new();
    let mut block: Option<(&str, String)> = None;
    for line in text.lines() {
        let line = line.trim();
        if let Some((label, base64)) = &mut block {
            match line.strip_prefix("-----END ").and_then(|rest| rest.strip_suffix("-----")) {
                Some(end) if end == *label => {
                    let bytes = decode(base64)?;
                    objects.last_mut()?.blocks.push((end.to_owned(), bytes));
                    block = None;
                }
                Some(_) => return None,
                None => base64.push_str(line),
            }
            continue;
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(rest) = line.strip_prefix("-----BEGIN ") {
            block = Some((rest.strip_suffix("-----")?, String::new()));
        } else if line == "[p11-kit-object-v1]" {
            objects.push(Object::default());
        } else {
            let (name, value) = line.split_once(':')?;
            let value = value.trim();
            let value = match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
                Some(quoted) => unquote(quoted)?,
                None => value.as_bytes().to_vec(),
            };
            objects.last_mut()?.fields.insert(name.trim().to_owned(), value);
        }
    }
    block.is_none().then_some(objects)
}

/// `%2a` for a byte.
fn unquote(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        if *first != b'%' {
            out.push(*first);
            continue;
        }
        let digit = |at: usize| char::from(*more.get(at)?).to_digit(16);
        out.push(u8::try_from(digit(0)? * 16 + digit(1)?).ok()?);
        rest = &more[2..];
    }
    Some(out)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let mut out = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for byte in digits.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    Some(out)
}

/// Base64 in lines of 64, each with its end.
pub(super) fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for (at, three) in bytes.chunks(3).enumerate() {
        if at > 0 && at % 16 == 0 {
            out.push('\n');
        }
        let bits = three.iter().fold(0u32, |all, byte| all << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit) & 63) as usize;
            let there = digit <= three.len();
            out.push(if there { char::from(DIGITS[value]) } else { '=' });
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_there_and_back() {
        for length in [0, 1, 2, 3, 47, 48, 49, 200] {
            let bytes: Vec<u8> = (0..length).map(|n| (n * 7) as u8).collect();
            let text = encode(&bytes);
            assert_eq!(decode(&text.replace('\n', "")), Some(bytes));
            assert!(text.lines().all(|line| line.len() <= 64));
        }
        assert_eq!(encode(b"Ma"), "TWE=\n");
        assert_eq!(unquote("a%2fb%"), None);
        assert_eq!(unquote("a%2fb"), Some(b"a/b".to_vec()));
        assert!(
            parse("a: b").is_none() && parse("[p11-kit-object-v1]\n-----BEGIN X-----").is_none()
        );
    }
}
