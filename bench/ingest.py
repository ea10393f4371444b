# SPDX-License-Identifier: Apache-2.0
"""The sync of one seller's money beside the loops that others write for it: the same pages of the same simulator, the same rows, in one run, each side on a processor of its own.
EVENTS, ROUNDS and APIS (v0,2024-06-19) say how much of what."""
import decimal
import json
import os
import pathlib
import re
import shutil
import sqlite3
import statistics
import sys
import tempfile
import threading
import time

from harness import BIN, CLIENT_SECRET, MASTER_KEY, Sim

HERE = pathlib.Path(__file__).resolve().parent
EVENTS = int(os.environ.get("EVENTS", "200000"))
SKUS = int(os.environ.get("SKUS", "20000"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
APIS = os.environ.get("APIS", "v0").split(",")
DAYS = 540
TOKEN = "Atzr|sim-seller-1"
NODE_MODULES = os.environ.get("AMZSYNC_NODE_MODULES", "")
OTHERS, OURS = {0}, {1}   # processors: of the simulator, and of what is measured


def peak_of(pid, done, into):
    """What it had in memory at most, in MB. What the system tells of a process that has ended counts this one's memory too, which it was made from."""
    while not done.is_set():
        try:
            into[0] = max(into[0], int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024)
        except (OSError, AttributeError):
            pass
        done.wait(0.01)


def run(command, environment):
    """Its last line, wall seconds, seconds of processor and peak megabytes."""
    read, write = os.pipe()
    start = time.monotonic()
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, OURS)   # inherited
    pid = os.posix_spawn(command[0], [str(c) for c in command], {**{k: v for k, v in os.environ.items() if not k.startswith("AMZSYNC_")}, **environment},
                         file_actions=[(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_CLOSE, read), (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)])
    os.sched_setaffinity(0, before)
    os.close(write)
    peak, done = [0.0], threading.Event()
    watch = threading.Thread(target=peak_of, args=(pid, done, peak))
    watch.start()
    with open(read, encoding="utf-8") as text:
        out = text.read()
    done.set()
    watch.join()
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"{command[0]} ended with {os.waitstatus_to_exitcode(status)}: {out}")
    return out.strip().splitlines()[-1], time.monotonic() - start, usage.ru_utime + usage.ru_stime, peak[0]


class Side:
    """One of those that are compared."""

    def __init__(self, name):
        self.name, self.walls, self.cpus, self.peak, self.got = name, [], [], 0.0, None

    def add(self, wall, cpu, peak):
        self.walls.append(wall)
        self.cpus.append(cpu)
        self.peak = max(self.peak, peak)

    @property
    def wall(self):
        return statistics.median(self.walls)


def plain_facts(path):
    with sqlite3.connect(path) as db:
        return (db.execute("SELECT count(*) FROM events").fetchone()[0], db.execute("SELECT count(*) FROM lines").fetchone()[0],
                {c: round(decimal.Decimal(s), 2) for c, s in db.execute("SELECT currency, sum(amount) FROM lines GROUP BY currency")})


def our_facts(path, rows, lines):
    with sqlite3.connect(path) as db:
        return (db.execute(f"SELECT count(*) FROM {rows}").fetchone()[0], db.execute(f"SELECT count(*) FROM {lines}").fetchone()[0],
                {c: decimal.Decimal(s) / 1_000_000 for c, s in db.execute(f"SELECT currency, sum(amount_micros) FROM {lines} GROUP BY currency")})


def timed(path, query):
    """Median of the query's seconds, all of the database in memory."""
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA cache_size=-2000000")
        db.execute(query).fetchall()
        took = []
        for _ in range(5):
            start = time.monotonic()
            db.execute(query).fetchall()
            took.append(time.monotonic() - start)
    return statistics.median(took)


