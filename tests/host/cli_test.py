# SPDX-License-Identifier: Apache-2.0
"""The command line, and what our programs say of wrong settings."""
import base64
import csv
import json
import os
import pty
import re
import signal
import subprocess
import termios
import unittest

from harness import BASE, BIN, CLIENT_SECRET, HISTORY_DAYS, MASTER_KEY, PATIENCE, Host, HostCase, amounts, cli


class Screen:
    """As much of a terminal as the command line needs: what is seen after each piece that it writes at once."""

    def __init__(self, rows, columns):
        self.rows, self.columns, self.lines, self.at = rows, columns, [""], [0, 0]

    def play(self, text):
        seen = []
        for piece in re.findall(r"\x1b\[\d*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
            row, column = self.at
            if piece == "\r":
                self.at = [row, 0]
                seen.append([line.rstrip() for line in self.lines])
            elif piece == "\n":
                self.at = [row + 1, column]
                if row + 1 == len(self.lines):
                    self.lines.append("")
                if len(self.lines) > self.rows:
                    self.lines.pop(0)
                    self.at[0] -= 1
            elif piece.startswith("\x1b["):
                if piece.endswith("A"):
                    self.at = [row - int(piece[2:-1]), column]
                    assert self.at[0] >= 0, "above the screen"
                elif piece.endswith("J"):
                    del self.lines[row + 1:]
                    self.lines[row] = self.lines[row][:column]
                else:
                    assert piece.endswith("m"), piece
            else:
                self.lines[row] = self.lines[row][:column].ljust(column) + piece + self.lines[row][column + len(piece):]
                self.at = [row, column + len(piece)]
                assert len(self.lines[row]) <= self.columns or ": " in self.lines[row], self.lines[row]   # log lines wrap, which is the terminal's
        seen.append([line.rstrip() for line in self.lines])
        return seen


class CommandLine(HostCase):
    def settings(self, sim, **more):
        env = {
            "AMZSYNC_STORE": f"sqlite:{self.store}",
            "AMZSYNC_LWA_CLIENT_ID": "amzn1.application-oa2-client.test",
            "AMZSYNC_LWA_CLIENT_SECRET": CLIENT_SECRET,
            "AMZSYNC_MASTER_KEY": MASTER_KEY,
            "AMZSYNC_LWA_ENDPOINT": sim.url,
            "AMZSYNC_HISTORY_DAYS": str(HISTORY_DAYS),
            "AMZSYNC_SPAPI_ENDPOINT": sim.url,
        }
        env.update({"AMZSYNC_" + k.upper(): v for k, v in more.items()})
        return {k: v for k, v in env.items() if v is not None}

    def connect(self, env, user="anna", seller=1):
        token = self.folder / "token"
        token.write_text(f"Atzr|sim-seller-{seller}\n")
        code, out, err = cli(env, "connect", "--user", user, "--refresh-token-file", str(token))
        self.assertEqual((code, err.count("error")), (0, 0), err)
        return out

    def run_sync(self, env, *more, user="anna"):
        code, out, err = cli(env, "--log-level", "error", "sync", "--user", user, "--json", *more)
        return code, json.loads(out.strip().splitlines()[-1], parse_float=str), err

    def test_connect_sync_status_history_recoveries(self):
        for finances in ("2024-06-19", "v0"):
            with self.subTest(finances):
                self.store = self.folder / f"{finances}.db"
                sim = self.sim(events=1500, skus=80)
                env = self.settings(sim, finances=finances)
                self.connect(env, seller=2)
                code, last, err = self.run_sync(env)
                self.assertEqual((code, last["status"]), (0, "completed"))
                self.assertEqual(set(last), {"syncId", "status", "wallSeconds", "calls", "streams"})
                self.assertGreater(last["calls"], 3)
                progress = err.splitlines()
                for line in progress:
                    self.assertRegex(line, r"^\d+% \w")
                # It joins the sync that the connection began, wherever that one is by then.
                percents = [int(line.split("%")[0]) for line in progress]
                self.assertEqual(percents, sorted(percents))
                self.assertEqual(percents[-1], 100)
                truth = sim.truth(2)["transactions" if finances != "v0" else "financialEvents"]
                code, out, _ = cli(env, "recoveries", "--user", "anna", "--json")
                self.assertEqual((code, amounts(json.loads(out, parse_float=str)["totals"])), (0, amounts(truth["recoveries"])))
                code, out, _ = cli(env, "recoveries", "--user", "anna", "--by-month")
                for t in truth["recoveries"]:
                    shown = re.sub(r"(\.\d)$", r"\g<1>0", str(t["amount"]))
                    self.assertIn(f"{shown} {t['currency']} in {t['count']} reimbursements", out)
                self.assertIn("completed", cli(env, "status", "--user", "anna")[1])
                code, out, _ = cli(env, "history", "--user", "anna", "--json")
                self.assertEqual(json.loads(out)["total"], 1)
                self.assertEqual(self.run_sync(env, "--streams", "inventory")[1]["streams"][0]["name"], "inventory")

    def test_a_shell_learns_the_commands_and_their_options(self):
        def complete(*words):
            script = f'source <("{BIN}/amzsync" completion bash); COMP_WORDS=(amzsync "$@"); COMP_CWORD=$#; _amzsync; printf "%s\\n" "${{COMPREPLY[@]}}"'
            done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, timeout=60, check=True)
            self.assertEqual(done.stderr, "")
            return done.stdout.split()
        self.assertEqual(complete("fi"), ["findings"])
        self.assertIn("--explain", complete("findings", "--ex"))
        self.assertIn("--store", complete("sync", "--sto"))
        self.assertEqual(complete("sync", "--explain"), [])
        for shell in ("zsh", "fish"):
            code, out, _ = cli({}, "completion", shell)
            self.assertEqual((code, "rotate-key" in out), (0, True))
        self.assertEqual(cli({}, "completion", "tcsh")[0], 2)

    def test_on_a_terminal_each_dataset_has_a_bar_and_lines_stay_above_them(self):
        sim = self.sim(events=300, skus=60)
        sim.fault("/fba/inventory", "slow", delayMs=400)
        env = self.settings(sim, log_level="info")
        self.connect(env)
        for colours, more in ((True, {"TERM": "xterm"}), (False, {"TERM": "xterm", "NO_COLOR": "1"}), (False, {"TERM": "dumb"})):
            with self.subTest(more):
                main, other = pty.openpty()
                termios.tcsetwinsize(main, (12, 70))
                clean = {k: v for k, v in os.environ.items() if not k.startswith("AMZSYNC_")}
                process = subprocess.Popen([BIN / "amzsync", "sync", "--user", "anna", "--json"], env={**clean, **env, **more}, stdout=subprocess.PIPE, stderr=other)
                os.close(other)
                written = b""
                while True:
                    try:
                        part = os.read(main, 65536)
                    except OSError:   # whoever wrote is gone
                        break
                    if not part:
                        break
                    written += part
                os.close(main)
                out = process.stdout.read()
                process.stdout.close()
                self.assertEqual((process.wait(), json.loads(out.splitlines()[-1])["status"]), (0, "completed"))
                text = written.decode()
                self.assertEqual(bool(re.search(r"\x1b\[3\dm", text)), colours)
                if more["TERM"] == "dumb":   # whose cursor can't be moved
                    self.assertNotIn("\x1b", text)
                    self.assertRegex(text, r"(?m)^100% Complete\r?$")
                    continue
                screens = Screen(12, 70).play(text)
                bars = [s for s in screens if any(re.match(r"\[[#.]{24}\] \d+%", line) for line in s)]
                self.assertTrue(any(re.match(r"  inventory +\[[#.]{10}\] \d+ rows", line) for s in bars for line in s), bars[-1:])
                for s in bars:   # the whole of it is there once, at the foot
                    self.assertEqual(sum(line.startswith("[") for line in s), 1, s)
                end = [line for line in screens[-1] if line]
                self.assertTrue(all(re.match(r"(info|warn): ", line) or not re.match(r" *\[", line) for line in end), end)   # nothing of the bars is left
                self.assertTrue(any("Sync ended" in line for line in end), end)

    def test_a_sync_of_named_datasets_is_of_those_also_where_another_is_under_way(self):
        sim = self.sim(events=100)
        env = self.settings(sim)
        self.connect(env)   # which begins a sync of everything
        code, last, _ = self.run_sync(env, "--streams", "inventory")
        self.assertEqual((code, last["status"]), (0, "completed"), last)
        self.assertEqual([s["name"] for s in last["streams"] if s["name"] != "participations"], ["inventory"], last)
        self.assertEqual(json.loads(cli(env, "history", "--user", "anna", "--json")[1])["total"], 2)

    def test_what_the_sync_under_way_does_not_read_is_waited_for_and_read_once(self):
        sim = self.sim(events=100)
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        for named, read in ((), {"inventory", "transactions"}), (("--streams", "transactions"), {"transactions"}):
            with self.subTest(named):
                host.post("/api/sync/pause")
                under_way = host.post("/api/sync/start", body={"streams": "inventory"}).json["syncId"]
                with subprocess.Popen([BIN / "amzsync", "sync", "--user", "user-1", "--json", *named], env={**os.environ, **host.env, "AMZSYNC_LOG_LEVEL": "error"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waits:
                    said = next(line for line in waits.stderr if "syncing is paused" in line)   # by now it has asked, and waits
                    host.post("/api/sync/resume")
                    out = waits.communicate(timeout=PATIENCE)[0]
                last = json.loads(out.strip().splitlines()[-1])
                self.assertIn("amzsync resume", said)
                self.assertEqual((waits.returncode, last["status"]), (0, "completed"), last)
                self.assertLessEqual(read, {s["name"] for s in last["streams"]}, last)
                runs = [run["syncId"] for run in host.get("/api/sync/history").json["syncs"]]
                self.assertEqual(runs[:2], [last["syncId"], under_way])   # and none besides

    def test_a_sync_of_others_that_comes_between_is_not_taken_for_the_one_that_was_asked_for(self):
        sim = self.sim(events=100)
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        sim.fault("/fba/inventory", "status", status=400, code="InvalidInput")
        sim.fault("/fba/inbound", "slow", delayMs=1500)
        host.post("/api/sync/pause")
        for streams in "inventory", "inbound":   # the second will follow the first
            host.post("/api/sync/start", body={"streams": streams})
        with subprocess.Popen([BIN / "amzsync", "sync", "--user", "user-1", "--json", "--streams", "inventory"], env={**os.environ, **host.env, "AMZSYNC_LOG_LEVEL": "error"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waits:
            next(line for line in waits.stderr if "syncing is paused" in line)
            host.post("/api/sync/resume")
            out = waits.communicate(timeout=PATIENCE)[0]
        last = json.loads(out.strip().splitlines()[-1])
        self.assertEqual((waits.returncode, last["status"], last["error"]["code"]), (1, "failed", "request_rejected"), last)
        self.assertIn("inventory", [s["name"] for s in last["streams"]])

    def test_a_sync_of_everything_that_others_began_is_not_taken_for_one_of_what_amazon_denies(self):
        sim = self.sim(events=100)
        host = self.host(sim)
        host.finish(host.connect().query["sync_id"])
        sim.fault("/fba/inbound", "status", status=403, code="Unauthorized")
        host.post("/api/sync/pause")
        host.post("/api/sync/start")
        with subprocess.Popen([BIN / "amzsync", "sync", "--user", "user-1", "--json", "--streams", "inbound"], env={**os.environ, **host.env, "AMZSYNC_LOG_LEVEL": "error"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waits:
            next(line for line in waits.stderr if "syncing is paused" in line)
            sim.fault("/fba/inventory", "slow", delayMs=2000)   # the one that follows is there when the command looks again
            with host.events() as stream:
                host.post("/api/sync/resume")
                next(e for e in stream if e.type == "sync_progress")
            host.connect()
            out = waits.communicate(timeout=PATIENCE)[0]
        last = json.loads(out.strip().splitlines()[-1])
        self.assertEqual((waits.returncode, last["status"], last["error"]["code"]), (1, "failed", "unauthorised"), last)

    def test_the_sync_of_a_connection_that_came_anew_is_not_taken_for_the_one_that_was_to_follow(self):
        sim = self.sim(events=100)
        host = self.host(sim)
        sim.fault("/fba/inventory", "hang", times=-1)
        host.connect()
        self.reach(host, 30)
        with subprocess.Popen([BIN / "amzsync", "sync", "--user", "user-1", "--json", "--streams", "financial_events"], env={**os.environ, **host.env, "AMZSYNC_LOG_LEVEL": "error"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waits:
            while not self.sql("SELECT 1 FROM runs WHERE run_again_asked='financial_events'"):
                pass
            waits.send_signal(signal.SIGSTOP)
            host.post(BASE + "/disconnect")
            sim.control(clearFaults=True)
            host.finish(host.connect().query["sync_id"])
            waits.send_signal(signal.SIGCONT)
            out = waits.communicate(timeout=PATIENCE)[0]
        last = json.loads(out.strip().splitlines()[-1])
        self.assertEqual((waits.returncode, last["status"]), (0, "completed"), last)
        self.assertEqual([s["name"] for s in last["streams"]], ["financial_events", "participations"])

    def test_nobody_in_particular_is_not_everybody(self):
        env = self.settings(self.sim())
        for command in "pause", "resume":
            code, out, err = cli(env, command, "--user", "")
            self.assertEqual((code, out), (2, ""))
            self.assertIn("--all", err)

    def test_findings_are_shown_explained_and_exported_with_their_rows(self):
        sim = self.sim(events=100, skus=30, plant=120, history_days=200)
        env = self.settings(sim)
        env["AMZSYNC_HISTORY_DAYS"] = "200"
        self.connect(env)
        costs = self.folder / "costs.json"
        costs.write_text(json.dumps([{"product": c["sku"], "from": c["from"], "amount": float(c["amount"]), "currency": c["currency"]} for c in sim.truth(1)["planted"]["costs"]]))
        self.assertEqual(cli(env, "supply", "--user", "anna", "--kind", "costs", "--file", str(costs))[0], 0)
        self.assertEqual(self.run_sync(env)[0], 0)
        claims = json.loads(cli(env, "history", "--user", "anna", "--json")[1])["syncs"][0]["claimsDetected"]
        self.assertGreater(claims, 5)

        def lines(*args):
            code, out, err = cli(env, "--log-level", "error", *args, "--user", "anna")
            self.assertEqual((code, err), (0, ""))
            return out.splitlines()

        packets = [json.loads(line) for line in lines("export", "--findings", "--status", "claim_ready")]
        self.assertEqual(len(packets), claims)
        for packet in packets:
            self.assertTrue(packet["rows"], packet["finding"])
            self.assertEqual({(e["table"], e["row"]) for e in packet["finding"]["evidence"]} - {(r["table"], r["row"]) for r in packet["rows"]}, set())
        table = list(csv.DictReader(lines("export", "--findings", "--status", "claim_ready", "--format", "csv")))
        self.assertEqual([row["id"] for row in table], [p["finding"]["id"] for p in packets])
        self.assertEqual(json.loads(table[0]["rows"]), packets[0]["rows"])
        self.assertIn(f"{len(packets)} of {len(packets)}", lines("findings", "--status", "claim_ready")[-1])
        one = packets[0]["finding"]
        self.assertEqual(json.loads(lines("findings", "--explain", one["id"], "--json")[-1])["findings"][0]["id"], one["id"])

    def test_a_copy_is_kept_by_export(self):
        sim = self.sim(events=800, skus=30)
        env = self.settings(sim)
        self.connect(env)
        self.assertEqual(self.run_sync(env)[0], 0)

        def lines(*args):
            code, out, err = cli(env, "--log-level", "error", "export", "--user", "anna", *args)
            self.assertEqual((code, err), (0, ""))
            return [json.loads(line, parse_float=str) for line in out.splitlines()]

        rows = lines("--what", "reimbursements")
        self.assertEqual(len(rows), sim.truth(1)["reports"]["reimbursements"]["rows"])
        self.assertEqual(sum(r["row"]["amount_micros"] for r in rows), self.sql("SELECT sum(amount_micros) FROM amz_reimbursements")[0][0])
        self.assertEqual(set(rows[0]["row"]), {c[1] for c in self.sql("PRAGMA table_info(amz_reimbursements)")})
        copy = {(c["stream"], c["id"]): c["row"] for c in lines("--since", "0")[:-1]}
        self.assertEqual(len(copy), len(lines()))
        position = lines("--since", "0")[-1]["position"]
        self.assertEqual(lines("--since", str(position)), [{"position": position}])
        sim.control(loseStock={"seller": 1, "skus": 3})
        self.assertEqual(self.run_sync(env)[0], 0)
        *changes, last = lines("--since", str(position))
        self.assertEqual([(c["stream"], c["op"]) for c in changes], [("inventory", "delete")] * 3)
        for c in changes:
            self.assertIn((c["stream"], c["id"]), copy)
        self.assertEqual(last["position"], position + 3)
        # As a table.
        code, out, _ = cli(env, "--log-level", "error", "export", "--user", "anna", "--what", "ledger", "--format", "csv")
        table = list(csv.DictReader(out.splitlines(keepends=True)))
        self.assertEqual((code, len(table)), (0, sim.truth(1)["reports"]["ledger"]["rows"]))
        self.assertEqual(sum(int(r["quantity"]) for r in table), sim.truth(1)["reports"]["ledger"]["quantity"])
        for wrong, code in ((("--what", "weather"), 2), (("--format", "csv"), 2), (("--format", "xml"), 2), (("--since", "-1"), 2)):
            self.assertEqual(cli(env, "export", "--user", "anna", *wrong)[0], code, wrong)
        self.assertEqual(cli(env, "export", "--user", "nobody")[0], 1)

    def test_exit_codes_say_how_a_sync_ended(self):
        sim = self.sim(events=300, skus=60)
        env = self.settings(sim)
        self.assertEqual(cli(env, "sync", "--user", "nobody")[0], 1)
        self.connect(env)
        sim.fault("/fba/inventory", "status", status=400)
        code, last, err = self.run_sync(env)
        self.assertEqual((code, last["status"], last["error"]["code"]), (3, "partial", "request_rejected"))
        sim.control(clearFaults=True, revoke=1, expireAccessTokens=True)
        code, last, err = self.run_sync(env)
        self.assertEqual((code, last["status"], last["error"]["code"]), (1, "failed", "needs_reauth"))
        code, out, err = cli(env, "sync", "--user", "anna")
        self.assertEqual((code, err.strip().splitlines()[-1]), (1, "amzsync: Amazon no longer accepts this connection. Please connect your Amazon account again."))

    def test_check_names_the_setting_that_is_wrong(self):
        sim = self.sim("--client-secret", CLIENT_SECRET, events=0)
        env = self.settings(sim)
        self.assertEqual(cli(env, "check")[::2], (0, ""))
        self.connect(env)
        self.assertEqual(cli(env, "check")[::2], (0, ""))
        dead = "http://127.0.0.1:1"
        other_key = base64.b64encode(b"x" * 32).decode()
        for wrong, names in (({"lwa_client_secret": "not-that"}, "AMZSYNC_LWA_CLIENT_SECRET"), ({"master_key": other_key}, "AMZSYNC_MASTER_KEY"), ({"spapi_endpoint": dead}, "AMZSYNC_SPAPI_ENDPOINT"),
                             ({"lwa_endpoint": dead}, "AMZSYNC_LWA_ENDPOINT")):
            with self.subTest(names):
                code, out, err = cli(self.settings(sim, **wrong), "check")
                self.assertEqual((code, len(err.strip().splitlines())), (1, 1), err)
                self.assertIn(names, err)
                self.assertNotIn("not-that", err)
                self.assertNotIn(other_key, err)

    def test_the_doctor_says_what_is_wrong_and_what_to_do(self):
        sim = self.sim("--client-secret", CLIENT_SECRET, events=100)
        env = self.settings(sim, application_id="amzn1.sp.solution.test", redirect_uri="https://host.example/callback")
        code, out, err = cli(env, "doctor")
        self.assertEqual((code, err), (0, ""), out)
        self.assertRegex(out, r"(?m)^ok       AMZSYNC_SPAPI_ENDPOINT: The API answers\.$")
        self.assertRegex(out, r"(?m)^unknown  call: No seller is connected")
        self.connect(env)
        self.assertEqual(self.run_sync(env)[0], 0)
        healthy = json.loads(cli(env, "doctor", "--json")[1].splitlines()[-1])
        self.assertTrue(healthy["healthy"])
        self.assertEqual({c["state"] for c in healthy["checks"]}, {"ok"}, healthy)
        sim.control(advanceSeconds=900)
        dead = "http://127.0.0.1:1"
        for wrong, told in (({}, "clock: This machine's clock is "), ({"lwa_client_secret": "not-that"}, "AMZSYNC_LWA_CLIENT_SECRET: "), ({"spapi_endpoint": dead}, "AMZSYNC_SPAPI_ENDPOINT: "),
                            ({"lwa_endpoint": dead}, "AMZSYNC_LWA_ENDPOINT: "), ({"region": "eu"}, "AMZSYNC_REGION: The engine works in region eu, but the database holds 1 connection of region na."),
                            ({"redirect_uri": "http://host.example/callback"}, "AMZSYNC_REDIRECT_URI: "), ({"application_id": "amzn1.application-oa2-client.x"}, "AMZSYNC_APPLICATION_ID: "),
                            ({"master_key": base64.b64encode(b"x" * 32).decode()}, "AMZSYNC_MASTER_KEY: No key opens 1 refresh token of 1.")):
            with self.subTest(told):
                code, out, err = cli(dict(env, **{"AMZSYNC_" + k.upper(): v for k, v in wrong.items()}), "--log-level", "error", "doctor")
                self.assertEqual(code, 1)
                line = next(i for i, l in enumerate(out.splitlines()) if l.startswith("wrong    " + told))
                self.assertRegex(out.splitlines()[line + 1], r"^         \w")
                self.assertRegex(err.strip(), r"^amzsync: \d things? (is|are) wrong, above$")
                self.assertNotIn("not-that", out + err)

    def test_the_master_key_is_changed_while_a_host_works(self):
        sim = self.sim(events=200)
        new_key = base64.b64encode(b"n" * 32).decode()
        both = f"new:{new_key},default:{MASTER_KEY}"
        self.connect(self.settings(sim))
        host = self.running(Host(sim, self.store, master_key=both))
        host.finish(host.connect("bert", seller=2).query["sync_id"], "bert")
        code, out, err = cli(self.settings(sim, master_key=both), "rotate-key")
        self.assertEqual(code, 0, err)
        self.assertRegex(out, r"^4 secrets are stored; 2 of them were sealed anew with the key new\.\nThe other keys can be taken out of AMZSYNC_MASTER_KEY")
        self.assertEqual(json.loads(cli(self.settings(sim, master_key=both), "rotate-key", "--json")[1].splitlines()[-1]), {"key": "new", "secrets": 4, "resealed": 0, "restored": 0, "unreadable": []})
        host.stop()
        only_new = self.settings(sim, master_key=f"new:{new_key}")
        self.assertEqual(cli(only_new, "check")[::2], (0, ""))
        self.assertEqual(self.run_sync(only_new)[1]["status"], "completed")
        code, out, err = cli(self.settings(sim), "rotate-key")
        self.assertEqual(code, 1)
        self.assertIn("no key of AMZSYNC_MASTER_KEY opens the tokens of anna, bert;", err)
        self.assertNotIn(MASTER_KEY, out + err)

    def test_a_wrong_setting_stops_the_start_with_one_line(self):
        sim = self.sim(events=0)
        for wrong, names in (
            ({"store": "mysql:x"}, "AMZSYNC_STORE is 'mysql:x'"),
            ({"store": "postgresql://anna:secretpw@db/x"}, "AMZSYNC_STORE is 'postgresql://anna:***@db/x'"),
            ({"store": "sqlite:/proc/nowhere/x.db"}, "AMZSYNC_STORE is 'sqlite:/proc/nowhere/x.db'"),
            ({"region": "moon"}, "AMZSYNC_REGION is 'moon'"),
            ({"finances": "v7"}, "AMZSYNC_FINANCES is 'v7'"),
            ({"streams": "inventory,weather"}, "AMZSYNC_STREAMS is 'inventory,weather'"),
            ({"history_days": "abc"}, "AMZSYNC_HISTORY_DAYS is 'abc'; it must be a whole number"),
            ({"demo": "maybe"}, "AMZSYNC_DEMO is 'maybe'"),
            ({"archive_days": "x"}, "AMZSYNC_ARCHIVE_DAYS is 'x'"),
            ({"history_days": "0"}, "AMZSYNC_HISTORY_DAYS is '0'"),
            ({"history_days": "731"}, "AMZSYNC_HISTORY_DAYS is '731'"),
            ({"sync_every_minutes": "3"}, "AMZSYNC_SYNC_EVERY_MINUTES is '3'"),
            ({"journal_days": "999"}, "AMZSYNC_JOURNAL_DAYS is '999'"),
            ({"max_runs": "10001"}, "AMZSYNC_MAX_RUNS is '10001'"),
            ({"synchronous": "off"}, "AMZSYNC_SYNCHRONOUS is 'off'"),
            ({"spapi_environment": "test"}, "AMZSYNC_SPAPI_ENVIRONMENT is 'test'"),
            ({"spapi_endpoint": "http://example.com"}, "AMZSYNC_SPAPI_ENDPOINT is 'http://example.com'"),
            ({"lwa_endpoint": "ftp://example.com"}, "AMZSYNC_LWA_ENDPOINT is 'ftp://example.com'"),
            ({"log_level": "loud"}, "AMZSYNC_LOG_LEVEL is 'loud'"),
            ({"log_format": "xml"}, "AMZSYNC_LOG_FORMAT is 'xml'"),
            ({"master_key": "c2hvcnQ="}, "AMZSYNC_MASTER_KEY is wrong"),
            ({"master_key": None}, "AMZSYNC_MASTER_KEY is missing"),
            ({"lwa_client_id": None}, "AMZSYNC_LWA_CLIENT_ID is missing"),
            ({"lwa_client_secret": None}, "AMZSYNC_LWA_CLIENT_SECRET is missing"),
            ({"lwa_client_secret": None, "lwa_client_secret_file": "/nowhere"}, "AMZSYNC_LWA_CLIENT_SECRET_FILE is '/nowhere'"),
            ({"lwa_client_secret": None, "lwa_client_secret_file": "/dev/null"}, "AMZSYNC_LWA_CLIENT_SECRET_FILE is '/dev/null', which is empty"),
            ({"lwa_client_id": "  "}, "AMZSYNC_LWA_CLIENT_ID is missing"),
            ({"lwa_client_secret": " "}, "AMZSYNC_LWA_CLIENT_SECRET is missing"),
        ):
            for program in ("amzsync", "amzsync-host"):
                with self.subTest((program, names)):
                    env = self.settings(sim, **wrong)
                    env.update({"AMZSYNC_JWT_SECRET": "jwt", "AMZSYNC_LISTEN": "127.0.0.1:0"})
                    clean = {k: v for k, v in os.environ.items() if not k.startswith("AMZSYNC_")}
                    args = ["status", "--user", "anna"] if program == "amzsync" else []
                    done = subprocess.run([BIN / program, *args], env={**clean, **env}, capture_output=True, text=True, timeout=60)
                    self.assertNotEqual(done.returncode, 0)
                    self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
                    self.assertTrue(done.stderr.startswith(f"{program}: {names}"), done.stderr)
                    self.assertNotIn("c2hvcnQ=", done.stderr)
        for wrong, names in (({"listen": "nonsense"}, "AMZSYNC_LISTEN is 'nonsense'"), ({"listen": "127.0.0.1:99999"}, "AMZSYNC_LISTEN"), ({"jwt_secret": None}, "AMZSYNC_JWT_SECRET is missing"),
                             ({"jwt_secret": "  "}, "AMZSYNC_JWT_SECRET is missing"), ({"jwt_secret": None, "jwt_secret_file": "/dev/null"}, "AMZSYNC_JWT_SECRET_FILE is '/dev/null', which is empty"),
                             ({"frontend_origins": "https://a.example/path"}, "AMZSYNC_FRONTEND_ORIGINS is"), ({"listen": f"127.0.0.1:{sim.port}"}, f"AMZSYNC_LISTEN is '127.0.0.1:{sim.port}'"),
                             ({"listen": "0.0.0.0:0", "demo": "1"}, "AMZSYNC_LISTEN is '0.0.0.0:0'")):
            with self.subTest(names), self.assertRaises(AssertionError) as refused:
                self.host(sim, **wrong)
            self.assertIn("amzsync-host: " + names, str(refused.exception))

    def test_settings_from_a_file_under_the_environment_under_flags(self):
        sim = self.sim(events=0)
        config = self.folder / "settings.toml"
        env = self.settings(sim, region="moon", lwa_client_secret=None)
        secret = self.folder / "secret"
        secret.write_text(CLIENT_SECRET + "\n")
        config.write_text(f'finances = "v0"\nregion = "na"\nlwa-client-secret-file = "{secret}"\nlisten = "127.0.0.1:0"\n')
        self.assertIn("AMZSYNC_REGION is 'moon'", cli(env, "--config", str(config), "status", "--user", "anna")[2])   # environment over file
        self.assertEqual(cli(env, "--config", str(config), "--region", "na", "status", "--user", "anna")[0], 0)      # flag over environment
        # Where a secret comes from makes no difference to that order.
        other = self.folder / "other"
        other.write_text(base64.b64encode(b"y" * 32).decode())
        config.write_text(f'master-key = "{base64.b64encode(b"x" * 32).decode()}"\n')
        key_file = self.settings(sim, master_key=None, master_key_file=str(self.folder / "key"))
        (self.folder / "key").write_text(MASTER_KEY + "\n")
        self.connect(self.settings(sim))
        self.assertEqual(cli(key_file, "--config", str(config), "check")[0], 0)
        self.assertEqual(cli(key_file, "--master-key-file", str(other), "check")[0], 1)
        self.assertEqual(cli(self.settings(sim), f"--master-key-file={other}", "check")[0], 1)
        for streams in ('["inventory", "transactions"]', '"inventory,transactions"'):
            config.write_text(f"streams = {streams}\n")
            out = cli(self.settings(sim), "--config", str(config), "sync", "--user", "anna", "--json")[1]
            self.assertEqual({s["name"] for s in json.loads(out.splitlines()[-1])["streams"]}, {"participations", "inventory", "transactions"}, streams)
        config.write_text('region = ["na", "eu"]\n')
        self.assertEqual(cli(self.settings(sim), "--config", str(config), "check")[2], "amzsync: --region holds several values; it must be one, in quotes where it has commas\n")
        config.write_text("fnances = \"v0\"\n")
        code, _, err = cli(self.settings(sim), "--config", str(config), "status", "--user", "anna")
        self.assertEqual((code, len(err.strip().splitlines())), (2, 1), err)
        self.assertIn("the settings file (--config) holds", err)
        self.assertIn("fnances", err)

    def test_what_can_not_be_written_is_not_done(self):
        env = self.settings(self.sim(events=10, skus=5))
        self.connect(env)
        for command in (["status", "--user", "anna", "--json"], ["sync", "--user", "anna", "--json"], ["history", "--user", "anna"], ["erase", "--user", "anna", "--json"], ["completion", "bash"], ["--help"], ["--version"]):
            with self.subTest(command), open("/dev/full", "w") as full:
                done = subprocess.run([BIN / "amzsync", *command], env={**os.environ, **env}, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
                self.assertEqual(done.returncode, 1)
                self.assertIn("amzsync: the output can't be written", done.stderr.splitlines())   # beside what the log says meanwhile

    def test_usage(self):
        sim = self.sim(events=0)
        env = self.settings(sim)
        for args in ((), ("dance",), ("sync",), ("sync", "--user", "a", "--nonsense"), ("history", "--user", "a", "--limit", "x"),
                     ("sync", "--user", "a", "--streams", "weather"), ("history", "--user", "a", "--offset", "-1"), ("findings", "--user", "a", "--status", "nonsense")):
            code, out, err = cli(env, *args)
            self.assertEqual((code, len(err.strip().splitlines())), (2, 1), (args, err))
        self.assertEqual(cli(env, "dance")[2], "amzsync: 'dance' is no command; amzsync --help lists them\n")
        self.assertEqual(cli(env)[2], "amzsync: a command is missing; amzsync --help lists them\n")
        for program in ("amzsync", "amzsync-host", "amzsync-sim"):
            for flag in ("--help", "--version"):
                done = subprocess.run([BIN / program, flag], capture_output=True, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn("0.1.0" if flag == "--version" else "Usage", done.stdout)
        self.assertEqual(cli(env, "history", "--user", "anna", "--limit", "0")[0], 2)


if __name__ == "__main__":
    unittest.main()
