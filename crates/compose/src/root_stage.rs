//! LAYER, first half: the packages of each image become its root file system.
//!
//! Two steps. [`roots`] needs headers and a few small files: it numbers accounts over all images
//! and merges. [`Root::complete`] adds what needs the contents of libraries and is different in
//! every image: accounts, soname links and `ld.so.cache`, the rpmdb.

use crate::{
    ComposeError,
    packages::{PackageFile, PackageSet},
    target::Target,
};
use rayon::prelude::*;
use std::{collections::BTreeMap, sync::Arc};
use strata_assemble::Accounts;
use strata_rootfs::{
    Content, Kind, MergeTask, Merged, Node, Origin, Owners, PackageIndex, TreePath,
    accounts::{self, Definitions, Ids},
    distro::{Distro, DistroError},
    elf::Elf,
    facts::{self, PackageFacts},
    ldconfig::{self, ldconfig},
    merge,
    rpmdb::{self, DbPackage},
};
use strata_rpm::{Package, ScriptletKind};

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
    /// Scriptlets that this release does not run.
    pub scriptlets: Vec<SkippedScriptlet>,
    /// Names to numbers.
    pub owners: Owners,
    definitions: Definitions,
    early: Facts,
}

/// A scriptlet that was not run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SkippedScriptlet {
    /// The package, name only.
    pub package: String,
    /// When rpm would have run it.
    pub when: &'static str,
    /// Its interpreter with arguments.
    pub program: String,
}

/// Merges every image, and numbers the accounts that no package gave a number.
#[tracing::instrument(level = "debug", skip_all)]
pub(crate) fn roots<'a>(
    targets: &'a [Target],
    packages: &'a PackageSet,
    previous: &Ids,
    epoch: Option<u64>,
) -> Result<(Vec<Root<'a>>, Ids), ComposeError> {
    packages.read_early()?;
    let prepared: Vec<Prepared<'a>> =
        targets.iter().map(|target| Prepared::new(target, packages)).collect::<Result<_, _>>()?;
    let definitions: Vec<&Definitions> = prepared.iter().map(|one| &one.definitions).collect();
    let ids = accounts::allocate(&definitions, previous)?;
    let roots: Result<Vec<Root<'a>>, ComposeError> = prepared
        .into_par_iter()
        .map(|prepared| prepared.merge(&ids, epoch))
        .collect::<Vec<_>>()
        .into_iter()
        .collect();
    Ok((roots?, ids))
}

struct Prepared<'a> {
    target: &'a Target,
    files: Vec<&'a PackageFile>,
    facts: Vec<PackageFacts>,
    definitions: Definitions,
}

impl<'a> Prepared<'a> {
    fn new(target: &'a Target, packages: &'a PackageSet) -> Result<Self, ComposeError> {
        let files: Vec<&PackageFile> = target
            .packages
            .iter()
            .map(|package| packages.get(&package.checksum))
            .collect::<Result<_, _>>()?;
        let facts: Vec<PackageFacts> =
            files.iter().map(|file| packages.facts(&file.checksum)).collect();
        let pairs: Vec<(&Package, &PackageFacts)> =
            files.iter().map(|file| &file.package).zip(&facts).collect();
        let definitions = Definitions::new(&pairs);
        Ok(Self { target, files, facts, definitions })
    }

