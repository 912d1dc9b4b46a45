//! RESOLVE: requests become packages, from the lock where it answers, else from the repositories.

use crate::{
    ComposeError, Event, LockMode, Options, Reporter,
    cache::Cache,
    documents::Documents,
    event::Relay,
    local::{self, LOCAL, LocalPackage},
    lock::{self, Lock},
    plugins::Plugins,
    target::{Repository, Target, TargetPackage},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};
use strata_layer::plan::PlanRecord;
use strata_repo::{Base, HttpSettings, PackageRequest, RepoSnapshot, Repositories};
use strata_resolve::{
    ImageRequest, Libsolv, Reason, RepoView, ResolveTask, Solver, file_paths_needed, unusable,
};
use strata_rootfs::accounts::Ids;
use strata_rpm::{Checksum, PackageRecord};
use strata_spec::Located;

/// Every image with its packages.
pub(crate) struct Resolved {
    /// In the order of names, then as the spec orders architectures.
    pub targets: Vec<Target>,
    /// The lock as it was found.
    pub before: Option<Lock>,
    /// Digest of `repomd.xml` by repository, of those that were read.
    pub repomds: BTreeMap<String, Checksum>,
    /// The spec's directory.
    dir: PathBuf,
    repositories: Repositories,
    /// Whether packages may be older than what the repositories have now.
    locked: bool,
}

/// Resolves every image of the spec; `--image` plays no part in it.
#[tracing::instrument(level = "debug", skip_all)]
pub(crate) fn resolve(
    documents: &Documents,
    options: &Options,
    cache: &Cache,
    reporter: &Arc<dyn Reporter + Send>,
) -> Result<Resolved, ComposeError> {
    let repositories = Repositories::new(
        cache.repo.clone(),
        HttpSettings::default(),
        Arc::new(Relay(Arc::clone(reporter))),
    )?;
    let before = lock::read(&documents.lock_path)?;
    let mut warnings = Vec::new();
    let mut targets = Vec::new();
    let known = documents.definitions(options, &mut warnings)?;
    for (image, arch) in documents.images(options)? {
        let repos = documents.repositories(&known, options, &image, arch, &mut warnings)?;
        let local = image
            .packages
            .iter()
            .filter_map(|request| LocalPackage::read(request, &documents.dir).transpose())
            .collect::<Result<_, _>>()?;
        targets.push(Target { image, arch, repos, local, packages: Vec::new() });
    }
    let mut seen = BTreeSet::new();
    for warning in warnings.into_iter().filter(|text| seen.insert(text.clone())) {
        reporter.event(&Event::Warning(warning));
    }
    let mut open: Vec<usize> = Vec::new();
    for (at, target) in targets.iter_mut().enumerate() {
        let locked = match options.lock {
            LockMode::Update => None,
            LockMode::Use | LockMode::Locked => {
                before.as_ref().and_then(|lock| lock.packages_of(target))
            }
        };
        match locked {
            Some(packages) => target.packages = packages,
            None => open.push(at),
        }
    }
    if options.lock == LockMode::Locked
        && let Some(first) = open.first().and_then(|at| targets.get(*at))
    {
        let problem = match before {
            None => "does not exist".to_owned(),
            Some(_) => format!("does not answer what the spec asks for `{}`", first.image.name),
        };
        return Err(ComposeError::Locked { path: documents.lock_path.clone(), problem });
    }
    let mut repomds = BTreeMap::new();
    let from_lock = open.is_empty();
    if !from_lock {
        let favor: Vec<Checksum> = match options.lock {
            LockMode::Update => Vec::new(),
            LockMode::Use | LockMode::Locked => {
                before.as_ref().map(Lock::checksums).unwrap_or_default()
            }
        };
        solve(&mut targets, &open, &favor, &repositories, &mut repomds, reporter)?;
    }
    let distinct: BTreeSet<&Checksum> = targets
        .iter()
        .flat_map(|target| &target.packages)
        .map(|package| &package.checksum)
        .collect();
    reporter.event(&Event::Resolved { images: targets.len(), packages: distinct.len(), from_lock });
    let locked = options.lock != LockMode::Update && before.is_some();
    Ok(Resolved { targets, before, repomds, dir: documents.dir.clone(), repositories, locked })
}

