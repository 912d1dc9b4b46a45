//! What the processes of a sandbox tell each other.

use crate::wire::{Broken, Reader, Writer};

/// What to run, and within which bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// Program and arguments. `None` among them stands for the path of the script.
    pub words: Vec<Option<String>>,
    pub body: Vec<u8>,
    pub stdin: Vec<u8>,
    /// The names of each file of the tree that has several.
    pub links: Vec<Vec<Vec<u8>>>,
    pub bounds: Bounds,
    /// One id alone is mapped: other owners are remembered, not given.
    pub single: bool,
    /// Do not even try to lay a difference over the tree: copy it.
    pub copy: bool,
}

/// See [`crate::Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub milliseconds: u64,
    pub memory: u64,
    pub bytes: u64,
    pub files: u64,
    pub processes: u64,
    pub output: u64,
}

impl Order {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u64(self.words.len() as u64);
        for word in &self.words {
            match word {
                Some(word) => out.u8(1).bytes(word),
                None => out.u8(0),
            };
        }
        out.bytes(&self.body).bytes(&self.stdin).u64(self.links.len() as u64);
        for names in &self.links {
            out.list(names);
        }
        let Bounds { milliseconds, memory, bytes, files, processes, output } = self.bounds;
        for bound in [milliseconds, memory, bytes, files, processes, output] {
            out.u64(bound);
        }
        out.u8(self.single.into()).u8(self.copy.into());
        out.0
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Broken> {
        let mut from = Reader(bytes);
        let words =
            from.list(|from| if from.bool()? { from.text().map(Some) } else { Ok(None) })?;
        let order = Self {
            words,
            body: from.bytes()?.to_vec(),
            stdin: from.bytes()?.to_vec(),
            links: from.list(|from| from.list(|from| from.bytes().map(<[u8]>::to_vec)))?,
            bounds: Bounds {
                milliseconds: from.u64()?,
                memory: from.u64()?,
                bytes: from.u64()?,
                files: from.u64()?,
                processes: from.u64()?,
                output: from.u64()?,
            },
            single: from.bool()?,
            copy: from.bool()?,
        };
        from.end()?;
        Ok(order)
    }
}

/// Why a run does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// A step of the set-up did not work.
    System { step: String, errno: i32 },
    /// It took more than it may.
    Limit(String),
    /// It wanted something that this sandbox cannot give.
    Wanted(String),
    /// It left something that no image can hold.
    Left { path: Vec<u8>, what: String },
}

impl Failure {
    pub(crate) fn encode(&self, out: &mut Writer) {
        match self {
            Self::System { step, errno } => out.u8(0).bytes(step).u32(errno.cast_unsigned()),
            Self::Limit(what) => out.u8(1).bytes(what),
            Self::Wanted(what) => out.u8(2).bytes(what),
            Self::Left { path, what } => out.u8(3).bytes(path).bytes(what),
        };
    }

    pub(crate) fn decode(from: &mut Reader<'_>) -> Result<Self, Broken> {
        Ok(match from.u8()? {
            0 => Self::System { step: from.text()?, errno: from.i32()? },
            1 => Self::Limit(from.text()?),
            2 => Self::Wanted(from.text()?),
            3 => Self::Left { path: from.bytes()?.to_vec(), what: from.text()? },
            _ => return Err(Broken),
        })
    }
}

/// A step that did not work, by the error of the system.
pub(crate) fn failed<E: Into<std::io::Error>>(
    step: &str,
) -> impl FnOnce(E) -> Failure + use<'_, E> {
    move |error| Failure::System {
        step: step.to_owned(),
        errno: error.into().raw_os_error().unwrap_or(0),
    }
}

/// A path that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Below the root; empty for itself.
    pub path: Vec<u8>,
    pub kind: FoundKind,
    pub mode: u32,
    /// Where one id is mapped: none unless the scriptlet gave it to somebody.
    pub uid: Option<u32>,
    pub gid: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FoundKind {
    Gone,
    /// What the tree has in an opaque directory is gone, unless it is found too.
    Directory {
        opaque: bool,
    },
    File {
        /// None: what the tree has at this path.
        content: Option<Vec<u8>>,
        /// `security.capability`
        capabilities: Option<Vec<u8>>,
        /// Names the inode where it has several names.
        inode: Option<u64>,
        /// It is the file that was there, changed in place.
        origin: bool,
    },
    Symlink(Vec<u8>),
    Fifo,
}

/// What a run left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ran {
    pub status: i32,
    pub output: Vec<u8>,
    pub found: Vec<Found>,
}

pub(crate) fn encode_result(result: &Result<Ran, Failure>) -> Vec<u8> {
    let mut out = Writer::default();
    match result {
        Err(failure) => {
            out.u8(0);
            failure.encode(&mut out);
        }
        Ok(ran) => {
            out.u8(1).u32(ran.status.cast_unsigned()).bytes(&ran.output);
            out.u64(ran.found.len() as u64);
            ran.found.iter().for_each(|found| found.encode(&mut out));
        }
    }
    out.0
}

