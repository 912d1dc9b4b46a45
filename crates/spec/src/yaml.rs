//! The YAML form of the documents, read into the same value as JSON.

use crate::{
    Place, Source, SpecError,
    error::Problem,
    json::DEEPEST,
    value::{Entry, Node, Value, index, join, short},
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{DuplicateKeyPolicy, Spanned};
use std::{collections::BTreeMap, fmt, ops::Range, sync::Arc};

/// Reads a whole text as one value. Booleans are `true` and `false` alone, as in YAML 1.2.
pub(crate) fn read(source: &Arc<Source>) -> Result<Node, SpecError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            max_documents: 1,
            max_aliases: 1_000,
            max_anchors: 1_000,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000 },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        with_snippet: false,
    };
    if source.text().trim().is_empty() {
        return Err(Place::new(source, 0..0, "").error(Problem::Empty));
    }
    let raw: Spanned<Raw> = serde_saphyr::from_str_with_options(source.text(), options)
        .map_err(|error| refuse(source, &error))?;
    place(source, raw, "")
}

/// A value as the YAML reader hands it over.
enum Raw {
    Null,
    Bool(bool),
    /// Written in the document as its span says.
    Number(String),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Object(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut object = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            object.push(entry);
        }
        Ok(Raw::Object(object))
    }
}

/// The bytes a value was read from. Only scalars have a useful length.
fn span<T>(source: &Source, spanned: &Spanned<T>) -> Range<usize> {
    let span = spanned.defined.span();
    let bound = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(source.text().len());
    let start = bound(span.byte_offset().unwrap_or(0));
    start..bound(start as u64 + span.byte_len().unwrap_or(0))
}

fn place(source: &Arc<Source>, raw: Spanned<Raw>, path: &str) -> Result<Node, SpecError> {
    let span = span(source, &raw);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(flag) => Value::Bool(flag),
        Raw::Number(plain) => Value::Number(match source.text().get(span.clone()) {
            Some(text) if !text.trim().is_empty() && !text.contains('\n') => text.trim().to_owned(),
            _ => plain,
        }),
        Raw::Text(text) => Value::Text(text),
        Raw::List(items) => {
            let mut list = Vec::with_capacity(items.len());
            for (at, item) in items.into_iter().enumerate() {
                list.push(place(source, item, &index(path, at))?);
            }
            Value::List(list)
        }
        Raw::Object(raw_entries) => {
            let mut entries = Vec::with_capacity(raw_entries.len());
            let mut seen: BTreeMap<String, usize> = BTreeMap::new();
            for (key, value) in raw_entries {
                let key_span = self::span(source, &key);
                if let Some(first) = seen.insert(key.value.clone(), key_span.start) {
                    let line = Place::new(source, first..first, "").line();
                    let key = short(&key.value);
                    return Err(Place::new(source, key_span, path)
                        .error(Problem::DuplicateKey { key, line }));
                }
                let value = place(source, value, &join(path, &key.value))?;
                entries.push(Entry { key: key.value, key_span, value });
            }
            Value::Object(entries)
        }
    };
    Ok(Node { value, span })
}

fn refuse(source: &Arc<Source>, error: &serde_saphyr::Error) -> SpecError {
    let error = error.without_snippet();
    let at = error.location().map_or(0, |location| {
        let number = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        match location.span().byte_offset() {
            Some(at) => number(at).min(source.text().len()),
            None => source.offset(number(location.line()), number(location.column())),
        }
    });
    let message = error.render();
    // The reader appends the place, which is shown in our own way.
    let message = message.lines().next().unwrap_or("").trim();
    let message = match message.rfind(" at line ") {
        Some(end) => message.get(..end).unwrap_or(message),
        None => message,
    };
    let message = short_message(message);
    Place::new(source, at..at, "").error(Problem::Yaml { message })
}

fn short_message(message: &str) -> String {
    message.chars().take(200).collect()
}
