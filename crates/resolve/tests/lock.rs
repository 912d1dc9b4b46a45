//! The lockfile: its bytes, its errors, its differences.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Universe, image};
use std::collections::BTreeMap;
use strata_resolve::{
    ImageRequest, Libsolv, Reason, Solver,
    lock::{
        self, Ids, LockError, LockedImage, LockedPackage, LockedReasons, LockedRepository,
        Lockfile, Plan, PlannedLayer,
    },
};
use strata_rpm::Checksum;

const UNIVERSE: &str = "
    + app 1-1 x86_64
      req lib
    + lib 1-1 x86_64
";

fn checksum(digit: &str) -> Checksum {
    format!("sha256:{}", digit.repeat(64)).parse().unwrap()
}

/// The lock of one image with these requests; lists in the order of a lock that was read.
fn lock(universe: &Universe, packages: &[&str]) -> Lockfile {
    let task = universe.task(vec![image(packages)]);
    let resolved = Libsolv.solve(&task).unwrap().images.remove(0);
    let records: Vec<_> =
        resolved.packages.iter().map(|package| task.record(*package).unwrap()).collect();
    let mut locked: Vec<LockedPackage> = records
        .iter()
        .map(|record| LockedPackage {
            nevra: record.nevra.clone(),
            repository: "test".to_owned(),
            location: record.location.clone(),
            size: record.size,
            checksum: record.checksum.clone(),
            header: None,
        })
        .collect();
    locked.sort_by(|a, b| a.nevra.cmp(&b.nevra));
    let url = "https://example.org/repo".to_owned();
    let repository = LockedRepository { url, repomd: checksum("a") };
    Lockfile {
        version: lock::VERSION,
        repositories: BTreeMap::from([("test".to_owned(), repository)]),
        packages: locked,
        images: vec![LockedImage {
            name: resolved.name,
            arch: resolved.arch,
            request: checksum("b"),
            packages: records.iter().map(|record| record.checksum.clone()).collect(),
            reasons: Some(LockedReasons::new(
                records.iter().map(|record| &record.checksum).zip(resolved.reasons),
            )),
        }],
        ids: Ids::default(),
        plan: Plan::default(),
        plugins: BTreeMap::new(),
    }
}

#[test]
fn the_bytes_are_these() {
    let mut lock = lock(&Universe::parse(UNIVERSE), &["app"]);
    lock.ids.users.insert("nginx".to_owned(), 999);
    let sources = vec!["app".to_owned()];
    let images = vec!["web.x86_64".to_owned()];
    lock.plan.layers.push(PlannedLayer { images, sources, partial: Vec::new() });
    let text = String::from_utf8(lock.to_bytes()).unwrap();
    let expected = r#"{
  "version": 2,
  "repositories": {
    "test": {
      "url": "https://example.org/repo",
      "repomd": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    }
  },
  "packages": [
    {
      "nevra": "app-1-1.x86_64",
      "repository": "test",
      "location": "app-1-1.x86_64.rpm",
      "size": 1,
      "checksum": "sha256:0000000000000000000000000000000000000000000000000000000000000000"
    },
    {
      "nevra": "lib-1-1.x86_64",
      "repository": "test",
      "location": "lib-1-1.x86_64.rpm",
      "size": 1,
      "checksum": "sha256:0000000000000000000000000000000000000000000000000000000000000001"
    }
  ],
  "images": [
    {
      "name": "web",
      "arch": "x86_64",
      "request": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
      "packages": [
        "sha256:0000000000000000000000000000000000000000000000000000000000000001",
        "sha256:0000000000000000000000000000000000000000000000000000000000000000"
      ],
      "reasons": {
        "requested": [
          "sha256:0000000000000000000000000000000000000000000000000000000000000000"
        ],
        "weak": []
      }
    }
  ],
  "ids": {
    "users": {
      "nginx": 999
    },
    "groups": {}
  },
  "plan": {
    "layers": [
      {
        "images": [
          "web.x86_64"
        ],
        "sources": [
          "app"
        ]
      }
    ]
  },
  "plugins": {}
}
"#;
    assert_eq!(text, expected);
    assert_eq!(Lockfile::parse(&text).unwrap(), lock);
}

