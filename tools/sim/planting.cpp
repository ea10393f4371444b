// SPDX-License-Identifier: Apache-2.0
#include "sim/planting.hpp"

#include <algorithm>

namespace amzsim {

using namespace amzsync::base;   // NOLINT: vocabulary
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

constexpr std::int64_t kMostLookback = 150, kMargin = 5;   // days
constexpr std::int64_t kMostKept = 500;   // cents of a commission that is given back
constexpr std::array<std::string_view, 5> kFcs{"PHX7", "ONT8", "ABE8", "PHX6", "MDW2"};

std::string padded(std::int64_t value, std::size_t width) {
  std::string text = std::to_string(value);
  if (text.size() < width) text.insert(0, width - text.size(), '0');
  return text;
}

std::string adjustment_of(std::string_view reason) {
  if (reason == "Lost_Warehouse") return "WAREHOUSE_LOST";
  if (reason == "Damaged_Warehouse") return "WAREHOUSE_DAMAGE";
  if (reason == "Lost_Inbound") return "MISSING_FROM_INBOUND";
  if (reason == "Damaged_Inbound") return "INBOUND_CARRIER_DAMAGE";
  if (reason == "CustomerReturn") return "REVERSAL_REIMBURSEMENT";
  if (reason == "CustomerServiceIssue") return "CS_ERROR_ITEMS";
  if (reason == "Removal_Order_Lost") return "REMOVAL_ORDER_LOST";
  if (reason == "Reimbursement_Reversal") return "COMPENSATED_CLAWBACK";
  if (reason == "Fee_Correction") return "INCORRECT_FEES_ITEMS";
  return "RE_EVALUATION";
}

}  // namespace

Day months_after(Day day, int months) {
  std::chrono::year_month_day date(day);
  date += std::chrono::months(months);
  return date.ok() ? Day(date) : Day(date.year() / date.month() / std::chrono::last);
}

Planting::Planting(PlantedWorld& w, const SellerSettings& s, const std::vector<const Marketplace*>& m, std::int64_t n, std::string rule, std::string name)
    : r(Random::at(s.seed, 20, s.number, n)), settings(s), marketplaces(m), world(w), case_index(w.cases.size()) {
  // Mostly where it sells most.
  marketplace = marketplaces[r.one_in(4) ? static_cast<std::size_t>(r.below(static_cast<std::int64_t>(marketplaces.size()))) : 0];
  lookback_ = std::min<std::int64_t>(kMostLookback, std::chrono::duration_cast<days>(settings.history).count() - 30 - kMargin);
  c.rule = std::move(rule);
  c.name = std::move(name);
  product = another(false);
}

void Planting::finish() {
  c.marketplace = marketplace;
  if (!c.whole_account) {
    c.sku = item().sku;
    c.fnsku = item().fnsku;
    c.asin = item().asin;
  }
  world.cases.push_back(std::move(c));
}

std::size_t Planting::another(bool same_asin) {
  PlantedProduct p;
  const auto n = static_cast<std::int64_t>(world.products.size()) + 1;
  p.sku = "SKU-P" + padded(n, 4);
  p.fnsku = "X00P" + padded(n, 6);
  p.asin = same_asin ? item().asin : "B0P" + padded(n, 7);
  p.marketplace = marketplace;
  p.price = same_asin ? item().price : 100 * r.between(12, 60);
  p.cost = same_asin ? item().cost : p.price * r.between(25, 45) / 100;
  p.listed_price = p.price;
  p.listed_referral = p.price * 15 / 100;
  p.cost_known = r.below(10) < 6;
  p.cost_currency = std::string(marketplace->currency);
  p.cost_from = world.opened;
  world.products.push_back(std::move(p));
  return world.products.size() - 1;
}

void Planting::sell_in_first_marketplace() {
  marketplace = marketplaces.front();
  item().marketplace = marketplace;
  item().cost_currency = std::string(marketplace->currency);
}

Instant Planting::ago(std::int64_t before) {
  // Between 08:15 and 12:45 UTC it is the same day from Los Angeles to Sydney.
  const Day today = day_of(world.start);
  return Instant(today - days(before)) + hours(8) + minutes(15) + std::chrono::seconds(r.below(4 * 3600 + 1800));
}
Instant Planting::later(Instant at, std::int64_t after) {
  const Instant same_hour = at + days(after);
  return after == 0 ? same_hour + minutes(1) : Instant(day_of(same_hour)) + hours(8) + minutes(15) + std::chrono::seconds(r.below(4 * 3600 + 1800));
}

