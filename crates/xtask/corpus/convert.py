"""A set of unpacked Debian packages becomes a set of RPMs."""

import collections
import dataclasses
import datetime
import os
import shutil

import changelog
import dependencies
import sets
import specfile
from unpack import File, Unpacked, merge_usr

#: A directory that this many packages ship belongs to `filesystem` alone.
SHARED_BY = 6


@dataclasses.dataclass
class Built:
    """Newer packages, and the packages of the base repository that they replace."""

    updates: list
    superseded: list


def convert(pool, base, update, work, out):
    """Builds `base` into `out` and `update` beside it."""
    if not update:
        update = [rebuilt(p, work) for p in base if p.name in sets.REBUILT]
    world = dependencies.World(base)
    common = common_directories(base)
    sources = source_versions(base), source_versions(update)
    for packages in (base, update):
        complete_history(packages)
        link_alternatives(packages)
    jobs = [job(p, sources[0], world, common, work, out) for p in base]
    jobs += [filesystem(base, common, work, out), basesystem(work, out)]
    # The largest first, so that no core idles at the end.
    jobs.sort(key=lambda j: (-weight(j.root), j.name))
    built = dict(zip((j.name for j in jobs), pool.map(specfile.build, jobs)))
    newer = os.path.join(work, "newer")
    os.makedirs(newer)
    jobs = [job(p, sources[1], world, common, work, newer) for p in update]
    updates = list(pool.map(specfile.build, jobs))
    return Built(updates, [built[p.name] for p in update])


def weight(root):
    """Bytes below `root`."""
    return sum(
        os.lstat(os.path.join(directory, file)).st_size
        for directory, _, files in os.walk(root)
        for file in files
    )


def rebuilt(package, work):
    """The same package a day later, where apt offers no newer version."""
    root = os.path.join(work, "roots", f"{package.name}_rebuilt")
    shutil.copytree(package.root, root, symlinks=True)
    control = dict(package.control, Version=package.control["Version"] + "+1")
    control["Source"] = "{} ({}+1)".format(*package.source)
    when = datetime.datetime.fromtimestamp(package.date + 86400, datetime.timezone.utc)
    entry = changelog.Entry(control["Version"], "The corpus", when, ["* Rebuild."])
    copy = dataclasses.replace(package, control=control, root=root)
    copy.changelog, copy.date = [entry, *package.changelog], package.date + 86400
    return copy


def common_directories(packages):
    """The directories that `filesystem` owns."""
    count = collections.Counter(
        path
        for package in packages
        for path, file in package.files.items()
        if (file.kind, file.mode, file.user, file.group) == ("d", 0o755, "root", "root")
    )
    shared = {path for path, packages in count.items() if packages >= SHARED_BY}
    return shared | set(sets.BASE_DIRECTORIES)


def source_versions(packages):
    """Source name → the version that SOURCERPM shows, the same for all its packages.

    rpmbuild gives a package that is named like its source no choice but its own version,
    which differs from the source's after a binary-only rebuild.
    """
    versions = {package.source[0]: package.source[1] for package in packages}
    for package in packages:
        if package.name == package.source[0]:
            versions[package.name] = package.control["Version"]
    return versions


def complete_history(packages):
    """A package whose documentation is a link to a sibling's has the sibling's history."""
    known = {}
    for package in sorted(packages, key=lambda p: p.name):
        if package.changelog:
            known.setdefault(package.source, package)
    for package in packages:
        sibling = known.get(package.source)
        if not package.changelog and sibling:
            package.changelog, package.date = sibling.changelog, sibling.date


