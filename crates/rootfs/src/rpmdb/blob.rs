//! A package's header as the database stores it: the original region, then the added tags.
//!
//! Layout: number of index entries, length of the data, original index, index of the added tags in
//! ascending order, original data, data of the added tags; no magic. Offsets of added tags count
//! from the start of the original data.

use super::{DbPackage, RpmdbError};
use std::collections::BTreeMap;
use strata_rpm::{Header, Tag};

const INT32: u32 = 4;
const INT64: u32 = 5;
const STRING: u32 = 6;
const BIN: u32 = 7;
const CHAR: u32 = 1;
const STRING_ARRAY: u32 = 8;

/// Largest index and data that rpm accepts when it reads a header.
const MOST_ENTRIES: usize = 0xffff;
const MOST_DATA: usize = 0x0fff_ffff;

const FILESIGNATURES: Tag = Tag(274);
const FILESIGNATURELENGTH: Tag = Tag(275);
const VERITYSIGNATURES: Tag = Tag(276);
const VERITYSIGNATUREALGO: Tag = Tag(277);
const PREFIXES: Tag = Tag(1098);
const INSTPREFIXES: Tag = Tag(1099);
const INSTALLTIME: Tag = Tag(1008);
const INSTALLCOLOR: Tag = Tag(1127);

/// `INSTALLTID`
pub(super) const INSTALLTID: Tag = Tag(1128);
/// `SIGMD5`
pub(super) const SIGMD5: Tag = Tag(261);

/// How a tag of the signature header is taken over.
struct Merged {
    from: Tag,
    to: Tag,
    kind: u32,
    /// 0: any number.
    count: usize,
    /// May stand in the main header instead.
    either: bool,
}

const fn merged(from: u32, to: u32, kind: u32, count: usize) -> Merged {
    Merged { from: Tag(from), to: Tag(to), kind, count, either: false }
}

const fn either(from: u32, to: Tag, kind: u32, count: usize) -> Merged {
    Merged { from: Tag(from), to, kind, count, either: true }
}

/// What rpm merges. The last two came with rpm 6; older releases neither write nor merge them.
const MERGED: [Merged; 17] = [
    merged(1000, 257, INT32, 1),
    merged(1002, 259, BIN, 0),
    merged(1004, SIGMD5.0, BIN, 16),
    merged(1005, 262, BIN, 0),
    either(1007, Tag::ARCHIVESIZE, INT32, 1),
    either(274, FILESIGNATURES, STRING_ARRAY, 0),
    either(275, FILESIGNATURELENGTH, INT32, 1),
    merged(276, VERITYSIGNATURES.0, STRING_ARRAY, 0),
    merged(277, VERITYSIGNATUREALGO.0, INT32, 1),
    merged(269, Tag::SHA1HEADER.0, STRING, 1),
    merged(273, Tag::SHA256HEADER.0, STRING, 1),
    merged(267, Tag::DSAHEADER.0, BIN, 0),
    merged(268, Tag::RSAHEADER.0, BIN, 0),
    merged(270, Tag::LONGSIGSIZE.0, INT64, 1),
    merged(271, Tag::LONGARCHIVESIZE.0, INT64, 1),
    merged(279, Tag::SHA3_256HEADER.0, STRING, 1),
    merged(278, Tag::OPENPGP.0, STRING_ARRAY, 0),
];

/// One added tag, its data as they are stored.
pub(super) struct Added {
    kind: u32,
    count: usize,
    pub data: Vec<u8>,
}

impl Added {
    fn int32(values: &[u32]) -> Self {
        let data = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        Self { kind: INT32, count: values.len(), data }
    }

    fn strings<'a>(kind: u32, values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut added = Self { kind, count: 0, data: Vec::new() };
        for value in values {
            added.data.extend_from_slice(value);
            added.data.push(0);
            added.count += 1;
        }
        added
    }

    /// The strings of a string tag.
    pub fn texts(&self) -> Vec<&[u8]> {
        let ended = self.data.strip_suffix(&[0]).unwrap_or(&self.data);
        ended.split(|b| *b == 0).collect()
    }

    fn alignment(&self) -> usize {
        match self.kind {
            INT32 => 4,
            INT64 => 8,
            _ => 1,
        }
    }
}

/// A package with what its installation adds.
pub(super) struct Installed<'a> {
    pub header: &'a Header,
    pub added: BTreeMap<u32, Added>,
    pub blob: Vec<u8>,
}