def compare(folder, api):
    v0 = api == "v0"
    rows, lines, stream = ("amz_financial_events", "amz_financial_event_lines", "financial_events") if v0 else ("amz_transactions", "amz_transaction_lines", "transactions")
    os.sched_setaffinity(0, OTHERS)
    sim = Sim(events=EVENTS, skus=SKUS, sellers=1, history_days=DAYS)
    os.sched_setaffinity(0, OTHERS | OURS)
    token = folder / "token"
    token.write_text(TOKEN)
    environment = {"AMZSYNC_MASTER_KEY": MASTER_KEY, "AMZSYNC_LWA_CLIENT_ID": "bench-app", "AMZSYNC_LWA_CLIENT_SECRET": CLIENT_SECRET, "AMZSYNC_SPAPI_ENDPOINT": sim.url, "AMZSYNC_LWA_ENDPOINT": sim.url,
                   "AMZSYNC_HISTORY_DAYS": str(DAYS), "AMZSYNC_STREAMS": stream, "AMZSYNC_FINANCES": api, "AMZSYNC_LOG_LEVEL": "error", "AMZSYNC_STORE": f"sqlite:{folder}/ours.db"}
    sides = {name: Side(name) for name in ("amzsync", "fetch", "parse", "default", "tuned", "python", *(("node",) if NODE_MODULES else ()))}
    for number in range(ROUNDS):
        print(f"{api}: round {number + 1} of {ROUNDS}", file=sys.stderr)
        for side in sides.values():
            for old in folder.glob("*.db*"):
                if not (number == ROUNDS - 1 and old.name.split(".")[0] in ("ours", "tuned")):
                    old.unlink(missing_ok=True)
            database = folder / ("ours.db" if side.name == "amzsync" else f"{side.name}.db")
            if side.name == "amzsync":
                for old in folder.glob("ours.db*"):
                    old.unlink(missing_ok=True)
                run([BIN / "amzsync", "connect", "--user", "bench", "--refresh-token-file", token], environment)
                end, wall, cpu, peak = run([BIN / "amzsync", "sync", "--user", "bench", "--json"], environment)
                if json.loads(end)["status"] != "completed":
                    sys.exit(f"the sync ended: {end}")
                side.got = our_facts(database, rows, lines)
            else:
                places = [api, sim.url, TOKEN, str(DAYS), database]
                command = {"python": [sys.executable, HERE / "plain.py", *places], "node": [shutil.which("node"), HERE / "node" / "plain.mjs", *places]}.get(side.name, [BIN / "bench-plain", side.name, *places])
                end, wall, cpu, peak = run(command, {"AMZSYNC_NODE_MODULES": NODE_MODULES})
                if side.name == "parse":
                    wall = json.loads(end)["seconds"]   # without the fetching of what it parses
                if database.exists():
                    side.got = plain_facts(database)
            side.add(wall, cpu, peak)

    truth = sim.truth(1)["financialEvents" if v0 else "transactions"]
    told = (truth["rows"], truth["amounts"], {c: decimal.Decimal(s) for c, s in truth["sumByCurrency"].items()})
    if sides["amzsync"].got != told:
        sys.exit(f"amzsync has {sides['amzsync'].got}, and the truth is {told}")
    ours = sides["amzsync"]
    names = {"amzsync": "amzsync sync", "fetch": "fetch only (libcurl)", "parse": "parse only (simdjson)", "default": "plain loop, SQLite's pragmas", "tuned": "plain loop, our pragmas",
             "python": "Python, urllib + json + sqlite3", "node": "Node, amazon-sp-api + better-sqlite3"}
    print(f"\n{api}: {told[0]} events, {told[1]} amounts, {SKUS} SKUs, median of {ROUNDS} (least to most)\n")
    print("| what | seconds | events/s | CPU seconds | peak MB | amzsync takes of it | rows and amounts off the truth |\n|---|---|---|---|---|---|---|")
    for side in sides.values():
        off = "" if side.got is None else "none, sums to the cent" if side is ours else f"{side.got[0] - told[0]:+d}, {side.got[1] - told[1]:+d}"
        print(f"| {names[side.name]} | {side.wall:.2f} ({min(side.walls):.2f} to {max(side.walls):.2f}) | {told[0] / side.wall:.0f} | {statistics.median(side.cpus):.2f} | {side.peak:.1f} | {ours.wall / side.wall:.2f} | {off} |")
    if not NODE_MODULES:
        print("\nThe npm client was left out: its modules could not be installed here.")

    by_type = timed(folder / "ours.db", f"SELECT line_type, currency, sum(amount_micros) FROM {lines} GROUP BY line_type, currency")
    by_shape = timed(folder / "ours.db", f"SELECT shape_id, currency, sum(amount_micros) FROM {lines} GROUP BY shape_id, currency")
    plain = timed(folder / "tuned.db", "SELECT line_type, currency, sum(amount) FROM lines GROUP BY line_type, currency")
    sizes = {name: (folder / f"{name}.db").stat().st_size / 1e6 for name in ("ours", "tuned")}
    print(f"\nSum by type, ms: {plain * 1e3:.0f} on the plain loop's table; {by_type * 1e3:.0f} through the view ({by_type / plain:.2f}); {by_shape * 1e3:.0f} by shape_id ({by_shape / plain:.2f}). "
          f"MB on disk: {sizes['tuned']:.0f}, and {sizes['ours']:.0f} with amzsync.")
    sim.kill()


def main():
    for api in APIS:
        with tempfile.TemporaryDirectory(dir=os.environ.get("AMZSYNC_BENCH_DIR")) as folder:
            compare(pathlib.Path(folder), api)


main()
