# SPDX-License-Identifier: Apache-2.0
"""What is said while it happens: the lines of the contract when they are true and not otherwise, and never a secret."""
import os
import re
import resource
import signal
import unittest

from harness import BASE, CLIENT_SECRET, JWT_SECRET, MASTER_KEY, TERMINAL, HostCase, fetch, jwt


def line(level, message, **fields):
    return f"{level}: {message}" + (" { " + ", ".join(f"{k}: '{v}'" for k, v in fields.items()) + " }" if fields else "")


class Lines(HostCase):
    def log_of(self, host):
        host.stop()
        return host.log().splitlines()

    def test_each_trigger_says_what_it_did(self):
        sim = self.sim(events=200, skus=20)
        host = self.host(sim)
        sim.fault("/finances", "slow", delayMs=800)
        by_callback = host.connect().query["sync_id"]
        host.get(BASE + "/auth/start?bypass=true")
        host.get(BASE + "/recoveries", "user-2")
        host.finish(by_callback)
        by_bypass = host.get(BASE + "/auth/start?bypass=true").json["syncId"]
        host.finish(by_bypass)
        manual = host.post("/api/sync/start").json["syncId"]
        host.finish(manual)
        log = self.log_of(host)
        self.assertEqual(log.count(line("info", "Triggered automatic sync after Amazon OAuth callback", userId="user-1", syncId=by_callback)), 1)
        self.assertEqual(log.count(line("info", "Triggered automatic sync after bypass", userId="user-1", syncId=by_bypass)), 1)
        self.assertEqual(log.count(line("info", "Sync already in progress, skipping automatic trigger", userId="user-1")), 1)
        self.assertEqual(log.count("info: Starting sync for user: user-1"), 3)
        for run in (by_callback, by_bypass, manual):
            self.assertEqual(log.count(line("info", "Sync started successfully", syncId=run)), 1)
        self.assertEqual(sum("Triggered automatic sync" in l for l in log), 2)
        self.assertEqual(sum("Failed to trigger" in l for l in log), 0)

    def test_recoveries_say_when_they_trigger(self):
        sim = self.sim(events=200, skus=20)
        host = self.host(sim)
        run = host.connect().query["sync_id"]
        host.finish(run)
        # As if nothing had ever been read: the rows and the runs are gone.
        import sqlite3
        db = sqlite3.connect(self.store, timeout=30)
        for table in ("credits", "reimbursements", "runs", "cells", "transactions", "transaction_lines"):
            db.execute("DELETE FROM " + table)
        db.commit()
        db.close()
        answer = host.get(BASE + "/recoveries").json
        self.assertIs(answer["syncTriggered"], True)
        self.assertEqual(answer["message"], "No data found. Syncing your Amazon account... Please refresh in a few moments.")
        host.finish(answer["syncId"])
        log = self.log_of(host)
        self.assertEqual(log.count(line("info", "Triggered automatic sync from recoveries endpoint", userId="user-1", syncId=answer["syncId"])), 1)

    def test_a_trigger_that_fails_says_so_and_nothing_else(self):
        sim = self.sim(events=200, skus=20)
        host = self.host(sim)
        back = host.agree(host.start_consent(), 1)
        host.get(f"{BASE}/auth/callback?state={back['state']}&spapi_oauth_code=made-up")
        run = host.connect().query["sync_id"]
        host.finish(run)
        import sqlite3
        db = sqlite3.connect(self.store, timeout=30)
        db.execute("UPDATE connections SET access_obtained_at=access_obtained_at-7200000000")
        db.commit()
        db.close()
        sim.control(revoke=1)
        host.get(BASE + "/auth/start?bypass=true")
        log = self.log_of(host)
        failed = [l for l in log if l.startswith("warn: Failed to trigger automatic sync after Amazon connection { userId: 'user-1', error: '")]
        self.assertEqual(len(failed), 1, log)
        bypass = [l for l in log if l.startswith("warn: Failed to trigger automatic sync after bypass { userId: 'user-1', error: '")]
        self.assertEqual(len(bypass), 1, log)
        self.assertEqual(sum("Triggered automatic sync" in l for l in log), 1)

    def test_records_as_json(self):
        import json
        sim = self.sim(events=50, skus=5)
        host = self.host(sim, log_format="json")
        run = host.connect("user \"é\"").query["sync_id"]
        host.finish(run, "user \"é\"")
        host.stop()
        records = [json.loads(l) for l in host.log().splitlines()]
        self.assertIn({"level": "info", "message": "Triggered automatic sync after Amazon OAuth callback", "userId": "user \"é\"", "syncId": run}, records)

    def test_a_text_stands_in_quotes_that_it_does_not_hold(self):
        sim = self.sim(events=50, skus=5, sellers=5)
        host = self.host(sim)
        users = {"anna": "'anna'", "o'hara": '"o\'hara"', "o'hara \"o\"": "`o'hara \"o\"`", "o'hara \"`o`\"": "'o\\'hara \"`o`\"'", "a\\b": "'a\\\\b'"}
        for seller, user in enumerate(users, 1):
            host.finish(host.connect(user, seller).query["sync_id"], user)
        log = self.log_of(host)
        for user, quoted in users.items():
            self.assertEqual(sum(f"Triggered automatic sync after Amazon OAuth callback {{ userId: {quoted}, " in l for l in log), 1, user)


