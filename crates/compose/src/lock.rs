//! `strata.lock` beside the spec: read, put to use, and written when it changed.

use crate::{
    ComposeError,
    local::LOCAL,
    target::{Target, TargetPackage},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    path::Path,
};
use strata_layer::plan::{PlanRecord, RecordedAtom, RecordedLayer};
use strata_oci::Digest;
use strata_repo::Base;
use strata_resolve::{
    Reason,
    lock::{
        self, LockedImage, LockedPackage, LockedReasons, LockedRepository, Lockfile, PartialSource,
        PlannedLayer,
    },
};
use strata_rootfs::accounts::Ids;
use strata_rpm::{Checksum, ChecksumAlgorithm};
use strata_store::PendingFile;

/// The lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lock(Lockfile);

/// The lock at a path; none if there is none yet.
pub(crate) fn read(path: &Path) -> Result<Option<Lock>, ComposeError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| ComposeError::read(path, error))?,
    };
    match Lockfile::parse(&text) {
        Ok(lockfile) => Ok(Some(Lock(lockfile))),
        Err(error) => Err(ComposeError::Lock {
            path: path.to_owned(),
            reason: error.to_string(),
            hint: error.hint(),
        }),
    }
}

impl Lock {
    /// The lock of resolved targets and plugins. What is not known (`made` is none when nothing was built, a
    /// repository's digest when it was not read) is taken from the lock before.
    pub fn new(
        targets: &[Target],
        repomds: &BTreeMap<String, Checksum>,
        plugins: BTreeMap<String, String>,
        made: Option<(&Ids, &PlanRecord)>,
        before: Option<&Self>,
    ) -> Result<Self, ComposeError> {
        let mut packages: BTreeMap<&Checksum, LockedPackage> = BTreeMap::new();
        let mut repositories = BTreeMap::new();
        let mut images = Vec::new();
        for target in targets {
            for package in &target.packages {
                packages.entry(&package.checksum).or_insert_with(|| locked_package(package));
                if !repositories.contains_key(&package.repo) {
                    let repository = locked_repository(package, target, repomds, before)?;
                    repositories.insert(package.repo.clone(), repository);
                }
            }
            images.push(LockedImage {
                name: target.image.name.to_string(),
                arch: target.arch.to_string(),
                request: checksum(&target.request_digest())?,
                packages: target.packages.iter().map(|one| one.checksum.clone()).collect(),
                reasons: reasons(target),
            });
        }
        let mut lockfile = Lockfile {
            version: lock::VERSION,
            repositories,
            packages: packages.into_values().collect(),
            images,
            ids: before.map(|lock| lock.0.ids.clone()).unwrap_or_default(),
            plan: before.map(|lock| lock.0.plan.clone()).unwrap_or_default(),
            plugins,
        };
        if let Some((ids, plan)) = made {
            lockfile.ids = lock::Ids { users: ids.users.clone(), groups: ids.groups.clone() };
            lockfile.plan = lock::Plan { layers: plan.layers.iter().map(planned).collect() };
        }
        // in the order that reading gives, so that equal locks compare equal
        let text = lockfile.to_bytes();
        match Lockfile::parse(&String::from_utf8_lossy(&text)) {
            Ok(lockfile) => Ok(Self(lockfile)),
            Err(error) => Err(ComposeError::Internal(format!("the new lock is wrong: {error}"))),
        }
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), ComposeError> {
        self.prepare(path)?.commit()?;
        Ok(())
    }

    /// Writes it under another name: what can fail fails here, while nothing has changed.
    pub fn prepare(&self, path: &Path) -> Result<PendingFile, ComposeError> {
        let mut pending = PendingFile::create(path)?;
        let written = pending.write_all(&self.0.to_bytes());
        written
            .and_then(|()| pending.file_mut().sync_all())
            .map_err(|error| pending.write_error(error))?;
        Ok(pending)
    }

    /// The packages of an image whose request is the same as then.
    pub fn packages_of(&self, target: &Target) -> Option<Vec<TargetPackage>> {
        let image = self.0.image(target.image.name.as_str(), target.arch.as_str())?;
        let same = checksum(&target.request_digest()).ok()? == image.request;
        if same { self.unlock(image) } else { None }
    }

    /// The packages that an image had.
    pub fn image(&self, target: &Target) -> Option<Vec<TargetPackage>> {
        self.unlock(self.0.image(target.image.name.as_str(), target.arch.as_str())?)
    }

    fn unlock(&self, image: &LockedImage) -> Option<Vec<TargetPackage>> {
        let by_checksum: BTreeMap<&Checksum, &LockedPackage> =
            self.0.packages.iter().map(|package| (&package.checksum, package)).collect();
        let package = |checksum| {
            let package = by_checksum.get(checksum)?;
            let reason = image.reasons.as_ref().map(|reasons| reasons.of(checksum));
            Some(unlocked(package, reason))
        };
        image.packages.iter().map(package).collect()
    }

