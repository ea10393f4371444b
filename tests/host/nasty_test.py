# SPDX-License-Identifier: Apache-2.0
"""Ten thousand requests that nobody would send who means well: each is answered or its connection closed, and the host is there afterwards, no fatter."""
import concurrent.futures
import contextlib
import os
import pathlib
import random
import socket
import unittest

from harness import BASE, BIN, FRONT, HostCase, fetch, jwt

REQUESTS = int(os.environ.get("AMZSYNC_ROUNDS", "10000"))
SEED = int(os.environ.get("AMZSYNC_SEED", "20261128"))
CLIENTS = 8

PATHS = ["/", "/healthz", "/readyz", "/metrics", "/nothing", BASE + "/auth/start", BASE + "/auth/login", BASE + "/auth/callback", BASE + "/recoveries", BASE + "/connection", BASE + "/disconnect", BASE + "/notify",
         "/api/sync/start", "/api/sync/force", "/api/sync/status", "/api/sync/status/sync_1", "/api/sync/history", "/api/sync/cancel/sync_1", "/api/sync/pause", "/api/sync/resume",
         "/api/detections/results", "/api/detections/statistics", "/api/detections/x/explain", "/api/detections/x/state", "/api/export", "/api/erase"]
NAMES = ["frontend_url", "marketplace", "bypass", "state", "code", "spapi_oauth_code", "selling_partner_id", "amazon_callback_uri", "amazon_state", "limit", "offset", "status", "type", "what", "since", "format", "by", "userId", ""]
HEADERS = ["Authorization", "Cookie", "Origin", "Referer", "Last-Event-ID", "Content-Type", "Content-Length", "Transfer-Encoding", "Expect", "Connection", "Upgrade", "Host", "X-Forwarded-For", "Range", "If-Match", "TE", "", " ", "X Y", "X:Y"]
STRINGS = ["", " ", "0", "-1", "1e309", "NaN", "9223372036854775808", "99999999999999999999999999", "null", "undefined", "true", "{}", "[]", "[[[[[[", '{"a":', "\"", "'", "' OR '1'='1", "'; DROP TABLE runs; --", "<script>alert(1)</script>",
           "${jndi:ldap://x}", "$(reboot)", "`id`", "%s%s%s%n", "{{7*7}}", "../../../../etc/passwd", "..\\..\\x", "/etc/passwd\0.png", "\0", "\r\nSet-Cookie: a=b", "\n\n", "\t", "\x1b[31m", "\x7f", "\ufeff", "\u202e", "\U0001f4a9" * 40, "é", "ﷺ" * 30,
           "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "\xff\xfe", "\xc0\xaf", "\xf8\x88\x80\x80\x80", "A" * 300, "A" * 9000, "%", "%zz", "%00", "%ff", "%c0%ae%c0%ae/", "+", "a=b&a=b", "=", "&&&", ";", "#", "?", "//evil.example", "https://evil.example", FRONT + "@evil.example",
           "javascript:alert(1)", "http://127.0.0.1:1/", "http://[::1]/", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "gopher://x", "Bearer", "Bearer ", "Bearer a.b.c", "Basic YTpi", "chunked", "identity, chunked", "chunked, chunked", "100-continue", "close, keep-alive", "websocket",
           "session_token=", "session_token=a.b.c; session_token=", "{" * 2000, "[" * 2000 + "]" * 2000, '{"a":' * 500 + "1" + "}" * 500, '{"\\u0000":"\\ud800"}', '{"state":1e400}', '{"streams":["transactions"]}', '{"streams":"transactions"}', "5\r\nhello\r\n0\r\n\r\n", "ffffffffffffffff\r\n", "-1\r\n\r\n"]


def quoted(chance, text):
    """Some of its bytes by percent, as a client may or may not."""
    out = b""
    for byte in text.encode("utf-8", "surrogateescape"):
        out += b"%%%02x" % byte if byte <= 32 or byte >= 127 or chance.random() < 0.1 else bytes([byte])
    return out


def nasty(chance):
    def string():
        return chance.choice(STRINGS)

    raw = (lambda text: text.encode("utf-8", "surrogateescape")) if chance.random() < 0.3 else (lambda text: quoted(chance, text))
    target = chance.choice(PATHS).encode()
    if chance.random() < 0.2:
        target += b"/" + raw(string())
    if chance.random() < 0.6:
        target += b"?" + b"&".join(raw(chance.choice(NAMES)) + b"=" + raw(string()) for _ in range(chance.randrange(1, 5)))
    method = chance.choice([b"GET", b"GET", b"POST", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"PATCH", b"TRACE", b"CONNECT", b"get", b"", b"G\0T", b"GET" * 100])
    body = string().encode("utf-8", "surrogateescape") if chance.random() < 0.6 else b""
    lines = [method + b" " + target + b" " + chance.choice([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2", b"HTTP/1.1 x", b""]), b"Host: x", b"Connection: close"]
    if chance.random() < 0.7:
        lines.append(b"Authorization: Bearer " + jwt(f"user-{chance.randrange(3)}").encode())
    if chance.random() < 0.8:
        lines.append(b"Content-Length: %d" % (len(body) if chance.random() < 0.9 else chance.choice([0, len(body) + 1, 1 << 40])))
    for _ in range(chance.randrange(3)):
        lines.append(chance.choice(HEADERS).encode() + b": " + string().encode("utf-8", "surrogateescape").replace(b"\r\n\r\n", b""))
    request = b"\r\n".join(lines) + b"\r\n\r\n" + body
    harm = chance.random()
    if harm < 0.1:
        return request[:chance.randrange(len(request))]
    if harm < 0.3:
        changed = bytearray(request)
        for _ in range(chance.randrange(1, 8)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        return bytes(changed)
    if harm < 0.33:
        return chance.randbytes(chance.randrange(1, 600))
    return request + (request if harm > 0.97 else b"")


def fat(pid):
    """Kilobytes that the process holds in memory."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def instrumented(program):
    """Whether a sanitizer keeps what was freed, and books of its own, in the program's memory: then that tells nothing of the program."""
    code = program.read_bytes()
    return any(mark in code for mark in (b"__asan_init", b"__tsan_init"))


class Nasty(HostCase):
    def test_whatever_comes_the_host_answers_or_closes_and_stays(self):
        host = self.host(self.sim(events=0))

        def send(number):
            request = nasty(random.Random(SEED * 1_000_003 + number))
            received = b""
            try:
                with socket.create_connection(("127.0.0.1", host.port), timeout=60) as s:
                    s.sendall(request)
                    with contextlib.suppress(OSError):   # the host may have closed it by now
                        s.shutdown(socket.SHUT_WR)
                    while piece := s.recv(65536):
                        received += piece
            except ConnectionError:
                pass   # closed, too
            return request, received

        half = None
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            for number, (request, received) in enumerate(pool.map(send, range(REQUESTS))):
                if received:
                    self.assertRegex(received[:13], rb"^HTTP/1\.1 [234]\d\d ", f"AMZSYNC_SEED={SEED}, request {number}: {request!r}")
                if number == REQUESTS // 2:
                    half = fat(host.process.pid)
        self.assertEqual(fetch(host.url + "/healthz").status, 200)
        self.assertEqual(fetch(host.url + "/readyz").status, 200)
        self.assertIsNone(host.process.poll())
        if not instrumented(BIN / "amzsync-host"):
            self.assertLess(fat(host.process.pid) - half, 4096)


if __name__ == "__main__":
    unittest.main()
