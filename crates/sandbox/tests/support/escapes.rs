//! Ways out that must be closed.

use crate::lab::{Lab, lines, path, short};
use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt};
use strata_rootfs::{Kind, Node};

pub fn network() {
    let Some(mut lab) = Lab::new(short()) else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let body = format!(
        "import socket, os\nfor host in ('127.0.0.1', '192.0.2.1'):\n s = socket.socket()\n \
         s.settimeout(2)\n try:\n  s.connect((host, {port})); print('connected')\n except OSError \
         as e: print(host, 'no')\nprint([name for _, name in socket.if_nameindex()])\n\
         print(socket.gethostname())\n"
    );
    let effects = lab.run("/usr/bin/python3", &body).unwrap();
    let text = String::from_utf8_lossy(&effects.output).into_owned();
    let mut words = text.lines();
    assert_eq!(words.next(), Some("127.0.0.1 no"), "{text}");
    assert_eq!(words.next(), Some("192.0.2.1 no"));
    assert!(words.next().unwrap().starts_with("['lo'"), "{text}");
    assert_eq!(words.next(), Some("localhost"));
    assert!(listener.accept().is_err());
}

const TRIES: &str = r#"
import ctypes, os, sys
secret, place = SECRET, PLACE
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def attempt(name, what):
    try:
        result = what()
    except Exception as e:
        result = type(e).__name__
    print(name, result)
def reads(path):
    return lambda: open(path).read()
def call(function, *arguments):
    def run():
        return getattr(libc, function)(*arguments)
    return run
attempt('plain', reads(secret))
attempt('root of 1', reads('/proc/1/root' + secret))
attempt('cwd of 1', reads('/proc/1/cwd' + secret))
attempt('root of self', reads('/proc/self/root' + secret))
attempt('above', reads('/../../../../../..' + secret))
for fd in range(0, 20):
    try: target = os.readlink('/proc/1/fd/%d' % fd)
    except OSError: continue
    print('fd of 1', fd)
for fd in os.listdir('/proc/self/fd'):
    if int(fd) > 3: print('fd', fd, os.readlink('/proc/self/fd/' + fd))
attempt('link in the tree', reads('/srv/out/secret'))
attempt('write through link', lambda: open('/srv/out/written', 'w').write('x'))
attempt('hard link', lambda: os.link('/proc/1/root' + secret, '/srv/linked'))
attempt('mount', call('mount', b'none', b'/srv', b'tmpfs', 0, b''))
attempt('bind', call('mount', b'/', b'/srv', b'', 4096, b''))
attempt('umount', call('umount2', b'/proc', 2))
attempt('unshare user', call('unshare', 0x10000000))
attempt('unshare mount', call('unshare', 0x20000))
attempt('setns', call('setns', 0, 0))
attempt('ptrace', call('ptrace', 16, 1, 0, 0))
attempt('memory of 1', lambda: open('/proc/1/mem', 'rb').read(1))
attempt('pivot', lambda: libc.syscall(155, b'/', b'/'))
attempt('sysctl', lambda: open('/proc/sys/kernel/core_pattern', 'w').write('x'))
attempt('sysrq', lambda: open('/proc/sysrq-trigger', 'w').write('h'))
attempt('host name', lambda: __import__('socket').sethostname('x'))
attempt('clock', call('settimeofday', ctypes.byref((ctypes.c_long * 2)(1, 1)), None))
attempt('kill all', lambda: os.kill(1, 9))
attempt('nice', lambda: os.nice(-5))
def classic():
    os.mkdir('/srv/jail'); top = os.open('/', os.O_RDONLY)
    os.chroot('/srv/jail'); os.fchdir(top)
    for _ in range(64): os.chdir('..')
    os.chroot('.')
    return open(secret).read()
attempt('chroot', classic)
print('end')
"#;

pub fn all() {
    let Some(mut lab) = Lab::new(short()) else { return };
    let outside = tempfile::tempdir().unwrap();
    fs::set_permissions(outside.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let secret = outside.path().join("secret");
    fs::write(&secret, "the secret").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o666)).unwrap();
    let mut tree = lab.image.tree.clone();
    let target = outside.path().to_str().unwrap().as_bytes().to_vec();
    let link = Node { kind: Kind::Symlink { target }, ..Node::generated(*b"", 0o777, 0) };
    tree.insert(path("srv/out"), link.clone());
    let body = TRIES
        .replace("SECRET", &format!("{:?}", secret.to_str().unwrap()))
        .replace("PLACE", &format!("{:?}", outside.path().to_str().unwrap()));
    let effects = lab.run_on(&tree, "/usr/bin/python3", &body).unwrap();
    let text = String::from_utf8_lossy(&effects.output).into_owned();
    assert!(text.ends_with("end\n"), "{text}");
    assert!(!text.contains("the secret"), "{text}");
    let refused = ["FileNotFoundError", "PermissionError", "OSError", "-1"];
    for line in text.lines().filter(|line| *line != "end" && !line.starts_with("kill all")) {
        assert!(refused.iter().any(|word| line.ends_with(word)), "{line}\n{text}");
    }
    assert_eq!(fs::read(&secret).unwrap(), b"the secret");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1, "only the secret");
    assert_eq!(lines(&effects), ["/srv/jail 755 0:0 directory"], "{text}");
    // a tree whose own directories are links to the outside
    for directory in ["dev", "proc", "var/tmp", "tmp"] {
        let mut tree = lab.image.tree.clone();
        let below: Vec<_> = tree.below(&path(directory)).cloned().collect();
        below.iter().rev().for_each(|path| drop(tree.remove(path)));
        tree.insert(path(directory), link.clone());
        let ran = lab.run_on(&tree, "/bin/sh", "echo >/srv/x");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1, "{directory}: {ran:?}");
    }
}
