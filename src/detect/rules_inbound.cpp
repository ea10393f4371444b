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
  std::vector<Evidence> receipts;
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

class InboundShortage final : public Judge {
 public:
  InboundShortage(Case& c, const Rule& rule) : Judge(c, rule) {
    for (const InboundShipment& s : c.tables.inbound_shipments) shipments_[s.id].row = &s;
    for (const InboundItem& row : c.tables.inbound_items) {
      const auto shipment = shipments_.find(row.shipment);
      if (shipment == shipments_.end()) continue;
      Item item{.row = &row, .shipment = &shipment->second, .fnsku = c.fnsku_of(row.fnsku, row.sku), .asin = {}, .receipts = {}, .offsets = {}};
      if (const Product* product = c.product(item.fnsku)) item.asin = product->asin;
      item.received = row.received;
      if (const Receipts* booked = c.ledger.receipts(row.shipment, item.fnsku)) {
        item.received = std::max(item.received, booked->units);
        auto& s = *item.shipment;
        s.first_receipt = std::min(s.first_receipt.value_or(booked->first), booked->first);
        s.last_receipt = std::max(s.last_receipt.value_or(booked->last), booked->last);
      }
      item.open = std::max<std::int64_t>(0, row.shipped - item.received);
      item.over = std::max<std::int64_t>(0, item.received - row.shipped);
      // Cases entered as units, or units as cases: what differs is the unit, not the goods.
      if (row.in_case > 1 && (row.shipped * row.in_case == item.received || row.shipped == item.received * row.in_case)) item.open = item.over = 0;
      items_.push_back(std::move(item));
    }
    std::sort(items_.begin(), items_.end(), [&](const Item& a, const Item& b) {
      return std::make_tuple(a.shipment->delivered(), c.text(a.row->shipment), c.text(a.fnsku), a.row->row) < std::make_tuple(b.shipment->delivered(), c.text(b.row->shipment), c.text(b.fnsku), b.row->row);
    });
    for (Item& item : items_)
      if (item.open > 0) short_[item.fnsku].push_back(&item);
  }

  /// What was counted in of shipments that lack units.
  void see(ProductLedger& product) override {
    const auto known = short_.find(product.product.fnsku);
    if (known == short_.end()) return;
    for (const LedgerRow& r : product.rows)
      if (r.movement == Movement::receipt)
        for (Item* item : known->second)
          if (case_.text(item->row->shipment) == r.reference) item->receipts.push_back({{Source::ledger, r.row}, "receipt", r.quantity});
  }

  void end() override {
    offset_overages();
    take_payments();
    leave_reopened();
    for (Item& item : items_)
      if (item.row->shipped > item.received) judge(item);
  }

 private:
  void offset_overages() {
    std::vector<Item>& items = items_;
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
  }

  /// Each payment goes to the nearest shortage before it.
  void take_payments() {
    std::set<Name> paid_for;
    for (const Item& item : items_) paid_for.insert(item.fnsku);
    for (const Name fnsku : paid_for)
      for (const Family family : {Family::inbound, Family::general})
        for (Payment* p : case_.payments_of_product(fnsku, family)) {
          int shared = 0;
          for (std::size_t i = items_.size(); i-- > 0 && p->left > 0;) {
            Item& item = items_[i];
            const auto delivered = item.shipment->delivered();
            if (item.fnsku != fnsku || item.open == 0 || !delivered || p->line->approved < *delivered) continue;
            const std::int64_t units = std::min(item.open, p->left);
            item.open -= units;
            p->left -= units;
            item.offsets.push_back({{Source::reimbursements, p->line->row}, units, family == Family::inbound ? "payment" : "payment of another kind"});
            item.doubtful |= family == Family::general || shared++ > 0;
          }
        }
  }

  /// What rule 11 claims is not claimed here once more; the newest shortages are those that such a payment was for.
  void leave_reopened() {
    for (auto& [fnsku, units] : case_.reopened_inbound)
      for (std::size_t i = items_.size(); i-- > 0 && units > 0;)
        if (items_[i].fnsku == fnsku) {
          const std::int64_t same = std::min(units, items_[i].open);
          items_[i].open -= same;
          units -= same;
        }
  }

  void judge(Item& item) {
    Case& c = case_;
    const RowRef ref{Source::inbound, item.row->row};
    const std::string& status = item.shipment->row->status;
    if (!may_be_claimed(status)) return c.no(rule_, ref, "the shipment is " + status);
    if (item.open == 0) return c.no(rule_, ref, item.offsets.empty() ? "cases and units were mixed up" : "counted in elsewhere, or paid");
    const auto delivered = item.shipment->delivered();
    if (!delivered) return c.no(rule_, ref, "it is not known when the shipment was delivered");
    Finding f;
    f.subject = "inbound " + std::string(c.text(item.row->shipment)) + "|" + std::string(c.text(item.fnsku.empty() ? item.row->sku : item.fnsku));
    f.about = {.fnsku = item.fnsku, .sku = item.row->sku, .asin = item.asin, .order = {}, .shipment = std::string(c.text(item.row->shipment)), .removal = {}, .period = {}};
    f.quantity = item.open;
    f.evidence.push_back({ref, "shipped", item.row->shipped});
    f.evidence.insert(f.evidence.end(), item.receipts.begin(), item.receipts.end());
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
    c.conclude(rule_, std::move(f), {.event = *delivered, .country = country, .base = 65, .by_id = !item.doubtful, .not_before = not_before, .aged_from = {}, .early = false});
  }

