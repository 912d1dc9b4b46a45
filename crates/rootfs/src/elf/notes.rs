//! Notes: the ABI tag and the x86 program properties.

use super::reader::{Reader, Segment};

const NOTE_HEADER: u64 = 12;

/// `NT_GNU_ABI_TAG` of the first note segment that has one, packed as glibc's old caches do.
pub(super) fn os_version(reader: &Reader<'_>, segments: &[Segment]) -> u32 {
    let wanted = |s: &&Segment| s.kind == Segment::NOTE && s.file_size >= 32;
    let mut tags = segments.iter().filter(wanted).map(|segment| {
        // Some linkers write an alignment of 0 or 1 and mean 4.
        let align = segment.align.max(4);
        if align != 4 && align != 8 {
            return 0;
        }
        let abi_tag = |at: u64| reader.u32(at + 4) == Some(16) && is_gnu(reader, at, 1);
        let end = segment.offset.saturating_add(segment.file_size);
        let tag = notes(reader, segment.offset, end, align).find(|at| abi_tag(*at));
        tag.and_then(|at| abi_version(reader, at)).unwrap_or(0)
    });
    tags.find(|version| *version != 0).unwrap_or(0)
}

fn abi_version(reader: &Reader<'_>, note: u64) -> Option<u32> {
    let word = |index: u64| reader.u32(note + 16 + 4 * index);
    let byte = |index: u64| word(index).map(|w| w & 0xff);
    Some((word(0)? << 24) | (byte(1)? << 16) | (byte(2)? << 8) | byte(3)?)
}

/// Number of the highest bit of `GNU_PROPERTY_X86_ISA_1_NEEDED`, which for its four levels is the
/// level less one; of several property segments the last counts.
pub(super) fn isa_level(reader: &Reader<'_>, segments: &[Segment]) -> u32 {
    let word = reader.word_size();
    let wanted = |s: &&Segment| s.kind == Segment::GNU_PROPERTY && s.align == word;
    segments
        .iter()
        .filter(wanted)
        .filter_map(|segment| {
            let end = segment.offset.saturating_add(segment.file_size);
            let mut all = notes(reader, segment.offset, end, word);
            let properties = all.find(|at| is_gnu(reader, *at, 5))?;
            needed_isa(reader, properties)
        })
        .next_back()
        .and_then(u32::checked_ilog2)
        .unwrap_or(0)
}

/// Walks the property array, which is sorted by type.
fn needed_isa(reader: &Reader<'_>, note: u64) -> Option<u32> {
    const ISA_1_NEEDED: u32 = 0xc000_8002;
    let word = reader.word_size();
    let size = u64::from(reader.u32(note + 4)?);
    if size < 8 || size % word != 0 {
        return None;
    }
    let mut at = note + 16;
    let end = at + size;
    let mut last = 0;
    while at + 8 <= end {
        let kind = reader.u32(at)?;
        let length = u64::from(reader.u32(at + 4)?);
        if kind < last || kind > ISA_1_NEEDED || at + 8 + length > end {
            return None;
        }
        if kind == ISA_1_NEEDED {
            return (length == 4).then(|| reader.u32(at + 8)).flatten();
        }
        last = kind;
        at += 8 + length.next_multiple_of(word);
    }
    None
}

fn is_gnu(reader: &Reader<'_>, note: u64, kind: u32) -> bool {
    reader.u32(note) == Some(4)
        && reader.u32(note + 8) == Some(kind)
        && reader.up_to(note + NOTE_HEADER, 4) == b"GNU\0"
}

/// Offsets of the notes from `start` to `end` whose header lies inside the file, so that adding a
/// few bytes to one cannot overflow.
fn notes<'a>(
    reader: &'a Reader<'_>,
    start: u64,
    end: u64,
    align: u64,
) -> impl Iterator<Item = u64> + 'a {
    let end = end.min(reader.len());
    let mut next = start;
    std::iter::from_fn(move || {
        let at = next;
        if at.checked_add(NOTE_HEADER)? > end {
            return None;
        }
        let name = u64::from(reader.u32(at)?);
        let size = u64::from(reader.u32(at + 4)?);
        let body = (NOTE_HEADER + name).next_multiple_of(align);
        next = at.checked_add((body + size).next_multiple_of(align))?;
        Some(at)
    })
}
