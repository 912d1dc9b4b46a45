//! Ports of the service's sockets.
//!
//! Source: systemd.socket(5).

use crate::finding::Finding;
use crate::load::{Unit, Units};
use crate::name::{SERVICE, SOCKET, UnitName};
use crate::service::{At, Service, truth};
use crate::specifier::Specifiers;
use crate::syntax::Place;

/// What sockets give.
#[derive(Debug, Default)]
pub struct Sockets {
    /// Names of the units.
    pub names: Vec<String>,
    /// `80/tcp`
    pub ports: Vec<At<String>>,
    /// What cannot be expressed.
    pub findings: Vec<Finding>,
}

/// The sockets that start the service, or that it asks for.
pub fn sockets(units: &Units<'_>, unit: &Unit, service: &Service) -> Sockets {
    let mut found = Sockets::default();
    let mut passed = None;
    for name in candidates(units, unit, service) {
        let Ok(socket) = units.load(&name) else { continue };
        if found.names.contains(&socket.name.full) || !is_ours(units, unit, service, &socket) {
            continue;
        }
        if let Some(place) = listens(units, &socket, &mut found) {
            passed.get_or_insert_with(|| (socket.name.full.clone(), place));
        }
        found.names.push(socket.name.full);
    }
    if let Some((name, place)) = passed {
        found.findings.push(
            Finding::warning(
                format!(
                    "`{name}` passes open sockets to the service, a container has none to pass"
                ),
                Some(place),
            )
            .hint("see to it that the program opens them itself"),
        );
    }
    found
}

/// Names of sockets that may be the service's, in order; of templates, the service's instance.
fn candidates(units: &Units<'_>, unit: &Unit, service: &Service) -> Vec<UnitName> {
    let mut all: Vec<UnitName> = Vec::new();
    let named = service.sockets.iter().filter_map(|name| UnitName::of_kind(name, SOCKET));
    for mut name in units.names(SOCKET).chain(named) {
        if name.is_template() {
            match &unit.name.instance {
                Some(instance) => name.instantiate(instance),
                None => continue,
            }
        }
        if let Err(at) = all.binary_search_by(|known| known.full.cmp(&name.full)) {
            all.insert(at, name);
        }
    }
    all
}

/// Whether the service names the socket, or the socket starts the service.
fn is_ours(units: &Units<'_>, unit: &Unit, service: &Service, socket: &Unit) -> bool {
    if socket.names.iter().any(|name| service.sockets.contains(&name.full)) {
        return true;
    }
    let specifiers = Specifiers::new(&socket.name, &socket.fragment, units.files);
    let service = last(socket, "Service").filter(|value| !value.is_empty());
    match service.and_then(|value| specifiers.expand(value).ok()) {
        Some(target) => unit.names.iter().any(|name| name.full == target.text),
        // each connection gets an instance of its own
        None if last(socket, "Accept").and_then(truth) == Some(true) => {
            unit.name.template() == Some([&socket.name.prefix, "@", SERVICE].concat())
        }
        None => {
            let target = [socket.name.stem(), SERVICE].concat();
            unit.names.iter().any(|name| name.full == target)
        }
    }
}

/// The last value of a key.
fn last<'a>(socket: &'a Unit, key: &str) -> Option<&'a str> {
    let mut all = socket.assignments.iter().rev();
    let found = all.find(|a| a.section.as_ref() == "Socket" && a.key == key)?;
    Some(&found.value)
}

/// Adds the ports that a socket listens on; where it says the first address.
fn listens(units: &Units<'_>, socket: &Unit, found: &mut Sockets) -> Option<Place> {
    let specifiers = Specifiers::new(&socket.name, &socket.fragment, units.files);
    let sctp = last(socket, "SocketProtocol") == Some("sctp");
    let mut listens = Vec::new();
    for directive in socket.assignments.iter().filter(|a| a.section.as_ref() == "Socket") {
        let Some(kind) = directive.key.strip_prefix("Listen") else { continue };
        if directive.value.is_empty() {
            listens.clear();
        } else {
            listens.push((kind, directive));
        }
    }
    for (kind, directive) in &listens {
        let expanded = specifiers.expand(&directive.value);
        let address = expanded.map_or_else(|_| directive.value.clone(), |expanded| expanded.text);
        let protocol = match *kind {
            "Stream" if sctp => "sctp",
            "Stream" => "tcp",
            "Datagram" => "udp",
            "SequentialPacket" if sctp => "sctp",
            _ => "",
        };
        let place = directive.place.clone();
        match port(&address).filter(|_| !protocol.is_empty()) {
            Some(port) => {
                let value = format!("{port}/{protocol}");
                if !found.ports.iter().any(|known| known.value == value) {
                    found.ports.push(At { value, place });
                }
            }
            None => found
                .findings
                .push(Finding::note(format!("`Listen{kind}={address}` is no port"), Some(place))),
        }
    }
    listens.first().map(|(_, directive)| directive.place.clone())
}

