//! `mime.cache`: all the tables in one file, to be mapped into memory.
//! <https://specifications.freedesktop.org/shared-mime-info-spec/latest/>

use super::super::glib::table::Table;
use super::load::{Database, Glob};
use super::magic::Match;
use crate::scriptlets::ScriptletError;
use std::collections::BTreeMap;
use std::rc::Rc;

const HEADER: usize = 44;

/// What a pattern consists of.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Shape {
    Literal,
    /// A `*` and a tail without signs.
    Suffix,
    Full,
}

fn shape(pattern: &str) -> Shape {
    let (star, rest) = match pattern.strip_prefix('*') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    match (rest.contains(['\\', '[', '?', '*']), star) {
        (true, _) => Shape::Full,
        (_, true) => Shape::Suffix,
        _ => Shape::Literal,
    }
}

struct File {
    bytes: Vec<u8>,
    strings: Table<u32>,
}

type Result<T> = std::result::Result<T, ScriptletError>;

fn number(value: usize) -> Result<u32> {
    u32::try_from(value).map_err(|_| ScriptletError::Limit { what: "bytes" })
}

impl File {
    fn put(&mut self, value: u32) {
        self.bytes.extend(value.to_be_bytes());
    }

    fn at(&self) -> Result<u32> {
        number(self.bytes.len())
    }

    /// Where a string is; 0 when it is none of those that were collected.
    fn string(&mut self, text: &str) {
        let place = self.strings.get(text).copied().unwrap_or(0);
        self.put(place);
    }

    /// A list of entries, sorted by their keys.
    fn map<'a, V: 'a>(
        &mut self,
        all: impl Iterator<Item = (&'a str, V)>,
        mut each: impl FnMut(&mut Self, &str, V) -> usize,
    ) -> Result<()> {
        let sorted: BTreeMap<&str, V> = all.collect();
        let head = self.bytes.len();
        self.put(0);
        let mut count = 0;
        for (key, value) in sorted {
            count += each(self, key, value);
        }
        self.bytes[head..head + 4].copy_from_slice(&number(count)?.to_be_bytes());
        Ok(())
    }

    fn pairs<'a>(&mut self, all: impl Iterator<Item = (&'a str, &'a str)>) -> Result<()> {
        self.map(all, |file, key, value| {
            file.string(key);
            file.string(value);
            1
        })
    }
}

/// The strings in the order in which they come into the file.
fn collect(database: &Database) -> Table<u32> {
    let mut strings = Table::default();
    let mut add = |text: &str| strings.insert(text, 0);
    for (alias, kind) in database.aliases.iter() {
        add(alias);
        add(kind);
    }
    for (kind, parents) in database.parents.iter() {
        add(kind);
        parents.iter().for_each(|parent| add(parent));
    }
    for (pattern, globs) in database.globs.iter() {
        if shape(pattern) != Shape::Suffix {
            add(pattern);
        }
        globs.iter().for_each(|glob| add(&glob.kind));
    }
    database.magic.iter().for_each(|rules| add(&rules.kind));
    for (name, kind) in database.namespaces.iter() {
        add(kind);
        if let Some((uri, local)) = name.split_once(' ') {
            add(uri);
            add(local);
        }
    }
    for (kind, icon) in database.generic_icons.iter().chain(database.icons.iter()) {
        add(kind);
        add(icon);
    }
    strings
}

/// The file.
pub(super) fn write(database: &Database) -> Result<Vec<u8>> {
    let mut file = File { bytes: vec![0; HEADER], strings: Table::default() };
    let collected = collect(database);
    let mut strings = collected.clone();
    for (text, _) in collected.iter() {
        strings.insert(text, file.at()?);
        file.bytes.extend(text.as_bytes());
        file.bytes.push(0);
        align(&mut file.bytes);
    }
    file.strings = strings;
    let mut header = vec![0x0001_0002];
    header.push(file.at()?);
    file.pairs(database.aliases.iter().map(|(alias, kind)| (alias, &**kind)))?;
    header.push(file.at()?);
    parents(&mut file, database)?;
    header.push(file.at()?);
    globs(&mut file, database, Shape::Literal)?;
    header.push(file.at()?);
    suffixes(&mut file, database)?;
    header.push(file.at()?);
    globs(&mut file, database, Shape::Full)?;
    header.push(file.at()?);
    magic(&mut file, database)?;
    header.push(file.at()?);
    file.map(database.namespaces.iter(), |file, name, kind: &Rc<str>| {
        let (uri, local) = name.split_once(' ').unwrap_or((name, ""));
        file.string(uri);
        file.string(local);
        file.string(kind);
        1
    })?;
    header.push(file.at()?);
    file.pairs(database.icons.iter().map(|(kind, icon)| (kind, icon.as_str())))?;
    header.push(file.at()?);
    file.pairs(database.generic_icons.iter().map(|(kind, icon)| (kind, icon.as_str())))?;
    header.push(file.at()?);
    // the program looks for the names with an end of line behind them, and finds none
    file.put(number(database.kinds.len())?);
    database.kinds.iter().for_each(|_| file.put(0));
    let header: Vec<u8> = header.into_iter().flat_map(u32::to_be_bytes).collect();
    file.bytes[..HEADER].copy_from_slice(&header);
    Ok(file.bytes)
}

