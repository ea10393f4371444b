# SPDX-License-Identifier: Apache-2.0
"""Breaks each rule of the house once and sees that layers.py notices."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

LAYERS = pathlib.Path(__file__).with_name("layers.py")
SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


class Layers(unittest.TestCase):
    def verdict(self, path, text):
        with tempfile.TemporaryDirectory() as root:
            file = pathlib.Path(root) / path
            file.parent.mkdir(parents=True)
            file.write_text(text)
            subprocess.run(["git", "init", "-q", root], check=True)
            done = subprocess.run([sys.executable, LAYERS, root], capture_output=True, text=True)
            return done.returncode, done.stdout

    def test_what_keeps_the_rules_passes(self):
        self.assertEqual(self.verdict("src/sync/x.cpp", SPDX + '#include "store/y.hpp"\n#include "spapi/z.hpp"\n')[0], 0)
        self.assertEqual(self.verdict("src/sync/x.cpp", SPDX + 'auto r = co_await f("?1");  // ?\nauto s = r ? 1 : 2;\nco_await g();\n')[0], 0)
        self.assertEqual(self.verdict("src/base/clock.cpp", SPDX + "asio::steady_timer t;\n")[0], 0)

    def test_what_breaks_them_is_named(self):
        for path, text, why in (
            ("src/base/x.cpp", SPDX + '#include "net/http.hpp"\n', "includes net/http.hpp"),
            ("src/store/x.hpp", SPDX + '#include "sync/run.hpp"\n', "includes sync/run.hpp"),
            ("src/net/x.cpp", SPDX + '#include "spapi/client.hpp"\n', "includes spapi/client.hpp"),
            ("src/sync/x.cpp", SPDX + '#include "engine.hpp"\n', "includes engine.hpp"),
            ("src/engine.cpp", SPDX + '#include "capi/handles.hpp"\n', "includes capi/handles.hpp"),
            ("tools/cli/x.cpp", SPDX + '#include "store/store.hpp"\n', "includes store/store.hpp"),
            ("examples/http_host/x.cpp", SPDX + '#include "base/json.hpp"\n', "includes base/json.hpp"),
            ("src/sync/x.cpp", SPDX + "asio::steady_timer t(loop);\n", "waits by itself"),
            ("src/net/x.cpp", SPDX + "std::this_thread::sleep_for(1s);\n", "waits by itself"),
            ("src/sync/x.cpp", SPDX + "auto s = ok ? Status(Done{}) : co_await f();\n", "co_await within ?:"),
            ("tests/x.cpp", SPDX + "auto s = ok\n  ? co_await f()\n  : g();\n", "co_await within ?:"),
            ("src/net/x.cpp", "int x;\n", "no SPDX line"),
        ):
            with self.subTest((path, why)):
                code, said = self.verdict(path, text)
                self.assertEqual(code, 1)
                self.assertIn(why, said)


if __name__ == "__main__":
    unittest.main()
