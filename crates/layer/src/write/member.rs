//! One member's entries, from wherever their contents are.

use super::{
    Contents, LayerError,
    pieces::{CopyError, Pieces},
    raw_length,
};
use crate::{ContentId, Entry, Member};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    io::{self, BufReader, Read, Write as _},
    rc::Rc,
};
use strata_oci::{Digest, unpack};
use strata_rpm::Checksum;

/// A member without a package.
pub(super) fn write_inline(
    pieces: &mut Pieces<'_>,
    member: &Member,
    contents: &dyn Contents,
) -> Result<(), LayerError> {
    for entry in &member.entries {
        pieces.header(entry).map_err(LayerError::Write)?;
        match entry.content() {
            None => {}
            Some(ContentId::Package { .. }) => return Err(foreign(entry)),
            Some(ContentId::Inline(digest)) => {
                let bytes = contents.inline(digest).ok_or_else(|| LayerError::Inline {
                    path: entry.path.to_string(),
                    digest: *digest,
                })?;
                if bytes.len() as u64 != entry.size() {
                    return Err(length(entry, bytes.len() as u64));
                }
                pieces.write_all(&bytes).map_err(LayerError::Write)?;
                pieces.pad(entry.size()).map_err(LayerError::Write)?;
            }
        }
    }
    pieces.close().map_err(LayerError::Write)
}

/// A member whose contents come from its package, in the order of the payload.
pub(super) fn write_package(
    pieces: &mut Pieces<'_>,
    member: &Member,
    package: &Checksum,
    contents: &dyn Contents,
) -> Result<(), LayerError> {
    let mut feed = Feed::new(pieces, &member.entries, package)?;
    feed.advance()?;
    if !feed.wanted.is_empty() {
        let mut failed = None;
        let read = contents.read_package(package, &mut |file, size, reader| {
            feed.arrive(file, size, reader).map_err(|error| match error {
                // The reader's own error is its owner's to explain.
                ArriveError::Read(error) => error,
                ArriveError::Layer(error) => {
                    failed = Some(error);
                    io::Error::other("the layer cannot be written")
                }
            })
        });
        if let Some(error) = failed {
            return Err(error);
        }
        read.map_err(|source| LayerError::Package { package: package.clone(), source })?;
    }
    if let Some(entry) = feed.entries.get(feed.next) {
        return Err(LayerError::Missing { package: package.clone(), path: entry.path.to_string() });
    }
    pieces.close().map_err(LayerError::Write)
}

/// Entries that wait for contents, and contents that wait for their turn.
struct Feed<'a, 'b> {
    pieces: &'a mut Pieces<'b>,
    entries: &'a [Entry],
    /// The first entry that is not written.
    next: usize,
    /// File index → positions of the entries, nearly always one; what has come is taken out.
    wanted: BTreeMap<u32, Vec<usize>>,
    /// Contents that came before their turn. At most the package's own size.
    held: BTreeMap<usize, Rc<[u8]>>,
}

enum ArriveError {
    Read(io::Error),
    Layer(LayerError),
}

impl<'a, 'b> Feed<'a, 'b> {
    fn new(
        pieces: &'a mut Pieces<'b>,
        entries: &'a [Entry],
        package: &Checksum,
    ) -> Result<Self, LayerError> {
        let mut wanted: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (at, entry) in entries.iter().enumerate() {
            match entry.content() {
                None => {}
                Some(ContentId::Package { checksum, file }) if checksum == package => {
                    wanted.entry(*file).or_default().push(at);
                }
                Some(_) => return Err(foreign(entry)),
            }
        }
        Ok(Self { pieces, entries, next: 0, wanted, held: BTreeMap::new() })
    }

