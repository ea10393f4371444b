# SPDX-License-Identifier: Apache-2.0
"""Starts the programs under test and talks to them as a browser, a front end or an operator would: over HTTP, with real processes.
Nothing here sleeps: a test waits for a line of output, an event, an answer or the end of a process."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import tempfile
import time
import unittest
import urllib.parse

BIN = pathlib.Path(os.environ["AMZSYNC_BIN"])
BASE = "/api/v1/integrations/amazon"
FRONT = "https://front.example"
JWT_SECRET = "jwt-secret-marker-0123456789abcdef"
CLIENT_SECRET = "client-secret-marker-77"
MASTER_KEY = base64.b64encode(b"master-key-marker-of-32-bytes-ok").decode()
TERMINAL = {"sync.completed", "sync.failed", "sync.cancelled"}
HISTORY_DAYS = 60   # fewer reports to make than for the usual eighteen months
PATIENCE = 120   # seconds after which a test that waits has failed


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(subject, secret=JWT_SECRET, algorithm="HS256", **claims):
    payload = {"sub": subject, "exp": int(time.time()) + 3600, **claims}
    payload = {k: v for k, v in payload.items() if v is not None}
    text = encoded(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()) + "." + encoded(json.dumps(payload).encode())
    digest = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}.get(algorithm)
    signature = hmac.new(secret.encode(), text.encode(), getattr(hashlib, digest)).digest() if digest else b""
    return text + "." + encoded(signature)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body, parse_float=str, parse_int=int)

    @property
    def location(self):
        return self.headers["Location"]

    @property
    def query(self):
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.location).query))


def fetch(url, method="GET", headers=None, body=None):
    """One request, no redirect followed."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
    try:
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), body=body, headers=headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


class Program:
    """A server of ours, ready when it has said where it listens."""

    prefix = ()   # what runs the program

    def __init__(self, name, *args, env=None):
        self.errors = tempfile.NamedTemporaryFile(prefix=name + "-", suffix=".log")
        clean = {k: v for k, v in os.environ.items() if not k.startswith("AMZSYNC_")}
        self.process = subprocess.Popen([*self.prefix, BIN / name, *args], stdout=subprocess.PIPE, stderr=self.errors, env={**clean, **(env or {})})
        line = self.process.stdout.readline().decode()
        found = re.search(r"http://([0-9.]+):(\d+)", line)
        if not found:
            self.process.wait(PATIENCE)
            self.process.stdout.close()
            raise AssertionError(f"{name} did not start: {line}{self.log()}")
        self.url = found.group(0)
        self.port = int(found.group(2))

    def log(self):
        with open(self.errors.name, encoding="utf-8") as f:
            return f.read()

    def stop(self):
        """Ends it as an operator would; what it logged is complete then."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return code

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


class Sim(Program):
    def __init__(self, *args, events=1200, skus=120, sellers=3, rate_scale=0, seed=7, history_days=HISTORY_DAYS, plant=0):
        super().__init__("amzsync-sim", "--listen", "127.0.0.1:0", "--auto-approve", "--events", str(events), "--skus", str(skus), "--sellers", str(sellers), "--rate-scale", str(rate_scale),
                         "--seed", str(seed), "--history-days", str(history_days), "--plant", str(plant), *args)

    def truth(self, seller):
        return fetch(f"{self.url}/_sim/truth?seller={seller}").json

    def stats(self):
        return fetch(f"{self.url}/_sim/stats").json

    def control(self, **orders):
        answer = fetch(self.url + "/_sim/control", "POST", body=json.dumps(orders))
        assert answer.status == 200, answer.body

    def fault(self, path, kind, **more):
        self.control(faults=[{"path": path, "kind": kind, "times": -1, **more}])


class Host(Program):
    def __init__(self, sim, store, *args, **settings):
        env = {
            "AMZSYNC_STORE": str(store) if "://" in str(store) else f"sqlite:{store}",
            "AMZSYNC_LWA_CLIENT_ID": "amzn1.application-oa2-client.test",
            "AMZSYNC_LWA_CLIENT_SECRET": CLIENT_SECRET,
            "AMZSYNC_APPLICATION_ID": "amzn1.sp.solution.test",
            "AMZSYNC_REDIRECT_URI": "https://host.example" + BASE + "/auth/callback",
            "AMZSYNC_MASTER_KEY": MASTER_KEY,
            "AMZSYNC_LWA_ENDPOINT": sim.url,
            "AMZSYNC_SPAPI_ENDPOINT": sim.url,
            "AMZSYNC_CONSENT_ENDPOINT": sim.url,
            "AMZSYNC_JWT_SECRET": JWT_SECRET,
            "AMZSYNC_FRONTEND_ORIGINS": FRONT + ",https://other-front.example",
            "AMZSYNC_SYNC_EVERY_MINUTES": "0",
            "AMZSYNC_HISTORY_DAYS": str(HISTORY_DAYS),
            "AMZSYNC_LISTEN": "127.0.0.1:0",
        }
        env.update({"AMZSYNC_" + k.upper(): v for k, v in settings.items()})
        self.env = {k: v for k, v in env.items() if v is not None}
        super().__init__("amzsync-host", *args, env=self.env)

    def call(self, method, path, user="user-1", headers=None, body=None):
        sent = dict(headers or {})
        if user and "Authorization" not in sent:
            sent["Authorization"] = "Bearer " + jwt(user)
        if isinstance(body, dict):
            body = json.dumps(body)
        return fetch(self.url + path, method, sent, body)

    def get(self, path, user="user-1", **more):
        return self.call("GET", path, user, **more)

    def post(self, path, user="user-1", **more):
        return self.call("POST", path, user, **more)

    def start_consent(self, user="user-1", front=FRONT):
        answer = self.get(f"{BASE}/auth/start?frontend_url={front}", user)
        assert answer.status == 200, answer.body
        return answer.json

    def agree(self, consent, seller=None):
        """The seller agrees on Amazon's page; what Amazon sends the browser back with."""
        page = fetch(consent["authUrl"] + (f"&sim_seller={seller}" if seller else ""))
        assert page.status == 302, page.body
        return page.query

    def connect(self, user="user-1", seller=1):
        """The whole trip of a browser; the answer to the callback."""
        back = self.agree(self.start_consent(user), seller)
        return self.get(f"{BASE}/auth/callback?" + urllib.parse.urlencode(back), user)

    def events(self, user="user-1", last_event_id=None):
        return EventStream(self, user, last_event_id)

    def finish(self, sync_id, user="user-1"):
        """Waits for a sync's end by its events; the run as the status route shows it."""
        with self.events(user, 0) as stream:
            for event in stream:
                if event.type in TERMINAL and event.data["syncId"] == sync_id:
                    break
        return self.get(f"/api/sync/status/{sync_id}", user).json


