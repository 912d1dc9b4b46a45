#!/usr/bin/env bash
# Makes what is in this directory anew, from `cargo xtask corpus --set full`:
#
#     tests/corpus-metadata/regenerate.sh [CORPUS]
#
# repodata/            primary and filelists of CORPUS/full
# dnf.txt.gz           what dnf installs, asked for each package name alone; weak dependencies off
# dnf-weak.txt.gz      the same with weak dependencies
# dnf-without.txt.gz   the same with `perl-base` excluded
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
corpus=${1:-$top/target/corpus}
repository=$corpus/full
[ -f "$repository/repodata/repomd.xml" ] || {
  echo "no repository in $repository: run \`cargo xtask corpus --set full\` first" >&2
  exit 1
}
rm -rf "$here/repodata"
cp -R "$repository/repodata" "$here/repodata"
# Changelogs are of no use to a solver, and larger than all the rest.
revision=$(sed -n 's:.*<revision>\(.*\)</revision>.*:\1:p' "$here/repodata/repomd.xml")
modifyrepo_c --remove other "$here/repodata" >/dev/null
# modifyrepo_c dates the file by the clock, so the revision is put back.
sed -i "s:<revision>.*</revision>:<revision>$revision</revision>:" "$here/repodata/repomd.xml"
rm -f "$here"/repodata/*other.xml.gz
answers=$(mktemp -d)
trap 'rm -rf "$answers"' EXIT
oracle=$top/crates/resolve/tests/oracle/dnf_answers.py
/usr/bin/python3 "$oracle" "$here" - "$answers/dnf.txt"
/usr/bin/python3 "$oracle" "$here" - "$answers/dnf-weak.txt" --weak
/usr/bin/python3 "$oracle" "$here" - "$answers/dnf-without.txt" --exclude perl-base
for file in dnf dnf-weak dnf-without; do gzip -9 -n <"$answers/$file.txt" >"$here/$file.txt.gz"; done
du -sh "$here"
