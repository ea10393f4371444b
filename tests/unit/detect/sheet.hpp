// SPDX-License-Identifier: Apache-2.0
// A seller's tables written by hand, in the shorthand of the specification's worked examples: days are of 2026 unless they name a year, the
// product is FN1 of SKU1 and ASIN1, all is covered from 2025 on, and it is judged as of 2026-06-30.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>

#include "detect/detect.hpp"
#include "detect/usual.hpp"

namespace sheet {
using namespace amzsync::detect;

inline Day day(std::string_view text) { return day_of(*parse_instant(text.size() == 5 ? "2026-" + std::string(text) : std::string(text))); }
inline Micros money(std::string_view text) { return amzsync::base::parse_amount(text).micros; }
inline Currency currency(std::string_view code) { return *Currency::parse(code); }

class Sheet {
 public:
  Sheet() {
    t.seller = "SELLER";
    t.region = "na";
    for (std::size_t i = 0; i < kSources; ++i) t.coverage.add_all(static_cast<Source>(i));
    cost("FN1", "01-01", "8.00");
  }

  Name name(std::string_view text) { return t.names.of(text); }

  LedgerRow& adjusted(std::string_view on, char reason, int quantity, std::string_view disposition = "SELLABLE", std::optional<int> reconciled = {}, std::optional<int> unreconciled = {}) {
    LedgerRow& r = moved(on, Movement::adjustment, quantity, disposition);
    r.reason = reason;
    r.reconciled = reconciled;
    r.unreconciled = unreconciled;
    return r;
  }
  LedgerRow& moved(std::string_view on, Movement movement, int quantity, std::string_view disposition = "SELLABLE", std::string_view reference = "", std::string_view center = "PHX7") {
    LedgerRow r;
    r.row = next_++;
    r.day = day(on);
    r.fnsku = name("FN1");
    r.asin = name("ASIN1");
    r.msku = name("SKU1");
    r.center = name(center);
    r.reference = reference;
    r.movement = movement;
    r.disposition = disposition_from(disposition);
    r.quantity = quantity;
    ledger.push_back(r);
    return ledger.back();
  }
  Reimbursement& paid(std::string_view on, std::string_view id, std::string_view reason, int cash, std::string_view per_unit = "8.00", std::string_view order = "") {
    Reimbursement r;
    r.row = next_++;
    r.approved = day(on);
    r.id = name(id);
    r.reason = name(reason);
    r.family = family_from(reason);
    r.sku = name("SKU1");
    r.fnsku = name("FN1");
    r.asin = name("ASIN1");
    r.order = name(order);
    r.currency = currency("USD");
    r.per_unit = money(per_unit);
    r.amount = Micros{r.per_unit->value * cash};
    r.cash = cash;
    t.reimbursements.push_back(r);
    return t.reimbursements.back();
  }
  Reimbursement& reversed(std::string_view on, std::string_view id, int units, std::string_view original, std::string_view per_unit = "8.00") {
    Reimbursement& r = paid(on, id, "Reimbursement_Reversal", units, per_unit);
    r.amount = Micros{-r.amount->value};
    r.original_id = name(original);
    return r;
  }
  MoneyItem& money_of(MoneyKind kind, std::string_view order, std::string_view on, std::optional<int> quantity, std::initializer_list<std::pair<Part, std::string_view>> parts, std::string_view code = "USD") {
    MoneyItem m;
    m.row = next_++;
    m.posted = day(on);
    m.kind = kind;
    m.sku = name("SKU1");
    m.asin = name("ASIN1");
    m.country = "US";
    m.currency = currency(code);
    if (quantity) m.quantity = *quantity;
    for (const auto& [part, amount] : parts) m.put(part, money(amount));
    money_rows.emplace_back(order, m);
    return money_rows.back().second;
  }
  MoneyItem& sold(std::string_view order, std::string_view on, int quantity, std::initializer_list<std::pair<Part, std::string_view>> parts) { return money_of(MoneyKind::sale, order, on, quantity, parts); }
  MoneyItem& refunded(std::string_view order, std::string_view on, std::initializer_list<std::pair<Part, std::string_view>> parts) { return money_of(MoneyKind::refund, order, on, std::nullopt, parts); }
  /// The sale that most examples begin with: 25.00, less 3.75 and 4.75.
  void sold_as_usual(std::string_view order, std::string_view on = "04-01") { sold(order, on, 1, {{Part::principal, "25.00"}, {Part::commission, "-3.75"}, {Part::fulfilment, "-4.75"}}); }
  void refunded_as_usual(std::string_view order, std::string_view on) { refunded(order, on, {{Part::principal, "-25.00"}, {Part::commission, "3.75"}, {Part::refund_commission, "-0.75"}}); }
  ReturnRow& returned(std::string_view on, std::string_view order, std::string_view disposition, int quantity = 1) {
    ReturnRow r;
    r.row = next_++;
    r.day = day(on);
    r.order = name(order);
    r.sku = name("SKU1");
    r.fnsku = name("FN1");
    r.asin = name("ASIN1");
    r.center = name("PHX7");
    r.grade = return_grade_from(disposition);
    r.quantity = quantity;
    t.returns.push_back(r);
    return t.returns.back();
  }
  Removal& removal(std::string_view order, Removal::Type type, std::string_view disposition, int asked, int shipped, int disposed, std::string_view requested, std::string_view updated) {
    Removal r;
    r.row = next_++;
    r.order = name(order);
    r.sku = name("SKU1");
    r.fnsku = name("FN1");
    r.type = type;
    r.completed = true;
    r.disposition = disposition_from(disposition);
    r.asked = asked;
    r.shipped = shipped;
    r.disposed = disposed;
    r.requested = day(requested);
    r.updated = day(updated);
    t.removals.push_back(r);
    return t.removals.back();
  }
  void sent_back(std::string_view order, std::string_view on, int units) {
    RemovalShipment s;
    s.row = next_++;
    s.order = name(order);
    s.fnsku = name("FN1");
    s.sku = name("SKU1");
    s.shipped_on = day(on);
    s.tracking = name("1Z");
    s.disposition = Disposition::sellable;
    s.units = units;
    t.removal_shipments.push_back(s);
  }
  void arrived(std::string_view order, int units) { t.removal_receipts.push_back({next_++, name(order), name("FN1"), name("1Z"), units}); }
  void shipment(std::string_view id, std::string_view status, std::string_view delivered) {
    InboundShipment s;
    s.row = next_++;
    s.id = name(id);
    s.status = status;
    s.delivered = day(delivered);
    s.country = "US";
    t.inbound_shipments.push_back(s);
  }
  InboundItem& item(std::string_view shipment_id, std::string_view fnsku, int shipped, int received) {
    InboundItem i;
    i.row = next_++;
    i.shipment = name(shipment_id);
    i.fnsku = name(fnsku);
    i.sku = name("SKU of " + std::string(fnsku));
    i.shipped = shipped;
    i.received = received;
    t.inbound_items.push_back(i);
    return t.inbound_items.back();
  }
  void cost(std::string_view product, std::string_view from, std::string_view amount, std::string_view code = "USD") { t.costs.push_back({name(product), day(from), money(amount), currency(code)}); }

