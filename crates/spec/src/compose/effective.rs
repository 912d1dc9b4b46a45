//! An image with the settings at the top and its includes merged in.

use super::{ComposeSpec, ImageSpec, Scriptlets, Settings};
use crate::{Arch, ImageName, Located, Place, Port, SpecError, error::Problem};
use std::collections::{BTreeMap, BTreeSet};

/// What an image is to be, nothing left open.
#[derive(Debug, Clone)]
pub struct EffectiveImage {
    /// Its name.
    pub name: ImageName,
    /// Where its key stands.
    pub place: Place,
    /// What to build it for, at least one, each once, in the order given.
    pub archs: Vec<Arch>,
    /// The distribution's key.
    pub distro: Option<Located<String>>,
    /// `$releasever`
    pub releasever: Option<Located<String>>,
    /// Other variables of repository addresses.
    pub vars: BTreeMap<String, String>,
    /// Packages never taken, each once.
    pub exclude: Vec<Located<String>>,
    /// Only the newest version will do.
    pub best: bool,
    /// Recommended packages too.
    pub weak_deps: bool,
    /// Documentation too.
    pub docs: bool,
    /// Languages; all when `None`.
    pub langs: Option<Vec<String>>,
    /// What to do with scriptlets that cannot be interpreted.
    pub scriptlets: Scriptlets,
    /// Relative number of pulls.
    pub weight: u32,
    /// What to install, each request once: those of included images first.
    pub packages: Vec<Located<String>>,
    /// Program and arguments.
    pub entrypoint: Option<Located<Vec<String>>>,
    /// Ports.
    pub expose: Vec<Located<Port>>,
}

impl ComposeSpec {
    /// An image as it is to be built; none for a name that is not in [`ComposeSpec::images`].
    ///
    /// What an image says itself wins over the top, but `exclude` and `vars` add up. Of an included
    /// image only the packages are taken, and those of its own includes.
    pub fn effective(&self, name: &ImageName) -> Option<EffectiveImage> {
        let image = self.images.get(name)?;
        let (top, own) = (&self.defaults, &image.settings);
        let mut vars: BTreeMap<String, String> = BTreeMap::new();
        for (key, value) in top.vars.iter().chain(&own.vars) {
            vars.insert(key.clone(), value.value.clone());
        }
        let arch = own.arch.as_ref().or(top.arch.as_ref());
        let archs = arch.into_iter().flatten().map(|arch| arch.value);
        let mut archs: Vec<Arch> = once_each(archs, |arch| *arch);
        if archs.is_empty() {
            archs.push(Arch::DEFAULT);
        }
        let langs = own.langs.as_ref().or(top.langs.as_ref());
        let langs = langs.filter(|langs| !langs.iter().any(|lang| lang == "all")).cloned();
        let exclude = top.exclude.iter().chain(&own.exclude).cloned();
        Some(EffectiveImage {
            name: name.clone(),
            place: image.place.clone(),
            archs,
            distro: own.distro.clone().or_else(|| top.distro.clone()),
            releasever: own.releasever.clone().or_else(|| top.releasever.clone()),
            vars,
            exclude: once_each(exclude, |request| request.value.clone()),
            best: own.best.or(top.best).unwrap_or(false),
            weak_deps: own.weak_deps.or(top.weak_deps).unwrap_or(false),
            docs: own.docs.or(top.docs).unwrap_or(false),
            langs,
            scriptlets: own.scriptlets.or(top.scriptlets).unwrap_or_default(),
            weight: own.weight.or(top.weight).unwrap_or(1),
            packages: self.packages_of(name),
            entrypoint: image.entrypoint.clone(),
            expose: once_each(image.expose.iter().cloned(), |port| port.value),
        })
    }

    /// Images that `image` takes in directly.
    fn includes_of<'a>(
        &'a self,
        name: &ImageName,
        image: &'a ImageSpec,
    ) -> &'a [Located<ImageName>] {
        if let Some(own) = &image.settings.include {
            return own;
        }
        match &self.defaults.include {
            Some(top) if !self.below_top().contains(name) => top,
            _ => &[],
        }
    }

    /// The images that the top's `include` reaches: it does not apply to them.
    fn below_top(&self) -> BTreeSet<&ImageName> {
        let mut below = BTreeSet::new();
        let mut todo: Vec<&ImageName> =
            self.defaults.include.iter().flatten().map(|name| &name.value).collect();
        while let Some(name) = todo.pop() {
            if below.insert(name)
                && let Some(Settings { include: Some(names), .. }) =
                    self.images.get(name).map(|image| &image.settings)
            {
                todo.extend(names.iter().map(|name| &name.value));
            }
        }
        below
    }

    fn packages_of(&self, name: &ImageName) -> Vec<Located<String>> {
        let mut order = Vec::new();
        self.collect(name, &mut BTreeSet::new(), &mut order);
        let requests = order.into_iter().flat_map(|image| image.packages.iter().cloned());
        once_each(requests, |request| request.value.clone())
    }

    /// Depth first, each image once; [`Self::check_includes`] has bounded the depth.
    fn collect<'a>(
        &'a self,
        name: &ImageName,
        seen: &mut BTreeSet<ImageName>,
        order: &mut Vec<&'a ImageSpec>,
    ) {
        let Some(image) = self.images.get(name) else { return };
        if !seen.insert(name.clone()) {
            return;
        }
        for included in self.includes_of(name, image) {
            self.collect(&included.value, seen, order);
        }
        order.push(image);
    }

    /// Refuses includes of images that do not exist, cycles, and chains beyond reason.
    pub(super) fn check_includes(&self) -> Result<(), SpecError> {
        let tops = self.defaults.include.iter().flatten();
        let owns = self.images.values().flat_map(|image| image.settings.include.iter().flatten());
        for included in tops.chain(owns) {
            if !self.images.contains_key(&included.value) {
                return Err(self.unknown_image(included.value.as_str(), &included.place));
            }
        }
        let mut heights = BTreeMap::new();
        for name in self.images.keys() {
            self.descend(name, &mut Vec::new(), &mut heights)?;
        }
        Ok(())
    }

    /// Length of the longest chain of includes that begins at an image.
    fn descend<'a>(
        &'a self,
        name: &'a ImageName,
        chain: &mut Vec<&'a ImageName>,
        heights: &mut BTreeMap<&'a ImageName, usize>,
    ) -> Result<usize, SpecError> {
        let Some(image) = self.images.get(name) else { return Ok(0) };
        if let Some(height) = heights.get(name) {
            return Ok(*height);
        }
        chain.push(name);
        let mut height = 0;
        for included in self.includes_of(name, image) {
            let refuse = |problem| Err(included.place.clone().error(problem));
            if let Some(start) = chain.iter().position(|above| **above == included.value) {
                let cycle = chain.iter().skip(start).copied().chain([&included.value]);
                let chain = cycle.map(ToString::to_string).collect();
                return refuse(Problem::IncludeCycle { chain });
            }
            let too_deep = || Problem::invalid(format!("includes are more than {DEEPEST} deep"));
            if chain.len() >= DEEPEST {
                return refuse(too_deep());
            }
            height = height.max(1 + self.descend(&included.value, chain, heights)?);
            if height >= DEEPEST {
                return refuse(too_deep());
            }
        }
        chain.pop();
        heights.insert(name, height);
        Ok(height)
    }
}

/// Longest chain of includes.
const DEEPEST: usize = 100;

/// Drops what was there before, by a key.
fn once_each<T, K: Ord>(items: impl Iterator<Item = T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut seen = BTreeSet::new();
    items.filter(|item| seen.insert(key(item))).collect()
}
