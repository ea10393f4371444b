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
  /// When it was seen as delivered, which may be a while after it was, and no later than its first receipt (facts 7.17).
  std::optional<Day> delivered() const { return row->delivered && first_receipt ? std::min(row->delivered, first_receipt) : row->delivered ? row->delivered : first_receipt; }
};

/// What was sent of one product in one shipment. SKUs may share it.
struct Item {
  std::vector<const InboundItem*> rows;
  Name id;                                // of the shipment
  Shipment* shipment = nullptr;
  Name fnsku, sku, asin;
  std::int64_t sent = 0, received = 0, open = 0, over = 0;
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
  item.offsets.push_back({{Source::inbound, by.rows.front()->row}, same, step});
}

/// Units that a shipment brought of a product that was not planned for it, or that Amazon books as found.
struct Unplanned {
  Name fnsku, asin;
  Day first{};
  std::int64_t row = 0, left = 0;
};

class InboundShortage final : public Judge {
 public:
  InboundShortage(Case& c, const Rule& rule) : Judge(c, rule) {
    for (const InboundShipment& s : c.tables.inbound_shipments) shipments_[s.id].row = &s;
    std::map<std::pair<Name, Name>, std::size_t> places;   // by shipment and FNSKU, or SKU
    for (const InboundItem& row : c.tables.inbound_items) {
      const auto shipment = shipments_.find(row.shipment);
      if (shipment == shipments_.end() || !shipment->second.row) continue;
      const Name fnsku = c.fnsku_of(row.fnsku, row.sku);
      const auto [place, fresh] = places.try_emplace({row.shipment, fnsku.empty() ? row.sku : fnsku}, items_.size());
      if (fresh) items_.push_back({.rows = {}, .id = row.shipment, .shipment = &shipment->second, .fnsku = fnsku, .sku = row.sku, .asin = asin_of(fnsku, row.sku), .receipts = {}, .offsets = {}});
      Item& item = items_[place->second];
      item.rows.push_back(&row);
      item.sent += row.shipped;
      item.received += row.received;
    }
    for (Item& item : items_) count(item);
    for (auto& [id, shipment] : shipments_) find_unplanned(id, places);
    std::sort(items_.begin(), items_.end(), [&](const Item& a, const Item& b) {
      return std::make_tuple(a.shipment->delivered(), c.text(a.id), c.text(a.fnsku), c.text(a.sku)) < std::make_tuple(b.shipment->delivered(), c.text(b.id), c.text(b.fnsku), c.text(b.sku));
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
          if (case_.text(item->id) == r.reference) item->receipts.push_back({{Source::ledger, r.row}, "receipt", r.quantity});
  }

  void end() override {
    offset_overages();
    take_payments();
    leave_reopened();
    for (Item& item : items_)
      if (item.sent > item.received) judge(item);
  }

 private:
  Name asin_of(Name fnsku, Name sku) const {
    const Product* product = case_.product(fnsku);
    return product && !product->asin.empty() ? product->asin : case_.asin_of(sku);
  }

  void count(Item& item) {
    if (const Receipts* booked = case_.ledger.receipts(item.id, item.fnsku)) {
      item.received = std::max(item.received, booked->units);
      auto& s = *item.shipment;
      s.first_receipt = std::min(s.first_receipt.value_or(booked->first), booked->first);
      s.last_receipt = std::max(s.last_receipt.value_or(booked->last), booked->last);
    }
    item.open = std::max<std::int64_t>(0, item.sent - item.received);
    item.over = std::max<std::int64_t>(0, item.received - item.sent);
    // Cases entered as units: what differs is the unit, not the goods, and offsets nothing.
    const std::int64_t in_case = item.rows.front()->in_case;
    if (in_case > 1 && item.sent * in_case == item.received) item.over = 0;
  }

  void find_unplanned(Name shipment, const std::map<std::pair<Name, Name>, std::size_t>& planned) {
    for (const auto& [key, booked] : case_.ledger.receipts_of(shipment)) {
      if (planned.contains(key) || booked.units <= 0) continue;
      const Name asin = booked.asin.empty() ? asin_of(key.second, {}) : booked.asin;
      unplanned_[shipment].push_back({key.second, asin, booked.first, booked.row, booked.units});
    }
  }

  void offset_overages() {
    std::vector<Item>& items = items_;
    for (Item& item : items) {
      if (item.open == 0 || !may_be_claimed(item.shipment->row->status)) continue;
      for (Item& other : items)
        if (other.shipment == item.shipment && !item.asin.empty() && other.asin == item.asin) offset(item, other, "overage of the ASIN");
      for (Unplanned& other : unplanned_[item.id]) {
        const std::int64_t same = item.asin.empty() || other.asin != item.asin ? 0 : std::min(item.open, other.left);
        take_unplanned(item, other, same, "received as another product of the ASIN");
      }
      for (Item& other : items) {
        if (other.shipment == item.shipment || other.fnsku != item.fnsku) continue;
        const auto a = item.shipment->delivered(), b = other.shipment->delivered();
        if (a && b && near(*a, *b)) offset(item, other, "overage of another shipment");
      }
      // Of a product that was not planned there it came too.
      for (auto& [id, others] : unplanned_)
        for (Unplanned& other : others)
          if (const auto delivered = item.shipment->delivered(); id != item.id && other.fnsku == item.fnsku && !item.fnsku.empty() && delivered && near(*delivered, other.first))
            take_unplanned(item, other, std::min(item.open, other.left), "received in another shipment");
    }
  }

  static bool near(Day a, Day b) { return (a < b ? b - a : a - b) <= kSiblings; }
  static void take_unplanned(Item& item, Unplanned& other, std::int64_t same, std::string_view step) {
    if (same == 0) return;
    item.open -= same;
    other.left -= same;
    item.offsets.push_back({{Source::ledger, other.row}, same, step});
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
    const RowRef ref{Source::inbound, item.rows.front()->row};
    const std::string& status = item.shipment->row->status;
    if (!may_be_claimed(status)) return c.no(rule_, ref, "the shipment is " + status);
    if (item.open == 0) {
      const std::string why = item.offsets.empty() ? "cases and units were mixed up" : "counted in elsewhere, or paid";
      return c.no(rule_, ref, why, std::move(item.offsets));
    }
    const auto delivered = item.shipment->delivered();
    if (!delivered) return c.no(rule_, ref, "it is not known when the shipment was delivered");
    Finding f;
    f.subject = "inbound " + std::string(c.text(item.id)) + "|" + std::string(c.text(item.fnsku.empty() ? item.sku : item.fnsku));
    f.about = {.fnsku = item.fnsku, .sku = item.sku, .asin = item.asin, .order = {}, .shipment = std::string(c.text(item.id)), .removal = {}, .period = {}};
    f.quantity = item.open;
    for (const InboundItem* row : item.rows) f.evidence.push_back({{Source::inbound, row->row}, "shipped", row->shipped});
    f.evidence.insert(f.evidence.end(), item.receipts.begin(), item.receipts.end());
    f.netting = std::move(item.offsets);
    bool general = std::any_of(f.netting.begin(), f.netting.end(), [](const Netted& n) { return n.step == "payment of another kind"; });
    if (general) f.terms.push_back({"G2", -10});
    if (item.sent >= 200 && item.open * 100 <= item.sent) f.terms.push_back({"X1", -10});
    const std::string_view country = item.shipment->row->country.empty() ? c.tables.home : item.shipment->row->country;
    c.set_value(f, c.value_before_order(item.fnsku, item.sku, *delivered, country));
    std::optional<Day> not_before;
    if (item.shipment->last_receipt) not_before = *item.shipment->last_receipt + kAfterLastReceipt;
    // Amazon still counts: not before it says that it is done.
    if (status != "CLOSED") not_before = std::max(not_before.value_or(c.today), c.today + days(1));
    c.conclude(rule_, std::move(f), {.event = *delivered, .country = country, .base = 65, .by_id = !item.doubtful, .not_before = not_before, .aged_from = {}, .early = false});
  }

  std::map<Name, Shipment> shipments_;
  std::vector<Item> items_;               // by the day of their delivery
  std::map<Name, std::vector<Item*>> short_;   // by FNSKU
  std::map<Name, std::vector<Unplanned>> unplanned_;   // by shipment
};

/// Receipts are held against corrections as their products pass by. Payments for them are looked for at the end, when shortages have taken theirs.
class DamagedInbound final : public Judge {
 public:
  DamagedInbound(Case& c, const Rule& rule) : Judge(c, rule) {
    for (const Partnered& p : c.tables.partnered) partnered_[std::string(c.text(p.shipment))] = p.partnered;
  }

  void see(ProductLedger& product) override {
    for (const LedgerRow& row : product.rows) {
      if (row.movement != Movement::receipt) continue;
      if (row.disposition != Disposition::carrier_damaged && row.disposition != Disposition::warehouse_damaged) {
        if (case_.telling() && row.disposition != Disposition::sellable) case_.no(rule_, {Source::ledger, row.row}, "it came so from the seller, not from Amazon's carrier");
        continue;
      }
      if (row.quantity <= 0) {
        take_back(row);
        continue;
      }
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

  /// Booked by mistake: a receipt of the other sign takes those of the same shipment, product and condition back, the nearest before it first.
  void take_back(const LedgerRow& by) {
    std::int64_t left = -static_cast<std::int64_t>(by.quantity);
    for (std::size_t i = received_.size(); i-- > 0 && left > 0;) {
      Received& r = received_[i];
      if (r.row.fnsku != by.fnsku) break;   // products pass by one after the other
      if (r.row.disposition != by.disposition || r.row.reference != by.reference) continue;
      const std::int64_t same = std::min(left, r.left);
      if (same == 0) continue;
      r.left -= same;
      left -= same;
      r.corrected.push_back({{Source::ledger, by.row}, same, "undone"});
    }
  }

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
    if (f.quantity == 0) return c.no(rule_, ref, "corrected, or paid", std::move(f.netting));
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
