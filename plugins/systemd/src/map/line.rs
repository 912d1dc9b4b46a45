//! The command line.

use super::{Change, Mapped};
use crate::environment::replace;
use crate::files::Files;
use crate::finding::Finding;
use crate::load::Unit;
use crate::service::{At, Command, Service, Type};
use crate::syntax::Place;

/// Where systemd looks for a program that is no path.
const SEARCH: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

const INSTEAD: &str = "set `Cmd` or `Entrypoint` in the overlay to a command that stays in the \
                       foreground; user, ports and labels are taken from the unit all the same";

/// Adds entry point and arguments, or says why there are none.
pub fn command_line(
    files: &dyn Files,
    unit: &Unit,
    service: &Service,
    variables: &[(String, String)],
    mapped: &mut Mapped,
) {
    mapped.findings.extend(service.fatal.iter().cloned());
    if !service.fatal.is_empty() {
        return;
    }
    match sole(unit, service) {
        Ok(command) => {
            if let Err(finding) = add(files, unit, service, command, variables, mapped) {
                mapped.findings.push(finding);
            }
        }
        Err(finding) => mapped.findings.push(finding),
    }
}

/// The one command of a service that stays in the foreground.
fn sole<'a>(unit: &Unit, service: &'a Service) -> Result<&'a At<Command>, Finding> {
    let kind = service.effective_type();
    let name = &unit.name.full;
    let whole = || Place { path: unit.fragment.as_str().into(), line: None };
    let place = || match (&service.declared_type, &service.bus_name) {
        (Some(declared), _) => declared.place.clone(),
        (None, Some(bus)) => bus.place.clone(),
        (None, None) => whole(),
    };
    match (&service.commands[..], kind) {
        ([], _) => {
            Err(Finding::refusal(format!("`{name}` has no `ExecStart=`"), Some(whole()))
                .hint(INSTEAD))
        }
        (_, Type::Forking) => Err(Finding::refusal(
            format!(
                "`{name}` is `Type=forking`: its program goes into the background, and a container \
                 ends with the program that it starts"
            ),
            Some(place()),
        )
        .hint(INSTEAD)),
        (_, Type::Dbus) => Err(Finding::refusal(
            format!(
                "`{name}` is `Type=dbus`: it is ready when it has a name on the system bus, and an \
                 image has no bus"
            ),
            Some(place()),
        )
        .hint(INSTEAD)),
        ([_, second, ..], Type::Oneshot) => Err(Finding::refusal(
            format!(
                "`{name}` runs {} commands one after the other, and an image has one",
                service.commands.len()
            ),
            Some(second.place.clone()),
        )
        .hint(INSTEAD)),
        ([_, second, ..], kind) => Err(Finding::refusal(
            format!(
                "`{name}` has several commands in `ExecStart=`, which `Type={}` does not allow",
                kind.name()
            ),
            Some(second.place.clone()),
        )
        .hint(INSTEAD)),
        ([command], _) => Ok(command),
    }
}

fn add(
    files: &dyn Files,
    unit: &Unit,
    service: &Service,
    at: &At<Command>,
    variables: &[(String, String)],
    mapped: &mut Mapped,
) -> Result<(), Finding> {
    let At { value: command, place } = at;
    let here = || Some(place.clone());
    if let Some(unknown) = command.unknown.first() {
        return Err(Finding::refusal(
            format!("`%{unknown}` in `ExecStart=` is known to the running machine only"),
            here(),
        )
        .hint("set `Cmd` or `Entrypoint` in the overlay, or `ExecStart=` in a drop-in"));
    }
    let kind = service.effective_type();
    if kind == Type::Oneshot {
        let message = format!("`{}` is `Type=oneshot`: the container ends soon", unit.name.full);
        let place = service.declared_type.as_ref().map(|declared| declared.place.clone());
        mapped.findings.push(Finding::note(message, place));
    }
    if matches!(kind, Type::Notify | Type::NotifyReload) {
        let message = format!("`Type={}`: nobody waits for the service to be ready", kind.name());
        let place = service.declared_type.as_ref().map(|declared| declared.place.clone());
        mapped.findings.push(Finding::note(message, place));
    }
    if command.named {
        let message = format!(
            "`@`: the program sees its own path as its name, not `{}`",
            command.argv.first().map_or("", String::as_str)
        );
        mapped.findings.push(Finding::warning(message, here()));
    }
    if command.ignore_failure {
        let message = "`-` is lost: the exit code of the program is that of the container";
        mapped.findings.push(Finding::note(message, here()));
    }
    let arguments = command.argv.get(1..).unwrap_or_default();
    let arguments = if command.verbatim {
        arguments.to_vec()
    } else {
        let replaced = replace(arguments, variables);
        for name in replaced.unset {
            let message = format!("`{name}` in `ExecStart=` is not set, and left out");
            let finding = if RUNTIME.contains(&name.as_str()) {
                Finding::warning(message, here()).hint("systemd sets it, a container does not")
            } else {
                Finding::note(message, here())
            };
            mapped.findings.push(finding);
        }
        replaced.words
    };
    let program = program(files, &command.program, place, mapped);
    mapped.add(Change::Entrypoint(vec![program]), place);
    // Apart from the program, so that other arguments may take their place.
    if !arguments.is_empty() {
        mapped.add(Change::Cmd(arguments), place);
    }
    Ok(())
}

/// Variables that systemd sets when it starts a service.
const RUNTIME: [&str; 10] = [
    "CREDENTIALS_DIRECTORY",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PID",
    "MAINPID",
    "NOTIFY_SOCKET",
    "SYSTEMD_EXEC_PID",
    "WATCHDOG_USEC",
];

/// The program's path, without double slashes.
fn program(files: &dyn Files, program: &str, place: &Place, mapped: &mut Mapped) -> String {
    let found = if program.starts_with('/') {
        let path = crate::files::simplify(program).unwrap_or_else(|| program.to_owned());
        if !files.exists(&path) {
            let message = format!("`{path}` is not in the image");
            mapped.findings.push(Finding::warning(message, Some(place.clone())));
        }
        return path;
    } else {
        SEARCH.iter().map(|dir| format!("{dir}/{program}")).find(|path| files.exists(path))
    };
    found.unwrap_or_else(|| {
        let message = format!("`{program}` is in no directory of `PATH`");
        mapped.findings.push(Finding::warning(message, Some(place.clone())));
        program.to_owned()
    })
}
