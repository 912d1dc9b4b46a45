//! Types for the parts of a text.

use super::super::types::{element, members};
use super::{Data, Part, Result, Value};

/// A value of a type.
pub(super) fn build(part: &Part, kind: &str) -> Result<Value> {
    let wrong = || format!("can not parse as value of type `{kind}`");
    let first = kind.as_bytes().first().copied().unwrap_or_default();
    let data = match (part, first) {
        (Part::Typed(own, inner), _) => {
            let value = build(inner, own)?;
            // what is no maybe is a maybe that is there
            return match first {
                b'm' if own != kind => lift(value, kind).ok_or_else(wrong),
                _ if own == kind => Ok(value),
                _ => Err(wrong()),
            };
        }
        (Part::Maybe(inner), b'm') => match inner {
            None => Data::Maybe(None),
            Some(inner) => Data::Maybe(Some(Box::new(build(inner, element(kind))?))),
        },
        (part, b'm') => Data::Maybe(Some(Box::new(build(part, element(kind))?))),
        (Part::Bool(value), b'b') => Data::Bool(*value),
        (Part::Number(text), b'd') => Data::Double(double(text)?),
        (Part::Number(text), _) => Data::Number(number(text, first).ok_or_else(wrong)?),
        (Part::Text(text), b's') => Data::Text(text.clone()),
        (Part::Text(text), b'o') if is_object_path(text) => Data::Text(text.clone()),
        (Part::Text(text), b'g') if is_signature(text) => Data::Text(text.clone()),
        (Part::Bytes(bytes), b'a') if kind == "ay" => {
            Data::Array(bytes.iter().map(|byte| Value::byte(*byte)).collect())
        }
        (Part::Array(parts), b'a') => {
            let values = parts.iter().map(|part| build(part, element(kind)));
            Data::Array(values.collect::<Result<_>>()?)
        }
        (Part::Entries(parts), b'a') if kind.as_bytes().get(1) == Some(&b'{') => {
            let values = parts.iter().map(|(key, value)| entry(key, value, element(kind)));
            Data::Array(values.collect::<Result<_>>()?)
        }
        (Part::Entry(pair), b'{') => return entry(&pair.0, &pair.1, kind),
        (Part::Tuple(parts), b'(') => {
            let kinds = members(kind);
            if kinds.len() != parts.len() {
                return Err(wrong());
            }
            let values = parts.iter().zip(kinds).map(|(part, kind)| build(part, kind));
            Data::Tuple(values.collect::<Result<_>>()?)
        }
        (Part::Variant(inner), b'v') => {
            let own = infer(&[inner]).ok_or("unable to infer type")?;
            Data::Variant(Box::new(build(inner, &own)?))
        }
        _ => return Err(wrong()),
    };
    Ok(Value { kind: kind.to_owned(), data })
}

fn entry(key: &Part, value: &Part, kind: &str) -> Result<Value> {
    let kinds = members(kind);
    let [first, second] = kinds.as_slice() else {
        return Err(format!("can not parse as value of type `{kind}`"));
    };
    let data = Data::Tuple(vec![build(key, first)?, build(value, second)?]);
    Ok(Value { kind: kind.to_owned(), data })
}

/// A value as a maybe of it.
fn lift(value: Value, kind: &str) -> Option<Value> {
    if value.kind == kind {
        return Some(value);
    }
    let inner = lift(value, kind.strip_prefix('m')?)?;
    Some(Value { kind: kind.to_owned(), data: Data::Maybe(Some(Box::new(inner))) })
}

