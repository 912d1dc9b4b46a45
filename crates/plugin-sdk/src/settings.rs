//! The settings of one use of the plugin.

use crate::bindings::about::exports::strata::plugin::about;
use crate::bindings::imports::strata::plugin::settings;
use crate::{Error, Value};

/// A setting that the plugin has, for [`describe!`](crate::describe).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// One line for people: what it does, what it may be, what holds without it.
    pub summary: &'static str,
}

impl Setting {
    /// A setting and its summary.
    pub const fn new(name: &'static str, summary: &'static str) -> Self {
        Self { name, summary }
    }

    pub(crate) fn to_wit(self) -> about::Setting {
        about::Setting { name: self.name.to_owned(), summary: self.summary.to_owned() }
    }
}

/// The settings by name. What the command line gives is text, whatever the plugin wants: the
/// getters read numbers and flags from text, too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// In order; a tree's code is large.
    values: Vec<(String, Value)>,
}

impl<N: Into<String>> FromIterator<(N, Value)> for Settings {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(values: I) -> Self {
        let mut settings = Self::default();
        for (name, value) in values {
            let name = name.into();
            match settings.position(&name) {
                Ok(at) => settings.values[at].1 = value,
                Err(at) => settings.values.insert(at, (name, value)),
            }
        }
        settings
    }
}

impl Settings {
    pub(crate) fn of_host() -> Self {
        settings::all().into_iter().collect()
    }

    /// Settings that are all text, for native tests.
    pub fn of_texts(values: &[(&str, &str)]) -> Self {
        values.iter().map(|(name, text)| (*name, Value::Text((*text).to_owned()))).collect()
    }

    /// Whether there is a value.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The value as it was given.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.position(name).ok().map(|at| &self.values[at].1)
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.values.binary_search_by(|(known, _)| known.as_str().cmp(name))
    }

    /// A string.
    pub fn text(&self, name: &str) -> Result<Option<String>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(other) => Err(wrong(name, other, "one string")),
        }
    }

    /// `true` or `false`.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Flag(flag)) => Ok(Some(*flag)),
            Some(Value::Text(text)) if text == "true" => Ok(Some(true)),
            Some(Value::Text(text)) if text == "false" => Ok(Some(false)),
            Some(other) => Err(wrong(name, other, "`true` or `false`")),
        }
    }

    /// A whole number.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, Error> {
        let wanted = "a whole number";
        match self.value(name) {
            None => Ok(None),
            Some(Value::Integer(number)) => Ok(Some(*number)),
            Some(value @ Value::Text(text)) => {
                text.parse().map(Some).map_err(|_| wrong(name, value, wanted))
            }
            Some(other) => Err(wrong(name, other, wanted)),
        }
    }

    /// Strings: a list, or one string; empty when it is not set.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        match self.value(name) {
            None => Ok(Vec::new()),
            Some(Value::Text(text)) => Ok(vec![text.clone()]),
            Some(Value::Texts(texts)) => Ok(texts.clone()),
            // an empty list has no type of its own
            Some(Value::Json(json)) if json.trim() == "[]" => Ok(Vec::new()),
            Some(other) => Err(wrong(name, other, "a list of strings")),
        }
    }
}

fn wrong(name: &str, value: &Value, wanted: &str) -> Error {
    let found = match value {
        Value::Text(text) => format!("`{text}`"),
        Value::Flag(flag) => format!("`{flag}`"),
        Value::Integer(number) => format!("`{number}`"),
        Value::Texts(_) => "a list of strings".to_owned(),
        Value::Json(json) => format!("`{json}`"),
    };
    Error::setting(name, format!("{found} is not {wanted}"))
        .hint(format!("set `{name}` to {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_command_line_serves_for_numbers_and_flags() {
        let settings = Settings::of_texts(&[("count", "-3"), ("on", "true"), ("list", "a,b")]);
        assert_eq!(settings.integer("count"), Ok(Some(-3)));
        assert_eq!(settings.flag("on"), Ok(Some(true)));
        assert_eq!(settings.texts("list"), Ok(vec!["a,b".to_owned()]));
        assert_eq!(settings.text("none"), Ok(None));
        assert_eq!(settings.texts("none"), Ok(Vec::new()));
    }

    #[test]
    fn a_wrong_type_names_the_setting_and_what_it_may_be() {
        let settings: Settings =
            [("unit", Value::Integer(3)), ("on", Value::Text("yes".to_owned()))]
                .into_iter()
                .collect();
        let Err(Error::Setting(error)) = settings.text("unit") else { panic!("refused") };
        assert_eq!(
            (error.name.as_str(), error.message.as_str()),
            ("unit", "`3` is not one string")
        );
        assert!(settings.flag("on").is_err());
        assert!(settings.integer("on").is_err());
        assert!(settings.texts("unit").is_err());
    }
}
