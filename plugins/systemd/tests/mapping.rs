//! Whole images: unit files in, configuration and directories out.

#![allow(clippy::unwrap_used, reason = "tests")]

use strata_plugin_systemd::files::memory::Memory;
use strata_plugin_systemd::finding::{Finding, Problem, Severity};
use strata_plugin_systemd::map::{Options, map};
use strata_plugin_systemd::process::process;
use strata_plugin_systemd::syntax::Place;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nwww:x:33:34:www:/var/www:/bin/sh\n";

/// The service `a`, in an image with a user `www` and the program `/usr/bin/a`.
fn image(unit: &str) -> Memory {
    Memory::new()
        .file("/usr/lib/systemd/system/a.service", unit)
        .file("/etc/passwd", PASSWD)
        .file("/usr/bin/a", "")
}

fn place(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| {
        let file = place.path.rsplit('/').next().unwrap_or_default();
        place.line.map_or_else(|| format!(" @{file}"), |line| format!(" @{file}:{line}"))
    })
}

fn found(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Refusal => "refusal",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    format!("{severity}: {}{}", finding.message, place(finding.place.as_ref()))
}

fn mapped_with(image: &Memory, options: &Options) -> Vec<String> {
    let mapped = map(image, options).unwrap();
    let edits = mapped.edits.iter();
    let edits = edits.map(|(change, at)| format!("{change:?}{}", place(at.as_ref())));
    edits.chain(mapped.findings.iter().map(found)).collect()
}

fn mapped(image: &Memory) -> Vec<String> {
    mapped_with(image, &Options::default())
}

fn processed(image: &Memory) -> Vec<String> {
    let processed = process(image, &Options::default()).unwrap();
    let changes = processed.changes.iter().map(|change| format!("{change:?}"));
    changes.chain(processed.findings.iter().map(found)).collect()
}

#[test]
fn a_service_in_the_foreground() {
    let image = image(
        "[Unit]\nDescription=An %p\nDocumentation=man:a(1) https://example.com/a\nAfter=b.target\n\
         [Service]\nType=notify\nExecStart=/usr/bin/a --port ${PORT} $MORE $NONE \"x y\"\n\
         Environment=PORT=80\nEnvironmentFile=-/etc/default/a\nUser=www\nGroup=adm\n\
         WorkingDirectory=~\nKillSignal=SIGQUIT\nExecStartPre=/bin/true\nRestart=always\n\
         [Install]\nWantedBy=x.target\n",
    )
    .file("/etc/default/a", "# more\nMORE=\"-v -d\"\n");
    assert_eq!(
        mapped(&image),
        [
            r#"Env("MORE", "-v -d") @a:2"#,
            r#"Env("PORT", "80") @a.service:8"#,
            r#"Entrypoint(["/usr/bin/a"]) @a.service:7"#,
            r#"Cmd(["--port", "80", "-v", "-d", "x y"]) @a.service:7"#,
            r#"User("www:adm") @a.service:10"#,
            r#"WorkingDir("/var/www") @a.service:12"#,
            r#"StopSignal("SIGQUIT") @a.service:13"#,
            r#"Label("org.opencontainers.image.description", "An a") @a.service:2"#,
            r#"Label("org.opencontainers.image.documentation", "https://example.com/a") @a.service:3"#,
            "note: `Type=notify`: nobody waits for the service to be ready @a.service:6",
            "note: `NONE` in `ExecStart=` is not set, and left out @a.service:7",
            "warning: `ExecStartPre=` is not in the image: no command runs before or after that of \
             `ExecStart=` @a.service:14",
            "note: without meaning in an image, or for the runtime to set: `After=`, `Restart=`, \
             `WantedBy=` @a.service",
        ]
    );
}

