//! What systemd itself makes of every unit file of the corpora, and of some that were written for
//! their odd corners.

#![allow(clippy::print_stdout, reason = "figures for whoever reads a test's output")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
mod odd;

use common::{Entry, Tree, image, services, trees, units};
use odd::ODD;
use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use strata_plugin_systemd::files::memory::Memory;
use strata_plugin_systemd::finding::Severity;
use strata_plugin_systemd::load::{LoadError, Unit, Units};
use strata_plugin_systemd::map::map_service;
use strata_plugin_systemd::name::UnitName;
use strata_plugin_systemd::service::{DirectoryKind, Service, read};
use strata_plugin_systemd::socket::sockets;
use strata_testkit::{OrdinaryUser, missing, output};

const SYSTEMD: &str = "/lib/systemd/systemd";

/// Differences that are meant: unit, field, and why.
const MEANT: &[(&str, &str, &str)] = &[
    ("etcd.service", "Environment", "`%H` is the running machine's name, and stays"),
    (
        r"systemd-journald@a-b\x2dc.service",
        "LogsDirectory",
        "`%m` is the running machine's id, and stays",
    ),
    ("postgrey.service", "Environment", "`%H` is the running machine's name, and stays"),
];

/// systemd's dump of one unit: field → its values in order.
type Dump = BTreeMap<String, Vec<String>>;

#[test]
fn corpus_units_are_what_systemd_says() {
    let Some(trees) = trees() else { return };
    let Some(dumps) = dumps(&trees) else { return };
    let mut counts = Counts::default();
    for (tree, dump) in trees.iter().zip(&dumps) {
        compare_tree(tree, dump, &mut counts);
    }
    println!("{counts:?}");
    assert_eq!(counts.differences, Vec::<String>::new());
    // corpora differ in size: only what was compared can have lost its difference
    let compared = |unit: &str| trees.iter().any(|tree| services(tree).iter().any(|s| s == unit));
    for (unit, field, why) in MEANT.iter().filter(|(unit, ..)| compared(unit)) {
        let occurs = counts.meant.iter().any(|(known, key)| known == unit && key == field);
        assert!(occurs, "{unit}: {field} is no longer different: {why}");
    }
    assert!(counts.same > 200, "{} units only", counts.same);
}

#[derive(Debug, Default)]
struct Counts {
    same: usize,
    refused: usize,
    masked: usize,
    meant: Vec<(String, &'static str)>,
    differences: Vec<String>,
}

fn compare_tree(tree: &Tree, dump: &BTreeMap<String, Dump>, counts: &mut Counts) {
    let image = image(tree);
    for service in services(tree) {
        let Some(theirs) = dump.get(&service) else {
            counts.differences.push(format!("{service}: systemd does not know it"));
            continue;
        };
        compare(&image, &service, theirs, counts);
    }
}

fn compare(image: &Memory, service: &str, theirs: &Dump, counts: &mut Counts) {
    let state = one(theirs, "Unit Load State");
    let name = UnitName::parse(service).unwrap();
    let unit = match Units::new(image).load(&name) {
        Ok(unit) => unit,
        Err(LoadError::Masked(_)) if state == "masked" => return counts.masked += 1,
        Err(LoadError::Broken(_)) if state == "error" => return counts.refused += 1,
        Err(error) => {
            return counts.differences.push(format!("{service}: {state}, but {error:?}"));
        }
    };
    let ours = read(&unit, image);
    every_directive_is_named(image, &unit, &ours, &mut counts.differences);
    if state != "loaded" {
        let refused = map_service(&Units::new(image), &unit, &ours, true)
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Refusal);
        if refused {
            counts.refused += 1;
        } else {
            counts.differences.push(format!("{service}: systemd says {state}"));
        }
        return;
    }
    let mut same = true;
    let mut fields = fields(&unit, &ours);
    let mut sockets = sockets(&Units::new(image), &unit, &ours).names;
    // an instance of a connection is systemd's only once there is one
    let accepts = format!("{}.socket", unit.name.prefix);
    sockets.retain(|name| unit.name.instance.is_none() || *name != accepts);
    fields.push(("TriggeredBy", sockets));
    for (field, mine) in fields {
        let yours: Vec<String> = match field {
            "Command Line" => theirs
                .get("ExecStart")
                .into_iter()
                .flatten()
                .map(|line| format!("{:?}", unquote(line)))
                .collect(),
            "TriggeredBy" => triggers(theirs),
            field => theirs.get(field).cloned().unwrap_or_default(),
        };
        if mine == yours {
            continue;
        }
        same = false;
        if MEANT.iter().any(|(unit, key, _)| *unit == service && *key == field) {
            counts.meant.push((service.to_owned(), field));
        } else {
            counts.differences.push(format!("{service}: {field}: {mine:?}, systemd {yours:?}"));
        }
    }
    counts.same += usize::from(same);
}

