# SPDX-License-Identifier: Apache-2.0
"""Breaks each rule of the list of quirks once and sees that quirks.py notices."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HOUSE = pathlib.Path(__file__).resolve().parent
ROOT = HOUSE.parents[1]


class Quirks(unittest.TestCase):
    def verdict(self, change):
        with tempfile.TemporaryDirectory() as root:
            shutil.copytree(ROOT / "tests", pathlib.Path(root) / "tests", ignore=shutil.ignore_patterns("__pycache__"))
            docs = pathlib.Path(root) / "docs"
            docs.mkdir()
            for other in ("known-failures.md", "security.md"):
                shutil.copy(ROOT / "docs" / other, docs)
            text = (ROOT / "docs/amazon-quirks.md").read_text(encoding="utf-8")
            changed = change(text)
            (docs / "amazon-quirks.md").write_text(changed, encoding="utf-8")
            done = subprocess.run([sys.executable, HOUSE / "quirks.py", root], capture_output=True, text=True)
            return done.returncode, done.stdout

    def test_the_list_as_it_is_passes(self):
        self.assertEqual(self.verdict(lambda text: text)[0], 0)

    def test_what_breaks_the_rules_is_named(self):
        def without(start):
            return lambda text: "\n".join(line for line in text.splitlines() if not line.startswith(start))

        def twice(start):
            return lambda text: "\n".join(line + "\n" + line if line.startswith(start) else line for line in text.splitlines())

        for change, why in (
            (lambda text: text.replace("`an empty page with a token is not the end`", "`an empty page is the end`"), "F8: there is no test named: an empty page is the end"),
            (lambda text: text.replace("`an empty page with a token is not the end`", "later"), "F8: names no test"),
            (lambda text: text.replace("`an empty page with a token is not the end`", "none"), "F8: names no test"),
            (without("| I4 "), "I4: is missing"),
            (twice("| I4 "), "I4: stands twice"),
            (lambda text: text.replace("| F8 | an empty page may carry a token |", "| F8 |"), "F8: a row is"),
        ):
            with self.subTest(why):
                code, said = self.verdict(change)
                self.assertEqual(code, 1)
                self.assertIn(why, said)


if __name__ == "__main__":
    unittest.main()
