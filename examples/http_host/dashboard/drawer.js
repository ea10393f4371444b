// SPDX-License-Identifier: Apache-2.0
// Why one finding is claimed, with its evidence, and what the seller did about it.
import {at, call, put} from "./api.js";
import {$, day, element, facts, money, number, table, words} from "./dom.js";
import {deadline, statusChip, subjectOf} from "./finding.js";

const drawer = $("drawer"), body = drawer.querySelector(".body");

const kStates = {open: "Open", filed: "Filed with Amazon", won: "Won", lost: "Lost"};
const range = f => f.amountLow === null || f.amountLow === undefined ? null : `${money(f.amountLow, f.currency)} to ${money(f.amountHigh, f.currency)}`;

function told(f) {
  return facts([
    ["Status", statusChip(f)],
    ["Product", subjectOf(f)], ["FNSKU", f.fnsku], ["ASIN", f.asin], ["Order", f.orderId], ["Shipment", f.shipmentId], ["Removal order", f.removalOrderId], ["Period", f.period],
    ["Units", f.quantity || null],
    ["Value", f.amount === null ? "not known: it can be claimed by units" : money(f.amount, f.currency)], ["Between", range(f)], ["Basis of the value", f.amount === null ? null : words(f.basis)],
    ["Happened", day(f.eventDate)], ["Claimable from", day(f.claimableFrom)], ["Deadline", deadline(f)],
    ["Confidence", `${f.confidence} of 100`], ["Policy", `${f.policy}, ${f.policyVersion}${f.policyConfirmed ? "" : " (not confirmed)"}`],
    ["Waits for", f.blocked],
  ]);
}

function state(f, saved) {
  const form = element("form", {className: "state"},
    element("label", {}, "State ", element("select", {name: "state"}, Object.entries(kStates).map(([value, title]) => element("option", {value, selected: value === f.state}, title)))),
    element("label", {}, "Case ", element("input", {name: "caseId", value: f.caseId ?? "", maxLength: 100, autocomplete: "off"})),
    element("button", {className: "main"}, "Save"),
    element("p", {role: "status"}));
  form.addEventListener("submit", async event => {
    event.preventDefault();
    const said = form.querySelector("[role=status]");
    try {
      await put(`/api/detections/${encodeURIComponent(f.id)}/state`, {state: form.elements.state.value, caseId: form.elements.caseId.value});
      said.className = "";
      said.textContent = "Saved.";
      saved();
    } catch (problem) {
      said.className = "bad";
      said.textContent = problem.message;
    }
  });
  return form;
}

const cell = value => value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
const shown = value => value !== null && typeof value === "object" ? element("details", {}, element("summary", {}, "…"), element("pre", {}, JSON.stringify(value, null, 1))) : cell(value);

/** The rows themselves, those of one table together. */
function rows(all) {
  const tables = Map.groupBy ? Map.groupBy(all, r => r.table) : all.reduce((map, r) => map.set(r.table, [...(map.get(r.table) ?? []), r]), new Map());
  return [...tables].map(([name, of]) => {
    const columns = [...new Set(of.flatMap(r => Object.keys(r)))].filter(key => !["table", "row"].includes(key) && of.some(r => cell(r[key]) !== "" && cell(r[key]) !== "{}"));
    return [element("h3", {}, words(name)), table(words(name), columns.map(key => ({title: words(key), number: of.every(r => typeof (r[key] ?? 0) === "number"), of: r => shown(r[key])})), of)];
  });
}

const setOff = n => `${number(n.units)} units by ${words(n.table)} ${n.row} (${n.step})`;

function netted(f) {
  return f.netting.length ? [element("h3", {}, "Set off against it"), element("ul", {}, f.netting.map(n => element("li", {}, setOff(n))))] : null;
}

/** `saved` is called when its state was changed. */
export async function explain(finding, saved) {
  const opener = document.activeElement;
  $("drawer-title").textContent = words(finding.type);
  body.replaceChildren(element("p", {className: "quiet"}, "Loading…"));
  drawer.showModal();
  drawer.addEventListener("close", () => {
    const again = opener?.isConnected ? opener : document.querySelector(`#findings [data-id="${CSS.escape(finding.id)}"] button`);
    again?.focus();
  }, {once: true});
  try {
    const why = await call(`/api/detections/${encodeURIComponent(finding.id)}/explain`);
    const f = why.findings.find(one => one.id === finding.id) ?? finding;
    body.replaceChildren(...[
      told(f), state(f, saved),
      element("h3", {}, `Evidence: ${number(f.evidence.length)} rows`), element("ul", {}, f.evidence.map(e => element("li", {}, `${words(e.role)}${e.units ? `, ${number(e.units)} units` : ""}: ${words(e.table)} ${e.row}`))),
      netted(f), rows(why.rows ?? []),
      element("p", {}, element("a", {href: at(`/api/detections/${encodeURIComponent(f.id)}/explain`), download: `finding-${f.id}.json`, className: "button"}, "Download all of it")),
    ].flat(3).filter(Boolean));
  } catch (problem) {
    body.replaceChildren(element("p", {className: "bad"}, problem.message));
  }
}

// A click beside the drawer closes it, as the key Escape does by itself.
drawer.addEventListener("click", event => { if (event.target === drawer) drawer.close(); });
