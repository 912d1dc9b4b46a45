//! `ExecStart=`: prefixes, words, specifiers.

use crate::specifier::Specifiers;
use crate::words::{Mode, WHITESPACE, first_word};

/// With whose rights a command runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Privilege {
    /// Those of `User=`; so it is with `!!` on any kernel of today.
    #[default]
    Dropped,
    /// `+`: root's.
    Full,
    /// `!`: root's, to drop them itself.
    Kept,
}

/// A command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// The program as it stands: absolute, or a name to look for.
    pub program: String,
    /// All words as the program sees them; the first is its name.
    pub argv: Vec<String>,
    /// `@`: the name that the program sees is not that of its file.
    pub named: bool,
    /// `-`: a failure counts as success.
    pub ignore_failure: bool,
    /// `:`: variables stay as they are.
    pub verbatim: bool,
    /// `+`, `!`
    pub privilege: Privilege,
    /// Specifiers that only the running machine knows.
    pub unknown: Vec<char>,
}

/// The commands of one `ExecStart=`. The error is what makes systemd refuse the unit; commands
/// before the broken one count all the same.
pub fn parse(value: &str, specifiers: &Specifiers<'_>) -> (Vec<Command>, Result<(), String>) {
    let mut commands = Vec::new();
    let mut rest = value;
    loop {
        let (command, after, more) = match one(rest, specifiers) {
            Ok(Some(found)) => found,
            Ok(None) => return (commands, Ok(())),
            // behind `-`, what is broken is left out
            Err((_, true)) => return (commands, Ok(())),
            Err((message, false)) => return (commands, Err(message)),
        };
        commands.push(command);
        if !more {
            return (commands, Ok(()));
        }
        rest = after;
    }
}

type Found<'a> = Option<(Command, &'a str, bool)>;

/// The first command, what follows it, and whether a `;` stood between; the error says whether it
/// is to be ignored.
fn one<'a>(text: &'a str, specifiers: &Specifiers<'_>) -> Result<Found<'a>, (String, bool)> {
    let word =
        first_word(text, Mode::Command).map_err(|error| (error.message().to_owned(), false))?;
    let Some(word) = word else { return Ok(None) };
    let mut command = Command::default();
    let program = prefixes(&word.text, &mut command);
    let ignore = command.ignore_failure;
    let fail = |message: String| (message, ignore);
    let expanded = specifiers.expand(program).map_err(fail)?;
    command.unknown.extend(expanded.unknown);
    check(&expanded.text).map_err(|message| (message, ignore))?;
    if !command.named {
        command.argv.push(expanded.text.clone());
    }
    command.program = expanded.text;
    let mut rest = word.rest;
    let mut more = false;
    while !rest.is_empty() {
        if let Some(after) = token(rest, ";") {
            (rest, more) = (after, true);
            break;
        }
        if let Some(after) = token(rest, "\\;") {
            command.argv.push(";".to_owned());
            rest = after;
            continue;
        }
        let word = first_word(rest, Mode::Command)
            .map_err(|error| (error.message().to_owned(), ignore))?;
        let Some(word) = word else { break };
        let expanded = specifiers.expand(&word.text).map_err(|message| (message, ignore))?;
        command.unknown.extend(expanded.unknown);
        command.argv.push(expanded.text);
        rest = word.rest;
    }
    if command.argv.first().is_none_or(String::is_empty) {
        return Err(("the name that the program is to see is missing".to_owned(), ignore));
    }
    Ok(Some((command, rest, more)))
}

fn prefixes<'a>(word: &'a str, command: &mut Command) -> &'a str {
    let mut rest = word;
    let mut ambient = false;
    while let Some(c) = rest.chars().next() {
        match (c, command.privilege) {
            ('-', _) if !command.ignore_failure => command.ignore_failure = true,
            ('@', _) if !command.named => command.named = true,
            (':', _) if !command.verbatim => command.verbatim = true,
            ('+', Privilege::Dropped) if !ambient => command.privilege = Privilege::Full,
            ('!', Privilege::Dropped) if !ambient => command.privilege = Privilege::Kept,
            ('!', Privilege::Kept) => {
                command.privilege = Privilege::Dropped;
                ambient = true;
            }
            _ => break,
        }
        rest = &rest[1..];
    }
    rest
}

/// What makes a path no program.
fn check(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("the program is missing".to_owned());
    }
    if path.chars().any(|c| c.is_control() || "\"\\'".contains(c)) {
        return Err(format!("the program `{}` has special characters", path.escape_debug()));
    }
    if path.ends_with('/') {
        return Err(format!("the program `{path}` is a directory"));
    }
    if !path.starts_with('/') && (path.contains('/') || path == "." || path == "..") {
        return Err(format!("the program `{path}` is neither a name nor an absolute path"));
    }
    Ok(())
}

/// What follows `token`, if it stands alone at the front.
fn token<'a>(text: &'a str, token: &str) -> Option<&'a str> {
    let after = text.strip_prefix(token)?;
    (after.is_empty() || after.starts_with(WHITESPACE))
        .then(|| after.trim_start_matches(WHITESPACE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::memory::Memory;
    use crate::name::UnitName;

    fn with<T>(value: &str, then: impl Fn(Vec<Command>, Result<(), String>) -> T) -> T {
        let (name, files) = (UnitName::parse("a").unwrap(), Memory::new());
        let (commands, result) = parse(value, &Specifiers::new(&name, "/a", &files));
        then(commands, result)
    }

    fn argv(value: &str) -> Vec<Vec<String>> {
        with(value, |commands, result| {
            result.unwrap();
            commands.into_iter().map(|command| command.argv).collect()
        })
    }

    #[test]
    fn semicolons_separate_when_they_stand_alone() {
        assert_eq!(
            argv(r#"/bin/a ; /bin/b c;d ";" \; e;"#),
            [vec!["/bin/a"], vec!["/bin/b", "c;d", ";", ";", "e;"]]
        );
        assert_eq!(argv("/bin/a ;"), [["/bin/a"]]);
    }

    #[test]
    fn prefixes_in_any_order() {
        with("-@:+/bin/a  b c", |commands, _| {
            let command = &commands[0];
            assert!(command.ignore_failure && command.named && command.verbatim);
            assert_eq!(command.privilege, Privilege::Full);
            assert_eq!((command.program.as_str(), command.argv.len()), ("/bin/a", 2));
        });
        with("!!/bin/a", |commands, _| assert_eq!(commands[0].privilege, Privilege::Dropped));
        with("!/bin/a", |commands, _| assert_eq!(commands[0].privilege, Privilege::Kept));
    }

    #[test]
    fn what_is_no_program() {
        for value in ["/bin/", "a/b", "@/bin/a", "/bin/a \"b", "%z", "!!!/a"] {
            with(value, |_, result| assert!(result.is_err(), "{value}"));
        }
        assert!(argv("-/bin/").is_empty());
    }
}