  std::map<Name, Shipment> shipments_;
  std::vector<Item> items_;               // by the day of their delivery
  std::map<Name, std::vector<Item*>> short_;   // by FNSKU
};

/// Receipts are held against corrections as their products pass by. Payments for them are looked for at the end, when shortages have taken theirs.
class DamagedInbound final : public Judge {
 public:
  DamagedInbound(Case& c, const Rule& rule) : Judge(c, rule) {
    for (const Partnered& p : c.tables.partnered) partnered_[std::string(c.text(p.shipment))] = p.partnered;
  }

  void see(ProductLedger& product) override {
    for (const LedgerRow& row : product.rows) {
      if (row.movement != Movement::receipt || row.quantity <= 0) continue;
      if (row.disposition != Disposition::carrier_damaged && row.disposition != Disposition::warehouse_damaged) continue;
      const auto known = partnered_.find(row.reference);
      if (known != partnered_.end() && !known->second) {
        case_.no(rule_, {Source::ledger, row.row}, "the carrier was not Amazon's");
        continue;
      }
      received_.push_back({row, row.quantity, known != partnered_.end(), {}});
      correct(received_.back(), product);
    }
    corrected_.clear();
  }

  void end() override {
    for (Received& received : received_) judge(received);
  }

 private:
  struct Received {
    LedgerRow row;
    std::int64_t left = 0;
    bool partnered = false;               // known to have come by Amazon's carrier
    std::vector<Netted> corrected;
  };

  /// Looked at again, and fit to be sold.
  void correct(Received& received, const ProductLedger& product) {
    const LedgerRow& row = received.row;
    for (const LedgerRow& r : product.rows) {
      if (received.left == 0) return;
      if (r.movement != Movement::adjustment || r.reason != 'Q' || r.quantity >= 0 || r.disposition != row.disposition || r.day < row.day || r.day - row.day > days(60)) continue;
      const auto& n = product.netting;
      if (std::any_of(n.uses.begin(), n.uses.end(), [&](const Use& u) { return n.credits[u.credit].row == &r; })) continue;
      std::int64_t& used = corrected_[r.row];
      const std::int64_t same = std::min<std::int64_t>(received.left, -static_cast<std::int64_t>(r.quantity) - used);
      if (same <= 0) continue;
      used += same;
      received.left -= same;
      received.corrected.push_back({{Source::ledger, r.row}, same, "corrected"});
    }
  }

  void judge(Received& received) {
    Case& c = case_;
    const LedgerRow& row = received.row;
    const RowRef ref{Source::ledger, row.row};
    Finding f;
    f.subject = subject_of(c.tables, row);
    f.about = {.fnsku = row.fnsku, .sku = row.msku, .asin = row.asin, .order = {}, .shipment = row.reference, .removal = {}, .period = {}};
    f.quantity = received.left;
    f.evidence.push_back({ref, "receipt", row.quantity});
    f.netting = std::move(received.corrected);
    for (const Family family : {Family::inbound, Family::damaged}) {
      std::vector<Payment*> paid = c.payments_of_product(row.fnsku, family);
      std::erase_if(paid, [&](const Payment* p) { return p->line->approved < row.day; });
      f.quantity -= c.take(std::move(paid), f.quantity, f, "payment");
    }
    if (f.quantity == 0) return c.no(rule_, ref, "corrected, or paid");
    if (!received.partnered) f.terms.push_back({"X1", -10});
    f.review_only = !received.partnered;
    const std::string_view country = c.country(row.country);
    c.set_value(f, c.value_before_order(row.fnsku, row.msku, row.day, country));
    c.conclude(rule_, std::move(f), {.event = row.day, .country = country, .base = 60, .by_id = true, .not_before = {}, .aged_from = {}, .early = false});
  }

  std::map<std::string, bool> partnered_; // by shipment
  std::deque<Received> received_;
  std::map<std::int64_t, std::int64_t> corrected_;   // units of the product's corrections that are used up
};

}  // namespace

std::unique_ptr<Judge> inbound_shortage(Case& c, const Rule& rule) { return std::make_unique<InboundShortage>(c, rule); }
std::unique_ptr<Judge> damaged_inbound(Case& c, const Rule& rule) { return std::make_unique<DamagedInbound>(c, rule); }

}  // namespace amzsync::detect
