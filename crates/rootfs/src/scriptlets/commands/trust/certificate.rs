//! Certificates, what is said of them elsewhere, and which of them are chosen.

use super::der::{self, Value};
use super::objects::Object;
use std::collections::{BTreeMap, BTreeSet};

const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const ANY_USAGE: &[u8] = &[0x55, 0x1d, 0x25, 0];
/// OpenSSL's uses for which a certificate is refused.
const REJECT: &[u8] = &[0x2b, 6, 1, 4, 1, 0x99, 0x77, 6, 0x0a, 1];

/// Identifiers of what a certificate is used for.
pub(super) type Uses = Vec<Vec<u8>>;

/// A certificate and what its object says.
#[derive(Debug)]
pub(super) struct Certificate {
    pub label: Vec<u8>,
    pub der: Vec<u8>,
    pub trusted: bool,
    pub distrusted: bool,
    issuer: Vec<u8>,
    serial: Vec<u8>,
    key: Vec<u8>,
    /// Of the first version, and signed by itself.
    old_root: bool,
    extensions: Vec<(Vec<u8>, Vec<u8>)>,
}

/// All that is known.
#[derive(Debug, Default)]
pub(super) struct Store {
    certificates: Vec<Certificate>,
    /// Extensions for certificates of a key, by the key and the identifier; the last word counts.
    extensions: BTreeMap<(Vec<u8>, Vec<u8>), Vec<u8>>,
    /// Issuers and serial numbers that are not trusted.
    refused: BTreeSet<(Vec<u8>, Vec<u8>)>,
    refused_keys: BTreeSet<Vec<u8>>,
}

impl Certificate {
    fn parse(der: &[u8], object: &Object) -> Option<Self> {
        let fields = der::all(der::only(der, 0x30)?)?;
        let mut parts = der::all(fields.first().filter(|tbs| tbs.tag == 0x30)?.content)?;
        let versioned = parts.first()?.tag == 0xa0;
        if versioned {
            parts.remove(0);
        }
        let [serial, _, issuer, _, subject, key, more @ ..] = parts.as_slice() else { return None };
        let mut extensions = Vec::new();
        if let Some(own) = more.iter().find(|part| part.tag == 0xa3) {
            for extension in der::all(der::only(own.content, 0x30)?)? {
                extensions.push(read_extension(&extension)?);
            }
        }
        Some(Self {
            label: object.fields.get("label")?.clone(),
            der: der.to_vec(),
            trusted: object.is("trusted"),
            distrusted: object.is("x-distrusted"),
            issuer: issuer.whole.to_vec(),
            serial: serial.whole.to_vec(),
            key: key.whole.to_vec(),
            old_root: !versioned && issuer.whole == subject.whole,
            extensions,
        })
    }
}

/// The identifier and the value of an extension.
fn read_extension(extension: &Value<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let parts = der::all(extension.content)?;
    let (id, value) = (parts.first()?, parts.last()?);
    (id.tag == 6 && value.tag == 4).then(|| (id.content.to_vec(), value.content.to_vec()))
}

/// The identifiers in a list of uses.
fn uses(value: &[u8]) -> Uses {
    let all = der::only(value, 0x30).and_then(der::all).unwrap_or_default();
    all.into_iter().map(|id| id.content.to_vec()).collect()
}

impl Store {
    /// Takes in an object; false when it is not understood.
    pub(super) fn add(&mut self, object: &Object) -> bool {
        self.try_add(object).is_some()
    }

