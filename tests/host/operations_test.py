# SPDX-License-Identifier: Apache-2.0
"""What docs/operations.md says: the systemd unit starts a host, one that lacks files says so, its metrics tell what was done, and a copy that was taken while hosts were at work is whole when it is put in the database's place."""
import json
import os
import pathlib
import re
import resource
import sqlite3
import subprocess
import unittest
import urllib.request

from harness import BASE, BIN, CLIENT_SECRET, JWT_SECRET, MASTER_KEY, HostCase, cli, fetch

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Unit(HostCase):
    def test_the_settings_of_the_systemd_unit_start_a_host(self):
        unit = (ROOT / "examples/operations/amzsync-host.service").read_text()
        secrets = self.folder / "etc"
        secrets.mkdir()
        for name, value in {"master-key": MASTER_KEY, "client-secret": CLIENT_SECRET, "jwt-secret": JWT_SECRET}.items():
            (secrets / name).write_text(value + "\n")
        (secrets / "host.toml").write_text('region = "na"\n')
        place = lambda text: text.replace("/etc/amzsync", str(secrets)).replace("%S/amzsync", str(self.folder))
        settings = dict(line.split("=", 1) for line in re.findall(r"^Environment=(.+)$", place(unit), re.M))
        command, *arguments = re.search(r"^ExecStart=(.+)$", place(unit), re.M).group(1).split()
        self.assertEqual(command, "/usr/bin/amzsync-host")
        sim = self.sim(events=50, skus=5)
        self.store = pathlib.Path(settings["AMZSYNC_STORE"].removeprefix("sqlite:"))
        self.assertEqual(self.store.name, "amzsync.db")
        host = self.host(sim, *arguments, lwa_client_secret=None, master_key=None, jwt_secret=None,
                         **{name.removeprefix("AMZSYNC_").lower(): value for name, value in settings.items() if name != "AMZSYNC_STORE"})
        self.assertEqual(host.finish(host.connect().query["sync_id"])["status"], "completed")


