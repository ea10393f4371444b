// SPDX-License-Identifier: Apache-2.0
#include "store/runs.hpp"

#include <array>

#include "base/json_writer.hpp"
#include "store/connections.hpp"
#include "store/documents.hpp"
#include "store/journal.hpp"
#include "store/stream_list.hpp"
#include "store/users.hpp"

namespace amzsync::store {
namespace {

constexpr std::array<std::string_view, 7> kStatusNames{"queued", "in_progress", "detecting", "completed", "partial", "failed", "cancelled"};
constexpr std::array<std::string_view, 7> kCauseNames{"oauth_callback", "bypass", "recoveries", "manual", "schedule", "replay", "notification"};
constexpr std::int64_t kEverybody = 0;
constexpr Duration kWaitsLong = std::chrono::hours(1);
/// Calls count for so long where users take turns by calls: for the user's next sync, and against one that waits.
constexpr Duration kCallsCount = std::chrono::minutes(15);
constexpr std::int64_t kMostIdleClaims = 20;
constexpr Duration kLongestIdle = std::chrono::hours(1);

/// Whether a person waits for what it reads.
bool is_interactive(std::string_view cause) noexcept { return cause != cause_name(Cause::schedule) && cause != cause_name(Cause::notification); }

/// What a new run begins with: the calls of its user's syncs of late, which fade, lest who triggers again and again is always served first. ?2 is the user, ?8 now,
/// ?9 kCallsCount.
std::string served_of_late() {
  return "coalesce((SELECT CASE WHEN completed_at<=?8-?9 THEN 0 WHEN completed_at>=?8 THEN served ELSE served*(completed_at-?8+?9)/?9 END FROM runs WHERE user_no=?2 ORDER BY run_no DESC LIMIT 1), 0)";
}

void tell_start(Tx& tx, UserNo user, RunNo run) { append_event(tx, user, "sync.started", run_payload(tx, run)); }

/// The terminal event by status; a partial run did complete what it could.
std::string_view terminal_event(RunStatus status) noexcept {
  switch (status) {
    case RunStatus::failed: return "sync.failed";
    case RunStatus::cancelled: return "sync.cancelled";
    default: return "sync.completed";
  }
}

std::optional<SyncId> queue_follow_up(Tx& tx, UserNo user, RunNo run, const SyncId& id) {
  Rows r = tx.rows("SELECT run_again, run_again_asked, connection_no FROM runs WHERE run_no=?1 AND run_again IS NOT NULL", run);
  if (!r.next()) return std::nullopt;
  const std::string cause = r.text(0);
  const std::string asked = r.text(1);
  const std::int64_t connection = r.integer(2);
  // Somebody may have disconnected meanwhile: then there is nothing to run again on. Where the seller must agree anew what was accepted ends by that word.
  const auto now_connected = find_connection(tx, user);
  if (!now_connected || now_connected->state == ConnectionState::pending || now_connected->state == ConnectionState::disconnected) return std::nullopt;
  static const std::string sql =
      "INSERT INTO runs(sync_id, user_no, connection_no, status, cause, interactive, asked, created_at, parked, served) VALUES(?1, ?2, ?3, 'queued', ?4, ?7, ?5, ?6, "
      "(SELECT count(*) FROM pauses WHERE user_no=?2), " + served_of_late() + ") RETURNING run_no";
  const auto number = tx.integer(sql, id, user, connection, cause, asked, tx.now(), is_interactive(cause), tx.now(), kCallsCount.count());
  if (number) tell_start(tx, user, RunNo{*number});
  return id;
}

/// Whether a run did all that could be done.
bool is_whole(RunStatus status) noexcept { return status == RunStatus::completed || status == RunStatus::partial; }

/// Status, milestone 100 where deserved, terminal event.
void end_run(Tx& tx, UserNo user, RunNo run, RunStatus status, const std::optional<Error>& error) {
  const bool whole = is_whole(status);
  tx.run(
      "UPDATE runs SET status=?2, completed_at=?3, holder=0, lease_until=0, phase='over', detail='', eta_seconds=NULL, error=?4, error_code=?5, "
      "message=CASE WHEN ?6=1 THEN message ELSE ?7 END WHERE run_no=?1",
      run, status_name(status), tx.now(), error ? std::optional(error_json(*error)) : std::nullopt, error ? std::optional(error->name()) : std::nullopt, whole,
      status == RunStatus::cancelled ? std::string("Sync cancelled") : "Sync failed: " + (error ? error->message : std::string()));
  tx.run("UPDATE run_streams SET waiting_until=NULL, status=CASE WHEN status IN ('waiting', 'running') THEN 'incomplete' ELSE status END WHERE run_no=?1", run);
  tx.run("DELETE FROM run_progress WHERE run_no=?1", run);
  if (whole) {
    tx.run("UPDATE runs SET progress=100, message='Complete' WHERE run_no=?1", run);
    append_event(tx, user, "sync_progress", progress_payload(tx, run));
  }
  append_event(tx, user, terminal_event(status), run_payload(tx, run));
}

}  // namespace

std::string_view status_name(RunStatus status) noexcept { return kStatusNames[static_cast<std::size_t>(status)]; }
RunStatus status_from(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kStatusNames.size(); ++i)
    if (kStatusNames[i] == name) return static_cast<RunStatus>(i);
  return RunStatus::failed;
}
std::string_view cause_name(Cause cause) noexcept { return kCauseNames[static_cast<std::size_t>(cause)]; }

