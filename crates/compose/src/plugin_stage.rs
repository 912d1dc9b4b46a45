//! What plugins do to the images, in the order of the steps: filters before the merge,
//! post-processors on the finished tree, then mappers and policies.
//!
//! A plugin is a function of values, so nothing here depends on the order in which threads run.
//! What fails, fails for one image.

use crate::{
    ImageFailure, Outcome, PluginDiagnostic, PluginFailure, Role,
    contents::ImageContents,
    package_file::PackageFile,
    packages::PackageSet,
    plugins::{Plugins, Use, UseKey},
    root_stage::Root,
    target::Target,
};
use rayon::prelude::*;
use std::collections::BTreeMap;
use strata_assemble::Accounts;
use strata_oci::{Diagnostic, Severity};
use strata_rootfs::{FilePolicy, ImageView, Owners, PackageInfo, TreePath, apply_edits};
use strata_rpm::Checksum;

/// What was found about one image.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// Why it cannot be made.
    pub failure: Option<ImageFailure>,
    /// Findings of all plugins, in the order they ran.
    pub diagnostics: Vec<PluginDiagnostic>,
    /// What else is to be told.
    pub warnings: Vec<String>,
}

impl Found {
    /// The image fails; the first reason counts.
    pub fn fail(&mut self, failure: ImageFailure) {
        self.failure.get_or_insert(failure);
    }

    fn warn(&mut self, text: String) {
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    /// Takes in what a call said beside its result.
    fn hear<T>(&mut self, used: &Use, outcome: &Outcome<T>, refuses: bool) {
        for line in &outcome.log {
            self.warn(format!("plugin `{}`: {line}", used.reference));
        }
        for diagnostic in &outcome.diagnostics {
            let mut told = PluginDiagnostic::new(&used.reference, diagnostic);
            if diagnostic.severity == Severity::Refusal {
                match refuses {
                    true => self.fail(refusal(&used.reference, diagnostic)),
                    false => told.severity = PluginDiagnostic::NOTE,
                }
            }
            if !self.diagnostics.contains(&told) {
                self.diagnostics.push(told);
            }
        }
    }

    /// Warnings as lines.
    pub fn warnings(&self) -> Vec<String> {
        let of_plugins = self.diagnostics.iter().filter(|one| one.is_warning());
        of_plugins.map(ToString::to_string).chain(self.warnings.iter().cloned()).collect()
    }

    /// Adds what a later step found.
    pub fn append(&mut self, later: Self) {
        let Self { failure, diagnostics, warnings } = later;
        if let Some(failure) = failure {
            self.fail(failure);
        }
        self.diagnostics.extend(diagnostics);
        warnings.into_iter().for_each(|text| self.warn(text));
    }
}

fn refusal(reference: &str, diagnostic: &Diagnostic) -> ImageFailure {
    ImageFailure {
        message: format!("plugin `{reference}`: {diagnostic}"),
        hint: diagnostic.hint.clone(),
        details: Vec::new(),
    }
}

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
                        let mut failure = ImageFailure::plugin(&used.reference, failure);
                        failure.message =
                            format!("{} (package `{}`)", failure.message, package.nevra);
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

/// An image as its plugins see it, as long as it does not change.
fn seen<T>(root: &Root<'_>, packages: &PackageSet, see: impl FnOnce(&ImageView<'_>) -> T) -> T {
    see(&ImageView {
        name: root.target.image.name.as_str(),
        arch: root.target.arch.as_str(),
        packages: &root.infos,
        tree: &root.merged.tree,
        contents: &ImageContents { files: &root.files, packages },
    })
}

/// Runs the post-processors of an image, each on what the one before left. When one fails, the
/// tree is again what it was before the first.
pub(crate) fn post_process(root: &mut Root<'_>, uses: &[Use], packages: &PackageSet) {
    let all: Vec<&Use> = uses.iter().filter(|used| used.has(Role::PostProcessor)).collect();
    if all.is_empty() || root.found.failure.is_some() {
        return;
    }
    let before = root.merged.tree.clone();
    for used in all {
        if let Err(failure) = post_process_with(root, used, packages) {
            root.found.fail(failure);
        }
        if root.found.failure.is_some() {
            root.merged.tree = before;
            return;
        }
    }
}

fn post_process_with(
    root: &mut Root<'_>,
    used: &Use,
    packages: &PackageSet,
) -> Result<(), ImageFailure> {
    let outcome = seen(root, packages, |image| used.plugin.process(&used.settings, image))
        .map_err(|failure| ImageFailure::plugin(&used.reference, &failure))?;
    root.found.hear(used, &outcome, true);
    let Accounts { users, groups } = root.accounts();
    let owners =
        Owners { users: users.into_iter().map(|(name, (uid, _))| (name, uid)).collect(), groups };
    let wrong = |error: &dyn std::fmt::Display| ImageFailure {
        message: format!("plugin `{}`: {error}", used.reference),
        hint: Some("this is a fault of the plugin, or of its settings".to_owned()),
        details: Vec::new(),
    };
    let kept = apply_edits(&mut root.merged.tree, &outcome.value, &owners, root.epoch)
        .map_err(|error| wrong(&error))?;
    for path in kept {
        let text = format!("plugin `{}`: `{path}` stays as the overlay has it", used.reference);
        root.found.warn(text);
    }
    // files that strata itself makes later
    let cache = TreePath::new("etc/ld.so.cache").unwrap_or_default();
    for path in [root.distro.rpmdb.join(b"rpmdb.sqlite"), cache] {
        let place = root.merged.tree.resolve_parent(&path).map_err(|error| {
            wrong(&format!("after its changes `{path}` cannot be written: {error}"))
        })?;
        if root.merged.tree.get(&place).is_some_and(strata_rootfs::Node::is_dir) {
            return Err(wrong(&format!("after its changes `{path}` is a directory")));
        }
    }
    Ok(())
}

/// Calls the mappers or policies of an image in order. Refusals count when `refuse` says so.
pub(crate) fn ask<T>(
    root: &Root<'_>,
    uses: &[Use],
    packages: &PackageSet,
    role: Role,
    refuse: bool,
    found: &mut Found,
    call: impl Fn(&Use, &ImageView<'_>) -> Result<Outcome<T>, PluginFailure>,
) -> Vec<(String, T)> {
    let mut answers = Vec::new();
    for used in uses.iter().filter(|used| used.has(role)) {
        match seen(root, packages, |image| call(used, image)) {
            Ok(outcome) => {
                found.hear(used, &outcome, refuse);
                answers.push((used.reference.clone(), outcome.value));
            }
            Err(failure) => found.fail(ImageFailure::plugin(&used.reference, &failure)),
        }
    }
    answers
}
