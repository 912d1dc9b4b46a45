//! The plugin: the logic on the host's image.

use crate::files::{Files, Kind, Package, Unread, base, parent};
use crate::finding::{Finding, Problem, Severity};
use crate::map::{self, Change, Options};
use crate::process::{self, Owner, TreeChange};
use crate::syntax::Place;
use std::cell::RefCell;
use std::rc::Rc;
use strata_plugin_sdk as sdk;

const SETTINGS: &[sdk::Setting] = &[
    sdk::Setting::new(
        "unit",
        "the service, `nginx.service` or `postgresql@15-main`; without it the only one of the \
         packages that were asked for, or of the image",
    ),
    sdk::Setting::new(
        "exec",
        "`false`: no command line, only user, variables, ports, directories and labels; without \
         it `true`",
    ),
];

/// The plugin.
pub struct Systemd;

impl sdk::About for Systemd {
    fn describe() -> sdk::Description {
        sdk::describe!("systemd", SETTINGS)
    }
}

impl sdk::MetadataMapper for Systemd {
    fn map(image: &sdk::Image, settings: &sdk::Settings) -> Result<sdk::Mapping, sdk::Error> {
        let mapped = map::map(&Host::new(image), &options(settings)?).map_err(error)?;
        let mut mapping = sdk::Mapping::new();
        for (edit, place) in mapped.edits {
            match place {
                Some(place) => mapping.set_from(change(edit), origin(&place)),
                None => mapping.set(change(edit)),
            };
        }
        mapping.diagnostics.extend(mapped.findings.into_iter().map(diagnostic));
        Ok(mapping)
    }
}

impl sdk::PostProcessor for Systemd {
    fn process(image: &sdk::Image, settings: &sdk::Settings) -> Result<sdk::Outcome, sdk::Error> {
        let processed = process::process(&Host::new(image), &options(settings)?).map_err(error)?;
        let mut outcome = sdk::Outcome::new();
        for edit in processed.changes {
            match edit {
                TreeChange::Directory { path, mode, user, group } => {
                    let access = sdk::Access::new(mode, owner(user), owner(group));
                    outcome.make_directory(path, access);
                }
                TreeChange::Link { path, target } => {
                    outcome.make_symlink(path, target);
                }
            }
        }
        outcome.diagnostics.extend(processed.findings.into_iter().map(diagnostic));
        Ok(outcome)
    }
}

fn options(settings: &sdk::Settings) -> Result<Options, sdk::Error> {
    Ok(Options { unit: settings.text("unit")?, exec: settings.flag("exec")?.unwrap_or(true) })
}

fn change(change: Change) -> sdk::Change {
    match change {
        Change::Entrypoint(words) => sdk::Change::Entrypoint(words),
        Change::Cmd(words) => sdk::Change::Cmd(words),
        Change::User(names) => sdk::Change::User(names),
        Change::WorkingDir(path) => sdk::Change::WorkingDir(path),
        Change::StopSignal(signal) => sdk::Change::StopSignal(signal),
        Change::Env(name, value) => sdk::Change::Env((name, value)),
        Change::Port(port) => sdk::Change::Port(port),
        Change::Label(name, value) => sdk::Change::Label((name.to_owned(), value)),
    }
}

fn owner(owner: Owner) -> sdk::Owner {
    match owner {
        Owner::Id(id) => sdk::Owner::Id(id),
        Owner::Name(name) => sdk::Owner::Name(name),
    }
}

fn origin(place: &Place) -> sdk::Origin {
    sdk::Origin { path: place.path.to_string(), line: place.line }
}

fn diagnostic(finding: Finding) -> sdk::Diagnostic {
    let severity = match finding.severity {
        Severity::Refusal => sdk::Severity::Refusal,
        Severity::Warning => sdk::Severity::Warning,
        Severity::Note => sdk::Severity::Note,
    };
    let Finding { message, place, hint, .. } = finding;
    sdk::Diagnostic { severity, message, origin: place.as_ref().map(origin), hint }
}

fn error(problem: Problem) -> sdk::Error {
    match problem {
        Problem::Setting { name, message, hint } => {
            sdk::Error::Setting(sdk::SettingError { name, message, hint })
        }
        Problem::Refused { message, place, hint } => {
            sdk::Error::Refused(sdk::Refusal { message, origin: place.as_ref().map(origin), hint })
        }
    }
}

/// The host's image. Directories are listed once: a listing says what a thousand questions would.
struct Host<'a> {
    image: &'a sdk::Image,
    listings: RefCell<Vec<(String, Rc<Listing>)>>,
}

/// In byte order, as the host has it.
type Listing = Vec<sdk::Entry>;

impl<'a> Host<'a> {
    fn new(image: &'a sdk::Image) -> Self {
        Self { image, listings: RefCell::default() }
    }

    fn listing(&self, directory: &str) -> Rc<Listing> {
        if let Some((_, known)) = self.listings.borrow().iter().find(|(of, _)| of == directory) {
            return Rc::clone(known);
        }
        let listing = Rc::new(self.image.tree().entries(directory).unwrap_or_default());
        self.listings.borrow_mut().push((directory.to_owned(), Rc::clone(&listing)));
        listing
    }
}

/// Those of the path, in the listing of its directory.
fn attributes<'a>(listing: &'a Listing, path: &str) -> Option<&'a sdk::Attributes> {
    let at = listing.binary_search_by(|entry| entry.name.as_str().cmp(base(path))).ok()?;
    Some(&listing[at].attributes)
}

impl Files for Host<'_> {
    fn kind(&self, path: &str) -> Option<Kind> {
        if path == "/" {
            return Some(Kind::Directory);
        }
        let listing = self.listing(parent(path));
        let attributes = attributes(&listing, path)?;
        Some(match attributes.kind {
            sdk::Kind::Directory => Kind::Directory,
            sdk::Kind::File => Kind::File,
            sdk::Kind::Symlink => Kind::Link(attributes.target.clone().unwrap_or_default()),
            _ => Kind::Other,
        })
    }

    fn real_path(&self, path: &str) -> Option<String> {
        self.image.tree().real_path(path).ok()
    }

    fn names(&self, path: &str) -> Vec<String> {
        self.listing(path).iter().map(|entry| entry.name.clone()).collect()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Unread> {
        self.image.tree().read(path).map_err(|error| match error {
            sdk::TreeError::TooLarge(_) => Unread::TooLarge,
            _ => Unread::Missing,
        })
    }

    fn owner(&self, path: &str) -> Option<String> {
        attributes(&self.listing(parent(path)), path)?.package.clone()
    }

    fn packages(&self) -> Vec<Package> {
        let packages = self.image.packages().into_iter();
        packages
            .map(|package| Package {
                name: package.name,
                source: package.source,
                requested: package.requested,
            })
            .collect()
    }

    fn arch(&self) -> String {
        self.image.arch()
    }
}
