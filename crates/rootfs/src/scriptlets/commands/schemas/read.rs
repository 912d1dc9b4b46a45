//! Schema files: `<schemalist>` with schemas, enums and flags.
//! <https://gitlab.gnome.org/GNOME/glib/-/blob/main/gio/gschema.dtd>

use super::key::Key;
use super::names::Names;
use super::types;
use crate::scriptlets::commands::{
    glib::table::Table,
    markup::{self, Piece},
};

/// What a name in a schema is.
#[derive(Debug, Clone)]
pub(super) enum Member {
    Key(Box<Key>),
    /// Another schema below this one.
    Child(String),
}

/// A schema.
#[derive(Debug, Clone, Default)]
pub(super) struct Schema {
    pub path: Option<String>,
    pub domain: Option<String>,
    pub extends: Option<String>,
    pub list_of: Option<String>,
    pub members: Table<Member>,
}

/// All that was read.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    pub schemas: Table<Schema>,
    enums: Table<Names>,
    flags: Table<Names>,
    pub warnings: Vec<String>,
    pub any_name: bool,
}

/// Where a file is being read.
#[derive(Default)]
struct Place {
    stack: Vec<String>,
    /// So many elements deep inside of one that is passed over.
    skipped: usize,
    domain: Option<String>,
    schema: String,
    /// The key's name, and the key until it is complete.
    key: Option<(String, Key)>,
    names: (String, Names),
    text: Option<String>,
    made: Vec<(Made, String)>,
}

#[derive(Clone, Copy)]
enum Made {
    Schema,
    Enum,
    Flags,
}

/// How many schemas may extend each other in a row.
const GENERATIONS: usize = 100;

type Result<T> = std::result::Result<T, String>;
type Attributes = [(String, String)];

/// The values of attributes in the order of `names`; those with a `!` must be there, and others
/// than these must not. Qualified ones count for nothing.
fn collect(element: &str, attributes: &Attributes, names: &[&str]) -> Result<Vec<Option<String>>> {
    let mut values = vec![None; names.len()];
    for (name, value) in attributes.iter().filter(|(name, _)| !name.contains(':')) {
        let at = names.iter().position(|own| own.trim_end_matches('!') == name);
        let at = at.ok_or_else(|| format!("attribute '{name}' invalid for element '{element}'"))?;
        values[at] = Some(value.clone());
    }
    let missing =
        names.iter().zip(&values).find(|(name, value)| name.ends_with('!') && value.is_none());
    match missing {
        Some((name, _)) => {
            Err(format!("element '{element}' requires attribute '{}'", name.trim_end_matches('!')))
        }
        None => Ok(values),
    }
}

