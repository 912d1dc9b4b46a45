//! Layer blobs by key: found in the cache or at the destination, or made once.

use crate::{ComposeError, cache::Cache, packages::LayerContents};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufWriter, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::OnceLock,
};
use strata_layer::{Compression, LayerManifest, MemberCache, Span, write_layer};
use strata_oci::{DiffId, Digest, HashingWriter};

/// A layer whose bytes exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownLayer {
    /// Of the stored blob.
    pub digest: Digest,
    /// Of the tar inside.
    pub diff_id: DiffId,
    /// Bytes of the blob.
    pub size: u64,
    /// The cached blob; none when only the destination has it.
    pub path: Option<PathBuf>,
}

/// What the cache remembers of a layer, by its key. Small, and read only together with the blob.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    version: u32,
    digest: Digest,
    diff_id: DiffId,
    size: u64,
    members: Vec<(Digest, Range<u64>)>,
}

/// Raise it when [`Record`] changes.
const RECORD_VERSION: u32 = 1;

/// The layers of a run.
pub(crate) struct LayerStore<'a> {
    cache: &'a Cache,
    compression: Compression,
    /// Layers of images at the destination, by key.
    present: BTreeMap<Digest, KnownLayer>,
    /// Whether cached bytes are compared with their digest before they are used.
    thorough: bool,
    members: OnceLock<BTreeMap<Digest, (PathBuf, Range<u64>)>>,
}

impl<'a> LayerStore<'a> {
    /// `present`: what the destination has already, by layer key.
    pub fn new(
        cache: &'a Cache,
        compression: Compression,
        present: BTreeMap<Digest, KnownLayer>,
    ) -> Self {
        Self { cache, compression, present, thorough: false, members: OnceLock::new() }
    }

    /// One that trusts no bytes that are there already: damaged ones are made anew.
    pub fn thorough(cache: &'a Cache, compression: Compression) -> Self {
        Self { thorough: true, ..Self::new(cache, compression, BTreeMap::new()) }
    }

    /// The layer of this key, if its bytes exist anywhere.
    pub fn find(&self, key: &Digest) -> Option<KnownLayer> {
        self.present.get(key).cloned().or_else(|| self.cached(key))
    }

    fn cached(&self, key: &Digest) -> Option<KnownLayer> {
        let record = self.read_record(&record_name(key))?;
        let path = self.cache.layers.get(&blob_name(&record.digest))?;
        // a blob is named by what it holds and put in place whole: its length tells enough, unless
        // somebody suspects the disk
        let whole = fs::metadata(&path).ok()?.len() == record.size
            && (!self.thorough || digest_of(&path).ok()? == record.digest);
        whole.then_some(KnownLayer {
            digest: record.digest,
            diff_id: record.diff_id,
            size: record.size,
            path: Some(path),
        })
    }

    fn read_record(&self, name: &str) -> Option<Record> {
        let bytes = self.cache.layers.read(name).ok()??;
        let record: Record = serde_json::from_slice(&bytes).ok()?;
        (record.version == RECORD_VERSION).then_some(record)
    }

    /// Makes the layer, and keeps it.
    #[tracing::instrument(level = "debug", skip_all, fields(title))]
    pub fn make(
        &self,
        title: &str,
        key: &Digest,
        manifest: &LayerManifest,
        contents: &LayerContents<'_>,
    ) -> Result<KnownLayer, ComposeError> {
        let failed = |source| ComposeError::Layer { layer: title.to_owned(), source };
        // its name is known only when it is written; the key's own name serves until then
        let pending = self.cache.layers.begin(&format!("{}.part", key.hex()))?;
        let mut out = BufWriter::with_capacity(1 << 20, pending);
        let written =
            write_layer(manifest, &self.compression, contents, self, &mut out).map_err(failed)?;
        let pending = out
            .into_inner()
            .map_err(|error| failed(strata_layer::LayerError::Write(error.into_error())))?;
        let name = blob_name(&written.digest);
        let path = pending.commit_as(&self.cache.layers.path(&name)?)?;
        let record = Record {
            version: RECORD_VERSION,
            digest: written.digest,
            diff_id: written.diff_id,
            size: written.size,
            members: written.spans.into_iter().map(|Span { key, range }| (key, range)).collect(),
        };
        let bytes = serde_json::to_vec(&record).unwrap_or_default();
        // half a record is no JSON, and then the layer is made again
        self.cache.layers.put_lazily(&record_name(key), &bytes)?;
        Ok(KnownLayer {
            digest: record.digest,
            diff_id: record.diff_id,
            size: record.size,
            path: Some(path),
        })
    }

    /// Where each member that was ever packed lies. Looked up only when a layer has to be made.
    fn member_index(&self) -> &BTreeMap<Digest, (PathBuf, Range<u64>)> {
        self.members.get_or_init(|| {
            let mut index = BTreeMap::new();
            let Ok(entries) = fs::read_dir(self.cache.layers.root()) else { return index };
            let mut names: Vec<String> = entries
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                .filter(|name| name.ends_with(RECORD))
                .collect();
            names.sort();
            for record in names.iter().filter_map(|name| self.read_record(name)) {
                let Some(path) = self.cache.layers.get(&blob_name(&record.digest)) else {
                    continue;
                };
                if self.thorough && digest_of(&path).ok() != Some(record.digest) {
                    continue;
                }
                for (key, range) in record.members {
                    index.insert(key, (path.clone(), range));
                }
            }
            index
        })
    }
}

impl MemberCache for LayerStore<'_> {
    fn get(&self, key: &Digest) -> Option<Box<dyn Read + Send>> {
        let (path, range) = self.member_index().get(key)?;
        let mut file = File::open(path).ok()?;
        file.seek(SeekFrom::Start(range.start)).ok()?;
        Some(Box::new(io::BufReader::with_capacity(1 << 18, file.take(range.end - range.start))))
    }
}

/// Reads the whole file.
fn digest_of(path: &Path) -> io::Result<Digest> {
    let mut hasher = HashingWriter::new(io::sink());
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finish().0)
}

const RECORD: &str = ".layer.json";

fn record_name(key: &Digest) -> String {
    format!("{}{RECORD}", key.hex())
}

fn blob_name(digest: &Digest) -> String {
    format!("{}.blob", digest.hex())
}
