// SPDX-License-Identifier: Apache-2.0
// Orders that were refunded: whether the goods came back, whether they were put back on the shelf, and whether the money is right.
#include <algorithm>

#include "sim/planting.hpp"

namespace amzsim {
namespace {

using amzsync::base::day_of;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

struct Refunded {
  Order order;
  Instant at{};
  std::vector<std::size_t> units;
};
/// Sold, refunded in whole, and not back: the customer has the goods and the money.
Refunded refunded(Planting& p, std::int64_t units, const Window& window, bool deferred = false) {
  Refunded f;
  f.at = p.ago(p.age(window));
  const Instant sold = p.later(f.at, deferred ? -20 : -p.r.between(5, 20));
  f.order = p.sell(sold, units);
  if (deferred) {
    Fact& sale = p.world.facts.back();
    sale.deferred = true;
    sale.released = std::chrono::ceil<hours>(sale.posted + days(9)) + minutes(30);
  }
  p.refund(f.order, f.at);
  f.units = p.new_units(units, f.at, Fate::open);
  p.c.order_id = f.order.id;
  p.happens(f.at, window);
  p.worth(f.order.net());
  return f;
}
Refunded refunded(Planting& p, std::int64_t units) { return refunded(p, units, p.return_window()); }
void is_back(Planting& p, const Refunded& f, Instant at, std::size_t units) {
  for (std::size_t i = 0; i < units; ++i) {
    p.meet(f.units[i], at, Fate::came_back);
    p.c.units[f.units[i]].shows = p.world.returns.back().shows;
  }
}
/// Amazon pays by itself before the claim begins, so that its row is there in time.
Instant soon(Planting& p, const Refunded& f) { return p.later(f.at, p.r.between(45, 54)); }

void unreturned(Planting& p) { refunded(p, p.r.one_in(4) ? 2 : 1); }
void unreturned_of_deferred_sale(Planting& p) { refunded(p, 1, p.return_window(), true); }
/// Refunded when it is another day in Los Angeles than in UTC.
void refunded_in_the_evening(Planting& p) {
  p.sell_in_first_marketplace();
  const Instant at = Instant(day_of(p.ago(p.age(p.return_window())))) + hours(4) + minutes(30);
  const Order order = p.sell(p.later(at, -12));
  p.refund(order, at);
  p.new_units(1, at, Fate::open);
  p.c.order_id = order.id;
  p.happens_on(day_of(at) - days(1), p.return_window());
  p.c.begins = at;
  p.worth(order.net());
}
void returned(Planting& p) {
  const Refunded f = refunded(p, 1);
  const Instant back = p.later(f.at, p.r.between(2, 25));
  constexpr std::array<std::string_view, 4> kHow{"SELLABLE", "CUSTOMER_DAMAGED", "DEFECTIVE", "EXPIRED"};
  p.come_back(f.order, back, 1, kHow[static_cast<std::size_t>(p.r.below(kHow.size()))]);
  is_back(p, f, back, 1);
}
void returned_late(Planting& p) {
  const Refunded f = refunded(p, 1);
  const Instant back = p.later(f.at, p.r.between(62, 90));
  p.come_back(f.order, back, 1, "CUSTOMER_DAMAGED");
  is_back(p, f, back, 1);
}
/// The report tells of it weeks after.
void return_filled_in(Planting& p) {
  const Refunded f = refunded(p, 1);
  const Instant back = p.later(f.at, p.r.between(5, 20));
  p.come_back(f.order, back, 1, "CUSTOMER_DAMAGED").shows = p.later(back, p.r.between(20, 35));
  is_back(p, f, back, 1);
}
void returned_under_other_sku(Planting& p) {
  const Refunded f = refunded(p, 1);
  const Instant back = p.later(f.at, p.r.between(5, 25));
  const std::size_t own = std::exchange(p.product, p.another(true));
  p.come_back(f.order, back, 1, "CUSTOMER_DAMAGED");
  p.product = own;
  is_back(p, f, back, 1);
}
void one_of_two_returned(Planting& p) {
  const Refunded f = refunded(p, 2);
  const Instant back = p.later(f.at, p.r.between(5, 25));
  p.come_back(f.order, back, 1, "CUSTOMER_DAMAGED");
  is_back(p, f, back, 1);
}
void price_adjustment(Planting& p) {
  const Instant at = p.ago(p.age(p.return_window()));
  const Order order = p.sell(p.later(at, -8));
  p.refund(order, at, {.principal = order.price * p.r.between(20, 90) / 100});
  p.c.order_id = order.id;
  p.happens(at, p.return_window());
}
void unreturned_paid(Planting& p, std::string_view reason) {
  const Refunded f = refunded(p, 1);
  p.pay(f.units, soon(p, f), {.reason = reason, .per_unit = f.order.net(), .order_id = f.order.id});
}
void paid(Planting& p) { unreturned_paid(p, "CustomerReturn"); }
void paid_as_service_issue(Planting& p) { unreturned_paid(p, "CustomerServiceIssue"); }
void paid_as_general_adjustment(Planting& p) { unreturned_paid(p, "General_Adjustment"); }
void paid_in_part_of_units(Planting& p) {
  const Refunded f = refunded(p, 2);
  p.pay({f.units[0]}, soon(p, f), {.reason = "CustomerReturn", .per_unit = f.order.net(), .order_id = f.order.id});
}

constexpr std::string_view kUnreturned = "return_not_received";

// ---- on its way to the customer ----

/// Refunded, and the carrier says what became of the parcel. What goes back to the sender has more time to arrive there.
Refunded carried(Planting& p, std::string_view state) {
  Window window = p.return_window();
  if (state == "returned_to_sender") window.first += 30;
  const Refunded f = refunded(p, 1, window);
  p.world.deliveries.push_back({f.order.id, std::string(state), p.later(f.at, -1)});
  return f;
}
void lost_on_the_way(Planting& p) { carried(p, "lost"); }
void damaged_on_the_way(Planting& p) { carried(p, p.r.one_in(2) ? "damaged" : "undeliverable"); }
void sent_back_to_amazon(Planting& p) { carried(p, "returned_to_sender"); }
void sent_back_and_arrived(Planting& p) {
  const Refunded f = carried(p, "returned_to_sender");
  const Instant back = p.later(f.at, p.r.between(10, 55));
  p.come_back(f.order, back, 1, "CUSTOMER_DAMAGED");
  is_back(p, f, back, 1);
}
void lost_and_paid(Planting& p) {
  const Refunded f = carried(p, "lost");
  p.pay(f.units, soon(p, f), {.reason = p.r.one_in(2) ? "Lost_Outbound" : "CustomerReturn", .per_unit = f.order.net(), .order_id = f.order.id});
}
/// The customer has it, so that it is an order like others.
void delivered(Planting& p) { carried(p, "delivered"); }

constexpr std::string_view kUndelivered = "order_lost_in_delivery";

constexpr std::array kDeliveryScenarios{Scenario{kUndelivered, "lost_on_the_way", &lost_on_the_way},
                                        Scenario{kUndelivered, "damaged_on_the_way", &damaged_on_the_way},
                                        Scenario{kUndelivered, "sent_back", &sent_back_to_amazon},
                                        Scenario{kUndelivered, "sent_back_and_arrived", &sent_back_and_arrived},
                                        Scenario{kUndelivered, "lost_and_paid", &lost_and_paid},
                                        Scenario{kUnreturned, "delivered", &delivered}};

// ---- back, and not on the shelf ----

constexpr Window kRestock{30, 60};

struct Back {
  Order order;
  Instant at{};
  std::vector<std::size_t> units;
};
/// Refunded and returned as sellable.
Back returned_sellable(Planting& p, std::int64_t units = 1) {
  Back b;
  b.at = p.ago(p.age(kRestock));
  b.order = p.sell(p.later(b.at, -18), units);
  p.refund(b.order, p.later(b.at, -6));
  for (std::int64_t i = 0; i < units; ++i) p.come_back(b.order, i == 0 ? b.at : p.later(b.at, 0), 1, "SELLABLE", false);
  b.units = p.new_units(units, b.at, Fate::open);
  p.c.order_id = b.order.id;
  p.happens(b.at, kRestock);
  p.worth_cost();
  return b;
}
LedgerRow& restock(Planting& p, const Back& b, std::int64_t after) {
  const Instant at = p.later(b.at, after);
  for (const std::size_t unit : b.units) p.meet(unit, at, Fate::came_back);
  return p.move(at, "CustomerReturns", static_cast<std::int64_t>(b.units.size()));
}
void unrestocked(Planting& p) { returned_sellable(p); }
void restocked(Planting& p) { restock(p, returned_sellable(p), p.r.between(1, 5)); }
void restocked_after_two_weeks(Planting& p) { restock(p, returned_sellable(p), 13); }
void restocked_in_one_row(Planting& p) { restock(p, returned_sellable(p, 2), 3); }
void restocked_for_resale(Planting& p) { restock(p, returned_sellable(p), 4).sku = "amzn.gr.P" + p.number(9); }
void restocked_under_other_fnsku(Planting& p) {
  const Back b = returned_sellable(p);
  const std::size_t own = std::exchange(p.product, p.another(true));
  restock(p, b, 3);
  p.product = own;
}
void unrestocked_paid(Planting& p) {
  const Back b = returned_sellable(p);
  p.pay(b.units, p.later(b.at, p.r.between(8, 20)), {.reason = "CustomerReturn", .per_unit = b.order.net(), .order_id = b.order.id});
}

constexpr std::string_view kUnrestocked = "return_not_restocked";

// ---- back, and broken by Amazon ----

/// Refunded, and back a while later in some state.
Back returned_broken(Planting& p, std::string_view disposition) {
  Back b;
  const std::int64_t earliest = p.europe() ? 45 : 60;
  Window window = p.return_window();
  window.first = static_cast<int>(earliest);
  const Instant refunded_at = p.ago(p.age(window));
  const std::int64_t after = p.r.between(8, 20);
  b.at = p.later(refunded_at, after);
  b.order = p.sell(p.later(refunded_at, -10));
  p.refund(b.order, refunded_at);
  p.come_back(b.order, b.at, 1, disposition, false);
  b.units = p.new_units(1, b.at, Fate::open);
  p.c.order_id = b.order.id;
  p.happens(refunded_at, window, after + 30);
  p.c.begins = b.at;
  p.worth(b.order.net());
  return b;
}
void broken_unpaid(Planting& p) { returned_broken(p, "DAMAGED"); }
void broken_by_carrier(Planting& p) { returned_broken(p, "CARRIER_DAMAGED"); }
void broken_by_customer(Planting& p) {
  const Back b = returned_broken(p, p.r.one_in(2) ? "CUSTOMER_DAMAGED" : "DEFECTIVE");
  p.meet(b.units[0], b.at, Fate::not_covered);
}
void broken_paid(Planting& p) {
  const Back b = returned_broken(p, "DAMAGED");
  p.pay(b.units, p.later(b.at, p.r.between(4, 15)), {.reason = "CustomerReturn", .per_unit = b.order.net(), .order_id = b.order.id});
  p.world.returns.back().status = "Reimbursed";
}
/// Without the order's number: only the product and the date tell what it is for.
void broken_paid_without_order(Planting& p) {
  const Back b = returned_broken(p, "DAMAGED");
  p.pay(b.units, p.later(b.at, p.r.between(4, 15)), {.reason = "Damaged_Warehouse"});
}

constexpr std::string_view kBroken = "return_damage_unpaid";

constexpr std::array kReturnScenarios{Scenario{kUnreturned, "unreturned", &unreturned},
                                      Scenario{kUnreturned, "unreturned", &unreturned},
                                      Scenario{kUnreturned, "unreturned_of_deferred_sale", &unreturned_of_deferred_sale},
                                      Scenario{kUnreturned, "refunded_in_the_evening", &refunded_in_the_evening, Scenario::Needs::dollars},
                                      Scenario{kUnreturned, "returned", &returned},
                                      Scenario{kUnreturned, "returned_late", &returned_late},
                                      Scenario{kUnreturned, "return_filled_in_late", &return_filled_in},
                                      Scenario{kUnreturned, "returned_under_other_sku", &returned_under_other_sku},
                                      Scenario{kUnreturned, "one_of_two_returned", &one_of_two_returned},
                                      Scenario{kUnreturned, "price_adjustment", &price_adjustment},
                                      Scenario{kUnreturned, "paid", &paid},
                                      Scenario{kUnreturned, "paid_as_service_issue", &paid_as_service_issue},
                                      Scenario{kUnreturned, "paid_as_general_adjustment", &paid_as_general_adjustment},
                                      Scenario{kUnreturned, "one_of_two_paid", &paid_in_part_of_units},
                                      Scenario{kUnrestocked, "unrestocked", &unrestocked},
                                      Scenario{kUnrestocked, "restocked", &restocked},
                                      Scenario{kUnrestocked, "restocked_after_two_weeks", &restocked_after_two_weeks},
                                      Scenario{kUnrestocked, "restocked_in_one_row", &restocked_in_one_row},
                                      Scenario{kUnrestocked, "restocked_for_resale", &restocked_for_resale},
                                      Scenario{kUnrestocked, "restocked_under_other_fnsku", &restocked_under_other_fnsku},
                                      Scenario{kUnrestocked, "paid", &unrestocked_paid},
                                      Scenario{kBroken, "unpaid", &broken_unpaid},
                                      Scenario{kBroken, "unpaid_by_carrier", &broken_by_carrier},
                                      Scenario{kBroken, "broken_by_customer", &broken_by_customer},
                                      Scenario{kBroken, "paid", &broken_paid},
                                      Scenario{kBroken, "paid_without_order", &broken_paid_without_order}};

// ---- the refund's own money ----

constexpr Window kExcess{14, 120}, kCredit{14, 90};

struct Sold {
  Order order;
  Instant refunded{};
};
Sold sold(Planting& p, const Window& window, std::int64_t price = 0, std::int64_t shipping = 0) {
  Sold s;
  s.refunded = p.ago(p.age(window));
  const Instant at = p.later(s.refunded, -p.r.between(5, 18));
  Order order;
  order.price = price > 0 ? price : p.item().price;
  order.commission = order.price * 15 / 100;
  order.fee = fulfilment_fee(at, p.item().recorded_ounces);
  order.tax = order.price * 8 / 100;
  order.shipping = shipping;
  order.item_id = p.number(14);
  order.id = p.sale_fact(order, at).order_id;
  p.move(at, "Shipments", -1);
  // The goods came back, so it is all about money.
  p.come_back(order, p.later(s.refunded, 3), 1, "CUSTOMER_DAMAGED");
  p.c.order_id = order.id;
  p.happens(s.refunded, window);
  s.order = std::move(order);
  return s;
}
void owed(Planting& p, std::int64_t cents) { p.c.money.push_back({p.c.begins, p.money(cents), Instant::max()}); }

void refunded_too_much(Planting& p) {
  const Sold s = sold(p, kExcess);
  const std::int64_t excess = p.r.between(200, 900);
  p.refund(s.order, s.refunded, {.principal = s.order.price + excess, .commission = s.order.commission});
  p.world.facts.back().items.front().charges[1].amount = p.money(-s.order.tax);
  owed(p, excess);
}
void excess_partly_paid(Planting& p) {
  refunded_too_much(p);
  Fact& f = p.world.facts.back();
  f.items.front().charges[0].amount = p.money(-p.item().price - 500);
  const Instant paid = p.later(f.posted, 8);
  p.c.money.back().amount = p.money(200);
  owed(p, 300);
  p.c.money.back().settled = paid;
  p.pay_line(paid, 1, {.reason = "General_Adjustment", .per_unit = 300, .order_id = p.c.order_id}, p.product);
}
void refunded_with_shipping(Planting& p) {
  const Sold s = sold(p, kExcess, 2'000, 599);
  p.refund(s.order, s.refunded, {.shipping = true});
}
void refunded_a_little_more(Planting& p) {
  const Sold s = sold(p, kExcess);
  p.refund(s.order, s.refunded, {.principal = s.order.price + 10, .commission = s.order.commission});
  p.world.facts.back().items.front().charges[1].amount = p.money(-s.order.tax);
}
void refunded_in_other_currency(Planting& p) {
  const Sold s = sold(p, kExcess);
  const Marketplace* other = nullptr;
  for (const Marketplace* m : p.marketplaces)
    if (m->currency != p.marketplace->currency) other = m;
  p.refund(s.order, s.refunded, {.principal = s.order.price * 135 / 100, .commission = s.order.commission}).marketplace = other;
}

void no_credit(Planting& p) {
  const Sold s = sold(p, kCredit);
  p.refund(s.order, s.refunded, {.commission = 0, .administration = 0});
  owed(p, s.order.commission - (s.order.commission * 2 + 5) / 10);
}
void all_kept(Planting& p) {
  const Sold s = sold(p, kCredit);
  p.refund(s.order, s.refunded, {.administration = s.order.commission});
  owed(p, s.order.commission - (s.order.commission * 2 + 5) / 10);
}
void credited(Planting& p) {
  const Sold s = sold(p, kCredit);
  p.refund(s.order, s.refunded);
}
void credited_in_one_line(Planting& p) {
  const Sold s = sold(p, kCredit);
  p.refund(s.order, s.refunded, {.commission = s.order.commission - (s.order.commission * 2 + 5) / 10, .administration = 0});
}
void credited_in_two_parts(Planting& p) {
  const Sold s = sold(p, kCredit, 4'000);
  p.refund(s.order, p.later(s.refunded, -2), {.principal = 1'000});
  p.refund(s.order, s.refunded, {.principal = 3'000});
}
void credited_for_a_part(Planting& p) {
  const Sold s = sold(p, kCredit, 4'000);
  p.refund(s.order, s.refunded, {.principal = 1'600});
}
/// Beyond five dollars Amazon keeps no more.
void credited_but_for_the_cap(Planting& p) {
  p.sell_in_first_marketplace();
  const Sold s = sold(p, kCredit, 24'000);
  p.refund(s.order, s.refunded, {.administration = 500});
}
void credited_after_a_week(Planting& p) {
  const Sold s = sold(p, kCredit);
  p.refund(s.order, s.refunded, {.commission = 0, .administration = 0});
  const Instant at = p.later(s.refunded, 7);
  const std::int64_t credit = s.order.commission - (s.order.commission * 2 + 5) / 10;
  Fact& f = p.fact(FactKind::refund, at);
  f.order_id = s.order.id;
  f.items = {{.sku = p.item().sku, .fnsku = p.item().fnsku, .asin = p.item().asin, .order_item_id = s.order.item_id, .quantity = 1, .charges = {}, .fees = {{"Commission", p.money(credit)}}, .promotions = {}}};
  owed(p, credit);
  p.c.money.back().settled = at;
}

constexpr std::string_view kExceeds = "refund_exceeds_charge", kNoCredit = "refund_commission_credit_missing";
constexpr std::array kMoneyScenarios{Scenario{kExceeds, "refunded_too_much", &refunded_too_much},
                                     Scenario{kExceeds, "partly_paid", &excess_partly_paid},
                                     Scenario{kExceeds, "refunded_with_shipping", &refunded_with_shipping},
                                     Scenario{kExceeds, "a_few_cents", &refunded_a_little_more},
                                     Scenario{kExceeds, "other_currency", &refunded_in_other_currency, Scenario::Needs::two_currencies},
                                     Scenario{kNoCredit, "no_credit", &no_credit},
                                     Scenario{kNoCredit, "all_kept", &all_kept},
                                     Scenario{kNoCredit, "credited", &credited},
                                     Scenario{kNoCredit, "credited_in_one_line", &credited_in_one_line},
                                     Scenario{kNoCredit, "credited_in_two_parts", &credited_in_two_parts},
                                     Scenario{kNoCredit, "credited_for_a_part", &credited_for_a_part},
                                     Scenario{kNoCredit, "credited_but_for_the_cap", &credited_but_for_the_cap, Scenario::Needs::dollars},
                                     Scenario{kNoCredit, "credited_after_a_week", &credited_after_a_week}};

}  // namespace

std::span<const Scenario> return_scenarios() { return kReturnScenarios; }
std::span<const Scenario> delivery_scenarios() { return kDeliveryScenarios; }
std::span<const Scenario> money_scenarios() { return kMoneyScenarios; }

void tell_routine_return(Planting& p, std::int64_t units) {
  // Old enough that it was paid before the world begins.
  Refunded f;
  f.at = p.ago(p.r.between(62, std::max<std::int64_t>(62, p.lookback())));
  f.order = p.sell(p.later(f.at, -p.r.between(5, 20)), units);
  p.refund(f.order, f.at);
  f.units = p.new_units(units, f.at, Fate::open);
  p.c.order_id = f.order.id;
  p.happens(f.at, p.return_window());
  p.worth(f.order.net());
  p.pay(f.units, soon(p, f), {.reason = "CustomerReturn", .per_unit = f.order.net(), .order_id = f.order.id});
}

}  // namespace amzsim
