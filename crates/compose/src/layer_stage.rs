//! LAYER, second half: the trees of all images become a plan and layers.

use crate::{
    ComposeError, Event, Reporter,
    layers::{KnownLayer, LayerStore},
    packages::{LayerContents, PackageSet},
    root_stage::Root,
};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use strata_layer::{
    Compression, LayerManifest,
    plan::{self, LayerPlan, PlanRecord, PlannedLayer},
    views::{ImageInput, Layering, PackageInput, Views, check_union},
};
use strata_oci::Digest;

/// Layers of all images before their bytes exist.
pub(crate) struct Planned {
    /// Which packages share a layer.
    pub plan: LayerPlan,
    /// Every layer's manifest.
    pub layering: Layering,
    /// Key of each shared layer, in the plan's order.
    pub keys: Vec<Digest>,
}

impl Planned {
    /// Plans the layers of these roots; the previous plan is a hint that keeps layers in place.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn new(
        roots: &[Root<'_>],
        compression: &Compression,
        previous: Option<PlanRecord>,
    ) -> Result<Self, ComposeError> {
        let inputs = Inputs::new(roots);
        let views = Views::collect(&inputs.images(roots));
        let plan = plan::plan(&views.task(plan::DEFAULT_BUDGET, previous))?;
        Ok(Self::arrange(&views, plan, compression))
    }

    /// The same plan after the roots were completed: now the images' own layers are final.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn complete(
        self,
        roots: &[Root<'_>],
        compression: &Compression,
    ) -> Result<Self, ComposeError> {
        let inputs = Inputs::new(roots);
        let images = inputs.images(roots);
        let done = Self::arrange(&Views::collect(&images), self.plan, compression);
        if cfg!(debug_assertions) {
            for input in &images {
                let image = done.image(input.name)?;
                check_union(input, &done.layering.stack(image)).map_err(ComposeError::Internal)?;
            }
        }
        Ok(done)
    }

    fn arrange(views: &Views<'_>, plan: LayerPlan, compression: &Compression) -> Self {
        let layering = views.arrange(&plan);
        let keys = layering.layers.par_iter().map(|layer| layer.key(compression)).collect();
        Self { plan, layering, keys }
    }

    /// The layers of an image, by [`crate::target::Target::id`].
    pub fn image(&self, id: &str) -> Result<&strata_layer::views::ImageLayers, ComposeError> {
        let found = self.layering.images.iter().find(|image| image.name == id);
        found.ok_or_else(|| ComposeError::Internal(format!("the image `{id}` has no layers")))
    }

    /// Sees to it that the shared layers of these images exist.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn make_shared(
        &self,
        images: &BTreeSet<String>,
        store: &LayerStore<'_>,
        packages: &PackageSet,
        reporter: &dyn Reporter,
    ) -> Result<BTreeMap<usize, KnownLayer>, ComposeError> {
        let wanted: BTreeSet<usize> =
            images.iter().filter_map(|id| self.plan.images.get(id)).flatten().copied().collect();
        let mut known = BTreeMap::new();
        let mut todo: Vec<(usize, &LayerManifest, &Digest)> = Vec::new();
        for at in wanted {
            let (Some(manifest), Some(key)) = (self.layering.layers.get(at), self.keys.get(at))
            else {
                continue;
            };
            match store.find(key) {
                Some(layer) => drop(known.insert(at, layer)),
                None => todo.push((at, manifest, key)),
            }
        }
        reporter
            .event(&Event::LayersStarted { layers: known.len() + todo.len(), known: known.len() });
        // the largest first: the last one to be taken up decides when all are done
        todo.sort_by_key(|(at, manifest, _)| (std::cmp::Reverse(manifest.content_size()), *at));
        let contents = self.contents(packages);
        // one by one in this order: rayon would cut the list in halves, the large ones in one
        let made: BTreeMap<usize, Result<KnownLayer, ComposeError>> = todo
            .into_iter()
            .par_bridge()
            .map(|(at, manifest, key)| {
                let title = self.title(at);
                let made = store.make(&title, key, manifest, &contents);
                if let Ok(layer) = &made {
                    reporter.event(&Event::LayerWritten { title, bytes: layer.size });
                }
                (at, made)
            })
            .collect();
        for (at, layer) in made {
            known.insert(at, layer?);
        }
        Ok(known)
    }

    /// Where the bytes of all layers come from.
    pub fn contents<'a>(&'a self, packages: &'a PackageSet) -> LayerContents<'a> {
        LayerContents { packages, inline: &self.layering.inline }
    }

    /// A shared layer in a few words.
    pub fn title(&self, at: usize) -> String {
        self.plan.layers.get(at).map(PlannedLayer::title).unwrap_or_default()
    }
}

/// What [`Views`] borrows.
struct Inputs<'a> {
    ids: Vec<String>,
    packages: Vec<Vec<PackageInput<'a>>>,
}

impl<'a> Inputs<'a> {
    fn new(roots: &'a [Root<'_>]) -> Self {
        let packages = roots.iter().map(|root| {
            root.files
                .iter()
                .map(|file| PackageInput {
                    package: &file.package,
                    checksum: &file.checksum,
                    source: file.package.source_name(),
                })
                .collect()
        });
        Self {
            ids: roots.iter().map(|root| root.target.id()).collect(),
            packages: packages.collect(),
        }
    }

    fn images(&'a self, roots: &'a [Root<'_>]) -> Vec<ImageInput<'a>> {
        let parts = roots.iter().zip(&self.ids).zip(&self.packages);
        parts
            .map(|((root, id), packages)| ImageInput {
                name: id,
                merged: &root.merged,
                packages,
                owners: &root.owners,
            })
            .collect()
    }
}
