//! Rules on what files begin with, and on what directories hold.

use super::element::Element;

type Result<T> = std::result::Result<T, String>;

/// A rule and those that must hold beside it.
#[derive(Debug, Clone)]
pub(super) struct Match {
    pub start: i64,
    pub length: i32,
    pub word: u32,
    pub data: Vec<u8>,
    pub mask: Option<Vec<u8>>,
    pub matches: Vec<Match>,
}

/// A rule on what is in a directory.
#[derive(Debug, Clone)]
pub(super) struct TreeMatch {
    path: String,
    what: &'static str,
    matches: Vec<TreeMatch>,
    flags: String,
}

impl Match {
    /// The sign that rules of packages before count for nothing.
    pub(super) fn none() -> Self {
        let data = b"__NOMAGIC__".to_vec();
        Self { start: 0, length: 1, word: 1, data, mask: None, matches: Vec::new() }
    }

    /// This one and all inside, first those beside each other.
    pub(super) fn flatten<'a>(matches: &'a [Self], all: &mut Vec<&'a Self>) {
        all.extend(matches);
        for one in matches {
            Self::flatten(&one.matches, all);
        }
    }

    /// The lines of the file of rules.
    pub(super) fn write(&self, out: &mut Vec<u8>, indent: usize) {
        let indented = if indent > 0 { indent.to_string() } else { String::new() };
        out.extend(format!("{indented}>{}=", self.start).bytes());
        // longer ones do not come from files; only the low bytes would be written
        out.extend(u16::try_from(self.data.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend(&self.data);
        if let Some(mask) = &self.mask {
            out.push(b'&');
            out.extend(mask);
        }
        if self.word != 1 {
            out.extend(format!("~{}", self.word).bytes());
        }
        if self.length != 1 {
            out.extend(format!("+{}", self.length).bytes());
        }
        out.push(b'\n');
        for inner in &self.matches {
            inner.write(out, indent + 1);
        }
    }
}

impl TreeMatch {
    pub(super) fn write(&self, out: &mut Vec<u8>, indent: usize) {
        let indented = if indent > 0 { indent.to_string() } else { String::new() };
        let Self { path, what, flags, .. } = self;
        out.extend(format!("{indented}>\"{path}\"={what}{flags}\n").bytes());
        for inner in &self.matches {
            inner.write(out, indent + 1);
        }
    }
}

/// A number between 0 and 100; 50 where there is none.
pub(super) fn percent(element: &Element, name: &str) -> Option<i32> {
    let Some(text) = element.attribute(name) else { return Some(50) };
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    text.parse().ok().filter(|number| (0..=100).contains(number))
}

/// The rules in an element.
pub(super) fn matches(parent: &Element) -> Result<Vec<Match>> {
    let mut all = Vec::new();
    for element in parent.elements() {
        expect(element, "match")?;
        let (start, length) = range(element)?;
        let kind = element.attribute("type").ok_or("Missing 'type' attribute in <match>")?;
        let word = match kind {
            "host16" => 2,
            "host32" => 4,
            "big16" | "big32" | "little16" | "little32" | "string" | "byte" => 1,
            _ => return Err(format!("Unknown magic type '{kind}'")),
        };
        let value = element.attribute("value").filter(|value| !value.is_empty());
        let value = value.ok_or("No value specified")?;
        let (data, mask) = data(kind, value, element.attribute("mask"))?;
        all.push(Match { start, length, word, data, mask, matches: matches(element)? });
    }
    Ok(all)
}

fn expect(element: &Element, name: &str) -> Result<()> {
    if !element.known {
        return Err("Element found with non-freedesktop.org namespace".to_owned());
    }
    if element.name != name {
        return Err(format!("Expected <{name}> element, but found <{}> instead", element.name));
    }
    Ok(())
}

/// The first place where the data may be, and how many there are.
fn range(element: &Element) -> Result<(i64, i32)> {
    let wrong = || "Invalid offset".to_owned();
    let text = element.attribute("offset").filter(|text| !text.is_empty());
    let text = text.ok_or("Missing 'offset' attribute")?;
    let (start, rest) = decimal(text).ok_or_else(wrong)?;
    if rest.is_empty() {
        return Ok((start, 1));
    }
    let last = rest.strip_prefix(':').filter(|rest| !rest.is_empty() && start >= 0);
    let (last, rest) = last.and_then(decimal).ok_or_else(wrong)?;
    let length = last.checked_sub(start).and_then(|length| length.checked_add(1));
    let length = length.and_then(|length| i32::try_from(length).ok());
    let length = length.filter(|length| rest.is_empty() && *length > 0);
    length.map(|length| (start, length)).ok_or_else(wrong)
}

/// A number at the front, and what follows.
fn decimal(text: &str) -> Option<(i64, &str)> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let digits = text.trim_start_matches(['-', '+']);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (number, rest) = text.split_at(text.len() - digits.len() + end);
    Some((number.parse().ok()?, rest))
}

