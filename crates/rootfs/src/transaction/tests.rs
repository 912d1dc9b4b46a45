#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::fixture::{file, package};
use strata_rpm::{Capability, Comparison, Condition, Dependency};

fn scriptlet(kind: ScriptletKind, body: &str) -> Scriptlet {
    Scriptlet {
        kind,
        program: vec!["/bin/sh".to_owned()],
        body: body.to_owned(),
        conditions: Vec::new(),
        priority: Scriptlet::DEFAULT_PRIORITY,
        flags: 0,
    }
}

fn trigger(kind: ScriptletKind, body: &str, conditions: &[(u32, &str, u32, &str)]) -> Scriptlet {
    let one = |(position, name, flags, version): &(u32, &str, u32, &str)| Condition {
        position: *position,
        name: (*name).to_owned(),
        flags: *flags,
        version: (*version).to_owned(),
    };
    Scriptlet { conditions: conditions.iter().map(one).collect(), ..scriptlet(kind, body) }
}

fn with(name: &str, files: &[&str], scriptlets: Vec<Scriptlet>) -> Package {
    let mut one = package(name, files.iter().map(|path| file(path)).collect());
    let itself = Capability {
        name: name.to_owned(),
        version: Some((Comparison::Equal, one.nevra.evr.clone())),
    };
    one.provides.push(Dependency::Simple(itself));
    one.scriptlets = scriptlets;
    one
}

fn members(packages: &[Package]) -> Vec<Member<'_>> {
    let states: &[u8] = &[0; 8];
    packages.iter().map(|package| Member { package, states }).collect()
}

/// A line for every step.
fn lines(members: &[Member<'_>]) -> Vec<String> {
    let line = |step: Step<'_>| match step {
        Step::Files(at) => format!("files {}", at.0),
        Step::Run(action) => {
            let second = action.arg2.map(|arg2| format!(" {arg2}")).unwrap_or_default();
            let paths = action.paths.iter().map(|path| format!(" {}", path.escape_ascii()));
            let paths: String = paths.collect();
            format!("{} {}{second}{paths}", action.scriptlet.body, action.arg1)
        }
    };
    steps(members).into_iter().map(line).collect()
}

#[test]
fn every_phase_in_order() {
    use ScriptletKind as Kind;
    let all = |name: &str| {
        let kinds = [
            (Kind::PostTrans, "posttrans"),
            (Kind::Post, "post"),
            (Kind::Pre, "pre"),
            (Kind::PreTrans, "pretrans"),
            (Kind::PreUn, "preun"),
        ];
        kinds.map(|(kind, when)| scriptlet(kind, &format!("{name} {when}"))).to_vec()
    };
    let packages = [with("a", &[], all("a")), with("b", &[], all("b"))];
    assert_eq!(
        lines(&members(&packages)),
        [
            "a pretrans 1",
            "b pretrans 1",
            "a pre 1",
            "files 0",
            "a post 1",
            "b pre 1",
            "files 1",
            "b post 1",
            "a posttrans 1",
            "b posttrans 1",
        ]
    );
}

#[test]
fn packages_of_one_name_count_each_other() {
    let scripts =
        || vec![scriptlet(ScriptletKind::Pre, "pre"), scriptlet(ScriptletKind::PostTrans, "end")];
    let packages = [with("a", &[], scripts()), with("a", &[], scripts())];
    assert_eq!(
        lines(&members(&packages)),
        ["pre 1", "files 0", "pre 2", "files 1", "end 2", "end 2"]
    );
}

#[test]
fn triggers_of_others_and_own() {
    let kind = ScriptletKind::Trigger;
    let owner = vec![
        trigger(kind, "prein", &[(0, "b", Sense::TRIGGERPREIN, "")]),
        trigger(kind, "old", &[(1, "b", Sense::TRIGGERIN | Sense::LESS, "1")]),
        trigger(kind, "new", &[(2, "b", Sense::TRIGGERIN | Sense::EQUAL, "1")]),
        trigger(kind, "any", &[(3, "b", Sense::TRIGGERIN, "")]),
        trigger(kind, "un", &[(4, "b", Sense::TRIGGERUN, "")]),
        trigger(kind, "itself", &[(5, "a", Sense::TRIGGERIN, "")]),
    ];
    let first = [with("a", &[], owner.clone()), with("b", &[], Vec::new())];
    assert_eq!(
        lines(&members(&first)),
        ["files 0", "itself 1 1", "itself 1 1", "prein 1 0", "files 1", "new 1 1"]
    );
    let last = [with("b", &[], Vec::new()), with("a", &[], owner)];
    assert_eq!(
        lines(&members(&last)),
        ["files 0", "prein 0 1", "files 1", "itself 1 1", "new 1 1", "itself 1 1"]
    );
}

#[test]
fn the_header_decides_which_of_two_scripts_runs() {
    let kind = ScriptletKind::Trigger;
    let owner = vec![
        trigger(kind, "later", &[(1, "b", Sense::TRIGGERIN, "")]),
        trigger(kind, "sooner", &[(0, "b", Sense::TRIGGERIN, "")]),
    ];
    let packages = [with("a", &[], owner), with("b", &[], Vec::new())];
    assert_eq!(lines(&members(&packages)), ["files 0", "files 1", "sooner 1 1"]);
}

#[test]
fn file_triggers_by_priority() {
    let on = |body: &str, priority: u32, prefix: &str| Scriptlet {
        priority,
        ..trigger(ScriptletKind::FileTrigger, body, &[(0, prefix, Sense::TRIGGERIN, "")])
    };
    let owner = vec![
        on("low", 9_999, "/usr/lib/"),
        on("normal", Scriptlet::DEFAULT_PRIORITY, "/usr/lib/"),
        on("high", 2_000_000, "/usr/lib/"),
        on("bound", 10_000, "/usr/lib/"),
        on("elsewhere", 1, "/opt/"),
        scriptlet(ScriptletKind::Post, "post"),
    ];
    let packages = [with("b", &["/usr/lib/b"], Vec::new()), with("a", &["/usr/lib/a"], owner)];
    assert_eq!(
        lines(&members(&packages)),
        [
            "files 0",
            "files 1",
            "high 0 /usr/lib/a",
            "normal 0 /usr/lib/a",
            "bound 0 /usr/lib/a",
            "high 0 /usr/lib/b",
            "normal 0 /usr/lib/b",
            "bound 0 /usr/lib/b",
            "post 1",
            "low 0 /usr/lib/a",
            "low 0 /usr/lib/b",
        ]
    );
}

#[test]
fn what_a_file_trigger_is_told() {
    let on = |body: &str, prefixes: &[&str]| {
        let conditions: Vec<_> = (0..).zip(prefixes).map(|(i, p)| (i, *p, 1 << 16, "")).collect();
        trigger(ScriptletKind::TransFileTrigger, body, &conditions)
    };
    let owner = vec![
        on("twice", &["/usr/lib/b/", "/usr/lib"]),
        on("a file is no directory", &["/usr/lib/b/one"]),
        on("no directory is called so", &["/usr/lib/b/one/"]),
    ];
    let files = ["/usr/lib/b/gone", "/usr/lib/b/one", "/usr/lib/b/two"];
    let packages = [with("a", &["/usr/lib/a"], owner), with("b", &files, Vec::new())];
    let mut members = members(&packages);
    members[1].states = &[2, 0, 3];
    let found = "twice 0 /usr/lib/b/one /usr/lib/b/two /usr/lib/a /usr/lib/b/one /usr/lib/b/two";
    assert_eq!(lines(&members), ["files 0", "files 1", found]);
}
