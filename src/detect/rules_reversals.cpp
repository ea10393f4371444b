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
  return {.fnsku = c.fnsku_of(r.fnsku, r.sku), .sku = r.sku, .asin = r.asin, .order = std::string(c.text(r.order)), .shipment = {}, .removal = {}, .period = {}};
}

std::optional<Micros> per_unit(const Reimbursement& r) {
  if (r.per_unit && r.per_unit->value != 0) return Micros{std::llabs(r.per_unit->value)};
  const std::int64_t units = r.cash;
  if (!r.amount || units <= 0) return std::nullopt;
  return Micros{std::llabs(r.amount->value) / units};
}

/// What backs reversals, each unit of it once.
class Support {
 public:
  explicit Support(Case& c) : c_(c) {}

  /// Of units lost or damaged: found again near or after the payment and not needed for other losses, or paid beyond what was lost. Leaves what is not
  /// backed at the losses that the payment was for, so that they are not claimed as losses too.
  std::int64_t of_loss(const Reversal& reversal, ProductLedger& product, Finding& f) {
    const Reimbursement& line = *reversal.original->line;
    if (gross_.of != &product.product) gross_ = as_if_nothing_was_taken_back(product);
    Gross& gross = gross_;
    std::set<std::size_t> own;   // lots that the payment was for
    for (const Use& use : gross.netting.uses)
      if (gross.netting.credits[use.credit].payment == reversal.original) own.insert(use.lot);

    std::int64_t left = reversal.units;
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
    const std::int64_t over = std::min(left, gross.overpaid);
    if (over > 0) {
      gross.overpaid -= over;
      left -= over;
      f.netting.push_back({{Source::reimbursements, line.row}, over, "was paid twice"});
    }
    reopen(product, own, left);
    return reversal.units - left;
  }

  /// `order`: its money; nullptr: none is known.
  std::int64_t of_order(const Reversal& reversal, const Order* order, Finding& f) {
    const Reimbursement& line = *reversal.original->line;
    std::int64_t left = reversal.units;
    for (const ReturnRow* r : c_.returns_of_order(line.order)) {
      if (r->day <= line.approved - days(5)) continue;
      std::int64_t& used = returned_used_[r];
      const std::int64_t units = std::min(left, r->quantity - used);
      if (units <= 0) continue;
      used += units;
      left -= units;
      f.netting.push_back({{Source::returns, r->row}, units, "came back"});
    }
    // Paid beyond what was refunded.
    const auto [over, fresh] = overpaid_.try_emplace(line.order, 0);
    if (fresh) {
      std::int64_t refunded = 0;
      if (order)
        for (const OrderItem& item : order->items)
          if (const auto units = order_units(c_, item)) refunded += units->refunded;
      std::int64_t paid = 0;
      for (const Payment* p : c_.payments_of_order(line.order))
        if (p->line->family == Family::returned) paid += p->gross;
      if (refunded > 0) over->second = std::max<std::int64_t>(0, paid - refunded);
    }
    const std::int64_t units = std::min(left, over->second);
    over->second -= units;
    left -= units;
    c_.reopened_by_order[line.order] += left;
    return reversal.units - left;
  }

  /// `product`: nullptr: the ledger tells nothing of it.
  std::int64_t of_inbound(const Reversal& reversal, const ProductLedger* product, Finding& f) {
    const Reimbursement& line = *reversal.original->line;
    std::int64_t left = reversal.units;
    if (product)
      for (const LedgerRow& r : product->rows) {
        if (r.movement != Movement::receipt || r.quantity <= 0 || r.day <= line.approved || r.day > reversal.line->approved + days(7)) continue;
        std::int64_t& used = receipts_used_[r.row];
        const std::int64_t units = std::min<std::int64_t>(left, r.quantity - used);
        if (units <= 0) continue;
        used += units;
        left -= units;
        f.netting.push_back({{Source::ledger, r.row}, units, "was received after all"});
      }
    c_.reopened_inbound[c_.fnsku_of(line.fnsku, line.sku)] += left;
    return reversal.units - left;
  }

 private:
  /// Of the product that is passing by.
  struct Gross {
    const Product* of = nullptr;
    Netting netting;
    std::int64_t overpaid = 0;
    std::vector<std::int64_t> found_used;
  };
  static Gross as_if_nothing_was_taken_back(const ProductLedger& product) {
    Gross gross;
    gross.of = &product.product;
    auto found = product.found_before;
    gross.netting = net(product.rows, found, product.product.payments, true);
    for (const Credit& credit : gross.netting.credits)
      if (credit.payment) gross.overpaid += credit.left;
    gross.found_used.resize(product.netting.credits.size());
    return gross;
  }
  static void reopen(ProductLedger& product, const std::set<std::size_t>& own, std::int64_t units) {
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

  Case& c_;
  Gross gross_;
  std::map<const ReturnRow*, std::int64_t> returned_used_;
  std::map<std::int64_t, std::int64_t> receipts_used_;   // by row
  std::map<Name, std::int64_t> overpaid_;
};

/// Paid again at another amount soon after: only the difference was taken.
const Reimbursement* paid_again(const Case& c, const Reversal& reversal) {
  for (const Reimbursement* paid : c.paid_before_order(c.fnsku_of(reversal.original->line->fnsku, reversal.original->line->sku))) {
    const Reimbursement& line = *paid;
    if (&line == reversal.original->line || line.fnsku != reversal.original->line->fnsku || line.family != reversal.original->line->family) continue;
    const days apart = line.approved < reversal.line->approved ? reversal.line->approved - line.approved : line.approved - reversal.line->approved;
    if (apart <= days(10) && line.cash + line.inventory >= reversal.units && line.id != reversal.original->line->id) return &line;
  }
  return nullptr;
}

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
    judged_[number] = true;
    judge(number, order, product);
  }


 private:
  std::vector<bool> judged_;
};

