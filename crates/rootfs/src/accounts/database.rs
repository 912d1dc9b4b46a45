//! `/etc/passwd` and `/etc/group`: `passwd(5)`, `group(5)`.

/// One account of `/etc/passwd`, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswdEntry {
    /// Login name.
    pub name: String,
    /// Number.
    pub uid: u32,
    /// Number of the primary group.
    pub gid: u32,
}

/// One group of `/etc/group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupEntry {
    /// Name.
    pub name: String,
    /// Number.
    pub gid: u32,
    /// Users that are in it besides those whose primary group it is.
    pub members: Vec<String>,
}

/// The accounts of a `passwd` file. Lines that are none (comments, NIS, garbage) are passed over.
pub(super) fn passwd(text: &[u8]) -> Vec<PasswdEntry> {
    let entry = |fields: Vec<&str>| {
        let [name, _, uid, gid, ..] = fields[..] else { return None };
        let (uid, gid) = (number(uid)?, number(gid)?);
        Some(PasswdEntry { name: account(name)?, uid, gid })
    };
    lines(text).filter_map(entry).collect()
}

/// The groups of a `group` file.
pub(super) fn group(text: &[u8]) -> Vec<GroupEntry> {
    let entry = |fields: Vec<&str>| {
        let [name, _, gid, ..] = fields[..] else { return None };
        let members = fields.get(3).copied().unwrap_or_default();
        let members = members.split(',').filter(|one| !one.is_empty()).map(str::to_owned);
        Some(GroupEntry { name: account(name)?, gid: number(gid)?, members: members.collect() })
    };
    lines(text).filter_map(entry).collect()
}

fn lines(text: &[u8]) -> impl Iterator<Item = Vec<&str>> {
    text.split(|b| *b == b'\n')
        .filter_map(|line| str::from_utf8(line).ok())
        .map(|line| line.splitn(8, ':').collect())
}

fn account(name: &str) -> Option<String> {
    let fine = !name.is_empty() && !name.starts_with(['+', '-', '#', ' ']);
    fine.then(|| name.to_owned())
}

/// Only digits: `u32::from_str` takes a sign too.
pub(super) fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_there_and_passes_over_the_rest() {
        let text = b"root:x:0:0:root:/root:/bin/bash\n# c\n+::::::\nbad:x:-1:0::/:\n\nshort:x\n\
            big:x:99999999999:0::/:\nftp:x:14:50:FTP User:/var/ftp:/sbin/nologin\n\xff:x:1:1::/:\n";
        let names: Vec<_> = passwd(text).into_iter().map(|e| (e.name, e.uid, e.gid)).collect();
        assert_eq!(names, [("root".to_owned(), 0, 0), ("ftp".to_owned(), 14, 50)]);
        let groups = group(b"root:x:0:\nmail:x:12:postfix,exim,\nwheel:x:10\n");
        assert_eq!(groups[1].members, ["postfix", "exim"]);
        assert_eq!(groups[2].gid, 10);
    }
}
