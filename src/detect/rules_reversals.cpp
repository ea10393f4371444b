// SPDX-License-Identifier: Apache-2.0
// Reimbursements themselves: taken back without cause, and too small. Facts: detection 3, rules 10 and 11.
#include <algorithm>

#include "detect/order_units.hpp"
#include "detect/rules.hpp"

namespace amzsync::detect {
namespace {

using std::chrono::days;

std::string subject(const Case& c, const Reimbursement& r) {
  std::string text = "reimbursement";
  for (const Name name : {r.id, r.sku, r.fnsku, r.reason, r.order, r.original_id}) text += "|" + std::string(c.text(name));
  return text + "|" + format_day(r.approved) + "#" + std::to_string(r.occurrence);
}

Subject about(const Case& c, const Reimbursement& r) {
  return {.fnsku = c.fnsku_of(r), .sku = r.sku, .asin = r.asin, .order = std::string(c.text(r.order)), .shipment = {}, .removal = {}, .period = {}};
}

std::optional<Micros> per_unit(const Reimbursement& r) {
  if (r.per_unit && r.per_unit->value != 0) return Micros{std::llabs(r.per_unit->value)};
  const std::int64_t units = r.cash;
  if (!r.amount || units <= 0) return std::nullopt;
  return Micros{std::llabs(r.amount->value) / units};
}

/// Paid again at another amount soon after: only the difference was taken. A line is such a payment for as many units as it pays, once.
class Repayments {
 public:
  explicit Repayments(const Case& c) : c_(c) {}

  struct Found {
    const Reimbursement* line = nullptr;
    std::int64_t units = 0;
  };
  /// For so many units of a reversal, of which nothing came back.
  Found take(const Reversal& reversal, std::int64_t units) {
    const Reimbursement& original = *reversal.original->line;
    const auto candidates = is_of_order(original) ? of_order(original) : c_.paid_before_order(c_.fnsku_of(original));
    for (const Reimbursement* paid : candidates) {
      const Reimbursement& line = *paid;
      if (&line == &original || line.id == original.id || line.fnsku != original.fnsku || line.family != original.family) continue;
      const days apart = line.approved < reversal.line->approved ? reversal.line->approved - line.approved : line.approved - reversal.line->approved;
      std::int64_t& used = used_[line.row];
      const std::int64_t left = line.cash + line.inventory - used;
      if (apart > days(10) || left < reversal.units) continue;
      const std::int64_t here = std::min(units, left);
      used += here;
      return {&line, here};
    }
    return {};
  }
  /// What backs it is told by the order, not by the product.
  static bool is_of_order(const Reimbursement& original) {
    const bool of_either = original.family == Family::lost || original.family == Family::damaged || original.family == Family::general;
    return original.family == Family::returned || (of_either && !original.order.empty());
  }

 private:
  std::vector<const Reimbursement*> of_order(const Reimbursement& original) const {
    std::vector<const Reimbursement*> lines;
    for (const Payment& p : c_.payments)
      if (p.line->order == original.order && !original.order.empty()) lines.push_back(p.line);
    return lines;
  }

  const Case& c_;
  std::map<std::int64_t, std::int64_t> used_;   // units, by row
};

/// What backs reversals, each unit of it once: first units that came back, then units that were paid for more than they were owed. Both take from what is
/// left of a reversal, and tell it in the finding.
class Support {
 public:
  explicit Support(Case& c) : c_(c) {}

