# SPDX-License-Identifier: Apache-2.0
"""Figures of the example host, over loopback: how fast a callback is answered while the rest of Amazon hangs, how a trigger fares, and what a
thousand idle event streams cost."""
import http.client
import json
import os
import pathlib
import selectors
import socket
import sqlite3
import subprocess
import tempfile
import time
import urllib.parse

from harness import BASE, BIN, Host, Sim, fetch, jwt

CALLBACKS, TRIGGERS, STREAMS, READS = 100, 300, 1000, 2000


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def row(what, values):
    ms = [v * 1000 for v in values]
    print(f"| {what} | {len(ms)} | {percentile(ms, .5):.2f} | {percentile(ms, .99):.2f} | {max(ms):.2f} |", flush=True)


def timed(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def threads_of(host):
    return len(os.listdir(f"/proc/{host.process.pid}/task"))


def memory_of(host):
    for line in pathlib.Path(f"/proc/{host.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0


class Client:
    """One kept connection, so that connecting is not measured."""

    def __init__(self, host, user):
        self.connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=60)
        self.headers = {"Authorization": "Bearer " + jwt(user)}

    def call(self, method, path, body=None):
        self.connection.request(method, path, body=body, headers=self.headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


def callbacks(folder):
    """Callback with the token endpoint healthy and all else hanging."""
    sim = Sim(events=10, skus=5, sellers=CALLBACKS)
    host = Host(sim, folder / "callbacks.db")
    for path in ("/sellers", "/finances", "/fba"):
        sim.fault(path, "hang")
    spent = []
    for n in range(1, CALLBACKS + 1):
        user = f"user-{n}"
        back = host.agree(host.start_consent(user), n)
        client = Client(host, user)
        client.call("GET", "/healthz")
        seconds, (status, _) = timed(lambda: client.call("GET", f"{BASE}/auth/callback?" + urllib.parse.urlencode(back)))
        assert status == 302
        spent.append(seconds)
    assert fetch(host.url + "/metrics").body.count(b"amzsync_runs_active %d" % CALLBACKS) == 1   # each run is there
    row("OAuth callback, SP-API hanging", spent)
    host.stop()
    sim.stop()


def triggers(folder):
    """Manual starts of users who are idle, starts that attach, and cancels of syncs that wait for an Amazon who does not answer, until they have ended."""
    sim = Sim(events=1, skus=1, sellers=TRIGGERS)
    host = Host(sim, folder / "triggers.db")
    for n in range(1, TRIGGERS + 1):
        host.finish(host.connect(f"user-{n}", n).query["sync_id"], f"user-{n}")
    sim.fault("/sellers", "hang")
    sim.fault("/finances", "hang")
    sim.fault("/fba", "hang")
    start, attach, cancel = [], [], []
    for n in range(1, TRIGGERS + 1):
        client = Client(host, f"user-{n}")
        client.call("GET", "/healthz")
        seconds, (status, body) = timed(lambda: client.call("POST", "/api/sync/start"))
        assert status == 200, body
        sync = json.loads(body)["syncId"]
        start.append(seconds)
        seconds, (status, body) = timed(lambda: client.call("POST", "/api/sync/start"))
        assert status == 409, body
        attach.append(seconds)

        def until_over():
            assert client.call("POST", f"/api/sync/cancel/{sync}")[0] == 200
            while json.loads(client.call("GET", f"/api/sync/status/{sync}")[1])["status"] != "cancelled":
                pass

        cancel.append(timed(until_over)[0])
    row("Trigger over HTTP (durable)", start)
    row("Attach over HTTP", attach)
    row("Cancel over HTTP, until the sync has ended", cancel)
    host.stop()
    sim.stop()


def operate(host, *command):
    subprocess.run([BIN / "amzsync", *command], env={**os.environ, **host.env}, check=True, capture_output=True)


def triggers_under_ingest(folder):
    """Manual starts, and starts that attach, while a large seller's rows are written: by this process, then by another one."""
    sim = Sim(events=80_000, skus=2_000, sellers=TRIGGERS + 2, history_days=540)
    host = Host(sim, folder / "ingest.db", history_days="540", streams="transactions", log_level="warn")
    operate(host, "pause", "--all")
    for n in range(1, TRIGGERS + 3):
        sync = host.connect(f"user-{n}", n).query["sync_id"]
        assert host.post(f"/api/sync/cancel/{sync}", f"user-{n}").status == 200
    operate(host, "resume", "--all")

    def written():
        with sqlite3.connect(f"file:{folder}/ingest.db?mode=ro", uri=True) as store:
            return store.execute("SELECT count(*) FROM transactions").fetchone()[0]

    def measure(where, big, under_way):
        before = written()
        while written() < before + 2_000:
            assert under_way(), "the large sync ended before anything was measured"
            time.sleep(0.05)
        start, attach = [], []
        for n in range(3, TRIGGERS + 3):
            if not under_way():
                break
            client = Client(host, f"user-{n}")
            client.call("GET", "/healthz")
            seconds, (status, body) = timed(lambda: client.call("POST", "/api/sync/start"))
            assert status == 200, body
            start.append(seconds)
            seconds, (status, _) = timed(lambda: client.call("POST", "/api/sync/start"))
            assert status == 409
            attach.append(seconds)
            client.call("POST", f"/api/sync/cancel/{json.loads(body)['syncId']}")
        row(f"Trigger over HTTP, {where}", start)
        row(f"Attach over HTTP, {where}", attach)
        big()

    sync = host.post("/api/sync/start", "user-1").json["syncId"]
    measure("this process ingests", lambda: host.post(f"/api/sync/cancel/{sync}", "user-1"), lambda: host.get(f"/api/sync/status/{sync}", "user-1").json["status"] == "in_progress")
    with subprocess.Popen([BIN / "amzsync", "sync", "--user", "user-2", "--json"], env={**os.environ, **host.env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        measure("another process ingests", other.kill, lambda: other.poll() is None)
    host.stop()
    sim.stop()


def streams(folder):
    """A thousand idle event streams, and the status route meanwhile."""
    sim = Sim(events=100, skus=10)
    host = Host(sim, folder / "streams.db")
    host.finish(host.connect().query["sync_id"])
    client = Client(host, "user-1")

    def reads(what):
        row(what, [timed(lambda: client.call("GET", "/api/sync/status"))[0] for _ in range(READS)])

    reads("Status route, no stream")
    before = threads_of(host), memory_of(host)
    open_streams = []
    waiting = selectors.DefaultSelector()
    for n in range(STREAMS):
        s = socket.create_connection(("127.0.0.1", host.port))
        s.sendall(f"GET /api/sse/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {jwt(f'user-{n}')}\r\n\r\n".encode())
        waiting.register(s, selectors.EVENT_READ)
        open_streams.append(s)
    greeted = set()
    while len(greeted) < STREAMS:
        for key, _ in waiting.select(60):
            if b"event: connected" in key.fileobj.recv(65536):
                greeted.add(key.fileobj)
    reads(f"Status route, {STREAMS} idle streams")
    after = threads_of(host), memory_of(host)
    print(f"\nThreads of the host: {before[0]} without a stream, {after[0]} with {STREAMS}. Memory: {before[1]:.1f} MB and {after[1]:.1f} MB "
          f"({(after[1] - before[1]) * 1024 / STREAMS:.1f} KB a stream).")
    for s in open_streams:
        s.close()
    host.stop()
    sim.stop()


print("| what | times | median ms | p99 ms | most ms |\n|---|---|---|---|---|")
with tempfile.TemporaryDirectory(prefix="amzsync-bench-") as name:
    for measure in (callbacks, triggers, triggers_under_ingest, streams):
        measure(pathlib.Path(name))
