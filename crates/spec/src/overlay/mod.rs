//! The metadata overlay: everything about the images that is not a package.
//!
//! ```json
//! { "images": {
//!     "*":   { "annotations": { "org.opencontainers.image.vendor": "Example" } },
//!     "web": { "config": { "Cmd": ["nginx", "-g", "daemon off;"], "User": "nginx" },
//!              "tags": ["1.2"],
//!              "files": [ { "path": "/etc/motd", "content": "hello\n", "mode": "0644" } ] } } }
//! ```
//!
//! `"*"` speaks of all images; what is said of one image wins over it. `config` has OCI's fields by
//! their own names; collections (`Env`, `Labels`, `ExposedPorts`, `Volumes`, `annotations`) add up,
//! key by key, and `null` takes away what weaker sources gave.

mod config;
mod files;
pub(crate) mod keys;
mod plugins;
mod set;

use crate::{
    ComposeSpec, ImageName, Located, Place, Scriptlets, Source, SpecError, compose::image_name,
    error::Problem, image_name::Tag, shape::Cursor,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};
use strata_oci::Change;

pub use files::{Account, FileContent, OverlayFile};
pub use plugins::{parse_plugin, stack_plugins};
pub use set::parse_set;

/// A metadata overlay.
#[derive(Debug, Clone)]
pub struct Overlay {
    /// The text.
    pub source: Arc<Source>,
    /// Plugins in the order they run.
    pub plugins: BTreeMap<Selector, Vec<PluginUse>>,
    /// What it says of images.
    pub images: BTreeMap<Selector, ImageOverlay>,
}

/// Which images a part of the overlay speaks of. [`Selector::All`] is the weaker one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// `"*"`
    All,
    /// One image.
    One(ImageName),
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::One(name) => name.fmt(f),
        }
    }
}

/// A plugin and its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginUse {
    /// A bundled name, a path that ends in `.wasm`, or `oci://REFERENCE`.
    pub reference: Located<String>,
    /// Its configuration, an object.
    pub config: serde_json::Value,
}

/// What the overlay says of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageOverlay {
    /// Where its key stands.
    pub place: Place,
    /// Changes of `config` and `annotations`, in the order of the document.
    pub changes: Vec<Located<Change>>,
    /// Tags.
    pub tags: Vec<Located<Tag>>,
    /// Files.
    pub files: Vec<OverlayFile>,
    /// By the name of a package what to do with its scripts that cannot be interpreted.
    pub scriptlets: BTreeMap<String, Scriptlets>,
}

impl Overlay {
    /// From a value that has passed its table.
    pub(crate) fn read(root: &Cursor<'_>) -> Result<Self, SpecError> {
        let mut images = BTreeMap::new();
        let mut plugins = BTreeMap::new();
        for (key, at) in root.get("images").iter().flat_map(Cursor::entries) {
            let selector = selector(key.text, key.place())?;
            images.insert(selector, ImageOverlay::read(key.place(), &at)?);
        }
        for (key, at) in root.get("plugins").iter().flat_map(Cursor::entries) {
            plugins.insert(selector(key.text, key.place())?, plugins::read(&at)?);
        }
        Ok(Self { source: Arc::clone(root.source), plugins, images })
    }

    /// What is said of an image, the weaker first.
    pub fn of<'a>(&'a self, image: &ImageName) -> impl Iterator<Item = &'a ImageOverlay> + use<'a> {
        let one = Selector::One(image.clone());
        [self.images.get(&Selector::All), self.images.get(&one)].into_iter().flatten()
    }

    /// The image's tags, each once.
    pub fn tags(&self, image: &ImageName) -> Vec<Tag> {
        let tags = self.of(image).flat_map(|part| &part.tags).map(|tag| tag.value.clone());
        let mut seen = BTreeSet::new();
        tags.filter(|tag| seen.insert(tag.clone())).collect()
    }

    /// The image's files by path; its own take the place of those for all images.
    pub fn files(&self, image: &ImageName) -> Vec<&OverlayFile> {
        let files = self.of(image).flat_map(|part| &part.files);
        let by_path: BTreeMap<&str, &OverlayFile> =
            files.map(|file| (file.path.value.as_str(), file)).collect();
        by_path.into_values().collect()
    }

    /// By the name of a package what to do with its scripts that cannot be interpreted; what is
    /// said of the image wins.
    pub fn scriptlets(&self, image: &ImageName) -> BTreeMap<String, Scriptlets> {
        let all = self.of(image).flat_map(|part| &part.scriptlets);
        all.map(|(package, word)| (package.clone(), *word)).collect()
    }

    /// Refuses names of images that the compose file does not have.
    pub fn check_images(&self, spec: &ComposeSpec) -> Result<(), SpecError> {
        for (selector, part) in &self.images {
            check_image(spec, selector, &part.place)?;
        }
        for (selector, uses) in &self.plugins {
            if let Some(first) = uses.first() {
                check_image(spec, selector, &first.reference.place)?;
            }
        }
        Ok(())
    }
}

fn check_image(spec: &ComposeSpec, selector: &Selector, place: &Place) -> Result<(), SpecError> {
    match selector {
        Selector::One(name) if !spec.images.contains_key(name) => {
            Err(spec.unknown_image(name.as_str(), place))
        }
        _ => Ok(()),
    }
}

impl ImageOverlay {
    fn read(place: Place, at: &Cursor<'_>) -> Result<Self, SpecError> {
        let mut changes = Vec::new();
        if let Some(at) = at.get("config") {
            changes.extend(config::config(&at)?);
        }
        if let Some(at) = at.get("annotations") {
            changes.extend(config::annotations(&at)?);
        }
        let tags = match at.get("tags") {
            Some(list) => list.items().map(|at| tag(&at)).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        let files = at.get("files").map(|at| files::read(&at)).transpose()?.unwrap_or_default();
        let scriptlets = at.get("scriptlets");
        let scriptlets = scriptlets.iter().flat_map(Cursor::entries);
        let scriptlets =
            scriptlets.map(|(key, at)| (key.text.to_owned(), Scriptlets::read(&at))).collect();
        Ok(Self { place, changes, tags, files, scriptlets })
    }
}

fn selector(text: &str, place: Place) -> Result<Selector, SpecError> {
    match text {
        "*" => Ok(Selector::All),
        name => image_name(name, place).map(Selector::One),
    }
}

fn tag(at: &Cursor<'_>) -> Result<Located<Tag>, SpecError> {
    match at.text().parse::<Tag>() {
        Ok(tag) => Ok(Located::new(tag, at.place())),
        Err(error) => Err(at.error(Problem::invalid(error.to_string()))),
    }
}
