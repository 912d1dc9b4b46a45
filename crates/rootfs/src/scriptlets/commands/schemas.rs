//! `glib-compile-schemas`: the settings that programs have, and their defaults, as a database.

mod key;
mod names;
mod overrides;
mod read;
mod text;
mod types;
mod value;

use super::glib::{gvdb, table::Table};
use crate::scriptlets::{
    fs::FsError,
    shell::{Shell, Status},
};
use read::{Member, Schema, Schemas};
use value::Value;

const NAME: &str = "glib-compile-schemas";

pub(super) fn compile(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("targetdir", 't'), ("strict", 's'), ("dry-run", 'd'), ("allow-any-name", 'a')];
    let parsed = super::parse(NAME, words, "t:sda", &names)?;
    let [directory] = parsed.operands.as_slice() else {
        return shell.complain("You should give exactly one directory name");
    };
    let target = parsed.value('t').unwrap_or(directory);
    let target = format!("{}/gschemas.compiled", target.trim_end_matches('/'));
    let listed = match super::listing::files(shell, directory) {
        Ok(listed) => listed,
        Err(error) => return super::failed(shell, directory, error),
    };
    let ends = |name: &str, ending: &str| name.ends_with(ending);
    let (mut files, mut overrides) = (Vec::new(), Vec::new());
    for name in listed {
        if ends(&name, ".gschema.xml") || ends(&name, ".enums.xml") {
            files.push(name);
        } else if ends(&name, ".gschema.override") {
            overrides.push(name);
        }
    }
    if files.is_empty() {
        return nothing(shell, &target);
    }
    files.sort_by_key(|name| !ends(name, ".enums.xml"));
    let strict = parsed.has('s');
    let mut schemas = Schemas::default();
    schemas.any_name = parsed.has('a');
    for name in files {
        let path = format!("{directory}/{name}");
        let Some(bytes) = super::operand(shell, NAME, &path)? else { continue };
        if let Err(error) = schemas.read(&bytes) {
            if strict {
                return shell
                    .complain(format!("{path}:{error}.  --strict was specified; exiting."));
            }
            shell.complain(format!("{path}:{error}.  This entire file has been ignored."))?;
        }
    }
    for name in overrides {
        let path = format!("{directory}/{name}");
        let Some(bytes) = super::operand(shell, NAME, &path)? else { continue };
        let problems = overrides::apply(&mut schemas.schemas, &bytes);
        for problem in &problems {
            shell.complain(format!("{path}: {problem}"))?;
        }
        if strict && !problems.is_empty() {
            return shell.complain("--strict was specified; exiting.");
        }
    }
    for warning in std::mem::take(&mut schemas.warnings) {
        shell.complain(warning)?;
    }
    let bytes = gvdb::write(&database(&schemas.schemas))?;
    shell.budget.bytes(bytes.len())?;
    if parsed.has('d') {
        return Ok(0);
    }
    super::listing::replace(shell, &target, &bytes)
}

/// Without schemas there is no database.
fn nothing(shell: &mut Shell<'_>, target: &str) -> Status {
    let place = shell.fs.lookup(target.as_bytes(), false).map_err(FsError::from);
    let text = match place.and_then(|place| shell.fs.unlink(&place)) {
        Ok(()) => "No schema files found: removed existing output file.\n",
        Err(FsError::Fatal(error)) => return Err(error.into()),
        Err(FsError::Errno(_)) => "No schema files found: doing nothing.\n",
    };
    shell.out(text)?;
    Ok(0)
}

fn string(text: &str) -> gvdb::Entry {
    let bytes = Value::text(text).variant().bytes();
    gvdb::Entry { listed: false, item: gvdb::Item::Value(bytes) }
}

/// The database: a table of schemas, each a table of keys.
fn database(schemas: &Table<Schema>) -> Table<gvdb::Entry> {
    let mut table = Table::default();
    let ids = schemas.iter().map(|(id, _)| id.to_owned()).collect();
    table.insert("", gvdb::Entry { listed: false, item: gvdb::Item::List(ids) });
    for (id, schema) in schemas.iter() {
        let inner = gvdb::Item::Table(members(schema));
        table.insert(id, gvdb::Entry { listed: true, item: inner });
    }
    table
}

fn members(schema: &Schema) -> Table<gvdb::Entry> {
    let mut table = Table::default();
    let names = schema.members.iter().map(|(name, _)| name.to_owned()).collect();
    table.insert("", gvdb::Entry { listed: false, item: gvdb::Item::List(names) });
    let mut translated = false;
    for (name, member) in schema.members.iter() {
        let value = match member {
            Member::Child(id) => Some(Value::text(id)),
            Member::Key(key) => {
                translated |= key.translated.is_some();
                key.serialise()
            }
        };
        if let Some(value) = value {
            let item = gvdb::Item::Value(value.variant().bytes());
            table.insert(name, gvdb::Entry { listed: true, item });
        }
    }
    let more =
        [(".path", &schema.path), (".extends", &schema.extends), (".list-of", &schema.list_of)];
    for (name, value) in more {
        if let Some(value) = value {
            table.insert(name, string(value));
        }
    }
    if let (true, Some(domain)) = (translated, &schema.domain) {
        table.insert(".gettext-domain", string(domain));
    }
    table
}
