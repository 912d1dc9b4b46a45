"""Debian changelogs: the update history that the converted packages carry."""

import dataclasses
import datetime
import email.utils
import gzip
import re

HEADING = re.compile(r"^(\S+) \(([^)]+)\) [^;]*;.*urgency", re.I)
TRAILER = re.compile(r"^ -- (.*?)  ?(\w{3},? .*)$")


@dataclasses.dataclass
class Entry:
    """One version's entry."""

    version: str
    author: str
    date: datetime.datetime
    lines: list


def parse(data, limit=20):
    """The newest `limit` entries of a (gzipped) changelog; [] when it is not one."""
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    entries, version, lines = [], None, []
    for line in data.decode("utf-8", errors="replace").split("\n"):
        heading = HEADING.match(line)
        trailer = TRAILER.match(line)
        if heading:
            version, lines = heading.group(2), []
        elif trailer and version:
            date = _date(trailer.group(2))
            if date:
                entries.append(Entry(version, trailer.group(1).strip(), date, lines))
            version = None
            if len(entries) == limit:
                break
        elif version and line.strip():
            lines.append(line.rstrip())
    return entries


def _date(text):
    try:
        date = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=datetime.timezone.utc)
    return date.astimezone(datetime.timezone.utc)


def timestamp(entries):
    """When the newest entry was written."""
    return int(entries[0].date.timestamp())


def render(entries, escape):
    """As the body of `%changelog`: newest first, as rpmbuild insists."""
    out, previous = [], None
    for entry in entries:
        day = entry.date.date()
        # Backports go back in time, which rpmbuild refuses.
        if (previous and day > previous) or day.year < 1990:
            continue
        previous = day
        author = escape(re.sub(r"\s+", " ", entry.author))
        out.append(f"* {day:%a %b %d %Y} {author} - {escape(entry.version)}")
        for line in entry.lines:
            text = line.strip()
            bullet = re.match(r"[*+-]\s*(.*)", text)
            # A continuation line must not begin with `*`, which would open an entry.
            out.append(f"- {escape(bullet.group(1))}" if bullet else f"  {escape(text)}")
        out.append("")
    return "\n".join(out)
