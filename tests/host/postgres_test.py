# SPDX-License-Identifier: Apache-2.0
"""Hosts that share one PostgreSQL database: any of them works on a run, any of them tells of it."""
import contextlib
import pathlib
import subprocess
import threading
import unittest

from harness import BASE, Host, HostCase, cli
from with_postgres import Pooler, Replica, Server

ROOT = pathlib.Path(__file__).resolve().parents[2]


class PostgresCase(HostCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.number = 0

    def setUp(self):
        super().setUp()
        type(self).number += 1
        self.name = f"test{self.number}"
        self.psql("postgres", f"CREATE DATABASE {self.name}")
        self.store = f"postgresql://amzsync@127.0.0.1:{self.server.port}/{self.name}"

    def psql(self, database, query):
        return self.psql_at(self.server, query, database)

    def psql_at(self, server, query, database="postgres"):
        done = subprocess.run(["psql", "-h", "127.0.0.1", "-p", str(server.port), "-U", "amzsync", "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1", database, "-c", query], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    @contextlib.contextmanager
    def transaction(self, query, database=None):
        """One of another program, which stays open meanwhile."""
        with subprocess.Popen(["psql", "-h", "127.0.0.1", "-p", str(self.server.port), "-U", "amzsync", "-At", database or self.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            other.stdin.write(f"BEGIN; {query};\n\\echo begun\n")
            other.stdin.flush()
            while other.stdout.readline() != "begun\n":
                pass
            yield
            other.stdin.write("ROLLBACK;\n")
            other.stdin.close()

    def sql(self, query, *args):
        for value in args:
            query = query.replace("?", f"'{value}'", 1)
        return [tuple(int(v) if v.lstrip("-").isdigit() else v for v in line.split("\t")) for line in self.psql(self.name, query).splitlines()]


    def reading_host(self):
        """One in the midst of a sync that takes its time, until the faults are cleared."""
        sim = self.sim(events=2000)
        host = self.host(sim)
        sim.fault("/finances", "slow", delayMs=300)
        run = host.connect().query["sync_id"]
        self.reach(host, 30)
        return sim, host, run

    def stop_while_frozen(self, server):
        """What does not answer keeps no host from its end, and the sync is the next one's."""
        sim, host, run = self.reading_host()
        with server.frozen():
            self.assertEqual(host.stop(), 0)
        self.assertEqual(self.host(sim).get(f"/api/sync/status/{run}").json["status"], "in_progress")


class OneHost(PostgresCase):
    def test_a_seller_is_synced_to_the_truth_and_again_without_a_change(self):
        for seller, source in enumerate(("transactions", "v0"), 1):
            with self.subTest(source=source):
                sim = self.sim(events=2000)
                host = self.host(sim, finances="v0" if source == "v0" else "2024-06-19")
                user = f"user-{source}"
                first = host.finish(host.connect(user, seller).query["sync_id"], user)
                self.assertEqual(first["status"], "completed", first)
                self.check_truth(host, sim, user, seller, source)
                second = host.finish(host.post("/api/sync/start", user).json["syncId"], user)
                self.assertEqual((second["status"], sum(s["added"] + s["changed"] + s["removed"] for s in second["streams"])), ("completed", 0), second)
                host.stop()

    def test_a_user_is_erased_from_every_table(self):
        sim = self.sim()
        host = self.host(sim)
        host.finish(host.connect("user-1").query["sync_id"], "user-1")
        host.finish(host.connect("user-2", seller=2).query["sync_id"], "user-2")
        self.assertEqual(host.post("/api/erase", "user-1").status, 200)
        host.stop()
        self.check_truth(self.host(sim), sim, "user-2", seller=2)
        tables = self.sql("SELECT table_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name) WHERE column_name='user_no' AND table_type='BASE TABLE' AND table_schema='public'")
        for (table,) in tables:
            self.assertLessEqual(self.sql(f"SELECT count(DISTINCT user_no) FROM {table}")[0][0], 1, table)


class ManyUsers(PostgresCase):
    # Looked through across users, or few.
    SHARED = {"users", "consents", "connections", "runs", "run_progress", "journal"}

    def of_users(self):
        return {t for (t,) in self.sql("SELECT table_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name) WHERE column_name='user_no' AND table_type='BASE TABLE' AND table_schema='public'")}

    def all_told(self):
        """What a connection counted is told when it ends."""
        while self.sql(f"SELECT 1 FROM pg_stat_activity WHERE datname='{self.name}' AND application_name='amzsync'"):
            pass

    def test_the_keys_of_what_is_a_users_are_led_by_the_user(self):
        self.host(self.sim())
        led = {t for (t,) in self.sql("SELECT c.relname FROM pg_constraint k JOIN pg_class c ON c.oid=k.conrelid JOIN pg_attribute a ON a.attrelid=c.oid AND a.attnum=k.conkey[1] WHERE k.contype='p' AND a.attname='user_no'")}
        self.assertEqual(self.of_users() - led, self.SHARED - {"users"})
        self.assertLessEqual({"transaction_lines", "financial_event_lines", "archive_pieces", "ledger"}, led)

    def test_nothing_that_is_done_for_one_user_reads_through_a_table(self):
        sim = self.sim(events=300, plant=120, history_days=200)
        self.psql("postgres", f"ALTER DATABASE {self.name} SET enable_seqscan=off")   # so that it is only done where there is no other way
        self.host(sim).stop()   # makes the tables, for whose indexes they are read through
        self.all_told()
        self.sql("SELECT pg_stat_reset()")
        for seller, source in enumerate(("2024-06-19", "v0"), 1):
            host = self.host(sim, history_days="200", finances=source, archive="all")
            user = f"user-{seller}"
            host.finish(host.connect(user, seller).query["sync_id"], user)
            host.finish(host.post("/api/sync/start", user).json["syncId"], user)
            one = host.get("/api/detections/results?limit=1", user).json["findings"][0]
            host.get(f"/api/detections/{one['id']}/explain", user)
            host.get(BASE + "/recoveries", user)
            host.stop()
            for command in ("replay", "export", "erase"):
                status, _, err = cli(host.env, command, "--user", user)
                self.assertEqual(status, 0, err)
        self.all_told()
        through = {t for (t,) in self.sql("SELECT relname FROM pg_stat_user_tables WHERE seq_scan>0")}
        self.assertEqual(through & self.of_users() - self.SHARED, set())


class TwoHosts(PostgresCase):
    def test_each_follows_what_the_other_works_on(self):
        sim = self.sim(events=2000)
        one, two = self.host(sim), self.host(sim)
        run = one.connect().query["sync_id"]
        self.assertEqual(two.finish(run)["status"], "completed")
        self.check_truth(two, sim)

    def test_a_run_whose_host_is_killed_goes_on_in_the_other(self):
        sim = self.sim(events=2000)
        one = self.host(sim)
        sim.fault("/finances", "slow", delayMs=1000)
        run = one.connect().query["sync_id"]
        self.reach(one, 30)
        one.kill()
        sim.control(clearFaults=True)
        two = self.host(sim)
        self.assertEqual(two.finish(run)["status"], "completed")
        self.check_truth(two, sim)

    def test_many_sellers_are_each_synced_once_whoever_takes_them_up(self):
        sim = self.sim(events=300, skus=20, sellers=8)
        hosts = [self.host(sim) for _ in range(3)]
        runs = [hosts[n % 3].connect(f"user-{n}", seller=n).query["sync_id"] for n in range(1, 9)]
        for n, run in enumerate(runs, 1):
            self.assertEqual(hosts[(n + 1) % 3].finish(run, f"user-{n}")["status"], "completed")
            self.check_truth(hosts[(n + 2) % 3], sim, f"user-{n}", seller=n)
        self.assertEqual(self.sql("SELECT count(*), count(DISTINCT user_id) FROM amz_runs"), [(8, 8)])


    def test_a_transaction_that_stays_open_keeps_back_nothing_but_what_it_may_write(self):
        sim = self.sim()
        one, two = self.host(sim), self.host(sim)
        self.psql("postgres", "CREATE TABLE of_others(n int)")
        with self.transaction("INSERT INTO of_others VALUES(1)", "postgres"), self.transaction("CREATE TABLE of_others(n int)"):
            with two.events() as stream:
                run = one.connect().query["sync_id"]
                self.assertEqual(stream.until(run)[-1].type, "sync.completed")
        with two.events() as stream:
            with self.transaction("SELECT value FROM meta; SELECT pg_current_xact_id()"):   # as one of ours begins
                run = one.post("/api/sync/start").json["syncId"]
                while one.get(f"/api/sync/status/{run}").json["status"] != "completed":
                    pass
            told = stream.until(run)   # it is over: all is told, and in order
        self.assertEqual([e.id for e in told if e.id], sorted(e.id for e in told if e.id))


class Pooled(PostgresCase):
    def test_hosts_behind_a_pooler_by_the_transaction_follow_each_other_and_leave_nothing_behind(self):
        pooler = Pooler(self.server, self.name)
        self.addCleanup(pooler.close)
        self.store = pooler.url
        sim = self.sim(events=2000)
        one, two = self.host(sim), self.host(sim)
        run = one.connect().query["sync_id"]
        self.assertEqual(two.finish(run)["status"], "completed")
        self.check_truth(two, sim)
        second = one.finish(two.post("/api/sync/start").json["syncId"])
        self.assertEqual((second["status"], sum(s["added"] + s["changed"] + s["removed"] for s in second["streams"])), ("completed", 0), second)
        self.assertEqual(self.sql(f"SELECT count(*) FROM pg_stat_activity WHERE datname='{self.name}' AND query LIKE 'LISTEN%'"), [(0,)])


    def test_a_host_is_stopped_while_its_pooler_hangs(self):
        pooler = Pooler(self.server, self.name)
        self.addCleanup(pooler.close)
        self.store = pooler.url
        self.stop_while_frozen(pooler)


class ReadAside(PostgresCase):
    FINDINGS = "FROM findings"

    def setUp(self):
        super().setUp()
        self.replica = Replica(self.server)
        self.addCleanup(self.replica.close)
        self.store += f"?replica=127.0.0.1:{self.replica.port}"
        self.host_ = self.host(self.sim(events=100, skus=30, plant=120, history_days=200), history_days="200")
        self.host_.finish(self.host_.connect().query["sync_id"])

    def findings(self):
        return self.host_.get("/api/detections/results?limit=1").json["findings"]

    def test_much_is_read_from_a_copy_that_follows(self):
        one = self.findings()[0]
        self.assertGreater(self.replica.asked(self.FINDINGS), 0)
        self.assertEqual(self.host_.get(f"/api/detections/{one['id']}/explain").json["findings"][0]["id"], one["id"])

    def test_nothing_is_read_there_that_is_older_than_the_call(self):
        one = self.findings()[0]["id"]
        self.psql_at(self.replica, "SELECT pg_wal_replay_pause()")
        while self.psql_at(self.replica, "SELECT pg_get_wal_replay_pause_state()").strip() != "paused":
            pass
        before = self.replica.asked(self.FINDINGS)
        self.assertEqual(self.host_.call("PUT", f"/api/detections/{one}/state", body={"state": "filed", "caseId": "77"}).status, 200)
        self.assertEqual({f["id"]: f["state"] for f in self.host_.get("/api/detections/results?limit=100").json["findings"]}[one], "filed")
        self.assertEqual(self.replica.asked(self.FINDINGS), before)

    def test_where_the_copy_is_gone_the_database_itself_is_read(self):
        before = self.findings()
        self.replica.stop()
        self.assertEqual(self.findings(), before)
        self.replica.start()

    def test_where_the_copy_hangs_the_database_itself_is_read(self):
        before = self.findings()
        with self.replica.frozen():
            self.assertEqual(self.findings(), before)
            self.assertEqual(self.host_.stop(), 0)

    def test_another_database_is_no_copy(self):
        self.psql_at(self.replica, "SELECT pg_promote()")
        before = self.replica.asked(self.FINDINGS)
        self.assertEqual(len(self.findings()), 1)
        self.assertEqual(self.replica.asked(self.FINDINGS), before)

    def test_what_follows_a_copy_that_went_its_own_way_is_no_copy(self):
        other = Replica(self.server)
        self.addCleanup(other.close)
        self.psql_at(other, "SELECT pg_promote()")
        self.psql_at(other, "CREATE TABLE much AS SELECT n, repeat('x', 1000) FROM generate_series(1, 100000) n")   # so that it is not behind
        astray = Replica(other)
        self.addCleanup(astray.close)
        self.store = self.store.replace(str(self.replica.port), str(astray.port))
        self.host_ = self.host(self.sim())
        self.assertEqual(len(self.findings()), 1)
        self.assertEqual(astray.asked(self.FINDINGS), 0)


class AnotherServer(PostgresCase):
    def burn(self, server=None):
        """Gives out many numbers of transactions."""
        self.psql_at(server or self.server, "DO $$ BEGIN FOR n IN 1..5000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$")

    def test_what_was_restored_into_another_server_stands_before_all_that_comes(self):
        self.burn()
        sim = self.sim()
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        host.stop()
        told = self.sql("SELECT seq FROM journal ORDER BY journal_no")
        other = Server()
        self.addCleanup(other.close)
        self.psql_at(other, f"CREATE DATABASE {self.name}")
        dump = subprocess.run(["pg_dump", "-h", "127.0.0.1", "-p", str(self.server.port), "-U", "amzsync", self.name], capture_output=True, check=True).stdout
        subprocess.run(["psql", "-q", "-h", "127.0.0.1", "-p", str(other.port), "-U", "amzsync", self.name], input=dump, stdout=subprocess.DEVNULL, check=True)
        above = "SELECT count(*) FROM journal WHERE journal_no >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint << 20"
        self.assertEqual(self.psql_at(other, above, self.name).strip(), str(len(told)))   # else this shows nothing
        self.store = self.store.replace(str(self.server.port), str(other.port))
        for _ in range(2):
            restored = self.host(sim)
            with restored.events() as stream:
                run = restored.post("/api/sync/start").json["syncId"]
                self.assertEqual(stream.until(run)[-1].type, "sync.completed")
            restored.stop()
        self.assertEqual(self.psql_at(other, above, self.name).strip(), "0")
        numbers = [int(n) for n in self.psql_at(other, "SELECT seq FROM journal ORDER BY journal_no", self.name).split()]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertGreater(len(numbers), len(told))

    def test_a_host_hears_on_where_a_copy_that_was_behind_takes_over(self):
        first = Server()
        copy = Replica(first)
        self.addCleanup(copy.close)
        self.psql_at(first, f"CREATE DATABASE {self.name}")
        self.store = f"postgresql://amzsync@127.0.0.1:{first.port},127.0.0.1:{copy.port}/{self.name}?target_session_attrs=read-write"
        sim = self.sim()
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        place = self.psql_at(first, "SELECT pg_current_wal_flush_lsn()").strip()
        while self.psql_at(copy, f"SELECT pg_last_wal_replay_lsn() >= '{place}'").strip() != "t":
            pass
        self.psql_at(copy, "ALTER SYSTEM SET primary_conninfo=''")
        self.psql_at(copy, "SELECT pg_reload_conf()")
        while self.psql_at(copy, "SELECT count(*) FROM pg_stat_wal_receiver").strip() != "0":
            pass
        self.burn(first)
        host.finish(host.post("/api/sync/start").json["syncId"])   # which the copy will know nothing of
        first.close()
        self.psql_at(copy, "SELECT pg_promote()")
        while host.get("/readyz").status != 200:
            pass
        with host.events("user-2") as stream:
            run = host.connect("user-2", seller=2).query["sync_id"]
            self.assertEqual(stream.until(run)[-1].type, "sync.completed")


class Migrations(PostgresCase):
    def make_version_15(self):
        for step in sorted((ROOT / "src/store/schema/postgres").glob("*.sql")):
            if int(step.name[:4]) <= 15:
                self.psql(self.name, step.read_text(encoding="utf-8"))
        self.psql(self.name, "INSERT INTO meta VALUES('version', '15')")

    def test_what_version_15_stored_is_kept_and_told_of_its_user(self):
        self.make_version_15()
        for user in (1, 2):
            self.psql(self.name, f"INSERT INTO users(user_no, user_id, created_at) VALUES({user}, 'user-{user}', 0)")
            for table, lines in (("transactions", "transaction_lines"), ("financial_events", "financial_event_lines")):
                self.psql(self.name, f"INSERT INTO {table}(event_id, user_no, day, identity, occurrence, content, type_id, detail, run_no) VALUES({user * 10}, {user}, 0, 'x', 0, 'y', 1, '{{}}', 1)")
                self.psql(self.name, f"INSERT INTO {lines}(line_id, shape_id, micros) SELECT {user * 10} * 4096 + n, 1, {user} FROM generate_series(0, 4095) n")
            self.psql(self.name, f"INSERT INTO archive(archive_no, user_no, stream, run_no, from_day, until_day, content_type, marketplace, read_until, at) VALUES({user}, {user}, 'ledger', 1, 0, 0, '', '', 0, extract(epoch FROM now())::bigint * 1000000)")
            self.psql(self.name, f"INSERT INTO archive_pieces(piece_id, bytes) SELECT ({user}::bigint << 20) + n, 'z' FROM generate_series(0, 2) n")
        self.host(self.sim())
        for lines in ("transaction_lines", "financial_event_lines"):
            self.assertEqual(self.sql(f"SELECT user_id, event_id, count(*), sum(amount_micros) FROM amz_{lines} GROUP BY 1, 2 ORDER BY 1"), [("user-1", 10, 4096, 4096), ("user-2", 20, 4096, 8192)])
        self.assertEqual(self.sql("SELECT user_no, min(piece_id >> 20), count(*) FROM archive_pieces GROUP BY 1 ORDER BY 1"), [(1, 1, 3), (2, 2, 3)])

    def test_a_step_that_waits_for_a_table_keeps_nobody_from_reading_it(self):
        self.make_version_15()
        sim, started = self.sim(), []
        starting = threading.Thread(target=lambda: started.append(Host(sim, self.store)))
        with self.transaction("LOCK TABLE transaction_lines, financial_event_lines, archive_pieces, users, connections IN ACCESS SHARE MODE"):   # as one reads who exports for long
            starting.start()
            waits = f"SELECT count(*) FROM pg_stat_activity WHERE datname='{self.name}' AND wait_event_type='Lock'"
            for _ in range(3):
                while self.sql(waits) == [(0,)]:
                    pass
                self.psql(self.name, "SET lock_timeout='10s'; SELECT count(*) FROM transaction_lines, financial_event_lines, archive_pieces, users, connections")
        starting.join()
        self.assertEqual(self.running(started[0]).get("/readyz").status, 200)

    def test_many_hosts_that_start_at_once_on_an_empty_database_make_its_schema_once(self):
        sim = self.sim()
        started = []
        threads = [threading.Thread(target=lambda: started.append(Host(sim, self.store))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for host in started:
            self.running(host)
        self.assertEqual(len(started), 8)
        self.assertEqual(self.sql("SELECT count(*) FROM engines"), [(8,)])
        run = started[0].connect().query["sync_id"]
        self.assertEqual(started[7].finish(run)["status"], "completed")


class ServerFails(PostgresCase):
    def test_a_restart_of_its_server_ends_no_host_and_loses_nothing(self):
        sim, host, run = self.reading_host()
        self.server.stop("fast")
        self.server.start()
        sim.control(clearFaults=True)
        ended = host.finish(run)
        if ended["status"] != "completed":
            # It was reading when the server went: it says so, and the next one completes.
            self.assertEqual((ended["status"], ended["error"]["code"]), ("failed", "store_unavailable"))
            self.assertEqual(host.finish(host.post("/api/sync/start").json["syncId"])["status"], "completed")
        self.check_truth(host, sim)

    def test_a_database_that_was_read_only_for_a_while_is_written_again(self):
        sim = self.sim(events=100)
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        self.psql("postgres", f"ALTER DATABASE {self.name} SET default_transaction_read_only=on")
        self.psql("postgres", f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname='{self.name}'")
        while host.post("/api/sync/start").json.get("error") != "store_read_only":
            pass
        self.psql("postgres", f"ALTER DATABASE {self.name} RESET default_transaction_read_only")
        begun = host.post("/api/sync/start")
        self.assertIn(begun.status, (200, 409), begun.body)
        run = begun.json.get("syncId") or begun.json["existingSyncId"]
        host.finish(run)
        self.check_truth(host, sim)

    def test_what_a_lock_kept_from_beginning_keeps_nothing_else_from_it(self):
        sim = self.sim(events=60, skus=5, sellers=4)
        host = self.host(sim)
        for seller, table in enumerate(("meta", "counters")):
            with self.subTest(table=table):
                with self.transaction(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"):
                    asking = threading.Thread(target=host.get, args=(f"{BASE}/auth/start", f"during-{table}"))
                    asking.start()
                    while asking.is_alive() and self.sql(f"SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE datname='{self.name}' AND wait_event_type='Lock'") == [(0,)]:
                        pass
                asking.join()
                user = f"after-{table}"
                self.assertEqual(host.finish(host.connect(user, 2 * seller + 2).query["sync_id"], user)["status"], "completed")

    def test_a_host_is_stopped_while_its_server_is_away(self):
        sim, host, run = self.reading_host()
        self.server.stop("immediate")
        self.assertEqual(host.stop(), 0)
        self.server.start()
        sim.control(clearFaults=True)
        self.assertEqual(self.host(sim).finish(run)["status"], "completed")

    def test_a_host_is_stopped_while_its_server_hangs(self):
        self.stop_while_frozen(self.server)

    def test_a_host_is_stopped_while_others_keep_its_tables(self):
        sim, host, run = self.reading_host()
        with self.transaction("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE"):
            while self.sql(f"SELECT count(*) FROM pg_stat_activity WHERE datname='{self.name}' AND wait_event_type='Lock'") == [(0,)]:
                pass
            self.assertEqual(host.stop(), 0)
        self.assertEqual(self.host(sim).get(f"/api/sync/status/{run}").json["status"], "in_progress")

    def test_a_server_that_hung_and_goes_on_is_used_again(self):
        sim = self.sim(events=2000)
        host = self.host(sim)
        with self.server.frozen():
            while host.get("/readyz").status != 503:
                pass
        while host.get("/readyz").status != 200:
            pass
        self.assertEqual(host.finish(host.connect().query["sync_id"])["status"], "completed")

    def test_what_is_no_database_for_it_is_named(self):
        def refused(store):
            with self.assertRaises(AssertionError) as told:
                Host(self.sim(), store)
            return str(told.exception)

        self.assertIn("In a name or a password all but letters and digits are to be written as %XX", refused("postgresql://anna:secretpw%@127.0.0.1/nowhere"))
        for number, table in enumerate(("users", "meta")):
            self.psql("postgres", f"CREATE DATABASE foreign{number}")
            self.psql(f"foreign{number}", f"CREATE TABLE {table}(n int)")
            self.assertIn("it needs a database, or a schema, of its own", refused(f"postgresql://amzsync@127.0.0.1:{self.server.port}/foreign{number}"))
        self.assertIn("no schema in which it could make tables", refused(self.store + "?options=-csearch_path%3Dnowhere"))
        self.psql(self.name, "CREATE ROLE reader LOGIN; REVOKE CREATE ON SCHEMA public FROM public")
        self.assertIn("The role of the store's URL may not do that in the database", refused(self.store.replace("amzsync@", "reader@")))

    def test_a_server_that_is_not_there_is_named_with_its_setting(self):
        with self.assertRaises(AssertionError) as told:
            Host(self.sim(), "postgresql://anna:secretpw@127.0.0.1:1/nowhere")
        self.assertIn("AMZSYNC_STORE is 'postgresql://anna:***@127.0.0.1:1/nowhere'", str(told.exception))
        self.assertNotIn("secretpw", str(told.exception))


if __name__ == "__main__":
    unittest.main()
