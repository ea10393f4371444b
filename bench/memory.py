# SPDX-License-Identifier: Apache-2.0
"""Peak memory, as the system counts it (ru_maxrss), of a process that syncs: two million events of money, and a report of a gigabyte."""
import json
import os
import pathlib
import sqlite3
import sys
import tempfile
import time
import zlib

from harness import BIN, CLIENT_SECRET, MASTER_KEY, Sim

EVENTS = int(os.environ.get("EVENTS", "2000000"))
REPORT_EVENTS = int(os.environ.get("REPORT_EVENTS", "1200000"))
TITLE_BYTES = int(os.environ.get("TITLE_BYTES", "700"))


def run(folder, sim, streams, days):
    """Wall seconds, peak megabytes and the run's last line of `amzsync connect` and `amzsync sync`."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AMZSYNC_")}
    environment.update({
        "AMZSYNC_STORE": f"sqlite:{folder}/memory.db", "AMZSYNC_MASTER_KEY": MASTER_KEY, "AMZSYNC_LWA_CLIENT_ID": "bench-app", "AMZSYNC_LWA_CLIENT_SECRET": CLIENT_SECRET,
        "AMZSYNC_SPAPI_ENDPOINT": sim.url, "AMZSYNC_LWA_ENDPOINT": sim.url, "AMZSYNC_HISTORY_DAYS": str(days), "AMZSYNC_STREAMS": streams, "AMZSYNC_LOG_LEVEL": "warn",
        "AMZSYNC_FINANCES": "v0" if streams == "financial_events" else "2024-06-19"})
    token = folder / "token"
    token.write_text("Atzr|sim-seller-1\n")
    start, peak, out = time.monotonic(), 0, ""
    for command in (["connect", "--user", "big", "--refresh-token-file", str(token)], ["sync", "--user", "big", "--json"]):
        read, write = os.pipe()
        pid = os.posix_spawn(BIN / "amzsync", [str(BIN / "amzsync"), *command], environment, file_actions=[(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_CLOSE, read), (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)])
        os.close(write)
        with open(read, encoding="utf-8") as text:
            out = text.read()
        _, status, usage = os.wait4(pid, 0)
        if status != 0:
            sys.exit(f"amzsync {command[0]} ended with {os.waitstatus_to_exitcode(status)}: {out}")
        peak = max(peak, usage.ru_maxrss / 1024)
    return time.monotonic() - start, peak, json.loads(out.strip().splitlines()[-1])


def count(folder, query):
    with sqlite3.connect(f"file:{folder}/memory.db?mode=ro", uri=True) as store:
        return store.execute(query).fetchone()[0]


def unpacked(folder):
    """How many bytes the archived documents are, as they came out of their gzip."""
    size, stream = 0, zlib.decompressobj(31)
    with sqlite3.connect(f"file:{folder}/memory.db?mode=ro", uri=True) as store:
        for (piece,) in store.execute("SELECT bytes FROM archive_pieces ORDER BY piece_id"):
            while piece:
                size += len(stream.decompress(piece))
                piece = stream.unused_data
                if stream.eof:
                    stream = zlib.decompressobj(31)
    return size


def main():
    print("| what | rows | seconds | peak MB |\n|---|---|---|---|")
    for source, table in (("transactions", "transactions"), ("financial_events", "financial_events")):
        with tempfile.TemporaryDirectory(prefix="amzsync-memory-") as name:
            folder = pathlib.Path(name)
            sim = Sim(events=EVENTS, skus=2000, sellers=1, rate_scale=0, history_days=540)
            seconds, peak, last = run(folder, sim, source, 541)
            rows = count(folder, f"SELECT count(*) FROM {table}")
            sim.stop()
            print(f"| {rows} {source}, {last['status']} | {rows} | {seconds:.0f} | {peak:.1f} |", flush=True)
    with tempfile.TemporaryDirectory(prefix="amzsync-memory-") as name:
        folder = pathlib.Path(name)
        sim = Sim("--title-bytes", str(TITLE_BYTES), events=REPORT_EVENTS, skus=2000, sellers=1, rate_scale=0, history_days=18)
        seconds, peak, last = run(folder, sim, "ledger", 20)
        rows = count(folder, "SELECT count(*) FROM ledger")
        documents, archived = count(folder, "SELECT count(*) FROM archive"), count(folder, "SELECT sum(length(bytes)) FROM archive_pieces")
        plain = unpacked(folder)
        sim.stop()
        print(f"| ledger of {documents} document, {archived / 2**20:.0f} MB packed, {plain / 10**9:.2f} GB unpacked, {last['status']} | {rows} | {seconds:.0f} | {peak:.1f} |")


main()
