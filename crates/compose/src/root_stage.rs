//! LAYER, first half: the packages of each image become its root file system.
//!
//! Two steps. [`roots`] needs headers and a few small files: it numbers accounts over all images
//! and merges. [`Root::complete`] adds what needs the contents of libraries and is different in
//! every image: accounts, soname links and `ld.so.cache`, the rpmdb.

use crate::{
    ComposeError, PluginFailure,
    found::Found,
    package_file::PackageFile,
    packages::PackageSet,
    plugin_stage::{self, Filtered},
    plugins::Plugins,
    scriptlets::ScriptletReport,
    target::Target,
};
use rayon::prelude::*;
use std::sync::Arc;
use strata_assemble::Accounts;
use strata_rootfs::{
    Content, FilePolicy, Kind, MergeTask, Merged, Node, Owners, PackageIndex, PackageInfo,
    TreePath,
    accounts::{self, Definitions, Ids},
    distro::{Distro, DistroError},
    facts::{self, PackageFacts},
    ldconfig::{self, PackageSources},
    merge,
    rpmdb::{self, DbPackage},
    scriptlets::accounts_of,
};
use strata_rpm::Package;

/// An image's root file system in the making.
pub(crate) struct Root<'a> {
    /// Which image.
    pub target: &'a Target,
    /// Its packages in installation order.
    pub files: Vec<&'a PackageFile>,
    /// Tree and fates.
    pub merged: Merged,
    /// The distribution: place and kind of the rpmdb.
    pub distro: Distro,
    /// Seconds since 1970 that date what strata generates.
    pub epoch: u64,
    /// What rpm or systemd-sysusers would have warned of.
    pub warnings: Vec<String>,
    /// What became of the packages' scripts.
    pub scriptlets: Vec<ScriptletReport>,
    /// Scripts that it cannot be made with, and why.
    pub refused: Vec<String>,
    /// Names to numbers.
    pub owners: Owners,
    /// The packages as plugins see them.
    pub infos: Vec<PackageInfo>,
    /// Whether a filter or a post-processor has changed what is there.
    pub touched: bool,
    /// What plugins found so far.
    pub found: Found,
    definitions: Definitions,
    early: Vec<Arc<PackageFacts>>,
}

/// Merges every image, and numbers the accounts that no package gave a number.
#[tracing::instrument(level = "debug", skip_all)]
pub(crate) fn roots<'a>(
    targets: &'a [Target],
    packages: &'a PackageSet,
    previous: &Ids,
    epoch: Option<u64>,
    plugins: &Plugins,
) -> Result<(Vec<Root<'a>>, Ids), ComposeError> {
    packages.read_early()?;
    let filtered = plugin_stage::filter(plugins, targets, packages);
    let prepared: Vec<Prepared<'a>> =
        targets.iter().map(|target| Prepared::new(target, packages)).collect::<Result<_, _>>()?;
    let accounts: Vec<&Definitions> = prepared.iter().map(|one| &one.accounts).collect();
    let ids = accounts::allocate(&accounts, previous)?;
    let roots: Result<Vec<Root<'a>>, ComposeError> = prepared
        .into_par_iter()
        .zip(filtered)
        .map(|(prepared, filtered)| prepared.merge(&ids, epoch, filtered))
        .collect::<Vec<_>>()
        .into_iter()
        .collect();
    Ok((roots?, ids))
}

fn facts_of(files: &[&PackageFile], packages: &PackageSet) -> Vec<Arc<PackageFacts>> {
    files.iter().map(|file| packages.facts(&file.checksum)).collect()
}

struct Prepared<'a> {
    target: &'a Target,
    files: Vec<&'a PackageFile>,
    facts: Vec<Arc<PackageFacts>>,
    definitions: Definitions,
    /// The definitions and what scriptlets will make: all that is numbered.
    accounts: Definitions,
}

impl<'a> Prepared<'a> {
    fn new(target: &'a Target, packages: &'a PackageSet) -> Result<Self, ComposeError> {
        let files: Vec<&PackageFile> = target
            .packages
            .iter()
            .map(|package| packages.get(&package.checksum))
            .collect::<Result<_, _>>()?;
        let facts = facts_of(&files, packages);
        let pairs: Vec<(&Package, &PackageFacts)> =
            files.iter().map(|file| &file.package).zip(facts.iter().map(|one| &**one)).collect();
        let definitions = Definitions::new(&pairs);
        let packages: Vec<&Package> = files.iter().map(|file| &file.package).collect();
        let mut accounts = definitions.clone();
        accounts.extend(accounts_of(&packages, &definitions));
        Ok(Self { target, files, facts, definitions, accounts })
    }

    /// The tree of these packages without what filters leave out, and its distribution.
    fn tree(
        &self,
        packages: &[&Package],
        owners: &Owners,
        filters: &[FilePolicy],
    ) -> Result<(Merged, Distro), ComposeError> {
        let image = || self.target.to_string();
        let merged = merge(&MergeTask {
            packages,
            filters,
            docs: self.target.image.docs,
            langs: self.target.image.langs.as_deref(),
            owners,
            color: preferred_color(self.target.arch.as_str()),
        })
        .map_err(|source| ComposeError::Merge { image: image(), source })?;
        let distro = self.distro(&merged)?;
        Ok((merged, distro))
    }

