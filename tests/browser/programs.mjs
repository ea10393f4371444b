// SPDX-License-Identifier: Apache-2.0
// The simulator and the host as a browser meets them: real programs on loopback.
import {execFileSync, spawn} from "node:child_process";
import {createHmac} from "node:crypto";
import {existsSync} from "node:fs";
import {mkdtemp, readFile, rm} from "node:fs/promises";
import {createServer} from "node:net";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {setTimeout as pause} from "node:timers/promises";

const bin = process.env.AMZSYNC_BIN;
if (!bin) throw new Error("AMZSYNC_BIN must name the folder of the programs; scripts/browser does");
const modules = process.env.AMZSYNC_NODE_MODULES;
if (!existsSync(join(modules, "playwright-core"))) throw new Error("what drives the browser is not there; scripts/browser --prepare installs it");
export const kSecret = "a-secret-of-the-browser-tests-that-is-long";

async function freePort() {
  const server = createServer();
  await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));
  const {port} = server.address();
  await new Promise(resolve => server.close(resolve));
  return port;
}

async function answers(url, child) {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`a program ended with ${child.exitCode}:\n${child.said()}`);
    try {
      if ((await fetch(url)).ok) return;
    } catch (notYet) { /* asked again */ }
    await pause(20);
  }
}

function run(program, args, env) {
  const child = spawn(join(bin, program), args, {env: {...process.env, ...env}, stdio: ["ignore", "ignore", "pipe"]});
  let said = "";
  child.stderr.on("data", part => { said += part; });
  child.said = () => said;
  return child;
}

const ended = child => child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : new Promise(resolve => child.once("exit", resolve));

/** A signed token for a user, as the site around the dashboard would set it. */
export function token(user, secondsLeft = 3600) {
  const part = object => Buffer.from(JSON.stringify(object)).toString("base64url");
  const head = `${part({alg: "HS256", typ: "JWT"})}.${part({sub: user, exp: Math.floor(Date.now() / 1000) + secondsLeft})}`;
  return `${head}.${createHmac("sha256", kSecret).update(head).digest("base64url")}`;
}

export class Programs {
  static async start({demo = true, sim = [], streams = ""} = {}) {
    const it = new Programs();
    it.folder = await mkdtemp(join(tmpdir(), "amzsync-browser-"));
    const [simPort, hostPort] = [await freePort(), await freePort()];
    it.amazon = `http://127.0.0.1:${simPort}`;
    it.url = `http://127.0.0.1:${hostPort}`;
    it.env = {
      AMZSYNC_STORE: `sqlite:${it.folder}/test.db`, AMZSYNC_LISTEN: `127.0.0.1:${hostPort}`, AMZSYNC_LWA_ENDPOINT: it.amazon, AMZSYNC_SPAPI_ENDPOINT: it.amazon, AMZSYNC_CONSENT_ENDPOINT: it.amazon,
      AMZSYNC_STREAMS: streams, AMZSYNC_LWA_CLIENT_ID: "client", AMZSYNC_LWA_CLIENT_SECRET: "secret", AMZSYNC_APPLICATION_ID: "amzn1.sp.solution.test", AMZSYNC_REDIRECT_URI: `${it.url}/api/v1/integrations/amazon/auth/callback`,
      ...(demo ? {AMZSYNC_DEMO: "1"} : {AMZSYNC_JWT_SECRET: kSecret, AMZSYNC_MASTER_KEY: Buffer.alloc(32, 7).toString("base64")}),
    };
    it.sim = run("amzsync-sim", ["--listen", `127.0.0.1:${simPort}`, "--auto-approve", "--rate-scale", "0", "--events", "1500", "--skus", "150", "--sellers", "4", ...sim], {});
    await answers(it.amazon + "/_sim/stats", it.sim);
    await it.startHost();
    return it;
  }

  async startHost() {
    this.host = run("amzsync-host", [], this.env);
    await answers(this.url + "/readyz", this.host);
  }

  async killHost() {
    this.host.kill("SIGKILL");
    await ended(this.host);
  }

  /** As if nothing had ever been read: the rows and the syncs are gone, the connection is there. */
  forget() {
    const program = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=30)\nfor t in ('credits', 'reimbursements', 'runs', 'cells', 'transactions', 'transaction_lines'): db.execute('DELETE FROM ' + t)\ndb.commit(); db.close()";
    execFileSync("python3", ["-c", program, `${this.folder}/test.db`]);
  }

  /** So that a sync takes as long as a person needs to do something meanwhile; nothing: as fast as it goes. */
  async slow(milliseconds, path = "/") {
    await this.control(milliseconds ? {faults: [{path, kind: "slow", delayMs: milliseconds, times: -1}]} : {clearFaults: true});
  }

  async control(what) {
    const answer = await fetch(this.amazon + "/_sim/control", {method: "POST", body: JSON.stringify(what)});
    if (!answer.ok) throw new Error(await answer.text());
  }

  async stop() {
    for (const child of [this.host, this.sim]) {
      child.kill("SIGTERM");
      await ended(child);
    }
    await rm(this.folder, {recursive: true, force: true});
  }
}

export const axeSource = await readFile(join(modules, "axe-core/axe.min.js"), "utf8");
