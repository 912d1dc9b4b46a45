//! The parsed form of a repository in the cache: a table of texts, a table of dependencies, and
//! packages in pieces that are read in parallel.
//!
//! It is a cache, not a format: a change of anything here bumps the last byte of [`MAGIC`], and
//! older files are not found, because their name holds the version too.

use crate::{
    bytes::{Cursor, Writer},
    primary::Packages,
};
use rayon::prelude::*;
use std::{collections::HashMap, hash::Hash};
use strata_rpm::{
    Capability, Checksum, ChecksumAlgorithm, Comparison, Dependency, Evr, Nevra, PackageRecord,
    Requirement,
};

/// Names the format and its version.
const MAGIC: &[u8; 8] = b"strpkgs\x02";

/// The version, for file names.
pub(crate) const VERSION: u8 = MAGIC[7];

/// Packages in one piece.
const PIECE: usize = 512;

const COMPARISONS: [Comparison; 5] = [
    Comparison::Less,
    Comparison::LessOrEqual,
    Comparison::Equal,
    Comparison::GreaterOrEqual,
    Comparison::Greater,
];
const PLAIN: u64 = 0;
const RICH: u64 = 6;

const ALGORITHMS: [ChecksumAlgorithm; 6] = [
    ChecksumAlgorithm::Md5,
    ChecksumAlgorithm::Sha1,
    ChecksumAlgorithm::Sha224,
    ChecksumAlgorithm::Sha256,
    ChecksumAlgorithm::Sha384,
    ChecksumAlgorithm::Sha512,
];

/// Numbers values in the order in which they are first seen, so that equal input gives equal bytes.
struct Interner<T> {
    numbers: HashMap<T, u64>,
}

impl<T: Hash + Eq + Copy> Interner<T> {
    /// The number of `value`, and whether it is new.
    fn number(&mut self, value: T) -> (u64, bool) {
        let next = self.numbers.len() as u64;
        let number = *self.numbers.entry(value).or_insert(next);
        (number, number == next && self.numbers.len() as u64 == next + 1)
    }
}

struct Encoder<'a> {
    texts: Interner<&'a str>,
    text_table: Writer,
    dependencies: Interner<&'a Dependency>,
    dependency_table: Writer,
}

/// The bytes of the parsed form.
pub(crate) fn encode(packages: &Packages) -> Vec<u8> {
    let mut encoder = Encoder {
        texts: Interner { numbers: HashMap::new() },
        text_table: Writer::default(),
        dependencies: Interner { numbers: HashMap::new() },
        dependency_table: Writer::default(),
    };
    let pieces: Vec<Vec<u8>> = packages
        .records
        .chunks(PIECE)
        .map(|piece| {
            let mut out = Writer::default();
            out.number(piece.len() as u64);
            for record in piece {
                encoder.record(&mut out, record);
            }
            out.into_bytes()
        })
        .collect();
    let mut out = Writer::container(MAGIC);
    out.number(encoder.texts.numbers.len() as u64);
    out.raw(&encoder.text_table.into_bytes());
    out.number(encoder.dependencies.numbers.len() as u64);
    out.raw(&encoder.dependency_table.into_bytes());
    out.number(pieces.len() as u64);
    for piece in pieces {
        out.number(piece.len() as u64);
        out.raw(&piece);
    }
    out.number(packages.skipped.len() as u64);
    for (package, reason) in &packages.skipped {
        out.text(package);
        out.text(reason);
    }
    out.seal()
}

impl<'a> Encoder<'a> {
    fn text(&mut self, text: &'a str) -> u64 {
        let (number, new) = self.texts.number(text);
        if new {
            self.text_table.text(text);
        }
        number
    }

    fn evr(&mut self, evr: &'a Evr) -> [u64; 3] {
        [evr.epoch.into(), self.text(&evr.version), self.text(&evr.release)]
    }

    fn dependency(&mut self, dependency: &'a Dependency) -> u64 {
        let (number, new) = self.dependencies.number(dependency);
        if !new {
            return number;
        }
        match dependency {
            Dependency::Simple(Capability { name, version: None }) => {
                let name = self.text(name);
                self.dependency_table.number(PLAIN);
                self.dependency_table.number(name);
            }
            Dependency::Simple(Capability { name, version: Some((comparison, evr)) }) => {
                let name = self.text(name);
                let evr = self.evr(evr);
                let position = COMPARISONS.iter().position(|one| one == comparison);
                self.dependency_table.number(position.unwrap_or_default() as u64 + 1);
                self.dependency_table.number(name);
                evr.iter().for_each(|part| self.dependency_table.number(*part));
            }
            Dependency::Rich(_) => {
                self.dependency_table.number(RICH);
                self.dependency_table.text(&dependency.to_string());
            }
        }
        number
    }

    fn record(&mut self, out: &mut Writer, record: &'a PackageRecord) {
        out.number(self.text(&record.nevra.name));
        self.evr(&record.nevra.evr).iter().for_each(|part| out.number(*part));
        out.number(self.text(&record.nevra.arch));
        let algorithm = record.checksum.algorithm();
        let position = ALGORITHMS.iter().position(|one| *one == algorithm);
        out.number(position.unwrap_or_default() as u64);
        // always hexadecimal by construction
        out.raw(&hex::decode(record.checksum.hex()).unwrap_or_default());
        out.text(&record.location);
        out.text(record.location_base.as_deref().unwrap_or_default());
        out.number(record.size);
        out.number(record.installed_size);
        out.number(record.build_time);
        out.number(self.text(&record.source_rpm));
        out.number(self.text(&record.vendor));
        out.number(record.requires.len() as u64);
        for requirement in &record.requires {
            let dependency = self.dependency(&requirement.dependency);
            out.number(dependency << 1 | u64::from(requirement.pre));
        }
        for list in lists(record) {
            out.number(list.len() as u64);
            for dependency in list {
                out.number(self.dependency(dependency));
            }
        }
        out.number(record.files.len() as u64);
        record.files.iter().for_each(|file| out.text(file));
    }
}

