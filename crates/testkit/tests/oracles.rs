//! The oracles work where they are installed.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::Command;
use strata_testkit::{OrdinaryUser, Podman, Repository, output, pack, rpmbuild, run, tool};

const GREET: &str = r#"
    #include <stdio.h>
    int main(int argc, char **argv) { printf("hello %s\n", argc > 1 ? argv[1] : "you"); return 7; }
"#;

#[test]
fn podman_runs_an_image() {
    let (Some(podman), Some(_), Some(_)) = (Podman::new(), tool("umoci"), tool("cc")) else {
        return;
    };
    let scratch = tempfile::Builder::new().prefix("strata-test").tempdir().unwrap();
    let (layout, root) = (scratch.path().join("layout"), scratch.path().join("root"));
    std::fs::create_dir(&root).unwrap();
    std::fs::write(scratch.path().join("greet.c"), GREET).unwrap();
    run(Command::new("cc")
        .args(["-static", "-o"])
        .arg(root.join("greet"))
        .arg("greet.c")
        .current_dir(scratch.path()));
    let image = format!("{}:test", layout.display());
    run(Command::new("umoci").arg("init").arg("--layout").arg(&layout));
    run(Command::new("umoci").args(["new", "--image", &image]));
    run(Command::new("umoci").args(["insert", "--image", &image]).arg(&root).arg("/"));

    let id = podman.pull(&layout, "test");
    let ran = podman.run(&id, &[], &["/greet", "world"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(7), "hello world\n"), "{}", ran.stderr);
    assert!(podman.mount(&id).join("greet").is_file());
}

#[test]
fn an_ordinary_user_cannot_write_elsewhere() {
    if tool("setpriv").is_none() {
        return;
    }
    let user = OrdinaryUser::new();
    let mut command = user.command(Path::new("sh"));
    let ran =
        output(command.args(["-c", "id -u; touch here && echo yes; touch /not-here || echo no"]));
    assert_ne!(ran.stdout.lines().next(), Some("0"));
    assert!(ran.stdout.ends_with("yes\nno\n"), "{ran:?}");

    let closed = tempfile::tempdir().unwrap();
    std::fs::write(closed.path().join("file"), "text").unwrap();
    let file = user.share(&closed.path().join("file"));
    assert_eq!(run(user.command(Path::new("cat")).arg(file)), "text");
}

#[test]
fn packages_from_a_manifest_and_from_a_spec() {
    if tool("rpmbuild").is_none() || tool("createrepo_c").is_none() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let package = pack(r#"{"name": "a", "version": "1"}"#, &[("/usr/bin/a", "#!/bin/sh\n")]);
    let repository = Repository::new(&scratch.path().join("repository"));
    repository.add("a", &package).index();
    assert!(repository.path().join("repodata/repomd.xml").is_file());
    let spec =
        "Name: b\nVersion: 1\nRelease: 1\nSummary: b\nLicense: MIT\n%description\nb\n%files\n";
    let built = rpmbuild(spec, &scratch.path().join("build"));
    assert_eq!(built.len(), 1);
    let query = ["-qp", "--qf", "%{NAME} %{BUILDTIME}"];
    assert_eq!(run(Command::new("rpm").args(query).arg(&built[0])), "b 1000000000");
}
