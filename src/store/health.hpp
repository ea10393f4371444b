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
  std::int64_t queued = 0;
  bool paused = false;                                         ///< everybody
  std::vector<EngineNo> open_engines;                          ///< that have not said goodbye
};
Health health_of(Tx& tx);

}  // namespace amzsync::store
