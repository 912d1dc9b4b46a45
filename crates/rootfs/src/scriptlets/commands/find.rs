//! `find`, `xargs` and `env`, in their usual forms.

use super::{failed, unsupported};
use crate::{
    Kind, TreePath,
    scriptlets::{
        glob::Pattern,
        shell::{Flow, Shell, Status},
    },
};

enum Test {
    Name(Pattern),
    Path(Pattern),
    Type(char),
    Empty,
    Not(Box<Test>),
}

enum Act {
    Print(&'static str),
    Delete,
    Exec(Vec<String>, bool),
}

pub(super) fn find(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let first = words.iter().position(|word| word.starts_with(['-', '(', '!']));
    let (roots, expression) = words.split_at(first.unwrap_or(words.len()));
    let mut roots = roots.to_vec();
    if roots.is_empty() {
        roots.push(".".to_owned());
    }
    let (mut least, mut most) = (0, usize::MAX);
    let mut tests = Vec::new();
    let mut act = Act::Print("\n");
    let mut depth_first = false;
    let mut negated = false;
    let mut words = expression.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().cloned().unwrap_or_default();
        let test = match word.as_str() {
            "!" | "-not" => {
                negated = !negated;
                continue;
            }
            "-name" => Test::Name(Pattern::parse(&value())),
            "-path" | "-wholename" => Test::Path(Pattern::parse(&value())),
            "-type" => Test::Type(value().chars().next().unwrap_or(' ')),
            "-empty" => Test::Empty,
            "-maxdepth" | "-mindepth" => {
                let Ok(number) = value().parse() else { return unsupported("find -maxdepth") };
                if word == "-maxdepth" {
                    most = number;
                } else {
                    least = number;
                }
                continue;
            }
            "-depth" => {
                depth_first = true;
                continue;
            }
            "-xdev" | "-mount" | "-a" => continue,
            "-print" => {
                act = Act::Print("\n");
                continue;
            }
            "-print0" => {
                act = Act::Print("\0");
                continue;
            }
            "-delete" => {
                (act, depth_first) = (Act::Delete, true);
                continue;
            }
            "-exec" => {
                let mut command = Vec::new();
                let mut many = false;
                for word in words.by_ref() {
                    if word == ";" {
                        break;
                    }
                    if word == "+" && command.last().is_some_and(|last| last == "{}") {
                        many = true;
                        break;
                    }
                    command.push(word.clone());
                }
                act = Act::Exec(command, many);
                continue;
            }
            other => return unsupported(format!("find {other}")),
        };
        if matches!(act, Act::Delete | Act::Exec(..)) {
            return unsupported("find with a test after an action");
        }
        tests.push(if std::mem::take(&mut negated) { Test::Not(Box::new(test)) } else { test });
    }
    let mut status = 0;
    let mut collected = Vec::new();
    for root in roots {
        let top = match shell.fs.lookup(root.as_bytes(), false) {
            Ok(top) => top,
            Err(error) => {
                status = failed(shell, format!("find: '{root}'"), error)?;
                continue;
            }
        };
        let mut all = vec![top.clone()];
        if shell.fs.is_dir(&top) {
            all.extend(shell.fs.below(&top));
        }
        shell.budget.steps(all.len() as u64)?;
        let skip = if top.is_root() { 0 } else { top.as_bytes().len() + 1 };
        if depth_first {
            all.reverse();
        }
        for path in all {
            let rest = path.as_bytes().get(skip..).unwrap_or_default();
            let depth = rest.split(|b| *b == b'/').filter(|part| !part.is_empty()).count();
            let shown = if rest.is_empty() {
                root.clone()
            } else {
                let Ok(rest) = str::from_utf8(rest) else { return unsupported("such a file name") };
                format!("{}/{rest}", root.trim_end_matches('/'))
            };
            if !(least..=most).contains(&depth)
                || !tests.iter().all(|t| holds(shell, t, &path, &shown))
            {
                continue;
            }
            match &act {
                Act::Print(end) => shell.out(format!("{shown}{end}"))?,
                Act::Delete => {
                    let result = if shell.fs.is_dir(&path) {
                        shell.fs.rmdir(&path)
                    } else {
                        shell.fs.unlink(&path)
                    };
                    if let Err(error) = result {
                        status = failed(shell, format!("find: '{shown}'"), error)?;
                    }
                }
                Act::Exec(_, true) => collected.push(shown),
                Act::Exec(command, false) => {
                    let command: Vec<String> =
                        command.iter().map(|word| word.replace("{}", &shown)).collect();
                    shell.program(&command)?;
                }
            }
        }
    }
    if let Act::Exec(mut command, true) = act
        && !collected.is_empty()
    {
        command.pop();
        command.extend(collected);
        if shell.program(&command)? != 0 {
            status = 1;
        }
    }
    Ok(status)
}

