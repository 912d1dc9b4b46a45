//! Caches that commands of scriptlets build, against the programs themselves: on what the machine
//! has installed, on parts of it, and on input that is damaged.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr, reason = "tests")]
#![allow(clippy::disallowed_types, reason = "tests")]

use std::path::{Path, PathBuf};
use strata_testkit::{missing, tool};

#[path = "support/caches.rs"]
mod caches;
use caches::*;

/// The directories of a kind on this machine, and below the root that `STRATA_CACHES_ROOT` names.
fn places(inside: &str) -> Vec<PathBuf> {
    let more = std::env::var_os("STRATA_CACHES_ROOT").map(PathBuf::from);
    let roots = [Some(PathBuf::from("/")), more];
    let all = roots.into_iter().flatten().map(|root| root.join(inside));
    all.filter(|place| place.is_dir()).collect()
}

/// The entries of a directory, at another place.
fn at(place: &Path, inside: &str) -> Entries {
    let found = entries(place).into_iter();
    let mut all: Entries = found.map(|(name, left)| (format!("{inside}/{name}"), left)).collect();
    let mut above = inside;
    loop {
        all.insert(above.to_owned(), Left::Directory);
        match above.rsplit_once('/') {
            Some((parent, _)) => above = parent,
            None => return all,
        }
    }
}

/// Runs both, and says how they differ.
fn same(input: &Entries, words: &[&str]) -> Result<(), String> {
    let (left, status, said) = theirs(input, words);
    let mut expected = left;
    expected.entry("usr".to_owned()).or_insert(Left::Directory);
    let (mut found, our_status, we_said) =
        ours(&tree(input, &[words[0]]), words).map_err(|error| error.to_string())?;
    found.entry("usr".to_owned()).or_insert(Left::Directory);
    if status != our_status {
        return Err(format!("status {our_status}, not {status}\n{we_said}\n---\n{said}"));
    }
    for (name, left) in &expected {
        match found.get(name) {
            Some(own) if own == left => {}
            Some(Left::File(mode, bytes)) => {
                let Left::File(their_mode, theirs) = left else { return Err(name.clone()) };
                let first = bytes.iter().zip(theirs).position(|(a, b)| a != b);
                if let Ok(place) = std::env::var("STRATA_CACHES_KEEP") {
                    let _ = std::fs::write(format!("{place}/ours"), bytes);
                    let _ = std::fs::write(format!("{place}/theirs"), theirs);
                }
                return Err(format!(
                    "{name}: mode {mode:o} {their_mode:o}, {} and {} bytes, first at {first:?}\n\
                     {we_said}\n---\n{said}",
                    bytes.len(),
                    theirs.len()
                ));
            }
            other => return Err(format!("{name}: {other:?} instead of {left:?}\n{we_said}")),
        }
    }
    match found.keys().find(|name| !expected.contains_key(*name)) {
        Some(name) => Err(format!("{name} is not there\n{we_said}\n---\n{said}")),
        None => Ok(()),
    }
}

/// A part of the files below a directory, some of them damaged.
fn part(all: &Entries, dice: &mut Dice, keep: u64, damage: bool) -> Entries {
    let mut some = Entries::new();
    for (name, left) in all {
        let mut left = left.clone();
        if let Left::File(_, bytes) = &mut left {
            if dice.roll(100) >= keep {
                continue;
            }
            if damage && dice.roll(4) == 0 && !bytes.is_empty() {
                let spot = dice.roll(bytes.len() as u64) as usize;
                match dice.roll(4) {
                    0 => bytes.truncate(spot),
                    1 => bytes[spot] = b"<>&\"'x0=[];"[dice.roll(11) as usize],
                    2 => drop(bytes.remove(spot)),
                    _ => bytes.insert(spot, b"\n \\/:-9"[dice.roll(7) as usize]),
                }
            }
        }
        some.insert(name.clone(), left);
    }
    some
}

const SCHEMAS: &str = "usr/share/glib-2.0/schemas";