#[test]
fn errors_say_where_and_what() {
    let error = Lockfile::parse("{\n  \"version\": 1,\n  \"repositories\": 7\n}").unwrap_err();
    assert!(matches!(error, LockError::Syntax { line: 3, .. }), "{error}");
    let error = Lockfile::parse("{\n  \"version\": 1,,\n}").unwrap_err();
    assert!(error.to_string().starts_with("line 2, column 16: "), "{error}");
    let error = Lockfile::parse(r#"{"version": 3, "whatever": []}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "version 3 was written by a newer strata; this one knows version 2"
    );
    assert!(error.hint().unwrap().contains("remove the file"));
    assert!(Lockfile::parse(r#"{"version": 0}"#).is_err());
    assert!(Lockfile::parse("").is_err());

    let good = String::from_utf8(lock(&Universe::parse(UNIVERSE), &["app"]).to_bytes()).unwrap();
    let orphan = good.replacen("0001\"\n    }\n  ],", "0002\"\n    }\n  ],", 1);
    let error = Lockfile::parse(&orphan).unwrap_err();
    assert!(error.to_string().contains("has a package that is not listed"), "{error}");
    let error = Lockfile::parse(&good.replace("\"test\":", "\"tset\":")).unwrap_err();
    assert!(error.to_string().contains("names no known repository `test`"), "{error}");
    let twice = good.replace(
        "\"weak\": []",
        &format!("\"weak\": [\"{}\"]", "sha256:".to_owned() + &"0".repeat(64)),
    );
    let error = Lockfile::parse(&twice).unwrap_err();
    assert!(error.to_string().contains("gives a reason for `sha256:000"), "{error}");
    let error = Lockfile::parse(&good.replace("app-1-1.x86_64\"", "app\"")).unwrap_err();
    assert!(matches!(error, LockError::Syntax { line: 11, .. }), "{error}");
}

/// Version 1 did not say why a package is there.
#[test]
fn an_older_file_loads_and_means_the_same() {
    let mut lock = lock(&Universe::parse(UNIVERSE), &["app"]);
    let checksums = lock.images[0].packages.clone();
    let why = |lock: &Lockfile| {
        let reasons = lock.images[0].reasons.as_ref().unwrap();
        checksums.iter().map(|one| reasons.of(one)).collect::<Vec<_>>()
    };
    assert_eq!(why(&lock), [Reason::Dependency, Reason::Requested]);
    let read = Lockfile::parse(&String::from_utf8(lock.to_bytes()).unwrap()).unwrap();
    assert_eq!(why(&read), why(&lock));

    lock.images[0].reasons = None;
    let text = String::from_utf8(lock.to_bytes()).unwrap();
    let old = text.replacen("\"version\": 2", "\"version\": 1", 1);
    assert_ne!(old, text);
    assert_eq!(Lockfile::parse(&old).unwrap(), lock);
}

#[test]
fn a_cut_off_file_is_an_error_at_every_length() {
    let good = String::from_utf8(lock(&Universe::parse(UNIVERSE), &["app"]).to_bytes()).unwrap();
    for end in 0..good.len() - 2 {
        assert!(Lockfile::parse(&good[..end]).is_err(), "{end}");
    }
}

#[test]
fn a_locked_image_stays() {
    let old = lock(&Universe::parse(UNIVERSE), &["app"]);
    let new = Universe::parse(
        "+ app 1-1 x86_64
           req lib
         + lib 1-1 x86_64
         + lib 2-1 x86_64",
    );
    let favor = old.image("web", "x86_64").unwrap().packages.clone();
    assert_eq!(new.set(ImageRequest { favor, ..image(&["app"]) }), "app-1-1 lib-1-1");
    assert_eq!(new.set(image(&["app"])), "app-1-1 lib-2-1");
}
