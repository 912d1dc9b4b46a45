//! The compose file: repositories, and the packages of each image.

mod effective;
pub(crate) mod keys;
mod packages;
mod repos;

use crate::{
    Arch, ImageName, Located, Place, Port, Source, SpecError,
    error::{Problem, nearest},
    image_name::ImageNameError,
    shape::{Cursor, Key},
    value::short,
};
use std::{collections::BTreeMap, fmt, sync::Arc};

pub use effective::EffectiveImage;
pub use repos::{RepoKeys, RepoRef};

/// A compose file. Everything in it knows its place, so that later stages can point at it.
#[derive(Debug, Clone)]
pub struct ComposeSpec {
    /// The text.
    pub source: Arc<Source>,
    /// Where packages come from, in order.
    pub repos: Vec<RepoRef>,
    /// Settings at the top, for all images.
    pub defaults: Settings,
    /// The images.
    pub images: BTreeMap<ImageName, ImageSpec>,
}

/// Settings that stand at the top or in an image; `None` and empty where the document says
/// nothing. [`ComposeSpec::effective`] merges them and fills in the defaults.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Architectures.
    pub arch: Option<Vec<Located<Arch>>>,
    /// The distribution's key.
    pub distro: Option<Located<String>>,
    /// `$releasever`
    pub releasever: Option<Located<String>>,
    /// Other variables of repository addresses.
    pub vars: BTreeMap<String, Located<String>>,
    /// Module streams.
    pub modules: Vec<Located<String>>,
    /// Packages never taken.
    pub exclude: Vec<Located<String>>,
    /// Only the newest version will do.
    pub best: Option<bool>,
    /// Recommended packages too.
    pub weak_deps: Option<bool>,
    /// Documentation too.
    pub docs: Option<bool>,
    /// Languages.
    pub langs: Option<Vec<String>>,
    /// What to do with scriptlets that cannot be run.
    pub scriptlets: Option<Scriptlets>,
    /// Images whose packages are taken in.
    pub include: Option<Vec<Located<ImageName>>>,
    /// Relative number of pulls.
    pub weight: Option<u32>,
}

/// What to do with a scriptlet that strata cannot interpret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Scriptlets {
    /// List it in the build report.
    Skip,
    /// Refuse the image.
    Fail,
    /// Run the image's own programs, shut in; refuse the image where the host forbids that.
    #[default]
    Sandbox,
}

impl Scriptlets {
    /// The words of the documents.
    pub const WORDS: &[&str] = &["sandbox", "fail", "skip"];

    /// The word of the documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Fail => "fail",
            Self::Sandbox => "sandbox",
        }
    }

    /// From a text that has passed its table.
    pub(crate) fn read(at: &Cursor<'_>) -> Self {
        match at.text().as_str() {
            "fail" => Self::Fail,
            "skip" => Self::Skip,
            _ => Self::Sandbox,
        }
    }
}

impl fmt::Display for Scriptlets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An image as the document has it.
#[derive(Debug, Clone)]
pub struct ImageSpec {
    /// Where its key stands.
    pub place: Place,
    /// What to install: requests as written.
    pub packages: Vec<Located<String>>,
    /// Program and arguments.
    pub entrypoint: Option<Located<Vec<String>>>,
    /// Ports.
    pub expose: Vec<Located<Port>>,
    /// Settings of its own.
    pub settings: Settings,
}

