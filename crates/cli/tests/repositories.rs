//! What repositories may hold and be called: patterns of files, packages that no solver can take,
//! addresses with a password.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    thread,
};
use strata_testkit::tool;
use support::{Bench, package};

/// A spec with one image of one request; `repo` is a repository.
fn spec(repo: &str, request: &str) -> String {
    format!(
        r#"{{"repos": ["{repo}"], "distro": "fedora", "images": {{"one": {{"packages": ["{request}"]}}}}}}"#
    )
}

#[test]
fn patterns_of_files_reach_the_full_file_lists() {
    if tool("createrepo_c").is_none() {
        return;
    }
    let bench = Bench::new();
    bench.package("tool", "1", "", &[("/opt/tool/deep/file.txt", "x"), ("/usr/bin/tool", "x")]);
    bench.package("other", "1", "", &[("/opt/other/file", "x")]);
    bench.repo().index();
    for request in
        ["*/bin/tool", "*/deep/file.txt", "/opt/t*/f*.txt", "/opt/tool/d?ep/*", "/opt/tool/deep"]
    {
        bench.write("compose.json", &spec("./repo", request));
        let found = bench.strata(&["resolve", "compose.json"]);
        // `/opt/tool/deep` is a directory that no package owns
        let expected = if request == "/opt/tool/deep" { Some(1) } else { Some(0) };
        assert_eq!(found.code, expected, "{request}: {}", found.stderr);
        assert_eq!(found.stdout.contains("tool-1-1"), expected == Some(0), "{request}");
        assert!(!found.stdout.contains("other-1-1"), "{request}");
    }
}

#[test]
fn a_package_that_no_solver_can_take_is_left_out_alone() {
    let bench = Bench::with_spec(&spec("./repo", "good"));
    let pairs: Vec<String> = (0..20).map(|i| format!("(a{i} and b{i})")).collect();
    let explodes = format!(r#""requires": ["({})"], "#, pairs.join(" or "));
    bench.package("bad", "1", &explodes, &[]);
    bench.package("good", "1", "", &[("/usr/share/good", "x")]);
    let found = bench.strata(&["resolve", "compose.json"]);
    assert_eq!(found.code, Some(0), "{}", found.stderr);
    assert!(found.stdout.contains("good-1-1"), "{}", found.stdout);
    let warning = "package `bad-1-1.noarch` is left out: it has a rich dependency with too many";
    assert!(found.stderr.contains(warning), "{}", found.stderr);
}

#[test]
fn a_local_package_is_seen_by_the_images_that_name_it() {
    let bench = Bench::new();
    bench.package("tool", "1", "", &[("/usr/bin/tool", "x")]);
    fs::write(bench.path("tool.rpm"), package("tool", "2", "", &[("/usr/bin/tool", "y")])).unwrap();
    bench.write(
        "compose.json",
        r#"{"repos": ["./repo"], "images": {
              "a": {"packages": ["./tool.rpm"]},
              "b": {"packages": ["tool"]},
              "c": {"packages": ["./tool.rpm", "tool"]} }}"#,
    );
    let found = bench.ok(&["resolve", "compose.json", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    let images = found.as_array().or_else(|| found["images"].as_array()).unwrap();
    let nevras: Vec<_> = images.iter().map(|image| &image["packages"][0]["nevra"]).collect();
    assert_eq!(nevras, ["tool-2-1.noarch", "tool-1-1.noarch", "tool-2-1.noarch"]);
}

#[test]
fn a_password_in_an_address_is_told_to_nobody() {
    if tool("createrepo_c").is_none() {
        return;
    }
    let bench = Bench::new();
    bench.package("tool", "1", "", &[("/usr/bin/tool", "x")]);
    bench.repo().index();
    let host = serve(bench.path("repo"));
    bench.write("compose.json", &spec(&format!("http://user:secret@{host}/?t=secret"), "tool"));
    // a query is no part of an address that paths are added to: it fails, and tells nothing
    let failed = bench.strata(&["resolve", "compose.json"]);
    assert_ne!(failed.code, Some(0));
    assert!(!failed.stderr.contains("secret"), "{}", failed.stderr);

    bench.write("compose.json", &spec(&format!("http://user:secret@{host}/"), "tool"));
    let found = bench.strata(&["resolve", "compose.json", "--write-lock"]);
    assert_eq!(found.code, Some(0), "{}", found.stderr);
    for text in [found.stdout, found.stderr, bench.lock()] {
        assert!(text.contains(&host) && !text.contains("secret"), "{text}");
    }
}

/// Serves a directory to those who know the password; host and port.
fn serve(directory: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = answer(stream.unwrap(), &directory);
        }
    });
    host
}

fn answer(mut stream: TcpStream, directory: &Path) -> std::io::Result<()> {
    let lines: Vec<String> = BufReader::new(stream.try_clone()?)
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let path = lines.first().and_then(|line| line.split(' ').nth(1)).unwrap_or("/");
    // user:secret
    let known = lines.iter().any(|line| line.ends_with("Basic dXNlcjpzZWNyZXQ="));
    let body = fs::read(directory.join(path.trim_start_matches('/')));
    let (status, body) = match body {
        _ if !known => ("401 Unauthorized", Vec::new()),
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}", body.len());
    stream.write_all(format!("{head}\r\n\r\n").as_bytes())?;
    stream.write_all(&body)
}
