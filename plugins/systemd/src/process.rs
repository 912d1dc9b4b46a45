//! Directories that systemd makes when it starts the service.
//!
//! Source: systemd.exec(5) `RuntimeDirectory=`.

use crate::accounts::{self, account};
use crate::files::{Files, Kind};
use crate::find::find;
use crate::finding::{Finding, Problem};
use crate::load::{Unit, Units};
use crate::map::Options;
use crate::service::{At, DirectoryKind, Service};

/// Who owns a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// By number.
    Id(u32),
    /// By name.
    Name(String),
}

/// A change of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeChange {
    /// A directory.
    Directory {
        /// Where.
        path: String,
        /// Permissions.
        mode: u32,
        /// Owner.
        user: Owner,
        /// Group.
        group: Owner,
    },
    /// A symbolic link.
    Link {
        /// Where.
        path: String,
        /// What it says.
        target: String,
    },
}

/// Changes and findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Processed {
    /// In order.
    pub changes: Vec<TreeChange>,
    /// What is worth telling.
    pub findings: Vec<Finding>,
}

/// Makes the directories of the image's service.
pub fn process(files: &dyn Files, options: &Options) -> Result<Processed, Problem> {
    let (unit, service) = find(&Units::new(files), options.unit.as_deref())?;
    Ok(process_service(files, &unit, &service))
}

fn process_service(files: &dyn Files, unit: &Unit, service: &Service) -> Processed {
    let mut processed = Processed::default();
    let (user, group) = owner(files, unit, service, &mut processed);
    let mut paths = Vec::new();
    for At { value: directory, place } in &service.directories {
        let kind = directory.kind;
        let path = format!("{}/{}", kind.root(), directory.path);
        if !paths.contains(&path) {
            paths.push(path.clone());
            let root = || (Owner::Id(0), Owner::Id(0));
            let (user, group) = match kind {
                DirectoryKind::Configuration => root(),
                _ => (user.clone(), group.clone()),
            };
            let mode = service.mode(kind);
            if blocked(files, &path) {
                processed.findings.push(Finding::warning(
                    format!("`{}=`: `{path}` is there, and no directory", kind.key()),
                    Some(place.clone()),
                ));
                continue;
            }
            processed.changes.push(TreeChange::Directory { path, mode, user, group });
        }
        if let Some(link) = &directory.link {
            let path = format!("{}/{link}", kind.root());
            match files.kind(&path) {
                None | Some(Kind::Link(_)) => processed
                    .changes
                    .push(TreeChange::Link { target: relative(link, &directory.path), path }),
                Some(_) => processed.findings.push(Finding::warning(
                    format!("`{}=`: `{path}` is there, and no link", kind.key()),
                    Some(place.clone()),
                )),
            }
        }
    }
    if let Some(At { value, place }) = &service.working_directory
        && let Some(path) = &value.path
        && !value.optional
        && !files.is_directory(path)
        && !is_made(&processed.changes, path)
    {
        processed.findings.push(
            Finding::warning(
                format!("`WorkingDirectory={path}` is not in the image"),
                Some(place.clone()),
            )
            .hint("add the directory in the overlay"),
        );
    }
    processed
}

/// Whether the path is made by one of the changes, or by making what is below.
fn is_made(changes: &[TreeChange], path: &str) -> bool {
    changes.iter().any(|change| match change {
        TreeChange::Directory { path: made, .. } => {
            made == path || made.starts_with(&format!("{path}/"))
        }
        TreeChange::Link { path: made, .. } => made == path,
    })
}

/// Whether something that is no directory stands at the path.
fn blocked(files: &dyn Files, path: &str) -> bool {
    match files.kind(path) {
        None | Some(Kind::Directory) => false,
        Some(Kind::Link(_)) => files.exists(path) && !files.is_directory(path),
        Some(_) => true,
    }
}

/// `target` as seen from the directory of `link`; both are below the same root.
fn relative(link: &str, target: &str) -> String {
    let up = link.matches('/').count();
    format!("{}{target}", "../".repeat(up))
}

/// User and group of all directories but those of the configuration. A `+` before the program
/// makes no difference to them.
fn owner(
    files: &dyn Files,
    unit: &Unit,
    service: &Service,
    processed: &mut Processed,
) -> (Owner, Owner) {
    let number = |name: &str| match name.parse() {
        Ok(id) => Owner::Id(id),
        Err(_) => Owner::Name(name.to_owned()),
    };
    let account = account(files, unit, service);
    if account.made_up {
        let mut all = service.directories.iter();
        let own = all.any(|directory| directory.value.kind != DirectoryKind::Configuration);
        if let Some(user) = account.user.filter(|_| own) {
            processed.findings.push(Finding::warning(
                format!(
                    "`DynamicUser=`: the image has no user `{}`, its directories are root's",
                    user.value
                ),
                service.dynamic_user.clone(),
            ));
        }
        return (Owner::Id(0), Owner::Id(0));
    }
    let group = match (&account.group, &account.user) {
        (Some(group), _) => number(&group.value),
        (None, Some(user)) => match accounts::user(files, &user.value) {
            Some(found) => Owner::Id(found.gid),
            None => number(&user.value),
        },
        (None, None) => Owner::Id(0),
    };
    (account.user.map_or(Owner::Id(0), |user| number(&user.value)), group)
}
