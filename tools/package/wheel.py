#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the wheel: the Python package with the shared library inside. wheel.py VERSION LIBRARY FOLDER; prints the file's name.

The library in it needs the system's libcurl, libsqlite3, libssl, libpq and libsimdjson, so the wheel says linux and not manylinux. The same inputs make the same bytes.
"""
import base64
import hashlib
import pathlib
import platform
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = "amzsync"


def main():
    version, library, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    tag = f"py3-none-linux_{platform.machine()}"
    info = f"{NAME}-{version}.dist-info"
    files = {f"{NAME}/{p.name}": p.read_bytes() for p in sorted((ROOT / "bindings/python/amzsync").iterdir()) if p.suffix in (".py", ".typed")}
    files[f"{NAME}/libamzsync.so.0"] = library.read_bytes()
    files[f"{info}/METADATA"] = f"""Metadata-Version: 2.1
Name: {NAME}
Version: {version}
Summary: Syncs Amazon sellers' money, stock and reports into a database
License: Apache-2.0
Requires-Python: >=3.9

The engine from Python, over its C interface. Built on Debian 12, whose libcurl4, libsqlite3-0, libssl3, libpq5 and libsimdjson14 it needs.
""".encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: amzsync\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    files[f"{info}/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    record = "".join(f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    wheel = folder / f"{NAME}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    print(wheel.name)


main()
