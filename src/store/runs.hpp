// SPDX-License-Identifier: Apache-2.0
// Runs: one sync of one user, as a durable row. One active run per user is a unique index; a worker holds a run by a lease
// with a fencing token, and no row of the run can be written without showing it.
#pragma once

#include <map>
#include <vector>

#include "store/sql.hpp"
#include "store/stream_list.hpp"

namespace amzsync::store {

enum class RunStatus : std::uint8_t { queued, in_progress, detecting, completed, partial, failed, cancelled };
std::string_view status_name(RunStatus status) noexcept;
RunStatus status_from(std::string_view name) noexcept;
constexpr bool is_over(RunStatus s) noexcept { return s >= RunStatus::completed; }

/// What asked for a run. The names are stored and shown.
/// A `replay` reads the archive anew and asks Amazon nothing.
enum class Cause : std::uint8_t { oauth_callback, bypass, recoveries, manual, schedule, replay, notification };
std::string_view cause_name(Cause cause) noexcept;

struct TriggerRequest {
  UserNo user;
  Cause cause = Cause::manual;
  SyncId new_id;             ///< used if a run is created
  Wanted wanted = {};        ///< the usual streams, or some by name
  bool covers_new = false;   ///< brings something an active run can't know: a new authorisation
  std::string region = {};   ///< of the engine that is asked: it can read no seller of another one. Empty: whichever takes it up
};
struct TriggerOutcome {
  SyncId id;
  bool attached = false;     ///< a run was there already; `id` is its id
  bool paused = false;       ///< it begins, or goes on, when the user or the engine is resumed
  bool runs_again = false;   ///< it does not cover what was asked for, which the run reads that follows its end
};
/// Creates a run, or attaches to the active one (which then runs again afterwards if it does not cover the request).
/// Errors: not_connected, needs_reauth, wrong_region; of a replay, which needs no connection but must have the data to itself: sync_in_progress.
Result<TriggerOutcome> trigger(Tx& tx, const TriggerRequest& request);
/// What `trigger` would answer, where it would change nothing: an active run covers the request already. For a read.
std::optional<TriggerOutcome> attach(Tx& tx, const TriggerRequest& request);

/// Proof of holding a run. Made by `claim`; checked by every RunTx.
struct Fence {
  RunNo run;
  UserNo user;
  EngineNo holder;
  std::int64_t token = 0;
};

struct ClaimedRun {
  Fence fence;
  SyncId id;
  UserId user_id;
  ConnectionNo connection;
  std::string asked;
  bool replay = false;
  bool first_claim = false;   ///< false: taken over from a worker that is gone
  bool given_up = false;      ///< its workers die again and again before they get anything done: whoever claims it ends it as `stalled`
  bool cancel_requested = false;
  int progress = 0;
  std::int64_t calls = 0;     ///< of its former workers, as far as they noted them
};
/// Takes the next run that nobody holds: interactive before scheduled (which counts as the former when it has waited for an hour), then who had
/// fewer calls so far, then the oldest. Journals "Starting sync" (10). `region`: only runs of sellers who are connected there, since an engine can reach no other; empty: all.
std::optional<ClaimedRun> claim(Tx& tx, EngineNo me, Duration lease, std::string_view region = {});

/// What nobody performs: `claimable`, and `cancelled` where somebody wants it ended.
struct Unheld {
  bool claimable = false, cancelled = false;
};
Unheld look_for_unheld(Tx& tx, EngineNo me, std::string_view region = {});

/// A transaction that has shown its fence.
class RunTx {
 public:
  /// Errors: fenced (another worker holds the run, or it is over).
  static Result<RunTx> enter(Tx& tx, const Fence& fence);
  Tx& tx() const noexcept { return *tx_; }
  RunNo run() const noexcept { return fence_.run; }
  UserNo user() const noexcept { return fence_.user; }
  /// Whether another worker may have performed a part of it.
  bool taken_over() const noexcept { return fence_.token > 1; }