namespace {

bool is_of_another_region(const Connection& connection, const TriggerRequest& request) { return !request.region.empty() && connection.region != request.region; }

/// The run that a request finds there.
struct Found {
  RunNo run;
  SyncId id;
  bool covers = false;        ///< the request too, as it is
  bool interactive = false;
  std::string again, again_asked;   ///< what runs after it, if anything
  std::string asked, joined;        ///< what it reads, and with the names of the request
};

std::optional<Found> find_active(Tx& tx, const TriggerRequest& request) {
  Rows r = tx.rows(
      "SELECT run_no, sync_id, asked, status, coalesce(run_again, ''), run_again_asked, cause, cancel_requested_at IS NOT NULL, interactive FROM runs WHERE user_no=?1 AND status IN ('queued', 'in_progress', 'detecting')",
      request.user);
  if (!r.next()) return std::nullopt;
  // A run that was not claimed yet will see the new authorisation itself; streams it was not asked for it will not.
  const bool covers_authorisation = !request.covers_new || r.view(3) == "queued";
  const bool reads_amazon = r.view(6) != cause_name(Cause::replay);
  // One that ends cancelled covers nothing that was asked for after the cancel.
  const bool is_cancelling = r.flag(7);
  const bool covers = !is_cancelling && reads_amazon && covers_authorisation && covers_streams(r.view(2), request.wanted);
  return Found{r.id<RunNo>(0), r.id<SyncId>(1), covers, r.flag(8), r.text(4), r.text(5), r.text(2), joined_streams(r.view(2), request.wanted.streams)};
}

}  // namespace

std::optional<TriggerOutcome> attach(Tx& tx, const TriggerRequest& request) {
  const auto connection = find_connection(tx, request.user);
  if (!connection || connection->state != ConnectionState::connected || request.cause == Cause::replay || is_of_another_region(*connection, request)) return std::nullopt;
  const auto found = find_active(tx, request);
  if (!found || !found->covers || found->joined != found->asked || (is_interactive(cause_name(request.cause)) && !found->interactive)) return std::nullopt;
  return TriggerOutcome{found->id, true, pause_of(tx, request.user).has_value()};
}

Result<TriggerOutcome> trigger(Tx& tx, const TriggerRequest& request) {
  const auto connection = find_connection(tx, request.user);
  const bool replay = request.cause == Cause::replay;
  if (!connection || (!replay && (connection->state == ConnectionState::pending || connection->state == ConnectionState::disconnected))) return Code::not_connected;
  if (!replay && connection->state == ConnectionState::needs_reauth) return must_agree_anew(connection->state_reason);
  if (!replay && is_of_another_region(*connection, request)) return Error(Code::wrong_region, "The seller is connected in the region " + connection->region + ", and this application is set up for " + request.region + ".");

  const bool interactive = is_interactive(cause_name(request.cause));
  const bool paused = pause_of(tx, request.user).has_value();
  static const std::string sql =
      "INSERT INTO runs(sync_id, user_no, connection_no, status, cause, interactive, asked, created_at, parked, served) "
      "VALUES(?1, ?2, ?3, 'queued', ?4, ?5, ?6, ?7, (SELECT count(*) FROM pauses WHERE user_no=?2), " + served_of_late() + ") "
      "ON CONFLICT (user_no) WHERE status IN ('queued', 'in_progress', 'detecting') DO NOTHING RETURNING run_no";
  const auto created = tx.integer(sql, request.new_id, request.user, connection->number, cause_name(request.cause), interactive, request.wanted.streams, tx.now(), tx.now(), kCallsCount.count());
  if (created) {
    tell_start(tx, request.user, RunNo{*created});
    return TriggerOutcome{request.new_id, false, paused};
  }
  const auto active = find_active(tx, request);
  if (!active) return Code::internal;
  if (replay) return Code::sync_in_progress;
  if (!active->covers) {
    // What several triggers ask for is read by one run after this one.
    const std::string asked = active->again.empty() ? request.wanted.streams : joined_streams(active->again_asked, request.wanted.streams);
    tx.run("UPDATE runs SET run_again=CASE WHEN ?4=1 THEN ?2 ELSE coalesce(run_again, ?2) END, run_again_asked=?3 WHERE run_no=?1", active->run, cause_name(request.cause), asked,
           interactive && !is_interactive(active->again));
  } else if (active->joined != active->asked) {
    // It would read them anyway, but what is asked for by name must be readable, whoever goes on with it.
    tx.run("UPDATE runs SET asked=?2 WHERE run_no=?1", active->run, active->joined);
  }
  if (interactive && !active->interactive) tx.run("UPDATE runs SET interactive=1 WHERE run_no=?1", active->run);
  return TriggerOutcome{active->id, true, paused, !active->covers};
}

