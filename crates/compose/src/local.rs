//! Package files that the spec names by their paths.

use crate::{ComposeError, target::Target};
use std::{collections::BTreeSet, path::Path};
use strata_resolve::{Fact, Missing, ResolveError};
use strata_rpm::{Checksum, ChecksumAlgorithm, RpmFile};
use strata_spec::Located;

/// A package file that the spec names by its path.
#[derive(Debug, Clone)]
pub(crate) struct LocalPackage {
    /// The request as the spec has it.
    pub request: String,
    /// What the file is.
    pub record: strata_rpm::PackageRecord,
}

/// The id of the pseudo-repository of local packages.
pub(crate) const LOCAL: &str = "@local";

impl LocalPackage {
    /// The package file of a request such as `./tool-1-1.noarch.rpm`.
    pub fn read(request: &Located<String>, dir: &Path) -> Result<Option<Self>, ComposeError> {
        let text = request.value.as_str();
        if !text.ends_with(".rpm") || !text.contains('/') {
            return Ok(None);
        }
        if text.contains("://") && !text.starts_with("file://") {
            let hint = "download the file and write its path".to_owned();
            return Err(request
                .place
                .refuse("packages by address are not supported in this release", Some(hint))
                .into());
        }
        let path = dir.join(text.strip_prefix("file://").unwrap_or(text));
        let wrong = |why: String, hint| ComposeError::from(request.place.refuse(why, hint));
        let bytes = std::fs::read(&path).map_err(|error| {
            let hint = "a relative path counts from the directory of the spec".to_owned();
            wrong(format!("cannot read `{}`: {error}", path.display()), Some(hint))
        })?;
        let rpm = RpmFile::parse(&bytes).map_err(|e| wrong(e.to_string(), e.hint()))?;
        rpm.verify().map_err(|e| wrong(e.to_string(), e.hint()))?;
        let package = rpm.package().map_err(|e| wrong(e.to_string(), e.hint()))?;
        let digest = strata_oci::Digest::of(&bytes);
        let checksum = Checksum::new(ChecksumAlgorithm::Sha256, &digest.hex())
            .map_err(|error| ComposeError::Internal(error.to_string()))?;
        let written = text.strip_prefix("file://").unwrap_or(text);
        let record = package.record(checksum, bytes.len() as u64, written);
        Ok(Some(Self { request: request.value.clone(), record }))
    }

    /// The request for it, as the solver takes it.
    pub fn exact(&self) -> String {
        format!("checksum:{}", self.record.checksum)
    }
}

/// The local packages of an image.
pub(crate) fn checksums(target: &Target) -> BTreeSet<&Checksum> {
    target.local.iter().map(|local| &local.record.checksum).collect()
}

/// A request that matches nothing is an error of the spec: it is shown where it stands.
pub(crate) fn locate(mut error: ResolveError, targets: &[Target]) -> ComposeError {
    for local in targets.iter().flat_map(|target| &target.local) {
        restore(&mut error, &local.exact(), &local.request);
    }
    let ResolveError::NotFound { image, missing } = &error else { return error.into() };
    let place = missing.iter().find_map(|one: &Missing| {
        let mut images = targets.iter().filter(|target| target.image.name.as_str() == image);
        images.find_map(|target| {
            target.image.packages.iter().find(|request| request.value == one.request)
        })
    });
    match place {
        Some(request) => request.place.refuse(error.to_string(), error.hint()).into(),
        None => error.into(),
    }
}

/// Puts a request as the spec has it in the place of the one that the solver got.
fn restore(error: &mut ResolveError, solved: &str, written: &str) {
    match error {
        ResolveError::NotFound { missing, .. } => {
            let all = missing.iter_mut().filter(|one| one.request == solved);
            all.for_each(|one| one.request = written.to_owned());
        }
        ResolveError::Unsatisfiable { problems, hints, .. } => {
            for fact in problems.iter_mut().flat_map(|problem| &mut problem.facts) {
                if let Fact::Requested { request, .. } = fact
                    && request == solved
                {
                    *request = written.to_owned();
                }
            }
            hints.iter_mut().for_each(|hint| *hint = hint.replace(solved, written));
        }
        _ => {}
    }
}
