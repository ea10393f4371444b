// SPDX-License-Identifier: Apache-2.0
// The page: its buttons, what it hears, and what it then asks for anew.
import {base, call, post, user} from "./api.js";
import {connection} from "./connection.js";
import {$} from "./dom.js";
import {findings} from "./findings.js";
import {history as runs} from "./history.js";
import {listen} from "./live.js";
import {recoveries} from "./recoveries.js";
import {snapshot, sync, told} from "./sync.js";

const panels = [connection, sync, recoveries, findings, runs];
const refreshAll = () => Promise.all(panels.map(panel => panel.refresh()));

function notice(text, bad = false) {
  $("notice").textContent = text || "";
  $("notice").className = "notice" + (bad ? " bad" : "");
  $("notice").hidden = !text;
}

function live(open, text) {
  $("live").className = "chip " + (open ? "good" : "warn");
  $("live").firstElementChild.textContent = text ?? (open ? "Live" : "Reconnecting…");
}

/** A button that asks the server for something, cannot be pressed twice, and says how it went. */
function button(id, act) {
  $(id).addEventListener("click", async event => {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    try {
      notice(await act(pressed));
    } catch (problem) {
      notice(problem.message, true);
      if (problem.status === 401) live(false, "Signed out");
    }
    pressed.disabled = false;
  });
}

button("connect", async () => {
  location.href = (await call(`${base}/auth/start?frontend_url=${encodeURIComponent(location.origin)}`)).authUrl;
  return "";
});
button("existing", async () => {
  const answer = await call(base + "/auth/start?bypass=true");
  refreshAll();
  return answer.connectionVerified ? answer.message : `${answer.message}. Amazon did not answer yet.`;
});
button("disconnect", async () => {
  if (!confirm("Disconnect the Amazon account? What is stored stays; nothing new comes until it is connected again.")) return "";
  const answer = await post(base + "/disconnect");
  refreshAll();
  return answer.message;
});
button("start", async () => {
  const answer = await post("/api/sync/start");
  sync.refresh();
  return answer.message;
});
button("cancel", async pressed => (await post("/api/sync/cancel/" + pressed.dataset.run)).message);
button("pause", async pressed => {
  const answer = await post(pressed.textContent === "Pause" ? "/api/sync/pause" : "/api/sync/resume");
  sync.refresh();
  return answer.message;
});

const heard = {
  "connected": event => {
    snapshot(event.sync);
    for (const panel of panels) if (panel !== sync) panel.refresh();
  },
  "sync.started": event => { told(event); connection.refresh(); runs.refresh(); },
  "sync_progress": told,
  "detection.completed": () => findings.refresh(),
  "sync.paused": () => sync.refresh(),
  "sync.resumed": () => sync.refresh(),
  "connection.needs_reauth": event => { notice(event.message, true); connection.refresh(); },
  "connection.expiring": event => { notice(event.message, true); connection.refresh(); },
  "dataset.silent": event => notice(`${event.stream.replaceAll("_", " ")} shows nothing since ${event.since}, against its own history.`, true),
};
for (const end of ["sync.completed", "sync.failed", "sync.cancelled"])
  heard[end] = event => { told(event); for (const panel of panels) panel.refresh(); };

listen((name, event) => heard[name](event), open => {
  live(open);
  // A stream that was refused says nothing of why; the routes do.
  if (!open) call("/api/sync/status").catch(problem => {
    if (problem.status === 401) {
      live(false, "Signed out");
      notice("Please sign in again: the session is over.", true);
    }
  });
});

const query = new URLSearchParams(location.search);
if (query.get("amazon_connected")) notice(query.get("message"));
if (query.get("amazon_error")) notice(`Amazon could not be connected: ${(query.get("error") || "").replaceAll("_", " ")}.`, true);
// A reload must not tell it again.
for (const name of ["amazon_connected", "amazon_error", "message", "error", "sync_id"]) query.delete(name);
if (user !== null) query.set("userId", user);
history.replaceState(null, "", location.pathname + (query.size ? "?" + query : ""));

refreshAll();
