//! Compares a file with the digests that it carries itself: against damage, not against forgery.

use super::RpmFile;
use crate::{
    ChecksumAlgorithm, Header, Tag,
    digest::{self, Hasher},
};

/// Which digest vouches for what; `None` where the package carries none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Of the header.
    pub header: Option<ChecksumAlgorithm>,
    /// Of the compressed payload. Packages older than rpm 4.14 have only MD5 over header and
    /// payload; the digests of the files are compared while the payload is read.
    pub payload: Option<ChecksumAlgorithm>,
}

/// A package that does not match its own digests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A digest differs.
    #[error("`{package}`: the {what} does not match its {tag}")]
    Digest {
        /// The package.
        package: String,
        /// What was digested.
        what: &'static str,
        /// The tag with the expected digest.
        tag: &'static str,
    },
    /// The file is longer or shorter than it says.
    #[error("`{package}`: header and payload have {have} bytes, the signature header says {want}")]
    Size {
        /// The package.
        package: String,
        /// Bytes at hand.
        have: u64,
        /// Bytes announced.
        want: u64,
    },
    /// A digest cannot be read.
    #[error("`{package}`: {tag} is not a digest")]
    Malformed {
        /// The package.
        package: String,
        /// The tag.
        tag: &'static str,
    },
}

impl VerifyError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Size { have, want, .. } if have < want => {
                    "the download was cut short; fetch the package again"
                }
                _ => "the package is damaged; fetch it again",
            }
            .to_owned(),
        )
    }
}

impl RpmFile<'_> {
    /// Size, then header digests, then payload digests, cheapest first.
    pub fn verify(&self) -> Result<Verified, VerifyError> {
        self.verify_size()?;
        let header = self.verify_header()?;
        let payload = self.verify_payload()?;
        if header.is_some() && payload.is_some() {
            return Ok(Verified { header, payload });
        }
        // all that packages before rpm 4.14 have for the payload
        let md5 = self.verify_md5()?;
        Ok(Verified { header: header.or(md5), payload: payload.or(md5) })
    }

    /// SHA3_256HEADER of rpm 6, SHA256HEADER and SHA1HEADER, as far as they are there. Needs the
    /// headers only.
    pub fn verify_header(&self) -> Result<Option<ChecksumAlgorithm>, VerifyError> {
        let mut strongest = None;
        for (tag, name, algorithm) in [
            (Tag::SHA1HEADER, "SHA1HEADER", ChecksumAlgorithm::Sha1),
            (Tag::SHA256HEADER, "SHA256HEADER", ChecksumAlgorithm::Sha256),
            (Tag::SHA3_256HEADER, "SHA3_256HEADER", ChecksumAlgorithm::Sha3_256),
        ] {
            let Some(text) = self.signature.string(tag) else {
                // present, but not a string
                if self.signature.has(tag) {
                    return Err(malformed(&self.header, name));
                }
                continue;
            };
            let digest = hex::decode(text).map_err(|_| malformed(&self.header, name))?;
            if !digest::matches(algorithm, &digest, self.header_bytes()) {
                return Err(differs(&self.header, "header", name));
            }
            strongest = Some(algorithm);
        }
        Ok(strongest)
    }

    /// PAYLOADDIGEST, and PAYLOADSHA512 and PAYLOADSHA3_256 of rpm 6: all that are there, over the
    /// compressed payload. Gives the last of them.
    pub fn verify_payload(&self) -> Result<Option<ChecksumAlgorithm>, VerifyError> {
        let mut digests = PayloadDigests::of(&self.header)?;
        digests.update(self.payload);
        digests.compare(&self.header)
    }

    fn verify_size(&self) -> Result<(), VerifyError> {
        let stated =
            self.signature.u64(Tag::LONGSIGSIZE).or_else(|| self.signature.u64(Tag::SIG_SIZE));
        let have = (self.bytes.len() - self.header_range.start) as u64;
        match stated {
            Some(want) if want != have => {
                Err(VerifyError::Size { package: self.header.display_name(), have, want })
            }
            _ => Ok(()),
        }
    }

    fn verify_md5(&self) -> Result<Option<ChecksumAlgorithm>, VerifyError> {
        let Some(digest) = self.signature.bin(Tag::SIG_MD5) else { return Ok(None) };
        let covered = self.bytes.get(self.header_range.start..).unwrap_or_default();
        if digest::matches(ChecksumAlgorithm::Md5, digest, covered) {
            Ok(Some(ChecksumAlgorithm::Md5))
        } else {
            Err(differs(&self.header, "header and payload", "SIGMD5"))
        }
    }
}

/// What a header says of its compressed payload, and what is found.
pub(crate) struct PayloadDigests(Vec<PayloadDigest>);

struct PayloadDigest {
    tag: &'static str,
    algorithm: ChecksumAlgorithm,
    digest: Vec<u8>,
    hasher: Hasher,
}

impl PayloadDigests {
    /// All that the header carries. None is left out: rpm 6 refuses a package of which one differs.
    pub fn of(header: &Header) -> Result<Self, VerifyError> {
        let mut all = Vec::new();
        for (tag, name, algorithm) in [
            (Tag::PAYLOADDIGEST, "PAYLOADDIGEST", None),
            (Tag::PAYLOADSHA512, "PAYLOADSHA512", Some(ChecksumAlgorithm::Sha512)),
            (Tag::PAYLOADSHA3_256, "PAYLOADSHA3_256", Some(ChecksumAlgorithm::Sha3_256)),
        ] {
            let Some(text) = header.string(tag) else { continue };
            // 8 is the only algorithm that rpm ever used, and its default
            let stated = || header.u32(Tag::PAYLOADDIGESTALGO).unwrap_or(8);
            let algorithm = algorithm.or_else(|| ChecksumAlgorithm::from_rpm(stated()));
            let algorithm = algorithm.ok_or_else(|| malformed(header, "PAYLOADDIGESTALGO"))?;
            let digest = hex::decode(text).map_err(|_| malformed(header, name))?;
            all.push(PayloadDigest {
                tag: name,
                algorithm,
                digest,
                hasher: Hasher::new(algorithm),
            });
        }
        Ok(Self(all))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// More of the compressed payload.
    pub fn update(&mut self, bytes: &[u8]) {
        for digest in &mut self.0 {
            digest.hasher.update(bytes);
        }
    }

    /// Whether they were fed with what the header announces; gives the algorithm of the last.
    pub fn compare(self, header: &Header) -> Result<Option<ChecksumAlgorithm>, VerifyError> {
        let mut last = None;
        for PayloadDigest { tag, algorithm, digest, hasher } in self.0 {
            if !hasher.matches(&digest) {
                return Err(differs(header, "payload", tag));
            }
            last = Some(algorithm);
        }
        Ok(last)
    }
}

fn malformed(header: &Header, tag: &'static str) -> VerifyError {
    VerifyError::Malformed { package: header.display_name(), tag }
}

fn differs(header: &Header, what: &'static str, tag: &'static str) -> VerifyError {
    VerifyError::Digest { package: header.display_name(), what, tag }
}
