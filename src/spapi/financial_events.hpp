// SPDX-License-Identifier: Apache-2.0
// Finances v0, listFinancialEvents: the legacy source of money, all lists of events, those of tomorrow included.
#pragma once

#include <optional>
#include <string>

#include "base/json.hpp"
#include "base/time.hpp"
#include "spapi/client.hpp"
#include "store/money_rows.hpp"

namespace amzsync::spapi {

/// A span of time asked for, and where its walk stands.
struct MoneyWindow {
  Instant from{};          ///< inclusive; whole UTC day
  Instant until{};         ///< exclusive, at least 2 minutes before now (both APIs refuse less)
};

struct MoneyPage {
  store::MoneyBatch batch;
  std::string next_token;  ///< empty: the walk is over
  bool bare = false;       ///< neither list nor token: how v0 answers a bad token, and no word that there are no events
};

/// The most that Amazon gives.
constexpr int kEventsPerPage = 100;
Request list_financial_events(const MoneyWindow& window, const std::string& page_token, int events_per_page = kEventsPerPage);
/// The token of the page after this answer; empty: it is the last one. Errors: bad_answer.
Result<std::string> next_financial_events(const JsonDocument& answer);
/// Events without a date get the window's first day. Errors: bad_answer when the envelope is missing.
Result<MoneyPage> decode_financial_events(const JsonDocument& answer, const MoneyWindow& window);

}  // namespace amzsync::spapi