namespace {

/// How much a run has got done; grows.
std::int64_t work_of(Tx& tx, RunNo run) {
  return tx.integer("SELECT sum(fetched + slices_done) + sum(CASE WHEN status IN ('waiting', 'running') THEN 0 ELSE 1 END) FROM run_streams WHERE run_no=?1", run).value_or(0);
}

/// Whether it should be taken up again: not when for long worker after worker was lost before it got anything done.
bool is_worth_another_try(Tx& tx, RunNo run) {
  const std::int64_t work = work_of(tx, run);
  Rows r = tx.rows(
      "UPDATE runs SET idle_claims=CASE WHEN work_when_claimed=?2 THEN idle_claims+1 ELSE 0 END, idle_since=CASE WHEN work_when_claimed=?2 THEN idle_since ELSE ?3 END, work_when_claimed=?2 "
      "WHERE run_no=?1 RETURNING idle_claims, idle_since",
      run, work, tx.now());
  return !r.next() || r.integer(0) < kMostIdleClaims || tx.now() - r.instant(1) < kLongestIdle;
}

}  // namespace

namespace {

/// Of a run that waits: an engine of that region can perform it, as any can rebuild rows from what is archived. ?1 is the region.
constexpr std::string_view kOfRegion = " AND (?1='' OR cause='replay' OR EXISTS (SELECT 1 FROM connections c WHERE c.user_no=runs.user_no AND c.region=?1))";

/// The calls of who waits for long count no more, unless somebody who had none yet has waited for about as long.
void forget_old_calls(Tx& tx, std::string_view region) {
  static const std::string first_without = "SELECT created_at FROM runs WHERE status IN ('queued', 'in_progress', 'detecting') AND holder=0 AND parked=0 AND interactive=?2 AND served=0" + std::string(kOfRegion) + " ORDER BY run_no LIMIT 1";
  // Where its workers get on, idleness is counted from when it was last taken up.
  static const std::string forget = "UPDATE runs SET served=0 WHERE status IN ('queued', 'in_progress', 'detecting') AND holder=0 AND parked=0 AND interactive=?2 AND served>0 AND coalesce(idle_since, created_at)<=?3" + std::string(kOfRegion);
  for (const bool interactive : {true, false}) {
    const auto first = tx.integer(first_without, region, interactive);
    const Instant now = first ? std::min(from_us(*first), tx.now()) : tx.now();
    tx.run(forget, region, interactive, now - kCallsCount);
  }
}

}  // namespace