/// The type that all of these have when nothing else says it.
fn infer(parts: &[&Part]) -> Option<String> {
    let mut typed = parts.iter().filter_map(|part| match part {
        Part::Typed(kind, _) => Some(kind),
        _ => None,
    });
    if let Some(kind) = typed.next() {
        return Some(kind.clone());
    }
    let maybe = parts.iter().any(|part| matches!(part, Part::Maybe(_)));
    if maybe {
        let inner: Vec<&Part> = parts
            .iter()
            .filter_map(|part| match part {
                Part::Maybe(inner) => inner.as_deref(),
                part => Some(part),
            })
            .collect();
        return Some(format!("m{}", infer(&inner)?));
    }
    let kind = match parts.first()? {
        Part::Bool(_) => "b".to_owned(),
        Part::Text(_) => "s".to_owned(),
        Part::Bytes(_) => "ay".to_owned(),
        Part::Variant(_) => "v".to_owned(),
        Part::Number(_) => {
            let floats = |part: &&Part| matches!(part, Part::Number(text) if is_double(text));
            if parts.iter().any(floats) { "d".to_owned() } else { "i".to_owned() }
        }
        Part::Array(_) => {
            let inner: Vec<&Part> = parts
                .iter()
                .flat_map(|part| match part {
                    Part::Array(inner) => inner.iter().collect(),
                    _ => Vec::new(),
                })
                .collect();
            format!("a{}", infer(&inner)?)
        }
        Part::Tuple(first) => {
            let mut kinds = String::new();
            for at in 0..first.len() {
                let column: Option<Vec<&Part>> = parts
                    .iter()
                    .map(|part| match part {
                        Part::Tuple(inner) => inner.get(at),
                        _ => None,
                    })
                    .collect();
                kinds += &infer(&column?)?;
            }
            format!("({kinds})")
        }
        Part::Entries(_) | Part::Entry(_) => {
            let pairs: Vec<(&Part, &Part)> = parts
                .iter()
                .flat_map(|part| match part {
                    Part::Entries(inner) => inner.iter().map(|(k, v)| (k, v)).collect(),
                    Part::Entry(pair) => vec![(&pair.0, &pair.1)],
                    _ => Vec::new(),
                })
                .collect();
            let (keys, values): (Vec<&Part>, Vec<&Part>) = pairs.into_iter().unzip();
            let entry = format!("{{{}{}}}", infer(&keys)?, infer(&values)?);
            match parts.first()? {
                Part::Entry(_) => entry,
                _ => format!("a{entry}"),
            }
        }
        Part::Maybe(_) | Part::Typed(..) => return None,
    };
    Some(kind)
}

fn is_double(text: &str) -> bool {
    let hex = text.trim_start_matches(['-', '+']).to_ascii_lowercase().starts_with("0x");
    !hex && text.contains(['.', 'e', 'E'])
        || text.trim_start_matches(['-', '+']).starts_with(['i', 'n'])
}

fn double(text: &str) -> Result<f64> {
    let wrong = || "invalid number".to_owned();
    if let Some(hex) = text.to_ascii_lowercase().strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).map(|number| number as f64).map_err(|_| wrong());
    }
    text.parse::<f64>().ok().filter(|_| !text.contains("infinity")).ok_or_else(wrong)
}

/// An integer as `strtoull` with base 0 reads it, if the type holds it.
fn number(text: &str, kind: u8) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (digits, base) = match lower.strip_prefix("0x") {
        Some(hex) => (hex, 16),
        None if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
        None => (lower.as_str(), 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let size = i128::from(u64::from_str_radix(digits, base).ok()?);
    let number = if negative { -size } else { size };
    let (low, high) = match kind {
        b'y' => (0, 255),
        b'n' => (i16::MIN.into(), i16::MAX.into()),
        b'q' => (0, u16::MAX.into()),
        b'i' | b'h' => (i32::MIN.into(), i32::MAX.into()),
        b'u' => (0, u32::MAX.into()),
        b'x' => (i64::MIN.into(), i64::MAX.into()),
        b't' => (0, u64::MAX.into()),
        _ => return None,
    };
    (low..=high).contains(&number).then_some(number)
}

fn is_object_path(text: &str) -> bool {
    let element = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    text == "/" || text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(element))
}

fn is_signature(text: &str) -> bool {
    let mut rest = text;
    while let Some((kind, more)) = super::super::types::split(rest) {
        if kind.contains('m') {
            return false;
        }
        rest = more;
    }
    rest.is_empty()
}