#[test]
fn schemas_as_installed_and_in_parts() {
    if tool("glib-compile-schemas").is_none() {
        return;
    }
    let words = ["glib-compile-schemas", "/usr/share/glib-2.0/schemas"];
    let mut dice = Dice(7);
    let mut runs = 0;
    for place in places(SCHEMAS) {
        let mut all = at(&place, SCHEMAS);
        all.remove(&format!("{SCHEMAS}/gschemas.compiled"));
        same(&all, &words).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
        for (keep, damage) in
            [5, 20, 50, 80].into_iter().flat_map(|keep| [(keep, false), (keep, true)])
        {
            for _ in 0..5 {
                let some = part(&all, &mut dice, keep, damage);
                same(&some, &words).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
                runs += 1;
            }
        }
    }
    eprintln!("{runs} sets of schemas");
}

const APPLICATIONS: &str = "usr/share/applications";

#[test]
fn desktop_files_as_installed_and_in_parts() {
    if tool("update-desktop-database").is_none() {
        return;
    }
    let words = ["update-desktop-database", "-q", "/usr/share/applications"];
    let mut dice = Dice(11);
    let mut runs = 0;
    for place in places(APPLICATIONS) {
        let mut all = at(&place, APPLICATIONS);
        let odd = [
            "Hidden=1",
            "Hidden=TRUE",
            "Name[a b]=x",
            "MimeType=text/a;;foo/b;text/c d;x-e/f",
            "MimeType=text/a\\",
            " Foo bar=1",
            "[Other]",
            " # no",
            "=x",
            "MimeType=a\\;b;misc/ultravox",
            "[Desktop Entry]",
            "MimeType[de]=text/x",
            "ä=ö",
            "Key[xx]y=1",
            "MimeType=te/x t/é; text/y ",
        ];
        for number in 0..40 {
            let mut text = "[Desktop Entry]\nMimeType=text/plain;image/png\n".to_owned();
            for _ in 0..dice.roll(3) {
                text += &format!("{}\n", odd[dice.roll(odd.len() as u64) as usize]);
            }
            let name = format!("{APPLICATIONS}/sub{}/odd{number}.desktop", number % 3);
            all.insert(name, Left::File(0o644, text.into_bytes()));
        }
        same(&all, &words).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
        for round in 0..40 {
            let some = part(&all, &mut dice, 20 + round, round % 2 == 1);
            same(&some, &words).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
            runs += 1;
        }
    }
    eprintln!("{runs} sets of desktop files");
}

const ICONS: &str = "usr/share/icons";

/// A theme, with its pictures made small.
fn theme(place: &Path) -> Entries {
    let mut all = at(place, &format!("{ICONS}/theme"));
    for left in all.values_mut() {
        if let Left::File(_, bytes) = left {
            bytes.clear();
        }
    }
    all.retain(|name, left| {
        // what lies outside of it is not there, and absolute links lead elsewhere in a test
        !name.ends_with("icon-theme.cache") && !matches!(left, Left::Link(to) if to[0] == b'/')
    });
    all
}

#[test]
fn icons_as_installed_and_in_parts() {
    let mut dice = Dice(13);
    let mut runs = 0;
    for program in ["gtk-update-icon-cache", "gtk4-update-icon-cache"] {
        if tool(program).is_none() {
            continue;
        }
        let themes = places(ICONS)
            .into_iter()
            .flat_map(|place| std::fs::read_dir(place).unwrap().map(|theme| theme.unwrap().path()));
        for place in themes.filter(|place| place.is_dir()) {
            let mut all = theme(&place);
            let inside = |name: &str| format!("{ICONS}/theme/{name}");
            let plain = |text: &str| Left::File(0o644, text.as_bytes().to_vec());
            let check = |entries: &Entries, options: &[&str]| {
                let words = [&[program], options, &["/usr/share/icons/theme"]].concat();
                let told = |error| panic!("{} {words:?}: {error}", place.display());
                same(entries, &words).unwrap_or_else(told);
            };
            check(&all, &["-q"]);
            check(&all, &["-f", "-t", "-q"]);
            all.insert(inside("top.png"), plain(""));
            all.insert(inside("x/a.symbolic.png"), plain(""));
            all.insert(inside("x/a.svg"), plain(""));
            all.insert(inside("x/a.xpm"), plain(""));
            all.insert(inside("x/b.txt"), plain(""));
            all.insert(inside("x/.png"), plain(""));
            all.insert(inside("x/dir.png/c.svg"), plain(""));
            all.insert(inside("y/only.icon"), plain("[Icon Data]\n"));
            all.insert(inside("z"), Left::Link(b"x".to_vec()));
            all.insert(inside("x/gone.png"), Left::Link(b"nowhere".to_vec()));
            all.insert(inside("icon-theme.cache"), plain("old"));
            for keep in [0, 3, 40] {
                let some = part(&all, &mut dice, keep, false);
                check(&some, &["-f", "-t", "-q"]);
                check(&some, &["--force"]);
                runs += 2;
            }
            all.insert(inside("x/with space.png"), plain(""));
            check(&all, &["-ft"]);
        }
    }
    eprintln!("{runs} sets of icons");
}

