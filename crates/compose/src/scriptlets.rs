//! Scriptlets: which of them rpm would have run, and strata does not.

use strata_rpm::{Package, ScriptletKind};

/// A scriptlet that was not run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SkippedScriptlet {
    /// The package, name only.
    pub package: String,
    /// When rpm would have run it.
    pub when: &'static str,
    /// Its interpreter with arguments.
    pub program: String,
}

/// What rpm would have run at installation. `ldconfig` alone is done natively.
pub(crate) fn skipped(packages: &[&Package]) -> Vec<SkippedScriptlet> {
    let mut skipped = Vec::new();
    for package in packages {
        for scriptlet in &package.scriptlets {
            let when = match scriptlet.kind {
                ScriptletKind::PreTrans => "pretrans",
                ScriptletKind::Pre => "pre",
                ScriptletKind::Post => "post",
                ScriptletKind::PostTrans => "posttrans",
                ScriptletKind::Trigger => "trigger",
                ScriptletKind::FileTrigger => "filetrigger",
                ScriptletKind::TransFileTrigger => "transfiletrigger",
                // these run when something is removed or verified
                _ => continue,
            };
            if is_ldconfig(&scriptlet.program, &scriptlet.body) {
                continue;
            }
            skipped.push(SkippedScriptlet {
                package: package.nevra.name.clone(),
                when,
                program: scriptlet.program.join(" "),
            });
        }
    }
    skipped
}

/// Whether a scriptlet does nothing but run `ldconfig`: a shell's text has only lines of the forms
/// that specs are known to have. Everything else is told to the user.
fn is_ldconfig(program: &[String], body: &str) -> bool {
    let ldconfig =
        |text: &str| matches!(text, "/sbin/ldconfig" | "/usr/sbin/ldconfig" | "ldconfig");
    let quiet = |word: &str| {
        matches!(word, "-X" | "||" | ":" | "true" | "2>&1")
            || matches!(word, ">/dev/null" | "2>/dev/null" | "&>/dev/null" | "1>/dev/null")
    };
    match program {
        [only] if ldconfig(only) => body.trim().is_empty(),
        [shell] if shell.ends_with("/sh") || shell.ends_with("/bash") => body
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .all(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                match words.as_slice() {
                    [":" | "true" | "exit"] | ["exit", "0"] | ["set", "-e" | "-x" | "-ex"] => true,
                    [first, more @ ..] => ldconfig(first) && more.iter().all(|word| quiet(word)),
                    [] => true,
                }
            }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_ldconfig;

    #[test]
    fn only_what_is_nothing_but_ldconfig_counts_as_done() {
        let shell = ["/bin/sh".to_owned()];
        for body in [
            "/sbin/ldconfig",
            "# a remark\nset -e\n/usr/sbin/ldconfig -X >/dev/null 2>&1 || :\nexit 0\n",
            "/sbin/ldconfig 2>/dev/null || true",
            "",
        ] {
            assert!(is_ldconfig(&shell, body), "{body}");
        }
        for body in [
            "ldconfig; rm /etc/passwd",
            "set -e; useradd x",
            ": > /etc/created",
            "true && useradd x",
            "ldconfig >/dev/null;useradd",
            "ldconfig -r /elsewhere",
            "exit 1",
            "useradd x",
        ] {
            assert!(!is_ldconfig(&shell, body), "{body}");
        }
        assert!(is_ldconfig(&["/sbin/ldconfig".to_owned()], ""));
        assert!(!is_ldconfig(&["/usr/bin/python3".to_owned()], ""));
    }
}
