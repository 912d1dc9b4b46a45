//! The shell: POSIX, and what bash adds and scriptlets use, evaluated on the tree.

mod arithmetic;
mod braces;
mod builtins;
mod compound;
mod expand;
mod fields;
mod parse;
mod redirect;
mod simple;
mod test;
mod word;

use super::{
    Action, Effects, ScriptletError, ScriptletTask,
    fs::Fs,
    limits::Budget,
    streams::{Stream, Streams},
};
use crate::accounts::Directive;
use brush_parser::ast;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

pub(in crate::scriptlets) use builtins::find as builtin;

/// What ends the normal course of evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flow {
    /// The shell ends.
    Exit(i32),
    /// The function ends.
    Return(i32),
    /// So many loops end.
    Break(u32),
    /// So many loops but one end, and that one goes on.
    Continue(u32),
    /// The run ends without an effect.
    Fatal(ScriptletError),
}

impl From<ScriptletError> for Flow {
    fn from(error: ScriptletError) -> Self {
        Self::Fatal(error)
    }
}

/// What a command gives: its exit status, or something else.
pub(super) type Status = Result<i32, Flow>;

/// A variable.
#[derive(Debug, Clone, Default)]
pub(super) struct Variable {
    /// None: declared, not set.
    pub value: Option<String>,
    pub exported: bool,
    pub readonly: bool,
}

/// Options of `set`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Options {
    pub errexit: bool,
    pub nounset: bool,
    pub noglob: bool,
    pub noclobber: bool,
    pub pipefail: bool,
}

/// What a subshell has a copy of.
#[derive(Debug, Clone)]
pub(super) struct Env {
    pub variables: BTreeMap<String, Variable>,
    pub functions: BTreeMap<String, Rc<ast::FunctionBody>>,
    pub positional: Vec<String>,
    pub options: Options,
    pub streams: Streams,
    pub status: i32,
    /// `trap … EXIT`
    pub at_exit: Option<String>,
}

/// An evaluator.
pub(super) struct Shell<'a> {
    pub task: &'a ScriptletTask<'a>,
    pub fs: Fs<'a>,
    pub budget: Budget,
    pub actions: Vec<Action>,
    /// The accounts that were asked for, as lines of `sysusers.d` would ask for them.
    pub accounts: Vec<Directive>,
    /// Nothing but `accounts` counts: every program is there, and those not known do nothing.
    pub rehearsal: bool,
    pub env: Env,
    /// Line of the script, for errors.
    pub line: usize,
    /// What lines of the text at hand are counted from.
    base_line: usize,
    /// Where a failing command is no reason to stop.
    tolerant: u32,
    loops: u32,
    /// Variables that functions hide, innermost last.
    locals: Vec<BTreeMap<String, Option<Variable>>>,
    /// Status of the last command substitution of a command without a name.
    substituted: Option<i32>,
}

/// Runs a scriptlet's interpreter.
pub(super) fn run(task: &ScriptletTask<'_>) -> Result<Effects, ScriptletError> {
    let (mut shell, collected) = Shell::new(task, task.stdin);
    let status = match shell.interpret() {
        Ok(status) | Err(Flow::Exit(status) | Flow::Return(status)) => status,
        Err(Flow::Break(_) | Flow::Continue(_)) => 0,
        Err(Flow::Fatal(error)) => return Err(error.at(shell.line)),
    };
    shell.finish(&collected, status)
}

/// Runs a scriptlet only to learn which accounts it asks for; what it does to the tree counts as
/// far as it got.
pub(super) fn rehearse(task: &ScriptletTask<'_>) -> (Vec<Directive>, Effects) {
    let (mut shell, _) = Shell::new(task, task.stdin);
    shell.rehearsal = true;
    let status = match shell.interpret() {
        Ok(status) | Err(Flow::Exit(status)) => status,
        Err(_) => 0,
    };
    let Shell { fs, actions, accounts, .. } = shell;
    let changes = fs.finish().unwrap_or_default();
    (accounts, Effects { changes, actions, output: Vec::new(), status })
}

impl<'a> Shell<'a> {
    /// A shell that has done nothing yet, and where its output goes.
    pub(super) fn new(task: &'a ScriptletTask<'a>, stdin: &[u8]) -> (Self, Rc<RefCell<Vec<u8>>>) {
        let (output, collected) = Stream::buffer();
        let stdin = Stream::input(stdin.to_vec());
        let streams = BTreeMap::from([(0, stdin), (1, output.clone()), (2, output)]);
        let mut variables = BTreeMap::new();
        let defaults = [
            ("PATH", "/sbin:/bin:/usr/sbin:/usr/bin:/usr/X11R6/bin", true),
            ("PWD", "/", true),
            ("HOME", "/root", true),
            ("IFS", " \t\n", false),
            ("OPTIND", "1", false),
            ("PS4", "+ ", false),
            ("UID", "0", false),
            ("EUID", "0", false),
        ];
        for (name, value, exported) in defaults {
            let variable = Variable { value: Some(value.to_owned()), exported, readonly: false };
            variables.insert(name.to_owned(), variable);
        }
        let shell = Self {
            task,
            fs: Fs::new(task.tree, task.contents, task.installed, task.mtime, &task.limits),
            budget: Budget { left: task.limits },
            actions: Vec::new(),
            accounts: Vec::new(),
            rehearsal: false,
            env: Env {
                variables,
                functions: BTreeMap::new(),
                positional: task.arguments.to_vec(),
                options: Options::default(),
                streams: Streams(streams),
                status: 0,
                at_exit: None,
            },
            line: 0,
            base_line: 0,
            tolerant: 0,
            loops: 0,
            locals: Vec::new(),
            substituted: None,
        };
        (shell, collected)
    }

