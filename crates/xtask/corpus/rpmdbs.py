"""Databases of real installations: headers with changelogs, scriptlets and file triggers.

Below DIR: `rpmdbs/NAME/rpmdb.sqlite`, and `rpmdbs.stamp`. They come from a Python and a Debian
package that test with them; Berkeley DB is turned into SQLite by Debian's rpm.
"""

import contextlib
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile

#: Of the registry of Python packages: `tests/rpmdbs/rpmdb_NAME.tar.gz` with `rpm/Packages`.
PYTHON = ("dcrpm", "0.6.3", "65c99becf6a0ee0fc7b879faf7a1a624a0615473b3a225e455c297f459b9115a")
FROM_PYTHON = {
    "fedora31": "fedora31",
    "fedora26": "fedora26",
    "centos8-small": "centos8",
    "centos7": "centos7",
}

#: Of Debian: `pkg/testdata/NAME/Packages`.
DEBIAN = (
    "golang-github-knqyf263-go-rpmdb-dev",
    "0.0~git20210911.73bd0ce-3",
    "e7d2c9a00bb0e9197ccf36e2597e18bbe2163cbfc5d0a75cf3ee6d49a0a7ecc6",
)
FROM_DEBIAN = {"centos8": "centos8-modularitylabel"}


def make(out, download, deb_path):
    """Fetches and converts the databases."""
    target, stamp = os.path.join(out, "rpmdbs"), os.path.join(out, "rpmdbs.stamp")
    debs = os.path.join(out, "debs")
    source = checked(fetch_python(debs), PYTHON[2])
    name, version, digest = DEBIAN
    download(debs, {"rpmdbs": {name: [version, "all"]}})
    deb = checked(deb_path(debs, name, version, "all"), digest)
    # first of all: what is half there is not current
    with contextlib.suppress(FileNotFoundError):
        os.remove(stamp)
    work = f"{target}.work"
    for old in (target, work):
        shutil.rmtree(old, ignore_errors=True)
    os.makedirs(work)
    unpack_python(source, work)
    unpack_debian(deb, work)
    for entry in sorted(os.listdir(work)):
        print(f"corpus rpmdbs: {entry}, {convert(os.path.join(work, entry))} packages")
    os.rename(work, target)
    with open(stamp, "w", encoding="utf-8") as text:
        text.write(own_digest())
    print(f"corpus rpmdbs: in {target}")


def fetch_python(directory):
    """The source package, by pip, which checks the digest too."""
    name, version, digest = PYTHON
    path = os.path.join(directory, f"{name}-{version}.tar.gz")
    if not os.path.exists(path):
        os.makedirs(directory, exist_ok=True)
        wanted = os.path.join(directory, f"{name}.requirements")
        with open(wanted, "w", encoding="utf-8") as text:
            text.write(f"{name}=={version} --hash=sha256:{digest}\n")
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--no-binary", name, "--require-hashes",
             "--dest", directory, "--requirement", wanted],
            check=True,
        )
        os.remove(wanted)
    return path


def checked(path, digest):
    """The path of a file that is what it should be."""
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        sys.exit(f"corpus rpmdbs: {path} has the sha256 {found}, not {digest}")
    return path


def place(work, name):
    """Where the old database of a name goes."""
    directory = os.path.join(work, name)
    os.makedirs(directory)
    return os.path.join(directory, "Packages")


def unpack_python(path, work):
    """The databases are archives in the archive."""
    with tarfile.open(path) as source:
        for name, inner in FROM_PYTHON.items():
            member = f"{PYTHON[0]}-{PYTHON[1]}/tests/rpmdbs/rpmdb_{inner}.tar.gz"
            with tarfile.open(fileobj=source.extractfile(member), mode="r:gz") as archive:
                with open(place(work, name), "wb") as file:
                    shutil.copyfileobj(archive.extractfile("rpm/Packages"), file)


def unpack_debian(path, work):
    """The databases are plain files."""
    wanted = {f"/pkg/testdata/{inner}/Packages": name for name, inner in FROM_DEBIAN.items()}
    pipe = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", path], stdout=subprocess.PIPE)
    with tarfile.open(fileobj=pipe.stdout, mode="r|") as members:
        for member in members:
            for ending, name in wanted.items():
                if member.isreg() and member.name.endswith(ending):
                    with open(place(work, name), "wb") as file:
                        shutil.copyfileobj(members.extractfile(member), file)
    pipe.stdout.read()
    if pipe.wait() != 0:
        raise subprocess.CalledProcessError(pipe.returncode, pipe.args)


def convert(directory):
    """Leaves `rpmdb.sqlite` alone; how many packages are in it."""
    subprocess.run(
        ["rpmdb", "--rebuilddb", "--define", "_db_backend sqlite", "--dbpath", directory],
        check=True, stderr=subprocess.DEVNULL,
    )
    database = sqlite3.connect(os.path.join(directory, "rpmdb.sqlite"))
    database.execute("PRAGMA journal_mode = DELETE")
    (count,) = database.execute("SELECT COUNT(*) FROM Packages").fetchone()
    database.close()
    for name in os.listdir(directory):
        if name != "rpmdb.sqlite":
            os.remove(os.path.join(directory, name))
    return count


def own_digest():
    """Changes whenever the list or the way does."""
    with open(__file__, "rb") as text:
        return hashlib.sha256(text.read()).hexdigest() + "\n"


def is_current(out):
    """Whether they are what this file would make."""
    if not os.path.isdir(os.path.join(out, "rpmdbs")):
        return False
    try:
        with open(os.path.join(out, "rpmdbs.stamp"), encoding="utf-8") as text:
            return text.read() == own_digest()
    except OSError:
        return False