  /// Of units lost or damaged: found again near or after the payment and not needed for other losses.
  void found_again(const Reversal& reversal, const ProductLedger& product, std::int64_t& left, Finding& f) {
    const Reimbursement& line = *reversal.original->line;
    Gross& gross = gross_of(product);
    const auto own = lots_of(reversal);
    const Netting& n = product.netting;
    for (std::size_t i = 0; i < n.credits.size() && left > 0; ++i) {
      const Credit& credit = n.credits[i];
      if (credit.payment || credit.day <= line.approved - days(30) || credit.day > reversal.line->approved + days(7)) continue;
      std::int64_t free = credit.left - gross.found_used[i];
      for (const Use& use : n.uses)
        if (use.credit == i && own.contains(use.lot)) free += use.units;
      const std::int64_t units = std::min(left, free);
      if (units <= 0) continue;
      gross.found_used[i] += units;
      left -= units;
      f.netting.push_back({credit.ref(), units, "came back"});
    }
  }
  /// A payment that stands in for one that was taken back is none too much.
  void stands_in(const Reversal& reversal, const Order* order, const ProductLedger* product, std::int64_t units) {
    const Reimbursement& line = *reversal.original->line;
    std::int64_t* over = Repayments::is_of_order(line) ? &overpaid_of(line.order, order) : line.family == Family::inbound ? &overpaid_inbound(c_.fnsku_of(line)) : product ? &gross_of(*product).overpaid : nullptr;
    if (over) *over = std::max<std::int64_t>(0, *over - units);
  }
  void overpaid_loss(const Reversal& reversal, const ProductLedger& product, std::int64_t& left, Finding& f) { take(gross_of(product).overpaid, *reversal.original->line, left, f); }
  /// What is not backed stays at the losses that the payment was for, so that they are not claimed as losses too.
  void reopen(const Reversal& reversal, ProductLedger& product, std::int64_t units) {
    gross_of(product);
    const auto own = lots_of(reversal);
    for (const bool of_payment : {true, false})
      for (std::size_t i = product.netting.lots.size(); i-- > 0 && units > 0;) {
        if (own.contains(i) != of_payment) continue;
        Lot& lot = product.netting.lots[i];
        const std::int64_t here = std::min(units, lot.open());
        if (here <= 0) continue;
        lot.reopened += here;
        units -= here;
      }
  }

  void returned(const Reversal& reversal, const Order* order, std::int64_t& left, Finding& f) {
    const Reimbursement& line = *reversal.original->line;
    std::int64_t& over = overpaid_of(line.order, order);
    for (const ReturnRow* r : c_.returns_of_order(line.order)) {
      if (r->day <= line.approved - days(5)) continue;
      std::int64_t& used = returned_used_[r];
      const std::int64_t units = std::min(left, r->quantity - used);
      if (units <= 0) continue;
      used += units;
      left -= units;
      if (r->grade != ReturnGrade::amazon_damaged) over = std::max<std::int64_t>(0, over - units);   // what came back is why too much is paid: it backs once
      f.netting.push_back({{Source::returns, r->row}, units, "came back"});
    }
  }
  void overpaid_order(const Reversal& reversal, const Order* order, std::int64_t& left, Finding& f) { take(overpaid_of(reversal.original->line->order, order), *reversal.original->line, left, f); }

  void received(const Reversal& reversal, const ProductLedger* product, std::int64_t& left, Finding& f) {
    const Reimbursement& line = *reversal.original->line;
    std::int64_t& over = overpaid_inbound(c_.fnsku_of(line));
    if (!product) return;
    std::map<std::string_view, std::int64_t> lacking;   // of each shipment, before the row
    for (const InboundItem& item : c_.tables.inbound_items)
      if (c_.fnsku_of(item.fnsku, item.sku) == product->product.fnsku) lacking[c_.text(item.shipment)] += item.shipped;
    for (const InboundShipment& s : c_.tables.inbound_shipments)   // one that came later lacked nothing then
      if (const auto of = lacking.find(c_.text(s.id)); of != lacking.end() && s.delivered && *s.delivered > line.approved) of->second = 0;
    for (const LedgerRow& r : product->rows) {
      if (r.movement != Movement::receipt) continue;
      // Only what a shipment lacked came after all; other receipts are of other units. What was sent in one that is not known any more nobody can tell.
      std::int64_t lacked = r.quantity;
      if (const auto of = lacking.find(r.reference); of != lacking.end()) {
        lacked = std::max<std::int64_t>(0, of->second);
        of->second -= r.quantity;
      }
      if (r.quantity <= 0 || r.day <= line.approved || r.day > reversal.line->approved + days(7)) continue;
      std::int64_t& used = receipts_used_[r.row];
      const std::int64_t units = std::min(left, std::min<std::int64_t>(r.quantity, lacked) - used);
      if (units <= 0) continue;
      used += units;
      left -= units;
      over = std::max<std::int64_t>(0, over - units);
      f.netting.push_back({{Source::ledger, r.row}, units, "was received after all"});
    }
  }
  void overpaid_shipments(const Reversal& reversal, std::int64_t& left, Finding& f) { take(overpaid_inbound(c_.fnsku_of(*reversal.original->line)), *reversal.original->line, left, f); }

