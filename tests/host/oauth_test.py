# SPDX-License-Identifier: Apache-2.0
"""Connecting a seller by Amazon's consent page, over HTTP, as a browser does it."""
import threading
import unittest
import urllib.parse

from harness import BASE, FRONT, HostCase, fetch, jwt


def callback(host, back, user="user-1"):
    return host.get(f"{BASE}/auth/callback?" + urllib.parse.urlencode(back), user)


class Consent(HostCase):
    def test_from_the_button_to_the_recoveries_in_both_finance_sources(self):
        for finances, source in (("2024-06-19", "transactions"), ("v0", "financial_events")):
            with self.subTest(finances):
                self.store = self.folder / f"{finances}.db"
                sim = self.sim()
                host = self.host(sim, finances=finances)
                consent = host.start_consent()
                self.assertEqual({k: consent[k] for k in ("success", "ok", "message")}, {"success": True, "ok": True, "message": "OAuth flow initiated"})
                self.assertEqual(consent["authUrl"], consent["redirectTo"])
                sent = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(consent["authUrl"]).query))
                self.assertEqual(sent["state"], consent["state"])
                self.assertEqual(sent["application_id"], "amzn1.sp.solution.test")

                answer = callback(host, host.agree(consent, 2))
                self.assertEqual(answer.status, 302)
                self.assertTrue(answer.location.startswith(FRONT + "/dashboard?"), answer.location)
                self.assertEqual(answer.query["amazon_connected"], "true")
                self.assertTrue(answer.query["message"])
                self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")

                run = host.finish(answer.query["sync_id"])
                self.assertEqual((run["status"], run["progress"], run["message"]), ("completed", 100, "Complete"))
                self.assertEqual(run["userId"], "user-1")
                self.assertEqual({s["name"] for s in run["streams"]}, {"participations", source, "inventory", "inbound", *sim.truth(1)["reports"]})
                self.check_truth(host, sim, seller=2, source=source)
                connection = host.get(BASE + "/connection").json
                self.assertEqual((connection["state"], connection["sellerId"]), ("connected", sim.truth(2)["sellerId"]))

    def test_the_callback_needs_the_token_endpoint_only(self):
        sim = self.sim()
        host = self.host(sim)
        for path in ("/sellers", "/finances", "/fba"):
            sim.fault(path, "hang")
        answer = host.connect()
        self.assertEqual(answer.status, 302)
        run = host.get("/api/sync/status/" + answer.query["sync_id"]).json
        self.assertIn(run["status"], ("queued", "in_progress"))
        self.assertIs(host.get("/api/sync/status").json["hasActiveSync"], True)

    def test_no_callback_stands_in_line_behind_calls_that_hang(self):
        places, sellers = 64, 80   # calls to Amazon's data that go at once, and more sellers than that
        sim = self.sim(events=10, skus=5, sellers=sellers)
        host = self.host(sim)
        sim.control(faults=[{"path": "/sellers", "kind": "hang", "times": places}])
        for n in range(1, sellers + 1):
            self.assertEqual(callback(host, host.agree(host.start_consent(f"user-{n}"), n), f"user-{n}").query.get("amazon_connected"), "true")
        self.assertIn(b"amzsync_runs_active %d" % sellers, fetch(host.url + "/metrics").body)
        # Had one of the hanging calls ended for a sign-in to pass, the next in line would have taken its place, and would have been answered.
        self.assertNotIn("getMarketplaceParticipations", sim.stats()["operations"])

    def test_every_wrong_callback_sends_the_browser_home_with_a_code(self):
        sim = self.sim()
        host = self.host(sim)

        def code_of(user="user-1", **back):
            answer = callback(host, back, user)
            self.assertEqual(answer.status, 302, answer.body)
            self.assertEqual(answer.query["amazon_error"], "true")
            self.assertTrue(answer.location.startswith(FRONT + "/dashboard?"), answer.location)
            return answer.query["error"]

        state = host.start_consent()["state"]
        self.assertEqual(code_of(state="made-up", spapi_oauth_code="x"), "invalid_state")
        self.assertEqual(code_of(spapi_oauth_code="x"), "invalid_state")
        self.assertEqual(code_of(state=state), "missing_code")
        self.assertEqual(code_of(state=state, error="access_denied"), "consent_denied")
        self.assertEqual(code_of("somebody-else", state=state, spapi_oauth_code="x"), "state_user_mismatch")
        self.assertEqual(code_of(state=state, spapi_oauth_code="made-up"), "invalid_grant")
        self.assertEqual(code_of(state=state, spapi_oauth_code="made-up"), "invalid_state")
        # A state serves once, also after success.
        back = host.agree(host.start_consent(), 1)
        self.assertIn("sync_id", callback(host, back).query)
        self.assertEqual(code_of(**back), "invalid_state")
        # A seller belongs to one user.
        back = host.agree(host.start_consent("somebody-else"), 1)
        self.assertEqual(code_of("somebody-else", **back), "seller_already_connected")
        self.check_error(host.get("/api/sync/status/nothing", "somebody-else"), 404, "not_found")

    def test_the_same_as_json(self):
        sim = self.sim()
        host = self.host(sim)
        back = host.agree(host.start_consent(), 1)

        def post(user="user-1", **body):
            return host.post(BASE + "/auth/callback", user, body=body)

        self.check_error(post(state="made-up", code="x"), 400, "invalid_state")
        self.check_error(post(state=back["state"]), 400, "missing_code")
        self.check_error(post("somebody-else", **back), 400, "state_user_mismatch")
        answer = post(**back)
        self.assertEqual(answer.status, 200)
        body = answer.json
        self.assertEqual({k: body[k] for k in ("ok", "connected", "success", "syncTriggered")}, {"ok": True, "connected": True, "success": True, "syncTriggered": True})
        self.assertEqual(set(body), {"ok", "connected", "success", "message", "syncId", "syncTriggered"})   # never a token
        self.assertEqual(host.finish(body["syncId"])["status"], "completed")
        other = host.agree(host.start_consent("somebody-else"), 1)
        self.check_error(post("somebody-else", **other), 409, "seller_already_connected")
        stale = host.start_consent()["state"]
        self.check_error(post(state=stale, code="made-up"), 400, "invalid_grant")

    def test_a_silent_token_endpoint_is_told(self):
        sim = self.sim()
        host = self.host(sim)
        back = host.agree(host.start_consent(), 1)
        sim.control(faults=[{"path": "/auth", "kind": "hang", "times": 1}])
        self.check_error(host.post(BASE + "/auth/callback", body=back), 502, "amazon_unavailable")

    def test_a_host_that_is_stopped_while_amazon_has_the_code_keeps_what_comes_and_answers_the_browser(self):
        sim = self.sim()
        host = self.host(sim)
        back = host.agree(host.start_consent(), 1)
        sim.control(faults=[{"path": "/auth", "kind": "slow", "delayMs": 1500, "times": 1}])
        answers = []
        browser = threading.Thread(target=lambda: answers.append(callback(host, back)))
        browser.start()
        while sim.stats()["operations"].get("token", {}).get("calls", 0) == 0:
            self.assertTrue(browser.is_alive())
        self.assertEqual(host.stop(), 0)
        browser.join()
        self.assertEqual(answers[0].query.get("amazon_connected"), "true")
        following = self.host(sim)
        self.assertEqual(following.finish(answers[0].query["sync_id"])["status"], "completed")
        self.assertEqual(self.sql("SELECT count(*) FROM runs"), [(1,)])

    def test_the_browser_is_sent_nowhere_but_home(self):
        sim = self.sim()
        host = self.host(sim)
        for front in ("https://evil.example", "https://front.example.evil.example", "http://front.example", "https://front.example:444", "javascript:alert(1)", "//evil.example"):
            with self.subTest(front):
                self.check_error(host.get(BASE + "/auth/start?frontend_url=" + urllib.parse.quote(front, "")), 400, "invalid_argument")
        consent = host.start_consent(front="https://other-front.example")
        self.assertTrue(callback(host, host.agree(consent, 1)).location.startswith("https://other-front.example/dashboard?"))
        self.check_error(host.get(BASE + "/auth/start?marketplace=XX"), 400, "invalid_argument")
        self.check_error(host.get(BASE + "/auth/start?marketplace=DE"), 400, "invalid_argument")
        self.assertEqual(host.get(BASE + "/auth/start?marketplace=%00").status, 400)

    def test_a_trip_that_begins_at_amazons_appstore(self):
        sim = self.sim()
        host = self.host(sim)
        uri = sim.url + "/apps/authorize/confirm/app"
        login = host.get(BASE + "/auth/login?" + urllib.parse.urlencode({"amazon_callback_uri": uri, "amazon_state": "from-amazon", "selling_partner_id": "A1"}))
        self.assertEqual(login.status, 302)
        self.assertTrue(login.location.startswith(uri + "?"))
        self.assertEqual(login.query["amazon_state"], "from-amazon")
        back = fetch(login.location).query
        self.assertIn("sync_id", callback(host, back).query)
        draft = host.get(BASE + "/auth/login?" + urllib.parse.urlencode({"amazon_callback_uri": uri + "#x", "amazon_state": "s", "version": "beta"}))
        self.assertEqual((draft.query["version"], draft.query["amazon_state"]), ("beta", "s"))
        for good in ("https://amazon.de/apps/authorize/confirm/app", "https://sellercentral.amazon.co.uk/apps/authorize/confirm/app", "https://sellercentral-europe.amazon.com/apps/authorize/confirm/app"):
            self.assertEqual(host.get(BASE + "/auth/login?" + urllib.parse.urlencode({"amazon_callback_uri": good, "amazon_state": "s"})).status, 302)
        for bad in ("https://evil.example/", "http://amazon.com/", "https://amazon.com.evil.example/", "https://amazon.evil/", "https://notamazon.de/"):
            self.check_error(host.get(BASE + "/auth/login?" + urllib.parse.urlencode({"amazon_callback_uri": bad, "amazon_state": "s"})), 400, "invalid_argument")


