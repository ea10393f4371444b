# SPDX-License-Identifier: Apache-2.0
"""The other triggers, and what can be asked about syncs, over HTTP."""
import concurrent.futures
import csv
import json
import os
import socket
import subprocess
import unittest

from harness import BASE, BIN, FRONT, PATIENCE, HostCase, amounts, jwt

SYNCING = "No data found. Syncing your Amazon account... Please refresh in a few moments."


class Bypass(HostCase):
    def test_an_existing_connection_is_used_again(self):
        sim = self.sim()
        host = self.host(sim)
        refused = host.get(BASE + "/auth/start?bypass=true")
        self.check_error(refused, 409, "not_connected")
        self.assertTrue(refused.json["authUrl"].startswith(sim.url + "/apps/authorize/consent?"))
        host.finish(host.connect().query["sync_id"])
        for flag in ("bypass", "skip_oauth"):
            answer = host.get(f"{BASE}/auth/start?{flag}=true")
            self.assertEqual(answer.status, 200)
            body = answer.json
            self.assertEqual({k: body[k] for k in ("success", "ok", "bypassed", "connectionVerified", "message", "syncTriggered")},
                             {"success": True, "ok": True, "bypassed": True, "connectionVerified": True, "message": "Using existing Amazon connection", "syncTriggered": True})
            self.assertTrue(body["redirectUrl"].startswith(FRONT + "/dashboard?amazon_connected=true&message=Using%20existing%20Amazon%20connection"))
            host.finish(body["syncId"])
        # While Amazon is silent the sync is triggered all the same.
        sim.control(advanceSeconds=7200, expireAccessTokens=True)
        self.sql_write("UPDATE connections SET access_obtained_at=access_obtained_at-7200000000")
        sim.control(faults=[{"path": "/auth", "kind": "hang", "times": 1}])
        silent = host.get(BASE + "/auth/start?bypass=true").json
        self.assertEqual((silent["success"], silent["connectionVerified"], silent["syncTriggered"]), (True, False, True))
        host.finish(silent["syncId"])
        # A revoked one is told as what it is.
        sim.control(revoke=1)
        self.sql_write("UPDATE connections SET access_obtained_at=access_obtained_at-7200000000")
        revoked = host.get(BASE + "/auth/start?bypass=true")
        self.check_error(revoked, 409, "needs_reauth")
        self.assertIn("authUrl", revoked.json)
        self.assertEqual(host.get(BASE + "/connection").json["state"], "needs_reauth")

    def sql_write(self, statement):
        """Makes the stored access token older than it is, since the host's clock can't be moved."""
        import sqlite3
        connection = sqlite3.connect(self.store, timeout=30)
        connection.execute(statement)
        connection.commit()
        connection.close()

    def test_the_demo_user_never_syncs_by_a_bypass(self):
        sim = self.sim()
        host = self.host(sim)
        host.finish(host.connect("demo-user").query["sync_id"], "demo-user")
        body = host.get(BASE + "/auth/start?bypass=true", "demo-user").json
        self.assertEqual((body["connectionVerified"], body["syncTriggered"], "syncId" in body), (True, False, False))


