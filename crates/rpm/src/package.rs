//! What a package's header says, typed.

mod read;

pub use read::PackageError;
pub(crate) use read::check_path;

use crate::{
    Capability, Checksum, ChecksumAlgorithm, Dependency, Evr, FileCapabilities, Nevra,
    PackageRecord, Requirement, Sense, record::source_name,
};

/// The facts of one package that composing an image needs. Made only from a header that passed
/// validation; the header's own bytes stay beside it for the rpmdb.
#[derive(Debug, Clone)]
pub struct Package {
    /// The full name.
    pub nevra: Nevra,
    /// `name-version-release.src.rpm`; empty when unknown.
    pub source_rpm: String,
    /// Seconds since 1970.
    pub build_time: u64,
    /// Sum of the file sizes as the header states it (`SIZE`/`LONGSIZE`).
    pub installed_size: u64,
    /// The vendor; may be empty.
    pub vendor: String,
    /// The algorithm of the files' digests.
    pub digest_algorithm: ChecksumAlgorithm,
    /// Its files in header order. The position is the *file index* used everywhere else.
    pub files: Vec<FileEntry>,
    /// `Provides`.
    pub provides: Vec<Dependency>,
    /// `Requires`.
    pub requires: Vec<Requirement>,
    /// `Conflicts`.
    pub conflicts: Vec<Dependency>,
    /// `Obsoletes`.
    pub obsoletes: Vec<Dependency>,
    /// `Recommends`.
    pub recommends: Vec<Dependency>,
    /// `Suggests`.
    pub suggests: Vec<Dependency>,
    /// `Supplements`.
    pub supplements: Vec<Dependency>,
    /// `Enhances`.
    pub enhances: Vec<Dependency>,
    /// Scriptlets and triggers, in header order.
    pub scriptlets: Vec<Scriptlet>,
}

impl Package {
    /// Name of the source package, as [`PackageRecord::source_name`].
    pub fn source_name(&self) -> &str {
        source_name(&self.source_rpm, &self.nevra)
    }

    /// A package of that name and nothing else.
    pub fn new(nevra: Nevra) -> Self {
        Self {
            nevra,
            source_rpm: String::new(),
            build_time: 0,
            installed_size: 0,
            vendor: String::new(),
            digest_algorithm: ChecksumAlgorithm::Sha256,
            files: Vec::new(),
            provides: Vec::new(),
            requires: Vec::new(),
            conflicts: Vec::new(),
            obsoletes: Vec::new(),
            recommends: Vec::new(),
            suggests: Vec::new(),
            supplements: Vec::new(),
            enhances: Vec::new(),
            scriptlets: Vec::new(),
        }
    }

    /// What a repository would say of the package: for directories of packages without metadata.
    /// All of its files are listed.
    pub fn record(&self, checksum: Checksum, size: u64, location: &str) -> PackageRecord {
        PackageRecord {
            nevra: self.nevra.clone(),
            checksum,
            location: location.to_owned(),
            location_base: None,
            size,
            installed_size: self.installed_size,
            build_time: self.build_time,
            source_rpm: self.source_rpm.clone(),
            vendor: self.vendor.clone(),
            provides: self.provides.clone(),
            requires: self.requires.clone(),
            conflicts: self.conflicts.clone(),
            obsoletes: self.obsoletes.clone(),
            recommends: self.recommends.clone(),
            suggests: self.suggests.clone(),
            supplements: self.supplements.clone(),
            enhances: self.enhances.clone(),
            files: self
                .files
                .iter()
                .map(|file| String::from_utf8_lossy(&file.path).into_owned())
                .collect(),
        }
    }

    /// The hard-link sets: file indexes of regular files, not ghosts, that share an inode. Sets in
    /// order of their first member, members ascending, at least two each.
    pub fn hard_links(&self) -> Vec<Vec<u32>> {
        let mut sets = std::collections::BTreeMap::<(u32, u32), Vec<u32>>::new();
        for (index, file) in self.files.iter().enumerate() {
            if file.is_regular() && !file.is_ghost() && file.inode != 0 {
                sets.entry((file.device, file.inode)).or_default().push(index as u32);
            }
        }
        let mut sets: Vec<_> = sets.into_values().filter(|set| set.len() > 1).collect();
        sets.sort();
        sets
    }
}

