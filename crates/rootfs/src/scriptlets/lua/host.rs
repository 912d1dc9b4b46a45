//! The functions that reach outside the language, and what they share.

use super::{
    arguments::{Args, Out},
    errno::Problem,
    files, posix,
    process::Process,
    rpm,
};
use crate::scriptlets::{
    ScriptletError, ScriptletTask,
    fs::{Errno, FsError},
    shell::{Flow, Shell},
};
use std::{cell::RefCell, rc::Rc};

/// Why a host function gives no values.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Failure {
    /// An error of the script, which it may catch.
    Raise(Vec<u8>),
    /// The process ends.
    End(Flow),
}

impl Failure {
    pub(super) fn raise(message: impl Into<Vec<u8>>) -> Self {
        Self::Raise(message.into())
    }

    pub(super) fn unsupported(construct: impl Into<String>) -> Self {
        ScriptletError::unsupported(construct).into()
    }
}

impl From<ScriptletError> for Failure {
    fn from(error: ScriptletError) -> Self {
        Self::End(error.into())
    }
}

impl From<Flow> for Failure {
    fn from(flow: Flow) -> Self {
        Self::End(flow)
    }
}

/// Values, or why there are none.
pub(super) type Answer = Result<Vec<Out>, Failure>;

/// A host function.
pub(super) type Function = fn(&mut Host<'_>, &Args) -> Answer;

/// All host functions: the table that they are in, their name, what they are.
pub(super) fn functions() -> impl Iterator<Item = (&'static str, &'static str, Function)> {
    let groups = [("posix", posix::FUNCTIONS), ("rpm", rpm::FUNCTIONS), ("file", files::FUNCTIONS)];
    let named = |(group, list): (&'static str, &'static [(&'static str, Function)])| {
        list.iter().map(move |(name, function)| (group, *name, *function))
    };
    groups.into_iter().flat_map(named)
}

/// What a script runs in.
pub(super) struct Host<'a> {
    /// Its file system, environment and streams, and what runs programs.
    pub shell: Shell<'a>,
    pub process: Process,
}

impl<'a> Host<'a> {
    /// And where the output goes. Standard input is rpm's own, which is empty: the paths of a file
    /// trigger come from `rpm.next_file`.
    pub(super) fn new(task: &'a ScriptletTask<'a>) -> (Self, Rc<RefCell<Vec<u8>>>) {
        let (shell, output) = Shell::new(task, b"");
        (Self { shell, process: Process::default() }, output)
    }

    /// Calls a function, or gives its noted answer while a fork is caught up with.
    pub(super) fn call(&mut self, index: usize, function: Function, args: &Args) -> Answer {
        self.shell.budget.steps(1)?;
        self.shell.budget.bytes(args.size())?;
        if let Some(answer) = self.process.noted(index)? {
            return answer;
        }
        if !Self::is_write(index) {
            self.flush()?;
        }
        let answer = function(self, args);
        if let Ok(values) = &answer {
            self.shell.budget.bytes(values.iter().map(Out::size).sum())?;
        }
        if !matches!(answer, Err(Failure::End(_))) {
            self.process.note(index, answer.clone());
        }
        answer
    }

    /// What is written may wait as long as nothing else looks.
    fn is_write(index: usize) -> bool {
        functions().nth(index).is_some_and(|(group, name, _)| (group, name) == ("file", "write"))
    }

    /// Writes what rpm says of a script that failed.
    pub(super) fn complain(&mut self, message: &[u8]) -> Result<(), ScriptletError> {
        let Shell { env, fs, budget, .. } = &mut self.shell;
        env.streams.write(fs, budget, 2, &[b"error: ", message, b"\n"].concat())?;
        Ok(())
    }

    /// What rpm's functions give for a system call: a number, or nil with words and a number.
    pub(super) fn result(&mut self, result: Result<(), FsError>, info: Option<&[u8]>) -> Answer {
        match self.problem(result)? {
            Ok(()) => Ok(vec![Out::Number(0.0)]),
            Err(problem) => Ok(self.failed(problem, info)),
        }
    }

    /// What Lua's own functions give: true, or nil with words and a number.
    pub(super) fn file_result(
        &mut self,
        result: Result<(), FsError>,
        info: Option<&[u8]>,
    ) -> Answer {
        match self.problem(result)? {
            Ok(()) => Ok(vec![Out::Boolean(true)]),
            Err(problem) => Ok(Self::file_failed(&problem, info)),
        }
    }

    pub(super) fn file_failed(problem: &Problem, info: Option<&[u8]>) -> Vec<Out> {
        vec![Out::Nil, words(problem, info), Out::Integer(problem.number.into())]
    }

    pub(super) fn failed(&mut self, problem: Problem, info: Option<&[u8]>) -> Vec<Out> {
        let out = vec![Out::Nil, words(&problem, info), Out::Number(problem.number.into())];
        self.process.errno = problem;
        out
    }

    /// Parts what a script sees from what ends it.
    #[allow(clippy::unused_self, reason = "reads as a step of the host")]
    pub(super) fn problem<T>(
        &self,
        result: Result<T, FsError>,
    ) -> Result<Result<T, Problem>, Failure> {
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(FsError::Errno(errno)) => Ok(Err(errno.into())),
            Err(FsError::Fatal(error)) => Err(error.into()),
        }
    }

    /// Where a path leads that is followed to its end, and is there.
    pub(super) fn there(&self, path: &[u8]) -> Result<crate::TreePath, Errno> {
        self.shell.fs.lookup(until_nul(path), true)
    }

    /// Writes to a descriptor.
    pub(super) fn write(&mut self, fd: i32, bytes: &[u8]) -> Result<bool, Failure> {
        let Shell { env, fs, budget, .. } = &mut self.shell;
        Ok(env.streams.write(fs, budget, fd, bytes)?)
    }
}

fn words(problem: &Problem, info: Option<&[u8]>) -> Out {
    match info {
        Some(info) => Out::Text([info, b": ", problem.text.as_bytes()].concat()),
        None => Out::text(&problem.text),
    }
}

/// A C function sees a text up to its first zero.
pub(super) fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|b| *b == 0).next().unwrap_or_default()
}