class Demo(HostCase):
    def test_the_state_alone_says_whose_consent_it_is_and_parameters_name_users(self):
        sim = self.sim()
        host = self.host(sim, "--demo", jwt_secret=None, redirect_uri=None, frontend_origins=None)

        def go(method, path):
            return host.call(method, path, user=None)

        consent = go("GET", BASE + "/auth/start?userId=anna").json
        page = fetch(consent["authUrl"] + "&sim_seller=1")
        self.assertTrue(page.location.startswith(host.url + BASE + "/auth/callback?"), page.location)
        done = fetch(page.location)   # no userId: Amazon knows none
        self.assertTrue(done.location.startswith(host.url + "/dashboard?"), done.location)
        self.assertEqual(go("GET", "/api/sync/status?userId=anna").json["lastSync"]["syncId"], done.query["sync_id"])
        self.assertIsNone(go("GET", "/api/sync/status").json["lastSync"])
        # Pages of other machines may not act where nobody signs in; those of this one may.
        for origin, status in (("https://evil.example", 403), ("https://localhost.evil.example", 403), ("http://localhost:3000", 200), ("http://127.0.0.1:5173", 200)):
            self.assertEqual(host.call("GET", "/api/sync/status?userId=anna", user=None, headers={"Origin": origin}).status, status, origin)
        # A token, where one is given, must hold in demo mode too.
        self.check_error(host.get("/api/sync/status", headers={"Authorization": "Bearer " + jwt("x")}), 401, "unauthorized")


if __name__ == "__main__":
    unittest.main()
