//! Who defines which accounts.

use super::parts;
use strata_rootfs::{
    accounts::{Definitions, Ids, Sources, allocate, owners, render},
    facts::PackageFacts,
};
use strata_rpm::{Capability, Comparison, Dependency, Evr, FileEntry, Nevra, Package};

/// Two snippets of `sysusers.d`, the four databases, and a provide.
pub fn sysusers(input: &[u8]) {
    let [packaged, local, passwd, group, shadow, gshadow, provide] = parts(input);
    let evr = Evr { epoch: 0, version: "1".into(), release: "1".into() };
    let nevra = Nevra { name: "p".into(), evr, arch: "noarch".into() };
    let mut package = Package::new(nevra);
    let mut facts = PackageFacts::default();
    let files = [
        ("/etc/sysusers.d/b.conf", local),
        ("/etc/passwd", passwd),
        ("/etc/group", group),
        ("/etc/shadow", shadow),
        ("/etc/gshadow", gshadow),
        ("/usr/lib/sysusers.d/a.conf", packaged),
    ];
    for (index, (path, content)) in (0..).zip(files) {
        package.files.push(file(path, content.len() as u64));
        facts.absorb(&package, index, content);
    }
    let Ok(version) = String::from_utf8_lossy(provide).parse();
    let version = Some((Comparison::Equal, version));
    package.provides.push(Dependency::Simple(Capability { name: "user(x)".into(), version }));
    let definitions = Definitions::new(&[(&package, &facts)]);
    let Ok(ids) = allocate(&[&definitions], &Ids::default()) else { return };
    let _ = owners(&definitions, &ids);
    let some = |bytes: &'_ [u8]| (!bytes.is_empty()).then(|| bytes.to_vec());
    let [passwd, group, shadow, gshadow] = [passwd, group, shadow, gshadow].map(some);
    let sources = Sources {
        passwd: passwd.as_deref(),
        group: group.as_deref(),
        shadow: shadow.as_deref(),
        gshadow: gshadow.as_deref(),
    };
    let rendered = render(&definitions, &ids, &sources, 1_700_000_000);
    for (before, after, fields) in [
        (sources.passwd, rendered.passwd, 7),
        (sources.group, rendered.group, 4),
        (sources.shadow, rendered.shadow, 9),
        (sources.gshadow, rendered.gshadow, 4),
    ] {
        added(before.unwrap_or_default(), &after.unwrap_or_default(), fields);
    }
}

/// Asserts that what was added are lines of the format: a name or description from outside must
/// not become a line or a field of its own.
fn added(before: &[u8], after: &[u8], fields: usize) {
    let before: std::collections::BTreeSet<&[u8]> = before.split(|byte| *byte == b'\n').collect();
    let known =
        |name: &[u8]| before.iter().any(|line| line.split(|b| *b == b':').next() == Some(name));
    for line in after.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let mut split = line.split(|byte| *byte == b':');
        // lines that were there may be anything, and may have gained a member
        if !before.contains(line) && !split.next().is_some_and(known) {
            assert_eq!(split.count() + 1, fields, "`{}`", line.escape_ascii());
        }
    }
}

fn file(path: &str, size: u64) -> FileEntry {
    FileEntry {
        path: path.as_bytes().to_vec(),
        mode: 0o100_644,
        size,
        mtime: 0,
        user: "root".to_owned(),
        group: "root".to_owned(),
        flags: 0,
        digest: Vec::new(),
        link_target: Vec::new(),
        rdev: 0,
        inode: 0,
        device: 1,
        lang: String::new(),
        color: 0,
        capabilities: None,
    }
}
