//! Checks a layout against the specification and against what clients were seen to refuse.
//!
//! What is wrong comes back as values; an error means that nothing could be checked at all.

mod rules;

pub use rules::{Rule, TarRules};

use crate::{
    Descriptor, DiffId, Digest, HashingWriter, ImageConfig, Index, Manifest, Platform,
    layout::{Layout, LayoutError},
    media, unpack,
};
use sha2::{Digest as _, Sha256};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::{self, BufReader, Read},
    rc::Rc,
};

/// Docker 20.10 fails at 126 layers, podman's overlay at 129.
pub const MOST_LAYERS: usize = 120;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which image, by name (or by digest when the index gives none).
    pub image: String,
    /// Which blob.
    pub blob: Digest,
    /// What about it.
    pub problem: Problem,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}: {}", self.image, self.blob, self.problem)
    }
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The blob is missing, damaged, or no document.
    #[error("{0}")]
    Blob(String),
    /// The bytes do not have the digest that is the blob's name.
    #[error("the bytes have the digest `{0}`")]
    Digest(Digest),
    /// The blob is longer or shorter than the descriptor says.
    #[error("the blob is {found} bytes long, the descriptor says {expected}")]
    Size {
        /// In the descriptor.
        expected: u64,
        /// On the disk.
        found: u64,
    },
    /// The tar inside is another than the configuration names.
    #[error("the tar has the diff id `{found}`, the configuration says `{expected}`")]
    DiffId {
        /// In the configuration.
        expected: DiffId,
        /// Of the tar.
        found: DiffId,
    },
    /// Manifest and configuration differ in the number of layers.
    #[error("{layers} layers in the manifest, {diff_ids} diff ids in the configuration")]
    LayerCount {
        /// In the manifest.
        layers: usize,
        /// In the configuration.
        diff_ids: usize,
    },
    /// The history does not cover the layers.
    #[error("{layers} layers, {history} of them in the history")]
    History {
        /// In the manifest.
        layers: usize,
        /// Entries of the history that made a layer.
        history: usize,
    },
    /// More layers than clients can mount.
    #[error("{0} layers, more than the {MOST_LAYERS} that every client can mount")]
    TooManyLayers(usize),
    /// The index says another platform than the configuration.
    #[error("the index says `{index}`, the configuration `{config}`")]
    Platform {
        /// In the index.
        index: Platform,
        /// In the configuration.
        config: Platform,
    },
    /// A media type that does not belong there.
    #[error("the media type `{0}` does not belong here")]
    MediaType(String),
    /// Two entries of the index have one name.
    #[error("the name is listed more than once")]
    DuplicateName,
    /// A rule of the layer's tar is broken.
    #[error("{0}")]
    Tar(Rule),
}

/// What was looked at, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Distinct images: platforms count apart, names of one image do not.
    pub images: usize,
    /// Distinct layers.
    pub layers: usize,
    /// Bytes of all distinct blobs read.
    pub bytes: u64,
    /// What is wrong, in the order of the index.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Checks every image of a layout: digests, sizes, documents, diff ids, tar rules.
pub fn validate(layout: &Layout) -> Result<Report, LayoutError> {
    let index = layout.index()?;
    let mut check = Check {
        layout,
        report: Report::default(),
        images: BTreeSet::new(),
        layers: BTreeMap::new(),
    };
    let mut names = BTreeSet::new();
    for entry in &index.manifests {
        let name = entry.ref_name().map_or_else(|| entry.digest.to_string(), str::to_owned);
        if !names.insert(name.clone()) {
            check.found(&name, entry.digest, Problem::DuplicateName);
        }
        check.entry(&name, entry, 0);
    }
    check.report.layers = check.layers.len();
    Ok(check.report)
}

struct Check<'a> {
    layout: &'a Layout,
    report: Report,
    /// Manifests and indexes that were looked at: a tag is another name of an image, not another
    /// image.
    images: BTreeSet<Digest>,
    layers: BTreeMap<Digest, Result<CheckedLayer, Vec<Problem>>>,
}

#[derive(Clone)]
struct CheckedLayer {
    diff_id: DiffId,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn found(&mut self, image: &str, blob: Digest, problem: Problem) {
        self.report.findings.push(Finding { image: image.to_owned(), blob, problem });
    }

    /// Sizes are what strangers claim: they may add up to more than a number can hold.
    fn count(&mut self, descriptor: &Descriptor) {
        self.report.bytes = self.report.bytes.saturating_add(descriptor.size);
    }

    fn document<T: for<'de> serde::Deserialize<'de>>(
        &mut self,
        image: &str,
        descriptor: &Descriptor,
    ) -> Option<T> {
        match self.layout.read_json(descriptor) {
            Ok(document) => {
                self.count(descriptor);
                Some(document)
            }
            Err(error) => {
                self.found(image, descriptor.digest, Problem::Blob(error.to_string()));
                None
            }
        }
    }

