//! GATHER: the spec, its overlay and settings, and the repository definitions it names.

use crate::{
    ComposeError, Options,
    target::{Repository, Target},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};
use strata_repo::{RepoDefinition, Variables};
use strata_spec::{
    Arch, ComposeSpec, EffectiveImage, Overlay, PluginUse, RepoRef, parse_compose, parse_overlay,
    parse_plugin, parse_set, stack_plugins,
};

/// What the user wrote.
pub(crate) struct Documents {
    /// The compose file.
    pub spec: ComposeSpec,
    /// The overlay file.
    pub overlay: Option<Overlay>,
    /// Each `--set`: the later, the stronger.
    pub sets: Vec<Overlay>,
    /// Each `--plugin`: for all images, after those of the overlay.
    pub plugins: Vec<PluginUse>,
    /// The directory that relative paths of the spec count from.
    pub dir: PathBuf,
    /// The directory that relative paths of the overlay file count from.
    pub overlay_dir: PathBuf,
    /// The directory that relative paths of `--plugin` count from; the overlay's by the overlay's
    /// name.
    plugin_base: PathBuf,
    /// `strata.lock` beside the spec.
    pub lock_path: PathBuf,
}

/// Repositories by id, each with the directory that its paths count from.
pub(crate) type Definitions = BTreeMap<String, (RepoDefinition, PathBuf)>;

impl Documents {
    /// Reads them.
    pub fn read(options: &Options) -> Result<Self, ComposeError> {
        let spec_path = &options.spec;
        let spec = parse_compose(&name(spec_path), &read(spec_path)?)?;
        let dir = parent(spec_path);
        let beside = dir.join("compose.overlay.json");
        let overlay_path = match &options.overlay {
            Some(path) => Some(path.clone()),
            None => beside.is_file().then_some(beside),
        };
        let overlay = match &overlay_path {
            Some(path) => Some(parse_overlay(&name(path), &read(path)?)?),
            None => None,
        };
        let overlay_dir = overlay_path.map_or_else(|| dir.clone(), |path| parent(&path));
        let sets: Vec<Overlay> =
            options.sets.iter().map(|set| parse_set(set)).collect::<Result<_, _>>()?;
        for overlay in overlay.iter().chain(&sets) {
            overlay.check_images(&spec)?;
            overlay.check_supported()?;
        }
        let plugins = options.plugins.iter().map(|text| parse_plugin(text));
        let plugins: Vec<PluginUse> = plugins.collect::<Result<_, _>>()?;
        let lock_path = dir.join("strata.lock");
        let plugin_base = match same_directory(&options.plugin_base, &overlay_dir) {
            true => overlay_dir.clone(),
            false => options.plugin_base.clone(),
        };
        Ok(Self { spec, overlay, sets, plugins, dir, overlay_dir, plugin_base, lock_path })
    }

    /// The plugins of an image in the order they run, each with the directory that a relative path
    /// counts from.
    pub fn plugins(&self, target: &Target) -> Vec<(&PluginUse, &Path)> {
        let overlay = self.overlay.iter().flat_map(|o| o.plugins(&target.image.name));
        let base = |used: &PluginUse| match used.reference.place.is_command_line() {
            true => self.plugin_base.as_path(),
            false => self.overlay_dir.as_path(),
        };
        stack_plugins(overlay.chain(&self.plugins).map(|used| (used, base(used))))
    }

    /// The name of a plugin in the lock: its reference. A path that counts from elsewhere than the
    /// overlay's may be in the overlay, too, and be another file.
    pub fn locked_name(&self, used: &PluginUse, base: &Path) -> String {
        let reference = &used.reference;
        match used.is_relative_path() && base != self.overlay_dir {
            true => format!("{} {}", reference.place.source().name(), reference.value),
            false => reference.value.clone(),
        }
    }

    /// Every image for every architecture, in the order of names: what is resolved and planned.
    pub fn images(&self, options: &Options) -> Result<Vec<(EffectiveImage, Arch)>, ComposeError> {
        let mut wanted: Vec<Arch> = Vec::new();
        for name in &options.arches {
            let arch = name.parse().map_err(|_| ComposeError::NotInSpec {
                what: "architecture",
                name: name.clone(),
                known: "for example `x86_64` and `aarch64`".to_owned(),
            })?;
            // `amd64` and `x86_64` are one
            if !wanted.contains(&arch) {
                wanted.push(arch);
            }
        }
        let mut all = Vec::new();
        for name in self.spec.images.keys() {
            let Some(image) = self.spec.effective(name) else { continue };
            let stated = self.spec.defaults.arch.is_some()
                || self.spec.images.get(name).is_some_and(|own| own.settings.arch.is_some());
            // where the spec leaves it open, the command line says it; else it only selects
            let arches = match wanted.is_empty() || stated {
                true => image.archs.clone(),
                false => wanted.clone(),
            };
            all.extend(arches.into_iter().map(|arch| (image.clone(), arch)));
        }
        for name in &options.images {
            if !self.spec.images.keys().any(|known| known.as_str() == name) {
                let known: Vec<String> =
                    self.spec.images.keys().map(|known| format!("`{known}`")).collect();
                return Err(ComposeError::NotInSpec {
                    what: "image",
                    name: name.clone(),
                    known: known.join(", "),
                });
            }
        }
        if !all.iter().any(|(image, arch)| options.selects(image.name.as_str(), *arch)) {
            let images = all.iter().filter(|(image, _)| {
                options.images.is_empty() || options.images.iter().any(|n| n == image.name.as_str())
            });
            let known: BTreeSet<String> = images.map(|(_, arch)| format!("`{arch}`")).collect();
            return Err(ComposeError::NotInSpec {
                what: "architecture",
                name: options.arches.join("`, `"),
                known: known.into_iter().collect::<Vec<_>>().join(", "),
            });
        }
        Ok(all)
    }

