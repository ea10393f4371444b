// SPDX-License-Identifier: Apache-2.0
// Units that Amazon lost, damaged or destroyed in its own buildings. Facts: detection 3, rules 1, 2, 3, 19.
#include <algorithm>

#include "detect/rules.hpp"

namespace amzsync::detect {
namespace {

using std::chrono::days;

constexpr days kMayCover(60);             // unused credits so near to a loss make it doubtful (G1)
constexpr days kOnTheWay(30);             // what is in transit so soon tells nothing

std::int64_t units_of(const LedgerRow& r) { return r.quantity < 0 ? -static_cast<std::int64_t>(r.quantity) : r.quantity; }
days apart(Day a, Day b) { return a < b ? b - a : a - b; }

Subject about(const Case& c, const LedgerRow& row) {
  return {.fnsku = row.fnsku, .sku = row.msku.empty() ? c.sku_of(row.fnsku) : row.msku, .asin = row.asin, .order = {}, .shipment = {}, .removal = {}, .period = {}};
}

/// Whether unused credits of the product could be for this lot although nothing ties them to it.
bool may_be_covered(const Netting& n, const Lot& lot) {
  if (lot.found_elsewhere) return true;
  return std::any_of(n.credits.begin(), n.credits.end(), [&](const Credit& credit) {
    if (credit.left <= 0 || apart(credit.day, lot.row->day) > kMayCover) return false;
    return lot.kind == Lot::Kind::lost ? credit.kind != Step::corrected : credit.kind == Step::payment || credit.kind == Step::corrected || credit.kind == Step::undone;
  });
}

/// Rules 1 and 2 differ in their lots, and in how sure damage is.
template <Lot::Kind kind>
class OfLots final : public Judge {
 public:
  using Judge::Judge;
  void see(ProductLedger& product) override {
    Case& c = case_;
    const Rule& rule = rule_;
    const Netting& n = product.netting;
    if (kind == Lot::Kind::lost)
      for (const LedgerRow* row : n.told_before) c.no(rule, {Source::ledger, row->row}, "the units were booked as damaged before");
    for (std::size_t i = 0; i < n.lots.size(); ++i) {
      const Lot& lot = n.lots[i];
      if (lot.kind != kind) continue;
      Finding f;
      f.subject = subject_of(c.tables, *lot.row);
      f.about = about(c, *lot.row);
      f.evidence.push_back({{Source::ledger, lot.row->row}, "loss", lot.units});
      if (lot.mate) f.evidence.push_back({{Source::ledger, lot.mate->row}, "mate", lot.units});
      for (const Use& use : n.uses)
        if (use.lot == i) f.netting.push_back({n.credits[use.credit].ref(), use.units, step_name(use.step)});

      std::int64_t open = lot.left;
      const bool already_unsellable = kind == Lot::Kind::damaged && lot.unsellable;
      int base = kind == Lot::Kind::lost ? 70 : lot.row->reason == 'E' ? 75 : lot.row->reason == '6' ? 65 : 50;
      if (const auto amazons = lot.row->unreconciled) {
        if (*amazons == open) f.terms.push_back({"A1", 15});
        if (*amazons < open) f.terms.push_back({"A2", 10});
        if (*amazons > open) f.terms.push_back({"A3", 0});
        open = std::min<std::int64_t>(open, *amazons);
        if (already_unsellable) base = 70;
      }
      f.quantity = std::max<std::int64_t>(0, open - lot.reopened);
      if (f.quantity == 0) {
        const std::string why = lot.reopened > 0     ? "claimed as a reversal without cause"
                                : lot.left == 0       ? "all units were found, corrected or paid"
                                : f.netting.empty()   ? "Amazon says that it is reconciled"
                                                      : "some units were found, corrected or paid; of the others Amazon says that they are reconciled";
        c.no(rule, {Source::ledger, lot.row->row}, why, std::move(f.netting));
        continue;
      }
      if (may_be_covered(n, lot) || c.paid_as_another_product(*lot.row)) f.terms.push_back({"G1", -20});
      if (lot.by_other_family) f.terms.push_back({"G2", -10});
      if (kind == Lot::Kind::damaged && !lot.mate) f.terms.push_back({"X1", -10});
      if (kind == Lot::Kind::lost && lot.unsellable) f.terms.push_back({"X1", -10});
      f.review_only = lot.unsellable;
      const std::string_view country = c.country(lot.row->country);
      c.set_value(f, c.value_before_order(lot.row->fnsku, lot.row->msku, lot.row->day, country));
      if (already_unsellable) {
        // At most 70, with or without Amazon's figure (facts 7.10).
        std::erase_if(f.terms, [](const Term& t) { return t.code.starts_with("A"); });
      }
      c.conclude(rule, std::move(f), {.event = lot.row->day, .country = country, .base = base, .by_id = false, .not_before = {}, .aged_from = {}, .early = false});
    }
  }
};

class LostInTransfer final : public Judge {
 public:
  LostInTransfer(Case& c, const Rule& rule) : Judge(c, rule) {
    for (const BalanceRow& b : c.tables.balances) {
      const Balance told{b.period, b.row, b.in_transit};
      const auto [place, fresh] = balances_.try_emplace({b.fnsku, b.disposition}, told);
      Balance& balance = place->second;
      if (!fresh && b.period > balance.period) {
        balance = told;
      } else if (!fresh && b.period == balance.period) {
        balance.in_transit += b.in_transit;   // by country
      }
    }
  }

