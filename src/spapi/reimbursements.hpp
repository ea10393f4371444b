// SPDX-License-Identifier: Apache-2.0
// Which money is an FBA reimbursement, its reversal or its clawback. Tables, because Amazon documents none of it whole:
// Finances v0 model (AdjustmentType), types observed in public settlement files, Finances 2024-06-19 breakdown types.
#pragma once

#include <string_view>

namespace amzsync::spapi {

/// Finances v0: AdjustmentEvent.AdjustmentType.
bool is_reimbursement_adjustment(std::string_view adjustment_type) noexcept;
/// Finances 2024-06-19: a transaction all of whose money is such.
bool is_reimbursement_transaction(std::string_view transaction_type) noexcept;
/// Finances 2024-06-19: a breakdown that is such inside a transaction of another type.
bool is_reimbursement_breakdown(std::string_view breakdown_type) noexcept;

}  // namespace amzsync::spapi
