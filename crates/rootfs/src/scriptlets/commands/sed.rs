//! `sed`, but for what reads and writes other files and the case of replacements.

mod script;

use self::script::{Address, Command, Edit};
use super::{failed, operand, parse, text::inputs, unsupported};
use crate::scriptlets::{
    fs::{FsError, Meta},
    shell::{Flow, Shell, Status},
};

pub(super) fn sed(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("quiet", 'n'),
        ("silent", 'n'),
        ("expression", 'e'),
        ("regexp-extended", 'E'),
        ("in-place", 'i'),
        ("file", 'f'),
        ("follow-symlinks", 'L'),
        ("null-data", 'z'),
    ];
    // `-i` may have a suffix in the same word, and only there
    let mut suffix = None;
    let mut rest = Vec::new();
    for word in words {
        match word.strip_prefix("-i").or_else(|| word.strip_prefix("--in-place")) {
            Some(text) if suffix.is_none() && !text.starts_with("--") => {
                suffix = Some(text.trim_start_matches('=').to_owned());
            }
            _ => rest.push(word.clone()),
        }
    }
    let mut parsed = parse("sed", &rest, "ne:Erf:sizL", &names)?;
    if parsed.has('f') || parsed.has('z') || parsed.has('L') {
        return unsupported("sed -f, -z or --follow-symlinks");
    }
    if parsed.has('i') && suffix.is_none() {
        suffix = Some(String::new());
    }
    let scripts = parsed.options.iter().filter(|(letter, _)| *letter == 'e');
    let mut script: Vec<String> = scripts.map(|(_, value)| value.clone()).collect();
    if script.is_empty() {
        if parsed.operands.is_empty() {
            return shell.complain("sed: no script");
        }
        script.push(parsed.operands.remove(0));
    }
    let extended = parsed.has('E') || parsed.has('r');
    let edits = script::parse(&script.join("\n"), extended)?;
    let quiet = parsed.has('n');
    let mut status = 0;
    let Some(suffix) = suffix else {
        let mut bytes = Vec::new();
        for name in inputs(&parsed.operands) {
            match operand(shell, "sed", &name)? {
                Some(more) => {
                    // a last line without an end gets one when more follows
                    if !bytes.is_empty() && bytes.last() != Some(&b'\n') {
                        bytes.push(b'\n');
                    }
                    bytes.extend(more);
                }
                None => status = 2,
            }
        }
        let out = edit(shell, &edits, &bytes, quiet)?;
        shell.out(out)?;
        return Ok(status);
    };
    for name in &parsed.operands {
        let found = shell.fs.lookup(name.as_bytes(), false).map_err(FsError::from);
        let path = match found {
            Ok(path) => path,
            Err(error) => {
                failed(shell, format!("sed: can't read {name}"), error)?;
                status = 2;
                continue;
            }
        };
        // `sed -i` puts a new file in place of a link
        let real = shell.fs.lookup(name.as_bytes(), true).unwrap_or_else(|_| path.clone());
        let old = match shell.fs.read(&real) {
            Ok(old) => old,
            Err(FsError::Fatal(error)) => return Err(error.into()),
            Err(FsError::Errno(_)) => {
                shell.complain(format!("sed: couldn't edit {name}: not a regular file"))?;
                status = 4;
                continue;
            }
        };
        shell.budget.bytes(old.len())?;
        let new = edit(shell, &edits, &old, quiet)?;
        let node = shell.fs.node(&real).cloned();
        let inner = || -> Result<(), FsError> {
            if suffix.is_empty() {
                shell.fs.unlink(&path)?;
            } else {
                let backup = if suffix.contains('*') {
                    suffix.replace('*', super::base(name))
                } else {
                    format!("{}{suffix}", super::base(name))
                };
                let directory = path.parent().unwrap_or_default();
                let backup = shell.fs.resolve_from(&directory, backup.as_bytes(), false)?;
                if shell.fs.exists(&backup) {
                    shell.fs.unlink(&backup)?;
                }
                shell.fs.rename(&path, &backup)?;
            }
            shell.fs.write_file(&path, &new)?;
            let (mode, uid, gid) = node.map_or((0o644, 0, 0), |n| (n.mode, n.uid, n.gid));
            let meta = Meta { uid: Some(uid), gid: Some(gid), ..Meta::default() };
            shell.fs.set_meta(&path, meta)?;
            shell.fs.set_meta(&path, Meta { mode: Some(mode), ..Meta::default() })
        };
        if let Err(error) = inner() {
            failed(shell, format!("sed: {name}"), error)?;
            status = 4;
        }
    }
    Ok(status)
}