#[test]
fn what_does_not_stay_in_the_foreground_gives_the_rest_and_a_refusal() {
    for (service, words) in [
        ("Type=forking\nExecStart=/usr/bin/a", "is `Type=forking`"),
        ("Type=dbus\nBusName=a\nExecStart=/usr/bin/a", "is `Type=dbus`"),
        ("BusName=a\nExecStart=/usr/bin/a", "is `Type=dbus`"),
        ("Type=oneshot\nExecStart=/a\nExecStart=/b", "runs 2 commands"),
        ("ExecStart=/a ; /b", "has several commands"),
        ("ExecStop=/a", "has no `ExecStart=`"),
        ("ExecStart=/a %H", "`%H` in `ExecStart=` is known to the running machine only"),
        ("ExecStart=/a \"b", "a quote is not closed"),
        ("EnvironmentFile=/none\nExecStart=/usr/bin/a", "names `/none`, which is not in the image"),
    ] {
        let image = image(&format!("[Service]\nUser=www\n{service}\n"));
        let options = Options { unit: Some("a".into()), exec: true };
        let found = mapped_with(&image, &options);
        assert!(found.contains(&"User(\"www\") @a.service:2".to_owned()), "{found:?}");
        let refusals: Vec<_> = found.iter().filter(|line| line.starts_with("refusal")).collect();
        assert_eq!(refusals.len(), 1, "{found:?}");
        assert!(refusals[0].contains(words), "{found:?}");
        let quiet = mapped_with(&image, &Options { exec: false, ..options });
        assert!(!quiet.iter().any(|line| line.starts_with("refusal")), "{quiet:?}");
        assert!(!quiet.iter().any(|line| line.starts_with("Entrypoint")), "{quiet:?}");
    }
}

