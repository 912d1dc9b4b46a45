//! Results that are kept: under which key, and as which bytes.

use crate::wire::{Broken, Reader, Writer};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use strata_rootfs::{
    Content, Kind, LinkSet, Node, Origin, PackageIndex, TreePath,
    scriptlets::{Action, Effects, ScriptletTask},
};
use strata_rpm::{Checksum, FileCapabilities};

/// Version of the keys, of the bytes, and of what a sandbox is: one that leaves something else
/// behind has another number.
pub const FORMAT: u32 = 1;

const MAGIC: &[u8; 16] = b"strata-effects\0\0";

/// Bytes that are no result of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no result of a scriptlet of format {FORMAT}")]
pub struct CachedError;

impl From<Broken> for CachedError {
    fn from(_: Broken) -> Self {
        Self
    }
}

/// Names the result of a scriptlet on a tree: SHA-256 of all that it can depend on, in lower-case
/// hexadecimal digits. `checksum` gives the identity of a package of the image.
pub fn key<'a>(
    task: &ScriptletTask<'_>,
    checksum: &dyn Fn(PackageIndex) -> Option<&'a Checksum>,
) -> String {
    let mut hash = Sha256::new();
    let mut out = Writer::default();
    out.u32(FORMAT).list(task.program).bytes(task.body).list(task.arguments).bytes(task.stdin);
    out.u64(task.mtime);
    hash.update(&out.0);
    // numbers of sets say nothing: which paths are one file does
    let mut sets: BTreeMap<LinkSet, u64> = BTreeMap::new();
    for (path, node) in task.tree.iter() {
        if let (Some(count), Origin::Package(package)) = (task.installed, node.origin)
            && package.0 >= count
        {
            continue;
        }
        out.0.clear();
        out.bytes(path.as_bytes()).u32(node.mode.into()).u32(node.uid).u32(node.gid);
        out.u64(node.mtime);
        match &node.kind {
            Kind::File { size, content, capabilities, links } => {
                out.u8(1).u64(*size);
                match content {
                    Content::Inline(bytes) => _ = out.u8(0).bytes(Sha256::digest(bytes)),
                    Content::Package { package, file } => {
                        match checksum(*package) {
                            Some(sum) => out.u8(1).bytes(sum.algorithm().name()).bytes(sum.hex()),
                            None => out.u8(2).u32(package.0),
                        };
                        out.u32(*file);
                    }
                }
                capability(&mut out, *capabilities);
                let next = sets.len() as u64 + 1;
                out.u64(links.map_or(0, |set| *sets.entry(set).or_insert(next)));
            }
            other => kind(&mut out, other),
        }
        hash.update(&out.0);
    }
    hex::encode(hash.finalize())
}

/// A result as bytes, for [`decode`].
pub fn encode(effects: &Effects) -> Vec<u8> {
    let mut out = Writer(MAGIC.to_vec());
    out.u32(FORMAT).u32(effects.status.cast_unsigned()).bytes(&effects.output);
    out.u64(effects.actions.len() as u64);
    for action in &effects.actions {
        match action {
            Action::User { name, uid } => out.u8(0).bytes(name).u32(*uid),
            Action::Group { name, gid } => out.u8(1).bytes(name).u32(*gid),
            Action::Unit { name, verb } => out.u8(2).bytes(name).bytes(verb),
            Action::Ignored { command } => out.u8(3).bytes(command),
            Action::NotFound { program } => out.u8(4).bytes(program),
        };
    }
    out.u64(effects.changes.len() as u64);
    for (path, change) in &effects.changes {
        out.bytes(path.as_bytes());
        match change {
            None => _ = out.u8(0),
            Some(node) => {
                out.u8(1).u32(node.mode.into()).u32(node.uid).u32(node.gid).u64(node.mtime);
                origin(&mut out, node.origin);
                kind(&mut out, &node.kind);
            }
        }
    }
    out.0
}

