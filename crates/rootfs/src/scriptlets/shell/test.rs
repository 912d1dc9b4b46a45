//! `test`, `[` and `[[`.

use super::{Flow, Shell, Status, word::Mode};
use crate::{
    Kind,
    scriptlets::{ScriptletError, glob::Pattern, regex},
};
use brush_parser::ast::{BinaryPredicate, ExtendedTestExpr, UnaryPredicate};

/// An expression that is none: status 2.
struct Malformed(String);

const BINARY: [&str; 16] = [
    "=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef", "<", ">", "-a",
    "-o",
];

impl Shell<'_> {
    /// `test`; of `[` the last argument is gone already.
    pub(super) fn test(&mut self, arguments: &[String]) -> Status {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match self.test_words(&words, 0) {
            Ok(truth) => Ok(i32::from(!truth)),
            Err(Malformed(message)) => {
                if let Some(construct) = message.strip_prefix("unsupported ") {
                    return Err(ScriptletError::unsupported(construct).into());
                }
                self.complain(format!("test: {message}"))?;
                Ok(2)
            }
        }
    }

    fn test_words(&mut self, words: &[&str], depth: usize) -> Result<bool, Malformed> {
        match words {
            [] => Ok(false),
            [only] => Ok(!only.is_empty()),
            ["!", only] => Ok(only.is_empty()),
            [operator, operand] => self.unary(operator, operand),
            [left, operator, right] if BINARY.contains(operator) => {
                self.binary(left, operator, right)
            }
            ["!", rest @ ..] if words.len() <= 4 => Ok(!self.test_words(rest, depth + 1)?),
            ["(", middle @ .., ")"] if words.len() <= 4 => self.test_words(middle, depth + 1),
            _ => {
                let mut rest = words;
                let truth = self.test_or(&mut rest, depth + 1)?;
                if rest.is_empty() {
                    Ok(truth)
                } else {
                    Err(Malformed("too many arguments".into()))
                }
            }
        }
    }

    fn test_or(&mut self, rest: &mut &[&str], depth: usize) -> Result<bool, Malformed> {
        let mut truth = self.test_and(rest, depth)?;
        while let ["-o", more @ ..] = *rest {
            *rest = more;
            truth |= self.test_and(rest, depth)?;
        }
        Ok(truth)
    }

    fn test_and(&mut self, rest: &mut &[&str], depth: usize) -> Result<bool, Malformed> {
        let mut truth = self.test_primary(rest, depth)?;
        while let ["-a", more @ ..] = *rest {
            *rest = more;
            truth &= self.test_primary(rest, depth)?;
        }
        Ok(truth)
    }

    fn test_primary(&mut self, rest: &mut &[&str], depth: usize) -> Result<bool, Malformed> {
        if depth > 50 {
            return Err(Malformed("unsupported test of this depth".to_owned()));
        }
        match *rest {
            [left, operator, right, more @ ..]
                if BINARY.contains(operator) && !matches!(*operator, "-a" | "-o") =>
            {
                *rest = more;
                self.binary(left, operator, right)
            }
            ["!", more @ ..] => {
                *rest = more;
                Ok(!self.test_primary(rest, depth + 1)?)
            }
            ["(", more @ ..] => {
                *rest = more;
                let truth = self.test_or(rest, depth + 1)?;
                match *rest {
                    [")", more @ ..] => {
                        *rest = more;
                        Ok(truth)
                    }
                    _ => Err(Malformed("`)' expected".to_owned())),
                }
            }
            [operator, operand, more @ ..]
                if operator.len() == 2
                    && operator.starts_with('-')
                    && !matches!(*operator, "-a" | "-o") =>
            {
                *rest = more;
                self.unary(operator, operand)
            }
            [only, more @ ..] => {
                *rest = more;
                Ok(!only.is_empty())
            }
            [] => Err(Malformed("argument expected".to_owned())),
        }
    }

    fn unary(&mut self, operator: &str, operand: &str) -> Result<bool, Malformed> {
        match operator {
            "-n" => Ok(!operand.is_empty()),
            "-z" => Ok(operand.is_empty()),
            "-t" => Ok(false),
            "-v" => Ok(self.get(operand).is_some()),
            _ => match operator.strip_prefix('-').and_then(|letter| letter.chars().next()) {
                Some(letter) if operator.len() == 2 && "abcdefghkprsuwxLSOG".contains(letter) => {
                    Ok(file_test(self, letter, operand))
                }
                Some('N' | 'o' | 'R') => Err(Malformed(format!("unsupported test {operator}"))),
                _ => Err(Malformed(format!("{operator}: unary operator expected"))),
            },
        }
    }

    fn binary(&mut self, left: &str, operator: &str, right: &str) -> Result<bool, Malformed> {
        let numbers = || -> Result<(i64, i64), Malformed> {
            let number = |text: &str| {
                let number = text.trim().parse::<i64>();
                number.map_err(|_| Malformed(format!("{text}: integer expression expected")))
            };
            Ok((number(left)?, number(right)?))
        };
        Ok(match operator {
            "=" | "==" => left == right,
            "!=" => left != right,
            "<" => left < right,
            ">" => left > right,
            "-a" => !left.is_empty() && !right.is_empty(),
            "-o" => !left.is_empty() || !right.is_empty(),
            "-ef" => {
                let (a, b) = (self.real(left), self.real(right));
                let same = |a, b| {
                    a == b || self.fs.links(a).is_some() && self.fs.links(a) == self.fs.links(b)
                };
                matches!((&a, &b), (Some(a), Some(b)) if same(a, b))
            }
            "-nt" | "-ot" => {
                // what was written in this run all has one time
                let time = |path: Option<crate::TreePath>| {
                    path.map(|path| self.fs.node(&path).map_or(0, |node| node.mtime))
                };
                let (a, b) = (time(self.real(left)), time(self.real(right)));
                match (a, b) {
                    (Some(0), Some(_)) | (Some(_), Some(0)) => {
                        return Err(Malformed("unsupported times of directories".to_owned()));
                    }
                    (Some(a), Some(b)) if operator == "-nt" => a > b,
                    (Some(a), Some(b)) => a < b,
                    (a, None) => a.is_some() && operator == "-nt",
                    (None, b) => b.is_some() && operator == "-ot",
                }
            }
            _ => {
                let (a, b) = numbers()?;
                match operator {
                    "-eq" => a == b,
                    "-ne" => a != b,
                    "-lt" => a < b,
                    "-le" => a <= b,
                    "-gt" => a > b,
                    _ => a >= b,
                }
            }
        })
    }

    fn real(&self, raw: &str) -> Option<crate::TreePath> {
        self.fs.lookup(raw.as_bytes(), true).ok()
    }

    /// `[[ … ]]`
    pub(super) fn extended(&mut self, test: &ExtendedTestExpr) -> Result<bool, Flow> {
        self.budget.steps(1)?;
        match test {
            ExtendedTestExpr::And(a, b) => Ok(self.extended(a)? && self.extended(b)?),
            ExtendedTestExpr::Or(a, b) => Ok(self.extended(a)? || self.extended(b)?),
            ExtendedTestExpr::Not(inner) => Ok(!self.extended(inner)?),
            ExtendedTestExpr::Parenthesized(inner) => self.extended(inner),
            ExtendedTestExpr::UnaryTest(predicate, word) => {
                let operand = self.text(&word.value, Mode::Plain)?;
                let letter = match predicate {
                    UnaryPredicate::StringHasZeroLength => return Ok(operand.is_empty()),
                    UnaryPredicate::StringHasNonZeroLength => return Ok(!operand.is_empty()),
                    UnaryPredicate::FdIsOpenTerminal => return Ok(false),
                    UnaryPredicate::ShellVariableIsSetAndAssigned => {
                        return Ok(self.get(&operand).is_some());
                    }
                    UnaryPredicate::FileExists => 'e',
                    UnaryPredicate::FileExistsAndIsDir => 'd',
                    UnaryPredicate::FileExistsAndIsRegularFile => 'f',
                    UnaryPredicate::FileExistsAndIsSymlink => 'L',
                    UnaryPredicate::FileExistsAndIsNotZeroLength => 's',
                    UnaryPredicate::FileExistsAndIsReadable => 'r',
                    UnaryPredicate::FileExistsAndIsWritable => 'w',
                    UnaryPredicate::FileExistsAndIsExecutable => 'x',
                    UnaryPredicate::FileExistsAndIsCharSpecialFile => 'c',
                    UnaryPredicate::FileExistsAndIsBlockSpecialFile => 'b',
                    UnaryPredicate::FileExistsAndIsFifo => 'p',
                    UnaryPredicate::FileExistsAndIsSocket => 'S',
                    _ => return Err(ScriptletError::unsupported("[[ of this kind").into()),
                };
                Ok(file_test(self, letter, &operand))
            }
            ExtendedTestExpr::BinaryTest(predicate, left, right) => {
                let left = self.text(&left.value, Mode::Plain)?;
                let operator = match predicate {
                    BinaryPredicate::StringExactlyMatchesPattern => {
                        let pattern = self.quotable(&right.value, Mode::Plain)?;
                        return Ok(Pattern::new(&pattern).matches(&left));
                    }
                    BinaryPredicate::StringDoesNotExactlyMatchPattern => {
                        let pattern = self.quotable(&right.value, Mode::Plain)?;
                        return Ok(!Pattern::new(&pattern).matches(&left));
                    }
                    BinaryPredicate::StringMatchesRegex => {
                        if right.value.contains(['\'', '"', '\\']) {
                            return Err(ScriptletError::unsupported("quotes in [[ =~ ]]").into());
                        }
                        let pattern = self.text(&right.value, Mode::Plain)?;
                        let regex = regex::compile(&pattern, true, false)?;
                        return Ok(regex.is_match(left.as_bytes()));
                    }
                    BinaryPredicate::StringExactlyMatchesString => "=",
                    BinaryPredicate::StringDoesNotExactlyMatchString => "!=",
                    BinaryPredicate::LeftSortsBeforeRight => "<",
                    BinaryPredicate::LeftSortsAfterRight => ">",
                    BinaryPredicate::ArithmeticEqualTo => "-eq",
                    BinaryPredicate::ArithmeticNotEqualTo => "-ne",
                    BinaryPredicate::ArithmeticLessThan => "-lt",
                    BinaryPredicate::ArithmeticLessThanOrEqualTo => "-le",
                    BinaryPredicate::ArithmeticGreaterThan => "-gt",
                    BinaryPredicate::ArithmeticGreaterThanOrEqualTo => "-ge",
                    BinaryPredicate::FilesReferToSameDeviceAndInodeNumbers => "-ef",
                    _ => return Err(ScriptletError::unsupported("[[ of this kind").into()),
                };
                let right = self.text(&right.value, Mode::Plain)?;
                self.binary(&left, operator, &right)
                    .map_err(|_| ScriptletError::unsupported("[[ of this kind").into())
            }
        }
    }
}

