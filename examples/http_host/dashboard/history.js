// SPDX-License-Identifier: Apache-2.0
import {call} from "./api.js";
import {chip, element, moment, number, span, table, words} from "./dom.js";
import {Panel, nothing} from "./panel.js";
import {mood} from "./sync.js";

const kPage = 10;
let page = 0;

const kTriggers = {oauth_callback: "account connected", bypass: "existing connection used", recoveries: "recoveries asked for", manual: "by hand", schedule: "by itself", replay: "archive read anew", notification: "Amazon's notification"};
const lasted = run => run.completedAt && run.startedAt ? span((new Date(run.completedAt) - new Date(run.startedAt)) / 1000) : "–";
const rows = (run, what) => run.streams.reduce((sum, s) => sum + s[what], 0);

const kColumns = [
  {title: "Began", of: r => moment(r.createdAt)},
  {title: "Status", of: r => chip(words(r.status), mood(r.status))},
  {title: "Because", of: r => kTriggers[r.trigger] ?? words(r.trigger ?? "")},
  {title: "Lasted", number: true, of: lasted},
  {title: "Calls", number: true, of: r => number(r.calls)},
  {title: "New rows", number: true, of: r => number(rows(r, "added"))},
  {title: "Changed", number: true, of: r => number(rows(r, "changed"))},
  {title: "", of: r => r.error?.message ?? ""},
];

function turn(by) {
  page += by;
  return history.refresh();
}

function show({syncs, total}) {
  if (!total) return nothing("There was no sync yet.");
  const last = Math.ceil(total / kPage) - 1;
  return [
    table("Syncs, newest first", kColumns, syncs, r => r.syncId),
    last > 0 ? element("nav", {className: "pages", "aria-label": "Pages of the history"},
      element("button", {type: "button", disabled: page === 0, onclick: () => turn(-1)}, "Newer"),
      element("span", {}, `${page + 1} of ${last + 1}`),
      element("button", {type: "button", disabled: page >= last, onclick: () => turn(1)}, "Older")) : null,
  ];
}

export const history = new Panel("history", () => call(`/api/sync/history?limit=${kPage}&offset=${page * kPage}`), show);
