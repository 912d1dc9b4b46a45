//! `config` and `annotations`, read into changes.

use crate::{
    Located, SpecError,
    compose::{port, ports, text},
    error::Problem,
    shape::{Cursor, Key},
    value::{Value, short},
};
use strata_oci::{Change, ConfigField, Slot, SlotValue};

/// The changes of a `config` object, in its order.
pub(super) fn config(at: &Cursor<'_>) -> Result<Vec<Located<Change>>, SpecError> {
    let mut changes = Vec::new();
    for (key, value) in at.entries() {
        // The table has let nothing else through.
        let Some(field) = ConfigField::from_name(key.text) else { continue };
        read_field(field, &value, &mut changes)?;
    }
    Ok(changes)
}

/// The changes of an `annotations` object.
pub(super) fn annotations(at: &Cursor<'_>) -> Result<Vec<Located<Change>>, SpecError> {
    let mut changes = Vec::new();
    for (key, value) in at.entries() {
        if key.text.starts_with("io.strata.") {
            return Err(key.error(Problem::invalid_hint(
                format!("the annotation {:?} is reserved", short(key.text)),
                "strata itself writes `io.strata.*`",
            )));
        }
        changes.push(keyed(ConfigField::Annotations, &key, &value, Some(value.text()))?);
    }
    Ok(changes)
}

fn read_field(
    field: ConfigField,
    at: &Cursor<'_>,
    out: &mut Vec<Located<Change>>,
) -> Result<(), SpecError> {
    let collection = matches!(
        field,
        ConfigField::Env | ConfigField::Labels | ConfigField::ExposedPorts | ConfigField::Volumes
    );
    if at.is_null() {
        let change =
            if collection { Change::Clear(field) } else { Change::Unset(Slot::field(field)) };
        out.push(Located::new(change, at.place()));
        return Ok(());
    }
    if collection && at.is_object() {
        for (key, value) in at.entries() {
            check_key(field, &key)?;
            let text = matches!(field, ConfigField::Env | ConfigField::Labels);
            let text = text.then(|| value.text());
            if field == ConfigField::Env && text.as_ref().is_some_and(|text| text.contains('\0')) {
                return Err(value.error(Problem::invalid("a variable cannot hold a NUL")));
            }
            out.push(keyed(field, &key, &value, text)?);
        }
        return Ok(());
    }
    let set = |value| Located::new(Change::Set(Slot::field(field), value), at.place());
    match field {
        ConfigField::Env => {
            for item in at.items() {
                out.push(variable(&item)?);
            }
        }
        ConfigField::ExposedPorts => {
            let present = |port: Located<crate::Port>| {
                port.map(|port| Change::Set(Slot::key(field, port.to_string()), SlotValue::Present))
            };
            out.extend(ports(at)?.into_iter().map(present));
        }
        ConfigField::Volumes => {
            for item in at.items() {
                let path = directory(&item)?;
                let slot = Slot::key(field, path.value.clone());
                out.push(path.map(|_| Change::Set(slot, SlotValue::Present)));
            }
        }
        ConfigField::Entrypoint | ConfigField::Cmd => out.push(set(SlotValue::Words(words(at)?))),
        ConfigField::WorkingDir => out.push(set(SlotValue::Text(directory(at)?.value))),
        ConfigField::StopSignal => out.push(set(SlotValue::Text(signal(at)?))),
        ConfigField::User => out.push(set(SlotValue::Text(user(at)?))),
        ConfigField::Labels | ConfigField::Annotations => {}
    }
    Ok(())
}

/// The change of one key of a collection; `null` takes it away.
fn keyed(
    field: ConfigField,
    key: &Key<'_>,
    value: &Cursor<'_>,
    text: Option<String>,
) -> Result<Located<Change>, SpecError> {
    if key.text.is_empty() {
        return Err(key.error(Problem::invalid("a key is empty")));
    }
    let name = match field {
        ConfigField::ExposedPorts => port(key.text, key.place())?.value.to_string(),
        _ => key.text.to_owned(),
    };
    let slot = Slot::key(field, name);
    let change = match (&value.node.value, text) {
        (Value::Null, _) => Change::Unset(slot),
        (_, Some(text)) => Change::Set(slot, SlotValue::Text(text)),
        (_, None) => Change::Set(slot, SlotValue::Present),
    };
    Ok(Located::new(change, value.place()))
}

