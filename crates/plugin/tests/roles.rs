//! What each role is shown and gives back, and what of it is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use serde_json::json;
use strata_oci::{Annotations, Change, ConfigField, RuntimeConfig, Severity, Slot, SlotValue};
use strata_plugin::{Role, Settings};
use strata_rootfs::{Access, Owner, TreeEdit, TreePath};
use support::{Guest, guest, said, shown};

/// What the plugin gave, out of the message that refuses it.
#[track_caller]
fn gave(said: &str) -> &str {
    let rest = said.strip_prefix("the plugin gave ");
    let what = rest.and_then(|rest| rest.split_once("; hint: this is a fault of the plugin"));
    what.unwrap_or_else(|| panic!("{said}")).0
}

/// A mapper that gives one change.
fn mapper(case: u32, texts: &[&str]) -> Guest {
    let (guest, at) = guest().data(|data| {
        let mut edit = vec![case];
        texts.iter().for_each(|text| edit.extend(data.text(text)));
        edit.resize(10, 0);
        let edits = data.words(&edit);
        data.words(&[0, edits, 1, 0, 0])
    });
    guest.map(&format!("i32.const {at}"))
}

/// A mapper that gives one list of words.
fn words(case: u32, words: &[&str]) -> Guest {
    let (guest, at) = guest().data(|data| {
        let list: Vec<u32> = words.iter().flat_map(|word| data.text(word)).collect();
        let list = data.words(&list);
        let edits = data.words(&[case, list, words.len() as u32, 0, 0, 0, 0, 0, 0, 0]);
        data.words(&[0, edits, 1, 0, 0])
    });
    guest.map(&format!("i32.const {at}"))
}