class Recoveries(HostCase):
    def test_an_empty_account_is_synced_once_and_the_reason_told_afterwards(self):
        sim = self.sim(events=0)
        host = self.host(sim)
        nobody = host.get(BASE + "/recoveries").json
        self.assertEqual((nobody["totalAmount"], nobody["currency"], nobody["claimCount"], nobody["totals"], nobody["mixedCurrencies"]), (0, "USD", 0, [], False))
        self.assertEqual((nobody["reason"], nobody["syncTriggered"]), ("not_connected", False))
        host.finish(host.connect().query["sync_id"])
        for _ in range(3):
            read = host.get(BASE + "/recoveries").json
            self.assertEqual((read["reason"], read["syncTriggered"], read["needsSync"]), ("no_reimbursements_found", False, False))
            self.assertNotEqual(read["message"], SYNCING)
        self.assertEqual(host.get("/api/sync/history").json["total"], 1)

    def test_what_was_never_synced_is_synced_by_reading_it(self):
        sim = self.sim()
        host = self.host(sim)
        run = host.connect().query["sync_id"]
        # The first sync failed before it read anything.
        sim.fault("/sellers", "status", status=503)
        host.post(f"/api/sync/cancel/{run}")
        host.finish(run)
        sim.control(clearFaults=True)
        self.assertEqual(host.get(BASE + "/recoveries").json["reason"], "cancelled")

    def test_the_series_by_month_adds_up(self):
        sim = self.sim(events=3000)
        host = self.host(sim)
        host.finish(host.connect(seller=3).query["sync_id"])
        body = host.get(BASE + "/recoveries?by=month").json
        self.assertGreater(len(body["totals"]), 1)   # seller 3 sells in three marketplaces
        self.assertIs(body["mixedCurrencies"], True)
        from decimal import Decimal
        for total in body["totals"]:
            months = [m for m in body["months"] if m["currency"] == total["currency"]]
            self.assertEqual(sum(Decimal(str(m["amount"])) for m in months), Decimal(str(total["amount"])))
            self.assertEqual(sum(m["count"] for m in months), total["count"])
        home = next(t for t in body["totals"] if t["currency"] == body["currency"])
        self.assertEqual(body["totalAmount"], home["amount"])
        self.assertEqual(amounts(body["totals"]), amounts(sim.truth(3)["transactions"]["recoveries"]))
        self.assertEqual(body["source"], "reimbursements")
        self.assertTrue(body["asOf"] and body["coverage"] and body["findings"] is not None)