class Event:
    def __init__(self, fields):
        self.id = int(fields["id"]) if "id" in fields else None
        self.type = fields.get("event")
        self.retry = fields.get("retry")
        self.text = fields["data"]
        self.data = json.loads(self.text, parse_float=str)


class EventStream:
    """Server-sent events, as a browser reads them."""

    def __init__(self, host, user, last_event_id=None, path="/api/sse/status", signed_in=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=PATIENCE)
        headers = {"Accept": "text/event-stream", **(signed_in or {"Authorization": "Bearer " + jwt(user)})}
        if last_event_id is not None:
            headers["Last-Event-ID"] = str(last_event_id)
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()

    def __iter__(self):
        return self

    def __next__(self):
        fields = {}
        while True:
            line = self.response.readline().decode()
            if not line:
                raise StopIteration
            line = line.rstrip("\n")
            if not line:
                if "data" in fields:
                    return Event(fields)
                fields = {}
                continue
            if line.startswith(":"):
                continue
            name, _, value = line.partition(": ")
            fields[name] = value

    def until(self, sync_id):
        """All events up to the end of a sync."""
        seen = []
        for event in self:
            seen.append(event)
            if event.type in TERMINAL and event.data["syncId"] == sync_id:
                return seen
        raise AssertionError("the stream ended before the sync did")

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()


def cli(host_env, *args, input=None):
    """The command line with a host's settings; (exit code, stdout, stderr)."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AMZSYNC_")}
    done = subprocess.run([BIN / "amzsync", *args], env={**clean, **host_env}, capture_output=True, text=True, timeout=PATIENCE, input=input)
    return done.returncode, done.stdout, done.stderr


def amounts(totals):
    """[{currency, amount, count}] with amounts as exact text."""
    return sorted((t["currency"], str(t["amount"]), t["count"]) for t in totals)


class HostCase(unittest.TestCase):
    """A test with a folder of its own, whose programs end with it."""

    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="amzsync-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.store = self.folder / "test.db"

    def running(self, program):
        self.addCleanup(program.stop)
        return program

    def sim(self, *args, **more):
        return self.running(Sim(*args, **more))

    def host(self, sim, *args, **settings):
        return self.running(Host(sim, self.store, *args, **settings))

    def sql(self, query, *args):
        connection = sqlite3.connect(self.store)
        try:
            return connection.execute(query, args).fetchall()
        finally:
            connection.close()

    def reach(self, host, progress, **more):
        """Waits until a sync is so far."""
        with host.events(last_event_id=0, **more) as stream:
            next(e for e in stream if e.type == "sync_progress" and e.data["progress"] >= progress)

    def check_error(self, answer, status, code):
        self.assertEqual((answer.status, answer.json["error"]), (status, code), answer.body)
        self.assertIs(answer.json["success"], False)
        self.assertTrue(answer.json["message"])

    def check_truth(self, host, sim, user="user-1", seller=1, source="transactions"):
        """What the host answers and what is stored are the simulator's truth, to the cent and the unit."""
        truth = sim.truth(seller)
        money = truth["transactions" if source == "transactions" else "financialEvents"]
        rows, lines = ("amz_transactions", "amz_transaction_lines") if source == "transactions" else ("amz_financial_events", "amz_financial_event_lines")
        recoveries = host.get(BASE + "/recoveries", user).json
        self.assertEqual(amounts(recoveries["totals"]), amounts(money["recoveries"]))
        self.assertEqual(recoveries["claimCount"], sum(t["count"] for t in money["recoveries"]))
        self.assertEqual(self.sql(f"SELECT count(*) FROM {rows} WHERE user_id=?", user)[0][0], money["rows"])
        self.assertEqual(self.sql(f"SELECT count(*) FROM {lines} WHERE user_id=?", user)[0][0], money["amounts"])
        self.assertEqual(self.sql("SELECT count(*), sum(total_quantity) FROM amz_inventory WHERE user_id=?", user)[0], (truth["inventory"]["rows"], truth["inventory"]["units"]))
        for stream, report in truth["reports"].items():
            self.assertEqual((stream, self.sql(f"SELECT count(*) FROM amz_{stream} WHERE user_id=?", user)[0][0]), (stream, report["rows"]))
        last = host.get("/api/sync/status", user).json["lastSync"]
        self.assertEqual((last["ordersProcessed"], last["inventoryCount"], last["feesCount"]), (money["orders"], truth["inventory"]["rows"], money["feeLines"]))