/// What `test` says of a file. Root reads and writes everything.
fn file_test(shell: &Shell<'_>, letter: char, raw: &str) -> bool {
    let follow = !matches!(letter, 'h' | 'L');
    // always there, also where the tree has none
    if matches!(raw, "/dev/null" | "/dev/zero" | "/dev/urandom" | "/dev/random" | "/dev/tty")
        && shell.fs.lookup(raw.as_bytes(), true).is_err()
    {
        return matches!(letter, 'a' | 'e' | 'c' | 'r' | 'w' | 'O' | 'G');
    }
    let Ok(path) = shell.fs.lookup(raw.as_bytes(), follow) else { return false };
    let node = shell.fs.node(&path);
    let Some(node) = node else {
        return matches!(letter, 'a' | 'e' | 'd' | 'r' | 'w' | 'x' | 's' | 'O' | 'G');
    };
    match letter {
        'a' | 'e' | 'r' | 'w' => true,
        'b' => matches!(node.kind, Kind::Device { block: true, .. }),
        'c' => matches!(node.kind, Kind::Device { block: false, .. }),
        'd' => node.is_dir(),
        'f' => matches!(node.kind, Kind::File { .. }),
        'g' => node.mode & 0o2000 != 0,
        'h' | 'L' => matches!(node.kind, Kind::Symlink { .. }),
        'k' => node.mode & 0o1000 != 0,
        'p' => node.kind == Kind::Fifo,
        's' => node.is_dir() || shell.fs.size(&path) > 0,
        'u' => node.mode & 0o4000 != 0,
        'x' => node.is_dir() || node.mode & 0o111 != 0,
        'O' => node.uid == 0,
        'G' => node.gid == 0,
        _ => false,
    }
}
