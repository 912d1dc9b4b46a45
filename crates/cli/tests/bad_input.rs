//! Whatever is wrong: what, where, why, a hint, the exit code of its kind, and the images that were
//! there before stay as they were.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::print_stderr, reason = "notes for whoever reads a test's output")]

#[path = "support/refusals.rs"]
mod refusals;
mod support;

use refusals::{INPUTS, OUTSIDE, USAGE, assert_refused, built, spec, state};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};
use strata_testkit::{OrdinaryUser, output, run, tool};
use support::{Bench, STRATA, contents};

/// `build` with `more` is refused, and changes nothing.
#[track_caller]
fn refuses(bench: &Bench, more: &[&str], code: i32, says: &[&str], hint: &str) {
    let before = state(bench);
    let ran = bench.strata(&[&["build", "compose.json", "-o", "oci:out"], more].concat());
    assert_refused(&ran, code, says, hint);
    assert!(before == state(bench), "the output or the lock changed");
}

/// The same of a spec with these packages.
#[track_caller]
fn refuses_packages(bench: &Bench, packages: &str, code: i32, says: &[&str], hint: &str) {
    bench.write("compose.json", &spec(packages));
    refuses(bench, &[], code, says, hint);
}

/// Changes one bit; negative positions count from the end.
fn flip(path: &Path, at: isize) {
    let mut bytes = fs::read(path).unwrap();
    let at = if at < 0 { bytes.len() - at.unsigned_abs() } else { at.unsigned_abs() };
    bytes[at] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

fn truncate(path: &Path, length: u64) {
    fs::File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

/// Where the main header's entries begin, after lead and signature.
fn main_header(path: &Path) -> isize {
    let bytes = fs::read(path).unwrap();
    let magic = b"\x8e\xad\xe8\x01";
    let find = |from: usize| bytes[from..].windows(4).position(|w| w == magic).unwrap() + from;
    isize::try_from(find(find(0) + 1) + 16).unwrap()
}

#[test]
fn a_truncated_package() {
    for indexed in [false, true] {
        let bench = built();
        let rpm = bench.path("repo/big.rpm");
        index(&bench, indexed);
        truncate(&rpm, 1_000_000);
        let says = ["big", "repo/big.rpm"];
        refuses_packages(&bench, r#""filesystem", "big""#, INPUTS, &says, "");
    }
    for length in [0, 4, 100, 300, 1000] {
        let bench = built();
        truncate(&bench.path("repo/big.rpm"), length);
        let says = ["repository `./repo`", "repo/big.rpm` is not a usable package"];
        refuses_packages(&bench, r#""filesystem", "big""#, INPUTS, &says, "fetch the file again");
    }
}

fn index(bench: &Bench, indexed: bool) {
    if indexed && tool("createrepo_c").is_some() {
        bench.repo().index();
    }
}

#[test]
fn a_bit_flipped_in_a_payload() {
    let bench = built();
    flip(&bench.path("repo/big.rpm"), -500_000);
    let says = ["repo/big.rpm", "`big-1-1.noarch`: the payload does not match its PAYLOADDIGEST"];
    refuses_packages(&bench, r#""filesystem", "big""#, INPUTS, &says, "fetch it again");

    let bench = built();
    index(&bench, true);
    flip(&bench.path("repo/big.rpm"), -500_000);
    let says =
        ["repository `./repo`: cannot get `big-1-1.noarch`", "repo/big.rpm", "its checksum is"];
    let hint = "run `createrepo_c` again";
    fs::remove_file(bench.path("strata.lock")).unwrap();
    refuses_packages(&bench, r#""filesystem", "big""#, INPUTS, &says, hint);
}

#[test]
fn a_bit_flipped_in_a_header() {
    let bench = built();
    let good = fs::read(bench.path("repo/big.rpm")).unwrap();
    let begin = main_header(&bench.path("repo/big.rpm"));
    // index entries, then the store with its strings
    for at in [begin - 8, begin, begin + 9, begin + 12, begin + 700, begin + 900] {
        fs::write(bench.path("repo/big.rpm"), &good).unwrap();
        flip(&bench.path("repo/big.rpm"), at);
        let says = ["repo/big.rpm"];
        refuses_packages(&bench, r#""filesystem", "big""#, INPUTS, &says, "");
    }
}

#[test]
fn metadata_that_does_not_match_its_checksum() {
    if tool("createrepo_c").is_none() {
        return;
    }
    let bench = built();
    index(&bench, true);
    let listing = fs::read_dir(bench.path("repo/repodata")).unwrap().flatten();
    let primary = listing
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().contains("-primary.xml"));
    flip(&primary.unwrap(), 30);
    let says = ["repository `./repo`", "-primary.xml", "its checksum is", "the repository states"];
    refuses_packages(&bench, r#""filesystem", "big""#, INPUTS, &says, "createrepo_c");
    fs::write(bench.path("repo/repodata/repomd.xml"), "<repomd><data type='primary'").unwrap();
    let says = ["repository `./repo`", "repodata/repomd.xml", "it is not usable"];
    refuses_packages(&bench, r#""filesystem", "big""#, INPUTS, &says, "repodata/repomd.xml");
}

#[test]
fn a_package_that_does_not_exist() {
    let bench = built();
    let says = ["compose.json:2:50: image `one`: no package matches `bigg`", "^^^^^^"];
    refuses_packages(&bench, r#""filesystem", "bigg""#, INPUTS, &says, "did you mean `big`?");
    let says = ["compose.json:2:50", "no package matches `zzyzx-quux`"];
    refuses_packages(&bench, r#""filesystem", "zzyzx-quux""#, INPUTS, &says, "no name in these");
    let says = ["compose.json:2:36: cannot read `"];
    let hint = "from the directory of the spec";
    refuses_packages(&bench, r#""./nowhere.rpm""#, INPUTS, &says, hint);
}

#[test]
fn two_packages_that_own_one_path_differently() {
    let bench = built();
    bench.package("big-two", "2", "", &[("/usr/share/big", "another\n")]);
    let says = ["image `one", "`/usr/share/big`", "`big-1-1.noarch`", "`big-two-2-1.noarch`"];
    let hint = "cannot be installed together";
    refuses_packages(&bench, r#""filesystem", "big", "big-two""#, INPUTS, &says, hint);
}

#[test]
fn requirements_that_nothing_meets() {
    let bench = built();
    bench.package("app", "1", r#""requires": ["middle"], "#, &[]);
    bench.package("middle", "1", r#""requires": ["bottom >= 2"], "#, &[]);
    bench.package("bottom", "1", "", &[]);
    let says = [
        "image `one`: the requested packages cannot be installed together",
        "`app-1-1.noarch` (requested) requires `middle`",
        "`middle-1-1.noarch`",
        "requires `bottom >= 2`",
    ];
    refuses_packages(&bench, r#""filesystem", "app""#, INPUTS, &says, "");
    bench.package("a", "1", r#""conflicts": ["b"], "#, &[]);
    bench.package("b", "1", "", &[]);
    let says = ["`a-1-1.noarch`", "conflicts", "`b-1-1.noarch`"];
    refuses_packages(&bench, r#""filesystem", "a", "b""#, INPUTS, &says, "leave out `a` or `b`");
}

#[test]
fn places_that_an_ordinary_user_cannot_write() {
    let bench = built();
    let user = OrdinaryUser::new();
    for name in ["repo", "compose.json", "strata.lock", "out"] {
        run(Command::new("cp").arg("-a").args([bench.path(name), user.home().join(name)]));
    }
    user.own(user.home());
    let closed = user.home().join("closed");
    fs::create_dir(&closed).unwrap();
    run(Command::new("chmod").arg("0555").arg(&closed));
    let build = |more: &[&str]| {
        let mut command = user.command(Path::new(STRATA));
        output(command.args(["build", "compose.json", "--force"]).args(more))
    };
    let before = contents(user.home());
    let ran = build(&["-o", "oci:closed/out"]);
    let hint = "choose an output directory that this user can write";
    assert_refused(&ran, OUTSIDE, &["cannot create `closed/out`: Permission denied"], hint);
    let ran = build(&["-o", "oci:out", "--cache-dir", "closed/cache"]);
    let says = ["cannot create the directory `closed/cache", "Permission denied"];
    assert_refused(&ran, OUTSIDE, &says, "has to be writable by the user who runs this");
    // a layout that exists, and that is somebody else's
    run(Command::new("chmod").args(["-R", "a-w"]).arg(user.home().join("out")));
    fs::write(user.home().join("compose.json"), spec(r#""filesystem", "big""#)).unwrap();
    let ran = build(&["-o", "oci:out"]);
    assert_refused(&ran, OUTSIDE, &["out/", "Permission denied"], hint);
    for (path, bytes) in before.iter().filter(|(path, _)| path.starts_with("out")) {
        assert!(fs::read(user.home().join(path)).unwrap() == *bytes);
    }
    assert_eq!(fs::read_to_string(user.home().join("strata.lock")).unwrap(), bench.lock());
}

#[test]
fn an_output_that_is_no_layout() {
    let bench = built();
    let run = |output: &str, code, says: &[&str], hint| {
        let before = state(&bench);
        let ran = bench.strata(&["build", "compose.json", "--force", "-o", output]);
        assert_refused(&ran, code, says, hint);
        assert!(before == state(&bench));
    };
    run("oci:compose.json", INPUTS, &["compose.json"], "the output must be a directory");
    run("oci:repo", INPUTS, &["`repo` is neither empty nor an OCI"], "an empty or a new directory");
    run("oci:out:one", USAGE, &["the destination names the image `one`"], "--image one");
    let ran = bench.strata(&["build", "compose.json", "-o", "out"]);
    assert_eq!(ran.code, Some(USAGE));
    assert!(ran.stderr.contains("write `oci:out`"), "{}", ran.stderr);
    let ran = bench.strata(&["build", "compose.json", "-o", "docker:x"]);
    assert_eq!(ran.code, Some(USAGE));
    assert!(ran.stderr.contains("use `oci:DIR`"), "{}", ran.stderr);
}

#[test]
fn a_cache_that_is_a_file() {
    let bench = built();
    let says = ["cannot create the directory `compose.json/", "Not a directory"];
    let hint = "a file where a directory is needed";
    refuses(&bench, &["--cache-dir", "compose.json"], OUTSIDE, &says, hint);
}

#[test]
fn repositories_that_are_not_there() {
    let bench = built();
    bench.write(
        "compose.json",
        r#"{"repos": ["./nowhere"], "images": {"one": {"packages": ["x"]}}}"#,
    );
    let says = ["repository `./nowhere`", "nowhere", "no such"];
    refuses(&bench, &[], INPUTS, &says, "check the path");
    bench.write("compose.json", r#"{"repos": ["fedroa"], "images": {"one": {"packages": ["x"]}}}"#);
    bench.write("repos.d/a.repo", "[fedora]\nname=Fedora\nbaseurl=./x\n");
    let says = ["compose.json:1:12: no repository `fedroa` is defined"];
    refuses(&bench, &[], INPUTS, &says, "`fedora`");
    bench.write("repos.d/a.repo", "[fedora]\nname=Fedora\nbaseurll=./x\n");
    let says = ["repos.d/a.repo", "repository `fedora`: there is no `baseurl`"];
    bench.write("compose.json", r#"{"repos": ["fedora"], "images": {"one": {"packages": ["x"]}}}"#);
    refuses(&bench, &[], INPUTS, &says, "baseurl");
}

#[test]
fn a_lock_that_is_garbage() {
    let bench = built();
    let good = bench.lock();
    bench.write("strata.lock", "{ \"version\": 1,\n  garbage");
    let says = ["`./strata.lock`: line 2, column 3"];
    let hint = "restore it from version control, or remove it";
    refuses(&bench, &[], INPUTS, &says, hint);
    refuses(&bench, &["--update"], INPUTS, &says, hint);
    bench.write("strata.lock", &good[..good.len() / 2]);
    refuses(&bench, &[], INPUTS, &["`./strata.lock`: line"], hint);
    bench.write("strata.lock", &good.replace("\"version\": 2", "\"version\": 7"));
    let says = ["`./strata.lock`: version 7 was written by a newer strata", "knows version 2"];
    refuses(&bench, &[], INPUTS, &says, "use the strata that wrote it");
    refuses(&bench, &["--update"], INPUTS, &says, "use the strata that wrote it");
    fs::write(bench.path("strata.lock"), b"\xff\xfe\x00").unwrap();
    let ran = bench.strata(&["build", "compose.json", "-o", "oci:out"]);
    assert_refused(&ran, INPUTS, &["strata.lock"], "");
}

#[test]
fn a_spec_with_a_mistake() {
    let bench = built();
    let wrong = |text: &str, says: &[&str], hint: &str| {
        bench.write("compose.json", text);
        refuses(&bench, &[], INPUTS, says, hint);
    };
    wrong(
        "{ \"repos\": [\"./repo\"],\n  \"images\": { \"baseimage\": {\"packages\": [\"filesystem\"]}\n    \
         \"freeipa\": {\"packages\": [\"big\"]} } }\n",
        &["compose.json:2:56: missing `,` between \"baseimage\" and \"freeipa\"", "^ add `,` here"],
        "add `,` after the value of \"baseimage\"",
    );
    wrong(
        r#"{"repos": ["./repo"], "images": {"one": {"pakages": ["filesystem"]}}}"#,
        &["compose.json:1:42: unknown key \"pakages\"", "images.one.pakages"],
        "did you mean `packages`?",
    );
    wrong(
        r#"{"repos": ["./repo"], "images": {"one": {"packages": "filesystem" }"#,
        &["compose.json:1:"],
        "",
    );
    wrong("", &["compose.json:1:1"], "");
}

#[test]
fn a_path_that_is_wrong() {
    let bench = built();
    let before = state(&bench);
    let ran = bench.strata(&["build", "nowhere.json", "-o", "oci:out"]);
    assert_refused(&ran, INPUTS, &["cannot read `nowhere.json`"], "check the path");
    let ran = bench.strata(&["build", "repo", "-o", "oci:out"]);
    assert_refused(&ran, INPUTS, &["cannot read `repo`"], "check the path");
    assert!(before == state(&bench));
    let says = ["cannot read `nowhere.json`"];
    refuses(&bench, &["--overlay", "nowhere.json"], INPUTS, &says, "check the path");
    refuses(
        &bench,
        &["--repo-dir", "nowhere"],
        INPUTS,
        &["cannot read `nowhere`"],
        "check the path",
    );
}

#[test]
fn a_command_line_with_a_mistake() {
    let bench = built();
    let wrong = |more: &[&str], says: &[&str], hint: &str| refuses(&bench, more, USAGE, says, hint);
    wrong(&["--image", "onn"], &["the spec has no image `onn`"], "it has `one`");
    wrong(&["--arch", "risc5"], &["no architecture `risc5`"], "for example `x86_64`");
    wrong(&["--set", "x"], &["--set:1:1: there is no `=`"], "IMAGE.config.FIELD=VALUE");
    wrong(&["--set", "onn.config.User=1"], &["--set:1:1: unknown image \"onn\""], "mean `one`?");
    wrong(&["--set", "one.config.Cnd=1"], &["--set:1:12: unknown key \"Cnd\""], "mean `Cmd`?");
    wrong(&["--set", "one.config.Cmd=[x"], &["--set:1:17: `x` is not a JSON value"], "\"x\"");
    wrong(&["--set", "one.config.User=nosuch"], &["the image has no user `nosuch`"], "a number");
}

#[test]
fn an_overlay_with_a_mistake() {
    let bench = built();
    let wrong = |images: &str, says: &[&str], hint: &str| {
        bench.write("compose.overlay.json", &format!(r#"{{"images": {images}}}"#));
        refuses(&bench, &[], INPUTS, says, hint);
    };
    let place = "compose.overlay.json:1:";
    wrong(r#"{"two": {"tags": ["x"]}}"#, &[place, "unknown image \"two\""], "`one`");
    wrong(
        r#"{"one": {"files": [{"path": "/etc/x", "source": "nosuch"}]}}"#,
        &[place, "cannot read `./nosuch`", "^^^^^^^^"],
        "from the directory of the overlay",
    );
    wrong(
        r#"{"one": {"config": {"User": "nosuch"}}}"#,
        &[place, "the image has no user `nosuch`"],
        "install the package that makes it",
    );
    wrong(
        r#"{"one": {"files": [{"path": "/etc/x", "content": "", "group": "nosuch"}]}}"#,
        &[place, "the image has no group `nosuch`"],
        "install the package that makes it",
    );
    wrong(
        r#"{"one": {"files": [{"path": "/etc", "content": ""}]}}"#,
        &[place, "`/etc` is a directory"],
        "choose another path",
    );
    wrong(
        r#"{"one": {"files": [{"path": "/etc/os-release/x", "content": ""}]}}"#,
        &[place, "`/etc/os-release` is not a directory"],
        "choose another path",
    );
    wrong(
        r#"{"one": {"files": [{"path": "/a", "content": ""}, {"path": "/a/b", "content": ""}]}}"#,
        &[place, "`/a` is not a directory"],
        "choose another path",
    );
    wrong(
        r#"{"one": {"files": [{"path": "/etc/x", "source": "repo"}]}}"#,
        &[place, "cannot read `./repo`"],
        "",
    );
}

/// A server of one directory, as bad as its name.
struct Server {
    address: String,
}

#[derive(Clone, Copy)]
enum Manner {
    Refuses,
    KnowsNothing,
    BreaksOff,
    Works,
}

impl Server {
    fn new(directory: PathBuf, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        // a listener that is dropped is an address that nobody listens at
        if !matches!(manner, Manner::Refuses) {
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    // a client that goes away is no concern of the server
                    let _ = answer(stream, &directory, manner);
                }
            });
        }
        Self { address }
    }
}

fn answer(mut stream: TcpStream, directory: &Path, manner: Manner) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.extend(byte);
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let path = text.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let body = match manner {
        Manner::KnowsNothing => None,
        _ => fs::read(directory.join(path)).ok(),
    };
    let Some(body) = body else {
        return stream.write_all(
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    };
    let length = body.len();
    let sent = match manner {
        Manner::BreaksOff => &body[..length / 2],
        _ => body.as_slice(),
    };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(sent)
}

#[test]
fn a_server_that_fails() {
    if tool("createrepo_c").is_none() {
        return;
    }
    std::thread::scope(|scope| {
        for (manner, says) in [
            (Manner::Refuses, "Connection refused"),
            (Manner::KnowsNothing, "there is no such file"),
            (Manner::BreaksOff, "repodata/repomd.xml"),
        ] {
            scope.spawn(move || {
                let bench = built();
                bench.repo().index();
                let server = Server::new(bench.path("repo"), manner);
                let url = &server.address;
                bench.write("compose.json", &spec(r#""filesystem", "big""#).replace("./repo", url));
                let says = ["repository `", "cannot get `repodata/repomd.xml`", url, says];
                refuses(&bench, &[], OUTSIDE, &says, "");
            });
        }
    });
}

#[test]
fn a_server_that_loses_a_package() {
    if tool("createrepo_c").is_none() {
        return;
    }
    let bench = built();
    bench.repo().index();
    let server = Server::new(bench.path("repo"), Manner::Works);
    let there = spec(r#""filesystem", "big""#).replace("./repo", &server.address);
    fs::rename(bench.path("repo/big.rpm"), bench.path("big.rpm")).unwrap();
    bench.write("compose.json", &there);
    fs::remove_file(bench.path("strata.lock")).unwrap();
    let says = ["cannot get `big-1-1.noarch`", "/big.rpm`: there is no such file"];
    refuses(&bench, &[], OUTSIDE, &says, "the repository has changed since its metadata was read");
    // half of it, then all of it
    let bytes = fs::read(bench.path("big.rpm")).unwrap();
    fs::write(bench.path("repo/big.rpm"), &bytes[..bytes.len() / 2]).unwrap();
    refuses(&bench, &[], OUTSIDE, &["cannot get `big-1-1.noarch`", "bytes"], "try again later");
    fs::write(bench.path("repo/big.rpm"), &bytes).unwrap();
    bench.build(&[]);
    bench.assert_valid();
}
