//! What documents mean: merging, includes, `--set`, and YAML beside JSON.
#![allow(clippy::unwrap_used, reason = "tests")]

use strata_spec::{
    Change, ComposeSpec, ConfigField, EffectiveImage, FileContent, RepoRef, Slot, SlotValue,
    parse_compose, parse_overlay, parse_plugin, parse_set,
};

fn image(spec: &ComposeSpec, name: &str) -> EffectiveImage {
    spec.effective(&name.parse().unwrap()).unwrap()
}

fn packages(spec: &ComposeSpec, name: &str) -> Vec<String> {
    image(spec, name).packages.into_iter().map(|request| request.value).collect()
}

#[test]
fn the_2015_example() {
    let text = r#"{ "repos": ["fedora-rawhide"],
  "images": { "baseimage": {"packages": ["yum"]},
              "freeipa": {"packages": ["freeipa"], "entrypoint": "/usr/libexec/freeipa-server", "expose": "80"} } }"#;
    let spec = parse_compose("compose.json", text).unwrap();
    assert!(matches!(&spec.repos[0], RepoRef::Id(id) if id.value == "fedora-rawhide"));
    let freeipa = image(&spec, "freeipa");
    assert_eq!(freeipa.entrypoint.unwrap().value, ["/usr/libexec/freeipa-server"]);
    assert_eq!(freeipa.expose[0].value.to_string(), "80/tcp");
    assert_eq!((freeipa.weak_deps, freeipa.docs, freeipa.best), (false, false, false));
    assert_eq!(freeipa.archs[0].as_str(), "x86_64");
    let place = &freeipa.packages[0].place;
    assert_eq!(format!("{place} {}", place.path()), "compose.json:3:40 images.freeipa.packages[0]");
    let error = place.refuse("no repository has `freeipa`", Some("did you mean `ipa`?".into()));
    assert!(error.report().contains("^^^^^^^^^"), "{}", error.report());
}

#[test]
fn the_top_speaks_for_all_images_and_an_image_for_itself() {
    let text = r#"{ "repos": [], "arch": "arm64", "docs": true, "exclude": ["a"], "vars": {"v": 1, "w": "x"},
      "langs": ["en"], "weight": 5,
      "images": { "x": {"packages": ["p"]},
                  "y": {"packages": ["p", "p"], "arch": ["amd64", "x86_64", "s390x"], "docs": false,
                        "exclude": ["b", "a"], "vars": {"v": 2}, "langs": ["all"], "weight": 7} } }"#;
    let spec = parse_compose("c", text).unwrap();
    let (x, y) = (image(&spec, "x"), image(&spec, "y"));
    assert_eq!(x.archs.iter().map(|arch| arch.as_str()).collect::<Vec<_>>(), ["aarch64"]);
    assert_eq!(y.archs.iter().map(|arch| arch.as_str()).collect::<Vec<_>>(), ["x86_64", "s390x"]);
    assert!(x.docs && !y.docs);
    assert_eq!(y.exclude.iter().map(|e| e.value.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((y.vars["v"].as_str(), y.vars["w"].as_str()), ("2", "x"));
    assert_eq!((x.langs, y.langs), (Some(vec!["en".to_owned()]), None));
    assert_eq!((x.weight, y.weight), (5, 7));
    assert_eq!(y.packages.len(), 1);
}

#[test]
fn includes_bring_packages_each_once_the_included_first() {
    let text = r#"{ "repos": [], "images": {
        "base": {"packages": ["bash", "tzdata"]},
        "a": {"include": "base", "packages": ["x"]},
        "b": {"include": "base", "packages": ["y"]},
        "ab": {"include": ["b", "a"], "packages": ["z", "bash"]} } }"#;
    let spec = parse_compose("c", text).unwrap();
    assert_eq!(packages(&spec, "ab"), ["bash", "tzdata", "y", "x", "z"]);
}

#[test]
fn an_include_at_the_top_leaves_out_what_it_takes_in() {
    let text = r#"{ "repos": [], "include": ["base"], "images": {
        "root": {"packages": ["fs"]},
        "base": {"packages": ["bash"], "include": "root"},
        "web": {"packages": ["nginx"]},
        "bare": {"packages": ["busybox"], "include": []} } }"#;
    let spec = parse_compose("c", text).unwrap();
    assert_eq!(packages(&spec, "web"), ["fs", "bash", "nginx"]);
    assert_eq!(packages(&spec, "base"), ["fs", "bash"]);
    assert_eq!(packages(&spec, "root"), ["fs"]);
    assert_eq!(packages(&spec, "bare"), ["busybox"]);
}

#[test]
fn long_chains_of_includes_are_refused_whatever_their_names() {
    for reverse in [false, true] {
        let name = |at: usize| format!("i{:03}", if reverse { 200 - at } else { at });
        let images: Vec<String> = (0..200)
            .map(|at| {
                format!("{:?}: {{\"include\": {:?}, \"packages\": []}}", name(at), name(at + 1))
            })
            .collect();
        let last = format!("{:?}: {{\"packages\": []}}", name(200));
        let text = format!("{{\"repos\": [], \"images\": {{{},{last}}}}}", images.join(","));
        let error = parse_compose("c", &text).unwrap_err();
        assert!(error.to_string().contains("more than 100 deep"), "{error}");
    }
}

