// SPDX-License-Identifier: Apache-2.0
// The words for one finding.
import {chip, day, daysUntil, element, words} from "./dom.js";

/** How a finding stands, for people, in the order of the choice. */
export const kStatuses = {claim_ready: ["Can be claimed", "good"], not_mature: ["Not yet", ""], review: ["Must be looked at", "warn"], expired: ["Too late", "bad"], blocked: ["Data missing", "warn"],
  filed: ["Filed", "busy"], won: ["Won", "good"], lost: ["Lost", ""]};
const statusOf = finding => finding.state === "open" ? finding.readiness : finding.state;
const kSoonDays = 7;

export const statusChip = f => chip(...(kStatuses[statusOf(f)] ?? [words(statusOf(f)), ""]));

export const subjectOf = f => f.sku ?? f.fnsku ?? f.asin ?? f.orderId ?? f.shipmentId ?? f.removalOrderId ?? "";
export const referenceOf = f => f.orderId ?? f.shipmentId ?? f.removalOrderId ?? f.period ?? "";

const howLong = days => days < 0 ? "past" : days === 0 ? "today" : days === 1 ? "tomorrow" : `in ${days} days`;

/** Where sources disagree the earlier day is the safe one. */
export function deadline(f) {
  if (!f.deadline) return "–";
  if (f.state !== "open" || f.readiness !== "claim_ready") return day(f.deadline);
  const safe = f.deadlineSafe && f.deadlineSafe !== f.deadline ? f.deadlineSafe : null;
  const left = daysUntil(f.deadline), hurry = daysUntil(safe ?? f.deadline);
  return element("span", {}, day(f.deadline), " ", chip(howLong(left), left < 0 ? "bad" : hurry <= kSoonDays ? "warn" : ""), safe ? element("span", {className: "quiet"}, ` safe until ${day(safe)}`) : null);
}
