//! Metadata over the network and from directories, from servers that behave and that do not.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{fs, path::PathBuf, thread};
use strata_repo::{ErrorKind, FetchReason, RepoError, Warning};
use support::{Form, Reply, Server, definition, repository, run, write_files};

const REPOMD: &str = "/repodata/repomd.xml";
const PRIMARY: &str = "/repodata/primary.xml";

fn failures(error: &RepoError) -> Vec<FetchReason> {
    match error {
        RepoError::Fetch { failures, .. } => failures.iter().map(|f| f.reason.clone()).collect(),
        other => panic!("not a fetch error: {other}"),
    }
}

/// The files of a cache whose names begin so.
fn cache_files(cache: &std::path::Path, prefix: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(cache.join("repos"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(prefix))
        .collect();
    files.sort();
    files
}

fn flip(path: &std::path::Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at.min(bytes.len() - 1);
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn every_form_gives_the_same_records() {
    let cache = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for form in [Form::Plain, Form::Gz, Form::Xz, Form::Zst, Form::Bz2] {
        let files = repository(&["a", "b"], form);
        let place = tempfile::tempdir().unwrap();
        write_files(place.path(), &files);
        let server = Server::files(files);
        for base in [place.path().to_str().unwrap(), &server.url] {
            let (repositories, _) = run(cache.path());
            let mut snapshot = repositories.open(&definition(&[base])).unwrap();
            let wanted = ["/usr/share/a/data".to_owned(), "/none".to_owned()].into();
            snapshot.add_file_paths(&wanted).unwrap();
            all.push(snapshot.packages);
        }
    }
    let first = &all[0];
    assert!(all.iter().all(|packages| packages == first));
    let [a, b] = first.as_slice() else { panic!("the source package is no package") };
    assert_eq!(a.nevra.to_string(), "a-1:2.0-3.x86_64");
    assert_eq!(a.vendor, "Somebody & Sons");
    assert_eq!(a.provides[1].to_string(), "lib<a>");
    let requires: Vec<_> = a.requires.iter().map(|r| (r.dependency.to_string(), r.pre)).collect();
    let expected = [("/bin/sh", true), ("glibc >= 2.34", false), ("(a if b)", false)];
    assert_eq!(requires, expected.map(|(text, pre)| (text.to_owned(), pre)));
    assert_eq!(a.recommends[0].to_string(), "extra < 9");
    assert_eq!(a.files, ["/usr/bin/a", "/etc/a.d", "/usr/share/a/data"]);
    assert_eq!(b.files, ["/usr/bin/b", "/etc/b.d"]);
    assert_eq!((a.size, a.installed_size, a.build_time), (40_001, 5, 1_700_000_000));
}

#[test]
fn one_run_asks_once_and_the_next_only_for_repomd() {
    let server = Server::files(repository(&["a"], Form::Gz));
    let cache = tempfile::tempdir().unwrap();
    let (repositories, _) = run(cache.path());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| repositories.open(&definition(&[&server.url])).unwrap());
        }
    });
    assert_eq!((server.count(REPOMD), server.count(PRIMARY)), (1, 1));
    assert_eq!(server.count("filelists"), 0);
    assert!(server.requests()[0].headers["user-agent"].starts_with("strata/"));

    let (repositories, recorder) = run(cache.path());
    let mut snapshot = repositories.open(&definition(&[&server.url])).unwrap();
    assert_eq!((server.count(REPOMD), server.count(PRIMARY)), (2, 1));
    assert_eq!(recorder.count("cached: true"), 1);
    let wanted = ["/usr/share/a/data".to_owned()].into();
    snapshot.add_file_paths(&wanted).unwrap();
    snapshot.add_file_paths(&wanted).unwrap();
    assert_eq!(server.count("filelists"), 1);
    assert_eq!(snapshot.packages[0].files.len(), 3);
    snapshot.add_file_paths(&["*/a/d?t[a]".to_owned()].into()).unwrap();
    assert_eq!(snapshot.packages[0].files.len(), 3);

    let mut again = repositories.open(&definition(&[&server.url])).unwrap();
    again.add_file_paths(&["*/a/d?t[a]".to_owned()].into()).unwrap();
    assert_eq!(again.packages[0].files, snapshot.packages[0].files);
}

