// SPDX-License-Identifier: Apache-2.0
// Answers about a user's data and connection as JSON, in the words of the product's contract.
#pragma once

#include "store/connections.hpp"
#include "detect/records.hpp"
#include "store/recoveries.hpp"
#include "sync/triggers.hpp"

namespace amzsync::sync {

/// Everything that the recoveries answer is made of, from one snapshot of the store.
struct RecoveriesFacts {
  store::Recoveries recoveries;
  detect::Totals findings;
  std::string home_currency;
  struct Coverage {
    std::string stream, state;
    std::optional<Day> from, until;
    std::int64_t days_read = 0, days_missing = 0;
    std::optional<Day> silent_since;   ///< it used to show rows and shows none since
  };
  std::vector<Coverage> coverage;
};
RecoveriesFacts recoveries_facts(store::Tx& tx, std::optional<UserNo> user, const SyncSettings& settings, bool by_month);

/// The body of GET …/recoveries. `trigger` only where there was nothing.
std::string recoveries_document(const RecoveriesFacts& facts, const std::optional<RecoveriesTrigger>& trigger, bool by_month);

/// The body of GET …/connection.
std::string connection_document(store::Tx& tx, std::optional<UserNo> user);

/// The snapshot in the `connected` event: connection and last sync.
std::string connected_document(store::Tx& tx, std::optional<UserNo> user, std::int64_t last_event_id, bool replay_gap);

}  // namespace amzsync::sync
