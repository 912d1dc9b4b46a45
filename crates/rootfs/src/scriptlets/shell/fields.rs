//! From expanded text to fields: splitting, and the removal of quotes.

use crate::scriptlets::glob::Quotable;

/// An expanded character or a mark between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Written in the script without quotes: may be a pattern, is not split.
    Literal(char),
    /// Came out of an expansion: may be a pattern, is split.
    Expanded(char),
    /// Protected.
    Quoted(char),
    /// There were quotes: a field, even when nothing is in it.
    Mark,
    /// The border between two positional parameters.
    Break,
}

/// Splits at the separators.
pub(super) fn split(units: &[Unit], separators: &str) -> Vec<Vec<Quotable>> {
    let mut fields = Vec::new();
    let mut field: Option<Vec<Quotable>> = None;
    // a field ended by white space: a separator that follows belongs to that end
    let mut ended_by_space = false;
    for unit in units {
        match *unit {
            Unit::Expanded(c) if separators.contains(c) => {
                let space = matches!(c, ' ' | '\t' | '\n');
                if let Some(done) = field.take() {
                    fields.push(done);
                    ended_by_space = space;
                } else if !space {
                    if !ended_by_space {
                        fields.push(Vec::new());
                    }
                    ended_by_space = false;
                }
                continue;
            }
            Unit::Literal(c) | Unit::Expanded(c) => field.get_or_insert_default().push((c, false)),
            Unit::Quoted(c) => field.get_or_insert_default().push((c, true)),
            Unit::Mark => {
                field.get_or_insert_default();
            }
            Unit::Break => {
                if let Some(done) = field.take() {
                    fields.push(done);
                }
            }
        }
        ended_by_space = false;
    }
    fields.extend(field);
    fields
}

/// The characters of one word that is not split.
pub(super) fn join(units: &[Unit]) -> Vec<Quotable> {
    units
        .iter()
        .filter_map(|unit| match *unit {
            Unit::Literal(c) | Unit::Expanded(c) => Some((c, false)),
            Unit::Quoted(c) => Some((c, true)),
            Unit::Break => Some((' ', true)),
            Unit::Mark => None,
        })
        .collect()
}

/// Text without quotes.
pub(super) fn plain(field: &[Quotable]) -> String {
    field.iter().map(|(c, _)| *c).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str, separators: &str) -> Vec<String> {
        let units: Vec<Unit> = text.chars().map(Unit::Expanded).collect();
        split(&units, separators).iter().map(|field| plain(field)).collect()
    }

    #[test]
    fn splits_as_posix_says() {
        assert_eq!(fields("  a  b ", " \t\n"), ["a", "b"]);
        assert_eq!(fields(":a::b:", ":"), ["", "a", "", "b"]);
        assert_eq!(fields("a : b :: c", " :"), ["a", "b", "", "c"]);
        assert_eq!(fields("", " "), Vec::<String>::new());
        assert_eq!(fields("a b", ""), ["a b"]);
        assert_eq!(split(&[Unit::Mark], " "), [Vec::new()]);
    }
}
