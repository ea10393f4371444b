// SPDX-License-Identifier: Apache-2.0
#include "detect/netting.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

namespace amzsync::detect {
namespace {

using std::chrono::days;

constexpr days kPairs(1);                 // rows of one event are booked on one day or the next
constexpr days kUnitsOfPayment(10);       // between a payment in units and the row that books them
constexpr days kOwnPayment(60);           // after a loss, for its own payment
constexpr days kLongestPayment(540);
constexpr days kFoundBefore(30);          // a unit may be booked as found before it is booked as lost

bool tells_loss(const LedgerRow& r) { return r.reason == 'M' || r.reason == '5'; }
bool tells_damage(const LedgerRow& r) { return r.reason != 0 && std::string_view("E67HKU").find(r.reason) != std::string_view::npos; }
bool is_loss(const LedgerRow& r) { return r.quantity < 0 && tells_loss(r); }
bool is_damage(const LedgerRow& r) { return r.quantity < 0 && tells_damage(r); }
/// A row that takes back what one of the other sign booked (facts 2.1: always sum signed values).
bool is_undoing(const LedgerRow& r) { return r.quantity > 0 && (tells_loss(r) || tells_damage(r)); }
std::int64_t units_of(const LedgerRow& r) { return r.quantity < 0 ? -static_cast<std::int64_t>(r.quantity) : r.quantity; }
days apart(Day a, Day b) { return a < b ? b - a : a - b; }

class Allocation {
 public:
  explicit Allocation(Netting& n, std::span<const LedgerRow> rows) : n_(n), rows_(rows) {}

  void make_lots() {
    for (const LedgerRow& row : rows_) {
      const LedgerRow* r = &row;
      if (r->movement == Movement::receipt && r->quantity > 0 && came_damaged(r->disposition)) arrived_damaged_[r->disposition] += r->quantity;
      if (r->movement != Movement::adjustment) continue;
      if (is_damage(*r)) {
        const LedgerRow* mate = mate_of(*r);
        const std::int64_t units = units_of(*r) - arrived(*r, units_of(*r));
        if (units == 0) continue;
        n_.lots.push_back({.kind = Lot::Kind::damaged, .row = r, .mate = mate, .units = units, .left = units});
        n_.lots.back().unsellable = r->reason != 'E' && r->reason != '6';
        absorb_.push_back(units);
      } else if (is_loss(*r)) {
        std::int64_t units = units_of(*r);
        units -= arrived(*r, units);
        if (units == 0) continue;
        // Damaged units that are misplaced were told of when they were damaged.
        if (r->disposition == Disposition::warehouse_damaged)
          for (std::size_t i = n_.lots.size(); i-- > 0 && units > 0;) {
            if (n_.lots[i].kind != Lot::Kind::damaged) continue;
            const std::int64_t taken = std::min(units, absorb_[i]);
            absorb_[i] -= taken;
            units -= taken;
          }
        if (units == 0) {
          n_.told_before.push_back(r);
          continue;
        }
        n_.lots.push_back({.kind = Lot::Kind::lost, .row = r, .units = units, .left = units});
        n_.lots.back().unsellable = r->disposition != Disposition::sellable;
        absorb_.push_back(0);
      }
    }
  }

  void make_credits(std::span<const FoundByAsin> by_asin, std::span<Payment* const> payments, bool gross) {
    for (const LedgerRow& row : rows_) {
      const LedgerRow* r = &row;
      if (r->movement != Movement::adjustment) continue;
      if (r->quantity > 0 && (r->reason == 'F' || r->reason == 'N'))
        n_.credits.push_back({r->reason == 'F' ? Step::found : Step::ownership, r, nullptr, r->day, r->quantity, r->quantity});
      if (r->quantity < 0 && (r->reason == 'F' || r->reason == 'N')) take_back(*r);
      if (is_undoing(*r)) n_.credits.push_back({Step::undone, r, nullptr, r->day, r->quantity, r->quantity});
      if (r->quantity < 0 && r->reason == 'Q' && r->disposition == Disposition::warehouse_damaged && corrected_to(*r))
        n_.credits.push_back({Step::corrected, r, nullptr, r->day, units_of(*r), units_of(*r)});
    }
    for (const FoundByAsin& f : by_asin)
      if (f.left > 0) n_.credits.push_back({Step::found_by_asin, f.row, nullptr, f.row->day, f.left, f.left});
    const std::size_t first_payment = n_.credits.size();
    for (Payment* p : payments) {
      const std::int64_t units = p->gross - (gross ? 0 : p->reversed);
      if (units > 0) n_.credits.push_back({Step::payment, nullptr, p, p->line->approved, units, units});
    }
    // A payment in units is booked in the ledger too; it counts once.
    for (std::size_t i = first_payment; i < n_.credits.size(); ++i) {
      std::int64_t in_units = std::min(n_.credits[i].payment->line->inventory, n_.credits[i].units);
      for (const Step kind : {Step::ownership, Step::found})
        for (std::size_t k = 0; k < first_payment && in_units > 0; ++k) {
          Credit& c = n_.credits[k];
          if (c.kind != kind || apart(c.day, n_.credits[i].day) > kUnitsOfPayment) continue;
          const std::int64_t same = std::min(in_units, c.left);
          c.left -= same;
          c.units -= same;
          in_units -= same;
        }
    }
  }

