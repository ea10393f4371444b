# SPDX-License-Identifier: Apache-2.0
"""The Python package: every function, events in all four ways, callbacks that go wrong, ends of programs, and a copy of a seller's rows that follows their changes."""
import asyncio
import concurrent.futures
import contextlib
import decimal
import gc
import os
import pathlib
import sqlite3
import subprocess
import sys
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request

from harness import BIN, CLIENT_SECRET, MASTER_KEY, PATIENCE, HostCase

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python"))
os.environ.setdefault("AMZSYNC_LIBRARY", str(BIN.parent / "lib" / "libamzsync.so.0"))
os.environ.setdefault("AMZSYNC_SIM", str(BIN / "amzsync-sim"))
import amzsync  # noqa: E402: found by the lines above
import amzsync.testing  # noqa: E402
from amzsync import _native  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUNS = int(os.environ.get("AMZSYNC_RUNS", "60"))   # at once, followed by one thread


class Package(HostCase):
    def engine(self, sim):
        return amzsync.Engine(store=f"sqlite:{self.store}", client_id="python-app", client_secret=CLIENT_SECRET, master_key=MASTER_KEY, lwa_endpoint=sim.url, spapi_endpoint=sim.url, history_days=60,
                              streams="transactions,inventory,inbound")

    def test_a_copy_follows_the_rows(self):
        sim = self.sim(events=300, skus=30)
        copy = {}

        def follow(engine):
            told = 0
            with engine.changes("u", after=engine.acknowledged("u", "copy")) as changes:
                for change in changes:
                    told += 1
                    key = (change["stream"], change["id"])
                    if change["op"] == "put":
                        copy[key] = change["row"]
                    else:
                        del copy[key]
                self.assertFalse(changes.gap)
                engine.acknowledge("u", "copy", changes.position)
            return told

        with self.engine(sim) as engine:
            engine.connect("u", "Atzr|sim-seller-1")
            self.assertEqual(engine.sync("u")["status"], "completed")
            self.assertGreater(follow(engine), 300)
            self.assertEqual(follow(engine), 0)
            self.assertGreater(engine.acknowledged("u", "copy"), 0)
            self.assertEqual(engine.sync("u", "removals")["status"], "completed")
            self.assertEqual(follow(engine), sim.truth(1)["reports"]["removals"]["rows"])
            with engine.changes("u") as whole:
                self.assertEqual(copy, {(c["stream"], c["id"]): c["row"] for c in whole})
            self.assertEqual(sum(1 for stream, _ in copy if stream == "inventory"), sim.truth(1)["inventory"]["rows"])

    def test_a_sync_of_all_waits_for_one_that_reads_all(self):
        sim = self.sim(events=100)
        with self.engine(sim) as engine:
            engine.connect("u", "Atzr|sim-seller-1")
            engine.sync("u")
            engine.pause("u")
            under_way = engine.sync_start("u", "inventory")
            self.assertIs(under_way.json["runsAgain"], False)
            with concurrent.futures.ThreadPoolExecutor(1) as pool, contextlib.closing(sqlite3.connect(self.store)) as store:
                waits = pool.submit(engine.sync, "u")
                while store.execute("SELECT count(*) FROM runs WHERE run_again IS NOT NULL").fetchone() == (0,):
                    pass   # until it has asked
                engine.resume("u")
                ended = waits.result(PATIENCE)
            self.assertEqual(ended["status"], "completed")
            self.assertIn("transactions", {s["name"] for s in ended["streams"]})
            self.assertEqual([run["syncId"] for run in engine.history("u")["syncs"]][:2], [ended["syncId"], under_way.sync_id])

    def test_keys_are_rotated_and_users_erased(self):
        sim = self.sim(events=10, skus=5)
        with self.engine(sim) as engine:
            engine.connect("u", "Atzr|sim-seller-1")
            done = engine.rotate_key()
            self.assertEqual((done["key"], done["resealed"], done["unreadable"]), ("default", 0, []))
            self.assertGreaterEqual(done["secrets"], 1)
            receipt = engine.erase("u", "a test")
            self.assertEqual((receipt["userId"], receipt["known"]), ("u", True))
            self.assertEqual(engine.rotate_key()["secrets"], 0)
            self.assertFalse(engine.erase("u")["known"])

    def test_what_is_wrong_is_an_exception(self):
        sim = self.sim(events=10, skus=5)
        with self.engine(sim) as engine:
            for wrong in (lambda: engine.sync("nobody"), lambda: engine.changes("nobody"), lambda: engine.acknowledge("nobody", "r", 1)):
                with self.assertRaises(amzsync.Error) as caught:
                    wrong()
                self.assertNotEqual(caught.exception.code, 0)
                self.assertTrue(str(caught.exception))
            engine.connect("u", "Atzr|sim-seller-1")
            with self.assertRaises(amzsync.Error):
                engine.acknowledge("u", "", 1)
        with self.assertRaises(amzsync.ClosedError):
            engine.sync("u")
        with self.engine(sim) as engine:
            for wrong in (lambda: engine.history("u", 1 << 32), lambda: engine.history("u", 1, -(1 << 63) - 1), lambda: engine.status(b"u\0x"), lambda: engine.status("u\0x"),
                          lambda: engine.events("u", 1 << 63), lambda: engine.changes("u", 1 << 64)):
                self.assertRaises(ValueError, wrong)
            for wrong in (lambda: engine.history("u", 1.5), lambda: engine.status(5)):
                self.assertRaises(TypeError, wrong)
            self.assertEqual(engine.status(b"u"), engine.status("u"))
            self.assertEqual(engine.sync("u", timeout=float("inf"))["status"], "completed")
            with engine.events("u", 0) as events:
                self.assertIsNotNone(events.next(float("inf")))
        with self.assertRaises(amzsync.ArgumentError) as caught:
            amzsync.Engine(store="nonsense", client_id="a", client_secret="b", master_key=MASTER_KEY)
        self.assertIsInstance(caught.exception, ValueError)
        self.assertEqual(caught.exception.name, "setting_invalid")


