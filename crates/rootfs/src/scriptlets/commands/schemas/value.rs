//! Values of GVariant, and their bytes.
//! <https://people.gnome.org/~desrt/gvariant-serialisation.pdf>

use super::types::{alignment, element, size};
use std::cmp::Ordering;

/// A value with its type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    pub kind: String,
    pub data: Data,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    Bool(bool),
    /// All integers and handles.
    Number(i128),
    Double(f64),
    /// Strings, object paths and signatures.
    Text(String),
    Variant(Box<Value>),
    Maybe(Option<Box<Value>>),
    Array(Vec<Value>),
    /// Tuples and dictionary entries.
    Tuple(Vec<Value>),
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self { kind: "s".to_owned(), data: Data::Text(text.to_owned()) }
    }

    pub(super) fn byte(byte: u8) -> Self {
        Self { kind: "y".to_owned(), data: Data::Number(byte.into()) }
    }

    /// Wraps a value so that it carries its type.
    pub(super) fn variant(self) -> Self {
        Self { kind: "v".to_owned(), data: Data::Variant(Box::new(self)) }
    }

    pub(super) fn tuple(values: Vec<Self>) -> Self {
        let kinds: String = values.iter().map(|value| value.kind.as_str()).collect();
        Self { kind: format!("({kinds})"), data: Data::Tuple(values) }
    }

    /// The bytes, for a place that is aligned.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match &self.data {
            Data::Bool(value) => vec![u8::from(*value)],
            Data::Number(value) => {
                let bytes = value.to_le_bytes();
                bytes[..size(&self.kind).unwrap_or(8)].to_vec()
            }
            Data::Double(value) => value.to_le_bytes().to_vec(),
            Data::Text(text) => [text.as_bytes(), b"\0"].concat(),
            Data::Variant(inner) => {
                [inner.bytes().as_slice(), b"\0", inner.kind.as_bytes()].concat()
            }
            Data::Maybe(None) => Vec::new(),
            Data::Maybe(Some(inner)) => {
                let mut bytes = inner.bytes();
                if size(element(&self.kind)).is_none() {
                    bytes.push(0);
                }
                bytes
            }
            Data::Array(values) => {
                let (mut bytes, mut ends) = (Vec::new(), Vec::new());
                let inner = element(&self.kind);
                let (step, fixed) = (alignment(inner), size(inner).is_some());
                for value in values {
                    pad(&mut bytes, step);
                    bytes.extend(value.bytes());
                    ends.push(bytes.len());
                }
                if !fixed {
                    frame(&mut bytes, ends.iter());
                }
                bytes
            }
            Data::Tuple(values) => {
                let (mut bytes, mut ends) = (Vec::new(), Vec::new());
                for (at, value) in values.iter().enumerate() {
                    pad(&mut bytes, alignment(&value.kind));
                    bytes.extend(value.bytes());
                    if size(&value.kind).is_none() && at + 1 < values.len() {
                        ends.push(bytes.len());
                    }
                }
                match size(&self.kind) {
                    Some(total) => bytes.resize(total, 0),
                    None => frame(&mut bytes, ends.iter().rev()),
                }
                bytes
            }
        }
    }

    /// The order of values of one basic type.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (&self.data, &other.data) {
            (Data::Number(own), Data::Number(other)) => own.cmp(other),
            (Data::Double(own), Data::Double(other)) => {
                own.partial_cmp(other).unwrap_or(Ordering::Equal)
            }
            _ => Ordering::Equal,
        }
    }
}

fn pad(bytes: &mut Vec<u8>, alignment: usize) {
    bytes.resize(bytes.len().next_multiple_of(alignment), 0);
}

/// Says behind the members where they end, in numbers as wide as the whole needs.
fn frame<'a>(bytes: &mut Vec<u8>, ends: impl ExactSizeIterator<Item = &'a usize>) {
    let (body, count) = (bytes.len(), ends.len());
    let fits = |width: usize, most: u64| (body + count * width) as u64 <= most;
    let width = match () {
        () if fits(1, 0xff) => 1,
        () if fits(2, 0xffff) => 2,
        () if fits(4, 0xffff_ffff) => 4,
        () => 8,
    };
    for end in ends {
        bytes.extend(&(*end as u64).to_le_bytes()[..width]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_specification() {
        let number = |kind: &str, n| Value { kind: kind.to_owned(), data: Data::Number(n) };
        let array = |kind: &str, all| Value { kind: kind.to_owned(), data: Data::Array(all) };
        let just = Value {
            kind: "ms".to_owned(),
            data: Data::Maybe(Some(Box::new(Value::text("hello world")))),
        };
        assert_eq!(just.bytes(), b"hello world\0\0");
        let yes = |value| Value { kind: "b".to_owned(), data: Data::Bool(value) };
        assert_eq!(array("ab", vec![yes(true), yes(false), yes(true)]).bytes(), [1, 0, 1]);
        let tuple = Value::tuple(vec![Value::text("foo"), number("i", -1)]);
        assert_eq!(tuple.bytes(), b"foo\0\xff\xff\xff\xff\x04");
        let entry = Value::tuple(vec![Value::text("hi"), number("i", -2)]);
        let entries = array("a(si)", vec![entry.clone(), entry]);
        assert_eq!(
            entries.bytes(),
            b"hi\0\0\xfe\xff\xff\xff\x03\0\0\0hi\0\0\xfe\xff\xff\xff\x03\x09\x15"
        );
        let words = ["i", "can", "has", "strings?"].map(Value::text);
        assert_eq!(array("as", words.to_vec()).bytes(), b"i\0can\0has\0strings?\0\x02\x06\x0a\x13");
        assert_eq!(Value::tuple(Vec::new()).bytes(), [0]);
        let padded = Value::tuple(vec![number("i", 96), number("y", 112)]);
        assert_eq!(padded.bytes(), [96, 0, 0, 0, 112, 0, 0, 0]);
        let variant = number("u", 4).variant();
        assert_eq!(variant.bytes(), [4, 0, 0, 0, 0, b'u']);
    }
}