  void allocate() {
    for (std::size_t c = 0; c < n_.credits.size(); ++c)
      if (n_.credits[c].kind == Step::undone) undo(c);
    for (const bool first : {true, false}) {
      first_ = first;
      own_payments();
      for (std::size_t c = 0; c < n_.credits.size(); ++c)
        if (n_.credits[c].kind == Step::corrected) nearest_before(c, Lot::Kind::damaged, Step::corrected, {});
      for (const Step kind : {Step::found, Step::found_by_asin})
        for (std::size_t c = 0; c < n_.credits.size(); ++c)
          if (n_.credits[c].kind == kind) {
            equal_before(c, Lot::Kind::lost, kind, {});
            nearest_before(c, Lot::Kind::lost, kind, {});
            nearest_after(c, kind);
          }
      for (std::size_t c = 0; c < n_.credits.size(); ++c)
        if (const auto kind = own_kind(n_.credits[c])) {
          equal_before(c, *kind, Step::payment, kLongestPayment);
          nearest_before(c, *kind, Step::payment, kLongestPayment);
        }
      for (std::size_t c = 0; c < n_.credits.size(); ++c)
        if (n_.credits[c].kind == Step::ownership) nearest_before(c, Lot::Kind::lost, Step::ownership, {});
      other_families();
    }
  }

 private:
  /// The row that puts the damaged units where they then are.
  const LedgerRow* mate_of(const LedgerRow& damage) {
    return other_half(damage, [](const LedgerRow& r) { return r.disposition == Disposition::warehouse_damaged; });
  }
  const LedgerRow* corrected_to(const LedgerRow& out) {
    return other_half(out, [](const LedgerRow& r) { return r.disposition != Disposition::warehouse_damaged; });
  }
  /// Each row is the other half of one.
  template <class Fits>
  const LedgerRow* other_half(const LedgerRow& of, const Fits& fits) {
    for (const LedgerRow& r : rows_)
      if (r.movement == Movement::adjustment && r.reason == 'P' && fits(r) && r.quantity == units_of(of) && apart(r.day, of.day) <= kPairs && halves_.insert(&r).second) return &r;
    return nullptr;
  }

  /// Found, and then not: the nearest before it of the same reason has so much less.
  void take_back(const LedgerRow& by) {
    std::int64_t units = units_of(by);
    const Step kind = by.reason == 'F' ? Step::found : Step::ownership;
    for (std::size_t k = n_.credits.size(); k-- > 0 && units > 0;) {
      Credit& c = n_.credits[k];
      if (c.kind != kind || c.day > by.day + kPairs) continue;
      const std::int64_t same = std::min(units, c.left);
      c.left -= same;
      c.units -= same;
      units -= same;
    }
  }

  static std::optional<Lot::Kind> own_kind(const Credit& c) {
    if (c.kind != Step::payment) return std::nullopt;
    if (c.payment->line->family == Family::lost) return Lot::Kind::lost;
    if (c.payment->line->family == Family::damaged) return Lot::Kind::damaged;
    return std::nullopt;
  }

  static bool came_damaged(Disposition d) { return d == Disposition::carrier_damaged || d == Disposition::warehouse_damaged; }
  /// Of units that arrived damaged their receipt tells (rule 5), not what is booked of them afterwards.
  std::int64_t arrived(const LedgerRow& r, std::int64_t units) {
    const auto known = arrived_damaged_.find(r.disposition);
    if (known == arrived_damaged_.end()) return 0;
    const std::int64_t same = std::min(units, known->second);
    known->second -= same;
    return same;
  }

  /// What a lot still takes: in the first round no more than Amazon itself says it has reconciled.
  std::int64_t room(const Lot& lot) const {
    if (!first_) return lot.left;
    if (!lot.row->reconciled) return 0;
    return std::min<std::int64_t>(lot.left, std::max<std::int64_t>(0, *lot.row->reconciled - lot.accepted_first));
  }

  void use(std::size_t l, std::size_t c, std::int64_t units, Step step) {
    Lot& lot = n_.lots[l];
    lot.left -= units;
    if (first_) lot.accepted_first += units;
    n_.credits[c].left -= units;
    n_.uses.push_back({l, c, units, step});
    lot.by_other_family |= step == Step::other_family;
  }

