// SPDX-License-Identifier: Apache-2.0
#include "store/times.hpp"

#include <vector>

namespace amzsync::store {
namespace {

/// ?1 is now, ?2 the user.
struct Change {
  std::string_view what, where, of_user = "user_no=?2";
};
constexpr std::string_view kOfUsersRuns = "run_no IN (SELECT run_no FROM runs WHERE user_no=?2)";
constexpr Change kOfUsers[]{
    // Nobody knows when that really was: what was read is read again.
    {"UPDATE cells SET read_at=NULL, read_until=NULL", "read_at>?1 OR read_until>?1"},
    {"UPDATE cells SET first_read_at=?1", "first_read_at>?1"},
    {"UPDATE cells SET changed_at=?1", "changed_at>?1"},
    {"UPDATE stream_states SET last_success_at=NULL", "last_success_at>?1"},
    {"UPDATE run_streams SET ended_at=NULL", "ended_at>?1", kOfUsersRuns},
    {"UPDATE archive SET read_until=?1", "read_until>?1"},   // a replay would make it newer than all that is read from now on
    {"DELETE FROM inventory_absent", "asked_at>?1"},
    {"UPDATE report_jobs SET asked_at=0", "state<>'over' AND listed='' AND asked_at>?1"},   // overtaken: asked for anew
    {"UPDATE connections SET access_expires_at=?1", "access_obtained_at>?1"},
    // Of what a shipment was by then the last is known.
    {"DELETE FROM inbound_statuses", "seen_at>?1 AND EXISTS (SELECT 1 FROM inbound_statuses l WHERE l.user_no=inbound_statuses.user_no AND l.shipment_row=inbound_statuses.shipment_row AND "
                                     "l.seen_at>inbound_statuses.seen_at)"},
    {"UPDATE inbound_statuses SET seen_at=?1", "seen_at>?1"},
    // What was to wait waits no longer. A sync that has no plan gets one.
    {"DELETE FROM report_pauses", "until_at>?1"},
    {"UPDATE stream_states SET probe_at=?1", "probe_at>?1"},
    {"UPDATE run_streams SET waiting_until=NULL", "waiting_until>?1", kOfUsersRuns},
    {"UPDATE connections SET next_sync_at=NULL", "next_sync_at>?1"},
    {"UPDATE connections SET notified_due_at=?1", "notified_due_at>?1"},
    {"UPDATE connections SET notified_at=NULL", "notified_at>?1"},
    // Ages begin now.
    {"UPDATE connections SET authorised_at=?1", "authorised_at>?1"},
    {"UPDATE kept_tokens SET created_at=?1", "created_at>?1"},
    {"UPDATE consents SET expires_at=?1+(expires_at-created_at), created_at=?1", "created_at>?1"},
    {"UPDATE consents SET consumed_at=?1", "consumed_at>?1"},
    {"UPDATE consents SET claimed_at=?1", "claimed_at>?1"},
    {"UPDATE runs SET created_at=?1", "created_at>?1"},
    {"UPDATE runs SET started_at=?1", "started_at>?1"},
    {"UPDATE runs SET completed_at=?1", "completed_at>?1"},
    {"UPDATE runs SET cancel_requested_at=?1", "cancel_requested_at>?1"},
    {"UPDATE runs SET idle_since=?1", "idle_since>?1"},
};
constexpr std::string_view kOfNobody[]{
    "UPDATE buckets SET as_of=?1 WHERE as_of>?1",
    "UPDATE app_secrets SET first_used_at=?1 WHERE first_used_at>?1",
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

std::vector<std::string> changes(bool of_one_user) {
  std::vector<std::string> all;
  for (const Change& c : kOfUsers) all.push_back(std::string(c.what) + " WHERE (" + std::string(c.where) + ")" + (of_one_user ? " AND " + std::string(c.of_user) : ""));
  return all;
}

}  // namespace

bool clock_was_ahead(Tx& tx) {
  const Instant to_come = tx.now() + kStepsBack;
  return tx.integer("SELECT 1 FROM engines WHERE opened_at>?1 OR seen_at>?1 OR closed_at>?1 LIMIT 1", to_come) ||
         tx.integer("SELECT 1 FROM runs WHERE run_no=(SELECT max(run_no) FROM runs) AND (created_at>?1 OR started_at>?1 OR completed_at>?1 OR lease_until>?2)", to_come, to_come + kRunLease);
}

bool clock_was_ahead(Tx& tx, UserNo user) {
  // By the clock of the database; and with a day to spare where another clock dates it: Amazon's says up to when a report is known, a host's when it is asked for again.
  constexpr Duration kToSpare = std::chrono::hours(24), kLongestPause = std::chrono::hours(24);
  const Instant to_come = tx.now() + kStepsBack;
  return tx.integer("SELECT 1 FROM connections WHERE user_no=?1 AND authorised_at>?2", user, to_come) ||
         tx.integer("SELECT 1 FROM stream_states WHERE user_no=?1 AND last_success_at>?2 LIMIT 1", user, to_come) ||
         tx.integer("SELECT 1 FROM report_pauses WHERE user_no=?1 AND until_at>?2 LIMIT 1", user, to_come + kLongestPause + kToSpare) ||
         tx.integer("SELECT 1 FROM cells WHERE user_no=?1 AND (read_at>?2 OR read_until>?3) LIMIT 1", user, to_come, to_come + kToSpare);
}

void put_times_right(Tx& tx) {
  static const std::vector<std::string> kChanges = changes(false);
  for (const std::string& change : kChanges) tx.run(change, tx.now());
  for (const std::string_view change : kOfNobody) tx.run(change, tx.now());
  for (const Hold& hold : kHolds) tx.run(hold.shorten, tx.now() + hold.longest);
}

void put_times_right(const RunTx& run) {
  static const std::vector<std::string> kChanges = changes(true);
  for (const std::string& change : kChanges) run.tx().run(change, run.tx().now(), run.user());
}

}  // namespace amzsync::store
