//! GVDB, the database in a file that GSettings reads: hash tables of names, with serialised
//! values, lists of children, or further tables.
//! <https://gitlab.gnome.org/GNOME/gvdb>

use super::table::{Table, hash};
use crate::scriptlets::ScriptletError;

/// What a name stands for.
#[derive(Debug, Clone)]
pub(in super::super) enum Item {
    /// A value, serialised as one of type `v`.
    Value(Vec<u8>),
    /// The names of what is below it, complete.
    List(Vec<String>),
    /// A table of its own.
    Table(Table<Entry>),
}

/// A name in a table.
#[derive(Debug, Clone)]
pub(in super::super) struct Entry {
    /// Whether the entry of the empty name lists it.
    pub listed: bool,
    pub item: Item,
}

/// Nobody's index.
const NONE: u32 = u32::MAX;
const HEADER: usize = 24;
const ENTRY: usize = 24;

/// The file of a table.
pub(in super::super) fn write(table: &Table<Entry>) -> Result<Vec<u8>, ScriptletError> {
    let mut file = b"GVariant".to_vec();
    file.resize(HEADER, 0);
    let (start, end) = add_table(&mut file, table)?;
    put(&mut file, 16, start);
    put(&mut file, 20, end);
    Ok(file)
}

fn put(file: &mut [u8], at: usize, number: u32) {
    file[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

fn place(at: usize) -> Result<u32, ScriptletError> {
    u32::try_from(at).map_err(|_| ScriptletError::Limit { what: "bytes" })
}

/// Puts bytes at the end, aligned; gives where they start and end.
fn add(file: &mut Vec<u8>, alignment: usize, bytes: &[u8]) -> Result<(u32, u32), ScriptletError> {
    file.resize(file.len().next_multiple_of(alignment), 0);
    let start = place(file.len())?;
    file.extend_from_slice(bytes);
    Ok((start, place(file.len())?))
}

fn add_table(file: &mut Vec<u8>, table: &Table<Entry>) -> Result<(u32, u32), ScriptletError> {
    let mut buckets = vec![Vec::new(); table.len()];
    let count = place(table.len())?;
    for (name, entry) in table.iter() {
        buckets[(hash(name) % count) as usize].push((name, entry));
    }
    // the last that came into a bucket is its first
    for bucket in &mut buckets {
        bucket.reverse();
    }
    let mut indices = Table::default();
    for (index, (name, _)) in (0u32..).zip(buckets.iter().flatten()) {
        indices.insert(name, index);
    }
    let index_of = |name: &str| indices.get(name).copied().unwrap_or(NONE);

    // no bloom filter, which has a shift of 5 nevertheless
    let mut head = (5u32 << 27).to_le_bytes().to_vec();
    head.extend(count.to_le_bytes());
    let mut first = 0u32;
    for bucket in &buckets {
        head.extend(first.to_le_bytes());
        first += place(bucket.len())?;
    }
    let entries = head.len();
    head.resize(entries + table.len() * ENTRY, 0);
    let (start, end) = add(file, 4, &head)?;
    for (index, (name, entry)) in buckets.iter().flatten().enumerate() {
        let at = start as usize + entries + index * ENTRY;
        let (key, key_end) = add(file, 1, name.as_bytes())?;
        let size = u16::try_from(key_end - key)
            .map_err(|_| ScriptletError::Limit { what: "bytes in a name" })?;
        let (kind, (from, to)) = match &entry.item {
            Item::Value(bytes) => (b'v', add(file, 8, bytes)?),
            Item::Table(table) => (b'H', add_table(file, table)?),
            Item::List(names) if names.is_empty() => (0, (0, 0)),
            Item::List(names) => {
                let mut names: Vec<&String> = names.iter().collect();
                names.sort_unstable();
                let list: Vec<u8> =
                    names.iter().flat_map(|name| index_of(name).to_le_bytes()).collect();
                (b'L', add(file, 4, &list)?)
            }
        };
        put(file, at, hash(name));
        put(file, at + 4, if entry.listed { index_of("") } else { NONE });
        put(file, at + 8, key);
        file[at + 12..at + 14].copy_from_slice(&size.to_le_bytes());
        file[at + 14] = kind;
        put(file, at + 16, from);
        put(file, at + 20, to);
    }
    Ok((start, end))
}