  void see(ProductLedger& product) override {
    std::map<Disposition, std::vector<Transfer>> outs;
    std::vector<const LedgerRow*> ins;
    for (const LedgerRow& r : product.rows) {
      if (r.movement != Movement::transfer) continue;
      if (r.quantity < 0) outs[r.disposition].push_back({&r, units_of(r), false, {}});
      if (r.quantity > 0) ins.push_back(&r);
    }
    arrive(outs, ins);
    std::vector<Transfer*> missing;
    for (auto& [disposition, list] : outs)
      for (Transfer& out : list)
        if (out.left > 0) missing.push_back(&out);
    if (missing.empty()) return;
    std::sort(missing.begin(), missing.end(), [](const Transfer* a, const Transfer* b) { return std::tie(a->row->day, a->row->row) < std::tie(b->row->day, b->row->row); });
    booked_otherwise(product, missing);
    for (Transfer* out : missing) judge(product, *out);
  }

 private:
  /// The newest that the summary tells of a product in one condition.
  struct Balance {
    Day period{};                         // a month, by a day of it
    std::int64_t row = 0, in_transit = 0;
    Day until() const { return months_after(period - days(static_cast<int>(static_cast<unsigned>(std::chrono::year_month_day(period).day())) - 1), 1); }
  };
  struct Transfer {
    const LedgerRow* row;
    std::int64_t left;
    bool by_reference = false;
    std::vector<const LedgerRow*> ins;
  };

  static void arrive(std::map<Disposition, std::vector<Transfer>>& outs, const std::vector<const LedgerRow*>& ins) {
    // By the reference that both carry, then whatever left first arrived first; last what arrived in another condition than it left in.
    std::vector<std::int64_t> ins_left;
    for (const LedgerRow* in : ins) ins_left.push_back(in->quantity);
    const auto arrive = [&](std::size_t i, std::vector<Transfer>& list, bool by_reference) {
      for (Transfer& out : list) {
        if (ins_left[i] == 0) break;
        if (out.left == 0 || ins[i]->day < out.row->day) continue;
        if (by_reference && (ins[i]->reference.empty() || ins[i]->reference != out.row->reference)) continue;
        const std::int64_t same = std::min(ins_left[i], out.left);
        out.left -= same;
        ins_left[i] -= same;
        out.by_reference |= by_reference;
        out.ins.push_back(ins[i]);
      }
    };
    for (const bool same_condition : {true, false})
      for (const bool by_reference : {true, false})
        for (std::size_t i = 0; i < ins.size(); ++i)
          for (auto& [disposition, list] : outs)
            if ((disposition == ins[i]->disposition) == same_condition) arrive(i, list, by_reference);
  }