def link_alternatives(packages):
    """Adds the links that `update-alternatives` would make: of each name, the best one's."""
    shipped = {path for package in packages for path in package.files}
    best = {}
    for package in sorted(packages, key=lambda p: p.name):
        for group in package.alternatives:
            if merge_usr(group.master.target) not in package.files:
                continue
            current = best.get(group.master.name)
            if current is None or group.priority > current[1].priority:
                best[group.master.name] = (package, group)
    for package, group in best.values():
        for link in (group.master, *group.slaves):
            path, target = merge_usr(link.link), merge_usr(link.target)
            if path in shipped or target not in package.files:
                continue
            shipped.add(path)
            add_link(package, path, f"/etc/alternatives/{link.name}")
            add_link(package, f"etc/alternatives/{link.name}", f"/{target}")


def add_link(package, path, target):
    """A packaged symbolic link, as old as the package."""
    place = os.path.join(package.root, path)
    parent = os.path.dirname(place)
    times = (package.date, package.date)
    existed = os.path.isdir(parent)
    os.makedirs(parent, exist_ok=True)
    # Adding to a directory must not date it to the hour of the conversion.
    parent_times = (os.stat(parent).st_mtime,) * 2 if existed else times
    os.symlink(target, place)
    os.utime(place, times, follow_symlinks=False)
    os.utime(parent, parent_times)
    package.files[path] = File("l", 0o777, "root", "root")


def job(package, sources, world, common, work, out):
    """The build of one converted package."""
    lines = [
        specfile.file_line(path, file, path in package.conffiles)
        for path, file in sorted(package.files.items())
        if file.kind != "d" or path not in common
    ]
    source = package.source[0], sources[package.source[0]]
    release = dependencies.evr(package.control["Version"])[2]
    postinst = package.postinst if package.name in sets.KEEP_POSTINST else ""
    spec = specfile.render(package, source, release, world, lines, postinst)
    return specfile.Job(package.name, spec, package.root, package.date, work, out)


def plain(name, summary, requires, work):
    """A package that Debian has no counterpart of."""
    control = {
        "Package": name, "Version": "12-1", "Architecture": "all", "Section": "admin",
        "Description": f"{summary}\n {summary}.", "Depends": requires, "Maintainer": "The corpus",
    }
    root = os.path.join(work, "roots", name)
    os.makedirs(root)
    when = datetime.datetime.fromtimestamp(sets.RELEASE_DATE, datetime.timezone.utc)
    entry = changelog.Entry("12-1", "The corpus", when, ["* As in Debian 12."])
    return Unpacked(control, root, changelog=[entry], date=sets.RELEASE_DATE)


def basesystem(work, out):
    """A package without files."""
    package = plain("basesystem", "The skeleton package", "filesystem", work)
    return job(package, {"basesystem": "12-1"}, dependencies.World([package]), set(), work, out)


def filesystem(packages, common, work, out):
    """The common directories, the links of the merged /usr, and the first accounts."""
    package = plain("filesystem", "The basic directory layout", "", work)
    package.control["Architecture"] = "amd64"
    package.control["Provides"] = "filesystem-unmerged-usr-symlinks"
    package.conffiles = {"etc/passwd", "etc/group"}
    modes = {"tmp": 0o1777, "var/tmp": 0o1777, "root": 0o700}
    for path in sorted(common | set(modes)):
        os.makedirs(os.path.join(package.root, path), exist_ok=True)
        package.files[path] = File("d", modes.get(path, 0o755), "root", "root")
    for path, target in sets.BASE_LINKS.items():
        add_link(package, path, target)
    accounts = next(p.root for p in packages if p.name == "base-passwd")
    for file in ("passwd", "group"):
        master = os.path.join(accounts, f"usr/share/base-passwd/{file}.master")
        shutil.copy(master, os.path.join(package.root, "etc", file))
        package.files[f"etc/{file}"] = File("f", 0o644, "root", "root")
    for directory, names, files in os.walk(package.root):
        for name in names + files:
            times = (package.date, package.date)
            os.utime(os.path.join(directory, name), times, follow_symlinks=False)
    world = dependencies.World([package])
    return job(package, {"filesystem": "12-1"}, world, set(), work, out)
