//! Tar headers: ustar, and pax records only for what ustar cannot say.
//! <https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html>
//!
//! The bytes depend on the entry alone. Owners are numbers without names, there is no access or
//! change time, records come in one fixed order, and names are raw bytes.

use crate::manifest::{Entry, EntryKind};
use std::borrow::Cow;

/// Tar's unit.
pub(crate) const BLOCK: usize = 512;

/// What ends an archive.
pub(crate) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// The name of every pax header. Its value means nothing to readers, so it is always the same.
const PAX_NAME: &[u8] = b"././@PaxHeader";

/// The largest number in an octal field of 11 and of 7 digits.
const LARGEST_11: u64 = 0o77_777_777_777;
const LARGEST_7: u64 = 0o7_777_777;

/// Zero bytes after a content of this length.
pub(crate) fn padding(size: u64) -> usize {
    (size.wrapping_neg() % BLOCK as u64) as usize
}

/// Appends the header of an entry, a pax header before it where one is needed.
pub(crate) fn append_header(entry: &Entry, out: &mut Vec<u8>) {
    let name = name_of(entry);
    let link: &[u8] = match &entry.kind {
        EntryKind::HardLink { target } => target.as_bytes(),
        EntryKind::Symlink { target } => target,
        _ => b"",
    };
    let size = entry.size();
    let place = split(&name);

    let mut records = Vec::new();
    if place.is_none() {
        record(b"path", &name, &mut records);
    }
    if link.len() > 100 {
        record(b"linkpath", link, &mut records);
    }
    let numbers: [(&[u8], u64, u64); 4] = [
        (b"size", size, LARGEST_11),
        (b"uid", entry.uid.into(), LARGEST_7),
        (b"gid", entry.gid.into(), LARGEST_7),
        (b"mtime", entry.mtime, LARGEST_11),
    ];
    for (key, value, largest) in numbers {
        if value > largest {
            record(key, value.to_string().as_bytes(), &mut records);
        }
    }
    if let EntryKind::File { capabilities: Some(capabilities), .. } = &entry.kind {
        record(b"SCHILY.xattr.security.capability", &capabilities.to_xattr(), &mut records);
    }
    if !records.is_empty() {
        let mut header = Header::new(b'x', 0o644);
        header.bytes(0, PAX_NAME);
        header.octal(124, 11, records.len() as u64);
        out.extend_from_slice(&header.finish());
        out.extend_from_slice(&records);
        out.resize(out.len() + padding(records.len() as u64), 0);
    }

    let mut header = Header::new(type_flag(&entry.kind), entry.mode);
    // What a record overrides is cut to fit; no reader looks at it.
    let (prefix, short) = place.unwrap_or((b"", &name));
    header.bytes(0, &short[..short.len().min(100)]);
    header.bytes(345, prefix);
    header.octal(108, 7, u64::from(entry.uid).min(LARGEST_7));
    header.octal(116, 7, u64::from(entry.gid).min(LARGEST_7));
    header.octal(124, 11, size.min(LARGEST_11));
    header.octal(136, 11, entry.mtime.min(LARGEST_11));
    header.bytes(157, &link[..link.len().min(100)]);
    if let EntryKind::Device { major, minor, .. } = entry.kind {
        header.octal(329, 7, u64::from(major).min(LARGEST_7));
        header.octal(337, 7, u64::from(minor).min(LARGEST_7));
    }
    out.extend_from_slice(&header.finish());
}

/// Bytes that the entry takes: header, content, padding.
pub(crate) fn length(entry: &Entry) -> u64 {
    let mut header = Vec::new();
    append_header(entry, &mut header);
    let size = entry.size();
    (header.len() as u64).saturating_add(size).saturating_add(padding(size) as u64)
}

fn name_of(entry: &Entry) -> Cow<'_, [u8]> {
    let path = entry.path.as_bytes();
    if entry.path.is_root() {
        Cow::Borrowed(b"./")
    } else if entry.kind == EntryKind::Directory {
        Cow::Owned([path, b"/"].concat())
    } else {
        Cow::Borrowed(path)
    }
}

fn type_flag(kind: &EntryKind) -> u8 {
    match kind {
        EntryKind::File { .. } => b'0',
        EntryKind::HardLink { .. } => b'1',
        EntryKind::Symlink { .. } => b'2',
        EntryKind::Device { block: false, .. } => b'3',
        EntryKind::Device { block: true, .. } => b'4',
        EntryKind::Directory => b'5',
        EntryKind::Fifo => b'6',
    }
}

/// Prefix and name as ustar can hold them, if it can.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= 100 {
        return Some((b"", name));
    }
    // A directory's own slash cannot part it from nothing.
    let window = &name[..name.len().saturating_sub(1).min(156)];
    let slash = window.iter().rposition(|b| *b == b'/')?;
    let (prefix, rest) = (&name[..slash], &name[slash + 1..]);
    (!prefix.is_empty() && rest.len() <= 100).then_some((prefix, rest))
}

/// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
fn record(key: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    out.extend_from_slice(length.to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(key);
    out.push(b'=');
    out.extend_from_slice(value);
    out.push(b'\n');
}

struct Header([u8; BLOCK]);

impl Header {
    fn new(flag: u8, mode: u16) -> Self {
        let mut header = Self([0; BLOCK]);
        header.octal(100, 7, mode.into());
        for (at, digits) in [(108, 7), (116, 7), (124, 11), (136, 11), (329, 7), (337, 7)] {
            header.octal(at, digits, 0);
        }
        header.0[156] = flag;
        header.bytes(257, b"ustar\x0000");
        header
    }

    fn bytes(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Octal digits with leading zeros; the NUL behind them is there already.
    fn octal(&mut self, at: usize, digits: usize, mut value: u64) {
        for place in self.0[at..at + digits].iter_mut().rev() {
            *place = b'0' + (value & 7) as u8;
            value >>= 3;
        }
    }

    fn finish(mut self) -> [u8; BLOCK] {
        self.bytes(148, b"        ");
        let sum: u64 = self.0.iter().map(|b| u64::from(*b)).sum();
        self.octal(148, 6, sum);
        self.bytes(154, b"\0 ");
        self.0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
mod tests;
