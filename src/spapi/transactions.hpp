// SPDX-License-Identifier: Apache-2.0
// Finances 2024-06-19, listTransactions: the primary source of money.
#pragma once

#include "spapi/financial_events.hpp"

namespace amzsync::spapi {

/// Never filters by marketplace or status: both are known to hide rows (facts 3.2, F11, F22).
Request list_transactions(const MoneyWindow& window, const std::string& page_token);
/// Whether a transactionType is one that was seen before (facts: spapi 3.2). The set is open; others are stored as they are.
bool is_known_transaction_type(std::string_view type) noexcept;

/// The token of the page after this answer; empty: it is the last one. Errors: bad_answer.
Result<std::string> next_transactions(const JsonDocument& answer);
Result<MoneyPage> decode_transactions(const JsonDocument& answer, const MoneyWindow& window);

}  // namespace amzsync::spapi
