//! A small repository made in code, and a server that can misbehave.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "shared by several tests")]

use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use strata_repo::{Cache, Event, HttpSettings, Progress, RepoDefinition, Repositories};

pub type Files = BTreeMap<String, Vec<u8>>;

pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Plain,
    Gz,
    Xz,
    Zst,
    Bz2,
}

impl Form {
    fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gz => ".gz",
            Self::Xz => ".xz",
            Self::Zst => ".zst",
            Self::Bz2 => ".bz2",
        }
    }

    fn compress(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Plain => text.to_vec(),
            Self::Gz => {
                let level = flate2::Compression::default();
                let mut out = flate2::write::GzEncoder::new(Vec::new(), level);
                out.write_all(text).unwrap();
                out.finish().unwrap()
            }
            Self::Xz => {
                let mut out = liblzma::write::XzEncoder::new(Vec::new(), 1);
                out.write_all(text).unwrap();
                out.finish().unwrap()
            }
            Self::Zst => zstd::encode_all(text, 3).unwrap(),
            Self::Bz2 => {
                let level = bzip2::Compression::fast();
                let mut out = bzip2::write::BzEncoder::new(Vec::new(), level);
                out.write_all(text).unwrap();
                out.finish().unwrap()
            }
        }
    }
}

/// The content of a package's file. No test reads it as a package.
pub fn package_body(name: &str) -> Vec<u8> {
    name.bytes().cycle().take(40_000 + name.len()).collect()
}

fn package_xml(name: &str, arch: &str) -> String {
    let body = package_body(name);
    format!(
        r#"<package type="rpm">
  <name>{name}</name><arch>{arch}</arch><version epoch="1" ver="2.0" rel="3"/>
  <checksum type="sha256" pkgid="YES">{sum}</checksum>
  <summary>a &amp; b</summary><description>not read: &lt;name>x&lt;/name></description>
  <packager/><url>http://example.invalid/</url>
  <time file="1700000001" build="1700000000"/>
  <size package="{size}" installed="5" archive="7"/>
  <location href="Packages/{name}.rpm"/>
  <format><rpm:license>MIT</rpm:license><rpm:vendor>Somebody &amp; Sons</rpm:vendor>
  <rpm:sourcerpm>{name}-2.0-3.src.rpm</rpm:sourcerpm><rpm:header-range start="1" end="2"/>
  <rpm:provides><rpm:entry name="{name}" flags="EQ" epoch="1" ver="2.0" rel="3"/>
    <rpm:entry name="lib&lt;{name}&gt;"/></rpm:provides>
  <rpm:requires><rpm:entry name="/bin/sh" pre="1"/>
    <rpm:entry name="glibc" flags="GE" epoch="0" ver="2.34"/>
    <rpm:entry name="(a if b)"/></rpm:requires>
  <rpm:recommends><rpm:entry name="extra" flags="LT" ver="9"/></rpm:recommends>
  <file>/usr/bin/{name}</file><file type="dir">/etc/{name}&#x2e;d</file>
  </format>
</package>
"#,
        sum = sha256(&body),
        size = body.len(),
    )
}

/// All files of a repository with the packages `names`, and one source package.
pub fn repository(names: &[&str], form: Form) -> Files {
    let mut files = Files::new();
    let mut primary = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata \
         xmlns=\"http://linux.duke.edu/metadata/common\" \
         xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"{}\">\n",
        names.len() + 1
    );
    let mut filelists =
        String::from("<filelists xmlns=\"http://linux.duke.edu/metadata/filelists\">\n");
    for name in names {
        files.insert(format!("Packages/{name}.rpm"), package_body(name));
        primary.push_str(&package_xml(name, "x86_64"));
        filelists.push_str(&format!(
            "<package pkgid=\"{}\" name=\"{name}\" arch=\"x86_64\"><version epoch=\"1\" \
             ver=\"2.0\" rel=\"3\"/><file>/usr/bin/{name}</file>\
             <file>/usr/share/{name}/data</file></package>\n",
            sha256(&package_body(name))
        ));
    }
    primary.push_str(&package_xml("source", "src"));
    primary.push_str("</metadata>\n");
    filelists.push_str("</filelists>\n");
    let mut repomd = String::from(
        "<?xml version=\"1.0\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\">\n",
    );
    for (kind, text) in [("primary", primary), ("filelists", filelists)] {
        let raw = form.compress(text.as_bytes());
        let path = format!("repodata/{kind}.xml{}", form.suffix());
        repomd.push_str(&format!(
            "<data type=\"{kind}\"><checksum type=\"sha256\">{}</checksum>\
             <open-checksum type=\"sha256\">{}</open-checksum><location href=\"{path}\"/>\
             <size>{}</size><open-size>{}</open-size></data>\n",
            sha256(&raw),
            sha256(text.as_bytes()),
            raw.len(),
            text.len(),
        ));
        files.insert(path, raw);
    }
    repomd.push_str("</repomd>\n");
    files.insert("repodata/repomd.xml".to_owned(), repomd.into_bytes());
    files
}

