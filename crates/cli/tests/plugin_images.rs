//! Images whose start comes from their packages' own unit files, in podman.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};
use strata_testkit::{Podman, Set, corpus, pack};
use support::Bench;

/// A port that nobody listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Sends a request once somebody listens; what comes back, to the end or to this many bytes.
fn ask(port: u16, request: &[u8], enough: usize) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.take(enough as u64).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// What the image answers; its own words when it does not.
fn answer(podman: &Podman, id: &str, port: u16, request: &[u8], enough: usize) -> String {
    let running = podman.start::<&str>(id, &[], &[]);
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match ask(port, request, enough) {
            Ok(answer) => return answer,
            Err(error) if Instant::now() > deadline => panic!("{error}: {}", running.stop()),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// A bench with the small corpus in `rpms/` beside the packages of `repo/`.
fn bench(spec: &Value, overlay: &Value) -> Option<Bench> {
    let repository = corpus(Set::Small)?;
    let bench = Bench::with_spec(&spec.to_string());
    std::os::unix::fs::symlink(repository, bench.path("rpms")).unwrap();
    bench.write("compose.overlay.json", &overlay.to_string());
    Some(bench)
}

/// Debian makes the user in a scriptlet, Fedora by `sysusers.d`.
fn redis_accounts() -> Vec<u8> {
    pack(
        r#"{"name": "redis-accounts", "version": "1", "build_time": 1700000000}"#,
        &[("/usr/lib/sysusers.d/redis.conf", "u redis - \"Redis\" /var/lib/redis\n")],
    )
}

#[test]
fn a_unit_in_the_foreground_needs_nothing_else() {
    let port = free_port();
    let Some(bench) = bench(
        &json!({"distro": "debian", "repos": ["./rpms/", "./repo"],
            "images": {"redis": {"packages": ["redis-server", "redis-accounts"]}}}),
        &json!({"plugins": {"redis": ["systemd"]}, "images": {"redis": {"files": [
            {"path": "/etc/redis/redis.conf",
             "content": format!("bind 127.0.0.1\nport {port}\ndir /run/redis\n")}]}}}),
    ) else {
        return;
    };
    bench.repo().add("redis-accounts", &redis_accounts());
    bench.build(&[]);
    let images: Value =
        serde_json::from_str(&bench.ok(&["inspect", "oci:out:redis", "--format", "json"])).unwrap();
    let config = &images["images"][0]["config"]["config"];
    assert_eq!(config["Entrypoint"], json!(["/usr/bin/redis-server"]));
    let arguments = ["/etc/redis/redis.conf", "--supervised", "systemd", "--daemonize", "no"];
    assert_eq!(config["Cmd"], json!(arguments));
    let user = config["User"].as_str().unwrap();
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{user}");
    let run = bench.ok(&["ls", "-l", "oci:out:redis", "/run/redis"]);
    assert!(run.starts_with("drwxr-sr-x"), "RuntimeDirectoryMode=2755: {run}");
    assert!(run.contains(user), "{run}");

    let unit = "/usr/lib/systemd/system/redis-server.service";
    let explained = bench.ok(&["explain", "compose.json", "redis"]);
    let text = bench.ok(&["cat", "oci:out:redis", unit]);
    for (field, directive) in [("config.Entrypoint", "ExecStart="), ("config.User", "User=")] {
        let line = 1 + text.lines().position(|line| line.starts_with(directive)).unwrap();
        let said = explained.lines().any(|told| {
            told.contains(field)
                && told.contains("systemd")
                && told.contains(&format!("{unit}:{line}"))
        });
        assert!(said, "{field} from {unit}:{line} is not in:\n{explained}");
    }

    let Some(podman) = Podman::new() else { return };
    let id = podman.pull(&bench.out(), "redis");
    assert_eq!(answer(&podman, &id, port, b"PING\r\n", 7), "+PONG\r\n");
}

#[test]
fn nginx_forks_and_wants_a_command() {
    let port = free_port();
    let site = format!("server {{ listen 127.0.0.1:{port}; root /usr/share/nginx/html; }}\n");
    let files = json!([{"path": "/etc/nginx/conf.d/strata.conf", "content": site}]);
    let Some(bench) = bench(
        &json!({"distro": "debian", "repos": ["./rpms/"],
            "images": {"min": {"packages": ["bash"]}, "web": {"packages": ["nginx"]}}}),
        &json!({"plugins": {"web": [{"plugin": "systemd", "config": {"unit": "nginx.service"}}]},
            "images": {"web": {"files": files}}}),
    ) else {
        return;
    };
    let ran = bench.strata(&["build", "compose.json", "-o", "oci:out"]);
    assert_eq!(ran.code, Some(1), "{}\n{}", ran.stdout, ran.stderr);
    for part in ["image `web`", "systemd", "nginx.service", "forking", "\nhint: ", "Cmd"] {
        assert!(ran.stderr.contains(part), "`{part}` is not in:\n{}", ran.stderr);
    }
    assert!(ran.stdout.contains("min (x86_64): built"), "{}", ran.stdout);

    let command = r#"web.config.Cmd=["/usr/sbin/nginx", "-g", "daemon off;"]"#;
    bench.build(&["--set", command]);
    let explained = bench.ok(&["explain", "compose.json", "web", "--set", command]);
    assert!(explained.contains("config.Cmd") && explained.contains("--set"), "{explained}");
    assert!(explained.contains("nginx.service"), "{explained}");

    let Some(podman) = Podman::new() else { return };
    let id = podman.pull(&bench.out(), "web");
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let page = bench.ok(&["cat", "oci:out:web", "/usr/share/nginx/html/index.html"]);
    let answer = answer(&podman, &id, port, request, 1 << 20);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(&page), "{answer}");
}

#[test]
fn a_policy_warns_or_refuses() {
    let Some(bench) = bench(
        &json!({"distro": "debian", "repos": ["./rpms/"],
            "images": {"min": {"packages": ["bash"]}, "ping": {"packages": ["iputils-ping"]}}}),
        &json!({"images": {"*": {"config": {"Cmd": ["/usr/bin/bash"], "User": "65534:65534"}}}}),
    ) else {
        return;
    };
    let build = ["build", "compose.json", "-o", "oci:out"];
    let text = bench.ok(&[&build[..], &["--plugin", "hardening"]].concat());
    assert!(text.contains("warning: plugin `hardening`: /usr/bin/ping"), "{text}");
    let plugin = "hardening:setid=refuse";
    let ran = bench.strata(&[&build[..], &["--force", "--plugin", plugin]].concat());
    assert_eq!(ran.code, Some(1), "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("min (x86_64): built"), "{}", ran.stdout);
    for part in ["image `ping`", "plugin `hardening`", "/usr/bin/ping", "\nhint: "] {
        assert!(ran.stderr.contains(part), "`{part}` is not in:\n{}", ran.stderr);
    }
    let allowed = "hardening:setid=refuse,allow=/usr/bin/ping";
    bench.ok(&[&build[..], &["--plugin", allowed]].concat());
}
