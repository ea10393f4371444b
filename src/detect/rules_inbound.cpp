// SPDX-License-Identifier: Apache-2.0
// Units that were sent to Amazon and never counted in, or came damaged by its own carrier. Facts: detection 3, rules 4 and 5.
#include <algorithm>

#include "detect/rules.hpp"

namespace amzsync::detect {
namespace {

using std::chrono::days;

constexpr days kSiblings(30);             // shipments delivered so near to each other may have swapped units
constexpr days kAfterLastReceipt(14);

struct Shipment {
  const InboundShipment* row = nullptr;
  std::optional<Day> first_receipt, last_receipt;
  /// What is told as delivered; on a first sync the first receipt (facts 7.17).
  std::optional<Day> delivered() const { return row->delivered ? row->delivered : first_receipt; }
};

struct Item {
  const InboundItem* row = nullptr;
  Shipment* shipment = nullptr;
  Name fnsku, asin;
  std::int64_t received = 0, open = 0, over = 0;
  std::vector<const LedgerRow*> receipts;
  std::vector<Netted> offsets;
  bool doubtful = false;                  // a payment for nothing said, or one that two shipments could share
};

bool may_be_claimed(std::string_view status) { return status != "CANCELLED" && status != "DELETED" && status != "ERROR" && status != "WORKING"; }

void offset(Item& item, Item& by, std::string_view step) {
  const std::int64_t same = std::min(item.open, by.over);
  if (same == 0) return;
  item.open -= same;
  by.over -= same;
  item.offsets.push_back({{Source::inbound, by.row->row}, same, step});
}

}  // namespace

void inbound_shortage(Case& c, const Rule& rule) {
  std::map<Name, Shipment> shipments;
  for (const InboundShipment& s : c.tables.inbound_shipments) shipments[s.id].row = &s;
  std::map<std::pair<Name, Name>, std::vector<const LedgerRow*>> receipts;
  for (const Product& product : c.products)
    for (const LedgerRow* r : product.rows)
      if (r->movement == Movement::receipt) receipts[{r->reference, r->fnsku}].push_back(r);
  std::vector<Item> items;
  for (const InboundItem& row : c.tables.inbound_items) {
    const auto shipment = shipments.find(row.shipment);
    if (shipment == shipments.end() || !shipment->second.row) continue;
    Item item{.row = &row, .shipment = &shipment->second, .fnsku = c.fnsku_of(row.fnsku, row.sku), .asin = {}, .receipts = {}, .offsets = {}};
    if (const Product* product = c.product(item.fnsku)) item.asin = product->asin;
    std::int64_t booked = 0;
    for (const LedgerRow* r : receipts[{row.shipment, item.fnsku}]) {
      booked += r->quantity;
      item.receipts.push_back(r);
      auto& s = *item.shipment;
      s.first_receipt = std::min(s.first_receipt.value_or(r->day), r->day);
      s.last_receipt = std::max(s.last_receipt.value_or(r->day), r->day);
    }
    item.received = std::max(row.received, booked);
    item.open = std::max<std::int64_t>(0, row.shipped - item.received);
    item.over = std::max<std::int64_t>(0, item.received - row.shipped);
    // Cases entered as units, or units as cases: what differs is the unit, not the goods.
    if (row.in_case > 1 && (row.shipped * row.in_case == item.received || row.shipped == item.received * row.in_case)) item.open = item.over = 0;
    items.push_back(std::move(item));
  }
  std::sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
    return std::make_tuple(a.shipment->delivered(), c.text(a.row->shipment), c.text(a.fnsku), a.row->row) < std::make_tuple(b.shipment->delivered(), c.text(b.row->shipment), c.text(b.fnsku), b.row->row);
  });
  for (Item& item : items) {
    if (item.open == 0 || !may_be_claimed(item.shipment->row->status)) continue;
    for (Item& other : items)
      if (other.shipment == item.shipment && !item.asin.empty() && other.asin == item.asin) offset(item, other, "overage of the ASIN");
    for (Item& other : items) {
      if (other.shipment == item.shipment || other.fnsku != item.fnsku) continue;
      const auto a = item.shipment->delivered(), b = other.shipment->delivered();
      if (a && b && (*a < *b ? *b - *a : *a - *b) <= kSiblings) offset(item, other, "overage of another shipment");
    }
  }
  // Each payment goes to the nearest shortage before it.
  std::set<Name> paid_for;
  for (const Item& item : items) paid_for.insert(item.fnsku);
  for (const Name fnsku : paid_for)
    for (const Family family : {Family::inbound, Family::general})
      for (Payment* p : c.payments_of_product(fnsku, family)) {
        int shared = 0;
        for (std::size_t i = items.size(); i-- > 0 && p->left > 0;) {
          Item& item = items[i];
          const auto delivered = item.shipment->delivered();
          if (item.fnsku != fnsku || item.open == 0 || !delivered || p->line->approved < *delivered) continue;
          const std::int64_t units = std::min(item.open, p->left);
          item.open -= units;
          p->left -= units;
          item.offsets.push_back({{Source::reimbursements, p->line->row}, units, family == Family::inbound ? "payment" : "payment of another kind"});
          item.doubtful |= family == Family::general || shared++ > 0;
        }
      }
  // What rule 11 claims is not claimed here once more; the newest shortages are those that such a payment was for.
  for (auto& [fnsku, units] : c.reopened_inbound)
    for (std::size_t i = items.size(); i-- > 0 && units > 0;)
      if (items[i].fnsku == fnsku) {
        const std::int64_t same = std::min(units, items[i].open);
        items[i].open -= same;
        units -= same;
      }
  for (Item& item : items) {
    const RowRef ref{Source::inbound, item.row->row};
    const std::string& status = item.shipment->row->status;
    if (item.row->shipped <= item.received) continue;
    if (!may_be_claimed(status)) {
      c.no(rule, ref, "the shipment is " + status);
      continue;
    }
    if (item.open == 0) {
      c.no(rule, ref, item.offsets.empty() ? "cases and units were mixed up" : "counted in elsewhere, or paid");
      continue;
    }
    const auto delivered = item.shipment->delivered();
    if (!delivered) {
      c.no(rule, ref, "it is not known when the shipment was delivered");
      continue;
    }
    Finding f;
    f.subject = "inbound " + std::string(c.text(item.row->shipment)) + "|" + std::string(c.text(item.fnsku.empty() ? item.row->sku : item.fnsku));
    f.about = {.fnsku = item.fnsku, .sku = item.row->sku, .asin = item.asin, .order = {}, .shipment = item.row->shipment, .removal = {}, .period = {}};
    f.quantity = item.open;
    f.evidence.push_back({ref, "shipped", item.row->shipped});
    for (const LedgerRow* r : item.receipts) f.evidence.push_back({{Source::ledger, r->row}, "receipt", r->quantity});
    f.netting = std::move(item.offsets);
    bool general = std::any_of(f.netting.begin(), f.netting.end(), [](const Netted& n) { return n.step == "payment of another kind"; });
    if (general) f.terms.push_back({"G2", -10});
    if (item.row->shipped >= 200 && item.open * 100 <= item.row->shipped) f.terms.push_back({"X1", -10});
    const std::string_view country = item.shipment->row->country.empty() ? c.tables.home : item.shipment->row->country;
    c.set_value(f, c.value_before_order(item.fnsku, item.row->sku, *delivered, country));
    std::optional<Day> not_before;
    if (item.shipment->last_receipt) not_before = *item.shipment->last_receipt + kAfterLastReceipt;
    // Amazon still counts: not before it says that it is done.
    if (status != "CLOSED") not_before = std::max(not_before.value_or(c.today), c.today + days(1));
    c.conclude(rule, std::move(f), {.event = *delivered, .country = country, .base = 65, .by_id = !item.doubtful, .not_before = not_before, .aged_from = {}, .early = false});
  }
}

