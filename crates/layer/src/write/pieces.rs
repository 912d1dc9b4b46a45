//! The tar cut into pieces, packed side by side, written in order.

use crate::{Compression, Entry, compress::PIECE, tar};
use sha2::{Digest as _, Sha256};
use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};
use strata_oci::{DiffId, Digest, HashingWriter, media::Packing};

/// Pieces under way for each worker: enough that none runs dry while the producer writes.
const PIECES_PER_WORKER: usize = 3;

/// The producer's side: takes tar bytes, gives a finished layer.
pub(super) struct Pieces<'a> {
    compression: Compression,
    out: HashingWriter<&'a mut (dyn Write + Send)>,
    diff: Sha256,
    raw_size: u64,
    /// The piece being filled; always `PIECE` long, of which `filled` count.
    raw: Box<[u8]>,
    filled: usize,
    spare: Vec<Box<[u8]>>,
    pending: VecDeque<Item>,
    /// Pieces among them.
    under_way: usize,
    most_under_way: usize,
    marks: Vec<(Digest, u64)>,
    header: Vec<u8>,
}

/// What a finished layer is.
pub(super) struct Written {
    pub(super) digest: Digest,
    pub(super) diff_id: DiffId,
    pub(super) size: u64,
    pub(super) raw_size: u64,
    /// Each mark with its place among the packed bytes.
    pub(super) marks: Vec<(Digest, u64)>,
}

enum Item {
    Piece(Arc<Piece>),
    Packed(Vec<u8>),
    Mark(Digest),
}

/// One piece, shared between the producer and the worker that may pack it.
struct Piece {
    compression: Compression,
    state: Mutex<State>,
    changed: Condvar,
}

enum State {
    Raw(Box<[u8]>, usize),
    /// Somebody packs it.
    Busy,
    Done(Box<[u8]>, io::Result<Vec<u8>>),
}

impl Piece {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Packs it unless somebody else does or did.
    fn pack(&self) {
        let mut state = self.lock();
        if let State::Raw(..) = *state
            && let State::Raw(raw, filled) = std::mem::replace(&mut *state, State::Busy)
        {
            drop(state);
            let packed = self.compression.pack(&raw[..filled]);
            *self.lock() = State::Done(raw, packed);
            self.changed.notify_one();
        }
    }

    fn is_done(&self) -> bool {
        matches!(*self.lock(), State::Done(..))
    }

    fn is_raw(&self) -> bool {
        matches!(*self.lock(), State::Raw(..))
    }

