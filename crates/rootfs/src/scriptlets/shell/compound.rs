//! Lists, pipelines and compound commands.

use super::{Flow, Shell, Status, Stream, word::Mode};
use crate::scriptlets::{ScriptletError, glob::Pattern};
use brush_parser::ast::{
    self, AndOr, AndOrList, Command, CompoundCommand, CompoundList, Pipeline, SeparatorOperator,
    SourceLocation,
};
use std::rc::Rc;

impl Shell<'_> {
    pub(super) fn list(&mut self, list: &CompoundList) -> Status {
        let mut status = 0;
        for ast::CompoundListItem(item, separator) in &list.0 {
            if matches!(separator, SeparatorOperator::Async) {
                self.at(item.location().as_ref());
                return Err(ScriptletError::unsupported("&").into());
            }
            status = self.and_or(item)?;
        }
        Ok(status)
    }

    fn at(&mut self, location: Option<&brush_parser::SourceSpan>) {
        if let Some(location) = location {
            self.line = location.start.line + self.base_line;
        }
    }

    fn and_or(&mut self, list: &AndOrList) -> Status {
        let last = list.additional.len();
        let mut status = self.tolerated(last > 0, |shell| shell.pipeline(&list.first))?;
        for (index, next) in list.additional.iter().enumerate() {
            let (pipeline, wanted) = match next {
                AndOr::And(pipeline) => (pipeline, true),
                AndOr::Or(pipeline) => (pipeline, false),
            };
            if (status == 0) == wanted {
                status = self.tolerated(index + 1 < last, |shell| shell.pipeline(pipeline))?;
            }
        }
        Ok(status)
    }

    /// Evaluates where a failure is no reason to stop.
    pub(super) fn tolerated(
        &mut self,
        tolerant: bool,
        inner: impl FnOnce(&mut Self) -> Status,
    ) -> Status {
        self.tolerant += u32::from(tolerant);
        let status = inner(self);
        self.tolerant -= u32::from(tolerant);
        status
    }

    fn pipeline(&mut self, pipeline: &Pipeline) -> Status {
        if pipeline.timed.is_some() {
            return Err(ScriptletError::unsupported("time").into());
        }
        let status = self.tolerated(pipeline.bang, |shell| match pipeline.seq.as_slice() {
            [only] => shell.command(only),
            all => shell.pipe(all),
        })?;
        let status = if pipeline.bang { i32::from(status == 0) } else { status };
        self.env.status = status;
        Ok(status)
    }

    /// One command after the other, each with the output of the one before it.
    fn pipe(&mut self, commands: &[Command]) -> Status {
        let mut input: Option<Vec<u8>> = None;
        let mut failed = 0;
        let mut status = 0;
        for (index, command) in commands.iter().enumerate() {
            let last = index + 1 == commands.len();
            let given = input.take();
            let inner = |shell: &mut Self| {
                shell.subshell(|shell| {
                    if let Some(bytes) = given {
                        shell.env.streams.0.insert(0, Stream::input(bytes));
                    }
                    shell.tolerated(!last, |shell| shell.command(command))
                })
            };
            status = if last {
                inner(self)?
            } else {
                let (bytes, status) = self.capture(inner)?;
                input = Some(bytes);
                status
            };
            if status != 0 {
                failed = status;
            }
        }
        if self.env.options.pipefail {
            status = failed;
        }
        self.check(status)
    }

    /// `set -e`
    pub(super) fn check(&mut self, status: i32) -> Status {
        self.env.status = status;
        if status != 0 && self.env.options.errexit && self.tolerant == 0 {
            return Err(Flow::Exit(status));
        }
        Ok(status)
    }

    fn command(&mut self, command: &Command) -> Status {
        self.budget.steps(1)?;
        self.at(command.location().as_ref());
        match command {
            Command::Simple(simple) => {
                let status = self.simple(simple)?;
                self.check(status)
            }
            Command::Compound(compound, redirects) => {
                let status = match redirects {
                    None => self.compound(compound)?,
                    Some(redirects) => {
                        self.redirected(&redirects.0, |shell| shell.compound(compound))?
                    }
                };
                self.env.status = status;
                if matches!(compound, CompoundCommand::Subshell(_)) {
                    return self.check(status);
                }
                Ok(status)
            }
            Command::Function(function) => {
                let body = Rc::new(function.body.clone());
                self.env.functions.insert(function.fname.value.clone(), body);
                Ok(0)
            }
            Command::ExtendedTest(test, redirects) => {
                if redirects.is_some() {
                    return Err(ScriptletError::unsupported("[[ … ]] >").into());
                }
                let status = i32::from(!self.extended(&test.expr)?);
                self.check(status)
            }
        }
    }

    pub(super) fn compound(&mut self, compound: &CompoundCommand) -> Status {
        match compound {
            CompoundCommand::BraceGroup(group) => self.list(&group.list),
            CompoundCommand::Subshell(inner) => self.subshell(|shell| shell.list(&inner.list)),
            CompoundCommand::IfClause(clause) => self.if_clause(clause),
            CompoundCommand::ForClause(clause) => self.for_clause(clause),
            CompoundCommand::WhileClause(clause) => self.while_clause(clause, true),
            CompoundCommand::UntilClause(clause) => self.while_clause(clause, false),
            CompoundCommand::CaseClause(clause) => self.case_clause(clause),
            CompoundCommand::Arithmetic(command) => {
                let text = self.text(&command.expr.value, Mode::Double)?;
                let status = i32::from(self.arithmetic(&text)? == 0);
                self.check(status)
            }
            CompoundCommand::ArithmeticForClause(_) => {
                Err(ScriptletError::unsupported("for ((…))").into())
            }
            CompoundCommand::Coprocess(_) => Err(ScriptletError::unsupported("coproc").into()),
        }
    }

    fn if_clause(&mut self, clause: &ast::IfClauseCommand) -> Status {
        if self.tolerated(true, |shell| shell.list(&clause.condition))? == 0 {
            return self.list(&clause.then);
        }
        for other in clause.elses.iter().flatten() {
            let taken = match &other.condition {
                None => true,
                Some(condition) => self.tolerated(true, |shell| shell.list(condition))? == 0,
            };
            if taken {
                return self.list(&other.body);
            }
        }
        Ok(0)
    }

    fn for_clause(&mut self, clause: &ast::ForClauseCommand) -> Status {
        let values = match &clause.values {
            None => self.env.positional.clone(),
            Some(words) => self.fields(words)?,
        };
        let mut status = 0;
        for value in values {
            self.set(&clause.variable_name, value)?;
            match self.round(&clause.body.list)? {
                Round::Next(done) => status = done,
                Round::End => return Ok(0),
            }
        }
        Ok(status)
    }

    fn while_clause(&mut self, clause: &ast::WhileOrUntilClauseCommand, wanted: bool) -> Status {
        let ast::WhileOrUntilClauseCommand(condition, body, _) = clause;
        let mut status = 0;
        loop {
            self.budget.steps(1)?;
            self.loops += 1;
            let result = self.tolerated(true, |shell| shell.list(condition));
            self.loops -= 1;
            match one_loop(result)? {
                Round::Next(done) if (done == 0) == wanted => {}
                Round::Next(_) => return Ok(status),
                Round::End => return Ok(0),
            }
            match self.round(&body.list)? {
                Round::Next(done) => status = done,
                Round::End => return Ok(0),
            }
        }
    }

    fn round(&mut self, body: &CompoundList) -> Result<Round, Flow> {
        self.budget.steps(1)?;
        self.loops += 1;
        let result = self.list(body);
        self.loops -= 1;
        one_loop(result)
    }

    fn case_clause(&mut self, clause: &ast::CaseClauseCommand) -> Status {
        let value = self.text(&clause.value.value, Mode::Plain)?;
        for case in &clause.cases {
            for pattern in &case.patterns {
                self.budget.steps(1)?;
                let pattern = self.quotable(&pattern.value, Mode::Plain)?;
                if !Pattern::new(&pattern).matches(&value) {
                    continue;
                }
                if !matches!(case.post_action, ast::CaseItemPostAction::ExitCase) {
                    return Err(ScriptletError::unsupported(";& in case").into());
                }
                return case.cmd.as_ref().map_or(Ok(0), |list| self.list(list));
            }
        }
        Ok(0)
    }
}

enum Round {
    Next(i32),
    End,
}

/// What the end of a loop's body means for the loop.
fn one_loop(result: Status) -> Result<Round, Flow> {
    match result {
        Ok(status) => Ok(Round::Next(status)),
        Err(Flow::Continue(count)) if count <= 1 => Ok(Round::Next(0)),
        Err(Flow::Continue(count)) => Err(Flow::Continue(count - 1)),
        Err(Flow::Break(count)) if count <= 1 => Ok(Round::End),
        Err(Flow::Break(count)) => Err(Flow::Break(count - 1)),
        Err(other) => Err(other),
    }
}
