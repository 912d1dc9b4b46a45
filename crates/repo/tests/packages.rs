//! The package store: verified, once, in place, in order.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{fs, thread, time::Duration};
use strata_repo::{ErrorKind, PackageRequest};
use support::{Form, Reply, Server, definition, package_body, repository, run, write_files};

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

#[test]
fn downloads_once_and_in_order() {
    let server = Server::files(repository(&NAMES, Form::Gz));
    let cache = tempfile::tempdir().unwrap();
    for round in 0..2 {
        let (repositories, recorder) = run(cache.path());
        let snapshot = repositories.open(&definition(&[&server.url])).unwrap();
        let mut requests: Vec<_> =
            snapshot.packages.iter().map(|p| PackageRequest::new(&snapshot, p)).collect();
        // the same package twice is one download
        requests.push(requests[0].clone());
        let paths = repositories.package_store().fetch_all(&requests).unwrap();
        for (path, name) in paths.iter().zip(NAMES.iter().chain(["a"].iter())) {
            assert_eq!(fs::read(path).unwrap(), package_body(name));
        }
        assert_eq!(server.count("Packages/"), 6);
        let downloaded = recorder.count("origin: Downloaded");
        assert_eq!(downloaded, if round == 0 { 6 } else { 0 });
    }
}

#[test]
fn many_processes_download_a_package_once() {
    let server = Server::files(repository(&["a"], Form::Gz));
    let cache = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let (repositories, _) = run(cache.path());
                let snapshot = repositories.open(&definition(&[&server.url])).unwrap();
                let request = PackageRequest::new(&snapshot, &snapshot.packages[0]);
                repositories.package_store().fetch(&request).unwrap();
            });
        }
    });
    assert_eq!(server.count("Packages/a.rpm"), 1);
}

#[test]
fn rpm_checksum_differs_from_repodata() {
    let files = repository(&NAMES, Form::Gz);
    let bad = Server::start(files.clone(), |request, mut reply| {
        if request.path.ends_with("c.rpm") || request.path.ends_with("e.rpm") {
            reply.body[7] ^= 1;
        }
        reply
    });
    let good = Server::files(files);
    let cache = tempfile::tempdir().unwrap();
    let (repositories, _) = run(cache.path());
    let snapshot = repositories.open(&definition(&[&bad.url])).unwrap();
    let requests: Vec<_> =
        snapshot.packages.iter().map(|p| PackageRequest::new(&snapshot, p)).collect();
    for _ in 0..5 {
        let error = repositories.package_store().fetch_all(&requests).unwrap_err();
        // the first of the two, whichever failed first
        let text = error.to_string();
        for part in ["`test`", "c-1:2.0-3.x86_64", &bad.url, "checksum"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(error.kind(), ErrorKind::Outside);
    }
    // what metadata claims may add up to more than a number can hold
    let mut huge = requests;
    huge.iter_mut().for_each(|request| request.size = u64::MAX);
    assert!(repositories.package_store().fetch_all(&huge).is_err());
    let (repositories, recorder) = run(cache.path());
    let snapshot = repositories.open(&definition(&[&bad.url, &good.url])).unwrap();
    let requests: Vec<_> =
        snapshot.packages.iter().map(|p| PackageRequest::new(&snapshot, p)).collect();
    assert_eq!(repositories.package_store().fetch_all(&requests).unwrap().len(), 6);
    assert!(recorder.count("warning: repository `test`") >= 1);
}

#[test]
fn local_packages_are_used_in_place_and_hashed_once() {
    let place = tempfile::tempdir().unwrap();
    write_files(place.path(), &repository(&NAMES, Form::Gz));
    thread::sleep(Duration::from_millis(50));
    let cache = tempfile::tempdir().unwrap();
    let log = cache.path().join("repos/verified-1");
    let mut lengths = Vec::new();
    for _ in 0..2 {
        let (repositories, _) = run(cache.path());
        let snapshot = repositories.open(&definition(&[place.path().to_str().unwrap()])).unwrap();
        let requests: Vec<_> =
            snapshot.packages.iter().map(|p| PackageRequest::new(&snapshot, p)).collect();
        let paths = repositories.package_store().fetch_all(&requests).unwrap();
        assert_eq!(paths[0], place.path().join("Packages/a.rpm"));
        lengths.push(fs::metadata(&log).unwrap().len());
    }
    assert_eq!(lengths[0], lengths[1]);
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 6);
    assert_eq!(fs::read_dir(cache.path().join("packages")).unwrap().count(), 0);

    // same length, other content
    let mut body = package_body("b");
    body[100] ^= 1;
    fs::write(place.path().join("Packages/b.rpm"), body).unwrap();
    let (repositories, _) = run(cache.path());
    let snapshot = repositories.open(&definition(&[place.path().to_str().unwrap()])).unwrap();
    let request = PackageRequest::new(&snapshot, &snapshot.packages[1]);
    let error = repositories.package_store().fetch(&request).unwrap_err();
    assert!(error.to_string().contains("b.rpm"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Inputs);
    assert!(error.hint().unwrap().contains("createrepo_c"));
}

#[test]
fn yanked_package_is_served_from_the_cache_or_named() {
    let files = repository(&["a", "b"], Form::Gz);
    let server = Server::start(files, |request, reply| {
        // there once, then gone
        if request.path.contains("Packages/") && request.earlier > 0 {
            return Reply::status(404);
        }
        if request.path.ends_with("b.rpm") { Reply::status(404) } else { reply }
    });
    let cache = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let (repositories, _) = run(cache.path());
        let snapshot = repositories.open(&definition(&[&server.url])).unwrap();
        let store = repositories.package_store();
        store.fetch(&PackageRequest::new(&snapshot, &snapshot.packages[0])).unwrap();
        let mut nowhere = PackageRequest::new(&snapshot, &snapshot.packages[0]);
        nowhere.bases.clear();
        store.fetch(&nowhere).unwrap();
        let request = PackageRequest::new(&snapshot, &snapshot.packages[1]);
        let error = store.fetch(&request).unwrap_err();
        assert!(error.to_string().contains("b-1:2.0-3.x86_64"), "{error}");
        assert!(error.hint().unwrap().contains("has changed"));
    }
}

#[test]
fn damaged_cached_package_is_downloaded_again() {
    let server = Server::files(repository(&["a"], Form::Gz));
    let cache = tempfile::tempdir().unwrap();
    for round in 1..3 {
        let (repositories, _) = run(cache.path());
        let snapshot = repositories.open(&definition(&[&server.url])).unwrap();
        let request = PackageRequest::new(&snapshot, &snapshot.packages[0]);
        let path = repositories.package_store().fetch(&request).unwrap();
        assert_eq!(fs::read(&path).unwrap(), package_body("a"));
        assert_eq!(server.count("a.rpm"), round);
        thread::sleep(Duration::from_millis(30));
        fs::write(&path, vec![0; package_body("a").len()]).unwrap();
    }
}
