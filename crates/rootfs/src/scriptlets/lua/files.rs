//! Lua's `io` and `os` on the tree: what is below their objects, which the prelude makes.

use super::{
    arguments::{Arg, Args, Out},
    errno::Problem,
    host::{Answer, Failure, Function, Host, until_nul},
    input::{self, Format},
    process,
};
use crate::{
    Kind, TreePath,
    scriptlets::{
        ScriptletError,
        fs::{Errno, FsError},
        shell::Shell,
        streams::Stream,
    },
};
use std::{cell::RefCell, rc::Rc, sync::Arc};

/// What is written goes to the tree when so much has come, or when anything else is done.
const PENDING: usize = 64 << 10;

/// An open file.
#[derive(Debug)]
pub(super) enum OpenFile {
    /// A file of the tree.
    File { path: TreePath, at: usize, reads: bool, writes: bool, append: bool, pending: Vec<u8> },
    /// `/dev/null`
    Null,
    /// What a program wrote, and its status.
    Output { bytes: Arc<[u8]>, at: usize, status: i32 },
    /// What a program is to read once all of it is there.
    Input { command: String, bytes: Vec<u8> },
}

/// Functions of [`Host`] for the prelude. Those on handles have the handle first.
pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("open", open),
    ("popen", popen),
    ("close", close),
    ("read", read),
    ("write", write),
    ("seek", seek),
    ("remove", remove),
    ("rename", rename),
    ("execute", execute),
    ("getenv", getenv),
    ("exit", process::exit),
    ("tmpname", tmpname),
    ("mkstemp", mkstemp),
    ("time", time),
];

/// Numbers of standard input, output and error output.
const STANDARD: i64 = 3;

impl Host<'_> {
    /// Brings to the tree what was written to files.
    pub(super) fn flush(&mut self) -> Result<(), ScriptletError> {
        let files: Vec<_> = self.process.files.values().cloned().collect();
        files.iter().try_for_each(|file| self.flush_file(&mut file.borrow_mut()))
    }

    fn flush_file(&mut self, file: &mut OpenFile) -> Result<(), ScriptletError> {
        let OpenFile::File { path, at, append, pending, .. } = file else { return Ok(()) };
        if pending.is_empty() {
            return Ok(());
        }
        let Shell { fs, budget, .. } = &mut self.shell;
        let size = fs.size(path);
        let start = if *append { size } else { *at };
        let end =
            start.checked_add(pending.len()).ok_or(ScriptletError::Limit { what: "bytes" })?;
        budget.bytes(size.max(end))?;
        fs.write_at(path, start, pending)?;
        *at = end;
        pending.clear();
        Ok(())
    }

    fn add(&mut self, file: OpenFile) -> Result<Out, Failure> {
        let last = self.process.files.keys().next_back().copied().unwrap_or(STANDARD);
        if self.process.files.len() >= 1000 {
            return Err(ScriptletError::Limit { what: "open files" }.into());
        }
        self.process.files.insert(last + 1, Rc::new(RefCell::new(file)));
        Ok(Out::Integer(last + 1))
    }

    fn open(&mut self, name: &[u8], mode: &[u8]) -> Result<OpenFile, FsError> {
        let fs = &mut self.shell.fs;
        if name == b"/dev/null" {
            return Ok(OpenFile::Null);
        }
        let update = mode.contains(&b'+');
        let (reads, writes) = (mode[0] == b'r' || update, mode[0] != b'r' || update);
        let path = fs.resolve(name, true)?;
        if !fs.exists(&path) && mode[0] == b'r' {
            return Err(Errno::NoEntry.into());
        }
        if writes && fs.is_dir(&path) {
            return Err(Errno::IsDirectory.into());
        }
        let special =
            |node: &crate::Node| !matches!(node.kind, Kind::File { .. }) && !node.is_dir();
        if fs.node(&path).is_some_and(special) {
            return Err(ScriptletError::unsupported(format!("opening {path}")).into());
        }
        if mode[0] == b'w' || mode[0] == b'a' && !fs.exists(&path) {
            fs.create(&path, 0o666)?;
        }
        let append = mode[0] == b'a';
        Ok(OpenFile::File { path, at: 0, reads, writes, append, pending: Vec::new() })
    }
}

/// `io.open(path, mode)`
fn open(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = until_nul(args.text(1)?).to_vec();
    let mode = args.text_or(2, b"r")?.to_vec();
    let valid = matches!(
        mode.strip_suffix(b"b").unwrap_or(&mode),
        b"r" | b"w" | b"a" | b"r+" | b"w+" | b"a+"
    );
    if !valid {
        return Err(args.wrong(2, "invalid mode"));
    }
    let file = host.open(&name, &mode);
    match host.problem(file)? {
        Ok(file) => Ok(vec![host.add(file)?]),
        Err(problem) => Ok(Host::file_failed(&problem, Some(&name))),
    }
}

