//! Small grammars: versions, dependencies, names, paths, patterns, os-release.

use super::parts;
use crate::inside;
use strata_rootfs::{TreePath, distro::Distro};
use strata_rpm::{Dependency, Evr, Nevra, glob, vercmp};

/// Two texts, each read as everything.
pub fn text(input: &[u8]) {
    let [one, two] = parts(input);
    assert_eq!(vercmp(one, two), vercmp(two, one).reverse());
    if let Ok(path) = TreePath::new(one) {
        if !path.is_root() {
            inside::relative(path.as_bytes());
        }
        assert_eq!(TreePath::new(path.as_bytes()).as_ref(), Ok(&path));
    }
    let (one, two) = (String::from_utf8_lossy(one), String::from_utf8_lossy(two));
    let _ = Distro::from_os_release(&one);
    let _ = glob::is_glob(&one);
    let _ = glob::matches(&one, &two);
    let (Ok(a), Ok(b)) = (one.parse::<Evr>(), two.parse::<Evr>());
    assert_eq!(a.cmp_dependency(&b), b.cmp_dependency(&a).reverse());
    // what is read is shown; odd versions (`0:`, `1-`) are then read as others
    if let Ok(nevra) = one.parse::<Nevra>() {
        let _ = nevra.to_string().parse::<Nevra>();
    }
    if let Ok(dependency) = one.parse::<Dependency>() {
        let _ = dependency.to_string().parse::<Dependency>();
        if let (Dependency::Simple(a), Ok(Dependency::Simple(b))) = (&dependency, two.parse()) {
            assert_eq!(a.overlaps(&b), b.overlaps(a));
        }
    }
}
