"""Reads what a Debian maintainer script would do, without running it.

Only `update-alternatives --install` and `setcap` are looked for. Assignments of plain values
and `for` loops over plain words are followed, conditions are taken to hold; a command with
anything else in it is left out.
"""

import dataclasses
import re
import shlex

ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)=(.*)$", re.S)
LOOP = re.compile(r"^for\s+(\w+)\s+in\s+(.*?)\s*;?\s*(?:do)?$", re.S)
TRUENAME = re.compile(r"\$\(dpkg-divert --truename (\S+)\)")


@dataclasses.dataclass(frozen=True)
class Alternative:
    """`link` → /etc/alternatives/`name` → `target`."""

    link: str
    name: str
    target: str


@dataclasses.dataclass(frozen=True)
class AlternativeGroup:
    """A master link with the links that follow it."""

    priority: int
    master: Alternative
    slaves: tuple


def read(script):
    """(alternative groups, {path: capabilities}) of a shell script."""
    lines = [line.strip() for line in script.replace("\\\n", " ").split("\n")]
    groups, capabilities = [], {}
    for words in _commands([line for line in lines if line and line[0] != "#"], {}):
        if words[0] == "setcap":
            if len(words) == 3 and words[1].startswith("cap_") and words[2].startswith("/"):
                capabilities[words[2]] = words[1]
        elif group := _alternative_group(words[1:]):
            groups.append(group)
    return groups, capabilities


def _commands(lines, variables):
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        if line.startswith("for "):
            body, position = _loop_body(lines, position)
            match = LOOP.match(line)
            for word in _words(_expand(match.group(2), variables)) if match else ():
                variables[match.group(1)] = word
                yield from _commands(body, variables)
            continue
        assignment = ASSIGNMENT.match(line)
        if assignment:
            value = _words(_expand(assignment.group(2), variables))
            # A computed value keeps what stood there before: conditions refine defaults.
            if len(value) == 1 and "$" not in value[0] and "`" not in value[0]:
                variables[assignment.group(1)] = value[0]
            continue
        for command in ("update-alternatives", "setcap"):
            start = re.search(rf"(?:^|[\s;]){command}\s", line)
            if start and not re.search(r"\becho\b", line[: start.start()]):
                text = _expand(line[start.start() :].lstrip(" \t;"), variables)
                words = _words(re.split(r"[;|&<>]", text)[0])
                if words:
                    yield words


def _loop_body(lines, position):
    depth, body = 1, []
    while position < len(lines):
        line = lines[position]
        position += 1
        if re.match(r"(for|while|until)\s", line):
            depth += 1
        if re.search(r"(^|;)\s*done\b", line):
            depth -= 1
            if depth == 0:
                break
        body.append(line)
    return [line for line in body if line != "do"], position


def _expand(text, variables):
    text = TRUENAME.sub(r"\1", text)
    return re.sub(r"\$\{?(\w+)\}?", lambda m: variables.get(m.group(1), m.group(0)), text)


def _words(text):
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _alternative_group(words):
    while words and words[0] != "--install":
        words = words[1:]
    if len(words) < 5 or not words[4].isdigit() or any("$" in word for word in words[:5]):
        return None
    slaves, rest = [], words[5:]
    while len(rest) >= 4 and rest[0] == "--slave":
        if not any("$" in word for word in rest[:4]):
            slaves.append(Alternative(*rest[1:4]))
        rest = rest[4:]
    return AlternativeGroup(int(words[4]), Alternative(*words[1:4]), tuple(slaves))
