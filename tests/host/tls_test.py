# SPDX-License-Identifier: Apache-2.0
"""TLS against real servers: whoever can't prove to be Amazon, or speaks what is broken, is told nothing."""
import concurrent.futures
import contextlib
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import unittest
import unittest.mock
import warnings

from harness import BIN, CLIENT_SECRET, MASTER_KEY, HostCase

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python"))
os.environ.setdefault("AMZSYNC_LIBRARY", str(BIN.parent / "lib" / "libamzsync.so.0"))
import amzsync  # noqa: E402: found by the two lines above


def make_certificates(folder):
    """A certificate authority, and what it, or nobody, signed."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    def new_key(name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", name + ".key"]

    def signed(name, host, *dates):
        openssl("req", "-new", *new_key(name), "-subj", "/CN=" + host, "-out", name + ".csr")
        (folder / (name + ".ext")).write_text(f"subjectAltName=DNS:{host}\n")
        if not dates:
            return openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", name + ".ext", "-out", name + ".pem")
        (folder / "ca.cnf").write_text("[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n")
        (folder / "index").write_text("")
        (folder / "serial").write_text("01\n")
        openssl("ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", name + ".csr", "-extfile", name + ".ext", "-startdate", dates[0], "-enddate", dates[1], "-out", name + ".pem")

    for name, subject in (("ca", "/CN=Authority of the test"), ("other", "/CN=localhost")):
        openssl("req", "-x509", *new_key(name), "-subj", subject, "-days", "2", "-out", name + ".pem", *(["-addext", "subjectAltName=DNS:localhost"] if name == "other" else []))
    signed("good", "localhost")
    signed("elsewhere", "sellingpartnerapi.example")
    signed("expired", "localhost", "20200101000000Z", "20200201000000Z")


class TlsFront:
    """Takes TLS off in front of a server, and counts who got that far."""

    def __init__(self, folder, certificate, target_port, version=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if version:
            self.context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)   # that they are old is the point
                self.context.minimum_version = self.context.maximum_version = version
        self.context.load_cert_chain(folder / (certificate + ".pem"), folder / (certificate + ".key"))
        self.target_port, self.tried, self.let_in = target_port, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            self.tried += 1
            threading.Thread(target=self.carry, args=(plain,), daemon=True).start()

    def carry(self, plain):
        with contextlib.suppress(OSError), plain, self.context.wrap_socket(plain, server_side=True) as client:
            first = client.recv(65536)
            if not first:
                return
            self.let_in += 1
            with socket.create_connection(("127.0.0.1", self.target_port)) as server:
                server.sendall(first)
                there = threading.Thread(target=self.pump, args=(client, server), daemon=True)
                there.start()
                self.pump(server, client)
                there.join()

    @staticmethod
    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()


class Proxy:
    """A proxy of the usual kind, which knows one place whatever it is asked for, and remembers what it was told."""

    def __init__(self, port, answer="200 OK"):
        self.port, self.answer, self.asked, self.heard = port, answer, [], b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://anna:pw@127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client):
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self.port)) as server:
            head = b""
            while b"\r\n\r\n" not in head and (data := client.recv(65536)):
                head += data
            self.asked.append(head.decode().splitlines())
            client.sendall(f"HTTP/1.1 {self.answer}\r\n\r\n".encode())
            if self.answer != "200 OK":
                return
            there = threading.Thread(target=TlsFront.pump, args=(server, client), daemon=True)
            there.start()
            with contextlib.suppress(OSError):
                while data := client.recv(65536):
                    self.heard += data
                    server.sendall(data)
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            there.join()

    def close(self):
        self.listener.close()


class Tls(HostCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.store).parent / "tls"
        self.folder.mkdir()
        make_certificates(self.folder)

    def front(self, certificate, version=None):
        sim = self.sim(events=20, skus=5)
        front = TlsFront(self.folder, certificate, sim.port, version)
        self.addCleanup(front.close)
        return front

    def sync_through(self, front, ca_file="ca.pem", url=None, proxy=None):
        store = self.folder / (front.url.rsplit(":", 1)[1] + ".db")
        url = url or front.url
        with amzsync.Engine(store=f"sqlite:{store}", client_id="tls-app", client_secret=CLIENT_SECRET, master_key=MASTER_KEY, lwa_endpoint=url, spapi_endpoint=url, history_days=30,
                            streams="transactions,inventory", ca_file=ca_file and str(self.folder / ca_file), proxy=proxy) as engine:
            engine.connect("u", "Atzr|sim-seller-1")
            return engine.sync("u")

    def test_a_server_that_proves_who_it_is_is_spoken_to(self):
        for version in (None, ssl.TLSVersion.TLSv1_2):
            with self.subTest(version=version):
                front = self.front("good", version)
                self.assertEqual(self.sync_through(front)["status"], "completed")
                self.assertGreater(front.let_in, 0)

    def test_a_proxy_that_is_named_carries_a_tunnel_and_no_other_one_is_used(self):
        front = self.front("elsewhere")
        proxy, other = Proxy(front.listener.getsockname()[1]), Proxy(front.listener.getsockname()[1])
        for one in (proxy, other):
            self.addCleanup(one.close)
        with unittest.mock.patch.dict(os.environ, {"HTTPS_PROXY": other.url, "https_proxy": other.url, "ALL_PROXY": other.url}):
            self.assertEqual(self.sync_through(front, url="https://sellingpartnerapi.example", proxy=proxy.url)["status"], "completed")
        self.assertEqual({lines[0] for lines in proxy.asked}, {"CONNECT sellingpartnerapi.example:443 HTTP/1.1"})
        self.assertIn("Proxy-Authorization: Basic YW5uYTpwdw==", proxy.asked[0])
        self.assertFalse(any("Atz" in line or "x-amz" in line.lower() for lines in proxy.asked for line in lines))
        self.assertNotIn(b"Atz", proxy.heard)
        self.assertEqual(other.asked, [])

    def test_a_proxy_that_refuses_is_named(self):
        front = self.front("elsewhere")
        for answer in ("407 Proxy Authentication Required", "503 Service Unavailable"):
            with self.subTest(answer=answer):
                proxy = Proxy(front.listener.getsockname()[1], answer)
                self.addCleanup(proxy.close)
                with self.assertRaisesRegex(amzsync.Error, f"the proxy answered {answer[:3]}"):
                    self.sync_through(front, url="https://sellingpartnerapi.example", proxy=proxy.url)

    def test_a_proxy_cannot_pass_for_amazon(self):
        front = self.front("good")   # of another name
        proxy = Proxy(front.listener.getsockname()[1])
        self.addCleanup(proxy.close)
        with self.assertRaisesRegex(amzsync.Error, "no alternative certificate subject name matches"):
            self.sync_through(front, url="https://sellingpartnerapi.example", proxy=proxy.url)
        self.assertEqual(front.let_in, 0)

    def test_whoever_cannot_is_told_nothing(self):
        cases = [("other", None, "ca.pem", "self-signed certificate"), ("good", None, None, "unable to get local issuer certificate"), ("expired", None, "ca.pem", "certificate has expired"),
                 ("elsewhere", None, "ca.pem", "no alternative certificate subject name matches"), ("good", ssl.TLSVersion.TLSv1, "ca.pem", "protocol version"), ("good", ssl.TLSVersion.TLSv1_1, "ca.pem", "protocol version")]

        def refused(case):
            front = self.front(*case[:2])
            try:
                return front, self.sync_through(front, case[2])
            except amzsync.Error as error:
                return front, str(error)

        # Each is tried as often as an endpoint that does not answer.
        with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
            for case, (front, told) in zip(cases, pool.map(refused, cases)):
                with self.subTest(certificate=case[0], version=case[1], ca_file=case[2]):
                    self.assertIsInstance(told, str)
                    self.assertIn(case[3], told)
                    self.assertIn(front.url, told)
                    self.assertGreater(front.tried, 0)
                    self.assertEqual(front.let_in, 0)


if __name__ == "__main__":
    unittest.main()