class Simulated(HostCase):
    """With the package's own simulator."""

    def setUp(self):
        super().setUp()
        self.amazon = amzsync.testing.Simulator(events=20, skus=5, sellers=RUNS)
        self.addCleanup(self.amazon.close)

    def engine(self, **options):
        return self.amazon.engine(f"sqlite:{self.store}", **{"history_days": 30, "streams": "inventory", "sync_every_minutes": 0, **options})

    def slow(self):
        self.amazon.fault("/fba", "slow", delayMs=60_000)


class Whole(Simulated):
    def test_a_library_of_another_abi_is_refused(self):
        done = subprocess.run([sys.executable, "-c", "import amzsync\nfrom amzsync import _native\n_native._ABI += 1\namzsync.version()"], env={**os.environ, "PYTHONPATH": str(ROOT / "bindings/python")},
                              capture_output=True, text=True, check=False)
        self.assertIn("ImportError", done.stderr)
        self.assertIn("are to be of one version", done.stderr)

    def test_every_function_of_the_header_can_be_called(self):
        self.assertEqual(sorted(_native.names()), sorted((ROOT / "capi/symbols.txt").read_text(encoding="utf-8").split()))

    def test_a_sync_of_named_datasets_ends_as_these_do_whatever_is_under_way(self):
        self.amazon.fault("/fba/inbound", "status", status=403, code="Unauthorized")
        with self.engine() as engine:
            first = engine.connect("u", self.amazon.refresh_token(1), "")   # which begins a sync of everything
            ended = engine.sync("u", "inbound", timeout=120)
            self.assertEqual((ended["status"], ended["error"]["code"]), ("failed", "unauthorised"))
            self.assertEqual(engine.sync_status("u", first)["status"], "completed")
            self.assertEqual({s["name"] for s in ended["streams"]}, {"inbound", "participations"})

    def test_a_seller_comes_by_consent_and_goes_by_erasure(self):
        with self.engine() as engine:
            trip = engine.consent_start("u", "https://app.example", "US")
            self.assertTrue(trip.url.startswith(self.amazon.url))
            self.assertEqual(engine.consent_frontend(trip.json["state"]), "https://app.example")
            with self.assertRaises(amzsync.AuthorisationError):
                engine.on_oauth_callback(state="nobody's", code="x", user="u")
            run = engine.connect("u", self.amazon.refresh_token(1), "")
            self.assertEqual(engine.sync_wait("u", run)["status"], "completed")
            self.assertTrue(engine.use_existing_connection("u").verified)
            self.assertEqual(engine.connection("u")["state"], "connected")
            self.assertEqual(engine.history("u")["syncs"][-1]["syncId"], run)
            self.assertIsInstance(engine.recoveries("u", by_month=True), dict)
            self.assertEqual(engine.finding_statistics("u")["total"], 0)
            engine.supply("u", "costs", [{"product": "SKU", "amount": decimal.Decimal("1.50"), "currency": "USD", "from": "2026-01-01"}])
            engine.pause("u", "a test")
            engine.resume("u", "a test")
            engine.set_client_secret("another")
            engine.check()
            self.assertIn("checks", engine.doctor())
            self.assertGreaterEqual(engine.stats().connections, 1)
            engine.disconnect("u", "a test")
            with self.assertRaises(amzsync.NotConnectedError):
                engine.sync("u")
            self.assertTrue(engine.erase("u")["known"])

    def test_what_is_waited_for_ends_when_the_engine_is_closed(self):
        self.slow()
        engine = self.engine()
        run = engine.connect("u", self.amazon.refresh_token(1))
        with self.assertRaises(TimeoutError):
            engine.sync_wait("u", run, 0.01)
        ended = []

        def wait(what):
            try:
                ended.append(what())
            except amzsync.ClosedError:
                ended.append("closed")

        events = engine.events("u")
        threads = [threading.Thread(target=wait, args=(what,)) for what in (lambda: engine.sync_wait("u", run), lambda: [e.type for e in events if e.seq < 0])]
        for thread in threads:
            thread.start()
        engine.close()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(ended, key=str), [[], "closed"])
        self.assertTrue(engine.closed)
        engine.close()

    def test_a_client_and_a_vault_of_the_hosts(self):
        asked, vault = [], {}

        def client(request):
            asked.append(request)
            sent = urllib.request.Request(self.amazon.url + urllib.parse.urlsplit(request.url)._replace(scheme="", netloc="").geturl(), request.body or None, dict(request.headers), method=request.method)
            try:
                with urllib.request.urlopen(sent, timeout=request.timeout) as answer:
                    return amzsync.HttpResponse(answer.status, answer.headers.items(), answer.read())
            except urllib.error.HTTPError as answer:
                with answer:
                    return amzsync.HttpResponse(answer.code, answer.headers.items(), answer.read())

        class Vault:
            def put(self, user, name, token):
                vault[name] = (user, token)

            def get(self, name):
                return vault[name][1] if name in vault else None

            def remove(self, name):
                vault.pop(name, None)

        token, nowhere = self.amazon.refresh_token(1), "http://127.9.9.9:1"
        with self.engine(http_client=client, token_store=Vault(), lwa_endpoint=nowhere, spapi_endpoint=nowhere) as engine:
            self.assertEqual(engine.sync_wait("u", engine.connect("u", token))["status"], "completed")
            self.assertEqual(list(vault.values()), [("u", token)])
            self.assertTrue(any(r.method == "POST" and b"refresh_token" in r.body for r in asked))
        self.assertNotIn(token.encode(), pathlib.Path(self.store).read_bytes())
        self.assertEqual(amzsync.parts._lent, {})

    def test_what_a_hosts_client_raises_is_no_answer(self):
        def client(request):
            raise ValueError("Atzr|a token that must not be seen")

        aside = self.raised_aside()
        with self.engine(http_client=client) as engine:
            with self.assertRaises(amzsync.Error) as raised:
                engine.connect("u", self.amazon.refresh_token(1))
        self.assertEqual(raised.exception.name, "amazon_unavailable")
        self.assertNotIn("Atzr", str(raised.exception))
        self.assertEqual(set(aside), {ValueError})

    def raised_aside(self):
        """Types of what goes, from now on, where exceptions of threads go."""
        raised = []
        before, threading.excepthook = threading.excepthook, lambda arguments: raised.append(arguments.exc_type)
        self.addCleanup(setattr, threading, "excepthook", before)
        return raised

    def test_half_an_answer_of_a_hosts_client_is_none(self):
        raised = self.raised_aside()
        answers = iter([amzsync.HttpResponse(200, [("x-large", "v" * (1 << 20))], b"{}"), amzsync.HttpResponse(99, [], b"{}"), amzsync.HttpResponse(200, [], [b"{}", None])])
        last = []

        def client(request):
            try:
                return next(answers)
            except StopIteration:
                last.append(request)
                return amzsync.HttpResponse(400, [], bytearray(b'{"error":"invalid_grant"}'))

        with self.engine(http_client=client) as engine:
            with self.assertRaises(amzsync.AuthorisationError):   # what a part of an answer would have said was not believed
                engine.connect("u", self.amazon.refresh_token(1))
        self.assertEqual((len(last), len(raised)), (1, 3))

    def test_what_the_library_logs_is_heard_whatever_the_hearer_does(self):
        heard, trouble = [], self.raised_aside()

        def log(level, message, fields):
            heard.append((level, message, fields))
            raise KeyError("of a test")

        with self.engine(log=log, log_level=amzsync.DEBUG) as engine:
            engine.connect("u", self.amazon.refresh_token(1))
            engine.sync("u")
        self.assertGreater(len(heard), 3)
        self.assertEqual(trouble, [KeyError] * len(heard))
        self.assertEqual(_native.inside.__dict__.get("callback", False), False)
        from amzsync import engine as module
        self.assertEqual(module._sinks, {})


