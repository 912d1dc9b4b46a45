//! State that is random or dated by its nature, and has no place in an image.

use std::{collections::BTreeMap, sync::Arc};
use strata_rootfs::{Content, Kind, Node, TreePath, scriptlets::ScriptletTask};

const DAY: u64 = 86_400;

type Changes = BTreeMap<TreePath, Option<Node>>;

/// Takes out of a run's changes what another run would have made otherwise.
pub(crate) fn normalise(task: &ScriptletTask<'_>, changes: &mut Changes) {
    changes.retain(|path, change| {
        change.is_none() || task.tree.get(path).is_some() || !is_transient(path.as_bytes())
    });
    for (path, change) in changes.iter_mut() {
        let Some(node) = change else { continue };
        let Kind::File { size, content, .. } = &mut node.kind else { continue };
        let Content::Inline(bytes) = content else { continue };
        let new: Arc<[u8]> = match path.as_bytes() {
            // the first start of a system fills it
            b"etc/machine-id" | b"var/lib/dbus/machine-id" => Arc::new([]),
            b"etc/shadow" => dated(bytes, before(task, path).as_deref(), task.mtime / DAY).into(),
            _ => continue,
        };
        *size = new.len() as u64;
        *content = Content::Inline(new);
    }
}

fn before(task: &ScriptletTask<'_>, path: &TreePath) -> Option<Arc<[u8]>> {
    match &task.tree.get(path)?.kind {
        Kind::File { content: Content::Inline(bytes), .. } => Some(Arc::clone(bytes)),
        Kind::File { content: Content::Package { package, file }, .. } => {
            task.contents.read(*package, *file)
        }
        _ => None,
    }
}

/// Passwords of accounts that the scriptlet made or changed were changed on the task's day.
fn dated(shadow: &[u8], before: Option<&[u8]>, day: u64) -> Vec<u8> {
    let old: Vec<&[u8]> = before.unwrap_or_default().split(|b| *b == b'\n').collect();
    let mut lines = Vec::new();
    for line in shadow.split(|b| *b == b'\n') {
        let mut fields: Vec<Vec<u8>> = line.split(|b| *b == b':').map(<[u8]>::to_vec).collect();
        let has_day = |field: &Vec<u8>| !field.is_empty() && field.iter().all(u8::is_ascii_digit);
        if !old.contains(&line)
            && let Some(field) = fields.get_mut(2).filter(|field| has_day(field))
        {
            *field = day.to_string().into_bytes();
        }
        lines.push(fields.join(&b':'));
    }
    lines.join(&b'\n')
}

/// New paths that are not kept.
fn is_transient(path: &[u8]) -> bool {
    let below =
        |directory: &[u8]| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with(b"/"));
    let named = |prefix: &[u8], ends: &[&[u8]]| {
        path.starts_with(prefix) && ends.iter().any(|end| path.ends_with(end))
    };
    match path {
        // backups and locks of the accounts
        b"etc/passwd-" | b"etc/group-" | b"etc/shadow-" | b"etc/gshadow-" | b"etc/subuid-"
        | b"etc/subgid-" | b"etc/.pwd.lock" => true,
        // keys and certificates for nobody
        b"etc/ssl/private/ssl-cert-snakeoil.key"
        | b"etc/ssl/certs/ssl-cert-snakeoil.pem"
        | b"etc/pki/tls/private/localhost.key"
        | b"etc/pki/tls/certs/localhost.crt" => true,
        // what begins with the first start of a system
        b"var/lib/systemd/random-seed" | b"var/cache/ldconfig/aux-cache" => true,
        // where they are made for a scriptlet alone
        b"var/tmp" | b"var/log/alternatives.log" => true,
        _ => {
            below(b"tmp")
                || below(b"var/tmp")
                || named(b"etc/ssh/ssh_host_", &[b"_key", b"_key.pub"])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_lines_of_shadow_have_the_day_of_the_task() {
        let old = b"root:*:18000:0:99999:7:::\n";
        let new = b"root:*:18000:0:99999:7:::\nx:!:20417::::::\ny:!!:::::::\n";
        let text = dated(new, Some(old), 10_000);
        assert_eq!(text, b"root:*:18000:0:99999:7:::\nx:!:10000::::::\ny:!!:::::::\n");
    }

    #[test]
    fn keys_of_a_host_and_leftovers_are_not_kept() {
        for path in
            ["etc/ssh/ssh_host_rsa_key", "etc/ssh/ssh_host_rsa_key.pub", "tmp/x", "var/tmp/a/b"]
        {
            assert!(is_transient(path.as_bytes()), "{path}");
        }
        for path in ["etc/ssh/ssh_config", "tmp", "tmpx/y", "etc/passwd", "run/x"] {
            assert!(!is_transient(path.as_bytes()), "{path}");
        }
    }
}