const MIME: &str = "usr/share/mime/packages";

#[test]
fn mime_types_as_installed_and_in_parts() {
    if tool("update-mime-database").is_none() {
        return;
    }
    let words = ["update-mime-database", "-n", "/usr/share/mime"];
    let mut dice = Dice(17);
    let (mut runs, mut refused) = (0, 0);
    let pc = "usr/share/pkgconfig/shared-mime-info.pc";
    let version = std::fs::read(format!("/{pc}")).unwrap();
    for place in places(MIME) {
        let mut all = at(&place, MIME);
        let check = |all: &Entries| {
            let mut all = all.clone();
            for above in ["usr/share", "usr/share/pkgconfig"] {
                all.insert(above.to_owned(), Left::Directory);
            }
            all.insert(pc.to_owned(), Left::File(0o644, version.clone()));
            same(&all, &words)
        };
        check(&all).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
        all.insert("usr/share/mime/text".to_owned(), Left::Directory);
        for old in [
            "usr/share/mime/text/old.xml",
            "usr/share/mime/text/plain.xml",
            "usr/share/mime/text/x",
        ] {
            all.insert(old.to_owned(), Left::File(0o644, b"old".to_vec()));
        }
        let large = format!("{MIME}/freedesktop.org.xml");
        let kinds = all.remove(&large);
        for round in 0..40 {
            let mut some = part(&all, &mut dice, 60, false);
            if let Some(Left::File(_, bytes)) = &kinds {
                for number in 0..4 {
                    let name = if number == 3 { "Override".into() } else { format!("f{number}") };
                    let bytes = some_kinds(bytes, &mut dice);
                    some.insert(format!("{MIME}/{name}.xml"), Left::File(0o644, bytes));
                }
            }
            let some = part(&some, &mut dice, 100, round % 2 == 1);
            check(&some).unwrap_or_else(|error| {
                // damage can make names of another vocabulary, which are refused
                if round % 2 == 1 && error.contains("in a MIME type` is not interpreted") {
                    refused += 1;
                    return;
                }
                if let Ok(keep) = std::env::var("STRATA_CACHES_KEEP") {
                    write(&Path::new(&keep).join("input"), &some);
                }
                panic!("{} {round}: {error}", place.display())
            });
            runs += 1;
        }
    }
    eprintln!("{runs} sets of MIME types, {refused} of them refused");
    assert!(refused * 10 <= runs);
}