/// The port of `80`, `127.0.0.1:80`, `[::]:80`.
fn port(address: &str) -> Option<u16> {
    let port = if let Some(rest) = address.strip_prefix('[') {
        // an interface may follow: `[fe80::1]:80%eth0`
        let (_, port) = rest.split_once("]:")?;
        port.split('%').next()?
    } else {
        match address.split_once(':') {
            Some((host, port)) if host.parse::<std::net::Ipv4Addr>().is_ok() => port,
            Some(_) => return None,
            None => address,
        }
    };
    port.parse().ok().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::memory::Memory;
    use crate::find::find;

    #[test]
    fn ports() {
        for (address, expected) in [
            ("80", Some(80)),
            ("127.0.0.1:81", Some(81)),
            ("[::]:82", Some(82)),
            ("[fe80::1]:83%eth0", Some(83)),
            ("/run/x.sock", None),
            ("@abstract", None),
            ("vsock:2:84", None),
            ("0", None),
        ] {
            assert_eq!(port(address), expected, "{address}");
        }
    }

    #[test]
    fn sockets_of_the_same_name_and_those_that_name_the_service() {
        let files = Memory::new()
            .file("/usr/lib/systemd/system/a.service", "[Service]\nExecStart=/a\n")
            .file(
                "/usr/lib/systemd/system/a.socket",
                "[Socket]\nListenStream=1\nListenStream=\nListenStream=80\nListenDatagram=53\n",
            )
            .file(
                "/usr/lib/systemd/system/b.socket",
                "[Socket]\nListenStream=/run/b\nListenStream=[::]:81\nService=a.service\n",
            )
            .file("/usr/lib/systemd/system/c.socket", "[Socket]\nListenStream=82\n");
        let units = Units::new(&files);
        let (unit, service) = find(&units, None).unwrap();
        let found = sockets(&units, &unit, &service);
        let ports: Vec<_> = found.ports.iter().map(|port| port.value.as_str()).collect();
        assert_eq!(ports, ["80/tcp", "53/udp", "81/tcp"]);
        assert_eq!(found.findings.len(), 2);
    }

    /// Names and ports of the sockets of a unit.
    fn of(files: &Memory, unit: &str) -> (Vec<String>, Vec<String>) {
        let units = Units::new(files);
        let (unit, service) = find(&units, Some(unit)).unwrap();
        let found = sockets(&units, &unit, &service);
        (found.names, found.ports.into_iter().map(|port| port.value).collect())
    }

    #[test]
    fn a_service_names_sockets_that_start_another() {
        let files = Memory::new()
            .file(
                "/usr/lib/systemd/system/a.service",
                "[Service]\nExecStart=/a\nSockets=b.socket\nSockets=\n",
            )
            .file("/usr/lib/systemd/system/c.service", "[Service]\nExecStart=/c\n")
            .file(
                "/usr/lib/systemd/system/b.socket",
                "[Socket]\nListenStream=80\nService=c.service\n",
            );
        for unit in ["a", "c"] {
            assert_eq!(of(&files, unit), (vec!["b.socket".into()], vec!["80/tcp".into()]));
        }
    }

    #[test]
    fn templates_have_the_instance_of_the_service_and_drop_ins_of_all_kinds() {
        let files = Memory::new()
            .file("/usr/lib/systemd/system/a-b@.service", "[Service]\nExecStart=/a\n")
            .file("/usr/lib/systemd/system/a-b@.socket", "[Socket]\nListenStream=/run/%N\n")
            .file(
                "/usr/lib/systemd/system/z@.socket",
                "[Socket]\nListenStream=8%i\nService=a-b@%i.service\n",
            )
            .file("/usr/lib/systemd/system/other@.socket", "[Socket]\nListenStream=9\n")
            .file("/etc/systemd/system/a-b@.socket.d/x.conf", "[Socket]\nListenStream=1\n")
            .file("/etc/systemd/system/a-@.socket.d/y.conf", "[Socket]\nListenStream=2\n")
            .file("/etc/systemd/system/socket.d/z.conf", "[Socket]\nListenDatagram=3\n");
        let (names, ports) = of(&files, "a-b@1");
        assert_eq!(names, ["a-b@1.socket", "z@1.socket"]);
        assert_eq!(ports, ["1/tcp", "2/tcp", "3/udp", "81/tcp"]);
    }

    #[test]
    fn a_socket_that_accepts_starts_instances() {
        let files = Memory::new()
            .file("/usr/lib/systemd/system/a.service", "[Service]\nExecStart=/a\n")
            .file("/usr/lib/systemd/system/a@.service", "[Service]\nExecStart=/a\n")
            .file("/usr/lib/systemd/system/a.socket", "[Socket]\nListenStream=80\nAccept=yes\n");
        assert_eq!(of(&files, "a").1, Vec::<String>::new());
        assert_eq!(of(&files, "a@x").1, ["80/tcp"]);
    }
}
