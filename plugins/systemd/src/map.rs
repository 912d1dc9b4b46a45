//! From a service to image configuration.

mod environment;
mod line;

use crate::accounts::{self, Account, account};
use crate::files::Files;
use crate::find::find;
use crate::finding::{Finding, Problem, Severity};
use crate::load::{Unit, Units};
use crate::service::{At, Privilege, Service};
use crate::socket::sockets;
use crate::syntax::Place;

/// A change of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// `Entrypoint`
    Entrypoint(Vec<String>),
    /// `Cmd`
    Cmd(Vec<String>),
    /// `User`
    User(String),
    /// `WorkingDir`
    WorkingDir(String),
    /// `StopSignal`
    StopSignal(String),
    /// A variable.
    Env(String, String),
    /// A port.
    Port(String),
    /// A label.
    Label(&'static str, String),
}

/// What the settings say.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the unit.
    pub unit: Option<String>,
    /// Whether the image gets the unit's command line.
    pub exec: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { unit: None, exec: true }
    }
}

/// Changes, each with its place, and findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapped {
    /// In order.
    pub edits: Vec<(Change, Option<Place>)>,
    /// What is lost, and what else there is to tell.
    pub findings: Vec<Finding>,
}

impl Mapped {
    fn add(&mut self, change: Change, place: &Place) {
        self.edits.push((change, Some(place.clone())));
    }
}

/// `Description=`
const DESCRIPTION: &str = "org.opencontainers.image.description";
/// The first address of `Documentation=`
const DOCUMENTATION: &str = "org.opencontainers.image.documentation";

/// Maps the image's service.
pub fn map(files: &dyn Files, options: &Options) -> Result<Mapped, Problem> {
    let units = Units::new(files);
    let (unit, service) = find(&units, options.unit.as_deref())?;
    Ok(map_service(&units, &unit, &service, options.exec))
}

/// Maps a service.
pub fn map_service(units: &Units<'_>, unit: &Unit, service: &Service, exec: bool) -> Mapped {
    let files = units.files;
    let account = account(files, unit, service);
    let mut mapped = Mapped { edits: Vec::new(), findings: service.findings.clone() };
    let variables = environment::variables(files, service, &account, &mut mapped);
    if exec {
        line::command_line(files, unit, service, &variables, &mut mapped);
    }
    user(service, &account, &mut mapped);
    working_directory(files, service, &account, &mut mapped);
    if let Some(signal) = &service.kill_signal
        && signal.value != "SIGTERM"
    {
        mapped.add(Change::StopSignal(signal.value.clone()), &signal.place);
    }
    let sockets = sockets(units, unit, service);
    for port in &sockets.ports {
        mapped.add(Change::Port(port.value.clone()), &port.place);
    }
    mapped.findings.extend(sockets.findings);
    labels(service, &mut mapped);
    for (key, why, place) in &service.lost {
        let message = format!("`{key}` is not in the image: {why}");
        mapped.findings.push(Finding::warning(message, Some(place.clone())));
    }
    if !service.harmless.is_empty() {
        let keys: Vec<_> = service.harmless.iter().map(|key| format!("`{key}`")).collect();
        let message =
            format!("without meaning in an image, or for the runtime to set: {}", keys.join(", "));
        let place = Place { path: unit.fragment.as_str().into(), line: None };
        mapped.findings.push(Finding::note(message, Some(place)));
    }
    if !exec {
        mapped.findings.retain(|finding| finding.severity != Severity::Refusal);
    }
    mapped
}

/// The privileges of the command that runs.
fn privilege(service: &Service) -> Privilege {
    match &service.commands[..] {
        [command] => command.value.privilege,
        _ => Privilege::Dropped,
    }
}

fn user(service: &Service, account: &Account, mapped: &mut Mapped) {
    if privilege(service) != Privilege::Dropped
        && let Some(At { place, .. }) = service.user.as_ref().or(service.group.as_ref())
    {
        let message = "`+` or `!` before the program makes it start as root, whatever `User=` and \
                       `Group=` say";
        mapped.findings.push(Finding::note(message, Some(place.clone())));
        return;
    }
    match (&account.user, &account.group) {
        (Some(user), _) if account.made_up => {
            let name = &user.value;
            mapped.findings.push(
                Finding::warning(
                    format!(
                        "`DynamicUser=` has no user to take: the image has no user `{name}`, so \
                         the service would run as root"
                    ),
                    service.dynamic_user.clone(),
                )
                .hint("set `User` in the overlay, or ship the user in a sysusers.d file"),
            );
        }
        (Some(user), group) => {
            let names = with_group(user.value.clone(), group.as_ref());
            mapped.add(Change::User(names), &user.place);
        }
        (None, Some(group)) => {
            mapped.add(Change::User(format!("0:{}", group.value)), &group.place);
        }
        (None, None) => {}
    }
}

fn with_group(user: String, group: Option<&At<String>>) -> String {
    match group {
        Some(group) => format!("{user}:{}", group.value),
        None => user,
    }
}

fn working_directory(files: &dyn Files, service: &Service, account: &Account, mapped: &mut Mapped) {
    let Some(At { value, place }) = &service.working_directory else { return };
    let home = || {
        let name = account.user.as_ref().map_or("root", |user| user.value.as_str());
        accounts::user(files, name).map(|user| user.home)
    };
    let Some(path) = value.path.clone().or_else(home) else {
        let message = "`WorkingDirectory=~` is unknown: the user is not in `/etc/passwd`";
        mapped.findings.push(Finding::warning(message, Some(place.clone())));
        return;
    };
    if path != "/" && path.starts_with('/') {
        if value.optional && !files.is_directory(&path) {
            let message = format!("`WorkingDirectory=` is left out: `{path}` is no directory");
            mapped.findings.push(Finding::note(message, Some(place.clone())));
        } else {
            mapped.add(Change::WorkingDir(path), place);
        }
    }
}

fn labels(service: &Service, mapped: &mut Mapped) {
    if let Some(description) = &service.description {
        let change = Change::Label(DESCRIPTION, description.value.clone());
        mapped.add(change, &description.place);
    }
    let web = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    if let Some(url) = service.documentation.iter().find(|url| web(&url.value)) {
        // a list with commas is wrong, and common
        let address = url.value.trim_end_matches([',', ';']).to_owned();
        mapped.add(Change::Label(DOCUMENTATION, address), &url.place);
    }
}