/// A script in the course of running.
struct Run<'l> {
    lines: Vec<&'l [u8]>,
    /// How many lines were read.
    number: usize,
    space: Vec<u8>,
    /// The newline of the last line that was read, if it had one.
    end: &'static [u8],
    hold: Vec<u8>,
    /// By command: whether its range has begun, and the line that ends it if it is counted.
    inside: Vec<Option<usize>>,
    /// Of `a`: comes before the next line.
    after: Vec<u8>,
    out: Vec<u8>,
    quiet: bool,
    /// For `t`.
    substituted: bool,
}

/// How a cycle ended.
enum End {
    /// The space is printed.
    Print,
    /// It is not.
    Delete,
    /// It begins anew with what is left of the space.
    Again,
    /// The script ends; what is there is printed.
    Quit,
}

/// Runs the script over a text.
fn edit(shell: &mut Shell<'_>, edits: &[Edit], text: &[u8], quiet: bool) -> Result<Vec<u8>, Flow> {
    let mut run = Run {
        lines: super::text::lines(text).collect(),
        number: 0,
        space: Vec::new(),
        end: b"\n",
        hold: Vec::new(),
        inside: vec![None; edits.len()],
        after: Vec::new(),
        out: Vec::new(),
        quiet,
        substituted: false,
    };
    let mut again = false;
    while again || run.read() {
        let end = run.cycle(shell, edits)?;
        if matches!(end, End::Print | End::Quit) && !quiet {
            run.print_space();
        }
        run.append();
        again = matches!(end, End::Again);
        if matches!(end, End::Quit) {
            break;
        }
    }
    Ok(run.out)
}

