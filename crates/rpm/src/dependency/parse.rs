//! Dependencies from text.
//!
//! Source: rpm's `docs/manual/boolean_dependencies.md`; where it leaves room, `rpmrichParse` of rpm
//! 4.18: a name ends at a space, a comma or a parenthesis that it did not open; a chain has one
//! operator.

use super::{Capability, Comparison, Dependency, ParseDependencyError, RichDependency};
use std::str::FromStr;

/// Longer texts are refused; the longest in real repositories have a few hundred bytes.
const MAX_LENGTH: usize = 64 * 1024;
/// Deeper nesting is refused.
const MAX_DEPTH: usize = 100;

type Parse<T> = Result<T, String>;

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    And,
    Or,
    With,
    Without,
    If,
    Unless,
    Else,
}

impl Operator {
    fn new(word: &str) -> Option<Self> {
        Some(match word {
            "and" => Self::And,
            "or" => Self::Or,
            "with" => Self::With,
            "without" => Self::Without,
            "if" => Self::If,
            "unless" => Self::Unless,
            "else" => Self::Else,
            _ => return None,
        })
    }
}

fn comparison(symbol: &str) -> Option<Comparison> {
    Some(match symbol {
        "<" => Comparison::Less,
        "<=" | "=<" => Comparison::LessOrEqual,
        "=" | "==" => Comparison::Equal,
        ">=" | "=>" => Comparison::GreaterOrEqual,
        ">" => Comparison::Greater,
        _ => return None,
    })
}

impl<'a> Parser<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Up to a space, a comma or a parenthesis that was not opened in it.
    fn word(&mut self) -> &'a str {
        let mut open = 0_usize;
        let end = self.rest.bytes().position(|byte| match byte {
            b'(' => {
                open += 1;
                false
            }
            b')' if open == 0 => true,
            b')' => {
                open -= 1;
                false
            }
            b',' => true,
            other => other.is_ascii_whitespace(),
        });
        self.take(end.unwrap_or(self.rest.len()))
    }

    fn operand(&mut self) -> Parse<Dependency> {
        self.space();
        if self.rest.starts_with('(') {
            return self.rich();
        }
        self.simple().map(Dependency::Simple)
    }

    fn simple(&mut self) -> Parse<Capability> {
        self.space();
        let name = self.word();
        if name.is_empty() {
            return Err(match self.rest.chars().next() {
                Some(found) => format!("a name is expected before `{found}`"),
                None => "a name is expected at the end".to_owned(),
            });
        }
        if comparison(name).is_some() {
            return Err(format!("a name is expected before `{name}`"));
        }
        self.space();
        let symbol = self.rest.bytes().take_while(|b| matches!(b, b'<' | b'=' | b'>')).count();
        if symbol == 0 {
            return Ok(Capability { name: name.to_owned(), version: None });
        }
        let symbol = self.take(symbol);
        let comparison =
            comparison(symbol).ok_or_else(|| format!("`{symbol}` is not a comparison"))?;
        self.space();
        let version = self.word();
        if version.is_empty() {
            return Err(format!("a version is expected after `{symbol}`"));
        }
        let evr = match version.parse() {
            Ok(evr) => evr,
            Err(never) => match never {},
        };
        Ok(Capability { name: name.to_owned(), version: Some((comparison, evr)) })
    }

    fn operator(&mut self) -> Parse<Option<Operator>> {
        self.space();
        if let Some(rest) = self.rest.strip_prefix(')') {
            self.rest = rest;
            return Ok(None);
        }
        let word = self.word();
        if word.is_empty() {
            return Err("a closing `)` is missing".to_owned());
        }
        Operator::new(word).map(Some).ok_or_else(|| format!("`{word}` is not an operator"))
    }

    fn close(&mut self) -> Parse<()> {
        match self.operator()? {
            None => Ok(()),
            Some(_) => Err("operators of different kinds need parentheses".to_owned()),
        }
    }

    fn rich(&mut self) -> Parse<Dependency> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("it is nested more than {MAX_DEPTH} deep"));
        }
        self.take(1);
        let first = self.operand()?;
        let rich = match self.operator()? {
            None => {
                self.depth -= 1;
                return Ok(first);
            }
            Some(Operator::Else) => return Err("`else` without `if` or `unless`".to_owned()),
            Some(Operator::Without) => {
                let second = self.operand()?;
                self.close()?;
                RichDependency::Without(first, second)
            }
            Some(operator @ (Operator::If | Operator::Unless)) => {
                let condition = self.operand()?;
                let otherwise = match self.operator()? {
                    None => None,
                    Some(Operator::Else) => {
                        let otherwise = self.operand()?;
                        self.close()?;
                        Some(otherwise)
                    }
                    Some(_) => {
                        return Err("operators of different kinds need parentheses".to_owned());
                    }
                };
                match operator {
                    Operator::If => RichDependency::If { then: first, condition, otherwise },
                    _ => RichDependency::Unless { then: first, condition, otherwise },
                }
            }
            Some(chain) => {
                let mut all = vec![first, self.operand()?];
                loop {
                    match self.operator()? {
                        None => break,
                        Some(next) if next == chain => all.push(self.operand()?),
                        Some(_) => {
                            return Err("operators of different kinds need parentheses".to_owned());
                        }
                    }
                }
                match chain {
                    Operator::And => RichDependency::And(all),
                    Operator::Or => RichDependency::Or(all),
                    _ => RichDependency::With(all),
                }
            }
        };
        self.depth -= 1;
        Ok(Dependency::Rich(Box::new(rich)))
    }
}

