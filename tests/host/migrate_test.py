# SPDX-License-Identifier: Apache-2.0
"""From an SQLite file to PostgreSQL, on the command line: all of it, proved, and the hosts go on there."""
import json
import pathlib
import threading
import unittest

from harness import Host, cli
from postgres_test import PostgresCase


class Migrate(PostgresCase):
    def test_a_seller_moves_and_nothing_is_read_again(self):
        sim = self.sim(events=2000)
        file = self.folder / "one-machine.db"
        host = self.running(Host(sim, file))
        for n in (1, 2):
            host.finish(host.connect(f"user-{n}", seller=n).query["sync_id"], f"user-{n}")
        code, _, told = self.migrate(file)
        self.assertEqual(code, 1)
        self.assertIn("A host is still open on the database to copy from", told)
        status = host.get("/api/status").json
        host.stop()

        code, shown, told = self.migrate(file, "--json")
        self.assertEqual(code, 0, told)
        receipt = json.loads(shown)
        self.assertEqual(receipt["copied"], receipt["rows"])
        self.assertGreater(receipt["rows"], 4000)
        code, _, told = self.migrate(file)
        self.assertEqual(code, 1)
        self.assertIn("holds users already", told)

        host = self.host(sim)
        self.assertEqual(host.get("/api/status").json, status)
        for n in (1, 2):
            self.check_truth(host, sim, f"user-{n}", seller=n)
            second = host.finish(host.post("/api/sync/start", f"user-{n}").json["syncId"], f"user-{n}")
            self.assertEqual((second["status"], sum(s["added"] + s["changed"] + s["removed"] for s in second["streams"])), ("completed", 0), second)

    def test_nobody_works_on_either_database_meanwhile(self):
        sim = self.sim()
        file = self.folder / "one-machine.db"
        host = self.running(Host(sim, file))
        host.finish(host.connect().query["sync_id"])
        host.stop()
        there = self.host(sim)
        code, _, told = self.migrate(file)
        self.assertEqual(code, 1)
        self.assertIn("A host is open on the database to copy into", told)
        there.stop()
        with self.transaction("LOCK TABLE users IN EXCLUSIVE MODE"):   # the copy comes no further
            copying = []
            thread = threading.Thread(target=lambda: copying.append(self.migrate(file)))
            thread.start()
            while self.sql(f"SELECT count(*) FROM pg_stat_activity WHERE datname='{self.name}' AND wait_event_type='Lock'") == [(0,)]:
                pass
            with self.assertRaises(AssertionError) as refused:
                Host(sim, file)
            self.assertIn("The database is locked by another program", str(refused.exception))
        thread.join()
        self.assertEqual(copying[0][0], 0, copying)
        self.check_truth(self.host(sim), sim)

    def test_what_is_wrong_is_named(self):
        for arguments, told in ((("--from", "sqlite:/nowhere/none.db", "--to", self.store), "There is no database sqlite:/nowhere/none.db"),
                                (("--from", self.store, "--to", self.store), "must be sqlite:PATH"),
                                (("--from", f"sqlite:{__file__}", "--to", "sqlite:other.db"), "must be postgresql://"),
                                (("--from", f"sqlite:{__file__}", "--to", self.store), "SQLite")):
            with self.subTest(arguments=arguments):
                code, _, error = cli({}, "migrate", *arguments)
                self.assertNotEqual(code, 0)
                self.assertIn(told, error)
                self.assertFalse(pathlib.Path("/nowhere").exists())

    def migrate(self, file, *more):
        return cli({}, "migrate", "--from", f"sqlite:{file}", "--to", self.store, *more)


if __name__ == "__main__":
    unittest.main()