class Followed(Simulated):
    def test_by_iteration(self):
        with self.engine() as engine:
            run = engine.connect("u", self.amazon.refresh_token(1))
            with engine.events("u", 0) as events:
                self.assertIn(b"event: connected", events.sse_hello)
                self.assertFalse(events.gap)
                seen = []
                for event in events:
                    seen.append(event)
                    if event.type in amzsync.TERMINAL:
                        break
                self.assertEqual(events.position, seen[-1].seq)
            self.assertEqual((seen[-1].type, seen[-1].user, seen[-1].data["syncId"]), ("sync.completed", "u", run))
            self.assertTrue(seen[-1].sse.startswith(b"id: "))
            self.assertIsNone(engine.events("u").next(0))

    def test_many_in_an_event_loop_without_a_thread(self):
        with self.engine() as engine:
            users = {engine.connect(f"u{n}", self.amazon.refresh_token(n)): f"u{n}" for n in range(1, RUNS + 1)}
            for run, user in users.items():
                engine.sync_wait(user, run)

            async def follow():
                ended = {}
                with engine.events() as events:
                    started = {engine.sync_start(user).sync_id: user for user in users.values()}
                    threads = len(os.listdir("/proc/self/task"))
                    async for event in events:
                        if event.type in amzsync.TERMINAL:
                            ended[event.data["syncId"]] = event.user
                            if len(ended) == len(started):
                                break
                    self.assertEqual((len(os.listdir("/proc/self/task")), threading.active_count()), (threads, 1))
                self.assertEqual(ended, started)
                more = engine.sync_start("u1").sync_id
                status, again = await asyncio.gather(engine.finished("u1", more), engine.finished("u1", more))
                self.assertEqual((status["status"], again), ("completed", status))

            asyncio.run(asyncio.wait_for(follow(), 600))

    def test_by_a_callback_that_nobody_holds_and_that_goes_wrong(self):
        heard, trouble, over = [], [], threading.Event()

        def on_event(event):
            heard.append(event.type)
            if event.type in amzsync.TERMINAL:
                over.set()
            raise KeyError(event.type)

        with self.engine() as engine:
            engine.subscribe(on_event, "u", after=0, on_error=trouble.append)
            gc.collect()
            engine.connect("u", self.amazon.refresh_token(1))
            self.assertTrue(over.wait(600))
        self.assertGreater(len(heard), 3)
        self.assertEqual([type(e) for e in trouble], [KeyError] * len(heard))

    def test_a_callback_that_waits_for_what_the_caller_holds_ends_nothing_up_in_a_knot(self):
        lock, inside, left = threading.Lock(), threading.Event(), threading.Event()

        def on_event(_):
            inside.set()
            with lock:
                left.set()

        with self.engine() as engine:
            with lock:
                subscription = engine.subscribe(on_event)
                engine.connect("u", self.amazon.refresh_token(1))
                self.assertTrue(inside.wait(600))
                subscription.close()
            self.assertTrue(left.wait(600))
            subscription.close(wait=True)

    def test_a_callback_ends_itself_and_may_not_close_the_engine(self):
        told, refused = [], threading.Event()
        with self.engine() as engine:
            def on_event(event):
                told.append(event)
                subscription.close(wait=True)
                try:
                    engine.close()
                except amzsync.DeadlockError:
                    refused.set()

            ready = threading.Event()
            subscription = engine.subscribe(lambda event: (ready.wait(600), on_event(event)))
            ready.set()
            engine.connect("u", self.amazon.refresh_token(1))
            self.assertTrue(refused.wait(600))
            engine.sync("u")
            subscription.close(wait=True)
            self.assertEqual(len(told), 1)


