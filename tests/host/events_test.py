# SPDX-License-Identifier: Apache-2.0
"""Progress as events: in order, once, resumable, and the same from every process."""
import contextlib
import http.client
import socket
import sqlite3
import threading
import unittest

from harness import BASE, PATIENCE, TERMINAL, Host, HostCase, jwt

MILESTONES = [(10, "Starting sync"), (30, "Fetching inventory"), (60, "Processing data"), (90, "Finalizing"), (100, "Complete")]


class Events(HostCase):
    def check_sequence(self, events, run):
        mine = [e for e in events if e.data.get("syncId") == run]
        self.assertEqual(mine[0].type, "sync.started")
        durable = [(e.data["progress"], e.data["message"]) for e in mine if e.type == "sync_progress" and e.id]
        self.assertEqual(durable, MILESTONES)
        shown = [e.data["progress"] for e in mine if "progress" in e.data]
        self.assertEqual(shown, sorted(shown))
        self.assertEqual([e.type for e in mine if e.type in TERMINAL], ["sync.completed"])
        ids = [e.id for e in events if e.id and e.type != "connected"]
        self.assertEqual(ids, sorted(set(ids)))
        for e in mine:
            if e.type == "sync_progress":
                self.assertLessEqual({"syncId", "status", "progress", "message", "phase", "detail", "streams", "timestamp"}, set(e.data))

    def test_milestones_come_in_order_with_their_words_and_one_end(self):
        sim = self.sim(events=3000)
        host = self.host(sim)
        with host.events() as stream:
            hello = next(stream)
            self.assertEqual((hello.type, hello.retry), ("connected", "3000"))
            self.assertEqual(hello.data["sync"], {"hasActiveSync": False, "lastSync": None})
            self.assertIs(hello.data["replayGap"], False)
            run = host.connect().query["sync_id"]
            self.check_sequence(stream.until(run), run)

    def test_who_was_erased_and_comes_again_is_heard_by_the_streams_that_stayed_open(self):
        sim = self.sim(events=100)
        host, other = self.host(sim), self.host(sim)
        host.finish(host.connect().query["sync_id"])
        with host.events() as here, other.events() as there:
            next(here)
            next(there)
            self.assertEqual(host.post("/api/erase", body={"confirm": "user-1"}).status, 200)
            run = host.connect().query["sync_id"]
            for stream in (here, there):
                self.check_sequence(stream.until(run), run)

    def test_the_same_from_a_second_process_and_after_reconnecting_at_any_event(self):
        sim = self.sim(events=3000)
        host = self.host(sim)
        other = self.host(sim)   # a second process on the same database
        with host.events() as here, other.events() as there:
            next(here), next(there)
            run = host.connect().query["sync_id"]
            seen = here.until(run)
            self.check_sequence(there.until(run), run)
        durable = [(e.id, e.type) for e in seen if e.id]
        for id, _ in durable[:-1]:
            for reader in (host, other):
                with reader.events(last_event_id=id) as stream:
                    hello = next(stream)
                    self.assertIs(hello.data["replayGap"], False)
                    self.assertEqual([(e.id, e.type) for e in stream.until(run) if e.id], [d for d in durable if d[0] > id])

    def test_a_client_that_is_cut_off_in_the_middle_misses_nothing(self):
        sim = self.sim(events=3000)
        host = self.host(sim)
        sim.fault("/fba", "slow", delayMs=700)
        run = host.connect().query["sync_id"]
        with host.events(last_event_id=0) as stream:
            seen = []
            for event in stream:
                seen.append(event)
                if event.type == "sync_progress" and event.data["progress"] >= 30:
                    break
        last = max(e.id for e in seen if e.id)
        sim.control(clearFaults=True)
        with host.events(last_event_id=last) as stream:
            rest = stream.until(run)
        self.check_sequence([e for e in seen if e.type != "connected"] + rest, run)

    def open_stream(self, host):
        """A reader of bytes that has been greeted, with as little room for what it does not read as there is."""
        reader = socket.socket()
        self.addCleanup(reader.close)
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.settimeout(PATIENCE)
        reader.connect(("127.0.0.1", host.port))
        reader.sendall(f"GET /api/sse/status HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {jwt('user-1')}\r\n\r\n".encode())
        seen = b""
        while b"event: connected" not in seen:
            seen += reader.recv(4096)
        return reader, seen

    def test_who_comes_from_far_behind_while_syncs_begin_and_end_sees_none_go_back(self):
        sim = self.sim(events=20)
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        with host.events() as stream:
            while (next(stream).id or 0) < 1000:   # a long way to read, during which much happens
                host.post("/api/sync/start")
        over = threading.Event()

        def sync_on_and_on():
            while not over.is_set():
                host.post("/api/sync/start")

        syncing = threading.Thread(target=sync_on_and_on)
        syncing.start()
        try:
            for _ in range(40):
                with host.events(last_event_id=0) as stream:
                    newest = next(stream).data["sync"]["lastSync"]["syncId"]
                    place, progress, ended, after = 0, {}, set(), 0
                    while after < 3:
                        event = next(stream)
                        run = event.data["syncId"]
                        self.assertNotIn(run, ended, event.text)
                        if event.id:
                            self.assertEqual(event.id, place + 1)
                            place = event.id
                        if event.type == "sync_progress":
                            self.assertLessEqual(progress.get(run, 0), event.data["progress"], event.text)
                            progress[run] = event.data["progress"]
                        if event.type in TERMINAL:
                            ended.add(run)
                            after += newest in ended
        finally:
            over.set()
            syncing.join()

    def tell_much(self, events, size):
        """Somebody else's process tells user-1 of so many things; the number of the first."""
        first = self.sql("SELECT journal_seq FROM users WHERE user_id='user-1'")[0][0] + 1
        writer = sqlite3.connect(self.store, timeout=PATIENCE)
        with writer:
            writer.execute("INSERT INTO journal(user_no, seq, type, payload, at) WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i+1<?1) "
                           "SELECT u.user_no, u.journal_seq+1+i, 'dataset.silent', json_object('pad', printf('%.*c', ?2, 'x')), (SELECT max(at) FROM journal) FROM n, users u WHERE u.user_id='user-1' ORDER BY i", (events, size))
            writer.execute("UPDATE users SET journal_seq=journal_seq+?1 WHERE user_id='user-1'", (events,))
        writer.close()
        return first

    def test_a_reader_that_does_not_read_is_cut_off_and_the_others_miss_nothing(self):
        events, size = 6000, 2000   # twelve megabytes: more than a socket takes by itself
        sim = self.sim(events=50)
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        slow, _ = self.open_stream(host)
        first = self.tell_much(events, size)
        with host.events(last_event_id=first - 1) as stream:   # one that comes for all that is given it as fast as it takes it, in one piece
            next(stream)
            seen = [next(stream).id for _ in range(events)]
        self.assertEqual(seen, list(range(first, first + events)))
        taken = 0
        with contextlib.suppress(ConnectionError):
            while some := slow.recv(1 << 20):
                taken += len(some)
        self.assertLess(taken, events * size)

    def test_a_host_that_is_stopped_while_streams_catch_up_ends_in_order(self):
        sim = self.sim(events=50)
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        first = self.tell_much(6000, 2000)
        for _ in range(3):
            with contextlib.ExitStack() as open_streams:
                streams = [open_streams.enter_context(host.events(last_event_id=first - 1)) for _ in range(20)]
                for stream in streams:
                    next(stream)
                self.assertEqual(host.stop(), 0, host.log())
            host = self.host(sim)

    def test_a_stream_on_which_nothing_happens_shows_that_it_lives(self):
        host = self.host(self.sim(events=0))
        reader, seen = self.open_stream(host)
        head = seen.split(b"\r\n\r\n")[0].lower()
        self.assertIn(b"x-accel-buffering: no", head)
        self.assertIn(b"no-transform", head)
        while b": heartbeat\n\n" not in seen:
            some = reader.recv(4096)
            self.assertTrue(some, "the stream ended")
            seen += some

    def test_a_place_that_is_not_in_the_journal_is_told(self):
        sim = self.sim(events=50)
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        for place in (999_999, "nonsense", -3):
            with host.events(last_event_id=place) as stream:
                self.assertIs(next(stream).data["replayGap"], True)

    def test_nobody_hears_of_others(self):
        sim = self.sim()
        host = self.host(sim)
        with host.events("somebody-else") as stream:
            next(stream)
            host.finish(host.connect().query["sync_id"])
            second = host.connect("somebody-else", 2).query["sync_id"]
            self.assertEqual({e.data["syncId"] for e in stream.until(second) if "syncId" in e.data}, {second})

    def test_a_run_survives_its_host_and_is_followed_in_the_next(self):
        sim = self.sim(events=3000)
        host = self.host(sim)
        sim.fault("/finances", "slow", delayMs=1000)
        run = host.connect().query["sync_id"]
        self.reach(host, 30)
        host.kill()
        sim.control(clearFaults=True)
        again = self.host(sim)
        with again.events(last_event_id=0) as stream:
            self.check_sequence(stream.until(run)[1:], run)
        self.check_truth(again, sim)

    def test_a_host_that_may_perform_no_sync_serves_those_of_another(self):
        sim = self.sim(events=100)
        idle = self.host(sim, max_runs="0")
        with idle.events() as stream:
            next(stream)
            run = idle.connect().query["sync_id"]
            self.assertEqual(idle.get("/api/sync/status").json["lastSync"]["status"], "queued")
            self.host(sim)
            self.check_sequence(stream.until(run), run)

    def test_without_a_user_there_is_no_stream(self):
        host = self.host(self.sim(events=0))
        self.check_error(host.get("/api/sse/status", user=None), 401, "unauthorized")


if __name__ == "__main__":
    unittest.main()
