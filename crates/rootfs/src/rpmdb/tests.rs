#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use proptest::prelude::*;
use rusqlite::Connection;
use strata_rpm::{
    HeaderKind,
    header::{Data, HeaderBuilder},
};

fn strings(values: &[&str]) -> Data {
    Data::StringArray(values.iter().map(|value| value.as_bytes().to_vec()).collect())
}

fn main_header(name: &str) -> HeaderBuilder {
    let mut header = HeaderBuilder::new();
    header
        .string(Tag::NAME, name)
        .string(Tag::VERSION, "1")
        .string(Tag::RELEASE, "2")
        .string(Tag::ARCH, "x86_64")
        .string(Tag::SOURCERPM, "p-1-2.src.rpm")
        .set(Tag::BUILDTIME, Data::Int32(vec![1_700_000_000]));
    header
}

fn signature() -> HeaderBuilder {
    let mut header = HeaderBuilder::new();
    header
        .set(Tag::SIG_SIZE, Data::Int32(vec![1234]))
        .set(Tag::SIG_MD5, Data::Bin(vec![7; 16]))
        .string(Tag::SHA1HEADER, "0123456789abcdef");
    header
}

struct Parsed {
    header: Header,
    signature: Header,
}

impl Parsed {
    fn new(header: &HeaderBuilder, signature: &HeaderBuilder) -> Self {
        let parse = |bytes: Vec<u8>, kind| Header::parse_kind(&bytes, kind).unwrap().0;
        Self {
            header: parse(header.build(HeaderKind::Main), HeaderKind::Main),
            signature: parse(signature.build(HeaderKind::Signature), HeaderKind::Signature),
        }
    }

    fn package(&self, states: usize) -> DbPackage<'_> {
        DbPackage {
            signature: &self.signature,
            header: &self.header,
            states: vec![0; states],
            install_time: 0x0102_0304,
            install_tid: 0x0102_0304,
            install_color: 3,
        }
    }
}

fn open(bytes: &[u8]) -> Connection {
    let mut database = Connection::open_in_memory().unwrap();
    database.deserialize_read_exact("main", bytes, bytes.len(), false).unwrap();
    database
}

fn keys(bytes: &[u8], table: &str) -> Vec<(String, i64, i64)> {
    let database = open(bytes);
    let sql = format!("SELECT CAST(key AS BLOB), hnum, idx FROM '{table}' ORDER BY rowid");
    let mut query = database.prepare(&sql).unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        let key: Vec<u8> = row.get(0)?;
        Ok((key.escape_ascii().to_string(), row.get(1)?, row.get(2)?))
    };
    query.query_map([], row).unwrap().map(|row| row.unwrap()).collect()
}

#[test]
fn an_empty_database_has_all_tables() {
    let bytes = write(&[]).unwrap();
    let database = open(&bytes);
    let count = |kind: &str| -> i64 {
        let sql = "SELECT count(*) FROM sqlite_master WHERE type = ? AND name NOT LIKE 'sqlite%'";
        database.query_row(sql, [kind], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("table"), count("index")), (19, 29));
    assert_eq!(bytes[18..20], [1, 1], "rollback journal");
}

#[test]
fn packages_are_numbered_in_order_and_bytes_repeat() {
    let second = {
        let mut header = main_header("b");
        header
            .set(Tag::BASENAMES, strings(&["", "x"]))
            .set(Tag::DIRNAMES, strings(&["/", "/usr/"]))
            .set(Tag::DIRINDEXES, Data::Int32(vec![0, 1]))
            .set(Tag::GROUP, Data::I18nString(b"Tools".to_vec()));
        header
    };
    let (first, second) =
        (Parsed::new(&main_header("a"), &signature()), Parsed::new(&second, &signature()));
    let packages = [first.package(0), second.package(2)];
    let bytes = write(&packages).unwrap();
    assert_eq!(bytes, write(&packages).unwrap());
    assert_eq!(keys(&bytes, "Name"), [("a".into(), 1, 0), ("b".into(), 2, 0)]);
    assert_eq!(keys(&bytes, "Group"), [("Unknown".into(), 1, 0), ("Tools".into(), 2, 0)]);
    assert_eq!(keys(&bytes, "Basenames"), [("".into(), 2, 0), ("x".into(), 2, 1)]);
    assert_eq!(keys(&bytes, "Dirnames"), [("/".into(), 2, 0), ("/usr/".into(), 2, 1)]);
    let tid = ("\\x04\\x03\\x02\\x01".to_owned(), 1, 0);
    assert_eq!(keys(&bytes, "Installtid")[0], tid);
    assert_eq!(keys(&bytes, "Sigmd5")[0].0, "\\x07".repeat(16));
    assert_eq!(keys(&bytes, "Sha1header")[0].0, "0123456789abcdef");
}

#[test]
fn binary_keys_are_in_the_byte_order_of_the_machine() {
    let mut header = main_header("a");
    header.string(Tag::ARCH, "s390x");
    let parsed = Parsed::new(&header, &signature());
    let bytes = write(&[parsed.package(0)]).unwrap();
    assert_eq!(keys(&bytes, "Installtid")[0].0, "\\x01\\x02\\x03\\x04");
}

