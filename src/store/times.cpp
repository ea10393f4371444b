// SPDX-License-Identifier: Apache-2.0
#include "store/times.hpp"

#include "store/runs.hpp"

namespace amzsync::store {
namespace {

/// ?1 is now.
constexpr std::string_view kPutRight[]{
    // Nobody knows when that really was: what was read is read again.
    "UPDATE cells SET read_at=NULL, read_until=NULL WHERE read_at>?1 OR read_until>?1",
    "UPDATE stream_states SET last_success_at=NULL WHERE last_success_at>?1",
    "UPDATE run_streams SET ended_at=NULL WHERE ended_at>?1",
    "UPDATE archive SET read_until=?1 WHERE read_until>?1",   // a replay would make it newer than all that is read from now on
    "DELETE FROM inventory_absent WHERE asked_at>?1",
    "UPDATE report_jobs SET asked_at=0 WHERE state<>'over' AND listed='' AND asked_at>?1",   // overtaken: asked for anew
    "UPDATE connections SET access_expires_at=?1 WHERE access_obtained_at>?1",
    // What was to wait waits no longer. A sync that has no plan gets one.
    "DELETE FROM report_pauses WHERE until_at>?1",
    "UPDATE stream_states SET probe_at=?1 WHERE probe_at>?1",
    "UPDATE run_streams SET waiting_until=NULL WHERE waiting_until>?1",
    "UPDATE connections SET next_sync_at=NULL WHERE next_sync_at>?1",
    "UPDATE connections SET notified_due_at=?1 WHERE notified_due_at>?1",
    "UPDATE connections SET notified_at=NULL WHERE notified_at>?1",
    "UPDATE buckets SET as_of=?1 WHERE as_of>?1",
    // Ages begin now.
    "UPDATE connections SET authorised_at=?1 WHERE authorised_at>?1",
    "UPDATE app_secrets SET first_used_at=?1 WHERE first_used_at>?1",
    "UPDATE kept_tokens SET created_at=?1 WHERE created_at>?1",
    "UPDATE consents SET expires_at=?1+(expires_at-created_at), created_at=?1 WHERE created_at>?1",
    "UPDATE consents SET consumed_at=?1 WHERE consumed_at>?1",
    "UPDATE consents SET claimed_at=?1 WHERE claimed_at>?1",
    "UPDATE runs SET created_at=?1 WHERE created_at>?1",
    "UPDATE runs SET started_at=?1 WHERE started_at>?1",
    "UPDATE runs SET completed_at=?1 WHERE completed_at>?1",
    "UPDATE runs SET cancel_requested_at=?1 WHERE cancel_requested_at>?1",
    "UPDATE runs SET idle_since=?1 WHERE idle_since>?1",
    "UPDATE engines SET opened_at=?1 WHERE opened_at>?1",
    "UPDATE engines SET seen_at=?1 WHERE seen_at>?1",
    "UPDATE engines SET closed_at=?1 WHERE closed_at>?1",
};

/// What somebody may rightly hold for a moment more. ?1 is the end of the longest such moment.
struct Hold {
  Duration longest;
  std::string_view shorten;
};
constexpr Hold kHolds[]{
    {kRunLease, "UPDATE runs SET lease_until=?1 WHERE holder<>0 AND lease_until>?1"},
    {kRunLease, "UPDATE buckets SET held_until=?1 WHERE held_until>?1"},
    {std::chrono::minutes(2), "UPDATE connections SET refresh_until=?1 WHERE refresh_until>?1"},
};

}  // namespace

bool clock_was_ahead(Tx& tx) {
  const Instant to_come = tx.now() + kStepsBack;
  return tx.integer("SELECT 1 FROM engines WHERE opened_at>?1 OR seen_at>?1 OR closed_at>?1 LIMIT 1", to_come) ||
         tx.integer("SELECT 1 FROM runs WHERE run_no=(SELECT max(run_no) FROM runs) AND (created_at>?1 OR started_at>?1 OR completed_at>?1 OR lease_until>?2)", to_come, to_come + kRunLease);
}

void put_times_right(Tx& tx) {
  for (const std::string_view change : kPutRight) tx.run(change, tx.now());
  for (const Hold& hold : kHolds) tx.run(hold.shorten, tx.now() + hold.longest);
}

}  // namespace amzsync::store
