"""Packages that other projects test with: many distributions, builders, payloads and ages, source
packages, deltas and broken ones among them.

Below DIR: `rpms/*.rpm` and `*.drpm`, each content once, and `rpms.stamp`. They come out of source packages of
three registries, each fetched by its own client and pinned by digest.
"""

import contextlib
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

import debian

#: Source packages of Python: name, version, digest.
PYTHON = [
    ("createrepo_c", "1.2.1", "f54469eec2b5fbff817a75fe04eb4b65bc468c1fe328dd3539c3ea12a559454d"),
    ("rpmlint", "2.10.0", "5a45470f3d31731545adfd1321abf678e4e48ccda0f4ab96fda9526e99bbce2d"),
]

#: Crates: name, version, digest.
RUST = [
    ("rpm", "0.16.0", "1630639f4dbc1c71ad7b704cda2171584c80735c502efae94804d02763fc6f7d"),
    ("rpm", "0.30.2", "be2e77d9761a6204fd002de1e80f8962c6a96b12e50d25864f5a4435cfc09f24"),
]

#: Source packages of Debian: name, the archive with the packages, digest. The version is Debian's
#: affair: a later revision has the same archive.
DEBIAN = [
    ("appstream-glib", "appstream-glib_0.8.2.orig.tar.xz",
     "71256500add5048d6f08878904708b3d0c3875f402e0adcd358e91d47dcd8b96"),
    ("diffoscope", "diffoscope_240+deb12u1.tar.xz",
     "88c102de0011563bac39f8c8a5b19304e926600fd225aa6d5c108e2b0fc16adc"),
    ("dnf", "dnf_4.14.0.orig.tar.gz",
     "7de4eb8e85c4d9a74db6f1f827d2dd3348e265631f8678a1dbf7e3346beaad53"),
    ("elfutils", "elfutils_0.188.orig.tar.bz2",
     "fb8b0e8d0802005b9a309c60c1d8de32dd2951b56f0c3a3cb56d21ce01595dff"),
    ("libdnf", "libdnf_0.69.0.orig.tar.gz",
     "a79debe797050d5b99c6e81a8f19cf0d1d74f05749c422479f490db40cd53c45"),
    ("librepo", "librepo_1.14.5.orig.tar.gz",
     "6fb7dbbcfa48e333633beabf830d75f20b347ae5b9734ffde3164fef8d093391"),
    ("rpm", "rpm_4.18.0+dfsg.orig.tar.xz",
     "d0d9c58c036bc6308de6e195e898c10bf53eaef6f962c48b403e7cd262f4eb4d"),
]

LEAD = b"\xed\xab\xee\xdb"


def make(out):
    """Fetches the source packages and takes the RPMs out."""
    target, stamp = os.path.join(out, "rpms"), os.path.join(out, "rpms.stamp")
    sources = os.path.join(out, "sources")
    os.makedirs(sources, exist_ok=True)
    archives = [*from_debian(sources), *from_python(sources), *from_rust(sources)]
    # first of all: what is half there is not current
    with contextlib.suppress(FileNotFoundError):
        os.remove(stamp)
    work = f"{target}.work"
    for old in (target, work):
        shutil.rmtree(old, ignore_errors=True)
    os.makedirs(work)
    found = {}
    for archive in archives:
        before = len(found)
        collect(archive, found)
        print(f"corpus rpms: {os.path.basename(archive)}, {len(found) - before} new packages")
    names = [os.path.basename(path) for path, _ in found.values()]
    for digest, (path, content) in found.items():
        name = os.path.basename(path)
        if names.count(name) > 1:
            stem, _, extension = name.rpartition(".")
            name = f"{stem}.{digest[:8]}.{extension}"
        with open(os.path.join(work, name), "wb") as file:
            file.write(content)
    os.rename(work, target)
    with open(stamp, "w", encoding="utf-8") as text:
        text.write(own_digest())
    print(f"corpus rpms: {len(found)} packages in {target}")


def collect(archive, found):
    """Adds the packages of one archive: {digest: (path, content)}."""
    with tarfile.open(archive) as members:
        for member in members:
            if not member.isreg() or not member.name.endswith((".rpm", ".drpm")):
                continue
            content = members.extractfile(member).read()
            if content.startswith(LEAD):
                digest = hashlib.sha256(content).hexdigest()
                found.setdefault(digest, (member.name, content))


