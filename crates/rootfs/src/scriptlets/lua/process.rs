//! Processes: what a fork copies, and the answers that let a child catch up.

use super::{
    arguments::{Args, Out},
    errno::Problem,
    files::OpenFile,
    host::{Answer, Failure, Host},
    machine::{self, Ending},
    macros::Macros,
};
use crate::scriptlets::{
    ScriptletError,
    shell::{Flow, Options, Status},
    streams::Stream,
};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// How deeply children may have children: each is a state of its own.
const GENERATIONS: usize = 4;
/// The number that rpm's process has here.
const FIRST: u32 = 100;

/// A process.
#[derive(Debug, Clone)]
pub(super) struct Process {
    /// Files that are open.
    pub files: BTreeMap<i64, Rc<RefCell<OpenFile>>>,
    pub next_file: usize,
    pub errno: Problem,
    pub macros: Macros,
    pub pid: u32,
    last_pid: Rc<RefCell<u32>>,
    /// Children that nobody waited for.
    children: Vec<u32>,
    generation: usize,
    /// Answers of all calls so far, by function.
    notes: Vec<(usize, Answer)>,
    /// How many of them were given again.
    caught_up: usize,
}

impl Default for Process {
    fn default() -> Self {
        Self {
            files: BTreeMap::new(),
            next_file: 0,
            errno: Problem::success(),
            macros: Macros::default(),
            pid: FIRST,
            last_pid: Rc::new(RefCell::new(FIRST)),
            children: Vec::new(),
            generation: 0,
            notes: Vec::new(),
            caught_up: 0,
        }
    }
}

impl Process {
    /// Whether it was forked: only then it may be replaced or ended.
    pub(super) fn is_child(&self) -> bool {
        self.generation > 0
    }

    /// The noted answer of the next call.
    pub(super) fn noted(&mut self, index: usize) -> Result<Option<Answer>, Failure> {
        let Some((function, answer)) = self.notes.get(self.caught_up) else { return Ok(None) };
        if *function != index {
            return Err(Failure::unsupported("posix.fork of what does not repeat"));
        }
        self.caught_up += 1;
        Ok(Some(answer.clone()))
    }

    pub(super) fn note(&mut self, index: usize, answer: Answer) {
        self.notes.push((index, answer));
        self.caught_up = self.notes.len();
    }
}

/// `posix.fork()`
pub(super) fn fork(host: &mut Host<'_>, _: &Args) -> Answer {
    let pid = {
        let mut last = host.process.last_pid.borrow_mut();
        *last += 1;
        *last
    };
    if host.process.generation >= GENERATIONS {
        return Err(ScriptletError::Limit { what: "nested processes" }.into());
    }
    let mut child = host.process.clone();
    let index = machine::index_of("posix", "fork");
    child.note(index, Ok(vec![Out::Number(0.0)]));
    child.pid = pid;
    child.caught_up = 0;
    child.generation += 1;
    child.children.clear();
    let parent = std::mem::replace(&mut host.process, child);
    let (env, cwd, umask) =
        (host.shell.env.clone(), host.shell.fs.cwd.clone(), host.shell.fs.umask);
    let ending = machine::run(host);
    let result = match ending {
        Ok(Ending::Exited(_)) => Ok(()),
        Ok(Ending::Returned) => host.complain(b"No exec() called after fork() in lua scriptlet"),
        Ok(Ending::Failed(message)) => host
            .complain(&message)
            .and_then(|()| host.complain(b"No exec() called after fork() in lua scriptlet")),
        Err(error) => Err(error),
    };
    host.process = parent;
    host.shell.env = env;
    (host.shell.fs.cwd, host.shell.fs.umask) = (cwd, umask);
    result?;
    host.process.children.push(pid);
    Ok(vec![Out::Number(pid.into())])
}

/// `posix.wait([pid])`
pub(super) fn wait(host: &mut Host<'_>, args: &Args) -> Answer {
    let wanted = args.integer_or(1, -1)?;
    let children = &mut host.process.children;
    let found = children.iter().position(|pid| wanted == -1 || wanted == i64::from(*pid));
    match found {
        Some(at) => Ok(vec![Out::Number(children.remove(at).into())]),
        None => Ok(host.failed(Problem::no_child(), None)),
    }
}

/// `posix.exec(path, …)`
pub(super) fn exec(host: &mut Host<'_>, args: &Args) -> Answer {
    let path = args.string(1)?;
    if !host.process.is_child() {
        return Err(Failure::raise("exec not permitted in this context"));
    }
    let words = args.strings(1)?;
    if let Some(problem) = cannot_run(host, &path) {
        return Ok(host.failed(problem, Some(path.as_bytes())));
    }
    let status = program(host, &words)?;
    Err(Flow::Exit(status).into())
}

/// `os.exit([code])`
pub(super) fn exit(host: &mut Host<'_>, args: &Args) -> Answer {
    if !host.process.is_child() {
        return Err(Failure::raise("exit not permitted in this context"));
    }
    let status = match args.get(1) {
        Some(super::arguments::Arg::Boolean(fine)) => i64::from(!fine),
        _ => args.integer_or(1, 0)?,
    };
    Err(Flow::Exit((status & 0xff) as i32).into())
}

/// Why a program does not start.
pub(super) fn cannot_run(host: &Host<'_>, name: &str) -> Option<Problem> {
    if host.shell.find_program(name).is_some() {
        return None;
    }
    let there = name.contains('/') && host.there(name.as_bytes()).is_ok();
    Some(if there { Problem::denied() } else { crate::scriptlets::fs::Errno::NoEntry.into() })
}

/// Runs a program to its end.
pub(super) fn program(host: &mut Host<'_>, words: &[String]) -> Status {
    let name = words.first().and_then(|name| name.rsplit('/').next()).unwrap_or_default();
    if let ("sh" | "bash", [_, option, text, rest @ ..]) = (name, words)
        && option == "-c"
    {
        // the first word after the text is `$0`
        let positional = rest.get(1..).unwrap_or_default().to_vec();
        return separate(host, |shell| {
            shell.env.positional = positional;
            shell.script(text, 0)
        });
    }
    separate(host, |shell| shell.program(words))
}

/// Runs `sh -c` to its end.
pub(super) fn shell(host: &mut Host<'_>, command: &str) -> Status {
    if host.shell.find_program("/bin/sh").is_none() {
        return Ok(127);
    }
    separate(host, |shell| shell.script(command, 0))
}

/// The output of `sh -c`, and its status.
pub(super) fn output(host: &mut Host<'_>, command: &str) -> Result<(Vec<u8>, i32), Flow> {
    let (buffer, collected) = Stream::buffer();
    let old = host.shell.env.streams.0.insert(1, buffer);
    let status = shell(host, command);
    match old {
        Some(old) => host.shell.env.streams.0.insert(1, old),
        None => host.shell.env.streams.0.remove(&1),
    };
    let bytes = std::mem::take(&mut *collected.borrow_mut());
    Ok((bytes, status?))
}

fn separate(
    host: &mut Host<'_>,
    inner: impl FnOnce(&mut crate::scriptlets::shell::Shell<'_>) -> Status,
) -> Status {
    let shell = &mut host.shell;
    let here = format!("/{}", String::from_utf8_lossy(shell.fs.cwd.as_bytes()));
    let status = shell.subshell(|shell| {
        shell.set("PWD", here)?;
        shell.env.positional.clear();
        shell.env.options = Options::default();
        shell.env.variables.retain(|name, variable| variable.exported || name == "IFS");
        inner(shell)
    });
    // lines of commands are none of the script
    shell.line = 0;
    status
}
