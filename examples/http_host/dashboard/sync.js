// SPDX-License-Identifier: Apache-2.0
// The sync that is active, live, or the one before.
import {call} from "./api.js";
import {$, chip, element, number, span, table, time, moment, words} from "./dom.js";
import {Panel, nothing} from "./panel.js";

const kOver = {completed: "good", partial: "warn", failed: "bad", cancelled: ""};
export const isOver = run => run.status in kOver;
export const mood = status => kOver[status] ?? "busy";

const kStreamMoods = {complete: "good", incomplete: "warn", unauthorised: "bad", running: "busy"};

const waits = stream => stream.waitingUntil && new Date(stream.waitingUntil) > Date.now();

function how(stream) {
  if (stream.error) return stream.error.message;
  if (waits(stream)) return `waiting for Amazon until ${time(stream.waitingUntil)}`;
  return stream.slicesKnown ? `${number(stream.slicesDone)} of ${number(stream.slicesKnown)} spans of days` : "";
}

const kColumns = [
  {title: "Dataset", of: s => words(s.name)},
  {title: "State", of: s => chip(waits(s) ? "waiting" : s.status, waits(s) ? "warn" : kStreamMoods[s.status])},
  {title: "Read", number: true, of: s => number(s.fetched)},
  {title: "New", number: true, of: s => number(s.added)},
  {title: "Changed", number: true, of: s => number(s.changed)},
  {title: "Gone", number: true, of: s => number(s.removed)},
  {title: "", of: how},
];

function sentence(run) {
  const parts = [run.status === "in_progress" || run.status === "detecting" ? run.message : run.error?.message ?? run.message];
  if (run.detail && !isOver(run)) parts.push(run.detail);
  const waiting = run.streams.filter(waits).map(s => s.waitingUntil).sort()[0];
  if (waiting) parts.push(`waiting for Amazon until ${time(waiting)}`);
  if (run.etaSeconds) parts.push(`about ${span(run.etaSeconds)} left`);
  return parts.join(" · ");
}

const ends = run => isOver(run) && run.completedAt ? ` · ${moment(run.completedAt)}` : "";

let open = null;   // whether somebody opened or closed the streams

function show({lastSync: run, paused, pausedBy}) {
  const active = run && !isOver(run);
  $("start").hidden = active;
  $("cancel").hidden = !active;
  $("cancel").dataset.run = active ? run.syncId : "";
  $("pause").hidden = !run && !paused;
  $("pause").textContent = paused ? "Resume" : "Pause";
  const held = paused ? element("p", {className: "warn"}, `Paused${pausedBy ? ` by ${pausedBy}` : ""}: what is triggered meanwhile begins when it is resumed.`) : null;
  if (!run) return [held, nothing("No sync yet. The first one starts by itself once an account is connected.")];
  const streams = element("details", {open: open ?? active, ontoggle: event => { open = event.target.open === Boolean(active) ? null : event.target.open; }},
    element("summary", {}, `${run.streams.filter(s => s.status === "complete").length} of ${run.streams.length} datasets read`), table("Datasets of the sync", kColumns, run.streams, s => s.name));
  return [
    held,
    element("p", {}, chip(words(run.status), mood(run.status)), ends(run)),
    element("progress", {max: 100, value: run.progress, "aria-label": "Progress of the sync"}),
    element("p", {className: run.status === "failed" ? "bad" : ""}, `${run.progress} %  ·  ${sentence(run)}`),
    run.streams.length ? streams : null,
  ];
}

let known = {lastSync: null};

export const sync = new Panel("sync", async () => (known = await call("/api/sync/status")), show);

/** What an event told. It holds no less than the route, of what is shown. */
export function told(event) {
  if (known.lastSync && known.lastSync.syncId !== event.syncId && event.status !== "queued") return sync.refresh();
  known = {...known, lastSync: {...known.lastSync, waitingUntil: undefined, etaSeconds: undefined, error: undefined, detail: "", ...event, ...(isOver(event) ? {completedAt: event.timestamp} : {})}};
  sync.put(show(known));
}
export function snapshot(status) {
  known = status;
  sync.section.setAttribute("aria-busy", "false");
  sync.put(show(known));
}