#[test]
fn repositories_in_their_three_forms() {
    let text = r#"{ "repos": ["fedora", "./rpms", "https://example.org/os", "file:///srv/repo",
        {"id": "extra", "baseurl": ["a", "b"], "gpgcheck": false, "priority": 10}],
        "images": {"x": {"packages": []}} }"#;
    let spec = parse_compose("c", text).unwrap();
    assert!(matches!(spec.repos[0], RepoRef::Id(_)));
    assert!(spec.repos[1..4].iter().all(|repo| matches!(repo, RepoRef::Location(_))));
    let RepoRef::Inline(keys) = &spec.repos[4] else { panic!() };
    assert_eq!(keys.id.value, "extra");
    assert_eq!(keys.object["baseurl"][1], "b");
    assert_eq!(keys.object["gpgcheck"], false);
    assert_eq!(keys.object["priority"], 10);
    assert_eq!(keys.places["priority"].line(), 2);
}

#[test]
fn yaml_says_the_same_as_json() {
    let yaml = "
repos: [fedora]
releasever: 9.40
images:
  web:
    packages: [nginx, /usr/bin/python3]
    expose: [80, 53/udp]
    docs: true
";
    let json = r#"{ "repos": ["fedora"], "releasever": "9.40", "images": { "web": {
        "packages": ["nginx", "/usr/bin/python3"], "expose": [80, "53/udp"], "docs": true } } }"#;
    let yaml = image(&parse_compose("c.yml", yaml).unwrap(), "web");
    let json = image(&parse_compose("c.json", json).unwrap(), "web");
    assert_eq!(yaml.releasever.unwrap().value, json.releasever.unwrap().value);
    let values = |image: &EffectiveImage| {
        let ports: Vec<String> = image.expose.iter().map(|p| p.value.to_string()).collect();
        let packages: Vec<String> = image.packages.iter().map(|p| p.value.clone()).collect();
        (ports, packages, image.docs)
    };
    assert_eq!(
        values(&image(
            &parse_compose("c.yaml", "repos: []\nimages: {a: {packages: []}}").unwrap(),
            "a"
        )),
        (vec![], vec![], false)
    );
    assert_eq!(yaml.packages[1].place.to_string(), "c.yml:6:23");
    assert_eq!(
        yaml.expose.iter().map(|p| p.value).collect::<Vec<_>>(),
        json.expose.iter().map(|p| p.value).collect::<Vec<_>>()
    );
}

fn changes(overlay: &strata_spec::Overlay) -> Vec<(String, Change)> {
    let each = |(selector, part): (&strata_spec::Selector, &strata_spec::ImageOverlay)| {
        let name = selector.to_string();
        part.changes.iter().map(move |c| (name.clone(), c.value.clone())).collect::<Vec<_>>()
    };
    overlay.images.iter().flat_map(each).collect()
}