/// Our side, as systemd prints it.
fn fields(unit: &Unit, service: &Service) -> Vec<(&'static str, Vec<String>)> {
    let commands = service.commands.iter().map(|c| format!("{:?}", c.value.argv)).collect();
    let signal = match &service.kill_signal {
        None => "SIGTERM".to_owned(),
        Some(at) => match at.value.parse::<u32>() {
            Ok(34) => "SIGRTMIN".to_owned(),
            Ok(number) => format!("SIGRTMIN+{}", number - 34),
            Err(_) => at.value.clone(),
        },
    };
    let directory = service.working_directory.as_ref();
    let directory = directory.and_then(|at| at.value.path.clone());
    // systemd gives what it makes up here, for us it is the image's to say
    let dynamic = service.dynamic_user.as_ref().map(|_| unit.name.prefix.clone());
    let user = service.user.as_ref().map(|at| at.value.clone()).or(dynamic.clone());
    let group = service.group.as_ref().map(|at| at.value.clone());
    let group = group.or(dynamic.and(user.clone()));
    let mut all = vec![
        ("Command Line", commands),
        ("Type", vec![service.effective_type().name().to_owned()]),
        ("KillSignal", vec![signal]),
        ("WorkingDirectory", vec![directory.unwrap_or_else(|| "/".to_owned())]),
        ("User", user.into_iter().collect()),
        ("Group", group.into_iter().collect()),
        ("DynamicUser", vec![yes(service.dynamic_user.is_some())]),
        ("Environment", environment(service)),
        ("EnvironmentFile", environment_files(service)),
        ("UnsetEnvironment", service.unset_environment.clone()),
        ("Documentation", documentation(service)),
    ];
    if let Some(description) = &service.description {
        all.push(("Description", vec![description.value.clone()]));
    }
    for kind in DirectoryKind::ALL {
        let of_kind = || service.directories.iter().filter(move |d| d.value.kind == kind);
        let mut paths: Vec<_> = of_kind().map(|d| d.value.path.clone()).collect();
        paths.sort();
        paths.dedup();
        let mode = service.mode(kind);
        let (key, mode_key) = match kind {
            DirectoryKind::Runtime => ("RuntimeDirectory", "RuntimeDirectoryMode"),
            DirectoryKind::State => ("StateDirectory", "StateDirectoryMode"),
            DirectoryKind::Cache => ("CacheDirectory", "CacheDirectoryMode"),
            DirectoryKind::Logs => ("LogsDirectory", "LogsDirectoryMode"),
            DirectoryKind::Configuration => {
                ("ConfigurationDirectory", "ConfigurationDirectoryMode")
            }
        };
        all.push((key, paths));
        all.push((mode_key, vec![format!("{mode:04o}")]));
    }
    all
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// Of a name that is set twice, systemd keeps the first place and the last value.
fn environment(service: &Service) -> Vec<String> {
    let mut all: Vec<(String, String)> = Vec::new();
    for at in &service.environment {
        let (name, value) = at.value.clone();
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => all.push((name, value)),
        }
    }
    all.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn environment_files(service: &Service) -> Vec<String> {
    let files = service.environment_files.iter().map(|at| &at.value);
    files.map(|file| format!("{}{}", if file.optional { "-" } else { "" }, file.path)).collect()
}

/// The sockets of a service: what follows the name says where systemd has it from.
fn triggers(theirs: &Dump) -> Vec<String> {
    let all = theirs.get("TriggeredBy").into_iter().flatten();
    let names = all.map(|value| value.split(' ').next().unwrap_or_default().to_owned());
    let mut sockets: Vec<_> = names.filter(|name| name.ends_with(".socket")).collect();
    sockets.sort();
    sockets
}

/// systemd leaves out what is no address.
fn documentation(service: &Service) -> Vec<String> {
    let schemes = ["http://", "https://", "file:/", "info:", "man:"];
    let all = service.documentation.iter().map(|at| at.value.clone());
    all.filter(|url| schemes.iter().any(|scheme| url.starts_with(scheme))).collect()
}

/// No directive is lost in silence.
fn every_directive_is_named(
    image: &Memory,
    unit: &Unit,
    service: &Service,
    differences: &mut Vec<String>,
) {
    let told: Vec<_> = map_service(&Units::new(image), unit, service, true)
        .findings
        .into_iter()
        .map(|finding| finding.message)
        .collect();
    let known = [
        "Type",
        "ExecStart",
        "User",
        "Group",
        "DynamicUser",
        "WorkingDirectory",
        "Environment",
        "EnvironmentFile",
        "UnsetEnvironment",
        "KillSignal",
        "BusName",
        "Sockets",
        "Description",
        "Documentation",
    ];
    for assignment in &unit.assignments {
        let key = assignment.key.as_str();
        let directory = DirectoryKind::ALL
            .iter()
            .any(|kind| key.strip_suffix("Mode").unwrap_or(key) == kind.key());
        let silent = known.contains(&key)
            || directory
            || assignment.value.is_empty()
            || key.starts_with("X-")
            || assignment.section.starts_with("X-")
            || !["Unit", "Service", "Install"].contains(&assignment.section.as_ref());
        let word = format!("`{key}=`");
        if !silent && !told.iter().any(|message| message.contains(&word)) {
            differences.push(format!("{}: `{key}=` is not named", unit.name.full));
        }
    }
}

fn one<'a>(dump: &'a Dump, field: &str) -> &'a str {
    dump.get(field).and_then(|values| values.first()).map_or("", String::as_str)
}

