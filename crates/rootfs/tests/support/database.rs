//! Databases that the real rpm makes, and their rows.

use rusqlite::{Connection, types::Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use strata_rootfs::rpmdb::{DbPackage, header_blob, write};
use strata_rpm::{RpmFile, Tag};

/// Runs a program and insists on its success.
pub fn run(command: &mut Command) -> Output {
    let output = command.env("LC_ALL", "C").output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    output
}

/// What rpm wrote into the row of one package on its own account.
#[derive(Clone)]
pub struct Row {
    pub blob: Vec<u8>,
    pub states: Vec<u8>,
    pub time: u32,
    pub tid: u32,
    pub color: u32,
}

impl Row {
    fn new(blob: Vec<u8>) -> Self {
        let word = |at: usize| u32::from_be_bytes(blob[at..at + 4].try_into().unwrap());
        let entries = word(0) as usize;
        let data = 8 + 16 * entries;
        let find = |tag: Tag| (0..entries).map(|i| 8 + 16 * i).find(|at| word(*at) == tag.0);
        let number = |tag: Tag| word(data + word(find(tag).unwrap() + 8) as usize);
        let states = find(Tag::FILESTATES).map_or(Vec::new(), |at| {
            let start = data + word(at + 8) as usize;
            blob[start..start + word(at + 12) as usize].to_vec()
        });
        Self {
            states,
            time: number(Tag(1008)),
            tid: number(Tag::INSTALLTID),
            color: number(Tag::INSTALLCOLOR),
            blob,
        }
    }
}

/// The packages of a database in order.
pub fn rows(database: &Path) -> Vec<Row> {
    let database = Connection::open(database).unwrap();
    let mut query = database.prepare("SELECT blob FROM Packages ORDER BY hnum").unwrap();
    let blobs = query.query_map([], |row| row.get(0)).unwrap();
    blobs.map(|blob| Row::new(blob.unwrap())).collect()
}

pub type Tables = BTreeMap<String, BTreeSet<(Vec<u8>, i64, i64)>>;

/// Every row of every index table; packages by their place in the order of installation.
pub fn tables(database: &Path) -> Tables {
    let database = Connection::open(database).unwrap();
    let column = |sql: &str| -> Vec<Value> {
        let mut query = database.prepare(sql).unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(|value| value.unwrap()).collect()
    };
    let order: BTreeMap<i64, i64> = column("SELECT hnum FROM Packages ORDER BY hnum")
        .into_iter()
        .zip(0..)
        .map(|(number, place)| match number {
            Value::Integer(number) => (number, place),
            other => panic!("{other:?}"),
        })
        .collect();
    let names =
        column("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'Packages'");
    let names = names.into_iter().filter_map(|name| match name {
        Value::Text(name) if !name.starts_with("sqlite_") => Some(name),
        _ => None,
    });
    names
        .map(|name| {
            let sql = format!("SELECT CAST(key AS BLOB), hnum, idx FROM '{name}'");
            let mut query = database.prepare(&sql).unwrap();
            let rows = query
                .query_map([], |row| Ok((row.get(0)?, order[&row.get::<_, i64>(1)?], row.get(2)?)));
            let rows: Vec<_> = rows.unwrap().map(|row| row.unwrap()).collect();
            let count = rows.len();
            let set: BTreeSet<_> = rows.into_iter().collect();
            assert_eq!(set.len(), count, "double rows in {name}");
            (name, set)
        })
        .collect()
}

/// The statements of the schema, which SQLite keeps as they were written.
pub fn schema(database: &Path) -> BTreeSet<String> {
    let database = Connection::open(database).unwrap();
    let sql = "SELECT sql FROM sqlite_master WHERE sql NOT NULL AND name NOT LIKE 'sqlite_stat%'";
    let mut query = database.prepare(sql).unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(|row| row.unwrap()).collect()
}

/// What was installed, in the order of the rows: rpm's order is its own. A header's region is in
/// its row as it is in the file.
pub fn packages_of<'a>(rows: &[Row], files: &'a [RpmFile<'a>]) -> Vec<DbPackage<'a>> {
    let package = |row: &Row| {
        let is_this = |file: &&RpmFile<'_>| {
            let index = 16 * file.header.index_len();
            let region = file.header.region();
            row.blob[8..].starts_with(&region[..index])
                && row.blob.windows(region.len() - index).any(|data| data == &region[index..])
        };
        let file = files.iter().find(is_this).expect("a row of none of the packages");
        DbPackage {
            signature: &file.signature,
            header: &file.header,
            states: row.states.clone(),
            install_time: row.time,
            install_tid: row.tid,
            install_color: row.color,
        }
    };
    rows.iter().map(package).collect()
}

/// How `compare` went.
#[derive(Debug, Default)]
pub struct Report {
    pub packages: usize,
    pub rows: usize,
    /// Refused by rpm.
    pub refused: Vec<String>,
}

/// Installs packages with rpm into a database alone, and compares every byte and row with ours.
/// `each` gives every package its own database, so that rpm refuses them one at a time.
pub fn compare(packages: &[PathBuf], each: bool) -> Report {
    let mut report = Report::default();
    if each {
        for package in packages {
            let one = compare(std::slice::from_ref(package), false);
            report.packages += one.packages;
            report.rows += one.rows;
            report.refused.extend(one.refused);
        }
        return report;
    }
    let place = tempfile::tempdir().unwrap();
    let theirs = place.path().join("theirs");
    let mut rpm = Command::new("rpm");
    rpm.arg("-i").args([
        "--justdb",
        "--nodeps",
        "--noscripts",
        "--ignorearch",
        "--ignoreos",
        "--force",
    ]);
    rpm.args(["--nosignature", "--nodigest", "--ignoresize", "--noorder", "--dbpath"]).arg(&theirs);
    let output = rpm.args(packages).env("LC_ALL", "C").output().unwrap();
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        report.refused.push(format!("{packages:?}: {error}"));
        return report;
    }
    let theirs = theirs.join("rpmdb.sqlite");
    let expected = rows(&theirs);
    assert_eq!(expected.len(), packages.len());

    let bytes: Vec<Vec<u8>> = packages.iter().map(|path| fs::read(path).unwrap()).collect();
    let files: Vec<RpmFile<'_>> = bytes.iter().map(|b| RpmFile::parse(b).unwrap()).collect();
    let ours = packages_of(&expected, &files);
    for (row, package) in expected.iter().zip(&ours) {
        let blob = header_blob(package).unwrap();
        assert!(blob == row.blob, "other bytes for {}", package.header.display_name());
    }
    let database = write(&ours).unwrap();
    assert!(database == write(&ours).unwrap(), "not the same bytes twice");
    let directory = place.path().join("ours");
    fs::create_dir(&directory).unwrap();
    let path = directory.join("rpmdb.sqlite");
    fs::write(&path, &database).unwrap();
    assert_eq!(schema(&path), schema(&theirs));
    let mut tables_of_ours = tables(&path);
    // The keys of this table are in the byte order of the target, rpm's in that of the host.
    if ours.iter().any(|p| matches!(p.header.string(Tag::ARCH), Some(b"ppc64" | b"s390x"))) {
        let rows = tables_of_ours.get_mut("Installtid").unwrap();
        let swap = |(mut key, package, at): (Vec<u8>, i64, i64)| {
            key.reverse();
            (key, package, at)
        };
        *rows = std::mem::take(rows).into_iter().map(swap).collect();
    }
    assert_same(&tables_of_ours, &tables(&theirs));

    let query = |database: &Path, arguments: &[&str]| {
        let mut rpm = Command::new("rpm");
        rpm.args(arguments).args(["--nosignature", "--nodigest", "--dbpath"]).arg(database);
        String::from_utf8_lossy(&run(&mut rpm).stdout).into_owned()
    };
    let both = |arguments: &[&str]| {
        let answer = query(&directory, arguments);
        assert_eq!(answer, query(theirs.parent().unwrap(), arguments), "rpm {arguments:?}");
    };
    run(Command::new("rpmdb").arg("--verifydb").arg("--dbpath").arg(&directory));
    run(Command::new("rpmdb").arg("--rebuilddb").arg("--dbpath").arg(&directory));
    assert_same(&tables_of_ours, &tables(&path));
    assert!(rows(&path).iter().zip(&expected).all(|(a, b)| a.blob == b.blob));
    both(&["-qa"]);
    both(&["-qa", "--xml"]);
    report.packages = packages.len();
    report.rows = tables_of_ours.values().map(BTreeSet::len).sum();
    report
}

pub fn assert_same(ours: &Tables, theirs: &Tables) {
    let names = |tables: &Tables| tables.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(ours), names(theirs));
    for (name, rows) in ours {
        let text = |rows: BTreeSet<&(Vec<u8>, i64, i64)>| {
            let text = |(key, package, at): &(Vec<u8>, i64, i64)| {
                format!("{} {package} {at}", String::from_utf8_lossy(key))
            };
            rows.into_iter().map(text).collect::<Vec<_>>()
        };
        let theirs = &theirs[name];
        let only_ours = text(rows.difference(theirs).collect());
        let only_theirs = text(theirs.difference(rows).collect());
        assert!(
            only_ours.is_empty() && only_theirs.is_empty(),
            "{name}: only ours {only_ours:#?}, only theirs {only_theirs:#?}"
        );
    }
}
