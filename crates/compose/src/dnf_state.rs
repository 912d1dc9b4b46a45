//! What dnf remembers of an installation, put into images that have dnf.

use crate::{
    ComposeError,
    local::LOCAL,
    target::{Target, TargetPackage},
};
use serde_json::json;
use strata_resolve::Reason;
use strata_rootfs::{
    Kind, Node, Tree, TreePath,
    dnf_state::{self, Dnf, DnfPackage, DnfTask},
};

/// dnf's name for a package that was given as a file.
const COMMAND_LINE: &str = "@commandline";

/// Adds the state of the target's dnf, of each generation that the tree has. The packages of
/// `target` are in the order of the rpmdb; `epoch` dates the installation.
///
/// Enabled streams, `/etc/dnf/modules.d/NAME.module` and dnf 5's `modules.toml`, belong here as
/// soon as a resolution knows modules: [`Target`] will have to say which stream of which module its
/// packages are from.
pub(crate) fn add(tree: &mut Tree, target: &Target, epoch: u64) -> Result<(), ComposeError> {
    if !may_have_dnf(target) {
        return Ok(());
    }
    let packages: Vec<DnfPackage<'_>> = target
        .packages
        .iter()
        .map(|package| DnfPackage {
            nevra: &package.nevra,
            reason: reason(package),
            repo: repo(package),
        })
        .collect();
    let task = DnfTask { packages: &packages, time: epoch, releasever: releasever(target) };
    for dnf in Dnf::in_tree(tree) {
        let files = dnf
            .state(&task)
            .map_err(|error| ComposeError::Internal(format!("image `{target}`: {error}")))?;
        for file in files {
            let place = place(tree, file.path).map_err(|reason| ComposeError::DnfState {
                image: target.to_string(),
                path: file.path,
                reason,
            })?;
            tree.insert(place, Node::generated(file.bytes, 0o644, epoch));
        }
    }
    Ok(())
}

/// What of the state no other input says; nothing where no package can bring dnf.
pub(crate) fn inputs(target: &Target) -> Option<serde_json::Value> {
    let package = |package: &TargetPackage| {
        let reason = match reason(package) {
            dnf_state::Reason::User => "user",
            dnf_state::Reason::Dependency => "dependency",
            dnf_state::Reason::Weak => "weak",
        };
        json!([package.checksum.to_string(), reason, repo(package)])
    };
    may_have_dnf(target).then(|| {
        let mut packages: Vec<serde_json::Value> = target.packages.iter().map(package).collect();
        packages.sort_by_cached_key(ToString::to_string);
        json!({ "packages": packages, "releasever": releasever(target) })
    })
}

fn may_have_dnf(target: &Target) -> bool {
    Dnf::may_be_among(target.packages.iter().map(|package| package.nevra.name.as_str()))
}

/// A package of which nobody knows why it is there stays until somebody removes it.
fn reason(package: &TargetPackage) -> dnf_state::Reason {
    match package.reason {
        Some(Reason::Requested) | None => dnf_state::Reason::User,
        Some(Reason::Dependency) => dnf_state::Reason::Dependency,
        Some(Reason::Weak) => dnf_state::Reason::Weak,
    }
}

fn repo(package: &TargetPackage) -> &str {
    if package.repo == LOCAL { COMMAND_LINE } else { &package.repo }
}

fn releasever(target: &Target) -> &str {
    target.image.releasever.as_ref().map_or("", |version| &version.value)
}

/// Where a file can be written, or why not.
fn place(tree: &Tree, path: &str) -> Result<TreePath, String> {
    let path = TreePath::new(path).map_err(|error| error.to_string())?;
    let place = tree.resolve_parent(&path).map_err(|error| error.to_string())?;
    match tree.get(&place).map(|node| &node.kind) {
        None | Some(Kind::File { .. } | Kind::Symlink { .. }) => Ok(place),
        Some(_) => Err("something else is there".to_owned()),
    }
}
