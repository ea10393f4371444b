#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when docs/amazon-quirks.md, docs/known-failures.md or docs/security.md names a test that is not in the tests' sources, when a row has neither a test nor a
reason to have none, and when a number is missing or stands twice."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
LISTS = {"docs/amazon-quirks.md": {"F": 23, "I": 7, "R": 14}, "docs/known-failures.md": {"A": 19, "B": 12, "C": 16, "D": 9, "E": 12, "P": 43}}
ROW = re.compile(r"^\| ([A-Z]\d+) \|(.*)\|$")

tests = set()
for source in (root / "tests").rglob("*.cpp"):
    for name in re.findall(r'TEST_CASE\("((?:[^"\\]|\\.)*)"\)', source.read_text(encoding="utf-8")):
        tests.add(re.sub(r"\\(.)", r"\1", name))
for source in (root / "tests").rglob("*.py"):
    tests.update(re.findall(r"^\s+def (test_\w+)\(", source.read_text(encoding="utf-8"), re.M))

faults, rows, named = [], 0, 0
for path, most in LISTS.items():
    seen = []
    for line in (root / path).read_text(encoding="utf-8").splitlines():
        row = ROW.match(line)
        if not row:
            continue
        number, cells = row[1], row[2].split(" | ")
        seen.append(number)
        if len(cells) != 4 or not all(cell.strip() for cell in cells):
            faults.append(f"{number}: a row is number, what goes wrong, source, what we do, test")
            continue
        names = re.findall(r"`([^`]+)`", cells[3])
        named += len(names)
        if not names and not cells[3].strip().startswith("none: "):
            faults.append(f"{number}: names no test, and no reason to have none")
        faults += [f"{number}: there is no test named: {name}" for name in names if name not in tests]
    faults += [f"{letter}{n}: is missing" for letter, last in most.items() for n in range(1, last + 1) if f"{letter}{n}" not in seen]
    faults += [f"{number}: stands twice" for number in sorted(set(seen)) if seen.count(number) > 1]
    rows += len(seen)

# What attacks: each row names its tests, but for whole suites and scripts.
for line in (root / "docs/security.md").read_text(encoding="utf-8").splitlines():
    if not line.startswith("| ") or line.startswith("| attack |"):
        continue
    names = [name for name in re.findall(r"`([^`]+)`", line.split(" | ")[-1]) if not re.match(r"(host|core)\.\w+$|scripts/|AMZSYNC_", name)]
    named += len(names)
    faults += [f"security.md: there is no test named: {name}" for name in names if name not in tests]

print("\n".join(faults) if faults else f"{rows} quirks and failures, {named} tests named, each is there")
sys.exit(1 if faults else 0)