#[test]
fn prefixes_of_the_program() {
    let lines = |prefix: &str| {
        mapped(&image(&format!("[Service]\nExecStart={prefix}/usr/bin/a $A $$\nUser=www\n")))
    };
    assert_eq!(
        lines(":")[..2],
        [r#"Entrypoint(["/usr/bin/a"]) @a.service:2"#, r#"Cmd(["$A", "$$"]) @a.service:2"#,]
    );
    for prefix in ["+", "!"] {
        assert!(!lines(prefix).iter().any(|line| line.starts_with("User")), "{prefix}");
    }
    assert!(lines("!!").iter().any(|line| line.starts_with("User")));
    assert!(lines("-").iter().any(|line| line.starts_with("note: `-` is lost")));
    let named = mapped(&image("[Service]\nExecStart=@/usr/bin/a name arg\n"));
    assert_eq!(named[1], r#"Cmd(["arg"]) @a.service:2"#);
    assert!(named[2].contains("not `name`"), "{named:?}");
}

#[test]
fn programs_are_found_in_the_image() {
    assert!(mapped(&image("[Service]\nExecStart=a\n"))[0].contains("\"/usr/bin/a\""));
    let missing = mapped(&image("[Service]\nExecStart=/usr//bin/b\n"));
    assert!(missing.contains(&"warning: `/usr/bin/b` is not in the image @a.service:2".into()));
}

#[test]
fn users() {
    let user = |text: &str| {
        let lines = mapped(&image(&format!("[Service]\nExecStart=/usr/bin/a\n{text}\n")));
        lines.into_iter().nth(1).unwrap_or_default()
    };
    assert_eq!(user("User=12\nGroup=adm"), "User(\"12:adm\") @a.service:3");
    assert_eq!(user("Group=adm"), "User(\"0:adm\") @a.service:3");
    assert_eq!(user("DynamicUser=yes\nUser=www"), "User(\"www\") @a.service:4");
    assert!(user("DynamicUser=yes").starts_with("warning: `DynamicUser=` has no user to take"));
    assert_eq!(user("DynamicUser=no"), "");
}

#[test]
fn a_user_that_is_made_up_is_the_images_if_it_has_one_of_the_name() {
    let lines = |text: &str, passwd: &str| {
        let unit = format!("[Service]\nExecStart=/usr/bin/a\nStateDirectory=a\n{text}\n");
        let image = image(&unit).file("/etc/passwd", passwd);
        let mut all = mapped(&image);
        all.retain(|line| line.starts_with("User") || line.contains("DynamicUser"));
        all.extend(processed(&image));
        all
    };
    let directory = |user: &str, group: u32| {
        format!("Directory {{ path: \"/var/lib/a\", mode: 493, user: {user}, group: Id({group}) }}")
    };
    let a = "a:x:7:8:::/bin/sh\n";
    assert_eq!(
        lines("DynamicUser=yes", a),
        ["User(\"a\") @a.service:4".to_owned(), directory("Name(\"a\")", 8)]
    );
    assert_eq!(
        lines("DynamicUser=yes\nUser=12", a),
        ["User(\"12\") @a.service:5".to_owned(), directory("Id(12)", 12)]
    );
    let none = lines("DynamicUser=yes\nUser=b", a);
    assert!(none[0].starts_with("warning: `DynamicUser=` has no user to take"), "{none:?}");
    assert_eq!(none[1], directory("Id(0)", 0));
    assert!(none[2].contains("the image has no user `b`"), "{none:?}");
    assert_eq!(
        lines("DynamicUser=maybe", a),
        [
            "refusal: `DynamicUser=maybe` is neither `yes` nor `no` @a.service:4".to_owned(),
            directory("Id(0)", 0)
        ]
    );
}

#[test]
fn a_prefix_of_the_program_is_nothing_to_the_directories() {
    let image = image("[Service]\nExecStart=+/usr/bin/a\nUser=www\nStateDirectory=a\n");
    let made = processed(&image);
    assert!(made[0].contains("user: Name(\"www\"), group: Id(34)"), "{made:?}");
}

#[test]
fn a_drop_in_that_systemd_gives_up_counts_up_to_there() {
    let image = image("[Service]\nExecStart=/usr/bin/a\nUser=www\n").file(
        "/etc/systemd/system/a.service.d/x.conf",
        "[Service]\nEnvironment=A=1\nUser=a:b\nEnvironment=B=2\n",
    );
    assert_eq!(
        mapped(&image),
        [
            "Env(\"A\", \"1\") @x.conf:2",
            "Entrypoint([\"/usr/bin/a\"]) @a.service:2",
            "User(\"www\") @a.service:3",
            "warning: `User=a:b`: it is neither a name nor a number; the rest of the file is \
             ignored @x.conf:3",
        ]
    );
}

#[test]
fn lists_count_up_to_an_error() {
    let lines = mapped(&image("[Service]\nExecStart=/usr/bin/a\nEnvironment=A=1 \"B=2\n"));
    assert_eq!(lines[0], "Env(\"A\", \"1\") @a.service:3");
    assert_eq!(
        lines[2],
        "warning: the rest of `Environment=` is ignored: a quote is not closed @a.service:3"
    );
}

#[test]
fn one_finding_says_what_is_wrong_with_a_path() {
    for (value, why) in [
        ("/%z", "`%z` is no specifier"),
        ("/a/../b", "it is no absolute path without `..`"),
        ("b", "it is no absolute path without `..`"),
    ] {
        let lines = |text: &str| {
            let unit = format!("[Service]\nExecStart=/usr/bin/a\n{text}\n");
            let mut all = mapped(&image(&unit));
            all.retain(|line| !line.starts_with("Entrypoint"));
            all
        };
        assert_eq!(
            lines(&format!("WorkingDirectory={value}")),
            [format!("refusal: `WorkingDirectory={value}`: {why} @a.service:3")]
        );
        assert_eq!(
            lines(&format!("WorkingDirectory=-{value}")),
            [format!("warning: `WorkingDirectory=-{value}` is ignored: {why} @a.service:3")]
        );
    }
}

#[test]
fn what_is_lost_is_told_once() {
    let image = image(
        "[Service]\nExecStart=/usr/bin/a\nUMask=7\nExecStop=/b\nExecStopPost=/c\n\
         StandardOutput=file:/x\n",
    )
    .file(
        "/etc/systemd/system/a.service.d/x.conf",
        "[Service]\nUMask=77\nStandardOutput=journal\n",
    );
    let before = "is not in the image: no command runs before or after that of `ExecStart=`";
    assert_eq!(
        mapped(&image)[1..],
        [
            format!("warning: `ExecStop=` {before} @a.service:4"),
            format!("warning: `ExecStopPost=` {before} @a.service:5"),
            "warning: `UMask=` is not in the image: the runtime's umask holds @x.conf:2".to_owned(),
            "note: without meaning in an image, or for the runtime to set: `StandardOutput=` \
             @a.service"
                .to_owned(),
        ]
    );
}

#[test]
fn files_that_are_too_large_are_not_missing() {
    let large =
        image("[Service]\nExecStart=/usr/bin/a\nEnvironmentFile=-/etc/large\n").large("/etc/large");
    let lines = mapped(&large);
    let told = "refusal: `EnvironmentFile=` names `/etc/large`, which is too large @a.service:3";
    assert!(lines.contains(&told.to_owned()), "{lines:?}");
    let large = image("").large("/usr/lib/systemd/system/a.service");
    let options = Options { unit: Some("a".into()), exec: true };
    let Err(Problem::Refused { message, .. }) = map(&large, &options) else { panic!() };
    assert_eq!(message, "`a.service` cannot be read: the file is too large");
}

#[test]
fn sockets_give_ports() {
    let image = image("[Service]\nExecStart=/usr/bin/a\n").file(
        "/usr/lib/systemd/system/a.socket",
        "[Socket]\nListenStream=80\nListenDatagram=[::1]:53\nListenStream=/run/a.sock\n",
    );
    assert_eq!(
        mapped(&image)[1..],
        [
            r#"Port("80/tcp") @a.socket:2"#,
            r#"Port("53/udp") @a.socket:3"#,
            "note: `ListenStream=/run/a.sock` is no port @a.socket:4",
            "warning: `a.socket` passes open sockets to the service, a container has none to pass \
             @a.socket:2",
        ]
    );
}

#[test]
fn environment_files_are_read_in_order() {
    let image = image(
        "[Service]\nExecStart=/usr/bin/a ${RUNTIME_DIRECTORY} ${HOME} ${A}\nUser=www\n\
         RuntimeDirectory=a b\nEnvironment=A=unit B=2 C=3\nEnvironmentFile=/e?c/[a-b]/*.env\n\
         EnvironmentFile=-/etc/none\nUnsetEnvironment=B C=3\n",
    )
    .file("/etc/a/1.env", "A=one\n")
    .file("/etc/a/2.env", "A=two\n")
    .file("/etc/a/3.conf", "A=three\n");
    assert_eq!(
        mapped(&image)[..4],
        [
            r#"Env("A", "two") @2.env:1"#,
            r#"Env("RUNTIME_DIRECTORY", "/run/a:/run/b") @a.service:4"#,
            r#"Entrypoint(["/usr/bin/a"]) @a.service:2"#,
            r#"Cmd(["/run/a:/run/b", "/var/www", "two"]) @a.service:2"#,
        ]
    );
}

#[test]
fn directories() {
    let image = image(
        "[Service]\nExecStart=/usr/bin/a\nUser=www\nRuntimeDirectory=a a/b:c/d\n\
         RuntimeDirectoryMode=2750\nStateDirectory=a\nConfigurationDirectory=a\n\
         LogsDirectory=file\nWorkingDirectory=/var/lib/a\n",
    )
    .file("/var/log/file", "");
    let directory = |path: &str, mode: u32, user: &str, group: u32| {
        format!("Directory {{ path: {path:?}, mode: {mode}, user: {user}, group: Id({group}) }}")
    };
    assert_eq!(
        processed(&image),
        [
            directory("/run/a", 0o2750, "Name(\"www\")", 34),
            directory("/run/a/b", 0o2750, "Name(\"www\")", 34),
            "Link { path: \"/run/c/d\", target: \"../a/b\" }".to_owned(),
            directory("/var/lib/a", 0o755, "Name(\"www\")", 34),
            directory("/etc/a", 0o755, "Id(0)", 0),
            "warning: `LogsDirectory=`: `/var/log/file` is there, and no directory @a.service:8"
                .to_owned(),
        ]
    );
    let missing = processed(&self::image("[Service]\nExecStart=/a\nWorkingDirectory=/x\n"));
    assert_eq!(missing, ["warning: `WorkingDirectory=/x` is not in the image @a.service:3"]);
}

#[test]
fn unknown_directives_and_sections_are_told() {
    let lines = mapped(&image(
        "[Service]\nExecStart=/usr/bin/a\nExecStrat=/b\nX-Mine=1\n[Sevice]\nUser=x\n[X-Y]\na=b\n",
    ));
    assert_eq!(
        lines[1..],
        [
            "warning: `ExecStrat=` in `[Service]` is unknown @a.service:3",
            "warning: the section `[Sevice]` is unknown @a.service:6",
        ]
    );
}
