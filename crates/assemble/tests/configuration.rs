//! Who wins, and what is remembered of the others.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use strata_assemble::{
    Accounts, AssembleError, Author, ConfigEdits, ConfigTask, Configured, Inputs, PATH, configure,
    defaults, owner,
};
use strata_oci::FileOrigin;
use strata_rootfs::{Node, Tree, TreePath};
use strata_spec::{
    Change, ConfigField, ImageName, Slot, SlotValue, parse_compose, parse_overlay, parse_set,
};

const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/bash\nnginx:x:990:989::/:/sbin/nologin\n";
const GROUP: &[u8] = b"root:x:0:\nnginx:x:989:\nwww:x:33:\n";

fn web() -> ImageName {
    "web".parse().unwrap()
}

/// Sources of the image `web` from an inline part, an overlay and `--set` expressions.
struct Sources {
    defaults: ConfigEdits,
    inline: ConfigEdits,
    overlay: Vec<ConfigEdits>,
    sets: ConfigEdits,
}

fn sources(inline: &str, overlay: &str, sets: &[&str]) -> Sources {
    let mut tree = Tree::default();
    tree.insert(TreePath::new("/bin/bash").unwrap(), Node::generated(*b"x", 0o755, 0));
    let text = format!(r#"{{"repos":[],"images":{{"web":{{"packages":[]{inline}}}}}}}"#);
    let spec = parse_compose("compose.json", &text).unwrap();
    let overlay = parse_overlay("web.json", overlay).unwrap();
    let sets: Vec<_> = sets.iter().map(|set| parse_set(set).unwrap()).collect();
    Sources {
        defaults: defaults(&tree),
        inline: ConfigEdits::inline(&spec.effective(&web()).unwrap()),
        overlay: ConfigEdits::overlay(&overlay, &web()),
        sets: ConfigEdits::sets(&sets, &web()),
    }
}

fn run(sources: &Sources, plugins: &[ConfigEdits]) -> Result<Configured, AssembleError> {
    configure(&ConfigTask {
        defaults: &sources.defaults,
        plugins,
        inline: &sources.inline,
        overlay: &sources.overlay,
        sets: &sources.sets,
        accounts: &Accounts::parse(PASSWD, GROUP),
    })
}

fn config(inline: &str, overlay: &str, sets: &[&str]) -> Configured {
    run(&sources(inline, overlay, sets), &[]).unwrap()
}

#[test]
fn defaults_alone() {
    let found = config("", "{}", &[]);
    assert_eq!(found.config.env, [format!("PATH={PATH}")]);
    assert_eq!(found.config.cmd.unwrap(), ["/bin/bash"]);
    assert_eq!(found.config.user, "");
    assert!(found.annotations.is_empty());
}

#[test]
fn the_stronger_wins_and_the_weaker_is_remembered() {
    let overlay = r#"{"images":{
        "*":{"config":{"WorkingDir":"/all","Labels":{"a":"all","b":"all"}}},
        "web":{"config":{"WorkingDir":"/web","Labels":{"b":"web"},"Env":["TZ=UTC","PATH=/bin"]}}}}"#;
    let plugin = {
        let mut edits = ConfigEdits::new();
        let origin = FileOrigin { path: "/usr/lib/x.service".into(), line: Some(12) };
        let value = SlotValue::Text("/plugin".into());
        let change = Change::Set(Slot::field(ConfigField::WorkingDir), value);
        edits.push(change, Author::Plugin { reference: "nginx".into(), origin: Some(origin) });
        edits
    };
    let sources = sources("", overlay, &["web.config.WorkingDir=/set"]);
    let found = run(&sources, &[plugin]).unwrap();
    assert_eq!(found.config.working_dir, "/set");
    assert_eq!(found.config.labels["a"], "all");
    assert_eq!(found.config.labels["b"], "web");
    assert_eq!(found.config.env, ["PATH=/bin", "TZ=UTC"]);
    let text = found.provenance.to_string();
    assert!(
        text.contains(
            "config.WorkingDir = /set (--set web.config.WorkingDir=/set; was /web, web.json:3:39; \
             was /all, web.json:2:37; was /plugin, plugin `nginx`, \
             /usr/lib/x.service:12)"
        ),
        "{text}"
    );
    let path = found.provenance.get(&Slot::key(ConfigField::Env, "PATH")).unwrap();
    assert_eq!(path.shadowed[0].by, Author::Default);
}

