// SPDX-License-Identifier: Apache-2.0
// Fees that are too high, or charged twice.
#include <algorithm>

#include "sim/planting.hpp"

namespace amzsim {
namespace {

using amzsync::base::day_of;
using amzsync::base::format_day;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

constexpr Window kFee{0, 90}, kTwice{14, 90};

std::string month_of(Instant at) { return format_day(day_of(at)).substr(0, 7); }

/// Sales of one product, all in a month, the first at an age that fits; each is told what is special about it.
template <class Special>
void sales_of_a_month(Planting& p, std::int64_t count, const Special& special) {
  Instant at = p.ago(p.age(kFee));
  p.happens(at, kFee);
  p.c.period = month_of(at);
  p.c.window_days = kFee.last;
  for (std::int64_t i = 0; i < count && month_of(at) == p.c.period; ++i) {
    Order order;
    order.sold = at;
    order.price = p.item().price;
    order.commission = order.price * 15 / 100;
    order.fee = fulfilment_fee(at, p.item().recorded_ounces);
    order.item_id = p.number(14);
    const std::int64_t too_much = special(order);
    p.sale_fact(order, at);
    p.move(at, "Shipments", -order.units);
    if (too_much > 0) p.c.money.push_back({at, p.money(too_much * order.units), Instant::max()});
    at = p.later(at, p.r.between(1, 2));
  }
}

// ---- fulfilment ----

constexpr std::int64_t kLight = 14, kHeavy = 20;

/// Amazon's own size would have cost less.
void charged_as_heavier(Planting& p) {
  sales_of_a_month(p, p.r.between(2, 10), [](Order& o) {
    const std::int64_t right = o.fee;
    o.fee = fulfilment_fee(o.sold, kHeavy);
    return o.fee - right;
  });
}
/// Amazon weighed wrong.
void recorded_as_heavier(Planting& p) {
  p.item().recorded_ounces = kHeavy;
  sales_of_a_month(p, p.r.between(2, 10), [](Order& o) { return o.fee - fulfilment_fee(o.sold, kLight); });
}
void charged_twice_the_units(Planting& p) {
  sales_of_a_month(p, 3, [](Order& o) {
    const std::int64_t right = o.fee;
    o.units = 2;
    o.fee = fulfilment_fee(o.sold, kHeavy);
    return o.fee - right;
  });
}
void rightly_charged(Planting& p) {
  sales_of_a_month(p, 4, [](Order&) { return 0; });
}
void rightly_heavy(Planting& p) {
  p.item().ounces = p.item().recorded_ounces = kHeavy;
  sales_of_a_month(p, 4, [](Order&) { return 0; });
}
void two_units_in_a_line(Planting& p) {
  sales_of_a_month(p, 2, [](Order& o) {
    o.units = 2;
    return 0;
  });
}
void charge_corrected(Planting& p) {
  sales_of_a_month(p, 1, [](Order& o) {
    const std::int64_t right = o.fee;
    o.fee = fulfilment_fee(o.sold, kHeavy);
    return o.fee - right;
  });
  const Fact sale = p.world.facts.back();
  const Instant at = p.later(sale.posted, 2);
  Fact& f = p.fact(FactKind::refund, at);
  f.order_id = sale.order_id;
  FactItem line = sale.items.front();
  line.charges.clear();
  line.promotions.clear();
  line.fees = {{"FBAPerUnitFulfillmentFee", p.c.money.front().amount}};
  f.items = {std::move(line)};
  p.c.money.front().settled = at;
}

constexpr std::string_view kFulfilment = "fulfilment_fee_overcharge";

// ---- storage ----

constexpr std::int64_t kVolume = 625;   // of 9 by 6 by 2 inches, in ten-thousandths of a cubic foot

std::string decimal(std::int64_t ten_thousandths) {
  const std::string fraction = std::to_string(10'000 + ten_thousandths % 10'000).substr(1);
  return std::to_string(ten_thousandths / 10'000) + "." + fraction;
}
std::int64_t storage_cents(std::int64_t units, std::int64_t volume, Day month) { return (units * volume * storage_rate(month) + 5'000) / 10'000; }

/// A row of a month that is over, rightly charged; how much that is.
std::int64_t store(Planting& p, Day month, std::int64_t on_hand, std::int64_t pending, std::int64_t volume) {
  StorageRow row;
  row.month = month;
  row.asin = p.item().asin;
  row.fnsku = p.item().fnsku;
  row.fc = p.fc();
  row.country = p.marketplace->country;
  row.currency = p.marketplace->currency;
  row.longest = p.item().longest;
  row.median = p.item().median;
  row.shortest = p.item().shortest;
  row.volume = decimal(volume);
  row.total_volume = decimal(volume * (on_hand - pending));
  row.on_hand = std::to_string(on_hand);
  row.pending = std::to_string(pending);
  row.rate = amzsync::base::format_micros(p.money(storage_rate(month)));
  const std::int64_t right = storage_cents(on_hand - pending, volume, month);
  row.fee = p.money(right);
  p.world.storage.push_back(std::move(row));
  return right;
}
Day some_month(Planting& p) {
  const std::chrono::year_month_day today(day_of(p.world.start));
  return Day((today.year() / today.month() - std::chrono::months(p.r.between(1, 4))) / std::chrono::day(1));
}
void charged_for(Planting& p, Day month, std::int64_t too_much) {
  // What a month costs is charged in the middle of the next.
  const Day after = months_after(month, 1);
  p.happens_on(after + days(14), kFee);
  p.c.begins = Instant(after);
  p.c.period = format_day(month).substr(0, 7);
  if (too_much > 0) p.c.money.push_back({Instant(after), p.money(too_much), Instant::max()});
}

void wrong_sum(Planting& p) {
  const Day month = some_month(p);
  store(p, month, p.r.between(120, 300), 0, kVolume);
  const std::int64_t too_much = p.r.between(150, 900);
  p.world.storage.back().fee.value += p.money(too_much).value;
  charged_for(p, month, too_much);
}
void wrong_volume(Planting& p) {
  const Day month = some_month(p);
  const std::int64_t on_hand = p.r.between(120, 300);
  p.item().longest = "18.00";   // as Amazon has it
  const std::int64_t charged = store(p, month, on_hand, 0, 2 * kVolume);
  charged_for(p, month, charged - storage_cents(on_hand, kVolume, month));
}
void right_sum(Planting& p) {
  const Day month = some_month(p);
  store(p, month, p.r.between(120, 300), 0, kVolume);
  charged_for(p, month, 0);
}
void pending_removal(Planting& p) {
  const Day month = some_month(p);
  store(p, month, 240, 90, kVolume);
  charged_for(p, month, 0);
}
void rounded_per_fc(Planting& p) {
  const Day month = some_month(p);
  for (int i = 0; i < 3; ++i) store(p, month, p.r.between(31, 77), 0, kVolume);
  charged_for(p, month, 0);
}
void off_by_cents(Planting& p) {
  const Day month = some_month(p);
  store(p, month, 200, 0, kVolume);
  if (p.marketplace->currency != "JPY") p.world.storage.back().fee.value += p.money(60).value;
  charged_for(p, month, 0);
}

constexpr std::string_view kStorage = "storage_fee_overcharge";

// ---- twice ----

void fee_once_more(Planting& p, std::optional<int> given_back_after) {
  const Instant at = p.ago(p.age(kTwice));
  const Order order = p.sell(p.later(at, -1));
  Fact& f = p.sale_fact(order, at);
  FactItem& line = f.items.front();
  line.charges.clear();
  std::erase_if(line.fees, [](const Component& c) { return c.type != "FBAPerUnitFulfillmentFee"; });
  const FactItem again = line;
  p.c.order_id = order.id;
  p.happens(at, kTwice);
  p.c.money.push_back({at, p.money(order.fee), Instant::max()});
  if (!given_back_after) return;
  const Instant back = p.later(at, *given_back_after);
  Fact& credit = p.fact(FactKind::refund, back);
  credit.order_id = order.id;
  credit.items = {again};
  credit.items.front().fees.front().amount = p.money(order.fee);
  p.c.money.back().settled = back;
}
void fee_twice(Planting& p) { fee_once_more(p, std::nullopt); }
void fee_twice_given_back(Planting& p) { fee_once_more(p, 8); }
void sent_in_two_parts(Planting& p) {
  const Instant at = p.ago(p.age(kTwice));
  Order order = p.sell(p.later(at, -1));
  p.sale_fact(order, at);
  p.move(at, "Shipments", -1);
  p.c.order_id = order.id;
  p.happens(at, kTwice);
}
void deferred_and_released(Planting& p) {
  const Instant at = p.ago(p.age(kTwice));
  p.c.order_id = p.sell(at).id;
  Fact& sale = p.world.facts.back();
  sale.deferred = true;
  sale.released = std::chrono::ceil<hours>(sale.posted + days(9)) + minutes(30);
  p.happens(at, kTwice);
}
void bill(Planting& p, std::string_view type, Instant at, std::int64_t cents, const Marketplace* marketplace) {
  Fact& f = p.fact(FactKind::service_fee, at);
  f.order_id.clear();
  f.marketplace = marketplace;
  f.items = {{.sku = "", .fnsku = "", .asin = "", .order_item_id = "", .quantity = 1, .charges = {}, .fees = {{std::string(type), p.money(-cents)}}, .promotions = {}}};
}
/// A sum that no other bill has: all others end otherwise.
std::int64_t sum_of_its_own(Planting& p) { return (1'000 + static_cast<std::int64_t>(p.case_index) * 7 + p.r.below(7)) * 10 + 9; }
void bill_twice(Planting& p) {
  // Both on days of one month.
  Instant at = p.ago(p.age(kTwice));
  if (month_of(p.later(at, -8)) != month_of(at)) at = p.later(at, 9);
  const std::int64_t cents = sum_of_its_own(p);
  bill(p, "FBALongTermStorageFee", p.later(at, -p.r.between(1, 8)), cents, p.marketplace);
  bill(p, "FBALongTermStorageFee", at, cents, p.marketplace);
  p.c.whole_account = true;
  p.c.period = month_of(at);
  p.happens(at, kTwice);
  p.c.money.push_back({at, p.money(cents), Instant::max()});
}
void bill_of_two_countries(Planting& p) {
  const Instant at = p.ago(p.age(kTwice));
  const Marketplace* other = nullptr;
  for (const Marketplace* m : p.marketplaces)
    if (m->currency != p.marketplace->currency) other = m;
  const std::int64_t cents = sum_of_its_own(p);
  bill(p, "FBALongTermStorageFee", at, cents, p.marketplace);
  bill(p, "FBALongTermStorageFee", p.later(at, 1), cents, other);
  p.c.whole_account = true;
  p.c.period = month_of(at);
  p.happens(at, kTwice);
}
void bill_of_next_month(Planting& p) {
  const Instant at = p.ago(p.age(kTwice, 45));
  const std::int64_t cents = sum_of_its_own(p);
  bill(p, "Subscription", p.later(at, -31), cents, p.marketplace);
  bill(p, "Subscription", at, cents, p.marketplace);
  p.c.whole_account = true;
  p.c.period = month_of(at);
  p.happens(at, kTwice);
}

constexpr std::string_view kTwiceCharged = "duplicate_fee_charge";

// ---- commission ----

void commission_too_high(Planting& p) {
  sales_of_a_month(p, p.r.between(2, 10), [](Order& o) {
    o.commission = o.price * 17 / 100;
    return o.commission - o.price * 15 / 100;
  });
}
void commission_of_tax(Planting& p) {
  sales_of_a_month(p, 3, [](Order& o) {
    o.tax = o.price * 8 / 100;
    o.commission = (o.price + o.tax) * 15 / 100;
    return o.commission - o.price * 15 / 100;
  });
}
void commission_right(Planting& p) {
  sales_of_a_month(p, 4, [](Order& o) {
    o.tax = o.price * 8 / 100;
    return 0;
  });
}
void commission_of_shipping(Planting& p) {
  sales_of_a_month(p, 3, [](Order& o) {
    o.shipping = 600;
    o.commission = (o.price + o.shipping) * 15 / 100;
    return 0;
  });
}
/// Who pays for a promotion is not told: a commission on the price before it is not wrong.
void commission_before_promotion(Planting& p) {
  sales_of_a_month(p, 3, [](Order& o) {
    o.promotion = 400;
    return 0;
  });
}
void least_commission(Planting& p) {
  p.item().price = p.item().listed_price = 100;
  p.item().cost = 40;
  p.item().listed_referral = 30;
  sales_of_a_month(p, 3, [](Order& o) {
    o.commission = 30;
    return 0;
  });
}

constexpr std::string_view kCommission = "referral_fee_overcharge";

constexpr std::array kScenarios{Scenario{kFulfilment, "charged_as_heavier", &charged_as_heavier},
                                Scenario{kFulfilment, "recorded_as_heavier", &recorded_as_heavier},
                                Scenario{kFulfilment, "charged_as_heavier_two_units", &charged_twice_the_units},
                                Scenario{kFulfilment, "rightly_charged", &rightly_charged},
                                Scenario{kFulfilment, "rightly_heavy", &rightly_heavy},
                                Scenario{kFulfilment, "two_units_in_a_line", &two_units_in_a_line},
                                Scenario{kFulfilment, "corrected", &charge_corrected},
                                Scenario{kStorage, "wrong_sum", &wrong_sum},
                                Scenario{kStorage, "wrong_volume", &wrong_volume},
                                Scenario{kStorage, "right_sum", &right_sum},
                                Scenario{kStorage, "pending_removal", &pending_removal},
                                Scenario{kStorage, "rounded_per_fc", &rounded_per_fc},
                                Scenario{kStorage, "off_by_cents", &off_by_cents},
                                Scenario{kTwiceCharged, "fee_twice", &fee_twice},
                                Scenario{kTwiceCharged, "fee_twice_given_back", &fee_twice_given_back},
                                Scenario{kTwiceCharged, "sent_in_two_parts", &sent_in_two_parts},
                                Scenario{kTwiceCharged, "deferred_and_released", &deferred_and_released},
                                Scenario{kTwiceCharged, "bill_twice", &bill_twice},
                                Scenario{kTwiceCharged, "bill_of_two_countries", &bill_of_two_countries, Scenario::Needs::two_currencies},
                                Scenario{kTwiceCharged, "bill_of_next_month", &bill_of_next_month},
                                Scenario{kCommission, "commission_too_high", &commission_too_high},
                                Scenario{kCommission, "commission_of_tax", &commission_of_tax},
                                Scenario{kCommission, "commission_right", &commission_right},
                                Scenario{kCommission, "commission_of_shipping", &commission_of_shipping},
                                Scenario{kCommission, "commission_before_promotion", &commission_before_promotion},
                                Scenario{kCommission, "least_commission", &least_commission}};

}  // namespace

std::span<const Scenario> fee_scenarios() { return kScenarios; }

}  // namespace amzsim