    /// The spec's repositories for one image and architecture, with warnings. One that the spec
    /// names by its id is used whatever its definition says of `enabled`, as with `dnf --repo`.
    pub fn repositories(
        &self,
        known: &Definitions,
        options: &Options,
        image: &EffectiveImage,
        arch: Arch,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<Repository>, ComposeError> {
        let mut variables =
            Variables::new(arch.as_str(), image.releasever.as_ref().map(|one| one.value.as_str()));
        for (name, value) in &image.vars {
            variables.set(name, value);
        }
        let mut found = Vec::new();
        for repo in &self.spec.repos {
            let (written, dir) = match repo {
                RepoRef::Location(place) => {
                    (RepoDefinition::at(&place.value, &place.value), &self.dir)
                }
                RepoRef::Inline(keys) => {
                    let (definition, problems) =
                        RepoDefinition::from_json(Some(&keys.id.value), &keys.object).map_err(
                            |error| repo.place().refuse(error.to_string(), error.hint()),
                        )?;
                    warnings.extend(problems.iter().map(ToString::to_string));
                    if !definition.enabled {
                        continue;
                    }
                    (definition, &self.dir)
                }
                RepoRef::Id(id) => match known.get(&id.value) {
                    Some((definition, dir)) => (definition.clone(), dir),
                    None => return Err(self.unknown_repo(options, repo, known)),
                },
            };
            let definition = written.clone().relative_to(dir).substitute(&variables)?;
            found.push(Repository::new(definition, &written.substitute(&variables)?));
        }
        Ok(found)
    }

    /// All definitions of `repos.d` beside the spec and of `--repo-dir`; the first of an id counts.
    pub fn definitions(
        &self,
        options: &Options,
        warnings: &mut Vec<String>,
    ) -> Result<Definitions, ComposeError> {
        let mut known = Definitions::new();
        let beside = self.dir.join("repos.d");
        let dirs = std::iter::once((&beside, false))
            .chain(options.repo_dirs.iter().map(|dir| (dir, true)));
        for (dir, required) in dirs {
            for path in repo_files(dir, required)? {
                let (definitions, found) =
                    RepoDefinition::parse_repo_file(&name(&path), &read(&path)?)?;
                warnings.extend(found.iter().map(ToString::to_string));
                for definition in definitions {
                    let id = definition.id.clone();
                    known.entry(id).or_insert_with(|| (definition, dir.clone()));
                }
            }
        }
        Ok(known)
    }

    fn unknown_repo(&self, options: &Options, repo: &RepoRef, known: &Definitions) -> ComposeError {
        let mut places = vec![format!("`{}`", self.dir.join("repos.d").display())];
        places.extend(options.repo_dirs.iter().map(|dir| format!("`{}`", dir.display())));
        let mut hint = format!("definitions are looked for in {}", places.join(", "));
        if !known.is_empty() {
            let ids: Vec<String> = known.keys().map(|id| format!("`{id}`")).collect();
            hint.push_str(&format!(", which have {}", ids.join(", ")));
        }
        hint.push_str("; a directory of packages is written with a `/`");
        ComposeError::UnknownRepo {
            place: repo.place().to_string(),
            id: repo.as_str().to_owned(),
            hint,
        }
    }
}

/// Whether two paths are one directory; the empty one is the current directory.
fn same_directory(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(Path::new(".").join(path));
    one == other || matches!((real(one), real(other)), (Ok(one), Ok(other)) if one == other)
}

fn repo_files(dir: &Path, required: bool) -> Result<Vec<PathBuf>, ComposeError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !required => return Ok(Vec::new()),
        other => other.map_err(|error| ComposeError::read(dir, error))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| ComposeError::read(dir, error))?.path();
        if path.extension().is_some_and(|extension| extension == "repo") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String, ComposeError> {
    fs::read_to_string(path).map_err(|error| ComposeError::read(path, error))
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
