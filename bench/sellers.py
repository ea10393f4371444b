# SPDX-License-Identifier: Apache-2.0
"""Ten thousand sellers at once in one process: connected while everything is paused, then let go. Prints the time, the waits, and the memory that the
process ever had; the simulator is another process."""
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time

from harness import BIN, Host, Sim

SELLERS = int(os.environ.get("SELLERS", "10000"))


def peak(host):
    for line in pathlib.Path(f"/proc/{host.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0


def operate(host, command):
    done = subprocess.run([BIN / "amzsync", command, "--all"], env={**os.environ, **host.env}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"amzsync {command}: {done.stderr}")


def main():
    with tempfile.TemporaryDirectory(prefix="amzsync-sellers-") as name:
        store = pathlib.Path(name) / "sellers.db"
        sim = Sim(events=30, skus=10, sellers=SELLERS, rate_scale=0, history_days=60)
        host = Host(sim, store, history_days="60", streams="transactions,inventory", log_level="warn")
        operate(host, "pause")
        began = time.monotonic()
        for n in range(1, SELLERS + 1):
            host.connect(f"user-{n}", n)
        connected = time.monotonic() - began
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as look:
            def count(where):
                return look.execute(f"SELECT count(*) FROM runs WHERE {where}").fetchone()[0]
            queued = count("status='queued'")
            before = peak(host)
            operate(host, "resume")
            released = time.time()
            began = time.monotonic()
            while count("status IN ('queued','in_progress','detecting')"):
                time.sleep(1)
            seconds = time.monotonic() - began
            waits = sorted(row[0] / 1e6 - released for row in look.execute("SELECT completed_at FROM runs"))
            ends = dict(look.execute("SELECT status, count(*) FROM runs GROUP BY status"))
            calls = look.execute("SELECT sum(calls) FROM runs").fetchone()[0]
        print("| sellers at once | ends | seconds | calls | last end / median | MB at most | MB before |\n|---|---|---|---|---|---|---|")
        print(f"| {queued} | {ends} | {seconds:.0f} | {calls} | {waits[-1] / waits[len(waits) // 2]:.2f} | {peak(host):.1f} | {before:.1f} |")
        print(f"connected in {connected:.0f} s, one after another")
        host.stop()
        sim.stop()


main()