std::optional<ClaimedRun> claim(Tx& tx, EngineNo me, Duration lease, std::string_view region) {
  if (tx.integer("SELECT 1 FROM pauses WHERE user_no=?1", kEverybody)) return std::nullopt;
  // Our own leases we renew ourselves: when they seem to be over, the clock has jumped.
  tx.run("UPDATE runs SET holder=0, lease_until=0 WHERE status IN ('queued', 'in_progress', 'detecting') AND holder<>0 AND holder<>?1 AND lease_until<=?2", me, tx.now());
  tx.run("UPDATE runs SET interactive=1 WHERE status IN ('queued', 'in_progress', 'detecting') AND holder=0 AND parked=0 AND interactive=0 AND created_at<=?1", tx.now() - kWaitsLong);
  forget_old_calls(tx, region);
  const auto next = tx.integer("SELECT run_no FROM runs WHERE status IN ('queued', 'in_progress', 'detecting') AND holder=0 AND parked=0" + std::string(kOfRegion) + " ORDER BY interactive DESC, served, run_no LIMIT 1" + std::string(tx.lock_unclaimed()), region);
  if (!next) return std::nullopt;
  ClaimedRun run;
  run.given_up = !is_worth_another_try(tx, RunNo{*next});
  {
    Rows r = tx.rows(
        "UPDATE runs SET status=CASE status WHEN 'queued' THEN 'in_progress' ELSE status END, holder=?2, lease_until=?3, "
        "fence=fence+1, started_at=coalesce(started_at, ?4) WHERE run_no=?1 RETURNING user_no, sync_id, connection_no, asked, fence, cancel_requested_at, "
        "progress, fence=1, cause, calls",
        *next, me, tx.now() + lease, tx.now());
    if (!r.next()) return std::nullopt;
    run.fence = {RunNo{*next}, r.id<UserNo>(0), me, r.integer(4)};
    run.id = r.id<SyncId>(1);
    run.connection = r.id<ConnectionNo>(2);
    run.asked = r.text(3);
    run.cancel_requested = !r.is_null(5);
    run.progress = static_cast<int>(r.integer(6));
    run.first_claim = r.flag(7);
    run.replay = r.view(8) == cause_name(Cause::replay);
    run.calls = r.integer(9);
  }
  run.user_id = user_id_of(tx, run.fence.user);
  if (run.first_claim && !run.cancel_requested) {
    if (auto entered = RunTx::enter(tx, run.fence)) milestone(*entered, 10, "Starting sync", "starting", "");
  }
  return run;
}

Unheld look_for_unheld(Tx& tx, EngineNo me, std::string_view region) {
  Unheld unheld;
  unheld.cancelled = tx.integer("SELECT 1 FROM runs WHERE status IN ('queued', 'in_progress', 'detecting') AND cancel_requested_at IS NOT NULL AND (holder=0 OR (holder<>?1 AND lease_until<=?2)) LIMIT 1", me, tx.now()).has_value();
  if (tx.integer("SELECT 1 FROM pauses WHERE user_no=?1", kEverybody)) return unheld;
  unheld.claimable = waiting_runs(tx, 1, region) > 0 ||
                     tx.integer("SELECT 1 FROM runs WHERE status IN ('queued', 'in_progress', 'detecting') AND holder<>0 AND holder<>?1 AND lease_until<=?2 LIMIT 1", me, tx.now());
  return unheld;
}

Result<RunTx> RunTx::enter(Tx& tx, const Fence& fence) {
  const auto held = tx.integer(
      "SELECT 1 FROM runs WHERE run_no=?1 AND fence=?2 AND holder=?3 AND status IN ('queued', 'in_progress', 'detecting')", fence.run, fence.token, fence.holder);
  if (!held) return Code::fenced;
  return RunTx(tx, fence);
}

Result<Pulse> renew(Tx& tx, const Fence& fence, Duration lease) {
  Rows r = tx.rows(
      "UPDATE runs SET lease_until=CASE WHEN lease_until<?4 THEN ?4 ELSE lease_until END, "
      "eta_seconds=CASE WHEN lease_until>=?4 THEN eta_seconds WHEN eta_seconds>(?4-lease_until)/1000000 THEN eta_seconds-(?4-lease_until)/1000000 ELSE NULL END WHERE run_no=?1 AND fence=?2 AND holder=?3 AND status IN ('queued', 'in_progress', 'detecting') "
      "RETURNING cancel_requested_at",
      fence.run, fence.token, fence.holder, tx.now() + lease);
  if (!r.next()) return Code::fenced;
  return Pulse{!r.is_null(0)};
}

void release(Tx& tx, const Fence& fence, CallCount calls, bool in_order) {
  tx.run("UPDATE runs SET lease_until=0, holder=0, served=served+?4, calls=CASE WHEN calls<?6 THEN ?6 ELSE calls END, work_when_claimed=CASE WHEN ?5=1 THEN -1 ELSE work_when_claimed END WHERE run_no=?1 AND fence=?2 AND holder=?3",
         fence.run, fence.token, fence.holder, calls.turn, in_order, calls.run);
}