/// `io.popen(command, mode)`: for reading the program runs at once, for writing at the end.
fn popen(host: &mut Host<'_>, args: &Args) -> Answer {
    let command = args.string(1)?;
    let file = match args.text_or(2, b"r")? {
        b"r" => {
            let (bytes, status) = process::output(host, &command)?;
            OpenFile::Output { bytes: bytes.into(), at: 0, status }
        }
        b"w" => OpenFile::Input { command, bytes: Vec::new() },
        _ => return Err(args.wrong(2, "invalid mode")),
    };
    Ok(vec![host.add(file)?])
}

fn handle(host: &Host<'_>, args: &Args) -> Result<Option<Rc<RefCell<OpenFile>>>, Failure> {
    let number = args.integer(1)?;
    if number < STANDARD {
        return Ok(None);
    }
    let file = host.process.files.get(&number).cloned();
    file.map(Some).ok_or_else(|| Failure::raise("attempt to use a closed file"))
}

fn close(host: &mut Host<'_>, args: &Args) -> Answer {
    let Some(file) = handle(host, args)? else {
        return Ok(vec![Out::Nil, Out::text("cannot close standard file")]);
    };
    let number = args.integer(1)?;
    host.process.files.remove(&number);
    let mut file = file.borrow_mut();
    let status = match &mut *file {
        OpenFile::Output { status, .. } => *status,
        OpenFile::Input { command, bytes } => {
            let input = Stream::input(std::mem::take(bytes));
            let old = host.shell.env.streams.0.insert(0, input);
            let command = std::mem::take(command);
            let status = process::shell(host, &command);
            if let Some(old) = old {
                host.shell.env.streams.0.insert(0, old);
            }
            status?
        }
        _ => return Ok(vec![Out::Boolean(true)]),
    };
    Ok(ended(status))
}

/// What `os.execute` and the end of a pipe give.
fn ended(status: i32) -> Vec<Out> {
    let fine = if status == 0 { Out::Boolean(true) } else { Out::Nil };
    vec![fine, Out::text("exit"), Out::Integer(status.into())]
}

fn read(host: &mut Host<'_>, args: &Args) -> Answer {
    let file = handle(host, args)?;
    let mut formats = Vec::new();
    for index in 2..=args.len() {
        formats.push(match args.get(index) {
            Some(Arg::Number { .. }) => Format::Count(args.integer(index)?),
            _ => {
                Format::new(args.text(index)?).ok_or_else(|| args.wrong(index, "invalid format"))?
            }
        });
    }
    if formats.is_empty() {
        formats.push(Format::Line { end: false });
    }
    let Some(file) = file else {
        // standard input is empty, and the others cannot be read
        return match args.integer(1)? {
            0 => input::read(b"", &mut 0, &formats),
            _ => Ok(Host::file_failed(&Problem::bad_descriptor(), None)),
        };
    };
    match &mut *file.borrow_mut() {
        OpenFile::File { reads: false, .. } | OpenFile::Input { .. } => {
            Ok(Host::file_failed(&Problem::bad_descriptor(), None))
        }
        OpenFile::Null => input::read(b"", &mut 0, &formats),
        OpenFile::Output { bytes, at, .. } => input::read(bytes, at, &formats),
        OpenFile::File { path, at, .. } => {
            let bytes = match host.shell.fs.read(path) {
                Ok(bytes) => bytes,
                // removed in the meantime
                Err(FsError::Errno(Errno::NoEntry)) => Arc::from([]),
                Err(FsError::Errno(errno)) => return Ok(Host::file_failed(&errno.into(), None)),
                Err(FsError::Fatal(error)) => return Err(error.into()),
            };
            input::read(&bytes, at, &formats)
        }
    }
}

fn write(host: &mut Host<'_>, args: &Args) -> Answer {
    let file = handle(host, args)?;
    for index in 2..=args.len() {
        let mut bytes = args.text(index)?;
        if let Some(Arg::Number { .. }) = args.get(index) {
            // `%.14g`: a float that is whole has no point
            bytes = bytes.strip_suffix(b".0").unwrap_or(bytes);
        }
        host.shell.budget.bytes(bytes.len())?;
        let Some(file) = &file else {
            let fd = i32::try_from(args.integer(1)?).unwrap_or(1);
            if !host.write(fd, bytes)? {
                return Ok(Host::file_failed(&Problem::bad_descriptor(), None));
            }
            continue;
        };
        let full = match &mut *file.borrow_mut() {
            OpenFile::Null => false,
            OpenFile::Input { bytes: all, .. } => {
                all.extend_from_slice(bytes);
                false
            }
            OpenFile::File { writes: true, pending, .. } => {
                pending.extend_from_slice(bytes);
                pending.len() > PENDING
            }
            _ => return Ok(Host::file_failed(&Problem::bad_descriptor(), None)),
        };
        if full {
            host.flush_file(&mut file.borrow_mut())?;
        }
    }
    Ok(vec![Out::Boolean(true)])
}

