# SPDX-License-Identifier: Apache-2.0
"""Three users on one host: whatever one asks for by another's ids is not there, through every route, every command and every function that takes an id."""
import json
import os
import pathlib
import sys
import unittest

from harness import BASE, BIN, CLIENT_SECRET, MASTER_KEY, HostCase, cli

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python"))
os.environ.setdefault("AMZSYNC_LIBRARY", str(BIN.parent / "lib" / "libamzsync.so.0"))
import amzsync  # noqa: E402: found by the two lines above

NOT_FOUND = 3   # AMZSYNC_ERROR_NOT_FOUND
USERS = {"user-1": 1, "user-2": 2, "user-3": 3}


class Isolation(HostCase):
    def setUp(self):
        super().setUp()
        self.amazon = self.sim(events=60, skus=15, plant=40, history_days=200)
        self.it = self.host(self.amazon, history_days="200")
        self.runs = {user: self.it.connect(user, seller).query["sync_id"] for user, seller in USERS.items()}
        for user, run in self.runs.items():
            self.assertEqual(self.it.finish(run, user)["status"], "completed")
        self.findings = {user: self.it.get("/api/detections/results?limit=1", user).json["findings"][0]["id"] for user in USERS}
        self.marks = self.marks_of_each()

    def marks_of_each(self):
        """Texts that only one user's data hold."""
        held = {user: {row[0] for row in self.sql("SELECT transaction_id FROM amz_transactions WHERE user_id=? UNION SELECT order_id FROM amz_transactions WHERE user_id=? AND order_id IS NOT NULL "
                                                  "UNION SELECT c.seller_id FROM connections c JOIN users u ON u.user_no=c.user_no WHERE u.user_id=? UNION SELECT finding_id FROM amz_findings WHERE user_id=?", user, user, user, user)} | {self.runs[user]} for user in USERS}
        return {user: held[user] - set().union(*(held[other] for other in USERS if other != user)) - {""} for user in USERS}

    def others(self):
        return [(user, other) for user in USERS for other in USERS if user != other]

    def check_nothing_of(self, other, text, what):
        found = [mark for mark in self.marks[other] if mark in text]
        self.assertEqual(found, [], what)

    def environment(self):
        return {k: v for k, v in self.it.env.items() if k not in ("AMZSYNC_JWT_SECRET", "AMZSYNC_LISTEN")}

    def test_routes(self):
        for user in USERS:
            self.assertGreater(len(self.marks[user]), 50)
        for user, other in self.others():
            run, finding = self.runs[other], self.findings[other]
            for method, path, body in (("GET", f"/api/sync/status/{run}", None), ("POST", f"/api/sync/cancel/{run}", None), ("GET", f"/api/detections/{finding}/explain", None),
                                       ("PUT", f"/api/detections/{finding}/state", {"state": "filed", "caseId": "1"})):
                with self.subTest(method=method, path=path, user=user):
                    self.check_error(self.it.call(method, path, user, body=body), 404, "not_found")
        for user in USERS:
            lists = [BASE + "/recoveries?by=month", BASE + "/connection", "/api/sync/status", "/api/sync/history?limit=100", "/api/detections/results?limit=100", "/api/detections/statistics", "/api/export"]
            told = {path: self.it.get(path, user) for path in lists}
            told.update({f"{path} with another's name": self.it.get(f"{path}{'&' if '?' in path else '?'}userId={other}", user) for path in lists for u, other in self.others() if u == user})
            for path, answer in told.items():
                self.assertEqual(answer.status, 200, path)
                for other in USERS:
                    if other != user:
                        self.check_nothing_of(other, answer.body.decode(), (path, user))
            self.assertTrue(any(mark in told["/api/export"].body.decode() for mark in self.marks[user]))   # the search itself works
            with self.it.events(user, 0) as events:
                self.assertEqual({e.data["syncId"] for e in events.until(self.runs[user]) if "syncId" in e.data}, {self.runs[user]})

    def test_commands(self):
        env = self.environment()
        for user, other in self.others():
            code, out, err = cli(env, "findings", "--user", user, "--explain", self.findings[other], "--json")
            self.assertEqual((code, out), (1, ""), err)
            for command in (["status"], ["history"], ["recoveries", "--by-month"], ["findings"]):
                code, out, err = cli(env, *command, "--user", user, "--json")
                self.assertEqual(code, 0, err)
                self.check_nothing_of(other, out + err, (command, user))
            for command in (["export"], ["export", "--since", "0"], ["export", "--findings"]):
                code, out, err = cli(env, *command, "--user", user)
                self.assertEqual(code, 0, err)
                self.check_nothing_of(other, out + err, (command, user))

    def test_functions(self):
        with amzsync.Engine(store=f"sqlite:{self.store}", client_id=self.it.env["AMZSYNC_LWA_CLIENT_ID"], client_secret=CLIENT_SECRET, master_key=MASTER_KEY, lwa_endpoint=self.amazon.url, spapi_endpoint=self.amazon.url,
                            history_days=200) as engine:
            for user, other in self.others():
                run, finding = self.runs[other], self.findings[other]
                for name, arguments in (("sync_status", (run,)), ("sync_wait", (run, 0)), ("explain", (finding,)), ("finding_set_state", (finding, "filed", "1"))):
                    with self.subTest(name=name, user=user), self.assertRaises(amzsync.Error) as refused:
                        engine._answer(name, user, *arguments)
                    self.assertEqual(refused.exception.code, NOT_FOUND)
                with self.subTest(name="amzsync_sync_cancel", user=user), self.assertRaises(amzsync.Error) as refused:
                    engine.sync_cancel(user, run, "a test")
                self.assertEqual(refused.exception.code, NOT_FOUND)
                engine.acknowledge(other, "reader", 7)
                for name, arguments in (("status", ()), ("history", (100, 0)), ("connection", ()), ("recoveries", (1,)), ("finding_statistics", ()),
                                        ("findings", ("", "", 100, 0))):
                    self.check_nothing_of(other, json.dumps(engine._answer(name, user, *arguments).json, default=str), (name, user))
                with engine.changes(user) as changes:
                    self.check_nothing_of(other, json.dumps(list(changes), default=str), ("amzsync_changes_next", user))
            for user in USERS:
                engine.acknowledge(user, "own", USERS[user])
            self.assertEqual([engine.acknowledged(user, "own") for user in USERS], [1, 2, 3])

    def test_who_is_erased_alone_is_gone(self):
        views = [row[0] for row in self.sql("SELECT name FROM sqlite_master WHERE type='view' AND name LIKE 'amz\\_%' ESCAPE '\\'")]
        counts = {(view, user): self.sql(f"SELECT count(*) FROM {view} WHERE user_id=?", user)[0][0] for view in views for user in USERS if "user_id" in {c[1] for c in self.sql(f"PRAGMA table_info({view})")}}
        self.assertGreater(sum(counts.values()), 500)
        self.assertEqual(self.it.post("/api/erase", "user-2").status, 200)
        for (view, user), before in counts.items():
            self.assertEqual(self.sql(f"SELECT count(*) FROM {view} WHERE user_id=?", user)[0][0], 0 if user == "user-2" else before, (view, user))


if __name__ == "__main__":
    unittest.main()