/// A source file with some of the types of one, each perhaps with fields that are wrong.
fn some_kinds(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let odd = [
        "<glob pattern=\"*.ODD\" weight=\"101\"/>",
        "<glob pattern=\"README*\" case-sensitive=\"true\" weight=\"70\"/>",
        "<glob-deleteall/>",
        "<magic-deleteall/>",
        "<magic priority=\"x\"><match type=\"string\" value=\"a\" offset=\"0\"/></magic>",
        "<magic><match type=\"host32\" value=\"-1\" mask=\"0x0f0f\" offset=\"-4\"/></magic>",
        "<magic><match type=\"byte\" value=\"256\" offset=\"0\"/></magic>",
        "<magic><match type=\"little16\" value=\"0x1234\" offset=\"5:3\"/></magic>",
        "<magic><match type=\"string\" value=\"\\x41\\0012\\q\\\" mask=\"0xff0\" offset=\"0:9\">\
         <match type=\"big16\" value=\"010\" offset=\"3\"/></match></magic>",
        "<magic/>",
        "<unknown/>",
        "<icon/><icon name=\"i\"/><generic-icon name=\"g\"/>",
        "<comment>a &amp; &lt;b&gt; \"c\"</comment><comment xml:lang=\"de\">\u{e4}<!-- x --></comment>",
        "<alias type=\"x\"/>",
        "<alias type=\"x-Odd/Alias\"/><sub-class-of type=\"text/plain\"/>",
        "<root-XML namespaceURI=\"\" localName=\"l\"/>",
        "<root-XML namespaceURI=\"a b\" localName=\"l\"/>",
        "<treemagic><treematch path=\"a/b\" type=\"file\" executable=\"true\" mimetype=\"x/y\">\
         <treematch path=\"c\" match-case=\"true\"/></treematch></treemagic>",
        "<treemagic priority=\"10\"><treematch type=\"file\"/></treemagic>",
        "<acronym>\n</acronym><expanded-acronym/>",
    ];
    let start = text.find("<mime-type ").unwrap_or(text.len());
    let mut out = "<?xml version=\"1.0\"?>\n<mime-info \
                   xmlns='http://www.freedesktop.org/standards/shared-mime-info'>\n"
        .to_owned();
    for kind in text[start..].split_inclusive("</mime-type>") {
        if !kind.ends_with("</mime-type>") || dice.roll(10) > 0 {
            continue;
        }
        let kind = kind.strip_suffix("</mime-type>").unwrap();
        out += kind;
        if dice.roll(3) == 0 {
            out += odd[dice.roll(odd.len() as u64) as usize];
        }
        out += "</mime-type>";
    }
    out += "<mime-type type=\"X-Own/Type\"><glob pattern=\"own.[ab]\"/></mime-type>";
    (out + "</mime-info>\n").into_bytes()
}

#[test]
fn hardware_as_installed_and_in_parts() {
    let Some(_) = tool("systemd-hwdb") else { return };
    let inside = "etc/udev/hwdb.d";
    let version = std::process::Command::new("systemd-hwdb").arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let version = version.split_whitespace().nth(1).unwrap().to_owned();
    let mut dice = Dice(19);
    let mut runs = 0;
    let all_places = [places("usr/lib/udev/hwdb.d"), places("lib/udev/hwdb.d")].concat();
    for place in all_places.into_iter().take(1) {
        let all = at(&place, inside);
        for round in 0..12 {
            let mut some = match round {
                0 => all.clone(),
                _ => part(&all, &mut dice, 30, round % 2 == 1),
            };
            // what the program says of itself
            for above in ["usr", "usr/lib", "usr/lib/systemd"] {
                some.insert(above.to_owned(), Left::Directory);
            }
            let library = format!("usr/lib/systemd/libsystemd-shared-{version}.so");
            some.insert(library, Left::File(0o644, Vec::new()));
            some.insert(
                format!("{inside}/99-odd.hwdb"),
                Left::File(
                    0o644,
                    b"a:*\nb\n  K=1\n \t L = 2 # c\n =3\nX\n\n  Y=1\nq\n\n#\nab\n M\n K=2\n"
                        .to_vec(),
                ),
            );
            let lab = tempfile::tempdir().unwrap();
            write(lab.path(), &some);
            // the program would put another root before the names of files
            let script = "mount --bind $0/etc/udev /etc/udev && \
                          mount -t tmpfs none $(readlink -f /lib/udev/hwdb.d) && \
                          systemd-hwdb update";
            let mut unshare = std::process::Command::new("unshare");
            let ran = unshare.args(["-m", "sh", "-c", script]).arg(lab.path()).output().unwrap();
            if !ran.status.success() {
                let said = String::from_utf8_lossy(&ran.stderr);
                let _: Option<()> = missing(&format!("a mount namespace is refused: {said}"));
                return;
            }
            let theirs = entries(lab.path());
            let (ours, status, said) =
                ours(&tree(&some, &["systemd-hwdb"]), &["systemd-hwdb", "update"]).unwrap();
            assert_eq!(status, 0, "{said}");
            let name = "etc/udev/hwdb.bin";
            let (Left::File(mode, own), Left::File(their_mode, other)) =
                (&ours[name], &theirs[name])
            else {
                panic!("no file")
            };
            let first = own.iter().zip(other).position(|(a, b)| a != b);
            assert_eq!((mode, own.len(), first), (their_mode, other.len(), None), "{round}");
            runs += 1;
        }
    }
    eprintln!("{runs} sets of hardware");
}