#[test]
fn overlay_forms_of_one_thing() {
    let env = |text: &str| {
        let text = format!(r#"{{"images":{{"x":{{"config":{{"Env":{text}}}}}}}}}"#);
        changes(&parse_overlay("o", &text).unwrap())
    };
    assert_eq!(env(r#"{"B":"1","A":true}"#), env(r#"["B=1","A=true"]"#));
    let set = |text: &str| {
        let text = format!(r#"{{"images":{{"x":{{"config":{{"ExposedPorts":{text}}}}}}}}}"#);
        changes(&parse_overlay("o", &text).unwrap())
    };
    assert_eq!(set(r#"{"80/tcp":{}}"#), set("80"));
    assert_eq!(set(r#"["80"]"#), set(r#"[80]"#));
}

#[test]
fn files_and_tags_add_up_the_images_own_win() {
    let text = r#"{ "images": {
        "*": {"tags": ["a"], "files": [{"path": "/x", "content": "all"}, {"path": "/y", "source": "f"}]},
        "web": {"tags": ["b", "a"], "files": [{"path": "/x", "content": "web", "mode": "4755"}]} } }"#;
    let overlay = parse_overlay("o", text).unwrap();
    let web = "web".parse().unwrap();
    let tags: Vec<String> = overlay.tags(&web).iter().map(ToString::to_string).collect();
    assert_eq!(tags, ["a", "b"]);
    let files = overlay.files(&web);
    assert_eq!(files[0].content, FileContent::Text("web".into()));
    assert_eq!(files[0].mode, 0o4755);
    assert!(matches!(&files[1].content, FileContent::Source(path) if path.value == "f"));
    assert_eq!(overlay.files(&"other".parse().unwrap()).len(), 2);
    let spec = parse_compose("c", r#"{"repos":[],"images":{"wbe":{"packages":[]}}}"#).unwrap();
    let error = overlay.check_images(&spec).unwrap_err();
    assert_eq!(error.hint().unwrap(), "did you mean `wbe`?");
}

#[test]
fn set_expressions() {
    let one = |expression: &str| changes(&parse_set(expression).unwrap()).remove(0);
    let text = |field, value: &str| Change::Set(Slot::field(field), SlotValue::Text(value.into()));
    assert_eq!(one("web.config.User=nginx"), ("web".into(), text(ConfigField::User, "nginx")));
    assert_eq!(one("images.web.config.User=33"), ("web".into(), text(ConfigField::User, "33")));
    assert_eq!(
        one(r#"*.config.Cmd=["a","b c"]"#),
        (
            "*".into(),
            Change::Set(
                Slot::field(ConfigField::Cmd),
                SlotValue::Words(vec!["a".into(), "b c".into()])
            )
        )
    );
    assert_eq!(
        one("org/app.v1.config.Env.PATH=/a=b"),
        (
            "org/app.v1".into(),
            Change::Set(Slot::key(ConfigField::Env, "PATH"), SlotValue::Text("/a=b".into()))
        )
    );
    assert_eq!(
        one("web.annotations.org.opencontainers.image.title=A web"),
        (
            "web".into(),
            Change::Set(
                Slot::key(ConfigField::Annotations, "org.opencontainers.image.title"),
                SlotValue::Text("A web".into())
            )
        )
    );
    assert_eq!(
        one("web.config.Entrypoint=null").1,
        Change::Unset(Slot::field(ConfigField::Entrypoint))
    );
    assert_eq!(one("web.config.Env=null").1, Change::Clear(ConfigField::Env));
    assert_eq!(one("config.config.WorkingDir=/x").0, "config");
    let tags = parse_set(r#"web.tags=["1.2"]"#).unwrap();
    assert_eq!(tags.tags(&"web".parse().unwrap())[0].as_str(), "1.2");
}

#[test]
fn wrong_set_expressions_point_at_the_place() {
    for (expression, column, words, hint) in [
        ("web", 1, "no `=`", "write IMAGE.config"),
        ("web=1", 1, "does not begin with an image", "write IMAGE.config"),
        ("config.User=x", 8, "does not begin with an image", "write IMAGE.config"),
        ("web.confg.User=x", 5, "unknown key \"confg\"", "did you mean `config`?"),
        ("web.config.Usr=x", 12, "unknown key \"Usr\"", "did you mean `User`?"),
        ("web..User=x", 5, "part of the key is empty", "write IMAGE"),
        ("web.config.Cmd=[\"a\" \"b\"]", 20, "missing `,`", "separated by `,`"),
        ("web.config.Cmd=a b", 16, "white space", "write a list: [\"a\", \"b\"]"),
        ("Web.config.User=x", 1, "cannot be the name of an image", "write \"web\""),
        ("web.config.User.name=x", 17, "this is an object", ""),
        ("web.config=x", 12, "an object is needed", ""),
    ] {
        let error = parse_set(expression).unwrap_err();
        assert_eq!(error.place.column(), column, "{}", error.report());
        assert!(error.to_string().contains(words), "{}", error.report());
        assert!(error.hint().unwrap_or_default().contains(hint), "{}", error.report());
    }
}

#[test]
fn plugins_of_the_image_take_the_place_of_those_for_all() {
    let text = r#"{"plugins": {
        "web": ["./own.wasm", {"plugin": "slim", "config": {"docs": true}}],
        "*": ["slim", "hardening"]}}"#;
    let overlay = parse_overlay("overlay.json", text).unwrap();
    let names = |image: &str| {
        let uses = overlay.plugins(&image.parse().unwrap());
        uses.iter().map(|one| format!("{}{}", one.reference.value, one.config)).collect::<Vec<_>>()
    };
    assert_eq!(names("db"), ["slim{}", "hardening{}"]);
    assert_eq!(names("web"), [r#"slim{"docs":true}"#, "hardening{}", "./own.wasm{}"]);
}

#[test]
fn plugins_of_the_command_line() {
    let read = |text: &str| {
        let one = parse_plugin(text).unwrap();
        format!("{} {}", one.reference.value, one.config)
    };
    assert_eq!(read("systemd"), "systemd {}");
    assert_eq!(read("./a:b.wasm"), "./a:b.wasm {}");
    assert_eq!(
        read("systemd:unit=nginx.service,strict=true,n=10,v=1.10,e="),
        r#"systemd {"e":"","n":10,"strict":true,"unit":"nginx.service","v":"1.10"}"#
    );
    assert_eq!(read("x:a=1,a=b=c,a="), r#"x {"a":[1,"b=c",""]}"#);
    assert_eq!(read("x:allow=/usr/bin/a:b"), r#"x {"allow":"/usr/bin/a:b"}"#);
    for (text, why) in [
        ("", "there is no plugin"),
        (":a=1", "there is no plugin"),
        ("x:a=1,b", "\"b\" is not of the form SETTING=VALUE"),
        ("x:=1", "is not of the form SETTING=VALUE"),
        ("oci://h/x", "not supported in this release"),
    ] {
        let error = parse_plugin(text).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert!(error.to_string().starts_with("--plugin:1:"), "{error}");
        assert!(error.hint().is_some());
    }
}
