//! Expansion of words: parameters, substitutions, fields, names of files.

use super::{
    Flow, Shell, braces,
    fields::{Unit, join, plain, split},
    word::{self, Form, Mode, Part},
};
use crate::scriptlets::{
    ScriptletError, commands,
    glob::{self, Pattern, Quotable},
};
use brush_parser::ast::Word;

type Expanded<T> = Result<T, Flow>;

impl Shell<'_> {
    /// The fields of words: what a command gets as arguments.
    pub(super) fn fields<'w>(
        &mut self,
        words: impl IntoIterator<Item = &'w Word>,
    ) -> Expanded<Vec<String>> {
        let mut out = Vec::new();
        for word in words {
            self.budget.steps(1)?;
            let texts = braces::expand(&word.value)
                .ok_or_else(|| ScriptletError::unsupported("so many words of braces"))?;
            for text in texts {
                self.fields_of(&text, &mut out)?;
            }
        }
        Ok(out)
    }

    fn fields_of(&mut self, text: &str, out: &mut Vec<String>) -> Expanded<()> {
        let units = self.units(text, Mode::Plain)?;
        let separators = self.get("IFS").unwrap_or(" \t\n").to_owned();
        for field in split(&units, &separators) {
            if glob::is_pattern(&field) && !self.env.options.noglob {
                let found = glob::expand(&self.fs, &mut self.budget, &field)?;
                if !found.is_empty() {
                    out.extend(found);
                    continue;
                }
            }
            out.push(plain(&field));
        }
        Ok(())
    }

    /// The text of a word that is not split: of an assignment, a redirection.
    pub(super) fn text(&mut self, word: &str, mode: Mode) -> Expanded<String> {
        Ok(plain(&self.quotable(word, mode)?))
    }

    /// The same, with what was quoted: for patterns.
    pub(super) fn quotable(&mut self, word: &str, mode: Mode) -> Expanded<Vec<Quotable>> {
        let units = self.units(word, mode)?;
        Ok(join(&units))
    }

    fn units(&mut self, text: &str, mode: Mode) -> Expanded<Vec<Unit>> {
        let mut parts = word::parse(text, mode)?;
        if mode == Mode::Plain {
            self.tilde(&mut parts)?;
        }
        let mut out = Vec::new();
        self.parts(&parts, mode != Mode::Plain, &mut out)?;
        Ok(out)
    }

    /// A tilde at the beginning of a word.
    fn tilde(&mut self, parts: &mut [Part]) -> Expanded<()> {
        let home = self.get("HOME").unwrap_or_default().to_owned();
        let alone = parts.len() == 1;
        if let Some(Part::Text(first)) = parts.first_mut()
            && let Some(rest) = first.strip_prefix('~')
        {
            if rest.starts_with('/') || rest.is_empty() && alone {
                *first = format!("{home}{rest}");
            } else if alone || rest.contains('/') {
                let (user, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                if let Some(home) = commands::home(self, user)? {
                    *first = format!("{home}{below}");
                }
            }
        }
        Ok(())
    }

    fn parts(&mut self, parts: &[Part], quoted: bool, out: &mut Vec<Unit>) -> Expanded<()> {
        for part in parts {
            self.budget.steps(1)?;
            match part {
                Part::Text(text) if quoted => out.extend(text.chars().map(Unit::Quoted)),
                Part::Text(text) => out.extend(text.chars().map(Unit::Literal)),
                Part::Quoted(text) => {
                    out.push(Unit::Mark);
                    out.extend(text.chars().map(Unit::Quoted));
                }
                Part::Double(inner) => {
                    // `"$@"` without parameters is no field at all
                    let all = |part: &Part| matches!(part, Part::Parameter { name, form: Form::Plain } if name == "@");
                    if !(inner.len() == 1 && all(&inner[0]) && self.env.positional.is_empty()) {
                        out.push(Unit::Mark);
                    }
                    self.parts(inner, true, out)?;
                }
                Part::Command(text, lines) => {
                    let value = self.substitute(text, *lines)?;
                    self.push(&value, quoted, out)?;
                }
                Part::Arithmetic(inner) => {
                    let mut units = Vec::new();
                    self.parts(inner, true, &mut units)?;
                    let value = self.arithmetic(&plain(&join(&units)))?;
                    self.push(&value.to_string(), quoted, out)?;
                }
                Part::Parameter { name, form } => self.parameter(name, form, quoted, out)?,
            }
        }
        Ok(())
    }

    fn push(&mut self, value: &str, quoted: bool, out: &mut Vec<Unit>) -> Expanded<()> {
        self.budget.bytes(value.len())?;
        let unit = if quoted { Unit::Quoted } else { Unit::Expanded };
        out.extend(value.chars().map(unit));
        Ok(())
    }

    /// `$(…)`: the output without the newlines at its end.
    fn substitute(&mut self, text: &str, lines: usize) -> Expanded<String> {
        let base = (self.line + lines).saturating_sub(1);
        let line = self.line;
        let (mut bytes, status) =
            self.capture(|shell| shell.subshell(|shell| shell.script(text, base)))?;
        self.line = line;
        self.substituted = Some(status);
        while bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        bytes.retain(|b| *b != 0);
        let text = String::from_utf8(bytes);
        Ok(text.map_err(|_| ScriptletError::unsupported("output that is not UTF-8"))?)
    }

    /// The value of a parameter that is no list.
    fn value(&self, name: &str) -> Option<String> {
        match name {
            "#" => Some(self.env.positional.len().to_string()),
            "?" => Some(self.env.status.to_string()),
            "0" => Some("/bin/sh".to_owned()),
            "@" | "*" => (!self.env.positional.is_empty()).then(|| {
                let separator = match self.get("IFS") {
                    Some(ifs) => ifs.chars().next().map(String::from).unwrap_or_default(),
                    None => " ".to_owned(),
                };
                self.env.positional.join(if name == "*" { &separator } else { " " })
            }),
            _ => match name.parse::<usize>() {
                Ok(number) => self.env.positional.get(number.checked_sub(1)?).cloned(),
                Err(_) => self.get(name).map(str::to_owned),
            },
        }
    }

    fn parameter(
        &mut self,
        name: &str,
        form: &Form,
        quoted: bool,
        out: &mut Vec<Unit>,
    ) -> Expanded<()> {
        if matches!(name, "$" | "!" | "RANDOM" | "SECONDS" | "LINENO" | "BASHPID" | "PPID") {
            return Err(ScriptletError::unsupported(format!("${name}")).into());
        }
        if name == "-" {
            return Err(ScriptletError::unsupported("$-").into());
        }
        let list = matches!(name, "@" | "*") && !(name == "*" && quoted);
        match form {
            Form::Plain if list => {
                let unit = if quoted { Unit::Quoted } else { Unit::Expanded };
                for (index, value) in self.env.positional.iter().enumerate() {
                    if index > 0 {
                        out.push(Unit::Break);
                    }
                    if quoted {
                        out.push(Unit::Mark);
                    }
                    out.extend(value.chars().map(unit));
                }
                Ok(())
            }
            Form::Plain => {
                let value = self.checked(name)?;
                self.push(&value, quoted, out)
            }
            Form::Length if list => {
                let count = self.env.positional.len().to_string();
                self.push(&count, quoted, out)
            }
            Form::Length => {
                let value = self.checked(name)?.chars().count().to_string();
                self.push(&value, quoted, out)
            }
            Form::Test { operator, colon, word } => {
                self.tested(name, (*operator, *colon), word, quoted, out)
            }
            _ if list => {
                Err(ScriptletError::unsupported(format!("${{{name}…}} of all parameters")).into())
            }
            Form::Remove { suffix, longest, pattern } => {
                let value: Vec<char> = self.checked(name)?.chars().collect();
                let pattern = self.pattern(pattern)?;
                self.budget.steps(value.len() as u64)?;
                let kept = removed(&value, &pattern, *suffix, *longest);
                self.push(&kept, quoted, out)
            }
            Form::Replace { all, pattern, with } => {
                let value: Vec<char> = self.checked(name)?.chars().collect();
                let pattern = self.pattern(pattern)?;
                let mut units = Vec::new();
                self.parts(with, true, &mut units)?;
                self.budget.steps((value.len() * value.len()) as u64)?;
                let text = replaced(&value, &pattern, &plain(&join(&units)), *all);
                self.push(&text, quoted, out)
            }
            Form::Slice { offset, length } => {
                let value: Vec<char> = self.checked(name)?.chars().collect();
                let offset = self.number(offset)?;
                let count = i64::try_from(value.len()).unwrap_or(i64::MAX);
                let start = if offset < 0 { count + offset } else { offset };
                let end = match length {
                    None => count,
                    Some(length) => match self.number(length)? {
                        n if n < 0 => count + n,
                        n => start.saturating_add(n),
                    },
                };
                let (start, end) = (start.clamp(0, count), end.clamp(0, count));
                let text: String = match (usize::try_from(start), usize::try_from(end)) {
                    (Ok(start), Ok(end)) if start < end => value[start..end].iter().collect(),
                    _ => String::new(),
                };
                self.push(&text, quoted, out)
            }
        }
    }

    fn number(&mut self, parts: &[Part]) -> Expanded<i64> {
        let mut units = Vec::new();
        self.parts(parts, true, &mut units)?;
        self.arithmetic(&plain(&join(&units)))
    }

    fn pattern(&mut self, parts: &[Part]) -> Expanded<Pattern> {
        let mut units = Vec::new();
        self.parts(parts, false, &mut units)?;
        Ok(Pattern::new(&join(&units)))
    }

    /// The value, or the end of the shell where it must be set.
    fn checked(&mut self, name: &str) -> Expanded<String> {
        match self.value(name) {
            Some(value) => Ok(value),
            None if self.env.options.nounset && !matches!(name, "@" | "*") => {
                self.complain(format!("{name}: unbound variable"))?;
                Err(Flow::Exit(1))
            }
            None => Ok(String::new()),
        }
    }

    /// `-`, `=`, `?`, `+`
    fn tested(
        &mut self,
        name: &str,
        (operator, colon): (char, bool),
        word: &[Part],
        quoted: bool,
        out: &mut Vec<Unit>,
    ) -> Expanded<()> {
        let value = self.value(name);
        let there = value.as_ref().is_some_and(|value| !(colon && value.is_empty()));
        match operator {
            '+' if there => self.parts(word, quoted, out),
            '+' => Ok(()),
            _ if there => self.parameter(name, &Form::Plain, quoted, out),
            '-' => {
                // what the script wrote there is split like a value
                let from = out.len();
                self.parts(word, quoted, out)?;
                for unit in &mut out[from..] {
                    if let Unit::Literal(c) = *unit {
                        *unit = Unit::Expanded(c);
                    }
                }
                Ok(())
            }
            '=' => {
                if !super::simple::is_name(name) {
                    return Err(ScriptletError::unsupported(format!("${{{name}=…}}")).into());
                }
                let mut units = Vec::new();
                self.parts(word, quoted, &mut units)?;
                let value = plain(&join(&units));
                self.set(name, value.clone())?;
                self.push(&value, quoted, out)
            }
            _ => {
                let mut units = Vec::new();
                self.parts(word, quoted, &mut units)?;
                self.complain(format!("{name}: {}", plain(&join(&units))))?;
                Err(Flow::Exit(1))
            }
        }
    }
}

fn removed(value: &[char], pattern: &Pattern, suffix: bool, longest: bool) -> String {
    let count = value.len();
    let mut lengths: Vec<usize> = (0..=count).collect();
    if longest {
        lengths.reverse();
    }
    for length in lengths {
        let (part, rest) = if suffix {
            (&value[count - length..], &value[..count - length])
        } else {
            (&value[..length], &value[length..])
        };
        if pattern.matches_chars(part) {
            return rest.iter().collect();
        }
    }
    value.iter().collect()
}

fn replaced(value: &[char], pattern: &Pattern, with: &str, all: bool) -> String {
    let mut out = String::new();
    let mut at = 0;
    let mut done = false;
    while at < value.len() {
        let end = if done && !all {
            None
        } else {
            (at + 1..=value.len()).rev().find(|end| pattern.matches_chars(&value[at..*end]))
        };
        match end {
            Some(end) => {
                out.push_str(with);
                (at, done) = (end, true);
            }
            None => {
                out.push(value[at]);
                at += 1;
            }
        }
    }
    out
}