    fn entry(&mut self, name: &str, entry: &Descriptor, depth: usize) {
        match entry.media_type.as_str() {
            media::MANIFEST | media::DOCKER_MANIFEST => self.image(name, entry),
            media::INDEX | media::DOCKER_LIST if depth < 8 => {
                // one that lists the next many times would otherwise be followed as often
                if !self.images.insert(entry.digest) {
                    return;
                }
                let Some(index) = self.document::<Index>(name, entry) else { return };
                for inner in &index.manifests {
                    self.entry(name, inner, depth + 1);
                }
            }
            other => self.found(name, entry.digest, Problem::MediaType(other.to_owned())),
        }
    }

    fn image(&mut self, name: &str, entry: &Descriptor) {
        if !self.images.insert(entry.digest) {
            return;
        }
        self.report.images += 1;
        let Some(manifest) = self.document::<Manifest>(name, entry) else { return };
        let Some(config) = self.document::<ImageConfig>(name, &manifest.config) else { return };
        for problem in agreement(entry, &manifest, &config) {
            self.found(name, entry.digest, problem);
        }
        for (at, layer) in manifest.layers.iter().enumerate() {
            let diff_id = config.rootfs.diff_ids.get(at).copied();
            self.layer(name, layer, diff_id);
        }
    }

    fn layer(&mut self, name: &str, layer: &Descriptor, expected: Option<DiffId>) {
        if !self.layers.contains_key(&layer.digest) {
            self.count(layer);
            let checked = check_layer(self.layout, layer);
            self.layers.insert(layer.digest, checked);
        }
        let checked = self.layers.get(&layer.digest).cloned();
        match checked {
            Some(Ok(CheckedLayer { diff_id, problems })) => {
                for problem in problems {
                    self.found(name, layer.digest, problem);
                }
                if let Some(expected) = expected.filter(|expected| *expected != diff_id) {
                    let problem = Problem::DiffId { expected, found: diff_id };
                    self.found(name, layer.digest, problem);
                }
            }
            Some(Err(problems)) => {
                for problem in problems {
                    self.found(name, layer.digest, problem);
                }
            }
            None => {}
        }
    }
}

fn agreement(entry: &Descriptor, manifest: &Manifest, config: &ImageConfig) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (layers, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
    if layers != diff_ids {
        problems.push(Problem::LayerCount { layers, diff_ids });
    }
    if layers > MOST_LAYERS {
        problems.push(Problem::TooManyLayers(layers));
    }
    let history = config.history.iter().filter(|step| !step.empty_layer).count();
    if !config.history.is_empty() && history != layers {
        problems.push(Problem::History { layers, history });
    }
    if let Some(platform) = &entry.platform
        && *platform != config.platform
    {
        problems
            .push(Problem::Platform { index: platform.clone(), config: config.platform.clone() });
    }
    problems
}

/// Reads a layer once: the stored bytes into one hash, the tar into another, the entries past the
/// rules.
fn check_layer(layout: &Layout, layer: &Descriptor) -> Result<CheckedLayer, Vec<Problem>> {
    let Some(packing) = media::layer_packing(&layer.media_type) else {
        return Err(vec![Problem::MediaType(layer.media_type.clone())]);
    };
    let file =
        layout.open_blob(&layer.digest).map_err(|error| vec![Problem::Blob(error.to_string())])?;
    let stored = Rc::new(RefCell::new((Sha256::new(), 0)));
    let tee = Tee { inner: file, hash: Rc::clone(&stored) };
    let mut rules = TarRules::default();
    let mut tar = TarHash { hash: HashingWriter::new(io::sink()) };
    let read = unpack::decompress(packing, BufReader::with_capacity(1 << 17, tee)).and_then(
        |mut reader| {
            let hashed = ReadInto { inner: &mut reader, tar: &mut tar };
            unpack::for_each_entry(hashed, &mut |entry, _| {
                rules.entry(entry);
                Ok(())
            })?;
            // What lies behind the end of the compressed stream belongs to the blob too.
            io::copy(&mut reader, &mut io::sink()).map(drop)
        },
    );
    let mut problems: Vec<Problem> = rules.finish().into_iter().map(Problem::Tar).collect();
    if let Err(error) = read {
        problems.push(Problem::Blob(format!("the layer cannot be read: {error}")));
    }
    let (hash, found) = std::mem::take(&mut *stored.borrow_mut());
    if found != layer.size {
        problems.push(Problem::Size { expected: layer.size, found });
    }
    let digest = Digest::from_bytes(hash.finalize().into());
    if digest != layer.digest {
        problems.push(Problem::Digest(digest));
    }
    let (diff_id, _, _) = tar.hash.finish();
    Ok(CheckedLayer { diff_id: diff_id.into(), problems })
}

/// Hashes what is read from a file.
struct Tee<R> {
    inner: R,
    hash: Rc<RefCell<(Sha256, u64)>>,
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let taken = self.inner.read(out)?;
        let mut hash = self.hash.borrow_mut();
        hash.0.update(&out[..taken]);
        hash.1 += taken as u64;
        Ok(taken)
    }
}

struct TarHash {
    hash: HashingWriter<io::Sink>,
}

struct ReadInto<'a, R> {
    inner: R,
    tar: &'a mut TarHash,
}

impl<R: Read> Read for ReadInto<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let taken = self.inner.read(out)?;
        io::Write::write_all(&mut self.tar.hash, &out[..taken])?;
        Ok(taken)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
mod tests;