    fn merge(self, ids: &Ids, epoch: Option<u64>) -> Result<Root<'a>, ComposeError> {
        let image = || self.target.to_string();
        let packages: Vec<&Package> = self.files.iter().map(|file| &file.package).collect();
        let owners = accounts::owners(&self.definitions, ids);
        let merged = merge(&MergeTask {
            packages: &packages,
            docs: self.target.image.docs,
            langs: self.target.image.langs.as_deref(),
            owners: &owners,
            color: preferred_color(self.target.arch.as_str()),
        })
        .map_err(|source| ComposeError::Merge { image: image(), source })?;
        let distro = self.distro(&merged)?;
        let warnings = self.warnings(&merged);
        let newest = packages.iter().map(|package| package.build_time).max();
        Ok(Root {
            epoch: epoch.or(newest).unwrap_or(0),
            warnings,
            scriptlets: skipped_scriptlets(&packages),
            target: self.target,
            files: self.files,
            merged,
            distro,
            owners,
            definitions: self.definitions,
            early: Facts(self.facts),
        })
    }

    fn warnings(&self, merged: &Merged) -> Vec<String> {
        let mut warnings: Vec<String> = merged.warnings.iter().map(ToString::to_string).collect();
        for problem in &self.definitions.problems {
            let line = if problem.line > 0 { format!(":{}", problem.line) } else { String::new() };
            warnings.push(format!("{}{line}: ignored: {}", problem.source, problem.reason));
        }
        for file in &self.files {
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
            let Content::Package { package, file } = content else { return None };
            self.facts.get(package.0 as usize)?.contents.get(file)
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
        let facts = Facts(self.files.iter().map(|file| packages.facts(&file.checksum)).collect());
        ldconfig(&self.merged.tree, &facts).apply(&mut self.merged.tree, self.epoch);
        self.add_rpmdb()
    }

    /// The text of an early file or of one that strata made; links are followed.
    fn text(&self, path: &str) -> Option<&[u8]> {
        let tree = &self.merged.tree;
        let path = tree.resolve(&TreePath::new(path).ok()?).ok()?;
        match &tree.get(&path)?.kind {
            Kind::File { content: Content::Inline(bytes), .. } => Some(bytes),
            Kind::File { content, .. } => self.early.content(content),
            _ => None,
        }
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
                if matches!(&old.kind, Kind::File { content, .. } if self.early.content(content).is_none())
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
        let color = install_color(self.target.arch.as_str());
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
        let bytes = rpmdb::write(&rows)
            .map_err(|source| ComposeError::Rpmdb { image: self.target.to_string(), source })?;
        let tree = &mut self.merged.tree;
        let dir = tree.resolve(&self.distro.rpmdb).unwrap_or_else(|_| self.distro.rpmdb.clone());
        tree.insert(dir.join(b"rpmdb.sqlite"), Node::generated(bytes, 0o644, self.epoch));
        Ok(())
    }
}

/// The facts of an image's packages, by installation order.
struct Facts(Vec<PackageFacts>);

impl Facts {
    fn content(&self, content: &Content) -> Option<&[u8]> {
        let Content::Package { package, file } = content else { return None };
        self.0.get(package.0 as usize)?.contents.get(file).map(Vec::as_slice)
    }
}

impl ldconfig::Sources for Facts {
    fn text(&self, content: &Content) -> Option<&[u8]> {
        self.content(content)
    }

    fn elf(&self, content: &Content) -> Option<&Elf> {
        let Content::Package { package, file } = content else { return None };
        self.0.get(package.0 as usize)?.elf.get(file)
    }
}

/// rpm's `%_prefer_color` of an architecture.
fn preferred_color(arch: &str) -> u32 {
    match arch {
        "x86_64" | "ppc64" | "s390x" | "sparc64" | "mips64" | "mips64el" => 2,
        _ => 0,
    }
}

/// rpm's `%_transaction_color` of an architecture, which it writes into the rpmdb.
fn install_color(arch: &str) -> u32 {
    if preferred_color(arch) == 0 { 0 } else { 3 }
}

/// What rpm would have run at installation. `ldconfig` alone is done natively.
fn skipped_scriptlets(packages: &[&Package]) -> Vec<SkippedScriptlet> {
    let mut skipped = Vec::new();
    for package in packages {
        for scriptlet in &package.scriptlets {
            let when = match scriptlet.kind {
                ScriptletKind::PreTrans => "pretrans",
                ScriptletKind::Pre => "pre",
                ScriptletKind::Post => "post",
                ScriptletKind::PostTrans => "posttrans",
                ScriptletKind::Trigger => "trigger",
                ScriptletKind::FileTrigger => "filetrigger",
                ScriptletKind::TransFileTrigger => "transfiletrigger",
                // these run when something is removed or verified
                _ => continue,
            };
            if is_ldconfig(&scriptlet.program, &scriptlet.body) {
                continue;
            }
            skipped.push(SkippedScriptlet {
                package: package.nevra.name.clone(),
                when,
                program: scriptlet.program.join(" "),
            });
        }
    }
    skipped
}

