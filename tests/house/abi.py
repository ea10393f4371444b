#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The interface that programs are built against, held against the one that is on record: abi.py HEADER RECORD [--write]

What counts: every function's types, every callback's, each constant's number, the size of each struct and the place of each member. What abidiff says of it, which knows no
constants, is told besides; its dump is RECORD with .xml for .txt. --write puts on record what is there.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

IGNORED = {"AMZSYNC_H", "AMZSYNC_API", "AMZSYNC_NOEXCEPT", "AMZSYNC_VERSION_MAJOR", "AMZSYNC_VERSION_MINOR", "AMZSYNC_VERSION_PATCH"}


def type_of(parameter):
    """A parameter without its name, which is nobody's business."""
    parameter = parameter.strip()
    named = re.fullmatch(r"(.*[\s*])(\w+)", parameter)
    return re.sub(r"\s*\*\s*", "*", (named.group(1) if named and parameter != "void" else parameter).strip())


def member_of(declaration):
    """Type and name of a struct's member, which may be a function."""
    call = re.fullmatch(r"(.*?)\(\*(\w+)\) ?\(([^()]*)\)", declaration.strip())
    if call:
        return f"{type_of(call.group(1) + ' x')} ({', '.join(type_of(p) for p in call.group(3).split(','))})", call.group(2)
    return type_of(declaration), re.search(r"(\w+)$", declaration.strip()).group(1)


def interface(header):
    """Name: what it is, as one line of text."""
    text = re.sub(r"/\*.*?\*/", " ", header.read_text(encoding="utf-8"), flags=re.S)
    found = {}
    for name, value in re.findall(r"^#define (AMZSYNC_\w+)\s+(\(?-?\d+\)?)\s*$", text, re.M):
        if name not in IGNORED:
            found[name] = f"constant {value.strip('()')}"
    plain = re.sub(r"\s+", " ", re.sub(r"^\s*#.*$", " ", text, flags=re.M))
    for result, name, parameters in re.findall(r"AMZSYNC_API ([^;()]*?)(\w+) ?\(([^()]*)\) AMZSYNC_NOEXCEPT;", plain):
        found[name] = f"function {type_of(result + ' x')} ({', '.join(type_of(p) for p in parameters.split(','))})"
    for result, name, parameters in re.findall(r"typedef ([^;(){}]*?)\(\*(\w+)\) ?\(([^()]*)\);", plain):
        found[name] = f"callback {type_of(result + ' x')} ({', '.join(type_of(p) for p in parameters.split(','))})"
    structs = {name: [member_of(m) for m in members.split(";") if m.strip()] for members, name in re.findall(r"typedef struct \w+ \{([^}]*)\} (\w+);", plain)}
    for name in re.findall(r"typedef struct (\w+) \1;", plain):
        found[name] = "handle"
    for name, line in places(header, structs):
        found[name] = line
    return found


def places(header, structs):
    """As the compiler lays them out."""
    lines = [f'#include "{header.resolve()}"', "#include <stdio.h>", "int main(void) {"]
    for name, members in structs.items():
        lines.append(f'printf("{name}|struct of %zu bytes\\n", sizeof({name}));')
        for kind, member in members:
            lines.append(f'printf("{name}.{member}|{kind} at %zu\\n", offsetof({name}, {member}));')
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "places.c")
        source.write_text("\n".join([*lines, "return 0; }"]), encoding="utf-8")
        subprocess.run(["cc", "-o", folder + "/places", str(source)], check=True)
        told = subprocess.run([folder + "/places"], check=True, capture_output=True, text=True).stdout
    return [line.split("|", 1) for line in told.splitlines()]


def library_of(header, folder):
    """A library that has the header's functions and types, and nothing else: those of the real one stand among all that it is made of."""
    source, library = pathlib.Path(folder, "library.c"), pathlib.Path(folder, "library.so")
    source.write_text(header.read_text(encoding="utf-8").replace(") AMZSYNC_NOEXCEPT;", ") { __builtin_trap(); }"), encoding="utf-8")
    subprocess.run(["cc", "-std=c99", "-g", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def dump(header, into):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--out-file", into, library_of(header, folder)], check=True)


def abidiff(header, record):
    """What abidiff reports; empty: nothing changed."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["abidiff", record, library_of(header, folder)], capture_output=True, text=True, check=False)
    if done.returncode & 3:
        raise RuntimeError(f"abidiff failed: {done.stderr or done.stdout}")
    return done.stdout.strip() if done.returncode else ""


def main():
    header, record = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    now = interface(header)
    if "--write" in sys.argv[3:]:
        record.write_text("".join(f"{name}: {now[name]}\n" for name in sorted(now)), encoding="utf-8")
        dump(header, record.with_suffix(".xml"))
        return 0
    before = dict(line.split(": ", 1) for line in record.read_text(encoding="utf-8").splitlines())
    wrong = [f"{name} is gone; it was: {what}" for name, what in before.items() if name not in now]
    wrong += [f"{name} was: {before[name]}; it is: {what}" for name, what in now.items() if name in before and before[name] != what]
    new = sorted(set(now) - set(before))
    for line in wrong:
        print(line)
    report = abidiff(header, record.with_suffix(".xml"))
    if report:
        print(f"abidiff: {report}")
    if wrong:
        print("Programs that were built against amzsync.h would break. Keep what is there and add a function beside it; before 1.0 it may also be changed: then let AMZSYNC_ABI_VERSION grow, say so in "
              "the changelog, and put the new interface on record: tests/house/abi.py include/amzsync/amzsync.h capi/abi.txt --write")
    elif new or report:
        print(f"Not on record yet: {', '.join(new) or 'what abidiff tells'}. Put it there: tests/house/abi.py include/amzsync/amzsync.h capi/abi.txt --write")
    else:
        print(f"{len(now)} functions, callbacks, constants, handles and members are as they were")
    return 1 if wrong or new or report else 0


sys.exit(main())