    /// What it did.
    pub(super) fn finish(
        self,
        collected: &RefCell<Vec<u8>>,
        status: i32,
    ) -> Result<Effects, ScriptletError> {
        let output = collected.borrow().clone();
        Ok(Effects { changes: self.fs.finish()?, actions: self.actions, output, status })
    }
}

impl Shell<'_> {
    /// The scriptlet as rpm starts it: a shell with a script, or a program with arguments.
    fn interpret(&mut self) -> Status {
        let (program, options) = match self.task.program {
            [] => ("/bin/sh", &[][..]),
            [program, options @ ..] => (program.as_str(), options),
        };
        let name = program.rsplit('/').next().unwrap_or(program);
        if !matches!(name, "sh" | "bash" | "dash" | "ash" | "ksh") {
            if program.starts_with('<') {
                return Err(ScriptletError::Interpreter(program.to_owned()).into());
            }
            if !self.task.body.trim().is_empty() {
                return Err(ScriptletError::Interpreter(program.to_owned()).into());
            }
            let mut words = self.task.program.to_vec();
            words.extend(self.task.arguments.iter().cloned());
            return self.execute(&words);
        }
        for option in options {
            let known = option.strip_prefix('-').is_some_and(|letters| {
                !letters.is_empty() && letters.chars().all(|c| self.set_letter(c, true))
            });
            if !known {
                let text = format!("{program} {option}");
                return Err(ScriptletError::unsupported(text).into());
            }
        }
        let result = self.script(self.task.body, 0);
        self.leave(result)
    }

    /// Parses and evaluates a text; `line` is that of the line before it.
    pub(super) fn script(&mut self, text: &str, line: usize) -> Status {
        let outer = std::mem::replace(&mut self.base_line, line);
        self.budget.deeper()?;
        self.budget.steps(text.len() as u64 / 16 + 1)?;
        let program = parse::parse(text).map_err(|error| error.at_base(line))?;
        let mut lists = program.complete_commands.iter();
        let result = lists.try_fold(0, |_, list| self.list(list));
        self.budget.shallower();
        self.base_line = outer;
        result
    }

    /// What is done when a shell ends: its exit trap.
    fn leave(&mut self, result: Status) -> Status {
        let status = match result {
            Ok(status) | Err(Flow::Exit(status)) => status,
            other => return other,
        };
        let Some(trap) = self.env.at_exit.take() else { return Ok(status) };
        self.env.status = status;
        match self.script(&trap, self.line.saturating_sub(1)) {
            Ok(_) => Ok(status),
            Err(Flow::Exit(status)) => Ok(status),
            other => other,
        }
    }

    /// Evaluates in a subshell: everything but the tree is as before afterwards.
    pub(super) fn subshell(&mut self, inner: impl FnOnce(&mut Self) -> Status) -> Status {
        let env = self.env.clone();
        let (cwd, umask, loops) = (self.fs.cwd.clone(), self.fs.umask, self.loops);
        let locals = self.locals.clone();
        let base_line = self.base_line;
        self.env.at_exit = None;
        let result = inner(self);
        let result = self.leave(result);
        self.env = env;
        (self.fs.cwd, self.fs.umask, self.loops) = (cwd, umask, loops);
        (self.locals, self.base_line) = (locals, base_line);
        match result {
            Ok(status) | Err(Flow::Exit(status) | Flow::Return(status)) => Ok(status),
            Err(Flow::Break(_) | Flow::Continue(_)) => Ok(0),
            Err(fatal) => Err(fatal),
        }
    }

    /// The output of what `inner` does.
    pub(super) fn capture(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Status,
    ) -> Result<(Vec<u8>, i32), Flow> {
        let (output, collected) = Stream::buffer();
        let old = self.env.streams.0.insert(1, output);
        let result = inner(self);
        match old {
            Some(old) => self.env.streams.0.insert(1, old),
            None => self.env.streams.0.remove(&1),
        };
        let bytes = std::mem::take(&mut *collected.borrow_mut());
        Ok((bytes, result?))
    }

    /// Writes to standard output.
    pub(super) fn out(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), Flow> {
        let Self { env, fs, budget, .. } = self;
        env.streams.write(fs, budget, 1, bytes.as_ref())?;
        Ok(())
    }

    /// Writes a line to standard error, and gives status 1.
    pub(super) fn complain(&mut self, message: impl std::fmt::Display) -> Status {
        let Self { env, fs, budget, .. } = self;
        env.streams.write(fs, budget, 2, format!("{message}\n").as_bytes())?;
        Ok(1)
    }

    /// The value of a variable.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.env.variables.get(name)?.value.as_deref()
    }

    /// Sets a variable; a constant one is an error of the script.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) -> Result<(), Flow> {
        let value = value.into();
        self.budget.bytes(value.len())?;
        if matches!(name, "RANDOM" | "SECONDS" | "LINENO" | "BASHPID") {
            return Err(ScriptletError::unsupported(format!("${name}")).into());
        }
        let variable = self.env.variables.entry(name.to_owned()).or_default();
        if variable.readonly {
            self.complain(format!("{name}: readonly variable"))?;
            return Err(Flow::Exit(1));
        }
        variable.value = Some(value);
        Ok(())
    }

    /// An option of `set` by its letter; false when there is none such.
    pub(super) fn set_letter(&mut self, letter: char, on: bool) -> bool {
        let options = &mut self.env.options;
        match letter {
            'e' => options.errexit = on,
            'u' => options.nounset = on,
            'f' => options.noglob = on,
            'C' => options.noclobber = on,
            // tracing goes to the log alone, and the rest is for people
            'x' | 'v' | 'h' | 'm' | 'b' | 'B' | 'p' => {}
            _ => return false,
        }
        true
    }
}