    fn merge(
        self,
        ids: &Ids,
        epoch: Option<u64>,
        filtered: Filtered,
    ) -> Result<Root<'a>, ComposeError> {
        let packages: Vec<&Package> = self.files.iter().map(|file| &file.package).collect();
        let owners = accounts::owners(&self.accounts, ids);
        let Filtered { policies, mut found } = filtered;
        let (merged, distro) = match self.tree(&packages, &owners, &policies) {
            Err(error) if !policies.is_empty() => {
                let whole = self.tree(&packages, &owners, &[])?;
                found.fail(PluginFailure::of("after its plugins left files out", &error));
                whole
            }
            other => other?,
        };
        let warnings = self.warnings(&merged);
        let infos = plugin_stage::package_infos(self.target, &self.files);
        let newest = packages.iter().map(|package| package.build_time).max();
        Ok(Root {
            epoch: epoch.or(newest).unwrap_or(0),
            warnings,
            scriptlets: Vec::new(),
            refused: Vec::new(),
            target: self.target,
            files: self.files,
            merged,
            distro,
            owners,
            infos,
            touched: !policies.is_empty(),
            found,
            definitions: self.definitions,
            early: self.facts,
        })
    }

    fn warnings(&self, merged: &Merged) -> Vec<String> {
        let mut warnings: Vec<String> = merged.warnings.iter().map(ToString::to_string).collect();
        for problem in &self.definitions.problems {
            let line = if problem.line > 0 { format!(":{}", problem.line) } else { String::new() };
            warnings.push(format!("{}{line}: ignored: {}", problem.source, problem.reason));
        }
        for file in &self.files {
            if file.ima_signatures > 0 {
                let (name, count) = (&file.package.nevra.name, file.ima_signatures);
                warnings.push(format!("`{name}`: IMA signatures of {count} files are left out"));
            }
            for index in facts::oversized(&file.package) {
                let Some(entry) = file.package.files.get(index as usize) else { continue };
                let path = String::from_utf8_lossy(&entry.path);
                let name = &file.package.nevra.name;
                warnings.push(format!("`{name}`: `{path}` is too large to be read, and is not"));
            }
        }
        warnings
    }

    /// The spec's key, else what os-release in the tree says.
    fn distro(&self, merged: &Merged) -> Result<Distro, ComposeError> {
        let image = || self.target.to_string();
        if let Some(key) = &self.target.image.distro {
            return key.value.parse().map_err(|source: DistroError| ComposeError::Distro {
                image: image(),
                source,
                place: Some(key.place.to_string()),
            });
        }
        let text = ["etc/os-release", "usr/lib/os-release"].iter().find_map(|path| {
            let path = merged.tree.resolve(&TreePath::new(path).ok()?).ok()?;
            let Kind::File { content, .. } = &merged.tree.get(&path)?.kind else {
                return None;
            };
            early_content(&self.facts, content)
        });
        let found = match text {
            Some(text) => Distro::from_os_release(&String::from_utf8_lossy(text)),
            None => Err(DistroError::Missing),
        };
        found.map_err(|source| ComposeError::Distro { image: image(), source, place: None })
    }
}

