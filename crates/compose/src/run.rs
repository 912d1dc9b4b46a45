//! What all commands that read a spec have in common.

use crate::{
    ComposeError, Options, Reporter,
    assemble_stage::Wanted,
    cache::Cache,
    documents::Documents,
    layer_stage::Planned,
    lock::Lock,
    packages::PackageSet,
    resolve_stage::{self, Resolved},
    root_stage::{Root, add_overlay_files, roots},
    target::Target,
};
use std::sync::Arc;
use strata_layer::Compression;
use strata_rootfs::accounts::Ids;

/// One run after everything is resolved.
pub(crate) struct Run<'a> {
    pub options: &'a Options,
    pub documents: Documents,
    pub cache: Cache,
    pub resolved: Resolved,
    pub compression: Compression,
}

impl<'a> Run<'a> {
    /// Reads the documents and resolves every image.
    pub fn begin(
        options: &'a Options,
        reporter: &Arc<dyn Reporter + Send>,
    ) -> Result<Self, ComposeError> {
        let documents = Documents::read(options)?;
        let cache = Cache::open(&options.cache_dir)?;
        let resolved = resolve_stage::resolve(&documents, options, &cache, reporter)?;
        Ok(Self { options, documents, cache, resolved, compression: Compression::default() })
    }

    /// The images that were asked for, with their positions among all.
    pub fn selected(&self) -> impl Iterator<Item = (usize, &Target)> {
        let all = self.resolved.targets.iter().enumerate();
        all.filter(|(_, target)| self.options.selects(target.image.name.as_str(), target.arch))
    }

    /// What the documents want of every image.
    pub fn wanted(&self) -> Result<Vec<Wanted<'_>>, ComposeError> {
        let targets = self.resolved.targets.iter();
        targets
            .map(|target| Wanted::new(&self.documents, self.options, target, &self.compression))
            .collect()
    }

    /// The packages of all images: fetched, verified, headers read.
    pub fn packages(&self) -> Result<PackageSet, ComposeError> {
        PackageSet::open(&self.cache, self.resolved.fetch()?)
    }

    /// Roots of all images with accounts and the overlay's files: all that shapes shared layers.
    pub fn roots<'b>(
        &'b self,
        wanted: &[Wanted<'_>],
        packages: &'b PackageSet,
    ) -> Result<(Vec<Root<'b>>, Ids), ComposeError> {
        let previous = self.resolved.before.as_ref().map(Lock::ids).unwrap_or_default();
        let epoch = self.options.source_date_epoch;
        let (mut roots, ids) = roots(&self.resolved.targets, packages, &previous, epoch)?;
        for (root, wanted) in roots.iter_mut().zip(wanted) {
            root.add_accounts(&ids);
            let files = wanted.files(&root.accounts())?;
            add_overlay_files(root, &files)?;
        }
        Ok((roots, ids))
    }

    /// The layers of all images, as close to the lock's plan as can be.
    pub fn plan(&self, roots: &[Root<'_>]) -> Result<Planned, ComposeError> {
        let previous = self.resolved.before.as_ref().and_then(Lock::plan);
        Planned::new(roots, &self.compression, previous)
    }
}
