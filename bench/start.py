# SPDX-License-Identifier: Apache-2.0
"""What there is to pay beside the reading: starting on an empty store, on a full one and on one of the first version's, a sync that finds nothing new, and the move to PostgreSQL.
EVENTS (200000) says how full. Nothing is asserted."""
import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time

from harness import BIN, CLIENT_SECRET, MASTER_KEY, Host, Sim, fetch
from with_postgres import Server

ROOT = pathlib.Path(__file__).resolve().parents[1]
EVENTS = int(os.environ.get("EVENTS", "200000"))
STARTS = 10
DAYS = 540


def megabytes(file):
    return sum(f.stat().st_size for f in file.parent.glob(file.name + "*")) / 1e6


def started(sim, store):
    """Seconds from the start of a host until it says that it is ready."""
    begin = time.monotonic()
    host = Host(sim, store)
    while fetch(host.url + "/readyz").status != 200:
        pass
    seconds = time.monotonic() - begin
    host.stop()
    return seconds


def of_first_version(file, events):
    """A store as the first version of the schema left it, with so many events of five lines each."""
    with sqlite3.connect(file) as db:
        db.executescript((ROOT / "src/store/schema/sqlite/0001_initial.sql").read_text(encoding="utf-8"))
        db.execute("INSERT INTO event_types VALUES(1, 'ShipmentEventList')")
        db.execute("INSERT INTO shapes VALUES(1, 'ShipmentEventList', 'ItemChargeList', 'Principal', 'component', 0)")
        db.execute("INSERT INTO currencies VALUES(1, 'USD')")
        db.execute("INSERT INTO users(user_no, user_id, created_at) VALUES(1, 'old', 0)")
        count = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<{events}) "
        db.execute(f"INSERT INTO financial_events(event_id, user_no, day, identity, occurrence, content, type_id, posted_at, order_id, detail, run_no) {count}"
                   "SELECT i, 1, 20000 + i / 500, CAST(printf('%016d', i) AS BLOB), 0, x'00', 1, (20000 + i / 500) * 86400000000, printf('111-%07d-0000000', i), '{}', 1 FROM n")
        db.execute(f"INSERT INTO financial_event_lines {count}SELECT n.i << 12 | k.i, 1, 1, 1000000 + n.i, NULL FROM n JOIN (SELECT 0 AS i UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) k")
        db.execute("PRAGMA user_version=1")
    db.close()


def measured(sim, store, *arguments):
    """Of a command: its last line, wall seconds, seconds of processor, and megabytes that it had written to the disk."""
    settings = {"AMZSYNC_STORE": f"sqlite:{store}", "AMZSYNC_LWA_CLIENT_ID": "bench", "AMZSYNC_LWA_CLIENT_SECRET": CLIENT_SECRET, "AMZSYNC_MASTER_KEY": MASTER_KEY, "AMZSYNC_LWA_ENDPOINT": sim.url,
                 "AMZSYNC_SPAPI_ENDPOINT": sim.url, "AMZSYNC_HISTORY_DAYS": str(DAYS), "AMZSYNC_LOG_LEVEL": "error"}
    begin = time.monotonic()
    process = subprocess.Popen([BIN / "amzsync", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**{k: v for k, v in os.environ.items() if not k.startswith("AMZSYNC_")}, **settings})
    out = process.stdout.read().decode()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, out
    return json.loads(out.strip().splitlines()[-1]), time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_oublock * 512 / 1e6


def syncs(folder, sim):
    store, token = folder / "full.db", folder / "token"
    token.write_text("Atzr|sim-seller-1\n")
    measured(sim, store, "connect", "--user", "big", "--refresh-token-file", str(token), "--json")
    print("| sync | rows | calls | seconds | CPU seconds | MB written |\n|---|---|---|---|---|---|", flush=True)
    for what in ("the first", "nothing new", "nothing new, once more"):
        run, wall, cpu, wrote = measured(sim, store, "sync", "--user", "big", "--json")
        rows = sum(s["added"] + s["changed"] + s["removed"] for s in run["streams"])
        print(f"| {what}, {run['status']} | {rows} | {run['calls']} | {wall:.2f} | {cpu:.2f} | {wrote:.2f} |", flush=True)
    return store


def starts(folder, sim, full):
    print("\n| start of a host, until it is ready | times | MB | median ms | least to most |\n|---|---|---|---|---|", flush=True)
    old = folder / "old.db"
    of_first_version(old, EVENTS)

    def row(what, fresh):
        took = []
        for n in range(STARTS):
            store = fresh(n)
            size = megabytes(store)
            took.append(started(sim, store) * 1000)
        print(f"| {what} | {STARTS} | {size:.0f} | {statistics.median(took):.0f} | {min(took):.0f} to {max(took):.0f} |", flush=True)

    def copy(n):
        store = folder / f"old-{n}.db"
        shutil.copy(old, store)
        return store

    row("no store yet", lambda n: folder / f"none-{n}.db")
    row("a full store", lambda n: full)
    row(f"one of the first version's, {EVENTS} events with five lines each", copy)


def move(full):
    with contextlib.closing(Server()) as server:
        begin = time.monotonic()
        told = subprocess.run([BIN / "amzsync", "migrate", "--from", f"sqlite:{full}", "--to", server.url, "--json"], check=True, capture_output=True)
        seconds = time.monotonic() - begin
    rows = json.loads(told.stdout)["rows"]
    print(f"\n`amzsync migrate` to PostgreSQL on the same machine, copied and compared by digest: {rows} rows, {megabytes(full):.0f} MB, {seconds:.1f} s, {rows / seconds:.0f} rows/s", flush=True)


def main():
    with tempfile.TemporaryDirectory(prefix="amzsync-start-") as name:
        folder = pathlib.Path(name)
        sim = Sim(events=EVENTS, skus=2000, sellers=1, history_days=DAYS)
        full = syncs(folder, sim)
        starts(folder, sim, full)
        sim.stop()
        move(full)


main()