fn mapped(guest: &Guest) -> (Slot, SlotValue) {
    let shown = shown();
    let outcome = guest.plugin().map(&Settings::new(), &shown.view()).unwrap();
    match outcome.value.into_iter().next().unwrap() {
        (Change::Set(slot, value), None) => (slot, value),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_mapper_changes_the_configuration() {
    use ConfigField as F;
    let text = |text: &str| SlotValue::Text(text.to_owned());
    let list = || SlotValue::Words(vec!["/bin/a".to_owned(), "b\nc".to_owned()]);
    assert_eq!(mapped(&words(0, &["/bin/a", "b\nc"])), (Slot::field(F::Entrypoint), list()));
    assert_eq!(mapped(&words(1, &["/bin/a", "b\nc"])), (Slot::field(F::Cmd), list()));
    for (case, texts, slot, value) in [
        (2, vec!["www-data:33"], Slot::field(F::User), text("www-data:33")),
        (3, vec!["/srv/a b"], Slot::field(F::WorkingDir), text("/srv/a b")),
        (4, vec!["SIGRTMIN+3"], Slot::field(F::StopSignal), text("SIGRTMIN+3")),
        (5, vec!["A", "b=c"], Slot::key(F::Env, "A"), text("b=c")),
        (6, vec!["80"], Slot::key(F::ExposedPorts, "80/tcp"), SlotValue::Present),
        (7, vec!["/var/lib/x"], Slot::key(F::Volumes, "/var/lib/x"), SlotValue::Present),
        (8, vec!["a.b", "c"], Slot::key(F::Labels, "a.b"), text("c")),
        (9, vec!["a.b", ""], Slot::key(F::Annotations, "a.b"), text("")),
    ] {
        assert_eq!(mapped(&mapper(case, &texts)), (slot, value));
    }
}

#[test]
fn changes_that_are_no_configuration_are_refused() {
    for (guest, says) in [
        (words(0, &[]), "an entry point without a program"),
        (words(1, &["", "x"]), "a command without a program"),
        (words(1, &["a", "b\0"]), "a command `b\\u{0}`: it has a NUL"),
        (mapper(2, &["a b"]), "user `a b`: it is not of the form user[:group]"),
        (mapper(2, &["0:4294967296"]), "user `0:4294967296`: it is not of the form user[:group]"),
        (mapper(2, &[""]), "user ``: it is not of the form user[:group]"),
        (mapper(3, &["srv"]), "working directory `srv`: a path begins with `/`"),
        (mapper(4, &["TERM"]), "stop signal `TERM`: it is no signal"),
        (mapper(4, &["65"]), "stop signal `65`: it is no signal"),
        (mapper(5, &["A=B", "c"]), "variable `A=B`: that is no name of a variable"),
        (mapper(5, &["", "c"]), "variable ``: that is no name of a variable"),
        (mapper(5, &["A", "\0"]), "a variable's value `\\u{0}`: it has a NUL"),
        (
            mapper(6, &["0"]),
            "port `0`: a port is a number from 1 to 65535, with `/udp` or `/sctp` unless TCP is \
             meant",
        ),
        (mapper(7, &["/"]), "volume `/`: the root is there, and stays"),
        (
            mapper(7, &["/a/../b"]),
            "volume `/a/../b`: a path has no empty parts, no `.` and `..`, and no NUL",
        ),
        (mapper(8, &["", "x"]), "label ``: it is empty or has control characters"),
        (mapper(9, &["a\nb", "x"]), "annotation `a\\nb`: it is empty or has control characters"),
    ] {
        assert_eq!(gave(&guest.map_error()), says);
    }
}

/// A post-processor that gives one change.
fn processor(case: u32, texts: &[&str], mode: u32, owners: [u32; 6]) -> Guest {
    let (guest, at) = guest().data(|data| {
        let mut edit = vec![case];
        texts.iter().for_each(|text| edit.extend(data.text(text)));
        edit.push(mode);
        edit.extend(owners);
        edit.resize(12, 0);
        let edits = data.words(&edit);
        data.words(&[0, edits, 1, 0, 0])
    });
    guest.process(&format!("i32.const {at}"))
}

const ROOT: [u32; 6] = [0; 6];

#[test]
fn a_post_processor_changes_the_tree() {
    let path = |text: &str| TreePath::new(text).unwrap();
    let access = |mode| Access { mode, user: Owner::Id(7), group: Owner::Id(0) };
    let seven = [0, 7, 0, 0, 0, 0];
    for (guest, edit) in [
        (
            processor(0, &["/var/lib/a"], 0o750, seven),
            TreeEdit::MakeDirectory { path: path("/var/lib/a"), access: access(0o750) },
        ),
        (
            processor(1, &["/etc/a", "text"], 0o4755, seven),
            TreeEdit::WriteFile {
                path: path("/etc/a"),
                content: b"text".as_slice().into(),
                access: access(0o4755),
            },
        ),
        (
            processor(2, &["/etc/a", "../b"], 0, ROOT),
            TreeEdit::MakeSymlink { path: path("/etc/a"), target: b"../b".to_vec() },
        ),
        (
            processor(3, &["/etc"], 0o700, seven),
            TreeEdit::SetAccess { path: path("/etc"), access: access(0o700) },
        ),
        (processor(4, &["/etc/a"], 0, ROOT), TreeEdit::Remove { path: path("/etc/a") }),
    ] {
        let shown = shown();
        let outcome = guest.plugin().process(&Settings::new(), &shown.view()).unwrap();
        assert_eq!(outcome.value.0, [edit]);
    }
}

#[test]
fn forged_paths_and_owners_are_refused() {
    let long = format!("/{}", "x".repeat(256));
    let deep = "/abcdefg".repeat(512);
    let parts = "a path has no empty parts, no `.` and `..`, and no NUL";
    for (path, why) in [
        ("", "a path begins with `/`"),
        ("etc/passwd", "a path begins with `/`"),
        ("/a/../../etc/passwd", parts),
        ("/./a", parts),
        ("//a", parts),
        ("/a\0b", parts),
        ("/a/", "a path does not end with `/`"),
        (&long, "a name in a path has at most 255 bytes"),
        (&deep, "a path has at most 4095 bytes"),
        ("/a/.wh.b", "a name that begins with `.wh.` means a removed file in a layer"),
        ("/a/.wh..wh..opq/c", "a name that begins with `.wh.` means a removed file in a layer"),
    ] {
        for guest in [
            processor(0, &[path], 0, ROOT),
            processor(1, &[path, ""], 0, ROOT),
            processor(2, &[path, "x"], 0, ROOT),
            processor(3, &[path], 0, ROOT),
            processor(4, &[path], 0, ROOT),
        ] {
            let said = guest.process_error();
            let said = gave(&said);
            let nul = path.contains('\0') && said.ends_with("it has control characters");
            assert!(nul || said.ends_with(&format!(": {why}")), "{path:?}: {said}");
        }
    }
    for case in 0..3 {
        let guest = processor(case, &["/a\u{1b}[2J", "x"], 0, ROOT);
        let said = guest.process_error();
        assert!(gave(&said).ends_with("`/a\\u{1b}[2J`: it has control characters"), "{said}");
    }
    for (guest, says) in [
        (processor(1, &["/", ""], 0, ROOT), "file `/`: the root is there, and stays"),
        (processor(4, &["/"], 0, ROOT), "path to remove `/`: the root is there, and stays"),
        (processor(0, &["/a"], 0o10000, ROOT), "mode 0o10000 for `/a`: 0o7777 is the most"),
        (processor(0, &["/a"], 0, [0, u32::MAX, 0, 0, 0, 0]), "owner 4294967295 for `/a`"),
        (processor(0, &["/a"], 0, [1, 4096, 0, 0, 0, 0]), "owner `` for `/a`: it is no name"),
        (processor(2, &["/a", ""], 0, ROOT), "`` as target of `/a`: a link has a target"),
    ] {
        assert_eq!(gave(&guest.process_error()), says);
    }
}

/// A result with one finding.
fn finding(severity: u32, path: &str, line: u32) -> (Guest, u32) {
    guest().data(|data| {
        let (message, path, hint) = (data.text("m\n\u{1b}"), data.text(path), data.text("do it"));
        let list = data.words(&[
            severity, message[0], message[1], 1, path[0], path[1], 1, line, 1, hint[0], hint[1],
        ]);
        data.words(&[0, 0, 0, list, 1, 0, list, 1])
    })
}

#[test]
fn findings_are_shown_as_one_line_and_only_some_roles_refuse() {
    let (found, at) = finding(0, "/etc/x", 3);
    let shown = shown();
    let plugin = found.map(&format!("i32.const {at}")).plugin();
    let outcome = plugin.map(&Settings::new(), &shown.view()).unwrap();
    let refusal = &outcome.diagnostics[0];
    assert_eq!(refusal.severity, Severity::Refusal);
    assert_eq!(refusal.to_string(), "/etc/x:3: m \\u{1b}");
    assert_eq!(refusal.hint.as_deref(), Some("do it"));

    let (found, at) = finding(0, "/etc/x", 0);
    assert_eq!(
        gave(&found.process(&format!("i32.const {at}")).process_error()),
        "the refusal `m\\n\\u{1b}`: a post-processor returns an error instead"
    );
    let (found, at) = finding(1, "etc", 3);
    assert_eq!(
        gave(&found.map(&format!("i32.const {at}")).map_error()),
        "the place `etc`: a path begins with `/`"
    );
}

#[test]
fn any_name_of_a_file_can_be_the_place_of_a_finding() {
    let shown = shown();
    let long = format!("/{}", "n".repeat(300));
    for (path, place) in [
        ("/a\nb", "/a b"),
        ("/a\u{1b}[2J", "/a\\u{1b}[2J"),
        ("/usr/.wh.x", "/usr/.wh.x"),
        ("/a//b/", "/a//b/"),
        (&long, &long),
    ] {
        let (found, at) = finding(1, path, 0);
        let plugin = found.map(&format!("i32.const {at}")).plugin();
        let outcome = plugin.map(&Settings::new(), &shown.view()).unwrap();
        let origin = outcome.diagnostics[0].origin.clone().unwrap();
        assert_eq!((origin.path.as_str(), origin.line), (place, None));
    }
}

#[test]
fn a_policy_sees_the_configuration() {
    // result<list<diagnostic>, error>: the finding says what the entry point says
    let (checker, at) = guest().data(|data| {
        let list = data.words(&[0; 11]);
        (data.words(&[0, list, 1]), list)
    });
    let (at, list) = at;
    let plugin = checker
        .check(&format!(
            "(local $words i32)
             (local.set $words (i32.load offset=8 (local.get 0)))
             (i32.store (i32.const {}) (i32.load offset=8 (local.get $words)))
             (i32.store (i32.const {}) (i32.load offset=12 (local.get $words)))
             i32.const {at}",
            list + 4,
            list + 8
        ))
        .plugin();
    let config = RuntimeConfig {
        entrypoint: Some(vec!["/bin/a".to_owned(), "--second".to_owned()]),
        ..RuntimeConfig::default()
    };
    let shown = shown();
    let outcome =
        plugin.check(&Settings::new(), &shown.view(), &config, &Annotations::new()).unwrap();
    assert_eq!(outcome.diagnostics[0].to_string(), "--second");
    assert_eq!(outcome.diagnostics[0].severity, Severity::Refusal);
}

#[test]
fn a_filter_leaves_files_out() {
    let (filter, at) = guest().data(|data| {
        let list = data.words(&[1, 1, 0]);
        data.words(&[0, list, 3])
    });
    let plugin = filter.exclude(&format!("i32.const {at}")).plugin();
    assert_eq!(plugin.roles().iter().copied().collect::<Vec<_>>(), [Role::PackageFilter]);
    let mut package = strata_rpm::Package::new("a-1-1.noarch".parse().unwrap());
    let error = plugin.exclude(&Settings::new(), &package).unwrap_err();
    assert_eq!(gave(&said(&error)), "position 1, but the package has 0 files");
    let file = strata_rpm::FileEntry {
        path: b"/usr/share/doc/\xff".to_vec(),
        mode: 0o100_644,
        size: 1,
        mtime: 0,
        user: String::new(),
        group: String::new(),
        flags: strata_rpm::FileEntry::DOC,
        digest: Vec::new(),
        link_target: Vec::new(),
        rdev: 0,
        inode: 0,
        device: 0,
        lang: "de|fr".to_owned(),
        color: 0,
        capabilities: None,
    };
    package.files = vec![file.clone(), file];
    let excluded = plugin.exclude(&Settings::new(), &package).unwrap().value.excluded;
    assert_eq!(excluded.into_iter().collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn the_plugins_own_errors_keep_their_words() {
    let error = |words: &[&str], kind: u32| {
        guest().data(|data| {
            let mut all = vec![1, kind];
            words.iter().for_each(|word| all.extend(data.text(word)));
            all.resize(12, 0);
            if kind == 0 {
                (all[6], all[7], all[8]) = (1, all[2], all[3]);
            }
            data.words(&all)
        })
    };
    let (setting, at) = error(&["unit", "there is no such unit"], 0);
    let said = setting.map(&format!("i32.const {at}")).map_error();
    assert_eq!(said, "setting `unit`: there is no such unit; hint: unit");
    let (refused, at) = error(&["no unit at all"], 1);
    assert_eq!(refused.map(&format!("i32.const {at}")).map_error(), "no unit at all");
    let (internal, at) = error(&["oops\n"], 2);
    assert_eq!(
        internal.map(&format!("i32.const {at}")).map_error(),
        "the plugin met something that its author has to look at: oops"
    );
}

#[test]
fn settings_are_known_by_name() {
    let plugin = guest().map(support::EMPTY).plugin();
    let description = plugin.describe().unwrap();
    assert_eq!((&*description.name, &*description.version), ("hand", "1.0"));
    assert_eq!(description.settings[0].name, "unit");
    assert_eq!(description.settings[0].summary, "which unit");
    let check = |name: &str| plugin.check_settings(&[(name.to_owned(), json!(1))].into());
    assert!(check("unit").is_ok());
    assert_eq!(
        said(&check("unti").unwrap_err()),
        "it has no setting `unti`; hint: did you mean `unit`?"
    );
    assert_eq!(
        said(&check("something").unwrap_err()),
        "it has no setting `something`; hint: it has `unit`"
    );
}

/// What a host function gives, byte by byte as the guest sees it, as a finding.
fn seen(import: &str, call: &str, settings: &Settings) -> String {
    let (guest, list) = guest().data(|data| data.words(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    let (guest, at) = guest.data(|data| data.words(&[0, 0, 0, list, 1]));
    let guest = guest.module(import).map(&format!(
        "{call}
         (i32.store (i32.const {}) (i32.load (i32.const 3008)))
         (i32.store (i32.const {}) (i32.load (i32.const 3012)))
         i32.const {at}",
        list + 4,
        list + 8
    ));
    let shown = shown();
    let outcome = guest.plugin().map(settings, &shown.view()).unwrap();
    outcome.diagnostics[0].message.clone()
}

#[test]
fn settings_come_as_they_are() {
    // the second setting's text: name (8), value: case (8), text
    let import = r#"(import "strata:plugin/settings@V" "all" (func $all (param i32)))"#;
    let call = "(call $all (i32.const 3000))
        (i32.store (i32.const 3012) (i32.load offset=44 (i32.load (i32.const 3000))))
        (i32.store (i32.const 3008) (i32.load offset=40 (i32.load (i32.const 3000))))";
    let settings =
        |json| -> Settings { [("a".to_owned(), json!(7)), ("b".to_owned(), json)].into() };
    assert_eq!(seen(import, call, &settings(json!("text"))), "text");
    assert_eq!(seen(import, call, &settings(json!({"k": [1.5]}))), r#"{"k":[1.5]}"#);
    assert_eq!(seen(import, call, &settings(json!(u64::MAX))), "18446744073709551615");
}

#[test]
fn files_are_read_inside_the_image_only() {
    let import = r#"
        (import "strata:plugin/tree@V" "read" (func $read (param i32 i32 i32)))
        (import "strata:plugin/tree@V" "real-path" (func $real (param i32 i32 i32)))"#;
    let text = |function: &str, path: &str| {
        let bytes: String = path.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        let import = format!("{import} (data (i32.const 2000) \"{bytes}\")");
        let call = format!(
            "(call {function} (i32.const 2000) (i32.const {}) (i32.const 3000))",
            path.len()
        );
        seen(&import, &call, &Settings::new())
    };
    assert_eq!(text("$read", "/etc/motd"), "hello");
    assert_eq!(text("$read", "/lib/a/b"), "from a package");
    assert_eq!(text("$read", "/out/motd"), "hello");
    assert_eq!(text("$real", "/lib/a/b"), "/usr/lib/a/b");
    assert_eq!(text("$real", "/"), "/");
}

/// The error's case that a function of `tree` gives, 99 for a success.
fn case(function: &str, path: &str) -> u32 {
    let (guest, [at, length]) = guest().data(|data| data.text(path));
    let guest = guest
        .module(&format!(
            r#"(import "strata:plugin/tree@V" "{function}" (func $f (param i32 i32 i32)))"#
        ))
        .exclude("i32.const 256")
        // the number of findings tells it
        .map(&format!(
            "(call $f (i32.const {at}) (i32.const {length}) (i32.const 3000))
             (i32.store (i32.const 268) (i32.const 512))
             (i32.store (i32.const 272) (i32.const 99))
             (if (i32.load8_u (i32.const 3000))
               (then (i32.store (i32.const 272) (i32.load8_u (i32.const 3008)))))
             (memory.fill (i32.const 512) (i32.const 0) (i32.const 8))
             (call $name (i32.const 0))
             i32.const 256"
        ))
        .module(
            "(func $name (param $i i32)
               (loop $l
                 (i32.store8 (i32.add (i32.const 512) (i32.mul (local.get $i) (i32.const 44))) (i32.const 1))
                 (i32.store (i32.add (i32.const 516) (i32.mul (local.get $i) (i32.const 44))) (i32.const 4096))
                 (i32.store (i32.add (i32.const 520) (i32.mul (local.get $i) (i32.const 44))) (i32.const 1))
                 (local.set $i (i32.add (local.get $i) (i32.const 1)))
                 (br_if $l (i32.lt_u (local.get $i) (i32.const 70)))))",
        );
    // answers of the image lie above 64 KiB: the findings may overwrite what is below
    let shown = shown();
    match guest.plugin().map(&Settings::new(), &shown.view()) {
        Ok(outcome) => outcome.diagnostics.len() as u32,
        Err(_) => 99,
    }
}

#[test]
fn wrong_paths_have_their_errors() {
    const NOT_FOUND: u32 = 0;
    const NOT_A_DIRECTORY: u32 = 1;
    const NOT_A_FILE: u32 = 2;
    const LOOP: u32 = 3;
    const TOO_LARGE: u32 = 4;
    const INVALID: u32 = 5;
    for (function, path, error) in [
        ("read", "/none", NOT_FOUND),
        ("read", "/etc", NOT_A_FILE),
        ("read", "/", NOT_A_FILE),
        ("read", "/pipe", NOT_A_FILE),
        ("read", "/etc/motd/x", NOT_A_DIRECTORY),
        ("read", "/round", LOOP),
        ("read", "/usr/lib/huge", TOO_LARGE),
        ("read", "etc/motd", INVALID),
        ("read", "/etc/../etc/motd", INVALID),
        ("read", "/etc/motd/", INVALID),
        ("read", "", INVALID),
        ("entries", "/etc/motd", NOT_A_DIRECTORY),
        ("entries", "/none", NOT_FOUND),
        ("stat", "/round", LOOP),
        ("stat", "/none", NOT_FOUND),
    ] {
        assert_eq!(case(function, path), error, "{function} {path}");
    }
}

#[test]
fn the_bundled_plugins_say_what_they_are() {
    for (name, bytes) in strata_plugin::BUNDLED {
        let plugin = support::load(bytes).unwrap();
        let description = plugin.describe().unwrap();
        assert_eq!(description.name, *name);
        assert!(!description.summary.is_empty() && !description.version.is_empty());
        assert_eq!(strata_plugin::bundled(name), Some(*bytes));
    }
    assert_eq!(strata_plugin::bundled("none"), None);
}
