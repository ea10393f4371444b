// SPDX-License-Identifier: Apache-2.0
// What "really" happened to a simulated seller: the facts from which both finance APIs are rendered and the truth is summed.
// Fact number i is computed, not stored, so a seller may have millions of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/money.hpp"
#include "base/time.hpp"
#include "sim/random.hpp"
#include "spapi/regions.hpp"

namespace amzsim {

using amzsync::base::Day;
using amzsync::base::Duration;
using amzsync::base::Instant;
using amzsync::base::Micros;
using amzsync::spapi::Marketplace;
using amzsync::spapi::Region;

enum class FactKind : std::uint8_t {
  shipment,
  refund,
  service_fee,        ///< undated in v0
  reimbursement,      ///< FBA, credited; its reversal when negative
  other_adjustment,   ///< reserve, postage: adjustments that are no reimbursement
  ads,
  rare                ///< one of the other v0 lists, by `rare_list`
};

struct Component {
  std::string type;
  Micros amount;
};

struct FactItem {
  std::string sku;
  std::string fnsku, asin;         ///< empty: as the renderers make them up
  std::string order_item_id;
  std::int64_t quantity = 1;
  std::vector<Component> charges;
  std::vector<Component> fees;
  std::vector<Component> promotions;
};

struct Fact {
  std::int64_t number = 0;
  FactKind kind = FactKind::shipment;
  int rare_list = 0;
  Instant posted{};
  const Marketplace* marketplace = nullptr;
  std::string order_id;
  std::string adjustment_type;
  bool named = true;               ///< carries an id of Amazon's; twins do not
  bool planted = false;            ///< money of a planted case, whose rows in the reports are its own
  bool deferred = false;           ///< the sale's money is released later
  Instant released{};
  std::vector<FactItem> items;

  Micros total() const;
  /// A release is shown some minutes after its date: who reads up to a few minutes ago has it as soon as it is there.
  bool was_released(Instant now) const { return deferred && released + std::chrono::minutes(5) <= now; }
};

struct SellerSettings {
  std::uint64_t seed = 7;
  int number = 1;                  ///< 1, 2, …
  Region region = Region::na;
  std::int64_t events = 5'000;
  std::int64_t skus = 500;
  Instant end{};                   ///< the newest fact; the oldest is `history` earlier
  Duration history = std::chrono::hours(24 * 540);
  bool goes_on = false;            ///< after `end` facts come as often as before
  std::int64_t title_bytes = 0;    ///< at least so long are product names in reports
  int planted = 0;                 ///< cases (planted.hpp); with any, the other facts give no reason for a claim
  bool planted_blank_columns = false;          ///< Amazon's reconciled and unreconciled quantities are left out
  std::vector<std::string> planted_rules;      ///< only cases of these; empty: of all
};

struct PlantedWorld;

/// Facts are asked for by their place in time: the seller's own, and among them those of planted cases.
class Seller {
 public:
  explicit Seller(SellerSettings settings);

  const SellerSettings& settings() const noexcept { return settings_; }
  const std::string& id() const noexcept { return id_; }
  const std::vector<const Marketplace*>& marketplaces() const noexcept { return marketplaces_; }
  std::int64_t fact_count() const noexcept { return settings_.events; }
  Fact fact(std::int64_t number) const;
  Instant posted(std::int64_t number) const;
  /// Whether Amazon shows the fact at that moment: some come a day and more after they were posted (facts F5).
  bool shown(std::int64_t number, Instant at) const;
  /// First fact posted at or after `at`.
  std::int64_t first_at(Instant at) const;
  std::string sku(std::int64_t number) const;
  /// As the reports and the shipments have it.
  std::string fnsku(const std::string& sku) const;
  /// So many more of its SKUs, the last ones of every marketplace, have no stock any more.
  void lose_stock(std::int64_t skus) { lost_skus_ += skus; }
  std::int64_t lost_skus() const noexcept { return lost_skus_; }
  /// Nothing when no case is planted. Made when it is first asked for, since a simulator may have many sellers whom nobody asks about.
  const PlantedWorld* planted() const;

 private:
  /// Which fact stands at a place: one of its own, by number, or a planted one, by index.
  struct Place {
    bool planted = false;
    std::int64_t number = 0;
  };
  Place place(std::int64_t number) const;
  Fact own_fact(std::int64_t number) const;
  void make_harmless(Fact& fact, std::int64_t original) const;
  Instant own_posted(std::int64_t number) const;
  std::int64_t own_first_at(Instant at) const;

  SellerSettings settings_;
  std::int64_t lost_skus_ = 0;
  std::string id_;
  std::vector<const Marketplace*> marketplaces_;
  mutable std::shared_ptr<const PlantedWorld> planted_;
  mutable std::vector<std::int64_t> planted_places_;   ///< of the planted facts, ascending
};

/// One SKU's stock in one marketplace.
struct StockRow {
  std::string sku, fnsku, asin, name;
  std::int64_t fulfillable = 0, inbound_working = 0, inbound_shipped = 0, inbound_receiving = 0;
  std::int64_t reserved_orders = 0, reserved_transfer = 0, reserved_processing = 0;
  std::int64_t research_short = 0, research_mid = 0, research_long = 0;
  std::int64_t customer_damaged = 0, warehouse_damaged = 0, distributor_damaged = 0, carrier_damaged = 0, defective = 0, expired = 0;

  std::int64_t reserved() const { return reserved_orders + reserved_transfer + reserved_processing; }
  std::int64_t researching() const { return research_short + research_mid + research_long; }
  std::int64_t unfulfillable() const { return customer_damaged + warehouse_damaged + distributor_damaged + carrier_damaged + defective + expired; }
  std::int64_t total() const {
    return fulfillable + inbound_working + inbound_shipped + inbound_receiving + reserved() + researching() + unfulfillable();
  }
};
/// Rows of a marketplace that have stock; a marketplace other than the first has a part of the SKUs only.
std::vector<StockRow> stock(const Seller& seller, std::size_t marketplace);

}  // namespace amzsim
