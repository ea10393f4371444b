#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many instructions the parts of a sync of money take, held against what is on record: instructions.py PROGRAM RECORD [--write]

Up to 5 % more or less is no change. More is a loss; less is a gain, which goes on record too, so that it can't get lost again. --write puts on record what there is.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOLERANCE = 0.05
# What libraries choose by the processor they find is told them here, so that every machine counts the same.
PLAIN = {"OPENSSL_ia32cap": "0:0", "SIMDJSON_FORCE_IMPLEMENTATION": "westmere", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-BMI1,-BMI2,-LZCNT,-MOVBE,-ERMS,-FSRM,-RTM"}


def counted(program):
    """Part: instructions for each item of it."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "out")
        done = subprocess.run(["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}", program], capture_output=True, text=True, env={**os.environ, **PLAIN})
        if done.returncode != 0:
            sys.exit(f"{program} failed under valgrind:\n{done.stderr}")
        found = {}
        for dump in sorted(pathlib.Path(folder).glob("out.*")):
            text = dump.read_text(encoding="utf-8", errors="replace")
            part = re.search(r"^desc: Trigger: Client Request: (\w+) (\d+)$", text, re.M)
            summary = re.search(r"^summary: (\d+)", text, re.M)
            if part and summary:
                found[part.group(1)] = round(int(summary.group(1)) / int(part.group(2)))
        return found


def read(record):
    lines = [line.split() for line in record.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return {part: int(count) for part, count in lines}


def written(measured):
    lines = ["# Instructions for each item (event, amount, call, page), by callgrind; bench/instructions.py holds the program against it."]
    return "\n".join([*lines, *(f"{part} {count}" for part, count in measured.items())]) + "\n"


def differences(measured, recorded):
    """What is to be said of it, a sentence each; none: all is as on record."""
    said = [f"{part}: on record, and not measured; take it out of the record" for part in recorded if part not in measured]
    for part, count in measured.items():
        if part not in recorded:
            said.append(f"{part}: {count} instructions, and not on record; --write puts it there")
        elif count > recorded[part] * (1 + TOLERANCE):
            said.append(f"{part}: {count} instructions, {recorded[part]} on record, {count / recorded[part]:.2f} of them: find what makes it slower, or say why in the commit that puts it on record (--write)")
        elif count < recorded[part] * (1 - TOLERANCE):
            said.append(f"{part}: {count} instructions, {recorded[part]} on record, {count / recorded[part]:.2f} of them: put the gain on record (--write)")
    return said


def main():
    program, record = sys.argv[1], pathlib.Path(sys.argv[2])
    measured = counted(program)
    if "--write" in sys.argv[3:]:
        record.write_text(written(measured), encoding="utf-8")
        return
    recorded = read(record)
    for part, count in measured.items():
        print(f"{part}: {count} instructions, {count / recorded[part]:.3f} of what is on record" if part in recorded else f"{part}: {count}")
    said = differences(measured, recorded)
    print("\n".join(said))
    sys.exit(1 if said or not measured else 0)


if __name__ == "__main__":
    main()