  /// Payments may be approved a day before the loss is booked.
  static Day reach(const Credit& c) { return c.kind == Step::payment ? c.day + days(1) : c.day; }
  static bool in_reach(const Lot& lot, const Credit& c, std::optional<days> longest) { return lot.row->day <= reach(c) && (!longest || c.day - lot.row->day <= *longest); }

  void equal_before(std::size_t c, Lot::Kind kind, Step step, std::optional<days> longest) {
    const Credit& credit = n_.credits[c];
    if (credit.left == 0) return;
    for (std::size_t l = n_.lots.size(); l-- > 0;) {
      const Lot& lot = n_.lots[l];
      if (lot.kind != kind || !in_reach(lot, credit, longest) || room(lot) != credit.left) continue;
      use(l, c, credit.left, step);
      return;
    }
  }
  void nearest_before(std::size_t c, Lot::Kind kind, Step step, std::optional<days> longest) {
    for (std::size_t l = n_.lots.size(); l-- > 0 && n_.credits[c].left > 0;) {
      const Lot& lot = n_.lots[l];
      if (lot.kind != kind || !in_reach(lot, n_.credits[c], longest)) continue;
      if (const std::int64_t units = std::min(room(lot), n_.credits[c].left); units > 0) use(l, c, units, step);
    }
  }
  void nearest_after(std::size_t c, Step step) {
    for (std::size_t l = 0; l < n_.lots.size() && n_.credits[c].left > 0; ++l) {
      const Lot& lot = n_.lots[l];
      if (lot.kind != Lot::Kind::lost || lot.row->day <= n_.credits[c].day || lot.row->day - n_.credits[c].day > kFoundBefore) continue;
      if (const std::int64_t units = std::min(room(lot), n_.credits[c].left); units > 0) use(l, c, units, step);
    }
  }
  /// Booked by mistake: the nearest before it of the same reason and condition, then of the same kind.
  void undo(std::size_t c) {
    const LedgerRow& by = *n_.credits[c].row;
    for (const bool alike : {true, false})
      for (std::size_t l = n_.lots.size(); l-- > 0 && n_.credits[c].left > 0;) {
        const Lot& lot = n_.lots[l];
        if ((lot.kind == Lot::Kind::lost) != tells_loss(by) || lot.row->day > by.day + kPairs) continue;
        if (alike && (lot.row->reason != by.reason || lot.row->disposition != by.disposition)) continue;
        if (const std::int64_t units = std::min(lot.left, n_.credits[c].left); units > 0) use(l, c, units, Step::undone);
      }
  }
  /// A lot that was paid by itself is closed by that payment, before found units are given out (facts 7.12).
  void own_payments() {
    for (std::size_t c = 0; c < n_.credits.size(); ++c)
      if (const auto kind = own_kind(n_.credits[c])) equal_before(c, *kind, Step::own_payment, kOwnPayment);
  }
  void other_families() {
    for (const bool general : {false, true})
      for (std::size_t c = 0; c < n_.credits.size(); ++c) {
        if (n_.credits[c].kind != Step::payment) continue;
        const auto own = own_kind(n_.credits[c]);
        if (general == own.has_value()) continue;
        for (const Lot::Kind kind : {Lot::Kind::lost, Lot::Kind::damaged})
          if (!own || kind != *own) nearest_before(c, kind, Step::other_family, kLongestPayment);
      }
  }

  Netting& n_;
  std::span<const LedgerRow> rows_;
  std::set<const LedgerRow*> halves_;     // that are another row's by now
  std::vector<std::int64_t> absorb_;      // of each lot: misplaced damaged units that it still explains
  std::map<Disposition, std::int64_t> arrived_damaged_;   // units, of which nothing was booked since
  bool first_ = false;
};

constexpr std::string_view kStepNames[]{"undone", "own payment", "corrected", "found", "found by ASIN", "payment", "ownership", "payment of another kind"};

}  // namespace

std::string_view step_name(Step step) noexcept { return kStepNames[static_cast<std::size_t>(step)]; }

Netting net(std::span<const LedgerRow> rows, std::span<FoundByAsin> by_asin, std::span<Payment* const> payments, bool gross) {
  Netting n;
  Allocation allocation(n, rows);
  allocation.make_lots();
  allocation.make_credits(by_asin, payments, gross);   // what is found may also be a customer's return
  if (n.lots.empty()) return n;
  allocation.allocate();
  if (!gross)
    for (const Use& u : n.uses)
      for (FoundByAsin& f : by_asin)
        if (f.row == n.credits[u.credit].row) f.left -= u.units;
  return n;
}

}  // namespace amzsync::detect
