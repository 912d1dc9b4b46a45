//! From assignments to a service, in systemd's way: lists grow, an empty value resets.

use super::{
    At, Directory, DirectoryKind, EnvironmentFile, Service, Type, WorkingDirectory, command,
};
use crate::directives::{Meaning, meaning};
use crate::environment::is_name;
use crate::files::{Files, simplify};
use crate::finding::Finding;
use crate::load::Unit;
use crate::specifier::Specifiers;
use crate::syntax::{Assignment, Place};
use crate::words::{Mode, words};

/// Reads a loaded unit.
pub fn read(unit: &Unit, files: &dyn Files) -> Service {
    let specifiers = Specifiers::new(&unit.name, &unit.fragment, files);
    let mut reader = Reader { specifiers, service: Service::default(), sections: Vec::new() };
    for ignored in &unit.ignored {
        let message = format!("a line is ignored: {}", ignored.message);
        reader.service.findings.push(Finding::warning(message, Some(ignored.place.clone())));
    }
    for assignment in &unit.assignments {
        reader.assignment(assignment);
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
                if value.is_empty() {
                    self.service.lost.retain(|(lost, ..)| *lost != key);
                } else {
                    self.service.lost.push((key, why, place.clone()));
                }
            }
            Meaning::Harmless => {
                let key = format!("{key}=");
                if value.is_empty() {
                    self.service.harmless.remove(&key);
                } else {
                    self.service.harmless.insert(key);
                }
            }
            Meaning::Unknown => {
                self.warn(format!("`{key}=` in `[{section}]` is unknown"), place);
            }
        }
    }

    fn supported(&mut self, key: &str, value: &str, place: &Place) {
        match key {
            "Description" => self.service.description = self.text(key, value, place),
            "Documentation" => self.documentation(value, place),
            "Type" => self.service_type(value, place),
            "BusName" => self.service.bus_name = self.text(key, value, place),
            "ExecStart" => self.command(value, place),
            "User" => self.service.user = self.account(key, value, place),
            "Group" => self.service.group = self.account(key, value, place),
            "DynamicUser" => {
                self.service.dynamic_user = truth(value).then(|| place.clone());
            }
            "WorkingDirectory" => self.working_directory(value, place),
            "Environment" => self.environment(value, place),
            "EnvironmentFile" => self.environment_file(value, place),
            "UnsetEnvironment" => {
                if value.is_empty() {
                    self.service.unset_environment.clear();
                }
                let names = self.list(key, value, place);
                self.service.unset_environment.extend(names);
            }
            "KillSignal" => self.kill_signal(value, place),
            "Sockets" => {
                if value.is_empty() {
                    self.service.sockets.clear();
                }
                let names = self.list(key, value, place);
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
                        self.service.modes.insert(kind, mode);
                    }
                    _ if value.is_empty() => {
                        self.service.modes.remove(&kind);
                    }
                    _ => self.warn(format!("`{key}={value}` is no mode"), place),
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
            let message = format!("`ExecStart=` cannot be read: {message}");
            self.service.fatal.push(Finding::refusal(message, Some(place.clone())));
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

    fn account(&mut self, key: &str, value: &str, place: &Place) -> Option<At<String>> {
        let text = self.text(key, value, place)?;
        let name = &text.value;
        let valid = !name.is_empty()
            && !matches!(name.as_str(), "." | "..")
            && !name.starts_with('-')
            && name.trim() == name
            && !name.contains(|c: char| c == ':' || c == '/' || c.is_control())
            && (!name.starts_with(|c: char| c.is_ascii_digit()) || name.parse::<u32>().is_ok());
        if !valid {
            let message = format!("`{key}={name}` is neither a name nor a number");
            self.service.fatal.push(Finding::refusal(message, Some(place.clone())));
        }
        valid.then_some(text)
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
            let expanded = self.expand("WorkingDirectory", text, place);
            match expanded.as_deref().and_then(simplify) {
                Some(path) => Some(path),
                None => {
                    let message = format!("`WorkingDirectory={value}` is not an absolute path");
                    let place = Some(place.clone());
                    if optional {
                        self.service.findings.push(Finding::warning(message, place));
                    } else {
                        self.service.fatal.push(Finding::refusal(message, place));
                    }
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
        let list = match words(value, Mode::Unit) {
            Ok(list) => list,
            Err(error) => {
                self.warn(format!("`Environment=` is ignored: {}", error.message()), place);
                return;
            }
        };
        for word in list {
            let Some(text) = self.expand("Environment", &word, place) else { continue };
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
            None => self.warn(
                format!("`EnvironmentFile={value}` is ignored: it is no absolute path"),
                place,
            ),
        }
    }

    fn kill_signal(&mut self, value: &str, place: &Place) {
        if value.is_empty() {
            self.service.kill_signal = None;
            return;
        }
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
        for word in self.list(kind.key(), value, place) {
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
        for value in self.list("Documentation", value, place) {
            self.service.documentation.push(At { value, place: place.clone() });
        }
    }

    /// Words with their specifiers replaced.
    fn list(&mut self, key: &str, value: &str, place: &Place) -> Vec<String> {
        match words(value, Mode::Unit) {
            Ok(list) => list.iter().filter_map(|word| self.expand(key, word, place)).collect(),
            Err(error) => {
                self.warn(format!("`{key}=` is ignored: {}", error.message()), place);
                Vec::new()
            }
        }
    }

    fn text(&mut self, key: &str, value: &str, place: &Place) -> Option<At<String>> {
        if value.is_empty() {
            return None;
        }
        let value = self.expand(key, value, place)?;
        Some(At { value, place: place.clone() })
    }

    fn expand(&mut self, key: &str, value: &str, place: &Place) -> Option<String> {
        match self.specifiers.expand(value) {
            Ok(expanded) => {
                for unknown in expanded.unknown {
                    self.warn(
                        format!(
                            "`%{unknown}` in `{key}=` stays as it is: only the running machine \
                             knows it"
                        ),
                        place,
                    );
                }
                Some(expanded.text)
            }
            Err(message) => {
                self.warn(format!("`{key}={value}` is ignored: {message}"), place);
                None
            }
        }
    }

    fn warn(&mut self, message: String, place: &Place) {
        self.service.findings.push(Finding::warning(message, Some(place.clone())));
    }
}

/// systemd's truth values.
pub fn truth(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "1" | "yes" | "y" | "true" | "t" | "on")
}

/// A path below a directory; none for one that leads out of it.
fn below(text: &str) -> Option<String> {
    if text.starts_with('/') {
        return None;
    }
    let path = simplify(&format!("/{text}"))?;
    let path = path.strip_prefix('/')?;
    (!path.is_empty() && path != "private" && !path.starts_with("private/"))
        .then(|| path.to_owned())
}

/// `SIGTERM` for `TERM`, `15`; the number of a real-time signal.
fn signal(text: &str) -> Option<String> {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];
    const RTMIN: u32 = 34;
    const RTMAX: u32 = 64;
    if let Ok(number) = text.parse::<u32>() {
        let name = number.checked_sub(1).and_then(|index| NAMES.get(index as usize));
        return match name {
            Some(name) => Some(format!("SIG{name}")),
            None => (32..=RTMAX).contains(&number).then(|| number.to_string()),
        };
    }
    let name = text.strip_prefix("SIG").unwrap_or(text);
    if NAMES.contains(&name) {
        return Some(format!("SIG{name}"));
    }
    let number = if let Some(offset) = name.strip_prefix("RTMIN") {
        let offset = if offset.is_empty() { 0 } else { offset.strip_prefix('+')?.parse().ok()? };
        RTMIN.checked_add(offset)?
    } else {
        let offset = name.strip_prefix("RTMAX")?;
        let offset = if offset.is_empty() { 0 } else { offset.strip_prefix('-')?.parse().ok()? };
        RTMAX.checked_sub(offset)?
    };
    (RTMIN..=RTMAX).contains(&number).then(|| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::memory::Memory;
    use crate::load::load;
    use crate::name::UnitName;

    fn service(text: &str) -> Service {
        let files = Memory::new().file("/usr/lib/systemd/system/a@.service", text);
        let unit = load(&files, &UnitName::parse("a@b").unwrap()).unwrap();
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

    #[test]
    fn signals() {
        for (text, name) in [
            ("TERM", Some("SIGTERM")),
            ("SIGQUIT", Some("SIGQUIT")),
            ("9", Some("SIGKILL")),
            ("SIGRTMIN+3", Some("37")),
            ("RTMAX", Some("64")),
            ("0", None),
            ("65", None),
            ("RTMIN+40", None),
        ] {
            assert_eq!(signal(text).as_deref(), name, "{text}");
        }
    }
}
