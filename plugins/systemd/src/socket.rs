//! Ports of the service's sockets.
//!
//! Source: systemd.socket(5).

use crate::files::{Files, Kind};
use crate::finding::Finding;
use crate::load::{Unit, search_path};
use crate::service::{At, Service};
use crate::specifier::Specifiers;
use crate::syntax::{Place, parse};
use std::collections::BTreeMap;

/// What sockets give.
#[derive(Debug, Default)]
pub struct Sockets {
    /// `80/tcp`
    pub ports: Vec<At<String>>,
    /// What cannot be expressed.
    pub findings: Vec<Finding>,
}

/// The sockets that start the service.
pub fn sockets(files: &dyn Files, unit: &Unit, service: &Service) -> Sockets {
    let mut found = Sockets::default();
    let own = format!("{}.socket", unit.name.stem());
    let mut passed = None;
    for (name, path) in all(files) {
        let named = name == own || service.sockets.contains(&name);
        let content = files.read(&path).unwrap_or_default();
        let parsed = parse(&path, &content);
        let mut directives: Vec<_> = parsed
            .assignments
            .into_iter()
            .filter(|assignment| assignment.section.as_ref() == "Socket")
            .collect();
        for drop_in in drop_ins(files, &name) {
            let parsed = parse(&drop_in, &files.read(&drop_in).unwrap_or_default());
            directives
                .extend(parsed.assignments.into_iter().filter(|a| a.section.as_ref() == "Socket"));
        }
        let value = |key: &str| {
            directives.iter().rfind(|d| d.key == key).map(|d| d.value.clone()).unwrap_or_default()
        };
        let target = value("Service");
        let ours = if target.is_empty() { named } else { target == unit.name.full };
        if !ours {
            continue;
        }
        let specifiers = Specifiers::new(&unit.name, &path, files);
        let sctp = value("SocketProtocol") == "sctp";
        let mut listens: Vec<(String, String, Place)> = Vec::new();
        for directive in &directives {
            let Some(kind) = directive.key.strip_prefix("Listen") else { continue };
            if directive.value.is_empty() {
                listens.clear();
                continue;
            }
            let address =
                specifiers.expand(&directive.value).map_or(directive.value.clone(), |e| e.text);
            listens.push((kind.to_owned(), address, directive.place.clone()));
        }
        for (kind, address, place) in listens {
            passed.get_or_insert_with(|| (name.clone(), place.clone()));
            let protocol = match kind.as_str() {
                "Stream" if sctp => "sctp",
                "Stream" => "tcp",
                "Datagram" => "udp",
                "SequentialPacket" if sctp => "sctp",
                _ => "",
            };
            match port(&address).filter(|_| !protocol.is_empty()) {
                Some(port) => {
                    let value = format!("{port}/{protocol}");
                    if !found.ports.iter().any(|known| known.value == value) {
                        found.ports.push(At { value, place });
                    }
                }
                None => found.findings.push(Finding::note(
                    format!("`Listen{kind}={address}` is no port"),
                    Some(place),
                )),
            }
        }
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

/// Socket units by name, the strongest of each; masked ones left out.
fn all(files: &dyn Files) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for directory in search_path(files) {
        for name in files.names(directory) {
            let path = format!("{directory}/{name}");
            if name.ends_with(".socket")
                && matches!(files.kind(&path), Some(Kind::File | Kind::Link(_)))
            {
                found.entry(name).or_insert(path);
            }
        }
    }
    found
}

fn drop_ins(files: &dyn Files, name: &str) -> Vec<String> {
    let mut found = BTreeMap::new();
    for directory in search_path(files) {
        let directory = format!("{directory}/{name}.d");
        for entry in files.names(&directory) {
            if entry.ends_with(".conf") {
                found.entry(entry.clone()).or_insert(format!("{directory}/{entry}"));
            }
        }
    }
    found.into_values().collect()
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
        let (unit, service) = find(&files, None).unwrap();
        let found = sockets(&files, &unit, &service);
        let ports: Vec<_> = found.ports.iter().map(|port| port.value.as_str()).collect();
        assert_eq!(ports, ["80/tcp", "53/udp", "81/tcp"]);
        assert_eq!(found.findings.len(), 2);
    }
}