/// Solves the open targets; those with the same repositories and local packages together: no image
/// sees a local package that only another one names.
fn solve(
    targets: &mut [Target],
    open: &[usize],
    favor: &[Checksum],
    repositories: &Repositories,
    repomds: &mut BTreeMap<String, Checksum>,
    reporter: &Arc<dyn Reporter + Send>,
) -> Result<(), ComposeError> {
    let mut groups: Vec<(Vec<Repository>, Vec<usize>)> = Vec::new();
    for at in open {
        let Some(target) = targets.get(*at) else { continue };
        let alike = groups.iter_mut().find(|(repos, members)| {
            let first = members.first().and_then(|at| targets.get(*at));
            *repos == target.repos
                && first.is_some_and(|first| local::checksums(first) == local::checksums(target))
        });
        match alike {
            Some((_, members)) => members.push(*at),
            None => groups.push((target.repos.clone(), vec![*at])),
        }
    }
    for (repos, members) in groups {
        let mut snapshots: Vec<RepoSnapshot> = repos
            .iter()
            .map(|repo| repositories.open(&repo.definition))
            .collect::<Result<_, _>>()?;
        for snapshot in &mut snapshots {
            repomds.insert(snapshot.id.clone(), snapshot.repomd.clone());
            let RepoSnapshot { id, packages, .. } = snapshot;
            packages.retain(|record| is_usable(id, record, reporter));
        }
        let images: Vec<ImageRequest> = members
            .iter()
            .filter_map(|at| targets.get(*at))
            .map(|target| request(target, favor))
            .collect();
        let local: Vec<PackageRecord> = members
            .iter()
            .filter_map(|at| targets.get(*at))
            .flat_map(|target| &target.local)
            .map(|local| (local.record.checksum.clone(), local.record.clone()))
            .collect::<BTreeMap<_, _>>()
            .into_values()
            .collect();
        let needed = file_paths_needed(&task(&snapshots, &local, &images));
        for snapshot in snapshots.iter_mut().filter(|_| !needed.is_empty()) {
            snapshot.add_file_paths(&needed)?;
        }
        let task = task(&snapshots, &local, &images);
        let resolution = Libsolv.solve(&task).map_err(|error| local::locate(error, targets))?;
        for (at, image) in members.iter().zip(resolution.images) {
            let packages =
                image.packages.into_iter().zip(image.reasons).map(|(package, reason)| {
                    let record = task.record(package)?;
                    let repo = snapshots.get(package.repo).map_or(LOCAL, |snapshot| &snapshot.id);
                    Some(of_record(record, repo, reason))
                });
            let packages: Option<Vec<TargetPackage>> = packages.collect();
            let slot = targets.get_mut(*at);
            match (slot, packages) {
                (Some(target), Some(packages)) => target.packages = packages,
                _ => {
                    return Err(ComposeError::Internal(
                        "the solver named a package of no repository".to_owned(),
                    ));
                }
            }
        }
    }
    Ok(())
}

/// One package that the solver cannot take is left out, aloud; the others are not to suffer for it.
fn is_usable(repo: &str, record: &PackageRecord, reporter: &Arc<dyn Reporter + Send>) -> bool {
    let Some(what) = unusable(record) else { return true };
    let text =
        format!("repository `{repo}`: package `{}` is left out: it has {what}", record.nevra);
    reporter.event(&Event::Warning(text));
    false
}

