//! warns of or refuses images that run as root or hold set-id files
//!
//! What is found is a function of the configuration and of the files' attributes; this file reads
//! settings and walks the tree.

mod checks;

use checks::{Check, Found};
use strata_plugin_sdk::{self as sdk, path};

const SETTINGS: &[sdk::Setting] = &[
    sdk::Setting::new(
        "level",
        "what a finding does: `warn`, `refuse` or `ignore`; else `warn`. The settings below say \
         it for one check",
    ),
    sdk::Setting::new("root", "the image runs as root"),
    sdk::Setting::new("command", "the image says nothing of what to run"),
    sdk::Setting::new("setid", "set-user-id and set-group-id files, and files with capabilities"),
    sdk::Setting::new("writable", "what everyone may write, but for directories with sticky bit"),
    sdk::Setting::new(
        "allow",
        "paths that `setid` and `writable` let pass; `*` and `?` stand for what has no `/`, `**` \
         for anything",
    ),
];

/// Files told one by one for each check; the others are counted.
const TOLD: usize = 20;

struct Hardening;

impl sdk::About for Hardening {
    fn describe() -> sdk::Description {
        sdk::describe!("hardening", SETTINGS)
    }
}

impl sdk::Policy for Hardening {
    fn check(
        image: &sdk::Image,
        config: &sdk::Config,
        settings: &sdk::Settings,
    ) -> Result<Vec<sdk::Diagnostic>, sdk::Error> {
        let levels = levels(settings)?;
        let allow = allowed(settings)?;
        // without the file, users have the names that they are known by everywhere
        let passwd = image.tree().read_text("/etc/passwd").unwrap_or_default();
        let mut found = checks::config(config, &passwd);
        if [Check::SetId, Check::Writable].iter().any(|check| levels.of(*check).is_some()) {
            let walked = image.tree().walk("/", |path, attributes| {
                let mut of_file = checks::file(path, attributes);
                // patterns cost more than a look at the mode
                if !of_file.is_empty() && !allow.iter().any(|it| path::matches(it, path)) {
                    found.append(&mut of_file);
                }
                sdk::Walk::Continue
            });
            let unseen = walked.map_err(|error| sdk::Error::unreadable("/", error))?;
            // as weighty as the weightiest of what may be in them
            let checks = [Check::SetId, Check::Writable].into_iter();
            let wanted = checks.filter_map(|check| Some((levels.of(check)?, check)));
            let heaviest = wanted.min_by_key(|(severity, _)| *severity);
            for (place, _) in unseen.0 {
                if !allow.iter().any(|it| path::matches(it, &place)) {
                    found.extend(heaviest.map(|(_, check)| checks::unseen(check, place)));
                }
            }
        }
        Ok(diagnostics(found, &levels))
    }
}

/// What each check's findings weigh; none when nobody wants to know.
#[derive(Debug)]
struct Levels([Option<sdk::Severity>; Check::ALL.len()]);

impl Levels {
    fn of(&self, check: Check) -> Option<sdk::Severity> {
        self.0[check as usize]
    }
}

fn levels(settings: &sdk::Settings) -> Result<Levels, sdk::Error> {
    let all = level(settings, "level")?.unwrap_or(Some(sdk::Severity::Warning));
    let mut levels = Levels([all; Check::ALL.len()]);
    for check in Check::ALL {
        if let Some(own) = level(settings, check.name())? {
            levels.0[check as usize] = own;
        }
    }
    Ok(levels)
}

fn level(
    settings: &sdk::Settings,
    name: &str,
) -> Result<Option<Option<sdk::Severity>>, sdk::Error> {
    match settings.text(name)?.as_deref() {
        None => Ok(None),
        Some("warn") => Ok(Some(Some(sdk::Severity::Warning))),
        Some("refuse") => Ok(Some(Some(sdk::Severity::Refusal))),
        Some("ignore") => Ok(Some(None)),
        Some(other) => Err(sdk::Error::setting(name, format!("`{other}` is no level"))
            .hint(format!("set `{name}` to `warn`, `refuse` or `ignore`"))),
    }
}

fn allowed(settings: &sdk::Settings) -> Result<Vec<String>, sdk::Error> {
    let patterns = settings.texts("allow")?;
    match patterns.iter().find(|pattern| !pattern.starts_with(['/', '*'])) {
        Some(wrong) => Err(sdk::Error::setting("allow", format!("`{wrong}` is no absolute path"))
            .hint("set `allow` to paths such as `/usr/bin/su` or `/usr/libexec/**`")),
        None => Ok(patterns),
    }
}

/// Findings in words, for those checks that somebody wants to know of.
fn diagnostics(found: Vec<Found>, levels: &Levels) -> Vec<sdk::Diagnostic> {
    let mut told = Vec::new();
    let mut counts = [0; Check::ALL.len()];
    for one in found {
        let Some(severity) = levels.of(one.check) else { continue };
        let count = &mut counts[one.check as usize];
        *count += 1;
        if *count > TOLD {
            continue;
        }
        let mut diagnostic = sdk::Diagnostic::new(severity, one.message).hint(one.hint);
        if let Some(path) = one.path {
            diagnostic = diagnostic.at(sdk::Origin::file(path));
        }
        told.push(diagnostic);
    }
    for check in Check::ALL {
        let more = counts[check as usize].saturating_sub(TOLD);
        if let Some(severity) = levels.of(check).filter(|_| more > 0) {
            let message = format!("{more} more files that `{}` is about", check.name());
            let hint = "let them pass with `allow`, or leave their packages out";
            told.push(sdk::Diagnostic::new(severity, message).hint(hint));
        }
    }
    told
}

sdk::export!(Hardening: Policy);

#[cfg(test)]
mod tests {
    use super::*;

    fn found(check: Check, path: &str) -> Found {
        let (message, hint) = ("m".to_owned(), "h".to_owned());
        Found { check, path: Some(path.to_owned()), message, hint }
    }

    #[test]
    fn a_checks_own_level_is_stronger_than_the_common_one() {
        let settings = sdk::Settings::of_texts(&[("level", "refuse"), ("root", "ignore")]);
        let levels = levels(&settings).unwrap();
        assert_eq!(levels.of(Check::Root), None);
        assert_eq!(levels.of(Check::SetId), Some(sdk::Severity::Refusal));
    }

    #[test]
    fn wrong_settings_are_named() {
        let Err(sdk::Error::Setting(error)) = levels(&sdk::Settings::of_texts(&[("setid", "no")]))
        else {
            panic!("an error")
        };
        assert_eq!((error.name.as_str(), error.message.as_str()), ("setid", "`no` is no level"));
        assert!(allowed(&sdk::Settings::of_texts(&[("allow", "usr/bin/su")])).is_err());
    }

    #[test]
    fn many_files_are_counted_and_ignored_checks_are_silent() {
        let mut levels = levels(&sdk::Settings::default()).unwrap();
        let many: Vec<_> =
            (0..23).map(|number| found(Check::SetId, &format!("/{number}"))).collect();
        let told = diagnostics(many, &levels);
        assert_eq!(told.len(), TOLD + 1);
        assert_eq!(told[TOLD].message, "3 more files that `setid` is about");
        levels.0[Check::Writable as usize] = None;
        assert_eq!(diagnostics(vec![found(Check::Writable, "/a")], &levels), []);
    }
}