    /// Writes entries up to the first whose content has not come.
    fn advance(&mut self) -> Result<(), LayerError> {
        while let Some(entry) = self.entries.get(self.next) {
            if entry.content().is_some() {
                let Some(bytes) = self.held.remove(&self.next) else { return Ok(()) };
                self.pieces.header(entry).map_err(LayerError::Write)?;
                self.pieces.write_all(&bytes).map_err(LayerError::Write)?;
                self.pieces.pad(entry.size()).map_err(LayerError::Write)?;
            } else {
                self.pieces.header(entry).map_err(LayerError::Write)?;
            }
            self.next += 1;
        }
        Ok(())
    }

    fn arrive(&mut self, file: u32, size: u64, reader: &mut dyn Read) -> Result<(), ArriveError> {
        let Some(places) = self.wanted.remove(&file) else { return Ok(()) };
        for entry in places.iter().filter_map(|at| self.entries.get(*at)) {
            if size != entry.size() {
                return Err(ArriveError::Layer(length(entry, size)));
            }
        }
        let first = places.first().and_then(|at| self.entries.get(*at));
        let Some(entry) = first else { return Ok(()) };
        if places == [self.next] {
            self.pieces.header(entry).map_err(write_error)?;
            match self.pieces.copy(reader, size) {
                Ok(Ok(())) => {}
                Ok(Err(found)) => return Err(ArriveError::Layer(length(entry, found))),
                Err(CopyError::Read(error)) => return Err(ArriveError::Read(error)),
                Err(CopyError::Write(error)) => return Err(write_error(error)),
            }
            self.pieces.pad(size).map_err(write_error)?;
            self.next += 1;
        } else {
            let mut bytes = Vec::new();
            reader.take(size).read_to_end(&mut bytes).map_err(ArriveError::Read)?;
            if bytes.len() as u64 != size {
                return Err(ArriveError::Layer(length(entry, bytes.len() as u64)));
            }
            let bytes: Rc<[u8]> = bytes.into();
            self.held.extend(places.into_iter().map(|at| (at, Rc::clone(&bytes))));
        }
        self.advance().map_err(ArriveError::Layer)
    }
}

/// A member that was packed before: its bytes as they are, and what they unpack to past the hash.
pub(super) fn write_cached(
    pieces: &mut Pieces<'_>,
    member: &Member,
    key: Digest,
    packed: Box<dyn Read + Send>,
) -> Result<(), LayerError> {
    let damaged = |reason: String| LayerError::Cache { key, reason };
    let passed = Rc::new(RefCell::new(Vec::new()));
    let tee = BufReader::with_capacity(1 << 17, Tee { inner: packed, passed: Rc::clone(&passed) });
    let packing = pieces.packing();
    let mut reader =
        unpack::decompress(packing, tee).map_err(|error| damaged(error.to_string()))?;
    let expected = raw_length(&member.entries);
    let mut buffer = vec![0; 1 << 17];
    let mut found = 0_u64;
    loop {
        let taken = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(taken) => taken,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(damaged(error.to_string())),
        };
        found += taken as u64;
        if found > expected {
            break;
        }
        pieces.hash_raw(&buffer[..taken]);
        let bytes = std::mem::take(&mut *passed.borrow_mut());
        if !bytes.is_empty() {
            pieces.packed(bytes).map_err(LayerError::Write)?;
        }
    }
    if found != expected {
        return Err(damaged(format!("{found} bytes instead of {expected}")));
    }
    drop(reader);
    let rest = passed.take();
    pieces.packed(rest).map_err(LayerError::Write)
}

/// Keeps what is read for the one who passes it on.
struct Tee<R> {
    inner: R,
    passed: Rc<RefCell<Vec<u8>>>,
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let taken = self.inner.read(out)?;
        self.passed.borrow_mut().extend_from_slice(out.get(..taken).unwrap_or_default());
        Ok(taken)
    }
}

fn write_error(error: io::Error) -> ArriveError {
    ArriveError::Layer(LayerError::Write(error))
}

fn foreign(entry: &Entry) -> LayerError {
    LayerError::Foreign(entry.path.to_string())
}

fn length(entry: &Entry, found: u64) -> LayerError {
    LayerError::Length { path: entry.path.to_string(), expected: entry.size(), found }
}
