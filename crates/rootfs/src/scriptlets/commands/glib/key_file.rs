//! Key files: groups in brackets, and keys with values below them.
//! <https://specifications.freedesktop.org/desktop-entry-spec/latest/basic-format.html>

use std::collections::BTreeMap;

/// A file as GLib reads it.
#[derive(Debug, Default)]
pub(in super::super) struct KeyFile {
    /// Groups in their order.
    pub groups: Vec<Group>,
    places: BTreeMap<String, usize>,
}

/// A group.
#[derive(Debug, Default)]
pub(in super::super) struct Group {
    pub name: String,
    /// Keys in their order; a value that is not UTF-8 is none.
    pub keys: Vec<(String, Option<String>)>,
    places: BTreeMap<String, usize>,
}

impl KeyFile {
    /// Reads a file; an error is what the reader would say.
    pub(in super::super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut file = Self::default();
        let mut current: Option<usize> = None;
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let whole = std::str::from_utf8(line).is_ok();
            let line = String::from_utf8_lossy(line);
            let line = line.trim_start_matches(is_space);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|rest| rest.trim_end_matches([' ', '\t']).strip_suffix(']'))
            {
                if name.is_empty()
                    || name.contains(|c: char| matches!(c, '[' | ']') || c.is_ascii_control())
                {
                    return Err(format!("Invalid group name: {name}"));
                }
                let next = file.groups.len();
                let place = *file.places.entry(name.to_owned()).or_insert(next);
                current = Some(place);
                if place == next {
                    file.groups.push(Group { name: name.to_owned(), ..Group::default() });
                }
                continue;
            }
            let pair = line.split_once('=').filter(|(key, _)| !key.is_empty());
            let Some((key, value)) = pair else {
                return Err(format!(
                    "Key file contains line “{line}” which is not a key-value pair, group, or \
                     comment"
                ));
            };
            let Some(current) = current else {
                return Err("Key file does not start with a group".to_owned());
            };
            let key = key.trim_end_matches(is_space);
            if !is_key(key) {
                return Err(format!("Invalid key name: {key}"));
            }
            // translations are not kept
            if key.ends_with(']') {
                continue;
            }
            let value = whole.then(|| value.trim_start_matches(is_space).to_owned());
            file.groups[current].set(key, value);
        }
        Ok(file)
    }

    fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(*self.places.get(name)?)
    }

    /// Whether there is such a key.
    pub(in super::super) fn has(&self, group: &str, key: &str) -> bool {
        self.group(group).is_some_and(|group| group.places.contains_key(key))
    }

    /// The value of a key, as it is written.
    pub(in super::super) fn get(&self, group: &str, key: &str) -> Option<&str> {
        let group = self.group(group)?;
        group.keys.get(*group.places.get(key)?)?.1.as_deref()
    }

    /// The value of a key as a list; none too where an escape is none.
    pub(in super::super) fn list(&self, group: &str, key: &str) -> Option<Vec<String>> {
        let value = self.get(group, key)?;
        let mut list = Vec::new();
        let mut item = String::new();
        let mut characters = value.chars();
        while let Some(c) = characters.next() {
            match c {
                ';' => list.push(std::mem::take(&mut item)),
                '\\' => match characters.next()? {
                    's' => item.push(' '),
                    'n' => item.push('\n'),
                    't' => item.push('\t'),
                    'r' => item.push('\r'),
                    c @ ('\\' | ';') => item.push(c),
                    _ => return None,
                },
                c => item.push(c),
            }
        }
        if !item.is_empty() {
            list.push(item);
        }
        Some(list)
    }
}

impl Group {
    /// Of a key that is there twice, the last value counts.
    fn set(&mut self, key: &str, value: Option<String>) {
        match self.places.get(key).and_then(|place| self.keys.get_mut(*place)) {
            Some((_, own)) => *own = value,
            None => {
                self.places.insert(key.to_owned(), self.keys.len());
                self.keys.push((key.to_owned(), value));
            }
        }
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

/// Letters, digits and marks, with a locale in brackets at its end.
fn is_key(key: &str) -> bool {
    let (name, locale) = match key.split_once('[') {
        Some((name, rest)) => match rest.strip_suffix(']') {
            Some(locale) => (name, locale),
            None => return false,
        },
        None => (key, ""),
    };
    let name_ok = |c: char| !matches!(c, '=' | '[' | ']');
    let locale_ok = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    !name.is_empty()
        && !name.ends_with(' ')
        && name.chars().all(name_ok)
        && locale.chars().all(locale_ok)
}
