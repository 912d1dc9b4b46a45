//! Package requests: kept as text for the resolver; what can never be right is refused here.

use crate::{Located, SpecError, error::Problem, shape::Cursor};
use strata_rpm::Dependency;

/// Longest request. A rich dependency is long, a document pasted in by mistake longer.
const LONGEST: usize = 4096;

pub(super) fn read(list: &Cursor<'_>) -> Result<Vec<Located<String>>, SpecError> {
    list.items().map(|at| request(&at)).collect()
}

fn request(at: &Cursor<'_>) -> Result<Located<String>, SpecError> {
    let request = super::text(at)?;
    let text = &request.value;
    let problem = if text.len() > LONGEST {
        Problem::invalid(format!("this is longer than {LONGEST} bytes"))
    } else if text.trim() != text {
        Problem::invalid_hint(
            "a package name has white space around it",
            format!("write {:?}", text.trim()),
        )
    } else if let Some(name) = text.strip_prefix('-') {
        Problem::invalid_hint(
            format!("{text:?} cannot be the name of a package"),
            format!("to keep a package out, write \"exclude\": [{name:?}]"),
        )
    } else if text.starts_with('(')
        && let Err(error) = text.parse::<Dependency>()
    {
        Problem::invalid_hint(
            format!("this is no rich dependency: {error}"),
            "write \"(a or b)\", \"(a if b)\", \"(a and (b or c))\"",
        )
    } else {
        return Ok(request);
    };
    Err(at.error(problem))
}
