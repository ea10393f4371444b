// SPDX-License-Identifier: Apache-2.0
// The labels: what is owed at a moment, by what became of each unit.
#include <algorithm>

#include "base/json_writer.hpp"
#include "sim/planted.hpp"

namespace amzsim {

using namespace amzsync::base;   // NOLINT: vocabulary
using std::chrono::days;
using std::chrono::hours;

namespace {

/// The day it is for most of the region's sellers.
Day local_day(Instant at, Region region) {
  constexpr std::array<int, 3> kHours{-8, 1, 9};
  return day_of(at + hours(kHours[static_cast<std::size_t>(region)]));
}

/// A case as it stands.
struct Standing {
  std::int64_t units = 0;
  std::optional<Micros> amount;
  Day event{}, claimable_from{}, deadline{};
  std::string_view state;
};

Standing standing(const PlantedWorld& world, const PlantedCase& c, Instant now) {
  const Day today = local_day(now, c.marketplace->region);
  Standing s{0, std::nullopt, c.event, c.claimable_from, c.deadline, {}};
  const auto fates = world.fates(c, now);
  s.units = fates[static_cast<std::size_t>(Fate::open)] + fates[static_cast<std::size_t>(Fate::reversed)];
  if (s.units > 0 && c.unit_value) s.amount = Micros{c.unit_value->value * s.units};
  if (s.units == 0) s.amount = Micros{};
  if (!c.money.empty()) {
    // Of charges with a window each, those whose window is over are owed no more; of several others all are.
    std::vector<const PlantedMoney*> open, in_time;
    for (const PlantedMoney& m : c.money) {
      if (!world.happened(m.at, now) || world.happened(m.settled, now)) continue;
      open.push_back(&m);
      if (c.window_days > 0 && today <= day_of(m.at) + days(c.window_days)) in_time.push_back(&m);
    }
    if (!in_time.empty()) open = in_time;
    s.amount = Micros{};
    for (const PlantedMoney* m : open) s.amount->value += m->amount.value;
    if (c.window_days > 0 && !open.empty()) {
      const Day day = day_of((in_time.empty() ? open.back() : open.front())->at);
      s.event = s.claimable_from = day;
      s.deadline = day + days(c.window_days);
    }
  }
  const bool owed = s.units > 0 || (s.amount && s.amount->value > 0);
  s.state = !owed ? "none" : today < s.claimable_from ? "not_mature" : today > s.deadline ? "expired" : c.at_most_review || (c.sure_from && today < *c.sure_from) ? "review" : "claim_ready";
  return s;
}

void write_case(JsonWriter& json, const PlantedWorld& world, const PlantedCase& c, Instant now) {
  const Standing s = standing(world, c, now);
  json.begin_object().field("rule", c.rule).field("case", c.name).field("units", s.units);
  if (s.amount) {
    json.field("amount", *s.amount);
  } else {
    json.field_null("amount");
  }
  json.field("currency", c.marketplace->currency).field("marketplaceId", c.marketplace->id).field("state", s.state);
  json.field("event", format_day(s.event)).field("claimableFrom", format_day(s.claimable_from)).field("deadline", format_day(s.deadline));
  for (const auto& [name, key] : {std::pair{"fnsku", &c.fnsku}, {"sku", &c.sku}, {"asin", &c.asin}, {"orderId", &c.order_id}, {"shipmentId", &c.shipment_id}, {"removalOrderId", &c.removal_order_id}, {"period", &c.period}})
    json.field_if(name, *key);
  // Every unit that something happened to, by what became of it.
  const auto fates = world.fates(c, now);
  std::int64_t harmed = 0;
  for (const std::int64_t count : fates) harmed += count;
  // Paid or back, which nothing that can be read tells yet.
  std::int64_t unseen = 0;
  for (const PlantedUnit& unit : c.units) unseen += unit.shows != Instant{} && !world.happened(unit.shows, now) && std::any_of(unit.course.begin(), unit.course.end(), [&](const auto& step) { return step.second != Fate::open && world.happened(step.first, now); });
  json.field("harmed", harmed).field("unseen", unseen).key("fates").begin_object();
  for (std::size_t i = 0; i < kFates; ++i)
    if (fates[i] > 0) json.field(fate_name(static_cast<Fate>(i)), fates[i]);
  json.end_object().end_object();
}

}  // namespace

std::string planted_truth(const PlantedWorld* world, Instant now) {
  JsonWriter json;
  json.begin_object().field("asOf", now).key("costs").begin_array();
  if (world) {
    for (const PlantedProduct& p : world->products) {
      if (!p.cost_known) continue;
      json.begin_object().field("sku", p.sku).field("fnsku", p.fnsku).field("marketplaceId", p.marketplace->id).field("from", format_day(p.cost_from));
      json.field("amount", planted_money(p.cost, p.cost_currency)).field("currency", p.cost_currency).end_object();
    }
  }
  json.end_array().key("cases").begin_array();
  if (world)
    for (const PlantedCase& c : world->cases)
      if (world->happened(c.begins, now)) write_case(json, *world, c, now);
  // What else only the seller can tell: true sizes, what the parcels of removal orders held, whose carrier brought a shipment, and how orders' deliveries ended.
  json.end_array().key("dimensions").begin_array();
  if (world)
    for (const PlantedProduct& p : world->products) {
      json.begin_object().field("sku", p.sku).field("fnsku", p.fnsku).field("from", format_day(world->opened)).field("longest", Micros{9'000'000}).field("median", Micros{6'000'000}).field("shortest", Micros{2'000'000});
      json.field("unit", "inches").field("weight", Micros{p.ounces * 1'000'000}).field("weightUnit", "ounces").end_object();
    }
  json.end_array().key("removalParcels").begin_array();
  if (world)
    for (const RemovalParcel& p : world->parcels) {
      if (!world->happened(p.shipped, now)) continue;
      json.begin_object().field("removalOrderId", p.removal_order_id).field("fnsku", p.fnsku).field("tracking", p.tracking).field("shipped", format_day(day_of(p.shipped))).field("units", p.units);
      if (world->happened(p.received_at, now)) json.field("received", p.received).field("receivedOn", format_day(day_of(p.received_at)));
      json.end_object();
    }
  json.end_array().key("partneredShipments").begin_array();
  if (world)
    for (const PlantedShipment& s : world->shipments)
      if (world->happened(s.states.front().first, now)) json.begin_object().field("shipmentId", s.id).field("partnered", s.partnered).end_object();
  json.end_array().key("deliveries").begin_array();
  if (world)
    for (const OrderDelivery& d : world->deliveries)
      if (world->happened(d.at, now)) json.begin_object().field("orderId", d.order_id).field("state", d.state).end_object();
  // By this card all fulfilment, storage and referral fees are right but for those planted as wrong.
  json.end_array().key("cards").begin_object();
  const std::string currency = world ? world->currency : "USD";
  json.field("currency", currency);
  const Day dearer(std::chrono::year(2026) / 4 / 17);
  json.key("fulfilment").begin_array();
  for (const auto& [from, at] : {std::pair{std::string("2026-01-15"), Instant(dearer) - hours(1)}, {format_day(dearer), Instant(dearer)}})
    for (const std::int64_t ounces : {16, 32})
      json.begin_object().field("from", from).field("tier", "Large standard-size").field("upToOunces", ounces).field("fee", planted_money(fulfilment_fee(at, ounces), currency)).end_object();
  json.end_array().key("storage").begin_array();
  for (const auto& [months, month] : {std::pair{"01-09", 1U}, {"10-12", 10U}})
    json.begin_object().field("months", months).field("perCubicFoot", planted_money(storage_rate(Day(std::chrono::year(2026) / std::chrono::month(month) / 1)), currency)).end_object();
  json.end_array().key("referral").begin_object().field("rate", Micros{150'000}).field("least", planted_money(30, currency)).end_object().end_object();
  return std::move(json.end_object()).text();
}

}  // namespace amzsim