class Syncs(HostCase):
    def test_a_manual_start_and_the_one_that_is_there_already(self):
        sim = self.sim()
        host = self.host(sim)
        self.check_error(host.post("/api/sync/start"), 409, "not_connected")
        first = host.connect().query["sync_id"]
        host.finish(first)
        sim.fault("/finances", "slow", delayMs=1500)
        for path in ("/api/sync/start", "/api/sync/force", BASE + "/sync"):
            started = host.post(path)
            self.assertEqual(started.status, 200)
            self.assertEqual({k: started.json[k] for k in ("status", "message")}, {"status": "in_progress", "message": "Sync started successfully"})
            run = started.json["syncId"]
            again = host.post(path)
            self.check_error(again, 409, "sync_in_progress")
            self.assertEqual(again.json["existingSyncId"], run)
            self.assertEqual(host.get("/api/sync/status").json["lastSync"]["syncId"], run)
            self.assertEqual(host.finish(run)["status"], "completed")
        history = host.get("/api/sync/history").json
        self.assertEqual(history["total"], 4)
        self.assertEqual(history["syncs"][-1]["syncId"], first)
        self.assertEqual([s["startedAt"] for s in history["syncs"]], sorted((s["startedAt"] for s in history["syncs"]), reverse=True))
        self.assertEqual([s["syncId"] for s in host.get("/api/sync/history?limit=2&offset=1").json["syncs"]], [s["syncId"] for s in history["syncs"][1:3]])
        for bad in ("limit=0", "limit=101", "limit=x", "limit=-1", "offset=-1", "offset=1.5", "limit="):
            self.check_error(host.get("/api/sync/history?" + bad), 400, "invalid_argument")

    def test_a_sync_is_its_own_users(self):
        sim = self.sim()
        host = self.host(sim)
        run = host.connect().query["sync_id"]
        self.check_error(host.get(f"/api/sync/status/{run}", "somebody-else"), 404, "not_found")
        self.check_error(host.post(f"/api/sync/cancel/{run}", "somebody-else"), 404, "not_found")
        self.assertEqual(host.get("/api/sync/history", "somebody-else").json, {"syncs": [], "total": 0})
        self.assertEqual(host.get("/api/sync/status", "somebody-else").json, {"hasActiveSync": False, "lastSync": None})
        host.finish(run)

    def test_cancelling_and_disconnecting(self):
        sim = self.sim()
        host = self.host(sim)
        sim.fault("/finances", "hang")
        run = host.connect().query["sync_id"]
        cancelled = host.post(f"/api/sync/cancel/{run}")
        self.assertEqual(cancelled.status, 200)
        self.assertEqual(host.finish(run)["status"], "cancelled")
        self.check_error(host.post(f"/api/sync/cancel/{run}"), 409, "sync_over")
        run = host.post("/api/sync/start").json["syncId"]
        self.assertEqual(host.post(BASE + "/disconnect").status, 200)
        self.assertEqual(host.finish(run)["status"], "cancelled")
        self.assertEqual(host.get(BASE + "/connection").json["state"], "disconnected")
        self.check_error(host.post(BASE + "/disconnect"), 409, "not_connected")
        self.check_error(host.post("/api/sync/start"), 409, "not_connected")
        self.assertEqual(self.sql("SELECT count(*) FROM connections WHERE refresh_token IS NOT NULL OR access_token IS NOT NULL")[0][0], 0)

    def test_a_storm_of_triggers_of_every_kind_is_one_run(self):
        sim = self.sim()
        host = self.host(sim)
        trips = [host.agree(host.start_consent(), 1) for _ in range(20)]
        sim.fault("/sellers", "slow", delayMs=3000)   # the run stays active while they all come
        first = host.connect().query["sync_id"]

        def trigger(n):
            kind = n % 4
            if kind == 0:
                return host.post(BASE + "/auth/callback", body=trips[n // 4]).json["syncId"]
            if kind == 1:
                return host.get(BASE + "/auth/start?bypass=true").json["syncId"]
            if kind == 2:
                return host.get(BASE + "/recoveries").json["syncId"]
            answer = host.post("/api/sync/start")
            return answer.json["existingSyncId"] if answer.status == 409 else answer.json["syncId"]

        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            ids = set(pool.map(trigger, range(80)))
        self.assertEqual(ids, {first})
        sim.control(clearFaults=True)
        host.finish(first)
        # The new authorisations that the active run could not know of are covered by one run after it.
        last = host.get("/api/sync/history").json
        self.assertEqual(last["total"], 2)
        self.assertEqual(host.finish(last["syncs"][0]["syncId"])["status"], "completed")
        self.check_truth(host, sim)


class Pauses(HostCase):
    def test_a_user_pauses_and_resumes_and_nobody_else_is_touched(self):
        sim = self.sim()
        host = self.host(sim)
        self.check_error(host.post("/api/sync/pause"), 404, "not_found")   # nobody who was never here
        for user, seller in (("user-1", 1), ("user-2", 2)):
            host.finish(host.connect(user, seller).query["sync_id"], user)
        for _ in range(2):
            paused = host.post("/api/sync/pause")
            self.assertEqual((paused.status, paused.json["paused"]), (200, True))
        self.assertIs(host.get("/api/sync/status").json["paused"], True)
        kept = host.post("/api/sync/start").json
        self.assertEqual(kept["status"], "queued")
        other = host.post("/api/sync/start", "user-2").json
        self.assertEqual(host.finish(other["syncId"], "user-2")["status"], "completed")
        run = host.get("/api/sync/status/" + kept["syncId"]).json
        self.assertEqual((run["status"], run["progress"]), ("queued", 0))
        with host.events(last_event_id=0) as events:
            self.assertEqual(host.post("/api/sync/resume").status, 200)
            seen = events.until(kept["syncId"])
        self.assertEqual([e.type for e in seen if e.type in ("sync.paused", "sync.resumed")], ["sync.paused", "sync.resumed"])
        self.assertNotIn("paused", host.get("/api/sync/status").json)
        command = lambda *args: subprocess.run([BIN / "amzsync", *args], env={**os.environ, **host.env}, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
        command("pause", "--all")
        host.post("/api/sync/pause")
        self.assertIs(host.post("/api/sync/resume").json["paused"], True)   # with everybody
        self.assertIs(json.loads(command("resume", "--user", "user-1", "--json"))["paused"], True)
        command("resume", "--all")
        self.assertIs(host.post("/api/sync/resume").json["paused"], False)
        self.check_truth(host, sim)


class Notifications(HostCase):
    def test_a_notification_of_the_users_own_seller_starts_a_sync(self):
        sim = self.sim()
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        host.finish(host.connect("user-2", 2).query["sync_id"], "user-2")
        message = json.dumps({"NotificationVersion": "1.0", "NotificationType": "FBA_INVENTORY_AVAILABILITY_CHANGES", "PayloadVersion": "1.0", "EventTime": "2026-11-23T15:00:00Z",
                              "Payload": {"SellerId": sim.truth(1)["sellerId"], "FNSKU": "X", "ASIN": "B", "SKU": "S", "FulfillmentInventoryByMarketplace": []},
                              "NotificationMetadata": {"ApplicationId": "a", "SubscriptionId": "s", "PublishTime": "2026-11-23T15:00:01Z", "NotificationId": "n-1"}})
        taken = host.post(BASE + "/notify", body=message)
        self.assertEqual((taken.status, taken.json["syncTriggered"]), (200, True))
        run = host.finish(taken.json["syncId"])
        self.assertEqual((run["status"], run["trigger"]), ("completed", "notification"))
        again = host.post(BASE + "/notify", body=message).json
        self.assertEqual((again["syncTriggered"], again["notifications"][0]["duplicate"]), (False, True))
        self.check_error(host.post(BASE + "/notify", "user-2", body=message), 404, "not_found")
        for wrong in ("", "{}", "hello", "[1]", '{"Records":[]}'):
            self.check_error(host.post(BASE + "/notify", body=wrong), 400, "invalid_argument")
        # Whoever only wanted to connect that seller, or no longer is connected, is told nothing of it.
        self.check_error(host.post(BASE + "/auth/callback", "user-3", body=host.agree(host.start_consent("user-3"), 1)), 409, "seller_already_connected")
        self.check_error(host.post(BASE + "/notify", "user-3", body=message), 404, "not_found")
        self.assertEqual(host.post(BASE + "/disconnect").status, 200)
        self.check_error(host.post(BASE + "/notify", body=message), 404, "not_found")


class NewSecret(HostCase):
    def test_a_new_client_secret_is_taken_at_a_hangup(self):
        import os
        import signal
        sim = self.sim()
        path = os.path.join(self.folder, "secret")
        with open(path, "w", encoding="utf-8") as file:
            file.write("first-secret")
        host = self.host(sim, lwa_client_secret=None, lwa_client_secret_file=path)
        host.finish(host.connect().query["sync_id"])
        sim.control(clientSecret="second-secret")
        refused = host.agree(host.start_consent(), 1)
        self.check_error(host.post(BASE + "/auth/callback", body=refused), 502, "app_credentials_invalid")
        with open(path, "w", encoding="utf-8") as file:
            file.write("second-secret\n")
        host.process.send_signal(signal.SIGHUP)
        # The signal is taken note of at some moment after it was sent; until then Amazon goes on refusing.
        for _ in range(100):
            answer = host.post(BASE + "/auth/callback", body=host.agree(host.start_consent(), 1))
            if answer.status == 200:
                break
        self.assertEqual(answer.status, 200, answer.body)


class Detections(HostCase):
    def test_what_amazon_owes_is_listed_summed_up_explained_and_followed(self):
        sim = self.sim(events=100, skus=30, plant=120, history_days=200)
        host = self.host(sim, history_days="200")
        empty = host.get("/api/detections/results").json
        self.assertEqual((empty["findings"], empty["total"]), ([], 0))
        consent = host.start_consent()
        back = host.agree(consent, 1)
        started = host.post(BASE + "/auth/callback", body={"state": back["state"], "spapi_oauth_code": back["spapi_oauth_code"], "selling_partner_id": back["selling_partner_id"]}).json
        run = host.finish(started["syncId"])
        self.assertEqual(run["status"], "completed")
        ready = host.get("/api/detections/results?status=claim_ready").json
        self.assertEqual(ready["total"], run["claimsDetected"])
        self.assertGreater(ready["total"], 5)
        self.assertEqual([f["deadline"] for f in ready["findings"]], sorted(f["deadline"] for f in ready["findings"]))
        self.assertEqual(ready["total"], self.sql("SELECT count(*) FROM amz_findings WHERE readiness='claim_ready'")[0][0])
        page = host.get("/api/detections/results?limit=1&offset=1&status=claim_ready").json
        self.assertEqual([f["id"] for f in page["findings"]], [ready["findings"][1]["id"]])
        rule = ready["findings"][0]["rule"]
        self.assertEqual({f["rule"] for f in host.get(f"/api/detections/results?type={rule}").json["findings"]}, {rule})

        statistics = host.get("/api/detections/statistics").json
        self.assertEqual(amounts(host.get(BASE + "/recoveries").json["findings"]["claimable"]), amounts(statistics["claimable"]))
        priced = [f for f in ready["findings"] if f["amount"] is not None]
        self.assertEqual(sum(t["count"] for t in statistics["claimable"]), len(priced))

        one = priced[0]["id"]
        why = host.get(f"/api/detections/{one}/explain").json
        self.assertEqual(why["findings"][0]["id"], one)
        self.assertTrue(why["rows"])
        self.assertEqual(host.call("PUT", f"/api/detections/{one}/state", body={"state": "filed", "caseId": "77"}).json["caseId"], "77")
        self.assertEqual(host.call("PUT", f"/api/detections/{one}/state", body={"state": "won"}).json["state"], "won")
        after = host.get("/api/detections/statistics").json
        self.assertEqual(sum(t["count"] for t in after["paid"]), 1)
        self.assertEqual(sum(t["count"] for t in after["claimable"]), len(priced) - 1)

        for path in ("?status=perhaps", "?type=no_rule", "?limit=0", "?limit=x", "?offset=-1"):
            self.check_error(host.get("/api/detections/results" + path), 400, "invalid_argument")
        self.check_error(host.call("PUT", f"/api/detections/{one}/state", body={"state": "paid"}), 400, "invalid_argument")
        self.check_error(host.call("PUT", f"/api/detections/{one}/state", body=b"[]"), 400, "invalid_json")
        self.check_error(host.get("/api/detections/nothing/explain"), 404, "not_found")
        # Of another user nothing is seen, and nothing is written.
        self.check_error(host.get(f"/api/detections/{one}/explain", "user-2"), 404, "not_found")
        self.check_error(host.call("PUT", f"/api/detections/{one}/state", "user-2", body={"state": "lost"}), 404, "not_found")
        self.assertEqual(host.get("/api/detections/results", "user-2").json["total"], 0)


class Export(HostCase):
    def lines(self, host, query="", user="user-1"):
        answer = host.get("/api/export" + query, user)
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/x-ndjson"), answer.body[:300])
        return [json.loads(line) for line in answer.body.decode().splitlines()]

    def test_a_users_data_leaves_as_lines_or_as_a_table_and_nobody_elses(self):
        sim = self.sim(events=3000, skus=60, plant=120, history_days=200)
        host = self.host(sim, history_days="200")
        host.finish(host.connect().query["sync_id"])
        host.finish(host.connect("user-2", 2).query["sync_id"], "user-2")
        every = self.lines(host)
        self.assertEqual(self.lines(host, "?what=all"), every)
        # Many chunks of a stream, all of them whole.
        self.assertGreater(sum(len(json.dumps(row)) for row in every), 2_000_000)
        for stream, table in (("transactions", "amz_transactions"), ("ledger", "amz_ledger"), ("inventory", "amz_inventory")):
            self.assertEqual(len([row for row in every if row["stream"] == stream]), self.sql(f"SELECT count(*) FROM {table} WHERE user_id='user-1'")[0][0])
        table = host.get("/api/export?what=reimbursements&format=csv")
        self.assertEqual(table.headers["Content-Type"], "text/csv; charset=utf-8")
        self.assertIn('filename="reimbursements.csv"', table.headers["Content-Disposition"])
        self.assertEqual(len(list(csv.DictReader(table.body.decode().splitlines(keepends=True)))), sim.truth(1)["reports"]["reimbursements"]["rows"])
        *changes, last = self.lines(host, "?since=0")
        self.assertEqual(len(changes), len(every))
        self.assertEqual(self.lines(host, f"?since={last['position']}"), [last])
        packets = self.lines(host, "?what=findings&status=claim_ready")
        self.assertEqual({p["finding"]["id"] for p in packets}, {f["id"] for f in host.get("/api/detections/results?status=claim_ready&limit=1000").json["findings"]})
        self.assertTrue(all(p["rows"] for p in packets))

        self.assertEqual({row["row"]["user_id"] for row in self.lines(host, "?what=transactions", "user-2")}, {"user-2"})
        for query in ("what=weather", "format=xml", "format=csv", "since=-1", "since=x", "what=findings&since=1", "what=findings&status=odd"):
            with self.subTest(query):
                self.check_error(host.get("/api/export?" + query), 400, "invalid_argument")
        self.check_error(host.get("/api/export", "nobody"), 404, "not_found")
        self.check_error(host.get("/api/export", None), 401, "unauthorized")

    def test_who_reads_nothing_keeps_nobody_waiting(self):
        sim = self.sim(events=20000, skus=60)
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        idle = []
        for _ in range(3):
            s = socket.create_connection(("127.0.0.1", host.port))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.sendall(f"GET /api/export HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {jwt('user-1')}\r\n\r\n".encode())
            idle.append(s)
        self.assertEqual(host.get("/api/sync/status").status, 200)
        self.assertFalse(host.post("/api/sync/start").json.get("error"))
        for s in idle:
            s.close()
        host.finish(host.get("/api/sync/status").json["lastSync"]["syncId"])
        self.assertGreater(len(self.lines(host, "?what=transactions")), 10000)
        self.assertEqual(host.stop(), 0)


class Erase(HostCase):
    def test_everything_of_a_user_goes_with_a_receipt_and_nobody_elses(self):
        sim = self.sim(events=300)
        host = self.host(sim)
        goes, stays = "goes", "stays"
        for seller, user in enumerate((goes, stays), start=1):
            host.finish(host.connect(user, seller).query["sync_id"], user)
        kept = host.get(BASE + "/recoveries", stays).json["totals"]
        receipt = host.post("/api/erase", goes)
        self.assertEqual(receipt.status, 200, receipt.body)
        self.assertTrue(receipt.json["success"])
        self.assertEqual(receipt.json["state"], "erased", receipt.body)
        self.assertGreater(receipt.json["rows"]["transactions"], 100)
        self.assertEqual(receipt.json["total"], sum(receipt.json["rows"].values()))
        self.assertTrue(any("back-ups" in what for what in receipt.json["outOfReach"]))
        self.assertEqual(host.get(BASE + "/connection", goes).json["state"], "disconnected")
        self.assertEqual(host.get("/api/sync/history", goes).json["total"], 0)
        self.assertEqual(host.get(BASE + "/recoveries", stays).json["totals"], kept)
        # Again is no error, and finds nothing.
        again = host.post("/api/erase", goes).json
        self.assertFalse(again["known"])
        self.assertEqual(again["total"], 0)


if __name__ == "__main__":
    unittest.main()
