//! Answers GET and HEAD with the files below a directory.
//!
//! `web-server [--root DIR] [--listen ADDRESS:PORT]`

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

fn main() -> std::io::Result<()> {
    let (mut root, mut address) = (PathBuf::from("/srv/www"), "0.0.0.0:8080".to_owned());
    let mut arguments = std::env::args().skip(1);
    while let (Some(option), Some(value)) = (arguments.next(), arguments.next()) {
        match option.as_str() {
            "--root" => root = value.into(),
            "--listen" => address = value,
            _ => eprintln!("web-server: `{option}` means nothing to me"),
        }
    }
    let listener = TcpListener::bind(&address)?;
    println!("web-server: {} at http://{}/", root.display(), listener.local_addr()?);
    for connection in listener.incoming().flatten() {
        let root = root.clone();
        std::thread::spawn(move || {
            if let Err(error) = answer(connection, &root) {
                eprintln!("web-server: {error}");
            }
        });
    }
    Ok(())
}

fn answer(mut connection: TcpStream, root: &Path) -> std::io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut request = String::new();
    let mut lines = BufReader::new(connection.try_clone()?);
    lines.read_line(&mut request)?;
    // The client may not be cut off while it is still sending its headers.
    let mut header = String::new();
    while lines.read_line(&mut header)? > 2 {
        header.clear();
    }
    let mut words = request.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, kind, body) = match method {
        "GET" | "HEAD" => match file(root, path) {
            Some((kind, body)) => ("200 OK", kind, body),
            None => ("404 Not Found", "text/plain", b"not found\n".to_vec()),
        },
        _ => ("405 Method Not Allowed", "text/plain", b"only GET and HEAD\n".to_vec()),
    };
    write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    if method != "HEAD" {
        connection.write_all(&body)?;
    }
    println!("{status} {path}");
    connection.flush()
}

/// A file below `root` and its type; never one beside it.
fn file(root: &Path, path: &str) -> Option<(&'static str, Vec<u8>)> {
    let path = Path::new(path.split('?').next()?.trim_start_matches('/'));
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let mut file = root.join(path);
    if file.is_dir() {
        file.push("index.html");
    }
    let kind = match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css",
        _ => "application/octet-stream",
    };
    Some((kind, std::fs::read(file).ok()?))
}