#[allow(clippy::cast_possible_wrap, reason = "bounded by the budget")]
fn seek(host: &mut Host<'_>, args: &Args) -> Answer {
    let file = handle(host, args)?;
    let whence = args.text_or(2, b"cur")?.to_vec();
    let offset = args.integer_or(3, 0)?;
    let illegal = Problem { number: 29, text: "Illegal seek".to_owned() };
    let Some(file) = file else { return Ok(Host::file_failed(&illegal, None)) };
    let mut file = file.borrow_mut();
    let (at, size) = match &mut *file {
        OpenFile::File { path, at, .. } => {
            let size = host.shell.fs.size(path);
            (at, size)
        }
        OpenFile::Null => return Ok(vec![Out::Integer(0)]),
        _ => return Ok(Host::file_failed(&illegal, None)),
    };
    let base = match whence.as_slice() {
        b"set" => 0,
        b"cur" => *at,
        b"end" => size,
        other => {
            let why = format!("invalid option '{}'", String::from_utf8_lossy(other));
            return Err(args.wrong(2, &why));
        }
    };
    let wanted = (base as i64).checked_add(offset).and_then(|at| usize::try_from(at).ok());
    let Some(wanted) = wanted else { return Ok(Host::file_failed(&Errno::Invalid.into(), None)) };
    *at = wanted;
    Ok(vec![Out::Integer(wanted as i64)])
}

/// `os.remove(path)`
fn remove(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = until_nul(args.text(1)?);
    let fs = &mut host.shell.fs;
    let result = fs
        .lookup(name, false)
        .map_err(FsError::from)
        .and_then(|path| if fs.is_dir(&path) { fs.rmdir(&path) } else { fs.unlink(&path) });
    host.file_result(result, Some(name))
}

/// `os.rename(old, new)`
fn rename(host: &mut Host<'_>, args: &Args) -> Answer {
    let (from, to) = (until_nul(args.text(1)?), until_nul(args.text(2)?));
    let fs = &mut host.shell.fs;
    let result = fs.lookup(from, false).and_then(|from| Ok((from, fs.resolve(to, false)?)));
    let result = result.map_err(FsError::from).and_then(|(from, to)| fs.rename(&from, &to));
    host.file_result(result, None)
}

/// `os.execute([command])`
fn execute(host: &mut Host<'_>, args: &Args) -> Answer {
    if args.is_nothing(1) {
        return Ok(vec![Out::Boolean(host.shell.find_program("/bin/sh").is_some())]);
    }
    let command = args.string(1)?;
    Ok(ended(process::shell(host, &command)?))
}

/// `os.getenv(name)`
pub(super) fn getenv(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = args.string(1)?;
    let variable = host.shell.env.variables.get(&name).filter(|variable| variable.exported);
    let value = variable.and_then(|variable| variable.value.as_ref());
    Ok(vec![value.map_or(Out::Nil, Out::text)])
}

/// A name that is free: the letters of a real one are drawn by lot.
fn unused(host: &mut Host<'_>, stem: &[u8]) -> Result<Result<Vec<u8>, Problem>, Failure> {
    for number in 0..10_000 {
        host.shell.budget.steps(1)?;
        let name = [stem, format!("{number:06}").as_bytes()].concat();
        let fs = &mut host.shell.fs;
        let made = fs.resolve(&name, true).map_err(FsError::from).and_then(|path| {
            if fs.exists(&path) {
                return Ok(false);
            }
            let umask = std::mem::replace(&mut fs.umask, 0);
            let made = fs.create(&path, 0o600);
            fs.umask = umask;
            made
        });
        match host.problem(made)? {
            Ok(true) => return Ok(Ok(name)),
            Ok(false) => {}
            Err(problem) => return Ok(Err(problem)),
        }
    }
    Err(ScriptletError::Limit { what: "temporary files" }.into())
}

/// `os.tmpname()`
fn tmpname(host: &mut Host<'_>, _: &Args) -> Answer {
    match unused(host, b"/tmp/lua_")? {
        Ok(name) => Ok(vec![Out::Text(name)]),
        Err(_) => Err(Failure::raise("unable to generate a unique filename")),
    }
}

/// `posix.mkstemp(template)`: the handle and the name.
fn mkstemp(host: &mut Host<'_>, args: &Args) -> Answer {
    let template = until_nul(args.text(1)?);
    let Some(stem) = template.strip_suffix(b"XXXXXX") else {
        return Err(Failure::unsupported("posix.mkstemp of such a template"));
    };
    let stem = stem.to_vec();
    match unused(host, &stem)? {
        Ok(name) => {
            let file = host.open(&name, b"a+");
            match host.problem(file)? {
                Ok(file) => Ok(vec![host.add(file)?, Out::Text(name)]),
                Err(_) => Err(Failure::unsupported("posix.mkstemp that fails")),
            }
        }
        Err(_) => Err(Failure::unsupported("posix.mkstemp that fails")),
    }
}

/// `os.time()`: that of the task.
fn time(host: &mut Host<'_>, args: &Args) -> Answer {
    if !args.is_nothing(1) {
        return Err(Failure::unsupported("os.time of a date"));
    }
    Ok(vec![Out::Integer(i64::try_from(host.shell.fs.mtime).unwrap_or(i64::MAX))])
}
