// SPDX-License-Identifier: Apache-2.0
// Units that are lost or damaged in a warehouse, or on the way between two, and all that makes up for it.
#include "sim/planting.hpp"

namespace amzsim {
namespace {

using std::chrono::days;

/// A loss of the case's own, at an age that fits its window.
Lot lost(Planting& p, std::int64_t units) {
  const Instant at = p.ago(p.age(p.fc_window()));
  const Lot lot = p.lose(at, units);
  p.happens(at, p.fc_window());
  p.worth_cost();
  return lot;
}
Lot lost(Planting& p) { return lost(p, p.r.between(1, 5)); }
/// When Amazon pays by itself: soon enough that the row shows within the fifteen days until a claim.
Instant soon(Planting& p, Instant at) { return p.later(at, p.r.between(2, 9)); }

void unpaid(Planting& p) { lost(p); }

void twins(Planting& p) {
  const Lot one = lost(p, 1);
  LedgerRow twin = p.world.ledger[one.row];
  const auto other = p.new_units(1, one.at, Fate::open);
  twin.units = {{p.case_index, other[0]}};
  p.world.ledger.push_back(std::move(twin));
  p.pay({p.r.one_in(2) ? other[0] : one.units[0]}, soon(p, one.at), {});
}

void partly_paid(Planting& p) {
  const Lot lot = lost(p, p.r.between(3, 6));
  p.pay(lot, static_cast<std::int64_t>(lot.units.size()) - p.r.between(1, 2), soon(p, lot.at), {});
}
void partly_found(Planting& p) {
  const Lot lot = lost(p, p.r.between(3, 6));
  p.find(lot, static_cast<std::int64_t>(lot.units.size()) - p.r.between(1, 2), soon(p, lot.at));
}
void partly_found_rest_paid(Planting& p) {
  const Lot lot = lost(p, 5);
  p.find(lot, 3, p.later(lot.at, 3));
  p.pay(lot, 2, p.later(lot.at, 8), {});
}

void found_in_same_fc(Planting& p) {
  const Lot lot = lost(p);
  p.find(lot, static_cast<std::int64_t>(lot.units.size()), soon(p, lot.at));
}
void found_in_other_fc(Planting& p) {
  const Lot lot = lost(p);
  LedgerRow& row = p.find(lot, static_cast<std::int64_t>(lot.units.size()), soon(p, lot.at));
  row.fc = lot.fc == "LGB8" ? "SMF3" : "LGB8";
}
void found_in_parts(Planting& p) {
  const Lot lot = lost(p, 4);
  p.find(lot, 1, p.later(lot.at, 2));
  p.find(lot, 2, p.later(lot.at, 6)).fc = "LGB8";
  p.find(lot, 1, p.later(lot.at, 11));
}
/// The find is booked first, the loss that it makes good later.
void found_before_lost(Planting& p) {
  const Lot lot = lost(p);
  LedgerRow& row = p.find(lot, static_cast<std::int64_t>(lot.units.size()), lot.at);
  row.at = row.shows = p.later(lot.at, -p.r.between(1, 12));
}
void found_under_asin(Planting& p) {
  const Lot lot = lost(p);
  LedgerRow& row = p.find(lot, static_cast<std::int64_t>(lot.units.size()), soon(p, lot.at));
  row.sku = "Amazon.Found." + row.asin;
  row.fnsku = row.asin;
}
/// Owed for a while, and then no more.
void found_late(Planting& p) {
  const Lot lot = lost(p);
  p.find(lot, static_cast<std::int64_t>(lot.units.size()), p.later(lot.at, p.r.between(20, 45)));
}

void pay_all(Planting& p, const Planting::Payment& payment) {
  const Lot lot = lost(p);
  p.pay(lot, static_cast<std::int64_t>(lot.units.size()), soon(p, lot.at), payment);
}
void paid(Planting& p) { pay_all(p, {}); }
void paid_in_units(Planting& p) { pay_all(p, {.in_units = true}); }
void paid_as_damaged(Planting& p) { pay_all(p, {.reason = "Damaged_Warehouse"}); }
void paid_as_general_adjustment(Planting& p) { pay_all(p, {.reason = "General_Adjustment"}); }
void paid_by_case(Planting& p) {
  const Lot lot = lost(p);
  p.pay(lot, static_cast<std::int64_t>(lot.units.size()), p.later(lot.at, p.r.between(18, 40)), {.by_case = true});
}
void two_lots_in_one_line(Planting& p) {
  const Lot first = lost(p, p.r.between(1, 3)), second = p.lose(p.later(first.at, 2), p.r.between(1, 3));
  std::vector<std::size_t> all = first.units;
  all.insert(all.end(), second.units.begin(), second.units.end());
  p.pay(all, p.later(second.at, p.r.between(3, 8)), {});
}
/// Three of four are paid; one of those is found, so its payment goes back, and the fourth is owed all along.
void taken_back_after_found(Planting& p) {
  const Lot lot = lost(p, 4);
  const std::string payment = p.pay(lot, 3, p.later(lot.at, 4), {.lag = 1});
  const Instant found = p.later(lot.at, 6);
  p.meet(lot.units[0], found, Fate::found);
  LedgerRow& row = p.move(found, "Adjustments", 1, "SELLABLE", "F");
  row.reconciled = true;
  p.take_back(payment, p.later(found, 2), 1);   // all within the fortnight until a claim
}

/// The newer loss was found; the older stays lost, beyond its window.
void older_stays_lost(Planting& p) {
  const Instant at = p.ago(p.r.between(76, 95));
  p.lose(at, p.r.between(1, 2));
  p.happens(at, p.fc_window());
  p.worth_cost();
  const Lot newer = p.lose(p.ago(p.r.between(40, 50)), 1);
  p.find(newer, 1, p.later(newer.at, 11));
}

/// What was paid is another SKU of the ASIN.
void sibling_paid(Planting& p) {
  const Lot lot = lost(p);
  const std::size_t own = std::exchange(p.product, p.another(true));
  const Lot siblings = p.lose(p.later(lot.at, 1), p.r.between(1, 3));
  p.pay(siblings, 9, soon(p, siblings.at), {});
  p.product = own;
}

void cost_in_other_currency(Planting& p) {
  p.item().cost_known = true;
  p.item().cost_currency = p.marketplace->currency == "EUR" ? "USD" : "EUR";
  lost(p);
}
void cost_known_later(Planting& p) {
  const Lot lot = lost(p);
  p.item().cost_known = true;
  p.item().cost_from = amzsync::base::day_of(lot.at) + days(3);
  p.c.unit_value.reset();
}

void unsellable_stock_lost(Planting& p) {
  const Instant at = p.ago(p.age(p.fc_window()));
  const Lot lot = p.lose(at, p.r.between(1, 3), p.r.one_in(2) ? "CUSTOMER_DAMAGED" : "DEFECTIVE");
  for (const std::size_t unit : lot.units) p.meet(unit, at, Fate::not_covered);
  p.world.ledger[lot.row].units.clear();
  p.happens(at, p.fc_window());
}
void unknown_code(Planting& p) {
  const Instant at = p.ago(p.age(p.fc_window()));
  p.move(at, "Adjustments", -p.r.between(1, 4), "SELLABLE", p.r.one_in(2) ? "Z" : "");
  p.happens(at, p.fc_window());
}
void software_correction(Planting& p) {
  const Instant at = p.ago(p.age(p.fc_window()));
  const std::int64_t units = p.r.between(1, 4);
  p.move(at, "Adjustments", -units, "SELLABLE", "2");
  p.move(p.later(at, 1), "Adjustments", units, "SELLABLE", p.r.one_in(2) ? "1" : "J");
  p.happens(at, p.fc_window());
}
/// The stock of one FNSKU becomes that of another.
void sku_merge(Planting& p) {
  const Instant at = p.ago(p.age(p.fc_window()));
  const std::int64_t units = p.r.between(3, 30);
  const bool turned = p.r.one_in(2);   // sources disagree on which code is which
  p.move(at, "Adjustments", -units, "SELLABLE", turned ? "3" : "4");
  const std::size_t own = std::exchange(p.product, p.another(true));
  p.move(at, "Adjustments", units, "SELLABLE", turned ? "4" : "3");
  p.product = own;
  p.happens(at, p.fc_window());
}
void receipt_corrected(Planting& p) {
  const Instant at = p.ago(p.age(p.fc_window()));
  const std::string shipment = "FBA15R" + p.number(6);
  p.move(p.later(at, -1), "Receipts", 24).reference = shipment;
  p.move(at, "Receipts", -p.r.between(1, 5)).reference = shipment;
  p.happens(at, p.fc_window());
}

constexpr std::string_view kLost = "lost_warehouse";
constexpr std::array kLostScenarios{Scenario{kLost, "unpaid", &unpaid},
                                    Scenario{kLost, "unpaid", &unpaid},
                                    Scenario{kLost, "twin_rows_one_paid", &twins},
                                    Scenario{kLost, "partly_paid", &partly_paid},
                                    Scenario{kLost, "partly_found", &partly_found},
                                    Scenario{kLost, "partly_found_rest_paid", &partly_found_rest_paid},
                                    Scenario{kLost, "found_in_same_fc", &found_in_same_fc},
                                    Scenario{kLost, "found_in_other_fc", &found_in_other_fc},
                                    Scenario{kLost, "found_in_parts", &found_in_parts},
                                    Scenario{kLost, "found_before_lost", &found_before_lost},
                                    Scenario{kLost, "found_under_asin", &found_under_asin},
                                    Scenario{kLost, "found_late", &found_late},
                                    Scenario{kLost, "paid", &paid},
                                    Scenario{kLost, "paid_in_units", &paid_in_units},
                                    Scenario{kLost, "paid_as_damaged", &paid_as_damaged},
                                    Scenario{kLost, "paid_as_general_adjustment", &paid_as_general_adjustment},
                                    Scenario{kLost, "paid_by_case", &paid_by_case},
                                    Scenario{kLost, "two_lots_in_one_line", &two_lots_in_one_line},
                                    Scenario{kLost, "taken_back_after_found", &taken_back_after_found},
                                    Scenario{kLost, "older_stays_lost", &older_stays_lost},
                                    Scenario{kLost, "sibling_paid", &sibling_paid},
                                    Scenario{kLost, "cost_in_other_currency", &cost_in_other_currency},
                                    Scenario{kLost, "cost_known_later", &cost_known_later},
                                    Scenario{kLost, "unsellable_stock_lost", &unsellable_stock_lost},
                                    Scenario{kLost, "unknown_code", &unknown_code},
                                    Scenario{kLost, "software_correction", &software_correction},
                                    Scenario{kLost, "sku_merge", &sku_merge},
                                    Scenario{kLost, "receipt_corrected", &receipt_corrected}};

// ---- damage ----

Lot damaged(Planting& p, std::int64_t units, std::string_view code = "E", std::string_view disposition = "SELLABLE") {
  const Instant at = p.ago(p.age(p.fc_window()));
  const Lot lot = p.damage(at, units, code, disposition);
  p.happens(at, p.fc_window());
  p.worth_cost();
  return lot;
}
Lot damaged(Planting& p) { return damaged(p, p.r.between(1, 4)); }
const Planting::Payment kForDamage{.reason = "Damaged_Warehouse"};

void damage_unpaid(Planting& p) { damaged(p); }
void damage_unpaid_by_carrier(Planting& p) {
  damaged(p, p.r.between(1, 3), "6", "CARRIER_DAMAGED");
  if (p.world.blank_columns) p.sure_after(31);   // Amazon's own figure would do
}
void damage_paid(Planting& p) {
  const Lot lot = damaged(p);
  p.pay(lot, 9, soon(p, lot.at), kForDamage);
}
void damage_paid_in_units(Planting& p) {
  const Lot lot = damaged(p);
  Planting::Payment payment = kForDamage;
  payment.in_units = true;
  p.pay(lot, 9, soon(p, lot.at), payment);
}
void damage_paid_as_lost(Planting& p) {
  const Lot lot = damaged(p);
  p.pay(lot, 9, soon(p, lot.at), {});
}
void damage_paid_as_general(Planting& p) {
  const Lot lot = damaged(p);
  p.pay(lot, 9, soon(p, lot.at), {.reason = "General_Adjustment"});
}
void damage_partly_paid(Planting& p) {
  const Lot lot = damaged(p, p.r.between(3, 5));
  p.pay(lot, 2, soon(p, lot.at), kForDamage);
}
void inspect(Planting& p, const Lot& lot, std::int64_t units, Instant at) {
  for (const std::size_t unit : p.still_open(lot, units)) p.meet(unit, at, Fate::corrected);
  p.move(at, "Adjustments", -units, "WAREHOUSE_DAMAGED", "Q").fc = lot.fc;
  p.move(at, "Adjustments", units, "SELLABLE", "P").fc = lot.fc;
}
void damage_inspected(Planting& p) {
  const Lot lot = damaged(p);
  inspect(p, lot, static_cast<std::int64_t>(lot.units.size()), soon(p, lot.at));
}
void damage_partly_inspected(Planting& p) {
  const Lot lot = damaged(p, p.r.between(2, 4));
  inspect(p, lot, 1, soon(p, lot.at));
}
/// The damaged unit is lost besides, and Amazon takes it as its own: one unit, owed once.
void damaged_stock_lost(Planting& p) {
  const Lot lot = damaged(p, 1);
  p.move(p.later(lot.at, 9), "Adjustments", -1, "WAREHOUSE_DAMAGED", "M").reconciled = true;
  p.move(p.later(lot.at, 11), "Adjustments", -1, "WAREHOUSE_DAMAGED", "O");
}
void owned_after_payment(Planting& p) {
  const Lot lot = damaged(p);
  p.pay(lot, 9, p.later(lot.at, 5), kForDamage);
  p.move(p.later(lot.at, 7), "Adjustments", -static_cast<std::int64_t>(lot.units.size()), "WAREHOUSE_DAMAGED", "O");
}
void disposed_after_payment(Planting& p) {
  const Lot lot = damaged(p);
  p.pay(lot, 9, p.later(lot.at, 5), kForDamage);
  p.move(p.later(lot.at, 20), "Adjustments", -static_cast<std::int64_t>(lot.units.size()), "WAREHOUSE_DAMAGED", "D");
}
void damage_of_unsellable(Planting& p) {
  const Lot lot = damaged(p, p.r.between(1, 2), p.r.one_in(2) ? "H" : "K", p.r.one_in(2) ? "CUSTOMER_DAMAGED" : "DEFECTIVE");
  for (const std::size_t unit : lot.units) p.meet(unit, lot.at, Fate::not_covered);
  p.world.ledger[lot.row].units.clear();
}
void damage_beside_found(Planting& p) {
  const Lot lot = damaged(p, 2);
  // Found is what was lost, not what was damaged.
  const Lot other = p.lose(p.later(lot.at, -2), 2);
  p.find(other, 2, p.later(lot.at, 3));
}

constexpr std::string_view kDamaged = "damaged_warehouse";
constexpr std::array kDamageScenarios{Scenario{kDamaged, "unpaid", &damage_unpaid},
                                      Scenario{kDamaged, "unpaid", &damage_unpaid},
                                      Scenario{kDamaged, "unpaid_by_carrier", &damage_unpaid_by_carrier},
                                      Scenario{kDamaged, "paid", &damage_paid},
                                      Scenario{kDamaged, "paid_in_units", &damage_paid_in_units},
                                      Scenario{kDamaged, "paid_as_lost", &damage_paid_as_lost},
                                      Scenario{kDamaged, "paid_as_general_adjustment", &damage_paid_as_general},
                                      Scenario{kDamaged, "partly_paid", &damage_partly_paid},
                                      Scenario{kDamaged, "inspected", &damage_inspected},
                                      Scenario{kDamaged, "partly_inspected", &damage_partly_inspected},
                                      Scenario{kDamaged, "damaged_stock_lost", &damaged_stock_lost},
                                      Scenario{kDamaged, "owned_after_payment", &owned_after_payment},
                                      Scenario{kDamaged, "disposed_after_payment", &disposed_after_payment},
                                      Scenario{kDamaged, "unsellable_stock_damaged", &damage_of_unsellable},
                                      Scenario{kDamaged, "damage_beside_found", &damage_beside_found}};

}  // namespace

std::span<const Scenario> lost_scenarios() { return kLostScenarios; }
std::span<const Scenario> damage_scenarios() { return kDamageScenarios; }

/// Losses that are over: all of them paid before the world begins.
template <class Take>
void tell_routine(Planting& p, std::int64_t units, const Take& take) {
  bool first = true;
  while (units > 0) {
    const std::int64_t some = std::min(units, p.r.between(1, 8));
    const Instant at = p.ago(p.r.between(20, p.lookback()));
    take(at, some);
    if (first || amzsync::base::day_of(at) < p.c.event) p.happens(at, p.fc_window());
    first = false;
    units -= some;
  }
  p.worth_cost();
}

void tell_routine_loss(Planting& p, std::int64_t units) {
  tell_routine(p, units, [&](Instant at, std::int64_t some) {
    const Lot lot = p.lose(at, some);
    p.pay(lot, some, soon(p, at), {});
  });
}
void tell_routine_damage(Planting& p, std::int64_t units) {
  tell_routine(p, units, [&](Instant at, std::int64_t some) {
    const Lot lot = p.damage(at, some);
    p.pay(lot, some, soon(p, at), kForDamage);
  });
}

}  // namespace amzsim
