//! `ldconfig`: the links and the cache are made elsewhere, once for the finished tree.

use crate::scriptlets::{
    Action,
    shell::{Shell, Status},
};

pub(super) fn ldconfig(shell: &mut Shell<'_>, words: &[String]) -> Status {
    // what prints, or works on another root, is not what is done elsewhere
    if words.iter().any(|word| !matches!(word.as_str(), "-X" | "-N" | "-n" | "-v" | "-i")) {
        let directories = words.iter().filter(|word| !word.starts_with('-'));
        if words.iter().any(|word| word.starts_with('-')) || directories.count() == 0 {
            return super::unsupported(format!("ldconfig {}", words.join(" ")));
        }
    }
    shell.actions.push(Action::Ignored { command: "ldconfig".to_owned() });
    Ok(0)
}