CancelOutcome request_cancel(Tx& tx, UserNo user, const SyncId& id, std::string_view by) {
  Rows r = tx.rows("SELECT run_no, status FROM runs WHERE user_no=?1 AND sync_id=?2", user, id);
  if (!r.next()) return {};
  if (is_over(status_from(r.view(1)))) return {true, true};
  tx.run("UPDATE runs SET cancel_requested_at=coalesce(cancel_requested_at, ?2), cancelled_by=CASE WHEN cancel_requested_at IS NULL THEN ?3 ELSE cancelled_by END WHERE run_no=?1", r.id<RunNo>(0), tx.now(), by);
  return {true, false};
}

std::vector<CancelledRun> take_cancelled(Tx& tx, EngineNo me, Instant unheard_since) {
  std::vector<CancelledRun> runs;
  Rows r = tx.rows(
      "UPDATE runs SET fence=fence+1, holder=?1, lease_until=?2 WHERE status IN ('queued', 'in_progress', 'detecting') AND cancel_requested_at IS NOT NULL AND "
      "(holder=0 OR (holder<>?1 AND (lease_until<=?2 OR cancel_requested_at<?3))) RETURNING run_no, user_no, fence, cause",
      me, tx.now(), unheard_since);
  while (r.next()) runs.push_back({{r.id<RunNo>(0), r.id<UserNo>(1), me, r.integer(2)}, r.view(3) == cause_name(Cause::replay)});
  return runs;
}

std::vector<EngineNo> holders_of_cancelled(Tx& tx, EngineNo me) {
  std::vector<EngineNo> holders;
  Rows r = tx.rows("SELECT DISTINCT holder FROM runs WHERE status IN ('queued', 'in_progress', 'detecting') AND cancel_requested_at IS NOT NULL AND holder NOT IN (0, ?1)", me);
  while (r.next()) holders.push_back(r.id<EngineNo>(0));
  return holders;
}

std::optional<ActiveRun> active_run(Tx& tx, UserNo user) {
  Rows r = tx.rows("SELECT run_no, sync_id, status FROM runs WHERE user_no=?1 AND status IN ('queued', 'in_progress', 'detecting')", user);
  if (!r.next()) return std::nullopt;
  return ActiveRun{r.id<RunNo>(0), r.id<SyncId>(1), status_from(r.view(2))};
}

std::optional<LastRun> last_run(Tx& tx, UserNo user, const std::function<bool(std::string_view asked)>& of) {
  Rows r = tx.rows("SELECT status, completed_at, error_code, asked FROM runs WHERE user_no=?1 AND cause<>'replay' ORDER BY run_no DESC", user);
  bool found = r.next();
  while (found && !of(r.view(3))) found = r.next();
  if (!found) return std::nullopt;
  LastRun run{status_from(r.view(0)), r.instant(1), Retry::later, r.text(2)};
  if (const auto code = code_from_name(run.error_code)) run.retry = code_retry(*code);
  return run;
}

std::string asked_of(Tx& tx, RunNo run) {
  Rows r = tx.rows("SELECT asked FROM runs WHERE run_no=?1", run);
  return r.next() ? r.text(0) : std::string();
}

std::vector<RunNo> cancel_requests(Tx& tx, EngineNo me) {
  std::vector<RunNo> runs;
  Rows r = tx.rows(
      "SELECT run_no FROM runs WHERE status IN ('queued', 'in_progress', 'detecting') AND holder<>0 AND holder=?1 AND cancel_requested_at IS NOT NULL", me);
  while (r.next()) runs.push_back(r.id<RunNo>(0));
  return runs;
}

std::vector<RunNo> pause_requests(Tx& tx, EngineNo me) {
  std::vector<RunNo> runs;
  const bool all = tx.integer("SELECT 1 FROM pauses WHERE user_no=?1", kEverybody).has_value();
  Rows r = tx.rows(all ? "SELECT run_no FROM runs WHERE status IN ('queued', 'in_progress', 'detecting') AND holder<>0 AND holder=?1"
                       : "SELECT run_no FROM runs WHERE status IN ('queued', 'in_progress', 'detecting') AND holder<>0 AND parked=1 AND holder=?1", me);
  while (r.next()) runs.push_back(r.id<RunNo>(0));
  return runs;
}

std::int64_t waiting_runs(Tx& tx, int at_most, std::string_view region) {
  // In the order of the index that has only these: without one SQLite looks through all that are active.
  static const std::string sql = "SELECT count(*) FROM (SELECT 1 FROM runs WHERE status IN ('queued', 'in_progress', 'detecting') AND holder=0 AND parked=0" + std::string(kOfRegion) + " ORDER BY interactive DESC, served, run_no LIMIT ?2) w";
  return tx.integer(sql, region, at_most).value_or(0);
}