/// One file of a package, as its header describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Absolute path, raw bytes (old packages are not UTF-8), no `.` or `..` component.
    pub path: Vec<u8>,
    /// `st_mode` with the file type.
    pub mode: u16,
    /// Size in bytes; of a symbolic link the length of its target.
    pub size: u64,
    /// Seconds since 1970.
    pub mtime: u32,
    /// Owner by name.
    pub user: String,
    /// Group by name.
    pub group: String,
    /// `RPMFILE_*`: config 1, doc 2, ghost 64, license 128, artifact 4096 …
    pub flags: u32,
    /// Digest of the content (`FILEDIGESTS`), empty for what has none.
    pub digest: Vec<u8>,
    /// Target of a symbolic link, empty otherwise.
    pub link_target: Vec<u8>,
    /// `st_rdev` of a device node (as rpm stores it, 16 bits).
    pub rdev: u16,
    /// Files of a package with the same inode (never 0 for a hard link set) and device are one set.
    pub inode: u32,
    /// Device number, only to tell inodes apart.
    pub device: u32,
    /// `FILELANGS`: empty, or languages separated by `|`.
    pub lang: String,
    /// `FILECOLORS`: 1 ELF32, 2 ELF64.
    pub color: u32,
    /// `FILECAPS`, parsed.
    pub capabilities: Option<FileCapabilities>,
}

impl FileEntry {
    /// `%config`
    pub const CONFIG: u32 = 1 << 0;
    /// `%doc`
    pub const DOC: u32 = 1 << 1;
    /// `%ghost`
    pub const GHOST: u32 = 1 << 6;
    /// `%license`
    pub const LICENSE: u32 = 1 << 7;

    /// Whether this is a directory.
    pub fn is_dir(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }

    /// Whether this is a regular file.
    pub fn is_regular(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }

    /// Whether this is a symbolic link.
    pub fn is_symlink(&self) -> bool {
        self.mode & 0o170_000 == 0o120_000
    }

    /// Whether the package lists the file without carrying it.
    pub fn is_ghost(&self) -> bool {
        self.flags & Self::GHOST != 0
    }
}

/// When a scriptlet runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScriptletKind {
    /// `%pretrans`
    PreTrans,
    /// `%pre`
    Pre,
    /// `%post`
    Post,
    /// `%posttrans`
    PostTrans,
    /// `%preun`
    PreUn,
    /// `%postun`
    PostUn,
    /// `%preuntrans`
    PreUnTrans,
    /// `%postuntrans`
    PostUnTrans,
    /// `%verifyscript`
    Verify,
    /// `%triggerprein`, `%triggerin`, `%triggerun`, `%triggerpostun`
    Trigger,
    /// `%filetriggerin` and kin
    FileTrigger,
    /// `%transfiletriggerin` and kin
    TransFileTrigger,
}

/// A scriptlet or trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scriptlet {
    /// When it runs.
    pub kind: ScriptletKind,
    /// The interpreter and its arguments, for example `["/bin/sh"]`, `["<lua>"]`,
    /// `["/sbin/ldconfig"]`.
    pub program: Vec<String>,
    /// The script; empty when the program is all there is.
    pub body: String,
    /// Of a trigger: what sets it off.
    pub conditions: Vec<Condition>,
    /// Of a file trigger: its priority (1,000,000 unless stated).
    pub priority: u32,
    /// `RPMSCRIPT_FLAG_*` of a plain scriptlet (expand 1, qformat 2, critical 4).
    pub flags: u32,
}

/// One thing that sets off a trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its place among all conditions of this kind in the header; scripts take turns.
    pub position: u32,
    /// Name of a package; of a file trigger the beginning of a path.
    pub name: String,
    /// `RPMSENSE_*`: when, and how the version compares.
    pub flags: u32,
    /// Empty when any version will do.
    pub version: String,
}

impl Condition {
    /// The range of versions of the package that sets the trigger off.
    pub fn capability(&self) -> Capability {
        let version = Sense(self.flags).comparison().filter(|_| !self.version.is_empty());
        let version = version.map(|comparison| match self.version.parse::<Evr>() {
            Ok(evr) => (comparison, evr),
            Err(never) => match never {},
        });
        Capability { name: self.name.clone(), version }
    }
}

impl Scriptlet {
    /// The priority of a file trigger that states none.
    pub const DEFAULT_PRIORITY: u32 = 1_000_000;
}
