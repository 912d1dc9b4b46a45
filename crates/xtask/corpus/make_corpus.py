#!/usr/bin/env python3
"""Makes RPM repositories of Debian 12 packages: real files with a real dependency graph.

    make_corpus.py --set small|large|full|units|rpmdbs|rpms [--out DIR] [--jobs N] [--refresh]

Below DIR: `SET/` (Packages, repodata), `SET-upd/` (the same with newer versions of a few
packages), `SET.packages` (what is in them) and `debs/` (downloads, shared by all sets). The set
`units` is no repository: it holds unit files of systemd, see `units.py`. Nor is `rpmdbs`: databases
of real installations, see `rpmdbs.py`; nor `rpms`: packages by others, see `rpms.py`.
The same Debian packages always give the same bytes. Needs apt-get, dpkg-deb, rpmbuild and
createrepo_c; no privileges.
"""

import argparse
import concurrent.futures
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import convert  # noqa: E402
import debian  # noqa: E402
import rpmdbs  # noqa: E402
import rpms  # noqa: E402
import sets  # noqa: E402
import units  # noqa: E402
import unpack  # noqa: E402

REVISION = str(sets.RELEASE_DATE)


def scripts_digest():
    """Changes whenever anything here does that repositories are made with."""
    digest = hashlib.sha256()
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "*.py"))):
        if path in (units.__file__, rpmdbs.__file__, rpms.__file__):
            continue
        with open(path, "rb") as text:
            digest.update(os.path.basename(path).encode() + b"\0" + text.read() + b"\0")
    return digest.hexdigest()


def select(name):
    """{"base": {package: [version, architecture]}, "update": {…}} for a set."""
    if not debian.has_lists():
        apt("update")
    index = debian.Index()

    def older(versions):
        source, _ = debian.source_of(versions[-1])
        return versions[-2 if source in sets.UPDATED_SOURCES and len(versions) > 1 else -1]

    base = index.closure([*sets.SETS[name].split(), *sets.ALWAYS], older)
    newest = {package: index.versions(package)[-1] for package in base}
    update = {
        package: newest[package]
        for package, control in base.items()
        if newest[package]["Version"] != control["Version"]
    }

    def listed(controls):
        return {n: [c["Version"], c["Architecture"]] for n, c in sorted(controls.items())}

    return {"base": listed(base), "update": listed(update)}


def apt(*arguments, cwd=None):
    """apt-get, quietly; its own words when it fails."""
    command = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", *arguments]
    run = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise SystemExit(f"`{' '.join(command[:5])} …` failed:\n{run.stderr[-3000:]}")


def deb_path(debs, name, version, architecture):
    """Where apt-get puts a download."""
    return os.path.join(debs, f"{name}_{version.replace(':', '%3a')}_{architecture}.deb")


def download(debs, selection):
    """Fetches what is not there yet."""
    os.makedirs(debs, exist_ok=True)
    missing = [
        f"{name}={version}"
        for part in selection.values()
        for name, (version, architecture) in part.items()
        if not os.path.exists(deb_path(debs, name, version, architecture))
    ]
    if missing:
        apt("download", *missing, cwd=debs)
    return len(missing)


def make(name, out, jobs, refresh):
    """Makes the set `name` unless it is there."""
    started = time.monotonic()
    listing, stamp = os.path.join(out, f"{name}.packages"), os.path.join(out, f"{name}.stamp")
    if not refresh and is_current(listing, stamp):
        print(f"corpus {name}: up to date in {os.path.join(out, name)}")
        return
    selection = select(name)
    fetched = download(os.path.join(out, "debs"), selection)
    downloaded = time.monotonic()
    work = os.path.join(out, f"{name}.work")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        unpacked = {
            part: list(pool.map(
                unpack.unpack,
                [deb_path(os.path.join(out, "debs"), n, *va) for n, va in packages.items()],
                [work] * len(packages),
            ))
            for part, packages in selection.items()
        }
        extracted = time.monotonic()
        base = repository(work, "base")
        built = convert.convert(pool, unpacked["base"], unpacked["update"], work, base)
        counts = publish(work, out, name, base, built)
    shutil.rmtree(work, ignore_errors=True)
    with open(listing, "w", encoding="utf-8") as text:
        json.dump(selection, text, indent=1, sort_keys=True)
        text.write("\n")
    with open(stamp, "w", encoding="utf-8") as text:
        text.write(stamp_text(listing))
    ended = time.monotonic()
    print(
        f"corpus {name}: {counts[0]} packages ({counts[1]} updated), {counts[2] / 1e6:.0f} MB"
        f" in {os.path.join(out, name)}; {fetched} downloads {downloaded - started:.0f} s,"
        f" unpacking {extracted - downloaded:.0f} s, building {ended - extracted:.0f} s"
    )


