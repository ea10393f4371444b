#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on an include that points the wrong way, on an Asio timer outside the clock, on a co_await within ?:, and on a source without its SPDX line."""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(sys.argv[1])

# Who may include whom (design: base <- net, store <- auth, spapi, events <- detect <- sync <- engine <- capi <- everything outside).
MAY = {
    "base": {"base"},
    "net": {"base", "net"},
    "store": {"base", "store"},
    "auth": {"base", "net", "store", "auth"},
    "spapi": {"base", "net", "store", "auth", "spapi"},
    "events": {"base", "store", "events"},
    "detect": {"base", "store", "spapi", "events", "detect"},
    "sync": {"base", "net", "store", "auth", "spapi", "events", "detect", "sync"},
}
MAY["engine"] = set(MAY) | {"engine"}
MAY["capi"] = MAY["engine"] | {"capi"}
# Programs and examples see the public header alone; the simulator also uses the core's vocabulary, and the table of marketplaces.
OUTSIDE = {
    "tools/cli": {"amzsync", "cli", "common"},
    "tools/common": {"amzsync", "common"},
    "tools/httpd": {"httpd"},
    "tools/sim": {"amzsync", "base", "spapi", "sim", "httpd"},
    "examples": {"amzsync", "common", "httpd", "http_host"},
}
TIMERS = re.compile(r"steady_timer|system_timer|high_resolution_timer|basic_waitable_timer|deadline_timer|this_thread::sleep|usleep|nanosleep")
# g++ 12 copies the result of the arm that did not run, or runs: what it owned is freed twice.
CHOSEN_WAIT = re.compile(r"\?(?:[^;{}?]|\{\})*\bco_await\b")
SAID = re.compile(r'//[^\n]*|"(?:[^"\\\n]|\\.)*"')
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
WHOLE = {"engine.hpp", "runtime.hpp", "open_store.hpp", "migrate.hpp"}   # what stands in src itself
OURS = {"base", "net", "store", "auth", "spapi", "events", "detect", "sync", "capi"} | WHOLE

faults = []


def layer_of(path):
    parts = path.relative_to(root).parts
    if parts[0] == "src":
        return "engine" if len(parts) == 2 else parts[1]
    return parts[0]


def target_of(include):
    first = include.split("/")[0]
    return "engine" if include in WHOLE else first


tracked = subprocess.run(["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True, check=True).stdout.split()
for name in tracked:
    path = root / name
    if not path.exists() or path.suffix not in {".hpp", ".cpp", ".h", ".c", ".py", ".sql", ".cmake", ".js", ".mjs", ".css", ".html", ".yaml", ".service"} and name not in {"CMakeLists.txt"} and not name.startswith("scripts/"):
        continue
    text = path.read_text(encoding="utf-8")
    if "SPDX-License-Identifier: Apache-2.0" not in "\n".join(text.splitlines()[:3]):
        faults.append(f"{name}: no SPDX line")
    if path.suffix not in {".hpp", ".cpp", ".h", ".c"}:
        continue
    code = SAID.sub("", text)
    for wait in CHOSEN_WAIT.finditer(code):
        faults.append(f"{name}: co_await within ?: ({' '.join(wait.group().split())[:60]}); g++ 12 frees its result twice, so write an if")
    if name.startswith(("src/", "capi/")):
        may = MAY[layer_of(path)]
        for include in INCLUDE.findall(text):
            if target_of(include) not in may and not include.startswith("amzsync/"):
                faults.append(f"{name}: includes {include}, but {layer_of(path)} may only use {', '.join(sorted(may))}")
        if name.startswith("src/") and name != "src/base/clock.cpp":
            for n, line in enumerate(text.splitlines(), 1):
                if TIMERS.search(line.split("//")[0]):
                    faults.append(f"{name}:{n}: waits by itself; every wait is Clock::sleep_until")
    for folder, may in OUTSIDE.items():
        if name.startswith(folder + "/"):
            for include in INCLUDE.findall(text):
                if target_of(include) not in may:
                    faults.append(f"{name}: includes {include}, but {folder} may only use {', '.join(sorted(may))}")

print("\n".join(faults) if faults else f"{len(tracked)} files, every include points the right way")
sys.exit(1 if faults else 0)