/// Objects in p11-kit's form, as Fedora makes them, of certificates of this machine.
fn bundle(dice: &mut Dice) -> Vec<u8> {
    let uses = |ids: &[u8]| {
        let ids: String =
            ids.iter().map(|n| format!("%06%08%2b%06%01%05%05%07%03%{n:02x}")).collect();
        let length = ids.matches("%06%08").count() * 10;
        let (inner, outer) = (length + 2, length + 12);
        let whole = format!("%06%03U%1d%25%01%01%ff%04%{inner:02x}0%{length:02x}{ids}");
        ("2.5.29.37", format!("0%{:02x}{whole}", outer))
    };
    let reject = (
        "1.3.6.1.4.1.3319.6.10.1",
        "0%1a%06%0a%2b%06%01%04%01%99w%06%0a%01%04%0c0%0a%06%08%2b%06%01%05%05%07%03%04".to_owned(),
    );
    let mut out = "# A bundle\n#\n".to_owned();
    let mut names: Vec<PathBuf> = std::fs::read_dir("/usr/share/ca-certificates/mozilla")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    for path in names {
        let pem = std::fs::read_to_string(&path).unwrap();
        let mut openssl = std::process::Command::new("openssl");
        let ran = openssl.args(["x509", "-noout", "-pubkey", "-in"]).arg(&path).output().unwrap();
        let key = String::from_utf8(ran.stdout).unwrap();
        let label = path.file_stem().unwrap().to_str().unwrap();
        let label = if dice.roll(9) == 0 { "Same%20Name" } else { label };
        let mut extension = |(id, value): (&str, String)| {
            out += &format!(
                "[p11-kit-object-v1]\nlabel: \"{label}\"\nclass: x-certificate-extension\n\
                 object-id: {id}\nvalue: \"{value}\"\nmodifiable: false\n{key}\n"
            );
        };
        let trust = match dice.roll(8) {
            0 => {
                extension(reject.clone());
                "x-distrusted: true"
            }
            1 => "trusted: false",
            2 => "trusted: true",
            3 => {
                extension(uses(&[4]));
                "trusted: true"
            }
            4 => {
                extension(uses(&[4, 1]));
                extension(reject.clone());
                "trusted: true"
            }
            _ => {
                extension(uses(&[1]));
                "trusted: true"
            }
        };
        let times = if dice.roll(10) == 0 { 2 } else { 1 };
        for _ in 0..times {
            out += &format!(
                "\n[p11-kit-object-v1]\nlabel: \"{label}\"\n{trust}\nnss-mozilla-ca-policy: true\n\
                 modifiable: false\n{}\n#Certificate:\n#    Data:\n\n",
                pem.trim()
            );
        }
    }
    out.into_bytes()
}

