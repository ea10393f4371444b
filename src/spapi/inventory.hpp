// SPDX-License-Identifier: Apache-2.0
// FBA Inventory v1, getInventorySummaries: always a full snapshot with details. `startDateTime` is never sent: it is known to
// be ignored, to cut sets short, and not to see inbound changes (facts I2, I6).
#pragma once

#include <span>

#include "spapi/client.hpp"
#include "store/inventory_rows.hpp"

namespace amzsync::spapi {

struct InventoryPage {
  store::InventoryBatch batch;
  std::string next_token;
};

Request get_inventory_summaries(const MarketplaceId& marketplace, const std::string& page_token);

/// How many SKUs of a list one request by name can take, from its front: fifty at most, and no more than an address holds. At least one; a SKU with a
/// comma stands alone.
std::size_t skus_of_one_request(std::span<const std::string> skus);
/// The same call for so many SKUs.
Request get_inventory_of(const MarketplaceId& marketplace, std::span<const std::string> skus, const std::string& page_token);
/// Errors: bad_answer when the envelope is missing or itself reports errors.
Result<InventoryPage> decode_inventory(const JsonDocument& answer);

}  // namespace amzsync::spapi
