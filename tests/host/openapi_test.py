# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.yaml is true: every route and status that it names is exercised here, each answer is of its schema, and the host has no other routes."""
import json
import os
import pathlib
import re
import sys
import unittest
import urllib.parse

try:
    import jsonschema
    import yaml
except ImportError:
    if sys.executable == "/usr/bin/python3":
        raise
    os.execv("/usr/bin/python3", ["/usr/bin/python3", "-W", "error::ResourceWarning", *sys.argv])   # whose packages Debian's are

from harness import BASE, FRONT, HostCase

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPEC = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
METHODS = ("get", "post", "put")


def resolved(node):
    return resolved(SPEC["components"][node["$ref"].split("/")[2]][node["$ref"].split("/")[3]]) if "$ref" in node else node


def validator(schema):
    return jsonschema.Draft202012Validator({**schema, "components": SPEC["components"]})


def problems(schema, value):
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in validator(schema).iter_errors(value)]


def is_exact(schema, path=()):
    """Objects whose other fields would go unnoticed."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema and "additionalProperties" not in schema:
            yield path
        for key, part in schema.items():
            yield from is_exact(part, (*path, key))
    elif isinstance(schema, list):
        for i, part in enumerate(schema):
            yield from is_exact(part, (*path, i))


class OpenApi(HostCase):
    def setUp(self):
        super().setUp()
        self.seen = set()

    def ask(self, host, method, path, template=None, user="user-1", **more):
        """Asks, and holds the answer against what is said of this route and status."""
        answer = host.call(method.upper(), path, user, **more)
        template = template or path.split("?")[0]
        operation = SPEC["paths"][template][method]
        self.assertIn(str(answer.status), operation["responses"], (method, path, answer.body[:300]))
        response = resolved(operation["responses"][str(answer.status)])
        self.seen.add((method, template, str(answer.status)))
        kind = answer.headers.get("Content-Type", "").split(";")[0]
        for name, header in response.get("headers", {}).items():
            self.assertTrue(answer.headers.get(name) is not None or not header["required"], (path, name))
        if "content" not in response:
            self.assertEqual(answer.body, b"", path)
            return answer
        self.assertIn(kind, response["content"], (path, answer.body[:300]))
        if kind == "application/json":
            self.assertEqual(problems(response["content"][kind]["schema"], json.loads(answer.body)), [], (method, path, answer.body[:2000]))
        return answer

    def event(self, event):
        kinds = {"connected": "Connected", "sync_progress": "Progress", "sync.started": "Run", "sync.completed": "Run", "sync.failed": "Run", "sync.cancelled": "Run", "detection.completed": "Detection",
                 "sync.paused": "Paused", "sync.resumed": "Paused", "connection.needs_reauth": "NeedsReauth"}
        self.assertEqual(problems({"$ref": f"#/components/schemas/Event{kinds[event.type]}"}, json.loads(event.text)), [], event.text)

    def test_every_route_and_status_is_as_it_says(self):
        sim = self.sim(events=1500, skus=150, plant=120, history_days=540)
        host = self.host(sim, history_days="540")
        user = lambda method, path, template=None, **more: self.ask(host, method, path, template, **more)
        amazon = BASE

        # Nobody signed in.
        for template, item in SPEC["paths"].items():
            for method in METHODS:
                if method in item and "401" in item[method]["responses"]:
                    user(method, template.replace("{id}", "x"), template, user=None)

        # Nobody connected.
        user("get", amazon + "/connection")
        user("get", amazon + "/recoveries")
        user("get", amazon + "/auth/start?bypass=true")
        user("get", amazon + "/auth/start?frontend_url=https://elsewhere.example")
        user("post", amazon + "/disconnect")
        user("get", "/api/sync/status")
        for somebody in ("user-1", "nobody"):
            user("get", "/api/detections/statistics", user=somebody)
            user("get", "/api/detections/results", user=somebody)
        user("get", "/api/export", user="nobody")
        for path in ("/api/sync/pause", "/api/sync/resume"):
            user("post", path, user="nobody")
        for path in ("/api/sync/start", "/api/sync/force", amazon + "/sync"):
            user("post", path)
            user("post", path, body="[]")

        # Connecting: by the browser, by JSON, by the appstore, and what goes wrong on the way.
        user("get", f"{amazon}/auth/login?amazon_callback_uri={sim.url}/back&amazon_state=s")
        user("get", f"{amazon}/auth/login?amazon_callback_uri=https://elsewhere.example&amazon_state=s")
        user("get", amazon + "/auth/callback?state=unknown&code=c")
        user("post", amazon + "/auth/callback", body={"state": "unknown", "code": "c"})
        sim.fault("/finances", "slow", delayMs=2000)
        back = host.agree(user("get", f"{amazon}/auth/start?frontend_url={FRONT}").json, 1)
        first = user("post", amazon + "/auth/callback", body=back).json["syncId"]
        user("post", amazon + "/auth/callback", user="user-2", body=host.agree(host.start_consent("user-2"), 1))
        with host.events("user-1", 0) as stream:
            for path in ("/api/sync/start", "/api/sync/force", amazon + "/sync"):
                user("post", path)   # while one is active
            user("get", "/api/sync/status")
            user("get", f"/api/sync/status/{first}", "/api/sync/status/{id}")
            user("get", amazon + "/recoveries?by=month")
            user("post", "/api/sync/pause")
            user("get", "/api/sync/status")
            user("post", "/api/sync/resume")
            user("post", f"/api/sync/cancel/{first}", "/api/sync/cancel/{id}")
            for event in stream.until(first):
                self.event(event)
        user("post", f"/api/sync/cancel/{first}", "/api/sync/cancel/{id}")
        user("post", "/api/sync/cancel/unknown", "/api/sync/cancel/{id}")
        sim.control(clearFaults=True)
        second = user("post", "/api/sync/start").json["syncId"]
        host.finish(second)
        for path in ("/api/sync/force", amazon + "/sync"):
            host.finish(user("post", path).json["syncId"])
        host.finish(user("get", amazon + "/auth/start?bypass=true").json["syncId"])
        user("get", amazon + "/auth/callback?" + urllib.parse.urlencode(host.agree(host.start_consent(), 1)))
        host.finish(host.get("/api/sync/status").json["lastSync"]["syncId"])

        # What there is.
        user("get", amazon + "/connection")
        user("get", amazon + "/recoveries?by=month")
        user("get", f"/api/sync/status/{second}", "/api/sync/status/{id}")
        user("get", "/api/sync/status/unknown", "/api/sync/status/{id}")
        user("get", "/api/sync/history?limit=100")
        user("get", "/api/sync/history?limit=0")
        findings = user("get", "/api/detections/results?limit=1000").json["findings"]
        self.assertGreater(len(findings), 10)
        user("get", "/api/detections/results?status=wrong")
        user("get", "/api/detections/statistics")
        explain, state = "/api/detections/{id}/explain", "/api/detections/{id}/state"
        for finding in findings:
            user("get", f"/api/detections/{finding['id']}/explain", explain)
        for name in {f[key] for f in findings[:20] for key in ("sku", "orderId", "shipmentId") if key in f}:
            user("get", f"/api/detections/{urllib.parse.quote(name)}/explain", explain)
        user("get", "/api/detections/unknown/explain", explain)
        own = f"/api/detections/{findings[0]['id']}/state"
        user("put", own, state, body={"state": "filed", "caseId": "CASE-1"})
        user("put", own, state, body={"state": "forgotten"})
        user("put", "/api/detections/unknown/state", state, body={"state": "won"})
        user("get", "/api/detections/results?status=filed")
        user("get", "/api/export?what=inventory")
        user("get", "/api/export?what=inventory&format=csv")
        user("get", "/api/export?what=nothing")
        stream = host.events()
        self.seen.add(("get", "/api/sse/status", str(stream.response.status)))
        self.assertEqual(stream.response.getheader("Content-Type"), "text/event-stream")
        self.event(next(stream))
        stream.close()

        # Amazon's notifications.
        seller = host.get(amazon + "/connection").json["sellerId"]
        notification = {"NotificationVersion": "1.0", "NotificationType": "FBA_INVENTORY_AVAILABILITY_CHANGES", "PayloadVersion": "1.0", "EventTime": "2026-11-29T00:00:00.000Z",
                        "Payload": {"SellerId": seller}, "NotificationMetadata": {"ApplicationId": "a", "SubscriptionId": "s", "PublishTime": "2026-11-29T00:00:00.000Z", "NotificationId": "n-1"}}
        user("post", amazon + "/notify", body=notification)
        user("post", amazon + "/notify", body=notification)   # a duplicate
        user("post", amazon + "/notify", body={"other": 1})
        user("post", amazon + "/notify", user="user-2", body=notification)

        # Amazon takes the authorisation back.
        last = host.get("/api/sync/status").json["lastSync"]["syncId"]
        host.finish(last)
        sim.control(revoke=1, expireAccessTokens=True)
        failed = host.post("/api/sync/start").json["syncId"]
        with host.events("user-1", 0) as stream:
            for event in stream.until(failed):
                self.event(event)
        user("get", f"/api/sync/status/{failed}", "/api/sync/status/{id}")
        user("get", amazon + "/connection")
        user("get", amazon + "/recoveries")
        user("get", amazon + "/auth/start?bypass=true")
        user("post", amazon + "/disconnect")
        user("post", "/api/erase")
        user("post", "/api/erase")

        # Operators, and the page.
        for path in ("/healthz", "/readyz", "/metrics", "/", "/dashboard"):
            user("get", path, user=None)
        page = "/dashboard/{id}"
        tag = user("get", "/dashboard/app.js", page, user=None).headers["ETag"]
        user("get", "/dashboard/style.css", page, user=None)
        user("get", "/dashboard/app.js", page, user=None, headers={"If-None-Match": tag})
        user("get", "/dashboard/nothing", page, user=None)

        # The token endpoint is silent; the database is gone.
        consent = host.start_consent("user-3")
        back = host.agree(consent, 3)
        sim.fault("/auth/o2/token", "status", status=500)
        user("post", amazon + "/auth/callback", user="user-3", body=back)
        self.store.write_bytes(b"no database any more" * 500)
        while host.get("/readyz", user=None).status == 200:
            pass
        user("get", "/readyz", user=None)

        named = {(method, path, status) for path, item in SPEC["paths"].items() for method in METHODS if method in item for status in item[method]["responses"]}
        self.assertEqual(named - self.seen, set(), "named, and not exercised")

    def test_it_names_the_routes_that_there_are(self):
        table = re.findall(r'^      \{"(GET|POST|PUT)", "([^"]+)", Who::(\w+)', (ROOT / "examples/http_host/routes.cpp").read_text(), re.M)
        self.assertGreater(len(table), 25)
        there = {(method.lower(), path.replace(":id", "{id}"), who) for method, path, who in table}
        named = {(method, path, "anybody" if item[method].get("security") == [] else "user") for path, item in SPEC["paths"].items() for method in METHODS if method in item}
        self.assertEqual(there, named)

    def test_no_field_goes_unnoticed(self):
        answers = {name: schema for name, schema in SPEC["components"]["schemas"].items()}
        loose = [path for path in is_exact(answers) if path != ("Explanation", "properties", "rows", "items")]
        self.assertEqual(loose, [])
        sync = {"$ref": "#/components/schemas/Paused"}
        self.assertEqual(problems(sync, {"success": True, "paused": True, "message": "m"}), [])
        self.assertNotEqual(problems(sync, {"success": True, "paused": True, "message": "m", "more": 1}), [])
        self.assertNotEqual(problems(sync, {"success": True, "paused": True}), [])


if __name__ == "__main__":
    unittest.main()