    /// Waits for whoever packs it.
    fn take(&self) -> (Box<[u8]>, io::Result<Vec<u8>>) {
        let mut state = self.lock();
        loop {
            match std::mem::replace(&mut *state, State::Busy) {
                State::Done(raw, packed) => return (raw, packed),
                other => *state = other,
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<'a> Pieces<'a> {
    pub(super) fn new(compression: Compression, out: &'a mut (dyn Write + Send)) -> Self {
        Self {
            compression,
            out: HashingWriter::new(out),
            diff: Sha256::new(),
            raw_size: 0,
            raw: vec![0; PIECE].into(),
            filled: 0,
            spare: Vec::new(),
            pending: VecDeque::new(),
            under_way: 0,
            most_under_way: PIECES_PER_WORKER * rayon::current_num_threads() + 1,
            marks: Vec::new(),
            header: Vec::new(),
        }
    }

    /// How to unpack what was packed before.
    pub(super) fn packing(&self) -> Packing {
        self.compression.packing()
    }

    /// An entry's header.
    pub(super) fn header(&mut self, entry: &Entry) -> io::Result<()> {
        let mut header = std::mem::take(&mut self.header);
        header.clear();
        tar::append_header(entry, &mut header);
        let result = self.write_all(&header);
        self.header = header;
        result
    }

    /// The zeros after a content of this length.
    pub(super) fn pad(&mut self, size: u64) -> io::Result<()> {
        self.write_all(&[0; tar::BLOCK][..tar::padding(size)])
    }

    /// Exactly `size` bytes of a reader, straight into the pieces. The inner result says how many
    /// came when the reader ended early; its own errors come back as the outer kind.
    pub(super) fn copy(
        &mut self,
        reader: &mut dyn Read,
        size: u64,
    ) -> Result<Result<(), u64>, CopyError> {
        let mut left = size;
        while left > 0 {
            if self.filled == PIECE {
                self.close().map_err(CopyError::Write)?;
            }
            let room = (PIECE - self.filled).min(usize::try_from(left).unwrap_or(PIECE));
            let place = &mut self.raw[self.filled..self.filled + room];
            match reader.read(place) {
                Ok(0) => return Ok(Err(size - left)),
                Ok(taken) => {
                    let taken = taken.min(room);
                    self.filled += taken;
                    left -= taken as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(CopyError::Read(error)),
            }
        }
        Ok(Ok(()))
    }

    /// Ends the current piece: what follows is packed apart.
    pub(super) fn close(&mut self) -> io::Result<()> {
        if self.filled == 0 {
            return Ok(());
        }
        let raw = &self.raw[..self.filled];
        self.diff.update(raw);
        self.raw_size += raw.len() as u64;
        if self.compression == Compression::None {
            self.drain(0)?;
            self.out.write_all(&self.raw[..self.filled])?;
            self.filled = 0;
            return Ok(());
        }
        self.drain(self.most_under_way)?;
        let next = self.spare.pop().unwrap_or_else(|| vec![0; PIECE].into());
        let raw = std::mem::replace(&mut self.raw, next);
        let piece = Arc::new(Piece {
            compression: self.compression,
            state: Mutex::new(State::Raw(raw, self.filled)),
            changed: Condvar::new(),
        });
        self.filled = 0;
        let shared = Arc::clone(&piece);
        rayon::spawn(move || shared.pack());
        self.pending.push_back(Item::Piece(piece));
        self.under_way += 1;
        Ok(())
    }

    /// Remembers where among the packed bytes this point lies. Ends the current piece.
    pub(super) fn mark(&mut self, key: Digest) -> io::Result<()> {
        self.close()?;
        self.pending.push_back(Item::Mark(key));
        Ok(())
    }

    /// Bytes that are packed already; [`Self::hash_raw`] must see what they unpack to.
    pub(super) fn packed(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        self.close()?;
        self.pending.push_back(Item::Packed(bytes));
        self.drain(self.most_under_way)
    }

    /// Tar bytes that reach the output through [`Self::packed`].
    pub(super) fn hash_raw(&mut self, raw: &[u8]) {
        self.diff.update(raw);
        self.raw_size += raw.len() as u64;
    }

    /// Writes what is ready, and goes on until at most `most` pieces are under way, packing along
    /// where no worker has begun.
    fn drain(&mut self, most: usize) -> io::Result<()> {
        while let Some(front) = self.pending.front() {
            if let Item::Piece(piece) = front
                && !piece.is_done()
            {
                if self.under_way <= most && most > 0 {
                    return Ok(());
                }
                let waiting = self.pending.iter().find_map(|item| match item {
                    Item::Piece(piece) if piece.is_raw() => Some(Arc::clone(piece)),
                    _ => None,
                });
                if let Some(piece) = waiting {
                    piece.pack();
                    continue;
                }
            }
            match self.pending.pop_front() {
                Some(Item::Piece(piece)) => {
                    let (raw, packed) = piece.take();
                    self.spare.push(raw);
                    self.under_way -= 1;
                    self.out.write_all(&packed?)?;
                }
                Some(Item::Packed(bytes)) => self.out.write_all(&bytes)?,
                Some(Item::Mark(key)) => self.marks.push((key, self.out.written())),
                None => {}
            }
        }
        Ok(())
    }

    /// Packs and writes the rest.
    pub(super) fn finish(mut self) -> io::Result<Written> {
        self.close()?;
        self.drain(0)?;
        self.out.flush()?;
        let (digest, size, _) = self.out.finish();
        let diff_id = DiffId::from_bytes(self.diff.finalize().into());
        Ok(Written { digest, diff_id, size, raw_size: self.raw_size, marks: self.marks })
    }
}

/// Which side of a copy failed.
pub(super) enum CopyError {
    Read(io::Error),
    Write(io::Error),
}

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.filled == PIECE {
            self.close()?;
        }
        let taken = bytes.len().min(PIECE - self.filled);
        self.raw[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
        self.filled += taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
