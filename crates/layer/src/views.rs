//! From the trees of all images to the manifests of their layers.
//!
//! A package's *view* in an image is what it puts there: names and attributes as its header and
//! the shared owner numbers give them, at the places where the merge put them. Images that agree
//! on the view of a package share it. Stacked, the shared layers of an image come close to its
//! tree; whatever still differs (another package's time on a shared file, a directory's mode,
//! everything that was generated) is in the image's own layers, so that the union is the tree,
//! always.

mod fixup;
mod package;
mod shared;
mod stack;
mod union;

pub use union::check_union;

use crate::{
    LayerManifest,
    plan::{Atom, AtomId, LayerPlan, LayerTask, PlanImage, PlanRecord},
};
use package::View;
use shared::Installed;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};
use strata_oci::Digest;
use strata_rootfs::{Kind, Merged, Owners, TreePath};
use strata_rpm::{Checksum, Package};

/// One image: its tree and what it was made of.
#[derive(Debug, Clone, Copy)]
pub struct ImageInput<'a> {
    /// Its name.
    pub name: &'a str,
    /// Tree and fates. The tree may have been changed since the merge.
    pub merged: &'a Merged,
    /// In installation order, as the merge had them.
    pub packages: &'a [PackageInput<'a>],
    /// The numbers that the merge used.
    pub owners: &'a Owners,
}

/// One package of an image.
#[derive(Debug, Clone, Copy)]
pub struct PackageInput<'a> {
    /// What its header says.
    pub package: &'a Package,
    /// Its identity.
    pub checksum: &'a Checksum,
    /// Name of its source package.
    pub source: &'a str,
}

/// The views of all packages in all images.
pub struct Views<'a> {
    /// By name.
    images: BTreeMap<&'a str, ImageInput<'a>>,
    packages: BTreeMap<&'a Checksum, &'a Package>,
    views: Vec<SharedView<'a>>,
    /// By name, for images of which it was asked.
    installed: BTreeMap<&'a str, OnceLock<Installed<'a>>>,
}

/// A view, and the images that agree on it.
struct SharedView<'a> {
    checksum: &'a Checksum,
    source: &'a str,
    images: BTreeSet<&'a str>,
    view: View,
}

/// Manifests of all layers.
#[derive(Debug, Clone, Default)]
pub struct Layering {
    /// The shared layers, in the plan's order.
    pub layers: Vec<LayerManifest>,
    /// The images by name.
    pub images: Vec<ImageLayers>,
    /// Bytes that the images' own layers refer to.
    pub inline: BTreeMap<Digest, Arc<[u8]>>,
}

/// The layers of one image: the shared ones, then that of overlay and post-processors, then the
/// state.
#[derive(Debug, Clone)]
pub struct ImageLayers {
    /// Its name.
    pub name: String,
    /// Positions in [`Layering::layers`], the lowest first.
    pub shared: Vec<usize>,
    /// The overlay's files and what post-processors made or changed, if there is anything.
    pub overlay: Option<LayerManifest>,
    /// What was generated, and what the stack has otherwise than the tree.
    pub state: LayerManifest,
    /// Device nodes, which no layer has: a container's `/dev` is its runtime's.
    pub left_out: Vec<TreePath>,
}