fn whole<'a, T>(
    text: &'a str,
    parse: impl FnOnce(&mut Parser<'a>) -> Parse<T>,
) -> Result<T, ParseDependencyError> {
    let shown = || {
        let mut shown: String = text.chars().take(200).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        shown
    };
    let fail = |reason| ParseDependencyError { text: shown(), reason };
    if text.len() > MAX_LENGTH {
        return Err(fail(format!("it is longer than {MAX_LENGTH} bytes")));
    }
    if text.chars().any(char::is_control) {
        return Err(fail("it has a control character".to_owned()));
    }
    let mut parser = Parser { rest: text, depth: 0 };
    let value = parse(&mut parser).map_err(fail)?;
    parser.space();
    if parser.rest.is_empty() {
        Ok(value)
    } else {
        Err(fail(format!("`{}` is left over", parser.rest)))
    }
}

impl FromStr for Capability {
    type Err = ParseDependencyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        whole(text, Parser::simple)
    }
}

impl FromStr for Dependency {
    type Err = ParseDependencyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        whole(text, Parser::operand)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn simple() {
        let dependency: Dependency = "bash >= 2:5.1-3".parse().unwrap();
        let Dependency::Simple(capability) = &dependency else { panic!("{dependency:?}") };
        assert_eq!(capability.name, "bash");
        let (comparison, evr) = capability.version.as_ref().unwrap();
        assert_eq!(*comparison, Comparison::GreaterOrEqual);
        assert_eq!((evr.epoch, evr.version.as_str(), evr.release.as_str()), (2, "5.1", "3"));
    }