    fn try_add(&mut self, object: &Object) -> Option<()> {
        let class = object.fields.get("class").map(Vec::as_slice);
        match (class, object.block("CERTIFICATE")) {
            (None | Some(b"certificate"), Some(der)) => {
                let known = [
                    "class",
                    "label",
                    "trusted",
                    "x-distrusted",
                    "nss-mozilla-ca-policy",
                    "nss-server-distrust-after",
                    "nss-email-distrust-after",
                    "modifiable",
                    "certificate-type",
                ];
                if object.fields.keys().any(|name| !known.contains(&name.as_str())) {
                    return None;
                }
                let certificate = Certificate::parse(der, object)?;
                if certificate.distrusted {
                    self.refused.insert((certificate.issuer.clone(), certificate.serial.clone()));
                    self.refused_keys.insert(certificate.key.clone());
                }
                self.certificates.push(certificate);
            }
            (Some(b"certificate"), None) => {
                let field = |name: &str| object.fields.get(name).cloned();
                if object.is("x-distrusted") {
                    self.refused.insert((field("issuer")?, field("serial-number")?));
                }
            }
            (Some(b"x-certificate-extension"), None) => {
                let key = object.block("PUBLIC KEY")?.to_vec();
                let (extension, rest) = der::split(object.fields.get("value")?)?;
                let (id, value) = read_extension(&extension).filter(|_| rest.is_empty())?;
                self.extensions.insert((key, id), value);
            }
            _ => return None,
        }
        Some(())
    }

    /// What is said of a certificate beside it.
    fn attached(&self, certificate: &Certificate, id: &[u8]) -> Option<&[u8]> {
        let place = (certificate.key.clone(), id.to_vec());
        self.extensions.get(&place).map(Vec::as_slice)
    }

    /// An extension, from beside or from within.
    fn extension<'a>(&'a self, certificate: &'a Certificate, id: &[u8]) -> Option<&'a [u8]> {
        let own = certificate.extensions.iter().find(|(own, _)| own == id);
        self.attached(certificate, id).or_else(|| own.map(|(_, value)| value.as_slice()))
    }

    fn is_authority(&self, certificate: &Certificate) -> bool {
        match self.extension(certificate, BASIC_CONSTRAINTS) {
            Some(value) => {
                let parts = der::only(value, 0x30).and_then(der::all).unwrap_or_default();
                parts.first().is_some_and(|part| part.tag == 1 && part.content != [0])
            }
            None => certificate.old_root,
        }
    }

    /// The certificates, or of them the authorities that are trusted, for one of these purposes.
    pub(super) fn choose(&self, anchors: bool, purposes: &[&[u8]]) -> Vec<&Certificate> {
        let mut chosen: Vec<&Certificate> = Vec::new();
        let mut seen = BTreeSet::new();
        for certificate in &self.certificates {
            let number = (certificate.issuer.clone(), certificate.serial.clone());
            let refused = certificate.distrusted
                || self.refused_keys.contains(&certificate.key)
                || self.refused.contains(&number);
            let anchor = certificate.trusted && !refused && self.is_authority(certificate);
            if anchors && !anchor || !seen.insert(&certificate.der) {
                continue;
            }
            // without a list of uses, all are meant
            let allowed = self.extension(certificate, KEY_USAGE).map(uses);
            let fits = allowed.is_none_or(|allowed| {
                purposes.is_empty()
                    || allowed.iter().any(|one| one == ANY_USAGE || purposes.contains(&&one[..]))
            });
            if fits {
                chosen.push(certificate);
            }
        }
        chosen
    }

    /// The uses that OpenSSL is told of: those that are fine, and those that are not.
    pub(super) fn openssl_uses(&self, certificate: &Certificate) -> (Option<Uses>, Option<Uses>) {
        let rejected = self.attached(certificate, REJECT).map(uses);
        if certificate.distrusted {
            let known = [1u8, 2, 3, 4, 5, 6, 7, 8].map(|n| vec![0x2b, 6, 1, 5, 5, 7, 3, n]);
            return (None, Some(rejected.unwrap_or_default().into_iter().chain(known).collect()));
        }
        if certificate.trusted {
            return (self.attached(certificate, KEY_USAGE).map(uses), rejected);
        }
        (Some(Vec::new()), rejected)
    }
}
