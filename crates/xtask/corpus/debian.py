"""Debian's package index: versions in Debian's order, and dependency closures."""

import functools
import glob
import os
import re
import subprocess

LISTS = "/var/lib/apt/lists"


def parse_paragraph(text):
    """One RFC 822 style paragraph as a dictionary; continuation lines keep their line ends."""
    fields, key = {}, None
    for line in text.split("\n"):
        if line[:1] in (" ", "\t"):
            if key:
                fields[key] += "\n" + line
        elif ":" in line:
            key, _, value = line.partition(":")
            fields[key] = value.strip()
    return fields


def split_version(version):
    """epoch, upstream version, Debian revision ('' when there is none)."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "", version
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, ""
    return epoch, upstream, revision


def _rank(char):
    if char == "~":
        return -1
    if char.isdigit():
        return 0
    return ord(char) if char.isalpha() else ord(char) + 256


def _compare_part(left, right):
    i = j = 0
    while i < len(left) or j < len(right):
        while (i < len(left) and not left[i].isdigit()) or (
            j < len(right) and not right[j].isdigit()
        ):
            a = _rank(left[i]) if i < len(left) else 0
            b = _rank(right[j]) if j < len(right) else 0
            if a != b:
                return -1 if a < b else 1
            i, j = i + 1, j + 1
        start_i, start_j = i, j
        while i < len(left) and left[i].isdigit():
            i += 1
        while j < len(right) and right[j].isdigit():
            j += 1
        a, b = int(left[start_i:i] or 0), int(right[start_j:j] or 0)
        if a != b:
            return -1 if a < b else 1
    return 0


def compare_versions(left, right):
    """Debian policy 5.6.12."""
    a, b = split_version(left), split_version(right)
    if int(a[0] or 0) != int(b[0] or 0):
        return -1 if int(a[0] or 0) < int(b[0] or 0) else 1
    return _compare_part(a[1], b[1]) or _compare_part(a[2], b[2])


VERSION_KEY = functools.cmp_to_key(compare_versions)


def source_of(control):
    """Name and version of the source package a binary package was built from."""
    source = control.get("Source", control["Package"])
    match = re.match(r"(\S+)(?:\s+\(([^)]+)\))?", source)
    return match.group(1), match.group(2) or control["Version"]


def relations(text):
    """`a | b (>= 1), c` as a list of groups of alternatives."""
    return [group.split("|") for group in re.split(r"\s*,\s*", text or "") if group.strip()]


def relation_name(text):
    """The package that one alternative of a relation names."""
    return re.split(r"[\s(:\[<]", text.strip())[0]


def _is_debian(list_path):
    """Whether a list comes from Debian itself, and not from a third party's repository."""
    suite = re.match(r"(.*_dists_[^_]+)_", list_path)
    for release in (f"{suite.group(1)}_InRelease", f"{suite.group(1)}_Release") if suite else ():
        if os.path.exists(release):
            with open(release, encoding="utf-8", errors="replace") as text:
                return re.search(r"^Origin: Debian$", text.read(20_000), re.M) is not None
    return False


def has_lists():
    """Whether apt knows any Debian package."""
    return any(map(_is_debian, glob.glob(f"{LISTS}/*binary-amd64_Packages*")))


class Index:
    """Every package that apt offers: name → versions, oldest first."""

    def __init__(self):
        self._paragraphs = {}
        self.providers = {}
        for path in sorted(filter(_is_debian, glob.glob(f"{LISTS}/*binary-amd64_Packages*"))):
            text = subprocess.run(
                ["/usr/lib/apt/apt-helper", "cat-file", path],
                capture_output=True, check=True, encoding="utf-8", errors="replace",
            ).stdout
            for paragraph in text.split("\n\n"):
                self._add(paragraph)

    def _add(self, paragraph):
        # Parsed only when asked for: an index of 65,000 packages, of which few are needed.
        name = re.match(r"Package: (\S+)", paragraph.lstrip("\n"))
        if not name:
            return
        self._paragraphs.setdefault(name.group(1), []).append(paragraph)
        provides = re.search(r"^Provides: (.*)$", paragraph, re.M)
        for group in relations(provides.group(1)) if provides else ():
            self.providers.setdefault(relation_name(group[0]), set()).add(name.group(1))

    @functools.lru_cache(maxsize=None)
    def versions(self, name):
        """The control paragraphs of `name`, one a version, oldest first."""
        found = {}
        for paragraph in self._paragraphs.get(name, ()):
            fields = parse_paragraph(paragraph)
            found.setdefault(fields["Version"], fields)
        return tuple(found[v] for v in sorted(found, key=VERSION_KEY))

    def closure(self, roots, choose):
        """The dependency closure of `roots`; `choose(versions)` says which version is meant.

        The first alternative that exists is taken, unless one is in the closure already.
        """
        chosen, queue = {}, list(roots)
        while queue:
            name = queue.pop(0)
            if name in chosen:
                continue
            versions = self.versions(name)
            if not versions:
                raise SystemExit(f"apt knows no package `{name}`")
            chosen[name] = choose(versions)
            for field in ("Pre-Depends", "Depends"):
                for group in relations(chosen[name].get(field)):
                    wanted = self._alternative([relation_name(x) for x in group], chosen)
                    if wanted:
                        queue.append(wanted)
        return chosen

    def _alternative(self, names, chosen):
        for name in names:
            if name in chosen or any(p in chosen for p in self.providers.get(name, ())):
                return None
        for name in names:
            if self.versions(name):
                return name
            if name in self.providers:
                return sorted(self.providers[name])[0]
        return None
