#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when the library exports anything but what symbols.txt lists, or the header declares something else."""
import re
import subprocess
import sys

library, listed_in, header = sys.argv[1:4]
with open(listed_in) as f:
    listed = set(f.read().split())
lines = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout.splitlines()
exported = {line.split()[-1].split("@")[0] for line in lines} - {"AMZSYNC_0"}
with open(header) as f:
    declared = set(re.findall(r"^AMZSYNC_API[^(]*?\b(amzsync_\w+)\(", f.read(), re.M))

bad = False
for what, names, advice in (
    ("exported, but not in capi/symbols.txt", exported - listed, "add it to the list if it is meant to be public"),
    ("in capi/symbols.txt, but not exported", listed - exported, "removing a function raises AMZSYNC_ABI_VERSION"),
    ("declared in amzsync.h, but not exported", declared - exported, "define it, or take the declaration back"),
    ("exported, but not declared in amzsync.h", exported - declared, "declare it"),
):
    for name in sorted(names):
        print(f"{name}: {what}; {advice}")
        bad = True
print(f"{len(exported)} symbols")
sys.exit(1 if bad else 0)
