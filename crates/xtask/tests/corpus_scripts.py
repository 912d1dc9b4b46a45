"""The parts of the corpus scripts that decide: versions, relations, changelogs, alternatives."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../corpus"))

import changelog  # noqa: E402
import debian  # noqa: E402
import dependencies  # noqa: E402
import maintscript  # noqa: E402
import unpack  # noqa: E402


class Versions(unittest.TestCase):
    def test_order_is_debians(self):
        ordered = ["1.0~rc1-1", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0+dfsg-1", "1.1-1", "1:0.9-1"]
        self.assertEqual(sorted(reversed(ordered), key=debian.VERSION_KEY), ordered)

    def test_become_evr(self):
        self.assertEqual(dependencies.evr("2:3.1-20221030-2"), ("2", "3.1^20221030", "2"))
        self.assertEqual(dependencies.evr("12.4+deb12u1"), ("", "12.4+deb12u1", "0"))


class Relations(unittest.TestCase):
    def test_alternatives_become_rich_dependencies(self):
        self.assertEqual(
            dependencies.many("libc6 (>= 2.36), a | b (<< 2:1-1), python3:any"),
            ["libc6 >= 2.36", "(a or b < 2:1-1)", "python3"],
        )

    def test_bounds_without_a_release(self):
        self.assertEqual(dependencies.one("libc6 (>> 2.36)"), "libc6 >= 2.36")
        self.assertEqual(dependencies.one("libc6 (<= 2.36)"), "libc6 < 2.36")
        self.assertEqual(dependencies.one("git-man (<< 1:2.39-.)"), "git-man < 1:2.39^")


class Changelogs(unittest.TestCase):
    TEXT = b"""tool (1.0-2) unstable; urgency=medium

  * Second
    line.

 -- A Person <a@example.org>  Wed, 04 Jan 2023 10:00:00 +0100

tool (1.0-1) unstable; urgency=low

  * 100% new.

 -- A Person <a@example.org>  Thu, 05 Jan 2023 10:00:00 +0000

tool (0.9-1) unstable; urgency=low

  * Old.

 -- A Person <a@example.org>  Sun, 01 Jan 2023 23:30:00 -0100
"""

    def test_newest_first_and_never_forward_in_time(self):
        entries = changelog.parse(self.TEXT)
        self.assertEqual([entry.version for entry in entries], ["1.0-2", "1.0-1", "0.9-1"])
        self.assertEqual(changelog.timestamp(entries), 1672822800)
        self.assertEqual(
            changelog.render(entries, lambda text: text.replace("%", "%%")).split("\n"),
            [
                "* Wed Jan 04 2023 A Person <a@example.org> - 1.0-2", "- Second", "  line.", "",
                "* Mon Jan 02 2023 A Person <a@example.org> - 0.9-1", "- Old.", "",
            ],
        )

    def test_something_else_is_none(self):
        self.assertEqual(changelog.parse(b"Version 1.0\n* First release\n"), [])


class MaintainerScripts(unittest.TestCase):
    def test_loops_and_variables(self):
        script = """
basedir=/usr/lib/jvm
priority=1711
priority=$(expr $priority - 1)
for i in java javac; do
    update-alternatives \\
        --install /usr/bin/$i $i $basedir/$i $priority \\
        --slave /usr/share/man/$i.1 $i.1 $basedir/man/$i.1 $more
done
update-alternatives --remove java /usr/bin/java
"""
        groups, _ = maintscript.read(script)
        self.assertEqual([group.master.link for group in groups], ["/usr/bin/java", "/usr/bin/javac"])
        self.assertEqual(groups[0].priority, 1711)
        slave = maintscript.Alternative("/usr/share/man/java.1", "java.1", "/usr/lib/jvm/man/java.1")
        self.assertEqual(groups[0].slaves, (slave,))

    def test_capabilities(self):
        script = """
PROGRAM=$(dpkg-divert --truename /bin/ping)
if setcap cap_net_raw+ep $PROGRAM; then
    chmod u-s $PROGRAM
else
    echo "setcap failed on $PROGRAM"
fi
"""
        self.assertEqual(maintscript.read(script)[1], {"/bin/ping": "cap_net_raw+ep"})


class Paths(unittest.TestCase):
    def test_usr_is_merged(self):
        self.assertEqual(unpack.merge_usr("./lib64/ld.so"), "usr/lib64/ld.so")
        self.assertEqual(unpack.merge_usr("/bin"), "usr/bin")
        self.assertEqual(unpack.merge_usr("./usr/bin/x"), "usr/bin/x")
        self.assertEqual(unpack.merge_usr("./.hidden"), ".hidden")


if __name__ == "__main__":
    unittest.main()
