// SPDX-License-Identifier: Apache-2.0
// What Amazon has paid back, by currency and by month.
import {base, call} from "./api.js";
import {columns} from "./chart.js";
import {element, money, moment, number} from "./dom.js";
import {Panel, nothing} from "./panel.js";

function byMonth(months, currency) {
  const of = new Map(months.filter(m => m.currency === currency).map(m => [m.month, m.amount]));
  const bars = [];
  for (let month = [...of.keys()].sort()[0], last = [...of.keys()].sort().at(-1); month && month <= last; month = next(month)) {
    const amount = of.get(month) ?? 0;   // a month without any is a gap that is seen
    bars.push({label: month, value: amount, text: money(amount, currency)});
  }
  return bars.length > 1 ? columns(`Recovered by month, ${currency}`, bars) : null;
}

function next(month) {
  const [year, number] = month.split("-").map(Number);
  return number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, "0")}`;
}

function gaps(coverage) {
  const missing = coverage.filter(c => c.daysMissing > 0 && c.state !== "not_asked");
  return missing.length ? element("p", {className: "warn"}, "Not all days are read yet: ", missing.map(c => `${c.stream.replaceAll("_", " ")} lacks ${number(c.daysMissing)} of ${number(c.daysRead + c.daysMissing)}`).join("; "), ".") : null;
}

function show(r) {
  const upTo = r.asOf ? element("p", {className: "quiet"}, `As of ${moment(r.asOf)}`) : null;
  if (!r.totals.length) return [nothing(r.reason === "sync_in_progress" ? "Your account is being read; what is found appears here by itself." : r.message), gaps(r.coverage), upTo];
  return [
    element("div", {className: "tiles"}, r.totals.map(t => element("div", {className: "tile"},
      element("strong", {}, money(t.amount, t.currency)), element("span", {className: "quiet"}, `${number(t.count)} reimbursements`)))),
    ...r.totals.map(t => byMonth(r.months ?? [], t.currency)),
    gaps(r.coverage),
    upTo,
  ];
}

export const recoveries = new Panel("recoveries", () => call(base + "/recoveries?by=month"), show);
