//! A place to build images in, and plugins that are closures instead of components.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(dead_code, reason = "no test file needs all of it")]
#![allow(clippy::result_large_err, reason = "the error is the library's")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use strata_compose::{
    BuildReport, ComposeError, Destination, LockMode, Mapping, Options, Outcome, Plugin,
    PluginFailure, PluginHost, Reporter, Role, Settings, Silent,
    oci::{
        Annotations, Change, ConfigField, Diagnostic, Digest, FileOrigin, RuntimeConfig, Severity,
        Slot, SlotValue,
        layout::{Image, Layout},
    },
};
use strata_rootfs::{FilePolicy, ImageView, TreeEdit, TreeEdits, TreePath};
use strata_rpm::Package;
use strata_testkit::{Repository, pack};

type Answer<T> = Result<Outcome<T>, PluginFailure>;
type Exclude = dyn Fn(&Settings, &Package) -> Answer<FilePolicy> + Send + Sync;
type Process = dyn Fn(&Settings, &ImageView<'_>) -> Answer<TreeEdits> + Send + Sync;
type Map = dyn Fn(&Settings, &ImageView<'_>) -> Answer<Mapping> + Send + Sync;
type Check = dyn Fn(&ImageView<'_>, &RuntimeConfig) -> Answer<()> + Send + Sync;

/// A plugin of closures.
#[derive(Default)]
pub struct Fake {
    pub exclude: Option<Box<Exclude>>,
    pub process: Option<Box<Process>>,
    pub map: Option<Box<Map>>,
    pub check: Option<Box<Check>>,
    pub digest: Option<Digest>,
    pub roles: BTreeSet<Role>,
    pub calls: AtomicUsize,
}

impl Plugin for Fake {
    fn digest(&self) -> Digest {
        self.digest.unwrap()
    }

    fn roles(&self) -> &BTreeSet<Role> {
        &self.roles
    }

    fn check_settings(&self, settings: &Settings) -> Result<(), PluginFailure> {
        match settings.get("wrong") {
            Some(_) => Err(failure("there is no setting `wrong`")),
            None => Ok(()),
        }
    }

    fn exclude(&self, settings: &Settings, package: &Package) -> Answer<FilePolicy> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        (self.exclude.as_ref().unwrap())(settings, package)
    }

    fn process(&self, settings: &Settings, image: &ImageView<'_>) -> Answer<TreeEdits> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        (self.process.as_ref().unwrap())(settings, image)
    }

    fn map(&self, settings: &Settings, image: &ImageView<'_>) -> Answer<Mapping> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        (self.map.as_ref().unwrap())(settings, image)
    }

    fn check(
        &self,
        _: &Settings,
        image: &ImageView<'_>,
        config: &RuntimeConfig,
        _: &Annotations,
    ) -> Answer<()> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        (self.check.as_ref().unwrap())(image, config)
    }
}

/// Plugins by reference.
#[derive(Default)]
pub struct Fakes {
    plugins: BTreeMap<String, Arc<Fake>>,
    /// What was loaded, and from where.
    pub loaded: Mutex<Vec<(String, PathBuf)>>,
}

impl Fakes {
    pub fn with(mut self, name: &str, plugin: Fake) -> Self {
        self.put(name, "1", plugin);
        self
    }

    /// Another version of a plugin is another component.
    pub fn put(&mut self, name: &str, version: &str, mut plugin: Fake) {
        plugin.digest = Some(Digest::of(format!("{name} {version}").as_bytes()));
        let roles = [
            plugin.exclude.as_ref().map(|_| Role::PackageFilter),
            plugin.process.as_ref().map(|_| Role::PostProcessor),
            plugin.map.as_ref().map(|_| Role::MetadataMapper),
            plugin.check.as_ref().map(|_| Role::Policy),
        ];
        plugin.roles = roles.into_iter().flatten().collect();
        self.plugins.insert(name.to_owned(), Arc::new(plugin));
    }

    pub fn calls(&self, name: &str) -> usize {
        self.plugins[name].calls.load(Ordering::Relaxed)
    }
}

impl PluginHost for Fakes {
    fn load(&self, reference: &str, base: &Path) -> Result<Arc<dyn Plugin>, PluginFailure> {
        self.loaded.lock().unwrap().push((reference.to_owned(), base.to_owned()));
        match self.plugins.get(reference) {
            Some(plugin) => Ok(Arc::clone(plugin) as Arc<dyn Plugin>),
            None => Err(failure("there is no such plugin")),
        }
    }
}

pub fn failure(message: &str) -> PluginFailure {
    let failure = PluginFailure::new(message, Some("a hint".to_owned()));
    PluginFailure { details: vec!["a back trace".to_owned()], ..failure }
}

pub fn told(severity: Severity, message: &str) -> Diagnostic {
    let origin = Some(FileOrigin { path: "/etc/app.conf".to_owned(), line: Some(3) });
    Diagnostic { severity, message: message.to_owned(), origin, hint: Some("help".to_owned()) }
}

pub fn answer<T>(value: T) -> Answer<T> {
    Ok(Outcome { value, diagnostics: Vec::new(), log: Vec::new() })
}

/// Leaves out the files whose path ends so.
pub fn filter(end: &'static str) -> Fake {
    Fake {
        exclude: Some(Box::new(move |_, package| {
            let files = (0u32..).zip(&package.files);
            let excluded = files.filter(|(_, file)| file.path.ends_with(end.as_bytes()));
            answer(FilePolicy { excluded: excluded.map(|(index, _)| index).collect() })
        })),
        ..Fake::default()
    }
}

/// Makes these changes.
pub fn processor(edits: Vec<TreeEdit>) -> Fake {
    Fake {
        process: Some(Box::new(move |_, _| answer(TreeEdits(edits.clone())))),
        ..Fake::default()
    }
}

/// Says these words for `Cmd`.
pub fn mapper(words: &'static [&'static str]) -> Fake {
    let origin = FileOrigin { path: "/usr/lib/app.unit".to_owned(), line: Some(12) };
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let change = Change::Set(Slot::field(ConfigField::Entrypoint), SlotValue::Words(words));
    Fake {
        map: Some(Box::new(move |_, _| answer(vec![(change.clone(), Some(origin.clone()))]))),
        ..Fake::default()
    }
}