std::int64_t Planting::age(const Window& window, std::int64_t before) {
  const std::int64_t oldest = std::min(lookback_, std::chrono::duration_cast<days>(settings.history).count() - before - kMargin);
  const std::int64_t last = window.last_months > 0 ? oldest : window.last;
  const auto within = [&](std::int64_t low, std::int64_t high) { return std::clamp<std::int64_t>(r.between(low, std::max(low, high)), 2, oldest); };
  if (settings.goes_on && r.one_in(8)) return -r.between(1, 25);   // it is still to come
  switch (r.below(16)) {
    case 0:
    case 1: return within(2, window.first - 1);
    case 2:
    case 3: return within(last + 1, last + 25);
    case 4: return within(window.first, window.first);
    case 5: return within(last, last);
    default: return within(window.first + 1, std::min(last - 1, oldest));
  }
}

Micros Planting::money(std::int64_t cents) const { return planted_money(cents, marketplace->currency); }
bool Planting::europe() const { return marketplace->region == Region::eu; }
std::string Planting::fc() { return std::string(kFcs[static_cast<std::size_t>(r.below(kFcs.size()))]); }
std::string Planting::number(std::int64_t width) {
  std::string text;
  while (static_cast<std::int64_t>(text.size()) < width) text += static_cast<char>('0' + r.below(10));
  return text;
}

void Planting::happens(Instant event, const Window& window, std::int64_t not_before) {
  happens_on(day_of(event), window, not_before);
  c.begins = event;
}
void Planting::happens_on(Day event, const Window& window, std::int64_t not_before) {
  c.event = event;
  c.claimable_from = event + days(std::max<std::int64_t>(window.first, not_before));
  c.deadline = window.last_months > 0 ? months_after(event, window.last_months) : event + days(window.last);
}

void Planting::worth_cost() {
  const PlantedProduct& p = item();
  if (p.cost_known && p.cost_currency == marketplace->currency && p.cost_from <= c.event) worth(p.cost);
}

std::vector<std::size_t> Planting::new_units(std::int64_t n, Instant at, Fate fate) {
  std::vector<std::size_t> units;
  for (std::int64_t i = 0; i < n; ++i) {
    units.push_back(c.units.size());
    c.units.push_back({{{at, fate}}});
  }
  return units;
}

std::vector<std::size_t> Planting::still_open(const Lot& lot, std::int64_t n) const {
  std::vector<std::size_t> open;
  for (const std::size_t unit : lot.units)
    if (c.units[unit].course.back().second == Fate::open && static_cast<std::int64_t>(open.size()) < n) open.push_back(unit);
  return open;
}

LedgerRow& Planting::move(Instant at, std::string_view event, std::int64_t quantity, std::string_view disposition, std::string_view reason) {
  LedgerRow row;
  row.at = row.shows = at;
  row.fnsku = item().fnsku;
  row.asin = item().asin;
  row.sku = item().sku;
  row.event = event;
  row.quantity = quantity;
  row.fc = fc();
  row.disposition = disposition;
  row.reason = reason;
  row.country = marketplace->country;
  if (event == "Adjustments") row.reference = number(12);
  if (event == "WhseTransfers") row.in_transit = -quantity;
  world.ledger.push_back(std::move(row));
  return world.ledger.back();
}

Lot Planting::lose(Instant at, std::int64_t n, std::string_view disposition) {
  Lot lot;
  lot.at = at;
  lot.units = new_units(n, at, Fate::open);
  lot.row = world.ledger.size();
  LedgerRow& row = move(at, "Adjustments", -n, disposition, r.one_in(6) ? "5" : "M");
  lot.fc = row.fc;
  for (const std::size_t unit : lot.units) row.units.emplace_back(case_index, unit);
  return lot;
}

Lot Planting::damage(Instant at, std::int64_t n, std::string_view reason, std::string_view disposition) {
  Lot lot;
  lot.at = at;
  lot.units = new_units(n, at, Fate::open);
  lot.row = world.ledger.size();
  LedgerRow& row = move(at, "Adjustments", -n, disposition, reason);
  lot.fc = row.fc;
  for (const std::size_t unit : lot.units) row.units.emplace_back(case_index, unit);
  move(at, "Adjustments", n, "WAREHOUSE_DAMAGED", "P").fc = lot.fc;
  return lot;
}

