//! Reads a cpio archive front to back: `newc`, `crc`, and rpm's stripped form.
//!
//! Source: `cpio(5)`; the stripped form is rpm's `lib/cpio.c`: magic `07070X` and a file index,
//! sizes are those of the header. Checksums of the `crc` form are not compared: rpm never writes
//! any, and the header's digests are stronger.

use super::Fault;
use crate::{ChecksumAlgorithm, digest::Hasher};
use std::io::{self, BufRead, Read};

/// Longer names are refused.
const MAX_NAME: u64 = 4096 + 2;

/// The head of one member.
#[derive(Debug, Clone, Copy)]
pub(super) enum Record {
    /// A member with name ([`Archive::name`]) and size.
    Named {
        /// Bytes that follow.
        size: u64,
        /// `st_mode`
        mode: u32,
    },
    /// A member of the stripped form: the file index.
    Stripped(u32),
    /// The end.
    Trailer,
}

/// The archive at some point of reading.
pub(super) struct Archive<'a> {
    reader: Box<dyn BufRead + 'a>,
    position: u64,
    hasher: Option<Hasher>,
    name: Vec<u8>,
}

impl<'a> Archive<'a> {
    pub fn new(reader: Box<dyn BufRead + 'a>, digest: Option<ChecksumAlgorithm>) -> Self {
        Self { reader, position: 0, hasher: digest.map(Hasher::new), name: Vec::new() }
    }

    /// Name of the member at hand, as in the archive, without the NUL.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    pub fn into_hasher(self) -> Option<Hasher> {
        self.hasher
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.position += count as u64;
        if let (Some(hasher), Some(bytes)) = (&mut self.hasher, buffer.get(..count)) {
            hasher.update(bytes);
        }
        Ok(count)
    }

    fn exact(&mut self, buffer: &mut [u8]) -> Result<(), Fault> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read(rest) {
                Ok(0) => return Err(Fault::Truncated),
                Ok(count) => filled += count,
                Err(error) => return Err(fault(error)),
            }
        }
        Ok(())
    }

    /// Members begin at multiples of four.
    pub fn pad(&mut self) -> Result<(), Fault> {
        let mut padding = [0; 3];
        let length = (4 - self.position % 4) % 4;
        match padding.get_mut(..length as usize) {
            Some(padding) => self.exact(padding),
            None => Ok(()),
        }
    }

    /// The next member's head; what follows is its content.
    pub fn next(&mut self) -> Result<Record, Fault> {
        let mut magic = [0; 6];
        self.exact(&mut magic)?;
        match &magic {
            b"070701" | b"070702" => {}
            b"07070X" => {
                let mut index = [0; 8];
                self.exact(&mut index)?;
                self.pad()?;
                return Ok(Record::Stripped(hex32(&index)?));
            }
            other => {
                return Err(Fault::Archive(format!(
                    "`{}` where a cpio member should begin",
                    other.escape_ascii()
                )));
            }
        }
        let mut fields = [0; 104];
        self.exact(&mut fields)?;
        let field = |n: usize| hex32(fields.get(n * 8..n * 8 + 8).unwrap_or_default());
        let (mode, size, name_size) = (field(1)?, u64::from(field(6)?), u64::from(field(11)?));
        if !(1..=MAX_NAME).contains(&name_size) {
            return Err(Fault::Archive(format!("a name of {name_size} bytes")));
        }
        let mut name = std::mem::take(&mut self.name);
        name.clear();
        name.resize(name_size as usize, 0);
        self.exact(&mut name)?;
        // some builders pad names with more than one NUL
        let end = name.iter().position(|byte| *byte == 0);
        match end {
            Some(end) => name.truncate(end),
            None => return Err(Fault::Archive("a name without an end".to_owned())),
        }
        self.name = name;
        self.pad()?;
        if self.name == b"TRAILER!!!" {
            return Ok(Record::Trailer);
        }
        Ok(Record::Named { size, mode })
    }

    /// Content that is known beforehand.
    pub fn literal(&mut self, expected: &[u8]) -> Result<(), Fault> {
        let mut found = vec![0; expected.len()];
        self.exact(&mut found)?;
        if found == expected {
            Ok(())
        } else {
            Err(Fault::Archive(format!(
                "the link points to `{}`, in the header to `{}`",
                String::from_utf8_lossy(&found).escape_debug(),
                String::from_utf8_lossy(expected).escape_debug(),
            )))
        }
    }

    /// Content of that size and digest.
    pub fn body<'b>(
        &'b mut self,
        size: u64,
        digest: Option<(ChecksumAlgorithm, &'b [u8])>,
    ) -> Body<'b, 'a> {
        let check = digest.map(|(algorithm, digest)| (Hasher::new(algorithm), digest));
        Body { archive: self, left: size, check, fault: None }
    }

    /// What follows the trailer: read, so that the decompressor sees its end marker.
    pub fn tail(&mut self, limit: u64) -> Result<(), Fault> {
        let start = self.position;
        let mut buffer = [0; 4096];
        loop {
            match self.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(_) if self.position - start > limit => {
                    return Err(Fault::Archive("data follow the end of the archive".to_owned()));
                }
                Ok(_) => {}
                Err(error) => return Err(fault(error)),
            }
        }
    }
}

