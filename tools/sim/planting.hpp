// SPDX-License-Identifier: Apache-2.0
// What the scenarios of the labelled world are told with: a unit is lost, found, paid for, and each such word moves the unit and writes the
// rows that a seller would see of it.
#pragma once

#include <array>
#include <span>

#include "sim/planted.hpp"

namespace amzsim {

/// From when to when a case may be claimed, in days after its event.
struct Window {
  int first = 0, last = 0;
  int last_months = 0;   ///< instead of days
};

/// Units that one row of the ledger took away.
struct Lot {
  std::vector<std::size_t> units;   ///< of the case
  std::size_t row = 0;
  Instant at{};
  std::string fc;
};

struct Order {
  std::string id, item_id;
  Instant sold{};
  std::int64_t units = 1, price = 0, commission = 0, fee = 0, tax = 0, shipping = 0, promotion = 0;   ///< money of one unit
  std::int64_t net() const { return price - commission - fee; }
};

/// One case in the making.
class Planting {
 public:
  Planting(PlantedWorld& world, const SellerSettings& settings, const std::vector<const Marketplace*>& marketplaces, std::int64_t number, std::string rule, std::string name);
  void finish();

  // Chance, time and money.
  Random r;
  const SellerSettings& settings;
  const std::vector<const Marketplace*>& marketplaces;
  const Marketplace* marketplace;
  /// An hour at which it is the same day in every marketplace, so many days before the start.
  Instant ago(std::int64_t days);
  /// That many days after, at some such hour.
  Instant later(Instant at, std::int64_t days);
  /// How many days ago an event with this window was: mostly one that may be claimed, now and then a young or an expired one, and the very edges.
  /// The story may begin that many days before the event.
  std::int64_t age(const Window& window, std::int64_t before = 30);
  std::int64_t lookback() const { return lookback_; }
  Micros money(std::int64_t cents) const;
  bool europe() const;
  Window fc_window() const { return {15, 60}; }
  Window return_window() const { return europe() ? Window{60, 105} : Window{60, 120}; }
  Window inbound_window() const { return {30, 0, europe() ? 6 : 9}; }
  std::string fc();
  std::string number(std::int64_t width);

  /// From here on it is in the seller's first marketplace.
  void sell_in_first_marketplace();

  // Who it happened to.
  PlantedWorld& world;
  PlantedCase c;
  std::size_t case_index;
  std::size_t product = 0;                ///< the case's own; more by `another`
  PlantedProduct& item(std::size_t p) { return world.products[p]; }
  PlantedProduct& item() { return world.products[product]; }
  /// Another product, of the same ASIN where asked for.
  std::size_t another(bool same_asin);

  // The label.
  void happens(Instant event, const Window& window, std::int64_t not_before = 0);
  void happens_on(Day event, const Window& window, std::int64_t not_before = 0);
  /// Before it is so many days old the rules let nobody claim it without a look. Facts: detection 3.0, confidence: a base below 70 that only age lifts.
  void sure_after(int days) { c.sure_from = c.event + std::chrono::days(days); }
  /// Its units are worth what the seller says that they cost.
  void worth_cost();
  void worth(std::int64_t cents) { c.unit_value = money(cents); }
  std::vector<std::size_t> new_units(std::int64_t n, Instant at, Fate fate);
  void meet(std::size_t unit, Instant at, Fate fate) { c.units[unit].course.emplace_back(at, fate); }
  /// The first n of a lot that have met nothing since.
  std::vector<std::size_t> still_open(const Lot& lot, std::int64_t n) const;

  // The ledger.
  LedgerRow& move(Instant at, std::string_view event, std::int64_t quantity, std::string_view disposition = "SELLABLE", std::string_view reason = "");
  Lot lose(Instant at, std::int64_t n, std::string_view disposition = "SELLABLE");
  Lot damage(Instant at, std::int64_t n, std::string_view reason = "E", std::string_view disposition = "SELLABLE");
  LedgerRow& find(const Lot& lot, std::int64_t n, Instant at);

  // Payments.
  struct Payment {
    std::string_view reason = "Lost_Warehouse";
    std::int64_t per_unit = -1;          ///< -1: what it costs, or what the customer paid less fees
    std::int64_t missing = 0;            ///< so much less in all
    bool in_units = false;
    bool by_case = false;
    std::string order_id{}, condition = "NewItem";
    std::optional<int> lag{};            ///< days until the row shows
  };
  /// A line of the report, with its money; no unit of the case is moved. Its id.
  std::string pay_line(Instant approved, std::int64_t n, const Payment& payment, std::size_t product);
  std::string pay(const std::vector<std::size_t>& units, Instant approved, const Payment& payment);
  std::string pay(const Lot& lot, std::int64_t n, Instant approved, const Payment& payment) { return pay(still_open(lot, n), approved, payment); }
  /// Takes a payment back, on paper.
  void take_back(const std::string& id, Instant at, std::int64_t n);

  // Orders.
  Order sell(Instant at, std::int64_t units = 1, std::int64_t price = 0);
  /// The sale's money, once more or otherwise: what the order's numbers say.
  Fact& sale_fact(const Order& order, Instant at);
  struct Refund {
    std::int64_t units = -1;             ///< -1: all
    std::int64_t principal = -1;         ///< -1: in full
    std::int64_t commission = -1;        ///< -1: as it should be
    std::int64_t administration = -1;
    bool shipping = false;
  };
  Fact& refund(const Order& order, Instant at, const Refund& how);
  Fact& refund(const Order& order, Instant at) { return refund(order, at, Refund{}); }
  ReturnRow& come_back(const Order& order, Instant at, std::int64_t n, std::string_view disposition, bool in_ledger = true);

  // Removals.
  RemovalRow& remove(Instant requested, std::string_view type, std::int64_t n, std::string_view disposition = "SELLABLE");

  Fact& fact(FactKind kind, Instant at);
  Instant shows(Instant at, std::int64_t days) { return days == 0 ? at : later(at, days); }

 private:
  std::int64_t lookback_;
  std::int64_t rows_ = 0;
};

/// A story that a case can be; the first of each rule is the plain one.
struct Scenario {
  std::string_view rule, name;
  void (*tell)(Planting& p);
  enum class Needs : std::uint8_t { nothing, two_currencies, dollars } needs = Needs::nothing;
};
std::span<const Scenario> lost_scenarios();
std::span<const Scenario> damage_scenarios();
std::span<const Scenario> inbound_scenarios();
std::span<const Scenario> return_scenarios();
std::span<const Scenario> delivery_scenarios();
std::span<const Scenario> money_scenarios();
std::span<const Scenario> reimbursement_scenarios();
std::span<const Scenario> fee_scenarios();
std::span<const Scenario> removal_scenarios();

/// What Amazon makes good by itself, as it mostly does: so many units of a product, in one case.
void tell_routine_loss(Planting& p, std::int64_t units);
void tell_routine_damage(Planting& p, std::int64_t units);
void tell_routine_return(Planting& p, std::int64_t units);

Day months_after(Day day, int months);

}  // namespace amzsim