fn align(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

fn parents(file: &mut File, database: &Database) -> Result<()> {
    let sorted: BTreeMap<&str, &Vec<String>> = database.parents.iter().collect();
    file.put(number(sorted.len())?);
    let mut list = file.bytes.len() + 8 * sorted.len();
    for (kind, parents) in &sorted {
        file.string(kind);
        file.put(number(list)?);
        list += 4 + 4 * parents.len();
    }
    for parents in sorted.values() {
        file.put(number(parents.len())?);
        parents.iter().for_each(|parent| file.string(parent));
    }
    Ok(())
}

/// The weight of a pattern, and whether its case counts.
fn weight(glob: &Glob) -> u32 {
    (glob.weight & 0xff).cast_unsigned() | if glob.case_sensitive { 0x100 } else { 0 }
}

fn globs(file: &mut File, database: &Database, wanted: Shape) -> Result<()> {
    let all = database.globs.iter().filter(|(pattern, _)| shape(pattern) == wanted);
    file.map(all, |file, pattern, globs: &Vec<Glob>| {
        for glob in globs {
            file.string(pattern);
            file.string(&glob.kind);
            file.put(weight(glob));
        }
        globs.len()
    })
}

/// A node of the tree of suffixes, from their ends.
#[derive(Default)]
struct Suffix<'a> {
    /// What ends here: the type, the weight, and the flags beside it.
    ends: Vec<(&'a str, i32, u32)>,
    children: BTreeMap<char, Suffix<'a>>,
}

impl Suffix<'_> {
    fn count(&self) -> usize {
        self.ends.len() + self.children.len()
    }
}

fn suffixes(file: &mut File, database: &Database) -> Result<()> {
    let mut root = Suffix::default();
    for (pattern, globs) in database.globs.iter() {
        if shape(pattern) != Shape::Suffix {
            continue;
        }
        if pattern == "*" {
            return Err(ScriptletError::unsupported("the pattern `*` for a MIME type"));
        }
        for glob in globs {
            let tail = pattern[1..].chars().rev();
            let node = tail.fold(&mut root, |node, c| node.children.entry(c).or_default());
            match node.ends.iter_mut().find(|(kind, ..)| *kind == &*glob.kind) {
                Some((_, weight, _)) => *weight = glob.weight.max(*weight),
                None => {
                    let flags = weight(glob) & 0x100;
                    node.ends.push((&glob.kind, glob.weight, flags));
                }
            }
        }
    }
    file.put(number(root.children.len())?);
    let first = file.at()? + 4;
    file.put(first);
    // level by level, each with the place of its children
    let mut below = first as usize + 12 * root.children.len();
    let mut level: Vec<&Suffix<'_>> = vec![&root];
    while !level.is_empty() {
        for node in &level {
            for (kind, weight, flags) in &node.ends {
                file.put(0);
                file.string(kind);
                file.put((weight & 0xff).cast_unsigned() | flags);
            }
            for (c, child) in &node.children {
                file.put(u32::from(*c));
                file.put(number(child.count())?);
                file.put(number(below)?);
                below += 12 * child.count();
            }
        }
        level = level.iter().flat_map(|node| node.children.values()).collect();
    }
    Ok(())
}

fn magic(file: &mut File, database: &Database) -> Result<()> {
    let mut all: Vec<&Match> = Vec::new();
    // where the rules of each list begin
    let mut lists = Vec::new();
    for rules in &database.magic {
        lists.push(all.len());
        Match::flatten(&rules.matches, &mut all);
    }
    let extent = |one: &&Match| {
        let data = i64::try_from(one.data.len()).unwrap_or(i64::MAX);
        one.start.saturating_add(i64::from(one.length)).saturating_add(data)
    };
    let most = all.iter().map(extent).max().unwrap_or(0).max(0);
    file.put(number(database.magic.len())?);
    file.put((most & 0xffff_ffff) as u32);
    let entries = file.at()? + 4;
    file.put(entries);
    let matches = entries as usize + 16 * database.magic.len();
    for (rules, first) in database.magic.iter().zip(lists) {
        file.put(rules.priority.cast_unsigned());
        file.string(&rules.kind);
        file.put(number(rules.matches.len())?);
        file.put(number(matches + 32 * first)?);
    }
    let mut data = matches + 32 * all.len();
    let places: BTreeMap<*const Match, usize> =
        all.iter().enumerate().map(|(at, one)| (std::ptr::from_ref(*one), at)).collect();
    for one in &all {
        file.put((one.start & 0xffff_ffff) as u32);
        file.put(one.length.cast_unsigned());
        file.put(one.word);
        file.put(number(one.data.len())?);
        let padded = one.data.len().next_multiple_of(4);
        file.put(number(data)?);
        data = (data + one.data.len()).next_multiple_of(4);
        match &one.mask {
            Some(_) => {
                file.put(number(data)?);
                data += padded;
            }
            None => file.put(0),
        }
        let inner = one.matches.first().and_then(|first| places.get(&std::ptr::from_ref(first)));
        match inner {
            Some(first) => {
                file.put(number(one.matches.len())?);
                file.put(number(matches + 32 * first)?);
            }
            None => (0..2).for_each(|_| file.put(0)),
        }
    }
    for one in &all {
        file.bytes.extend(&one.data);
        align(&mut file.bytes);
        if let Some(mask) = &one.mask {
            file.bytes.extend(mask);
            align(&mut file.bytes);
        }
    }
    Ok(())
}
