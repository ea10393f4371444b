// SPDX-License-Identifier: Apache-2.0
// Elements, and how values are written in them. Texts are always set as text.

/** element("td", {className: "number"}, "5", otherElement); attributes that are no properties go by "aria-…", "data-…" or "role". */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (/^(aria-|data-|role$)/.test(key)) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== ""));
  return made;
}

export const $ = id => document.getElementById(id);

const kNothing = "–";

/** Amounts are written as their currency is; null is no zero. */
export function money(amount, currency) {
  if (amount === null || amount === undefined) return kNothing;
  try {
    return new Intl.NumberFormat(undefined, {style: "currency", currency}).format(amount);
  } catch (unknown) {
    return `${amount} ${currency}`;
  }
}

export const number = value => value === null || value === undefined ? kNothing : new Intl.NumberFormat().format(value);

const dates = new Intl.DateTimeFormat(undefined, {dateStyle: "medium"});
const moments = new Intl.DateTimeFormat(undefined, {dateStyle: "medium", timeStyle: "short"});
const times = new Intl.DateTimeFormat(undefined, {timeStyle: "medium"});

/** A day, "2026-11-29", is the same day wherever the reader is. */
export const day = text => {
  if (!text) return kNothing;
  const [year, month, date] = text.slice(0, 10).split("-").map(Number);
  return dates.format(new Date(year, month - 1, date));
};
export const moment = text => text ? moments.format(new Date(text)) : kNothing;
export const time = text => times.format(new Date(text));

export const words = name => {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};

export function span(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Whole days from today to a day; below zero: it is past. */
export function daysUntil(text) {
  const [year, month, date] = text.split("-").map(Number);
  const now = new Date();
  return Math.round((Date.UTC(year, month - 1, date) - Date.UTC(now.getFullYear(), now.getMonth(), now.getDate())) / 86_400_000);
}

export const chip = (text, mood = "") => element("span", {className: `chip ${mood}`}, text);

/** columns: [{title, number?, of: row => text or element}] */
export function table(caption, columns, rows, idOf) {
  return element("div", {className: "scroll", tabIndex: 0, role: "region", "aria-label": caption},
    element("table", {},
      element("caption", {className: "unseen"}, caption),
      element("thead", {}, element("tr", {}, columns.map(c => element("th", {scope: "col", className: c.number ? "number" : ""}, c.head ? c.head() : c.title)))),
      element("tbody", {}, rows.map(row => element("tr", idOf ? {"data-id": idOf(row)} : {}, columns.map(c => element("td", {className: c.number ? "number" : "", "data-title": c.title}, c.of(row))))))));
}

export const facts = pairs => element("dl", {}, pairs.filter(([, value]) => value !== undefined && value !== null && value !== "").map(([name, value]) =>
  element("div", {}, element("dt", {}, name), element("dd", {}, value))));