#[test]
fn trusted_certificates_in_all_forms() {
    if [tool("trust"), tool("openssl")].iter().any(Option::is_none) {
        return;
    }
    let module = "/usr/share/p11-kit/modules/p11-kit-trust.module";
    if !Path::new(module).exists() || !Path::new("/usr/share/ca-certificates/mozilla").is_dir() {
        let _: Option<()> = missing("p11-kit's trust module or `ca-certificates` is not installed");
        return;
    }
    let mut dice = Dice(23);
    let mut runs = 0;
    for _ in 0..4 {
        let mut all = Entries::new();
        for above in [
            "etc",
            "etc/pki",
            "etc/pki/ca-trust",
            "etc/pki/ca-trust/source",
            "usr",
            "usr/share",
            "usr/share/pki",
            "usr/share/pki/ca-trust-source",
            "out",
        ] {
            all.insert(above.to_owned(), Left::Directory);
        }
        let plain = |text: &[u8]| Left::File(0o644, text.to_vec());
        let sources = "usr/share/pki/ca-trust-source";
        all.insert(format!("{sources}/ca-bundle.trust.p11-kit"), plain(&bundle(&mut dice)));
        all.insert("etc/pki/ca-trust/source/README".to_owned(), plain(b"text\n"));
        all.insert("etc/pki/ca-trust/source/ca-bundle.legacy.crt".to_owned(), plain(b""));
        let lab = tempfile::tempdir().unwrap();
        write(lab.path(), &all);
        let root = lab.path().display();
        let text = std::fs::read_to_string(module).unwrap().replace(
            "x-init-reserved:",
            &format!("x-init-reserved: paths='{root}/etc/pki/ca-trust/source:{root}/{sources}'"),
        );
        std::fs::write(lab.path().join("module"), text).unwrap();
        for (format, filter, purpose, comment) in [
            ("openssl-bundle", "certificates", None, true),
            ("pem-bundle", "ca-anchors", Some("server-auth"), true),
            ("pem-bundle", "ca-anchors", Some("email"), true),
            ("pem-bundle", "ca-anchors", Some("code-signing"), false),
            ("java-cacerts", "ca-anchors", Some("server-auth"), false),
            ("edk2-cacerts", "ca-anchors", Some("server-auth"), false),
            ("pem-bundle", "certificates", None, false),
        ] {
            let mut options = vec![format!("--format={format}"), format!("--filter={filter}")];
            options.push("--overwrite".to_owned());
            options.extend(comment.then(|| "--comment".to_owned()));
            options.extend(purpose.map(|purpose| format!("--purpose={purpose}")));
            let script = "mount --bind \"$0/module\" \"$1\" && out=$0/out/file && shift && \
                          exec trust extract \"$@\" \"$out\"";
            let mut unshare = std::process::Command::new("unshare");
            unshare.args(["-m", "sh", "-c", script]).arg(lab.path()).arg(module).args(&options);
            let ran = unshare.output().unwrap();
            let said = String::from_utf8_lossy(&ran.stderr);
            if said.contains("unshare") || said.contains("mount:") {
                let _: Option<()> = missing(&format!("a mount namespace is refused: {said}"));
                return;
            }
            assert!(ran.status.success(), "{said}");
            let file = lab.path().join("out/file");
            let mut theirs = std::fs::read(&file).unwrap();
            let mut words = vec!["trust", "extract"];
            words.extend(options.iter().map(String::as_str));
            words.push("/out/file");
            let (ours, status, said) = ours(&tree(&all, &["trust"]), &words).unwrap();
            assert_eq!(status, 0, "{said}");
            let Left::File(mode, mut own) = ours["out/file"].clone() else { panic!("no file") };
            assert_eq!(mode, 0o444);
            if format == "java-cacerts" {
                // the program dates with the hour, and signs that
                (own, theirs) = (undated(&own), undated(&theirs));
            }
            let first = own.iter().zip(&theirs).position(|(a, b)| a != b);
            if first.is_some()
                && let Ok(keep) = std::env::var("STRATA_CACHES_KEEP")
            {
                std::fs::write(format!("{keep}/ours"), &own).unwrap();
                std::fs::write(format!("{keep}/theirs"), &theirs).unwrap();
            }
            assert_eq!((own.len(), first), (theirs.len(), None), "{words:?}");
            assert!(own.len() > 1000, "{words:?}");
            runs += 1;
        }
    }
    eprintln!("{runs} bundles of certificates");
}

/// A key store without its times and its signature.
fn undated(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes[..bytes.len() - 20].to_vec();
    let mut at = 12;
    while at < out.len() {
        let name = usize::from(u16::from_be_bytes([out[at + 4], out[at + 5]]));
        let time = at + 6 + name;
        out[time..time + 8].fill(0);
        let size = u32::from_be_bytes(out[time + 15..time + 19].try_into().unwrap());
        at = time + 19 + size as usize;
    }
    out
}