class Ends(Simulated):
    def program(self, lines):
        """A program of its own, which must end by itself and say nothing."""
        start = f"""
import os, sys, threading
import amzsync
engine = amzsync.Engine(store="sqlite:{self.store}", client_id="a", client_secret="b", master_key="{MASTER_KEY}", lwa_endpoint="{self.amazon.url}", spapi_endpoint="{self.amazon.url}", streams="inventory", history_days=30)
engine.connect("u", "{self.amazon.refresh_token(1)}")
"""
        done = subprocess.run([sys.executable, "-c", start + lines], env={**os.environ, "PYTHONPATH": str(ROOT / "bindings/python")}, capture_output=True, text=True, timeout=600, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        return done.stdout

    def test_with_all_kinds_of_readers_open(self):
        self.slow()
        self.program("""
engine.subscribe(lambda event: None)
events, changes = engine.events(), engine.changes("u")
for target in (lambda: list(engine.events()), lambda: engine.sync_wait("u", engine.status("u")["lastSync"]["syncId"])):
    def quiet(target=target):
        try:
            target()
        except amzsync.ClosedError:
            pass
    threading.Thread(target=quiet, daemon=True).start()
""")

    def test_by_an_exception_nothing_else_goes_wrong(self):
        done = subprocess.run([sys.executable, "-c", f"import amzsync\ne = amzsync.Engine(store='sqlite:{self.store}', client_id='a', client_secret='b', master_key='{MASTER_KEY}')\ne.subscribe(print)\nraise SystemExit(3)"],
                              env={**os.environ, "PYTHONPATH": str(ROOT / "bindings/python")}, capture_output=True, text=True, timeout=600, check=False)
        self.assertEqual((done.returncode, done.stderr), (3, ""))

    def test_a_forked_child_is_told_and_the_parent_goes_on(self):
        out = self.program("""
events = engine.events()
child = os.fork()
if child == 0:
    for call in (lambda: engine.status("u"), lambda: events.next(0), lambda: engine.sync("u")):
        try:
            call()
            os._exit(1)
        except amzsync.ForkedError as error:
            assert error.name == "forked"
    try:
        amzsync.Engine(store="sqlite:/nowhere/never.db", client_id="a", client_secret="b", master_key="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
        os._exit(2)
    except amzsync.ForkedError:
        pass
    engine.close()
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
print(engine.sync("u")["status"])
""")
        self.assertEqual(out.strip(), "completed")

    def test_what_a_forked_child_closes_ends_there_alone(self):
        out = self.program("""
events, changes = engine.events("u"), engine.changes("u")
called, go = threading.Event(), threading.Event()
def heard(event):
    called.set()
    go.wait()
subscription = engine.subscribe(heard, user="u", after=0)
called.wait()
held = threading.Event()
def hold():
    with events._lock, changes._lock:
        held.set()
        go.wait()
threading.Thread(target=hold).start()
held.wait()
child = os.fork()
if child == 0:
    threading.excepthook = lambda arguments: os._exit(3)
    for reader in (events, changes, subscription, engine):
        reader.close()
    subscription.close(wait=True)
    del events, changes
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
go.set()
engine.sync("u")
subscription.close(wait=True)
print(len(list(changes)) > 0, events.next().user)
""")
        self.assertEqual(out.split(), ["True", "u"])

    def test_a_signals_handler_closes_the_engine_in_the_midst_of_anything(self):
        self.slow()
        for waits in ("list(iter(events.next, 0))", "engine.sync_wait('u', engine.status('u')['lastSync']['syncId'])", "[engine.status('u') for _ in iter(int, 1)]", "[engine.events('u') for _ in iter(int, 1)]",
                      "engine.close()"):
            with self.subTest(waits):
                out = self.program(f"""
import signal
events = engine.events()
handled = False
def handle(*_):
    global handled
    engine.close()
    handled = engine.closed
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    {waits}
except amzsync.ClosedError:
    print("told")
while not handled:
    pass
""")
                self.assertEqual(out.split(), [] if waits == "engine.close()" else ["told"])

    def test_a_call_whose_engine_or_reader_is_closed_on_its_way_says_so(self):
        out = self.program(f"""
function, closing = amzsync._native.function, None
def closes_first(name):
    def call(*arguments):   # which are made, and not yet in C
        global closing
        what, closing = closing, None
        if what is not None:
            what.close()
        return function(name)(*arguments)
    return call
engine.close()
amzsync._native.function = closes_first
calls = {{
    "engine": [lambda: other.status("u"), lambda: other.events("u"), lambda: other.changes("u"), lambda: other.pause()],
    "events": [lambda: events.next(0), lambda: events.position, lambda: events.gap, lambda: events.fileno(), lambda: events.sse_hello],
    "changes": [lambda: changes.next(), lambda: changes.position, lambda: changes.gap],
}}
for what, those in calls.items():
    for call in those:
        other = amzsync.Engine(store="sqlite:{self.store}", client_id="a", client_secret="b", master_key="{MASTER_KEY}")
        events, changes = other.events("u"), other.changes("u")
        closing = {{"engine": other, "events": events, "changes": changes}}[what]
        try:
            print(call())
        except amzsync.ClosedError:
            print("told")
        other.close()
""")
        self.assertEqual(out.split(), ["told"] * 12)

    def test_what_is_interrupted_anywhere_is_closed_all_the_same(self):
        out = self.program("""
import signal
armed, seen = False, 0
def stop(*_):
    global armed
    if armed:
        armed = False
        raise KeyboardInterrupt
def lost(_):   # it was raised where Python lets nothing through
    global armed
    armed = True
sys.unraisablehook = lost
signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.00173)
while seen < 300:
    try:
        armed = True
        while True:
            events, changes = engine.events("u"), engine.changes("u")
            engine.status("u")
            events.next(0)
    except KeyboardInterrupt:
        seen += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(seen)
engine.close()
print(engine.closed)
""")
        self.assertEqual(out.split(), ["300", "True"])

    def test_a_child_of_a_lent_part_ends_with_it(self):
        out = self.program(f"""
left = []
def client(request):
    for leave in (lambda: sys.exit(7), lambda: None):
        child = os.fork()
        if child == 0:
            return leave()
        left.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    raise OSError("none")
threading.excepthook = sys.excepthook = lambda *_: None
with amzsync.Engine(store="sqlite:{self.store}-2", client_id="a", client_secret="b", master_key="{MASTER_KEY}", lwa_endpoint="{self.amazon.url}", http_client=client) as other:
    try:
        other.check()
    except amzsync.Error:
        pass
print(left[:2])
""")
        self.assertEqual(out.strip(), "[7, 1]")

    def test_another_library_of_sqlite_opens_and_closes_the_file_meanwhile(self):
        out = self.program(f"""
import sqlite3
run = engine.sync_start("u").sync_id
for _ in range(50):
    connection = sqlite3.connect("{self.store}")
    connection.execute("SELECT count(*) FROM amz_inventory").fetchall()
    connection.close()
print(engine.sync_wait("u", run)["status"], engine.sync("u")["status"])
""")
        self.assertEqual(out.split(), ["completed", "completed"])


if __name__ == "__main__":
    unittest.main()