fn task<'a>(
    snapshots: &'a [RepoSnapshot],
    local: &'a [PackageRecord],
    images: &[ImageRequest],
) -> ResolveTask<'a> {
    let mut repos: Vec<RepoView<'a>> = snapshots
        .iter()
        .map(|snapshot| RepoView {
            id: &snapshot.id,
            priority: snapshot.priority,
            cost: snapshot.cost,
            packages: &snapshot.packages,
        })
        .collect();
    if !local.is_empty() {
        repos.push(RepoView { id: LOCAL, priority: 99, cost: 1000, packages: local });
    }
    ResolveTask { repos, images: images.to_vec() }
}

fn request(target: &Target, favor: &[Checksum]) -> ImageRequest {
    let solved = |request: &Located<String>| {
        let local = target.local.iter().find(|local| local.request == request.value);
        local.map_or_else(|| request.value.clone(), LocalPackage::exact)
    };
    ImageRequest {
        name: target.image.name.to_string(),
        arch: target.arch.as_str().to_owned(),
        packages: target.image.packages.iter().map(solved).collect(),
        exclude: target.image.exclude.iter().map(|one| one.value.clone()).collect(),
        weak_deps: target.image.weak_deps,
        best: target.image.best,
        favor: favor.to_vec(),
    }
}

fn of_record(record: &PackageRecord, repo: &str, reason: Reason) -> TargetPackage {
    TargetPackage {
        nevra: record.nevra.clone(),
        repo: repo.to_owned(),
        location: record.location.clone(),
        location_base: record.location_base.clone(),
        size: record.size,
        checksum: record.checksum.clone(),
        reason: Some(reason),
    }
}

impl Resolved {
    /// The lock that this resolution makes; `made` is what a build found out.
    pub fn lock(
        &self,
        plugins: &Plugins,
        made: Option<(&Ids, &PlanRecord)>,
    ) -> Result<Lock, ComposeError> {
        let before = self.before.as_ref();
        Lock::new(&self.targets, &self.repomds, plugins.locked(before), made, before)
    }

    /// Every package's file, verified: fetched, or where it is.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn fetch(&self) -> Result<Vec<(Checksum, PathBuf)>, ComposeError> {
        let mut wanted: BTreeMap<&Checksum, (&Target, &TargetPackage)> = BTreeMap::new();
        for target in &self.targets {
            for package in &target.packages {
                wanted.entry(&package.checksum).or_insert((target, package));
            }
        }
        let bases: Vec<Vec<Base>> =
            wanted.values().map(|(target, package)| self.bases(target, package)).collect();
        let requests: Vec<PackageRequest<'_>> = wanted
            .values()
            .zip(&bases)
            .map(|((_, package), bases)| PackageRequest {
                repo: &package.repo,
                package: package.nevra.to_string(),
                bases: bases.iter().collect(),
                location: match package.repo.as_str() {
                    LOCAL => package.location.rsplit('/').next().unwrap_or(&package.location),
                    _ => &package.location,
                },
                location_base: package.location_base.as_deref(),
                checksum: &package.checksum,
                size: package.size,
            })
            .collect();
        let fetched = self.repositories.package_store().fetch_all(&requests);
        let paths = fetched.map_err(|source| match self.locked {
            true => ComposeError::LockedPackage { source },
            false => source.into(),
        })?;
        Ok(wanted.into_keys().cloned().zip(paths).collect())
    }

    /// Where the definition says that the package's repository is.
    fn bases(&self, target: &Target, package: &TargetPackage) -> Vec<Base> {
        if package.repo == LOCAL {
            let path = self.dir.join(&package.location);
            return vec![Base::Directory(path.parent().unwrap_or(&self.dir).to_owned())];
        }
        let repo = target.repos.iter().find(|repo| repo.definition.id == package.repo);
        let texts = repo.map(|repo| repo.definition.baseurl.as_slice()).unwrap_or_default();
        texts.iter().filter_map(|text| Base::parse(text, Path::new(""))).collect()
    }
}
