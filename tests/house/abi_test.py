# SPDX-License-Identifier: Apache-2.0
"""Changes of the interface that break programs are noticed, by name and with what to do; others are not."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = (ROOT / "include/amzsync/amzsync.h").read_text(encoding="utf-8")


class Abi(unittest.TestCase):
    def check(self, *changes):
        changed = HEADER
        for old, new in changes:
            self.assertIn(old, changed)
            changed = changed.replace(old, new)
        with tempfile.TemporaryDirectory() as folder:
            header = pathlib.Path(folder, "amzsync.h")
            header.write_text(changed, encoding="utf-8")
            done = subprocess.run([sys.executable, ROOT / "tests/house/abi.py", header, ROOT / "capi/abi.txt"], capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def test_as_it_is(self):
        self.assertEqual(self.check()[0], 0)

    def test_what_breaks_programs(self):
        for change, told in (
                ((("AMZSYNC_API int32_t amzsync_abi_version(void) AMZSYNC_NOEXCEPT;", ""),), "amzsync_abi_version is gone"),
                ((("int64_t amzsync_event_seq(", "int32_t amzsync_event_seq("),), "amzsync_event_seq was: function int64_t"),
                ((("amzsync_replay(amzsync_engine *engine, const char *user, const char *streams,", "amzsync_replay(amzsync_engine *engine, const char *user,"),), "amzsync_replay was"),
                ((("#define AMZSYNC_ERROR_BUSY 6", "#define AMZSYNC_ERROR_BUSY 66"),), "AMZSYNC_ERROR_BUSY was: constant 6; it is: constant 66"),
                ((("  uint32_t reserved;\n", ""),), "amzsync_stats.reserved is gone"),
                ((("int64_t runs_here;", "int32_t runs_here;"),), "amzsync_stats.runs_here was: int64_t at 8; it is: int32_t at 8"),
                ((("typedef void (*amzsync_free_fn)(void *user_data);", "typedef int (*amzsync_free_fn)(void *user_data);"),), "amzsync_free_fn was: callback void")):
            with self.subTest(told):
                code, said = self.check(*change)
                self.assertEqual(code, 1)
                self.assertIn(told, said)
                self.assertIn("AMZSYNC_ABI_VERSION", said)
                self.assertEqual("abidiff: " in said, "constant" not in told, said)   # it sees no numbers of constants

    def test_what_breaks_none(self):
        code, said = self.check(("amzsync_engine *engine, int64_t id)", "amzsync_engine  *other,  int64_t  number )"), ("Forgets the tokens", "Says so"))
        self.assertEqual(code, 0, said)
        code, said = self.check(("AMZSYNC_API const char *amzsync_version(void) AMZSYNC_NOEXCEPT;", "AMZSYNC_API const char *amzsync_version(void) AMZSYNC_NOEXCEPT;\nAMZSYNC_API int32_t amzsync_new(void) AMZSYNC_NOEXCEPT;"))
        self.assertEqual(code, 1)
        self.assertIn("Not on record yet: amzsync_new", said)
        self.assertIn("1 Added function", said)


if __name__ == "__main__":
    unittest.main()