    #[test]
    fn round_trips() {
        for text in [
            "bash",
            "/usr/bin/sh",
            "libc.so.6(GLIBC_2.34)(64bit)",
            "font(:lang=en)",
            "rpmlib(CompressedFileNames) <= 3.0.4-1",
            "a = 1",
            "a < 1:2~rc1-3.fc40",
            "(a or b)",
            "(a >= 2 or b < 3 or c)",
            "(a with b > 1)",
            "(a without b)",
            "(a if b)",
            "(a if b else c)",
            "(a unless b else (c and d))",
            "((a and b) if (c or (d with e)))",
            "(python3dist(x) >= 1 with python3dist(x) < 2)",
        ] {
            assert_eq!(text.parse::<Dependency>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn normalises() {
        for (text, shown) in [
            (" a  =>  1 ", "a >= 1"),
            ("(a)", "a"),
            ("( a or ( b and c ) )", "(a or (b and c))"),
            ("a ==1", "a = 1"),
        ] {
            assert_eq!(text.parse::<Dependency>().unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn refuses() {
        for (text, reason) in [
            ("", "a name is expected at the end"),
            ("(", "a name is expected at the end"),
            ("(a", "a closing `)` is missing"),
            ("(a b)", "`b` is not an operator"),
            ("(a or b and c)", "operators of different kinds need parentheses"),
            ("(a if b if c)", "operators of different kinds need parentheses"),
            ("(a else b)", "`else` without `if` or `unless`"),
            ("a >=", "a version is expected after `>=`"),
            ("a >> 1", "`>>` is not a comparison"),
            (">= 1", "a name is expected before `>=`"),
            ("a b", "`b` is left over"),
            ("a, b", "`, b` is left over"),
            ("(a or b) c", "`c` is left over"),
            ("a\0", "it has a control character"),
        ] {
            assert_eq!(text.parse::<Dependency>().unwrap_err().reason, reason, "{text}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = |n: usize| format!("{}a{}", "(".repeat(n), ")".repeat(n));
        assert!(deep(MAX_DEPTH).parse::<Dependency>().is_ok());
        assert!(deep(MAX_DEPTH + 1).parse::<Dependency>().unwrap_err().reason.contains("nested"));
        let deep = "(a or ".repeat(1_000_000);
        assert!(deep.parse::<Dependency>().is_err());
        let wide = format!("({})", vec!["a"; 10_000].join(" or "));
        assert!(wide.parse::<Dependency>().is_ok());
        // siblings do not count as depth
        let siblings = format!("({})", vec!["(a and b)"; 500].join(" or "));
        assert!(siblings.parse::<Dependency>().is_ok());
    }

    fn any_dependency() -> impl Strategy<Value = Dependency> {
        let name = "[a-z][a-z0-9_.+-]{0,6}(\\([a-z:=]{0,5}\\))?"
            .prop_filter("operator", |name| Operator::new(name).is_none());
        let comparison = prop_oneof![
            Just(Comparison::Less),
            Just(Comparison::LessOrEqual),
            Just(Comparison::Equal),
            Just(Comparison::GreaterOrEqual),
            Just(Comparison::Greater),
        ];
        let version = (comparison, "([1-9]:)?[0-9a-z.~^]{1,6}(-[0-9a-z.]{1,4})?")
            .prop_map(|(comparison, evr)| (comparison, evr.parse().unwrap()));
        let simple = (name, proptest::option::of(version))
            .prop_map(|(name, version)| Dependency::Simple(Capability { name, version }));
        simple.prop_recursive(5, 40, 4, |inner| {
            let many = proptest::collection::vec(inner.clone(), 2..4);
            let conditional = (inner.clone(), inner.clone(), proptest::option::of(inner.clone()));
            prop_oneof![
                many.clone().prop_map(RichDependency::And),
                many.clone().prop_map(RichDependency::Or),
                many.prop_map(RichDependency::With),
                (inner.clone(), inner).prop_map(|(a, b)| RichDependency::Without(a, b)),
                conditional.clone().prop_map(|(then, condition, otherwise)| RichDependency::If {
                    then,
                    condition,
                    otherwise
                }),
                conditional.prop_map(|(then, condition, otherwise)| RichDependency::Unless {
                    then,
                    condition,
                    otherwise
                }),
            ]
            .prop_map(|rich| Dependency::Rich(Box::new(rich)))
        })
    }

    proptest! {
        #[test]
        fn any_value_round_trips(dependency in any_dependency()) {
            prop_assert_eq!(dependency.to_string().parse::<Dependency>(), Ok(dependency));
        }

        #[test]
        fn never_panics(text in ".{0,60}") {
            let _ = text.parse::<Dependency>();
        }

        #[test]
        fn never_panics_on_near_misses(
            text in "(\\(|\\)| |a|or|and|if|else|unless|with|without|>=|1:2|-|,){0,30}"
        ) {
            if let Ok(dependency) = text.parse::<Dependency>() {
                prop_assert_eq!(dependency.to_string().parse::<Dependency>(), Ok(dependency));
            }
        }
    }
}
