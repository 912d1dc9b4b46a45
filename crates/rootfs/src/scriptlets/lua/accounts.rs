//! Users and groups by name or number: what `/etc/passwd` and `/etc/group` of the tree say.

use super::{
    arguments::{Arg, Args, Out},
    host::{Answer, Failure, Host},
    stat::select,
};
use crate::scriptlets::fs::FsError;

fn lines(host: &Host<'_>, path: &str) -> Result<Vec<Vec<String>>, Failure> {
    let found = host.there(path.as_bytes()).map_err(FsError::from);
    let text = match found.and_then(|path| host.shell.fs.read(&path)) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(FsError::Fatal(error)) => return Err(error.into()),
        Err(FsError::Errno(_)) => String::new(),
    };
    Ok(text.lines().map(|line| line.split(':').map(str::to_owned).collect()).collect())
}

/// The entry of a name, or of a number in its third field.
fn find(
    host: &mut Host<'_>,
    path: &str,
    args: &Args,
    index: usize,
) -> Result<Option<Vec<String>>, Failure> {
    let lines = lines(host, path)?;
    host.shell.budget.steps(lines.len() as u64 / 8)?;
    let (place, wanted) = match args.get(index) {
        Some(Arg::Number { .. }) => (2, args.integer(index)?.to_string()),
        Some(Arg::Text(_)) => (0, args.string(index)?),
        _ => return Err(args.not(index, "string or number")),
    };
    let numbered = |line: &Vec<String>| line.get(2).is_some_and(|id| id.parse::<u32>().is_ok());
    let same = |line: &Vec<String>| line.get(place) == Some(&wanted);
    Ok(lines.into_iter().find(|line| numbered(line) && same(line)))
}

/// An owner for `chown`: none when it is not to be changed, as with names that nobody has.
pub(super) fn owner(
    host: &mut Host<'_>,
    path: &str,
    args: &Args,
    index: usize,
) -> Result<Option<u32>, Failure> {
    if args.get(index).is_none() {
        return Ok(None);
    }
    if let Some(Arg::Number { .. }) = args.get(index) {
        // -1 changes nothing
        return Ok(u32::try_from(args.integer(index)?).ok().filter(|id| *id != u32::MAX));
    }
    Ok(find(host, path, args, index)?.and_then(|line| line.get(2)?.parse().ok()))
}

fn field(line: &[String], index: usize) -> Out {
    Out::text(line.get(index).map_or("", String::as_str))
}

fn number(line: &[String], index: usize) -> Out {
    Out::Number(line.get(index).and_then(|id| id.parse().ok()).unwrap_or(0.0))
}

/// `posix.getpasswd([user], [field])`
pub(super) fn getpasswd(host: &mut Host<'_>, args: &Args) -> Answer {
    let line = if args.is_nothing(1) {
        lines(host, "/etc/passwd")?.into_iter().find(|line| line.get(2).is_some_and(|id| id == "0"))
    } else {
        find(host, "/etc/passwd", args, 1)?
    };
    let Some(line) = line else { return Ok(vec![Out::Nil]) };
    let fields = vec![
        ("name", field(&line, 0)),
        ("uid", number(&line, 2)),
        ("gid", number(&line, 3)),
        ("dir", field(&line, 5)),
        ("shell", field(&line, 6)),
        ("gecos", field(&line, 4)),
        ("passwd", field(&line, 1)),
    ];
    select(args, 2, fields)
}

/// `posix.getgroup(group)`: members are numbered.
pub(super) fn getgroup(host: &mut Host<'_>, args: &Args) -> Answer {
    let Some(line) = find(host, "/etc/group", args, 1)? else { return Ok(vec![Out::Nil]) };
    let members = line.get(3).map_or("", String::as_str).split(',').filter(|name| !name.is_empty());
    let members = members.map(Out::text).collect();
    let fields = vec![
        ("name".to_owned(), field(&line, 0)),
        ("gid".to_owned(), number(&line, 2)),
        // the prelude puts them beside the others
        ("members".to_owned(), Out::List(members)),
    ];
    Ok(vec![Out::Record(fields)])
}