 private:
  /// Of the product that is passing by, as if nothing had been taken back.
  struct Gross {
    const Product* of = nullptr;
    Netting netting;
    std::int64_t overpaid = 0;
    std::vector<std::int64_t> found_used;
  };
  Gross& gross_of(const ProductLedger& product) {
    if (gross_.of == &product.product) return gross_;
    gross_ = {};
    gross_.of = &product.product;
    auto found = product.found_before;
    gross_.netting = net(product.rows, found, product.product.payments, true);
    for (const Credit& credit : gross_.netting.credits)
      if (credit.payment) gross_.overpaid += credit.left;
    gross_.found_used.resize(product.netting.credits.size());
    return gross_;
  }
  /// Those that the payment was for.
  std::set<std::size_t> lots_of(const Reversal& reversal) const {
    std::set<std::size_t> own;
    for (const Use& use : gross_.netting.uses)
      if (gross_.netting.credits[use.credit].payment == reversal.original) own.insert(use.lot);
    return own;
  }

  static void take(std::int64_t& over, const Reimbursement& line, std::int64_t& left, Finding& f) {
    const std::int64_t units = std::min(left, over);
    if (units <= 0) return;
    over -= units;
    left -= units;
    f.netting.push_back({{Source::reimbursements, line.row}, units, "was paid for more than was owed"});
  }

  /// Units that were paid beyond those that were refunded and did not come back, or came back broken by Amazon.
  std::int64_t& overpaid_of(Name order_name, const Order* order) {
    const auto [over, fresh] = overpaid_.try_emplace(order_name, 0);
    if (!fresh) return over->second;
    std::int64_t refunded = 0, returned = 0, paid = 0;
    if (order)
      for (const OrderItem& item : order->items)
        if (const auto units = order_units(c_, item)) refunded += units->refunded;
    for (const ReturnRow* r : c_.returns_of_order(order_name))
      if (r->grade != ReturnGrade::amazon_damaged) returned += r->quantity;
    for (const Payment* p : c_.payments_of_order(order_name))
      if (p->line->family == Family::returned) paid += p->gross;
    // Of an order that nobody was given money back for, nothing was owed.
    if (order) over->second = std::max<std::int64_t>(0, paid - std::max<std::int64_t>(0, refunded - returned));
    return over->second;
  }
  /// Units of a product that were paid for shipments beyond what these lack.
  std::int64_t& overpaid_inbound(Name fnsku) {
    const auto [over, fresh] = overpaid_inbound_.try_emplace(fnsku, 0);
    if (!fresh) return over->second;
    std::int64_t lacking = 0, paid = 0;
    bool known = false;
    std::map<Name, std::pair<std::int64_t, std::int64_t>> shipments;   // units sent and received
    for (const InboundItem& item : c_.tables.inbound_items) {
      if (c_.fnsku_of(item.fnsku, item.sku) != fnsku) continue;
      auto& [sent, received] = shipments[item.shipment];
      sent += item.shipped;
      received += item.received;
      known = true;
    }
    for (auto& [shipment, units] : shipments) {
      if (const Receipts* booked = c_.ledger.receipts(shipment, fnsku)) units.second = std::max(units.second, booked->units);
      lacking += std::max<std::int64_t>(0, units.first - units.second);
    }
    for (const Payment& p : c_.payments)
      if (p.line->family == Family::inbound && c_.fnsku_of(*p.line) == fnsku) paid += p.gross;
    if (known) over->second = std::max<std::int64_t>(0, paid - lacking);
    return over->second;
  }

