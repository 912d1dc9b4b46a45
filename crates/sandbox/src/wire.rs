//! Values as bytes: between the processes of a sandbox, in keys, and in what is kept.
//!
//! Whole numbers little-endian at their width; texts and lists with their length in front.

use std::io::{self, Read, Write};

/// Bytes that are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message cannot be read")]
pub(crate) struct Broken;

/// Puts values behind each other.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub Vec<u8>);

impl Writer {
    pub(crate) fn u8(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(crate) fn bytes(&mut self, value: impl AsRef<[u8]>) -> &mut Self {
        let value = value.as_ref();
        self.u64(value.len() as u64);
        self.0.extend(value);
        self
    }

    pub(crate) fn list<T: AsRef<[u8]>>(&mut self, values: &[T]) -> &mut Self {
        self.u64(values.len() as u64);
        for value in values {
            self.bytes(value);
        }
        self
    }
}

/// Takes values from the front.
#[derive(Debug)]
pub(crate) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Broken> {
        let (first, rest) = self.0.split_at_checked(count).ok_or(Broken)?;
        self.0 = rest;
        Ok(first)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        self.take(N)?.try_into().map_err(|_| Broken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Broken> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Broken> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Broken> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Broken> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    pub(crate) fn bool(&mut self) -> Result<bool, Broken> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Broken),
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Broken> {
        let count = usize::try_from(self.u64()?).map_err(|_| Broken)?;
        self.take(count)
    }

    pub(crate) fn text(&mut self) -> Result<String, Broken> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| Broken)
    }

    /// A list whose values take a byte each at least: its length cannot be more than what is left.
    pub(crate) fn list<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Result<T, Broken>,
    ) -> Result<Vec<T>, Broken> {
        let count = self.u64()?;
        if count > self.0.len() as u64 {
            return Err(Broken);
        }
        (0..count).map(|_| one(self)).collect()
    }

    pub(crate) fn end(&self) -> Result<(), Broken> {
        if self.0.is_empty() { Ok(()) } else { Err(Broken) }
    }
}

/// Writes a message: its length, then its bytes.
pub(crate) fn send(to: &mut impl Write, message: &[u8]) -> io::Result<()> {
    to.write_all(&(message.len() as u64).to_le_bytes())?;
    to.write_all(message)?;
    to.flush()
}

/// Reads a message of at most `most` bytes; none at the end of the stream.
pub(crate) fn receive(from: &mut impl Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 8];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u64::from_le_bytes(length);
    if length > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long"));
    }
    let mut message = Vec::new();
    from.take(length).read_to_end(&mut message)?;
    if message.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(message))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_and_cut_ones_do_not() {
        let mut writer = Writer::default();
        writer.u8(1).u32(7).u64(u64::MAX).bytes(b"text").list(&["a", ""]);
        let read = |bytes: &[u8]| -> Result<(bool, u32, u64, String, Vec<String>), Broken> {
            let mut reader = Reader(bytes);
            let all = (
                reader.bool()?,
                reader.u32()?,
                reader.u64()?,
                reader.text()?,
                reader.list(Reader::text)?,
            );
            reader.end()?;
            Ok(all)
        };
        let all = (true, 7, u64::MAX, "text".to_owned(), vec!["a".to_owned(), String::new()]);
        assert_eq!(read(&writer.0), Ok(all));
        for end in 0..writer.0.len() {
            assert_eq!(read(&writer.0[..end]), Err(Broken), "{end}");
        }
    }

    #[test]
    fn a_length_larger_than_the_message_takes_no_memory() {
        let mut writer = Writer::default();
        writer.u64(u64::MAX);
        assert_eq!(Reader(&writer.0).bytes(), Err(Broken));
        assert_eq!(Reader(&writer.0).list(Reader::u8), Err(Broken));
        assert!(receive(&mut writer.0.as_slice(), 1 << 20).is_err());
        assert_eq!(receive(&mut [].as_slice(), 1).unwrap(), None);
        assert!(receive(&mut [3, 0, 0, 0, 0, 0, 0, 0, 1].as_slice(), 9).is_err());
    }
}