/// The bytes that are looked for, and which of their bits count.
fn data(kind: &str, value: &str, mask: Option<&str>) -> Result<(Vec<u8>, Option<Vec<u8>>)> {
    let size = match kind {
        "byte" => 1,
        kind if kind.contains("16") => 2,
        kind if kind.contains("32") => 4,
        _ => {
            let data = unescape(value);
            let mask = mask.map(|mask| string_mask(mask, data.len())).transpose()?;
            return Ok((data, mask));
        }
    };
    let little = kind.starts_with('l') || kind == "byte";
    let bytes = |number: u64| {
        let mut bytes = number.to_le_bytes()[..size].to_vec();
        if !little {
            bytes.reverse();
        }
        bytes
    };
    let number = integer(value).ok_or("Value is not a number")?;
    if size < 4 && number >> (8 * size) != 0 {
        return Err(format!("Number out-of-range ({number:x} should fit in {size} bytes)"));
    }
    let mask = mask.map(|mask| integer(mask).ok_or("Mask is not a number")).transpose()?;
    Ok((bytes(number), mask.map(bytes)))
}

/// An unsigned number as C writes it; a minus sign counts down from the largest.
fn integer(text: &str) -> Option<u64> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let (digits, base) = match hex {
        Some(hex) => (hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
        None => (digits, 10),
    };
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let number = u64::from_str_radix(digits, base).ok()?;
    Some(if negative { number.wrapping_neg() } else { number })
}

/// A string with the escapes of C.
fn unescape(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let Some(escape) = bytes.get(at) else { break };
        at += 1;
        let digits = |at: usize, most: usize, base: u32| {
            let rest = bytes.get(at..).unwrap_or_default();
            rest.iter().take(most).take_while(|b| char::from(**b).is_digit(base)).count()
        };
        let number = |from: usize, to: usize, base: u32| {
            let text = std::str::from_utf8(&bytes[from..to]).unwrap_or_default();
            (u32::from_str_radix(text, base).unwrap_or_default() & 0xff) as u8
        };
        out.push(match escape {
            b'n' => b'\n',
            b'r' => b'\r',
            b'b' => 8,
            b't' => b'\t',
            b'f' => 12,
            b'v' => 11,
            b'0'..=b'7' => {
                let from = at - 1;
                at = from + digits(from, 3, 8);
                number(from, at, 8)
            }
            b'x' => match digits(at, 2, 16) {
                0 => b'x',
                count => {
                    at += count;
                    number(at - count, at, 16)
                }
            },
            other => *other,
        });
    }
    out
}

fn string_mask(text: &str, length: usize) -> Result<Vec<u8>> {
    let digits = text.strip_prefix("0x");
    let digits = digits.ok_or("String masks must be in base 16 (starting with 0x)")?;
    let mut mask = vec![0u8; length];
    for (at, digit) in digits.chars().enumerate() {
        let value = digit.to_digit(16).ok_or_else(|| format!("'{digit}' is not a hex digit"))?;
        let byte = mask.get_mut(at / 2).ok_or("Mask is longer than value")?;
        let value = u8::try_from(value).unwrap_or_default();
        *byte |= if at % 2 == 0 { value << 4 } else { value };
    }
    Ok(mask)
}

/// The rules on directories in an element.
pub(super) fn tree_matches(parent: &Element) -> Result<Vec<TreeMatch>> {
    let mut all = Vec::new();
    for element in parent.elements() {
        expect(element, "treematch")?;
        let path = element.attribute("path").ok_or("Missing 'path' attribute in <treematch>")?;
        let what = match element.attribute("type") {
            None => "any",
            Some("file") => "file",
            Some("directory") => "directory",
            Some("link") => "link",
            Some(_) => return Err("Invalid 'type' attribute in <treematch>".to_owned()),
        };
        let mut flags = String::new();
        for flag in ["match-case", "executable", "non-empty"] {
            if element.attribute(flag) == Some("true") {
                flags += &format!(",{flag}");
            }
        }
        if let Some(kind) = element.attribute("mimetype") {
            flags += &format!(",{kind}");
        }
        let (path, matches) = (path.to_owned(), tree_matches(element)?);
        all.push(TreeMatch { path, what, matches, flags });
    }
    Ok(all)
}