class Secrets(HostCase):
    def test_no_secret_is_in_any_log_event_answer_or_file(self):
        sim = self.sim(events=300, skus=30)
        host = self.host(sim, log_level="debug")
        said = []

        def keep(answer):
            said.append(str(answer.headers).encode() + answer.body)
            return answer

        back = host.agree(host.start_consent(), 1)
        keep(host.post(BASE + "/auth/callback", body={**back, "spapi_oauth_code": "wrong-code-marker"}))
        back = host.agree(host.start_consent(), 1)
        run = keep(host.post(BASE + "/auth/callback", body=back)).json["syncId"]
        with host.events(last_event_id=0) as stream:
            said.append(repr([(e.type, e.data) for e in stream.until(run)]).encode())
        sim.control(revoke=1, expireAccessTokens=True)
        again = keep(host.post("/api/sync/start")).json["syncId"]
        host.finish(again)
        for path in (BASE + "/recoveries", BASE + "/connection", "/api/sync/status", "/api/sync/history", f"/api/sync/status/{again}", BASE + "/auth/start?bypass=true", "/metrics", "/"):
            keep(host.get(path))
        host.stop()
        said.append(host.log().encode())
        for file in self.folder.iterdir():
            said.append(file.read_bytes())
        everything = b"\n".join(said)
        self.assertIn(run.encode(), everything)   # the search itself works
        for secret in ("Atzr|", "Atza|", "Atzr%7C", CLIENT_SECRET, JWT_SECRET, MASTER_KEY, "master-key-marker", back["spapi_oauth_code"], "wrong-code-marker", jwt("user-1")):
            self.assertNotIn(secret.encode(), everything, secret)
        # Nor is one left behind by a host that is killed in the middle of a sync, or dies with a core dump.
        for how in (signal.SIGKILL, signal.SIGABRT):
            host = self.host(sim, log_level="debug")
            sim.control(clearFaults=True)
            sim.fault("/finances", "slow", delayMs=500)
            fresh = host.agree(host.start_consent("user-2"), 2)
            self.assertIs(host.post(BASE + "/auth/callback", "user-2", body=fresh).json["connected"], True)
            self.reach(host, 30, user="user-2")
            resource.prlimit(host.process.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            host.process.send_signal(how)
            status = os.waitid(os.P_PID, host.process.pid, os.WEXITED | os.WNOWAIT)
            self.assertEqual((status.si_code, status.si_status), (os.CLD_KILLED, how))   # not CLD_DUMPED
            left = b"\n".join([host.log().encode(), *(file.read_bytes() for file in self.folder.iterdir())])
            for secret in ("Atzr|", "Atza|", "Atzr%7C", CLIENT_SECRET, JWT_SECRET, MASTER_KEY, fresh["spapi_oauth_code"]):
                self.assertNotIn(secret.encode(), left, secret)
        # A state is a secret until it is used; the database holds its hash alone.
        self.assertNotIn(back["state"].encode(), b"".join(f.read_bytes() for f in self.folder.iterdir()))


if __name__ == "__main__":
    unittest.main()