impl<'a> Views<'a> {
    /// Looks at every package of every image.
    pub fn collect(images: &[ImageInput<'a>]) -> Self {
        let images: BTreeMap<&str, ImageInput<'a>> =
            images.iter().map(|image| (image.name, *image)).collect();
        let mut packages = BTreeMap::new();
        let mut found: BTreeMap<(&Checksum, Digest), SharedView<'a>> = BTreeMap::new();
        for image in images.values() {
            for (index, input) in image.packages.iter().enumerate() {
                packages.insert(input.checksum, input.package);
                let view = View::of(image, index, input);
                if view.inodes.is_empty() {
                    // Its directories, if it has any, are in the images' own layers.
                    continue;
                }
                let shared =
                    found.entry((input.checksum, view.digest())).or_insert_with(|| SharedView {
                        checksum: input.checksum,
                        source: input.source,
                        images: BTreeSet::new(),
                        view,
                    });
                shared.images.insert(image.name);
            }
        }
        let mut views: Vec<_> = found.into_values().collect();
        views.sort_by(|a, b| a.rank(&packages).cmp(&b.rank(&packages)));
        let installed = images.keys().map(|name| (*name, OnceLock::new())).collect();
        Self { images, packages, views, installed }
    }

    /// What the plan is to distribute.
    pub fn atoms(&self) -> Vec<Atom> {
        let mut atoms: BTreeMap<AtomId, u64> = BTreeMap::new();
        for view in &self.views {
            let size = atoms.entry(view.atom()).or_default();
            *size = size.saturating_add(view.view.size());
        }
        atoms.into_iter().map(|(id, size)| Atom { id, size }).collect()
    }

    /// The plan's task for these images.
    pub fn task(&self, budget: usize, previous: Option<PlanRecord>) -> LayerTask {
        let images = self.images.values().map(|image| {
            let overlaid = image.merged.tree.iter().any(|(_, node)| fixup::is_laid_over(node));
            PlanImage { name: image.name.to_owned(), own_layers: 1 + usize::from(overlaid) }
        });
        LayerTask { images: images.collect(), atoms: self.atoms(), budget, previous }
    }

    /// The manifests that a plan of [`Self::task`] leads to.
    pub fn arrange(&self, plan: &LayerPlan) -> Layering {
        let mut by_atom: BTreeMap<AtomId, Vec<usize>> = BTreeMap::new();
        for (at, view) in self.views.iter().enumerate() {
            by_atom.entry(view.atom()).or_default().push(at);
        }
        let layers: Vec<LayerManifest> =
            plan.layers.iter().map(|layer| shared::manifest(self, layer, &by_atom)).collect();
        let mut inline = BTreeMap::new();
        let mut images = Vec::new();
        for image in self.images.values() {
            let shared = plan.images.get(image.name).cloned().unwrap_or_default();
            let stack: Vec<&LayerManifest> =
                shared.iter().filter_map(|at| layers.get(*at)).collect();
            let own = fixup::own_layers(image, &stack, &self.packages, &mut inline);
            let devices = image.merged.tree.iter();
            let devices = devices.filter(|(_, node)| matches!(node.kind, Kind::Device { .. }));
            images.push(ImageLayers {
                name: image.name.to_owned(),
                shared,
                overlay: own.overlay,
                state: own.state,
                left_out: devices.map(|(path, _)| path.clone()).collect(),
            });
        }
        Layering { layers, images, inline }
    }
}

impl SharedView<'_> {
    fn atom(&self) -> AtomId {
        AtomId {
            source: self.source.to_owned(),
            images: self.images.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// Members of a layer are in the order of their packages' names.
    fn rank<'b>(
        &'b self,
        packages: &BTreeMap<&Checksum, &'b Package>,
    ) -> (Option<(&'b str, &'b str)>, &'b Checksum, &'b BTreeSet<&'b str>) {
        let nevra = packages.get(self.checksum).map(|package| &package.nevra);
        let names = nevra.map(|nevra| (nevra.name.as_str(), nevra.arch.as_str()));
        (names, self.checksum, &self.images)
    }
}

impl Layering {
    /// All layers of an image, the lowest first.
    pub fn stack<'b>(&'b self, image: &'b ImageLayers) -> Vec<&'b LayerManifest> {
        let shared = image.shared.iter().filter_map(|at| self.layers.get(*at));
        shared.chain(&image.overlay).chain([&image.state]).collect()
    }
}

/// The file indexes under which [`crate::Contents::read_package`] gives a package's contents.
#[derive(Debug, Clone)]
pub struct ContentIndexes(BTreeMap<u32, u32>);

impl ContentIndexes {
    /// Of this package; to be made once for all its files.
    pub fn of(package: &Package) -> Self {
        let mut last_of = BTreeMap::new();
        for set in package.hard_links() {
            if let Some(last) = set.last() {
                last_of.extend(set.iter().map(|member| (*member, *last)));
            }
        }
        Self(last_of)
    }

    /// Of a hard link set the last member's, whichever member the payload has the content with.
    pub fn get(&self, file: u32) -> u32 {
        self.0.get(&file).copied().unwrap_or(file)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod plugin_tests;