void milestone(const RunTx& run, int progress, std::string_view message, std::string_view phase, std::string_view detail) {
  // A run that was taken over may pass a milestone again; it was told once and stays told once.
  const auto raised = run.tx().run("UPDATE runs SET progress=?2, message=?3, phase=?4, detail=?5, eta_seconds=NULL WHERE run_no=?1 AND progress<?2", run.run(), progress, message,
                                   phase, detail);
  if (raised == 0) {
    run.tx().run("UPDATE runs SET phase=?2, detail=?3 WHERE run_no=?1", run.run(), phase, detail);
    return;
  }
  // What passed before it must not be shown after it.
  run.tx().run("DELETE FROM run_progress WHERE run_no=?1", run.run());
  append_event(run.tx(), run.user(), "sync_progress", progress_payload(run.tx(), run.run()));
}

void note_calls(const RunTx& run, std::int64_t calls) { run.tx().post("UPDATE runs SET calls=?2 WHERE run_no=?1 AND calls<?2", run.run(), calls); }

void begin_detecting(const RunTx& run) { run.tx().run("UPDATE runs SET status='detecting', phase='detecting' WHERE run_no=?1", run.run()); }

void pass_progress(const RunTx& run, const PassingState& s) {
  note_calls(run, s.calls);
  run.tx().run("UPDATE runs SET progress=CASE WHEN progress<?2 THEN ?2 ELSE progress END, phase=?3, detail=?4, eta_seconds=?5 WHERE run_no=?1", run.run(), s.progress, s.phase,
               s.detail, s.eta_seconds);
  for (const auto& [stream, until] : s.waiting) run.tx().run("UPDATE run_streams SET waiting_until=?3 WHERE run_no=?1 AND stream=?2", run.run(), stream, until);
  const auto version = run.tx().next_place();
  run.tx().run(
      "INSERT INTO run_progress(run_no, user_no, version, payload) VALUES(?1, ?2, ?3, ?4) "
      "ON CONFLICT (run_no) DO UPDATE SET version=excluded.version, payload=excluded.payload",
      run.run(), run.user(), version, progress_payload(run.tx(), run.run()));
}

Counts& Counts::operator+=(const Counts& o) noexcept {
  fetched += o.fetched;
  added += o.added;
  changed += o.changed;
  removed += o.removed;
  unchanged += o.unchanged;
  rejected += o.rejected;
  return *this;
}

void begin_stream(const RunTx& run, std::string_view stream) {
  run.tx().run("INSERT INTO run_streams(run_no, stream, status) VALUES(?1, ?2, 'running') ON CONFLICT (run_no, stream) DO UPDATE SET status='running', error=NULL",
               run.run(), stream);
}

void add_counts(const RunTx& run, std::string_view stream, const Counts& c) {
  run.tx().run(
      "UPDATE run_streams SET fetched=fetched+?3, added=added+?4, changed=changed+?5, removed=removed+?6, unchanged=unchanged+?7, rejected=rejected+?8 "
      "WHERE run_no=?1 AND stream=?2",
      run.run(), stream, c.fetched, c.added, c.changed, c.removed, c.unchanged, c.rejected);
}

namespace {

Counts read_counts(Rows r) {
  if (!r.next()) return {};
  return {r.integer(0), r.integer(1), r.integer(2), r.integer(3), r.integer(4), r.integer(5)};
}

}  // namespace

Counts counts_of(Tx& tx, RunNo run) {
  return read_counts(
      tx.rows("SELECT sum(fetched), sum(added), sum(changed), sum(removed), sum(unchanged), sum(rejected) FROM run_streams WHERE run_no=?1 AND stream<>'participations'", run));
}

Counts counts_of(Tx& tx, RunNo run, std::string_view stream) {
  return read_counts(tx.rows("SELECT fetched, added, changed, removed, unchanged, rejected FROM run_streams WHERE run_no=?1 AND stream=?2", run, stream));
}

std::map<std::string, Counts> counts_by_stream(Tx& tx, RunNo run) {
  std::map<std::string, Counts> all;
  Rows r = tx.rows("SELECT stream, fetched, added, changed, removed, unchanged, rejected FROM run_streams WHERE run_no=?1", run);
  while (r.next()) all[r.text(0)] = {r.integer(1), r.integer(2), r.integer(3), r.integer(4), r.integer(5), r.integer(6)};
  return all;
}

