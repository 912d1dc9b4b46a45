#!/usr/bin/python3
"""What dnf installs, asked for one name at a time: the answers that our resolver is held against.

    dnf_answers.py REPOSITORY[,REPOSITORY…] NAMES OUT
                   [--weak] [--best] [--exclude PATTERN] [--arch x86_64]

REPOSITORY is a directory with repodata/. NAMES has one request a line, or several with ` + ` between
them; `-` takes every package name of the repositories. Module data is ignored. OUT gets one line a
request, sorted: `name: nevra nevra …` or `name: UNSAT`.

Needs Debian's or Fedora's dnf 4 with its Python modules. Nothing of the host enters: own
configuration, an empty installation root, no plugins, the architecture given.
"""

import argparse
import os
import sys
import tempfile

import dnf


def base_for(repositories, arch, weak, best, exclude, scratch):
    conf = dnf.conf.Conf()
    conf.installroot = os.path.join(scratch, "root")
    conf.cachedir = os.path.join(scratch, "cache")
    conf.persistdir = os.path.join(scratch, "persist")
    conf.logdir = os.path.join(scratch, "log")
    conf.reposdir = [os.path.join(scratch, "none")]
    conf.pluginpath = []
    conf.gpgcheck = False
    conf.install_weak_deps = weak
    conf.best = best
    conf.excludepkgs = exclude
    conf.module_platform_id = "platform:none"
    conf.substitutions["releasever"] = "12"
    conf.substitutions["arch"] = arch
    conf.substitutions["basearch"] = dnf.rpm.basearch(arch)
    for directory in ("root", "cache", "persist", "log"):
        os.makedirs(os.path.join(scratch, directory))
    base = dnf.Base(conf)
    for number, repository in enumerate(repositories.split(",")):
        base.repos.add_new_repo(
            f"r{number}",
            conf,
            baseurl=["file://" + os.path.abspath(repository)],
            skip_if_unavailable=False,
            module_hotfixes=True,
        )
    base.fill_sack(load_system_repo=False)
    return base


def answer(base, request):
    base.reset(goal=True)
    try:
        for one in request.split(" + "):
            base.install(one)
        if not base.resolve():
            return "UNSAT"
    except (dnf.exceptions.DepsolveError, dnf.exceptions.MarkingError):
        return "UNSAT"
    return " ".join(sorted(str(package) for package in base.transaction.install_set))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("repositories")
    parser.add_argument("names")
    parser.add_argument("out")
    parser.add_argument("--weak", action="store_true")
    parser.add_argument("--best", action="store_true")
    parser.add_argument("--exclude", action="append", default=[])
    parser.add_argument("--arch", default="x86_64")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        base = base_for(args.repositories, args.arch, args.weak, args.best, args.exclude, scratch)
        if args.names == "-":
            names = sorted({package.name for package in base.sack.query()})
        else:
            with open(args.names, encoding="utf-8") as lines:
                names = sorted({line.strip() for line in lines if line.strip()})
        with open(args.out, "w", encoding="utf-8") as out:
            for name in names:
                out.write(f"{name}: {answer(base, name)}\n")
    print(f"{len(names)} answers", file=sys.stderr)


if __name__ == "__main__":
    main()
