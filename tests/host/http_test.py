# SPDX-License-Identifier: Apache-2.0
"""Who is the user, and what becomes of requests that are malformed, too large, too slow or meant badly."""
import concurrent.futures
import hmac
import json
import re
import socket
import time
import unittest

from harness import BASE, FRONT, JWT_SECRET, HostCase, encoded, fetch, jwt

STATUS = "/api/sync/status"


class Limits(HostCase):
    def test_who_asks_too_often_waits_and_nobody_else_does(self):
        sim = self.sim(events=0)
        host = self.host(sim, user_requests_per_minute="5", address_requests_per_minute="40")
        self.assertEqual([host.get(STATUS).status for _ in range(5)], [200] * 5)
        refused = next(answer for answer in (host.get(STATUS) for _ in range(30)) if answer.status != 200)
        self.check_error(refused, 429, "too_many_requests")
        self.assertGreaterEqual(int(refused.headers["Retry-After"]), 1)
        self.assertEqual(host.get(STATUS, "user-2").status, 200)
        # From one address, whoever it says that it is, and whatever it asks for.
        refused = next(answer for answer in (host.get("/nowhere", user=None) for _ in range(300)) if answer.status != 404)
        self.check_error(refused, 429, "too_many_requests")
        self.check_error(host.get(STATUS, "user-3"), 429, "too_many_requests")
        for probe in ("/healthz", "/readyz"):
            self.assertEqual(host.get(probe, user=None).status, 200)


class Users(HostCase):
    def setUp(self):
        super().setUp()
        self.it = self.host(self.sim(events=0))

    def bearer(self, token):
        return self.it.get(STATUS, headers={"Authorization": "Bearer " + token})

    def test_a_good_token_is_a_user(self):
        self.assertEqual(self.bearer(jwt("user-1")).status, 200)
        self.assertEqual(self.it.get(STATUS, user=None, headers={"Cookie": "other=1; session_token=" + jwt("user-1")}).status, 200)
        # RFC 7519: dates are numbers, whole or not; RFC 9110: the scheme has no case.
        for claims in ({"exp": time.time() + 3600.5}, {"nbf": time.time() - 1.5}, {"nbf": int(time.time()) + 30}):
            self.assertEqual(self.bearer(jwt("user-1", **claims)).status, 200, claims)
        self.assertEqual(self.it.get(STATUS, headers={"Authorization": "bearer " + jwt("user-1")}).status, 200)

    def test_every_other_token_is_nobody(self):
        good = jwt("user-1")
        header, payload, signature = good.split(".")
        none = encoded(b'{"alg":"none","typ":"JWT"}')

        def signed(head):
            text = encoded(json.dumps(head).encode()) + "." + payload
            return text + "." + encoded(hmac.new(JWT_SECRET.encode(), text.encode(), "sha256").digest())

        self.assertEqual(self.bearer(signed({"alg": "HS256", "typ": "JWT"})).status, 200)
        for name, token in {
            "empty": "",
            "no token at all": "nonsense",
            "another secret": jwt("user-1", secret="another"),
            "empty secret": jwt("user-1", secret=""),
            "another algorithm": jwt("user-1", algorithm="HS512"),
            "another algorithm still": jwt("user-1", algorithm="HS384"),
            "an algorithm in other letters": signed({"alg": "hs256", "typ": "JWT"}),
            "with something critical": signed({"alg": "HS256", "typ": "JWT", "crit": ["b64"], "b64": False}),
            "no algorithm": f"{none}.{payload}.",
            "no algorithm, signed": f"{none}.{payload}.{signature}",
            "changed": f"{header}.{encoded(json.dumps({'sub': 'admin', 'exp': 99999999999}).encode())}.{signature}",
            "cut": good[:-2],
            "expired": jwt("user-1", exp=int(time.time()) - 1),
            "just expired": jwt("user-1", exp=time.time() - 0.5),
            "without an end": jwt("user-1", exp=None),
            "with an end in words": jwt("user-1", exp="99999999999"),
            "not yet good": jwt("user-1", nbf=int(time.time()) + 600),
            "without a subject": jwt(None),
            "with an empty subject": jwt(""),
            "with a number as its subject": jwt(7),
            "very long": jwt("u" * 10_000),
        }.items():
            with self.subTest(name):
                self.check_error(self.bearer(token), 401, "unauthorized")
        for headers in ({}, {"Authorization": "Basic " + jwt("user-1")}, {"Cookie": "session_token=" + jwt("user-1", secret="another")}):
            self.check_error(self.it.get(STATUS, user=None, headers=headers), 401, "unauthorized")
        self.check_error(self.it.get(STATUS + "?userId=user-1", user=None), 401, "unauthorized")   # that is for demos

    def test_a_subject_that_can_be_no_user_is_refused(self):
        for subject in (" user", "user\n", "u" * 201):
            self.check_error(self.it.get(STATUS, subject), 400, "invalid_argument")
            self.check_error(self.it.get("/api/sse/status", subject), 400, "invalid_argument")

    def test_a_cookie_alone_acts_only_from_our_own_pages(self):
        cookie = {"Cookie": "session_token=" + jwt("user-1")}
        self.check_error(self.it.post("/api/sync/start", user=None, headers=cookie), 403, "origin_not_allowed")
        # A GET of a page's script can start something too; a navigation tells no origin.
        for path in (BASE + "/auth/start?bypass=true", BASE + "/recoveries"):
            self.check_error(self.it.get(path, user=None, headers={**cookie, "Origin": "https://evil.example"}), 403, "origin_not_allowed")
        self.assertEqual(self.it.get(BASE + "/recoveries", user=None, headers=cookie).status, 200)
        for origin in ("https://evil.example", "null", "https://front.example.evil.example", "http://front.example"):
            self.check_error(self.it.post("/api/sync/start", user=None, headers={**cookie, "Origin": origin}), 403, "origin_not_allowed")
        for headers in ({"Origin": FRONT}, {"Referer": FRONT + "/dashboard"}, {"Origin": self.it.url}):
            self.check_error(self.it.post("/api/sync/start", user=None, headers={**cookie, **headers}), 409, "not_connected")   # it got through

    def test_other_pages_may_not_read_our_answers(self):
        for origin, allowed in ((FRONT, FRONT), ("https://evil.example", None), ("https://front.example.evil.example", None)):
            answer = self.it.get(STATUS, headers={"Origin": origin, "Authorization": "Bearer " + jwt("user-1")})
            self.assertEqual(answer.headers["Access-Control-Allow-Origin"], allowed)
        preflight = self.it.call("OPTIONS", STATUS, user=None, headers={"Origin": FRONT})
        self.assertEqual((preflight.status, preflight.headers["Access-Control-Allow-Origin"]), (204, FRONT))


