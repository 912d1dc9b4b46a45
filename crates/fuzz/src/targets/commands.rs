//! Commands with a language or a format of their own, reached through a fixed script.

use super::parts;
use super::shell::{BASE, put, script};

/// Runs a fixed script on the small tree with files from the input in it.
fn with(files: &[(&str, &[u8])], body: &str) {
    let mut tree = BASE.clone();
    for (path, content) in files {
        put(&mut tree, path, content);
    }
    script(&tree, &[], body.as_bytes(), &["1"]);
}

/// A script of sed and a text.
pub fn sed(input: &[u8]) {
    let [code, text] = parts(input);
    let files = [("tmp/code", code), ("tmp/text", text)];
    with(&files, "sed -i -e \"$(cat /tmp/code)\" /tmp/text");
    with(&files, "sed -n -E -e \"$(cat /tmp/code)\" < /tmp/text > /tmp/out");
}

/// A regular expression or pattern and a text.
pub fn pattern(input: &[u8]) {
    let [pattern, text] = parts(input);
    let files = [("tmp/pattern", pattern), ("tmp/text", text)];
    with(&files, "grep -E -e \"$(cat /tmp/pattern)\" /tmp/text");
    with(&files, "grep -i -o -e \"$(cat /tmp/pattern)\" /tmp/text");
    with(&files, "p=$(cat /tmp/pattern) t=$(cat /tmp/text)\ncase $t in $p) ;; esac");
    with(&files, "p=$(cat /tmp/pattern) t=$(cat /tmp/text)\necho \"${t##$p}${t%$p}${t/$p/x}\" $p");
    with(&files, "find / -name \"$(cat /tmp/pattern)\"");
}

/// Lines of `tmpfiles.d`.
pub fn tmpfiles(input: &[u8]) {
    let files = [("usr/lib/tmpfiles.d/f.conf", input)];
    with(&files, "systemd-tmpfiles --create f.conf");
    with(&files, "systemd-tmpfiles --create --remove");
}

/// A unit and presets.
pub fn systemctl(input: &[u8]) {
    let [unit, preset, other] = parts(input);
    let files = [
        ("usr/lib/systemd/system/f.service", unit),
        ("usr/lib/systemd/system/f@.service", unit),
        ("usr/lib/systemd/system-preset/10.preset", preset),
        ("usr/lib/systemd/system/g.socket", other),
    ];
    with(&files, "systemctl preset f.service g.socket f@x.service");
    with(
        &files,
        "systemctl enable f g.socket f@a.b.service; systemctl is-enabled f; systemctl disable f",
    );
    with(&files, "systemctl preset-all; systemctl mask f g.socket; systemctl unmask f");
    with(&files, "systemctl --global enable f; systemctl reenable g.socket");
}

/// The state of a group of alternatives, and its master link.
pub fn alternatives(input: &[u8]) {
    let [state, words] = parts(input);
    let files = [("var/lib/alternatives/f", state), ("usr/bin/f-1", b""), ("tmp/words", words)];
    with(&files, "update-alternatives --install /usr/bin/f f /usr/bin/f-1 20");
    with(&files, "update-alternatives --remove f /usr/bin/f-1; alternatives --display f");
    with(&files, "update-alternatives --set f /usr/bin/f-1; update-alternatives --auto f");
    with(&files, "update-alternatives $(cat /tmp/words)");
}

/// The account databases, and the options of the commands that write them.
pub fn databases(input: &[u8]) {
    let [passwd, group, words, info, snippet] = parts(input);
    let files = [
        ("etc/passwd", passwd),
        ("etc/group", group),
        ("tmp/words", words),
        ("usr/share/info/f.info", info),
        ("usr/lib/sysusers.d/f.conf", snippet),
    ];
    with(
        &files,
        "groupadd -r new; useradd -r -g new -d /var/new -s /bin/sh new; usermod -aG wheel new",
    );
    with(&files, "getent passwd root new; getent group; id new; chown new:new /etc/a.conf");
    with(&files, "useradd $(cat /tmp/words)");
    with(&files, "groupadd $(cat /tmp/words); usermod $(cat /tmp/words); getent $(cat /tmp/words)");
    with(&files, "systemd-sysusers; systemd-sysusers f.conf");
    with(&files, "install-info /usr/share/info/f.info /usr/share/info/dir");
}