  /// The same units may be booked as lost later, which rule 1 owns, or as found. Each row explains as many units as it books, of those that left last before it.
  static void booked_otherwise(const ProductLedger& product, const std::vector<Transfer*>& missing) {
    for (const LedgerRow& r : product.rows) {
      if (r.movement != Movement::adjustment || ((r.reason != 'M' && r.reason != '5') || r.quantity >= 0) == (r.reason != 'F' || r.quantity <= 0)) continue;
      std::int64_t left = units_of(r);
      for (std::size_t i = missing.size(); i-- > 0 && left > 0;) {
        if (r.day < missing[i]->row->day) continue;
        const std::int64_t same = std::min(missing[i]->left, left);
        missing[i]->left -= same;
        left -= same;
      }
    }
  }

  void judge(ProductLedger& product, Transfer& out) {
    Case& c = case_;
    const RowRef ref{Source::ledger, out.row->row};
    if (out.left == 0) return c.no(rule_, ref, "booked as lost, or found");
    Finding f;
    f.subject = subject_of(c.tables, *out.row);
    f.about = about(c, *out.row);
    f.evidence.push_back({{Source::ledger, out.row->row}, "out", units_of(*out.row)});
    for (const LedgerRow* in : out.ins) f.evidence.push_back({{Source::ledger, in->row}, "in", in->quantity});
    f.quantity = out.left;
    // Of a time before it left, the summary can't tell of it. What is under way is under way once.
    const auto balance = balances_.find({product.product.fnsku, out.row->disposition});
    const bool told = balance != balances_.end() && balance->second.until() > out.row->day + kOnTheWay;
    if (told) {
      const std::int64_t under_way = std::max<std::int64_t>(0, balance->second.in_transit);
      f.evidence.push_back({{Source::ledger_summary, balance->second.row}, "in transit", under_way});
      if (under_way >= out.left) f.terms.push_back({"S1", 20});
      f.quantity = std::min(out.left, under_way);
      balance->second.in_transit -= f.quantity;
    }
    if (f.quantity == 0) return c.no(rule_, ref, "in transit no more");
    // Amazon may have paid without booking a loss.
    std::vector<Payment*> paid;
    for (Payment* p : product.product.payments)
      if (p->line->family != Family::damaged && p->line->approved >= out.row->day) paid.push_back(p);
    f.quantity -= c.take(std::move(paid), f.quantity, f, "payment");
    if (f.quantity == 0) return c.no(rule_, ref, "paid", std::move(f.netting));
    f.review_only = !told;
    const std::string_view country = c.country(out.row->country);
    c.set_value(f, c.value_before_order(out.row->fnsku, out.row->msku, out.row->day, country));
    c.conclude(rule_, std::move(f), {.event = out.row->day, .country = country, .base = 50, .by_id = out.by_reference, .not_before = {}, .aged_from = {}, .early = false});
  }

  std::map<std::pair<Name, Disposition>, Balance> balances_;
};

/// Disposals are remembered as their products pass by. Payments for them are looked for at the end, when every other rule has taken its own.
class DisposedWithoutRequest final : public Judge {
 public:
  DisposedWithoutRequest(Case& c, const Rule& rule) : Judge(c, rule) {
    // Of orders to send units back too: what was destroyed instead is rule 20's.
    for (const Removal& r : c.tables.removals)
      if (r.type != Removal::Type::other && r.disposed > 0) orders_[c.fnsku_of(r.fnsku, r.sku, r.requested)].push_back({&r, r.disposed});
  }

  void see(ProductLedger& product) override {
    for (const LedgerRow& row : product.rows) {
      if (row.movement != Movement::adjustment || (row.reason != 'D' && row.reason != 'G')) continue;
      // Amazon's own units, or its right.
      const Disposition d = row.disposition;
      if (d == Disposition::warehouse_damaged || d == Disposition::carrier_damaged || d == Disposition::expired) {
        if (row.quantity < 0) case_.no(rule_, {Source::ledger, row.row}, "Amazon may dispose of such units");
      } else if (row.quantity < 0) {
        disposals_.push_back({row, units_of(row), may_be_found(product.netting, row), {}});
      } else {
        take_back(row);
      }
    }
  }

  void end() override {
    for (Disposal& disposal : disposals_) judge(disposal);
  }

