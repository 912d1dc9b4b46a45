"""One Debian package unpacked: its files with a merged /usr, and what they say of it."""

import dataclasses
import os
import re
import shutil
import subprocess
import tarfile

import changelog
import debian
import maintscript

#: Where rpm keeps the tool that reads ELF provides and requires.
ELFDEPS = "/usr/lib/rpm/elfdeps"

MERGED = {d: f"usr/{d}" for d in ("bin", "sbin", "lib", "lib32", "lib64", "libx32")}
PUBLIC_LIBRARY = re.compile(r"usr/lib/x86_64-linux-gnu/lib[^/]*\.so\.")


def merge_usr(path):
    """`path` without its leading `/` or `./`, as it is on a system with a merged /usr."""
    path = path.removeprefix("./").lstrip("/")
    head, slash, tail = path.partition("/")
    return MERGED[head] + slash + tail if head in MERGED else path


@dataclasses.dataclass
class File:
    """A file as the spec will list it; `kind` is one of `d`, `l`, `f`."""

    kind: str
    mode: int
    user: str
    group: str
    capabilities: str = ""


@dataclasses.dataclass
class Unpacked:
    """A package in `root`, with everything that the conversion needs to know of it."""

    control: dict
    root: str
    files: dict = dataclasses.field(default_factory=dict)
    conffiles: set = dataclasses.field(default_factory=set)
    elf_provides: list = dataclasses.field(default_factory=list)
    elf_requires: list = dataclasses.field(default_factory=list)
    public_library: bool = False
    #: Programs that moved into /usr, by the names that others may ask for.
    old_paths: list = dataclasses.field(default_factory=list)
    alternatives: list = dataclasses.field(default_factory=list)
    postinst: str = ""
    changelog: list = dataclasses.field(default_factory=list)
    #: The newest entry of the changelog, else the newest file.
    date: int = 0

    @property
    def name(self):
        """The binary package's name."""
        return self.control["Package"]

    @property
    def source(self):
        """Name and version of the source package."""
        return debian.source_of(self.control)


def unpack(deb, work):
    """Unpacks `deb` below `work`."""
    members = _control_members(deb)
    control = debian.parse_paragraph(members["control"])
    root = os.path.join(work, "roots", f"{control['Package']}_{control['Version']}")
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    package = Unpacked(control, root)
    conffiles = (line.strip() for line in members.get("conffiles", "").split("\n"))
    package.conffiles = {merge_usr(line) for line in conffiles if line.startswith("/")}
    package.postinst = members.get("postinst", "")
    elf = _unpack_files(deb, package)
    package.elf_provides = _elf_dependencies("--provides", elf)
    package.elf_requires = _elf_dependencies("--requires", elf)
    _read_changelog(package)
    groups, capabilities = maintscript.read(package.postinst)
    package.alternatives = groups
    for path, text in capabilities.items():
        file = package.files.get(merge_usr(path))
        if file and file.kind == "f":
            file.capabilities = text
    return package


def _control_members(deb):
    with _tar(deb, "--ctrl-tarfile") as members:
        texts = ((m.name.removeprefix("./"), members.extractfile(m)) for m in members)
        return {name: text.read().decode("utf-8", "replace") for name, text in texts if text}


def _tar(deb, part):
    pipe = subprocess.Popen(["dpkg-deb", part, deb], stdout=subprocess.PIPE)
    return tarfile.open(fileobj=pipe.stdout, mode="r|", encoding="utf-8", errors="surrogateescape")


def _unpack_files(deb, package):
    """Writes the files, fills `package.files`, and returns the ELF files among them."""
    elf, directories = [], []
    with _tar(deb, "--fsys-tarfile") as members:
        for member in members:
            original = member.name.removeprefix("./").rstrip("/")
            path = merge_usr(original)
            # `base-files` makes links of these two; `filesystem` owns them.
            if path in ("", ".", "var/run", "var/lock"):
                continue
            target = os.path.join(package.root, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            mode, times = member.mode & 0o7777, (member.mtime, member.mtime)
            package.date = max(package.date, int(member.mtime))
            if member.isdir():
                os.makedirs(target, exist_ok=True)
                directories.append((target, times))
                kind = "d"
            elif member.issym():
                os.symlink(member.linkname, target)
                os.utime(target, times, follow_symlinks=False)
                kind = "l"
            elif member.islnk():
                os.link(os.path.join(package.root, merge_usr(member.linkname)), target)
                kind = "f"
            elif member.isreg():
                if _write(members.extractfile(member), target) == b"\x7fELF":
                    elf.append(target)
                os.chmod(target, mode)
                os.utime(target, times)
                kind = "f"
            else:
                continue
            if kind != "d" and original != path and original.split("/")[0] in ("bin", "sbin"):
                package.old_paths.append(f"/{original}")
            if kind != "d" and PUBLIC_LIBRARY.match(path):
                package.public_library = True
            user, group = member.uname or "root", member.gname or "root"
            package.files[path] = File(kind, mode, user, group)
    for target, times in reversed(directories):
        os.utime(target, times)
    package.old_paths.sort()
    return elf


def _write(source, target):
    """Copies, and returns the first four bytes."""
    with open(target, "wb") as out:
        head = source.read(4)
        out.write(head)
        shutil.copyfileobj(source, out, 1 << 20)
    return head


def _elf_dependencies(kind, paths):
    if not paths:
        return []
    run = subprocess.run(
        [ELFDEPS, "--assume-exec", kind],
        input="\n".join(paths), capture_output=True, text=True, check=False,
    )
    return sorted(set(run.stdout.split("\n")) - {""})


def _read_changelog(package):
    """A binary-only rebuild has a file of its own, whose single entry comes first."""
    documents = f"usr/share/doc/{package.name}"
    entries = []
    for file in ("changelog.Debian.amd64.gz", "changelog.Debian.gz", "changelog.gz"):
        path = os.path.join(package.root, documents, file)
        # Followed only inside the package: the link may lead to a sibling's directory.
        if os.path.isfile(path) and not os.path.islink(path):
            with open(path, "rb") as data:
                found = changelog.parse(data.read())
            if entries and found and file == "changelog.gz":
                break
            entries += found
    package.changelog = entries[:20]
    if entries:
        package.date = changelog.timestamp(entries)