impl Schemas {
    /// Reads a file. When it is wrong, nothing of it counts.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<()> {
        let mut place = Place::default();
        let result = markup::read(bytes, &mut |piece| self.piece(&mut place, piece));
        if result.is_err() {
            for (made, name) in place.made.iter().rev() {
                match made {
                    Made::Schema => self.schemas.remove(name),
                    Made::Enum => self.enums.remove(name),
                    Made::Flags => self.flags.remove(name),
                }
            }
        }
        result
    }

    fn piece(&mut self, place: &mut Place, piece: Piece) -> Result<()> {
        match piece {
            Piece::Start(name, _) if place.skipped > 0 || name.contains(':') => {
                place.skipped += 1;
                Ok(())
            }
            Piece::End(_) if place.skipped > 0 => {
                place.skipped -= 1;
                Ok(())
            }
            Piece::Text(_) if place.skipped > 0 => Ok(()),
            Piece::Comment(_) => Ok(()),
            Piece::Start(name, attributes) => {
                let result = self.start(place, &name, &attributes);
                place.stack.push(name);
                result
            }
            Piece::End(name) => {
                place.stack.pop();
                self.end(place, &name)
            }
            Piece::Text(text) => match &mut place.text {
                Some(all) => {
                    all.push_str(&text);
                    Ok(())
                }
                None if text.bytes().all(|b| b.is_ascii_whitespace() || b == 0x0b) => Ok(()),
                None => Err("Text may not appear here".to_owned()),
            },
        }
    }

    fn start(&mut self, place: &mut Place, name: &str, attributes: &Attributes) -> Result<()> {
        let take = |names: &[&str]| collect(name, attributes, names);
        let container = place.stack.last().map_or("", String::as_str);
        match (container, name) {
            ("", "schemalist") => {
                place.domain = take(&["gettext-domain"])?.swap_remove(0);
                Ok(())
            }
            ("schemalist", "schema") => {
                let names = ["id!", "path", "gettext-domain", "extends", "list-of"];
                self.start_schema(place, take(&names)?)
            }
            ("schemalist", "enum" | "flags") => {
                let id = take(&["id!"])?.swap_remove(0).unwrap_or_default();
                let (table, made) = match name {
                    "enum" => (&mut self.enums, Made::Enum),
                    _ => (&mut self.flags, Made::Flags),
                };
                if table.get(&id).is_some() {
                    return Err(format!("<{name} id='{id}'> already specified"));
                }
                table.insert(&id, Names::default());
                place.made.push((made, id.clone()));
                place.names = (id, Names::default());
                Ok(())
            }
            ("schema", "key") => self.start_key(place, take(&["name!", "type", "enum", "flags"])?),
            ("schema", "child") => {
                let values = take(&["name!", "schema!"])?;
                self.child(place, &texts(values))
            }
            ("schema", "override") => {
                self.start_override(place, take(&["name!", "l10n", "context"])?)
            }
            ("key", _) => self.inside_key(place, name, attributes),
            ("choices", "choice") => {
                let value = texts(take(&["value!"])?);
                place.key()?.add_choice(&value[0])
            }
            ("aliases", "alias") => {
                let values = texts(take(&["value!", "target!"])?);
                place.key()?.add_alias(&values[0], &values[1])
            }
            ("enum" | "flags", "value") => {
                let values = texts(take(&["nick!", "value!"])?);
                add_value(&mut place.names.1, container == "flags", &values[0], &values[1])
            }
            _ => Err(format!("Element <{name}> not allowed inside <{container}>")),
        }
    }

    fn inside_key(&mut self, place: &mut Place, name: &str, attributes: &Attributes) -> Result<()> {
        let take = |names: &[&str]| collect(name, attributes, names);
        match name {
            "default" => {
                let values = take(&["l10n", "context"])?;
                place.text = Some(String::new());
                place.key()?.start_default(values[0].as_deref(), values[1].as_deref())
            }
            "summary" | "description" => {
                take(&[])?;
                place.text = Some(String::new());
                Ok(())
            }
            "range" => {
                let values = take(&["min", "max"])?;
                place.key()?.set_range(values[0].as_deref(), values[1].as_deref())
            }
            "choices" => take(&[]).and_then(|_| place.key()?.start_choices()),
            "aliases" => take(&[]).and_then(|_| place.key()?.start_aliases()),
            _ => Err(format!("Element <{name}> not allowed inside <key>")),
        }
    }

    fn end(&mut self, place: &mut Place, name: &str) -> Result<()> {
        match name {
            "schemalist" => place.domain = None,
            "enum" | "flags" => {
                let (id, names) = std::mem::take(&mut place.names);
                if names.is_empty() {
                    return Err(format!("<{name}> must contain at least one <value>"));
                }
                let table = if name == "enum" { &mut self.enums } else { &mut self.flags };
                table.insert(&id, names);
            }
            "default" => {
                let text = place.text.take().unwrap_or_default();
                place.key()?.end_default(text)?;
            }
            "choices" if !place.key()?.has_choices => {
                return Err("<choices> must contain at least one <choice>".to_owned());
            }
            "choices" => place.key()?.check()?,
            "aliases" if !place.key()?.has_aliases => {
                return Err("<aliases> must contain at least one <alias>".to_owned());
            }
            "key" | "override" => {
                let text = place.text.take().unwrap_or_default();
                let Some((id, mut key)) = place.key.take() else { return Ok(()) };
                if name == "override" {
                    key.end_default(text)?;
                }
                if key.default.is_none() {
                    return Err("Element <default> is required in <key>".to_owned());
                }
                if let Some(schema) = self.schemas.get_mut(&place.schema) {
                    schema.members.insert(&id, Member::Key(Box::new(key)));
                }
            }
            _ => {}
        }
        place.text = None;
        Ok(())
    }

    fn start_schema(&mut self, place: &mut Place, values: Vec<Option<String>>) -> Result<()> {
        let [id, path, domain, extends, list_of] =
            <[_; 5]>::try_from(values).map_err(|_| "attributes")?;
        let id = id.unwrap_or_default();
        if self.schemas.get(&id).is_some() {
            return Err(format!("<schema id='{id}'> already specified"));
        }
        let list_of = self.list_of(&id, extends.as_deref(), list_of)?;
        if let Some(path) = &path {
            if !path.starts_with('/') || !path.ends_with('/') {
                return Err("A path, if given, must begin and end with a slash".to_owned());
            }
            if list_of.is_some() && !path.ends_with(":/") {
                return Err("The path of a list must end with “:/”".to_owned());
            }
            if ["/apps/", "/desktop/", "/system/"].iter().any(|old| path.starts_with(old)) {
                self.warnings.push(format!(
                    "Warning: Schema “{id}” has path “{path}”.  Paths starting with “/apps/”, \
                     “/desktop/” or “/system/” are deprecated."
                ));
            }
        }
        let domain = domain.or_else(|| place.domain.clone());
        let schema = Schema { path, domain, extends, list_of, members: Table::default() };
        self.schemas.insert(&id, schema);
        place.made.push((Made::Schema, id.clone()));
        place.schema = id;
        Ok(())
    }

    /// What the schema is a list of, after the checks of that and of what it extends.
    fn list_of(
        &self,
        id: &str,
        extends: Option<&str>,
        list_of: Option<String>,
    ) -> Result<Option<String>> {
        let find = |name: &str, what: &str| {
            let known = self.schemas.get(name);
            known.ok_or_else(|| {
                format!("<schema id='{id}'> {what} not yet existing schema “{name}”")
            })
        };
        let base = extends.map(|name| find(name, "extends")).transpose()?;
        if let Some(name) = &list_of
            && find(name, "is list of")?.path.is_some()
        {
            return Err("Cannot be a list of a schema with a path".to_owned());
        }
        let Some(base) = base else { return Ok(list_of) };
        if extends.is_some_and(|name| self.ancestors(name).nth(GENERATIONS).is_some()) {
            return Err(format!("<schema id='{id}'> extends too many schemas"));
        }
        if base.path.is_some() {
            return Err("Cannot extend a schema with a path".to_owned());
        }
        match (list_of, &base.list_of) {
            (None, inherited) => Ok(inherited.clone()),
            (Some(_), None) => {
                Err(format!("<schema id='{id}'> is a list, extending a schema which is not a list"))
            }
            (Some(own), Some(inherited)) if self.is_subclass(&own, inherited) => Ok(Some(own)),
            (Some(own), Some(inherited)) => Err(format!("“{own}” does not extend “{inherited}”")),
        }
    }

    fn is_subclass(&self, name: &str, of: &str) -> bool {
        self.ancestors(name).any(|(own, _)| own == of)
    }

    /// A schema and those that it extends; each names one that was there before it.
    fn ancestors<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a Schema)> {
        let first = self.schemas.get(name).map(|schema| (name, schema));
        std::iter::successors(first, |(_, schema)| {
            let name = schema.extends.as_deref()?;
            Some((name, self.schemas.get(name)?))
        })
    }

    fn check_name(&self, name: &str) -> Result<()> {
        let wrong = |why: &str| Err(format!("Invalid name “{name}”: {why}"));
        if name.is_empty() {
            return Err("Empty names are not permitted".to_owned());
        }
        if self.any_name {
            return Ok(());
        }
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            return wrong("names must begin with a lowercase letter");
        }
        let allowed = |b: u8| b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit();
        if !name.bytes().all(allowed) {
            return wrong("only lowercase letters, numbers and hyphen (“-”) are permitted");
        }
        if name.contains("--") {
            return wrong("two successive hyphens (“--”) are not permitted");
        }
        if name.ends_with('-') {
            return wrong("the last character may not be a hyphen (“-”)");
        }
        if name.len() > 1024 {
            return wrong("maximum length is 1024");
        }
        Ok(())
    }

    fn child(&mut self, place: &Place, values: &[String]) -> Result<()> {
        let [name, child] = values else { return Ok(()) };
        self.check_name(name)?;
        let key = format!("{name}/");
        let Some(schema) = self.schemas.get_mut(&place.schema) else { return Ok(()) };
        if schema.members.get(&key).is_some() {
            return Err(format!("<child name='{name}'> already specified"));
        }
        schema.members.insert(&key, Member::Child(child.clone()));
        Ok(())
    }

    fn start_key(&mut self, place: &mut Place, values: Vec<Option<String>>) -> Result<()> {
        let [name, kind, of_enum, of_flags] =
            <[_; 4]>::try_from(values).map_err(|_| "attributes")?;
        let name = name.unwrap_or_default();
        let Some(schema) = self.schemas.get(&place.schema) else { return Ok(()) };
        if schema.list_of.is_some() {
            return Err("Cannot add keys to a “list-of” schema".to_owned());
        }
        self.check_name(&name)?;
        if schema.members.get(&name).is_some() {
            return Err(format!("<key name='{name}'> already specified"));
        }
        for (base, schema) in self.ancestors(&place.schema).skip(1) {
            if matches!(schema.members.get(&name), Some(Member::Key(key)) if !key.is_override) {
                return Err(format!(
                    "<key name='{name}'> shadows <key name='{name}'> in <schema id='{base}'>; \
                     use <override> to modify value"
                ));
            }
        }
        let domain = schema.domain.is_some();
        let named = |table: &Table<Names>, id: &str, what: &str| {
            let names = table.get(id).cloned();
            names.ok_or_else(|| format!("<{what} id='{id}'> not (yet) defined."))
        };
        let key = match (kind, of_enum, of_flags) {
            (Some(kind), None, None) if types::is_definite(&kind) => Key::new(&kind, domain),
            (Some(kind), None, None) => {
                return Err(format!("Invalid GVariant type string “{kind}”"));
            }
            (None, Some(id), None) => {
                let names = named(&self.enums, &id, "enum")?;
                Key { names, is_enum: true, ..Key::new("s", domain) }
            }
            (None, None, Some(id)) => {
                let names = named(&self.flags, &id, "flags")?;
                Key { names, is_flags: true, ..Key::new("as", domain) }
            }
            _ => {
                return Err("Exactly one of “type”, “enum” or “flags” must be specified as an \
                            attribute to <key>"
                    .to_owned());
            }
        };
        self.reserve(place, name, key);
        Ok(())
    }

    fn start_override(&mut self, place: &mut Place, values: Vec<Option<String>>) -> Result<()> {
        let [name, l10n, context] = <[_; 3]>::try_from(values).map_err(|_| "attributes")?;
        let name = name.unwrap_or_default();
        let Some(schema) = self.schemas.get(&place.schema) else { return Ok(()) };
        if schema.extends.is_none() {
            return Err("<override> given but schema isn’t extending anything".to_owned());
        }
        let mut bases = self.ancestors(&place.schema).skip(1);
        let original: Option<&Key> =
            bases.find_map(|(_, schema)| match schema.members.get(&name) {
                Some(Member::Key(key)) => Some(&**key),
                _ => None,
            });
        drop(bases);
        let original = original.cloned();
        let original = original.ok_or_else(|| format!("No <key name='{name}'> to override"))?;
        if schema.members.get(&name).is_some() {
            return Err(format!("<override name='{name}'> already specified"));
        }
        let mut key = original.overriding(schema.domain.is_some());
        let result = key.start_default(l10n.as_deref(), context.as_deref());
        self.reserve(place, name, key);
        place.text = Some(String::new());
        result
    }

    /// Keys take their place in the table when they begin.
    fn reserve(&mut self, place: &mut Place, name: String, key: Key) {
        if let Some(schema) = self.schemas.get_mut(&place.schema) {
            schema.members.insert(&name, Member::Key(Box::new(key.clone())));
        }
        place.key = Some((name, key));
    }
}

