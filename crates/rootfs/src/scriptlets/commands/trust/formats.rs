//! The forms in which certificates are written.

use super::certificate::{Certificate, Store, Uses};
use super::der::wrap;
use super::objects::encode;
use sha1::{Digest, Sha1};
use std::collections::{BTreeMap, BTreeSet};

fn block(out: &mut Vec<u8>, name: &str, der: &[u8]) {
    let text = format!("-----BEGIN {name}-----\n{}-----END {name}-----\n", encode(der));
    out.extend(text.bytes());
}

/// The name of a certificate above it, and a line between two.
fn comment(out: &mut Vec<u8>, certificate: &Certificate) {
    if !out.is_empty() {
        out.push(b'\n');
    }
    out.extend(b"# ");
    out.extend(&certificate.label);
    out.push(b'\n');
}

/// Certificates in PEM.
pub(super) fn pem(certificates: &[&Certificate], comments: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for certificate in certificates {
        if comments {
            comment(&mut out, certificate);
        }
        block(&mut out, "CERTIFICATE", &certificate.der);
    }
    out
}

/// Certificates with what they are trusted for, as OpenSSL has it.
/// <https://docs.openssl.org/master/man1/openssl-format-options/>
pub(super) fn openssl(store: &Store, certificates: &[&Certificate], comments: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for certificate in certificates {
        let list = |tag: u8, all: Option<Uses>| {
            let all = all.map(|all| all.iter().flat_map(|id| wrap(6, id)).collect::<Vec<u8>>());
            all.map(|all| wrap(tag, &all)).unwrap_or_default()
        };
        let (trusted, rejected) = store.openssl_uses(certificate);
        let label = wrap(12, &certificate.label);
        let more = [list(0x30, trusted), list(0xa0, rejected), label].concat();
        if comments {
            comment(&mut out, certificate);
        }
        let der = [certificate.der.clone(), wrap(0x30, &more)].concat();
        block(&mut out, "TRUSTED CERTIFICATE", &der);
    }
    out
}

/// A key store of Java, locked with the password that all know, dated in seconds.
pub(super) fn java(certificates: &[&Certificate], time: u64) -> Vec<u8> {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    let mut out = vec![0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2];
    out.extend(count(certificates.len()));
    let mut names: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut next: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    for certificate in certificates {
        let plain = |byte: &&u8| byte.is_ascii() && !byte.is_ascii_whitespace() && **byte != 0x0b;
        let own = certificate.label.iter().filter(plain).map(u8::to_ascii_lowercase);
        let mut name: Vec<u8> = own.collect();
        // of those of one name, all but the first have a number
        if names.contains(&name) {
            let number = next.entry(name.clone()).or_insert(0u32);
            let base = name;
            name = base.clone();
            while names.contains(&name) {
                *number += 1;
                name = [&base, format!("-{number}").as_bytes()].concat();
            }
        }
        names.insert(name.clone());
        out.extend([0, 0, 0, 2]);
        out.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend(&name);
        out.extend(time.saturating_mul(1000).to_be_bytes());
        out.extend(b"\0\x05X.509");
        out.extend(count(certificate.der.len()));
        out.extend(&certificate.der);
    }
    let mut digest = Sha1::new();
    digest.update(b"\0c\0h\0a\0n\0g\0e\0i\0tMighty Aphrodite");
    digest.update(&out);
    out.extend(digest.finalize());
    out
}

/// Lists of signatures of the firmware, one a certificate.
/// <https://uefi.org/specs/UEFI/2.10/32_Secure_Boot_and_Driver_Signing.html>
pub(super) fn edk2(certificates: &[&Certificate]) -> Vec<u8> {
    const X509: [u8; 16] = *b"\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a\x87\xb5\xab\x15\x5c\x2b\xf0\x72";
    const OWNER: [u8; 16] = *b"\x50\x3b\xdd\xdc\x05\xf4\xfd\x43\x96\xbe\xbd\x33\xb1\x73\x47\x76";
    let mut out = Vec::new();
    for certificate in certificates {
        let size = u32::try_from(certificate.der.len() + OWNER.len()).unwrap_or(u32::MAX);
        out.extend(X509);
        out.extend(size.saturating_add(28).to_le_bytes());
        out.extend([0; 4]);
        out.extend(size.to_le_bytes());
        out.extend(OWNER);
        out.extend(&certificate.der);
    }
    out
}
