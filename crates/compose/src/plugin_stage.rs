//! What plugins do to the images, in the order of the steps: filters before the merge,
//! post-processors on the finished tree, then mappers and policies.
//!
//! A plugin is a function of values, so nothing here depends on the order in which threads run.
//! What fails, fails for one image.

use crate::{
    Outcome, PluginFailure, Role,
    contents::ImageContents,
    found::Found,
    package_file::PackageFile,
    packages::PackageSet,
    plugins::{Plugins, Use, UseKey},
    root_stage::Root,
    target::Target,
};
use rayon::prelude::*;
use std::collections::BTreeMap;
use strata_assemble::Accounts;
use strata_rootfs::{FilePolicy, ImageView, Owners, PackageInfo, Tree, apply_edits};
use strata_rpm::Checksum;

/// What filters leave out of the packages of one image.
#[derive(Debug, Default)]
pub(crate) struct Filtered {
    /// By position of the package; empty where nothing is left out.
    pub policies: Vec<FilePolicy>,
    /// What was found.
    pub found: Found,
}

type FilterKey<'a> = (UseKey, &'a Checksum);

/// Runs the filters of all images: each once for a package, whatever images have it.
#[tracing::instrument(level = "debug", skip_all)]
pub(crate) fn filter(
    plugins: &Plugins,
    targets: &[Target],
    packages: &PackageSet,
) -> Vec<Filtered> {
    let mut failed = plugins.check(0..targets.len());
    let filters = |at: usize| {
        let uses = plugins.of(at).unwrap_or_default().iter();
        uses.filter(|used| used.has(Role::PackageFilter)).map(|used| (used.key(), used))
    };
    let mut todo: BTreeMap<FilterKey<'_>, (&Use, &PackageFile)> = BTreeMap::new();
    for (at, target) in targets.iter().enumerate().filter(|(at, _)| !failed.contains_key(at)) {
        for (key, used) in filters(at) {
            for package in &target.packages {
                if let Ok(file) = packages.get(&package.checksum) {
                    todo.insert((key.clone(), &package.checksum), (used, file));
                }
            }
        }
    }
    let done: BTreeMap<FilterKey<'_>, Result<Outcome<FilePolicy>, PluginFailure>> = todo
        .into_par_iter()
        .map(|(key, (used, file))| (key, used.plugin.exclude(&used.settings, &file.package)))
        .collect();
    let one = |(at, target): (usize, &Target)| {
        let mut filtered = Filtered::default();
        if let Some(failure) = failed.remove(&at) {
            filtered.found.fail(failure);
            return filtered;
        }
        let mut policies = vec![FilePolicy::default(); target.packages.len()];
        for (key, used) in filters(at) {
            for (package, policy) in target.packages.iter().zip(&mut policies) {
                match done.get(&(key.clone(), &package.checksum)) {
                    Some(Ok(outcome)) => {
                        policy.excluded.extend(&outcome.value.excluded);
                        filtered.found.hear(used, outcome, true);
                    }
                    Some(Err(failure)) => {
                        let mut failure = failure.named(&used.reference);
                        failure.message.push_str(&format!(" (package `{}`)", package.nevra));
                        filtered.found.fail(failure);
                    }
                    None => {}
                }
            }
        }
        let some = policies.iter().any(|policy| !policy.excluded.is_empty());
        if some && filtered.found.failure.is_none() {
            filtered.policies = policies;
        }
        filtered
    };
    targets.iter().enumerate().map(one).collect()
}

/// The packages of an image as plugins see them.
pub(crate) fn package_infos(target: &Target, files: &[&PackageFile]) -> Vec<PackageInfo> {
    let info = |file: &&PackageFile| {
        let nevra = &file.package.nevra;
        let names =
            [nevra.name.clone(), format!("{}.{}", nevra.name, nevra.arch), nevra.to_string()];
        let by_name = target.image.packages.iter().any(|request| names.contains(&request.value));
        let local = target.local.iter().any(|local| local.record.checksum == file.checksum);
        PackageInfo {
            nevra: nevra.clone(),
            source: file.package.source_name().to_owned(),
            requested: by_name || local,
        }
    };
    files.iter().map(info).collect()
}

/// Calls a plugin with an image as it is now.
fn call<T>(
    root: &Root<'_>,
    used: &Use,
    packages: &PackageSet,
    call: impl FnOnce(&Use, &ImageView<'_>) -> Result<T, PluginFailure>,
) -> Result<T, PluginFailure> {
    let contents = ImageContents::new(&root.files, packages);
    let view = ImageView {
        name: root.target.image.name.as_str(),
        arch: root.target.arch.as_str(),
        packages: &root.infos,
        tree: &root.merged.tree,
        contents: &contents,
    };
    call(used, &view).map_err(|failure| {
        let kind = contents.trouble().unwrap_or(failure.kind);
        PluginFailure { kind, ..failure.named(&used.reference) }
    })
}

/// Runs the post-processors of an image, each on what the one before left. When one fails, the
/// tree is again what it was before the first.
pub(crate) fn post_process(root: &mut Root<'_>, uses: &[Use], packages: &PackageSet) {
    // most have nothing to change: the tree is large
    let mut before = None;
    for used in uses.iter().filter(|used| used.has(Role::PostProcessor)) {
        if root.found.failure.is_none()
            && let Err(failure) = post_process_with(root, used, packages, &mut before)
        {
            root.found.fail(failure);
        }
    }
    if let Some(tree) = before
        && root.found.failure.is_some()
    {
        root.merged.tree = tree;
    }
}

fn post_process_with(
    root: &mut Root<'_>,
    used: &Use,
    packages: &PackageSet,
    before: &mut Option<Tree>,
) -> Result<(), PluginFailure> {
    let outcome =
        call(root, used, packages, |used, image| used.plugin.process(&used.settings, image))?;
    root.found.hear(used, &outcome, true);
    if outcome.value.0.is_empty() || root.found.failure.is_some() {
        return Ok(());
    }
    before.get_or_insert_with(|| root.merged.tree.clone());
    root.touched = true;
    let Accounts { users, groups } = root.accounts();
    let owners =
        Owners { users: users.into_iter().map(|(name, (uid, _))| (name, uid)).collect(), groups };
    let wrong = |error: &dyn std::fmt::Display| {
        let hint = "this is a fault of the plugin, or of its settings";
        PluginFailure::new(error.to_string(), Some(hint.to_owned())).named(&used.reference)
    };
    let kept = apply_edits(&mut root.merged.tree, &outcome.value, &owners, root.epoch)
        .map_err(|error| wrong(&error))?;
    for path in kept {
        root.found.note(&used.reference, format!("`{path}` stays as the overlay has it"));
    }
    root.own_places().map_err(|why| wrong(&format!("after its changes {why}")))
}

/// Calls the mappers or policies of an image in order, and gives the answers of those that have
/// one.
pub(crate) fn ask<'u, T>(
    root: &Root<'_>,
    uses: &'u [Use],
    packages: &PackageSet,
    role: Role,
    found: &mut Found,
    ask: impl Fn(&Use, &ImageView<'_>) -> Result<Outcome<T>, PluginFailure>,
) -> Vec<(&'u Use, Outcome<T>)> {
    let mut answers = Vec::new();
    for used in uses.iter().filter(|used| used.has(role)) {
        match call(root, used, packages, &ask) {
            Ok(outcome) => answers.push((used, outcome)),
            Err(failure) => found.fail(failure),
        }
    }
    answers
}
