# SPDX-License-Identifier: Apache-2.0
"""Three real hosts on one database file, killed with SIGKILL at random moments of real syncs; in the end every row is there once."""
import os
import random
import time
import unittest

from harness import Host, HostCase

ROUNDS = int(os.environ.get("AMZSYNC_ROUNDS", "200"))
SELLERS = 3


class KillSoak(HostCase):
    def test_killed_hosts_lose_no_sync_and_double_no_row(self):
        seed = int(os.environ.get("AMZSYNC_SEED", "0")) or random.randrange(1 << 30)
        print(f"seed {seed}, {ROUNDS} rounds", flush=True)
        chance = random.Random(seed)
        sim = self.sim(events=4000, skus=300, history_days=120)
        sim.fault("/", "slow", delayMs=15)
        settings = {"history_days": "120"}
        hosts = [self.host(sim, **settings) for _ in range(3)]
        users = [f"user-{n}" for n in range(1, SELLERS + 1)]
        for n, user in enumerate(users, 1):
            hosts[n % 3].connect(user, n)
        killed_busy = 0
        for _ in range(ROUNDS):
            for user in users:
                hosts[chance.randrange(3)].post("/api/sync/start", user)   # 409 where one is under way
            time.sleep(chance.random() * 0.25)
            victim = chance.randrange(3)
            killed_busy += self.sql("SELECT count(*) FROM runs WHERE holder<>0 AND status IN ('queued','in_progress','detecting')")[0][0] > 0
            hosts[victim].kill()
            hosts[victim] = self.running(Host(sim, self.store, **settings))
        sim.control(clearFaults=True)
        for n, user in enumerate(users, 1):
            latest = hosts[0].get("/api/sync/status", user).json["lastSync"]["syncId"]
            hosts[0].finish(latest, user)
            started = hosts[0].post("/api/sync/start", user).json
            end = hosts[0].finish(started.get("syncId") or started["existingSyncId"], user)
            self.assertEqual(end["status"], "completed", end)
            self.check_truth(hosts[0], sim, user, n)
        self.assertEqual(self.sql("SELECT count(*) FROM runs WHERE status IN ('queued','in_progress','detecting')")[0][0], 0)
        self.assertEqual(self.sql("PRAGMA integrity_check"), [("ok",)])
        runs = self.sql("SELECT status, count(*) FROM runs GROUP BY 1")
        ends = self.sql("SELECT count(*) FROM (SELECT json_extract(payload, '$.syncId') AS id FROM journal WHERE type IN ('sync.completed','sync.failed','sync.cancelled') GROUP BY 1 HAVING count(*)<>1)")
        self.assertEqual(ends[0][0], 0)
        print(f"{killed_busy} of {ROUNDS} deaths while a sync was held; runs: {dict(runs)}", flush=True)


if __name__ == "__main__":
    unittest.main()