pub fn write_files(directory: &Path, files: &Files) {
    for (path, bytes) in files {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    /// How many requests of this path came before.
    pub earlier: usize,
}

/// What the server does with a request.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
    pub headers: Vec<(&'static str, String)>,
    /// Close the connection after so many bytes of the body.
    pub cut: Option<usize>,
    /// Do not say how long the body is.
    pub hide_length: bool,
}

impl Reply {
    pub fn ok(body: &[u8]) -> Self {
        Self { status: 200, body: body.to_vec(), ..Self::default() }
    }

    pub fn status(status: u16) -> Self {
        Self { status, body: b"no".to_vec(), ..Self::default() }
    }
}

/// Serves until the test ends.
pub struct Server {
    pub url: String,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Serves `files` as they are.
    pub fn files(files: Files) -> Self {
        Self::start(files, |_, reply| reply)
    }

    /// Serves `files`, each reply passed through `change`.
    pub fn start(
        files: Files,
        change: impl Fn(&Request, Reply) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::new((files, change, Arc::clone(&log)));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let (files, change, log) = &*shared;
                    let answer = |mut request: Request| {
                        {
                            let mut log = log.lock().unwrap();
                            let same = |old: &&Request| old.path == request.path;
                            request.earlier = log.iter().filter(same).count();
                            log.push(request.clone());
                        }
                        let reply = match files.get(request.path.trim_start_matches('/')) {
                            Some(bytes) => Reply::ok(bytes),
                            None => Reply::status(404),
                        };
                        change(&request, reply)
                    };
                    let _ = serve(&stream, answer);
                });
            }
        });
        Self { url: format!("http://{address}"), log }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    /// How often paths that contain `part` were asked for.
    pub fn count(&self, part: &str) -> usize {
        self.requests().iter().filter(|request| request.path.contains(part)).count()
    }
}

fn serve(stream: &TcpStream, answer: impl FnOnce(Request) -> Reply) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let reply = answer(Request { path, headers, earlier: 0 });
    let mut out = stream;
    write!(out, "HTTP/1.1 {} x\r\nconnection: close\r\n", reply.status)?;
    if !reply.hide_length {
        write!(out, "content-length: {}\r\n", reply.body.len())?;
    }
    for (name, value) in &reply.headers {
        write!(out, "{name}: {value}\r\n")?;
    }
    out.write_all(b"\r\n")?;
    out.write_all(&reply.body[..reply.cut.unwrap_or(reply.body.len())])?;
    out.flush()
}

/// Keeps what it is told.
#[derive(Default)]
pub struct Recorder(Mutex<Vec<String>>);

impl Recorder {
    pub fn events(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn count(&self, part: &str) -> usize {
        self.events().iter().filter(|event| event.contains(part)).count()
    }
}

impl Progress for Recorder {
    fn event(&self, event: &Event<'_>) {
        let text = match event {
            Event::Warning(warning) => format!("warning: {warning}"),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(text);
    }
}

pub fn settings() -> HttpSettings {
    HttpSettings {
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(10),
        retries: 3,
        backoff: Duration::from_millis(1),
        parallel: 4,
    }
}

/// A run with its own cache directory and record.
pub fn run(cache: &Path) -> (Repositories, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    let progress = Arc::clone(&recorder) as Arc<dyn Progress>;
    (Repositories::new(Cache::open(cache).unwrap(), settings(), progress).unwrap(), recorder)
}

pub fn definition(places: &[&str]) -> RepoDefinition {
    let mut definition = RepoDefinition::at("test", "");
    definition.baseurl = places.iter().map(|place| (*place).to_owned()).collect();
    definition
}
