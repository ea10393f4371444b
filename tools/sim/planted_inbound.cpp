// SPDX-License-Identifier: Apache-2.0
// Units that are lost between two warehouses, or on their way into the first.
#include <algorithm>

#include "sim/planting.hpp"

namespace amzsim {
namespace {

// ---- transfers ----

constexpr Window kTransfer{60, 120};

/// Units leave a warehouse; some of them arrive a week later, the others are missing since.
struct Transfer {
  Instant out{};
  std::string reference;
  std::vector<std::size_t> missing;
};
Transfer leave(Planting& p, std::int64_t sent, std::int64_t arrived) {
  Transfer t;
  t.out = p.ago(p.age(kTransfer));
  t.reference = p.r.one_in(2) ? "X" + p.number(8) : "";
  p.move(t.out, "WhseTransfers", -sent).reference = t.reference;
  if (arrived > 0) p.move(p.later(t.out, p.r.between(4, 9)), "WhseTransfers", arrived).reference = t.reference;
  t.missing = p.new_units(sent - arrived, t.out, Fate::open);
  p.happens(t.out, kTransfer);
  p.worth_cost();
  return t;
}
void arrive(Planting& p, const Transfer& t, Instant at, std::string_view disposition) {
  for (const std::size_t unit : t.missing) p.meet(unit, at, Fate::found);
  LedgerRow& row = p.move(at, "WhseTransfers", static_cast<std::int64_t>(t.missing.size()), disposition);
  row.reference = t.reference;
}

void never_arrived(Planting& p) { leave(p, 10, 10 - p.r.between(1, 4)); }
void nothing_arrived(Planting& p) { leave(p, p.r.between(2, 5), 0); }
void arrived_late(Planting& p) {
  const Transfer t = leave(p, 10, 7);
  arrive(p, t, p.later(t.out, p.r.between(25, 55)), "SELLABLE");
}
void arrived_unsellable(Planting& p) {
  const Transfer t = leave(p, 10, 7);
  arrive(p, t, p.later(t.out, 8), "DEFECTIVE");
}
/// The loss is booked as such, and made good as such.
void booked_as_lost(Planting& p) {
  const Transfer t = leave(p, 10, 7);
  const Instant booked = p.later(t.out, 30);
  LedgerRow& row = p.move(booked, "Adjustments", -static_cast<std::int64_t>(t.missing.size()), "SELLABLE", "M");
  row.in_transit = row.quantity;
  for (const std::size_t unit : t.missing) row.units.emplace_back(p.case_index, unit);
  p.pay(t.missing, p.later(booked, 5), {});
}
void two_transfers(Planting& p) {
  // The older one arrives in whole, so what is missing is the newer one's.
  const Instant newer = p.ago(p.age(kTransfer)), older = p.later(newer, -5);
  p.move(older, "WhseTransfers", -5);
  p.move(newer, "WhseTransfers", -5);
  p.move(p.later(newer, 4), "WhseTransfers", 5);
  p.move(p.later(newer, 7), "WhseTransfers", 3);
  p.new_units(2, newer, Fate::open);
  p.happens(newer, kTransfer);
  p.worth_cost();
}
void arrived_from_before(Planting& p) {
  const Instant at = p.ago(p.age(kTransfer));
  p.move(at, "WhseTransfers", p.r.between(2, 6)).in_transit = 0;   // it left before anything that is told
  p.happens(at, kTransfer);
}

constexpr std::string_view kLostInTransfer = "lost_in_fc_transfer";

// ---- shipments to Amazon ----

/// One that was delivered at `delivered`, and all of whose receipts are booked within eight days.
class Sent {
 public:
  Sent(Planting& p, Instant delivered, std::string_view last_state = "CLOSED") : p_(p), delivered_(delivered) {
    PlantedShipment s;
    s.id = "FBA15P" + p.number(6) + std::to_string(p.world.shipments.size());
    s.name = "FBA STA (" + amzsync::base::format_day(amzsync::base::day_of(delivered)) + ")";
    s.fc = p.fc();
    s.marketplace = p.marketplace;
    for (const auto& [after, state] : {std::pair{-14, "WORKING"}, {-10, "SHIPPED"}, {-6, "IN_TRANSIT"}, {0, "DELIVERED"}, {1, "RECEIVING"}}) s.states.emplace_back(p.later(delivered, after), state);
    if (last_state != "RECEIVING") s.states.emplace_back(p.later(delivered, 20), last_state);
    id = s.id;
    index_ = p.world.shipments.size();
    p.world.shipments.push_back(std::move(s));
    if (p.c.shipment_id.empty()) p.c.shipment_id = id;
  }
  /// Units of the product that is the planting's now.
  void item(std::int64_t shipped, std::int64_t in_case = 0) { self().items.push_back({p_.item().sku, p_.item().fnsku, shipped, in_case, {}}); }
  void receive(std::int64_t units, std::int64_t after, std::string_view disposition = "SELLABLE") {
    // The first receipt is what tells when a shipment was delivered, and is of that day.
    const Instant at = after == 0 ? delivered_ : p_.later(delivered_, after);
    self().items.back().received.emplace_back(at, units);
    LedgerRow& row = p_.move(at, "Receipts", units, disposition);
    row.reference = id;
    row.fc = self().fc;
  }
  /// All but so many, in two bookings.
  void receive_but(std::int64_t missing) {
    const std::int64_t received = self().items.back().shipped - missing, first = received / 2;
    receive(first, 0);
    receive(received - first, p_.r.between(3, 8));
  }
  PlantedShipment& self() { return p_.world.shipments[index_]; }
  std::string id;