impl Place {
    fn key(&mut self) -> Result<&mut Key> {
        match &mut self.key {
            Some((_, key)) => Ok(key),
            None => Err("no key is being read".to_owned()),
        }
    }
}

fn texts(values: Vec<Option<String>>) -> Vec<String> {
    values.into_iter().map(Option::unwrap_or_default).collect()
}

/// A value of an enumeration or of flags.
fn add_value(names: &mut Names, flags: bool, nick: &str, written: &str) -> Result<()> {
    if nick.len() < 2 {
        return Err("nick must be a minimum of 2 characters".to_owned());
    }
    let wrong = || "Invalid numeric value".to_owned();
    let value = integer(written).ok_or_else(wrong)?;
    let number = match flags {
        true => u32::try_from(value).ok(),
        false => i32::try_from(value).ok().map(i32::cast_unsigned),
    };
    let number = number.ok_or_else(wrong)?;
    if names.has(nick) {
        return Err(format!("<value nick='{nick}'/> already specified"));
    }
    if names.has_value(number) {
        return Err(format!("value='{written}' already specified"));
    }
    if flags && number == 0 {
        return Ok(());
    }
    if flags && !number.is_power_of_two() {
        return Err("flags values must have at most 1 bit set".to_owned());
    }
    if names.add(nick, number) { Ok(()) } else { Err("nick is too long".to_owned()) }
}

/// A number as C writes it: decimal, `0x` hexadecimal, `0` octal.
fn integer(text: &str) -> Option<i64> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
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
    i64::from_str_radix(digits, base).ok().map(|number| sign * number)
}
