# SPDX-License-Identifier: Apache-2.0
"""The C interface, the examples, and many processes on one database."""
import os
import pathlib
import re
import subprocess
import unittest

from harness import BIN, HostCase, Sim, amounts, cli

RACES = int(os.environ.get("AMZSYNC_ROUNDS", "100"))
EXITS = int(os.environ.get("AMZSYNC_ROUNDS", "8"))
PATIENCE = 120 + RACES


class Programs(HostCase):
    def run_program(self, name, *args):
        done = subprocess.run([BIN / name, *args], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_the_c_interface(self):
        self.run_program("capi-test", self.sim(rate_scale=0).url, str(self.store))

    def test_a_client_and_a_token_store_of_the_hosts(self):
        sim = self.sim(history_days=540)
        for seller, how in enumerate(("blocking", "later", "cpp"), 1):
            self.store = self.folder / f"{how}.db"
            said = self.run_program("host-parts", sim.url, str(self.store), f"Atzr|sim-seller-{seller}", how).splitlines()
            self.assertEqual(said[0], "completed")
            self.assertIn(f'"amount":{sim.truth(seller)["transactions"]["recoveries"][0]["amount"]}', said[1])
            exchanges, documents = map(int, said[2].split())
            self.assertGreater(exchanges, 10)
            self.assertGreater(documents, 2)
            self.assertEqual(self.sql("SELECT status FROM runs"), [("completed",)])
            self.assertNotIn(b"Atzr|", self.store.read_bytes())

    def test_each_function_called_wrongly(self):
        self.run_program("wrong-calls", self.sim(rate_scale=0).url, str(self.store))

    def test_no_function_is_left_out_of_that(self):
        root = pathlib.Path(__file__).parents[2]
        programs = "".join((root / "tests/capi" / name).read_text() for name in ("wrong_calls.cpp", "host_parts.cpp"))
        called = set(re.findall(r"amzsync_\w+", programs))
        self.assertEqual([name for name in (root / "capi/symbols.txt").read_text().split() if name not in called], [])

    def test_races_of_subscribing_and_closing(self):
        self.assertIn(f"{RACES} races", self.run_program("races", self.sim(rate_scale=0).url, str(self.store), str(RACES)))

    def test_a_process_exits_in_the_midst_of_a_sync(self):
        sim = self.sim(rate_scale=0)
        for how in ("main", "thread", "callback"):
            for number in range(EXITS):
                with self.subTest(how=how, number=number):
                    self.store = self.folder / f"{how}{number}.db"
                    self.run_program("exits", sim.url, str(self.store), how, str(1 + number % 8))   # events; there are some more

    def test_the_examples(self):
        sim = self.sim(history_days=540)
        programs = ["minimal-c", "minimal-cpp"] + ["minimal-static"] * (BIN / "minimal-static").exists()   # none of a library that a sanitizer watches
        for seller, name in enumerate(programs, 1):
            total = sim.truth(seller)["transactions"]["recoveries"][0]["amount"]
            self.store = self.folder / f"{name}.db"
            said = self.run_program(name, sim.url, str(self.store), f"Atzr|sim-seller-{seller}")
            self.assertIn(": completed", said)
            self.assertIn(f'"amount":{total}', said)


class Storm(HostCase):
    """Several processes, each with many threads, trigger the same user's sync at the same moment."""

    def storm(self, sim, processes, threads, runs):
        started = []
        for _ in range(processes):
            p = subprocess.Popen([BIN / "storm", sim.url, str(self.store), str(threads), str(runs)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.addCleanup(p.stdout.close)
            self.addCleanup(p.wait)
            self.addCleanup(p.stdin.close)
            self.assertEqual(p.stdout.readline(), "ready\n")
            started.append(p)
        for p in started:
            p.stdin.write("go\n")
            p.stdin.flush()
        results = []
        for p in started:
            for line in p.stdout:
                if line == "done\n":
                    break
                results.append(line.split())
        return results

    def connect(self, sim):
        token = self.folder / "token"
        token.write_text("Atzr|sim-seller-1")
        self.env = {"AMZSYNC_STORE": f"sqlite:{self.store}", "AMZSYNC_LWA_CLIENT_ID": "client", "AMZSYNC_LWA_CLIENT_SECRET": "secret", "AMZSYNC_LWA_ENDPOINT": sim.url,
                    "AMZSYNC_SPAPI_ENDPOINT": sim.url, "AMZSYNC_MASTER_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}
        code, out, err = cli(self.env, "connect", "--user", "user", "--refresh-token-file", str(token), "--json")
        self.assertEqual(code, 0, err)
        import json
        return json.loads(out)["syncId"]

    def test_two_hundred_triggers_of_all_kinds_from_four_processes_make_one_run(self):
        sim = self.sim(events=1500)
        first = self.connect(sim)   # queued: nobody performs syncs yet
        results = self.storm(sim, processes=4, threads=50, runs=0)
        self.assertEqual(len(results), 200)
        self.assertEqual({r[0] for r in results}, {first}, results)
        self.assertEqual({r[1] for r in results}, {"0"})   # each one attached
        self.assertEqual(self.sql("SELECT count(*) FROM runs"), [(1,)])
        # And it is performed once, by whoever comes.
        self.assertEqual(cli(self.env, "sync", "--user", "user", "--json")[0], 0)
        self.assertEqual(self.sql("SELECT sync_id, status, fence FROM runs"), [(first, "completed", 1)])
        self.assertEqual(self.sql("SELECT count(*) FROM amz_transactions"), [(sim.truth(1)["transactions"]["rows"],)])

    def test_nobody_was_there_yet_and_all_come_at_once(self):
        sim = self.sim(events=1500)
        first = self.connect(sim)
        self.assertEqual(cli(self.env, "sync", "--user", "user", "--json")[0], 0)
        sim.fault("/finances", "slow", delayMs=3000)   # the run lasts until all have come
        results = self.storm(sim, processes=4, threads=50, runs=10)
        self.assertEqual(len(results), 200)
        ids = {r[0] for r in results if r[0] != "0"}
        self.assertNotIn("failed:", ids, results)
        ids.discard(first)
        self.assertEqual(len(ids), 1, results)
        self.assertEqual(sum(r[-1] == "1" for r in results), 1)
        sim.control(clearFaults=True)
        while self.sql("SELECT count(*) FROM runs WHERE status IN ('queued', 'in_progress', 'detecting')") != [(0,)]:
            self.assertEqual(cli(self.env, "sync", "--user", "user", "--json")[0], 0)
        # The authorisations that came while the run was under way are covered by one run after it.
        self.assertLessEqual(self.sql("SELECT count(*) FROM runs")[0][0], 5)
        self.assertEqual(self.sql("SELECT count(*) FROM runs WHERE status<>'completed'"), [(0,)])
        self.assertEqual(self.sql("SELECT count(*) FROM amz_transactions"), [(sim.truth(1)["transactions"]["rows"],)])


if __name__ == "__main__":
    unittest.main()