impl ComposeSpec {
    /// From a value that has passed its table.
    pub(crate) fn read(root: &Cursor<'_>) -> Result<Self, SpecError> {
        let mut images = BTreeMap::new();
        if let Some(at) = root.get("images") {
            for (key, value) in at.entries() {
                images.insert(image_name(key.text, key.place())?, ImageSpec::read(&key, &value)?);
            }
            if images.is_empty() {
                return Err(at.error(Problem::invalid_hint(
                    "no image is described",
                    "write {\"NAME\": {\"packages\": [\"bash\"]}}",
                )));
            }
        }
        let repos = match root.get("repos") {
            Some(at) => at.items().map(|at| RepoRef::read(&at)).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        repos::refuse_twins(&repos)?;
        let defaults = Settings::read(root)?;
        let spec = Self { source: Arc::clone(root.source), repos, defaults, images };
        spec.check_includes()?;
        Ok(spec)
    }

    /// An error for a name that no image has.
    pub(crate) fn unknown_image(&self, name: &str, place: &Place) -> SpecError {
        let known: Vec<String> = self.images.keys().map(ToString::to_string).collect();
        place.clone().error(Problem::UnknownWord {
            what: "image",
            word: short(name),
            nearest: nearest(name, known.iter().map(String::as_str)).map(str::to_owned),
            known: known.into_iter().take(20).collect(),
        })
    }
}

impl ImageSpec {
    fn read(key: &Key<'_>, at: &Cursor<'_>) -> Result<Self, SpecError> {
        let settings = Settings::read(at)?;
        let packages = match at.get("packages") {
            Some(list) => packages::read(&list)?,
            None if settings.include.is_some() => Vec::new(),
            None => {
                return Err(key.error(Problem::MissingKey {
                    key: "packages",
                    hint: "write \"packages\": [\"bash\"], or \"include\": another image",
                }));
            }
        };
        let entrypoint = at.get("entrypoint").map(|at| command(&at)).transpose()?;
        let expose = at.get("expose").map(|at| ports(&at)).transpose()?.unwrap_or_default();
        Ok(Self { place: key.place(), packages, entrypoint, expose, settings })
    }
}

impl Settings {
    fn read(at: &Cursor<'_>) -> Result<Self, SpecError> {
        let flag = |key| at.get(key).map(|at| at.bool());
        let scalar = |key| at.get(key).map(|at| text(&at)).transpose();
        let arch = match at.get("arch") {
            Some(at) => Some(at.items().map(|at| arch(&at)).collect::<Result<Vec<_>, _>>()?),
            None => None,
        };
        let include = match at.get("include") {
            Some(at) => Some(at.items().map(|at| include(&at)).collect::<Result<Vec<_>, _>>()?),
            None => None,
        };
        if let (Some(list), Some(at)) = (&arch, at.get("arch"))
            && list.is_empty()
        {
            return Err(at.error(Problem::invalid_hint(
                "no architecture is given",
                "write \"x86_64\", or leave the key out",
            )));
        }
        Ok(Self {
            arch,
            distro: scalar("distro")?,
            releasever: scalar("releasever")?,
            vars: vars(at)?,
            modules: texts(at, "modules")?,
            exclude: texts(at, "exclude")?,
            best: flag("best"),
            weak_deps: flag("weak_deps"),
            docs: flag("docs"),
            langs: at.get("langs").map(|at| at.items().map(|at| at.text()).collect()),
            scriptlets: at.get("scriptlets").map(|at| Scriptlets::read(&at)),
            include,
            weight: at.get("weight").and_then(|at| at.text().parse().ok()),
        })
    }
}

/// A text that is not blank.
pub(crate) fn text(at: &Cursor<'_>) -> Result<Located<String>, SpecError> {
    let text = at.text();
    if text.trim().is_empty() {
        return Err(at.error(Problem::invalid("this is empty")));
    }
    if text.chars().any(char::is_control) {
        return Err(at.error(Problem::invalid("this contains a control character")));
    }
    Ok(Located::new(text, at.place()))
}

fn texts(at: &Cursor<'_>, key: &str) -> Result<Vec<Located<String>>, SpecError> {
    match at.get(key) {
        Some(at) => at.items().map(|at| text(&at)).collect(),
        None => Ok(Vec::new()),
    }
}

fn vars(at: &Cursor<'_>) -> Result<BTreeMap<String, Located<String>>, SpecError> {
    let mut vars = BTreeMap::new();
    let Some(at) = at.get("vars") else { return Ok(vars) };
    for (key, value) in at.entries() {
        let name = key.text;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let bare = name.trim_start_matches('$').trim_matches(['{', '}']);
            return Err(key.error(Problem::invalid_hint(
                format!("{:?} cannot be the name of a variable", short(name)),
                format!("letters, digits and `_`, without `$`: {:?}", short(bare)),
            )));
        }
        vars.insert(name.to_owned(), Located::new(value.text(), value.place()));
    }
    Ok(vars)
}

fn arch(at: &Cursor<'_>) -> Result<Located<Arch>, SpecError> {
    match at.text().parse() {
        Ok(arch) => Ok(Located::new(arch, at.place())),
        Err(error) => {
            let error: strata_oci::PlatformError = error;
            Err(at.error(Problem::Invalid { why: error.to_string(), hint: error.hint() }))
        }
    }
}

fn include(at: &Cursor<'_>) -> Result<Located<ImageName>, SpecError> {
    Ok(Located::new(image_name(&at.text(), at.place())?, at.place()))
}

pub(crate) fn image_name(name: &str, place: Place) -> Result<ImageName, SpecError> {
    name.parse().map_err(|error: ImageNameError| {
        place.error(Problem::Invalid { why: error.to_string(), hint: error.hint() })
    })
}

/// Program and arguments: a string is one argument.
fn command(at: &Cursor<'_>) -> Result<Located<Vec<String>>, SpecError> {
    let words: Vec<String> = at.items().map(|at| at.text()).collect();
    match words.first() {
        Some(program) if !program.is_empty() => Ok(Located::new(words, at.place())),
        _ => Err(at.error(Problem::invalid_hint(
            "no program is named",
            "write [\"/usr/bin/program\", \"argument\"], or leave the key out",
        ))),
    }
}

/// One port or a list.
pub(crate) fn ports(at: &Cursor<'_>) -> Result<Vec<Located<Port>>, SpecError> {
    at.items().map(|at| port(&at.text(), at.place())).collect()
}

pub(crate) fn port(text: &str, place: Place) -> Result<Located<Port>, SpecError> {
    match text.parse::<Port>() {
        Ok(port) => Ok(Located::new(port, place)),
        Err(error) => {
            let hint = Some(error.hint());
            Err(place.error(Problem::Invalid { why: error.to_string(), hint }))
        }
    }
}
