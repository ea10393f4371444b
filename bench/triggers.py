# SPDX-License-Identifier: Apache-2.0
"""How long amzsync_sync_start takes: until the trigger is durable, and where it finds a sync to attach to. Idle, while the same process writes a large
seller's rows, and while another process does. The users who are triggered are paused, so that only the trigger is measured."""
import ctypes
import gc
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("AMZSYNC_BIN", HERE / "build/release/bin"))
sys.path.insert(0, str(HERE / "bindings/python"))
os.environ.setdefault("AMZSYNC_LIBRARY", str(BIN.parent / "lib/libamzsync.so"))

import amzsync           # noqa: E402
import amzsync.testing   # noqa: E402
from amzsync import _native   # noqa: E402

USERS = int(os.environ.get("USERS", "2000"))
HERE_TOO, ELSEWHERE = 1, 2


def row(what, seconds):
    ms = sorted(s * 1000 for s in seconds)
    print(f"| {what} | {len(ms)} | {ms[len(ms) // 2]:.3f} | {ms[int(len(ms) * 0.99)]:.3f} | {ms[-1]:.3f} |", flush=True)


def trigger(engine, user):
    """How long the C function took, and the sync's id: what Python makes of an answer is not measured."""
    answer, error, name = ctypes.c_void_p(), ctypes.c_void_p(), user.encode()
    start = _native.function("sync_start")
    began = time.perf_counter()
    code = start(engine._handle, name, None, ctypes.byref(answer), ctypes.byref(error))
    seconds = time.perf_counter() - began
    assert code == 0
    sync = _native.text("answer_sync_id", answer)
    _native.function("answer_free")(answer)
    return seconds, sync


def measure(engine, where, under_way=lambda: True):
    start, attach = [], []
    gc.disable()   # its pauses are not ours
    for n in range(3, USERS + 3):
        if n % 20 == 0 and not under_way():
            break
        seconds, sync = trigger(engine, f"user-{n}")
        start.append(seconds)
        seconds, same = trigger(engine, f"user-{n}")
        attach.append(seconds)
        assert same == sync
        engine.sync_cancel(f"user-{n}", sync)
    gc.enable()
    row(f"trigger, {where}", start)
    row(f"attach, {where}", attach)


def ingesting(engine, user):
    """Once it writes rows: whether it still does."""
    def status():
        return engine.status(user)["lastSync"]

    while not status() or sum(stream["fetched"] for stream in engine.sync_status(user, status()["syncId"])["streams"]) < 2_000:
        time.sleep(0.05)
    return lambda: status()["status"] == "in_progress"


def main():
    with tempfile.TemporaryDirectory(prefix="amzsync-triggers-") as folder:
        store = f"sqlite:{folder}/triggers.db"
        large = {"history_days": 540, "streams": "transactions"}
        amazon = amzsync.testing.Simulator(program=str(BIN / "amzsync-sim"), events=80_000, skus=2_000, sellers=USERS + 2, history_days=540)
        with amazon, amazon.engine(store, **large) as engine:
            for n in range(1, USERS + 3):
                first = engine.connect(f"user-{n}", amazon.refresh_token(n))
                engine.pause(f"user-{n}")
                engine.sync_cancel(f"user-{n}", first)
            print("| what | times | median ms | p99 ms | most ms |\n|---|---|---|---|---|")
            measure(engine, "idle")
            engine.resume(f"user-{HERE_TOO}")
            sync = engine.sync_start(f"user-{HERE_TOO}").sync_id
            measure(engine, "this process ingests", ingesting(engine, f"user-{HERE_TOO}"))
            engine.sync_cancel(f"user-{HERE_TOO}", sync)
            engine.pause(f"user-{HERE_TOO}")
            engine.resume(f"user-{ELSEWHERE}")
            elsewhere = ("import sys, amzsync.testing as t; a = object.__new__(t.Simulator); a.url = sys.argv[1]; "
                         "a.engine(sys.argv[2], history_days=540, streams='transactions').sync(sys.argv[3])")
            command = [sys.executable, "-c", elsewhere, amazon.url, store, f"user-{ELSEWHERE}"]
            with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(HERE / "bindings/python")}) as other:
                measure(engine, "another process ingests", ingesting(engine, f"user-{ELSEWHERE}"))
                other.kill()


if __name__ == "__main__":
    main()