void damaged_inbound(Case& c, const Rule& rule) {
  std::map<Name, bool> partnered;
  for (const Partnered& p : c.tables.partnered) partnered[p.shipment] = p.partnered;
  for (Product& product : c.products) {
    for (const LedgerRow* row : product.rows) {
      if (row->movement != Movement::receipt || row->quantity <= 0) continue;
      if (row->disposition != Disposition::carrier_damaged && row->disposition != Disposition::warehouse_damaged) continue;
      const RowRef ref{Source::ledger, row->row};
      Finding f;
      f.subject = subject_of(c.tables, *row);
      f.about = {.fnsku = row->fnsku, .sku = row->msku, .asin = row->asin, .order = {}, .shipment = row->reference, .removal = {}, .period = {}};
      f.quantity = row->quantity;
      f.evidence.push_back({ref, "receipt", row->quantity});
      const auto known = partnered.find(row->reference);
      if (known != partnered.end() && !known->second) {
        c.no(rule, ref, "the carrier was not Amazon's");
        continue;
      }
      // Looked at again, and fit to be sold.
      for (const LedgerRow* r : product.rows)
        if (r->movement == Movement::adjustment && r->reason == 'Q' && r->quantity < 0 && r->disposition == row->disposition && r->day >= row->day && r->day - row->day <= days(60) && f.quantity > 0) {
          const bool used = std::any_of(product.netting.uses.begin(), product.netting.uses.end(), [&](const Use& u) { return product.netting.credits[u.credit].row == r; });
          if (used) continue;
          const std::int64_t same = std::min<std::int64_t>(f.quantity, -static_cast<std::int64_t>(r->quantity));
          f.quantity -= same;
          f.netting.push_back({{Source::ledger, r->row}, same, "corrected"});
        }
      for (const Family family : {Family::inbound, Family::damaged}) {
        std::vector<Payment*> paid = c.payments_of_product(product.fnsku, family);
        std::erase_if(paid, [&](const Payment* p) { return p->line->approved < row->day; });
        f.quantity -= c.take(std::move(paid), f.quantity, f, "payment");
      }
      if (f.quantity == 0) {
        c.no(rule, ref, "corrected, or paid");
        continue;
      }
      if (known == partnered.end()) f.terms.push_back({"X1", -10});
      f.review_only = known == partnered.end();
      const std::string_view country = c.country(row->country);
      c.set_value(f, c.value_before_order(row->fnsku, row->msku, row->day, country));
      c.conclude(rule, std::move(f), {.event = row->day, .country = country, .base = 60, .by_id = true, .not_before = {}, .aged_from = {}, .early = false});
    }
  }
}

}  // namespace amzsync::detect
