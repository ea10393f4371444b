// SPDX-License-Identifier: Apache-2.0
#include "store/health.hpp"

#include "store/runs.hpp"

namespace amzsync::store {
namespace {

std::map<std::string, std::int64_t> counts(Rows r) {
  std::map<std::string, std::int64_t> found;
  while (r.next()) found[r.text(0)] = r.integer(1);
  return found;
}

}  // namespace

Health health_of(Tx& tx) {
  Health h;
  h.connections_by_region = counts(tx.rows("SELECT region, count(*) FROM connections WHERE state IN ('connected', 'needs_reauth') GROUP BY region"));
  h.lost = counts(tx.rows("SELECT state_reason, count(*) FROM connections WHERE state='needs_reauth' GROUP BY state_reason"));
  h.refused = counts(tx.rows("SELECT s.stream, count(*) FROM stream_states s JOIN connections c ON c.user_no=s.user_no AND c.state='connected' WHERE s.coverage='unauthorised' GROUP BY s.stream"));
  h.queued = tx.integer("SELECT count(*) FROM runs WHERE status='queued'").value_or(0);
  h.paused = everybody_paused(tx).has_value();
  // The dictionary holds the lists of the older source as well, which all end so.
  Rows types = tx.rows("SELECT name FROM event_types WHERE name NOT LIKE '%List' ORDER BY name");
  while (types.next()) h.transaction_types.push_back(types.text(0));
  Rows r = tx.rows("SELECT engine_no FROM engines WHERE closed_at IS NULL");
  while (r.next()) h.open_engines.push_back(r.id<EngineNo>(0));
  return h;
}

}  // namespace amzsync::store
