//! Which files the full lists are needed for.

mod common;

use common::{Universe, image};
use strata_resolve::{ImageRequest, file_paths_needed};

const UNIVERSE: &str = "
    + app 1-1 x86_64
      req /usr/share/dict/words
      req /usr/bin/perl
      req /etc/passwd
      req lib
      rec hints
    + lib 1-1 x86_64
      req (/usr/lib/x or /usr/lib/known)
    + setup 1-1 noarch
      file /etc/passwd
    + perl 5-1 x86_64
      file /usr/bin/perl
      req /usr/lib/perl-thing
    + other 1-1 x86_64
      file /usr/lib/known
      req /opt/unreached
    + hints 1-1 noarch
      req /usr/share/hints
    + new-lib 1-1 x86_64
      obs lib
      req /usr/share/from-obsoleting
    + sup 1-1 noarch
      sup app
      req /usr/share/from-supplement
";

fn needed(image: ImageRequest) -> String {
    let universe = Universe::parse(UNIVERSE);
    file_paths_needed(&universe.task(vec![image])).into_iter().collect::<Vec<_>>().join(" ")
}

#[test]
fn only_what_is_in_reach_and_unknown() {
    assert_eq!(
        needed(image(&["app"])),
        "/opt/unreached /usr/lib/perl-thing /usr/lib/x /usr/share/dict/words \
         /usr/share/from-obsoleting"
    );
    assert_eq!(needed(image(&["setup"])), "");
}

#[test]
fn weak_dependencies_reach_further() {
    let with = needed(ImageRequest { weak_deps: true, ..image(&["app"]) });
    assert!(with.contains("/usr/share/hints") && with.contains("/usr/share/from-supplement"));
}

#[test]
fn requests_for_files() {
    assert_eq!(needed(image(&["/etc/passwd"])), "");
    assert_eq!(needed(image(&["/usr/share/unknown"])), "/usr/share/unknown");
    assert_eq!(needed(image(&["/usr/share/un*"])), "/usr/share/un*");
    assert_eq!(needed(image(&["(setup and /srv/x)"])), "/srv/x");
}