/// By the numbers of the case's reversals.
class Unsupported final : public OfLines {
 public:
  Unsupported(Case& c, const Rule& rule) : OfLines(c, rule, c.reversals.size()), support_(c) {
    for (std::size_t i = 0; i < c.reversals.size(); ++i) {
      if (!c.reversals[i].original) continue;
      const Reimbursement& original = *c.reversals[i].original->line;
      if (is_of_order(original)) {
        by_order_[original.order].push_back(i);
      } else {
        by_product_[c.fnsku_of(original.fnsku, original.sku)].push_back(i);
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
  /// What backs it is told by the order, not by the product.
  static bool is_of_order(const Reimbursement& original) {
    const bool of_either = original.family == Family::lost || original.family == Family::damaged || original.family == Family::general;
    return original.family == Family::returned || (of_either && !original.order.empty());
  }

  void judge(std::size_t number, const Order* order, ProductLedger* product) override {
    Case& c = case_;
    const Rule& rule = rule_;
    const Reversal& reversal = c.reversals[number];
    const Reimbursement& line = *reversal.line;
    const RowRef ref{Source::reimbursements, line.row};
    Finding f;
    f.subject = subject(c, line) + (reversal.original ? "|" + std::to_string(reversal.original->line->occurrence) : "|orphan");
    f.about = about(c, line);
    f.evidence.push_back({ref, "reversal", reversal.units});
    f.currency = line.currency;
    f.basis = Basis::charge;
    std::int64_t backed = 0;
    if (reversal.original) {
      const Reimbursement& original = *reversal.original->line;
      f.evidence.push_back({{Source::reimbursements, original.row}, "payment", reversal.original->gross});
      if (const Reimbursement* again = paid_again(c, reversal)) {
        const auto before = per_unit(original), after = per_unit(*again);
        f.netting.push_back({{Source::reimbursements, again->row}, reversal.units, "paid again"});
        if (!before || !after || before->value - after->value <= 20'000) return c.no(rule, ref, "paid again");
        f.variant = "paid_again";
        f.amount = Micros{(before->value - after->value) * reversal.units};
        return c.conclude(rule, std::move(f), {.event = line.approved, .country = c.tables.home, .base = 65, .by_id = true, .not_before = {}, .aged_from = {}, .early = false});
      }
      if (is_of_order(original)) {
        backed = support_.of_order(reversal, order, f);
      } else if (original.family == Family::inbound) {
        backed = support_.of_inbound(reversal, product, f);
      } else if (original.family == Family::removal || original.family == Family::fee) {
        f.review_only = true;             // nothing tells what came back
      } else if (product) {
        backed = support_.of_loss(reversal, *product, f);
      }
    } else {
      f.terms.push_back({"X1", -10});
    }
    f.quantity = reversal.units - backed;
    if (f.quantity == 0) return c.no(rule, ref, "the units came back, or were paid twice");
    if (const auto unit = per_unit(reversal.original ? *reversal.original->line : line)) f.amount = Micros{unit->value * f.quantity};
    if (!f.amount) f.basis = Basis::unknown;
    c.conclude(rule, std::move(f), {.event = line.approved, .country = c.tables.home, .base = 65, .by_id = reversal.original != nullptr, .not_before = {}, .aged_from = {}, .early = false});
  }

  Support support_;
  std::map<Name, std::vector<std::size_t>> by_order_, by_product_;
};

/// By the numbers of the case's payments; of those for an order, payments for returns are held against what it was worth.
class Underpaid final : public OfLines {
 public:
  Underpaid(Case& c, const Rule& rule) : OfLines(c, rule, c.payments.size()) {}
  void see(const Order& order) override {
    for (const Payment* p : case_.payments_of_order(order.name))
      if (p->line->family == Family::returned) judge_now(static_cast<std::size_t>(p - case_.payments.data()), &order, nullptr);
  }

 private:
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
    const bool before_order = r.family == Family::lost || r.family == Family::damaged || r.family == Family::inbound || r.family == Family::removal;
    if (r.per_unit && r.amount->value < (unit->value - 10'000) * r.cash) {
      return tell("arithmetic", 75, {unit->value * r.cash - r.amount->value});
    }
    if (before_order && r.approved >= c.policy.sourcing_cost_since()) {
      const Value value = c.value_before_order(f.about.fnsku, r.sku, r.approved, c.tables.home);
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