fn lists(record: &PackageRecord) -> [&Vec<Dependency>; 7] {
    [
        &record.provides,
        &record.conflicts,
        &record.obsoletes,
        &record.recommends,
        &record.suggests,
        &record.supplements,
        &record.enhances,
    ]
}

/// The packages, or `None` if the bytes are not an undamaged file of this version.
pub(crate) fn decode(bytes: &[u8]) -> Option<Packages> {
    let mut cursor = Cursor::container(bytes, MAGIC)?;
    let texts = collect(&mut cursor, Cursor::text)?;
    let dependencies = collect(&mut cursor, |cursor| dependency(cursor, &texts))?;
    let pieces = collect(&mut cursor, |cursor| {
        let length = cursor.count()?;
        cursor.raw(length)
    })?;
    let skipped = collect(&mut cursor, |cursor| {
        Some((cursor.text()?.to_owned(), cursor.text()?.to_owned()))
    })?;
    if cursor.remaining() > 0 {
        return None;
    }
    let tables = Tables { texts, dependencies };
    let pieces: Vec<Vec<PackageRecord>> = pieces
        .par_iter()
        .map(|piece| collect(&mut Cursor::new(piece), |cursor| tables.record(cursor)))
        .collect::<Option<_>>()?;
    let mut records = Vec::with_capacity(pieces.iter().map(Vec::len).sum());
    pieces.into_iter().for_each(|piece| records.extend(piece));
    Some(Packages { records, skipped })
}

fn collect<'a, T>(
    cursor: &mut Cursor<'a>,
    mut one: impl FnMut(&mut Cursor<'a>) -> Option<T>,
) -> Option<Vec<T>> {
    let count = cursor.count()?;
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        all.push(one(cursor)?);
    }
    Some(all)
}

fn text(cursor: &mut Cursor<'_>, texts: &[&str]) -> Option<String> {
    texts.get(usize::try_from(cursor.number()?).ok()?).map(|text| (*text).to_owned())
}

fn evr(cursor: &mut Cursor<'_>, texts: &[&str]) -> Option<Evr> {
    Some(Evr {
        epoch: cursor.number()?.try_into().ok()?,
        version: text(cursor, texts)?,
        release: text(cursor, texts)?,
    })
}

fn dependency(cursor: &mut Cursor<'_>, texts: &[&str]) -> Option<Dependency> {
    match cursor.number()? {
        PLAIN => {
            let name = text(cursor, texts)?;
            Some(Dependency::Simple(Capability { name, version: None }))
        }
        RICH => cursor.text()?.parse().ok(),
        comparison => {
            let position = usize::try_from(comparison).ok()?.checked_sub(1)?;
            let comparison = *COMPARISONS.get(position)?;
            let name = text(cursor, texts)?;
            let version = Some((comparison, evr(cursor, texts)?));
            Some(Dependency::Simple(Capability { name, version }))
        }
    }
}

struct Tables<'a> {
    texts: Vec<&'a str>,
    dependencies: Vec<Dependency>,
}

impl Tables<'_> {
    fn dependency(&self, number: u64) -> Option<Dependency> {
        self.dependencies.get(usize::try_from(number).ok()?).cloned()
    }

    fn record(&self, cursor: &mut Cursor<'_>) -> Option<PackageRecord> {
        let texts = &self.texts;
        let name = text(cursor, texts)?;
        let evr = evr(cursor, texts)?;
        let arch = text(cursor, texts)?;
        let algorithm = *ALGORITHMS.get(usize::try_from(cursor.number()?).ok()?)?;
        let digest = cursor.raw(algorithm.len())?;
        let checksum = Checksum::from_bytes(algorithm, digest).ok()?;
        let location = cursor.text()?.to_owned();
        let location_base = Some(cursor.text()?).filter(|base| !base.is_empty());
        let (size, installed_size) = (cursor.number()?, cursor.number()?);
        let build_time = cursor.number()?;
        let (source_rpm, vendor) = (text(cursor, texts)?, text(cursor, texts)?);
        let requires = collect(cursor, |cursor| {
            let number = cursor.number()?;
            let dependency = self.dependency(number >> 1)?;
            Some(Requirement { dependency, pre: number & 1 == 1 })
        })?;
        let mut list = || collect(cursor, |cursor| self.dependency(cursor.number()?));
        let (provides, conflicts, obsoletes) = (list()?, list()?, list()?);
        let (recommends, suggests) = (list()?, list()?);
        let (supplements, enhances) = (list()?, list()?);
        let files = collect(cursor, |cursor| cursor.text().map(str::to_owned))?;
        Some(PackageRecord {
            nevra: Nevra { name, evr, arch },
            checksum,
            location,
            location_base: location_base.map(str::to_owned),
            size,
            installed_size,
            build_time,
            source_rpm,
            vendor,
            provides,
            requires,
            conflicts,
            obsoletes,
            recommends,
            suggests,
            supplements,
            enhances,
            files,
        })
    }
}
