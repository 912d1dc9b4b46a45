"""Spec files, and rpmbuild at work on them."""

import dataclasses
import os
import re
import shutil
import subprocess

import changelog
import dependencies

#: Nothing of the machine, the hour or the order of work may reach a package.
MACROS = {
    "__check_files": "%{nil}",
    "__os_install_post": "%{nil}",
    "__spec_install_post": "%{nil}",
    "_binaries_in_noarch_packages_terminate_build": "0",
    "_binary_payload": "w3.zstdio",
    "_build_id_links": "none",
    "_buildhost": "corpus.invalid",
    "_docdir_fmt": "%{NAME}",
    "_duplicate_files_terminate_build": "0",
    "_missing_doc_files_terminate_build": "0",
    "_rpmfilename": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
    "_target_cpu": "x86_64",
    "_unpackaged_files_terminate_build": "0",
    "clamp_mtime_to_source_date_epoch": "0",
    "debug_package": "%{nil}",
    "source_date_epoch_from_changelog": "0",
    "use_source_date_epoch_as_buildtime": "1",
}


@dataclasses.dataclass
class Job:
    """One package to build: `root` is moved into the build root."""

    name: str
    spec: str
    root: str
    date: int
    work: str
    out: str


def escape(text):
    """Keeps rpmbuild from seeing macros in `text`."""
    return text.replace("%", "%%")


def quoted_path(path):
    """A path for `%files`; characters that rpmbuild would take for globs match any one."""
    return '"/' + re.sub(r"[\[\]{}*\\]", "?", escape(path)) + '"'


def file_line(path, file, is_config=False):
    """One line of `%files`."""
    mode = "-" if file.kind == "l" else f"{file.mode:o}"
    line = f"%attr({mode},{file.user},{file.group}) "
    if file.kind == "d":
        line += "%dir "
    elif is_config and file.kind == "f":
        line += "%config(noreplace) "
    if file.capabilities:
        line += f"%caps({file.capabilities}) "
    return line + quoted_path(path)


def description(text):
    """Debian's long description as plain text."""
    lines = (line.strip() for line in text.split("\n")[1:])
    lines = ("" if line == "." else escape(line) for line in lines)
    text = "\n".join(f" {x}" if x.startswith(("%", "#")) else x for x in lines)
    return text.strip("\n") or "No description."


def render(package, source, release, world, file_lines, postinst):
    """The spec of one binary package.

    rpm derives SOURCERPM from the spec's main package. It is named after the Debian source
    package, so that the binary packages of one source share it, and ships no files itself
    unless it is the binary package's namesake.
    """
    control = package.control
    name = package.name
    epoch, version, _ = dependencies.evr(control["Version"])
    is_main = name == source[0]
    option = "" if is_main else f" -n {name}"
    summary = escape(control.get("Description", name).split("\n")[0]) or name
    preamble = [f"Version: {version}", f"Release: {release}"]
    if epoch:
        preamble.append(f"Epoch: {epoch}")
    if control["Architecture"] == "all":
        preamble.append("BuildArch: noarch")
    preamble += [
        f"Summary: {summary}",
        f"License: see /usr/share/doc/{name}/copyright",
        f"Group: {control.get('Section', 'misc')}",
        "Vendor: Debian (converted)",
        f"Packager: {escape(control.get('Maintainer', 'nobody'))}",
    ]
    if control.get("Homepage"):
        preamble.append(f"URL: {escape(control['Homepage'])}")
    preamble += world.preamble(package)
    if package.public_library:
        preamble.append("Requires(post): /sbin/ldconfig")
    lines = [f"Name: {source[0]}"]
    if not is_main:
        _, source_version, source_release = dependencies.evr(source[1])
        lines += [
            f"Version: {source_version}", f"Release: {source_release}",
            "Summary: Source", "License: see the packages", "%description", "Source.",
            f"%package{option}",
        ]
    lines += preamble + ["AutoReqProv: no", f"%description{option}"]
    lines.append(description(control.get("Description", "")))
    lines += ["%prep", "%build", "%install", f"rm -rf %{{buildroot}}; mv '{package.root}' %{{buildroot}}"]
    if postinst:
        lines += [f"%post{option}", escape(postinst).rstrip("\n")]
    elif package.public_library:
        lines.append(f"%post{option} -p /sbin/ldconfig")
    lines += [f"%files{option}"] + file_lines
    lines += ["%changelog", changelog.render(package.changelog, escape)]
    return "\n".join(lines) + "\n"


def build(job):
    """Runs rpmbuild and returns the path of the package, dated like its build."""
    top = os.path.join(job.work, "top", job.name)
    staging = os.path.join(top, "out")
    os.makedirs(staging)
    spec = os.path.join(top, f"{job.name}.spec")
    with open(spec, "w", encoding="utf-8", errors="surrogateescape") as out:
        out.write(job.spec)
    macros = dict(MACROS, _topdir=top, _rpmdir=staging)
    defines = [x for name, value in macros.items() for x in ("-D", f"{name} {value}")]
    run = subprocess.run(
        ["rpmbuild", "-bb", "--quiet", "--noclean", "--nodeps", "--target", "x86_64",
         "--buildroot", os.path.join(top, "root"), *defines, spec],
        capture_output=True, encoding="utf-8", errors="replace", check=False,
        env=dict(os.environ, SOURCE_DATE_EPOCH=str(job.date), LC_ALL="C.UTF-8", TZ="UTC"),
    )
    built = os.listdir(staging)
    if run.returncode != 0 or len(built) != 1:
        raise SystemExit(f"rpmbuild failed for `{job.name}`:\n{run.stderr[-3000:]}")
    path = os.path.join(job.out, built[0])
    shutil.move(os.path.join(staging, built[0]), path)
    # createrepo_c records it.
    os.utime(path, (job.date, job.date))
    shutil.rmtree(top, ignore_errors=True)
    return path
