// SPDX-License-Identifier: Apache-2.0
// Recoveries, by the product's one definition: money credited for FBA reimbursements, net of reversals and clawbacks, each
// day from one source only.
#pragma once

#include <vector>

#include "store/money_rows.hpp"

namespace amzsync::store {

struct CurrencyTotal {
  std::string currency;
  Micros amount;
  std::int64_t count = 0;        ///< credited lines
};
struct MonthTotal {
  std::string month;             ///< 2026-08
  CurrencyTotal total;
};

struct Recoveries {
  std::vector<CurrencyTotal> totals;     ///< by currency, alphabetically
  std::vector<MonthTotal> months;        ///< only when asked for
  std::vector<std::string> sources;      ///< streams that contributed
  std::optional<Instant> as_of;          ///< newest instant up to which a source was read
  bool overflow = false;                 ///< a sum left the range of what can be held
};
Recoveries recoveries(Tx& tx, UserNo user, bool by_month);

/// Whether something that may be a reimbursement was received and could not be read.
bool has_unreadable_money(Tx& tx, UserNo user);

}  // namespace amzsync::store