  std::vector<Finding> of(std::string_view rule, const Policy& policy = Policy::embedded()) const {
    std::vector<Finding> found;
    for (const Finding& f : judged(policy).findings)
      if (f.rule == rule) found.push_back(f);
    return found;
  }

  /// The orders, as a reader of the store gives them: sales are told what was usual before them.
  std::vector<Order> orders() const {
    auto rows = money_rows;
    std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return std::tie(a.second.posted, a.second.row) < std::tie(b.second.posted, b.second.row); });
    UsualCharges usual;
    OrderBook book(t.names);
    for (auto& [order, item] : rows) {
      usual.see(item);
      book.add(order, item);
    }
    return book.take();
  }
  Detection judged(const Policy& policy = Policy::embedded()) const { return detect(t, ledger, orders(), policy, as_of); }

  Tables t;
  std::vector<LedgerRow> ledger;
  std::vector<std::pair<std::string, MoneyItem>> money_rows;
  Day as_of = day("06-30");

 private:
  std::int64_t next_ = 1;
};

/// What an example says of a finding; what it does not say is not looked at.
struct Says {
  std::string_view readiness;
  std::int64_t quantity = 0;
  std::string_view amount = {};           ///< "": not said; "null": unknown
  std::string_view from = {}, until = {}, safe = {};
  int confidence = 0;
  std::string_view high = {};
};

inline void says(const std::vector<Finding>& found, const Says& expected, Day as_of = day("06-30")) {
  REQUIRE(found.size() == 1);
  const Finding& f = found.front();
  CAPTURE(f.subject);
  CAPTURE(f.blocked);
  CHECK(readiness_name(f.readiness(as_of)) == expected.readiness);
  CHECK(f.quantity == expected.quantity);
  if (expected.amount == "null") {
    CHECK(!f.amount);
  } else if (!expected.amount.empty()) {
    REQUIRE(f.amount);
    CHECK(format_micros(*f.amount) == format_micros(money(expected.amount)));
  }
  if (!expected.high.empty()) {
    REQUIRE(f.high);
    CHECK(format_micros(*f.high) == format_micros(money(expected.high)));
  }
  if (!expected.from.empty()) CHECK(format_day(f.claimable_from) == format_day(day(expected.from)));
  if (!expected.until.empty()) CHECK(format_day(f.deadline) == format_day(day(expected.until)));
  if (!expected.safe.empty()) CHECK(format_day(f.deadline_safe) == format_day(day(expected.safe)));
  if (expected.confidence != 0) CHECK(f.confidence == expected.confidence);
}

}  // namespace sheet