pub fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

pub fn remove(at: &str) -> TreeEdit {
    TreeEdit::Remove { path: path(at) }
}

pub const OS_RELEASE: &str = "ID=fedora\nVERSION_ID=42\n";

/// A directory with a spec, packages, a cache and images.
pub struct Bench {
    pub dir: tempfile::TempDir,
    pub options: Options,
}

impl Bench {
    /// With `base` (os-release) and `app` (a configuration of two files, a program), and these
    /// images.
    pub fn new(images: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let options = Options {
            spec: at("compose.json"),
            cache_dir: at("cache"),
            plugin_base: at("elsewhere"),
            ..Options::default()
        };
        let bench = Self { dir, options };
        bench.write("compose.json", &format!(r#"{{"repos": ["./repo"], "images": {images}}}"#));
        bench.package("base", &[("/etc/os-release", OS_RELEASE), ("/usr/bin/sh", "shell")]);
        bench.package(
            "app",
            &[("/etc/app.conf", "conf"), ("/etc/app.more", "more"), ("/usr/bin/app", "program")],
        );
        bench
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.dir.path().join(name), text).unwrap();
    }

    pub fn package(&self, name: &str, files: &[(&str, &str)]) {
        let manifest = format!(r#"{{"name": "{name}", "version": "1", "build_time": 1000000000}}"#);
        Repository::new(&self.dir.path().join("repo")).add(name, &pack(&manifest, files));
    }

    pub fn overlay(&self, text: &str) -> &Self {
        self.write("compose.overlay.json", text);
        self
    }

    pub fn destination(&self) -> Destination {
        Destination { dir: self.dir.path().join("out"), image: None }
    }

    pub fn build(&self, host: &Fakes) -> BuildReport {
        self.try_build(host).unwrap()
    }

    pub fn try_build(&self, host: &Fakes) -> Result<BuildReport, ComposeError> {
        strata_compose::build(&self.options, &self.destination(), host, &silent())
    }

    pub fn locked(&self) -> Options {
        Options { lock: LockMode::Locked, ..self.options.clone() }
    }

    pub fn lock(&self) -> String {
        fs::read_to_string(self.dir.path().join("strata.lock")).unwrap()
    }

    pub fn layout(&self) -> Layout {
        Layout::open(self.destination().dir).unwrap()
    }

    pub fn image(&self, name: &str) -> Image {
        self.layout().image(name, None).unwrap()
    }

    /// All paths of an image, and the contents of its small files.
    pub fn files(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let (layout, image) = (self.layout(), self.image(name));
        let view = layout.merged(&image).unwrap();
        let names = view.iter().map(|(_, entry)| String::from_utf8_lossy(&entry.path).into_owned());
        let names: Vec<String> = names.map(|name| format!("/{name}")).collect();
        let read = |name: String| {
            let mut bytes = Vec::new();
            let _ = layout.read_file(&image, name.as_bytes(), &mut bytes);
            (name, bytes)
        };
        names.into_iter().map(read).collect()
    }

    /// Digests of an image's layers, the lowest first.
    pub fn layers(&self, name: &str) -> Vec<Digest> {
        self.image(name).manifest.layers.iter().map(|layer| layer.digest).collect()
    }
}

pub fn silent() -> Arc<dyn Reporter + Send> {
    Arc::new(Silent)
}
