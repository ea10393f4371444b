// SPDX-License-Identifier: Apache-2.0
// A labelled world: losses, overcharges and everything that only looks like them, planted into a simulated seller. Each case follows its
// physical units (or its money) through time; rows of every stream are written from that, and so is the label, which therefore never comes
// from rows. The same seed gives the same world; what is later than the simulator's clock is not there yet.
#pragma once

#include <array>

#include "sim/facts.hpp"
#include "sim/inbound.hpp"

namespace amzsim {

/// What became of a unit that something happened to.
enum class Fate : std::uint8_t {
  open,            ///< gone, and nobody made up for it: owed
  found,
  paid,
  paid_in_units,   ///< another unit came in its place
  came_back,       ///< the customer returned it
  corrected,       ///< the damage, the disposal or the count was a mistake of the books
  asked_for,       ///< the seller wanted it so
  not_covered,     ///< gone, by a cause that Amazon does not answer for
  reversed         ///< paid, and the payment taken back without a reason: owed
};
constexpr std::size_t kFates = 9;
std::string_view fate_name(Fate fate) noexcept;

struct PlantedUnit {
  std::vector<std::pair<Instant, Fate>> course;   ///< in order of time
  Instant shows{};                                ///< of the payment or return that it met: when a report first tells of it
};

/// Money that was charged too much, or kept back.
struct PlantedMoney {
  Instant at{};
  Micros amount;
  Instant settled = Instant::max();   ///< it was given back
};

struct PlantedCase {
  std::string rule, name;
  const Marketplace* marketplace = nullptr;
  std::string fnsku, sku, asin, order_id, shipment_id, removal_order_id, period;
  Instant begins{};                ///< its first row that matters
  Day event{}, claimable_from{}, deadline{};   ///< the event's day is the marketplace's own
  std::vector<PlantedUnit> units;
  std::vector<PlantedMoney> money;
  int window_days = 0;             ///< of each of several charges in `money`; 0: `deadline` is all there is
  std::optional<Micros> unit_value;   ///< exact, where there is such a value
  bool at_most_review = false;     ///< owed, but the rules let nobody claim it without a look
  std::optional<Day> sure_from;    ///< so until this day only
  bool whole_account = false;      ///< it is about no product
};

struct LedgerRow {
  Instant at{}, shows{};
  std::string fnsku, asin, sku, event, reference, fc, disposition, reason, country;
  std::int64_t quantity = 0;
  std::vector<std::pair<std::size_t, std::size_t>> units;   ///< of which case; Amazon reconciles the row as they are settled
  bool reconciled = false;         ///< from the first
  std::int64_t in_transit = 0;     ///< by so much it changes what is between warehouses
};

struct ReimbursementRow {
  Instant approved{}, shows{};
  std::string id, case_id, order_id, reason, sku, fnsku, asin, condition = "NewItem";
  const Marketplace* marketplace = nullptr;
  Micros per_unit, total;
  std::int64_t cash = 0, inventory = 0;   ///< as they are printed
  std::string original_id, original_type;
};

struct ReturnRow {
  Instant at{}, shows{};
  std::string order_id, sku, asin, fnsku, fc, disposition, reason, status, plate;
  std::int64_t quantity = 1;
};

struct RemovalRow {
  struct State {
    Instant from{};
    std::string status;
    std::int64_t cancelled = 0, disposed = 0, shipped = 0, in_process = 0;
  };
  Instant requested{};
  std::string order_id, type, sku, fnsku, disposition, currency;
  std::int64_t quantity = 0;
  std::vector<State> states;       ///< in order of time
};

struct StorageRow {
  Day month{};
  std::string asin, fnsku, fc, country, currency, longest, median, shortest, volume, total_volume, on_hand, pending, rate;
  Micros fee;
};

/// A product of a planted case's own.
struct PlantedProduct {
  std::string sku, fnsku, asin;
  const Marketplace* marketplace = nullptr;
  std::int64_t price = 0, cost = 0;   ///< in cents, or whole units of a currency without them
  std::int64_t listed_price = 0, listed_referral = 0;   ///< as the fee preview says
  bool cost_known = false;
  std::string cost_currency;
  Day cost_from{};
  std::string longest = "9.00", median = "6.00", shortest = "2.00";
  std::int64_t ounces = 14;           ///< truly
  std::int64_t recorded_ounces = 14;  ///< as Amazon has it
};

struct PlantedShipment {
  std::string id, name, fc;
  const Marketplace* marketplace = nullptr;
  std::vector<std::pair<Instant, std::string>> states;   ///< in order of time
  struct Item {
    std::string sku, fnsku;
    std::int64_t shipped = 0, in_case = 0;
    std::vector<std::pair<Instant, std::int64_t>> received;
  };
  std::vector<Item> items;
  bool partnered = true;
};

/// A parcel of a removal order; no stream tells of it, only the seller can.
struct RemovalParcel {
  std::string removal_order_id, fnsku, tracking;
  Instant shipped{}, received_at{};
  std::int64_t units = 0, received = 0;
};

/// How the way of an order to its customer ended; no stream tells of it, only the seller can.
struct OrderDelivery {
  std::string order_id, state;
  Instant at{};
};

struct PlantedWorld {
  std::string currency;            ///< of the seller's first marketplace
  Instant start{};                 ///< what is later appears at half past an hour, as all else in the simulator
  Day opened{};                    ///< of the products' first stock
  bool blank_columns = false;      ///< the ledger does not tell what Amazon reconciled
  std::vector<PlantedCase> cases;
  std::vector<PlantedProduct> products;
  std::vector<LedgerRow> ledger;
  std::vector<ReimbursementRow> reimbursements;
  std::vector<ReturnRow> returns;
  std::vector<RemovalRow> removals;
  std::vector<StorageRow> storage;
  std::vector<PlantedShipment> shipments;
  std::vector<RemovalParcel> parcels;
  std::vector<OrderDelivery> deliveries;
  std::vector<Fact> facts;         ///< by the time they were posted

