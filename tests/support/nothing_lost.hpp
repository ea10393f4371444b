// SPDX-License-Identifier: Apache-2.0
// Checks that a decoder lost nothing: every value of a payload stands somewhere in what was decoded.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "store/inventory_rows.hpp"
#include "store/money_rows.hpp"
#include "store/report_rows.hpp"

namespace support {

/// Values of `event` that are in no column, line or detail of `decoded`; empty when nothing is lost.
std::vector<std::string> lost(amzsync::base::Json event, const amzsync::store::MoneyEvent& decoded, const amzsync::store::MoneyBatch& batch);
std::vector<std::string> lost(amzsync::base::Json summary, const amzsync::store::InventoryItem& decoded);
/// Of a shipment to Amazon, or an item of one; all but the region of its address is meant to be lost.
std::vector<std::string> lost(amzsync::base::Json object, const amzsync::store::ReportRow& decoded, const amzsync::store::ReportTable& table);

}  // namespace support