/// Reads what [`encode`] wrote. Package numbers in it are those of the image that it was made for:
/// another image with the same key has other ones.
pub fn decode(bytes: &[u8]) -> Result<Effects, CachedError> {
    let mut from = Reader(bytes.strip_prefix(MAGIC).ok_or(CachedError)?);
    if from.u32()? != FORMAT {
        return Err(CachedError);
    }
    let (status, output) = (from.i32()?, from.bytes()?.to_vec());
    let actions = from.list(|from| {
        Ok(match from.u8()? {
            0 => Action::User { name: from.text()?, uid: from.u32()? },
            1 => Action::Group { name: from.text()?, gid: from.u32()? },
            2 => Action::Unit { name: from.text()?, verb: from.text()? },
            3 => Action::Ignored { command: from.text()? },
            4 => Action::NotFound { program: from.text()? },
            _ => return Err(Broken),
        })
    })?;
    let changes = from.list(|from| {
        let path = TreePath::new(from.bytes()?).map_err(|_| Broken)?;
        Ok((path, if from.bool()? { Some(read_node(from)?) } else { None }))
    })?;
    from.end()?;
    if !changes.is_sorted_by(|a, b| a.0 < b.0) {
        return Err(CachedError);
    }
    Ok(Effects { changes: changes.into_iter().collect(), actions, output, status })
}

fn origin(out: &mut Writer, origin: Origin) {
    match origin {
        Origin::Package(package) => out.u8(0).u32(package.0),
        Origin::Implied => out.u8(1),
        Origin::Generated => out.u8(2),
        Origin::Overlay => out.u8(3),
        Origin::Plugin => out.u8(4),
    };
}

fn capability(out: &mut Writer, capabilities: Option<FileCapabilities>) {
    match capabilities {
        None => out.u8(0),
        Some(FileCapabilities { permitted, inheritable, effective }) => {
            out.u8(1).u64(permitted).u64(inheritable).u8(effective.into())
        }
    };
}

fn kind(out: &mut Writer, kind: &Kind) {
    match kind {
        Kind::Directory => _ = out.u8(0),
        Kind::File { size, content, capabilities, links } => {
            out.u8(1).u64(*size);
            match content {
                Content::Inline(bytes) => out.u8(0).bytes(bytes),
                Content::Package { package, file } => out.u8(1).u32(package.0).u32(*file),
            };
            capability(out, *capabilities);
            match links {
                None => out.u8(0),
                Some(LinkSet { package, leader }) => out.u8(1).u32(package.0).u32(*leader),
            };
        }
        Kind::Symlink { target } => _ = out.u8(2).bytes(target),
        Kind::Device { block, major, minor } => {
            out.u8(3).u8((*block).into()).u32(*major).u32(*minor);
        }
        Kind::Fifo => _ = out.u8(4),
    }
}

fn read_node(from: &mut Reader<'_>) -> Result<Node, Broken> {
    let mode = u16::try_from(from.u32()?).map_err(|_| Broken)?;
    if mode > 0o7777 {
        return Err(Broken);
    }
    let (uid, gid, mtime) = (from.u32()?, from.u32()?, from.u64()?);
    let origin = match from.u8()? {
        0 => Origin::Package(PackageIndex(from.u32()?)),
        1 => Origin::Implied,
        2 => Origin::Generated,
        3 => Origin::Overlay,
        4 => Origin::Plugin,
        _ => return Err(Broken),
    };
    let kind = match from.u8()? {
        0 => Kind::Directory,
        1 => {
            let size = from.u64()?;
            let content = match from.u8()? {
                0 => Content::Inline(from.bytes()?.into()),
                1 => Content::Package { package: PackageIndex(from.u32()?), file: from.u32()? },
                _ => return Err(Broken),
            };
            if matches!(&content, Content::Inline(bytes) if bytes.len() as u64 != size) {
                return Err(Broken);
            }
            let capabilities = if from.bool()? {
                let (permitted, inheritable) = (from.u64()?, from.u64()?);
                Some(FileCapabilities { permitted, inheritable, effective: from.bool()? })
            } else {
                None
            };
            let links = if from.bool()? {
                Some(LinkSet { package: PackageIndex(from.u32()?), leader: from.u32()? })
            } else {
                None
            };
            Kind::File { size, content, capabilities, links }
        }
        2 => Kind::Symlink { target: from.bytes()?.to_vec() },
        3 => Kind::Device { block: from.bool()?, major: from.u32()?, minor: from.u32()? },
        4 => Kind::Fifo,
        _ => return Err(Broken),
    };
    Ok(Node { kind, mode, uid, gid, mtime, origin })
}
