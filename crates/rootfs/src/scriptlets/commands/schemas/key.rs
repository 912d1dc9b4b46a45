//! A key of a schema: what it may be, and what it is when nobody has set it.

use super::names::Names;
use super::text;
use super::value::{Data, Value};
use crate::scriptlets::commands::glib::table::Table;
use std::cmp::Ordering;

/// A key.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub kind: String,
    pub has_domain: bool,
    /// The category and the context of its translations.
    pub translated: Option<(u8, Option<String>)>,
    /// The default as written.
    pub unparsed: String,
    pub default: Option<Value>,
    pub desktops: Table<Value>,
    pub names: Names,
    pub is_enum: bool,
    pub is_flags: bool,
    pub range: Option<(Value, Value)>,
    pub has_choices: bool,
    pub has_aliases: bool,
    pub is_override: bool,
}

type Result = std::result::Result<(), String>;

impl Key {
    pub(super) fn new(kind: &str, has_domain: bool) -> Self {
        Self {
            kind: kind.to_owned(),
            has_domain,
            translated: None,
            unparsed: String::new(),
            default: None,
            desktops: Table::default(),
            names: Names::default(),
            is_enum: false,
            is_flags: false,
            range: None,
            has_choices: false,
            has_aliases: false,
            is_override: false,
        }
    }

    /// The same key in a schema that extends another.
    pub(super) fn overriding(&self, has_domain: bool) -> Self {
        Self {
            names: self.names.clone(),
            is_enum: self.is_enum,
            is_flags: self.is_flags,
            range: self.range.clone(),
            is_override: true,
            ..Self::new(&self.kind, has_domain)
        }
    }

    /// Whether a value is within the range, or made of the strings that are known.
    pub(super) fn allows(&self, value: &Value) -> bool {
        match &self.range {
            Some((low, high)) => {
                value.compare(low) != Ordering::Less && value.compare(high) != Ordering::Greater
            }
            None => self.names.is_empty() || valid(value, &self.names),
        }
    }

    pub(super) fn check(&self) -> Result {
        if self.default.as_ref().is_none_or(|value| self.allows(value)) {
            return Ok(());
        }
        let tag = if self.is_override { "override" } else { "default" };
        Err(match (&self.range, self.is_enum, self.is_flags) {
            (Some(_), ..) => format!("<{tag}> is not contained in the specified range"),
            (_, true, _) => {
                format!("<{tag}> is not a valid member of the specified enumerated type")
            }
            (_, _, true) => {
                format!("<{tag}> contains string not in the specified flags type")
            }
            _ => format!("<{tag}> contains a string not in <choices>"),
        })
    }

    pub(super) fn set_range(&mut self, low: Option<&str>, high: Option<&str>) -> Result {
        if self.range.is_some() {
            return Err("<range/> already specified for this key".to_owned());
        }
        let (least, most) = match self.kind.as_bytes().first() {
            Some(b'y') => ("0", "255"),
            Some(b'n') => ("-32768", "32767"),
            Some(b'q') => ("0", "65535"),
            Some(b'i') => ("-2147483648", "2147483647"),
            Some(b'u') => ("0", "4294967295"),
            Some(b'x') => ("-9223372036854775808", "9223372036854775807"),
            Some(b't') => ("0", "18446744073709551615"),
            Some(b'd') => ("-inf", "inf"),
            _ => return Err(format!("<range> not allowed for keys of type “{}”", self.kind)),
        };
        let low = text::parse(&self.kind, low.unwrap_or(least))?;
        let high = text::parse(&self.kind, high.unwrap_or(most))?;
        if low.compare(&high) == Ordering::Greater {
            return Err("<range> specified minimum is greater than maximum".to_owned());
        }
        self.range = Some((low, high));
        self.check()
    }

    /// The category of translations and their context.
    pub(super) fn start_default(&mut self, l10n: Option<&str>, context: Option<&str>) -> Result {
        let category = match l10n {
            Some("messages") => b'm',
            Some("time") => b't',
            Some(other) => return Err(format!("unsupported l10n category: {other}")),
            None if context.is_some() => {
                return Err("translation context given for value without l10n enabled".to_owned());
            }
            None => return Ok(()),
        };
        self.translated = Some((category, context.map(str::to_owned)));
        if self.has_domain {
            return Ok(());
        }
        Err("l10n requested, but no gettext domain given".to_owned())
    }

