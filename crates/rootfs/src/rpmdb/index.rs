//! What the index tables hold: which tag each is filled from, and which values rpm leaves out or
//! adds.

use super::{
    blob::{INSTALLTID, Installed, SIGMD5},
    rich,
};
use std::borrow::Cow;
use strata_rpm::Tag;

/// Type of a table's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyType {
    Text,
    Blob,
}

/// An index table.
pub(super) struct Table {
    pub name: &'static str,
    pub tag: Tag,
    pub key_type: KeyType,
    /// Whether a package may have several rows: then the package number is indexed too.
    pub array: bool,
}

const fn array(name: &'static str, tag: Tag) -> Table {
    Table { name, tag, key_type: KeyType::Text, array: true }
}

const fn single(name: &'static str, tag: Tag, key_type: KeyType) -> Table {
    Table { name, tag, key_type, array: false }
}

/// All index tables, in the order in which rpm makes them.
pub(super) const TABLES: [Table; 18] = [
    single("Name", Tag::NAME, KeyType::Text),
    array("Basenames", Tag::BASENAMES),
    single("Group", Tag::GROUP, KeyType::Text),
    array("Requirename", Tag::REQUIRENAME),
    array("Providename", Tag::PROVIDENAME),
    array("Conflictname", Tag::CONFLICTNAME),
    array("Obsoletename", Tag::OBSOLETENAME),
    array("Triggername", Tag::TRIGGERNAME),
    array("Dirnames", Tag::DIRNAMES),
    single("Installtid", INSTALLTID, KeyType::Blob),
    single("Sigmd5", SIGMD5, KeyType::Blob),
    single("Sha1header", Tag::SHA1HEADER, KeyType::Text),
    array("Filetriggername", Tag::FILETRIGGERNAME),
    array("Transfiletriggername", Tag::TRANSFILETRIGGERNAME),
    array("Recommendname", Tag::RECOMMENDNAME),
    array("Suggestname", Tag::SUGGESTNAME),
    array("Supplementname", Tag::SUPPLEMENTNAME),
    array("Enhancename", Tag::ENHANCENAME),
];

/// Key and position of one row.
pub(super) type Row<'a> = (Cow<'a, [u8]>, u32);

impl Table {
    /// The rows of one package. `big_endian` is the byte order of the machine that the database is
    /// for: binary keys are numbers as that machine holds them.
    pub fn rows<'p>(&self, package: &'p Installed<'_>, big_endian: bool) -> Vec<Row<'p>> {
        match self.tag {
            tag if self.key_type == KeyType::Blob => {
                let value = package.added.get(&tag.0).map(|added| added.data.clone());
                let swap = tag == INSTALLTID && !big_endian;
                let host = |mut key: Vec<u8>| {
                    if swap {
                        key.reverse();
                    }
                    (Cow::Owned(key), 0)
                };
                value.map(host).into_iter().collect()
            }
            Tag::GROUP => {
                // rpm takes the reader's language; the first is the untranslated one.
                let group = package.header.string(Tag::GROUP).unwrap_or(b"Unknown");
                vec![(Cow::Borrowed(group), 0)]
            }
            tag => self.text_rows(package.strings(tag), package),
        }
    }

    fn text_rows<'p>(&self, keys: Vec<&'p [u8]>, package: &'p Installed<'_>) -> Vec<Row<'p>> {
        let numbers = |tag: Tag| package.header.u32_array(tag).unwrap_or_default();
        let positions = match self.tag {
            Tag::FILETRIGGERNAME => Some(numbers(Tag::FILETRIGGERINDEX)),
            Tag::TRANSFILETRIGGERNAME => Some(numbers(Tag::TRANSFILETRIGGERINDEX)),
            _ => None,
        };
        let flags = match self.tag {
            Tag::REQUIRENAME => numbers(Tag::REQUIREFLAGS),
            _ => Vec::new(),
        };
        let mut seen = std::collections::BTreeSet::new();
        let mut rows = Vec::new();
        for (i, (key, count)) in keys.into_iter().zip(0u32..).enumerate() {
            if flags.get(i).is_some_and(|flags| is_transient(*flags))
                || self.tag == Tag::TRIGGERNAME && !seen.insert(key)
            {
                continue;
            }
            let position = match &positions {
                Some(positions) => positions.get(i).copied().unwrap_or(0),
                None => count,
            };
            rows.push((Cow::Borrowed(key), position));
            if key.first() == Some(&b'(') && self.has_rich_dependencies() {
                let parts = rich::index_keys(key).into_iter();
                rows.extend(parts.map(|part| (Cow::Owned(part), position)));
            }
        }
        rows
    }

    fn has_rich_dependencies(&self) -> bool {
        matches!(
            self.tag,
            Tag::REQUIRENAME
                | Tag::CONFLICTNAME
                | Tag::SUGGESTNAME
                | Tag::SUPPLEMENTNAME
                | Tag::RECOMMENDNAME
                | Tag::ENHANCENAME
        )
    }
}

/// Whether a requirement is needed during installation only.
fn is_transient(flags: u32) -> bool {
    const POSTTRANS: u32 = 1 << 5;
    const PRETRANS: u32 = 1 << 7;
    const SCRIPT_PRE: u32 = 1 << 9;
    const SCRIPT_POST: u32 = 1 << 10;
    const SCRIPT_PREUN: u32 = 1 << 11;
    const SCRIPT_POSTUN: u32 = 1 << 12;
    const RPMLIB: u32 = 1 << 24;
    const KEYRING: u32 = 1 << 26;
    const META: u32 = 1 << 29;
    let install = POSTTRANS | PRETRANS | SCRIPT_PRE | SCRIPT_POST | RPMLIB | KEYRING;
    let erase = SCRIPT_PREUN | SCRIPT_POSTUN;
    flags & install != 0 && flags & (erase | META) == 0
}
