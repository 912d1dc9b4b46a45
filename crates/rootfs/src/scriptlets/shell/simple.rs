//! Simple commands: assignments, functions, built-in commands and programs of the tree.

use super::{Flow, Shell, Status, Variable, builtins, word::Mode};
use crate::{
    Kind, TreePath,
    scriptlets::{Action, ScriptletError, commands, fs::FsError},
};
use brush_parser::ast::{
    Assignment, AssignmentName, AssignmentValue, CommandPrefixOrSuffixItem, FunctionBody,
    IoRedirect, SimpleCommand,
};
use std::{collections::BTreeMap, rc::Rc};

/// Whether a text can be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl Shell<'_> {
    pub(super) fn simple(&mut self, command: &SimpleCommand) -> Status {
        let mut assignments: Vec<&Assignment> = Vec::new();
        let mut redirects: Vec<&IoRedirect> = Vec::new();
        let mut words = Vec::new();
        let prefix = command.prefix.iter().flat_map(|prefix| &prefix.0);
        let suffix = command.suffix.iter().flat_map(|suffix| &suffix.0);
        self.substituted = None;
        for item in prefix {
            match item {
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) => {
                    assignments.push(assignment);
                }
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => redirects.push(redirect),
                CommandPrefixOrSuffixItem::Word(word) => words.extend(self.fields([word])?),
                CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {
                    return Err(ScriptletError::unsupported("<(…)").into());
                }
            }
        }
        if let Some(name) = &command.word_or_name {
            words.extend(self.fields([name])?);
        }
        let declares = words.first().is_some_and(|name| {
            matches!(name.as_str(), "export" | "readonly" | "local" | "declare" | "typeset")
        });
        for item in suffix {
            match item {
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, word) => {
                    if matches!(assignment.value, AssignmentValue::Array(_)) {
                        return Err(ScriptletError::unsupported("arrays").into());
                    }
                    if declares {
                        words.push(self.text(&word.value, Mode::Plain)?);
                    } else {
                        words.extend(self.fields([word])?);
                    }
                }
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => redirects.push(redirect),
                CommandPrefixOrSuffixItem::Word(word) => words.extend(self.fields([word])?),
                CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {
                    return Err(ScriptletError::unsupported("<(…)").into());
                }
            }
        }
        let Some(name) = words.first().cloned() else {
            return self.assignments_alone(&assignments, &redirects);
        };
        if name == "exec" {
            return self.exec(&words[1..], &redirects);
        }
        let outer = self.env.streams.clone();
        let special = builtins::is_special(&name);
        let result = match self.redirect(redirects.iter().copied()) {
            Ok(true) => self.with_assignments(&assignments, special, |shell| shell.execute(&words)),
            Ok(false) if special => Err(Flow::Exit(1)),
            Ok(false) => Ok(1),
            Err(error) => Err(error),
        };
        self.env.streams = outer;
        result
    }

    fn assignments_alone(
        &mut self,
        assignments: &[&Assignment],
        redirects: &[&IoRedirect],
    ) -> Status {
        for assignment in assignments {
            let (name, value) = self.assignment(assignment)?;
            self.set(&name, value)?;
        }
        let status = self.substituted.take().unwrap_or(0);
        let outer = self.env.streams.clone();
        let fine = self.redirect(redirects.iter().copied());
        self.env.streams = outer;
        Ok(if fine? { status } else { 1 })
    }

    fn assignment(&mut self, assignment: &Assignment) -> Result<(String, String), Flow> {
        let (AssignmentName::VariableName(name), AssignmentValue::Scalar(word)) =
            (&assignment.name, &assignment.value)
        else {
            return Err(ScriptletError::unsupported("arrays").into());
        };
        let value = self.text(&word.value, Mode::Plain)?;
        let value = if assignment.append {
            format!("{}{value}", self.get(name).unwrap_or_default())
        } else {
            value
        };
        Ok((name.clone(), value))
    }

    /// Evaluates with variables that are set for one command only, or, before a special
    /// built-in command, for good.
    fn with_assignments(
        &mut self,
        assignments: &[&Assignment],
        stay: bool,
        inner: impl FnOnce(&mut Self) -> Status,
    ) -> Status {
        let mut before: BTreeMap<String, Option<Variable>> = BTreeMap::new();
        for assignment in assignments {
            let (name, value) = self.assignment(assignment)?;
            let old = self.env.variables.get(&name).cloned();
            before.entry(name.clone()).or_insert(old);
            self.set(&name, value)?;
            if let Some(variable) = self.env.variables.get_mut(&name)
                && !stay
            {
                variable.exported = true;
            }
        }
        let result = inner(self);
        if !stay {
            self.restore(before);
        }
        result
    }

    fn restore(&mut self, before: BTreeMap<String, Option<Variable>>) {
        for (name, old) in before {
            match old {
                Some(old) => self.env.variables.insert(name, old),
                None => self.env.variables.remove(&name),
            };
        }
    }

    fn exec(&mut self, words: &[String], redirects: &[&IoRedirect]) -> Status {
        if !self.redirect(redirects.iter().copied())? {
            return Err(Flow::Exit(1));
        }
        match words {
            [] => Ok(0),
            words => {
                let status = self.execute(words)?;
                self.env.at_exit = None;
                Err(Flow::Exit(status))
            }
        }
    }

    /// A command by its words, the name first.
    pub(super) fn execute(&mut self, words: &[String]) -> Status {
        let Some((name, arguments)) = words.split_first() else { return Ok(0) };
        if let Some(body) = self.env.functions.get(name).cloned() {
            return self.call(&body, arguments);
        }
        if let Some(builtin) = builtins::find(name) {
            return builtin(self, arguments);
        }
        if builtins::is_unsupported(name) {
            return Err(ScriptletError::unsupported(name.clone()).into());
        }
        self.program(words)
    }

    fn call(&mut self, body: &Rc<FunctionBody>, arguments: &[String]) -> Status {
        self.budget.deeper()?;
        let positional = std::mem::replace(&mut self.env.positional, arguments.to_vec());
        let loops = std::mem::take(&mut self.loops);
        self.locals.push(BTreeMap::new());
        let FunctionBody(compound, redirects) = &**body;
        let result = match redirects {
            None => self.compound(compound),
            Some(redirects) => self.redirected(&redirects.0, |shell| shell.compound(compound)),
        };
        if let Some(hidden) = self.locals.pop() {
            self.restore(hidden);
        }
        self.loops = loops;
        self.env.positional = positional;
        self.budget.shallower();
        match result {
            Err(Flow::Return(status)) => Ok(status),
            other => other,
        }
    }

    /// A program of the tree, by path or by name.
    pub(in crate::scriptlets) fn program(&mut self, words: &[String]) -> Status {
        let Some((name, arguments)) = words.split_first() else { return Ok(0) };
        self.budget.steps(1)?;
        if self.rehearsal {
            let base = name.rsplit('/').next().unwrap_or(name);
            return commands::run(self, base, arguments).unwrap_or(Ok(0));
        }
        let Some(path) = self.find_program(name) else {
            self.actions.push(Action::NotFound { program: name.clone() });
            self.complain(format!("/bin/sh: {name}: command not found"))?;
            return Ok(127);
        };
        let base = name.rsplit('/').next().unwrap_or(name);
        if let Some(status) = commands::run(self, base, arguments) {
            return status;
        }
        self.interpret_script(&path, base, arguments)
    }

    /// The path of a program that is there and can be run.
    pub(in crate::scriptlets) fn find_program(&self, name: &str) -> Option<TreePath> {
        let runs = |path: &TreePath| {
            self.fs.node(path).is_some_and(|node| {
                matches!(node.kind, Kind::File { .. }) && node.mode & 0o111 != 0
            })
        };
        let at = |raw: &str| self.fs.lookup(raw.as_bytes(), true).ok().filter(runs);
        if name.contains('/') {
            return at(name);
        }
        let path = self.get("PATH").unwrap_or_default();
        path.split(':').find_map(|directory| {
            let directory = if directory.is_empty() { "." } else { directory };
            at(&format!("{directory}/{name}"))
        })
    }

    /// A program that is a shell script itself.
    fn interpret_script(&mut self, path: &TreePath, base: &str, arguments: &[String]) -> Status {
        let needs = || Flow::from(commands::lacking(base));
        let bytes = match self.fs.read(path) {
            Ok(bytes) => bytes,
            Err(FsError::Fatal(ScriptletError::Content { .. })) | Err(FsError::Errno(_)) => {
                return Err(needs());
            }
            Err(FsError::Fatal(error)) => return Err(error.into()),
        };
        let text = str::from_utf8(&bytes).map_err(|_| needs())?;
        let first = text.lines().next().unwrap_or_default();
        let interpreter = first.strip_prefix("#!").ok_or_else(needs)?;
        let mut parts = interpreter.split_whitespace();
        if !matches!(parts.next(), Some("/bin/sh" | "/bin/bash" | "/usr/bin/sh" | "/usr/bin/bash"))
        {
            return Err(needs());
        }
        let options: Vec<&str> = parts.collect();
        let line = self.line;
        let tolerant = std::mem::take(&mut self.tolerant);
        let status = self.subshell(|shell| {
            shell.env.positional = arguments.to_vec();
            shell.env.functions.clear();
            shell.env.options = super::Options::default();
            shell.env.variables.retain(|name, variable| variable.exported || name == "IFS");
            shell.locals.clear();
            for letter in options.iter().filter_map(|option| option.strip_prefix('-')) {
                if !letter.chars().all(|letter| shell.set_letter(letter, true)) {
                    return Err(needs());
                }
            }
            shell.script(text, 0)
        });
        (self.line, self.tolerant) = (line, tolerant);
        match status {
            // its lines are not those of the scriptlet
            Err(Flow::Fatal(
                ScriptletError::Syntax { .. } | ScriptletError::Unsupported { .. },
            )) => Err(needs()),
            other => other,
        }
    }
}