#[test]
fn variables_keep_their_order() {
    let overlay = r#"{"images":{"web":{"config":{"Env":{"Z":"1","A":"2","M":"3"}}}}}"#;
    let found = config("", overlay, &["web.config.Env.A=9", "*.config.Env.B=4"]);
    assert_eq!(found.config.env[1..], ["Z=1", "A=9", "M=3", "B=4"]);
}

#[test]
fn null_takes_away() {
    let overlay = r#"{"images":{"web":{"config":{"Env":null,"Cmd":null,"Labels":{"a":null}}},
        "*":{"config":{"Labels":{"a":"1","b":"2"}}}}}"#;
    let found = config(r#","expose":[80,81]"#, overlay, &["web.config.ExposedPorts={\"80\":null}"]);
    assert!(found.config.env.is_empty());
    assert_eq!(found.config.cmd, None);
    assert_eq!(found.config.labels.len(), 1);
    assert_eq!(found.config.exposed_ports.iter().collect::<Vec<_>>(), ["81/tcp"]);
    assert!(found.provenance.to_string().contains("config.Cmd = nothing (web.json"));
}

#[test]
fn an_entry_point_takes_away_the_weaker_command() {
    let found = config(r#","entrypoint":"/usr/sbin/nginx""#, "{}", &[]);
    assert_eq!(found.config.entrypoint.unwrap(), ["/usr/sbin/nginx"]);
    assert_eq!(found.config.cmd, None);
    let overlay = r#"{"images":{"web":{"config":{"Cmd":["-g","daemon off;"]}}}}"#;
    let found = config(r#","entrypoint":"/usr/sbin/nginx""#, overlay, &[]);
    assert_eq!(found.config.cmd.unwrap(), ["-g", "daemon off;"]);
    let both = ["web.config.Cmd=[\"x\"]", "web.config.Entrypoint=[\"y\"]"];
    assert_eq!(config("", "{}", &both).config.cmd.unwrap(), ["x"]);
    let found = config("", overlay, &["web.config.Entrypoint=/bin/other"]);
    assert_eq!(found.config.cmd, None);
}

#[test]
fn users_become_numbers() {
    for (user, numbers, name) in [
        ("nginx", "990:989", Some("nginx")),
        ("nginx:www", "990:33", Some("nginx:www")),
        ("990", "990:989", None),
        ("5", "5:0", None),
        ("5:www", "5:33", Some("5:www")),
        ("0:0", "0:0", None),
        ("root", "0:0", Some("root")),
    ] {
        let found = config("", "{}", &[&format!("web.config.User={user}")]);
        assert_eq!(found.config.user, numbers);
        let annotation = found.annotations.get("io.strata.user").map(String::as_str);
        assert_eq!(annotation, name);
    }
}

#[test]
fn an_unknown_user_is_pointed_at() {
    let overlay = "{\"images\":{\"web\":{\"config\":{\n  \"User\": \"ngnix\"\n}}}}";
    let error = run(&sources("", overlay, &[]), &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "web.json:2:11: the image has no user `ngnix` (at `images.web.config.User`)\n  |\n2 |   \
         \"User\": \"ngnix\"\n  |           ^^^^^^^"
    );
    assert_eq!(error.hint().unwrap(), "did you mean `nginx`?");
    let error = run(&sources("", "{}", &["web.config.User=nginx:staff"]), &[]).unwrap_err();
    assert!(error.to_string().contains("the image has no group `staff`"));
    assert!(error.hint().unwrap().contains("there are `nginx`, `root`, `www`"));
    let mut plugin = ConfigEdits::new();
    let value = SlotValue::Text("httpd".into());
    let change = Change::Set(Slot::field(ConfigField::User), value);
    plugin.push(change, Author::Plugin { reference: "units".into(), origin: None });
    let error = run(&sources("", "{}", &[]), &[plugin]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "plugin `units` names the user `httpd`, which the image does not have"
    );
}

#[test]
fn owners_of_files() {
    let text = r#"{"images":{"web":{"files":[
        {"path":"/a","content":""},
        {"path":"/b","content":"","user":"nginx","group":"www"},
        {"path":"/c","content":"","user":7,"group":"8"},
        {"path":"/d","content":"","user":"nobody"}]}}}"#;
    let overlay = parse_overlay("web.json", text).unwrap();
    let accounts = Accounts::parse(PASSWD, GROUP);
    let owners: Vec<_> =
        overlay.files(&web()).into_iter().map(|file| owner(file, &accounts)).collect();
    assert_eq!(owners[0], Ok((0, 0)));
    assert_eq!(owners[1], Ok((990, 33)));
    assert_eq!(owners[2], Ok((7, 8)));
    assert!(
        owners[3].as_ref().unwrap_err().to_string().starts_with("web.json:5:42: the image has")
    );
}

