"""Debian's relations in RPM's words."""

import re

import debian

OPERATORS = {">>": ">", "<<": "<", ">=": ">=", "<=": "<=", "=": "=", ">": ">=", "<": "<="}
RELATION = re.compile(
    r"^([A-Za-z0-9.+_-]+)(?::\w+)?\s*(?:\(\s*(>>|<<|>=|<=|=|>|<)\s*([^)\s]+)\s*\))?"
)

#: A hyphen in an upstream version sorts after the end and before a dot: in rpm, a caret does.
HYPHEN = "^"


def evr(version):
    """Epoch, version and release of a Debian version; a native package gets release 0."""
    epoch, upstream, revision = debian.split_version(version)
    return epoch, upstream.replace("-", HYPHEN), revision or "0"


def _format(version):
    epoch, upstream, revision = debian.split_version(version)
    if revision == ".":
        # After every revision: as a bound, `2.39.5-.` means anything of 2.39.5.
        upstream, revision = upstream + HYPHEN, ""
    text = f"{epoch}:{upstream}" if epoch else upstream
    text = text.replace("-", HYPHEN)
    return f"{text}-{revision}" if revision else text


def parse(relation):
    """name, operator, version; the latter two None without a version."""
    return RELATION.match(relation.strip()).groups()


def one(relation):
    """One relation, as rpm writes it."""
    name, operator, version = parse(relation)
    if not operator:
        return name
    # 2.36-9 >> 2.36 for Debian, while rpm compares no release where one side has none.
    if "-" not in version:
        operator = {">>": ">=", "<=": "<<"}.get(operator, operator)
    return f"{name} {OPERATORS[operator]} {_format(version)}"


def many(text):
    """A whole field; alternatives become a rich dependency."""
    out = []
    for group in debian.relations(text):
        alternatives = list(dict.fromkeys(map(one, group)))
        out.append(alternatives[0] if len(alternatives) == 1 else f"({' or '.join(alternatives)})")
    return list(dict.fromkeys(out))


class World:
    """What the packages of one set know of each other."""

    def __init__(self, packages):
        self.names = {package.name for package in packages}
        self.elf_provides = {x for package in packages for x in package.elf_provides}
        self.unversioned = {
            parse(group[0])[0]
            for package in packages
            for group in debian.relations(package.control.get("Provides"))
            if not parse(group[0])[1]
        } - self.names

    def preamble(self, package):
        """The dependency lines of a package's spec."""
        control = package.control
        lines = [f"Requires: {x}" for x in self._requires(package)]
        for field in ("Recommends", "Suggests", "Enhances"):
            lines += [f"{field}: {x}" for x in many(control.get(field))]
        provides = many(control.get("Provides")) + package.elf_provides + package.old_paths
        if package.name == "libc6":
            provides.append("rtld(GNU_HASH)")
        lines += [f"Provides: {x}" for x in provides]
        conflicts = many(control.get("Conflicts")) + many(control.get("Breaks"))
        # An unversioned provide answers a versioned conflict for rpm, for Debian it does not.
        lines += [
            f"Conflicts: {x}"
            for x in dict.fromkeys(conflicts)
            if " " not in x or x.split(" ")[0] not in self.unversioned
        ]
        return lines + [f"Obsoletes: {x}" for x in self._obsoletes(control)]

    def _requires(self, package):
        control = package.control
        requires = many(control.get("Pre-Depends")) + many(control.get("Depends"))
        if package.name in ("libc6", "base-files", "base-passwd"):
            requires.append("filesystem")
        if package.name == "base-files":
            # An essential `awk` would pull a whole interpreter into the smallest image.
            requires = [x for x in requires if "awk" not in x]
        requires += [
            x
            for x in package.elf_requires
            if x not in package.elf_provides
            and (x in self.elf_provides or x.startswith("rtld("))
        ]
        return list(dict.fromkeys(requires))

    def _obsoletes(self, control):
        """Replaces, where it comes with a conflict and nothing of that name is left."""
        def named(*fields):
            return {
                parse(group[0])[0]
                for field in fields
                for group in debian.relations(control.get(field))
            }

        gone = named("Conflicts", "Breaks") - named("Provides") - self.names
        return [
            one(group[0])
            for group in debian.relations(control.get("Replaces"))
            if parse(group[0])[1] and parse(group[0])[0] in gone
        ]