class Limits(HostCase):
    def test_a_host_that_may_open_too_few_files_says_so_and_works_with_64(self):
        sim = self.sim(events=50, skus=5)
        for files in [*range(6, 64, 6), 63, 64]:
            with self.subTest(files):
                self.store = self.folder / f"{files}.db"
                limited = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
                env = {"AMZSYNC_STORE": f"sqlite:{self.store}", "AMZSYNC_DEMO": "1", "AMZSYNC_LISTEN": "127.0.0.1:0", "AMZSYNC_LWA_ENDPOINT": sim.url, "AMZSYNC_SPAPI_ENDPOINT": sim.url,
                       "AMZSYNC_CONSENT_ENDPOINT": sim.url, "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")}
                process = subprocess.Popen([BIN / "amzsync-host"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limited)
                said = process.stdout.readline()
                if said:
                    for _ in range(3):
                        self.assertEqual(urllib.request.urlopen(re.search("http://[0-9.:]+", said).group() + "/readyz").status, 200)
                    process.terminate()
                out, err = process.communicate()
                self.assertEqual(bool(said), files >= 64)
                self.assertIn(process.returncode, (0,) if said else (1, 127), err)   # 127: not even the libraries could be opened
                if process.returncode == 1:
                    self.assertEqual(err, f"amzsync-host: it may open {files} files here (ulimit -Hn), which is too few; it needs 64, and one more for each connection\n")


class Watching(HostCase):
    def metrics(self, host):
        """{name: {labels: value}}"""
        found = {}
        for name, labels, value in re.findall(r"(?m)^(amzsync_[a-z_]+)(?:\{(.*)\})? (\S+)$", fetch(host.url + "/metrics").body.decode()):
            found.setdefault(name, {})[labels] = float(value)
        return found

    def metrics_after_a_sync(self, host):
        found = self.metrics(host)
        while "amzsync_runs_ended_total" not in found:   # counted a moment after the end can be seen
            found = self.metrics(host)
        return found

    def test_what_was_done_is_counted_and_what_is_behind_is_told(self):
        sim = self.sim(events=600, skus=40)
        host = self.host(sim)
        before = self.metrics(host)
        self.assertEqual((before["amzsync_runs_active"][""], before["amzsync_connections"][""], before["amzsync_store_room"][""]), (0, 0, 1))
        self.assertNotIn("amzsync_calls_total", before)
        sync = host.finish(host.connect().query["sync_id"])
        now = self.metrics_after_a_sync(host)
        self.assertEqual(now["amzsync_runs_ended_total"], {'status="completed"': 1})
        self.assertEqual((now["amzsync_runs_active"][""], now["amzsync_connections"][""], now["amzsync_sync_overdue_seconds"][""]), (0, 1, 0))
        calls = now["amzsync_calls_total"]
        for operation, told in sim.stats()["operations"].items():
            if operation != "token":
                self.assertEqual([calls[f'operation="{operation}",outcome="{outcome}"'] for outcome in ("ok", "throttled", "failed")], [told["ok"], told["throttled"], told["calls"] - told["ok"] - told["throttled"]])
        self.assertGreater(now["amzsync_call_seconds_total"]['operation="listTransactions"'], 0)
        rows = now["amzsync_rows_total"]
        for stream in sync["streams"]:
            for change in ("fetched", "added", "changed", "removed", "rejected"):
                self.assertEqual(rows[f'dataset="{stream["name"]}",change="{change}"'], stream[change])
        self.assertEqual(rows['dataset="transactions",change="added"'], sim.truth(1)["transactions"]["rows"])
        self.assertEqual(now["amzsync_findings_total"]['change="opened"'], self.sql("SELECT count(*) FROM findings")[0][0])
        steps = [value for _, value in sorted(now["amzsync_store_write_seconds_bucket"].items(), key=lambda step: float(re.search('le="(.*)"', step[0]).group(1).replace("+Inf", "inf")))]
        self.assertEqual((steps, steps[-1]), (sorted(steps), now["amzsync_store_write_seconds_count"][""]))
        self.assertGreater(steps[-1], 20)

        # A call that fails and one that is refused are told apart.
        sim.control(faults=[{"path": "/fba/inventory", "kind": "status", "status": 503, "times": 1}, {"path": "/finances", "kind": "status", "status": 429, "times": 1}])
        host.finish(host.post("/api/sync/start").json["syncId"])
        later = self.metrics(host)["amzsync_calls_total"]
        self.assertEqual((later['operation="getInventorySummaries",outcome="failed"'], later['operation="listTransactions",outcome="throttled"']), (1, 1))

        host.post("/api/sync/pause")
        cli(host.env, "pause", "--all")
        paused = self.metrics(host)
        self.assertEqual((paused["amzsync_users_paused"][""], paused["amzsync_paused"][""]), (1, 1))
        self.assertEqual(host.get("/readyz").json["warnings"], ["Syncing of everybody is paused."])

    def test_what_is_told_is_what_the_docs_name_and_the_dashboard_asks_for_nothing_else(self):
        sim = self.sim(events=50, skus=5)
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        told = {re.sub("_(bucket|sum|count)$", "", name) for name in self.metrics_after_a_sync(host)}
        named = set(re.findall(r"(?m)^\| `(amzsync_[a-z_]+)", (ROOT / "docs/http.md").read_text()))
        self.assertEqual(told, named)
        asked = {re.sub("_(bucket|sum|count)$", "", name) for panel in json.loads((ROOT / "examples/operations/grafana.json").read_text())["panels"] for target in panel["targets"]
                 for name in re.findall(r"amzsync_[a-z_]+", target["expr"])}
        self.assertEqual(asked, named)


class Backup(HostCase):
    def test_a_copy_of_a_database_at_work_is_put_in_its_place(self):
        sim = self.sim(events=2000, skus=150)
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        host.finish(host.connect("user-2", 2).query["sync_id"], "user-2")
        sim.fault("/finances", "slow", delayMs=300)
        under_way = host.post("/api/sync/start").json["syncId"]
        self.reach(host, 30)

        statement = re.search(r'sqlite3 /var/lib/amzsync/amzsync.db "(VACUUM INTO \'[^\']+\')"', (ROOT / "docs/operations.md").read_text()).group(1)
        copy = self.folder / "copy.db"
        connection = sqlite3.connect(self.store, isolation_level=None)
        connection.execute(statement.replace("/backup/amzsync.db", str(copy)))
        connection.close()

        sim.control(clearFaults=True)
        host.finish(under_way)
        # Later than the copy: somebody new, and events that it does not know.
        host.finish(host.connect("user-3", 3).query["sync_id"], "user-3")
        with host.events(last_event_id=0) as stream:
            seen = [e.id for e in stream.until(under_way) if e.id][-1]
        host.stop()
        for file in self.folder.glob("test.db*"):
            file.unlink()
        copy.rename(self.store)

        restored = self.host(sim)
        self.assertEqual(restored.finish(under_way)["status"], "completed")   # what was under way in the copy goes on
        again = restored.post("/api/sync/start").json
        self.assertEqual(restored.finish(again["syncId"])["status"], "completed")
        self.check_truth(restored, sim)
        self.check_truth(restored, sim, "user-2", 2)
        self.assertEqual(restored.get(BASE + "/connection", "user-3").json["state"], "disconnected")
        with restored.events(last_event_id=seen + 1000) as stream:
            self.assertIs(next(stream).data["replayGap"], True)
        restored.finish(restored.connect("user-3", 3).query["sync_id"], "user-3")
        self.assertEqual(restored.get(BASE + "/connection", "user-3").json["state"], "connected")


if __name__ == "__main__":
    unittest.main()