 private:
  Planting& p_;
  Instant delivered_;
  std::size_t index_;
};

struct Short {
  Instant delivered{};
  std::vector<std::size_t> units;
};
/// So many of so many are missing.
Short arrive_short(Planting& p, std::int64_t shipped, std::int64_t missing, std::string_view last_state = "CLOSED") {
  Short s;
  s.delivered = p.ago(p.age(p.inbound_window()));
  Sent sent(p, s.delivered, last_state);
  sent.item(shipped);
  sent.receive_but(missing);
  s.units = p.new_units(missing, s.delivered, Fate::open);
  p.happens(s.delivered, p.inbound_window());
  p.worth_cost();
  return s;
}
Short arrive_short(Planting& p) { return arrive_short(p, p.r.between(50, 120), p.r.between(3, 9)); }

void arrived_short(Planting& p) { arrive_short(p); }
void short_by_little(Planting& p) {
  arrive_short(p, 250, 2);
  p.sure_after(46);
}
void short_paid(Planting& p) {
  const Short s = arrive_short(p);
  p.pay(s.units, p.later(s.delivered, p.r.between(15, 24)), {.reason = "Lost_Inbound"});
}
void short_partly_paid(Planting& p) {
  const Short s = arrive_short(p, 100, 8);
  p.pay({s.units.begin(), s.units.begin() + 5}, p.later(s.delivered, p.r.between(15, 24)), {.reason = "Lost_Inbound"});
}
void short_paid_as_general(Planting& p) {
  const Short s = arrive_short(p);
  p.pay(s.units, p.later(s.delivered, p.r.between(15, 24)), {.reason = "General_Adjustment"});
}
/// Units that were counted under another SKU of the ASIN: all that are missing, or some.
void mislabelled(Planting& p, std::int64_t missing, std::int64_t elsewhere) {
  const Instant delivered = p.ago(p.age(p.inbound_window()));
  Sent sent(p, delivered);
  sent.item(100);
  sent.receive_but(missing);
  const auto units = p.new_units(missing, delivered, Fate::open);
  for (std::int64_t i = 0; i < elsewhere; ++i) p.meet(units[static_cast<std::size_t>(i)], delivered, Fate::found);
  const std::size_t own = std::exchange(p.product, p.another(true));
  sent.item(50);
  sent.receive_but(-elsewhere);
  p.product = own;
  p.happens(delivered, p.inbound_window());
  p.worth_cost();
}
void some_under_sister_sku(Planting& p) { mislabelled(p, 8, 3); }
void all_under_sister_sku(Planting& p) { mislabelled(p, 4, 4); }
/// What is missing in one shipment came with another.
void came_with_another(Planting& p) {
  const Instant delivered = p.ago(p.age(p.inbound_window()));
  Sent sent(p, delivered);
  sent.item(60);
  sent.receive_but(5);
  for (const std::size_t unit : p.new_units(5, delivered, Fate::open)) p.meet(unit, p.later(delivered, 6), Fate::found);
  Sent other(p, p.later(delivered, 6));
  other.item(40);
  other.receive_but(-5);
  p.happens(delivered, p.inbound_window());
}
void cases_as_units(Planting& p) {
  const Instant delivered = p.ago(p.age(p.inbound_window()));
  Sent sent(p, delivered);
  sent.item(10, 12);
  sent.receive_but(10 - 120);
  p.happens(delivered, p.inbound_window());
}
void deleted(Planting& p) {
  const Short s = arrive_short(p, 100, 8, p.r.one_in(2) ? "DELETED" : "CANCELLED");
  for (const std::size_t unit : s.units) p.meet(unit, s.delivered, Fate::not_covered);
}
void still_receiving(Planting& p) {
  const Instant delivered = p.ago(p.r.between(16, 24));
  Sent sent(p, delivered, "RECEIVING");
  sent.item(80);
  sent.receive(40, 0);
  sent.receive(20, 5);
  sent.receive(20, 28);   // not yet, when the world begins
  sent.self().states.emplace_back(p.later(delivered, 33), "CLOSED");
  p.happens(delivered, p.inbound_window(), 42);
}

constexpr std::string_view kShort = "inbound_shortage";

// ---- arrived, but damaged ----

struct Damaged {
  Instant at{};
  std::vector<std::size_t> units;
};
Damaged arrive_damaged(Planting& p, std::string_view disposition, bool partnered = true) {
  Damaged d;
  d.at = p.ago(p.age(p.inbound_window()));
  Sent sent(p, d.at);
  sent.self().partnered = partnered;
  const std::int64_t broken = p.r.between(1, 4);
  sent.item(40);
  sent.receive(broken, 0, disposition);
  sent.receive(40 - broken, 0);
  d.units = p.new_units(broken, d.at, Fate::open);
  p.happens(d.at, p.inbound_window());
  p.worth_cost();
  return d;
}
void arrived_damaged(Planting& p) { arrive_damaged(p, p.r.one_in(3) ? "WAREHOUSE_DAMAGED" : "CARRIER_DAMAGED"); }
void damaged_by_sellers_carrier(Planting& p) {
  const Damaged d = arrive_damaged(p, "CARRIER_DAMAGED", false);
  for (const std::size_t unit : d.units) p.meet(unit, d.at, Fate::not_covered);
}
void damaged_by_distributor(Planting& p) {
  const Damaged d = arrive_damaged(p, p.r.one_in(2) ? "DISTRIBUTOR_DAMAGED" : "DEFECTIVE");
  for (const std::size_t unit : d.units) p.meet(unit, d.at, Fate::not_covered);
}
void damage_corrected(Planting& p) {
  const Damaged d = arrive_damaged(p, "CARRIER_DAMAGED");
  const Instant corrected = p.later(d.at, p.r.between(4, 20));
  for (const std::size_t unit : d.units) p.meet(unit, corrected, Fate::corrected);
  p.move(corrected, "Adjustments", -static_cast<std::int64_t>(d.units.size()), "CARRIER_DAMAGED", "Q");
  p.move(corrected, "Adjustments", static_cast<std::int64_t>(d.units.size()), "SELLABLE", "P");
}
void damaged_inbound_paid(Planting& p) {
  const Damaged d = arrive_damaged(p, "CARRIER_DAMAGED");
  p.pay(d.units, p.later(d.at, p.r.between(8, 24)), {.reason = "Damaged_Inbound"});
}

constexpr std::string_view kDamagedInbound = "damaged_inbound";

// ---- paid as missing, and the payment taken back ----

constexpr std::string_view kTakenBack = "reimbursement_reversal_unsupported";
constexpr Window kReversed{14, 60};

void taken_back(Planting& p, bool came) {
  const Instant reversed = p.ago(p.age(kReversed, 90)), delivered = p.later(reversed, -60);
  const std::int64_t missing = p.r.between(2, 5);
  Sent sent(p, delivered);
  sent.item(40);
  sent.receive_but(missing);
  const auto units = p.new_units(missing, delivered, Fate::open);
  const std::string payment = p.pay(units, p.later(delivered, 18), {.reason = "Lost_Inbound"});
  for (const std::size_t unit : units) p.meet(unit, p.later(reversed, came ? -6 : 0), came ? Fate::found : Fate::reversed);
  if (came) sent.receive(missing, 54);
  p.take_back(payment, reversed, missing);
  p.happens(reversed, kReversed);
  if (!came) p.worth(p.item().cost);   // as it was paid
}
void received_after_all(Planting& p) { taken_back(p, true); }
void shipment_still_short(Planting& p) { taken_back(p, false); }

constexpr std::array kScenarios{Scenario{kLostInTransfer, "never_arrived", &never_arrived},
                                Scenario{kLostInTransfer, "nothing_arrived", &nothing_arrived},
                                Scenario{kLostInTransfer, "arrived_late", &arrived_late},
                                Scenario{kLostInTransfer, "arrived_unsellable", &arrived_unsellable},
                                Scenario{kLostInTransfer, "booked_as_lost_and_paid", &booked_as_lost},
                                Scenario{kLostInTransfer, "two_transfers", &two_transfers},
                                Scenario{kLostInTransfer, "arrived_from_before", &arrived_from_before},
                                Scenario{kShort, "short", &arrived_short},
                                Scenario{kShort, "short_by_little", &short_by_little},
                                Scenario{kShort, "paid", &short_paid},
                                Scenario{kShort, "partly_paid", &short_partly_paid},
                                Scenario{kShort, "paid_as_general_adjustment", &short_paid_as_general},
                                Scenario{kShort, "some_under_sister_sku", &some_under_sister_sku},
                                Scenario{kShort, "all_under_sister_sku", &all_under_sister_sku},
                                Scenario{kShort, "came_with_another_shipment", &came_with_another},
                                Scenario{kShort, "cases_as_units", &cases_as_units},
                                Scenario{kShort, "deleted", &deleted},
                                Scenario{kShort, "still_receiving", &still_receiving},
                                Scenario{kDamagedInbound, "damaged_by_carrier", &arrived_damaged},
                                Scenario{kDamagedInbound, "damaged_by_sellers_carrier", &damaged_by_sellers_carrier},
                                Scenario{kDamagedInbound, "damaged_by_distributor", &damaged_by_distributor},
                                Scenario{kDamagedInbound, "corrected", &damage_corrected},
                                Scenario{kDamagedInbound, "paid", &damaged_inbound_paid},
                                Scenario{kTakenBack, "shipment_still_short", &shipment_still_short},
                                Scenario{kTakenBack, "received_after_all", &received_after_all}};

}  // namespace

std::span<const Scenario> inbound_scenarios() { return kScenarios; }

}  // namespace amzsim
