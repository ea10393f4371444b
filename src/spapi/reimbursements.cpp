// SPDX-License-Identifier: Apache-2.0
#include "spapi/reimbursements.hpp"

#include <algorithm>
#include <array>

namespace amzsync::spapi {
namespace {

constexpr std::array<std::string_view, 20> kAdjustmentTypes{
    "FBAInventoryReimbursement", "REVERSAL_REIMBURSEMENT", "WAREHOUSE_LOST",          "WAREHOUSE_LOST_MANUAL",
    "WAREHOUSE_DAMAGE",          "WAREHOUSE_DAMAGE_EXCEPTION", "MISSING_FROM_INBOUND", "INBOUND_CARRIER_DAMAGE",
    "CUSTOMER_DAMAGE",           "REMOVAL_ORDER_LOST",      "MULTICHANNEL_ORDER_LOST", "FREE_REPLACEMENT_REFUND_ITEMS",
    "CS_ERROR_ITEMS",            "RE_EVALUATION",           "INCORRECT_FEES_ITEMS",    "INCORRECT_FEES_NON_ITEMIZED",
    "PAYMENT_RETRACTION_ITEMS",  "Goodwill",                "GoodwillEvent",           "COMPENSATED_CLAWBACK",
};
constexpr std::string_view kClawback = "_CLAWBACK";

constexpr std::array<std::string_view, 1> kTransactionTypes{"FBAInventoryReimbursement"};
constexpr std::array<std::string_view, 2> kBreakdownTypes{"FBAInventoryReimbursement", "FBAReversedReimbursement"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& table, std::string_view name) noexcept {
  return std::find(table.begin(), table.end(), name) != table.end();
}

}  // namespace

bool is_reimbursement_adjustment(std::string_view type) noexcept {
  if (among(kAdjustmentTypes, type)) return true;
  // "MISSING_FROM_INBOUND_CLAWBACK": what was paid under the same name before is taken back.
  return type.ends_with(kClawback) && among(kAdjustmentTypes, type.substr(0, type.size() - kClawback.size()));
}

bool is_reimbursement_transaction(std::string_view type) noexcept { return among(kTransactionTypes, type); }
bool is_reimbursement_breakdown(std::string_view type) noexcept { return among(kBreakdownTypes, type); }

}  // namespace amzsync::spapi