impl Root<'_> {
    /// Puts in what is different in every image and needs libraries to be known: soname links,
    /// `ld.so.cache`, the rpmdb. The facts of all libraries must have been read.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn complete(&mut self, packages: &PackageSet) -> Result<(), ComposeError> {
        let facts = facts_of(&self.files, packages);
        let facts: Vec<&PackageFacts> = facts.iter().map(|one| &**one).collect();
        let found = ldconfig::ldconfig(&self.merged.tree, &PackageSources(&facts));
        found.apply(&mut self.merged.tree, self.epoch);
        self.add_rpmdb()?;
        crate::dnf_state::add(&mut self.merged.tree, self.target, self.epoch)
    }

    /// The text of an early file or of one that strata made; links are followed.
    fn text(&self, path: &str) -> Option<&[u8]> {
        let tree = &self.merged.tree;
        let path = tree.resolve(&TreePath::new(path).ok()?).ok()?;
        match &tree.get(&path)?.kind {
            Kind::File { content: Content::Inline(bytes), .. } => Some(bytes),
            Kind::File { content, .. } => early_content(&self.early, content),
            _ => None,
        }
    }

    /// Whether the files that strata makes last have a place to go to; else why not.
    pub fn own_places(&self) -> Result<(), String> {
        let cache = TreePath::new(ldconfig::CACHE).unwrap_or_default();
        for path in self.distro.database().chain([cache]) {
            let place = self.merged.tree.resolve_parent(&path);
            let place = place.map_err(|error| format!("`{path}` cannot be written: {error}"))?;
            if self.merged.tree.get(&place).is_some_and(Node::is_dir) {
                return Err(format!("`{path}` is a directory"));
            }
        }
        Ok(())
    }

    /// The accounts of the finished image.
    pub fn accounts(&self) -> Accounts {
        let text = |path| self.text(path).unwrap_or_default();
        Accounts::parse(text("etc/passwd"), text("etc/group"))
    }

    /// Adds the accounts that packages define but their `/etc/passwd` lacks.
    pub fn add_accounts(&mut self, ids: &Ids) {
        let text = |path| self.text(path);
        let sources = accounts::Sources {
            passwd: text("etc/passwd"),
            group: text("etc/group"),
            shadow: text("etc/shadow"),
            gshadow: text("etc/gshadow"),
        };
        let rendered = accounts::render(&self.definitions, ids, &sources, self.epoch);
        let changed = [
            ("etc/passwd", 0o644, rendered.passwd),
            ("etc/group", 0o644, rendered.group),
            ("etc/shadow", 0o000, rendered.shadow),
            ("etc/gshadow", 0o000, rendered.gshadow),
        ];
        for (path, mode, bytes) in changed {
            let (Some(bytes), Ok(path)) = (bytes, TreePath::new(path)) else { continue };
            let path = self.merged.tree.resolve(&path).unwrap_or(path);
            let mut node = Node::generated(bytes, mode, self.epoch);
            if let Some(old) = self.merged.tree.get(&path) {
                // a link to a place where accounts are not looked for, or too large
                if matches!(&old.kind, Kind::File { content, .. } if early_content(&self.early, content).is_none())
                {
                    let why = "was not read, and stays without the accounts of other packages";
                    self.warnings.push(format!("`{path}` {why}"));
                    continue;
                }
                (node.mode, node.uid, node.gid) = (old.mode, old.uid, old.gid);
            }
            self.merged.tree.insert(path, node);
        }
    }

    fn add_rpmdb(&mut self) -> Result<(), ComposeError> {
        let states: Vec<Vec<u8>> = (0u32..)
            .zip(&self.files)
            .map(|(at, _)| self.merged.file_states(PackageIndex(at)))
            .collect();
        let color = transaction_color(self.target.arch.as_str());
        let rows: Vec<DbPackage<'_>> = self
            .files
            .iter()
            .zip(states)
            .map(|(file, states)| {
                let time = u32::try_from(file.package.build_time).unwrap_or(u32::MAX);
                DbPackage {
                    signature: &file.signature,
                    header: &file.header,
                    states,
                    install_time: time,
                    install_tid: time,
                    install_color: color,
                }
            })
            .collect();
        let files = rpmdb::files(&rows, self.distro.backend)
            .map_err(|source| ComposeError::Rpmdb { image: self.target.to_string(), source })?;
        let tree = &mut self.merged.tree;
        for (path, bytes) in self.distro.database().zip(files) {
            let place = tree.resolve_parent(&path).unwrap_or(path);
            tree.insert(place, Node::generated(bytes, 0o644, self.epoch));
        }
        Ok(())
    }
}

/// The content of an early file, from the facts of an image's packages in installation order.
fn early_content<'a>(facts: &'a [Arc<PackageFacts>], content: &Content) -> Option<&'a [u8]> {
    let Content::Package { package, file } = content else { return None };
    facts.get(package.0 as usize)?.contents.get(file).map(Vec::as_slice)
}

/// rpm's `%_transaction_color` of an architecture: the ELF classes that it keeps apart. It is also
/// written into the rpmdb. Source: rpm's `platform/ARCH-linux/macros`.
fn transaction_color(arch: &str) -> u32 {
    const COLORED: [&str; 8] =
        ["x86_64", "aarch64", "ppc64le", "ppc64", "s390x", "riscv64", "loongarch64", "mips64el"];
    if COLORED.contains(&arch) { 3 } else { 0 }
}

/// rpm's `%_prefer_color`: 64-bit, where classes are kept apart at all.
fn preferred_color(arch: &str) -> u32 {
    transaction_color(arch) & 2
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::transaction_color;
    use strata_oci::Platform;

    /// What rpm itself says, where its macros are installed.
    #[test]
    fn colors_are_those_of_rpm() {
        let platforms = std::path::Path::new("/usr/lib/rpm/platform");
        let Ok(entries) = std::fs::read_dir(platforms) else { return };
        let mut compared = 0;
        for entry in entries {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let Some(arch) = name.strip_suffix("-linux") else { continue };
            // those that an image can be built for
            if Platform::rpm_arch(arch) != Ok(arch) {
                continue;
            }
            let macros = std::fs::read_to_string(platforms.join(&name).join("macros")).unwrap();
            let line = macros.lines().find_map(|line| line.strip_prefix("%_transaction_color"));
            assert_eq!(transaction_color(arch).to_string(), line.unwrap().trim(), "{arch}");
            compared += 1;
        }
        assert!(compared >= 10, "only {compared} architectures");
    }
}
