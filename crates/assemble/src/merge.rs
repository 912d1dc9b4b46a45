//! Layering the sources, remembering who set what and what was shadowed.

use crate::edits::{Author, ConfigEdits, Edit, show};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};
use strata_spec::{Change, ConfigField, Slot, SlotValue};

/// A slot as it ends up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What it holds; `None` when the strongest source took it away.
    pub value: Option<SlotValue>,
    /// Who said so.
    pub by: Author,
    /// What weaker sources had said, the strongest of them first.
    pub shadowed: Vec<Shadowed>,
}

/// A value that did not win.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadowed {
    /// The value; `None` when the slot was taken away.
    pub value: Option<SlotValue>,
    /// Who said so.
    pub by: Author,
}

/// Every slot that any source spoke of, with its history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    settings: BTreeMap<Slot, Setting>,
    /// Names of variables in the order in which they first appeared.
    variables: Vec<String>,
    /// Fields of which everything weaker was taken away.
    cleared: BTreeSet<ConfigField>,
}

impl Provenance {
    /// Layers sources, the weakest first.
    pub fn layer<'a>(sources: impl IntoIterator<Item = &'a ConfigEdits>) -> Self {
        let mut merged = Self::default();
        for source in sources {
            merged.drop_foreign_command(source);
            for Edit { change, by } in source.iter() {
                merged.apply(change, by);
            }
        }
        merged
    }

    /// All slots in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Slot, &Setting)> {
        self.settings.iter()
    }

    /// One slot.
    pub fn get(&self, slot: &Slot) -> Option<&Setting> {
        self.settings.get(slot)
    }

    /// What a slot holds.
    pub(crate) fn value(&self, slot: &Slot) -> Option<&SlotValue> {
        self.settings.get(slot).and_then(|setting| setting.value.as_ref())
    }

    pub(crate) fn text(&self, field: ConfigField) -> Option<&str> {
        match self.value(&Slot::field(field)) {
            Some(SlotValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn words(&self, field: ConfigField) -> Option<Vec<String>> {
        match self.value(&Slot::field(field)) {
            Some(SlotValue::Words(words)) => Some(words.clone()),
            _ => None,
        }
    }

    /// Keys of a collection and their texts, in order of the keys.
    pub(crate) fn keys(&self, field: ConfigField) -> impl Iterator<Item = (&str, &SlotValue)> {
        self.settings
            .iter()
            .filter(move |(slot, _)| slot.field == field)
            .filter_map(|(slot, setting)| Some((slot.key.as_deref()?, setting.value.as_ref()?)))
    }

    /// `NAME=value`, in the order in which the names first appeared.
    pub(crate) fn environment(&self) -> Vec<String> {
        let variable = |name: &String| match self.value(&Slot::key(ConfigField::Env, name)) {
            Some(SlotValue::Text(value)) => Some(format!("{name}={value}")),
            _ => None,
        };
        self.variables.iter().filter_map(variable).collect()
    }

    /// The outcome alone as JSON, for the digest of the inputs.
    pub(crate) fn outcome(&self) -> serde_json::Value {
        let value = |value: &Option<SlotValue>| match value {
            None => serde_json::Value::Null,
            Some(SlotValue::Text(text)) => text.as_str().into(),
            Some(SlotValue::Words(words)) => words.as_slice().into(),
            Some(SlotValue::Present) => true.into(),
        };
        let slots: BTreeMap<String, serde_json::Value> = self
            .settings
            .iter()
            .map(|(slot, setting)| (slot.to_string(), value(&setting.value)))
            .collect();
        let cleared: Vec<&str> = self.cleared.iter().map(|field| field.name()).collect();
        serde_json::json!({ "slots": slots, "order": self.variables, "cleared": cleared })
    }

    fn apply(&mut self, change: &Change, by: &Author) {
        match change {
            Change::Set(slot, value) => self.put(slot, Some(value.clone()), by),
            Change::Unset(slot) => self.put(slot, None, by),
            Change::Clear(field) => {
                let slots: Vec<Slot> =
                    self.settings.keys().filter(|slot| slot.field == *field).cloned().collect();
                for slot in slots {
                    self.put(&slot, None, by);
                }
                if *field == ConfigField::Env {
                    self.variables.clear();
                }
                self.cleared.insert(*field);
            }
        }
    }

    fn put(&mut self, slot: &Slot, value: Option<SlotValue>, by: &Author) {
        if let (ConfigField::Env, Some(name), Some(_)) = (slot.field, &slot.key, &value)
            && !self.variables.contains(name)
        {
            self.variables.push(name.clone());
        }
        let mut next = Setting { value, by: by.clone(), shadowed: Vec::new() };
        if let Some(last) = self.settings.remove(slot) {
            next.shadowed.push(Shadowed { value: last.value, by: last.by });
            next.shadowed.extend(last.shadowed);
        }
        self.settings.insert(slot.clone(), next);
    }

    /// A source with an entry point of its own has no use for a weaker source's arguments.
    fn drop_foreign_command(&mut self, source: &ConfigEdits) {
        let (entrypoint, cmd) =
            (Slot::field(ConfigField::Entrypoint), Slot::field(ConfigField::Cmd));
        let sets =
            |edit: &&Edit| matches!(&edit.change, Change::Set(slot, _) if *slot == entrypoint);
        if let Some(edit) = source.iter().find(sets)
            && self.value(&cmd).is_some()
        {
            self.put(&cmd, None, &edit.by);
        }
    }
}

impl fmt::Display for Provenance {
    /// One slot a line: `config.User = 33 (web.json:3:4; was root, default)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<SlotValue>| match value {
            Some(value) => show(value),
            None => "nothing".to_owned(),
        };
        for (slot, setting) in &self.settings {
            write!(f, "{slot} = {} ({}", shown(&setting.value), setting.by)?;
            for shadowed in &setting.shadowed {
                write!(f, "; was {}, {}", shown(&shadowed.value), shadowed.by)?;
            }
            writeln!(f, ")")?;
        }
        Ok(())
    }
}
