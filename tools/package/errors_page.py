#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes docs/errors.md of the list that the code is made of. errors_page.py writes it; errors_page.py --check says whether it is as it would be written."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/errors.md"
HINTS = {"never": "never", "later": "later", "after_reauth": "after a new authorisation"}


def page():
    lines = ["# Errors", "", "Made from [errors.def](../src/base/errors.def) by `tools/package/errors_page.py`. The name is the `error` of every HTTP answer and event, the number that of `amzsync.h` (`AMZSYNC_ERROR_…`).", "",
             "| number | name | trying again helps | sentence, where nothing more exact is known |", "|---|---|---|---|"]
    entries = re.findall(r'^AMZ_ERROR\((\d+), (\w+), (\w+), "(.*)"\)$', (ROOT / "src/base/errors.def").read_text(encoding="utf-8"), re.M)
    lines += [f"| {number} | `{name}` | {HINTS[retry]} | {sentence} |" for number, name, retry, sentence in sorted(entries, key=lambda e: int(e[0]))]
    return "\n".join(lines) + "\n"


if sys.argv[1:] == ["--check"]:
    if PAGE.read_text(encoding="utf-8") != page():
        sys.exit("docs/errors.md is not what src/base/errors.def says; run tools/package/errors_page.py")
else:
    PAGE.write_text(page(), encoding="utf-8")
