//! LAYER, between merge and post-processors: the scripts of the packages, run on the tree.

use crate::{
    ComposeError, ScriptletReport, package_file::PackageFile, packages::PackageSet,
    root_stage::Root, scriptlets::ScriptletPolicy,
};
use std::sync::{Arc, Mutex, PoisonError};
use strata_rootfs::{
    PackageIndex,
    installation::{Fallback, Installation, install},
    scriptlets::{Contents, Limits},
    transaction::Member,
};
use strata_spec::Scriptlets;

/// Runs the scripts of an image's packages on its tree.
///
/// Those that the image cannot be made with are kept in [`Root::refused`]: that counts only for an
/// image that is made.
#[tracing::instrument(level = "debug", skip_all)]
pub(crate) fn run_scriptlets(
    root: &mut Root<'_>,
    policy: &ScriptletPolicy,
    packages: &PackageSet,
) -> Result<(), ComposeError> {
    let contents = ScriptContents { files: &root.files, packages, trouble: Mutex::default() };
    let states: Vec<Vec<u8>> = (0u32..)
        .zip(&root.files)
        .map(|(at, _)| root.merged.file_states(PackageIndex(at)))
        .collect();
    let members: Vec<Member<'_>> = root
        .files
        .iter()
        .zip(&states)
        .map(|(file, states)| Member { package: &file.package, states })
        .collect();
    let installation = Installation {
        members: &members,
        contents: &contents,
        owners: &root.owners,
        epoch: root.epoch,
        limits: Limits::default(),
    };
    let name = |package: PackageIndex| {
        root.files.get(package.0 as usize).map_or("", |file| &file.package.nevra.name)
    };
    let runs = install(&installation, &mut root.merged.tree, &mut |action, _, error| match policy
        .of(name(action.package))
    {
        Scriptlets::Skip => Fallback::Skip,
        Scriptlets::Fail | Scriptlets::Sandbox => Fallback::Refuse(error.to_string()),
    });
    if let Some(error) = contents.trouble.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    for run in &runs {
        match ScriptletReport::new(name(run.package), run) {
            Ok(report) => root.scriptlets.push(report),
            Err(reason) => root.refused.push(reason),
        }
    }
    Ok(())
}

/// Contents of the packages' files, for scripts that read them.
struct ScriptContents<'a> {
    files: &'a [&'a PackageFile],
    packages: &'a PackageSet,
    /// Why the first one could not be read.
    trouble: Mutex<Option<ComposeError>>,
}

impl Contents for ScriptContents<'_> {
    fn read(&self, package: PackageIndex, file: u32) -> Option<Arc<[u8]>> {
        let from = self.files.get(package.0 as usize)?;
        match self.packages.content(from, file) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
                trouble.get_or_insert(error);
                None
            }
        }
    }
}