/// Input that would nest, grow or repeat without end is refused, or comes to an end.
#[test]
fn hostile_input_comes_to_an_end() {
    let deep = |open: &str, count: usize| open.repeat(count).into_bytes();
    let schema = |inner: &str| format!("<schemalist><schema id='a'>{inner}</schema></schemalist>");
    let key = |kind: &str, default: &str| {
        schema(&format!("<key name='k' type='{kind}'><default>{default}</default></key>"))
            .into_bytes()
    };
    let attributes: String = (0..100_000).map(|n| format!(" xmlns:a{n}='x'")).collect();
    let chain: String = (1..5000)
        .map(|n| format!("<schema id='{n}' extends='{}'><key name='k{n}' type='b'><default>true</default></key></schema>", n - 1))
        .collect();
    let mime = "<mime-info xmlns='http://www.freedesktop.org/standards/shared-mime-info'><mime-type type='a/b'>";
    let files: Vec<(&str, String, Vec<u8>)> = vec![
        ("glib-compile-schemas", "x.gschema.xml".into(), deep("<a>", 100_000)),
        ("glib-compile-schemas", "x.gschema.xml".into(), format!("<schemalist{attributes}/>").into_bytes()),
        ("glib-compile-schemas", "x.gschema.xml".into(), key(&"a".repeat(100_000), "[]")),
        ("glib-compile-schemas", "x.gschema.xml".into(), key("av", &"[&lt;".repeat(100_000))),
        ("glib-compile-schemas", "x.gschema.xml".into(), key("v", &format!("&lt;{}1&gt;", "(1,".repeat(50_000)))),
        ("glib-compile-schemas", "x.gschema.xml".into(), key("i", "99999999999999999999999999")),
        ("glib-compile-schemas", "x.gschema.xml".into(), key("x", "-9223372036854775808")),
        (
            "glib-compile-schemas",
            "x.gschema.xml".into(),
            format!("<schemalist><schema id='0'/>{chain}</schemalist>").into_bytes(),
        ),
        ("update-mime-database", "packages/x.xml".into(), deep("<!DOCTYPE a [<!ENTITY b 'c'>]>", 10_000)),
        ("update-mime-database", "packages/x.xml".into(), format!("{mime}{}", "<comment xml:lang='a'/>".repeat(100_000)).into_bytes()),
        (
            "update-mime-database",
            "packages/x.xml".into(),
            format!("{mime}<magic>{}", "<match type='string' value='a' offset='9223372036854775807'>".repeat(50_000)).into_bytes(),
        ),
        (
            "update-mime-database",
            "packages/x.xml".into(),
            format!("{mime}<magic><match type='host32' value='0' offset='-9223372036854775808:9'/><match type='string' value='a' offset='9223372036854775807'/></magic><glob pattern='*'/></mime-type></mime-info>").into_bytes(),
        ),
        ("update-desktop-database", "x.desktop".into(), deep("[", 100_000)),
        ("systemd-hwdb", "x.hwdb".into(), format!("{}{}", deep_lines(20_000), " A=1\n".repeat(20_000)).into_bytes()),
        ("systemd-hwdb", "x.hwdb".into(), nested_names(3000)),
        ("trust", "x.p11-kit".into(), [&b"[p11-kit-object-v1]\nlabel: \"%\"\n"[..], &deep("-----BEGIN CERTIFICATE-----\n", 1000)].concat()),
    ];
    for (program, name, bytes) in files {
        let place = match program {
            "systemd-hwdb" => "etc/udev/hwdb.d".to_owned(),
            "trust" => "usr/share/pki/ca-trust-source".to_owned(),
            _ => "in".to_owned(),
        };
        let mut all = Entries::new();
        all.insert(format!("{place}/{name}"), Left::File(0o644, bytes));
        let pc = "usr/share/pkgconfig/shared-mime-info.pc".to_owned();
        all.insert(pc, Left::File(0o644, b"Version: 1\n".to_vec()));
        let missing: Vec<String> = all
            .keys()
            .flat_map(|path| {
                path.match_indices('/').map(|(at, _)| path[..at].to_owned()).collect::<Vec<_>>()
            })
            .collect();
        all.extend(missing.into_iter().map(|path| (path, Left::Directory)));
        let words = match program {
            "systemd-hwdb" => vec![program, "update"],
            "trust" => vec![program, "extract", "--format=pem-bundle", "--filter=ca-anchors", "/x"],
            _ => vec![program, "/in"],
        };
        let started = std::time::Instant::now();
        let _ = ours(&tree(&all, &[program]), &words);
        assert!(started.elapsed().as_secs() < 60, "{program} {name}");
    }
}

/// Patterns, each on a line.
fn deep_lines(count: usize) -> String {
    (0..count).map(|n| format!("p{n}\n")).collect()
}

/// Names each of which begins with the one before.
fn nested_names(count: usize) -> Vec<u8> {
    (1..count).map(|n| format!("{}\n A=1\n\n", "a".repeat(n))).collect::<String>().into_bytes()
}
