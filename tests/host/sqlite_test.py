# SPDX-License-Identifier: Apache-2.0
"""SQLite as it is met in life: other programs that read and lock the file, a file that is none, one of a newer version, an odd place."""
import contextlib
import http.client
import os
import resource
import sqlite3
import threading
import unittest
import urllib.parse

from harness import BASE, HostCase, cli, jwt


class OtherPrograms(HostCase):
    def test_a_program_that_reads_the_views_all_the_while_disturbs_nothing(self):
        sim = self.sim(events=3000, skus=200)
        host = self.host(sim)
        first = host.connect().query["sync_id"]
        over, looked, faults = threading.Event(), [0], []

        def look():
            connection = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=30)
            try:
                while not over.is_set():
                    connection.execute("BEGIN")
                    for view in ("amz_transactions", "amz_transaction_lines", "amz_inventory", "amz_ledger", "amz_runs", "amz_coverage"):
                        connection.execute(f"SELECT count(*) FROM {view}").fetchone()
                    connection.execute("COMMIT")
                    looked[0] += 1
            except sqlite3.Error as fault:
                faults.append(fault)
            finally:
                connection.close()

        readers = [threading.Thread(target=look) for _ in range(2)]
        for reader in readers:
            reader.start()
        run = host.finish(first)
        over.set()
        for reader in readers:
            reader.join()
        self.assertEqual((run["status"], faults), ("completed", []), run)
        self.assertGreater(looked[0], 0)
        self.check_truth(host, sim)

    def test_a_program_that_locks_the_database_delays_what_is_written_and_loses_nothing(self):
        sim = self.sim()
        host = self.host(sim)
        sim.fault("/", "slow", delayMs=100)
        first = host.connect().query["sync_id"]
        locker = sqlite3.connect(self.store, timeout=30, isolation_level=None)
        for reads in (50, 500):
            locker.execute("BEGIN IMMEDIATE")
            for _ in range(reads):   # reading waits for nobody
                self.assertEqual(host.get("/api/sync/status/" + first).status, 200)
            locker.execute("ROLLBACK")
            for _ in range(20):
                host.get("/api/sync/status/" + first)
        locker.close()
        sim.control(clearFaults=True)
        run = host.finish(first)
        if run["status"] != "completed":   # a run that could not write says so, and the next one makes up for it
            self.assertEqual(run["error"]["code"], "store_busy")
            run = host.finish(host.post("/api/sync/start").json["syncId"])
        self.assertEqual(run["status"], "completed", run)
        self.check_truth(host, sim)

    def test_who_writes_to_a_locked_database_keeps_nobody_who_reads_waiting(self):
        sim = self.sim()
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        locker = sqlite3.connect(self.store, timeout=30, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        answers = []
        writers = [threading.Thread(target=lambda: answers.append(host.post("/api/sync/start"))) for _ in range(12)]
        for writer in writers:
            writer.start()
        for _ in range(50):
            for path in ("/api/sync/status", "/api/sync/history", "/readyz", "/metrics", BASE + "/recoveries"):
                self.assertEqual(host.get(path).status, 200)
        self.assertEqual(answers, [])   # they still wait, ten seconds each
        locker.execute("ROLLBACK")
        locker.close()
        for writer in writers:
            writer.join()
        self.assertEqual(sorted(answer.status for answer in answers), [200] + [409] * 11)
        self.assertEqual(len({answer.json.get("syncId") or answer.json["existingSyncId"] for answer in answers}), 1)

    def test_a_host_ends_though_a_program_holds_the_lock_of_its_database(self):
        sim = self.sim(sellers=3)
        host = self.host(sim)
        users = {f"user-{seller}": seller for seller in (1, 2, 3)}
        sim.fault("/finances", "none", delayMs=1500)
        syncs = {user: host.connect(user, seller).query["sync_id"] for user, seller in users.items()}
        locker = sqlite3.connect(self.store, timeout=30, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        host.process.terminate()
        self.assertEqual(host.process.wait(30), 0)   # of each sync's writes, tried one after the other, each would wait ten seconds
        locker.execute("ROLLBACK")
        locker.close()
        sim.control(clearFaults=True)
        host = self.host(sim)
        for user, seller in users.items():
            self.assertEqual(host.finish(syncs[user], user)["status"], "completed")
            self.check_truth(host, sim, user, seller)

    def test_a_host_that_ends_sends_each_answer_as_soon_as_it_is_there(self):
        sim = self.sim(sellers=2)
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        back = host.agree(host.start_consent("user-2"), 2)
        sim.control(faults=[{"path": "/auth", "kind": "slow", "delayMs": 30000, "times": 1}])
        asked, browsers = sim.stats()["operations"]["token"]["calls"], []
        browser = threading.Thread(target=lambda: browsers.append(host.get(BASE + "/auth/callback?" + urllib.parse.urlencode(back), "user-2")))
        browser.start()
        while sim.stats()["operations"]["token"]["calls"] == asked:   # Amazon has the code, and is silent
            self.assertTrue(browser.is_alive())
        locker = sqlite3.connect(self.store, timeout=30, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        pausing = http.client.HTTPConnection(host.url.removeprefix("http://"))
        pausing.request("POST", "/api/sync/pause", headers={"Authorization": "Bearer " + jwt("user-1")})
        for _ in range(3):   # the other is with the host by then
            self.assertEqual(host.get("/readyz").status, 200)
        host.process.terminate()
        with self.assertRaises(OSError):
            while True:
                host.get("/healthz")
        locker.execute("ROLLBACK")
        locker.close()
        with contextlib.closing(pausing):
            self.assertEqual(pausing.getresponse().status, 200)
        sim.stats()
        self.assertEqual((browsers, host.process.poll()), ([], None))   # the other is still waited for
        browser.join()
        self.assertEqual(browsers[0].query["amazon_error"], "true")
        self.assertEqual(host.process.wait(30), 0)


class LittleRoom(HostCase):
    def test_a_sync_ends_while_there_is_room_to_say_so_and_the_next_is_whole(self):
        sim = self.sim(events=20000, skus=500)
        host = self.host(sim)

        def limit(size):   # of a file; to SQLite it is a disk that ends there
            resource.prlimit(host.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

        def largest():
            return max(file.stat().st_size for file in self.folder.iterdir() if file.name.startswith(self.store.name))

        limit(largest() + (12 << 20))   # less than is spared
        end = host.finish(host.connect().query["sync_id"])
        self.assertEqual((end["status"], end["error"]["code"], end["calls"]), ("failed", "store_full", 0), end)
        for room in (24, 32):
            limit(largest() + (room << 20))
            had = largest()
            end = host.finish(host.post("/api/sync/start").json["syncId"])
            self.assertIn((end["status"], end["error"]["code"]), (("failed", "store_full"), ("partial", "store_full")), end)
            self.assertGreater(end["calls"], 0)
            self.assertLess(largest(), had + (room << 20) - (8 << 20))   # half of what is spared is still there
        limit(resource.RLIM_INFINITY)
        end = host.finish(host.post("/api/sync/start").json["syncId"])
        self.assertEqual(end["status"], "completed", end)
        self.check_truth(host, sim)


class OddFiles(HostCase):
    def refused(self, *words):
        """The command line says in one line what is wrong with the store, and changes nothing."""
        before = self.store.read_bytes() if self.store.is_file() else None
        code, _, said = cli(self.settings(), "status", "--user", "u")
        self.assertEqual((code, len(said.splitlines())), (1, 1), said)
        for word in ("AMZSYNC_STORE", *words):
            self.assertIn(word, said)
        if before is not None:
            self.assertEqual(self.store.read_bytes(), before)   # a file that is wrong is left alone

    def settings(self):
        return {"AMZSYNC_STORE": f"sqlite:{self.store}", "AMZSYNC_LWA_CLIENT_ID": "c", "AMZSYNC_LWA_CLIENT_SECRET": "s", "AMZSYNC_MASTER_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}

    def test_what_is_no_database_is_refused_and_left_alone(self):
        self.store.write_bytes(b"This is a letter, and no database at all. " * 200)
        self.refused("damaged")

    def test_a_folder_in_its_place_is_refused(self):
        self.store.mkdir()
        self.refused()

    def test_a_database_of_a_newer_version_is_refused_and_left_alone(self):
        self.assertEqual(cli(self.settings(), "status", "--user", "u")[0], 0)
        connection = sqlite3.connect(self.store)
        connection.execute("PRAGMA user_version=9999")
        connection.execute("UPDATE meta SET value='9999' WHERE key='min_writer'")
        connection.commit()
        connection.close()
        self.refused("9999", "newer")

    def test_a_database_that_may_only_be_read_is_refused_and_left_alone(self):
        self.assertEqual(cli(self.settings(), "status", "--user", "u")[0], 0)
        sqlite3.connect(self.store).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        with open(self.store, "r+b") as file:   # its format's word for it, which holds for whoever runs the test, whatever the file's mode
            file.seek(18)
            file.write(b"\x03")
        self.refused("read-only")

    def test_a_database_whose_owner_took_the_right_to_write_from_it_stays_so(self):
        self.assertEqual(cli(self.settings(), "status", "--user", "u")[0], 0)
        os.chmod(self.store, 0o444)
        for _ in range(2):
            said = cli(self.settings(), "status", "--user", "u")[2]
            self.assertEqual(os.stat(self.store).st_mode & 0o777, 0o400, said)   # and is for no other's eyes
            if os.geteuid() != 0:   # whom modes don't hold up
                self.assertIn("read-only", said)

    def test_a_damaged_database_is_told_and_the_host_lives_on(self):
        sim = self.sim()
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        sqlite3.connect(self.store).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        size = os.path.getsize(self.store)
        with open(self.store, "r+b") as file:   # everything but the first pages, which hold the schema
            file.seek(size // 3)
            file.write(os.urandom(size - size // 3))
        for path in ("/api/sync/status", BASE + "/recoveries", "/api/sync/history"):
            answer = host.get(path)
            self.assertIn(answer.status, (200, 500), answer.body)
        host.post("/api/sync/start")
        self.assertEqual(host.get("/healthz").status, 200)
        self.assertIsNone(host.process.poll())
        host.stop()
        code, _, said = cli(self.settings(), "sync", "--user", "user-1")
        self.assertEqual(code, 1, said)   # whether it is found at the start or at the first read, it is no crash
        self.assertNotIn("terminate", said)


if __name__ == "__main__":
    unittest.main()