/// A file's content.
pub(super) struct Body<'b, 'a> {
    archive: &'b mut Archive<'a>,
    left: u64,
    check: Option<(Hasher, &'b [u8])>,
    /// Why reading failed: the consumer sees only an [`io::Error`].
    pub fault: Option<Fault>,
}

impl Body<'_, '_> {
    fn took(&mut self, bytes: u64) -> Result<(), Fault> {
        self.left -= bytes;
        if self.left > 0 {
            return Ok(());
        }
        let fine = self.check.take().is_none_or(|(hasher, digest)| hasher.matches(digest));
        if fine { Ok(()) } else { Err(Fault::Digest) }
    }

    /// Reads what is left, without copying it.
    pub fn skip(mut self) -> Result<(), Fault> {
        while self.left > 0 {
            let archive = &mut *self.archive;
            let buffer = match archive.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(fault(error)),
            };
            let count = self.left.min(buffer.len() as u64);
            let bytes = buffer.get(..count as usize).unwrap_or_default();
            if bytes.is_empty() {
                return Err(Fault::Truncated);
            }
            if let Some(hasher) = &mut archive.hasher {
                hasher.update(bytes);
            }
            if let Some((hasher, _)) = &mut self.check {
                hasher.update(bytes);
            }
            archive.reader.consume(count as usize);
            archive.position += count;
            self.took(count)?;
        }
        Ok(())
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        let limit = self.left.min(buffer.len() as u64) as usize;
        let buffer = buffer.get_mut(..limit).unwrap_or_default();
        let count = self.archive.read(buffer).map_err(fault)?;
        if count == 0 {
            return Err(Fault::Truncated);
        }
        if let (Some((hasher, _)), Some(bytes)) = (&mut self.check, buffer.get(..count)) {
            hasher.update(bytes);
        }
        self.took(count as u64)?;
        Ok(count)
    }
}

impl Read for Body<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.fault.is_some() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "reading failed before"));
        }
        if buffer.is_empty() || self.left == 0 {
            return Ok(0);
        }
        self.fill(buffer).map_err(|fault| {
            let error = match &fault {
                Fault::Truncated => io::ErrorKind::UnexpectedEof.into(),
                Fault::Io(error) => io::Error::new(error.kind(), error.to_string()),
                Fault::Digest => io::Error::new(io::ErrorKind::InvalidData, "digest mismatch"),
                Fault::Archive(reason) => {
                    io::Error::new(io::ErrorKind::InvalidData, reason.clone())
                }
            };
            self.fault = Some(fault);
            error
        })
    }
}

fn fault(error: io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Fault::Truncated,
        _ => Fault::Io(error),
    }
}

fn hex32(digits: &[u8]) -> Result<u32, Fault> {
    let value = digits.iter().try_fold(0_u32, |value, digit| {
        char::from(*digit).to_digit(16).map(|digit| value << 4 | digit)
    });
    value.filter(|_| digits.len() == 8).ok_or_else(|| {
        Fault::Archive(format!("`{}` where a number should be", digits.escape_ascii()))
    })
}
