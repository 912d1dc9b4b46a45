//! The database file: rpm's tables, filled.

use super::{
    RpmdbError,
    blob::Installed,
    index::{KeyType, TABLES, Table},
};
use rusqlite::{
    Connection, ToSql, params,
    types::{ToSqlOutput, ValueRef},
};
use std::fmt::Write;
use strata_rpm::Tag;

/// Builds the database in memory. Rows come first and indexes last, as when rpm rebuilds one.
pub(super) fn write(packages: &[Installed<'_>]) -> Result<Vec<u8>, RpmdbError> {
    let mut database = Connection::open_in_memory()?;
    let transaction = database.transaction()?;
    transaction.execute_batch(&tables())?;
    {
        let mut insert = transaction.prepare("INSERT INTO 'Packages' VALUES(?, ?)")?;
        for (number, package) in (1i64..).zip(packages) {
            insert.execute(params![number, package.blob])?;
        }
    }
    let big_endian = packages.iter().any(|package| is_big_endian(package));
    for table in &TABLES {
        let insert = format!("INSERT INTO '{}' VALUES(?, ?, ?)", table.name);
        let mut insert = transaction.prepare(&insert)?;
        for (number, package) in (1i64..).zip(packages) {
            for (key, position) in table.rows(package, big_endian) {
                insert.execute(params![Key(&key, table.key_type), number, position])?;
            }
        }
    }
    transaction.execute_batch(&indexes())?;
    transaction.commit()?;
    Ok(database.serialize("main")?.to_vec())
}

/// A key with its type; texts need not be UTF-8.
struct Key<'a>(&'a [u8], KeyType);

impl ToSql for Key<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.1 {
            KeyType::Text => ValueRef::Text(self.0),
            KeyType::Blob => ValueRef::Blob(self.0),
        }))
    }
}

/// The statements as rpm writes them, to the space: SQLite keeps their text.
fn tables() -> String {
    let mut sql = String::from(
        "CREATE TABLE IF NOT EXISTS 'Packages' (\
         hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL);",
    );
    for Table { name, key_type, .. } in &TABLES {
        let key_type = match key_type {
            KeyType::Text => "TEXT",
            KeyType::Blob => "BLOB",
        };
        let _ = write!(
            sql,
            "CREATE TABLE IF NOT EXISTS '{name}' (key '{key_type}' NOT NULL, \
             hnum INTEGER NOT NULL, idx INTEGER NOT NULL, \
             FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum));"
        );
    }
    sql
}

fn indexes() -> String {
    let mut sql = String::new();
    for table in &TABLES {
        let key = (table.key_type == KeyType::Text).then_some("key");
        for column in key.into_iter().chain(table.array.then_some("hnum")) {
            let name = table.name;
            let _ = write!(
                sql,
                "CREATE INDEX IF NOT EXISTS '{name}_{column}_idx' ON '{name}'({column} ASC);"
            );
        }
    }
    sql
}

pub(super) fn is_big_endian(package: &Installed<'_>) -> bool {
    let arch = package.header.string(Tag::ARCH).unwrap_or_default();
    matches!(arch, b"s390x" | b"s390" | b"ppc64" | b"ppc" | b"sparc64" | b"sparc" | b"sparcv9")
}
