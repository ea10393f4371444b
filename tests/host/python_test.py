# SPDX-License-Identifier: Apache-2.0
"""The Python package: a copy of a seller's rows that follows their changes."""
import os
import pathlib
import sys
import unittest

from harness import BIN, CLIENT_SECRET, MASTER_KEY, HostCase

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python"))
os.environ.setdefault("AMZSYNC_LIBRARY", str(BIN.parent / "lib" / "libamzsync.so.0"))
import amzsync  # noqa: E402: found by the two lines above


class Package(HostCase):
    def engine(self, sim):
        return amzsync.Engine(store=f"sqlite:{self.store}", client_id="python-app", client_secret=CLIENT_SECRET, master_key=MASTER_KEY, lwa_endpoint=sim.url, spapi_endpoint=sim.url, history_days=60,
                              streams="transactions,inventory,inbound")

    def test_a_copy_follows_the_rows(self):
        sim = self.sim(events=300, skus=30)
        copy = {}

        def follow(engine):
            told = 0
            with engine.changes("u", after=engine.acknowledged("u", "copy")) as changes:
                for change in changes:
                    told += 1
                    key = (change["stream"], change["id"])
                    if change["op"] == "put":
                        copy[key] = change["row"]
                    else:
                        del copy[key]
                self.assertFalse(changes.gap)
                engine.acknowledge("u", "copy", changes.position)
            return told

        with self.engine(sim) as engine:
            engine.connect("u", "Atzr|sim-seller-1")
            self.assertEqual(engine.sync("u")["status"], "completed")
            self.assertGreater(follow(engine), 300)
            self.assertEqual(follow(engine), 0)
            self.assertGreater(engine.acknowledged("u", "copy"), 0)
            self.assertEqual(engine.sync("u", "removals")["status"], "completed")
            self.assertEqual(follow(engine), sim.truth(1)["reports"]["removals"]["rows"])
            with engine.changes("u") as whole:
                self.assertEqual(copy, {(c["stream"], c["id"]): c["row"] for c in whole})
            self.assertEqual(sum(1 for stream, _ in copy if stream == "inventory"), sim.truth(1)["inventory"]["rows"])

    def test_keys_are_rotated_and_users_erased(self):
        sim = self.sim(events=10, skus=5)
        with self.engine(sim) as engine:
            engine.connect("u", "Atzr|sim-seller-1")
            done = engine.rotate_key()
            self.assertEqual((done["key"], done["resealed"], done["unreadable"]), ("default", 0, []))
            self.assertGreaterEqual(done["secrets"], 1)
            receipt = engine.erase("u", "a test")
            self.assertEqual((receipt["userId"], receipt["known"]), ("u", True))
            self.assertEqual(engine.rotate_key()["secrets"], 0)
            self.assertFalse(engine.erase("u")["known"])

    def test_what_is_wrong_is_an_exception(self):
        sim = self.sim(events=10, skus=5)
        with self.engine(sim) as engine:
            for wrong in (lambda: engine.sync("nobody"), lambda: engine.changes("nobody"), lambda: engine.acknowledge("nobody", "r", 1)):
                with self.assertRaises(amzsync.Error) as caught:
                    wrong()
                self.assertNotEqual(caught.exception.code, 0)
                self.assertTrue(str(caught.exception))
            engine.connect("u", "Atzr|sim-seller-1")
            with self.assertRaises(amzsync.Error):
                engine.acknowledge("u", "", 1)
        with self.assertRaises(ValueError):
            engine.sync("u")
        with self.assertRaises(amzsync.Error):
            amzsync.Engine(store="nonsense", client_id="a", client_secret="b", master_key=MASTER_KEY)


if __name__ == "__main__":
    unittest.main()
