//! `check`, `resolve` and `plan`: what a build would do, without doing it.

use crate::{
    CheckReport, CheckedImage, ComposeError, Destination, LayerReport, Options, PackageReport,
    PlanReport, PlannedImage, PluginHost, Reporter, ResolvedReport,
    current::Present,
    layer_stage::Planned,
    layers::LayerStore,
    lock::Lock,
    packages::PackageSet,
    plugins::Use,
    publish::Publication,
    run::Run,
    target::{Target, TargetPackage},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Compares the images at the destination with what the spec gives now. Writes nothing but the
/// cache.
pub fn check(
    options: &Options,
    destination: &Destination,
    host: &dyn PluginHost,
    reporter: &Arc<dyn Reporter + Send>,
) -> Result<CheckReport, ComposeError> {
    let run = Run::begin(options, Some(host), reporter)?;
    let (wanted, resolved) = (run.wanted()?, &run.resolved);
    let present = Present::read(&destination.dir, &resolved.targets)?;
    let listed = |at: usize| {
        let selected = BTreeSet::from([at]);
        let publication = Publication {
            documents: &run.documents,
            targets: &resolved.targets,
            wanted: &wanted,
            present: &present,
            selected: &selected,
            made: &BTreeMap::new(),
        };
        publication.is_listed()
    };
    let is_stale = |at: usize| present.inputs(at) != wanted.get(at).map(|wanted| wanted.inputs);
    // settings that an image was built with are fine
    let stale = run.selected().map(|(at, _)| at).filter(|at| is_stale(*at));
    let mut failed = run.plugins.check(stale);
    for (at, _) in run.selected() {
        if let Err(failure) = run.plugins.of(at) {
            failed.insert(at, failure.clone());
        }
    }
    let mut images = Vec::new();
    for (at, target) in run.selected().filter(|(at, _)| !failed.contains_key(at)) {
        let inputs = wanted.get(at).map(|wanted| wanted.inputs);
        let changes = match present.inputs(at) {
            None => vec!["not built yet".to_owned()],
            found if found != inputs => {
                let uses = run.plugins.of(at).unwrap_or_default();
                changes(target, uses, resolved.before.as_ref())
            }
            _ if !listed(at) => vec!["its tags changed".to_owned()],
            _ => Vec::new(),
        };
        images.push(CheckedImage {
            name: target.image.name.to_string(),
            arch: target.arch.to_string(),
            changes,
        });
    }
    Ok(CheckReport { images, failed: run.failed(&failed) })
}

/// What differs from the lock, in words.
fn changes(target: &Target, uses: &[Use], before: Option<&Lock>) -> Vec<String> {
    let Some((lock, old)) = before.and_then(|lock| Some((lock, lock.image(target)?))) else {
        return vec!["the inputs changed".to_owned()];
    };
    let by_name = |packages: &[TargetPackage]| {
        let mut names: BTreeMap<(String, String), Vec<TargetPackage>> = BTreeMap::new();
        for package in packages {
            let key = (package.nevra.name.clone(), package.nevra.arch.clone());
            names.entry(key).or_default().push(package.clone());
        }
        names
    };
    let (old, new) = (by_name(&old), by_name(&target.packages));
    let mut changes = Vec::new();
    for key in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let list = |packages: Option<&Vec<TargetPackage>>| {
            let all = packages.into_iter().flatten();
            all.map(|package| package.nevra.evr.to_string()).collect::<Vec<_>>().join(", ")
        };
        let name = format!("{}.{}", key.0, key.1);
        match (old.get(key), new.get(key)) {
            (a, b) if a == b => {}
            (Some(a), Some(b)) if list(Some(a)) == list(Some(b)) => {
                let same = a.iter().zip(b).all(|(a, b)| a.checksum == b.checksum);
                if !same {
                    changes.push(format!(
                        "{name} {}: another file of the same version",
                        list(Some(b))
                    ));
                }
            }
            (Some(a), Some(b)) => {
                changes.push(format!("{name} {} -> {}", list(Some(a)), list(Some(b))));
            }
            (Some(a), None) => changes.push(format!("{name} {} removed", list(Some(a)))),
            (None, b) => changes.push(format!("{name} {} added", list(b))),
        }
    }
    for used in uses {
        let reference = &used.reference;
        match lock.plugin(&used.locked_name) {
            Some(known) if known == used.plugin.digest().to_string() => {}
            Some(_) => changes.push(format!("plugin `{reference}` is another component")),
            None => changes.push(format!("plugin `{reference}` added")),
        }
    }
    if changes.is_empty() {
        // the lock is as it is now also after a build in which this image failed
        changes.push(
            "not built since the lock, the spec, the overlay, a plugin's settings or a policy changed"
                .to_owned(),
        );
    }
    changes
}

