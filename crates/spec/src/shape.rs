//! Tables of what a document may contain: the one source of the checks, of the list of known keys
//! in errors, and of the JSON Schema.

use crate::{
    Place, Source, SpecError,
    error::{Problem, nearest},
    value::{Entry, Node, Value, index, join, short},
};
use std::sync::Arc;

/// What a value may be.
pub(crate) enum Shape {
    /// `true` or `false`.
    Bool,
    /// A string; the regular expression only goes into the schema, the check is the parser of the
    /// type that the string becomes.
    Text { pattern: Option<&'static str> },
    /// A string, number or boolean, taken as the text it is written as.
    Scalar,
    /// A whole number.
    Integer { least: u64, most: u64 },
    /// One of a fixed set of strings.
    Word { what: &'static str, known: &'static [&'static str] },
    /// Nothing: takes away what weaker sources gave.
    Null,
    /// Any value.
    Any,
    /// A list.
    List(&'static Shape),
    /// The first that fits the kind of the value.
    Either(&'static [Shape]),
    /// An object with known keys.
    Object(&'static Table),
    /// An object with free keys.
    Map { pattern: Option<&'static str>, value: &'static Shape },
}

/// The keys of an object.
pub(crate) struct Table {
    /// What the object describes.
    pub about: &'static str,
    pub fields: &'static [Field],
}

/// A key of an object.
pub(crate) struct Field {
    pub key: &'static str,
    pub shape: Shape,
    /// Told when the key is required: how to write it.
    pub required: Option<&'static str>,
    pub about: &'static str,
    /// A value as JSON text: documents the key, and lets a test see that it has an effect.
    pub example: &'static str,
}

impl Field {
    pub const fn new(
        key: &'static str,
        shape: Shape,
        about: &'static str,
        example: &'static str,
    ) -> Self {
        Self { key, shape, required: None, about, example }
    }

    /// The same, required; `hint` tells how to write it.
    pub const fn required(self, hint: &'static str) -> Self {
        Self { required: Some(hint), ..self }
    }
}

pub(crate) const TEXT: Shape = Shape::Text { pattern: None };
pub(crate) const TEXTS: Shape = Shape::Either(&[TEXT, Shape::List(&TEXT)]);

impl Table {
    fn find(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }

    fn keys(&self) -> Vec<&'static str> {
        self.fields.iter().map(|field| field.key).collect()
    }
}

impl Shape {
    /// Whether a value of this kind is what the shape begins with.
    fn fits(&self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Bool => matches!(value, Value::Bool(_)),
            Self::Text { .. } | Self::Word { .. } => matches!(value, Value::Text(_)),
            Self::Scalar => matches!(value, Value::Text(_) | Value::Number(_) | Value::Bool(_)),
            Self::Integer { .. } => matches!(value, Value::Number(_)),
            Self::Null => matches!(value, Value::Null),
            Self::List(_) => matches!(value, Value::List(_)),
            Self::Either(shapes) => shapes.iter().any(|shape| shape.fits(value)),
            Self::Object(_) | Self::Map { .. } => matches!(value, Value::Object(_)),
        }
    }

    /// What an error says is needed.
    fn expected(&self) -> String {
        match self {
            Self::Any => "a value".to_owned(),
            Self::Bool => "`true` or `false`".to_owned(),
            Self::Text { .. } | Self::Scalar => "a string".to_owned(),
            Self::Word { known, .. } => {
                let known: Vec<String> = known.iter().map(|word| format!("{word:?}")).collect();
                known.join(" or ")
            }
            Self::Integer { .. } => "a whole number".to_owned(),
            Self::Null => "null".to_owned(),
            Self::List(item) => match item {
                Self::Text { .. } => "a list of strings".to_owned(),
                _ => "a list".to_owned(),
            },
            Self::Either(shapes) => {
                let shown = shapes.iter().filter(|shape| !matches!(shape, Self::Null));
                shown.map(Self::expected).collect::<Vec<_>>().join(" or ")
            }
            Self::Object(_) | Self::Map { .. } => "an object".to_owned(),
        }
    }

    /// Checks a value and all below it.
    pub fn check(&'static self, at: &Cursor<'_>) -> Result<(), SpecError> {
        match (self, &at.node.value) {
            (Self::Either(shapes), value) => match shapes.iter().find(|shape| shape.fits(value)) {
                Some(shape) => shape.check(at),
                None => Err(self.wrong_kind(at)),
            },
            (shape, value) if !shape.fits(value) => Err(self.wrong_kind(at)),
            (Self::Integer { least, most }, Value::Number(text)) => match text.parse::<u64>() {
                Ok(number) if (*least..=*most).contains(&number) => Ok(()),
                _ => Err(at.error(Problem::invalid(format!(
                    "`{}` is not a whole number from {least} to {most}",
                    short(text)
                )))),
            },
            (Self::Word { what, known }, Value::Text(word)) => {
                match known.contains(&word.as_str()) {
                    true => Ok(()),
                    false => Err(at.error(Problem::UnknownWord {
                        what,
                        word: short(word),
                        nearest: nearest(word, known.iter().copied()).map(str::to_owned),
                        known: known.iter().map(|word| (*word).to_owned()).collect(),
                    })),
                }
            }
            (Self::List(item), Value::List(_)) => at.items().try_for_each(|at| item.check(&at)),
            (Self::Map { value, .. }, Value::Object(_)) => {
                at.entries().try_for_each(|(_, at)| value.check(&at))
            }
            (Self::Object(table), Value::Object(entries)) => check_object(table, entries, at),
            _ => Ok(()),
        }
    }

    fn wrong_kind(&self, at: &Cursor<'_>) -> SpecError {
        let hint = match (&at.node.value, self) {
            (Value::Number(text), Self::Text { .. } | Self::Either(_) | Self::Word { .. })
                if self.fits(&Value::Text(String::new())) =>
            {
                Some(format!("write `\"{}\"`", short(text)))
            }
            (Value::Text(text), Self::List(_)) => Some(format!("write `[{:?}]`", short(text))),
            (Value::Text(text), Self::Bool) => match text.as_str() {
                "true" | "yes" | "1" => Some("write `true`, without quotes".to_owned()),
                "false" | "no" | "0" => Some("write `false`, without quotes".to_owned()),
                _ => None,
            },
            (Value::Null, _) => Some("leave the key out".to_owned()),
            _ => None,
        };
        let found = at.node.value.kind();
        at.error(Problem::WrongKind { found, expected: self.expected(), hint })
    }
}

fn check_object(
    table: &'static Table,
    entries: &[Entry],
    at: &Cursor<'_>,
) -> Result<(), SpecError> {
    for (entry, (key, value)) in entries.iter().zip(at.entries()) {
        match table.find(&entry.key) {
            Some(field) => field.shape.check(&value)?,
            None => {
                let near = nearest(&entry.key, table.fields.iter().map(|field| field.key));
                return Err(key.error(Problem::UnknownKey {
                    key: short(&entry.key),
                    nearest: near.map(str::to_owned),
                    known: table.keys(),
                }));
            }
        }
    }
    for field in table.fields {
        if let Some(hint) = field.required
            && !entries.iter().any(|entry| entry.key == field.key)
        {
            return Err(at.opening().error(Problem::MissingKey { key: field.key, hint }));
        }
    }
    Ok(())
}

/// A value with its document and path.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    pub source: &'a Arc<Source>,
    pub node: &'a Node,
    pub path: String,
}

impl<'a> Cursor<'a> {
    pub fn root(source: &'a Arc<Source>, node: &'a Node) -> Self {
        Self { source, node, path: String::new() }
    }

    pub fn place(&self) -> Place {
        Place::new(self.source, self.node.span.clone(), self.path.clone())
    }

    /// The place of the bracket that opens the value.
    fn opening(&self) -> Place {
        let start = self.node.span.start;
        Place::new(self.source, start..start + 1, self.path.clone())
    }

    pub fn error(&self, problem: Problem) -> SpecError {
        self.place().error(problem)
    }

    /// The elements of a list; the value itself when it is no list.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<'a> {
        let (source, path) = (self.source, self.path.clone());
        let (items, alone) = match &self.node.value {
            Value::List(items) => (items.as_slice(), false),
            _ => (std::slice::from_ref(self.node), true),
        };
        items.iter().enumerate().map(move |(at, node)| Cursor {
            source,
            node,
            path: if alone { path.clone() } else { index(&path, at) },
        })
    }

    /// The keys and values of an object, in order; none for other values.
    pub fn entries(&self) -> impl Iterator<Item = (Key<'a>, Self)> + use<'a> {
        let (source, path) = (self.source, self.path.clone());
        let entries = match &self.node.value {
            Value::Object(entries) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(move |entry| {
            let path = join(&path, &entry.key);
            let key = Key {
                text: &entry.key,
                place: Place::new(source, entry.key_span.clone(), path.clone()),
            };
            (key, Cursor { source, node: &entry.value, path })
        })
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Self> {
        self.entries().find(|(found, _)| found.text == key).map(|(_, value)| value)
    }

    /// The text of a string, number or boolean.
    pub fn text(&self) -> String {
        match &self.node.value {
            Value::Text(text) | Value::Number(text) => text.clone(),
            Value::Bool(flag) => flag.to_string(),
            _ => String::new(),
        }
    }

    pub fn bool(&self) -> bool {
        self.node.value == Value::Bool(true)
    }

    pub fn is_null(&self) -> bool {
        self.node.value == Value::Null
    }

    pub fn is_object(&self) -> bool {
        matches!(self.node.value, Value::Object(_))
    }

    pub fn is_text(&self) -> bool {
        matches!(self.node.value, Value::Text(_))
    }
}

/// A key of an object and its place.
pub(crate) struct Key<'a> {
    pub text: &'a str,
    place: Place,
}

impl Key<'_> {
    pub fn place(&self) -> Place {
        self.place.clone()
    }

    pub fn error(&self, problem: Problem) -> SpecError {
        self.place().error(problem)
    }
}
