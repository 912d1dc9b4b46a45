//! POSIX file capabilities: the text in `FILECAPS` to the bytes of `security.capability`.
//!
//! Source: `cap_from_text(3)` and `cap_set_file(3)` of libcap, and `VFS_CAP_REVISION_2` of the
//! kernel's `linux/capability.h`.

use std::str::FromStr;

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

/// Why a text does not name file capabilities.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseCapabilitiesError {
    /// No capability has that name or number.
    #[error("there is no capability `{0}`")]
    Unknown(String),
    /// A clause does not follow the grammar.
    #[error("`{0}` is not a capability clause such as `cap_net_raw=ep`")]
    Clause(String),
    /// A file has one effective flag for all its capabilities.
    #[error("`{0}` makes only some of the capabilities effective, which a file cannot say")]
    PartlyEffective(String),
}

/// By number. The kernel's list since 5.9.
const NAMES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

/// `all`, which libcap takes from the running kernel; here it is the list above.
const ALL: u64 = (1 << NAMES.len()) - 1;

#[derive(Default)]
struct Sets {
    effective: u64,
    inheritable: u64,
    permitted: u64,
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

fn number(name: &str) -> Option<usize> {
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        // as `strtoul` with base 0
        let number = match name.strip_prefix("0x").or_else(|| name.strip_prefix("0X")) {
            Some(hex) => usize::from_str_radix(hex, 16),
            None if name.len() > 1 && name.starts_with('0') => usize::from_str_radix(name, 8),
            None => name.parse(),
        };
        return number.ok().filter(|n| *n < 64);
    }
    NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))
}

/// The capabilities before the operator; `None` for the empty list.
fn list(names: &str) -> Result<Option<u64>, ParseCapabilitiesError> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut bits = 0;
    for name in names.split(',') {
        if name.eq_ignore_ascii_case("all") {
            // libcap forgets what stood before
            bits = ALL;
        } else {
            let number =
                number(name).ok_or_else(|| ParseCapabilitiesError::Unknown(name.to_owned()))?;
            bits |= 1 << number;
        }
    }
    Ok(Some(bits))
}

fn clause(sets: &mut Sets, text: &str) -> Result<(), ParseCapabilitiesError> {
    let wrong = || ParseCapabilitiesError::Clause(text.to_owned());
    let is_operator = |c: char| matches!(c, '=' | '+' | '-');
    let (names, mut rest) = text.split_at(text.find(is_operator).ok_or_else(wrong)?);
    let listed = list(names)?;
    // `=ep` means everything, `+ep` nothing
    if listed.is_none() && !rest.starts_with('=') {
        return Err(wrong());
    }
    let bits = listed.unwrap_or(ALL);
    let mut first = true;
    while let Some(operator) = rest.chars().next() {
        rest = rest.strip_prefix(is_operator).ok_or_else(wrong)?;
        let (flags, next) = rest.split_at(rest.find(is_operator).unwrap_or(rest.len()));
        rest = next;
        // only the first operator may assign, only an assignment may be empty, and one without
        // names stands alone
        let misplaced = !first && (operator == '=' || listed.is_none());
        if misplaced || (flags.is_empty() && operator != '=') {
            return Err(wrong());
        }
        if operator == '=' {
            sets.effective &= !bits;
            sets.inheritable &= !bits;
            sets.permitted &= !bits;
        }
        for flag in flags.chars() {
            let set = match flag {
                'e' => &mut sets.effective,
                'i' => &mut sets.inheritable,
                'p' => &mut sets.permitted,
                _ => return Err(wrong()),
            };
            if operator == '-' {
                *set &= !bits;
            } else {
                *set |= bits;
            }
        }
        first = false;
    }
    Ok(())
}

impl FromStr for FileCapabilities {
    type Err = ParseCapabilitiesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut sets = Sets::default();
        let mut clauses = text.split_ascii_whitespace().peekable();
        if clauses.peek().is_none() {
            return Err(ParseCapabilitiesError::Clause(text.to_owned()));
        }
        clauses.try_for_each(|one| clause(&mut sets, one))?;
        let effective = sets.effective != 0;
        if effective && !sets.effective & (sets.permitted | sets.inheritable) != 0 {
            return Err(ParseCapabilitiesError::PartlyEffective(text.to_owned()));
        }
        Ok(Self { permitted: sets.permitted, inheritable: sets.inheritable, effective })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use proptest::prelude::*;

    /// The attribute that libcap 2.66 sets for the text.
    #[test]
    fn attributes_are_those_of_libcap() {
        for (text, xattr) in [
            ("=ep", "01000002ffffffff00000000ff01000000000000"),
            ("= cap_net_raw+ep", "0100000200200000000000000000000000000000"),
            ("cap_net_raw+ep", "0100000200200000000000000000000000000000"),
            ("cap_net_raw=ep", "0100000200200000000000000000000000000000"),
            ("cap_net_raw=p", "0000000200200000000000000000000000000000"),
            ("cap_net_raw=i", "0000000200000000002000000000000000000000"),
            ("cap_net_raw=eip", "0100000200200000002000000000000000000000"),
            ("CAP_NET_RAW=epp", "0100000200200000000000000000000000000000"),
            ("cap_net_admin,cap_net_raw+p", "0000000200300000000000000000000000000000"),
            ("cap_net_raw=p+e", "0100000200200000000000000000000000000000"),
            ("cap_net_raw+p+e", "0100000200200000000000000000000000000000"),
            ("=", "0000000200000000000000000000000000000000"),
            ("cap_net_raw=", "0000000200000000000000000000000000000000"),
            ("=ep cap_sys_admin-ep", "01000002ffffdfff00000000ff01000000000000"),
            ("cap_net_raw+e", "0100000200000000000000000000000000000000"),
            ("all+eip", "01000002ffffffffffffffffff010000ff010000"),
            ("  cap_net_raw+ep ", "0100000200200000000000000000000000000000"),
            ("cap_net_raw+ep cap_net_raw-p", "0100000200000000000000000000000000000000"),
            ("cap_net_raw=p\ncap_chown=p", "0000000201200000000000000000000000000000"),
            ("0+ep", "0100000201000000000000000000000000000000"),
            ("0x1+ep", "0100000202000000000000000000000000000000"),
            ("63,all=ii+p", "00000002ffffffffffffffffff010000ff010000"),
        ] {
            let capabilities: FileCapabilities = text.parse().unwrap();
            assert_eq!(hex::encode(capabilities.to_xattr()), xattr, "{text}");
        }
    }

    #[test]
    fn refuses_what_libcap_refuses() {
        for text in [
            "cap_net_raw=p=e",
            "cap_net_raw",
            "+ep",
            "-e",
            "cap_net_raw+",
            "cap_net_raw-",
            "cap_net_raw+x",
            "cap_net_raw,=ep",
            "cap_net_raw ep",
            "cap_net_raw+ep,cap_chown+p",
            "=+ep",
            "=p+i",
            "=ep-e",
            "a=",
            "cap_net_raw\t=ep",
            "64+p",
            "",
            " ",
        ] {
            assert!(text.parse::<FileCapabilities>().is_err(), "{text}");
        }
        let partly = "cap_net_raw=ep cap_chown=p";
        assert_eq!(
            partly.parse::<FileCapabilities>(),
            Err(ParseCapabilitiesError::PartlyEffective(partly.to_owned()))
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in "([a-z_,=+ -]|cap_chown|all|99){0,20}") {
            let _ = text.parse::<FileCapabilities>();
        }
    }
}