fn check_key(field: ConfigField, key: &Key<'_>) -> Result<(), SpecError> {
    match field {
        ConfigField::Env if !is_variable(key.text) => {
            Err(key.error(Problem::invalid(not_variable(key.text))))
        }
        ConfigField::Volumes if !key.text.starts_with('/') => Err(key.error(absolute(key.text))),
        _ => Ok(()),
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

fn not_variable(name: &str) -> String {
    format!("{:?} cannot be the name of a variable", short(name))
}

fn variable(at: &Cursor<'_>) -> Result<Located<Change>, SpecError> {
    let text = at.text();
    match text.split_once('=') {
        Some((name, value)) if is_variable(name) && !value.contains('\0') => {
            let slot = Slot::key(ConfigField::Env, name);
            Ok(Located::new(Change::Set(slot, SlotValue::Text(value.to_owned())), at.place()))
        }
        _ => Err(at.error(Problem::invalid_hint(
            format!("{:?} is not of the form NAME=value", short(&text)),
            format!("write {:?}", format!("{}=value", short(text.trim_start_matches('=')))),
        ))),
    }
}

/// A program's words. A string with blanks is almost always meant as several.
fn words(at: &Cursor<'_>) -> Result<Vec<String>, SpecError> {
    let words: Vec<String> = at.items().map(|at| at.text()).collect();
    if words.iter().any(|word| word.contains('\0')) {
        return Err(at.error(Problem::invalid("an argument cannot hold a NUL")));
    }
    match words.as_slice() {
        [word] if at.is_text() && word.contains(char::is_whitespace) => {
            let split: Vec<String> =
                word.split_whitespace().map(|part| format!("{:?}", short(part))).collect();
            Err(at.error(Problem::invalid_hint(
                "a string is one argument, and this one has white space in it",
                format!("write a list: [{}]", split.join(", ")),
            )))
        }
        _ => Ok(words),
    }
}

fn absolute(path: &str) -> Problem {
    Problem::invalid_hint(
        format!("{:?} is not an absolute path", short(path)),
        format!("write {:?}", format!("/{}", short(path))),
    )
}

fn directory(at: &Cursor<'_>) -> Result<Located<String>, SpecError> {
    let path = text(at)?;
    if path.value.starts_with('/') { Ok(path) } else { Err(at.error(absolute(&path.value))) }
}

fn signal(at: &Cursor<'_>) -> Result<String, SpecError> {
    let signal = at.text();
    let number = !signal.is_empty() && signal.bytes().all(|b| b.is_ascii_digit());
    let name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "+-".contains(c);
    let named =
        signal.strip_prefix("SIG").is_some_and(|rest| !rest.is_empty() && rest.chars().all(name));
    if number || named {
        return Ok(signal);
    }
    let upper = short(&signal).to_uppercase();
    let fixed = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    Err(at.error(Problem::invalid_hint(
        format!("{:?} is not a signal", short(&signal)),
        format!("write {fixed:?} or its number"),
    )))
}

/// `name`, `uid`, `name:group`, `uid:gid` and mixtures.
fn user(at: &Cursor<'_>) -> Result<String, SpecError> {
    let user = text(at)?.value;
    let part = |part: &str| !part.is_empty() && !part.contains([':', ' ', '/']);
    let fine = match user.split_once(':') {
        Some((user, group)) => part(user) && part(group),
        None => part(&user),
    };
    match fine {
        true => Ok(user),
        false => Err(at.error(Problem::invalid_hint(
            format!("{:?} is not a user", short(&user)),
            "write USER or USER:GROUP, each a name or a number",
        ))),
    }
}
