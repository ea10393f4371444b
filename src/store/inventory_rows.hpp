// SPDX-License-Identifier: Apache-2.0
// FBA inventory: one current row per marketplace and SKU, what it said before in the history, closed when a complete walk of
// the marketplace no longer shows it (FBA Inventory v1, getInventorySummaries).
#pragma once

#include <array>
#include <set>
#include <vector>

#include "store/money_rows.hpp"
#include "store/runs.hpp"

namespace amzsync::store {

/// Quantities in the order of kInventoryQuantities; nullopt where Amazon told none.
constexpr std::array<std::string_view, 20> kInventoryQuantities{
    "total_quantity",       "fulfillable",           "inbound_working",       "inbound_shipped",     "inbound_receiving",
    "reserved_total",       "reserved_customer_orders", "reserved_transfers", "reserved_processing", "researching_total",
    "researching_short_term", "researching_mid_term", "researching_long_term", "unfulfillable_total", "customer_damaged",
    "warehouse_damaged",    "distributor_damaged",   "carrier_damaged",       "defective",           "expired"};

struct InventoryItem {
  std::string seller_sku, fnsku, asin, condition, product_name;  ///< all but the SKU may be empty
  std::array<std::optional<std::int64_t>, kInventoryQuantities.size()> quantities;
  std::optional<Instant> last_updated_at;
  std::string detail;   ///< JSON of everything else
  Hash128 content;
  std::vector<Fault> faults;
};

struct InventoryBatch {
  std::vector<InventoryItem> items;
  std::vector<Fault> unreadable;
};

Counts store_inventory_page(const RunTx& run, const MarketplaceId& marketplace, const InventoryBatch& batch);

/// A page of an earlier run, decoded anew: rows that are still open are written where they differ. What a later run wrote stays, and the
/// history is none of it: the stock was what it was.
Counts rewrite_inventory_page(const RunTx& run, const MarketplaceId& marketplace, const InventoryBatch& batch, RunNo told_by);

/// Ends a complete walk of a marketplace: SKUs that it did not show are closed.
Counts close_marketplace(const RunTx& run, const MarketplaceId& marketplace, const std::set<std::string>& seen_skus);

/// Open SKUs of a marketplace beside those given, by name.
std::vector<std::string> open_skus_beside(Tx& tx, UserNo user, const MarketplaceId& marketplace, const std::set<std::string>& seen_skus);
/// SKUs that had stock in a report of the last days of what the seller manages, that are not open in this marketplace, and of which it is not known that it
/// does not have them; by name.
std::vector<std::string> managed_skus_not_listed(Tx& tx, UserNo user, const MarketplaceId& marketplace);
/// Known for a month.
void remember_absent_skus(const RunTx& run, const MarketplaceId& marketplace, const std::vector<std::string>& skus);

std::int64_t inventory_count(Tx& tx, UserNo user);

}  // namespace amzsync::store