/// Whether a scriptlet does nothing but run `ldconfig`: a shell's text has only lines of the forms
/// that specs are known to have. Everything else is told to the user.
fn is_ldconfig(program: &[String], body: &str) -> bool {
    let ldconfig =
        |text: &str| matches!(text, "/sbin/ldconfig" | "/usr/sbin/ldconfig" | "ldconfig");
    let quiet = |word: &str| {
        matches!(word, "-X" | "||" | ":" | "true" | "2>&1")
            || matches!(word, ">/dev/null" | "2>/dev/null" | "&>/dev/null" | "1>/dev/null")
    };
    match program {
        [only] if ldconfig(only) => body.trim().is_empty(),
        [shell] if shell.ends_with("/sh") || shell.ends_with("/bash") => body
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .all(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                match words.as_slice() {
                    [":" | "true" | "exit"] | ["exit", "0"] | ["set", "-e" | "-x" | "-ex"] => true,
                    [first, more @ ..] => ldconfig(first) && more.iter().all(|word| quiet(word)),
                    [] => true,
                }
            }),
        _ => false,
    }
}

/// Puts the overlay's files into the tree, over whatever is there.
pub(crate) fn add_overlay_files(
    root: &mut Root<'_>,
    files: &BTreeMap<TreePath, OverlayFile>,
) -> Result<(), ComposeError> {
    for (path, file) in files {
        let refuse = |reason: String| {
            let why = format!("the file cannot be put into the image `{}`: {reason}", root.target);
            file.place.refuse(why, Some("choose another path".to_owned()))
        };
        let place =
            root.merged.tree.resolve_parent(path).map_err(|error| refuse(error.to_string()))?;
        if root.merged.tree.get(&place).is_some_and(Node::is_dir) {
            return Err(refuse(format!("`{place}` is a directory")).into());
        }
        let mut node = Node::generated(Arc::clone(&file.bytes), file.mode, root.epoch);
        (node.uid, node.gid, node.origin) = (file.uid, file.gid, Origin::Overlay);
        let there = root.merged.tree.insert(place.clone(), node);
        // two paths that lead to one place: neither is the stronger one
        if there.is_some_and(|node| node.origin == Origin::Overlay) {
            return Err(refuse(format!("another file of the overlay is `{place}` too")).into());
        }
    }
    Ok(())
}

/// A file of the overlay, read.
#[derive(Debug, Clone)]
pub(crate) struct OverlayFile {
    /// Content.
    pub bytes: Arc<[u8]>,
    /// Permission bits.
    pub mode: u16,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Where the overlay says so.
    pub place: strata_spec::Place,
}

#[cfg(test)]
mod tests {
    use super::is_ldconfig;

    #[test]
    fn only_what_is_nothing_but_ldconfig_counts_as_done() {
        let shell = ["/bin/sh".to_owned()];
        for body in [
            "/sbin/ldconfig",
            "# a remark\nset -e\n/usr/sbin/ldconfig -X >/dev/null 2>&1 || :\nexit 0\n",
            "/sbin/ldconfig 2>/dev/null || true",
            "",
        ] {
            assert!(is_ldconfig(&shell, body), "{body}");
        }
        for body in [
            "ldconfig; rm /etc/passwd",
            "set -e; useradd x",
            ": > /etc/created",
            "true && useradd x",
            "ldconfig >/dev/null;useradd",
            "ldconfig -r /elsewhere",
            "exit 1",
            "useradd x",
        ] {
            assert!(!is_ldconfig(&shell, body), "{body}");
        }
        assert!(is_ldconfig(&["/sbin/ldconfig".to_owned()], ""));
        assert!(!is_ldconfig(&["/usr/bin/python3".to_owned()], ""));
    }
}