def make_units(out, refresh):
    """Makes the set `units` unless it is there."""
    if not refresh and units.is_current(out):
        print(f"corpus units: up to date in {os.path.join(out, 'units')}")
        return
    if not debian.has_lists():
        apt("update")
    units.make(out, debian.Index(), download, deb_path)


def make_rpmdbs(out, refresh):
    """Makes the set `rpmdbs` unless it is there."""
    if not refresh and rpmdbs.is_current(out):
        print(f"corpus rpmdbs: up to date in {os.path.join(out, 'rpmdbs')}")
        return
    if not debian.has_lists():
        apt("update")
    rpmdbs.make(out, download, deb_path)


def make_rpms(out, refresh):
    """Makes the set `rpms` unless it is there."""
    if not refresh and rpms.is_current(out):
        print(f"corpus rpms: up to date in {os.path.join(out, 'rpms')}")
        return
    rpms.make(out)


def repository(work, name):
    """A new directory for the packages of a repository."""
    path = os.path.join(work, name, "Packages")
    os.makedirs(path)
    return path


def publish(work, out, name, base, built):
    """Completes both repositories and moves them to their places."""
    update = repository(work, "update")
    replaced = {os.path.basename(path) for path in built.superseded}
    for file in sorted(os.listdir(base)):
        if file not in replaced:
            os.link(os.path.join(base, file), os.path.join(update, file))
    for path in built.updates:
        os.rename(path, os.path.join(update, os.path.basename(path)))
    for packages, target in ((base, name), (update, f"{name}-upd")):
        directory = os.path.dirname(packages)
        subprocess.run(
            ["createrepo_c", "--quiet", "--no-database", "--workers", "2", "--revision", REVISION,
             "--set-timestamp-to-revision", directory],
            check=True,
        )
        final = os.path.join(out, target)
        shutil.rmtree(final, ignore_errors=True)
        os.rename(directory, final)
    files = glob.glob(os.path.join(out, name, "Packages", "*.rpm"))
    return len(files), len(built.updates), sum(map(os.path.getsize, files))


def stamp_text(listing):
    """Identifies the scripts and the package list that a repository was made from."""
    with open(listing, "rb") as text:
        return f"{scripts_digest()} {hashlib.sha256(text.read()).hexdigest()}\n"


def is_current(listing, stamp):
    """Whether the repositories are what these scripts would make of the same packages."""
    try:
        with open(stamp, encoding="utf-8") as text:
            return text.read() == stamp_text(listing)
    except OSError:
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--set", choices=[*sorted(sets.SETS), "units", "rpmdbs", "rpms"], required=True,
                        action="append")
    parser.add_argument("--out", default="target/corpus")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--refresh", action="store_true", help="look for newer packages")
    arguments = parser.parse_args()
    out = os.path.abspath(arguments.out)
    os.makedirs(out, exist_ok=True)
    os.umask(0o022)
    for name in arguments.set:
        if name == "units":
            make_units(out, arguments.refresh)
        elif name == "rpmdbs":
            make_rpmdbs(out, arguments.refresh)
        elif name == "rpms":
            make_rpms(out, arguments.refresh)
        else:
            make(name, out, arguments.jobs, arguments.refresh)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
