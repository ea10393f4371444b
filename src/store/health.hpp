// SPDX-License-Identifier: Apache-2.0
// How the whole of it stands, over all users: for operators alone, never for a user.
#pragma once

#include <map>
#include <vector>

#include "store/sql.hpp"

namespace amzsync::store {

struct Health {
  std::map<std::string, std::int64_t> connections_by_region;   ///< connected, or lost
  std::map<std::string, std::int64_t> lost;                    ///< whose seller has to agree anew, by the reason
  std::map<std::string, std::int64_t> refused;                 ///< connected users whose last sync lacked a role for a stream, by stream
  std::vector<std::string> transaction_types;                  ///< that were ever seen
  std::int64_t queued = 0;                                     ///< syncs that nobody performs
  bool paused = false;                                         ///< everybody
  std::vector<EngineNo> open_engines;                          ///< that have not said goodbye
};
Health health_of(Tx& tx);

/// How much there is to do, and how far behind it is.
struct Load {
  std::int64_t runs_here = 0, runs_active = 0;
  std::int64_t runs_queued = 0;   ///< that nobody performs: new ones, and those whose worker let go of them or died
  std::int64_t runs_lapsed = 0;   ///< whose worker let its lease run out, and that nobody has taken over yet
  std::int64_t connected = 0, needs_reauth = 0;
  std::int64_t paused = 0;        ///< users, each by himself
  bool everybody_paused = false;
  Duration oldest_run{};          ///< since the sync that was asked for first was, of those that are not over and not paused
  Duration overdue{};             ///< how late the latest of the planned syncs is
};
Load load_of(Tx& tx, EngineNo me);

}  // namespace amzsync::store