/// The packages of each image; with `write_lock`, `strata.lock` is brought up to date.
pub fn resolve(
    options: &Options,
    write_lock: bool,
    reporter: &Arc<dyn Reporter + Send>,
) -> Result<Vec<ResolvedReport>, ComposeError> {
    let run = Run::begin(options, None, reporter)?;
    if write_lock {
        let lock = run.resolved.lock(&run.plugins, None)?;
        if run.resolved.before.as_ref() != Some(&lock) {
            lock.write(&run.documents.lock_path)?;
        }
    }
    let report = |target: &Target| ResolvedReport {
        name: target.image.name.to_string(),
        arch: target.arch.to_string(),
        packages: target
            .packages
            .iter()
            .map(|package| PackageReport {
                nevra: package.nevra.to_string(),
                repo: package.repo.clone(),
                checksum: package.checksum.to_string(),
                size: package.size,
            })
            .collect(),
    };
    Ok(run.selected().map(|(_, target)| report(target)).collect())
}

/// The layers that a build would stack. Package headers and a few small files are read.
pub fn plan(
    options: &Options,
    host: &dyn PluginHost,
    reporter: &Arc<dyn Reporter + Send>,
) -> Result<PlanReport, ComposeError> {
    let run = Run::begin(options, Some(host), reporter)?;
    let packages = run.packages()?;
    let (mut roots, _) = run.roots(&run.wanted()?, &packages)?;
    run.post_process(&mut roots, &packages, |_| true);
    let failures = roots.iter().enumerate();
    let failures = failures.filter_map(|(at, root)| Some((at, root.found.failure.clone()?)));
    let failed = run.failed(&failures.collect());
    Ok(PlanReport { failed, ..report(&run, &run.plan(&roots)?, &packages)? })
}

fn report(
    run: &Run<'_>,
    planned: &Planned,
    packages: &PackageSet,
) -> Result<PlanReport, ComposeError> {
    let store = LayerStore::new(&run.cache, run.compression, BTreeMap::new());
    let mut layers = Vec::new();
    for (at, (layer, manifest)) in
        planned.plan.layers.iter().zip(&planned.layering.layers).enumerate()
    {
        let members = manifest.members.iter().filter_map(|member| member.package.as_ref());
        let names = members.map(|one| packages.get(one).map(|file| file.package.nevra.to_string()));
        let Some(key) = planned.keys.get(at) else { continue };
        layers.push(LayerReport {
            key: *key,
            title: planned.title(at),
            packages: names.collect::<Result<_, _>>()?,
            images: layer.images.iter().cloned().collect(),
            content_bytes: manifest.content_size(),
            stored_bytes: store.find(key).map(|layer| layer.size),
        });
    }
    let mut images = Vec::new();
    for (_, target) in run.selected() {
        let image = planned.image(&target.id())?;
        images.push(PlannedImage {
            name: target.image.name.to_string(),
            arch: target.arch.to_string(),
            layers: image.shared.clone(),
            own_layers: 1 + usize::from(image.overlay.is_some()),
        });
    }
    Ok(PlanReport { layers, images, failed: Vec::new() })
}
