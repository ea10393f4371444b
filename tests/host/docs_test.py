# SPDX-License-Identifier: Apache-2.0
"""Every block of code in README and docs, run as a reader would who copies it: commands in a shell, SQL on a seller's rows, C by a compiler, Python, settings by `amzsync check`."""
import base64
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import unittest

from harness import BIN, CLIENT_SECRET, MASTER_KEY, HostCase, cli

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]
BLOCK = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.M | re.S)


def blocks(language):
    """[(page, text)] in the order in which they stand."""
    return [(page.relative_to(ROOT).as_posix(), text) for page in PAGES for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Docs(HostCase):
    def test_every_block_is_of_a_kind_that_is_run_or_shows_nothing_to_run(self):
        for page in PAGES:
            kinds = {kind for kind, _ in BLOCK.findall(page.read_text())}
            self.assertLessEqual(kinds, {"sh", "sql", "c", "python", "toml", "text"}, page)
        for page, text in blocks("text"):
            self.assertNotRegex(text, r"(?m)^(\$ |scripts/|amzsync|build/|curl |python3? |cmake )", page)

    def test_commands(self):
        pages = [page for page, _ in blocks("sh")]
        self.assertEqual(set(pages), {"README.md", "docs/start.md", "docs/operations.md"})   # the last one is run by operations_test.py

        for line in "".join(text for page, text in blocks("sh") if page == "README.md").splitlines():
            self.assertTrue(os.access(ROOT / line.split()[0], os.X_OK), line)   # what they do is what runs this, and takes minutes

        script = "".join(text for page, text in blocks("sh") if page == "docs/start.md").replace("8080", str(free_port()))
        # On a port that is free; and a reader's hands are slower than a shell.
        amazon = f"127.0.0.1:{free_port()}"
        start = "amzsync-sim --rate-scale 0 &\n"
        self.assertIn(start, script)
        script = script.replace(start, f"amzsync-sim --rate-scale 0 --listen {amazon} --events 400 --skus 60 --history-days 200 &\ncurl -s -o /dev/null --retry 50 --retry-connrefused {amazon}/_sim/stats\n").replace("127.0.0.1:8090", amazon)
        script = "set -eu\ntrap 'kill $(jobs -p); wait' EXIT\n" + script
        clean = {k: v for k, v in os.environ.items() if not k.startswith("AMZSYNC_")}
        done = subprocess.run(["bash", "-c", script], cwd=self.folder, env={**clean, "PATH": f"{BIN}:{clean['PATH']}"}, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("The settings are right", done.stdout)
        self.assertNotRegex(done.stdout, r"(?m)^failed ")   # of doctor
        self.assertRegex(done.stdout, r"Sync sync_\S+ completed")
        self.assertRegex(done.stdout, r"(?m)^[0-9.]+ USD in \d+ reimbursements$")
        self.assertRegex(done.stdout, r"(?m)^\d{4}-\d\d\|FBAInventoryReimbursement\|\d+$")
        self.assertIn('"status":"ready"', done.stdout)
        for line in (self.folder / "claims.ndjson").read_text().splitlines():
            json.loads(line)

    def help_of(self, *command):
        return subprocess.run([BIN / command[0], *command[1:], "--help"], capture_output=True, text=True, check=True).stdout

    def test_manual_pages(self):
        for program in ("amzsync", "amzsync-host", "amzsync-sim"):
            page = (BIN.parent / "man" / f"{program}.1").read_text().replace("\\-", "-")
            said = self.help_of(program)
            commands = re.findall(r"(?m)^  ([a-z-]+) ", said.partition("Subcommands:")[2])
            self.assertEqual(len(commands) > 10, program == "amzsync")
            for command in commands:
                self.assertIn(f"\n.SS {command}\n", page)
                said += self.help_of(program, command)
            for option in set(re.findall(r"--[a-z-]+", said)):
                self.assertIn(option, page)

    def test_queries(self):
        sim = self.sim(events=2000, skus=60)
        host = self.host(sim)
        host.finish(host.connect("u1").query["sync_id"], "u1")
        host.stop()
        order = self.sql("SELECT order_id FROM amz_transactions WHERE order_id<>'' LIMIT 1")[0][0]
        for page, text in blocks("sql"):
            with self.subTest(page + "\n" + text):
                rows = self.sql(text.replace("113-1234567-1234567", order))
                if "amz_quarantine" not in text:
                    self.assertGreater(len(rows), 0)

    def test_settings(self):
        sim = self.sim(events=10, skus=5)
        self.assertTrue(blocks("toml"))
        for page, text in blocks("toml"):
            for name, content in (("/run/secrets/lwa", CLIENT_SECRET), ("/run/secrets/amzsync-key", MASTER_KEY)):
                self.assertIn(name, text)
                place = self.folder / pathlib.Path(name).name
                place.write_text(content)
                place.chmod(0o600)
                text = text.replace(name, str(place))
            text = text.replace("/var/lib/amzsync", str(self.folder))
            settings = self.folder / "amzsync.toml"
            settings.write_text(text)
            code, out, err = cli({"AMZSYNC_LWA_ENDPOINT": sim.url, "AMZSYNC_SPAPI_ENDPOINT": sim.url}, "--config", str(settings), "check")
            self.assertEqual((code, "are right" in out), (0, True), out + err)

    def test_python(self):
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "bindings/python"), "AMZSYNC_LIBRARY": str(BIN.parent / "lib/libamzsync.so.0"), "AMZSYNC_SIM": str(BIN / "amzsync-sim")}
        self.assertTrue(blocks("python"))
        sim = self.sim(events=50, skus=5)
        for page, text in blocks("python"):
            # What a reader fills in: the application, and here Amazon's place.
            text = text.replace("client_id=..., client_secret=..., master_key=...",
                                f"client_id='any', client_secret='any', master_key='{MASTER_KEY}', lwa_endpoint='{sim.url}', spapi_endpoint='{sim.url}'")
            text = "import amzsync.testing\nrefresh_token = 'Atzr|sim-seller-1'\n" + text
            done = subprocess.run([sys.executable, "-c", text], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120)
            self.assertEqual(done.returncode, 0, page + "\n" + text + done.stdout + done.stderr)

    def test_c(self):
        compiler = shutil.which("cc") or shutil.which("gcc")
        self.assertTrue(compiler)
        key = base64.b64encode(os.urandom(32)).decode()
        for number, (page, text) in enumerate(blocks("c")):
            source = self.folder / f"block{number}.c"
            source.write_text('#include <amzsync/amzsync.h>\n#include <stdio.h>\nint main(void) {\nconst char *client_id = "any", *client_secret = "any", *application_id = "amzn1.sp.solution.x", '
                              f'*redirect_uri = "https://app.example/callback", *key = "{key}";\n{text}\nif (!engine) return 1;\namzsync_close(engine);\nreturn 0;\n}}\n')
            library = BIN.parent / "lib"
            program = self.folder / f"block{number}"
            built = subprocess.run([compiler, "-std=c99", "-Wall", "-Werror", f"-I{ROOT}/include", str(source), "-o", str(program), f"-L{library}", "-lamzsync", f"-Wl,-rpath,{library}"], capture_output=True, text=True)
            self.assertEqual(built.returncode, 0, page + "\n" + built.stderr)
            run = subprocess.run([program], cwd=self.folder, capture_output=True, text=True, timeout=60)
            self.assertEqual(run.returncode, 0, page + "\n" + run.stdout + run.stderr)


if __name__ == "__main__":
    unittest.main()
