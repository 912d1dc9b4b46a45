//! Payloads: an archive of each form, in each compressor, and some that unpack to far more than
//! they are.

use crate::targets::FILES;
use std::io::Write;

/// Zeros in a bomb.
const BOMB: usize = 8 << 20;

/// The payloads by name.
pub fn payloads() -> Vec<(&'static str, Vec<u8>)> {
    let archive = newc();
    let zeros = vec![0; BOMB];
    // a file whose content goes on for ever, behind a head that promises it
    let endless = [&stripped_head(0)[..], &zeros].concat();
    vec![
        ("newc", archive.clone()),
        ("stripped", stripped()),
        ("gzip", gzip(&archive)),
        ("bzip2", bzip2(&archive)),
        ("xz", xz(&archive)),
        ("lzma", lzma(&archive)),
        ("zstd", zstd(&archive)),
        ("zstd-frames", [zstd(&archive[..100]), zstd(&archive[100..])].concat()),
        ("gzip-bomb-after-the-end", gzip(&[&archive[..], &zeros].concat())),
        ("zstd-bomb-in-a-file", zstd(&endless)),
        ("xz-bomb-in-a-file", xz(&endless)),
        ("bzip2-bomb-in-a-file", bzip2(&endless)),
        // 4 GiB of dictionary, declared
        ("lzma-with-a-large-dictionary", [&b"\x5d\0\0"[..], &[0xff; 12]].concat()),
        ("gzip-without-content", gzip(b"").repeat(200)),
    ]
}

/// The files of the package in the old form.
pub fn newc() -> Vec<u8> {
    let mut out = Vec::new();
    for (index, (name, mode, size, target, inode, flags)) in (0..).zip(FILES) {
        let carries = name != "hard1" && mode & 0o170_000 == 0o100_000;
        let content = match mode & 0o170_000 {
            0o120_000 => target.as_bytes().to_vec(),
            _ if carries => content(size),
            _ => Vec::new(),
        };
        if flags == 0 {
            member(&mut out, &format!("./d/{name}"), u32::from(mode), inode + index, &content);
        }
    }
    member(&mut out, "TRAILER!!!", 0, 0, b"");
    out
}

/// The files of the package in the form for large files.
pub fn stripped() -> Vec<u8> {
    let mut out = Vec::new();
    for (index, (name, mode, size, target, _, flags)) in (0..).zip(FILES) {
        if flags == 0 {
            out.extend(stripped_head(index));
            out.resize(out.len().next_multiple_of(4), 0);
            match mode & 0o170_000 {
                0o120_000 => out.extend(target.as_bytes()),
                0o100_000 if name != "hard1" => out.extend(content(size)),
                _ => {}
            }
            out.resize(out.len().next_multiple_of(4), 0);
        }
    }
    member(&mut out, "TRAILER!!!", 0, 0, b"");
    out
}

fn stripped_head(index: u32) -> Vec<u8> {
    format!("07070X{index:08x}").into_bytes()
}

fn content(size: u32) -> Vec<u8> {
    (0..size).map(|at| b"content\n"[at as usize % 8]).collect()
}

fn member(out: &mut Vec<u8>, name: &str, mode: u32, inode: u32, content: &[u8]) {
    let name_size = name.len() as u32 + 1;
    out.extend(b"070701");
    for field in [inode, mode, 0, 0, 1, 0, content.len() as u32, 0, 0, 0, 0, name_size, 0] {
        out.extend(format!("{field:08x}").into_bytes());
    }
    out.extend(name.as_bytes());
    out.push(0);
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend(content);
    out.resize(out.len().next_multiple_of(4), 0);
}

fn written(result: std::io::Result<Vec<u8>>) -> Vec<u8> {
    result.unwrap_or_else(|error| panic!("{error}"))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    written(encoder.write_all(bytes).and_then(|()| encoder.finish()))
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    written(encoder.write_all(bytes).and_then(|()| encoder.finish()))
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
    written(encoder.write_all(bytes).and_then(|()| encoder.finish()))
}

fn lzma(bytes: &[u8]) -> Vec<u8> {
    let options = liblzma::stream::LzmaOptions::new_preset(6);
    let stream = options.and_then(|options| liblzma::stream::Stream::new_lzma_encoder(&options));
    let stream = stream.unwrap_or_else(|error| panic!("{error}"));
    let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    written(encoder.write_all(bytes).and_then(|()| encoder.finish()))
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    written(zstd::stream::encode_all(bytes, 3))
}
