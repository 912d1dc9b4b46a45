//! Writes the cpio archive, `newc`.

/// One member's head.
pub(super) struct Member<'a> {
    pub path: &'a [u8],
    pub inode: u32,
    pub mode: u16,
    pub links: u32,
    pub time: u32,
}

/// Appends a member. `content` is empty for all but the last of a hard-link set, as rpm does it.
pub(super) fn append(out: &mut Vec<u8>, member: &Member<'_>, content: &[u8]) {
    head(
        out,
        &[b"./", member.path.strip_prefix(b"/").unwrap_or(member.path)].concat(),
        [member.inode, member.mode.into(), 0, 0, member.links, member.time, content.len() as u32],
    );
    out.extend(content);
    pad(out);
}

/// Appends the end.
pub(super) fn finish(out: &mut Vec<u8>) {
    head(out, b"TRAILER!!!", [0, 0, 0, 0, 1, 0, 0]);
}

fn head(out: &mut Vec<u8>, name: &[u8], numbers: [u32; 7]) {
    out.extend(b"070701");
    let name_size = name.len() as u32 + 1;
    // device numbers are 0, so is the checksum
    for number in numbers.into_iter().chain([0, 0, 0, 0, name_size, 0]) {
        out.extend(format!("{number:08x}").bytes());
    }
    out.extend(name);
    out.push(0);
    pad(out);
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}