 private:
  RunTx(Tx& tx, const Fence& fence) : tx_(&tx), fence_(fence) {}
  Tx* tx_;
  Fence fence_;
};

/// For how long a run is its worker's, who renews that every few seconds.
inline constexpr Duration kRunLease = std::chrono::seconds(30);

/// Prolongs the lease.
struct Pulse {
  bool cancel_requested = false;
};
Result<Pulse> renew(Tx& tx, const Fence& fence, Duration lease);
/// Lets go of a run that is not over, so that another worker can go on at once. `calls`: made since it was claimed, and of the run in all. `in_order`: not
/// because of a failure.
struct CallCount {
  std::int64_t turn = 0, run = 0;
};
void release(Tx& tx, const Fence& fence, CallCount calls, bool in_order);

struct CancelOutcome {
  bool found = false;
  bool was_over = false;
};
/// Marks it; whoever performs the run hears of it. One that nobody performs is ended by whoever takes it (`take_cancelled`), in the same transaction.
CancelOutcome request_cancel(Tx& tx, UserNo user, const SyncId& id, std::string_view by);
/// Takes the runs that are to be cancelled and that nobody performs, paused ones included; to be ended in this transaction. Also those whose cancel was asked
/// for before `unheard_since` and that another engine holds: it would have ended them, were it well, and its fence keeps it from writing when it wakes up.
struct CancelledRun {
  Fence fence;
  bool replay = false;
};
std::vector<CancelledRun> take_cancelled(Tx& tx, EngineNo me, Instant unheard_since = {});
/// Who else holds runs that are to be cancelled.
std::vector<EngineNo> holders_of_cancelled(Tx& tx, EngineNo me);
/// The active run of a user, if any.
struct ActiveRun {
  RunNo run;
  SyncId id;
  RunStatus status = RunStatus::queued;
};
std::optional<ActiveRun> active_run(Tx& tx, UserNo user);
/// The newest run of a user that asked Amazon, active or over; of those that were `asked` for certain streams.
struct LastRun {
  RunStatus status = RunStatus::queued;
  Instant completed_at{};          ///< meaningless while it is active
  Retry retry = Retry::later;      ///< of its error
  std::string error_code;
};
std::optional<LastRun> last_run(Tx& tx, UserNo user, const std::function<bool(std::string_view asked)>& of);
/// The streams that a run was asked for (store/stream_list.hpp).
std::string asked_of(Tx& tx, RunNo run);
/// Runs held by `me` that somebody wants cancelled, or paused.
std::vector<RunNo> cancel_requests(Tx& tx, EngineNo me);
std::vector<RunNo> pause_requests(Tx& tx, EngineNo me);
/// How many could be taken up now.
std::int64_t waiting_runs(Tx& tx, int at_most, std::string_view region = {});

// ---- written by the run itself ----

/// Calls of the run in all, so far: what is noted along with its rows, no death of its worker loses.
void note_calls(const RunTx& run, std::int64_t calls);

/// A durable step of the progress bar: `sync_progress` in the journal. Progress never falls.
void milestone(const RunTx& run, int progress, std::string_view message, std::string_view phase, std::string_view detail);

/// The streams were read; what Amazon owes is being judged.
void begin_detecting(const RunTx& run);

struct PassingState {
  int progress = 0;
  std::string phase, detail;
  std::vector<std::pair<std::string, std::optional<Instant>>> waiting;   ///< streams, and until when each waits for Amazon
  std::optional<std::int64_t> eta_seconds;
  std::int64_t calls = 0;   ///< of the run in all
};
/// Overwrites the run's passing progress.
void pass_progress(const RunTx& run, const PassingState& state);

/// Counts of one stream of a run; `add_counts` adds them to the row, in the transaction of the rows they count.
struct Counts {
  std::int64_t fetched = 0, added = 0, changed = 0, removed = 0, unchanged = 0, rejected = 0;
  Counts& operator+=(const Counts& o) noexcept;
};
void begin_stream(const RunTx& run, std::string_view stream);
void add_counts(const RunTx& run, std::string_view stream, const Counts& counts);
/// All data streams of a run together, so far; the marketplaces prove only that the connection works.
Counts counts_of(Tx& tx, RunNo run);
Counts counts_of(Tx& tx, RunNo run, std::string_view stream);
std::map<std::string, Counts> counts_by_stream(Tx& tx, RunNo run);
/// Streams that this run has read to their ends since then, in this turn or an earlier one.
std::vector<std::string> complete_streams(Tx& tx, RunNo run, Instant since);
/// Those that it began, in whatever turn, by whichever worker.
std::vector<std::string> begun_streams(Tx& tx, RunNo run);
/// Those that the run has walked of a stream, whichever worker did.
std::int64_t slices_done(Tx& tx, RunNo run, std::string_view stream);
void set_slices(const RunTx& run, std::string_view stream, std::int64_t done, std::int64_t known);
void end_stream(const RunTx& run, std::string_view stream, std::string_view status, std::string_view coverage, std::int64_t calls, const std::optional<Error>& error);

/// Totals of a run, shown for ever after.
struct RunTotals {
  std::int64_t orders = 0, inventory = 0, fees = 0, claims = 0;
};

struct RunEnd {
  RunStatus status = RunStatus::completed;
  std::optional<Error> error;
  RunTotals totals;
  std::int64_t calls = 0;                   ///< in all; those that were noted already count at least
  std::int64_t turn_calls = 0;              ///< of the turn that ends with it
  SyncId follow_up_id;                      ///< used if the run must run again
  std::optional<Instant> next_sync_at;
  std::int64_t failed_syncs = 0;            ///< on end, this one included
  bool of_recoveries = true;                ///< it was to read what recoveries are told by, as a sync of all streams is
  bool replay = false;                      ///< plans no sync and tells nothing of Amazon
  bool recoveries_empty = false;            ///< counts towards the back-off of the recoveries trigger
};
struct Ended {
  RunStatus status;                         ///< cancelled where a cancel came before the end
  std::optional<SyncId> follow_up;
};
/// The one terminal transition: status, milestone 100 where deserved, terminal event, follow-up.
Ended finish(const RunTx& run, const RunEnd& end);

// ---- engines ----

/// Calls per second: of a plan that allows no more, each call is counted in its bucket's row before it is made.
inline constexpr double kCountedRate = 0.2;

/// What is held for longer than anything ever is, was taken by a clock that was ahead: who is alive prolongs it.
void shorten_holds(Tx& tx);
/// Frees what a dead engine held.
void bury_engine(Tx& tx, EngineNo dead);
std::vector<EngineNo> other_engines(Tx& tx, EngineNo me);
void close_engine(Tx& tx, EngineNo me);
/// Notes that this one is there. Those that were last there before are forgotten: closed ones, and such as ended without a word on another machine, of which nobody can know.
void note_engine(Tx& tx, EngineNo me, Instant forgotten_before);
/// When the earliest lease of a run ends.
std::optional<Instant> next_lease_end(Tx& tx);
/// Runs held by `me` whose leases are over.
bool holds_lapsed(Tx& tx, EngineNo me);
void free_lapsed(Tx& tx, EngineNo me);

// ---- pauses ----

struct Pause {
  Instant at{};
  std::string by;
};
/// Stops the syncs of a user, or with nullopt of everybody, until they are resumed: what runs lets go within a second and keeps what it has, what is
/// triggered meanwhile waits. False: it was paused already. `by` says who asked, for the record.
bool pause(Tx& tx, std::optional<UserNo> user, std::string_view by);
/// False: it was not paused.
bool resume(Tx& tx, std::optional<UserNo> user, std::string_view by);
/// The user's own pause, or else that of everybody.
std::optional<Pause> pause_of(Tx& tx, UserNo user);
/// That of everybody alone.
std::optional<Pause> everybody_paused(Tx& tx);

}  // namespace amzsync::store