impl Run<'_> {
    fn last(&self) -> bool {
        self.number >= self.lines.len()
    }

    /// The next line into the space; false when there is none.
    fn read(&mut self) -> bool {
        let Some(line) = self.lines.get(self.number) else { return false };
        self.number += 1;
        self.substituted = false;
        let (line, end) = match line.strip_suffix(b"\n") {
            Some(line) => (line, &b"\n"[..]),
            None => (*line, &b""[..]),
        };
        self.space = line.to_vec();
        self.end = end;
        true
    }

    /// A last line without an end gets one when something follows.
    fn print(&mut self, text: &[u8], end: &[u8]) {
        if self.out.last().is_some_and(|b| *b != b'\n') {
            self.out.push(b'\n');
        }
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(end);
    }

    fn print_space(&mut self) {
        let space = std::mem::take(&mut self.space);
        self.print(&space, self.end);
        self.space = space;
    }

    fn append(&mut self) {
        let after = std::mem::take(&mut self.after);
        if !after.is_empty() {
            self.print(&after, b"");
        }
    }

    fn cycle(&mut self, shell: &mut Shell<'_>, edits: &[Edit]) -> Result<End, Flow> {
        let mut at = 0;
        while let Some(edit) = edits.get(at) {
            shell.budget.steps(1)?;
            let selected = self.selects(edit, at);
            at += 1;
            if !selected {
                if let Command::Block(end) = &edit.command {
                    at = *end;
                }
                continue;
            }
            match &edit.command {
                Command::Block(_) | Command::Nothing => {}
                Command::Delete => return Ok(End::Delete),
                Command::Print => {
                    shell.budget.bytes(self.space.len())?;
                    self.print_space();
                }
                Command::Quit => return Ok(End::Quit),
                Command::Jump(to) => at = *to,
                Command::JumpIf(to) => {
                    if std::mem::take(&mut self.substituted) {
                        at = *to;
                    }
                }
                Command::Append(text) => {
                    self.after.extend([text.as_bytes(), b"\n"].concat());
                }
                Command::Insert(text) => self.print(text.as_bytes(), b"\n"),
                Command::Change(text) => {
                    // of a range only the end is replaced
                    if edit.addresses.len() < 2 || self.inside[at - 1].is_none() {
                        self.print(text.as_bytes(), b"\n");
                    }
                    return Ok(End::Delete);
                }
                Command::Translate(from, to) => {
                    for b in &mut self.space {
                        if let Some(at) = from.iter().position(|own| own == b) {
                            *b = to[at];
                        }
                    }
                }
                Command::Substitute(substitution) => {
                    if let Some(new) = substitution.apply(&self.space) {
                        self.space = new;
                        self.substituted = true;
                        shell.budget.bytes(self.space.len())?;
                        if substitution.print {
                            self.print_space();
                        }
                    }
                }
                Command::Hold { add: false } => self.hold.clone_from(&self.space),
                Command::Get { add: false } => self.space.clone_from(&self.hold),
                Command::Hold { add: true } => {
                    self.hold.push(b'\n');
                    self.hold.extend_from_slice(&self.space);
                }
                Command::Get { add: true } => {
                    self.space.push(b'\n');
                    self.space.extend_from_slice(&self.hold);
                }
                Command::Exchange => std::mem::swap(&mut self.space, &mut self.hold),
                Command::Next => {
                    if self.last() {
                        return Ok(End::Print);
                    }
                    if !self.quiet {
                        self.print_space();
                    }
                    self.append();
                    let substituted = self.substituted;
                    self.read();
                    self.substituted = substituted;
                }
                Command::NextMore => {
                    if self.last() {
                        return Ok(End::Print);
                    }
                    self.append();
                    let (before, substituted) = (std::mem::take(&mut self.space), self.substituted);
                    self.read();
                    self.substituted = substituted;
                    self.space = [&before[..], b"\n", &self.space].concat();
                }
                Command::DeleteFirst => match self.space.iter().position(|b| *b == b'\n') {
                    Some(end) => {
                        self.space.drain(..=end);
                        return Ok(End::Again);
                    }
                    None => return Ok(End::Delete),
                },
                Command::PrintFirst => {
                    let end = self.space.iter().position(|b| *b == b'\n');
                    let first = self.space[..end.unwrap_or(self.space.len())].to_vec();
                    self.print(&first, b"\n");
                }
                Command::Number => {
                    let number = self.number.to_string();
                    self.print(number.as_bytes(), b"\n");
                }
            }
            shell.budget.bytes(self.space.len().saturating_add(self.hold.len()) / 64)?;
        }
        Ok(End::Print)
    }

    fn hits(&self, address: &Address) -> bool {
        match address {
            Address::Line(own) => *own == self.number,
            Address::Last => self.last(),
            Address::Match(regex) => regex.is_match(&self.space),
            Address::Step(first, 0) => *first == self.number,
            Address::Step(first, step) => {
                self.number >= *first && (self.number - first).is_multiple_of(*step)
            }
            Address::Start | Address::More(_) => false,
        }
    }

    fn selects(&mut self, edit: &Edit, at: usize) -> bool {
        let number = self.number;
        let selected = match edit.addresses.as_slice() {
            [] => true,
            [only] => self.hits(only),
            [first, second, ..] => {
                // a range from the start is in its course before the first line
                let from_start = matches!(first, Address::Start) && number == 1;
                if let Some(end) = self.inside[at].or(from_start.then_some(usize::MAX)) {
                    let ends = match second {
                        Address::Line(_) | Address::More(_) => number >= end,
                        other => self.hits(other),
                    };
                    self.inside[at] = (!ends).then_some(end);
                    // past its end already: the range was one line
                    !matches!(second, Address::Line(_)) || number <= end
                } else if self.hits(first) {
                    let end = match second {
                        Address::Line(own) => *own,
                        Address::More(count) => number.saturating_add(*count),
                        Address::Last if self.last() => number,
                        _ => usize::MAX,
                    };
                    self.inside[at] = (number < end).then_some(end);
                    true
                } else {
                    false
                }
            }
        };
        selected != edit.negated
    }
}
