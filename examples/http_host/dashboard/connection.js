// SPDX-License-Identifier: Apache-2.0
import {base, call} from "./api.js";
import {$, chip, day, facts, moment, words} from "./dom.js";
import {Panel, nothing} from "./panel.js";

const kStates = {connected: ["Connected", "good"], needs_reauth: ["Must be connected again", "bad"], disconnected: ["Not connected", ""]};
const kSoon = 30 * 86_400_000;

/** An authorisation ends after a year, and only the seller can renew it. */
function until(text) {
  if (!text) return null;
  return new Date(text) - Date.now() < kSoon ? chip(`${day(text)}: connect again before`, "warn") : day(text);
}

function show(c) {
  const connected = c.state === "connected";
  $("connect").textContent = c.state === "disconnected" ? "Connect Amazon account" : "Connect again";
  $("connect").className = connected ? "" : "main";
  $("existing").hidden = !connected;
  $("disconnect").hidden = !connected;
  if (c.state === "disconnected" && !c.sellerId) return nothing("No Amazon account is connected yet. Connect one, and everything else happens by itself.");
  const sold = c.marketplaces.filter(m => m.participating);
  return facts([
    ["State", chip(...kStates[c.state])],
    ["Why", c.reason && c.reason !== c.state ? words(c.reason) : null],
    ["Seller", c.sellerId],
    ["Marketplaces", [...new Set(sold.map(m => m.country))].join(", ")],
    ["Listings suspended in", sold.filter(m => m.suspendedListings).map(m => m.country).join(", ")],
    ["Authorised until", until(c.authorisationExpiresAt)],
    ["Next sync", c.nextSyncAt ? moment(c.nextSyncAt) : null],
  ]);
}

export const connection = new Panel("connection", () => call(base + "/connection"), show);
