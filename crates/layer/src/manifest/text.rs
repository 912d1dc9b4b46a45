//! The canonical text of a manifest. Its bytes enter every key: change nothing without raising
//! [`super::FORMAT_VERSION`].

use super::{ContentId, Entry, EntryKind, Member};
use std::io::Write as _;

/// A header line with the package, then the entries.
pub(super) fn member(member: &Member, out: &mut Vec<u8>) {
    let _ = match &member.package {
        Some(package) => writeln!(out, "member {package}"),
        None => writeln!(out, "member -"),
    };
    for each in &member.entries {
        entry(each, out);
    }
}

/// `TYPE MODE UID GID MTIME PATH [what belongs to the type]`
pub(super) fn entry(entry: &Entry, out: &mut Vec<u8>) {
    let letter = match entry.kind {
        EntryKind::Directory => 'd',
        EntryKind::File { .. } => 'f',
        EntryKind::HardLink { .. } => 'h',
        EntryKind::Symlink { .. } => 'l',
        EntryKind::Device { block: true, .. } => 'b',
        EntryKind::Device { block: false, .. } => 'c',
        EntryKind::Fifo => 'p',
    };
    let Entry { mode, uid, gid, mtime, .. } = entry;
    // Writing to a vector cannot fail.
    let _ = write!(out, "{letter} {mode:o} {uid} {gid} {mtime} /");
    escape(entry.path.as_bytes(), out);
    match &entry.kind {
        EntryKind::Directory | EntryKind::Fifo => {}
        EntryKind::File { size, content, capabilities } => {
            let _ = match content {
                ContentId::Package { checksum, file } => {
                    write!(out, " {size} {checksum} {file}")
                }
                ContentId::Inline(digest) => write!(out, " {size} inline {digest}"),
            };
            if let Some(capabilities) = capabilities {
                let _ = write!(out, " {}", hex::encode(capabilities.to_xattr()));
            }
        }
        EntryKind::HardLink { target } => {
            out.extend_from_slice(b" /");
            escape(target.as_bytes(), out);
        }
        EntryKind::Symlink { target } => {
            out.push(b' ');
            escape(target, out);
        }
        EntryKind::Device { major, minor, .. } => {
            let _ = write!(out, " {major} {minor}");
        }
    }
    out.push(b'\n');
}

/// Leaves printable ASCII but the backslash as it is; a blank would end the field.
fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        if byte.is_ascii_graphic() && *byte != b'\\' {
            out.push(*byte);
        } else {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
}
