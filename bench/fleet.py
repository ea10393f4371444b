# SPDX-License-Identifier: Apache-2.0
"""A fleet on PostgreSQL, measured: rows a second with one, two and four hosts beside a plain COPY of the same rows into the same schema, how long a trigger waits until it is
worked on, and how long what one host commits takes to reach those who follow another. SELLERS (24), EVENTS (2000). Nothing is asserted.
"""
import contextlib
import datetime
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from harness import Host, Sim
from with_postgres import Server, binaries

SELLERS = int(os.environ.get("SELLERS", "24"))
EVENTS = int(os.environ.get("EVENTS", "2000"))
TRIGGERS = int(os.environ.get("TRIGGERS", "100"))
TABLES = ["transactions", "transaction_lines", "credits", "inventory", "reimbursements", "ledger", "ledger_summary", "returns", "removals", "storage_fees", "fee_preview", "settlements", "inbound_shipments",
          "inbound_items", "managed_inventory", "findings"]


def main():
    with contextlib.closing(Server()) as server:
        print(f"{SELLERS} sellers of {EVENTS} events, {os.cpu_count()} cores, all on one machine with the server and the simulator\n", flush=True)
        print("| hosts | syncs | seconds | rows | rows/s |\n|---|---|---|---|---|", flush=True)
        alone = 0
        for hosts in (1, 2, 4):
            rows, seconds = sync_all(server, hosts)
            alone = alone or rows / seconds
            print(f"| {hosts} | {SELLERS} | {seconds:.1f} | {rows:,} | {rows / seconds:,.0f} |", flush=True)
        copied, seconds = copy_of(server, "fleet1")
        print(f"\nplain COPY of the same {copied:,} rows into the same tables with their indexes: {seconds:.1f} s, {copied / seconds:,.0f} rows/s; one host writes {alone / (copied / seconds):.3f} of that "
              "(it also asks, decodes, compares, journals and judges)", flush=True)
        latencies(server)


def psql(server, database, query):
    return subprocess.run(["psql", server.url.rsplit("/", 1)[0] + "/" + database, "-At", "-v", "ON_ERROR_STOP=1", "-c", query], check=True, capture_output=True, text=True).stdout


def store_of(server, database):
    psql(server, "postgres", f"CREATE DATABASE {database}")
    return server.url.rsplit("/", 1)[0] + "/" + database


def sync_all(server, hosts):
    sim = Sim(events=EVENTS, skus=200, sellers=SELLERS)   # Amazon makes no report a second time so soon
    database = f"fleet{hosts}"
    store = store_of(server, database)
    running = [Host(sim, store) for _ in range(hosts)]
    began = time.monotonic()
    runs = [(running[n % hosts], running[n % hosts].connect(f"user-{n}", n).query["sync_id"], f"user-{n}") for n in range(1, SELLERS + 1)]
    for host, run, user in runs:
        ended = host.finish(run, user)
        assert ended["status"] == "completed", ended
    seconds = time.monotonic() - began
    if hosts == 1:
        again = running[0].finish(running[0].post("/api/sync/start", "user-1").json["syncId"], "user-1")
        size = int(psql(server, database, "SELECT pg_database_size(current_database())"))
        print(f"calls of a first sync: {ended['calls']}, of one that finds nothing new: {again['calls']}; the database: {size / SELLERS / 1e6:.2f} MB a seller", file=sys.stderr, flush=True)
    for program in (*running, sim):
        program.stop()
    return sum(int(psql(server, database, f"SELECT count(*) FROM {table}")) for table in TABLES), seconds


def copy_of(server, database):
    """The rows of a database into another one with the same schema: table by table, from files in the form that the server reads fastest."""
    empty = store_of(server, "copied")
    schema = subprocess.run([str(binaries() / "pg_dump"), "-s", server.url.rsplit("/", 1)[0] + "/" + database], check=True, capture_output=True, text=True).stdout
    subprocess.run(["psql", empty, "-q", "-v", "ON_ERROR_STOP=1"], input=schema, check=True, text=True, stdout=subprocess.DEVNULL)
    rows = 0
    with tempfile.TemporaryDirectory() as folder:
        for table in TABLES:
            with open(pathlib.Path(folder) / table, "wb") as out:
                subprocess.run(["psql", server.url.rsplit("/", 1)[0] + "/" + database, "-q", "-c", f"COPY {table} TO STDOUT (FORMAT binary)"], check=True, stdout=out)
        began = time.monotonic()
        for table in TABLES:
            with open(pathlib.Path(folder) / table, "rb") as rows_of:
                done = subprocess.run(["psql", empty, "-c", f"COPY {table} FROM STDIN (FORMAT binary)"], check=True, stdin=rows_of, capture_output=True, text=True)
            rows += int(done.stdout.split()[1])
        return rows, time.monotonic() - began


def percentiles(values):
    values = sorted(values)
    return f"p50 {1000 * statistics.median(values):.1f} ms, p99 {1000 * values[min(len(values) - 1, int(len(values) * 0.99))]:.1f} ms ({len(values)} measured)"


def latencies(server):
    """Of two hosts one is asked, the other is listened to; either may do the work."""
    store = store_of(server, "latencies")
    sim = Sim(events=EVENTS, skus=200, sellers=1)
    asked, heard = Host(sim, store, streams="inventory"), Host(sim, store, streams="inventory")
    asked.finish(asked.connect().query["sync_id"])
    begun, started, journal = {}, {}, []
    ready, over = threading.Event(), threading.Event()

    def listen():
        with heard.events(last_event_id=None) as stream:
            ready.set()
            for event in stream:
                now = time.time()
                if event.id is not None and "timestamp" in event.data:
                    journal.append(now - datetime.datetime.fromisoformat(event.data["timestamp"].replace("Z", "+00:00")).timestamp())
                run = event.data.get("syncId")
                if event.type == "sync_progress" and run not in started:
                    started[run] = now
                if event.type in ("sync.completed", "sync.failed"):
                    over.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    ready.wait(30)
    for _ in range(TRIGGERS):
        over.clear()
        at = time.time()
        begun[asked.post("/api/sync/start").json["syncId"]] = at
        over.wait(60)
    waited = [started[run] - at for run, at in begun.items() if run in started]
    print(f"\ntrigger on one idle host until the other tells that it is worked on: {percentiles(waited)}", flush=True)
    print(f"event committed by one host until it is heard of the other (SSE): {percentiles(journal)}", flush=True)
    for program in (asked, heard, sim):
        program.stop()


if __name__ == "__main__":
    main()
