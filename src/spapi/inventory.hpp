// SPDX-License-Identifier: Apache-2.0
// FBA Inventory v1, getInventorySummaries: always a full snapshot with details. `startDateTime` is never sent: it is known to
// be ignored, to cut sets short, and not to see inbound changes (facts I2, I6).
#pragma once

#include "spapi/client.hpp"
#include "store/inventory_rows.hpp"

namespace amzsync::spapi {

struct InventoryPage {
  store::InventoryBatch batch;
  std::string next_token;
};

Request get_inventory_summaries(const MarketplaceId& marketplace, const std::string& page_token);
/// Errors: bad_answer when the envelope is missing or itself reports errors.
Result<InventoryPage> decode_inventory(const JsonDocument& answer);

}  // namespace amzsync::spapi