impl<'a> Installed<'a> {
    pub fn new(package: &DbPackage<'a>) -> Result<Self, RpmdbError> {
        let header = package.header;
        let mut added = merge_signature(header, package.signature)?;
        let mut add = |tag: Tag, value: Added| added.insert(tag.0, value);
        retrofit(header, &mut add);
        let files = match header.strings(Tag::BASENAMES) {
            Some(names) => names.count(),
            None => header.strings(Tag::OLDFILENAMES).map_or(0, Iterator::count),
        };
        if files != package.states.len() {
            return Err(RpmdbError::States {
                package: header.display_name(),
                files,
                states: package.states.len(),
            });
        }
        if files > 0 {
            let states = Added { kind: CHAR, count: files, data: package.states.clone() };
            add(Tag::FILESTATES, states);
            if let Some(prefixes) = header.strings(PREFIXES).filter(|_| !header.has(INSTPREFIXES)) {
                add(INSTPREFIXES, Added::strings(STRING_ARRAY, prefixes));
            }
        }
        add(INSTALLTIME, Added::int32(&[package.install_time]));
        add(INSTALLCOLOR, Added::int32(&[package.install_color]));
        add(INSTALLTID, Added::int32(&[package.install_tid]));
        let blob = export(header, &added)?;
        Ok(Self { header, added, blob })
    }

    /// The strings of a tag, added or original.
    pub fn strings(&self, tag: Tag) -> Vec<&[u8]> {
        match self.added.get(&tag.0) {
            Some(added) => added.texts(),
            None => self.header.strings(tag).into_iter().flatten().collect(),
        }
    }
}

fn merge_signature(
    header: &Header,
    signature: &Header,
) -> Result<BTreeMap<u32, Added>, RpmdbError> {
    let mut added = BTreeMap::new();
    for rule in &MERGED {
        let wrong = || RpmdbError::SignatureTag { package: header.display_name(), tag: rule.to };
        let signed = signature.has(rule.from);
        if header.has(rule.to) && (signed || !rule.either) {
            return Err(wrong());
        }
        if signed {
            let value = take(signature, rule).ok_or_else(wrong)?;
            if rule.count != 0 && rule.count != value.count {
                return Err(wrong());
            }
            added.insert(rule.to.0, value);
        }
    }
    Ok(added)
}

/// The value of a signature tag, when it is of the type that rpm expects.
fn take(signature: &Header, rule: &Merged) -> Option<Added> {
    let Merged { from, kind, .. } = *rule;
    match kind {
        BIN => {
            let data = signature.bin(from)?.to_vec();
            Some(Added { kind, count: data.len(), data })
        }
        STRING | STRING_ARRAY => Some(Added::strings(kind, signature.strings(from)?)),
        INT64 => {
            let values: Vec<u64> = signature.ints(from)?.collect();
            let data = values.iter().flat_map(|value| value.to_be_bytes()).collect();
            Some(Added { kind, count: values.len(), data })
        }
        _ => signature.u32_array(from).map(|values| Added::int32(&values)),
    }
}

/// What rpm completes in the headers of old packages.
fn retrofit(header: &Header, add: &mut impl FnMut(Tag, Added) -> Option<Added>) {
    if !header.has(Tag::SOURCERPM) && !header.has(Tag::SOURCEPACKAGE) {
        add(Tag::SOURCERPM, Added::strings(STRING, [b"(none)".as_slice()]));
    }
    let old = header.strings(Tag::OLDFILENAMES).filter(|_| !header.has(Tag::DIRNAMES));
    let Some(paths) = old else {
        return;
    };
    let mut directories: Vec<&[u8]> = Vec::new();
    let mut indexes = Vec::new();
    let mut names = Vec::new();
    for path in paths {
        let slash = path.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
        let (directory, name) = path.split_at_checked(slash).unwrap_or_default();
        let index = directories.binary_search(&directory).unwrap_or_else(|_| {
            directories.push(directory);
            directories.len() - 1
        });
        indexes.push(u32::try_from(index).unwrap_or(u32::MAX));
        names.push(name);
    }
    add(Tag::DIRINDEXES, Added::int32(&indexes));
    add(Tag::BASENAMES, Added::strings(STRING_ARRAY, names));
    add(Tag::DIRNAMES, Added::strings(STRING_ARRAY, directories));
}

fn export(header: &Header, added: &BTreeMap<u32, Added>) -> Result<Vec<u8>, RpmdbError> {
    let too_large = || RpmdbError::TooLarge { package: header.display_name() };
    let entries = header.index_len();
    let (index, data) = header.region().split_at_checked(16 * entries).ok_or_else(too_large)?;
    let mut added_index = Vec::new();
    let mut data = data.to_vec();
    let word = |n: usize| u32::try_from(n).map(u32::to_be_bytes).map_err(|_| too_large());
    for (tag, value) in added {
        data.resize(data.len().next_multiple_of(value.alignment()), 0);
        added_index.extend(tag.to_be_bytes());
        added_index.extend(value.kind.to_be_bytes());
        added_index.extend(word(data.len())?);
        added_index.extend(word(value.count)?);
        data.extend_from_slice(&value.data);
    }
    let entries = entries + added.len();
    if entries > MOST_ENTRIES || data.len() > MOST_DATA {
        return Err(too_large());
    }
    let lengths = [word(entries)?, word(data.len())?].concat();
    Ok([&*lengths, index, &added_index, &data].concat())
}
