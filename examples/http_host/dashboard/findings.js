// SPDX-License-Identifier: Apache-2.0
// What Amazon owes: totals, kinds, and each finding with its deadline.
import {at, call} from "./api.js";
import {rows as bars} from "./chart.js";
import {$, chip, element, money, number, table, words} from "./dom.js";
import {explain} from "./drawer.js";
import {deadline, kStatuses, referenceOf, statusChip, subjectOf} from "./finding.js";
import {Panel, nothing} from "./panel.js";

const kPage = 200;

const order = {
  deadline: f => f.deadline ?? "9999",
  value: f => -(f.amount ?? -1),
  units: f => -f.quantity,
  type: f => f.type,
  subject: subjectOf,
};
let sorted = {by: "deadline", down: false};

/** A head that sorts, told to screen readers by the cell's aria-sort. */
function head(title, by) {
  return () => element("button", {type: "button", className: "sort", "data-by": by, onclick: () => {
    sorted = {by, down: sorted.by === by && !sorted.down};
    findings.put(show(last));
    findings.body.querySelector(`[data-by="${by}"]`)?.focus();
  }}, title, element("span", {"aria-hidden": "true"}, sorted.by === by ? (sorted.down ? " ▼" : " ▲") : ""));
}

const kColumns = [
  {title: "Type", head: head("Type", "type"), of: f => element("button", {type: "button", className: "link", "aria-label": `Explain: ${words(f.type)}, ${subjectOf(f)}`, onclick: () => explain(f, () => findings.refresh())}, words(f.type))},
  {title: "Product", head: head("Product", "subject"), of: subjectOf},
  {title: "Reference", of: referenceOf},
  {title: "Units", number: true, head: head("Units", "units"), of: f => f.quantity ? number(f.quantity) : "–"},
  {title: "Value", number: true, head: head("Value", "value"), of: f => money(f.amount, f.currency)},
  {title: "Deadline", head: head("Deadline", "deadline"), of: deadline},
  {title: "Status", of: statusChip},
];

const form = $("filter");
const kFirstStatus = "claim_ready";   // what there is to do
const wish = name => form.elements[name].value || (name === "status" && !form.elements.status.options.length ? kFirstStatus : "");
let wanted = kPage, last = null;

const text = f => [f.sku, f.fnsku, f.asin, f.orderId, f.shipmentId, f.removalOrderId, f.caseId, f.type].join(" ").toLowerCase();

function totals(s) {
  const tile = (title, amounts, hint) => element("div", {className: "tile"},
    element("span", {className: "quiet"}, title), element("strong", {}, amounts.length ? amounts.map(a => money(a.amount, a.currency)).join(" + ") : "–"), element("span", {className: "quiet"}, hint));
  const count = amounts => number(amounts.reduce((sum, a) => sum + a.count, 0));
  return element("div", {className: "tiles"},
    tile("Claimable", s.claimable, `${count(s.claimable)} with a value, and ${number(s.claimableUnits)} units to claim`),
    tile("At risk", s.atRisk, `${count(s.atRisk)}, not sure or not yet`),
    tile("Paid on claims", s.paid, count(s.paid)));
}

function kinds(s) {
  const count = new Map();
  for (const r of s.byRule.filter(r => r.readiness === "claim_ready")) count.set(r.rule, (count.get(r.rule) ?? 0) + r.count);
  return count.size ? bars("Claimable now, by type", [...count].sort((a, b) => b[1] - a[1]).map(([rule, n]) => ({label: words(rule), value: n, text: number(n)}))) : null;
}

function choices(s) {
  const fill = (select, options) => {
    const chosen = select.value;
    select.replaceChildren(element("option", {value: ""}, "All"), ...options.map(([value, title]) => element("option", {value}, title)));
    select.value = chosen;
  };
  const first = !form.elements.status.options.length;
  fill(form.elements.status, Object.entries(kStatuses).map(([value, [title]]) => [value, title]));
  if (first) form.elements.status.value = kFirstStatus;
  fill(form.elements.type, [...new Set([...s.byRule.map(r => r.rule), form.elements.type.value].filter(Boolean))].sort().map(rule => [rule, words(rule)]));
}

async function read() {
  const query = new URLSearchParams({limit: Math.min(wanted, 1000), offset: 0});
  for (const name of ["status", "type"]) if (wish(name)) query.set(name, wish(name));
  const [statistics, page] = await Promise.all([call("/api/detections/statistics"), call("/api/detections/results?" + query)]);
  while (page.findings.length < Math.min(wanted, page.total)) {
    query.set("offset", page.findings.length);
    const more = await call("/api/detections/results?" + query);
    if (!more.findings.length) break;
    page.findings.push(...more.findings);
  }
  return {statistics, ...page};
}

function show(answer) {
  last = answer;
  choices(answer.statistics);
  $("owed").replaceChildren(...(answer.statistics.total ? [totals(answer.statistics), kinds(answer.statistics)].filter(Boolean) : []));
  form.hidden = !answer.statistics.total;
  $("export").hidden = !answer.statistics.total;
  const filter = new URLSearchParams({what: "findings", format: "csv"});
  for (const name of ["status", "type"]) if (wish(name)) filter.set(name, wish(name));
  $("export").href = at("/api/export?" + filter);
  const blocked = answer.rules.filter(r => r.state === "blocked");
  const silent = blocked.length ? element("details", {}, element("summary", {}, `${number(blocked.length)} of ${number(answer.rules.length)} rules can't tell`),
    element("ul", {}, blocked.map(r => element("li", {}, `${words(r.rule)}: ${r.reason}`)))) : null;
  if (!answer.statistics.total) return [nothing(answer.rules.length ? "Nothing is owed, as far as can be told." : "This is looked at once a sync has ended."), silent];
  const search = form.elements.text.value.trim().toLowerCase();
  const way = order[sorted.by];
  const shown = answer.findings.filter(f => !search || text(f).includes(search)).sort((a, b) => (way(a) < way(b) ? -1 : way(a) > way(b) ? 1 : 0) * (sorted.down ? -1 : 1));
  if (!shown.length) return [nothing("No finding is like that."), silent];
  const made = table("Findings", kColumns, shown, f => f.id);
  for (const button of made.querySelectorAll(".sort"))
    if (button.dataset.by === sorted.by) button.closest("th").setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
  const rest = answer.total - answer.findings.length;
  return [
    element("p", {className: "quiet"}, `${number(shown.length)} of ${number(answer.total)} shown`),
    made,
    rest > 0 ? element("button", {type: "button", onclick: () => { wanted += kPage * 5; findings.refresh(); }}, `Show more (${number(rest)})`) : null,
    silent,
  ];
}

export const findings = new Panel("findings", read, show);

form.addEventListener("submit", event => event.preventDefault());
form.addEventListener("change", event => { if (event.target.name !== "text") { wanted = kPage; findings.refresh(); } });
form.elements.text.addEventListener("input", () => { if (last) findings.put(show(last)); });
