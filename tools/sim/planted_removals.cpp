// SPDX-License-Identifier: Apache-2.0
// Stock that the seller wants back, and stock that was destroyed.
#include "sim/planting.hpp"

namespace amzsim {
namespace {

constexpr Window kParcel{15, 75}, kDestroyed{15, 60}, kOrder{14, 60};

// ---- sent back, and not arrived ----

struct Sent {
  Instant shipped{};
  std::vector<std::size_t> missing;
};
void parcel(Planting& p, Instant shipped, std::int64_t units, std::int64_t received, std::int64_t after) {
  p.world.parcels.push_back({p.c.removal_order_id, p.item().fnsku, "1Z" + p.number(16), shipped, p.later(shipped, after), units, received});
}
/// A removal order of `units` in one parcel, of which some arrive.
Sent send(Planting& p, std::string_view type, std::int64_t units, std::int64_t received, std::int64_t after = 6) {
  Sent s;
  s.shipped = p.ago(p.age(kParcel));
  RemovalRow& row = p.remove(p.later(s.shipped, -6), type, units);
  row.states.push_back({p.later(s.shipped, 0), "Completed", 0, 0, units, 0});
  p.c.removal_order_id = row.order_id;
  p.move(s.shipped, "VendorReturns", -units);
  if (type == "Return") parcel(p, s.shipped, units, received, after);
  s.missing = p.new_units(units - received, s.shipped, Fate::open);
  p.happens(s.shipped, kParcel);
  p.worth_cost();
  return s;
}
void short_parcel(Planting& p) {
  const std::int64_t units = p.r.between(8, 24);
  send(p, "Return", units, units - p.r.between(1, 5));
}
void no_parcel(Planting& p) { send(p, "Return", p.r.between(2, 12), 0); }
void parcel_paid(Planting& p) {
  const Sent s = send(p, "Return", 20, 15);
  p.pay(s.missing, p.later(s.shipped, p.r.between(6, 9)), {.reason = "Removal_Order_Lost", .by_case = true});
}
void parcel_late(Planting& p) {
  const Sent s = send(p, "Return", 12, 12, 30);
  const Instant received = p.world.parcels.back().received_at;
  for (const std::size_t unit : p.new_units(12, s.shipped, Fate::open)) p.meet(unit, received, Fate::came_back);
  p.c.at_most_review = true;   // until it is here nobody has counted anything
}
void parcel_whole(Planting& p) {
  const std::int64_t units = p.r.between(4, 20);
  send(p, "Return", units, units);
}
void two_parcels(Planting& p) {
  const Sent s = send(p, "Return", 20, 20);
  RemovalParcel& first = p.world.parcels.back();
  first.units = first.received = 12;
  parcel(p, p.later(s.shipped, 1), 8, 8, 5);
}
void liquidated(Planting& p) { send(p, "Liquidations", 10, 10); }

constexpr std::string_view kLost = "removal_lost";

// ---- destroyed, and nobody asked for it ----

struct Destroyed {
  Instant at{};
  std::vector<std::size_t> units;
};
Destroyed destroy(Planting& p, std::int64_t units, std::string_view disposition = "SELLABLE") {
  Destroyed d;
  d.at = p.ago(p.age(kDestroyed));
  p.move(d.at, "Adjustments", -units, disposition, p.r.one_in(4) ? "G" : "D");
  d.units = p.new_units(units, d.at, Fate::open);
  p.happens(d.at, kDestroyed);
  p.sure_after(31);
  p.worth_cost();
  return d;
}
void ask(Planting& p, const Destroyed& d, std::size_t units) {
  RemovalRow& row = p.remove(p.later(d.at, -3), "Disposal", static_cast<std::int64_t>(units));
  row.states.push_back({p.later(d.at, 2), "Completed", 0, static_cast<std::int64_t>(units), 0, 0});
  for (std::size_t i = 0; i < units; ++i) p.meet(d.units[i], d.at, Fate::asked_for);
}
void destroyed(Planting& p) { destroy(p, p.r.between(1, 5)); }
void destroyed_on_request(Planting& p) { ask(p, destroy(p, 4), 4); }
void more_than_asked_for(Planting& p) { ask(p, destroy(p, 4), 3); }
void not_covered(Planting& p, std::string_view disposition) {
  const Destroyed d = destroy(p, p.r.between(1, 4), disposition);
  for (const std::size_t unit : d.units) p.meet(unit, d.at, Fate::not_covered);
}
void amazons_own(Planting& p) { not_covered(p, p.r.one_in(2) ? "WAREHOUSE_DAMAGED" : "CARRIER_DAMAGED"); }
void expired(Planting& p) { not_covered(p, "EXPIRED"); }
/// Stock that nobody can sell has to be fetched within thirty days.
void not_fetched(Planting& p) { not_covered(p, p.r.one_in(2) ? "CUSTOMER_DAMAGED" : "DEFECTIVE"); }
void destroyed_and_paid(Planting& p) {
  const Destroyed d = destroy(p, p.r.between(1, 4));
  p.pay(d.units, p.later(d.at, p.r.between(3, 9)), {.reason = p.r.one_in(2) ? "Damaged_Warehouse" : "General_Adjustment"});
}

constexpr std::string_view kUnasked = "disposed_without_request";

// ---- destroyed instead of sent ----

struct Instead {
  Instant completed{};
  std::vector<std::size_t> units;
};
/// Of ten units six are sent, and arrive; what becomes of the others the case tells.
Instead ask_back(Planting& p, std::string_view type, std::int64_t cancelled, std::int64_t disposed, std::int64_t gone, std::string_view disposition = "SELLABLE") {
  Instead i;
  i.completed = p.ago(p.age(kOrder));
  const std::int64_t sent = 10 - cancelled - disposed - gone;
  RemovalRow& row = p.remove(p.later(i.completed, -p.r.between(8, 20)), type, 10, disposition);
  row.states.push_back({i.completed, "Completed", cancelled, disposed, sent, 0});
  p.c.removal_order_id = row.order_id;
  const std::string stock(disposition == "SELLABLE" ? "SELLABLE" : "CUSTOMER_DAMAGED");
  if (sent > 0) {
    p.move(p.later(i.completed, -2), "VendorReturns", -sent, stock);
    parcel(p, p.later(i.completed, -2), sent, sent, 7);
  }
  if (disposed > 0) p.move(p.later(i.completed, -1), "Adjustments", -disposed, stock, "D");
  i.units = p.new_units(disposed + gone, i.completed, Fate::open);
  p.happens(i.completed, kOrder);
  p.worth_cost();
  return i;
}
void disposed_instead(Planting& p) { ask_back(p, "Return", 0, p.r.between(1, 5), 0); }
void vanished(Planting& p) { ask_back(p, "Return", 0, 0, p.r.between(1, 4)); }
void disposal_order(Planting& p) {
  const Instead i = ask_back(p, "Disposal", 0, 10, 0);
  for (const std::size_t unit : i.units) p.meet(unit, i.completed, Fate::asked_for);
}
void cancelled(Planting& p) { ask_back(p, "Return", 4, 0, 0); }
void unsellable_instead(Planting& p) {
  ask_back(p, "Return", 0, 4, 0, "Unsellable");
  p.c.at_most_review = true;
}
void instead_paid(Planting& p) {
  const Instead i = ask_back(p, "Return", 0, 3, 0);
  p.pay(i.units, p.later(i.completed, p.r.between(3, 8)), {.reason = p.r.one_in(3) ? "General_Adjustment" : "Removal_Order_Lost"});
}
void in_process(Planting& p) {
  const Instant asked = p.ago(p.r.between(18, 30));
  p.c.removal_order_id = p.remove(asked, "Return", 10).order_id;
  p.happens(asked, kOrder);
}

constexpr std::string_view kInstead = "removal_disposed_instead_of_returned";

constexpr std::array kScenarios{Scenario{kLost, "short_parcel", &short_parcel},
                                Scenario{kLost, "no_parcel", &no_parcel},
                                Scenario{kLost, "paid", &parcel_paid},
                                Scenario{kLost, "received_late", &parcel_late},
                                Scenario{kLost, "received", &parcel_whole},
                                Scenario{kLost, "two_parcels", &two_parcels},
                                Scenario{kLost, "liquidated", &liquidated},
                                Scenario{kUnasked, "destroyed", &destroyed},
                                Scenario{kUnasked, "asked_for", &destroyed_on_request},
                                Scenario{kUnasked, "more_than_asked_for", &more_than_asked_for},
                                Scenario{kUnasked, "amazons_own", &amazons_own},
                                Scenario{kUnasked, "expired", &expired},
                                Scenario{kUnasked, "not_fetched", &not_fetched},
                                Scenario{kUnasked, "paid", &destroyed_and_paid},
                                Scenario{kInstead, "disposed_instead", &disposed_instead},
                                Scenario{kInstead, "vanished", &vanished},
                                Scenario{kInstead, "disposal_order", &disposal_order},
                                Scenario{kInstead, "cancelled", &cancelled},
                                Scenario{kInstead, "unsellable", &unsellable_instead},
                                Scenario{kInstead, "paid", &instead_paid},
                                Scenario{kInstead, "in_process", &in_process}};

}  // namespace

std::span<const Scenario> removal_scenarios() { return kScenarios; }

}  // namespace amzsim
