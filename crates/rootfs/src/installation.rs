//! What the scripts of an image's packages leave in its tree, in rpm's order.
//!
//! Everything that rpm would run is interpreted on the tree. What cannot be interpreted goes to the
//! caller ([`Fallback`]), who has the policy.

use crate::{
    Owners, PackageIndex, Tree,
    scriptlets::{Contents, Effects, Limits, Outcome, ScriptletError, ScriptletTask, run},
    transaction::{Action, Member, Phase, Step, steps},
};

/// Longest standard input of a file trigger, bytes.
const MOST_STDIN: usize = 64 << 20;
/// `RPMSCRIPT_FLAG_EXPAND` and `RPMSCRIPT_FLAG_QFORMAT`: the script is a template.
const TEMPLATE: u32 = 1 | 2;
/// How much of a script's output is kept of one that failed, bytes.
const MOST_OUTPUT: usize = 500;

/// What is installed into which tree.
#[derive(Clone, Copy)]
pub struct Installation<'a> {
    /// The packages in the order of their installation, as the merge had them.
    pub members: &'a [Member<'a>],
    /// The bytes of the packages' files.
    pub contents: &'a dyn Contents,
    /// Numbers for the accounts that scripts make.
    pub owners: &'a Owners,
    /// Seconds since 1970 that date what scripts write.
    pub epoch: u64,
    /// How much each script may do.
    pub limits: Limits,
}

/// What the caller does with a script that is not interpreted.
#[derive(Debug)]
pub enum Fallback {
    /// It was run elsewhere, and left this.
    Sandboxed(Effects),
    /// It is left out.
    Skip,
    /// The image cannot be made, for this reason.
    Refuse(String),
}

/// What became of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran {
    /// It was interpreted on the tree.
    Interpreted,
    /// The image's own programs ran it, shut in.
    Sandboxed,
    /// It was left out, for this reason.
    Skipped(String),
    /// It came to its end with a failure that rpm only warns of: this one.
    Failed(String),
    /// The image cannot be made, for this reason.
    Refused(String),
}

/// A script and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptRun {
    /// Whose script it is.
    pub package: PackageIndex,
    /// When rpm runs it.
    pub phase: Phase,
    /// Interpreter and arguments.
    pub program: Vec<String>,
    /// What became of it.
    pub ran: Ran,
}

/// Runs everything in rpm's order. `tree` is what the merge made of the packages, with all their
/// files; a script sees those of the packages before it only.
///
/// A script that is refused changes nothing, and the others run all the same, so that one run tells
/// of all.
pub fn install(
    task: &Installation<'_>,
    tree: &mut Tree,
    fallback: &mut dyn FnMut(&Action<'_>, &ScriptletTask<'_>, &ScriptletError) -> Fallback,
) -> Vec<ScriptRun> {
    let mut runs = Vec::new();
    let mut installed = 0;
    let all = u32::try_from(task.members.len()).unwrap_or(u32::MAX);
    for step in steps(task.members) {
        let action = match step {
            Step::Files(PackageIndex(at)) => {
                installed = at.saturating_add(1);
                continue;
            }
            Step::Run(action) => action,
        };
        let seen = (installed < all).then_some(installed);
        runs.push(ScriptRun {
            package: action.package,
            phase: action.phase,
            program: action.scriptlet.program.clone(),
            ran: step_of(task, tree, seen, &action, fallback),
        });
    }
    runs
}

fn step_of(
    task: &Installation<'_>,
    tree: &mut Tree,
    installed: Option<u32>,
    action: &Action<'_>,
    fallback: &mut dyn FnMut(&Action<'_>, &ScriptletTask<'_>, &ScriptletError) -> Fallback,
) -> Ran {
    let arguments = arguments(action);
    let stdin = stdin(action);
    let scriptlet = ScriptletTask {
        tree,
        installed,
        contents: task.contents,
        owners: task.owners,
        kind: action.scriptlet.kind,
        program: &action.scriptlet.program,
        body: &action.scriptlet.body,
        arguments: &arguments,
        stdin: stdin.as_deref().unwrap_or_default(),
        mtime: task.epoch,
        limits: task.limits,
    };
    let interpreted = match (&stdin, is_template(action)) {
        (Err(error), _) => Err(error.clone()),
        (Ok(_), true) => Err(ScriptletError::unsupported("a script with macros (-e or -q)")),
        (Ok(_), false) => run(&scriptlet),
    };
    let (effects, ran) = match interpreted {
        Ok(effects) => (effects, Ran::Interpreted),
        Err(error) => match fallback(action, &scriptlet, &error) {
            Fallback::Sandboxed(effects) => (effects, Ran::Sandboxed),
            Fallback::Skip => return Ran::Skipped(error.to_string()),
            Fallback::Refuse(reason) => return Ran::Refused(reason),
        },
    };
    match effects.outcome(action.scriptlet.kind) {
        Outcome::Done => {}
        Outcome::PackageFails => return Ran::Refused(failure(&effects)),
        // what it did before it failed stays
        Outcome::Warning => {
            effects.apply(tree);
            return Ran::Failed(failure(&effects));
        }
    }
    effects.apply(tree);
    ran
}

/// A program that stands alone gets no arguments from rpm.
fn arguments(action: &Action<'_>) -> Vec<String> {
    if action.scriptlet.body.is_empty() {
        return Vec::new();
    }
    // a file trigger has neither: rpm passes -1 for what there is not
    [Some(action.arg1), action.arg2].into_iter().flatten().map(|count| count.to_string()).collect()
}

fn stdin(action: &Action<'_>) -> Result<Vec<u8>, ScriptletError> {
    let mut stdin = Vec::new();
    for path in action.paths.iter() {
        if stdin.len() + path.len() >= MOST_STDIN {
            return Err(ScriptletError::Limit { what: "paths for a file trigger" });
        }
        stdin.extend_from_slice(path);
        stdin.push(b'\n');
    }
    Ok(stdin)
}

/// Whether rpm would expand macros or query tags in it first, and finds any.
fn is_template(action: &Action<'_>) -> bool {
    action.scriptlet.flags & TEMPLATE != 0 && action.scriptlet.body.contains('%')
}

/// Exit status and the end of the output.
fn failure(effects: &Effects) -> String {
    let output = String::from_utf8_lossy(&effects.output);
    let output = output.trim();
    let from = output.len().saturating_sub(MOST_OUTPUT);
    let from = (from..=output.len()).find(|at| output.is_char_boundary(*at)).unwrap_or(0);
    let end = output[from..].replace('\n', "; ");
    let status = effects.status;
    if end.is_empty() {
        format!("exit status {status}")
    } else {
        format!("exit status {status}: {end}")
    }
}

#[cfg(test)]
mod tests;
