# SPDX-License-Identifier: Apache-2.0
"""The simulator of Amazon, for tests of programs that use the engine.

    with amzsync.testing.Simulator(events=200) as amazon, amazon.engine(f"sqlite:{folder}/test.db") as engine:
        engine.connect("user-1", amazon.refresh_token(1))
        assert engine.sync("user-1")["status"] == "completed"
        assert len(list(engine.changes("user-1", streams="inventory"))) == amazon.truth(1)["inventory"]["rows"]
"""
from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.request
from typing import Any, Optional

from .engine import Engine

MASTER_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="   # of tests alone: anybody can read it here


class Simulator:
    """A process of amzsync-sim, on a port of its own of this machine. Options are those of `amzsync-sim --help`, with underscores; True for a flag. The program is the one at
    AMZSYNC_SIM, else the one in the PATH. To be closed, or used in a `with`."""

    def __init__(self, *, program: Optional[str] = None, **options: Any) -> None:
        found = program or os.environ.get("AMZSYNC_SIM") or shutil.which("amzsync-sim")
        if not found:
            raise FileNotFoundError("amzsync-sim is neither at AMZSYNC_SIM nor in the PATH; it comes with amzsync's tools")
        settings = {"listen": "127.0.0.1:0", "auto_approve": True, "rate_scale": 0, **options}
        arguments = []
        for name, value in settings.items():
            flag = "--" + name.replace("_", "-")
            if value is True:
                arguments.append(flag)
            elif value is not False and value is not None:
                arguments += [flag, str(value)]
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen([found, *arguments], stdout=subprocess.PIPE, stderr=self._said)
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode(errors="replace")   # where it listens
        address = re.search(r"http://[0-9.]+:\d+", line)
        if not address:
            self._process.wait(60)
            self._said.seek(0)
            said = (line + self._said.read().decode(errors="replace")).strip()
            self.close()
            raise RuntimeError("amzsync-sim did not start: " + said)
        self.url = address.group(0)

    @staticmethod
    def refresh_token(seller: int = 1) -> str:
        """Of a seller, by number from 1 on."""
        return f"Atzr|sim-seller-{seller}"

    def engine(self, store: str, **options: Any) -> Engine:
        """An engine that takes the simulator for Amazon."""
        settings: dict[str, Any] = {"store": store, "client_id": "test-app", "client_secret": "test-secret", "master_key": MASTER_KEY, "application_id": "amzn1.sp.solution.test", "redirect_uri": "https://app.example/callback",
                         "lwa_endpoint": self.url, "spapi_endpoint": self.url, "consent_endpoint": self.url, **options}
        return Engine(**settings)

    def truth(self, seller: int = 1) -> Any:
        """What there is of a seller: rows, sums, and the cases that were planted."""
        return self._ask(f"/_sim/truth?seller={seller}")

    def stats(self) -> Any:
        """How often it was asked for what."""
        return self._ask("/_sim/stats")

    def control(self, **orders: Any) -> None:
        """Moves its clock, changes rows, plans faults: docs/settings.md."""
        self._ask("/_sim/control", json.dumps(orders).encode())

    def fault(self, path: str, kind: str, times: int = -1, **more: Any) -> None:
        """From now on answers to paths that begin so go wrong: so many of them, -1: all."""
        self.control(faults=[{"path": path, "kind": kind, "times": times, **more}])

    def _ask(self, path: str, body: Optional[bytes] = None) -> Any:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(urllib.request.Request(self.url + path, body), timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(60)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._said.close()

    def __enter__(self) -> "Simulator":
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()