#[test]
fn many_processes_on_an_empty_cache_download_once() {
    let server = Server::files(repository(&["a"], Form::Gz));
    let cache = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for _ in 0..6 {
            // each has its own connections, locks and memory, as a process has
            scope.spawn(|| {
                let (repositories, _) = run(cache.path());
                let mut snapshot = repositories.open(&definition(&[&server.url])).unwrap();
                snapshot.add_file_paths(&["/x".to_owned()].into()).unwrap();
            });
        }
    });
    assert_eq!((server.count(REPOMD), server.count(PRIMARY)), (6, 1));
    assert_eq!(server.count("filelists"), 1);
}

#[test]
fn stale_metadata_is_noticed() {
    let place = tempfile::tempdir().unwrap();
    let cache = tempfile::tempdir().unwrap();
    let base = place.path().to_str().unwrap();
    write_files(place.path(), &repository(&["a"], Form::Gz));
    let first = run(cache.path()).0.open(&definition(&[base])).unwrap();
    write_files(place.path(), &repository(&["a", "b"], Form::Gz));
    let second = run(cache.path()).0.open(&definition(&[base])).unwrap();
    assert_ne!(first.repomd, second.repomd);
    assert_eq!((first.packages.len(), second.packages.len()), (1, 2));
}

#[test]
fn wrong_checksum_fails_over_and_does_not_poison_the_cache() {
    let files = repository(&["a"], Form::Gz);
    let bad = Server::start(files.clone(), |request, mut reply| {
        if request.path.starts_with(PRIMARY) {
            reply.body[20] ^= 1;
        }
        reply
    });
    let cache = tempfile::tempdir().unwrap();
    let error = run(cache.path()).0.open(&definition(&[&bad.url])).unwrap_err();
    assert!(matches!(failures(&error)[..], [FetchReason::Checksum { .. }]), "{error}");
    assert_eq!(error.kind(), ErrorKind::Outside);
    let text = error.to_string();
    for part in ["repository `test`", "repodata/primary.xml.gz", &bad.url, "checksum"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(error.hint().unwrap().contains("mirror"));

    let good = Server::files(files);
    let (repositories, recorder) = run(cache.path());
    let snapshot = repositories.open(&definition(&[&bad.url, &good.url])).unwrap();
    assert_eq!(snapshot.packages.len(), 1);
    assert_eq!(recorder.count("warning: repository `test`"), 1);
}

#[test]
fn wrong_size_is_refused_before_it_is_read() {
    let files = repository(&["a"], Form::Gz);
    let server = Server::start(files, |request, mut reply| {
        if request.path.starts_with(PRIMARY) {
            reply.body.extend([0; 100]);
        }
        reply
    });
    let cache = tempfile::tempdir().unwrap();
    let error = run(cache.path()).0.open(&definition(&[&server.url])).unwrap_err();
    assert!(matches!(failures(&error)[..], [FetchReason::Size { .. }]), "{error}");
    assert_eq!(server.count(PRIMARY), 1);
}

#[test]
fn cut_connections_are_retried_and_resumed() {
    for (tag, resumed) in [("\"strong\"", true), ("W/\"weak\"", false)] {
        let server = Server::start(repository(&["a"], Form::Gz), move |request, mut reply| {
            if !request.path.starts_with(PRIMARY) {
                return reply;
            }
            reply.headers.push(("etag", tag.to_owned()));
            if let Some(range) = request.headers.get("range") {
                assert_eq!(request.headers["if-range"], tag);
                let from = range.trim_start_matches("bytes=").trim_end_matches('-');
                let from: usize = from.parse().unwrap();
                let total = reply.body.len();
                let content_range = format!("bytes {from}-{}/{total}", total - 1);
                reply.headers.push(("content-range", content_range));
                reply.body.drain(..from);
                reply.status = 206;
            }
            if request.earlier < 2 {
                reply.cut = Some(100);
                reply.hide_length = request.earlier == 1;
            }
            reply
        });
        let cache = tempfile::tempdir().unwrap();
        let (repositories, recorder) = run(cache.path());
        repositories.open(&definition(&[&server.url])).unwrap();
        assert_eq!(server.count(PRIMARY), 3, "{tag}");
        assert_eq!(recorder.count("Retry"), 2, "{tag}");
        let ranges: Vec<_> = server
            .requests()
            .iter()
            .filter_map(|request| request.headers.get("range").cloned())
            .collect();
        let expected: &[&str] = if resumed { &["bytes=100-", "bytes=200-"] } else { &[] };
        assert_eq!(ranges, expected, "{tag}");
    }
}

#[test]
fn server_errors_are_retried_but_not_for_ever() {
    let files = repository(&["a"], Form::Gz);
    let weak =
        Server::start(
            files.clone(),
            |request, reply| {
                if request.earlier < 3 { Reply::status(503) } else { reply }
            },
        );
    let cache = tempfile::tempdir().unwrap();
    run(cache.path()).0.open(&definition(&[&weak.url])).unwrap();
    assert_eq!(weak.count(REPOMD), 4);

    let down = Server::start(files, |_, _| Reply::status(500));
    let error = run(cache.path()).0.open(&definition(&[&down.url])).unwrap_err();
    assert_eq!(failures(&error), [FetchReason::Status(500)]);
    assert_eq!(down.count(REPOMD), 4);
}

#[test]
fn missing_files_are_not_retried() {
    let mut files = repository(&["a"], Form::Gz);
    let cache = tempfile::tempdir().unwrap();
    let empty = Server::files(support::Files::new());
    let error = run(cache.path()).0.open(&definition(&[&empty.url])).unwrap_err();
    assert_eq!(failures(&error), [FetchReason::NotFound]);
    assert_eq!((error.kind(), empty.count("")), (ErrorKind::Outside, 1));

    files.remove(PRIMARY.trim_start_matches('/').to_owned().as_str());
    files.retain(|path, _| !path.contains("primary"));
    let server = Server::files(files);
    let error = run(cache.path()).0.open(&definition(&[&server.url])).unwrap_err();
    assert!(error.to_string().contains("primary.xml.gz"), "{error}");

    let nothing = cache.path().join("nowhere");
    let error = run(cache.path()).0.open(&definition(&[nothing.to_str().unwrap()])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Inputs);
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[test]
fn the_next_base_is_asked_when_one_fails() {
    let server = Server::files(repository(&["a"], Form::Gz));
    let html = Server::start(support::Files::new(), |_, _| Reply::ok(b"<html>log in</html>"));
    let cache = tempfile::tempdir().unwrap();
    let (repositories, recorder) = run(cache.path());
    // nobody listens on port 1
    let places = ["http://127.0.0.1:1/", html.url.as_str(), server.url.as_str()];
    let snapshot = repositories.open(&definition(&places)).unwrap();
    assert_eq!(snapshot.base.to_string(), format!("{}/", server.url));
    assert_eq!(snapshot.alternatives.len(), 2);
    assert_eq!(recorder.count("warning"), 2, "{:?}", recorder.events());
}

#[test]
fn credentials_are_sent_but_never_shown() {
    let server = Server::start(repository(&["a"], Form::Gz), |request, reply| {
        match request.headers.get("authorization") {
            Some(value) if value == "Basic dXNlcjpzZWNyZXQ=" => reply,
            _ => Reply::status(401),
        }
    });
    let cache = tempfile::tempdir().unwrap();
    let with = server.url.replace("http://", "http://user:secret@");
    let (repositories, recorder) = run(cache.path());
    let snapshot = repositories.open(&definition(&[&with])).unwrap();
    let url = snapshot.url(&snapshot.packages[0]);
    assert_eq!(url, format!("{}/Packages/a.rpm", server.url));
    assert!(!recorder.events().join("\n").contains("secret"));
    let wrong = server.url.replace("http://", "http://user:guess@");
    let error = run(cache.path()).0.open(&definition(&[&wrong])).unwrap_err();
    assert!(!error.to_string().contains("guess"), "{error}");
    assert!(error.hint().unwrap().contains("credentials"));
}

#[test]
fn damaged_cache_entries_are_made_again() {
    let server = Server::files(repository(&["a", "b"], Form::Gz));
    let cache = tempfile::tempdir().unwrap();
    let expected = run(cache.path()).0.open(&definition(&[&server.url])).unwrap().packages;
    let [parsed] = cache_files(cache.path(), "parsed-").try_into().unwrap();
    let [raw] = cache_files(cache.path(), "raw-").try_into().unwrap();
    let whole = fs::read(&parsed).unwrap();
    for at in [0, 7, 50, whole.len() / 2, whole.len() - 1] {
        flip(&parsed, at);
        let (repositories, recorder) = run(cache.path());
        assert_eq!(repositories.open(&definition(&[&server.url])).unwrap().packages, expected);
        assert!(recorder.count("was damaged") > 0);
        assert_eq!(fs::read(&parsed).unwrap(), whole, "made again, byte for byte");
    }
    for length in [0, 10, whole.len() - 1] {
        fs::write(&parsed, &whole[..length]).unwrap();
        run(cache.path()).0.open(&definition(&[&server.url])).unwrap();
    }
    assert_eq!(server.count(PRIMARY), 1);
    fs::remove_file(&parsed).unwrap();
    flip(&raw, 30);
    let snapshot = run(cache.path()).0.open(&definition(&[&server.url])).unwrap();
    assert_eq!(snapshot.packages, expected);
    assert_eq!(server.count(PRIMARY), 2);
}

#[test]
fn packages_that_cannot_be_understood_are_left_out_and_named() {
    let place = tempfile::tempdir().unwrap();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"];
    let mut files = repository(&names, Form::Plain);
    let primary = String::from_utf8(files["repodata/primary.xml"].clone()).unwrap();
    let broken = primary.replacen("(a if b)", "(a iff b)", names.len() - 1);
    let repomd = String::from_utf8(files["repodata/repomd.xml"].clone()).unwrap();
    let repomd = repomd
        .replace(&support::sha256(primary.as_bytes()), &support::sha256(broken.as_bytes()))
        .replace(&format!(">{}<", primary.len()), &format!(">{}<", broken.len()));
    files.insert("repodata/primary.xml".to_owned(), broken.into_bytes());
    files.insert("repodata/repomd.xml".to_owned(), repomd.into_bytes());
    write_files(place.path(), &files);
    let cache = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let (repositories, _) = run(cache.path());
        let base = place.path().to_str().unwrap();
        let snapshot = repositories.open(&definition(&[base])).unwrap();
        assert_eq!(snapshot.packages.len(), 1);
        let [Warning::PackageSkipped { package, reason, .. }, others @ .., last] =
            snapshot.warnings.as_slice()
        else {
            panic!("{:?}", snapshot.warnings);
        };
        assert_eq!(others.len(), 9);
        assert_eq!(last.to_string(), "repository `test`: 2 more packages are left out");
        assert_eq!(package, "a-1:2.0-3.x86_64");
        assert!(reason.contains("(a iff b)"), "{reason}");
    }
}

#[test]
fn a_metadata_file_that_claims_more_than_memory_is_not_fetched() {
    let mut files = repository(&["a"], Form::Plain);
    let length = files["repodata/primary.xml"].len();
    let repomd = String::from_utf8(files["repodata/repomd.xml"].clone()).unwrap();
    let huge = repomd.replace(&format!(">{length}<"), &format!(">{}<", 1u64 << 60));
    assert_ne!(huge, repomd);
    files.insert("repodata/repomd.xml".to_owned(), huge.into_bytes());
    let server = Server::files(files);
    let cache = tempfile::tempdir().unwrap();
    let error = run(cache.path()).0.open(&definition(&[&server.url])).unwrap_err();
    assert!(error.to_string().contains("it is longer than"), "{error}");
    assert_eq!(server.count(PRIMARY), 0);
}

#[test]
fn excluded_packages_are_not_seen() {
    let place = tempfile::tempdir().unwrap();
    write_files(place.path(), &repository(&["a", "b", "b-libs"], Form::Gz));
    let cache = tempfile::tempdir().unwrap();
    let (repositories, _) = run(cache.path());
    let mut definition = definition(&[place.path().to_str().unwrap()]);
    definition.includepkgs = vec!["b*".to_owned()];
    definition.exclude = vec!["*-libs".to_owned()];
    let snapshot = repositories.open(&definition).unwrap();
    let names: Vec<_> = snapshot.packages.iter().map(|p| p.nevra.name.as_str()).collect();
    assert_eq!(names, ["b"]);
}