def checked(path, digest):
    """The path of a file that is what it should be."""
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        sys.exit(f"corpus rpms: {path} has the sha256 {found}, not {digest}")
    return path


def from_python(sources):
    """By pip, which checks the digest too."""
    for name, version, digest in PYTHON:
        path = os.path.join(sources, f"{name}-{version}.tar.gz")
        if not os.path.exists(path):
            with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
                wanted.write(f"{name}=={version} --hash=sha256:{digest}\n")
                wanted.flush()
                run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                    "--disable-pip-version-check", "--no-binary", name, "--require-hashes",
                    "--dest", sources, "--requirement", wanted.name)
        yield checked(path, digest)


def from_rust(sources):
    """By cargo, which keeps the archive of every crate that it tells about."""
    home = os.environ.get("CARGO_HOME") or os.path.expanduser("~/.cargo")
    for name, version, digest in RUST:
        path = os.path.join(sources, f"{name}-{version}.crate")
        if not os.path.exists(path):
            # outside of any workspace, which would have a say in the version
            with tempfile.TemporaryDirectory() as empty:
                run("cargo", "info", "--quiet", f"{name}@{version}", cwd=empty)
            kept = glob.glob(os.path.join(home, "registry/cache/*", f"{name}-{version}.crate"))
            if not kept:
                sys.exit(f"corpus rpms: cargo did not fetch {name} {version}")
            shutil.copyfile(kept[0], path)
        yield checked(path, digest)


def from_debian(sources):
    """By apt, with lists of its own: the machine's need not name source packages."""
    missing = [
        name
        for name, archive, _ in DEBIAN
        if not os.path.exists(os.path.join(sources, archive))
    ]
    if missing:
        with tempfile.TemporaryDirectory() as scratch:
            os.makedirs(os.path.join(scratch, "lists/partial"))
            listing = os.path.join(scratch, "sources.list")
            with open(listing, "w", encoding="utf-8") as text:
                text.write("".join(f"{line}\n" for line in source_lines()))
            apt = ["apt-get", "-q", "-o", "APT::Sandbox::User=root",
                   "-o", f"Dir::Etc::sourcelist={listing}", "-o", "Dir::Etc::sourceparts=/dev/null",
                   "-o", f"Dir::State::lists={scratch}/lists", "-o", f"Dir::Cache={scratch}"]
            run(*apt, "update")
            run(*apt, "source", "--download-only", *missing, cwd=sources)
    for _, archive, digest in DEBIAN:
        yield checked(os.path.join(sources, archive), digest)


def source_lines():
    """`deb-src` lines beside the `deb` ones of Debian itself."""
    with open("/etc/os-release", encoding="utf-8") as text:
        codename = next(l[17:].strip() for l in text if l.startswith("VERSION_CODENAME="))
    for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*"))]:
        try:
            with open(path, encoding="utf-8") as text:
                content = text.read()
        except FileNotFoundError:
            continue
        if path.endswith(".sources"):
            lines = [line for part in content.split("\n\n") for line in one_line(part)]
        else:
            lines = [line for line in content.split("\n") if line.startswith("deb ")]
        for line in lines:
            if f" {codename}" in line:
                yield f"deb-src {line.removeprefix('deb ')}"


def one_line(paragraph):
    """The lines that say the same as a paragraph of the newer form."""
    kept = "\n".join(line for line in paragraph.split("\n") if not line.startswith("#"))
    fields = debian.parse_paragraph(kept)
    if "deb" not in fields.get("Types", "").split():
        return
    key = fields.get("Signed-By")
    options = f"[signed-by={key}] " if key else ""
    for uri in fields["URIs"].split():
        for suite in fields["Suites"].split():
            yield f"deb {options}{uri} {suite} {fields.get('Components', '')}"


def run(*command, cwd=None):
    """Quietly; its own words when it fails."""
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        sys.exit(f"`{' '.join(command[:4])} …` failed:\n{ran.stderr[-3000:]}")


def own_digest():
    """Changes whenever the list or the way does."""
    with open(__file__, "rb") as text:
        return hashlib.sha256(text.read()).hexdigest() + "\n"


def is_current(out):
    """Whether they are what this file would make."""
    if not os.path.isdir(os.path.join(out, "rpms")):
        return False
    try:
        with open(os.path.join(out, "rpms.stamp"), encoding="utf-8") as text:
            return text.read() == own_digest()
    except OSError:
        return False
