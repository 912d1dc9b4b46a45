//! Which packages an architecture can install.
//!
//! Source: the `arch_compat` lines of rpm's `rpmrc`, the order of preference is rpm's too. A table of
//! our own, so that neither the host nor the way the solver was built has a say.

/// The architectures whose packages an image of `arch` may hold, best first, `noarch` included last;
/// none when rpm does not know the architecture.
pub fn compatible_arches(arch: &str) -> Option<Vec<&'static str>> {
    let chain =
        CHAINS.iter().find(|chain| chain.first() == Some(&arch)).copied().or_else(|| {
            // an architecture that only occurs inside a chain starts its own there
            CHAINS.iter().find_map(|chain| {
                let at = chain.iter().position(|one| *one == arch)?;
                chain.get(at..)
            })
        })?;
    Some(chain.iter().copied().chain(["noarch"]).collect())
}

const CHAINS: &[&[&str]] = &[
    &["x86_64_v4", "x86_64_v3", "x86_64_v2", "x86_64", "athlon", "i686", "i586", "i486", "i386"],
    &["amd64", "x86_64", "athlon", "i686", "i586", "i486", "i386"],
    &["ia32e", "x86_64", "athlon", "i686", "i586", "i486", "i386"],
    &["i686", "i586", "i486", "i386"],
    &["geode", "i586", "i486", "i386"],
    &["aarch64"],
    &["ppc64le"],
    &["ppc64p7", "ppc64", "ppc"],
    &["s390x", "s390"],
    &["riscv64"],
    &["riscv32"],
    &["loongarch64"],
    &["mips64el"],
    &["mipsel"],
    &["ia64", "i686", "i586", "i486", "i386"],
    &["armv8hcnl", "armv8hnl", "armv8hl", "armv7hnl", "armv7hl", "armv6hl"],
    &["armv7hnl", "armv7hl", "armv6hl"],
    &["armv7hl", "armv6hl"],
    &[
        "armv8l",
        "armv7l",
        "armv6l",
        "armv5tejl",
        "armv5tel",
        "armv5tl",
        "armv5l",
        "armv4tl",
        "armv4l",
        "armv3l",
    ],
    &["sparc64v", "sparc64", "sparcv9v", "sparcv9", "sparcv8", "sparc"],
    &["sparc64", "sparcv9", "sparcv8", "sparc"],
    &["alpha"],
    &["noarch"],
];

#[cfg(test)]
mod tests {
    use super::compatible_arches;

    #[test]
    fn chains() {
        let names = |arch| compatible_arches(arch).map(|all| all.join(" "));
        assert_eq!(names("x86_64").as_deref(), Some("x86_64 athlon i686 i586 i486 i386 noarch"));
        assert_eq!(names("aarch64").as_deref(), Some("aarch64 noarch"));
        assert_eq!(names("armv7hl").as_deref(), Some("armv7hl armv6hl noarch"));
        assert_eq!(names("s390x").as_deref(), Some("s390x s390 noarch"));
        assert_eq!(names("i586").as_deref(), Some("i586 i486 i386 noarch"));
        assert_eq!(names("pdp11"), None);
    }
}
