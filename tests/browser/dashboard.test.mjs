// SPDX-License-Identifier: Apache-2.0
// The dashboard, in Debian's Chromium, as people use it. Screenshots of each state are left in AMZSYNC_SHOTS.
import assert from "node:assert/strict";
import {mkdirSync} from "node:fs";
import {createRequire} from "node:module";
import {join} from "node:path";
import {after, afterEach, before, beforeEach, describe, test} from "node:test";
import {axeSource, Programs, token} from "./programs.mjs";

const {chromium} = createRequire(join(process.env.AMZSYNC_NODE_MODULES, "from-here.js"))("playwright-core");
const kShots = process.env.AMZSYNC_SHOTS;   // where the pictures go
mkdirSync(kShots, {recursive: true});

const kPatience = 120_000;   // for the slowest machine; nothing is told by how long anything takes

let browser;
before(async () => { browser = await chromium.launch({executablePath: process.env.AMZSYNC_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"]}); });
after(() => browser.close());

const kQuickStreams = "transactions,inventory";   // no waiting for Amazon's reports

let it, context, complaints;

async function openContext(options = {}) {
  const made = await browser.newContext({viewport: {width: 1280, height: 900}, locale: "en-US", timezoneId: "America/New_York", ...options});
  made.setDefaultTimeout(kPatience);
  return made;
}

/** A tab. What it complains of fails the test, except where the test makes the server fail. */
async function openTab(in_ = context, path = "/") {
  const tab = await in_.newPage();
  tab.on("pageerror", error => complaints.push(String(error)));
  tab.on("console", message => { if (message.type() === "error") complaints.push(message.text()); });
  await tab.goto(it.url + path);
  return tab;
}

function around(options = {}) {
  beforeEach(async () => {
    complaints = [];
    it = await Programs.start(options);
    context = await openContext();
  });
  afterEach(async () => {
    await context.close();
    await it.stop();
    assert.deepEqual(complaints, []);
  });
}

const shot = (tab, name) => tab.screenshot({path: join(kShots, name + ".png"), fullPage: !name.startsWith("drawer")});
const section = (tab, id) => tab.locator("#" + id + " .body");
const idle = tab => tab.waitForFunction(() => [...document.querySelectorAll("section")].every(s => s.getAttribute("aria-busy") === "false"));
const status = (tab, text) => section(tab, "sync").getByText(text, {exact: true}).first().waitFor();
const ends = tab => status(tab, "Completed");
const connect = tab => tab.getByRole("button", {name: "Connect Amazon account"}).click();

async function accessible(tab, what) {
  await tab.evaluate(axeSource);
  const {violations} = await tab.evaluate(() => globalThis.axe.run(document, {resultTypes: ["violations"]}));
  const serious = violations.filter(v => ["serious", "critical"].includes(v.impact)).map(v => `${what}: ${v.id}: ${v.nodes.map(n => n.html.slice(0, 120)).join(" | ")}`);
  assert.deepEqual(serious, []);
}

/** Nothing is wider than the screen, and no value was written as something that a program alone can read. */
async function looksRight(tab) {
  const width = await tab.evaluate(() => Math.max(document.scrollingElement.scrollWidth, ...[...document.querySelectorAll("dialog")].map(d => d.scrollWidth)));
  assert.ok(width <= tab.viewportSize().width, `${width} pixels wide`);
  assert.doesNotMatch(await tab.locator("body").innerText(), /\[object|undefined|NaN|Invalid/);
}

describe("the three ways in", () => {
  around();

  test("an account is connected, and everything else happens by itself, live", async () => {
    const tab = await openTab();
    await idle(tab);
    await section(tab, "connection").getByText("No Amazon account is connected yet").waitFor();
    await section(tab, "history").getByText("There was no sync yet.").waitFor();
    await accessible(tab, "empty");
    await shot(tab, "empty");
    await it.slow(1_500, "/finances");   // so that the reports are not waited for as long as Amazon's would be
    await connect(tab);
    await tab.getByRole("alert").getByText("Amazon account connected").waitFor();
    assert.equal(new URL(tab.url()).search, "");   // a reload does not tell it again
    await tab.getByText("Live", {exact: true}).waitFor();
    await section(tab, "sync").getByText(/Fetching inventory/).first().waitFor();
    await looksRight(tab);
    await accessible(tab, "syncing");
    await shot(tab, "syncing");
    await it.slow(0);
    await ends(tab);
    await section(tab, "recoveries").getByText(/reimbursements$/).first().waitFor();
    await section(tab, "recoveries").getByRole("img", {name: /Recovered by month/}).waitFor();
    await section(tab, "findings").getByRole("row").nth(1).waitFor();
    await section(tab, "history").getByText("account connected").waitFor();
    await idle(tab);
    await looksRight(tab);
    await accessible(tab, "done");
    await shot(tab, "done");
  });

  test("a connection that is there is used, and synced", async () => {
    const tab = await openTab(context, "/?userId=anna");
    await connect(tab);
    await tab.getByRole("alert").getByText("Amazon account connected").waitFor();
    assert.equal(new URL(tab.url()).search, "?userId=anna");   // who came back is who went
    await ends(tab);
    await tab.getByRole("button", {name: "Use existing connection"}).click();
    await tab.getByRole("alert").getByText("Using existing Amazon connection").waitFor();
    await section(tab, "history").getByText("existing connection used").waitFor();
    await ends(tab);
  });

});

describe("a connection of which nothing is known", () => {
  around({streams: kQuickStreams});

  test("recoveries that are looked at without any data start a sync", async () => {
    const tab = await openTab();
    await connect(tab);
    await ends(tab);
    await idle(tab);
    it.forget();
    await tab.reload();
    await section(tab, "history").getByText("recoveries asked for").waitFor();
    await ends(tab);
    await section(tab, "recoveries").getByText(/reimbursements$/).first().waitFor();
  });
});

describe("in the middle of a sync", () => {
  around({streams: kQuickStreams});

  test("a reload, a second tab, and a cancel that both see", async () => {
    const one = await openTab();
    await it.slow(150);
    await connect(one);
    await section(one, "sync").getByText(/Fetching inventory/).first().waitFor();
    await one.reload();
    await section(one, "sync").getByText(/Fetching inventory/).first().waitFor();
    const two = await openTab();
    await section(two, "sync").getByText(/Fetching inventory/).first().waitFor();
    await two.getByRole("button", {name: "Cancel"}).click();
    await status(two, "Cancelled");
    await status(one, "Cancelled");
    await shot(one, "cancelled");
  });

  test("a host that is killed and comes back", async () => {
    const tab = await openTab();
    await it.slow(150);
    await connect(tab);
    await section(tab, "sync").getByText(/Fetching inventory/).first().waitFor();
    await it.killHost();
    await tab.getByText("Reconnecting…").waitFor();
    await shot(tab, "reconnecting");
    await it.slow(0);
    await it.startHost();
    await tab.getByText("Live", {exact: true}).waitFor();
    await ends(tab);
    complaints = complaints.filter(text => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/.test(text));   // Chromium's own, of the host that was away
  });

  test("a pause, and a resume", async () => {
    const tab = await openTab();
    await it.slow(150);
    await connect(tab);
    await tab.getByRole("button", {name: "Pause"}).click();
    await section(tab, "sync").getByText(/^Paused/).waitFor();
    await shot(tab, "paused");
    await it.slow(0);
    await tab.getByRole("button", {name: "Resume"}).click();
    await ends(tab);
  });

  test("Amazon takes the authorisation back", async () => {
    const tab = await openTab();
    await connect(tab);
    await ends(tab);
    await it.control({revoke: 1, expireAccessTokens: true});
    await tab.getByRole("button", {name: "Sync now"}).click();
    await section(tab, "connection").getByText("Must be connected again").waitFor();
    await tab.getByRole("button", {name: "Connect again"}).waitFor();
    await idle(tab);
    await accessible(tab, "needs a new authorisation");
    await shot(tab, "needs-reauth");
  });
});

describe("findings", () => {
  around();

  test("are filtered, sorted, explained, filed and exported, by keyboard alone", async () => {
    const tab = await openTab();
    const press = (...keys) => keys.reduce((before, key) => before.then(() => tab.keyboard.press(key)), Promise.resolve());
    const tabTo = async wanted => {
      for (let i = 0; i < 80; ++i) {
        await press("Tab");
        if (await tab.evaluate(text => (document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent).startsWith(text), wanted)) return;
      }
      assert.fail(`the keyboard does not reach "${wanted}"`);
    };
    await idle(tab);
    await tabTo("Connect Amazon account");
    await press("Enter");
    await ends(tab);
    await section(tab, "findings").getByRole("row").nth(1).waitFor();
    await idle(tab);

    const ready = await section(tab, "findings").locator("tr[data-id]").count();
    assert.equal(await tab.getByLabel("Status").inputValue(), "claim_ready");   // first, what there is to do
    await tab.getByLabel("Status").selectOption("");
    await tab.waitForFunction(n => document.querySelectorAll("#findings tr[data-id]").length > n, ready);
    await tab.getByLabel("Status").selectOption("claim_ready");
    await tab.waitForFunction(n => document.querySelectorAll("#findings tr[data-id]").length === n, ready);
    await idle(tab);
    const values = () => tab.locator("#findings tbody tr td[data-title=Value]").allTextContents();
    await tabTo("Value");
    await press("Enter");
    const amounts = (await values()).map(text => text === "–" ? -1 : Number(text.replace(/[^0-9.-]/g, "")));
    assert.deepEqual(amounts, [...amounts].sort((a, b) => b - a));
    assert.equal(await tab.evaluate(() => document.activeElement.textContent.startsWith("Value")), true);   // the keyboard stays where it was

    await tabTo("Explain");
    const opened = await tab.evaluate(() => document.activeElement.closest("tr").dataset.id);
    await press("Enter");
    const drawer = tab.getByRole("dialog");
    await drawer.getByText(/^Evidence/).waitFor();
    await looksRight(tab);
    await accessible(tab, "drawer");
    await shot(tab, "drawer");
    await drawer.getByLabel("State").selectOption("filed");
    await drawer.getByLabel("Case").fill("CASE-1");
    await drawer.getByLabel("Case").press("Enter");
    await drawer.getByText("Saved.").waitFor();
    await press("Escape");
    await drawer.waitFor({state: "hidden"});
    await tab.getByLabel("Status").selectOption("filed");
    await tab.waitForFunction(id => document.querySelectorAll("#findings tbody tr[data-id]").length === 1 && document.querySelector("#findings tbody tr[data-id]").dataset.id === id, opened);

    await tab.getByLabel("Product or order").fill("no such product");
    await section(tab, "findings").getByText("No finding is like that.").waitFor();
    await tab.getByLabel("Product or order").fill("");
    const [download] = await Promise.all([tab.waitForEvent("download"), tab.getByRole("link", {name: "Export claims"}).click()]);
    assert.match(await (await import("node:fs/promises")).readFile(await download.path(), "utf8"), new RegExp(opened));
  });
});

describe("what goes wrong", () => {
  around();

  test("each panel says so, and tries again", async () => {
    const tab = await openTab();
    await connect(tab);
    await ends(tab);
    await idle(tab);
    const routes = {connection: "**/amazon/connection*", recoveries: "**/amazon/recoveries*", findings: "**/api/detections/results*", history: "**/api/sync/history*"};
    for (const [id, route] of Object.entries(routes)) await tab.route(route, r => r.fulfill({status: 503, contentType: "application/json", body: JSON.stringify({success: false, error: "store_busy", message: `The ${id} can't be read now.`})}));
    await tab.reload();
    for (const id of Object.keys(routes)) await section(tab, id).getByText(`The ${id} can't be read now.`).waitFor();
    await accessible(tab, "errors");
    await shot(tab, "errors");
    for (const [id, route] of Object.entries(routes)) {
      await tab.unroute(route);
      await section(tab, id).getByRole("button", {name: "Try again"}).click();
      await section(tab, id).getByText(`The ${id} can't be read now.`).waitFor({state: "detached"});
    }
    await section(tab, "findings").getByRole("row").nth(1).waitFor();
    complaints = complaints.filter(text => !/503/.test(text));
  });

  test("a consent that was refused is told", async () => {
    const tab = await openTab(context, "/dashboard?amazon_error=true&error=consent_denied");
    await tab.getByRole("alert").getByText("Amazon could not be connected: consent denied.").waitFor();
  });
});

describe("who signs in", () => {
  around({demo: false});

  test("a session that ends is told, and nothing is lost once there is another", async () => {
    const session = (user, left) => context.addCookies([{name: "session_token", value: token(user, left), url: it.url, sameSite: "Lax"}]);
    await session("anna", 3600);
    const tab = await openTab();
    await connect(tab);
    await ends(tab);
    await session("anna", -3600);
    await tab.getByRole("button", {name: "Sync now"}).click();
    await tab.getByRole("alert").getByText(/sign in/).waitFor();
    await tab.getByText("Signed out").waitFor();
    await shot(tab, "signed-out");
    await session("anna", 3600);
    await tab.reload();
    await tab.getByText("Live", {exact: true}).waitFor();
    await ends(tab);
    complaints = complaints.filter(text => !/401/.test(text));
  });
});

describe("on every screen", () => {
  around();

  test("phone and dark: everything fits, can be read, and is touched", async () => {
    const phone = await openContext({viewport: {width: 360, height: 740}, colorScheme: "dark", hasTouch: true, isMobile: true, deviceScaleFactor: 2});
    const tab = await openTab(phone);
    await idle(tab);
    await looksRight(tab);
    await tab.getByRole("button", {name: "Connect Amazon account"}).tap();
    await ends(tab);
    await section(tab, "findings").locator("tr[data-id]").first().waitFor();
    await idle(tab);
    await looksRight(tab);
    await accessible(tab, "phone, dark");
    await shot(tab, "phone-dark");
    await section(tab, "findings").locator("tr[data-id] button").first().tap();
    await tab.getByRole("dialog").getByText(/^Evidence/).waitFor();
    await looksRight(tab);
    await shot(tab, "drawer-phone-dark");
    await phone.close();
  });

  test("it is light: painted within a second, less than 150 KB, nothing from elsewhere", async () => {
    const tab = await context.newPage();
    const asked = [];
    tab.on("response", response => asked.push(response));
    tab.on("console", message => { if (message.type() === "error") complaints.push(message.text()); });
    await tab.goto(it.url);
    await idle(tab);
    const painted = await tab.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
    let bytes = 0;
    for (const response of asked) {
      assert.equal(new URL(response.url()).origin, it.url);
      if (!response.url().includes("/sse/")) bytes += (await response.body()).length;
    }
    console.log(`first paint ${Math.round(painted)} ms, ${bytes} bytes in ${asked.length} answers`);
    assert.ok(painted < 1_000, `painted after ${painted} ms`);
    assert.ok(bytes < 150_000, `${bytes} bytes`);
  });
});
