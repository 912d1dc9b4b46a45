//! `$((…))`: integer arithmetic of C.

use super::{Flow, ScriptletError, Shell};

const OPERATORS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

struct Reader<'t, 's, 'a> {
    text: &'t str,
    shell: &'s mut Shell<'a>,
    depth: u32,
}

impl Shell<'_> {
    /// The value of an expression whose parameters are expanded already.
    pub(super) fn arithmetic(&mut self, text: &str) -> Result<i64, Flow> {
        self.budget.steps(1)?;
        let mut reader = Reader { text: text.trim(), shell: self, depth: 0 };
        if reader.text.is_empty() {
            return Ok(0);
        }
        let value = reader.assignment()?;
        if reader.text.trim_start().is_empty() { Ok(value) } else { Err(reader.unsupported()) }
    }
}

impl Reader<'_, '_, '_> {
    fn unsupported(&self) -> Flow {
        ScriptletError::unsupported(format!("arithmetic at `{}`", self.text)).into()
    }

    fn take(&mut self, token: &str) -> bool {
        match self.text.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn name(&mut self) -> Option<String> {
        let text = self.text.trim_start();
        if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return None;
        }
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        self.text = &text[end..];
        Some(text[..end].to_owned())
    }

    fn variable(&mut self, name: &str) -> Result<i64, Flow> {
        let value = self.shell.get(name).unwrap_or_default().trim().to_owned();
        if value.is_empty() {
            return Ok(0);
        }
        number(&value).ok_or_else(|| self.unsupported())
    }

    fn assignment(&mut self) -> Result<i64, Flow> {
        self.depth += 1;
        if self.depth > 50 {
            return Err(self.unsupported());
        }
        let before = self.text;
        if let Some(name) = self.name() {
            let text = self.text.trim_start();
            let operator = ["+=", "-=", "*=", "/=", "%=", "="]
                .into_iter()
                .find(|operator| text.starts_with(operator));
            if let Some(operator) = operator
                && !text.starts_with("==")
            {
                self.text = &text[operator.len()..];
                let right = self.assignment()?;
                let value = match operator.trim_end_matches('=') {
                    "" => right,
                    operator => {
                        let left = self.variable(&name)?;
                        self.apply(operator, left, right)?
                    }
                };
                self.shell.set(&name, value.to_string())?;
                self.depth -= 1;
                return Ok(value);
            }
        }
        self.text = before;
        let condition = self.binary(0)?;
        let value = if self.take("?") {
            let yes = self.assignment()?;
            if !self.take(":") {
                return Err(self.unsupported());
            }
            let no = self.assignment()?;
            if condition != 0 { yes } else { no }
        } else {
            condition
        };
        self.depth -= 1;
        Ok(value)
    }

    fn binary(&mut self, level: usize) -> Result<i64, Flow> {
        let Some(operators) = OPERATORS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        'next: loop {
            let text = self.text.trim_start();
            for operator in *operators {
                let Some(rest) = text.strip_prefix(operator) else { continue };
                let longer = match *operator {
                    "|" => rest.starts_with('|'),
                    "&" => rest.starts_with('&'),
                    "<" => rest.starts_with('<'),
                    ">" => rest.starts_with('>'),
                    _ => false,
                };
                if longer || rest.starts_with('=') && !operator.ends_with('=') {
                    continue;
                }
                self.text = rest;
                let right = self.binary(level + 1)?;
                left = self.apply(operator, left, right)?;
                continue 'next;
            }
            return Ok(left);
        }
    }

    fn apply(&self, operator: &str, left: i64, right: i64) -> Result<i64, Flow> {
        let shift = u32::try_from(right & 63).unwrap_or(0);
        Ok(match operator {
            "||" => i64::from(left != 0 || right != 0),
            "&&" => i64::from(left != 0 && right != 0),
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<<" => left.wrapping_shl(shift),
            ">>" => left.wrapping_shr(shift),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" | "%" if right == 0 => {
                return Err(ScriptletError::unsupported("division by zero").into());
            }
            "/" => left.wrapping_div(right),
            "%" => left.wrapping_rem(right),
            _ => return Err(self.unsupported()),
        })
    }

    fn unary(&mut self) -> Result<i64, Flow> {
        self.depth += 1;
        if self.depth > 50 {
            return Err(self.unsupported());
        }
        let text = self.text.trim_start();
        if text.starts_with("++") || text.starts_with("--") {
            return Err(self.unsupported());
        }
        let value = if self.take("-") {
            self.unary()?.wrapping_neg()
        } else if self.take("+") {
            self.unary()?
        } else if self.take("!") {
            i64::from(self.unary()? == 0)
        } else if self.take("~") {
            !self.unary()?
        } else if self.take("(") {
            let value = self.assignment()?;
            if !self.take(")") {
                return Err(self.unsupported());
            }
            value
        } else if let Some(name) = self.name() {
            if self.text.starts_with("++") || self.text.starts_with("--") {
                return Err(self.unsupported());
            }
            self.variable(&name)?
        } else {
            let text = self.text.trim_start();
            let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
            let value = number(&text[..end]).ok_or_else(|| self.unsupported())?;
            self.text = &text[end..];
            value
        };
        self.depth -= 1;
        Ok(value)
    }
}

/// A constant of C: decimal, `0x…` or octal.
fn number(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hex) => i64::from_str_radix(hex, 16).ok()?,
        None if digits.len() > 1 && digits.starts_with('0') => {
            i64::from_str_radix(digits, 8).ok()?
        }
        None => digits.parse().ok()?,
    };
    Some(sign * value)
}
