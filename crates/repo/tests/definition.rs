//! What `.repo` files and JSON objects may say.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use strata_repo::{DefinitionProblem, RepoDefinition, RepoError, Variables, Warning};

fn problem(error: RepoError) -> (u32, String, DefinitionProblem) {
    match error {
        RepoError::Definition { line, id, problem, .. } => (line, id, problem),
        other => panic!("{other}"),
    }
}

fn parse(text: &str) -> Result<(Vec<RepoDefinition>, Vec<Warning>), RepoError> {
    RepoDefinition::parse_repo_file("x.repo", text)
}

#[test]
fn a_real_file() {
    let (definitions, warnings) = parse(
        "[main]\nbest=1\n\n[baseos]\nname=CentOS Stream $releasever - BaseOS\n\
         baseurl=https://one.invalid/$stream/BaseOS/$basearch/os/\n    \
         https://two.invalid/${stream}/BaseOS/$basearch/os/\n\
         gpgkey=file:///etc/pki/key\ngpgcheck=1\nrepo_gpgcheck=0\nmetadata_expire=6h\n\
         countme=1\nenabled=1\npriority=10\ncost = 500\nexclude=kernel*, *-debuginfo\n\
         excludepkgs=x\nincludepkgs=a b\n\n[off]\nenabled=no\nmirrorlist=https://x.invalid/\n",
    )
    .unwrap();
    let [baseos, off] = definitions.as_slice() else { panic!("{definitions:?}") };
    assert_eq!((baseos.priority, baseos.cost, baseos.enabled), (10, 500, true));
    assert_eq!(baseos.exclude, ["kernel*", "*-debuginfo", "x"]);
    assert_eq!(baseos.includepkgs, ["a", "b"]);
    assert!(!off.enabled);
    assert_eq!((off.priority, off.cost), (99, 1000));
    let texts: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "repository `baseos`: signatures are not verified yet",
            "repository `off`: `mirrorlist` is not supported yet and is ignored",
        ]
    );
    let mut variables = Variables::new("x86_64", Some("9"));
    let (_, _, missing) = problem(baseos.substitute(&variables).unwrap_err());
    assert!(
        matches!(missing, DefinitionProblem::Variable { variable, .. } if variable == "stream")
    );
    variables.set("stream", "9-stream");
    let baseos = baseos.substitute(&variables).unwrap();
    assert_eq!(baseos.name, "CentOS Stream 9 - BaseOS");
    assert_eq!(baseos.baseurl[1], "https://two.invalid/9-stream/BaseOS/x86_64/os/");
}

#[test]
fn errors_say_where() {
    let cases = [
        ("x=1\n", 1, "neither"),
        ("[a]\nbaseurl=/x\nenabled=maybe\n", 3, "takes `1` or `0`"),
        ("[a]\nbaseurl=/x\npriority=high\n", 3, "whole number"),
        ("[a]\nbaseurl=/x\n[a]\nbaseurl=/y\n", 3, "before"),
        ("[a b]\nbaseurl=/x\n", 1, "not a repository id"),
        ("\n[a]\nname=x\n", 2, "no `baseurl`"),
        ("[a]\nmetalink=https://x.invalid/\n", 1, "`metalink` is not supported yet"),
    ];
    for (text, line, part) in cases {
        let error = parse(text).unwrap_err();
        assert!(error.to_string().starts_with(&format!("x.repo:{line}: ")), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let hint = parse("[a]\nmirrorlist=https://x.invalid/\n").unwrap_err().hint();
    assert!(hint.unwrap().contains("baseurl"));
}

#[test]
fn unknown_keys_name_the_nearest() {
    let (_, warnings) = parse("[a]\nbaseurl=/x\nexcludes=y\nqqqqqqq=1\n").unwrap();
    let texts: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "x.repo:3: unknown key `excludes` is ignored; did you mean `exclude`?",
            "x.repo:4: unknown key `qqqqqqq` is ignored",
        ]
    );
    let object = serde_json::json!({"baseurl": "/x", "prioritty": 1});
    let error = RepoDefinition::from_json(Some("a"), object.as_object().unwrap()).unwrap_err();
    assert_eq!(error.hint().unwrap(), "did you mean `priority`?");
}

#[test]
fn json_objects() {
    let object = serde_json::json!({
        "id": "local", "baseurl": "my rpms", "priority": 5, "enabled": true,
        "exclude": ["a*", "b"], "includepkgs": "c, d", "gpgcheck": true,
    });
    let (definition, warnings) =
        RepoDefinition::from_json(None, object.as_object().unwrap()).unwrap();
    assert_eq!(definition.id, "local");
    assert_eq!(definition.baseurl, ["my rpms"]);
    assert_eq!(definition.exclude, ["a*", "b"]);
    assert_eq!(definition.includepkgs, ["c", "d"]);
    assert_eq!(warnings, [Warning::SignaturesNotVerified { repo: "local".to_owned() }]);
    let definition = definition.relative_to(Path::new("/spec"));
    assert_eq!(definition.baseurl, ["/spec/my rpms"]);
    for (object, part) in [
        (serde_json::json!({"baseurl": "/x"}), "id"),
        (serde_json::json!({"id": "a", "baseurl": 5}), "a string"),
        (serde_json::json!({"id": "a", "baseurl": ["/x", 5]}), "a list of strings"),
        (serde_json::json!({"id": "a", "baseurl": "/x", "name": ["y"]}), "`name` takes"),
        (serde_json::json!({"id": "a", "baseurl": "/x", "cost": "1.5"}), "whole number"),
    ] {
        let error = RepoDefinition::from_json(None, object.as_object().unwrap()).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn no_message_tells_a_password() {
    let variables = Variables::default();
    let at = RepoDefinition::at("https://u:secret@h/$none/", "https://u:secret@h/$none/");
    assert_eq!(at.id, "https://h/$none/");
    let text = "[a]\nbaseurl=/x\nhttps://u:secret@h/\n";
    let object = serde_json::json!({"baseurl": ["https://u:secret@h/", 5]});
    for error in [
        at.substitute(&variables).unwrap_err(),
        parse(text).unwrap_err(),
        RepoDefinition::from_json(Some("a"), object.as_object().unwrap()).unwrap_err(),
    ] {
        let error = format!("{error} {error:?} {:?}", error.hint());
        assert!(!error.contains("secret"), "{error}");
    }
}
