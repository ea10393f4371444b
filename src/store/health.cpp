// SPDX-License-Identifier: Apache-2.0
#include "store/health.hpp"

#include <algorithm>

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
  h.queued = tx.integer("SELECT count(*) FROM runs WHERE status IN ('queued', 'in_progress', 'detecting') AND holder=0").value_or(0);
  h.paused = everybody_paused(tx).has_value();
  // The dictionary holds the lists of the older source as well, which all end so.
  Rows types = tx.rows("SELECT name FROM event_types WHERE name NOT LIKE '%List' ORDER BY name");
  while (types.next()) h.transaction_types.push_back(types.text(0));
  Rows r = tx.rows("SELECT engine_no FROM engines WHERE closed_at IS NULL");
  while (r.next()) h.open_engines.push_back(r.id<EngineNo>(0));
  return h;
}

Load load_of(Tx& tx, EngineNo me) {
  Load load;
  Rows r = tx.rows(
      "SELECT count(*), coalesce(sum(CASE WHEN holder=0 THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN holder=?1 THEN 1 ELSE 0 END), 0), "
      "coalesce(sum(CASE WHEN holder<>0 AND lease_until<=?2 THEN 1 ELSE 0 END), 0), min(CASE WHEN parked=0 THEN created_at END) FROM runs WHERE status IN ('queued', 'in_progress', 'detecting')",
      me, tx.now());
  if (r.next()) {
    load.runs_active = r.integer(0);
    load.runs_queued = r.integer(1);
    load.runs_here = r.integer(2);
    load.runs_lapsed = r.integer(3);
    if (!r.is_null(4)) load.oldest_run = std::max(Duration{}, tx.now() - r.instant(4));
  }
  Rows c = tx.rows(
      "SELECT coalesce(sum(CASE WHEN state='connected' THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN state='needs_reauth' THEN 1 ELSE 0 END), 0), "
      "min(CASE WHEN state='connected' AND NOT EXISTS (SELECT 1 FROM pauses p WHERE p.user_no IN (connections.user_no, 0)) THEN next_sync_at END) FROM connections");
  if (c.next()) {
    load.connected = c.integer(0);
    load.needs_reauth = c.integer(1);
    if (!c.is_null(2)) load.overdue = std::max(Duration{}, tx.now() - c.instant(2));
  }
  load.everybody_paused = everybody_paused(tx).has_value();
  load.paused = tx.integer("SELECT count(*) FROM pauses WHERE user_no<>0").value_or(0);
  return load;
}

}  // namespace amzsync::store