LedgerRow& Planting::find(const Lot& lot, std::int64_t n, Instant at) {
  for (const std::size_t unit : still_open(lot, n)) meet(unit, at, Fate::found);
  LedgerRow& row = move(at, "Adjustments", n, "SELLABLE", "F");
  row.fc = lot.fc;
  row.reconciled = true;
  return row;
}

std::string Planting::pay_line(Instant approved, std::int64_t n, const Payment& payment, std::size_t which) {
  const PlantedProduct& p = item(which);
  const std::int64_t per_unit = payment.per_unit >= 0 ? payment.per_unit : p.cost;
  ReimbursementRow row;
  row.approved = approved;
  row.shows = shows(approved, payment.lag ? *payment.lag : r.below(6));
  row.id = std::to_string(20'000'000'000 + static_cast<std::int64_t>(world.reimbursements.size()));
  if (payment.by_case) row.case_id = "8" + number(9);
  row.order_id = payment.order_id;
  row.reason = payment.reason;
  row.sku = p.sku;
  row.fnsku = p.fnsku;
  row.asin = p.asin;
  row.condition = payment.condition;
  row.marketplace = marketplace;
  if (payment.in_units) {
    row.inventory = n;
  } else {
    row.cash = n;
    row.per_unit = money(per_unit);
    row.total = money(per_unit * n - payment.missing);
    Fact& f = fact(FactKind::reimbursement, row.shows);   // the report tells of it when the money comes
    f.adjustment_type = adjustment_of(payment.reason);
    f.items = {{.sku = p.sku, .fnsku = p.fnsku, .asin = p.asin, .order_item_id = number(14), .quantity = n, .charges = {{"Reimbursement", row.total}}, .fees = {}, .promotions = {}}};
  }
  world.reimbursements.push_back(row);
  if (payment.in_units) {
    LedgerRow& arrival = move(later(approved, r.between(0, 6)), "Adjustments", n, "SELLABLE", "N");
    arrival.fnsku = p.fnsku;
    arrival.sku = p.sku;
  }
  return row.id;
}

std::string Planting::pay(const std::vector<std::size_t>& units, Instant approved, const Payment& payment) {
  for (const std::size_t unit : units) meet(unit, approved, payment.in_units ? Fate::paid_in_units : Fate::paid);
  std::string id = pay_line(approved, static_cast<std::int64_t>(units.size()), payment, product);
  for (const std::size_t unit : units) c.units[unit].shows = world.reimbursements.back().shows;
  return id;
}

void Planting::take_back(const std::string& id, Instant at, std::int64_t n) {
  const auto paid = std::find_if(world.reimbursements.begin(), world.reimbursements.end(), [&](const ReimbursementRow& row) { return row.id == id; });
  ReimbursementRow row = *paid;
  row.approved = at;
  row.shows = shows(at, r.below(6));
  row.id = std::to_string(20'000'000'000 + static_cast<std::int64_t>(world.reimbursements.size()));
  row.case_id.clear();
  row.original_id = paid->id;
  row.original_type = paid->reason;
  row.reason = "Reimbursement_Reversal";
  row.total = Micros{-paid->per_unit.value * n};
  row.cash = r.one_in(2) ? -n : n;   // Amazon's signs differ
  Fact& f = fact(FactKind::reimbursement, row.shows);
  f.adjustment_type = adjustment_of(row.reason);
  f.items = {{.sku = row.sku, .fnsku = row.fnsku, .asin = row.asin, .order_item_id = number(14), .quantity = n, .charges = {{"Reimbursement", row.total}}, .fees = {}, .promotions = {}}};
  world.reimbursements.push_back(std::move(row));
}

Fact& Planting::fact(FactKind kind, Instant at) {
  Fact f;
  f.kind = kind;
  f.posted = std::chrono::floor<std::chrono::seconds>(at);
  f.marketplace = marketplace;
  f.planted = true;
  // Ids of nobody else's: what the other facts have begins with 100 and more.
  f.order_id = "0" + number(2) + "-" + number(7) + "-" + padded(static_cast<std::int64_t>(world.facts.size()), 7);
  world.facts.push_back(std::move(f));
  return world.facts.back();
}

Order Planting::sell(Instant at, std::int64_t units, std::int64_t price) {
  Order order;
  order.sold = at;
  order.units = units;
  order.price = price > 0 ? price : item().price;
  order.commission = order.price * 15 / 100;
  order.fee = fulfilment_fee(at, item().recorded_ounces);
  order.tax = r.one_in(2) ? order.price * 8 / 100 : 0;
  order.item_id = number(14);
  order.id = sale_fact(order, at).order_id;
  move(at, "Shipments", -units);
  return order;
}

Fact& Planting::sale_fact(const Order& o, Instant at) {
  Fact& f = fact(FactKind::shipment, at);
  if (!o.id.empty()) f.order_id = o.id;
  FactItem line{.sku = item().sku, .fnsku = item().fnsku, .asin = item().asin, .order_item_id = o.item_id, .quantity = o.units, .charges = {}, .fees = {}, .promotions = {}};
  line.charges = {{"Principal", money(o.price * o.units)}, {"Tax", money(o.tax * o.units)}, {"ShippingCharge", money(o.shipping * o.units)}};
  line.fees = {{"Commission", money(-o.commission * o.units)}, {"FBAPerUnitFulfillmentFee", money(-o.fee * o.units)}};
  if (o.promotion > 0) line.promotions = {{"PromotionMetaDataDefinitionValue", money(-o.promotion * o.units)}};
  f.items = {std::move(line)};
  return f;
}

Fact& Planting::refund(const Order& o, Instant at, const Refund& how) {
  const std::int64_t units = how.units >= 0 ? how.units : o.units;
  const std::int64_t charged = o.price * units, principal = how.principal >= 0 ? how.principal : charged;
  // Amazon gives its commission back but for a fifth of it.
  const std::int64_t credit = how.commission >= 0 ? how.commission : (o.commission * units * principal * 2 + charged) / (2 * charged);
  const std::int64_t kept = how.administration >= 0 ? how.administration : std::min(kMostKept, (credit * 2 + 5) / 10);
  Fact& f = fact(FactKind::refund, at);
  f.order_id = o.id;
  FactItem line{.sku = item().sku, .fnsku = item().fnsku, .asin = item().asin, .order_item_id = o.item_id, .quantity = units, .charges = {}, .fees = {}, .promotions = {}};
  line.charges = {{"Principal", money(-principal)}, {"Tax", money(principal == charged ? -o.tax * units : 0)}};
  if (how.shipping) line.charges.push_back({"ShippingCharge", money(-o.shipping * units)});
  if (credit > 0) line.fees.push_back({"Commission", money(credit)});
  if (kept > 0) line.fees.push_back({"RefundCommission", money(-kept)});
  if (o.promotion > 0 && principal == charged) line.promotions = {{"PromotionMetaDataDefinitionValue", money(o.promotion * units)}};
  f.items = {std::move(line)};
  return f;
}

ReturnRow& Planting::come_back(const Order& order, Instant at, std::int64_t n, std::string_view disposition, bool in_ledger) {
  ReturnRow row;
  row.at = at;
  row.shows = shows(at, r.below(4));
  row.order_id = order.id;
  row.sku = item().sku;
  row.asin = item().asin;
  row.fnsku = item().fnsku;
  row.fc = fc();
  row.disposition = disposition;
  row.reason = disposition == "DEFECTIVE" ? "DEFECTIVE" : "UNWANTED_ITEM";
  row.status = disposition == "SELLABLE" ? "Unit returned to inventory" : "";
  row.plate = "LPNP" + number(10);
  row.quantity = n;
  if (in_ledger) {
    LedgerRow& back = move(at, "CustomerReturns", n, disposition == "DAMAGED" ? "WAREHOUSE_DAMAGED" : disposition);
    back.fc = row.fc;
    back.reference = r.one_in(2) ? order.id : "";
  }
  world.returns.push_back(std::move(row));
  return world.returns.back();
}

RemovalRow& Planting::remove(Instant requested, std::string_view type, std::int64_t n, std::string_view disposition) {
  RemovalRow row;
  row.requested = requested;
  row.order_id = "planted-" + std::to_string(world.removals.size() + 1) + "-" + number(6);
  row.type = type;
  row.sku = item().sku;
  row.fnsku = item().fnsku;
  row.disposition = disposition == "SELLABLE" ? "Sellable" : disposition;
  row.currency = marketplace->currency;
  row.quantity = n;
  row.states = {{requested, "Pending", 0, 0, 0, n}};
  world.removals.push_back(std::move(row));
  return world.removals.back();
}

}  // namespace amzsim