class Requests(HostCase):
    def setUp(self):
        super().setUp()
        self.it = self.host(self.sim(events=0))

    def raw(self, data, then_close=False):
        """What comes back for these bytes."""
        with socket.create_connection(("127.0.0.1", self.it.port), timeout=60) as s:
            s.sendall(data)
            if then_close:
                s.shutdown(socket.SHUT_WR)
            received = b""
            while True:
                piece = s.recv(65536)
                if not piece:
                    return received
                received += piece

    def head(self, line, *headers):
        return "\r\n".join([line, "Host: x", "Connection: close", "Authorization: Bearer " + jwt("user-1"), *headers, "", ""]).encode()

    def test_what_is_no_http_is_told_so(self):
        for data in (b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", self.head("GET relative HTTP/1.1"), self.head("GET /api/%zz HTTP/1.1"),
                     self.head("GET /api/sync/status?a=%f HTTP/1.1"), self.head("POST /api/sync/start HTTP/1.1", "Content-Length: -1"), self.head("POST /api/sync/start HTTP/1.1", "Content-Length: x")):
            with self.subTest(data[:40]):
                answer = self.raw(data)
                self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
                self.assertIn(b'"success":false', answer)

    def test_too_much_is_refused(self):
        self.assertTrue(self.raw(self.head("GET / HTTP/1.1", "X: " + "x" * 20_000)).startswith(b"HTTP/1.1 431 "))
        self.assertTrue(self.raw(self.head("GET /" + "x" * 20_000 + " HTTP/1.1")).startswith(b"HTTP/1.1 431 "))
        body = b"{" + b" " * (1 << 20) + b"}"
        answer = self.raw(self.head("POST /api/sync/start HTTP/1.1", f"Content-Length: {len(body)}"))
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer)
        self.assertIn(b'"error":"body_too_large"', answer)

    def test_a_request_that_does_not_arrive_ends_with_408(self):
        halves = (b"", b"GET / HT", self.head("POST /api/sync/start HTTP/1.1", "Content-Length: 10") + b"{")
        with concurrent.futures.ThreadPoolExecutor(len(halves)) as pool:
            for answer in pool.map(self.raw, halves):
                self.assertTrue(answer.startswith(b"HTTP/1.1 408 "), answer)

    def test_json_that_is_none_is_refused(self):
        for path in ("/api/sync/start", BASE + "/auth/callback"):
            for body in (b"{", b"[]", b"7", b'{"a":}', b'{"state":"\xff\xfe"}', b'{"a":' * 2000, b"nonsense"):
                with self.subTest((path, body[:10])):
                    self.check_error(self.it.post(path, body=body), 400, "invalid_json")
        self.check_error(self.it.post(BASE + "/auth/callback", body=b'{"state":7,"code":[],"selling_partner_id":{}}'), 400, "invalid_state")
        self.check_error(self.it.post("/api/sync/start", body=b'{"streams":"nonsense"}'), 400, "invalid_argument")
        self.check_error(self.it.post("/api/sync/start", body=b'{"streams":["inventory"]}'), 400, "invalid_argument")

    def test_addresses_that_are_none_and_methods_that_do_not_fit(self):
        self.check_error(self.it.get("/api/nothing"), 404, "not_found")
        self.check_error(self.it.get("/api/sync/status/%00"), 400, "bad_request")
        self.check_error(self.it.get("/api/sync/status/%ff%fe"), 404, "not_found")
        self.check_error(self.it.get("/api/sync/status/a/b"), 404, "not_found")
        self.check_error(self.it.get("/api/sync/start"), 405, "method_not_allowed")
        self.check_error(self.it.call("DELETE", STATUS), 405, "method_not_allowed")
        self.assertEqual(self.it.call("HEAD", BASE + "/auth/start").status, 405)   # it would start something
        long_state = self.it.post(BASE + "/auth/callback", body={"state": "x" * 5000, "code": "y"})
        self.check_error(long_state, 400, "invalid_argument")

    def test_half_a_request_and_an_empty_connection_do_no_harm(self):
        self.assertEqual(self.raw(b"", then_close=True), b"")
        self.assertEqual(self.raw(b"GET /api", then_close=True), b"")
        self.assertEqual(self.it.get(STATUS).status, 200)

    def test_what_operators_ask(self):
        self.assertEqual(self.it.get("/healthz", user=None).json, {"status": "ok"})
        self.assertEqual(self.it.get("/readyz", user=None).json, {"status": "ready", "warnings": []})
        metrics = self.it.get("/metrics", user=None)
        self.assertIn(b"\namzsync_connections 0\n", metrics.body)
        page = self.it.get("/", user=None)
        self.assertEqual((page.status, page.headers["X-Content-Type-Options"]), (200, "nosniff"))
        self.assertIn("default-src 'none'", page.headers["Content-Security-Policy"])
        self.assertEqual(self.it.call("HEAD", "/", user=None).body, b"")

    def test_the_dashboards_files_are_served_and_kept_by_the_browser(self):
        page = self.it.get("/dashboard", user=None)
        named = re.findall(rb'(?:href|src)="(/dashboard/[^"]+)"', page.body)
        self.assertEqual(len(named), 2)
        kinds = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
        for path in (name.decode() for name in named):
            file = self.it.get(path, user=None)
            self.assertEqual((file.status, file.headers["Content-Type"], file.headers["Cache-Control"]), (200, kinds[path.rsplit(".", 1)[1]], "no-cache"))
            again = self.it.get(path, user=None, headers={"If-None-Match": file.headers["ETag"]})
            self.assertEqual((again.status, again.body, again.headers.get("Content-Length")), (304, b"", None))
            other = self.it.get(path, user=None, headers={"If-None-Match": '"another"'})
            self.assertEqual((other.status, other.body), (200, file.body))
        for path in ("/dashboard/nothing.js", "/dashboard/..%2Fmain.cpp"):
            self.assertEqual(self.it.get(path, user=None).status, 404)


if __name__ == "__main__":
    unittest.main()