fn holds(shell: &Shell<'_>, test: &Test, path: &TreePath, shown: &str) -> bool {
    let kind = shell.fs.node(path).map(|node| &node.kind);
    match test {
        Test::Name(pattern) => pattern.matches(super::base(shown)),
        Test::Path(pattern) => pattern.matches(shown),
        Test::Type(letter) => match kind {
            None | Some(Kind::Directory) => *letter == 'd',
            Some(Kind::File { .. }) => *letter == 'f',
            Some(Kind::Symlink { .. }) => *letter == 'l',
            Some(Kind::Fifo) => *letter == 'p',
            Some(Kind::Device { block, .. }) => *letter == if *block { 'b' } else { 'c' },
        },
        Test::Empty => match kind {
            None | Some(Kind::Directory) => shell.fs.below(path).is_empty(),
            Some(Kind::File { size, .. }) => *size == 0,
            _ => false,
        },
        Test::Not(inner) => !holds(shell, inner, path, shown),
    }
}

pub(super) fn xargs(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let mut zero = false;
    let mut skip_empty = false;
    let mut place: Option<String> = None;
    let mut one = false;
    let mut rest = words;
    while let Some((first, more)) = rest.split_first() {
        match first.as_str() {
            "-0" | "--null" => zero = true,
            "-r" | "--no-run-if-empty" => skip_empty = true,
            "-0r" | "-r0" => (zero, skip_empty) = (true, true),
            "-n1" => one = true,
            "-I" => {
                place = more.first().cloned();
                rest = more;
            }
            "-i" | "-I{}" => place = Some("{}".to_owned()),
            option if option.starts_with('-') => return unsupported(format!("xargs {option}")),
            _ => break,
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    let input = shell.env.streams.read_all(0).unwrap_or_default();
    let Ok(input) = String::from_utf8(input) else { return unsupported("xargs of such input") };
    if !zero && input.contains(['\'', '"', '\\']) {
        return unsupported("xargs of quoted input");
    }
    let items: Vec<&str> = if zero {
        input.split('\0').filter(|item| !item.is_empty()).collect()
    } else if place.is_some() {
        input.lines().map(str::trim_start).filter(|item| !item.is_empty()).collect()
    } else {
        input.split_whitespace().collect()
    };
    if rest.is_empty() {
        return unsupported("xargs without a command");
    }
    let mut status = 0;
    let mut call = |shell: &mut Shell<'_>, words: &[String]| -> Result<(), Flow> {
        shell.env.streams.0.insert(0, super::super::streams::Stream::Null);
        match shell.program(words)? {
            0 => {}
            127 => status = 127,
            _ => status = 123,
        }
        Ok(())
    };
    match place {
        Some(place) => {
            for item in items {
                let words: Vec<String> =
                    rest.iter().map(|word| word.replace(&place, item)).collect();
                call(shell, &words)?;
            }
        }
        None if one => {
            for item in items {
                call(shell, &[rest, &[item.to_owned()]].concat())?;
            }
        }
        None => {
            if !(items.is_empty() && skip_empty) {
                let items: Vec<String> = items.into_iter().map(str::to_owned).collect();
                call(shell, &[rest, &items].concat())?;
            }
        }
    }
    Ok(status)
}

/// `env NAME=VALUE… COMMAND`
pub(super) fn env(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let count =
        words.iter().take_while(|word| word.contains('=') && !word.starts_with('-')).count();
    let (assignments, command) = words.split_at(count);
    if command.is_empty() || command[0].starts_with('-') {
        return unsupported("env of this form");
    }
    let outer = shell.env.variables.clone();
    for (name, value) in assignments.iter().filter_map(|word| word.split_once('=')) {
        shell.set(name, value)?;
    }
    let result = shell.program(command);
    shell.env.variables = outer;
    result
}