/// Runs systemd on each tree; none where it is not installed.
fn dumps(trees: &[Tree]) -> Option<Vec<BTreeMap<String, Dump>>> {
    if !Path::new(SYSTEMD).is_file() {
        return missing("`systemd` is not installed: `apt-get install systemd`");
    }
    let user = OrdinaryUser::new();
    let dump = |(number, tree): (usize, &Tree)| {
        let root = user.home().join(format!("tree-{number}"));
        write(tree, &root);
        let mut command = user.command(Path::new("env"));
        command.args(["-i", "LC_ALL=C.UTF-8"]);
        let search = common::DIRECTORIES.map(|path| format!("{}{path}", root.display()));
        command.arg(format!("SYSTEMD_UNIT_PATH={}", search.join(":")));
        command.arg(format!("HOME={}", user.home().display()));
        command.args([SYSTEMD, "--test", "--system", "--unit=strata-all.target"]);
        let ran = output(&mut command);
        assert!(ran.stdout.contains("-> By units:"), "{}\n{}", ran.stdout, ran.stderr);
        parse(&ran.stdout)
    };
    Some(trees.iter().enumerate().map(dump).collect())
}

/// Writes a tree, and a target that wants all its services.
fn write(tree: &Tree, root: &Path) {
    let place = |path: &str| root.join(path.trim_start_matches('/'));
    for directory in common::DIRECTORIES {
        std::fs::create_dir_all(place(directory)).unwrap();
    }
    for (path, entry) in tree {
        let path = place(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match entry {
            Entry::File(content) => {
                std::fs::write(&path, content).unwrap();
                std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
            }
            // absolute links stay inside
            Entry::Link(target) if target == "/dev/null" => symlink(target, &path).unwrap(),
            Entry::Link(target) => {
                let target = target
                    .strip_prefix("/lib/")
                    .map_or_else(|| target.clone(), |rest| format!("/usr/lib/{rest}"));
                match target.strip_prefix('/') {
                    Some(inner) => symlink(root.join(inner), &path).unwrap(),
                    None => symlink(target, &path).unwrap(),
                }
            }
        }
    }
    let mut all = "[Unit]\nDefaultDependencies=no\n".to_owned();
    for unit in services(tree).into_iter().chain(units(tree, ".socket")) {
        all += &format!("Wants={unit}\n");
    }
    std::fs::write(place("/usr/lib/systemd/system/strata-all.target"), all).unwrap();
}

fn parse(text: &str) -> BTreeMap<String, Dump> {
    let mut units: BTreeMap<String, Dump> = BTreeMap::new();
    let mut unit = Dump::new();
    let mut name = String::new();
    let mut section = String::new();
    for line in text.lines() {
        if let Some(next) = line.strip_prefix("\t-> Unit ") {
            units.insert(std::mem::take(&mut name), std::mem::take(&mut unit));
            name = next.trim_end_matches(':').to_owned();
        } else if let Some(next) = line.strip_prefix("\t\t-> ") {
            section = next.trim_end_matches(':').to_owned();
        } else if let Some(command) = line.strip_prefix("\t\t\tCommand Line: ") {
            unit.entry(section.clone()).or_default().push(command.to_owned());
        } else if let Some((key, value)) =
            line.strip_prefix("\t\t").and_then(|line| line.split_once(": "))
        {
            unit.entry(key.to_owned()).or_default().push(value.to_owned());
        }
    }
    units.insert(name, unit);
    units
}

/// The words of a command line that systemd printed.
fn unquote(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut characters = line.chars().peekable();
    while let Some(first) = characters.next() {
        let mut word = String::new();
        if first == '"' {
            while let Some(c) = characters.next() {
                match c {
                    '"' => break,
                    '\\' => match characters.next() {
                        Some('n') => word.push('\n'),
                        Some('t') => word.push('\t'),
                        Some(other) => word.push(other),
                        None => {}
                    },
                    c => word.push(c),
                }
            }
            characters.next();
        } else {
            word.push(first);
            for c in characters.by_ref() {
                if c == ' ' {
                    break;
                }
                word.push(c);
            }
        }
        words.push(word);
    }
    words
}

#[test]
fn odd_units_are_what_systemd_says() {
    let place = |path: &str| {
        let (root, rest) = path.split_once('/').unwrap();
        let root = if root == "etc" { common::DIRECTORIES[0] } else { common::DIRECTORIES[1] };
        format!("{root}/{rest}")
    };
    let mut tree: Tree = ODD
        .iter()
        .map(|(path, text)| (place(path), Entry::File(text.as_bytes().to_vec())))
        .collect();
    let alias = "/usr/lib/systemd/system/real.service".to_owned();
    tree.insert(place("etc/alias.service"), Entry::Link(alias));
    tree.insert(place("etc/masked.service"), Entry::Link("/dev/null".into()));
    tree.insert(place("lib/masked.service"), Entry::File(b"[Service]\nExecStart=/a\n".to_vec()));
    let Some(dumps) = dumps(std::slice::from_ref(&tree)) else { return };
    let mut counts = Counts::default();
    compare_tree(&tree, &dumps[0], &mut counts);
    assert_eq!(counts.differences, Vec::<String>::new());
    assert_eq!(counts.masked, 2, "{counts:?}");
    println!("{counts:?}");
}