    /// All packages of the lock.
    pub fn checksums(&self) -> Vec<Checksum> {
        self.0.packages.iter().map(|package| package.checksum.clone()).collect()
    }

    /// The digest of a plugin by its reference.
    pub fn plugin(&self, reference: &str) -> Option<&str> {
        self.0.plugins.get(reference).map(String::as_str)
    }

    /// Numbers that were chosen before.
    pub fn ids(&self) -> Ids {
        Ids { users: self.0.ids.users.clone(), groups: self.0.ids.groups.clone() }
    }

    /// The layer plan before, if there was one.
    pub fn plan(&self) -> Option<PlanRecord> {
        let layers: Vec<RecordedLayer> = self.0.plan.layers.iter().map(recorded).collect();
        (!layers.is_empty()).then_some(PlanRecord { layers })
    }
}

fn locked_package(package: &TargetPackage) -> LockedPackage {
    LockedPackage {
        nevra: package.nevra.clone(),
        repository: package.repo.clone(),
        location: match &package.location_base {
            Some(base) => format!("{}/{}", shown(base).trim_end_matches('/'), package.location),
            None => package.location.clone(),
        },
        size: package.size,
        checksum: package.checksum.clone(),
        header: None,
    }
}

/// A base without credentials, which no lock keeps.
fn shown(base: &str) -> String {
    match Base::parse(base, Path::new("")) {
        Some(base @ Base::Http(_)) => base.to_string(),
        _ => base.to_owned(),
    }
}

fn unlocked(package: &LockedPackage, reason: Option<Reason>) -> TargetPackage {
    let (location_base, location) = match package.location.rsplit_once('/') {
        Some((base, name)) if base.contains("://") => (Some(base.to_owned()), name.to_owned()),
        _ => (None, package.location.clone()),
    };
    TargetPackage {
        nevra: package.nevra.clone(),
        repo: package.repository.clone(),
        location,
        location_base,
        size: package.size,
        checksum: package.checksum.clone(),
        reason,
    }
}

/// None when an older lock did not say it of them.
fn reasons(target: &Target) -> Option<LockedReasons> {
    let known = target.packages.iter().map(|one| Some((&one.checksum, one.reason?)));
    known.collect::<Option<Vec<_>>>().map(LockedReasons::new)
}

fn locked_repository(
    package: &TargetPackage,
    target: &Target,
    repomds: &BTreeMap<String, Checksum>,
    before: Option<&Lock>,
) -> Result<LockedRepository, ComposeError> {
    let id = &package.repo;
    let known = before.and_then(|lock| lock.0.repositories.get(id));
    let repo = target.repos.iter().find(|repo| repo.definition.id == *id);
    let repomd = match (repomds.get(id), known, id.as_str()) {
        (Some(repomd), _, _) => repomd.clone(),
        (None, Some(known), _) => known.repomd.clone(),
        // there is no listing of single files
        (None, None, LOCAL) => checksum(&Digest::of(b""))?,
        (None, None, _) => {
            return Err(ComposeError::Internal(format!("the repository `{id}` was not read")));
        }
    };
    let url = repo.and_then(|repo| repo.written.first()).cloned().unwrap_or_default();
    Ok(LockedRepository { url, repomd })
}

fn checksum(digest: &Digest) -> Result<Checksum, ComposeError> {
    Checksum::new(ChecksumAlgorithm::Sha256, &digest.hex())
        .map_err(|error| ComposeError::Internal(error.to_string()))
}

fn planned(layer: &RecordedLayer) -> PlannedLayer {
    let list = |set: &BTreeSet<String>| set.iter().cloned().collect();
    PlannedLayer {
        images: list(&layer.images),
        sources: list(&layer.sources),
        partial: layer
            .partial
            .iter()
            .map(|atom| PartialSource { source: atom.source.clone(), images: list(&atom.images) })
            .collect(),
    }
}

fn recorded(layer: &PlannedLayer) -> RecordedLayer {
    let set = |list: &[String]| list.iter().cloned().collect();
    RecordedLayer {
        images: set(&layer.images),
        sources: set(&layer.sources),
        partial: layer
            .partial
            .iter()
            .map(|atom| RecordedAtom { source: atom.source.clone(), images: set(&atom.images) })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_base_keeps_no_password() {
        assert_eq!(shown("https://u:secret@h/x?t=secret"), "https://h/x");
        assert_eq!(shown("file:///x"), "file:///x");
        assert_eq!(shown("media:1#2"), "media:1#2");
    }
}
