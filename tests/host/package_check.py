# SPDX-License-Identifier: Apache-2.0
"""Tries what scripts/package made: package_check.py STAGE, where prefix, consumer, by-pkg-config and wheel lie; package_check.py --installed STAGE, where venv and installed do, and the rest is
the system's."""
import os
import pathlib
import subprocess
import sys
import tempfile

installed = sys.argv[1] == "--installed"
stage = pathlib.Path(sys.argv[-1])
binaries = pathlib.Path("/usr/bin") if installed else stage / "prefix/bin"
programs = stage / "installed" if installed else stage
consumers = "" if installed else "consumer/"
python, environment = (str(stage / "venv/bin/python3"), {}) if installed else (sys.executable, {"PYTHONPATH": str(stage / "wheel")})
package = stage / ("venv" if installed else "wheel")
os.environ["AMZSYNC_BIN"] = str(binaries)
from harness import Sim  # noqa: E402: it reads the line above

folder = pathlib.Path(tempfile.mkdtemp())
sim = Sim(events=200, skus=10)
try:
    for program in (consumers + "consumer-c", consumers + "consumer-cpp", consumers + "consumer-static", "by-pkg-config", "by-pkg-config-static"):
        done = subprocess.run([str(programs / program), sim.url, str(folder / f"{pathlib.Path(program).name}.db"), "Atzr|sim-seller-1"], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, (program, done.stdout, done.stderr)
        print(f"{program}: {done.stdout.strip().splitlines()[-1]}")
    for program in (consumers + "consumer-static", "by-pkg-config-static"):
        needs = subprocess.run(["ldd", str(programs / program)], capture_output=True, text=True, check=True).stdout
        assert "libamzsync" not in needs, needs
    script = f"""
import amzsync
with amzsync.Engine(store="sqlite:{folder}/wheel.db", client_id="a", client_secret="b", master_key="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", lwa_endpoint="{sim.url}", spapi_endpoint="{sim.url}", streams="inventory") as engine:
    engine.connect("u", "Atzr|sim-seller-1")
    print(amzsync.__file__, engine.sync("u")["status"])
"""
    done = subprocess.run([python, "-c", script], env={**environment, "PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and done.stdout.strip().endswith("completed") and str(package) in done.stdout, (done.stdout, done.stderr)
    print(f"wheel: {done.stdout.split()[-1]}")
    for program in ("amzsync", "amzsync-host", "amzsync-sim"):
        done = subprocess.run([str(binaries / program), "--version"], capture_output=True, text=True, check=True)
        print(done.stdout.strip())
finally:
    sim.stop()
