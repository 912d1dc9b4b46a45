//! Packages of the databases of real installations: headers, no payloads.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read,
    path::{Path, PathBuf},
};
use strata_rpm::{Dependency, Header, Package, RichDependency, RpmFile, Tag};

fn corpus() -> Option<PathBuf> {
    if let Some(corpus) = std::env::var_os("STRATA_CORPUS") {
        return Some(PathBuf::from(corpus));
    }
    let required = std::env::var_os("STRATA_REQUIRE_CORPUS").is_some();
    assert!(!required, "STRATA_CORPUS must name the directory that `cargo xtask corpus` made");
    eprintln!("SKIPPED: STRATA_CORPUS names no corpus");
    None
}

/// The database of one installation, of the corpus set `rpmdbs`; none where there is no corpus.
pub fn database(name: &str) -> Option<PathBuf> {
    let path = corpus()?.join("rpmdbs").join(name).join("rpmdb.sqlite");
    assert!(path.is_file(), "{} is missing: `cargo xtask corpus --set rpmdbs`", path.display());
    Some(path)
}

/// The packages of a database, by name and then in its order.
pub fn packages(database: &Path) -> Vec<Package> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let database = rusqlite::Connection::open_with_flags(database, flags).unwrap();
    let mut query = database.prepare("SELECT blob FROM Packages ORDER BY hnum").unwrap();
    let blobs = query.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let mut packages: Vec<Package> = blobs.filter_map(|blob| package(&blob.unwrap())).collect();
    packages.sort_by(|a, b| a.nevra.name.cmp(&b.nevra.name));
    packages
}

/// The immutable region of a row is the package's header. Keys are rows, too.
fn package(blob: &[u8]) -> Option<Package> {
    let word = |at: usize| u32::from_be_bytes(blob[at..at + 4].try_into().unwrap());
    let data = 8 + 16 * word(0) as usize;
    assert_eq!(word(8), 63, "a row without a region");
    let trailer = word(16) as usize;
    let index = word(data + trailer + 8).wrapping_neg();
    let size = u32::try_from(trailer + 16).unwrap();
    let mut bytes = Header::MAGIC.to_vec();
    bytes.extend((index / 16).to_be_bytes());
    bytes.extend(size.to_be_bytes());
    bytes.extend(&blob[8..8 + index as usize]);
    bytes.extend(&blob[data..data + size as usize]);
    let (header, _) = Header::parse(&bytes).unwrap();
    let key = header.string(Tag::NAME) == Some(b"gpg-pubkey");
    (!key).then(|| Package::from_header(&header).unwrap())
}

/// The repositories of the corpus; none where there is no corpus.
pub fn corpora() -> Option<Vec<PathBuf>> {
    let corpus = corpus()?;
    let sets = ["small", "large", "full"].map(|set| corpus.join(set).join("Packages"));
    let sets: Vec<PathBuf> = sets.into_iter().filter(|set| set.is_dir()).collect();
    assert!(!sets.is_empty(), "{} holds no set of packages", corpus.display());
    Some(sets)
}

/// The packages of a directory.
pub fn files(directory: &Path) -> Vec<Package> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let package = |path: &PathBuf| {
        let mut file = fs::File::open(path).unwrap();
        let mut bytes = vec![0; 1 << 12];
        file.read_exact(&mut bytes).unwrap();
        loop {
            let needed = RpmFile::headers_len(&bytes).unwrap();
            if needed <= bytes.len() {
                return RpmFile::parse(&bytes).unwrap().package().unwrap();
            }
            let more = needed - bytes.len();
            (&mut file).take(more as u64).read_to_end(&mut bytes).unwrap();
        }
    };
    paths.iter().filter(|path| path.extension().is_some_and(|e| e == "rpm")).map(package).collect()
}

/// Who provides what.
pub struct Providers<'a> {
    packages: &'a [Package],
    capabilities: BTreeMap<&'a str, Vec<usize>>,
    files: BTreeMap<&'a [u8], Vec<usize>>,
}

impl<'a> Providers<'a> {
    pub fn new(packages: &'a [Package]) -> Self {
        let mut capabilities = BTreeMap::<&str, Vec<usize>>::new();
        let mut files = BTreeMap::<&[u8], Vec<usize>>::new();
        for (at, package) in packages.iter().enumerate() {
            for provide in &package.provides {
                if let Dependency::Simple(capability) = provide {
                    capabilities.entry(&capability.name).or_default().push(at);
                }
            }
            for file in &package.files {
                files.entry(&file.path).or_default().push(at);
            }
        }
        Self { packages, capabilities, files }
    }

    /// The packages that meet a dependency; packages are in the order of their names. Of a boolean
    /// one: those of its first part that anyone meets, and none of a condition.
    fn of(&self, wanted: &Dependency) -> Vec<usize> {
        match wanted {
            Dependency::Simple(wanted) => {
                let fits = |at: &&usize| {
                    self.packages[**at].provides.iter().any(|provided| {
                        matches!(provided, Dependency::Simple(one) if one.overlaps(wanted))
                    })
                };
                let named = self.capabilities.get(wanted.name.as_str()).into_iter().flatten();
                let mut found: Vec<usize> = named.filter(fits).copied().collect();
                if wanted.name.starts_with('/') {
                    found.extend(self.files.get(wanted.name.as_bytes()).into_iter().flatten());
                }
                found.sort_unstable();
                found.dedup();
                found
            }
            Dependency::Rich(rich) => match &**rich {
                RichDependency::And(all) | RichDependency::Or(all) | RichDependency::With(all) => {
                    all.iter().map(|one| self.of(one)).find(|found| !found.is_empty())
                }
                RichDependency::Without(first, _) => Some(self.of(first)),
                RichDependency::If { .. } | RichDependency::Unless { .. } => None,
            }
            .unwrap_or_default(),
        }
    }

    /// What must be installed for a package, that one last; who is needed before who needs it,
    /// where that is possible. Of several who would do, one that is there already, else the first
    /// by name. What nobody provides is left open: rpm itself had it installed so.
    pub fn closure(&self, root: usize) -> Vec<usize> {
        let mut order = Vec::new();
        let mut seen = BTreeSet::from([root]);
        // a stack of packages, and how many of their requirements were looked at
        let mut stack = vec![(root, 0)];
        while let Some((at, next)) = stack.pop() {
            let Some(wanted) = self.packages[at].requires.get(next) else {
                order.push(at);
                continue;
            };
            stack.push((at, next + 1));
            let found = self.of(&wanted.dependency);
            if !found.iter().any(|one| seen.contains(one))
                && let Some(first) = found.first()
            {
                seen.insert(*first);
                stack.push((*first, 0));
            }
        }
        order
    }
}