  Case& c_;
  Gross gross_;
  std::map<const ReturnRow*, std::int64_t> returned_used_;
  std::map<std::int64_t, std::int64_t> receipts_used_;   // by row
  std::map<Name, std::int64_t> overpaid_, overpaid_inbound_;   // by order, by FNSKU
};

/// Units of the order, net; for payments that answer a customer's order.
std::optional<Micros> net_of_order(const Case& c, const Order& order, const Reimbursement& r) {
  for (const OrderItem& item : order.items)
    if (same_product(item, r.sku, r.asin))
      if (const auto units = order_units(c, item); units && units->currency == r.currency) return units->net(1);
  return std::nullopt;
}

/// Judges lines of the reimbursements: those that an order's money or a product's ledger tells of as it passes by, all others at the end.
class OfLines : public Judge {
 public:
  OfLines(Case& c, const Rule& rule, std::size_t lines) : Judge(c, rule), judged_(lines) {}
  void end() final {
    for (std::size_t i = 0; i < judged_.size(); ++i)
      if (!judged_[i]) judge(i, nullptr, nullptr);
  }

 protected:
  /// `order`: nullptr where no money of its order is known, or it has none. `product`: nullptr likewise.
  virtual void judge(std::size_t number, const Order* order, ProductLedger* product) = 0;
  void judge_now(std::size_t number, const Order* order, ProductLedger* product) {
    if (judged_[number]) return;
    judged_[number] = true;
    judge(number, order, product);
  }


 private:
  std::vector<bool> judged_;
};

/// By the numbers of the case's reversals.
class Unsupported final : public OfLines {
 public:
  Unsupported(Case& c, const Rule& rule) : OfLines(c, rule, c.reversals.size()), repayments_(c), support_(c) {
    for (std::size_t i = 0; i < c.reversals.size(); ++i) {
      if (!c.reversals[i].original) continue;
      const Reimbursement& original = *c.reversals[i].original->line;
      if (Repayments::is_of_order(original)) {
        if (!original.order.empty()) by_order_[original.order].push_back(i);   // of no order that is named no order can tell
      } else {
        by_product_[c.fnsku_of(original)].push_back(i);
      }
    }
  }
  void see(ProductLedger& product) override {
    const auto known = by_product_.find(product.product.fnsku);
    if (known == by_product_.end()) return;
    for (const std::size_t i : known->second) judge_now(i, nullptr, &product);
  }
  void see(const Order& order) override {
    const auto known = by_order_.find(order.name);
    if (known == by_order_.end()) return;
    for (const std::size_t i : known->second) judge_now(i, &order, nullptr);
  }

 private:
  /// What its verdict rests on beside the report of the payments.
  enum class Of : std::uint8_t { order, shipments, losses, nothing_known };
  static Of kind_of(const Reimbursement& original) {
    if (Repayments::is_of_order(original)) return Of::order;
    if (original.family == Family::inbound) return Of::shipments;
    return original.family == Family::removal || original.family == Family::fee ? Of::nothing_known : Of::losses;
  }

