//! From assignments to a service, in systemd's way: lists grow, an empty value resets.

use super::value::{below, is_account, signal, truth};
use super::{
    At, Directory, DirectoryKind, EnvironmentFile, Service, Type, WorkingDirectory, command,
};
use crate::directives::{Meaning, is_scalar, meaning};
use crate::environment::is_name;
use crate::files::{Files, simplify};
use crate::finding::{Finding, Severity};
use crate::load::Unit;
use crate::specifier::Specifiers;
use crate::syntax::{Assignment, Place};
use crate::words::{Mode, words};

/// What [`simplify`] refuses.
const NO_PATH: &str = "it is no absolute path without `..`";

/// Reads a loaded unit.
pub fn read(unit: &Unit, files: &dyn Files) -> Service {
    let specifiers = Specifiers::new(&unit.name, &unit.fragment, files);
    let mut reader = Reader { specifiers, service: Service::default(), sections: Vec::new() };
    for ignored in &unit.ignored {
        let message = format!("a line is ignored: {}", ignored.message);
        reader.service.findings.push(Finding::warning(message, Some(ignored.place.clone())));
    }
    let mut broken = None;
    for assignment in &unit.assignments {
        let path = &assignment.place.path;
        if broken == Some(path) {
            continue;
        }
        let before = reader.service.fatal.len();
        reader.assignment(assignment);
        // systemd gives up the unit, but of a drop-in only what follows
        if path.as_ref() != unit.fragment
            && reader.service.fatal.len() > before
            && let Some(mut finding) = reader.service.fatal.pop()
        {
            finding.severity = Severity::Warning;
            finding.message.push_str("; the rest of the file is ignored");
            reader.service.findings.push(finding);
            broken = Some(path);
        }
    }
    reader.service
}

struct Reader<'a> {
    specifiers: Specifiers<'a>,
    service: Service,
    /// Unknown ones that were told.
    sections: Vec<String>,
}