    pub(super) fn end_default(&mut self, written: String) -> Result {
        let value = text::parse(&self.kind, &written).map_err(|error| {
            format!("Failed to parse <default> value of type “{}”: {error}", self.kind)
        })?;
        self.unparsed = written;
        self.default = Some(value);
        self.check()
    }

    pub(super) fn start_choices(&self) -> Result {
        if self.is_enum {
            return Err("<choices> cannot be specified for keys tagged as having an enumerated \
                        type"
                .to_owned());
        }
        if self.has_choices {
            return Err("<choices> already specified for this key".to_owned());
        }
        if self.kind.trim_start_matches(['a', 'm']) != "s" {
            return Err(format!("<choices> not allowed for keys of type “{}”", self.kind));
        }
        Ok(())
    }

    pub(super) fn add_choice(&mut self, choice: &str) -> Result {
        if self.names.has(choice) {
            return Err(format!("<choice value='{choice}'/> already given"));
        }
        self.has_choices = true;
        if self.names.add(choice, 0) { Ok(()) } else { Err("too long".to_owned()) }
    }

    pub(super) fn start_aliases(&self) -> Result {
        if self.has_aliases {
            return Err("<aliases> already specified for this key".to_owned());
        }
        if self.is_flags || self.is_enum || self.has_choices {
            return Ok(());
        }
        Err("<aliases> can only be specified for keys with enumerated or flags types or after \
             <choices>"
            .to_owned())
    }

    pub(super) fn add_alias(&mut self, alias: &str, target: &str) -> Result {
        if self.names.has(alias) {
            return Err(format!("<alias value='{alias}'/> already specified"));
        }
        self.has_aliases = true;
        if self.names.add_alias(alias, target) {
            return Ok(());
        }
        Err(format!("alias target “{target}” is not in enumerated type or <choices>"))
    }

    /// What the database holds.
    pub(super) fn serialise(&self) -> Option<Value> {
        let mut parts = vec![self.default.clone()?];
        if let Some((category, context)) = &self.translated {
            let space = [' ', '\t', '\n', '\r', '\x0b', '\x0c'];
            let mut message = self.unparsed.trim_matches(space).to_owned();
            if let Some(context) = context {
                message = format!("{context}\u{4}{message}");
            }
            let inner = Value::tuple(vec![Value::byte(*category), Value::text(&message)]);
            parts.push(Value::tuple(vec![Value::byte(b'l'), inner]));
        }
        if !self.names.is_empty() {
            let letter = match (self.is_flags, self.is_enum) {
                (true, _) => b'f',
                (_, true) => b'e',
                _ => b'c',
            };
            let number =
                |word: u32| Value { kind: "u".to_owned(), data: Data::Number(word.into()) };
            let words = self.names.words().into_iter().map(number).collect();
            let words = Value { kind: "au".to_owned(), data: Data::Array(words) };
            parts.push(Value::tuple(vec![Value::byte(letter), words]));
        }
        if let Some((low, high)) = &self.range {
            let range = Value::tuple(vec![low.clone(), high.clone()]);
            parts.push(Value::tuple(vec![Value::byte(b'r'), range]));
        }
        if self.desktops.len() > 0 {
            let entry = |(name, value): (&str, &Value)| Value {
                kind: "{sv}".to_owned(),
                data: Data::Tuple(vec![Value::text(name), value.clone().variant()]),
            };
            let all = self.desktops.iter().map(entry).collect();
            let all = Value { kind: "a{sv}".to_owned(), data: Data::Array(all) };
            parts.push(Value::tuple(vec![Value::byte(b'd'), all]));
        }
        Some(Value::tuple(parts))
    }
}

fn valid(value: &Value, names: &Names) -> bool {
    match &value.data {
        Data::Text(text) => names.is_valid(text),
        Data::Array(values) => values.iter().all(|value| valid(value, names)),
        Data::Maybe(inner) => inner.as_ref().is_none_or(|value| valid(value, names)),
        _ => false,
    }
}