  void judge(std::size_t number, const Order* order, ProductLedger* product) override {
    Case& c = case_;
    const Reversal& reversal = c.reversals[number];
    const Reimbursement& line = *reversal.line;
    Finding f;
    f.subject = subject(c, line) + "|" + (reversal.original ? "of " + subject(c, *reversal.original->line) : std::string("orphan"));
    f.about = about(c, line);
    f.evidence.push_back({{Source::reimbursements, line.row}, "reversal", reversal.units});
    f.currency = line.currency;
    f.basis = Basis::charge;
    Case::Grounds grounds{.event = line.approved, .country = c.tables.home, .base = 65, .by_id = reversal.original != nullptr, .not_before = {}, .aged_from = {}, .early = false};
    if (!reversal.original) {
      f.terms.push_back({"X1", -10});
      f.review_only = c.tables.coverage.any_by_word(Source::reimbursements, day_from(-1'000'000), line.approved);
      return claim(std::move(f), reversal, reversal.units, std::move(grounds));
    }

    const Reimbursement& original = *reversal.original->line;
    f.evidence.push_back({{Source::reimbursements, original.row}, "payment", reversal.original->gross});
    const Of of = kind_of(original);
    if (of == Of::order) grounds.also = {{Source::money, 0}};
    if (of == Of::shipments) grounds.also = {{Source::inbound, 0}};
    for (const Source source : {Source::reimbursements, Source::ledger, Source::returns, Source::money}) grounds.told_from.emplace_back(source, original.approved);
    f.review_only = of == Of::nothing_known || (of == Of::order && !order);   // nothing tells what came back, or what was owed

    std::int64_t left = reversal.units;
    const bool of_named_order = of == Of::order && !original.order.empty();
    if (of_named_order) support_.returned(reversal, order, left, f);
    if (of == Of::shipments) support_.received(reversal, product, left, f);
    if (of == Of::losses && product) support_.found_again(reversal, *product, left, f);
    const Repayments::Found again = left > 0 ? repayments_.take(reversal, left) : Repayments::Found{};
    if (again.line) {
      left -= again.units;
      support_.stands_in(reversal, order, product, again.units);
      f.netting.push_back({{Source::reimbursements, again.line->row}, again.units, "paid again"});
      tell_difference(f, reversal, again, grounds);
    }
    if (of_named_order) support_.overpaid_order(reversal, order, left, f);
    if (of == Of::shipments) support_.overpaid_shipments(reversal, left, f);
    if (of == Of::losses && product) support_.overpaid_loss(reversal, *product, left, f);

    if (of_named_order && left > 0) c.reopened_by_order[original.order].push_back({original.sku, original.asin, left});
    if (of == Of::shipments) c.reopened_inbound[c.fnsku_of(original)] += left;
    if (of == Of::losses && product) support_.reopen(reversal, *product, left);
    claim(std::move(f), reversal, left, std::move(grounds));
  }

  void tell_difference(const Finding& whole, const Reversal& reversal, const Repayments::Found& again, const Case::Grounds& grounds) {
    constexpr std::int64_t kLeast = 20'000;
    const auto before = per_unit(*reversal.original->line), after = per_unit(*again.line);
    if (!before || !after || before->value - after->value <= kLeast) return;
    case_.paid_again.insert(again.line->row);
    Finding f = whole;
    f.variant = "paid_again";
    f.amount = Micros{(before->value - after->value) * again.units};
    case_.conclude(rule_, std::move(f), grounds);
  }

  void claim(Finding f, const Reversal& reversal, std::int64_t units, Case::Grounds grounds) {
    f.quantity = units;
    if (units == 0) return case_.no(rule_, {Source::reimbursements, reversal.line->row}, "the units came back, or were paid again or twice", std::move(f.netting));
    if (const auto unit = per_unit(reversal.original ? *reversal.original->line : *reversal.line)) f.amount = Micros{unit->value * units};
    if (!f.amount) f.basis = Basis::unknown;
    case_.conclude(rule_, std::move(f), grounds);
  }

  Repayments repayments_;
  Support support_;
  std::map<Name, std::vector<std::size_t>> by_order_, by_product_;
};

/// By the numbers of the case's payments; of those for an order, payments for returns are held against what it was worth.
class Underpaid final : public OfLines {
 public:
  Underpaid(Case& c, const Rule& rule) : OfLines(c, rule, c.payments.size()) {}
  void see(const Order& order) override {
    if (order.name.empty()) return;
    for (const Payment* p : case_.payments_of_order(order.name))
      if (p->line->family == Family::returned) judge_now(static_cast<std::size_t>(p - case_.payments.data()), &order, nullptr);
  }

 private:
  /// Units of the payment's item that were refunded and did not come back, or came back broken by Amazon.
  std::int64_t owed_of(const Order& order, const Reimbursement& r) const {
    std::int64_t owed = 0;
    for (const OrderItem& item : order.items) {
      if (!same_product(item, r.sku, r.asin)) continue;
      if (const auto units = order_units(case_, item)) owed += units->refunded;
      for (const ReturnRow* row : case_.returns_of_order(order.name))
        if (row->grade != ReturnGrade::amazon_damaged && same_product(item, row->sku, row->asin)) owed -= row->quantity;
    }
    return owed;
  }

