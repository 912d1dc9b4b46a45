//! Redirections.

use super::{Flow, Shell, Status, Stream, word::Mode};
use crate::{
    Kind,
    scriptlets::{
        ScriptletError,
        fs::{Errno, FsError},
        streams::OpenFile,
    },
};
use brush_parser::ast::{IoFileRedirectKind, IoFileRedirectTarget, IoHereDocument, IoRedirect};
use std::{cell::RefCell, rc::Rc};

impl Shell<'_> {
    /// Evaluates with other streams. A redirection that fails is status 1.
    pub(super) fn redirected(
        &mut self,
        redirects: &[IoRedirect],
        inner: impl FnOnce(&mut Self) -> Status,
    ) -> Status {
        let outer = self.env.streams.clone();
        let result = match self.redirect(redirects) {
            Ok(true) => inner(self),
            Ok(false) => Ok(1),
            Err(error) => Err(error),
        };
        self.env.streams = outer;
        result
    }

    /// Changes the streams; false when something cannot be opened.
    pub(super) fn redirect<'r>(
        &mut self,
        redirects: impl IntoIterator<Item = &'r IoRedirect>,
    ) -> Result<bool, Flow> {
        for redirect in redirects {
            let fine = match redirect {
                IoRedirect::File(fd, kind, target) => self.file_redirect(*fd, kind, target)?,
                IoRedirect::HereDocument(fd, document) => {
                    let bytes = self.here_document(document)?.into_bytes();
                    self.env.streams.0.insert(fd.unwrap_or(0), Stream::input(bytes));
                    true
                }
                IoRedirect::HereString(fd, word) => {
                    let text = self.text(&word.value, Mode::Plain)? + "\n";
                    self.env.streams.0.insert(fd.unwrap_or(0), Stream::input(text.into_bytes()));
                    true
                }
                IoRedirect::OutputAndError(word, append) => {
                    let name = self.text(&word.value, Mode::Plain)?;
                    let stream = self.open_output(&name, *append, true)?;
                    if let Some(stream) = &stream {
                        self.env.streams.0.insert(1, stream.clone());
                        self.env.streams.0.insert(2, stream.clone());
                    }
                    stream.is_some()
                }
            };
            if !fine {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn here_document(&mut self, document: &IoHereDocument) -> Result<String, Flow> {
        if document.requires_expansion {
            self.text(&document.doc.value, Mode::Document)
        } else {
            Ok(document.doc.value.clone())
        }
    }

    fn file_redirect(
        &mut self,
        fd: Option<i32>,
        kind: &IoFileRedirectKind,
        target: &IoFileRedirectTarget,
    ) -> Result<bool, Flow> {
        let output = !matches!(kind, IoFileRedirectKind::Read | IoFileRedirectKind::DuplicateInput);
        let fd = fd.unwrap_or(i32::from(output));
        match target {
            IoFileRedirectTarget::Fd(source) => Ok(self.duplicate(fd, &source.to_string())),
            IoFileRedirectTarget::Duplicate(word) => {
                let source = self.text(&word.value, Mode::Plain)?;
                if source != "-" && source.parse::<i32>().is_err() {
                    // `>& file` of bash
                    let stream = self.open_output(&source, false, true)?;
                    if let Some(stream) = &stream {
                        self.env.streams.0.insert(1, stream.clone());
                        self.env.streams.0.insert(2, stream.clone());
                    }
                    return Ok(stream.is_some());
                }
                Ok(self.duplicate(fd, &source))
            }
            IoFileRedirectTarget::ProcessSubstitution(..) => {
                Err(ScriptletError::unsupported("<(…)").into())
            }
            IoFileRedirectTarget::Filename(word) => {
                let name = self.text(&word.value, Mode::Plain)?;
                let stream = match kind {
                    IoFileRedirectKind::Read => self.open_input(&name)?,
                    IoFileRedirectKind::Append => self.open_output(&name, true, true)?,
                    IoFileRedirectKind::Write => {
                        let clobber = !self.env.options.noclobber;
                        self.open_output(&name, false, clobber)?
                    }
                    IoFileRedirectKind::Clobber => self.open_output(&name, false, true)?,
                    _ => return Err(ScriptletError::unsupported("<>").into()),
                };
                let fine = stream.is_some();
                if let Some(stream) = stream {
                    self.env.streams.0.insert(fd, stream);
                }
                Ok(fine)
            }
        }
    }

    fn duplicate(&mut self, fd: i32, source: &str) -> bool {
        let streams = &mut self.env.streams.0;
        if source == "-" {
            streams.remove(&fd);
            return true;
        }
        match source.parse().ok().and_then(|source: i32| streams.get(&source).cloned()) {
            Some(stream) => {
                streams.insert(fd, stream);
                true
            }
            None => false,
        }
    }

    fn open_input(&mut self, name: &str) -> Result<Option<Stream>, Flow> {
        match name {
            "/dev/null" | "/dev/tty" => return Ok(Some(Stream::Null)),
            "/dev/stdin" => return Ok(self.env.streams.0.get(&0).cloned()),
            _ => {}
        }
        let bytes = self.fs.lookup(name.as_bytes(), true).map_err(FsError::from);
        match bytes.and_then(|path| self.fs.read(&path)) {
            Ok(bytes) => {
                self.budget.bytes(bytes.len())?;
                Ok(Some(Stream::input(bytes.to_vec())))
            }
            Err(FsError::Fatal(error)) => Err(error.into()),
            Err(FsError::Errno(error)) => {
                self.complain(format!("/bin/sh: {name}: {error}"))?;
                Ok(None)
            }
        }
    }

    fn open_output(
        &mut self,
        name: &str,
        append: bool,
        clobber: bool,
    ) -> Result<Option<Stream>, Flow> {
        match name {
            "/dev/null" | "/dev/tty" | "/dev/console" => return Ok(Some(Stream::Null)),
            "/dev/stdout" => return Ok(self.env.streams.0.get(&1).cloned()),
            "/dev/stderr" => return Ok(self.env.streams.0.get(&2).cloned()),
            _ => {}
        }
        let opened =
            self.fs.resolve(name.as_bytes(), true).map_err(FsError::from).and_then(|path| {
                if !clobber && self.fs.exists(&path) {
                    return Err(Errno::Exists.into());
                }
                let there =
                    matches!(self.fs.node(&path).map(|node| &node.kind), Some(Kind::File { .. }));
                if !(append && there) {
                    self.fs.create(&path, 0o666)?;
                }
                Ok(path)
            });
        match opened {
            Ok(path) => {
                let file = OpenFile { path, at: 0, append };
                Ok(Some(Stream::File(Rc::new(RefCell::new(file)))))
            }
            Err(FsError::Fatal(error)) => Err(error.into()),
            Err(FsError::Errno(error)) => {
                self.complain(format!("/bin/sh: {name}: {error}"))?;
                Ok(None)
            }
        }
    }
}
