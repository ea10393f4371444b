#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the bill of materials (CycloneDX 1.5, JSON): sbom.py VERSION PROGRAM… What the programs load, by Debian package and version, and what is compiled into them."""
import json
import pathlib
import re
import subprocess
import sys

# Header-only, or linked statically: nothing loads them.
COMPILED_IN = ["libasio-dev", "libboost-dev", "libcli11-dev", "nlohmann-json3-dev"]


def call(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def packages_of(program):
    for line in call("ldd", program).splitlines():
        found = re.search(r"=> (/\S+)", line)
        if not found:
            continue
        file = pathlib.Path(found.group(1))
        for name in {str(file), str(file.resolve()), str(file.resolve()).removeprefix("/usr")}:
            owner = subprocess.run(["dpkg", "-S", name], capture_output=True, text=True, check=False)
            if owner.returncode == 0:
                yield owner.stdout.split(":")[0]
                break


def main():
    version, programs = sys.argv[1], sys.argv[2:]
    packages = sorted({p for program in programs for p in packages_of(program)} | set(COMPILED_IN))
    components = []
    for package in packages:
        status, number, source = call("dpkg-query", "-W", "-f", "${db:Status-Status}\t${Version}\t${source:Package}", package).split("\t")[:3]
        if status != "installed":
            continue
        components.append({"type": "library", "name": package, "version": number, "purl": f"pkg:deb/debian/{package}@{number}?distro=bookworm", "properties": [{"name": "debian:source", "value": source}],
                           "scope": "required"})
    print(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
                      "metadata": {"component": {"type": "library", "name": "amzsync", "version": version, "licenses": [{"license": {"id": "Apache-2.0"}}]}}, "components": components}, indent=2))


main()
