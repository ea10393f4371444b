// SPDX-License-Identifier: Apache-2.0
// Units that the seller wanted back: destroyed instead, vanished, or lost on the way. Facts: detection 3, rules 18 and 20.
#include <algorithm>

#include "detect/rules.hpp"

namespace amzsync::detect {
namespace {

using std::chrono::days;

/// Payments for removals of the product since then: those that name the order first, those for nothing said last, and none that names another order.
std::int64_t take_removal_payments(Case& c, Name order, Name fnsku, Day since, Finding& f) {
  std::int64_t taken = 0;
  for (const Family family : {Family::removal, Family::general}) {
    std::vector<Payment*> paid = c.payments_of_product(fnsku, family);
    std::erase_if(paid, [&](const Payment* p) { return p->line->approved < since || (!p->line->order.empty() && p->line->order != order); });
    std::stable_sort(paid.begin(), paid.end(), [](const Payment* a, const Payment* b) { return a->line->order.empty() < b->line->order.empty(); });
    const std::int64_t here = c.take(std::move(paid), f.quantity - taken, f, family == Family::removal ? "payment" : "payment of another kind");
    if (family == Family::general && here > 0) f.terms.push_back({"G2", -10});
    taken += here;
  }
  return taken;
}

Subject about(const Case& c, Name order, Name fnsku, Name sku) {
  const Product* product = c.product(fnsku);
  return {.fnsku = fnsku, .sku = sku, .asin = product ? product->asin : Name{}, .order = {}, .shipment = {}, .removal = order, .period = {}};
}

}  // namespace

void removal_disposed_instead_of_returned(Case& c, const Rule& rule) {
  std::vector<const Removal*> removals;
  for (const Removal& r : c.tables.removals) {
    if (r.type == Removal::Type::giving_back) removals.push_back(&r);
    else if (r.type == Removal::Type::disposal) c.no(rule, {Source::removals, r.row}, "the seller had it disposed of");
  }
  std::sort(removals.begin(), removals.end(), [](const Removal* a, const Removal* b) { return std::tie(a->updated, a->row) < std::tie(b->updated, b->row); });
  for (const Removal* r : removals) {
    const RowRef ref{Source::removals, r->row};
    if (!r->completed) {
      c.no(rule, ref, "the order is not complete");
      continue;
    }
    const std::int64_t gone = r->asked - r->cancelled - r->disposed - r->shipped - r->in_process;
    if (gone <= 0 && r->disposed <= 0) c.no(rule, ref, "all units were given back, or cancelled");
    for (const bool vanished : {false, true}) {
      const std::int64_t units = vanished ? gone : r->disposed;
      if (units <= 0) continue;
      Finding f;
      const Name fnsku = c.fnsku_of(r->fnsku, r->sku, r->requested);
      f.variant = vanished ? "vanished" : "";
      f.subject = "removal " + std::string(c.text(r->order)) + "|" + std::string(c.text(r->sku)) + "|" + std::string(disposition_name(r->disposition));
      f.about = about(c, r->order, fnsku, r->sku);
      f.quantity = units;
      f.evidence.push_back({ref, "order", r->asked});
      if (vanished) f.terms.push_back({"X1", -10});
      f.quantity -= take_removal_payments(c, r->order, fnsku, r->requested, f);
      if (f.quantity == 0) {
        c.no(rule, ref, "paid", std::move(f.netting));
        continue;
      }
      const bool sellable = r->disposition == Disposition::sellable;
      c.set_value(f, c.value_before_order(fnsku, r->sku, r->updated, c.tables.home, r->currency));
      c.conclude(rule, std::move(f), {.event = r->updated, .country = c.tables.home, .base = sellable ? 70 : 50, .by_id = true, .not_before = {}, .aged_from = {}, .early = false});
    }
  }
}

void removal_lost(Case& c, const Rule& rule) {
  std::map<Name, const Removal*> orders;
  for (const Removal& r : c.tables.removals) orders[r.order] = &r;
  struct Received {
    const RemovalReceipt* row;
    std::int64_t left;
  };
  std::map<std::pair<Name, Name>, std::vector<Received>> receipts;   // (order, FNSKU)
  for (const RemovalReceipt& r : c.tables.removal_receipts) receipts[{r.order, r.fnsku}].push_back({&r, r.units});
  struct Sent {
    const RemovalShipment* row;
    std::optional<Currency> currency;
    std::int64_t missing;
    std::vector<Evidence> received;
    bool counted = false;
  };
  std::vector<Sent> sent;
  for (const RemovalShipment& s : c.tables.removal_shipments) {
    const auto order = orders.find(s.order);
    if (order != orders.end() && order->second->type != Removal::Type::giving_back) continue;
    sent.push_back({&s, order == orders.end() ? std::nullopt : order->second->currency, s.units, {}});
  }
  std::sort(sent.begin(), sent.end(), [](const Sent& a, const Sent& b) { return std::tie(a.row->shipped_on, a.row->row) < std::tie(b.row->shipped_on, b.row->row); });
  // By the parcel's own number, then whatever was sent first came first.
  for (const bool by_tracking : {true, false})
    for (Sent& s : sent) {
      const auto known = receipts.find({s.row->order, s.row->fnsku});
      if (known == receipts.end()) continue;
      for (Received& r : known->second) {
        if (by_tracking && (r.row->tracking.empty() || r.row->tracking != s.row->tracking)) continue;
        if (!by_tracking && !r.row->tracking.empty() && r.row->tracking != s.row->tracking) continue;
        s.counted |= by_tracking || r.row->tracking.empty() || s.row->tracking.empty();
        const std::int64_t units = std::min(r.left, s.missing);
        if (units <= 0) continue;
        r.left -= units;
        s.missing -= units;
        s.received.push_back({{Source::supplied, r.row->row}, "received", units});
      }
    }
  for (Sent& s : sent) {
    const RowRef ref{Source::removal_shipments, s.row->row};
    Finding f;
    f.subject = "removal shipment " + std::string(c.text(s.row->order)) + "|" + std::string(c.text(s.row->fnsku)) + "|" + std::string(c.text(s.row->tracking));
    f.about = about(c, s.row->order, s.row->fnsku, s.row->sku);
    f.quantity = s.missing;
    f.evidence.push_back({ref, "shipped", s.row->units});
    f.evidence.insert(f.evidence.end(), s.received.begin(), s.received.end());
    f.quantity -= take_removal_payments(c, s.row->order, s.row->fnsku, s.row->shipped_on, f);
    if (f.quantity == 0) {
      c.no(rule, ref, "received, or paid", std::move(f.netting));
      continue;
    }
    f.review_only = !s.counted;
    if (s.row->disposition == Disposition::sellable || s.row->disposition == Disposition::unknown)
      c.set_value(f, c.value_before_order(s.row->fnsku, s.row->sku, s.row->shipped_on, c.tables.home, s.currency));
    c.conclude(rule, std::move(f), {.event = s.row->shipped_on, .country = c.tables.home, .base = s.counted ? 70 : 45, .by_id = true, .not_before = {}, .aged_from = {}, .early = false});
  }
}

}  // namespace amzsync::detect