  void judge(std::size_t number, const Order* order, ProductLedger*) override {
    Case& c = case_;
    const Rule& rule = rule_;
    const Payment& p = c.payments[number];
    const Reimbursement& r = *p.line;
    const std::int64_t cash = std::min(r.cash, p.gross - p.reversed);
    if (cash <= 0 || r.used || !r.currency || !r.amount) return;
    const RowRef ref{Source::reimbursements, r.row};
    Finding f;
    f.subject = subject(c, r);
    f.about = about(c, r);
    f.evidence.push_back({ref, "payment", cash});
    f.currency = r.currency;
    f.basis = Basis::charge;
    const auto unit = per_unit(r);
    if (!unit || unit->value <= 0) return;
    const auto tell = [&](std::string_view variant, int base, Micros amount) {
      f.variant = variant;
      f.amount = amount;
      c.conclude(rule, std::move(f), {.event = r.approved, .country = c.tables.home, .base = base, .by_id = true, .not_before = {}, .aged_from = {}, .early = false});
    };
    if (c.paid_again.contains(r.row)) return c.no(rule, ref, "what it lacks of the payment that it stands in for is claimed with the reversal of that one");
    const bool before_order = r.family == Family::lost || r.family == Family::damaged || r.family == Family::inbound || r.family == Family::removal;
    if (r.per_unit && r.amount->value < (unit->value - 10'000) * r.cash) {
      return tell("arithmetic", 75, {unit->value * r.cash - r.amount->value});
    }
    if (before_order && r.approved >= c.policy.sourcing_cost_since()) {
      const Value value = c.value_before_order(f.about.fnsku, r.sku, r.approved, c.tables.home, r.currency);
      if (value.basis == Basis::seller_cost && value.unit && value.currency == r.currency) {
        const std::int64_t gap = value.unit->value - unit->value;
        if (gap > std::max<std::int64_t>(20'000, value.unit->value / 50)) {
          f.basis = Basis::seller_cost;
          tell("cost", 70, {gap * cash});
        } else {
          c.no(rule, ref, "paid what the unit cost");
        }
        return;
      }
      std::vector<Micros> others;
      for (const Reimbursement* other : c.paid_before_order(f.about.fnsku)) {
        const days apart = other->approved < r.approved ? r.approved - other->approved : other->approved - r.approved;
        if (other != &r && other->family == r.family && other->currency == r.currency && other->per_unit && other->per_unit->value > 0 && apart <= days(180)) others.push_back(*other->per_unit);
      }
      if (others.size() >= 3) {
        const Micros middle = median(others, *r.currency);
        if (unit->value * 10 < middle.value * 7) {
          f.variant = "outlier";
          f.high = Micros{(middle.value - unit->value) * cash};
          f.basis = Basis::unknown;
          f.review_only = true;
          c.conclude(rule, std::move(f), {.event = r.approved, .country = c.tables.home, .base = 45, .by_id = true, .not_before = {}, .aged_from = {}, .early = false});
        }
      }
      return;
    }
    if (c.credited_excess.contains(r.row)) return c.no(rule, ref, "it makes good what was given back beyond what was charged");
    if (order && owed_of(*order, r) <= 0) return c.no(rule, ref, "of its order no unit was refunded and kept");
    if (order)
      if (const auto net = net_of_order(c, *order, r); net && unit->value * 10 < net->value * 9) {
        f.basis = Basis::order;
        tell("order", 75, {(net->value - unit->value) * cash});
      }
  }
};

}  // namespace

std::unique_ptr<Judge> reimbursement_reversal_unsupported(Case& c, const Rule& rule) { return std::make_unique<Unsupported>(c, rule); }
std::unique_ptr<Judge> reimbursement_underpaid(Case& c, const Rule& rule) { return std::make_unique<Underpaid>(c, rule); }

}  // namespace amzsync::detect