std::vector<std::string> complete_streams(Tx& tx, RunNo run, Instant since) {
  std::vector<std::string> streams;
  Rows r = tx.rows("SELECT stream FROM run_streams WHERE run_no=?1 AND status='complete' AND ended_at>=?2", run, since);
  while (r.next()) streams.push_back(r.text(0));
  return streams;
}

std::vector<std::string> begun_streams(Tx& tx, RunNo run) {
  std::vector<std::string> all;
  Rows r = tx.rows("SELECT stream FROM run_streams WHERE run_no=?1", run);
  while (r.next()) all.push_back(r.text(0));
  return all;
}

std::int64_t slices_done(Tx& tx, RunNo run, std::string_view stream) { return tx.integer("SELECT slices_done FROM run_streams WHERE run_no=?1 AND stream=?2", run, stream).value_or(0); }

void set_slices(const RunTx& run, std::string_view stream, std::int64_t done, std::int64_t known) {
  run.tx().run("UPDATE run_streams SET slices_done=?3, slices_known=?4 WHERE run_no=?1 AND stream=?2", run.run(), stream, done, known);
}

void end_stream(const RunTx& run, std::string_view stream, std::string_view status, std::string_view coverage, std::int64_t calls, const std::optional<Error>& error) {
  run.tx().run("UPDATE run_streams SET status=?3, coverage=?4, calls=calls+?5, error=?6, waiting_until=NULL, ended_at=?7 WHERE run_no=?1 AND stream=?2", run.run(), stream, status,
               coverage, calls, error ? std::optional(error_json(*error)) : std::nullopt, run.tx().now());
}

Ended finish(const RunTx& run, const RunEnd& end) {
  Tx& tx = run.tx();
  const bool cancel_came_first = tx.integer("SELECT cancel_requested_at IS NOT NULL FROM runs WHERE run_no=?1", run.run()).value_or(0) != 0;
  const RunStatus status = cancel_came_first ? RunStatus::cancelled : end.status;
  const bool whole = is_whole(status);
  const RunTotals& t = end.totals;
  tx.run("UPDATE runs SET orders=?2, inventory=?3, fees=?4, claims=?5, served=served+?6 WHERE run_no=?1", run.run(), t.orders, t.inventory, t.fees, t.claims, end.turn_calls);
  note_calls(run, end.calls);
  end_run(tx, run.user(), run.run(), status, status == RunStatus::cancelled ? std::nullopt : end.error);
  if (end.replay) return {status, queue_follow_up(tx, run.user(), run.run(), end.follow_up_id)};
  // What did not come to an end, or read something else, says nothing of recoveries; and what went well with some streams says nothing of the others.
  if (whole && end.of_recoveries) tx.run("UPDATE connections SET empty_syncs=CASE WHEN ?2=1 THEN empty_syncs+1 ELSE 0 END WHERE user_no=?1", run.user(), end.recoveries_empty);
  Rows r = tx.rows("SELECT connection_no, asked FROM runs WHERE run_no=?1", run.run());
  if (!r.next()) return {status, queue_follow_up(tx, run.user(), run.run(), end.follow_up_id)};
  const bool of_all = holds_usual(r.view(1));
  if (status != RunStatus::cancelled && (of_all || end.of_recoveries || end.failed_syncs > 0)) tx.run("UPDATE connections SET failed_syncs=?2 WHERE user_no=?1", run.user(), end.failed_syncs);
  // A run of some streams only is no reason to put the usual one off, and one that was cancelled none to put a try after a failure off.
  const Plan plan = !of_all && end.failed_syncs == 0 ? Plan::keep : of_all && status != RunStatus::cancelled ? Plan::replace : Plan::keep_earlier;
  plan_next_sync(tx, r.id<ConnectionNo>(0), end.next_sync_at, plan);
  return {status, queue_follow_up(tx, run.user(), run.run(), end.follow_up_id)};
}

void bury_engine(Tx& tx, EngineNo dead) {
  tx.run("UPDATE engines SET closed_at=?2 WHERE engine_no=?1 AND closed_at IS NULL", dead, tx.now());
  tx.run("UPDATE runs SET lease_until=0, holder=0 WHERE holder=?1 AND status IN ('queued', 'in_progress', 'detecting')", dead);
  tx.run("UPDATE connections SET refresh_holder=0, refresh_until=0 WHERE refresh_holder=?1", dead);
  // How far it had used up a plan whose calls are not counted one by one is not known: empty is the level that can't offend.
  tx.run("UPDATE buckets SET holder=0, held_until=0, level=CASE WHEN rate<=?3 THEN level ELSE 0 END, as_of=CASE WHEN rate<=?3 THEN as_of ELSE ?2 END WHERE holder=?1", dead, tx.now(), kCountedRate);
}

