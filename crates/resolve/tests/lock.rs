//! The lockfile: its bytes, its errors, its differences.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Universe, image};
use std::collections::BTreeMap;
use strata_resolve::{
    ImageRequest, Libsolv, Solver,
    lock::{self, LockError, LockedRepository, Lockfile, PlannedLayer},
};

const UNIVERSE: &str = "
    + app 1-1 x86_64
      req lib
    + lib 1-1 x86_64
";

fn lock(universe: &Universe, packages: &[&str]) -> Lockfile {
    let task = universe.task(vec![image(packages)]);
    let resolution = Libsolv.solve(&task).unwrap();
    let repomd = "sha256:".to_owned() + &"ab".repeat(32);
    let repository = LockedRepository {
        url: "https://example.org/repo".to_owned(),
        repomd: repomd.parse().unwrap(),
    };
    let repositories = BTreeMap::from([("test".to_owned(), repository)]);
    Lockfile::new(&task, &resolution, repositories)
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
  "version": 1,
  "repositories": {
    "test": {
      "url": "https://example.org/repo",
      "repomd": "sha256:abababababababababababababababababababababababababababababababab"
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
      "request": "REQUEST",
      "packages": [
        "sha256:0000000000000000000000000000000000000000000000000000000000000001",
        "sha256:0000000000000000000000000000000000000000000000000000000000000000"
      ]
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
    let request = lock.images[0].request.to_string();
    assert_eq!(text, expected.replace("REQUEST", &request));
    assert_eq!(Lockfile::parse(&text).unwrap(), lock);
}

#[test]
fn the_request_digest_tells_requests_apart() {
    let of = |request: &ImageRequest| lock::request_digest(request).to_string();
    let plain = image(&["a", "b"]);
    assert_eq!(of(&plain), of(&ImageRequest { name: "other".to_owned(), ..plain.clone() }));
    let exclude = vec!["b".to_owned()];
    for other in [
        image(&["ab"]),
        image(&["b", "a"]),
        ImageRequest { exclude, ..image(&["a"]) },
        ImageRequest { best: true, ..plain.clone() },
        ImageRequest { weak_deps: true, ..plain.clone() },
        ImageRequest { arch: "aarch64".to_owned(), ..plain.clone() },
    ] {
        assert_ne!(of(&plain), of(&other), "{other:?}");
    }
}

#[test]
fn errors_say_where_and_what() {
    let error = Lockfile::parse("{\n  \"version\": 1,\n  \"repositories\": 7\n}").unwrap_err();
    assert!(matches!(error, LockError::Syntax { line: 3, .. }), "{error}");
    let error = Lockfile::parse("{\n  \"version\": 1,,\n}").unwrap_err();
    assert!(error.to_string().starts_with("line 2, column 16: "), "{error}");
    let error = Lockfile::parse(r#"{"version": 2, "whatever": []}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "version 2 was written by a newer strata; this one knows version 1"
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
    let error = Lockfile::parse(&good.replace("app-1-1.x86_64\"", "app\"")).unwrap_err();
    assert!(matches!(error, LockError::Syntax { line: 11, .. }), "{error}");
}

#[test]
fn a_cut_off_file_is_an_error_at_every_length() {
    let good = String::from_utf8(lock(&Universe::parse(UNIVERSE), &["app"]).to_bytes()).unwrap();
    for end in 0..good.len() - 2 {
        assert!(Lockfile::parse(&good[..end]).is_err(), "{end}");
    }
}

#[test]
fn a_locked_image_stays_and_moves_as_little_as_it_must() {
    let old = lock(&Universe::parse(UNIVERSE), &["app"]);
    let new = Universe::parse(
        "+ app 1-1 x86_64
           req lib
         + lib 1-1 x86_64
         + lib 2-1 x86_64
         + tool 1-1 x86_64",
    );
    let favor = old.image("web", "x86_64").unwrap().packages.clone();
    assert_eq!(new.set(ImageRequest { favor, ..image(&["app"]) }), "app-1-1 lib-1-1");

    let diff = lock::diff(&old, &lock(&new, &["app", "tool"]));
    let text: Vec<_> = diff.iter().map(ToString::to_string).collect();
    assert_eq!(
        text,
        ["web (x86_64), request changed\n  + tool-1-1.x86_64\n  ~ lib.x86_64 1-1 -> 2-1"]
    );
    assert!(lock::diff(&old, &old).is_empty());
    let mut none = old.clone();
    none.images.clear();
    let gone = lock::diff(&old, &none);
    assert_eq!(gone[0].to_string(), "web (x86_64), gone\n  - app-1-1.x86_64\n  - lib-1-1.x86_64");
    assert!(lock::diff(&none, &old)[0].to_string().starts_with("web (x86_64), new\n  + app"));
}