impl Reader<'_> {
    fn assignment(&mut self, assignment: &Assignment) {
        let Assignment { section, key, value, place } = assignment;
        if section.starts_with("X-") || key.starts_with("X-") {
            return;
        }
        if !matches!(section.as_ref(), "Unit" | "Service" | "Install") {
            if !self.sections.iter().any(|known| known == section.as_ref()) {
                self.sections.push(section.to_string());
                self.warn(format!("the section `[{section}]` is unknown"), place);
            }
            return;
        }
        match meaning(section, key, value) {
            Meaning::Supported => self.supported(key, value, place),
            Meaning::Lost(why) => {
                let key = format!("{key}=");
                if value.is_empty() || is_scalar(&key[..key.len() - 1]) {
                    self.service.lost.retain(|(lost, ..)| *lost != key);
                }
                if !value.is_empty() {
                    self.service.lost.push((key, why, place.clone()));
                }
            }
            Meaning::Harmless => {
                let key = format!("{key}=");
                // some are lost with one value, and harmless with another
                self.service.lost.retain(|(lost, ..)| *lost != key);
                let harmless = &mut self.service.harmless;
                match (harmless.binary_search(&key), value.is_empty()) {
                    (Ok(at), true) => drop(harmless.remove(at)),
                    (Err(at), false) => harmless.insert(at, key),
                    _ => {}
                }
            }
            Meaning::Unknown => {
                self.warn(format!("`{key}=` in `[{section}]` is unknown"), place);
            }
        }
    }

    fn supported(&mut self, key: &str, value: &str, place: &Place) {
        match key {
            "Description" => {
                if let Some(text) = self.text(key, value, place) {
                    self.service.description = text;
                }
            }
            "Documentation" => self.documentation(value, place),
            "Type" => self.service_type(value, place),
            "BusName" => {
                if let Some(text) = self.text(key, value, place) {
                    self.service.bus_name = text;
                }
            }
            "ExecStart" => self.command(value, place),
            "User" | "Group" => self.account(key, value, place),
            "DynamicUser" => match truth(value) {
                Some(on) => self.service.dynamic_user = on.then(|| place.clone()),
                None => {
                    self.fail(format!("`DynamicUser={value}` is neither `yes` nor `no`"), place);
                }
            },
            "WorkingDirectory" => self.working_directory(value, place),
            "Environment" => self.environment(value, place),
            "EnvironmentFile" => self.environment_file(value, place),
            "UnsetEnvironment" => {
                if value.is_empty() {
                    self.service.unset_environment.clear();
                }
                let names = self.list(key, value, Mode::List, place);
                self.service.unset_environment.extend(names);
            }
            "KillSignal" => self.kill_signal(value, place),
            // an empty value does not reset these
            "Sockets" => {
                let names = self.list(key, value, Mode::List, place);
                self.service.sockets.extend(names);
            }
            key => self.directory(key, value, place),
        }
    }

    fn directory(&mut self, key: &str, value: &str, place: &Place) {
        for kind in DirectoryKind::ALL {
            if key == kind.key() {
                self.directories(kind, value, place);
            } else if key.strip_suffix("Mode") == Some(kind.key()) {
                match u32::from_str_radix(value, 8) {
                    Ok(mode) if mode <= 0o7777 => {
                        self.service.modes[kind as usize] = Some(mode);
                    }
                    _ => self.warn(format!("`{key}={value}` is ignored: it is no mode"), place),
                }
            }
        }
    }

    fn command(&mut self, value: &str, place: &Place) {
        if value.is_empty() {
            self.service.commands.clear();
            return;
        }
        let (commands, result) = command::parse(value, &self.specifiers);
        let at = |value| At { value, place: place.clone() };
        self.service.commands.extend(commands.into_iter().map(at));
        if let Err(message) = result {
            self.fail(format!("`ExecStart=` cannot be read: {message}"), place);
        }
    }

    fn service_type(&mut self, value: &str, place: &Place) {
        match Type::parse(value) {
            Some(value) => {
                self.service.declared_type = Some(At { value, place: place.clone() });
            }
            None => self.warn(format!("`Type={value}` is ignored: there is no such type"), place),
        }
    }

    fn account(&mut self, key: &str, value: &str, place: &Place) {
        let expanded = self.specifiers.expand(value);
        let name = expanded.and_then(|expanded| {
            self.tell_unknown(key, &expanded.unknown, place);
            match expanded.text.is_empty() || is_account(&expanded.text) {
                true => Ok(expanded.text),
                false => Err("it is neither a name nor a number".to_owned()),
            }
        });
        match name {
            Ok(value) => {
                let account = (!value.is_empty()).then(|| At { value, place: place.clone() });
                match key {
                    "User" => self.service.user = account,
                    _ => self.service.group = account,
                }
            }
            Err(why) => self.fail(format!("`{key}={value}`: {why}"), place),
        }
    }

    fn working_directory(&mut self, value: &str, place: &Place) {
        if value.is_empty() {
            self.service.working_directory = None;
            return;
        }
        let (optional, text) = match value.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, value),
        };
        let path = if text == "~" {
            None
        } else {
            let expanded = self.specifiers.expand(text);
            let path = expanded.and_then(|expanded| {
                self.tell_unknown("WorkingDirectory", &expanded.unknown, place);
                simplify(&expanded.text).ok_or_else(|| NO_PATH.to_owned())
            });
            match path {
                Ok(path) => Some(path),
                Err(why) if optional => {
                    self.warn(format!("`WorkingDirectory={value}` is ignored: {why}"), place);
                    return;
                }
                Err(why) => {
                    self.fail(format!("`WorkingDirectory={value}`: {why}"), place);
                    return;
                }
            }
        };
        let value = WorkingDirectory { path, optional };
        self.service.working_directory = Some(At { value, place: place.clone() });
    }

    fn environment(&mut self, value: &str, place: &Place) {
        if value.is_empty() {
            self.service.environment.clear();
            return;
        }
        for text in self.list("Environment", value, Mode::List, place) {
            match text.split_once('=') {
                Some((name, value)) if is_name(name) => {
                    let value = (name.to_owned(), value.to_owned());
                    self.service.environment.push(At { value, place: place.clone() });
                }
                _ => self.warn(
                    format!("`{text}` in `Environment=` is ignored: it is no `NAME=value`"),
                    place,
                ),
            }
        }
    }

    fn environment_file(&mut self, value: &str, place: &Place) {
        if value.is_empty() {
            self.service.environment_files.clear();
            return;
        }
        let Some(text) = self.expand("EnvironmentFile", value, place) else { return };
        let (optional, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text.as_str()),
        };
        match simplify(text) {
            Some(path) => self
                .service
                .environment_files
                .push(At { value: EnvironmentFile { path, optional }, place: place.clone() }),
            None => {
                self.warn(format!("`EnvironmentFile={value}` is ignored: {NO_PATH}"), place);
            }
        }
    }

    fn kill_signal(&mut self, value: &str, place: &Place) {
        match signal(value) {
            Some(value) => self.service.kill_signal = Some(At { value, place: place.clone() }),
            None => {
                self.warn(format!("`KillSignal={value}` is ignored: it is no signal"), place);
            }
        }
    }

    fn directories(&mut self, kind: DirectoryKind, value: &str, place: &Place) {
        if value.is_empty() {
            self.service.directories.retain(|directory| directory.value.kind != kind);
            return;
        }
        for word in self.list(kind.key(), value, Mode::List, place) {
            let mut parts = word.splitn(3, ':');
            let path = parts.next().unwrap_or_default();
            let link = parts.next().filter(|link| !link.is_empty());
            let (path, link) = (below(path), link.map(below));
            match (path, link) {
                (Some(path), None) => self.add_directory(kind, path, None, place),
                (Some(path), Some(Some(link))) if kind != DirectoryKind::Configuration => {
                    self.add_directory(kind, path, Some(link), place);
                }
                (Some(_), Some(Some(_))) => self.warn(
                    format!("`{word}` in `{}=` is ignored: it may have no link", kind.key()),
                    place,
                ),
                _ => self.warn(
                    format!(
                        "`{word}` in `{}=` is ignored: it is no path below `{}`",
                        kind.key(),
                        kind.root()
                    ),
                    place,
                ),
            }
        }
    }

    fn add_directory(
        &mut self,
        kind: DirectoryKind,
        path: String,
        link: Option<String>,
        place: &Place,
    ) {
        let value = Directory { kind, path, link };
        self.service.directories.push(At { value, place: place.clone() });
    }

    fn documentation(&mut self, value: &str, place: &Place) {
        if value.is_empty() {
            self.service.documentation.clear();
        }
        for value in self.list("Documentation", value, Mode::Command, place) {
            self.service.documentation.push(At { value, place: place.clone() });
        }
    }

    /// Words with their specifiers replaced.
    fn list(&mut self, key: &str, value: &str, mode: Mode, place: &Place) -> Vec<String> {
        let (words, error) = words(value, mode);
        let mut list = Vec::new();
        for word in words {
            list.extend(self.expand(key, &word, place));
        }
        if let Some(error) = error {
            let message = format!("the rest of `{key}=` is ignored: {}", error.message());
            self.warn(message, place);
        }
        list
    }

    /// The outer is none for what is ignored, the inner for an empty value.
    #[allow(clippy::option_option, reason = "nothing, and nothing in place of what was there")]
    fn text(&mut self, key: &str, value: &str, place: &Place) -> Option<Option<At<String>>> {
        let value = self.expand(key, value, place)?;
        Some((!value.is_empty()).then(|| At { value, place: place.clone() }))
    }

    fn expand(&mut self, key: &str, value: &str, place: &Place) -> Option<String> {
        match self.specifiers.expand(value) {
            Ok(expanded) => {
                self.tell_unknown(key, &expanded.unknown, place);
                Some(expanded.text)
            }
            Err(message) => {
                self.warn(format!("`{key}={value}` is ignored: {message}"), place);
                None
            }
        }
    }

    fn tell_unknown(&mut self, key: &str, unknown: &[char], place: &Place) {
        for unknown in unknown {
            let message = format!(
                "`%{unknown}` in `{key}=` stays as it is: only the running machine knows it"
            );
            self.warn(message, place);
        }
    }

    /// systemd would not start the service.
    fn fail(&mut self, message: String, place: &Place) {
        self.service.fatal.push(Finding::refusal(message, Some(place.clone())));
    }

    fn warn(&mut self, message: String, place: &Place) {
        self.service.findings.push(Finding::warning(message, Some(place.clone())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::memory::Memory;
    use crate::load::Units;
    use crate::name::UnitName;

    fn service(text: &str) -> Service {
        let files = Memory::new().file("/usr/lib/systemd/system/a@.service", text);
        let unit = Units::new(&files).load(&UnitName::parse("a@b").unwrap()).unwrap();
        read(&unit, &files)
    }

    #[test]
    fn lists_grow_and_empty_values_reset() {
        let service = service(
            "[Service]\nExecStart=/a\nExecStart=\nExecStart=/b\nEnvironment=A=1 \"B=%i c\" 1=2\n\
             User=x\nUser=\nGroup=%p\nExecStartPre=/x\nExecStartPre=\nExecStartPre=/y\n\
             StateDirectory=x/y:z ../q %p\nStateDirectoryMode=750\nNice=1\nNice=\nFoo=1\n",
        );
        assert_eq!(service.commands.len(), 1);
        assert_eq!(service.environment[1].value, ("B".into(), "b c".into()));
        assert_eq!((&service.user, service.group.unwrap().value.as_str()), (&None, "a"));
        assert_eq!(service.lost.len(), 1);
        assert_eq!(service.directories.len(), 2);
        assert_eq!(service.directories[0].value.link.as_deref(), Some("z"));
        assert!(service.harmless.is_empty());
        assert_eq!(service.findings.len(), 3, "{:?}", service.findings);
    }

    #[test]
    fn types() {
        let kind = |text: &str| service(&format!("[Service]\n{text}")).effective_type();
        assert_eq!(kind("ExecStart=/a"), Type::Simple);
        assert_eq!(kind("ExecStart=/a\nBusName=a.b"), Type::Dbus);
        assert_eq!(kind("ExecStop=/a"), Type::Oneshot);
        assert_eq!(kind("ExecStart=/a\nType=idle\nType=nonsense"), Type::Idle);
    }
}