std::vector<EngineNo> other_engines(Tx& tx, EngineNo me) {
  std::vector<EngineNo> engines;
  Rows r = tx.rows("SELECT engine_no FROM engines WHERE closed_at IS NULL AND engine_no<>?1", me);
  while (r.next()) engines.push_back(r.id<EngineNo>(0));
  return engines;
}

void close_engine(Tx& tx, EngineNo me) { tx.run("UPDATE engines SET closed_at=?2 WHERE engine_no=?1", me, tx.now()); }

void shorten_holds(Tx& tx) {
  constexpr Duration kLongest = std::chrono::minutes(2);
  const Instant end = tx.now() + kLongest;
  tx.run("UPDATE runs SET lease_until=?1 WHERE status IN ('queued', 'in_progress', 'detecting') AND holder<>0 AND lease_until>?1", end);
  tx.run("UPDATE buckets SET held_until=?1 WHERE held_until>?1", end);
  tx.run("UPDATE connections SET refresh_until=?1 WHERE refresh_until>?1", end);
}

void note_engine(Tx& tx, EngineNo me, Instant forgotten_before) {
  tx.run("INSERT INTO engines(engine_no, opened_at, seen_at) VALUES(?1, ?2, ?2) ON CONFLICT (engine_no) DO UPDATE SET seen_at=excluded.seen_at", me, tx.now());
  tx.run("DELETE FROM engines WHERE coalesce(closed_at, seen_at, opened_at)<?1", forgotten_before);
}

std::optional<Instant> next_lease_end(Tx& tx) {
  const auto at = tx.integer("SELECT min(lease_until) FROM runs WHERE status IN ('queued', 'in_progress', 'detecting') AND holder<>0");
  return at ? std::optional(from_us(*at)) : std::nullopt;
}

bool holds_lapsed(Tx& tx, EngineNo me) {
  return tx.integer("SELECT 1 FROM runs WHERE status IN ('queued', 'in_progress', 'detecting') AND holder<>0 AND holder=?1 AND lease_until<=?2 LIMIT 1", me, tx.now()).has_value();
}

void free_lapsed(Tx& tx, EngineNo me) {
  tx.run("UPDATE runs SET holder=0, lease_until=0 WHERE status IN ('queued', 'in_progress', 'detecting') AND holder<>0 AND holder=?1 AND lease_until<=?2", me, tx.now());
}

// ---- pauses ----

namespace {

/// Journalled for the user whom it is about; a pause of everybody is told in the log and by every status.
void tell_pause(Tx& tx, UserNo user, std::string_view type, std::string_view by) {
  JsonWriter payload;
  payload.begin_object().field("by", by).field("timestamp", tx.now()).end_object();
  append_event(tx, user, type, payload.text());
}

}  // namespace

bool pause(Tx& tx, std::optional<UserNo> user, std::string_view by) {
  const UserNo whom = user.value_or(UserNo{kEverybody});
  if (tx.run("INSERT INTO pauses(user_no, at, by) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING", whom, tx.now(), by) == 0) return false;
  if (!user) return true;
  tx.run("UPDATE runs SET parked=1 WHERE user_no=?1 AND status IN ('queued', 'in_progress', 'detecting')", whom);
  tell_pause(tx, whom, "sync.paused", by);
  return true;
}

bool resume(Tx& tx, std::optional<UserNo> user, std::string_view by) {
  const UserNo whom = user.value_or(UserNo{kEverybody});
  if (tx.run("DELETE FROM pauses WHERE user_no=?1", whom) == 0) return false;
  if (!user) return true;
  tx.run("UPDATE runs SET parked=0 WHERE user_no=?1 AND status IN ('queued', 'in_progress', 'detecting')", whom);
  tell_pause(tx, whom, "sync.resumed", by);
  return true;
}

std::optional<Pause> everybody_paused(Tx& tx) { return pause_of(tx, UserNo{kEverybody}); }

std::optional<Pause> pause_of(Tx& tx, UserNo user) {
  Rows r = tx.rows("SELECT at, by FROM pauses WHERE user_no IN (?1, ?2) ORDER BY user_no DESC LIMIT 1", user, kEverybody);
  if (!r.next()) return std::nullopt;
  return Pause{r.instant(0), r.text(1)};
}

}  // namespace amzsync::store
