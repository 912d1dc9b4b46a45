//! `Index.db`: a container of one index a tag, each in pages of its own.

use super::{PAGE, SLOT, index::Index, number, words};
use crate::rpmdb::{
    RpmdbError,
    blob::Installed,
    index::{TABLES, Table},
    tables::is_big_endian,
};

/// Magic, version, generation, pages of slots, size of a page, generation of `Packages.db`.
const HEADER: usize = 32;

pub(super) fn write(packages: &[&Installed<'_>], generation: u32) -> Result<Vec<u8>, RpmdbError> {
    let big_endian = packages.iter().any(|package| is_big_endian(package));
    let mut slots = Vec::with_capacity(PAGE);
    slots.extend(b"RpmX");
    words(&mut slots, [0, generation, 1, number(PAGE)?, generation]);
    slots.resize(HEADER, 0);
    let mut blobs = Vec::new();
    for table in &TABLES {
        let blob = index(table, packages, big_endian)?.bytes()?;
        let first = number(1 + blobs.len() / PAGE)?;
        slots.extend(b"Slo\0");
        words(&mut slots, [table.tag.0, first, number(blob.len() / PAGE)?]);
        blobs.extend(blob);
    }
    while slots.len() < PAGE {
        slots.extend(b"Slo\0");
        slots.resize(slots.len() + SLOT - 4, 0);
    }
    slots.append(&mut blobs);
    Ok(slots)
}

fn index(
    table: &Table,
    packages: &[&Installed<'_>],
    big_endian: bool,
) -> Result<Index, RpmdbError> {
    let rows = || {
        let packages = packages.iter().zip(1u32..);
        packages.flat_map(|(package, at)| {
            let rows = table.rows(package, big_endian).into_iter();
            rows.map(move |(key, position)| (key, at, position))
        })
    };
    let mut index = Index::for_rows(rows().count());
    for (key, package, position) in rows() {
        index.put(&key, package, position)?;
    }
    Ok(index)
}