#[test]
fn the_original_region_is_kept_and_added_tags_follow() {
    let mut header = main_header("a");
    header
        .set(Tag::BASENAMES, strings(&["x"]))
        .set(Tag::DIRNAMES, strings(&["/"]))
        .set(Tag::DIRINDEXES, Data::Int32(vec![0]));
    let parsed = Parsed::new(&header, &signature());
    let blob = header_blob(&parsed.package(1)).unwrap();
    let word = |at: usize| u32::from_be_bytes(blob[at..at + 4].try_into().unwrap());
    let region = parsed.header.region();
    let original = parsed.header.index_len();
    let (index, data) = region.split_at(16 * original);
    assert_eq!(word(0) as usize, original + 7);
    assert!(blob[8..].starts_with(index));
    let store = 8 + 16 * word(0) as usize;
    assert!(blob[store..].starts_with(data));
    assert_eq!(store + word(4) as usize, blob.len());
    let added: Vec<u32> = (original..original + 7).map(|i| word(8 + 16 * i)).collect();
    assert_eq!(added, [257, 261, 269, 1008, 1029, 1127, 1128]);
    for i in (original..original + 7).filter(|i| word(8 + 16 * i + 4) == 4) {
        assert_eq!(word(8 + 16 * i + 8) % 4, 0, "numbers are aligned");
    }
}

#[test]
fn requirements_of_the_installation_alone_are_left_out() {
    let mut header = main_header("a");
    let names = ["always", "pre", "pre-and-preun", "meta", "rpmlib(X)"];
    let flags = vec![0, 1 << 9, 1 << 9 | 1 << 11, 1 << 9 | 1 << 29, 1 << 24 | 10];
    header.set(Tag::REQUIRENAME, strings(&names)).set(Tag::REQUIREFLAGS, Data::Int32(flags));
    let parsed = Parsed::new(&header, &signature());
    let rows = keys(&write(&[parsed.package(0)]).unwrap(), "Requirename");
    let expected = [("always", 0), ("pre-and-preun", 2), ("meta", 3)];
    assert_eq!(rows, expected.map(|(name, at)| (name.to_owned(), 1, at)));
}

#[test]
fn rich_dependencies_are_indexed_by_the_names_in_them() {
    let cases = [
        ("(a and b)", "a b"),
        ("(a or b >= 2 or rpmlib(x))", "a b"),
        ("(a if b)", "a !b"),
        ("(a if b else c)", "!b b a c"),
        ("(a unless (b and c))", "a !b !c"),
        ("(a, and b)", "a b"),
        ("(lib(x)(64bit) with lib(x) < 3)", "lib(x) lib(x)(64bit)"),
        ("(a and a)", "a"),
        ("(a and b or c)", ""),
        ("(a and )", ""),
        ("(a and b", ""),
        ("()", ""),
        ("(a >= )", ""),
        ("((a and b) with c)", ""),
        ("(a like b)", ""),
    ];
    for (text, expected) in cases {
        let mut keys: Vec<String> = rich::index_keys(text.as_bytes())
            .into_iter()
            .map(|key| String::from_utf8(key).unwrap())
            .collect();
        let mut expected: Vec<&str> = expected.split_whitespace().collect();
        keys.sort();
        expected.sort_unstable();
        assert_eq!(keys, expected, "{text}");
    }
    let deep = [b"(".repeat(100_000), b")".repeat(100_000)].concat();
    assert!(rich::index_keys(&deep).is_empty());
}

#[test]
fn repeated_trigger_names_and_trigger_numbers() {
    let mut header = main_header("a");
    header
        .set(Tag::TRIGGERNAME, strings(&["x", "y", "x"]))
        .set(Tag::FILETRIGGERNAME, strings(&["/a", "/b", "/a"]))
        .set(Tag::FILETRIGGERINDEX, Data::Int32(vec![0, 0, 1]));
    let parsed = Parsed::new(&header, &signature());
    let bytes = write(&[parsed.package(0)]).unwrap();
    assert_eq!(keys(&bytes, "Triggername"), [("x".into(), 1, 0), ("y".into(), 1, 1)]);
    let files = keys(&bytes, "Filetriggername");
    assert_eq!(files, [("/a".into(), 1, 0), ("/b".into(), 1, 0), ("/a".into(), 1, 1)]);
}

#[test]
fn headers_of_old_packages_are_completed() {
    let mut header = main_header("a");
    let paths = ["/etc/a", "/etc/b", "/usr/bin/c"];
    header.set(Tag::OLDFILENAMES, strings(&paths)).remove(Tag::SOURCERPM);
    let parsed = Parsed::new(&header, &signature());
    let bytes = write(&[parsed.package(3)]).unwrap();
    let names: Vec<String> = keys(&bytes, "Basenames").into_iter().map(|row| row.0).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let names: Vec<String> = keys(&bytes, "Dirnames").into_iter().map(|row| row.0).collect();
    assert_eq!(names, ["/etc/", "/usr/bin/"]);
    let blob = header_blob(&parsed.package(3)).unwrap();
    assert!(blob.windows(7).any(|text| text == b"(none)\0"));
}

#[test]
fn wrong_packages_are_refused() {
    let parsed = Parsed::new(&main_header("a"), &signature());
    let error = write(&[parsed.package(1)]).unwrap_err();
    assert_eq!(error.to_string(), "`a-1-2.x86_64` has 0 files, but 1 file states");

    let mut wrong = signature();
    wrong.set(Tag::SIG_MD5, Data::Bin(vec![7; 15]));
    let mut double = main_header("a");
    double.string(Tag::SHA1HEADER, "0123");
    for (header, signature) in [(main_header("a"), wrong), (double, signature())] {
        let parsed = Parsed::new(&header, &signature);
        let error = write(&[parsed.package(0)]).unwrap_err();
        assert!(matches!(error, RpmdbError::SignatureTag { .. }), "{error}");
        assert!(error.hint().is_some());
    }
}

proptest! {
    #[test]
    fn any_rich_dependency_is_survived(text in "[() a-c,<>=!]{0,60}|(\\(|\\)| |if|else|unless|a|b){0,40}") {
        rich::index_keys(text.as_bytes());
    }
}