fn inputs(config: Vec<ConfigEdits>) -> Inputs {
    Inputs {
        arch: "x86_64".into(),
        packages: Vec::new(),
        distro: None,
        docs: false,
        langs: None,
        scriptlets: "skip".into(),
        scriptlets_of: BTreeMap::new(),
        epoch: None,
        compression: "gzip:2".into(),
        layer_format: 1,
        config,
        files: Vec::new(),
        plugins: Vec::new(),
        dnf: None,
    }
}

#[test]
fn inputs_know_the_outcome_and_not_the_way_to_it() {
    let digest = |inline: &str, overlay: &str, sets: &[&str]| {
        let sources = sources(inline, overlay, sets);
        let parts = [sources.inline].into_iter().chain(sources.overlay).chain([sources.sets]);
        inputs(parts.collect()).digest()
    };
    let one = digest(r#","expose":80"#, "{}", &[]);
    let same = digest("", r#"{"images":{"*":{"config":{"ExposedPorts":{"80/tcp":{}}}}}}"#, &[]);
    assert_eq!(one, same);
    let shadowed = digest(
        "",
        r#"{"images":{"*":{"config":{"User":"a"}},"web":{"config":{"User":"b"}}}}"#,
        &["web.config.User=c"],
    );
    assert_eq!(shadowed, digest("", "{}", &["*.config.User=c"]));
    // Tags and other images are no part of the manifest; a variable's place is.
    let plain = digest("", "{}", &[]);
    let tags = r#"{"images":{"web":{"tags":["1"]},"other":{"config":{"User":"x"}}}}"#;
    assert_eq!(plain, digest("", tags, &[]));
    assert_ne!(plain, digest("", "{}", &["web.config.Env=null"]));
    assert_ne!(
        digest("", "{}", &["web.config.Env.A=1", "web.config.Env.B=2"]),
        digest("", "{}", &["web.config.Env.B=2", "web.config.Env.A=1"])
    );
}

#[test]
fn every_input_counts_and_the_order_of_packages_does_not() {
    use strata_assemble::{InputFile, InputPackage, InputPlugin};
    use strata_oci::Digest;
    let package = |name: &str| InputPackage {
        checksum: format!("sha256:{name}"),
        nevra: format!("{name}-1-1.noarch"),
    };
    let file = InputFile {
        path: "/a".into(),
        content: Digest::of(b"x"),
        mode: 0o644,
        user: String::new(),
        group: String::new(),
    };
    let plugin = InputPlugin { digest: Digest::of(b"y"), config: serde_json::json!({"port": 80}) };
    let changes: [&dyn Fn(&mut Inputs); 14] = [
        &|_| {},
        &|inputs| inputs.arch = "aarch64".into(),
        &|inputs| inputs.packages = vec![package("a"), package("b")],
        &|inputs| inputs.distro = Some("fedora-41".into()),
        &|inputs| inputs.docs = true,
        &|inputs| inputs.langs = Some(Vec::new()),
        &|inputs| inputs.scriptlets = "fail".into(),
        &|inputs| drop(inputs.scriptlets_of.insert("a".into(), "fail".into())),
        &|inputs| inputs.dnf = Some("reasons".into()),
        &|inputs| inputs.epoch = Some(0),
        &|inputs| inputs.compression = "zstd:3".into(),
        &|inputs| inputs.layer_format = 2,
        &|inputs| inputs.files = vec![file.clone()],
        &|inputs| inputs.plugins = vec![plugin.clone()],
    ];
    let mut digests: Vec<_> = changes
        .iter()
        .map(|change| {
            let mut inputs = inputs(Vec::new());
            change(&mut inputs);
            inputs.digest()
        })
        .collect();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), changes.len());
    let of = |packages: Vec<InputPackage>| Inputs { packages, ..inputs(Vec::new()) }.digest();
    assert_eq!(of(vec![package("a"), package("b")]), of(vec![package("b"), package("a")]));
}
