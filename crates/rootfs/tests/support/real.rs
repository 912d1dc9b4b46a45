//! Packages of real installations, taken apart from the rows of their databases.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use strata_rootfs::rpmdb::DbPackage;
use strata_rpm::{
    Tag,
    header::{Data, Header, HeaderBuilder, HeaderKind},
};

use crate::database::{Row, rows, run};

/// What rpm adds to a header from a package's signature header, and the tag there.
const SIGNATURE: [(u32, u32); 16] = [
    (257, 1000),
    (259, 1002),
    (261, 1004),
    (262, 1005),
    (1046, 1007),
    (267, 267),
    (268, 268),
    (269, 269),
    (270, 270),
    (271, 271),
    (273, 273),
    (274, 274),
    (275, 275),
    (276, 276),
    (278, 278),
    (279, 279),
];

/// What it adds of its own.
const INSTALLATION: [u32; 4] = [1008, 1029, 1127, 1128];

/// A package as it was before it was installed, and what its row says of the installation.
pub struct Original {
    pub header: Header,
    pub signature: Header,
    pub row: Row,
}

impl Original {
    pub fn new(row: Row) -> Self {
        let blob = &row.blob;
        let word = |at: usize| u32::from_be_bytes(blob[at..at + 4].try_into().unwrap());
        let entries = word(0) as usize;
        let data = 8 + 16 * entries;
        // the trailer of the region says how many entries it has
        assert_eq!(word(8), Tag::HEADERIMMUTABLE.0);
        let trailer = word(16) as usize;
        let region = word(data + trailer + 8).wrapping_neg() as usize / 16;
        let length = trailer + 16;
        let mut bytes = Header::MAGIC.to_vec();
        bytes.extend((region as u32).to_be_bytes());
        bytes.extend((length as u32).to_be_bytes());
        bytes.extend(&blob[8..8 + 16 * region]);
        bytes.extend(&blob[data..data + length]);
        let (header, end) = Header::parse(&bytes).unwrap();
        assert_eq!(end, bytes.len());

        let mut signature = HeaderBuilder::new();
        for entry in region..entries {
            let at = 8 + 16 * entry;
            let (tag, kind, start, count) =
                (word(at), word(at + 4), data + word(at + 8) as usize, word(at + 12) as usize);
            if INSTALLATION.contains(&tag) {
                continue;
            }
            let (_, from) = SIGNATURE.iter().find(|(to, _)| *to == tag).unwrap();
            let value = match kind {
                4 => Data::Int32((0..count).map(|i| word(start + 4 * i)).collect()),
                6 => {
                    let end = blob[start..].iter().position(|b| *b == 0).unwrap();
                    Data::String(blob[start..start + end].to_vec())
                }
                7 => Data::Bin(blob[start..start + count].to_vec()),
                other => panic!("tag {tag} of type {other}"),
            };
            signature.set(Tag(*from), value);
        }
        let signature = signature.build(HeaderKind::Signature);
        let (signature, _) = Header::parse_kind(&signature, HeaderKind::Signature).unwrap();
        Self { header, signature, row }
    }

    /// As it is given to the writer.
    pub fn package(&self) -> DbPackage<'_> {
        DbPackage {
            signature: &self.signature,
            header: &self.header,
            states: self.row.states.clone(),
            install_time: self.row.time,
            install_tid: self.row.tid,
            install_color: self.row.color,
        }
    }
}

/// The databases below `STRATA_CORPUS`, by name.
#[allow(clippy::print_stderr, reason = "a note for who runs the tests")]
pub fn databases() -> Vec<(String, PathBuf)> {
    let corpus = std::env::var_os("STRATA_CORPUS").map(|corpus| Path::new(&corpus).join("rpmdbs"));
    let Some(entries) = corpus.and_then(|rpmdbs| fs::read_dir(rpmdbs).ok()) else {
        let required = std::env::var("STRATA_REQUIRE_CORPUS").is_ok_and(|value| value == "1");
        assert!(!required, "STRATA_CORPUS must name a directory with `rpmdbs` in it");
        eprintln!("skipped: no databases; `cargo xtask corpus --set rpmdbs` makes them");
        return Vec::new();
    };
    let found = entries.map(|entry| entry.unwrap());
    let mut found: Vec<_> = found
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path().join("rpmdb.sqlite")))
        .collect();
    found.sort();
    found
}

/// A copy of a real database in a directory, without the keys that somebody imported: strata
/// imports none. Rebuilt by rpm, so that every index is what this rpm makes of the headers.
pub fn reference(from: &Path, directory: &Path) -> Vec<Original> {
    fs::create_dir(directory).unwrap();
    fs::copy(from, directory.join("rpmdb.sqlite")).unwrap();
    let rpm = |arguments: &[&str]| {
        let mut rpm = Command::new("rpm");
        rpm.args(arguments).args(["--nosignature", "--nodigest", "--dbpath"]).arg(directory);
        String::from_utf8(run(&mut rpm).stdout).unwrap()
    };
    for key in rpm(&["-qa", "gpg-pubkey"]).lines() {
        rpm(&["-e", "--justdb", "--nodeps", "--noscripts", "--notriggers", key]);
    }
    run(Command::new("rpmdb").arg("--rebuilddb").arg("--dbpath").arg(directory));
    rows(&directory.join("rpmdb.sqlite")).into_iter().map(Original::new).collect()
}
