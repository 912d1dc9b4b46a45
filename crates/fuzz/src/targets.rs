//! The targets by name.

mod accounts;
mod commands;
mod libraries;
mod package;
mod shell;
mod text;
mod units;

pub(crate) use package::{FILES, one_of_each_header};

/// One kind of input.
#[derive(Debug)]
pub struct Target {
    /// Its name: that of its directory of seeds.
    pub name: &'static str,
    /// The function, which panics when the input did what it must not.
    pub run: fn(&[u8]),
    /// Bytes that may be in use at a time.
    pub memory: usize,
    /// Longest input: what is longer is cut.
    pub longest: usize,
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// All of them, smaller bounds first: see [`crate::check`].
pub const TARGETS: &[Target] = &[
    Target { name: "filecaps", run: package::filecaps, memory: MIB, longest: 4 * KIB },
    Target { name: "header", run: package::header, memory: 2 * MIB, longest: 16 * KIB },
    Target { name: "text", run: text::text, memory: 2 * MIB, longest: 4 * KIB },
    Target { name: "elf", run: libraries::elf, memory: 2 * MIB, longest: 16 * KIB },
    Target { name: "payload", run: package::payload, memory: 8 * MIB, longest: 64 * KIB },
    Target { name: "package", run: package::package, memory: 8 * MIB, longest: 16 * KIB },
    Target { name: "file", run: package::file, memory: 8 * MIB, longest: 32 * KIB },
    Target { name: "sysusers", run: accounts::sysusers, memory: 8 * MIB, longest: 8 * KIB },
    Target { name: "unit", run: units::unit, memory: 8 * MIB, longest: 8 * KIB },
    Target { name: "ldconfig", run: libraries::ldconfig, memory: 32 * MIB, longest: 16 * KIB },
    Target { name: "shell", run: shell::shell, memory: 64 * MIB, longest: 4 * KIB },
    Target { name: "lua", run: shell::lua, memory: 64 * MIB, longest: 4 * KIB },
    Target { name: "sed", run: commands::sed, memory: 64 * MIB, longest: 4 * KIB },
    Target { name: "pattern", run: commands::pattern, memory: 64 * MIB, longest: 4 * KIB },
    Target { name: "tmpfiles", run: commands::tmpfiles, memory: 64 * MIB, longest: 4 * KIB },
    Target { name: "systemctl", run: commands::systemctl, memory: 64 * MIB, longest: 4 * KIB },
    Target {
        name: "alternatives",
        run: commands::alternatives,
        memory: 64 * MIB,
        longest: 4 * KIB,
    },
    Target { name: "databases", run: commands::databases, memory: 64 * MIB, longest: 4 * KIB },
];

/// The target of a name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Parts of an input with several, which NUL separates: what is missing is empty.
fn parts<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut split = input.splitn(N, |byte| *byte == 0);
    std::array::from_fn(|_| split.next().unwrap_or_default())
}
