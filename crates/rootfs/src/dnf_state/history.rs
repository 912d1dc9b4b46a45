//! dnf 4: `history.sqlite`.
//!
//! Source: the tables of a file that dnf 4.14 made (format 1.2).

use super::{DnfPackage, DnfTask, Reason, cookie};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

const TABLES: &str = "
CREATE TABLE trans (id INTEGER PRIMARY KEY AUTOINCREMENT, dt_begin INTEGER NOT NULL,
 dt_end INTEGER, rpmdb_version_begin TEXT, rpmdb_version_end TEXT, releasever TEXT NOT NULL,
 user_id INTEGER NOT NULL, cmdline TEXT, state INTEGER NOT NULL, comment TEXT DEFAULT '');
CREATE TABLE repo (id INTEGER PRIMARY KEY, repoid TEXT NOT NULL);
CREATE TABLE console_output (id INTEGER PRIMARY KEY, trans_id INTEGER REFERENCES trans(id),
 file_descriptor INTEGER NOT NULL, line TEXT NOT NULL);
CREATE TABLE item (id INTEGER PRIMARY KEY, item_type INTEGER NOT NULL);
CREATE TABLE trans_item (id INTEGER PRIMARY KEY AUTOINCREMENT,
 trans_id INTEGER REFERENCES trans(id), item_id INTEGER REFERENCES item(id),
 repo_id INTEGER REFERENCES repo(id), action INTEGER NOT NULL, reason INTEGER NOT NULL,
 state INTEGER NOT NULL);
CREATE TABLE item_replaced_by (trans_item_id INTEGER REFERENCES trans_item(id),
 by_trans_item_id INTEGER REFERENCES trans_item(id),
 PRIMARY KEY (trans_item_id, by_trans_item_id));
CREATE TABLE trans_with (id INTEGER PRIMARY KEY AUTOINCREMENT,
 trans_id INTEGER REFERENCES trans(id), item_id INTEGER REFERENCES item(id),
 CONSTRAINT trans_with_unique_trans_item UNIQUE (trans_id, item_id));
CREATE TABLE rpm (item_id INTEGER UNIQUE NOT NULL, name TEXT NOT NULL, epoch INTEGER NOT NULL,
 version TEXT NOT NULL, release TEXT NOT NULL, arch TEXT NOT NULL,
 FOREIGN KEY(item_id) REFERENCES item(id),
 CONSTRAINT rpm_unique_nevra UNIQUE (name, epoch, version, release, arch));
CREATE TABLE comps_group (item_id INTEGER UNIQUE NOT NULL, groupid TEXT NOT NULL,
 name TEXT NOT NULL, translated_name TEXT NOT NULL, pkg_types INTEGER NOT NULL,
 FOREIGN KEY(item_id) REFERENCES item(id));
CREATE TABLE comps_group_package (id INTEGER PRIMARY KEY AUTOINCREMENT,
 group_id INTEGER NOT NULL, name TEXT NOT NULL, installed INTEGER NOT NULL,
 pkg_type INTEGER NOT NULL, FOREIGN KEY(group_id) REFERENCES comps_group(item_id),
 CONSTRAINT comps_group_package_unique_name UNIQUE (group_id, name));
CREATE TABLE comps_environment (item_id INTEGER UNIQUE NOT NULL, environmentid TEXT NOT NULL,
 name TEXT NOT NULL, translated_name TEXT NOT NULL, pkg_types INTEGER NOT NULL,
 FOREIGN KEY(item_id) REFERENCES item(id));
CREATE TABLE comps_environment_group (id INTEGER PRIMARY KEY AUTOINCREMENT,
 environment_id INTEGER NOT NULL, groupid TEXT NOT NULL, installed INTEGER NOT NULL,
 group_type INTEGER NOT NULL,
 FOREIGN KEY(environment_id) REFERENCES comps_environment(item_id),
 CONSTRAINT comps_environment_group_unique_groupid UNIQUE (environment_id, groupid));
CREATE INDEX rpm_name ON rpm(name);
CREATE INDEX trans_item_trans_id ON trans_item(trans_id);
CREATE INDEX trans_item_item_id ON trans_item(item_id);
CREATE TABLE config (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO config VALUES ('version', '1.2');
";

/// Nobody is logged in.
const NO_USER: i64 = -1;
const ITEM_RPM: i64 = 0;
const ACTION_INSTALL: i64 = 1;
const STATE_DONE: i64 = 1;

impl Reason {
    fn number(self) -> i64 {
        match self {
            Self::Dependency => 1,
            Self::User => 2,
            Self::Weak => 4,
        }
    }
}

/// A history of one transaction that installed all packages.
pub(super) fn write(task: &DnfTask<'_>) -> rusqlite::Result<Vec<u8>> {
    let mut database = Connection::open_in_memory()?;
    let transaction = database.transaction()?;
    transaction.execute_batch(TABLES)?;
    let time = i64::try_from(task.time).unwrap_or(i64::MAX);
    transaction.execute(
        "INSERT INTO trans VALUES (1, ?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, '')",
        params![
            time,
            cookie(&[]),
            cookie(task.packages),
            task.releasever,
            NO_USER,
            command(task),
            STATE_DONE
        ],
    )?;
    let mut packages: Vec<&DnfPackage<'_>> = task.packages.iter().collect();
    packages.sort_by_cached_key(|package| {
        let nevra = package.nevra;
        (format!("{}.{}", nevra.name, nevra.arch), &nevra.evr)
    });
    let mut repos = BTreeMap::<&str, i64>::new();
    for (package, number) in packages.into_iter().zip(1i64..) {
        let next = i64::try_from(repos.len()).unwrap_or(i64::MAX).saturating_add(1);
        let repo = *repos.entry(package.repo).or_insert(next);
        if repo == next {
            transaction.execute("INSERT INTO repo VALUES (?, ?)", params![repo, package.repo])?;
        }
        let nevra = package.nevra;
        let evr = &nevra.evr;
        transaction.execute("INSERT INTO item VALUES (?, ?)", params![number, ITEM_RPM])?;
        transaction.execute(
            "INSERT INTO rpm VALUES (?, ?, ?, ?, ?, ?)",
            params![number, nevra.name, evr.epoch, evr.version, evr.release, nevra.arch],
        )?;
        let reason = package.reason.number();
        transaction.execute(
            "INSERT INTO trans_item VALUES (?1, 1, ?1, ?2, ?3, ?4, ?5)",
            params![number, repo, ACTION_INSTALL, reason, STATE_DONE],
        )?;
    }
    transaction.commit()?;
    Ok(database.serialize("main")?.to_vec())
}

/// What somebody could have typed.
fn command(task: &DnfTask<'_>) -> String {
    let asked = task.packages.iter().filter(|package| package.reason == Reason::User);
    asked.fold("install".to_owned(), |line, package| line + " " + &package.nevra.name)
}
