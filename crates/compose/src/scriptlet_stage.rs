//! LAYER, between merge and post-processors: the scripts of the packages, run on the tree.

use crate::{
    ComposeError, ScriptletReport, package_file::PackageFile, packages::PackageSet,
    root_stage::Root, scriptlets::ScriptletPolicy,
};
use std::sync::{Arc, Mutex, PoisonError};
use strata_oci::Digest;
use strata_rootfs::{
    PackageIndex,
    installation::{Fallback, Installation, install},
    scriptlets::{Contents, Effects, Limits, ScriptletError, ScriptletTask},
    transaction::Member,
};
use strata_sandbox::{Limits as SandboxLimits, Sandbox, SandboxError};
use strata_spec::Scriptlets;
use strata_store::Store;

/// Runs the scripts of an image's packages on its tree.
///
/// Those that the image cannot be made with are kept in [`Root::refused`]: that counts only for an
/// image that is made.
#[tracing::instrument(level = "debug", skip_all)]
pub(crate) fn run_scriptlets(
    root: &mut Root<'_>,
    policy: &ScriptletPolicy,
    packages: &PackageSet,
    results: &Store,
) -> Result<(), ComposeError> {
    let mut sandbox = Shut { files: &root.files, results, sandbox: None };
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
    let tree = &mut root.merged.tree;
    let runs = install(&installation, tree, &mut |action, task, error| match policy
        .of(name(action.package))
    {
        Scriptlets::Skip => Fallback::Skip,
        Scriptlets::Fail => Fallback::Refuse(error.to_string()),
        Scriptlets::Sandbox => sandbox.run(task, error),
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

/// The sandbox of one image, made when it is needed first, and what is known from other runs.
struct Shut<'a> {
    files: &'a [&'a PackageFile],
    results: &'a Store,
    sandbox: Option<Sandbox>,
}

impl Shut<'_> {
    /// `error` is why the script is not interpreted.
    fn run(&mut self, task: &ScriptletTask<'_>, error: &ScriptletError) -> Fallback {
        let checksum =
            |package: PackageIndex| self.files.get(package.0 as usize).map(|file| &file.checksum);
        let key = strata_sandbox::key(task, &checksum);
        // a result names packages by their places in the image
        let order: String = self.files.iter().map(|file| file.checksum.hex()).collect();
        let key = Digest::of(format!("{key} {order}").as_bytes()).hex();
        // what cannot be read is made again
        if let Ok(Some(bytes)) = self.results.read(&key)
            && let Ok(effects) = strata_sandbox::decode(&bytes)
        {
            return Fallback::Sandboxed(effects);
        }
        match self.make(task) {
            Ok(effects) => {
                // a cache that cannot be written costs only time
                drop(self.results.put_lazily(&key, &strata_sandbox::encode(&effects)));
                Fallback::Sandboxed(effects)
            }
            Err(failure) => {
                let hint = failure.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
                Fallback::Refuse(format!("{error}; in a sandbox: {failure}{hint}"))
            }
        }
    }

    fn make(&mut self, task: &ScriptletTask<'_>) -> Result<Effects, SandboxError> {
        if self.sandbox.is_none() {
            self.sandbox = Some(Sandbox::new(self.results.root(), SandboxLimits::default())?);
        }
        match &mut self.sandbox {
            Some(sandbox) => sandbox.run(task),
            None => Err(SandboxError::Lost),
        }
    }
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