 private:
  struct Request {
    const Removal* row;
    std::int64_t left;
  };
  struct Disposal {
    LedgerRow row;
    std::int64_t left = 0;
    bool doubtful = false;                // what was found of the product could be these units
    std::vector<Netted> undone;
  };
  static bool may_be_found(const Netting& n, const LedgerRow& row) {
    return std::any_of(n.credits.begin(), n.credits.end(), [&](const Credit& credit) { return !credit.payment && credit.kind != Step::corrected && credit.left > 0 && apart(credit.day, row.day) <= kMayCover; });
  }

  /// Booked by mistake: a row of the other sign, of the same product in the same condition, takes the nearest before it back.
  void take_back(const LedgerRow& by) {
    std::int64_t left = by.quantity;
    for (std::size_t i = disposals_.size(); i-- > 0 && left > 0;) {
      Disposal& d = disposals_[i];
      if (d.row.fnsku != by.fnsku) break;   // products pass by one after the other
      if (d.row.disposition != by.disposition) continue;
      const std::int64_t same = std::min(left, d.left);
      if (same == 0) continue;
      d.left -= same;
      left -= same;
      d.undone.push_back({{Source::ledger, by.row}, same, "undone"});
    }
  }

  void judge(Disposal& disposal) {
    Case& c = case_;
    const LedgerRow& row = disposal.row;
    const RowRef ref{Source::ledger, row.row};
    Finding f;
    f.subject = subject_of(c.tables, row);
    f.about = about(c, row);
    f.quantity = disposal.left;
    f.evidence.push_back({ref, "disposal", units_of(row)});
    f.netting = std::move(disposal.undone);
    for (Request& order : orders_[row.fnsku]) {
      if (order.row->requested > row.day + days(1) || order.row->updated < row.day - days(30)) continue;
      const std::int64_t same = std::min(order.left, f.quantity);
      if (same == 0) continue;
      order.left -= same;
      f.quantity -= same;
      f.netting.push_back({{Source::removals, order.row->row}, same, order.row->type == Removal::Type::giving_back ? "destroyed in place of being sent back" : "ordered"});
    }
    for (const bool general : {false, true}) {
      std::vector<Payment*> paid;
      for (Payment* p : c.product(row.fnsku)->payments)
        if ((p->line->family == Family::general) == general && p->line->approved >= row.day && p->line->approved - row.day <= days(60)) paid.push_back(p);
      const std::int64_t taken = c.take(std::move(paid), f.quantity, f, general ? "payment of another kind" : "payment");
      f.quantity -= taken;
      if (general && taken > 0) f.terms.push_back({"G2", -10});
    }
    if (disposal.doubtful) f.terms.push_back({"G1", -20});
    if (f.quantity == 0) return c.no(rule_, ref, "ordered by the seller, taken back, or paid", std::move(f.netting));
    const bool sellable = row.disposition == Disposition::sellable;
    f.review_only = !sellable || c.tables.coverage.any_by_word(Source::removals, row.day - days(30), row.day);
    const std::string_view country = c.country(row.country);
    c.set_value(f, c.value_before_order(row.fnsku, row.msku, row.day, country));
    c.conclude(rule_, std::move(f), {.event = row.day, .country = country, .base = sellable ? 65 : 40, .by_id = false, .not_before = {}, .aged_from = {}, .early = false});
  }

  std::map<Name, std::vector<Request>> orders_;   // by FNSKU
  std::deque<Disposal> disposals_;
};

}  // namespace

std::unique_ptr<Judge> lost_warehouse(Case& c, const Rule& rule) { return std::make_unique<OfLots<Lot::Kind::lost>>(c, rule); }
std::unique_ptr<Judge> damaged_warehouse(Case& c, const Rule& rule) { return std::make_unique<OfLots<Lot::Kind::damaged>>(c, rule); }
std::unique_ptr<Judge> lost_in_fc_transfer(Case& c, const Rule& rule) { return std::make_unique<LostInTransfer>(c, rule); }
std::unique_ptr<Judge> disposed_without_request(Case& c, const Rule& rule) { return std::make_unique<DisposedWithoutRequest>(c, rule); }

}  // namespace amzsync::detect
