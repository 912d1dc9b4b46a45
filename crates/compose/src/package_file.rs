//! One package file: its headers, read once, and its payload, unpacked when somebody needs it.

use crate::ComposeError;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};
use strata_rpm::{
    Checksum, Header, Package, RpmFile,
    payload::{self, PayloadError},
};

/// One package file.
#[derive(Debug)]
pub(crate) struct PackageFile {
    /// Its identity.
    pub checksum: Checksum,
    path: PathBuf,
    /// Where the payload begins in the file.
    payload: u64,
    /// What its header says.
    pub package: Package,
    /// The signature header, for the rpmdb.
    pub signature: Header,
    /// The header, for the rpmdb.
    pub header: Header,
    /// How many of its files carry an IMA signature.
    pub ima_signatures: usize,
    /// Of a file in a hard link set: all members. Keyed by every member.
    sets: BTreeMap<u32, Arc<[u32]>>,
    /// How often the payload was unpacked.
    #[cfg(test)]
    pub reads: std::sync::atomic::AtomicUsize,
}

impl PackageFile {
    /// Reads and validates the headers of a file whose checksum was verified before.
    pub fn open(path: PathBuf, checksum: Checksum) -> Result<Self, ComposeError> {
        let wrong = |source: Box<dyn std::error::Error + Send + Sync>, hint: Option<String>| {
            ComposeError::Package { path: path.clone(), source, hint }
        };
        let prefix = read_headers(&path).map_err(|problem| match problem {
            Problem::Io(source) => ComposeError::read(&path, source),
            Problem::File(error) => {
                let hint = error.hint();
                wrong(error.into(), hint)
            }
        })?;
        let rpm = RpmFile::parse(&prefix).map_err(|e| wrong(e.clone().into(), e.hint()))?;
        rpm.verify_header().map_err(|e| wrong(e.clone().into(), e.hint()))?;
        let package = rpm.package().map_err(|e| {
            let hint = e.hint();
            wrong(e.into(), hint)
        })?;
        let sets = link_sets(&package);
        let ima_signatures = rpm.ima_signatures();
        let (signature, header) = (rpm.signature, rpm.header);
        Ok(Self {
            checksum,
            package,
            signature,
            header,
            ima_signatures,
            sets,
            payload: prefix.len() as u64,
            path,
            #[cfg(test)]
            reads: Default::default(),
        })
    }

    /// Streams the payload as [`payload::read`] does.
    pub fn read(
        &self,
        each: &mut dyn FnMut(u32, u64, &mut dyn Read) -> io::Result<()>,
    ) -> Result<(), ComposeError> {
        #[cfg(test)]
        self.reads.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let failed = |error| ComposeError::read(&self.path, error);
        let mut file = BufReader::with_capacity(1 << 18, File::open(&self.path).map_err(failed)?);
        file.seek(SeekFrom::Start(self.payload)).map_err(failed)?;
        payload::read_from(&self.header, &self.package, &mut file, each).map_err(|e| match e {
            PayloadError::Read { source, .. } => failed(source),
            e => {
                ComposeError::Package { path: self.path.clone(), hint: e.hint(), source: e.into() }
            }
        })
    }

    /// Reads these files' contents, and no more of the payload than that takes. `each` gets the
    /// wanted names of one content, as a rule one, and the content.
    pub fn read_files(
        &self,
        wanted: &[u32],
        each: &mut dyn FnMut(&[u32], &[u8]),
    ) -> Result<(), ComposeError> {
        let is_empty =
            |index: &u32| self.package.files.get(*index as usize).is_none_or(|f| f.size == 0);
        let empty: Vec<u32> = wanted.iter().copied().filter(is_empty).collect();
        let mut missing: BTreeSet<u32> =
            wanted.iter().copied().filter(|index| !is_empty(index)).collect();
        if !empty.is_empty() {
            each(&empty, b"");
        }
        if missing.is_empty() {
            return Ok(());
        }
        let mut enough = false;
        let read = self.read(&mut |index, size, content| {
            let set = self.set(&index).iter().copied();
            let members: Vec<u32> = set.filter(|member| missing.contains(member)).collect();
            if !members.is_empty() {
                each(&members, &read_all(size, content)?);
                missing.retain(|one| !members.contains(one));
            }
            enough = missing.is_empty();
            if enough { Err(io::Error::other("enough was read")) } else { Ok(()) }
        });
        if enough { Ok(()) } else { read }
    }

    /// The members of the file's hard link set, or the file alone.
    pub fn set<'a>(&'a self, file: &'a u32) -> &'a [u32] {
        self.sets.get(file).map_or(std::slice::from_ref(file), |set| &**set)
    }
}

enum Problem {
    Io(io::Error),
    File(strata_rpm::RpmFileError),
}

/// The start of the file up to the end of its headers.
fn read_headers(path: &Path) -> Result<Vec<u8>, Problem> {
    /// Most headers fit.
    const FIRST: usize = 64 << 10;
    let mut file = File::open(path).map_err(Problem::Io)?;
    let mut prefix = Vec::new();
    let mut want = FIRST;
    loop {
        let missing = want.saturating_sub(prefix.len()) as u64;
        let got = file.by_ref().take(missing).read_to_end(&mut prefix).map_err(Problem::Io)?;
        let needed = RpmFile::headers_len(&prefix).map_err(Problem::File)?;
        if needed <= prefix.len() {
            prefix.truncate(needed);
            return Ok(prefix);
        }
        if (got as u64) < missing {
            let have = prefix.len();
            return Err(Problem::File(strata_rpm::RpmFileError::Truncated { needed, have }));
        }
        want = needed;
    }
}

/// The hard link sets, keyed by every member.
fn link_sets(package: &Package) -> BTreeMap<u32, Arc<[u32]>> {
    let mut sets = BTreeMap::new();
    for members in package.hard_links() {
        let members: Arc<[u32]> = members.into();
        sets.extend(members.iter().map(|member| (*member, Arc::clone(&members))));
    }
    sets
}

/// The whole content; the size comes from a header that the reader has checked against the payload.
pub(crate) fn read_all(size: u64, content: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).min(1 << 24));
    content.read_to_end(&mut bytes)?;
    Ok(bytes)
}
