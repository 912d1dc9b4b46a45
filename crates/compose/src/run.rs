//! What all commands that read a spec have in common.

use crate::{
    ComposeError, FailedImage, Options, PluginFailure, PluginHost, Reporter,
    assemble_stage::Wanted,
    cache::Cache,
    documents::Documents,
    layer_stage::Planned,
    lock::Lock,
    overlay_files::add_overlay_files,
    packages::PackageSet,
    plugin_stage::post_process,
    plugins::Plugins,
    resolve_stage::{self, Resolved},
    root_stage::{Root, roots},
    scriptlet_stage::run_scriptlets,
    target::Target,
};
use rayon::prelude::*;
use std::{collections::BTreeMap, sync::Arc};
use strata_layer::Compression;
use strata_rootfs::accounts::Ids;

/// One run after everything is resolved.
pub(crate) struct Run<'a> {
    pub options: &'a Options,
    pub documents: Documents,
    pub cache: Cache,
    pub resolved: Resolved,
    pub plugins: Plugins,
    pub compression: Compression,
}

impl<'a> Run<'a> {
    /// Reads the documents, resolves every image, and loads the plugins where there is a host.
    pub fn begin(
        options: &'a Options,
        host: Option<&dyn PluginHost>,
        reporter: &Arc<dyn Reporter + Send>,
    ) -> Result<Self, ComposeError> {
        let documents = Documents::read(options)?;
        let cache = Cache::open(&options.cache_dir)?;
        let resolved = resolve_stage::resolve(&documents, options, &cache, reporter)?;
        let targets = &resolved.targets;
        let plugins = match host {
            Some(host) => Plugins::load(&documents, targets, host),
            None => Plugins::named(&documents, targets),
        };
        plugins.refuse_drift(options, &documents, resolved.before.as_ref())?;
        let compression = Compression::default();
        Ok(Self { options, documents, cache, resolved, plugins, compression })
    }

    /// The images that were asked for, with their positions among all.
    pub fn selected(&self) -> impl Iterator<Item = (usize, &Target)> {
        let all = self.resolved.targets.iter().enumerate();
        all.filter(|(_, target)| self.options.selects(target.image.name.as_str(), target.arch))
    }

    /// What the documents want of every image.
    pub fn wanted(&self) -> Result<Vec<Wanted<'_>>, ComposeError> {
        let targets = self.resolved.targets.iter().enumerate();
        let wanted = |(at, target)| {
            let plugins = self.plugins.of(at).unwrap_or_default();
            Wanted::new(&self.documents, self.options, target, &self.compression, plugins)
        };
        targets.map(wanted).collect()
    }

    /// The packages of all images: fetched, verified, headers read.
    pub fn packages(&self) -> Result<PackageSet, ComposeError> {
        PackageSet::open(&self.cache, self.resolved.fetch()?)
    }

    /// Roots of all images with accounts, what scripts leave, and the overlay's files: all that
    /// shapes layers but what post-processors do.
    pub fn roots<'b>(
        &'b self,
        wanted: &[Wanted<'_>],
        packages: &'b PackageSet,
    ) -> Result<(Vec<Root<'b>>, Ids), ComposeError> {
        let previous = self.resolved.before.as_ref().map(Lock::ids).unwrap_or_default();
        let epoch = self.options.source_date_epoch;
        let (mut roots, ids) =
            roots(&self.resolved.targets, packages, &previous, epoch, &self.plugins)?;
        let done: Vec<Result<(), ComposeError>> = roots
            .par_iter_mut()
            .zip(wanted)
            .map(|(root, wanted)| {
                root.add_accounts(&ids);
                run_scriptlets(root, &wanted.scriptlets, packages, &self.cache.scriptlets)
            })
            .collect();
        done.into_iter().collect::<Result<(), _>>()?;
        for (root, wanted) in roots.iter_mut().zip(wanted) {
            let files = wanted.files(&root.accounts());
            match files.and_then(|files| add_overlay_files(root, &files)) {
                // a filter may have left out an account or a directory that the overlay counts on
                Err(error) if root.touched => {
                    let failure = PluginFailure::of("after its plugins left files out", &error);
                    root.found.fail(failure);
                }
                done => done?,
            }
        }
        Ok((roots, ids))
    }

    /// Runs the post-processors of some images: of all where layers are planned, for one image's
    /// tree decides what others share.
    pub fn post_process(
        &self,
        roots: &mut [Root<'_>],
        packages: &PackageSet,
        which: impl Fn(usize) -> bool + Sync,
    ) {
        roots.par_iter_mut().enumerate().filter(|(at, _)| which(*at)).for_each(|(at, root)| {
            post_process(root, self.plugins.of(at).unwrap_or_default(), packages);
        });
    }

    /// The selected ones of these failures, for a report.
    pub fn failed(&self, failures: &BTreeMap<usize, PluginFailure>) -> Vec<FailedImage> {
        let of = |(at, target): (usize, &Target)| {
            let failure = failures.get(&at)?.clone();
            let (name, arch) = (target.image.name.to_string(), target.arch.to_string());
            Some(FailedImage { name, arch, failure })
        };
        self.selected().filter_map(of).collect()
    }

    /// The layers of all images, as close to the lock's plan as can be.
    pub fn plan(&self, roots: &[Root<'_>]) -> Result<Planned, ComposeError> {
        let previous = self.resolved.before.as_ref().and_then(Lock::plan);
        Planned::new(roots, &self.compression, previous)
    }
}
