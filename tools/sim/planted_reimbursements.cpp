// SPDX-License-Identifier: Apache-2.0
// Payments that are too small, and payments that are taken back.
#include <algorithm>

#include "sim/planting.hpp"

namespace amzsim {
namespace {

using amzsync::base::day_of;
using std::chrono::days;

constexpr Window kUnderpaid{0, 60}, kReversed{14, 60};

// ---- too little ----

struct Paid {
  Instant approved{};
  std::int64_t units = 0;
};
/// A loss, and its payment as the case wants it.
Paid paid(Planting& p, const Planting::Payment& payment, std::int64_t units = 0) {
  Paid result;
  result.units = units > 0 ? units : p.r.between(1, 4);
  result.approved = p.ago(p.age(kUnderpaid));
  const Lot lot = p.lose(p.later(result.approved, -p.r.between(3, 9)), result.units);
  Planting::Payment prompt = payment;
  prompt.lag = 1;
  p.pay(lot, result.units, result.approved, prompt);
  // The units are settled, and it is all about money.
  p.happens(result.approved, kUnderpaid);
  return result;
}
void cost_is(Planting& p, bool known) {
  p.item().cost_known = known;
  p.item().cost_currency = std::string(p.marketplace->currency);
}
void owed(Planting& p, std::int64_t cents) { p.c.money.push_back({p.c.begins, p.money(cents), Instant::max()}); }

void below_cost(Planting& p) {
  cost_is(p, true);
  const std::int64_t cost = p.item().cost, per_unit = cost * p.r.between(50, 80) / 100;
  const Paid result = paid(p, {.per_unit = per_unit});
  owed(p, (cost - per_unit) * result.units);
}
/// The sum is less than its own units times their price.
void does_not_add_up(Planting& p) {
  const std::int64_t missing = p.r.between(100, 250);
  paid(p, {.missing = missing}, 3);
  owed(p, missing);
}
void order_below_price(Planting& p) {
  const Instant approved = p.ago(p.age(kUnderpaid, 60)), refunded = p.later(approved, -50);
  const Order order = p.sell(p.later(refunded, -8));
  p.refund(order, refunded);
  const std::int64_t per_unit = order.net() * p.r.between(50, 80) / 100;
  p.pay_line(approved, 1, {.reason = "CustomerReturn", .per_unit = per_unit, .order_id = order.id, .lag = 1}, p.product);
  p.c.order_id = order.id;
  p.happens(approved, kUnderpaid);
  owed(p, order.net() - per_unit);
}
void order_nearly_at_price(Planting& p) {
  const Instant approved = p.ago(p.age(kUnderpaid, 60)), refunded = p.later(approved, -50);
  const Order order = p.sell(p.later(refunded, -8));
  p.refund(order, refunded);
  p.pay_line(approved, 1, {.reason = "CustomerReturn", .per_unit = order.net() * 95 / 100, .order_id = order.id, .lag = 1}, p.product);
  p.c.order_id = order.id;
  p.happens(approved, kUnderpaid);
}
void nearly_at_cost(Planting& p) {
  cost_is(p, true);
  paid(p, {.per_unit = p.item().cost * 99 / 100});
}
void cost_told_later(Planting& p) {
  cost_is(p, true);
  const Paid result = paid(p, {.per_unit = p.item().cost * 6 / 10});
  p.item().cost_from = day_of(result.approved) + days(2);
}
void used_stock(Planting& p) {
  cost_is(p, true);
  paid(p, {.per_unit = p.item().cost * 6 / 10, .condition = "UsedGood"});
}
void cost_in_other_currency(Planting& p) {
  cost_is(p, true);
  p.item().cost_currency = p.marketplace->currency == "EUR" ? "USD" : "EUR";
  paid(p, {.per_unit = p.item().cost * 6 / 10});
}
/// Too little, and then taken back in whole: nothing was paid too little any more. The loss is found.
void taken_back_in_whole(Planting& p) {
  cost_is(p, true);
  const Instant approved = p.ago(p.r.between(20, 55));
  const Lot lot = p.lose(p.later(approved, -5), 2);
  const std::string payment = p.pay(lot, 2, approved, {.per_unit = p.item().cost * 6 / 10, .lag = 1});
  const Instant found = p.later(approved, 5);
  for (const std::size_t unit : lot.units) p.meet(unit, found, Fate::found);
  p.move(found, "Adjustments", 2, "SELLABLE", "F").reconciled = true;
  p.take_back(payment, p.later(found, 2), 2);
  p.happens(approved, kUnderpaid);
}

constexpr std::string_view kTooLittle = "reimbursement_underpaid";

// ---- taken back ----

struct TakenBack {
  Lot lot;
  std::string payment;
  Instant approved{}, reversed{};
};
/// Lost, paid, and the payment is taken back.
TakenBack taken_back(Planting& p, std::int64_t units) {
  TakenBack t;
  t.reversed = p.ago(p.age(kReversed, 60));
  t.approved = p.later(t.reversed, -p.r.between(20, 45));
  t.lot = p.lose(p.later(t.approved, -p.r.between(3, 9)), units);
  t.payment = p.pay(t.lot, units, t.approved, {});
  p.take_back(t.payment, t.reversed, units);
  p.happens(t.reversed, kReversed);
  return t;
}
/// These units were not there again.
void owed_again(Planting& p, const TakenBack& t, std::size_t from, std::size_t until) {
  for (std::size_t i = from; i < until; ++i) p.meet(t.lot.units[i], t.reversed, Fate::reversed);
  p.worth(p.item().cost);   // as it was paid
}
void find_some(Planting& p, const TakenBack& t, std::size_t units, Instant at) {
  for (std::size_t i = 0; i < units; ++i) p.meet(t.lot.units[i], at, Fate::found);
  p.move(at, "Adjustments", static_cast<std::int64_t>(units), "SELLABLE", "F").reconciled = true;
}

void nothing_back(Planting& p) {
  const TakenBack t = taken_back(p, p.r.between(1, 4));
  owed_again(p, t, 0, t.lot.units.size());
}
void some_back(Planting& p) {
  const TakenBack t = taken_back(p, 3);
  find_some(p, t, 2, p.later(t.reversed, -8));
  owed_again(p, t, 2, 3);
}
void all_found(Planting& p) {
  const TakenBack t = taken_back(p, p.r.between(1, 3));
  find_some(p, t, t.lot.units.size(), p.later(t.reversed, -p.r.between(3, 12)));
}
void found_just_before_payment(Planting& p) {
  const TakenBack t = taken_back(p, 2);
  const Instant found = p.later(t.approved, -1);
  for (const std::size_t unit : t.lot.units) p.meet(unit, t.approved, Fate::found);
  p.move(found, "Adjustments", 2, "SELLABLE", "F").reconciled = true;
}
void found_under_asin(Planting& p) {
  const TakenBack t = taken_back(p, 1);
  p.meet(t.lot.units[0], p.later(t.reversed, -5), Fate::found);
  LedgerRow& row = p.move(p.later(t.reversed, -5), "Adjustments", 1, "SELLABLE", "F");
  row.reconciled = true;
  row.sku = "Amazon.Found." + row.asin;
  row.fnsku = row.asin;
}
/// What was paid once too often goes back.
void paid_twice(Planting& p) {
  const Instant reversed = p.ago(p.age(kReversed, 40)), approved = p.later(reversed, -30);
  const std::int64_t units = p.r.between(1, 3);
  const Lot lot = p.lose(p.later(approved, -6), units);
  p.pay(lot, units, approved, {});
  const std::string again = p.pay_line(p.later(approved, 9), units, {}, p.product);
  p.take_back(again, reversed, units);
  p.happens(reversed, kReversed);
}
/// Taken back and paid anew, at another price and no worse.
void paid_anew(Planting& p) {
  const Instant reversed = p.ago(p.age(kReversed, 40)), approved = p.later(reversed, -25);
  const std::int64_t units = p.r.between(1, 3);
  const Lot lot = p.lose(p.later(approved, -6), units);
  const std::string payment = p.pay(lot, units, approved, {});
  p.take_back(payment, reversed, units);
  p.pay_line(p.later(reversed, 3), units, {.per_unit = p.item().cost + p.r.between(5, 120)}, p.product);
  p.happens(reversed, kReversed);
}
/// The damage was none, so its payment goes back.
void damage_was_none(Planting& p) {
  const Instant reversed = p.ago(p.age(kReversed, 60)), at = p.later(reversed, -30);
  const Lot lot = p.damage(at, 2);
  const std::string payment = p.pay(lot, 2, p.later(at, 5), {.reason = "Damaged_Warehouse"});
  const Instant inspected = p.later(reversed, -5);
  for (const std::size_t unit : lot.units) p.meet(unit, inspected, Fate::corrected);
  p.move(inspected, "Adjustments", -2, "WAREHOUSE_DAMAGED", "Q");
  p.move(inspected, "Adjustments", 2, "SELLABLE", "P");
  p.take_back(payment, reversed, 2);
  p.happens(reversed, kReversed);
}
/// A return that was paid as missing, and then came.
void return_came(Planting& p, bool came) {
  const Instant reversed = p.ago(p.age(kReversed, 80)), refunded = p.later(reversed, -70), approved = p.later(refunded, 50);
  const Order order = p.sell(p.later(refunded, -8));
  p.refund(order, refunded);
  const auto units = p.new_units(1, refunded, Fate::open);
  const std::string payment = p.pay(units, approved, {.reason = "CustomerReturn", .per_unit = order.net(), .order_id = order.id});
  if (came) {
    const Instant back = p.later(reversed, -4);
    p.come_back(order, back, 1, "CUSTOMER_DAMAGED");
    p.meet(units[0], back, Fate::came_back);
  }
  p.take_back(payment, reversed, 1);
  p.c.order_id = order.id;
  p.happens(reversed, kReversed);
  if (!came) {
    p.meet(units[0], reversed, Fate::reversed);
    p.worth(order.net());
  }
}
void return_came_back(Planting& p) { return_came(p, true); }
void return_never_came(Planting& p) { return_came(p, false); }

constexpr std::string_view kTakenBack = "reimbursement_reversal_unsupported";

constexpr std::array kScenarios{Scenario{kTooLittle, "below_cost", &below_cost},
                                Scenario{kTooLittle, "does_not_add_up", &does_not_add_up},
                                Scenario{kTooLittle, "order_below_price", &order_below_price},
                                Scenario{kTooLittle, "order_nearly_at_price", &order_nearly_at_price},
                                Scenario{kTooLittle, "nearly_at_cost", &nearly_at_cost},
                                Scenario{kTooLittle, "cost_told_later", &cost_told_later},
                                Scenario{kTooLittle, "used_stock", &used_stock},
                                Scenario{kTooLittle, "cost_in_other_currency", &cost_in_other_currency},
                                Scenario{kTooLittle, "taken_back_in_whole", &taken_back_in_whole},
                                Scenario{kTakenBack, "nothing_back", &nothing_back},
                                Scenario{kTakenBack, "nothing_back", &nothing_back},
                                Scenario{kTakenBack, "some_back", &some_back},
                                Scenario{kTakenBack, "all_found", &all_found},
                                Scenario{kTakenBack, "found_just_before_payment", &found_just_before_payment},
                                Scenario{kTakenBack, "found_under_asin", &found_under_asin},
                                Scenario{kTakenBack, "paid_twice", &paid_twice},
                                Scenario{kTakenBack, "paid_anew", &paid_anew},
                                Scenario{kTakenBack, "damage_was_none", &damage_was_none},
                                Scenario{kTakenBack, "return_came_back", &return_came_back},
                                Scenario{kTakenBack, "return_never_came", &return_never_came}};

}  // namespace

std::span<const Scenario> reimbursement_scenarios() { return kScenarios; }

}  // namespace amzsim
