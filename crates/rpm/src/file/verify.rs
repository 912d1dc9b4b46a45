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

    /// SHA256HEADER and SHA1HEADER, as far as they are there. Needs the headers only.
    pub fn verify_header(&self) -> Result<Option<ChecksumAlgorithm>, VerifyError> {
        let mut strongest = None;
        for (tag, name, algorithm) in [
            (Tag::SHA1HEADER, "SHA1HEADER", ChecksumAlgorithm::Sha1),
            (Tag::SHA256HEADER, "SHA256HEADER", ChecksumAlgorithm::Sha256),
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

    /// PAYLOADDIGEST, or PAYLOADSHA512 of rpm 6: over the compressed payload.
    pub fn verify_payload(&self) -> Result<Option<ChecksumAlgorithm>, VerifyError> {
        let Some(expected) = PayloadDigest::of(&self.header)? else { return Ok(None) };
        let mut hasher = expected.hasher();
        hasher.update(self.payload);
        expected.compare(hasher, &self.header)?;
        Ok(Some(expected.algorithm))
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

/// What a header says of its compressed payload.
pub(crate) struct PayloadDigest {
    tag: &'static str,
    algorithm: ChecksumAlgorithm,
    digest: Vec<u8>,
}

impl PayloadDigest {
    /// None where the package carries none.
    pub fn of(header: &Header) -> Result<Option<Self>, VerifyError> {
        let (text, tag, algorithm) = if let Some(text) = header.string(Tag::PAYLOADDIGEST) {
            // the only algorithm that rpm ever used, and its default
            let number = header.u32(Tag::PAYLOADDIGESTALGO).unwrap_or(8);
            let algorithm = ChecksumAlgorithm::from_rpm(number)
                .ok_or_else(|| malformed(header, "PAYLOADDIGESTALGO"))?;
            (text, "PAYLOADDIGEST", algorithm)
        } else if let Some(text) = header.string(Tag::PAYLOADSHA512) {
            (text, "PAYLOADSHA512", ChecksumAlgorithm::Sha512)
        } else {
            return Ok(None);
        };
        let digest = hex::decode(text).map_err(|_| malformed(header, tag))?;
        Ok(Some(Self { tag, algorithm, digest }))
    }

    /// To be fed with the compressed payload.
    pub fn hasher(&self) -> Hasher {
        Hasher::new(self.algorithm)
    }

    /// Whether it was fed with what the header announces.
    pub fn compare(&self, hasher: Hasher, header: &Header) -> Result<(), VerifyError> {
        match hasher.matches(&self.digest) {
            true => Ok(()),
            false => Err(differs(header, "payload", self.tag)),
        }
    }
}

fn malformed(header: &Header, tag: &'static str) -> VerifyError {
    VerifyError::Malformed { package: header.display_name(), tag }
}

fn differs(header: &Header, what: &'static str, tag: &'static str) -> VerifyError {
    VerifyError::Digest { package: header.display_name(), what, tag }
}
