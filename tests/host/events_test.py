# SPDX-License-Identifier: Apache-2.0
"""Progress as events: in order, once, resumable, and the same from every process."""
import unittest

from harness import BASE, TERMINAL, Host, HostCase

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

    def test_without_a_user_there_is_no_stream(self):
        host = self.host(self.sim(events=0))
        self.check_error(host.get("/api/sse/status", user=None), 401, "unauthorized")


if __name__ == "__main__":
    unittest.main()
