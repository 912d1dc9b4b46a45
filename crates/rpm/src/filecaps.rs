//! POSIX file capabilities: the text in `FILECAPS` to the bytes of `security.capability`.
//!
//! Source: `cap_from_text(3)`, and `VFS_CAP_REVISION_2` of the kernel's `linux/capability.h`.

/// The three sets of a file, and whether they are effective from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileCapabilities {
    /// Bit n is capability n.
    pub permitted: u64,
    /// Bit n is capability n.
    pub inheritable: u64,
    /// One flag for the whole file.
    pub effective: bool,
}

impl FileCapabilities {
    /// The value of the `security.capability` attribute, version 2, little-endian.
    pub fn to_xattr(self) -> [u8; 20] {
        let mut out = [0; 20];
        let words = [
            0x0200_0000 | u32::from(self.effective),
            self.permitted as u32,
            self.inheritable as u32,
            (self.permitted >> 32) as u32,
            (self.inheritable >> 32) as u32,
        ];
        for (slot, word) in out.chunks_exact_mut(4).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        out
    }
}
