# SPDX-License-Identifier: Apache-2.0
"""Sees that bench/instructions.py notices what got slower, what got faster, and what is missing on either side."""
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import instructions  # noqa: E402


class Instructions(unittest.TestCase):
    def test_up_to_a_twentieth_is_no_change(self):
        for count in (950, 1000, 1050):
            self.assertEqual(instructions.differences({"decode": count}, {"decode": 1000}), [])

    def test_more_and_less_are_told(self):
        self.assertIn("1.06 of them: find what makes it slower", instructions.differences({"decode": 1060}, {"decode": 1000})[0])
        self.assertIn("0.94 of them: put the gain on record", instructions.differences({"decode": 940}, {"decode": 1000})[0])

    def test_each_part_is_on_record_and_measured(self):
        said = instructions.differences({"money": 10}, {"decode": 1000})
        self.assertEqual(said, ["decode: on record, and not measured; take it out of the record", "money: 10 instructions, and not on record; --write puts it there"])

    def test_what_is_written_is_read_again(self):
        with tempfile.TemporaryDirectory() as folder:
            record = pathlib.Path(folder, "record.txt")
            measured = {"decode": 1000, "money": 10}
            record.write_text(instructions.written(measured), encoding="utf-8")
            self.assertEqual(instructions.read(record), measured)


if __name__ == "__main__":
    unittest.main()
