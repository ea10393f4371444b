// SPDX-License-Identifier: Apache-2.0
// Money of refunds: more given back than was charged, and a referral fee that was not given back. Facts: detection 3, rules 9 and 17.
#include <algorithm>

#include "detect/order_units.hpp"
#include "detect/rules.hpp"

namespace amzsync::detect {
namespace {

struct Sides {
  std::optional<Currency> currency;
  std::string_view country;
  Micros charged, refunded, principal, refunded_principal, commission, commission_back;
  std::int64_t units = 0, units_refunded = 0;   ///< as far as they are told
  std::optional<Day> first;               ///< sale
  Day last{};                             ///< refund
  bool commission_told = false;
};

/// nullopt: no sale to compare with, several currencies, or amounts that can't be held exactly.
std::optional<Sides> sides_of(const Case& c, const OrderItem& item) {
  Sides s;
  if (item.sales.empty() || item.refunds.empty()) return std::nullopt;
  const auto both = [&](const MoneyItem& m) { return !m.mixed && m.currency && (!s.currency || s.currency == m.currency); };
  constexpr Part kCharges[]{Part::principal, Part::shipping, Part::gift_wrap, Part::tax, Part::promotion};
  for (const MoneyItem& sale : item.sales) {
    if (!both(sale)) return std::nullopt;
    s.currency = sale.currency;
    if (!sale.country.empty()) s.country = sale.country;
    if (sale.tells(Part::principal) && sale[Part::principal].value != 0) s.units += sale.quantity.value_or(0);
    for (const Part part : kCharges) s.charged.value += sale[part].value;
    s.principal.value += sale[Part::principal].value;
    s.commission.value -= sale[Part::commission].value;
    s.commission_told |= sale.tells(Part::commission);
    if (sale.posted) s.first = std::min(s.first.value_or(*sale.posted), *sale.posted);
  }
  bool dated = false;
  for (const MoneyItem& refund : item.refunds) {
    if (!both(refund)) return std::nullopt;
    if (refund.posted) {
      s.last = dated ? std::max(s.last, *refund.posted) : *refund.posted;
      dated = true;
    }
    if (refund[Part::principal].value < 0) s.units_refunded += refund.quantity.value_or(0);
    for (const Part part : kCharges) s.refunded.value -= refund[part].value;
    s.refunded.value -= refund[Part::goodwill].value;
    s.refunded_principal.value -= refund[Part::principal].value;
    s.commission_back.value += refund[Part::commission].value + refund[Part::refund_commission].value;
  }
  for (const ChargedTwice& twice : charged_twice(item, Part::commission)) s.commission.value -= twice.over.value;   // rule 15 owns those
  if (!dated || s.principal.value <= 0) return std::nullopt;
  if (s.country.empty()) s.country = c.tables.home;
  return s;
}

Finding draft(const Case& c, const Order& order, const OrderItem& item, const Sides& sides, Micros amount) {
  Finding f;
  f.subject = "order " + order.id + "|" + std::string(c.text(item.sku));
  f.about = {.fnsku = {}, .sku = item.sku, .asin = item.asin, .order = order.id, .shipment = {}, .removal = {}, .period = {}};
  for (const MoneyItem& sale : item.sales) f.evidence.push_back({{Source::money, sale.row}, "sale", sale.quantity.value_or(0)});
  for (const MoneyItem& refund : item.refunds) f.evidence.push_back({{Source::money, refund.row}, "refund", refund.quantity.value_or(0)});
  f.amount = amount;
  f.currency = sides.currency;
  f.basis = Basis::charge;
  return f;
}

/// What is left of the money of an order's payments, by their rows, while its items take of it.
using Money = std::map<std::int64_t, std::int64_t>;

/// Judges each refunded item of each order.
template <void (*judge)(Case&, const Rule&, const Order&, const OrderItem&, const Sides&, Money&)>
class OfRefunds final : public Judge {
 public:
  using Judge::Judge;
  void see(const Order& order) override {
    Money left;
    for (const OrderItem& item : order.items)
      if (const auto sides = sides_of(case_, item)) judge(case_, rule_, order, item, *sides, left);
  }
};

void judge_excess(Case& c, const Rule& rule, const Order& order, const OrderItem& item, const Sides& sides, Money& left) {
  constexpr std::int64_t kLeast = 500'000;
  Micros excess{sides.refunded.value - sides.charged.value};
  if (excess.value <= 0) return;
  Finding f = draft(c, order, item, sides, excess);
  for (const Payment* p : c.payments_of_order(order.name)) {
    const Family family = p->line->family;
    if ((family != Family::returned && family != Family::general) || p->line->currency != sides.currency || !p->line->amount) continue;
    if (p->gross <= 0 || excess.value <= 0) continue;
    // Of what was not taken back, once.
    const auto [place, fresh] = left.try_emplace(p->line->row, p->line->amount->value * (p->gross - p->reversed) / p->gross);
    const std::int64_t taken = std::min(excess.value, place->second);
    if (taken <= 0) continue;
    place->second -= taken;
    excess.value -= taken;
    c.credited_excess.insert(p->line->row);
    f.netting.push_back({{Source::reimbursements, p->line->row}, 0, "payment"});
  }
  if (sides.units_refunded > sides.units) return c.no(rule, {Source::money, item.refunds.front().row}, "more units were given back for than the money tells sales of");
  if (excess.value <= std::max(kLeast, sides.charged.value / 100)) return c.no(rule, {Source::money, item.refunds.front().row}, "the refund is not more than was charged, or the rest was paid", std::move(f.netting));
  f.amount = excess;
  c.conclude(rule, std::move(f), {.event = sides.last, .country = sides.country, .base = 75, .by_id = true, .not_before = {}, .aged_from = {}, .early = false, .told_from = {{Source::money, sides.first.value_or(sides.last)}}});
}

void judge_credit(Case& c, const Rule& rule, const Order& order, const OrderItem& item, const Sides& sides, Money&) {
  constexpr std::int64_t kTolerance = 20'000;
  if (!sides.commission_told || sides.commission.value <= 0 || sides.refunded_principal.value <= 0) return;
  const Currency currency = *sides.currency;
  const Micros credit = share_of(sides.commission, std::min(sides.refunded_principal.value, sides.principal.value), sides.principal.value, currency);
  // Its bound is of each unit.
  const std::int64_t per_unit = std::max<std::int64_t>(1, sides.principal.value / std::max<std::int64_t>(1, sides.units));
  const std::int64_t units = std::clamp<std::int64_t>((sides.refunded_principal.value + per_unit - 1) / per_unit, 1, std::max<std::int64_t>(1, sides.units));
  const Micros expected{credit.value - c.policy.refund_administration(credit, units, currency).value};
  const Micros gap{expected.value - sides.commission_back.value};
  if (gap.value <= kTolerance) return c.no(rule, {Source::money, item.refunds.front().row}, "the referral fee was given back");
  c.conclude(rule, draft(c, order, item, sides, gap), {.event = sides.last, .country = sides.country, .base = 75, .by_id = true, .not_before = {}, .aged_from = {}, .early = false, .told_from = {{Source::money, sides.first.value_or(sides.last)}}});
}

}  // namespace

std::unique_ptr<Judge> refund_exceeds_charge(Case& c, const Rule& rule) { return std::make_unique<OfRefunds<&judge_excess>>(c, rule); }
std::unique_ptr<Judge> refund_commission_credit_missing(Case& c, const Rule& rule) { return std::make_unique<OfRefunds<&judge_credit>>(c, rule); }

}  // namespace amzsync::detect
