# SPDX-License-Identifier: Apache-2.0
"""The examples in Python do what they say."""
import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import unittest
import urllib.parse

from harness import BIN, CLIENT_SECRET, MASTER_KEY, EventStream, HostCase, amounts, fetch

ROOT = pathlib.Path(__file__).resolve().parents[2]
# scripts/package --install tries them with what it has installed: a Python that the wheel is in, and a server that was built against the packages.
INSTALLED = os.environ.get("AMZSYNC_INSTALLED_PYTHON")
SERVER = os.environ.get("AMZSYNC_INSTALLED_SERVER", str(BIN / "asio-server"))
HERE = {} if INSTALLED else {"PYTHONPATH": str(ROOT / "bindings/python"), "AMZSYNC_LIBRARY": str(BIN.parent / "lib" / "libamzsync.so.0")}
ENVIRONMENT = {**os.environ, **HERE, "PYTHONDONTWRITEBYTECODE": "1"}
PYTHON = INSTALLED or sys.executable


def python_with(*modules):
    """The one that runs the test, or the system's, for whose packages they come."""
    for python in [INSTALLED] if INSTALLED else [sys.executable, "/usr/bin/python3"]:
        if subprocess.run([python, "-c", "import " + ", ".join(modules)], capture_output=True, check=False).returncode == 0:
            return python
    raise AssertionError(f"{' and '.join(modules)} are not installed; scripts/setup installs them.")


class FastApi:
    """The example's server, ready when it says so."""

    def __init__(self, **settings):
        self.process = subprocess.Popen([python_with("fastapi", "uvicorn"), "-m", "uvicorn", "--app-dir", str(ROOT / "examples/fastapi_host"), "--port", "0", "app:app"], env={**ENVIRONMENT, **settings},
                                        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        said = ""
        for line in self.process.stderr:
            said += line
            found = re.search(r"running on (http://[0-9.]+:(\d+))", line)
            if found:
                self.url, self.port = found.group(1), int(found.group(2))
                return
        self.stop()
        raise AssertionError("the server did not start: " + said)

    def ask(self, method, path, user="anna"):
        return fetch(self.url + path, method, {"X-User": user})

    def stop(self):
        if self.process.stderr.closed:
            return None
        self.process.terminate()
        left = self.process.stderr.read()
        self.process.stderr.close()
        return self.process.wait(60), left


class AsioServer:
    """The example in C++, spoken to by lines."""

    def __init__(self, sim, store):
        self.process = subprocess.Popen([SERVER, sim.url, store, "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    @contextlib.contextmanager
    def client(self):
        with socket.create_connection(("127.0.0.1", self.port)) as connection, connection.makefile("rw", newline="\n") as lines:
            yield lines

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def stop(self):
        self.process.terminate()
        left = self.process.communicate(timeout=60)[1]
        return self.process.returncode, left


def say(client, line):
    client.write(line + "\n")
    client.flush()


class Examples(HostCase):
    def test_a_server_of_asio_waits_for_many_syncs_on_one_thread(self):
        sellers = 20
        sim = self.sim(events=60, skus=5, sellers=sellers, rate_scale=0)
        server = AsioServer(sim, self.store)
        try:
            with contextlib.ExitStack() as open_ones:
                clients = [open_ones.enter_context(server.client()) for _ in range(sellers)]
                say(clients[0], "sync user-1")
                self.assertEqual(clients[0].readline(), "Amazon connection not found. Please connect your Amazon account first.\n")
                before = server.threads()
                for n, client in enumerate(clients, 1):
                    say(client, f"connect user-{n} Atzr|sim-seller-{n}")
                for client in clients:
                    self.assertRegex(client.readline(), r"^sync_\S+ has begun$")
                    self.assertRegex(client.readline(), r"^sync_\S+ completed$")
                # Nobody answers, so all wait at once.
                sim.fault("/finances", "hang")
                for n, client in enumerate(clients, 1):
                    say(client, f"sync user-{n}")
                for client in clients:
                    self.assertRegex(client.readline(), r"^sync_\S+ has begun$")
                self.assertEqual(server.threads(), before)
                self.assertEqual(server.stop(), (0, ""))   # in the middle of it
        finally:
            if server.process.returncode is None:
                server.stop()

    def test_a_sync_once(self):
        sim = self.sim(events=100, skus=10, plant=50, history_days=200)
        done = subprocess.run([PYTHON, str(ROOT / "examples/sync_once.py"), sim.url, str(self.store), "Atzr|sim-seller-1"], env=ENVIRONMENT, capture_output=True, text=True, timeout=600, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^sync sync_\S+: completed\n(paid back: [0-9.]+ [A-Z]{3}\n)+(still owed: [0-9.]+ [A-Z]{3} in \d+ findings\n)+$")
        refused = subprocess.run([PYTHON, str(ROOT / "examples/sync_once.py"), sim.url, str(self.store), "nonsense"], env=ENVIRONMENT, capture_output=True, text=True, timeout=600, check=False)
        self.assertEqual((refused.returncode, refused.stdout), (1, ""))
        self.assertIn("invalid_grant", refused.stderr)

    def test_a_host_with_fastapi(self):
        sim = self.sim(events=100, skus=10, plant=20, history_days=200)
        host = FastApi(AMZSYNC_STORE=f"sqlite:{self.store}", AMZSYNC_LWA_CLIENT_ID="python-app", AMZSYNC_LWA_CLIENT_SECRET=CLIENT_SECRET, AMZSYNC_MASTER_KEY=MASTER_KEY, AMZSYNC_APPLICATION_ID="amzn1.sp.solution.test",
                       AMZSYNC_REDIRECT_URI="https://app.example/callback", AMZSYNC_LWA_ENDPOINT=sim.url, AMZSYNC_SPAPI_ENDPOINT=sim.url, AMZSYNC_CONSENT_ENDPOINT=sim.url)
        self.addCleanup(host.stop)
        self.assertEqual((host.ask("POST", "/sync").status, host.ask("POST", "/sync").json["error"]), (409, "not_connected"))
        page = host.ask("GET", "/connect?marketplace=US")
        self.assertEqual(page.status, 302)
        back = fetch(page.location + "&sim_seller=1").query
        home = host.ask("GET", "/callback?" + urllib.parse.urlencode(back))
        self.assertEqual((home.status, home.query["connected"]), (302, "true"))
        self.assertEqual(host.ask("GET", "/callback?" + urllib.parse.urlencode(back)).query["error"], "invalid_state")

        with EventStream(host, "anna", 0, "/events", {"X-User": "anna"}) as stream:
            self.assertEqual(stream.until(home.query["sync_id"])[-1].type, "sync.completed")
        self.assertEqual(amounts(host.ask("GET", "/recoveries").json["totals"]), amounts(sim.truth(1)["transactions"]["recoveries"]))
        self.assertEqual({f["readiness"] for f in host.ask("GET", "/findings").json["findings"]}, {"claim_ready"})
        self.assertEqual(host.ask("GET", "/findings?status=perhaps").status, 400)
        self.assertEqual(host.ask("POST", "/sync").status, 200)
        code, left = host.stop()
        self.assertNotIn("Traceback", left)
        self.assertEqual(code, 0, left)


if __name__ == "__main__":
    unittest.main()