  /// When what happens at a moment is seen.
  Instant visible(Instant at) const;
  bool happened(Instant at, Instant now) const { return at != Instant::max() && visible(at) <= now; }
  /// How many units of a case have met each fate by `now`.
  std::array<std::int64_t, kFates> fates(const PlantedCase& c, Instant now) const;
  std::int64_t reconciled(const LedgerRow& row, Instant now) const;
};

/// A history shorter than this has no room for the stories: nothing is planted then.
constexpr int kLeastHistoryDays = 180;
PlantedWorld plant(const SellerSettings& settings, const std::vector<const Marketplace*>& marketplaces);
/// Planted shipments as they are at `now`.
void add_planted(const PlantedWorld& world, Instant now, std::vector<Shipment>& shipments);
/// A line of the monthly balances.
struct PlantedBalance {
  std::string fnsku, asin, sku, disposition, country;
  std::int64_t starting = 0, in_transit = 0, receipts = 0, shipments = 0, returns = 0, vendor_returns = 0, transfers = 0, found = 0, lost = 0, damaged = 0, disposed = 0, other = 0;
  std::int64_t ending() const { return starting + receipts + shipments + returns + vendor_returns + transfers + found + lost + damaged + disposed + other; }
};
/// Those of a month that is over.
std::vector<PlantedBalance> planted_balances(const PlantedWorld& world, Day month);
/// {"asOf":…,"costs":[…],"cases":[…],…}
std::string planted_truth(const PlantedWorld* world, Instant now);

/// What the world's card says that one unit costs to send: the fees of all facts agree with it where cases are planted.
std::int64_t fulfilment_fee(Instant at, std::int64_t ounces);
/// Of a cubic foot and month, in cents, or whole units of a currency without them.
std::int64_t storage_rate(Day month);
/// Cents, or whole units of a currency without them.
inline Micros planted_money(std::int64_t cents, std::string_view currency) { return Micros{cents * (currency == "JPY" ? 1'000'000 : 10'000)}; }
/// A month of one of the seller's other products.
Micros own_storage_fee(const Marketplace& marketplace, Day month);
constexpr std::int64_t kOwnOunces = 22;   // billed weight of the seller's other products, by their size

}  // namespace amzsim
