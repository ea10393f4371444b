# SPDX-License-Identifier: Apache-2.0
"""The whole flow from C, from C++ and from Python under valgrind: no use of what is not there, and no leak. Needs valgrind; scripts/soak leaks."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from harness import BIN, Sim

ROOT = pathlib.Path(__file__).resolve().parents[2]
VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible", "--errors-for-leak-kinds=definite,indirect,possible", "--num-callers=30"]
# What the interpreter does by itself, and keeps until its end, is its own.
PYTHON = ["--show-leak-kinds=definite", "--errors-for-leak-kinds=definite", f"--suppressions={ROOT / 'tests/host/python.supp'}"]


class Leaks(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.amazon = Sim(events=100, skus=10, sellers=6)
        self.addCleanup(self.amazon.stop)

    def run_under_valgrind(self, *command, more=(), **env):
        done = subprocess.run([*VALGRIND, *more, *map(str, command)], capture_output=True, text=True, check=False, timeout=1800, env={**os.environ, **env})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_c(self):
        self.assertIn("completed", self.run_under_valgrind(BIN / "minimal-c", self.amazon.url, self.folder / "c.db", "Atzr|sim-seller-1"))

    def test_cpp(self):
        self.assertIn("completed", self.run_under_valgrind(BIN / "minimal-cpp", self.amazon.url, self.folder / "cpp.db", "Atzr|sim-seller-2"))

    def test_c_with_parts_of_the_hosts(self):
        for seller, how in enumerate(("blocking", "later", "cpp"), 3):
            self.assertIn("completed", self.run_under_valgrind(BIN / "host-parts", self.amazon.url, self.folder / f"{how}.db", f"Atzr|sim-seller-{seller}", how))

    def test_python(self):
        said = self.run_under_valgrind(sys.executable, ROOT / "examples/sync_once.py", self.amazon.url, self.folder / "python.db", "Atzr|sim-seller-6", more=PYTHON, PYTHONMALLOC="malloc",
                                       PYTHONPATH=str(ROOT / "bindings/python"), AMZSYNC_LIBRARY=str(BIN.parent / "lib/libamzsync.so.0"))
        self.assertIn("completed", said)


if __name__ == "__main__":
    unittest.main()