pub(crate) fn decode_result(bytes: &[u8]) -> Result<Result<Ran, Failure>, Broken> {
    let mut from = Reader(bytes);
    let result = if from.bool()? {
        let (status, output) = (from.i32()?, from.bytes()?.to_vec());
        Ok(Ran { status, output, found: from.list(Found::decode)? })
    } else {
        Err(Failure::decode(&mut from)?)
    };
    from.end()?;
    Ok(result)
}

fn option<'a, T>(
    from: &mut Reader<'a>,
    one: impl FnOnce(&mut Reader<'a>) -> Result<T, Broken>,
) -> Result<Option<T>, Broken> {
    if from.bool()? { one(from).map(Some) } else { Ok(None) }
}

impl Found {
    fn encode(&self, out: &mut Writer) {
        out.bytes(&self.path).u32(self.mode);
        for owner in [self.uid, self.gid] {
            match owner {
                Some(id) => out.u8(1).u32(id),
                None => out.u8(0),
            };
        }
        match &self.kind {
            FoundKind::Gone => out.u8(0),
            FoundKind::Directory { opaque } => out.u8(1).u8((*opaque).into()),
            FoundKind::File { content, capabilities, inode, origin } => {
                out.u8(2).u8((*origin).into());
                for bytes in [content, capabilities] {
                    match bytes {
                        Some(bytes) => out.u8(1).bytes(bytes),
                        None => out.u8(0),
                    };
                }
                match inode {
                    Some(inode) => out.u8(1).u64(*inode),
                    None => out.u8(0),
                }
            }
            FoundKind::Symlink(target) => out.u8(3).bytes(target),
            FoundKind::Fifo => out.u8(4),
        };
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Broken> {
        let path = from.bytes()?.to_vec();
        let mode = from.u32()?;
        let (uid, gid) = (option(from, Reader::u32)?, option(from, Reader::u32)?);
        let kind = match from.u8()? {
            0 => FoundKind::Gone,
            1 => FoundKind::Directory { opaque: from.bool()? },
            2 => {
                let origin = from.bool()?;
                let bytes = |from: &mut Reader<'_>| from.bytes().map(<[u8]>::to_vec);
                let (content, capabilities) = (option(from, bytes)?, option(from, bytes)?);
                let inode = option(from, Reader::u64)?;
                FoundKind::File { content, capabilities, inode, origin }
            }
            3 => FoundKind::Symlink(from.bytes()?.to_vec()),
            4 => FoundKind::Fifo,
            _ => return Err(Broken),
        };
        Ok(Self { path, kind, mode, uid, gid })
    }
}

/// What the guard of a run saw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Verdict {
    pub status: i32,
    pub failure: Option<Failure>,
    /// Owners of what cannot carry a mark: path, user, group.
    pub owners: Vec<(Vec<u8>, u32, u32)>,
}

impl Verdict {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u32(self.status.cast_unsigned());
        match &self.failure {
            Some(failure) => failure.encode(out.u8(1)),
            None => _ = out.u8(0),
        }
        out.u64(self.owners.len() as u64);
        for (path, uid, gid) in &self.owners {
            out.bytes(path).u32(*uid).u32(*gid);
        }
        out.0
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Broken> {
        let mut from = Reader(bytes);
        let status = from.i32()?;
        let failure = option(&mut from, Failure::decode)?;
        let owners = from.list(|from| Ok((from.bytes()?.to_vec(), from.u32()?, from.u32()?)))?;
        from.end()?;
        Ok(Self { status, failure, owners })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back() {
        let file = FoundKind::File {
            content: Some(b"x".to_vec()),
            capabilities: None,
            inode: Some(9),
            origin: true,
        };
        let kinds = [
            FoundKind::Gone,
            FoundKind::Directory { opaque: true },
            file,
            FoundKind::Symlink(b"t".to_vec()),
            FoundKind::Fifo,
        ];
        let found = kinds.map(|kind| Found {
            path: b"a/b".to_vec(),
            kind,
            mode: 0o644,
            uid: Some(1),
            gid: None,
        });
        let ran = Ok(Ran { status: -1, output: b"out".to_vec(), found: found.to_vec() });
        let bytes = encode_result(&ran);
        assert_eq!(decode_result(&bytes).unwrap(), ran);
        for end in 0..bytes.len() {
            assert!(decode_result(&bytes[..end]).is_err());
        }
        let failed = Err(Failure::System { step: "mount".to_owned(), errno: 1 });
        assert_eq!(decode_result(&encode_result(&failed)).unwrap(), failed);
        let verdict = Verdict {
            status: 3,
            failure: Some(Failure::Left { path: b"p".to_vec(), what: "w".to_owned() }),
            owners: vec![(b"l".to_vec(), 1, 2)],
        };
        assert_eq!(Verdict::decode(&verdict.encode()).unwrap(), verdict);
        let order = Order {
            words: vec![Some("sh".to_owned()), None],
            body: b"b".to_vec(),
            stdin: Vec::new(),
            links: vec![vec![b"a".to_vec(), b"b".to_vec()], vec![]],
            bounds: Bounds {
                milliseconds: 1,
                memory: 2,
                bytes: 3,
                files: 4,
                processes: 5,
                output: 6,
            },
            single: true,
            copy: false,
        };
        assert_eq!(Order::decode(&order.encode()).unwrap(), order);
    }
}
